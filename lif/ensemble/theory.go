package ensemble

import (
	"fmt"
	"math"
)

// renewal is a stationary renewal spike train.
type renewal struct {
	rate float64                 // [1/ms]
	hat  func(s float64) float64 // Laplace transform of the renewal density after a spike
}

// deadTime is the train of a neuron that is refractory with probability p.
func deadTime(p, tauRef float64) renewal {
	if p <= 0 {
		return renewal{hat: func(float64) float64 { return 0 }}
	}
	r := p / tauRef
	hazard := r / (1 - p)
	return renewal{r, func(s float64) float64 {
		phi := math.Exp(-s*tauRef) / (1 + s/hazard) // hazard may be infinite
		return phi / (1 - phi)
	}}
}

// poisson is a Poisson train of that rate [1/ms].
func poisson(rate float64) renewal {
	return renewal{rate, func(s float64) float64 { return rate / s }}
}

// covariance is V_ab of the train through the kernels e^{−at} and e^{−bt}.
func (t renewal) covariance(a, b float64) float64 {
	return t.rate/(a+b)*(1+t.hat(a)+t.hat(b)) - t.rate*t.rate/(a*b)
}

// nearly is how close two time constants may be before the potential's variance, which
// divides by their difference, is taken from both sides.
const nearly = 1e-3

// potential is the variance of the membrane's response to the train with jumps of 1 nA in
// a capacitance of 1 nF [mV²].
func (t renewal) potential(tauSyn, tauM float64) float64 {
	if math.Abs(tauM/tauSyn-1) < nearly {
		return (t.potential(tauSyn, tauSyn*(1-2*nearly)) + t.potential(tauSyn, tauSyn*(1+2*nearly))) / 2
	}
	c := tauM * tauSyn / (tauSyn - tauM)
	a, b := 1/tauSyn, 1/tauM
	return c * c * (t.covariance(a, a) + t.covariance(b, b) - 2*t.covariance(a, b))
}

// DeadTimeMoments are the moments of the noise that a neuron makes which is refractory with
// probability p and fires at constant hazard otherwise: mean and variance of its synaptic
// trace (jumps of 1, decay tauSyn), and the variance varU [mV²] of a membrane of 1 nF and
// time constant tauM that the trace [nA] drives. Times in ms. A Poisson train has varTrace =
// p/tauRef·tauSyn/2; the dead time makes it smaller.
//
// It is an error unless p is in [0, 1] and the times are finite and positive.
func DeadTimeMoments(p, tauRef, tauSyn, tauM float64) (mean, varTrace, varU float64, err error) {
	if !(p >= 0 && p <= 1) {
		return 0, 0, 0, fmt.Errorf("ensemble: p = %v: must be in [0, 1]", p)
	}
	for _, tau := range []float64{tauRef, tauSyn, tauM} {
		if !(tau > 0) || math.IsInf(tau, 0) {
			return 0, 0, 0, fmt.Errorf("ensemble: time constants %v, %v, %v ms: must be finite and > 0", tauRef, tauSyn, tauM)
		}
	}
	t := deadTime(p, tauRef)
	return t.rate * tauSyn, t.covariance(1/tauSyn, 1/tauSyn), t.potential(tauSyn, tauM), nil
}

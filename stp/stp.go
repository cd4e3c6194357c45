package stp

import (
	"errors"
	"fmt"
	"math"
)

// Params are the constants of short-term plasticity.
type Params struct {
	U      float64 // utilisation by a first spike, in (0, 1]
	TauRec float64 // recovery time constant [ms], ≥ 0; 0: no depression
	TauFac float64 // facilitation time constant [ms], ≥ 0; 0: no facilitation
	Scale  float64 // s, factor of all weights, > 0; 1/U lets a first spike bring the weight
}

// Renewing are the constants with which every spike brings a synaptic variable of time
// constant tauSyn [ms] to its weight.
func Renewing(tauSyn float64) Params { return Params{U: 1, TauRec: tauSyn, Scale: 1} }

// Depressing are the constants of a depressing synapse with recovery time constant tauRec
// [ms] whose first spike brings the weight.
func Depressing(u, tauRec float64) Params { return Params{U: u, TauRec: tauRec, Scale: 1 / u} }

// Validate reports everything that is wrong with the constants.
func (p Params) Validate() error {
	var errs []error
	if !(p.U > 0 && p.U <= 1) {
		errs = append(errs, fmt.Errorf("stp: U = %v: must be in (0, 1]", p.U))
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"TauRec", p.TauRec}, {"TauFac", p.TauFac}} {
		if !(f.v >= 0) || math.IsInf(f.v, 0) {
			errs = append(errs, fmt.Errorf("stp: %s = %v ms: must be finite and ≥ 0", f.name, f.v))
		}
	}
	if !(p.Scale > 0) || math.IsInf(p.Scale, 0) {
		errs = append(errs, fmt.Errorf("stp: Scale = %v: must be finite and > 0", p.Scale))
	}
	return errors.Join(errs...)
}

// decay is e^{−h/τ}, 0 for τ = 0.
func decay(h, tau float64) float64 {
	if tau == 0 {
		return 0
	}
	return math.Exp(-h / tau)
}

// SteadyState is the resource R and the utilisation u that the spikes of a regular train of
// that interval [ms] come to use.
func (p Params) SteadyState(interval float64) (r, u float64) {
	e := decay(interval, p.TauRec)
	u = p.U / (1 - (1-p.U)*decay(interval, p.TauFac))
	if p.TauRec == 0 {
		return 1, u
	}
	return -math.Expm1(-interval/p.TauRec) / (1 - (1-u)*e), u
}

// PoissonResource is the mean resource that the spikes of a Poisson train of that rate [Hz]
// use, without facilitation.
func (p Params) PoissonResource(rate float64) float64 { return 1 / (1 + p.U*rate/1000*p.TauRec) }

// RenewalResource is the mean resource that the spikes of a renewal train use, without
// facilitation. laplace is E[e^{−ISI/τ_rec}]; that of a dead time d followed by an
// exponential time of mean m is e^{−d/τ_rec}/(1 + m/τ_rec).
func (p Params) RenewalResource(laplace float64) float64 {
	return (1 - laplace) / (1 - (1-p.U)*laplace)
}

// kappa is what static synapses pile up to in a train of interval tauRef.
func kappa(tauRef, tauSyn float64) float64 { return -1 / math.Expm1(-tauRef/tauSyn) }

// Gains are the sustained drive of a sender that is on, relative to a renewing synapse:
// rested, as if its resource did not run out, and sustained, once it has. A network of
// neurons with refractory time tauRef and synaptic time constant tauSyn [ms] mixes better
// than with renewing synapses if the sustained gain is below 1, and worse above: it is
// colder then.
func (p Params) Gains(tauRef, tauSyn float64) (rested, sustained float64) {
	r, u := p.SteadyState(tauRef)
	rested = p.Scale * p.U * kappa(tauRef, tauSyn)
	return rested, p.Scale * u * r * kappa(tauRef, tauSyn)
}

// FromGains are the constants without facilitation that have these gains. sustained must
// be in (0, rested).
func FromGains(tauRec, rested, sustained, tauRef, tauSyn float64) (Params, error) {
	for _, f := range []struct {
		name string
		v    float64
	}{{"tauRec", tauRec}, {"rested gain", rested}, {"sustained gain", sustained}, {"tauRef", tauRef}, {"tauSyn", tauSyn}} {
		if !(f.v > 0) || math.IsInf(f.v, 0) {
			return Params{}, fmt.Errorf("stp: %s = %v: must be finite and > 0", f.name, f.v)
		}
	}
	if sustained >= rested {
		return Params{}, fmt.Errorf("stp: sustained gain %v: must be below the rested gain %v: a synapse without facilitation only depresses", sustained, rested)
	}
	// R* = (1 − e)/(1 − (1 − U)e) solved for U, with 1 − e kept exact.
	e := math.Exp(-tauRef / tauRec)
	lost := -math.Expm1(-tauRef / tauRec)
	r := sustained / rested
	u := lost * (1/r - 1) / e
	if u > 1 {
		return Params{}, fmt.Errorf("stp: gains %v and %v with tauRec = %v ms need U = %v: must be at most 1", rested, sustained, tauRec, u)
	}
	p := Params{U: u, TauRec: tauRec, Scale: rested / (kappa(tauRef, tauSyn) * u)}
	if err := p.Validate(); err != nil { // numbers too far apart
		return Params{}, err
	}
	return p, nil
}

// Check says what a user of the constants should know; empty if nothing.
func (p Params) Check(tauRef, tauSyn float64) []string {
	if _, sustained := p.Gains(tauRef, tauSyn); sustained > 1+1e-12 {
		return []string{fmt.Sprintf("sustained gain %.4g > 1: this short-term plasticity strengthens the weights of senders that stay on, the network is colder than with renewing synapses", sustained)}
	}
	return nil
}

// Sender is the state of a sender's synapses, at rest as the zero value.
type Sender struct {
	r, u, last float64
	active     bool // has spiked
}

// Spike is a spike at time t [ms], not before the last one. It returns the factor of the
// weight that it brings, s·u·R.
func (s *Sender) Spike(t float64, p *Params) float64 {
	if !s.active {
		s.r, s.u = 1, p.U
	} else {
		h := t - s.last
		s.r = 1 + (s.r*(1-s.u)-1)*decay(h, p.TauRec)
		s.u = p.U + s.u*(1-p.U)*decay(h, p.TauFac)
	}
	s.active, s.last = true, t
	return p.Scale * s.u * s.r
}

// Resource is the resource and the utilisation used by the last spike; 1 and 0 before the
// first.
func (s *Sender) Resource() (r, u float64) {
	if !s.active {
		return 1, 0
	}
	return s.r, s.u
}

// Values are the resource and the utilisation used by the last spike and its time [ms]: the
// whole state. The utilisation is −1 before the first spike.
func (s *Sender) Values() (r, u, last float64) {
	if !s.active {
		return 1, -1, 0
	}
	return s.r, s.u, s.last
}

// SetValues is the inverse of Values.
func (s *Sender) SetValues(r, u, last float64) {
	*s = Sender{}
	if u >= 0 {
		*s = Sender{r, u, last, true}
	}
}

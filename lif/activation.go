package lif

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
)

// zetaHalf is |ζ(1/2)|, the constant of the threshold shift for coloured noise
// (Brunel & Sergi 1998).
const zetaHalf = 1.4603545088095868

// nodes is the number of Gauss-Legendre points of each integral of the burst theory.
const nodes = 60

// firstPassage is the mean first-passage time, in units of its time constant, of an
// Ornstein-Uhlenbeck process of unit variance from x up to a ≥ x:
// √π ∫_{x/√2}^{a/√2} e^{v²} (1 + erf v) dv.
func firstPassage(x, a float64) float64 {
	lo, hi := x/math.Sqrt2, a/math.Sqrt2
	n := int(math.Ceil((hi - lo) / 0.5))
	sum := 0.0
	for i := range n {
		l := lo + (hi-lo)*float64(i)/float64(n)
		r := lo + (hi-lo)*float64(i+1)/float64(n)
		sum += quad.Fixed(expErfc, l, r, 16, quad.Legendre{}, 0)
	}
	return math.Sqrt(math.Pi) * sum
}

// expErfc is e^{v²} erfc(−v) without overflow of its factors for negative v.
func expErfc(v float64) float64 {
	if v > -25 {
		return math.Exp(v*v) * math.Erfc(-v)
	}
	w := 1 / (v * v)
	return (1 - w/2 + 3*w*w/4 - 15*w*w*w/8) / (math.SqrtPi * -v)
}

// burst is the normalised problem of the activation function: potentials relative to
// the mean of the free potential in units of its standard deviation, times in units of
// the synaptic time constant.
type burst struct {
	theta, reset float64
	eps          float64 // effective membrane time constant
	ref          float64 // refractory time
}

// on is the share of time that the neuron is refractory (Petrovici et al. 2016; the
// burst sum is solved as an integral equation, so any burst length is exact).
//
// The noise is slow: x(t) is an Ornstein-Uhlenbeck process, and a neuron whose x is
// above threshold after a refractory period fires again. Over that period x has the
// kernel G(x|y) = N(x; Ry, 1−R²), R = e^{−ref}. With F(x) the expected number of visits
// to x > θ in a burst that starts at θ,
//
//	F(x) = G(x|θ) + ∫_θ^∞ G(x|y) F(y) dy ,
//	n = 1 + ∫F                       spikes of a burst,
//	d = ε ∫ F(x) ln[(x−ρ)/(x−θ)] dx  drift from reset to threshold in it,
//	T = ∫_{−∞}^θ [G(x|θ) + ∫G(x|y)F(y)dy] T_fp(x→θ_T) dx  the pause after it,
//
// with θ_T = θ + |ζ(1/2)|√ε for the membrane's filtering. simple leaves out the drift
// and the shift.
func (b burst) on(simple bool) (float64, error) {
	r := math.Exp(-b.ref)
	s2 := 1 - r*r
	kernel := func(x, y float64) float64 {
		d := x - r*y
		return math.Exp(-d*d/(2*s2)) / math.Sqrt(2*math.Pi*s2)
	}
	x, w := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(x, w, b.theta, math.Max(b.theta, 0)+8)
	a := mat.NewDense(nodes, nodes, nil)
	g := mat.NewVecDense(nodes, nil)
	for i := range x {
		for j := range x {
			a.Set(i, j, -w[j]*kernel(x[i], x[j]))
		}
		a.Set(i, i, 1+a.At(i, i))
		g.SetVec(i, kernel(x[i], b.theta))
	}
	var f mat.VecDense
	if err := f.SolveVec(a, g); err != nil {
		return 0, fmt.Errorf("lif: burst equation at threshold %v σ: %w", b.theta, err)
	}
	n, d := 1.0, 0.0
	for i, xi := range x {
		n += w[i] * f.AtVec(i)
		d += w[i] * f.AtVec(i) * math.Log((xi-b.reset)/(xi-b.theta))
	}
	d *= b.eps
	target := b.theta + zetaHalf*math.Sqrt(b.eps)
	if simple {
		d, target = 0, b.theta
	}
	y, v := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(y, v, math.Min(b.theta, 0)-8, b.theta)
	pause, tfp, above := 0.0, 0.0, target
	for i := range nodes { // FixedLocations descends from threshold
		tfp += firstPassage(y[i], above)
		above = y[i]
		density := kernel(y[i], b.theta)
		for j := range x {
			density += w[j] * kernel(y[i], x[j]) * f.AtVec(j)
		}
		pause += v[i] * density * tfp
	}
	return n * b.ref / (n*b.ref + d + pause), nil
}

// burst normalises the neuron with resting potential e [mV].
func (s Setup) burst(e float64) (burst, Moments) {
	m := s.freePotential(e)
	// One time constant for the noise: receptors weighted by their variance.
	tau, total := 0.0, 0.0
	for _, c := range m.sources {
		tau += c.variance * c.tauSyn
		total += c.variance
	}
	tau /= total
	return burst{
		theta: (s.Neuron.Theta - m.Mean) / m.SD,
		reset: (s.Neuron.Reset - m.Mean) / m.SD,
		eps:   m.TauEff / tau,
		ref:   s.Neuron.TauRef / tau,
	}, m
}

// requireNoise reports an error if the background is silent.
func (s Setup) requireNoise() error {
	if m := s.freePotential(s.Neuron.Theta); !(m.SD > 0) {
		return fmt.Errorf("lif: no background noise: the activation is a step at threshold, there is nothing to calibrate")
	}
	return nil
}

// Activation is the analytic activation function in the diffusion limit: the
// probability that a neuron with resting potential e [mV] is refractory. It agrees with
// simulation within about 0.04; with different synaptic time constants it uses their
// mean weighted by variance. Where the noise never reaches threshold, or the neuron
// never pauses, it is 0 or 1.
func (s Setup) Activation(e float64) (float64, error) {
	if err := s.Validate(); err != nil {
		return 0, err
	}
	if math.IsNaN(e) || math.IsInf(e, 0) {
		return 0, fmt.Errorf("lif: resting potential %v mV: must be finite", e)
	}
	if err := s.requireNoise(); err != nil {
		return 0, err
	}
	return s.activation(e)
}

func (s Setup) activation(e float64) (float64, error) {
	b, _ := s.burst(e)
	switch {
	case b.theta > 8:
		return 0, nil
	case b.theta < -7.5:
		// Always above threshold, and the burst equation nearly singular: refractory but for
		// the drift back to threshold.
		d := b.eps * math.Log((-b.reset)/(-b.theta))
		return b.ref / (b.ref + d), nil
	}
	return b.on(false)
}

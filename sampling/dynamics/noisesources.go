package dynamics

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// White adds white noise dx = σ dW to a signal: σ√dt·ξ per step. With σ = 0 it draws no
// number and leaves the bits of x alone.
type White[F Float] struct {
	sd F
}

// NewWhite returns white noise of σ ≥ 0 [per √ms] in steps of dt [ms].
func NewWhite[F Float](sigma, dt float64) (White[F], error) {
	if !(sigma >= 0) || math.IsInf(sigma, 0) || !(dt > 0) || math.IsInf(dt, 0) {
		return White[F]{}, fmt.Errorf("dynamics: white noise of %v per √ms in steps of %v ms: must be finite, ≥ 0 and > 0", sigma, dt)
	}
	return White[F]{sd: F(sigma * math.Sqrt(dt))}, nil
}

// Add adds one step of noise to x.
func (w White[F]) Add(x []F, r *rand.Rand) {
	if w.sd == 0 {
		return
	}
	for i := range x {
		x[i] += w.sd * F(r.NormFloat64())
	}
}

// OU is the Ornstein-Uhlenbeck process, τ dξ = −ξ dt + σ√(2τ) dW: coloured noise of
// stationary variance σ² and autocorrelation e^{−|t|/τ}. Its steps are exact for any dt; in
// single precision the variance is, and the correlation time as far as e^{−dt/τ} can be written.
type OU[F Float] struct {
	decay, kick, sd F
}

// NewOU returns the process of standard deviation sigma ≥ 0 and correlation time tau > 0
// [ms] in steps of dt [ms]. With sigma = 0 it draws no number.
func NewOU[F Float](sigma, tau, dt float64) (OU[F], error) {
	if !(sigma >= 0) || math.IsInf(sigma, 0) || !(tau > 0) || math.IsInf(tau, 0) || !(dt > 0) || math.IsInf(dt, 0) {
		return OU[F]{}, fmt.Errorf("dynamics: Ornstein-Uhlenbeck noise of %v with %v ms in steps of %v ms: must be finite, ≥ 0, > 0 and > 0", sigma, tau, dt)
	}
	// The decay of single precision is rounded; the variance of the kicks is that which goes with it.
	decay := F(math.Exp(-dt / tau))
	loss := -math.Expm1(-2 * dt / tau)
	if exact := float64(decay); exact != math.Exp(-dt/tau) {
		loss = (1 - exact) * (1 + exact)
	}
	return OU[F]{decay: decay, kick: F(sigma * math.Sqrt(loss)), sd: F(sigma)}, nil
}

// Start draws a stationary state.
func (o OU[F]) Start(xi []F, r *rand.Rand) {
	if o.sd == 0 {
		clear(xi)
		return
	}
	for i := range xi {
		xi[i] = o.sd * F(r.NormFloat64())
	}
}

// Step advances the state by one step.
func (o OU[F]) Step(xi []F, r *rand.Rand) {
	if o.sd == 0 {
		return
	}
	for i, v := range xi {
		xi[i] = o.decay*v + o.kick*F(r.NormFloat64())
	}
}

// Shot is Poisson shot noise: kicks of a fixed size at the events of a Poisson process. On a
// leaky unit with rate a = 1/τ it makes a variance of νw²/(2a), a mean of νw/a, and an
// excess kurtosis of a/ν: it is Gaussian only where ν ≫ a.
type Shot[F Float] struct {
	table  CountTable
	weight F
	sign   bool
}

// NewShot returns the kicks of p in steps of dt [ms], all of size p.Weight; if balanced,
// each is +Weight or −Weight with equal probability, and the mean is 0.
func NewShot[F Float](p Poisson, dt float64, balanced bool) (*Shot[F], error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	t, err := NewCountTable(p.Rate, dt)
	if err != nil {
		return nil, err
	}
	return &Shot[F]{table: t, weight: F(p.Weight), sign: balanced}, nil
}

// Add adds the kicks of one step to x. Without events it draws no number.
func (s *Shot[F]) Add(x []F, r *rand.Rand) {
	if len(s.table) == 0 {
		return
	}
	first := s.table.First()
	for i := range x {
		u := r.Uint32()
		if u < first {
			continue
		}
		n := s.table.Count(u)
		if !s.sign {
			x[i] += F(n) * s.weight
			continue
		}
		for range n {
			if r.Uint64()>>63 == 0 {
				x[i] += s.weight
			} else {
				x[i] -= s.weight
			}
		}
	}
}

// Bernoulli writes 1 with probability p[i] to z[i], else 0. Probabilities below 0 count as 0
// and above 1 as 1; exactly 0 and exactly 1 are certain.
func Bernoulli[F Float](z, p []F, r *rand.Rand) {
	p = p[:len(z)]
	for i := range z {
		z[i] = 0
		if r.Float64() < float64(p[i]) {
			z[i] = 1
		}
	}
}

package lif

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Update is the order in which the abstract sampler visits its units.
type Update int

const (
	// Sequential visits the units one after another within a step, each seeing the
	// others' newest state: exact for absolute refractoriness.
	Sequential Update = iota
	// Parallel updates all units from the old state. It is wrong by O(1/τ) and here
	// only to be studied.
	Parallel
	// Continuous is the limit Dt → 0 as an event simulation: exact for absolute
	// refractoriness, and far faster than stepping.
	Continuous
)

// NeuralOptions describe an abstract sampler. Zero values are the documented defaults.
type NeuralOptions struct {
	TauRef float64 // refractory time [ms]; default 10
	Dt     float64 // step [ms], divides TauRef; default 0.1; unused by Continuous
	Update Update  // default Sequential
	// Relative, if set, makes the refractoriness relative: a unit with ζ of τ steps left
	// fires with probability g(ζ) f(u) in a step, g(0) = 1, 0 ≤ g ≤ 1, g falling in ζ.
	// Exact for one unit, approximate in a network. Default: absolute, g(ζ) = 0 for ζ > 1,
	// g(1) = 1. Not for Continuous.
	Relative func(zeta, tau int) float64
}

// Neural is the abstract neural sampler of Buesing et al. 2011: stochastic units with
// rectangular postsynaptic potentials and a refractory time. With u_k the log odds of the
// model ("neural computability condition"), absolute refractoriness and τ = TauRef/Dt,
// a unit with at most one step of refractoriness left fires with probability
// σ(u_k − ln τ) and is then on for τ steps. Its stationary law is exactly
// p(z)·Π_k τ^{−z_k} over (z, ζ). It takes any model, not only pairwise ones.
type Neural struct {
	model sampling.Model
	field *sampling.Field
	opt   NeuralOptions
	tau   int // refractory time in steps
	clock dynamics.Clock
	g     []float64 // g(ζ), ζ = 0..τ; nil: absolute

	step int64
	z    []uint8
	zeta []int32   // refractory steps left
	p    []float64 // firing probability (f(u) if relative) of the current log odds
	of   []float64 // the log odds p was computed for
	rand *rand.Rand
	old  []uint8 // Parallel: decisions of the step

	now  float64   // Continuous: time
	next []float64 // Continuous: next event of every unit
}

// NewNeural returns an abstract sampler of m.
func NewNeural(m sampling.Model, o NeuralOptions) (*Neural, error) {
	if m == nil || m.Dim() < 1 {
		return nil, fmt.Errorf("lif: the neural sampler needs a model of at least 1 unit")
	}
	if o.TauRef == 0 {
		o.TauRef = 10
	}
	if o.Dt == 0 {
		o.Dt = 0.1
	}
	var errs []error
	if !(o.TauRef > 0) || math.IsInf(o.TauRef, 0) {
		errs = append(errs, fmt.Errorf("lif: TauRef = %v ms: must be finite and > 0", o.TauRef))
	}
	if o.Update < Sequential || o.Update > Continuous {
		errs = append(errs, fmt.Errorf("lif: Update = %d: must be Sequential, Parallel or Continuous", o.Update))
	}
	if o.Update == Continuous && o.Relative != nil {
		errs = append(errs, fmt.Errorf("lif: Relative refractoriness with Continuous updates: must be Sequential or Parallel"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	n := m.Dim()
	s := &Neural{model: m, field: sampling.NewField(m), opt: o, clock: dynamics.Clock{Dt: o.Dt},
		z: make([]uint8, n), zeta: make([]int32, n), p: make([]float64, n), of: make([]float64, n),
		next: make([]float64, n)}
	if o.Update == Continuous {
		return s, nil
	}
	tau, err := s.clock.Steps(o.TauRef)
	if err != nil {
		return nil, fmt.Errorf("lif: TauRef: %w", err)
	}
	if tau < 1 || tau > 1<<20 {
		return nil, fmt.Errorf("lif: TauRef is %d steps: must be 1 to 2^20", tau)
	}
	s.tau = int(tau)
	if o.Update == Parallel {
		s.old = make([]uint8, n)
	}
	if o.Relative != nil {
		s.g = make([]float64, tau+1)
		for zeta := range s.g {
			g := o.Relative(zeta, s.tau)
			if !(g >= 0 && g <= 1) || (zeta == 0 && g != 1) || (zeta > 0 && g > s.g[zeta-1]) {
				return nil, fmt.Errorf("lif: Relative(%d, %d) = %v: must fall from g(0) = 1 within [0, 1]", zeta, tau, g)
			}
			s.g[zeta] = g
		}
	}
	return s, nil
}

// Dim is the number of units.
func (s *Neural) Dim() int { return len(s.z) }

// State is z, z_k = 1 iff unit k is refractory.
func (s *Neural) State() []uint8 { return s.z }

// Time is the biological time since Reset [ms].
func (s *Neural) Time() float64 {
	if s.opt.Update == Continuous {
		return s.now
	}
	return s.clock.Time(s.step)
}

// Reset starts the chain at time 0; a nil start draws every unit with probability ½.
// Units that start on are at a uniformly drawn point of their refractory time.
func (s *Neural) Reset(start []uint8, src rand.Source) error {
	if src == nil {
		return fmt.Errorf("lif: random source is nil")
	}
	if start != nil {
		if err := sampling.CheckState(start, len(s.z)); err != nil {
			return err
		}
	}
	s.rand = rand.New(src)
	s.step, s.now = 0, 0
	for k := range s.z {
		if start != nil {
			s.z[k] = start[k]
		} else {
			s.z[k] = uint8(s.rand.Uint64() >> 63)
		}
		s.zeta[k] = 0
		if s.z[k] == 1 && s.tau > 0 {
			s.zeta[k] = 1 + int32(s.rand.IntN(s.tau))
		}
		s.of[k] = math.NaN() // equals no log odds: recompute
	}
	s.field.Reset(s.z)
	if s.opt.Update == Continuous {
		for k := range s.z {
			if s.z[k] == 1 {
				s.next[k] = s.opt.TauRef * s.rand.Float64()
			} else {
				s.schedule(k)
			}
		}
	}
	return nil
}

// Advance runs the chain until time t [ms]; Continuous stops at exactly t.
func (s *Neural) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	buf = buf[:0]
	n := len(s.z)
	if cap(buf) < 2*n {
		return nil, fmt.Errorf("lif: buffer for %d flips: must hold at least %d", cap(buf), 2*n)
	}
	if s.rand == nil {
		return nil, fmt.Errorf("lif: the neural sampler must be Reset before it runs")
	}
	if s.opt.Update == Continuous {
		return s.advanceContinuous(t, buf), nil
	}
	for to := s.clock.Ceil(t); s.step < to && cap(buf)-len(buf) >= n; s.step++ {
		now := s.clock.Time(s.step + 1)
		if s.opt.Update == Parallel {
			for k := range s.z {
				s.old[k] = s.fires(k)
			}
			for k := range s.z {
				buf = s.set(k, s.old[k] == 1, now, buf)
			}
			continue
		}
		for k := range s.z {
			buf = s.set(k, s.fires(k) == 1, now, buf)
		}
	}
	return buf, nil
}

// fires draws whether unit k fires in this step; a unit that cannot draws nothing.
func (s *Neural) fires(k int) uint8 {
	zeta := int(s.zeta[k])
	if s.g == nil && zeta > 1 {
		return 0
	}
	if u := s.field.U[k]; u != s.of[k] {
		s.of[k] = u
		if s.g == nil {
			s.p[k] = fireAbsolute(u, s.tau)
		} else {
			s.p[k] = fireRelative(u, s.g)
		}
	}
	p := s.p[k]
	if s.g != nil {
		p *= s.g[zeta]
	}
	if s.rand.Float64() < p {
		return 1
	}
	return 0
}

// set moves unit k by one step: to full refractoriness if it fired, one step nearer to
// its end otherwise.
func (s *Neural) set(k int, fired bool, now float64, buf []sampling.Flip) []sampling.Flip {
	if fired {
		s.zeta[k] = int32(s.tau)
	} else if s.zeta[k] > 0 {
		s.zeta[k]--
	}
	on := uint8(0)
	if s.zeta[k] > 0 {
		on = 1
	}
	if on == s.z[k] {
		return buf
	}
	s.z[k] = on
	s.field.Flipped(s.z, k)
	return append(buf, sampling.Flip{Time: now, Unit: int32(k), On: on})
}

// fireAbsolute is σ(u − ln τ).
func fireAbsolute(u float64, tau int) float64 { return 1 / (1 + float64(tau)*math.Exp(-u)) }

// fireRelative solves exp(u) = f Σ_{η=1..τ} Π_{φ=1..η} 1/(1 − g(φ) f) for f, the firing
// probability of a rested unit, by bisection: the right-hand side grows with f from 0 to
// infinity at f = 1/max g(φ), or to a finite value at f = 1 where f ends.
func fireRelative(u float64, g []float64) float64 {
	lo, hi := 0.0, 1.0
	for range 200 {
		f := (lo + hi) / 2
		if f == lo || f == hi {
			break
		}
		sum, prod := 0.0, 1.0
		for eta := 1; eta < len(g); eta++ {
			prod /= 1 - g[eta]*f
			sum += prod
		}
		if math.Log(f*sum) < u {
			lo = f
		} else {
			hi = f
		}
	}
	return hi
}

// schedule draws the next spike of the free unit k from its hazard exp(u)/τ_ref.
func (s *Neural) schedule(k int) {
	s.of[k] = s.field.U[k]
	s.next[k] = s.now + s.opt.TauRef*math.Exp(-s.of[k])*s.rand.ExpFloat64()
}

func (s *Neural) advanceContinuous(t float64, buf []sampling.Flip) []sampling.Flip {
	for cap(buf) > len(buf) {
		first := 0
		for k, x := range s.next {
			if x < s.next[first] {
				first = k
			}
		}
		if s.next[first] > t {
			s.now = t
			break
		}
		k := first
		s.now = s.next[k]
		s.z[k] ^= 1
		s.field.Flipped(s.z, k)
		buf = append(buf, sampling.Flip{Time: s.now, Unit: int32(k), On: s.z[k]})
		if s.z[k] == 1 {
			s.next[k] = s.now + s.opt.TauRef
		} else {
			s.schedule(k)
		}
		// The exponential has no memory, so a unit whose hazard changed draws anew.
		for j, u := range s.field.U {
			if j != k && s.z[j] == 0 && u != s.of[j] {
				s.schedule(j)
			}
		}
	}
	return buf
}

var _ sampling.Sampler = (*Neural)(nil)

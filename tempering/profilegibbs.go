package tempering

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

// ProfileGibbsOptions configures ProfileGibbs. The zero value is the default.
type ProfileGibbsOptions struct {
	Scan    Scan        // default Sequential
	Profile lif.Profile // default RaisedCosine{}: T from 1 to 2 at 2 Hz
	// SweepMs is the time that a sweep of N visits stands for [ms]; default 10, the usual
	// refractory time of a neuron.
	SweepMs float64
	Step    float64 // time for which T stays constant [ms], cut to fit the period of ≥ 4; default 1
	// Temperature is T at a factor of the background rates, ≥ 0; default √factor, and 1
	// exactly at factor 1. With [Map.Temperature] it is that of the neurons of a setup.
	Temperature func(factor float64) float64
}

// ProfileGibbs is a Gibbs sampler at the temperature that the profile of a background
// would give to neurons, β(t) = 1/T(m(t)). It is the control of an oscillating network:
// the same schedule without the neurons. Like it, it samples no exact law unless T is
// constant: it is periodic annealing, with no accept step and no level weights. A
// constant profile at T = 1 makes the flips of boltzmann.Gibbs.
//
// Time is in ms. A visit lasts SweepMs/N, has the temperature of its middle, and flips at
// its end. At T = 0 a unit follows the sign of its log odds, and a fair coin where they
// are 0.
type ProfileGibbs struct {
	c     core // its time counts visits
	ch    *chain
	scan  Scan
	sweep float64   // [ms]
	beta  []float64 // of equal parts of the period
	per   float64   // period [visits]
}

var _ sampling.Sampler = (*ProfileGibbs)(nil)

// maxParts is the number of parts of a period.
const maxParts = 1 << 20

// NewProfileGibbs returns a sampler of m; Reset it before use.
func NewProfileGibbs(m sampling.Model, o ProfileGibbsOptions) (*ProfileGibbs, error) {
	if err := errors.Join(checkModel(m), checkScan(o.Scan)); err != nil {
		return nil, err
	}
	if o.Profile == nil {
		o.Profile = RaisedCosine{}
	}
	if o.SweepMs == 0 {
		o.SweepMs = 10
	}
	if o.Step == 0 {
		o.Step = 1
	}
	if o.Temperature == nil {
		o.Temperature = math.Sqrt
	}
	if !(o.SweepMs > 0 && o.Step > 0) || math.IsInf(o.SweepMs, 0) || math.IsInf(o.Step, 0) {
		return nil, fmt.Errorf("tempering: SweepMs = %v, Step = %v: must be finite and > 0", o.SweepMs, o.Step)
	}
	factors, err := cycle(o.Profile)
	if err != nil {
		return nil, err
	}
	period := o.Profile.Period()
	if err := checkSteps(factors, period, o.Step); err != nil {
		return nil, err
	}
	parts := math.Ceil(period / o.Step)
	if parts > maxParts {
		return nil, fmt.Errorf("tempering: period = %v ms with Step = %v ms: must be at most 2^20 steps", period, o.Step)
	}
	g := &ProfileGibbs{c: newCore(m.Dim()), ch: newChain(m), scan: o.Scan,
		sweep: o.SweepMs, per: period / o.SweepMs * float64(m.Dim()), beta: make([]float64, int(parts))}
	for i := range g.beta {
		at := period * (float64(i) + 0.5) / parts
		t := o.Temperature(o.Profile.RateFactor(at))
		if !(t >= 0) || math.IsInf(t, 0) {
			return nil, fmt.Errorf("tempering: temperature at %v ms is %v: must be finite and ≥ 0", at, t)
		}
		g.beta[i] = 1 / t
	}
	return g, nil
}

// Dim is the number N of units.
func (g *ProfileGibbs) Dim() int { return g.c.n }

// State is the state at Time: the sampler's own memory, valid until the next Advance.
func (g *ProfileGibbs) State() []uint8 { return g.ch.z }

// Time is the time since Reset [ms].
func (g *ProfileGibbs) Time() float64 { return float64(g.c.time) / float64(g.c.n) * g.sweep }

// Reset puts the chain at time 0, which is that of the profile, in state start, with all
// randomness from src. A nil start draws each unit as a fair coin. It refuses a start of
// infinite energy.
func (g *ProfileGibbs) Reset(start []uint8, src rand.Source) error {
	r, err := g.c.reset(src)
	if err != nil {
		return err
	}
	if err := g.ch.start(start, r); err != nil {
		return err
	}
	g.c.r = r
	return nil
}

// Advance visits units until Time reaches t [ms] or buf is full. It fails if a log odds is
// NaN; then the sampler must be Reset.
func (g *ProfileGibbs) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	flips := buf[:0]
	if g.c.r == nil {
		return flips, errNotReset
	}
	if !finite(t) {
		return flips, fmt.Errorf("tempering: Advance to time %v: must be finite", t)
	}
	for g.Time() < t && len(flips) < cap(buf) {
		k := int(g.c.time % int64(g.c.n))
		if g.scan == Random {
			k = g.c.r.IntN(g.c.n)
		}
		flipped, err := g.ch.visit(k, g.betaNow(), g.c.r.Float64())
		if err != nil {
			g.c.r = nil
			return flips, err
		}
		if g.c.time++; flipped {
			flips = append(flips, sampling.Flip{Time: g.Time(), Unit: int32(k), On: g.ch.z[k]})
		}
	}
	return flips, nil
}

// betaNow is the inverse temperature of the visit that begins now.
func (g *ProfileGibbs) betaNow() float64 {
	i := int(PhaseOf(float64(g.c.time)+0.5, g.per) * float64(len(g.beta)))
	return g.beta[min(i, len(g.beta)-1)]
}

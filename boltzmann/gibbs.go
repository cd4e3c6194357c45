package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Sampler = (*Gibbs)(nil)

// Scan is the order in which Gibbs visits units.
type Scan int

const (
	// Sequential visits units 0..N−1 in turn. It leaves p(z) stationary but is not
	// reversible; it usually mixes faster than Random.
	Sequential Scan = iota
	// Random visits a unit drawn uniformly each time. It is reversible.
	Random
)

// String is the name of the scan.
func (s Scan) String() string {
	switch s {
	case Sequential:
		return "sequential"
	case Random:
		return "random"
	}
	return fmt.Sprintf("Scan(%d)", int(s))
}

// GibbsOptions configures Gibbs. The zero value is the default.
type GibbsOptions struct {
	Scan Scan // default Sequential
}

// Gibbs is the Gibbs sampler, or heat bath (Glauber 1963; Geman and Geman 1984): it
// visits one unit at a time and draws its value from its conditional distribution,
// p(z_k=1 | rest) = σ(u_k). It works for every model, also where a log odds is ±Inf.
//
// Time is in sweeps. A visit lasts 1/N sweep and changes the state at its end, so the
// i-th visit after Reset (i = 1, 2, …) flips at time i/N.
type Gibbs struct {
	scan  Scan
	field *sampling.Field
	z     []uint8
	steps int64 // visits since Reset
	next  int   // the next unit of a sequential scan
	r     *rand.Rand
}

// NewGibbs returns a Gibbs sampler of m; Reset it before use.
func NewGibbs(m sampling.Model, o GibbsOptions) (*Gibbs, error) {
	if m == nil {
		return nil, errors.New("boltzmann: Gibbs: model is nil")
	}
	if n := m.Dim(); n < 1 {
		return nil, fmt.Errorf("boltzmann: Gibbs: model has %d units: must have at least one", n)
	}
	if o.Scan != Sequential && o.Scan != Random {
		return nil, fmt.Errorf("boltzmann: Gibbs: Scan = %v: must be Sequential or Random", o.Scan)
	}
	return &Gibbs{scan: o.Scan, field: sampling.NewField(m), z: make([]uint8, m.Dim())}, nil
}

// Dim is the number N of units.
func (g *Gibbs) Dim() int { return len(g.z) }

// State is the state at Time: the sampler's own memory, valid until the next Advance.
func (g *Gibbs) State() []uint8 { return g.z }

// Time is the number of sweeps since Reset.
func (g *Gibbs) Time() float64 { return float64(g.steps) / float64(len(g.z)) }

// Reset puts the chain at time 0 in state start, with all randomness from src. A nil
// start draws each unit as a fair coin, which a model with impossible states may not
// allow; give a start there.
func (g *Gibbs) Reset(start []uint8, src rand.Source) error {
	if src == nil {
		return errors.New("boltzmann: Gibbs: random source is nil")
	}
	r := rand.New(src)
	if start == nil {
		for k := range g.z {
			g.z[k] = uint8(r.Uint64() >> 63)
		}
	} else {
		if err := sampling.CheckState(start, len(g.z)); err != nil {
			return fmt.Errorf("boltzmann: Gibbs: %w", err)
		}
		copy(g.z, start)
	}
	g.r, g.steps, g.next = r, 0, 0
	g.field.Reset(g.z)
	return nil
}

// Advance visits units until Time reaches t [sweeps] or buf is full, and returns the
// flips in buf[:0:cap(buf)]. It fails if a log odds is NaN.
func (g *Gibbs) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	flips := buf[:0]
	if g.r == nil {
		return flips, errors.New("boltzmann: Gibbs: Advance before Reset")
	}
	if !finite(t) {
		return flips, fmt.Errorf("boltzmann: Gibbs: Advance to time %v: must be finite", t)
	}
	n := len(g.z)
	for end := g.stepsTo(t); g.steps < end && len(flips) < cap(buf); {
		k := g.next
		if g.scan == Random {
			k = g.r.IntN(n)
		} else if g.next++; g.next == n {
			g.next = 0
		}
		u := g.field.U[k]
		if math.IsNaN(u) {
			return flips, fmt.Errorf("boltzmann: Gibbs: log odds of unit %d is NaN at sweep %v", k, g.Time())
		}
		g.steps++
		on := heatbath.Below(g.r.Float64(), u)
		if on != g.z[k] {
			g.z[k] = on
			g.field.Flipped(g.z, k)
			flips = append(flips, sampling.Flip{Time: g.Time(), Unit: int32(k), On: on})
		}
	}
	return flips, nil
}

// stepsTo is the smallest number of visits after which Time is at least t.
func (g *Gibbs) stepsTo(t float64) int64 {
	n := float64(len(g.z))
	x := math.Ceil(t * n)
	if x > 1<<52 {
		return math.MaxInt64 // centuries away
	}
	for (x-1)/n >= t {
		x--
	}
	for x/n < t {
		x++
	}
	return int64(x)
}

package sampling

import (
	"fmt"
	"math/rand/v2"
)

// Model is a distribution over binary states, p(z) ∝ exp(-Energy(z)), z in {0,1}^N.
// Methods take any z of length Dim and must not keep or change it.
type Model interface {
	// Dim is the number N of units.
	Dim() int
	// Energy is -log p(z) up to a constant [nats].
	Energy(z []uint8) float64
	// Logit is the log odds of unit k given all others,
	// u_k = log p(z_k=1|z_rest) - log p(z_k=0|z_rest) [nats], the abstract membrane
	// potential of Buesing et al. 2011. It does not depend on z[k]. It may be ±Inf
	// where the rest determines z_k.
	Logit(z []uint8, k int) float64
}

// Incremental is a Model that can correct all log odds after one flip more cheaply
// than it computes them.
type Incremental interface {
	Model
	// Logits writes the log odds of every unit in state z to u.
	Logits(u []float64, z []uint8)
	// Flipped corrects u after z[k] has changed to the value it has now.
	Flipped(u []float64, z []uint8, k int)
}

// Flip says that unit Unit took the value On (0 or 1) at time Time, in the sampler's
// unit of time. It always differs from the unit's value before.
type Flip struct {
	Time float64
	Unit int32
	On   uint8
}

// Sampler moves one chain through {0,1}^N. It is not safe for concurrent use.
type Sampler interface {
	// Dim is the number N of units.
	Dim() int
	// Reset puts the chain at time 0 in state start, with all randomness from src.
	// A nil start lets the sampler draw one from src.
	Reset(start []uint8, src rand.Source) error
	// State is the state at Time. It is the sampler's own memory: valid until the
	// next Advance, not to be changed.
	State() []uint8
	// Time is the time since Reset, [ms] or [sweeps].
	Time() float64
	// Advance moves the chain until Time reaches t or buf has no room for what one
	// step may bring, and returns the flips in time order in buf[:0:cap(buf)]. It
	// never reallocates; cap(buf) ≥ 2·Dim always makes progress. Time may pass t by
	// less than one step of the sampler.
	Advance(t float64, buf []Flip) ([]Flip, error)
}

// Recorder sees every flip of a recorded stretch of a chain.
type Recorder interface {
	// Begin opens the stretch at time t in state z.
	Begin(t float64, z []uint8) error
	// Record takes the next flips and says that nothing else happened up to time t.
	// It must not keep the slice.
	Record(flips []Flip, t float64)
}

// CheckState reports an error unless z has n entries, each 0 or 1.
func CheckState(z []uint8, n int) error {
	if len(z) != n {
		return fmt.Errorf("sampling: state has %d units: must have %d", len(z), n)
	}
	for k, v := range z {
		if v > 1 {
			return fmt.Errorf("sampling: state of unit %d is %d: must be 0 or 1", k, v)
		}
	}
	return nil
}

// refresh is the number of incremental corrections after which a Field recomputes its
// log odds, so that rounding errors do not accumulate.
const refresh = 1 << 16

// Field keeps the log odds of all units of a model current while units flip. It is
// what a sampler reads instead of calling Logit at every visit.
type Field struct {
	U []float64 // log odds of every unit in the current state [nats]

	model Model
	inc   Incremental // nil if the model has no shortcut
	flips int
}

// NewField returns a Field of m; Reset it before use.
func NewField(m Model) *Field {
	inc, _ := m.(Incremental)
	return &Field{U: make([]float64, m.Dim()), model: m, inc: inc}
}

// Reset computes the log odds in state z.
func (f *Field) Reset(z []uint8) {
	f.flips = 0
	if f.inc != nil {
		f.inc.Logits(f.U, z)
		return
	}
	for k := range f.U {
		f.U[k] = f.model.Logit(z, k)
	}
}

// Flipped corrects the log odds after z[k] has changed.
func (f *Field) Flipped(z []uint8, k int) {
	f.flips++
	if f.inc == nil || f.flips >= refresh {
		f.Reset(z)
		return
	}
	f.inc.Flipped(f.U, z, k)
}

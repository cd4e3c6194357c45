package tempering

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// maxAway is the number of sweeps a walker may stay away from level 0.
const maxAway = 1 << 20

// walker is a chain that walks a ladder, with the weights g_k that tell it how to.
type walker struct {
	*chain
	ladder Ladder
	scan   Scan
	g      []float64 // log-weights [nats]
	level  int
	visits []int64   // sweeps at each level
	learn  *learning // nil: the weights are fixed
}

func newWalker(c *chain, l Ladder, scan Scan) *walker {
	return &walker{chain: c, ladder: slices.Clone(l), scan: scan,
		g: make([]float64, len(l)), visits: make([]int64, len(l))}
}

// restart is start at level 0 with counts at 0.
func (w *walker) restart(z []uint8, r *rand.Rand) error {
	w.level = 0
	clear(w.visits)
	return w.start(z, r)
}

// swept ends a sweep at the present level: it counts it, learns, and moves.
func (w *walker) swept(r *rand.Rand) {
	w.visits[w.level]++
	if w.learn != nil {
		w.learn.add(w)
	}
	w.move(r)
}

// move proposes level k±1 with probability 1/2 each, out of range meaning stay, and
// accepts with min(1, exp((β_k − β_k')E + g_k − g_k')).
func (w *walker) move(r *rand.Rand) {
	k := w.level + 1
	if r.Float64() < 0.5 {
		k = w.level - 1
	}
	if k < 0 || k == len(w.ladder) {
		return
	}
	if accept((w.ladder[w.level]-w.ladder[k])*w.energy+w.g[w.level]-w.g[k], r) {
		w.level = k
	}
}

// hot is a sweep at the present level, whichever it is, and a move.
func (w *walker) hot(r *rand.Rand) error {
	if err := w.sweep(w.ladder[w.level], w.scan, r); err != nil {
		return err
	}
	w.swept(r)
	return nil
}

// home sweeps until the walker is at level 0 and returns the number of sweeps.
func (w *walker) home(r *rand.Rand) (sweeps int64, err error) {
	for ; w.level != 0; sweeps++ {
		if sweeps == maxAway {
			return sweeps, fmt.Errorf("tempering: not back at β = 1 after %d sweeps: the log-weights %v are far off", sweeps, w.g)
		}
		if err := w.hot(r); err != nil {
			return sweeps, err
		}
	}
	return sweeps, nil
}

// SimulatedOptions configures Simulated.
type SimulatedOptions struct {
	Ladder Ladder // inverse temperatures; required
	// LogWeights are the g_k of all levels [nats]; required. Only differences matter. The
	// best are log Z(β_k), which make all levels equally likely; any are exact.
	LogWeights []float64
	Scan       Scan // default Sequential
	Quantised  bool // run on the fast kernels, see ParallelOptions
}

func (o SimulatedOptions) validate() error {
	if err := errors.Join(o.Ladder.Validate(), checkScan(o.Scan)); err != nil {
		return err
	}
	return checkWeights(o.LogWeights, len(o.Ladder))
}

func checkWeights(g []float64, levels int) error {
	if len(g) != levels {
		return fmt.Errorf("tempering: %d log-weights for %d levels: must be as many", len(g), levels)
	}
	for k, x := range g {
		if !finite(x) {
			return fmt.Errorf("tempering: log-weight of level %d is %v: must be finite", k, x)
		}
	}
	return nil
}

var _ sampling.Sampler = (*Simulated)(nil)

// Simulated is simulated tempering (Marinari and Parisi 1992): one chain that changes
// its temperature as it goes, with joint law
//
//	π(z, k) ∝ exp(−β_k E(z) − g_k).
//
// After every sweep it proposes a neighbouring level. It is a sample of the target while
// at level 0, and only that is reported: Time counts sweeps at β = 1, State is the state
// at level 0, and when the chain returns there the units that differ flip at once, at the
// time it left. An excursion therefore costs no Time, but Cost. One that does not end
// within about 1e6 sweeps is an error, as the weights must be far off.
type Simulated struct {
	core
	w *walker
}

// NewSimulated returns a simulated tempering sampler of m; Reset it before use.
func NewSimulated(m sampling.Model, o SimulatedOptions) (*Simulated, error) {
	if err := errors.Join(checkModel(m), o.validate(), checkQuantised(o.Quantised, m, o.Scan)); err != nil {
		return nil, err
	}
	c, err := newChainOf(m, o.Quantised)
	if err != nil {
		return nil, err
	}
	s := &Simulated{core: newCore(m.Dim()), w: newWalker(c, o.Ladder, o.Scan)}
	copy(s.w.g, o.LogWeights)
	return s, nil
}

// State is the state at level 0: the sampler's own memory, valid until the next Advance.
func (s *Simulated) State() []uint8 { return s.w.z }

// Visits is the number of sweeps made at each level since Reset.
func (s *Simulated) Visits() []int64 { return slices.Clone(s.w.visits) }

// Reset puts the chain at time 0 and level 0 in state start, with all randomness from
// src. A nil start draws each unit as a fair coin. It refuses a start of infinite energy.
func (s *Simulated) Reset(start []uint8, src rand.Source) error {
	r, err := s.reset(src)
	if err != nil {
		return err
	}
	if err := s.w.restart(start, r); err != nil {
		return err
	}
	s.r = r
	return nil
}

// Advance moves the chain until Time reaches t [sweeps at β = 1] or buf has room for
// less than 2N flips. It fails if a log odds is NaN or an excursion does not end; then
// the sampler must be Reset.
func (s *Simulated) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	return s.advance(t, buf, s.step)
}

// step is a sweep at level 0 and the excursion that may follow.
func (s *Simulated) step(flips []sampling.Flip) ([]sampling.Flip, error) {
	return s.temper(flips, s.w)
}

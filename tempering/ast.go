package tempering

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// Mode says whether adaptive simulated tempering goes on adapting while it samples.
type Mode int

const (
	// Frozen adapts first, then samples with fixed weights: exact.
	Frozen Mode = iota
	// Adaptive adapts while it samples, as in the literature. It is biased: the weights
	// follow the free energy of the mode the chain is in, push it out, and so flatten the
	// odds of modes, more so the larger the gain is against the time between switches.
	// Independent runs agree on the wrong odds; compare with Frozen or Parallel.
	Adaptive
)

// String is the name of the mode.
func (m Mode) String() string {
	switch m {
	case Frozen:
		return "frozen"
	case Adaptive:
		return "adaptive"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// ASTOptions configures AST and the fast chain of CAST. The zero value of each field but
// Ladder is its default.
type ASTOptions struct {
	Ladder Ladder  // inverse temperatures; required
	Scan   Scan    // default Sequential
	Mode   Mode    // default Frozen
	Gain   float64 // g0, first gain [nats]; default 1
	Decay  float64 // t0, sweeps after which the gain is halved; default 5000
	Adapt  int64   // sweeps of adaptation if Frozen; default 20·Decay
	// LogWeights are the g_k to begin with [nats]; default 0.
	LogWeights []float64
	Quantised  bool // run on the fast kernels, see ParallelOptions; for CAST both chains
}

func (o ASTOptions) withDefaults() ASTOptions {
	if o.Gain == 0 {
		o.Gain = 1
	}
	if o.Decay == 0 {
		o.Decay = 5000
	}
	if o.Adapt == 0 {
		o.Adapt = int64(min(20*o.Decay, 1<<40))
	}
	if o.LogWeights == nil {
		o.LogWeights = make([]float64, len(o.Ladder))
	}
	return o
}

// validate checks options whose defaults are filled in.
func (o ASTOptions) validate() error {
	errs := []error{o.Ladder.Validate(), checkScan(o.Scan), checkFinite("Gain", o.Gain),
		checkFinite("Decay", o.Decay), checkWeights(o.LogWeights, len(o.Ladder))}
	if o.Mode != Frozen && o.Mode != Adaptive {
		errs = append(errs, fmt.Errorf("tempering: Mode = %v: must be Frozen or Adaptive", o.Mode))
	}
	if o.Adapt < 0 {
		errs = append(errs, fmt.Errorf("tempering: Adapt = %d: must be ≥ 1 (0: default 20·Decay)", o.Adapt))
	}
	return errors.Join(errs...)
}

// learning adapts the log-weights of a walker (Wang and Landau 2001): every sweep at
// level k adds γ_t = g0/(1 + t/t0) to g_k, t the sweeps so far. Falling as 1/t, the gain
// lets g converge (Belardinelli and Pereyra 2007).
type learning struct {
	o   ASTOptions
	t   int64     // sweeps so far
	sum []float64 // of g over the second half of a frozen adaptation
}

func (l *learning) gain() float64 { return l.o.Gain / (1 + float64(l.t)/l.o.Decay) }

func (l *learning) add(w *walker) {
	w.g[w.level] += l.gain()
	l.t++
	if l.o.Mode == Frozen && l.t > l.o.Adapt/2 {
		for k, g := range w.g {
			l.sum[k] += g
		}
	}
}

// adaptive is a walker with the options of its learning.
type adaptive struct {
	*walker
	learned *learning
}

func newAdaptive(c *chain, o ASTOptions) adaptive {
	return adaptive{newWalker(c, o.Ladder, o.Scan), &learning{o: o, sum: make([]float64, len(o.Ladder))}}
}

// restart begins anew, learning included.
func (a adaptive) restart(z []uint8, r *rand.Rand) error {
	copy(a.g, a.learned.o.LogWeights)
	a.learn, a.learned.t = a.learned, 0
	clear(a.learned.sum)
	return a.walker.restart(z, r)
}

// adapting reports whether weights have still to be learned before sampling.
func (a adaptive) adapting() bool { return a.learn != nil && a.learned.o.Mode == Frozen }

// adapt learns the weights, freezes them at their mean over the second half, and leaves
// the walker at level 0. It can be taken up again if ctx ends it.
func (a adaptive) adapt(ctx context.Context, r *rand.Rand, cost *int64) error {
	l := a.learned
	for l.t < l.o.Adapt {
		if l.t%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := a.hot(r); err != nil {
			return err
		}
		*cost++
	}
	for k, sum := range l.sum {
		a.g[k] = sum / float64(l.o.Adapt-l.o.Adapt/2)
	}
	a.learn = nil
	clear(a.visits)
	sweeps, err := a.home(r)
	*cost += sweeps
	return err
}

// weights are the log-weights relative to the last level.
func (a adaptive) weights() []float64 {
	g := slices.Clone(a.g)
	for k := range g {
		g[k] -= a.g[len(g)-1]
	}
	return g
}

var _ sampling.Sampler = (*AST)(nil)

// AST is adaptive simulated tempering (Salakhutdinov 2010): Simulated with log-weights
// learned by the Wang-Landau rule. Time, State and Cost are those of Simulated; the
// adaptation of Frozen mode takes no Time, but Cost.
type AST struct {
	core
	a adaptive
}

// NewAST returns a sampler of m; Reset it before use.
func NewAST(m sampling.Model, o ASTOptions) (*AST, error) {
	o = o.withDefaults()
	if err := errors.Join(checkModel(m), o.validate(), checkQuantised(o.Quantised, m, o.Scan)); err != nil {
		return nil, err
	}
	c, err := newChainOf(m, o.Quantised)
	if err != nil {
		return nil, err
	}
	return &AST{newCore(m.Dim()), newAdaptive(c, o)}, nil
}

// State is the state at level 0: the sampler's own memory, valid until the next Advance.
func (s *AST) State() []uint8 { return s.a.z }

// Visits is the number of sweeps made at each level since Reset or, in Frozen mode, since
// the weights were frozen.
func (s *AST) Visits() []int64 { return slices.Clone(s.a.visits) }

// LogWeights are the g_k at present, relative to the last level [nats]: estimates of
// log Z(β_k) − log Z(β_last).
func (s *AST) LogWeights() []float64 { return s.a.weights() }

// Gain is the present gain γ [nats], 0 once frozen.
func (s *AST) Gain() float64 {
	if s.a.learn == nil {
		return 0
	}
	return s.a.learned.gain()
}

// Reset puts the chain at time 0 and level 0 in state start, forgets what was learned, and
// takes all randomness from src. A nil start draws each unit as a fair coin. It refuses a
// start of infinite energy.
func (s *AST) Reset(start []uint8, src rand.Source) error {
	r, err := s.reset(src)
	if err != nil {
		return err
	}
	if err := s.a.restart(start, r); err != nil {
		return err
	}
	s.r = r
	return nil
}

// Adapt makes the adaptation of Frozen mode after Reset; without it the first Advance
// does, and cannot be cancelled meanwhile. The state changes without flips. If ctx ends it,
// Adapt or Advance goes on with it. It does nothing in Adaptive mode or once frozen.
func (s *AST) Adapt(ctx context.Context) error {
	if s.r == nil {
		return errNotReset
	}
	if !s.a.adapting() {
		return nil
	}
	err := s.a.adapt(ctx, s.r, &s.cost)
	if err != nil && !errors.Is(err, ctx.Err()) {
		s.r = nil
	}
	return err
}

// Advance moves the chain until Time reaches t [sweeps at β = 1] or buf has room for
// less than 2N flips. Its failures are those of Simulated.Advance.
func (s *AST) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	return s.advance(t, buf, s.step)
}

// step is the adaptation, or a sweep at level 0 and the excursion that may follow.
func (s *AST) step(flips []sampling.Flip) ([]sampling.Flip, error) {
	if !s.a.adapting() {
		return s.temper(flips, s.a.walker)
	}
	copy(s.before, s.a.z)
	err := s.a.adapt(context.Background(), s.r, &s.cost)
	return s.jump(flips, s.before, s.a.z), err
}

package tempering

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// CASTOptions configures CAST. The zero value of each field but Fast.Ladder is its default.
type CASTOptions struct {
	Fast ASTOptions // the fast chain; its Scan is also that of the slow one
	// SwapEvery is the number of sweeps between attempts to exchange the chains; default 50.
	SwapEvery int
}

var _ sampling.Sampler = (*CAST)(nil)

// CAST is coupled adaptive simulated tempering (Salakhutdinov 2010) as a sampler: a slow
// chain, a Gibbs sampler at β = 1, beside a fast one, an AST. Both make one sweep per unit
// of Time. Every SwapEvery sweeps they exchange states if the fast chain is at level 0,
// where both have the target law, so the exchange is exact. State is that of the slow
// chain; an exchange flips all units that differ at once. Cost is 2 per sweep, and the
// adaptation of Frozen mode, which takes no Time.
type CAST struct {
	core
	slow      *chain
	fast      adaptive
	swapEvery int64
	swaps     int64
}

// NewCAST returns a sampler of m; Reset it before use.
func NewCAST(m sampling.Model, o CASTOptions) (*CAST, error) {
	o.Fast = o.Fast.withDefaults()
	if o.SwapEvery == 0 {
		o.SwapEvery = 50
	}
	errs := []error{checkModel(m), o.Fast.validate(), checkQuantised(o.Fast.Quantised, m, o.Fast.Scan)}
	if o.SwapEvery < 0 {
		errs = append(errs, fmt.Errorf("tempering: SwapEvery = %d: must be ≥ 1 (0: default 50)", o.SwapEvery))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slow, err := newChainOf(m, o.Fast.Quantised)
	if err != nil {
		return nil, err
	}
	fast, err := newChainOf(m, o.Fast.Quantised)
	if err != nil {
		return nil, err
	}
	return &CAST{core: newCore(m.Dim()), slow: slow, fast: newAdaptive(fast, o.Fast), swapEvery: int64(o.SwapEvery)}, nil
}

// State is the state of the slow chain: the sampler's own memory, valid until the next
// Advance.
func (s *CAST) State() []uint8 { return s.slow.z }

// Swaps is the number of exchanges since Reset.
func (s *CAST) Swaps() int64 { return s.swaps }

// Visits is the number of sweeps of the fast chain at each level since Reset or, in Frozen
// mode, since the weights were frozen.
func (s *CAST) Visits() []int64 { return slices.Clone(s.fast.visits) }

// LogWeights are the g_k of the fast chain at present, relative to the last level [nats].
func (s *CAST) LogWeights() []float64 { return s.fast.weights() }

// Reset puts the slow chain at time 0 in state start and the fast chain in a random one
// (in start if the random one is impossible), forgets what was learned, and takes all
// randomness from src. A nil start draws each unit as a fair coin. It refuses a start of
// infinite energy.
func (s *CAST) Reset(start []uint8, src rand.Source) error {
	r, err := s.reset(src)
	if err != nil {
		return err
	}
	if err := s.slow.start(start, r); err != nil {
		return err
	}
	if s.fast.restart(nil, r) != nil {
		if err := s.fast.restart(s.slow.z, r); err != nil {
			return err
		}
	}
	s.swaps = 0
	s.r = r
	return nil
}

// Adapt makes the adaptation of Frozen mode, as AST.Adapt does. The slow chain rests.
func (s *CAST) Adapt(ctx context.Context) error {
	if s.r == nil {
		return errNotReset
	}
	if !s.fast.adapting() {
		return nil
	}
	err := s.fast.adapt(ctx, s.r, &s.cost)
	if err != nil && !errors.Is(err, ctx.Err()) {
		s.r = nil
	}
	return err
}

// Advance moves both chains until Time reaches t [sweeps] or buf has room for less than 2N
// flips. It fails if a log odds is NaN; then the sampler must be Reset.
func (s *CAST) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	return s.advance(t, buf, s.step)
}

// step is a sweep of both chains, and the exchange where it is due.
func (s *CAST) step(flips []sampling.Flip) ([]sampling.Flip, error) {
	if s.fast.adapting() {
		if err := s.fast.adapt(context.Background(), s.r, &s.cost); err != nil {
			return flips, err
		}
	}
	flips, err := s.coldSweep(flips, s.slow, s.fast.scan)
	if err != nil {
		return flips, err
	}
	if err := s.fast.hot(s.r); err != nil {
		return flips, err
	}
	s.cost++
	if s.time%s.swapEvery == 0 && s.fast.level == 0 {
		s.slow, s.fast.chain = s.fast.chain, s.slow
		s.swaps++
		flips = s.jump(flips, s.fast.z, s.slow.z)
	}
	return flips, nil
}

package tempering

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// TransitionsOptions configures Transitions.
type TransitionsOptions struct {
	Ladder Ladder // inverse temperatures; required
	// Sweeps is the number of sweeps at each level above 0, up and again down; default 1.
	Sweeps int
}

var _ sampling.Sampler = (*Transitions)(nil)

// Transitions is the method of tempered transitions (Neal 1996): after every sweep at
// β = 1 it proposes a large move, up the ladder through levels 1..n with one kernel each
// and down again through n..1. With x̂_i the state before the up-kernel of level i+1 and
// x̌_i the state after the down-kernel of level i+1, the end is accepted with probability
//
//	min(1, exp Σ_{i<n} (β_i − β_{i+1}) (E(x̂_i) − E(x̌_i))).
//
// The kernels must be reversible, so all sweeps are random scans. Time counts sweeps at
// β = 1; an accepted move flips all units that differ at once. Cost is 1 + 2n·Sweeps per
// unit of Time.
type Transitions struct {
	core
	ch, saved *chain
	ladder    Ladder
	sweeps    int
	accepted  int64
}

// NewTransitions returns a tempered-transitions sampler of m; Reset it before use.
func NewTransitions(m sampling.Model, o TransitionsOptions) (*Transitions, error) {
	if o.Sweeps == 0 {
		o.Sweeps = 1
	}
	errs := []error{checkModel(m), o.Ladder.Validate()}
	if o.Sweeps < 0 {
		errs = append(errs, fmt.Errorf("tempering: Sweeps = %d: must be ≥ 1 (0: default 1)", o.Sweeps))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Transitions{core: newCore(m.Dim()), ch: newChain(m), saved: newChain(m),
		ladder: slices.Clone(o.Ladder), sweeps: o.Sweeps}, nil
}

// State is the state at β = 1: the sampler's own memory, valid until the next Advance.
func (s *Transitions) State() []uint8 { return s.ch.z }

// Acceptance is the share of proposals accepted since Reset, NaN before the first.
func (s *Transitions) Acceptance() float64 {
	if s.time == 0 {
		return math.NaN()
	}
	return float64(s.accepted) / float64(s.time)
}

// Reset puts the chain at time 0 in state start, with all randomness from src. A nil start
// draws each unit as a fair coin. It refuses a start of infinite energy.
func (s *Transitions) Reset(start []uint8, src rand.Source) error {
	r, err := s.reset(src)
	if err != nil {
		return err
	}
	if err := s.ch.start(start, r); err != nil {
		return err
	}
	s.accepted = 0
	s.r = r
	return nil
}

// Advance moves the chain until Time reaches t [sweeps at β = 1] or buf has room for
// less than 2N flips. It fails if a log odds is NaN; then the sampler must be Reset.
func (s *Transitions) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	return s.advance(t, buf, s.step)
}

// step is a sweep at β = 1 and a tempered transition.
func (s *Transitions) step(flips []sampling.Flip) ([]sampling.Flip, error) {
	flips, err := s.coldSweep(flips, s.ch, Random)
	if err != nil {
		return flips, err
	}
	s.saved.copyFrom(s.ch)
	logRatio, err := s.propose()
	if err != nil {
		return flips, err
	}
	if !accept(logRatio, s.r) {
		s.ch, s.saved = s.saved, s.ch
		return flips, nil
	}
	s.accepted++
	return s.jump(flips, s.saved.z, s.ch.z), nil
}

// propose goes up the ladder and down, and returns the log of the acceptance ratio.
func (s *Transitions) propose() (logRatio float64, err error) {
	n := len(s.ladder) - 1
	for i := range n {
		logRatio += (s.ladder[i] - s.ladder[i+1]) * s.ch.energy
		if err := s.level(i + 1); err != nil {
			return 0, err
		}
	}
	for i := n - 1; i >= 0; i-- {
		if err := s.level(i + 1); err != nil {
			return 0, err
		}
		logRatio -= (s.ladder[i] - s.ladder[i+1]) * s.ch.energy
	}
	return logRatio, nil
}

// level applies the kernel of level k.
func (s *Transitions) level(k int) error {
	for range s.sweeps {
		if err := s.ch.sweep(s.ladder[k], Random, s.r); err != nil {
			return err
		}
		s.cost++
	}
	return nil
}

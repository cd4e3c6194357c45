package sampling

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// RealSampler moves B independent chains through ℝⁿ in lockstep, so that the drift of all is
// one matrix product. A chain depends on its start and its source alone. It is not safe for
// concurrent use.
type RealSampler interface {
	// Dim is the number n of variables of a chain.
	Dim() int
	// Chains is the number B of chains.
	Chains() int
	// Reset puts all chains at time 0. start is B×n by rows; nil lets the sampler choose. Chain
	// b draws from src[b].
	Reset(start []float64, src []rand.Source) error
	// State is the state of all chains at Time, B×n by rows. It is the sampler's own memory:
	// valid until the next Advance, not to be changed.
	State() []float64
	// Time is the time since Reset [ms].
	Time() float64
	// Advance moves all chains to the first step at or after t.
	Advance(t float64) error
}

// RealRecorder sees the states of a RealSampler now and then.
type RealRecorder interface {
	// RecordReal takes the states at time t, chains×n by rows. It must not keep the slice.
	RecordReal(t float64, x []float64, chains int) error
}

// RealSchedule says how long a RealSampler runs and when it is recorded [ms].
type RealSchedule struct {
	Warmup   float64 // time run before recording starts, ≥ 0
	Duration float64 // time recorded, > 0
	Every    float64 // time between recorded states, > 0; the first is at Warmup + Every

	OnProgress func(Progress) // called after every recorded state
}

// RunReal advances s through the warm-up, then through the recorded time, telling rec. It
// continues from where s is, so s must have been Reset. When ctx ends it stops soon and
// returns ctx's error; the recorders then hold what was recorded so far.
func RunReal(ctx context.Context, s RealSampler, sch RealSchedule, rec ...RealRecorder) error {
	if err := (Schedule{Warmup: sch.Warmup, Duration: sch.Duration}).Validate(); err != nil {
		return err
	}
	if !(sch.Every > 0) || math.IsInf(sch.Every, 0) {
		return fmt.Errorf("sampling: Every = %v: must be finite and > 0", sch.Every)
	}
	n := math.Floor(sch.Duration/sch.Every*(1+1e-12) + 1e-12)
	if n < 1 {
		return errors.New("sampling: Every is longer than Duration: no state would be recorded")
	}
	// The sum may lie a rounding error behind the step that is meant; the step after it would be one
	// too many.
	t0 := s.Time()
	advance := func(t float64) error { return s.Advance((t0 + t) * (1 - 1e-12)) }
	// The warm-up is cut up too, so that a long one can be cancelled.
	steps := math.Ceil(sch.Warmup / sch.Every)
	for i := 1.0; i <= steps; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := advance(sch.Warmup * (i / steps)); err != nil {
			return err
		}
	}
	for i := 1.0; i <= n; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := advance(sch.Warmup + i*sch.Every); err != nil {
			return err
		}
		for _, r := range rec {
			if err := r.RecordReal(s.Time(), s.State(), s.Chains()); err != nil {
				return err
			}
		}
		if sch.OnProgress != nil {
			sch.OnProgress(Progress{Time: s.Time() - t0, Total: sch.Warmup + sch.Duration})
		}
	}
	return nil
}

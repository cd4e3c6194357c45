package sampling

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Schedule says how long a chain runs, in the sampler's unit of time ([ms] or [sweeps]).
type Schedule struct {
	Warmup   float64 // time run before recording starts, ≥ 0
	Duration float64 // time recorded, > 0

	// OnProgress, if set, is told how far the run is. Run calls it from its own
	// goroutine after every chunk, Chains at most ten times a second from one goroutine.
	OnProgress func(Progress)
}

// Progress is how far a run is, summed over chains and including warm-up.
type Progress struct {
	Time, Total float64
}

// Validate reports what is wrong with the schedule.
func (s Schedule) Validate() error {
	var errs []error
	if !(s.Warmup >= 0) || math.IsInf(s.Warmup, 0) {
		errs = append(errs, fmt.Errorf("sampling: Warmup = %v: must be finite and ≥ 0", s.Warmup))
	}
	if !(s.Duration > 0) || math.IsInf(s.Duration, 0) {
		errs = append(errs, fmt.Errorf("sampling: Duration = %v: must be finite and > 0", s.Duration))
	}
	return errors.Join(errs...)
}

// A run is cut into parts, between which it looks at its context: a thousandth of it, at
// most chunk in the sampler's time. The cut is part of the result through rounding in
// estimators, so it depends on the length only.
const (
	parts = 1000
	chunk = 1000
)

// Run advances s through the warm-up, then through the recorded time, telling rec.
// It continues from where s is, so s must have been Reset. When ctx ends it stops soon
// and returns ctx's error; the recorders then hold what was recorded so far.
func Run(ctx context.Context, s Sampler, sch Schedule, rec ...Recorder) error {
	if err := sch.Validate(); err != nil {
		return err
	}
	t0 := s.Time()
	buf := make([]Flip, 0, max(4096, 2*s.Dim()))
	total := sch.Warmup + sch.Duration
	report := func() {
		if sch.OnProgress != nil {
			sch.OnProgress(Progress{Time: s.Time() - t0, Total: total})
		}
	}
	// advance moves s from its time to end in chunks of a fixed grid.
	advance := func(from, length float64, rec []Recorder) error {
		n := math.Max(parts, math.Ceil(length/chunk))
		for c := 1.0; c <= n; c++ {
			target := from + length*(c/n)
			for s.Time() < target {
				if err := ctx.Err(); err != nil {
					return err
				}
				before := s.Time()
				flips, err := s.Advance(target, buf)
				if err != nil {
					return err
				}
				if len(flips) == 0 && s.Time() <= before {
					return fmt.Errorf("sampling: sampler stuck at time %v", before)
				}
				for _, r := range rec {
					r.Record(flips, s.Time())
				}
			}
			report()
		}
		return nil
	}
	if sch.Warmup > 0 {
		if err := advance(t0, sch.Warmup, nil); err != nil {
			return err
		}
	}
	start := s.Time()
	for _, r := range rec {
		if err := r.Begin(start, s.State()); err != nil {
			return err
		}
	}
	return advance(start, sch.Duration, rec)
}

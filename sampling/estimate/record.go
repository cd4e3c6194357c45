package estimate

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

// ErrNoTime says that an estimate was asked of a recorder that has recorded no time (or,
// for variables, none in which they were defined).
var ErrNoTime = errors.New("estimate: no time recorded")

// notBegun is what Record panics with when no stretch is open: time without a state.
const notBegun = "estimate: Record before Begin"

var (
	_ sampling.Estimator[*Marginals] = (*Marginals)(nil)
	_ sampling.Estimator[*Moments]   = (*Moments)(nil)
	_ sampling.Estimator[*Joint]     = (*Joint)(nil)
	_ sampling.Estimator[*Values]    = (*Values)(nil)
	_ sampling.Estimator[*Curve]     = (*Curve)(nil)
	_ sampling.Estimator[*Modes]     = (*Modes)(nil)
)

// checkBegin reports an error unless t is finite and z is a state of n units.
func checkBegin(t float64, z []uint8, n int) error {
	if n < 1 {
		return fmt.Errorf("estimate: recorder of %d units: must be at least 1", n)
	}
	if math.IsNaN(t) || math.IsInf(t, 0) {
		return fmt.Errorf("estimate: stretch begins at time %v: must be finite", t)
	}
	if err := sampling.CheckState(z, n); err != nil {
		return fmt.Errorf("estimate: %w", err)
	}
	return nil
}

// checkUnits reports an error unless the units are distinct and ≥ 0.
func checkUnits(units []int) error {
	seen := make(map[int]bool, len(units))
	for i, u := range units {
		if u < 0 {
			return fmt.Errorf("estimate: unit %d of the list is %d: must be ≥ 0", i, u)
		}
		if seen[u] {
			return fmt.Errorf("estimate: unit %d is listed twice", u)
		}
		seen[u] = true
	}
	return nil
}

// checkTimes reports an error unless all times of a decoded record are finite and ≥ 0.
func checkTimes(what string, x ...float64) error {
	for i, v := range x {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("estimate: %s %d is %v: must be finite and ≥ 0", what, i, v)
		}
	}
	return nil
}

// checkMerge reports an error if other cannot be merged into e at all.
func checkMerge[E any](e, other *E) error {
	if other == nil {
		return errors.New("estimate: merge of nil")
	}
	if e == other {
		return errors.New("estimate: merge of a recorder with itself: its time would count twice")
	}
	return nil
}

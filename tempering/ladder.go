package tempering

import (
	"errors"
	"fmt"
	"math"
)

// Ladder is a list of inverse temperatures β_0 > β_1 > … ≥ 0 (dimensionless) with β_0 = 1,
// the target, first.
type Ladder []float64

// Validate reports what is wrong with the ladder: fewer than two levels, a first level
// that is not 1, a level that is not finite or negative, or one that does not fall.
func (l Ladder) Validate() error {
	if len(l) < 2 {
		return fmt.Errorf("tempering: ladder has %d levels: must have at least 2", len(l))
	}
	var errs []error
	if l[0] != 1 {
		errs = append(errs, fmt.Errorf("tempering: ladder begins at β = %v: must begin at 1, the target", l[0]))
	}
	for k, b := range l {
		switch {
		case !finite(b) || b < 0:
			errs = append(errs, fmt.Errorf("tempering: level %d of the ladder is %v: must be finite and ≥ 0", k, b))
		case k > 0 && b >= l[k-1]:
			errs = append(errs, fmt.Errorf("tempering: levels %d and %d of the ladder are %v and %v: must fall strictly", k-1, k, l[k-1], b))
		}
	}
	return errors.Join(errs...)
}

// Linear returns k ≥ 2 levels equally spaced from 1 down to lowest, in [0, 1).
func Linear(k int, lowest float64) (Ladder, error) {
	if err := checkSpan(k, lowest); err != nil {
		return nil, err
	}
	return spaced(k, lowest, func(x float64) float64 { return 1 - x*(1-lowest) })
}

// Geometric returns k ≥ 2 levels of constant ratio from 1 down to lowest, in (0, 1).
func Geometric(k int, lowest float64) (Ladder, error) {
	if err := checkSpan(k, lowest); err != nil {
		return nil, err
	}
	if lowest == 0 {
		return nil, errors.New("tempering: geometric ladder down to β = 0: must end above 0")
	}
	return spaced(k, lowest, func(x float64) float64 { return math.Pow(lowest, x) })
}

func checkSpan(k int, lowest float64) error {
	if k < 2 || k > maxLevels {
		return fmt.Errorf("tempering: ladder of %d levels: must have 2 to %d", k, maxLevels)
	}
	if !(lowest >= 0 && lowest < 1) {
		return fmt.Errorf("tempering: ladder down to β = %v: must end in [0, 1)", lowest)
	}
	return nil
}

// maxLevels bounds a ladder that is made from a number.
const maxLevels = 1 << 16

// spaced returns the levels f(0), …, f(1). It fails where rounding makes two of them equal.
func spaced(k int, lowest float64, f func(x float64) float64) (Ladder, error) {
	l := make(Ladder, k)
	for i := range l {
		l[i] = f(float64(i) / float64(k-1))
	}
	l[0], l[k-1] = 1, lowest
	return l, l.Validate()
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

package estimate

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// ErrConstant says that a diagnostic does not exist because all draws are equal. The
// number that comes with it is NaN.
var ErrConstant = errors.New("estimate: all draws are equal")

// minDraws is the least number of draws per chain of a diagnostic: two for each half.
const minDraws = 4

// checkSeries reports an error unless series holds chains of one length ≥ least with
// finite draws that are not all equal (ErrConstant).
func checkSeries(series [][]float64, least int) error {
	if len(series) == 0 {
		return errors.New("estimate: series has no chains: must have at least one")
	}
	n := len(series[0])
	if n < least {
		return fmt.Errorf("estimate: chain 0 has %d draws: must have at least %d", n, least)
	}
	constant := true
	for c, chain := range series {
		if len(chain) != n {
			return fmt.Errorf("estimate: chain %d has %d draws, chain 0 has %d: must be equal", c, len(chain), n)
		}
		for i, x := range chain {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("estimate: draw %d of chain %d is %v: must be finite", i, c, x)
			}
			constant = constant && x == series[0][0]
		}
	}
	if constant {
		return ErrConstant
	}
	return nil
}

// split returns the halves of every chain as views; an odd middle draw is left out.
func split(series [][]float64) [][]float64 {
	var halves [][]float64
	for _, x := range series {
		h := len(x) / 2
		halves = append(halves, x[:h], x[len(x)-h:])
	}
	return halves
}

// meanVariance is the mean and unbiased variance of x; of equal draws exactly (x[0], 0), so
// that rounding does not hide that they are equal.
func meanVariance(x []float64) (mean, variance float64) {
	for _, v := range x {
		if v != x[0] {
			return stat.MeanVariance(x, nil)
		}
	}
	return x[0], 0
}

// mapped returns f of every draw.
func mapped(series [][]float64, f func(float64) float64) [][]float64 {
	out := make([][]float64, len(series))
	for c, chain := range series {
		out[c] = make([]float64, len(chain))
		for i, x := range chain {
			out[c][i] = f(x)
		}
	}
	return out
}

// pool returns all draws in one slice.
func pool(series [][]float64) []float64 {
	var all []float64
	for _, chain := range series {
		all = append(all, chain...)
	}
	return all
}

package estimate

import (
	"errors"
	"math"
	"slices"

	"github.com/montanaflynn/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// Rhat is the rank-normalised split R-hat of series [chain][draw], the larger of the bulk
// and the folded one (Vehtari et al. 2021, sec. 4.1). Values above 1.01 say that the
// chains disagree. It is +Inf if every half of a chain is constant but not all are equal,
// and NaN with ErrConstant if all draws are equal. Chains must have one length ≥ 4 and
// finite draws.
func Rhat(series [][]float64) (float64, error) {
	bulk, folded, err := RhatParts(series)
	if err != nil || math.IsNaN(folded) {
		return bulk, err
	}
	return max(bulk, folded), nil
}

// RhatParts returns the two parts of Rhat: bulk compares the locations of the chains,
// folded, the R-hat of the distances from the median, their scales. folded is NaN if all
// draws have the same distance from the median, as those of a fair coin; Rhat is then the
// bulk part alone.
func RhatParts(series [][]float64) (bulk, folded float64, err error) {
	if err := checkSeries(series, minDraws); err != nil {
		return math.NaN(), math.NaN(), err
	}
	bulk, err = splitRhat(rankNormalise(split(series)))
	if err != nil {
		return math.NaN(), math.NaN(), err // an odd middle draw was the only different one
	}
	median, err := stats.Median(pool(series))
	if err != nil {
		return math.NaN(), math.NaN(), err
	}
	distance := mapped(series, func(x float64) float64 { return math.Abs(x - median) })
	folded, err = splitRhat(rankNormalise(split(distance)))
	if err != nil && !errors.Is(err, ErrConstant) {
		return math.NaN(), math.NaN(), err
	}
	return bulk, folded, nil
}

// splitRhat is the potential scale reduction of chains that are already split,
// √(((n-1)/n·W + B/n)/W).
func splitRhat(chains [][]float64) (float64, error) {
	n := float64(len(chains[0]))
	means := make([]float64, len(chains))
	within := 0.0
	for c, x := range chains {
		var v float64
		means[c], v = meanVariance(x)
		within += v
	}
	within /= float64(len(chains))
	_, between := meanVariance(means) // B/n
	if within == 0 {
		if between == 0 {
			return math.NaN(), ErrConstant
		}
		return math.Inf(1), nil
	}
	return math.Sqrt((n-1)/n + between/within), nil
}

// rankNormalise replaces every draw by Φ⁻¹((r-3/8)/(S+1/4)), r its rank among all S draws
// of all chains, equal draws sharing their average rank.
func rankNormalise(series [][]float64) [][]float64 {
	type draw struct {
		x    float64
		c, i int
	}
	var order []draw
	out := make([][]float64, len(series))
	for c, chain := range series {
		out[c] = make([]float64, len(chain))
		for i, x := range chain {
			order = append(order, draw{x, c, i})
		}
	}
	slices.SortFunc(order, func(a, b draw) int {
		if a.x < b.x {
			return -1
		} else if a.x > b.x {
			return 1
		}
		return 0
	})
	s := float64(len(order))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && order[hi].x == order[lo].x {
			hi++
		}
		rank := float64(lo+1+hi) / 2
		z := distuv.UnitNormal.Quantile((rank - 3./8) / (s + 1./4))
		for _, d := range order[lo:hi] {
			out[d.c][d.i] = z
		}
		lo = hi
	}
	return out
}

package estimate

import (
	"errors"
	"math"

	"github.com/montanaflynn/stats"
	"gonum.org/v1/gonum/stat"
)

// ESSBulk is the effective sample size of series [chain][draw] for its centre: S/τ of the
// rank-normalised split chains (Vehtari et al. 2021, sec. 4.2). Chains must have one
// length ≥ 4 and finite draws; NaN with ErrConstant if all draws are equal.
func ESSBulk(series [][]float64) (float64, error) {
	if err := checkSeries(series, minDraws); err != nil {
		return math.NaN(), err
	}
	return ess(rankNormalise(split(series)))
}

// ESSTail is the smaller of the effective sample sizes of the indicators x ≤ q_5% and
// x ≤ q_95% on split chains (Vehtari et al. 2021, sec. 4.3), with quantiles of type 7
// (Hyndman and Fan 1996) over all draws. An indicator that is the same for all draws, as
// one of a binary variable is, does not count. Requirements as for ESSBulk; NaN with
// ErrConstant if both indicators are constant.
func ESSTail(series [][]float64) (float64, error) {
	if err := checkSeries(series, minDraws); err != nil {
		return math.NaN(), err
	}
	all := pool(series)
	least := math.NaN()
	for _, percent := range []float64{5, 95} {
		q, err := stats.Percentile(all, percent)
		if err != nil {
			return math.NaN(), err
		}
		e, err := ess(split(mapped(series, func(x float64) float64 {
			if x <= q {
				return 1
			}
			return 0
		})))
		if errors.Is(err, ErrConstant) {
			continue
		} else if err != nil {
			return math.NaN(), err
		}
		if math.IsNaN(least) || e < least {
			least = e
		}
	}
	if math.IsNaN(least) {
		return least, ErrConstant
	}
	return least, nil
}

// ESSMean is the effective sample size of series [chain][draw] for its mean: S/τ of the
// split chains, unranked. Requirements as for ESSBulk.
func ESSMean(series [][]float64) (float64, error) {
	if err := checkSeries(series, minDraws); err != nil {
		return math.NaN(), err
	}
	return ess(split(series))
}

// MCSE is the Monte-Carlo standard error of the mean of all draws, sd/√ESSMean.
// Requirements as for ESSBulk.
func MCSE(series [][]float64) (float64, error) {
	e, err := ESSMean(series)
	if err != nil {
		return math.NaN(), err
	}
	return stat.StdDev(pool(series), nil) / math.Sqrt(e), nil
}

// ess is the number of draws over their autocorrelation time.
func ess(chains [][]float64) (float64, error) {
	tau, err := iact(chains)
	return float64(len(chains)*len(chains[0])) / tau, err
}

package boltzmann

import (
	"errors"
	"fmt"
	"math"
)

// AISOptions configures AIS and ReverseAIS. The zero value is the default.
type AISOptions struct {
	// Levels is the number K of steps of the linear schedule β_k = k/K. Default 1000.
	Levels int
	// Betas, if set, is the schedule instead: strictly increasing from 0 to 1. Levels
	// must then be 0.
	Betas []float64
	// Chains is the number M of independent chains (AIS only: reverse AIS has one for
	// each start). Default 100.
	Chains int
	// Base are the biases b0 (nv) of the visible units at β = 0, for instance
	// BaseBiases(data), which brings the base closer to the target. Default zero.
	Base []float64
	// Quantised anneals 16 chains at a time with the kernels of FastChains, and estimates
	// log Z of the machine that Quantise makes of r. Its energies are within
	// Σ|ΔW| + Σ|Δb| of those of r, in practice within a few √N·Grid, and so is log Z.
	Quantised bool
	// Seed: chain c draws from rng.Stream(Seed, "ais", c).
	Seed uint64
	// Parallel is the number of chains run at a time; default GOMAXPROCS. It never
	// changes the result.
	Parallel int
}

// defaults of AISOptions.
const (
	defaultLevels = 1000
	defaultChains = 100
)

// betas validates the options for r and returns the schedule.
func (o AISOptions) betas(r *RBM) ([]float64, error) {
	var errs []error
	if o.Levels < 0 {
		errs = append(errs, fmt.Errorf("boltzmann: AIS: Levels = %d: must be ≥ 1 (0: default %d)", o.Levels, defaultLevels))
	}
	if o.Chains < 0 {
		errs = append(errs, fmt.Errorf("boltzmann: AIS: Chains = %d: must be ≥ 1 (0: default %d)", o.Chains, defaultChains))
	}
	if o.Parallel < 0 {
		errs = append(errs, fmt.Errorf("boltzmann: AIS: Parallel = %d: must be ≥ 1 (0: GOMAXPROCS)", o.Parallel))
	}
	if o.Base != nil && len(o.Base) != r.Visible() {
		errs = append(errs, fmt.Errorf("boltzmann: AIS: Base has %d biases: must have %d, one for each visible unit", len(o.Base), r.Visible()))
	}
	size := 0.0
	for i, b := range o.Base {
		size += math.Abs(b)
		if !finite(size) {
			errs = append(errs, fmt.Errorf("boltzmann: AIS: Base[%d] = %v: must be finite, and so the sum of all", i, b))
			break
		}
	}
	if o.Betas != nil {
		if o.Levels != 0 {
			errs = append(errs, fmt.Errorf("boltzmann: AIS: both Levels = %d and Betas are set: must be one of them", o.Levels))
		}
		if err := checkSchedule(o.Betas); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if o.Betas != nil {
		return o.Betas, nil
	}
	k := o.Levels
	if k == 0 {
		k = defaultLevels
	}
	betas := make([]float64, k+1)
	for i := range betas {
		betas[i] = float64(i) / float64(k)
	}
	return betas, nil
}

// checkSchedule refuses betas that do not increase strictly from 0 to 1.
func checkSchedule(betas []float64) error {
	if n := len(betas); n < 2 || betas[0] != 0 || betas[n-1] != 1 {
		return fmt.Errorf("boltzmann: AIS: Betas = %v: must go from 0 to 1", abbreviated(betas))
	}
	for i, b := range betas[1:] {
		if !(b > betas[i]) {
			return fmt.Errorf("boltzmann: AIS: Betas[%d] = %v after %v: must increase strictly", i+1, b, betas[i])
		}
	}
	return nil
}

// abbreviated is x for an error message.
func abbreviated(x []float64) string {
	if len(x) <= 4 {
		return fmt.Sprint(x)
	}
	return fmt.Sprintf("[%v %v … %v]", x[0], x[1], x[len(x)-1])
}

// BaseBiases returns the log odds of each visible unit's rate in the data, for
// AISOptions.Base and as a start of training: log p/(1−p) with p clipped to [0.01, 0.99].
func BaseBiases(data [][]uint8) ([]float64, error) {
	if len(data) == 0 || len(data[0]) == 0 {
		return nil, errors.New("boltzmann: BaseBiases: no data: must have at least one state of at least one unit")
	}
	n := len(data[0])
	b := make([]float64, n)
	for i, v := range data {
		if len(v) != n {
			return nil, fmt.Errorf("boltzmann: BaseBiases: data[%d] has %d units, data[0] has %d: must be the same", i, len(v), n)
		}
		for k, on := range v {
			if on > 1 {
				return nil, fmt.Errorf("boltzmann: BaseBiases: data[%d][%d] is %d: must be 0 or 1", i, k, on)
			}
			b[k] += float64(on)
		}
	}
	for k, on := range b {
		p := min(max(on/float64(len(data)), 0.01), 0.99)
		b[k] = math.Log(p / (1 - p))
	}
	return b, nil
}

// AISResult is an estimate of log Z.
type AISResult struct {
	LogZ     float64   // estimate of log Z [nats]
	SE       float64   // its standard error (delta method), NaN for one chain; it knows nothing of weights never seen
	SDLogW   float64   // standard deviation of log w over chains, NaN for one chain; above 1 to 2 the estimate is poor
	ESS      float64   // effective number of chains, (Σw)²/Σw², in 1..M
	LogW     []float64 // log weights of the M chains [nats]
	LogZBase float64   // log Z at β = 0, exact [nats]
	Reverse  bool      // from ReverseAIS
}

// Bound is the bound on log Z that holds with probability ≥ 1 − delta, by Markov's
// inequality on the mean weight: a lower bound, log Z ≥ LogZ + log delta, from AIS; an
// upper bound, log Z ≤ LogZ − log delta, from ReverseAIS if its starts were exact.
// delta is in (0, 1]; 1 gives LogZ itself, a bound in expectation only.
func (a *AISResult) Bound(delta float64) (float64, error) {
	if !(delta > 0 && delta <= 1) {
		return 0, fmt.Errorf("boltzmann: AIS: Bound: delta = %v: must be in (0, 1]", delta)
	}
	if a.Reverse {
		return a.LogZ - math.Log(delta), nil
	}
	return a.LogZ + math.Log(delta), nil
}

// newAISResult reads the estimate off the log weights.
func newAISResult(logW []float64, base float64, reverse bool) AISResult {
	m := float64(len(logW))
	top := math.Inf(-1)
	for _, x := range logW {
		top = max(top, x)
	}
	var sum, sum2, mean float64
	for _, x := range logW {
		w := math.Exp(x - top)
		sum += w
		sum2 += w * w
		mean += x / m
	}
	ss := 0.0
	for _, x := range logW {
		ss += (x - mean) * (x - mean)
	}
	ratio := top + math.Log(sum/m)
	if reverse {
		ratio = -ratio
	}
	// The relative variance of the mean weight, (Σw²/Σw² − 1/M)·M/(M−1), is that of exp(LogZ).
	return AISResult{
		LogZ: base + ratio, LogZBase: base, LogW: logW, Reverse: reverse,
		SE:     math.Sqrt(max(0, sum2/(sum*sum)-1/m) * m / (m - 1)),
		SDLogW: math.Sqrt(ss / (m - 1)),
		ESS:    sum * sum / sum2,
	}
}

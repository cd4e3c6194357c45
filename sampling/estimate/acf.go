package estimate

import (
	"fmt"
	"math"
	"math/bits"

	"gonum.org/v1/gonum/dsp/fourier"
)

// ACF is the autocorrelation of x at lags 0..maxLag, by FFT in O(n log n). The
// autocovariance at lag t is (1/n) Σ_i (x_i - x̄)(x_{i+t} - x̄), the biased estimator, so
// the sequence is positive definite. Needs 0 ≤ maxLag < len(x) and finite x; ErrConstant
// if all x are equal.
func ACF(x []float64, maxLag int) ([]float64, error) {
	if err := checkSeries([][]float64{x}, 1); err != nil {
		return nil, err
	}
	if maxLag < 0 || maxLag >= len(x) {
		return nil, fmt.Errorf("estimate: maxLag = %d: must be in 0..%d", maxLag, len(x)-1)
	}
	acov := newCovariances(len(x)).of(x)
	rho := make([]float64, maxLag+1)
	for t := range rho {
		rho[t] = acov[t] / acov[0]
	}
	return rho, nil
}

// IACT is the integrated autocorrelation time of series [chain][draw], 1 + 2 Σ_t ρ_t, in
// draws, by Geyer's initial monotone sequence: S draws are worth S/IACT independent ones.
// ρ_t is the autocorrelation over all chains (Vehtari et al. 2021, eq. 10), so chains that
// disagree count as correlated. It is at least 1/log10 S. Chains are taken whole and
// unranked; they must have one length ≥ 4 and finite draws. ErrConstant if all are equal.
func IACT(series [][]float64) (float64, error) {
	if err := checkSeries(series, minDraws); err != nil {
		return math.NaN(), err
	}
	return iact(series)
}

// iact is the autocorrelation time of chains of one length.
func iact(chains [][]float64) (float64, error) {
	m, n := len(chains), len(chains[0])
	acov := make([]float64, n) // mean over chains
	means := make([]float64, m)
	cov := newCovariances(n)
	for c, x := range chains {
		means[c], _ = meanVariance(x)
		for t, v := range cov.of(x) {
			acov[t] += v / float64(m)
		}
	}
	within := acov[0] * float64(n) / float64(n-1)
	total := acov[0]
	if m > 1 {
		_, between := meanVariance(means)
		total += between
	}
	if total == 0 {
		return math.NaN(), ErrConstant
	}
	rho := func(t int) float64 { return 1 - (within-acov[t])/total }

	// Sums of neighbouring pairs of lags are positive and fall for a reversible chain:
	// stop at the first that is not positive, and never let one exceed the last.
	// The last lags have almost no terms and are not used: the sum ends 5 before the last,
	// where the reference implementation (R package posterior) ends.
	pair := 1 + rho(1)
	tau := 2*pair - 1
	t := 2
	for ; t < n-5; t += 2 {
		next := rho(t) + rho(t+1)
		if next <= 0 {
			break
		}
		pair = min(pair, next)
		tau += 2 * pair
	}
	// Half of the first pair that was not used: its even lag, if positive.
	if t < n {
		tau += max(0, rho(t))
	}
	return max(tau, 1/math.Log10(float64(m*n))), nil
}

// covariances computes autocovariances of series of one length.
type covariances struct {
	fft  *fourier.FFT
	n    int
	pad  []float64 // zero padded, so that the cyclic convolution does not wrap
	freq []complex128
}

func newCovariances(n int) *covariances {
	size := 1 << bits.Len(uint(2*n-1))
	return &covariances{fft: fourier.NewFFT(size), n: n,
		pad: make([]float64, size), freq: make([]complex128, size/2+1)}
}

// of returns the autocovariances of x at lags 0..n-1, valid until the next call.
func (c *covariances) of(x []float64) []float64 {
	mean, _ := meanVariance(x)
	clear(c.pad)
	for i, v := range x {
		c.pad[i] = v - mean
	}
	c.fft.Coefficients(c.freq, c.pad)
	for i, f := range c.freq {
		re, im := real(f), imag(f)
		c.freq[i] = complex(re*re+im*im, 0)
	}
	c.fft.Sequence(c.pad, c.freq)
	for t := range c.n {
		c.pad[t] /= float64(len(c.pad)) * float64(c.n) // Sequence is not normalised
	}
	return c.pad[:c.n]
}

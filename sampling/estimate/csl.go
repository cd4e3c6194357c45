package estimate

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

// CSL is the conservative sampling-based log-likelihood of test states (Bengio, Yao and Cho
// 2013, arXiv 1311.6184) of a model whose visible units are independent given the hidden
// ones: with S hidden states h sampled from the model,
//
//	p(x) = (1/S) Σ_s Π_i p(x_i|h_s).
//
// logits[s][i] is the log odds of x_i = 1 given hidden state s (b + W h of a restricted
// machine), ±Inf allowed. By Jensen's inequality the mean over sets of samples is at most the
// true log-likelihood, so a sampler that misses a mode scores low. A test state costs O(S·d).
func CSL(logits [][]float64, test [][]uint8) (Likelihood, error) {
	none := Likelihood{Mean: math.NaN(), SE: math.NaN()}
	if len(logits) == 0 || len(logits[0]) == 0 {
		return none, errors.New("estimate: CSL of no samples: must have at least one of at least one unit")
	}
	if len(test) == 0 {
		return none, errors.New("estimate: CSL of no test states: must have at least one")
	}
	d := len(logits[0])
	for s, u := range logits {
		if len(u) != d {
			return none, fmt.Errorf("estimate: CSL: sample %d has %d log odds, sample 0 has %d: must be equal", s, len(u), d)
		}
		for i, v := range u {
			if math.IsNaN(v) {
				return none, fmt.Errorf("estimate: CSL: log odds of unit %d given sample %d is NaN", i, s)
			}
		}
	}
	logp := make([]float64, len(test))
	for i, x := range test {
		if err := sampling.CheckState(x, d); err != nil {
			return none, fmt.Errorf("estimate: CSL: test state %d: %w", i, err)
		}
		top, sum := math.Inf(-1), 0.0
		for _, u := range logits {
			l := logConditional(x, u)
			if l > top {
				sum = sum*math.Exp(top-l) + 1
				top = l
			} else if l > math.Inf(-1) {
				sum += math.Exp(l - top)
			}
		}
		logp[i] = top + math.Log(sum/float64(len(logits)))
		if math.IsInf(top, -1) {
			logp[i] = top
		}
	}
	return newLikelihood(logp), nil
}

// logConditional is Σ_i log p(x_i) of units with log odds u: −log(1 + exp(∓u_i)).
func logConditional(x []uint8, u []float64) float64 {
	l := 0.0
	for i, v := range u {
		if x[i] == 1 {
			v = -v
		}
		// −softplus(v), without overflow.
		l -= max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
	}
	return l
}

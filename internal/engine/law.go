package engine

import (
	"math"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// oneSource is the mean number of events per step and the weight of sources that all have
// the same weight; ok is false if they do not.
func oneSource(src []dynamics.Poisson, dt, weight float64) (mean, w float64, ok bool) {
	for _, p := range src {
		if p.Rate == 0 || p.Weight == 0 {
			continue
		}
		if weight != 0 && p.Weight != weight {
			return 0, 0, false
		}
		weight = p.Weight
		mean += p.Rate * dt / 1000
	}
	return mean, weight, mean <= 10
}

// resolution is the probability that an alias table may leave out.
const resolution = 1.0 / (1 << 32)

// poisson is the law of a Poisson count, far beyond what is kept of it.
func poisson(mean float64) []float64 {
	p := make([]float64, 64)
	p[0] = math.Exp(-mean)
	for k := 1; k < len(p); k++ {
		p[k] = p[k-1] * mean / float64(k)
	}
	return p
}

// normalise divides p by its sum and reports whether what it lacked can be left out.
func normalise(p []float64) bool {
	sum := 0.0
	for _, x := range p {
		sum += x
	}
	for i := range p {
		p[i] /= sum
	}
	return 1-sum <= resolution
}

// countLaws are the laws of the numbers of events of the receptors in a step, both 0 to 15
// or 0 to 31, and the weights of an event.
func countLaws(c *Config) (exc, inh []float64, wE, wI float64, ok bool) {
	meanE, wE, okE := oneSource(c.NoiseE, c.Dt, 0)
	meanI, wI, okI := oneSource(c.NoiseI, c.Dt, 0)
	if !okE || !okI {
		return nil, nil, 0, 0, false
	}
	for _, outcomes := range []int{16, 32} {
		exc, inh = poisson(meanE)[:outcomes], poisson(meanI)[:outcomes]
		if okE, okI := normalise(exc), normalise(inh); okE && okI {
			return exc, inh, wE, wI, true
		}
	}
	return nil, nil, 0, 0, false
}

// netLaw is the law of the excitatory minus the inhibitory events in a step, for an alias
// table of 16 or else 32 columns, if all have the same weight.
func netLaw(c *Config) (law []float64, weight float64, ok bool) {
	meanE, weight, ok := oneSource(c.NoiseE, c.Dt, 0)
	if !ok {
		return nil, 0, false
	}
	meanI, weight, ok := oneSource(c.NoiseI, c.Dt, weight)
	if !ok {
		return nil, 0, false
	}
	exc, inh := poisson(meanE), poisson(meanI)
	for _, outcomes := range []int{16, 32} {
		law = make([]float64, outcomes)
		for i := range law {
			for k, p := range inh {
				if e := k + i - outcomes/2; e >= 0 && e < len(exc) {
					law[i] += exc[e] * p
				}
			}
		}
		if normalise(law) {
			return law, weight, true
		}
	}
	return nil, 0, false
}

package dream

import (
	"math"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// MinRun is the number of samples that a class has to last to count as visited.
const MinRun = 3

// Runs are the visits of a chain of classes: the class of every run of MinRun samples or
// more that is another than the one before, and the sample at which it begins.
func Runs(classes []uint8) (class []uint8, at []int) {
	length := 0
	for i, c := range classes {
		if i > 0 && c == classes[i-1] {
			length++
		} else {
			length = 1
		}
		if length == MinRun && (len(class) == 0 || class[len(class)-1] != c) {
			class, at = append(class, c), append(at, i-MinRun+1)
		}
	}
	return class, at
}

// Shares are the shares of samples in each of n classes.
func Shares(classes []uint8, n int) []float64 {
	p := make([]float64, n)
	for _, c := range classes {
		p[c]++
	}
	for k := range p {
		p[k] /= float64(len(classes))
	}
	return p
}

// Entropy is −Σ p log p [nats].
func Entropy(p []float64) float64 {
	h := 0.0
	for _, x := range p {
		if x > 0 {
			h -= x * math.Log(x)
		}
	}
	return h
}

// Pixels are the first n units of states.
func Pixels(states [][]uint8, n int) [][]uint8 {
	out := make([][]uint8, len(states))
	for i, z := range states {
		out[i] = z[:n:n]
	}
	return out
}

// Images are test images with a name for them.
type Images struct {
	Name   string
	Pixels [][]uint8
}

// ISL is the indirect sampling likelihood of the images given samples of pixels, with the
// usual β; NaN without samples.
func (t Images) ISL(samples [][]uint8) (float64, error) {
	if len(samples) == 0 {
		return math.NaN(), nil
	}
	k, err := estimate.NewISL(samples)
	if err != nil {
		return math.NaN(), err
	}
	l, err := k.Score(t.Pixels, 0)
	return l.Mean, err
}

// Ink is the mean number of units on in samples of pixels, relative to the images.
func (t Images) Ink(samples [][]uint8) float64 {
	on := func(z [][]uint8) float64 {
		n := 0
		for _, x := range z {
			for _, v := range x {
				n += int(v)
			}
		}
		return float64(n) / float64(len(z))
	}
	return on(samples) / on(t.Pixels)
}

// Marks are the numbers of samples at which the ISL is looked at: 1, 2 and 5 times powers of
// ten from 10 on, and n itself.
func Marks(n int) []int {
	var at []int
	for ten := 10; ten <= n; ten *= 10 {
		for _, k := range []int{1, 2, 5} {
			if k*ten < n {
				at = append(at, k*ten)
			}
		}
	}
	return append(at, n)
}

// within is the number of samples that cost at most as much as the budget allows, by a
// currency.
func (c *Chain) within(budget float64, currency func(compare.Cost) float64) int {
	n := 0
	for n < len(c.Spent) && currency(c.Spent[n]) <= budget*(1+1e-9) {
		n++
	}
	return n
}

// Evenly is a choice of n of the states, evenly spread and with the last; all if there are
// no more.
func Evenly(states [][]uint8, n int) [][]uint8 {
	if len(states) <= n {
		return states
	}
	out := make([][]uint8, n)
	for i := range out {
		out[i] = states[(i+1)*len(states)/n-1]
	}
	return out
}

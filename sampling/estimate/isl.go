package estimate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/sampling"
)

// Likelihood is the log-likelihood of test states under a density made of samples.
type Likelihood struct {
	Mean float64 // over the test states [nats per state]
	SE   float64 // its standard error over test states; it does not know the error of the samples
	N    int     // test states
}

// String is "-84.7 ± 0.3 (1000 states)".
func (l Likelihood) String() string {
	return fmt.Sprintf("%.4g ± %.2g (%d states)", l.Mean, l.SE, l.N)
}

func newLikelihood(logp []float64) Likelihood {
	l := Likelihood{N: len(logp), SE: math.NaN()}
	var variance float64
	l.Mean, variance = meanVariance(logp)
	if len(logp) > 1 {
		l.SE = stat.StdErr(math.Sqrt(variance), float64(len(logp)))
	}
	return l
}

// ISL is the indirect sampling likelihood of binary states of d units (Breuleux, Bengio and
// Vincent 2011, Neural Comput. 23:2058): a Bernoulli kernel around each of S samples,
//
//	p(x) = (1/S) Σ_s β^(d−h) (1−β)^h,   h the Hamming distance of x and sample s.
//
// It looks at samples only, so any sampler can be scored. Small β rewards blur, and it
// grows with S: compare at equal S and β. Samples are packed into bits, and a test state costs
// O(S·d/64) once, whatever the number of β.
type ISL struct {
	d       int
	words   int
	samples []uint64 // [sample·words + word]
}

// NewISL takes the samples, at least one, of at least one unit.
func NewISL(samples [][]uint8) (*ISL, error) {
	if len(samples) == 0 || len(samples[0]) == 0 {
		return nil, errors.New("estimate: ISL of no samples: must have at least one of at least one unit")
	}
	k := &ISL{d: len(samples[0]), words: (len(samples[0]) + 63) / 64}
	k.samples = make([]uint64, 0, len(samples)*k.words)
	for i, z := range samples {
		if err := sampling.CheckState(z, k.d); err != nil {
			return nil, fmt.Errorf("estimate: ISL: sample %d: %w", i, err)
		}
		k.samples = appendPacked(k.samples, z)
	}
	return k, nil
}

// appendPacked appends the bits of z in whole words.
func appendPacked(words []uint64, z []uint8) []uint64 {
	for ; len(z) > 0; z = z[min(64, len(z)):] {
		w := uint64(0)
		for i := 0; i < min(64, len(z)); i += 8 {
			var eight [8]uint8
			copy(eight[:], z[i:min(64, len(z))])
			// The multiplication gathers the lowest bits of eight bytes in the highest byte.
			w |= binary.LittleEndian.Uint64(eight[:]) * 0x0102040810204080 >> 56 << i
		}
		words = append(words, w)
	}
	return words
}

// histograms are, of every test state, the numbers of samples by Hamming distance 0..d.
func (k *ISL) histograms(test [][]uint8) ([][]int32, error) {
	if len(test) == 0 {
		return nil, errors.New("estimate: ISL of no test states: must have at least one")
	}
	out := make([][]int32, len(test))
	var x []uint64
	for i, z := range test {
		if err := sampling.CheckState(z, k.d); err != nil {
			return nil, fmt.Errorf("estimate: ISL: test state %d: %w", i, err)
		}
		x = appendPacked(x[:0], z)
		out[i] = make([]int32, k.d+1)
		k.count(out[i], x)
	}
	return out, nil
}

// count adds to hist the Hamming distances of the packed state x to all samples.
func (k *ISL) count(hist []int32, x []uint64) {
	for s := 0; s < len(k.samples); s += len(x) {
		h := 0
		for w, y := range k.samples[s : s+len(x)] {
			h += bits.OnesCount64(x[w] ^ y)
		}
		hist[h]++
	}
}

// logDensity is log p(x) for a histogram of distances.
func (k *ISL) logDensity(hist []int32, beta float64) float64 {
	on, off := math.Log(beta), math.Log1p(-beta)
	top := math.Inf(-1)
	for h, n := range hist {
		if n > 0 {
			top = max(top, k.exponent(h, on, off))
		}
	}
	sum, total := 0.0, 0.0
	for h, n := range hist {
		if n > 0 {
			sum += float64(n) * math.Exp(k.exponent(h, on, off)-top)
			total += float64(n)
		}
	}
	return top + math.Log(sum/total)
}

func (k *ISL) exponent(h int, on, off float64) float64 {
	return float64(k.d-h)*on + float64(h)*off
}

// DefaultBeta is the usual β of an ISL.
const DefaultBeta = 0.95

// Score is the log-likelihood of the test states for β in (0, 1), 0 meaning DefaultBeta.
func (k *ISL) Score(test [][]uint8, beta float64) (Likelihood, error) {
	if beta == 0 {
		beta = DefaultBeta
	}
	if !(beta > 0 && beta < 1) {
		return Likelihood{Mean: math.NaN(), SE: math.NaN()}, fmt.Errorf("estimate: ISL: beta = %v: must be in (0, 1) (0: default %v)", beta, DefaultBeta)
	}
	hists, err := k.histograms(test)
	if err != nil {
		return Likelihood{Mean: math.NaN(), SE: math.NaN()}, err
	}
	logp := make([]float64, len(hists))
	for i, h := range hists {
		logp[i] = k.logDensity(h, beta)
	}
	return newLikelihood(logp), nil
}

// Fit is the β in [½, 1) of the highest likelihood of held-out states, which must not be the
// test states. It ends at 1−1e−6 where all held-out states are samples.
func (k *ISL) Fit(heldOut [][]uint8) (beta float64, err error) {
	hists, err := k.histograms(heldOut)
	if err != nil {
		return math.NaN(), err
	}
	score := func(logit float64) float64 {
		beta, sum := 1/(1+math.Exp(-logit)), 0.0
		for _, h := range hists {
			sum += k.logDensity(h, beta)
		}
		return sum
	}
	// The best of a grid in the logit, and a golden section search around it.
	const points = 57 // 0, ¼, …, 14
	best, at := math.Inf(-1), 0
	for i := range points {
		if v := score(float64(i) / 4); v > best {
			best, at = v, i
		}
	}
	lo, hi := max(0, float64(at-1)/4), min(13.815510557, float64(at+1)/4)
	lo = min(lo, hi)
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := score(a), score(b)
	for range 40 {
		if fa > fb {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = score(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = score(b)
		}
	}
	return 1 / (1 + math.Exp(-(lo+hi)/2)), nil
}

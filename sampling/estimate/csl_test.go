package estimate_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestCSL: with hidden states drawn from the exact law of a restricted machine, the density
// of every visible state is unbiased, and the log-likelihood is that of the definition and,
// on average over sets of samples, at most the exact one.
func TestCSL(t *testing.T) {
	const nv, nh, samples = 6, 4, 4000
	m, err := models.RBMS(nv, nh, 1)
	if err != nil {
		t.Fatal(err)
	}
	logZ, err := m.LogZ()
	if err != nil {
		t.Fatal(err)
	}
	p, err := boltzmann.Joint(m) // visible units first
	if err != nil {
		t.Fatal(err)
	}
	hidden := make([]float64, 1<<nh)
	for s, x := range p {
		hidden[s>>nv] += x
	}
	given := make([][]float64, len(hidden)) // log odds of the visible units
	pv := make([]float64, nv)
	for s := range given {
		h := make([]uint8, nh)
		for j := range h {
			h[j] = uint8(s >> j & 1)
		}
		m.GivenHidden(pv, h)
		for _, x := range pv {
			given[s] = append(given[s], math.Log(x/(1-x)))
		}
	}
	var test [][]uint8
	exact := make([]float64, 1<<nv)
	for s := range exact {
		v := make([]uint8, nv)
		for i := range v {
			v[i] = uint8(s >> i & 1)
		}
		test = append(test, v)
		l, err := m.LogLikelihood(logZ, v)
		if err != nil {
			t.Fatal(err)
		}
		exact[s] = math.Exp(l)
	}
	r := rand.New(rng.Stream(5, "csl"))
	var logits [][]float64
	for range samples {
		x, s := r.Float64(), 0
		for ; s+1 < len(hidden) && x >= hidden[s]; s++ {
			x -= hidden[s]
		}
		logits = append(logits, given[s])
	}
	for s, v := range test {
		l, err := estimate.CSL(logits, [][]uint8{v})
		if err != nil {
			t.Fatal(err)
		}
		mean, square := 0.0, 0.0
		for _, u := range logits {
			q := 1.0
			for i, x := range u {
				q /= 1 + math.Exp(x*(1-2*float64(v[i])))
			}
			mean += q / samples
			square += q * q / samples
		}
		if math.Abs(math.Exp(l.Mean)-mean) > 1e-12 {
			t.Errorf("state %v: density %v, by definition %v", v, math.Exp(l.Mean), mean)
		}
		// 64 states: |z| < 4.5 fails by chance with probability 4e-4.
		if z := (mean - exact[s]) / math.Sqrt((square-mean*mean)/samples); math.Abs(z) > 4.5 {
			t.Errorf("state %v: density %v, exact %v, z = %.1f", v, mean, exact[s], z)
		}
	}
	// Sets of 10 samples: the mean over 400 sets is below the exact value.
	sum, square, want := 0.0, 0.0, 0.0
	for _, x := range exact {
		want += math.Log(x) / float64(len(exact))
	}
	for i := 0; i < samples; i += 10 {
		l, err := estimate.CSL(logits[i:i+10], test)
		if err != nil {
			t.Fatal(err)
		}
		sum += l.Mean / (samples / 10)
		square += l.Mean * l.Mean / (samples / 10)
	}
	if se := math.Sqrt((square - sum*sum) / (samples / 10)); !(sum < want-4.5*se) {
		t.Errorf("mean over sets of samples %v ± %v, exact %v: must be clearly below", sum, se, want)
	}
}

func TestCSLEdges(t *testing.T) {
	inf := math.Inf(1)
	state := func(z ...uint8) [][]uint8 { return [][]uint8{z} }
	for _, tc := range []struct {
		logits [][]float64
		x      []uint8
		want   float64
	}{
		{[][]float64{{inf, -inf}}, []uint8{1, 0}, 0}, {[][]float64{{inf, -inf}}, []uint8{1, 1}, -inf},
		{[][]float64{{-inf}, {inf}, {0}}, []uint8{1}, math.Log(.5)}, {[][]float64{{800}, {-800}}, []uint8{1}, -math.Ln2},
		{[][]float64{{-800}, {-801}}, []uint8{1}, -800 + math.Log((1+math.Exp(-1))/2)},
	} {
		if l, err := estimate.CSL(tc.logits, [][]uint8{tc.x}); err != nil || !(l.Mean == tc.want || math.Abs(l.Mean-tc.want) < 1e-9) {
			t.Errorf("%v of %v: %v, %v: want %v", tc.x, tc.logits, l.Mean, err, tc.want)
		}
	}
	for i, bad := range []struct {
		logits [][]float64
		test   [][]uint8
	}{
		{nil, state(1)}, {[][]float64{{}}, state(1)}, {[][]float64{{1}}, nil}, {[][]float64{{1}}, state(1, 0)}, {[][]float64{{1}}, state(2)},
		{[][]float64{{1}, {1, 2}}, state(1)}, {[][]float64{{math.NaN()}}, state(1)},
	} {
		if l, err := estimate.CSL(bad.logits, bad.test); err == nil || !strings.HasPrefix(err.Error(), "estimate: ") || !math.IsNaN(l.Mean) {
			t.Errorf("case %d: %v, %v", i, l, err)
		}
	}
}

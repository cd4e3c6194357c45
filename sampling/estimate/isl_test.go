package estimate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestISLFixed: boltzmann-baselines 5.9.
func TestISLFixed(t *testing.T) {
	k := must(NewISL([][]uint8{{0, 0, 1, 1}, {0, 1, 1, 1}, {1, 0, 0, 0}}))
	test := [][]uint8{{0, 0, 1, 1}, {1, 1, 1, 1}}
	for beta, want := range map[float64]float64{.95: -2.7233283529, .8: -2.4305837811, 0: -2.7233283529} {
		l, err := k.Score(test, beta)
		if err != nil || math.Abs(l.Mean-want) > 1e-9 || l.N != 2 {
			t.Errorf("beta %v: %v, %v: want %v", beta, l, err, want)
		}
	}
	l := must(k.Score(test, 0))
	a, b := must(k.Score(test[:1], 0)), must(k.Score(test[1:], 0))
	if want := math.Abs(a.Mean-b.Mean) / 2; math.Abs(l.SE-want) > 1e-12 || !math.IsNaN(a.SE) {
		t.Errorf("standard error %v of two and %v of one, want %v and NaN", l.SE, a.SE, want)
	}
	if want := "-2.723 ± 1.5 (2 states)"; l.String() != want {
		t.Errorf("%q, want %q", l.String(), want)
	}
}

// TestISLNaive: packed states of any size have the density of the definition.
func TestISLNaive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.IntRange(1, 200).Draw(rt, "d")
		beta := rapid.Float64Range(.01, .99).Draw(rt, "beta")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		samples, test := randomStates(r, 1+r.IntN(5), d), randomStates(r, 1+r.IntN(3), d)
		mean := 0.0
		for _, x := range test {
			p := 0.0
			for _, z := range samples {
				q := 1.0
				for i := range z {
					if z[i] == x[i] {
						q *= beta
					} else {
						q *= 1 - beta
					}
				}
				p += q / float64(len(samples))
			}
			mean += math.Log(p) / float64(len(test))
		}
		l := must(must(NewISL(samples)).Score(test, beta))
		if !math.IsInf(mean, -1) && math.Abs(l.Mean-mean) > 1e-9*(1+math.Abs(mean)) {
			rt.Fatalf("%v, want %v", l.Mean, mean)
		}
	})
	// Far from underflow: 5000 units that all differ.
	zeros, ones := [][]uint8{make([]uint8, 5000)}, [][]uint8{make([]uint8, 5000)}
	for i := range ones[0] {
		ones[0][i] = 1
	}
	if l := must(must(NewISL(zeros)).Score(ones, .95)); math.Abs(l.Mean-5000*math.Log(.05)) > 1e-8 {
		t.Errorf("%v, want %v", l.Mean, 5000*math.Log(.05))
	}
}

func randomStates(r *rand.Rand, n, d int) [][]uint8 {
	z := make([][]uint8, n)
	for i := range z {
		z[i] = make([]uint8, d)
		for k := range z[i] {
			z[i][k] = uint8(r.IntN(2))
		}
	}
	return z
}

// TestISLFit: with one sample the best β is the share of equal units, and no β of a grid is
// better than the fitted one for many.
func TestISLFit(t *testing.T) {
	r := rand.New(rng.Stream(4, "isl"))
	held := randomStates(r, 1, 100)
	sample := append([]uint8(nil), held[0]...)
	for i := range 13 {
		sample[7*i] ^= 1
	}
	if beta := must(must(NewISL([][]uint8{sample})).Fit(held)); math.Abs(beta-.87) > 1e-6 {
		t.Errorf("β %v, exact .87", beta)
	}
	if beta := must(must(NewISL(held)).Fit(held)); !(beta > .999998 && beta < 1) {
		t.Errorf("β %v where the held-out state is the sample, want 1−1e−6", beta)
	}
	far := append([]uint8(nil), held[0]...)
	for i := range 80 {
		far[i] ^= 1
	}
	if beta := must(must(NewISL([][]uint8{far})).Fit(held)); math.Abs(beta-.5) > 1e-6 {
		t.Errorf("β %v of a sample worse than chance, want ½", beta)
	}
	k := must(NewISL(randomStates(r, 50, 20)))
	many := randomStates(r, 30, 20)
	beta := must(k.Fit(many))
	best := must(k.Score(many, beta)).Mean
	for b := .5; b < 1; b += .001 {
		if l := must(k.Score(many, b)).Mean; l > best+1e-9 {
			t.Errorf("β %v has %v, the fitted %v has %v", b, l, beta, best)
		}
	}
}

func TestISLRefuses(t *testing.T) {
	k := must(NewISL([][]uint8{{0, 1}}))
	score := func(test [][]uint8, beta float64) error { _, err := k.Score(test, beta); return err }
	fit := func(test [][]uint8) error { _, err := k.Fit(test); return err }
	build := func(z [][]uint8) error { _, err := NewISL(z); return err }
	nan := math.NaN()
	for i, err := range []error{
		build(nil), build([][]uint8{{}}), build([][]uint8{{0, 1}, {1}}), build([][]uint8{{2}}),
		score(nil, .9), score([][]uint8{{0}}, .9), score([][]uint8{{0, 2}}, .9), fit(nil), fit([][]uint8{{1}}),
		score([][]uint8{{0, 1}}, 1), score([][]uint8{{0, 1}}, -.1), score([][]uint8{{0, 1}}, nan),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "estimate: ") {
			t.Errorf("case %d: error %v", i, err)
		}
	}
}

func BenchmarkISL(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	k := must(NewISL(randomStates(r, 10000, 144)))
	test := randomStates(r, 10, 144)
	for b.Loop() {
		if _, err := k.Score(test, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e5, "ns/pair")
}

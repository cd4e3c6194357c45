package boltzmann

import (
	"fmt"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// BenchmarkEnumerate is the time for all 2^N states.
func BenchmarkEnumerate(b *testing.B) {
	for _, n := range []int{10, 20} {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
			m := REF(n)
			for b.Loop() {
				if _, err := Enumerate(m); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(int(1)<<n), "ns/state")
		})
	}
}

// benchmarkGibbs is the time of one visit.
func benchmarkGibbs(b *testing.B, m sampling.Model, o GibbsOptions) {
	g, err := NewGibbs(m, o)
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Reset(nil, rng.Stream(1, "bench")); err != nil {
		b.Fatal(err)
	}
	n := float64(g.Dim())
	buf := make([]sampling.Flip, 0, 4096)
	b.ReportAllocs()
	visits := 0
	for b.Loop() {
		if _, err := g.Advance(g.Time()+1024/n, buf); err != nil {
			b.Fatal(err)
		}
		visits += 1024
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(visits), "ns/update")
}

// BenchmarkGibbsExact is Gibbs, in double precision.
func BenchmarkGibbsExact(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		m := scaled(n)
		b.Run(fmt.Sprintf("bm-%d", n), func(b *testing.B) { benchmarkGibbs(b, m, GibbsOptions{}) })
		b.Run(fmt.Sprintf("bm-%d/random", n), func(b *testing.B) { benchmarkGibbs(b, m, GibbsOptions{Scan: Random}) })
	}
	h := chain(b, 100)
	b.Run("third-order-100", func(b *testing.B) { benchmarkGibbs(b, h, GibbsOptions{}) })
}

// BenchmarkHigherOrderFlipped is the time of one flip in a machine of 100 units and 98
// third-order terms.
func BenchmarkHigherOrderFlipped(b *testing.B) {
	h := chain(b, 100)
	z := make([]uint8, h.Dim())
	u := make([]float64, h.Dim())
	h.Logits(u, z)
	b.ReportAllocs()
	k := 0
	for b.Loop() {
		z[k] ^= 1
		h.Flipped(u, z, k)
		if k++; k == len(z) {
			k = 0
		}
	}
}

// scaled is REF with couplings of the order 1/√n, so that its units keep flipping.
func scaled(n int) *Machine {
	m := REF(n)
	for i := range m.w {
		m.w[i] *= 3 / float64(n)
	}
	return m
}

// chain has a third-order term for every three neighbours.
func chain(tb testing.TB, n int) *HigherOrder {
	var terms []Term
	for k := 2; k < n; k++ {
		terms = append(terms, Term{[]int{k - 2, k - 1, k}, 1 - 2*float64(k%2)})
	}
	h, err := NewHigherOrder(n, terms)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

package boltzmann

import (
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// BenchmarkBlockGibbs is the time of one draw of one unit, machine of 784 visible and 500
// hidden units, half of them on.
func BenchmarkBlockGibbs(b *testing.B) {
	g, err := NewBlockGibbs(drawLayered(b, 1, .1, 784, 500), BlockGibbsOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Reset(nil, rng.Stream(1, "bench")); err != nil {
		b.Fatal(err)
	}
	buf := make([]sampling.Flip, 0, 4096)
	b.ReportAllocs()
	sweeps := 0
	for b.Loop() {
		if _, err := g.Advance(g.Time()+1, buf); err != nil {
			b.Fatal(err)
		}
		sweeps++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sweeps*g.Dim()), "ns/update")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(sweeps), "us/sweep")
}

// BenchmarkLogZ is the time of one state of 12 listed and 100 summed units.
func BenchmarkLogZ(b *testing.B) {
	m := drawLayered(b, 1, .5, 100, 12)
	for b.Loop() {
		if _, err := m.LogZ(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<12), "ns/state")
}

package ensemble

import (
	"fmt"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// BenchmarkAdvance is a second of biological time; the metric is how many of them pass in
// one of wall time. An ensemble of 100 networks of 20 units must be above 1.
func BenchmarkAdvance(b *testing.B) {
	for _, c := range []struct{ m, n, k int }{{15, 4, 20}, {100, 6, 30}, {100, 20, 30}, {100, 20, 100}} {
		b.Run(fmt.Sprintf("%dx%d/K=%d", c.m, c.n, 2*c.k), func(b *testing.B) {
			e := must(New(betaMachines(1, c.m, c.n), Options{KExc: c.k, KInh: c.k, Wiring: rng.Stream(1, "wiring")}))
			if err := e.Reset(nil, rng.Stream(1, "kick")); err != nil {
				b.Fatal(err)
			}
			buf := make([]sampling.Flip, 0, 1<<16)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				for t := float64(i+1) * 1000; e.Time() < t; {
					if _, err := e.Advance(t, buf); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bio_s/s")
		})
	}
}

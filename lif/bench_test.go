package lif

import (
	"math"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// BenchmarkTimeToKL is the CPU time until D(sampled‖target) of a network of 10 units has
// come within 1e-3 of where it converges to, here after 4e7 ms: speed that is not bought
// with a wrong distribution. An iteration is one chain.
func BenchmarkTimeToKL(b *testing.B) {
	m := boltzmann.REF(10)
	exact, err := boltzmann.Joint(m)
	if err != nil {
		b.Fatal(err)
	}
	times, err := estimate.LogTimes(1e5, 2e7, 40)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("dense-10", func(b *testing.B) {
		smp, err := NewSampler(m, TutorialCUBA(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		curve := func(seed int, times []float64) (d []float64, cpu time.Duration) {
			if err := smp.Reset(nil, rng.Stream(1, "time to KL", seed)); err != nil {
				b.Fatal(err)
			}
			c, err := estimate.NewCurve(exact, times, identity(10)...)
			if err != nil {
				b.Fatal(err)
			}
			before, _ := cli.CPU()
			if err := sampling.Run(b.Context(), smp, sampling.Schedule{Warmup: 100, Duration: times[len(times)-1]}, c); err != nil {
				b.Fatal(err)
			}
			after, _ := cli.CPU()
			return c.PerChain()[0], after - before
		}
		d, _ := curve(0, []float64{4e7})
		limit := d[0]
		var bio, cpu float64
		b.ResetTimer()
		for i := range b.N {
			d, t := curve(i+1, times)
			at := times[len(times)-1]
			for k := len(d) - 1; k >= 0 && math.Abs(d[k]-limit) < 1e-3; k-- {
				at = times[k] // since when it stays there
			}
			bio += at
			cpu += t.Seconds() * at / times[len(times)-1]
		}
		b.ReportMetric(bio/float64(b.N)/1000, "bio-s")
		b.ReportMetric(cpu/float64(b.N)*1000, "cpu-ms")
		b.ReportMetric(limit, "D")
		b.ReportMetric(0, "ns/op")
	})
}

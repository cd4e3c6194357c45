//go:build unix

package tempering

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// cpuTime is the CPU time of this process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTempering is a scan of 20 replicas of 784 + 500 units, weights N(0, 0.05), biases
// −2 and −1.
func BenchmarkTempering(b *testing.B) {
	r := rand.New(rng.Stream(3, "rbm784"))
	w := mat.NewDense(784, 500, nil)
	w.Apply(func(int, int, float64) float64 { return .05 * r.NormFloat64() }, w)
	bias, c := make([]float64, 784), make([]float64, 500)
	for i := range bias {
		bias[i] = -2
	}
	for j := range c {
		c[j] = -1
	}
	m := must(boltzmann.NewRBM(w, bias, c))
	for _, quantised := range []bool{true, false} {
		name := map[bool]string{true: "quantised", false: "exact"}[quantised]
		b.Run("784x500x20rungs/"+name, func(b *testing.B) {
			p := must(NewParallel(m, ParallelOptions{Ladder: must(Linear(20, .5)), Quantised: quantised}))
			if err := p.Reset(nil, rng.Stream(1, "bench")); err != nil {
				b.Fatal(err)
			}
			buf := make([]sampling.Flip, 0, 2*m.Dim())
			if _, err := p.Advance(5, buf); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				if _, err := p.Advance(p.Time()+1, buf); err != nil {
					b.Fatal(err)
				}
			}
			spent := float64(cpuTime(b)-start) / float64(b.N)
			b.ReportMetric(spent/1000, "cpu-us/scan")
			b.ReportMetric(spent/20/float64(m.Dim()), "cpu-ns/update")
		})
	}
}

//go:build unix

package engine

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// cpu is the CPU time of this process. That of one thread would be wrong when a
// goroutine moves between threads.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perNeuronStep times f(steps) and reports CPU time per neuron and step.
func perNeuronStep(b *testing.B, neurons int, f func(steps int)) {
	f(1000) // warm
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu(b)
	f(b.N)
	b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/float64(neurons), "cpu-ns/neuron-step")
}

// BenchmarkLIF is a step of a whole network with spikes delivered and recorded, by network,
// background rate and code path.
func BenchmarkLIF(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		for _, rate := range []float64{400, 5000} {
			for _, p := range kernel.Paths() {
				b.Run(fmt.Sprintf("dense-%d/%gHz/%v", n, rate, p), func(b *testing.B) {
					f := fast(b, common(n, rate), p)
					f.Reset(nil, rng.Stream(1, "bench"))
					buf := make([]sampling.Flip, 0, 1<<14)
					perNeuronStep(b, n, func(steps int) {
						for to := f.step + int64(steps); f.step < to; {
							f.Run(to, buf[:0])
						}
					})
				})
			}
		}
	}
}

// BenchmarkLIFCOBA is BenchmarkLIF for conductance-based neurons.
func BenchmarkLIFCOBA(b *testing.B) {
	const n = 100
	for _, p := range kernel.Paths() {
		b.Run(fmt.Sprintf("dense-%d/3kHz/%v", n, p), func(b *testing.B) {
			f := fast(b, conductances(common(n, 3000)), p)
			f.Reset(nil, rng.Stream(1, "bench"))
			buf := make([]sampling.Flip, 0, 1<<14)
			perNeuronStep(b, n, func(steps int) {
				for to := f.step + int64(steps); f.step < to; {
					f.Run(to, buf[:0])
				}
			})
		})
	}
}

// BenchmarkDouble is the double-precision engine on the same networks.
func BenchmarkDouble(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("dense-%d/400Hz", n), func(b *testing.B) {
			e, err := New(common(n, 400))
			if err != nil {
				b.Fatal(err)
			}
			e.Reset(nil, rng.Stream(1, "bench"))
			buf := make([]sampling.Flip, 0, 1<<14)
			perNeuronStep(b, n, func(steps int) {
				for to := e.step + int64(steps); e.step < to; {
					e.Run(to, buf[:0])
				}
			})
		})
	}
}

// BenchmarkTextbook is the baseline.
func BenchmarkTextbook(b *testing.B) {
	b.Run("dense-100", func(b *testing.B) {
		t := NewTextbook(common(100, 400), rand.NewPCG(1, 2))
		perNeuronStep(b, 100, t.Run)
		b.ReportMetric(float64(t.Spikes)/100/(float64(t.step)*1e-4), "Hz")
	})
}

// BenchmarkFloor is the kernel without the noise: what a step costs at least.
func BenchmarkFloor(b *testing.B) {
	b.Run("112", func(b *testing.B) {
		p := kernel.Paths()[len(kernel.Paths())-1]
		f := fast(b, common(112, 400), p)
		f.Reset(nil, rng.Stream(1, "floor"))
		perNeuronStep(b, 112, func(steps int) { f.Floor(int64(steps)) })
	})
}

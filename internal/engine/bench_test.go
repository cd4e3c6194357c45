//go:build unix

package engine

import (
	"fmt"
	"math"
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

// BenchmarkTextbook is the honest baseline: the loop one writes first, in scalar double
// precision, with two Poisson draws by inversion, refractory counters, exact propagators
// and renewing synapses. It only counts spikes.
func BenchmarkTextbook(b *testing.B) {
	const n = 100
	b.Run("dense-100", func(b *testing.B) {
		c := common(n, 400)
		u, cur := make([]float64, n), make([]float64, n)
		left, last := make([]int, n), make([]int, n)
		copy(u, c.Rest)
		var fired, before []int
		pm, ps := math.Exp(-0.1), math.Exp(-0.01)
		k := 1.0 / 0.2 * (10 * 1 / (10.0 - 1)) * (ps - pm)
		p0 := math.Exp(-0.04)
		src := rand.NewPCG(1, 2) // as fast as a textbook has it
		uniform := func() float64 { return float64(src.Uint64()>>11) / (1 << 53) }
		poisson := func() (n float64) {
			x, p, cdf := uniform(), p0, p0
			for x > cdf && n < 30 {
				n++
				p *= 0.04 / n
				cdf += p
			}
			return n
		}
		step, count := 0, 0
		perNeuronStep(b, n, func(steps int) {
			for range steps {
				step++
				before, fired = fired, before[:0]
				for i := range u {
					if left[i] > 0 {
						left[i]--
					} else {
						u[i] = c.Rest[i] + (u[i]-c.Rest[i])*pm + cur[i]*k
						if u[i] >= c.Theta {
							u[i], left[i] = c.Reset, c.Refractory
							fired = append(fired, i)
							count++
						}
					}
					cur[i] = cur[i]*ps + 0.001*poisson() - 0.001*poisson()
				}
				for _, j := range before {
					f := 1 - math.Exp(-float64(step-last[j])*0.01)
					last[j] = step
					for i := range cur {
						cur[i] += f * c.Weights[j*n+i]
					}
				}
			}
		})
		b.ReportMetric(float64(count)/float64(n)/(float64(step)*1e-4), "Hz")
	})
}

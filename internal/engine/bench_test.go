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

// bench measures a step of a whole network, with spikes delivered and recorded. The metric
// is per neuron of all copies, and "sim-s/cpu-s" the simulated seconds of all copies.
func bench(b *testing.B, c Config, p kernel.Path) {
	f := fast(b, c, p)
	f.Reset(nil, rng.Stream(1, "bench"))
	buf := make([]sampling.Flip, 0, max(1<<14, 4*c.units()))
	start := cpu(b)
	perNeuronStep(b, c.units(), func(steps int) {
		for to := f.step + int64(steps); f.step < to; {
			f.Run(to, buf[:0])
		}
	})
	b.ReportMetric(float64(b.N)*c.Dt/1000*float64(c.copies())/(cpu(b)-start).Seconds(), "sim-s/cpu-s")
	if a := testing.AllocsPerRun(1, func() { f.Run(f.step+100, buf[:0]) }); a != 0 {
		b.Errorf("%v allocations in 100 steps", a)
	}
}

// onPaths runs a benchmark on every code path.
func onPaths(b *testing.B, name string, c Config) {
	for _, p := range kernel.Paths() {
		b.Run(name+"/"+p.String(), func(b *testing.B) { bench(b, c, p) })
	}
}

// layered is the network 784-500-10.
func layered(rate float64) Config {
	c := common(1294, rate)
	layer := func(k int) int {
		switch {
		case k < 784:
			return 0
		case k < 1284:
			return 1
		}
		return 2
	}
	for i := range c.N {
		for k := range c.N {
			if d := layer(i) - layer(k); d != 1 && d != -1 {
				c.Weights[i*c.N+k] = 0
			}
		}
	}
	return c
}

// BenchmarkLIF is the common case by network, background rate and code path.
func BenchmarkLIF(b *testing.B) {
	for _, rate := range []float64{400, 5000} {
		for _, n := range []int{10, 100, 1000} {
			onPaths(b, fmt.Sprintf("dense-%d/%gHz", n, rate), common(n, rate))
		}
		onPaths(b, fmt.Sprintf("rbm-784-500-10/%gHz", rate), layered(rate))
	}
}

// BenchmarkLIFGeneral has neurons with constants of their own, two synaptic time constants
// and two noise sources, and renewing synapses.
func BenchmarkLIFGeneral(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		c := common(n, 400)
		own(&c)
		onPaths(b, fmt.Sprintf("dense-%d/400Hz", n), c)
	}
}

// BenchmarkLIFReplicas packs small networks into lanes.
func BenchmarkLIFReplicas(b *testing.B) {
	for _, copies := range []int{6, 64} {
		c := common(10, 400)
		c.Copies = copies
		onPaths(b, fmt.Sprintf("dense-10x%d/400Hz", copies), c)
	}
}

// BenchmarkLIFCOBA is the common case of conductance-based neurons.
func BenchmarkLIFCOBA(b *testing.B) {
	onPaths(b, "dense-100/400Hz", conductances(common(100, 400)))
	onPaths(b, "dense-100/3kHz", conductances(common(100, 3000)))
}

// BenchmarkLIFSparse has 100 synapses per neuron at random places.
func BenchmarkLIFSparse(b *testing.B) {
	const n, fan = 10000, 100
	c := common(1, 400)
	c.N, c.Weights = n, nil
	c.Rest = make([]float64, n)
	c.Sparse = &Sparse{Start: make([]int, n+1)}
	r := rand.New(rng.Stream(2, "sparse"))
	for i := range n {
		c.Rest[i] = -50
		c.Sparse.Start[i+1] = (i + 1) * fan
		for k := range fan { // one in each hundredth
			c.Sparse.To = append(c.Sparse.To, int32(k*(n/fan)+r.IntN(n/fan)))
			c.Sparse.Weight = append(c.Sparse.Weight, 1e-4*r.NormFloat64())
		}
	}
	onPaths(b, "10000x100/400Hz", c)
}

// BenchmarkLIFFixed has weights in 16-bit integers.
func BenchmarkLIFFixed(b *testing.B) {
	c := common(1000, 400)
	c.Fixed = true
	onPaths(b, "dense-1000/400Hz", c)
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

// BenchmarkStart is from the weights to the first flip.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{100, 1000} {
		c := common(n, 400)
		b.Run(fmt.Sprintf("dense-%d", n), func(b *testing.B) {
			buf := make([]sampling.Flip, 0, 4*n)
			for range b.N {
				f := fast(b, c, best())
				f.Reset(nil, rng.Stream(1, "start"))
				for len(f.Run(f.step+1, buf[:0])) == 0 {
				}
			}
		})
	}
}

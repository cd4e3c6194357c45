//go:build unix

package train

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// cpu is the CPU time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// digitLike are images of 784 pixels of which about 100 are on, as of MNIST.
func digitLike(n int) Data {
	r := rand.New(rand.NewPCG(1, 2))
	d := Data{Classes: 10}
	for i := range n {
		x := make([]uint8, 784)
		for k := range x {
			if r.IntN(784) < 100 {
				x[k] = 1
			}
		}
		d.Images, d.Labels = append(d.Images, x), append(d.Labels, uint8(i%10))
	}
	return d
}

// BenchmarkTrain reports CPU time per image of a batch, 784+10 visible and 500 hidden units.
func BenchmarkTrain(b *testing.B) {
	d := digitLike(1000)
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"PCD/100+100", Options{Batch: 100}},
		{"PCD/50+50", Options{Batch: 50}},
		{"CD/100", Options{Batch: 100, Method: CD}},
		{"CAST/100+200", Options{Batch: 100, Method: CAST}},
	} {
		for _, p := range kernel.Paths() {
			b.Run(c.name+"/"+p.String(), func(b *testing.B) {
				b.Setenv(kernel.PathVariable, p.String())
				o := c.o
				o.Hidden, o.Epochs, o.Parallel = 500, 1<<20, 1
				t := mustNew(b, d, o)
				t.step()
				b.ReportAllocs()
				b.ResetTimer()
				start := cpu(b)
				for range b.N {
					t.step()
				}
				b.StopTimer()
				b.ReportMetric(float64(cpu(b)-start)/float64(b.N*o.Batch), "cpu-ns/image")
			})
		}
	}
}

// BenchmarkClassify is the free-energy classifier, per image.
func BenchmarkClassify(b *testing.B) {
	d := digitLike(1000)
	m, err := mustNew(b, d, Options{Hidden: 500, Epochs: 1}).Model(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	start := cpu(b)
	for b.Loop() {
		if _, err := m.Classify(d.Images, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(b.N*len(d.Images)), "cpu-ns/image")
}

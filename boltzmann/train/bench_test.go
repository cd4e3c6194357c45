//go:build unix

package train

import (
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

// BenchmarkDeepUpdate reports CPU time per image of a batch, 794-500-500.
func BenchmarkDeepUpdate(b *testing.B) {
	d := digitLike(1000)
	for _, c := range []struct {
		name string
		o    DeepOptions
	}{
		{"PCD/100+100", DeepOptions{}},
		{"PCD/100+100/clamped", DeepOptions{Clamped: true}},
		{"CD/100", DeepOptions{Options: Options{Method: CD}}},
		{"CAST/100+200", DeepOptions{Options: Options{Method: CAST}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			o := c.o
			o.Epochs, o.Batch, o.Layers = 1<<20, 100, []int{500, 500}
			t, err := NewDeep(d, o)
			if err != nil {
				b.Fatal(err)
			}
			t.advance() // the caller alone, without a team
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu(b)
			for range b.N {
				t.advance()
			}
			b.StopTimer()
			b.ReportMetric(float64(cpu(b)-start)/float64(b.N*o.Batch), "cpu-ns/image")
		})
	}
}

//go:build unix

package boltzmann

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// cpu is the CPU time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perUpdate times f(b.N) and reports CPU time per update and, with unit, per b.N.
func perUpdate(b *testing.B, updates, chains float64, unit string, f func(n int)) {
	f(10) // warm
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu(b)
	f(b.N)
	b.StopTimer()
	spent := float64(cpu(b)-start) / float64(b.N)
	b.ReportMetric(spent/updates, "cpu-ns/update")
	if unit != "" {
		b.ReportMetric(spent/1000/chains, unit)
	}
}

// onPaths runs f once for every code path of this machine.
func onPaths(b *testing.B, name string, f func(b *testing.B)) {
	for _, p := range kernel.Paths() {
		b.Run(name+"/"+p.String(), func(b *testing.B) {
			b.Setenv(kernel.PathVariable, p.String())
			f(b)
		})
	}
}

func benchChains(b *testing.B, m Quantisable, chains int) *FastChains {
	f, err := NewFastChains(m, FastChainsOptions{Chains: chains})
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Reset(nil, sources(1)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sweep(20); err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkGibbs is an update of a dense machine by machine, couplings, number of chains and
// code path. exact is Gibbs, textbook the plain loop.
func BenchmarkGibbs(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		for _, coupling := range []struct {
			name string
			a    float64
		}{{"weak", .5}, {"strong", 4}} {
			m := gaussian(n, coupling.a)
			name := fmt.Sprintf("bm-%d/%s", n, coupling.name)
			for _, chains := range []int{1, 16, 64} {
				onPaths(b, fmt.Sprintf("%s/chains=%d", name, chains), func(b *testing.B) {
					f := benchChains(b, m, chains)
					perUpdate(b, float64(n*chains), 1, "", func(n int) { _ = f.Sweep(n) })
				})
			}
			b.Run(name+"/exact", func(b *testing.B) {
				g, err := NewGibbs(m, GibbsOptions{})
				if err != nil {
					b.Fatal(err)
				}
				benchSampler(b, g, "")
			})
			b.Run(name+"/textbook", func(b *testing.B) {
				t := newTextbook(m)
				perUpdate(b, float64(n), 1, "", func(n int) {
					for range n {
						t.sweep()
					}
				})
			})
		}
	}
}

func benchSampler(b *testing.B, s sampling.Sampler, unit string) {
	if err := s.Reset(nil, rng.Stream(1, "bench")); err != nil {
		b.Fatal(err)
	}
	buf := make([]sampling.Flip, 0, 2*s.Dim())
	perUpdate(b, float64(s.Dim()), 1, unit, func(n int) {
		for end := s.Time() + float64(n); s.Time() < end; {
			if _, err := s.Advance(end, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// textbook is sequential Gibbs sampling as one writes it down first: local field, logistic
// function, random number.
type textbook struct {
	m *Machine
	z []float64
	r *rand.Rand
}

func newTextbook(m *Machine) *textbook {
	return &textbook{m, make([]float64, m.n), rand.New(rand.NewPCG(1, 2))}
}

func (t *textbook) sweep() {
	for k := range t.z {
		u := t.m.b[k]
		for j, w := range t.m.row(k) {
			u += w * t.z[j]
		}
		t.z[k] = 0
		if t.r.Float64() < 1/(1+math.Exp(-u)) {
			t.z[k] = 1
		}
	}
}

// rbm784 is a machine of 784 visible and 500 hidden units: untrained with weights of
// standard deviation 0.05 and biases −2 and −1, or like a trained one. Then the hidden units
// are detectors, each of a patch of 8×8 pixels of random sign pattern, strong enough that most
// units are decided: few change in a sweep.
func rbm784(tb testing.TB, trained bool) *RBM {
	r := rand.New(rng.Stream(3, "rbm784"))
	w := mat.NewDense(784, 500, nil)
	b, c := make([]float64, 784), make([]float64, 500)
	for j := range c {
		x, y := r.IntN(21), r.IntN(21)
		for i := range b {
			if px, py := i%28-x, i/28-y; trained && px >= 0 && px < 8 && py >= 0 && py < 8 {
				w.Set(i, j, 0.8+0.5*r.NormFloat64())
			} else {
				w.Set(i, j, 0.05*r.NormFloat64())
			}
		}
		c[j] = -1
		if trained {
			c[j] = -24
		}
	}
	for i := range b {
		b[i] = -2
		if trained {
			b[i] = -12
		}
	}
	m, err := NewRBM(w, b, c)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// BenchmarkRBM is a sweep of 784 + 500 units, by machine, number of chains and code path;
// cpu-us/sweep is for one chain. exact is BlockGibbs, textbook the plain loop.
func BenchmarkRBM(b *testing.B) {
	for _, trained := range []bool{false, true} {
		m := rbm784(b, trained)
		name := map[bool]string{false: "784x500", true: "784x500-trained"}[trained]
		for _, chains := range []int{1, 16, 128} {
			onPaths(b, fmt.Sprintf("%s/chains=%d", name, chains), func(b *testing.B) {
				f := benchChains(b, m, chains)
				_ = f.Sweep(500)
				perUpdate(b, float64(m.Dim()*chains), float64(chains), "cpu-us/sweep", func(n int) { _ = f.Sweep(n) })
				on, changed := f.activity()
				b.ReportMetric(on, "on")
				b.ReportMetric(changed, "changed")
			})
		}
		b.Run(name+"/exact", func(b *testing.B) {
			g, err := NewBlockGibbs(m, BlockGibbsOptions{})
			if err != nil {
				b.Fatal(err)
			}
			benchSampler(b, g, "cpu-us/sweep")
		})
		if !trained {
			b.Run(name+"/textbook", func(b *testing.B) { benchTextbookRBM(b, m) })
		}
	}
}

// activity is the mean number of units that are on and that changed in the last sweep.
func (f *FastChains) activity() (on, changed float64) {
	var buf []sampling.Flip
	for c := range f.core.chains {
		for _, z := range f.State(c) {
			on += float64(z)
		}
		buf = f.engine.flips(buf[:0], c, f.sweeps)
		changed += float64(len(buf))
	}
	return on / float64(f.core.chains), changed / float64(f.core.chains)
}

// benchTextbookRBM is block Gibbs sampling by whole matrix-vector products.
func benchTextbookRBM(b *testing.B, m *RBM) {
	v, h := make([]float64, m.Visible()), make([]float64, m.Hidden())
	r := rand.New(rand.NewPCG(1, 2))
	layer := func(to, from, bias, w []float64) {
		for j := range to {
			u := bias[j]
			row := w[j*len(from) : (j+1)*len(from)]
			for i, x := range from {
				u += row[i] * x
			}
			to[j] = 0
			if r.Float64() < 1/(1+math.Exp(-u)) {
				to[j] = 1
			}
		}
	}
	perUpdate(b, float64(m.Dim()), 1, "cpu-us/sweep", func(n int) {
		for range n {
			layer(h, v, m.b[len(v):], m.down[1])
			layer(v, h, m.b[:len(v)], m.up[0])
		}
	})
}

// BenchmarkAIS is a level of one chain, of 32.
func BenchmarkAIS(b *testing.B) {
	for _, tc := range []struct {
		name      string
		m         *RBM
		quantised bool
	}{
		{"100x20/quantised", rbmS(b, 100, 20, .5), true}, {"100x20/exact", rbmS(b, 100, 20, .5), false},
		{"784x500/quantised", rbm784(b, false), true}, {"784x500/exact", rbm784(b, false), false},
	} {
		b.Run(tc.name, func(b *testing.B) {
			const levels, chains = 200, 32
			start := cpu(b)
			for b.Loop() {
				o := AISOptions{Levels: levels, Chains: chains, Parallel: 1, Quantised: tc.quantised}
				if _, err := AIS(context.Background(), tc.m, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-start)/1000/float64(b.N)/levels/chains, "cpu-us/level")
		})
	}
}

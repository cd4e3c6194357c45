package tempering

import (
	"math/rand/v2"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// BenchmarkSweep is the kernel; ns/update is per visit of a unit.
func BenchmarkSweep(b *testing.B) {
	for _, n := range []int{12, 100} {
		for _, scan := range []Scan{Sequential, Random} {
			b.Run(scan.String()+map[int]string{12: "/12", 100: "/100"}[n], func(b *testing.B) {
				c := newChain(bmS(n, .5))
				r := rand.New(rng.Stream(1, "bench"))
				if err := c.start(nil, r); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := c.sweep(.5, scan, r); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/update")
			})
		}
	}
}

// BenchmarkSamplers is a unit of Time on WTA-3x4(4); Parallel has 8 levels.
func BenchmarkSamplers(b *testing.B) {
	m := wta(4, [3]float64{})
	ast := ASTOptions{Ladder: equalRejection}
	for _, s := range []sampler{
		must(NewParallel(m, ParallelOptions{Ladder: equalRejection})),
		must(NewSimulated(m, SimulatedOptions{Ladder: equalRejection, LogWeights: logZs(m, equalRejection)})),
		must(NewAST(m, ast)),
		must(NewCAST(m, CASTOptions{Fast: ast})),
		must(NewTransitions(m, TransitionsOptions{Ladder: equalRejection})),
	} {
		b.Run(kindOf(s), func(b *testing.B) {
			if err := s.Reset(nil, rng.Stream(1, "bench")); err != nil {
				b.Fatal(err)
			}
			buf := make([]sampling.Flip, 0, 64)
			if _, err := s.Advance(1, buf); err != nil { // with the adaptation
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Advance(s.Time()+1, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func kindOf(s sampler) string {
	switch s.(type) {
	case *Parallel:
		return "Parallel"
	case *Simulated:
		return "Simulated"
	case *AST:
		return "AST"
	case *CAST:
		return "CAST"
	}
	return "Transitions"
}

// Nothing allocates while a chain runs.
func TestNoAllocations(t *testing.T) {
	names, build := kinds(bmS(6, 2))
	buf := make([]sampling.Flip, 0, 24)
	for i, name := range names {
		s := build[i]()
		if err := s.Reset(nil, rng.Stream(1, "allocations")); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(300, func() {
			if _, err := s.Advance(s.Time()+1, buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per sweep", name, n)
		}
	}
}

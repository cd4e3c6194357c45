package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// mixed is a General with its memory: n units that all differ.
type mixed struct {
	General
	v, je, ji, c, l []float32
	s               []uint64
	units           []Units
	mask            []byte
}

func newMixed(n int, mean float64, conductance bool) *mixed {
	groups := (n + Group - 1) / Group
	m := groups * Group
	x := &mixed{v: make([]float32, m), je: make([]float32, m), ji: make([]float32, m), c: make([]float32, m), l: make([]float32, m),
		s: make([]uint64, m), units: make([]Units, groups), mask: make([]byte, 2*groups)}
	r := rand.New(rand.NewPCG(3, 4))
	for k := range m {
		x.s[k] = r.Uint64()
		x.v[k], x.c[k] = -float32(r.Float64()), 0.01*float32(r.NormFloat64())
		u, i := &x.units[k/Group], k%Group
		vary := func(mid float64) float32 { return float32(mid * (1 + 0.1*r.NormFloat64())) }
		u.A[i], u.PE[i], u.PI[i], u.Reset[i] = 0.9, 0.99, 0.985, vary(-0.1)
		u.WE[i], u.WI[i] = vary(0.01), vary(0.01)
		u.Hold[i], u.Left[i] = int32(r.IntN(150)), int32(r.IntN(3))
		if conductance {
			x.je[k], x.ji[k], x.l[k] = 0.02, 0.02, vary(0.1)
			u.WE[i], u.WI[i], u.RevE[i], u.RevI[i] = vary(0.0005), vary(0.0005), vary(25), vary(-24)
		}
		if k >= n {
			u.A[i], u.WE[i], u.WI[i], u.RevE[i], u.RevI[i], x.c[k] = 0, 0, 0, 0, 0, -1
		}
	}
	x.V, x.JE, x.JI, x.C, x.L, x.S, x.Units, x.Mask = &x.v[0], &x.je[0], &x.ji[0], &x.c[0], &x.l[0], &x.s[0], &x.units[0], &x.mask[0]
	x.Groups = int64(groups)
	x.SetMath(1 + 30*max(0, mean-0.4))
	outcomes := 16
	if mean == 0.3 || mean == 4 {
		outcomes = 32
	}
	x.SetNoise(poisson(mean, outcomes), poisson(mean, outcomes))
	return x
}

// run does steps steps and returns the number of those with spikes and a digest of who
// spiked.
func (x *mixed) run(p Path, steps int64, conductance bool) (count, digest int64) {
	for ; steps > 0; steps -= x.Limit {
		x.Limit = steps
		if conductance {
			p.Conductances(&x.General)
		} else {
			p.Currents(&x.General)
		}
		if x.Any != 0 {
			count++
			for i, m := range x.mask {
				digest = 31*digest + int64(m)*int64(i+1)
			}
		}
	}
	return count, digest
}

// TestGeneralBits: all paths give the same bits after 20 000 steps.
func TestGeneralBits(t *testing.T) {
	for _, conductance := range []bool{false, true} {
		for _, n := range []int{1, 7, 16, 112, 300, 1294} {
			for _, mean := range []float64{0.04, 0.5, 0.3, 4} {
				want := newMixed(n, mean, conductance)
				count, digest := want.run(Portable, 20000, conductance)
				if count < 5 {
					t.Errorf("N=%d, conductances %v: %d steps with spikes", n, conductance, count)
				}
				for _, p := range Paths()[1:] {
					got := newMixed(n, mean, conductance)
					c, d := got.run(p, 20000, conductance)
					if c != count || d != digest {
						t.Fatalf("N=%d, conductances %v, %v: %d steps with spikes, portable %d", n, conductance, p, c, count)
					}
					for k := range want.v {
						if math.Float32bits(got.v[k]) != math.Float32bits(want.v[k]) || math.Float32bits(got.je[k]) != math.Float32bits(want.je[k]) ||
							math.Float32bits(got.ji[k]) != math.Float32bits(want.ji[k]) || got.s[k] != want.s[k] {
							t.Fatalf("N=%d, conductances %v, mean %v, %v: unit %d has v %v, je %v, ji %v; portable %v, %v, %v",
								n, conductance, mean, p, k, got.v[k], got.je[k], got.ji[k], want.v[k], want.je[k], want.ji[k])
						}
					}
					for g := range want.units {
						if got.units[g] != want.units[g] {
							t.Fatalf("N=%d, %v: group %d has other refractory states", n, p, g)
						}
					}
				}
			}
		}
	}
}

// TestHold: a driven unit spikes every Hold+1 steps.
func TestHold(t *testing.T) {
	for _, p := range Paths() {
		x := newMixed(16, 0.04, false)
		for i := range Group {
			x.c[i], x.units[0].WE[i], x.units[0].WI[i] = 100, 0, 0
			x.units[0].Hold[i], x.units[0].Left[i] = int32(i), 0
		}
		var last [Group]int64
		for step := int64(1); step <= 100; step++ {
			x.Limit = 1
			p.Currents(&x.General)
			for i := range Group {
				spiked := x.mask[i/8]>>(i%8)&1 == 1
				if due := step == last[i]+int64(i)+1 || last[i] == 0; spiked != due {
					t.Fatalf("%v: unit %d at step %d, last spike %d: spiked %v", p, i, step, last[i], spiked)
				}
				if spiked {
					last[i] = step
				}
			}
		}
	}
}

// TestDeliver: all paths add rows in float32 and int16 in the same order, with strides
// longer than the row, and nothing beyond it.
func TestDeliver(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, groups := range []int{1, 2, 3, 4, 7, 8, 9, 17, 81} {
		n := groups * Group
		stride := n + 32
		const rows = 9
		w, fixedW := make([]float32, rows*stride), make([]int16, rows*stride)
		for i := range w {
			w[i], fixedW[i] = float32(r.NormFloat64()), int16(r.IntN(1<<16)-1<<15)
		}
		unit, f := []int32{0, 3, 4, 8}, []float32{1, 0.3, -1, 0.7}
		start := make([]float32, n+16)
		for i := range start {
			start[i] = float32(r.NormFloat64())
		}
		for spikes := 1; spikes <= len(unit); spikes++ {
			want, wantFixed := append([]float32{}, start...), append([]float32{}, start...)
			for i := range spikes {
				for k := range n {
					want[k] += float32(f[i] * w[int(unit[i])*stride+k])
					wantFixed[k] += float32(f[i] * float32(fixedW[int(unit[i])*stride+k]))
				}
			}
			for _, p := range Paths() {
				got, gotFixed := append([]float32{}, start...), append([]float32{}, start...)
				d := Deliver{J: &got[0], Rows: unsafe.Pointer(&w[0]), Unit: &unit[0], F: &f[0], Groups: int64(groups), N: int64(spikes), Stride: int64(4 * stride)}
				p.Deliver(&d)
				d.J, d.Rows, d.Stride = &gotFixed[0], unsafe.Pointer(&fixedW[0]), int64(2*stride)
				p.DeliverFixed(&d)
				for _, fixed := range []bool{false, true} { // signs apart, targets ≥ 0
					j, ji, wantJ, wantJI := make([]float32, n+16), make([]float32, n+16), make([]float32, n+16), make([]float32, n+16)
					for k := range j {
						j[k], ji[k] = float32(math.Abs(float64(start[k]))), float32(k%3)
						wantJ[k], wantJI[k] = j[k], ji[k]
					}
					fi := []float32{0.5, 1, 0.25, 0.9}
					for i := range spikes {
						for k := range n {
							x := w[int(unit[i])*stride+k]
							if fixed {
								x = float32(fixedW[int(unit[i])*stride+k])
							}
							wantJ[k] += float32(f[i] * max(x, 0))
							wantJI[k] += float32(fi[i] * max(-x, 0))
						}
					}
					d.J, d.JI, d.FI = &j[0], &ji[0], &fi[0]
					if fixed {
						d.Rows, d.Stride = unsafe.Pointer(&fixedW[0]), int64(2*stride)
						p.DeliverApartFixed(&d)
					} else {
						d.Rows, d.Stride = unsafe.Pointer(&w[0]), int64(4*stride)
						p.DeliverApart(&d)
					}
					for k := range j {
						if j[k] != wantJ[k] || ji[k] != wantJI[k] {
							t.Fatalf("%v, %d groups, %d spikes, fixed %v: unit %d gets %v and %v, want %v and %v", p, groups, spikes, fixed, k, j[k], ji[k], wantJ[k], wantJI[k])
						}
					}
				}
				for k := range got {
					if got[k] != want[k] || gotFixed[k] != wantFixed[k] {
						t.Fatalf("%v, %d groups, %d spikes: unit %d gets %v and %v, want %v and %v", p, groups, spikes, k, got[k], gotFixed[k], want[k], wantFixed[k])
					}
				}
			}
		}
	}
}

func BenchmarkGeneral(b *testing.B) {
	for _, conductance := range []bool{false, true} {
		for _, p := range Paths() {
			name := "currents/"
			if conductance {
				name = "conductances/"
			}
			b.Run(name+p.String(), func(b *testing.B) {
				const n = 112
				x := newMixed(n, 0.04, conductance)
				b.ReportAllocs()
				x.run(p, int64(b.N), conductance)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron-step")
			})
		}
	}
}

package gibbskernel

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// TestOffsets compares the layout that the assembly assumes with the structs.
func TestOffsets(t *testing.T) {
	for _, c := range []struct {
		x     any
		names string
		want  []uintptr
	}{
		{Draw{}, "X O Z S Groups Inv", []uintptr{0, 8, 16, 24, 32, 40}},
		{Rows{}, "Out Base table Add Sub NAdd NSub groups rows", []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64}},
		{List{}, "Bits Out Words Pad N", []uintptr{0, 8, 16, 24, 32}},
		{Scan{}, "X Diag T Z", []uintptr{0, 8, 16, 24}},
		{Lanes{}, "Z W B S Inv M T E Pairs Width", []uintptr{0, 8, 16, 24, 32, 40, 48, 56, 64, 72}},
		{Softplus{}, "X Groups Scale Sum P", []uintptr{0, 8, 16, 24, 32}},
		{Sum{}, "Out Base W List N", []uintptr{0, 8, 16, 24, 32}},
		{Scatter{}, "W Row List N", []uintptr{0, 8, 16, 24}},
		{Sigmoid{}, "X P N Scale", []uintptr{0, 8, 16, 24}},
		{Fixed{}, "X Out N", []uintptr{0, 8, 16}},
		{Learn{}, "W V G N Momentum Rate Decay", []uintptr{0, 8, 16, 24, 32, 36, 40}},
		{Turn{}, "In Out", []uintptr{0, 8}},
	} {
		s := reflect.TypeOf(c.x)
		var names string
		for i, want := range c.want {
			names += " " + s.Field(i).Name
			if got := s.Field(i).Offset; got != want {
				t.Errorf("%v.%s is at offset %d, the assembly reads %d", s, s.Field(i).Name, got, want)
			}
		}
		if names[1:] != c.names {
			t.Errorf("%v has fields%s: must be %s", s, names, c.names)
		}
	}
	if n := unsafe.Sizeof(Streams{}); n != 128 {
		t.Errorf("Streams are %d bytes", n)
	}
}

func streams(seed uint64) (s Streams) {
	s.Seed(rand.New(rand.NewPCG(seed, 2)).Uint64)
	return s
}

var sizes = []int{1, 2, 3, 15, 16, 17, 33, 64, 100, 112, 130, 784}

// pathTest runs f on every path from the same start and compares what it returns with that of
// the portable one.
func pathTest(t *testing.T, name string, f func(p kernel.Path) []any) {
	t.Helper()
	want := f(kernel.Portable)
	for _, p := range kernel.Paths()[1:] {
		got := f(p)
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%s: result %d of %v is %v, portable %v", name, i, p, got[i], want[i])
			}
		}
	}
}

// TestDrawPaths: bits and streams are the same over 200 draws, for fields of all sizes and
// temperatures from 0 to ∞.
func TestDrawPaths(t *testing.T) {
	for _, n := range sizes {
		for _, beta := range []float64{0, 1e-3, 0.7, 1, 50, 1e9} {
			pathTest(t, fmt.Sprint(n, beta), func(p kernel.Path) []any {
				groups := (n + Group - 1) / Group
				r := rand.New(rand.NewPCG(uint64(n), 3))
				x, o := make([]int32, groups*Group), make([]float32, groups*Group)
				z := make([]uint64, (groups+3)/4)
				z[len(z)-1] = 1 << 63 // stays, unless the group is drawn
				s := streams(4)
				d := Draw{X: &x[0], Z: &z[0], S: &s, Groups: int64(groups), Inv: Inverse(beta, 1.0/4096)}
				var all []uint64
				for i := range 200 {
					d.O = []*float32{nil, &o[0]}[i%2]
					for k := range x {
						x[k] = int32(r.NormFloat64() * float64(int32(16)<<r.IntN(22)))
						o[k] = Offset(3 * r.NormFloat64() * float64(r.IntN(2)))
						if k >= n {
							x[k], o[k] = Never, 0
						}
					}
					d.Run(p)
					all = append(all, z...)
				}
				for i, w := range all {
					if i%len(z) == len(z)-1 && w&^(1<<63)>>(n%64) != 0 && n%64 != 0 {
						t.Fatalf("%v: padding units are on: %x", p, w)
					}
				}
				return []any{all, s}
			})
		}
	}
}

// TestRows compares sums of rows with the definition, on all paths, whole and by tiles.
func TestRows(t *testing.T) {
	for _, rows := range []int{1, 5, 40} {
		for _, cols := range sizes {
			r := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
			w := make([][]int16, rows)
			for i := range w {
				w[i] = make([]int16, cols)
				for j := range w[i] {
					w[i][j] = int16(r.IntN(2*MaxWeight+1) - MaxWeight)
					if r.IntN(3) == 0 {
						w[i][j] = []int16{MaxWeight, -MaxWeight}[r.IntN(2)]
					}
				}
			}
			table := NewTable(rows, cols, func(i, j int) int16 { return w[i][j] })
			base := make([]int32, Group*table.Groups())
			want := make([]int32, len(base))
			for j := range base {
				base[j] = int32(r.IntN(1<<20) - 1<<19)
				want[j] = base[j]
			}
			var lists [2][]int32
			for part := range lists {
				for range r.IntN(3) * rows {
					i := r.IntN(rows)
					lists[part] = append(lists[part], int32(i))
					for j, x := range w[i] {
						want[j] += int32(x) * int32(1-2*part)
					}
				}
				for len(lists[part])%4 != 0 {
					lists[part] = append(lists[part], int32(table.Zero()))
				}
			}
			add, sub := append(lists[0], 0), append(lists[1], 0)
			for _, p := range kernel.Paths() {
				out := make([]int32, len(base))
				d := Rows{Out: &out[0], Base: &base[0], Add: &add[0], Sub: &sub[0], NAdd: int64(len(add) - 1), NSub: int64(len(sub) - 1)}
				d.Run(p, table, 0, table.Groups())
				if !slices.Equal(out, want) {
					t.Errorf("%d×%d, %v: %v, want %v", rows, cols, p, out, want)
				}
				clear(out)
				for g := 0; g < table.Groups(); g += 4 {
					d.Out, d.Base = &out[Group*g], &base[Group*g]
					d.Run(p, table, g, min(4, table.Groups()-g))
				}
				if !slices.Equal(out, want) {
					t.Errorf("%d×%d, %v, by tiles: %v, want %v", rows, cols, p, out, want)
				}
			}
		}
	}
}

func TestList(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for trial := range 300 {
		words := 1 + trial%14
		bits := make([]uint64, words)
		var want []int32
		for i := range bits {
			bits[i] = r.Uint64() & r.Uint64() & r.Uint64()
			switch r.IntN(8) {
			case 0:
				bits[i] = 0
			case 1:
				bits[i] = ^uint64(0)
			}
			for k := range 64 {
				if bits[i]>>k&1 == 1 {
					want = append(want, int32(64*i+k))
				}
			}
		}
		room := len(want) + 12
		for len(want)%4 != 0 {
			want = append(want, 7777)
		}
		for _, p := range kernel.Paths() {
			out := make([]int32, room+1)
			out[room] = -1
			l := List{Bits: &bits[0], Out: &out[0], Words: int64(words), Pad: 7777}
			l.Run(p)
			if !slices.Equal(out[:l.N], want) || out[room] != -1 {
				t.Errorf("%v: %x lists %v, want %v", p, bits, out[:l.N], want)
			}
		}
	}
}

// dense is a machine of n units on the grid, with the scan of one group and the lanes.
type dense struct {
	n int
	w [][]int16
	b []int32
}

func newDense(n int, weight float64, seed uint64) *dense {
	r := rand.New(rand.NewPCG(seed, 7))
	d := &dense{n: n, b: make([]int32, n+16)}
	for i := range n {
		d.w = append(d.w, make([]int16, n))
		d.b[i] = int32(weight * r.NormFloat64())
		for j := range i {
			x := max(-MaxWeight, min(MaxWeight, weight*r.NormFloat64()))
			d.w[i][j], d.w[j][i] = int16(x), int16(x)
		}
	}
	for i := n; i < len(d.b); i++ {
		d.b[i] = Never
	}
	return d
}

// sequential is the sequential chain by its definition: z after a scan.
func (d *dense) sequential(s *Streams, z []int32, inv float32) {
	var w [Group]uint32
	for k := range d.n {
		if k%Group == 0 {
			s.Words(&w)
		}
		x := d.b[k]
		for j, on := range z {
			x += int32(d.w[k][j]) * on
		}
		z[k] = 0
		if x > Threshold(w[k%Group], inv) {
			z[k] = 1
		}
	}
}

// TestScan: the scan of a group is the sequential chain, on all paths.
func TestScan(t *testing.T) {
	for _, n := range []int{1, 2, 10, 15, 16} {
		for _, weight := range []float64{100, 4000} {
			d := newDense(n, weight, uint64(n))
			diag := make([]int16, Group*Group)
			for i, row := range d.w {
				copy(diag[Group*i:], row)
			}
			for _, p := range kernel.Paths() {
				a, b := streams(8), streams(8)
				z := make([]int32, n)
				inv := Inverse(0.8, 1.0/4096)
				thr := make([]int32, Group)
				s := Scan{Diag: &diag[0], T: &thr[0]}
				for sweep := range 2000 {
					x := slices.Clone(d.b[:Group])
					for k := range n {
						for j, on := range z {
							x[k] += int32(d.w[k][j]) * on
						}
					}
					s.X = &x[0]
					Thresholds(p, thr, &b, inv)
					s.Run(p)
					d.sequential(&a, z, inv)
					for k := range Group {
						if on := s.Z >> k & 1; k < n && int32(on) != z[k] || k >= n && on != 0 {
							t.Fatalf("N = %d, %v, sweep %d: bits %b, want %v", n, p, sweep, s.Z, z)
						}
					}
				}
				if a != b {
					t.Errorf("N = %d, %v: another random stream", n, p)
				}
			}
		}
	}
}

// TestLanes: every lane is the sequential chain, with its energy, on all paths.
func TestLanes(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 15, 16, 17, 31, 33, 64, 100} {
		for _, weight := range []float64{100, 4000} {
			d := newDense(n, weight, uint64(n))
			pairs := (n + 1) / 2
			width := (pairs + 1) &^ 1
			w := make([]int16, 2*pairs*2*width)
			for i, row := range d.w {
				copy(w[2*width*i:], row)
			}
			for _, p := range kernel.Paths() {
				var a, b [LaneChains]Streams
				var inv [LaneChains]float32
				var e, e0 [LaneChains]int64
				for c := range a {
					a[c], b[c] = streams(uint64(c)), streams(uint64(c))
					inv[c] = Inverse(float64(c)/10, 1.0/4096)
				}
				z := make([]int32, width*LaneChains)
				ref := make([][]int32, LaneChains)
				for c := range ref {
					ref[c] = make([]int32, n)
				}
				m := make([]uint16, 2*pairs)
				var scratch [512]int32
				l := Lanes{Z: &z[0], W: &w[0], B: &d.b[0], S: &b[0], Inv: &inv[0], M: &m[0], T: &scratch[0], E: &e[0],
					Pairs: int64(pairs), Width: int64(width)}
				for sweep := range 300 {
					l.Run(p)
					for c := range ref {
						d.sequential(&a[c], ref[c], inv[c])
						e0[c] = 0
						for k, on := range ref[c] {
							if m[k]>>c&1 != uint16(on) {
								t.Fatalf("N = %d, %v, sweep %d, chain %d: unit %d is %d, want %d", n, p, sweep, c, k, m[k]>>c&1, on)
							}
							e0[c] -= int64(on * d.b[k])
							for j, on2 := range ref[c][:k] {
								e0[c] -= int64(on * on2 * int32(d.w[k][j]))
							}
						}
					}
					if e != e0 {
						t.Fatalf("N = %d, %v, sweep %d: energies %v, want %v", n, p, sweep, e, e0)
					}
				}
				if a != b {
					t.Errorf("N = %d, %v: another random stream", n, p)
				}
			}
		}
	}
}

func TestSoftplusPaths(t *testing.T) {
	for _, n := range sizes {
		for _, beta := range []float64{0, 1e-3, 1, 100} {
			pathTest(t, fmt.Sprint(n, beta), func(p kernel.Path) []any {
				r := rand.New(rand.NewPCG(uint64(n), 9))
				x := make([]int32, (n+Group-1)/Group*Group)
				for k := range x {
					x[k] = int32(r.NormFloat64() * float64(int32(16)<<r.IntN(20)))
					if k >= n {
						x[k] = Never
					}
				}
				s := Softplus{X: &x[0], Groups: int64(len(x) / Group), Scale: Scale(beta, 1.0/4096)}
				s.Run(p)
				return []any{s.Sum, s.P}
			})
		}
	}
}

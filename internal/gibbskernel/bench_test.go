//go:build unix

package gibbskernel

import (
	"fmt"
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

// onPaths runs f on every path, once for each operation, and reports CPU time per item.
func onPaths(b *testing.B, name, unit string, items int, f func(p kernel.Path)) {
	for _, p := range kernel.Paths() {
		b.Run(name+"/"+p.String(), func(b *testing.B) {
			b.ReportAllocs()
			start := cpu(b)
			for b.Loop() {
				f(p)
			}
			b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/float64(items), unit)
		})
	}
}

func BenchmarkDraw(b *testing.B) {
	const groups = 49
	x, z, s := make([]int32, Group*groups), make([]uint64, 13), streams(1)
	d := Draw{X: &x[0], Z: &z[0], S: &s, Groups: groups, Inv: Inverse(1, 1e-4)}
	onPaths(b, "784", "cpu-ns/unit", Group*groups, d.Run)
}

// BenchmarkRows adds up 108 of 784 rows, a tile of which stays in the second cache.
func BenchmarkRows(b *testing.B) {
	for _, cols := range []int{64, 512, 784} {
		t := NewTable(784, cols, func(i, j int) int16 { return int16(i - j) })
		x := make([]int32, Group*t.Groups())
		r := rand.New(rand.NewPCG(1, 2))
		lists := make([][108]int32, 64)
		for i := range lists {
			for j := range lists[i] {
				lists[i][j] = int32(7*j + r.IntN(7))
			}
		}
		i := 0
		onPaths(b, fmt.Sprint(cols), "cpu-ns/element", 108*len(x), func(p kernel.Path) {
			l := &lists[i%len(lists)]
			i++
			d := Rows{Out: &x[0], Base: &x[0], Add: &l[0], Sub: &l[0], NAdd: 108}
			d.Run(p, t, 0, t.Groups())
		})
	}
}

func BenchmarkList(b *testing.B) {
	z, out := make([]uint64, 13), make([]int32, 900)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range z {
		z[i] = r.Uint64() & r.Uint64() & r.Uint64()
	}
	l := List{Bits: &z[0], Out: &out[0], Words: 13}
	onPaths(b, "784", "cpu-ns/unit", 784, l.Run)
}

func BenchmarkScan(b *testing.B) {
	d := newDense(Group, 500, 1)
	diag := make([]int16, Group*Group)
	for i, row := range d.w {
		copy(diag[Group*i:], row)
	}
	const scans = 64
	s, t := streams(1), make([]int32, Group*scans)
	scan := Scan{X: &d.b[0], Diag: &diag[0]}
	onPaths(b, "16", "cpu-ns/update", Group*scans, func(p kernel.Path) {
		Thresholds(p, t, &s, Inverse(1, 1.0/4096))
		for i := range scans {
			scan.T = &t[Group*i]
			scan.Run(p)
		}
	})
}

func BenchmarkLanes(b *testing.B) {
	for _, n := range []int{16, 100} {
		d := newDense(n, 500, 1)
		width := n / 2
		w := make([]int16, n*2*width)
		for i, row := range d.w {
			copy(w[2*width*i:], row)
		}
		var s [LaneChains]Streams
		var inv [LaneChains]float32
		var e [LaneChains]int64
		for c := range s {
			s[c], inv[c] = streams(uint64(c)), Inverse(1, 1.0/4096)
		}
		z, m, scratch := make([]int32, width*LaneChains), make([]uint16, n), make([]int32, 512)
		l := Lanes{Z: &z[0], W: &w[0], B: &d.b[0], S: &s[0], Inv: &inv[0], M: &m[0], T: &scratch[0], E: &e[0],
			Pairs: int64(width), Width: int64(width)}
		onPaths(b, fmt.Sprint(n), "cpu-ns/update", n*LaneChains, l.Run)
	}
}

func BenchmarkSoftplus(b *testing.B) {
	x := make([]int32, 512)
	for i := range x {
		x[i] = int32(100 * (i - 256))
	}
	s := Softplus{X: &x[0], Groups: 32, Scale: Scale(1, 1e-4)}
	onPaths(b, "512", "cpu-ns/unit", 512, s.Run)
}

// BenchmarkFloats has the operations of a training step on a tile of 784 rows.
func BenchmarkFloats(b *testing.B) {
	const rows, active = 784, 105
	w, v, g := make([]float32, rows*Tile), make([]float32, rows*Tile), make([]float32, rows*Tile)
	row, fields := make([]float32, Tile), make([]int32, rows)
	list := make([]int32, active)
	for i := range list {
		list[i] = int32(i * rows / active)
	}
	sum := Sum{Out: &row[0], Base: &row[0], W: &w[0], List: &list[0], N: active}
	onPaths(b, "sum", "cpu-ns/element", active*Tile, sum.Run)
	scatter := Scatter{W: &g[0], Row: &row[0], List: &list[0], N: active}
	onPaths(b, "scatter", "cpu-ns/element", active*Tile, scatter.Run)
	learn := Learn{W: &w[0], V: &v[0], G: &g[0], N: rows * Tile, Rate: 1}
	onPaths(b, "learn", "cpu-ns/element", rows*Tile, learn.Run)
	turn := Turn{In: &w[0], Out: &v[0]}
	onPaths(b, "turn", "cpu-ns/element", Tile*Tile, turn.Run)
	sigmoid := Sigmoid{X: &w[0], P: &v[0], N: rows, Scale: 1}
	onPaths(b, "sigmoid", "cpu-ns/element", rows, sigmoid.Run)
	fixed := Fixed{X: &w[0], Out: &fields[0], N: rows}
	onPaths(b, "fixed", "cpu-ns/element", rows, fixed.Run)
}

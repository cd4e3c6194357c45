package gibbskernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// normal are n numbers of that standard deviation.
func normal(r *rand.Rand, n int, sd float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(sd * r.NormFloat64())
	}
	return x
}

// TestSum: on all paths the sum in the order of the list, and near that in double precision.
func TestSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const rows = 40
	w, base := normal(r, rows*Tile, 1), normal(r, Tile, 1)
	for n := range 60 {
		list := make([]int32, n+1)
		want, exact := slices.Clone(base), make([]float64, Tile)
		for i := range list[:n] {
			list[i] = int32(r.IntN(rows))
			for c := range want {
				want[c] += w[Tile*int(list[i])+c]
				exact[c] += float64(w[Tile*int(list[i])+c])
			}
		}
		for _, p := range kernel.Paths() {
			out := make([]float32, Tile)
			s := Sum{Out: &out[0], Base: &base[0], W: &w[0], List: &list[0], N: int64(n)}
			s.Run(p)
			if !slices.Equal(out, want) {
				t.Errorf("%d rows, %v: %v, want %v", n, p, out, want)
			}
			for c, x := range out {
				if math.Abs(float64(x)-float64(base[c])-exact[c]) > 1e-4 {
					t.Errorf("%d rows, %v, column %d: %v, want %v", n, p, c, x, float64(base[c])+exact[c])
				}
			}
		}
	}
}

// TestScatter: rows that are listed twice get the row twice; others stay what they are.
func TestScatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows = 9
	start, row := normal(r, rows*Tile, 1), normal(r, Tile, 1)
	for n := range 20 {
		list, want := make([]int32, n+1), slices.Clone(start)
		for i := range list[:n] {
			list[i] = int32(r.IntN(rows))
			for c, x := range row {
				want[Tile*int(list[i])+c] += x
			}
		}
		for _, p := range kernel.Paths() {
			w := slices.Clone(start)
			s := Scatter{W: &w[0], Row: &row[0], List: &list[0], N: int64(n)}
			s.Run(p)
			if !slices.Equal(w, want) {
				t.Errorf("%d rows, %v: %v, want %v", n, p, w, want)
			}
		}
	}
}

// TestSigmoid: the same bits on all paths, as right as documented.
func TestSigmoid(t *testing.T) {
	x := []float32{0, float32(math.Copysign(0, -1)), 1e-30, 100, -100, 1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)), 69, -69}
	for len(x) < 4096 {
		x = append(x, float32(len(x)-2000)/27)
	}
	want := make([]float32, len(x))
	(&Sigmoid{X: &x[0], P: &want[0], N: int64(len(x)), Scale: 0.3}).Run(kernel.Portable)
	for i, u := range x {
		exact := 0.3 / (1 + math.Exp(-float64(u)))
		if e := math.Abs(float64(want[i])/exact - 1); u > -69 && !(e < 3e-7+1e-7*math.Abs(float64(u))) || u < -69 && !(want[i] >= 0 && want[i] < 1e-29) {
			t.Errorf("0.3 σ(%v) = %v, want %v", u, want[i], exact)
		}
	}
	for _, p := range kernel.Paths() {
		for _, n := range []int{0, 8, 40, len(x)} {
			got := slices.Clone(x)
			(&Sigmoid{X: &got[0], P: &got[0], N: int64(n), Scale: 0.3}).Run(p)
			if !slices.Equal(got[:n], want[:n]) || !slices.Equal(got[n:], x[n:]) {
				t.Errorf("%v, %d entries: not the portable bits", p, n)
			}
		}
	}
}

func TestFixed(t *testing.T) {
	x := []float32{0, FixedGrid, -FixedGrid, 0.5 * FixedGrid, 1.5 * FixedGrid, -2.5 * FixedGrid, 1, -1,
		255.9, -255.9, 256, -256, 300, -300, 1e30, -1e30}
	want := []int32{0, 1, -1, 0, 2, -2, 1 << 18, -1 << 18, 67082650, -67082650,
		MaxField, -MaxField, MaxField, -MaxField, MaxField, -MaxField}
	want[8] = int32(math.RoundToEven(float64(x[8]) / FixedGrid))
	want[9] = -want[8]
	for _, p := range kernel.Paths() {
		got := make([]int32, len(x))
		(&Fixed{X: &x[0], Out: &got[0], N: int64(len(x))}).Run(p)
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
}

// TestLearn compares with the formula in double precision, and paths with each other.
func TestLearn(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 64
	w, v, g := normal(r, n, 1), normal(r, n, 0.1), normal(r, n, 1)
	var first []float32
	for _, p := range kernel.Paths() {
		a, b, c := slices.Clone(w), slices.Clone(v), slices.Clone(g)
		l := Learn{W: &a[0], V: &b[0], G: &c[0], N: n - 8, Momentum: 0.9, Rate: 0.01, Decay: 0.1}
		l.Run(p)
		for k := range w {
			nv := 0.9*float64(v[k]) + 0.01*(float64(g[k])-0.1*float64(w[k]))
			nw, ng := float64(w[k])+nv, float32(0)
			if k >= n-8 {
				nv, nw, ng = float64(v[k]), float64(w[k]), g[k]
			}
			if math.Abs(float64(b[k])-nv) > 1e-6 || math.Abs(float64(a[k])-nw) > 1e-6 || c[k] != ng {
				t.Errorf("%v: W, V, G of %d are %v %v %v, want %v %v %v", p, k, a[k], b[k], c[k], nw, nv, ng)
			}
		}
		all := slices.Concat(a, b, c)
		if first == nil {
			first = all
		} else if !slices.Equal(all, first) {
			t.Errorf("%v: not the portable bits", p)
		}
	}
}

func TestTurn(t *testing.T) {
	in := normal(rand.New(rand.NewPCG(7, 8)), Tile*Tile, 1)
	for _, p := range kernel.Paths() {
		out := make([]float32, Tile*Tile)
		(&Turn{In: &in[0], Out: &out[0]}).Run(p)
		for i := range Tile {
			for j := range Tile {
				if out[Tile*j+i] != in[Tile*i+j] {
					t.Fatalf("%v: entry (%d, %d) is %v, want %v", p, j, i, out[Tile*j+i], in[Tile*i+j])
				}
			}
		}
	}
}

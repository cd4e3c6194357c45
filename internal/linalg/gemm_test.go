package linalg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

func random[F Float](r *rand.Rand, rows, cols, stride int) Mat[F] {
	m := Mat[F]{Rows: rows, Cols: cols, Stride: stride, Data: make([]F, rows*stride)}
	for i := range m.Data {
		m.Data[i] = F(r.NormFloat64())
	}
	return m
}

func at[F Float](m Mat[F], trans bool, i, j int) float64 {
	if trans {
		i, j = j, i
	}
	return float64(m.Data[i*m.Stride+j])
}

// check compares C = α op(A) op(B) + β C₀ with sums in double precision, within the error
// bound of a sum of k products, and looks that nothing beside C has changed.
func check[F Float](t *testing.T, name string, tA, tB bool, alpha F, a, b Mat[F], beta F, before, c Mat[F], k int) {
	t.Helper()
	eps := 0x1p-23
	if _, ok := any(alpha).(float64); ok {
		eps = 0x1p-52
	}
	for i := range c.Rows {
		for j := range c.Stride {
			got := float64(c.Data[i*c.Stride+j])
			if j >= c.Cols {
				if got != float64(before.Data[i*c.Stride+j]) {
					t.Fatalf("%s: entry beside C at %d,%d has changed", name, i, j)
				}
				continue
			}
			sum, size := 0.0, 0.0
			for l := range k {
				p := at(a, tA, i, l) * at(b, tB, l, j)
				sum += p
				size += math.Abs(p)
			}
			old := float64(before.Data[i*c.Stride+j])
			want := float64(alpha)*sum + float64(beta)*old
			bound := eps * (float64(k+4)*size*math.Abs(float64(alpha)) + 2*math.Abs(float64(beta)*old))
			if !(math.Abs(got-want) <= bound) {
				t.Fatalf("%s: C at %d,%d is %v: must be %v ± %v", name, i, j, got, want, bound)
			}
		}
	}
}

func testGemm[F Float](t *testing.T, r *rand.Rand, team *Team, m, n, k int) {
	t.Helper()
	pad := r.IntN(3)
	scales := []F{0, 1, -.5, 2.5}
	for _, tA := range []bool{false, true} {
		for _, tB := range []bool{false, true} {
			alpha, beta := scales[r.IntN(4)], scales[r.IntN(4)]
			shape := func(rows, cols int, trans bool) Mat[F] {
				if trans {
					rows, cols = cols, rows
				}
				return random[F](r, rows, cols, cols+pad)
			}
			a, b, c := shape(m, k, tA), shape(k, n, tB), shape(m, n, false)
			before := c
			before.Data = slices.Clone(c.Data)
			Gemm(team, tA, tB, alpha, a, b, beta, c)
			check(t, fmt.Sprintf("%d×%d×%d, %v %v, α %v, β %v, pad %d, %T", m, n, k, tA, tB, alpha, beta, pad, alpha), tA, tB, alpha, a, b, beta, before, c, k)
		}
	}
}

// TestGemm crosses every border of tiles and blocks.
func TestGemm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	team := NewTeam(3)
	defer team.Close()
	sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 15, 16, 17, 31, 32, 33, 47, 65}
	for _, m := range sizes {
		for _, n := range sizes {
			k := sizes[r.IntN(len(sizes))]
			testGemm[float32](t, r, nil, m, n, k)
			testGemm[float64](t, r, team, m, n, k)
		}
	}
	for _, s := range [][3]int{{145, 40, 257}, {300, 20, 513}, {12, 1030, 20}, {290, 1050, 40}, {7, 100, 600}} {
		for _, tm := range []*Team{nil, team} {
			testGemm[float32](t, r, tm, s[0], s[1], s[2])
			testGemm[float64](t, r, tm, s[0], s[1], s[2])
		}
	}
}

// TestWorkers: the same bits from any number of workers, and for a row from any batch.
func TestWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, s := range [][3]int{{512, 300, 784}, {100, 700, 300}, {37, 91, 1000}} {
		a, b := random[float32](r, s[0], s[2], s[2]), random[float32](r, s[1], s[2], s[2])
		c := NewMat[float32](s[0], s[1])
		Gemm(nil, false, true, .7, a, b, 0, c)
		for _, workers := range []int{1, 2, 3, 7} {
			team := NewTeam(workers)
			d := NewMat[float32](s[0], s[1])
			Gemm(team, false, true, .7, a, b, 0, d)
			if !slices.Equal(c.Data, d.Data) {
				t.Errorf("%v: %d workers give other bits", s, workers)
			}
			team.Close()
		}
		d := NewMat[float32](5, s[1])
		Gemm(nil, false, true, .7, a.Slice(11, 16), b, 0, d)
		if !slices.Equal(c.Slice(11, 16).Data, d.Data) {
			t.Errorf("%v: rows 11 to 15 alone give other bits", s)
		}
	}
}

// TestNotFinite: what is not finite in the factors reaches C, and β = 0 forgets what is in C.
func TestNotFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	nan := float32(math.NaN())
	for _, n := range []int{1, 5, 16, 40} {
		a, b, c := random[float32](r, n, n, n), random[float32](r, n, n, n), NewMat[float32](n, n)
		for i := range c.Data {
			c.Data[i] = nan
		}
		Gemm(nil, false, false, 1, a, b, 0, c)
		for i, v := range c.Data {
			if v != v {
				t.Fatalf("n = %d: entry %d is NaN", n, i)
			}
		}
		a.Data[(n-1)*n] = nan
		Gemm(nil, false, false, 1, a, b, 0, c)
		for i, v := range c.Data {
			if (v != v) != (i/n == n-1) {
				t.Errorf("n = %d: entry %d is %v", n, i, v)
			}
		}
	}
}

func TestFMA32(t *testing.T) {
	if got := fma32(1+0x1p-12, 1+0x1p-12, 0x1p-60); got != 1+0x1p-11+0x1p-23 {
		t.Errorf("just above the middle: %b", got)
	}
	if got := fma32(1+0x1p-12, 1+0x1p-12, -0x1p-60); got != 1+0x1p-11 {
		t.Errorf("just below the middle: %b", got)
	}
	if got := fma32(-1-0x1p-12, 1+0x1p-12, -0x1p-60); got != -1-0x1p-11-0x1p-23 {
		t.Errorf("negative, just beyond the middle: %b", got)
	}
	if got := fma32(-1-0x1p-12, 1+0x1p-12, 0x1p-60); got != -1-0x1p-11 {
		t.Errorf("negative, just before the middle: %b", got)
	}
	if !kernel32.fused {
		return // the portable path never calls it
	}
	// Against the instruction: a tile of k = 1 computes α·(a·b) + c with a = 1.
	r := rand.New(rand.NewPCG(4, 4))
	mr, nr := kernel32.mr, kernel32.nr
	a, b, c := make([]float32, mr), make([]float32, nr), make([]float32, mr*nr)
	for range 20000 {
		alpha := float32(math.Ldexp(r.NormFloat64(), r.IntN(40)-20))
		for i := range a {
			a[i] = 1
		}
		for i := range b {
			b[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(40)-20))
		}
		for i := range c {
			c[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(60)-30))
		}
		old := slices.Clone(c)
		kernel32.run(1, a, b, c, nr, alpha, true)
		for i := range c {
			if want := fma32(alpha, b[i%nr], old[i]); c[i] != want {
				t.Fatalf("%v·%v + %v is %v: must be %v", alpha, b[i%nr], old[i], c[i], want)
			}
		}
	}
}

func TestVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	testVectors[float32](t, r, 0x1p-23)
	testVectors[float64](t, r, 0x1p-52)
}

func testVectors[F Float](t *testing.T, r *rand.Rand, eps float64) {
	for n := range 140 {
		x, y := random[F](r, 1, n, n).Data, random[F](r, 1, n+2, n+2).Data
		sum, size := 0.0, 0.0
		for i, v := range x {
			sum += float64(v) * float64(y[i])
			size += math.Abs(float64(v) * float64(y[i]))
		}
		if got := float64(Dot(x, y)); !(math.Abs(got-sum) <= eps*float64(n+1)*size) {
			t.Errorf("dot of %d: %v: must be %v", n, got, sum)
		}
		z := slices.Clone(y)
		Axpy(F(.3), x, z)
		for i, v := range z {
			want := float64(y[i])
			if i < n {
				want += float64(F(.3)) * float64(x[i])
			}
			if !(math.Abs(float64(v)-want) <= 2*eps*(math.Abs(want)+1)) {
				t.Errorf("axpy of %d: entry %d is %v: must be %v", n, i, v, want)
			}
		}
	}
	for _, trans := range []bool{false, true} {
		for _, beta := range []F{0, 1, -2} {
			a := random[F](r, 37, 53, 60)
			m, n := 37, 53
			if trans {
				m, n = n, m
			}
			x, y := random[F](r, 1, n, n).Data, random[F](r, 1, m, m).Data
			z := slices.Clone(y)
			if beta == 0 {
				z[3] = F(math.NaN())
			}
			Gemv(trans, F(1.5), a, x, beta, z)
			for i, v := range z {
				want := float64(beta) * float64(y[i])
				for j := range n {
					want += 1.5 * at(a, trans, i, j) * float64(x[j])
				}
				if !(math.Abs(float64(v)-want) <= 100*eps*(math.Abs(want)+10)) {
					t.Errorf("gemv: entry %d is %v: must be %v", i, v, want)
				}
			}
		}
	}
	a := random[F](r, 5, 40, 41)
	b := a
	b.Data = slices.Clone(a.Data)
	x, y := random[F](r, 1, 5, 5).Data, random[F](r, 1, 40, 40).Data
	Ger(F(2), x, y, b)
	s := make([]F, 40)
	SumRows(F(3), a, 0, s)
	for j := range 40 {
		col := 0.0
		for i := range 5 {
			want := float64(a.Row(i)[j]) + 2*float64(x[i])*float64(y[j])
			if !(math.Abs(float64(b.Row(i)[j])-want) <= 4*eps*(math.Abs(want)+3)) {
				t.Errorf("ger: entry %d,%d is %v: must be %v", i, j, b.Row(i)[j], want)
			}
			col += 3 * float64(a.Row(i)[j])
		}
		if !(math.Abs(float64(s[j])-col) <= 20*eps*(math.Abs(col)+3)) {
			t.Errorf("sum of rows: %v: must be %v", s[j], col)
		}
	}
	for i := range 5 {
		if b.Data[i*41+40] != a.Data[i*41+40] && i < 4 {
			t.Error("ger wrote beside the matrix")
		}
	}
}

func TestClip(t *testing.T) {
	testClip[float32](t)
	testClip[float64](t)
}

func testClip[F Float](t *testing.T) {
	values := []F{-2, -0x1p-100, 0, 0x1p-100, .5, 1, 1 + 0x1p-20, 7, F(math.Inf(1)), F(math.Inf(-1)), F(math.NaN())}
	r := rand.New(rand.NewPCG(11, 11))
	for n := range 100 {
		x, y, s := make([]F, n), make([]F, n+1), make([]F, n+1)
		for i := range x {
			x[i] = values[r.IntN(len(values))]
		}
		Clip(y, s, x)
		for i, v := range x {
			want := min(max(v, 0), 1)
			inside := F(0)
			if v >= 0 && v <= 1 {
				inside = 1
			}
			if y[i] != want && (y[i] == y[i] || v == v) || s[i] != inside {
				t.Fatalf("%v: %v and %v: must be %v and %v", v, y[i], s[i], want, inside)
			}
		}
		if y[n] != 0 || s[n] != 0 {
			t.Fatal("wrote beyond the end")
		}
	}
}

func TestTeam(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		team := NewTeam(workers)
		if team.Workers() != workers {
			t.Errorf("%d workers: must be %d", team.Workers(), workers)
		}
		for _, n := range []int{0, 1, 7, 100} {
			seen := make([]int, n)
			team.Do(n, 3, func(lo, hi int) {
				if lo%3 != 0 || hi != min(lo+3, n) {
					t.Errorf("piece %d to %d of %d", lo, hi, n)
				}
				for i := lo; i < hi; i++ {
					seen[i]++
				}
			})
			for i, v := range seen {
				if v != 1 {
					t.Errorf("n = %d: %d was done %d times", n, i, v)
				}
			}
		}
		team.Close()
	}
	var none *Team
	n := 0
	none.Do(5, 2, func(lo, hi int) { n += hi - lo })
	none.Close()
	if n != 5 || none.Workers() != 1 {
		t.Errorf("nil team did %d of 5", n)
	}
}

func TestAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	a, b, c := random[float32](r, 200, 200, 200), random[float32](r, 200, 200, 200), NewMat[float32](200, 200)
	team := NewTeam(2)
	defer team.Close()
	x, y := a.Row(0), c.Row(0)
	f := func(lo, hi int) {}
	for name, run := range map[string]func(){
		"team": func() { Gemm(team, true, false, 1, a, b, 1, c) },
		"one":  func() { Gemm(nil, false, true, 1, a, b, 0, c) },
		"gemv": func() { Gemv(false, 1, b, x, 0, y) },
		"ger":  func() { Ger(1, x, b.Row(1), a) },
		"do":   func() { team.Do(100, 10, f) },
	} {
		run()
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestWrongShapesPanic(t *testing.T) {
	m := NewMat[float32](3, 4)
	for name, f := range map[string]func(){
		"gemm":  func() { Gemm(nil, false, false, 1, m, m, 0, m) },
		"gemv":  func() { Gemv(false, 1, m, make([]float32, 3), 0, make([]float32, 3)) },
		"ger":   func() { Ger(1, make([]float32, 4), make([]float32, 4), m) },
		"sum":   func() { SumRows(1, m, 0, make([]float32, 3)) },
		"slice": func() { m.Slice(2, 4) },
		"memory": func() {
			Gemv(false, 1, Mat[float32]{Rows: 2, Cols: 2, Stride: 2, Data: make([]float32, 3)}, make([]float32, 2), 0, make([]float32, 2))
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

var shapes = []struct {
	name    string
	m, n, k int
	tA, tB  bool
}{
	{"512", 512, 512, 512, false, false},
	{"forward 512x300x784", 512, 300, 784, false, true},
	{"backward 512x300x100", 512, 300, 100, false, false},
	{"update 300x784x512", 300, 784, 512, true, false},
	{"output 512x10x100", 512, 10, 100, false, true},
	{"small 20x120x4", 20, 120, 4, false, true},
}

func BenchmarkGemm(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 7))
	team := NewTeam(0)
	defer team.Close()
	for _, s := range shapes {
		dims := func(rows, cols int, t bool) Mat[float32] {
			if t {
				rows, cols = cols, rows
			}
			return random[float32](r, rows, cols, cols)
		}
		x, y, z := dims(s.m, s.k, s.tA), dims(s.k, s.n, s.tB), dims(s.m, s.n, false)
		flops := 2 * float64(s.m) * float64(s.n) * float64(s.k)
		rate := func(b *testing.B) { b.ReportMetric(flops*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s") }
		b.Run(s.name+"/one", func(b *testing.B) {
			for b.Loop() {
				Gemm(nil, s.tA, s.tB, 1, x, y, 0, z)
			}
			rate(b)
		})
		b.Run(s.name+"/team", func(b *testing.B) {
			for b.Loop() {
				Gemm(team, s.tA, s.tB, 1, x, y, 0, z)
			}
			rate(b)
		})
		b.Run(s.name+"/gonum", func(b *testing.B) {
			tr := map[bool]blas.Transpose{false: blas.NoTrans, true: blas.Trans}
			g := func(m Mat[float32]) blas32.General {
				return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: m.Data}
			}
			for b.Loop() {
				blas32.Gemm(tr[s.tA], tr[s.tB], 1, g(x), g(y), 0, g(z))
			}
			rate(b)
		})
	}
}

func BenchmarkVector(b *testing.B) {
	r := rand.New(rand.NewPCG(8, 8))
	a := random[float32](r, 300, 784, 784)
	x, y := random[float32](r, 1, 784, 784).Data, make([]float32, 300)
	per := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(300*784), "ns/entry")
	}
	b.Run("Gemv", func(b *testing.B) {
		for b.Loop() {
			Gemv(false, 1, a, x, 0, y)
		}
		per(b)
	})
	b.Run("Ger", func(b *testing.B) {
		for b.Loop() {
			Ger(1e-9, y, x, a)
		}
		per(b)
	})
}

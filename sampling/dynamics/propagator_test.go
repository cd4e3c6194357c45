package dynamics_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// near fails unless got is within tol of want, relative to want where that is above 1.
func near(t interface {
	Helper()
	Fatalf(string, ...any)
}, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Max(1, math.Abs(want))) {
		t.Fatalf("%s: %.17g: must be %.17g ± %g", what, got, want, tol)
	}
}

func propagator(t interface {
	Helper()
	Fatalf(string, ...any)
}, n int, a, b []float64, dt float64) *dynamics.Propagator {
	t.Helper()
	p, err := dynamics.NewPropagator(mat.NewDense(n, n, a), b, dt)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

// TestPropagator compares with systems that have closed forms.
func TestPropagator(t *testing.T) {
	const tm, ts, c = 20.0, 5.0, 0.25
	for _, dt := range []float64{1e-3, 0.1, 1, 7.5, 60} {
		sin, cos := math.Sincos(0.3 * dt)
		ea, eb := math.Exp(-dt/tm), math.Exp(-dt/ts)
		for _, s := range []struct {
			name       string
			n          int
			a, b, m, c []float64
		}{
			{"leak", 1, []float64{-1 / tm}, []float64{3 / tm}, []float64{ea}, []float64{3 * (1 - ea)}},
			{"LIF with exponential synapse", 2, []float64{-1 / tm, 1 / c, 0, -1 / ts}, nil,
				[]float64{ea, tm * ts / (tm - ts) * (ea - eb) / c, 0, eb}, []float64{0, 0}},
			{"LIF with equal time constants", 2, []float64{-1 / tm, 1 / c, 0, -1 / tm}, nil,
				[]float64{ea, dt * ea / c, 0, ea}, []float64{0, 0}},
			{"rotation", 2, []float64{0, -0.3, 0.3, 0}, []float64{1, 0},
				[]float64{cos, -sin, sin, cos}, []float64{sin / 0.3, (1 - cos) / 0.3}},
			// Singular: a chain of integrators, and nothing at all.
			{"integrators", 3, []float64{0, 1, 0, 0, 0, 1, 0, 0, 0}, []float64{0, 0, 2},
				[]float64{1, dt, dt * dt / 2, 0, 1, dt, 0, 0, 1}, []float64{dt * dt * dt / 3, dt * dt, 2 * dt}},
			{"nothing", 2, []float64{0, 0, 0, 0}, []float64{1, -2}, []float64{1, 0, 0, 1}, []float64{dt, -2 * dt}},
			{"one singular direction", 2, []float64{-1 / tm, 1 / tm, 1 / tm, -1 / tm}, []float64{1, 1},
				[]float64{(1 + ea*ea) / 2, (1 - ea*ea) / 2, (1 - ea*ea) / 2, (1 + ea*ea) / 2}, []float64{dt, dt}},
		} {
			p := propagator(t, s.n, s.a, s.b, dt)
			x, dst := make([]float64, s.n), make([]float64, s.n)
			for i := range x {
				x[i] = 1.5 - float64(i)
			}
			p.Step(dst, x)
			for i := range s.n {
				want := s.c[i]
				near(t, s.name+": c", p.C.AtVec(i), s.c[i], 1e-12)
				for j := range s.n {
					near(t, s.name+": M", p.M.At(i, j), s.m[i*s.n+j], 1e-12)
					want += s.m[i*s.n+j] * x[j]
				}
				near(t, s.name+": step", dst[i], want, 1e-11)
			}
		}
	}
	// A large b costs no digits.
	p := propagator(t, 1, []float64{-1}, []float64{-3e12}, 1)
	near(t, "M with large b", p.M.At(0, 0), math.Exp(-1), 1e-15)
	near(t, "c with large b", p.C.AtVec(0), 3e12*math.Expm1(-1), 1e-15)
	// One step of a stiff system takes the fast variable to its end and no further.
	p = propagator(t, 2, []float64{-1e6, 0, 0, -1e-3}, []float64{1e6, 0}, 1)
	near(t, "fast", p.M.At(0, 0), 0, 1e-12)
	near(t, "its end", p.C.AtVec(0), 1, 1e-9)
	near(t, "slow", p.M.At(1, 1), math.Exp(-1e-3), 1e-9)
}

// TestPropagatorSemigroup: two steps are one step of twice the length.
func TestPropagatorSemigroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		entry := rapid.Float64Range(-1, 1)
		a := rapid.SliceOfN(entry, n*n, n*n).Draw(t, "A")
		b := rapid.SliceOfN(entry, n, n).Draw(t, "b")
		dt := rapid.Float64Range(0.01, 2).Draw(t, "dt")
		one, two := propagator(t, n, a, b, dt), propagator(t, n, a, b, 2*dt)
		x := rapid.SliceOfN(entry, n, n).Draw(t, "x")
		y, z, w := make([]float64, n), make([]float64, n), make([]float64, n)
		one.Step(y, x)
		one.Step(z, y)
		two.Step(w, x)
		var mm mat.Dense
		mm.Mul(one.M, one.M)
		scale := math.Exp(2 * dt * float64(n)) // bounds |M|
		for i := range n {
			near(t, "two steps", z[i], w[i], 1e-13*scale)
			for j := range n {
				near(t, "M²", mm.At(i, j), two.M.At(i, j), 1e-13*scale)
			}
		}
		// No b is b = 0.
		none := propagator(t, n, a, nil, dt)
		if !mat.Equal(none.M, propagator(t, n, a, make([]float64, n), dt).M) || mat.Norm(none.C, 1) != 0 {
			t.Fatalf("nil b differs from b = 0")
		}
	})
}

func TestPropagatorErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	one := mat.NewDense(1, 1, []float64{-1})
	for _, c := range []struct {
		a    mat.Matrix
		b    []float64
		dt   float64
		says string
	}{
		{nil, nil, 1, "A is nil"},
		{&mat.Dense{}, nil, 1, "A is 0×0"},
		{mat.NewDense(2, 3, nil), nil, 1, "A is 2×3"},
		{one, []float64{}, 1, "b has length 0: must be 1"},
		{one, []float64{1, 2}, 1, "b has length 2"},
		{one, nil, 0, "dt = 0"}, {one, nil, -1, "dt = -1"}, {one, nil, nan, "dt = NaN"}, {one, nil, inf, "dt = +Inf"},
		{mat.NewDense(2, 2, []float64{0, 0, nan, 0}), nil, 1, "A[1,0] = NaN"},
		{mat.NewDense(1, 1, []float64{-inf}), nil, 1, "A[0,0] = -Inf"},
		{one, []float64{nan}, 1, "b[0] = NaN"}, {one, []float64{inf}, 1, "b[0] = +Inf"},
		{mat.NewDense(1, 1, []float64{-1e308}), nil, 1e308, "overflows"},
		{mat.NewDense(2, 2, []float64{0, 1e308, 0, 1e308}), nil, 1, "overflows"},
		{mat.NewDense(1, 1, []float64{1000}), nil, 1, "overflows"},
		{mat.NewDense(1, 1, []float64{0}), []float64{1e300}, 1e10, "overflows"},
	} {
		p, err := dynamics.NewPropagator(c.a, c.b, c.dt)
		if p != nil || err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "dynamics: ") {
			t.Errorf("dt = %v, b = %v: error %v: must say %q", c.dt, c.b, err, c.says)
		}
	}
}

func TestPropagatorStepAllocates(t *testing.T) {
	p := propagator(t, 2, []float64{-1, 1, 0, -1}, nil, 0.1)
	x, y := []float64{1, 2}, make([]float64, 2)
	if n := testing.AllocsPerRun(100, func() { p.Step(y, x); p.Step(x, y) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPropagatorStep(b *testing.B) {
	p, err := dynamics.NewPropagator(mat.NewDense(2, 2, []float64{-1, 1, 0, -1}), nil, 0.1)
	if err != nil {
		b.Fatal(err)
	}
	x, y := []float64{1, 2}, make([]float64, 2)
	b.ReportAllocs()
	for b.Loop() {
		p.Step(y, x)
	}
}

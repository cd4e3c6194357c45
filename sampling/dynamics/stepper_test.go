package dynamics

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// pendulum with friction: smooth and nonlinear, with a leak on the velocity.
type pendulum struct{}

func (pendulum) Dim() int { return 2 }
func (pendulum) Drift(dst, x []float64, t float64) {
	for i := 0; i < len(x); i += 2 {
		dst[i] = x[i+1]
		dst[i+1] = -math.Sin(x[i]) - .3*x[i+1] + .2*math.Cos(t)
	}
}
func (pendulum) Leak(dst []float64) { dst[0], dst[1] = 0, .3 }

// TestOrder: halving the step divides the error by 2^order.
func TestOrder(t *testing.T) {
	end := func(m Method, steps int) []float64 {
		t.Helper()
		s, err := NewStepper(pendulum{}, StepperOptions{Method: m, Dt: 2 / float64(steps), Batch: 2})
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{1, 0, -.4, 1.5}
		for i := range steps {
			if err := s.Step(x, float64(i)*2/float64(steps), nil); err != nil {
				t.Fatal(err)
			}
		}
		return x
	}
	truth := end(RK4, 4096)
	for _, c := range []struct {
		m     Method
		steps int
		order float64
	}{{Euler, 1024, 1}, {Heun, 256, 2}, {RK4, 32, 4}, {ExpEuler, 1024, 1}} {
		a, b := end(c.m, c.steps), end(c.m, 2*c.steps)
		for i := range truth {
			if order := math.Log2((a[i] - truth[i]) / (b[i] - truth[i])); math.Abs(order-c.order) > .1 {
				t.Errorf("%v: variable %d converges with order %.3f: must be %v", c.m, i, order, c.order)
			}
		}
	}
}

// TestExactSteps: ExpEuler solves a pure leak under constant drive exactly, Exact any linear
// system, whatever the step.
func TestExactSteps(t *testing.T) {
	leak := leaky{}
	x := []float64{2, -1}
	s, err := NewStepper(leak, StepperOptions{Method: ExpEuler, Dt: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Step(x, 0, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2*math.Exp(-.5*7) + 3/.5*-math.Expm1(-.5*7), -1 + 3*7} {
		if math.Abs(x[i]-want) > 1e-14*math.Abs(want) {
			t.Errorf("leak: %v: must be %v", x[i], want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	a, q := randomSystem(r, 5)
	l, err := NewLinear(a, []float64{1, 2, 3, 4, 5}, q)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPropagator(a, l.b, 3)
	if err != nil {
		t.Fatal(err)
	}
	s, err = NewStepper(l, StepperOptions{Method: Exact, Dt: 3, Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, 15)
	want := make([]float64, 15)
	for i := range y {
		y[i] = r.NormFloat64()
	}
	for i := 0; i < 15; i += 5 {
		p.Step(want[i:i+5], y[i:i+5])
	}
	if err := s.Step(y, 0, nil); err != nil {
		t.Fatal(err)
	}
	for i := range y {
		if math.Abs(y[i]-want[i]) > 1e-13 {
			t.Errorf("exact step: entry %d is %v: must be %v", i, y[i], want[i])
		}
	}
}

// leaky is dx = −a x + 3 with rates ½ and 0, and noise of σ = 1, 2.
type leaky struct{}

func (leaky) Dim() int { return 2 }
func (leaky) Drift(dst, x []float64, _ float64) {
	for i := 0; i < len(x); i += 2 {
		dst[i], dst[i+1] = 3-.5*x[i], 3
	}
}
func (leaky) Leak(dst []float64) { dst[0], dst[1] = .5, 0 }
func (leaky) Diffuse(dst, _, xi []float64, _ float64) {
	for i := 0; i < len(xi); i += 2 {
		dst[i], dst[i+1] = xi[i], 2*xi[i+1]
	}
}

func sources(n int, seed uint64) []*rand.Rand {
	src := make([]*rand.Rand, n)
	for i := range src {
		src[i] = rand.New(rand.NewPCG(seed, uint64(i)))
	}
	return src
}

// checkCov compares the covariance of independent rows with the truth: every entry within 5
// standard errors of a Gaussian sample, false alarms below 6e-7 each.
func checkCov(t *testing.T, name string, x []float64, mean []float64, want mat.Matrix) {
	t.Helper()
	n := len(mean)
	b := float64(len(x) / n)
	for i := range n {
		m := 0.0
		for k := i; k < len(x); k += n {
			m += x[k]
		}
		if m /= b; math.Abs(m-mean[i]) > 5*math.Sqrt(want.At(i, i)/b) {
			t.Errorf("%s: mean %d is %v: must be %v", name, i, m, mean[i])
		}
		for j := range n {
			c := 0.0
			for k := 0; k < len(x); k += n {
				c += (x[k+i] - mean[i]) * (x[k+j] - mean[j])
			}
			c /= b
			se := math.Sqrt((want.At(i, i)*want.At(j, j) + want.At(i, j)*want.At(i, j)) / b)
			if math.Abs(c-want.At(i, j)) > 5*se {
				t.Errorf("%s: covariance %d,%d is %v: must be %v ± %v", name, i, j, c, want.At(i, j), se)
			}
		}
	}
}

// TestNoise runs many independent rows to the stationary law of each rule. The step is so
// large that the laws of the rules differ by much more than the errors.
func TestNoise(t *testing.T) {
	const rows, temperature = 20000, .3
	g := systemA(t)
	flow, err := g.Flow(diag(10, 10, 10, 10), diag(10, 10, 10, 10))
	if err != nil {
		t.Fatal(err)
	}
	const dt = 4.
	euler, err := flow.EulerCovariance(dt)
	if err != nil {
		t.Fatal(err)
	}
	// Heun is x ← M x + N η, M = 1 + A dt + A²dt²/2, N = 1 + A dt/2.
	var m, n, q mat.Dense
	m.Mul(flow.a, flow.a)
	m.Scale(dt*dt/2, &m)
	n.Scale(dt/2, flow.a)
	for i := range 4 {
		for j := range 4 {
			m.Set(i, j, m.At(i, j)+dt*flow.a.At(i, j))
		}
		m.Set(i, i, m.At(i, i)+1)
		n.Set(i, i, n.At(i, i)+1)
	}
	q.Product(&n, flow.q, n.T())
	q.Scale(dt, &q)
	heun, err := Stein(&m, symmetric(&q))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		m     Method
		steps int
		cov   *mat.SymDense
	}{{Euler, 60, euler}, {Heun, 60, heun}, {Exact, 60, g.Covariance()}} {
		s, err := NewStepper(flow, StepperOptions{Method: c.m, Dt: dt, Batch: rows, Temperature: temperature})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 4*rows)
		src := sources(rows, uint64(c.m))
		for i := range c.steps {
			if err := s.Step(x, float64(i)*dt, src); err != nil {
				t.Fatal(err)
			}
		}
		c.cov.ScaleSym(temperature, c.cov)
		checkCov(t, c.m.String(), x, g.mean, c.cov)
	}
	// An energy has the noise that fits P = 1.
	unit, err := g.Flow(diag(1, 1, 1, 1), diag(1, 1, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if euler, err = unit.EulerCovariance(.4); err != nil {
		t.Fatal(err)
	}
	s, err := NewStepper(g, StepperOptions{Dt: .4, Batch: rows, Temperature: temperature})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, 4*rows)
	src := sources(rows, 77)
	for i := range 60 {
		if err := s.Step(x, float64(i)*.4, src); err != nil {
			t.Fatal(err)
		}
	}
	euler.ScaleSym(temperature, euler)
	checkCov(t, "an energy", x, g.mean, euler)
	// Exponential Euler: variance σ²(1 − e^{−2a dt})/2a after a step, σ²dt without leak.
	if s, err = NewStepper(leaky{}, StepperOptions{Method: ExpEuler, Dt: 3, Batch: rows, Temperature: temperature}); err != nil {
		t.Fatal(err)
	}
	x = make([]float64, 2*rows)
	if err := s.Step(x, 0, sources(rows, 9)); err != nil {
		t.Fatal(err)
	}
	checkCov(t, "ExpEuler", x, []float64{-6 * math.Expm1(-1.5), 9}, diag(-temperature*math.Expm1(-3), temperature*4*3))
}

// TestRowsAreIndependent: a row depends on its own state and source only.
func TestRowsAreIndependent(t *testing.T) {
	for _, m := range []Method{Euler, Heun, ExpEuler} {
		run := func(batch, first int) []float64 {
			s, err := NewStepper(leaky{}, StepperOptions{Method: m, Dt: .1, Batch: batch, Temperature: 1})
			if err != nil {
				t.Fatal(err)
			}
			x := make([]float64, 2*batch)
			src := sources(first+batch, 5)[first:]
			for i := range 50 {
				if err := s.Step(x, float64(i)*.1, src); err != nil {
					t.Fatal(err)
				}
			}
			return x
		}
		all, one := run(3, 0), run(1, 1)
		if !slices.Equal(all[2:4], one) {
			t.Errorf("%v: row 1 is %v alone and %v of three", m, one, all[2:4])
		}
	}
}

// noisy counts what it is asked for.
type noisy struct {
	leaky
	asked *int
}

func (n noisy) Diffuse(dst, x, xi []float64, t float64) { *n.asked++; n.leaky.Diffuse(dst, x, xi, t) }

// TestZeroTemperature: no number is drawn, the noise is not asked for, and the bits are those
// of a system without noise.
func TestZeroTemperature(t *testing.T) {
	for _, m := range []Method{Euler, Heun, RK4, ExpEuler} {
		asked := 0
		var got [2][]float64
		for i, sys := range []System{noisy{asked: &asked}, leaky{}} {
			s, err := NewStepper(sys, StepperOptions{Method: m, Dt: .1})
			if err != nil {
				t.Fatal(err)
			}
			got[i] = []float64{1, 2}
			for k := range 20 {
				if err := s.Step(got[i], float64(k)*.1, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		if asked != 0 || !slices.Equal(got[0], got[1]) {
			t.Errorf("%v: noise asked for %d times, states %v", m, asked, got)
		}
	}
}

type blowUp struct{}

func (blowUp) Dim() int { return 3 }
func (blowUp) Drift(dst, x []float64, _ float64) {
	for i, v := range x {
		dst[i] = v * v * v
	}
}

// growth is dx = μx dt + (1 + t)σx dW (Itô): noise that depends on state and time.
type growth struct{}

func (growth) Dim() int { return 1 }
func (growth) Drift(dst, x []float64, _ float64) {
	for i, v := range x {
		dst[i] = .3 * v
	}
}
func (growth) Diffuse(dst, x, xi []float64, t float64) {
	for i, v := range x {
		dst[i] = (1 + t) * .5 * v * xi[i]
	}
}

// TestMultiplicativeNoise: noise is that of the state and the time at which a step begins, as Itô has it,
// number by number.
func TestMultiplicativeNoise(t *testing.T) {
	const dt, at = .2, 3.
	for _, method := range []Method{Euler, Heun} {
		s, err := NewStepper(growth{}, StepperOptions{Method: method, Dt: dt, Batch: 2, Temperature: 1})
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{2, -5}
		if err := s.Step(x, at, sources(2, 4)); err != nil {
			t.Fatal(err)
		}
		for b, r := range sources(2, 4) {
			x0 := []float64{2, -5}[b]
			noise := (1 + at) * .5 * x0 * math.Sqrt(dt) * r.NormFloat64()
			want := x0 + dt*.3*x0 + noise
			if method == Heun {
				want = x0 + dt/2*.3*(x0+want) + noise
			}
			if math.Abs(x[b]-want) > 1e-14*math.Abs(want) {
				t.Errorf("%v, row %d: %v: must be %v", method, b, x[b], want)
			}
		}
	}
}

func TestDiverged(t *testing.T) {
	s, err := NewStepper(blowUp{}, StepperOptions{Dt: 1, Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{0, 0, 0, 0, 2, 0}
	for i := 0; ; i++ {
		err := s.Step(x, float64(i), nil)
		if err == nil && i < 100 {
			continue
		}
		var d *DivergedError
		if !errors.As(err, &d) || !errors.Is(err, ErrDiverged) || d.Row != 1 || d.Unit != 1 || d.Time != float64(i+1) || !math.IsInf(d.Value, 1) {
			t.Errorf("step %d: %v", i, err)
		}
		return
	}
}

func TestCheckFinite(t *testing.T) {
	for n := 1; n < 12; n++ {
		for bad := range n {
			for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				x, y := make([]float64, n), make([]float32, n)
				for i := range x {
					x[i], y[i] = math.MaxFloat64, math.MaxFloat32
				}
				if err := errors.Join(CheckFinite("", x, 1, 0), CheckFinite("", y, 1, 0)); err != nil {
					t.Fatal(err)
				}
				x[bad], y[bad] = v, float32(v)
				var d *DivergedError
				if err := CheckFinite("a", x, 1, 2); !errors.As(err, &d) || d.Row != bad || d.What != "a" || d.Time != 2 {
					t.Errorf("%v", err)
				}
				if err := CheckFinite("", y, 1, 0); !errors.As(err, &d) || d.Row != bad {
					t.Errorf("%v", err)
				}
			}
		}
	}
}

func TestStepperRefusals(t *testing.T) {
	ok := StepperOptions{Dt: 1}
	for name, c := range map[string]struct {
		sys System
		o   StepperOptions
	}{
		"no system":     {nil, ok},
		"step":          {leaky{}, StepperOptions{}},
		"step NaN":      {leaky{}, StepperOptions{Dt: math.NaN()}},
		"temperature":   {leaky{}, StepperOptions{Dt: 1, Temperature: -1}},
		"batch":         {leaky{}, StepperOptions{Dt: 1, Batch: -1}},
		"method":        {leaky{}, StepperOptions{Dt: 1, Method: 9}},
		"no noise":      {pendulum{}, StepperOptions{Dt: 1, Temperature: 1}},
		"RK4 noise":     {leaky{}, StepperOptions{Dt: 1, Temperature: 1, Method: RK4}},
		"no leak":       {blowUp{}, StepperOptions{Dt: 1, Method: ExpEuler}},
		"not linear":    {pendulum{}, StepperOptions{Dt: 1, Method: Exact}},
		"infinite step": {leaky{}, StepperOptions{Dt: math.Inf(1)}},
	} {
		if _, err := NewStepper(c.sys, c.o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for _, m := range []Method{Euler, Heun, ExpEuler, Exact} {
		var sys System = leaky{}
		if m == Exact {
			sys = mustLinear(t)
		}
		s, err := NewStepper(sys, StepperOptions{Method: m, Dt: .1, Batch: 8, Temperature: 1})
		if err != nil {
			t.Fatal(err)
		}
		x, src := make([]float64, 16), sources(8, 1)
		if n := testing.AllocsPerRun(100, func() { _ = s.Step(x, 0, src) }); n != 0 {
			t.Errorf("%v: %v allocations a step", m, n)
		}
	}
}

func BenchmarkStepper(b *testing.B) {
	g := systemA(b)
	flow, err := g.Flow(diag(10, 10, 10, 10), diag(10, 10, 10, 10))
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range []Method{Euler, Heun, Exact} {
		b.Run(m.String(), func(b *testing.B) {
			const rows = 256
			s, err := NewStepper(flow, StepperOptions{Method: m, Dt: .1, Batch: rows, Temperature: 1})
			if err != nil {
				b.Fatal(err)
			}
			x, src := make([]float64, 4*rows), sources(rows, 1)
			for b.Loop() {
				if err := s.Step(x, 0, src); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(4*rows), "ns/variable-step")
		})
	}
}

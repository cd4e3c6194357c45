package dynamics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// systemA is the linear network of 4 neurons, T = 0.3, τ_m = 10 ms: E = ½|v − Wv − b|² +
// ¼|y − v_out|².
func systemA(t testing.TB) *Gaussian {
	t.Helper()
	j := mat.NewDense(4, 4, []float64{1, 0, 0, 0, 0, 1, 0, 0, -.8, .5, 1, 0, -.3, -.9, 0, 1})
	var h mat.Dense
	h.Mul(j.T(), j)
	h.Set(2, 2, h.At(2, 2)+.5)
	h.Set(3, 3, h.At(3, 3)+.5)
	var lin mat.VecDense
	lin.MulVec(j.T(), mat.NewVecDense(4, []float64{.5, -.2, .1, 0}))
	lin.SetVec(2, lin.AtVec(2)+.5)
	lin.SetVec(3, lin.AtVec(3)-.5)
	g, err := NewGaussian(symmetric(&h), lin.RawVector().Data)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

const temperatureA = .3

func covA(g *Gaussian) *mat.SymDense {
	c := g.Covariance()
	c.ScaleSym(temperatureA, c)
	return c
}

// deviation is |a − b|/|b| in the Frobenius norm.
func deviation(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Norm(&d, 2) / mat.Norm(b, 2)
}

func diag(x ...float64) *mat.DiagDense { return mat.NewDiagDense(len(x), x) }

func TestGaussian(t *testing.T) {
	g := systemA(t)
	for i, want := range []float64{.498562, -.464332, .820677, -.512220} {
		if got := g.Mean()[i]; math.Abs(got-want) > 1e-6 {
			t.Errorf("mean %d: %v: must be %v", i, got, want)
		}
	}
	c := covA(g)
	for _, e := range []struct {
		i, j int
		want float64
	}{{0, 0, .241556}, {1, 1, .221923}, {2, 2, .290617}, {3, 3, .291411}, {0, 2, .126252}, {1, 3, .134700},
		{1, 2, -.069849}, {0, 3, .052952}, {0, 1, .007735}, {2, 3, -.016659}} {
		if got := c.At(e.i, e.j); math.Abs(got-e.want) > 1e-6 {
			t.Errorf("covariance %d,%d: %v: must be %v", e.i, e.j, got, e.want)
		}
	}
	// Gradient by central differences, which are exact for a quadratic energy.
	x := []float64{.3, -1, 2, .5, 0, 1, -.2, .7}
	grad, drift := make([]float64, 8), make([]float64, 8)
	g.Gradient(grad, x)
	g.Drift(drift, x, 0)
	up, down := make([]float64, 2), make([]float64, 2)
	for i := range x {
		v := x[i]
		x[i] = v + .5
		g.Energy(up, x)
		x[i] = v - .5
		g.Energy(down, x)
		x[i] = v
		if d := up[i/4] - down[i/4]; math.Abs(d-grad[i]) > 1e-13 || drift[i] != -grad[i] {
			t.Errorf("gradient %d: %v, drift %v, difference %v", i, grad[i], drift[i], d)
		}
	}
}

// prospective is P = (τ_m − τ_r) + H τ_r of neurons that look ahead.
func prospective(g *Gaussian, tauM, tauR []float64) *mat.Dense {
	p := mat.NewDense(4, 4, nil)
	for i := range 4 {
		for j := range 4 {
			p.Set(i, j, g.h.At(i, j)*tauR[j])
		}
		p.Set(i, i, p.At(i, i)+tauM[i]-tauR[i])
	}
	return p
}

// TestFluctuationDissipation: with noise that fits the preconditioner the law is that of the
// energy for any look-ahead; with the noise of ordinary neurons it is not.
func TestFluctuationDissipation(t *testing.T) {
	g := systemA(t)
	exact := covA(g)
	cov := func(p mat.Matrix, d mat.Symmetric) *mat.SymDense {
		t.Helper()
		flow, err := g.Flow(p, d)
		if err != nil {
			t.Fatal(err)
		}
		c, err := flow.Covariance()
		if err != nil {
			t.Fatal(err)
		}
		c.ScaleSym(temperatureA, c)
		mean, err := flow.Mean()
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range mean {
			if math.Abs(m-g.mean[i]) > 1e-12 {
				t.Errorf("mean %d is %v: must be %v whatever P", i, m, g.mean[i])
			}
		}
		return c
	}
	unmatched := []float64{0, .1040, .1920, .2850, .3930}
	for i, rho := range []float64{0, .25, .5, .75, 1} {
		r := 10 * rho
		p := prospective(g, []float64{10, 10, 10, 10}, []float64{r, r, r, r})
		d, err := MatchedNoise(p)
		if err != nil {
			t.Fatal(err)
		}
		if dev := deviation(cov(p, d), exact); dev > 1e-10 {
			t.Errorf("ρ = %v: deviation %v with matched noise", rho, dev)
		}
		if dev := deviation(cov(p, diag(10, 10, 10, 10)), exact); math.Abs(dev-unmatched[i]) > 1e-4 {
			t.Errorf("ρ = %v: deviation %v with independent noise: must be %v", rho, dev, unmatched[i])
		}
		// Independent noise makes T H⁻¹ τ_m P⁻¹.
		var inv, want mat.Dense
		if err := inv.Inverse(p); err != nil {
			t.Fatal(err)
		}
		want.Mul(exact, &inv)
		want.Scale(10, &want)
		if dev := deviation(cov(p, diag(10, 10, 10, 10)), &want); dev > 1e-10 {
			t.Errorf("ρ = %v: deviation %v from T H⁻¹ τ_m P⁻¹", rho, dev)
		}
	}
	m := []float64{8, 12, 9, 14}
	p := prospective(g, m, []float64{6, 10, 5, 9})
	d, err := MatchedNoise(p)
	if err != nil {
		t.Fatal(err)
	}
	if dev := deviation(cov(p, d), exact); dev > 1e-10 {
		t.Errorf("spread of time constants: deviation %v with matched noise", dev)
	}
	if dev := deviation(cov(p, diag(m...)), exact); math.Abs(dev-.2603) > 1e-4 {
		t.Errorf("spread of time constants: deviation %v with independent noise: must be .2603", dev)
	}
}

// TestExactSampling draws 80 000 independent states by one long exact step: every entry of the
// covariance within 5 standard errors of T H⁻¹, false alarms below 6e-7 each; for any look-ahead with
// noise that fits, and spread time constants.
func TestExactSampling(t *testing.T) {
	const rows = 80000
	g := systemA(t)
	for i, tau := range [][2][]float64{
		{{10, 10, 10, 10}, {0, 0, 0, 0}}, {{10, 10, 10, 10}, {2.5, 2.5, 2.5, 2.5}}, {{10, 10, 10, 10}, {5, 5, 5, 5}},
		{{10, 10, 10, 10}, {7.5, 7.5, 7.5, 7.5}}, {{10, 10, 10, 10}, {10, 10, 10, 10}}, {{8, 12, 9, 14}, {6, 10, 5, 9}},
	} {
		p := prospective(g, tau[0], tau[1])
		d, err := MatchedNoise(p)
		if err != nil {
			t.Fatal(err)
		}
		flow, err := g.Flow(p, d)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewStepper(flow, StepperOptions{Method: Exact, Dt: 1000, Batch: rows, Temperature: temperatureA})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 4*rows)
		if err := s.Step(x, 0, sources(rows, 100+uint64(i))); err != nil {
			t.Fatal(err)
		}
		checkCov(t, fmt.Sprintf("τ_r = %v ms", tau[1]), x, g.mean, covA(g))
	}
}

// TestFeedbackAngle: with feedback that is not the transpose of the weights, here W turned by an angle
// in its plane before it is transposed, the drift is no gradient, and the covariance is not T H⁻¹ any
// more. The figures were computed by another program, from this definition; those of the specification
// (3.0, 6.1, 9.7, 16.6, 87 %) are of another definition, which it does not give.
func TestFeedbackAngle(t *testing.T) {
	g := systemA(t)
	w := mat.NewDense(2, 2, []float64{.8, -.5, .3, .9})
	for angle, want := range map[float64]float64{0: 0, 10: .025144, 20: .051197, 30: .079124, 45: .126928, 90: .363110} {
		sin, cos := math.Sincos(angle * math.Pi / 180)
		var b mat.Dense
		b.Mul(mat.NewDense(2, 2, []float64{cos, -sin, sin, cos}), w.T())
		// A = −[(1 − B)(1 − W) + β on the outputs], B in place of Wᵀ.
		up, down, a := mat.NewDense(4, 4, nil), mat.NewDense(4, 4, nil), mat.NewDense(4, 4, nil)
		for i := range 4 {
			up.Set(i, i, 1)
			down.Set(i, i, 1)
		}
		for i := range 2 {
			for j := range 2 {
				up.Set(2+i, j, -w.At(i, j))
				down.Set(i, 2+j, -b.At(i, j))
			}
		}
		a.Mul(down, up)
		a.Set(2, 2, a.At(2, 2)+.5)
		a.Set(3, 3, a.At(3, 3)+.5)
		a.Scale(-1, a)
		l, err := NewLinear(a, nil, diag(2, 2, 2, 2))
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Covariance()
		if err != nil {
			t.Fatal(err)
		}
		if dev := deviation(c, g.Covariance()); math.Abs(dev-want) > 1e-6 {
			t.Errorf("%v°: off by %v: must be %v", angle, dev, want)
		}
	}
}

// TestEulerLaw: the Euler-Maruyama rule samples T H⁻¹(1 − dt H/2τ)⁻¹.
func TestEulerLaw(t *testing.T) {
	g := systemA(t)
	flow, err := g.Flow(diag(10, 10, 10, 10), diag(10, 10, 10, 10))
	if err != nil {
		t.Fatal(err)
	}
	for _, dt := range []float64{.1, 1, 4} {
		c, err := flow.EulerCovariance(dt)
		if err != nil {
			t.Fatal(err)
		}
		want := mat.NewDense(4, 4, nil)
		want.Scale(-dt/20, g.h)
		for i := range 4 {
			want.Set(i, i, want.At(i, i)+1)
		}
		if err := want.Inverse(want); err != nil {
			t.Fatal(err)
		}
		want.Mul(g.inv, want)
		if dev := deviation(c, want); dev > 1e-12 {
			t.Errorf("dt = %v: deviation %v", dt, dev)
		}
		t.Logf("dt = %v ms: Euler-Maruyama is off by %.2f %%", dt, 100*deviation(c, g.inv))
	}
}

// TestLyapunov solves random stable systems and looks at what is left.
func TestLyapunov(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 40; n += 3 {
		a, q := randomSystem(r, n)
		s, err := Lyapunov(a, q)
		if err != nil {
			t.Fatal(err)
		}
		var x, y mat.Dense
		x.Mul(a, s)
		y.Mul(s, a.T())
		x.Add(&x, &y)
		x.Add(&x, q)
		if left := mat.Norm(&x, 2) / mat.Norm(q, 2); left > 1e-11 {
			t.Errorf("n = %d: residual %v", n, left)
		}
		// Over a step: S = e^{Ah} S e^{Aᵀh} + C(h), for short and long steps.
		l, err := NewLinear(a, nil, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []float64{.01, 1, 30} {
			p, err := NewPropagator(a, nil, h)
			if err != nil {
				t.Fatal(err)
			}
			c, err := l.Spread(h)
			if err != nil {
				t.Fatal(err)
			}
			var m mat.Dense
			m.Product(p.M, s, p.M.T())
			m.Add(&m, c)
			if dev := deviation(&m, s); dev > 1e-10 {
				t.Errorf("n = %d, h = %v: covariance of a step is off by %v", n, h, dev)
			}
			st, err := Stein(p.M, c)
			if err != nil {
				t.Fatal(err)
			}
			if dev := deviation(st, s); dev > 1e-8 {
				t.Errorf("n = %d, h = %v: Stein is off by %v", n, h, dev)
			}
		}
	}
}

// randomSystem has eigenvalues with real parts below −0.1.
func randomSystem(r *rand.Rand, n int) (*mat.Dense, *mat.SymDense) {
	a, g := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, r.NormFloat64()/math.Sqrt(float64(n)))
			g.Set(i, j, r.NormFloat64())
		}
	}
	values, _ := eigenvalues(a)
	top := math.Inf(-1)
	for _, v := range values {
		top = max(top, real(v))
	}
	for i := range n {
		a.Set(i, i, a.At(i, i)-top-.1)
	}
	var q mat.Dense
	q.Mul(g, g.T())
	return a, symmetric(&q)
}

func TestLinearRefusals(t *testing.T) {
	nan := math.NaN()
	one := diag(1, 1)
	for name, f := range map[string]func() error{
		"A nil":          func() error { _, err := NewLinear(nil, nil, nil); return err },
		"A not square":   func() error { _, err := NewLinear(mat.NewDense(2, 3, nil), nil, nil); return err },
		"A NaN":          func() error { _, err := NewLinear(mat.NewDense(1, 1, []float64{nan}), nil, nil); return err },
		"b short":        func() error { _, err := NewLinear(one, []float64{1}, nil); return err },
		"b Inf":          func() error { _, err := NewLinear(one, []float64{1, math.Inf(1)}, nil); return err },
		"Q large":        func() error { _, err := NewLinear(one, nil, diag(1, 1, 1)); return err },
		"Q negative":     func() error { _, err := NewLinear(one, nil, diag(1, -1)); return err },
		"Q NaN":          func() error { _, err := NewLinear(one, nil, diag(1, nan)); return err },
		"unstable":       func() error { _, err := Lyapunov(diag(-1, 1), one); return err },
		"marginal":       func() error { _, err := Lyapunov(diag(-1, 0), one); return err },
		"sizes":          func() error { _, err := Lyapunov(diag(-1, -1), diag(1)); return err },
		"NaN":            func() error { _, err := Lyapunov(diag(-1, nan), one); return err },
		"M large":        func() error { _, err := Stein(diag(.5, 1.5), one); return err },
		"H indefinite":   func() error { _, err := NewGaussian(diag(1, -1), nil); return err },
		"H nil":          func() error { _, err := NewGaussian(nil, nil); return err },
		"h long":         func() error { _, err := NewGaussian(one, []float64{1, 2, 3}); return err },
		"h NaN":          func() error { _, err := NewGaussian(one, []float64{1, nan}); return err },
		"P singular":     func() error { _, err := systemA(t).Flow(diag(1, 1, 1, 0), diag(1, 1, 1, 1)); return err },
		"P small":        func() error { _, err := systemA(t).Flow(diag(1, 1), diag(1, 1)); return err },
		"D negative":     func() error { _, err := systemA(t).Flow(diag(1, 1, 1, 1), diag(1, 1, 1, -1)); return err },
		"no noise fits":  func() error { _, err := MatchedNoise(diag(1, -1)); return err },
		"P NaN":          func() error { _, err := MatchedNoise(diag(1, nan)); return err },
		"step":           func() error { _, err := mustLinear(t).Spread(0); return err },
		"step of Euler":  func() error { _, err := mustLinear(t).EulerCovariance(nan); return err },
		"Euler explodes": func() error { _, err := mustLinear(t).EulerCovariance(3); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func mustLinear(t testing.TB) *Linear {
	t.Helper()
	l, err := NewLinear(diag(-1, -2), []float64{1, 2}, diag(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestSpreadScale: the size of the noise scales the covariance of a step and nothing else, for one variable
// σ²(1 − e^{−2dt})/2.
func TestSpreadScale(t *testing.T) {
	for _, size := range []float64{1e-200, 1e-8, 1, 1e8, 1e16, 1e200} {
		l, err := NewLinear(mat.NewDense(2, 2, []float64{-1, 0, 0, -2}), nil, diag(size, size*1e-10))
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Spread(.1)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{-size * math.Expm1(-.2) / 2, -size * 1e-10 * math.Expm1(-.4) / 4} {
			if math.Abs(c.At(i, i)-want) > 1e-13*want {
				t.Errorf("size %v: variance %d is %v: must be %v", size, i, c.At(i, i), want)
			}
		}
	}
	if _, err := Stein(mat.NewDense(2, 2, []float64{.5, 1e200, 0, .5}), diag(1, 1)); err == nil {
		t.Error("a covariance beyond double precision: no error")
	}
}

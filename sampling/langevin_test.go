package sampling_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// bent is E = ½(a−.3)² + ½(c−1.5 tanh a)² + ½(c−.8)², a nonlinear network of two neurons and
// a nudge, with the Gauss-Newton preconditioner P = (1−ρ) + ρ JᵀJ of neurons that look ahead
// (τ_m = 1 ms).
type bent struct{ rho float64 }

func (bent) Dim() int { return 2 }

func (bent) Energy(dst, x []float64) {
	for b := range dst {
		a, c := x[2*b], x[2*b+1]
		e := c - 1.5*math.Tanh(a)
		dst[b] = ((a-.3)*(a-.3) + e*e + (c-.8)*(c-.8)) / 2
	}
}

func (bent) Gradient(dst, x []float64) {
	for i := 0; i < len(x); i += 2 {
		a, c := x[i], x[i+1]
		th := math.Tanh(a)
		e := c - 1.5*th
		dst[i] = a - .3 - e*1.5*(1-th*th)
		dst[i+1] = e + c - .8
	}
}

func (e bent) Drift(dst, x []float64, _ float64) {
	e.Gradient(dst, x)
	for i, v := range dst {
		dst[i] = -v
	}
}

func (e bent) Precondition(p *mat.SymDense, x []float64) {
	th := math.Tanh(x[0])
	s := 1.5 * (1 - th*th)
	p.SetSym(0, 0, 1-e.rho+e.rho*(1+s*s))
	p.SetSym(0, 1, -e.rho*s)
	p.SetSym(1, 1, 1-e.rho+2*e.rho)
}

func (e bent) Divergence(dst, x []float64, inv mat.Symmetric) {
	th := math.Tanh(x[0])
	s := 1.5 * (1 - th*th)
	ds := -2 * th * s
	// ∂_a P⁻¹ = −P⁻¹ (∂_a P) P⁻¹; only a changes P.
	dp := [2][2]float64{{2 * e.rho * s * ds, -e.rho * ds}, {-e.rho * ds, 0}}
	for i := range dst {
		dst[i] = 0
		for k := range 2 {
			for m := range 2 {
				dst[i] -= inv.At(i, k) * dp[k][m] * inv.At(m, 0)
			}
		}
	}
}

// still leaves out the divergence of the mobility.
type still struct{ bent }

func (still) Divergence(dst, _ []float64, _ mat.Symmetric) { clear(dst) }

const bentT = .4

// grid integrates the law of bent: means, variances, covariance and P(a < 0).
func grid(t float64) (m [6]float64) {
	const n, lo, hi = 1200, -5.5, 5.5 // 0 is the border of two cells
	var z float64
	e := []float64{0}
	h := (hi - lo) / n
	var s [6]float64
	for i := range n {
		for j := range n {
			a, c := lo+(float64(i)+.5)*h, lo+(float64(j)+.5)*h
			bent{}.Energy(e, []float64{a, c})
			p := math.Exp(-e[0] / t)
			z += p
			s[0] += p * a
			s[1] += p * c
			s[2] += p * a * a
			s[3] += p * c * c
			s[4] += p * a * c
			if a < 0 {
				s[5] += p
			}
		}
	}
	for i := range s {
		s[i] /= z
	}
	s[2] -= s[0] * s[0]
	s[3] -= s[1] * s[1]
	s[4] -= s[0] * s[1]
	return s
}

func streams(n int, name string) []rand.Source {
	src := make([]rand.Source, n)
	for i := range src {
		src[i] = rng.Stream(1, name, i)
	}
	return src
}

// negative counts states with a < 0, chain by chain.
type negative struct {
	share []float64
	n     float64
}

func (r *negative) RecordReal(_ float64, x []float64, chains int) error {
	if r.share == nil {
		r.share = make([]float64, chains)
	}
	for c := range chains {
		if x[2*c] < 0 {
			r.share[c]++
		}
	}
	r.n++
	return nil
}

func (r *negative) value() (mean, se float64) {
	b := float64(len(r.share))
	for _, v := range r.share {
		mean += v / r.n / b
	}
	for _, v := range r.share {
		d := v/r.n - mean
		se += d * d
	}
	return mean, math.Sqrt(se / b / (b - 1))
}

// sample runs 400 chains and records about 2e4 nearly independent states.
func sample(t *testing.T, e dynamics.Energetic, o sampling.LangevinOptions, name string) (m, se [6]float64, l *sampling.Langevin) {
	t.Helper()
	o.Chains, o.Temperature = 400, bentT
	l, err := sampling.NewLangevin(e, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reset(nil, streams(o.Chains, name)); err != nil {
		t.Fatal(err)
	}
	mom, err := estimate.NewRealMoments(2)
	if err != nil {
		t.Fatal(err)
	}
	neg := &negative{}
	if err := sampling.RunReal(context.Background(), l, sampling.RealSchedule{Warmup: 10, Duration: 100, Every: 2}, mom, neg); err != nil {
		t.Fatal(err)
	}
	mean, meanSE, err := mom.Mean()
	if err != nil {
		t.Fatal(err)
	}
	cov, covSE, err := mom.Cov()
	if err != nil {
		t.Fatal(err)
	}
	m = [6]float64{mean[0], mean[1], cov.At(0, 0), cov.At(1, 1), cov.At(0, 1)}
	se = [6]float64{meanSE[0], meanSE[1], covSE.At(0, 0), covSE.At(1, 1), covSE.At(0, 1)}
	m[5], se[5] = neg.value()
	return m, se, l
}

// TestLangevinLaw: every moment within 5 standard errors of the truth (400 chains, false
// alarms below 1e-6 each) and a bias of the rule that is bounded by dt: none for Metropolis.
// Without the divergence term the mean of a is off by many errors, so the test has power.
func TestLangevinLaw(t *testing.T) {
	truth := grid(bentT)
	for i, want := range []float64{.4968, .6910, .2606, .2740, .1344, .1562} {
		if math.Abs(truth[i]-want) > 1e-4 {
			t.Errorf("moment %d of the law is %v: must be %v", i, truth[i], want)
		}
	}
	for _, c := range []struct {
		name string
		e    dynamics.Energetic
		o    sampling.LangevinOptions
		bias float64
	}{
		{"Euler-Maruyama", bent{}, sampling.LangevinOptions{Dt: .01}, .005},
		{"averaged", bent{}, sampling.LangevinOptions{Dt: .1, Rule: sampling.Averaged}, .005},
		{"Metropolis", bent{}, sampling.LangevinOptions{Dt: .4, Rule: sampling.Metropolis}, 0},
		{"tau", bent{}, sampling.LangevinOptions{Dt: .02, Tau: 2}, .005},
		{"rho 0", bent{0}, sampling.LangevinOptions{Dt: .01, Precondition: true}, .005},
		{"rho .5", bent{.5}, sampling.LangevinOptions{Dt: .01, Precondition: true}, .005},
		{"rho 1", bent{1}, sampling.LangevinOptions{Dt: .01, Precondition: true}, .005},
		{"rho 1 Metropolis", bent{1}, sampling.LangevinOptions{Dt: .5, Precondition: true, Rule: sampling.Metropolis}, 0},
		{"rho 1 Metropolis without divergence", still{bent{1}}, sampling.LangevinOptions{Dt: .2, Precondition: true, Rule: sampling.Metropolis}, 0},
	} {
		m, se, l := sample(t, c.e, c.o, c.name)
		for i := range m {
			if !(math.Abs(m[i]-truth[i]) <= c.bias+5*se[i]) || !(se[i] < .01) {
				t.Errorf("%s: moment %d is %.4f ± %.4f: must be %.4f", c.name, i, m[i], se[i], truth[i])
			}
		}
		t.Logf("%s: %.4f ± %.4f, accepted %.3f", c.name, m, se, l.Accepted())
	}
	m, se, _ := sample(t, still{bent{.5}}, sampling.LangevinOptions{Dt: .01, Precondition: true}, "still")
	t.Logf("without divergence %.4f ± %.4f", m, se)
	if math.Abs(m[0]-.434) > .01+5*se[0] || math.Abs(m[0]-truth[0]) < .03 {
		t.Errorf("without the divergence the mean of a is %v ± %v: must be near .434", m[0], se[0])
	}
}

// TestLangevinTau: steps of dt with τ are those of dt/τ, bit for bit, and so are acceptances.
func TestLangevinTau(t *testing.T) {
	for name, o := range map[string]sampling.LangevinOptions{
		"Euler-Maruyama": {}, "averaged": {Rule: sampling.Averaged}, "Metropolis": {Rule: sampling.Metropolis},
	} {
		var states [2][]float64
		var accepted [2]float64
		for k, tau := range []float64{1, 2} {
			o.Dt, o.Tau, o.Chains, o.Temperature = .4*tau, tau, 10, bentT
			l, err := sampling.NewLangevin(bent{}, o)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time the same again
				if err := l.Reset(nil, streams(10, "tau")); err != nil {
					t.Fatal(err)
				}
				if a := l.Accepted(); a != 1 {
					t.Errorf("%s: accepted %v of nothing", name, a)
				}
				if err := l.Advance(100 * o.Dt); err != nil {
					t.Fatal(err)
				}
			}
			states[k], accepted[k] = slices.Clone(l.State()), l.Accepted()
		}
		if !slices.Equal(states[0], states[1]) || accepted[0] != accepted[1] {
			t.Errorf("%s: τ = 2: %v, %v accepted: must be %v, %v", name, states[1], accepted[1], states[0], accepted[0])
		}
		if a := accepted[0]; (o.Rule == sampling.Metropolis) != (a > .5 && a < .999) || o.Rule != sampling.Metropolis && a != 1 {
			t.Errorf("%s: accepted %v", name, a)
		}
	}
}

// quadratic is E = ½xᵀHx.
func quadratic(t testing.TB) *dynamics.Gaussian {
	t.Helper()
	g, err := dynamics.NewGaussian(mat.NewSymDense(2, []float64{2, .9, .9, 1}), []float64{1, -1})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestLangevinGaussian: for a quadratic energy Averaged is exact, and EulerMaruyama has the
// covariance T H⁻¹(1 − dt H/2)⁻¹; dt = .5 makes the difference large.
func TestLangevinGaussian(t *testing.T) {
	const dt, temperature = .5, .7
	g := quadratic(t)
	euler := mat.NewDense(2, 2, []float64{1 - dt, -.45 * dt, -.45 * dt, 1 - dt/2})
	if err := euler.Inverse(euler); err != nil {
		t.Fatal(err)
	}
	euler.Mul(g.Covariance(), euler)
	for _, c := range []struct {
		rule sampling.LangevinRule
		cov  mat.Matrix
	}{{sampling.EulerMaruyama, euler}, {sampling.Averaged, g.Covariance()}, {sampling.Metropolis, g.Covariance()}} {
		l, err := sampling.NewLangevin(g, sampling.LangevinOptions{Dt: dt, Temperature: temperature, Rule: c.rule, Chains: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Reset(nil, streams(1000, c.rule.String())); err != nil {
			t.Fatal(err)
		}
		m, _ := estimate.NewRealMoments(2)
		if err := sampling.RunReal(context.Background(), l, sampling.RealSchedule{Warmup: 100, Duration: 500, Every: 5}, m); err != nil {
			t.Fatal(err)
		}
		mean, se, _ := m.Mean()
		cov, covSE, _ := m.Cov()
		for i := range 2 {
			if !(math.Abs(mean[i]-g.Mean()[i]) < 5*se[i]) {
				t.Errorf("%v: mean %d is %v ± %v: must be %v", c.rule, i, mean[i], se[i], g.Mean()[i])
			}
			for j := range 2 {
				if want := temperature * c.cov.At(i, j); !(math.Abs(cov.At(i, j)-want) < 5*covSE.At(i, j)) {
					t.Errorf("%v: covariance %d,%d is %v ± %v: must be %v", c.rule, i, j, cov.At(i, j), covSE.At(i, j), want)
				}
			}
		}
	}
}

// TestLangevinColdRun: at T = 0 every rule but Metropolis is gradient descent, without a
// source, with the bits of a noise-free step.
func TestLangevinColdRun(t *testing.T) {
	for _, o := range []sampling.LangevinOptions{{Dt: .1}, {Dt: .1, Rule: sampling.Averaged}, {Dt: .1, Precondition: true}} {
		l, err := sampling.NewLangevin(bent{.5}, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Reset([]float64{2, -1}, nil); err != nil {
			t.Fatal(err)
		}
		if err := l.Advance(.1); err != nil {
			t.Fatal(err)
		}
		want := []float64{2, -1}
		g := make([]float64, 2)
		bent{}.Gradient(g, want)
		if o.Precondition {
			var inv mat.Dense
			p := mat.NewSymDense(2, nil)
			bent{.5}.Precondition(p, want)
			if err := inv.Inverse(p); err != nil {
				t.Fatal(err)
			}
			g = []float64{inv.At(0, 0)*g[0] + inv.At(0, 1)*g[1], inv.At(1, 0)*g[0] + inv.At(1, 1)*g[1]}
		}
		for i := range want {
			want[i] -= .1 * g[i]
			if o.Precondition && math.Abs(l.State()[i]-want[i]) > 1e-15 || !o.Precondition && l.State()[i] != want[i] {
				t.Errorf("%+v: variable %d is %v: must be %v", o, i, l.State()[i], want[i])
			}
		}
		// It ends in the minimum.
		if err := l.Advance(500); err != nil {
			t.Fatal(err)
		}
		bent{}.Gradient(g, l.State())
		if math.Abs(g[0])+math.Abs(g[1]) > 1e-12 {
			t.Errorf("%+v: gradient %v at the end", o, g)
		}
	}
}

// TestLangevinSeeds: the same sources give the same bits, and a chain does not depend on those
// beside it.
func TestLangevinSeeds(t *testing.T) {
	for _, o := range []sampling.LangevinOptions{{Dt: .1}, {Dt: .1, Rule: sampling.Averaged}, {Dt: .4, Rule: sampling.Metropolis},
		{Dt: .1, Precondition: true}, {Dt: .4, Precondition: true, Rule: sampling.Metropolis}} {
		o.Temperature = 1
		run := func(first, chains int) []float64 {
			o.Chains = chains
			l, err := sampling.NewLangevin(bent{.8}, o)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // a second Reset begins anew
				if err := l.Reset(nil, streams(first+chains, "seed")[first:]); err != nil {
					t.Fatal(err)
				}
				if l.Time() != 0 {
					t.Errorf("%+v: time %v after Reset: must be 0", o, l.Time())
				}
				if err := l.Advance(20); err != nil {
					t.Fatal(err)
				}
			}
			return slices.Clone(l.State())
		}
		all := run(0, 3)
		for c := range 3 {
			if one := run(c, 1); !slices.Equal(one, all[2*c:2*c+2]) {
				t.Errorf("%+v: chain %d is %v alone and %v of three", o, c, one, all[2*c:2*c+2])
			}
		}
	}
}

// TestLangevinSteps: the first steps of the rules without rejection are the formulas, with the numbers
// of the source in order; τ scales time.
func TestLangevinSteps(t *testing.T) {
	const dt, tau, temperature = .2, 4., .5
	for _, rule := range []sampling.LangevinRule{sampling.EulerMaruyama, sampling.Averaged} {
		l, err := sampling.NewLangevin(bent{}, sampling.LangevinOptions{Dt: dt, Tau: tau, Temperature: temperature, Rule: rule})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Reset([]float64{1, -1}, streams(1, "steps")); err != nil {
			t.Fatal(err)
		}
		r := rand.New(streams(1, "steps")[0])
		draw := func() []float64 { return []float64{r.NormFloat64(), r.NormFloat64()} }
		var xi []float64
		if rule == sampling.Averaged {
			xi = draw()
		}
		x, g := []float64{1, -1}, make([]float64, 2)
		for k := 1; k <= 3; k++ {
			bent{}.Gradient(g, x)
			noise := draw()
			for i := range x {
				n := noise[i]
				if rule == sampling.Averaged {
					n = (xi[i] + noise[i]) / 2
				}
				x[i] += -dt/tau*g[i] + math.Sqrt(2*temperature*dt/tau)*n
			}
			xi = noise
			if err := l.Advance(float64(k) * dt); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				if math.Abs(l.State()[i]-x[i]) > 1e-14 {
					t.Errorf("%v, step %d: variable %d is %v: must be %v", rule, k, i, l.State()[i], x[i])
				}
			}
		}
	}
}

// cliff has no energy beyond 1.
type cliff struct{}

func (cliff) Dim() int { return 1 }
func (cliff) Energy(dst, x []float64) {
	for i, v := range x {
		if dst[i] = v * v / 2; v > 1 {
			dst[i] = math.Inf(1)
		}
	}
}
func (cliff) Gradient(dst, x []float64)                    { copy(dst, x) }
func (cliff) Drift(dst, x []float64, _ float64)            { dst[0] = -x[0] }
func (cliff) Precondition(p *mat.SymDense, x []float64)    { p.SetSym(0, 0, .5-x[0]) }
func (cliff) Divergence(dst, _ []float64, _ mat.Symmetric) { clear(dst) }

// TestLangevinWalls: Metropolis never leaves the region where the energy is finite. Mean of a
// normal variable cut off above 1: −φ(1)/Φ(1).
func TestLangevinWalls(t *testing.T) {
	l, err := sampling.NewLangevin(cliff{}, sampling.LangevinOptions{Dt: .5, Temperature: 1, Rule: sampling.Metropolis, Chains: 500})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reset(nil, streams(500, "walls")); err != nil {
		t.Fatal(err)
	}
	m, _ := estimate.NewRealMoments(1)
	if err := sampling.RunReal(context.Background(), l, sampling.RealSchedule{Warmup: 50, Duration: 200, Every: 2}, m); err != nil {
		t.Fatal(err)
	}
	if slices.Max(l.State()) > 1 {
		t.Error("a chain is beyond the wall")
	}
	mean, se, _ := m.Mean()
	want := -math.Exp(-.5) / math.Sqrt(2*math.Pi) / (.5 * math.Erfc(-math.Sqrt(.5)))
	if math.Abs(mean[0]-want) > 5*se[0] {
		t.Errorf("mean %v ± %v: must be %v", mean[0], se[0], want)
	}
}

func TestLangevinRefusals(t *testing.T) {
	nan := math.NaN()
	for name, o := range map[string]sampling.LangevinOptions{
		"step":        {},
		"step NaN":    {Dt: nan},
		"temperature": {Dt: 1, Temperature: -1},
		"tau":         {Dt: 1, Tau: -1},
		"chains":      {Dt: 1, Chains: -1},
		"rule":        {Dt: 1, Rule: 7},
		"cold":        {Dt: 1, Rule: sampling.Metropolis},
		"averaged":    {Dt: 1, Temperature: 1, Rule: sampling.Averaged, Precondition: true},
		"infinite":    {Dt: 1, Temperature: math.Inf(1)},
	} {
		if _, err := sampling.NewLangevin(bent{}, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := sampling.NewLangevin(nil, sampling.LangevinOptions{Dt: 1}); err == nil {
		t.Error("no energy: no error")
	}
	if _, err := sampling.NewLangevin(quadratic(t), sampling.LangevinOptions{Dt: 1, Precondition: true}); err == nil {
		t.Error("no preconditioner: no error")
	}
	l, err := sampling.NewLangevin(bent{}, sampling.LangevinOptions{Dt: 1, Temperature: 1, Chains: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Advance(1); err == nil {
		t.Error("Advance before Reset: no error")
	}
	src := streams(2, "x")
	for name, f := range map[string]func() error{
		"short start": func() error { return l.Reset([]float64{1}, src) },
		"start NaN":   func() error { return l.Reset([]float64{1, 2, nan, 3}, src) },
		"few sources": func() error { return l.Reset(nil, src[:1]) },
		"source nil":  func() error { return l.Reset(nil, []rand.Source{src[0], nil}) },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// A preconditioner that stops being positive definite, and an energy without a start.
	p, err := sampling.NewLangevin(cliff{}, sampling.LangevinOptions{Dt: .1, Precondition: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Reset([]float64{.9}, nil); err == nil {
		t.Error("P < 0: no error")
	}
	w, err := sampling.NewLangevin(cliff{}, sampling.LangevinOptions{Dt: .1, Temperature: 1, Rule: sampling.Metropolis})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Reset([]float64{2}, src[:1]); err == nil {
		t.Error("start without energy: no error")
	}
	// A Reset that failed, or was left out, is noticed.
	for _, temperature := range []float64{0, 1} {
		l, err := sampling.NewLangevin(bent{}, sampling.LangevinOptions{Dt: .1, Chains: 2, Temperature: temperature})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Advance(1); err == nil {
			t.Errorf("temperature %v: not Reset: no error", temperature)
		}
	}
	l, err = sampling.NewLangevin(bent{}, sampling.LangevinOptions{Dt: .1, Chains: 2, Temperature: 1, Rule: sampling.Metropolis})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reset(nil, []rand.Source{streams(1, "x")[0], nil}); err == nil {
		t.Error("a source that is nil: no error")
	}
	if err := l.Advance(1); err == nil {
		t.Error("after a Reset that failed: no error")
	}
}

var errRefused = errors.New("refused")

type refusing struct{}

func (refusing) RecordReal(float64, []float64, int) error { return errRefused }

func TestRunReal(t *testing.T) {
	l, err := sampling.NewLangevin(bent{}, sampling.LangevinOptions{Dt: .1, Chains: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reset([]float64{1, 1, 2, 2}, nil); err != nil {
		t.Fatal(err)
	}
	s, _ := estimate.NewRealSeries(2)
	calls := 0
	sch := sampling.RealSchedule{Warmup: 1, Duration: 2, Every: .5, OnProgress: func(p sampling.Progress) {
		calls++
		if p.Total != 3 {
			t.Errorf("progress %+v", p)
		}
	}}
	if err := sampling.RunReal(context.Background(), l, sch, s); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1.5, 2, 2.5, 3} {
		if math.Abs(s.Times()[i]-want) > 1e-12 {
			t.Errorf("times %v", s.Times())
		}
	}
	if len(s.Times()) != 4 || calls != 4 || len(s.Variable(1)[1]) != 4 {
		t.Errorf("%d states, %d calls", len(s.Times()), calls)
	}
	// A second run goes on from there; progress counts from its begin.
	var last sampling.Progress
	sch.OnProgress = func(p sampling.Progress) { last = p }
	if err := sampling.RunReal(context.Background(), l, sch, s); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1.5, 2, 2.5, 3, 4.5, 5, 5.5, 6} {
		if math.Abs(s.Times()[i]-want) > 1e-12 {
			t.Errorf("times %v", s.Times())
		}
	}
	if math.Abs(last.Time-3) > 1e-12 {
		t.Errorf("at the end: %+v", last)
	}
	if err := sampling.RunReal(context.Background(), l, sch, refusing{}); !errors.Is(err, errRefused) {
		t.Errorf("a recorder that fails: %v", err)
	}
	// Every step once, whatever the step and the warm-up: sums are rounded, steps are not.
	for _, dt := range []float64{.1, .05, .3, .025, .7, .01} {
		for _, warmup := range []float64{0, 10, 20, 33.3, 7} {
			l, err := sampling.NewLangevin(bent{}, sampling.LangevinOptions{Dt: dt})
			if err != nil {
				t.Fatal(err)
			}
			s, _ := estimate.NewRealSeries(2)
			if err := errors.Join(l.Reset(nil, nil), sampling.RunReal(context.Background(), l, sampling.RealSchedule{Warmup: warmup, Duration: 1000 * dt, Every: dt}, s)); err != nil {
				t.Fatal(err)
			}
			for i, at := range s.Times()[1:] {
				if math.Abs(at-s.Times()[i]-dt) > 1e-9 {
					t.Fatalf("dt %v, warm-up %v: state %d at %v, the one before at %v", dt, warmup, i+1, at, s.Times()[i])
				}
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := sampling.RunReal(ctx, l, sch, s); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, bad := range []sampling.RealSchedule{{Duration: 1}, {Every: 1}, {Duration: 1, Every: 2}, {Duration: 1, Every: math.NaN()}, {Warmup: -1, Duration: 1, Every: 1}} {
		if err := sampling.RunReal(context.Background(), l, bad, s); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
	// An explosion names unit and time.
	boom, err := sampling.NewLangevin(quadratic(t), sampling.LangevinOptions{Dt: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := boom.Reset([]float64{1, 1}, nil); err != nil {
		t.Fatal(err)
	}
	err = sampling.RunReal(context.Background(), boom, sampling.RealSchedule{Duration: 1e5, Every: 10})
	var d *dynamics.DivergedError
	if !errors.As(err, &d) || !(d.Time > 0) {
		t.Errorf("%v", err)
	}
}

func TestLangevinAllocatesNothing(t *testing.T) {
	for _, o := range []sampling.LangevinOptions{{Dt: .1}, {Dt: .1, Rule: sampling.Averaged}, {Dt: .1, Rule: sampling.Metropolis},
		{Dt: .1, Precondition: true}, {Dt: .1, Precondition: true, Rule: sampling.Metropolis}} {
		o.Temperature, o.Chains = 1, 4
		l, err := sampling.NewLangevin(bent{.5}, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Reset(nil, streams(4, "a")); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(50, func() { _ = l.Advance(l.Time() + .1) }); n != 0 {
			t.Errorf("%+v: %v allocations a step", o, n)
		}
	}
}

func BenchmarkLangevin(b *testing.B) {
	for _, c := range []struct {
		name string
		o    sampling.LangevinOptions
	}{{"plain", sampling.LangevinOptions{}}, {"averaged", sampling.LangevinOptions{Rule: sampling.Averaged}},
		{"metropolis", sampling.LangevinOptions{Rule: sampling.Metropolis}}, {"preconditioned", sampling.LangevinOptions{Precondition: true}}} {
		b.Run(c.name, func(b *testing.B) {
			c.o.Dt, c.o.Temperature, c.o.Chains = .1, 1, 100
			l, err := sampling.NewLangevin(bent{.5}, c.o)
			if err != nil {
				b.Fatal(err)
			}
			if err := l.Reset(nil, streams(100, "b")); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := l.Advance(l.Time() + .1); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200, "ns/variable-step")
		})
	}
}

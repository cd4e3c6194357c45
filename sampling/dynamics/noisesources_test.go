package dynamics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// countSource counts the words that are drawn.
type countSource struct {
	rand.Source
	n int
}

func (c *countSource) Uint64() uint64 { c.n++; return c.Source.Uint64() }

// moments are the mean, variance and excess kurtosis of x.
func moments(x []float64) (mean, variance, kurtosis float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	m4 := 0.0
	for _, v := range x {
		d := (v - mean) * (v - mean)
		variance += d / n
		m4 += d * d / n
	}
	return mean, variance, m4/(variance*variance) - 3
}

// near fails if got is more than 5 standard errors away (6e-7 of false alarm).
func near(t *testing.T, name string, got, want, se float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 5*se) {
		t.Errorf("%s is %v: must be %v ± %v", name, got, want, se)
	}
}

func TestWhite(t *testing.T) {
	const n = 200000
	w, err := NewWhite[float64](3, .04)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = 1
	}
	w.Add(x, rand.New(rand.NewPCG(1, 2)))
	mean, variance, kurtosis := moments(x)
	near(t, "mean", mean, 1, .6/math.Sqrt(n))
	near(t, "variance", variance, 9*.04, .36*math.Sqrt(2./n))
	near(t, "excess kurtosis", kurtosis, 0, math.Sqrt(24./n))
}

// TestOU: stationary from the start, with the right correlation, for any step.
func TestOU(t *testing.T) {
	const n = 100000
	for _, dt := range []float64{.1, 2, 50} {
		o, err := NewOU[float64](2, 5, dt)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, uint64(dt*10)))
		x, first := make([]float64, n), make([]float64, n)
		o.Start(first, r)
		copy(x, first)
		for range 3 {
			o.Step(x, r)
		}
		mean, variance, _ := moments(x)
		near(t, "mean", mean, 0, 2/math.Sqrt(n))
		near(t, "variance", variance, 4, 4*math.Sqrt(2./n))
		cov := 0.0
		for i := range x {
			cov += x[i] * first[i] / n
		}
		c := math.Exp(-3 * dt / 5)
		near(t, "covariance over three steps", cov, 4*c, 4*math.Sqrt((1+c*c)/n))
	}
}

// TestOURounding: in single precision the kicks go with the rounded decay, so that the variance is right
// for short steps too.
func TestOURounding(t *testing.T) {
	for _, dt := range []float64{1e-6, 1e-5, 1e-3, .1, 3} {
		o, err := NewOU[float32](2, 1, dt)
		if err != nil {
			t.Fatal(err)
		}
		a, k := float64(o.decay), float64(o.kick)
		if v := k * k / ((1 - a) * (1 + a)); math.Abs(v-4) > 4*3e-7 {
			t.Errorf("dt = %v τ: stationary variance %v: must be 4", dt, v)
		}
	}
	// In double precision nothing is rounded away.
	o, err := NewOU[float64](2, 1, 1e-9)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * math.Sqrt(2e-9*(1-1e-9)); math.Abs(o.kick-want) > 1e-12*want {
		t.Errorf("kick %v: must be %v", o.kick, want)
	}
}

// TestShot: variance νw²/2a, mean νw/a and excess kurtosis a/ν of a leaky unit, for ν/a = 1,
// 5, 20. The decay is exact; kicks fall at the end of steps, which are short.
func TestShot(t *testing.T) {
	const n, dt, tau, w = 100000, .02, 1., .7
	for _, ratio := range []float64{1, 5, 20} {
		for _, balanced := range []bool{false, true} {
			s, err := NewShot[float64](Poisson{Rate: 1000 * ratio / tau, Weight: w}, dt, balanced)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(7, uint64(ratio)))
			x := make([]float64, n)
			d := math.Exp(-dt / tau)
			for range 500 { // 10 τ
				for i := range x {
					x[i] *= d
				}
				s.Add(x, r)
			}
			// Cumulants of Σ_k d^k N_k w: κ_m = ν dt w^m/(1 − d^m); odd ones vanish if balanced.
			k := func(m float64) float64 { return ratio / tau * dt * math.Pow(w, m) / -math.Expm1(-m*dt/tau) }
			want, k2, g := k(1), k(2), k(4)/(k(2)*k(2))
			if balanced {
				want = 0
			}
			mean, variance, _ := moments(x)
			near(t, "mean", mean, want, math.Sqrt(k2/n))
			near(t, "variance", variance, k2, math.Sqrt((k(4)+2*k2*k2)/n))
			// The fourth power about the true mean has no bias, and an error that can be seen.
			fourth := make([]float64, n)
			for i, v := range x {
				fourth[i] = math.Pow((v-want)/math.Sqrt(k2), 4) - 3
			}
			kurtosis, spread, _ := moments(fourth)
			near(t, "excess kurtosis", kurtosis, g, math.Sqrt(spread/n))
			if math.Abs(g-1/ratio) > .03/ratio || math.Abs(k2-ratio*w*w/2) > .03*k2 {
				t.Errorf("ν/a = %v: kurtosis %v, variance %v: must be near the closed forms", ratio, g, k2)
			}
			t.Logf("ν/a = %v, balanced %v: excess kurtosis %.3f (closed form %.3f), variance %.4f (%.4f)", ratio, balanced, kurtosis, 1/ratio, variance, ratio*w*w/2)
		}
	}
}

func TestBernoulli(t *testing.T) {
	const n = 100000
	r := rand.New(rand.NewPCG(5, 5))
	p, z := make([]float32, n), make([]float32, n)
	for i := range p {
		p[i] = []float32{-1, 0, .25, 1, 2}[i%5]
	}
	Bernoulli(z, p, r)
	sum := [5]float64{}
	for i, v := range z {
		if v != 0 && v != 1 {
			t.Fatalf("z[%d] = %v", i, v)
		}
		sum[i%5] += float64(v)
	}
	if sum[0] != 0 || sum[1] != 0 || sum[3] != n/5 || sum[4] != n/5 {
		t.Errorf("certain events: %v", sum)
	}
	near(t, "share", sum[2]/(n/5), .25, math.Sqrt(.25*.75/(n/5)))
}

// TestNoNoiseDrawsNothing: at strength 0 no number is drawn and signals keep their bits.
func TestNoNoiseDrawsNothing(t *testing.T) {
	src := &countSource{Source: rand.NewPCG(1, 1)}
	r := rand.New(src)
	white, err := NewWhite[float64](0, 1)
	if err != nil {
		t.Fatal(err)
	}
	ou, err := NewOU[float64](0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	shot, err := NewShot[float64](Poisson{Weight: 1}, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	zero := math.Copysign(0, -1)
	x := []float64{zero, 1}
	white.Add(x, r)
	shot.Add(x, r)
	ou.Step(x, r)
	if src.n != 0 || !math.Signbit(x[0]) || x[1] != 1 {
		t.Errorf("%d words drawn, x = %v", src.n, x)
	}
	ou.Start(x, r)
	if src.n != 0 || x[1] != 0 {
		t.Errorf("start of no noise: %v", x)
	}
}

func BenchmarkNoise(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 1000)
	ou, err := NewOU[float32](1, 10, .1)
	if err != nil {
		b.Fatal(err)
	}
	shot, err := NewShot[float32](Poisson{Rate: 400, Weight: 1}, .1, false)
	if err != nil {
		b.Fatal(err)
	}
	la, err := NewLookAhead[float32](1000, []float64{10}, []float64{9}, .1)
	if err != nil {
		b.Fatal(err)
	}
	y := make([]float32, 1000)
	for name, f := range map[string]func(){
		"OU":        func() { ou.Step(x, r) },
		"Shot":      func() { shot.Add(x, r) },
		"LookAhead": func() { la.Step(y, x, y) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/unit-step")
		})
	}
}

package lif

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g ± %g", what, got, want, tol)
	}
}

func TestFirstPassage(t *testing.T) {
	for _, c := range []struct{ x, a, want float64 }{
		{-1, 0, 0.9019080127}, {0, 1, 2.0934066497}, {-2, 0.5, 2.2093680616}, {0, 2, 10.428409398},
	} {
		near(t, "T_fp", firstPassage(c.x, c.a), c.want, 1e-6*c.want)
	}
	// The series joins the direct form.
	near(t, "expErfc", expErfc(-25.0000001), expErfc(-24.9999999), 1e-9)
}

func TestBurstTheory(t *testing.T) {
	for _, c := range []struct{ theta, reset, eps, ref, full, simple float64 }{
		{0.5, 0.4, 0.1, 1, 0.43044, 0.619335},
		{0, -0.1, 0.02, 1, 0.71776, 0.787824},
		{-1, -1.2, 0.02, 1, 0.93954, 0.962231},
		{1.5, 1.45, 0.1, 1, 0.11834, 0.241819},
		{0.4, 0.3, 0.05, 2, 0.65083, 0.758202},
	} {
		b := burst{c.theta, c.reset, c.eps, c.ref}
		full, err := b.on(false)
		if err != nil {
			t.Fatal(err)
		}
		simple, _ := b.on(true)
		near(t, "p_on", full, c.full, 5e-5)
		near(t, "p_on without drift and shift", simple, c.simple, 1e-6)
	}
}

func TestMoments(t *testing.T) {
	for _, c := range []struct {
		name         string
		s            Setup
		e            float64
		mu, sd       float64
		gtot, tauEff float64
		time         float64
	}{
		{"Tutorial-CUBA", TutorialCUBA(), -50, -50, 0.0150755672, 0.2, 1, 11.054},
		{"Tutorial-COBA", TutorialCOBA(), -50, -50, 1.0149974287, 0.26, 0.7692307692, 10.800},
		{"Petrovici-COBA", Petrovici2016(), -52, -54.9670329670, 2.9597706543, 0.455, 0.2197802198, 10.222},
		{"Dold-COBA", Dold2019(), -65, -67.3684210526, 1.6868540974, 0.19, 0.1 / 0.19, 10.541},
	} {
		m, err := c.s.FreePotential(c.e)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.name+" µ", m.Mean, c.mu, 1e-9)
		near(t, c.name+" σ", m.SD, c.sd, 1e-9)
		near(t, c.name+" g_tot", m.GTot, c.gtot, 1e-9)
		near(t, c.name+" τ_eff", m.TauEff, c.tauEff, 1e-9)
		near(t, c.name+" correlation time", m.CorrelationTime(), c.time, 1e-3)
	}
}

// TestActivationEnds: the analytic activation function rises, without a jump, through the
// potentials at which the burst equation gives way to its limits.
func TestActivationEnds(t *testing.T) {
	for _, name := range SetupNames() {
		s, err := NamedSetup(name)
		if err != nil {
			t.Fatal(err)
		}
		last := 0.0
		for i := range 73 {
			x := float64(i)/4 - 9 - 1e-11 // distance from threshold in σ
			m := s.freePotential(s.Neuron.Theta)
			e := s.Neuron.Theta + (s.Neuron.Theta-m.Mean+x*m.SD)*m.GTot/s.Neuron.GLeak()
			p, err := s.Activation(e)
			if err != nil {
				t.Fatalf("%s at %.2f σ: %v", name, x, err)
			}
			if p < last-2e-3 || p > last+0.15 {
				t.Errorf("%s at %.2f σ: %v after %v", name, x, p, last)
			}
			last = p
		}
	}
}

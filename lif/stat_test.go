package lif

import (
	"fmt"
	"math"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Statistical tests. Seeds are fixed; tolerances are those of the published acceptance
// figures, each at least four standard errors wide, so a right implementation fails one
// of them with a probability below 1e-4.

// TestFreePotential compares the free membrane potential of 200 neurons × 6 s with the
// diffusion limit: n_eff ≈ 6e4, so the standard error of σ is 0.3 %.
func TestFreePotential(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Setup
		e    float64
		tol  float64
	}{
		{"Tutorial-CUBA", TutorialCUBA(), -50, 0.015},
		{"Tutorial-COBA", TutorialCOBA(), -50, 0.015},
		{"Petrovici-COBA", Petrovici2016(), -52, 0.02},
		{"Dold-COBA", Dold2019(), -65, 0.015},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const neurons, warm, steps = 200, 2000, 60000
			rest, units := make([]float64, neurons), make([]int, neurons)
			for k := range rest {
				rest[k], units[k] = c.e, k
			}
			n, err := NewNetwork(c.s, rest, nil, NetworkOptions{NoThreshold: true, Trace: units, TraceDuration: (warm + steps) * 0.1})
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Reset(nil, rng.Stream(1, c.name)); err != nil {
				t.Fatal(err)
			}
			run(t, n, (warm+steps)*0.1)
			tr := n.Trace()[warm*neurons:]
			m, _ := c.s.FreePotential(c.e)
			var s, s2 float64
			for _, u := range tr {
				s += u - m.Mean
				s2 += (u - m.Mean) * (u - m.Mean)
			}
			cnt := float64(len(tr))
			mean, v := s/cnt, s2/cnt-s*s/cnt/cnt
			sd := math.Sqrt(v)
			t.Logf("µ − theory %.4f σ, σ/theory %.4f", mean/m.SD, sd/m.SD)
			near(t, "σ/theory", sd/m.SD, 1, c.tol)
			near(t, "µ − theory [σ]", mean/m.SD, 0, 0.05)
			// Lag at which the pooled autocovariance falls to v/e, interpolated.
			cov := func(lag int) float64 {
				sum, n := 0.0, 0
				for i := 0; i+lag < steps; i += 3 {
					a, b := tr[i*neurons:(i+1)*neurons], tr[(i+lag)*neurons:(i+lag+1)*neurons]
					for k := range a {
						sum += (a[k] - m.Mean - mean) * (b[k] - m.Mean - mean)
					}
					n += neurons
				}
				return sum / float64(n) / v
			}
			want := m.CorrelationTime()
			l := int(want * 10)
			lo, hi := l-8, l+8
			a, b := cov(lo), cov(hi)
			if !(a > 1/math.E && b < 1/math.E) {
				t.Fatalf("autocorrelation %.4f at %.1f ms, %.4f at %.1f ms: 1/e must lie between", a, float64(lo)/10, b, float64(hi)/10)
			}
			f := math.Log(a*math.E) / math.Log(a/b)
			got := (float64(lo) + f*float64(hi-lo)) / 10
			t.Logf("1/e time %.3f ms, theory %.3f ms", got, want)
			near(t, "1/e time/theory", got/want, 1, 0.03)
		})
	}
}

// calibrated are the published values of the fit of every named set.
var calibrated = []struct {
	name         string
	vHalf, alpha float64
}{
	{"tutorial-coba", -50.607, 0.790},
	{"tutorial-cuba", -50.0058, 0.00920},
	{"petrovici-coba", 62, 165},
	{"dold-coba", -37.82, 2.69},
	{"leng-coba", -50.0282, 0.0302},
	{"leng-cuba", -50.00053, 6.29e-4},
}

// TestCalibrate measures every named set, 60 points × 1e5 ms (standard error 0.02 α in
// v_½, 1 % in α), compares it with the published fit, with the analytic one and with the
// calibration that the library stores.
func TestCalibrate(t *testing.T) {
	for _, c := range calibrated {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := NamedSetup(c.name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Calibrate(t.Context(), s, CalibrateOptions{Pairs: -1, Seed: 99})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("v_½ %.5g ± %.2g (published %.5g), α %.4g ± %.2g (%.4g), rms %.4f",
				got.VHalf, got.VHalfSE, c.vHalf, got.Alpha, got.AlphaSE, c.alpha, got.RMS)
			near(t, "v_½ [α]", (got.VHalf-c.vHalf)/c.alpha, 0, 0.08)
			near(t, "α/published", got.Alpha/c.alpha, 1, 0.04)
			if got.RMS > 0.015 {
				t.Errorf("rms residual %.4f: must be ≤ 0.015", got.RMS)
			}
			an, err := CalibrateAnalytic(s)
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for _, p := range got.Points {
				q, err := s.Activation(p.E)
				if err != nil {
					t.Fatal(err)
				}
				worst = math.Max(worst, math.Abs(q-p.P))
			}
			t.Logf("analytic: max |Δp| %.3f, Δv_½ %+.3f α, α ratio %.3f", worst, (an.VHalf-got.VHalf)/got.Alpha, an.Alpha/got.Alpha)
			near(t, "analytic − simulated activation", worst, 0, 0.05)
			near(t, "analytic v_½ [α]", (an.VHalf-got.VHalf)/got.Alpha, 0, 0.2)
			near(t, "analytic α/simulated", an.Alpha/got.Alpha, 0.975, 0.045)

			st, err := StoredCalibration(s)
			if err != nil {
				t.Fatal(err)
			}
			// Two independent measurements: 4.5 standard errors of their difference.
			near(t, "stored v_½", st.VHalf, got.VHalf, 4.5*math.Hypot(st.VHalfSE, got.VHalfSE))
			near(t, "stored α", st.Alpha, got.Alpha, 4.5*math.Hypot(st.AlphaSE, got.AlphaSE))
		})
	}
}

// dkl samples m for t [ms] and returns the divergence of the joint law from the exact one.
func dkl(t *testing.T, smp sampling.Sampler, m sampling.Model, d float64, seed uint64) float64 {
	t.Helper()
	p, err := boltzmann.Joint(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := smp.Reset(nil, rng.Stream(seed, "dkl")); err != nil {
		t.Fatal(err)
	}
	units := identity(m.Dim())
	j, err := estimate.NewJoint(units...)
	if err != nil {
		t.Fatal(err)
	}
	if err := sampling.Run(t.Context(), smp, sampling.Schedule{Warmup: 500, Duration: d}, j); err != nil {
		t.Fatal(err)
	}
	v, err := j.DKL(p)
	if err != nil {
		t.Fatal(err)
	}
	return v.X
}

// meanDKL is the mean over seeds.
func meanDKL(t *testing.T, s Setup, o Options, m *boltzmann.Machine, d float64, seeds int) float64 {
	t.Helper()
	sum := 0.0
	for seed := range seeds {
		smp, err := NewSampler(m, s, o)
		if err != nil {
			t.Fatal(err)
		}
		sum += dkl(t, smp, m, d, uint64(seed))
	}
	return sum / float64(seeds)
}

// TestFidelity is the library's main claim: D(sampled‖target) of the reference machines
// after 1e6 ms, mean of 4 seeds, for the three translations.
func TestFidelity(t *testing.T) {
	for _, name := range []string{"tutorial-cuba", "tutorial-coba"} {
		for _, c := range []struct {
			n      int
			tr     Translation
			lo, hi float64
		}{
			{5, Published, 0.003, 0.010}, {5, TailCorrected, 0, 0.0016}, {5, PairCalibrated, 0, 0.0010},
			{10, Published, 0.012, 0.035}, {10, TailCorrected, 0, 0.009}, {10, PairCalibrated, 0, 0.009},
		} {
			t.Run(fmt.Sprintf("%s/REF%d/%v", name, c.n, c.tr), func(t *testing.T) {
				t.Parallel()
				s, _ := NamedSetup(name)
				d := meanDKL(t, s, Options{Translation: c.tr}, boltzmann.REF(c.n), 1e6, 4)
				t.Logf("D = %.5f", d)
				if !(d >= c.lo && d <= c.hi) {
					t.Errorf("D = %.5f: must be in [%g, %g]", d, c.lo, c.hi)
				}
			})
		}
	}
}

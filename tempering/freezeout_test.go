package tempering

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
)

func TestFreezeOut(t *testing.T) {
	T, se, err := FreezeOut([]float64{-1, 0, .5, 1.5}, []float64{-2, 0, 1, 3})
	if err != nil || T != 2 || se != 0 {
		t.Errorf("T_f = %v ± %v, %v: must be exactly 2", T, se, err)
	}
	// y = x/2 ± .1 at x = 1, 2: slope (1·.6+2·.9)/5 = .48, residuals .12, −.06.
	T, se, err = FreezeOut([]float64{.6, .9}, []float64{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "T_f", T, 1/.48, 1e-12)
	closeTo(t, "se", se, math.Sqrt((.12*.12+.06*.06)/5)/(.48*.48), 1e-12)
	for _, c := range []struct {
		s, e  []float64
		words []string
	}{
		{nil, nil, []string{"at least 2"}}, {[]float64{1}, []float64{1}, []string{"at least 2"}}, {[]float64{1, 2}, []float64{1, 2, 3}, []string{"2 sampled and 3 exact"}},
		{[]float64{1, math.Inf(1)}, []float64{1, 2}, []string{"log odds 1 are +Inf", "never seen"}}, {[]float64{1, 1}, []float64{math.NaN(), 2}, []string{"NaN"}},
		{[]float64{1, 2}, []float64{0, 0}, []string{"all exact log odds are 0"}}, {[]float64{-1, -2}, []float64{1, 2}, []string{"must be positive"}},
		{[]float64{0, 0}, []float64{1, 2}, []string{"must be positive"}},
	} {
		T, se, err := FreezeOut(c.s, c.e)
		refused(t, "freeze-out", err, c.words...)
		if !math.IsNaN(T) || !math.IsNaN(se) {
			t.Errorf("T = %v, se = %v beside an error", T, se)
		}
	}
}

// TestFitTemperature: a law of that form is found exactly, and no law is further from the
// sampled one than the fit says.
func TestFitTemperature(t *testing.T) {
	tilted := func(m *boltzmann.Machine, T, delta float64) []float64 {
		p := law(m, 1/T)
		z := make([]uint8, m.Dim())
		sum := 0.0
		for s := range p {
			bits(z, s)
			for _, on := range z {
				p[s] *= math.Exp(delta * float64(on))
			}
			sum += p[s]
		}
		for s := range p {
			p[s] /= sum
		}
		return p
	}
	rapid.Check(t, func(t *rapid.T) {
		m := bmS(rapid.IntRange(2, 6).Draw(t, "n"), rapid.Float64Range(.2, 2).Draw(t, "A"))
		T, delta := rapid.Float64Range(.3, 5).Draw(t, "T"), rapid.Float64Range(-2, 2).Draw(t, "delta")
		f, err := FitTemperature(m, tilted(m, T, delta))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(f.T/T-1) > 1e-6 || math.Abs(f.Delta-delta) > 1e-6 || f.DKL > 1e-9 {
			t.Fatalf("T = %v, δ = %v fitted as %+v", T, delta, f)
		}
	})
	m := bmS(4, 1)
	p := law(m, 1)
	p[3], p[5] = p[3]+p[5]/2, p[5]/2 // no longer of the form
	f := must(FitTemperature(m, p))
	for _, d := range []float64{-.01, .01} {
		for _, q := range [][]float64{tilted(m, f.T+d, f.Delta), tilted(m, f.T, f.Delta+d)} {
			kl := 0.0
			for s := range p {
				kl += p[s] * math.Log(p[s]/q[s])
			}
			if kl <= f.DKL {
				t.Errorf("fit %+v, but a neighbour has D = %v", f, kl)
			}
		}
	}
	flat := must(boltzmann.New(m.W(), m.B()))
	for _, c := range []struct {
		p     []float64
		words []string
	}{
		{p[:8], []string{"8 states with 4 units"}}, {make([]float64, 16), []string{"sums to 0"}},
		{append([]float64{-.1, 1.1}, make([]float64, 14)...), []string{"p[0] = -0.1"}},
		{append([]float64{math.NaN()}, p[1:]...), []string{"NaN"}},
	} {
		_, err := FitTemperature(flat, c.p)
		refused(t, "fit", err, c.words...)
	}
	_, err := FitTemperature(nil, p)
	refused(t, "fit", err, "model is nil")
	_, err = FitTemperature(forbidden{}, []float64{.25, .25, .25, .25})
	refused(t, "fit", err, "energy of state", "finite")
	// All mass on one state: the likelihood has no maximum.
	corner := make([]float64, 16)
	corner[15] = 1
	_, err = FitTemperature(m, corner)
	refused(t, "fit of one state", err, "no single maximum")
}

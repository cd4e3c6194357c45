package estimate

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// fixedSeries is the fixed AR(1) data of boltzmann-baselines 5.10: 4 chains of n draws
// from sums of 12 draws of a linear congruential generator.
func fixedSeries(phi float64, n int) [][]float64 {
	series := make([][]float64, 4)
	for c := range series {
		s := uint32(12345 + 1000*c)
		x := 0.0
		for range n {
			g := 0.0
			for range 12 {
				s = 1664525*s + 1013904223
				g += float64(s) / (1 << 32)
			}
			x = phi*x + math.Sqrt(1-phi*phi)*(g-6)
			series[c] = append(series[c], x)
		}
	}
	return series
}

// TestFixedData: boltzmann-baselines 5.10, to its tolerances.
func TestFixedData(t *testing.T) {
	white := fixedSeries(0, 1000)
	for i, want := range []float64{-.55505411, 1.49447139, -.9090954} {
		if math.Abs(white[0][i]-want) > 1e-7 {
			t.Fatalf("draw %d is %v, want %v", i, white[0][i], want)
		}
	}
	red := fixedSeries(.9, 1000)
	shifted := fixedSeries(.9, 1000)
	for i := range shifted[3] {
		shifted[3][i]++
	}
	for _, tc := range []struct {
		name                           string
		series                         [][]float64
		rhat, bulk, folded, essB, essT float64
	}{
		{"phi 0", white, 1.00111088, 1.00070372, 1.00111088, 3913.95, 4032.05},
		{"phi .9", red, 1.02766315, 1.02766315, 1.01119648, 142.938, 362.073},
		{"shifted", shifted, 1.06651273, 1.06651273, 1.02774324, 49.3852, 148.990},
	} {
		rhat, err1 := Rhat(tc.series)
		bulk, folded, err2 := RhatParts(tc.series)
		essB, err3 := ESSBulk(tc.series)
		essT, err4 := ESSTail(tc.series)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		for _, q := range []struct {
			name           string
			got, want, tol float64
		}{
			{"R-hat", rhat, tc.rhat, 1e-6}, {"bulk", bulk, tc.bulk, 1e-6}, {"folded", folded, tc.folded, 1e-6},
			{"ESS bulk", essB, tc.essB, .01}, {"ESS tail", essT, tc.essT, .01},
		} {
			if !(math.Abs(q.got-q.want) <= q.tol) {
				t.Errorf("%s: %s = %.9g, want %.9g ± %g", tc.name, q.name, q.got, q.want, q.tol)
			}
		}
	}
}

// normalAR is an AR(1) process with unit variance, started in its stationary law.
func normalAR(phi float64, chains, n int, src rand.Source) [][]float64 {
	r := rand.New(src)
	series := make([][]float64, chains)
	for c := range series {
		x := r.NormFloat64()
		for range n {
			series[c] = append(series[c], x)
			x = phi*x + math.Sqrt(1-phi*phi)*r.NormFloat64()
		}
	}
	return series
}

// TestAutoregressive: boltzmann-baselines 5.11, and the antithetic side, where τ < 1.
func TestAutoregressive(t *testing.T) {
	for _, phi := range []float64{.9, .3, -.5} {
		series := normalAR(phi, 4, 1e5, rng.Stream(1, "ar"))
		want := (1 + phi) / (1 - phi)
		tau, err := IACT(series)
		if err != nil || math.Abs(tau-want) > .08*want {
			t.Errorf("phi %v: IACT %v, %v; want %v ± 8 %%", phi, tau, err, want)
		}
		ess, err := ESSMean(series)
		if err != nil || math.Abs(4e5/ess-want) > .08*want {
			t.Errorf("phi %v: S/ESS %v, %v; want %v ± 8 %%", phi, 4e5/ess, err, want)
		}
	}
	// τ has the floor 1/log10 S.
	flip := make([]float64, 1000)
	for i := range flip {
		flip[i] = float64(i % 2)
	}
	if tau, err := IACT([][]float64{flip}); err != nil || tau != 1./3 {
		t.Errorf("IACT of an alternating chain = %v, %v; want 1/3", tau, err)
	}
}

// TestMCSECalibrated: over independent replications the squared error of the mean over
// MCSE² averages to 1. 400 replications: χ² with 400 degrees of freedom has a relative sd of
// 7 %, the error of τ adds about 5 % to each MCSE: 4.5 se = 35 % (false alarm 7e-6).
func TestMCSECalibrated(t *testing.T) {
	const reps = 400
	sum := 0.0
	for r := range reps {
		series := normalAR(.8, 2, 2000, rng.Stream(2, "mcse", r))
		se, err := MCSE(series)
		if err != nil {
			t.Fatal(err)
		}
		z := stat.Mean(pool(series), nil) / se
		sum += z * z / reps
	}
	if math.Abs(sum-1) > .35 {
		t.Errorf("mean z² = %.3f, want 1 ± .35", sum)
	}
}

// TestACFNaive compares the FFT with the defining sum.
func TestACFNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-10, 10), 1, 60).Draw(t, "x")
		maxLag := rapid.IntRange(0, len(x)-1).Draw(t, "maxLag")
		got, err := ACF(x, maxLag)
		if slices.Min(x) == slices.Max(x) {
			if !errors.Is(err, ErrConstant) {
				t.Fatalf("constant x: error %v", err)
			}
			return
		}
		if err != nil || len(got) != maxLag+1 {
			t.Fatalf("%d lags, error %v", len(got), err)
		}
		mean := stat.Mean(x, nil)
		cov := func(lag int) (s float64) {
			for i := range len(x) - lag {
				s += (x[i] - mean) * (x[i+lag] - mean)
			}
			return s
		}
		if cov(0) < 1e-12 {
			return // equal but for rounding
		}
		for lag := range got {
			if want := cov(lag) / cov(0); math.Abs(got[lag]-want) > 1e-9 {
				t.Fatalf("lag %d: %v, want %v", lag, got[lag], want)
			}
		}
	})
}

// TestRanks: average ranks with ties, and the plotting position.
func TestRanks(t *testing.T) {
	got := rankNormalise([][]float64{{3, 1}, {3, 7}})
	quantile := func(rank float64) float64 { return math.Sqrt2 * math.Erfinv(2*(rank-.375)/4.25-1) }
	for c, want := range [][]float64{{quantile(2.5), quantile(1)}, {quantile(2.5), quantile(4)}} {
		for i := range want {
			if math.Abs(got[c][i]-want[i]) > 1e-12 {
				t.Errorf("z[%d][%d] = %v, want %v", c, i, got[c][i], want[i])
			}
		}
	}
}

// TestTailTies: draws equal to a quantile are below it, and an indicator that does not vary
// does not count.
func TestTailTies(t *testing.T) {
	series := [][]float64{{0, 0, 1, 0, 2, 0, 0, 1}, {0, 1, 0, 0, 0, 2, 2, 0}} // q_5% = 0, q_95% = 2
	want, err := ess(split(mapped(series, func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return 0
	})))
	if got, err2 := ESSTail(series); err != nil || err2 != nil || got != want {
		t.Errorf("tail ESS %v, %v: want %v, %v", got, err2, want, err)
	}
}

// TestRankInvariance: ranks do not see a monotone map, nor the order of the chains.
func TestRankInvariance(t *testing.T) {
	series := fixedSeries(.5, 101) // odd: a middle draw is dropped
	bent := mapped(series, func(x float64) float64 { return math.Exp(3 * x) })
	slices.Reverse(bent)
	a, _, err1 := RhatParts(series)
	b, _, err2 := RhatParts(bent)
	e1, err3 := ESSBulk(series)
	e2, err4 := ESSBulk(bent)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if math.Abs(a-b) > 1e-12 || math.Abs(e1-e2) > 1e-9 {
		t.Errorf("R-hat %v and %v, ESS %v and %v: must be equal", a, b, e1, e2)
	}
	for c := range series {
		series[c][50] = 1e6 // the middle draw
	}
	if c, _, _ := RhatParts(series); math.Abs(a-c) > 1e-12 {
		t.Errorf("the middle draw of an odd chain changed the bulk R-hat from %v to %v", a, c)
	}
}

// diagnostics are the functions with the same requirements.
var diagnostics = map[string]func([][]float64) (float64, error){
	"Rhat": Rhat, "ESSBulk": ESSBulk, "ESSTail": ESSTail, "ESSMean": ESSMean, "MCSE": MCSE, "IACT": IACT,
}

func TestDegenerateSeries(t *testing.T) {
	third := 1. / 3 // a mean of thirds is not exact
	constant := [][]float64{slices.Repeat([]float64{third}, 10), slices.Repeat([]float64{third}, 10)}
	for name, f := range diagnostics {
		if v, err := f(constant); !errors.Is(err, ErrConstant) || !math.IsNaN(v) {
			t.Errorf("%s of a constant: %v, %v; want NaN, ErrConstant", name, v, err)
		}
	}
	middle := [][]float64{{third, third, third, 1, third, third, third}}
	for _, name := range []string{"Rhat", "ESSBulk", "ESSMean", "MCSE", "ESSTail"} {
		if v, err := diagnostics[name](middle); !errors.Is(err, ErrConstant) || !math.IsNaN(v) {
			t.Errorf("%s of halves that are constant: %v, %v; want NaN, ErrConstant", name, v, err)
		}
	}

	// Chains stuck apart: R-hat is infinite and the ESS below the number of chains.
	stuck := [][]float64{slices.Repeat([]float64{third}, 100), slices.Repeat([]float64{.1}, 100)}
	if v, err := Rhat(stuck); err != nil || !math.IsInf(v, 1) {
		t.Errorf("R-hat of stuck chains = %v, %v; want +Inf", v, err)
	}
	if v, err := ESSMean(stuck); err != nil || !(v < 4) {
		t.Errorf("ESS of stuck chains = %v, %v; want < 4", v, err)
	}

	// A fair coin: folding leaves nothing, and only one tail indicator varies.
	coin := [][]float64{{0, 1, 1, 0, 1, 0, 0, 1}, {1, 1, 0, 0, 0, 1, 0, 1}}
	bulk, folded, err := RhatParts(coin)
	if err != nil || !math.IsNaN(folded) || math.IsNaN(bulk) {
		t.Errorf("R-hat of a coin: bulk %v, folded %v, %v; want folded NaN", bulk, folded, err)
	}
	if v, err := Rhat(coin); err != nil || v != bulk {
		t.Errorf("R-hat of a coin = %v, %v; want %v", v, err, bulk)
	}
	if v, err := ESSTail(coin); err != nil || math.IsNaN(v) {
		t.Errorf("tail ESS of a coin = %v, %v", v, err)
	}
	for n := 4; n < 12; n++ { // the shortest chains give finite numbers
		for name, f := range diagnostics {
			if v, err := f(fixedSeries(.5, n)); err != nil && !errors.Is(err, ErrConstant) || err == nil && !(v > 0) {
				t.Errorf("%s of %d draws: %v, %v", name, n, v, err)
			}
		}
	}
}

func TestBadSeries(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for _, bad := range [][][]float64{
		nil, {}, {{}}, {{1, 2, 3}}, {{1, 2, 3, 4}, {1, 2, 3, 4, 5}}, {{1, 2, nan, 4}}, {{1, 2, 3, 4}, {1, 2, inf, 4}},
	} {
		for name, f := range diagnostics {
			if v, err := f(bad); err == nil || errors.Is(err, ErrConstant) || !math.IsNaN(v) {
				t.Errorf("%s(%v) = %v, %v: must be NaN with an error", name, bad, v, err)
			}
		}
	}
	for _, lag := range []int{-1, 3} {
		if _, err := ACF([]float64{1, 2, 4}, lag); err == nil {
			t.Errorf("ACF accepts lag %d of 3 draws", lag)
		}
	}
	if _, err := ACF(nil, 0); err == nil {
		t.Error("ACF accepts no draws")
	}
}

package tempering

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/lif"
)

// refused requires an error of the package with all those words.
func refused(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: accepted", what)
		return
	}
	for _, w := range append(words, "tempering: ") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q does not say %q", what, err, w)
		}
	}
}

func closeTo(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %.10g: must be %.10g ± %g", what, got, want, tol)
	}
}

// TestWaveforms: the values of each waveform in the cycle, and the defaults.
func TestWaveforms(t *testing.T) {
	for _, c := range []struct {
		name string
		p    lif.Profile
		per  float64
		at   [5]float64 // at 0, 1/8, 1/4, 1/2, 3/4 of the cycle
	}{
		{"default", RaisedCosine{}, 500, [5]float64{1, 1 + 1.5*(1-math.Sqrt2/2), 2.5, 4, 2.5}},
		{"sine default", Sine{}, 500, [5]float64{1, 1 + 1.5*(1-math.Sqrt2/2), 2.5, 4, 2.5}},
		{"square default", Square{}, 500, [5]float64{1, 1, 4, 4, 1}},
		{"cosine", RaisedCosine{0, 2, 4, 90}, 250, [5]float64{1, 1 + math.Sqrt2/2, 2, 1, 0}},
		{"sine", Sine{2, 2, 0.5, 0}, 2000, [5]float64{2, 2 + math.Sqrt2, 4, 2, 0}},
		{"square", Square{0.5, 3, 10, 180, 0.2}, 100, [5]float64{3, 0.5, 0.5, 0.5, 0.5}},
		{"all hot", Square{0.5, 3, 10, 0, 1}, 100, [5]float64{3, 3, 3, 3, 3}},
		{"all cold", Square{0.5, 3, 10, 0, 0}, 100, [5]float64{0.5, 0.5, 0.5, 0.5, 0.5}},
		{"constant", Constant(3), 1, [5]float64{3, 3, 3, 3, 3}},
		{"table", Table{[]float64{1, 3, 2, 0}, 80}, 80, [5]float64{1, 2, 3, 2, 0}},
		{"one point", Table{[]float64{7}, 80}, 80, [5]float64{7, 7, 7, 7, 7}},
		{"temperature", must(FromTemperature(func(t float64) float64 { return 1 + t/40 }, 40)), 40, [5]float64{1, 1.265625, 1.5625, 2.25, 3.0625}},
	} {
		closeTo(t, c.name+" period", c.p.Period(), c.per, 1e-9)
		for i, x := range []float64{0, 0.125, 0.25, 0.5, 0.75} {
			for _, turn := range []float64{0, 1, 1000} { // where it repeats
				if c.name == "square default" && (i == 2 || i == 4) && turn > 0 {
					continue // rounding decides at the edges
				}
				closeTo(t, c.name, c.p.RateFactor((x+turn)*c.per), c.at[i], 1e-8)
			}
		}
		if v, ok := c.p.(interface{ Validate() error }); !ok || v.Validate() != nil {
			t.Errorf("%s: not valid: %v", c.name, v.Validate())
		}
	}
}

// TestTrough: where the profile is coldest, on the grid of tenths of a degree.
func TestTrough(t *testing.T) {
	for _, c := range []struct {
		p    lif.Profile
		want float64
	}{
		{RaisedCosine{}, 0}, {Sine{}, 0}, {Square{}, 0}, {Constant(2), 0},
		{RaisedCosine{1, 2, 3, 90}, 0.75}, {RaisedCosine{1, 2, 3, -36}, 0.1}, {RaisedCosine{1, 2, 3, 360}, 0}, {Sine{1, 1, 1, 0}, 0.75},
		{Square{1, 2, 1, 90, 0.3}, 0.75}, {Table{[]float64{3, 2, 1, 2}, 10}, 0.5}, {Table{[]float64{1, 1, 2, 3}, 10}, 0.125},
		{RaisedCosine{3, 3, 1, 77}, 0},
	} {
		got := must(Trough(c.p))
		d := math.Abs(got - c.want)
		if math.Min(d, 1-d) > 1./grid {
			t.Errorf("%+v: trough at %v: must be at %v", c.p, got, c.want)
		}
		w := must(ColdWindow(c.p))
		if w.Center != got || w.HalfWidth != 0.15 {
			t.Errorf("%+v: cold window %+v", c.p, w)
		}
	}
}

// TestTroughAnyPhase: it is where the factor is least, for any phase.
func TestTroughAnyPhase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := RaisedCosine{rapid.Float64Range(0, 3).Draw(t, "min"), 4, rapid.Float64Range(0.25, 20).Draw(t, "f"), rapid.Float64Range(-1000, 1000).Draw(t, "phase")}
		x := must(Trough(w))
		if m := w.RateFactor(x * w.Period()); m > w.Min+(w.Max-w.Min)*4e-6 {
			t.Fatalf("factor %v at %v: must be near %v", m, x, w.Min)
		}
	})
}

// Section 5, bad input: profiles.
func TestWaveformsRefuse(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		p     interface{ Validate() error }
		words []string
	}{
		{RaisedCosine{-0.1, 4, 2, 0}, []string{"RaisedCosine", "Min = -0.1", "0 ≤ Min"}},
		{RaisedCosine{2, 1, 2, 0}, []string{"Min = 2", "Max = 1", "Min ≤ Max"}},
		{RaisedCosine{1, inf, 2, 0}, []string{"Max = +Inf"}},
		{RaisedCosine{nan, 4, 2, 0}, []string{"NaN"}},
		{RaisedCosine{1, 4, 0, 0}, []string{"FreqHz = 0", "> 0"}},
		{RaisedCosine{1, 4, -2, 0}, []string{"FreqHz = -2"}},
		{RaisedCosine{1, 4, 2, nan}, []string{"PhaseDeg = NaN"}},
		{RaisedCosine{2, 1, -2, inf}, []string{"Min", "FreqHz", "PhaseDeg"}}, // all at once
		{Sine{1, 1.1, 2, 0}, []string{"Amplitude = 1.1", "≤ Mean"}},
		{Sine{1, -1, 2, 0}, []string{"Amplitude = -1"}},
		{Sine{1, 1, 0, 0}, []string{"FreqHz = 0"}},
		{Sine{inf, 1, 1, 0}, []string{"Mean"}},
		{Square{1, 4, 2, 0, 1.5}, []string{"Duty = 1.5", "[0, 1]"}},
		{Square{4, 1, 2, 0, 0.5}, []string{"Min"}},
		{Square{1, 4, inf, 0, 0.5}, []string{"FreqHz"}},
		{Constant(-1), []string{"Constant = -1"}},
		{Constant(nan), []string{"Constant"}},
		{Table{}, []string{"period = 0", "no Factors"}},
		{Table{[]float64{1, -1}, 10}, []string{"Factors[1] = -1"}},
		{Table{[]float64{1, inf}, 10}, []string{"Factors[1]"}},
		{Table{[]float64{1}, nan}, []string{"period"}},
	} {
		refused(t, "profile", c.p.Validate(), c.words...)
		_, err := Trough(c.p.(lif.Profile))
		refused(t, "trough", err, c.words...)
		// A network asks too.
		_, err = lif.NewNetwork(lif.TutorialCUBA(), []float64{-50}, nil, lif.NetworkOptions{Profile: c.p.(lif.Profile)})
		refused(t, "network", err, c.words...)
	}
	for _, c := range []struct {
		f      func(float64) float64
		period float64
		words  []string
	}{
		{nil, 10, []string{"without a function"}},
		{func(t float64) float64 { return 1 - t }, 10, []string{"temperature at 1 ms is 0", "> 0"}},
		{func(t float64) float64 { return nan }, 10, []string{"temperature"}},
		{func(t float64) float64 { return 1e200 }, 10, []string{"temperature"}},
		{func(t float64) float64 { return 1 }, 0, []string{"period = 0"}},
		{func(t float64) float64 { return 1 }, inf, []string{"period"}},
	} {
		_, err := FromTemperature(c.f, c.period)
		refused(t, "temperature", err, c.words...)
	}
	// A temperature that is bad only between the points that were looked at.
	p := must(FromTemperature(func(t float64) float64 {
		if math.Abs(t-10.5) < 0.01 {
			return -1
		}
		return 1
	}, 5000))
	if _, err := lif.NewNetwork(lif.TutorialCUBA(), []float64{-50}, nil, lif.NetworkOptions{Profile: p}); err == nil || !strings.Contains(err.Error(), "RateFactor(10.5) = NaN") {
		t.Errorf("a temperature of −1 at 10.5 ms: %v", err)
	}
	if _, err := Trough(nil); err == nil {
		t.Error("trough of no profile")
	}
}

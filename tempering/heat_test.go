package tempering

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/lif"
)

var sixFactors = []float64{.25, .5, 1, 2, 4, 8}

// TestOscillationSigma is acceptance item 1, closed forms: σ and τ_eff of set A at rest
// −50 mV, and the exact √m of the current-based set.
func TestOscillationSigma(t *testing.T) {
	sd := []float64{.6092, .8076, 1.0150, 1.1742, 1.2175, 1.1227}
	tau := []float64{.930, .870, .769, .625, .455, .294}
	for i, f := range sixFactors {
		h := must(Diffusion(lif.TutorialCOBA(), -50, f, f))
		closeTo(t, "σ", h.SD, sd[i], 1e-4)
		closeTo(t, "τ_eff", h.TauEff, tau[i], 1e-3)
		c := must(Diffusion(lif.TutorialCUBA(), -50, f, f))
		closeTo(t, "σ of CUBA", c.SD, .0150755672*math.Sqrt(f), 1e-9)
		mu, sigma, tauEff := must(StoredMap(lif.TutorialCOBA())).Sigma(f)
		// The map is at rest v_½, 0.6 mV lower, where σ hardly differs.
		closeTo(t, "σ of the map", sigma, h.SD, 1e-3)
		closeTo(t, "τ_eff of the map", tauEff, h.TauEff, 1e-12)
		if !(mu < -50 && mu > -50.6) {
			t.Errorf("mean of the map %v", mu)
		}
	}
}

// TestOscillationMean is acceptance item 2: the symmetric background has its mean at
// threshold at every rate.
func TestOscillationMean(t *testing.T) {
	for _, s := range []lif.Setup{lif.TutorialCOBA(), lif.TutorialCUBA(), lif.Leng2018COBA()} {
		for _, f := range append(sixFactors, 0, 16) {
			h := must(Diffusion(s, -50, f, f))
			closeTo(t, "mean", h.Mean, -50, 1e-12)
			closeTo(t, "drift", h.Drift*h.SD, 0, 1e-12)
		}
	}
}

// TestOscillationTemperature is acceptance item 3: T(m) of biases and couplings.
func TestOscillationTemperature(t *testing.T) {
	bias := []float64{.4963, .7038, 1, 1.4238, 2.0299, 2.8930}
	weight := []float64{.5022, .7090, 1, 1.4094, 1.9865, 2.8021}
	for i, f := range sixFactors {
		h := must(Diffusion(lif.TutorialCOBA(), -50, f, f))
		closeTo(t, "T of biases", h.TBias, bias[i], 1e-3)
		closeTo(t, "T of couplings", h.TExc, weight[i], 1e-3)
		closeTo(t, "T of inhibitory couplings", h.TInh, weight[i], 1e-3)
		// Closed form of the same.
		closeTo(t, "T", h.TBias, math.Sqrt(f*(10+.2/.26)/(10+h.TauEff)), 1e-12)
		c := must(Diffusion(lif.TutorialCUBA(), -50, f, f))
		for _, x := range []float64{c.TBias, c.TExc, c.TInh} {
			closeTo(t, "T of CUBA", x, math.Sqrt(f), 1e-12)
		}
		m := must(StoredMap(lif.TutorialCOBA()))
		exc, inh := m.TemperatureWeights(f)
		closeTo(t, "measured T of couplings", math.Sqrt(exc*inh)/weight[i], 1, .01)
		closeTo(t, "T of exc. and inh. couplings", exc/inh, 1, .02)
	}
}

// TestDiffusionOneChannel: one receptor alone heats by the general σ, and moves the mean
// by what its charge says.
func TestDiffusionOneChannel(t *testing.T) {
	s := lif.TutorialCUBA()
	h := must(Diffusion(s, -50, 4, 1))
	closeTo(t, "T", h.TBias, math.Sqrt((4+1)/2.), 1e-12)
	// 3 kHz more of 1 pA: 10 ms·3/ms·0.001 nA/0.2 µS.
	closeTo(t, "mean", h.Mean, -50+10*3*.001/.2, 1e-12)
	closeTo(t, "drift", h.Drift, 10*3*.001/.2/(kappa*h.SD), 1e-9)
	if h = must(Diffusion(s, -50, 1, 1)); h.Drift != 0 || h.TBias != 1 || h.TExc != 1 {
		t.Errorf("unchanged rates: %+v", h)
	}
	// Unequal reversal distances: both factors move the mean.
	if h = must(Diffusion(lif.Dold2019(), -40, 4, 4)); math.Abs(h.Drift) < 1 {
		t.Errorf("unbalanced background has drift %v", h.Drift)
	}
	// Then synapses of either sign get their own temperature, by their distances.
	n := lif.Dold2019().Neuron
	at := must(Diffusion(lif.Dold2019(), -40, 1, 1)).Mean
	closeTo(t, "TExc/TInh", h.TExc/h.TInh, (n.EExc-at)/(n.EExc-h.Mean)*(n.EInh-h.Mean)/(n.EInh-at), 1e-12)
	// All noise gone.
	if h = must(Diffusion(s, -50, 0, 0)); h.TBias != 0 || h.SD != 0 {
		t.Errorf("no noise: %+v", h)
	}
	quiet := s
	quiet.Noise = lif.Background{}
	for _, f := range []func() (Heat, error){
		func() (Heat, error) { return Diffusion(quiet, -50, 1, 1) },
		func() (Heat, error) { return Diffusion(s, -50, -1, 1) },
		func() (Heat, error) { return Diffusion(s, -50, 1, math.NaN()) },
	} {
		_, err := f()
		refused(t, "diffusion", err)
	}
	if _, err := Diffusion(s, math.NaN(), 1, 1); err == nil {
		t.Error("resting potential NaN")
	}
}

// TestWarnings: section 5, warnings.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     lif.Setup
		o     Oscillation
		words []string // of each warning
	}{
		{"coba", lif.TutorialCOBA(), Oscillation{}, nil},
		{"cuba", lif.TutorialCUBA(), Oscillation{Profile: RaisedCosine{0, 9, 2, 0}}, nil},
		{"leng", lif.Leng2018COBA(), Oscillation{}, nil},
		{"petrovici", lif.Petrovici2016(), Oscillation{}, []string{"mean membrane potential moves"}},
		{"dold", lif.Dold2019(), Oscillation{}, []string{"mean membrane potential moves"}},
		{"dold, constant", lif.Dold2019(), Oscillation{Profile: Constant(2)}, nil},
		{"exc", one(lif.TutorialCUBA(), true), Oscillation{}, []string{"all excitatory", "mean membrane potential moves"}},
		{"inh", one(lif.TutorialCUBA(), false), Oscillation{}, []string{"all inhibitory", "mean membrane potential moves"}},
	} {
		w := must(c.o.Check(c.s))
		if len(w) != len(c.words) {
			t.Errorf("%s: warnings %q: must be of %q", c.name, w, c.words)
			continue
		}
		for i := range w {
			if !strings.Contains(w[i], c.words[i]) {
				t.Errorf("%s: warning %q: must be of %q", c.name, w[i], c.words[i])
			}
		}
	}
	_, err := Oscillation{Profile: Constant(-1)}.Check(lif.TutorialCUBA())
	refused(t, "check", err, "Constant")
}

// one has the noise of one receptor only.
func one(s lif.Setup, exc bool) lif.Setup {
	if exc {
		s.Noise.Inh = nil
	} else {
		s.Noise.Exc = nil
	}
	return s
}

// Section 5, bad input: oscillations.
func TestOscillationRefuses(t *testing.T) {
	s := lif.TutorialCOBA()
	cuba := must(StoredMap(lif.TutorialCUBA()))
	other := s
	other.Dt = 0.05
	other.Delay = 0.1
	for _, c := range []struct {
		name  string
		s     lif.Setup
		o     Oscillation
		words []string
	}{
		{"waveform", s, Oscillation{Profile: RaisedCosine{1, 4, -1, 0}}, []string{"FreqHz = -1"}},
		{"fast", s, Oscillation{Profile: RaisedCosine{1, 4, 251, 0}}, []string{"at least 4 steps", "250 Hz"}},
		{"fast for its step", s, Oscillation{Profile: RaisedCosine{1, 4, 50, 0}, Step: 10}, []string{"at least 4 steps", "25 Hz"}},
		{"step", s, Oscillation{Step: -1}, []string{"Step = -1"}},
		{"step off the grid", s, Oscillation{Step: 0.25}, []string{"Step = 0.25", "Dt = 0.1"}},
		{"step", s, Oscillation{Step: math.NaN()}, []string{"Step = NaN"}},
		{"events", s, Oscillation{Profile: RaisedCosine{1, 17, 2, 0}}, []string{"17", "5.1 events per step", "at most 5"}},
		{"compensation", s, Oscillation{Compensation: 2}, []string{"Compensation(2)", "None or Calibrated"}},
		{"no map", other, Oscillation{Compensation: Calibrated}, []string{"no stored map", "Calibrate"}},
		{"another map", s, Oscillation{Compensation: Calibrated, Map: cuba}, []string{"another setup"}},
		{"above the map", lif.TutorialCUBA(), Oscillation{Profile: RaisedCosine{1, 17, 2, 0}, Compensation: Calibrated}, []string{"factor 1 to 17", "0.25 to 16"}},
		{"below the map", s, Oscillation{Profile: RaisedCosine{.2, 4, 2, 0}, Compensation: Calibrated}, []string{"factor 0.2 to 4"}},
	} {
		_, err := c.o.Network(c.s, lif.NetworkOptions{})
		refused(t, c.name, err, c.words...)
		_, err = c.o.Check(c.s)
		refused(t, c.name, err, c.words...)
		_, err = NewLIF(bmS(5, .5), c.s, c.o, lif.Options{})
		refused(t, c.name, err, c.words...)
	}
	_, err := NewLIF(bmS(5, .5), s, Oscillation{}, lif.Options{Network: lif.NetworkOptions{Profile: Constant(1)}})
	refused(t, "two profiles", err, "Profile")
	_, err = NewLIF(bmS(5, .5), s, Oscillation{}, lif.Options{Network: lif.NetworkOptions{ProfileStep: 2}})
	refused(t, "two steps", err, "ProfileStep")
	_, err = Compensate(Constant(1), nil)
	refused(t, "compensation", err, "without a map")
	_, err = Compensate(nil, cuba)
	refused(t, "compensation", err, "no profile")
	if _, err := (Oscillation{}).Network(lif.Setup{}, lif.NetworkOptions{}); err == nil {
		t.Error("empty setup")
	}
	if None.String() != "none" || Calibrated.String() != "calibrated" {
		t.Error("names")
	}
	// What is allowed: the defaults, and the stored map with any synapses.
	n := must(Oscillation{}.Network(s, lif.NetworkOptions{}))
	if n.Profile != (RaisedCosine{}) || n.ProfileStep != 1 {
		t.Errorf("defaults %+v", n)
	}
	s.PSP, s.Delay, s.Synapse = lif.Rect, 1, lif.Static
	if _, err := (Oscillation{Compensation: Calibrated}).Network(s, lif.NetworkOptions{}); err != nil {
		t.Error(err)
	}
	n = must(Oscillation{Compensation: Calibrated, Profile: RaisedCosine{1, 9, 4, 0}}.Network(lif.TutorialCOBA(), lif.NetworkOptions{}))
	shift := n.Profile.(lif.Shifter)
	if shift.Shift(0) != 0 || math.Abs(shift.Shift(125)-(-52.3188+50.6026)) > 1e-3 {
		t.Errorf("shift %v cold, %v mV hot", shift.Shift(0), shift.Shift(125))
	}
}

// TestMap: the interpolation goes through the points, and the derived numbers are theirs.
func TestMap(t *testing.T) {
	for _, name := range mapSets {
		m := must(StoredMap(namedSetup(t, name)))
		if lo, hi := m.Range(); lo != .25 || hi != 16 || len(m.Points()) != 7 || m.Setup().Hash() != namedSetup(t, name).Hash() {
			t.Errorf("%s: map from %v to %v in %d points", name, lo, hi, len(m.Points()))
		}
		one := m.Points()[2]
		for _, p := range m.Points() {
			closeTo(t, "α", m.Alpha(p.Factor)/p.Alpha, 1, 1e-12)
			closeTo(t, "v_½", m.VHalf(p.Factor), p.VHalf, 1e-12)
			closeTo(t, "T", m.Temperature(p.Factor), p.Alpha/one.Alpha, 1e-12)
			closeTo(t, "δ", m.Delta(p.Factor), (one.VHalf-p.VHalf)/p.Alpha, 1e-9)
			closeTo(t, "shift", m.Shift(p.Factor), p.VHalf-one.VHalf, 1e-9)
		}
		last := 0.0
		for f := .25; f <= 16; f *= 1.02 {
			if x := m.Temperature(f); x <= last || math.Abs(x/math.Sqrt(f)-1) > .04 {
				t.Errorf("%s: T(%v) = %v after %v: must rise, near the root", name, f, x, last)
			} else {
				last = x
			}
		}
		exc, inh := m.TemperatureWeights(17)
		for _, x := range []float64{m.Alpha(.2), m.VHalf(17), m.Temperature(0), m.Delta(-1), m.Shift(math.NaN()), exc, inh} {
			if !math.IsNaN(x) {
				t.Errorf("%v outside the range", x)
			}
		}
		if mu, sd, tau := m.Sigma(-1); !math.IsNaN(mu + sd + tau) {
			t.Error("potential at a negative factor")
		}
		// JSON restores it.
		var r Map
		if err := json.Unmarshal(must(json.Marshal(m)), &r); err != nil {
			t.Fatal(err)
		}
		if r.Alpha(3) != m.Alpha(3) || r.VHalf(7) != m.VHalf(7) || r.check(namedSetup(t, name)) != nil {
			t.Error("decoded map differs")
		}
	}
}

func TestMapRefuses(t *testing.T) {
	s := lif.TutorialCUBA()
	pts := func(f ...float64) (p []MapPoint) {
		for _, x := range f {
			p = append(p, MapPoint{Factor: x, VHalf: -50, Alpha: 1})
		}
		return p
	}
	bad := pts(.5, 1, 2)
	bad[1].Alpha = 0
	nan := pts(.5, 1, 2)
	nan[2].VHalf = math.NaN()
	for _, c := range []struct {
		p     []MapPoint
		words []string
	}{
		{nil, []string{"0 points", "at least 3"}}, {pts(1, 2), []string{"2 points"}}, {pts(2, 3, 4), []string{"1 must be within"}},
		{pts(.25, .5, .9), []string{"1 must be within"}}, {pts(.5, 2, 1), []string{"factor 2", "ascend"}}, {pts(0, 1, 2), []string{"factor 0 of the map is 0"}},
		{pts(1, 1, 2), []string{"ascend"}}, {pts(1, 2, math.Inf(1)), []string{"finite"}}, {bad, []string{"alpha > 0"}}, {nan, []string{"v_half = NaN"}},
	} {
		_, err := newMap(s, c.p)
		refused(t, "map", err, c.words...)
	}
	for _, c := range []struct {
		o     CalibrateOptions
		words []string
	}{
		{CalibrateOptions{Factors: []float64{2, 3, 4}}, []string{"1 must be within"}},
		{CalibrateOptions{Factors: []float64{1, 2, 51}}, []string{"5.1 events per step"}},
	} {
		_, err := Calibrate(t.Context(), s, c.o)
		refused(t, "calibrate", err, c.words...)
	}
	for _, o := range []CalibrateOptions{{Points: 3}, {Duration: -1}, {Parallel: -1}, {Warmup: math.NaN()}} {
		if _, err := Calibrate(t.Context(), s, o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
	if _, err := Calibrate(t.Context(), lif.Setup{}, CalibrateOptions{}); err == nil {
		t.Error("empty setup accepted")
	}
	if _, err := StoredMap(lif.Setup{}); err == nil {
		t.Error("empty setup has a map")
	}
	_, err := StoredMap(lif.Dold2019())
	refused(t, "stored map", err, "no stored map")
}

// FuzzMap: what is decoded is a map that can be used, and the same again.
func FuzzMap(f *testing.F) {
	f.Add(must(json.Marshal(must(StoredMap(lif.TutorialCUBA())))))
	f.Add([]byte(`{"setup":{},"points":[]}`))
	f.Add([]byte(`{"points":[{"factor":1e308}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Map
		if json.Unmarshal(b, &m) != nil {
			return
		}
		if x := m.Temperature(1); x != 1 || m.Shift(1) != 0 {
			t.Errorf("T(1) = %v, shift %v", x, m.Shift(1))
		}
		var again Map
		if err := json.Unmarshal(must(json.Marshal(&m)), &again); err != nil {
			t.Error(err)
		}
	})
}

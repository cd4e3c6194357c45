package lif

import (
	"math"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// refused checks that err names every one of the words.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; must name %v", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not name %q", err, w)
		}
	}
}

func TestSetupErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		change func(s *Setup)
		words  []string
	}{
		{func(s *Setup) { s.Neuron.C = 0 }, []string{"C = 0 nF", "> 0"}},
		{func(s *Setup) { s.Neuron.TauM = -1 }, []string{"TauM = -1 ms", "> 0"}},
		{func(s *Setup) { s.Neuron.TauSynE = nan }, []string{"TauSynE = NaN"}},
		{func(s *Setup) { s.Neuron.TauSynI = inf }, []string{"TauSynI = +Inf"}},
		{func(s *Setup) { s.Neuron.C, s.Neuron.TauM = 1e300, 1e-300 }, []string{"C = 1e+300 nF", "C/TauM", "finite"}},
		{func(s *Setup) { s.Neuron.C, s.Neuron.TauM = 1e-300, 1e300 }, []string{"TauM = 1e+300 ms", "C/TauM"}},
		{func(s *Setup) { s.Neuron.TauRef = 0 }, []string{"TauRef = 0"}},
		{func(s *Setup) { s.Neuron.TauRef = 10.05 }, []string{"TauRef", "10.05", "multiple", "0.1"}},
		{func(s *Setup) { s.Dt = -0.1 }, []string{"Dt = -0.1"}},
		{func(s *Setup) { s.Dt = 0.3 }, []string{"TauRef", "multiple", "0.3"}},
		{func(s *Setup) { s.Delay = 0 }, []string{"Delay = 0"}},
		{func(s *Setup) { s.Delay = 0.15 }, []string{"Delay", "multiple"}},
		{func(s *Setup) { s.Neuron.Reset = -50 }, []string{"Reset = -50", "below Theta"}},
		{func(s *Setup) { s.Neuron.Theta = nan }, []string{"Theta = NaN"}},
		{func(s *Setup) { s.Neuron.Kind = COBA; s.Neuron.EExc = -60; s.Neuron.EInh = -90 }, []string{"EExc = -60", "above Theta"}},
		{func(s *Setup) { s.Neuron.Kind = COBA; s.Neuron.EExc = 0; s.Neuron.EInh = -40 }, []string{"EInh = -40", "below Theta"}},
		{func(s *Setup) { s.Neuron.Kind = 5 }, []string{"Kind", "CUBA or COBA"}},
		{func(s *Setup) { s.Synapse = 5 }, []string{"Synapse"}},
		{func(s *Setup) { s.PSP = -1 }, []string{"PSP"}},
		{func(s *Setup) { s.Noise.Exc[0].Rate = -1 }, []string{"Noise.Exc[0]", "Rate = -1"}},
		{func(s *Setup) { s.Noise.Inh[0].Rate = nan }, []string{"Noise.Inh[0]", "Rate = NaN"}},
		{func(s *Setup) { s.Noise.Inh[0].Weight = -0.001 }, []string{"Noise.Inh[0]", "Weight", "magnitude"}},
		{func(s *Setup) { s.Noise.Exc[0].Rate = 1e9 }, []string{"Noise.Exc[0]", "events per step", "smaller step"}},
	} {
		s := TutorialCUBA()
		c.change(&s)
		refused(t, s.Validate(), c.words...)
		_, err := NewNetwork(s, []float64{-50}, nil, NetworkOptions{})
		refused(t, err, c.words...)
		_, err = NewSampler(boltzmann.REF(2), s, Options{})
		refused(t, err, c.words...)
	}
	// All problems at once.
	s := TutorialCUBA()
	s.Neuron.C, s.Dt = -1, -1
	refused(t, s.Validate(), "C = -1", "Dt = -1")
	_, err := NamedSetup("nest")
	refused(t, err, `"nest"`, "tutorial-cuba")
}

func TestSamplerErrors(t *testing.T) {
	s := TutorialCUBA()
	ref := boltzmann.REF(3)
	cal, err := StoredCalibration(s)
	if err != nil {
		t.Fatal(err)
	}
	other := s
	other.Noise = sym(2000, 0.001, 0.001)
	_, err = NewSampler(ref, other, Options{Calibration: cal})
	refused(t, err, "another setup", "calibrate")
	_, err = NewSampler(ref, other, Options{})
	refused(t, err, "no stored calibration", "Calibrate")
	_, err = NewSampler(nil, s, Options{})
	refused(t, err, "no machine")
	_, err = NewSampler(ref, s, Options{Translation: 9})
	refused(t, err, "Translation", "PairCalibrated")
	_, err = NewSampler(ref, s, Options{ClampMode: 9})
	refused(t, err, "ClampMode")
	_, err = NewSampler(ref, s, Options{Clamp: map[int]uint8{0: 2}})
	refused(t, err, "2")
	_, err = NewSampler(ref, s, Options{Clamp: map[int]uint8{5: 1}})
	refused(t, err, "5")
	_, err = NewSampler(ref, s, Options{Rates: []float64{0.5}})
	refused(t, err, "1 rates for 3 units")
	_, err = NewSampler(ref, s, Options{Rates: []float64{0.5, 1.5, 0}})
	refused(t, err, "1.5", "[0, 1]")
	_, err = NewSampler(ref, s, Options{Network: NetworkOptions{Trace: []int{7}, TraceDuration: 10}})
	refused(t, err, "7")
	strong := machine(t, 2, []float64{0, 9, 9, 0}, []float64{-4, -4})
	_, err = NewSampler(strong, s, Options{})
	refused(t, err, "coupling 9", "outside the pair table", "units 1 and 0")
	if _, err = NewSampler(strong, s, Options{Extrapolate: true}); err != nil {
		t.Error(err)
	}
	if _, err = NewSampler(strong, s, Options{Translation: Published}); err != nil {
		t.Error(err)
	}
	bare := *cal
	bare.Pair = nil
	_, err = NewSampler(ref, s, Options{Calibration: &bare})
	refused(t, err, "no pair table")
	rect := s
	rect.PSP = Rect
	rc, err := StoredCalibration(rect)
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewSampler(ref, rect, Options{Calibration: rc, Translation: TailCorrected})
	refused(t, err, "tail correction", "rectangular")
	smp, err := NewSampler(ref, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, smp.Reset(nil, nil), "random source is nil")
	refused(t, smp.Reset([]uint8{1}, rng.Stream(1, "x")), "1 units", "3")
	refused(t, smp.Reset([]uint8{1, 0, 3}, rng.Stream(1, "x")), "unit 2 is 3")
	if err := smp.Reset(nil, rng.Stream(1, "x")); err != nil {
		t.Fatal(err)
	}
	_, err = smp.Advance(1, nil)
	refused(t, err, "buffer")
	_, err = NewNetwork(s, nil, nil, NetworkOptions{})
	refused(t, err, "0 neurons")
	_, err = NewNetwork(s, []float64{-50, math.NaN()}, nil, NetworkOptions{})
	refused(t, err, "unit 1", "NaN")
	_, err = NewNetwork(s, []float64{-50}, []float64{1, 2}, NetworkOptions{})
	refused(t, err, "2 weights for 1 neurons")
	_, err = NewNetwork(s, []float64{-50}, []float64{math.Inf(1)}, NetworkOptions{})
	refused(t, err, "unit 0 to 0")
}

func TestCalibrateErrors(t *testing.T) {
	ctx := t.Context()
	_, err := Calibrate(ctx, silent(TutorialCUBA()), CalibrateOptions{})
	refused(t, err, "no background noise", "step")
	_, err = CalibrateAnalytic(silent(TutorialCOBA()))
	refused(t, err, "no background noise")
	_, err = silent(TutorialCUBA()).Activation(-50)
	refused(t, err, "no background noise")
	for _, o := range []CalibrateOptions{{Points: 3}, {Duration: -1}, {Duration: math.NaN()}, {Warmup: -1}, {Pairs: 5}, {Pairs: math.Inf(1)}, {Parallel: -1}} {
		if _, err := Calibrate(ctx, TutorialCUBA(), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	// A reset far below threshold and a slow membrane: the neuron never bursts tightly
	// enough to reach 0.95.
	s := TutorialCUBA()
	s.Neuron.TauM, s.Neuron.Reset = 30, -51
	if _, err := Calibrate(ctx, s, CalibrateOptions{Pairs: -1, Duration: 5000}); err == nil {
		t.Error("activation without an upper tail: no error")
	} else {
		t.Log(err)
	}
	_, err = fitLogistic([]Point{{E: 1, P: 0.5}})
	refused(t, err, "at least 10")
	var falling []Point
	for i := range 20 {
		falling = append(falling, Point{E: float64(-i), P: 0.1 + 0.04*float64(i), SE: 0.01})
	}
	_, err = fitLogistic(falling)
	refused(t, err, "not logistic")
	_, err = TutorialCUBA().FreePotential(math.NaN())
	refused(t, err, "NaN")
}

// TestFitExact: points on a logistic curve give it back.
func TestFitExact(t *testing.T) {
	var pts []Point
	for i := range 41 {
		e := -50 + 0.1*float64(i-20)
		pts = append(pts, Point{E: e, P: 1 / (1 + math.Exp(-(e+49.7)/0.6)), SE: 0.001})
	}
	c, err := fitLogistic(pts)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "v_½", c.VHalf, -49.7, 1e-9)
	near(t, "α", c.Alpha, 0.6, 1e-9)
	near(t, "rms", c.RMS, 0, 1e-9)
	c.Points = pts
	r, err := c.response()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{-8, -3, 0, 2.5, 9} {
		near(t, "response of a logistic activation", r.at(x), x, 1e-6)
	}
}

// TestPairTable: inversion of a table and its ends.
func TestPairTable(t *testing.T) {
	p := &PairTable{W: []float64{-2, -1, 1, 2}, L: []float64{-2.4, -1.3, 1.4, 3}, SE: make([]float64, 4)}
	for i := range p.W {
		w, err := p.Invert(p.L[i])
		if err != nil {
			t.Fatal(err)
		}
		near(t, "inverse at a node", w, p.W[i], 1e-9)
	}
	w, err := p.Invert(0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "inverse of 0", w, 0, 1e-9)
	_, err = p.Invert(3.1)
	refused(t, err, "3.1", "between -2.400 and 3.000")
	_, err = (&PairTable{W: []float64{-2, -1, 1, 2}, L: []float64{-1, -1.3, 1.4, 3}}).Invert(0.5)
	refused(t, err, "grows at only 1 negative")
	_, err = (&PairTable{W: []float64{-2, -1, 1}, L: []float64{-1, 1}}).Invert(0.5)
	refused(t, err, "3 couplings and 2 ratios")
	// Saturated ends are not used: L must grow by half of W.
	q := &PairTable{W: []float64{-6, -4, -2, -1, 1, 2, 4, 6}, L: []float64{-3.5, -3.4, -2.4, -1.2, 1.2, 2.4, 4, 3.9}, SE: make([]float64, 8)}
	if lo, hi := q.Range(); lo != -3.4 || hi != 4 {
		t.Errorf("range %v to %v, want -3.4 to 4", lo, hi)
	}
	if lo, hi := (&PairTable{}).Range(); lo != 0 || hi != 0 {
		t.Errorf("range of an empty table %v, %v", lo, hi)
	}
}

package lif

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// panicSource is a random source that must not be touched.
type panicSource struct{}

func (panicSource) Uint64() uint64 { panic("random number drawn") }

func silent(s Setup) Setup { s.Noise = Background{}; return s }

func run(t *testing.T, s sampling.Sampler, d float64, rec ...sampling.Recorder) {
	t.Helper()
	if err := sampling.Run(t.Context(), s, sampling.Schedule{Duration: d}, rec...); err != nil {
		t.Fatal(err)
	}
}

func TestTranslationValues(t *testing.T) {
	s := TutorialCUBA()
	near(t, "CUBA weight", s.weight(1, 0.01, s.freePotential(-50)), 0.0033826632, 1e-9)
	near(t, "CUBA weight", s.weight(-1, 0.01, s.freePotential(-50)), -0.0033826632, 1e-9)
	s = TutorialCOBA()
	m := s.freePotential(-50.6)
	near(t, "µ", m.Mean, -50.4615384615, 1e-9)
	near(t, "COBA excitatory weight", s.weight(1, 0.8, m), 0.0052716888, 1e-9)
	near(t, "COBA inhibitory weight", s.weight(-1, 0.8, m), -0.0053699190, 1e-9)
	// The area formula has no jump where the time constants meet.
	near(t, "PSP area", pspArea(10, 10, 10*(1-1e-7)), pspArea(10, 10, 10*(1-1e-5)), 1e-3)
	near(t, "tail", tail(0.25, 10, 10), 1+0.5819767068693265*0.75, 1e-12)
	p := 0.3
	lam := p / ((1 - p) * 8)
	want := 1 + (1-p)/p*(8.0/12)*math.Exp(-8.0/12)/(1-math.Exp(-8.0/12))*lam*12/(1+lam*12)
	near(t, "tail, general times", tail(p, 8, 12), want, 1e-12)
}

// A calibration with round numbers, to be attached to any setup.
func roundCalibration(s Setup) *Calibration {
	return &Calibration{VHalf: -50.6, Alpha: 0.8, Hash: s.Hash()}
}

func TestRoundTrip(t *testing.T) {
	m := boltzmann.REF(7)
	for _, psp := range []PSP{Exponential, Rect} {
		for _, name := range SetupNames() {
			s, _ := NamedSetup(name)
			s.PSP = psp
			c := roundCalibration(s)
			b, err := s.Translate(m, c, Published, nil)
			if err != nil {
				t.Fatal(err)
			}
			w, bias, err := s.Untranslate(b, c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 7 {
				near(t, "bias", bias[i], m.Bias(i), 1e-12)
				for j := range 7 {
					near(t, "W", w[i*7+j], m.Weight(i, j), 1e-12)
				}
			}
		}
	}
}

func TestNoiseFree(t *testing.T) {
	s := silent(Petrovici2016())
	s.Dt, s.Delay = 0.1, 0.1
	spikes := func(s Setup, e, d float64) []Spike {
		n, err := NewNetwork(s, []float64{e}, nil, NetworkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Reset(nil, panicSource{}); err != nil {
			t.Fatal(err)
		}
		var r Spikes
		run(t, n, d, &r)
		return r.Train
	}
	for _, kind := range []Kind{CUBA, COBA} {
		s.Neuron.Kind = kind
		// ISI = τ_ref + τ_m ln((E−ρ)/(E−θ)); on the grid the next multiple of Dt.
		s.Precise = false
		tr := spikes(s, -45, 200)
		if len(tr) < 10 {
			t.Fatalf("%v: %d spikes", kind, len(tr))
		}
		near(t, "ISI on the grid", tr[5].Time-tr[4].Time, 12.7, 1e-9)
		s.Precise = true
		tr = spikes(s, -45, 200)
		near(t, "precise ISI", tr[5].Time-tr[4].Time, 12.670628, 1e-3)
		near(t, "precise ISI, exactly", tr[9].Time-tr[8].Time, 10+20*math.Log(8.0/7), 1e-9)
		if tr := spikes(s, -52.0001, 1e4); len(tr) != 0 {
			t.Errorf("%v: %d spikes below threshold", kind, len(tr))
		}
	}
}

// TestRenewing drives a silent neuron by a bursting one and by one that spikes at odd
// intervals, and checks the current right after every spike has arrived.
func TestRenewing(t *testing.T) {
	const w = 0.003
	for _, syn := range []Synapse{Renewing, Static} {
		s := silent(TutorialCUBA())
		s.Synapse = syn
		s.Neuron.TauM = 10 // the ISI is τ_ref + one step at high drive
		rest := []float64{-40, -60}
		n, err := NewNetwork(s, rest, []float64{0, w, 0, 0}, NetworkOptions{Precision: Float64})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Reset(nil, nil); err != nil {
			t.Fatal(err)
		}
		buf := make([]sampling.Flip, 0, 16)
		spikes, last := 0, 0.0
		for step := 1; step <= 20000; step++ {
			flips, err := n.Advance(float64(step)*s.Dt, buf)
			if err != nil {
				t.Fatal(err)
			}
			exc, _ := n.Synapses()
			if last != 0 && n.Time() > last+1.5*s.Dt && n.Time() < last+2.5*s.Dt {
				// One delay after the spike the current is w, then decays.
				want := w * math.Exp(-s.Dt/10)
				if syn == Renewing {
					near(t, "current after a spike", exc[1], want, 1e-15)
				}
			}
			for _, f := range flips {
				if f.Unit == 0 && f.On == 1 {
					spikes++
					last = f.Time
				}
			}
		}
		if spikes < 100 {
			t.Fatalf("%d spikes", spikes)
		}
	}
	// Arbitrary times: the trace itself.
	var tr dynamics.Trace
	x, now := 0.0, 0.0
	src := rng.Stream(1, "renewing")
	for range 1000 {
		dt := float64(src.Uint64()%100000) / 1000
		now += dt
		x *= math.Exp(-dt / 10)
		x += w * tr.Renew(now, 10)
		near(t, "current right after a spike", x, w, 1e-12)
	}
	// Static synapses at an ISI of 10 ms settle at w/(1 − e^{−1}).
	var st dynamics.Trace
	for i := range 200 {
		st.Add(float64(i)*10, 10, w)
	}
	near(t, "static burst", st.At(1990, 10)/w, 1.581977, 1e-6)
}

// TestPSP compares the propagated response to one spike with the closed form and with
// the matrix exponential.
func TestPSP(t *testing.T) {
	for i, dt := range []float64{0.05, 0.1, 0.5, 1, 2.5, 0.05, 0.1, 0.5, 1, 2.5} {
		double := i < 5
		tol := 1e-10
		if !double { // single precision, at 20 mV below threshold
			tol = 20 * 0x1p-20
		}
		s := silent(TutorialCUBA())
		s.Dt, s.Delay = dt, dt
		const w = 0.01
		n, err := NewNetwork(s, []float64{-40, -60}, []float64{0, w, 0, 0}, NetworkOptions{Precision: precision(double)})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Reset(nil, nil); err != nil {
			t.Fatal(err)
		}
		a := mat.NewDense(2, 2, []float64{-1 / s.Neuron.TauM, 1 / s.Neuron.C, 0, -1 / s.Neuron.TauSynE})
		prop, err := dynamics.NewPropagator(a, nil, dt)
		if err != nil {
			t.Fatal(err)
		}
		x, y := []float64{0, w}, make([]float64, 2)
		buf := make([]sampling.Flip, 0, 16)
		arrived := math.Inf(1)
		tm, ts := s.Neuron.TauM, s.Neuron.TauSynE
		tc := tm * ts / (ts - tm)
		for step := 1; float64(step)*dt < 9; step++ {
			flips, _ := n.Advance(float64(step)*dt, buf)
			for _, f := range flips {
				if f.Unit == 0 && f.On == 1 && math.IsInf(arrived, 1) {
					arrived = f.Time + dt
				}
			}
			if el := n.Time() - arrived; el > dt/2 {
				u := n.Potential()[1] + 60
				near(t, "PSP", u, w/s.Neuron.C*tc*(math.Exp(-el/ts)-math.Exp(-el/tm)), tol)
				prop.Step(y, x)
				x, y = y, x
				near(t, "PSP by matrix exponential", u, x[0], tol)
			}
		}
		if math.IsInf(arrived, 1) {
			t.Fatal("no spike")
		}
	}
}

// TestConvolveLimit checks the propagator where time constants meet.
func TestConvolveLimit(t *testing.T) {
	near(t, "equal", dynamics.Convolve(3, 10, 10), 3*math.Exp(-0.3), 1e-14)
	near(t, "nearly equal", dynamics.Convolve(3, 10, 10*(1+1e-9)), 3*math.Exp(-0.3), 1e-8)
	near(t, "far apart", dynamics.Convolve(1, 0.001, 10), (math.Exp(-0.1)-math.Exp(-1000))/(1000-0.1), 1e-14)
	near(t, "symmetric", dynamics.Convolve(1, 10, 0.001), dynamics.Convolve(1, 0.001, 10), 1e-14)
}

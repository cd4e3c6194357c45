package lif

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// wave is a raised cosine between low and high, cold at time 0.
type wave struct{ low, high, period float64 }

func (w wave) RateFactor(t float64) float64 {
	return w.low + (w.high-w.low)*(1-math.Cos(2*math.Pi*t/w.period))/2
}
func (w wave) Period() float64 { return w.period }

// shifted is a wave that moves resting potentials by size where it is hot.
type shifted struct {
	wave
	size float64
}

func (s shifted) Shift(t float64) float64 {
	return s.size * (s.RateFactor(t) - s.low) / (s.high - s.low)
}

// TestConstantProfile: a profile that is 1 throughout, and shifts nothing, is the constant
// background, bit for bit, in every engine.
func TestConstantProfile(t *testing.T) {
	ref := boltzmann.REF(5)
	for _, name := range []string{"tutorial-cuba", "tutorial-coba"} {
		for _, double := range []bool{false, true} {
			for _, p := range []Profile{nil, wave{1, 1, 500}, step{0}} {
				s, _ := NamedSetup(name)
				smp := lifSampler(t, ref, s, Options{Network: NetworkOptions{Profile: p, Precision: precision(double)}})
				if err := smp.Reset(nil, rng.Stream(1, "profile")); err != nil {
					t.Fatal(err)
				}
				var r Spikes
				run(t, smp, 20000, &r)
				plain := lifSampler(t, ref, s, Options{Network: NetworkOptions{Precision: precision(double)}})
				if err := plain.Reset(nil, rng.Stream(1, "profile")); err != nil {
					t.Fatal(err)
				}
				var q Spikes
				run(t, plain, 20000, &q)
				if len(r.Train) < 1000 || fmt.Sprint(r.Train) != fmt.Sprint(q.Train) {
					t.Errorf("%s, double %v, %T: %d spikes, without a profile %d, or others", name, double, p, len(r.Train), len(q.Train))
				}
			}
		}
	}
}

// TestProfileNoise: the variance of the free membrane potential follows the rate, at 2 Hz
// with hardly any lag. 400 neurons × 10 cycles: each phase bin holds about 400·10·2
// independent values, standard error of the variance 1.6 %. The mean of the symmetric
// background stays.
func TestProfileNoise(t *testing.T) {
	for _, name := range []string{"tutorial-cuba", "tutorial-coba"} {
		s, _ := NamedSetup(name)
		const neurons, cycles, bins = 400, 10, 20
		w := wave{0.25, 4, 500}
		rest, units := make([]float64, neurons), make([]int, neurons)
		for k := range rest {
			rest[k], units[k] = -50, k
		}
		n, err := NewNetwork(s, rest, nil, NetworkOptions{NoThreshold: true, Profile: w, Trace: units, TraceDuration: 500 * (cycles + 1)})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Reset(nil, rng.Stream(2, name)); err != nil {
			t.Fatal(err)
		}
		run(t, n, 500*(cycles+1))
		tr := n.Trace()[5000*neurons:] // the first cycle is left out
		for bin := range bins {
			var m moment
			for c := range cycles {
				step := 5000*c + 5000*bin/bins + 125
				for _, u := range tr[(step-1)*neurons : step*neurons] {
					m.add(u)
				}
			}
			// What the rate was 5 ms ago: the variance lags by half the synaptic time constant.
			at := s
			factor := w.RateFactor(25*(float64(bin)+0.5) - 5)
			at.Noise = sym(s.Noise.Exc[0].Rate*factor, s.Noise.Exc[0].Weight, s.Noise.Inh[0].Weight)
			want := at.freePotential(-50)
			v := m.se() * m.se() * m.n
			// 10 values a neuron and bin, half a second apart: independent.
			if r := v / (want.SD * want.SD); math.Abs(r-1) > 4.5*math.Sqrt(2/m.n)+0.06 {
				t.Errorf("%s, bin %d: variance/theory %.3f at factor %.2f", name, bin, r, factor)
			}
			near(t, "mean [σ]", (m.mean()+50)/want.SD, 0, 4.5/math.Sqrt(m.n)+0.06)
		}
	}
}

// TestProfileShift: a shift of one α is one unit of bias.
func TestProfileShift(t *testing.T) {
	for _, double := range []bool{false, true} {
		s := TutorialCUBA()
		c, err := StoredCalibration(s)
		if err != nil {
			t.Fatal(err)
		}
		rest := make([]float64, 50)
		for k := range rest {
			rest[k] = c.VHalf
		}
		// Square-like: hot half of the time, far slower than the neuron.
		n, err := NewNetwork(s, rest, nil, NetworkOptions{Precision: precision(double), Profile: step{c.Alpha}})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Reset(nil, rng.Stream(3, "shift")); err != nil {
			t.Fatal(err)
		}
		var r Spikes
		run(t, n, 40000, &r)
		var low, high float64
		for _, x := range r.Train {
			if math.Mod(x.Time, 4000) < 2000 {
				low++
			} else {
				high++
			}
		}
		// On time per neuron: spikes × 10 ms. Standard error of each below 0.003.
		near(t, "p without the shift", low*10/(50*20000), 0.5, 0.02)
		near(t, "p with the shift", high*10/(50*20000), 1/(1+math.Exp(-1)), 0.02)
	}
}

// step shifts by size in the second half of 4 s.
type step struct{ size float64 }

func (s step) RateFactor(float64) float64 { return 1 }
func (s step) Period() float64            { return 4000 }
func (s step) Shift(t float64) float64 {
	if t < 2000 {
		return 0
	}
	return s.size
}

// invalid knows that it is.
type invalid struct{ wave }

func (invalid) Validate() error { return errors.New("as it says") }

// TestProfilePeriods: several periods make a table where one does not, and each block has
// the factor of its middle.
func TestProfilePeriods(t *testing.T) {
	s := TutorialCUBA()
	for _, c := range []struct {
		period, step float64
		blocks       int
	}{{500, 1, 500}, {500, 0.5, 1000}, {10.5, 1, 21}, {1000. / 3, 1, 1000}, {1000. / 7, 1, 1000}, {62.5, 1, 125}, {1, 5, 1}, {1e5, 1, 1e5}} {
		w := wave{1, 3, c.period}
		p, err := s.profile(w, c.step)
		if err != nil {
			t.Errorf("period %v: %v", c.period, err)
			continue
		}
		if len(p.Factor) != c.blocks {
			t.Errorf("period %v in steps of %v: %d blocks: must be %d", c.period, c.step, len(p.Factor), c.blocks)
		}
		for i, x := range p.Factor {
			near(t, "factor", x, w.RateFactor((float64(i)+0.5)*c.step), 1e-9)
		}
	}
}

func TestProfileErrors(t *testing.T) {
	s := TutorialCUBA()
	for _, c := range []struct {
		p     Profile
		step  float64
		words []string
	}{
		{wave{-1, 1, 100}, 0, []string{"RateFactor(0.5) = -0.99", "≥ 0"}},
		{wave{math.NaN(), 1, 100}, 0, []string{"RateFactor", "NaN"}},
		{wave{1, 1e9, 100}, 0, []string{"RateFactor", "events per step"}},
		{wave{1, 2, 0}, 0, []string{"Period = 0", "ProfileStep"}},
		{wave{1, 2, math.Sqrt(111)}, 0, []string{"Period = 10.535", "ProfileStep"}},
		{wave{1, 2, 5e-324}, 0, []string{"Period = 5e-324"}},
		{wave{1, 2, 2e6}, 0, []string{"Period = 2e+06"}},
		{invalid{}, 0, []string{"Profile: as it says"}},
		{wave{1, 2, math.Inf(1)}, 0, []string{"Period = +Inf"}},
		{wave{1, 2, 100}, 0.25, []string{"ProfileStep = 0.25", "Dt"}},
		{wave{1, 2, 100}, -1, []string{"ProfileStep = -1"}},
		{shifted{wave{1, 2, 100}, math.Inf(1)}, 0, []string{"Shift", "finite"}},
	} {
		_, err := NewNetwork(s, []float64{-50}, nil, NetworkOptions{Profile: c.p, ProfileStep: c.step})
		refused(t, err, c.words...)
	}
}

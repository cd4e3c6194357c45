package ensemble

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/stp"
)

// Defaults of Options.
const (
	DefaultFanIn  = 20    // KExc and KInh
	DefaultWeight = 0.001 // [nA or µS]
)

// Options say how an ensemble is built. The zero value of each field but Wiring is its
// default.
type Options struct {
	// Setup is neuron, step and delay of the sampling networks; default lif.TutorialCUBA().
	// Its background is not used but as the reference from which the calibration is scaled.
	// Synapses must be renewing or plastic and PSPs exponential.
	Setup lif.Setup
	// Calibration of Setup under its background; default the stored one.
	Calibration *lif.Calibration
	// Translation of couplings into weights: PairCalibrated (default), by the pair table as
	// for units that are on half of the time, or Published.
	Translation lif.Translation
	// KExc and KInh are the numbers of excitatory and inhibitory noise synapses of each unit;
	// default DefaultFanIn each, if both are 0.
	KExc, KInh int
	// Weight and WeightInh are magnitudes of excitatory and inhibitory noise synapses [nA or
	// µS]; default DefaultWeight, and what has the same effect at threshold.
	Weight, WeightInh float64
	// Source makes the noise; default Mutual{}.
	Source Source
	// Taps, if set, are the noise synapses of every unit instead of drawn ones. Units are
	// numbered as in the network: those of the networks, then those of the source.
	Taps [][]Tap
	// Rates, if set, are the activities of the units of each network that the calibration
	// assumes; default the marginals of its target.
	Rates [][]float64
	// Distortion, if set, makes the network like analogue hardware.
	Distortion Distortion
	Precision  lif.Precision // default lif.Float32
	// Wiring draws wiring and distortion and is not kept. It must be given unless Taps are.
	Wiring rand.Source
}

// Tap is a noise synapse: its Weight is signed [nA or µS].
type Tap struct {
	From   int
	Weight float64
}

// Distortion is what analogue hardware does to a network. The zero value is none.
type Distortion struct {
	Step   float64 // W and b are rounded to multiples of it
	Max    float64 // |W| is at most this, if rounded at most the last multiple of Step below it; 0: no limit
	Spread float64 // relative standard deviation of every weight, noise synapses too, fixed once
	Offset float64 // standard deviation of an offset of every resting potential, fixed once [α]
}

func (d Distortion) check() error {
	for _, f := range []struct {
		name string
		v    float64
	}{{"Step", d.Step}, {"Max", d.Max}, {"Spread", d.Spread}, {"Offset", d.Offset}} {
		if !(f.v >= 0) || math.IsInf(f.v, 0) {
			return fmt.Errorf("ensemble: Distortion.%s = %v: must be finite and ≥ 0", f.name, f.v)
		}
	}
	return nil
}

// round is what the hardware makes of a bias or, limited, of a coupling.
func (d Distortion) round(x float64, limited bool) float64 {
	most := math.Inf(1)
	if limited && d.Max > 0 {
		most = d.Max
	}
	if d.Step > 0 {
		x = d.Step * math.Round(x/d.Step)
		most = d.Step * math.Floor(most/d.Step*(1+1e-12)) // 1.5 is 15 steps of .1
	}
	return math.Max(-most, math.Min(most, x))
}

func (o Options) withDefaults() (Options, error) {
	if o.Setup.Neuron == (lif.Params{}) && o.Setup.Dt == 0 {
		o.Setup = lif.TutorialCUBA()
	}
	if o.KExc == 0 && o.KInh == 0 {
		o.KExc, o.KInh = DefaultFanIn, DefaultFanIn
	}
	if o.Weight == 0 {
		o.Weight = DefaultWeight
	}
	if o.WeightInh == 0 {
		o.WeightInh = o.Weight
		if q := o.Setup.Neuron; q.Kind == lif.COBA {
			o.WeightInh *= (q.EExc - q.Theta) / (q.Theta - q.EInh)
		}
	}
	if o.Source == nil {
		o.Source = Mutual{}
	}
	var errs []error
	fail := func(format string, a ...any) { errs = append(errs, fmt.Errorf("ensemble: "+format, a...)) }
	if err := o.Setup.Validate(); err != nil {
		errs = append(errs, err)
	} else {
		if o.Setup.Synapse == lif.Static || o.Setup.PSP != lif.Exponential {
			fail("%v synapses with %v PSPs: must be renewing or plastic and exponential", o.Setup.Synapse, o.Setup.PSP)
		}
		if o.Calibration == nil {
			plain := o.Setup
			plain.Synapse, plain.STP = lif.Renewing, stp.Params{}
			var err error
			if o.Calibration, err = lif.StoredCalibration(plain); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if c := o.Calibration; c != nil && (!(c.Alpha > 0) || math.IsInf(c.Alpha, 0) || math.IsNaN(c.VHalf) || math.IsInf(c.VHalf, 0)) {
		fail("calibration with VHalf = %v mV and Alpha = %v mV: must be finite, Alpha > 0", c.VHalf, c.Alpha)
	}
	if o.Translation != lif.PairCalibrated && o.Translation != lif.Published {
		fail("Translation = %v: must be PairCalibrated or Published", o.Translation)
	}
	if o.KExc < 0 || o.KInh < 0 {
		fail("KExc = %d, KInh = %d: must be ≥ 0 (both 0: default %d each)", o.KExc, o.KInh, DefaultFanIn)
	}
	for _, w := range []float64{o.Weight, o.WeightInh} {
		if !(w > 0) || math.IsInf(w, 0) {
			fail("Weight = %v, WeightInh = %v: must be finite magnitudes > 0 (0: default)", o.Weight, o.WeightInh)
			break
		}
	}
	if o.Wiring == nil && (o.Taps == nil || o.Distortion.Spread > 0 || o.Distortion.Offset > 0) {
		fail("Wiring is nil: a random source draws the noise synapses")
	}
	if err := o.Distortion.check(); err != nil {
		errs = append(errs, err)
	}
	return o, errors.Join(errs...)
}

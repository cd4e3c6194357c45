package tempering

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/lif"
)

// Waveforms are periodic factors m(t) ≥ 0 of all background rates (see lif.Profile). The
// zero value of RaisedCosine, Sine and Square is the default
//
//	1 ≤ m ≤ 4, that is T from 1 to 2, at 2 Hz, coldest at time 0,
//
// and any other value is taken as it stands. Frequencies are in Hz, phases in degrees: a
// phase of +90 brings everything a quarter of a cycle earlier.
var (
	_ lif.Profile = RaisedCosine{}
	_ lif.Profile = Sine{}
	_ lif.Profile = Square{}
	_ lif.Profile = Constant(1)
)

// RaisedCosine is the default waveform,
//
//	m(t) = Min + (Max − Min)(1 − cos(2π f t + φ))/2,
//
// with the trough at time 0 if φ = 0.
type RaisedCosine struct {
	Min, Max float64 // 0 ≤ Min ≤ Max
	FreqHz   float64 // f [Hz], > 0
	PhaseDeg float64 // φ [degrees]
}

// Validate reports what is wrong with the waveform.
func (w RaisedCosine) Validate() error {
	w = w.filled()
	return errors.Join(checkFactors("RaisedCosine", w.Min, w.Max), checkCycle("RaisedCosine", w.FreqHz, w.PhaseDeg))
}

func (w RaisedCosine) filled() RaisedCosine {
	if w == (RaisedCosine{}) {
		w = RaisedCosine{Min: 1, Max: 4, FreqHz: 2}
	}
	return w
}

// RateFactor is m(t), t in ms.
func (w RaisedCosine) RateFactor(t float64) float64 {
	w = w.filled()
	return w.Min + (w.Max-w.Min)*(1-math.Cos(2*math.Pi*cycles(t, w.FreqHz, w.PhaseDeg)))/2
}

// Period is 1/f [ms].
func (w RaisedCosine) Period() float64 { return 1000 / w.filled().FreqHz }

// Sine is the waveform of spike-based-sampling's sinusoidal source (sbs/db/sources.py),
//
//	m(t) = Mean + Amplitude·sin(2π f t + φ).
//
// Its default is that of RaisedCosine: 2.5, 1.5, 2 Hz, −90°.
type Sine struct {
	Mean, Amplitude float64 // 0 ≤ Amplitude ≤ Mean
	FreqHz          float64 // f [Hz], > 0
	PhaseDeg        float64 // φ [degrees]
}

// Validate reports what is wrong with the waveform.
func (w Sine) Validate() error {
	w = w.filled()
	err := checkCycle("Sine", w.FreqHz, w.PhaseDeg)
	if !(w.Amplitude >= 0 && w.Amplitude <= w.Mean) || math.IsInf(w.Mean, 0) {
		err = errors.Join(fmt.Errorf("tempering: Sine has Mean = %v, Amplitude = %v: must be finite, 0 ≤ Amplitude ≤ Mean", w.Mean, w.Amplitude), err)
	}
	return err
}

func (w Sine) filled() Sine {
	if w == (Sine{}) {
		w = Sine{Mean: 2.5, Amplitude: 1.5, FreqHz: 2, PhaseDeg: -90}
	}
	return w
}

// RateFactor is m(t), t in ms.
func (w Sine) RateFactor(t float64) float64 {
	w = w.filled()
	// Where Amplitude is Mean, rounding must not make the trough negative.
	return math.Max(0, w.Mean+w.Amplitude*math.Sin(2*math.Pi*cycles(t, w.FreqHz, w.PhaseDeg)))
}

// Period is 1/f [ms].
func (w Sine) Period() float64 { return 1000 / w.filled().FreqHz }

// Square is Max for the share Duty of each cycle and Min for the rest; at φ = 0 the middle
// of the cold part is at time 0.
type Square struct {
	Min, Max float64 // 0 ≤ Min ≤ Max
	FreqHz   float64 // f [Hz], > 0
	PhaseDeg float64 // φ [degrees]
	Duty     float64 // in [0, 1]; the zero value of Square has ½
}

// Validate reports what is wrong with the waveform.
func (w Square) Validate() error {
	w = w.filled()
	err := errors.Join(checkFactors("Square", w.Min, w.Max), checkCycle("Square", w.FreqHz, w.PhaseDeg))
	if !(w.Duty >= 0 && w.Duty <= 1) {
		err = errors.Join(err, fmt.Errorf("tempering: Square has Duty = %v: must be in [0, 1]", w.Duty))
	}
	return err
}

func (w Square) filled() Square {
	if w == (Square{}) {
		w = Square{Min: 1, Max: 4, FreqHz: 2, Duty: 0.5}
	}
	return w
}

// RateFactor is m(t), t in ms.
func (w Square) RateFactor(t float64) float64 {
	w = w.filled()
	if PhaseOf(cycles(t, w.FreqHz, w.PhaseDeg)-0.5+w.Duty/2, 1) < w.Duty {
		return w.Max
	}
	return w.Min
}

// Period is 1/f [ms].
func (w Square) Period() float64 { return 1000 / w.filled().FreqHz }

// Constant is a background that does not vary, at that factor: a bath at one temperature.
type Constant float64

// Validate reports a factor that is not finite and ≥ 0.
func (w Constant) Validate() error { return checkFinite("Constant", float64(w)) }

// RateFactor is w.
func (w Constant) RateFactor(float64) float64 { return float64(w) }

// Period is 1 ms: any would do.
func (w Constant) Period() float64 { return 1 }

// cycles is the number of cycles since the phase was 0.
func cycles(t, freq, phaseDeg float64) float64 { return t*freq/1000 + phaseDeg/360 }

func checkFactors(what string, min, max float64) error {
	if !(min >= 0 && min <= max) || math.IsInf(max, 0) {
		return fmt.Errorf("tempering: %s has Min = %v, Max = %v: must be finite, 0 ≤ Min ≤ Max", what, min, max)
	}
	return nil
}

func checkCycle(what string, freq, phaseDeg float64) error {
	var errs []error
	if !(freq > 0) || math.IsInf(freq, 0) {
		errs = append(errs, fmt.Errorf("tempering: %s has FreqHz = %v: must be finite and > 0", what, freq))
	}
	if !finite(phaseDeg) {
		errs = append(errs, fmt.Errorf("tempering: %s has PhaseDeg = %v: must be finite", what, phaseDeg))
	}
	return errors.Join(errs...)
}

package tempering

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/lif"
)

// Table is a waveform of measured or drawn points: Factors[i] is m at i/len(Factors) of
// the period, with straight lines between, also from the last point to the first.
type Table struct {
	Factors  []float64 // at least one, finite, ≥ 0
	PeriodMs float64   // [ms], > 0
}

var _ lif.Profile = Table{}

// Validate reports what is wrong with the waveform.
func (w Table) Validate() error {
	err := checkPeriod(w.PeriodMs)
	if len(w.Factors) == 0 {
		err = errors.Join(err, errors.New("tempering: Table has no Factors: must be at least one"))
	}
	for i, x := range w.Factors {
		if !(x >= 0) || math.IsInf(x, 0) {
			err = errors.Join(err, fmt.Errorf("tempering: Table has Factors[%d] = %v: must be finite and ≥ 0", i, x))
			break
		}
	}
	return err
}

// RateFactor is m(t), t in ms.
func (w Table) RateFactor(t float64) float64 {
	n := len(w.Factors)
	x := PhaseOf(t, w.PeriodMs) * float64(n)
	i := min(int(x), n-1) // rounding
	a, b := w.Factors[i], w.Factors[(i+1)%n]
	return a + (b-a)*(x-float64(i))
}

// Period is PeriodMs.
func (w Table) Period() float64 { return w.PeriodMs }

// temperatures is what FromTemperature returns.
type temperatures struct {
	t      func(float64) float64
	period float64
}

// FromTemperature is the profile with temperature T(t), t in [0, period) in ms, relative
// to that of the constant background: m = T². This is exact for current-based neurons and
// within 4 % for the tutorial's conductance-based ones up to m = 8 (see [Diffusion]).
//
// It refuses a period or temperature that is not finite and > 0, T as far as 1000 points
// of the cycle show it; a network refuses what comes between.
func FromTemperature(T func(t float64) float64, period float64) (lif.Profile, error) {
	if T == nil {
		return nil, errors.New("tempering: FromTemperature without a function")
	}
	p := temperatures{T, period}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// Validate looks at the temperature throughout the cycle.
func (p temperatures) Validate() error {
	if err := checkPeriod(p.period); err != nil {
		return err
	}
	const points = 1000
	for i := range points {
		at := p.period * float64(i) / points
		if x := p.t(at); !(x > 0) || math.IsInf(x*x, 0) {
			return fmt.Errorf("tempering: temperature at %v ms is %v: must be finite and > 0", at, x)
		}
	}
	return nil
}

// RateFactor is T², NaN where T is impossible.
func (p temperatures) RateFactor(t float64) float64 {
	x := p.t(PhaseOf(t, p.period) * p.period)
	if !(x > 0) {
		return math.NaN()
	}
	return x * x
}

func (p temperatures) Period() float64 { return p.period }

func checkPeriod(period float64) error {
	if !(period > 0) || math.IsInf(period, 0) {
		return fmt.Errorf("tempering: period = %v ms: must be finite and > 0", period)
	}
	return nil
}

// grid is the number of points at which a cycle is looked at, every tenth of a degree.
const grid = 3600

// cycle is m at the points of the grid, finite and ≥ 0.
func cycle(p lif.Profile) ([]float64, error) {
	if p == nil {
		return nil, errors.New("tempering: no profile")
	}
	if v, ok := p.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	period := p.Period()
	if err := checkPeriod(period); err != nil {
		return nil, err
	}
	m := make([]float64, grid)
	for i := range m {
		t := period * float64(i) / grid
		if m[i] = p.RateFactor(t); !(m[i] >= 0) || math.IsInf(m[i], 0) {
			return nil, fmt.Errorf("tempering: rate factor at %v ms is %v: must be finite and ≥ 0", t, m[i])
		}
	}
	return m, nil
}

// checkSteps refuses a cycle of less than 4 steps, unless its factors m are all the same.
func checkSteps(m []float64, period, step float64) error {
	if slices.Min(m) < slices.Max(m) && period < 4*step {
		return fmt.Errorf("tempering: period = %v ms with Step = %v ms: must be at least 4 steps (frequency at most %v Hz)", period, step, 1000/(4*step))
	}
	return nil
}

// Trough is the phase, as a fraction of the cycle, at which the profile is coldest, to a
// tenth of a degree: the middle of the longest stretch at its minimum, 0 if it is constant.
func Trough(p lif.Profile) (float64, error) {
	m, err := cycle(p)
	if err != nil {
		return math.NaN(), err
	}
	lo, hi := slices.Min(m), slices.Max(m)
	if hi-lo <= 1e-9*hi {
		return 0, nil
	}
	cold := func(i int) bool { return m[i%grid]-lo <= 1e-9*(hi-lo) }
	best, at := 0, 0.0
	for i := range grid {
		if !cold(i) || cold(i+grid-1) { // not the begin of a stretch
			continue
		}
		n := 1
		for cold(i + n) {
			n++
		}
		if n > best {
			best, at = n, float64(i)+float64(n-1)/2
		}
	}
	return math.Mod(at/grid, 1), nil
}

package main

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/tempering"
)

// rhythm is the oscillation of the background rates.
func (b *bench) rhythm() tempering.RaisedCosine {
	return tempering.RaisedCosine{Min: 1, Max: b.f.peak, FreqHz: b.f.freq}
}

// temperature is that of the neurons at a factor of the background rates, nil if it was not
// measured up to the peak: √factor.
func (b *bench) temperature() func(float64) float64 {
	if b.heat == nil || math.IsNaN(b.heat.Temperature(b.f.peak)) {
		return nil
	}
	return b.heat.Temperature
}

// network is a candidate of LIF neurons. Rectangular PSPs carry the strong couplings that
// make modes.
func (b *bench) network(name string, make func(lif.Options) (sampling.Sampler, error)) (compare.Candidate, error) {
	o := lif.Options{}
	_, err := make(o)
	note := ""
	if err != nil { // couplings outside the table of pairs
		strict := err
		o.Extrapolate = true
		if _, err = make(o); err == nil {
			note = fmt.Sprintf("approximate: %v", strict)
		}
	}
	c, err2 := b.classical(name, func() (sampling.Sampler, error) { return make(o) })
	c.Note = note
	if err == nil {
		err = err2
	}
	return c, err
}

// oscillating is a network under the rhythm, read in its cold phase.
func (b *bench) oscillating(name string, comp tempering.Compensation) (compare.Candidate, error) {
	c, err := b.network(name, func(o lif.Options) (sampling.Sampler, error) {
		return tempering.NewLIF(b.mod.m, b.setup, tempering.Oscillation{Profile: b.rhythm(), Compensation: comp, Map: b.heat}, o)
	})
	return b.cold(c), err
}

// cold makes a candidate one whose samples are those of the cold phase.
func (b *bench) cold(c compare.Candidate) compare.Candidate {
	c.Spiking = true // in its time, at least
	c.Wrap = func(r sampling.Recorder) (sampling.Recorder, error) {
		w, err := tempering.ColdWindow(b.rhythm())
		if err != nil {
			return nil, err
		}
		return tempering.NewWindowed(w, b.rhythm().Period(), r)
	}
	return c
}

// freezeOut is the freeze-out temperature of a row: the exact log odds of the modes, relative
// to the first, over the sampled ones, with its standard error. NaN where it does not exist.
func freezeOut(r *compare.Row, masses []float64) (t, se float64) {
	var sampled, exact, errs []float64
	for k := 1; k < r.Modes.Modes(); k++ {
		x, e, err := r.Modes.LogOdds(0, k)
		if err != nil {
			return math.NaN(), math.NaN()
		}
		sampled, errs, exact = append(sampled, x), append(errs, e), append(exact, math.Log(masses[0]/masses[k]))
	}
	// Odds that are even at every temperature say nothing.
	xx, xy, v := 0.0, 0.0, 0.0
	for i, x := range exact {
		xx += x * x
		xy += x * sampled[i]
		v += x * x * errs[i] * errs[i]
	}
	if !(xx > 1e-3) || !(xy > 0) || math.IsInf(xy, 0) {
		return math.NaN(), math.NaN()
	}
	t = xx / xy // as tempering.FreezeOut, which needs more than two modes
	return t, math.Sqrt(v) / xx * t * t
}

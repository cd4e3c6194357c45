package engine

import (
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// membranePrecise does parts 1 and 2 of the step with threshold crossings at their time
// inside the step: the neuron is refractory from the crossing for exactly τ_ref and
// integrates again from there. Background and recurrent input still arrive on the grid.
// A crossing is found where the potential is above threshold at the end of a stretch;
// an excursion above threshold and back within one step is not seen.
func (e *Engine) membranePrecise(flips []sampling.Flip) []sampling.Flip {
	c := &e.cfg
	t0, t1 := float64(e.step)*c.Dt, float64(e.step+1)*c.Dt
	tauRef := float64(c.Refractory) * c.Dt
	var fired *[]int32
	if e.spikes != nil {
		fired = e.slot(e.step + 1)
		*fired = (*fired)[:0]
	}
	first := len(flips)
	for k := range e.u {
		t := t0 // start of the stretch to integrate
		if e.z[k] == 1 {
			if e.end[k] > t1 {
				continue
			}
			t = math.Max(t0, e.end[k])
			e.z[k] = 0
			flips = append(flips, sampling.Flip{Time: t, Unit: int32(k), On: 0})
		}
		path := e.path(k, t-t0)
		v := path(t1 - t)
		if v < c.Theta || c.NoThreshold {
			e.u[k] = v
			continue
		}
		// τ_ref is at least one step, so a neuron spikes at most once a step.
		ts := t + crossing(path, c.Theta, t1-t)
		e.u[k], e.z[k], e.end[k] = c.Reset, 1, ts+tauRef
		if fired != nil {
			*fired = append(*fired, int32(k))
		}
		flips = append(flips, sampling.Flip{Time: ts, Unit: int32(k), On: 1})
	}
	slices.SortStableFunc(flips[first:], func(a, b sampling.Flip) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	return flips
}

// path is the membrane potential of neuron k as a function of the time s [ms] after a
// point at offset [ms] into the step, without a threshold.
func (e *Engine) path(k int, offset float64) func(s float64) float64 {
	c := &e.cfg
	u := e.u[k]
	if c.Conductance {
		target, g := e.drive(k)
		return func(s float64) float64 { return target + (u-target)*math.Exp(-s*g/c.C) }
	}
	tauM := c.C / c.GLeak
	rest := c.Rest[k]
	ie, ii := e.xe[k]*math.Exp(-offset/c.TauE), e.xi[k]*math.Exp(-offset/c.TauI)
	if e.re != nil {
		rest += (e.re[k] - e.ri[k]) / c.GLeak
	}
	return func(s float64) float64 {
		return rest + (u-rest)*math.Exp(-s/tauM) +
			(ie*dynamics.Convolve(s, tauM, c.TauE)-ii*dynamics.Convolve(s, tauM, c.TauI))/c.C
	}
}

// crossing is the time in [0, h] at which path reaches theta, given path(h) ≥ theta.
func crossing(path func(float64) float64, theta, h float64) float64 {
	if h <= 0 || path(0) >= theta {
		return 0
	}
	lo, hi := 0.0, h
	for range 60 {
		mid := (lo + hi) / 2
		if path(mid) >= theta {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

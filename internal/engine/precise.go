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
		q := &e.k[k%len(e.k)]
		path := e.path(k, t-t0)
		v := path.at(t1 - t)
		if v < q.theta {
			e.u[k] = v
			continue
		}
		// τ_ref is at least one step, so a neuron spikes at most once a step.
		ts := t + path.crossing(q.theta, t1-t)
		e.u[k], e.z[k], e.end[k] = q.Reset, 1, ts+float64(q.Refractory)*c.Dt
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

// path is the membrane potential of one neuron after a point inside a step, without a
// threshold. It is a value, not a closure, so that a step does not allocate.
type path struct {
	u, target     float64 // potential at the point, and where it tends to without xe, xi [mV]
	tauM          float64 // time constant of that [ms]
	xe, xi        float64 // synaptic currents at the point [nA]; 0 if conductance-based
	tauE, tauI, c float64
}

// path is the path of neuron k from a point at offset [ms] into the step.
func (e *Engine) path(k int, offset float64) path {
	i := k % len(e.k)
	q := &e.k[i]
	if e.cfg.Conductance {
		target, g := e.drive(k)
		return path{u: e.u[k], target: target, tauM: q.C / g}
	}
	target := e.rest[i]
	if e.re != nil {
		target += (e.re[k] - e.ri[k]) / q.GLeak
	}
	return path{u: e.u[k], target: target, tauM: q.C / q.GLeak, tauE: q.TauE, tauI: q.TauI, c: q.C,
		xe: e.xe[k] * math.Exp(-offset/q.TauE), xi: e.xi[k] * math.Exp(-offset/q.TauI)}
}

// at is the potential s [ms] after the point.
func (p *path) at(s float64) float64 {
	v := p.target + (p.u-p.target)*math.Exp(-s/p.tauM)
	if p.c > 0 {
		v += (p.xe*dynamics.Convolve(s, p.tauM, p.tauE) - p.xi*dynamics.Convolve(s, p.tauM, p.tauI)) / p.c
	}
	return v
}

// crossing is the time in [0, h] at which the potential reaches theta, given at(h) ≥ theta.
func (p *path) crossing(theta, h float64) float64 {
	if h <= 0 || p.at(0) >= theta {
		return 0
	}
	lo, hi := 0.0, h
	for range 60 {
		mid := (lo + hi) / 2
		if p.at(mid) >= theta {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

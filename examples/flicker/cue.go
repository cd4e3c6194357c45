package main

import (
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

// A changing cue is on A for hold cycles, then on B for as many, and so on; before cycles
// before and hold after each change from A to B are looked at.
const hold, before = 16, 8

// changing is a network whose cue changes in motion.
type changing struct {
	*lif.Sampler
	machines [2]*boltzmann.Machine // with the cue on A and on B
	every    float64               // [ms]
	now      int                   // the machine
	next     float64               // time of the next change [ms]
}

// Reset begins with the cue on A.
func (c *changing) Reset(start []uint8, src rand.Source) error {
	c.now, c.next = mapA, c.every
	if err := c.SetMachine(c.machines[mapA]); err != nil {
		return err
	}
	return c.Sampler.Reset(start, src)
}

// Advance runs the network until t or the next change of the cue [ms].
func (c *changing) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	if c.Time() >= c.next {
		c.now = 1 - c.now
		c.next += c.every
		if err := c.SetMachine(c.machines[c.now]); err != nil {
			return nil, err
		}
	}
	return c.Sampler.Advance(math.Min(t, c.next), buf)
}

// atChange are the places among labels, read at every trough after the warm-up, at which
// the cue changes from A to B, with before of them ahead and hold behind.
func atChange(labels []int16) (at []int) {
	for i := hold - warmup; i+hold < len(labels); i += 2 * hold {
		if i >= before {
			at = append(at, i)
		}
	}
	return at
}

// change is the time course of the map when the cue changes from A to B.
func (e *experiment) change() (cue, error) {
	c := cue{Nats: e.f.cue, ExactB: 1 / (1 + math.Exp(-e.exact))}
	c.SampledB, c.FreezeOut, c.FreezeOutSE = compare.Number(math.NaN()), compare.Number(math.NaN()), compare.Number(math.NaN())
	if onB := e.runs[3]; onB.cold.Time() > 0 {
		p := onB.cold.Occupancy()
		c.SampledB = compare.Number(p[mapB] / (p[mapA] + p[mapB]))
		x, se, err := onB.cold.LogOdds(mapB, mapA)
		if err != nil {
			return c, err
		}
		if x > 0 && !math.IsInf(x, 0) && e.exact > 0 {
			t := e.exact / x
			c.FreezeOut, c.FreezeOutSE = compare.Number(t), compare.Number(t*se/x)
		}
	}
	changes := e.runs[4]
	if changes.all.Time() == 0 {
		return c, nil
	}
	labels, _, err := changes.all.Series(0)
	if err != nil {
		return c, err
	}
	trials := atChange(labels)
	if c.Trials = len(trials); c.Trials == 0 {
		return c, nil
	}
	for k := -before; k <= hold; k++ {
		n, on := 0.0, 0.0
		for _, i := range trials {
			switch labels[i+k] {
			case mapB:
				on++
				n++
			case mapA:
				n++
			}
		}
		q := on / n
		c.Cycle = append(c.Cycle, k)
		c.PB = append(c.PB, compare.Number(q))
		c.SE = append(c.SE, compare.Number(math.Sqrt(q*(1-q)/n)))
	}
	return c, nil
}

// trial is one change of the cue for a figure, by its place among the labels: the first in
// which the network follows the cue, and has flickered on the way. ok is false if there is no
// change at all.
func (e *experiment) trial() (at int, ok bool) {
	labels, _, err := e.runs[4].all.Series(0)
	if err != nil {
		return 0, false
	}
	all := atChange(labels)
	for _, i := range all {
		if typical(labels[i-before : i+hold+1]) {
			return i, true
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return all[0], true
}

// typical reports whether the network is in A at the change of the cue, which is at index
// before, in B at the end, and was in B and back in A between.
func typical(labels []int16) bool {
	after := labels[before:]
	for _, l := range labels {
		if l < 0 {
			return false
		}
	}
	switches := 0
	for i := 1; i < len(after); i++ {
		if after[i] != after[i-1] {
			switches++
		}
	}
	end := after[len(after)-4:]
	return after[0] == mapA && switches >= 3 && end[0] == mapB && end[1] == mapB && end[2] == mapB && end[3] == mapB
}

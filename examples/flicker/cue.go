package main

import (
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/internal/compare"
)

// before and after are the cycles shown around a change of the cue.
const before, after = 8, 16

// change is the time course of a change of the cue from A to B. It is put together from the
// stationary runs with either cue, at troughs at which the network is in map A: there its
// state is the map, all else is forgotten within some synaptic time constants, so what comes
// before such a trough of the one run and after one of the other is the time course of a
// network whose cue changes in that moment while it is in map A.
func (e *experiment) change() (cue, error) {
	c := cue{Nats: e.f.cue, ExactB: 1 / (1 + math.Exp(-e.exact))}
	c.FreezeOut, c.FreezeOutSE = compare.Number(math.NaN()), compare.Number(math.NaN())
	onA, onB := e.runs[2], e.runs[3]
	if onB.cold.Time() == 0 {
		return c, nil
	}
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
	a, _, err := onA.all.Series(0)
	if err != nil {
		return c, err
	}
	b, _, err := onB.all.Series(0)
	if err != nil {
		return c, err
	}
	past, future := pasts(a), futures(b)
	c.Trials = []int{len(past), len(future)}
	add := func(labels []int16, at []int, cycle int) {
		n, on := 0.0, 0.0
		for _, i := range at {
			switch labels[i+cycle] {
			case mapB:
				on++
				n++
			case mapA:
				n++
			}
		}
		q := on / n
		c.Cycle = append(c.Cycle, cycle)
		c.PB = append(c.PB, compare.Number(q))
		c.SE = append(c.SE, compare.Number(math.Sqrt(q*(1-q)/n)))
	}
	for k := -before; k < 0; k++ {
		add(a, past, k)
	}
	for k := range after + 1 {
		add(b, future, k)
	}
	return c, nil
}

// futures are the places of labels in map A with after labels behind them that are in no
// other's: which are taken depends on what comes before each only.
func futures(labels []int16) (at []int) {
	for i := 0; i+after < len(labels); i++ {
		if labels[i] == mapA {
			at = append(at, i)
			i += after
		}
	}
	return at
}

// pasts is futures backwards, with before labels ahead of each: which are taken depends on
// what comes after each only.
func pasts(labels []int16) (at []int) {
	for i := len(labels) - 1; i >= before; i-- {
		if labels[i] == mapA {
			at = append(at, i)
			i -= before
		}
	}
	return at
}

// trial is one change of the cue for a figure: the troughs in the runs with either cue at
// which it is put together, of the first trial that shows what is typical: the network is in
// B at the end, having changed its mind at least once. ok is false if there is none.
func (e *experiment) trial() (inA, inB int, ok bool) {
	a, _, err1 := e.runs[2].all.Series(0)
	b, _, err2 := e.runs[3].all.Series(0)
	if err1 != nil || err2 != nil {
		return 0, 0, false
	}
	past, future := pasts(a), futures(b)
	if len(past) == 0 || len(future) == 0 {
		return 0, 0, false
	}
	typical := func(i int) bool {
		w := b[i : i+after+1]
		end := w[len(w)-4:]
		return !slices.Contains(end, mapA) && !slices.Contains(w[1:], -1) && slices.Contains(w[slices.Index(w, mapB):], mapA)
	}
	for _, i := range future {
		if slices.Contains(b[i:i+after+1], mapB) && typical(i) {
			return past[0], i, true
		}
	}
	return past[0], future[0], true
}

package ensemble

import (
	"context"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// halves is a step with hidden units: networks of even number see their patterns while the
// odd ones sleep, then the other way round. Without an odd network the second half is the
// sleep of all.
func (t *training) halves(ctx context.Context, s int, sleep []*estimate.Moments) error {
	e := t.e
	shows := max(1, int(math.Round(t.o.Duration/t.o.Present)))
	for _, g := range t.targets {
		clear(g.wakeMean)
		clear(g.wake)
		g.wakeTimes = 0
	}
	for parity := range 2 {
		for i := range shows {
			for m := range t.targets {
				if t.awake(m, parity) {
					e.show(m, t.targets[m].patterns[(s*shows+i)%len(t.targets[m].patterns)])
				}
			}
			if err := e.applyRest(); err != nil {
				return err
			}
			none := func(int) sampling.Recorder { return nil }
			if t.o.Settle > 0 {
				if err := t.run(ctx, t.o.Settle, none, sleep, parity); err != nil {
					return err
				}
			}
			wake := make([]*estimate.Moments, len(t.targets))
			rec := func(m int) sampling.Recorder {
				wake[m] = estimate.NewMoments(e.nets[m].n)
				return wake[m]
			}
			if err := t.run(ctx, t.o.Present-t.o.Settle, rec, sleep, parity); err != nil {
				return err
			}
			for m, w := range wake {
				if w != nil {
					t.targets[m].see(e.nets[m], w)
				}
			}
		}
		for m := range t.targets {
			if t.awake(m, parity) {
				e.show(m, nil)
			}
		}
		if err := e.applyRest(); err != nil {
			return err
		}
		if t.o.Settle > 0 { // those that wake up from their patterns sleep without being seen
			if err := e.run(ctx, t.o.Settle, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// show holds the first units of network m at the pattern, none if it is nil.
func (e *Ensemble) show(m int, pattern []uint8) {
	n := e.nets[m]
	n.held = len(pattern) > 0
	for k := range n.clamp {
		n.clamp[k] = -1
		if k < len(pattern) {
			n.clamp[k] = int8(pattern[k])
		}
	}
	e.watch.begin(e.net.Time())
}

// see adds the statistics of a pattern, with the held units as they should be.
func (g *target) see(n *network, w *estimate.Moments) {
	mean, second := w.Mean(), w.Second()
	value := func(i int) float64 {
		if n.clamp[i] >= 0 {
			return float64(n.clamp[i])
		}
		return mean[i]
	}
	for i := range n.n {
		g.wakeMean[i] += value(i)
		for j := range n.n {
			switch {
			case i == j:
			case n.clamp[i] >= 0 || n.clamp[j] >= 0:
				g.wake[i*n.n+j] += value(i) * value(j)
			default:
				g.wake[i*n.n+j] += second.At(i, j)
			}
		}
	}
	g.wakeTimes++
}

package ensemble

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
)

// Reset starts at time 0: the kick. The units named by start are as if they had just
// spiked; the others, if start is nil all, are so with probability ½ by src. A silent start
// remains silent where no unit rests above threshold. src is not kept but by a PoissonPool's trains; it may be nil if start is
// given and nothing else is to be drawn.
func (e *Ensemble) Reset(start []uint8, src rand.Source) error {
	if start != nil {
		if err := sampling.CheckState(start, e.dim); err != nil {
			return err
		}
	}
	if src == nil && (start == nil || e.noisy || len(e.rest) > e.dim) {
		return errors.New("ensemble: random source is nil: it draws the first state of units without one, and a PoissonPool")
	}
	z := make([]uint8, len(e.rest))
	copy(z, start)
	if src != nil {
		r := rand.New(src)
		for k := range z {
			if k >= len(start) {
				z[k] = uint8(r.Uint64() >> 63)
			}
		}
	}
	if !e.noisy {
		src = nil
	}
	if err := e.net.Reset(z, src); err != nil {
		return err
	}
	e.ready = true
	e.print, e.spikes = offset64, 0
	e.watch.begin(0)
	return nil
}

// State is z of all units of the networks, valid until the next Advance.
func (e *Ensemble) State() []uint8 { return e.net.State()[:e.dim] }

// Time is the biological time since Reset [ms].
func (e *Ensemble) Time() float64 { return e.net.Time() }

// Spikes is the number of spikes since Reset, those of the source too.
func (e *Ensemble) Spikes() int64 { return e.spikes }

// FNV-1a over the words step·2³²+neuron of all spikes.
const (
	offset64 = 14695981039346656037
	prime64  = 1099511628211
)

// Fingerprint is a hash of all spikes since Reset, of all neurons: two ensembles that have
// done the same have the same.
func (e *Ensemble) Fingerprint() uint64 { return e.print }

// Advance runs the ensemble until time t [ms]. It returns ErrQuiescent or ErrSaturated if the
// ensemble has died; the state is then as it is.
func (e *Ensemble) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	if cap(buf) < 2*e.dim {
		return nil, fmt.Errorf("ensemble: buffer for %d flips: must hold at least %d", cap(buf), 2*e.dim)
	}
	own := buf
	if cap(own) < 2*len(e.rest) {
		own = e.buf[: 0 : 2*len(e.rest)] // one step at a time
	}
	flips, err := e.net.Advance(t, own)
	if err != nil {
		return nil, err
	}
	buf = buf[:0]
	for _, f := range flips {
		if f.On == 1 {
			step := uint64(math.Round(f.Time / e.clock.Dt))
			e.print = (e.print ^ (step<<32 | uint64(f.Unit))) * prime64
			e.spikes++
			e.watch.spike(f)
		}
		if int(f.Unit) < e.dim {
			buf = append(buf, f)
		}
	}
	return buf, e.watch.check(e)
}

// ErrQuiescent says that no neuron has spiked for 100 refractory times.
var ErrQuiescent = errors.New("ensemble: quiescent: no spike for 100 refractory times: kick it (Reset with other units on), or raise biases or noise")

// ErrSaturated says that all free units have fired at 98 % of the highest rate or more for
// 100 refractory times.
var ErrSaturated = errors.New("ensemble: saturated: all units fire as fast as they can: rebalance excitatory and inhibitory noise synapses, or lower biases")

// watch sees a dead ensemble.
type watch struct {
	window     float64 // [ms]
	from, last float64 // begin of the window, last spike
	counts     []int32 // spikes of every unit in the window
	off        bool    // look away
}

// deadTimes is the window in refractory times, saturated the share of the spikes of a unit
// that is held on.
const deadTimes, saturated = 100, 0.98

func (w *watch) init(e *Ensemble) {
	w.window = deadTimes * e.opt.Setup.Neuron.TauRef
	w.counts = make([]int32, e.networkUnits())
}

func (w *watch) begin(t float64) {
	w.from, w.last = t, t
	clear(w.counts)
}

func (w *watch) spike(f sampling.Flip) {
	w.last = f.Time
	if int(f.Unit) < len(w.counts) {
		w.counts[f.Unit]++
	}
}

func (w *watch) check(e *Ensemble) error {
	t := e.net.Time()
	if w.off {
		return nil
	}
	if t-w.last >= w.window {
		return ErrQuiescent
	}
	if t-w.from < w.window {
		return nil
	}
	least := saturated * (t - w.from) / e.interval // the window ends when somebody looks
	free, all := 0, true
	for _, n := range e.nets {
		for k, v := range n.clamp {
			if v < 0 {
				free++
				all = all && float64(w.counts[n.first+k]) >= least
			}
		}
	}
	w.from = t
	clear(w.counts)
	if free > 0 && all {
		return ErrSaturated
	}
	return nil
}

// chunk is the time after which a run looks at its context [ms].
const chunk = 100

// run advances the ensemble by d [ms] and tells rec, which may be nil.
func (e *Ensemble) run(ctx context.Context, d float64, rec sampling.Recorder) error {
	if rec != nil {
		if err := rec.Begin(e.Time(), e.State()); err != nil {
			return err
		}
	}
	from := int64(math.Round(e.Time() / e.clock.Dt))
	end := from + int64(math.Ceil(d/e.clock.Dt-1e-6)) // d may be a difference of times
	for next := from; next < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		next = min(end, next+e.clock.Ceil(chunk))
		for t := e.clock.Time(next); e.Time() < t; {
			flips, err := e.Advance(t, e.buf)
			if err != nil {
				return err
			}
			if rec != nil {
				rec.Record(flips, e.Time())
			}
		}
	}
	return nil
}

// Split is a recorder for sampling.Run that hands network m's flips to recs[m], which sees
// units 0 to n−1. Entries may be nil; missing ones are.
func (e *Ensemble) Split(recs ...sampling.Recorder) sampling.Recorder {
	s := &split{e: e, recs: recs, of: make([]int32, e.dim), flips: make([][]sampling.Flip, e.proper)}
	for m, n := range e.nets[:e.proper] {
		for k := range n.n {
			s.of[n.first+k] = int32(m)
		}
	}
	return s
}

type split struct {
	e     *Ensemble
	recs  []sampling.Recorder
	of    []int32
	flips [][]sampling.Flip
}

func (s *split) Begin(t float64, z []uint8) error {
	if len(z) != s.e.dim || len(s.recs) > s.e.proper {
		return fmt.Errorf("ensemble: Split: %d recorders and states of %d units for %d networks of %d: is for this ensemble", len(s.recs), len(z), s.e.proper, s.e.dim)
	}
	for m, r := range s.recs {
		if n := s.e.nets[m]; r != nil {
			if err := r.Begin(t, z[n.first:n.first+n.n]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *split) Record(flips []sampling.Flip, t float64) {
	for m := range s.flips {
		s.flips[m] = s.flips[m][:0]
	}
	for _, f := range flips {
		m := s.of[f.Unit]
		f.Unit -= int32(s.e.nets[m].first)
		s.flips[m] = append(s.flips[m], f)
	}
	for m, r := range s.recs {
		if r != nil {
			r.Record(s.flips[m], t)
		}
	}
}

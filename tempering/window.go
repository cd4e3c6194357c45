package tempering

import (
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

// PhaseOf is the phase of time t in a cycle of that period, a fraction in [0, 1).
func PhaseOf(t, period float64) float64 {
	x := t / period
	if x -= math.Floor(x); x >= 1 { // rounding, for tiny negative t
		return 0
	}
	return x
}

// PhaseWindow is the part of a cycle, Center ± HalfWidth as fractions of it, without its
// end: that at which samples are read.
type PhaseWindow struct {
	Center    float64 // any finite number; only its fraction counts
	HalfWidth float64 // in (0, ½]; ½ is the whole cycle
}

// DefaultHalfWidth is the half width of the cold window.
const DefaultHalfWidth = 0.15

// ColdWindow is the window of ±DefaultHalfWidth around the trough of the profile.
func ColdWindow(p lif.Profile) (PhaseWindow, error) {
	c, err := Trough(p)
	return PhaseWindow{Center: c, HalfWidth: DefaultHalfWidth}, err
}

// Validate reports what is wrong with the window.
func (w PhaseWindow) Validate() error {
	if !finite(w.Center) || !(w.HalfWidth > 0 && w.HalfWidth <= 0.5) {
		return fmt.Errorf("tempering: window %v ± %v of the cycle: the half width must be in (0, 0.5], the centre finite", w.Center, w.HalfWidth)
	}
	return nil
}

// Keep reports whether a phase, a fraction of the cycle, is in the window.
func (w PhaseWindow) Keep(phase float64) bool {
	return PhaseOf(phase-w.Center+w.HalfWidth, 1) < 2*w.HalfWidth
}

// Windowed is a recorder that shows others only what happens in a phase window, exact to
// the time of a flip. For them the clock, which starts at 0, stands still outside, so one
// stretch of Windowed is one stretch of theirs, and the units that have changed from one
// window to the next flip together where one ends and the next begins. Times are those
// within the window: rates and dwell times too are per time within it.
//
// Phases count from time 0 of the sampler.
type Windowed struct {
	w      PhaseWindow
	period float64
	rec    []sampling.Recorder

	begun bool
	z     []uint8         // state now
	shown []uint8         // state that the recorders know
	now   float64         // all is accounted for up to here
	inner float64         // the recorders' clock
	k     float64         // number of the window that is open or comes next
	stale bool            // z and shown may differ
	flips []sampling.Flip // to be shown
}

// flush is the number of flips that are shown together.
const flush = 4096

var _ sampling.Recorder = (*Windowed)(nil)

// NewWindowed returns a recorder that shows the window w of cycles of that period, in the
// sampler's unit of time, to others.
func NewWindowed(w PhaseWindow, period float64, rec ...sampling.Recorder) (*Windowed, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	if err := checkPeriod(period); err != nil {
		return nil, err
	}
	for i, r := range rec {
		if r == nil {
			return nil, fmt.Errorf("tempering: recorder %d of the window is nil", i)
		}
	}
	return &Windowed{w: w, period: period, rec: slices.Clone(rec)}, nil
}

// Begin implements sampling.Recorder: the recorders begin at once, in state z.
func (w *Windowed) Begin(t float64, z []uint8) error {
	if !finite(t) {
		return fmt.Errorf("tempering: stretch begins at time %v: must be finite", t)
	}
	for _, r := range w.rec {
		if err := r.Begin(w.inner, z); err != nil {
			return err
		}
	}
	w.z, w.shown = append(w.z[:0], z...), append(w.shown[:0], z...)
	w.begun, w.now, w.stale = true, t, false
	// The first window that ends after t.
	w.k = math.Floor(t/w.period-w.w.Center-w.w.HalfWidth) + 1
	for w.end() <= t {
		w.k++
	}
	return nil
}

// start and end are those of window k.
func (w *Windowed) start() float64 { return (w.k + w.w.Center - w.w.HalfWidth) * w.period }

func (w *Windowed) end() float64 {
	if w.w.HalfWidth == 0.5 { // no gap by rounding
		return (w.k + 1 + w.w.Center - w.w.HalfWidth) * w.period
	}
	return (w.k + w.w.Center + w.w.HalfWidth) * w.period
}

// Record implements sampling.Recorder. It panics before Begin.
func (w *Windowed) Record(flips []sampling.Flip, t float64) {
	if !w.begun {
		panic("tempering: Record before Begin")
	}
	for _, f := range flips {
		w.until(f.Time)
		w.z[f.Unit] = f.On
		if w.now < w.start() {
			w.stale = true
			continue
		}
		w.show(int(f.Unit))
	}
	w.until(t)
	w.pass()
}

// until moves on to time t, through as many windows as there are.
func (w *Windowed) until(t float64) {
	for {
		start, end := w.start(), w.end()
		if t < start {
			w.now = math.Max(w.now, t)
			return
		}
		w.now = math.Max(w.now, start)
		if w.stale { // the window has just opened
			w.stale = false
			for k := range w.z {
				w.show(k)
			}
		}
		if t < end {
			w.inner += math.Max(0, t-w.now)
			w.now = math.Max(w.now, t)
			return
		}
		w.inner += math.Max(0, end-w.now)
		w.now = math.Max(w.now, end)
		w.k++
	}
}

// show tells the recorders the value of unit k if they do not know it.
func (w *Windowed) show(k int) {
	if w.shown[k] == w.z[k] {
		return
	}
	w.shown[k] = w.z[k]
	w.flips = append(w.flips, sampling.Flip{Time: w.inner, Unit: int32(k), On: w.z[k]})
	if len(w.flips) >= flush {
		w.pass()
	}
}

// pass gives the recorders what there is for them.
func (w *Windowed) pass() {
	for _, r := range w.rec {
		r.Record(w.flips, w.inner)
	}
	w.flips = w.flips[:0]
}

// Time is the time recorded so far within the window.
func (w *Windowed) Time() float64 { return w.inner }

// InWindow is an estimator that sees the window only, for sampling.Chains.
type InWindow[E sampling.Estimator[E]] struct {
	*Windowed
	Estimate E
}

// NewInWindow returns e behind a window (see NewWindowed).
func NewInWindow[E sampling.Estimator[E]](w PhaseWindow, period float64, e E) (*InWindow[E], error) {
	r, err := NewWindowed(w, period, e)
	if err != nil {
		return nil, err
	}
	return &InWindow[E]{Windowed: r, Estimate: e}, nil
}

// Merge merges the estimates.
func (w *InWindow[E]) Merge(o *InWindow[E]) error {
	if w.w != o.w || w.period != o.period {
		return fmt.Errorf("tempering: merge of windows %v of %v and %v of %v: must be equal", w.w, w.period, o.w, o.period)
	}
	return w.Estimate.Merge(o.Estimate)
}

package tempering

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func TestPhaseWindow(t *testing.T) {
	for _, c := range []struct {
		w     PhaseWindow
		phase float64
		want  bool
	}{
		{PhaseWindow{0, 0.15}, 0, true}, {PhaseWindow{0, 0.15}, 0.1499, true}, {PhaseWindow{0, 0.15}, 0.1501, false},
		{PhaseWindow{0, 0.15}, 0.8501, true}, {PhaseWindow{0, 0.15}, 0.8499, false}, {PhaseWindow{0, 0.15}, -0.1, true},
		{PhaseWindow{0.5, 0.25}, 0.25, true}, {PhaseWindow{0.5, 0.25}, 0.75, false}, {PhaseWindow{0.5, 0.25}, 0.5, true},
		{PhaseWindow{3.5, 0.25}, 0.5, true}, {PhaseWindow{0.2, 0.5}, 0.7, true}, {PhaseWindow{0.2, 0.5}, 0.1, true},
		{PhaseWindow{0.3, 0.1}, 0.21, true}, {PhaseWindow{0.3, 0.1}, 0.39, true}, {PhaseWindow{0.3, 0.1}, 0.7, false},
	} {
		if got := c.w.Keep(c.phase); got != c.want {
			t.Errorf("%+v keeps %v: %v", c.w, c.phase, got)
		}
	}
	for _, w := range []PhaseWindow{{0, 0}, {0, -0.1}, {0, 0.51}, {0, math.NaN()}, {math.NaN(), 0.1}, {math.Inf(1), 0.1}} {
		refused(t, "window", w.Validate(), "(0, 0.5]")
		_, err := NewWindowed(w, 10)
		refused(t, "windowed", err, "(0, 0.5]")
	}
	_, err := NewWindowed(PhaseWindow{0, 0.1}, 0)
	refused(t, "windowed", err, "period = 0")
	_, err = NewWindowed(PhaseWindow{0, 0.1}, 1, nil)
	refused(t, "windowed", err, "recorder 0")
	for _, x := range []float64{-1e-300, -1e-20, 0, 1, 7.5, -0.25, 1e17} {
		if p := PhaseOf(x, 1); !(p >= 0 && p < 1) {
			t.Errorf("phase of %v is %v", x, p)
		}
	}
}

// tape keeps everything it is told.
type tape struct {
	t0, t float64
	z     []uint8
	flips []sampling.Flip
}

func (r *tape) Begin(t float64, z []uint8) error {
	r.t0, r.t, r.z = t, t, slices.Clone(z)
	return nil
}

func (r *tape) Record(f []sampling.Flip, t float64) { r.flips, r.t = append(r.flips, f...), t }

// TestWindowedByHand: the window is [0.9, 1.1) of 10 ms; dwell times are cut at its ends.
func TestWindowedByHand(t *testing.T) {
	var r tape
	w := must(NewWindowed(PhaseWindow{0, 0.1}, 10, &r))
	if err := w.Begin(0, []uint8{0, 0}); err != nil {
		t.Fatal(err)
	}
	// Windows [−1, 1), [9, 11), [19, 21), …
	w.Record([]sampling.Flip{{Time: 0.25, Unit: 0, On: 1}, {Time: 1, Unit: 1, On: 1}, {Time: 3, Unit: 0, On: 0}, {Time: 4, Unit: 0, On: 1}}, 5)
	if w.Time() != 1 || r.t != 1 {
		t.Errorf("time %v in the window, recorder at %v: must be 1", w.Time(), r.t)
	}
	w.Record([]sampling.Flip{{Time: 9, Unit: 0, On: 0}, {Time: 10.5, Unit: 0, On: 1}, {Time: 10.75, Unit: 1, On: 0}, {Time: 30.5, Unit: 0, On: 0}}, 31)
	want := []sampling.Flip{{Time: 0.25, Unit: 0, On: 1}, {Time: 1, Unit: 1, On: 1}, {Time: 1, Unit: 0, On: 0},
		{Time: 2.5, Unit: 0, On: 1}, {Time: 2.75, Unit: 1, On: 0}, {Time: 6.5, Unit: 0, On: 0}}
	// Units that flip where a window opens do so in any order.
	slices.SortStableFunc(r.flips, func(a, b sampling.Flip) int {
		if a.Time != b.Time || a.Time != 1 {
			return 0
		}
		return int(b.Unit - a.Unit)
	})
	if !slices.Equal(r.flips, want) || r.t != 7 || w.Time() != 7 || r.t0 != 0 {
		t.Errorf("recorded %v until %v: must be %v until 7", r.flips, r.t, want)
	}
	if err := w.Begin(1e6, []uint8{1, 1}); err != nil || r.t0 != 7 {
		t.Errorf("second stretch begins at %v of the window: must at 7 (%v)", r.t0, err)
	}
	if w.Begin(math.NaN(), nil) == nil {
		t.Error("begins at NaN")
	}
}

// TestWindowedExact: for any flips, window and cut into records, the shares of time on
// within the window are those that add up the overlaps of all dwell times with all windows.
func TestWindowedExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 3
		period := rapid.SampledFrom([]float64{1, 2.5, 10, 7.3}).Draw(t, "period")
		w := PhaseWindow{rapid.Float64Range(-2, 2).Draw(t, "center"), rapid.SampledFrom([]float64{0.5, 0.15, 0.01, 0.33}).Draw(t, "half")}
		begin := rapid.Float64Range(0, 30).Draw(t, "begin")
		end := begin + rapid.Float64Range(0.1, 50).Draw(t, "length")
		z := []uint8{0, 1, 0}
		times := rapid.SliceOfN(rapid.Float64Range(begin, end), 0, 60).Draw(t, "times")
		slices.Sort(times)
		units := rapid.SliceOfN(rapid.IntRange(0, n-1), len(times), len(times)).Draw(t, "units")
		cut := rapid.IntRange(1, 10).Draw(t, "cut")

		m := estimate.NewMarginals(n)
		var tp tape
		r := must(NewWindowed(w, period, m, &tp))
		if err := r.Begin(begin, z); err != nil {
			t.Fatal(err)
		}
		// overlap is the time of [a, b) within windows.
		overlap := func(a, b float64) (x float64) {
			for k := math.Floor(a/period) - 4; k*period < b+4*period; k++ {
				x += math.Max(0, math.Min(b, (k+w.Center+w.HalfWidth)*period)-math.Max(a, (k+w.Center-w.HalfWidth)*period))
			}
			return x
		}
		on := make([]float64, n)
		since := []float64{begin, begin, begin}
		state := slices.Clone(z)
		var flips []sampling.Flip
		for i, at := range times {
			k := units[i]
			if state[k] == 1 {
				on[k] += overlap(since[k], at)
			}
			since[k], state[k] = at, 1-state[k]
			flips = append(flips, sampling.Flip{Time: at, Unit: int32(k), On: state[k]})
		}
		for len(flips) > 0 {
			i := min(cut, len(flips))
			r.Record(flips[:i], flips[i-1].Time)
			flips = flips[i:]
		}
		r.Record(nil, end)
		total := overlap(begin, end)
		for k := range on {
			if state[k] == 1 {
				on[k] += overlap(since[k], end)
			}
			if math.Abs(on[k]-m.Mean()[k]*m.Time()) > 1e-9 && total > 0 {
				t.Fatalf("unit %d on for %v in the window: must be %v", k, m.Mean()[k]*m.Time(), on[k])
			}
		}
		if math.Abs(m.Time()-total) > 1e-9 || math.Abs(r.Time()-total) > 1e-9 {
			t.Fatalf("time %v, %v: must be %v", m.Time(), r.Time(), total)
		}
		last := 0.0
		known := slices.Clone(z)
		for _, f := range tp.flips {
			if f.Time < last || known[f.Unit] == f.On {
				t.Fatalf("flip %v after time %v in state %v", f, last, known)
			}
			last, known[f.Unit] = f.Time, f.On
		}
	})
}

// TestWholeWindow: a window of the whole cycle changes nothing but the begin of time.
func TestWholeWindow(t *testing.T) {
	m := bmS(5, 1)
	var plain, through tape
	g := must(NewProfileGibbs(m, ProfileGibbsOptions{Profile: RaisedCosine{1, 4, 3, 0}}))
	if err := g.Reset(nil, rng.Stream(1, "whole")); err != nil {
		t.Fatal(err)
	}
	run(t, g, 0, 2e4, &plain, must(NewWindowed(PhaseWindow{0.3, 0.5}, 1000./3, &through)))
	if len(plain.flips) != len(through.flips) || len(plain.flips) < 1000 {
		t.Fatalf("%d flips, %d through the window", len(plain.flips), len(through.flips))
	}
	for i, f := range plain.flips {
		g := through.flips[i]
		if f.Unit != g.Unit || f.On != g.On || math.Abs(f.Time-g.Time) > 1e-7 {
			t.Fatalf("flip %d is %v, through the window %v", i, f, g)
		}
	}
}

// TestInWindowChains: chains of windowed estimators merge.
func TestInWindowChains(t *testing.T) {
	p := RaisedCosine{1, 4, 10, 0}
	w := must(ColdWindow(p))
	in, err := sampling.Chains(t.Context(),
		func(int) (sampling.Sampler, error) {
			return NewProfileGibbs(bmS(5, 1), ProfileGibbsOptions{Profile: p})
		},
		func(int) (*InWindow[*estimate.Marginals], error) {
			return NewInWindow(w, p.Period(), estimate.NewMarginals(5))
		}, sampling.ChainOptions{Schedule: sampling.Schedule{Duration: 1000}, Chains: 3})
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "time in the window", in.Estimate.Time(), 3*1000*0.3, 1e-6)
	o := must(NewInWindow(w, 50, estimate.NewMarginals(5)))
	refused(t, "merge", in.Merge(o), "must be equal")
}

func TestSwitchPhases(t *testing.T) {
	// Two units, two modes: 10 is mode 0, 01 is mode 1.
	label := func(z []uint8) int {
		switch {
		case z[0] == 1 && z[1] == 0:
			return 0
		case z[0] == 0 && z[1] == 1:
			return 1
		}
		return -1
	}
	for _, c := range []struct {
		minRun float64
		want   []float64
	}{{0, []float64{0.5, 0.35, 0.2}}, {0.5, []float64{0.5, 0.35, 0.2}}, {1, []float64{0.5}}} {
		s := must(NewSwitchPhases(estimate.LabelFunc(2, label), 10, c.minRun))
		if err := s.Begin(0, []uint8{1, 0}); err != nil {
			t.Fatal(err)
		}
		// Leaves mode 0 at 4 and enters mode 1 at 6: phase 0.5. Leaves 1 at 13 for half a ms
		// of 0 at 14, and is in 1 again from 29.5: phases 0.35 and 0.2 (of 22), if half a
		// ms counts.
		s.Record([]sampling.Flip{{Time: 4, Unit: 0, On: 0}, {Time: 6, Unit: 1, On: 1}}, 8)
		s.Record([]sampling.Flip{{Time: 13, Unit: 1, On: 0}, {Time: 14, Unit: 0, On: 1}, {Time: 14.5, Unit: 0, On: 0}}, 20)
		s.Record([]sampling.Flip{{Time: 29.5, Unit: 1, On: 1}}, 40)
		if len(s.phases) != len(c.want) {
			t.Fatalf("minRun %v: switches at %v: must be %v", c.minRun, s.phases, c.want)
		}
		for i := range c.want {
			closeTo(t, "phase", s.phases[i], c.want[i], 1e-12)
		}
		if c.minRun > 0 {
			continue
		}
		if h := must(s.Histogram(4)); !slices.Equal(h, []int{1, 1, 1, 0}) {
			t.Errorf("histogram %v", h)
		}
		closeTo(t, "share", must(s.Share(PhaseWindow{0.5, 0.2})), 2./3, 1e-12)
		o := must(NewSwitchPhases(estimate.LabelFunc(2, label), 10, 0))
		if err := o.Merge(s); err != nil || o.Switches() != 3 {
			t.Errorf("merged: %d switches, %v", o.Switches(), err)
		}
		refused(t, "merge", o.Merge(o), "themselves")
		_, err := s.Histogram(0)
		refused(t, "histogram", err, "at least 1")
		_, err = s.Share(PhaseWindow{})
		refused(t, "share", err, "window")
		// Another stretch begins in another mode than the last ended in, which is no switch.
		if err := s.Begin(50, []uint8{1, 0}); err != nil {
			t.Fatal(err)
		}
		if s.Record(nil, 60); s.Switches() != 3 {
			t.Errorf("%d switches with another stretch", s.Switches())
		}
		if err := s.Begin(math.Inf(1), nil); err == nil {
			t.Error("begins at Inf")
		}
	}
	_, err := NewSwitchPhases(nil, -1, math.NaN())
	refused(t, "switch phases", err, "Labels", "period", "minRun")
}

package sampling_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// spread returns n rising times of which a third is spread over (0, end) and the rest
// crowded into a thousandth of it, so that one part of a run overflows the flip buffer.
func spread(n int, end float64) []float64 {
	t := make([]float64, n)
	r := rng.Stream(1, "spread")
	for i := range t {
		x := float64(r.Uint64()>>11) / (1 << 53)
		if i%3 != 0 {
			x = 0.61 + x/1000
		}
		t[i] = x * end
	}
	slices.Sort(t)
	return t
}

// TestRunWindow: the recorder gets the state at the end of the warm-up, then every flip
// of the recorded time once and in order, and hears of no other time. The durations are
// such that 1000·x/1000 ≠ x for some, and the flips include both ends of the window.
func TestRunWindow(t *testing.T) {
	for _, sch := range []sampling.Schedule{
		{Duration: 1}, {Warmup: 1, Duration: 2}, {Warmup: 0.1, Duration: 0.07}, {Warmup: 1.0 / 3, Duration: 123.45},
		{Warmup: 1e-9, Duration: 1e-3}, {Warmup: 500, Duration: 1e6}, {Warmup: 7e5, Duration: 0.29}, {Duration: 1e9},
	} {
		t.Run(fmt.Sprintf("%v+%v", sch.Warmup, sch.Duration), func(t *testing.T) {
			end := sch.Warmup + sch.Duration
			times := append(spread(30000, 1.1*end), sch.Warmup, math.Nextafter(sch.Warmup, end), end, math.Nextafter(end, 2*end))
			slices.Sort(times)
			if times[0] == 0 {
				times = times[1:]
			}
			const n = 3
			p := newPlayed(n, flipsAt(n, times, rng.Stream(2, "flips")))
			var rec, second tape
			if err := sampling.Run(t.Context(), p, sch, &rec, &second); err != nil {
				t.Fatal(err)
			}
			if len(rec.from) != 1 || rec.from[0] != sch.Warmup || rec.now() != end {
				t.Errorf("recorded from %v to %v: must be [%v] to %v", rec.from, rec.to, sch.Warmup, end)
			}
			want, z := []sampling.Flip{}, make([]uint8, n)
			for _, f := range p.flips {
				switch {
				case f.Time <= sch.Warmup:
					z[f.Unit] = f.On
				case f.Time <= end:
					want = append(want, f)
				}
			}
			if !slices.Equal(rec.begin, z) {
				t.Errorf("state at the end of the warm-up %v: must be %v", rec.begin, z)
			}
			if !slices.Equal(rec.flips, want) {
				t.Errorf("%d flips recorded: must be the %d of the window, in order", len(rec.flips), len(want))
			}
			if got := rec.state(); !slices.Equal(got, p.State()) || rec.fault != "" {
				t.Errorf("replayed state %v, the sampler's %v; %s", got, p.State(), rec.fault)
			}
			if !slices.Equal(second.flips, want) || second.now() != end {
				t.Error("the second recorder saw something else")
			}
		})
	}
}

// TestRunWindowProperty is TestRunWindow for arbitrary times, and for a chain that
// continues: two runs record what one does.
func TestRunWindowProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 100)).Draw(t, "warmup")
		d1 := rapid.Float64Range(1e-6, 100).Draw(t, "duration")
		d2 := rapid.Float64Range(1e-6, 100).Draw(t, "second duration")
		times := rapid.SliceOfN(rapid.Float64Range(1e-9, 300), 0, 50).Draw(t, "times")
		slices.Sort(times)
		p := newPlayed(2, flipsAt(2, times, rng.Stream(3, "flips")))
		var rec tape
		for i, sch := range []sampling.Schedule{{Warmup: w, Duration: d1}, {Duration: d2}} {
			if err := sampling.Run(context.Background(), p, sch, &rec); err != nil {
				t.Fatal(err)
			}
			if end := []float64{w + d1, w + d1 + d2}[i]; rec.now() != end || p.Time() != end {
				t.Fatalf("run %d ended at %v, sampler at %v: must be %v", i, rec.now(), p.Time(), end)
			}
		}
		if !slices.Equal(rec.from, []float64{w, w + d1}) {
			t.Fatalf("runs recorded from %v: must be %v and %v", rec.from, w, w+d1)
		}
		var want []sampling.Flip
		for _, f := range p.flips {
			if f.Time > w && f.Time <= w+d1+d2 {
				want = append(want, f)
			}
		}
		if !slices.Equal(rec.flips, want) || rec.fault != "" {
			t.Fatalf("recorded %v: must be %v; %s", rec.flips, want, rec.fault)
		}
	})
}

// TestRunGrid: with a sampler that moves in steps, here of 1/5, the window opens and
// closes at the first step at or after the time, and the cut into parts changes no flip.
func TestRunGrid(t *testing.T) {
	const n = 5
	newGibbs := func() *boltzmann.Gibbs {
		g, err := boltzmann.NewGibbs(boltzmann.REF(n), boltzmann.GibbsOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Reset(nil, rng.Stream(4, "grid")); err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, sch := range []sampling.Schedule{
		{Duration: 1}, {Duration: 0.01}, {Warmup: 0.3, Duration: 77.77}, {Warmup: 100, Duration: 4321.1}, {Warmup: 12, Duration: 3e4},
	} {
		g := newGibbs()
		var rec tape
		if err := sampling.Run(t.Context(), g, sch, &rec); err != nil {
			t.Fatal(err)
		}
		for i, x := range []float64{rec.from[0] - sch.Warmup, rec.now() - rec.from[0] - sch.Duration} {
			if x < -1e-12*sch.Duration || x >= 1.0/n {
				t.Errorf("%+v: side %d of the window is %v late: must be less than a step", sch, i, x)
			}
		}
		// The same chain in one Advance.
		h := newGibbs()
		all, err := h.Advance(rec.now(), make([]sampling.Flip, 0, 1<<18))
		if err != nil || h.Time() != rec.now() {
			t.Fatalf("reference chain stopped at %v: %v", h.Time(), err)
		}
		first := 0
		for first < len(all) && all[first].Time <= rec.from[0] {
			first++
		}
		if !slices.Equal(rec.flips, all[first:]) {
			t.Errorf("%+v: %d flips recorded: must be the %d of one long Advance", sch, len(rec.flips), len(all)-first)
		}
		if got := rec.state(); !slices.Equal(got, g.State()) || rec.fault != "" {
			t.Errorf("%+v: replayed state %v, the sampler's %v; %s", sch, got, g.State(), rec.fault)
		}
	}
}

// TestRunCancel: a cancelled run returns ctx's error soon, and the recorders hold what
// happened until then. Without cancellation it would take forever.
func TestRunCancel(t *testing.T) {
	const cancelAt, forever = 1000.0, 1e15
	for _, warmup := range []float64{0, 10, forever} {
		p := newPlayed(2, flipsAt(2, spread(30000, 2*cancelAt), rng.Stream(5, "flips")))
		ctx, cancel := context.WithCancel(t.Context())
		rec := tape{onRecord: func(now float64) {
			if now >= cancelAt {
				cancel()
			}
		}}
		sch := sampling.Schedule{Warmup: warmup, Duration: forever}
		if warmup == forever {
			sch.OnProgress = func(sampling.Progress) { cancel() }
		}
		err := sampling.Run(ctx, p, sch, &rec)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v: must be context.Canceled", err)
		}
		if warmup == forever {
			if rec.begun() {
				t.Error("cancelled in the warm-up, but recording began")
			}
			continue
		}
		if now := rec.now(); now < cancelAt || now > cancelAt+1000 || now != p.Time() {
			t.Errorf("recorded up to %v, sampler at %v: must stop soon after %v", now, p.Time(), cancelAt)
		}
		if got := rec.state(); !slices.Equal(got, p.State()) || rec.fault != "" {
			t.Errorf("replayed state %v, the sampler's %v; %s", got, p.State(), rec.fault)
		}
		if len(rec.flips) == 0 {
			t.Error("nothing recorded before the cancellation")
		}
	}

	// A context that has already ended: nothing moves. A deadline is reported as such.
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	p := newPlayed(1, nil)
	if err := sampling.Run(ctx, p, sampling.Schedule{Duration: 1}, &tape{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v: must be context.DeadlineExceeded", err)
	}
	if p.Time() != 0 {
		t.Errorf("the sampler moved to %v", p.Time())
	}
}

func TestScheduleErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		sch  sampling.Schedule
		says []string
	}{
		{sampling.Schedule{}, []string{"Duration = 0"}},
		{sampling.Schedule{Duration: -1}, []string{"Duration = -1"}},
		{sampling.Schedule{Duration: nan}, []string{"Duration = NaN"}},
		{sampling.Schedule{Duration: inf}, []string{"Duration = +Inf"}},
		{sampling.Schedule{Warmup: -1, Duration: 1}, []string{"Warmup = -1"}},
		{sampling.Schedule{Warmup: nan, Duration: 1}, []string{"Warmup = NaN"}},
		{sampling.Schedule{Warmup: inf, Duration: 1}, []string{"Warmup = +Inf"}},
		{sampling.Schedule{Warmup: -2, Duration: nan}, []string{"Warmup = -2", "Duration = NaN"}},
	} {
		p := newPlayed(1, nil)
		var rec tape
		err := sampling.Run(t.Context(), p, c.sch, &rec)
		if err == nil || p.Time() != 0 || rec.begun() {
			t.Fatalf("%+v: error %v, sampler at %v: must be refused before anything moves", c.sch, err, p.Time())
		}
		for _, s := range append(c.says, "sampling: ") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%+v: error %q must contain %q", c.sch, err, s)
			}
		}
	}
}

// TestRunSamplerFaults: a sampler that fails or does not move ends the run with an error,
// after what it did before was recorded.
func TestRunSamplerFaults(t *testing.T) {
	failure := errors.New("broken")
	times := []float64{1, 2, 3, 11, 12}
	for _, at := range []float64{2.5, 7} { // in the warm-up, in the recorded time
		p := newPlayed(2, flipsAt(2, times, rng.Stream(6, "flips")))
		p.failAt, p.failure = at, failure
		var rec tape
		err := sampling.Run(t.Context(), p, sampling.Schedule{Warmup: 5, Duration: 5}, &rec)
		if !errors.Is(err, failure) {
			t.Errorf("failure at %v: error %v: must be the sampler's", at, err)
		}
		if rec.begun() != (at > 5) || rec.begun() && rec.now() < 6.9 {
			t.Errorf("failure at %v: recorded from %v to %v", at, rec.from, rec.to)
		}

		p = newPlayed(2, flipsAt(2, times, rng.Stream(6, "flips")))
		p.stuckAt = at
		rec = tape{}
		err = sampling.Run(t.Context(), p, sampling.Schedule{Warmup: 5, Duration: 5}, &rec)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("stuck at time %v", at)) {
			t.Errorf("stuck at %v: error %v", at, err)
		}
		if rec.begun() != (at > 5) || rec.begun() && rec.now() != at {
			t.Errorf("stuck at %v: recorded from %v to %v", at, rec.from, rec.to)
		}
	}

	// More simultaneous flips than the buffer holds are progress, though time stands still.
	same := make([]float64, 20001)
	for i := range same {
		same[i] = 0.5
	}
	var rec tape
	if err := sampling.Run(t.Context(), newPlayed(1, flipsAt(1, same, rng.Stream(7, "flips"))), sampling.Schedule{Duration: 1}, &rec); err != nil {
		t.Error(err)
	}
	if len(rec.flips) != len(same) {
		t.Errorf("%d flips recorded: must be %d", len(rec.flips), len(same))
	}

	// A recorder that refuses to begin ends the run before anything is recorded.
	rec = tape{beginErr: failure}
	p := newPlayed(1, nil)
	err := sampling.Run(t.Context(), p, sampling.Schedule{Warmup: 1, Duration: 1}, &rec)
	if !errors.Is(err, failure) || p.Time() != 1 || rec.now() != 1 {
		t.Errorf("refused Begin: error %v, sampler at %v", err, p.Time())
	}
}

// TestRunProgress: progress never goes back, comes often, and ends at the total.
func TestRunProgress(t *testing.T) {
	p := newPlayed(1, nil)
	p.now = 17 // a chain that continues: progress counts from here
	var got []sampling.Progress
	sch := sampling.Schedule{Warmup: 3, Duration: 4, OnProgress: func(q sampling.Progress) { got = append(got, q) }}
	if err := sampling.Run(t.Context(), p, sch); err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for i, q := range got {
		if q.Total != 7 {
			t.Fatalf("call %d: total %v: must be 7", i, q.Total)
		}
		if q.Time < last || q.Time > last+0.01 {
			t.Fatalf("call %d: from %v to %v", i, last, q.Time)
		}
		last = q.Time
	}
	if last != 7 {
		t.Errorf("progress ended at %v: must be 7", last)
	}
}

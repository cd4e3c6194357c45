package dynamics_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// event is an event of size a at time t [ms].
type event struct{ t, a float64 }

// sum is Σ a_i e^{−(t−t_i)/τ} over the events up to t, and Σ |a_i| e^{…}, the scale of its
// rounding error.
func sum(events []event, t, tau float64) (x, scale float64) {
	for _, e := range events {
		y := e.a * math.Exp(-(t-e.t)/tau)
		x += y
		scale += math.Abs(y)
	}
	return x, scale
}

// drawTimes draws rising event times, some of them equal, and a time constant.
func drawTimes(t *rapid.T) (times []float64, tau float64) {
	tau = rapid.Float64Range(0.1, 100).Draw(t, "τ")
	now := rapid.Float64Range(-100, 100).Draw(t, "start")
	for _, gap := range rapid.SliceOfN(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 300)), 1, 40).Draw(t, "gaps") {
		now += gap
		times = append(times, now)
	}
	return times, tau
}

// TestTrace: the trace evaluated at events only is the sum over all events. Each of up to
// 40 decays rounds once more, and e^{−x} loses x digits' worth where events are long ago.
func TestTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times, tau := drawTimes(t)
		var f dynamics.Trace
		if x := f.At(times[0], tau); x != 0 {
			t.Fatalf("empty trace is %v", x)
		}
		var events []event
		for _, now := range times {
			x, scale := sum(events, now, tau)
			near(t, "before an event", f.At(now, tau), x, 1e-11*scale+1e-300)
			a := rapid.Float64Range(-2, 2).Draw(t, "a")
			f.Add(now, tau, a)
			events = append(events, event{now, a})
			x, scale = sum(events, now, tau)
			near(t, "after an event", f.At(now, tau), x, 1e-11*scale+1e-300)
		}
		later := times[len(times)-1] + rapid.Float64Range(0, 500).Draw(t, "later")
		x, scale := sum(events, later, tau)
		near(t, "later", f.At(later, tau), x, 1e-11*scale+1e-300)
	})
}

// TestRenew: renewing events leave the trace at exactly 1, whatever came before, and their
// jumps, added up like any events, are that trace. It is a Tsodyks-Markram synapse with
// U = 1 and τ_rec = τ: each spike uses up all resources R, which recover with τ.
func TestRenew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times, tau := drawTimes(t)
		var f dynamics.Trace
		var events []event
		resources, last := 1.0, 0.0
		for i, now := range times {
			if i > 0 {
				resources = 1 - math.Exp(-(now-last)/tau) // from 0 just after the last spike
			}
			jump := f.Renew(now, tau)
			near(t, "jump and resources", jump, resources, 1e-15)
			if x := f.At(now, tau); x != 1 {
				t.Fatalf("after a renewing event the trace is %v", x)
			}
			events, last = append(events, event{now, jump}), now
			x, _ := sum(events, now, tau)
			near(t, "sum of the jumps", x, 1, 1e-13)
		}
		now := last + rapid.Float64Range(0, 100).Draw(t, "later")
		near(t, "decay", f.At(now, tau), math.Exp(-(now-last)/tau), 1e-15)
	})
	// It renews whatever is there, also what plain events brought.
	var f dynamics.Trace
	f.Add(1, 10, 3)
	near(t, "jump down", f.Renew(2, 10), 1-3*math.Exp(-0.1), 1e-15)
}

func BenchmarkRenew(b *testing.B) {
	var f dynamics.Trace
	now := 0.0
	b.ReportAllocs()
	for b.Loop() {
		now += 7
		f.Renew(now, 10)
	}
}

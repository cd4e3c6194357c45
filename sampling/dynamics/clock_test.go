package dynamics_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// anyDt draws time steps that are binary fractions, decimals and anything else.
func anyDt() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.SampledFrom([]float64{0.1, 0.05, 0.3, 0.7, 0.01, 0.025, 1.0 / 3, 0.125, 1, 2}), rapid.Float64Range(1e-4, 10))
}

// TestClockCeil: Ceil is the first step whose time, as Time rounds it, is at or after t.
func TestClockCeil(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := dynamics.Clock{Dt: anyDt().Draw(t, "Dt")}
		n := rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(1, 1<<50)).Draw(t, "n")
		on := c.Time(n)
		if got := c.Ceil(on); got != n {
			t.Fatalf("Ceil(Time(%d)) = %d", n, got)
		}
		if got := c.Ceil(math.Nextafter(on, 0)); got != n {
			t.Fatalf("Ceil just before step %d is %d", n, got)
		}
		if got := c.Ceil(math.Nextafter(on, math.Inf(1))); got != n+1 {
			t.Fatalf("Ceil just after step %d is %d", n, got)
		}
		x := rapid.Float64Range(0, 1e10).Draw(t, "t")
		if got := c.Ceil(x); !(c.Time(got) >= x) || got > 0 && c.Time(got-1) >= x {
			t.Fatalf("Ceil(%v) = %d, at %v", x, got, c.Time(got))
		}
	})
	c := dynamics.Clock{Dt: 0.1}
	for _, x := range []float64{0, math.Copysign(0, -1), -1e-300, -3, -1e300, math.Inf(-1), math.NaN()} {
		if got := c.Ceil(x); got != 0 {
			t.Errorf("Ceil(%v) = %d: must be 0", x, got)
		}
	}
	for _, x := range []float64{1e300, math.MaxFloat64, math.Inf(1)} { // further than any run, not before it
		if got := c.Ceil(x); got != 1<<53 {
			t.Errorf("Ceil(%v) = %d: must be 2^53", x, got)
		}
	}
	for _, x := range []float64{1e-300, 5e-324} {
		if got := c.Ceil(x); got != 1 {
			t.Errorf("Ceil(%v) = %d: must be 1", x, got)
		}
	}
}

func TestClockSteps(t *testing.T) {
	for _, c := range []struct {
		dt, d float64
		n     int64
	}{
		{0.1, 0, 0}, {0.1, 0.1, 1}, {0.1, 0.3, 3}, {0.1, 10, 100}, {0.3, 0.9, 3}, {0.7, 2.1, 3}, {0.1, 19.7, 197}, {0.01, 1e6, 1e8},
		{1, 1e15, 1e15}, {1.0 / 3, 10, 30}, {0.1, 10 * (1 + 5e-10), 100}, {1e-300, 3e-300, 3},
	} {
		if n, err := (dynamics.Clock{Dt: c.dt}).Steps(c.d); n != c.n || err != nil {
			t.Errorf("%v ms in steps of %v: %d, %v: must be %d", c.d, c.dt, n, err, c.n)
		}
	}
	for _, c := range [][2]float64{
		{0.1, 0.05}, {0.1, 0.14}, {0.3, 10}, {0.1, 10.001}, {0.1, 10 * (1 + 1e-8)}, {0.1, 1e-12}, {0.1, 5e-324}, {0.1, -0.1}, {0.1, -1e-300},
		{0.1, 1e9 + 0.03}, {0.1, 1e300}, {1, 1 << 53}, {0.1, math.NaN()}, {0.1, math.Inf(1)}, {0.1, math.Inf(-1)},
	} {
		if n, err := (dynamics.Clock{Dt: c[0]}).Steps(c[1]); !errors.Is(err, dynamics.ErrOffGrid) || n != 0 {
			t.Errorf("%v ms in steps of %v: %d, %v: must be off the grid", c[1], c[0], n, err)
		}
	}
	for _, dt := range []float64{0, -0.1, math.NaN(), math.Inf(1)} {
		c := dynamics.Clock{Dt: dt}
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "dynamics: Dt = ") {
			t.Errorf("Dt = %v: %v", dt, err)
		}
		if _, err := c.Steps(1); err == nil || errors.Is(err, dynamics.ErrOffGrid) {
			t.Errorf("Steps with Dt = %v: %v: must say that Dt is wrong", dt, err)
		}
	}
	if err := (dynamics.Clock{Dt: 0.1}).Validate(); err != nil {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := dynamics.Clock{Dt: anyDt().Draw(t, "Dt")}
		n := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, 1e12)).Draw(t, "n")
		if got, err := c.Steps(c.Time(n)); got != n || err != nil {
			t.Fatalf("Steps(Time(%d)) = %d, %v", n, got, err)
		}
		off := (float64(n) + rapid.Float64Range(0.02, 0.98).Draw(t, "fraction")) * c.Dt
		if got, err := c.Steps(off); !errors.Is(err, dynamics.ErrOffGrid) {
			t.Fatalf("Steps(%v) = %d, %v: must be off the grid", off, got, err)
		}
	})
}

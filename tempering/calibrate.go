package tempering

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// CalibrateOptions says how a Map is measured. Zero values are the defaults.
type CalibrateOptions struct {
	// Factors of the background rates, ascending, from ≤ 1 to ≥ 1, at least 3; default
	// 0.25, 0.5, 1, 2, 4, 9, 16.
	Factors  []float64
	Points   int     // resting potentials at each factor; default 60
	Duration float64 // biological time of each [ms]; default 1e5
	Warmup   float64 // discarded before [ms]; default 500
	Seed     uint64
	Parallel int // default GOMAXPROCS; never changes the result
}

var defaultFactors = []float64{0.25, 0.5, 1, 2, 4, 9, 16}

// Calibrate measures the activation function of a setup at several factors of its
// background rates, by [lif.Calibrate] at each. It depends on setup, factors and seed
// only.
//
// Keep the result as JSON: by default it takes some ten seconds.
func Calibrate(ctx context.Context, s lif.Setup, o CalibrateOptions) (*Map, error) {
	if len(o.Factors) == 0 {
		o.Factors = defaultFactors
	}
	lo := lif.CalibrateOptions{Points: o.Points, Duration: o.Duration, Warmup: o.Warmup, Pairs: -1, Parallel: o.Parallel}
	// Everything is refused before anything is measured.
	dry := make([]MapPoint, len(o.Factors))
	for i, f := range o.Factors {
		dry[i] = MapPoint{Factor: f, Alpha: 1}
	}
	if _, err := newMap(s, dry); err != nil {
		return nil, err
	}
	if err := errors.Join(lo.Validate(), checkEvents(s, slices.Max(o.Factors), "the largest factor")); err != nil {
		return nil, err
	}
	pts := make([]MapPoint, len(o.Factors))
	for i, f := range o.Factors {
		lo.Seed = rng.Stream(o.Seed, "map", i).Uint64()
		c, err := lif.Calibrate(ctx, scaled(s, f, f), lo)
		if err != nil {
			return nil, fmt.Errorf("tempering: at factor %v: %w", f, err)
		}
		pts[i] = MapPoint{Factor: f, VHalf: c.VHalf, Alpha: c.Alpha, VHalfSE: c.VHalfSE, AlphaSE: c.AlphaSE}
	}
	return newMap(s, pts)
}

// maxEvents is the largest mean number of events of one source in a time step.
const maxEvents = 5

// checkEvents refuses a factor at which a source brings too many events per step.
func checkEvents(s lif.Setup, factor float64, what string) error {
	for _, src := range [][]lif.Poisson{s.Noise.Exc, s.Noise.Inh} {
		for _, p := range src {
			if n := p.Rate * factor * s.Dt / 1000; n > maxEvents || math.IsNaN(n) {
				return fmt.Errorf("tempering: %s, %v, makes %v Hz bring %.3g events per step of %v ms: must be at most %v",
					what, factor, p.Rate, n, s.Dt, maxEvents)
			}
		}
	}
	return nil
}

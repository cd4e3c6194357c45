package lif

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/interp"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// PairTable is the measured effect of a coupling: two neurons coupled with the published
// translation of W and biases −W/2 sample a pair law whose log odds ratio
// L = ln(p11 p00/(p10 p01)) would be W if the translation were exact.
type PairTable struct {
	W  []float64 `json:"w"`  // nominal couplings, ascending
	L  []float64 `json:"l"`  // measured log odds ratios
	SE []float64 `json:"se"` // their standard errors
}

// Grids of nominal couplings: a single exponential PSP saturates beyond |W| of about 3,
// a rectangular one carries far more.
var (
	pairGridExp  = []float64{-4, -3, -2.5, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 2.5}
	pairGridRect = []float64{-8, -6, -4.5, -3, -2, -1, -0.5, 0.5, 1, 2, 3, 4.5, 6, 8}
)

// pairReplicas pairs of each coupling run beside each other.
const pairReplicas = 4

func measurePairs(ctx context.Context, s Setup, c *Calibration, o CalibrateOptions) (*PairTable, error) {
	grid := pairGridExp
	if s.PSP == Rect {
		grid = pairGridRect
	}
	t := &PairTable{W: grid, L: make([]float64, len(grid)), SE: make([]float64, len(grid))}
	err := parallel(ctx, len(grid), o.Parallel, func(i int) error {
		var err error
		t.L[i], t.SE[i], err = s.measurePair(ctx, c, grid[i], o.Pairs/pairReplicas, o.Seed, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := t.curve(); err != nil {
		return nil, err
	}
	return t, nil
}

// leastSlope is the slope dL/dW at which a pair counts as saturated: beyond, a wanted log
// odds ratio would ask for couplings whose other effects are far from it.
const leastSlope = 0.5

// usable is the span [lo, hi) of the table around W = 0 in which L grows with at least
// leastSlope. Strongly coupled pairs of some setups saturate, or even come back.
func (t *PairTable) usable() (lo, hi int) {
	mid := sort.SearchFloat64s(t.W, 0)
	lo, hi = mid, mid
	w, l := 0.0, 0.0 // the last point kept
	for lo > 0 && l-t.L[lo-1] >= leastSlope*(w-t.W[lo-1]) {
		lo--
		w, l = t.W[lo], t.L[lo]
	}
	w, l = 0, 0
	for hi < len(t.W) && t.L[hi]-l >= leastSlope*(t.W[hi]-w) {
		w, l = t.W[hi], t.L[hi]
		hi++
	}
	return lo, hi
}

// measurePair measures the log odds ratio at nominal coupling w for the time duration
// [ms] in pairReplicas pairs.
func (s Setup) measurePair(ctx context.Context, c *Calibration, w, duration float64, seed uint64, index int) (l, se float64, err error) {
	const n = 2 * pairReplicas
	e := c.VHalf - c.Alpha*w/2
	rest := make([]float64, n)
	weights := make([]float64, n*n)
	bio := s.weight(w, c.Alpha, s.freePotential(e))
	for k := range rest {
		rest[k] = e
		weights[k*n+k^1] = bio
	}
	net, err := s.free(rest, weights)
	if err != nil {
		return 0, 0, err
	}
	if err := net.Reset(nil, rng.Stream(seed, "pair", index)); err != nil {
		return 0, 0, err
	}
	// Counts of every replica and block; the pooled ratio, and its jackknife error.
	var parts [][]float64
	sch := sampling.Schedule{Warmup: 1000, Duration: duration / blocks}
	for range blocks {
		rec := make([]sampling.Recorder, pairReplicas)
		joints := make([]*estimate.Joint, pairReplicas)
		for r := range rec {
			j, err := estimate.NewJoint(2*r, 2*r+1)
			if err != nil {
				return 0, 0, err
			}
			rec[r], joints[r] = j, j
		}
		if err := sampling.Run(ctx, net, sch, rec...); err != nil {
			return 0, 0, err
		}
		for _, j := range joints {
			parts = append(parts, j.P())
		}
		sch.Warmup = 0
	}
	total := make([]float64, 4)
	for _, p := range parts {
		for i := range total {
			total[i] += p[i]
		}
	}
	ratio := func(p []float64) float64 { return math.Log(p[3] * p[0] / (p[1] * p[2])) }
	l = ratio(total)
	m := float64(len(parts))
	ss, rest4 := 0.0, make([]float64, 4)
	for _, p := range parts {
		for i := range rest4 {
			rest4[i] = total[i] - p[i]
		}
		d := ratio(rest4) - l
		ss += d * d
	}
	se = math.Sqrt(ss * (m - 1) / m)
	if !finite(l) || !finite(se) {
		return 0, 0, fmt.Errorf("lif: pair with W = %v: some of its four states were never seen in %v ms: measure longer", w, duration)
	}
	return l, se, nil
}

// curve is the monotone interpolation of L over W through (0, 0) in the usable span.
func (t *PairTable) curve() (*interp.FritschButland, error) {
	if len(t.L) != len(t.W) {
		return nil, fmt.Errorf("lif: pair table with %d couplings and %d ratios: must be as many", len(t.W), len(t.L))
	}
	for k := range t.W {
		if !finite(t.W[k]) || !finite(t.L[k]) || t.W[k] == 0 || k > 0 && t.W[k] <= t.W[k-1] {
			return nil, fmt.Errorf("lif: pair table has W = %v, L = %v: W must ascend without 0, all be finite", t.W[k], t.L[k])
		}
	}
	first, end := t.usable()
	i := sort.SearchFloat64s(t.W, 0)
	if i-first < 2 || end-i < 2 {
		return nil, fmt.Errorf("lif: pair table grows at only %d negative and %d positive couplings: must at 2 of each", i-first, end-i)
	}
	w := slices.Concat(t.W[first:i], []float64{0}, t.W[i:end])
	l := slices.Concat(t.L[first:i], []float64{0}, t.L[i:end])
	var f interp.FritschButland
	if err := f.Fit(w, l); err != nil {
		return nil, fmt.Errorf("lif: pair table: %w", err)
	}
	return &f, nil
}

// Range is the span of log odds ratios that the table can reach before the pair
// saturates; 0, 0 if there is none.
func (t *PairTable) Range() (lo, hi float64) {
	if _, err := t.curve(); err != nil {
		return 0, 0
	}
	first, end := t.usable()
	return t.L[first], t.L[end-1]
}

// Invert is the nominal coupling that gives the log odds ratio w.
func (t *PairTable) Invert(w float64) (float64, error) {
	inv, err := t.inverse()
	if err != nil {
		return 0, err
	}
	return inv.at(w)
}

// inverse is the inverse function of a pair table.
type inverse struct {
	t           *PairTable
	f           *interp.FritschButland
	extrapolate bool // beyond the table, keep the ratio at its edge
}

func (t *PairTable) inverse() (*inverse, error) {
	f, err := t.curve()
	return &inverse{t: t, f: f}, err
}

func (v *inverse) at(w float64) (float64, error) {
	first, end := v.t.usable()
	lo, hi := v.t.W[first], v.t.W[end-1]
	if a, b := v.t.Range(); !(w >= a && w <= b) {
		switch {
		case !v.extrapolate || math.IsNaN(w):
			return 0, fmt.Errorf("lif: coupling %v is outside the pair table: must be between %.3f and %.3f", w, a, b)
		case w < a:
			return w * lo / a, nil
		default:
			return w * hi / b, nil
		}
	}
	for range 60 {
		mid := (lo + hi) / 2
		if v.f.Predict(mid) < w {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2, nil
}

// free is a network without checks of its arguments, for internal use.
func (s Setup) free(rest, weights []float64) (*Network, error) {
	return NewNetwork(s, rest, weights, NetworkOptions{})
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

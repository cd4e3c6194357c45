package estimate

import (
	"fmt"
	"math"
	"slices"
)

// Modes is the number of modes.
func (m *Modes) Modes() int { return m.modes }

// Occupancy is the share of time in each mode, without filter; NaN if no time was
// recorded. Together with Outside it sums to 1.
func (m *Modes) Occupancy() []float64 { return m.P()[:m.modes] }

// Outside is the share of time in no mode, NaN if no time was recorded.
func (m *Modes) Outside() float64 { return m.P()[m.modes] }

// LogOdds is log(occupancy of mode a/occupancy of mode b) with its Monte-Carlo error, from
// the scatter of the blocks of the table: ±Inf with an error of NaN if only one of them was
// seen, NaN if none. Chains that have not been in both modes several times make it worthless,
// whatever the error says: look at Switches.
func (m *Modes) LogOdds(a, b int) (logOdds, se float64, err error) {
	if err := m.checkModes(a, b); err != nil {
		return math.NaN(), math.NaN(), err
	}
	f := func(p []float64) float64 { return math.Log(p[a] / p[b]) }
	if m.Time() == 0 {
		return math.NaN(), math.NaN(), ErrNoTime
	}
	x := f(m.P())
	return x, m.jackknife(x, f), nil
}

// checkModes reports an error unless all are modes.
func (m *Modes) checkModes(modes ...int) error {
	for _, k := range modes {
		if k < 0 || k >= m.modes {
			return fmt.Errorf("estimate: mode %d: must be 0 to %d", k, m.modes-1)
		}
	}
	return nil
}

// Switches is the number of visits that follow one of another mode, over all stretches.
func (m *Modes) Switches() int64 {
	n := 0
	for _, s := range m.stretches {
		n += max(0, len(s.visits)-1)
	}
	return int64(n)
}

// Stretches is the number of stretches recorded, over all merged chains.
func (m *Modes) Stretches() int { return len(m.stretches) }

// Visits are the visits of a stretch in order, and the time when it ends.
func (m *Modes) Visits(stretch int) (visits []Visit, end float64, err error) {
	if stretch < 0 || stretch >= len(m.stretches) {
		return nil, 0, fmt.Errorf("estimate: stretch %d of modes: must be 0 to %d", stretch, len(m.stretches)-1)
	}
	s := m.stretches[stretch]
	return slices.Clone(s.visits), s.end, nil
}

// Series is the labels read in a stretch, at its begin and from then on every step.
func (m *Modes) Series(stretch int) (labels []int16, step float64, err error) {
	if stretch < 0 || stretch >= len(m.stretches) {
		return nil, 0, fmt.Errorf("estimate: stretch %d of modes: must be 0 to %d", stretch, len(m.stretches)-1)
	}
	return slices.Clone(m.stretches[stretch].reads), m.step, nil
}

// Dwells are the complete dwell times of mode k, from the begin of its visits to the begin
// of the next, in the sampler's unit. The first and the last visit of a stretch are cut by
// its ends and not among them.
func (m *Modes) Dwells(k int) []float64 {
	var d []float64
	for _, s := range m.stretches {
		for i := 1; i+1 < len(s.visits); i++ {
			if s.visits[i].Mode == k {
				d = append(d, s.visits[i+1].Time-s.visits[i].Time)
			}
		}
	}
	return d
}

// DwellHistogram counts the complete dwell times of mode k in [edges[i], edges[i+1]), the
// edges rising.
func (m *Modes) DwellHistogram(k int, edges []float64) ([]int64, error) {
	if err := m.checkModes(k); err != nil {
		return nil, err
	}
	if len(edges) < 2 {
		return nil, fmt.Errorf("estimate: dwell histogram of %d edges: must have at least 2", len(edges))
	}
	for i, e := range edges {
		if math.IsNaN(e) || i > 0 && e <= edges[i-1] {
			return nil, fmt.Errorf("estimate: edge %d of the dwell histogram is %v: edges must rise", i, e)
		}
	}
	counts := make([]int64, len(edges)-1)
	for _, d := range m.Dwells(k) {
		if i, exact := slices.BinarySearch(edges, d); exact && i < len(counts) {
			counts[i]++
		} else if !exact && i > 0 && i < len(edges) {
			counts[i-1]++
		}
	}
	return counts, nil
}

// RoundTrips is the number of journeys, one after another in each stretch, from a visit of
// the first of the listed modes through all others, in any order, and back to it. No list
// means all modes from 0.
func (m *Modes) RoundTrips(modes ...int) (int64, error) {
	if err := m.checkModes(modes...); err != nil {
		return 0, err
	}
	if len(modes) == 0 {
		modes = make([]int, m.modes)
		for k := range modes {
			modes[k] = k
		}
	}
	place := make([]int, m.modes) // in the list, from 1; 0: not there
	for i, k := range modes {
		if place[k] > 0 {
			return 0, fmt.Errorf("estimate: round trips through mode %d twice: must list distinct modes", k)
		}
		place[k] = i + 1
	}
	if len(modes) < 2 {
		return 0, fmt.Errorf("estimate: round trips through %d modes: must be at least 2", len(modes))
	}
	trips := int64(0)
	for _, s := range m.stretches {
		been := make([]bool, len(modes))
		left := -1 // to be visited on this journey; −1: it has not begun
		for _, v := range s.visits {
			switch i := place[v.Mode] - 1; {
			case i == 0 && left <= 0:
				if left == 0 {
					trips++
				}
				clear(been)
				left = len(modes) - 1
			case i > 0 && left > 0 && !been[i]:
				been[i] = true
				left--
			}
		}
	}
	return trips, nil
}

// IACT is the integrated autocorrelation time of the indicator of mode k, in the sampler's
// unit: [IACT] of the labels read at every Step, over all stretches as chains, those cut to a
// common length that keeps most readings in total. It resolves no times below Step.
// ErrConstant says that the mode was never or always seen.
func (m *Modes) IACT(k int) (float64, error) {
	if err := m.checkModes(k); err != nil {
		return math.NaN(), err
	}
	lengths := make([]int, len(m.stretches))
	for c, s := range m.stretches {
		lengths[c] = len(s.reads)
	}
	_, best := cuts(lengths)
	if best == 0 {
		return math.NaN(), fmt.Errorf("estimate: modes were read less than %d times in every stretch (every %v): %w", minDraws, m.step, ErrNoTime)
	}
	var x [][]float64
	for _, s := range m.stretches {
		if len(s.reads) < best {
			continue
		}
		y := make([]float64, best)
		for i, l := range s.reads[:best] {
			if int(l) == k {
				y[i] = 1
			}
		}
		x = append(x, y)
	}
	tau, err := IACT(x)
	return tau * m.step, err
}

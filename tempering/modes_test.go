package tempering

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// pairLabel names the states of two units: 10 is mode 0, 01 mode 1, others none.
func pairLabel(z []uint8) int {
	switch {
	case z[0] == 1 && z[1] == 0:
		return 0
	case z[0] == 0 && z[1] == 1:
		return 1
	}
	return -1
}

func newPairs(t fatal, minRun, step float64) *Modes {
	m, err := NewModes(2, ModesOptions{Modes: 2, Label: pairLabel, MinRun: minRun, Step: step})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A record worked out by hand. Labels: 0 in [0,5), none [5,6), 1 [6,6.5), none [6.5,7),
// 0 [7,9), 1 [9,15), 0 [15,20]. The jump at 9 passes 00 for no time.
func TestModes(t *testing.T) {
	flips := []sampling.Flip{
		{Time: 5, Unit: 0, On: 0}, {Time: 6, Unit: 1, On: 1}, {Time: 6.5, Unit: 0, On: 1}, {Time: 7, Unit: 1, On: 0},
		{Time: 9, Unit: 0, On: 0}, {Time: 9, Unit: 1, On: 1}, {Time: 15, Unit: 1, On: 0}, {Time: 15, Unit: 0, On: 1},
	}
	for _, tc := range []struct {
		minRun   float64
		switches int64
		dwells   [2][]float64
	}{
		{0, 4, [2][]float64{{2}, {1, 6}}},
		{1, 2, [2][]float64{nil, {6}}}, // the run of .5 is no visit: mode 0 lasts until 9
		{5.5, 0, [2][]float64{nil, nil}},
	} {
		for _, split := range []int{0, 1, 5, 6} { // Record may end amid a jump
			m := newPairs(t, tc.minRun, 0)
			if err := m.Begin(0, []uint8{1, 0}); err != nil {
				t.Fatal(err)
			}
			if split > 0 {
				m.Record(flips[:split], flips[split-1].Time)
			}
			m.Record(flips[split:], 20)
			if p := m.Occupancy(); math.Abs(p[0]-12./20) > 1e-12 || math.Abs(p[1]-6.5/20) > 1e-12 || math.Abs(m.Outside()-1.5/20) > 1e-12 {
				t.Errorf("occupancy %v, outside %v", p, m.Outside())
			}
			if tc.minRun == 5.5 { // only [9,15) qualifies
				if m.Switches() != 0 || m.mode != 1 {
					t.Errorf("filter 5.5: %d switches, mode %d", m.Switches(), m.mode)
				}
				continue
			}
			if m.Switches() != tc.switches || !slices.Equal(m.Dwells(0), tc.dwells[0]) || !slices.Equal(m.Dwells(1), tc.dwells[1]) {
				t.Errorf("filter %v: %d switches, dwells %v %v", tc.minRun, m.Switches(), m.Dwells(0), m.Dwells(1))
			}
			want := []int16{0, 0, 0, 0, 0, -1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}
			if !slices.Equal(m.series[0], want) {
				t.Errorf("series %v, want %v", m.series[0], want)
			}
		}
	}
}

// The telegraph process between two modes has indicator correlations (1−2a)^t for a
// switch with probability a per step: autocorrelation time (1−a)/a, mean dwell 1/a.
func TestModesIACT(t *testing.T) {
	const a, steps = .05, 200000
	r := rand.New(rng.Stream(3, "telegraph"))
	m := newPairs(t, 0, 0)
	if err := m.Begin(0, []uint8{1, 0}); err != nil {
		t.Fatal(err)
	}
	on := uint8(1)
	for i := 1; i <= steps; i++ {
		if r.Float64() < a {
			on ^= 1
			m.Record([]sampling.Flip{{Time: float64(i), Unit: 0, On: on}, {Time: float64(i), Unit: 1, On: 1 - on}}, float64(i))
		}
	}
	m.Record(nil, steps)
	// 1e4 switches: the error of tau is about 3 %, that of the mean dwell 1 %.
	for k := range 2 {
		if tau := must(m.IACT(k)); math.Abs(tau/((1-a)/a)-1) > .12 {
			t.Errorf("IACT of mode %d is %v, exact %v", k, tau, (1-a)/a)
		}
		sum := 0.0
		for _, d := range m.Dwells(k) {
			sum += d
		}
		if mean := sum / float64(len(m.Dwells(k))); math.Abs(mean*a-1) > .065 { // 4.5 se
			t.Errorf("mean dwell in mode %d is %v, exact %v", k, mean, 1/a)
		}
	}
	if _, err := m.IACT(2); err == nil {
		t.Error("mode 2 of 2 accepted")
	}
}

// Against a plain recount over a fine grid of times: random flips at whole times.
func TestModesRecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minRun := float64(rapid.IntRange(0, 4).Draw(t, "filter"))
		words := rapid.SliceOfN(rapid.IntRange(0, 3), 2, 60).Draw(t, "states") // state in [i, i+1)
		m := newPairs(t, minRun, 0)
		z := []uint8{uint8(words[0] & 1), uint8(words[0] >> 1)}
		if err := m.Begin(10, z); err != nil {
			t.Fatal(err)
		}
		var flips []sampling.Flip
		for i, w := range words[1:] {
			for k := range 2 {
				if on := uint8(w >> k & 1); on != uint8(words[i]>>k&1) {
					flips = append(flips, sampling.Flip{Time: float64(11 + i), Unit: int32(k), On: on})
				}
			}
		}
		for len(flips) > 0 {
			n := rapid.IntRange(1, len(flips)).Draw(t, "piece")
			m.Record(flips[:n], flips[n-1].Time)
			flips = flips[n:]
		}
		m.Record(nil, float64(10+len(words)))

		labels := make([]int, len(words))
		count := [3]float64{}
		for i, w := range words {
			labels[i] = pairLabel([]uint8{uint8(w & 1), uint8(w >> 1)})
			if int(m.series[0][i]) != labels[i] || len(m.series[0]) != len(words) {
				t.Fatalf("labels read %v, the %dth is %d", m.series[0], i, labels[i])
			}
			count[labels[i]+1]++
		}
		switches, mode := int64(0), -1
		var begins []float64 // of the dwell in each mode of the sequence
		var modes []int
		for i := 0; i < len(labels); {
			j := i
			for j < len(labels) && labels[j] == labels[i] {
				j++
			}
			if labels[i] >= 0 && float64(j-i) >= minRun && labels[i] != mode {
				if mode >= 0 {
					switches++
				}
				mode = labels[i]
				begins, modes = append(begins, float64(i)), append(modes, mode)
			}
			i = j
		}
		dwells := [2][]float64{}
		for i := 1; i+1 < len(begins); i++ {
			dwells[modes[i]] = append(dwells[modes[i]], begins[i+1]-begins[i])
		}
		if m.Switches() != switches || !slices.Equal(m.Dwells(0), dwells[0]) || !slices.Equal(m.Dwells(1), dwells[1]) {
			t.Fatalf("filter %v, labels %v: %d switches %v %v, want %d %v", minRun, labels, m.Switches(), m.Dwells(0), m.Dwells(1), switches, dwells)
		}
		n := float64(len(words))
		if !reflect.DeepEqual(m.Occupancy(), []float64{count[1] / n, count[2] / n}) || m.Outside() != count[0]/n {
			t.Fatalf("occupancy %v of %v", m.Occupancy(), labels)
		}
	})
}

func TestModesMerge(t *testing.T) {
	record := func(z []uint8, flips ...sampling.Flip) *Modes {
		m := newPairs(t, 0, 0)
		if err := m.Begin(0, z); err != nil {
			t.Fatal(err)
		}
		m.Record(flips, 10)
		return m
	}
	a := record([]uint8{1, 0}, sampling.Flip{Time: 4, Unit: 0, On: 0}, sampling.Flip{Time: 4, Unit: 1, On: 1})
	b := record([]uint8{0, 1}, sampling.Flip{Time: 2, Unit: 1, On: 0}, sampling.Flip{Time: 2, Unit: 0, On: 1})
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	if a.Time() != 20 || a.Switches() != 2 || a.Occupancy()[0] != 12./20 || len(a.series) != 2 {
		t.Errorf("time %v, switches %d, occupancy %v", a.Time(), a.Switches(), a.Occupancy())
	}
	if _, err := a.IACT(0); err != nil {
		t.Error(err)
	}
	if err := a.Begin(0, []uint8{0, 0}); err != nil { // a further stretch
		t.Fatal(err)
	}
	a.Record(nil, 5)
	if a.Switches() != 2 || a.Time() != 25 {
		t.Errorf("time %v, switches %d after a further stretch", a.Time(), a.Switches())
	}
	if err := a.Merge(newPairs(t, 1, 0)); err == nil {
		t.Error("merged records of different filters")
	}
	empty := newPairs(t, 0, 0)
	if _, err := empty.IACT(0); !errors.Is(err, estimate.ErrNoTime) {
		t.Errorf("IACT of nothing: %v", err)
	}
	if err := empty.Begin(0, []uint8{1}); err == nil {
		t.Error("state of one unit accepted")
	}
	if err := empty.Begin(math.NaN(), []uint8{1, 0}); err == nil {
		t.Error("time NaN accepted")
	}
	if err := empty.Merge(b); err != nil || empty.Time() != 10 {
		t.Errorf("merge into nothing: %v, time %v", err, empty.Time())
	}
}

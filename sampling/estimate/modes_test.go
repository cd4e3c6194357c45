package estimate

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// pairLabel names the states of the first two units: 10 is mode 0, 01 mode 1, others none.
func pairLabel(z []uint8) int {
	switch {
	case z[0] == 1 && z[1] == 0:
		return 0
	case z[0] == 0 && z[1] == 1:
		return 1
	}
	return -1
}

func newPairs(minRun, step float64) *Modes {
	return must(NewModes(LabelFunc(2, pairLabel), ModesOptions{MinRun: minRun, Step: step}))
}

// TestModes is a record worked out by hand. Labels: 0 in [0,5), none [5,6), 1 [6,6.5), none
// [6.5,7), 0 [7,9), 1 [9,15), 0 [15,20]. The jump at 9 passes 00 for no time.
func TestModes(t *testing.T) {
	flips := []sampling.Flip{
		flip(5, 0, 0), flip(6, 1, 1), flip(6.5, 0, 1), flip(7, 1, 0),
		flip(9, 0, 0), flip(9, 1, 1), flip(15, 1, 0), flip(15, 0, 1),
	}
	for _, tc := range []struct {
		minRun float64
		visits []Visit
		dwells [2][]float64
		trips  int64
	}{
		{0, []Visit{{0, 0}, {6, 1}, {7, 0}, {9, 1}, {15, 0}}, [2][]float64{{2}, {1, 6}}, 2},
		{1, []Visit{{0, 0}, {9, 1}, {15, 0}}, [2][]float64{nil, {6}}, 1}, // the run of .5 is no visit: mode 0 lasts until 9
		{5.5, []Visit{{9, 1}}, [2][]float64{nil, nil}, 0},
	} {
		for _, split := range []int{0, 1, 5, 6} { // Record may end amid a jump
			m := newPairs(tc.minRun, 0)
			if err := m.Begin(0, []uint8{1, 0}); err != nil {
				t.Fatal(err)
			}
			if split > 0 {
				m.Record(flips[:split], flips[split-1].Time)
			}
			m.Record(flips[split:], 20)
			if p := m.P(); !allClose(p, []float64{12. / 20, 6.5 / 20, 1.5 / 20}) || !allClose(m.Occupancy(), p[:2]) || m.Outside() != p[2] || m.Time() != 20 {
				t.Errorf("shares %v, outside %v, time %v", p, m.Outside(), m.Time())
			}
			visits, end, err := m.Visits(0)
			if err != nil || end != 20 || !slices.Equal(visits, tc.visits) || m.Switches() != int64(len(visits)-1) {
				t.Errorf("filter %v: %d switches, visits %v until %v, %v: want %v", tc.minRun, m.Switches(), visits, end, err, tc.visits)
			}
			if !slices.Equal(m.Dwells(0), tc.dwells[0]) || !slices.Equal(m.Dwells(1), tc.dwells[1]) {
				t.Errorf("filter %v: dwells %v, %v", tc.minRun, m.Dwells(0), m.Dwells(1))
			}
			if trips := must(m.RoundTrips()); trips != tc.trips {
				t.Errorf("filter %v: %d round trips, want %d", tc.minRun, trips, tc.trips)
			}
			want := []int16{0, 0, 0, 0, 0, -1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}
			if got, step, err := m.Series(0); err != nil || step != 1 || !slices.Equal(got, want) {
				t.Errorf("labels read %v every %v, %v: want %v", got, step, err, want)
			}
		}
	}
	m := newPairs(0, 0)
	if err := m.Begin(0, []uint8{1, 0}); err != nil {
		t.Fatal(err)
	}
	m.Record(flips, 20)
	// Dwells of mode 1 are 1 and 6: edges belong to the bin on their right, the last to none.
	for _, tc := range []struct {
		edges  []float64
		counts []int64
	}{{[]float64{0, 1, 3, 6}, []int64{0, 1, 0}}, {[]float64{1, 6, 7}, []int64{1, 1}}, {[]float64{2, 3}, []int64{0}}, {[]float64{math.Inf(-1), math.Inf(1)}, []int64{2}}} {
		if c, err := m.DwellHistogram(1, tc.edges); err != nil || !slices.Equal(c, tc.counts) {
			t.Errorf("histogram over %v: %v, %v: want %v", tc.edges, c, err, tc.counts)
		}
	}
	for _, edges := range [][]float64{nil, {1}, {1, 1}, {2, 1}, {math.NaN(), 1}, {0, math.NaN()}} {
		if _, err := m.DwellHistogram(0, edges); err == nil {
			t.Errorf("histogram over %v accepted", edges)
		}
	}
}

// TestRoundTrips: journeys over a given sequence of visits.
func TestRoundTrips(t *testing.T) {
	visits := func(modes string) (v []Visit) {
		for i, c := range modes {
			v = append(v, Visit{float64(i), int(c - '0')})
		}
		return v
	}
	m := must(NewModes(LabelFunc(4, nil), ModesOptions{}))
	m.stretches = []modeStretch{{visits: visits("3010210230121")}, {visits: visits("12301")}, {}}
	for _, modes := range [][]int{{0, 1}, {1, 0}, {0, 1, 2}, {2, 3}, {2, 1}, {0, 1, 2, 3}} {
		// The plain definition: walk over the visits of each stretch.
		want := int64(0)
		for _, s := range m.stretches {
			var missing map[int]bool
			for _, v := range s.visits {
				if v.Mode == modes[0] && len(missing) == 0 {
					if missing != nil {
						want++
					}
					missing = map[int]bool{}
					for _, k := range modes[1:] {
						missing[k] = true
					}
				}
				delete(missing, v.Mode)
			}
		}
		if got := must(m.RoundTrips(modes...)); got != want {
			t.Errorf("round trips through %v: %d, want %d", modes, got, want)
		}
	}
	if got, all := must(m.RoundTrips()), must(m.RoundTrips(0, 1, 2, 3)); got != all {
		t.Errorf("%d round trips, %d through all modes", got, all)
	}
	if got := must(m.RoundTrips(0, 1, 2)); got != 1 { // 0 1 0 2 1 0, by hand
		t.Errorf("0, 1, 2: %d round trips, want 1", got)
	}
	if got := must(m.RoundTrips(0, 1)); got != 2 { // 0 1 0 and 0 2 1 0; 0 2 3 0 is one with 0 1 2 1, not closed
		t.Errorf("0, 1: %d round trips, want 2", got)
	}
	for _, bad := range [][]int{{0}, {0, 4}, {-1, 0}, {1, 2, 1}} {
		if _, err := m.RoundTrips(bad...); err == nil || !strings.HasPrefix(err.Error(), "estimate: ") {
			t.Errorf("round trips through %v: error %v", bad, err)
		}
	}
}

// TestModesTelegraph: the telegraph process between two modes has indicator correlations
// (1−2a)^t for a switch with probability a per step: autocorrelation time (1−a)/a, mean dwell
// 1/a, log odds 0.
func TestModesTelegraph(t *testing.T) {
	const a, steps, chains = .05, 100000, 2
	var m *Modes
	for c := range chains {
		r := rand.New(rng.Stream(3, "telegraph", c))
		one := newPairs(0, 0)
		if err := one.Begin(0, []uint8{1, 0}); err != nil {
			t.Fatal(err)
		}
		on := uint8(1)
		for i := 1; i <= steps; i++ {
			if r.Float64() < a {
				on ^= 1
				one.Record([]sampling.Flip{flip(float64(i), 0, on), flip(float64(i), 1, 1-on)}, float64(i))
			}
		}
		one.Record(nil, steps)
		if m == nil {
			m = one
		} else if err := m.Merge(one); err != nil {
			t.Fatal(err)
		}
	}
	// 1e4 switches: the error of tau is about 3 %, that of the mean dwell 1 %, 4.5 se (false
	// alarm 1e-5 each). The log odds have 4 times the relative error of a share of 1/2, with
	// n_eff = 2e5/19, 0.02; their stated error is from 2 times 48 blocks, good to 7 %.
	for k := range 2 {
		if tau := must(m.IACT(k)); math.Abs(tau/((1-a)/a)-1) > .13 {
			t.Errorf("IACT of mode %d is %v, exact %v", k, tau, (1-a)/a)
		}
		if mean := sum(m.Dwells(k)) / float64(len(m.Dwells(k))); math.Abs(mean*a-1) > .065 {
			t.Errorf("mean dwell in mode %d is %v, exact %v", k, mean, 1/a)
		}
	}
	x, se, err := m.LogOdds(0, 1)
	if want := 4 * math.Sqrt(.25*19/(chains*steps)); err != nil || math.Abs(x) > 4.5*want || math.Abs(se/want-1) > .35 {
		t.Errorf("log odds %v ± %v, %v: want 0 ± %v", x, se, err, want)
	}
	if y, se2, _ := m.LogOdds(1, 0); math.Abs(x+y) > 1e-12 || math.Abs(se-se2) > 1e-9 {
		t.Errorf("log odds %v ± %v one way, %v ± %v the other", x, se, y, se2)
	}
	for _, bad := range [][2]int{{0, 2}, {-1, 0}} {
		if _, _, err := m.LogOdds(bad[0], bad[1]); err == nil {
			t.Errorf("log odds of modes %v accepted", bad)
		}
	}
	if _, err := m.IACT(2); err == nil {
		t.Error("mode 2 of 2 accepted")
	}

	stuck := newPairs(0, 0)
	if _, _, err := stuck.LogOdds(0, 1); !errors.Is(err, ErrNoTime) {
		t.Errorf("log odds of nothing: %v", err)
	}
	if _, err := stuck.IACT(0); !errors.Is(err, ErrNoTime) {
		t.Errorf("IACT of nothing: %v", err)
	}
	if err := stuck.Begin(0, []uint8{1, 0}); err != nil {
		t.Fatal(err)
	}
	stuck.Record(nil, 100)
	if x, se, err := stuck.LogOdds(0, 1); err != nil || !math.IsInf(x, 1) || !math.IsNaN(se) {
		t.Errorf("log odds of a stuck chain: %v ± %v, %v", x, se, err)
	}
	if tau, err := stuck.IACT(0); !errors.Is(err, ErrConstant) || !math.IsNaN(tau) {
		t.Errorf("IACT of a stuck chain: %v, %v", tau, err)
	}
}

// TestModesRecount: against a plain recount over the steps of random streams in two
// stretches, with readings every second step.
func TestModesRecount(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		filter := rapid.IntRange(0, 4).Draw(rt, "filter")
		chunk := rapid.IntRange(1, 60).Draw(rt, "chunk")
		m := newPairs(float64(filter)*dt, 2*dt)
		count := [3]float64{}
		switches, total := int64(0), 0
		var dwells [2][]float64
		for c := range 2 {
			s := drawStream(rt, 2, 200, "stream")
			s.feed(rt, m, chunk)
			labels := make([]int, len(s.path))
			for i, z := range s.path {
				labels[i] = pairLabel(z)
				count[(labels[i]+3)%3]++
				if i%2 == 0 && int(m.stretches[c].reads[i/2]) != labels[i] {
					rt.Fatalf("labels read %v, label %d is %d", m.stretches[c].reads, i, labels[i])
				}
			}
			if len(m.stretches[c].reads) != (len(labels)+1)/2 {
				rt.Fatalf("%d readings of %d steps", len(m.stretches[c].reads), len(labels))
			}
			total += len(labels)
			var visits []Visit
			for i := 0; i < len(labels); {
				j := i
				for j < len(labels) && labels[j] == labels[i] {
					j++
				}
				if labels[i] >= 0 && j-i >= filter && (len(visits) == 0 || visits[len(visits)-1].Mode != labels[i]) {
					visits = append(visits, Visit{s.t0 + float64(i)*dt, labels[i]})
				}
				i = j
			}
			if got, end, err := m.Visits(c); err != nil || end != s.end() || !slices.Equal(got, visits) {
				rt.Fatalf("filter %d, labels %v: visits %v until %v, %v: want %v", filter, labels, got, end, err, visits)
			}
			switches += int64(max(0, len(visits)-1))
			for i := 1; i+1 < len(visits); i++ {
				dwells[visits[i].Mode] = append(dwells[visits[i].Mode], visits[i+1].Time-visits[i].Time)
			}
		}
		if m.Switches() != switches || !slices.Equal(m.Dwells(0), dwells[0]) || !slices.Equal(m.Dwells(1), dwells[1]) {
			rt.Fatalf("%d switches, dwells %v %v: want %d, %v", m.Switches(), m.Dwells(0), m.Dwells(1), switches, dwells)
		}
		n := float64(total)
		if !allClose(m.P(), []float64{count[0] / n, count[1] / n, count[2] / n}) {
			rt.Fatalf("shares %v of %v steps, count %v", m.P(), n, count)
		}
	})
}

// TestModesThin: readings of a long stretch thin out without losing their times.
func TestModesThin(t *testing.T) {
	m := newPairs(0, 0)
	if err := m.Begin(0, []uint8{1, 0}); err != nil {
		t.Fatal(err)
	}
	const end = 3 * maxReads
	for i := 1; i <= 3; i++ { // one mode in each third, until just before its end
		at := float64(i*maxReads - 1)
		m.Record([]sampling.Flip{flip(at, 0, uint8(1-i%2)), flip(at, 1, uint8(i%2))}, at+1)
	}
	short := newPairs(0, 0)
	if err := short.Begin(0, []uint8{0, 1}); err != nil {
		t.Fatal(err)
	}
	short.Record(nil, 1000)
	if err := m.Merge(short); err != nil {
		t.Fatal(err)
	}
	if m.step != 4 || len(m.stretches[0].reads) != 250 || len(m.stretches[1].reads) != end/4 {
		t.Fatalf("step %v, %d and %d readings", m.step, len(m.stretches[0].reads), len(m.stretches[1].reads))
	}
	for i, l := range m.stretches[1].reads {
		if want := int16((4*i + 1) / maxReads % 2); l != want {
			t.Fatalf("label at %d is %d, want %d", 4*i, l, want)
		}
	}
}

func TestModesMerge(t *testing.T) {
	record := func(z []uint8, flips ...sampling.Flip) *Modes {
		m := newPairs(0, 0)
		if err := m.Begin(0, z); err != nil {
			t.Fatal(err)
		}
		m.Record(flips, 10)
		return m
	}
	a := record([]uint8{1, 0}, flip(4, 0, 0), flip(4, 1, 1))
	b := record([]uint8{0, 1}, flip(2, 1, 0), flip(2, 0, 1))
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	if a.Time() != 20 || a.Switches() != 2 || a.Occupancy()[0] != 12./20 || a.Stretches() != 2 {
		t.Errorf("time %v, switches %d, occupancy %v", a.Time(), a.Switches(), a.Occupancy())
	}
	a.Record([]sampling.Flip{flip(11, 0, 1), flip(11, 1, 0)}, 12) // the open stretch goes on
	if a.Switches() != 3 || a.Time() != 22 {
		t.Errorf("time %v, switches %d after more of the open stretch", a.Time(), a.Switches())
	}
	if err := a.Begin(0, []uint8{0, 0}); err != nil { // a further stretch
		t.Fatal(err)
	}
	a.Record(nil, 5)
	if a.Switches() != 3 || a.Time() != 27 || a.Stretches() != 3 {
		t.Errorf("time %v, switches %d after a further stretch", a.Time(), a.Switches())
	}
	if _, err := a.IACT(0); err != nil {
		t.Error(err)
	}
	for _, other := range []*Modes{nil, a, newPairs(1, 0), newPairs(0, 2), must(NewModes(LabelFunc(3, pairLabel), ModesOptions{}))} {
		if err := a.Merge(other); err == nil {
			t.Errorf("merged with %+v", other)
		}
	}
	empty := newPairs(0, 0)
	if err := empty.Merge(b); err != nil || empty.Time() != 10 || empty.Switches() != 1 {
		t.Errorf("merge into nothing: %v, time %v", err, empty.Time())
	}
	_, _, err1 := empty.Visits(1)
	_, _, err2 := empty.Series(-1)
	if err1 == nil || err2 == nil {
		t.Errorf("stretches 1 and -1 of 1: errors %v, %v", err1, err2)
	}
}

func TestModesRefuse(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tc := range []struct {
		l    Labels
		o    ModesOptions
		says string
	}{
		{nil, ModesOptions{}, "Labels"}, {LabelFunc(0, pairLabel), ModesOptions{}, "0 modes"}, {LabelFunc(40000, pairLabel), ModesOptions{}, "32767"},
		{LabelFunc(2, pairLabel), ModesOptions{MinRun: -1}, "MinRun"}, {LabelFunc(2, pairLabel), ModesOptions{MinRun: inf}, "MinRun"},
		{LabelFunc(2, pairLabel), ModesOptions{Step: nan}, "Step"}, {LabelFunc(2, pairLabel), ModesOptions{Step: -1}, "Step"},
	} {
		if _, err := NewModes(tc.l, tc.o); err == nil || !strings.HasPrefix(err.Error(), "estimate: ") || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: error %v", tc.o, err)
		}
	}
	m := newPairs(0, 0)
	for _, bad := range []struct {
		t float64
		z []uint8
	}{{nan, []uint8{1, 0}}, {0, []uint8{1, 2}}, {0, nil}} {
		if err := m.Begin(bad.t, bad.z); err == nil {
			t.Errorf("begins at %v in %v", bad.t, bad.z)
		}
	}
	if err := must(NewModes(LabelFunc(2, nil), ModesOptions{})).Begin(0, []uint8{0}); err == nil {
		t.Error("nil label function accepted")
	}
	// A label out of range counts as none and is remembered, at the start refused.
	wrong := LabelFunc(2, func(z []uint8) int { return int(z[0]) * 2 })
	m = must(NewModes(wrong, ModesOptions{}))
	if err := m.Begin(0, []uint8{0}); err != nil {
		t.Fatal(err)
	}
	m.Record([]sampling.Flip{flip(1, 0, 1)}, 4)
	if _, err := m.MarshalJSON(); err == nil || m.Err() == nil || !strings.Contains(m.Err().Error(), "label 2") || m.Outside() != .75 {
		t.Errorf("label out of range: %v, encodes %v, outside %v", m.Err(), err, m.Outside())
	}
	if err := must(NewModes(wrong, ModesOptions{})).Begin(0, []uint8{1}); err == nil {
		t.Error("first label out of range accepted")
	}
	defer func() {
		if recover() == nil {
			t.Error("Record before Begin does not panic")
		}
	}()
	newPairs(0, 0).Record(nil, 1)
}

package estimate

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func unitVariable() []Variable { return []Variable{{Name: "z", Units: []int{0}}} }

// alternate is a square wave of one unit: on for up, off for down, over n periods from t0.
func alternate(t fatal, rec sampling.Recorder, t0, up, down float64, n int) {
	if err := rec.Begin(t0, []uint8{1}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		start := t0 + float64(i)*(up+down)
		rec.Record([]sampling.Flip{flip(start+up, 0, 0), flip(start+up+down, 0, 1)}, start+up+down)
	}
}

// TestBinsDouble: past 4096 bins the width doubles and the bins are averages of pairs; the
// length follows from the time alone, and a cell always occupied has share 1 exactly.
func TestBinsDouble(t *testing.T) {
	vars := append(unitVariable(), Variable{Name: "one", Card: 1, Units: []int{0}, Value: func([]uint8) int { return 0 }})
	v := must(NewValues(vars, ValuesOptions{BinWidth: .5}))
	alternate(t, v, 1000.25, .75, .5, 4000) // 5000 units = 10000 bins
	series, width, err := v.Series(0, 1)
	if err != nil || width != 2 || len(series) != 1 || len(series[0]) != 2500 {
		t.Fatalf("%d bins of %v, %v: want 2500 of 2", len(series[0]), width, err)
	}
	for i, x := range series[0] {
		want := 0.0
		for s := range 8 { // quarters of a unit
			if (i*8+s)%5 < 3 {
				want += 1. / 8
			}
		}
		if math.Abs(x-want) > 1e-12 {
			t.Fatalf("bin %d is %v, want %v", i, x, want)
		}
	}
	for _, third := range []float64{1. / 3, 1e-3} { // inexact times
		w := must(NewValues(vars, ValuesOptions{BinWidth: third}))
		alternate(t, w, .1, third, third/7, 3000)
		s := must(w.Summary())
		if last := s.Rows[2]; !last.Constant || last.Estimate != 1 || !math.IsNaN(last.Rhat) || !math.IsNaN(last.MCSE) {
			t.Errorf("constant variable: %+v", last)
		}
		if s.Bins < 3427 || s.Bins > 3429 {
			t.Errorf("%d bins of %v", s.Bins, s.BinWidth)
		}
		if math.Abs(s.Rows[1].Estimate-7./8) > 1e-6 {
			t.Errorf("P = %v, want 7/8", s.Rows[1].Estimate)
		}
	}
}

// TestFarTime: a time at which the default bin is below the resolution of float64.
func TestFarTime(t *testing.T) {
	v := must(NewValues(unitVariable(), ValuesOptions{}))
	alternate(t, v, 1e15, 8, 8, 50)
	p := must(v.P())
	if p[0][1] != .5 || v.Time() != 800 {
		t.Errorf("P %v in time %v", p[0][1], v.Time())
	}
	series, width, err := v.Series(0, 0)
	for _, x := range series[0] {
		if !(x >= 0 && x <= 1) || err != nil {
			t.Fatalf("bins of %v: %v, %v", width, series, err)
		}
	}
}

// TestUndefined: without Condition undefined time is an error that says what to do; with it
// the law is that of the defined time.
func TestUndefined(t *testing.T) {
	for _, condition := range []bool{false, true} {
		v := must(NewValues([]Variable{OneHot("x", 0, 1)}, ValuesOptions{Condition: condition, Joint: true}))
		if err := v.Begin(0, []uint8{1, 0}); err != nil {
			t.Fatal(err)
		}
		v.Record([]sampling.Flip{flip(3, 0, 0), flip(3, 1, 1)}, 4) // undefined for no time at all
		p, err := v.P()
		if err != nil || !slices.Equal(p[0], []float64{.75, .25}) {
			t.Fatalf("P %v, %v", p, err)
		}
		v.Record([]sampling.Flip{flip(5, 0, 1), flip(7, 1, 0)}, 9) // both on in [5, 7)
		p, err = v.P()
		_, err2 := v.Summary()
		_, err3 := v.Joint()
		if !condition {
			if !errors.Is(err, ErrUndefined) || !errors.Is(err2, ErrUndefined) || !errors.Is(err3, ErrUndefined) || !strings.Contains(err.Error(), "Condition") {
				t.Errorf("undefined time: %v, %v, %v", err, err2, err3)
			}
			continue
		}
		if err := errors.Join(err, err2, err3); err != nil || !close(p[0][0], 5./7) || v.DefinedFraction() != 7./9 {
			t.Errorf("P %v, defined %v, %v", p, v.DefinedFraction(), err)
		}
	}
}

// TestOutOfRange: a Value function that leaves its range is reported, whenever it does.
func TestOutOfRange(t *testing.T) {
	vars := func() []Variable {
		return []Variable{{Name: "x", Card: 1, Units: []int{0}, Value: func(z []uint8) int { return 2 * int(z[0]) }}}
	}
	v := must(NewValues(vars(), ValuesOptions{Condition: true}))
	c := must(NewVariablesCurve([]float64{1}, []float64{1}, vars()))
	for _, r := range []sampling.Recorder{v, c} {
		if err := r.Begin(0, []uint8{0}); err != nil {
			t.Fatal(err)
		}
		r.Record([]sampling.Flip{flip(1, 0, 1)}, 2)
	}
	other := must(NewValues(vars(), ValuesOptions{Condition: true}))
	merged := must(NewVariablesCurve([]float64{1}, []float64{1}, vars()))
	if err := errors.Join(other.Merge(v), merged.Merge(c)); err != nil {
		t.Fatal(err)
	}
	_, err1 := v.P()
	_, err2 := other.Summary()
	_, err3 := v.MarshalJSON()
	_, err4 := c.Points()
	_, err5 := merged.Points()
	_, err6 := c.MarshalJSON()
	for i, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err == nil || !strings.Contains(err.Error(), `"x" has value 2`) {
			t.Errorf("%d: %v", i+1, err)
		}
	}
	if !strings.Contains(c.String(), `"x" has value 2`) {
		t.Errorf("curve: %v", c)
	}
	for _, r := range []sampling.Recorder{must(NewValues(vars(), ValuesOptions{})), must(NewVariablesCurve([]float64{1}, []float64{1}, vars()))} {
		if r.Begin(0, []uint8{1}) == nil {
			t.Errorf("%T begins with a value out of range", r)
		}
	}
}

func TestBadVariables(t *testing.T) {
	ok := func(z []uint8) int { return 0 }
	z := Variable{Name: "z", Units: []int{0}}
	for name, vars := range map[string][]Variable{
		"none": {}, "no name": {{Units: []int{0}}}, "same name": {z, z}, "no units": {{Name: "x", Card: 2, Value: ok}},
		"negative unit": {{Name: "x", Units: []int{-1}}}, "unit twice": {{Name: "x", Card: 2, Units: []int{1, 1}, Value: ok}},
		"no card": {{Name: "x", Units: []int{0}, Value: ok}}, "negative card": {{Name: "x", Card: -1, Units: []int{0}, Value: ok}},
		"two units": {{Name: "x", Units: []int{0, 1}}}, "three states of a unit": {{Name: "x", Card: 3, Units: []int{0}}},
		"values": {{Name: "x", Card: maxValues + 1, Units: []int{0}, Value: ok}}, "one-hot of none": {OneHot("x")},
	} {
		if _, err := NewValues(vars, ValuesOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	var many []Variable
	for i := range 70 { // 2^70 joint states: no overflow
		many = append(many, Variable{Name: string(rune('A' + i)), Units: []int{i}})
	}
	if _, err := NewValues(many, ValuesOptions{Joint: true}); err == nil {
		t.Error("a joint table of 2^70 states is accepted")
	}
	if _, err := NewVariablesCurve([]float64{1}, []float64{1}, many); err == nil {
		t.Error("a curve over 2^70 states is accepted")
	}
	if _, err := NewValues(many, ValuesOptions{}); err != nil {
		t.Errorf("70 variables: %v", err)
	}
	for _, w := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := NewValues([]Variable{z}, ValuesOptions{BinWidth: w}); err == nil {
			t.Errorf("BinWidth %v is accepted", w)
		}
	}
	v := must(NewValues([]Variable{z}, ValuesOptions{}))
	for _, at := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 2}} {
		if _, _, err := v.Series(at[0], at[1]); err == nil {
			t.Errorf("series %v exists", at)
		}
	}
	if _, err := v.Joint(); err == nil {
		t.Error("a joint table that was not recorded exists")
	}
	if _, err := v.Summary(); !errors.Is(err, ErrNoTime) {
		t.Errorf("summary of nothing: %v", err)
	}
	if !math.IsNaN(v.DefinedFraction()) {
		t.Errorf("defined fraction of nothing: %v", v.DefinedFraction())
	}
}

// TestUnequalChains: a cancelled chain costs neither R-hat nor the error of the others.
func TestUnequalChains(t *testing.T) {
	for _, tc := range []struct {
		lengths        []int
		shortest, best int
	}{
		{[]int{100, 100, 100}, 100, 100}, {[]int{100, 40, 100}, 40, 100}, {[]int{100, 90, 100}, 90, 90},
		{[]int{3, 100, 0}, 100, 100}, {[]int{3, 0}, 0, 0}, {nil, 0, 0}, {[]int{7, 12, 5}, 5, 5},
	} {
		if s, b := cuts(tc.lengths); s != tc.shortest || b != tc.best {
			t.Errorf("cuts(%v) = %d, %d: want %d, %d", tc.lengths, s, b, tc.shortest, tc.best)
		}
	}
	p := telegraph{[]float64{.5}, []float64{.5}}
	record := func(rep int, spans ...float64) *Summary {
		var all *Values
		for c, span := range spans {
			v := must(NewValues(unitVariable(), ValuesOptions{BinWidth: 1}))
			p.run(t, rng.Stream(9, "unequal", rep, c), span, v)
			if all == nil {
				all = v
			} else if err := all.Merge(v); err != nil {
				t.Fatal(err)
			}
		}
		return must(all.Summary())
	}
	spans, total, exact := []float64{2000, 700, 700, 2}, 3402., 0.
	for _, span := range spans {
		exact += p.variance(0, span) * span / total * span / total
	}
	mcse2 := 0.
	for rep := range 80 {
		s := record(rep, spans...)
		if s.Chains != 4 || s.Bins < 3398 || s.Bins > 3402 {
			t.Fatalf("%d chains, %d bins", s.Chains, s.Bins)
		}
		mcse2 += s.Rows[1].MCSE * s.Rows[1].MCSE / 80
		if rhat := s.Rows[1].Rhat; !(rhat < 1.05) {
			t.Errorf("R-hat %v", rhat)
		}
	}
	if ratio := mcse2 / exact; math.Abs(ratio-1) > .08 { // as in TestValuesCalibrated
		t.Errorf("mean MCSE² is %.3f of the variance", ratio)
	}
	if few := record(0, 3).Rows[0]; !few.Constant || !math.IsNaN(few.MCSE) || !math.IsNaN(few.Rhat) || !math.IsNaN(few.ESS) {
		t.Errorf("three bins: %+v", few)
	}
}

package estimate

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// TestDistances: divergences of a hand-made table, with states of no time and no
// probability.
func TestDistances(t *testing.T) {
	table := newTable(4)
	for range 32 {
		table.add(0, 1)
		table.add(1, 3)
	}
	const ln = math.Ln2
	for _, tc := range []struct {
		target           []float64
		dkl, reverse, tv float64
	}{
		{[]float64{.25, .75, 0, 0}, 0, 0, 0},
		{[]float64{.75, .25, 0, 0}, .5 * math.Log(3), .5 * math.Log(3), .5},
		{[]float64{.25, .25, .25, .25}, .75 * math.Log(3), math.Inf(1), .5},
		{[]float64{.125, .375, .5, 0}, ln, math.Inf(1), .5},
		{[]float64{0, 1, 0, 0}, math.Inf(1), -math.Log(.75), .25},
	} {
		d, err1 := table.DKL(tc.target)
		r, err2 := table.ReverseDKL(tc.target)
		v, err3 := table.TV(tc.target)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		same := func(a, b float64) bool { return a == b || math.Abs(a-b) < 1e-12 }
		if !same(d.X, tc.dkl) || !same(r.X, tc.reverse) || !same(v.X, tc.tv) {
			t.Errorf("%v: D %v, reverse %v, TV %v: want %v, %v, %v", tc.target, d.X, r.X, v.X, tc.dkl, tc.reverse, tc.tv)
		}
		if math.IsInf(d.X, 1) && !math.IsNaN(d.MCSE) || math.IsInf(r.X, 1) && !math.IsNaN(r.MCSE) {
			t.Errorf("%v: infinite divergence has errors %v, %v", tc.target, d.MCSE, r.MCSE)
		}
		if math.IsNaN(d.Floor) || math.IsInf(d.Floor, 0) {
			t.Errorf("%v: floor %v", tc.target, d.Floor)
		}
	}

	// A state seen in one block only: the reverse divergence hangs on that block.
	rare := newTable(2)
	rare.add(0, 63)
	rare.add(1, 1)
	if v := must(rare.ReverseDKL([]float64{.9, .1})); !math.IsInf(v.MCSE, 1) || math.IsInf(v.X, 0) {
		t.Errorf("reverse divergence %v on one visit: want MCSE +Inf", v)
	}

	for _, bad := range [][]float64{nil, {1}, {.5, .5, 0}, {.5, .5, 1e-8, 0}, {1.5, -.5, 0, 0}, {math.NaN(), 1, 0, 0}, {math.Inf(1), 0, 0, 0}} {
		if v, err := table.DKL(bad); err == nil || !math.IsNaN(v.X) {
			t.Errorf("target %v is accepted: %v", bad, v)
		}
	}
	empty := newTable(4)
	if _, err := empty.TV([]float64{1, 0, 0, 0}); !errors.Is(err, ErrNoTime) {
		t.Errorf("distance of an empty table: %v", err)
	}
	if !math.IsNaN(empty.P()[0]) || !math.IsNaN(empty.Var()[0]) || !math.IsNaN(empty.ESS()) {
		t.Error("an empty table has estimates")
	}
	one := newTable(2)
	one.add(0, 1./2048)
	one.add(1, 1./2048)
	if v := must(one.DKL([]float64{.5, .5})); v.X != 0 || !math.IsNaN(v.MCSE) || !math.IsNaN(v.ESS) {
		t.Errorf("one block: %v: want no error bars", v)
	}
	if got, want := (Value{.00312, .00041, 345, .0029}).String(), "0.00312 ± 0.00041 (floor 0.0029, ESS 345)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestVarianceUnequal: the formula for unequal blocks, against its definition on blocks that
// differ in length: for independent draws the estimate is unbiased whatever the lengths.
func TestVarianceUnequal(t *testing.T) {
	lengths := []int{1, 50, 3, 200, 20, 20, 90, 7}
	var got []float64
	n := 0
	for _, l := range lengths {
		n += l
	}
	for rep := range 4000 {
		r := rand.New(rand.NewPCG(7, uint64(rep)))
		table := &Table{size: 2, width: 1024, chains: make([][][]float64, len(lengths))}
		for c, l := range lengths {
			block := make([]float64, 2)
			for range l {
				k := 0
				if r.Float64() < .3 {
					k = 1
				}
				block[k]++
			}
			table.chains[c] = [][]float64{block}
		}
		got = append(got, table.Var()[1])
	}
	within(t, "variance", got, .3*.7/float64(n))
}

// TestJackknifeEqualBlocks compares with the textbook formula for equal blocks.
func TestJackknifeEqualBlocks(t *testing.T) {
	target := []float64{.2, .3, .5}
	times := [][]float64{{1, 1, 2}, {2, 0, 2}, {1, 2, 1}, {0, 1, 3}}
	table := &Table{size: 3, width: 4, chains: [][][]float64{times}}
	var without []float64
	for b := range times {
		p := make([]float64, 3)
		for c, x := range times {
			for k, v := range x {
				if c != b {
					p[k] += v / 12
				}
			}
		}
		without = append(without, relativeEntropy(p, target))
	}
	mean, want := sum(without)/4, 0.0
	for _, d := range without {
		want += 3. / 4 * (d - mean) * (d - mean)
	}
	if v := must(table.DKL(target)); math.Abs(v.MCSE-math.Sqrt(want)) > 1e-12 {
		t.Errorf("MCSE %v, want %v", v.MCSE, math.Sqrt(want))
	}
}

// TestTableMemory: tables of 2^20 states have few blocks, and chains merged into one share
// the cells, without losing time.
func TestTableMemory(t *testing.T) {
	newFilled := func(span float64) *Table {
		b := newTable(maxStates)
		for i := range 64 {
			b.add(i*i%maxStates, span/64)
		}
		return b
	}
	all := newFilled(1000)
	if n, width := all.Blocks(); n < 8 || n > 16 || width != 64 {
		t.Errorf("%d blocks of %v: want 8 to 16 of 64", n, width)
	}
	chains := 1
	merge := func(span float64) {
		chains++
		if err := all.merge(newFilled(span)); err != nil {
			t.Fatal(err)
		}
		if all.blocks() > 16 {
			t.Fatalf("%d blocks of 2^20 cells after %d chains", all.blocks(), chains)
		}
	}
	merge(1000)
	if n, width := all.Blocks(); n != 16 || width != 128 {
		t.Errorf("%d blocks of %v: want 16 of 128", n, width)
	}
	for range 15 { // more chains than there can be blocks
		merge(1)
	}
	if math.Abs(all.Time()-2015) > 1e-9 || math.Abs(all.P()[9]-1./64) > 1e-12 {
		t.Errorf("time %v and P %v: want 2015 and 1/64", all.Time(), all.P()[9])
	}
}

// TestLongDwell: a dwell longer than the whole table so far, and one of no length.
func TestLongDwell(t *testing.T) {
	table := newTable(2)
	table.add(0, .25)
	table.add(1, 0)
	table.add(1, 1e9)
	table.add(0, 1)
	if n, width := table.Blocks(); n < maxBlocks/2 || n > maxBlocks || width != 1<<24 {
		t.Errorf("%d blocks of %v", n, width)
	}
	if got := table.P()[0] * table.Time(); math.Abs(got-1.25) > 1e-6 {
		t.Errorf("time of state 0 is %v, want 1.25", got)
	}
}

func TestBadJoint(t *testing.T) {
	for _, units := range [][]int{{}, {-1}, {0, 0}, ramp(21)} {
		if _, err := NewJoint(units...); err == nil {
			t.Errorf("joint of units %v is accepted", units)
		}
	}
	j := must(NewJoint(ramp(10)...))
	if err := j.Begin(0, make([]uint8, 9)); err == nil {
		t.Error("joint of 10 units begins in a state of 9")
	}
	if got := j.Units(); len(got) != 10 || got[9] != 9 || j.Size() != 1024 {
		t.Errorf("units %v, %d states", got, j.Size())
	}
}

// TestSmoothedReverseDKL: finite where a state was never seen, by the definition, and the
// reverse divergence itself as the pseudo time vanishes.
func TestSmoothedReverseDKL(t *testing.T) {
	target := []float64{.2, .3, .5}
	table := newTable(3)
	table.add(0, 6)
	table.add(2, 2)
	want := .2*math.Log(.2*11/7) + .3*math.Log(.3*11/1) + .5*math.Log(.5*11/3)
	if v := must(table.SmoothedReverseDKL(target, 1)); math.Abs(v.X-want) > 1e-12 || !(v.MCSE > 0) || math.IsInf(v.MCSE, 0) {
		t.Errorf("%v, want %v", v, want)
	}
	table.add(1, 2)
	a, b := must(table.SmoothedReverseDKL(target, 1e-12)), must(table.ReverseDKL(target))
	if math.Abs(a.X-b.X) > 1e-10 || math.Abs(a.MCSE-b.MCSE) > 1e-8 && !(math.IsInf(b.MCSE, 1)) {
		t.Errorf("%v with little pseudo time, %v without", a, b)
	}
	for _, pseudo := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := table.SmoothedReverseDKL(target, pseudo); err == nil {
			t.Errorf("pseudo = %v accepted", pseudo)
		}
	}
	if _, err := newTable(3).SmoothedReverseDKL(target, 1); !errors.Is(err, ErrNoTime) {
		t.Errorf("of nothing: %v", err)
	}
}

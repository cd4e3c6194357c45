package boltzmann

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawFactors draws factors of up to hi units over n.
func drawFactors(t *rapid.T, n, hi int) []Factor {
	var factors []Factor
	for range rapid.IntRange(0, 4).Draw(t, "factors") {
		k := rapid.IntRange(0, min(hi, n)).Draw(t, "order")
		f := Factor{Units: rapid.Permutation(seq(n)).Draw(t, "units")[:k]}
		f.Table = rapid.SliceOfN(rapid.Float64Range(0.01, 5), 1<<k, 1<<k).Draw(t, "table")
		factors = append(factors, f)
	}
	return factors
}

// at is ψ(z).
func (f Factor) at(z []uint8) float64 {
	v := 0
	for i, k := range f.Units {
		v |= int(z[k]) << i
	}
	return f.Table[v]
}

func TestExpand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		factors := drawFactors(t, n, 5)
		h, err := Expand(n, factors)
		if err != nil {
			t.Fatal(err)
		}
		for s := range 1 << n {
			z := bitsOf(s, n)
			want := 1.0
			for _, f := range factors {
				want *= f.at(z)
			}
			if got := -h.Energy(z); !close1(got, math.Log(want), 1e-12) {
				t.Fatalf("−Energy(%v) = %v, want %v", z, got, math.Log(want))
			}
		}
	})
}

// A table that is a product of smaller ones has no term of high order left by rounding.
func TestExpandDropsRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.Float64Range(0.001, 900), 4, 4).Draw(t, "a")
		b := rapid.SliceOfN(rapid.Float64Range(0.001, 900), 4, 4).Draw(t, "b")
		f := Factor{Units: seq(4), Table: make([]float64, 16)}
		for v := range f.Table {
			f.Table[v] = a[v&3] * b[v>>2]
		}
		h, err := Expand(4, []Factor{f})
		if err != nil {
			t.Fatal(err)
		}
		if h.Order() > 2 {
			t.Fatalf("order %d, terms %v", h.Order(), h.Terms())
		}
	})
}

func TestExpandRefuses(t *testing.T) {
	for _, tc := range []struct {
		f    Factor
		want string
	}{
		{Factor{[]int{0}, []float64{1, 0}}, "table[1] = 0"},
		{Factor{[]int{0}, []float64{-1, 1}}, "table[0] = -1"},
		{Factor{[]int{0}, []float64{1, math.NaN()}}, "NaN"},
		{Factor{[]int{0}, []float64{1, math.Inf(1)}}, "+Inf"},
		{Factor{[]int{0, 1}, []float64{1, 1}}, "2 table entries for 2 units: must be 4"},
		{Factor{[]int{0, 0}, []float64{1, 1, 1, 1}}, "named twice"},
		{Factor{[]int{30}, []float64{1, 1}}, "unit 30"},
		{Factor{seq(21), nil}, "at most 20"},
	} {
		for name, build := range map[string]func() error{
			"Expand":    func() error { _, err := Expand(25, []Factor{tc.f}); return err },
			"Auxiliary": func() error { _, err := Auxiliary(25, []Factor{tc.f}, AuxiliaryOptions{}); return err },
		} {
			if err := build(); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "factor 0") {
				t.Errorf("%s(%v): error %v, want %q", name, tc.f.Units, err, tc.want)
			}
		}
	}
	if _, err := Expand(0, nil); err == nil {
		t.Error("no units accepted")
	}
}

// FuzzExpand builds one factor, and machines from it, from any bytes. Nothing may panic,
// and what is built has finite energies.
func FuzzExpand(f *testing.F) {
	f.Add(3, []byte{0, 1, 2}, []byte{})
	f.Add(2, []byte{1, 1}, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(4, []byte{3, 200, 1}, binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.Inf(-1))))
	f.Add(0, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, n int, units, table []byte) {
		if n > 8 || len(units) > 6 || len(table) > 8<<6 {
			return
		}
		var fac Factor
		for _, k := range units {
			fac.Units = append(fac.Units, int(k))
		}
		for i := range 1 << len(units) {
			x := 1.0
			if len(table) >= 8*i+8 {
				x = math.Float64frombits(binary.LittleEndian.Uint64(table[8*i:]))
			}
			fac.Table = append(fac.Table, x)
		}
		if m, err := Auxiliary(n, []Factor{fac}, AuxiliaryOptions{}); err == nil {
			if e := m.Energy(make([]uint8, m.Dim())); e != 0 {
				t.Fatalf("energy of 0 is %v", e)
			}
		}
		h, err := Expand(n, []Factor{fac})
		if err != nil {
			return
		}
		for s := range 1 << n {
			if e := h.Energy(bitsOf(s, n)); !finite(e) {
				t.Fatalf("energy of state %d is %v", s, e)
			}
		}
		if _, err := h.Quadratic(); err != nil {
			t.Fatalf("Quadratic of order %d: %v", h.Order(), err)
		}
	})
}

// knillKersten is the visual perception network of Knill and Kersten 1991 as in
// lif-sampling 4.4: z1 and z2 fair, p(z3=1|z1,z2) = .15 .85 .85 .15, p(z4=1|z2) = .15 .85.
func knillKersten() []Factor {
	const a, b = .15, .85
	return []Factor{
		{[]int{0}, []float64{.5, .5}},
		{[]int{1}, []float64{.5, .5}},
		{[]int{0, 1, 2}, []float64{b, a, a, b, a, b, b, a}},
		{[]int{1, 3}, []float64{b, a, a, b}},
	}
}

// Explaining away, lif-sampling 4.4, in order p(z1 z2) of 00, 01, 10, 11.
func TestKnillKersten(t *testing.T) {
	h, err := Expand(4, knillKersten())
	if err != nil {
		t.Fatal(err)
	}
	if h.Order() != 3 {
		t.Errorf("order %d, want 3", h.Order())
	}
	p := mustJoint(t, h)
	for _, tc := range []struct {
		z4   int
		want []float64
	}{{1, []float64{.0225, .7225, .1275, .1275}}, {0, []float64{.1275, .1275, .7225, .0225}}} {
		rest := 1<<2 | tc.z4<<3
		got := []float64{p[rest], p[rest|2], p[rest|1], p[rest|3]}
		sum := got[0] + got[1] + got[2] + got[3]
		for i := range got {
			got[i] /= sum
		}
		within(t, "posterior", got, tc.want, 1e-12)
	}

	// With z3 = 1 the third-order factor is of order 2: W = −3.4692.
	const a, b = .15, .85
	h, err = Expand(2, []Factor{{seq(2), []float64{a, b, b, a}}, {[]int{1}, []float64{a, b}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Machine()
	if err != nil {
		t.Fatal(err)
	}
	within(t, "clamped", []float64{m.Weight(0, 1), m.Bias(0), m.Bias(1)}, []float64{-3.4692, 1.7346, 3.4692}, 5e-5)
}

// The alarm network, lif-sampling 4.5: causes .3 and .2, noisy-or with leak .05 and
// strengths .8, .7, alarm observed.
func TestAlarm(t *testing.T) {
	alarm := Factor{Units: seq(2), Table: make([]float64, 4)}
	for v := range alarm.Table {
		q := .95
		if v&1 != 0 {
			q *= 1 - .8
		}
		if v&2 != 0 {
			q *= 1 - .7
		}
		alarm.Table[v] = 1 - q
	}
	h, err := Expand(2, []Factor{alarm, {[]int{0}, []float64{.7, .3}}, {[]int{1}, []float64{.8, .2}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Machine()
	if err != nil {
		t.Fatal(err)
	}
	within(t, "machine", []float64{m.Weight(0, 1), m.Bias(0), m.Bias(1)}, []float64{-2.508228, 1.937713, 1.273965}, 1e-6)
	within(t, "p(B|A), p(E|A)", mustEnumerate(t, m).Mean, []float64{.662077, .413316}, 1e-6)
	for e, want := range []float64{.874101, .361118} {
		c, _, err := m.Clamp(map[int]uint8{1: uint8(e)})
		if err != nil {
			t.Fatal(err)
		}
		within(t, "p(B|A,E)", mustEnumerate(t, c).Mean, []float64{want}, 1e-6)
	}
}

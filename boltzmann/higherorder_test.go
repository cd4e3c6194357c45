package boltzmann

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawTerms draws count terms over n units, of orders lo..hi.
func drawTerms(t *rapid.T, n, lo, hi, count int, coef *rapid.Generator[float64]) []Term {
	var terms []Term
	for range count {
		order := rapid.IntRange(lo, min(hi, n)).Draw(t, "order")
		units := rapid.Permutation(seq(n)).Draw(t, "units")[:order]
		terms = append(terms, Term{units, coef.Draw(t, "coef")})
	}
	return terms
}

// naiveLog is Σ_t c_t Π z_i.
func naiveLog(terms []Term, z []uint8) float64 {
	sum := 0.0
	for _, t := range terms {
		x := t.Coef
		for _, k := range t.Units {
			x *= float64(z[k])
		}
		sum += x
	}
	return sum
}

func TestHigherOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "n")
		terms := drawTerms(t, n, 0, 5, rapid.IntRange(0, 12).Draw(t, "terms"), rapid.Float64Range(-5, 5))
		h, err := NewHigherOrder(n, terms)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewHigherOrder(n, h.Terms())
		if err != nil || !reflect.DeepEqual(again.Terms(), h.Terms()) {
			t.Fatalf("terms %v come back as %v", h.Terms(), again.Terms())
		}
		z := drawState(t, n)
		want := naiveLog(terms, z)
		if got := -h.Energy(z); !close1(got, want, 1e-12) {
			t.Fatalf("−Energy(%v) = %v, want %v", z, got, want)
		}
		checkIncremental(t, h)
	})
}

func TestHigherOrderMerges(t *testing.T) {
	units := []int{2, 0}
	h, err := NewHigherOrder(3, []Term{{units, 1}, {[]int{0, 2}, .5}, {[]int{1}, 2}, {[]int{1}, -2}, {nil, 4}, {[]int{2, 1, 0}, 0}})
	if err != nil {
		t.Fatal(err)
	}
	units[0] = 1
	h.Terms()[1].Units[0] = 1
	if want := []Term{{[]int{}, 4}, {[]int{0, 2}, 1.5}}; len(h.Terms()) != 2 || h.Terms()[0].Coef != 4 || !reflect.DeepEqual(h.Terms()[1], want[1]) {
		t.Errorf("terms %v, want %v", h.Terms(), want)
	}
	if h.Order() != 2 {
		t.Errorf("order %d, want 2", h.Order())
	}
	if e := h.Energy([]uint8{1, 0, 1}); e != -5.5 {
		t.Errorf("energy %v, want -5.5", e)
	}
	none, err := NewHigherOrder(2, nil)
	if err != nil || none.Order() != 0 || none.Energy([]uint8{1, 1}) != 0 {
		t.Errorf("machine without terms: %v, %v", none, err)
	}
}

func TestHigherOrderRefuses(t *testing.T) {
	for _, tc := range []struct {
		n     int
		terms []Term
		want  string
	}{
		{0, nil, "0 units"},
		{maxSparse + 1, nil, "units: must be in"},
		{2, []Term{{[]int{2}, 1}}, "term 0: unit 2"},
		{2, []Term{{[]int{0}, 1}, {[]int{-1}, 1}}, "term 1: unit -1"},
		{2, []Term{{[]int{1, 0, 1}, 1}}, "unit 1 is named twice"},
		{2, []Term{{[]int{1}, math.NaN()}}, "coefficient is NaN"},
		{2, []Term{{[]int{1}, 1e308}, {[]int{0}, 1e308}}, "overflows"},
	} {
		if _, err := NewHigherOrder(tc.n, tc.terms); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: error %v, want %q", tc.terms, err, tc.want)
		}
	}
}

// A machine as terms and back.
func TestHigherOrderMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMachine(t, 1, 6, 3)
		var terms []Term
		for i := range m.n {
			terms = append(terms, Term{[]int{i}, m.b[i]})
			for j := range i {
				terms = append(terms, Term{[]int{i, j}, m.Weight(i, j)})
			}
		}
		h, err := NewHigherOrder(m.n, terms)
		if err != nil {
			t.Fatal(err)
		}
		back, err := h.Machine()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back.W().RawSymmetric(), m.W().RawSymmetric()) || !reflect.DeepEqual(back.B(), m.B()) {
			t.Fatalf("machine %v %v comes back as %v %v", m.w, m.b, back.w, back.b)
		}
	})
	h, _ := NewHigherOrder(3, []Term{{[]int{0, 1, 2}, 1}})
	if _, err := h.Machine(); err == nil || !strings.Contains(err.Error(), "order 3") {
		t.Errorf("third-order machine: error %v", err)
	}
}

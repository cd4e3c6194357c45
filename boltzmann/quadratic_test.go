package boltzmann

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// coefficient draws both signs and magnitudes 0.01..8, evenly in the logarithm.
func coefficient() *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 {
		c := math.Exp(rapid.Float64Range(math.Log(0.01), math.Log(8)).Draw(t, "log|c|"))
		if rapid.Bool().Draw(t, "negative") {
			return -c
		}
		return c
	})
}

// checkQuadratic compares the marginal of h.Quadratic() with h for every visible state, or
// from 11 units on for every 35th (which 12 units end with).
func checkQuadratic(t fatal, h *HigherOrder, tol float64) *Machine {
	t.Helper()
	m, err := h.Quadratic()
	if err != nil {
		t.Fatal(err)
	}
	for i := h.n; i < m.Dim(); i++ {
		for j := h.n; j < i; j++ {
			if m.Weight(i, j) != 0 {
				t.Fatal("hidden units are coupled:", i, j, m.Weight(i, j))
			}
		}
	}
	stride := 1
	if h.n > 10 {
		stride = 35
	}
	var offset float64
	for s := 0; s < 1<<h.n; s += stride {
		z := bitsOf(s, h.n)
		d := logMarginal(m, z) + h.Energy(z)
		if s == 0 {
			offset = d
		}
		if !(math.Abs(d-offset) <= tol) {
			t.Fatal("log p", z, "is off by", d-offset, "terms", h.Terms())
		}
	}
	return m
}

func TestQuadraticIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 7).Draw(t, "n")
		h, err := NewHigherOrder(n, drawTerms(t, n, 1, 5, rapid.IntRange(1, 8).Draw(t, "terms"), coefficient()))
		if err != nil {
			t.Fatal(err)
		}
		checkQuadratic(t, h, 1e-9)
	})
}

// The same without the closed form of the marginal: sums over the whole joint.
func TestQuadraticJoint(t *testing.T) {
	for _, terms := range [][]Term{
		{{[]int{0, 1, 2}, 2}, {[]int{1, 2, 3}, -1.5}, {[]int{0, 3}, .5}, {[]int{2}, -.3}},
		{{[]int{0, 1, 2, 3}, -.7}, {[]int{0, 1, 3}, 1}},
	} {
		h, err := NewHigherOrder(4, terms)
		if err != nil {
			t.Fatal(err)
		}
		m, err := h.Quadratic()
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float64, 16)
		for s, p := range mustJoint(t, m) {
			got[s&15] += p
		}
		within(t, "marginal", got, mustJoint(t, h), 1e-12)
	}
}

// One term of each order and sign: the number of hidden units is that of the subsets of
// at least three units, the coefficient is met, and no smaller coupling could.
func TestQuadraticSingleTerms(t *testing.T) {
	for order := 3; order <= 9; order++ {
		for _, c := range []float64{-8, -1, -.01, .01, 1, 8} {
			h, err := NewHigherOrder(order, []Term{{seq(order), c}})
			if err != nil {
				t.Fatal(err)
			}
			m := checkQuadratic(t, h, 1e-9)
			if most := 1<<order - 1 - order - order*(order-1)/2; m.Dim()-order > most {
				t.Errorf("order %d: %d hidden units, at most %d subsets", order, m.Dim()-order, most)
			}

			want := target{order, c}
			g := want.solve()
			if d := differences(order, g.coupling, g.bias)[order]; math.Abs(d-c) > 1e-15*float64(int(1)<<order)*(1+math.Abs(c)) {
				t.Errorf("order %d: difference %v, want %v", order, d, c)
			}
			for bias := -15 - 12*g.coupling; bias < 15; bias += 0.05 {
				if d := want.diff(gadget{g.coupling * 0.999, bias}); d > math.Abs(c) {
					t.Errorf("order %d, c = %v: coupling %v found, but %v with bias %v reaches %v", order, c, g.coupling, g.coupling*.999, bias, d)
					break
				}
			}
		}
	}
}

// For large a, g(s) is nearly max(0, β + a s), whose third difference at 0 is largest at
// β = −a or −2a, where it is a. The softening costs about 1.4; the search stops at 1e-4.
func TestQuadraticLargeCoefficient(t *testing.T) {
	for _, c := range []float64{100, -100, 1e6, -1e6} {
		g := target{3, c}.solve()
		if x := g.coupling - math.Abs(c); x < 0 || x > 2+1e-4*math.Abs(c) {
			t.Errorf("c = %v: coupling %v", c, g.coupling)
		}
	}
}

func TestQuadraticKeepsOrderTwo(t *testing.T) {
	h, err := NewHigherOrder(3, []Term{{[]int{0, 1}, 1}, {[]int{2}, -2}, {[]int{0, 1, 2}, 1e-16}, {nil, 7}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Quadratic()
	if err != nil {
		t.Fatal(err)
	}
	if m.Dim() != 3 || m.Weight(0, 1) != 1 || m.Weight(0, 2) != 0 || !reflect.DeepEqual(m.B(), []float64{0, 0, -2}) {
		t.Errorf("machine %v %v", m.w, m.b)
	}
}

// A coefficient of 1e-9 beside one of 8 is not lost.
func TestQuadraticSmallBesideLarge(t *testing.T) {
	h, err := NewHigherOrder(3, []Term{{[]int{0, 1}, 8}, {seq(3), 1e-9}})
	if err != nil {
		t.Fatal(err)
	}
	checkQuadratic(t, h, 1e-12)
}

// The highest order, at the precision the documentation gives.
func TestQuadraticOrder12(t *testing.T) {
	h, err := NewHigherOrder(12, []Term{{seq(12), -1}})
	if err != nil {
		t.Fatal(err)
	}
	if m := checkQuadratic(t, h, 1e-8); m.Dim() > 12+4017 {
		t.Errorf("%d units", m.Dim())
	}
}

// Extreme coefficients end in a machine or an error, and soon.
func TestQuadraticExtremes(t *testing.T) {
	for _, c := range []float64{1e-300, 1e-20, 1e-14, 1e100, -1e307} {
		for _, order := range []int{3, 6} {
			h, err := NewHigherOrder(order, []Term{{seq(order), c}})
			if err != nil {
				t.Fatal(err)
			}
			if m, err := h.Quadratic(); err == nil && m.Dim() < order {
				t.Errorf("c = %v: %d units", c, m.Dim())
			}
		}
	}
	h, err := NewHigherOrder(13, []Term{{seq(13), 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Quadratic(); err == nil || !strings.Contains(err.Error(), "order 13: must be at most 12") {
		t.Errorf("order 13: error %v", err)
	}
	wide, err := NewHigherOrder(maxDense+1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wide.Quadratic(); err == nil {
		t.Error("too many units for a dense machine accepted")
	}
	if _, err := wide.Machine(); err == nil {
		t.Error("too many units for a dense machine accepted")
	}
}

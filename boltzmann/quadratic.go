package boltzmann

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/internal/heatbath"
)

// maxQuadratic is the largest order Quadratic takes. A term of order k leaves up to
// 2^k terms of lower order to be eliminated.
const maxQuadratic = 12

// Quadratic returns a Boltzmann machine whose marginal over its first n units is exactly
// this machine, with auxiliary (hidden) units appended after them. It takes Order ≤ 12.
//
// A hidden unit of bias β coupled with equal strength a to the k units of a term, summed
// out, adds
//
//	g(s) = log(1 + exp(β + a s)),   s = Σ_{i∈term} z_i,
//
// to log p. Like every function of binary units, g(s) is a sum over subsets T of products
// Π_{i∈T} z_i; its coefficients, by the Möbius transform, depend on |T| alone and are the
// forward differences at 0,
//
//	Δ^t g(0) = Σ_s (−1)^{t−s} C(t,s) g(s),   t = |T|.
//
// Terms are eliminated from the highest order down to 3: (a, β) is chosen so that
// Δ^k g(0) equals the term's coefficient, which it then replaces, and the lower
// differences are subtracted from the terms of lower order. That leaves orders 1 and 2,
// which a Boltzmann machine has. Among the solutions that with the smallest a is taken, as
// weak couplings mix best; a > 0 is no restriction, for −a, −β give the same g but for a
// linear function, which differences of order ≥ 2 do not see. A coefficient of either sign
// can be reached, since the k-th derivative of log(1+exp) changes sign for k ≥ 3.
//
// What is left of a coefficient after subtraction and is below 1e-12 of the largest
// coefficient is taken as zero. Rounding grows with the order: log p is right to 1e-12 up
// to order 7, 1e-9 up to 10, 1e-8 at 12 (coefficients up to 8). So do size and couplings:
// a term of order k may need 2^k − 1 − k − k(k−1)/2 hidden units (1, 5, 16, 42 for k = 3
// to 6), and for a coefficient of 1 the largest coupling is about 3 up to order 5, 8 at
// 6, 30 at 8 and 1000 at 12, where a sampler no longer mixes.
func (h *HigherOrder) Quadratic() (*Machine, error) {
	if o := h.Order(); o > maxQuadratic {
		return nil, fmt.Errorf("boltzmann: Quadratic: order %d: must be at most %d", o, maxQuadratic)
	}
	if err := checkDense(h.n); err != nil {
		return nil, err
	}
	r := newReduction(h)
	for k := h.Order(); k >= 3; k-- {
		for _, t := range r.level(k) {
			r.eliminate(t)
		}
		if err := checkDense(h.n + len(r.hidden)); err != nil {
			return nil, err
		}
	}

	m := newMachine(h.n + len(r.hidden))
	for k := 1; k <= 2; k++ {
		for _, t := range r.level(k) {
			m.addTerm(t)
		}
	}
	for i, u := range r.hidden {
		x := h.n + i
		m.b[x] = u.bias
		for _, k := range u.units {
			m.setWeight(x, k, u.coupling)
		}
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// reduction is a machine on its way to order 2.
type reduction struct {
	coef   []map[string]float64 // by order, then by units (see key)
	floor  float64              // coefficients up to this are zero
	hidden []hiddenUnit
	known  map[target]gadget // hidden units found so far: symmetric machines repeat them
}

// hiddenUnit is an auxiliary unit with the terms' units it is coupled to.
type hiddenUnit struct {
	gadget
	units []int
}

func newReduction(h *HigherOrder) *reduction {
	r := &reduction{known: map[target]gadget{}}
	for range max(3, h.Order()+1) {
		r.coef = append(r.coef, map[string]float64{})
	}
	scale := 0.0
	for _, t := range h.terms {
		r.coef[len(t.Units)][key(t.Units)] = t.Coef
		if len(t.Units) > 0 {
			scale = max(scale, math.Abs(t.Coef))
		}
	}
	// Coefficients are differences of numbers of order 1 at least.
	r.floor = max(1e-12*scale, 1e-15)
	return r
}

// key is the units as a string that sorts as they do.
func key(units []int) string {
	var b []byte
	for _, k := range units {
		b = binary.BigEndian.AppendUint32(b, uint32(k))
	}
	return string(b)
}

// level returns the terms of order k in the order of their units.
func (r *reduction) level(k int) []Term {
	var terms []Term
	for _, s := range slices.Sorted(maps.Keys(r.coef[k])) {
		units := make([]int, k)
		for i := range units {
			units[i] = int(binary.BigEndian.Uint32([]byte(s[4*i:])))
		}
		terms = append(terms, Term{units, r.coef[k][s]})
	}
	return terms
}

// eliminate replaces a term of order ≥ 3 by a hidden unit and terms of lower order.
func (r *reduction) eliminate(t Term) {
	if math.Abs(t.Coef) <= r.floor {
		return
	}
	want := target{len(t.Units), t.Coef}
	g, ok := r.known[want]
	if !ok {
		g = want.solve()
		r.known[want] = g
	}
	r.hidden = append(r.hidden, hiddenUnit{g, t.Units})

	diff := differences(want.order, g.coupling, g.bias)
	var units []int
	for v := 1; v < 1<<want.order-1; v++ {
		units = units[:0]
		for i, k := range t.Units {
			if v>>i&1 != 0 {
				units = append(units, k)
			}
		}
		r.coef[len(units)][key(units)] -= diff[len(units)]
	}
}

// differences returns Δ^t g(0) of g(s) = softplus(bias + coupling·s) for t = 0..order.
func differences(order int, coupling, bias float64) []float64 {
	d := make([]float64, order+1)
	for s := range d {
		d[s] = heatbath.Softplus(bias + coupling*float64(s))
	}
	for t := 1; t <= order; t++ {
		for s := order; s >= t; s-- {
			d[s] -= d[s-1]
		}
	}
	return d
}

// softplus is log(1 + e^x).

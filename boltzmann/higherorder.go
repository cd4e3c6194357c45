package boltzmann

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Incremental = (*HigherOrder)(nil)

// Term contributes Coef · Π_{i∈Units} z_i to log p(z). A term without units is a
// constant: it counts in the energy and nowhere else.
type Term struct {
	Units []int
	Coef  float64 // [nats]
}

// HigherOrder is a higher-order Boltzmann machine (Sejnowski 1986),
//
//	log p(z) = Σ_t c_t Π_{i∈t} z_i + const,
//
// with couplings between any number of units. Every positive distribution over {0,1}^N
// has exactly one such form. It is immutable, so any number of samplers may share one.
type HigherOrder struct {
	n      int
	terms  []Term // distinct, sorted by order, then by units; units ascending; no zeros
	offset float64

	// The terms again, flat: term t has units units[start[t]:start[t+1]], and unit k is
	// in the terms of[k].
	units []int32
	start []int32
	coef  []float64
	of    [][]int32
}

// NewHigherOrder returns the machine of n units with these terms, which it copies. Terms
// over the same units are added up, and what comes out as zero is dropped.
//
// It refuses n < 1, units out of range or repeated in a term, and coefficients that are
// not finite or so large that an energy could overflow.
func NewHigherOrder(n int, terms []Term) (*HigherOrder, error) {
	if err := checkCount(n); err != nil {
		return nil, err
	}
	var errs []error
	sorted := make([]Term, len(terms))
	size := 0.0
	for t, term := range terms {
		units := slices.Sorted(slices.Values(term.Units))
		sorted[t] = Term{units, term.Coef}
		if err := checkUnits(n, units); err != nil {
			errs = append(errs, fmt.Errorf("boltzmann: term %d: %w", t, err))
		}
		if !finite(term.Coef) {
			errs = append(errs, fmt.Errorf("boltzmann: term %d: coefficient is %v: must be finite", t, term.Coef))
		}
		size += math.Abs(term.Coef)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if !finite(size) {
		return nil, errors.New("boltzmann: the sum of all |coefficients| overflows: energies must be finite")
	}
	// A stable sort keeps the order of summation that of the caller.
	slices.SortStableFunc(sorted, func(a, b Term) int { return compareUnits(a.Units, b.Units) })
	return newHigherOrder(n, sorted), nil
}

// newHigherOrder merges valid, sorted terms.
func newHigherOrder(n int, sorted []Term) *HigherOrder {
	h := &HigherOrder{n: n, start: []int32{0}, of: make([][]int32, n)}
	for len(sorted) > 0 {
		term := sorted[0]
		same := 1
		for ; same < len(sorted) && slices.Equal(sorted[same].Units, term.Units); same++ {
			term.Coef += sorted[same].Coef
		}
		sorted = sorted[same:]
		if term.Coef == 0 {
			continue
		}
		h.terms = append(h.terms, term)
		if len(term.Units) == 0 {
			h.offset = term.Coef
			continue
		}
		t := int32(len(h.coef))
		h.coef = append(h.coef, term.Coef)
		for _, k := range term.Units {
			h.units = append(h.units, int32(k))
			h.of[k] = append(h.of[k], t)
		}
		h.start = append(h.start, int32(len(h.units)))
	}
	return h
}

// compareUnits orders terms by order, then by units.
func compareUnits(a, b []int) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b))
}

// maxSparse is the largest number of units of a HigherOrder machine.
const maxSparse = 1 << 24

func checkCount(n int) error {
	if n < 1 || n > maxSparse {
		return fmt.Errorf("boltzmann: %d units: must be in 1..%d", n, maxSparse)
	}
	return nil
}

// checkUnits reports whether ascending units are distinct and within 0..n-1.
func checkUnits(n int, units []int) error {
	for i, k := range units {
		if k < 0 || k >= n {
			return fmt.Errorf("unit %d: must be in 0..%d", k, n-1)
		}
		if i > 0 && units[i-1] == k {
			return fmt.Errorf("unit %d is named twice: must be distinct", k)
		}
	}
	return nil
}

// Dim is the number N of units.
func (h *HigherOrder) Dim() int { return h.n }

// Order is the largest number of units in a term, 0 if there is none.
func (h *HigherOrder) Order() int {
	if len(h.terms) == 0 {
		return 0
	}
	return len(h.terms[len(h.terms)-1].Units)
}

// Terms returns a copy of the terms: distinct, nonzero, sorted by order and then by
// units, each with ascending units.
func (h *HigherOrder) Terms() []Term {
	terms := slices.Clone(h.terms)
	for t := range terms {
		terms[t].Units = slices.Clone(terms[t].Units)
	}
	return terms
}

// Energy is −Σ_t c_t Π_{i∈t} z_i [nats], constants included.
func (h *HigherOrder) Energy(z []uint8) float64 {
	e := -h.offset
	for t, c := range h.coef {
		if h.on(z, t, -1) {
			e -= c
		}
	}
	return e
}

// Logit is u_k = Σ_{t∋k} c_t Π_{i∈t, i≠k} z_i [nats].
func (h *HigherOrder) Logit(z []uint8, k int) float64 {
	u := 0.0
	for _, t := range h.of[k] {
		if h.on(z, int(t), k) {
			u += h.coef[t]
		}
	}
	return u
}

// on reports whether all units of term t, except unit k, are 1.
func (h *HigherOrder) on(z []uint8, t, k int) bool {
	for _, i := range h.term(t) {
		if z[i] == 0 && int(i) != k {
			return false
		}
	}
	return true
}

// term is the units of term t.
func (h *HigherOrder) term(t int) []int32 { return h.units[h.start[t]:h.start[t+1]] }

// Logits writes the log odds of all units to u.
func (h *HigherOrder) Logits(u []float64, z []uint8) {
	clear(u)
	for t, c := range h.coef {
		h.credit(u, z, t, -1, c)
	}
}

// Flipped corrects u after z[k] has changed to the value it has now.
func (h *HigherOrder) Flipped(u []float64, z []uint8, k int) {
	for _, t := range h.of[k] {
		c := h.coef[t]
		if z[k] == 0 {
			c = -c
		}
		h.credit(u, z, int(t), k, c)
	}
}

// credit adds c to the log odds of each unit i ≠ k of term t for which the units other
// than i and k are on: with one unit off, that unit; with none off, all.
func (h *HigherOrder) credit(u []float64, z []uint8, t, k int, c float64) {
	units := h.term(t)
	off, last := 0, int32(0)
	for _, i := range units {
		if z[i] == 0 && int(i) != k {
			if off++; off == 2 {
				return
			}
			last = i
		}
	}
	if off == 1 {
		u[last] += c
		return
	}
	for _, i := range units {
		if int(i) != k {
			u[i] += c
		}
	}
}

// Machine returns the same distribution as a Boltzmann machine. It fails if Order > 2:
// see Quadratic. A constant is left out.
func (h *HigherOrder) Machine() (*Machine, error) {
	if o := h.Order(); o > 2 {
		return nil, fmt.Errorf("boltzmann: order %d: a Boltzmann machine has order 2 at most (use Quadratic)", o)
	}
	if err := checkDense(h.n); err != nil {
		return nil, err
	}
	m := newMachine(h.n)
	for _, t := range h.terms {
		m.addTerm(t)
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// addTerm adds a term of order ≤ 2.
func (m *Machine) addTerm(t Term) {
	switch len(t.Units) {
	case 1:
		m.b[t.Units[0]] += t.Coef
	case 2:
		i, j := t.Units[0], t.Units[1]
		m.setWeight(i, j, m.Weight(i, j)+t.Coef)
	}
}

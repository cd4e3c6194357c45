package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// maxFactor is the largest number of units in a factor: a million entries.
const maxFactor = 20

// Factor is a positive function ψ of some binary units, part of p(z) ∝ Π ψ. Table has
// 2^len(Units) entries; bit i of the index is the value of unit Units[i].
type Factor struct {
	Units []int
	Table []float64 // > 0
}

// Expand writes p(z) ∝ Π_f ψ_f(z) over n units as a higher-order Boltzmann machine: the
// logarithm of each table becomes a sum of terms by the Möbius transform
//
//	c_T = Σ_{S⊆T} (−1)^{|T|−|S|} log ψ(1_S).
//
// The energy is −Σ_f log ψ_f, constants included. A c_T within the rounding error of its
// sum counts as zero, so that tables of lower order come out as such. Zeros are refused, as a term cannot
// carry an infinite log odds; so are factors of more than 20 units.
func Expand(n int, factors []Factor) (*HigherOrder, error) {
	if err := checkFactors(n, factors); err != nil {
		return nil, err
	}
	var terms []Term
	for _, f := range factors {
		terms = append(terms, f.terms()...)
	}
	return NewHigherOrder(n, terms)
}

// terms is the multilinear form of log ψ, zeros left out.
func (f Factor) terms() []Term {
	c := make([]float64, len(f.Table))
	size := 0.0
	for v, psi := range f.Table {
		c[v] = math.Log(psi)
		size = max(size, math.Abs(c[v]))
	}
	// An entry of the table, right to ε, has a logarithm right to ε(1 + |log ψ|).
	rounding := 0x1p-52 * (1 + size)
	for i := range f.Units {
		bit := 1 << i
		for v := range c {
			if v&bit != 0 {
				c[v] -= c[v&^bit]
			}
		}
	}
	var terms []Term
	for v, coef := range c {
		if math.Abs(coef) <= rounding*float64(int(1)<<bits.OnesCount(uint(v))) {
			continue
		}
		var units []int
		for i, k := range f.Units {
			if v>>i&1 != 0 {
				units = append(units, k)
			}
		}
		terms = append(terms, Term{units, coef})
	}
	return terms
}

// checkFactors reports what is wrong with the factors, the first fault of each.
func checkFactors(n int, factors []Factor) error {
	if err := checkCount(n); err != nil {
		return err
	}
	var errs []error
	for i, f := range factors {
		if err := f.check(n); err != nil {
			errs = append(errs, fmt.Errorf("boltzmann: factor %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func (f Factor) check(n int) error {
	k := len(f.Units)
	if err := checkUnits(n, slices.Sorted(slices.Values(f.Units))); err != nil {
		return err
	}
	if k > maxFactor {
		return fmt.Errorf("%d units: must be at most %d", k, maxFactor)
	}
	if len(f.Table) != 1<<k {
		return fmt.Errorf("%d table entries for %d units: must be %d", len(f.Table), k, 1<<k)
	}
	for v, psi := range f.Table {
		if !(psi > 0) || math.IsInf(psi, 1) {
			return fmt.Errorf("table[%d] = %v: must be finite and > 0", v, psi)
		}
	}
	return nil
}

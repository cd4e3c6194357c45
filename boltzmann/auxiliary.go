package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// maxAuxiliary is the largest number of units in a factor for Auxiliary: 1024 auxiliary
// units.
const maxAuxiliary = 10

// AuxiliaryOptions configures Auxiliary. Zero fields take their defaults.
type AuxiliaryOptions struct {
	M     float64 // coupling to auxiliary units [nats]; default 6. The error falls as exp(−M).
	MuMin float64 // µ·min ψ, > 1; default 1.5
}

// Auxiliary returns a Boltzmann machine that approximates p(z) ∝ Π_f ψ_f(z) over n units
// by the first construction of Pecevski, Buesing and Maass 2011. Factors of at most two
// units go exactly into W and b. A factor of k > 2 units gets 2^k auxiliary units, one X_v
// for every assignment v of its units, appended after the n units factor by factor and in
// order of the table. X_v has bias log(µψ(v) − 1) − |v| M and coupling +M to the units
// with v_i = 1, −M to those with v_i = 0, where µ = MuMin/min ψ. Summed over the X_v the
// factor becomes
//
//	µψ(z) · Π_{v≠z} (1 + (µψ(v) − 1) exp(−M d(v,z))),   d the Hamming distance,
//
// which is proportional to ψ as M → ∞, but mixing slows down as exp(M). See
// [HigherOrder.Quadratic] for an exact reduction with fewer units.
//
// Factors are limited to 10 units and must be positive.
func Auxiliary(n int, factors []Factor, o AuxiliaryOptions) (*Machine, error) {
	if o.M == 0 {
		o.M = 6
	}
	if o.MuMin == 0 {
		o.MuMin = 1.5
	}
	var errs []error
	if !(o.M > 0) || math.IsInf(o.M, 1) {
		errs = append(errs, fmt.Errorf("boltzmann: Auxiliary: M = %v: must be finite and > 0 (0: default 6)", o.M))
	}
	if !(o.MuMin > 1) || math.IsInf(o.MuMin, 1) {
		errs = append(errs, fmt.Errorf("boltzmann: Auxiliary: MuMin = %v: must be finite and > 1 (0: default 1.5)", o.MuMin))
	}
	errs = append(errs, checkFactors(n, factors))
	total := n
	for i, f := range factors {
		if k := len(f.Units); k > maxAuxiliary {
			errs = append(errs, fmt.Errorf("boltzmann: Auxiliary: factor %d has %d units: must be at most %d", i, k, maxAuxiliary))
		} else if k > 2 {
			total += 1 << k
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := checkDense(total); err != nil {
		return nil, err
	}

	m := newMachine(total)
	x := n // the next auxiliary unit
	for i, f := range factors {
		if len(f.Units) <= 2 {
			for _, t := range f.terms() {
				m.addTerm(t)
			}
			continue
		}
		mu := o.MuMin / slices.Min(f.Table)
		if !finite(mu * slices.Max(f.Table)) {
			return nil, fmt.Errorf("boltzmann: Auxiliary: factor %d: table from %v to %v: the ratio overflows",
				i, slices.Min(f.Table), slices.Max(f.Table))
		}
		for v, psi := range f.Table {
			m.b[x] = math.Log(mu*psi-1) - o.M*float64(bits.OnesCount(uint(v)))
			for bit, k := range f.Units {
				w := -o.M
				if v>>bit&1 != 0 {
					w = o.M
				}
				m.setWeight(x, k, w)
			}
			x++
		}
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

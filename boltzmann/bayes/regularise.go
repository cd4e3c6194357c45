package bayes

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// maxHalvings bounds ε from below: 2^-1000.
const maxHalvings = 1000

// regularise replaces the zeros of every factor by ε·max, since a Boltzmann machine has
// no infinite energies. ε is the largest power of 2 for which the total variation between
// the distributions before and after is at most maxError. It returns the new factors, ε
// and that distance; ε = 0 if there was nothing to replace.
//
// The distance is 1 − Z/Z_ε, with Z and Z_ε the sums of the products before and after:
// where all factors are positive the product φ does not change, so p = φ/Z ≥ φ/Z_ε = p_ε;
// everywhere else p = 0 ≤ p_ε. Hence TV = Σ_{φ>0} (φ/Z − φ/Z_ε) = 1 − Z/Z_ε.
func (n *Network) regularise(factors []logFactor, vars []int, maxError float64) (out []logFactor, eps, tv float64, err error) {
	zeros := false
	for _, f := range factors {
		top := slices.Max(f.logs)
		if math.IsInf(top, -1) {
			return nil, 0, 0, ErrImpossible
		}
		zeros = zeros || math.IsInf(slices.Min(f.logs), -1)
	}
	if !zeros {
		return factors, 0, 0, nil
	}
	order, err := n.eliminationOrder(factors, vars)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("bayes: zeros in the tables need exact inference to bound their error: %w", err)
	}
	sum := func(factors []logFactor) float64 {
		b, _ := n.collect(factors, order, false) // fails only when it keeps tables
		return b.logZ()
	}
	logZ := sum(factors)
	if math.IsInf(logZ, -1) {
		return nil, 0, 0, ErrImpossible
	}
	distance := func(halvings int) float64 {
		return max(0, -math.Expm1(logZ-sum(withFloor(factors, halvings))))
	}
	// The distance falls with every halving: find the first that is small enough.
	lo, hi := 0, maxHalvings // not small enough (or not allowed), small enough
	if distance(hi) > maxError {
		return nil, 0, 0, errors.New("bayes: no ε ≥ 2^-1000 in place of zero probabilities has an error within MaxError")
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; distance(mid) <= maxError {
			hi = mid
		} else {
			lo = mid
		}
	}
	return withFloor(factors, hi), math.Ldexp(1, -hi), distance(hi), nil
}

// withFloor replaces the zeros of every factor by 2^-halvings times its largest value.
func withFloor(factors []logFactor, halvings int) []logFactor {
	out := make([]logFactor, len(factors))
	for i, f := range factors {
		floor := slices.Max(f.logs) - float64(halvings)*math.Ln2
		logs := slices.Clone(f.logs)
		for j, x := range logs {
			if math.IsInf(x, -1) {
				logs[j] = floor
			}
		}
		out[i] = logFactor{f.scope, logs, f.child}
	}
	return out
}

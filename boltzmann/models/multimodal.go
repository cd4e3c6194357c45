package models

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// WTA is a winner-take-all machine of groups of size units: W = a within a group, −a
// between groups, and b = −a plus the group's bias. Units of group g are g·size to
// (g+1)·size − 1. Its modes are the states with one group full and the others empty, of
// energy −a·size(size−3)/2 without bias; a sampler that changes one unit at a time has to
// pass the states between, at a cost that grows as exp(const·a).
//
// bias is empty (no bias) or has one finite number for each group; a is finite.
func WTA(groups, size int, a float64, bias ...float64) (*boltzmann.Machine, error) {
	if groups < 1 || size < 1 {
		return nil, fmt.Errorf("models: WTA: %d groups of %d units: must be at least one of one", groups, size)
	}
	if err := checkUnits("WTA", groups, size); err != nil {
		return nil, err
	}
	if len(bias) != 0 && len(bias) != groups {
		return nil, fmt.Errorf("models: WTA: %d biases with %d groups: must be none or one each", len(bias), groups)
	}
	if err := checkFinite("WTA: a", a); err != nil {
		return nil, err
	}
	n := groups * size
	w := mat.NewSymDense(n, nil)
	b := make([]float64, n)
	for i := range b {
		b[i] = -a
		if len(bias) > 0 {
			b[i] += bias[i/size]
		}
		for j := range i {
			if i/size == j/size {
				w.SetSym(i, j, a)
			} else {
				w.SetSym(i, j, -a)
			}
		}
	}
	return boltzmann.New(w, b)
}

// CurieWeiss is the Curie-Weiss magnet of n spins s = 2z − 1, p ∝ exp(β M²/(2n)) with
// M = Σ s_i, that is W_ij = 4β/n and b_i = −2β(n−1)/n. For β > 1 it has two modes, almost
// all on and almost all off, and the time between them grows exponentially with n.
//
// n is at least 1, beta finite.
func CurieWeiss(n int, beta float64) (*boltzmann.Machine, error) {
	if n < 1 {
		return nil, fmt.Errorf("models: CurieWeiss: n = %d: must be ≥ 1", n)
	}
	if err := checkUnits("CurieWeiss", 1, n); err != nil {
		return nil, err
	}
	all := make([]uint8, n)
	for k := range all {
		all[k] = 1
	}
	return hopfield("CurieWeiss", [][]uint8{all}, beta)
}

// Mattis is a Hopfield machine of one pattern in {0,1}^N: CurieWeiss with the spins of the
// units that are off in the pattern turned over. Its modes are the pattern and its inverse,
// and all its times are those of CurieWeiss(N, beta).
func Mattis(pattern []uint8, beta float64) (*boltzmann.Machine, error) {
	return hopfield("Mattis", [][]uint8{pattern}, beta)
}

// Hopfield is the machine of P patterns ξ in {0,1}^N, with spins s = 2z − 1 and σ = 2ξ − 1,
//
//	p ∝ exp(β/(2N) Σ_μ (σ^μ·s)²),   W_ij = (4β/N) Σ_μ σ_i^μ σ_j^μ,   b_i = −½ Σ_j W_ij,
//
// without the terms i = j. Patterns that are nearly orthogonal, P ≲ 0.05 N of them, are
// modes together with their inverses for β well above 1.
//
// There is at least one pattern, all of one length ≥ 1, and beta is finite.
func Hopfield(patterns [][]uint8, beta float64) (*boltzmann.Machine, error) {
	return hopfield("Hopfield", patterns, beta)
}

// hopfield makes Hopfield, for the caller named what in errors.
func hopfield(what string, patterns [][]uint8, beta float64) (*boltzmann.Machine, error) {
	if len(patterns) == 0 || len(patterns[0]) == 0 {
		return nil, fmt.Errorf("models: %s: no pattern: must have at least one of at least one unit", what)
	}
	if err := checkFinite(what+": beta", beta); err != nil {
		return nil, err
	}
	n := len(patterns[0])
	if err := checkUnits(what, 1, n); err != nil {
		return nil, err
	}
	for i, p := range patterns {
		if err := sampling.CheckState(p, n); err != nil {
			return nil, fmt.Errorf("models: %s: pattern %d: %w", what, i, err)
		}
	}
	j := mat.NewSymDense(n, nil)
	for i := range n {
		for k := range i {
			overlap := 0
			for _, p := range patterns {
				if p[i] == p[k] {
					overlap++
				} else {
					overlap--
				}
			}
			j.SetSym(i, k, beta*float64(overlap)/float64(n))
		}
	}
	m, _, err := boltzmann.FromSpin(j, make([]float64, n))
	return m, err
}

// maxUnits is what a dense machine takes.
const maxUnits = 1 << 15

// checkUnits refuses more units than a dense machine has before the couplings are made.
func checkUnits(what string, groups, size int) error {
	if size > maxUnits || groups > maxUnits/size {
		return fmt.Errorf("models: %s: %d×%d units: must be at most %d", what, groups, size, maxUnits)
	}
	return nil
}

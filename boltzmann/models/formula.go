package models

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// RBMS is the restricted machine RBM-S(nv, nh, A) with, from i, j = 0,
//
//	W_ij = A sin(1.3i + 2.1j + 0.7),   b_i = 0.5 cos(0.9i),   c_j = −0.3 + 0.4 sin(1.7j).
//
// nv and nh are at least 1, A is finite.
func RBMS(nv, nh int, A float64) (*boltzmann.RBM, error) {
	if nv < 1 || nh < 1 {
		return nil, fmt.Errorf("models: RBMS: %d visible and %d hidden units: must have at least one of each", nv, nh)
	}
	if err := checkFinite("RBMS: A", A); err != nil {
		return nil, err
	}
	w := mat.NewDense(nv, nh, nil)
	b, c := make([]float64, nv), make([]float64, nh)
	for i := range b {
		b[i] = 0.5 * math.Cos(0.9*float64(i))
		for j := range c {
			w.Set(i, j, A*math.Sin(1.3*float64(i)+2.1*float64(j)+0.7))
		}
	}
	for j := range c {
		c[j] = -0.3 + 0.4*math.Sin(1.7*float64(j))
	}
	return boltzmann.NewRBM(w, b, c)
}

// EveryThird is the state of n units in which units 0, 3, 6, … are on: the visible state v*
// whose log p(v*) under RBMS is tabulated.
func EveryThird(n int) []uint8 {
	v := make([]uint8, max(n, 0))
	for i := 0; i < n; i += 3 {
		v[i] = 1
	}
	return v
}

// BMS is the machine BM-S(n, A) with, from i, j = 0 and i ≠ j,
//
//	W_ij = A sin(1.1(i+j) + 0.5ij),   b_i = 0.4 cos(1.3i).
//
// n is at least 1, A finite.
func BMS(n int, A float64) (*boltzmann.Machine, error) {
	if n < 1 {
		return nil, fmt.Errorf("models: BMS: n = %d: must be ≥ 1", n)
	}
	if err := checkFinite("BMS: A", A); err != nil {
		return nil, err
	}
	if err := checkUnits("BMS", 1, n); err != nil {
		return nil, err
	}
	w := mat.NewSymDense(n, nil)
	b := make([]float64, n)
	for i := range b {
		b[i] = 0.4 * math.Cos(1.3*float64(i))
		for j := range i {
			w.SetSym(i, j, A*math.Sin(1.1*float64(i+j)+0.5*float64(i*j)))
		}
	}
	return boltzmann.New(w, b)
}

func checkFinite(what string, x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("models: %s = %v: must be finite", what, x)
	}
	return nil
}

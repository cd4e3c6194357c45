package ensemble

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// StaticShift is f₀(ρ) = artanh(2 asin(ρ)/π): the coupling ΔW' between two units in {−1,1}
// that are the signs of Gaussian potentials with correlation ρ. It is infinite for |ρ| = 1
// and NaN beyond.
func StaticShift(rho float64) float64 { return math.Atanh(2 * math.Asin(rho) / math.Pi) }

// Dynamics is the measured ratio of the shift of LIF neurons to StaticShift: they integrate
// over a refractory time instead of looking at one instant. It is .80 to .83 for |ρ| from .1
// to .9 (tutorial-cuba; 2e6 ms each).
const Dynamics = 0.82

// SharedInputShift is what noise that correlates the free potentials of two units by rho
// does to their law, in terms of z in {0,1}: their coupling acts as W + dW and their biases
// as b + db, dW = 4·Dynamics·StaticShift(rho), db = −dW/2.
func SharedInputShift(rho float64) (dW, db float64) {
	dW = 4 * Dynamics * StaticShift(rho)
	return dW, -dW / 2
}

// EquivalentShift is SharedInputShift for a whole network: rho is the n×n matrix of
// correlations of the units' free potentials, whose diagonal is not looked at.
func EquivalentShift(rho mat.Symmetric) (dW *mat.SymDense, db []float64, err error) {
	if rho == nil || rho.SymmetricDim() == 0 {
		return nil, nil, fmt.Errorf("ensemble: no correlations")
	}
	n := rho.SymmetricDim()
	dW, db = mat.NewSymDense(n, nil), make([]float64, n)
	for i := range n {
		for j := range i {
			r := rho.At(i, j)
			if !(math.Abs(r) < 1) {
				return nil, nil, fmt.Errorf("ensemble: correlation of units %d and %d is %v: must be between −1 and 1", j, i, r)
			}
			w, b := SharedInputShift(r)
			dW.SetSym(i, j, w)
			db[i] += b
			db[j] += b
		}
	}
	return dW, db, nil
}

// Compensate is the machine that samples as m does if noise shifts it by dW and db:
// W − dW, b − db.
func Compensate(m *boltzmann.Machine, dW mat.Symmetric, db []float64) (*boltzmann.Machine, error) {
	if m == nil || dW == nil || dW.SymmetricDim() != m.Dim() || len(db) != m.Dim() {
		return nil, fmt.Errorf("ensemble: Compensate: machine and shifts must be of the same number of units")
	}
	w, b := m.W(), m.B()
	w.AddSym(w, scaled{dW, -1})
	for i := range b {
		b[i] -= db[i]
	}
	return boltzmann.New(w, b)
}

// scaled is a symmetric matrix times a number.
type scaled struct {
	mat.Symmetric
	x float64
}

func (s scaled) At(i, j int) float64 { return s.x * s.Symmetric.At(i, j) }

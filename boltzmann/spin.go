package boltzmann

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Spin returns the machine in terms of spins s = 2z − 1 in {−1,1}^N,
//
//	−E(z) = ½ sᵀJs + hᵀs + c,   J = W/4,   h_i = b_i/2 + ¼ Σ_j W_ij,
//
// with J symmetric and of zero diagonal, c = ¼ Σ_{i<j} W_ij + ½ Σ_i b_i.
func (m *Machine) Spin() (J *mat.SymDense, h []float64, c float64) {
	J = mat.NewSymDense(m.n, nil)
	h = make([]float64, m.n)
	for i := range m.n {
		sum := 0.0
		for j, w := range m.row(i) {
			sum += w
			if j > i {
				J.SetSym(i, j, w/4)
			}
		}
		h[i] = m.b[i]/2 + sum/4
		c += sum/8 + m.b[i]/2
	}
	return J, h, c
}

// FromSpin returns the machine of p(s) ∝ exp(½ sᵀJs + hᵀs), s in {−1,1}^N, and the
// constant that its energy leaves out:
//
//	½ sᵀJs + hᵀs = −E(z) + c,   W = 4J,   b_i = 2 h_i − 2 Σ_j J_ij,
//
// with z = (1+s)/2 and c = Σ_{i<j} J_ij − Σ_i h_i. J and h must be as New wants W and b.
func FromSpin(J mat.Matrix, h []float64) (m *Machine, c float64, err error) {
	m, err = New(J, h)
	if err != nil {
		return nil, 0, fmt.Errorf("boltzmann: spin form (J for W, h for b): %w", err)
	}
	for i := range m.n {
		row := m.row(i)
		sum := 0.0
		for j, w := range row {
			sum += w
			row[j] = 4 * w
		}
		c += sum/2 - m.b[i]
		m.b[i] = 2*m.b[i] - 2*sum
	}
	if err := m.validate(); err != nil {
		return nil, 0, fmt.Errorf("boltzmann: from spin form: %w", err)
	}
	return m, c, nil
}

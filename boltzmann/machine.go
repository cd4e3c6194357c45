package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Incremental = (*Machine)(nil)

// Machine is a Boltzmann machine, p(z) ∝ exp(½ zᵀWz + bᵀz). It is immutable, so any
// number of samplers may share one.
type Machine struct {
	n int
	w []float64 // n rows of n couplings
	b []float64
}

// New returns the machine with couplings w (n×n) and biases b (n), both copied.
//
// It refuses n = 0, shapes that differ, NaN, ±Inf, a nonzero diagonal, and a w that is
// not exactly symmetric: w with rounding asymmetry must be symmetrised by the caller, who
// knows how. It also refuses numbers so large that an energy could overflow.
func New(w mat.Matrix, b []float64) (*Machine, error) {
	n := len(b)
	if n == 0 {
		return nil, errors.New("boltzmann: no biases: must have at least one unit")
	}
	if err := checkDense(n); err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fmt.Errorf("boltzmann: W is nil: must be %d×%d", n, n)
	}
	if r, c := w.Dims(); r != n || c != n {
		return nil, fmt.Errorf("boltzmann: W is %d×%d with %d biases: must be %d×%d", r, c, n, n, n)
	}
	m := newMachine(n)
	copy(m.b, b)
	for i := range n {
		for j := range n {
			m.w[i*n+j] = w.At(i, j)
		}
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// maxDense is the largest number of units of a Machine, whose dense W then takes 8 GB.
const maxDense = 1 << 15

func checkDense(n int) error {
	if n > maxDense {
		return fmt.Errorf("boltzmann: %d units: a machine with dense W has at most %d", n, maxDense)
	}
	return nil
}

// newMachine returns n units without couplings or biases.
func newMachine(n int) *Machine {
	return &Machine{n: n, w: make([]float64, n*n), b: make([]float64, n)}
}

// setWeight sets both W_ij and W_ji.
func (m *Machine) setWeight(i, j int, w float64) {
	m.w[i*m.n+j] = w
	m.w[j*m.n+i] = w
}

// validate checks what New promises. It reports the first fault of each kind, since a
// wrong matrix tends to be wrong in all its entries.
func (m *Machine) validate() error {
	var notFinite, diagonal, asymmetric error
	size := 0.0
	for i := range m.n {
		row := m.row(i)
		for j, w := range row {
			switch {
			case !finite(w):
				if notFinite == nil {
					notFinite = fmt.Errorf("boltzmann: W[%d,%d] = %v: must be finite", i, j, w)
				}
			case i == j && w != 0:
				if diagonal == nil {
					diagonal = fmt.Errorf("boltzmann: W[%d,%d] = %v: the diagonal must be 0 (z² = z: use the bias)", i, j, w)
				}
			case j < i && w != m.w[j*m.n+i] && finite(m.w[j*m.n+i]):
				if asymmetric == nil {
					asymmetric = fmt.Errorf("boltzmann: W[%d,%d] = %v but W[%d,%d] = %v: W must be symmetric", j, i, m.w[j*m.n+i], i, j, w)
				}
			}
			size += math.Abs(w)
		}
	}
	var bias error
	for k, b := range m.b {
		if !finite(b) && bias == nil {
			bias = fmt.Errorf("boltzmann: b[%d] = %v: must be finite", k, b)
		}
		size += math.Abs(b)
	}
	if err := errors.Join(notFinite, diagonal, asymmetric, bias); err != nil {
		return err
	}
	if !finite(size) {
		return errors.New("boltzmann: the sum of all |W| and |b| overflows: energies must be finite")
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// row is row i of W.
func (m *Machine) row(i int) []float64 { return m.w[i*m.n : (i+1)*m.n] }

// Dim is the number N of units.
func (m *Machine) Dim() int { return m.n }

// Weight is the coupling W_ij between units i and j.
func (m *Machine) Weight(i, j int) float64 { return m.row(i)[j] }

// Bias is the bias b_k of unit k.
func (m *Machine) Bias(k int) float64 { return m.b[k] }

// W returns a copy of the couplings, N×N with zero diagonal.
func (m *Machine) W() *mat.SymDense { return mat.NewSymDense(m.n, slices.Clone(m.w)) }

// B returns a copy of the N biases.
func (m *Machine) B() []float64 { return slices.Clone(m.b) }

// Energy is E(z) = −½ zᵀWz − bᵀz [nats].
func (m *Machine) Energy(z []uint8) float64 {
	e := 0.0
	for i, on := range z {
		if on == 0 {
			continue
		}
		e -= m.b[i]
		for j, w := range m.row(i)[:i] {
			if z[j] != 0 {
				e -= w
			}
		}
	}
	return e
}

// Logit is u_k = b_k + Σ_j W_kj z_j [nats].
func (m *Machine) Logit(z []uint8, k int) float64 {
	u := m.b[k]
	for j, w := range m.row(k) {
		if z[j] != 0 {
			u += w
		}
	}
	return u
}

// Logits writes b + Wz to u.
func (m *Machine) Logits(u []float64, z []uint8) {
	copy(u, m.b)
	for k, on := range z {
		if on != 0 {
			floats.Add(u, m.row(k))
		}
	}
}

// Flipped corrects u = b + Wz after z[k] has changed to the value it has now.
func (m *Machine) Flipped(u []float64, z []uint8, k int) {
	if z[k] != 0 {
		floats.Add(u, m.row(k))
	} else {
		floats.Sub(u, m.row(k))
	}
}

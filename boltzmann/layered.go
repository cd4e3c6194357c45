package boltzmann

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Incremental = (*Layered)(nil)

// Layered is a Boltzmann machine of layers z_0, z_1, …, z_L whose couplings join
// neighbouring layers only (a deep Boltzmann machine, Salakhutdinov and Hinton 2009; two
// layers are a restricted one, see [RBM]):
//
//	E(z) = −Σ_l b_lᵀ z_l − Σ_l z_lᵀ W_l z_{l+1}.
//
// Units are numbered through the layers, layer 0 first. All even layers are independent
// given all odd ones, and the reverse; that is what [BlockGibbs] and the exact sums use.
// It is immutable, so any number of samplers may share one.
type Layered struct {
	first []int       // first unit of each layer; the last entry is N
	layer []int       // layer of each unit
	up    [][]float64 // up[l]: W_l, a row for every unit of layer l
	down  [][]float64 // down[l]: W_{l−1} transposed, a row for every unit of layer l
	b     []float64   // N biases
}

// NewLayered returns the machine with biases b[l] of layer l = 0..L and couplings w[l]
// (len(b[l]) × len(b[l+1])) between layers l and l+1; all are copied.
//
// It refuses fewer than two layers, an empty layer, shapes that differ, NaN, ±Inf, and
// numbers so large that an energy could overflow.
func NewLayered(w []mat.Matrix, b [][]float64) (*Layered, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("boltzmann: layered machine: %d layers of biases: must have at least two", len(b))
	}
	if len(w) != len(b)-1 {
		return nil, fmt.Errorf("boltzmann: layered machine: %d weight matrices with %d layers: must be %d", len(w), len(b), len(b)-1)
	}
	var errs []error
	for l, bias := range b {
		if len(bias) == 0 {
			errs = append(errs, fmt.Errorf("boltzmann: layered machine: layer %d has no units: must have at least one", l))
		}
	}
	for l, m := range w {
		nr, nc := len(b[l]), len(b[l+1])
		if m == nil {
			errs = append(errs, fmt.Errorf("boltzmann: layered machine: W_%d is nil: must be %d×%d", l, nr, nc))
		} else if r, c := m.Dims(); r != nr || c != nc {
			errs = append(errs, fmt.Errorf("boltzmann: layered machine: W_%d is %d×%d: must be %d×%d", l, r, c, nr, nc))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m := newLayered(w, b)
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// newLayered copies numbers of checked shapes.
func newLayered(w []mat.Matrix, b [][]float64) *Layered {
	m := &Layered{first: make([]int, len(b)+1), up: make([][]float64, len(b)), down: make([][]float64, len(b))}
	for l, bias := range b {
		m.b = append(m.b, bias...)
		m.first[l+1] = len(m.b)
		for range bias {
			m.layer = append(m.layer, l)
		}
	}
	for l, from := range w {
		r, c := from.Dims()
		up, down := make([]float64, r*c), make([]float64, r*c)
		for i := range r {
			for j := range c {
				x := from.At(i, j)
				up[i*c+j], down[j*r+i] = x, x
			}
		}
		m.up[l], m.down[l+1] = up, down
	}
	return m
}

// validate reports the first number of each kind that New promises to refuse.
func (m *Layered) validate() error {
	var weight, bias error
	size := 0.0
	for l, w := range m.up {
		for i, x := range w {
			if !finite(x) && weight == nil {
				n := m.first[l+2] - m.first[l+1]
				weight = fmt.Errorf("boltzmann: layered machine: W_%d[%d,%d] = %v: must be finite", l, i/n, i%n, x)
			}
			size += math.Abs(x)
		}
	}
	for k, x := range m.b {
		if !finite(x) && bias == nil {
			l := m.layer[k]
			bias = fmt.Errorf("boltzmann: layered machine: b_%d[%d] = %v: must be finite", l, k-m.first[l], x)
		}
		size += math.Abs(x)
	}
	if err := errors.Join(weight, bias); err != nil {
		return err
	}
	if !finite(2 * size) {
		return errors.New("boltzmann: layered machine: the sum of all |W| and |b| overflows: energies must be finite")
	}
	return nil
}

// Dim is the number N of units of all layers.
func (m *Layered) Dim() int { return len(m.b) }

// Layers is the number of layers.
func (m *Layered) Layers() int { return len(m.first) - 1 }

// Layer is the range of units of layer l: from ≤ k < to. It panics if there is no layer l.
func (m *Layered) Layer(l int) (from, to int) { return m.first[l], m.first[l+1] }

// Bias is the bias b_k of unit k of the whole machine.
func (m *Layered) Bias(k int) float64 { return m.b[k] }

// Weight returns a copy of W_l, the couplings of layer l (rows) with layer l+1. It panics
// if there is no layer l+1.
func (m *Layered) Weight(l int) *mat.Dense {
	r, c := m.first[l+1]-m.first[l], m.first[l+2]-m.first[l+1]
	return mat.NewDense(r, c, append([]float64(nil), m.up[l]...))
}

// layered makes it a Blocked model.
func (m *Layered) layered() *Layered { return m }

// lower are the couplings of unit k with the layer below, and that layer's first unit.
func (m *Layered) lower(k int) (row []float64, first int) {
	l := m.layer[k]
	if l == 0 {
		return nil, 0
	}
	n := m.first[l] - m.first[l-1]
	i := k - m.first[l]
	return m.down[l][i*n : (i+1)*n], m.first[l-1]
}

// upper are the couplings of unit k with the layer above, and that layer's first unit.
func (m *Layered) upper(k int) (row []float64, first int) {
	l := m.layer[k]
	if l == m.Layers()-1 {
		return nil, 0
	}
	n := m.first[l+2] - m.first[l+1]
	i := k - m.first[l]
	return m.up[l][i*n : (i+1)*n], m.first[l+1]
}

// Energy is E(z) = −Σ b_k z_k − Σ_l z_lᵀ W_l z_{l+1} [nats].
func (m *Layered) Energy(z []uint8) float64 {
	e := 0.0
	for k, on := range z {
		if on == 0 {
			continue
		}
		e -= m.b[k]
		row, first := m.upper(k)
		for j, w := range row {
			if z[first+j] != 0 {
				e -= w
			}
		}
	}
	return e
}

// Logit is u_k = b_k + Σ_j W_kj z_j over the neighbouring layers [nats].
func (m *Layered) Logit(z []uint8, k int) float64 {
	u := m.b[k]
	for _, side := range []func(int) ([]float64, int){m.lower, m.upper} {
		row, first := side(k)
		for j, w := range row {
			if z[first+j] != 0 {
				u += w
			}
		}
	}
	return u
}

// Logits writes the log odds of all N units to u.
func (m *Layered) Logits(u []float64, z []uint8) {
	m.halfLogits(u, z, 0)
	m.halfLogits(u, z, 1)
}

// halfLogits writes the log odds of the units of the even (parity 0) or odd (1) layers to
// their places in u. They depend on the other layers alone, and on nothing but the state:
// fields computed this way do not drift.
func (m *Layered) halfLogits(u []float64, z []uint8, parity int) {
	for l := parity; l < m.Layers(); l += 2 {
		from, to := m.Layer(l)
		copy(u[from:to], m.b[from:to])
	}
	for l := 1 - parity; l < m.Layers(); l += 2 {
		from, to := m.Layer(l)
		for k := from; k < to; k++ {
			if z[k] != 0 {
				m.add(u, k)
			}
		}
	}
}

// add adds the couplings of unit k to the log odds u.
func (m *Layered) add(u []float64, k int) {
	if row, first := m.lower(k); row != nil {
		floats.Add(u[first:first+len(row)], row)
	}
	if row, first := m.upper(k); row != nil {
		floats.Add(u[first:first+len(row)], row)
	}
}

// Flipped corrects the log odds u after z[k] has changed to the value it has now.
func (m *Layered) Flipped(u []float64, z []uint8, k int) {
	if z[k] != 0 {
		m.add(u, k)
		return
	}
	if row, first := m.lower(k); row != nil {
		floats.Sub(u[first:first+len(row)], row)
	}
	if row, first := m.upper(k); row != nil {
		floats.Sub(u[first:first+len(row)], row)
	}
}

// Machine returns the same distribution as a dense machine with the same numbering of
// units. Its W has N² numbers, so it takes N ≤ 32768.
func (m *Layered) Machine() (*Machine, error) {
	if err := checkDense(m.Dim()); err != nil {
		return nil, err
	}
	d := newMachine(m.Dim())
	copy(d.b, m.b)
	for k := range d.b {
		row, first := m.upper(k)
		for j, w := range row {
			d.setWeight(k, first+j, w)
		}
	}
	return d, nil
}

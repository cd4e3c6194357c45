package train

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
)

// DeepModel is a trained layered machine whose last visible units are label units. It is
// immutable, and its methods may be called from several goroutines.
type DeepModel struct {
	m       *boltzmann.Layered
	classes int
	meta    map[string]string
}

// NewDeepModel returns the machine m, the last classes ≥ 0 units of whose layer 0 are label
// units; at least one unit there must be a pixel. meta is kept with it; nil for nothing.
func NewDeepModel(m *boltzmann.Layered, classes int, meta map[string]string) (*DeepModel, error) {
	if m == nil {
		return nil, errors.New("train: machine is nil")
	}
	if _, nv := m.Layer(0); classes < 0 || classes >= nv {
		return nil, fmt.Errorf("train: %d classes of %d visible units: must be 0 to %d", classes, nv, nv-1)
	}
	return &DeepModel{m, classes, clone(meta)}, nil
}

// Model returns the machine as it is now. It fails if weights have become infinite.
func (t *DeepTrainer) Model(meta map[string]string) (*DeepModel, error) {
	m, err := t.Machine()
	if err != nil {
		return nil, err
	}
	return NewDeepModel(m, t.classes, meta)
}

// Machine is the machine, for any sampler of layered machines: layer 0 are the pixels, then the
// label units. Its Machine is the dense form, which spiking networks are made from.
func (m *DeepModel) Machine() *boltzmann.Layered { return m.m }

// Pixels is the number of pixels.
func (m *DeepModel) Pixels() int { return m.visible() - m.classes }

func (m *DeepModel) visible() int { _, nv := m.m.Layer(0); return nv }

// Hidden are the numbers of hidden units by layer.
func (m *DeepModel) Hidden() []int {
	var n []int
	for l := 1; l < m.m.Layers(); l++ {
		from, to := m.m.Layer(l)
		n = append(n, to-from)
	}
	return n
}

// Classes is the number of label units.
func (m *DeepModel) Classes() int { return m.classes }

// Meta returns a copy of what was kept with the model.
func (m *DeepModel) Meta() map[string]string { return clone(m.meta) }

// parts are copies of the couplings and the biases by layer.
func (m *DeepModel) parts() (w []*mat.Dense, b [][]float64) {
	for l := range m.m.Layers() {
		from, to := m.m.Layer(l)
		x := make([]float64, to-from)
		for i := range x {
			x[i] = m.m.Bias(from + i)
		}
		b = append(b, x)
		if l+1 < m.m.Layers() {
			w = append(w, m.m.Weight(l))
		}
	}
	return w, b
}

// RBM is the same machine as a restricted one, for what takes only those: its visible units
// are the even layers one after another, so pixels, label units, layer 2, …, and its hidden
// units the odd layers. Couplings between layers that are no neighbours are 0.
func (m *DeepModel) RBM() (*boltzmann.RBM, error) {
	w, b := m.parts()
	at := make([]int, len(b)) // first unit of a layer within its half
	var bias [2][]float64
	for l, x := range b {
		at[l] = len(bias[l%2])
		bias[l%2] = append(bias[l%2], x...)
	}
	all := mat.NewDense(len(bias[0]), len(bias[1]), nil)
	for l, x := range w {
		r, c := x.Dims()
		if l%2 == 0 {
			all.Slice(at[l], at[l]+r, at[l+1], at[l+1]+c).(*mat.Dense).Copy(x)
		} else {
			all.Slice(at[l+1], at[l+1]+c, at[l], at[l]+r).(*mat.Dense).Copy(x.T())
		}
	}
	return boltzmann.NewRBM(all, bias[0], bias[1])
}

// GivenLabel is the machine of pixels and hidden units when label unit l is on and the others
// are off: p(pixels, hidden units | label).
func (m *DeepModel) GivenLabel(l int) (*boltzmann.Layered, error) {
	if l < 0 || l >= m.classes {
		return nil, fmt.Errorf("train: class %d: must be 0 to %d", l, m.classes-1)
	}
	v := make([]uint8, m.classes)
	v[l] = 1
	return m.given(m.Pixels(), v, 0, m.Pixels())
}

// GivenPixels is the machine of label and hidden units when the pixels have the values of
// image: p(labels, hidden units | image).
func (m *DeepModel) GivenPixels(image []uint8) (*boltzmann.Layered, error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := sampling.CheckState(image, m.Pixels()); err != nil {
		return nil, fmt.Errorf("train: image: %w", err)
	}
	return m.given(0, image, m.Pixels(), m.visible())
}

// given is the machine whose layer 0 are the visible units from ≤ i < to, those from unit
// first on being held at v.
func (m *DeepModel) given(first int, v []uint8, from, to int) (*boltzmann.Layered, error) {
	w, b := m.parts()
	for i, on := range v {
		if on != 0 {
			for j, x := range w[0].RawRowView(first + i) {
				b[1][j] += x
			}
		}
	}
	b[0] = b[0][from:to]
	rest := []mat.Matrix{w[0].Slice(from, to, 0, len(b[1]))}
	for _, x := range w[1:] {
		rest = append(rest, x)
	}
	return boltzmann.NewLayered(rest, b)
}

// hidden is the machine of the hidden units alone when the visible ones have the values v, and
// what they contribute to −E by themselves. With one hidden layer it is nil, and the sum over
// the states of that layer is in the second result.
func (m *DeepModel) hidden(v []uint8) (*boltzmann.Layered, float64, error) {
	w, b := m.parts()
	own := 0.0
	for i, on := range v {
		if on != 0 {
			own += b[0][i]
			for j, x := range w[0].RawRowView(i) {
				b[1][j] += x
			}
		}
	}
	if len(w) == 1 {
		for _, x := range b[1] {
			own += heatbath.Softplus(x)
		}
		return nil, own, nil
	}
	var rest []mat.Matrix
	for _, x := range w[1:] {
		rest = append(rest, x)
	}
	h, err := boltzmann.NewLayered(rest, b[1:])
	return h, own, err
}

// check reports an error unless data fit the model.
func (m *DeepModel) check(d Data) error {
	if err := d.check(); err != nil {
		return err
	}
	if d.pixels() != m.Pixels() || d.Classes != m.classes {
		return fmt.Errorf("train: data of %d pixels and %d classes with a model of %d and %d: must be the same",
			d.pixels(), d.Classes, m.Pixels(), m.classes)
	}
	return nil
}

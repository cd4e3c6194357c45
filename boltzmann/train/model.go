package train

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// Model is a trained machine whose last visible units are label units. It is immutable, and
// its methods may be called from several goroutines.
type Model struct {
	rbm     *boltzmann.RBM
	classes int
	meta    map[string]string
}

// NewModel returns the machine r with its last classes ≥ 0 visible units as label units. At
// least one unit must be a pixel. meta is kept with it, for instance how it was trained; nil
// for nothing.
func NewModel(r *boltzmann.RBM, classes int, meta map[string]string) (*Model, error) {
	if r == nil {
		return nil, errors.New("train: machine is nil")
	}
	if classes < 0 || classes >= r.Visible() {
		return nil, fmt.Errorf("train: %d classes of %d visible units: must be 0 to %d", classes, r.Visible(), r.Visible()-1)
	}
	return &Model{r, classes, clone(meta)}, nil
}

// clone copies a map; nil becomes empty.
func clone(m map[string]string) map[string]string {
	c := map[string]string{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

// Model returns the machine as it is now. It fails if weights have become infinite.
func (t *Trainer) Model(meta map[string]string) (*Model, error) {
	r, err := t.Machine()
	if err != nil {
		return nil, err
	}
	return NewModel(r, t.classes, meta)
}

// RBM is the machine; its visible units are the pixels, then the label units.
func (m *Model) RBM() *boltzmann.RBM { return m.rbm }

// Pixels is the number of pixels.
func (m *Model) Pixels() int { return m.rbm.Visible() - m.classes }

// Hidden is the number of hidden units.
func (m *Model) Hidden() int { return m.rbm.Hidden() }

// Classes is the number of label units.
func (m *Model) Classes() int { return m.classes }

// Meta returns a copy of what was kept with the model.
func (m *Model) Meta() map[string]string { return clone(m.meta) }

// Layered is the same machine as three layers: pixels (layer 0), hidden units (1) and label
// units (2), which are numbered in that order: pixel i is unit i, hidden unit j is unit
// Pixels + j, label l is unit Pixels + Hidden + l. In the RBM label l is unit Pixels + l.
// It fails without label units. Its Machine is the dense form.
func (m *Model) Layered() (*boltzmann.Layered, error) {
	if m.classes == 0 {
		return nil, errors.New("train: Layered: the model has no label units: must have at least one (RBM is the machine of two layers)")
	}
	np := m.Pixels()
	w, b := m.rbm.W(), m.rbm.B()
	return boltzmann.NewLayered(
		[]mat.Matrix{w.Slice(0, np, 0, m.Hidden()), w.Slice(np, np+m.classes, 0, m.Hidden()).T()},
		[][]float64{b[:np], m.rbm.C(), b[np:]})
}

// Unlayer is the inverse of Layered: the model of a machine of three layers, pixels, hidden
// units and label units.
func Unlayer(l *boltzmann.Layered, meta map[string]string) (*Model, error) {
	if l == nil || l.Layers() != 3 {
		return nil, errors.New("train: Unlayer: must have a machine of three layers: pixels, hidden and label units")
	}
	var w mat.Dense
	w.Stack(l.Weight(0), l.Weight(1).T())
	bias := func(k int) []float64 {
		from, to := l.Layer(k)
		b := make([]float64, to-from)
		for i := range b {
			b[i] = l.Bias(from + i)
		}
		return b
	}
	r, err := boltzmann.NewRBM(&w, slices.Concat(bias(0), bias(2)), bias(1))
	if err != nil {
		return nil, err
	}
	from, to := l.Layer(2)
	return NewModel(r, to-from, meta)
}

// GivenLabel is the machine of pixels and hidden units when label unit l is on and the others
// are off: p(pixels, h | label).
func (m *Model) GivenLabel(l int) (*boltzmann.RBM, error) {
	if l < 0 || l >= m.classes {
		return nil, fmt.Errorf("train: class %d: must be 0 to %d", l, m.classes-1)
	}
	np := m.Pixels()
	w, c := m.rbm.W(), m.rbm.C()
	floats.Add(c, w.RawRowView(np+l))
	return boltzmann.NewRBM(w.Slice(0, np, 0, m.Hidden()), m.rbm.B()[:np], c)
}

// GivenPixels is the machine of label and hidden units when the pixels have the values of
// image: p(labels, h | image).
func (m *Model) GivenPixels(image []uint8) (*boltzmann.RBM, error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := sampling.CheckState(image, m.Pixels()); err != nil {
		return nil, fmt.Errorf("train: image: %w", err)
	}
	return m.givenPixels(m.rbm.W(), image)
}

// givenPixels is GivenPixels of a checked image, w the couplings of the whole machine.
func (m *Model) givenPixels(w *mat.Dense, image []uint8) (*boltzmann.RBM, error) {
	c := m.rbm.C()
	for i, on := range image {
		if on != 0 {
			floats.Add(c, w.RawRowView(i))
		}
	}
	np := m.Pixels()
	return boltzmann.NewRBM(w.Slice(np, np+m.classes, 0, m.Hidden()), m.rbm.B()[np:], c)
}

var errNoClasses = errors.New("train: the model has no label units: must have at least one to classify")

// check reports an error unless data fit the model.
func (m *Model) check(d Data) error {
	if err := d.check(); err != nil {
		return err
	}
	if d.pixels() != m.Pixels() || d.Classes != m.classes {
		return fmt.Errorf("train: data of %d pixels and %d classes with a model of %d and %d: must be the same",
			d.pixels(), d.Classes, m.Pixels(), m.classes)
	}
	return nil
}

// checkImages reports an error unless there are images and all fit the model.
func (m *Model) checkImages(images [][]uint8) error { return checkImages(images, m.Pixels()) }

// checkImages reports an error unless there are images and all have so many pixels.
func checkImages(images [][]uint8, pixels int) error {
	if len(images) == 0 {
		return errors.New("train: no images: must have at least one")
	}
	for i, x := range images {
		if err := sampling.CheckState(x, pixels); err != nil {
			return fmt.Errorf("train: image %d: %w", i, err)
		}
	}
	return nil
}

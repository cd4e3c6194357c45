package train

import (
	"errors"
	"fmt"
	"io"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/npy"
)

// A model file is an NPZ file with
//
//	W        (nv, nh) float64    couplings, visible units by rows: pixels, then label units
//	b, c     (nv,), (nh,) float64
//	classes  () int64            number of label units, the last visible ones
//	meta     (n,) uint8          a JSON object of strings, as UTF-8
//
// In Python: f = numpy.load("model.npz"); f["W"]; json.loads(bytes(f["meta"])). Files
// written by other programs may have float32 numbers, and lack meta.

// archive is the model as arrays.
func (m *Model) archive() (npy.Archive, error) {
	end, err := about(m.classes, m.meta)
	if err != nil {
		return nil, err
	}
	nv, nh := m.rbm.Visible(), m.rbm.Hidden()
	return append(npy.Archive{
		{Name: "W", Array: npy.New(m.rbm.W().RawMatrix().Data, nv, nh)},
		{Name: "b", Array: npy.New(m.rbm.B(), nv)},
		{Name: "c", Array: npy.New(m.rbm.C(), nh)},
	}, end...), nil
}

// Write writes the model as an NPZ file with float64 arrays W (nv×nh, pixels then label
// units by rows), b (nv), c (nh), an int64 number classes, and meta, a JSON object as uint8.
// The same model gives the same bytes.
func (m *Model) Write(w io.Writer) error { return writeModel(w, m.archive) }

// Save writes the model to a file (see Write), which at any time is the old one, if there
// was one, or the whole new one.
func (m *Model) Save(path string) error { return saveModel(path, m.archive) }

// Read reads a model file of size bytes. Numbers may be float32, and meta may be missing. It
// refuses files that are cut or corrupt (by their checksums), shapes that do not agree, and
// numbers that are not finite.
func Read(r io.ReaderAt, size int64) (*Model, error) { return readModel(r, size, fromArchive) }

// Load reads a model from a file (see Read).
func Load(path string) (*Model, error) { return loadModel(path, fromArchive) }

func fromArchive(a npy.Archive) (*Model, error) {
	b, errB := reals(a, "b", -1)
	c, errC := reals(a, "c", -1)
	if err := errors.Join(errB, errC); err != nil {
		return nil, err
	}
	w, errW := reals(a, "W", len(b), len(c))
	if len(b) == 0 || len(c) == 0 {
		return nil, fmt.Errorf("%d visible and %d hidden units: must have at least one of each", len(b), len(c))
	}
	classes, meta, errN := readAbout(a, len(b))
	if err := errors.Join(errW, errN); err != nil {
		return nil, err
	}
	r, err := boltzmann.NewRBM(mat.NewDense(len(b), len(c), w), b, c)
	if err != nil {
		return nil, err
	}
	return NewModel(r, classes, meta)
}

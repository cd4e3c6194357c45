package train

import (
	"fmt"
	"io"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/npy"
)

// A model file of a layered machine is an NPZ file with
//
//	W0, W1, …    (n_l, n_l+1) float64   couplings of layers l (rows) and l+1
//	b0, b1, …    (n_l,) float64         layer 0: pixels, then label units
//	classes      () int64               number of label units, the last of layer 0
//	meta         (n,) uint8             a JSON object of strings, as UTF-8
//
// In Python: f = numpy.load("model.npz"); f["W0"]; json.loads(bytes(f["meta"])). Files written
// by other programs may have float32 numbers, and lack meta.

// archive is the model as arrays.
func (m *DeepModel) archive() (npy.Archive, error) {
	end, err := about(m.classes, m.meta)
	if err != nil {
		return nil, err
	}
	var a npy.Archive
	w, b := m.parts()
	for l, x := range b {
		a = append(a, npy.Entry{Name: fmt.Sprintf("b%d", l), Array: npy.New(x, len(x))})
		if l < len(w) {
			a = append(a, npy.Entry{Name: fmt.Sprintf("W%d", l), Array: npy.New(w[l].RawMatrix().Data, len(x), len(b[l+1]))})
		}
	}
	return append(a, end...), nil
}

// Write writes the model as an NPZ file with float64 arrays W0 (layers 0×1), W1 (1×2), … and b0,
// b1, …, an int64 number classes, and meta, a JSON object as uint8. The same model gives the
// same bytes.
func (m *DeepModel) Write(w io.Writer) error { return writeModel(w, m.archive) }

// Save writes the model to a file (see Write), which at any time is the old one, if there
// was one, or the whole new one.
func (m *DeepModel) Save(path string) error { return saveModel(path, m.archive) }

// ReadDeep reads a model file of size bytes. Numbers may be float32, and meta may be missing.
// It refuses files that are cut or corrupt (by their checksums), shapes that do not agree, and
// numbers that are not finite.
func ReadDeep(r io.ReaderAt, size int64) (*DeepModel, error) {
	return readModel(r, size, deepFromArchive)
}

// LoadDeep reads a model from a file (see ReadDeep).
func LoadDeep(path string) (*DeepModel, error) { return loadModel(path, deepFromArchive) }

func deepFromArchive(a npy.Archive) (*DeepModel, error) {
	var w []mat.Matrix
	var b [][]float64
	for l := 0; ; l++ {
		name, between := fmt.Sprintf("b%d", l), fmt.Sprintf("W%d", l-1)
		if _, ok := a.Find(name); !ok && l >= 2 {
			if _, ok := a.Find(between); ok {
				return nil, fmt.Errorf("array %q without %q: must have both", between, name)
			}
			break
		}
		x, err := reals(a, name, -1)
		if err != nil {
			return nil, err
		}
		if len(x) == 0 {
			return nil, fmt.Errorf("layer %d has no units: must have at least one", l)
		}
		if l > 0 {
			y, err := reals(a, between, len(b[l-1]), len(x))
			if err != nil {
				return nil, err
			}
			w = append(w, mat.NewDense(len(b[l-1]), len(x), y))
		}
		b = append(b, x)
	}
	classes, meta, err := readAbout(a, len(b[0]))
	if err != nil {
		return nil, err
	}
	m, err := boltzmann.NewLayered(w, b)
	if err != nil {
		return nil, err
	}
	return NewDeepModel(m, classes, meta)
}

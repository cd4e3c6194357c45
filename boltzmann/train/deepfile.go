package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

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
	for k, v := range m.meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("train: meta %q: %q: must be UTF-8", k, v)
		}
	}
	meta, err := json.Marshal(m.meta) // sorted by key
	if err != nil {
		return nil, fmt.Errorf("train: meta: %w", err)
	}
	var a npy.Archive
	w, b := m.parts()
	for l, x := range b {
		a = append(a, npy.Entry{Name: fmt.Sprintf("b%d", l), Array: npy.New(x, len(x))})
		if l < len(w) {
			a = append(a, npy.Entry{Name: fmt.Sprintf("W%d", l), Array: npy.New(w[l].RawMatrix().Data, len(x), len(b[l+1]))})
		}
	}
	return append(a, npy.Entry{Name: "classes", Array: npy.New([]int64{int64(m.classes)})},
		npy.Entry{Name: "meta", Array: npy.New(meta, len(meta))}), nil
}

// Write writes the model as an NPZ file with float64 arrays W0 (layers 0×1), W1 (1×2), … and b0,
// b1, …, an int64 number classes, and meta, a JSON object as uint8. The same model gives the
// same bytes.
func (m *DeepModel) Write(w io.Writer) error {
	a, err := m.archive()
	if err != nil {
		return err
	}
	if err := npy.WriteZip(w, a); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// Save writes the model to a file (see Write), which at any time is the old one, if there
// was one, or the whole new one.
func (m *DeepModel) Save(path string) error {
	a, err := m.archive()
	if err != nil {
		return err
	}
	if err := npy.WriteZipFile(path, a); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// ReadDeep reads a model file of size bytes. Numbers may be float32, and meta may be missing.
// It refuses files that are cut or corrupt (by their checksums), shapes that do not agree, and
// numbers that are not finite.
func ReadDeep(r io.ReaderAt, size int64) (*DeepModel, error) {
	a, err := npy.ReadZip(r, size)
	if err != nil {
		return nil, fmt.Errorf("train: model file: %w", err)
	}
	m, err := deepFromArchive(a)
	if err != nil {
		return nil, fmt.Errorf("train: model file: %w", err)
	}
	return m, nil
}

// LoadDeep reads a model from a file (see ReadDeep).
func LoadDeep(path string) (m *DeepModel, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if m, err = ReadDeep(f, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

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
	classes, err := npy.Get[int64](a, "classes")
	if err != nil {
		return nil, err
	}
	if classes[0] < 0 || classes[0] >= int64(len(b[0])) {
		return nil, fmt.Errorf("%d classes of %d visible units: must be 0 to %d", classes[0], len(b[0]), len(b[0])-1)
	}
	meta, err := metaOf(a)
	if err != nil {
		return nil, err
	}
	m, err := boltzmann.NewLayered(w, b)
	if err != nil {
		return nil, err
	}
	return NewDeepModel(m, int(classes[0]), meta)
}

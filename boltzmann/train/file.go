package train

import (
	"bytes"
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
	for k, v := range m.meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("train: meta %q: %q: must be UTF-8", k, v)
		}
	}
	meta, err := json.Marshal(m.meta) // sorted by key
	if err != nil {
		return nil, fmt.Errorf("train: meta: %w", err)
	}
	nv, nh := m.rbm.Visible(), m.rbm.Hidden()
	return npy.Archive{
		{Name: "W", Array: npy.New(m.rbm.W().RawMatrix().Data, nv, nh)},
		{Name: "b", Array: npy.New(m.rbm.B(), nv)},
		{Name: "c", Array: npy.New(m.rbm.C(), nh)},
		{Name: "classes", Array: npy.New([]int64{int64(m.classes)})},
		{Name: "meta", Array: npy.New(meta, len(meta))},
	}, nil
}

// Write writes the model as an NPZ file with float64 arrays W (nv×nh, pixels then label
// units by rows), b (nv), c (nh), an int64 number classes, and meta, a JSON object as uint8.
// The same model gives the same bytes.
func (m *Model) Write(w io.Writer) error {
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
func (m *Model) Save(path string) error {
	a, err := m.archive()
	if err != nil {
		return err
	}
	if err := npy.WriteZipFile(path, a); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// Read reads a model file of size bytes. Numbers may be float32, and meta may be missing. It
// refuses files that are cut or corrupt (by their checksums), shapes that do not agree, and
// numbers that are not finite.
func Read(r io.ReaderAt, size int64) (*Model, error) {
	a, err := npy.ReadZip(r, size)
	if err != nil {
		return nil, fmt.Errorf("train: model file: %w", err)
	}
	m, err := fromArchive(a)
	if err != nil {
		return nil, fmt.Errorf("train: model file: %w", err)
	}
	return m, nil
}

// Load reads a model from a file (see Read).
func Load(path string) (m *Model, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if m, err = Read(f, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func fromArchive(a npy.Archive) (*Model, error) {
	b, errB := reals(a, "b", -1)
	c, errC := reals(a, "c", -1)
	if err := errors.Join(errB, errC); err != nil {
		return nil, err
	}
	w, errW := reals(a, "W", len(b), len(c))
	classes, errN := npy.Get[int64](a, "classes")
	if err := errors.Join(errW, errN); err != nil {
		return nil, err
	}
	if len(b) == 0 || len(c) == 0 {
		return nil, fmt.Errorf("%d visible and %d hidden units: must have at least one of each", len(b), len(c))
	}
	if classes[0] < 0 || classes[0] >= int64(len(b)) {
		return nil, fmt.Errorf("%d classes of %d visible units: must be 0 to %d", classes[0], len(b), len(b)-1)
	}
	meta, err := metaOf(a)
	if err != nil {
		return nil, err
	}
	r, err := boltzmann.NewRBM(mat.NewDense(len(b), len(c), w), b, c)
	if err != nil {
		return nil, err
	}
	return NewModel(r, int(classes[0]), meta)
}

// metaOf is what was kept with a model, nil if nothing.
func metaOf(a npy.Archive) (meta map[string]string, err error) {
	if _, ok := a.Find("meta"); !ok {
		return nil, nil
	}
	text, err := npy.Get[uint8](a, "meta", -1)
	if err != nil {
		return nil, err
	}
	if err := unmarshal(text, &meta); err != nil {
		return nil, fmt.Errorf("meta must be a JSON object of strings: %w", err)
	}
	return meta, nil
}

// unmarshal decodes the one JSON value of text, without fields that x does not have.
func unmarshal(text []byte, x any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(x); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

// reals are the entries of an array of float64 or float32.
func reals(a npy.Archive, name string, shape ...int) ([]float64, error) {
	if x, ok := a.Find(name); ok {
		if _, single := x.Data.([]float32); single {
			y, err := npy.Get[float32](a, name, shape...)
			return doubles(y), err
		}
	}
	return npy.Get[float64](a, name, shape...)
}

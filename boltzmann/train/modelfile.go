package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/spikesampling/spikesampling/internal/npy"
)

// about are the arrays that end every model file: classes and meta.
func about(classes int, meta map[string]string) (npy.Archive, error) {
	for k, v := range meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("train: meta %q: %q: must be UTF-8", k, v)
		}
	}
	text, err := json.Marshal(meta) // sorted by key
	if err != nil {
		return nil, fmt.Errorf("train: meta: %w", err)
	}
	return npy.Archive{
		{Name: "classes", Array: npy.New([]int64{int64(classes)})},
		{Name: "meta", Array: npy.New(text, len(text))},
	}, nil
}

// readAbout is the inverse of about, for so many visible units. meta may be missing.
func readAbout(a npy.Archive, visible int) (classes int, meta map[string]string, err error) {
	n, err := npy.Get[int64](a, "classes")
	if err != nil {
		return 0, nil, err
	}
	if n[0] < 0 || n[0] >= int64(visible) {
		return 0, nil, fmt.Errorf("%d classes of %d visible units: must be 0 to %d", n[0], visible, visible-1)
	}
	if _, ok := a.Find("meta"); !ok {
		return int(n[0]), nil, nil
	}
	text, err := npy.Get[uint8](a, "meta", -1)
	if err != nil {
		return 0, nil, err
	}
	if err := unmarshal(text, &meta); err != nil {
		return 0, nil, fmt.Errorf("meta must be a JSON object of strings: %w", err)
	}
	return int(n[0]), meta, nil
}

// writeModel writes the arrays of a model.
func writeModel(w io.Writer, archive func() (npy.Archive, error)) error {
	a, err := archive()
	if err != nil {
		return err
	}
	if err := npy.WriteZip(w, a); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// saveModel writes them to a file that at any time is the old one or the whole new one.
func saveModel(path string, archive func() (npy.Archive, error)) error {
	a, err := archive()
	if err != nil {
		return err
	}
	if err := npy.WriteZipFile(path, a); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// readModel makes a model of a file of size bytes.
func readModel[M any](r io.ReaderAt, size int64, from func(npy.Archive) (M, error)) (m M, err error) {
	a, err := npy.ReadZip(r, size)
	if err == nil {
		m, err = from(a)
	}
	if err != nil {
		return m, fmt.Errorf("train: model file: %w", err)
	}
	return m, nil
}

// loadModel opens a file and reads it.
func loadModel[M any](path string, from func(npy.Archive) (M, error)) (m M, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, fmt.Errorf("train: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return m, fmt.Errorf("train: %w", err)
	}
	if m, err = readModel(f, info.Size(), from); err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
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

package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idx is an IDX file.
func idx(t testing.TB, data []uint8, shape ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteIDX(&b, shape, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packed is a gzip file.
func packed(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

func TestReadIDX(t *testing.T) {
	raw := []byte{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}
	if b := idx(t, []uint8{1, 2, 3, 4, 5, 6}, 2, 3); !bytes.Equal(b, raw) {
		t.Errorf("written %v: must be %v", b, raw)
	}
	for _, b := range [][]byte{raw, packed(raw)} {
		shape, data, err := ReadIDX(bytes.NewReader(b))
		if err != nil || !slices.Equal(shape, []int{2, 3}) || !slices.Equal(data, []uint8{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%v %v, %v", shape, data, err)
		}
	}
}

func TestIDXErrors(t *testing.T) {
	raw := idx(t, []uint8{1, 2, 3, 4, 5, 6}, 2, 3)
	z := packed(raw)
	changed := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name  string
		b     []byte
		words string
	}{
		{"empty", nil, "first 4 bytes cut short"},
		{"text", []byte("label,pixel1"), "6c616265 0000"},
		{"type", changed(raw, 2, 0xd), "0xd 0x8"},
		{"no dimensions", changed(raw, 3, 0), "0 dimensions"},
		{"5 dimensions", changed(raw, 3, 5), "5 dimensions"},
		{"cut in lengths", raw[:9], "lengths cut short"},
		{"empty dimension", changed(raw, 7, 0), "[0 3]"},
		{"large", changed(changed(raw, 4, 255), 8, 255), "2^30"},
		{"cut", raw[:len(raw)-1], "5 bytes 6"},
		{"no data", raw[:12], "0 bytes 6"},
		{"long", append(bytes.Clone(raw), 7), "more than 6"},
		{"packed and cut", z[:len(z)-9], "cut short"},
		{"packed and cut in its sum", z[:len(z)-2], "cut short"},
		{"packed and cut at once", z[:5], "gzip cut short"},
		{"packed with a wrong sum", changed(z, len(z)-6, z[len(z)-6]+1), "gzip checksum"},
		{"packed with something after it", append(bytes.Clone(z), "more"...), "follows"},
		{"packed and long", packed(append(bytes.Clone(raw), 7)), "more than 6"},
		{"packed twice", packed(z), "1f8b"},
	} {
		if _, _, err := ReadIDX(bytes.NewReader(c.b)); !holds(err, "data: "+c.words) {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, c.words)
		}
	}
	for _, c := range []struct {
		shape []int
		n     int
	}{{nil, 1}, {[]int{2}, 1}, {[]int{0}, 0}, {[]int{1, 1, 1, 1, 1}, 1}, {[]int{1 << 20, 1 << 20}, 1}, {[]int{-1}, 1}} {
		if err := WriteIDX(io.Discard, c.shape, make([]uint8, c.n)); !holds(err, "data: IDX") {
			t.Errorf("shape %v with %d entries was written, %v", c.shape, c.n, err)
		}
	}
	if err := WriteIDX(broken{}, []int{1}, []uint8{1}); !holds(err, "data: disk full") {
		t.Error(err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// write makes files in a new directory.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// four are the files of three training and two test images of 1×2; names have separator
// sep and end in end.
func four(t *testing.T, sep, end string) map[string][]byte {
	files := map[string][]byte{
		"train-images%sidx3-ubyte%s": idx(t, []uint8{1, 2, 3, 4, 5, 6}, 3, 1, 2),
		"train-labels%sidx1-ubyte%s": idx(t, []uint8{3, 0, 1}, 3),
		"t10k-images%sidx3-ubyte%s":  idx(t, []uint8{7, 8, 9, 10}, 2, 1, 2),
		"t10k-labels%sidx1-ubyte%s":  idx(t, []uint8{1, 4}, 2),
	}
	named := map[string][]byte{}
	for name, b := range files {
		if end == ".gz" {
			b = packed(b)
		}
		named[fmt.Sprintf(name, sep, end)] = b
	}
	return named
}

func TestLoadIDX(t *testing.T) {
	for _, sep := range []string{"-", "."} {
		for _, end := range []string{"", ".gz"} {
			dir := write(t, four(t, sep, end))
			d, err := Load(dir)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, s := range []*Set{d.Train, d.Test} {
				if err := s.Check(); err != nil || s.Rows != 1 || s.Cols != 2 || s.Channels != 1 || len(s.Classes) != 5 || !strings.HasPrefix(s.Name, filepath.Base(dir)+", t") {
					t.Errorf("%+v, %v", s, err)
				}
			}
			if !slices.Equal(d.Train.Bytes, []uint8{1, 2, 3, 4, 5, 6}) || !slices.Equal(d.Train.Labels, []uint8{3, 0, 1}) ||
				!slices.Equal(d.Test.Bytes, []uint8{7, 8, 9, 10}) || !slices.Equal(d.Test.Labels, []uint8{1, 4}) {
				t.Errorf("%+v %+v", d.Train, d.Test)
			}
		}
	}
}

func TestLoadIDXErrors(t *testing.T) {
	for _, c := range []struct {
		name, file string
		b          []byte // nil: no file
		words      string
	}{
		{"missing", "t10k-labels-idx1-ubyte", nil, "no such file .gz"},
		{"images for labels", "train-labels-idx1-ubyte", idx(t, []uint8{1, 2, 3, 4, 5, 6}, 3, 1, 2), "[3 1 2] 3 images"},
		{"too few labels", "t10k-labels-idx1-ubyte", idx(t, []uint8{1}, 1), "[1] 2 images"},
		{"labels for images", "train-images-idx3-ubyte", idx(t, []uint8{1, 2, 3}, 3), "2 to 4 dimensions"},
		{"other size", "t10k-images-idx3-ubyte", idx(t, []uint8{7, 8, 9, 10}, 2, 2, 1), "1×2×1 2×1×1 one size"},
		{"cut", "train-images-idx3-ubyte", idx(t, []uint8{1, 2, 3, 4, 5, 6}, 3, 1, 2)[:20], "4 bytes 6"},
	} {
		files := four(t, "-", "")
		delete(files, c.file)
		if c.b != nil {
			files[c.file] = c.b
		}
		dir := write(t, files)
		words := "data: " + c.words
		if c.name != "other size" {
			words += " " + filepath.Join(dir, c.file)
		}
		if _, err := Load(dir); !holds(err, words) || strings.Count(err.Error(), "data: ") != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, words)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "nowhere")); !holds(err, "data: nowhere") {
		t.Error(err)
	}
	dir := write(t, map[string][]byte{"x.csv": nil})
	if _, err := Load(filepath.Join(dir, "x.csv")); !holds(err, "x.csv .npz") {
		t.Error(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "train-images-idx3-ubyte"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !holds(err, "train-images-idx3-ubyte directory") {
		t.Error(err)
	}
}

func FuzzReadIDX(f *testing.F) {
	raw := idx(f, []uint8{1, 2, 3, 4, 5, 6}, 2, 3)
	f.Add(raw)
	f.Add(packed(raw))
	f.Add(raw[:len(raw)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		shape, data, err := ReadIDX(bytes.NewReader(b))
		if err != nil {
			return
		}
		// What was read, written and read again is the same.
		s, d, err := ReadIDX(bytes.NewReader(idx(t, data, shape...)))
		if err != nil || !slices.Equal(s, shape) || !bytes.Equal(d, data) {
			t.Fatalf("%v %v became %v %v, %v", shape, data, s, d, err)
		}
	})
}

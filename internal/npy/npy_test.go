package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file is what numpy.save writes.
func file(version byte, header string, data any) []byte {
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write([]byte{version, 0})
	if version == 1 {
		binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	} else {
		binary.Write(&b, binary.LittleEndian, uint32(len(header)))
	}
	b.WriteString(header)
	binary.Write(&b, binary.LittleEndian, data)
	return b.Bytes()
}

func dict(descr, order, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }          \n", descr, order, shape)
}

func TestReadMatrix(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"float32", file(1, dict("<f4", "False", "(2, 3)"), []float32{1, 2, 3, 4, 5, 6})},
		{"float64", file(2, dict("<f8", "False", "(2, 3)"), []float64{1, 2, 3, 4, 5, 6})},
		{"Fortran order", file(3, dict("<f4", "True", "(2, 3)"), []float32{1, 4, 2, 5, 3, 6})},
	} {
		rows, cols, x, err := ReadMatrix(bytes.NewReader(c.b))
		if err != nil || rows != 2 || cols != 3 || fmt.Sprint(x) != "[1 2 3 4 5 6]" {
			t.Errorf("%s: %d×%d %v, %v", c.name, rows, cols, x, err)
		}
	}
	path := filepath.Join(t.TempDir(), "w.npy")
	if err := os.WriteFile(path, file(1, dict("<f4", "False", "(1, 1)"), []float32{7}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, x, err := ReadFile(path); err != nil || x[0] != 7 {
		t.Errorf("%v, %v", x, err)
	}
}

func TestErrors(t *testing.T) {
	good := dict("<f4", "False", "(2, 2)")
	four := []float32{1, 2, 3, 4}
	for _, c := range []struct {
		b     []byte
		words []string
	}{
		{nil, []string{"first 8 bytes"}},
		{[]byte("PK\x03\x04 a zip file"), []string{"PK", "NUMPY"}},
		{file(9, good, four), []string{"version 9"}},
		{file(1, dict("<i4", "False", "(2, 2)"), four), []string{"<i4", "<f4"}},
		{file(1, dict(">f4", "False", "(2, 2)"), four), []string{">f4"}},
		{file(1, dict("<f4", "False", "(4,)"), four), []string{"two dimensions"}},
		{file(1, dict("<f4", "False", "(0, 2)"), four), []string{"(0, 2)"}},
		{file(1, dict("<f4", "False", "(99999999, 99999999)"), four), []string{"2^28"}},
		{file(1, dict("<f4", "False", "(99999999999999999999, 2)"), four), []string{"shape"}},
		{file(1, good, four[:3]), []string{"12 bytes", "16"}},
		{file(1, good, []float32{1, 2, 3, 4, 5}), []string{"17 bytes", "16"}},
		{file(1, good, []float32{1, 2, float32(math.NaN()), 4}), []string{"(1, 0)", "NaN"}},
		{file(1, good, four)[:40], []string{"header"}},
	} {
		_, _, _, err := ReadMatrix(bytes.NewReader(c.b))
		if err == nil {
			t.Errorf("%q: no error", c.words)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not name %q", err, w)
			}
		}
	}
	if _, _, _, err := ReadFile("missing.npy"); err == nil {
		t.Error("missing file: no error")
	}
}

func TestHeaders(t *testing.T) {
	two := []int8{1, 2}
	for _, c := range []struct {
		header string
		ok     bool
	}{
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }\n", true},
		{"{'shape':(2,),'descr':'|i1','fortran_order':True}", true},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 2), }", true},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (2), }", true}, // Python's 2
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (1 2), }", false},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (,2), }", false},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (02,), }", false},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }", false},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (-2,), }", false},
		{"{'descr': [('x', '|i1')], 'fortran_order': False, 'shape': (2,), }", false},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (2,), 'more': 1}", false},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}", false},
		{"'descr': '|i1', 'fortran_order': False, 'shape': (2,), ", false},
		{"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", false},
	} {
		if a, err := Read(bytes.NewReader(file(1, c.header, two))); (err == nil) != c.ok {
			t.Errorf("%s: %v, %v", c.header, a, err)
		}
	}
	if _, err := Read(bytes.NewReader(file(1, dict("|b1", "False", "(2,)"), two))); err == nil || !holds(err.Error(), "byte 1 2") {
		t.Errorf("a bool of 2: %v", err)
	}
}

func FuzzReadMatrix(f *testing.F) {
	f.Add(file(1, dict("<f4", "False", "(2, 2)"), []float32{1, 2, 3, 4}))
	f.Add(file(2, dict("<f8", "True", "(1, 2)"), []float64{1, 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, cols, x, err := ReadMatrix(bytes.NewReader(b))
		if err == nil && len(x) != rows*cols {
			t.Errorf("%d entries of a %d×%d matrix", len(x), rows, cols)
		}
	})
}

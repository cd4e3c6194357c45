package data

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/npy"
)

// npz writes an NPZ file.
func npz(t testing.TB, a ...npy.Entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "set.npz")
	if err := npy.WriteZipFile(path, a); err != nil {
		t.Fatal(err)
	}
	return path
}

func entry[T npy.Element](name string, data []T, shape ...int) npy.Entry {
	return npy.Entry{Name: name, Array: npy.New(data, shape...)}
}

func TestLoadNPZ(t *testing.T) {
	x, y := entry("x_train", []uint8{1, 2, 3, 4}, 2, 1, 2), entry("y_train", []int64{2, 0}, 2)
	for _, c := range []struct {
		name    string
		a       []npy.Entry
		test    bool
		classes int
	}{
		{"Keras", []npy.Entry{entry("x_test", []uint8{5, 6}, 1, 1, 2), x, y, entry("y_test", []uint8{3}, 1, 1)}, true, 4},
		{"no test", []npy.Entry{x, y}, false, 3},
		{"images and labels", []npy.Entry{entry("images", []uint8{1, 2, 3, 4}, 2, 1, 2), entry("labels", []int8{2, 0}, 2, 1), entry("more", []bool{true})}, false, 3},
	} {
		d, err := Load(npz(t, c.a...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := d.Train.Check(); err != nil || !slices.Equal(d.Train.Bytes, []uint8{1, 2, 3, 4}) || !slices.Equal(d.Train.Labels, []uint8{2, 0}) ||
			len(d.Train.Classes) != c.classes || d.Train.Name != "set.npz, training" || d.Train.Rows != 1 || d.Train.Cols != 2 {
			t.Errorf("%s: %+v, %v", c.name, d.Train, err)
		}
		if c.test != (d.Test != nil) {
			t.Errorf("%s: test set %v", c.name, d.Test)
		} else if c.test && (d.Test.Check() != nil || !slices.Equal(d.Test.Bytes, []uint8{5, 6}) || d.Test.Labels[0] != 3 || d.Test.Name != "set.npz, test") {
			t.Errorf("%s: %+v", c.name, d.Test)
		}
	}
	for _, c := range []struct {
		x      npy.Entry
		bytes  []uint8
		values []float32
	}{
		{entry("images", []bool{true, false}, 1, 2), []uint8{255, 0}, nil},
		{entry("images", []float32{0.25, -3}, 1, 2), nil, []float32{0.25, -3}},
		{entry("images", []float64{0.25, -3}, 1, 2), nil, []float32{0.25, -3}},
	} {
		d, err := Load(npz(t, c.x))
		if err != nil || d.Train.Check() != nil || !slices.Equal(d.Train.Bytes, c.bytes) || !slices.Equal(d.Train.Values, c.values) || d.Train.Labels != nil {
			t.Errorf("%+v, %v", d.Train, err)
		}
	}
	d, err := Load(npz(t, entry("images", make([]uint8, 2*3*4*3), 2, 3, 4, 3)))
	if err != nil || d.Train.N != 2 || d.Train.Rows != 3 || d.Train.Cols != 4 || d.Train.Channels != 3 {
		t.Errorf("%+v, %v", d.Train, err)
	}
}

func TestLoadNPZErrors(t *testing.T) {
	x, y := entry("x_train", []uint8{1, 2, 3, 4}, 2, 1, 2), entry("y_train", []int64{2, 0}, 2)
	xt := entry("x_test", []uint8{5, 6}, 1, 1, 2)
	for _, c := range []struct {
		a     []npy.Entry
		words string
	}{
		{nil, "x_train images"},
		{[]npy.Entry{x}, "y_train"},
		{[]npy.Entry{x, y, xt}, "x_test y_test both"},
		{[]npy.Entry{x, y, xt, entry("y_test", []uint8{1, 2}, 2)}, "y_test [2] 1 images"},
		{[]npy.Entry{x, y, entry("x_test", []uint8{5, 6}, 1, 2, 1), entry("y_test", []uint8{1}, 1)}, "1×2×1 2×1×1"},
		{[]npy.Entry{x, entry("y_train", []int64{2, -1}, 2)}, "y_train label 1 is -1 0…255"},
		{[]npy.Entry{x, entry("y_train", []int16{256, 0}, 2)}, "label 0 is 256"},
		{[]npy.Entry{x, entry("y_train", []float32{1, 0}, 2)}, "y_train []float32 whole"},
		{[]npy.Entry{x, entry("y_train", []int64{1, 0}, 1, 2)}, "[1 2] 2 images"},
		{[]npy.Entry{x, entry("y_train", []int64{1, 0, 1, 0}, 2, 2)}, "[2 2]"},
		{[]npy.Entry{x, entry("y_train", []int64{1})}, "[] 2 images"},
		{[]npy.Entry{entry("images", []int32{1, 2}, 1, 2)}, "images []int32 uint8"},
		{[]npy.Entry{entry("images", []uint8{1, 2}, 2)}, "images 2 to 4"},
		{[]npy.Entry{entry("images", []uint8{}, 0, 28, 28)}, "images 0 images"},
		{[]npy.Entry{entry("images", []float32{0, float32(math.NaN())}, 1, 2)}, "images entry 1 NaN finite"},
		{[]npy.Entry{entry("images", []float64{1e300, 0}, 1, 2)}, "entry 0 Inf"},
	} {
		if _, err := Load(npz(t, c.a...)); !holds(err, "data: set.npz "+c.words) || strings.Count(err.Error(), "data: ") != 1 {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	path := filepath.Join(write(t, map[string][]byte{"bad.npz": []byte("PK")}), "bad.npz")
	if _, err := Load(path); !holds(err, "data: "+path) {
		t.Error(err)
	}
}

func TestOpen(t *testing.T) {
	ctx := context.Background()
	for _, where := range []string{"", "small"} {
		if d, err := Open(ctx, where); err != nil || d.Train.N != 1000 || d.Test.N != 500 {
			t.Errorf("%q: %v", where, err)
		}
	}
	if d, err := Open(ctx, write(t, four(t, "-", ".gz"))); err != nil || d.Train.N != 3 {
		t.Error(err)
	}
	if _, err := Open(ctx, "nowhere"); !holds(err, "nowhere") {
		t.Error(err)
	}
}

func FuzzLoadNPZ(f *testing.F) {
	for _, a := range [][]npy.Entry{
		{entry("x_train", []uint8{1, 2, 3, 4}, 2, 1, 2), entry("y_train", []int64{2, 0}, 2), entry("x_test", []uint8{5, 6}, 1, 1, 2), entry("y_test", []int64{2}, 1)},
		{entry("images", []float32{1, 2, 3, 4}, 2, 2), entry("labels", []uint8{2, 0}, 2)},
	} {
		b, err := os.ReadFile(npz(f, a...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := npy.ReadZip(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		d, err := fromArchive(a)
		if err != nil {
			return
		}
		for _, s := range []*Set{d.Train, d.Test} {
			if s == nil {
				continue
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

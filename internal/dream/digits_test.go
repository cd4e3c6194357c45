package dream

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/npy"
)

// TestSplit: the parts have the sizes they should, share no image, and keep their labels.
func TestSplit(t *testing.T) {
	name, d, err := Open(context.Background(), "small")
	if err != nil || name != "small" {
		t.Fatal(name, err)
	}
	for _, c := range []struct{ train, validation, test int }{
		{800, 200, 500},  // validation images are the training images that are left
		{100, 900, 500},  // … all of them
		{801, 250, 250},  // too few are left: test images
		{1000, 250, 250}, // none is left
	} {
		s, err := Split(name, d, 12, c.train)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Train.Images) != c.train || len(s.Validation.Images) != c.validation || len(s.Test.Images) != c.test || len(s.Classes) != 10 || len(s.Test.Images[0]) != 144 {
			t.Errorf("%d training images: %d, %d and %d", c.train, len(s.Train.Images), len(s.Validation.Images), len(s.Test.Images))
		}
		parts := []Digits{s.Train, s.Validation, s.Test}
		for i, p := range parts {
			if len(p.Labels) != len(p.Images) {
				t.Errorf("part %d: %d labels of %d images", i, len(p.Labels), len(p.Images))
			}
			for _, q := range parts[:i] {
				for _, x := range q.Images {
					if &x[0] == &p.Images[0][0] || &x[0] == &p.Images[len(p.Images)-1][0] {
						t.Errorf("%d training images: parts overlap", c.train)
					}
				}
			}
		}
	}
	s, _ := Split(name, d, 28, 800)
	all, err := d.Train.Bits(0.5, false)
	if err != nil || !slices.Equal(s.Validation.Images[0], all[800]) || s.Validation.Labels[0] != d.Train.Labels[800] {
		t.Errorf("the first validation image is not the one after the training images (%v)", err)
	}
	if n := len(s.Scored().Pixels); n != 500 {
		t.Errorf("%d images are scored", n)
	}
}

func TestDigitsRefused(t *testing.T) {
	_, d, err := Open(context.Background(), "small")
	if err != nil {
		t.Fatal(err)
	}
	few, err := d.Test.Cut(10)
	if err != nil {
		t.Fatal(err)
	}
	// All images of one class leave nothing to choose from.
	alone := filepath.Join(t.TempDir(), "one.npz")
	x, y := npy.New(make([]uint8, 30*28*28), 30, 28, 28), npy.New(make([]uint8, 30), 30)
	if err := npy.WriteZipFile(alone, npy.Archive{{Name: "x_train", Array: x}, {Name: "y_train", Array: y}, {Name: "x_test", Array: x}, {Name: "y_test", Array: y}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words string
		f     func() error
	}{
		{"size 16", func() error { _, err := Binary(d.Train, 16); return err }},
		{"0 training images", func() error { _, err := Split("x", d, 12, 0); return err }},
		{"1 to 1000", func() error { _, err := Split("x", d, 12, 1001); return err }},
		{"10 test images", func() error { _, err := Split("x", data.Split{Train: d.Train, Test: few[0]}, 12, 1); return err }},
		{"1 class: must have at least 2", func() error { _, _, err := Open(context.Background(), alone); return err }},
		{"missing", func() error { _, _, err := Open(context.Background(), "missing"); return err }},
	} {
		if err := c.f(); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v does not say %q", err, c.words)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, _, err := Open(ctx, ""); err == nil { // the user's interrupt is no reason for the small set
		t.Error("reads data after the context's end")
	}
}

// TestDamaged: files of MNIST that are not right are no reason for the small set.
func TestDamaged(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GOMODCACHE", cache)
	dir := filepath.Join(cache, "github.com", "petar", "!go!m!n!i!s!t@v0.0.0-20150320212226-2fbe10d0fa63", "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "train-images-idx3-ubyte.gz"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if name, _, err := Open(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("read %q, error %v", name, err)
	}
}

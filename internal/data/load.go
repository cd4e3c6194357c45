package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spikesampling/spikesampling/internal/npy"
)

// Open returns the data that a command's -data flag names: "" or "small" for
// [MNISTSmall], "mnist" for [MNIST], and else a path for [Load].
func Open(ctx context.Context, where string) (Split, error) {
	switch where {
	case "", "small":
		return MNISTSmall()
	case "mnist":
		return MNIST(ctx)
	}
	return Load(where)
}

// Load reads a data set from a directory or an NPZ file.
//
// A directory has the four IDX files train-images-idx3-ubyte, train-labels-idx1-ubyte,
// t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, as MNIST and Fashion-MNIST come;
// ".idx" for "-idx" is as good, and ".gz" at the end if packed. If two forms of one file
// are there, the one that is not packed counts.
//
// Or it has the six files data_batch_1.bin to data_batch_5.bin and test_batch.bin of CIFAR-10 in
// its binary form.
//
// An NPZ file has the arrays x_train, y_train, x_test and y_test, as Keras writes them,
// the last two optional; or images and, optionally, labels, for a training set only.
// Images are N×D, N×rows×cols or N×rows×cols×channels of uint8, where 255 is white, or of
// bool, float32 or float64; labels are N or N×1 whole numbers in 0…255. Other arrays are
// not looked at.
//
// Classes are numbered; set Classes to give them names, for example those of [Fashion].
func Load(path string) (Split, error) {
	fail := func(err error) (Split, error) { return Split{}, fmt.Errorf("data: %w", err) }
	info, err := os.Stat(path)
	if err != nil {
		return fail(err)
	}
	var d Split
	switch {
	case info.IsDir() && hasCIFAR(os.DirFS(path)):
		d, err = readCIFAR(os.DirFS(path), path+string(filepath.Separator))
	case info.IsDir():
		d, err = readIDXDir(os.DirFS(path), path+string(filepath.Separator))
	case filepath.Ext(path) == ".npz":
		d, err = loadNPZ(path)
	default:
		err = fmt.Errorf("%s: must be a directory of IDX or CIFAR-10 files or an NPZ file, whose name ends in .npz", path)
	}
	if err != nil {
		return fail(err)
	}
	name := filepath.Base(path)
	d.Train.Name = name + ", training"
	if d.Test != nil {
		d.Test.Name = name + ", test"
	}
	return d, nil
}

func loadNPZ(path string) (Split, error) {
	a, err := npy.ReadZipFile(path)
	if err != nil {
		return Split{}, err
	}
	d, err := fromArchive(a)
	if err != nil {
		return Split{}, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// fromArchive finds the images and labels among named arrays.
func fromArchive(a npy.Archive) (Split, error) {
	has := func(name string) bool { _, ok := a.Find(name); return ok }
	var train, test *Set
	var err error
	switch {
	case has("x_train") && has("y_train") && has("x_test") == has("y_test"):
		if train, err = fromArrays(a, "x_train", "y_train"); err != nil {
			return Split{}, err
		}
		if has("x_test") {
			if test, err = fromArrays(a, "x_test", "y_test"); err != nil {
				return Split{}, err
			}
		}
	case has("images") && !has("x_train"):
		if train, err = fromArrays(a, "images", "labels"); err != nil {
			return Split{}, err
		}
	default:
		var names []string
		for _, e := range a {
			names = append(names, e.Name)
		}
		return Split{}, fmt.Errorf("arrays %q: must have x_train and y_train, x_test and y_test with both or neither, or images and perhaps labels", names)
	}
	return joined(train, test)
}

// fromArrays makes a set of an array of images and one of labels, which may be missing.
func fromArrays(a npy.Archive, images, labels string) (*Set, error) {
	x, _ := a.Find(images)
	s, err := fromImages(x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", images, err)
	}
	if y, ok := a.Find(labels); ok {
		if s.Labels, err = fromLabels(y, s.N); err != nil {
			return nil, fmt.Errorf("%s: %w", labels, err)
		}
	}
	return s, nil
}

func fromImages(x npy.Array) (*Set, error) {
	var pixels []uint8
	var values []float32
	switch d := x.Data.(type) {
	case []uint8:
		pixels = d
	case []bool:
		pixels = make([]uint8, len(d))
		for k, on := range d {
			if on {
				pixels[k] = 255
			}
		}
	case []float32:
		values = d
	case []float64:
		values = make([]float32, len(d))
		for k, v := range d {
			values[k] = float32(v)
		}
	default:
		return nil, fmt.Errorf("entries of type %T: must be uint8, bool, float32 or float64", x.Data)
	}
	for k, v := range values {
		if v-v != 0 { // NaN or infinite
			return nil, fmt.Errorf("entry %d is %v: must be finite as a float32", k, v)
		}
	}
	return images(x.Shape, pixels, values)
}

func fromLabels(y npy.Array, n int) ([]uint8, error) {
	if len(y.Shape) < 1 || len(y.Shape) > 2 || y.Shape[0] != n || len(y.Shape) == 2 && y.Shape[1] != 1 {
		return nil, fmt.Errorf("labels of shape %d: must be one for each of %d images", y.Shape, n)
	}
	switch d := y.Data.(type) {
	case []uint8:
		return d, nil
	case []int8:
		return narrow(d)
	case []int16:
		return narrow(d)
	case []int32:
		return narrow(d)
	case []int64:
		return narrow(d)
	}
	return nil, fmt.Errorf("labels of type %T: must be whole numbers", y.Data)
}

func narrow[T int8 | int16 | int32 | int64](y []T) ([]uint8, error) {
	labels := make([]uint8, len(y))
	for i, v := range y {
		if int64(v) < 0 || int64(v) > 255 {
			return nil, fmt.Errorf("label %d is %d: must be in 0…255", i, v)
		}
		labels[i] = uint8(v)
	}
	return labels, nil
}

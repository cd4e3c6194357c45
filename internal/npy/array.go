package npy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bounds of an array. NumPy before version 2 knows no more than 32 dimensions.
const (
	maxEntries = 1 << 28
	maxDims    = 32
)

// Element is a type that entries of an array can have.
type Element interface {
	float32 | float64 | uint8 | int8 | int16 | int32 | int64 | bool
}

// Array is an array of any number of dimensions. One of no dimensions is a single number.
type Array struct {
	// Shape has the lengths of at most 32 dimensions, each ≥ 0.
	Shape []int
	// Data is a []T with T an [Element]: the entries in C order, the last index moving
	// fastest.
	Data any
}

// New returns the array of these entries and that shape; Check says whether they fit. It
// keeps data.
func New[T Element](data []T, shape ...int) Array { return Array{shape, data} }

// Check reports an error unless the number of entries is what the shape asks for and
// their type is an [Element].
func (a Array) Check() error {
	if err := a.check(); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}

// check does not name the package.
func (a Array) check() error {
	n, err := entries(a.Shape)
	if err != nil {
		return err
	}
	d, have := kind(a.Data)
	switch {
	case d == "":
		return fmt.Errorf("entries of type %T: must be a slice of float32, float64, uint8, int8, int16, int32, int64 or bool", a.Data)
	case have != n:
		return fmt.Errorf("%d entries in an array of shape %s: must be %d", have, tuple(a.Shape), n)
	}
	return nil
}

// kind is NumPy's name of the type of the entries, "" if there is none, and their number.
func kind(data any) (descr string, n int) {
	switch x := data.(type) {
	case []float32:
		return "<f4", len(x)
	case []float64:
		return "<f8", len(x)
	case []uint8:
		return "|u1", len(x)
	case []int8:
		return "|i1", len(x)
	case []int16:
		return "<i2", len(x)
	case []int32:
		return "<i4", len(x)
	case []int64:
		return "<i8", len(x)
	case []bool:
		return "|b1", len(x)
	}
	return "", 0
}

// entries is the number of entries of a shape.
func entries(shape []int) (int, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("%d dimensions: must be at most %d", len(shape), maxDims)
	}
	n := 1
	for _, d := range shape {
		// A dimension of length 0 hides no other one that is too long.
		if d < 0 || d > maxEntries/max(n, 1) {
			return 0, fmt.Errorf("shape %s: lengths must be at least 0 and entries at most 2^28", tuple(shape))
		}
		n *= d
	}
	return n, nil
}

// tuple is a shape as Python writes it.
func tuple(shape []int) string {
	if len(shape) == 1 {
		return fmt.Sprintf("(%d,)", shape[0])
	}
	s := make([]string, len(shape))
	for i, d := range shape {
		s[i] = strconv.Itoa(d)
	}
	return "(" + strings.Join(s, ", ") + ")"
}

// Entry is an array of an [Archive] and its name.
type Entry struct {
	Name string
	Array
}

// Archive is what an NPZ file holds, in its order.
type Archive []Entry

// Find returns the array of that name, false if there is none.
func (a Archive) Find(name string) (Array, bool) {
	i := slices.IndexFunc(a, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Array{}, false
	}
	return a[i].Array, true
}

// names lists the arrays for an error.
func (a Archive) names() []string {
	s := make([]string, len(a))
	for i, e := range a {
		s[i] = e.Name
	}
	return s
}

// Get returns the entries of the array of that name, the archive's own memory. The array
// must be there and have that type and shape; a length of -1 stands for any, and no shape
// for a single number.
func Get[T Element](a Archive, name string, shape ...int) ([]T, error) {
	x, ok := a.Find(name)
	if !ok {
		return nil, fmt.Errorf("npy: no array %q: there are %q", name, a.names())
	}
	data, ok := x.Data.([]T)
	if !ok {
		have, _ := kind(x.Data)
		want, _ := kind([]T(nil))
		return nil, fmt.Errorf("npy: array %q has type %q: must have %q", name, have, want)
	}
	if !slices.EqualFunc(x.Shape, shape, func(have, want int) bool { return have == want || want == -1 }) {
		want := strings.ReplaceAll(tuple(shape), "-1", "any")
		return nil, fmt.Errorf("npy: array %q has shape %s: must have %s", name, tuple(x.Shape), want)
	}
	return data, nil
}

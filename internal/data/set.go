package data

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Set is N images or vectors and their classes. Bytes or Values is set, the other one nil.
type Set struct {
	Name string // for titles
	N    int    // number of images

	// Entry (r, c, h) of image i is at ((i·Rows + r)·Cols + c)·Channels + h. A vector is
	// an image of one row.
	Rows, Cols, Channels int

	Bytes  []uint8   // byte v is the value v/255
	Values []float32 // values, of images in [0, 1]

	Labels  []uint8  // class of every image; nil if unknown
	Classes []string // name of every class; no label is ≥ its length
}

// Split is a data set in its two usual parts.
type Split struct {
	Train *Set
	Test  *Set // nil if there is none
}

// Fashion returns the names of the ten classes of Fashion-MNIST, whose files are like
// those of MNIST and do not give them.
func Fashion() []string {
	return []string{"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"}
}

// numbered are class names "0", "1", ….
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// Dim is the number of entries of an image.
func (s *Set) Dim() int { return s.Rows * s.Cols * s.Channels }

// maxDim bounds the entries of an image, so that products of sizes do not overflow.
const maxDim = 1 << 24

// sizes reports an error unless the slices have the lengths that the numbers ask for.
func (s *Set) sizes() error {
	if err := s.fault(); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

// fault is sizes without the name of the package.
func (s *Set) fault() error {
	if s == nil {
		return errors.New("no set (nil)")
	}
	if s.N < 1 || s.N > math.MaxInt32 || s.Rows < 1 || s.Cols < 1 || s.Channels < 1 ||
		s.Rows > maxDim || s.Cols > maxDim/s.Rows || s.Channels > maxDim/(s.Rows*s.Cols) {
		return fmt.Errorf("%d images of %d×%d×%d: must all be at least 1, and images of at most 2^24 entries", s.N, s.Rows, s.Cols, s.Channels)
	}
	want := s.N * s.Dim()
	switch {
	case (s.Bytes == nil) == (s.Values == nil):
		return errors.New("a set must have Bytes or Values and not both")
	case s.Bytes != nil && len(s.Bytes) != want:
		return fmt.Errorf("%d bytes for %d images of %d×%d×%d: must be %d", len(s.Bytes), s.N, s.Rows, s.Cols, s.Channels, want)
	case s.Values != nil && len(s.Values) != want:
		return fmt.Errorf("%d values for %d images of %d×%d×%d: must be %d", len(s.Values), s.N, s.Rows, s.Cols, s.Channels, want)
	case s.Labels != nil && len(s.Labels) != s.N:
		return fmt.Errorf("%d labels for %d images", len(s.Labels), s.N)
	}
	return nil
}

// Check reports an error unless sizes agree, every label has a class and every value is
// finite. All sets of this package pass.
func (s *Set) Check() error {
	if err := s.sizes(); err != nil {
		return err
	}
	for i, l := range s.Labels {
		if int(l) >= len(s.Classes) {
			return fmt.Errorf("data: label of image %d is %d: there are %d classes", i, l, len(s.Classes))
		}
	}
	for k, v := range s.Values {
		if v-v != 0 { // NaN or infinite
			return fmt.Errorf("data: entry %d of image %d is %v: must be finite", k%s.Dim(), k/s.Dim(), v)
		}
	}
	return nil
}

// like is a set of the same images' classes with images of another size, still empty.
func (s *Set) like(rows, cols, channels int) *Set {
	return &Set{Name: s.Name, N: s.N, Rows: rows, Cols: cols, Channels: channels, Labels: s.Labels, Classes: s.Classes}
}

// The values of bytes.
var (
	unit32 [256]float32
	unit64 [256]float64
)

func init() {
	for v := range 256 {
		unit32[v] = float32(v) / 255
		unit64[v] = float64(v) / 255
	}
}

// Float64 writes the values of image i to dst, which must have Dim entries, and returns it.
// It allocates nothing.
func (s *Set) Float64(dst []float64, i int) []float64 {
	n := s.Dim()
	dst = dst[:n]
	if s.Bytes != nil {
		for k, v := range s.Bytes[i*n : (i+1)*n] {
			dst[k] = unit64[v]
		}
		return dst
	}
	for k, v := range s.Values[i*n : (i+1)*n] {
		dst[k] = float64(v)
	}
	return dst
}

// Float32 writes the values of image i to dst, which must have Dim entries, and returns it.
// It allocates nothing.
func (s *Set) Float32(dst []float32, i int) []float32 {
	n := s.Dim()
	dst = dst[:n]
	if s.Bytes == nil {
		copy(dst, s.Values[i*n:])
		return dst
	}
	for k, v := range s.Bytes[i*n : (i+1)*n] {
		dst[k] = unit32[v]
	}
	return dst
}

// ToValues returns the set with float32 values. If it has them already, they are shared.
func (s *Set) ToValues() (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	t := s.like(s.Rows, s.Cols, s.Channels)
	if t.Values = s.Values; t.Values == nil {
		t.Values = make([]float32, len(s.Bytes))
		for k, v := range s.Bytes {
			t.Values[k] = unit32[v]
		}
	}
	return t, nil
}

// ToBytes returns the set with bytes, the nearest ones to 255 times the values, which must
// be in [0, 1]. If it has bytes already, they are shared.
func (s *Set) ToBytes() (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	t := s.like(s.Rows, s.Cols, s.Channels)
	if t.Bytes = s.Bytes; t.Bytes == nil {
		t.Bytes = make([]uint8, len(s.Values))
		for k, v := range s.Values {
			if !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("data: entry %d of image %d is %v: must be in [0, 1] to become a byte", k%s.Dim(), k/s.Dim(), v)
			}
			t.Bytes[k] = uint8(math.Round(float64(v) * 255))
		}
	}
	return t, nil
}

package data

import (
	"fmt"
	"math"
)

// Centre returns images of another size around the same centre: cut, or filled up with
// zeros. If a difference is odd, the entry more is cut from or added to the end.
func (s *Set) Centre(rows, cols int) (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	t := s.like(rows, cols, s.Channels)
	if err := t.fits(); err != nil {
		return nil, err
	}
	if s.Bytes != nil {
		t.Bytes = centre(s, t, s.Bytes)
	} else {
		t.Values = centre(s, t, s.Values)
	}
	return t, nil
}

// fits reports an error unless images of a new size are possible.
func (s *Set) fits() error {
	if s.Rows < 1 || s.Cols < 1 || s.Rows > maxDim || s.Cols > maxDim/s.Rows || s.Channels > maxDim/(s.Rows*s.Cols) {
		return fmt.Errorf("data: images of %d×%d×%d: must be at least 1×1 and have at most 2^24 entries", s.Rows, s.Cols, s.Channels)
	}
	return nil
}

func centre[T any](s, t *Set, x []T) []T {
	y := make([]T, t.N*t.Dim())
	// Both are rounded towards 0, so that cutting undoes filling up.
	r0, c0 := (s.Rows-t.Rows)/2, (s.Cols-t.Cols)/2
	from, to := max(0, -c0), min(t.Cols, s.Cols-c0)
	for i := range t.N {
		for r := range t.Rows {
			if r+r0 < 0 || r+r0 >= s.Rows {
				continue
			}
			src := x[(i*s.Rows+r+r0)*s.Cols*s.Channels:]
			dst := y[(i*t.Rows+r)*t.Cols*t.Channels:]
			copy(dst[from*t.Channels:to*t.Channels], src[(from+c0)*s.Channels:])
		}
	}
	return y
}

// Pool returns images of the means over blocks of k×k pixels, each channel by itself, as
// values. Rows and columns must be multiples of k.
func (s *Set) Pool(k int) (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	if k < 1 || s.Rows%k != 0 || s.Cols%k != 0 {
		return nil, fmt.Errorf("data: means over %d×%d pixels of images of %d×%d: must divide both", k, k, s.Rows, s.Cols)
	}
	t := s.like(s.Rows/k, s.Cols/k, s.Channels)
	t.Values = make([]float32, t.N*t.Dim())
	if s.Bytes != nil {
		pool(s, t, k, s.Bytes, 255)
	} else {
		pool(s, t, k, s.Values, 1)
	}
	return t, nil
}

// pool sums exactly for bytes, so that a mean of one half is 0.5.
func pool[T uint8 | float32](s, t *Set, k int, x []T, one float64) {
	width := s.Cols * s.Channels
	sum := make([]float64, t.Cols*t.Channels)
	for line := range t.N * t.Rows {
		clear(sum)
		for r := range k {
			src := x[(line*k+r)*width : (line*k+r+1)*width]
			for c := range t.Cols {
				for d := range k {
					for h := range s.Channels {
						sum[c*s.Channels+h] += float64(src[(c*k+d)*s.Channels+h])
					}
				}
			}
		}
		dst := t.Values[line*len(sum) : (line+1)*len(sum)]
		for c, v := range sum {
			dst[c] = float32(v / (one * float64(k*k)))
		}
	}
}

// Binarise returns images of black (byte 0) and white (byte 255), white where the value is
// above the threshold.
func (s *Set) Binarise(threshold float64) (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	bits, err := s.bits(threshold, s.Dim())
	if err != nil {
		return nil, err
	}
	t := s.like(s.Rows, s.Cols, s.Channels)
	t.Bytes = bits
	for k, b := range bits {
		bits[k] = 255 * b
	}
	return t, nil
}

// bits are 1 where the value is above the threshold, width of them for every image, which
// is Dim or more.
func (s *Set) bits(threshold float64, width int) ([]uint8, error) {
	if math.IsNaN(threshold) || math.IsInf(threshold, 0) {
		return nil, fmt.Errorf("data: threshold %v: must be finite", threshold)
	}
	var table [256]uint8
	for v := range table {
		if unit64[v] > threshold {
			table[v] = 1
		}
	}
	n, bits := s.Dim(), make([]uint8, s.N*width)
	for i := range s.N {
		z := bits[i*width : i*width+n]
		if s.Bytes != nil {
			for k, v := range s.Bytes[i*n : (i+1)*n] {
				z[k] = table[v]
			}
			continue
		}
		for k, v := range s.Values[i*n : (i+1)*n] {
			if float64(v) > threshold {
				z[k] = 1
			}
		}
	}
	return bits, nil
}

// Bits returns every image as a state of binary units, one after the other, 1 where the
// value is above the threshold. With labels, one unit for every class follows: 1 for the
// image's own.
func (s *Set) Bits(threshold float64, labels bool) ([][]uint8, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	width := s.Dim()
	if labels {
		if _, err := s.members(); err != nil {
			return nil, err
		}
		width += len(s.Classes)
	}
	bits, err := s.bits(threshold, width)
	if err != nil {
		return nil, err
	}
	states := make([][]uint8, s.N)
	for i := range states {
		states[i] = part(bits, width, i, 1)
		if labels {
			states[i][s.Dim()+int(s.Labels[i])] = 1
		}
	}
	return states, nil
}

// Digits12 returns MNIST's images of 28×28 as values of 12×12: the central 24×24 pixels,
// averaged over 2×2. A threshold of 0.5 makes them binary.
func (s *Set) Digits12() (*Set, error) {
	t, err := s.digit24()
	if err != nil {
		return nil, err
	}
	return t.Pool(2)
}

// Digits16 returns MNIST's images of 28×28 in 16×16: the central 24×24 pixels, resized
// (Göltz et al. 2021, as in their code).
func (s *Set) Digits16() (*Set, error) {
	t, err := s.digit24()
	if err != nil {
		return nil, err
	}
	return t.Resize(16, 16)
}

func (s *Set) digit24() (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	if s.Rows != 28 || s.Cols != 28 {
		return nil, fmt.Errorf("data: images of %d×%d: must be of 28×28 as MNIST's are", s.Rows, s.Cols)
	}
	return s.Centre(24, 24)
}

package data

import (
	"errors"
	"fmt"
	"math"
)

// Vectors are pairs of an input and a target in double precision: small problems, and what is
// made by a formula.
type Vectors struct {
	Name    string
	In, Out int
	X, Y    []float64 // N×In and N×Out by rows
	Labels  []uint8   // class of every pair; nil if there are none
}

// Len is the number of pairs.
func (v *Vectors) Len() int { return len(v.X) / v.In }

// Dims are the lengths of an input and of a target.
func (v *Vectors) Dims() (in, out int) { return v.In, v.Out }

// Pair writes pair i to x and y. It allocates nothing.
func (v *Vectors) Pair(i int, x, y []float64) {
	copy(x, v.X[i*v.In:(i+1)*v.In])
	copy(y, v.Y[i*v.Out:(i+1)*v.Out])
}

// Scaled are the same pairs with inputs scale·x + shift.
func (v *Vectors) Scaled(scale, shift float64) *Vectors {
	s := *v
	s.X = make([]float64, len(v.X))
	for i, x := range v.X {
		s.X[i] = scale*x + shift
	}
	return &s
}

// Targets are the same pairs with targets on for the one that is 1 and off for the others.
func (v *Vectors) Targets(on, off float64) *Vectors {
	s := *v
	s.Y = make([]float64, len(v.Y))
	for i, y := range v.Y {
		if s.Y[i] = off; y == 1 {
			s.Y[i] = on
		}
	}
	return &s
}

// oneHot fills Y from Labels.
func (v *Vectors) oneHot() *Vectors {
	v.Y = make([]float64, len(v.Labels)*v.Out)
	for i, l := range v.Labels {
		v.Y[i*v.Out+int(l)] = 1
	}
	return v
}

// XOR are the four patterns of exclusive or.
func XOR() *Vectors {
	return &Vectors{Name: "exclusive or", In: 2, Out: 1, X: []float64{0, 0, 0, 1, 1, 0, 1, 1}, Y: []float64{0, 1, 1, 0}}
}

// Bars are images of size×size pixels with one bar: rows (class 0, size of them), columns
// (class 1, size) and the two diagonals (class 2). size is at least 2. With 3 they are the eight
// patterns of the microcircuits of Haider et al. 2021.
func Bars(size int) (*Vectors, error) {
	if size < 2 || size > 1000 {
		return nil, fmt.Errorf("data: bars of %d pixels: must be 2 to 1000", size)
	}
	n := 2*size + 2
	v := &Vectors{Name: fmt.Sprintf("bars of %d×%d", size, size), In: size * size, Out: 3, X: make([]float64, n*size*size), Labels: make([]uint8, n)}
	for k := range n {
		image := v.X[k*v.In : (k+1)*v.In]
		for i := range size {
			switch {
			case k < size:
				image[k*size+i] = 1
			case k < 2*size:
				image[i*size+k-size] = 1
				v.Labels[k] = 1
			case k == 2*size:
				image[i*size+i] = 1
				v.Labels[k] = 2
			default:
				image[i*size+size-1-i] = 1
				v.Labels[k] = 2
			}
		}
	}
	return v.oneHot(), nil
}

// Teach returns n pairs whose inputs input writes and whose targets teacher finds: a student
// learns to do as the teacher does. Both write to slices of lengths in and out.
func Teach(n, in, out int, input func(i int, x []float64), teacher func(x, y []float64) error) (*Vectors, error) {
	if n < 1 || in < 1 || out < 1 || n > 1<<28/max(in, out) {
		return nil, fmt.Errorf("data: %d pairs of %d inputs and %d outputs: must be ≥ 1, at most 2^28 numbers", n, in, out)
	}
	if input == nil || teacher == nil {
		return nil, errors.New("data: no inputs or no teacher: must have both")
	}
	v := &Vectors{Name: "teacher", In: in, Out: out, X: make([]float64, n*in), Y: make([]float64, n*out)}
	for i := range n {
		x, y := v.X[i*in:(i+1)*in], v.Y[i*out:(i+1)*out]
		input(i, x)
		if err := teacher(x, y); err != nil {
			return nil, fmt.Errorf("data: teacher, pair %d: %w", i, err)
		}
		for _, s := range [][]float64{x, y} {
			for k, u := range s {
				if math.IsNaN(u) || math.IsInf(u, 0) {
					return nil, fmt.Errorf("data: teacher, pair %d: entry %d is %v: must be finite", i, k, u)
				}
			}
		}
	}
	return v, nil
}

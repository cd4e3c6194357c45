package embed

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Components are principal components.
type Components struct {
	Mean     []float64   // of the points, d entries
	Axes     [][]float64 // orthonormal directions, by falling variance; d entries each
	Variance []float64   // along the axes
	Total    float64     // variance along all d directions
}

// PCA finds the first k principal components of the points x, at least two, of equal length
// and finite. k is at most the smaller of their number − 1 and their length. The entry of
// largest magnitude of every axis is positive.
func PCA(x [][]float64, k int) (*Components, error) {
	if err := check(x, 2, math.MaxInt); err != nil {
		return nil, err
	}
	n, d := len(x), len(x[0])
	if k < 1 || k > min(n-1, d) {
		return nil, fmt.Errorf("embed: PCA: %d components of %d points in %d dimensions: must be 1 to %d", k, n, d, min(n-1, d))
	}
	c := &Components{Mean: make([]float64, d)}
	for _, p := range x {
		floats.Add(c.Mean, p)
	}
	floats.Scale(1/float64(n), c.Mean)
	centred := mat.NewDense(n, d, nil)
	for i, p := range x {
		floats.SubTo(centred.RawRowView(i), p, c.Mean)
	}
	// The smaller of XᵀX and XXᵀ; an eigenvector v of the latter is Xᵀv of the former.
	var s mat.SymDense
	if d <= n {
		s.SymOuterK(1/float64(n-1), centred.T())
	} else {
		s.SymOuterK(1/float64(n-1), centred)
	}
	c.Total = mat.Trace(&s)
	if !(c.Total <= math.MaxFloat64) {
		return nil, errors.New("embed: PCA: the variance overflows: must be smaller numbers")
	}
	var e mat.EigenSym
	if !e.Factorize(&s, true) {
		return nil, errors.New("embed: PCA: the eigenvalues did not converge")
	}
	values := e.Values(nil) // rising
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	m := len(values)
	for a := range k {
		axis := mat.NewVecDense(d, nil)
		if v := vectors.ColView(m - 1 - a); d <= n {
			axis.CopyVec(v)
		} else {
			axis.MulVec(centred.T(), v)
		}
		c.Axes = append(c.Axes, axis.RawVector().Data)
		c.Variance = append(c.Variance, max(0, values[m-1-a]))
		if err := c.finish(a); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// finish makes axis a of length 1, at right angles to those before, and of a definite sign.
func (c *Components) finish(a int) error {
	v := c.Axes[a]
	try := func() bool {
		before := floats.Norm(v, 2)
		for range 2 {
			for _, u := range c.Axes[:a] {
				floats.AddScaled(v, -floats.Dot(u, v), u)
			}
		}
		length := floats.Norm(v, 2)
		if !(length > 1e-8*before) || length < 1e-150 {
			return false
		}
		floats.Scale(1/length, v)
		return true
	}
	ok := try()
	for j := 0; !ok && j < len(v); j++ { // no variance is left: any direction will do
		clear(v)
		v[j] = 1
		ok = try()
	}
	if !ok {
		return errors.New("embed: PCA: no further direction")
	}
	largest := 0.0
	for _, x := range v {
		if math.Abs(x) > math.Abs(largest)*(1+1e-9) {
			largest = x
		}
	}
	if largest < 0 {
		floats.Scale(-1, v)
	}
	return nil
}

// Project returns the coordinates of points of d entries along the axes.
func (c *Components) Project(x [][]float64) ([][]float64, error) {
	if err := check(x, 1, math.MaxInt); err != nil {
		return nil, err
	}
	if len(x[0]) != len(c.Mean) {
		return nil, fmt.Errorf("embed: Project: points of %d dimensions: must be of %d", len(x[0]), len(c.Mean))
	}
	out := make([][]float64, len(x))
	diff := make([]float64, len(c.Mean))
	for i, p := range x {
		floats.SubTo(diff, p, c.Mean)
		out[i] = make([]float64, len(c.Axes))
		for a, axis := range c.Axes {
			out[i][a] = floats.Dot(axis, diff)
		}
	}
	return out, nil
}

// check reports an error unless there are least to most points, all of one length and finite.
func check(x [][]float64, least, most int) error {
	if len(x) < least || len(x) > most {
		if most == math.MaxInt {
			return fmt.Errorf("embed: %d points: must be at least %d", len(x), least)
		}
		return fmt.Errorf("embed: %d points: must be %d to %d", len(x), least, most)
	}
	if len(x[0]) == 0 {
		return errors.New("embed: points of no dimension: must have at least one")
	}
	for i, p := range x {
		if len(p) != len(x[0]) {
			return fmt.Errorf("embed: point %d has %d entries, point 0 has %d: must be as many", i, len(p), len(x[0]))
		}
		for j, v := range p {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("embed: entry %d of point %d is %v: must be finite", j, i, v)
			}
		}
	}
	return nil
}

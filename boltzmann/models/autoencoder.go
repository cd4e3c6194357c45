package models

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// AutoEncoder is a machine of layers of 6, 5, 4 and 3 units, layer 0 being an input whose biases are
// 0, in which each layer reconstructs the drive of the one below for the inputs AutoEncoderPatterns:
// it was trained for that, and its weights rounded to two decimals. All of it is multiplied by scale.
// With rolled, column j of the weights between layers 1 and 2 is column j−1 (columns of the units of
// layer 1), and the condition does not hold.
//
// Exact: 2^12 states given the input.
func AutoEncoder(scale float64, rolled bool) (*boltzmann.Layered, error) {
	if math.IsNaN(scale) || math.IsInf(scale, 0) {
		return nil, fmt.Errorf("models: auto-encoder of scale %v: must be finite", scale)
	}
	// Rows are the upper units.
	up := []*mat.Dense{
		mat.NewDense(5, 6, []float64{
			.23, .39, 3.57, -.25, -.40, -3.58,
			-.21, -2.31, -.48, .22, 2.31, .47,
			-.25, .87, -4.77, .23, -.89, 4.75,
			-.19, -2.75, -.02, .21, 2.81, .06,
			.22, 4.14, -1.16, -.19, -4.09, 1.20}),
		mat.NewDense(4, 5, []float64{
			-3.69, .58, 4.89, .13, 1.11,
			3.68, -.59, -4.86, -.14, -1.06,
			-.52, 2.42, -.80, 2.93, -4.17,
			.50, -2.40, .72, -2.81, 4.24}),
		mat.NewDense(3, 4, []float64{
			8.14, -8.11, .09, -.13,
			-2.87, 2.84, 4.98, -4.87,
			-2.24, 2.28, -5.24, 5.27}),
	}
	b := [][]float64{make([]float64, 6), {-.95, -.01, .09, -.25, -.16}, {-1.49, 1.05, -.16, -.75}, {-.24, -.01, -.08}}
	if rolled {
		old := mat.DenseCopyOf(up[1])
		for i := range 4 {
			for j := range 5 {
				up[1].Set(i, j, old.At(i, (j+4)%5))
			}
		}
	}
	var w []mat.Matrix
	for _, m := range up {
		m.Scale(scale, m)
		w = append(w, m.T())
	}
	for _, v := range b {
		for i := range v {
			v[i] *= scale
		}
	}
	return boltzmann.NewLayered(w, b)
}

// AutoEncoderPatterns are the six inputs of AutoEncoder, a row for each.
func AutoEncoderPatterns() *mat.Dense {
	return mat.NewDense(6, 6, []float64{
		1, 1, 1, 0, 0, 0,
		0, 0, 0, 1, 1, 1,
		1, 0, 1, 0, 1, 0,
		0, 1, 0, 1, 0, 1,
		1, 1, 0, 0, 0, 1,
		0, 0, 1, 1, 1, 0})
}

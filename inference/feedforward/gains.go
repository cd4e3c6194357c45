package feedforward

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// OptimalGains fits the gains to where the network comes to rest for the data, by least
// squares layer by layer: g_k makes Σ |a_k − g_k c_k|² smallest over units and samples, with
// a_k the drive and c_k = W_k r(h_{k−1}) + b_k^bu its bottom-up branch. If no split of the bias
// was learned, b_k = g_k b_k^bu, and g_k is that of the drives without biases. The top-down
// share is α_k = 1 − 1/g_k. g_N is 1.
//
// It is an error if a layer comes to rest against its bottom-up input, so that no positive
// gain fits.
func OptimalGains(ctx context.Context, n *Network, data mat.Matrix, o RelaxOptions) ([]float64, error) {
	s, err := Feedforward{}.Init(n, data, nil)
	if err != nil {
		return nil, err
	}
	if s, _, err = Relax(ctx, n, data, s, o); err != nil {
		return nil, err
	}
	in, err := n.input(data)
	if err != nil {
		return nil, err
	}
	w := newWork(n, nil, in.Rows)
	w.clamp(in)
	w.set(s)
	g := make([]float64, len(w.h))
	for i := range g {
		if i+1 == len(g) {
			g[i] = 1
			break
		}
		bias := n.b[i] // what is taken off the branch: b^td, or all of b
		both := 1.0    // and whether it is taken off the drive too
		if n.td != nil {
			bias, both = n.td[i], 0
		}
		c := linalg.NewMat[float64](in.Rows, n.size[i+1])
		w.up(i, c)
		w.drive(i)
		xy, xx := 0.0, 0.0
		for b := range in.Rows {
			a := w.a[i].Row(b)
			for j, x := range c.Row(b) {
				x -= bias[j]
				xy += x * (a[j] - both*bias[j])
				xx += x * x
			}
		}
		if xx == 0 { // no input from below: any gain fits
			g[i] = 1
			continue
		}
		if g[i] = xy / xx; !(g[i] > 0) || math.IsInf(g[i], 0) {
			return nil, fmt.Errorf("feedforward: layer %d comes to rest at %.3g times its bottom-up drive: no gain > 0 fits", i+1, g[i])
		}
	}
	return g, nil
}

// ExactGains are those of a linear network (Leaky, Linear) with W_kᵀ W_k = s_k² 1 for k ≥ 2,
//
//	g_N = 1,   g_k = 1/(1 − s_{k+1}² g_{k+1}),
//
// which make the feedforward state the fixed point without any training. It is an error if the
// network is another one, or if a denominator is not positive: then the energy has no minimum.
func ExactGains(n *Network) ([]float64, error) {
	if n.energy != Leaky || n.rate != Linear {
		return nil, errors.New("feedforward: exact gains: must be a linear network, Leaky with Rate Linear")
	}
	g := make([]float64, len(n.w))
	g[len(g)-1] = 1
	for k := len(g) - 2; k >= 0; k-- {
		w := n.w[k+1]
		gram := linalg.NewMat[float64](w.Cols, w.Cols)
		linalg.Gemm(nil, true, false, 1, w, w, 0, gram)
		s2 := 0.0
		for i := range w.Cols {
			s2 += gram.Row(i)[i] / float64(w.Cols)
		}
		for i := range w.Cols {
			for j, x := range gram.Row(i) {
				want := 0.0
				if i == j {
					want = s2
				}
				if !(math.Abs(x-want) <= 1e-9*s2) {
					return nil, fmt.Errorf("feedforward: exact gains: columns of W_%d are not orthogonal and of equal length", k+2)
				}
			}
		}
		if s2*g[k+1] >= 1 {
			return nil, fmt.Errorf("feedforward: exact gains: top-down feedback of layer %d is %.3g of its drive: the energy has no minimum", k+1, s2*g[k+1])
		}
		g[k] = 1 / (1 - s2*g[k+1])
	}
	return g, nil
}

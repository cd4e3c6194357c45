package feedforward_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/inference/feedforward"
)

// TestFittedGains: gains are those of least squares at the fixed point, without a split of biases and
// with one.
func TestFittedGains(t *testing.T) {
	r := source("fitted gains")
	const in, h1, h2, rows = 5, 4, 3, 20
	w1, w2, x := gaussian(r, h1, in), gaussian(r, h2, h1), gaussian(r, rows, in)
	w1.Scale(.6, w1)
	w2.Scale(.5, w2)
	b := [][]float64{{.3, -.2, .5, .1}, {.2, -.4, .1}}
	for name, td := range map[string][][]float64{"no split": nil, "split": {{.1, .2, -.3, .4}}} {
		n := network(t, []mat.Matrix{w1, w2}, b, feedforward.Options{TopDown: td})
		o := feedforward.RelaxOptions{Tol: 1e-13}
		got, err := feedforward.OptimalGains(bg, n, x, o)
		if err != nil {
			t.Fatal(err)
		}
		fixed, _ := relax(t, n, x, start(t, n, x, feedforward.Feedforward{}), o)
		var xy, xx float64
		for s := range rows {
			for j := range h1 {
				up, down := 0.0, 0.0
				for i := range in {
					up += w1.At(j, i) * x.At(s, i)
				}
				for k := range h2 {
					down += w2.At(k, j) * fixed[1].At(s, k)
				}
				drive, branch := up+down, up
				if td != nil {
					drive, branch = drive+b[0][j], branch+b[0][j]-td[0][j]
				}
				xy += drive * branch
				xx += branch * branch
			}
		}
		near(t, name, got[0], xy/xx, 1e-9)
		near(t, name+", top", got[1], 1, 0)
	}
}

// TestComparison: every number of a comparison by its definition, on a pair of units that has two
// states of rest.
func TestComparison(t *testing.T) {
	n := network(t, []mat.Matrix{mat.NewDense(1, 1, []float64{1}), mat.NewDense(1, 1, []float64{8})}, [][]float64{{-4}, {-4}}, feedforward.Options{})
	x := mat.NewDense(2, 1, []float64{.1, -.2})
	list := []feedforward.Candidate{{Name: "low", Init: feedforward.Constant(.05)}, {Name: "high", Init: feedforward.Constant(.9)}}
	got, err := feedforward.CompareInit(bg, n, x, list, feedforward.CompareOptions{Within: .001})
	if err != nil {
		t.Fatal(err)
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	energy := func(s feedforward.State) []float64 {
		e := make([]float64, 2)
		if err := n.EnergyOf(e, x, s); err != nil {
			t.Fatal(err)
		}
		return e
	}
	for c, y := range got {
		first, rest := energy(y.Start), energy(y.Fixed)
		for b := range 2 {
			h, f := [2]float64{y.Start[0].At(b, 0), y.Start[1].At(b, 0)}, [2]float64{y.Fixed[0].At(b, 0), y.Fixed[1].At(b, 0)}
			norm := math.Hypot(f[0], f[1])
			if low := norm < .5; low != (c == 0) {
				t.Errorf("%s: comes to %v", y.Name, f)
			}
			if y.Same[b] != (c == 0) {
				t.Errorf("%s: same %v", y.Name, y.Same[b])
			}
			near(t, y.Name+": energy", y.Energy[b], first[b]-rest[b], 1e-12)
			if !(y.Energy[b] > 1e-4) {
				t.Errorf("%s: the energy of the start is %v above that of rest", y.Name, y.Energy[b])
			}
			near(t, y.Name+": distance", y.Distance[b], math.Hypot(h[0]-f[0], h[1]-f[1])/norm, 1e-12)
			near(t, y.Name+": residual", y.Residual[b],
				math.Hypot(sigmoid(x.At(b, 0)-4+8*h[1])-h[0], sigmoid(8*h[0]-4)-h[1])/norm, 1e-12)
			// Layer after layer, from below.
			sweeps := 0
			for ; math.Hypot(h[0]-f[0], h[1]-f[1]) > .001*norm; sweeps++ {
				h[0] = sigmoid(x.At(b, 0) - 4 + 8*h[1])
				h[1] = sigmoid(8*h[0] - 4)
			}
			near(t, fmt.Sprint(y.Name, ": sweeps"), float64(y.Sweeps[b]), float64(sweeps), 0)
		}
	}
}

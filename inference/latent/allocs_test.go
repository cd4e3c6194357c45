//go:build !race

package latent

import "testing"

// The race detector makes pools forget, and so allocate.
func TestStepAllocatesNothing(t *testing.T) {
	o := noisyNet(2)
	for _, conv := range []bool{true, false} {
		if !conv {
			o = tanhNet(.1)
			o.Precision, o.Rate = Float32, .1
		}
		n := open(t, o)
		in, out := n.Dims()
		x, y := make([]float64, 64*in), make([]float64, 64*out)
		if err := n.Learn(x, y); err != nil {
			t.Fatal(err)
		}
		if a := testing.AllocsPerRun(20, func() { _ = n.Step(x, y) }); a != 0 {
			t.Errorf("convolution %v: %v allocations a step", conv, a)
		}
	}
}

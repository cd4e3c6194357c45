package latent

import (
	"math"
	"reflect"
	"testing"
)

// TestActivations: rates by their definitions, slopes by differences, and both at the kinks.
func TestActivations(t *testing.T) {
	for a, phi := range map[Activation]func(x float64) float64{
		Linear:      func(x float64) float64 { return x },
		HardSigmoid: func(x float64) float64 { return min(max(x, 0), 1) },
		Tanh:        math.Tanh,
		ReLU:        func(x float64) float64 { return max(x, 0) },
		Sigmoid:     func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		Softplus:    func(x float64) float64 { return math.Log(1 + math.Exp(x)) },
	} {
		x := []float64{-3, -1.5, -.4, -1e-3, 1e-3, .3, .7, .999, 1.001, 1.6, 4}
		r, s := make([]float64, len(x)), make([]float64, len(x))
		apply(a, r, s, x)
		for i, v := range x {
			const h = 1e-5
			if slope := (phi(v+h) - phi(v-h)) / (2 * h); math.Abs(r[i]-phi(v)) > 1e-14 || math.Abs(s[i]-slope) > 1e-9 {
				t.Errorf("%v at %v: %v, slope %v: must be %v, %v", a, v, r[i], s[i], phi(v), slope)
			}
		}
		// In single precision, the same to rounding.
		x32, r32, s32 := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
		for i, v := range x {
			x32[i] = float32(v)
		}
		apply(a, r32, s32, x32)
		for i := range x {
			if math.Abs(float64(r32[i])-r[i]) > 1e-6 || math.Abs(float64(s32[i])-s[i]) > 1e-6 {
				t.Errorf("%v at %v in single precision: %v, %v: must be %v, %v", a, x[i], r32[i], s32[i], r[i], s[i])
			}
		}
	}
	r, s := make([]float64, 2), make([]float64, 2)
	apply(HardSigmoid, r, s, []float64{0, 1})
	if r[0] != 0 || r[1] != 1 || s[0] != 1 || s[1] != 1 {
		t.Errorf("hard sigmoid at its borders: %v, slopes %v", r, s)
	}
	apply(ReLU, r, s, []float64{0, math.Copysign(0, -1)})
	if r[0] != 0 || s[0] != 0 || s[1] != 0 {
		t.Errorf("ReLU at 0: %v, slopes %v", r, s)
	}
}

// TestPresets holds the constants of the paper, as the specification lists them.
func TestPresets(t *testing.T) {
	fc := Options{Inputs: 784, Dt: .01, TauM: 20, TauR: 20, Beta: .1, Gamma: 1, Steps: 100, Rate: .125 * 128, WeightSD: .05, BiasSD: .05,
		Layers: []Layer{{Units: 300, Activation: HardSigmoid}, {Units: 100, Activation: HardSigmoid, Factor: .2}, {Units: 10, Factor: .1}}}
	if got := MNIST2021(); !reflect.DeepEqual(got, fc) {
		t.Errorf("MNIST2021 is %+v", got)
	}
	conv := Options{Rows: 28, Cols: 28, Channels: 1, Dt: .1, TauM: 10, TauR: 10, Beta: .1, Gamma: 1, Steps: 100, Rate: .125 * 128, WeightSD: .05, BiasSD: .05,
		Layers: []Layer{
			{Kernel: 5, Channels: 20, Pool: 2, Activation: HardSigmoid},
			{Kernel: 5, Channels: 50, Pool: 2, Activation: HardSigmoid, Factor: .1},
			{Units: 500, Activation: HardSigmoid, Factor: .1},
			{Units: 10, Factor: .1}}}
	if got := LeNet2021(28, 1); !reflect.DeepEqual(got, conv) {
		t.Errorf("LeNet2021 is %+v", got)
	}
}

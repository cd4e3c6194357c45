package latent

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Activation is the rate of a neuron as a function of its prospective potential, r = φ(ŭ).
type Activation int

const (
	Linear      Activation = iota // φ(x) = x
	HardSigmoid                   // x cut to [0, 1]; φ' = 1 on [0, 1], borders included
	Tanh
	ReLU
	Sigmoid  // 1/(1 + e^{−x})
	Softplus // log(1 + e^x)
)

var activations = [...]string{"linear", "hard sigmoid", "tanh", "ReLU", "sigmoid", "softplus"}

// String is the name of the function.
func (a Activation) String() string {
	if a < 0 || int(a) >= len(activations) {
		return fmt.Sprintf("Activation(%d)", int(a))
	}
	return activations[a]
}

// apply writes φ(x) to r and φ'(x) to s.
func apply[F linalg.Float](a Activation, r, s, x []F) {
	r, s = r[:len(x)], s[:len(x)]
	switch a {
	case Linear:
		copy(r, x)
		for i := range s {
			s[i] = 1
		}
	case HardSigmoid:
		linalg.Clip(r, s, x)
	case Tanh:
		for i, v := range x {
			t := F(math.Tanh(float64(v)))
			r[i], s[i] = t, 1-t*t
		}
	case ReLU:
		for i, v := range x {
			var d F
			if v > 0 {
				d = 1
			}
			r[i], s[i] = max(v, 0), d
		}
	case Sigmoid:
		for i, v := range x {
			t := F(1 / (1 + math.Exp(-float64(v))))
			r[i], s[i] = t, t*(1-t)
		}
	case Softplus:
		for i, v := range x {
			e := math.Exp(-math.Abs(float64(v)))
			r[i] = max(v, 0) + F(math.Log1p(e))
			if v >= 0 {
				s[i] = F(1 / (1 + e))
			} else {
				s[i] = F(e / (1 + e))
			}
		}
	}
}

// curvature is φ”(x), 0 at kinks.
func (a Activation) curvature(x float64) float64 {
	switch a {
	case Tanh:
		t := math.Tanh(x)
		return -2 * t * (1 - t*t)
	case Sigmoid, Softplus:
		s := 1 / (1 + math.Exp(-x))
		if a == Softplus {
			return s * (1 - s)
		}
		return s * (1 - s) * (1 - 2*s)
	}
	return 0
}

// smooth reports whether φ has a second derivative everywhere.
func (a Activation) smooth() bool { return a != HardSigmoid && a != ReLU }

// Package heatbath decides heat-bath (Gibbs) updates: whether a uniform draw lies below
// the logistic function, nearly always without an exponential.
package heatbath

import "math"

// Logistic is σ(u) = 1/(1 + e^{−u}), exact for ±Inf.
func Logistic(u float64) float64 { return 1 / (1 + math.Exp(-u)) }

// Softplus is log(1 + e^u), exact for ±Inf.
func Softplus(u float64) float64 { return max(u, 0) + math.Log1p(math.Exp(-math.Abs(u))) }

// A coarse table of σ decides all but about 2 % of the draws.
const (
	end  = 16.0 // |u| covered
	step = 1.0 / 8
)

var table = func() (t [2*end/step + 1]float64) {
	for i := range t {
		t[i] = Logistic(float64(i)*step - end)
	}
	return t
}()

// Below is 1 if x < σ(u), else 0, for x uniform in [0, 1).
func Below(x, u float64) (on uint8) {
	if i := (u + end) / step; i >= 0 && i < 2*end/step {
		j := int(i)
		if x < table[j] {
			return 1
		}
		if x >= table[j+1] {
			return 0
		}
	}
	switch {
	case u >= end && x < table[len(table)-1]:
		return 1
	case u < -end && x >= table[0]:
		return 0
	case x < Logistic(u):
		return 1
	}
	return 0
}

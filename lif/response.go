package lif

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// response is the inverse of the measured activation function: the drive e (in units of α,
// relative to VHalf) at which a neuron is on with probability σ(x). The logistic fit says
// e = x; a neuron's activation falls faster than that at the low end, where a drive of
// −3.7 leaves it on for 0.014 of the time and not 0.025, and saturates at the high end.
type response struct {
	coef   [6]float64 // polynomial in x
	lo, hi float64    // range of x it was fitted to; beyond, a straight line of slope 1
}

// responseRange is the range of activation the response is fitted to; above it the
// activation saturates.
var responseRange = [2]float64{0.008, 0.97}

// responseSE is the least standard error of a point that the fit believes: points near
// saturation have tiny ones and would dominate it.
const responseSE = 0.002

// response fits the measured points; without enough of them it is the logistic fit.
func (c *Calibration) response() (*response, error) {
	r := &response{coef: [6]float64{0, 1}}
	var x, e, w []float64
	for _, p := range c.Points {
		if !(p.P > responseRange[0] && p.P < responseRange[1]) || !(p.SE > 0) {
			continue
		}
		x = append(x, math.Log(p.P/(1-p.P)))
		e = append(e, (p.E-c.VHalf)/c.Alpha)
		w = append(w, p.P*(1-p.P)/math.Hypot(p.SE, responseSE)) // 1/SE of x
	}
	n, m := len(x), len(r.coef)
	if n < 4*m {
		return r, nil
	}
	a, b := mat.NewDense(n, m, nil), mat.NewVecDense(n, nil)
	for i := range n {
		v := w[i]
		for k := range m {
			a.Set(i, k, v)
			v *= x[i]
		}
		b.SetVec(i, w[i]*e[i])
	}
	var sol mat.VecDense
	if err := sol.SolveVec(a, b); err != nil {
		return nil, fmt.Errorf("lif: response fit: %w", err)
	}
	for k := range r.coef {
		r.coef[k] = sol.AtVec(k)
	}
	r.lo, r.hi = x[0], x[0]
	for _, v := range x {
		r.lo, r.hi = math.Min(r.lo, v), math.Max(r.hi, v)
	}
	return r, nil
}

// at is the drive for the log odds x.
func (r *response) at(x float64) float64 {
	y := x
	if r.hi > r.lo {
		y = math.Max(r.lo, math.Min(r.hi, x))
	}
	e := 0.0
	for k := len(r.coef) - 1; k >= 0; k-- {
		e = e*y + r.coef[k]
	}
	return e + x - y
}

package feedforward

import "math"

// adam is the optimiser of Kingma and Ba 2015 with its usual constants. Its steps belong to
// each parameter by itself, so a local rule stays local with it.
type adam struct {
	rate float64
	t    int
	x, g [][]float64 // parameters and gradients
	m, v [][]float64
}

func newAdam(rate float64, x, g [][]float64) *adam {
	a := &adam{rate: rate, x: x, g: g}
	for _, p := range x {
		a.m, a.v = append(a.m, make([]float64, len(p))), append(a.v, make([]float64, len(p)))
	}
	return a
}

// step goes down the gradients and clears them.
func (a *adam) step() {
	const b1, b2, eps = .9, .999, 1e-8
	a.t++
	rate := a.rate * math.Sqrt(1-math.Pow(b2, float64(a.t))) / (1 - math.Pow(b1, float64(a.t)))
	for p, x := range a.x {
		g, m, v := a.g[p], a.m[p], a.v[p]
		for i, d := range g {
			m[i] += (1 - b1) * (d - m[i])
			v[i] += (1 - b2) * (d*d - v[i])
			x[i] -= rate * m[i] / (math.Sqrt(v[i]) + eps)
		}
		clear(g)
	}
}

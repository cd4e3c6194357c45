package feedforward

import (
	"math"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/internal/linalg"
)

func clip(x float64) float64 { return min(max(x, 0), 1) }

// lipschitz is the Lipschitz constant of f. For Leaky networks with r = σ, h = a σ'(h) gives
// f' = σ'(h)/(1 − a σ”(h)), and a σ”(h) ≤ 0, so it is at most ¼ as for σ.
func (n *Network) lipschitz() float64 {
	if n.energy == Boltzmann || n.energy == Leaky && n.rate == Sigmoid {
		return .25
	}
	return 1
}

// activate writes f(a) to h, which may be a.
func (n *Network) activate(h, a []float64) {
	switch {
	case n.energy == Boltzmann:
		for i, x := range a {
			h[i] = heatbath.Logistic(x)
		}
	case n.energy == Clipped || n.rate == HardSigmoid:
		for i, x := range a {
			h[i] = clip(x)
		}
	case n.rate == Linear:
		copy(h, a)
	default:
		for i, x := range a {
			h[i] = leakySigmoid(x)
		}
	}
}

// leakySigmoid solves h = a σ'(h). h − a σ'(h) rises from −a/4 at 0 to a positive value at a/4
// (signs for a > 0), so Newton's method kept inside that interval finds the solution.
func leakySigmoid(a float64) float64 {
	if a == 0 || math.IsNaN(a) {
		return a
	}
	lo, hi := 0.0, math.Abs(a)/4
	h := min(hi, 1)
	for range 100 {
		s := heatbath.Logistic(h)
		slope := s * (1 - s)
		g := h - math.Abs(a)*slope
		if g > 0 {
			hi = h
		} else {
			lo = h
		}
		next := h - g/(1-math.Abs(a)*slope*(1-2*s))
		if !(next >= lo && next <= hi) {
			next = (lo + hi) / 2
		}
		if math.Abs(next-h) <= 1e-16*(1+h) {
			h = next
			break
		}
		h = next
	}
	return math.Copysign(h, a)
}

// sharesRates reports whether r(h) = h in all states, so that rates need no memory.
func (n *Network) sharesRates() bool { return n.energy != Leaky || n.rate == Linear }

// rates writes r(h) to r.
func (n *Network) rates(r, h []float64) {
	switch {
	case n.sharesRates():
		copy(r, h)
	case n.rate == HardSigmoid:
		for i, x := range h {
			r[i] = clip(x)
		}
	default:
		for i, x := range h {
			r[i] = heatbath.Logistic(x)
		}
	}
}

// slope is r'(h).
func (n *Network) slope(h float64) float64 {
	switch {
	case n.sharesRates():
		return 1
	case n.rate == HardSigmoid:
		if h < 0 || h > 1 {
			return 0
		}
		return 1
	}
	s := heatbath.Logistic(h)
	return s * (1 - s)
}

// self is the part of the energy that belongs to one unit alone, without its bias.
func (n *Network) self(h float64) float64 {
	if n.energy != Boltzmann {
		return h * h / 2
	}
	return xlogx(h) + xlogx(1-h)
}

func xlogx(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return x * math.Log(x)
}

// lin is x, a matrix of rows of the layer of these many units, in the memory of x.
func lin(rows, cols, stride int, data []float64) linalg.Mat[float64] {
	return linalg.Mat[float64]{Rows: rows, Cols: cols, Stride: stride, Data: data}
}

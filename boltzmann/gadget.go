package boltzmann

import (
	"math"

	"github.com/spikesampling/spikesampling/internal/heatbath"
)

// target asks for a hidden unit with Δ^order g(0) = coef (see HigherOrder.Quadratic).
type target struct {
	order int
	coef  float64
}

// gadget is a hidden unit's coupling to each unit of a term, and its bias.
type gadget struct{ coupling, bias float64 }

// diff is Δ^order g(0), with the sign that makes the target positive.
func (t target) diff(g gadget) float64 {
	var d [maxQuadratic + 1]float64
	for s := range t.order + 1 {
		d[s] = heatbath.Softplus(g.bias + g.coupling*float64(s))
	}
	for n := t.order; n > 0; n-- {
		for s := range n {
			d[s] = d[s+1] - d[s]
		}
	}
	if t.coef < 0 {
		return -d[0]
	}
	return d[0]
}

// solve finds the smallest coupling for which some bias reaches the target. The reach of a
// coupling a, max over the bias of the difference, is 0 at a = 0 and grows like a, so
// the smallest a is bracketed and bisected. The bias that is best at the upper end is
// then kept: with it the difference is below the target at the lower end of the bracket
// and above at the upper, and a last bisection in a goes to machine precision.
func (t target) solve() gadget {
	want := math.Abs(t.coef)
	lo, hi := 0.0, 1.0
	best := t.reach(hi)
	if t.diff(best) < want {
		for t.diff(best) < want {
			lo, hi = hi, 2*hi
			best = t.reach(hi)
		}
	} else {
		lo = hi / 2
		for g := t.reach(lo); t.diff(g) >= want; g = t.reach(lo) {
			hi, best = lo, g
			lo /= 2
		}
	}
	for hi-lo > 1e-4*hi {
		mid := (lo + hi) / 2
		if g := t.reach(mid); t.diff(g) < want {
			lo = mid
		} else {
			hi, best = mid, g
		}
	}
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return best
		}
		if g := (gadget{mid, best.bias}); t.diff(g) < want {
			lo = mid
		} else {
			hi, best = mid, g
		}
	}
}

// reach is the hidden unit of coupling a with the largest difference. As a function of the
// bias the difference is a row of order−1 bumps of alternating sign about −a·order/2,
// about 1 wide for small a and about a wide for large, so a grid finds the highest and
// golden section its top.
func (t target) reach(a float64) gadget {
	centre := -a * float64(t.order) / 2
	half := a*float64(t.order)/2 + 6
	step := 0.1 * max(1, a)
	best := gadget{a, centre}
	top := math.Inf(-1)
	for x := -half; x <= half; x += step {
		g := gadget{a, centre + x}
		if d := t.diff(g); d > top {
			top, best = d, g
		}
	}

	const ratio = 0.6180339887498949
	lo, hi := best.bias-step, best.bias+step
	x1, x2 := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	d1, d2 := t.diff(gadget{a, x1}), t.diff(gadget{a, x2})
	for range 25 {
		if d1 > d2 {
			hi, x2, d2 = x2, x1, d1
			x1 = hi - ratio*(hi-lo)
			d1 = t.diff(gadget{a, x1})
		} else {
			lo, x1, d1 = x1, x2, d2
			x2 = lo + ratio*(hi-lo)
			d2 = t.diff(gadget{a, x2})
		}
	}
	if g := (gadget{a, (lo + hi) / 2}); t.diff(g) > top {
		best = g
	}
	return best
}

package lumped

import (
	"errors"
	"fmt"
	"math"
)

// Passage returns the mean time in sweeps from every state to the first state whose counts
// satisfy reached; 0 for those.
func (c *Chain) Passage(reached func(counts []int) bool) ([]float64, error) {
	var from []int
	for s, counts := range c.counts {
		if !reached(counts) {
			from = append(from, s)
		}
	}
	if len(from) == len(c.counts) {
		return nil, errors.New("lumped: Passage: no state is reached")
	}
	e := c.eliminate(from)
	x := make([]float64, len(from))
	for i := range x {
		x[i] = 1
	}
	e.solve(x)
	times := make([]float64, len(c.counts))
	for i, s := range from {
		times[s] = x[i] / float64(c.units)
	}
	return times, nil
}

// Relaxation returns the relaxation time in sweeps, 1/(N(1−λ)).
//
// 1 − λ is the least value of the Dirichlet form ½ Σ π_s P_st (f_s − f_t)² over functions f
// of mean 0 and variance 1, a ratio of positive sums. Inverse iteration finds f: solve
// (1 − P) f' = f with f' = 0 in the likeliest state, subtract the mean, repeat.
func (c *Chain) Relaxation() (float64, error) {
	const (
		rounds    = 10000
		tolerance = 1e-13
	)
	ground := 0
	for s, p := range c.pi {
		if p > c.pi[ground] {
			ground = s
		}
	}
	var rest []int
	for s := range c.pi {
		if s != ground {
			rest = append(rest, s)
		}
	}
	e := c.eliminate(rest)
	f := make([]float64, len(c.pi))
	for s, counts := range c.counts {
		for g, m := range counts {
			f[s] += float64(m) / float64(g+1) // no symmetry that the slowest mode could lack
		}
	}
	x := make([]float64, len(rest))
	last, still := 0.0, 0
	for range rounds {
		c.centre(f)
		gap := c.dirichlet(f)
		if math.Abs(gap-last) <= tolerance*gap {
			if still++; still == 3 {
				return 1 / (gap * float64(c.units)), nil
			}
		} else {
			still = 0
		}
		last = gap
		for i, s := range rest {
			x[i] = f[s]
		}
		e.solve(x)
		f[ground] = 0
		for i, s := range rest {
			f[s] = x[i]
		}
	}
	return 0, fmt.Errorf("lumped: Relaxation: not converged after %d rounds", rounds)
}

// centre makes f of mean 0 and variance 1 under π.
func (c *Chain) centre(f []float64) {
	mean := 0.0
	for s, p := range c.pi {
		mean += p * f[s]
	}
	v := 0.0
	for s, p := range c.pi {
		f[s] -= mean
		v += p * f[s] * f[s]
	}
	for s := range f {
		f[s] /= math.Sqrt(v)
	}
}

// dirichlet is ½ Σ π_s P_st (f_s − f_t)².
func (c *Chain) dirichlet(f []float64) float64 {
	sum := 0.0
	for s, row := range c.rate {
		for t, p := range row {
			if p > 0 {
				sum += c.pi[s] * p * (f[s] - f[t]) * (f[s] - f[t]) / 2
			}
		}
	}
	return sum
}

// elimination factors 1 − P restricted to some states. Row i has the probabilities q to go
// to other states that are left, and the probability to leave them; their sum is the
// diagonal, so nothing is ever subtracted.
type elimination struct {
	q    [][]float64 // row k: to i < k, when k was eliminated; column k: from i < k
	diag []float64   // Σ_i q_ki + leave_k
}

func (c *Chain) eliminate(states []int) *elimination {
	n := len(states)
	e := &elimination{q: make([][]float64, n), diag: make([]float64, n)}
	leave := make([]float64, n)
	inside := make([]bool, len(c.pi))
	for _, s := range states {
		inside[s] = true
	}
	for i, s := range states {
		e.q[i] = make([]float64, n)
		for j, t := range states {
			e.q[i][j] = c.rate[s][t]
		}
		for t, p := range c.rate[s] {
			if !inside[t] {
				leave[i] += p
			}
		}
	}
	for k := n - 1; k >= 0; k-- {
		d := leave[k]
		for _, q := range e.q[k][:k] {
			d += q
		}
		e.diag[k] = d
		for i := range k {
			f := e.q[i][k] / d
			if f == 0 {
				continue
			}
			leave[i] += f * leave[k]
			for j, q := range e.q[k][:k] {
				if j != i {
					e.q[i][j] += f * q
				}
			}
		}
	}
	return e
}

// solve replaces b by the x with (1 − P) x = b.
func (e *elimination) solve(b []float64) {
	for k := len(b) - 1; k >= 0; k-- {
		for i := range k {
			b[i] += e.q[i][k] / e.diag[k] * b[k]
		}
	}
	for k := range b {
		for j, q := range e.q[k][:k] {
			b[k] += q * b[j]
		}
		b[k] /= e.diag[k]
	}
}

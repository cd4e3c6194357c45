package tempering

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Transition matrices are read off the code itself: a decision that is taken if the
// uniform draw x lies below its probability has the probability where bisection over all
// 2^53 values of x finds the change.

// script plays back uniform draws.
type script struct {
	x []uint64 // of 53 bits
}

func (s *script) Uint64() uint64 {
	x := s.x[0]
	s.x = s.x[1:]
	return x // Float64 keeps the low 53 bits
}

// probability finds by bisection the p for which taken(x) is x < p.
func probability(taken func(x uint64) bool) float64 {
	if !taken(0) {
		return 0
	}
	lo, hi := uint64(0), uint64(1<<53) // taken at lo, not at hi
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; taken(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return float64(hi) / (1 << 53)
}

type matrix [][]float64

func newMatrix(n int) matrix {
	m := make(matrix, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func (a matrix) mul(b matrix) matrix {
	c := newMatrix(len(a))
	for i := range c {
		for j, x := range a[i] {
			if x != 0 {
				for k, y := range b[j] {
					c[i][k] += x * y
				}
			}
		}
	}
	return c
}

// power is a^n, n ≥ 1.
func (a matrix) power(n int) matrix {
	p := a
	for range n - 1 {
		p = p.mul(a)
	}
	return p
}

func checkReversible(t *testing.T, what string, p []float64, m matrix) {
	t.Helper()
	for i := range m {
		sum := 0.0
		for j, x := range m[i] {
			sum += x
			if d := p[i]*x - p[j]*m[j][i]; math.Abs(d) > 1e-12 {
				t.Errorf("%s: flow %d → %d differs by %g from that back", what, i, j, d)
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: row %d sums to %v", what, i, sum)
		}
	}
}

func checkStationary(t *testing.T, what string, p []float64, m matrix) {
	t.Helper()
	next := make([]float64, len(p))
	for i := range m {
		for j, x := range m[i] {
			next[j] += p[i] * x
		}
	}
	for j := range p {
		if math.Abs(next[j]-p[j]) > 1e-12 {
			t.Errorf("%s: state %d has %v after a step, %v before", what, j, next[j], p[j])
		}
	}
}

// visitMatrix is the matrix of chain.visit of a unit at beta.
func visitMatrix(t *testing.T, m sampling.Model, unit int, beta float64) matrix {
	c := newChain(m)
	z := make([]uint8, m.Dim())
	p := newMatrix(1 << m.Dim())
	for s := range p {
		bits(z, s)
		on := probability(func(x uint64) bool {
			if err := c.start(z, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := c.visit(unit, beta, float64(x)/(1<<53)); err != nil {
				t.Fatal(err)
			}
			return c.z[unit] == 1
		})
		p[s][s|1<<unit] += on
		p[s][s&^(1<<unit)] += 1 - on
	}
	return p
}

// randomVisit is the matrix of one visit of a random scan.
func randomVisit(t *testing.T, m sampling.Model, beta float64) matrix {
	n := m.Dim()
	p := newMatrix(1 << n)
	for k := range n {
		for i, row := range visitMatrix(t, m, k, beta) {
			for j, x := range row {
				p[i][j] += x / float64(n)
			}
		}
	}
	return p
}

// Random-scan visits and sweeps are reversible at every temperature; a sequential sweep is
// stationary and not reversible.
func TestVisitDetailedBalance(t *testing.T) {
	m := bmS(4, 2)
	for _, beta := range []float64{1, .6, .2, 0} {
		p := law(m, beta)
		v := randomVisit(t, m, beta)
		checkReversible(t, "random visit", p, v)
		checkReversible(t, "random sweep", p, v.power(4))
		sweep := visitMatrix(t, m, 0, beta)
		for k := 1; k < 4; k++ {
			sweep = sweep.mul(visitMatrix(t, m, k, beta))
		}
		checkStationary(t, "sequential sweep", p, sweep)
	}
}

// Level moves of simulated tempering: reversible for π(z, k) ∝ exp(−β_k E − g_k), for any
// weights.
func TestLevelMoveDetailedBalance(t *testing.T) {
	m := bmS(4, 2)
	ladder := Ladder{1, .5, .2, 0}
	levels := len(ladder)
	for _, g := range [][]float64{{0, 0, 0, 0}, {1.5, -.3, .2, 2}, logZs(m, ladder)} {
		w := newWalker(newChain(m), ladder, Random)
		copy(w.g, g)
		z := make([]uint8, 4)
		n := 16 * levels // state s at level k has number s·levels + k
		p := make([]float64, n)
		total := 0.0
		k := newMatrix(n)
		for s := range 16 {
			bits(z, s)
			for level := range levels {
				i := s*levels + level
				p[i] = math.Exp(-ladder[level]*m.Energy(z) - g[level])
				total += p[i]
				for _, direction := range []uint64{0, 1 << 52} { // x < ½ is down
					to := level + 1
					if direction == 0 {
						to = level - 1
					}
					moved := probability(func(x uint64) bool {
						if err := w.start(z, nil); err != nil {
							t.Fatal(err)
						}
						w.level = level
						w.move(rand.New(&script{[]uint64{direction, x}}))
						return w.level == to
					})
					if to >= 0 && to < levels {
						k[i][s*levels+to] += moved / 2
					} else if moved != 0 {
						t.Fatalf("level %d moved out of range", level)
					}
					k[i][i] += (1 - moved) / 2
				}
			}
		}
		for i := range p {
			p[i] /= total
		}
		checkReversible(t, "level move", p, k)
	}
}

// swapMatrix is the matrix of the swap of levels k and k+1 on the joint states of all
// levels; level k has the bits n·k … of the state number.
func swapMatrix(t *testing.T, m sampling.Model, l Ladder, k int) matrix {
	n := m.Dim()
	pair := must(NewParallel(m, ParallelOptions{Ladder: l}))
	z := make([]uint8, n)
	size := 1 << (n * len(l))
	out := newMatrix(size)
	part := func(s, level int) int { return s >> (n * level) & (1<<n - 1) }
	for s := range size {
		for level, c := range pair.chains {
			bits(z, part(s, level))
			if err := c.start(z, nil); err != nil {
				t.Fatal(err)
			}
		}
		a, b := part(s, k), part(s, k+1)
		swapped := s&^((1<<(2*n)-1)<<(n*k)) | b<<(n*k) | a<<(n*(k+1))
		x := newExchange(2)
		p := probability(func(u uint64) bool {
			x.restart()
			x.round(DEO, rand.New(&script{[]uint64{u}}), func(_, i, j int) float64 { return pair.logRatio(k, k+i, k+j) })
			return x.at[0] == 1
		})
		out[s][swapped] += p
		out[s][s] += 1 - p
	}
	return out
}

// A swap is reversible for the product law. The composite of DEO, an even and an odd round
// with sweeps between, keeps the product law although it is not reversible.
func TestSwapDetailedBalance(t *testing.T) {
	product := func(m sampling.Model, l Ladder) []float64 {
		p := []float64{1}
		for _, beta := range l {
			var next []float64
			for _, x := range law(m, beta) { // higher bits: further levels
				for _, y := range p {
					next = append(next, x*y)
				}
			}
			p = next
		}
		return p
	}
	two := Ladder{1, .3}
	checkReversible(t, "swap", product(bmS(4, 2), two), swapMatrix(t, bmS(4, 2), two, 0))

	m, l := bmS(2, 3), Ladder{1, .4, .1}
	p := product(m, l)
	even, odd := swapMatrix(t, m, l, 0), swapMatrix(t, m, l, 1)
	checkReversible(t, "even swap", p, even)
	checkReversible(t, "odd swap", p, odd)
	sweeps := newMatrix(64) // of all levels at once
	kernel := make([]matrix, 3)
	for k, beta := range l {
		kernel[k] = visitMatrix(t, m, 0, beta).mul(visitMatrix(t, m, 1, beta))
	}
	for i := range sweeps {
		for j := range sweeps {
			sweeps[i][j] = kernel[0][i&3][j&3] * kernel[1][i>>2&3][j>>2&3] * kernel[2][i>>4][j>>4]
		}
	}
	composite := sweeps.mul(even).mul(sweeps).mul(odd)
	checkStationary(t, "DEO", p, composite)
	largest := 0.0
	for i := range composite {
		for j := range composite {
			largest = max(largest, math.Abs(p[i]*composite[i][j]-p[j]*composite[j][i]))
		}
	}
	if largest < 1e-4 {
		t.Errorf("DEO looks reversible: flows differ by %g only", largest)
	}
}

// Tempered transitions on four units: the matrix by its definition, summed over all paths
// through three levels, is reversible, and the sampler makes its steps. A step is a random
// sweep at β = 1 and a transition. Cells pass by |z| < 5.5: false-alarm rate 1e-5 over 256.
func TestTransitionsKernel(t *testing.T) {
	const runs = 20000
	m := bmS(4, 3)
	ladder := Ladder{1, .5, .1}
	e := make([]float64, 16)
	z := make([]uint8, 4)
	for s := range e {
		bits(z, s)
		e[s] = m.Energy(z)
	}
	one, two := randomVisit(t, m, .5).power(4), randomVisit(t, m, .1).power(4)
	top := two.mul(two) // up-kernel and down-kernel of the last level
	k := newMatrix(16)
	for a := range 16 {
		for b := range 16 {
			for c := range 16 {
				for d := range 16 {
					ratio := math.Exp(.5*(e[a]-e[d]) + .4*(e[b]-e[c]))
					x := one[a][b] * top[b][c] * one[c][d] * min(1, ratio)
					k[a][d] += x
				}
			}
		}
		stay := 1.0
		for _, x := range k[a] {
			stay -= x
		}
		k[a][a] += stay
	}
	checkReversible(t, "tempered transition", law(m, 1), k)

	step := randomVisit(t, m, 1).power(4).mul(k)
	s := must(NewTransitions(m, TransitionsOptions{Ladder: ladder}))
	src := rng.Stream(1, "transitions")
	buf := make([]sampling.Flip, 0, 8)
	for from, row := range step {
		count := make([]float64, 16)
		bits(z, from)
		for range runs {
			if err := s.Reset(z, src); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Advance(1, buf); err != nil {
				t.Fatal(err)
			}
			count[index(s.State())]++
		}
		for to, p := range row {
			if d := count[to] - runs*p; p*runs > 30 && math.Abs(d) > 5.5*math.Sqrt(runs*p*(1-p)) {
				t.Errorf("step %d → %d: %v of %d, want %.1f", from, to, count[to], runs, runs*p)
			}
		}
	}
}

// The table of σ changes no decision.
func TestBelow(t *testing.T) {
	check := func(t fatal, x, u float64) {
		var want uint8
		if x < 1/(1+math.Exp(-u)) {
			want = 1
		}
		if heatbath.Below(x, u) != want {
			t.Fatal("below", x, u, "is not", want)
		}
	}
	for _, u := range []float64{math.Inf(-1), -800, -16.1, -16, -15.99, -0.125, 0, 0.125, 15.99, 16, 40, 800, math.Inf(1)} {
		for _, x := range []float64{0, 0x1p-53, 1e-7, .25, .5, .999, 1 - 0x1p-53} {
			check(t, x, u)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.Float64Range(0, 1-0x1p-53).Draw(t, "x"), rapid.Float64Range(-20, 20).Draw(t, "u"))
	})
}

// The energy kept incrementally is that of the state, across recomputations too.
func TestChainEnergy(t *testing.T) {
	m := bmS(9, 2)
	c := newChain(m)
	r := rand.New(rng.Stream(5, "energy"))
	if err := c.start(nil, r); err != nil {
		t.Fatal(err)
	}
	recomputed := false
	for i := range 20000 {
		flips := c.flips
		if err := c.sweep([]float64{1, .3, 0}[i%3], Scan(i%2), r); err != nil {
			t.Fatal(err)
		}
		recomputed = recomputed || c.flips < flips
		if d := c.energy - m.Energy(c.z); math.Abs(d) > 1e-9 {
			t.Fatalf("energy is off by %g after %d sweeps", d, i)
		}
	}
	if !recomputed {
		t.Error("energy was never recomputed")
	}
}

// Impossible states are never entered, at β = 0 too, where log odds 0·∞ have no value.
func TestChainImpossible(t *testing.T) {
	c := newChain(forbidden{})
	r := rand.New(rng.Stream(6, "forbidden"))
	if err := c.start([]uint8{1, 1}, r); err == nil {
		t.Error("impossible start accepted")
	}
	if err := c.start([]uint8{0, 1}, r); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if err := c.sweep(0, Random, r); err != nil {
			t.Fatal(err)
		}
		if c.z[0]+c.z[1] == 2 || !finite(c.energy) {
			t.Fatalf("state %v of energy %v", c.z, c.energy)
		}
	}
}

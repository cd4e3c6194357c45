package boltzmann

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	defaultLimit = 25 // units Enumerate takes: 3e7 states
	maxLimit     = 30 // units EnumerateLimit can be told to take: 1e9 states
	blockUnits   = 9  // units enumerated as one block; the tables stay in the L1 cache
)

// Exact is what enumeration says about a machine of N units.
type Exact struct {
	LogZ    float64       // log Σ_z exp(−E(z)) [nats]
	Mean    []float64     // ⟨z_k⟩, N
	Second  *mat.SymDense // ⟨z_i z_j⟩, N×N; the diagonal is Mean
	Entropy float64       // −Σ p log p [nats]
}

// Cov returns the covariances ⟨z_i z_j⟩ − ⟨z_i⟩⟨z_j⟩, N×N.
func (e *Exact) Cov() *mat.SymDense {
	n := len(e.Mean)
	c := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			c.SetSym(i, j, e.Second.At(i, j)-e.Mean[i]*e.Mean[j])
		}
	}
	return c
}

// Enumerate sums over all 2^N states of m, N ≤ 25 (about a second at 25).
func Enumerate(m *Machine) (*Exact, error) { return EnumerateLimit(m, defaultLimit) }

// EnumerateLimit is Enumerate for up to limit ≤ 30 units; each unit above 25 doubles the
// time.
//
// The states of the lowest units form a block. The exponent −E of a state is the block
// unit's own part, a table, plus the rest's own part plus the field of the rest on the
// block, which is linear in the block's units; so one state costs an addition or two and
// an exponential, fields are computed anew for each block (no drift), and moments cost
// O(1) per state: those within a block follow from its summed table, those with the other
// units from the block's sums. Weights are relative to the largest seen so far, and sums
// over blocks are compensated.
func EnumerateLimit(m *Machine, limit int) (*Exact, error) {
	if limit < 1 || limit > maxLimit {
		return nil, fmt.Errorf("boltzmann: Enumerate: limit = %d: must be in 1..%d", limit, maxLimit)
	}
	if m.n > limit {
		return nil, fmt.Errorf("boltzmann: Enumerate: %w: %d, limit %d (2^%d states, about 25 ns each)",
			ErrTooManyUnits, m.n, limit, m.n)
	}
	e := newEnumeration(m)
	for rest := range 1 << (m.n - e.low) {
		e.block(rest)
	}
	return e.exact(), nil
}

// enumeration is the running state of EnumerateLimit.
type enumeration struct {
	m    *Machine
	low  int       // units in a block: 0..low-1
	own  []float64 // −E of the block's states with the rest off, 2^low
	exps []float64 // then weights of the current block's states, 2^low
	sums []float64 // ⟨z_k⟩ sums of the block

	top  float64       // reference exponent: the largest seen
	tab  []accumulator // weights of the block's states summed over the rest, 2^low
	mean []accumulator // of the rest's units
	pair []accumulator // n×n; with j in the rest, i < j
	on   []int         // units of the rest that are on
}

func newEnumeration(m *Machine) *enumeration {
	low := min(m.n, blockUnits)
	e := &enumeration{
		m: m, low: low,
		own:  make([]float64, 1<<low),
		exps: make([]float64, 1<<low),
		sums: make([]float64, low),
		top:  math.Inf(-1),
		tab:  make([]accumulator, 1<<low),
		mean: make([]accumulator, m.n),
		pair: make([]accumulator, m.n*m.n),
	}
	z := make([]uint8, m.n)
	for s := range e.own {
		for k := range low {
			z[k] = uint8(s >> k & 1)
		}
		e.own[s] = -m.Energy(z)
	}
	return e
}

// block adds the states whose units low, low+1, … have the bits of rest.
func (e *enumeration) block(rest int) {
	m := e.m
	e.on = e.on[:0]
	base := 0.0 // −E of the rest alone
	for k := e.low; k < m.n; k++ {
		if rest>>(k-e.low)&1 == 0 {
			continue
		}
		row := m.row(k)
		base += m.b[k]
		for _, j := range e.on {
			base += row[j]
		}
		e.on = append(e.on, k)
	}

	// Exponents: the linear part by doubling, then the block's own.
	x := e.exps
	x[0] = base
	for k := range e.low {
		field := 0.0
		row := m.row(k)
		for _, j := range e.on {
			field += row[j]
		}
		half := x[:1<<k]
		for s, v := range half {
			x[1<<k+s] = v + field
		}
	}
	top := math.Inf(-1)
	for s, own := range e.own {
		x[s] += own
		if x[s] > top {
			top = x[s]
		}
	}
	if top > e.top {
		e.rescale(top)
	}
	for s, v := range x {
		w := math.Exp(v - e.top)
		x[s] = w
		e.tab[s].add(w)
	}

	if len(e.on) == 0 {
		return
	}
	// Sums of the block, halving from its highest unit down: pairwise, so exact enough.
	for k := e.low - 1; k >= 0; k-- {
		half := 1 << k
		sum := 0.0
		for s := range half {
			sum += x[half+s]
			x[s] += x[half+s]
		}
		e.sums[k] = sum
	}
	for i, j := range e.on {
		row := e.pair[j*m.n : (j+1)*m.n]
		e.mean[j].add(x[0])
		for k, sum := range e.sums {
			row[k].add(sum)
		}
		for _, k := range e.on[:i] {
			row[k].add(x[0])
		}
	}
}

// rescale makes top the reference exponent.
func (e *enumeration) rescale(top float64) {
	c := math.Exp(e.top - top)
	e.top = top
	for _, sums := range [][]accumulator{e.tab, e.mean, e.pair} {
		for i := range sums {
			sums[i].scale(c)
		}
	}
}

// exact reads the moments off the sums.
func (e *enumeration) exact() *Exact {
	n := e.m.n
	var z accumulator
	for s := range e.tab {
		w := e.tab[s].value()
		z.add(w)
		for j := range e.low {
			if s>>j&1 == 0 {
				continue
			}
			e.mean[j].add(w)
			for i := range j {
				if s>>i&1 != 0 {
					e.pair[j*n+i].add(w)
				}
			}
		}
	}
	total := z.value()
	x := &Exact{LogZ: e.top + math.Log(total), Mean: make([]float64, n), Second: mat.NewSymDense(n, nil)}
	energy := 0.0
	for j := range n {
		x.Mean[j] = e.mean[j].value() / total
		x.Second.SetSym(j, j, x.Mean[j])
		energy -= e.m.b[j] * x.Mean[j]
		for i := range j {
			p := e.pair[j*n+i].value() / total
			x.Second.SetSym(i, j, p)
			energy -= e.m.Weight(i, j) * p
		}
	}
	x.Entropy = max(0, x.LogZ+energy)
	return x
}

// accumulator is a compensated sum (Kahan 1965) of numbers ≥ 0.
type accumulator struct{ sum, err float64 }

func (a *accumulator) add(x float64) {
	y := x - a.err
	t := a.sum + y
	a.err = t - a.sum - y
	a.sum = t
}

func (a *accumulator) scale(c float64) { a.sum *= c; a.err *= c }

func (a *accumulator) value() float64 { return a.sum }

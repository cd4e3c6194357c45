package feedforward

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// Order says which layers a sweep of the exact kernel draws first.
type Order int

const (
	OddFirst  Order = iota // layers 1, 3, …, then 2, 4, …
	EvenFirst              // layers 2, 4, …, then 1, 3, …, as boltzmann.BlockGibbs does with Given
)

// maxKernel is the largest number of hidden units of a Kernel.
const maxKernel = 16

// Kernel is block Gibbs sampling of the hidden layers given an input, as an operator on
// distributions: nothing is drawn, and what it says is exact. It is immutable. Distributions have 2^n entries;
// bit i of the index is hidden unit i, layer 1 first.
type Kernel struct {
	n     int
	order Order
	at    [2][]int // index of every state of the odd layers and of the even ones, others 0
	p     []float64
	logZ  float64
	given [2][]float64 // P(odd | even) and P(even | odd), by index of the whole state
}

// NewKernel returns the kernel of a Boltzmann network of at most 16 hidden units.
func NewKernel(n *Network, x []float64, order Order) (*Kernel, error) {
	if order != OddFirst && order != EvenFirst {
		return nil, fmt.Errorf("feedforward: Order = %d: must be OddFirst or EvenFirst", int(order))
	}
	b, err := n.given(x)
	if err != nil {
		return nil, err
	}
	k := &Kernel{n: n.Hidden(), order: order}
	if k.n > maxKernel {
		return nil, fmt.Errorf("feedforward: exact kernel of %d hidden units: must be at most %d: %w", k.n, maxKernel, boltzmann.ErrTooManyUnits)
	}
	var bits [2][]int
	first := make([]int, len(n.w))
	unit := 0
	for i := range n.w {
		first[i] = unit
		for range n.size[i+1] {
			bits[i%2] = append(bits[i%2], unit)
			unit++
		}
	}
	for side, list := range bits {
		k.at[side] = make([]int, 1<<len(list))
		for s := range k.at[side] {
			for i, bit := range list {
				k.at[side][s] |= s >> i & 1 << bit
			}
		}
	}
	k.law(n, b, first)
	for side := range k.given {
		k.given[side] = make([]float64, len(k.p))
		k.condition(side)
	}
	return k, nil
}

// law computes log p by adding one unit after the other to the states of those before it.
func (k *Kernel) law(n *Network, b [][]float64, first []int) {
	k.p = make([]float64, 1<<k.n)
	for i := range n.w {
		for j := range n.size[i+1] {
			half := 1 << (first[i] + j)
			for s := range half {
				u := b[i][j]
				if i > 0 {
					for c, w := range n.w[i].Row(j) {
						if s>>(first[i-1]+c)&1 == 1 {
							u += w
						}
					}
				}
				k.p[half+s] = k.p[s] + u
			}
		}
	}
	top := math.Inf(-1)
	for _, x := range k.p {
		top = math.Max(top, x)
	}
	sum := 0.0
	for _, x := range k.p {
		sum += math.Exp(x - top)
	}
	k.logZ = top + math.Log(sum)
	// The logarithms stay in p until condition has used them; see there.
}

// condition computes P(side | other side) from log p, whatever the scale of p, and after the
// second side turns log p into p.
func (k *Kernel) condition(side int) {
	for _, o := range k.at[1-side] {
		top := math.Inf(-1)
		for _, s := range k.at[side] {
			top = math.Max(top, k.p[o|s])
		}
		sum := 0.0
		for _, s := range k.at[side] {
			sum += math.Exp(k.p[o|s] - top)
		}
		norm := top + math.Log(sum)
		for _, s := range k.at[side] {
			k.given[side][o|s] = math.Exp(k.p[o|s] - norm)
		}
	}
	if side == 1 {
		for s, x := range k.p {
			k.p[s] = math.Exp(x - k.logZ)
		}
	}
}

// Units is the number n of hidden units.
func (k *Kernel) Units() int { return k.n }

// LogZ is log Σ exp(−E) over the hidden states, with the part of E that depends on x alone
// left out [nats].
func (k *Kernel) LogZ() float64 { return k.logZ }

// Law is a copy of the exact distribution p.
func (k *Kernel) Law() []float64 { return append([]float64(nil), k.p...) }

// Product is the distribution of independent units that are on with probabilities h, a row
// of a State.
func (k *Kernel) Product(h []float64) ([]float64, error) {
	if len(h) != k.n {
		return nil, fmt.Errorf("feedforward: %d probabilities: must be %d", len(h), k.n)
	}
	p := make([]float64, 1, 1<<k.n)
	p[0] = 1
	for i, x := range h {
		if !(x >= 0 && x <= 1) {
			return nil, fmt.Errorf("feedforward: probability of unit %d is %v: must be in [0, 1]", i, x)
		}
		half := len(p)
		for s := range half {
			p = append(p, p[s]*x)
			p[s] *= 1 - x
		}
	}
	return p, nil
}

// Evolve makes sweeps of p in place.
func (k *Kernel) Evolve(p []float64, sweeps int) error {
	if err := k.check(p); err != nil {
		return err
	}
	if sweeps < 0 {
		return fmt.Errorf("feedforward: %d sweeps: must be ≥ 0", sweeps)
	}
	for range sweeps {
		k.draw(p, int(k.order))
		k.draw(p, 1-int(k.order))
	}
	return nil
}

// draw replaces one side by a draw given the other one.
func (k *Kernel) draw(p []float64, side int) {
	given := k.given[side]
	for _, o := range k.at[1-side] {
		m := 0.0
		for _, s := range k.at[side] {
			m += p[o|s]
		}
		for _, s := range k.at[side] {
			p[o|s] = m * given[o|s]
		}
	}
}

// check refuses what is no distribution of the hidden units.
func (k *Kernel) check(p []float64) error {
	if len(p) != len(k.p) {
		return fmt.Errorf("feedforward: distribution of %d states: must be of 2^%d", len(p), k.n)
	}
	sum := 0.0
	for s, x := range p {
		if !(x >= 0) || math.IsInf(x, 0) {
			return fmt.Errorf("feedforward: probability of state %d is %v: must be ≥ 0", s, x)
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("feedforward: probabilities add up to %v: must be 1", sum)
	}
	return nil
}

// DKL is Σ q log(q/p) of a distribution q from the exact one [nats].
func (k *Kernel) DKL(q []float64) (float64, error) {
	if err := k.check(q); err != nil {
		return 0, err
	}
	d := 0.0
	for s, x := range q {
		if x > 0 {
			d += x * math.Log(x/k.p[s])
		}
	}
	return d, nil
}

// Marginals are the probabilities of every unit under q; those of the exact law if q is nil.
func (k *Kernel) Marginals(q []float64) ([]float64, error) {
	if q == nil {
		q = k.p
	}
	if err := k.check(q); err != nil {
		return nil, err
	}
	m := make([]float64, k.n)
	for s, x := range q {
		for i := range m {
			if s>>i&1 == 1 {
				m[i] += x
			}
		}
	}
	return m, nil
}

// SecondEigenvalue is the largest eigenvalue of the kernel below 1: the factor by which what is
// slowest decays per sweep. With M = p(u, v)/√(p(u) p(v)), u and v the odd and the even layers,
// it is the square of the second singular value of M.
func (k *Kernel) SecondEigenvalue() (float64, error) {
	small := 0
	if len(k.at[1]) < len(k.at[0]) {
		small = 1
	}
	var mass [2][]float64
	for side := range mass {
		mass[side] = make([]float64, len(k.at[side]))
		for i, s := range k.at[side] {
			for _, o := range k.at[1-side] {
				mass[side][i] += k.p[s|o]
			}
		}
	}
	if len(k.at[small]) == 1 {
		return 0, nil // one sweep draws everything anew
	}
	m := mat.NewDense(len(k.at[small]), len(k.at[1-small]), nil)
	for i, s := range k.at[small] {
		for j, o := range k.at[1-small] {
			if x := k.p[s|o]; x > 0 {
				m.Set(i, j, x/math.Sqrt(mass[small][i])/math.Sqrt(mass[1-small][j]))
			}
		}
	}
	var g mat.SymDense
	g.SymOuterK(1, m)
	var eig mat.EigenSym
	if !eig.Factorize(&g, false) {
		return 0, fmt.Errorf("feedforward: the eigenvalues of the kernel were not found")
	}
	v := eig.Values(nil)
	return v[len(v)-2], nil
}

// GibbsKernelEvolution is p0 after t sweeps of the block Gibbs kernel given x, odd layers first.
func GibbsKernelEvolution(n *Network, x, p0 []float64, t int) ([]float64, error) {
	k, err := NewKernel(n, x, OddFirst)
	if err != nil {
		return nil, err
	}
	p := append([]float64(nil), p0...)
	return p, k.Evolve(p, t)
}

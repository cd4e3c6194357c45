package bayes

import (
	"fmt"
	"math"
	"slices"
)

// bucket is what variable elimination holds when it sums out one variable: the product of
// everything that then depends on it, and where the sum goes. Buckets form a forest.
type bucket struct {
	variable int
	factor   logFactor // product of factors and messages; after distribute, the belief
	message  logFactor // factor summed over variable
	parent   int       // bucket that takes the message; -1 if it goes to the rest
	inputs   []logFactor
}

// buckets is a forest of buckets in the order of elimination.
type buckets struct {
	card []int
	list []bucket
	rest []logFactor // factors and messages without an eliminated variable
}

// maxKept is the number of entries of all tables that are held at once: 512 MB.
const maxKept = 4 * maxEntries

// collect sums the variables of order out of the product of the factors. With keep the
// tables stay for distribute; it fails if they are too large together.
func (n *Network) collect(factors []logFactor, order []int, keep bool) (*buckets, error) {
	b := &buckets{card: n.cards(), list: make([]bucket, len(order))}
	turn := make([]int, len(n.Vars)) // place in the order, -1 for variables that stay
	for v := range turn {
		turn[v] = -1
	}
	for i, v := range order {
		turn[v] = i
		b.list[i] = bucket{variable: v, parent: -1}
	}
	// first is the bucket a factor belongs to.
	first := func(scope []int) int {
		t := -1
		for _, v := range scope {
			if i := turn[v]; i >= 0 && (t < 0 || i < t) {
				t = i
			}
		}
		return t
	}
	send := func(f logFactor) int {
		t := first(f.scope)
		if t < 0 {
			b.rest = append(b.rest, f)
		} else {
			b.list[t].inputs = append(b.list[t].inputs, f)
		}
		return t
	}
	for _, f := range factors {
		send(f)
	}
	kept := 0
	for i := range b.list {
		k := &b.list[i]
		scopes := [][]int{{k.variable}}
		for _, f := range k.inputs {
			scopes = append(scopes, f.scope)
		}
		scope := union(scopes...)
		if size, _ := tableSize(scope, b.card); keep {
			kept += size
		}
		if kept > maxKept {
			return nil, fmt.Errorf("bayes: posteriors of all variables take tables of more than %d entries together: %w", maxKept, ErrTooLarge)
		}
		k.factor = newTable(scope, b.card)
		for _, f := range k.inputs {
			k.factor.multiply(f, b.card)
		}
		k.inputs = nil
		k.message = k.factor.sumTo(without(scope, k.variable), b.card)
		if !keep {
			k.factor.logs = nil
		}
		k.parent = send(k.message)
	}
	return b, nil
}

// logZ is the logarithm of the sum over everything; it needs an order with all variables.
func (b *buckets) logZ() float64 {
	z := 0.0
	for _, f := range b.rest {
		z += f.logs[0]
	}
	return z
}

// distribute turns every kept table into the belief of its variables, proportional to
// their marginal: from the last bucket to the first, what the parent believes about the
// variables of the message replaces the message.
func (b *buckets) distribute() {
	for i := len(b.list) - 1; i >= 0; i-- {
		k := &b.list[i]
		if k.parent < 0 {
			continue
		}
		update := b.list[k.parent].factor.sumTo(k.message.scope, b.card)
		for j, m := range k.message.logs {
			if math.IsInf(m, -1) {
				update.logs[j] = m // 0/0 = 0
			} else {
				update.logs[j] -= m
			}
		}
		k.factor.multiply(update, b.card)
	}
}

// marginals returns the distribution of every eliminated variable, nil for the others.
func (b *buckets) marginals(nvar int) [][]float64 {
	out := make([][]float64, nvar)
	for i := range b.list {
		k := &b.list[i]
		m := k.factor.sumTo([]int{k.variable}, b.card)
		out[k.variable] = m.distribution()
	}
	return out
}

// distribution is f divided by its sum; f must not be all zero.
func (f *logFactor) distribution() []float64 {
	top := slices.Max(f.logs)
	p := make([]float64, len(f.logs))
	sum := 0.0
	for i, x := range f.logs {
		p[i] = math.Exp(x - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// logPartition is log Σ Π factors over vars, -Inf if the sum is zero.
func (n *Network) logPartition(factors []logFactor, vars []int) (float64, error) {
	order, err := n.eliminationOrder(factors, vars)
	if err != nil {
		return 0, err
	}
	b, err := n.collect(factors, order, false)
	if err != nil {
		return 0, err
	}
	return b.logZ(), nil
}

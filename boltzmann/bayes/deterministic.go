package bayes

import (
	"math"
	"slices"
)

// maxMerged is the number of entries a factor may grow to when a deterministic variable
// is replaced by its parents.
const maxMerged = 1 << 16

// function says that a variable is a function of others.
type function struct {
	args  []int // ascending
	state []int // by joint value of args, last fastest
}

// eliminateDeterministic replaces every free variable whose conditional table is 0 or 1
// by its function of its parents, in its own table (which becomes 1 and is dropped) and
// in all other factors: Σ_v [v = f(a)] g(v, b) = g(f(a), b). Parents come first, so that a
// function of a function becomes a function of what is left. A variable stays if some
// factor would grow beyond maxMerged entries.
//
// It returns the functions by variable, nil for those that stay, and the factors left.
func (n *Network) eliminateDeterministic(q *conditioned) ([]*function, []logFactor) {
	card := n.cards()
	functions := make([]*function, len(n.Vars))
	factors := q.factors
	order, _ := n.topological() // all variables: the network is acyclic
	for _, v := range order {
		own := -1
		for i, f := range factors {
			if f.child == v {
				own = i
			}
		}
		if own < 0 { // observed, or a variable of a Markov network
			continue
		}
		fn := factors[own].function(v, card)
		if fn == nil || !fn.fits(v, factors, card) {
			continue
		}
		functions[v] = fn
		left := make([]logFactor, 0, len(factors)-1)
		for i, f := range factors {
			if i != own {
				left = append(left, f.substitute(v, fn, card))
			}
		}
		factors = left
	}
	return functions, factors
}

// function returns v as a function of the other variables of its conditional table, or
// nil if some row is not 0 and 1.
func (f *logFactor) function(v int, card []int) *function {
	fn := &function{args: without(f.scope, v)}
	size, _ := tableSize(fn.args, card)
	if size > maxMerged {
		return nil
	}
	fn.state = make([]int, size)
	for i := range fn.state {
		fn.state[i] = -1
	}
	// at[0] is where an entry belongs in the table of args, at[1] its state of v.
	w := newWalk(f.scope, card, fn.args, []int{v})
	for _, x := range f.logs {
		if i, s := w.at[0], w.at[1]; !math.IsInf(x, -1) {
			if fn.state[i] >= 0 {
				return nil // two states with p > 0
			}
			fn.state[i] = s
		}
		w.next()
	}
	if slices.Min(fn.state) == slices.Max(fn.state) { // a constant, such as a single state
		return &function{state: fn.state[:1]}
	}
	return fn
}

// fits reports whether every factor with v stays small when v is replaced.
func (fn *function) fits(v int, factors []logFactor, card []int) bool {
	for _, f := range factors {
		if f.child == v || !slices.Contains(f.scope, v) {
			continue
		}
		size, ok := tableSize(union(without(f.scope, v), fn.args), card)
		if !ok || size > max(maxMerged, len(f.logs)) {
			return false
		}
	}
	return true
}

// substitute puts fn in place of v.
func (f logFactor) substitute(v int, fn *function, card []int) logFactor {
	if !slices.Contains(f.scope, v) {
		return f
	}
	out := newTable(union(without(f.scope, v), fn.args), card)
	out.child = f.child
	stride := 1
	for i := len(f.scope) - 1; f.scope[i] != v; i-- {
		stride *= card[f.scope[i]]
	}
	// In the walk v is missing from the scope, so at[0] is the entry with v = 0.
	w := newWalk(out.scope, card, f.scope, fn.args)
	for i := range out.logs {
		out.logs[i] = f.logs[w.at[0]+stride*fn.state[w.at[1]]]
		w.next()
	}
	return out
}

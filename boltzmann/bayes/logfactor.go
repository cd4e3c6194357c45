package bayes

import (
	"math"
	"slices"
)

// logFactor is a factor of an inference problem: the logarithms of its values, -Inf for
// zero. In logarithms a product of thousands of factors neither under- nor overflows.
type logFactor struct {
	scope []int     // ascending
	logs  []float64 // last variable of the scope fastest
	child int       // variable whose conditional table it is, or -1
}

// logFactors returns the factors of a valid network, conditional rows divided by their
// sum.
func (n *Network) logFactors() []logFactor {
	card := n.cards()
	out := make([]logFactor, len(n.Factors))
	for i, f := range n.Factors {
		table := f.Table
		if f.Child >= 0 {
			table = normalised(table, card[f.Child])
		}
		scope := slices.Sorted(slices.Values(f.Scope))
		g := logFactor{scope: scope, logs: make([]float64, len(table)), child: f.Child}
		w := newWalk(scope, card, f.Scope)
		for j := range g.logs {
			g.logs[j] = math.Log(table[w.at[0]])
			w.next()
		}
		out[i] = g
	}
	return out
}

// normalised divides every row of r entries by its sum.
func normalised(table []float64, r int) []float64 {
	out := slices.Clone(table)
	for i := 0; i < len(out); i += r {
		sum, _ := rowSum(out[i : i+r])
		for j := range r {
			out[i+j] /= sum
		}
	}
	return out
}

// walk steps through the joint values of a scope, last variable fastest, and keeps the
// index of the current value in tables over other scopes. A table without some of the
// variables stays where it is when they change.
type walk struct {
	digit []int
	card  []int
	step  [][]int // step[table][i]: distance in the table between values of variable i
	at    []int   // index in each table
}

// newWalk starts at the first value. Variables of a table that the scope lacks stay at
// their first value.
func newWalk(scope, card []int, tables ...[]int) *walk {
	w := &walk{digit: make([]int, len(scope)), card: make([]int, len(scope)), at: make([]int, len(tables))}
	for i, v := range scope {
		w.card[i] = card[v]
	}
	for _, table := range tables {
		step := make([]int, len(scope))
		stride := 1
		for j := len(table) - 1; j >= 0; j-- {
			if i := slices.Index(scope, table[j]); i >= 0 {
				step[i] = stride
			}
			stride *= card[table[j]]
		}
		w.step = append(w.step, step)
	}
	return w
}

// next goes to the next value; after the last it is back at the first.
func (w *walk) next() {
	for i := len(w.digit) - 1; i >= 0; i-- {
		if w.digit[i]++; w.digit[i] < w.card[i] {
			for t := range w.at {
				w.at[t] += w.step[t][i]
			}
			return
		}
		w.digit[i] = 0
		for t := range w.at {
			w.at[t] -= (w.card[i] - 1) * w.step[t][i]
		}
	}
}

// eachBlock calls visit for consecutive blocks of a table over scope: start is the index of
// the first entry, and entry start+j belongs to entry base+offset[j] of the other table.
// The offsets are the same for all blocks, which makes this walk's inner loop cheap.
func eachBlock(scope, card, table []int, visit func(start, base int, offset []int)) {
	split, size := len(scope), 1 // variables scope[split:] make up a block
	for split > 0 && size*card[scope[split-1]] <= 1<<10 {
		split--
		size *= card[scope[split]]
	}
	offset := make([]int, size)
	w := newWalk(scope[split:], card, table)
	for j := range offset {
		offset[j] = w.at[0]
		w.next()
	}
	blocks, _ := tableSize(scope[:split], card)
	w = newWalk(scope[:split], card, table)
	for i := range blocks {
		visit(i*size, w.at[0], offset)
		w.next()
	}
}

// union is the ascending union of ascending scopes.
func union(scopes ...[]int) []int {
	var all []int
	for _, s := range scopes {
		all = append(all, s...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// without is the scope without v.
func without(scope []int, v int) []int {
	out := make([]int, 0, len(scope))
	for _, u := range scope {
		if u != v {
			out = append(out, u)
		}
	}
	return out
}

// newTable is a table of ones (logarithm 0) over a scope whose size has been checked.
func newTable(scope, card []int) logFactor {
	size, _ := tableSize(scope, card)
	return logFactor{scope: scope, logs: make([]float64, size), child: -1}
}

// multiply multiplies f by g, whose scope f has.
func (f *logFactor) multiply(g logFactor, card []int) {
	eachBlock(f.scope, card, g.scope, func(start, base int, offset []int) {
		block := f.logs[start : start+len(offset)]
		for j, o := range offset {
			block[j] += g.logs[base+o]
		}
	})
}

// sumTo sums f over all variables but those of scope.
func (f *logFactor) sumTo(scope, card []int) logFactor {
	out := newTable(scope, card)
	top := make([]float64, len(out.logs))
	for i := range top {
		top[i] = math.Inf(-1)
	}
	eachBlock(f.scope, card, scope, func(start, base int, offset []int) {
		for j, o := range offset {
			top[base+o] = max(top[base+o], f.logs[start+j])
		}
	})
	eachBlock(f.scope, card, scope, func(start, base int, offset []int) {
		for j, o := range offset {
			if x := f.logs[start+j]; !math.IsInf(x, -1) {
				out.logs[base+o] += math.Exp(x - top[base+o])
			}
		}
	})
	for j, sum := range out.logs {
		out.logs[j] = top[j] + math.Log(sum) // -Inf for an empty sum
	}
	return out
}

// reduce fixes the observed variables (value ≥ 0) of f.
func (f *logFactor) reduce(value, card []int) logFactor {
	var free []int
	start, stride := 0, 1
	for i := len(f.scope) - 1; i >= 0; i-- {
		v := f.scope[i]
		if value[v] >= 0 {
			start += value[v] * stride
		}
		stride *= card[v]
	}
	for _, v := range f.scope {
		if value[v] < 0 {
			free = append(free, v)
		}
	}
	out := newTable(free, card)
	w := newWalk(free, card, f.scope)
	for i := range out.logs {
		out.logs[i] = f.logs[start+w.at[0]]
		w.next()
	}
	if out.child = f.child; f.child >= 0 && value[f.child] >= 0 {
		out.child = -1 // a likelihood of the parents
	}
	return out
}

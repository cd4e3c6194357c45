package bayes

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Limits on what a network may hold. They bound the memory a file can ask for.
const (
	maxEntries = 1 << 24 // entries of one table, and of all tables together
	maxStates  = 1 << 20 // states of all variables together
)

// rowTolerance is how far a conditional row may sum from 1: published tables are
// rounded, often to four decimals.
const rowTolerance = 1e-4

// Variable is a discrete random variable.
type Variable struct {
	Name   string
	States []string // at least one, all different
}

// Factor is a non-negative function of some variables of a Network.
type Factor struct {
	// Scope holds the indices of its variables in Network.Vars, all different. A Markov
	// factor may have none and is then a constant.
	Scope []int
	// Table has one entry for every joint value of the scope; the last variable of the
	// scope changes fastest.
	Table []float64
	// Child is the variable whose table given the others this is, which must be the last
	// of Scope; or -1 for a factor of a Markov network.
	Child int
}

// Network is a product of factors over discrete variables: p(x) ∝ Π_f f(x).
//
// If every factor is the conditional table of a variable (Child ≥ 0), one for each, it
// is a Bayesian network and the product is normalised. Otherwise it is a Markov network,
// in which conditional tables may still occur.
//
// Tables are kept as they were written. Published tables are rounded, so inference first
// divides every conditional row by its sum.
type Network struct {
	Name    string
	Vars    []Variable
	Factors []Factor
}

// Bayesian reports whether every factor is a conditional table.
func (n *Network) Bayesian() bool {
	for _, f := range n.Factors {
		if f.Child < 0 {
			return false
		}
	}
	return len(n.Factors) > 0
}

// Index returns the index of the variable of that name, or an error that says which
// names there are.
func (n *Network) Index(name string) (int, error) {
	for i, v := range n.Vars {
		if v.Name == name {
			return i, nil
		}
	}
	names := make([]string, len(n.Vars))
	for i, v := range n.Vars {
		names[i] = v.Name
	}
	return 0, fmt.Errorf("bayes: unknown variable %q: %s", name, suggest(name, names))
}

// state returns the index of a state of variable v.
func (n *Network) state(v int, name string) (int, error) {
	for s, have := range n.Vars[v].States {
		if have == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("bayes: variable %q has no state %q: %s",
		n.Vars[v].Name, name, suggest(name, n.Vars[v].States))
}

// cards returns the number of states of every variable.
func (n *Network) cards() []int {
	c := make([]int, len(n.Vars))
	for i, v := range n.Vars {
		c[i] = len(v.States)
	}
	return c
}

// problems collects errors, and only counts them beyond the first ten.
type problems struct {
	errs []error
	more int
}

func (p *problems) addf(format string, args ...any) {
	if len(p.errs) == 10 {
		p.more++
		return
	}
	p.errs = append(p.errs, fmt.Errorf("bayes: "+format, args...))
}

func (p *problems) join() error {
	if p.more > 0 {
		p.errs = append(p.errs, fmt.Errorf("bayes: and %d more", p.more))
	}
	return errors.Join(p.errs...)
}

// Validate reports what is wrong with the network:
//
//   - variable names, and the states of one variable, must be non-empty and different;
//     every variable has at least one state;
//   - a scope names existing, different variables and a table has one finite entry ≥ 0
//     for each of their joint values, at most 2^24 in all;
//   - Child is -1 or the last variable of the scope, no variable has two conditional
//     tables, and in a Bayesian network every variable has one;
//   - every row of a conditional table sums to 1 within 1e-4;
//   - the conditional tables have no directed cycle.
func (n *Network) Validate() error {
	var p problems
	n.validateVars(&p)
	if n.validateScopes(&p); len(p.errs) > 0 {
		return p.join() // the rest would read out of range
	}
	n.validateTables(&p)
	if cycle := n.cycle(); cycle != nil {
		p.addf("the network has the cycle %s: must be acyclic", strings.Join(cycle, " → "))
	}
	return p.join()
}

func (n *Network) validateVars(p *problems) {
	if len(n.Vars) == 0 {
		p.addf("the network has no variables: must have at least 1")
	}
	names := make(map[string]bool, len(n.Vars))
	states := 0
	for i, v := range n.Vars {
		switch {
		case v.Name == "":
			p.addf("variable %d has no name", i)
		case names[v.Name]:
			p.addf("two variables are named %q: names must differ", v.Name)
		}
		names[v.Name] = true
		if len(v.States) == 0 {
			p.addf("variable %q has no states: must have at least 1", v.Name)
		}
		states += len(v.States)
		seen := make(map[string]bool, len(v.States))
		for s, name := range v.States {
			switch {
			case name == "":
				p.addf("state %d of variable %q has no name", s, v.Name)
			case seen[name]:
				p.addf("variable %q has state %q twice: states must differ", v.Name, name)
			}
			seen[name] = true
		}
	}
	if states > maxStates {
		p.addf("the variables have %d states together: at most %d", states, maxStates)
	}
}

func (n *Network) validateScopes(p *problems) {
	total := 0
	card := n.cards()
	table := make([]int, len(n.Vars)) // 1 + factor that is the variable's table
	for f, fac := range n.Factors {
		ok := true
		seen := make(map[int]bool, len(fac.Scope))
		for _, v := range fac.Scope {
			switch {
			case v < 0 || v >= len(n.Vars):
				p.addf("factor %d has variable %d in its scope: must be in 0..%d", f, v, len(n.Vars)-1)
				ok = false
			case seen[v]:
				p.addf("factor %d has variable %q twice in its scope", f, n.Vars[v].Name)
				ok = false
			}
			seen[v] = true
		}
		if !ok {
			continue
		}
		size, fits := tableSize(fac.Scope, card)
		switch {
		case !fits:
			p.addf("factor %d (%s) has more than %d entries", f, n.scopeNames(fac.Scope), maxEntries)
		case size != len(fac.Table):
			p.addf("factor %d (%s) has %d entries: must have %d", f, n.scopeNames(fac.Scope), len(fac.Table), size)
		}
		total += len(fac.Table)
		switch c := fac.Child; {
		case c == -1:
		case len(fac.Scope) == 0 || c != fac.Scope[len(fac.Scope)-1]:
			p.addf("factor %d has Child = %d: must be -1 (Markov factor) or the last variable of its scope", f, c)
		case table[c] > 0:
			p.addf("variable %q has two conditional tables, factors %d and %d: must have one", n.Vars[c].Name, table[c]-1, f)
		default:
			table[c] = f + 1
		}
	}
	if total > maxEntries {
		p.addf("the tables have %d entries together: at most %d", total, maxEntries)
	}
	if n.Bayesian() {
		for v, f := range table {
			if f == 0 {
				p.addf("variable %q has no conditional table: every variable of a Bayesian network must have one", n.Vars[v].Name)
			}
		}
	}
}

func (n *Network) validateTables(p *problems) {
	for f, fac := range n.Factors {
		for i, x := range fac.Table {
			if !(x >= 0) || math.IsInf(x, 0) {
				p.addf("factor %d (%s), entry %d is %v: must be finite and ≥ 0", f, n.scopeNames(fac.Scope), i, x)
			}
		}
		if fac.Child < 0 {
			continue
		}
		r := len(n.Vars[fac.Child].States)
		for row := range len(fac.Table) / r {
			if sum, ok := rowSum(fac.Table[row*r : (row+1)*r]); !ok {
				p.addf("the table of %q given %s sums to %v: must sum to 1 within %v",
					n.Vars[fac.Child].Name, n.rowName(fac.Scope[:len(fac.Scope)-1], row), sum, rowTolerance)
			}
		}
	}
}

// rowSum is the sum of a conditional row and whether it may pass for 1.
func rowSum(row []float64) (sum float64, ok bool) {
	for _, x := range row {
		sum += x
	}
	return sum, math.Abs(sum-1) <= rowTolerance
}

// tableSize is the number of joint values of the scope, and whether it is within
// maxEntries.
func tableSize(scope, card []int) (size int, ok bool) {
	size = 1
	for _, v := range scope {
		if card[v] == 0 {
			return 0, true
		}
		if size > maxEntries/card[v] {
			return 0, false
		}
		size *= card[v]
	}
	return size, true
}

func (n *Network) scopeNames(scope []int) string {
	names := make([]string, len(scope))
	for i, v := range scope {
		names[i] = n.Vars[v].Name
	}
	return strings.Join(names, ", ")
}

// rowName names the row'th joint value of the parents.
func (n *Network) rowName(parents []int, row int) string {
	if len(parents) == 0 {
		return "no parents"
	}
	part := make([]string, len(parents))
	for i := len(parents) - 1; i >= 0; i-- {
		v := n.Vars[parents[i]]
		part[i] = v.Name + "=" + v.States[row%len(v.States)]
		row /= len(v.States)
	}
	return strings.Join(part, ", ")
}

// topological returns the variables so that parents come before children, by conditional
// tables alone, and the variables on or behind a cycle, which have no such order.
func (n *Network) topological() (order, rest []int) {
	parents := make([]int, len(n.Vars)) // parents not yet placed
	children := make([][]int, len(n.Vars))
	for _, f := range n.Factors {
		if f.Child < 0 {
			continue
		}
		for _, v := range f.Scope[:len(f.Scope)-1] {
			children[v] = append(children[v], f.Child)
			parents[f.Child]++
		}
	}
	for v := range n.Vars {
		if parents[v] == 0 {
			order = append(order, v)
		}
	}
	for i := 0; i < len(order); i++ {
		for _, c := range children[order[i]] {
			if parents[c]--; parents[c] == 0 {
				order = append(order, c)
			}
		}
	}
	for v := range n.Vars {
		if parents[v] > 0 {
			rest = append(rest, v)
		}
	}
	return order, rest
}

// cycle returns the names along one directed cycle, first name repeated, or nil.
func (n *Network) cycle() []string {
	_, rest := n.topological()
	if len(rest) == 0 {
		return nil
	}
	// Every variable left has a parent that is left too, so walking up must repeat.
	left := make([]bool, len(n.Vars))
	for _, v := range rest {
		left[v] = true
	}
	up := make([]int, len(n.Vars))
	for _, f := range n.Factors {
		if f.Child >= 0 && left[f.Child] {
			for _, v := range f.Scope[:len(f.Scope)-1] {
				if left[v] {
					up[f.Child] = v
				}
			}
		}
	}
	at := rest[0]
	for range rest {
		at = up[at]
	}
	names := []string{n.Vars[at].Name}
	for v := up[at]; ; v = up[v] {
		names = append([]string{n.Vars[v].Name}, names...)
		if v == at {
			return names
		}
	}
}

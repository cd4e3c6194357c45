package bayes

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// onNames are the states of a binary variable that a unit represents by 1, in lower case.
var onNames = []string{"yes", "y", "true", "t", "1", "on", "present", "positive", "high", "abnormal", "active"}

// onState is the state of a binary variable for which its unit is on: the one named in
// onNames if there is exactly one, else the second.
func onState(states []string) int {
	named := func(s string) bool { return slices.Contains(onNames, strings.ToLower(s)) }
	if named(states[0]) && !named(states[1]) {
		return 0
	}
	return 1
}

// code says how the units represent one variable.
type code struct {
	base   int   // state of no unit: off of a binary variable, reference of a one-hot one
	unit   []int // unit by state, -1 if it has none
	oneHot bool
}

// encoder builds the units and terms of a target.
type encoder struct {
	net   *Network
	codes []code // by variable; zero for variables without units
	names []string
	terms termSet
	parts [][]boltzmann.Term // terms of each factor, for the auxiliary form
}

// addUnit appends the unit of a state and returns its index.
func (e *encoder) addUnit(v, state int) int {
	va := e.net.Vars[v]
	e.names = append(e.names, va.Name+"="+va.States[state])
	return len(e.names) - 1
}

// addVariable makes the units of v. reference is the reference state of a one-hot code.
func (e *encoder) addVariable(v, reference int) {
	states := e.net.Vars[v].States
	c := code{unit: make([]int, len(states))}
	switch len(states) {
	case 1:
		c.unit[0] = -1
	case 2:
		on := onState(states)
		c.base = 1 - on
		c.unit[c.base] = -1
		c.unit[on] = e.addUnit(v, on)
	default:
		c.base, c.oneHot = reference, true
		for s := range states {
			c.unit[s] = e.addUnit(v, s)
		}
	}
	e.codes[v] = c
}

// addFactor writes log f as a sum of products of units. Relative to the base states of
// its variables,
//
//	log f(s) = Σ_T c_T(s_T),   c_T(s_T) = Σ_{U⊆T} (−1)^{|T|−|U|} log f(s_U, base),
//
// where T runs over sets of variables and c_T is zero if some variable of T is in its
// base state. So c_T(s_T) is the coefficient of the product of the units of s_T.
func (e *encoder) addFactor(f logFactor, card []int) {
	c := slices.Clone(f.logs)
	size := 0.0
	for _, x := range c {
		size = max(size, math.Abs(x))
	}
	stride := 1
	for i := len(f.scope) - 1; i >= 0; i-- {
		v := f.scope[i]
		r, base := card[v], e.codes[v].base
		for j := range c {
			if s := j / stride % r; s != base {
				c[j] -= c[j+(base-s)*stride]
			}
		}
		stride *= r
	}
	w := newWalk(f.scope, card)
	var part []boltzmann.Term
	for _, x := range c {
		var units []int
		for i, s := range w.digit {
			if v := f.scope[i]; s != e.codes[v].base {
				units = append(units, e.codes[v].unit[s])
			}
		}
		w.next()
		if len(units) == 0 {
			continue // a constant
		}
		// c is a sum of 2^|T| logarithms, each right to ε(1 + |log f|).
		rounding := 4 * 0x1p-52 * (1 + size) * math.Ldexp(1, len(units))
		slices.Sort(units)
		e.terms.add(units, x, rounding)
		if math.Abs(x) > rounding {
			part = append(part, boltzmann.Term{Units: units, Coef: x})
		}
	}
	e.parts = append(e.parts, part)
}

// addOneHot adds to the units of v the bias and the exclusion of a one-hot code. pRef is
// the probability of its reference state.
//
// With the other variables defined, the weight of no unit on is that of the reference
// state and of one unit on exp(c) times that of its state, so their odds are
// exp(−c) pRef = odds. The exclusion exceeds the largest log odds a unit can have, over
// all states of all other units, by six: with two units on, each wants to go off.
func (e *encoder) addOneHot(v int, pRef, odds float64, positive []float64) []boltzmann.Term {
	units := e.codes[v].unit
	bias := math.Log(pRef / odds)
	top := 0.0
	for _, k := range units {
		top = max(top, bias+positive[k])
	}
	var terms []boltzmann.Term
	for i, k := range units {
		terms = append(terms, boltzmann.Term{Units: []int{k}, Coef: bias})
		for _, j := range units[:i] {
			terms = append(terms, boltzmann.Term{Units: []int{j, k}, Coef: -(top + 6)})
		}
	}
	return terms
}

// termSet adds up terms over the same units.
type termSet struct {
	index    map[string]int
	terms    []boltzmann.Term
	rounding []float64
}

func (t *termSet) add(units []int, coef, rounding float64) {
	var key []byte
	for _, k := range units {
		key = append(key, byte(k), byte(k>>8), byte(k>>16), byte(k>>24))
	}
	i, ok := t.index[string(key)]
	if !ok {
		i = len(t.terms)
		t.index[string(key)] = i
		t.terms = append(t.terms, boltzmann.Term{Units: units})
		t.rounding = append(t.rounding, 0)
	}
	t.terms[i].Coef += coef
	t.rounding[i] += rounding
}

// result is the terms that are not zero up to rounding.
func (t *termSet) result() []boltzmann.Term {
	var out []boltzmann.Term
	for i, term := range t.terms {
		if math.Abs(term.Coef) > t.rounding[i] {
			out = append(out, term)
		}
	}
	return out
}

// positive returns, by unit, the largest log odds that terms can give it: its bias and
// all positive couplings.
func positive(n int, terms []boltzmann.Term) []float64 {
	u := make([]float64, n)
	for _, t := range terms {
		for _, k := range t.Units {
			if len(t.Units) == 1 || t.Coef > 0 {
				u[k] += t.Coef
			}
		}
	}
	return u
}

// references chooses the reference state of every one-hot variable, its most probable
// one, and returns its probability: neighbouring units see the reference state while no
// unit is on, on the way from one state to another. Without exact marginals it is the
// first state, taken to be as probable as any.
func (n *Network) references(factors []logFactor, vars []int) (ref []int, p []float64, err error) {
	ref = make([]int, len(n.Vars))
	p = make([]float64, len(n.Vars))
	oneHot := false
	for _, v := range vars {
		r := len(n.Vars[v].States)
		p[v] = 1 / float64(r)
		oneHot = oneHot || r > 2
	}
	if !oneHot {
		return ref, p, nil
	}
	order, err := n.eliminationOrder(factors, vars)
	var b *buckets
	if err == nil {
		b, err = n.collect(factors, order, true)
	}
	if errors.Is(err, ErrTooLarge) {
		return ref, p, nil
	} else if err != nil {
		return nil, nil, err
	}
	b.distribute()
	for v, m := range b.marginals(len(n.Vars)) {
		for s, x := range m {
			if x > p[v] {
				ref[v], p[v] = s, x
			}
		}
	}
	return ref, p, nil
}

// encode writes the product of positive factors over vars as a machine.
func (n *Network) encode(factors []logFactor, vars []int, o Options) (*encoder, []boltzmann.Term, error) {
	ref, pRef, err := n.references(factors, vars)
	if err != nil {
		return nil, nil, err
	}
	e := &encoder{net: n, codes: make([]code, len(n.Vars)), terms: termSet{index: map[string]int{}}}
	for _, v := range vars {
		e.addVariable(v, ref[v])
	}
	card := n.cards()
	entries := 0
	for _, f := range factors {
		if entries += len(f.logs); entries > maxEntries {
			return nil, nil, fmt.Errorf("bayes: the factors have more than %d entries together: too many for a machine", maxEntries)
		}
		e.addFactor(f, card)
	}
	terms := e.terms.result()
	largest := positive(len(e.names), terms)
	for _, v := range vars {
		if e.codes[v].oneHot {
			hot := e.addOneHot(v, pRef[v], o.NoneOdds, largest)
			e.parts = append(e.parts, hot)
			terms = append(terms, hot...)
		}
	}
	if len(terms) > o.MaxTerms {
		return nil, nil, fmt.Errorf("bayes: the machine has %d terms: MaxTerms = %d; condition on more evidence or raise it", len(terms), o.MaxTerms)
	}
	return e, terms, nil
}

package bayes

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ErrImpossible is wrapped by errors about evidence of probability zero.
var ErrImpossible = errors.New("the evidence has probability 0")

// Posterior is the exact distribution of every variable given evidence.
type Posterior struct {
	Vars      []Variable  // those of the network
	Marginals [][]float64 // p(variable = state | evidence), by variable and state
	// LogEvidence is log p(evidence) [nats], relative to the sum over all states for a
	// Markov network.
	LogEvidence float64
	// LogZ is the logarithm of the sum of the product of all factors over the states that
	// agree with the evidence [nats]. In a Bayesian network it equals LogEvidence.
	LogZ float64
}

// Prob returns p(variable = state | evidence).
func (p *Posterior) Prob(variable, state string) (float64, error) {
	n := Network{Vars: p.Vars}
	v, err := n.Index(variable)
	if err != nil {
		return 0, err
	}
	s, err := n.state(v, state)
	if err != nil {
		return 0, err
	}
	return p.Marginals[v][s], nil
}

// String is a table with one line per variable.
func (p *Posterior) String() string {
	var b strings.Builder
	for v, va := range p.Vars {
		fmt.Fprintf(&b, "%s:", va.Name)
		for s, name := range va.States {
			fmt.Fprintf(&b, " %s %.6f", name, p.Marginals[v][s])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Posterior computes the marginals of all variables given the evidence, and the
// probability of the evidence, exactly by variable elimination (Zhang and Poole 1994) in
// min-fill order: one pass sums out all variables, a second, backward, turns every
// intermediate table into a marginal (Shafer and Shenoy 1990). All sums are in
// logarithms.
//
// Errors: an invalid network, evidence about unknown variables or states, ErrImpossible,
// ErrTooLarge.
func (n *Network) Posterior(ev Evidence) (*Posterior, error) {
	q, err := n.condition(ev)
	if err != nil {
		return nil, err
	}
	order, err := n.eliminationOrder(q.factors, q.free)
	if err != nil {
		return nil, err
	}
	b, err := n.collect(q.factors, order, true)
	if err != nil {
		return nil, err
	}
	p := &Posterior{Vars: n.Vars, LogZ: b.logZ()}
	if math.IsInf(p.LogZ, -1) {
		return nil, impossible(ev)
	}
	b.distribute()
	p.Marginals = b.marginals(len(n.Vars))
	for v, s := range q.value {
		if s >= 0 {
			p.Marginals[v] = make([]float64, len(n.Vars[v].States))
			p.Marginals[v][s] = 1
		}
	}
	switch p.LogEvidence = p.LogZ; {
	case len(ev) == 0:
		p.LogEvidence = 0
	case !n.Bayesian():
		all, err := n.logPartition(n.logFactors(), n.all())
		if err != nil {
			return nil, err
		}
		p.LogEvidence -= all
	}
	return p, nil
}

// PosteriorJoint computes the joint distribution of the query variables given the
// evidence, exactly by variable elimination. Entry Σ_i s_i Π_{j<i} r_j is the probability
// that query[i] is in state s_i, with r_j the number of states of query[j]: the first
// variable changes fastest. A query variable may be observed. Errors as in Posterior, and
// an empty query, a variable twice or more than 2^24 entries.
func (n *Network) PosteriorJoint(ev Evidence, query []string) ([]float64, error) {
	q, err := n.condition(ev)
	if err != nil {
		return nil, err
	}
	if len(query) == 0 {
		return nil, errors.New("bayes: query is empty: must name at least one variable")
	}
	vars := make([]int, len(query))
	for i, name := range query {
		if vars[i], err = n.Index(name); err != nil {
			return nil, err
		}
		if slices.Contains(vars[:i], vars[i]) {
			return nil, fmt.Errorf("bayes: query names variable %q twice", name)
		}
	}
	card := n.cards()
	size, ok := tableSize(vars, card)
	if !ok {
		return nil, fmt.Errorf("bayes: the joint distribution of the query has more than %d entries", maxEntries)
	}
	var sumOut, stay []int
	for _, v := range q.free {
		if slices.Contains(vars, v) {
			stay = append(stay, v)
		} else {
			sumOut = append(sumOut, v)
		}
	}
	order, err := n.eliminationOrder(q.factors, sumOut)
	if err != nil {
		return nil, err
	}
	b, err := n.collect(q.factors, order, false)
	if err != nil {
		return nil, err
	}
	joint := newTable(stay, card)
	for _, f := range b.rest {
		joint.multiply(f, card)
	}
	if math.IsInf(slices.Max(joint.logs), -1) {
		return nil, impossible(ev)
	}
	p := joint.distribution()

	// Scatter into the table of the query, where observed variables sit at their state.
	out := make([]float64, size)
	slices.Reverse(vars) // last fastest, as walk has it
	start, stride := 0, 1
	for i := len(vars) - 1; i >= 0; i-- {
		if s := q.value[vars[i]]; s >= 0 {
			start += s * stride
		}
		stride *= card[vars[i]]
	}
	w := newWalk(stay, card, vars)
	for _, x := range p {
		out[start+w.at[0]] = x
		w.next()
	}
	return out, nil
}

// conditioned is a network with evidence put into its factors.
type conditioned struct {
	value   []int // observed state by variable, -1 if free
	free    []int // variables without evidence, ascending
	factors []logFactor
}

func (n *Network) condition(ev Evidence) (*conditioned, error) {
	if err := n.Validate(); err != nil {
		return nil, err
	}
	value, err := n.observed(ev)
	if err != nil {
		return nil, err
	}
	q := &conditioned{value: value}
	for v, s := range value {
		if s < 0 {
			q.free = append(q.free, v)
		}
	}
	card := n.cards()
	for _, f := range n.logFactors() {
		q.factors = append(q.factors, f.reduce(value, card))
	}
	return q, nil
}

// all lists all variables.
func (n *Network) all() []int {
	vars := make([]int, len(n.Vars))
	for v := range vars {
		vars[v] = v
	}
	return vars
}

func impossible(ev Evidence) error {
	if len(ev) == 0 {
		return fmt.Errorf("bayes: every state of the network has weight 0: %w", ErrImpossible)
	}
	return fmt.Errorf("bayes: evidence %s: %w", ev, ErrImpossible)
}

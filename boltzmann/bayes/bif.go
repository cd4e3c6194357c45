package bayes

import (
	"io"
	"math"
	"strconv"
	"strings"
)

// ReadBIF reads a Bayesian network in the Interchange Format (BIF 0.15, Cozman 1998) as
// written by bnlearn, JavaBayes and others:
//
//	network NAME { property ... ; }
//	variable X { type discrete [ 2 ] { yes, no }; property ... ; }
//	probability ( X | A, B ) {
//	  (yes, no) 0.1, 0.9;   // a row: states of A, B, then the distribution of X
//	  default 0.5, 0.5;     // for the rows not given
//	}
//	probability ( A ) { table 0.01, 0.99; }
//
// The network block comes first and a variable before its use. Names are bare words (any
// characters but space, quotes and {}()[];,|) or stand in double quotes. Commas are
// optional, as is '|' (JavaBayes writes none): the first variable is the child, the rest
// are its parents. Comments are // and /* */. Properties are skipped and not kept.
//
// The order of a table with parents is not agreed on. The format itself and JavaBayes
// let the child change slowest and the last parent fastest; other writers let the child
// change fastest. Rows must sum to 1, which only one order fulfils for nearly all
// tables: that one is read. Where both orders do and the results differ, ReadBIF returns
// an error that asks for rows. bnlearn writes tables only for variables without parents,
// where there is no question.
//
// Errors give line, column and what was expected. Rows must sum to 1 within 1e-4, and all
// tables together may have 2^24 entries. The result has passed Validate; its factors are
// in the order of the file and have the scope (parents as listed, child).
func ReadBIF(r io.Reader) (*Network, error) {
	p := &bifParser{bifScanner: bifScanner{src: newSource("BIF", r)}, net: &Network{}, index: map[string]int{}}
	if err := p.file(); err != nil {
		return nil, err
	}
	if err := p.net.Validate(); err != nil {
		return nil, err
	}
	return p.net, nil
}

type bifParser struct {
	bifScanner
	net     *Network
	index   map[string]int // of variables by name
	hasCPT  []bool         // by variable
	declare []place        // where the variables were declared
	entries int            // of all tables so far
	states  int            // of all variables so far
}

func (p *bifParser) file() error {
	if err := p.advance(); err != nil {
		return err
	}
	if !p.keyword("network") {
		return p.expected(`"network"`)
	}
	if err := p.network(); err != nil {
		return err
	}
	for p.tok.kind != tokenEnd {
		var err error
		switch {
		case p.keyword("variable"):
			err = p.variable()
		case p.keyword("probability"):
			err = p.probability()
		default:
			err = p.expected(`"variable" or "probability"`)
		}
		if err != nil {
			return err
		}
	}
	for v, ok := range p.hasCPT {
		if !ok {
			return p.src.errorf(p.declare[v], "variable %q has no probability block", p.net.Vars[v].Name)
		}
	}
	return nil
}

// network takes: network NAME { property ... ; }
func (p *bifParser) network() error {
	if err := p.advance(); err != nil {
		return err
	}
	var name []string
	for length := 0; p.tok.kind == tokenWord || p.tok.kind == tokenString; {
		if length += len(p.tok.text) + 1; length > maxToken {
			return p.src.errorf(p.tok.at, "network name longer than %d bytes", maxToken)
		}
		name = append(name, p.tok.text)
		if err := p.advance(); err != nil {
			return err
		}
	}
	p.net.Name = strings.Join(name, " ")
	if err := p.mark('{', "after the network name"); err != nil {
		return err
	}
	for p.keyword("property") {
		if err := p.property(); err != nil {
			return err
		}
	}
	return p.closing(`"property" or "}"`)
}

// closing takes the } of a block, and a ; that some writers put after it.
func (p *bifParser) closing(instead string) error {
	if p.tok.kind != '}' {
		return p.expected("%s", instead)
	}
	if err := p.advance(); err != nil {
		return err
	}
	if p.tok.kind == ';' {
		return p.advance()
	}
	return nil
}

// property takes: property anything ;
func (p *bifParser) property() error {
	for at := p.tok.at; p.tok.kind != ';'; {
		if p.tok.kind == tokenEnd {
			return p.src.errorf(at, `property without end: expected ";"`)
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	return p.advance()
}

// variable takes: variable X { type discrete [ N ] { states }; property ... ; }
func (p *bifParser) variable() error {
	if err := p.advance(); err != nil {
		return err
	}
	name, at, err := p.name("a variable name")
	if err != nil {
		return err
	}
	if _, twice := p.index[name]; twice {
		return p.src.errorf(at, "variable %q is declared twice", name)
	}
	if err := p.mark('{', "after the variable name"); err != nil {
		return err
	}
	var states []string
	for p.tok.kind != '}' {
		switch {
		case p.keyword("property"):
			err = p.property()
		case p.keyword("type") && states == nil:
			states, err = p.variableType(name)
		case states == nil:
			err = p.expected(`"type" or "property"`)
		default:
			err = p.expected(`"property" or "}"`)
		}
		if err != nil {
			return err
		}
	}
	if states == nil {
		return p.expected(`"type" or "property"`)
	}
	if p.states += len(states); p.states > maxStates {
		return p.src.errorf(at, "the variables have more than %d states together", maxStates)
	}
	p.index[name] = len(p.net.Vars)
	p.net.Vars = append(p.net.Vars, Variable{Name: name, States: states})
	p.hasCPT = append(p.hasCPT, false)
	p.declare = append(p.declare, at)
	return p.closing(`"}"`)
}

// variableType takes: type discrete [ N ] { states };
func (p *bifParser) variableType(variable string) ([]string, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.keyword("discrete") {
		return nil, p.expected(`"discrete", the only type there is`)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.mark('[', "and the number of states"); err != nil {
		return nil, err
	}
	count := p.tok
	n, err := strconv.Atoi(count.text)
	if count.kind != tokenWord || err != nil || n < 1 {
		return nil, p.expected("the number of states, an integer ≥ 1")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.mark(']', "after the number of states"); err != nil {
		return nil, err
	}
	if p.keyword("=") { // seen in some files
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if err := p.mark('{', "and the states"); err != nil {
		return nil, err
	}
	var states []string
	seen := map[string]bool{}
	for p.tok.kind != '}' {
		name, at, err := p.name(`a state or "}"`)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, p.src.errorf(at, "variable %q has state %q twice", variable, name)
		}
		if len(states) == maxStates {
			return nil, p.src.errorf(at, "variable %q has more than %d states", variable, maxStates)
		}
		seen[name] = true
		states = append(states, name)
	}
	if len(states) != n {
		return nil, p.src.errorf(count.at, "variable %q lists %d states: expected %d", variable, len(states), n)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return states, p.mark(';', "after the states")
}

// numbers takes probabilities up to and including ';' and wants one of the counts.
func (p *bifParser) numbers(dst []float64, count int, what string) ([]float64, error) {
	dst = dst[:0]
	for p.tok.kind != ';' {
		x, err := strconv.ParseFloat(p.tok.text, 64)
		if p.tok.kind != tokenWord || err != nil || !(x >= 0) || math.IsInf(x, 0) {
			return nil, p.expected(`a finite number ≥ 0 or ";"`)
		}
		if len(dst) == count {
			return nil, p.expected(`";": %s has %d numbers`, what, count)
		}
		dst = append(dst, x)
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if len(dst) < count {
		return nil, p.expected("%d numbers in %s, got %d", count, what, len(dst))
	}
	return dst, p.advance()
}

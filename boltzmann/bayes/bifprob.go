package bayes

import (
	"slices"
	"strings"
)

// bifTable collects one probability block.
type bifTable struct {
	child   string
	scope   []int // parents, then child
	r       int   // states of the child
	values  []float64
	given   []bool // rows given
	rows    int    // number of rows given
	table   bool   // given as a whole
	dflt    []float64
	scratch []float64
}

// probability takes: probability ( X | A, B ) { rows, table or default }
func (p *bifParser) probability() error {
	start := p.tok.at
	if err := p.advance(); err != nil {
		return err
	}
	t, err := p.head()
	if err != nil {
		return err
	}
	if err := p.mark('{', `after ")"`); err != nil {
		return err
	}
	for p.tok.kind != '}' {
		at := p.tok.at
		switch {
		case p.keyword("property"):
			err = p.property()
		case p.tok.kind == '(':
			err = p.row(t)
		case p.keyword("table") && !t.table && t.rows == 0 && t.dflt == nil:
			if err = p.advance(); err == nil {
				err = p.table(t, at)
			}
		case p.keyword("default") && !t.table && t.dflt == nil:
			if err = p.advance(); err == nil {
				t.dflt, err = p.numbers(make([]float64, 0, t.r), t.r, "the default row")
			}
			if err == nil {
				err = p.checkRow(t, "the default row", at, t.dflt)
			}
		case t.table:
			err = p.expected(`"}" after a table`)
		case t.rows > 0 || t.dflt != nil:
			err = p.expected(`a row "(", one "default" or "}"`)
		default:
			err = p.expected(`"table", a row "(", "default" or "}"`)
		}
		if err != nil {
			return err
		}
	}
	for row, ok := range t.given {
		if ok || t.table {
			continue
		}
		if t.dflt == nil {
			return p.src.errorf(start, "probability of %q has no row for %s and no default",
				t.child, p.net.rowName(t.scope[:len(t.scope)-1], row))
		}
		copy(t.values[row*t.r:], t.dflt)
	}
	child := t.scope[len(t.scope)-1]
	p.hasCPT[child] = true
	p.net.Factors = append(p.net.Factors, Factor{Scope: t.scope, Table: t.values, Child: child})
	return p.closing(`"}"`)
}

// head takes: ( X | A, B )
func (p *bifParser) head() (*bifTable, error) {
	if err := p.mark('(', `after "probability"`); err != nil {
		return nil, err
	}
	var scope []int // child, then parents
	size := 1
	for p.tok.kind != ')' || len(scope) == 0 {
		if p.tok.kind == '|' && len(scope) == 1 {
			if err := p.advance(); err != nil {
				return nil, err
			}
			continue
		}
		what := `a parent or ")"`
		if len(scope) == 0 {
			what = "a variable"
		}
		name, at, err := p.name(what)
		if err != nil {
			return nil, err
		}
		v, ok := p.index[name]
		switch {
		case !ok:
			names := make([]string, len(p.net.Vars))
			for i := range names {
				names[i] = p.net.Vars[i].Name
			}
			return nil, p.src.errorf(at, "variable %q is not declared before its use: %s", name, suggest(name, names))
		case len(scope) == 0 && p.hasCPT[v]:
			return nil, p.src.errorf(at, "variable %q has a second probability block", name)
		case slices.Contains(scope, v):
			return nil, p.src.errorf(at, "variable %q occurs twice in one probability block", name)
		}
		r := len(p.net.Vars[v].States)
		if size > (maxEntries-p.entries)/r {
			return nil, p.src.errorf(at, "the tables have more than %d entries together", maxEntries)
		}
		size *= r
		scope = append(scope, v)
	}
	p.entries += size
	child := scope[0]
	t := &bifTable{
		child:  p.net.Vars[child].Name,
		scope:  append(scope[1:len(scope):len(scope)], child),
		r:      len(p.net.Vars[child].States),
		values: make([]float64, size),
	}
	t.given = make([]bool, size/t.r)
	return t, p.advance()
}

// row takes: (states of the parents) numbers;
func (p *bifParser) row(t *bifTable) error {
	start := p.tok.at
	if t.table {
		return p.expected(`"}" after a table`)
	}
	if err := p.advance(); err != nil {
		return err
	}
	parents := t.scope[:len(t.scope)-1]
	row := 0
	for i, v := range parents {
		va := p.net.Vars[v]
		name, at, err := p.name("a state of parent " + va.Name)
		if err != nil {
			return err
		}
		s := slices.Index(va.States, name)
		if s < 0 {
			return p.src.errorf(at, "parent %d, %q, has no state %q: %s", i+1, va.Name, name, suggest(name, va.States))
		}
		row = row*len(va.States) + s
	}
	if err := p.mark(')', "after the states of the parents"); err != nil {
		return err
	}
	if t.given[row] {
		return p.src.errorf(start, "second row of %q for %s", t.child, p.net.rowName(parents, row))
	}
	var err error
	if t.scratch, err = p.numbers(t.scratch, t.r, "a row"); err != nil {
		return err
	}
	copy(t.values[row*t.r:], t.scratch)
	t.given[row] = true
	t.rows++
	return p.checkRow(t, "the row for "+p.net.rowName(parents, row), start, t.scratch)
}

func (p *bifParser) checkRow(t *bifTable, what string, at place, row []float64) error {
	if sum, ok := rowSum(row); !ok {
		return p.src.errorf(at, "%s of %q sums to %v: expected 1 within %v", what, t.child, sum, rowTolerance)
	}
	return nil
}

// table takes the numbers of a whole table and decides on their order; see ReadBIF.
func (p *bifParser) table(t *bifTable, at place) error {
	written, err := p.numbers(make([]float64, 0, len(t.values)), len(t.values), "the table")
	if err != nil {
		return err
	}
	t.table = true
	rows := len(written) / t.r
	childLast := t.values
	copy(childLast, written) // child fastest, as our tables are
	childFirst := make([]float64, len(written))
	for i, x := range written {
		childFirst[i%rows*t.r+i/rows] = x // child slowest
	}
	last, first := allRowsSum(childLast, t.r), allRowsSum(childFirst, t.r)
	switch {
	case last && first && !slices.Equal(childLast, childFirst):
		return p.src.errorf(at, "the table of %q sums to 1 whether the child changes slowest or fastest: expected one row per state of the parents, like (%s) ...;",
			t.child, strings.Join(p.firstStates(t), ", "))
	case first && !last:
		t.values = childFirst
	case !last:
		if rows == 1 {
			return p.checkRow(t, "the table", at, written)
		}
		return p.src.errorf(at, "the table of %q does not sum to 1 within %v for every state of the parents", t.child, rowTolerance)
	}
	return nil
}

func (p *bifParser) firstStates(t *bifTable) []string {
	var names []string
	for _, v := range t.scope[:len(t.scope)-1] {
		names = append(names, p.net.Vars[v].States[0])
	}
	return names
}

func allRowsSum(table []float64, r int) bool {
	for i := 0; i < len(table); i += r {
		if _, ok := rowSum(table[i : i+r]); !ok {
			return false
		}
	}
	return true
}

package bayes

import (
	"errors"
	"fmt"
	"testing"
)

// width is the number of entries of the largest table on the way, as the order has it.
func width(t *testing.T, n *Network) int {
	t.Helper()
	q := must(n.condition(nil))
	b := must(n.collect(q.factors, must(n.eliminationOrder(q.factors, q.free)), true))
	size := 0
	for _, k := range b.list {
		size = max(size, len(k.factor.logs))
	}
	return size
}

// binary returns n binary variables without factors.
func binary(n int) *Network {
	net := &Network{}
	for v := range n {
		net.Vars = append(net.Vars, Variable{fmt.Sprint(v), []string{"0", "1"}})
	}
	return net
}

func (n *Network) connect(u, v int) {
	n.Factors = append(n.Factors, Factor{Scope: []int{u, v}, Table: []float64{2, 1, 1, 2}, Child: -1})
}

// newGrid connects neighbours in rows and columns.
func newGrid(columns, rows int) *Network {
	grid := binary(columns * rows)
	for v := range columns * rows {
		if v%columns > 0 {
			grid.connect(v-1, v)
		}
		if v >= columns {
			grid.connect(v-columns, v)
		}
	}
	return grid
}

// Trees need tables of two variables, in whatever order variables are listed; a grid of
// k columns of k + 1 variables.
func TestEliminationOrderWidth(t *testing.T) {
	star := binary(60)
	for v := 1; v < 60; v++ {
		star.connect(0, v)
	}
	if w := width(t, star); w != 4 {
		t.Errorf("star: table of %d entries, want 4", w)
	}
	tree := binary(127)
	for v := 1; v < 127; v++ {
		tree.connect((v-1)/2, v)
	}
	if w := width(t, tree); w != 4 {
		t.Errorf("tree: table of %d entries, want 4", w)
	}
	const columns = 5
	grid := newGrid(columns, 30)
	if w := width(t, grid); w != 1<<(columns+1) {
		t.Errorf("grid: table of %d entries, want %d", w, 1<<(columns+1))
	}
	// A cycle takes three; the middle of a 50-cycle must be connected on the way.
	cycle := binary(50)
	for v := range 50 {
		cycle.connect(v, (v+1)%50)
	}
	if w := width(t, cycle); w != 8 {
		t.Errorf("cycle: table of %d entries, want 8", w)
	}
}

// A 30×30 grid has a treewidth of 30: the tables grow on the way, as variables summed out
// connect their neighbours.
func TestEliminationOrderTooLarge(t *testing.T) {
	n := newGrid(30, 30)
	if _, err := n.Posterior(nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
}

// Of variables that make no new pairs, the one with the smallest table goes first.
func TestEliminationOrderPrefersSmallTables(t *testing.T) {
	n := binary(4)
	n.Vars[0].States = []string{"a", "b", "c", "d"}
	for v := 1; v < 4; v++ {
		n.Factors = append(n.Factors, Factor{Scope: []int{v}, Table: []float64{1, 2}, Child: -1})
	}
	n.connect(2, 3)
	order := must(n.eliminationOrder(must(n.condition(nil)).factors, n.all()))
	if fmt.Sprint(order) != "[1 0 2 3]" && fmt.Sprint(order) != "[1 2 3 0]" {
		t.Errorf("order %v: 1 must go first", order)
	}
}

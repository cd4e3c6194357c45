package bayes

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrTooLarge is wrapped by errors of exact inference on networks that are too densely
// connected: some intermediate table would have more than 2^24 entries.
var ErrTooLarge = errors.New("the network is too densely connected for exact inference")

// eliminationOrder orders vars for elimination from the factors by min-fill: next is the
// variable that makes fewest new pairs of neighbours, then the one with the smallest
// table, then the first. It returns ErrTooLarge if a table on the way would have more
// than maxEntries. Variables of the factors that are not in vars are kept to the end and
// count as neighbours.
func (n *Network) eliminationOrder(factors []logFactor, vars []int) ([]int, error) {
	card := n.cards()
	g := newGraph(len(n.Vars))
	for _, f := range factors {
		g.connect(f.scope)
	}
	type cost struct {
		fill int
		size float64 // log of the number of entries
	}
	costs := make([]cost, len(n.Vars))
	stale := make([]bool, len(n.Vars))
	for _, v := range vars {
		stale[v] = true
	}
	left := slices.Clone(vars)
	order := make([]int, 0, len(vars))
	for len(left) > 0 {
		best := -1
		for i, v := range left {
			if stale[v] {
				size := math.Log(float64(card[v]))
				for _, u := range g.adj[v] {
					size += math.Log(float64(card[u]))
				}
				costs[v], stale[v] = cost{g.fill(v), size}, false
			}
			if best < 0 {
				best = i
				continue
			}
			c, b := costs[v], costs[left[best]]
			if c.fill < b.fill || c.fill == b.fill && c.size < b.size-1e-9 {
				best = i
			}
		}
		v := left[best]
		left = slices.Delete(left, best, best+1)
		order = append(order, v)
		scope := union(g.adj[v], []int{v})
		if _, ok := tableSize(scope, card); !ok {
			return nil, fmt.Errorf("bayes: summing out %q takes a table of more than %d entries over %d variables: %w",
				n.Vars[v].Name, maxEntries, len(scope), ErrTooLarge)
		}
		for _, u := range g.eliminate(v) {
			stale[u] = true
		}
	}
	return order, nil
}

// graph is an undirected graph; neighbours are in ascending order.
type graph struct {
	adj  [][]int
	mark []bool // scratch, all false between calls
}

func newGraph(n int) *graph { return &graph{make([][]int, n), make([]bool, n)} }

// connect makes every pair of the variables neighbours.
func (g *graph) connect(vars []int) {
	for _, v := range vars {
		g.adj[v] = union(g.adj[v], without(vars, v))
	}
}

// fill is the number of pairs of neighbours of v that are not neighbours of each other.
func (g *graph) fill(v int) int {
	for _, u := range g.adj[v] {
		g.mark[u] = true
	}
	linked := 0
	for _, u := range g.adj[v] {
		for _, w := range g.adj[u] {
			if g.mark[w] {
				linked++
			}
		}
	}
	for _, u := range g.adj[v] {
		g.mark[u] = false
	}
	d := len(g.adj[v])
	return (d*(d-1) - linked) / 2
}

// eliminate connects the neighbours of v and removes it. It returns the variables whose
// neighbourhood may have changed: its neighbours and theirs.
func (g *graph) eliminate(v int) []int {
	around := g.adj[v]
	g.adj[v] = nil
	for _, u := range around {
		g.adj[u] = without(g.adj[u], v)
	}
	g.connect(around)
	near := slices.Clone(around)
	for _, u := range around {
		near = append(near, g.adj[u]...)
	}
	slices.Sort(near)
	return slices.Compact(near)
}

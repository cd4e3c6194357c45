package bayes

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "200"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// wantError fails unless err has all the parts in its text.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

// must returns x; an error fails the test with its stack.
func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// failer is a testing.TB or a *rapid.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// near fails unless got is within tol of want.
func near(t failer, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g ± %.3g", what, got, want, tol)
	}
}

// drawShape chooses the kinds of row of a random table.
type drawShape struct{ zeros, deterministic bool }

// drawRow is a random distribution over r states, rounded badly at times.
func drawRow(t *rapid.T, r int, deterministic bool, shape drawShape) []float64 {
	row := make([]float64, r)
	total := rapid.SampledFrom([]float64{1, 1, .99995, 1.00005}).Draw(t, "total")
	if deterministic {
		row[rapid.IntRange(0, r-1).Draw(t, "state")] = total
		return row
	}
	sum := 0.0
	for i := range row {
		row[i] = rapid.Float64Range(0.01, 1).Draw(t, "p")
		if shape.zeros && rapid.IntRange(0, 3).Draw(t, "zero") == 0 {
			row[i] = 0
		}
		sum += row[i]
	}
	if sum == 0 {
		row[0], sum = 1, 1
	}
	for i := range row {
		row[i] *= total / sum
	}
	return row
}

func drawVars(t *rapid.T, maxVars, maxArity int) []Variable {
	vars := make([]Variable, rapid.IntRange(1, maxVars).Draw(t, "variables"))
	for v := range vars {
		vars[v].Name = fmt.Sprintf("v%d", v)
		for s := range rapid.IntRange(1, maxArity).Draw(t, "arity") {
			vars[v].States = append(vars[v].States, fmt.Sprintf("s%d", s))
		}
	}
	return vars
}

// drawScope draws up to k different variables of those allowed.
func drawScope(t *rapid.T, allowed []int, k int) []int {
	if len(allowed) == 0 {
		return nil
	}
	perm := rapid.Permutation(allowed).Draw(t, "scope")
	return append([]int(nil), perm[:rapid.IntRange(0, min(k, len(perm))).Draw(t, "size")]...)
}

// drawBayes is a random Bayesian network. The order of the variables is not that of the
// graph.
func drawBayes(t *rapid.T, maxVars, maxArity int, shape drawShape) *Network {
	n := &Network{Name: "random", Vars: drawVars(t, maxVars, maxArity)}
	order := rapid.Permutation(n.all()).Draw(t, "order")
	for i, v := range order {
		scope := append(drawScope(t, order[:i], 3), v)
		det := shape.deterministic && rapid.IntRange(0, 2).Draw(t, "deterministic") == 0
		f := Factor{Scope: scope, Child: v}
		size, _ := tableSize(scope, n.cards())
		r := len(n.Vars[v].States)
		for range size / r {
			f.Table = append(f.Table, drawRow(t, r, det, shape)...)
		}
		n.Factors = append(n.Factors, f)
	}
	return n
}

// drawMarkov is a random Markov network, possibly with unconnected variables.
func drawMarkov(t *rapid.T, maxVars, maxArity int, zeros bool) *Network {
	n := &Network{Name: "random", Vars: drawVars(t, maxVars, maxArity)}
	for range rapid.IntRange(0, 5).Draw(t, "factors") {
		f := Factor{Scope: drawScope(t, n.all(), 3), Child: -1}
		size, _ := tableSize(f.Scope, n.cards())
		for range size {
			x := rapid.Float64Range(0.01, 10).Draw(t, "f")
			if zeros && rapid.IntRange(0, 3).Draw(t, "zero") == 0 {
				x = 0
			}
			f.Table = append(f.Table, x)
		}
		n.Factors = append(n.Factors, f)
	}
	return n
}

// drawEvidence observes some of the variables.
func drawEvidence(t *rapid.T, n *Network) Evidence {
	ev := Evidence{}
	for _, v := range n.Vars {
		if rapid.IntRange(0, 3).Draw(t, "observed") == 0 {
			ev[v.Name] = rapid.SampledFrom(v.States).Draw(t, "state")
		}
	}
	return ev
}

// bruteForce is the product of all factors in every state that agrees with the evidence,
// first variable fastest, as the definition has it.
func bruteForce(n *Network, ev Evidence) []float64 {
	card := n.cards()
	size := 1
	for _, r := range card {
		size *= r
	}
	out := make([]float64, size)
	state := make([]int, len(card))
	for i := range out {
		for v, rest := 0, i; v < len(card); v++ {
			state[v] = rest % card[v]
			rest /= card[v]
		}
		out[i] = weight(n, state)
		for v, va := range n.Vars {
			if s, ok := ev[va.Name]; ok && va.States[state[v]] != s {
				out[i] = 0
			}
		}
	}
	return out
}

func weight(n *Network, state []int) float64 {
	w := 1.0
	for _, f := range n.Factors {
		at := 0
		for _, v := range f.Scope {
			at = at*len(n.Vars[v].States) + state[v]
		}
		x := f.Table[at]
		if f.Child >= 0 {
			r := len(n.Vars[f.Child].States)
			sum := 0.0
			for _, y := range f.Table[at/r*r : at/r*r+r] {
				sum += y
			}
			x /= sum
		}
		w *= x
	}
	return w
}

func total(p []float64) float64 {
	sum := 0.0
	for _, x := range p {
		sum += x
	}
	return sum
}

// marginal sums a joint table (first variable fastest) over all variables but v.
func marginal(n *Network, joint []float64, v int) []float64 {
	stride := 1
	for _, r := range n.cards()[:v] {
		stride *= r
	}
	m := make([]float64, len(n.Vars[v].States))
	for i, p := range joint {
		m[i/stride%len(m)] += p
	}
	return m
}

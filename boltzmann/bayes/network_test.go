package bayes

import (
	"math"
	"strings"
	"testing"
)

// chain is a valid network a → b with three and two states.
func chain() *Network {
	return &Network{
		Vars: []Variable{{"a", []string{"x", "y", "z"}}, {"b", []string{"no", "yes"}}},
		Factors: []Factor{
			{Scope: []int{0}, Table: []float64{.2, .3, .5}, Child: 0},
			{Scope: []int{0, 1}, Table: []float64{.1, .9, .2, .8, .3, .7}, Child: 1},
		},
	}
}

func TestValidateAccepts(t *testing.T) {
	for name, change := range map[string]func(*Network){
		"as is":            func(*Network) {},
		"rounded rows":     func(n *Network) { n.Factors[0].Table = []float64{.33333, .33333, .33333} },
		"Markov factor":    func(n *Network) { n.Factors[1].Child = -1; n.Factors[1].Table[0] = 17 },
		"constant":         func(n *Network) { n.Factors = append(n.Factors, Factor{Table: []float64{2}, Child: -1}) },
		"no factors":       func(n *Network) { n.Factors = nil },
		"CPT for one only": func(n *Network) { n.Factors[1].Child = -1 },
	} {
		n := chain()
		change(n)
		if err := n.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Network)
		want   []string
	}{
		{"no variables", func(n *Network) { *n = Network{} }, []string{"no variables", "at least 1"}},
		{"same names", func(n *Network) { n.Vars[1].Name = "a" }, []string{`two variables are named "a"`}},
		{"no name", func(n *Network) { n.Vars[1].Name = "" }, []string{"variable 1 has no name"}},
		{"no states", func(n *Network) { n.Vars[1].States = nil }, []string{`"b" has no states`, "at least 1"}},
		{"same states", func(n *Network) { n.Vars[1].States[0] = "yes" }, []string{`"b" has state "yes" twice`}},
		{"empty state", func(n *Network) { n.Vars[1].States[0] = "" }, []string{`state 0 of variable "b"`}},
		{"scope out of range", func(n *Network) { n.Factors[1].Scope[0] = 2 }, []string{"factor 1 has variable 2", "0..1"}},
		{"scope negative", func(n *Network) { n.Factors[1].Scope[0] = -1 }, []string{"factor 1 has variable -1"}},
		{"scope repeated", func(n *Network) { n.Factors[1].Scope[0] = 1 }, []string{`factor 1 has variable "b" twice`}},
		{"short table", func(n *Network) { n.Factors[1].Table = n.Factors[1].Table[1:] }, []string{"factor 1 (a, b) has 5 entries", "must have 6"}},
		{"child not last", func(n *Network) { n.Factors[1].Child = 0 }, []string{"factor 1 has Child = 0", "-1", "last"}},
		{"child of nothing", func(n *Network) { n.Factors[1] = Factor{Table: []float64{1}} }, []string{"factor 1 has Child = 0"}},
		{"two CPTs", func(n *Network) { n.Factors = append(n.Factors, n.Factors[0]) }, []string{`"a" has two conditional tables, factors 0 and 2`}},
		{"no CPT", func(n *Network) { n.Factors = n.Factors[:1] }, []string{`"b" has no conditional table`}},
		{"NaN", func(n *Network) { n.Factors[1].Table[3] = math.NaN() }, []string{"factor 1 (a, b), entry 3 is NaN", "finite and ≥ 0"}},
		{"Inf", func(n *Network) { n.Factors[1].Child = -1; n.Factors[1].Table[3] = math.Inf(1) }, []string{"entry 3 is +Inf"}},
		{"negative", func(n *Network) { n.Factors[1].Table[2], n.Factors[1].Table[3] = -.1, 1.1 }, []string{"entry 2 is -0.1"}},
		{"row sum", func(n *Network) { n.Factors[1].Table[2] = .2002 }, []string{`table of "b" given a=y sums to 1.0002`, "1 within 0.0001"}},
		{"root sum", func(n *Network) { n.Factors[0].Table[2] = .4 }, []string{`table of "a" given no parents sums to 0.9`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := chain()
			test.change(n)
			wantError(t, n.Validate(), test.want...)
			if _, err := n.Posterior(nil); err == nil {
				t.Error("Posterior accepts it")
			}
			if _, err := n.Translate(nil, Options{}); err == nil {
				t.Error("Translate accepts it")
			}
		})
	}
}

func TestValidateCycle(t *testing.T) {
	yesNo := []string{"yes", "no"}
	half := []float64{.5, .5, .5, .5}
	n := &Network{
		Vars: []Variable{{"a", yesNo}, {"b", yesNo}, {"c", yesNo}, {"behind", yesNo}},
		Factors: []Factor{
			{Scope: []int{2, 0}, Table: half, Child: 0},
			{Scope: []int{0, 1}, Table: half, Child: 1},
			{Scope: []int{1, 2}, Table: half, Child: 2},
			{Scope: []int{2, 3}, Table: half, Child: 3},
		},
	}
	err := n.Validate()
	wantError(t, err, "cycle", "acyclic")
	found := false
	for _, c := range []string{"a → b → c → a", "b → c → a → b", "c → a → b → c"} {
		found = found || strings.Contains(err.Error(), c+":")
	}
	if !found {
		t.Errorf("error %q names no cycle of a → b → c", err)
	}
	n.Factors[0] = Factor{Scope: []int{2, 0}, Table: half, Child: -1} // no direction, no cycle
	if err := n.Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateSizes(t *testing.T) {
	n := &Network{}
	var scope []int
	for v := range 25 {
		n.Vars = append(n.Vars, Variable{string(rune('a' + v)), []string{"0", "1"}})
		scope = append(scope, v)
	}
	n.Factors = []Factor{{Scope: scope, Child: -1}}
	wantError(t, n.Validate(), "more than 16777216 entries")
}

func TestValidateListsAtMostTen(t *testing.T) {
	n := chain()
	n.Factors[1].Child = -1
	n.Factors[1].Table = []float64{-1, -1, -1, -1, -1, -1}
	for range 5 {
		n.Factors = append(n.Factors, n.Factors[1])
	}
	err := n.Validate()
	wantError(t, err, "and 26 more")
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 11 {
		t.Errorf("%d lines, want 11", lines)
	}
}

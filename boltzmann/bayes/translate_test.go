package bayes

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// readLaw is the exact law of what the readouts of target say about a model whose first
// units are those of the target, given that all variables are defined: a joint table,
// first variable fastest. defined is the probability of the condition.
func readLaw(t failer, target *Target, m sampling.Model) (law []float64, defined float64) {
	t.Helper()
	p := must(boltzmann.Joint(m))
	size := 1
	for _, r := range target.Readouts {
		size *= len(r.States)
	}
	law = make([]float64, size)
	z := make([]uint8, m.Dim())
	for i, x := range p {
		for k := range z {
			z[k] = uint8(i >> k & 1)
		}
		at, stride, ok := 0, 1, true
		for _, r := range target.Readouts {
			s := r.Value(z)
			ok = ok && s >= 0
			at += s * stride
			stride *= len(r.States)
		}
		if ok != target.Defined(z) {
			t.Errorf("Defined(%v) = %v", z, !ok)
		}
		if ok {
			law[at] += x
			defined += x
		}
	}
	for i := range law {
		law[i] /= defined
	}
	return law, defined
}

func totalVariation(p, q []float64) float64 {
	d := 0.0
	for i := range p {
		d += math.Abs(p[i] - q[i])
	}
	return d / 2
}

// checkTranslation compares the exact law of the readouts with the sum over all states of
// the network, for the model and, if it has at most 18 units, for the pairwise machine.
func checkTranslation(t failer, n *Network, ev Evidence, o Options) {
	t.Helper()
	want := bruteForce(n, ev)
	z := total(want)
	target, err := n.Translate(ev, o)
	if z == 0 {
		if !errors.Is(err, ErrImpossible) {
			t.Fatalf("impossible evidence: %v", err)
		}
		return
	}
	for i := range want {
		want[i] /= z
	}
	if err != nil {
		if slices.Max(want) < 1 { // a single state needs no units
			t.Fatal(err)
		}
		return
	}
	maxError := o.MaxError
	if maxError == 0 {
		maxError = 1e-3
	}
	if r := target.RegularisationError; !(r >= 0 && r <= maxError) {
		t.Fatalf("RegularisationError = %v, MaxError = %v", r, maxError)
	}
	if (target.Epsilon > 0) != (target.RegularisationError > 0) && target.Epsilon > 1e-12 {
		t.Errorf("ε = %v with error %v", target.Epsilon, target.RegularisationError)
	}
	check := func(what string, m sampling.Model) {
		law, _ := readLaw(t, target, m)
		// The claim is not a bound but an equation.
		near(t, what+": total variation", totalVariation(law, want), target.RegularisationError, 1e-9)
		for v, va := range n.Vars {
			exact, got := marginal(n, want, v), marginal(n, law, v)
			for s := range exact {
				near(t, fmt.Sprintf("%s: p(%s=%s)", what, va.Name, va.States[s]), got[s], exact[s], target.RegularisationError+1e-9)
			}
		}
	}
	check("model", target.Model)
	if target.Order() > 6 {
		return
	}
	machine, aux, kind, err := target.Pairwise()
	if err != nil {
		t.Fatal(err)
	}
	if (kind == KindPairwise) != (target.Order() <= 2) || (aux == 0) != (kind == KindPairwise) || machine.Dim() != target.Model.Dim()+aux {
		t.Errorf("order %d: kind %q, %d auxiliary of %d units", target.Order(), kind, aux, machine.Dim())
	}
	if machine.Dim() <= 18 {
		check(kind, machine)
	}
}

func TestTranslationOfBuiltins(t *testing.T) {
	for _, test := range []struct{ network, evidence string }{
		{"asia", ""},
		{"asia", "dysp=yes"},
		{"asia", "dysp=yes,asia=yes,xray=yes"},
		{"asia", "either=yes"}, // leaves zeros: tub or lung
		{"asia", "either=no,dysp=yes"},
		{"asia", "tub=yes,xray=no"},
		{"vision", ""},
		{"vision", "shading=present,contour=curved"},
		{"vision", "shading=present,contour=straight"},
		{"alarm", ""},
		{"alarm", "alarm=yes"},
	} {
		t.Run(test.network+" "+test.evidence, func(t *testing.T) {
			for _, maxError := range []float64{0, 1e-2, 1e-6} {
				n := must(Builtin(test.network))
				checkTranslation(t, n, must(ParseEvidence(test.evidence)), Options{MaxError: maxError})
			}
		})
	}
}

func TestTranslation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := drawShape{zeros: rapid.Bool().Draw(t, "zeros"), deterministic: rapid.Bool().Draw(t, "deterministic")}
		n := drawBayes(t, 4, 4, shape)
		checkTranslation(t, n, drawEvidence(t, n), Options{})
	})
}

func TestMarkovTranslation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawMarkov(t, 4, 4, rapid.Bool().Draw(t, "zeros"))
		checkTranslation(t, n, drawEvidence(t, n), Options{MaxError: 1e-6})
	})
}

// The one-hot code: odds of no unit to one unit, and how improbable two units are.
func TestOneHotOdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawMarkov(t, 4, 4, rapid.Bool().Draw(t, "zeros"))
		odds := rapid.SampledFrom([]float64{0, .02, 1}).Draw(t, "odds")
		target, err := n.Translate(nil, Options{NoneOdds: odds})
		if err != nil {
			return // checked by the tests above
		}
		if odds == 0 {
			odds = .1
		}
		p := must(boltzmann.Joint(target.Model))
		z := make([]uint8, target.Model.Dim())
		for v, r := range target.Readouts {
			if len(r.States) <= 2 {
				continue
			}
			var none, one, several float64
			for i, x := range p {
				for k := range z {
					z[k] = uint8(i >> k & 1)
				}
				others := true
				for u, r := range target.Readouts {
					others = others && (u == v || r.Value(z) >= 0)
				}
				on := 0
				for _, k := range r.Units {
					on += int(z[k])
				}
				switch {
				case on > 1:
					several += x
				case others && on == 0:
					none += x
				case others:
					one += x
				}
			}
			near(t, r.Name+": odds of no unit to one", none/one, odds, 1e-9*odds)
			// Every extra unit has log odds ≤ -6 whatever the others do; of r units there
			// are at most 2^r - r - 1 ways to have several.
			if limit := 11 * math.Exp(-6); several > limit {
				t.Errorf("%s: several units on with probability %v, limit %v", r.Name, several, limit)
			}
			for i := range p { // the promise itself, in every state
				for k := range z {
					z[k] = uint8(i >> k & 1)
				}
				for _, k := range r.Units {
					other := slices.ContainsFunc(r.Units, func(j int) bool { return j != k && z[j] != 0 })
					if u := target.Model.Logit(z, k); other && u > -6+1e-9 {
						t.Fatalf("%s: unit %d has log odds %v in %v, with another unit on", r.Name, k, u, z)
					}
				}
			}
		}
	})
}

// The couplings and biases of section 4.4 and 4.5 of the specification, which follow from
// logarithms of the tables.
func TestTranslateKnownMachines(t *testing.T) {
	for _, test := range []struct {
		network, evidence string
		w                 float64
		b                 [2]float64
		tol               float64
	}{
		{"vision", "shading=present,contour=curved", -3.4692, [2]float64{1.7346, 3.4692}, 5.1e-5},
		{"vision", "shading=present,contour=straight", -3.4692, [2]float64{1.7346, 0}, 5.1e-5},
		{"alarm", "alarm=yes", -2.508228, [2]float64{1.937713, 1.273965}, 5.1e-7},
	} {
		target := must(must(Builtin(test.network)).Translate(must(ParseEvidence(test.evidence)), Options{}))
		if target.RegularisationError != 0 || target.Epsilon != 0 {
			t.Errorf("%s: error %v, ε %v: there are no zeros", test.network, target.RegularisationError, target.Epsilon)
		}
		m, aux, kind, err := target.Pairwise()
		if err != nil || m.Dim() != 2 || aux != 0 || kind != KindPairwise {
			t.Fatalf("%s: %d units, %d auxiliary, %q, %v", test.network, m.Dim(), aux, kind, err)
		}
		near(t, test.evidence+": W", m.Weight(0, 1), test.w, test.tol)
		near(t, test.evidence+": b0", m.Bias(0), test.b[0], test.tol)
		near(t, test.evidence+": b1", m.Bias(1), test.b[1], test.tol)
	}
}

// Vision has one factor of three variables; its eight entries fix the top coupling.
func TestTranslateVisionUnconditioned(t *testing.T) {
	target := must(Vision().Translate(nil, Options{}))
	if want := []string{"reflectance=step", "shape=cylinder", "shading=present", "contour=curved"}; !slices.Equal(target.Units, want) {
		t.Errorf("units %v, want %v", target.Units, want)
	}
	terms := target.Model.Terms()
	last := terms[len(terms)-1]
	if target.Order() != 3 || !slices.Equal(last.Units, []int{0, 1, 2}) {
		t.Fatalf("order %d, last term %v", target.Order(), last)
	}
	near(t, "third-order coupling", last.Coef, -4*math.Log(.85/.15), 1e-12)
}

// Either, the logical or of ASIA, has no unit and is read from tub and lung.
func TestTranslateASIA(t *testing.T) {
	target := must(ASIA().Translate(nil, Options{}))
	want := []string{"asia=yes", "tub=yes", "smoke=yes", "lung=yes", "bronc=yes", "xray=yes", "dysp=yes"}
	if !slices.Equal(target.Units, want) {
		t.Errorf("units %v, want %v", target.Units, want)
	}
	if target.RegularisationError != 0 {
		t.Errorf("RegularisationError = %v: no zeros are left", target.RegularisationError)
	}
	either := target.Readouts[5]
	if either.Name != "either" || !slices.Equal(either.Units, []int{1, 3}) {
		t.Errorf("readout %+v", either)
	}
	for tub := range uint8(2) {
		for lung := range uint8(2) {
			state := either.States[either.Value([]uint8{0, tub, 1, lung, 0, 1, 0})]
			if (state == "yes") != (tub+lung > 0) {
				t.Errorf("either(tub %d, lung %d) = %s", tub, lung, state)
			}
		}
	}
	if dysp := target.Order(); dysp != 4 { // bronc, tub, lung and dysp
		t.Errorf("order %d, want 4", dysp)
	}
}

// Functions of functions: parity of six bits by way of a chain of exclusive ors, and a
// constant on top.
func TestDeterministicChain(t *testing.T) {
	bit := []string{"0", "1"}
	n := &Network{}
	for i := range 6 {
		n.Vars = append(n.Vars, Variable{fmt.Sprint("x", i), bit})
		n.Factors = append(n.Factors, Factor{Scope: []int{i}, Table: []float64{.4, .6}, Child: i})
	}
	last := 0
	for i := 1; i < 6; i++ {
		v := len(n.Vars)
		n.Vars = append(n.Vars, Variable{fmt.Sprint("parity", i), bit})
		n.Factors = append(n.Factors, Factor{Scope: []int{last, i, v}, Table: []float64{1, 0, 0, 1, 0, 1, 1, 0}, Child: v})
		last = v
	}
	n.Vars = append(n.Vars, Variable{"constant", bit})
	n.Factors = append(n.Factors, Factor{Scope: []int{last, last + 1}, Table: []float64{0, 1, 0, 1}, Child: last + 1})
	target := must(n.Translate(nil, Options{}))
	if len(target.Units) != 6 || target.Order() != 1 {
		t.Fatalf("%d units of order %d, want 6 of order 1", len(target.Units), target.Order())
	}
	z := make([]uint8, 6)
	for i := range 64 {
		ones := 0
		for k := range z {
			z[k] = uint8(i >> k & 1)
			ones += int(z[k])
		}
		if got := target.Readouts[last].Value(z); got != ones%2 {
			t.Errorf("parity of %v = %d", z, got)
		}
		if got := target.Readouts[last+1].Value(z); got != 1 {
			t.Errorf("constant = %d", got)
		}
	}
}

// A function of many variables that feeds another large factor is kept as a variable.
func TestDeterministicTooLarge(t *testing.T) {
	n := &Network{}
	var all []int
	for i := range 18 {
		n.Vars = append(n.Vars, Variable{fmt.Sprint("x", i), []string{"0", "1"}})
		n.Factors = append(n.Factors, Factor{Scope: []int{i}, Table: []float64{.5, .5}, Child: i})
		all = append(all, i)
	}
	addAnd := func(parents []int) int {
		v := len(n.Vars)
		f := Factor{Scope: append(slices.Clone(parents), v), Child: v}
		for range 1<<len(parents) - 1 {
			f.Table = append(f.Table, 1, 0)
		}
		f.Table = append(f.Table, 0, 1)
		n.Vars = append(n.Vars, Variable{fmt.Sprint("and", v), []string{"0", "1"}})
		n.Factors = append(n.Factors, f)
		return v
	}
	a, b := addAnd(all[:9]), addAnd(all[9:])
	v := len(n.Vars)
	n.Vars = append(n.Vars, Variable{"sensor", []string{"0", "1"}})
	n.Factors = append(n.Factors, Factor{Scope: []int{a, b, v}, Table: []float64{.9, .1, .5, .5, .4, .6, .1, .9}, Child: v})
	// a goes into the sensor's table (2^11 entries); then b would make it 2^19.
	q := must(n.condition(nil))
	functions, _ := n.eliminateDeterministic(q)
	if functions[a] == nil || functions[b] != nil {
		t.Errorf("functions %v and %v, want only the first", functions[a], functions[b])
	}
	c := addAnd(all[:17]) // a table of 2^17 values of the parents
	functions, _ = n.eliminateDeterministic(must(n.condition(nil)))
	if functions[c] != nil {
		t.Error("a function of 17 variables, want at most 2^16 values")
	}
}

// What is zero up to rounding is no term: a table of three variables that is a product
// of functions of two has order 2, and two couplings may cancel. A coupling of 1e-9 is
// one.
func TestRoundingMakesNoTerms(t *testing.T) {
	pairwise := func(i int) float64 {
		x, y, z := i>>2, i>>1&1, i&1
		return math.Exp(.3*float64(x) - 5.1*float64(x*y) + .7*float64(y*z) - 1.1*float64(x*z) + 2.3)
	}
	triple := func(c float64) func(int) float64 {
		return func(i int) float64 {
			if i == 7 {
				return math.Exp(c)
			}
			return 1
		}
	}
	for _, test := range []struct {
		factors []func(int) float64
		order   int
	}{
		{[]func(int) float64{pairwise}, 2},
		{[]func(int) float64{pairwise, triple(1e-9)}, 3},
		{[]func(int) float64{pairwise, triple(math.Pi), triple(-1), triple(1 - math.Pi)}, 2},
	} {
		n := binary(3)
		for _, f := range test.factors {
			fac := Factor{Scope: []int{0, 1, 2}, Child: -1}
			for i := range 8 {
				fac.Table = append(fac.Table, f(i))
			}
			n.Factors = append(n.Factors, fac)
		}
		if target := must(n.Translate(nil, Options{})); target.Order() != test.order {
			t.Errorf("order %d, want %d: %v", target.Order(), test.order, target.Model.Terms())
		}
	}
}

// The exclusion is six above the largest log odds and no more: unit a=1 has log odds c+1
// with b on, the largest of all, and -6 if a=2 is on too.
func TestExclusionIsTight(t *testing.T) {
	n := &Network{
		Vars: []Variable{{"a", []string{"0", "1", "2"}}, {"b", []string{"off", "on"}}},
		Factors: []Factor{
			{Scope: []int{0, 1}, Table: []float64{1, 1, math.Exp(-2), math.Exp(1), .1, .1}, Child: -1},
			{Scope: []int{1}, Table: []float64{.95, .05}, Child: -1},
		},
	}
	target := must(n.Translate(nil, Options{}))
	if ref := target.codes[0].base; ref != 0 {
		t.Fatalf("reference %d, want 0, the most probable", ref)
	}
	near(t, "log odds of a=1", target.Model.Logit([]uint8{0, 0, 1, 1}, 1), -6, 1e-12)
}

func TestOnState(t *testing.T) {
	for _, test := range []struct {
		states []string
		want   int
	}{
		{[]string{"yes", "no"}, 0}, {[]string{"no", "yes"}, 1}, {[]string{"True", "False"}, 0},
		{[]string{"PRESENT", "ABSENT"}, 0}, {[]string{"High", "Low"}, 0}, {[]string{"1", "0"}, 0},
		{[]string{"0", "1"}, 1}, {[]string{"a", "b"}, 1}, {[]string{"yes", "1"}, 1},
	} {
		if got := onState(test.states); got != test.want {
			t.Errorf("onState(%v) = %d, want %d", test.states, got, test.want)
		}
	}
}

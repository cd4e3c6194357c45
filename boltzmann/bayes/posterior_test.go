package bayes

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The numbers of ASIA, to all six digits given.
func TestASIAPosterior(t *testing.T) {
	asia := ASIA()
	for _, test := range []struct {
		evidence         string
		tub, lung, bronc float64
	}{
		{"", .0104, .055, .45},
		{"dysp=yes", .018845, .102759, .833967},
		{"dysp=yes,asia=yes", .087751, .099525, .811402},
		{"dysp=yes,asia=yes,xray=yes", .391712, .444271, .628822},
	} {
		p := must(asia.Posterior(must(ParseEvidence(test.evidence))))
		for i, name := range []string{"tub", "lung", "bronc"} {
			want := []float64{test.tub, test.lung, test.bronc}[i]
			near(t, fmt.Sprintf("p(%s | %s)", name, test.evidence), must(p.Prob(name, "yes")), want, 5.1e-7)
		}
	}
}

// The contour decides what explains the shading.
func TestVisionPosterior(t *testing.T) {
	vision := Vision()
	for _, test := range []struct {
		contour            string
		joint              [4]float64 // (z1, z2) = 00, 01, 10, 11
		reflectance, shape float64
	}{
		{"curved", [4]float64{.0225, .7225, .1275, .1275}, .255, .85},
		{"straight", [4]float64{.1275, .1275, .7225, .0225}, .745, .15},
	} {
		ev := Evidence{"shading": "present", "contour": test.contour}
		joint := must(vision.PosteriorJoint(ev, []string{"shape", "reflectance"})) // z2 fastest
		for i, want := range test.joint {
			near(t, fmt.Sprintf("joint %02b | %s", i, test.contour), joint[i], want, 1e-12)
		}
		p := must(vision.Posterior(ev))
		near(t, "p(step)", must(p.Prob("reflectance", "step")), test.reflectance, 1e-12)
		near(t, "p(cylinder)", must(p.Prob("shape", "cylinder")), test.shape, 1e-12)
	}
}

// An earthquake explains the alarm away: with it, burglary is less likely.
func TestAlarmPosterior(t *testing.T) {
	alarm := Alarm()
	for _, test := range []struct {
		evidence, variable string
		want               float64
	}{
		{"alarm=yes", "burglary", .662077},
		{"alarm=yes", "earthquake", .413316},
		{"alarm=yes,earthquake=yes", "burglary", .361118},
		{"alarm=yes,earthquake=no", "burglary", .874101},
	} {
		p := must(alarm.Posterior(must(ParseEvidence(test.evidence))))
		near(t, test.variable+" | "+test.evidence, must(p.Prob(test.variable, "yes")), test.want, 5.1e-7)
	}
}

// checkPosterior compares variable elimination with the sum over all states.
func checkPosterior(t *rapid.T, n *Network, ev Evidence) {
	joint := bruteForce(n, ev)
	z := total(joint)
	p, err := n.Posterior(ev)
	query := drawScope(t, n.all(), 3)
	if len(query) == 0 {
		query = []int{0}
	}
	var names []string
	for _, v := range query {
		names = append(names, n.Vars[v].Name)
	}
	q, errJoint := n.PosteriorJoint(ev, names)
	if z == 0 {
		if !errors.Is(err, ErrImpossible) || !errors.Is(errJoint, ErrImpossible) {
			t.Fatalf("impossible evidence: errors %v and %v", err, errJoint)
		}
		return
	}
	if err != nil || errJoint != nil {
		t.Fatal(err, errJoint)
	}
	for v, va := range n.Vars {
		for s, want := range marginal(n, joint, v) {
			near(t, va.Name+"="+va.States[s], p.Marginals[v][s], want/z, 1e-12)
		}
	}
	near(t, "log Z", p.LogZ, math.Log(z), 1e-11*(1+math.Abs(math.Log(z))))
	near(t, "log p(evidence)", p.LogEvidence, math.Log(z/total(bruteForce(n, nil))), 1e-10)

	want := make([]float64, len(q))
	for i, x := range joint {
		state := make([]int, len(n.Vars))
		for v, rest := 0, i; v < len(state); v++ {
			state[v] = rest % len(n.Vars[v].States)
			rest /= len(n.Vars[v].States)
		}
		at, stride := 0, 1
		for _, v := range query {
			at += state[v] * stride
			stride *= len(n.Vars[v].States)
		}
		want[at] += x / z
	}
	for i := range q {
		near(t, fmt.Sprintf("joint of %v, entry %d", names, i), q[i], want[i], 1e-12)
	}
}

func TestPosteriorIsSumOverStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := drawShape{zeros: rapid.Bool().Draw(t, "zeros"), deterministic: rapid.Bool().Draw(t, "deterministic")}
		n := drawBayes(t, 7, 4, shape)
		checkPosterior(t, n, drawEvidence(t, n))
	})
}

func TestMarkovPosteriorIsSumOverStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawMarkov(t, 6, 4, rapid.Bool().Draw(t, "zeros"))
		checkPosterior(t, n, drawEvidence(t, n))
	})
}

// One cause with 3000 sensors: log p(evidence) is about -3600, so that products of
// probabilities underflow, and so do likelihood ratios on the way, up to 9^1500.
func TestPosteriorDoesNotUnderflow(t *testing.T) {
	const steps = 3000
	yesNo := []string{"yes", "no"}
	n := &Network{}
	ev := Evidence{}
	n.Vars = append(n.Vars, Variable{"cause", yesNo})
	n.Factors = append(n.Factors, Factor{Scope: []int{0}, Table: []float64{.25, .75}, Child: 0})
	logYes, logNo := math.Log(.25), math.Log(.75)
	for i := range steps {
		name := fmt.Sprintf("sensor%d", i)
		n.Vars = append(n.Vars, Variable{name, yesNo})
		n.Factors = append(n.Factors, Factor{Scope: []int{0, i + 1}, Table: []float64{.9, .1, .1, .9}, Child: i + 1})
		// The first half speaks for the cause, the second against, by one sensor more.
		if i < steps/2-1 { // 1499 for, 1501 against
			ev[name] = "yes"
			logYes, logNo = logYes+math.Log(.9), logNo+math.Log(.1)
		} else {
			ev[name] = "no"
			logYes, logNo = logYes+math.Log(.1), logNo+math.Log(.9)
		}
	}
	p := must(n.Posterior(ev))
	near(t, "p(cause)", p.Marginals[0][0], 1/(1+math.Exp(logNo-logYes)), 1e-9)
	want := logYes + math.Log1p(math.Exp(logNo-logYes))
	near(t, "log p(evidence)", p.LogEvidence, want, 1e-9*math.Abs(want))
}

// A chain x0 → x1 → ... of 2000 variables has a closed form: flipping with probability f
// leaves a correlation (1−2f)^distance.
func TestPosteriorOfLongChain(t *testing.T) {
	const length, flip = 2000, .001
	yesNo := []string{"yes", "no"}
	n := &Network{}
	for i := range length {
		n.Vars = append(n.Vars, Variable{fmt.Sprint(i), yesNo})
		f := Factor{Scope: []int{0}, Table: []float64{.5, .5}, Child: 0}
		if i > 0 {
			f = Factor{Scope: []int{i - 1, i}, Table: []float64{1 - flip, flip, flip, 1 - flip}, Child: i}
		}
		n.Factors = append(n.Factors, f)
	}
	p := must(n.Posterior(Evidence{"0": "yes"}))
	for _, i := range []int{1, 10, 500, 1999} {
		near(t, fmt.Sprintf("p(x%d)", i), p.Marginals[i][0], (1+math.Pow(1-2*flip, float64(i)))/2, 1e-10)
	}
}

func TestImpossibleEvidence(t *testing.T) {
	asia := ASIA()
	ev := Evidence{"tub": "yes", "either": "no"}
	_, err := asia.Posterior(ev)
	wantError(t, err, "bayes: evidence either=no,tub=yes: the evidence has probability 0")
	if !errors.Is(err, ErrImpossible) {
		t.Error("not ErrImpossible")
	}
	if _, err := asia.PosteriorJoint(ev, []string{"lung"}); !errors.Is(err, ErrImpossible) {
		t.Errorf("PosteriorJoint: %v", err)
	}
	if _, err := asia.Translate(ev, Options{}); !errors.Is(err, ErrImpossible) {
		t.Errorf("Translate: %v", err)
	}
	n := &Network{Vars: chain().Vars, Factors: []Factor{{Scope: []int{1}, Table: []float64{0, 0}, Child: -1}}}
	_, err = n.Posterior(nil)
	wantError(t, err, "every state of the network has weight 0")
}

// A complete graph of 30 binary variables has no small elimination order.
func TestTooLarge(t *testing.T) {
	n := &Network{}
	for v := range 30 {
		n.Vars = append(n.Vars, Variable{fmt.Sprint(v), []string{"0", "1"}})
		for u := range v {
			n.Factors = append(n.Factors, Factor{Scope: []int{u, v}, Table: []float64{1, 2, 3, 4}, Child: -1})
		}
	}
	_, err := n.Posterior(nil)
	wantError(t, err, `summing out "0"`, "16777216 entries over 30 variables", "too densely connected")
	if !errors.Is(err, ErrTooLarge) {
		t.Error("not ErrTooLarge")
	}
	if _, err := n.PosteriorJoint(nil, []string{"3"}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("PosteriorJoint: %v", err)
	}
	// Without zeros the translation needs no sums.
	if target := must(n.Translate(nil, Options{})); target.Order() != 2 {
		t.Errorf("order %d, want 2", target.Order())
	}
	n.Factors[0].Table[0] = 0
	_, err = n.Translate(nil, Options{})
	wantError(t, err, "zeros in the tables need exact inference", "too densely connected")
}

func TestPosteriorJointRefuses(t *testing.T) {
	asia := ASIA()
	for _, test := range []struct {
		query []string
		want  string
	}{
		{nil, "query is empty"},
		{[]string{"tub", "lungs"}, `unknown variable "lungs"`},
		{[]string{"tub", "lung", "tub"}, `query names variable "tub" twice`},
	} {
		_, err := asia.PosteriorJoint(nil, test.query)
		wantError(t, err, test.want)
	}
}

func TestPosteriorProbAndString(t *testing.T) {
	p := must(Alarm().Posterior(Evidence{"alarm": "yes"}))
	_, err := p.Prob("robbery", "yes")
	wantError(t, err, `unknown variable "robbery"`)
	_, err = p.Prob("alarm", "maybe")
	wantError(t, err, `no state "maybe"`)
	const want = "burglary: yes 0.662077 no 0.337923\n"
	if s := p.String(); !strings.HasPrefix(s, want) || !strings.HasSuffix(s, "alarm: yes 1.000000 no 0.000000\n") {
		t.Errorf("String() = %q", s)
	}
}

// The tables of a network are not changed by inference, nor normalised in place.
func TestPosteriorNormalisesRows(t *testing.T) {
	n := chain()
	n.Factors[0].Table = []float64{.20005, .30005, .49985} // sums to .99995
	p := must(n.Posterior(nil))
	near(t, "p(a=x)", p.Marginals[0][0], .20005/.99995, 1e-15)
	near(t, "log p(no evidence)", p.LogEvidence, 0, 0)
	p = must(n.Posterior(Evidence{"a": "x"}))
	near(t, "log p(a=x)", p.LogEvidence, math.Log(.20005/.99995), 1e-14)
	if n.Factors[0].Table[0] != .20005 {
		t.Error("Posterior changed the network")
	}
}

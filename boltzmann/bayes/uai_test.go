package bayes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

const uaiMarkov = `c an example with comments
MARKOV
3
2 2 3
 c   MARKOV 17
3
2 0 1
3 0 1 2
0

4
4.000 2.400
1.000 0.000
12
2.25 3.25 3.75
0.00 0.00 10.00
1.875 4.0e0 3.33
2.00 2.00 3.4
1
.5
`

const uaiBayes = "BAYES\n3\n2 2 3\n3\n1 0\n2 0 1\n2 1 2\n\n2\n .436 .564\n\n4\n .128 .872\n .920 .080\n\n6\n .21 .333 .457\n .811 .0 .189\n"

func TestReadUAI(t *testing.T) {
	n := must(ReadUAI(iotest.OneByteReader(strings.NewReader(uaiMarkov))))
	want := &Network{
		Vars: []Variable{{"0", []string{"0", "1"}}, {"1", []string{"0", "1"}}, {"2", []string{"0", "1", "2"}}},
		Factors: []Factor{
			{[]int{0, 1}, []float64{4, 2.4, 1, 0}, -1},
			{[]int{0, 1, 2}, []float64{2.25, 3.25, 3.75, 0, 0, 10, 1.875, 4, 3.33, 2, 2, 3.4}, -1},
			{nil, []float64{.5}, -1},
		},
	}
	if !reflect.DeepEqual(n, want) {
		t.Errorf("got %+v\nwant %+v", n, want)
	}
	n = must(ReadUAI(strings.NewReader(uaiBayes)))
	if !n.Bayesian() || n.Factors[2].Child != 2 || n.Factors[2].Table[1] != .333 {
		t.Errorf("got %+v", n)
	}
	// p(x1=0) = .436·.128 + .564·.92, by hand.
	near(t, "p(1=0)", must(must(n.Posterior(nil)).Prob("1", "0")), .436*.128+.564*.92, 1e-15)
}

func TestReadUAIErrors(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"line 1, column 1", "the end of the file", `"BAYES" or "MARKOV"`}},
		{"kind", "bayes", []string{"line 1, column 1", `found "bayes"`, `"BAYES" or "MARKOV"`}},
		{"comment inside a line", "MARKOV c 1\n2 0", []string{"line 1, column 8", `found "c"`}},
		{"no variables", "MARKOV 0", []string{"column 8", "the number of variables, an integer in 1..1048576"}},
		{"count", "MARKOV two", []string{"column 8", `found "two"`}},
		{"zero states", "MARKOV 2\n2 0", []string{"line 2, column 3", "the number of states of variable 1"}},
		{"absurd states", "MARKOV 2\n2 999999999999", []string{"line 2, column 3", "1..1048574"}},
		{"ends", "MARKOV 2\n2 ", []string{"line 2, column 3", "the end of the file"}},
		{"negative factors", "MARKOV 1 2 -1", []string{"the number of factors"}},
		{"scope size", "MARKOV 1 2 1\n2 0 0", []string{"line 2, column 1", "the size of the scope of factor 0, an integer in 0..1"}},
		{"scope", "MARKOV 2 2 2 1\n2 0 2", []string{"line 2, column 5", "a variable of factor 0, an integer in 0..1"}},
		{"scope twice", "MARKOV 2 2 2 1\n2 1 1", []string{"line 2, column 5", "variable 1 occurs twice in factor 0"}},
		{"constant in BAYES", "BAYES 1 2 1 0", []string{"the size of the scope of factor 0, an integer in 1..1"}},
		{"entries", "MARKOV 2 2 3 1 2 0 1\n5 1 1 1 1 1", []string{"line 2, column 1", `found "5"`, "6 entries for factor 0 (0, 1)"}},
		{"few entries", "MARKOV 1 2 1 1 0\n2 1", []string{"line 2, column 4", "entry 1 of factor 0, a finite number ≥ 0"}},
		{"NaN", "MARKOV 1 2 1 1 0\n2 1 nan", []string{"line 2, column 5", "a finite number ≥ 0"}},
		{"negative", "MARKOV 1 2 1 1 0\n2 1 -1", []string{"line 2, column 5", "a finite number ≥ 0"}},
		{"rest", "MARKOV 1 2 1 1 0\n2 1 1 1", []string{"line 2, column 7", "the end of the file after the last table"}},
		{"row sum", "BAYES 1 2 1 1 0\n2 .1 .8", []string{"line 2, column 1", "variable 0 given no parents sums to 0.9"}},
		{"no CPT", "BAYES 2 2 2 1 1 0 2 .1 .9", []string{`variable "1" has no conditional table`}},
		{"two CPTs", "BAYES 1 2 2 1 0 1 0 2 .1 .9 2 .1 .9", []string{`variable "0" has two conditional tables`}},
		{"cycle", "BAYES 2 2 2 2 2 0 1 2 1 0 4 .1 .9 .1 .9 4 .1 .9 .1 .9", []string{"cycle", "acyclic"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadUAI(strings.NewReader(test.text))
			wantError(t, err, append(test.want, "bayes: ")...)
		})
	}
	big := "MARKOV 25" + strings.Repeat(" 2", 25) + " 1 25"
	for v := range 25 {
		big += fmt.Sprint(" ", v)
	}
	_, err := ReadUAI(strings.NewReader(big))
	wantError(t, err, "more than 16777216 entries")
	_, err = ReadUAI(repeat('1'))
	wantError(t, err, "word longer than 65536 bytes")
	broken := errors.New("disk on fire")
	for length := range len(uaiMarkov) {
		_, err := ReadUAI(io.MultiReader(strings.NewReader(uaiMarkov[:length]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: error %v, want that of the reader", length, err)
		}
	}
}

func TestReadUAIEvidence(t *testing.T) {
	for text, want := range map[string]Evidence{
		"0":              {},
		"2 1 0 4 1\n":    {"1": "0", "4": "1"},
		"1\n2 1 0 4 1\n": {"1": "0", "4": "1"}, // with the number of samples
		"1 3 1":          {"3": "1"},
		"1\n0":           {},
		"c none\n0":      {},
	} {
		got, err := ReadUAIEvidence(strings.NewReader(text))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":              "line 1, column 1: found the end of the file: expected the number of observed variables",
		"2 1 0":         "2 variables observed but 1 pairs",
		"2 1 0 4":       "line 1, column 1: 3 numbers follow",
		"1 1 x":         `line 1, column 5: found "x": expected an integer ≥ 0`,
		"1 1 -1":        "expected an integer ≥ 0",
		"2 1 0\n1 1":    "line 2, column 1: variable 1 is observed twice",
		"2 1 2 0 1 2 1": "2 variables observed but 3 pairs",
	} {
		_, err := ReadUAIEvidence(strings.NewReader(text))
		wantError(t, err, "bayes: UAI evidence ", want)
	}
	_, err := ReadUAIEvidence(repeatText("1 "))
	wantError(t, err, "more than")
}

// repeatText is an endless file.
type repeatText string

func (r repeatText) Read(p []byte) (int, error) {
	n := 0
	for n+len(r) <= len(p) {
		n += copy(p[n:], r)
	}
	return n, nil
}

// uaiRoundTrip writes a network and reads it again; only names may be lost.
func uaiRoundTrip(t failer, n *Network) {
	t.Helper()
	var b bytes.Buffer
	if err := n.WriteUAI(&b); err != nil {
		t.Errorf("writing: %v", err)
		return
	}
	text := b.String()
	got, err := ReadUAI(&b)
	if err != nil {
		t.Errorf("reading what was written: %v\n%s", err, text)
		return
	}
	if n.Bayesian() != got.Bayesian() || len(n.Factors) != len(got.Factors) || !reflect.DeepEqual(n.cards(), got.cards()) {
		t.Errorf("read %+v\nwrote %+v", got, n)
		return
	}
	for f, g := range got.Factors {
		if !reflect.DeepEqual(g.Table, n.Factors[f].Table) || len(g.Scope) > 0 && !reflect.DeepEqual(g.Scope, n.Factors[f].Scope) {
			t.Errorf("factor %d read as %+v\nwrote %+v", f, g, n.Factors[f])
		}
	}
	for v, va := range got.Vars {
		if va.Name != fmt.Sprint(v) || va.States[len(va.States)-1] != fmt.Sprint(len(va.States)-1) {
			t.Errorf("variable %d read as %+v", v, va)
		}
	}
}

func TestUAIRoundTrip(t *testing.T) {
	uaiRoundTrip(t, ASIA())
	rapid.Check(t, func(t *rapid.T) {
		if rapid.Bool().Draw(t, "bayes") {
			uaiRoundTrip(t, drawBayes(t, 5, 4, drawShape{zeros: true, deterministic: true}))
		} else {
			uaiRoundTrip(t, drawMarkov(t, 5, 4, true))
		}
	})
	n := chain()
	n.Factors[0].Table[0] = 2
	wantError(t, n.WriteUAI(io.Discard), "sums to")
	broken := errors.New("disk full")
	if err := chain().WriteUAI(failingWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

func FuzzReadUAI(f *testing.F) {
	f.Add(uaiMarkov)
	f.Add(uaiBayes)
	f.Add("MARKOV 1 3 0")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ReadUAI(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "bayes: ") {
				t.Errorf("error %q has no prefix", err)
			}
			return
		}
		uaiRoundTrip(t, n)
	})
}

func FuzzReadUAIEvidence(f *testing.F) {
	f.Add("2 1 0 4 1")
	f.Add("1\n1 0 0")
	f.Add("0")
	f.Fuzz(func(t *testing.T, text string) {
		ev, err := ReadUAIEvidence(strings.NewReader(text))
		if err == nil && ev == nil {
			t.Error("neither evidence nor error")
		}
	})
}

func FuzzParseEvidence(f *testing.F) {
	f.Add("xray=yes,dysp=yes")
	f.Add("a==b, ,c")
	f.Fuzz(func(t *testing.T, text string) {
		ev, err := ParseEvidence(text)
		if err != nil {
			return
		}
		again, err := ParseEvidence(ev.String())
		if err != nil || !maps.Equal(ev, again) {
			t.Errorf("%q gives %v, written and read %v, %v", text, ev, again, err)
		}
	})
}

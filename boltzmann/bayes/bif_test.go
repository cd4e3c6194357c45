package bayes

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// javaBayes is the dog problem (Charniak 1991) as JavaBayes writes networks: names in
// quotes, no commas, no '|', tables with the child changing slowest.
const javaBayes = `// Bayesian Network in the Interchange Format
network "Dog-Problem" { //5 variables and 5 probability distributions
	property "credal-set constant-density-bounded 1.1" ;
}
variable  "light-on" { //2 values
	type discrete[2] {  "true"  "false" };
	property "position = (218, 195)" ;
}
variable  "bowel-problem" { type discrete[2] {  "true"  "false" }; }
variable  "dog-out" { type discrete[2] {  "true"  "false" }; }
variable  "hear-bark" { type discrete[2] {  "true"  "false" }; }
variable  "family-out" { type discrete[2] {  "true"  "false" }; }
probability (  "light-on"  "family-out" ) { //2 variable(s) and 4 values
	table 0.6 0.05 0.4 0.95 ;
}
probability (  "bowel-problem" ) { table 0.01 0.99 ; }
probability (  "dog-out"  "bowel-problem"  "family-out" ) {
	table 0.99 0.97 0.9 0.3 0.01 0.03 0.1 0.7 ;
}
probability (  "hear-bark"  "dog-out" ) { table 0.7 0.01 0.3 0.99 ; }
probability (  "family-out" ) { table 0.15 0.85 ; }
`

func TestReadBIFJavaBayes(t *testing.T) {
	n := must(ReadBIF(strings.NewReader(javaBayes)))
	if n.Name != "Dog-Problem" || len(n.Vars) != 5 || n.Vars[3].Name != "hear-bark" {
		t.Errorf("network %q, variables %v", n.Name, n.Vars)
	}
	want := []Factor{
		{[]int{4, 0}, []float64{.6, .4, .05, .95}, 0},
		{[]int{1}, []float64{.01, .99}, 1},
		{[]int{1, 4, 2}, []float64{.99, .01, .97, .03, .9, .1, .3, .7}, 2},
		{[]int{2, 3}, []float64{.7, .3, .01, .99}, 3},
		{[]int{4}, []float64{.15, .85}, 4},
	}
	if !reflect.DeepEqual(n.Factors, want) {
		t.Errorf("factors\n%v\nwant\n%v", n.Factors, want)
	}
}

const dialects = `network several words { property a = "x;y" (1, 2); }
/* a comment
   over lines */ variable a.b-c {
  property label = odd ;
  type discrete [ 3 ] = { 0, 1, 2.5 };
};
variable "two words" { type discrete [2] { <5 >=5 } ; }
variable C{type discrete[1]{only};}
probability(a.b-c){table 1e-1,2.E-1 .7;}// no spaces
probability ( "two words" | a.b-c, C ) {
  (2.5, only) 0.25, 0.75;
  default 1, 0;
  (0, only) 0.5, 0.5;
}
probability ( C | a.b-c ) { property p ; (0) 1; (1) 1; (2.5) 1; }
`

func TestReadBIFDialects(t *testing.T) {
	want := &Network{
		Name: "several words",
		Vars: []Variable{
			{"a.b-c", []string{"0", "1", "2.5"}},
			{"two words", []string{"<5", ">=5"}},
			{"C", []string{"only"}},
		},
		Factors: []Factor{
			{[]int{0}, []float64{.1, .2, .7}, 0},
			{[]int{0, 2, 1}, []float64{.5, .5, 1, 0, .25, .75}, 1},
			{[]int{0, 2}, []float64{1, 1, 1}, 2},
		},
	}
	for _, text := range []string{dialects, "\ufeff" + dialects, strings.ReplaceAll(dialects, "\n", "\r\n")} {
		got := must(ReadBIF(iotest.OneByteReader(strings.NewReader(text))))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
}

// The order of a table with parents is the one in which rows sum to 1.
func TestReadBIFTableOrder(t *testing.T) {
	const head = `network n { } variable x { type discrete [ 2 ] { a, b }; }
variable y { type discrete [ 3 ] { a, b, c }; } variable z { type discrete [ 3 ] { a, b, c }; }
probability ( x ) { table 0.5, 0.5; }
probability ( y | x ) { table %; }
probability ( z | y ) { table #; }`
	read := func(y, z string) (*Network, error) {
		return ReadBIF(strings.NewReader(strings.NewReplacer("%", y, "#", z).Replace(head)))
	}
	const uniform = "1 1 1 0 0 0 0 0 0"
	want := []float64{.1, .2, .7, .3, .3, .4}
	for _, table := range []string{"0.1, 0.2, 0.7, 0.3, 0.3, 0.4", "0.1, 0.3, 0.2, 0.3, 0.7, 0.4"} {
		if n := must(read(table, uniform)); !reflect.DeepEqual(n.Factors[1].Table, want) {
			t.Errorf("table %s read as %v", table, n.Factors[1].Table)
		}
	}
	_, err := read("0.1, 0.2, 0.7, 0.3, 0.3, 0.4", "0 1 0 0 0 1 1 0 0") // a cyclic shift, or its inverse
	wantError(t, err, "line 5, column 25", "slowest or fastest", "like (a) ...;")
	_, err = read("0.1, 0.2, 0.7, 0.3, 0.3, 0.5", uniform)
	wantError(t, err, "line 4, column 25", `table of "y" does not sum to 1`)
	must(read("0.1, 0.2, 0.7, 0.3, 0.3, 0.4", "1 0 0 0 0 1 0 1 0")) // symmetric: no question
}

func TestReadBIFErrors(t *testing.T) {
	const (
		x = "network n {\n}\nvariable x {\n  type discrete [ 2 ] { yes, no };\n}\n" // 5 lines
		y = "variable y {\n  type discrete [ 2 ] { yes, no };\n}\n"                 // 3 lines
		p = "probability ( x ) {\n  table 0.2, 0.8;\n}\nprobability ( y | x ) {\n"  // 4 lines
		q = "probability ( y | x ) {\n  (yes) 0.1, 0.9;\n  (no) 0.3, 0.7;\n}\n"     // 4 lines
		r = "probability ( x ) {\n  table 0.2, 0.8;\n}\n"                           // 3 lines
		s = x + y + r + q
	)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"line 1, column 1", "the end of the file", `expected "network"`}},
		{"XML", "<?xml version=\"1.0\"?>", []string{"line 1, column 1", `found "<?xml"`, `expected "network"`}},
		{"no brace", "network n\nvariable x", []string{"line 2, column 11", `expected "{" after the network name`}},
		{"in network", "network n {\n  size 3;\n}", []string{"line 2, column 3", `found "size"`, `expected "property" or "}"`}},
		{"open property", "network n {\n property a b", []string{"line 2, column 2", `property without end: expected ";"`}},
		{"block", x + "node y { }", []string{"line 6, column 1", `found "node"`, `expected "variable" or "probability"`}},
		{"no name", "network n { }\nvariable { }", []string{"line 2, column 10", `found "{"`, "expected a variable name"}},
		{"twice", x + "variable x { }", []string{"line 6, column 10", `variable "x" is declared twice`}},
		{"no type", x + "variable y { }", []string{"line 6, column 14", `expected "type" or "property"`}},
		{"two types", x + "variable y { type discrete [1] { a }; type discrete [1] { a }; }", []string{"line 6, column 39", `expected "property" or "}"`}},
		{"continuous", x + "variable y { type continuous; }", []string{"line 6, column 19", `found "continuous"`, `"discrete", the only type`}},
		{"no count", x + "variable y { type discrete { a b } }", []string{"line 6, column 28", `expected "[" and the number of states`}},
		{"bad count", x + "variable y { type discrete [ two ] { a b }; }", []string{"line 6, column 30", `found "two"`, "an integer ≥ 1"}},
		{"zero count", x + "variable y { type discrete [ 0 ] { }; }", []string{"line 6, column 30", "an integer ≥ 1"}},
		{"wrong count", x + "variable y { type discrete [ 3 ] { a, b }; }", []string{"line 6, column 30", `"y" lists 2 states: expected 3`}},
		{"state twice", x + "variable y { type discrete [ 2 ] { a, a }; }", []string{"line 6, column 39", `"y" has state "a" twice`}},
		{"no semicolon", x + "variable y { type discrete [ 2 ] { a, b } }", []string{"line 6, column 43", `expected ";" after the states`}},
		{"open string", x + "variable \"y\n", []string{"line 6, column 10", "expected a closing quote"}},
		{"open comment", x + "/* what", []string{"line 6, column 1", "expected */"}},
		{"unknown variable", x + "probability ( z ) { table 1; }", []string{"line 6, column 15", `"z" is not declared before its use`, `must be one of "x"`}},
		{"unknown parent", x + "probability ( x | z ) { table 1; }", []string{"line 6, column 19", `"z" is not declared`}},
		{"own parent", x + "probability ( x | x ) { table 1; }", []string{"line 6, column 19", `"x" occurs twice`}},
		{"no child", x + "probability ( ) { }", []string{"line 6, column 15", "expected a variable"}},
		{"open head", x + "probability ( x { }", []string{"line 6, column 17", `expected a parent or ")"`}},
		{"second block", x + r + r, []string{"line 9, column 15", `"x" has a second probability block`}},
		{"no block", x + y + r, []string{"line 6, column 10", `variable "y" has no probability block`}},
		{"empty block", x + "probability ( x ) { }", []string{"line 6, column 1", `"x" has no row for no parents and no default`}},
		{"other statement", x + "probability ( x ) { entry 1; }", []string{"line 6, column 21", `expected "table", a row "(", "default" or "}"`}},
		{"few numbers", x + "probability ( x ) { table 1; }", []string{"line 6, column 28", "expected 2 numbers in the table, got 1"}},
		{"many numbers", x + "probability ( x ) { table 0.1, 0.2, 0.7; }", []string{"line 6, column 37", `expected ";": the table has 2 numbers`}},
		{"not a number", x + "probability ( x ) { table 0.1, half; }", []string{"line 6, column 32", `found "half"`, "a finite number ≥ 0"}},
		{"NaN", x + "probability ( x ) { table 0.1, NaN; }", []string{"line 6, column 32", "a finite number ≥ 0"}},
		{"Inf", x + "probability ( x ) { table 0.1, Inf; }", []string{"line 6, column 32", "a finite number ≥ 0"}},
		{"overflow", x + "probability ( x ) { table 0.1, 1e999; }", []string{"line 6, column 32", "a finite number ≥ 0"}},
		{"negative", x + "probability ( x ) { table -0.1, 1.1; }", []string{"line 6, column 27", `found "-0.1"`, "a finite number ≥ 0"}},
		{"quoted number", x + "probability ( x ) { table \"0.1\", 0.9; }", []string{"line 6, column 27", "a finite number ≥ 0"}},
		{"decimal comma", x + "probability ( x ) { table 0,1 0,9; }", []string{"line 6, column 31", `expected ";"`}},
		{"table sum", x + "probability ( x ) {\n  table 0.1, 0.8;\n}", []string{"line 7, column 3", `the table of "x" sums to 0.9`, "expected 1 within 0.0001"}},
		{"row sum", x + y + p + "  (yes) 0.1, 0.9;\n  (no) 0.1, 0.8;\n}", []string{"line 14, column 3", `row for x=no of "y" sums to 0.9`}},
		{"default sum", x + y + p + "  default 0.1, 0.8;\n}", []string{"line 13, column 3", `the default row of "y" sums to 0.9`}},
		{"missing row", x + y + p + "  (yes) 0.1, 0.9;\n}", []string{"line 12, column 1", `"y" has no row for x=no and no default`}},
		{"second row", x + y + p + "  (yes) 0.1, 0.9;\n (yes) 0.1, 0.9;\n}", []string{"line 14, column 2", `second row of "y" for x=yes`}},
		{"bad state", x + y + p + "  (maybe) 0.1, 0.9;\n}", []string{"line 13, column 4", `parent 1, "x", has no state "maybe": must be one of "yes", "no"`}},
		{"few states", x + y + p + "  () 0.1, 0.9;\n}", []string{"line 13, column 4", `found ")"`, "expected a state of parent x"}},
		{"many states", x + y + p + "  (yes, no) 0.1, 0.9;\n}", []string{"line 13, column 9", `found "no"`, `expected ")"`}},
		{"row after table", x + y + p + "  table .1 .9 .1 .9;\n (yes) 0.1, 0.9;\n}", []string{"line 14, column 2", `expected "}" after a table`}},
		{"table after row", x + y + p + "  (yes) 0.1, 0.9;\n table .1 .9 .1 .9;\n}", []string{"line 14, column 2", `a row "(", one "default" or "}"`}},
		{"two defaults", x + y + p + "  default 0.1, 0.9;\n default 0.1, 0.9;\n}", []string{"line 14, column 2", `one "default"`}},
		{"cycle", x + y + "probability ( x | y ) { default 0.5, 0.5; }\n" + q, []string{"cycle", "acyclic"}},
		{"rest", s + "}", []string{"line 16, column 1", `expected "variable" or "probability"`}},
		{"columns count characters", "network ünï { } variable ö { }", []string{"line 1, column 30"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadBIF(strings.NewReader(test.text))
			wantError(t, err, append(test.want, "bayes: ")...)
		})
	}
	must(ReadBIF(strings.NewReader(s))) // the parts are right
}

func TestReadBIFLimits(t *testing.T) {
	var b strings.Builder
	b.WriteString("network n { }\n")
	for range 25 {
		b.WriteString("variable x" + strings.Repeat("i", b.Len()/40) + " { type discrete [2] { a b }; }\n")
	}
	b.WriteString("probability (")
	n := 0
	for line := range strings.Lines(b.String()) {
		if name, ok := strings.CutPrefix(line, "variable "); ok {
			b.WriteString(" " + strings.Fields(name)[0])
			n++
		}
	}
	b.WriteString(") { default 0.5 0.5; }")
	_, err := ReadBIF(strings.NewReader(b.String()))
	wantError(t, err, "line 27", "more than 16777216 entries")
	if n != 25 {
		t.Fatalf("%d variables, want 25", n)
	}

	endless := func(s string) io.Reader { return io.MultiReader(strings.NewReader("network "+s), repeat('a')) }
	_, err = ReadBIF(endless(""))
	wantError(t, err, "line 1, column 9", "word longer than 65536 bytes")
	_, err = ReadBIF(endless("\""))
	wantError(t, err, "string longer than 65536 bytes")
}

// repeat is an endless file of one byte.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func TestReadBIFFailingReader(t *testing.T) {
	broken := errors.New("disk on fire")
	for length := range len(javaBayes) {
		_, err := ReadBIF(io.MultiReader(strings.NewReader(javaBayes[:length]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: error %v, want that of the reader", length, err)
		}
	}
}

// roundTrip writes and reads a network.
func roundTrip(t failer, n *Network) {
	t.Helper()
	var b bytes.Buffer
	if err := n.WriteBIF(&b); err != nil {
		t.Errorf("writing: %v", err)
		return
	}
	text := b.String()
	got, err := ReadBIF(&b)
	if err != nil {
		t.Errorf("reading what was written: %v\n%s", err, text)
		return
	}
	if !reflect.DeepEqual(got, n) {
		t.Errorf("read %+v\nwrote %+v", got, n)
	}
}

func TestBIFRoundTrip(t *testing.T) {
	for _, b := range builtins {
		roundTrip(t, b.make())
	}
	roundTrip(t, must(ReadBIF(strings.NewReader(dialects))))
	rapid.Check(t, func(t *rapid.T) {
		n := drawBayes(t, 5, 4, drawShape{zeros: true, deterministic: true})
		odd := rapid.StringMatching(`[^"\n\r]{1,8}`)
		n.Name = odd.Draw(t, "name")
		for v := range n.Vars {
			n.Vars[v].Name += odd.Draw(t, "variable")
			for s := range n.Vars[v].States {
				n.Vars[v].States[s] += odd.Draw(t, "state")
			}
		}
		roundTrip(t, n)
	})
}

func TestWriteBIFRefuses(t *testing.T) {
	n := chain()
	n.Vars[0].States[1] = "a \"b\""
	wantError(t, n.WriteBIF(io.Discard), `name "a \"b\"" of variable "a"`, "no quote or line break")
	n = chain()
	n.Name = "a\nb"
	wantError(t, n.WriteBIF(io.Discard), "network name", "no quote or line break")
	n = chain()
	n.Factors[0].Child = -1
	wantError(t, n.WriteBIF(io.Discard), "Markov factors", "use WriteUAI")
	n = chain()
	n.Factors[0].Table[0] = 2
	wantError(t, n.WriteBIF(io.Discard), "sums to")
	broken := errors.New("disk full")
	if err := chain().WriteBIF(failingWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func FuzzReadBIF(f *testing.F) {
	f.Add(javaBayes)
	f.Add(dialects)
	f.Add(string(asiaBIF))
	f.Add("network n { } variable x { type discrete [ 2 ] { yes, no }; } probability ( x ) { table 1e-3, .999; }")
	f.Add("network \"\" {}")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ReadBIF(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "bayes: ") {
				t.Errorf("error %q has no prefix", err)
			}
			return
		}
		roundTrip(t, n)
	})
}

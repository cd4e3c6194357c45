package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
)

var program clitest.Program

func TestMain(m *testing.M) { clitest.Main(m, &program) }

// output is what users read from -json.
type output struct {
	D       []float64 `json:"d"`
	Exact   []float64 `json:"exact"`
	Slope   float64   `json:"exact_slope"`
	BioMS   float64   `json:"bio_ms"`
	Partial bool      `json:"partial"`
	Rows    []struct {
		Background  string     `json:"background"`
		Peak        float64    `json:"peak"`
		P           []*float64 `json:"p"`
		SE          []*float64 `json:"se"`
		Switches    []int      `json:"switches"`
		Outside     []float64  `json:"outside"`
		Slope       *float64   `json:"slope"`
		FreezeOut   *float64   `json:"freeze_out"`
		FreezeOutSE *float64   `json:"freeze_out_se"`
	} `json:"rows"`
}

// TestCurves: oscillation-tempering 5.11 on three cues, with the faster exponential PSPs. The
// exact slope is 3.99; that under an oscillation is smaller, more so for the hotter one; without
// cue both groups win alike.
func TestCurves(t *testing.T) {
	out, stderr, code := program.Call(t, nil, "-json", "-psp", "exponential", "-cues", "-0.6,0,0.6")
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.Slope-3.99) > .01 || math.Abs(r.Exact[0]-.084) > .001 || math.Abs(r.Exact[1]-.5) > 1e-12 || len(r.Rows) != 3 || r.BioMS != 9*3e5 {
		t.Fatalf("%+v", r)
	}
	for _, x := range r.Rows[1:] {
		if x.Slope == nil || x.FreezeOut == nil {
			t.Fatalf("%s: no slope", x.Background)
		}
		// About 100 switches and more at each cue: P has an error of about .03.
		if *x.Slope < 3.99/3.5 || *x.Slope > 3.99 || math.Abs(*x.P[1]-.5) > .13 || *x.P[0] > *x.P[1] || *x.P[1] > *x.P[2] {
			t.Errorf("%s: slope %v, P %v %v %v", x.Background, *x.Slope, *x.P[0], *x.P[1], *x.P[2])
		}
		if math.Abs(*x.FreezeOut**x.Slope/r.Slope-1) > 1e-9 || !(*x.FreezeOutSE > 0) {
			t.Errorf("%s: T_f %v ± %v", x.Background, *x.FreezeOut, x.FreezeOutSE)
		}
		for i, y := range x.Outside {
			if y > .08 || *x.SE[i] > .06 {
				t.Errorf("%s: error %v, %v outside", x.Background, *x.SE[i], y)
			}
		}
	}
	if a, b := *r.Rows[1].FreezeOut, *r.Rows[2].FreezeOut; !(1 < a && a < b) {
		t.Errorf("T_f %v at ×4, %v at ×9: must rise from above 1", a, b)
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two; figures at the same time.
func TestSameBytes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	args := []string{"-json", "-duration", "10000", "-cues", "0.15,0.3,0.45", "-out", dir, "-seed", "9"}
	var first string
	for _, procs := range []string{"1", "2"} {
		out, _, code := program.Call(t, []string{"GOMAXPROCS=" + procs}, args...)
		if code != cli.OK {
			t.Fatalf("exit %d", code)
		}
		if out = wall.ReplaceAllString(out, `"wall_s":0`); first == "" {
			first = out
		} else if out != first {
			t.Errorf("GOMAXPROCS=%s: other bytes", procs)
		}
	}
	args[len(args)-1] = "10"
	if other, _, _ := program.Call(t, nil, args...); wall.ReplaceAllString(other, `"wall_s":0`) == first {
		t.Error("another seed, the same bytes")
	}
	// The constant background with its default PSPs is stuck: nothing is said about its slope.
	var r output
	if err := json.Unmarshal([]byte(first), &r); err != nil || r.Rows[0].Background != "constant" || r.Rows[0].Switches[1] > 5 || r.Rows[0].SE[1] != nil || r.Rows[0].FreezeOut != nil {
		t.Errorf("constant background: %+v, %v", r, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "psychometric.png"))
	if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Error(err)
	}
	text, _, code := program.Call(t, nil, args[1:]...)
	for _, want := range []string{"psychometric.png", "seen", "0.60", "1.80", "freeze-out", "periodic annealing"} {
		if code != cli.OK || !strings.Contains(text, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, text)
		}
	}
}

// TestEdges: other neurons, one cue, no compensation.
func TestEdges(t *testing.T) {
	for _, args := range [][]string{{"-psp", "exponential", "-set", "leng-cuba"}, {"-compensation", "none", "-peaks", "1.5", "-set", "dold-coba"}, {"-chains", "1", "-duration", "1000"}} {
		dir := t.TempDir()
		_, stderr, code := program.Call(t, nil, append([]string{"-duration", "2000", "-cues", "0.3", "-out", dir}, args...)...)
		if code != cli.OK {
			t.Errorf("%v: exit %d, %s", args, code, stderr)
		}
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct{ args, words []string }{
		{[]string{"-cues", "0.1,x"}, []string{"-cues", `"x"`, "number"}},
		{[]string{"-cues", "0.3,0.1"}, []string{"-cues", "rise"}},
		{[]string{"-cues", ""}, []string{"-cues"}},
		{[]string{"-cues", "0"}, []string{"-cues 0", "not 0"}},
		{[]string{"-peaks", "1,4"}, []string{"-peaks 1,4", "above 1"}},
		{[]string{"-peaks", "0.5"}, []string{"-peaks", "from 1"}},
		{[]string{"-peaks", "50"}, []string{"50", "map"}},
		{[]string{"-duration", "1"}, []string{"-duration", "1000"}},
		{[]string{"-strength", "0"}, []string{"-strength", "above 0"}},
		{[]string{"-freq", "NaN"}, []string{"-freq"}},
		{[]string{"-chains", "-1"}, []string{"-chains"}},
		{[]string{"-set", "nest"}, []string{"nest", "tutorial-cuba"}},
		{[]string{"-set", "dold-coba"}, []string{"map"}},
		{[]string{"-psp", "alpha"}, []string{"alpha", "rect"}},
		{[]string{"-compensation", "some"}, []string{"some", "none"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		dir := t.TempDir()
		program.Refused(t, append([]string{"-out", filepath.Join(dir, "out")}, c.args...), c.words)
		if e, _ := os.ReadDir(dir); len(e) != 0 {
			t.Errorf("%v: left %v behind", c.args, e)
		}
	}
}

// TestInterrupt: Ctrl-C prints the rows that are complete, marked, and exits 130.
func TestInterrupt(t *testing.T) {
	out := program.Interrupt(t, clitest.After(500*time.Millisecond), "-json", "-duration", "1e11")
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Partial || len(r.Rows) != 0 || len(r.Exact) != 9 {
		t.Errorf("%v: %q", err, out)
	}
}

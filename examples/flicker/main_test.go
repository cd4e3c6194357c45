package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	Rows []struct {
		Run       string    `json:"run"`
		Switches  int       `json:"switches"`
		PerSecond float64   `json:"switches_per_s"`
		HotShare  *float64  `json:"hot_share"`
		Occupancy []float64 `json:"occupancy"`
		Outside   float64   `json:"outside"`
	} `json:"rows"`
	Phases []int `json:"phases"`
	Cue    struct {
		ExactB   float64    `json:"exact_b"`
		SampledB float64    `json:"sampled_b"`
		Trials   int        `json:"trials"`
		Cycle    []int      `json:"cycle"`
		PB       []*float64 `json:"p_b"`
	} `json:"cue"`
	BioMS   float64 `json:"bio_ms"`
	Partial bool    `json:"partial"`
}

// TestRhythm: oscillation-tempering 5.12, with the faster exponential PSPs. The map switches
// in hot phases, hardly without the rhythm, and follows the cue within some cycles.
func TestRhythm(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	out, stderr, code := program.Call(t, nil, "-json", "-psp", "exponential", "-duration", "6e5", "-out", dir)
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 5 || math.Abs(r.BioMS-3e6) > 10 {
		t.Fatalf("%+v", r)
	}
	constant, rhythm, cueB := r.Rows[0], r.Rows[1], r.Rows[3]
	if constant.Run != "constant" || constant.Switches > 30 {
		t.Errorf("constant background: %d switches", constant.Switches)
	}
	// About 300 switches: the share has an error of .025, the number one of 6 % and more.
	if rhythm.Switches < 150 || rhythm.HotShare == nil || *rhythm.HotShare < .62 || math.Abs(rhythm.Occupancy[0]-.5) > .15 || rhythm.Outside > .08 {
		t.Errorf("rhythm: %+v", rhythm)
	}
	total := 0
	for _, n := range r.Phases {
		total += n
	}
	// The lag behind the hottest phase, ½, is an eighth of a cycle at most.
	if best := slices.Index(r.Phases, slices.Max(r.Phases)); total != rhythm.Switches || len(r.Phases) != 16 || best < 7 || best > 10 {
		t.Errorf("phases %v of %d switches", r.Phases, rhythm.Switches)
	}
	if math.Abs(r.Cue.ExactB-.917) > .002 || math.Abs(cueB.Occupancy[1]/(cueB.Occupancy[0]+cueB.Occupancy[1])-r.Cue.SampledB) > 1e-12 ||
		r.Cue.SampledB < .55 || r.Cue.SampledB > r.Cue.ExactB {
		t.Errorf("cue: exact %v, sampled %v", r.Cue.ExactB, r.Cue.SampledB)
	}
	zero := slices.Index(r.Cue.Cycle, 0)
	// 150 changes: each probability has an error of .04.
	if p := r.Cue.PB; r.Cue.Trials != 150 || math.Abs(*p[zero]-(1-r.Cue.SampledB)) > .18 || math.Abs(*p[len(p)-1]-r.Cue.SampledB) > .18 || *p[zero+2]-*p[zero] < .05 {
		t.Errorf("time course %v", r.Cue)
	}
	for _, f := range []string{"flicker.png", "phases.png"} {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	args := []string{"-json", "-duration", "13000", "-seed", "9"}
	var first string
	for _, procs := range []string{"1", "2"} {
		out, _, code := program.Call(t, []string{"GOMAXPROCS=" + procs}, args...)
		if code != cli.OK {
			t.Fatalf("exit %d", code)
		}
		if out = wall.ReplaceAllString(out, ""); first == "" {
			first = out
		} else if out != first {
			t.Errorf("GOMAXPROCS=%s: other bytes", procs)
		}
	}
	args[len(args)-1] = "10"
	if other, _, _ := program.Call(t, nil, args...); wall.ReplaceAllString(other, "") == first {
		t.Error("another seed, the same bytes")
	}
}

// TestEdges: hardly any switches, no cue, other neurons; the text names its figures.
func TestEdges(t *testing.T) {
	for _, args := range [][]string{{"-strength", "12", "-peak", "1.1"}, {"-cue", "0"}, {"-psp", "exponential", "-set", "leng-cuba"},
		{"-compensation", "none", "-set", "dold-coba", "-peak", "2"}, {"-cells", "3"}} {
		dir := t.TempDir()
		out, stderr, code := program.Call(t, nil, append([]string{"-duration", "13000", "-out", dir}, args...)...)
		if code != cli.OK || !strings.Contains(out, "phases.png") || !strings.Contains(out, "periodic annealing") {
			t.Errorf("%v: exit %d, %s%s", args, code, out, stderr)
		}
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct{ args, words []string }{
		{[]string{"-cells", "2"}, []string{"-cells", "3 to 8"}},
		{[]string{"-strength", "-1"}, []string{"-strength", "above 0"}},
		{[]string{"-cue", "-1"}, []string{"-cue", "0 to 10"}},
		{[]string{"-freq", "0"}, []string{"-freq", "0.1"}},
		{[]string{"-peak", "1"}, []string{"-peak", "above 1"}},
		{[]string{"-peak", "50"}, []string{"50", "map"}},
		{[]string{"-duration", "100"}, []string{"-duration", "100 cycles", "12500 ms"}},
		{[]string{"-duration", "NaN"}, []string{"-duration"}},
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

// TestInterrupt: Ctrl-C prints what was recorded, marked, and exits 130.
func TestInterrupt(t *testing.T) {
	out := program.Interrupt(t, clitest.After(time.Second), "-json", "-duration", "1e9")
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Partial || len(r.Rows) == 0 || len(r.Rows) == 4 {
		t.Errorf("%v: %q", err, out)
	}
}

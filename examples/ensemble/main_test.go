package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
)

var program clitest.Program

func TestMain(m *testing.M) { clitest.Main(m, &program) }

// output is what users read from -json.
type output struct {
	Networks int    `json:"networks"`
	Units    int    `json:"units"`
	Draws    *int64 `json:"random_draws_after_start"`
	DKL      *struct {
		Poisson   float64 `json:"poisson"`
		Untrained float64 `json:"ensemble_untrained"`
		Trained   float64 `json:"ensemble_trained"`
		NewKick   float64 `json:"ensemble_new_kick"`
	} `json:"dkl"`
	Noise *struct {
		Pair []struct{ DW, Theory float64 } `json:"pair"`
		Pool []struct {
			Raw      float64 `json:"dkl"`
			Weights  float64 `json:"dkl_w"`
			Analytic float64 `json:"dkl_w_b"`
			Learnt   float64 `json:"dkl_learnt"`
		} `json:"pool"`
	} `json:"noise"`
	Patterns *struct {
		Completed  float64 `json:"completed"`
		Guess      float64 `json:"guess"`
		Classified float64 `json:"classified"`
		Dreamt     float64 `json:"dreamt"`
		Visited    int     `json:"visited"`
	} `json:"patterns"`
	Fingerprint string  `json:"fingerprint"`
	BioMS       float64 `json:"bio_ms"`
	WallS       float64 `json:"wall_s"`
	Partial     bool    `json:"partial"`
}

func call(t *testing.T, args ...string) output {
	t.Helper()
	out, stderr, code := program.Call(t, nil, append([]string{"-json"}, args...)...)
	if code != cli.OK || stderr != "" {
		t.Fatalf("%v: exit %d, stderr %q", args, code, stderr)
	}
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNetworks: a third of the default training takes the divergence to a fifth.
func TestNetworks(t *testing.T) {
	r := call(t, "-experiments", "networks", "-steps", "100", "-step", "3000", "-duration", "40000")
	if r.Networks != 15 || r.Units != 4 || r.Draws == nil || *r.Draws != 0 || r.DKL == nil || len(r.Fingerprint) != 16 || !(r.WallS > 0) || r.Partial {
		t.Fatalf("%+v", r)
	}
	if d := r.DKL; d.Untrained < .05 || d.Trained > d.Untrained/5 || d.NewKick > d.Untrained/5 || d.Poisson > .05 {
		t.Errorf("%+v", d)
	}
	if min := 100*3000. + 5*40000; r.BioMS < min || r.BioMS > 2*min {
		t.Errorf("%v ms of biological time", r.BioMS)
	}
}

func TestNoise(t *testing.T) {
	r := call(t, "-experiments", "noise", "-duration", "30000", "-steps", "150")
	if r.Draws != nil || r.DKL != nil || r.Noise == nil {
		t.Fatalf("%+v", r)
	}
	for _, p := range r.Noise.Pool {
		if p.Weights < p.Raw || p.Analytic > p.Raw || p.Learnt > max(p.Raw, .02) {
			t.Errorf("%+v", p)
		}
	}
}

func TestPatterns(t *testing.T) {
	r := call(t, "-experiments", "patterns")
	p := r.Patterns
	if p == nil || r.Draws == nil || *r.Draws != 0 {
		t.Fatalf("%+v", r)
	}
	if math.Abs(p.Guess-.75) > 1e-9 || p.Completed < .93 || p.Classified < .8 || p.Dreamt < .6 || p.Visited < 7 {
		t.Errorf("%+v", *p)
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	args := []string{"-json", "-experiments", "networks", "-networks", "6", "-fan", "16", "-steps", "3", "-step", "1000", "-duration", "2000", "-seed", "4"}
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
	args[len(args)-1] = "5"
	if other, _, _ := program.Call(t, nil, args...); wall.ReplaceAllString(other, "") == first {
		t.Error("another seed, the same bytes")
	}
}

func TestFigures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	out, stderr, code := program.Call(t, nil, "-experiments", "networks", "-steps", "3", "-step", "1000", "-duration", "2000", "-out", dir)
	if code != cli.OK || !regexp.MustCompile("random numbers drawn after the start: 0\n").MatchString(out) {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "networks.png")); err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Errorf("%v", err)
	}
	if e, _ := os.ReadDir(dir); len(e) != 1 {
		t.Errorf("%d files", len(e))
	}
}

// TestBadInput: exit code 2, one line on stderr that names the place and what is allowed.
func TestBadInput(t *testing.T) {
	for _, c := range []struct{ args, words []string }{
		{[]string{"-experiments", "dreams"}, []string{"dreams", "noise,networks,patterns"}},
		{[]string{"-experiments", "noise,noise"}, []string{"noise twice"}},
		{[]string{"-networks", "1"}, []string{"-networks 1", "2 to"}},
		{[]string{"-units", "40"}, []string{"-units 40", "2 to 12"}},
		{[]string{"-fan", "58"}, []string{"-fan 58", "56 units of other networks"}},
		{[]string{"-fan", "7"}, []string{"-fan 7", "even"}},
		{[]string{"-steps", "0"}, []string{"-steps 0"}},
		{[]string{"-step", "NaN"}, []string{"-step NaN", "1000"}},
		{[]string{"-duration", "1"}, []string{"-duration 1", "1000"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		program.Refused(t, c.args, c.words)
	}
}

// TestInterrupt: Ctrl-C keeps the experiments that are done, marks the result, and exits 130.
func TestInterrupt(t *testing.T) {
	out := program.Interrupt(t, clitest.After(500*time.Millisecond), "-json", "-experiments", "networks", "-duration", "1e9")
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Partial || r.DKL != nil {
		t.Errorf("%v: %q", err, out)
	}
}

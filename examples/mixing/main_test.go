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
	Model string   `json:"model"`
	LogZ  *float64 `json:"log_z"`
	Rows  []struct {
		Sampler         string    `json:"sampler"`
		SwitchesPer1000 *float64  `json:"switches_per_1000"`
		IACT            *float64  `json:"iact"`
		Occupancy       []float64 `json:"occupancy"`
		DKLModes        *float64  `json:"dkl_modes"`
		FreezeOut       *float64  `json:"freeze_out"`
		Sweeps          float64   `json:"sweeps"`
		BioMS           float64   `json:"bio_ms"`
		WallS           float64   `json:"wall_s"`
		Copies          float64   `json:"copies"`
		Setup           float64   `json:"setup_sweeps"`
		Partial         bool      `json:"partial"`
	} `json:"rows"`
	Masses  []float64 `json:"masses"`
	Partial bool      `json:"partial"`
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

// TestDefault: all samplers at a tenth of the default budget. Gibbs and the constant network
// are stuck, the tempered ones have the right masses, those under a rhythm have masses that
// are flatter.
func TestDefault(t *testing.T) {
	r := call(t, "-budget", "40000")
	if !strings.HasPrefix(r.Model, "wta") || r.LogZ == nil || math.Abs(*r.LogZ-9.4089137482) > 1e-8 {
		t.Errorf("model %q, log Z %v", r.Model, r.LogZ)
	}
	for k, want := range []float64{.66506583, .24473659, .09006783} {
		if math.Abs(r.Masses[k]-want) > 1e-8 {
			t.Errorf("masses %v", r.Masses)
		}
	}
	var names []string
	setup := map[string]float64{}
	for _, x := range r.Rows {
		names = append(names, x.Sampler)
		setup[x.Sampler] = x.Setup
		if want := map[string]float64{"pt": 8, "pt-seo": 8, "cast": 2}[x.Sampler]; x.Copies != max(1, want) {
			t.Errorf("%s: %v copies", x.Sampler, x.Copies)
		}
		if math.Abs(x.Sweeps/40000-1) > .02 || math.Abs(x.BioMS*x.Copies/x.Sweeps-10) > 1e-9 || !(x.WallS > 0) || len(x.Occupancy) != 3 || x.DKLModes == nil {
			t.Errorf("%+v", x)
		}
		switch x.Sampler {
		case "gibbs", "lif", "neural": // .0080 switches per 1000 sweeps, as the exact passage time says
			if *x.SwitchesPer1000 > .2 {
				t.Errorf("%s: %v switches per 1000 sweeps: must be stuck", x.Sampler, *x.SwitchesPer1000)
			}
		case "st", "ast", "pt", "pt-seo":
			// Hundreds of independent draws: the divergence of three masses is about 1/n.
			if !(*x.DKLModes < .05) || x.IACT == nil || *x.IACT > 500 {
				t.Errorf("%s: divergence %v, IACT %v", x.Sampler, *x.DKLModes, x.IACT)
			}
		case "anneal", "lif-osc", "lif-osc-comp":
			// T_f lies between 1 and about the highest temperature, 3; 80 cycles of 10 s.
			if x.FreezeOut == nil || *x.FreezeOut < 1.3 || *x.FreezeOut > 7 || *x.SwitchesPer1000 < 2 {
				t.Errorf("%s: T_f %v, %v switches per 1000 sweeps", x.Sampler, x.FreezeOut, *x.SwitchesPer1000)
			}
		}
	}
	// The ladder, and the weights of st: a fifth of the budget of a chain, and the way home.
	if x := setup["st"] - setup["pt"]; setup["gibbs"] != 0 || setup["pt"] != 8*63*128 || x < 2000 || x > 2500 {
		t.Errorf("setup %v", setup)
	}
	if !slices.Equal(names, samplerNames()) {
		t.Errorf("samplers %v, want %v", names, samplerNames())
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	args := []string{"-json", "-budget", "4000", "-seed", "9"}
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
	args[4] = "10"
	if other, _, _ := program.Call(t, nil, args...); wall.ReplaceAllString(other, "") == first {
		t.Error("another seed, the same bytes")
	}
}

func TestFigures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	out, _, code := program.Call(t, nil, "-budget", "4000", "-samplers", "gibbs,pt", "-out", dir)
	if code != cli.OK {
		t.Fatalf("exit %d", code)
	}
	for _, f := range []string{"modes.png", "dkl.png", "ladder.png", "temperature.png"} {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("%s: %v", f, err)
		}
		if !strings.Contains(out, f) {
			t.Errorf("the output does not name %s", f)
		}
	}
	// What there is no data for is left out.
	dir = t.TempDir()
	if _, stderr, code := program.Call(t, nil, "-budget", "1000", "-samplers", "neural", "-set", "dold-coba", "-model", "hopfield", "-out", dir); code != cli.OK {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if e, _ := os.ReadDir(dir); len(e) != 2 {
		t.Errorf("%d files", len(e))
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFile: a machine of two units that are on or off together, its modes found or named.
func TestFile(t *testing.T) {
	const machine = `{"W": [[0, 4], [4, 0]], "b": [-2, -1.5]`
	// p ∝ 1, e^-2, e^-1.5, e^.5
	z := 1 + math.Exp(-2) + math.Exp(-1.5) + math.Exp(.5)
	for text, want := range map[string][]float64{
		machine + `}`: {math.Exp(.5) / z, 1 / z},
		machine + `, "modes": [[0, 0], [1, 0], [1, 1]]}`: {1 / z, math.Exp(-2) / z, math.Exp(.5) / z},
	} {
		r := call(t, "-model", write(t, "pair.json", text), "-budget", "20000", "-samplers", "gibbs,pt,lif")
		if r.Model != "pair" || math.Abs(*r.LogZ-math.Log(z)) > 1e-12 || len(r.Masses) != len(want)+1 {
			t.Fatalf("%s: %+v", text, r)
		}
		for k, p := range want {
			if math.Abs(r.Masses[k]-p) > 1e-12 {
				t.Errorf("%s: masses %v, want %v", text, r.Masses, want)
			}
			for _, x := range r.Rows {
				if limit := map[string]float64{"lif": .06}[x.Sampler] + .03; math.Abs(x.Occupancy[k]-p) > limit {
					t.Errorf("%s: %s has %v, want %v", text, x.Sampler, x.Occupancy, want)
				}
			}
		}
	}
}

// TestBadInput: exit code 2, one line on stderr that names the place and what is allowed,
// nothing on stdout, no files.
func TestBadInput(t *testing.T) {
	file := func(text string) string { return write(t, "m.json", text) }
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-model", "ising"}, []string{"ising", "wta", "hopfield", ".json"}},
		{[]string{"-model", "missing.json"}, []string{"missing.json"}},
		{[]string{"-model", file(`[]`)}, []string{"m.json", `{"W"`}},
		{[]string{"-model", file(`{"W": [[0]], "b": [0]`)}, []string{"m.json", "EOF"}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [0,0]} x`)}, []string{"follows"}},
		{[]string{"-model", file(`{"W": [[0]], "b": [0]}`)}, []string{"1 numbers", "2 or more"}},
		{[]string{"-model", file(`{"W": [[0,1]], "b": [0,0]}`)}, []string{`"W" has 1 rows`, "2"}},
		{[]string{"-model", file(`{"W": [[0,1],[1]], "b": [0,0]}`)}, []string{`row 1 of "W" has 1`, "2"}},
		{[]string{"-model", file(`{"W": [[0,1],[2,0]], "b": [0,0]}`)}, []string{"W[", "symmetric"}},
		{[]string{"-model", file(`{"W": [[1,0],[0,0]], "b": [0,0]}`)}, []string{"W[0,0]", "diagonal"}},
		{[]string{"-model", file(`{"W": [[0,1e999],[1,0]], "b": [0,0]}`)}, []string{"1e999"}},
		{[]string{"-model", file(`{"W": [[0,null],[null,0]], "b": [0,0]}`)}, []string{"null", "number"}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [0,0], "c": 1}`)}, []string{`"c"`}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [0,0], "modes": [[0,0],[0,2]]}`)}, []string{"unit 1 of mode 1 is 2", "0 or 1"}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [0,0], "modes": [[0,0],[0]]}`)}, []string{"mode 1 has 1 units", "2"}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [0,0], "modes": [[0,0]]}`)}, []string{"1 \"modes\"", "2 to 1000"}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [0,0], "modes": [[0,0],[0,0]]}`)}, []string{"0 and 1 are equal"}},
		{[]string{"-model", file(`{"W": [[0,1],[1,0]], "b": [1,1]}`)}, []string{"one minimum", "modes"}},
		{[]string{"-model", file(`{"W": [[0,9],[9,0]], "b": [-5,-5]}`), "-strength", "2"}, []string{"-strength 2"}},
		{[]string{"-strength", "-1"}, []string{"-strength", "> 0"}},
		{[]string{"-samplers", "gibbs,nuts"}, []string{"nuts", "ast-adaptive"}},
		{[]string{"-samplers", "pt,gibbs,pt"}, []string{"pt twice"}},
		{[]string{"-budget", "10"}, []string{"-budget", "1000"}},
		{[]string{"-budget", "NaN"}, []string{"-budget"}},
		{[]string{"-chains", "0"}, []string{"-chains", "1 to"}},
		{[]string{"-levels", "1"}, []string{"-levels", "2 to"}},
		{[]string{"-peak", "0.5"}, []string{"-peak", "1 to 100"}},
		{[]string{"-peak", "50", "-samplers", "lif-osc-comp"}, []string{"lif-osc-comp", "50"}},
		{[]string{"-freq", "0"}, []string{"-freq"}},
		{[]string{"-freq", "3000", "-samplers", "lif-osc"}, []string{"-freq"}},
		{[]string{"-set", "nest"}, []string{"nest", "tutorial-cuba"}},
		{[]string{"-set", "dold-coba", "-samplers", "lif-osc-comp"}, []string{"map"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		dir := t.TempDir()
		program.Refused(t, append([]string{"-out", filepath.Join(dir, "out")}, c.args...), c.words)
		if e, _ := os.ReadDir(dir); len(e) != 0 {
			t.Errorf("%v: left %v behind", c.args, e)
		}
	}
}

// TestFails: a sampler that fails does not cost the results of those before it, and a peak
// beyond the measured temperatures has those of theory.
func TestFails(t *testing.T) {
	out, stderr, code := program.Call(t, nil, "-json", "-model", "cw", "-strength", "50", "-budget", "1000", "-samplers", "gibbs,ast,pt")
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != cli.Failure || !r.Partial || len(r.Rows) != 1 || !strings.Contains(stderr, "ast: chain 0") {
		t.Errorf("exit %d, %v, %q, %q", code, err, out, stderr)
	}
	if r = call(t, "-peak", "20", "-budget", "1000", "-samplers", "anneal"); len(r.Rows) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestInterrupt: Ctrl-C keeps what was sampled, marks it, and exits 130. It also ends the
// search for weights.
func TestInterrupt(t *testing.T) {
	program.Interrupt(t, clitest.After(time.Second), "-json", "-budget", "1e12", "-samplers", "st")
	var r output
	if out := program.Interrupt(t, clitest.After(time.Second), "-json", "-budget", "1e10", "-samplers", "gibbs,pt"); json.Unmarshal([]byte(out), &r) != nil || !r.Partial || len(r.Rows) != 1 || !r.Rows[0].Partial || !(r.Rows[0].Sweeps > 1000) {
		t.Errorf("%q", out)
	}
}

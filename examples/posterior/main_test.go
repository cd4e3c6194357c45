package main

import (
	"bytes"
	"encoding/json"
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

// result is what users read from -json.
type result struct {
	Network  string            `json:"network"`
	Evidence map[string]string `json:"evidence"`
	Seed     uint64            `json:"seed"`
	Units    int               `json:"units"`
	BioMS    float64           `json:"bio_ms"`
	WallS    float64           `json:"wall_s"`
	Partial  bool              `json:"partial"`
	Samplers []struct {
		Name      string `json:"name"`
		Marginals []struct {
			Variable string  `json:"variable"`
			Value    string  `json:"value"`
			Exact    float64 `json:"exact"`
			Estimate float64 `json:"estimate"`
			MCSE     float64 `json:"mcse"`
			ESS      float64 `json:"ess"`
			Rhat     float64 `json:"rhat"`
		} `json:"marginals"`
		MaxAbsError float64  `json:"max_abs_error"`
		DKL         *float64 `json:"dkl"`
	} `json:"samplers"`
}

func TestDefault(t *testing.T) {
	out, stderr, code := program.Call(t, nil, "-json")
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	var r result
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Network != "asia" || r.Evidence["xray"] != "yes" || r.Evidence["dysp"] != "yes" || r.Units != 6 || r.BioMS != 8e5 || len(r.Samplers) != 3 {
		t.Errorf("result %+v", r)
	}
	for _, s := range r.Samplers {
		if s.DKL == nil || len(s.Marginals) != 12 {
			t.Errorf("%s: divergence %v, %d marginals", s.Name, s.DKL, len(s.Marginals))
		}
		if limit := map[string]float64{"lif": 0.05, "neural": 0.01, "gibbs": 0.01}[s.Name]; s.MaxAbsError > limit {
			t.Errorf("%s: largest error %.4f: must be ≤ %g", s.Name, s.MaxAbsError, limit)
		}
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	var first string
	for _, procs := range []string{"1", "2", "2"} {
		out, _, code := program.Call(t, []string{"GOMAXPROCS=" + procs}, "-json", "-duration", "20000", "-seed", "9")
		if code != cli.OK {
			t.Fatalf("exit %d", code)
		}
		out = wall.ReplaceAllString(out, "")
		if first == "" {
			first = out
		} else if out != first {
			t.Errorf("GOMAXPROCS=%s: other bytes", procs)
		}
	}
	other, _, _ := program.Call(t, nil, "-json", "-duration", "20000", "-seed", "10")
	if wall.ReplaceAllString(other, "") == first {
		t.Error("another seed, the same bytes")
	}
}

func TestFigures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	out, _, code := program.Call(t, nil, "-duration", "5000", "-out", dir)
	if code != cli.OK {
		t.Fatalf("exit %d", code)
	}
	for _, f := range []string{"posterior.png", "dkl.png", "raster.png"} {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("%s: %v", f, err)
		}
		if !strings.Contains(out, f) {
			t.Errorf("the output does not name %s", f)
		}
	}
	if e, _ := os.ReadDir(dir); len(e) != 3 {
		t.Errorf("%d files", len(e))
	}
}

// TestFiguresAtEdges: values that never vary, and a joint law that is exact from the start.
func TestFiguresAtEdges(t *testing.T) {
	for _, args := range [][]string{
		{"-evidence", "tub=yes"}, {"-query", "xray"}, {"-query", "xray,lung"}, {"-duration", "10", "-chains", "1"}, {"-sampler", "gibbs"},
	} {
		dir := t.TempDir()
		_, stderr, code := program.Call(t, nil, append([]string{"-duration", "5000", "-out", dir}, args...)...)
		if code != cli.OK {
			t.Errorf("%v: exit %d, %s", args, code, stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "posterior.png")); err != nil {
			t.Errorf("%v: %v", args, err)
		}
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

// TestBadInput: exit code 2, one line on stderr that names the place and what is allowed,
// nothing on stdout, no files.
func TestBadInput(t *testing.T) {
	const head = "network n { }\nvariable a { type discrete [ 2 ] { yes, no }; }\n"
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-network", write(t, "a.bif", head+"probability ( a ) { table 0.5 0.6; }\n")}, []string{"a", "sum", "1.1"}},
		{[]string{"-network", write(t, "b.bif", head+"probability ( a ) { table 0.5, ; }\n")}, []string{"line 3, column 32"}},
		{[]string{"-network", write(t, "c.bif", head+"probability ( a | b ) { table 0.5, 0.5; }\n")}, []string{"b", "line 3"}},
		{[]string{"-network", write(t, "d.bif", "network n {")}, []string{"line 1"}},
		{[]string{"-network", write(t, "e.uai", "MARKOV\n2\n2 2\n1\n2 0 7\n4\n1 2 3 4\n")}, []string{"line 5", "7"}},
		{[]string{"-network", write(t, "f.uai", "BAYES\n1\n2\n1\n1 0\n2\n0.5 0.7\n")}, []string{"sum"}},
		{[]string{"-network", write(t, "g.uai", "MARKOV\n1\n2\n1\n1 0\n2\n0.5\n")}, []string{"line 8", "end of the file"}},
		{[]string{"-network", write(t, "h.xml", "<x/>")}, []string{".bif", ".uai"}},
		{[]string{"-network", "missing.bif"}, []string{"missing.bif"}},
		{[]string{"-network", "azia"}, []string{"azia", "asia", ".bif"}},
		{[]string{"-evidence", "xrax=yes"}, []string{"xrax", "xray"}},
		{[]string{"-evidence", "xray=perhaps"}, []string{"perhaps", "yes", "no"}},
		{[]string{"-evidence", "xray"}, []string{"xray", "="}},
		{[]string{"-evidence", "tub=yes,either=no"}, []string{"probability 0"}},
		{[]string{"-query", "lungs"}, []string{"lungs", "lung"}},
		{[]string{"-sampler", "lif,nuts"}, []string{"nuts", "gibbs"}},
		{[]string{"-duration", "-5"}, []string{"-duration", "> 0"}},
		{[]string{"-duration", "0"}, []string{"-duration", "> 0"}},
		{[]string{"-duration", "NaN"}, []string{"-duration", "> 0"}},
		{[]string{"-warmup", "-1"}, []string{"-warmup"}},
		{[]string{"-chains", "0"}, []string{"-chains", "≥ 1"}},
		{[]string{"-chains", "1000000000"}, []string{"Chains", "100000"}},
		{[]string{"-set", "nest"}, []string{"nest", "tutorial-cuba"}},
		{[]string{"-psp", "alpha"}, []string{"alpha", "rect"}},
		{[]string{"-translation", "mine"}, []string{"mine", "published"}},
		{[]string{"-dt", "0.3"}, []string{"TauRef", "10 ms", "multiple", "0.3 ms"}},
		{[]string{"-dt", "-1"}, []string{"-dt", "> 0"}},
		{[]string{"-fast"}, []string{"-fast", "-h"}},
		{[]string{"-seed", "-1"}, []string{"-seed"}},
		{[]string{"surplus"}, []string{"surplus"}},
		{[]string{"-set", "tutorial-cuba", "-psp", "rect", "-translation", "tail-corrected"}, []string{"tail", "exponential"}},
	} {
		dir := t.TempDir()
		program.Refused(t, append([]string{"-out", filepath.Join(dir, "out")}, c.args...), c.words)
		if e, _ := os.ReadDir(dir); len(e) != 0 {
			t.Errorf("%v: left %v behind", c.args, e)
		}
	}
}

// TestInterrupt: Ctrl-C keeps what was sampled, marks it, and exits 130.
func TestInterrupt(t *testing.T) {
	for _, args := range [][]string{{"-duration", "1e9"}, {"-duration", "1e9", "-json"}} {
		out := program.Interrupt(t, clitest.After(2*time.Second), args...)
		if len(args) == 2 {
			if !strings.Contains(out, "PARTIAL") || !strings.Contains(out, "lung") {
				t.Errorf("stdout %q", out)
			}
			continue
		}
		var r result
		if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Partial || len(r.Samplers) != 1 || r.BioMS <= 0 {
			t.Errorf("%v: %q", err, out)
		}
	}
}

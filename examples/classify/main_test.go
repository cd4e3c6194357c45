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
	Model struct {
		Size, Hidden int
	} `json:"model"`
	Test int `json:"test_images"`
	Rows []struct {
		Classifier string   `json:"classifier"`
		Accuracy   float64  `json:"accuracy"`
		SE         float64  `json:"se"`
		BioMS      float64  `json:"bio_ms"`
		WallS      float64  `json:"wall_s"`
		Agrees     float64  `json:"agrees"`
		DKL        *float64 `json:"dkl"`
		Curve      []struct {
			BioMS    float64 `json:"bio_ms"`
			Accuracy float64 `json:"accuracy"`
		} `json:"curve"`
		Confusion [][]float64 `json:"confusion"`
	} `json:"rows"`
	Completion []struct {
		Sampler string  `json:"sampler"`
		RMS     float64 `json:"rms"`
		Brier   float64 `json:"brier"`
	} `json:"completion"`
	Partial bool `json:"partial"`
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

// TestDefault: a small training; networks classify as free energies do.
func TestDefault(t *testing.T) {
	r := call(t, "-epochs", "100", "-test", "250", "-bio", "300ms", "-chains", "10")
	if r.Model.Size != 12 || r.Model.Hidden != 150 || r.Test != 250 {
		t.Errorf("%+v", r.Model)
	}
	var names []string
	free := r.Rows[0]
	if free.Accuracy < .8 {
		t.Errorf("free energies: %v", free.Accuracy)
	}
	for _, x := range r.Rows {
		names = append(names, x.Classifier)
		sum, right := 0.0, 0.0
		for l, row := range x.Confusion {
			right += row[l]
			for _, v := range row {
				sum += v
			}
		}
		if math.Abs(sum-250) > 1e-9 || math.Abs(right/250-x.Accuracy) > 1e-9 || math.Abs(x.SE-math.Sqrt(x.Accuracy*(1-x.Accuracy)/250)) > 1e-9 || !(x.WallS > 0) {
			t.Errorf("%+v", x)
		}
		if x.Classifier == "free-energy" {
			continue
		}
		// Of 250 images some 7 % differ; the share would be below 80 % with probability < 1e-9.
		if x.Agrees < .8 || x.Accuracy < free.Accuracy-.1 || x.BioMS != 300 || x.DKL == nil || *x.DKL < 0 || *x.DKL > 1 {
			t.Errorf("%s: accuracy %v (free energies %v), agrees %v, divergence %v", x.Classifier, x.Accuracy, free.Accuracy, x.Agrees, *x.DKL)
		}
		if last := x.Curve[len(x.Curve)-1]; last.BioMS != 300 || last.Accuracy != x.Accuracy || x.Curve[0].Accuracy > x.Accuracy {
			t.Errorf("%s: curve %v", x.Classifier, x.Curve)
		}
	}
	// The first sweep decides something: its last state counts for all of it.
	if g := r.Rows[1].Curve[0]; g.BioMS != 10 || g.Accuracy < .3 {
		t.Errorf("gibbs after a sweep: %+v", g)
	}
	if want := "free-energy," + usual; strings.Join(names, ",") != want {
		t.Errorf("classifiers %v, want %s", names, want)
	}
	rms := map[string]float64{}
	for _, c := range r.Completion {
		rms[c.Sampler] = c.RMS
		if !(c.Brier > 0 && c.Brier < .25) { // of coins
			t.Errorf("%+v", c)
		}
	}
	if rms["pt"] != 0 || !(rms["gibbs"] > 0 && rms["gibbs"] < .2 && rms["lif-rect"] < .2) {
		t.Errorf("rms %v", rms)
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	args := []string{"-json", "-hidden", "30", "-epochs", "5", "-test", "12", "-bio", "50ms", "-chains", "3", "-seed", "9"}
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

// TestModel: a saved model gives what it gave before; the figures are there.
func TestModel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	file := filepath.Join(t.TempDir(), "m.npz")
	show := []string{"-test", "60", "-bio", "100ms", "-chains", "3", "-hide", "left", "-classifiers", "lif-rect", "-out", dir}
	out, stderr, code := program.Call(t, nil, append([]string{"-hidden", "30", "-epochs", "5", "-save", file}, show...)...)
	if code != cli.OK {
		t.Fatalf("exit %d, %q", code, stderr)
	}
	for _, f := range []string{"accuracy.png", "confusion.png", "completion.png"} {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("%s: %v", f, err)
		}
		if !strings.Contains(out, f) {
			t.Errorf("the output does not name %s", f)
		}
	}
	again, stderr, code := program.Call(t, nil, append([]string{"-model", file}, show...)...)
	if code != cli.OK {
		t.Fatalf("exit %d, %q", code, stderr)
	}
	// Lines without wall times: those of the table up to them.
	row := regexp.MustCompile(`(?m)^ *lif-rect .*(%| -) `)
	if a, b := row.FindAllString(out, -1), row.FindAllString(again, -1); len(a) != 2 || !slices.Equal(a, b) {
		t.Errorf("%q, and with the saved model %q", a, b)
	}
	program.Refused(t, []string{"-model", file, "-size", "28"}, []string{"-size 28", "size 12"})
	program.Refused(t, []string{"-model", file, "-epochs", "3"}, []string{"-model", "-epochs"})
}

// TestBadInput: exit code 2, one line on stderr that names the place and what is allowed,
// nothing on stdout, no files.
func TestBadInput(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.npz")
	if err := os.WriteFile(broken, []byte("PK"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-model", "missing.npz"}, []string{"-model", "missing.npz"}},
		{[]string{"-model", broken}, []string{"-model", "broken.npz"}},
		{[]string{"-data", "missing"}, []string{"-data", "missing"}},
		{[]string{"-size", "14"}, []string{"-size", "12 or 28"}},
		{[]string{"-hidden", "-1"}, []string{"-hidden", "1 to"}},
		{[]string{"-epochs", "-1"}, []string{"-epochs", "1 to"}},
		{[]string{"-images", "2000"}, []string{"-images", "1000"}},
		{[]string{"-test", "501"}, []string{"-test", "500"}},
		{[]string{"-test", "-1"}, []string{"-test"}},
		{[]string{"-bio", "15ms"}, []string{"-bio", "multiple"}},
		{[]string{"-bio", "0s"}, []string{"-bio", "10ms"}},
		{[]string{"-classifiers", "lif,mlp"}, []string{"mlp", "lif-rect"}},
		{[]string{"-classifiers", "lif,gibbs,lif"}, []string{"lif twice"}},
		{[]string{"-stp", "300"}, []string{"-stp", "300:0.9"}},
		{[]string{"-stp", "300:2"}, []string{"-stp", "rested gain"}},
		{[]string{"-set", "nest"}, []string{"nest", "tutorial-cuba"}},
		{[]string{"-hide", "middle"}, []string{"-hide", "bottom"}},
		{[]string{"-chains", "2"}, []string{"-chains", "3 to"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		dir := t.TempDir()
		program.Refused(t, append([]string{"-out", filepath.Join(dir, "out")}, c.args...), c.words)
		if e, _ := os.ReadDir(dir); len(e) != 0 {
			t.Errorf("%v: left %v behind", c.args, e)
		}
	}
}

// TestInterrupt: Ctrl-C keeps the classifiers that are done, marks the result, and exits 130.
func TestInterrupt(t *testing.T) {
	out := program.Interrupt(t, clitest.After(time.Second), "-json", "-epochs", "1", "-bio", "10s", "-classifiers", "lif,lif-pixels,lif-stp-pixels,lif-rect")
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Partial || len(r.Rows) < 1 {
		t.Errorf("%v: %q", err, out)
	}
}

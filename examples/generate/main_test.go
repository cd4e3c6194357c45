package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/train"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
	"github.com/spikesampling/spikesampling/internal/dream"
)

var long = flag.Bool("long", false, "dreams at full length on MNIST, which must be to be had; a minute or two on two processors")

var program clitest.Program

func TestMain(m *testing.M) {
	flag.Parse()
	clitest.Main(m, &program)
}

// output is what users read from -json.
type output struct {
	Model struct {
		Pixels  int    `json:"pixels"`
		Hidden  int    `json:"hidden"`
		Classes int    `json:"classes"`
		Method  string `json:"method"`
	} `json:"model"`
	Data     string  `json:"data"`
	Accuracy float64 `json:"classifier_accuracy"`
	Evidence struct {
		Lower float64 `json:"lower"`
		Upper float64 `json:"upper"`
	} `json:"log_likelihood"`
	DataISL  float64 `json:"data_isl"`
	Starts   []int   `json:"starts"`
	Samples  int     `json:"samples"`
	Samplers []row   `json:"samplers"`
	Partial  bool    `json:"partial"`
}

type row struct {
	Name      string              `json:"name"`
	Setting   string              `json:"setting"`
	ISL       map[string]*float64 `json:"isl"`
	ISLSD     map[string]*float64 `json:"isl_sd"`
	Switches  float64             `json:"switches_per_1000"`
	Entropy   float64             `json:"class_entropy"`
	Occupancy []float64           `json:"occupancy"`
	Visited   float64             `json:"classes_visited"`
	Sweeps    float64             `json:"sweeps"`
	BioMS     float64             `json:"bio_ms"`
	WallS     float64             `json:"wall_s"`
	Copies    float64             `json:"copies"`
	Ink       float64             `json:"ink"`
	Equal     map[string]struct {
		Samples float64  `json:"samples"`
		ISL     *float64 `json:"isl"`
	} `json:"equal"`
	Tried []struct {
		Setting string  `json:"setting"`
		ISL     float64 `json:"isl"`
	} `json:"tried"`
	Chains []struct {
		Occupancy []float64 `json:"occupancy"`
		AllMS     *float64  `json:"all_classes_ms"`
	} `json:"chains"`
}

func (o output) find(t *testing.T, name string) row {
	t.Helper()
	i := slices.IndexFunc(o.Samplers, func(r row) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no sampler %s", name)
	}
	return o.Samplers[i]
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

// little is a run of some seconds.
var little = []string{"-data", "small", "-hidden", "40", "-epochs", "30", "-bio", "2s", "-seeds", "2"}

// TestSmall: all standard samplers on the digits that come with the program.
func TestSmall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	model := filepath.Join(t.TempDir(), "m.npz")
	r := call(t, append(little, "-out", dir, "-save", model, "-tsne", "100")...)
	if r.Model.Pixels != 144 || r.Model.Hidden != 40 || r.Model.Classes != 10 || r.Model.Method != "pcd" || r.Data != "small" || r.Samples != 200 || r.Partial {
		t.Fatalf("%+v", r)
	}
	if r.Accuracy < .6 || r.Accuracy > .95 { // 800 images; chance is .1
		t.Errorf("accuracy %v", r.Accuracy)
	}
	var names []string
	for _, x := range r.Samplers {
		names = append(names, x.Name)
		for _, n := range []string{"100", "200"} {
			if x.ISL[n] == nil || *x.ISL[n] > r.DataISL || *x.ISL[n] < -200 || x.ISLSD[n] == nil {
				t.Errorf("%s: ISL(%s) %v", x.Name, n, x.ISL[n])
			}
		}
		if *x.ISL["200"] < *x.ISL["100"]-math.Ln2-1e-9 { // twice the samples lose at most log 2
			t.Errorf("%s: ISL falls: %v", x.Name, x.ISL)
		}
		if math.Abs(x.BioMS*x.Copies/x.Sweeps-10) > 1e-9 || x.Sweeps < 200 || !(x.WallS > 0) || x.Entropy > math.Log(10)+1e-9 || len(x.Occupancy) != 10 || len(x.Chains) != 2 || len(x.Equal) != 3 {
			t.Errorf("%+v", x)
		}
	}
	if !slices.Equal(names, dream.Standard()) {
		t.Errorf("samplers %v, want %v", names, dream.Standard())
	}
	if n := len(r.find(t, "lif-stp").Tried); n != len(dream.Plasticities) {
		t.Errorf("%d settings of plasticity tried", n)
	}
	want := []string{"isl.png", "strips.png", "classes.png", "pca.png", "tsne.png"}
	for _, n := range names {
		want = append(want, "grid-"+n+".png")
	}
	for _, f := range want {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("%s: %v", f, err)
		}
	}
	if e, _ := os.ReadDir(dir); len(e) != len(want) {
		t.Errorf("%d files, want %d", len(e), len(want))
	}

	// The saved model dreams the same.
	m, err := train.Load(model)
	if err != nil || m.Pixels() != 144 || m.Classes() != 10 || m.Meta()["images"] != "800" {
		t.Fatalf("%v, meta %v", err, m.Meta())
	}
	again := call(t, "-data", "small", "-model", model, "-bio", "2s", "-seeds", "2", "-samplers", "gibbs", "-tsne", "0")
	if a, b := again.find(t, "gibbs"), r.find(t, "gibbs"); !reflect.DeepEqual(a.ISL, b.ISL) || again.Accuracy != r.Accuracy {
		t.Errorf("%v and %v", a.ISL, b.ISL)
	}
	out, _, code := program.Call(t, nil, "-data", "small", "-model", model, "-bio", "2s", "-samplers", "gibbs,lif,lif-stp", "-stp", "300:0.75", "-evidence", "100")
	for _, w := range []string{"m.npz", "importance sampling", "100 levels", "classifier", "ISL(100)", "lif-stp", "flatten the odds", "sustained gain 0.75"} {
		if code != cli.OK || !strings.Contains(out, w) {
			t.Errorf("exit %d, the output does not have %q:\n%s", code, w, out)
		}
	}
}

// stripped is JSON without what depends on wall time.
func stripped(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range []string{"wall_s", "setup_wall_s", "equal_wall_s", "train_s", "wall"} {
				delete(v, k)
			}
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	args := []string{"-json", "-data", "small", "-hidden", "20", "-epochs", "2", "-bio", "1s", "-samplers", "gibbs,ast,pt,lif-stp,lif-osc,anneal,stp-gibbs", "-train", "cast", "-seeds", "1", "-seed", "9"}
	var first string
	for _, procs := range []string{"1", "2"} {
		out, stderr, code := program.Call(t, []string{"GOMAXPROCS=" + procs}, args...)
		if code != cli.OK {
			t.Fatalf("exit %d, %s", code, stderr)
		}
		if out = stripped(t, out); first == "" {
			first = out
		} else if out != first {
			t.Errorf("GOMAXPROCS=%s: other bytes", procs)
		}
	}
	args[len(args)-1] = "10"
	if other, _, _ := program.Call(t, nil, args...); stripped(t, other) == strings.ReplaceAll(first, `"seed":9`, `"seed":10`) {
		t.Error("another seed, the same bytes")
	}
}

// TestLarge: images of 28×28 go all the way too.
func TestLarge(t *testing.T) {
	r := call(t, "-data", "small", "-size", "28", "-hidden", "30", "-epochs", "40", "-bio", "1s", "-seeds", "1", "-samplers", "lif-stp,gibbs", "-stp", "300:0.9", "-out", t.TempDir(), "-tsne", "60")
	if r.Model.Pixels != 784 || r.Accuracy < .3 || r.find(t, "lif-stp").ISLSD["100"] != nil {
		t.Errorf("%+v", r)
	}
}

func TestBadInput(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.npz")
	if err := os.WriteFile(text, []byte("no model"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-size", "16"}, []string{"-size 16", "12 or 28"}},
		{[]string{"-hidden", "-3"}, []string{"-hidden", "1 to"}},
		{[]string{"-hidden", "30,,20"}, []string{"-hidden", "30,,20", "500,500"}},
		{[]string{"-hidden", "1,1,1,1,1,1,1,1,1,1,1"}, []string{"-hidden", "10 layers"}},
		{[]string{"-epochs", "-1"}, []string{"-epochs"}},
		{[]string{"-images", "-1"}, []string{"-images"}},
		{[]string{"-images", "2000"}, []string{"2000", "1 to 1000"}},
		{[]string{"-train", "cd"}, []string{"-train", "pcd or cast"}},
		{[]string{"-bio", "0.1s"}, []string{"-bio", "1s"}},
		{[]string{"-bio", "1003ms"}, []string{"-bio", "10ms"}},
		{[]string{"-seeds", "0"}, []string{"-seeds", "1 to"}},
		{[]string{"-tsne", "2001"}, []string{"-tsne", "2000"}},
		{[]string{"-stp", "300"}, []string{"-stp", "300:0.75"}},
		{[]string{"-stp", "NaN:1"}, []string{"-stp"}},
		{[]string{"-stp", "300:1.7"}, []string{"-stp", "sustained gain 1.7"}},
		{[]string{"-save", t.TempDir()}, []string{"-save", "directory"}},
		{[]string{"-save", filepath.Join(text, "x.npz")}, []string{"-save", "text.npz"}},
		{[]string{"-samplers", "gibbs,nuts"}, []string{"nuts", "stp-gibbs"}},
		{[]string{"-samplers", "pt,pt"}, []string{"pt twice"}},
		{[]string{"-set", "nest"}, []string{"-set", "nest", "tutorial-cuba"}},
		{[]string{"-set", "dold-coba", "-samplers", "lif-osc"}, []string{"lif-osc", "map"}},
		{[]string{"-data", "missing"}, []string{"-data", "missing"}},
		{[]string{"-model", "missing.npz"}, []string{"-model", "missing.npz"}},
		{[]string{"-model", text}, []string{"text.npz"}},
		{[]string{"-model", text, "-hidden", "10"}, []string{"-model with -hidden"}},
		{[]string{"-model", text, "-rate", "0.1"}, []string{"-model with", "-rate"}},
		{[]string{"-rate", "-1"}, []string{"-rate -1", "at most 10"}},
		{[]string{"-rate", "NaN"}, []string{"-rate NaN"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		args := append([]string{"-data", "small", "-epochs", "1", "-hidden", "5"}, c.args...)
		if slices.Contains(c.args, "-model") {
			args = append([]string{"-data", "small"}, c.args...)
		}
		program.Refused(t, args, c.words)
	}
}

// TestWarning: a sustained gain above 1 is run, and said to make the network colder.
func TestWarning(t *testing.T) {
	for stp, want := range map[string]bool{"300:1.2": true, "300:0.9": false} {
		out, stderr, code := program.Call(t, nil, "-data", "small", "-hidden", "5", "-epochs", "1", "-bio", "1s", "-seeds", "1", "-samplers", "stp-gibbs,lif-stp", "-stp", stp)
		if n := strings.Count(out, "sustained gain 1.2 > 1"); code != cli.OK || (n == 2) != want || (n == 0) == want {
			t.Errorf("%s: exit %d, %s:\n%s", stp, code, stderr, out)
		}
	}
}

// FuzzPlasticity: no text makes the reader panic, and what it accepts are numbers in range.
func FuzzPlasticity(f *testing.F) {
	for _, s := range []string{"", "300:0.75", "300", ":", "NaN:NaN", "1e9:1", "300:0.75:1", "-1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := plasticity(s)
		if err == nil && s != "" && (len(p) != 1 || !(p[0].TauRec >= 1 && p[0].TauRec <= 1e6 && p[0].Sustained > 0 && p[0].Sustained <= 10)) {
			t.Errorf("%q: %v", s, p)
		}
	})
}

// TestInterrupt: Ctrl-C keeps what was sampled, marks it, and exits 130.
func TestInterrupt(t *testing.T) {
	// Gibbs sampling takes a tenth of that.
	out := program.Interrupt(t, clitest.After(3*time.Second), "-json", "-data", "small", "-hidden", "10", "-epochs", "1", "-bio", "20m", "-samplers", "gibbs,lif", "-seeds", "1")
	var r output
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Partial || len(r.Samplers) > 1 {
		t.Errorf("%v: %q", err, out)
	}
}

// TestDeep: a machine of two hidden layers dreams in spiking and other samplers, and its file
// dreams the same.
func TestDeep(t *testing.T) {
	model := filepath.Join(t.TempDir(), "deep.npz")
	args := []string{"-data", "small", "-bio", "2s", "-seeds", "2", "-samplers", "gibbs,pt,lif", "-tsne", "0"}
	r := call(t, append(args, "-hidden", "40,20", "-epochs", "60", "-save", model)...)
	if r.Model.Pixels != 144 || r.Model.Hidden != 60 || r.Model.Classes != 10 || len(r.Samplers) != 3 {
		t.Fatalf("%+v", r)
	}
	if r.Accuracy < .6 || r.Accuracy > .95 { // 800 images; chance is .1
		t.Errorf("accuracy %v", r.Accuracy)
	}
	for _, x := range r.Samplers {
		if x.ISL["200"] == nil || *x.ISL["200"] > r.DataISL || *x.ISL["200"] < -200 {
			t.Errorf("%s: ISL %v", x.Name, x.ISL)
		}
	}
	again := call(t, append(args, "-model", model)...)
	if a, b := again.find(t, "lif"), r.find(t, "lif"); !reflect.DeepEqual(a.ISL, b.ISL) || again.Accuracy != r.Accuracy {
		t.Errorf("%v and %v", a.ISL, b.ISL)
	}
	out, _, code := program.Call(t, nil, "-data", "small", "-model", model, "-bio", "1s", "-seeds", "1", "-samplers", "gibbs", "-evidence", "100")
	for _, w := range []string{"40 + 20 hidden units", "variational bound", "at least", "100 levels"} {
		if code != cli.OK || !strings.Contains(out, w) {
			t.Errorf("exit %d, the output does not have %q:\n%s", code, w, out)
		}
	}
}

// TestInterruptTraining: Ctrl-C keeps what was trained, and the same command ends with the model
// of a training that was not interrupted.
func TestInterruptTraining(t *testing.T) {
	for hidden, epochs := range map[string]string{"40": "1000", "30,20": "60"} {
		dir := t.TempDir()
		args := func(name string) []string {
			return []string{"-json", "-data", "small", "-hidden", hidden, "-epochs", epochs, "-bio", "1s", "-samplers", "gibbs", "-seeds", "1", "-tsne", "0", "-save", filepath.Join(dir, name)}
		}
		part := filepath.Join(dir, "b.npz.part")
		for wait := 50 * time.Millisecond; ; wait += wait / 4 { // training may not have begun by then
			c := exec.Command(string(program), args("b.npz")...)
			var e bytes.Buffer
			c.Stderr = &e
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(wait)
			if err := c.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			_ = c.Wait()
			if _, err := os.Stat(part); err == nil {
				if c.ProcessState.ExitCode() != cli.Interrupted || !strings.Contains(e.String(), "b.npz.part has training after update") {
					t.Errorf("exit %d: %s", c.ProcessState.ExitCode(), e.String())
				}
				break
			}
			if c.ProcessState.Success() {
				t.Fatalf("-hidden %s: training was never interrupted", hidden)
			}
		}
		program.Refused(t, append(args("b.npz"), "-rate", "0.01"), []string{"b.npz.part", "other options"})
		call(t, args("b.npz")...)
		call(t, args("a.npz")...)
		a, errA := os.ReadFile(filepath.Join(dir, "a.npz"))
		b, errB := os.ReadFile(filepath.Join(dir, "b.npz"))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("-hidden %s: another model, %v, %v", hidden, errA, errB)
		}
		if _, err := os.Stat(part); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", part, err)
		}
	}
}

// TestAcceptance is experiment E2 (stp-generative 5.9, 5.11) with the plasticity that the spec
// names, and O7 (oscillation-tempering 5.13).
func TestAcceptance(t *testing.T) {
	if !*long { // takes minutes
		return
	}
	r := call(t, "-data", "mnist", "-stp", "300:0.75", "-samplers", "gibbs,ast-adaptive,lif,lif-stp,lif-osc", "-tsne", "0", "-evidence", "10000")
	isl := func(name string) float64 { return *r.find(t, name).ISL["5000"] }
	stp, lif, osc := r.find(t, "lif-stp"), r.find(t, "lif"), r.find(t, "lif-osc")
	t.Logf("accuracy %.4f; ISL(5000): plastic %.1f, Gibbs %.1f, renewing %.1f, AST %.1f, oscillation %.1f", r.Accuracy, isl("lif-stp"), isl("gibbs"), isl("lif"), isl("ast-adaptive"), isl("lif-osc"))
	t.Logf("entropy %.2f, renewing switches %.1f, classes: renewing %.1f, oscillation %.1f", stp.Entropy, lif.Switches, lif.Visited, osc.Visited)
	t.Logf("log-likelihood: at least %.2f, at most %.2f", r.Evidence.Lower, r.Evidence.Upper)
	if lower := min(r.Evidence.Lower, r.Evidence.Upper); !(lower > -32.2-3 && lower < 0) { // boltzmann-baselines 5.12
		t.Errorf("log-likelihood %+v", r.Evidence)
	}
	if r.Accuracy < .92 {
		t.Errorf("accuracy %v", r.Accuracy)
	}
	for _, c := range []struct {
		what       string
		lead, want float64
	}{
		{"plastic over Gibbs", isl("lif-stp") - isl("gibbs"), 4},
		{"plastic over renewing", isl("lif-stp") - isl("lif"), 12},
		{"plastic over AST", isl("lif-stp") - isl("ast-adaptive"), -1.5},
		{"oscillation over renewing", isl("lif-osc") - isl("lif"), 8},
		{"entropy over 2", stp.Entropy - 2, 0},
		{"10 switches over renewing", 10 - lif.Switches, 0},
		{"classes under oscillation over 9", osc.Visited - 9, 0},
	} {
		if c.lead < c.want {
			t.Errorf("%s: %.2f, must be %g", c.what, c.lead, c.want)
		}
	}
	// A stuck chain may pass through images that look like others: what it stays in counts.
	for _, c := range lif.Chains {
		n := 0
		for _, p := range c.Occupancy {
			if p > .05 {
				n++
			}
		}
		if n > 3 {
			t.Errorf("renewing chain with shares %v", c.Occupancy)
		}
	}
}

package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
)

var program clitest.Program

func TestMain(m *testing.M) { clitest.Main(m, &program) }

// output is what users read from -json.
type output struct {
	Rows []struct {
		Experiment string   `json:"experiment"`
		Paper      *float64 `json:"paper"`
		Ours       float64  `json:"ours"`
		Tolerance  *float64 `json:"tolerance"`
		Scale      string   `json:"scale"`
		WallS      *float64 `json:"wall_s"`
	} `json:"rows"`
	Partial bool `json:"partial"`
}

func call(t *testing.T, args ...string) output {
	t.Helper()
	out, stderr, code := program.Call(t, nil, append([]string{"-json"}, args...)...)
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	var o output
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatal(err)
	}
	for _, r := range o.Rows {
		if r.Scale == "" || r.WallS == nil || math.IsNaN(r.Ours) {
			t.Errorf("%+v", r)
		}
	}
	return o
}

// TestSawtooth: neurons that look ahead follow the sawtooth when the target is gone, others do not;
// circuits learn another one if feedback has the right sign, others do not.
func TestSawtooth(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	o := call(t, "-run", "fourier,mimic", "-out", dir)
	if len(o.Rows) != 8 || o.Partial {
		t.Fatalf("%+v", o)
	}
	if ahead, lag := o.Rows[0].Ours, o.Rows[1].Ours; ahead > .15 || lag < .5 {
		t.Errorf("errors %v and %v", ahead, lag)
	}
	for k, r := range o.Rows[4:8] { // output errors and weights
		if wrong := k%2 == 1; wrong != strings.Contains(r.Experiment, "wrong") || !wrong && r.Ours > .3 || wrong && r.Ours < 1 {
			t.Errorf("%s: %v", r.Experiment, r.Ours)
		}
	}
	for _, name := range []string{"fourier.png", "mimic.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 10000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDigits: a few epochs on the embedded digits: latent equilibrium learns, near backpropagation.
func TestDigits(t *testing.T) {
	o := call(t, "-run", "mnist", "-epochs", "20")
	if len(o.Rows) != 5 || o.Rows[0].Paper == nil || *o.Rows[0].Paper != 1.98 {
		t.Fatalf("%+v", o)
	}
	le, bp := o.Rows[0].Ours, o.Rows[1].Ours
	if le > 35 || math.Abs(le-bp) > 15 {
		t.Errorf("test errors %v, backpropagation %v", le, bp)
	}
}

func TestText(t *testing.T) {
	out, stderr, code := program.Call(t, nil, "-run", "mimic")
	if code != cli.OK || stderr != "" || !strings.HasPrefix(out, "mimic (") || strings.Count(out, "last over first") != 6 {
		t.Errorf("exit %d, stderr %q:\n%s", code, stderr, out)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ args, words []string }{
		{[]string{"-run", "nothing"}, []string{"-run", "fourier"}},
		{[]string{"-epochs", "-1"}, []string{"-epochs"}},
		{[]string{"-steps", "0"}, []string{"-steps"}},
		{[]string{"-gate", "10"}, []string{"-gate", "-steps"}},
		{[]string{"-seeds", "0"}, []string{"-seeds"}},
		{[]string{"-out", "/dev/null/x"}, []string{"-out"}},
		{[]string{"-nonsense"}, []string{"nonsense"}},
	} {
		program.Refused(t, c.args, c.words)
	}
	if out, stderr, code := program.Call(t, nil, "-run", "mnist", "-data", "/no/such/place"); code == cli.OK || out != "" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, stderr)
	}
}

// TestInterrupt: what is done by then is printed.
func TestInterrupt(t *testing.T) {
	out := program.Interrupt(t, clitest.Printed("mimic.png"), "-run", "mimic,mnist", "-epochs", "5000", "-out", t.TempDir())
	if !strings.HasPrefix(out, "mimic (") || strings.Count(out, "last over first") != 6 || strings.Contains(out, "mnist.png") {
		t.Errorf("%s", out)
	}
}

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
		Ours       *float64 `json:"ours"`
		Tolerance  *float64 `json:"tolerance"`
		Scale      string   `json:"scale"`
		WallS      *float64 `json:"wall_s"`
	} `json:"rows"`
	Partial bool `json:"partial"`
}

// call runs the command and returns its numbers by name; none may be above its tolerance.
func call(t *testing.T, args ...string) map[string]float64 {
	t.Helper()
	out, stderr, code := program.Call(t, nil, append([]string{"-json"}, args...)...)
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	var o output
	if err := json.Unmarshal([]byte(out), &o); err != nil || o.Partial {
		t.Fatalf("%v: %s", err, out)
	}
	all := map[string]float64{}
	for _, r := range o.Rows {
		if r.Ours == nil || r.Scale == "" || r.WallS == nil || r.Paper != nil {
			t.Fatalf("%+v", r)
		}
		if r.Tolerance != nil && *r.Ours > *r.Tolerance {
			t.Errorf("%s: %v, at most %v", r.Experiment, *r.Ours, *r.Tolerance)
		}
		all[r.Experiment] = *r.Ours
	}
	return all
}

// TestExact: the numbers of the specification, which are exact, and figures.
func TestExact(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	r := call(t, "-run", "linear,machine,spiking", "-runs", "300", "-out", dir)
	for name, want := range map[string]float64{
		"Jacobi from zeros, sweeps to 1e-6":                      40,
		"Gauss-Seidel from zeros, sweeps to 1e-6":                20,
		"condition holds: pass, gains 2, DKL of the start":       .030822,
		"condition holds: pass, gains 1, DKL of the start":       .638788,
		"condition holds: all 0.5, DKL of the start":             19.314647,
		"condition holds: zeros, DKL of the start":               26.262413,
		"condition holds: mean field, DKL of the start":          .030325,
		"condition holds: pass, gains 2, sweeps to 0.05 nats":    0,
		"condition holds: pass, gains 1, sweeps to 0.05 nats":    1,
		"condition holds: all 0.5, sweeps to 0.05 nats":          43,
		"condition holds: zeros, sweeps to 0.05 nats":            32,
		"condition violated: pass, gains 2, DKL of the start":    3.365128,
		"condition violated: pass, gains 2, sweeps to 0.05 nats": 37,
	} {
		if x, ok := r[name]; !ok || math.Abs(x-want) > 1e-6 {
			t.Errorf("%s: %v, want %v", name, x, want)
		}
	}
	if x := r["pass, relative distance"]; x > 1e-12 {
		t.Errorf("linear: distance %v", x)
	}
	for _, name := range []string{"dkl.png", "spiking.png"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Error(err)
		}
	}
}

// TestDigits: a few epochs: with the condition the pass is near the fixed point, also when a local
// rule taught it; equilibrium propagation does not teach it by itself.
func TestDigits(t *testing.T) {
	r := call(t, "-run", "stack", "-epochs", "20")
	for _, net := range []string{"gradient", "local rule"} {
		two, one, half := r[net+": pass, gains 2, distance"], r[net+": pass, gains 1, distance"], r[net+": all 0.5, distance"]
		if !(two > 0 && two < one/2 && one < half) {
			t.Errorf("%s: distances %v, %v, %v", net, two, one, half)
		}
	}
	if two, one := r["control: pass, gains 2, distance"], r["control: pass, gains 1, distance"]; two < .7*one {
		t.Errorf("control: distances %v and %v", two, one)
	}
	r = call(t, "-run", "ep", "-epochs", "6")
	with, without := r["with consistency: pass, gains 2, accuracy of the start"], r["without consistency: pass, gains 2, accuracy of the start"]
	if with < 60 || with < without+20 {
		t.Errorf("accuracy of the pass: %v with the term, %v without", with, without)
	}
}

var wall = regexp.MustCompile(`"wall_s":[0-9.e+-]+`)

// TestSameBytes: one seed, one output, on one processor or two.
func TestSameBytes(t *testing.T) {
	var first string
	for _, procs := range []string{"1", "2"} {
		out, _, code := program.Call(t, []string{"GOMAXPROCS=" + procs}, "-json", "-run", "linear,spiking,stack,ep", "-epochs", "1", "-runs", "20", "-seed", "5")
		if code != cli.OK {
			t.Fatalf("exit %d", code)
		}
		if out = wall.ReplaceAllString(out, `"wall_s":0`); first == "" {
			first = out
		} else if out != first {
			t.Errorf("GOMAXPROCS=%s: other bytes", procs)
		}
	}
	var seeds [2]string
	for i, seed := range []string{"5", "6"} {
		out, _, code := program.Call(t, nil, "-json", "-run", "spiking", "-runs", "20", "-seed", seed)
		if code != cli.OK {
			t.Fatalf("exit %d", code)
		}
		seeds[i] = wall.ReplaceAllString(out, `"wall_s":0`)
	}
	if seeds[0] == seeds[1] {
		t.Error("another seed, the same bytes")
	}
}

func TestText(t *testing.T) {
	out, stderr, code := program.Call(t, nil, "-run", "linear")
	if code != cli.OK || stderr != "" || !strings.HasPrefix(out, "linear (") || !strings.Contains(out, "at most 40") {
		t.Errorf("exit %d, stderr %q:\n%s", code, stderr, out)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ args, words []string }{
		{[]string{"-run", "nothing"}, []string{"-run", "machine"}},
		{[]string{"-epochs", "-1"}, []string{"-epochs"}},
		{[]string{"-runs", "1"}, []string{"-runs", "10"}},
		{[]string{"-out", "/dev/null/x"}, []string{"-out"}},
		{[]string{"-run", "stack", "-data", "/no/such/place"}, []string{"/no/such/place"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		program.Refused(t, c.args, c.words)
	}
}

// TestInterrupt: what is done by then is printed.
func TestInterrupt(t *testing.T) {
	out := program.Interrupt(t, clitest.Printed("linear ("), "-run", "linear,stack", "-epochs", "9999", "-out", t.TempDir())
	if !strings.HasPrefix(out, "linear (") || strings.Contains(out, "stack.png") {
		t.Errorf("%s", out)
	}
}

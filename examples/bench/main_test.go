package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
	"github.com/spikesampling/spikesampling/internal/kernel"
)

var program clitest.Program

func TestMain(m *testing.M) { clitest.Main(m, &program) }

// matrix writes an NPY file of float32.
func matrix(t *testing.T, shape string, x []float32) string {
	t.Helper()
	head := "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	_ = binary.Write(&b, binary.LittleEndian, uint16(len(head)))
	b.WriteString(head)
	_ = binary.Write(&b, binary.LittleEndian, x)
	path := filepath.Join(t.TempDir(), "w.npy")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestJSON(t *testing.T) {
	for _, args := range [][]string{
		{"-net", "dense-100", "-rate", "400", "-bio", "2s", "-json"},
		{"-weights", matrix(t, "(2, 2)", []float32{0, 0.001, -0.001, 0}), "-rate", "400,1000", "-bio", "2s", "-json"},
	} {
		out, stderr, code := program.Call(t, nil, args...)
		if code != cli.OK || stderr != "" {
			t.Fatalf("%v: exit %d, %q", args, code, stderr)
		}
		var r struct{ Rows []row }
		if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Rows) < 2 {
			t.Fatalf("%v: %v, %d rows", args, err, len(r.Rows))
		}
		for _, x := range r.Rows {
			if !(x.NS > 0 && x.RatioTextbook > 0 && x.RatioFloor > 0 && x.BioS >= 2) {
				t.Errorf("%+v", x)
			}
			// At rest on threshold a unit is refractory for 64 % of the time; 100 units for 10 s
			// have a standard error below 0.5 Hz, 2 units one of 3.
			if x.MeanRateHz < 52 || x.MeanRateHz > 76 {
				t.Errorf("%s, %s: %.1f Hz", x.Net, x.Path, x.MeanRateHz)
			}
		}
	}
}

// TestNets: every network runs, and says what it should of itself.
func TestNets(t *testing.T) {
	out, _, code := program.Call(t, nil, "-path", kernel.Portable.String(), "-rate", "400", "-bio", "20ms", "-json")
	if code != cli.OK {
		t.Fatalf("exit %d", code)
	}
	var r struct{ Rows []row }
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Rows) != len(nets) {
		t.Fatalf("%v, %d rows", err, len(r.Rows))
	}
	for i, x := range r.Rows {
		if x.Net != nets[i].name || x.Neurons < 10 || x.MeanRateHz < 30 || x.MeanRateHz > 90 || x.FirstMS <= 0 || x.PeakMB <= 0 || x.Events <= 0 {
			t.Errorf("%+v", x)
		}
	}
	if r.Rows[2].Neurons != 640 || r.Rows[9].Neurons != 10000 {
		t.Errorf("%d and %d neurons", r.Rows[2].Neurons, r.Rows[9].Neurons)
	}
}

// TestImmediate: spiking again one step earlier raises the rate of units that are on for
// 64 % of the time by 0.64 %, as the step is 1 % of τ_ref.
func TestImmediate(t *testing.T) {
	rate := func(args ...string) float64 {
		out, _, code := program.Call(t, nil, append(args, "-net", "dense-1000", "-path", kernel.Paths()[len(kernel.Paths())-1].String(), "-rate", "400", "-bio", "4s", "-json")...)
		var r struct{ Rows []row }
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != cli.OK {
			t.Fatalf("exit %d, %v", code, err)
		}
		return r.Rows[0].MeanRateHz
	}
	// 1000 units for 20 s: some 1.3e6 spikes, whose number has a standard error below 0.1 %.
	if next, immediate := rate(), rate("-immediate"); immediate/next < 1.0015 || immediate/next > 1.012 {
		t.Errorf("%.3f and %.3f Hz", next, immediate)
	}
}

// TestGoals: the ratios come out on this machine, those of the SIMD code at least at half of
// what they should be: other work on the machine disturbs them.
func TestGoals(t *testing.T) {
	out, _, code := program.Call(t, nil, "-goals")
	if code != cli.OK {
		t.Fatalf("exit %d", code)
	}
	for _, g := range goals {
		i := strings.Index(out, g.what)
		if i < 0 {
			t.Errorf("no %q in\n%s", g.what, out)
			continue
		}
		fields := strings.Fields(out[i+len(g.what):])
		got, err := strconv.ParseFloat(fields[0], 64)
		if err != nil || got <= 0 {
			t.Errorf("%s: %v", g.what, fields[0])
		}
		if strings.Contains(g.what, "SIMD") && len(kernel.Paths()) > 1 && (got < g.least/2 || g.most > 0 && got > 2*g.most) {
			t.Errorf("%s: %v, less than half of the goal", g.what, got)
		}
	}
}

func TestBadInput(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-net", "sparse-7"}, []string{"sparse-7", "dense-10"}},
		{[]string{"-rate", "fast"}, []string{"fast", "> 0"}},
		{[]string{"-rate", "1e9"}, []string{"-rate", "events per step"}},
		{[]string{"-rate", "100000", "-path", "portable"}, []string{"too many background events", "float64"}},
		{[]string{"-path", "mmx"}, []string{"mmx", "portable"}},
		{[]string{"-bio", "-1s"}, []string{"-bio"}},
		{[]string{"-dt", "0.3"}, []string{"-tauref", "multiple"}},
		{[]string{"-taum", "0"}, []string{"-taum", "> 0"}},
		{[]string{"-reset", "-40"}, []string{"-reset", "-theta"}},
		{[]string{"-weights", "missing.npy"}, []string{"missing.npy"}},
		{[]string{"-weights", matrix(t, "(1, 2)", []float32{1, 2})}, []string{"square"}},
		{[]string{"-weights", matrix(t, "(2, 2)", []float32{1, 2})}, []string{"needs 16"}},
		{[]string{"-weights", matrix(t, "(2, 2)", []float32{0, nan, 0, 0}), "-path", "float64"}, []string{"(0, 1)", "NaN", "finite"}},
		{[]string{"-tausyn", "1e9", "-path", "portable"}, []string{"time constants", "float64"}},
		{[]string{"-tauref", "1e12"}, []string{"refractory time", "GB"}},
	} {
		program.Refused(t, c.args, c.words)
	}
}

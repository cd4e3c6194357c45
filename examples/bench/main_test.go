package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
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
			if !(x.NS > 0 && x.RatioTextbook > 0 && x.RatioFloor > 0 && x.BioS > 2) {
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

func TestBadInput(t *testing.T) {
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
	} {
		program.Refused(t, c.args, c.words)
	}
}

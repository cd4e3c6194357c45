package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/clitest"
	"github.com/spikesampling/spikesampling/lif"
)

var program clitest.Program

func TestMain(m *testing.M) { clitest.Main(m, &program) }

func TestTable(t *testing.T) {
	dir := t.TempDir()
	out, stderr, code := program.Call(t, nil, "-set", "leng-cuba", "-duration", "20000", "-pairs", "20000", "-out", dir)
	if code != cli.OK || stderr != "" {
		t.Fatalf("exit %d, %q", code, stderr)
	}
	for _, w := range []string{"logistic fit", "analytic", "v_half", "alpha", "log odds ratio", "activation.png"} {
		if !strings.Contains(out, w) {
			t.Errorf("the output lacks %q", w)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "activation.png")); err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Errorf("activation.png: %v", err)
	}
}

func TestJSON(t *testing.T) {
	out, _, code := program.Call(t, nil, "-json", "-points", "30", "-duration", "20000")
	var c lif.Calibration
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != cli.OK {
		t.Fatalf("exit %d, %v", code, err)
	}
	if len(c.Points) != 30 || c.Pair != nil || c.Hash != lif.TutorialCUBA().Hash() {
		t.Errorf("%d points, pair table %v, hash %s", len(c.Points), c.Pair, c.Hash)
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"-set", "nest"}, []string{"nest", "tutorial-coba"}},
		{[]string{"-psp", "alpha"}, []string{"alpha", "rect"}},
		{[]string{"-points", "3"}, []string{"Points = 3", "10"}},
		{[]string{"-duration", "-1"}, []string{"Duration = -1"}},
		{[]string{"-duration", "0"}, []string{"-duration 0"}},
		{[]string{"-pairs", "12"}, []string{"Pairs = 12"}},
		{[]string{"extra"}, []string{"extra"}},
	} {
		program.Refused(t, c.args, c.words)
	}
}

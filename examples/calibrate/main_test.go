package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/lif"
)

func call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "calibrate")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := exec.Command(bin, args...)
	var o, e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	var x *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &x) {
		t.Fatal(err)
	}
	return o.String(), e.String(), c.ProcessState.ExitCode()
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	out, stderr, code := call(t, "-set", "leng-cuba", "-duration", "20000", "-pairs", "20000", "-out", dir)
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
	out, _, code := call(t, "-json", "-points", "30", "-duration", "20000")
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
		out, stderr, code := call(t, c.args...)
		if code != cli.BadInput || out != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", c.args, code, out, stderr)
		}
		for _, w := range c.words {
			if !strings.Contains(stderr, w) {
				t.Errorf("%v: %q does not name %q", c.args, stderr, w)
			}
		}
	}
}

// Package clitest runs the example commands as a user does, for their tests.
package clitest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/cli"
)

// Program is a built command.
type Program string

// Main builds the command in the current directory, runs the tests and exits; a package's
// TestMain calls it.
func Main(m *testing.M, p *Program) {
	dir, err := os.MkdirTemp("", "command")
	if err != nil {
		panic(err)
	}
	*p = Program(filepath.Join(dir, "command"))
	if out, err := exec.Command("go", "build", "-o", string(*p), ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// Call runs the command with env added to the environment and returns what it printed and
// its exit code.
func (p Program) Call(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := exec.Command(string(p), args...)
	c.Env = append(os.Environ(), env...)
	var o, e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	var x *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &x) {
		t.Fatal(err)
	}
	return o.String(), e.String(), c.ProcessState.ExitCode()
}

// Refused checks that the command refuses its input as it should: exit code 2, nothing on
// stdout, one line on stderr that names every one of the words.
func (p Program) Refused(t *testing.T, args, words []string) {
	t.Helper()
	out, stderr, code := p.Call(t, nil, args...)
	if code != cli.BadInput || out != "" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("%v: exit %d, stdout %q, stderr %q", args, code, out, stderr)
	}
	for _, w := range words {
		if !strings.Contains(stderr, w) {
			t.Errorf("%v: %q does not name %q", args, stderr, w)
		}
	}
}

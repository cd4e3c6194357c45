// Package clitest runs the example commands as a user does, for their tests.
package clitest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
)

// Program is a built command.
type Program string

// sources are the files that the command is made of.
var sources []string

// depend makes a cached result of the tests depend on the sources: the test binary does not, as the
// linker leaves out of it what only the command calls.
var depend = sync.OnceFunc(func() {
	for _, f := range sources {
		_, _ = os.Stat(f) // go test takes note
	}
})

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
	list := exec.Command("go", "list", "-deps", "-f", `{{if .Module}}{{if .Module.Main}}{{$p := .}}{{range .GoFiles}}{{$p.Dir}}/{{.}}
{{end}}{{range .SFiles}}{{$p.Dir}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$p.Dir}}/{{.}}
{{end}}{{end}}{{end}}`, ".")
	out, err := list.Output()
	if err != nil {
		panic(err)
	}
	sources = strings.Fields(string(out))
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// Call runs the command with env added to the environment and returns what it printed and
// its exit code.
func (p Program) Call(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	depend()
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

// After is a time to interrupt: so long after its call.
func After(d time.Duration) func(stdout string) bool {
	end := time.Now().Add(d)
	return func(string) bool { return time.Now().After(end) }
}

// Printed is a time to interrupt: when the command has printed the text.
func Printed(text string) func(stdout string) bool {
	return func(stdout string) bool { return strings.Contains(stdout, text) }
}

// Interrupt runs the command, sends it the signal of Ctrl-C as soon as when is true of what it has
// printed, checks that it then ends within ten seconds with the exit code of an interrupt, and
// returns what it printed.
func (p Program) Interrupt(t *testing.T, when func(stdout string) bool, args ...string) string {
	t.Helper()
	depend()
	c := exec.Command(string(p), args...)
	var o shared
	var e bytes.Buffer
	c.Stdout, c.Stderr = &o, &e
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(done)
	}()
	limit := time.After(time.Minute)
wait:
	for !when(o.String()) {
		select {
		case <-done:
			break wait
		case <-limit:
			t.Errorf("%v: nothing to interrupt after a minute", args)
			break wait
		case <-time.After(10 * time.Millisecond):
		}
	}
	_ = c.Process.Signal(os.Interrupt)
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = c.Process.Kill()
		<-done
		t.Errorf("%v: goes on after an interrupt", args)
	}
	if code := c.ProcessState.ExitCode(); code != cli.Interrupted {
		t.Errorf("%v: exit %d: must be %d (%s)", args, code, cli.Interrupted, e.String())
	}
	return o.String()
}

// shared is a buffer that one goroutine reads while another one writes.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
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

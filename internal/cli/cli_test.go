package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/sampling"
)

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &Progress{w: &b}
	p.Update("lif", sampling.Progress{Time: 1, Total: 8})
	p.last = time.Now().Add(time.Hour) // however slow the machine is
	var wg sync.WaitGroup
	for i := range 8 { // samplers report from several goroutines
		wg.Go(func() { p.Update("lif", sampling.Progress{Time: float64(i), Total: 8}) })
	}
	wg.Wait()
	if n := strings.Count(b.String(), "lif"); n != 1 {
		t.Errorf("%d lines, want 1: the others came too soon after it", n)
	}
	p.last = time.Now().Add(-time.Second)
	p.Update("lif", sampling.Progress{Time: 6, Total: 8})
	if !strings.Contains(b.String(), "75 %") {
		t.Errorf("no 75 %% in %q", b.String())
	}
	p.Clear()
	if !strings.HasSuffix(b.String(), "\r\x1b[K") {
		t.Errorf("the line is not cleared: %q", b.String())
	}
	// Not a terminal: nothing.
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	q := NewProgress(f)
	q.Update("lif", sampling.Progress{Time: 1, Total: 2})
	q.Clear()
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes drawn into a file, %v", info.Size(), err)
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args []string
		word string
	}{{[]string{"-n", "x"}, "-n"}, {[]string{"-m"}, "-m"}, {[]string{"rest"}, "rest"}} {
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		fs.Int("n", 1, "")
		err := Parse(fs, c.args)
		if _, ok := err.(Usage); !ok || !strings.Contains(err.Error(), c.word) || strings.Contains(oneLine(err), "\n") {
			t.Errorf("%v: %v", c.args, err)
		}
	}
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	n := fs.Int("n", 1, "")
	if err := Parse(fs, []string{"-n", "5"}); err != nil || *n != 5 {
		t.Errorf("%v, n = %d", err, *n)
	}
}

func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Writable(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "x")
	for _, text := range []string{"one", "two"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := WriteFile(filepath.Join(dir, "no", "x"), nil); err == nil {
		t.Error("missing directory: no error")
	}
	if err := Writable(path); err == nil {
		t.Error("a file as directory: no error")
	}
	if e, _ := os.ReadDir(dir); len(e) != 1 {
		t.Errorf("%d files left, want 1", len(e))
	}
}

func TestCPU(t *testing.T) {
	a, err := CPU()
	if err != nil {
		t.Fatal(err)
	}
	for x, i := 1.0, 0; i < 1e7; i++ {
		x *= 1.0000001
	}
	if b, err := CPU(); err != nil || b <= a {
		t.Errorf("CPU time went from %v to %v, %v", a, b, err)
	}
}

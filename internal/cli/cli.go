// Package cli is what the example commands share: exit codes, interrupts and a progress
// line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spikesampling/spikesampling/sampling"
)

// Exit codes.
const (
	OK          = 0
	Failure     = 1   // something that should work did not
	BadInput    = 2   // the user's input is refused
	Interrupted = 130 // Ctrl-C; what was done until then is printed
)

// Usage is an error in the user's input.
type Usage struct{ Err error }

func (u Usage) Error() string { return u.Err.Error() }
func (u Usage) Unwrap() error { return u.Err }

// Main runs a command with a context that ends at the first Ctrl-C, prints its error as
// one line on stderr, and exits with the code that fits.
func Main(name string, run func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default is back: a second one kills.
	context.AfterFunc(ctx, stop)
	err := run(ctx)
	switch {
	case err == nil:
		os.Exit(OK)
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", name)
		os.Exit(Interrupted)
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, oneLine(err))
	var u Usage
	if errors.As(err, &u) {
		os.Exit(BadInput)
	}
	os.Exit(Failure)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// Progress draws a line on a terminal while something runs, and nothing elsewhere. It is
// safe for concurrent use.
type Progress struct {
	w     io.Writer // nil: not a terminal
	mu    sync.Mutex
	last  time.Time
	drawn bool
}

// NewProgress draws on f if that is a terminal.
func NewProgress(f *os.File) *Progress {
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return &Progress{}
	}
	return &Progress{w: f}
}

// Update shows how far the job of that name is.
func (p *Progress) Update(name string, pr sampling.Progress) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	p.drawn = true
	const width = 30
	done := min(width, max(0, int(width*pr.Time/pr.Total)))
	fmt.Fprintf(p.w, "\r\x1b[K%-8s [%s%s] %3.0f %%", name, strings.Repeat("=", done), strings.Repeat(" ", width-done), 100*pr.Time/pr.Total)
}

// Clear removes the line.
func (p *Progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

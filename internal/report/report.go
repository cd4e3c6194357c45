// Package report is what the commands share that run several experiments of a paper and set
// their numbers beside it: the choice of experiments, a table or one JSON object, figures.
package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/sampling"
)

// Experiment is one of the things that a command runs. Run returns what it has when ctx ends,
// with ctx's error; it tells progress how far it is.
type Experiment struct {
	Name string
	Run  func(ctx context.Context, progress func(done, total float64)) (*Result, error)
}

// With is an experiment that also takes the command's flags.
func With[F any](flags F, name string, run func(ctx context.Context, flags F, progress func(done, total float64)) (*Result, error)) Experiment {
	return Experiment{name, func(ctx context.Context, progress func(done, total float64)) (*Result, error) {
		return run(ctx, flags, progress)
	}}
}

// Result is what an experiment found.
type Result struct {
	Rows    []Row
	Figures []Figure
	Notes   []string // lines below the table
}

// Figure is written to Name.png.
type Figure struct {
	Name string
	Fig  *plotx.Figure
}

// Row is one number beside that of the paper.
type Row struct {
	Experiment string   // what was measured, the experiment's name first
	Paper      *float64 // nil: the paper has no number
	Ours       float64
	// Tolerance is what the specification accepts at most, or at least if AtLeast is set; nil for
	// none.
	Tolerance *float64
	AtLeast   bool
	Unit      string  // of all three
	Scale     string  // size of the experiment, beside the paper's
	WallS     float64 // wall time [s]
}

// MarshalJSON writes the row with the names of users; JSON has no NaN and no infinities: they are null.
func (r Row) MarshalJSON() ([]byte, error) {
	number := func(v *float64) *float64 {
		if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
			return nil
		}
		return v
	}
	return json.Marshal(struct {
		Experiment string   `json:"experiment"`
		Paper      *float64 `json:"paper"`
		Ours       *float64 `json:"ours"`
		Tolerance  *float64 `json:"tolerance"`
		AtLeast    bool     `json:"at_least"`
		Unit       string   `json:"unit"`
		Scale      string   `json:"scale"`
		WallS      float64  `json:"wall_s"`
	}{r.Experiment, number(r.Paper), number(&r.Ours), number(r.Tolerance), r.AtLeast, r.Unit, r.Scale, r.WallS})
}

// Number is a pointer to v, for a Row.
func Number(v float64) *float64 { return &v }

// Add appends a number without one of the paper; begin is when its work began.
func (r *Result) Add(name string, ours float64, unit, scale string, begin time.Time) *Row {
	r.Rows = append(r.Rows, Row{Experiment: name, Ours: ours, Unit: unit, Scale: scale, WallS: time.Since(begin).Seconds()})
	return &r.Rows[len(r.Rows)-1]
}

// Drawing is a type of figure of package plotx.
type Drawing interface {
	Figure() (*plotx.Figure, error)
}

// Draw appends a figure, of several parts one below the other.
func (r *Result) Draw(name string, parts ...Drawing) error {
	var figs []*plotx.Figure
	for _, p := range parts {
		fig, err := p.Figure()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		figs = append(figs, fig)
	}
	fig := figs[0]
	if len(figs) > 1 {
		var err error
		if fig, err = (plotx.Tiles{Cols: 1, Letters: true, Figures: figs}).Figure(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	r.Figures = append(r.Figures, Figure{name, fig})
	return nil
}

// Names are the names of experiments, as -run lists them.
func Names(all []Experiment) string {
	var n []string
	for _, e := range all {
		n = append(n, e.Name)
	}
	return strings.Join(n, ", ")
}

// Choose returns the experiments that -run names, separated by commas, in their own order; "all"
// names all.
func Choose(all []Experiment, run string) ([]Experiment, error) {
	if run == "all" {
		return all, nil
	}
	want := strings.Split(run, ",")
	for _, w := range want {
		if !slices.ContainsFunc(all, func(e Experiment) bool { return e.Name == w }) {
			return nil, fmt.Errorf("-run %q: must be all or some of %s", w, Names(all))
		}
	}
	var chosen []Experiment
	for _, e := range all {
		if slices.Contains(want, e.Name) {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// Run runs the experiments one after the other, prints their tables to w (with asJSON one object at
// the end and nothing else) and writes figures to the directory out, if it is not empty. When ctx ends
// or an experiment fails, it prints what there is and returns that error.
func Run(ctx context.Context, w io.Writer, experiments []Experiment, asJSON bool, out string) error {
	if out != "" {
		if err := cli.Writable(out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	progress := cli.NewProgress(os.Stderr)
	rows := []Row{}
	text := w
	if asJSON {
		text = io.Discard
	}
	var stopped error
	for _, e := range experiments {
		start := time.Now()
		res, err := e.Run(ctx, func(done, total float64) {
			progress.Update(e.Name, sampling.Progress{Time: done, Total: total})
		})
		progress.Clear()
		stopped = err
		if res != nil {
			rows = append(rows, res.Rows...)
			if err := res.print(text, e.Name, time.Since(start)); err != nil {
				return err
			}
			if out != "" {
				if err := res.save(text, out); err != nil {
					return err
				}
			}
		}
		if stopped != nil {
			break
		}
	}
	failed := stopped != nil && !errors.Is(stopped, context.Canceled)
	if asJSON && !(failed && len(rows) == 0) {
		b, err := json.Marshal(struct {
			Rows    []Row `json:"rows"`
			Partial bool  `json:"partial"`
		}{rows, stopped != nil})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", b); err != nil {
			return err
		}
	}
	return stopped
}

// print writes the rows as a table.
func (r *Result) print(w io.Writer, name string, wall time.Duration) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s (%.1f s)\n", name, wall.Seconds())
	width, papers := 0, false
	for _, x := range r.Rows {
		width = max(width, len([]rune(x.Experiment)))
		papers = papers || x.Paper != nil
	}
	for _, x := range r.Rows {
		pad := strings.Repeat(" ", width-len([]rune(x.Experiment)))
		fmt.Fprintf(&s, "  %s%s  %10.4g %-4s", x.Experiment, pad, x.Ours, x.Unit)
		if papers {
			paper := "–"
			if x.Paper != nil {
				paper = fmt.Sprintf("%.4g", *x.Paper)
			}
			fmt.Fprintf(&s, "  paper %6s", paper)
		}
		fmt.Fprintf(&s, "  %s", x.Scale)
		if x.Tolerance != nil {
			limit := "at most"
			if x.AtLeast {
				limit = "at least"
			}
			fmt.Fprintf(&s, "  (%s %.3g)", limit, *x.Tolerance)
		}
		s.WriteByte('\n')
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&s, "  %s\n", n)
	}
	_, err := io.WriteString(w, s.String())
	return err
}

func (r *Result) save(w io.Writer, out string) error {
	for _, f := range r.Figures {
		path := filepath.Join(out, f.Name+".png")
		if err := f.Fig.Save(path); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "  figure: %s\n", path); err != nil {
			return err
		}
	}
	return nil
}

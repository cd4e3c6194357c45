// Feedforward shows what one bottom-up pass saves recurrent inference (Bengio et al. 2016): how far
// every start is from the fixed point that relaxation comes to, and from the law that sampling
// comes to.
//
//	go run ./examples/feedforward -out out
//	go run ./examples/feedforward -run stack,ep -full
//
// Experiments: linear (where all is known in closed form), machine (a Boltzmann machine of
// 6-5-4-3 units, exact divergences from its law), spiking (the same machine in networks of
// neurons), stack (784-200-100-50 on MNIST with -full, 144-60-40-20 on small digits otherwise),
// ep (a network trained by equilibrium propagation, with the local consistency term and without).
// The paper has no numbers to compare with.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	run    string
	data   string
	epochs int
	runs   int
	seed   uint64
	full   bool
	json   bool
	out    string
}

// experiment is one of the things to run. It returns what it has when ctx ends.
type experiment struct {
	name string
	run  func(ctx context.Context, f flags, progress func(done, total float64)) (*result, error)
}

var experiments = []experiment{
	{"linear", linear},
	{"machine", machine},
	{"spiking", spiking},
	{"stack", stack},
	{"ep", ep},
}

// result is what an experiment found.
type result struct {
	rows    []row
	figures []figure
	notes   []string
}

type figure struct {
	name string
	fig  *plotx.Figure
}

// row is one number.
type row struct {
	Experiment string   `json:"experiment"`
	Paper      *float64 `json:"paper"` // null: the paper has no number
	Ours       float64  `json:"ours"`
	Tolerance  *float64 `json:"tolerance"` // what the specification accepts at most; null for none
	Unit       string   `json:"unit"`
	Scale      string   `json:"scale"`
	WallS      float64  `json:"wall_s"`
}

// add appends a number; limit, if given, is what it may be at most.
func (r *result) add(name string, ours float64, unit, scale string, begin time.Time, limit ...float64) {
	x := row{Experiment: name, Ours: ours, Unit: unit, Scale: scale, WallS: time.Since(begin).Seconds()}
	if len(limit) > 0 {
		x.Tolerance = &limit[0]
	}
	r.rows = append(r.rows, x)
}

func (r *result) draw(name string, parts ...interface {
	Figure() (*plotx.Figure, error)
}) error {
	t := plotx.Tiles{Cols: 1, Letters: len(parts) > 1}
	for _, p := range parts {
		fig, err := p.Figure()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t.Figures = append(t.Figures, fig)
	}
	fig, err := t.Figure()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.figures = append(r.figures, figure{name, fig})
	return nil
}

func main() {
	var f flags
	fs := flag.NewFlagSet("feedforward", flag.ContinueOnError)
	fs.StringVar(&f.run, "run", "all", "`experiments`, separated by commas: "+strings.Join(names(), ", ")+", or all")
	fs.StringVar(&f.data, "data", "", "digits: small (1000 embedded), mnist (all), or a `path` as the other examples take it (default small, with -full mnist)")
	fs.IntVar(&f.epochs, "epochs", 0, "`passes` over the digits in stack and ep (0: what fits their number)")
	fs.IntVar(&f.runs, "runs", 1000, "`runs` from every start in spiking")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result")
	fs.BoolVar(&f.full, "full", false, "stack and ep: full size, on MNIST")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("feedforward", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

func names() []string {
	var n []string
	for _, e := range experiments {
		n = append(n, e.name)
	}
	return n
}

// chosen are the experiments that -run names, in their own order.
func (f flags) chosen() ([]experiment, error) {
	if f.run == "all" {
		return experiments, nil
	}
	want := strings.Split(f.run, ",")
	for _, w := range want {
		if !slices.Contains(names(), w) {
			return nil, fmt.Errorf("-run %q: must be all or some of %s", w, strings.Join(names(), ", "))
		}
	}
	var c []experiment
	for _, e := range experiments {
		if slices.Contains(want, e.name) {
			c = append(c, e)
		}
	}
	return c, nil
}

func run(ctx context.Context, f flags) error {
	chosen, err := f.chosen()
	switch {
	case err != nil:
	case f.epochs < 0 || f.epochs > 10000:
		err = fmt.Errorf("-epochs %d: must be 0 to 10000", f.epochs)
	case f.runs < 10 || f.runs > 100000:
		err = fmt.Errorf("-runs %d: must be 10 to 100000", f.runs)
	}
	if err != nil {
		return cli.Usage{Err: err}
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	progress := cli.NewProgress(os.Stderr)
	rows := []row{}
	var stopped error
	for _, e := range chosen {
		start := time.Now()
		res, err := e.run(ctx, f, func(done, total float64) {
			progress.Update(e.name, sampling.Progress{Time: done, Total: total})
		})
		progress.Clear()
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		stopped = err
		if res != nil {
			rows = append(rows, res.rows...)
			if !f.json {
				res.print(e.name, time.Since(start))
			}
			for _, p := range res.figures {
				if f.out == "" {
					continue
				}
				path := filepath.Join(f.out, p.name+".png")
				if err := p.fig.Save(path); err != nil {
					return err
				}
				if !f.json {
					fmt.Printf("  figure: %s\n", path)
				}
			}
		}
		if stopped != nil {
			break
		}
	}
	if f.json {
		b, err := json.Marshal(struct {
			Rows    []row `json:"rows"`
			Partial bool  `json:"partial"`
		}{rows, stopped != nil})
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%s\n", b); err != nil {
			return err
		}
	}
	return stopped
}

// print writes the rows as a table.
func (r *result) print(name string, wall time.Duration) {
	fmt.Printf("%s (%.1f s)\n", name, wall.Seconds())
	width := 0
	for _, x := range r.rows {
		width = max(width, len([]rune(x.Experiment)))
	}
	for _, x := range r.rows {
		pad := strings.Repeat(" ", width-len([]rune(x.Experiment)))
		limit := ""
		if x.Tolerance != nil {
			limit = fmt.Sprintf("  (at most %.3g)", *x.Tolerance)
		}
		fmt.Printf("  %s%s  %10.4g %-6s  %s%s\n", x.Experiment, pad, x.Ours, x.Unit, x.Scale, limit)
	}
	for _, n := range r.notes {
		fmt.Printf("  %s\n", n)
	}
}

// curve is a series against sweeps, from 0.
func curve(name string, y []float64) plotx.Line {
	l := plotx.Line{Name: name, Y: y}
	for t := range y {
		l.X = append(l.X, float64(t))
	}
	return l
}

// pass is the initialisation with all gains 1.
var pass1 = feedforward.Feedforward{Gains: []float64{1, 1, 1}}

// Latent runs experiments with latent equilibrium (Haider et al. 2021): networks of slow
// neurons that look ahead, so that they compute and learn faster than their membranes follow.
//
//	go run ./examples/latent -out out
//	go run ./examples/latent -run mnist -data mnist -epochs 100
//
// Experiments: fourier (a sawtooth from sines, with look-ahead and without), yinyang (a small
// classification task), bars (dendritic microcircuits at several presentation times), mimic (a
// microcircuit that learns another one), mnist (784-300-100-10, with backpropagation, feedback
// alignment and neurons without look-ahead beside it).
//
// The public code of latent equilibrium carries a notice of its authors that the procedures are
// registered for patent protection.
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

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	run         string
	data        string
	epochs      int
	steps, gate int
	seeds       int
	seed        uint64
	full        bool
	json        bool
	out         string
}

// experiment is one of the things to run. It returns what it has when ctx ends.
type experiment struct {
	name string
	run  func(ctx context.Context, f flags, progress func(done, total float64)) (*result, error)
}

var experiments = []experiment{
	{"fourier", fourier},
	{"yinyang", yinyang},
	{"bars", bars},
	{"mimic", mimic},
	{"mnist", mnist},
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

// row is one number beside that of the paper.
type row struct {
	Experiment string   `json:"experiment"`
	Paper      *float64 `json:"paper"` // null where the paper has no number
	Ours       float64  `json:"ours"`
	Tolerance  *float64 `json:"tolerance"` // of ours: what the specification accepts; null for none
	Unit       string   `json:"unit"`
	Scale      string   `json:"scale"`
	WallS      float64  `json:"wall_s"`
}

func number(v float64) *float64 { return &v }

func main() {
	var f flags
	fs := flag.NewFlagSet("latent", flag.ContinueOnError)
	fs.StringVar(&f.run, "run", "all", "`experiments`, separated by commas: "+strings.Join(names(), ", ")+", or all")
	fs.StringVar(&f.data, "data", "small", "digits: small (1000 embedded), mnist (all), or a `path` as the other examples take it")
	fs.IntVar(&f.epochs, "epochs", 0, "`passes` over the digits (0: 60)")
	fs.IntVar(&f.steps, "steps", 10, "`steps` of a presentation of digits; the paper has 100")
	fs.IntVar(&f.gate, "gate", 6, "`steps` at the begin of a presentation of digits without plasticity, twice the number of layers; the paper has 0")
	fs.IntVar(&f.seeds, "seeds", 1, "`seeds` of bars; the paper has 10")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result")
	fs.BoolVar(&f.full, "full", false, "bars: all presentation times up to 500 ms")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("latent", func(ctx context.Context) error {
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

func (f flags) check() error {
	switch {
	case f.epochs < 0 || f.epochs > 10000:
		return fmt.Errorf("-epochs %d: must be 0 to 10000", f.epochs)
	case f.steps < 1 || f.steps > 10000:
		return fmt.Errorf("-steps %d: must be 1 to 10000", f.steps)
	case f.gate < 0 || f.gate >= f.steps:
		return fmt.Errorf("-gate %d: must be 0 to %d, below -steps", f.gate, f.steps-1)
	case f.seeds < 1 || f.seeds > 100:
		return fmt.Errorf("-seeds %d: must be 1 to 100", f.seeds)
	}
	return nil
}

func run(ctx context.Context, f flags) error {
	chosen, err := f.chosen()
	if err == nil {
		err = f.check()
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
		paper := "–"
		if x.Paper != nil {
			paper = fmt.Sprintf("%.4g", *x.Paper)
		}
		pad := strings.Repeat(" ", width-len([]rune(x.Experiment)))
		fmt.Printf("  %s%s  ours %8.4g  paper %6s  %-4s  %s\n", x.Experiment, pad, x.Ours, paper, x.Unit, x.Scale)
	}
	for _, n := range r.notes {
		fmt.Printf("  %s\n", n)
	}
}

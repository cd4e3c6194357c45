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
	"flag"
	"fmt"
	"os"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/report"
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

// experiments are what -run chooses from.
func (f flags) experiments() []report.Experiment {
	return []report.Experiment{
		report.With(f, "fourier", fourier),
		report.With(f, "yinyang", yinyang),
		report.With(f, "bars", bars),
		report.With(f, "mimic", mimic),
		report.With(f, "mnist", mnist),
	}
}

func main() {
	var f flags
	fs := flag.NewFlagSet("latent", flag.ContinueOnError)
	fs.StringVar(&f.run, "run", "all", "`experiments`, separated by commas: "+report.Names(f.experiments())+", or all")
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
	chosen, err := report.Choose(f.experiments(), f.run)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return cli.Usage{Err: err}
	}
	return report.Run(ctx, os.Stdout, chosen, f.json, f.out)
}

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
	"flag"
	"fmt"
	"os"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
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

// experiments are what -run chooses from.
func (f flags) experiments() []report.Experiment {
	return []report.Experiment{
		report.With(f, "linear", linear),
		report.With(f, "machine", machine),
		report.With(f, "spiking", spiking),
		report.With(f, "stack", stack),
		report.With(f, "ep", ep),
	}
}

func main() {
	var f flags
	fs := flag.NewFlagSet("feedforward", flag.ContinueOnError)
	fs.StringVar(&f.run, "run", "all", "`experiments`, separated by commas: "+report.Names(f.experiments())+", or all")
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

func run(ctx context.Context, f flags) error {
	chosen, err := report.Choose(f.experiments(), f.run)
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
	return report.Run(ctx, os.Stdout, chosen, f.json, f.out)
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

// Imbalanced trains a machine on three digits of which one is ten times as frequent as the
// others, lets it dream with and without short-term plasticity and with tempering, and shows
// what a balanced test set rewards.
//
//	go run ./examples/imbalanced -out out
//	go run ./examples/imbalanced -digits 3,5,8 -seeds 5 -json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/lif"
)

type flags struct {
	digits   string
	counts   string
	data     string
	hidden   int
	epochs   int
	samples  int
	thin     int
	seeds    int
	samplers string
	set      string
	seed     uint64
	json     bool
	out      string
}

// standard are the samplers that run if nothing else is said.
const standard = "gibbs,gibbs-10,ast,ast-adaptive,pt,lif,lif-weak,lif-stp"

func main() {
	var f flags
	fs := flag.NewFlagSet("imbalanced", flag.ContinueOnError)
	fs.StringVar(&f.digits, "digits", "0,1,4", "two or more `digits` to train on")
	fs.StringVar(&f.counts, "counts", "400,4000,400", "training `images` of each; fewer in the same proportion if there are not as many")
	fs.StringVar(&f.data, "data", "", "`directory` of the four idx files, NPZ file, mnist or small (part of the program); default mnist if it is to be had, else small")
	fs.IntVar(&f.hidden, "hidden", 60, "hidden units; there are no label units")
	fs.IntVar(&f.epochs, "epochs", 100, "passes over the images")
	fs.IntVar(&f.samples, "samples", 5000, "samples of each chain, 10 ms of a spiking network each")
	fs.IntVar(&f.thin, "thin", 12, "sweeps at β = 1 for every sample of ast and pt, the reference")
	fs.IntVar(&f.seeds, "seeds", 3, "chains of every sampler, each with a seed of its own, from the digits in turn")
	fs.StringVar(&f.samplers, "samplers", standard, "`samplers`, separated by commas; also anneal, stp-gibbs, lif-static, lif-osc")
	fs.StringVar(&f.set, "set", "tutorial-coba", "parameter `set` of the LIF neurons: "+strings.Join(lif.SetupNames(), ", "))
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result but for wall time")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("imbalanced", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

// result is what -json prints. The ISL of the samplers is on test images with as many of each
// digit, "isl_on" on test images in the proportions of training.
type result struct {
	Model      modelInfo      `json:"model"`
	Data       string         `json:"data"`
	Digits     []string       `json:"digits"`
	Counts     []int          `json:"training_images"`
	Balanced   int            `json:"test_images_each"`
	Proportion []int          `json:"test_images_in_proportion"`
	Accuracy   float64        `json:"classifier_accuracy"` // of the judge, on the balanced test images
	DataISL    compare.Number `json:"data_isl"`            // of the training images in place of samples, balanced
	DataISLOn  compare.Number `json:"data_isl_on"`         // in proportion
	Seed       uint64         `json:"seed"`
	Samples    int            `json:"samples"`
	EqualWallS compare.Number `json:"equal_wall_s"`
	// Difference is the largest one of the occupancies of parallel tempering and adaptive
	// tempering with frozen weights, Spread that of chains of either; above converged, the
	// model's own law is not known. Null if one of them did not run.
	Difference compare.Number `json:"baseline_difference"`
	Spread     compare.Number `json:"baseline_spread"`
	Converged  bool           `json:"baseline_converged"`
	Samplers   []*dream.Row   `json:"samplers"`
	Partial    bool           `json:"partial,omitempty"`
}

type modelInfo struct {
	Pixels int     `json:"pixels"`
	Hidden int     `json:"hidden"`
	Epochs int     `json:"epochs"`
	TrainS float64 `json:"train_s"`
}

func run(ctx context.Context, f flags) error {
	b, err := f.prepare(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return cli.Usage{Err: err}
	}
	progress := cli.NewProgress(os.Stderr)
	stopped := b.experiment(ctx, progress)
	progress.Clear()
	if stopped != nil && (!errors.Is(stopped, context.Canceled) || b.res == nil) {
		return stopped
	}
	b.res.Partial = stopped != nil
	if f.json {
		j, err := json.Marshal(b.res)
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%s\n", j); err != nil {
			return err
		}
	} else {
		fmt.Print(b.report())
	}
	if f.out != "" && len(b.res.Samplers) > 0 {
		files, err := b.draw()
		if err != nil {
			return err
		}
		if !f.json {
			fmt.Printf("figures: %s\n", strings.Join(files, ", "))
		}
	}
	return stopped
}

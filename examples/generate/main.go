// Generate lets a trained digits machine dream with spiking networks and with classical
// samplers, at equal budgets, and scores the dreams.
//
//	go run ./examples/generate -out out
//	go run ./examples/generate -size 28 -hidden 500 -bio 100s -samplers lif,lif-stp
//	go run ./examples/generate -size 28 -hidden 500,500 -save deep.npz
//	go run ./examples/generate -model digits.npz -seeds 5 -json
//	go run ./examples/generate -evidence 10000 -samplers gibbs
//
// Without -model a restricted Boltzmann machine of pixels, label units and hidden units is
// trained first, or with -hidden 500,500 a layered one. A model file is NPZ as package
// boltzmann/train writes it. Training with -save that is interrupted goes on with the same
// command.
// Settings of short-term plasticity, ladders and rhythms are chosen on validation images.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/lif"
)

type flags struct {
	model    string
	save     string
	data     string
	size     int
	hidden   string
	epochs   int
	rate     float64
	images   int
	train    string
	bio      time.Duration
	seeds    int
	samplers string
	stp      string
	set      string
	tsne     int
	evidence int
	seed     uint64
	json     bool
	out      string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("generate", flag.ContinueOnError)
	fs.StringVar(&f.model, "model", "", "model `file` (.npz) to load instead of training")
	fs.StringVar(&f.save, "save", "", "save the trained model to this `file` (.npz); if training is interrupted, FILE.part has all that the same command needs to go on")
	fs.StringVar(&f.data, "data", "", "`directory` of the four idx files, NPZ file, mnist or small (part of the program); default mnist if it is to be had, else small")
	fs.IntVar(&f.size, "size", 0, "side of the images: 12 (default) or 28")
	fs.StringVar(&f.hidden, "hidden", "", "hidden units, or those of several layers separated by commas; default 150, with -size 28: 500")
	fs.IntVar(&f.epochs, "epochs", 0, "passes over the images; default 40, with -size 28: 20")
	fs.Float64Var(&f.rate, "rate", 0, "learning rate at the start; default 0.2, with -size 28: 0.1")
	fs.IntVar(&f.images, "images", 0, "images to train on; default 20000, with -size 28 all, of small 800")
	fs.StringVar(&f.train, "train", "pcd", "training `method`: pcd or cast")
	fs.DurationVar(&f.bio, "bio", 50*time.Second, "biological time of a dream: a sample every 10 ms")
	fs.IntVar(&f.seeds, "seeds", 3, "chains of every sampler, each with a seed and a start image of its own")
	fs.StringVar(&f.samplers, "samplers", strings.Join(dream.Standard(), ","), "`samplers`, separated by commas; also gibbs-10, anneal, stp-gibbs, lif-static")
	fs.StringVar(&f.stp, "stp", "", "short-term plasticity as `τ:g`, recovery time [ms] and sustained gain, such as 300:0.75; default: chosen on validation images")
	fs.StringVar(&f.set, "set", "", "parameter `set` of the LIF neurons: "+strings.Join(lif.SetupNames(), ", ")+"; default tutorial-coba, with -size 28: tutorial-cuba")
	fs.IntVar(&f.tsne, "tsne", 1200, "points of the t-SNE picture, 0 for none, at most 2000")
	fs.IntVar(&f.evidence, "evidence", 0, "bound the log-likelihood of the test images from both sides by annealed importance sampling with that many levels; 0: no")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result but for wall time")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("generate", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

// result is what -json prints.
type result struct {
	Model    modelInfo `json:"model"`
	Data     string    `json:"data"`
	Accuracy float64   `json:"classifier_accuracy"` // on all test images that validation does not use
	// LogLikelihood is the mean of log p(image, label) over the test images, bounded or exact.
	LogLikelihood *evidence `json:"log_likelihood,omitempty"`
	// DataISL is the ISL of as many training images as there are samples: what a perfect
	// sampler of the data would reach.
	DataISL    compare.Number `json:"data_isl"`
	Test       int            `json:"test_images"`       // that the ISL is of
	Validation int            `json:"validation_images"` // that settings are chosen by
	Seed       uint64         `json:"seed"`
	Starts     []int          `json:"starts"` // classes of the start images
	Samples    int            `json:"samples"`
	BioMS      float64        `json:"bio_ms"`
	// EqualWallS is the wall time of "equal" budgets.
	EqualWallS compare.Number `json:"equal_wall_s"`
	Samplers   []*dream.Row   `json:"samplers"`
	Partial    bool           `json:"partial,omitempty"`
}

// evidence bounds a log-likelihood [nats]; the bounds are equal if it is exact, and none if
// lower is above upper: then the reverse chains had not seen all modes, or it is noise.
type evidence struct {
	Lower  float64        `json:"lower"`
	Upper  compare.Number `json:"upper"` // null with several hidden layers: there is none
	Levels int            `json:"levels"`
	// Bound, with several hidden layers, is the variational bound with log Z from AIS, which
	// is too small on average.
	Bound float64 `json:"bound,omitempty"`
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
	if b.model == nil {
		if err := b.trained(ctx, progress); err != nil {
			progress.Clear()
			return err
		}
	}
	kinds, err := b.subject()
	if err != nil {
		progress.Clear()
		return cli.Usage{Err: err}
	}
	stopped := b.dream(ctx, kinds, progress)
	progress.Clear()
	if stopped != nil && !errors.Is(stopped, context.Canceled) {
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
	if f.out != "" && stopped == nil {
		files, err := b.draw(ctx, progress)
		progress.Clear()
		if err != nil {
			return err
		}
		if !f.json {
			fmt.Printf("figures: %s\n", strings.Join(files, ", "))
		}
	}
	return stopped
}

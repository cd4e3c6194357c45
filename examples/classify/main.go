// Classify uses one trained digits machine as a classifier: pixels are held, label units are
// sampled by networks of spiking neurons and by Gibbs sampling, and the one that is on longest
// wins. The classifier of exact free energies stands beside them. The same networks then
// complete digits of which half is hidden.
//
//	go run ./examples/classify -out out
//	go run ./examples/classify -size 28 -hidden 500 -data mnist -save digits.npz
//	go run ./examples/classify -model digits.npz -test 1000 -bio 2s -json
//
// Without -model a restricted Boltzmann machine of pixels, label units and hidden units is
// trained first. A model file is NPZ with W, b, c and classes (package boltzmann/train).
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
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	model       string
	save        string
	data        string
	size        int
	hidden      int
	epochs      int
	images      int
	test        int
	bio         time.Duration
	classifiers string
	stp         string
	set         string
	hide        string
	chains      int
	seed        uint64
	json        bool
	out         string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("classify", flag.ContinueOnError)
	fs.StringVar(&f.model, "model", "", "model `file` (.npz) to load instead of training")
	fs.StringVar(&f.save, "save", "", "save the trained model to this `file` (.npz)")
	fs.StringVar(&f.data, "data", "", "`directory` of the four idx files, NPZ file, mnist or small (part of the program); default small, with -size 28: mnist")
	fs.IntVar(&f.size, "size", 0, "side of the images: 12 (default) or 28")
	fs.IntVar(&f.hidden, "hidden", 0, "hidden units; default 150, with -size 28: 500")
	fs.IntVar(&f.epochs, "epochs", 0, "passes over the images; default 200, for more than 2000 images 40, with -size 28: 20")
	fs.IntVar(&f.images, "images", 0, "images to train on; default all")
	fs.IntVar(&f.test, "test", 0, "test images; default 1000, or as many as there are")
	fs.DurationVar(&f.bio, "bio", time.Second, "biological time for which an image is shown")
	fs.StringVar(&f.classifiers, "classifiers", usual, "`classifiers`, separated by commas; also lif-tail")
	fs.StringVar(&f.stp, "stp", "300:0.9", "short-term plasticity as `τ:g`, recovery time [ms] and sustained gain")
	fs.StringVar(&f.set, "set", "tutorial-cuba", "parameter `set` of the LIF neurons: "+strings.Join(lif.SetupNames(), ", "))
	fs.StringVar(&f.hide, "hide", "bottom", "`half` of the digits that is hidden: bottom, top, left or right")
	fs.IntVar(&f.chains, "chains", 20, "chains that complete each digit")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result but for wall time")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("classify", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

// result is what -json prints.
type result struct {
	Model      modelInfo     `json:"model"`
	Data       string        `json:"data"`
	Test       int           `json:"test_images"`
	Seed       uint64        `json:"seed"`
	Rows       []*row        `json:"rows"`
	Hidden     string        `json:"hidden_half"`
	Completion []*completion `json:"completion"`
	Partial    bool          `json:"partial,omitempty"`
}

// modelInfo says what the model is and where it comes from.
type modelInfo struct {
	File   string         `json:"file,omitempty"`
	Size   int            `json:"size"`
	Hidden int            `json:"hidden"`
	Images int            `json:"images,omitempty"`
	Epochs int            `json:"epochs,omitempty"`
	TrainS compare.Number `json:"wall_s,omitempty"` // of training
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
	if err := b.trained(ctx, progress); err != nil {
		progress.Clear()
		return err
	}
	if err := try(ctx, b.list); err != nil {
		progress.Clear()
		return cli.Usage{Err: err}
	}
	stopped := b.measure(ctx, progress)
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

// measure runs all classifiers and the completion. If ctx ends, the rows done so far stay.
func (b *bench) measure(ctx context.Context, progress *cli.Progress) error {
	b.res = &result{Data: b.data, Test: len(b.test.Images), Seed: b.f.seed, Hidden: b.f.hide, Rows: []*row{}, Completion: []*completion{},
		Model: modelInfo{File: b.f.model, Size: b.f.size, Hidden: b.model.Hidden(), Images: b.f.images, Epochs: b.f.epochs, TrainS: compare.Number(b.trainS)}}
	free, err := b.freeEnergy()
	if err != nil {
		return err
	}
	b.res.Rows = append(b.res.Rows, free)
	for _, c := range b.list {
		r, err := b.classify(ctx, c, func(i int) {
			progress.Update(c.name, sampling.Progress{Time: float64(i + 1), Total: float64(len(b.test.Images))})
		})
		if err != nil {
			return err
		}
		b.res.Rows = append(b.res.Rows, r)
	}
	return b.complete(ctx, progress)
}

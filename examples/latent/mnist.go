package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spikesampling/spikesampling/inference/latent"
	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
)

// variant is one of the learners of Fig. 2b.
type variant struct {
	name    string
	paper   *float64
	accept  *float64 // largest error that the specification accepts for all of MNIST [%]
	control bool     // backpropagation
	change  func(*latent.Options)
	share   int // of the epochs: 1 of so many, as steps are so many times more
}

// Fig. 2b: 784-300-100-10.
var variants = []variant{
	{name: "latent equilibrium", paper: report.Number(1.98), accept: report.Number(2.5), change: func(*latent.Options) {}, share: 1},
	{name: "backpropagation", paper: report.Number(1.93), control: true, change: func(*latent.Options) {}, share: 1},
	{name: "feedback alignment", paper: report.Number(2.6), change: func(o *latent.Options) { o.Feedback = latent.FixedRandom }, share: 1},
	// The same presentations of the same neurons that do not look ahead: in 0.1 ms membranes of 20 ms
	// hardly move.
	{name: "no look-ahead", change: func(o *latent.Options) { o.TauR = 0 }, share: 10},
	// Ordinary neurons, with the ten times longer presentations of 100 ms that the paper gives
	// them, and plasticity always on.
	{name: "no look-ahead, 100 ms", change: func(o *latent.Options) {
		o.TauM, o.TauR, o.Dt = 10, 0, 1
		o.Rate *= float64(o.Steps-o.Gate) / float64(o.Steps)
		o.Steps, o.Gate = 10*o.Steps, 0
	}, share: 10},
}

func mnist(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	split, err := data.Open(ctx, f.data)
	if err != nil {
		return nil, err
	}
	if split.Test == nil {
		return nil, fmt.Errorf("-data %s: has no test images", f.data)
	}
	train := split.Train
	if train.N == 60000 { // the paper keeps 10000 for validation
		parts, err := train.Cut(50000)
		if err != nil {
			return nil, err
		}
		train = parts[0]
	}
	options := data.PairsOptions{Scale: 255. / 256}
	pairs, err := train.Pairs(options)
	if err != nil {
		return nil, err
	}
	test, err := split.Test.Pairs(options)
	if err != nil {
		return nil, err
	}
	epochs := f.epochs
	if epochs == 0 {
		epochs = 60
	}
	res := &report.Result{}
	lines := plotx.Lines{Title: fmt.Sprintf("%d images, %d-300-100-%d", train.N, train.Dim(), len(train.Classes)), XLabel: "epoch", YLabel: "test error [%]", LogY: true}
	done := 0
	for _, v := range variants {
		start := time.Now()
		o := latent.MNIST2021()
		o.Inputs = train.Dim()
		o.Layers[2].Units = len(train.Classes)
		o.Seed, o.Steps, o.Gate = f.seed, f.steps, f.gate
		// What a presentation changes stays the same.
		o.Rate *= float64(o.Steps) / float64(o.Steps-o.Gate)
		v.change(&o)
		passes := (epochs + v.share - 1) / v.share
		l, stop, err := v.learner(o)
		if err != nil {
			return nil, err
		}
		line := plotx.Line{Name: v.name}
		h, err := learn.Fit(ctx, l, pairs, learn.Options{Epochs: passes, Batch: 512, Seed: f.seed, Validation: test,
			OnEpoch: func(e learn.Epoch) {
				progress(float64(done)+float64(e.Epoch)/float64(passes), float64(len(variants)))
				// A logarithmic axis has no 0.
				line.X = append(line.X, float64(e.Epoch*v.share))
				line.Y = append(line.Y, max(100*(1-e.Validation.Accuracy), 50/float64(test.Len())))
			}})
		stop()
		done++
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
		if s, ok := h.Last(); ok {
			steps := fmt.Sprintf("%d steps, %d without plasticity", o.Steps, o.Gate)
			if v.control {
				steps = "a step of gradient descent"
			}
			r := report.Row{Experiment: "digits, " + v.name, Paper: v.paper, Ours: 100 * (1 - s.Accuracy), Unit: "%", WallS: time.Since(start).Seconds(),
				Scale: fmt.Sprintf("%d training images, %d epochs (paper 50000, 200); a presentation is %s (paper 100, 0)", train.N, len(h), steps)}
			if train.N == 50000 {
				r.Tolerance = v.accept
			}
			res.Rows = append(res.Rows, r)
			lines.Series = append(lines.Series, line)
		}
		if err != nil {
			return res, err
		}
	}
	if err := res.Draw("mnist", lines); err != nil {
		return nil, err
	}
	if train.N < 50000 {
		res.Notes = append(res.Notes, "the paper's numbers are for all of MNIST: -data mnist")
	}
	return res, nil
}

func (v variant) learner(o latent.Options) (learn.Learner, func(), error) {
	if v.control {
		b, err := latent.NewBackprop(o)
		if err != nil {
			return nil, nil, err
		}
		return b, b.Close, nil
	}
	n, err := latent.New(o)
	if err != nil {
		return nil, nil, err
	}
	return n, n.Close, nil
}

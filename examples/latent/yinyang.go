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

// yinyang trains 4-120-3 on the published sets, with look-ahead and without.
func yinyang(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	train, _, test := data.YinYangSets()
	train, test = train.Scaled(2, -1), test.Scaled(2, -1)
	const epochs = 60
	res := &report.Result{}
	lines := plotx.Lines{Title: "Yin-Yang, 4-120-3", XLabel: "epoch", YLabel: "test accuracy [%]"}
	variants := []struct {
		name    string
		beta    float64
		gate    int // twice the number of layers: until the errors of the pattern before are gone
		blind   bool
		control bool
	}{
		{name: "latent equilibrium", beta: .01, gate: 4},
		{name: "β = 0.1, always plastic", beta: .1},
		{name: "backpropagation", beta: .01, gate: 4, control: true},
		{name: "no look-ahead", beta: .01, gate: 4, blind: true},
	}
	for i, v := range variants {
		start := time.Now()
		o := latent.Haider2021()
		o.Inputs, o.Steps, o.Gate, o.Beta, o.Seed, o.WeightSD, o.BiasSD = 4, 20, v.gate, v.beta, f.seed, .5, .5
		o.Layers = []latent.Layer{{Units: 120, Activation: latent.ReLU}, {Units: 3}}
		// A presentation changes weights by 0.03 ⟨error · rate⟩ in all of them.
		o.Rate = .03 / v.beta * float64(o.Steps) / float64(o.Steps-o.Gate)
		if v.blind {
			o.TauR = 0
		}
		l, stop, err := variant{control: v.control}.learner(o)
		if err != nil {
			return nil, err
		}
		line := plotx.Line{Name: v.name}
		h, err := learn.Fit(ctx, l, train, learn.Options{Epochs: epochs, Batch: 20, Seed: f.seed, Validation: test, EvalBatch: 1000,
			Rate: func(e int) float64 {
				if e >= 40 {
					return .2
				}
				return 1
			},
			OnEpoch: func(e learn.Epoch) {
				progress(float64(i*epochs+e.Epoch), float64(len(variants)*epochs))
				line.X, line.Y = append(line.X, float64(e.Epoch)), append(line.Y, 100*e.Validation.Accuracy)
			}})
		stop()
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
		if s, ok := h.Last(); ok {
			r := report.Row{Experiment: "Yin-Yang, " + v.name, Ours: 100 * s.Accuracy, Unit: "%", WallS: time.Since(start).Seconds(),
				Scale: fmt.Sprintf("full: 5000 training points, %d epochs, 20 steps of 0.1 ms a presentation; the paper has no such task", len(h))}
			if !v.blind && !v.control {
				r.Tolerance, r.AtLeast = report.Number(86), true
			}
			res.Rows = append(res.Rows, r)
			lines.Series = append(lines.Series, line)
		}
		if err != nil {
			return res, err
		}
	}
	if err := res.Draw("yinyang", lines); err != nil {
		return nil, err
	}
	return res, nil
}

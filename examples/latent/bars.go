package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spikesampling/spikesampling/inference/latent/circuit"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Fig. 3: presentation times of patterns [ms], and the time at their begin that does not count for
// the output of the original model.
var (
	barTimes = []float64{.3, .5, 1, 2, 5, 10, 20, 50, 100, 200, 500}
	barLags  = []float64{0, .2, .5, 1, 2, 5, 15, 40, 80, 80, 80}
)

// bars trains microcircuits of 9-30-3 on eight patterns of bars, with look-ahead and without.
func bars(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	v, err := data.Bars(3)
	if err != nil {
		return nil, err
	}
	d := v.Targets(1, .1)
	times := barTimes[:6]
	epochs := 1000
	if f.full {
		times = barTimes
	}
	var total, done float64
	for _, p := range times {
		total += 2 * p * float64(f.seeds)
	}
	res := &report.Result{}
	lines := plotx.Lines{Title: "Bars, microcircuits 9-30-3", XLabel: "presentation time [ms]", YLabel: "accuracy [%]", LogX: true, YMin: 0, YMax: 105,
		HLines: []plotx.Reference{{At: 37.5, Name: "largest class"}}}
	for _, original := range []bool{false, true} {
		name := "with look-ahead"
		if original {
			name = "original model"
		}
		line := plotx.Line{Name: name}
		for k, p := range times {
			start := time.Now()
			sum := 0.0
			for s := range f.seeds {
				o := circuit.Bars2021(p)
				o.Original, o.Seed = original, f.seed+uint64(s)
				c, err := circuit.New(o)
				if err != nil {
					return nil, err
				}
				stream := circuit.Stream{Epochs: epochs, Presentation: p, Seed: o.Seed,
					OnEpoch: func(e int) { progress(done+p*float64(e)/float64(epochs), total) }}
				if original {
					stream.Lag = barLags[k]
				}
				curve, err := c.Train(ctx, d, stream)
				if errors.Is(err, context.Canceled) {
					return res, err
				}
				// A circuit whose weights diverge has failed: it counts as it was before.
				if err != nil && !errors.Is(err, dynamics.ErrDiverged) {
					return nil, err
				}
				sum += 100 * curve.Last(100) / float64(f.seeds)
				done += p
			}
			r := report.Row{Experiment: fmt.Sprintf("bars, %s, %v ms", name, p), Ours: sum, Unit: "%", WallS: time.Since(start).Seconds(),
				Scale: fmt.Sprintf("%d epochs, %d seeds (paper 1000, 10); mean of the last 100 epochs", epochs, f.seeds)}
			if p == 1 {
				r.Tolerance, r.AtLeast = report.Number(99), true
				if original {
					r.Tolerance, r.AtLeast = report.Number(50), false
				}
			}
			res.Rows = append(res.Rows, r)
			line.X, line.Y = append(line.X, p), append(line.Y, sum)
		}
		lines.Series = append(lines.Series, line)
	}
	if err := res.Draw("bars", lines); err != nil {
		return nil, err
	}
	return res, nil
}

// mimic trains a circuit of three cells to do as another one does.
func mimic(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	start := time.Now()
	r := rand.New(rng.Stream(f.seed, "mimic"))
	var apical, output, weights plotx.Line
	apical.Name, output.Name, weights.Name = "apical potential", "output error", "weight distance"
	_, first, last, err := circuit.Mimic(ctx, circuit.MimicOptions{Seed: f.seed, Input: r.Float64, OnEpoch: func(e int, d circuit.Distance) {
		progress(float64(e), 500)
		for _, x := range []struct {
			line *plotx.Line
			y    float64
		}{{&apical, d.Apical}, {&output, d.Output}, {&weights, d.Weights}} {
			if x.y > 0 {
				x.line.X, x.line.Y = append(x.line.X, float64(e)), append(x.line.Y, x.y)
			}
		}
	}})
	if err != nil {
		return nil, err
	}
	wall := time.Since(start).Seconds()
	scale := "full: 500 epochs of six inputs, 1 ms each"
	res := &report.Result{Rows: []report.Row{
		{Experiment: "mimic, apical potential, last over first", Ours: last.Apical / first.Apical, Unit: "", Scale: scale, WallS: wall},
		{Experiment: "mimic, output error, last over first", Ours: last.Output / first.Output, Unit: "", Scale: scale, WallS: wall},
		{Experiment: "mimic, weight distance, last over first", Ours: last.Weights / first.Weights, Unit: "", Scale: scale, WallS: wall},
	}}
	return res, res.Draw("mimic", plotx.Lines{Title: "A microcircuit learns another one", XLabel: "epoch", YLabel: "root mean square", LogY: true,
		Series: []plotx.Line{apical, output, weights}})
}

package main

import (
	"context"
	"math"
	"time"

	"github.com/spikesampling/spikesampling/inference/latent"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
)

// Fig. 2a: 50 sines of 10 to 500 Hz, 30 neurons and an output learn a sawtooth of 50 ms, though
// membranes have 10 ms. The target is taken away for the last third.
const (
	sines    = 50
	sawtooth = 50.  // period of the target [ms]
	sawTime  = 600. // [ms]
	sawDt    = .005 // [ms]
)

func saw(t float64) float64 { return 2*(t/sawtooth-math.Floor(t/sawtooth)) - 1 }

func fourier(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	res := &report.Result{}
	lines := plotx.Lines{Title: "A sawtooth from sines, learned as it runs", XLabel: "time [ms]", YLabel: "output",
		VLines: []plotx.Reference{{At: sawTime * 2 / 3, Name: "target taken away"}}}
	var truth plotx.Line
	steps := int(math.Round(sawTime / sawDt))
	for v, ahead := range []bool{true, false} {
		start := time.Now()
		o := latent.Haider2021()
		o.Inputs, o.Dt, o.Steps, o.Seed, o.Precision, o.Parallel = sines, sawDt, 1, f.seed, latent.Float64, 1
		o.Rate = .25 * sawDt
		o.Layers = []latent.Layer{{Units: 30, Activation: latent.Tanh}, {Units: 1}}
		name := "look-ahead"
		if !ahead {
			o.TauR, name = 0, "no look-ahead"
		}
		n, err := latent.New(o)
		if err != nil {
			return nil, err
		}
		defer n.Close()
		x, y := make([]float64, sines), make([]float64, 1)
		line := plotx.Line{Name: name}
		sum := 0.0
		for k := range steps {
			t := float64(k) * sawDt
			for i := range x {
				x[i] = math.Sin(2 * math.Pi * 10 * float64(i+1) * t / 1000)
			}
			y[0] = saw(t)
			target := y
			if t >= sawTime*2/3 {
				target = nil
			}
			if err := n.Step(x, target); err != nil {
				return nil, err
			}
			out := n.Rates(2)[0]
			if target == nil {
				sum += (out - y[0]) * (out - y[0]) / (float64(steps) / 3)
			}
			if k%200 == 0 {
				if err := ctx.Err(); err != nil {
					return res, err
				}
				progress(float64(v*steps+k), float64(2*steps))
				line.X, line.Y = append(line.X, t), append(line.Y, out)
				if v == 0 {
					truth.X, truth.Y = append(truth.X, t), append(truth.Y, y[0])
				}
			}
		}
		lines.Series = append(lines.Series, line)
		res.Rows = append(res.Rows, report.Row{Experiment: "sawtooth, " + name, Ours: math.Sqrt(sum), Unit: "rms",
			Scale: "full: 600 ms in steps of 0.005 ms; error without the target, in the last third (sawtooth itself 0.577)", WallS: time.Since(start).Seconds()})
	}
	truth.Name, truth.Theory = "target", true
	lines.Series = append(lines.Series, truth)
	if err := res.Draw("fourier", lines); err != nil {
		return nil, err
	}
	return res, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

// mimic trains circuits of three cells to do as another one does: ten students, of which those learn
// whose feedback has the sign of the teacher's output weight.
func mimic(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	const seeds, epochs = 10, 500
	distances := []struct {
		name string
		of   func(circuit.Distance) float64
	}{
		{"apical potential", func(d circuit.Distance) float64 { return d.Apical }},
		{"output error", func(d circuit.Distance) float64 { return d.Output }},
		{"weight distance", func(d circuit.Distance) float64 { return d.Weights }},
	}
	start := time.Now()
	var right, wrong [][]circuit.Distance // by student and epoch
	for s := range uint64(seeds) {
		r := rand.New(rng.Stream(f.seed+s, "mimic"))
		var curve []circuit.Distance
		m, err := circuit.Mimic(ctx, circuit.MimicOptions{Seed: f.seed + s, Epochs: epochs, Input: r.Float64, OnEpoch: func(e int, d circuit.Distance) {
			progress(float64(s)*epochs+float64(e), seeds*epochs)
			curve = append(curve, d)
		}})
		if err != nil {
			return nil, err
		}
		if m.Aligned {
			right = append(right, curve)
		} else {
			wrong = append(wrong, curve)
		}
	}
	wall := time.Since(start).Seconds()
	res := &report.Result{Notes: []string{"feedback is random and fixed: only students in which it has the sign of the teacher's output weight can learn"}}
	lines := plotx.Lines{Title: "A microcircuit learns another one (dashed: feedback of the wrong sign)", XLabel: "epoch", YLabel: "root mean square", LogY: true}
	for _, d := range distances {
		for k, curves := range [][][]circuit.Distance{right, wrong} {
			if curves == nil {
				continue
			}
			var ratios []float64
			for _, c := range curves {
				ratios = append(ratios, d.of(c[epochs-1])/d.of(c[0]))
			}
			sign, which, ratio := "right", "largest", slices.Max(ratios)
			if k == 1 {
				sign, which, ratio = "wrong", "smallest", slices.Min(ratios)
			}
			res.Rows = append(res.Rows, report.Row{Experiment: fmt.Sprintf("mimic, %s sign, %s, last over first", sign, d.name), Ours: ratio, WallS: wall,
				Scale: fmt.Sprintf("full: %d epochs of six inputs, 1 ms each; the %s of %d students", epochs, which, len(curves))})
			line := plotx.Line{Name: d.name, Dashed: k == 1, Paired: k == 1 && right != nil}
			if line.Paired {
				line.Name = ""
			}
			for e, x := range curves[0] {
				if y := d.of(x); y > 0 {
					line.X, line.Y = append(line.X, float64(e+1)), append(line.Y, y)
				}
			}
			lines.Series = append(lines.Series, line)
		}
	}
	return res, res.Draw("mimic", lines)
}

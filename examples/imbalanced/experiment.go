package main

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/train"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/tempering"
)

// Names of the test images beside the balanced ones, and the difference of occupancies up to
// which two exact samplers agree.
const (
	inProportion = "training proportions"
	agreement    = 0.06
)

// marks are the numbers of samples that are reported.
var marks = []int{100, 1000, 5000}

// learn trains a machine.
func (b *bench) learn(ctx context.Context, d dream.Digits, labels bool, hidden, epochs int, name string, progress *cli.Progress) (*train.Model, error) {
	td := train.Data{Images: d.Images}
	if labels {
		td.Labels, td.Classes = d.Labels, len(b.digits)
	}
	t, err := train.New(td, train.Options{Hidden: hidden, Epochs: epochs, Seed: b.f.seed, Decay: 2e-5,
		Rate: train.Rate{Start: 0.2, Shape: train.Hyperbolic, Tau: 4000},
		OnProgress: func(p train.Progress) {
			progress.Update(name, sampling.Progress{Time: float64(p.Update), Total: float64(p.Updates)})
		}})
	if err != nil {
		return nil, cli.Usage{Err: err}
	}
	if err := t.Run(ctx, t.Updates()); err != nil {
		return nil, err
	}
	return t.Model(nil)
}

// experiment trains the machine and the judge, and lets all samplers dream. If ctx ends, what
// was done is in the result.
func (b *bench) experiment(ctx context.Context, progress *cli.Progress) error {
	begin := time.Now()
	m, err := b.learn(ctx, b.train, false, b.f.hidden, b.f.epochs, "training", progress)
	if err != nil {
		return err
	}
	nan := compare.Number(math.NaN())
	r := &result{Model: modelInfo{m.Pixels(), m.Hidden(), b.f.epochs, time.Since(begin).Seconds()}, Data: b.source, Counts: b.counts,
		Balanced: len(b.balanced.Images) / len(b.digits), Proportion: b.inTest, Seed: b.f.seed, Samples: b.f.samples,
		EqualWallS: nan, Difference: nan, Spread: nan, Samplers: []*dream.Row{}}
	for _, d := range b.digits {
		r.Digits = append(r.Digits, strconv.Itoa(d))
	}
	// The machine has no label units. What a picture shows is said by another one, which has,
	// and learned from as many images of each digit, others than those above.
	judge, err := b.learn(ctx, b.judge, true, 60, max(20, 100000/len(b.judge.Images)), "judge", progress)
	if err != nil {
		return err
	}
	classes, err := judge.Classify(b.balanced.Images, 0)
	if err != nil {
		return err
	}
	if r.Accuracy, err = train.Accuracy(classes, b.balanced.Labels); err != nil {
		return err
	}
	tests := []dream.Images{{Name: "balanced", Pixels: b.balanced.Images}, {Name: inProportion, Pixels: b.proportion.Images}}
	for i, x := range []*compare.Number{&r.DataISL, &r.DataISLOn} {
		isl, err := tests[i].ISL(b.train.Images)
		if err != nil {
			return err
		}
		*x = compare.Number(isl)
	}
	b.s, err = dream.NewSubject(m.RBM(), m.Pixels(), b.setup, r.Digits, func(images [][]uint8) ([]uint8, error) { return judge.Classify(images, 1) })
	if err != nil {
		return err
	}
	kinds, starts, err := b.prepared()
	if err != nil {
		return cli.Usage{Err: err}
	}
	b.res = r
	rows, wall, err := b.s.Compare(ctx, dream.Plan{Kinds: kinds, Samples: b.f.samples, Starts: starts, Seed: b.f.seed,
		Validation: dream.Images{Name: "validation", Pixels: b.validation.Images}, Tests: tests, At: marks, Tell: progress.Update})
	r.Samplers = rows
	if wall > 0 {
		r.EqualWallS = compare.Number(wall.Seconds())
	}
	r.converged()
	return err
}

// prepared are the kinds of samplers and the start states of the chains.
func (b *bench) prepared() ([]dream.Kind, [][]uint8, error) {
	kinds, err := dream.Choose(b.s.Kinds(), b.f.samplers)
	if err != nil {
		return nil, nil, err
	}
	for i := range kinds { // the reference: long, and down to temperatures at which all mixes
		switch kinds[i].Name {
		case "pt":
			kinds[i].Settings = b.s.Parallel(b.f.thin, dream.Ladder{Levels: 24, Lowest: 0})
		case "ast":
			kinds[i].Settings = b.s.AST(tempering.Frozen, b.f.thin, dream.Ladder{Levels: 20, Lowest: 0.3})
		}
	}
	if err := dream.Check(kinds); err != nil {
		return nil, nil, err
	}
	var starts [][]uint8
	for i := range b.f.seeds {
		c := i % len(b.digits)
		k := 0
		for int(b.train.Labels[k]) != c {
			k++
		}
		z, err := b.s.Start(b.train.Images[k], -1)
		if err != nil {
			return nil, nil, err
		}
		starts = append(starts, z)
	}
	return kinds, starts, nil
}

func (r *result) find(name string) *dream.Row {
	for _, x := range r.Samplers {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// converged compares the two exact samplers.
func (r *result) converged() {
	pt, ast := r.find("pt"), r.find("ast")
	if pt == nil || ast == nil {
		return
	}
	d, spread := 0.0, 0.0
	for k := range r.Digits {
		d = math.Max(d, math.Abs(pt.Occupancy[k]-ast.Occupancy[k]))
		for _, x := range []*dream.Row{pt, ast} {
			lo, hi := 1.0, 0.0
			for _, c := range x.Chains {
				lo, hi = math.Min(lo, c.Occupancy[k]), math.Max(hi, c.Occupancy[k])
			}
			spread = math.Max(spread, hi-lo)
		}
	}
	r.Difference, r.Spread, r.Converged = compare.Number(d), compare.Number(spread), d <= agreement
}

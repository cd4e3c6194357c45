package main

import (
	"context"
	"math"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/train"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/sampling"
)

// marks are the numbers of samples that are reported.
var marks = []int{100, 1000, 5000}

// modelInfo describes the machine.
type modelInfo struct {
	Pixels  int     `json:"pixels"`
	Hidden  int     `json:"hidden"`
	Layers  []int   `json:"layers,omitempty"` // hidden units by layer, if there are several
	Classes int     `json:"classes"`
	File    string  `json:"file,omitempty"`
	Method  string  `json:"method,omitempty"`
	Epochs  int     `json:"epochs,omitempty"`
	Images  int     `json:"images,omitempty"`
	TrainS  float64 `json:"train_s,omitempty"`
}

// dream runs all samplers one after another. If ctx ends, what was done is in the result.
func (b *bench) dream(ctx context.Context, kinds []dream.Kind, progress *cli.Progress) error {
	m, d := b.model, b.data
	scored := d.Scored()
	b.res = &result{Model: modelInfo{Pixels: m.Pixels(), Hidden: sum(b.hidden), Classes: m.Classes(), File: b.f.model}, Data: d.Name,
		Test: len(scored.Pixels), Validation: len(d.Validation.Images), Seed: b.f.seed, DataISL: compare.Number(math.NaN()),
		Samples: int(b.f.bio / (dream.TauRef * time.Millisecond)), BioMS: float64(b.f.bio / time.Millisecond),
		EqualWallS: compare.Number(math.NaN()), Samplers: []*dream.Row{}}
	r := b.res
	if len(b.hidden) > 1 {
		r.Model.Layers = b.hidden
	}
	for _, c := range d.Train.Labels[:b.f.seeds] {
		r.Starts = append(r.Starts, int(c))
	}
	if b.f.model == "" {
		r.Model.Method, r.Model.Epochs, r.Model.Images, r.Model.TrainS = b.f.train, b.f.epochs, b.f.images, b.trainS
	}
	classes, err := m.Classify(d.Test.Images, 0)
	if err != nil {
		return err
	}
	if r.Accuracy, err = train.Accuracy(classes, d.Test.Labels); err != nil {
		return err
	}
	if b.f.evidence > 0 {
		progress.Update("log-likelihood", sampling.Progress{Total: 1})
		if r.LogLikelihood, err = b.likelihood(ctx); err != nil {
			return err
		}
	}
	isl, err := scored.ISL(d.Train.Images[:min(r.Samples, len(d.Train.Images))])
	if err != nil {
		return err
	}
	r.DataISL = compare.Number(isl)

	rows, wall, err := b.s.Compare(ctx, dream.Plan{Kinds: kinds, Samples: r.Samples, Starts: b.starts, Seed: b.f.seed,
		Validation: dream.Images{Name: "validation", Pixels: d.Validation.Images}, MatchInk: true, Tests: []dream.Images{scored}, At: marks, Tell: progress.Update})
	r.Samplers = rows
	if wall > 0 {
		r.EqualWallS = compare.Number(wall.Seconds())
	}
	return err
}

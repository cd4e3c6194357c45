package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/train"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/sampling"
)

// machine is a trained model with one hidden layer or more.
type machine interface {
	Pixels() int
	Classes() int
	Classify(images [][]uint8, parallel int) ([]uint8, error)
	Save(path string) error
}

// use makes m the model.
func (b *bench) use(m machine) (err error) {
	b.model = m
	switch m := m.(type) {
	case *train.Model:
		b.rbm, b.hidden = m.RBM(), []int{m.Hidden()}
	case *train.DeepModel:
		b.hidden = m.Hidden()
		b.rbm, err = m.RBM()
	}
	return err
}

// layers reads the numbers of hidden units; nil if there is nothing.
func layers(s string) (n []int, err error) {
	if s == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(s, ",") {
		k, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || k < 1 || k > 10000 || len(n) == 10 {
			return nil, fmt.Errorf("-hidden %q: must be 1 to 10000 units, or those of up to 10 layers separated by commas, such as 500,500", s)
		}
		n = append(n, k)
	}
	return n, nil
}

func sum(n []int) (s int) {
	for _, k := range n {
		s += k
	}
	return s
}

// load reads the model file, which says the size.
func (b *bench) load() error {
	var m machine
	one, err := train.Load(b.f.model)
	if m = one; err != nil {
		deep, other := train.LoadDeep(b.f.model)
		if m = deep; other != nil {
			return err
		}
	}
	size := map[int]int{12 * 12: 12, 28 * 28: 28}[m.Pixels()]
	if size == 0 {
		return fmt.Errorf("%s has %d pixels: must be 12×12 or 28×28", b.f.model, m.Pixels())
	}
	if b.f.size != 0 && b.f.size != size {
		return fmt.Errorf("%s has images of size %d: -size %d must be the same", b.f.model, size, b.f.size)
	}
	b.f.size = size
	return b.use(m)
}

// trainer is what trains a machine of one hidden layer or more.
type trainer interface {
	Run(ctx context.Context, n int64) error
	Update() int64
	Updates() int64
	Checkpoint(path string) error
}

// trained trains the model, or goes on with what was interrupted.
func (b *bench) trained(ctx context.Context, progress *cli.Progress) error {
	begin := time.Now()
	part := b.f.save + ".part"
	_, err := os.Stat(part)
	resume := b.f.save != "" && err == nil
	t, model, err := b.trainer(ctx, progress, part, resume)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && resume {
		return cli.Usage{Err: fmt.Errorf("-save: %s is what training left when it was interrupted: remove it to start anew: %w", part, err)}
	}
	if err != nil {
		return cli.Usage{Err: err}
	}
	if err := t.Run(ctx, 0); err != nil {
		if ctx.Err() != nil && b.f.save != "" {
			if err := t.Checkpoint(part); err != nil {
				return err
			}
			progress.Clear()
			fmt.Fprintf(os.Stderr, "generate: %s has training after update %d of %d, the same command goes on with it\n", part, t.Update(), t.Updates())
		}
		return err
	}
	b.trainS = time.Since(begin).Seconds()
	m, err := model(map[string]string{"data": b.data.Name, "images": strconv.Itoa(b.f.images), "method": b.f.train,
		"epochs": strconv.Itoa(b.f.epochs), "seed": strconv.FormatUint(b.f.seed, 10)})
	if err != nil {
		return err
	}
	if err := b.use(m); err != nil || b.f.save == "" {
		return err
	}
	if err := m.Save(b.f.save); err != nil {
		return err
	}
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// trainer makes one, from the file part if resume is set, and how to get its model.
func (b *bench) trainer(ctx context.Context, progress *cli.Progress, part string, resume bool) (trainer, func(map[string]string) (machine, error), error) {
	d := train.Data{Images: b.data.Train.Images, Labels: b.data.Train.Labels, Classes: len(b.data.Classes)}
	tell := func(job string) func(train.Progress) {
		return func(p train.Progress) {
			progress.Update(job, sampling.Progress{Time: float64(p.Update), Total: float64(p.Updates)})
		}
	}
	if len(b.hidden) == 1 {
		o := options(b.f, b.hidden[0])
		o.OnProgress = tell("training")
		open := func() (*train.Trainer, error) { return train.New(d, o) }
		if resume {
			open = func() (*train.Trainer, error) { return train.Resume(part, d, o) }
		}
		t, err := open()
		return t, func(meta map[string]string) (machine, error) { return t.Model(meta) }, err
	}
	o := deepOptions(b.f, b.hidden)
	o.OnProgress = tell("training")
	open := func() (*train.DeepTrainer, error) { return train.NewDeep(d, o) }
	if resume {
		open = func() (*train.DeepTrainer, error) { return train.ResumeDeep(part, d, o) }
	} else {
		pre := o
		pre.Rate, pre.Momentum = train.Rate{Start: .05}, .5
		pre.OnProgress = tell("training layer by layer")
		var err error
		if o.StartLayered, err = train.Pretrain(ctx, d, pre); err != nil {
			return nil, nil, err
		}
	}
	t, err := open()
	return t, func(meta map[string]string) (machine, error) { return t.Model(meta) }, err
}

// options are those of training. Those of size 12 are the spec's.
func options(f flags, hidden int) train.Options {
	o := train.Options{Hidden: hidden, Epochs: f.epochs, Seed: f.seed, Decay: 2e-5,
		Rate: train.Rate{Start: 0.2, Shape: train.Hyperbolic, Tau: 4000}}
	if f.size == 28 {
		o.Batch = 100
		o.Rate = train.Rate{Start: 0.1, Shape: train.Linear}
		o.Decay = 1e-4
	}
	if f.rate != 0 {
		o.Rate.Start = f.rate
	}
	if f.train == "cast" {
		o.Method = train.CAST
	}
	return o
}

// deepOptions are those of a machine of several hidden layers, after it was trained layer by
// layer.
func deepOptions(f flags, layers []int) train.DeepOptions {
	o := train.DeepOptions{Layers: layers, Options: train.Options{Epochs: f.epochs, Seed: f.seed, Batch: 50, Chains: 100, Steps: 3, Decay: 2e-4,
		Rate: train.Rate{Start: 0.02, Shape: train.Linear}}}
	if f.rate != 0 {
		o.Rate.Start = f.rate
	}
	o.Rate.End = o.Rate.Start / 20
	if f.train == "cast" {
		o.Method = train.CAST
	}
	return o
}

// likelihood is what is known of the log-likelihood of the test images.
func (b *bench) likelihood(ctx context.Context) (*evidence, error) {
	d := train.Data{Images: b.data.Test.Images, Labels: b.data.Test.Labels, Classes: len(b.data.Classes)}
	o := train.EvidenceOptions{Levels: b.f.evidence, Seed: b.f.seed}
	switch m := b.model.(type) {
	case *train.Model:
		e, err := m.LogLikelihood(ctx, d, o)
		if e.Exact {
			return &evidence{Lower: e.LogLikelihood, Upper: compare.Number(e.LogLikelihood)}, err
		}
		return &evidence{Lower: e.Lower, Upper: compare.Number(e.Upper), Levels: o.Levels}, err
	case *train.DeepModel:
		e, err := m.LogLikelihood(ctx, d, o)
		return &evidence{Lower: e.Lower, Upper: compare.Number(math.NaN()), Levels: o.Levels, Bound: e.Bound}, err
	}
	return nil, nil
}

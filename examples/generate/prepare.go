package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/internal/embed"
	"github.com/spikesampling/spikesampling/lif"
)

// bench is what everything is made of.
type bench struct {
	f          flags
	data       *dream.Data
	hidden     []int // units by layer
	model      machine
	rbm        *boltzmann.RBM // the model for the samplers
	trainS     float64
	setup      lif.Setup
	plasticity []dream.Plasticity // nil: to be chosen
	s          *dream.Subject
	starts     [][]uint8
	res        *result
}

// prepare reads all flags and data; its errors are the user's.
func (f flags) prepare(ctx context.Context) (*bench, error) {
	b := &bench{f: f}
	const ms = dream.TauRef * time.Millisecond
	var err error
	switch {
	case f.size != 0 && f.size != 12 && f.size != 28:
		return nil, fmt.Errorf("-size %d: must be 12 or 28", f.size)
	case f.epochs < 0 || f.epochs > 10000:
		return nil, fmt.Errorf("-epochs %d: must be 1 to 10000", f.epochs)
	case f.images < 0:
		return nil, fmt.Errorf("-images %d: must be ≥ 1", f.images)
	case f.train != "pcd" && f.train != "cast":
		return nil, fmt.Errorf("-train %q: must be pcd or cast", f.train)
	case f.bio < 100*ms || f.bio > 24*time.Hour || f.bio%ms != 0:
		return nil, fmt.Errorf("-bio %v: must be 1s to 24h, a multiple of %v", f.bio, ms)
	case f.seeds < 1 || f.seeds > 100:
		return nil, fmt.Errorf("-seeds %d: must be 1 to 100", f.seeds)
	case f.tsne < 0 || f.tsne > embed.MaxPoints || 0 < f.tsne && f.tsne < 50:
		return nil, fmt.Errorf("-tsne %d: must be 0, or 50 to %d", f.tsne, embed.MaxPoints)
	case f.model != "" && (f.hidden != "" || f.epochs != 0 || f.images != 0 || f.rate != 0 || f.save != "" || f.train != "pcd"):
		return nil, errors.New("-model with -hidden, -epochs, -images, -rate, -train or -save: a loaded model is not trained")
	}
	if b.hidden, err = layers(f.hidden); err != nil {
		return nil, err
	}
	if b.plasticity, err = plasticity(f.stp); err != nil {
		return nil, err
	}
	if !(f.rate >= 0 && f.rate <= 10) {
		return nil, fmt.Errorf("-rate %v: must be > 0 and at most 10 (0: default)", f.rate)
	}
	if f.evidence < 0 || f.evidence > 1e7 {
		return nil, fmt.Errorf("-evidence %d: must be 0 to 1e7 levels", f.evidence)
	}
	if f.set != "" {
		if b.setup, err = lif.NamedSetup(f.set); err != nil {
			return nil, fmt.Errorf("-set: %w", err)
		}
	}
	if _, err := dream.Choose((&dream.Subject{}).Kinds(), f.samplers); err != nil {
		return nil, fmt.Errorf("-samplers: %w", err)
	}
	if f.model != "" {
		if err := b.load(); err != nil {
			return nil, fmt.Errorf("-model: %w", err)
		}
	}
	name, split, err := dream.Open(ctx, f.data)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	b.defaults(split.Train.N)
	if b.data, err = dream.Split(name, split, b.f.size, b.f.images); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	if b.model != nil && b.model.Classes() != len(b.data.Classes) {
		return nil, fmt.Errorf("-model: %s has %d label units: must have %d, one for every class of the data", f.model, b.model.Classes(), len(b.data.Classes))
	}
	if f.seeds > len(b.data.Train.Images) {
		return nil, fmt.Errorf("-seeds %d: must be at most %d, the training images", f.seeds, len(b.data.Train.Images))
	}
	for _, p := range b.plasticity {
		if _, err := p.Params(b.setup.Neuron); err != nil {
			return nil, fmt.Errorf("-stp %q: %w", f.stp, err)
		}
	}
	if f.save != "" {
		if info, err := os.Stat(f.save); err == nil && info.IsDir() {
			return nil, fmt.Errorf("-save: %s is a directory: must be a file", f.save)
		}
		if err := cli.Writable(filepath.Dir(f.save)); err != nil {
			return nil, fmt.Errorf("-save: %w", err)
		}
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return nil, fmt.Errorf("-out: %w", err)
		}
	}
	return b, nil
}

// plasticity reads τ:g; nil if there is nothing.
func plasticity(s string) ([]dream.Plasticity, error) {
	if s == "" {
		return nil, nil
	}
	tau, gain, ok := strings.Cut(s, ":")
	x, err1 := strconv.ParseFloat(tau, 64)
	y, err2 := strconv.ParseFloat(gain, 64)
	if !ok || err1 != nil || err2 != nil || !(x >= 1 && x <= 1e6) || !(y > 0 && y <= 10) {
		return nil, fmt.Errorf("-stp %q: must be τ:g with a recovery time of 1 to 1e6 ms and a gain up to 10, such as 300:0.75", s)
	}
	return []dream.Plasticity{{TauRec: x, Sustained: y}}, nil
}

// defaults fill in what depends on the size, for so many training images.
func (b *bench) defaults(n int) {
	f := &b.f
	def := func(x *int, small, large int) {
		if *x == 0 {
			*x = small
			if f.size == 28 {
				*x = large
			}
		}
	}
	if f.size == 0 {
		f.size = 12
	}
	if b.hidden == nil {
		b.hidden = []int{0}
		def(&b.hidden[0], 150, 500)
	}
	def(&f.epochs, 40, 20)
	if f.set == "" {
		b.setup = lif.TutorialCOBA()
		if f.size == 28 { // conductances of hundreds of senders would weaken their own effect
			b.setup = lif.TutorialCUBA()
		}
	}
	if f.images == 0 {
		if def(&f.images, 20000, n); n < f.images {
			f.images = n
			if n >= 1000 { // some for validation
				f.images = n * 4 / 5
			}
		}
	}
}

// subject makes what the samplers need, and the samplers; its errors are the user's.
func (b *bench) subject() ([]dream.Kind, error) {
	m := b.model
	var err error
	b.s, err = dream.NewSubject(b.rbm, m.Pixels(), b.setup, b.data.Classes, func(images [][]uint8) ([]uint8, error) {
		return m.Classify(images, 1)
	})
	if err != nil {
		return nil, err
	}
	kinds, err := dream.Choose(b.s.Kinds(b.plasticity...), b.f.samplers)
	if err != nil {
		return nil, err
	}
	if err := dream.Check(kinds); err != nil {
		return nil, err
	}
	for i := range kinds { // what there is to know about plasticity that was asked for
		if name := kinds[i].Name; name != dream.Plastic && name != "stp-gibbs" {
			continue
		}
		for _, p := range b.plasticity {
			c, err := p.Params(b.setup.Neuron)
			if err != nil {
				return nil, err
			}
			for _, warning := range c.Check(b.setup.Neuron.TauRef, b.setup.Neuron.TauSynE) {
				kinds[i].Note += "; " + warning
			}
		}
	}
	for i := range b.f.seeds {
		z, err := b.s.Start(b.data.Train.Images[i], int(b.data.Train.Labels[i]))
		if err != nil {
			return nil, err
		}
		b.starts = append(b.starts, z)
	}
	return kinds, nil
}

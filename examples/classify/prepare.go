package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/train"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/stp"
)

// bench is what everything is made of.
type bench struct {
	f          flags
	data       string
	classes    []string
	train      dream.Digits // nothing if the model was loaded
	test       dream.Digits
	model      *train.Model
	trainS     float64
	setup      lif.Setup
	plasticity dream.Plasticity
	stp        stp.Params
	list       []classifier

	given     *conditional // labels and hidden units given the pixels
	half      *conditional // hidden pixels as well given the others
	exact     []uint8      // class by free energy of every test image
	posterior [][]float64  // log probability of every class
	// biological is the network of all units: pixels, hidden units, labels.
	biological func() (*lif.Biological, error)

	res *result
}

// prepare reads all flags and data; its errors are the user's.
func (f flags) prepare(ctx context.Context) (*bench, error) {
	b := &bench{f: f}
	const ms = tauRef * time.Millisecond
	var err error
	switch {
	case f.size != 0 && f.size != 12 && f.size != 28:
		return nil, fmt.Errorf("-size %d: must be 12 or 28", f.size)
	case f.hidden < 0 || f.hidden > 10000:
		return nil, fmt.Errorf("-hidden %d: must be 1 to 10000", f.hidden)
	case f.epochs < 0 || f.epochs > 10000:
		return nil, fmt.Errorf("-epochs %d: must be 1 to 10000", f.epochs)
	case f.images < 0:
		return nil, fmt.Errorf("-images %d: must be ≥ 1", f.images)
	case f.test < 0:
		return nil, fmt.Errorf("-test %d: must be ≥ 1", f.test)
	case f.bio < ms || f.bio > 10*time.Second || f.bio%ms != 0:
		return nil, fmt.Errorf("-bio %v: must be 10ms to 10s, a multiple of %v", f.bio, ms)
	case f.chains < 3 || f.chains > 1000:
		return nil, fmt.Errorf("-chains %d: must be 3 to 1000", f.chains)
	case halves[f.hide] == nil:
		return nil, fmt.Errorf("-hide %q: must be bottom, top, left or right", f.hide)
	case f.model != "" && (f.hidden != 0 || f.epochs != 0 || f.images != 0 || f.save != ""):
		return nil, errors.New("-model with -hidden, -epochs, -images or -save: a loaded model is not trained")
	}
	if b.setup, err = lif.NamedSetup(f.set); err != nil {
		return nil, fmt.Errorf("-set: %w", err)
	}
	if b.plasticity, b.stp, err = plasticity(f.stp, b.setup.Neuron); err != nil {
		return nil, err
	}
	if _, err = b.chosen(f.classifiers); err != nil { // names only, nothing is made yet
		return nil, fmt.Errorf("-classifiers: %w", err)
	}
	if f.model != "" {
		if err := b.load(); err != nil {
			return nil, fmt.Errorf("-model: %w", err)
		}
	}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return nil, fmt.Errorf("-out: %w", err)
		}
	}
	return b, nil
}

// plasticity reads τ:g.
func plasticity(s string, n lif.Params) (p dream.Plasticity, c stp.Params, err error) {
	tau, gain, ok := strings.Cut(s, ":")
	x, err1 := strconv.ParseFloat(tau, 64)
	y, err2 := strconv.ParseFloat(gain, 64)
	if !ok || err1 != nil || err2 != nil || !(x >= 1 && x <= 1e6) || !(y > 0 && y <= 10) {
		return p, c, fmt.Errorf("-stp %q: must be τ:g with a recovery time of 1 to 1e6 ms and a gain up to 10, such as 300:0.9", s)
	}
	p = dream.Plasticity{TauRec: x, Sustained: y}
	if c, err = p.Params(n); err != nil {
		return p, c, fmt.Errorf("-stp %q: %w", s, err)
	}
	return p, c, nil
}

// load reads the model file, which says the size.
func (b *bench) load() error {
	m, err := train.Load(b.f.model)
	if err != nil {
		return err
	}
	size := map[int]int{12 * 12: 12, 28 * 28: 28}[m.Pixels()]
	if size == 0 {
		return fmt.Errorf("%s has %d pixels: must be 12×12 or 28×28", b.f.model, m.Pixels())
	}
	if b.f.size != 0 && b.f.size != size {
		return fmt.Errorf("%s has images of size %d: -size %d must be the same", b.f.model, size, b.f.size)
	}
	b.model, b.f.size = m, size
	return nil
}

// open reads the data and fills in what depends on them.
func (b *bench) open(ctx context.Context) error {
	f := &b.f
	where := f.data
	if f.size == 0 {
		f.size = 12
	}
	if where == "" {
		where = "small"
		if f.size == 28 {
			where = "mnist"
		}
	}
	name, split, err := dream.Open(ctx, where)
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	b.data, b.classes = name, split.Train.Classes
	if b.test, err = dream.Binary(split.Test, f.size); err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	n := len(b.test.Images)
	if f.test > n {
		return fmt.Errorf("-test %d: must be at most %d, the test images", f.test, n)
	}
	if f.test == 0 {
		f.test = min(n, 1000)
	}
	b.test = b.test.Cut(0, f.test)
	if b.model != nil {
		if b.model.Classes() != len(b.classes) {
			return fmt.Errorf("-model: %s has %d label units: must have %d, one for every class of the data", f.model, b.model.Classes(), len(b.classes))
		}
		return nil
	}
	if b.train, err = dream.Binary(split.Train, f.size); err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	n = len(b.train.Images)
	if f.images > n {
		return fmt.Errorf("-images %d: must be at most %d, the training images", f.images, n)
	}
	if f.images == 0 {
		f.images = n
	}
	b.train = b.train.Cut(0, f.images)
	def := func(x *int, small, large int) {
		if *x == 0 {
			*x = small
			if f.size == 28 {
				*x = large
			}
		}
	}
	def(&f.hidden, 150, 500)
	if f.images <= 2000 {
		def(&f.epochs, 200, 200)
	}
	def(&f.epochs, 40, 20)
	return nil
}

// options are those of training.
func options(f flags) train.Options {
	o := train.Options{Hidden: f.hidden, Epochs: f.epochs, Seed: f.seed, Decay: 2e-5,
		Rate: train.Rate{Start: 0.2, Shape: train.Hyperbolic, Tau: 4000}}
	if f.size == 28 {
		o.Batch = 100
		o.Rate = train.Rate{Start: 0.1, Shape: train.Linear}
		o.Decay = 1e-4
	}
	return o
}

// trained trains the model, if it was not loaded.
func (b *bench) trained(ctx context.Context, progress *cli.Progress) error {
	if b.model == nil {
		o := options(b.f)
		o.OnProgress = func(p train.Progress) {
			progress.Update("training", sampling.Progress{Time: float64(p.Update), Total: float64(p.Updates)})
		}
		t, err := train.New(train.Data{Images: b.train.Images, Labels: b.train.Labels, Classes: len(b.classes)}, o)
		if err != nil {
			return cli.Usage{Err: err}
		}
		begin := time.Now()
		if err := t.Run(ctx, 0); err != nil {
			return err
		}
		b.trainS = time.Since(begin).Seconds()
		b.model, err = t.Model(map[string]string{"data": b.data, "images": strconv.Itoa(b.f.images), "method": "pcd",
			"epochs": strconv.Itoa(b.f.epochs), "seed": strconv.FormatUint(b.f.seed, 10)})
		if err != nil {
			return err
		}
		if b.f.save != "" {
			if err := b.model.Save(b.f.save); err != nil {
				return err
			}
		}
	}
	return b.ready()
}

// ready prepares what the networks are made of.
func (b *bench) ready() (err error) {
	pixels := make([]int, b.model.Pixels())
	for i := range pixels {
		pixels[i] = i
	}
	b.given = newConditional(b.model.RBM(), pixels)
	b.biological = sync.OnceValues(func() (*lif.Biological, error) {
		l, err := b.model.Layered()
		if err != nil {
			return nil, err
		}
		m, err := l.Machine()
		if err != nil {
			return nil, err
		}
		cal, err := lif.StoredCalibration(b.setup)
		if err != nil {
			return nil, err
		}
		return b.setup.Translate(m, cal, lif.Published, nil)
	})
	b.list, err = b.chosen(b.f.classifiers)
	return err
}

package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// SampleOptions configures Vote and Generate. The zero value of each field is its default.
type SampleOptions struct {
	Burn   int // sweeps before the first that counts; Vote: default 20, Generate: 1000
	Sweeps int // Vote: sweeps that count, default 200; Generate: sweeps between images, 100
	// Seed: image i of Vote draws from rng.Stream(Seed, "vote", i), class l of Generate from
	// rng.Stream(Seed, "generate", l).
	Seed     uint64
	Parallel int // goroutines; default GOMAXPROCS. It never changes the result.
}

// fill fills defaults in and returns the number of goroutines.
func (o *SampleOptions) fill(burn, sweeps int) (n int, err error) {
	if o.Burn == 0 {
		o.Burn = burn
	}
	if o.Sweeps == 0 {
		o.Sweeps = sweeps
	}
	if o.Burn < 0 || o.Sweeps < 0 {
		err = fmt.Errorf("train: Burn = %d, Sweeps = %d: must be ≥ 1 (0: defaults %d, %d)", o.Burn, o.Sweeps, burn, sweeps)
	}
	n, errN := workers(o.Parallel)
	return n, errors.Join(err, errN)
}

// Vote classifies by sampling: with the pixels held at an image, label and hidden units are
// drawn by blocked Gibbs sampling from all labels off, and share[i][l] is the share of sweeps
// in which label unit l is on for image i. It estimates p(label l on | image); units may be
// on together or all be off. When ctx ends it returns ctx's error. The class is the unit that
// is on most: see Winners.
func (m *Model) Vote(ctx context.Context, images [][]uint8, o SampleOptions) (share [][]float64, err error) {
	n, err := o.fill(20, 200)
	if err != nil {
		return nil, err
	}
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := m.checkImages(images); err != nil {
		return nil, err
	}
	share = make([][]float64, len(images))
	w := m.rbm.W()
	errs := make([]error, len(images))
	parallel(n, len(images), func(i int) {
		if errs[i] = ctx.Err(); errs[i] == nil {
			share[i], errs[i] = m.vote(ctx, w, images[i], rng.Stream(o.Seed, "vote", i), o)
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return share, nil
}

func (m *Model) vote(ctx context.Context, w *mat.Dense, image []uint8, src rand.Source, o SampleOptions) ([]float64, error) {
	r, err := m.givenPixels(w, image)
	if err != nil {
		return nil, err
	}
	f, err := boltzmann.NewFast(r, boltzmann.FastOptions{})
	if err != nil {
		return nil, err
	}
	if err := f.Reset(make([]uint8, f.Dim()), src); err != nil {
		return nil, err
	}
	share := make([]float64, m.classes)
	for k := range o.Burn + o.Sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.Sweep(1); err != nil {
			return nil, err
		}
		if k < o.Burn {
			continue
		}
		for l, on := range f.State()[:m.classes] {
			share[l] += float64(on) / float64(o.Sweeps)
		}
	}
	return share, nil
}

// Winners are the classes with the largest share of every image, the first of equals.
func Winners(share [][]float64) []uint8 {
	classes := make([]uint8, len(share))
	for i, s := range share {
		for l, x := range s {
			if x > s[classes[i]] {
				classes[i] = uint8(l)
			}
		}
	}
	return classes
}

// Generate returns n images of class l: states of the pixels while label unit l is held on
// and the others off, from one chain of blocked Gibbs sampling that begins with fair coins.
// Images are Sweeps sweeps apart; how independent they are is up to the chain. When ctx ends
// it returns ctx's error.
func (m *Model) Generate(ctx context.Context, l, n int, o SampleOptions) ([][]uint8, error) {
	if _, err := o.fill(1000, 100); err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("train: Generate of %d images: must be ≥ 1", n)
	}
	r, err := m.GivenLabel(l)
	if err != nil {
		return nil, err
	}
	return generate(ctx, r, m.Pixels(), l, n, o)
}

// generate returns n states of the first pixels units of a machine given label l.
func generate(ctx context.Context, r boltzmann.Quantisable, pixels, l, n int, o SampleOptions) ([][]uint8, error) {
	f, err := boltzmann.NewFast(r, boltzmann.FastOptions{})
	if err != nil {
		return nil, err
	}
	if err := f.Reset(nil, rng.Stream(o.Seed, "generate", l)); err != nil {
		return nil, err
	}
	images := make([][]uint8, n)
	for i := range images {
		sweeps := o.Sweeps
		if i == 0 {
			sweeps = o.Burn
		}
		for range sweeps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := f.Sweep(1); err != nil {
				return nil, err
			}
		}
		images[i] = append([]uint8(nil), f.State()[:pixels]...)
	}
	return images, nil
}

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// times at which votes are counted [ms].
var times = []float64{2, 3, 5, 7, 10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10000}

// point is the accuracy after a biological time.
type point struct {
	BioMS    float64 `json:"bio_ms"`
	Accuracy float64 `json:"accuracy"`
	SE       float64 `json:"se"`
}

// row is the result of one classifier.
type row struct {
	Classifier string  `json:"classifier"`
	Accuracy   float64 `json:"accuracy"`
	SE         float64 `json:"se"`
	BioMS      float64 `json:"bio_ms"` // of an image
	WallS      float64 `json:"wall_s"` // of all images, on all processors
	// Agrees is the share of images with the class of the free energies.
	Agrees float64 `json:"agrees"`
	// DKL is the mean over images of the divergence of the time in which exactly one label
	// unit was on, in the second half of the time, from the exact law of the label given that
	// exactly one is on [nats].
	DKL compare.Number `json:"dkl"`
	// Single is the share of that half in which exactly one label unit was on.
	Single    compare.Number `json:"single"`
	Curve     []point        `json:"curve,omitempty"`
	Confusion [][]float64    `json:"confusion"` // images by true class (rows) and winner; ties are shared

	note string
}

// scan is what one image did to a network.
type scan struct {
	on     [][]float64 // by mark: time each label unit has been on [ms]
	single []float64   // time in which a label unit was on alone, in the second half [ms]
}

// look shows an image to a network and counts.
func look(e eye, c classifier, image []uint8, src rand.Source, classes int, marks []float64, buf []sampling.Flip) (*scan, error) {
	if err := e.show(image, src); err != nil {
		return nil, err
	}
	first := e.labels()
	z := append([]uint8(nil), e.State()[first:first+classes]...)
	s := &scan{single: make([]float64, classes)}
	on := make([]float64, classes)
	end := marks[len(marks)-1]
	now := 0.0
	spend := func(t float64) { // until time t [ms] with labels z
		count, which := 0, 0
		for l, v := range z {
			if v != 0 {
				on[l] += t - now
				count++
				which = l
			}
		}
		if from := math.Max(now, end/2); count == 1 && t > from {
			s.single[which] += t - from
		}
		now = t
	}
	for _, mark := range marks {
		for target := mark / c.unit; e.Time() < target; {
			before := e.Time()
			flips, err := e.Advance(target, buf)
			if err != nil {
				return nil, err
			}
			if len(flips) == 0 && e.Time() <= before {
				return nil, fmt.Errorf("stuck at time %v", before)
			}
			for _, f := range flips {
				if l := int(f.Unit) - first; l >= 0 && l < classes {
					spend(math.Max(0, f.Time-c.lag) * c.unit)
					z[l] = f.On
				}
			}
		}
		spend(mark)
		s.on = append(s.on, append([]float64(nil), on...))
	}
	return s, nil
}

// classify shows all test images to networks of a kind. The result does not depend on the
// number of processors: every image has a random stream of its own, and a network is reset
// between images.
func (b *bench) classify(ctx context.Context, c classifier, tell func(done int)) (*row, error) {
	images, classes := b.test.Images, len(b.classes)
	marks := b.marks(c.unit)
	scans := make([]*scan, len(images))
	begin := time.Now()
	err := spread(ctx, len(images), func() (func(i int) error, error) {
		e, err := c.make()
		if err != nil {
			return nil, err
		}
		buf := make([]sampling.Flip, 0, 4096)
		return func(i int) (err error) {
			scans[i], err = look(e, c, images[i], rng.Stream(b.f.seed, c.name, i), classes, marks, buf)
			return err
		}, nil
	}, tell)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	r := &row{Classifier: c.name, note: c.note, BioMS: marks[len(marks)-1], WallS: time.Since(begin).Seconds()}
	var won [][]float64
	for k, t := range marks {
		won = won[:0]
		for _, s := range scans {
			won = append(won, winners(s.on[k]))
		}
		a, se := accuracy(won, b.test.Labels)
		r.Curve = append(r.Curve, point{t, a, se})
	}
	last := r.Curve[len(r.Curve)-1]
	r.Accuracy, r.SE = last.Accuracy, last.SE
	r.Agrees, _ = accuracy(won, b.exact)
	r.Confusion = confusion(won, b.test.Labels, classes)
	n := float64(len(scans))
	for i, s := range scans {
		d, total := divergence(s.single, b.posterior[i])
		r.DKL += compare.Number(d / n)
		r.Single += compare.Number(total / (r.BioMS / 2) / n)
	}
	return r, nil
}

// spread calls f(0), …, f(n−1) on all processors, every goroutine with an f of its own, and
// returns the first error in that order.
func spread(ctx context.Context, n int, begin func() (func(i int) error, error), tell func(done int)) error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			f, made := begin()
			for i := range next {
				if errs[i] = made; made == nil {
					errs[i] = f(i)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
		tell(i)
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// marks are the times of the curve, multiples of a unit, up to the time for which an image is
// shown [ms].
func (b *bench) marks(unit float64) []float64 {
	end := float64(b.f.bio / time.Millisecond)
	var out []float64
	for _, t := range times {
		if t < end && math.Mod(t, unit) == 0 {
			out = append(out, t)
		}
	}
	return append(out, end)
}

// freeEnergy is the classifier argmin_l F(image, l).
func (b *bench) freeEnergy() (*row, error) {
	begin := time.Now()
	energies, err := b.model.LabelEnergies(b.test.Images, 0)
	if err != nil {
		return nil, err
	}
	if b.exact, err = b.model.Classify(b.test.Images, 0); err != nil {
		return nil, err
	}
	var won [][]float64
	b.posterior = nil
	for i, e := range energies {
		b.posterior = append(b.posterior, softmin(e))
		v := make([]float64, len(e))
		v[b.exact[i]] = 1
		won = append(won, v)
	}
	r := &row{Classifier: "free-energy", note: "the exact posterior, given that exactly one label unit is on", WallS: time.Since(begin).Seconds(), Agrees: 1, Single: 1}
	r.Accuracy, r.SE = accuracy(won, b.test.Labels)
	r.Confusion = confusion(won, b.test.Labels, len(b.classes))
	return r, nil
}

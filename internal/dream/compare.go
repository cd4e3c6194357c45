package dream

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spikesampling/spikesampling/sampling"
)

// Plan is a comparison. Tests has at least one set of images, the first of which the curves
// are of; At are numbers of samples to report beside that of all. MatchInk has settings passed
// over whose pictures have too few or too many pixels (see Pick); it is for test images with
// the mix of classes that the samplers ought to have. Tell, if set, is told how far the work is,
// from several goroutines.
type Plan struct {
	Kinds      []Kind
	Samples    int
	Starts     [][]uint8
	Seed       uint64
	Validation Images
	MatchInk   bool
	Tests      []Images
	At         []int
	Tell       func(name string, p sampling.Progress)
}

// Compare chooses the settings of all kinds, runs and scores them one after another, and then
// scores all at the wall time of the plastic network, or of the slowest network if there is no
// plastic one; wall is 0 if there is no network. If ctx ends, the rows done so far come with
// its error.
func (s *Subject) Compare(ctx context.Context, p Plan) (rows []*Row, wall time.Duration, err error) {
	rows = []*Row{}
	total := 0.0
	for _, k := range p.Kinds {
		total += float64(len(p.Starts) * p.Samples)
		if len(k.Settings) > 1 {
			total += float64(len(k.Settings) * p.Samples)
		}
	}
	tell := func(name string, done, total float64) {
		if p.Tell != nil {
			p.Tell(name, sampling.Progress{Time: done, Total: total})
		}
	}
	var done atomic.Int64
	for _, k := range p.Kinds {
		o := Options{Samples: p.Samples, Starts: p.Starts, Seed: p.Seed,
			Progress: func(n int) { tell(k.Name, float64(done.Add(int64(n))), total) }}
		smp, tried, err := s.Pick(ctx, k, o, p.Validation, p.MatchInk)
		if err != nil {
			return rows, 0, err
		}
		row, err := s.Measure(ctx, smp, o, p.Tests, p.At...)
		if err != nil {
			return rows, 0, err
		}
		row.Tried, row.Note = tried, k.Note
		rows = append(rows, row)
	}
	for _, r := range rows {
		if r.Name == Plastic {
			wall = r.Longest()
			break
		}
		if r.Sampler.Spiking {
			wall = max(wall, r.Longest())
		}
	}
	if wall == 0 {
		return rows, 0, nil
	}
	for i, r := range rows {
		tell("wall time", float64(i), float64(len(rows)))
		if err := s.EqualWall(ctx, r, Options{Samples: p.Samples, Starts: p.Starts, Seed: p.Seed}, p.Tests[0], wall); err != nil {
			return rows, wall, err
		}
	}
	return rows, wall, nil
}

// Pictures of a setting that is chosen have this much ink, relative to validation images.
const leastInk, mostInk = 0.8, 1.25

// Pick runs every setting of the kind once, from the first start, and returns the one with
// the best ISL on the validation images. As kernels of fixed width prefer pictures with pixels
// missing to pictures with pixels in the wrong place, with matchInk settings are passed over
// whose mean number of pixels is not about that of the images, if others have it. A single
// setting is taken as it is.
func (s *Subject) Pick(ctx context.Context, k Kind, o Options, validation Images, matchInk bool) (Sampler, []Trial, error) {
	all := make([]Sampler, len(k.Settings))
	for i, f := range k.Settings {
		var err error
		if all[i], err = f(); err != nil {
			return Sampler{}, nil, fmt.Errorf("%s: %w", k.Name, err)
		}
	}
	if len(all) == 1 {
		return all[0], nil, nil
	}
	trials := make([]Trial, len(all))
	o.Starts = o.Starts[:1]
	o.Seed = ^o.Seed // no noise in common with the runs that count
	err := each(ctx, len(all), func(i int) error {
		c, err := Run(ctx, all[i], o)
		if err != nil {
			return err
		}
		pixels := Pixels(c[0].States, s.Pixels)
		isl, err := validation.ISL(pixels)
		trials[i] = Trial{all[i].Setting, number(isl), number(validation.Ink(pixels))}
		return err
	})
	if err != nil {
		return Sampler{}, nil, err
	}
	return all[best(trials, matchInk)], trials, nil
}

// best is the number of the trial to choose.
func best(trials []Trial, matchInk bool) int {
	fits := func(t Trial) bool { return !matchInk || t.Ink >= leastInk && t.Ink <= mostInk }
	b := 0
	for i, t := range trials {
		if fits(t) && !fits(trials[b]) || fits(t) == fits(trials[b]) && t.ISL > trials[b].ISL {
			b = i
		}
	}
	return b
}

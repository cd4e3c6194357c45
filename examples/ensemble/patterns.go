package main

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif/ensemble"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Images are rows × cols pixels.
const rows, cols = 6, 5

// glyphs are the images that network 0 and network 1 learn.
var glyphs = [2]string{`
.###. #...# ####. #####
#...# ##..# #...# #....
#...# #.#.# ####. ####.
##### #.#.# #...# #....
#...# #..## #...# #....
#...# #...# ####. #####`, `
.###. ..#.. ####. #...#
#...# .##.. ....# #...#
#...# ..#.. .###. #####
#...# ..#.. #.... ....#
#...# ..#.. #.... ....#
.###. .###. ##### ....#`}

// read are the images of a set.
func read(text string) [][]uint8 {
	var images [][]uint8
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		for i, part := range strings.Fields(line) {
			if i == len(images) {
				images = append(images, nil)
			}
			for _, c := range part {
				v := uint8(0)
				if c == '#' {
					v = 1
				}
				images[i] = append(images[i], v)
			}
		}
	}
	return images
}

// patterns is the experiment with images.
type patterns struct {
	Networks int `json:"networks"`
	Visible  int `json:"visible"`
	Labels   int `json:"labels"`
	Hidden   int `json:"hidden"`
	Pool     int `json:"pool_neurons"`
	Images   int `json:"images"` // of each network
	// Completed is the share of hidden pixels that are right, the upper halves of all images
	// being shown; Guess what the mean of the images would give.
	Completed float64 `json:"completed"`
	Guess     float64 `json:"guess"`
	// Classified is the share of images, shown whole and with a tenth of the pixels flipped,
	// whose label unit is on for longest.
	Classified float64 `json:"classified"`
	// Dreamt is the share of free states that are within a tenth of the pixels of an image,
	// Visited the number of images seen so.
	Dreamt  float64 `json:"dreamt"`
	Visited int     `json:"visited"`

	learning  []ensemble.Step
	dreams    [][]float64 // of network 0, then of network 1
	shown     [][]float64 // completion: evidence, result and original of every image
	completed [][]float64
	original  [][]float64
}

const pixels = rows * cols

// grey of pixels that are not shown.
const hidden = 0.5

func (f flags) patterns(ctx context.Context, res *result, report func(done, total float64)) error {
	hiddenUnits, steps, pool := 16, 200, 50
	if f.full {
		steps, pool = 400, 100
	}
	sets := [2][][]uint8{read(glyphs[0]), read(glyphs[1])}
	labels := len(sets[0])
	visible := pixels + labels
	units := visible + hiddenUnits
	r := &patterns{Networks: 2, Visible: pixels, Labels: labels, Hidden: hiddenUnits, Images: labels}
	data := make([][][]uint8, 2)
	machines := make([]*boltzmann.Machine, 2)
	draw := rand.New(rng.Stream(f.seed, "start"))
	for m, set := range sets {
		for i, img := range set {
			z := append(append([]uint8{}, img...), make([]uint8, labels)...)
			z[pixels+i] = 1
			data[m] = append(data[m], z)
		}
		w := mat.NewSymDense(units, nil)
		for j := visible; j < units; j++ {
			for i := range visible {
				w.SetSym(i, j, 0.2*draw.NormFloat64())
			}
		}
		var err error
		if machines[m], err = boltzmann.New(w, make([]float64, units)); err != nil {
			return err
		}
	}
	noise, err := targets(f.seed, "pool", pool, 4)
	if err != nil {
		return err
	}
	r.Pool = 4 * pool
	e, sources, err := started(machines, ensemble.Options{Source: ensemble.Pool{Machines: noise}}, f.seed, "patterns")
	if err != nil {
		return err
	}
	if err := sampling.Run(ctx, e, sampling.Schedule{Duration: warmup}); err != nil {
		return err
	}
	if err := e.Calibrate(ctx, ensemble.CalibrateOptions{Duration: 2000}); err != nil {
		return err
	}
	total := float64(steps) * 1.3
	h, err := e.Train(ctx, ensemble.TrainOptions{Steps: steps, Duration: 1600, Rate: 0.5, Decay: 9, Clip: 0.08, Data: data,
		Plastic: func(_, i, j int) bool { return i < visible && j >= visible },
		OnStep:  func(s ensemble.Step) error { report(float64(s.Step+1), total); return nil }})
	if err != nil {
		return err
	}
	r.learning = h.Steps
	if err := r.dream(ctx, e, sets); err != nil {
		return err
	}
	if err := r.complete(ctx, e, sets); err != nil {
		return err
	}
	if err := r.classify(ctx, e, sets, draw); err != nil {
		return err
	}
	res.BioMS += e.Time()
	for _, s := range sources {
		res.count(s.n)
	}
	res.Patterns = r
	return nil
}

// average runs the ensemble and is how long every unit of every network is on.
func average(ctx context.Context, e *ensemble.Ensemble, settle, d float64) ([][]float64, error) {
	mean := estimate.NewMarginals(e.Dim())
	if err := sampling.Run(ctx, e, sampling.Schedule{Warmup: settle, Duration: d}, mean); err != nil {
		return nil, err
	}
	p := mean.Mean()
	out := make([][]float64, e.Networks())
	for m := range out {
		first, n := e.Span(m)
		out[m] = p[first : first+n]
	}
	return out, nil
}

// near is the image of the set that differs from x in the fewest pixels, and in how many.
func near(x []float64, set [][]uint8) (image, differ int) {
	differ = pixels + 1
	for i, img := range set {
		d := 0
		for k, v := range img {
			if (x[k] > 0.5) != (v == 1) {
				d++
			}
		}
		if d < differ {
			image, differ = i, d
		}
	}
	return image, differ
}

// dream lets all units go and looks every 200 ms at the mean of the last 50.
func (r *patterns) dream(ctx context.Context, e *ensemble.Ensemble, sets [2][][]uint8) error {
	const looks, shown = 300, 20
	seen := [2]map[int]bool{{}, {}}
	dreams := [2][][]float64{}
	for i := range looks {
		p, err := average(ctx, e, 150, 50)
		if err != nil {
			return err
		}
		for m, set := range sets {
			image, differ := near(p[m], set)
			if differ <= pixels/10 {
				r.Dreamt += 1 / float64(2*looks)
				seen[m][image] = true
			}
			if i%(looks/shown) == 0 {
				dreams[m] = append(dreams[m], p[m][:pixels])
			}
		}
	}
	r.Visited = len(seen[0]) + len(seen[1])
	r.dreams = append(dreams[0], dreams[1]...)
	return nil
}

// complete shows the upper halves.
func (r *patterns) complete(ctx context.Context, e *ensemble.Ensemble, sets [2][][]uint8) error {
	const half = pixels / 2
	for i := range r.Images {
		for m, set := range sets {
			values := map[int]uint8{}
			for k := range half {
				values[k] = set[i][k]
			}
			if err := e.Clamp(m, values); err != nil {
				return err
			}
		}
		p, err := average(ctx, e, 200, 1000)
		if err != nil {
			return err
		}
		for m, set := range sets {
			evidence, original, result := make([]float64, pixels), make([]float64, pixels), make([]float64, pixels)
			for k, v := range set[i] {
				original[k] = float64(v)
				evidence[k], result[k] = hidden, p[m][k]
				if k < half {
					evidence[k], result[k] = original[k], original[k]
					continue
				}
				count := float64(2 * r.Images * (pixels - half))
				if (p[m][k] > 0.5) == (v == 1) {
					r.Completed += 1 / count
				}
				mean := 0.0
				for _, img := range set {
					mean += float64(img[k]) / float64(len(set))
				}
				r.Guess += math.Max(mean, 1-mean) / count
			}
			r.shown, r.original, r.completed = append(r.shown, evidence), append(r.original, original), append(r.completed, result)
		}
	}
	return release(e)
}

// classify shows whole images with a tenth of the pixels flipped, five of each.
func (r *patterns) classify(ctx context.Context, e *ensemble.Ensemble, sets [2][][]uint8, draw *rand.Rand) error {
	const copies = 5
	for c := range r.Images * copies {
		i := c % r.Images
		for m, set := range sets {
			values := map[int]uint8{}
			for k, v := range set[i] {
				values[k] = v
			}
			for _, k := range draw.Perm(pixels)[:pixels/10] {
				values[k] ^= 1
			}
			if err := e.Clamp(m, values); err != nil {
				return err
			}
		}
		p, err := average(ctx, e, 100, 400)
		if err != nil {
			return err
		}
		for m := range sets {
			best := 0
			for k := range r.Labels {
				if p[m][pixels+k] > p[m][pixels+best] {
					best = k
				}
			}
			if best == i {
				r.Classified += 1 / float64(2*copies*r.Images)
			}
		}
	}
	return release(e)
}

func release(e *ensemble.Ensemble) error {
	for m := range e.Networks() {
		if err := e.Clamp(m, nil); err != nil {
			return err
		}
	}
	return nil
}

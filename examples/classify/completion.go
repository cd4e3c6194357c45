package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/tempering"
)

// halves say whether a pixel of an image is hidden.
var halves = map[string]func(r, c, size int) bool{
	"bottom": func(r, c, size int) bool { return r >= size/2 },
	"top":    func(r, c, size int) bool { return r < size/2 },
	"left":   func(r, c, size int) bool { return c < size/2 },
	"right":  func(r, c, size int) bool { return c >= size/2 },
}

// completion is how a sampler completes digits, one of each class.
type completion struct {
	Sampler string `json:"sampler"`
	// RMS is the root mean square difference of the posterior means of hidden pixels from
	// those of the reference.
	RMS float64 `json:"rms"`
	// Brier is the mean square difference of the posterior means from the true pixels.
	Brier float64 `json:"brier"`
	// Right is the share of digits whose label unit is on longest.
	Right  float64 `json:"right"`
	BioMS  float64 `json:"bio_ms"` // of a chain; the first half is not counted
	WallS  float64 `json:"wall_s"` // of all chains of all digits, on all processors
	Chains int     `json:"chains"`

	note    string
	digits  []int         // test images
	mean    [][]float64   // by digit, all pixels: the posterior mean or the visible value
	samples [][][]float64 // by digit: the last state of some chains
}

// shown is the number of samples in the figure.
const shown = 3

// completer is a way to complete.
type completer struct {
	name, note string
	unit       float64 // biological time of a unit of the sampler's [ms]
	longer     float64 // factor of the time
	chains     int
	// run starts all chains of a machine of hidden pixels, labels and hidden units. Those of
	// a network are the replicas of one sampler.
	run func(r *boltzmann.RBM, src func(chain int) rand.Source) ([]sampling.Sampler, error)
}

// The reference of posterior means: parallel tempering.
const (
	reference    = "pt"
	ptChains     = 4
	ptLonger     = 10
	ptLevels     = 12
	ptLowestBeta = 0.5
)

func (b *bench) completers() ([]completer, error) {
	ladder, err := tempering.Linear(ptLevels, ptLowestBeta)
	if err != nil {
		return nil, err
	}
	plastic := b.setup
	plastic.Synapse, plastic.STP = lif.Plastic, b.stp
	rect := b.setup
	rect.PSP = lif.Rect
	// each starts so many samplers of their own.
	each := func(n int, start func(r *boltzmann.RBM) (sampling.Sampler, error)) func(*boltzmann.RBM, func(int) rand.Source) ([]sampling.Sampler, error) {
		return func(r *boltzmann.RBM, src func(int) rand.Source) ([]sampling.Sampler, error) {
			out := make([]sampling.Sampler, n)
			for i := range out {
				s, err := start(r)
				if err != nil {
					return nil, err
				}
				if err := s.Reset(make([]uint8, s.Dim()), src(i)); err != nil {
					return nil, err
				}
				out[i] = s
			}
			return out, nil
		}
	}
	network := func(s lif.Setup) func(*boltzmann.RBM, func(int) rand.Source) ([]sampling.Sampler, error) {
		return func(r *boltzmann.RBM, src func(int) rand.Source) ([]sampling.Sampler, error) {
			m, err := r.Machine()
			if err != nil {
				return nil, err
			}
			n, err := lif.NewSampler(m, s, lif.Options{Translation: lif.Published, Network: lif.NetworkOptions{Replicas: b.f.chains}})
			if err != nil {
				return nil, err
			}
			sources := make([]rand.Source, b.f.chains)
			for i := range sources {
				sources[i] = src(i)
			}
			return []sampling.Sampler{n}, n.ResetChains(make([]uint8, n.Dim()), sources)
		}
	}
	n := b.f.chains
	return []completer{
		{reference, fmt.Sprintf("parallel tempering, %d levels, β 1 to %g: the reference", ptLevels, ptLowestBeta), tauRef, ptLonger, ptChains, each(ptChains, func(r *boltzmann.RBM) (sampling.Sampler, error) {
			return tempering.NewParallel(r, tempering.ParallelOptions{Ladder: ladder, Quantised: true})
		})},
		{"gibbs", "blocked Gibbs sampling", tauRef, 1, n, each(n, func(r *boltzmann.RBM) (sampling.Sampler, error) {
			return boltzmann.NewFast(r, boltzmann.FastOptions{})
		})},
		{"lif", "renewing synapses", 1, 1, n, network(b.setup)},
		{"lif-stp", "short-term plasticity", 1, 1, n, network(plastic)},
		{"lif-rect", "rectangular PSPs", 1, 1, n, network(rect)},
	}, nil
}

// firsts are the first test images of all classes that have one.
func (b *bench) firsts() (digits []int) {
	for l := range b.classes {
		if i := slices.Index(b.test.Labels, uint8(l)); i >= 0 {
			digits = append(digits, i)
		}
	}
	return digits
}

// completed is a digit completed.
type completed struct {
	mean    []float64 // share of time on, of the free units
	samples [][]uint8 // of the free units
}

// complete hides half of a digit of each class and lets the samplers complete them.
func (b *bench) complete(ctx context.Context, progress *cli.Progress) error {
	var visible []int
	for i := range b.model.Pixels() {
		if !halves[b.f.hide](i/b.f.size, i%b.f.size, b.f.size) {
			visible = append(visible, i)
		}
	}
	b.half = newConditional(b.model.RBM(), visible)
	digits := b.firsts()
	list, err := b.completers()
	if err != nil {
		return err
	}
	for _, c := range list {
		out := make([]*completed, len(digits))
		begin := time.Now()
		err := spread(ctx, len(digits), func() (func(i int) error, error) {
			return func(i int) (err error) {
				out[i], err = b.completed(ctx, c, digits[i])
				return err
			}, nil
		}, func(i int) {
			progress.Update("complete", sampling.Progress{Time: float64(i + 1), Total: float64(len(digits))})
		})
		if err != nil {
			return fmt.Errorf("complete: %s: %w", c.name, err)
		}
		r := b.judge(c, digits, out)
		r.WallS = time.Since(begin).Seconds()
		b.res.Completion = append(b.res.Completion, r)
	}
	return nil
}

// completed runs all chains of a digit.
func (b *bench) completed(ctx context.Context, c completer, digit int) (*completed, error) {
	seen := make([]uint8, len(b.half.held))
	for k, i := range b.half.held {
		seen[k] = b.test.Images[digit][i]
	}
	r, err := b.half.given(seen)
	if err != nil {
		return nil, err
	}
	all, err := c.run(r, func(chain int) rand.Source { return rng.Stream(b.f.seed, "complete "+c.name, digit, chain) })
	if err != nil {
		return nil, err
	}
	free := r.Visible()
	out := &completed{mean: make([]float64, free)}
	half := float64(b.f.bio/time.Millisecond) * c.longer / 2 / c.unit
	for _, s := range all {
		t := &tally{on: make([]float64, s.Dim())}
		if err := sampling.Run(ctx, s, sampling.Schedule{Warmup: half, Duration: half}, t); err != nil {
			return nil, err
		}
		t.add(out.mean, r.Dim(), 1/half/float64(c.chains))
		z := s.State()
		for at := 0; at < len(z); at += r.Dim() {
			if len(out.samples) < shown {
				out.samples = append(out.samples, slices.Clone(z[at:at+free]))
			}
		}
	}
	return out, nil
}

// tally is the time that units are on.
type tally struct {
	on, since []float64
	z         []uint8
}

func (t *tally) Begin(now float64, z []uint8) error {
	t.z, t.since = slices.Clone(z), slices.Repeat([]float64{now}, len(z))
	return nil
}

func (t *tally) Record(flips []sampling.Flip, now float64) {
	for _, f := range flips {
		if t.z[f.Unit] != 0 {
			t.on[f.Unit] += f.Time - t.since[f.Unit]
		}
		t.z[f.Unit], t.since[f.Unit] = f.On, f.Time
	}
	for u, v := range t.z {
		if v != 0 {
			t.on[u] += now - t.since[u]
		}
		t.since[u] = now
	}
}

// add adds the times that the first units of all replicas of dim units have been on, in parts
// of a unit of time.
func (t *tally) add(sum []float64, dim int, part float64) {
	for at := 0; at < len(t.on); at += dim {
		for k := range sum {
			sum[k] += t.on[at+k] * part
		}
	}
}

// judge compares completed digits with the truth and with the reference, which comes first.
func (b *bench) judge(c completer, digits []int, out []*completed) *completion {
	r := &completion{Sampler: c.name, BioMS: float64(b.f.bio/time.Millisecond) * c.longer, Chains: c.chains, note: c.note, digits: digits}
	square := 0.0
	hidden := len(b.half.free) - len(b.classes)
	n := float64(len(digits) * hidden)
	for i, d := range out {
		image := b.test.Images[digits[i]]
		mean := b.full(image, d.mean)
		r.mean = append(r.mean, mean)
		var samples [][]float64
		for _, z := range d.samples {
			x := make([]float64, len(z))
			for k, v := range z {
				x[k] = float64(v)
			}
			samples = append(samples, b.full(image, x))
		}
		r.samples = append(r.samples, samples)
		for _, k := range b.half.free[:hidden] {
			r.Brier += math.Pow(mean[k]-float64(image[k]), 2) / n
			if len(b.res.Completion) > 0 {
				square += math.Pow(mean[k]-b.res.Completion[0].mean[i][k], 2) / n
			}
		}
		r.Right += winners(d.mean[hidden:])[b.test.Labels[digits[i]]] / float64(len(digits))
	}
	r.RMS = math.Sqrt(square)
	return r
}

// full is an image with values of the free units, labels excepted, in their places.
func (b *bench) full(image []uint8, free []float64) []float64 {
	out := make([]float64, len(image))
	for i, v := range image {
		out[i] = float64(v)
	}
	for k, i := range b.half.free {
		if i < len(out) {
			out[i] = free[k]
		}
	}
	return out
}

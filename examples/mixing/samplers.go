package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/tempering"
)

// sampler is a kind of sampler with its name on the command line.
type sampler struct {
	name   string
	ladder bool // needs the ladder
	make   func(b *bench) (compare.Candidate, error)
}

// bench is what the samplers are made of.
type bench struct {
	mod    *model
	f      flags
	setup  lif.Setup      // of the networks
	heat   *tempering.Map // of that setup; nil: none is stored
	ladder tempering.Ladder
	// rejections of neighbouring levels of that ladder, its barrier, and what finding it
	// cost [sweeps].
	rejections  []float64
	barrier     float64
	ladderCost  float64
	weights     []float64 // of simulated tempering
	weightsCost float64
}

var samplers = []sampler{
	{"gibbs", false, func(b *bench) (compare.Candidate, error) {
		return b.classical("gibbs", func() (sampling.Sampler, error) { return boltzmann.NewGibbs(b.mod.m, boltzmann.GibbsOptions{}) })
	}},
	{"anneal", false, func(b *bench) (compare.Candidate, error) {
		c, err := b.classical("anneal", func() (sampling.Sampler, error) {
			return tempering.NewProfileGibbs(b.mod.m, tempering.ProfileGibbsOptions{Profile: b.rhythm(), SweepMs: tauRef, Temperature: b.temperature()})
		})
		c.Note = "Gibbs sampling at the temperatures of the oscillation, cold window: the schedule without the neurons"
		return b.cold(c), err
	}},
	{"st", true, func(b *bench) (compare.Candidate, error) {
		c, err := b.tempered("st", func() (sampling.Sampler, error) {
			return tempering.NewSimulated(b.mod.m, tempering.SimulatedOptions{Ladder: b.ladder, LogWeights: b.weights})
		})
		c.Setup += b.weightsCost
		return c, err
	}},
	{"ast", true, func(b *bench) (compare.Candidate, error) {
		return b.tempered("ast", func() (sampling.Sampler, error) { return tempering.NewAST(b.mod.m, b.astOptions()) })
	}},
	{"ast-adaptive", true, func(b *bench) (compare.Candidate, error) {
		c, err := b.tempered("ast-adaptive", func() (sampling.Sampler, error) {
			return tempering.NewAST(b.mod.m, tempering.ASTOptions{Ladder: b.ladder, Mode: tempering.Adaptive})
		})
		c.Note = "biased: it adapts while it samples, which flattens the odds of modes"
		return c, err
	}},
	{"pt", true, func(b *bench) (compare.Candidate, error) { return b.parallel("pt", tempering.DEO) }},
	{"pt-seo", true, func(b *bench) (compare.Candidate, error) { return b.parallel("pt-seo", tempering.SEO) }},
	{"tt", true, func(b *bench) (compare.Candidate, error) {
		return b.tempered("tt", func() (sampling.Sampler, error) {
			return tempering.NewTransitions(b.mod.m, tempering.TransitionsOptions{Ladder: b.ladder})
		})
	}},
	{"cast", true, func(b *bench) (compare.Candidate, error) {
		c, err := b.tempered("cast", func() (sampling.Sampler, error) {
			return tempering.NewCAST(b.mod.m, tempering.CASTOptions{Fast: b.astOptions()})
		})
		c.Copies = 2
		return c, err
	}},
	{"neural", false, func(b *bench) (compare.Candidate, error) {
		c, err := b.classical("neural", func() (sampling.Sampler, error) {
			return lif.NewNeural(b.mod.m, lif.NeuralOptions{Update: lif.Continuous, TauRef: tauRef})
		})
		c.Spiking = true
		return c, err
	}},
	{"lif", false, func(b *bench) (compare.Candidate, error) {
		c, err := b.network("lif", func(o lif.Options) (sampling.Sampler, error) { return lif.NewSampler(b.mod.m, b.setup, o) })
		c.Spiking = true
		return c, err
	}},
	{"lif-osc", false, func(b *bench) (compare.Candidate, error) { return b.oscillating("lif-osc", tempering.None) }},
	{"lif-osc-comp", false, func(b *bench) (compare.Candidate, error) {
		return b.oscillating("lif-osc-comp", tempering.Calibrated)
	}},
}

func samplerNames() []string {
	var names []string
	for _, s := range samplers {
		names = append(names, s.name)
	}
	return names
}

// chosen are the samplers of a list of names, in the order of the list.
func chosen(list string) ([]sampler, error) {
	var out []sampler
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		i := slices.Index(samplerNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("-samplers: %q: must be of %s", name, strings.Join(samplerNames(), ", "))
		}
		if slices.ContainsFunc(out, func(s sampler) bool { return s.name == name }) {
			return nil, fmt.Errorf("-samplers: %s twice: must be listed once", name)
		}
		out = append(out, samplers[i])
	}
	return out, nil
}

// classical is a candidate with one chain at the target temperature.
func (b *bench) classical(name string, make func() (sampling.Sampler, error)) (compare.Candidate, error) {
	_, err := make() // what it refuses is known before the first runs
	return compare.Candidate{Name: name, New: func(context.Context, int) (sampling.Sampler, error) { return make() }}, err
}

// tempered is a candidate that uses the ladder.
func (b *bench) tempered(name string, make func() (sampling.Sampler, error)) (compare.Candidate, error) {
	c, err := b.classical(name, make)
	c.Setup = b.ladderCost
	return c, err
}

func (b *bench) parallel(name string, scheme tempering.Scheme) (compare.Candidate, error) {
	c, err := b.tempered(name, func() (sampling.Sampler, error) {
		return tempering.NewParallel(b.mod.m, tempering.ParallelOptions{Ladder: b.ladder, Scheme: scheme})
	})
	c.Copies = len(b.ladder)
	c.Count = func(s sampling.Sampler, r *compare.Row) {
		if r.ReplicaRoundTrips == nil {
			r.ReplicaRoundTrips = new(int64)
		}
		for _, n := range s.(*tempering.Parallel).RoundTrips() {
			*r.ReplicaRoundTrips += n
		}
	}
	return c, err
}

// astOptions spend a fifth of the budget of a chain on the weights.
func (b *bench) astOptions() tempering.ASTOptions {
	adapt := max(1, int64(b.f.budget/float64(b.f.chains)/5))
	return tempering.ASTOptions{Ladder: b.ladder, Adapt: adapt, Decay: math.Max(1, float64(adapt)/20)}
}

// findLadder adapts the levels by a run of parallel tempering that is not part of any
// budget, and measures the rates of rejection of what it found.
func (b *bench) findLadder(ctx context.Context) error {
	even, err := tempering.Linear(b.f.levels, 0)
	if err != nil {
		return err
	}
	p, err := tempering.NewParallel(b.mod.m, tempering.ParallelOptions{Ladder: even})
	if err != nil {
		return err
	}
	if err := p.Reset(nil, rng.Stream(b.f.seed, "ladder")); err != nil {
		return err
	}
	if b.barrier, err = p.Adapt(ctx, tempering.AdaptOptions{Rounds: 6}); err != nil {
		return err
	}
	b.ladder, b.ladderCost = p.Ladder(), float64(p.Cost())
	buf := make([]sampling.Flip, 0, max(4096, 2*p.Dim()))
	for range 1000 { // for the figure only
		if _, err := p.Advance(p.Time()+1, buf); err != nil {
			return err
		}
	}
	b.rejections = p.Rejections()
	return nil
}

// findWeights learns the weights of simulated tempering by one run that is not part of the
// budget.
func (b *bench) findWeights(ctx context.Context) error {
	o := b.astOptions()
	s, err := tempering.NewAST(b.mod.m, o)
	if err != nil {
		return err
	}
	if err := s.Reset(nil, rng.Stream(b.f.seed, "weights")); err != nil {
		return err
	}
	if err := s.Adapt(ctx); err != nil {
		return fmt.Errorf("weights of st: %w", err)
	}
	b.weights, b.weightsCost = s.LogWeights(), float64(s.Cost())
	return nil
}

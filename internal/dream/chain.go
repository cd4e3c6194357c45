package dream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TauRef is the refractory time of all spiking samplers [ms]: a sample, and what a sweep
// stands for.
const TauRef = 10

// Sampler is a way to dream, with its settings.
type Sampler struct {
	compare.Candidate
	Every   int    // sweeps, or refractory times, from sample to sample; default 1
	Setting string // in words; "" if there is nothing to set
}

// unit is the time between samples in the sampler's time.
func (s Sampler) unit() float64 {
	u := float64(max(1, s.Every))
	if s.Spiking {
		u *= TauRef
	}
	return u
}

// Chain is what one run of a sampler showed.
type Chain struct {
	States [][]uint8 // all units, one a sample
	// Spent is what had been spent when each sample was taken, without Setup.
	Spent []compare.Cost
	Setup compare.Cost // on adaptation before the first sample
}

// Options say how long chains run. All but Progress are required.
type Options struct {
	Samples int
	Starts  [][]uint8 // start state of every chain
	Seed    uint64    // chain i draws from rng.Stream(Seed, sampler, i)
	// Progress, if set, is told how many samples more have been taken, from several goroutines.
	Progress func(n int)
}

// tape takes the state of a chain at equal intervals.
type tape struct {
	begin, every float64
	taken        int
	z            []uint8
	take         func(z []uint8)
}

func (r *tape) Begin(t float64, z []uint8) error {
	r.begin, r.taken, r.z = t, 0, append(r.z[:0], z...)
	return nil
}

// next is the time of the next sample.
func (r *tape) next() float64 { return r.begin + float64(r.taken+1)*r.every }

func (r *tape) sample() {
	r.taken++
	r.take(r.z)
}

func (r *tape) Record(flips []sampling.Flip, t float64) {
	for _, f := range flips {
		for r.next() < f.Time {
			r.sample()
		}
		r.z[f.Unit] = f.On
	}
	for r.next() <= t {
		r.sample()
	}
}

// process is a chain in motion.
type process struct {
	s     Sampler
	chain sampling.Sampler
	rec   sampling.Recorder
	buf   []sampling.Flip
	base  float64 // work before the first sample [sweeps]
	reset time.Time
	begin time.Time // of sampling
	setup compare.Cost
}

// launch starts chain i; take is called with every sample.
func launch(ctx context.Context, s Sampler, i int, start []uint8, src rand.Source, take func(z []uint8)) (*process, error) {
	p := &process{s: s}
	var err error
	if p.chain, err = s.New(ctx, i); err != nil {
		return nil, err
	}
	p.reset = time.Now()
	if err := p.chain.Reset(start, src); err != nil {
		return nil, err
	}
	if a, ok := p.chain.(interface{ Adapt(context.Context) error }); ok {
		if err := a.Adapt(ctx); err != nil {
			return nil, err
		}
	}
	p.rec = &tape{every: s.unit(), take: take}
	if s.Wrap != nil {
		if p.rec, err = s.Wrap(p.rec); err != nil {
			return nil, err
		}
	}
	if err := p.rec.Begin(p.chain.Time(), p.chain.State()); err != nil {
		return nil, err
	}
	p.buf = make([]sampling.Flip, 0, max(4096, 2*p.chain.Dim()))
	p.base = p.work()
	p.begin = time.Now()
	p.setup = compare.Cost{Sweeps: p.base + s.Setup, BioMS: (p.base + s.Setup) * TauRef, Wall: p.begin.Sub(p.reset)}
	return p, nil
}

// work is the sweeps made since Reset, at any temperature and of any replica.
func (p *process) work() float64 {
	if c, ok := p.chain.(interface{ Cost() int64 }); ok {
		return float64(c.Cost())
	}
	if p.s.Spiking {
		return p.chain.Time() / TauRef
	}
	return p.chain.Time()
}

// spent is what the samples have cost so far.
func (p *process) spent() compare.Cost {
	w := p.work() - p.base
	return compare.Cost{Sweeps: w, BioMS: w / float64(max(1, p.s.Copies)) * TauRef, Wall: time.Since(p.begin)}
}

// step moves on by the time of a sample.
func (p *process) step() error {
	for target := p.chain.Time() + p.s.unit(); p.chain.Time() < target; {
		before := p.chain.Time()
		flips, err := p.chain.Advance(target, p.buf)
		if err != nil {
			return err
		}
		if len(flips) == 0 && p.chain.Time() <= before {
			return fmt.Errorf("dream: sampler stuck at time %v", before)
		}
		p.rec.Record(flips, p.chain.Time())
	}
	return nil
}

// Run runs a chain of the sampler from every start. When ctx ends it returns ctx's error.
func Run(ctx context.Context, s Sampler, o Options) ([]*Chain, error) {
	chains := make([]*Chain, len(o.Starts))
	return chains, each(ctx, len(chains), func(i int) error {
		c := &Chain{}
		p, err := launch(ctx, s, i, o.Starts[i], rng.Stream(o.Seed, s.Name, i), func(z []uint8) {
			if len(c.States) < o.Samples {
				c.States = append(c.States, slices.Clone(z))
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		c.Setup = p.setup
		for told := 0; len(c.States) < o.Samples; {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.step(); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			for len(c.Spent) < len(c.States) {
				c.Spent = append(c.Spent, p.spent())
			}
			if n := len(c.States); o.Progress != nil && (n-told >= 100 || n == o.Samples) {
				o.Progress(n - told)
				told = n
			}
		}
		chains[i] = c
		return nil
	})
}

// RunFor runs a chain of the sampler from every start for a wall time, adaptation included, and
// returns at most 2·Samples and, unless it was too slow, at least Samples states of each,
// evenly spread over all it took. The result depends on the machine.
func RunFor(ctx context.Context, s Sampler, o Options, wall time.Duration) ([][][]uint8, error) {
	out := make([][][]uint8, len(o.Starts))
	return out, each(ctx, len(out), func(i int) error {
		kept := &thinned{most: 2 * o.Samples, every: 1}
		p, err := launch(ctx, s, i, o.Starts[i], rng.Stream(o.Seed, s.Name, i), kept.add)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		for time.Since(p.reset) < wall {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.step(); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
		out[i] = kept.z
		return nil
	})
}

// thinned keeps every n-th of a stream of states; n doubles when they get too many.
type thinned struct {
	most, every, seen int
	z                 [][]uint8
}

func (t *thinned) add(z []uint8) {
	if t.seen++; t.seen%t.every != 0 {
		return
	}
	t.z = append(t.z, slices.Clone(z))
	if len(t.z) < t.most {
		return
	}
	half := t.z[:0]
	for i := 1; i < len(t.z); i += 2 {
		half = append(half, t.z[i])
	}
	clear(t.z[len(half):])
	t.z = half
	t.every *= 2
}

// each calls f(0), …, f(n−1) on all processors and returns the first error in that order,
// ctx's own last.
func each(ctx context.Context, n int, f func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := range next {
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = f(i)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	return ctx.Err()
}

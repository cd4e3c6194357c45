package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/engine"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// rounds is how often the two sides of a goal take turns; the median ratio counts.
const rounds = 9

// goal is a ratio of costs that must hold on any machine.
type goal struct {
	what        string
	most, least float64 // 0: no such bound
	sides       func(ctx context.Context, f flags) (a, b func() (time.Duration, error), err error)
}

// goals are those of the engine. Every side takes some 20 ms.
var goals = []goal{
	{what: "textbook / SIMD, dense-100", least: 10, sides: againstTextbook("dense-100", true)},
	{what: "textbook / SIMD, general-100", least: 6, sides: againstTextbook("general-100", true)},
	{what: "textbook / portable, dense-100", least: 1.7, sides: againstTextbook("dense-100", false)},
	{what: "SIMD dense-100 / floor", most: 4, sides: againstFloor},
	{what: "conductances / currents, 100", most: 2.2, sides: func(_ context.Context, f flags) (a, b func() (time.Duration, error), err error) {
		if a, err = f.cost("coba-100", true, 20000); err == nil {
			b, err = f.cost("dense-100", true, 20000)
		}
		return a, b, err
	}},
	{what: "recording marginals / not, dense-100", most: 1.1, sides: recording},
	{what: "16 replicas on one core / on two (wall time)", least: 1.9, sides: cores},
}

func runGoals(ctx context.Context, f flags) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "ratio, median of %d rounds in turns\tmeasured\tgoal\t\n", rounds)
	missed := 0
	for _, g := range goals {
		a, b, err := g.sides(ctx, f)
		if err != nil {
			return err
		}
		var ratios []float64
		for range rounds {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			x, err := a()
			if err != nil {
				return err
			}
			y, err := b()
			if err != nil {
				return err
			}
			ratios = append(ratios, float64(x)/float64(y))
		}
		slices.Sort(ratios)
		r := ratios[len(ratios)/2]
		bound, ok := fmt.Sprintf("≤ %g", g.most), r <= g.most
		if g.least > 0 {
			bound, ok = fmt.Sprintf("≥ %g", g.least), r >= g.least
		}
		verdict := "met"
		if !ok {
			verdict = "missed"
			missed++
		}
		fmt.Fprintf(w, "%s\t%.2f\t%s\t%s\n", g.what, r, bound, verdict)
	}
	w.Flush()
	fmt.Printf("\nCPU time at 400 Hz on the fastest path, %v, except where it says wall time: that one needs two idle cores.\n", fastest())
	if missed > 0 {
		fmt.Printf("%d missed.\n", missed)
	}
	return nil
}

func fastest() kernel.Path {
	p := kernel.Paths()
	return p[len(p)-1]
}

// cpuOf is the CPU time that f takes.
func cpuOf(f func()) (time.Duration, error) {
	start, err := cli.CPU()
	if err != nil {
		return 0, err
	}
	f()
	end, err := cli.CPU()
	return end - start, err
}

// cost is the CPU time per neuron and step of a built-in network, as 2^20 times the
// nanoseconds, so that the integer does not round it.
func (f flags) cost(name string, simd bool, steps int64) (func() (time.Duration, error), error) {
	i := slices.Index(netNames(), name)
	x := nets[i].build(f.seed)
	cfg, err := f.config(x, 400)
	if err != nil {
		return nil, err
	}
	path := kernel.Portable
	if simd {
		path = fastest()
	}
	e, err := fast(name, cfg, path)
	if err != nil {
		return nil, err
	}
	e.Reset(nil, rng.Stream(f.seed, "goals"))
	buf := make([]sampling.Flip, 0, 1<<14)
	return func() (time.Duration, error) {
		t, err := cpuOf(func() {
			for to := e.Steps() + steps; e.Steps() < to; {
				e.Run(to, buf[:0])
			}
		})
		return perStep(t, x.n, steps), err
	}, nil
}

func perStep(t time.Duration, n int, steps int64) time.Duration {
	return time.Duration(float64(t) * (1 << 20) / float64(n) / float64(steps))
}

func againstTextbook(name string, simd bool) func(context.Context, flags) (a, b func() (time.Duration, error), err error) {
	return func(_ context.Context, f flags) (a, b func() (time.Duration, error), err error) {
		cfg, err := f.config(dense(f.seed, 100), 400)
		if err != nil {
			return nil, nil, err
		}
		t := engine.NewTextbook(cfg, rng.Stream(f.seed, "textbook"))
		a = func() (time.Duration, error) {
			const steps = 10000
			d, err := cpuOf(func() { t.Run(steps) })
			return perStep(d, 100, steps), err
		}
		b, err = f.cost(name, simd, 100000)
		return a, b, err
	}
}

func againstFloor(_ context.Context, f flags) (a, b func() (time.Duration, error), err error) {
	if a, err = f.cost("dense-100", true, 100000); err != nil {
		return nil, nil, err
	}
	cfg, err := f.config(dense(f.seed, 112), 400)
	if err != nil {
		return nil, nil, err
	}
	e, err := fast("the floor", cfg, fastest())
	if err != nil {
		return nil, nil, err
	}
	e.Reset(nil, rng.Stream(f.seed, "floor"))
	return a, func() (time.Duration, error) {
		const steps = 200000
		d, err := cpuOf(func() { e.Floor(steps) })
		return perStep(d, 112, steps), err
	}, nil
}

// network is a random machine of 100 units as a network.
func network(f flags, o lif.NetworkOptions) (*lif.Network, error) {
	x := dense(f.seed, 100)
	rest := make([]float64, x.n)
	for k := range rest {
		rest[k] = f.rest
	}
	s := lif.TutorialCUBA()
	s.Noise = lif.Background{Exc: []lif.Poisson{{Rate: 400, Weight: f.event}}, Inh: []lif.Poisson{{Rate: 400, Weight: f.event}}}
	return lif.NewNetwork(s, rest, x.w, o)
}

// recording runs a network with and without an estimator of all marginals.
func recording(ctx context.Context, f flags) (a, b func() (time.Duration, error), err error) {
	n, err := network(f, lif.NetworkOptions{})
	if err != nil {
		return nil, nil, err
	}
	if err := n.Reset(nil, rng.Stream(f.seed, "recording")); err != nil {
		return nil, nil, err
	}
	run := func(rec ...sampling.Recorder) (time.Duration, error) {
		var err error
		t, err2 := cpuOf(func() { err = sampling.Run(ctx, n, sampling.Schedule{Duration: 2000}, rec...) })
		if err == nil {
			err = err2
		}
		return t, err
	}
	return func() (time.Duration, error) { return run(estimate.NewMarginals(n.Dim())) }, func() (time.Duration, error) { return run() }, nil
}

// cores runs 16 replicas on one core and on two.
func cores(ctx context.Context, f flags) (a, b func() (time.Duration, error), err error) {
	m := boltzmann.REF(10)
	run := func(parallel int) (time.Duration, error) {
		start := time.Now()
		_, err := sampling.Ensembles(ctx, func(_, n int) (sampling.Ensemble, error) {
			return lif.NewSampler(m, lif.TutorialCUBA(), lif.Options{Network: lif.NetworkOptions{Replicas: n}})
		}, func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(10), nil }, 0,
			sampling.ChainOptions{Schedule: sampling.Schedule{Duration: 50000}, Seed: f.seed, Chains: 16, Parallel: parallel})
		return time.Since(start), err
	}
	return func() (time.Duration, error) { return run(1) }, func() (time.Duration, error) { return run(2) }, nil
}

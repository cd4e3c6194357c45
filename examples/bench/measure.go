package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/engine"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/internal/npy"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// net is a network: its couplings by w[from*n+to] in nA.
type net struct {
	name string
	n    int
	w    []float64
}

// double is the name of the double-precision engine among the paths.
const double = "float64"

// nets are the built-in networks. Dense ones have symmetric normal weights of standard
// deviation 1 pA/√N·W; the layered one has those between neighbouring layers only.
var nets = []struct {
	name   string
	layers []int // one: all to all
}{{"dense-10", []int{10}}, {"dense-100", []int{100}}, {"dense-1000", []int{1000}}, {"rbm-784-500-10", []int{784, 500, 10}}}

func netNames() []string {
	var names []string
	for _, n := range nets {
		names = append(names, n.name)
	}
	return names
}

func build(name string, layers []int, seed uint64) net {
	n := 0
	var layer []int // of every unit
	for l, size := range layers {
		n += size
		for range size {
			layer = append(layer, l)
		}
	}
	x := net{name: name, n: n, w: make([]float64, n*n)}
	r := rand.New(rng.Stream(seed, "weights", n))
	for i := range n {
		for j := range i {
			if d := layer[i] - layer[j]; len(layers) > 1 && d != 1 {
				continue
			}
			w := 0.001 * r.NormFloat64() / math.Sqrt(float64(n))
			x.w[i*n+j], x.w[j*n+i] = w, w
		}
	}
	return x
}

// job is one measurement to make.
type job struct {
	net  net
	rate float64
	path string
	cfg  engine.Config
}

func (f flags) jobs() ([]job, error) {
	paths, err := f.pathNames()
	if err != nil {
		return nil, err
	}
	var rates []float64
	for _, s := range strings.Split(f.rates, ",") {
		r, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || !(r > 0) || math.IsInf(r, 0) {
			return nil, fmt.Errorf("-rate %q: must be numbers > 0 Hz", s)
		}
		rates = append(rates, r)
	}
	if f.bio <= 0 {
		return nil, fmt.Errorf("-bio %v: must be > 0", f.bio)
	}
	var list []net
	if f.weights != "" {
		rows, cols, w, err := npy.ReadFile(f.weights)
		if err != nil {
			return nil, err
		}
		if rows != cols {
			return nil, fmt.Errorf("-weights %s: %d×%d: must be square", f.weights, rows, cols)
		}
		list = append(list, net{f.weights, rows, w})
	} else {
		for _, name := range strings.Split(f.nets, ",") {
			i := slices.Index(netNames(), strings.TrimSpace(name))
			if i < 0 {
				return nil, fmt.Errorf("-net %q: must be of %v", name, netNames())
			}
			list = append(list, build(nets[i].name, nets[i].layers, f.seed))
		}
	}
	var jobs []job
	for _, x := range list {
		for _, rate := range rates {
			cfg, err := f.config(x, rate)
			if err != nil {
				return nil, err
			}
			for _, p := range paths {
				j := job{x, rate, p, cfg}
				if _, err := j.start(f.seed); err != nil {
					return nil, err
				}
				jobs = append(jobs, j)
			}
		}
	}
	return jobs, nil
}

// config is the engine's configuration of a network; it checks the flags.
func (f flags) config(x net, rate float64) (engine.Config, error) {
	var errs []error
	for _, v := range []struct {
		name string
		x    float64
	}{{"-taum", f.tauM}, {"-tausyn", f.tauSyn}, {"-tauref", f.tauRef}, {"-dt", f.dt}, {"-event", f.event}} {
		if !(v.x > 0) || math.IsInf(v.x, 0) {
			errs = append(errs, fmt.Errorf("%s %v: must be finite and > 0", v.name, v.x))
		}
	}
	for _, v := range []struct {
		name string
		x    float64
	}{{"-rest", f.rest}, {"-theta", f.theta}, {"-reset", f.reset}} {
		if math.IsNaN(v.x) || math.IsInf(v.x, 0) {
			errs = append(errs, fmt.Errorf("%s %v: must be finite", v.name, v.x))
		}
	}
	if f.reset >= f.theta {
		errs = append(errs, fmt.Errorf("-reset %v: must be below -theta %v", f.reset, f.theta))
	}
	if err := errors.Join(errs...); err != nil {
		return engine.Config{}, err
	}
	ref, err := dynamics.Clock{Dt: f.dt}.Steps(f.tauRef)
	if err != nil || ref < 1 {
		return engine.Config{}, fmt.Errorf("-tauref: %w", err)
	}
	if _, err := dynamics.NewCountTable(rate, f.dt); err != nil {
		return engine.Config{}, fmt.Errorf("-rate: %w", err)
	}
	const c = 0.2
	rest := make([]float64, x.n)
	for k := range rest {
		rest[k] = f.rest
	}
	src := []dynamics.Poisson{{Rate: rate, Weight: f.event}}
	return engine.Config{N: x.n, Dt: f.dt, Refractory: int(ref), Delay: 1, C: c, GLeak: c / f.tauM, TauE: f.tauSyn, TauI: f.tauSyn,
		Theta: f.theta, Reset: f.reset, Rest: rest, Weights: x.w, NoiseE: src, NoiseI: src}, nil
}

// runner is an engine at work.
type runner interface {
	Run(to int64, flips []sampling.Flip) []sampling.Flip
	Steps() int64
}

func (j job) start(seed uint64) (runner, error) {
	src := rng.Stream(seed, "bench", j.net.n)
	if j.path == double {
		e, err := engine.New(j.cfg)
		if err != nil {
			return nil, err
		}
		e.Reset(nil, src)
		return e, nil
	}
	for _, p := range kernel.Paths() {
		if p.String() != j.path {
			continue
		}
		f, ok, err := engine.NewFast(j.cfg, p)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("%s at %g Hz: the single-precision engine does not take it (too many background events in a step): measure with -path %s", j.net.name, j.rate, double)
		}
		f.Reset(nil, src)
		return f, nil
	}
	return nil, fmt.Errorf("no path %q", j.path)
}

// repeats is the number of runs of which the median counts.
const repeats = 5

// median is the median cost of runs of f, which does steps steps of n neurons.
func median(ctx context.Context, n int, steps int64, f func(steps int64)) (float64, error) {
	var ns []float64
	f(min(steps, 2000)) // warm
	for range repeats {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		start, err := cli.CPU()
		if err != nil {
			return 0, err
		}
		f(steps)
		end, err := cli.CPU()
		if err != nil {
			return 0, err
		}
		ns = append(ns, float64(end-start)/float64(steps)/float64(n))
	}
	slices.Sort(ns)
	return ns[len(ns)/2], nil
}

func (f flags) steps() int64 {
	return max(1, int64(math.Round(f.bio.Seconds()*1000/f.dt)))
}

func (j job) measure(ctx context.Context, f flags) (row, error) {
	e, err := j.start(f.seed)
	if err != nil {
		return row{}, err
	}
	buf := make([]sampling.Flip, 0, max(1<<14, 4*j.net.n))
	spikes, total := 0, int64(0)
	ns, err := median(ctx, j.net.n, f.steps(), func(steps int64) {
		for to := e.Steps() + steps; e.Steps() < to; {
			for _, x := range e.Run(to, buf[:0]) { // a recorder looks at every flip
				spikes += int(x.On)
			}
		}
		total += steps
	})
	fan := 0 // synapses per neuron
	for _, w := range j.net.w {
		if w != 0 {
			fan++
		}
	}
	n := float64(j.net.n)
	bio := float64(total) * f.dt / 1000
	rate := float64(spikes) / n / bio
	cpuPerBio := ns * 1e-9 * n * 1000 / f.dt
	return row{Net: j.net.name, RateHz: j.rate, Path: j.path, NS: ns, MeanRateHz: rate, RealTime: 1 / cpuPerBio,
		Events: rate * float64(fan) / cpuPerBio, BioS: bio, Neurons: j.net.n}, err
}

// textbookCost is that of the textbook loop on dense-100 at that background rate.
func textbookCost(ctx context.Context, f flags, rate float64) (float64, error) {
	cfg, err := f.config(build("dense-100", []int{100}, f.seed), rate)
	if err != nil {
		return 0, err
	}
	t := engine.NewTextbook(cfg, rand.NewPCG(f.seed, 1))
	return median(ctx, 100, 10000, func(steps int64) { t.Run(int(steps)) })
}

// floorCost is that of the kernel without noise, of 112 neurons.
func floorCost(ctx context.Context, seed uint64) (float64, error) {
	d := flags{rest: -50, theta: -50, reset: -50.001, tauM: 1, tauSyn: 10, tauRef: 10, event: 0.001, dt: 0.1}
	cfg, err := d.config(build("floor", []int{112}, seed), 400)
	if err != nil {
		return 0, err
	}
	paths := kernel.Paths()
	f, ok, err := engine.NewFast(cfg, paths[len(paths)-1])
	if err != nil || !ok {
		return 0, fmt.Errorf("no floor: %w", err)
	}
	f.Reset(nil, rng.Stream(seed, "floor"))
	return median(ctx, 112, 100000, f.Floor)
}

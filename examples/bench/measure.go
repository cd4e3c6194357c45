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
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/engine"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/internal/npy"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// net is a network: its couplings by w[from*n+to] in nA, or sparse, and what else is
// special about it.
type net struct {
	name   string
	n      int
	w      []float64
	sparse *engine.Sparse
	change func(*engine.Config)
}

// double is the name of the double-precision engine among the paths.
const double = "float64"

// nets are the built-in networks. Dense ones have symmetric normal weights of standard
// deviation 1 pA/√N; the layered one has those between neighbouring layers only, the
// sparse one 100 synapses of 1 pA/10 a neuron.
var nets = []struct {
	name  string
	about string
	build func(seed uint64) net
}{
	{"dense-10", "10 neurons, all to all", func(seed uint64) net { return dense(seed, 10) }},
	{"dense-10x6", "6 replicas of it in one state", func(seed uint64) net { return replicas(seed, 6) }},
	{"dense-10x64", "64 replicas", func(seed uint64) net { return replicas(seed, 64) }},
	{"dense-100", "100 neurons", func(seed uint64) net { return dense(seed, 100) }},
	{"general-100", "the same with constants, noise weights and two synaptic time constants of every neuron's own", func(seed uint64) net {
		x := dense(seed, 100)
		x.change = func(c *engine.Config) { general(c, seed) }
		return x
	}},
	{"coba-100", "the same with conductances", func(seed uint64) net {
		x := dense(seed, 100)
		x.change = conductances
		return x
	}},
	{"dense-1000", "1000 neurons", func(seed uint64) net { return dense(seed, 1000) }},
	{"fixed-1000", "the same with weights in 16-bit integers", func(seed uint64) net {
		x := dense(seed, 1000)
		x.change = func(c *engine.Config) { c.Fixed = true }
		return x
	}},
	{"rbm-784-500-10", "three layers", func(seed uint64) net { return layered(seed, 784, 500, 10) }},
	{"sparse-10000x100", "10000 neurons with 100 synapses each at random places", func(seed uint64) net { return sparse(seed, 10000, 100) }},
}

func netNames() []string {
	var names []string
	for _, n := range nets {
		names = append(names, n.name)
	}
	return names
}

// netList explains the networks.
func netList() string {
	var b strings.Builder
	for _, n := range nets {
		fmt.Fprintf(&b, "\n%s: %s", n.name, n.about)
	}
	return b.String()
}

func dense(seed uint64, n int) net { return layered(seed, n) }

func replicas(seed uint64, k int) net {
	x := dense(seed, 10)
	x.change = func(c *engine.Config) { c.Copies = k }
	return x
}

// layered connects neighbouring layers, or everything if there is one.
func layered(seed uint64, sizes ...int) net {
	var layer []int // of every unit
	for l, size := range sizes {
		for range size {
			layer = append(layer, l)
		}
	}
	n := len(layer)
	x := net{n: n, w: make([]float64, n*n)}
	r := rand.New(rng.Stream(seed, "weights", n))
	for i := range n {
		for j := range i {
			if d := layer[i] - layer[j]; len(sizes) > 1 && d != 1 {
				continue
			}
			w := 0.001 * r.NormFloat64() / math.Sqrt(float64(n))
			x.w[i*n+j], x.w[j*n+i] = w, w
		}
	}
	return x
}

// sparse has fan synapses from every neuron, one in each of as many stretches of targets.
func sparse(seed uint64, n, fan int) net {
	x := net{n: n, sparse: &engine.Sparse{Start: make([]int, n+1)}}
	r := rand.New(rng.Stream(seed, "weights", n))
	for i := range n {
		x.sparse.Start[i+1] = (i + 1) * fan
		for k := range fan {
			x.sparse.To = append(x.sparse.To, int32(k*(n/fan)+r.IntN(n/fan)))
			x.sparse.Weight = append(x.sparse.Weight, 0.0001*r.NormFloat64())
		}
	}
	return x
}

// general gives every neuron constants of its own, all with a spread of 10 %, and both
// receptors time constants and noise weights of theirs.
func general(c *engine.Config, seed uint64) {
	r := rand.New(rng.Stream(seed, "general"))
	c.NoiseI = slices.Clone(c.NoiseI)
	c.NoiseI[0].Weight *= 1.1
	for k := range c.N {
		vary := func(x float64) float64 { return x * math.Exp(0.1*r.NormFloat64()) }
		c.Neurons = append(c.Neurons, engine.Neuron{C: vary(c.C), GLeak: vary(c.GLeak), TauE: vary(c.TauE), TauI: vary(c.TauI / 1.1),
			Theta: c.Theta, Reset: c.Reset, Refractory: c.Refractory - 10 + k%20, Gain: vary(1)})
	}
}

// conductances makes the network conductance-based, with drives that keep its rates: an
// event of 1 nS brings the current of one of 50 pA at 50 mV.
func conductances(c *engine.Config) {
	c.Conductance, c.RevE, c.RevI = true, c.Theta+50, c.Theta-50
	for i := range c.NoiseE {
		c.NoiseE[i].Weight /= 10
		c.NoiseI[i].Weight /= 10
	}
	for i := range c.Weights {
		c.Weights[i] /= 50
	}
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
		list = append(list, net{name: f.weights, n: rows, w: w})
	} else {
		for _, name := range strings.Split(f.nets, ",") {
			i := slices.Index(netNames(), strings.TrimSpace(name))
			if i < 0 {
				return nil, fmt.Errorf("-net %q: must be of %v", name, netNames())
			}
			x := nets[i].build(f.seed)
			x.name = nets[i].name
			list = append(list, x)
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
	cfg := engine.Config{N: x.n, Dt: f.dt, Refractory: int(ref), Delay: 1, C: c, GLeak: c / f.tauM, TauE: f.tauSyn, TauI: f.tauSyn,
		Theta: f.theta, Reset: f.reset, Rest: rest, Weights: x.w, Sparse: x.sparse, Exact: f.immediate,
		NoiseE: []dynamics.Poisson{{Rate: rate, Weight: f.event}}, NoiseI: []dynamics.Poisson{{Rate: rate, Weight: f.event}}}
	if x.change != nil {
		cfg.Weights = slices.Clone(x.w)
		x.change(&cfg)
	}
	return cfg, nil
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
		f, err := fast(fmt.Sprintf("%s at %g Hz", j.net.name, j.rate), j.cfg, p)
		if err != nil {
			return nil, err
		}
		f.Reset(nil, src)
		return f, nil
	}
	return nil, fmt.Errorf("no path %q", j.path)
}

// fast is the single-precision engine of a network.
func fast(name string, c engine.Config, p kernel.Path) (*engine.Fast, error) {
	f, ok, err := engine.NewFast(c, p)
	if err == nil && !ok {
		err = fmt.Errorf("%s: the single-precision engine does not take it (too many background events in a step, or time constants far from the step): measure with -path %s", name, double)
	}
	return f, err
}

// repeats is the number of runs of which the median counts, atLeast the CPU time of each.
const (
	repeats = 5
	atLeast = 5 * time.Millisecond
)

// median is the median cost of runs of f, which does steps steps of n neurons; steps are
// more if they take too little time to measure.
func median(ctx context.Context, n int, steps int64, f func(steps int64)) (ns float64, done int64, err error) {
	f(min(steps, 2000)) // warm
	var all []float64
	for len(all) < repeats {
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		start, err := cli.CPU()
		if err != nil {
			return 0, 0, err
		}
		f(steps)
		end, err := cli.CPU()
		if err != nil {
			return 0, 0, err
		}
		if end-start < atLeast && len(all) == 0 {
			steps *= 2
			continue
		}
		all = append(all, float64(end-start)/float64(steps)/float64(n))
	}
	slices.Sort(all)
	return all[len(all)/2], steps, nil
}

func (f flags) steps() int64 {
	return max(1, int64(math.Round(f.bio.Seconds()*1000/f.dt)))
}

func (j job) measure(ctx context.Context, f flags) (row, error) {
	begin := time.Now()
	e, err := j.start(f.seed)
	if err != nil {
		return row{}, err
	}
	copies := max(1, j.cfg.Copies)
	units := j.net.n * copies
	buf := make([]sampling.Flip, 0, max(1<<14, 4*units))
	for len(e.Run(e.Steps()+1, buf[:0])) == 0 && e.Steps() < 1e6 {
	}
	first := time.Since(begin)
	spikes, total := 0, int64(0)
	ns, steps, err := median(ctx, units, f.steps(), func(steps int64) {
		for to := e.Steps() + steps; e.Steps() < to; {
			for _, x := range e.Run(to, buf[:0]) { // a recorder looks at every flip
				spikes += int(x.On)
			}
		}
		total += steps
	})
	if err != nil {
		return row{}, err
	}
	fan := 0 // synapses
	for _, w := range j.net.w {
		if w != 0 {
			fan++
		}
	}
	if j.net.sparse != nil {
		fan = len(j.net.sparse.To)
	}
	n := float64(units)
	rate := float64(spikes) / n / (float64(total) * f.dt / 1000)
	cpuPerBio := ns * 1e-9 * n * 1000 / f.dt
	return row{Net: j.net.name, RateHz: j.rate, Path: j.path, NS: ns, MeanRateHz: rate, RealTime: float64(copies) / cpuPerBio,
		Events: rate * float64(fan*copies) / cpuPerBio, BioS: float64(steps) * f.dt / 1000, Neurons: units,
		FirstMS: float64(first) / 1e6, PeakMB: peak()}, nil
}

// textbookCost is that of the textbook loop on dense-100 at that background rate.
func textbookCost(ctx context.Context, f flags, rate float64) (float64, error) {
	cfg, err := f.config(dense(f.seed, 100), rate)
	if err != nil {
		return 0, err
	}
	t := engine.NewTextbook(cfg, rand.NewPCG(f.seed, 1))
	ns, _, err := median(ctx, 100, 10000, func(steps int64) { t.Run(int(steps)) })
	return ns, err
}

// floorCost is that of the kernel without noise, of 112 neurons.
func floorCost(ctx context.Context, seed uint64) (float64, error) {
	d := flags{rest: -50, theta: -50, reset: -50.001, tauM: 1, tauSyn: 10, tauRef: 10, event: 0.001, dt: 0.1}
	cfg, err := d.config(dense(seed, 112), 400)
	if err != nil {
		return 0, err
	}
	f, err := fast("the floor", cfg, fastest())
	if err != nil {
		return 0, err
	}
	f.Reset(nil, rng.Stream(seed, "floor"))
	ns, _, err := median(ctx, 112, 100000, f.Floor)
	return ns, err
}

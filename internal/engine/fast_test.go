package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/stp"
)

// common is a network of the common case: n neurons at threshold with weak random
// couplings, background at rate [Hz].
func common(n int, rate float64) Config {
	c := Config{N: n, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.2, TauE: 10, TauI: 10, Theta: -50, Reset: -50.001,
		Rest: make([]float64, n), Weights: make([]float64, n*n),
		NoiseE: []dynamics.Poisson{{Rate: rate, Weight: 0.001}}, NoiseI: []dynamics.Poisson{{Rate: rate, Weight: 0.001}}}
	src := rng.Stream(1, "common")
	normal := func() float64 { // near enough: the sum of 12 uniform numbers
		s := -6.0
		for range 12 {
			s += float64(src.Uint64()>>11) / (1 << 53)
		}
		return s
	}
	for k := range n {
		c.Rest[k] = -50 + 0.002*normal()
		for j := range n {
			if j != k {
				c.Weights[j*n+k] = 0.001 * normal() / math.Sqrt(float64(n))
			}
		}
	}
	return c
}

// conductances makes the network conductance-based, with two synaptic time constants.
func conductances(c Config) Config {
	c.Conductance, c.RevE, c.RevI, c.TauI = true, 0, -100, 8
	for k := range c.Rest {
		c.Rest[k] = -50.5 + 100*(c.Rest[k]+50)
	}
	return c
}

func fast(t testing.TB, c Config, p kernel.Path) *Fast {
	t.Helper()
	f, ok, err := NewFast(c, p)
	if err != nil || !ok {
		t.Fatalf("no fast engine: %v, %v", ok, err)
	}
	return f
}

// kinds are changes of a network that make the engine step it or deliver its spikes in
// another way.
var kinds = []struct {
	name   string
	change func(*Config)
}{
	{"renewing", func(c *Config) {}},
	{"static", func(c *Config) { c.Static = true }},
	{"rectangular", func(c *Config) { c.Rectangular = true }},
	{"delay", func(c *Config) { c.Delay = 17 }},
	{"profile", profiled},
	{"plastic", func(c *Config) { c.Plasticity = &stp.Params{U: 0.03, TauRec: 300, Scale: 30} }},
	{"facilitating", func(c *Config) { c.Plasticity = &stp.Params{U: 0.2, TauRec: 50, TauFac: 200, Scale: 2} }},
	{"exact", func(c *Config) { c.Exact = true }},
	{"fixed", func(c *Config) { c.Fixed = true }},
	{"fixed rectangular", func(c *Config) { c.Fixed, c.Rectangular = true, true }},
	{"sparse", func(c *Config) { sparse(c, 10) }},
	{"layers", layers},
	{"statics", statics},
	{"rectangular, statics", func(c *Config) { statics(c); c.Rectangular = true }},
	{"two tau, statics only", func(c *Config) { statics(c); c.Weights, c.TauI = nil, 7 }},
	{"copies", func(c *Config) { c.Copies = 3 }},
	{"copies rectangular", func(c *Config) { c.Copies, c.Rectangular = 3, true }},
	{"own", own},
	{"own rectangular", func(c *Config) { own(c); c.Rectangular = true }},
	{"rectangular profile", func(c *Config) { profiled(c); c.Rectangular = true }},
	{"own exact profile", func(c *Config) { own(c); profiled(c); c.Exact = true }},
	{"own copies", func(c *Config) { own(c); c.Copies = 3 }},
	{"two weights", func(c *Config) { c.NoiseI[0].Weight *= 1.1 }},
	{"two tau", func(c *Config) { c.TauI = 7 }},
	{"two tau, fixed", func(c *Config) { c.TauI, c.Fixed = 7, true }},
}

func profiled(c *Config) {
	c.Profile = &Profile{Factor: []float64{1, 2, 0, 0.5}, Shift: []float64{0, 0.002, -0.001, 0}, Every: 7}
}

// own gives every neuron constants of its own.
func own(c *Config) {
	r := rand.New(rng.Stream(7, "own"))
	for k := range c.N {
		vary := func(x float64) float64 { return x * (1 + 0.1*r.NormFloat64()) }
		c.Neurons = append(c.Neurons, Neuron{C: vary(c.C), GLeak: vary(c.GLeak), TauE: vary(c.TauE), TauI: vary(c.TauI),
			Theta: c.Theta + 0.001*r.NormFloat64(), Reset: c.Reset - 0.01*r.Float64() - 0.01, RevE: c.RevE + 1, RevI: c.RevI + 1,
			Refractory: 80 + k%37, Gain: vary(1)})
	}
}

// sparse thins the synapses out to a fraction and lists them.
func sparse(c *Config, fraction int) {
	s := &Sparse{Start: []int{0}}
	for i := range c.N {
		for k, w := range c.Weights[i*c.N:][:c.N] {
			if w != 0 && (i*31+k*17)%fraction == 0 {
				s.To, s.Weight = append(s.To, int32(k)), append(s.Weight, w)
			}
		}
		s.Start = append(s.Start, len(s.To))
	}
	c.Weights, c.Sparse = nil, s
}

// statics adds static synapses.
func statics(c *Config) {
	x := *c
	sparse(&x, 3)
	c.Statics = x.Sparse
}

// layers cuts the synapses within layers.
func layers(c *Config) {
	layer := func(k int) int { return 3 * k / c.N }
	for i := range c.N {
		for k := range c.N {
			if d := layer(i) - layer(k); d != 1 && d != -1 {
				c.Weights[i*c.N+k] = 0
			}
		}
	}
}

// TestPathsAgree: every path gives the same flips, potentials and currents for 20 000
// steps.
func TestPathsAgree(t *testing.T) {
	for _, n := range []int{1, 7, 16, 112, 300, 1294} {
		for _, rate := range []float64{400, 5000} {
			for _, coba := range []bool{false, true} {
				for _, kind := range kinds {
					if n > 112 && !slices.Contains([]string{"renewing", "plastic", "static"}, kind.name) && (n > 300 || kind.name != "layers" && kind.name != "own") {
						continue
					}
					const steps = int64(20000)
					c := common(n, rate)
					if coba {
						c = conductances(c)
					}
					kind.change(&c)
					name := fmt.Sprintf("N=%d, %g Hz, coba %v, %s", n, rate, coba, kind.name)
					ref := fast(t, c, kernel.Portable)
					ref.Reset(nil, rng.Stream(2, "paths"))
					want := ref.Run(steps, make([]sampling.Flip, 0, int(steps)/30*c.units()+4*c.units()))
					if ref.step != steps || len(want) < int(steps)/500*n {
						t.Errorf("%s: %d flips in %d steps", name, len(want), ref.step)
					}
					for _, p := range kernel.Paths()[1:] {
						x := fast(t, c, p)
						x.Reset(nil, rng.Stream(2, "paths"))
						got := x.Run(steps, make([]sampling.Flip, 0, cap(want)))
						if len(got) != len(want) {
							t.Fatalf("%s, %v: %d flips, portable %d", name, p, len(got), len(want))
						}
						for i := range got {
							if got[i] != want[i] {
								t.Fatalf("%s, %v: flip %d is %v, portable %v", name, p, i, got[i], want[i])
							}
						}
						for what, a := range map[string][2][]float32{"v": {x.v, ref.v}, "j": {x.j, ref.j}, "ji": {x.ji, ref.ji}, "c": {x.c, ref.c}, "l": {x.l, ref.l}} {
							for k := range a[0] {
								if math.Float32bits(a[0][k]) != math.Float32bits(a[1][k]) {
									t.Fatalf("%s, %v: %s of lane %d differs", name, p, what, k)
								}
							}
						}
					}
				}
			}
		}
	}
}

// TestFastLikeEngine runs both engines without noise, where they have the same law and so
// the same spikes: a driven neuron that excites a second one and inhibits a third.
func TestFastLikeEngine(t *testing.T) {
	for _, kind := range []string{"renewing", "static", "rectangular", "delay", "rectangular profile", "coba", "coba rectangular"} {
		c := Config{N: 3, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.02, TauE: 10, TauI: 10, Theta: -50, Reset: -53,
			Rest: []float64{-48, -50.7, -49.5}, Weights: []float64{0, 0.04, -0.03, 0.01, 0, 0, 0, 0.02, 0}}
		switch kind {
		case "static":
			c.Static = true
		case "rectangular":
			c.Rectangular = true
		case "rectangular profile":
			c.Rectangular = true
			c.Profile = &Profile{Factor: []float64{1, 1}, Shift: []float64{0, 0.5}, Every: 170}
		case "delay":
			c.Delay = 23
		case "coba", "coba rectangular":
			c.Rectangular = kind == "coba rectangular"
			c.Conductance, c.RevE, c.RevI, c.TauI = true, 0, -90, 7
			for i := range c.Weights {
				c.Weights[i] /= 40
			}
		}
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		e.Reset(nil, nil)
		f := fast(t, c, kernel.Portable)
		f.Reset(nil, nil)
		// Rounding may move a spike by a step sooner or later, so compare for a while.
		const steps = 10000
		a, b := e.Run(steps, make([]sampling.Flip, 0, 1000)), f.Run(steps, make([]sampling.Flip, 0, 1000))
		units := map[int32]int{}
		for _, x := range a {
			units[x.Unit]++
		}
		if len(a) != len(b) || len(units) < 2 || len(a) < 50 {
			t.Fatalf("%s: %d and %d flips, by unit %v", kind, len(a), len(b), units)
		}
		for i := range a {
			if a[i].Unit != b[i].Unit || a[i].On != b[i].On || math.Abs(a[i].Time-b[i].Time) > 0.101 {
				t.Fatalf("%s: flip %d: %v and %v", kind, i, a[i], b[i])
			}
		}
	}
}

// TestFastPieces: what a run returns does not depend on how it is cut; flips alternate,
// a unit is on for exactly τ_ref and off for at least one step, and times do not fall.
func TestFastPieces(t *testing.T) {
	c := common(20, 400)
	c.Rectangular = true
	profiled(&c)
	p := kernel.Paths()[len(kernel.Paths())-1]
	whole := fast(t, c, p)
	whole.Reset(nil, rng.Stream(3, "pieces"))
	start := append([]uint8{}, whole.State()...)
	want := whole.Run(50000, make([]sampling.Flip, 0, 1<<17))
	cut := fast(t, c, p)
	cut.Reset(nil, rng.Stream(3, "pieces"))
	var got []sampling.Flip
	buf := make([]sampling.Flip, 0, 40)
	for i := int64(1); cut.step < 50000; i++ {
		got = append(got, cut.Run(min(50000, cut.step+i%97), buf[:0])...)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("the flips depend on how the run is cut")
	}
	// Running again from Reset is the same, rectangular input included.
	cut.Reset(nil, rng.Stream(3, "pieces"))
	if again := cut.Run(50000, make([]sampling.Flip, 0, 1<<17)); fmt.Sprint(again) != fmt.Sprint(want) {
		t.Error("a second run after Reset differs")
	}
	z, last, since := start, 0.0, make([]float64, c.N)
	seen := make([]int, c.N)
	for i, f := range want {
		k := f.Unit
		if f.Time < last || f.On == z[k] {
			t.Fatalf("flip %d: %v after time %v, state %d", i, f, last, z[k])
		}
		d := f.Time - since[k]
		if f.On == 0 && seen[k] > 0 && math.Abs(d-10) > 1e-6 || f.On == 1 && seen[k] > 0 && d < 0.1-1e-6 {
			t.Fatalf("flip %d: %v, %v ms after the one before", i, f, d)
		}
		z[k], last, since[k] = f.On, f.Time, f.Time
		seen[k]++
	}
	for k := range z {
		if z[k] != whole.State()[k] {
			t.Errorf("unit %d: state %d, flips say %d", k, whole.State()[k], z[k])
		}
	}
}

// TestProfileQuiet: a network that never spikes still meets every block of its profile, in
// one run as step by step.
func TestProfileQuiet(t *testing.T) {
	for _, coba := range []bool{false, true} {
		c := common(20, 400)
		if coba {
			c = conductances(c)
		}
		for k := range c.Rest {
			c.Rest[k] -= 20
		}
		c.Profile = &Profile{Factor: []float64{0, 3, 1}, Shift: []float64{0, -1, 2}, Every: 7}
		for _, p := range kernel.Paths() {
			whole, steps := fast(t, c, p), fast(t, c, p)
			whole.Reset(make([]uint8, c.N), rng.Stream(5, "quiet"))
			steps.Reset(make([]uint8, c.N), rng.Stream(5, "quiet"))
			buf := make([]sampling.Flip, 0, 100)
			if flips := whole.Run(1000, buf); len(flips) != 0 {
				t.Fatalf("%d flips", len(flips))
			}
			for steps.step < 1000 {
				steps.Run(steps.step+1, buf)
			}
			for k := range c.N {
				if whole.v[k] != steps.v[k] || whole.j[k] != steps.j[k] {
					t.Fatalf("conductances %v, %v: unit %d has v %v, j %v; step by step %v, %v", coba, p, k, whole.v[k], whole.j[k], steps.v[k], steps.j[k])
				}
			}
		}
	}
}

// TestNotCommon: what the fast engine does not do.
func TestNotCommon(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"strong conductances": func(c *Config) { c.Conductance, c.RevE, c.RevI, c.Weights[1] = true, 0, -90, 10 },
		"precise":             func(c *Config) { c.Precise = true },
		"two sources":         func(c *Config) { c.NoiseI = append(c.NoiseI, dynamics.Poisson{Rate: 10, Weight: 0.002}) },
		"too many events":     func(c *Config) { c.NoiseE[0].Rate = 90000 },
		"free":                func(c *Config) { c.NoThreshold = true },
		"endless synapses":    func(c *Config) { c.TauE, c.TauI = 1e12, 1e12 },
		"endless recovery":    func(c *Config) { c.Plasticity = &stp.Params{U: 0.5, TauRec: 1e12, Scale: 1} },
		"momentary synapses":  func(c *Config) { c.Conductance, c.RevI, c.TauE = true, -90, 1e-6 },
	} {
		c := common(3, 400)
		change(&c)
		if _, ok, err := NewFast(c, kernel.Portable); ok || err != nil {
			t.Errorf("%s: fast %v, %v", name, ok, err)
		}
	}
}

func TestFastAllocs(t *testing.T) {
	for _, kind := range []string{"exponential", "rectangular", "coba", "coba rectangular", "profile"} {
		c := common(50, 400)
		c.Rectangular = strings.HasSuffix(kind, "rectangular")
		if strings.HasPrefix(kind, "coba") {
			c = conductances(c)
		}
		if kind == "profile" {
			c.Profile = &Profile{Factor: []float64{1, 2, 0.5}, Shift: []float64{0, 0.001, 0}, Every: 10}
		}
		for _, p := range kernel.Paths() {
			f := fast(t, c, p)
			f.Reset(nil, rng.Stream(4, "allocs"))
			buf := make([]sampling.Flip, 0, 1<<14)
			if a := testing.AllocsPerRun(20, func() { f.Run(f.step+1000, buf[:0]) }); a != 0 {
				t.Errorf("%v, %s: %v allocations in 1000 steps", p, kind, a)
			}
		}
	}
}

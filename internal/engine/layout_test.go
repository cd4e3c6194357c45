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

func best() kernel.Path { return kernel.Paths()[len(kernel.Paths())-1] }

// flipsOf runs a network and returns its flips.
func flipsOf(t *testing.T, c Config, steps int64) []sampling.Flip {
	t.Helper()
	f := fast(t, c, best())
	f.Reset(nil, rng.Stream(9, "layout"))
	return f.Run(steps, make([]sampling.Flip, 0, int(steps)/30*c.units()+4*c.units()))
}

// TestLayouts: lists of synapses, dense rows over some of the units and dense rows over
// all give the same spikes, since sums are in the order of the senders.
func TestLayouts(t *testing.T) {
	for _, coba := range []bool{false, true} {
		for name, thin := range map[string]func(c *Config){
			"lists":       func(c *Config) { sparse(c, 50) },
			"mixed":       func(c *Config) { sparse(c, 11) },
			"layers":      layers,
			"rectangular": func(c *Config) { layers(c); c.Rectangular = true },
			"one synapse": func(c *Config) { clear(c.Weights[1:]); c.Weights[1] = 0.01 },
			"none":        func(c *Config) { clear(c.Weights) },
		} {
			c := common(200, 400)
			if coba {
				c = conductances(c)
			}
			thin(&c)
			// The same with every row dense over all units: a tiny weight where there is none.
			full := c
			full.Weights, full.Sparse = make([]float64, c.N*c.N), nil
			for i := range full.Weights {
				full.Weights[i] = 1e-300 // 0 in float32
			}
			for i := range c.N {
				c.row(i, func(k int, w float64) { full.Weights[i*c.N+k] = w })
			}
			a, b := flipsOf(t, c, 20000), flipsOf(t, full, 20000)
			if len(a) < 20000 {
				t.Errorf("%s: %d flips", name, len(a))
			}
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("coba %v, %s: %d flips, %d with all rows dense", coba, name, len(a), len(b))
			}
		}
	}
}

// TestLayoutChoice: where a layout is meant to be taken, it is.
func TestLayoutChoice(t *testing.T) {
	count := func(c Config) (classes, lists, parts int) {
		m := fast(t, c, best()).onJ
		for _, id := range m.class {
			if id == list {
				lists++
			}
		}
		for _, x := range m.classes {
			parts += len(x.parts)
		}
		return len(m.classes), lists, parts
	}
	c := common(160, 400)
	if a, b, p := count(c); a != 1 || b != 0 || p != 1 {
		t.Errorf("dense: %d classes, %d lists, %d parts", a, b, p)
	}
	c = common(480, 400)
	layers(&c)
	if a, b, p := count(c); a != 2 || b != 0 || p != 3 { // the outer layers have the same targets
		t.Errorf("three layers: %d classes, %d lists, %d parts", a, b, p)
	}
	c = common(160, 400)
	sparse(&c, 20)
	if _, b, _ := count(c); b != c.N {
		t.Errorf("sparse: %d lists of %d", b, c.N)
	}
}

// TestCopies: every copy does what a network alone does with the same source.
func TestCopies(t *testing.T) {
	for _, n := range []int{1, 5, 10, 33} {
		for _, kind := range kinds {
			for _, coba := range []bool{false, true} {
				if strings.Contains(kind.name, "copies") {
					continue
				}
				const copies, steps = 7, 5000
				c := common(n, 1000)
				if coba {
					c = conductances(c)
				}
				kind.change(&c)
				packed := c
				packed.Copies = copies
				all := fast(t, packed, best())
				src := make([]rand.Source, copies)
				for i := range src {
					src[i] = rng.Stream(uint64(i), "copies")
				}
				all.ResetCopies(nil, src)
				var got [copies][]sampling.Flip
				for _, x := range all.Run(steps, make([]sampling.Flip, 0, 1<<17)) {
					i := int(x.Unit) / n
					x.Unit -= int32(i * n)
					got[i] = append(got[i], x)
				}
				for i := range copies {
					alone := fast(t, c, best())
					alone.Reset(nil, rng.Stream(uint64(i), "copies"))
					want := alone.Run(steps, make([]sampling.Flip, 0, 1<<16))
					if len(want) < n*10 {
						t.Errorf("%d flips", len(want))
					}
					if fmt.Sprint(got[i]) != fmt.Sprint(want) {
						t.Fatalf("N=%d, coba %v, %s: copy %d differs from a network alone: %d and %d flips", n, coba, kind.name, i, len(got[i]), len(want))
					}
					u, v := all.Potential(), alone.Potential()
					for k := range n {
						if u[i*n+k] != v[k] || all.State()[i*n+k] != alone.State()[k] {
							t.Fatalf("N=%d, %s: copy %d ends in another state", n, kind.name, i)
						}
					}
				}
			}
		}
	}
}

// TestOwnLikeCommon: neurons that are given the common constants one by one do the same as
// a network with common constants, in the double-precision engine bit for bit, and by
// their law in the fast one.
func TestOwnLikeCommon(t *testing.T) {
	for _, v := range variants(6) {
		c := v.c
		for k := range c.N {
			c.Neurons = append(c.Neurons, v.c.neuron(k))
		}
		a, b := newEngine(t, v.c), newEngine(t, c)
		a.Reset(nil, rng.Stream(2, "own"))
		b.Reset(nil, rng.Stream(2, "own"))
		x, y := a.Run(5000, room(c, 5000)), b.Run(5000, room(c, 5000))
		if len(x) == 0 || fmt.Sprint(x) != fmt.Sprint(y) {
			t.Errorf("%s: %d and %d flips", v.name, len(x), len(y))
		}
	}
}

// TestEngineCopies: the same for copies in the double-precision engine, which takes its
// random words neuron by neuron.
func TestEngineCopies(t *testing.T) {
	for _, v := range variants(5) {
		c := v.c
		c.Copies = 3
		if v.name == "cuba" {
			sparse(&c, 2)
			v.c.Weights, v.c.Sparse = nil, c.Sparse
		}
		all := newEngine(t, c)
		src := []rand.Source{rng.Stream(0, "copies"), rng.Stream(1, "copies"), rng.Stream(2, "copies")}
		all.ResetCopies(nil, src)
		var got [3][]sampling.Flip
		for _, x := range all.Run(3000, make([]sampling.Flip, 0, 1<<15)) {
			i := int(x.Unit) / v.c.N
			x.Unit -= int32(i * v.c.N)
			got[i] = append(got[i], x)
		}
		for i := range got {
			alone := newEngine(t, v.c)
			alone.Reset(nil, rng.Stream(uint64(i), "copies"))
			if want := alone.Run(3000, room(v.c, 3000)); len(want) == 0 || fmt.Sprint(got[i]) != fmt.Sprint(want) {
				t.Errorf("%s: copy %d differs from a network alone", v.name, i)
			}
		}
	}
}

// TestExact: the shortest interspike interval of a driven neuron is τ_ref, and one step
// longer without Exact, in both engines.
func TestExact(t *testing.T) {
	for _, exact := range []bool{false, true} {
		for _, coba := range []bool{false, true} {
			c := Config{N: 2, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.2, TauE: 10, TauI: 10, Theta: -50, Reset: -50.001,
				Rest: []float64{100, 100}, Exact: exact, Conductance: coba, RevE: 0, RevI: -100}
			e, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			own := c
			own.Neurons = []Neuron{c.neuron(0), c.neuron(1)}
			own.Neurons[1].Refractory = 50
			for name, x := range map[string]interface {
				Reset([]uint8, rand.Source)
				Run(int64, []sampling.Flip) []sampling.Flip
			}{"engine": e, "fast": fast(t, c, best()), "own": fast(t, own, best())} {
				x.Reset([]uint8{1, 1}, nil)
				var last [2]float64
				for i, f := range x.Run(2000, make([]sampling.Flip, 0, 200)) {
					ref := 10.0
					if name == "own" && f.Unit == 1 {
						ref = 5
					}
					free := 0.1
					if exact {
						free = 0
					}
					want := ref
					if f.On == 1 {
						want = free
					}
					if d := f.Time - last[f.Unit]; math.Abs(d-want) > 1e-9 {
						t.Fatalf("%s, exact %v, coba %v: flip %d, %+v, comes %v ms after the last, must be %v", name, exact, coba, i, f, d, want)
					}
					last[f.Unit] = f.Time
				}
				if last[0] < 190 {
					t.Errorf("%s: last flip at %v ms", name, last[0])
				}
			}
		}
	}
	c := common(2, 400)
	c.Exact, c.Refractory = true, 1
	if _, _, err := NewFast(c, best()); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Errorf("exact refractory time of one step: %v", err)
	}
}

// TestOwnLikeEngine: without noise, where the laws are the same, neurons with own
// constants spike at the same times in both engines.
func TestOwnLikeEngine(t *testing.T) {
	for _, name := range []string{"renewing", "static", "rectangular", "exact", "delay", "fixed", "two tau", "plastic", "statics", "rectangular statics"} {
		for _, coba := range []bool{false, true} {
			c := Config{N: 3, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.02, TauE: 10, TauI: 10, Theta: -50, Reset: -53,
				Rest: []float64{-48, -50.7, -49.5}, Weights: []float64{0, 0.04, -0.03, 0.01, 0, 0, 0, 0.02, 0}}
			if coba {
				c.Conductance, c.RevE, c.RevI = true, 0, -90
				for i := range c.Weights {
					c.Weights[i] /= 40
				}
			}
			c.Neurons = []Neuron{
				{0.21, 0.02, 9, 10, -50.2, -53, 0, -90, 100, 1},
				{0.19, 0.021, 11, 8, -50, -52, 1, -91, 90, 1},
				{0.2, 0.02, 10, 10, -49.9, -53.5, -1, -89, 120, 1},
			}
			switch name {
			case "static":
				c.Static = true
			case "rectangular":
				c.Rectangular = true
			case "exact":
				c.Exact = true
			case "delay":
				c.Delay = 23
			case "fixed":
				c.Fixed = true
			case "two tau":
				c.TauI = 6
			case "statics", "rectangular statics":
				c.Rectangular = name != "statics"
				c.Statics = &Sparse{Start: []int{0, 2, 3, 4}, To: []int32{1, 2, 2, 0}, Weight: []float64{0.01, -0.01, 0.02, -0.02}}
				if coba {
					c.Statics.Weight = []float64{0.01 / 40, -0.01 / 40, 0.02 / 40, -0.02 / 40}
				}
			case "plastic":
				c.Plasticity = &stp.Params{U: 0.2, TauRec: 50, TauFac: 100, Scale: 2}
			}
			e := newEngine(t, c)
			e.Reset(nil, nil)
			f := fast(t, c, best())
			f.Reset(nil, nil)
			const steps = 10000
			a, b := e.Run(steps, make([]sampling.Flip, 0, 1000)), f.Run(steps, make([]sampling.Flip, 0, 1000))
			units := map[int32]int{}
			for _, x := range a {
				units[x.Unit]++
			}
			if len(a) != len(b) || len(units) < 2 || len(a) < 50 {
				t.Fatalf("%s, coba %v: %d and %d flips, by unit %v", name, coba, len(a), len(b), units)
			}
			byUnit := func(a, b sampling.Flip) int { return int(a.Unit - b.Unit) } // those of a step have no order
			slices.SortStableFunc(a, byUnit)
			slices.SortStableFunc(b, byUnit)
			for i := range a {
				if a[i].Unit != b[i].Unit || a[i].On != b[i].On || math.Abs(a[i].Time-b[i].Time) > 0.101 {
					t.Fatalf("%s, coba %v: flip %d: %v and %v", name, coba, i, a[i], b[i])
				}
			}
		}
	}
}

// TestPlastic: the factors of the fast engine are those of stp.Sender, also after silences
// longer than its tables, and those of U = 1 and τ_rec = τ_syn the renewing ones.
func TestPlastic(t *testing.T) {
	for _, p := range []stp.Params{{U: 0.03, TauRec: 300, Scale: 33}, {U: 0.2, TauRec: 50, TauFac: 200, Scale: 1}, {U: 0.5, Scale: 2}, {U: 0.1, TauFac: 30, Scale: 1}, stp.Renewing(10)} {
		x := newPlastic(p, 0.1, 1)
		var s stp.Sender
		renewing := factors(0.1, 10)
		r := rand.New(rng.Stream(1, "plastic"))
		step := int64(0)
		for i := range 2000 {
			d := int64(100 + r.ExpFloat64()*100)
			if i%50 == 49 {
				d *= 1000
			}
			step += d
			got, want := x.spike(0, d), s.Spike(float64(step)*0.1, &p)
			if math.Abs(float64(got)/want-1) > 2e-7 {
				t.Fatalf("%+v: spike %d brings %v, must bring %v", p, i, got, want)
			}
			if p == stp.Renewing(10) && i > 0 {
				if f := renewing[min(d, int64(len(renewing)-1))]; math.Abs(float64(got-f)) > 2e-7 {
					t.Fatalf("renewing: spike %d brings %v, must bring %v", i, got, f)
				}
			}
		}
	}
}

// TestFixedError: integers hold every weight to half of their step, at most 2⁻¹⁵ of the
// largest weight of its class.
func TestFixedError(t *testing.T) {
	c := common(120, 400)
	plain := fast(t, c, best()).onJ
	c.Fixed = true
	m := fast(t, c, best()).onJ
	cls, exact := &m.classes[0], &plain.classes[0]
	if len(m.classes) != 1 || cls.i == nil || len(cls.i) != len(exact.f) {
		t.Fatalf("%d classes", len(m.classes))
	}
	most, worst := 0.0, 0.0
	for i, w := range exact.f {
		most = math.Max(most, math.Abs(float64(w)))
		worst = math.Max(worst, math.Abs(float64(w)-float64(cls.i[i])*float64(cls.scale)))
	}
	if f, _ := math.Frexp(float64(cls.scale)); f != 0.5 || worst > most/(1<<15) || worst == 0 {
		t.Errorf("step %v, error %v, largest weight %v", cls.scale, worst, most)
	}
}

// TestOverflow: what single precision cannot hold is refused.
func TestOverflow(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"weight 1e+200 from neuron 0 to 1": func(c *Config) { c.Weights[1] = 1e200 },
		"neuron 2":                         func(c *Config) { c.Rest[2] = 1e60 },
	} {
		c := common(3, 400)
		change(&c)
		if _, ok, err := NewFast(c, best()); ok || err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "overflows") {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	c := common(3, 400)
	c.NoiseI[0] = dynamics.Poisson{Rate: 1e-10, Weight: 1e40}
	for _, neurons := range [][]Neuron{nil, {c.neuron(0), c.neuron(0), c.neuron(0)}} {
		c.Neurons = neurons
		if _, ok, err := NewFast(c, best()); ok || err == nil || !strings.Contains(err.Error(), "overflows") {
			t.Errorf("huge events: %v, %v", ok, err)
		}
	}
	c = common(3, 400)
	c.Refractory = 1 << 31
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "need more than 8 GB") {
		t.Errorf("2^31 steps: %v", err)
	}
	c = common(3, 400)
	c.NoiseE = append(c.NoiseE, dynamics.Poisson{})
	if _, ok, err := NewFast(c, best()); !ok || err != nil {
		t.Errorf("a source without events: %v, %v", ok, err)
	}
}

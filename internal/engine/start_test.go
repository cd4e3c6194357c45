package engine

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/stp"
)

// TestFastReset: a fast network that has run, for a time that is no multiple of anything,
// starts anew as if it were new, with spikes on their way and input on.
func TestFastReset(t *testing.T) {
	for _, kind := range kinds {
		for _, coba := range []bool{false, true} {
			c := common(9, 1000)
			if coba {
				c = conductances(c)
			}
			kind.change(&c)
			fresh, used := fast(t, c, best()), fast(t, c, best())
			used.Reset(slices.Repeat([]uint8{1}, c.units()), rng.Stream(1, "used"))
			buf := make([]sampling.Flip, 0, 1<<16)
			used.Run(777, buf)
			for used.mail.given == used.mail.sent { // until a spike is on its way
				used.Run(used.step+1, buf)
			}
			var flips [2]string
			for i, f := range []*Fast{fresh, used} {
				f.Reset(nil, rng.Stream(2, "again"))
				flips[i] = fmt.Sprint(f.Run(3000, buf), f.Potential())
			}
			if flips[0] != flips[1] {
				t.Errorf("%s, coba %v: another run after Reset", kind.name, coba)
			}
		}
	}
}

// TestFastRectangular: rectangular input of the fast engine is on from Delay steps after a
// spike for a refractory time, also from spikes before the start, and leaves nothing behind.
func TestFastRectangular(t *testing.T) {
	for _, delay := range []int{1, 30, 250} {
		c := conductances(common(4, 1000))
		c.Rectangular, c.Delay = true, delay
		for i := range c.Weights {
			c.Weights[i] = 0.001 * float64(i%5-2)
		}
		f := fast(t, c, best())
		const steps = 1500
		f.Reset(nil, rng.Stream(1, "rectangular"))
		on := slices.Clone(f.State())
		input := make([][4]float64, steps+1) // of conductance and of drive, by step
		add := func(from int64, unit int32) {
			for n := max(from, 0); n < min(from+int64(c.Refractory), steps+1); n++ {
				for k, w := range c.Weights[4*unit:][:4] {
					input[n][k] += math.Abs(w)
				}
			}
		}
		seen := [4]bool{}
		for _, x := range f.Run(steps, make([]sampling.Flip, 0, 1<<10)) {
			n := int64(math.Round(x.Time / c.Dt))
			if x.On == 0 && on[x.Unit] == 1 && !seen[x.Unit] {
				add(n-int64(c.Refractory)+int64(delay), x.Unit)
			} else if x.On == 1 {
				add(n+int64(delay), x.Unit)
			}
			seen[x.Unit] = true
		}
		f.Reset(nil, rng.Stream(1, "rectangular"))
		for n := range int64(steps + 1) {
			f.Run(n, make([]sampling.Flip, 0, 8))
			for k := range 4 {
				near(t, fmt.Sprintf("delay %d, step %d: conductance onto %d", delay, n, k), float64(f.l[k])*c.C/c.Dt-c.GLeak, input[n][k], 1e-7)
			}
		}
	}
}

// TestFastSynapses: a spike is in the current of its targets after Delay steps, on the side
// of its sign, whatever steps them.
func TestFastSynapses(t *testing.T) {
	for _, kind := range []string{"same", "own", "two tau", "plastic"} {
		c, jump := senderNet(), 1.0
		c.N, c.Delay, c.TauI = 3, 5, c.TauE
		c.Rest, c.Weights = []float64{-60, -60, -60}, []float64{0, 0.003, -0.002, 0, 0, 0, 0, 0, 0}
		switch kind {
		case "own":
			c.Neurons = slices.Repeat([]Neuron{c.neuron(0)}, 3)
		case "two tau":
			c.TauI = 4
		case "plastic":
			c.Plasticity, jump = &stp.Params{U: 0.5, TauRec: 100, Scale: 3}, 1.5
		}
		f := fast(t, c, best())
		f.Reset([]uint8{1, 0, 0}, nil) // as if it had spiked at time 0
		for n := range int64(8) {
			f.Run(n, make([]sampling.Flip, 0, 6))
			wantE, wantI := make([]float64, 3), make([]float64, 3)
			if n >= 5 {
				wantE[1], wantI[2] = jump*0.003*math.Exp(-float64(n-5)*c.Dt/c.TauE), jump*0.002*math.Exp(-float64(n-5)*c.Dt/c.TauI)
			}
			exc, inh := f.Synapses()
			for k := range 3 {
				near(t, fmt.Sprintf("%s, step %d: excitation of %d", kind, n, k), exc[k], wantE[k], 1e-9)
				near(t, fmt.Sprintf("%s, step %d: inhibition of %d", kind, n, k), inh[k], wantI[k], 1e-9)
			}
		}
	}
}

// TestExponent: conductances stay below the bound that the step is chosen by, and with
// senders that are always on they get to more than half of it.
func TestExponent(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"renewing":        func(c *Config) {},
		"renewing, slow":  func(c *Config) { c.Neurons[0].TauE, c.Neurons[0].TauI = 150, 90 },
		"static":          func(c *Config) { c.Static = true },
		"static, slow":    func(c *Config) { c.Static, c.Neurons[0].TauE = true, 150 },
		"plastic":         func(c *Config) { c.Plasticity = &stp.Params{U: 0.1, Scale: 10} },
		"facilitating":    func(c *Config) { c.Plasticity = &stp.Params{U: 0.1, TauFac: 1000, Scale: 1} },
		"rectangular":     func(c *Config) { c.Rectangular, c.Neurons[0].TauE = true, 0.05 },
		"statics":         func(c *Config) { statics(c); c.Neurons[0].TauE = 100 },
		"profile":         func(c *Config) { noise(c); c.Profile = &Profile{Factor: []float64{9}, Every: 1} },
		"background gain": func(c *Config) { noise(c); c.Neurons[0].Gain = 7 },
	} {
		c := conductances(common(3, 0))
		c.Rest = []float64{1000, 1000, 1000} // always on
		c.Neurons = slices.Repeat([]Neuron{c.neuron(0)}, c.N)
		c.Weights = []float64{0, 0, 0, 0.1, 0, 0, -0.1, 0, 0}
		change(&c)
		f := newFast(c, ownConductances, best())
		if ok, err := f.setUp(); !ok || err != nil {
			t.Fatalf("%s: %v, %v", name, ok, err)
		}
		bound, most := f.exponent(), 0.0
		f.Reset([]uint8{1, 1, 1}, rng.Stream(1, "exponent"))
		for range 20000 {
			f.Run(f.step+1, make([]sampling.Flip, 0, 6))
			most = math.Max(most, float64(f.l[0]+f.j[0]+f.ji[0]))
		}
		if most > bound*(1+1e-5) || most < bound/2 {
			t.Errorf("%s: up to %v, bound %v", name, most, bound)
		}
	}
}

// noise is a background that dominates.
func noise(c *Config) {
	c.NoiseE = []dynamics.Poisson{{Rate: 5000, Weight: 0.0005}}
	c.NoiseI = nil
	clear(c.Weights)
}

// TestPadding: lanes without a unit keep quiet whatever the scale of rectangular input.
func TestPadding(t *testing.T) {
	for _, p := range kernel.Paths() {
		c := common(3, 1000)
		c.Neurons = slices.Repeat([]Neuron{c.neuron(0)}, c.N)
		c.Rectangular = true
		for i := range c.Weights {
			c.Weights[i] *= 1e15
		}
		f := fast(t, c, p)
		f.Reset(nil, rng.Stream(1, "padding"))
		if flips := f.Run(1000, make([]sampling.Flip, 0, 1<<10)); len(flips) < 10 {
			t.Errorf("%v: %d flips", p, len(flips))
		}
	}
}

// TestTextbookRate: the baseline has the rate of the engine, also where time constants are
// equal: 20 neurons for 10 s, within 2 %.
func TestTextbookRate(t *testing.T) {
	for _, tau := range []float64{10, 1} {
		c := common(20, 400)
		c.TauE, c.TauI = tau, tau
		const steps = 100000
		x := NewTextbook(c, rng.Stream(1, "textbook"))
		x.Run(steps)
		f := fast(t, c, best())
		f.Reset(nil, rng.Stream(1, "fast"))
		spikes := 0
		for _, flip := range f.Run(steps, make([]sampling.Flip, 0, 1<<17)) {
			spikes += int(flip.On)
		}
		near(t, fmt.Sprintf("spikes with τ_syn = %v", tau), float64(x.Spikes)/float64(spikes), 1, 0.02)
	}
}

// TestProfileTables: in every block of a profile a network draws as one whose rates are
// always those, also where they need more columns.
func TestProfileTables(t *testing.T) {
	for kind, change := range map[string]func(c *Config){
		"currents":         func(c *Config) {},
		"conductances":     func(c *Config) { *c = conductances(*c) },
		"own":              own,
		"own conductances": func(c *Config) { *c = conductances(*c); own(c) },
	} {
		c := common(3, 400)
		c.NoiseI[0].Rate = 700
		change(&c)
		c.Profile = &Profile{Factor: []float64{1, 20, 0, 0.5}, Every: 7}
		f := fast(t, c, best())
		f.Reset(nil, rng.Stream(1, "tables"))
		for i, x := range c.Profile.Factor {
			f.Run(int64(7*i+1), make([]sampling.Flip, 0, 1<<10))
			at := c
			at.Profile, at.NoiseE, at.NoiseI = nil, slices.Clone(c.NoiseE), slices.Clone(c.NoiseI)
			at.NoiseE[0].Rate *= x
			at.NoiseI[0].Rate *= x
			want := fast(t, at, best())
			b, w := &f.block, &want.block
			same := b.Columns == w.Columns && b.Thr == w.Thr && b.Alias == w.Alias && (b.Off == w.Off || x == 0)
			g, v := &f.cond, &want.cond
			same = same && g.Columns == v.Columns && g.ThrE == v.ThrE && g.ThrI == v.ThrI && g.AliasE == v.AliasE && g.AliasI == v.AliasI
			p, q := &f.gen, &want.gen
			same = same && p.Columns == q.Columns && p.ThrE == q.ThrE && p.ThrI == q.ThrI && p.AliasE == q.AliasE && p.AliasI == q.AliasI
			if !same {
				t.Errorf("%s: other draws at factor %v", kind, x)
			}
		}
	}
}

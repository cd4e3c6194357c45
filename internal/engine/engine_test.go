package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// noisy is a network of n neurons near half activation with background noise and random
// couplings, like those that sample.
func noisy(n int, conductance bool) Config {
	c := Config{
		N: n, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.2, TauE: 10, TauI: 10, Theta: -50, Reset: -50.001,
		Rest: make([]float64, n), Weights: make([]float64, n*n),
		NoiseE: []dynamics.Poisson{{Rate: 1000, Weight: 0.001}}, NoiseI: []dynamics.Poisson{{Rate: 1000, Weight: 0.001}},
	}
	rest, w := -50.0, 0.003
	if conductance {
		c.Conductance, c.RevE, c.RevI = true, 0, -100
		c.NoiseE[0].Rate, c.NoiseI[0].Rate = 3000, 3000
		rest, w = -50.6, 0.005
	}
	r := rand.New(rng.Stream(1, "couplings"))
	for k := range c.Rest {
		c.Rest[k] = rest + 0.01*float64(k%3-1)
	}
	for i := range c.Weights {
		if i%(n+1) != 0 {
			c.Weights[i] = w * r.NormFloat64() / math.Sqrt(float64(n))
		}
	}
	return c
}

// variants are noisy networks of every kind that the engine steps differently.
func variants(n int) []struct {
	name string
	c    Config
} {
	var vs []struct {
		name string
		c    Config
	}
	add := func(name string, conductance bool, change func(*Config)) {
		c := noisy(n, conductance)
		change(&c)
		vs = append(vs, struct {
			name string
			c    Config
		}{name, c})
	}
	for _, conductance := range []bool{false, true} {
		kind := map[bool]string{false: "cuba", true: "coba"}[conductance]
		add(kind, conductance, func(*Config) {})
		add(kind+"/rectangular", conductance, func(c *Config) { c.Rectangular = true })
		add(kind+"/static", conductance, func(c *Config) { c.Static = true })
		add(kind+"/precise", conductance, func(c *Config) { c.Precise = true })
		add(kind+"/precise,rectangular", conductance, func(c *Config) { c.Precise, c.Rectangular = true, true })
		add(kind+"/delayed", conductance, func(c *Config) { c.Delay, c.Refractory = 7, 3 })
		add(kind+"/delayed,rectangular", conductance, func(c *Config) { c.Delay, c.Refractory, c.Rectangular = 250, 20, true })
		add(kind+"/three sources", conductance, func(c *Config) {
			c.NoiseE = append(c.NoiseE, dynamics.Poisson{Rate: 50, Weight: 0.002})
		})
		add(kind+"/unconnected", conductance, func(c *Config) { c.Weights = nil })
	}
	return vs
}

func newEngine(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// room is enough for every flip of that many steps.
func room(c Config, steps int) []sampling.Flip {
	return make([]sampling.Flip, 0, c.N*(2*steps/c.Refractory+4)+2*c.N)
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Fatalf("%s: %.15g: must be %.15g ± %.2g", what, got, want, tol)
	}
}

// TestFlips: flips change their unit's state, are in time order and on the grid (inside
// their step if precise), and a unit that is on stays so for exactly the refractory time
// and off for at least a step.
func TestFlips(t *testing.T) {
	const steps = 5000
	for _, v := range variants(6) {
		t.Run(v.name, func(t *testing.T) {
			e, c := newEngine(t, v.c), v.c
			e.Reset(nil, rng.Stream(2, "flips"))
			z := slices.Clone(e.State())
			since := make([]float64, c.N)
			for k := range since {
				since[k] = math.NaN() // not known for units that start on
			}
			last, ons := 0.0, 0
			tauRef := float64(c.Refractory) * c.Dt
			for n := range int64(steps) {
				for _, f := range e.Run(n+1, room(c, 1)) {
					if f.Time < last || f.Time < float64(n)*c.Dt || f.Time > float64(n+1)*c.Dt {
						t.Fatalf("flip %+v after %v in step %d", f, last, n+1)
					}
					if !c.Precise && f.Time != float64(n+1)*c.Dt {
						t.Fatalf("flip %+v in step %d: must be at its end", f, n+1)
					}
					if f.On == z[f.Unit] {
						t.Fatalf("flip %+v changes nothing", f)
					}
					length := f.Time - since[f.Unit]
					if f.On == 1 {
						ons++
						if !c.Precise && length < c.Dt*(1-1e-9) {
							t.Fatalf("unit %d was off for %v ms", f.Unit, length)
						}
					} else if math.Abs(length-tauRef) > 1e-9 {
						t.Fatalf("unit %d was on for %v ms: must be %v", f.Unit, length, tauRef)
					}
					last, since[f.Unit], z[f.Unit] = f.Time, f.Time, f.On
				}
				if !slices.Equal(z, e.State()) || e.Steps() != n+1 || e.Time() != float64(n+1)*c.Dt {
					t.Fatalf("step %d: state %v: flips say %v", n+1, e.State(), z)
				}
			}
			if ons < 4*c.N {
				t.Errorf("%d spikes: the test says nothing", ons)
			}
		})
	}
}

// TestBuffer: Run stops where the buffer might not hold another step and continues there;
// the flips are those of one long run whatever the buffers.
func TestBuffer(t *testing.T) {
	const steps = 4000
	for _, v := range variants(5) {
		t.Run(v.name, func(t *testing.T) {
			e, c := newEngine(t, v.c), v.c
			e.Reset(nil, rng.Stream(3, "buffer"))
			want := e.Run(steps, room(c, steps))
			if e.Steps() != steps {
				t.Fatalf("stopped after %d steps", e.Steps())
			}
			potential := slices.Clone(e.Potential())
			for _, size := range []int{2 * c.N, 2*c.N + 1, 64} {
				e.Reset(nil, rng.Stream(3, "buffer"))
				// The flips already in the buffer stay.
				prefix := sampling.Flip{Time: -1, Unit: 77, On: 9}
				buf := append(make([]sampling.Flip, 0, size+1), prefix)
				var got []sampling.Flip
				for e.Steps() < steps {
					before := e.Steps()
					flips := e.Run(steps, buf)
					if e.Steps() == before {
						t.Fatalf("buffer of %d: no progress at step %d", size, before)
					}
					if &flips[0] != &buf[0] || flips[0] != prefix {
						t.Fatalf("buffer of %d: another array, or its start was overwritten", size)
					}
					if e.Steps() < steps && cap(flips)-len(flips) >= 2*c.N {
						t.Fatalf("buffer of %d: stopped with room for %d flips", size, cap(flips)-len(flips))
					}
					got = append(got, flips[1:]...)
				}
				if !slices.Equal(got, want) || !slices.Equal(e.Potential(), potential) {
					t.Errorf("buffer of %d: %d flips, not the %d of one run", size, len(got), len(want))
				}
			}
			// Too small a buffer: nothing moves.
			e.Reset(nil, rng.Stream(3, "buffer"))
			if flips := e.Run(steps, make([]sampling.Flip, 0, 2*c.N-1)); len(flips) != 0 || e.Steps() != 0 {
				t.Errorf("%d steps with a buffer that is too small", e.Steps())
			}
		})
	}
}

// TestReset: a network that has run starts anew as if it were new.
func TestReset(t *testing.T) {
	const steps = 3000
	for _, v := range variants(5) {
		e, c := newEngine(t, v.c), v.c
		e.Reset(nil, rng.Stream(4, "reset"))
		want := e.Run(steps, room(c, steps))
		e.Reset([]uint8{1, 1, 1, 1, 0}, rng.Stream(5, "reset"))
		if z := e.State(); !slices.Equal(z, []uint8{1, 1, 1, 1, 0}) || e.Time() != 0 {
			t.Errorf("%s: starts in %v at %v", v.name, z, e.Time())
		}
		e.Run(steps+17, room(c, steps))
		e.Reset(nil, rng.Stream(4, "reset"))
		if got := e.Run(steps, room(c, steps)); !slices.Equal(got, want) {
			t.Errorf("%s: another run after Reset", v.name)
		}
	}
}

// TestStart: units that start on are at a uniformly drawn point of their refractory time,
// and without a start each is on with probability ½, whatever its neighbour: mean and shares
// within 4.5 standard errors (false alarm 1e-5 each; the seed is fixed), in both engines.
func TestStart(t *testing.T) {
	const n = 20000
	c := noisy(1, false)
	c.N, c.Rest, c.Weights = n, make([]float64, n), nil
	for k := range c.Rest {
		c.Rest[k] = -60
	}
	own := c
	own.Neurons = slices.Repeat([]Neuron{c.neuron(0)}, n)
	for _, e := range []moving{newEngine(t, c), fast(t, c, best()), fast(t, own, best())} {
		e.Reset(nil, rng.Stream(6, "start"))
		on, pairs := 0, 0
		for k, z := range e.State() {
			on += int(z)
			pairs += k % 2 * int(z&e.State()[k&^1])
		}
		near(t, "share on", float64(on)/n, 0.5, 4.5*0.5/math.Sqrt(n))
		near(t, "share of pairs on", float64(pairs)/(n/2), 0.25, 4.5*math.Sqrt(0.25*0.75/(n/2)))
		sum, seen := 0.0, make([]int, c.Refractory+1)
		flips := e.Run(int64(c.Refractory), room(c, c.Refractory))
		for _, f := range flips {
			steps := int(math.Round(f.Time / c.Dt))
			seen[steps]++
			sum += float64(steps)
		}
		if len(flips) != on || seen[0] != 0 || seen[1] == 0 || seen[c.Refractory] == 0 {
			t.Fatalf("%d of %d units ended in 1..%d steps", len(flips), on, c.Refractory)
		}
		sd := math.Sqrt(float64(c.Refractory*c.Refractory-1) / 12)
		near(t, "mean of the rest of the refractory time", sum/float64(on), float64(c.Refractory+1)/2, 4.5*sd/math.Sqrt(float64(on)))
	}
}

// TestGenerator: a neuron's stream is xoroshiro128++, as published: these are the first
// outputs of the reference implementation (https://prng.di.unimi.it) from the state 1, 2.
func TestGenerator(t *testing.T) {
	e := newEngine(t, noisy(2, false))
	copy(e.s, []uint64{77, 78, 1, 2})
	for i, want := range []uint64{393217, 669327710093319, 1732421326133921491, 11394790081659126983, 9555452776773192676,
		3586421180005889563, 1691397964866707553, 10735626796753111697, 15216282715349408991, 14247243556711267923} {
		if got := e.next(1); got != want {
			t.Fatalf("output %d is %d: must be %d", i, got, want)
		}
	}
	if e.s[0] != 77 || e.s[1] != 78 {
		t.Error("the stream of another neuron moved")
	}
}

// counter counts the words drawn from a source.
type counter struct {
	rand.Source
	n int
}

func (c *counter) Uint64() uint64 { c.n++; return c.Source.Uint64() }

// TestNeuronStreams: each neuron takes two words for a stream of its own, in order, and
// nothing later; so neurons appended to a network change nothing for those before them.
func TestNeuronStreams(t *testing.T) {
	const steps, few, many = 5000, 3, 8
	for _, v := range variants(few) {
		run := func(n int) (flips []sampling.Flip, exc []float64) {
			c := v.c
			c.N, c.Rest, c.Weights = n, make([]float64, n), nil
			for k := range c.Rest {
				c.Rest[k] = v.c.Rest[k%few]
			}
			e := newEngine(t, c)
			src := &counter{Source: rng.Stream(7, "neurons")}
			e.Reset(nil, src)
			for _, f := range e.Run(steps, room(c, steps)) {
				if f.Unit < few {
					flips = append(flips, f)
				}
			}
			if src.n != 2*n {
				t.Errorf("%s: %d neurons took %d words", v.name, n, src.n)
			}
			exc, _ = e.Synapses()
			return flips, exc[:few]
		}
		a, xa := run(few)
		b, xb := run(many)
		if len(a) < 2*few || !slices.Equal(a, b) || !slices.Equal(xa, xb) {
			t.Errorf("%s: %d flips alone, %d in a larger network: must be the same", v.name, len(a), len(b))
		}
	}
}

// TestSilent: without noise nothing is drawn, also not from a source that is there.
func TestSilent(t *testing.T) {
	for _, v := range variants(3) {
		c := v.c
		c.NoiseE, c.NoiseI = nil, []dynamics.Poisson{{Rate: 0, Weight: 1}}
		e := newEngine(t, c)
		if e.Noisy() {
			t.Errorf("%s: noisy", v.name)
		}
		e.Reset(nil, nil)
		e.Run(1000, room(c, 1000))
	}
}

// TestTrace: the trace is the potential of the listed units after every step, until its
// capacity is used up.
func TestTrace(t *testing.T) {
	c := noisy(5, false) // odd, so that copies do not follow each other directly
	c.TraceUnits, c.TraceCapacity = []int{3, 1, 9}, 50
	c.Copies = 3
	for name, build := range both(t, c) {
		e := build()
		e.Reset(nil, rng.Stream(8, "trace"))
		var want []float64
		for n := range int64(80) {
			e.Run(n+1, make([]sampling.Flip, 0, 30))
			if u := e.Potential(); n < 50 {
				want = append(want, u[3], u[1], u[9])
			}
		}
		if !slices.Equal(e.Trace(), want) {
			t.Errorf("%s: trace of %d values: must be %d", name, len(e.Trace()), len(want))
		}
		e.Reset(nil, rng.Stream(8, "trace"))
		if len(e.Trace()) != 0 {
			t.Errorf("%s: the trace outlives Reset", name)
		}
		e.Run(80, make([]sampling.Flip, 0, 1<<10))
		if !slices.Equal(e.Trace(), want) {
			t.Errorf("%s: the trace of a run is not that of its steps", name)
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		says   string
	}{
		{func(c *Config) { c.N = 0 }, "0 neurons"},
		{func(c *Config) { c.N = -1 }, "-1 neurons"},
		{func(c *Config) { c.Rest = c.Rest[1:] }, "2 resting potentials"},
		{func(c *Config) { c.Weights = c.Weights[1:] }, "8 weights"},
		{func(c *Config) { c.NoiseI[0].Rate = 1e9 }, "Hz"},
	} {
		cfg := noisy(3, false)
		c.change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v: must say %q", err, c.says)
		}
	}
}

// TestNoAllocation: steps allocate nothing, spikes and full buffers included.
func TestNoAllocation(t *testing.T) {
	for _, v := range variants(10) {
		e := newEngine(t, v.c)
		e.Reset(nil, rng.Stream(9, "allocation"))
		buf := room(v.c, 1000)
		flips := 0
		allocs := testing.AllocsPerRun(5, func() {
			flips += len(e.Run(e.Steps()+1000, buf))
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations in 1000 steps", v.name, allocs)
		}
		if flips < 100 {
			t.Errorf("%s: %d flips: the test says nothing", v.name, flips)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, conductance := range []bool{false, true} {
		for _, n := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/N=%d", map[bool]string{false: "cuba", true: "coba"}[conductance], n), func(b *testing.B) {
				const steps = 100
				c := noisy(n, conductance)
				e := newEngine(b, c)
				e.Reset(nil, rng.Stream(10, "bench"))
				buf := room(c, steps)
				b.ReportAllocs()
				for b.Loop() {
					e.Run(e.Steps()+steps, buf)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*steps*n), "ns/neuron-step")
			})
		}
	}
}

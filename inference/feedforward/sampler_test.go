package feedforward_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

var long = flag.Bool("long", false, "run the tests that take minutes")

// oddFirst is the machine given x with an unconnected unit as layer 0, so that BlockGibbs, which
// draws layers 1, 3, … first, begins with h_1 and h_3.
func oddFirst(t testing.TB, n *feedforward.Network, x []float64) *boltzmann.Layered {
	t.Helper()
	m, err := n.Given(x)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := m.Layer(0)
	_, end := m.Layer(0)
	w, b := []mat.Matrix{mat.NewDense(1, end-first, nil)}, [][]float64{{0}}
	for l := range m.Layers() {
		from, to := m.Layer(l)
		var bias []float64
		for k := from; k < to; k++ {
			bias = append(bias, m.Bias(k))
		}
		b = append(b, bias)
		if l+1 < m.Layers() {
			w = append(w, m.Weight(l))
		}
	}
	out, err := boltzmann.NewLayered(w, b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSampledEvolution is acceptance 5: 20,000 Gibbs chains from every start have the exact
// marginals of p_t, in both orders of the layers. 3 starts, 2 inputs, 5 times, 12 units, 2 orders
// are 720 comparisons, of which one fails by chance with probability 4e-4 at 5 standard errors.
func TestSampledEvolution(t *testing.T) {
	const chains = 20000
	n, x := machine(t, 1, false), patterns()
	at := []int{0, 1, 2, 5, 10}
	for which, init := range []feedforward.Initializer{feedforward.Feedforward{}, feedforward.Constant(.5), feedforward.Constant(0)} {
		s := start(t, n, x, init)
		for _, b := range []int{0, 3} {
			row := mat.Row(nil, b, x)
			for _, order := range []feedforward.Order{feedforward.OddFirst, feedforward.EvenFirst} {
				m, skip := oddFirst(t, n, row), 1
				if order == feedforward.EvenFirst {
					var err error
					if m, err = n.Given(row); err != nil {
						t.Fatal(err)
					}
					skip = 0
				}
				counts := sampled(t, m, s, b, skip, chains, at)
				k, err := feedforward.NewKernel(n, row, order)
				if err != nil {
					t.Fatal(err)
				}
				p, err := k.Product(s.Row(nil, b))
				if err != nil {
					t.Fatal(err)
				}
				for i, sweeps := range at {
					before := 0
					if i > 0 {
						before = at[i-1]
					}
					if err := k.Evolve(p, sweeps-before); err != nil {
						t.Fatal(err)
					}
					exact, err := k.Marginals(p)
					if err != nil {
						t.Fatal(err)
					}
					for u, q := range exact {
						// Rates below 1 in chains are no normal law: 40/chains allows for their counts.
						tol := 5*math.Sqrt(q*(1-q)/chains) + 40./chains*math.Min(1, math.Exp(-q*(1-q)*chains/10))
						near(t, fmt.Sprintf("start %d, x%d, order %d, unit %d after %d sweeps", which, b, order, u, sweeps), counts[i][u]/chains, q, tol)
					}
				}
			}
		}
	}
}

// sampled counts units that are on after some sweeps, leaving out the first ones.
func sampled(t testing.TB, m *boltzmann.Layered, s feedforward.State, b, skip, chains int, at []int) [][]float64 {
	t.Helper()
	g, err := boltzmann.NewBlockGibbs(m, boltzmann.BlockGibbsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counts := make([][]float64, len(at))
	for i := range counts {
		counts[i] = make([]float64, m.Dim()-skip)
	}
	z, buf := make([]uint8, m.Dim()), make([]sampling.Flip, 0, 4*m.Dim())
	r := rand.New(rng.Stream(7, "chains"))
	for range chains {
		if err := s.Draw(z[skip:], b, r); err != nil {
			t.Fatal(err)
		}
		if err := g.Reset(z, r); err != nil {
			t.Fatal(err)
		}
		for i, sweeps := range at {
			for g.Time() < float64(sweeps) {
				if buf, err = g.Advance(float64(sweeps), buf); err != nil {
					t.Fatal(err)
				}
			}
			for u, on := range g.State()[skip:] {
				counts[i][u] += float64(on)
			}
		}
	}
	return counts
}

// TestInitIndependence is acceptance 6: after 2000 sweeps, nothing is left of the start. The
// fast chains sample a machine whose weights are rounded; its own exact marginals count. 400
// chains, 3 starts, 12 units, 3 inputs: 108 comparisons at 5 standard errors.
func TestInitIndependence(t *testing.T) {
	const chains = 400
	n, x := machine(t, 1, false), patterns()
	for _, init := range []feedforward.Initializer{feedforward.Feedforward{}, feedforward.Constant(.5), feedforward.Constant(0)} {
		s := start(t, n, x, init)
		for _, b := range []int{0, 2, 5} {
			m, err := n.Given(mat.Row(nil, b, x))
			if err != nil {
				t.Fatal(err)
			}
			f, err := boltzmann.NewFastChains(m, boltzmann.FastChainsOptions{Chains: chains})
			if err != nil {
				t.Fatal(err)
			}
			one := feedforward.State{}
			for _, h := range s {
				one = append(one, mat.DenseCopyOf(h.Slice(b, b+1, 0, h.RawMatrix().Cols)))
			}
			starts, err := one.Starts(3)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Reset(starts, func(c int) rand.Source { return rng.Stream(4, "chain", c) }); err != nil {
				t.Fatal(err)
			}
			if err := f.Sweep(2000); err != nil {
				t.Fatal(err)
			}
			p, err := boltzmann.Joint(f.Model())
			if err != nil {
				t.Fatal(err)
			}
			exact, on := make([]float64, m.Dim()), make([]float64, m.Dim())
			for state, q := range p {
				for u := range exact {
					exact[u] += q * float64(state>>u&1)
				}
			}
			for c := range chains {
				for u, v := range f.State(c) {
					on[u] += float64(v)
				}
			}
			for u, q := range exact {
				near(t, fmt.Sprintf("%T, x%d, unit %d", init, b, u), on[u]/chains, q, 5*math.Sqrt(q*(1-q)/chains)+5./chains)
			}
		}
	}
}

// bias is |bias| of the running mean over the first 20 refractory times, averaged over units and
// inputs, of runs that start from s: against the exact marginals, and against rest, if given,
// which are the rates that the sampler itself comes to.
func bias(t testing.TB, n *feedforward.Network, s feedforward.State, runs int, sampler func(m *boltzmann.Layered, runs int) sampling.Ensemble, rest [][]float64) (exact, own float64) {
	t.Helper()
	x := patterns()
	for b := range 6 {
		k, err := feedforward.NewKernel(n, mat.Row(nil, b, x), feedforward.OddFirst)
		if err != nil {
			t.Fatal(err)
		}
		p, err := k.Marginals(nil)
		if err != nil {
			t.Fatal(err)
		}
		mean := running(t, n, s, b, runs, sampler, 0, 200)
		for u, q := range p {
			exact += math.Abs(mean[u]-q) / float64(len(p)*6)
			if rest != nil {
				own += math.Abs(mean[u]-rest[b][u]) / float64(len(p)*6)
			}
		}
	}
	return exact, own
}

// running is the mean of every unit from begin to end over runs that start from sample b of s.
func running(t testing.TB, n *feedforward.Network, s feedforward.State, b, runs int, sampler func(m *boltzmann.Layered, runs int) sampling.Ensemble, begin, end float64) []float64 {
	t.Helper()
	m, err := n.Given(mat.Row(nil, b, patterns()))
	if err != nil {
		t.Fatal(err)
	}
	e := sampler(m, runs)
	units := m.Dim()
	z := make([]uint8, units*runs)
	src := make([]rand.Source, runs)
	for c := range runs {
		r := rng.Stream(11, "run", b, c)
		if err := s.Draw(z[c*units:(c+1)*units], b, rand.New(r)); err != nil {
			t.Fatal(err)
		}
		src[c] = r
	}
	if err := e.ResetChains(z, src); err != nil {
		t.Fatal(err)
	}
	mean := dwell(t, e, units, begin, end)
	for u := range mean {
		mean[u] /= float64(runs)
	}
	return mean
}

// dwell is the share of time from begin to end that units were on, summed over chains.
func dwell(t testing.TB, e sampling.Ensemble, units int, begin, end float64) []float64 {
	t.Helper()
	mean := make([]float64, units)
	for i, on := range e.State() {
		mean[i%units] += float64(on)
	}
	var err error
	buf := make([]sampling.Flip, 0, 1<<14+4*e.Dim())
	for e.Time() < end-1e-9 {
		if buf, err = e.Advance(end, buf); err != nil {
			t.Fatal(err)
		}
		for _, f := range buf {
			left := min(1, max(0, (end-f.Time)/(end-begin)))
			if f.On == 1 {
				mean[int(f.Unit)%units] += left
			} else {
				mean[int(f.Unit)%units] -= left
			}
		}
	}
	return mean
}

// chainsOf runs samplers of one chain as an ensemble.
type chainsOf struct {
	s     []sampling.Sampler
	state []uint8
	time  float64
}

func (c *chainsOf) Dim() int                             { return len(c.s) * c.s[0].Dim() }
func (c *chainsOf) Chains() int                          { return len(c.s) }
func (c *chainsOf) Reset(_ []uint8, _ rand.Source) error { panic("not used") }
func (c *chainsOf) State() []uint8                       { return c.state }
func (c *chainsOf) Time() float64                        { return c.time }
func (c *chainsOf) ResetChains(z []uint8, src []rand.Source) error {
	n := c.s[0].Dim()
	c.state, c.time = z, 0
	for i, s := range c.s {
		if err := s.Reset(z[i*n:(i+1)*n], src[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *chainsOf) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	buf = buf[:0]
	one := make([]sampling.Flip, 0, 64*c.s[0].Dim())
	for i, s := range c.s {
		for s.Time() < t {
			var err error
			if one, err = s.Advance(t, one); err != nil {
				return nil, err
			}
			for _, f := range one {
				f.Unit += int32(i * s.Dim())
				buf = append(buf, f)
			}
		}
	}
	c.time = t
	return buf, nil
}

// TestSpikingStart is acceptance 7: a pass before the run halves the bias of the first 20
// refractory times at least, in the abstract sampler and in a network of LIF neurons.
func TestSpikingStart(t *testing.T) {
	runs := 1000
	if *long {
		runs = 5000
	}
	n, x := machine(t, 1, false), patterns()
	neural := func(m *boltzmann.Layered, runs int) sampling.Ensemble {
		c := &chainsOf{}
		for range runs {
			s, err := lif.NewNeural(m, lif.NeuralOptions{Update: lif.Continuous})
			if err != nil {
				t.Fatal(err)
			}
			c.s = append(c.s, s)
		}
		return c
	}
	network := func(set lif.Setup) func(m *boltzmann.Layered, runs int) sampling.Ensemble {
		return func(m *boltzmann.Layered, runs int) sampling.Ensemble {
			d, err := m.Machine()
			if err != nil {
				t.Fatal(err)
			}
			s, err := lif.NewSampler(d, set, lif.Options{Extrapolate: true, Network: lif.NetworkOptions{Replicas: runs}})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	rect := lif.TutorialCUBA()
	rect.PSP = lif.Rect
	for _, c := range []struct {
		name  string
		limit float64 // of the ratio against exact marginals; those of LIF networks are off at any time
		make  func(m *boltzmann.Layered, runs int) sampling.Ensemble
	}{{"neural", .5, neural}, {"LIF, rectangular PSPs", .5, network(rect)}, {"LIF, tutorial-cuba", 1, network(lif.TutorialCUBA())}, {"LIF, Petrovici 2016", 1, network(lif.Petrovici2016())}} {
		var rest [][]float64
		ff := start(t, n, x, feedforward.Feedforward{})
		if *long {
			for b := range 6 {
				rest = append(rest, running(t, n, ff, b, 400, c.make, 4000, 24000))
			}
		}
		var exact, own [3]float64
		for i, init := range []feedforward.Initializer{feedforward.Feedforward{}, ones, feedforward.Constant(0)} {
			exact[i], own[i] = bias(t, n, start(t, n, x, init), runs, c.make, rest)
		}
		t.Logf("%s, %d runs: bias against exact marginals %.4f from the pass, %.4f with gains (1,1,1), %.4f from zero, ratio %.2f; against its own %.4f, %.4f, %.4f, ratio %.2f",
			c.name, runs, exact[0], exact[1], exact[2], exact[0]/exact[2], own[0], own[1], own[2], own[0]/own[2])
		if !(exact[0] <= c.limit*exact[2]) {
			t.Errorf("%s: bias %.4f from the pass, %.4f from zero: must be %g of it at most", c.name, exact[0], exact[2], c.limit)
		}
		if *long && !(own[0] <= .5*own[2]) {
			t.Errorf("%s: bias against its own rates %.4f from the pass, %.4f from zero: must be half at most", c.name, own[0], own[2])
		}
	}
}

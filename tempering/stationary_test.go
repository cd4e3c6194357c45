package tempering

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// sampler is what every sampler of the package is.
type sampler interface {
	sampling.Sampler
	resumable
	Cost() int64
}

// kinds returns constructors of all samplers with short adaptation, exact ones first.
func kinds(m sampling.Model) (names []string, build []func() sampler) {
	l := Ladder{1, .7, .4, .1}
	ast := func(mode Mode, scan Scan) ASTOptions {
		return ASTOptions{Ladder: l, Mode: mode, Scan: scan, Decay: 200}
	}
	add := func(name string, f func() sampler) { names, build = append(names, name), append(build, f) }
	for _, scan := range []Scan{Sequential, Random} {
		add("simulated "+scan.String(), func() sampler {
			return must(NewSimulated(m, SimulatedOptions{Ladder: l, LogWeights: []float64{4, 3, 1.5, 0}, Scan: scan}))
		})
		add("ast "+scan.String(), func() sampler { return must(NewAST(m, ast(Frozen, scan))) })
		add("cast "+scan.String(), func() sampler {
			return must(NewCAST(m, CASTOptions{Fast: ast(Frozen, scan), SwapEvery: 2}))
		})
		for _, scheme := range []Scheme{DEO, SEO} {
			add("parallel "+scheme.String()+" "+scan.String(), func() sampler {
				return must(NewParallel(m, ParallelOptions{Ladder: l, Scheme: scheme, Scan: scan}))
			})
		}
	}
	add("transitions", func() sampler { return must(NewTransitions(m, TransitionsOptions{Ladder: l})) })
	add("transitions of 2 sweeps", func() sampler { return must(NewTransitions(m, TransitionsOptions{Ladder: l, Sweeps: 2})) })
	if _, ok := m.(boltzmann.Quantisable); ok {
		fast := ast(Frozen, Sequential)
		fast.Quantised = true
		add("simulated quantised", func() sampler {
			return must(NewSimulated(m, SimulatedOptions{Ladder: l, LogWeights: []float64{4, 3, 1.5, 0}, Quantised: true}))
		})
		add("ast quantised", func() sampler { return must(NewAST(m, fast)) })
		add("cast quantised", func() sampler { return must(NewCAST(m, CASTOptions{Fast: fast, SwapEvery: 2})) })
		for _, scheme := range []Scheme{DEO, SEO} {
			add("parallel "+scheme.String()+" quantised", func() sampler {
				return must(NewParallel(m, ParallelOptions{Ladder: l, Scheme: scheme, Quantised: true}))
			})
		}
	}
	add("ast adaptive", func() sampler { return must(NewAST(m, ast(Adaptive, Sequential))) })
	add("cast adaptive", func() sampler { return must(NewCAST(m, CASTOptions{Fast: ast(Adaptive, Sequential), SwapEvery: 3})) })
	return names, build
}

// adaptive kinds, at the end of the list, are not exact.
const inexact = 2

// unitMeans records the share of time on of every unit in batches.
type unitMeans struct {
	batch float64
	done  [][]float64
	now   *estimate.Marginals
	z     []uint8
	t     float64 // end of the present batch
}

func (u *unitMeans) Begin(t float64, z []uint8) error {
	u.z, u.t = slices.Clone(z), t+u.batch
	u.now = estimate.NewMarginals(len(z))
	return u.now.Begin(t, z)
}

func (u *unitMeans) Record(flips []sampling.Flip, t float64) {
	for len(flips) > 0 || t >= u.t {
		i := 0
		for ; i < len(flips) && flips[i].Time < u.t; i++ {
			u.z[flips[i].Unit] = flips[i].On
		}
		u.now.Record(flips[:i], min(t, u.t))
		flips = flips[i:]
		if t < u.t {
			return
		}
		u.done = append(u.done, u.now.Mean())
		u.now = estimate.NewMarginals(len(u.z))
		if err := u.now.Begin(u.t, u.z); err != nil {
			panic(err)
		}
		u.t += u.batch
	}
	u.now.Record(nil, t)
}

// boltzmann-baselines 5.3: on BM-S(10,1), 2e5 retained sweeps of every exact kernel are
// worth their effective sample size. DKL is a sum over 1023 states and lies within a few
// per cent of its expectation, so a bound of 3 times that only fails for a bias, and 1.5
// times the floor from block variances is sharper still. Marginals from 200 batches,
// |z| < 4.5 for 11·10: false-alarm rate 1e-3 for normal z, and seeds are fixed.
func TestStationary(t *testing.T) {
	m := bmS(10, 1)
	p := law(m, 1)
	names, build := kinds(m)
	// K_eff, the number of states that count: exp(entropy).
	entropy := 0.0
	for _, x := range p {
		entropy -= x * math.Log(x)
	}
	for i, name := range names[:len(names)-inexact] {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := build[i]()
			if err := s.Reset(nil, rng.Stream(3, "stationary", i)); err != nil {
				t.Fatal(err)
			}
			joint := must(estimate.NewJoint(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
			u := &unitMeans{batch: 1000}
			run(t, s, 100, 2e5, joint, u)
			d := must(joint.DKL(p))
			bound := 3 * (math.Exp(entropy) - 1) / (2 * d.ESS)
			if !(d.X < bound && d.X < 1.5*d.Floor) || d.ESS < 1e4 {
				t.Errorf("DKL = %v, bound %v", d, bound)
			}
			n := float64(len(u.done))
			for k := range 10 {
				want := 0.0
				for s, x := range p {
					want += x * float64(s>>k&1)
				}
				var sum, squares float64
				for _, b := range u.done {
					sum += b[k]
					squares += b[k] * b[k]
				}
				mean := sum / n
				se := math.Sqrt((squares/n - mean*mean) / (n - 1))
				if z := (mean - want) / se; !(math.Abs(z) < 4.5) {
					t.Errorf("unit %d: mean %v, exact %v, z = %.1f", k, mean, want, z)
				}
			}
		})
	}
}

// The law stays exact where states are impossible.
func TestForbidden(t *testing.T) {
	m := forbidden{}
	names, build := kinds(m)
	norm := 2 + math.E
	want := []float64{1 / norm, math.E / norm, 1 / norm, 0}
	for i, name := range names[:len(names)-inexact] {
		s := build[i]()
		if err := s.Reset([]uint8{0, 0}, rng.Stream(4, "forbidden", i)); err != nil {
			t.Fatal(name, err)
		}
		joint := must(estimate.NewJoint(0, 1))
		run(t, s, 10, 2e4, joint)
		if d := must(joint.DKL(want)); !(d.X < 4*d.Floor+1e-3) {
			t.Errorf("%s: DKL = %v, law %v", name, d, joint.P())
		}
	}
}

// Merged chains do not depend on how many run at a time.
func TestChains(t *testing.T) {
	m := bmS(6, 1)
	_, build := kinds(m)
	for i := range build {
		var p [2][]float64
		for j, parallel := range []int{1, 3} {
			e, err := sampling.Chains(context.Background(),
				func(int) (sampling.Sampler, error) { return build[i](), nil },
				func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(6), nil },
				sampling.ChainOptions{Schedule: sampling.Schedule{Warmup: 5, Duration: 300}, Chains: 3, Parallel: parallel})
			if err != nil {
				t.Fatal(err)
			}
			p[j] = e.Mean()
		}
		if !slices.Equal(p[0], p[1]) {
			t.Errorf("sampler %d: %v and %v", i, p[0], p[1])
		}
	}
}

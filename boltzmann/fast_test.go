package boltzmann

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func sources(seed uint64) func(int) rand.Source {
	return func(c int) rand.Source { return rng.Stream(seed, "chain", c) }
}

// gaussian is a machine of couplings of standard deviation a/√n and biases −½ Σ W, so that
// units are on half of the time.
func gaussian(n int, a float64) *Machine {
	m := newMachine(n)
	r := rand.New(rng.Stream(2, "gaussian"))
	for i := range n {
		for j := range i {
			w := a / math.Sqrt(float64(n)) * r.NormFloat64()
			m.setWeight(i, j, w)
			m.b[i] -= w / 2
			m.b[j] -= w / 2
		}
	}
	return m
}

func mustFast(t fatal, m Quantisable, o FastChainsOptions, seed uint64) *FastChains {
	t.Helper()
	f, err := NewFastChains(m, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Reset(nil, sources(seed)); err != nil {
		t.Fatal(err)
	}
	return f
}

// onGridChain is a fast chain by its definition: exact log odds of the quantised machine
// compared with the thresholds of the random words, unit by unit.
type onGridChain struct {
	m    Quantisable
	grid float64
	inv  float32
	s    gibbskernel.Streams
	z    []uint8
}

func newOnGridChain(m Quantisable, grid, beta float64, src rand.Source) *onGridChain {
	c := &onGridChain{m: m, grid: grid, inv: gibbskernel.Inverse(beta, grid), z: make([]uint8, m.Dim())}
	for k := range c.z {
		c.z[k] = uint8(src.Uint64() >> 63)
	}
	c.s.Seed(src.Uint64)
	return c
}

func (c *onGridChain) units(from, to int, together bool) {
	t := make([]int32, (to-from+15)/16*16)
	gibbskernel.Thresholds(kernel.Portable, t, &c.s, c.inv)
	z := slices.Clone(c.z)
	for k := from; k < to; k++ {
		z[k] = 0
		if c.m.Logit(c.z, k)/c.grid > float64(t[k-from]) {
			z[k] = 1
		}
		if !together {
			c.z[k] = z[k]
		}
	}
	copy(c.z, z)
}

func (c *onGridChain) sweep() {
	b, ok := c.m.(Blocked)
	if !ok {
		c.units(0, len(c.z), false)
		return
	}
	m := b.layered()
	for parity := 1; parity >= 0; parity-- {
		for l := parity; l < m.Layers(); l += 2 {
			from, to := m.Layer(l)
			c.units(from, to, true)
		}
	}
}

func fastModels(t fatal) map[string]Quantisable {
	return map[string]Quantisable{
		"dense 1": gaussian(1, 1), "dense 2": gaussian(2, 5), "dense 10": bmS(10, 1), "dense 16": bmS(16, 3),
		"dense 17": gaussian(17, 8), "dense 65": gaussian(65, 2), "dense 130": gaussian(130, 5),
		"rbm 1x1": rbmS(t, 1, 1, 1), "rbm 6x4": rbmS(t, 6, 4, 1), "rbm 100x20": rbmS(t, 100, 20, 3), "rbm 64x130": rbmS(t, 64, 130, .3),
		"layers 3-4-2-1": drawLayered(t, 4, 1.2, 3, 4, 2, 1), "layers 40-70-20": drawLayered(t, 5, .7, 40, 70, 20),
		"layers 20-20-20-20-20": drawLayered(t, 6, 2, 20, 20, 20, 20, 20),
	}
}

// Fast chains are the chain of the definition, to the last bit of state and energy, on all
// paths, with any number of chains and temperatures: so fields do not drift, the ways to
// compute them agree, and chains do not depend on each other.
func TestFastDefinition(t *testing.T) {
	for name, m := range fastModels(t) {
		for _, p := range kernel.Paths() {
			for _, chains := range []int{1, 2, 5, 16, 19, 37} {
				t.Setenv(kernel.PathVariable, p.String())
				betas := make([]float64, chains)
				for c := range betas {
					betas[c] = []float64{1, .5, 0, 2, .01}[c%5]
				}
				f := mustFast(t, m, FastChainsOptions{Betas: betas}, 3)
				ref := make([]*onGridChain, chains)
				for c := range ref {
					ref[c] = newOnGridChain(f.Model(), f.info.Grid, betas[c], sources(3)(c))
				}
				sweeps := 60 / (1 + chains/4)
				for s := range sweeps {
					for c, r := range ref {
						if !slices.Equal(f.State(c), r.z) {
							t.Fatalf("%s, %v, chain %d of %d: state after %d sweeps is\n%v, must be\n%v", name, p, c, chains, s, f.State(c), r.z)
						}
						if e := f.Energy(c); e != f.Model().Energy(r.z) {
							t.Fatalf("%s, %v, chain %d of %d: energy after %d sweeps is %v, must be %v", name, p, c, chains, s, e, f.Model().Energy(r.z))
						}
						r.sweep()
					}
					if err := f.Sweep(1); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// After 1e5 sweeps, corrected fields are those computed anew.
func TestFastDrift(t *testing.T) {
	f := mustFast(t, bmS(20, 1), FastChainsOptions{}, 1)
	d := f.engine.(*fastDense)
	g := mustFast(t, drawLayered(t, 8, 3, 10, 20, 5), FastChainsOptions{}, 1)
	l := g.engine.(*fastLayers)
	for range 10 {
		if err := errors.Join(f.Sweep(1e4), g.Sweep(1e4)); err != nil {
			t.Fatal(err)
		}
		x := slices.Clone(d.field(0))
		d.load(0)
		if !slices.Equal(x, d.field(0)) {
			t.Errorf("dense: fields %v, anew %v", x, d.field(0))
		}
		l.compute(1, 0, 1, false) // the even ones are up to date after a sweep
		x = slices.Clone(l.x)
		l.load(0)
		if !slices.Equal(x, l.x) {
			t.Errorf("layers: fields %v, anew %v", x, l.x)
		}
	}
}

// The fewest rows are taken: of 40 units, those on, those off, or those changed.
func TestFastPlan(t *testing.T) {
	f := mustFast(t, rbmS(t, 40, 3, 1), FastChainsOptions{}, 1)
	l := f.engine.(*fastLayers)
	for _, tc := range []struct {
		on, before uint64
		add, sub   int64
	}{
		{0b111, 0xff00000000, 4, 0},          // 3 on, 11 changed
		{1<<40 - 8, 0, 0, 4},                 // 37 on
		{0xfffff, 0xffffe, 4, 0},             // 1 changed
		{0xfffff0, 0xff0000000f, 20, 0},      // 20 on, 20 off, 32 changed: those on
		{0xff00f, 0xff0f0, 4, 4},             // 8 changed
		{0, 0, 0, 0}, {0xffff, 0xffff, 0, 0}, // nothing
		{1<<40 - 1, 1<<20 - 1, 0, 0}, {1, 0, 4, 0}, // none off; one on is one change
	} {
		f.core.z[0] = tc.before
		l.load(0)
		f.core.z[0] = tc.on
		l.compute(1, 0, 1, false)
		if r := l.plans[0].rows[0]; r.NAdd != tc.add || r.NSub != tc.sub {
			t.Errorf("%x after %x: %d rows added, %d subtracted: want %d, %d", tc.on, tc.before, r.NAdd, r.NSub, tc.add, tc.sub)
		}
		x := slices.Clone(l.fields(1, 0))
		l.load(0)
		if !slices.Equal(x, l.fields(1, 0)) {
			t.Errorf("%x after %x: fields %v, want %v", tc.on, tc.before, x, l.fields(1, 0))
		}
	}
}

// The kernel of a sweep of a quantised machine leaves its law stationary to 1e-12, and fast
// chains are that kernel: frequencies of one sweep from every state, by a chain alone and by
// chains in lanes. |z| < 5.5 over 4·256 cells has a false-alarm rate of 4e-5; rare cells are
// pooled.
func TestFastSteps(t *testing.T) {
	const runs = 4000
	for _, tc := range []struct {
		m      Quantisable
		beta   float64
		chains int
	}{{bmS(4, 2), 1, 1}, {bmS(4, 2), .7, 16}, {drawLayered(t, 7, 2, 2, 2), 1, 1}, {drawLayered(t, 8, 2, 1, 2, 1), .6, 8}} {
		f := mustFast(t, tc.m, FastChainsOptions{Betas: slices.Repeat([]float64{tc.beta}, tc.chains)}, 1)
		var k [][]float64
		if m, ok := f.Model().(*Machine); ok {
			hot := newMachine(4) // the machine at that temperature
			for i := range m.w {
				hot.w[i] = tc.beta * m.w[i]
			}
			for i := range m.b {
				hot.b[i] = tc.beta * m.b[i]
			}
			k, _ = kernels(hot)
		} else {
			l := f.Model().(Blocked).layered()
			d, err := l.Machine()
			if err != nil {
				t.Fatal(err)
			}
			k = product(halfKernel(l, d, tc.beta, 1), halfKernel(l, d, tc.beta, 0))
		}
		p := tempered(mustJoint(t, f.Model()), tc.beta)
		next := make([]float64, len(p))
		for s := range p {
			for s2 := range p {
				next[s2] += p[s] * k[s][s2]
			}
		}
		within(t, "stationary", next, p, 1e-12)

		src := rng.Stream(5, "steps")
		for s, row := range k {
			count := make([]int, len(row))
			for range runs / tc.chains {
				if err := f.Reset(func(_ int, z []uint8) { copy(z, bitsOf(s, 4)) }, func(int) rand.Source { return src }); err != nil {
					t.Fatal(err)
				}
				_ = f.Sweep(1)
				for c := range tc.chains {
					count[energies{}.index(f.State(c))]++
				}
			}
			restP, restCount := 0.0, 0
			check := func(what any, n int, p float64) {
				if p > 1-1e-12 {
					return
				}
				if z := (float64(n) - runs*p) / math.Sqrt(runs*p*(1-p)); math.Abs(z) > 5.5 {
					t.Errorf("%T, %d chains, %04b to %v: %d of %d, want %.1f, z = %.1f", tc.m, tc.chains, s, what, n, runs, runs*p, z)
				}
			}
			for s2, p := range row {
				if p*runs < 50 {
					restP, restCount = restP+p, restCount+count[s2]
				} else {
					check(s2, count[s2], p)
				}
			}
			if restP*runs >= 50 {
				check("rare states", restCount, restP)
			}
		}
	}
}

// boltzmann-baselines 5.3 for the fast kernels: 2e5 sweeps in all. DKL is compared with
// ½ Σ_s var(p̂_s)/p_s from batches; marginals by |z| < 4 (false alarm 5e-3 over 80).
func TestFastStationary(t *testing.T) {
	const batches, sweeps = 192, 2e5
	for _, tc := range []struct {
		name   string
		m      Quantisable
		beta   float64
		chains int
	}{
		{"BM-S", bmS(10, 1), 1, 1}, {"BM-S", bmS(10, 1), 1, 16}, {"BM-S", bmS(10, 1), .5, 3},
		{"RBM-S", rbmS(t, 6, 4, 1), 1, 1}, {"RBM-S", rbmS(t, 6, 4, 1), .5, 1}, {"RBM-S", rbmS(t, 6, 4, 1), 1, 8},
		{"layers 3-4-2-1", drawLayered(t, 4, 1.2, 3, 4, 2, 1), 1, 1}, {"layers 3-4-2-1", drawLayered(t, 4, 1.2, 3, 4, 2, 1), 1, 24},
	} {
		f := mustFast(t, tc.m, FastChainsOptions{Betas: slices.Repeat([]float64{tc.beta}, tc.chains)}, 5)
		p := tempered(mustJoint(t, f.Model()), tc.beta)
		each := batches / tc.chains
		rec := make([][]sampling.Recorder, tc.chains)
		dwells := make([]*dwell, tc.chains)
		for c := range rec {
			d := &dwell{batch: math.Round(sweeps / batches)}
			for range each {
				d.time = append(d.time, make([]float64, len(p)))
			}
			dwells[c], rec[c] = d, []sampling.Recorder{d}
		}
		if err := f.Run(context.Background(), sampling.Schedule{Warmup: 100, Duration: dwells[0].batch * float64(each)}, rec); err != nil {
			t.Fatal(err)
		}
		all := &dwell{batch: dwells[0].batch}
		for _, d := range dwells {
			all.time = append(all.time, d.time...)
		}
		dkl, expected := 0.0, 0.0
		for s := range p {
			q, q2, n := 0.0, 0.0, float64(len(all.time))
			for _, time := range all.time {
				x := time[s] / all.batch
				q += x / n
				q2 += x * x / n
			}
			if q > 0 {
				dkl += q * math.Log(q/p[s])
			}
			expected += (q2 - q*q) / (n - 1) / (2 * p[s])
		}
		if !(dkl < 1.5*expected) || expected > 0.02 {
			t.Errorf("%s, %d chains: DKL = %v, expected %v", tc.name, tc.chains, dkl, expected)
		}
		for k := range 10 {
			bit := func(s int) float64 { return float64(s >> k & 1) }
			want := 0.0
			for s := range p {
				want += p[s] * bit(s)
			}
			if mean, se := all.estimate(bit); !(math.Abs(mean-want) < 4*se) {
				t.Errorf("%s, %d chains: unit %d: %v ± %v, want %v", tc.name, tc.chains, k, mean, se, want)
			}
		}
	}
}

// Quantising keeps within half a grid, is idempotent, and does not change what is on the grid.
func TestQuantise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]float64{1e-200, 1e-3, 1, 1e5, 1e200}).Draw(t, "size")
		m := drawMachine(t, 1, 12, size)
		if rapid.Bool().Draw(t, "large bias") {
			m.b[0] = 1e6 * size
		}
		q, info, err := Quantise(m)
		if err != nil {
			t.Fatal(err)
		}
		if f, _ := math.Frexp(info.Grid); f != .5 {
			t.Fatalf("grid %v is no power of two", info.Grid)
		}
		largest, weight, field := 0.0, 0.0, 0.0
		for i := range m.w {
			d := math.Abs(q.w[i] - m.w[i])
			largest, weight = max(largest, d), max(weight, math.Abs(m.w[i]))
			if x := q.w[i] / info.Grid; x != math.Trunc(x) || math.Abs(x) > gibbskernel.MaxWeight {
				t.Fatalf("weight %v is %v on the grid", m.w[i], x)
			}
		}
		bias := 0.0
		for k := range m.b {
			bias = max(bias, math.Abs(q.b[k]-m.b[k]))
			sum := math.Abs(m.b[k])
			for _, w := range m.row(k) {
				sum += math.Abs(w)
			}
			field = max(field, sum)
		}
		if largest != info.WeightError || bias != info.BiasError || largest > info.Grid/2 || bias > info.Grid/2 {
			t.Fatalf("%v: weights differ by %v, biases by %v", info, largest, bias)
		}
		for k := range q.b {
			sum := math.Abs(q.b[k])
			for _, w := range q.row(k) {
				sum += math.Abs(w)
			}
			if sum/info.Grid >= gibbskernel.MaxField {
				t.Fatalf("log odds of unit %d reach %v on the grid", k, sum/info.Grid)
			}
		}
		if field > 1e-100 && info.Grid > weight/8192*1.001 && info.Grid > field/(1<<24) {
			t.Fatalf("grid %v for weights up to %v, fields up to %v: coarser than need be", info.Grid, weight, field)
		}
		q2, again, err := Quantise(q)
		if err != nil || again != (Quantisation{Grid: again.Grid}) || again.Grid > info.Grid || !reflect.DeepEqual(q, q2) {
			t.Fatalf("quantised twice: %v then %v (%v)", info, again, err)
		}
	})
	l := drawLayered(t, 4, 1.2, 3, 4, 2)
	q, info, err := Quantise(l)
	if err != nil {
		t.Fatal(err)
	}
	for k := range l.Dim() {
		for i := range 1 << 9 {
			z := bitsOf(i, 9)
			if d := math.Abs(q.Logit(z, k) - l.Logit(z, k)); d > 5*info.Grid {
				t.Fatalf("log odds differ by %v, %v", d, info)
			}
		}
	}
	if r, info, err := Quantise(rbmS(t, 6, 4, 1)); err != nil || r.Visible() != 6 || info.WeightError > math.Ldexp(1, -14) || info.WeightError == 0 {
		t.Errorf("RBM: %v, %v", info, err)
	}
	for _, m := range []Quantisable{nil, (*Machine)(nil), (*Layered)(nil), (*RBM)(nil)} {
		if _, _, err := Quantise(m); err == nil {
			t.Errorf("nil %T accepted", m)
		}
		if _, err := NewFast(m, FastOptions{}); err == nil {
			t.Errorf("NewFast of nil %T", m)
		}
	}
	if s := info.String(); !strings.Contains(s, fmt.Sprintf("%.3g", info.Grid)) {
		t.Error(s)
	}
}

package boltzmann

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// mustGibbs is a sampler of m in state start.
func mustGibbs(t fatal, m sampling.Model, o GibbsOptions, start []uint8, seed uint64) *Gibbs {
	t.Helper()
	g, err := NewGibbs(m, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reset(start, rng.Stream(seed, "gibbs")); err != nil {
		t.Fatal(err)
	}
	return g
}

// visit is the transition matrix of a visit to unit k, by its definition.
func visit(m *Machine, k int) [][]float64 {
	size := 1 << m.n
	p := make([][]float64, size)
	for s := range p {
		p[s] = make([]float64, size)
		on := 1 / (1 + math.Exp(-m.Logit(bitsOf(s, m.n), k)))
		p[s][s|1<<k] += on
		p[s][s&^(1<<k)] += 1 - on
	}
	return p
}

func product(a, b [][]float64) [][]float64 {
	c := make([][]float64, len(a))
	for i := range c {
		c[i] = make([]float64, len(a))
		for j, x := range a[i] {
			for k, y := range b[j] {
				c[i][k] += x * y
			}
		}
	}
	return c
}

// kernels are the matrices of one sweep of a sequential scan and one visit of a random
// scan.
func kernels(m *Machine) (sequential, random [][]float64) {
	sequential = visit(m, 0)
	for k := 1; k < m.n; k++ {
		sequential = product(sequential, visit(m, k))
	}
	random = make([][]float64, 1<<m.n)
	for s := range random {
		random[s] = make([]float64, 1<<m.n)
		for k := range m.n {
			for s2, p := range visit(m, k)[s] {
				random[s][s2] += p / float64(m.n)
			}
		}
	}
	return sequential, random
}

// The target is stationary under both scans, and random scan is reversible.
func TestGibbsKernel(t *testing.T) {
	for _, m := range []*Machine{REF(4), bmS(4, 3)} {
		p := mustJoint(t, m)
		sequential, random := kernels(m)
		for _, k := range [][][]float64{sequential, random} {
			next := make([]float64, len(p))
			for s := range p {
				for s2 := range p {
					next[s2] += p[s] * k[s][s2]
				}
			}
			within(t, "stationary", next, p, 1e-14)
		}
		for s := range p {
			for s2 := range s {
				within(t, "flow", []float64{p[s] * random[s][s2]}, []float64{p[s2] * random[s2][s]}, 1e-14)
			}
		}
	}
}

// The sampler is that kernel: frequencies of one step from every state. A cell passes by
// |z| < 5.5; over the 2·256 cells the false-alarm rate is 2e-5. Cells too rare for a
// normal approximation are pooled per row.
func TestGibbsSteps(t *testing.T) {
	const runs = 20000
	m := bmS(4, 2)
	sequential, random := kernels(m)
	for _, tc := range []struct {
		scan   Scan
		kernel [][]float64
		time   float64
	}{{Sequential, sequential, 1}, {Random, random, 0.25}} {
		g, err := NewGibbs(m, GibbsOptions{Scan: tc.scan})
		if err != nil {
			t.Fatal(err)
		}
		src := rng.Stream(1, "steps")
		buf := make([]sampling.Flip, 0, 8)
		for s, row := range tc.kernel {
			count := make([]int, len(row))
			for range runs {
				if err := g.Reset(bitsOf(s, 4), src); err != nil {
					t.Fatal(err)
				}
				if _, err := g.Advance(tc.time, buf); err != nil {
					t.Fatal(err)
				}
				if g.Time() != tc.time {
					t.Fatalf("time %v after one step, want %v", g.Time(), tc.time)
				}
				count[energies{}.index(g.State())]++
			}
			restP, restCount := 0.0, 0
			check := func(what any, n int, p float64) {
				if z := (float64(n) - runs*p) / math.Sqrt(runs*p*(1-p)); math.Abs(z) > 5.5 {
					t.Errorf("%v from %04b to %v: %d of %d, want %.1f, z = %.1f", tc.scan, s, what, n, runs, runs*p, z)
				}
			}
			for s2, p := range row {
				switch {
				case p == 0 && count[s2] > 0:
					t.Errorf("%v: impossible step %04b to %04b", tc.scan, s, s2)
				case p*runs < 50:
					restP, restCount = restP+p, restCount+count[s2]
				default:
					check(s2, count[s2], p)
				}
			}
			if restP*runs >= 50 {
				check("rare states", restCount, restP)
			}
		}
	}
}

// dwell records the time spent in each state, in batches of equal length.
type dwell struct {
	batch float64     // [sweeps]
	time  [][]float64 // by batch, by state
	state int
	from  float64 // the time recorded so far
	start float64
}

func (d *dwell) Begin(t float64, z []uint8) error {
	d.state, d.from, d.start = energies{}.index(z), t, t
	return nil
}

func (d *dwell) Record(flips []sampling.Flip, t float64) {
	for _, f := range flips {
		d.until(f.Time)
		d.state ^= 1 << f.Unit
	}
	d.until(t)
}

func (d *dwell) until(t float64) {
	for d.from < t {
		b := int((d.from - d.start) / d.batch)
		if b == len(d.time) {
			return
		}
		end := min(t, d.start+float64(b+1)*d.batch)
		if end <= d.from {
			end = t // rounding at the edge of a batch
		}
		d.time[b][d.state] += end - d.from
		d.from = end
	}
}

// mean and standard error of Σ_s f(s) p̂(s), from the batches.
func (d *dwell) estimate(f func(s int) float64) (mean, se float64) {
	n := float64(len(d.time))
	var sum, sum2 float64
	for _, states := range d.time {
		x := 0.0
		for s, time := range states {
			x += time / d.batch * f(s)
		}
		sum += x
		sum2 += x * x
	}
	mean = sum / n
	return mean, math.Sqrt((sum2/n - mean*mean) / (n - 1))
}

func runDwell(t *testing.T, m sampling.Model, o GibbsOptions, sweeps float64) *dwell {
	const batches = 100
	d := &dwell{batch: sweeps / batches}
	for range batches {
		d.time = append(d.time, make([]float64, 1<<m.Dim()))
	}
	g := mustGibbs(t, m, o, nil, 3)
	if err := sampling.Run(context.Background(), g, sampling.Schedule{Warmup: 100, Duration: sweeps}, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// All state probabilities and first and second moments of REF5, with batch means. t has 99
// degrees of freedom; |t| < 5.5 over 2·(32+15) quantities has a false-alarm rate of 3e-5.
func TestGibbsREF5(t *testing.T) {
	m := REF(5)
	p := mustJoint(t, m)
	for _, scan := range []Scan{Sequential, Random} {
		d := runDwell(t, m, GibbsOptions{Scan: scan}, 1e5)
		check := func(name string, f func(s int) float64) {
			t.Helper()
			want := 0.0
			for s := range p {
				want += p[s] * f(s)
			}
			if mean, se := d.estimate(f); !(math.Abs(mean-want) < 5.5*se) || se > 0.01 {
				t.Errorf("%v, %s: %v ± %v, want %v", scan, name, mean, se, want)
			}
		}
		for s := range p {
			check("state", func(s2 int) float64 {
				if s2 == s {
					return 1
				}
				return 0
			})
		}
		for i := range 5 {
			for j := range i + 1 {
				check("moment", func(s int) float64 { return float64((s >> i) & (s >> j) & 1) })
			}
		}
	}
}

// boltzmann-baselines 5.3: DKL of 2e5 sweeps of BM-S(10,1) against its expectation,
// ½ Σ_s var(p̂_s)/p_s, with the variances from batch means. DKL is a sum over 1023 states,
// so it lies within a few per cent of that; a biased kernel adds its own divergence.
func TestGibbsBMS10(t *testing.T) {
	m := bmS(10, 1)
	p := mustJoint(t, m)
	d := runDwell(t, m, GibbsOptions{}, 2e5)
	dkl, expected := 0.0, 0.0
	for s := range p {
		q, se := d.estimate(func(s2 int) float64 {
			if s2 == s {
				return 1
			}
			return 0
		})
		if q > 0 {
			dkl += q * math.Log(q/p[s])
		}
		expected += se * se / (2 * p[s])
	}
	if !(dkl < 1.5*expected) || expected > 0.02 {
		t.Errorf("DKL = %v, expected %v", dkl, expected)
	}
}

// Short buffers and short advances cut the chain into pieces but do not change it; flips
// change the state, in order, at multiples of 1/N.
func TestGibbsPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMachine(t, 1, 6, 2)
		n := float64(m.n)
		o := GibbsOptions{Scan: rapid.SampledFrom([]Scan{Sequential, Random}).Draw(t, "scan")}
		end := rapid.Float64Range(1, 60).Draw(t, "end")

		whole := mustGibbs(t, m, o, nil, 7)
		start := append([]uint8(nil), whole.State()...)
		want, err := whole.Advance(end, make([]sampling.Flip, 0, 1000))
		if err != nil {
			t.Fatal(err)
		}
		if x := whole.Time() - end; x < 0 || x >= 1/n+1e-12 {
			t.Fatalf("time %v after Advance(%v)", whole.Time(), end)
		}
		z, last := start, 0.0
		for _, f := range want {
			if f.Time <= last || f.Time != math.Round(f.Time*n)/n || z[f.Unit] == f.On {
				t.Fatalf("flip %+v after time %v in %v", f, last, z)
			}
			z[f.Unit], last = f.On, f.Time
		}
		if !reflect.DeepEqual(z, whole.State()) {
			t.Fatalf("flips lead to %v, state is %v", z, whole.State())
		}

		pieces := mustGibbs(t, m, o, nil, 7)
		buf := make([]sampling.Flip, 0, rapid.IntRange(1, 4).Draw(t, "buffer"))
		var got []sampling.Flip
		for pieces.Time() < end {
			to := min(end, pieces.Time()+rapid.Float64Range(0, 3).Draw(t, "step"))
			flips, err := pieces.Advance(to, buf)
			if err != nil || cap(flips) != cap(buf) {
				t.Fatal(err, cap(flips))
			}
			got = append(got, flips...)
		}
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("in pieces %v, whole %v", got, want)
		}
	})
}

// Advance to the time of a visit makes that visit and no more, whatever the rounding.
func TestGibbsStepsTo(t *testing.T) {
	for n := 1; n <= 60; n++ {
		g := &Gibbs{z: make([]uint8, n)}
		for k := range int64(2000) {
			at := float64(k) / float64(n)
			if got := g.stepsTo(at); got != k {
				t.Fatalf("N = %d: %d visits to time %v, want %d", n, got, at, k)
			}
			if got := g.stepsTo(math.Nextafter(at, math.Inf(1))); got != k+1 {
				t.Fatalf("N = %d: %d visits to just after %v, want %d", n, got, at, k+1)
			}
		}
		if g.stepsTo(1e300) < 1<<52 {
			t.Fatal("far times")
		}
	}
}

// Determined units: z1 = z0, z2 = 1. From a possible state, u of units 0 and 1 is ±Inf and
// they never flip.
func TestGibbsInfiniteLogits(t *testing.T) {
	inf := math.Inf(1)
	m := energies{inf, inf, inf, inf, 0, inf, inf, 0}
	for _, scan := range []Scan{Sequential, Random} {
		g := mustGibbs(t, m, GibbsOptions{Scan: scan}, []uint8{1, 1, 1}, 1)
		if flips, err := g.Advance(1000, make([]sampling.Flip, 0, 8)); err != nil || len(flips) > 0 {
			t.Errorf("%v: flips %v, error %v", scan, flips, err)
		}
	}
	// From an impossible state this model has no log odds: Inf − Inf.
	g := mustGibbs(t, m, GibbsOptions{}, []uint8{0, 0, 0}, 1)
	if _, err := g.Advance(1, make([]sampling.Flip, 0, 8)); err == nil || !strings.Contains(err.Error(), "unit 0 is NaN") {
		t.Errorf("NaN log odds: error %v", err)
	}
}

func TestGibbsRefuses(t *testing.T) {
	if _, err := NewGibbs(nil, GibbsOptions{}); err == nil {
		t.Error("nil model accepted")
	}
	if _, err := NewGibbs(energies{0}, GibbsOptions{}); err == nil {
		t.Error("model without units accepted")
	}
	if _, err := NewGibbs(REF(2), GibbsOptions{Scan: 7}); err == nil || !strings.Contains(err.Error(), "Scan(7)") {
		t.Errorf("scan 7: error %v", err)
	}
	g, err := NewGibbs(REF(2), GibbsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Advance(1, nil); err == nil {
		t.Error("Advance before Reset accepted")
	}
	if err := g.Reset(nil, nil); err == nil {
		t.Error("nil source accepted")
	}
	for _, z := range [][]uint8{{}, {1}, {0, 2}} {
		if err := g.Reset(z, rng.Stream(1, "x")); err == nil {
			t.Errorf("start %v accepted", z)
		}
	}
	if err := g.Reset([]uint8{0, 1}, rng.Stream(1, "x")); err != nil {
		t.Fatal(err)
	}
	for _, end := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := g.Advance(end, nil); err == nil {
			t.Errorf("Advance to %v accepted", end)
		}
	}
	if flips, err := g.Advance(-1, make([]sampling.Flip, 0, 4)); err != nil || len(flips) > 0 || g.Time() != 0 {
		t.Errorf("Advance to the past: %v, %v, time %v", flips, err, g.Time())
	}
	if Sequential.String() != "sequential" || Random.String() != "random" {
		t.Error("names of scans")
	}
}

func TestGibbsAllocates(t *testing.T) {
	for _, m := range []sampling.Model{REF(10), chain(t, 10)} {
		g := mustGibbs(t, m, GibbsOptions{}, nil, 1)
		buf := make([]sampling.Flip, 0, 1000)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := g.Advance(g.Time()+10, buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%T: %v allocations per Advance", m, n)
		}
	}
}

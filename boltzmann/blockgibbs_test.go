package boltzmann

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func mustBlock(t fatal, m Blocked, beta float64, start []uint8, seed uint64) *BlockGibbs {
	t.Helper()
	g, err := NewBlockGibbs(m, BlockGibbsOptions{Beta: beta})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reset(start, rng.Stream(seed, "block")); err != nil {
		t.Fatal(err)
	}
	return g
}

// halfKernel is the transition matrix of a half sweep, by its definition on the dense
// machine: units of layers of that parity take new values independently given the rest.
func halfKernel(m *Layered, d *Machine, beta float64, parity int) [][]float64 {
	n := m.Dim()
	k := make([][]float64, 1<<n)
	for s := range k {
		k[s] = make([]float64, 1<<n)
		for s2 := range k {
			p := 1.0
			for unit := range n {
				same := s>>unit&1 == s2>>unit&1
				if m.layer[unit]%2 != parity {
					if !same {
						p = 0
					}
					continue
				}
				on := 1 / (1 + math.Exp(-beta*d.Logit(bitsOf(s, n), unit)))
				if s2>>unit&1 == 1 {
					p *= on
				} else {
					p *= 1 - on
				}
			}
			k[s][s2] = p
		}
	}
	return k
}

// tempered is p^β, normalised.
func tempered(p []float64, beta float64) []float64 {
	q := make([]float64, len(p))
	sum := 0.0
	for s := range p {
		q[s] = math.Pow(p[s], beta)
		sum += q[s]
	}
	for s := range q {
		q[s] /= sum
	}
	return q
}

// The kernel leaves p^β stationary, each half of it is reversible, and so is a sweep seen
// on the even layers: exact matrices at N = 4.
func TestBlockGibbsKernel(t *testing.T) {
	for _, sizes := range [][]int{{2, 2}, {1, 3}, {1, 2, 1}, {1, 1, 1, 1}} {
		for _, beta := range []float64{1, 0.6, 0} {
			m := drawLayered(t, 7, 2, sizes...)
			d, err := m.Machine()
			if err != nil {
				t.Fatal(err)
			}
			p := tempered(mustJoint(t, d), beta)
			odd, even := halfKernel(m, d, beta, 1), halfKernel(m, d, beta, 0)
			next := make([]float64, len(p))
			for s, row := range product(odd, even) {
				for s2, x := range row {
					next[s2] += p[s] * x
				}
			}
			within(t, "stationary", next, p, 1e-12)
			for s := range p {
				for s2 := range s {
					within(t, "odd flow", []float64{p[s] * odd[s][s2]}, []float64{p[s2] * odd[s2][s]}, 1e-12)
					within(t, "even flow", []float64{p[s] * even[s][s2]}, []float64{p[s2] * even[s2][s]}, 1e-12)
				}
			}

			// Flow between states of the even layers, summed over the odd ones.
			mask := 0
			for k, l := range m.layer {
				if l%2 == 0 {
					mask |= 1 << k
				}
			}
			var flow [1 << 4][1 << 4]float64
			for s, row := range product(odd, even) {
				for s2, x := range row {
					flow[s&mask][s2&mask] += p[s] * x
				}
			}
			for s, row := range flow {
				for s2, x := range row {
					within(t, "flow of even layers", []float64{x}, []float64{flow[s2][s]}, 1e-12)
				}
			}
		}
	}
}

// The sampler is that kernel: frequencies after half a sweep and after a sweep from every
// state. |z| < 5.5 over 2·3·256 cells has a false-alarm rate of 6e-5; rare cells are pooled.
func TestBlockGibbsSteps(t *testing.T) {
	const runs = 10000
	for _, tc := range []struct {
		m    *Layered
		beta float64
	}{{drawLayered(t, 7, 2, 2, 2), 1}, {drawLayered(t, 8, 2, 1, 2, 1), 1}, {drawLayered(t, 9, 2, 2, 2), .5}} {
		d, err := tc.m.Machine()
		if err != nil {
			t.Fatal(err)
		}
		odd, even := halfKernel(tc.m, d, tc.beta, 1), halfKernel(tc.m, d, tc.beta, 0)
		for i, kernel := range [][][]float64{odd, product(odd, even)} {
			time := float64(i+1) / 2
			g := mustBlock(t, tc.m, tc.beta, nil, 1)
			src := rng.Stream(3, "steps", int(2*time))
			buf := make([]sampling.Flip, 0, 8)
			for s, row := range kernel {
				count := make([]int, len(row))
				for range runs {
					if err := g.Reset(bitsOf(s, 4), src); err != nil {
						t.Fatal(err)
					}
					if _, err := g.Advance(time, buf); err != nil || g.Time() != time {
						t.Fatal(err, g.Time())
					}
					count[energies{}.index(g.State())]++
				}
				restP, restCount := 0.0, 0
				check := func(what any, n int, p float64) {
					if p > 1-1e-12 {
						return
					}
					if z := (float64(n) - runs*p) / math.Sqrt(runs*p*(1-p)); math.Abs(z) > 5.5 {
						t.Errorf("time %v from %04b to %v: %d of %d, want %.1f, z = %.1f", time, s, what, n, runs, runs*p, z)
					}
				}
				for s2, p := range row {
					switch {
					case p == 0 && count[s2] > 0:
						t.Errorf("time %v: impossible step %04b to %04b", time, s, s2)
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
}

// boltzmann-baselines 5.3 for the blocked kernel: 2e5 sweeps of RBM-S(6,4,1) and of a deep
// machine of ten units, at two temperatures. DKL is compared with ½ Σ_s var(p̂_s)/p_s, what
// correlated sampling of this length leaves (the spec's (K−1)/(2 n_eff)), with the
// variances from batch means; marginals by |z| < 4 (false alarm 3e-3 over 40).
func TestBlockGibbsStationary(t *testing.T) {
	const batches, sweeps = 100, 2e5
	for _, tc := range []struct {
		name string
		m    Blocked
		beta float64
	}{
		{"RBM-S", rbmS(t, 6, 4, 1), 1},
		{"RBM-S at beta 0.5", rbmS(t, 6, 4, 1), .5},
		{"layers 3-4-2-1", drawLayered(t, 4, 1.2, 3, 4, 2, 1), 1},
	} {
		p := tempered(mustJoint(t, tc.m), tc.beta)
		d := &dwell{batch: sweeps / batches}
		for range batches {
			d.time = append(d.time, make([]float64, len(p)))
		}
		g := mustBlock(t, tc.m, tc.beta, nil, 5)
		if err := sampling.Run(context.Background(), g, sampling.Schedule{Warmup: 100, Duration: sweeps}, d); err != nil {
			t.Fatal(err)
		}
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
			t.Errorf("%s: DKL = %v, expected %v", tc.name, dkl, expected)
		}
		for k := range 10 {
			bit := func(s int) float64 { return float64(s >> k & 1) }
			want := 0.0
			for s := range p {
				want += p[s] * bit(s)
			}
			if mean, se := d.estimate(bit); !(math.Abs(mean-want) < 4*se) {
				t.Errorf("%s: unit %d: %v ± %v, want %v", tc.name, k, mean, se, want)
			}
		}
	}
}

// Short buffers and advances cut the chain into pieces but do not change it; odd layers
// flip at t + ½, even ones at whole times.
func TestBlockGibbsPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapidLayered(t)
		end := rapid.Float64Range(1, 40).Draw(t, "end")
		whole := mustBlock(t, m, 0, nil, 7)
		z := append([]uint8(nil), whole.State()...)
		want, err := whole.Advance(end, make([]sampling.Flip, 0, 2000))
		if err != nil {
			t.Fatal(err)
		}
		if x := whole.Time() - end; x < 0 || x >= .5 {
			t.Fatalf("time %v after Advance(%v)", whole.Time(), end)
		}
		last := 0.0
		for _, f := range want {
			half := f.Time - math.Floor(f.Time)
			if f.Time < last || half != .5*float64(m.layer[f.Unit]%2) || z[f.Unit] == f.On {
				t.Fatalf("flip %+v after time %v in %v", f, last, z)
			}
			z[f.Unit], last = f.On, f.Time
		}
		if !reflect.DeepEqual(z, whole.State()) {
			t.Fatalf("flips lead to %v, state is %v", z, whole.State())
		}

		pieces := mustBlock(t, m, 1, nil, 7)
		buf := make([]sampling.Flip, 0, 2*m.Dim()+rapid.IntRange(0, 9).Draw(t, "room"))
		var got []sampling.Flip
		for pieces.Time() < end {
			to := min(end, pieces.Time()+rapid.Float64Range(0.1, 3).Draw(t, "step"))
			before := pieces.Time()
			flips, err := pieces.Advance(to, buf)
			if err != nil || cap(flips) != cap(buf) || pieces.Time() == before {
				t.Fatal(err, cap(flips), pieces.Time())
			}
			got = append(got, flips...)
		}
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("in pieces %v, whole %v", got, want)
		}
	})
}

// At β = 0 set on the way, units are fair coins: 1000 draws of 10 units, |z| < 4.5.
func TestBlockGibbsSetBeta(t *testing.T) {
	g := mustBlock(t, rbmS(t, 6, 4, 5), 1, nil, 1)
	if err := g.SetBeta(0); err != nil {
		t.Fatal(err)
	}
	on := 0.0
	buf := make([]sampling.Flip, 0, 20)
	for range 1000 {
		if _, err := g.Advance(g.Time()+1, buf); err != nil {
			t.Fatal(err)
		}
		for _, z := range g.State() {
			on += float64(z)
		}
	}
	if z := (on - 5000) / 50; math.Abs(z) > 4.5 {
		t.Errorf("%v of 10000 on at beta 0", on)
	}
	for _, beta := range []float64{-1, math.NaN(), math.Inf(1)} {
		if err := g.SetBeta(beta); err == nil || !strings.Contains(err.Error(), fmt.Sprint(beta)) {
			t.Errorf("beta %v: error %v", beta, err)
		}
		if _, err := NewBlockGibbs(rbmS(t, 1, 1, 1), BlockGibbsOptions{Beta: beta}); err == nil {
			t.Errorf("beta %v accepted", beta)
		}
	}
}

func TestBlockGibbsRefuses(t *testing.T) {
	for _, m := range []Blocked{nil, (*RBM)(nil), (*Layered)(nil)} {
		if _, err := NewBlockGibbs(m, BlockGibbsOptions{}); err == nil {
			t.Errorf("nil %T accepted", m)
		}
	}
	g, err := NewBlockGibbs(drawLayered(t, 1, 1, 1, 1), BlockGibbsOptions{})
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
	for _, end := range []float64{math.NaN(), math.Inf(1)} {
		if _, err := g.Advance(end, make([]sampling.Flip, 0, 4)); err == nil {
			t.Errorf("Advance to %v accepted", end)
		}
	}
	if flips, err := g.Advance(-1, make([]sampling.Flip, 0, 4)); err != nil || len(flips) > 0 || g.Time() != 0 {
		t.Errorf("Advance to the past: %v, %v, time %v", flips, err, g.Time())
	}
}

func TestBlockGibbsAllocates(t *testing.T) {
	g := mustBlock(t, drawLayered(t, 1, 1, 20, 10, 5), 1, nil, 1)
	buf := make([]sampling.Flip, 0, 1000)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := g.Advance(g.Time()+10, buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per Advance", n)
	}
}

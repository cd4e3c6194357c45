package tempering

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// boltzmann-baselines 5.5: the index process with independent rejections makes the round
// trips of theory (Syed et al. 2022), here within 4 %.
func TestIndexProcess(t *testing.T) {
	for _, tc := range []struct {
		scheme Scheme
		r      float64
		pairs  int
		want   float64
	}{{DEO, .5, 10, .04545}, {SEO, .5, 10, .02500}, {DEO, .3, 5, .15909}, {SEO, .3, 5, .07000}} {
		const scans = 240000
		x := newExchange(tc.pairs + 1)
		x.restart()
		r := rand.New(rng.Stream(2, "index"))
		for range scans {
			x.round(tc.scheme, r, func(int, int, int) float64 { return math.Log(1 - tc.r) })
		}
		trips := int64(0)
		for _, n := range x.trips {
			trips += n
		}
		s := float64(tc.pairs) * tc.r / (1 - tc.r)
		theory := 1 / (2 + 2*s)
		if tc.scheme == SEO {
			theory = 1 / (2*float64(tc.pairs) + 2*s)
		}
		if math.Abs(theory-tc.want) > 1e-5 {
			t.Errorf("%v: theory %v, want %v", tc.scheme, theory, tc.want)
		}
		if rate := float64(trips) / scans; math.Abs(rate/tc.want-1) > .04 {
			t.Errorf("%v, r = %v, %d pairs: %.5f round trips per scan, want %.5f", tc.scheme, tc.r, tc.pairs, rate, tc.want)
		}
		for k, got := range x.rejections() {
			if math.Abs(got-tc.r) > 1e-9 {
				t.Errorf("%v: rejection rate of pair %d is %v, want %v", tc.scheme, k, got, tc.r)
			}
		}
	}
}

// wtaModes runs s and returns its modes.
func wtaModes(t *testing.T, s sampling.Sampler, warmup, duration float64) *estimate.Modes {
	t.Helper()
	m := must(estimate.NewModes(estimate.LabelFunc(3, wtaLabel), estimate.ModesOptions{}))
	run(t, s, warmup, duration, m)
	return m
}

// checkOccupancy requires the mode masses within .02.
func checkOccupancy(t *testing.T, what string, m *estimate.Modes, want [3]float64) {
	t.Helper()
	for g, p := range m.Occupancy() {
		if math.Abs(p-want[g]) > .02 {
			t.Errorf("%s: occupancy %v, want %v", what, m.Occupancy(), want)
			return
		}
	}
}

// boltzmann-baselines 5.6: Gibbs stalls where parallel tempering does not.
func TestWTAGibbs(t *testing.T) {
	g := must(boltzmann.NewGibbs(wta(4, [3]float64{}), boltzmann.GibbsOptions{}))
	if err := g.Reset(nil, rng.Stream(1, "gibbs")); err != nil {
		t.Fatal(err)
	}
	if m := wtaModes(t, g, 100, 1e5); m.Switches() > 5 {
		t.Errorf("Gibbs switched %d times", m.Switches())
	}
}

var third = [3]float64{1. / 3, 1. / 3, 1. / 3}

func TestWTAParallel(t *testing.T) {
	for _, tc := range []struct {
		name  string
		scan  Scan
		extra [3]float64
		want  [3]float64
		trips float64 // round trips per scan, ± .004
	}{
		{"random", Random, [3]float64{}, third, .083}, // the prototype's .0829; ideal .1030
		{"sequential", Sequential, [3]float64{}, third, .098},
		{"biased", Sequential, [3]float64{.25, 0, -.25}, biased, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := must(NewParallel(wta(4, tc.extra), ParallelOptions{Ladder: equalRejection, Scan: tc.scan}))
			if err := p.Reset(nil, rng.Stream(1, "pt")); err != nil {
				t.Fatal(err)
			}
			const scans = 1e5
			m := wtaModes(t, p, 100, scans)
			checkOccupancy(t, "PT-DEO", m, tc.want)
			t.Logf("%.1f switches per 1000 scans, occupancy %.4f, IACT %.1f", float64(m.Switches())/scans*1000, m.Occupancy(), must(m.IACT(0)))
			if tc.trips == 0 {
				return
			}
			if m.Switches() < 100*scans/1000 {
				t.Errorf("%d switches in 1e5 scans: must be 10000 or more", m.Switches())
			}
			// Every r is .355 (exact).
			for k, r := range p.Rejections() {
				if math.Abs(r-.355) > .02 {
					t.Errorf("rejection rate of pair %d is %.3f, exact .355", k, r)
				}
			}
			trips := int64(0)
			for _, n := range p.RoundTrips() {
				trips += n
			}
			if rate := float64(trips) / scans; math.Abs(rate-tc.trips) > .004 {
				t.Errorf("%.4f round trips per scan, want %v", rate, tc.trips)
			}
			if want := int64(8 * (scans + 100)); p.Cost() != want || p.Time() != scans+100 {
				t.Errorf("cost %d after %v scans, want %d", p.Cost(), p.Time(), want)
			}
		})
	}
}

// Adaptation finds the ladder of equal rejection from the linear one, and the barrier.
func TestWTAAdapt(t *testing.T) {
	p := must(NewParallel(wta(4, [3]float64{}), ParallelOptions{Ladder: must(Linear(8, 0))}))
	if err := p.Reset(nil, rng.Stream(1, "adapt")); err != nil {
		t.Fatal(err)
	}
	run(t, p, 0, 2e4)
	// Exact rejection rates of the linear ladder, from the cold end.
	for k, want := range []float64{.0034, .0111, .0369, .1194, .3339, .6444, .8993} {
		if r := p.Rejections()[k]; math.Abs(r-want) > .02 {
			t.Errorf("linear ladder, pair %d: rejection rate %.4f, exact %.4f", k, r, want)
		}
	}
	barrier := must(p.Adapt(context.Background(), AdaptOptions{}))
	if p.Time() != 2e4 {
		t.Errorf("adaptation took time: now %v", p.Time())
	}
	run(t, p, 0, 5e4)
	r := p.Rejections()
	sum := 0.0
	for _, x := range r {
		sum += x
	}
	t.Logf("ladder %.4f, rejections %.3f, sum %.3f, barrier %.3f", p.Ladder(), r, sum, barrier)
	if slices.Max(r)-slices.Min(r) >= .05 || sum < 2.2 || sum > 2.7 || math.Abs(barrier-sum) > .1 {
		t.Errorf("rejections %.3f of ladder %.4f: must be within .05, sum %.3f in [2.2, 2.7], barrier %.3f", r, p.Ladder(), sum, barrier)
	}
	for k, b := range p.Ladder() {
		if math.Abs(b-equalRejection[k]) > .02 {
			t.Errorf("level %d at β = %.4f, exact %.4f", k, b, equalRejection[k])
		}
	}
}

// boltzmann-baselines 5.7: while it adapts AST visits all levels alike, and its weights
// estimate log Z.
func TestWTAAdaptive(t *testing.T) {
	t.Parallel()
	m := wta(4, [3]float64{})
	s := must(NewAST(m, ASTOptions{Ladder: equalRejection, Mode: Adaptive}))
	if err := s.Reset(nil, rng.Stream(1, "ast")); err != nil {
		t.Fatal(err)
	}
	for s.Cost() < 2e6 {
		run(t, s, 0, 1000)
	}
	total := 0.0
	for _, n := range s.Visits() {
		total += float64(n)
	}
	for k, n := range s.Visits() {
		if f := float64(n) / total; math.Abs(f*8-1) > .1 {
			t.Errorf("level %d has %.4f of the sweeps, must have 1/8 within 10 %%", k, f)
		}
	}
	g := s.LogWeights()
	t.Logf("g_0 − g_7 = %.3f, gain %.4f", g[0], s.Gain())
	if want := logZ(m, 1) - logZ(m, 0); math.Abs(want-.7823) > 1e-4 || math.Abs(g[0]-want) > .3 {
		t.Errorf("g_0 − g_7 = %.3f, exact %.4f", g[0], want)
	}
}

// Frozen weights give the biased masses, and agree with parallel tempering and simulated
// tempering with exact weights. All levels are visited about alike.
func TestWTAFrozen(t *testing.T) {
	t.Parallel()
	m := wta(4, [3]float64{.25, 0, -.25})
	ast := must(NewAST(m, ASTOptions{Ladder: equalRejection}))
	if err := ast.Reset(nil, rng.Stream(1, "frozen")); err != nil {
		t.Fatal(err)
	}
	if err := ast.Adapt(context.Background()); err != nil {
		t.Fatal(err)
	}
	if ast.Gain() != 0 || ast.Time() != 0 || ast.Cost() < 1e5 {
		t.Errorf("after Adapt: gain %v, time %v, cost %d", ast.Gain(), ast.Time(), ast.Cost())
	}
	got := wtaModes(t, ast, 0, 1e5)
	checkOccupancy(t, "AST", got, biased)
	exact := logZs(m, equalRejection)
	for k, g := range ast.LogWeights() {
		if want := exact[k] - exact[7]; math.Abs(g-want) > .5 {
			t.Errorf("g_%d = %.3f, exact %.3f", k, g, want)
		}
	}
	t.Logf("AST %.4f, visits %v, weights %.3f", got.Occupancy(), ast.Visits(), ast.LogWeights())

	st := must(NewSimulated(m, SimulatedOptions{Ladder: equalRejection, LogWeights: exact}))
	if err := st.Reset(nil, rng.Stream(1, "st")); err != nil {
		t.Fatal(err)
	}
	checkOccupancy(t, "ST", wtaModes(t, st, 0, 1e5), biased)
	visits, total := st.Visits(), int64(0)
	for _, n := range visits {
		total += n
	}
	for k, n := range visits {
		if f := float64(n) / float64(total); math.Abs(f*8-1) > .1 {
			t.Errorf("exact weights: level %d has %.4f of the sweeps, must have 1/8 within 10 %%", k, f)
		}
	}
	if st.Cost() != total {
		t.Errorf("cost %d, %d sweeps", st.Cost(), total)
	}
}

// Tempered transitions and CAST cross the barrier too.
func TestWTAOthers(t *testing.T) {
	t.Parallel()
	m := wta(4, [3]float64{.25, 0, -.25})
	tt := must(NewTransitions(m, TransitionsOptions{Ladder: equalRejection, Sweeps: 2}))
	if err := tt.Reset(nil, rng.Stream(1, "tt")); err != nil {
		t.Fatal(err)
	}
	checkOccupancy(t, "transitions", wtaModes(t, tt, 100, 1e5), biased)
	t.Logf("transitions accepted: %.3f", tt.Acceptance())
	if want := int64(tt.Time()) * (1 + 2*7*2); tt.Cost() != want {
		t.Errorf("transitions cost %d, want %d", tt.Cost(), want)
	}

	cast := must(NewCAST(m, CASTOptions{Fast: ASTOptions{Ladder: equalRejection}, SwapEvery: 5}))
	if err := cast.Reset(nil, rng.Stream(1, "cast")); err != nil {
		t.Fatal(err)
	}
	checkOccupancy(t, "CAST", wtaModes(t, cast, 100, 4e5), biased)
	if cast.Swaps() == 0 {
		t.Error("CAST never exchanged")
	}
}

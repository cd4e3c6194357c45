package tempering

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestProfileGibbsConstant: a constant profile at T = 1 has the flips of boltzmann.Gibbs,
// beyond the number of flips at which log odds are computed anew.
func TestProfileGibbsConstant(t *testing.T) {
	m := bmS(8, 1.5)
	for _, scan := range []Scan{Sequential, Random} {
		for _, p := range []lif.Profile{Constant(1), RaisedCosine{1, 1, 7, 0}, must(FromTemperature(func(float64) float64 { return 1 }, 30))} {
			for _, start := range [][]uint8{nil, make([]uint8, 8)} {
				a := must(NewProfileGibbs(m, ProfileGibbsOptions{Scan: scan, Profile: p, SweepMs: 1}))
				b := must(boltzmann.NewGibbs(m, boltzmann.GibbsOptions{Scan: scan}))
				var x, y tape
				for s, r := range map[sampling.Sampler]*tape{a: &x, b: &y} {
					if err := s.Reset(start, rng.Stream(3, "constant")); err != nil {
						t.Fatal(err)
					}
					run(t, s, 10, 30000, r)
				}
				if len(x.flips) < 1<<16 || !slices.Equal(x.flips, y.flips) || !slices.Equal(x.z, y.z) {
					t.Errorf("%v, %T: %d flips, Gibbs %d, or others", scan, p, len(x.flips), len(y.flips))
				}
			}
		}
	}
}

// TestProfileGibbsTime: a sweep lasts SweepMs; times are those of the same chain in other
// units.
func TestProfileGibbsTime(t *testing.T) {
	m := bmS(5, 1)
	var flips [2][]sampling.Flip
	for i, ms := range []float64{1, 4} {
		g := must(NewProfileGibbs(m, ProfileGibbsOptions{SweepMs: ms, Step: ms, Profile: RaisedCosine{1, 9, 10 / ms, 0}}))
		if err := g.Reset(nil, rng.Stream(4, "time")); err != nil {
			t.Fatal(err)
		}
		var r tape
		run(t, g, 0, 1000*ms, &r)
		if g.Time() != 1000*ms {
			t.Errorf("time %v", g.Time())
		}
		flips[i] = r.flips
	}
	if len(flips[0]) != len(flips[1]) || len(flips[0]) < 500 {
		t.Fatalf("%d and %d flips", len(flips[0]), len(flips[1]))
	}
	for i, f := range flips[0] {
		if g := flips[1][i]; g.Unit != f.Unit || g.On != f.On || math.Abs(g.Time-4*f.Time) > 1e-9 {
			t.Fatalf("flip %d: %v and %v", i, f, g)
		}
	}
	var z ProfileGibbs
	if _, err := z.Advance(1, make([]sampling.Flip, 0, 10)); err == nil {
		t.Error("advanced before Reset")
	}
}

// TestProfileGibbsPeriodic compares a fast oscillation with the exact law of every sweep
// of the cycle: the fixed point of the transition matrices of one period. 3 units, 4
// sweeps a period, 2e5 periods; 32 shares of states at the ends of sweeps within 4.5
// standard errors (false alarm below 1e-3, the seed is fixed).
func TestProfileGibbsPeriodic(t *testing.T) {
	m := must(boltzmann.New(mat.NewSymDense(3, []float64{0, 1.5, -1, 1.5, 0, 2, -1, 2, 0}), []float64{-1, .5, -.5}))
	const sweeps, periods = 4, 200000
	temperature := [sweeps]float64{.5, 1, 3, .7}
	profile := must(FromTemperature(func(x float64) float64 { return temperature[int(x/10)] }, sweeps*10))
	g := must(NewProfileGibbs(m, ProfileGibbsOptions{Profile: profile, Step: 10}))
	// Exact.
	q := make([]float64, 8)
	for i := range q {
		q[i] = 1. / 8
	}
	var exact [sweeps][]float64
	z := make([]uint8, 3)
	for range 200 {
		for s := range sweeps {
			for k := range 3 {
				next := make([]float64, 8)
				for i, w := range q {
					bits(z, i)
					on := 1 / (1 + math.Exp(-m.Logit(z, k)/temperature[s]))
					next[i|1<<k] += w * on
					next[i&^(1<<k)] += w * (1 - on)
				}
				q = next
			}
			exact[s] = q
		}
	}
	if err := g.Reset(nil, rng.Stream(5, "periodic")); err != nil {
		t.Fatal(err)
	}
	var count [sweeps][8]float64
	buf := make([]sampling.Flip, 0, 64)
	for i := range sweeps * (periods + 10) {
		if _, err := g.Advance(float64(i+1)*10, buf); err != nil {
			t.Fatal(err)
		}
		if i >= 10*sweeps {
			count[i%sweeps][index(g.State())]++
		}
	}
	for s := range sweeps {
		for i, n := range count[s] {
			// Samples a period apart are nearly independent: an inflation of 1.5 covers it.
			se := 1.5 * math.Sqrt(exact[s][i]*(1-exact[s][i])/periods)
			if d := n/periods - exact[s][i]; math.Abs(d) > 4.5*se {
				t.Errorf("after sweep %d, state %d: %.5f: must be %.5f ± %.5f", s, i, n/periods, exact[s][i], se)
			}
		}
	}
}

// TestProfileGibbsSlow: in a slow oscillation the chain is at every phase at the law of
// that temperature. 5 units, 30 cycles of 2e4 sweeps; windows of 1/50 of the cycle, about
// 12000 sweeps: the mean law of the window within total variation 0.03.
func TestProfileGibbsSlow(t *testing.T) {
	t.Parallel()
	m := bmS(5, 1.5)
	p := RaisedCosine{1, 9, .005, 0}
	g := must(NewProfileGibbs(m, ProfileGibbsOptions{Profile: p}))
	if err := g.Reset(nil, rng.Stream(6, "slow")); err != nil {
		t.Fatal(err)
	}
	var rec []sampling.Recorder
	var joints []*estimate.Joint
	windows := []PhaseWindow{{0, .01}, {.25, .01}, {.5, .01}, {.8, .01}}
	for _, w := range windows {
		j := must(estimate.NewJoint(0, 1, 2, 3, 4))
		joints = append(joints, j)
		rec = append(rec, must(NewWindowed(w, p.Period(), j)))
	}
	run(t, g, 0, 30*p.Period(), rec...)
	for i, w := range windows {
		exact := make([]float64, 32)
		const parts = 100
		for k := range parts {
			phase := w.Center + w.HalfWidth*(2*(float64(k)+.5)/parts-1)
			for s, x := range law(m, 1/math.Sqrt(p.RateFactor(phase*p.Period()))) {
				exact[s] += x / parts
			}
		}
		tv := 0.0
		for s, x := range joints[i].P() {
			tv += math.Abs(x-exact[s]) / 2
		}
		f := must(FitTemperature(m, joints[i].P()))
		t.Logf("phase %v: total variation %.4f, fitted T %.3f, δ %.3f", w.Center, tv, f.T, f.Delta)
		if tv > .03 {
			t.Errorf("phase %v: total variation %.4f", w.Center, tv)
		}
		closeTo(t, "fitted T", f.T/math.Sqrt(p.RateFactor(w.Center*p.Period())), 1, .08)
	}
}

// TestProfileGibbsResume: a restored chain goes on bit for bit, from amid a sweep and a cycle;
// checkpoints of others and of other machines are refused.
func TestProfileGibbsResume(t *testing.T) {
	for _, scan := range []Scan{Sequential, Random} {
		build := func(a float64) *ProfileGibbs {
			return must(NewProfileGibbs(bmS(20, a), ProfileGibbsOptions{Scan: scan}))
		}
		s, other := build(1), build(1)
		_, err := s.MarshalBinary()
		refused(t, "before Reset", err, "Reset")
		if err := s.Reset(nil, rng.Stream(5, "resume")); err != nil {
			t.Fatal(err)
		}
		run(t, s, 0, 1234.3)
		data := must(s.MarshalBinary())
		if err := other.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		a, b := must(s.Advance(3000, make([]sampling.Flip, 0, 4000))), must(other.Advance(3000, make([]sampling.Flip, 0, 4000)))
		if len(a) < 500 || !slices.Equal(a, b) || s.Time() != other.Time() || !slices.Equal(s.State(), other.State()) {
			t.Errorf("%v: %d flips, restored %d, or others", scan, len(a), len(b))
		}
		refused(t, "another machine", build(2).UnmarshalBinary(data), "does not fit")
		tt := must(NewTransitions(bmS(20, 1), TransitionsOptions{Ladder: Ladder{1, .5}}))
		refused(t, "another sampler", tt.UnmarshalBinary(data), "profile")
		for i := range data {
			if i%50 == 0 && other.UnmarshalBinary(data[:i]) == nil {
				t.Errorf("%d bytes accepted", i)
			}
		}
	}
}

// TestProfileGibbsMiddle: a visit has the temperature of its middle. Visits of 1.5 ms begin at
// 0, 1.5, 3 and 4.5 ms; the wave of 4 ms is hot from 1 to 3 ms.
func TestProfileGibbsMiddle(t *testing.T) {
	m := must(boltzmann.New(mat.NewSymDense(1, nil), []float64{1}))
	g := must(NewProfileGibbs(m, ProfileGibbsOptions{Profile: Square{1, 4, 250, 0, .5}, SweepMs: 1.5}))
	for i, want := range []float64{1, .5, 1, .5} {
		if g.c.time = int64(i); g.betaNow() != want {
			t.Errorf("visit %d is at β = %v: must be %v", i, g.betaNow(), want)
		}
	}
}

// TestProfileGibbsCold: at T = 0 a unit follows the sign of its log odds, and is a fair
// coin where they are 0.
func TestProfileGibbsCold(t *testing.T) {
	m := must(boltzmann.New(mat.NewSymDense(3, nil), []float64{1e-9, -1e-9, 0}))
	g := must(NewProfileGibbs(m, ProfileGibbsOptions{Profile: Constant(0)}))
	if err := g.Reset(nil, rand.NewPCG(1, 1)); err != nil {
		t.Fatal(err)
	}
	e := estimate.NewMarginals(3)
	run(t, g, 10, 1e5, e)
	p := e.Mean()
	if p[0] != 1 || p[1] != 0 || math.Abs(p[2]-.5) > .03 { // standard error .005
		t.Errorf("marginals %v at T = 0", p)
	}
}

func TestProfileGibbsRefuses(t *testing.T) {
	m := bmS(3, 1)
	nan := math.NaN()
	for _, c := range []struct {
		m     sampling.Model
		o     ProfileGibbsOptions
		words []string
	}{
		{nil, ProfileGibbsOptions{}, []string{"model is nil"}},
		{m, ProfileGibbsOptions{Scan: 7}, []string{"Scan"}},
		{m, ProfileGibbsOptions{SweepMs: -1}, []string{"SweepMs = -1"}},
		{m, ProfileGibbsOptions{Step: nan}, []string{"Step = NaN"}},
		{m, ProfileGibbsOptions{Profile: Constant(-1)}, []string{"Constant"}},
		{m, ProfileGibbsOptions{Profile: Table{[]float64{1}, 1e9}}, []string{"2^20 steps"}},
		{m, ProfileGibbsOptions{Profile: RaisedCosine{1, 4, 251, 0}}, []string{"at least 4 steps", "250 Hz"}},
		{m, ProfileGibbsOptions{Profile: RaisedCosine{1, 4, 50, 0}, Step: 10}, []string{"at least 4 steps", "25 Hz"}},
		{m, ProfileGibbsOptions{Temperature: func(float64) float64 { return -1 }}, []string{"temperature at", "is -1"}},
		{m, ProfileGibbsOptions{Temperature: must(StoredMap(lif.TutorialCUBA())).Temperature, Profile: Constant(17)}, []string{"is NaN"}},
	} {
		_, err := NewProfileGibbs(c.m, c.o)
		refused(t, "options", err, c.words...)
	}
	g := must(NewProfileGibbs(m, ProfileGibbsOptions{}))
	refused(t, "Reset", g.Reset(nil, nil), "random source is nil")
	refused(t, "Reset", g.Reset([]uint8{1}, rng.Stream(1, "x")), "1 units")
	if err := g.Reset(nil, rng.Stream(1, "x")); err != nil {
		t.Fatal(err)
	}
	_, err := g.Advance(nan, make([]sampling.Flip, 0, 6))
	refused(t, "Advance", err, "finite")
}

func BenchmarkProfileGibbs(b *testing.B) {
	g := must(NewProfileGibbs(bmS(20, 1), ProfileGibbsOptions{}))
	if err := g.Reset(nil, rng.Stream(1, "bench")); err != nil {
		b.Fatal(err)
	}
	buf := make([]sampling.Flip, 0, 4096)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := g.Advance(float64(i+1)*10, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWindowed(b *testing.B) {
	w := must(NewWindowed(PhaseWindow{0, .15}, 500, estimate.NewMarginals(12)))
	if err := w.Begin(0, make([]uint8, 12)); err != nil {
		b.Fatal(err)
	}
	flips := make([]sampling.Flip, 1024)
	b.ReportAllocs()
	now := 0.0
	for b.Loop() {
		for i := range flips {
			now += 1.7
			flips[i] = sampling.Flip{Time: now, Unit: int32(i % 12), On: uint8(i/12) & 1}
		}
		w.Record(flips, now)
	}
}

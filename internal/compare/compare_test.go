package compare

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/tempering"
)

// telegraph is one unit that flips with probability a per step of time dt, each of which
// costs 3 sweeps.
type telegraph struct {
	a, dt float64
	steps int64
	z     []uint8
	r     *rand.Rand
}

func (s *telegraph) Dim() int       { return 1 }
func (s *telegraph) State() []uint8 { return s.z }
func (s *telegraph) Time() float64  { return float64(s.steps) * s.dt }
func (s *telegraph) Reset(start []uint8, src rand.Source) error {
	s.z, s.r, s.steps = slices.Clone(start), rand.New(src), 0
	return nil
}
func (s *telegraph) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	buf = buf[:0]
	for s.Time() < t && len(buf) < cap(buf) {
		s.steps++
		if s.r.Float64() < s.a {
			s.z[0] ^= 1
			buf = append(buf, sampling.Flip{Time: s.Time(), On: s.z[0]})
		}
	}
	return buf, nil
}

// costly is a telegraph that says what it costs.
type costly struct{ telegraph }

func (s *costly) Cost() int64 { return 3 * s.steps }

func options(sweeps float64) Options {
	return Options{Sweeps: sweeps, Seed: 1, Start: []uint8{0}, Masses: []float64{.5, .5, 0},
		Labels: func() (estimate.Labels, error) { return estimate.Patterns([][]uint8{{0}, {1}}, 0) }}
}

// TestCurrencies: one process read in three ways. A switch has probability .05 per step:
// autocorrelation time 19 steps, 50 switches per 1000.
func TestCurrencies(t *testing.T) {
	const a, tau = .05, 19.
	for _, tc := range []struct {
		name           string
		c              Candidate
		sweeps, bio    float64 // per step
		samplesPerStep float64
	}{
		{"gibbs-like", Candidate{New: func(context.Context, int) (sampling.Sampler, error) { return &telegraph{a: a, dt: 1}, nil }}, 1, 10, 1},
		{"spiking", Candidate{Spiking: true, New: func(context.Context, int) (sampling.Sampler, error) { return &telegraph{a: a, dt: 10}, nil }}, 1, 10, 1},
		{"tempered", Candidate{Copies: 3, New: func(context.Context, int) (sampling.Sampler, error) {
			return &costly{telegraph{a: a, dt: 1}}, nil
		}}, 3, 10, 1},
	} {
		tc.c.Name = tc.name
		o := options(3e5 * tc.sweeps)
		r, err := Run(t.Context(), tc.c, o)
		if err != nil {
			t.Fatal(err)
		}
		steps := float64(r.Sweeps) / tc.sweeps
		if math.Abs(steps-3e5) > 12 || math.Abs(float64(r.BioMS)/steps-tc.bio) > 1e-9 || math.Abs(float64(r.Samples)/steps-tc.samplesPerStep) > 1e-9 {
			t.Errorf("%s: %v sweeps, %v ms, %v samples", tc.name, r.Sweeps, r.BioMS, r.Samples)
		}
		// 15000 switches: 4.5 se are 4 % of their number, and about 12 % of tau.
		if x := float64(r.SwitchesPer1000) * tc.sweeps / 50; math.Abs(x-1) > .04 {
			t.Errorf("%s: %v switches per 1000 sweeps", tc.name, r.SwitchesPer1000)
		}
		if x := float64(r.SwitchesPer1000Samples) / 50; math.Abs(x-1) > .04 {
			t.Errorf("%s: %v switches per 1000 samples", tc.name, r.SwitchesPer1000Samples)
		}
		if x := float64(r.IACT) / tc.sweeps / tau; math.Abs(x-1) > .12 {
			t.Errorf("%s: IACT %v sweeps, exact %v", tc.name, r.IACT, tau*tc.sweeps)
		}
		if math.Abs(float64(r.ESS)*float64(r.IACT)/float64(r.Sweeps)-1) > 1e-9 {
			t.Errorf("%s: ESS %v, IACT %v", tc.name, r.ESS, r.IACT)
		}
		if !r.Agrees(o.Masses) || r.Agrees([]float64{.6, .4, 0}) {
			t.Errorf("%s: occupancy %v agrees with wrong masses or not with the right ones", tc.name, r.Occupancy)
		}
		if x := r.RoundTrips; x != r.Switches/2 && math.Abs(float64(x-r.Switches/2)) > 4 {
			t.Errorf("%s: %d round trips, %d switches", tc.name, x, r.Switches)
		}
		last := r.Curve[len(r.Curve)-1]
		if len(r.Curve) != 2*marks+1 || math.Abs(4*last.Sweeps-float64(r.Sweeps)) > 1e-6 || math.Abs(4*last.BioMS-float64(r.BioMS)) > 1e-6 {
			t.Errorf("%s: %d points, the last at %+v", tc.name, len(r.Curve), last)
		}
		if len(r.Work) != 4 || r.Work[0][0] != 0 || math.Abs(r.Work[3][1]-float64(r.Sweeps)/4) > 3*tc.sweeps {
			t.Errorf("%s: work of chains %v", tc.name, r.Work)
		}
	}
}

// TestMinRun: the filter is in sweeps, whatever the unit of the sampler's time.
func TestMinRun(t *testing.T) {
	var switches []int64
	for _, dt := range []float64{1, 10} {
		c := Candidate{Name: "same", Spiking: dt == 10, New: func(context.Context, int) (sampling.Sampler, error) { return &telegraph{a: .05, dt: dt}, nil }}
		for _, minRun := range []float64{0, 5} {
			o := options(1e4)
			o.MinRun = minRun
			r, err := Run(t.Context(), c, o)
			if err != nil {
				t.Fatal(err)
			}
			switches = append(switches, r.Switches)
		}
	}
	if switches[0] != switches[2] || switches[1] != switches[3] || switches[1] >= switches[0] {
		t.Errorf("%d switches in sweeps, all and filtered, then in ms", switches)
	}
}

// TestCandidates: real samplers of a machine of two modes, all right and at the cost they
// say, and the same whatever the number of processors.
func TestCandidates(t *testing.T) {
	m, err := models.WTA(2, 2, 2, .5, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := boltzmann.Joint(m)
	if err != nil {
		t.Fatal(err)
	}
	masses := []float64{p[0b0011], p[0b1100], 0}
	masses[2] = 1 - masses[0] - masses[1]
	ladder := tempering.Ladder{1, .5, 0}
	o := Options{Sweeps: 3e4, Seed: 2, Chains: 3, Start: []uint8{1, 1, 0, 0}, Masses: masses,
		Labels: func() (estimate.Labels, error) { return estimate.Groups([][]int{{0, 1}, {2, 3}}, 2, 0) }}
	for _, c := range []Candidate{
		{Name: "gibbs", New: func(context.Context, int) (sampling.Sampler, error) {
			return boltzmann.NewGibbs(m, boltzmann.GibbsOptions{})
		}},
		{Name: "pt", Copies: 3, New: func(context.Context, int) (sampling.Sampler, error) {
			return tempering.NewParallel(m, tempering.ParallelOptions{Ladder: ladder})
		}, Count: func(s sampling.Sampler, r *Row) {
			if r.ReplicaRoundTrips == nil {
				r.ReplicaRoundTrips = new(int64)
			}
			for _, n := range s.(*tempering.Parallel).RoundTrips() {
				*r.ReplicaRoundTrips += n
			}
		}},
		{Name: "ast", New: func(context.Context, int) (sampling.Sampler, error) {
			return tempering.NewAST(m, tempering.ASTOptions{Ladder: ladder, Adapt: 2000})
		}},
		{Name: "neural", Spiking: true, New: func(context.Context, int) (sampling.Sampler, error) {
			return lif.NewNeural(m, lif.NeuralOptions{Update: lif.Continuous})
		}},
	} {
		var rows []*Row
		for _, procs := range []int{1, 2} {
			old := runtime.GOMAXPROCS(procs)
			r, err := Run(t.Context(), c, o)
			runtime.GOMAXPROCS(old)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r)
		}
		r := rows[0]
		if !r.Agrees(masses) {
			t.Errorf("%s: occupancy %.3f, exact %.3f", c.Name, r.Occupancy, masses)
		}
		if math.Abs(float64(r.Sweeps)/3e4-1) > .01 {
			t.Errorf("%s: %v sweeps", c.Name, r.Sweeps)
		}
		if want := float64(r.Sweeps) * 10 / float64(r.Copies); math.Abs(float64(r.BioMS)-want) > 1e-6 {
			t.Errorf("%s: %v ms, want %v", c.Name, r.BioMS, want)
		}
		if c.Name == "ast" && (r.Work[0][0] < 2000 || float64(r.Samples) > float64(r.Sweeps)-6000) {
			t.Errorf("adaptation is not in the cost: recording began after %v sweeps, %v samples of %v sweeps", r.Work[0][0], r.Samples, r.Sweeps)
		}
		if (r.ReplicaRoundTrips != nil) != (c.Name == "pt") || r.ReplicaRoundTrips != nil && *r.ReplicaRoundTrips < 100 {
			t.Errorf("%s: replica round trips %v", c.Name, r.ReplicaRoundTrips)
		}
		if a, b := encoded(t, rows[0]), encoded(t, rows[1]); a != b {
			t.Errorf("%s: with one processor\n%s\nwith two\n%s", c.Name, a, b)
		}
	}
}

// encoded is the row without wall time.
func encoded(t *testing.T, r *Row) string {
	t.Helper()
	c := *r
	c.WallS = 0
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStuck: a chain that never leaves its mode has no time scale, and null in JSON.
func TestStuck(t *testing.T) {
	o := options(1000)
	c := Candidate{Name: "stuck", New: func(context.Context, int) (sampling.Sampler, error) { return &telegraph{dt: 1}, nil }}
	r, err := Run(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(float64(r.IACT)) || !math.IsNaN(float64(r.ESS)) || !math.IsNaN(float64(r.DKLMCSE)) || r.Switches != 0 || math.Abs(float64(r.DKLModes)-math.Ln2) > 1e-12 || r.Agrees(o.Masses) {
		t.Errorf("%+v", r)
	}
	code := encoded(t, r)
	if !strings.Contains(code, `"iact":null`) {
		t.Errorf("%s", code)
	}
	var back Row
	if err := json.Unmarshal([]byte(code), &back); err != nil || !math.IsNaN(float64(back.IACT)) || back.DKLModes != r.DKLModes {
		t.Errorf("%v, %+v", err, back)
	}
	if s := Table([]*Row{r}); !strings.Contains(s, "–") || !strings.Contains(s, "1.000 .000") {
		t.Errorf("table\n%s", s)
	}
	o.Masses = nil
	if r, err = Run(t.Context(), c, o); err != nil || !math.IsNaN(float64(r.DKLModes)) || r.Curve != nil {
		t.Errorf("without masses: %+v, %v", r, err)
	}
}

func TestBest(t *testing.T) {
	rows := []*Row{{Sampler: "a", ESS: 10, Sweeps: 1, BioMS: 10, WallS: 2}, {Sampler: "b", ESS: 10, Sweeps: 2, BioMS: 1, WallS: 3},
		{Sampler: "c", ESS: Number(math.NaN()), Sweeps: 1, BioMS: 1, WallS: 1}}
	s, b, w := Best(rows)
	if s.Sampler != "a" || b.Sampler != "b" || w.Sampler != "a" {
		t.Errorf("best %s, %s, %s", s.Sampler, b.Sampler, w.Sampler)
	}
	if s, _, _ := Best(rows[2:]); s != nil {
		t.Errorf("best of none: %+v", s)
	}
	if (&Row{ESS: 19}).Agrees(nil) {
		t.Error("19 draws agree with anything")
	}
}

// TestInterrupt: what was done is returned, marked, with the error.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := options(1e12)
	var names []string
	o.OnProgress = func(name string, p sampling.Progress) {
		if len(names) == 0 {
			names = append(names, name)
		}
		if p.Time > 1e5 {
			cancel()
		}
	}
	o.Chains = 1
	c := Candidate{Name: "long", New: func(context.Context, int) (sampling.Sampler, error) { return &telegraph{a: .1, dt: 1}, nil }}
	r, err := Run(ctx, c, o)
	if err != context.Canceled || r == nil || !r.Partial || !(r.Sweeps >= 1e5) || r.Sweeps > 1e8 || !reflect.DeepEqual(names, []string{"long"}) {
		t.Errorf("%+v, %v, progress of %v", r, err, names)
	}
	if r, err := Run(ctx, c, o); err != context.Canceled || r != nil {
		t.Errorf("already cancelled: %+v, %v", r, err)
	}
}

func TestRefuses(t *testing.T) {
	good := Candidate{Name: "x", New: func(context.Context, int) (sampling.Sampler, error) { return &telegraph{dt: 1}, nil }}
	for what, change := range map[string]func(*Options){
		"budget": func(o *Options) { o.Sweeps = 0 }, "budget of NaN": func(o *Options) { o.Sweeps = math.NaN() },
		"Chains": func(o *Options) { o.Chains = -1 }, "TauRef": func(o *Options) { o.TauRef = -1 },
		"Labels": func(o *Options) { o.Labels = nil }, "MinRun": func(o *Options) { o.MinRun = -1 },
		"masses": func(o *Options) { o.Masses = []float64{1} },
	} {
		o := options(100)
		change(&o)
		if what == "masses" {
			what = "target"
		}
		if _, err := Run(t.Context(), good, o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

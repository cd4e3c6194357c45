package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/bayes"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

func posterior(t *testing.T, network string, ev bayes.Evidence, o Options) *Result {
	t.Helper()
	n, err := bayes.Builtin(network)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Posterior(t.Context(), n, ev, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPublished runs the published networks with default options: LIF within 0.05 of the
// exact marginals of the original network, the exact samplers within 4.5 Monte-Carlo
// standard errors and the regularisation error (about 30 comparisons a network: a right
// implementation fails with probability 2e-4).
func TestPublished(t *testing.T) {
	for _, c := range []struct {
		network string
		ev      bayes.Evidence
		psp     lif.PSP
		aux     int
	}{
		{"asia", bayes.Evidence{"xray": "yes", "dysp": "yes"}, lif.Rect, 1},
		{"asia", bayes.Evidence{"asia": "yes", "dysp": "yes", "xray": "yes", "smoke": "no"}, lif.Rect, 1},
		{"vision", bayes.Evidence{"shading": "present", "contour": "curved"}, lif.Rect, 0},
		{"vision", bayes.Evidence{"shading": "present", "contour": "straight"}, lif.Rect, 0},
		{"alarm", bayes.Evidence{"alarm": "yes"}, lif.Rect, 0},
	} {
		t.Run(fmt.Sprintf("%s/%v", c.network, c.ev), func(t *testing.T) {
			r := posterior(t, c.network, c.ev, Options{Seed: 1})
			t.Logf("\n%v", r)
			if r.Setup.PSP != c.psp || r.Aux != c.aux {
				t.Errorf("%v PSPs with %d auxiliary units: want %v with %d", r.Setup.PSP, r.Aux, c.psp, c.aux)
			}
			for _, s := range r.Samplers {
				// All record 4 chains of 2e5 ms, Gibbs sampling one sweep per 10 ms.
				if want := map[string]float64{"ms": 8e5, "sweeps": 8e4}[s.Unit]; math.Abs(s.Time/want-1) > 1e-5 || (s.Unit == "sweeps") != (s.Name == Gibbs) {
					t.Errorf("%s: recorded %v %s", s.Name, s.Time, s.Unit)
				}
				if s.Name == LIF {
					if s.MaxAbsError > 0.05 {
						t.Errorf("lif: largest error %.4f: must be ≤ 0.05", s.MaxAbsError)
					}
					if s.DKL == nil || !(s.DKL.X < 0.01) {
						t.Errorf("lif: divergence %v: must be < 0.01", s.DKL)
					}
					continue
				}
				for _, m := range s.Marginals {
					if d := math.Abs(m.Estimate - m.Exact); d > 4.5*m.MCSE+r.Target.RegularisationError+1e-12 {
						t.Errorf("%s: %s=%s %.5f ± %.5f, exact %.5f", s.Name, m.Variable, m.State, m.Estimate, m.MCSE, m.Exact)
					}
				}
				if d := s.DKL; d == nil || !(d.X < 5*d.Floor) {
					t.Errorf("%s: divergence %v", s.Name, d)
				}
			}
		})
	}
}

// TestFlip: the contour explains the shading away, for every sampler.
func TestFlip(t *testing.T) {
	at := func(contour string) map[string]float64 {
		r := posterior(t, "vision", bayes.Evidence{"shading": "present", "contour": contour}, Options{Query: []string{"reflectance"}, Seed: 2})
		p := make(map[string]float64)
		for _, s := range r.Samplers {
			p[s.Name] = s.Marginals[1].Estimate
		}
		return p
	}
	curved, straight := at("curved"), at("straight")
	for _, s := range Samplers() {
		if !(curved[s] < 0.5 && straight[s] > 0.5) {
			t.Errorf("%s: p(step) = %.3f with a curved contour, %.3f with a straight one: must flip across ½", s, curved[s], straight[s])
		}
	}
}

// TestMultiValued: a network with three-valued variables and zeros, against variable
// elimination.
func TestMultiValued(t *testing.T) {
	n, err := bayes.ReadBIF(strings.NewReader(`network weather { }
variable sky { type discrete [ 3 ] { clear, cloudy, storm }; }
variable rain { type discrete [ 2 ] { no, yes }; }
variable road { type discrete [ 3 ] { dry, wet, flooded }; }
probability ( sky ) { table 0.5, 0.35, 0.15; }
probability ( rain | sky ) { (clear) 1.0, 0.0; (cloudy) 0.6, 0.4; (storm) 0.1, 0.9; }
probability ( road | rain ) { (no) 0.9, 0.1, 0.0; (yes) 0.1, 0.7, 0.2; }
`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Posterior(t.Context(), n, nil, Options{Seed: 3, Duration: 4e5})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%v", r)
	if r.Target.RegularisationError <= 0 || r.Target.RegularisationError > 1e-3 {
		t.Errorf("regularisation error %v: must be in (0, 1e-3]", r.Target.RegularisationError)
	}
	for _, s := range r.Samplers {
		if !(s.Defined > 0.2 && s.Defined < 1) {
			t.Errorf("%s: variables defined for %.3f of the time", s.Name, s.Defined)
		}
		// Impossible joint values are not sampled, although zeros had to be made small.
		if s.DKL == nil || !(s.DKL.X < 0.05) {
			t.Errorf("%s: divergence %v: must be < 0.05", s.Name, s.DKL)
		}
		if s.Name == LIF {
			if s.MaxAbsError > 0.08 {
				t.Errorf("lif: largest error %.4f: must be ≤ 0.08", s.MaxAbsError)
			}
			continue
		}
		for _, m := range s.Marginals {
			if d := math.Abs(m.Estimate - m.Exact); d > 4.5*m.MCSE+r.Target.RegularisationError {
				t.Errorf("%s: %s=%s %.5f ± %.5f, exact %.5f", s.Name, m.Variable, m.State, m.Estimate, m.MCSE, m.Exact)
			}
		}
	}
}

// TestInvariance: the number of workers changes nothing but the wall time.
func TestInvariance(t *testing.T) {
	var first string
	for _, workers := range []int{1, 2, 7} {
		r := posterior(t, "asia", bayes.Evidence{"xray": "yes"}, Options{Seed: 5, Duration: 5000, Chains: 3, Parallel: workers})
		r.Wall = 0
		for i := range r.Samplers {
			r.Samplers[i].Wall = 0
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(b)
		} else if string(b) != first {
			t.Errorf("%d workers: another result", workers)
		}
	}
}

// TestDetermined: where nothing is left to sample the exact answer stands alone.
func TestDetermined(t *testing.T) {
	r := posterior(t, "alarm", bayes.Evidence{"alarm": "yes", "burglary": "no", "earthquake": "yes"}, Options{Query: []string{"alarm", "burglary"}})
	if len(r.Samplers) != 0 || !strings.Contains(r.String(), "nothing is left to sample") || !strings.Contains(r.String(), "burglary") {
		t.Errorf("%v", r)
	}
	b, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(b), `"samplers":[]`) || !strings.Contains(string(b), `{"variable":"burglary","value":"no","p":1}`) {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := r.Plan.Sampler(Gibbs); !errors.Is(err, bayes.ErrDetermined) {
		t.Errorf("%v", err)
	}
}

// TestSchedule: every chain runs its warm-up and its duration, a sweep per refractory time.
func TestSchedule(t *testing.T) {
	setup := lif.TutorialCUBA()
	total := make(map[string]float64)
	o := Options{Duration: 3000, Warmup: 2000, Chains: 2, Setup: &setup, OnProgress: func(s string, p sampling.Progress) { total[s] = p.Total }}
	posterior(t, "asia", bayes.Evidence{"xray": "yes"}, o)
	for s, want := range map[string]float64{LIF: 10000, Neural: 10000, Gibbs: 1000} {
		if total[s] != want {
			t.Errorf("%s runs for %v, want %v", s, total[s], want)
		}
	}
}

// TestChoices: what Auto chooses, and what it says about couplings that the network cannot
// follow.
func TestChoices(t *testing.T) {
	petrovici := lif.Petrovici2016()
	weakNet, err := bayes.ReadUAI(strings.NewReader("MARKOV\n2\n2 2\n1\n2 0 1\n4\n1.2 1 1 1.2\n"))
	if err != nil {
		t.Fatal(err)
	}
	vision, _ := bayes.Builtin("vision")
	shading := bayes.Evidence{"shading": "present", "contour": "curved"}
	for _, c := range []struct {
		name   string
		n      *bayes.Network
		ev     bayes.Evidence
		setup  *lif.Setup
		psp    lif.PSP
		kind   string
		beyond bool
		tr     lif.Translation
	}{
		{"weak", weakNet, nil, nil, lif.Exponential, bayes.KindPairwise, false, lif.PairCalibrated},
		{"strong", vision, shading, nil, lif.Rect, bayes.KindPairwise, false, lif.PairCalibrated},
		{"saturated", vision, shading, &petrovici, lif.Exponential, bayes.KindPairwise, true, lif.PairCalibrated},
		{"strong third order", vision, nil, nil, lif.Rect, bayes.Kind2k, false, lif.Published},
	} {
		p, err := NewPlan(c.n, c.ev, Options{Setup: c.setup})
		if err != nil {
			t.Fatal(err)
		}
		if p.Setup.PSP != c.psp || p.Kind != c.kind || p.Beyond > 0 != c.beyond || p.Translation != c.tr {
			t.Errorf("%s: %v PSPs, %s machine, %d couplings beyond, %v translation", c.name, p.Setup.PSP, p.Kind, p.Beyond, p.Translation)
		}
	}
	r := posterior(t, "vision", shading, Options{Setup: &petrovici, Duration: 1000, Samplers: []string{LIF}})
	if !strings.Contains(r.String(), "not faithful") {
		t.Error("the text does not say that the result is not faithful")
	}
}

func TestCancel(t *testing.T) {
	n := bayes.ASIA()
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Duration: 1e9, OnProgress: func(_ string, p sampling.Progress) {
		if p.Time > 5e4 {
			cancel()
		}
	}}
	start := time.Now()
	r, err := Posterior(ctx, n, bayes.Evidence{"xray": "yes"}, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if r == nil || !r.Partial || len(r.Samplers) != 1 || !r.Samplers[0].Partial || r.Samplers[0].Time <= 0 {
		t.Fatalf("partial result %+v", r)
	}
	if !strings.Contains(r.String(), "PARTIAL") {
		t.Error("the text does not say that it is partial")
	}
	t.Logf("%.3g ms sampled in %v", r.Samplers[0].Time, time.Since(start))
	// The biological time is what was recorded, whatever the sampler.
	for _, c := range []struct {
		s    SamplerResult
		want float64
	}{{SamplerResult{Time: 120, Unit: "ms", Partial: true}, 120}, {SamplerResult{Time: 120, Unit: "sweeps", Partial: true}, 1200}, {SamplerResult{Time: 1, Unit: "ms"}, 4e9}} {
		x := Result{Plan: r.Plan, Samplers: []SamplerResult{c.s}, Chains: 4, Duration: 1e9}
		if got := x.bio(); got != c.want {
			t.Errorf("biological time %v, want %v", got, c.want)
		}
	}
	if got := (&Result{Plan: r.Plan, Chains: 4, Duration: 1e9}).bio(); got != 0 {
		t.Errorf("biological time of nothing %v", got)
	}
}

func TestErrors(t *testing.T) {
	asia := bayes.ASIA()
	for _, c := range []struct {
		ev    bayes.Evidence
		o     Options
		words []string
	}{
		{bayes.Evidence{"xrax": "yes"}, Options{}, []string{"xrax", "xray"}},
		{bayes.Evidence{"xray": "maybe"}, Options{}, []string{"maybe", "yes"}},
		{bayes.Evidence{"tub": "yes", "either": "no"}, Options{}, []string{"probability 0"}},
		{nil, Options{Duration: -1}, []string{"Duration = -1"}},
		{nil, Options{Duration: math.NaN()}, []string{"Duration"}},
		{nil, Options{Warmup: -1}, []string{"Warmup"}},
		{nil, Options{Chains: -1}, []string{"Chains"}},
		{nil, Options{Chains: 1e9}, []string{"Chains", "100000"}},
		{nil, Options{Duration: 5}, []string{"Duration = 5", "refractory"}},
		{nil, Options{Parallel: -1}, []string{"Parallel"}},
		{nil, Options{Samplers: []string{"nuts"}}, []string{"nuts", "gibbs"}},
		{nil, Options{Samplers: []string{"lif", "lif"}}, []string{"twice"}},
		{nil, Options{Query: []string{"lungs"}}, []string{"lungs"}},
		{nil, Options{Query: []string{"lung", "lung"}}, []string{"twice"}},
		{nil, Options{Shape: 7}, []string{"Shape"}},
	} {
		_, err := NewPlan(asia, c.ev, c.o)
		if err == nil {
			t.Errorf("%v %+v: no error", c.ev, c.o)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not name %q", err, w)
			}
		}
	}
	if _, err := NewPlan(nil, nil, Options{}); err == nil {
		t.Error("no network: no error")
	}
}

func ExamplePosterior() {
	r, err := Posterior(context.Background(), bayes.ASIA(), bayes.Evidence{"xray": "yes", "dysp": "yes"},
		Options{Samplers: []string{Gibbs}, Query: []string{"lung"}, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := r.Samplers[0].Marginals[0]
	fmt.Printf("p(%s=%s) = %.3f, sampled %.2f\n", m.Variable, m.State, m.Exact, m.Estimate)
	// Output: p(lung=yes) = 0.621, sampled 0.62
}

package stp_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/stp"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %.12f, must be %.12f ± %.1g", what, got, want, tol)
	}
}

// TestSteadyState: closed forms for a regular train of 10 ms, and that a synapse gets
// there. Exchanging the updates of R and u would miss the rows with facilitation.
func TestSteadyState(t *testing.T) {
	for _, c := range []struct {
		p    stp.Params
		r, u float64
	}{
		{stp.Params{U: 1, TauRec: 10}, 0.6321205588, 1},
		{stp.Params{U: 0.5, TauRec: 100}, 0.1737871318, 0.5},
		{stp.Params{U: 0.1, TauRec: 100}, 0.5126014889, 0.1},
		{stp.Params{U: 0.01, TauRec: 280}, 0.7842954183, 0.01},
		{stp.Params{U: 0.1, TauRec: 100, TauFac: 300}, 0.1198749143, 0.7721679204},
		{stp.Params{U: 0.2, TauRec: 50, TauFac: 500}, 0.1928577803, 0.9266077490},
		{stp.Params{U: 0.3, TauRec: 0, TauFac: 0}, 1, 0.3},
	} {
		c.p.Scale = 1
		r, u := c.p.SteadyState(10)
		near(t, fmt.Sprint(c.p, " R"), r, c.r, 1e-10)
		near(t, fmt.Sprint(c.p, " u"), u, c.u, 1e-10)
		var s stp.Sender
		for i := range 5000 {
			s.Spike(float64(i)*10, &c.p)
		}
		gotR, gotU := s.Resource()
		near(t, fmt.Sprint(c.p, " R after 5000 spikes"), gotR, r, 1e-12)
		near(t, fmt.Sprint(c.p, " u after 5000 spikes"), gotU, u, 1e-12)
	}
}

// TestTransient: the fifth spike of a regular train, and the geometric approach without
// facilitation.
func TestTransient(t *testing.T) {
	for _, c := range []struct {
		p    stp.Params
		r, u float64
	}{
		{stp.Params{U: 0.1, TauRec: 100, Scale: 1}, 0.72695788, 0.1},
		{stp.Params{U: 0.1, TauRec: 100, TauFac: 300, Scale: 1}, 0.46253878, 0.38620828},
	} {
		var s stp.Sender
		for i := range 5 {
			s.Spike(1000+float64(i)*10, &c.p)
			if r, _ := s.Resource(); c.p.TauFac == 0 {
				star, _ := c.p.SteadyState(10)
				near(t, "transient", r, star+(1-star)*math.Pow((1-c.p.U)*math.Exp(-0.1), float64(i)), 1e-12)
			}
		}
		r, u := s.Resource()
		near(t, "R", r, c.r, 1e-8)
		near(t, "u", u, c.u, 1e-8)
	}
}

// TestRenewing: after every spike the synaptic variable is the weight, whatever the
// intervals.
func TestRenewing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tau := rapid.Float64Range(1, 50).Draw(t, "tau")
		p := stp.Renewing(tau)
		var s stp.Sender
		x, now := 0.0, rapid.Float64Range(0, 1e6).Draw(t, "start")
		for range 100 {
			if x += s.Spike(now, &p); math.Abs(x-1) > 1e-12 {
				t.Fatalf("%v after a spike", x)
			}
			h := rapid.Float64Range(0, 10*tau).Draw(t, "interval")
			next := now + h
			x *= math.Exp(-(next - now) / tau)
			now = next
		}
	})
}

// TestFirstSpike: it brings s·U whenever it comes; time 0 is not a spike.
func TestFirstSpike(t *testing.T) {
	for _, t0 := range []float64{0, 1e-3, 5, 1e9} {
		p := stp.Params{U: 0.3, TauRec: 100, TauFac: 50, Scale: 2}
		var s stp.Sender
		if r, u := s.Resource(); r != 1 || u != 0 {
			t.Errorf("at rest: %v, %v", r, u)
		}
		if got := s.Spike(t0, &p); got != 0.6 {
			t.Errorf("first spike at %v brings %v", t0, got)
		}
	}
}

// TestPoisson: mean resources of 4e5 spikes of a Poisson train and of one with a dead time,
// within 5 standard errors from batches of 1000.
func TestPoisson(t *testing.T) {
	p := stp.Params{U: 0.1, TauRec: 100, Scale: 1}
	dead := p.RenewalResource(math.Exp(-0.1) / (1 + 40.0/100))
	near(t, "closed form with a dead time", dead, 0.845498, 5e-7)
	near(t, "closed form of Poisson", p.PoissonResource(20), 0.83333, 5e-6)
	near(t, "renewal form of Poisson", p.RenewalResource(1/(1+50.0/100)), p.PoissonResource(20), 1e-12)
	for _, c := range []struct{ dead, mean, want float64 }{{0, 50, p.PoissonResource(20)}, {10, 40, dead}} {
		r := rand.New(rng.Stream(1, "poisson", int(c.dead)))
		var s stp.Sender
		now, sum, square := 0.0, 0.0, 0.0
		const batches, size = 400, 1000
		for range batches {
			batch := 0.0
			for range size {
				now += c.dead + c.mean*r.ExpFloat64()
				s.Spike(now, &p)
				x, _ := s.Resource()
				batch += x / size
			}
			sum += batch
			square += batch * batch
		}
		mean := sum / batches
		se := math.Sqrt((square/batches - mean*mean) / batches)
		near(t, fmt.Sprintf("dead time %v ms", c.dead), mean, c.want, 5*se)
	}
}

func TestGains(t *testing.T) {
	kappa := 1 / (1 - math.Exp(-1))
	p, err := stp.FromGains(300, kappa, 0.8, 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "U", p.U, 0.0331, 5e-5)
	near(t, "s", p.Scale, 1/p.U, 1e-9)
	mixing := stp.Depressing(0.01, 280)
	_, sustained := mixing.Gains(10, 10)
	near(t, "sustained gain of U=0.01, 280 ms", sustained, 1.2407, 5e-5)
	if w := mixing.Check(10, 10); len(w) != 1 || !strings.Contains(w[0], "strengthens") {
		t.Error(w)
	}
	if w := p.Check(10, 10); w != nil {
		t.Error(w)
	}
	if r, s := stp.Renewing(10).Gains(10, 10); math.Abs(r-kappa) > 1e-12 || math.Abs(s-1) > 1e-12 {
		t.Errorf("renewing has gains %v and %v", r, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := stp.Params{U: rapid.Float64Range(1e-4, 1).Draw(t, "U"), TauRec: rapid.Float64Range(5, 2000).Draw(t, "rec"), Scale: rapid.Float64Range(0.1, 100).Draw(t, "s")}
		tauRef, tauSyn := rapid.Float64Range(5, 20).Draw(t, "ref"), rapid.Float64Range(5, 20).Draw(t, "syn")
		g0, g := want.Gains(tauRef, tauSyn)
		got, err := stp.FromGains(want.TauRec, g0, g, tauRef, tauSyn)
		// 1/R − 1 cancels where U is small.
		if err != nil && want.U < 0.999 || err == nil && (math.Abs(got.U/want.U-1) > 1e-9 || math.Abs(got.Scale/want.Scale-1) > 1e-9) {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
	})
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		p    stp.Params
		want string
	}{
		{stp.Params{U: 0, Scale: 1}, "U = 0"},
		{stp.Params{U: 1.1, Scale: 1}, "U = 1.1"},
		{stp.Params{U: math.NaN(), Scale: 1}, "U = NaN"},
		{stp.Params{U: 1, TauRec: -1, Scale: 1}, "TauRec = -1"},
		{stp.Params{U: 1, TauFac: math.Inf(1), Scale: 1}, "TauFac = +Inf"},
		{stp.Params{U: 1}, "Scale = 0"},
	} {
		if err := c.p.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
	if err := stp.Renewing(10).Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		rec, g0, g float64
		want       string
	}{
		{300, 1, 1.1, "below the rested gain"},
		{300, 1, 1, "below the rested gain"},
		{300, 0, 0.5, "rested gain = 0"},
		{math.NaN(), 1, 0.5, "tauRec = NaN"},
		{300, 1.58, 0.01, "at most 1"},
	} {
		if _, err := stp.FromGains(c.rec, c.g0, c.g, 10, 10); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	// Equal gains where e^{−τ_ref/τ_rec} is 0, and where static synapses pile up without end.
	for _, c := range [][5]float64{{0.01, 1, 1, 10, 10}, {1e-3, 2, 1, 1e-300, 1e300}} {
		if p, err := stp.FromGains(c[0], c[1], c[2], c[3], c[4]); err == nil {
			t.Errorf("%v: %+v", c, p)
		}
	}
}

func ExampleFromGains() {
	// First spikes as strong as those of a renewing synapse, sustained ones 0.8 of it.
	p, err := stp.FromGains(300, 1.581977, 0.8, 10, 10)
	fmt.Printf("U = %.4f, s = %.1f, %v\n", p.U, p.Scale, err)
	// Output: U = 0.0331, s = 30.2, <nil>
}

func BenchmarkSpike(b *testing.B) {
	p := stp.Depressing(0.03, 300)
	var s stp.Sender
	for i := range b.N {
		s.Spike(float64(i)*15, &p)
	}
}

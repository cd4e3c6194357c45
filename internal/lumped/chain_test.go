package lumped

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// The lumped chain conserves probability flow, its rows stay below 1, and where a double
// eigenvalue solver is accurate it gives the same relaxation time.
func TestAgainstEigenvalues(t *testing.T) {
	m, err := models.WTA(2, 3, 1, .3, -.1)
	if err != nil {
		t.Fatal(err)
	}
	c := mustNew(t, m, []int{3, 3}, 0.7)
	n := c.States()
	sym := mat.NewSymDense(n, nil)
	for s := range n {
		stay := 1.0
		for u, p := range c.rate[s] {
			stay -= p
			if back := c.rate[u][s]; !(math.Abs(c.pi[s]*p-c.pi[u]*back) <= 1e-16) {
				t.Errorf("flow %d to %d: %v, back %v", s, u, c.pi[s]*p, c.pi[u]*back)
			}
			if u > s {
				sym.SetSym(s, u, math.Sqrt(p*c.rate[u][s]))
			}
		}
		if stay < 0 {
			t.Errorf("row %d sums to %v", s, 1-stay)
		}
		sym.SetSym(s, s, stay)
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, false) {
		t.Fatal("no eigenvalues")
	}
	values := eig.Values(nil)
	slices.Sort(values)
	want := 1 / (6 * (1 - values[n-2]))
	if got := mustRelaxation(t, c); !(math.Abs(got-want) <= 1e-10*want) || math.Abs(values[n-1]-1) > 1e-12 {
		t.Errorf("relaxation %v, want %v (largest eigenvalue %v)", got, want, values[n-1])
	}
}

// Two fair units without couplings relax in one sweep. From one on and from both on to none
// on take x1 = 1 + x1/2 + x2/4 and x2 = 1 + x2/2 + x1/2 visits, hence 6 and 8.
func TestByHand(t *testing.T) {
	m, err := boltzmann.New(mat.NewSymDense(2, nil), []float64{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	c := mustNew(t, m, []int{2}, 1)
	times, err := c.Passage(func(k []int) bool { return k[0] == 0 })
	if err != nil {
		t.Fatal(err)
	}
	if !(math.Abs(times[1]-3) < 1e-14 && math.Abs(times[2]-4) < 1e-14) || times[0] != 0 {
		t.Errorf("times %v, want 0, 3, 4 sweeps", times)
	}
	if got := mustRelaxation(t, c); !(math.Abs(got-1) < 1e-12) {
		t.Errorf("relaxation %v, want 1", got)
	}
}

// boltzmann-baselines 5.2: 1000 simulated reversals of CW(20, 1.5) by random-scan Gibbs.
// False alarms at 4 standard errors: 6e-5.
func TestSimulated(t *testing.T) {
	const n, passages, want = 20, 1000, 151.458
	m, err := models.CurieWeiss(n, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	g, err := boltzmann.NewGibbs(m, boltzmann.GibbsOptions{Scan: boltzmann.Random})
	if err != nil {
		t.Fatal(err)
	}
	start := slices.Repeat([]uint8{1}, n)
	src := rng.Stream(1, "passage")
	one := make([]sampling.Flip, 0, 1) // one flip at a time
	var sum, sum2 float64
	for range passages {
		if err := g.Reset(start, src); err != nil {
			t.Fatal(err)
		}
		on := n
		for on > 0 {
			flips, err := g.Advance(1e9, one)
			if err != nil || len(flips) != 1 {
				t.Fatal(len(flips), err)
			}
			on += 2*int(flips[0].On) - 1
		}
		sum += g.Time()
		sum2 += g.Time() * g.Time()
	}
	mean := sum / passages
	se := math.Sqrt((sum2/passages - mean*mean) / passages)
	if !(math.Abs(mean-want) < 4*se) || se > 0.05*want {
		t.Errorf("mean reversal %.2f ± %.2f sweeps, want %.2f", mean, se, want)
	}
	t.Logf("mean reversal %.2f ± %.2f sweeps, exact %.2f", mean, se, want)
}

func TestRefuses(t *testing.T) {
	m, err := models.BMS(6, 1)
	if err != nil {
		t.Fatal(err)
	}
	cw, err := models.CurieWeiss(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"nil model":        func() error { _, err := New(nil, []int{1}, 1); return err },
		"not exchangeable": func() error { _, err := New(m, []int{3, 3}, 1); return err },
		"wrong sum":        func() error { _, err := New(cw, []int{3}, 1); return err },
		"empty group":      func() error { _, err := New(cw, []int{4, 0}, 1); return err },
		"NaN beta":         func() error { _, err := New(cw, []int{4}, math.NaN()); return err },
		"negative beta":    func() error { _, err := New(cw, []int{4}, -1); return err },
		"too many":         func() error { _, err := New(cw, []int{1999, 1999}, 1); return err },
		"never reached": func() error {
			_, err := mustNew(t, cw, []int{4}, 1).Passage(func([]int) bool { return false })
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

package feedforward_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/inference/feedforward"
)

var ones = feedforward.Feedforward{Gains: []float64{1, 1, 1}}

// TestMachine is acceptance 4 but for the evolution: log Z, marginals, fixed points, gains.
func TestMachine(t *testing.T) {
	n, x := machine(t, 1, false), patterns()
	mf, _ := relax(t, n, x, start(t, n, x, feedforward.Feedforward{}), feedforward.RelaxOptions{Tol: 1e-13})
	for i, want := range []float64{.99939, .00248, .00028, .00211, .99802, .00132, .99811, .00008, .99983, .00021, .11426, .99943} {
		near(t, fmt.Sprintf("mean field of x0, unit %d", i), mf.Row(nil, 0)[i], want, 1e-5)
	}
	k, err := feedforward.NewKernel(n, mat.Row(nil, 0, x), feedforward.OddFirst)
	if err != nil {
		t.Fatal(err)
	}
	m, err := k.Marginals(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{.94883, .00398, .08581, .00370, .99466, .10612, .89279, .00452, .99449, .10625, .10793, .99047} {
		near(t, fmt.Sprintf("marginal of x0, unit %d", i), m[i], want, 1e-5)
	}
	ff, f1 := start(t, n, x, feedforward.Feedforward{}), start(t, n, x, ones)
	for b, want := range [][4]float64{ // |ff − mf| with (2,2,1) and (1,1,1), second eigenvalue, log Z
		{3e-5, .0445, .984323, 21.663806}, {6e-5, .0530, .934127, 28.719212}, {.0070, .1355, .954588, math.NaN()},
		{.0065, .1330, .841012, 30.460816}, {.0041, .0928, .792309, math.NaN()}, {.0040, .1165, .969679, math.NaN()}} {
		near(t, fmt.Sprintf("x%d, |ff − mf|", b), maxDiff(ff.Row(nil, b), mf.Row(nil, b)), want[0], 1e-5+5e-5*math.Min(1, want[0]/.001))
		near(t, fmt.Sprintf("x%d, |ff(1,1,1) − mf|", b), maxDiff(f1.Row(nil, b), mf.Row(nil, b)), want[1], 5.1e-5)
		k, err := feedforward.NewKernel(n, mat.Row(nil, b, x), feedforward.OddFirst)
		if err != nil {
			t.Fatal(err)
		}
		e, err := k.SecondEigenvalue()
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("x%d, second eigenvalue", b), e, want[2], 1e-5)
		if !math.IsNaN(want[3]) {
			near(t, fmt.Sprintf("x%d, log Z", b), k.LogZ(), want[3], 1e-5)
		}
	}
	for _, c := range []struct {
		s      feedforward.State
		lo, hi int
	}{{ff, 0, 1}, {f1, 2, 2}, {start(t, n, x, feedforward.Constant(.5)), 3, 3}} {
		_, rel := relax(t, n, x, c.s, feedforward.RelaxOptions{})
		for b, sweeps := range rel.Sweeps {
			if sweeps < c.lo || sweeps > c.hi+1 { // "to 1e-4" in the fixed point there, in the residual here
				t.Errorf("x%d: %d sweeps to 1e-4, want %d to %d", b, sweeps, c.lo, c.hi)
			}
		}
	}
}

// divergences are the means over the six inputs of DKL(p_t‖p), and the single ones.
func divergences(t testing.TB, n *feedforward.Network, i feedforward.Initializer, sweeps int) (mean []float64, each [6][]float64) {
	t.Helper()
	x := patterns()
	s := start(t, n, x, i)
	mean = make([]float64, sweeps+1)
	for b := range 6 {
		k, err := feedforward.NewKernel(n, mat.Row(nil, b, x), feedforward.OddFirst)
		if err != nil {
			t.Fatal(err)
		}
		p, err := k.Product(s.Row(nil, b))
		if err != nil {
			t.Fatal(err)
		}
		for i := range mean {
			d, err := k.DKL(p)
			if err != nil {
				t.Fatal(err)
			}
			mean[i] += d / 6
			each[b] = append(each[b], d)
			if err := k.Evolve(p, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	return mean, each
}

// TestKernelEvolution is the table of acceptance 4, to 1e-6.
func TestKernelEvolution(t *testing.T) {
	n, x := machine(t, 1, false), patterns()
	mf, _ := relax(t, n, x, start(t, n, x, feedforward.Feedforward{}), feedforward.RelaxOptions{Tol: 1e-14})
	at := []int{0, 1, 2, 5, 10, 20, 50, 100}
	for _, c := range []struct {
		name  string
		init  feedforward.Initializer
		d     []float64
		until []int // sweeps to 0.1, 0.05, 0.02, 0.01
	}{
		{"zero", feedforward.Constant(0), []float64{26.262413, 5.795771, 1.147219, .473200, .246063, .105375, .018797, .002125}, []int{21, 32, 49, 63}},
		{"uniform", feedforward.Constant(.5), []float64{19.314647, 4.851783, 2.398207, 1.113076, .526793, .201703, .032839, .003685}, []int{31, 43, 60, 76}},
		{"ff (1,1,1)", ones, []float64{.638788, .048211, .012329, .009257, .007330, .004904, .001658, .000312}, []int{1, 1, 2, 4}},
		{"ff (2,2,1)", feedforward.Feedforward{}, []float64{.030822, .026604, .024075, .019023, .014023, .008513, .002552, .000456}, []int{0, 0, 5, 17}},
		{"mean field", feedforward.Stored{State: mf}, []float64{.030325, .026593, .024062, .019015, .014018, .008510, .002551, .000455}, []int{0, 0, 5, 17}},
	} {
		mean, each := divergences(t, n, c.init, 100)
		for i, want := range c.d {
			near(t, fmt.Sprintf("%s, DKL after %d sweeps", c.name, at[i]), mean[at[i]], want, 1e-6)
		}
		for i, level := range []float64{.1, .05, .02, .01} {
			sweeps := 0
			for mean[sweeps] > level {
				sweeps++
			}
			if sweeps != c.until[i] {
				t.Errorf("%s: %d sweeps to %g, want %d", c.name, sweeps, level, c.until[i])
			}
		}
		if c.name != "ff (2,2,1)" {
			continue
		}
		for b, want := range map[int][]float64{
			0: {.119888, .111367, .103359, .085853, .066879, .043634},
			1: {.005094, .002787, .002139, .001146, .000495, .000111},
			3: {.003251, .000722, .000395, .000107, .000017, 0}} {
			for i, w := range want {
				near(t, fmt.Sprintf("x%d after %d sweeps", b, at[i]), each[b][at[i]], w, 1e-6)
			}
		}
	}
	soft := machine(t, .6, false)
	for _, c := range []struct {
		init feedforward.Initializer
		d    []float64
	}{{feedforward.Feedforward{}, []float64{.185589, .115920, .078803, .034167, .011682}}, {feedforward.Constant(.5), []float64{8.747029, 1.846395, .808111, .166282, .023129}}} {
		mean, _ := divergences(t, soft, c.init, 10)
		for i, want := range c.d {
			near(t, fmt.Sprintf("softened, after %d sweeps", at[i]), mean[at[i]], want, 1e-6)
		}
	}
}

// TestViolated is acceptance 9 and the violated condition of case D.
func TestViolated(t *testing.T) {
	n, x := machine(t, 1, true), patterns()
	s, rep, err := feedforward.Feedforward{}.Check(n, x)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Max() <= .1 || rep.Consistent(.1) || rep.Consistent(1e-4) {
		t.Errorf("residual %g, consistent", rep.Max())
	}
	if _, rep, _ := (feedforward.Feedforward{}).Check(machine(t, 1, false), x); rep.Max() > .1 || !rep.Consistent(.1) {
		t.Errorf("the trained machine: residual %g", rep.Max())
	}
	mf, _ := relax(t, n, x, s, feedforward.RelaxOptions{Tol: 1e-12})
	near(t, "|ff − mf| of x0", maxDiff(s.Row(nil, 0), mf.Row(nil, 0)), .915, 5e-4)
	k, err := feedforward.NewKernel(n, mat.Row(nil, 0, x), feedforward.OddFirst)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log Z of x0", k.LogZ(), 20.573660, 1e-6)
	mean, _ := divergences(t, n, feedforward.Feedforward{}, 50)
	for at, want := range map[int]float64{0: 3.365128, 1: .388327, 2: .130934, 5: .114962, 10: .099487, 20: .076036, 50: .036830} {
		near(t, fmt.Sprintf("DKL after %d sweeps", at), mean[at], want, 1e-6)
	}
	if mean[36] <= .05 || mean[37] > .05 {
		t.Errorf("DKL %g and %g after 36 and 37 sweeps: must fall to 0.05 then", mean[36], mean[37])
	}
}

// TestKernelAgainstEnumeration: the law is that of Given's machine, the kernel leaves it
// unchanged in both orders, and its slowest decay is the second eigenvalue.
func TestKernelAgainstEnumeration(t *testing.T) {
	r := source("kernel")
	for _, sizes := range [][]int{{3, 4}, {3, 2, 3}, {2, 3, 2, 2}, {3, 1, 2, 3, 2}} {
		n := random(t, r, sizes, feedforward.Options{})
		x := []float64{.3, -1, 2}[:sizes[0]]
		for _, order := range []feedforward.Order{feedforward.OddFirst, feedforward.EvenFirst} {
			k, err := feedforward.NewKernel(n, x, order)
			if err != nil {
				t.Fatal(err)
			}
			p := k.Law()
			if len(sizes) > 2 {
				m, err := n.Given(x)
				if err != nil {
					t.Fatal(err)
				}
				want, err := boltzmann.Joint(m)
				if err != nil {
					t.Fatal(err)
				}
				if d := maxDiff(p, want); d > 1e-14 {
					t.Errorf("%v: law off by %g", sizes, d)
				}
			}
			if err := k.Evolve(p, 3); err != nil {
				t.Fatal(err)
			}
			if d := maxDiff(p, k.Law()); d > 1e-14 {
				t.Errorf("%v: the law moves by %g", sizes, d)
			}
			lambda, err := k.SecondEigenvalue()
			if err != nil {
				t.Fatal(err)
			}
			q, err := k.Product(make([]float64, k.Units()))
			if err != nil {
				t.Fatal(err)
			}
			if len(sizes) == 2 {
				if err := k.Evolve(q, 1); err != nil || maxDiff(q, p) > 1e-14 || lambda > 1e-12 {
					t.Errorf("independent units: eigenvalue %g, not exact after a sweep", lambda)
				}
				continue
			}
			distance := func() float64 {
				if err := k.Evolve(q, 1); err != nil {
					t.Fatal(err)
				}
				return maxDiff(q, p)
			}
			for range 4 {
				distance()
			}
			var last, now float64
			for now = distance(); now > 1e-7; now = distance() {
				last = now
			}
			near(t, fmt.Sprintf("%v: decay per sweep", sizes), now/last, lambda, .02)
		}
	}
	p, err := feedforward.GibbsKernelEvolution(machine(t, 1, false), []float64{1, 1, 1, 0, 0, 0}, nil, 1)
	if err == nil {
		t.Errorf("evolution of nothing: %v", p)
	}
}

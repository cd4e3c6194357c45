package feedforward_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/inference/feedforward"
)

var linear = feedforward.Options{Energy: feedforward.Leaky}

// TestLinearPair is acceptance 1, case A: with W_2ᵀW_2 = 1/2 the doubled pass is the fixed
// point. From 0, B h* has norm |h*|/√2 and B²h* = h*/2, so errors fall by √2 per parallel sweep
// and by 2 per sweep of Gauss and Seidel.
func TestLinearPair(t *testing.T) {
	r := source("A")
	n := network(t, []mat.Matrix{gaussian(r, 5, 7), orthogonal(r, 8, 5, 1/math.Sqrt2)}, [][]float64{make([]float64, 5), make([]float64, 8)}, linear)
	x := gaussian(r, 4, 7)
	for _, c := range []struct {
		rule feedforward.Rule
		rate float64
		n    int
	}{{feedforward.Jacobi, 1 / math.Sqrt2, 40}, {feedforward.GaussSeidel, .5, 20}} {
		cmp, err := feedforward.CompareInit(bg, n, x, []feedforward.Candidate{{Name: "zero", Init: feedforward.Constant(0)}, {Name: "ff", Init: feedforward.Feedforward{}}},
			feedforward.CompareOptions{Relax: feedforward.RelaxOptions{Rule: c.rule, Tol: 1e-14}, Within: 1e-6})
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range cmp[0].Curve {
			near(t, fmt.Sprintf("%v, error after %d sweeps", c.rule, i), d, math.Pow(c.rate, float64(i)), 1e-10)
		}
		for b := range 4 {
			if cmp[0].Sweeps[b] != c.n || cmp[1].Sweeps[b] != 0 || !cmp[1].Same[b] {
				t.Errorf("%v, sample %d: %d sweeps to 1e-6 from 0 and %d from the pass, same %v; want %d, 0", c.rule, b, cmp[0].Sweeps[b], cmp[1].Sweeps[b], cmp[1].Same[b], c.n)
			}
			if cmp[1].Distance[b] > 1e-12 {
				t.Errorf("pass: distance %g", cmp[1].Distance[b])
			}
		}
	}
	q, err := n.Contraction()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "contraction", q, 1/math.Sqrt2, 1e-12)
}

// TestGainRecursion is acceptance 2.
func TestGainRecursion(t *testing.T) {
	r := source("gains")
	build := func(s2, s3 float64) *feedforward.Network {
		return network(t, []mat.Matrix{gaussian(r, 8, 6), orthogonal(r, 10, 8, s2), orthogonal(r, 12, 10, s3)},
			[][]float64{make([]float64, 8), make([]float64, 10), make([]float64, 12)}, linear)
	}
	n := build(.6, .7)
	g, err := feedforward.ExactGains(n)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{3.4, 1 / .51, 1} {
		near(t, fmt.Sprintf("g_%d", k+1), g[k], want, 1e-12)
	}
	x := gaussian(r, 50, 6)
	distance := func(n *feedforward.Network, g []float64) float64 {
		s := start(t, n, x, feedforward.Feedforward{Gains: g})
		fixed, _ := relax(t, n, x, s, feedforward.RelaxOptions{Tol: 1e-14})
		return relative(s.Flat(), fixed.Flat())
	}
	if d := distance(n, g); d > 1e-12 {
		t.Errorf("distance with exact gains %g", d)
	}
	near(t, "distance with (2,2,1)", distance(n, nil), .404, .05)
	near(t, "distance with (1,1,1)", distance(n, []float64{1, 1, 1}), .806, .05)
	if d := distance(build(.5, math.Sqrt(.5)), nil); d > 1e-12 {
		t.Errorf("s = (1/2, 1/√2): distance with (2,2,1) %g", d)
	}
	q, err := n.Contraction()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "contraction", q, math.Sqrt(.36+.49), 1e-12) // 0.921954: the columns of W_3 W_2 are orthogonal too
	fit, err := feedforward.OptimalGains(bg, n, x, feedforward.RelaxOptions{Tol: 1e-13})
	if err != nil {
		t.Fatal(err)
	}
	if d := maxDiff(fit, g); d > 1e-10 {
		t.Errorf("fitted gains %v", fit)
	}
	// s_2² g_2 ≥ 1: no minimum.
	if _, err := feedforward.ExactGains(build(.8, .7)); err == nil {
		t.Error("an energy without a minimum: no error")
	}
	if _, err := feedforward.ExactGains(network(t, []mat.Matrix{gaussian(r, 8, 6), gaussian(r, 10, 8)}, [][]float64{make([]float64, 8), make([]float64, 10)}, linear)); err == nil {
		t.Error("columns that are not orthogonal: no error")
	}
}

// chain is case B: one unit a layer, W_1 x = 0.6.
func chain(t *testing.T, w2 float64) (*feedforward.Network, *mat.Dense) {
	return network(t, []mat.Matrix{mat.NewDense(1, 1, []float64{.6}), mat.NewDense(1, 1, []float64{w2})}, [][]float64{{0}, {-.3630596754}}, feedforward.Options{}),
		mat.NewDense(1, 1, []float64{1})
}

// TestChain is acceptance 3, the numbers of case B.
func TestChain(t *testing.T) {
	n, x := chain(t, 1)
	s, rep, err := feedforward.Feedforward{}.Check(n, x)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "h_1", s[0].At(0, 0), .7685247835, 1e-9)
	near(t, "h_2", s[1].At(0, 0), .6, 1e-9)
	if rep.Max() > 1e-9 || !rep.Consistent(1e-9) {
		t.Errorf("residual %g", rep.Max())
	}
	for _, c := range []struct{ d, eps, residual, bound, h1, h2, distance float64 }{
		{.1, .0801245, -.0139462, .0200311, .7831812, .6220926, .0151404},
		{-.1, -.0767204, .0139282, .0191801, .7540679, .5782519, .0148004},
		{.3, .2500099, -.0414752, .0625025, .8125553, .6666922, .0458640},
	} {
		n, x := chain(t, 1+c.d)
		s, rep, err := feedforward.Feedforward{}.Check(n, x)
		if err != nil {
			t.Fatal(err)
		}
		fixed, _ := relax(t, n, x, s, feedforward.RelaxOptions{Tol: 1e-14})
		near(t, "ε", rep.Epsilon[0], math.Abs(c.eps), 1e-7)
		near(t, "bound", rep.Bound[0], c.bound, 1e-7)
		near(t, "residual", rep.Residual[0], math.Abs(c.residual), 1e-7)
		near(t, "h_1", fixed[0].At(0, 0), c.h1, 1e-7)
		near(t, "h_2", fixed[1].At(0, 0), c.h2, 1e-7)
		near(t, "distance", math.Hypot(s[0].At(0, 0)-c.h1, s[1].At(0, 0)-c.h2), c.distance, 1e-7)
		near(t, "consistency", rep.Consistency[0], c.eps*c.eps, 1e-7) // gain 2: e = −ε
	}
}

// every has all energies and rates.
var every = []feedforward.Options{{}, {Energy: feedforward.Clipped}, {Energy: feedforward.Leaky}, {Energy: feedforward.Leaky, Rate: feedforward.HardSigmoid}, {Energy: feedforward.Leaky, Rate: feedforward.Sigmoid}}

// TestBound is the rest of acceptance 3: |f(a) − h| ≤ Lip(f)|ε| at the feedforward state of
// 1000 random networks, in every energy, with any gains and split.
func TestBound(t *testing.T) {
	r := source("bound")
	tight := 0.0
	for i := range 1000 {
		sizes := make([]int, 3+r.IntN(4))
		for k := range sizes {
			sizes[k] = 1 + r.IntN(6)
		}
		n := random(t, r, sizes, every[i%len(every)])
		f := feedforward.Feedforward{}
		if i%2 == 1 {
			f = feedforward.Feedforward{Gains: make([]float64, n.Layers()), BiasShare: r.Float64()}
			for k := range f.Gains {
				f.Gains[k] = .1 + 3*r.Float64()
			}
		}
		x := gaussian(r, 3, sizes[0])
		_, rep, err := f.Check(n, x)
		if err != nil {
			t.Fatal(err)
		}
		for k, y := range rep.Residual {
			if y > rep.Bound[k]*(1+1e-12)+1e-12 {
				t.Errorf("net %d, layer %d: residual %g above the bound %g", i, k+1, y, rep.Bound[k])
			}
			if rep.Bound[k] > 0 {
				tight = max(tight, y/rep.Bound[k])
			}
		}
	}
	if tight < .9 {
		t.Errorf("residuals reach %.2f of their bound: it bounds something else", tight)
	}
}

// TestConsistencyReport: |e_1|² by hand, with halves of the bias and with a learned split.
func TestConsistencyReport(t *testing.T) {
	r := source("consistency")
	for _, td := range [][][]float64{nil, {{.3, -1, .2}}} {
		n := random(t, r, []int{4, 3, 2}, feedforward.Options{TopDown: td})
		x := gaussian(r, 5, 4)
		s, rep, err := feedforward.Feedforward{}.Check(n, x)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		w1, w2, b := n.Weight(1), n.Weight(2), n.Bias(1)
		for i := range 5 {
			for j := range 3 {
				down := b[j] / 2
				if td != nil {
					down = td[0][j]
				}
				e := b[j] - down + mat.Dot(w1.RowView(j), mat.NewVecDense(4, x.RawRowView(i)))
				e -= down + mat.Dot(w2.ColView(j), mat.NewVecDense(2, s[1].RawRowView(i)))
				want += e * e / 5
			}
		}
		near(t, "consistency", rep.Consistency[0], want, 1e-12*want)
	}
}

// TestContraction: q is Lip(f) Lip(r) ‖B‖₂.
func TestContraction(t *testing.T) {
	r := source("q")
	w := []mat.Matrix{gaussian(r, 3, 2), gaussian(r, 4, 3), gaussian(r, 2, 4), gaussian(r, 3, 2)}
	b := [][]float64{make([]float64, 3), make([]float64, 4), make([]float64, 2), make([]float64, 3)}
	whole := mat.NewSymDense(12, nil)
	for k, at := range [][2]int{{3, 0}, {7, 3}, {9, 7}} { // first units of a layer and of that below
		rows, cols := w[k+1].Dims()
		for i := range rows {
			for j := range cols {
				whole.SetSym(at[0]+i, at[1]+j, w[k+1].At(i, j))
			}
		}
	}
	var eig mat.EigenSym
	eig.Factorize(whole, false)
	norm := eig.Values(nil)[11]
	for i, want := range []float64{norm / 4, norm, norm, norm, norm / 16} {
		q, err := network(t, w, b, every[i]).Contraction()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "q", q, want, 1e-12*norm)
	}
}

// TestSweepsBound: distance and sweeps in a contraction, statement (c).
func TestSweepsBound(t *testing.T) {
	r := source("contraction")
	for range 50 {
		n := random(t, r, []int{5, 4, 4, 4}, feedforward.Options{})
		q, err := n.Contraction()
		if err != nil {
			t.Fatal(err)
		}
		if q >= 1 {
			continue
		}
		x := gaussian(r, 1, 5)
		s, rep, err := feedforward.Feedforward{}.Check(n, x)
		if err != nil {
			t.Fatal(err)
		}
		fixed, _ := relax(t, n, x, s, feedforward.RelaxOptions{Rule: feedforward.Jacobi, Tol: 1e-13})
		d, eps := 0.0, 0.0
		for k := range s {
			size := len(s[k].RawRowView(0))
			for j, h := range s[k].RawRowView(0) {
				d += math.Pow(h-fixed[k].At(0, j), 2)
			}
			eps += float64(size) * rep.Epsilon[k] * rep.Epsilon[k]
		}
		if math.Sqrt(d) > math.Sqrt(eps)/4/(1-q)+1e-12 {
			t.Errorf("distance %g above the bound %g", math.Sqrt(d), math.Sqrt(eps)/4/(1-q))
		}
	}
}

// TestLimits: one layer, no top-down weights, no weights at all.
func TestLimits(t *testing.T) {
	r := source("limits")
	exact := func(what string, n *feedforward.Network, f feedforward.Feedforward, x mat.Matrix) {
		t.Helper()
		s, rep, err := f.Check(n, x)
		if err != nil || rep.Max() > 1e-15 {
			t.Errorf("%s: residual %g, %v", what, rep.Max(), err)
		}
		if _, rel := relax(t, n, x, s, feedforward.RelaxOptions{Tol: 1e-14}); rel.Sweeps[0] != 0 {
			t.Errorf("%s: %d sweeps", what, rel.Sweeps[0])
		}
	}
	for _, o := range every {
		exact("N = 1", random(t, r, []int{4, 6}, o), feedforward.Feedforward{}, gaussian(r, 2, 4))
		n := random(t, r, []int{4, 6, 3, 2}, o)
		zero := func(from int) *feedforward.Network {
			var w []mat.Matrix
			var b [][]float64
			for k := 1; k <= 3; k++ {
				m := n.Weight(k)
				if k >= from {
					m.Zero()
				}
				w, b = append(w, m), append(b, n.Bias(k))
			}
			return network(t, w, b, o)
		}
		exact("W_2, W_3 = 0, g = 1", zero(2), feedforward.Feedforward{Gains: []float64{1, 1, 1}}, gaussian(r, 2, 4))
		exact("W = 0", zero(1), feedforward.Feedforward{}, gaussian(r, 2, 4))
		exact("W = 0, halves", zero(1), feedforward.Feedforward{BiasShare: .5}, gaussian(r, 2, 4))
	}
}

// TestEnergyFalls: Gauss and Seidel minimise over one block after the other, so the energy
// falls with every sweep, in every energy; at rest its gradient is 0.
func TestEnergyFalls(t *testing.T) {
	r := source("energy")
	for _, o := range every {
		for range 20 {
			n := random(t, r, []int{4, 5, 4, 3}, o)
			if o.Energy == feedforward.Leaky && o.Rate == feedforward.Linear {
				if q, _ := n.Contraction(); q >= 1 {
					continue // no minimum
				}
			}
			x := gaussian(r, 2, 4)
			s := start(t, n, x, feedforward.Random{})
			last := []float64{math.Inf(1), math.Inf(1)}
			for range 30 {
				e := make([]float64, 2)
				if err := n.EnergyOf(e, x, s); err != nil {
					t.Fatal(err)
				}
				for b := range e {
					if e[b] > last[b]+1e-12*(1+math.Abs(e[b])) {
						t.Errorf("%v %v: energy rises from %v to %v", o.Energy, o.Rate, last[b], e[b])
					}
				}
				last = e
				s, _, _ = feedforward.Relax(bg, n, x, s, feedforward.RelaxOptions{MaxSweeps: 1, Tol: 1e-300})
			}
		}
	}
}

// TestJacobiOscillates: the parallel map of two strongly coupled units has a cycle of period 2
// that Gauss and Seidel do not have.
func TestJacobiOscillates(t *testing.T) {
	n := network(t, []mat.Matrix{mat.NewDense(1, 1, []float64{0}), mat.NewDense(1, 1, []float64{12})}, [][]float64{{-6}, {-6}}, feedforward.Options{})
	x := mat.NewDense(1, 1, nil)
	s := n.NewState(1)
	s[0].Set(0, 0, 1)
	if _, _, err := feedforward.Relax(bg, n, x, s, feedforward.RelaxOptions{Rule: feedforward.Jacobi}); err == nil {
		t.Error("Jacobi converged")
	}
	relax(t, n, x, s, feedforward.RelaxOptions{})
}

// TestFromLayered: the network of a layered machine has its weights and biases, input included, and
// gives it back for the hidden layers.
func TestFromLayered(t *testing.T) {
	m, err := models.AutoEncoder(1, false)
	if err != nil {
		t.Fatal(err)
	}
	n, err := feedforward.FromLayered(m)
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1, 0, 1, 0, 1, 0}
	g, err := n.Given(x)
	if err != nil {
		t.Fatal(err)
	}
	// Energies of hidden states given x differ by a constant at most: that of the input.
	z, h := make([]uint8, 18), make([]uint8, 12)
	for i, v := range x {
		z[i] = uint8(v)
	}
	first := m.Energy(z) - g.Energy(h)
	for s := range 1 << 12 {
		for k := range 12 {
			h[k] = uint8(s >> k & 1)
		}
		copy(z[6:], h)
		if d := m.Energy(z) - g.Energy(h); math.Abs(d-first) > 1e-12 {
			t.Fatalf("state %v: energies differ by %v, those of zeros by %v", h, d, first)
		}
	}
	if n.Energy() != feedforward.Boltzmann || n.Layers() != 3 || !slices.Equal(n.Bias(0), make([]float64, 6)) {
		t.Errorf("a %v network of %d layers", n.Energy(), n.Layers())
	}
}

package feedforward_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestLandscapeGradient: the gradient is that of the energy, the drift is its negative, and the
// energy that of EnergyOf.
func TestLandscapeGradient(t *testing.T) {
	r := source("landscape")
	for _, o := range every[2:] {
		n := random(t, r, []int{4, 3, 5, 2}, o)
		for _, x := range []*mat.Dense{gaussian(r, 1, 4), gaussian(r, 6, 4)} {
			l, err := feedforward.NewLandscape(n, x)
			if err != nil {
				t.Fatal(err)
			}
			d := l.Dim()
			h, g, f := make([]float64, 6*d), make([]float64, 6*d), make([]float64, 6*d)
			for i := range h {
				h[i] = .5 + .7*r.NormFloat64()
			}
			l.Gradient(g, h)
			l.Drift(f, h, 0)
			up, down := make([]float64, 6), make([]float64, 6)
			for i := range h {
				if f[i] != -g[i] {
					t.Fatalf("drift %g, gradient %g", f[i], g[i])
				}
				const eps = 1e-6
				old := h[i]
				h[i] = old + eps
				l.Energy(up, h)
				h[i] = old - eps
				l.Energy(down, h)
				h[i] = old
				near(t, fmt.Sprintf("%v, gradient", o.Rate), g[i], (up[i/d]-down[i/d])/(2*eps), 1e-6*(1+math.Abs(g[i])))
			}
			s, err := n.FromFlat(h)
			if err != nil {
				t.Fatal(err)
			}
			l.Energy(up, h)
			all := x
			if r, _ := x.Dims(); r == 1 {
				all = mat.NewDense(6, 4, nil)
				for b := range 6 {
					copy(all.RawRowView(b), x.RawRowView(0))
				}
			}
			if err := n.EnergyOf(down, all, s); err != nil {
				t.Fatal(err)
			}
			if d := maxDiff(up, down); d > 1e-12 {
				t.Errorf("energies %g apart", d)
			}
		}
	}
}

// TestLangevin: the linear network sampled by Langevin dynamics has the Gaussian law of its
// energy, mean h* and covariance T (1 − B)⁻¹. 4000 chains that are independent at the end; the
// averaged noise makes no error of the step. 35 numbers at 5 standard errors.
func TestLangevin(t *testing.T) {
	const chains, temperature = 4000, .3
	r := source("langevin")
	w2 := orthogonal(r, 3, 2, .7)
	w3 := orthogonal(r, 2, 2, .5)
	w3 = mat.DenseCopyOf(w3)
	full := mat.NewDense(2, 3, nil) // W_3 on three units
	for i := range 2 {
		for j := range 2 {
			full.Set(i, j, w3.At(i, j))
		}
	}
	n := network(t, []mat.Matrix{gaussian(r, 2, 4), w2, full}, [][]float64{{.3, -.2}, {.1, 0, .5}, {-.4, .2}}, linear)
	x := gaussian(r, 1, 4)
	rest, _ := relax(t, n, x, start(t, n, x, feedforward.Constant(0)), feedforward.RelaxOptions{Tol: 1e-13})
	l, err := feedforward.NewLandscape(n, x)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sampling.NewLangevin(l, sampling.LangevinOptions{Dt: .1, Temperature: temperature, Rule: sampling.Averaged, Chains: chains})
	if err != nil {
		t.Fatal(err)
	}
	src := make([]rand.Source, chains)
	for c := range src {
		src[c] = rng.Stream(5, "langevin", c)
	}
	begin := make([]float64, 0, chains*l.Dim())
	for range chains {
		begin = rest.Row(begin, 0)
	}
	if err := s.Reset(begin, src); err != nil {
		t.Fatal(err)
	}
	if err := s.Advance(40); err != nil { // the slowest mode decays with rate 1 − √(.49 + .25) at least
		t.Fatal(err)
	}
	d := l.Dim()
	precision := mat.NewDense(d, d, nil) // 1 − B, from the gradient, which is affine
	zero, g0, g := make([]float64, d), make([]float64, d), make([]float64, d)
	l.Gradient(g0, zero)
	for i := range d {
		zero[i] = 1
		l.Gradient(g, zero)
		zero[i] = 0
		for j := range d {
			precision.Set(j, i, g[j]-g0[j])
		}
	}
	var cov mat.Dense
	if err := cov.Inverse(precision); err != nil {
		t.Fatal(err)
	}
	cov.Scale(temperature, &cov)
	state, mean := s.State(), rest.Row(nil, 0)
	for i := range d {
		m := 0.0
		for c := range chains {
			m += state[c*d+i] / chains
		}
		near(t, fmt.Sprintf("mean of unit %d", i), m, mean[i], 5*math.Sqrt(cov.At(i, i)/chains))
		for j := range i + 1 {
			v := 0.0
			for c := range chains {
				v += (state[c*d+i] - mean[i]) * (state[c*d+j] - mean[j]) / chains
			}
			se := math.Sqrt((cov.At(i, i)*cov.At(j, j) + cov.At(i, j)*cov.At(i, j)) / chains)
			near(t, fmt.Sprintf("covariance of %d and %d", i, j), v, cov.At(i, j), 5*se)
		}
	}
}

// TestNoLandscape: what has no law is refused.
func TestNoLandscape(t *testing.T) {
	n, x := machine(t, 1, false), patterns()
	if _, err := feedforward.NewLandscape(n, x); err == nil {
		t.Error("landscape of a Boltzmann machine: no error")
	}
	p, err := feedforward.NewPotentials(n, x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dynamics.NewStepper(p, dynamics.StepperOptions{Dt: .1, Temperature: 1}); err == nil {
		t.Error("potentials with noise: no error")
	}
	r := source("none")
	if _, err := feedforward.NewPotentials(random(t, r, []int{2, 2}, linear), gaussian(r, 1, 2)); err == nil {
		t.Error("potentials of a leaky network: no error")
	}
}

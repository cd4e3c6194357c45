package latent

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

var (
	_ dynamics.Energetic      = (*Energy)(nil)
	_ sampling.Preconditioned = (*Energy)(nil)
)

// threeLayers is a smooth network of 2-3-2-2 neurons.
func threeLayers(t testing.TB, rho float64) *Network {
	o := Haider2021()
	o.Inputs, o.Precision, o.WeightSD, o.BiasSD, o.Beta, o.Seed = 2, Float64, .6, .3, .6, 5
	o.TauR = rho * o.TauM
	o.Layers = []Layer{{Units: 3, Activation: Tanh}, {Units: 2, Activation: Softplus}, {Units: 2, Activation: Sigmoid}}
	return open(t, o)
}

// TestEnergyDerivatives: gradient, preconditioner and divergence against differences.
func TestEnergyDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, y := range [][]float64{nil, {.3, -.4}} {
		for _, rho := range []float64{0, .4, 1} {
			e, err := threeLayers(t, rho).NewEnergy([]float64{.5, -1}, y)
			if err != nil {
				t.Fatal(err)
			}
			const n, h = 7, 1e-5
			v := numbers(r, 2*n) // two rows
			grad, drift := make([]float64, 2*n), make([]float64, 2*n)
			e.Gradient(grad, v)
			e.Drift(drift, v, 0)
			up, down := make([]float64, 2), make([]float64, 2)
			for i := range v {
				x := v[i]
				v[i] = x + h
				e.Energy(up, v)
				v[i] = x - h
				e.Energy(down, v)
				v[i] = x
				if fd := (up[i/n] - down[i/n]) / (2 * h); math.Abs(fd-grad[i]) > 1e-8 || math.Abs(drift[i]+grad[i]/10) > 1e-15 {
					t.Errorf("gradient %d: %v, drift %v, difference %v", i, grad[i], drift[i], fd)
				}
			}
			// P from the Jacobian of the differences, by differences again.
			row := v[:n]
			residual := func() []float64 {
				e.prepare(row)
				res := flat(e.err)
				if y != nil {
					for i, rate := range e.rate[2] {
						res = append(res, math.Sqrt(e.beta)*(y[i]-rate))
					}
				}
				return res
			}
			m := len(residual())
			jac := mat.NewDense(m, n, nil)
			for j := range n {
				x := row[j]
				row[j] = x + h
				a := residual()
				row[j] = x - h
				b := residual()
				row[j] = x
				for i := range m {
					jac.Set(i, j, (a[i]-b[i])/(2*h))
				}
			}
			var want mat.Dense
			want.Mul(jac.T(), jac)
			want.Scale(10*rho, &want)
			p := mat.NewSymDense(n, nil)
			e.Precondition(p, row)
			for i := range n {
				want.Set(i, i, want.At(i, i)+10*(1-rho))
				for j := range n {
					if math.Abs(p.At(i, j)-want.At(i, j)) > 1e-7 {
						t.Errorf("ρ = %v: P[%d,%d] = %v: must be %v", rho, i, j, p.At(i, j), want.At(i, j))
					}
				}
			}
			inverse := func() *mat.SymDense {
				e.Precondition(p, row)
				var c mat.Cholesky
				if !c.Factorize(p) {
					t.Fatal("P is not positive definite")
				}
				inv := mat.NewSymDense(n, nil)
				if err := c.InverseTo(inv); err != nil {
					t.Fatal(err)
				}
				return inv
			}
			div := make([]float64, n)
			e.Divergence(div, row, inverse())
			fd := make([]float64, n)
			for j := range n {
				x := row[j]
				row[j] = x + h
				a := inverse()
				row[j] = x - h
				b := inverse()
				row[j] = x
				for i := range n {
					fd[i] += (a.At(i, j) - b.At(i, j)) / (2 * h)
				}
			}
			for i := range n {
				if math.Abs(div[i]-fd[i]) > 1e-7 {
					t.Errorf("ρ = %v: divergence %d is %v: must be %v", rho, i, div[i], fd[i])
				}
			}
		}
	}
}

// TestEnergyAgrees: the energy at the state of a network at equilibrium is that of the network, and
// its minimum; gradient descent, a Langevin run at T = 0, ends there.
func TestEnergyAgrees(t *testing.T) {
	n := open(t, tanhNet(.01))
	r := rand.New(rand.NewPCG(2, 9))
	x, y := numbers(r, 5), numbers(r, 3)
	for range 500 {
		if err := n.Step(x, y); err != nil {
			t.Fatal(err)
		}
	}
	o := n.o
	o.TauR = 0
	plainNet := open(t, o)
	for l := 1; l <= 4; l++ {
		w, b := n.Weights(l)
		if err := plainNet.SetWeights(l, w, b); err != nil {
			t.Fatal(err)
		}
	}
	e, err := plainNet.NewEnergy(x, y)
	if err != nil {
		t.Fatal(err)
	}
	var v []float64
	for l := 1; l <= 4; l++ {
		v = append(v, n.Prospective(l)...)
	}
	got, grad := make([]float64, 1), make([]float64, len(v))
	e.Energy(got, v)
	e.Gradient(grad, v)
	if math.Abs(got[0]-n.Energy()) > 1e-12 {
		t.Errorf("energy %v: must be %v", got[0], n.Energy())
	}
	for i, g := range grad {
		if math.Abs(g) > 1e-10 {
			t.Errorf("gradient %d at the equilibrium is %v: must be 0", i, g)
		}
	}
	l, err := sampling.NewLangevin(e, sampling.LangevinOptions{Dt: .2})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Reset(nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Advance(3000); err != nil {
		t.Fatal(err)
	}
	same(t, "minimum", 0, l.State(), v)
}

// TestPosterior samples the posterior of a small smooth network given a target, with look-ahead
// and without, and compares with Metropolis on the same energy, which is exact. 300 chains; 5 standard
// errors of the difference, and .01 for the rule's bias.
func TestPosterior(t *testing.T) {
	run := func(rho float64, o sampling.LangevinOptions) (mean, meanSE []float64, cov, covSE *mat.SymDense) {
		t.Helper()
		e, err := threeLayers(t, rho).NewEnergy([]float64{.5, -1}, []float64{1, 0})
		if err != nil {
			t.Fatal(err)
		}
		o.Chains, o.Temperature = 300, .3
		l, err := sampling.NewLangevin(e, o)
		if err != nil {
			t.Fatal(err)
		}
		src := make([]rand.Source, o.Chains)
		for i := range src {
			src[i] = rng.Stream(3, "posterior", i)
		}
		if err := l.Reset(nil, src); err != nil {
			t.Fatal(err)
		}
		m, err := estimate.NewRealMoments(7)
		if err != nil {
			t.Fatal(err)
		}
		tau := 1.
		if o.Precondition {
			tau = 10
		}
		if err := sampling.RunReal(context.Background(), l, sampling.RealSchedule{Warmup: 40 * tau, Duration: 60 * tau, Every: tau}, m); err != nil {
			t.Fatal(err)
		}
		if mean, meanSE, err = m.Mean(); err != nil {
			t.Fatal(err)
		}
		if cov, covSE, err = m.Cov(); err != nil {
			t.Fatal(err)
		}
		return mean, meanSE, cov, covSE
	}
	want, wantSE, wantCov, wantCovSE := run(0, sampling.LangevinOptions{Dt: .15, Rule: sampling.Metropolis})
	for _, c := range []struct {
		rho float64
		o   sampling.LangevinOptions
	}{{0, sampling.LangevinOptions{Dt: .1, Rule: sampling.Averaged}}, {0, sampling.LangevinOptions{Dt: .2, Precondition: true}},
		{.5, sampling.LangevinOptions{Dt: .2, Precondition: true}}, {1, sampling.LangevinOptions{Dt: 2, Precondition: true, Rule: sampling.Metropolis}}} {
		mean, se, cov, covSE := run(c.rho, c.o)
		for i := range mean {
			if math.Abs(mean[i]-want[i]) > .01+5*math.Hypot(se[i], wantSE[i]) {
				t.Errorf("ρ = %v, %+v: mean %d is %v ± %v: must be %v ± %v", c.rho, c.o, i, mean[i], se[i], want[i], wantSE[i])
			}
			for j := range i + 1 {
				if d := math.Abs(cov.At(i, j) - wantCov.At(i, j)); d > .01+5*math.Hypot(covSE.At(i, j), wantCovSE.At(i, j)) {
					t.Errorf("ρ = %v, %+v: covariance %d,%d is %v ± %v: must be %v", c.rho, c.o, i, j, cov.At(i, j), covSE.At(i, j), wantCov.At(i, j))
				}
			}
		}
	}
}

// fourNeurons is system A of the specification without the nudge: two layers of two linear neurons.
func fourNeurons(t *testing.T) *Energy {
	t.Helper()
	o := Haider2021()
	o.Inputs, o.Precision, o.TauR = 1, Float64, 0
	o.Layers = []Layer{{Units: 2}, {Units: 2}}
	n := open(t, o)
	for l, w := range []*mat.Dense{mat.NewDense(2, 1, nil), mat.NewDense(2, 2, []float64{.8, -.5, .3, .9})} {
		if err := n.SetWeights(l+1, w, [][]float64{{.5, -.2}, {.1, 0}}[l]); err != nil {
			t.Fatal(err)
		}
	}
	e, err := n.NewEnergy([]float64{0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestAncestral: a sweep through the layers with fresh noise is exact; coloured noise is off by e^{−dt/τ}
// across layers, and fresh noise in every parallel step loses all covariance across layers, 52 %.
func TestAncestral(t *testing.T) {
	const temperature, samples = .3, 80000
	e := fourNeurons(t)
	// T (1 − W)⁻¹(1 − W)⁻ᵀ
	inv := mat.NewDense(4, 4, []float64{1, 0, 0, 0, 0, 1, 0, 0, .8, -.5, 1, 0, .3, .9, 0, 1})
	var exact mat.Dense
	exact.Mul(inv, inv.T())
	exact.Scale(temperature, &exact)
	off := func(c mat.Matrix) float64 {
		var d mat.Dense
		d.Sub(c, &exact)
		return mat.Norm(&d, 2) / mat.Norm(&exact, 2)
	}
	d, err := e.Directed(temperature)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 4))
	mean := []float64{.5, -.2, .1 + .8*.5 + .5*.2, .3*.5 - .9*.2}
	cov := func(next func(v []float64)) *mat.Dense {
		c := mat.NewDense(4, 4, nil)
		v := make([]float64, 4)
		for range samples {
			next(v)
			for i := range v {
				for j := range v {
					c.Set(i, j, c.At(i, j)+(v[i]-mean[i])*(v[j]-mean[j])/samples)
				}
			}
		}
		return c
	}
	check := func(name string, c *mat.Dense, across float64) {
		t.Helper()
		for i := range 4 {
			for j := range 4 {
				want := exact.At(i, j)
				if i/2 != j/2 {
					want *= across
				}
				se := math.Sqrt((exact.At(i, i)*exact.At(j, j) + want*want) / samples)
				if math.Abs(c.At(i, j)-want) > 5*se {
					t.Errorf("%s: covariance %d,%d is %v: must be %v ± %v", name, i, j, c.At(i, j), want, se)
				}
			}
		}
	}
	check("sweeps", cov(func(v []float64) { d.Draw(v, r) }), 1)
	// Many independent runs of a few steps: samples at the end.
	const dt = .1
	for _, ratio := range []float64{100, 5, .01} {
		c := cov(func(v []float64) {
			c, err := d.Colour(ratio*dt, dt, v, r)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				c.Step(v, r)
			}
		})
		check("coloured noise", c, math.Exp(-1/ratio))
		t.Logf("τ = %v dt: off by %.1f %%", ratio, 100*off(c))
	}
	// Without noise: the network's own state, and no number drawn.
	cold, err := e.Directed(0)
	if err != nil {
		t.Fatal(err)
	}
	v, w := make([]float64, 4), make([]float64, 4)
	cold.Draw(v, nil)
	still, err := cold.Colour(1, .1, w, nil)
	if err != nil {
		t.Fatal(err)
	}
	still.Step(w, nil)
	for i := range mean {
		if math.Abs(v[i]-mean[i]) > 1e-15 {
			t.Errorf("state %d without noise is %v: must be %v", i, v[i], mean[i])
		}
	}
	if !slices.Equal(v, w) {
		t.Errorf("without noise: %v by a sweep, %v by steps", v, w)
	}
	// A step begins at the state it is given: a layer follows in each.
	w = []float64{5, -7, 3, 9}
	for range e.layers {
		still.Step(w, nil)
	}
	if !slices.Equal(v, w) {
		t.Errorf("without noise, from elsewhere: %v", w)
	}
	copy(w, []float64{5, -7, 3, 9})
	still.Step(w, nil)
	if slices.Equal(v, w) {
		t.Error("the state given to a step does not matter")
	}
}

// TestBernoulli: spikes of sigmoid neurons are drawn from the sigmoid belief network, by
// enumeration; every state within 5 standard errors.
func TestBernoulli(t *testing.T) {
	o := Haider2021()
	o.Inputs, o.Precision, o.TauR, o.WeightSD, o.BiasSD, o.Seed = 2, Float64, 0, 1.5, .5, 6
	o.Layers = []Layer{{Units: 3, Activation: Sigmoid}, {Units: 2, Activation: Sigmoid}}
	n := open(t, o)
	x := []float64{1, .5}
	e, err := n.NewEnergy(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.Directed(1)
	if err != nil {
		t.Fatal(err)
	}
	const samples = 100000
	counts := make([]float64, 32)
	r := rand.New(rand.NewPCG(7, 7))
	z := make([]float64, 5)
	for range samples {
		if err := d.DrawBernoulli(z, r); err != nil {
			t.Fatal(err)
		}
		k := 0
		for i, v := range z {
			if v != 0 {
				k |= 1 << i
			}
		}
		counts[k]++
	}
	w1, b1 := n.Weights(1)
	w2, b2 := n.Weights(2)
	for k := range counts {
		p := 1.0
		bit := func(i int) float64 { return float64(k >> i & 1) }
		factor := func(u, z float64) float64 { return z + (1-2*z)/(1+math.Exp(u)) }
		for i := range 3 {
			p *= factor(b1[i]+w1.At(i, 0)*x[0]+w1.At(i, 1)*x[1], bit(i))
		}
		for i := range 2 {
			p *= factor(b2[i]+w2.At(i, 0)*bit(0)+w2.At(i, 1)*bit(1)+w2.At(i, 2)*bit(2), bit(3+i))
		}
		if se := math.Sqrt(p * (1 - p) / samples); math.Abs(counts[k]/samples-p) > 5*se {
			t.Errorf("state %05b: %v: must be %v ± %v", k, counts[k]/samples, p, se)
		}
	}
	if err := func() error {
		d, err := fourNeurons(t).Directed(1)
		if err != nil {
			t.Fatal(err)
		}
		return d.DrawBernoulli(make([]float64, 4), r)
	}(); err == nil {
		t.Error("spikes of linear neurons: no error")
	}
}

func TestEnergyRefusals(t *testing.T) {
	n := threeLayers(t, .5)
	conv := open(t, convNet(.1))
	over := threeLayers(t, 1.5)
	o := n.o
	o.Layers = []Layer{{Units: 3, Activation: ReLU}, {Units: 2}}
	kinked := open(t, o)
	o = n.o
	o.Layers = append([]Layer(nil), o.Layers...)
	o.Layers[0].TauR = []float64{5}
	own := open(t, o)
	ok, err := n.NewEnergy(make([]float64, 2), []float64{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	free, err := n.NewEnergy(make([]float64, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"own τ":       func() error { _, err := own.NewEnergy(make([]float64, 2), nil); return err },
		"inputs":      func() error { _, err := n.NewEnergy(make([]float64, 3), nil); return err },
		"targets":     func() error { _, err := n.NewEnergy(make([]float64, 2), make([]float64, 1)); return err },
		"NaN":         func() error { _, err := n.NewEnergy([]float64{math.NaN(), 1}, nil); return err },
		"convolution": func() error { _, err := conv.NewEnergy(make([]float64, 160), nil); return err },
		"look-ahead":  func() error { _, err := over.NewEnergy(make([]float64, 2), nil); return err },
		"kink":        func() error { _, err := kinked.NewEnergy(make([]float64, 2), nil); return err },
		"target":      func() error { _, err := ok.Directed(1); return err },
		"temperature": func() error { _, err := free.Directed(-1); return err },
		"colour": func() error {
			d, err := free.Directed(1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Colour(0, 1, make([]float64, 7), rand.New(rand.NewPCG(1, 1)))
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

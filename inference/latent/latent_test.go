package latent

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// plain is a feedforward network in double precision, written down once more: it returns the
// potentials of every layer and the gradients of ½|y − out|² by backpropagation.
func plain(n *Network, x, y []float64) (pot [][]float64, grad []*mat.Dense) {
	r := x
	var rates, slopes [][]float64
	rates = append(rates, x)
	for l := 1; l <= n.Layers(); l++ {
		w, b := n.Weights(l)
		u := make([]float64, len(b))
		for i := range u {
			u[i] = b[i]
			for j, v := range r {
				u[i] += w.At(i, j) * v
			}
		}
		r = make([]float64, len(u))
		s := make([]float64, len(u))
		apply(n.o.Layers[l-1].Activation, r, s, u)
		pot, rates, slopes = append(pot, u), append(rates, r), append(slopes, s)
	}
	if y == nil {
		return pot, nil
	}
	grad = make([]*mat.Dense, n.Layers())
	e := make([]float64, len(y))
	for i := range e {
		e[i] = (r[i] - y[i]) * slopes[len(slopes)-1][i]
	}
	for l := n.Layers(); l >= 1; l-- {
		g := mat.NewDense(len(e), len(rates[l-1]), nil)
		for i, v := range e {
			for j, rr := range rates[l-1] {
				g.Set(i, j, v*rr)
			}
		}
		grad[l-1] = g
		if l == 1 {
			break
		}
		w, _ := n.Weights(l)
		down := make([]float64, len(rates[l-1]))
		for j := range down {
			for i, v := range e {
				down[j] += w.At(i, j) * v
			}
			down[j] *= slopes[l-2][j]
		}
		e = down
	}
	return pot, grad
}

func tanhNet(beta float64) Options {
	o := Haider2021()
	o.Inputs, o.Precision, o.Beta, o.Steps, o.WeightSD, o.BiasSD, o.Seed = 5, Float64, beta, 1, .4, .2, 3
	o.Rate = 0
	for _, n := range []int{20, 20, 20, 3} {
		o.Layers = append(o.Layers, Layer{Units: n, Activation: Tanh})
	}
	return o
}

func open(t testing.TB, o Options) *Network {
	t.Helper()
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func numbers(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// TestForward: without errors the rates of L layers are those of a plain network after exactly
// L steps, whatever was there before.
func TestForward(t *testing.T) {
	o := tanhNet(0)
	o.Gamma = 0
	n := open(t, o)
	r := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		x := numbers(r, 5)
		pot, _ := plain(n, x, nil)
		for k := 1; k <= 4; k++ {
			if err := n.Step(x, nil); err != nil {
				t.Fatal(err)
			}
			for l := 1; l <= 4; l++ {
				worst := 0.0
				for i, v := range n.Prospective(l) {
					worst = max(worst, math.Abs(v-pot[l-1][i]))
				}
				if l <= k && worst > 1e-14 {
					t.Errorf("layer %d after %d steps: off by %v", l, k, worst)
				}
				if l == k+1 && worst < 1e-6 {
					t.Errorf("layer %d has arrived after %d steps already", l, k)
				}
			}
		}
	}
}

// gradients are ⟨e rᵀ⟩/β of every layer, which for weak nudges is minus the gradient of the cost.
func gradients(t *testing.T, n *Network, x, y []float64, steps int) []*mat.Dense {
	t.Helper()
	n.Reset()
	for range steps {
		if err := n.Step(x, y); err != nil {
			t.Fatal(err)
		}
	}
	g := make([]*mat.Dense, n.Layers())
	for l := 1; l <= n.Layers(); l++ {
		in := x
		if l > 1 {
			in = n.Rates(l - 1)
		}
		e := n.Errors(l)
		g[l-1] = mat.NewDense(len(e), len(in), nil)
		for i, v := range e {
			for j, r := range in {
				g[l-1].Set(i, j, v*r/n.o.Beta)
			}
		}
	}
	return g
}

// compare are the cosine and the relative deviation of −a from b, over all layers.
func compare(a, b []*mat.Dense) (cosine, deviation float64) {
	var ab, aa, bb, dd float64
	for l := range a {
		x, y := a[l].RawMatrix().Data, b[l].RawMatrix().Data
		for i := range x {
			ab -= x[i] * y[i]
			aa += x[i] * x[i]
			bb += y[i] * y[i]
			dd += (x[i] + y[i]) * (x[i] + y[i])
		}
	}
	return ab / math.Sqrt(aa*bb), math.Sqrt(dd / bb)
}

// TestGradient is acceptance item 1: after 2L = 8 steps (5) is the gradient of backpropagation,
// up to an error proportional to β; the gradient itself agrees with finite differences.
func TestGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x, y := numbers(r, 5), numbers(r, 3)
	n := open(t, tanhNet(1e-4))
	_, bp := plain(n, x, y)
	cost := func() float64 {
		pot, _ := plain(n, x, nil)
		c := 0.0
		for i, u := range pot[3] {
			d := y[i] - math.Tanh(u)
			c += d * d / 2
		}
		return c
	}
	for l := 1; l <= 4; l++ {
		for range 10 {
			w, b := n.Weights(l)
			rows, cols := w.Dims()
			i, j := r.IntN(rows), r.IntN(cols)
			v := w.At(i, j)
			const h = 1e-5
			at := func(v float64) float64 {
				w.Set(i, j, v)
				if err := n.SetWeights(l, w, b); err != nil {
					t.Fatal(err)
				}
				return cost()
			}
			fd := (at(v+h) - at(v-h)) / (2 * h)
			at(v)
			if g := bp[l-1].At(i, j); math.Abs(fd-g) > 1e-6*max(1, math.Abs(g)) {
				t.Errorf("layer %d: gradient %v, difference %v", l, g, fd)
			}
		}
	}
	if cos, dev := compare(gradients(t, n, x, y, 7), bp); dev < .05 {
		t.Errorf("after 7 steps: cosine %v, deviation %v: errors cannot have arrived", cos, dev)
	}
	var last float64
	for i, beta := range []float64{1e-4, .5e-4} {
		n := open(t, tanhNet(beta))
		for _, steps := range []int{8, 200} {
			cos, dev := compare(gradients(t, n, x, y, steps), bp)
			t.Logf("β = %v, %d steps: cosine %.9f, deviation %.3g", beta, steps, cos, dev)
			if cos < .99999 || dev > 2e-3 {
				t.Errorf("β = %v, %d steps: cosine %v, deviation %v", beta, steps, cos, dev)
			}
			if steps == 200 {
				if i == 1 && math.Abs(dev/last-.5) > .05 {
					t.Errorf("half of β: deviation %v after %v: must be half", dev, last)
				}
				last = dev
			}
		}
	}
}

// TestInvariance is acceptance item 2: in matched LE the rates do not depend on τ and dt.
func TestInvariance(t *testing.T) {
	var want []float64
	for _, c := range [][2]float64{{10, .1}, {200, .1}, {10, 1}, {20, .01}} {
		o := tanhNet(.1)
		o.TauM, o.TauR, o.Dt, o.Rate = c[0], c[0], c[1], .5
		n := open(t, o)
		r := rand.New(rand.NewPCG(3, 3))
		var got []float64
		for range 5 {
			x, y := numbers(r, 2*5), numbers(r, 2*3)
			for range 7 {
				if err := n.Step(x, y); err != nil {
					t.Fatal(err)
				}
				for l := 1; l <= 4; l++ {
					got = append(got, n.Rates(l)...)
				}
			}
		}
		if want == nil {
			want = got
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Fatalf("τ = %v, dt = %v: rate %d is %v: must be %v", c[0], c[1], i, got[i], want[i])
			}
		}
	}
}

// TestResponse is acceptance item 6: the time from rest to within 5 % of the steady output falls
// with the look-ahead; matched it takes as many steps as there are layers.
func TestResponse(t *testing.T) {
	last := math.Inf(1)
	for _, rho := range []float64{0, .5, .9, 1} {
		o := tanhNet(0)
		o.TauR = rho * o.TauM
		o.WeightSD, o.BiasSD = .1, 0 // nearly linear, so that the times depend little on the draw
		n := open(t, o)
		x := numbers(rand.New(rand.NewPCG(4, 4)), 5)
		pot, _ := plain(n, x, nil)
		steps := 0
		for inside := 0; inside < 50; steps++ {
			if err := n.Step(x, nil); err != nil {
				t.Fatal(err)
			}
			var d, s float64
			for i, r := range n.Rates(4) {
				want := math.Tanh(pot[3][i])
				d += (r - want) * (r - want)
				s += want * want
			}
			if inside++; d > .05*.05*s {
				inside = 0
			}
			if steps > 1e5 {
				t.Fatal("never")
			}
		}
		time := float64(steps-49) * o.Dt
		t.Logf("ρ = %v: within 5 %% after %.1f ms", rho, time)
		if !(time < last) {
			t.Errorf("ρ = %v: %v ms: must be less than with less look-ahead", rho, time)
		}
		// A linear layer has the transfer function ρ + (1−ρ)/(1 + τs), so that four of them reach
		// Σ_k C(4,k) ρ^{4−k}(1−ρ)^k P(k, t/τ), P being the regularised gamma function.
		reached := 0.0
		for k, c := range []float64{1, 4, 6, 4, 1} {
			p := 1.0
			if k > 0 {
				p = mathext.GammaIncReg(float64(k), time/o.TauM)
			}
			reached += c * math.Pow(rho, float64(4-k)) * math.Pow(1-rho, float64(k)) * p
		}
		if rho < 1 && math.Abs(reached-.95) > .005 {
			t.Errorf("ρ = %v: a linear network has reached %v after %v ms: must be .95", rho, reached, time)
		}
		if rho == 1 && steps-49 != 4 {
			t.Errorf("matched: %d steps: must be 4", steps-49)
		}
		last = time
	}
}

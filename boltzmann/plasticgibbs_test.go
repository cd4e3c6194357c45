package boltzmann

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func mustPlastic(t *testing.T, m Blocked, o PlasticOptions, start []uint8) *PlasticGibbs {
	t.Helper()
	p, err := NewPlasticGibbs(m, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Reset(start, rng.Stream(1, "block")); err != nil {
		t.Fatal(err)
	}
	return p
}

// wells is a restricted machine with two deep modes: all hidden and visible units of one
// half on, the others off.
func wells(t *testing.T, n int, a float64) *RBM {
	t.Helper()
	w := mat.NewDense(2*n, 2*n, nil)
	b := make([]float64, 2*n)
	for i := range b {
		for j := range b {
			w.Set(i, j, -a)
			if i/n == j/n {
				w.Set(i, j, a)
			}
		}
		b[i] = -a / 2
	}
	m, err := NewRBM(w, b, b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPlasticNone: without utilisation and with gain 1 it is blocked Gibbs bit for bit.
func TestPlasticNone(t *testing.T) {
	for _, layers := range []Blocked{wells(t, 3, 0.7), threeLayers(t)} {
		p := mustPlastic(t, layers, PlasticOptions{TauRec: 100}, nil)
		g := mustBlock(t, layers, 1, nil, 1)
		a, err := p.Advance(2000, make([]sampling.Flip, 0, 1<<16))
		if err != nil {
			t.Fatal(err)
		}
		b, err := g.Advance(2000, make([]sampling.Flip, 0, 1<<16))
		if err != nil {
			t.Fatal(err)
		}
		if len(a) < 1000 || !slices.Equal(a, b) {
			t.Errorf("%d flips, blocked Gibbs has %d", len(a), len(b))
		}
	}
}

// TestPlasticRested: a rested gain of 2 is all couplings doubled, bit for bit.
func TestPlasticRested(t *testing.T) {
	flips := func(s sampling.Sampler) []sampling.Flip {
		f, err := s.Advance(2000, make([]sampling.Flip, 0, 1<<16))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a := flips(mustPlastic(t, wells(t, 3, 0.25), PlasticOptions{TauRec: 100, Rested: 2}, nil))
	m := wells(t, 3, 0.25)
	w := m.W()
	w.Scale(2, w)
	double, err := NewRBM(w, m.B(), m.C())
	if err != nil {
		t.Fatal(err)
	}
	if b := flips(mustBlock(t, double, 1, nil, 1)); len(a) < 1000 || !slices.Equal(a, b) {
		t.Errorf("%d flips, blocked Gibbs with couplings doubled has %d", len(a), len(b))
	}
}

func threeLayers(t *testing.T) *Layered {
	t.Helper()
	m, err := NewLayered([]mat.Matrix{mat.NewDense(3, 2, []float64{1, -1, 0.5, 0.3, -0.2, 2}), mat.NewDense(2, 2, []float64{1, -2, 0.4, 0.1})},
		[][]float64{{0.1, -0.3, 0}, {0.2, 0}, {-1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPlasticResource: the resource of a unit that stays on and of one that stays off.
func TestPlasticResource(t *testing.T) {
	m, err := NewRBM(mat.NewDense(1, 1, []float64{0}), []float64{60}, []float64{-60})
	if err != nil {
		t.Fatal(err)
	}
	p := mustPlastic(t, m, PlasticOptions{U: 0.1, TauRec: 100, Sweep: 10}, []uint8{1, 0})
	if _, err := p.Advance(1, make([]sampling.Flip, 0, 100)); err != nil {
		t.Fatal(err)
	}
	if r, want := p.Resources()[0], 1-0.1*math.Exp(-0.1); math.Abs(r-want) > 1e-12 {
		t.Errorf("after one sweep resource %v, must be %v", r, want)
	}
	if _, err := p.Advance(500, make([]sampling.Flip, 0, 100)); err != nil {
		t.Fatal(err)
	}
	want := 0.5126014889 // stp.Params.SteadyState
	if r := p.Resources(); math.Abs(r[0]-want) > 1e-9 || r[1] != 1 {
		t.Errorf("resources %v, must be %v and 1", r, want)
	}
}

// TestPlasticMixes: plasticity makes a chain that is stuck switch modes; the depth of the
// wells is a·n² with all weights, so that plain Gibbs needs some e¹⁵ sweeps.
func TestPlasticMixes(t *testing.T) {
	m := wells(t, 5, 2)
	switches := func(o PlasticOptions) int {
		start := make([]uint8, 20)
		for i := range 5 {
			start[i], start[10+i] = 1, 1
		}
		p := mustPlastic(t, m, o, start)
		count, in := 0, 0
		for sweep := 1.0; sweep <= 20000; sweep++ {
			if _, err := p.Advance(sweep, make([]sampling.Flip, 0, 64)); err != nil {
				t.Fatal(err)
			}
			half := [2]int{}
			for i, z := range p.State()[:10] {
				half[i/5] += int(z)
			}
			for h := range half {
				if half[h] >= 4 && half[1-h] <= 1 && h != in {
					in = h
					count++
				}
			}
		}
		return count
	}
	if n := switches(PlasticOptions{TauRec: 300}); n > 0 {
		t.Errorf("%d switches without plasticity", n)
	}
	if n := switches(PlasticOptions{U: 0.2, TauRec: 300}); n < 100 {
		t.Errorf("%d switches with it", n)
	}
}

func TestPlasticErrors(t *testing.T) {
	m := wells(t, 2, 1)
	for _, c := range []struct {
		o    PlasticOptions
		want string
	}{
		{PlasticOptions{U: -0.1, TauRec: 1}, "U = -0.1"},
		{PlasticOptions{U: math.NaN(), TauRec: 1}, "U = NaN"},
		{PlasticOptions{U: 1}, "TauRec = 0"},
		{PlasticOptions{U: 1, TauRec: 1, Rested: -1}, "Rested = -1"},
		{PlasticOptions{U: 1, TauRec: 1, Sweep: math.Inf(1)}, "Sweep = +Inf"},
	} {
		if _, err := NewPlasticGibbs(m, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	if _, err := NewPlasticGibbs(nil, PlasticOptions{TauRec: 1}); err == nil {
		t.Error("no model")
	}
	p, err := NewPlasticGibbs(m, PlasticOptions{TauRec: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Advance(1, nil); err == nil || !strings.Contains(err.Error(), "before Reset") {
		t.Error(err)
	}
}

func BenchmarkPlasticGibbs(b *testing.B) {
	w := mat.NewDense(784, 500, nil)
	r := rng.Stream(1, "plastic")
	for i := range 784 {
		for j := range 500 {
			w.Set(i, j, float64(int64(r.Uint64()))/(1<<63)*0.1)
		}
	}
	m, err := NewRBM(w, make([]float64, 784), make([]float64, 500))
	if err != nil {
		b.Fatal(err)
	}
	p, err := NewPlasticGibbs(m, PlasticOptions{U: 0.03, TauRec: 300})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Reset(nil, rng.Stream(1, "bench")); err != nil {
		b.Fatal(err)
	}
	buf := make([]sampling.Flip, 0, 1<<12)
	b.ReportAllocs()
	for i := range b.N {
		if _, err := p.Advance(float64(i+1), buf); err != nil {
			b.Fatal(err)
		}
	}
}

package boltzmann

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// drawLayered is a machine of the given numbers of units per layer, of random weights.
func drawLayered(t fatal, seed uint64, scale float64, sizes ...int) *Layered {
	t.Helper()
	r := rng.Stream(seed, "layered")
	normal := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = scale * (float64(r.Uint64()>>11)/(1<<52) - 1)
		}
		return x
	}
	var w []mat.Matrix
	var b [][]float64
	for l, n := range sizes {
		b = append(b, normal(n))
		if l > 0 {
			w = append(w, mat.NewDense(sizes[l-1], n, normal(sizes[l-1]*n)))
		}
	}
	m, err := NewLayered(w, b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// rapidLayered draws one of at most 12 units in 2 to 4 layers.
func rapidLayered(t *rapid.T) *Layered {
	sizes := rapid.SliceOfN(rapid.IntRange(1, 3), 2, 4).Draw(t, "sizes")
	return drawLayered(t, rapid.Uint64().Draw(t, "seed"), rapid.Float64Range(0, 3).Draw(t, "scale"), sizes...)
}

// rbmS is the test machine RBM-S(nv, nh, A) of boltzmann-baselines 4.2.
func rbmS(t fatal, nv, nh int, a float64) *RBM {
	t.Helper()
	w := mat.NewDense(nv, nh, nil)
	b, c := make([]float64, nv), make([]float64, nh)
	for i := range b {
		b[i] = .5 * math.Cos(.9*float64(i))
		for j := range c {
			w.Set(i, j, a*math.Sin(1.3*float64(i)+2.1*float64(j)+.7))
		}
	}
	for j := range c {
		c[j] = -.3 + .4*math.Sin(1.7*float64(j))
	}
	r, err := NewRBM(w, b, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Energies and log odds are those of the dense machine in every state, and Flipped leads
// from the log odds of one state to those of the next.
func TestLayeredIsMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapidLayered(t)
		d, err := m.Machine()
		if err != nil {
			t.Fatal(err)
		}
		n := m.Dim()
		u, want := make([]float64, n), make([]float64, n)
		for s := range 1 << n {
			z := bitsOf(s, n)
			if e := m.Energy(z); !(math.Abs(e-d.Energy(z)) < 1e-12) {
				t.Fatalf("energy of %v is %v, of the dense machine %v", z, e, d.Energy(z))
			}
			m.Logits(u, z)
			if s%7 == 0 {
				k := s % n
				z[k] ^= 1
				m.Flipped(u, z, k)
			}
			d.Logits(want, z)
			for k := range u {
				if !(math.Abs(u[k]-want[k]) < 1e-12) || !(math.Abs(m.Logit(z, k)-want[k]) < 1e-12) {
					t.Fatalf("log odds of unit %d in %v: %v and %v, of the dense machine %v", k, z, u[k], m.Logit(z, k), want[k])
				}
			}
		}
	})
}

// The layers lie in the joint state in their order, and what comes out is what went in.
func TestLayeredShape(t *testing.T) {
	w0 := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	w1 := mat.NewDense(3, 1, []float64{7, 8, 9})
	m, err := NewLayered([]mat.Matrix{w0, w1}, [][]float64{{.1, .2}, {.3, .4, .5}, {.6}})
	if err != nil {
		t.Fatal(err)
	}
	if from, to := m.Layer(1); m.Dim() != 6 || m.Layers() != 3 || from != 2 || to != 5 {
		t.Errorf("%d units in %d layers, layer 1 is %d..%d", m.Dim(), m.Layers(), from, to)
	}
	if !mat.Equal(m.Weight(0), w0) || !mat.Equal(m.Weight(1), w1) || m.Bias(4) != .5 {
		t.Error("weights or biases changed")
	}
	m.Weight(0).Set(0, 0, 99)
	w0.Set(0, 0, 99)
	if m.Weight(0).At(0, 0) != 1 {
		t.Error("the machine shares memory")
	}
	d, err := m.Machine()
	if err != nil {
		t.Fatal(err)
	}
	if d.Weight(1, 2) != 4 || d.Weight(5, 3) != 8 || d.Weight(0, 1) != 0 || d.Weight(0, 5) != 0 {
		t.Errorf("dense W = %v", mat.Formatted(d.W()))
	}
}

func TestLayeredRefuses(t *testing.T) {
	nan := math.NaN()
	one := mat.NewDense(1, 1, []float64{1})
	for _, tc := range []struct {
		w        []mat.Matrix
		b        [][]float64
		contains []string
	}{
		{nil, nil, []string{"0 layers"}},
		{nil, [][]float64{{1}}, []string{"1 layers"}},
		{nil, [][]float64{{1}, {1}}, []string{"0 weight matrices with 2 layers"}},
		{[]mat.Matrix{one}, [][]float64{{1}, {}}, []string{"layer 1 has no units", "W_0 is 1×1: must be 1×0"}},
		{[]mat.Matrix{nil}, [][]float64{{1}, {1}}, []string{"W_0 is nil: must be 1×1"}},
		{[]mat.Matrix{one, one}, [][]float64{{1}, {1}, {1, 2}}, []string{"W_1 is 1×1: must be 1×2"}},
		{[]mat.Matrix{mat.NewDense(1, 2, []float64{1, nan})}, [][]float64{{1}, {2, math.Inf(1)}},
			[]string{"W_0[0,1] = NaN", "b_1[1] = +Inf"}},
		{[]mat.Matrix{mat.NewDense(1, 1, []float64{1e308})}, [][]float64{{1e308}, {0}}, []string{"overflows"}},
	} {
		_, err := NewLayered(tc.w, tc.b)
		for _, want := range tc.contains {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		}
	}
	if _, err := NewRBM(one, []float64{1}, nil); err == nil || !strings.HasPrefix(err.Error(), "boltzmann: RBM") {
		t.Errorf("RBM without hidden units: error %v", err)
	}
	big, err := NewRBM(mat.NewDense(1, 1<<15, nil), []float64{0}, make([]float64, 1<<15))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := big.Machine(); err == nil {
		t.Error("dense machine of 32769 units accepted")
	}
}

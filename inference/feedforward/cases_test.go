package feedforward_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

var bg = context.Background()

// machine is the 6-5-4-3 Boltzmann machine of case D, with the columns of W_2 rolled by one if
// the condition is to be violated, and everything multiplied by scale.
func machine(t testing.TB, scale float64, rolled bool) *feedforward.Network {
	t.Helper()
	m, err := models.AutoEncoder(scale, rolled)
	if err != nil {
		t.Fatal(err)
	}
	n, err := feedforward.FromLayered(m)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// patterns are x0 to x5 of case D.
func patterns() *mat.Dense { return models.AutoEncoderPatterns() }

func network(t testing.TB, w []mat.Matrix, b [][]float64, o feedforward.Options) *feedforward.Network {
	t.Helper()
	n, err := feedforward.New(w, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// random is a network of weights N(0, 1).
func random(t testing.TB, r *rand.Rand, sizes []int, o feedforward.Options) *feedforward.Network {
	t.Helper()
	var w []mat.Matrix
	var b [][]float64
	for k := 1; k < len(sizes); k++ {
		m, v := mat.NewDense(sizes[k], sizes[k-1], nil), make([]float64, sizes[k])
		for i := range m.RawMatrix().Data {
			m.RawMatrix().Data[i] = r.NormFloat64()
		}
		for i := range v {
			v[i] = r.NormFloat64()
		}
		w, b = append(w, m), append(b, v)
	}
	return network(t, w, b, o)
}

// orthogonal is an n×k matrix of orthonormal columns times s.
func orthogonal(r *rand.Rand, n, k int, s float64) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = r.NormFloat64()
	}
	var qr mat.QR
	qr.Factorize(m)
	var q mat.Dense
	qr.QTo(&q)
	out := mat.DenseCopyOf(q.Slice(0, n, 0, k))
	out.Scale(s, out)
	return out
}

func gaussian(r *rand.Rand, rows, cols int) *mat.Dense {
	m := mat.NewDense(rows, cols, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = r.NormFloat64()
	}
	return m
}

func source(name string) *rand.Rand { return rand.New(rng.Stream(1, name)) }

func start(t testing.TB, n *feedforward.Network, x mat.Matrix, i feedforward.Initializer) feedforward.State {
	t.Helper()
	s, err := i.Init(n, x, rng.Stream(1, "init"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func relax(t testing.TB, n *feedforward.Network, x mat.Matrix, s feedforward.State, o feedforward.RelaxOptions) (feedforward.State, feedforward.Relaxation) {
	t.Helper()
	s, rel, err := feedforward.Relax(bg, n, x, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, rel
}

// maxDiff is the largest difference in any unit.
func maxDiff(a, b []float64) float64 {
	d := 0.0
	for i, x := range a {
		d = math.Max(d, math.Abs(x-b[i]))
	}
	return d
}

// relative is |a − b|/|b|.
func relative(a, b []float64) float64 {
	d, n := 0.0, 0.0
	for i, y := range b {
		d += (a[i] - y) * (a[i] - y)
		n += y * y
	}
	return math.Sqrt(d / n)
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.10g, want %.10g within %g", what, got, want, tol)
	}
}

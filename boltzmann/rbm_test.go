package boltzmann

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// Free energy, conditionals and likelihood are those of the table of all joint states.
func TestRBMAgainstTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nv, nh := rapid.IntRange(1, 5).Draw(t, "nv"), rapid.IntRange(1, 5).Draw(t, "nh")
		r := &RBM{*drawLayered(t, rapid.Uint64().Draw(t, "seed"), 3, nv, nh)}
		joint := mustJoint(t, r)
		logZ, err := r.LogZ()
		if err != nil {
			t.Fatal(err)
		}
		pv, ph := make([]float64, nv), make([]float64, nh)
		for s := range 1 << nv {
			v := bitsOf(s, nv)
			p := 0.0
			on := make([]float64, nh)
			for s2 := range 1 << nh {
				q := joint[s|s2<<nv]
				p += q
				for j, h := range bitsOf(s2, nh) {
					on[j] += q * float64(h)
				}
			}
			l, err := r.LogLikelihood(logZ, v)
			if err != nil || !(math.Abs(l-math.Log(p)) < 1e-10) || !(math.Abs(-r.FreeEnergy(v)-logZ-l) < 1e-12) {
				t.Fatalf("log p(%v) = %v, table %v; F = %v, error %v", v, l, math.Log(p), r.FreeEnergy(v), err)
			}
			r.GivenVisible(ph, v)
			for j := range ph {
				if !(math.Abs(ph[j]-on[j]/p) < 1e-10) {
					t.Fatalf("p(h_%d|%v) = %v, table %v", j, v, ph[j], on[j]/p)
				}
			}
		}
		h := bitsOf(rapid.IntRange(0, 1<<nh-1).Draw(t, "h"), nh)
		r.GivenHidden(pv, h)
		u := make([]float64, nv+nh)
		r.Logits(u, append(make([]uint8, nv), h...))
		for i := range pv {
			if !(math.Abs(pv[i]-1/(1+math.Exp(-u[i]))) < 1e-12) {
				t.Fatalf("p(v_%d|%v) = %v, log odds %v", i, h, pv[i], u[i])
			}
		}
	})
}

// softplusSum does not overflow, sums more units than share a logarithm, and agrees with
// the plain formula.
func TestSoftplusSum(t *testing.T) {
	u := make([]float64, 1500)
	want := 0.0
	for i := range u {
		u[i] = 40 * math.Sin(float64(i))
		want += math.Log1p(math.Exp(.5 * u[i]))
	}
	within(t, "sum", []float64{softplusSum(u, .5), softplusSum([]float64{1e5, -1e5}, 1), softplusSum(u, 0), softplusSum(nil, 1)},
		[]float64{want, 1e5, 1500 * math.Ln2, 0}, 1e-9)
}

func TestRBMAccess(t *testing.T) {
	w := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	r, err := NewRBM(w, []float64{7, 8}, []float64{9, 10, 11})
	if err != nil {
		t.Fatal(err)
	}
	if r.Visible() != 2 || r.Hidden() != 3 || !mat.Equal(r.W(), w) {
		t.Error("shape")
	}
	within(t, "b", r.B(), []float64{7, 8}, 0)
	within(t, "c", r.C(), []float64{9, 10, 11}, 0)
	r.B()[0], r.C()[0] = 0, 0
	if r.Bias(0) != 7 || r.Bias(2) != 9 {
		t.Error("the machine shares memory")
	}
	v := [][]uint8{{1, 0}, {1, 1}}
	mean, err := r.LogLikelihood(3, v...)
	if err != nil || !(math.Abs(mean-(-r.FreeEnergy(v[0])-r.FreeEnergy(v[1])-6)/2) < 1e-12) {
		t.Errorf("mean log likelihood %v, error %v", mean, err)
	}
	for _, tc := range []struct {
		logZ     float64
		v        [][]uint8
		contains string
	}{
		{0, nil, "no data"}, {math.NaN(), v, "NaN"}, {math.Inf(1), v, "+Inf"},
		{0, [][]uint8{{1, 0}, {1}}, "data[1]"}, {0, [][]uint8{{1, 2}}, "data[0]"},
	} {
		if _, err := r.LogLikelihood(tc.logZ, tc.v...); err == nil || !strings.Contains(err.Error(), tc.contains) {
			t.Errorf("error %v, want one with %q", err, tc.contains)
		}
	}
}

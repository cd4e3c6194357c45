package boltzmann

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/internal/heatbath"
)

// logMarginal is log p of the first len(v) units in state v, up to a constant, for a
// machine whose other units are not coupled to each other.
func logMarginal(m *Machine, v []uint8) float64 {
	z := make([]uint8, m.Dim())
	copy(z, v)
	logp := -m.Energy(z)
	for k := len(v); k < m.Dim(); k++ {
		u := m.Bias(k)
		for j, on := range v {
			u += m.Weight(k, j) * float64(on)
		}
		logp += heatbath.Softplus(u)
	}
	return logp
}

// The closed form of the marginal in Auxiliary's documentation.
func TestAuxiliaryMarginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		factors := drawFactors(t, n, 4)
		o := AuxiliaryOptions{M: rapid.Float64Range(0.5, 9).Draw(t, "M"), MuMin: rapid.Float64Range(1.01, 4).Draw(t, "MuMin")}
		m, err := Auxiliary(n, factors, o)
		if err != nil {
			t.Fatal(err)
		}
		var offset float64
		for s := range 1 << n {
			z := bitsOf(s, n)
			want := 0.0
			for _, f := range factors {
				if len(f.Units) <= 2 {
					want += math.Log(f.at(z))
					continue
				}
				mu := o.MuMin / slices.Min(f.Table)
				want += math.Log(mu * f.at(z))
				here := 0
				for i, k := range f.Units {
					here |= int(z[k]) << i
				}
				for v, psi := range f.Table {
					if v != here {
						d := bits.OnesCount(uint(v ^ here))
						want += math.Log1p((mu*psi - 1) * math.Exp(-o.M*float64(d)))
					}
				}
			}
			got := logMarginal(m, z)
			if s == 0 {
				offset = got - want
			}
			if !close1(got-offset, want, 1e-10) {
				t.Fatalf("log p(%v) = %v, want %v", z, got-offset, want)
			}
		}
	})
}

// lif-sampling section 3 item 2: KL of the reduction of the Knill-Kersten network.
func TestAuxiliaryKnillKersten(t *testing.T) {
	h, err := Expand(4, knillKersten())
	if err != nil {
		t.Fatal(err)
	}
	target := mustJoint(t, h)
	kl := func(o AuxiliaryOptions) float64 {
		m, err := Auxiliary(4, knillKersten(), o)
		if err != nil {
			t.Fatal(err)
		}
		if m.Dim() != 4+8 {
			t.Fatalf("%d units, want 12", m.Dim())
		}
		got := make([]float64, 16)
		for s, p := range mustJoint(t, m) {
			got[s&15] += p
		}
		d := 0.0
		for s := range got {
			d += got[s] * math.Log(got[s]/target[s])
		}
		return d
	}
	for _, tc := range []struct{ m, want float64 }{{4, .0092}, {5, .0013}, {6, .00017}, {8, 3e-6}} {
		if d := kl(AuxiliaryOptions{M: tc.m}); math.Abs(d-tc.want) > .1*tc.want {
			t.Errorf("M = %v: KL %.3g, want %.3g ± 10 %%", tc.m, d, tc.want)
		}
	}
	if kl(AuxiliaryOptions{}) != kl(AuxiliaryOptions{M: 6, MuMin: 1.5}) {
		t.Error("defaults are not M = 6, MuMin = 1.5")
	}
}

func TestAuxiliaryRefuses(t *testing.T) {
	wide := Factor{seq(11), slices.Repeat([]float64{1}, 1<<11)}
	huge := Factor{seq(3), []float64{5e-324, 1, 1, 1, 1, 1, 1, 1}}
	for _, tc := range []struct {
		n       int
		factors []Factor
		o       AuxiliaryOptions
		want    string
	}{
		{4, nil, AuxiliaryOptions{M: -1}, "M = -1"},
		{4, nil, AuxiliaryOptions{M: math.NaN()}, "M = NaN"},
		{4, nil, AuxiliaryOptions{MuMin: 1}, "MuMin = 1"},
		{4, nil, AuxiliaryOptions{MuMin: math.Inf(1)}, "MuMin = +Inf"},
		{12, []Factor{wide}, AuxiliaryOptions{}, "11 units"},
		{4, []Factor{huge}, AuxiliaryOptions{}, "factor 0: table from 5e-324 to 1"},
		{maxDense + 1, nil, AuxiliaryOptions{}, "at most"},
	} {
		if _, err := Auxiliary(tc.n, tc.factors, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: error %v, want %q", tc.o, err, tc.want)
		}
	}
}

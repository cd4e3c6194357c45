package boltzmann

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// A clamped machine is the conditional of the joint.
func TestClampIsConditional(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMachine(t, 2, 7, 3)
		values := map[int]uint8{}
		held := rapid.IntRange(0, m.n-1).Draw(t, "held")
		for _, k := range rapid.Permutation(seq(m.n)).Draw(t, "units")[:held] {
			values[k] = rapid.Uint8Range(0, 1).Draw(t, "value")
		}
		c, free, err := m.Clamp(values)
		if err != nil {
			t.Fatal(err)
		}
		if c.Dim() != m.n-held || len(free) != c.Dim() {
			t.Fatalf("%d units free, indices %v: want %d", c.Dim(), free, m.n-held)
		}
		joint, got := mustJoint(t, m), mustJoint(t, c)
		want := make([]float64, 1<<c.n)
		sum := 0.0
		for s, p := range joint {
			z := bitsOf(s, m.n)
			ok := true
			for k, v := range values {
				ok = ok && z[k] == v
			}
			if !ok {
				continue
			}
			i := 0
			for f, k := range free {
				i |= int(z[k]) << f
			}
			want[i] += p
			sum += p
		}
		for i := range want {
			if math.Abs(got[i]-want[i]/sum) > 1e-12 {
				t.Fatalf("clamped %v: p(%b) = %v, want %v", values, i, got[i], want[i]/sum)
			}
		}
	})
}

func TestClampRefuses(t *testing.T) {
	m := REF(3)
	for _, tc := range []struct {
		values map[int]uint8
		want   []string
	}{
		{map[int]uint8{3: 0}, []string{"unit 3", "0..2"}},
		{map[int]uint8{-1: 0, 7: 1}, []string{"unit -1", "unit 7"}},
		{map[int]uint8{1: 2}, []string{"unit 1 clamped to 2"}},
		{map[int]uint8{0: 0, 1: 1, 2: 0}, []string{"all 3 units"}},
	} {
		_, _, err := m.Clamp(tc.values)
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %v, want %q", tc.values, err, want)
			}
		}
	}
}

// −E(z) = ½ sᵀJs + hᵀs + c, and back.
func TestSpinRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMachine(t, 1, 8, 5)
		J, h, c := m.Spin()
		s := mat.NewVecDense(m.n, nil)
		z := drawState(t, m.n)
		for k, v := range z {
			s.SetVec(k, 2*float64(v)-1)
		}
		form := 0.5*mat.Inner(s, J, s) + mat.Dot(mat.NewVecDense(m.n, h), s)
		if got, want := form+c, -m.Energy(z); !close1(got, want, 1e-12) {
			t.Fatalf("spin form %v, −E %v", got, want)
		}
		back, c2, err := FromSpin(J, h)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := -back.Energy(z)+c2, form; !close1(got, want, 1e-12) {
			t.Fatalf("from spin: %v, want %v", got, want)
		}
		if !mat.EqualApprox(back.W(), m.W(), 1e-12) {
			t.Fatal("W does not come back")
		}
		for k := range m.b {
			if !close1(back.b[k], m.b[k], 1e-12) {
				t.Fatalf("b[%d] = %v comes back as %v", k, m.b[k], back.b[k])
			}
		}
	})
}

func TestFromSpinRefuses(t *testing.T) {
	if _, _, err := FromSpin(mat.NewDense(2, 2, []float64{0, 1, 2, 0}), make([]float64, 2)); err == nil {
		t.Error("asymmetric J accepted")
	}
	if _, _, err := FromSpin(mat.NewDense(2, 2, []float64{0, 8e307, 8e307, 0}), make([]float64, 2)); err == nil {
		t.Error("overflowing J accepted")
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

package boltzmann

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
)

// drawMachine draws a machine of min..max units.
func drawMachine(t *rapid.T, min, max int, size float64) *Machine {
	n := rapid.IntRange(min, max).Draw(t, "n")
	x := rapid.Float64Range(-size, size)
	m := newMachine(n)
	for i := range n {
		m.b[i] = x.Draw(t, "b")
		for j := range i {
			m.setWeight(i, j, x.Draw(t, "w"))
		}
	}
	return m
}

func drawState(t *rapid.T, n int) []uint8 {
	return rapid.SliceOfN(rapid.Uint8Range(0, 1), n, n).Draw(t, "z")
}

// bitsOf is state s of n units.
func bitsOf(s, n int) []uint8 {
	z := make([]uint8, n)
	for k := range z {
		z[k] = uint8(s >> k & 1)
	}
	return z
}

func close1(a, b, tol float64) bool { return math.Abs(a-b) <= tol*(1+math.Abs(b)) }

// checkIncremental checks that logits are energy differences, that Logits agrees with
// Logit, and that Flipped keeps them current.
func checkIncremental(t *rapid.T, m sampling.Incremental) {
	n := m.Dim()
	z := drawState(t, n)
	u := make([]float64, n)
	m.Logits(u, z)
	for _, k := range rapid.SliceOfN(rapid.IntRange(0, n-1), 1, 20).Draw(t, "flips") {
		z[k] ^= 1
		m.Flipped(u, z, k)
		for i := range n {
			on, off := append([]uint8(nil), z...), append([]uint8(nil), z...)
			on[i], off[i] = 1, 0
			want := m.Energy(off) - m.Energy(on)
			if got := m.Logit(z, i); !close1(got, want, 1e-12) {
				t.Fatalf("Logit(%v, %d) = %v, energy difference %v", z, i, got, want)
			}
			if !close1(u[i], want, 1e-12) {
				t.Fatalf("after flips, u[%d] = %v in %v, want %v", i, u[i], z, want)
			}
		}
	}
}

func TestMachineIncremental(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkIncremental(t, drawMachine(t, 1, 9, 5)) })
}

// The quadratic form, by gonum.
func TestMachineEnergy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMachine(t, 1, 9, 5)
		z := drawState(t, m.Dim())
		x := mat.NewVecDense(m.Dim(), nil)
		for k, v := range z {
			x.SetVec(k, float64(v))
		}
		want := -0.5*mat.Inner(x, m.W(), x) - mat.Dot(mat.NewVecDense(m.Dim(), m.B()), x)
		if got := m.Energy(z); !close1(got, want, 1e-13) {
			t.Fatalf("Energy = %v, want %v", got, want)
		}
	})
}

func TestNewCopies(t *testing.T) {
	w := mat.NewSymDense(2, []float64{0, 1, 1, 0})
	b := []float64{3, 4}
	m, err := New(w, b)
	if err != nil {
		t.Fatal(err)
	}
	w.SetSym(0, 1, 7)
	b[0] = 7
	m.W().SetSym(0, 1, 7)
	m.B()[1] = 7
	if m.Weight(0, 1) != 1 || m.Weight(1, 0) != 1 || m.Bias(0) != 3 || m.Bias(1) != 4 || m.Dim() != 2 {
		t.Errorf("machine shares memory: W01 %v, W10 %v, b %v %v", m.Weight(0, 1), m.Weight(1, 0), m.Bias(0), m.Bias(1))
	}
}

func TestNewRefuses(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, tc := range []struct {
		name string
		w    mat.Matrix
		b    []float64
		want string
	}{
		{"no units", mat.NewDense(1, 1, nil), nil, "no biases"},
		{"nil W", nil, []float64{1}, "W is nil"},
		{"not square", mat.NewDense(2, 3, nil), make([]float64, 2), "W is 2×3"},
		{"empty W", &mat.Dense{}, make([]float64, 2), "W is 0×0"},
		{"size", mat.NewDense(2, 2, nil), make([]float64, 3), "must be 3×3"},
		{"asymmetric", mat.NewDense(2, 2, []float64{0, 1, 1.0000000001, 0}), make([]float64, 2), "W[0,1] = 1 but W[1,0]"},
		{"diagonal", mat.NewDense(2, 2, []float64{0, 1, 1, 5}), make([]float64, 2), "W[1,1] = 5"},
		{"NaN W", mat.NewDense(2, 2, []float64{0, nan, nan, 0}), make([]float64, 2), "W[0,1] = NaN"},
		{"NaN below", mat.NewDense(2, 2, []float64{0, 1, nan, 0}), make([]float64, 2), "W[1,0] = NaN"},
		{"Inf diagonal", mat.NewDense(1, 1, []float64{-inf}), make([]float64, 1), "W[0,0] = -Inf"},
		{"Inf b", mat.NewDense(2, 2, nil), []float64{0, inf}, "b[1] = +Inf"},
		{"several", mat.NewDense(2, 2, []float64{1, 2, 3, 0}), []float64{nan, 0}, "diagonal must be 0"},
		{"overflow", mat.NewDense(2, 2, []float64{0, 1e308, 1e308, 0}), []float64{1e308, 0}, "overflows"},
		{"huge", mat.NewDense(1, 1, nil), make([]float64, maxDense+1), "at most"},
	} {
		_, err := New(tc.w, tc.b)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "boltzmann: ") {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
	}
}

// Three faults are reported at once.
func TestNewReportsAll(t *testing.T) {
	_, err := New(mat.NewDense(2, 2, []float64{1, 2, 3, 0}), []float64{math.NaN(), 0})
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("error %v: want three lines", err)
	}
}

// FuzzNew builds a machine from any bytes: an error or a machine with finite energies.
func FuzzNew(f *testing.F) {
	f.Add(2, []byte{})
	f.Add(1, binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN())))
	f.Add(-1, []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, n int, data []byte) {
		if n < 0 || n > 8 {
			return
		}
		next := func() float64 {
			if len(data) < 8 {
				return 0
			}
			x := math.Float64frombits(binary.LittleEndian.Uint64(data))
			data = data[8:]
			return x
		}
		b := make([]float64, n)
		for k := range b {
			b[k] = next()
		}
		var w mat.Dense
		if n > 0 {
			w.ReuseAs(n, n)
			for i := range n {
				for j := i + 1; j < n; j++ {
					x := next()
					w.Set(i, j, x)
					w.Set(j, i, x)
				}
			}
			w.Set(0, n-1, next())
		}
		m, err := New(&w, b)
		if err != nil {
			return
		}
		for s := range 1 << n {
			if e := m.Energy(bitsOf(s, n)); !finite(e) {
				t.Fatalf("energy of state %d is %v", s, e)
			}
		}
		e, err := Enumerate(m)
		if err != nil || math.IsNaN(e.LogZ) || math.IsNaN(e.Entropy) {
			t.Fatalf("Enumerate: %+v, %v", e, err)
		}
	})
}

package boltzmann

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
)

type fatal interface {
	Helper()
	Fatal(...any)
}

func mustJoint(t fatal, m sampling.Model) []float64 {
	t.Helper()
	p, err := Joint(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustEnumerate(t fatal, m *Machine) *Exact {
	t.Helper()
	e, err := Enumerate(m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustNew(t fatal, n int, w, b []float64) *Machine {
	t.Helper()
	m, err := New(mat.NewDense(n, n, w), b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// within reports each got that differs from want by more than tol.
func within(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tol) {
			t.Errorf("%s[%d] = %.12g, want %.12g ± %g", name, i, got[i], want[i], tol)
		}
	}
}

// lif-sampling 5.1.1 and 5.1.2. The spec's strings are z1z2z3, so z1 is its high bit.
func TestSmallMachines(t *testing.T) {
	two := mustNew(t, 2, []float64{0, 1, 1, 0}, []float64{-.5, .25})
	p := mustJoint(t, two)
	within(t, "two", []float64{p[0], p[2], p[1], p[3]}, []float64{.199698212, .256417580, .121123088, .422761119}, 1e-9)
	within(t, "two mean", mustEnumerate(t, two).Mean, []float64{.543884207, .679178699}, 1e-9)

	three := mustNew(t, 3, []float64{0, 1, -.5, 1, 0, .75, -.5, .75, 0}, []float64{-.2, -.4, .1})
	p = mustJoint(t, three)
	within(t, "three", []float64{p[0], p[4], p[2], p[6], p[1], p[5], p[3], p[7]},
		[]float64{.107294177, .118578404, .071921438, .168270766, .087845043, .058884293, .160064104, .227141775}, 1e-9)
	within(t, "three mean", mustEnumerate(t, three).Mean, []float64{.533935215, .627398083, .572875238}, 1e-9)
}

// lif-sampling 5.1.3.
func TestREF(t *testing.T) {
	e := mustEnumerate(t, REF(5))
	within(t, "REF5 mean", e.Mean, []float64{.492375, .328314, .407289, .516961, .552742}, 1e-6)
	within(t, "REF5 rest", []float64{e.Second.At(0, 1), e.Second.At(1, 2), e.LogZ, e.Entropy},
		[]float64{.125176, .134769, 3.411435, 3.316635}, 1e-6)
	e = mustEnumerate(t, REF(10))
	within(t, "REF10 mean", e.Mean, []float64{.662185, .208551, .465956, .688467, .394221,
		.639392, .539892, .251703, .749740, .753259}, 1e-6)
	within(t, "REF10 rest", []float64{e.LogZ, e.Entropy}, []float64{7.877315, 5.864507}, 1e-6)
}

// bmS is the test machine BM-S(n, A) of boltzmann-baselines 4.2.
func bmS(n int, a float64) *Machine {
	m := newMachine(n)
	f := func(i, j int) float64 { return a * math.Sin(1.1*float64(i+j)+.5*float64(i*j)) }
	for i := range n {
		m.b[i] = .4 * math.Cos(1.3*float64(i))
		for j := range i {
			m.setWeight(i, j, f(i, j))
		}
	}
	return m
}

func TestBMS(t *testing.T) {
	for _, tc := range []struct {
		n    int
		a    float64
		want []float64 // log Z, ⟨z0⟩, ⟨z1⟩, ⟨z0 z1⟩, entropy
	}{
		{5, 1, []float64{4.0531932184, .64471975, .63896111, .4367768835, 3.19650685}},
		{10, 1, []float64{8.8406112962, .65235573, .66379563, .4576938842, 5.97461343}},
		{12, 1.5, []float64{15.3822890280, .53206677, .63222393, .3910317461, 4.88768982}},
		{20, 1, []float64{18.3159638469, .72872571, .61657895, .4703124438, 11.03997003}},
	} {
		e := mustEnumerate(t, bmS(tc.n, tc.a))
		within(t, "BM-S", []float64{e.LogZ, e.Mean[0], e.Mean[1], e.Second.At(0, 1), e.Entropy}, tc.want, 1e-8)
	}
}

// Winner-take-all machines, boltzmann-baselines 4.2.
func TestWTA(t *testing.T) {
	for a, want := range map[float64]float64{2.5: 6.1328616803, 3: 7.1105249699, 4: 9.1001263080,
		5: 11.0988120611, 6: 13.0986390655} {
		m := newMachine(12)
		for i := range 12 {
			m.b[i] = -a
			for j := range i {
				if i/4 == j/4 {
					m.setWeight(i, j, a)
				} else {
					m.setWeight(i, j, -a)
				}
			}
		}
		within(t, "WTA log Z", []float64{mustEnumerate(t, m).LogZ}, []float64{want}, 1e-9)
	}
}

// Curie-Weiss machines, all couplings equal: quoted values for N = 10 and 20, and at
// N = 25, the default limit, the sum over the number of units that are on.
func TestCurieWeiss(t *testing.T) {
	cw := func(n int, beta float64) *Machine {
		m := newMachine(n)
		for i := range n {
			m.b[i] = -2 * beta * float64(n-1) / float64(n)
			for j := range i {
				m.setWeight(i, j, 4*beta/float64(n))
			}
		}
		return m
	}
	for _, tc := range []struct {
		n          int
		beta, want float64
	}{{20, 1.2, 3.5967334517}, {10, 1.5, 1.6051173797}, {20, 1.5, 2.1900607409}, {10, 2, 1.0259948610}, {20, 2, 1.1962695158}} {
		within(t, "CW log Z", []float64{mustEnumerate(t, cw(tc.n, tc.beta)).LogZ}, []float64{tc.want}, 1e-9)
	}

	const n, beta = 25, 1.5
	var z, mean, second float64
	choose := 1.0
	for k := 0.0; k <= n; k++ {
		w := choose * math.Exp(4*beta/n*k*(k-1)/2-2*beta*(n-1)/n*k)
		z += w
		mean += w * k / n
		second += w * k * (k - 1) / (n * (n - 1))
		choose *= (n - k) / (k + 1)
	}
	e := mustEnumerate(t, cw(n, beta))
	within(t, "CW(25) log Z", []float64{e.LogZ}, []float64{math.Log(z)}, 1e-10)
	for i := range n {
		within(t, "CW(25) mean", e.Mean[i:i+1], []float64{mean / z}, 1e-10)
		for j := range i {
			within(t, "CW(25) second", []float64{e.Second.At(i, j)}, []float64{second / z}, 1e-10)
		}
	}
}

// All of Exact against sums over the table, for machines below, at and above one block.
func TestEnumerateIsNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMachine(t, 1, 12, 4)
		e := mustEnumerate(t, m)
		p := mustJoint(t, m)
		n := m.n
		mean, second := make([]float64, n), make([]float64, n*n)
		entropy := 0.0
		var logZ float64
		for s, ps := range p {
			z := bitsOf(s, n)
			if ps > 0 {
				entropy -= ps * math.Log(ps)
			}
			for i := range n {
				for j := range n {
					if z[i] == 1 && z[j] == 1 {
						second[i*n+j] += ps
					}
				}
			}
			logZ = max(logZ, -m.Energy(z))
		}
		var sum float64
		for s := range p {
			sum += math.Exp(-m.Energy(bitsOf(s, n)) - logZ)
		}
		logZ += math.Log(sum)
		if !close1(e.LogZ, logZ, 1e-12) || !close1(e.Entropy, entropy, 1e-12) {
			t.Fatalf("log Z %v, want %v; entropy %v, want %v", e.LogZ, logZ, e.Entropy, entropy)
		}
		cov := e.Cov()
		for i := range n {
			mean[i] = second[i*n+i]
			if math.Abs(e.Mean[i]-mean[i]) > 1e-12 {
				t.Fatalf("mean[%d] = %v, want %v", i, e.Mean[i], mean[i])
			}
		}
		for i := range n {
			for j := range n {
				if math.Abs(e.Second.At(i, j)-second[i*n+j]) > 1e-12 {
					t.Fatalf("second[%d,%d] = %v, want %v", i, j, e.Second.At(i, j), second[i*n+j])
				}
				if math.Abs(cov.At(i, j)-(second[i*n+j]-mean[i]*mean[j])) > 1e-12 {
					t.Fatalf("cov[%d,%d] = %v", i, j, cov.At(i, j))
				}
			}
		}
	})
}

// Independent units with fields far beyond the range of exp, so that the reference
// exponent moves at almost every block, up or down.
func TestEnumerateLargeFields(t *testing.T) {
	for _, size := range []float64{-900, -3, 0.01, 40, 900} {
		m := newMachine(14)
		logZ, entropy := 0.0, 0.0
		mean := make([]float64, 14)
		for k := range m.b {
			m.b[k] = size * (1 + float64(k)/7)
			if k == 12 {
				m.b[k] = 0.5
			}
			logZ += heatbath.Softplus(m.b[k])
			mean[k] = 1 / (1 + math.Exp(-m.b[k]))
			entropy += heatbath.Softplus(m.b[k]) - m.b[k]*mean[k]
		}
		e := mustEnumerate(t, m)
		within(t, "log Z", []float64{e.LogZ}, []float64{logZ}, 1e-15*(1000+math.Abs(logZ)))
		within(t, "entropy", []float64{e.Entropy}, []float64{entropy}, 1e-15*(1000+math.Abs(logZ)))
		within(t, "mean", e.Mean, mean, 1e-13)
		for i := range 14 {
			for j := range i {
				within(t, "second", []float64{e.Second.At(i, j)}, []float64{mean[i] * mean[j]}, 1e-13)
			}
		}
	}
}

func TestEnumerateRefuses(t *testing.T) {
	m := REF(26)
	if _, err := Enumerate(m); !errors.Is(err, ErrTooManyUnits) || !strings.Contains(err.Error(), "26, limit 25") {
		t.Errorf("26 units: error %v", err)
	}
	if _, err := EnumerateLimit(m, 31); err == nil || errors.Is(err, ErrTooManyUnits) {
		t.Errorf("limit 31: error %v", err)
	}
	if _, err := EnumerateLimit(REF(2), 0); err == nil {
		t.Error("limit 0 accepted")
	}
	if _, err := EnumerateLimit(REF(4), 4); err != nil {
		t.Error(err)
	}
}

// energies is a model given by its energies.
type energies []float64

func (e energies) Dim() int {
	n := 0
	for 1<<n < len(e) {
		n++
	}
	return n
}

func (e energies) index(z []uint8) (s int) {
	for k, v := range z {
		s |= int(v) << k
	}
	return s
}

func (e energies) Energy(z []uint8) float64 { return e[e.index(z)] }

func (e energies) Logit(z []uint8, k int) float64 {
	s := e.index(z)
	return e[s&^(1<<k)] - e[s|1<<k]
}

func TestJoint(t *testing.T) {
	inf := math.Inf(1)
	within(t, "infinite energies", mustJoint(t, energies{inf, 800, inf, 800 + math.Log(3)}), []float64{0, .75, 0, .25}, 1e-12)
	for _, m := range []sampling.Model{nil, energies{0}, energies{inf, inf}, energies{0, math.NaN()}, energies{-inf, 0},
		REF(21)} {
		if p, err := Joint(m); err == nil {
			t.Errorf("Joint accepted %v: %v", m, p)
		}
	}
	if _, err := Joint(REF(21)); !errors.Is(err, ErrTooManyUnits) {
		t.Errorf("21 units: error %v", err)
	}
}

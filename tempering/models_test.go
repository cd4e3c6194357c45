package tempering

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// fatal is what testing.T and rapid.T have in common.
type fatal interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// bmS is the test machine BM-S(n, A) of boltzmann-baselines 4.2.
func bmS(n int, a float64) *boltzmann.Machine {
	w := mat.NewSymDense(n, nil)
	b := make([]float64, n)
	for i := range n {
		b[i] = .4 * math.Cos(1.3*float64(i))
		for j := range i {
			w.SetSym(i, j, a*math.Sin(1.1*float64(i+j)+.5*float64(i*j)))
		}
	}
	return must(boltzmann.New(w, b))
}

// wta is WTA-3x4(a) of boltzmann-baselines 4.2: three groups of four units that support
// each other and suppress the others, with an extra bias for each group.
func wta(a float64, extra [3]float64) *boltzmann.Machine {
	w := mat.NewSymDense(12, nil)
	b := make([]float64, 12)
	for i := range 12 {
		b[i] = -a + extra[i/4]
		for j := range i {
			if i/4 == j/4 {
				w.SetSym(i, j, a)
			} else {
				w.SetSym(i, j, -a)
			}
		}
	}
	return must(boltzmann.New(w, b))
}

// wtaLabel is the group with at least 3 units on while the others have at most one, else −1.
func wtaLabel(z []uint8) int {
	label := -1
	for g := range 3 {
		switch on := z[4*g] + z[4*g+1] + z[4*g+2] + z[4*g+3]; {
		case on >= 3 && label < 0:
			label = g
		case on > 1:
			return -1
		}
	}
	return label
}

// The models are those of the specification: its log Z and mode masses.
func TestModels(t *testing.T) {
	for _, tc := range []struct {
		m    *boltzmann.Machine
		logZ float64
	}{
		{bmS(5, 1), 4.0531932184}, {bmS(10, 1), 8.8406112962},
		{wta(4, [3]float64{}), 9.1001263080}, {wta(4, [3]float64{.25, 0, -.25}), 9.4089137482},
	} {
		if e := must(boltzmann.Enumerate(tc.m)); math.Abs(e.LogZ-tc.logZ) > 1e-8 {
			t.Errorf("log Z = %.10f, want %.10f", e.LogZ, tc.logZ)
		}
	}
	mass := [4]float64{}
	z := make([]uint8, 12)
	for s, p := range must(boltzmann.Joint(wta(4, [3]float64{.25, 0, -.25}))) {
		bits(z, s)
		mass[wtaLabel(z)+1] += p
	}
	for g, want := range biased {
		if math.Abs(mass[g+1]-want) > 1e-8 {
			t.Errorf("mass of mode %d is %.8f, want %.8f", g, mass[g+1], want)
		}
	}
}

// biased are the exact mode masses of WTA-3x4(4) with group biases .25, 0, −.25.
var biased = [3]float64{.66506583, .24473659, .09006783}

// bits writes state number s to z.
func bits(z []uint8, s int) {
	for k := range z {
		z[k] = uint8(s >> k & 1)
	}
}

func index(z []uint8) (s int) {
	for k, on := range z {
		s |= int(on) << k
	}
	return s
}

// law is the exact law of m at inverse temperature beta.
func law(m sampling.Model, beta float64) []float64 {
	p := make([]float64, 1<<m.Dim())
	z := make([]uint8, m.Dim())
	total := 0.0
	for s := range p {
		bits(z, s)
		p[s] = math.Exp(-beta * m.Energy(z))
		total += p[s]
	}
	for s := range p {
		p[s] /= total
	}
	return p
}

// logZ is log Σ exp(−βE).
func logZ(m sampling.Model, beta float64) float64 {
	z := make([]uint8, m.Dim())
	sum := 0.0
	for s := range 1 << m.Dim() {
		bits(z, s)
		sum += math.Exp(-beta * m.Energy(z))
	}
	return math.Log(sum)
}

func logZs(m sampling.Model, l Ladder) []float64 {
	g := make([]float64, len(l))
	for k, b := range l {
		g[k] = logZ(m, b)
	}
	return g
}

// forbidden is a model of two units that are never both on, with p ∝ e^z0.
type forbidden struct{}

func (forbidden) Dim() int { return 2 }

func (forbidden) Energy(z []uint8) float64 {
	if z[0]+z[1] == 2 {
		return math.Inf(1)
	}
	return -float64(z[0])
}

func (forbidden) Logit(z []uint8, k int) float64 {
	if z[1-k] == 1 {
		return math.Inf(-1)
	}
	return float64(1 - k)
}

// equalRejection is the ladder of WTA-3x4(4) with equal rejection rates, from β = 0.
var equalRejection = Ladder{1, .3316, .2331, .1652, .1091, .0636, .0282, 0}

func run(t testing.TB, s sampling.Sampler, warmup, duration float64, rec ...sampling.Recorder) {
	t.Helper()
	if err := sampling.Run(context.Background(), s, sampling.Schedule{Warmup: warmup, Duration: duration}, rec...); err != nil {
		t.Fatal(err)
	}
}

package boltzmann

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// log Z and marginals are those of enumerating all units, whichever layers are listed.
func TestLayeredExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapidLayered(t)
		d, err := m.Machine()
		if err != nil {
			t.Fatal(err)
		}
		want := mustEnumerate(t, d)
		got, err := m.Exact()
		if err != nil {
			t.Fatal(err)
		}
		logZ, err := m.LogZ()
		if err != nil || !(math.Abs(logZ-want.LogZ) < 1e-12*(1+math.Abs(logZ))) || got.LogZ != logZ {
			t.Fatalf("log Z = %v and %v, want %v; error %v", logZ, got.LogZ, want.LogZ, err)
		}
		for k := range want.Mean {
			if !(math.Abs(got.Mean[k]-want.Mean[k]) < 1e-12) {
				t.Fatalf("mean %d = %v, want %v", k, got.Mean[k], want.Mean[k])
			}
		}
	})
}

// A machine turned around has the same log Z, also past the point where log odds are
// computed anew (13 units listed, 8192 states).
func TestLogZTurned(t *testing.T) {
	r := rbmS(t, 13, 14, 1)
	turned, err := NewRBM(r.W().T(), r.C(), r.B())
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Exact()
	if err != nil {
		t.Fatal(err)
	}
	b, err := turned.Exact()
	if err != nil {
		t.Fatal(err)
	}
	within(t, "log Z", []float64{a.LogZ}, []float64{b.LogZ}, 1e-11)
	within(t, "visible", a.Mean[:13], b.Mean[14:], 1e-11)
	within(t, "hidden", a.Mean[13:], b.Mean[:14], 1e-11)
}

// Weights that overflow exp do not overflow log Z.
func TestLogZLarge(t *testing.T) {
	for _, scale := range []float64{1e4, -1e4} {
		m := drawLayered(t, 1, scale, 3, 2)
		least := math.Inf(1)
		for s := range 1 << 5 {
			least = min(least, m.Energy(bitsOf(s, 5)))
		}
		logZ, err := m.LogZ()
		if err != nil {
			t.Fatal(err)
		}
		within(t, "log Z", []float64{logZ}, []float64{-least}, 1e-8)
	}
}

// Exact samples: frequencies of all 32 states within |z| < 4.5 (false alarm 2e-4).
func TestSamples(t *testing.T) {
	const n = 20000
	for _, sizes := range [][]int{{3, 2}, {1, 3, 1}} {
		m := drawLayered(t, 5, 2, sizes...)
		p := mustJoint(t, m)
		z, err := m.Samples(n, rng.Stream(2, "samples"))
		if err != nil {
			t.Fatal(err)
		}
		count := make([]float64, len(p))
		for _, z := range z {
			count[energies{}.index(z)]++
		}
		for s := range p {
			if x := (count[s] - n*p[s]) / math.Sqrt(n*p[s]*(1-p[s])); n*p[s] > 10 && !(math.Abs(x) < 4.5) {
				t.Errorf("layers %v, state %05b: %v of %d samples, want %.1f, z = %.1f", sizes, s, count[s], n, n*p[s], x)
			}
		}
	}
}

func TestLayeredExactRefuses(t *testing.T) {
	m := drawLayered(t, 1, 1, 26, 27)
	if _, err := m.LogZ(); !errors.Is(err, ErrTooManyUnits) || !strings.Contains(err.Error(), "(even) has 26, limit 25 (2^26 states, about 270 ns each)") {
		t.Errorf("26 units: error %v", err)
	}
	if _, err := m.Exact(); !errors.Is(err, ErrTooManyUnits) {
		t.Errorf("26 units: error %v", err)
	}
	if _, err := drawLayered(t, 1, 1, 22, 21).Samples(1, rng.Stream(1, "x")); !errors.Is(err, ErrTooManyUnits) || !strings.Contains(err.Error(), "(odd) has 21, limit 20") {
		t.Errorf("21 units: error %v", err)
	}
	if _, err := drawLayered(t, 1, 1, 2, 2).Samples(0, rng.Stream(1, "x")); err == nil {
		t.Error("0 samples accepted")
	}
	if _, err := drawLayered(t, 1, 1, 2, 2).Samples(1, nil); err == nil {
		t.Error("nil source accepted")
	}
}

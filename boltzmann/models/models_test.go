package models

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
)

func within(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g ± %g", what, got, want, tol)
	}
}

func mustEnumerate(t *testing.T, m *boltzmann.Machine, err error) *boltzmann.Exact {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	e, err := boltzmann.Enumerate(m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// boltzmann-baselines 4.2, RBM-S.
func TestRBMS(t *testing.T) {
	for _, tc := range []struct {
		nv, nh        int
		a, logZ, logP float64
	}{
		{6, 4, 1, 7.3324454258, -4.9857293864},
		{20, 10, 1, 28.4222231746, -22.1841298799},
		{20, 10, 2, 52.0931022650, -44.5645151475},
		{40, 16, 1, 82.3989890149, -72.2652175899},
		{100, 20, .5, 128.9546787155, -117.0929770859},
	} {
		r, err := RBMS(tc.nv, tc.nh, tc.a)
		if err != nil {
			t.Fatal(err)
		}
		logZ, err := r.LogZ()
		if err != nil {
			t.Fatal(err)
		}
		logP, err := r.LogLikelihood(logZ, EveryThird(tc.nv))
		if err != nil {
			t.Fatal(err)
		}
		within(t, "log Z", logZ, tc.logZ, 1e-8)
		within(t, "log p(v*)", logP, tc.logP, 1e-8)
	}
	if v := EveryThird(7); !slices.Equal(v, []uint8{1, 0, 0, 1, 0, 0, 1}) || len(EveryThird(-1)) != 0 {
		t.Errorf("EveryThird(7) = %v", v)
	}
}

// boltzmann-baselines 4.2, BM-S.
func TestBMS(t *testing.T) {
	for _, tc := range []struct {
		n                            int
		a, logZ, z0, z1, z01, entrop float64
	}{
		{5, 1, 4.0531932184, .64471975, .63896111, .4367768835, 3.19650685},
		{10, 1, 8.8406112962, .65235573, .66379563, .4576938842, 5.97461343},
		{12, 1.5, 15.3822890280, .53206677, .63222393, .3910317461, 4.88768982},
		{20, 1, 18.3159638469, .72872571, .61657895, .4703124438, 11.03997003},
	} {
		m, err := BMS(tc.n, tc.a)
		e := mustEnumerate(t, m, err)
		within(t, "log Z", e.LogZ, tc.logZ, 1e-8)
		within(t, "<z0>", e.Mean[0], tc.z0, 1e-8)
		within(t, "<z1>", e.Mean[1], tc.z1, 1e-8)
		within(t, "<z0z1>", e.Second.At(0, 1), tc.z01, 1e-8)
		within(t, "entropy", e.Entropy, tc.entrop, 1e-8)
	}
}

// boltzmann-baselines 4.2, WTA-3x4, the biased ones included.
func TestWTA(t *testing.T) {
	for _, tc := range []struct {
		a, logZ float64
		bias    []float64
	}{
		{2.5, 6.1328616803, nil}, {3, 7.1105249699, nil}, {4, 9.1001263080, nil},
		{5, 11.0988120611, nil}, {6, 13.0986390655, nil},
		{4, 9.4089137482, []float64{.25, 0, -.25}}, {3, 7.4178364904, []float64{.25, 0, -.25}},
	} {
		m, err := WTA(3, 4, tc.a, tc.bias...)
		e := mustEnumerate(t, m, err)
		within(t, "log Z", e.LogZ, tc.logZ, 1e-8)
		if tc.bias == nil {
			within(t, "energy of a mode", m.Energy([]uint8{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}), -2*tc.a, 1e-12)
		} else if !(e.Mean[0] > e.Mean[4] && e.Mean[4] > e.Mean[8]) {
			t.Errorf("means %v do not follow the biases", e.Mean)
		}
	}
}

// boltzmann-baselines 4.2, Curie-Weiss, as far as enumeration goes (package lumped has all).
func TestCurieWeiss(t *testing.T) {
	for _, tc := range []struct {
		n          int
		beta, logZ float64
	}{
		{20, 1.2, 3.5967334517}, {10, 1.5, 1.6051173797}, {20, 1.5, 2.1900607409},
		{10, 2, 1.0259948610}, {20, 2, 1.1962695158},
	} {
		m, err := CurieWeiss(tc.n, tc.beta)
		e := mustEnumerate(t, m, err)
		within(t, "log Z", e.LogZ, tc.logZ, 1e-8)
		within(t, "W", m.Weight(1, 3), 4*tc.beta/float64(tc.n), 1e-15)
		within(t, "b", m.Bias(2), -2*tc.beta*float64(tc.n-1)/float64(tc.n), 1e-14)
		within(t, "mean", e.Mean[0], .5, 1e-12)
	}
}

// The energy of a Mattis machine is that of the Curie-Weiss one at the overlap with the
// pattern, up to the same constant for all states.
func TestMattis(t *testing.T) {
	pattern := []uint8{1, 0, 0, 1, 1, 0, 1, 0}
	n := len(pattern)
	mattis, err := Mattis(pattern, 1.7)
	if err != nil {
		t.Fatal(err)
	}
	cw, err := CurieWeiss(n, 1.7)
	if err != nil {
		t.Fatal(err)
	}
	z, turned := make([]uint8, n), make([]uint8, n)
	all := slices.Repeat([]uint8{1}, n)
	shift := mattis.Energy(pattern) - cw.Energy(all)
	for s := range 1 << n {
		for k := range z {
			z[k] = uint8(s >> k & 1)
			turned[k] = z[k] ^ pattern[k] ^ 1
		}
		within(t, "energy", mattis.Energy(z)-shift, cw.Energy(turned), 1e-12)
	}
}

// Energies of a Hopfield machine are −β/(2N) Σ (σ·s)² up to a constant, and orthogonal
// patterns and their inverses are the states of least energy.
func TestHopfield(t *testing.T) {
	patterns := [][]uint8{{1, 1, 1, 1, 0, 0, 0, 0}, {1, 1, 0, 0, 1, 1, 0, 0}}
	const n, beta = 8, 2.0
	m, err := Hopfield(patterns, beta)
	if err != nil {
		t.Fatal(err)
	}
	want := func(z []uint8) float64 {
		e := 0.0
		for _, p := range patterns {
			overlap := 0.0
			for k := range z {
				overlap += (2*float64(z[k]) - 1) * (2*float64(p[k]) - 1)
			}
			e -= beta / (2 * n) * overlap * overlap
		}
		return e
	}
	z := make([]uint8, n)
	shift := m.Energy(z) - want(z)
	least, at := math.Inf(1), []int(nil)
	for s := range 1 << n {
		for k := range z {
			z[k] = uint8(s >> k & 1)
		}
		e := m.Energy(z) - shift
		within(t, "energy", e, want(z), 1e-12)
		if e < least-1e-9 {
			least, at = e, nil
		}
		if e < least+1e-9 {
			at = append(at, s)
		}
	}
	if !slices.Equal(at, []int{0x0f, 0x33, 0xcc, 0xf0}) {
		t.Errorf("states of least energy %x", at)
	}
}

func TestRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	refuse := func(what string, err error, contains string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "models: ") || !strings.Contains(err.Error(), contains) {
			t.Errorf("%s: error %v, want one with %q", what, err, contains)
		}
	}
	_, err := RBMS(0, 3, 1)
	refuse("RBMS", err, "0 visible")
	_, err = RBMS(3, 0, 1)
	refuse("RBMS", err, "0 hidden")
	_, err = RBMS(2, 2, nan)
	refuse("RBMS", err, "NaN")
	_, err = BMS(0, 1)
	refuse("BMS", err, "n = 0")
	_, err = BMS(2, inf)
	refuse("BMS", err, "+Inf")
	_, err = BMS(1<<20, 1)
	refuse("BMS", err, "at most")
	_, err = WTA(0, 4, 1)
	refuse("WTA", err, "0 groups")
	_, err = WTA(1<<40, 1<<40, 1)
	refuse("WTA", err, "at most")
	_, err = WTA(3, 4, 1, 0, 0)
	refuse("WTA", err, "2 biases with 3 groups")
	_, err = WTA(3, 4, nan)
	refuse("WTA", err, "NaN")
	_, err = CurieWeiss(0, 1)
	refuse("CurieWeiss", err, "n = 0")
	_, err = CurieWeiss(3, nan)
	refuse("CurieWeiss", err, "NaN")
	_, err = CurieWeiss(1<<60, 1)
	refuse("CurieWeiss", err, "at most")
	_, err = Mattis(nil, 1)
	refuse("Mattis", err, "no pattern")
	_, err = Hopfield([][]uint8{{0, 1}, {1}}, 1)
	refuse("Hopfield", err, "pattern 1")
	_, err = Hopfield([][]uint8{{0, 2}}, 1)
	refuse("Hopfield", err, "pattern 0")
	if _, err := WTA(2, 2, 1, 0, nan); err == nil {
		t.Error("NaN bias accepted")
	}
}

// TestAutoEncoder: log Z given three of its inputs, and given one if the columns are rolled.
func TestAutoEncoder(t *testing.T) {
	x := AutoEncoderPatterns()
	for _, c := range []struct {
		rolled  bool
		pattern int
		want    float64
	}{{false, 0, 21.663806}, {false, 1, 28.719212}, {false, 3, 30.460816}, {true, 0, 20.573660}} {
		m, err := AutoEncoder(1, c.rolled)
		if err != nil {
			t.Fatal(err)
		}
		z := make([]uint8, m.Dim())
		for i, v := range x.RawRowView(c.pattern) {
			z[i] = uint8(v)
		}
		sum := 0.0
		for s := range 1 << 12 {
			for k := range 12 {
				z[6+k] = uint8(s >> k & 1)
			}
			sum += math.Exp(-m.Energy(z))
		}
		if got := math.Log(sum); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("rolled %v, input %d: log Z = %v: must be %v", c.rolled, c.pattern, got, c.want)
		}
		half, err := AutoEncoder(.5, c.rolled)
		if err != nil {
			t.Fatal(err)
		}
		if d := half.Energy(z) - m.Energy(z)/2; math.Abs(d) > 1e-12 {
			t.Errorf("scale ½: energy is off by %v", d)
		}
	}
	if _, err := AutoEncoder(math.NaN(), false); err == nil {
		t.Error("scale NaN: no error")
	}
}

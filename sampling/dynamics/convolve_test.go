package dynamics_test

import (
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

const precision = 2400 // bits: more than cancel for the closest time constants and the smallest results

func exact(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

func zero() *big.Float { return new(big.Float).SetPrec(precision) }

// expBig is e^{−x} for x ≥ 0, by its series for x/2^k and k squarings.
func expBig(x *big.Float) *big.Float {
	k := max(0, x.MantExp(nil)) + 20
	y := zero().SetMantExp(x, -k)
	sum, term := exact(1), exact(1)
	for n := 1; term.Sign() != 0 && term.MantExp(nil) > -precision; n++ {
		term.Mul(term, y)
		term.Quo(term, exact(-float64(n)))
		sum.Add(sum, term)
	}
	for range k {
		sum.Mul(sum, sum)
	}
	return sum
}

// convolveBig is Convolve by the textbook formula with thousands of bits, so that nothing
// cancels.
func convolveBig(dt, tau1, tau2 float64) float64 {
	r1, r2 := zero().Quo(exact(1), exact(tau1)), zero().Quo(exact(1), exact(tau2))
	e1 := expBig(zero().Mul(exact(dt), r1))
	if tau1 == tau2 {
		x, _ := zero().Mul(exact(dt), e1).Float64()
		return x
	}
	e2 := expBig(zero().Mul(exact(dt), r2))
	x, _ := zero().Quo(zero().Sub(e1, e2), zero().Sub(r2, r1)).Float64()
	return x
}

// convolveTol is the relative error that rounding excuses: e^{−dt/τ} of the longer time
// constant has a relative error of dt/τ units in the last place.
func convolveTol(dt, tau1, tau2 float64) float64 {
	return 4e-16 * (3 + dt/math.Max(tau1, tau2))
}

func checkConvolve(t interface {
	Helper()
	Errorf(string, ...any)
}, dt, tau1, tau2 float64) {
	t.Helper()
	got, want := dynamics.Convolve(dt, tau1, tau2), convolveBig(dt, tau1, tau2)
	if !(math.Abs(got-want) <= convolveTol(dt, tau1, tau2)*want) {
		t.Errorf("Convolve(%v, %v, %v) = %.17g: must be %.17g", dt, tau1, tau2, got, want)
	}
	if swapped := dynamics.Convolve(dt, tau2, tau1); swapped != got {
		t.Errorf("Convolve(%v, %v, %v) = %.17g, swapped %.17g", dt, tau1, tau2, got, swapped)
	}
}

// TestConvolve: equal, nearly equal and extreme time constants against arithmetic with
// 2400 bits. The last rows have a factor e^{−dt/τ} below the smallest float64.
func TestConvolve(t *testing.T) {
	next := math.Nextafter(10, 11)
	for _, c := range [][3]float64{
		{0.1, 10, 10}, {0.1, 10, next}, {0.1, 10, 10 * (1 + 1e-12)}, {0.1, 10, 10 * (1 + 1e-8)}, {0.1, 10, 10 * (1 + 1e-4)},
		{3, 1, 10}, {0.1, 0.22, 10}, {0.1, 20, 10}, {1e-6, 1, 10}, {100, 1, 10},
		{1, 1e-3, 10}, {1, 1e-6, 10}, {1, 1e-300, 10}, {1, 1e300, 10}, {1, 1e300, 1e300}, {1e-300, 1, 2},
		{1, 1.0 / 709.5, 0.1}, {1, 1.0 / 720, 1.0 / 11}, {1, 1.0 / 745.5, 1.0 / 40}, {700, 1, 1}, {700, 1, 1 + 1e-9}, {1400, 1, 2},
	} {
		checkConvolve(t, c[0], c[1], c[2])
	}
	if x := dynamics.Convolve(0, 3, 4); x != 0 {
		t.Errorf("after no time %v: must be 0", x)
	}
}

func TestConvolveProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exponent := rapid.Float64Range(-6, 6)
		tau1 := math.Pow(10, exponent.Draw(t, "log10 τ1"))
		tau2 := math.Pow(10, exponent.Draw(t, "log10 τ2"))
		if rapid.Bool().Draw(t, "close") {
			tau2 = tau1 * (1 + math.Pow(10, rapid.Float64Range(-17, -1).Draw(t, "log10 distance")))
		}
		dt := math.Max(tau1, tau2) * math.Pow(10, rapid.Float64Range(-6, 2.8).Draw(t, "log10 dt/τ"))
		checkConvolve(t, dt, tau1, tau2)
	})
}

// TestConvolveQuadrature: Convolve is the integral that its documentation states.
func TestConvolveQuadrature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tau := rapid.Float64Range(0.5, 50)
		tau1, tau2 := tau.Draw(t, "τ1"), tau.Draw(t, "τ2")
		dt := rapid.Float64Range(0.01, 20).Draw(t, "dt")
		// 40 nodes integrate e^{cs} to 1e-14 for |c·dt| ≤ 40.
		want := quad.Fixed(func(s float64) float64 { return math.Exp(-(dt-s)/tau1 - s/tau2) }, 0, dt, 40, nil, 0)
		if got := dynamics.Convolve(dt, tau1, tau2); !(math.Abs(got-want) <= 1e-13*want) {
			t.Fatalf("Convolve(%v, %v, %v) = %.17g: quadrature gives %.17g", dt, tau1, tau2, got, want)
		}
	})
}

func TestDecay(t *testing.T) {
	for _, c := range [][3]float64{{0, 10, 1}, {10, 10, 1 / math.E}, {1, 1e300, 1}, {1, 1e-300, 0}} {
		if got := dynamics.Decay(c[0], c[1]); math.Abs(got-c[2]) > 1e-16 {
			t.Errorf("Decay(%v, %v) = %v: must be %v", c[0], c[1], got, c[2])
		}
	}
}

func BenchmarkConvolve(b *testing.B) {
	for b.Loop() {
		dynamics.Convolve(0.1, 1, 10)
	}
}

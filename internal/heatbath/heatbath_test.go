package heatbath

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The table changes no decision.
func TestBelow(t *testing.T) {
	check := func(fatal func(...any), x, u float64) {
		var want uint8
		if x < 1/(1+math.Exp(-u)) {
			want = 1
		}
		if Below(x, u) != want {
			fatal("Below", x, u, "is not", want)
		}
	}
	for _, u := range []float64{math.Inf(-1), -800, -16.1, -16, -15.99, -0.125, 0, 0.125, 15.99, 16, 40, 800, math.Inf(1)} {
		for _, x := range []float64{0, 0x1p-53, 1e-7, .25, .5, .999, 1 - 0x1p-53} {
			check(t.Fatal, x, u)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t.Fatal, rapid.Float64Range(0, 1-0x1p-53).Draw(t, "x"), rapid.Float64Range(-20, 20).Draw(t, "u"))
	})
}

func BenchmarkBelow(b *testing.B) {
	on := 0
	for i := range b.N {
		on += int(Below(float64(i&1023)/1024, float64(i&63)/8-4))
	}
	if on < 0 {
		b.Fatal("impossible")
	}
}

package plotx

import (
	"image/color"
	"math"
	"testing"
)

func TestOklabInverse(t *testing.T) {
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				c := color.NRGBA{uint8(r), uint8(g), uint8(b), 255}
				if got := fromOklab(oklab(c)); got != c {
					t.Fatalf("%v comes back as %v", c, got)
				}
			}
		}
	}
}

// TestColorsMonotone checks that lightness is strictly monotone, or symmetric with its
// top in the middle for diverging colours, so that order can be seen without hue.
func TestColorsMonotone(t *testing.T) {
	light := func(m Colors, x float64) float64 { return oklab(m.at(x))[0] }
	const n = 64
	for i := range n {
		x, y := float64(i)/n, float64(i+1)/n
		if !(light(Grey, x) < light(Grey, y)) || !(light(Sequential, x) > light(Sequential, y)) {
			t.Errorf("lightness is not monotone at %v", x)
		}
		if !(light(Diverging, x/2) < light(Diverging, y/2)) || !(light(Diverging, 1-x/2) < light(Diverging, 1-y/2)) {
			t.Errorf("diverging lightness does not rise to the middle at %v", x/2)
		}
		if d := math.Abs(light(Diverging, x) - light(Diverging, 1-x)); d > 0.12 {
			t.Errorf("diverging lightness differs by %v at ±%v", d, 1-2*x)
		}
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		m            Colors
		data         span
		lo, hi       float64
		wantLo, want float64
	}{
		{Diverging, span{-1, 3}, 0, 0, -3, 3},
		{Diverging, span{0, 0}, 0, 0, -1, 1},
		{Sequential, span{2, 3}, 0, 0, 2, 3},
		{Sequential, span{2, 3}, 0, 5, 0, 5},
		{Grey, span{0, 0}, 0, 0, -1, 1},
	} {
		if s := newScale(c.m, c.data, c.lo, c.hi); s.lo != c.wantLo || s.hi != c.want {
			t.Errorf("range of %+v is [%v, %v]", c, s.lo, s.hi)
		}
	}
	s := scale{Grey, 0, 1}
	if s.color(-9) != s.color(0) || s.color(9) != s.color(1) {
		t.Errorf("values outside do not take the colour of the end")
	}
}

// TestPalette checks that series colours are far apart for normal sight and for the two
// common colour blindnesses, simulated by Machado, Oliveira and Fernandes (2009) at full
// severity, and from white. 0.07 in Oklab is several just noticeable differences.
func TestPalette(t *testing.T) {
	views := map[string][9]float64{
		"normal":       {1, 0, 0, 0, 1, 0, 0, 0, 1},
		"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
		"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	}
	for name, m := range views {
		see := func(c color.NRGBA) [3]float64 {
			r, g, b := linear(c.R), linear(c.G), linear(c.B)
			return oklab(color.NRGBA{
				encoded(m[0]*r + m[1]*g + m[2]*b), encoded(m[3]*r + m[4]*g + m[5]*b), encoded(m[6]*r + m[7]*g + m[8]*b), 255,
			})
		}
		all := append([]color.NRGBA{{255, 255, 255, 255}, inkColor}, palette...)
		for i, a := range all {
			for _, b := range all[:i] {
				p, q := see(a), see(b)
				if d := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]); d < 0.07 {
					t.Errorf("%s: %v and %v are only %.3f apart", name, a, b, d)
				}
			}
		}
	}
}

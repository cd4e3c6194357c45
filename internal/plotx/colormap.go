package plotx

import (
	"image"
	"image/color"
	"math"
)

// Colors chooses the colours of a heat map or an image.
type Colors int

// The colour scales. Their lightness is monotone, or symmetric for Diverging, so they
// survive printing in grey and colour blindness.
const (
	// AutoColors is Grey for images, and for heat maps Diverging if a value is negative
	// and Sequential otherwise.
	AutoColors Colors = iota
	Grey              // black to white
	Sequential        // white to dark blue
	Diverging         // blue over white (0) to vermillion, symmetric about 0
)

// stops are the colours of a scale at equal distances. Between them they are mixed in
// the perceptually uniform space Oklab (Ottosson 2020).
func (m Colors) stops() []color.NRGBA {
	switch m {
	case Sequential:
		return []color.NRGBA{{0xF7, 0xFA, 0xFD, 255}, {0x9C, 0xCB, 0xE6, 255}, palette[0], {0x06, 0x2A, 0x52, 255}}
	case Diverging:
		return []color.NRGBA{{0x06, 0x2A, 0x52, 255}, palette[0], {0xF7, 0xF7, 0xF7, 255}, palette[1], {0x5C, 0x1F, 0x00, 255}}
	}
	return nil
}

// at returns the colour of x in [0, 1].
func (m Colors) at(x float64) color.NRGBA {
	stops := m.stops()
	if stops == nil {
		v := uint8(math.Round(255 * x))
		return color.NRGBA{v, v, v, 255}
	}
	pos := x * float64(len(stops)-1)
	i := min(int(pos), len(stops)-2)
	f := pos - float64(i)
	a, b := oklab(stops[i]), oklab(stops[i+1])
	for k := range a {
		a[k] += f * (b[k] - a[k])
	}
	return fromOklab(a)
}

// oklab converts a colour to (lightness, a, b).
func oklab(c color.NRGBA) [3]float64 {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return [3]float64{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// fromOklab is the inverse of oklab.
func fromOklab(c [3]float64) color.NRGBA {
	l := c[0] + 0.3963377774*c[1] + 0.2158037573*c[2]
	m := c[0] - 0.1055613458*c[1] - 0.0638541728*c[2]
	s := c[0] - 0.0894841775*c[1] - 1.2914855480*c[2]
	l, m, s = l*l*l, m*m*m, s*s*s
	return color.NRGBA{
		encoded(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		encoded(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		encoded(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		255,
	}
}

// linear undoes the sRGB transfer function.
func linear(v uint8) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

// encoded is the inverse of linear.
func encoded(x float64) uint8 {
	if x <= 0.0031308 {
		x *= 12.92
	} else {
		x = 1.055*math.Pow(x, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(max(x, 0), 1)))
}

// scale maps values in [lo, hi] to colours; values outside take the colour of the end.
type scale struct {
	colors Colors
	lo, hi float64
}

func (s scale) color(v float64) color.NRGBA {
	return s.colors.at(min(max((v-s.lo)/(s.hi-s.lo), 0), 1))
}

// image returns the values, row by row from the top, as an image of cols columns.
func (s scale) image(values []float64, cols int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, cols, len(values)/cols))
	for i, v := range values {
		img.SetNRGBA(i%cols, i/cols, s.color(v))
	}
	return img
}

// newScale chooses the range: [lo, hi] if given, else that of the data, symmetric about
// 0 if diverging. A range without width is widened.
func newScale(m Colors, data span, lo, hi float64) scale {
	if lo == hi {
		lo, hi = data.padded(0)
		if m == Diverging {
			hi = max(math.Abs(data.lo), math.Abs(data.hi))
			if hi <= tiny {
				hi = 1
			}
			lo = -hi
		}
	}
	return scale{m, lo, hi}
}

// check reports bad choices of colours and range.
func (m Colors) check(pr *problems, lo, hi float64) {
	if m < AutoColors || m > Diverging {
		pr.addf("Colors = %d: must be one of the named ones", m)
	}
	if lo == 0 && hi == 0 {
		return
	}
	pr.number("Min", lo, -limit, limit)
	pr.number("Max", hi, -limit, limit)
	pr.ascend("Min, Max", lo, hi)
	if m == Diverging && lo != -hi {
		pr.addf("Min, Max = %v, %v: must be −x, x with diverging colours", lo, hi)
	}
}

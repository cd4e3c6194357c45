package plotx

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Histogram shows the density of values, such as the free membrane potential, against a
// Gaussian.
type Histogram struct {
	Title  string
	Values []float64 // at least one
	Bins   int       // at most 500; 0 = by the rule of Freedman and Diaconis, at most 80
	Name   string    // of the values in the legend; default "measured"
	// Mean and SD > 0 of the Gaussian, in the unit of Values; SD 0 = no curve.
	Mean, SD float64
	XLabel   string // default "free membrane potential [mV]"
	YLabel   string // default "density [1/mV]"
	Size     Size   // default 9 × 4.2 inch
}

// Figure draws the histogram. It is an error if there are no values, or if a number is
// not finite or out of range.
func (h Histogram) Figure() (*Figure, error) {
	pr := problems{figure: "Histogram"}
	size := h.Size.or(&pr, defaultWidth, defaultHeight)
	if h.Name == "" {
		h.Name = "measured"
	}
	if h.XLabel == "" {
		h.XLabel = "free membrane potential [mV]"
	}
	if h.YLabel == "" {
		h.YLabel = "density [1/mV]"
	}
	if len(h.Values) == 0 {
		pr.addf("no values: must have at least one")
	}
	pr.values("Values", h.Values, -limit, limit)
	if h.Bins < 0 || h.Bins > 500 {
		pr.addf("Bins = %d: must be in [0, 500]", h.Bins)
	}
	if h.SD != 0 {
		pr.number("Mean", h.Mean, -limit, limit)
		pr.number("SD", h.SD, tiny, limit)
	}
	if err := pr.err(); err != nil {
		return nil, err
	}

	lo, width, density := h.density()
	xs, top := emptySpan(), slices.Max(density)
	xs.add(lo, lo+width*float64(len(density)))
	p := newPlot(h.XLabel, h.YLabel)
	if h.SD != 0 {
		xs.add(h.Mean-3.5*h.SD, h.Mean+3.5*h.SD)
		top = max(top, h.gauss(h.Mean))
	}
	setAxis(&p.X, xs, false, 0.02)
	p.Y.Min, p.Y.Max = 0, 1.05*top
	fill := faded(palette[0], 0.45)
	p.Add(steps{lo, width, density, fill})
	keys := legend{{name: h.Name, fill: fill}}
	if h.SD != 0 {
		line := draw.LineStyle{Color: inkColor, Width: 1.4}
		var u, v []float64
		for i := range 401 {
			x := p.X.Min + (p.X.Max-p.X.Min)*float64(i)/400
			u, v = append(u, x), append(v, h.gauss(x))
		}
		p.Add(polyline{u, v, line})
		keys = append(keys, key{name: "Gaussian, mean " + number(h.Mean, 4) + ", SD " + number(h.SD, 3), line: line})
	}
	return single(size, h.Title, p, keys), nil
}

// gauss returns the density of the Gaussian at x.
func (h Histogram) gauss(x float64) float64 {
	z := (x - h.Mean) / h.SD
	return math.Exp(-z*z/2) / (h.SD * math.Sqrt(2*math.Pi))
}

// density returns the left edge of the first bin, the width of a bin and the densities.
func (h Histogram) density() (lo, width float64, density []float64) {
	s := emptySpan()
	s.add(h.Values...)
	lo, hi := s.lo, s.hi
	bins := h.Bins
	if s.flat() { // one value
		lo, hi = s.padded(0)
		bins = max(bins, 1)
	}
	if bins == 0 {
		bins = freedmanDiaconis(h.Values, hi-lo)
	}
	width = (hi - lo) / float64(bins)
	density = make([]float64, bins)
	for _, v := range h.Values {
		i := min(int((v-lo)/width), bins-1)
		density[i] += 1 / (width * float64(len(h.Values)))
	}
	return lo, width, density
}

// freedmanDiaconis returns the number of bins of width 2·IQR/n^⅓ (Freedman & Diaconis
// 1981) in a range, at least 5 and at most 80.
func freedmanDiaconis(values []float64, size float64) int {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	iqr := v[(3*n)/4] - v[n/4]
	bins := size / (2 * iqr / math.Cbrt(float64(n))) // +Inf or NaN if iqr is 0
	if !(bins < 80) {
		return 80
	}
	return max(int(math.Ceil(bins)), 5)
}

// steps draws a histogram as one filled area, so that no seams show between bins.
type steps struct {
	lo, width float64
	density   []float64
	fill      color.Color
}

func (s steps) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	pts := []vg.Point{{X: trX(s.lo), Y: c.Min.Y}}
	for i, d := range s.density {
		x0, x1 := trX(s.lo+s.width*float64(i)), trX(s.lo+s.width*float64(i+1))
		pts = append(pts, vg.Point{X: x0, Y: trY(d)}, vg.Point{X: x1, Y: trY(d)})
	}
	pts = append(pts, vg.Point{X: pts[len(pts)-1].X, Y: c.Min.Y})
	c.FillPolygon(s.fill, c.ClipPolygonXY(pts))
	c.StrokeLines(draw.LineStyle{Color: palette[0], Width: 0.7}, pts)
}

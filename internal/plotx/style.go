package plotx

import (
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette is the colour-blind-safe set of Okabe and Ito (2008) without its yellow,
// which is too light for lines on white. Black is kept for exact and theoretical values.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
}

var (
	inkColor  = color.NRGBA{0x22, 0x22, 0x22, 0xFF} // text, theory curves
	axisColor = color.NRGBA{0x44, 0x44, 0x44, 0xFF} // axis lines and ticks
	noteColor = color.NRGBA{0x66, 0x66, 0x66, 0xFF} // secondary text and lines
	gridColor = color.NRGBA{0xE8, 0xE8, 0xE8, 0xFF}
	exactGrey = color.NRGBA{0x8C, 0x8C, 0x8C, 0xFF} // bars of exact values
)

const (
	tickSize  = vg.Length(10)
	labelSize = vg.Length(11)
	titleSize = vg.Length(12.5)
	smallest  = vg.Length(6.5) // text that had to shrink

	thinLine = vg.Length(0.8) // axes, error bars, reference lines
	dataLine = vg.Length(1.6)
	dotSize  = vg.Length(2.6) // radius of a data point

	bandOpacity = 0.22 // of error bands

	outerPad = vg.Length(7) // white border of a figure
	panelGap = vg.Length(9) // between stacked panels
)

// dashes of the second, third, ... cycle through the palette, and of reference lines.
var (
	dashed    = []vg.Length{5, 3}
	dotted    = []vg.Length{1.4, 2.2}
	dashDot   = []vg.Length{6, 2.5, 1.4, 2.5}
	cycleDash = [][]vg.Length{nil, dashed, dashDot, dotted}
)

// seriesColor is the colour of series i; it repeats after len(palette) series, where
// seriesDash changes instead.
func seriesColor(i int) color.NRGBA { return palette[i%len(palette)] }

func seriesDash(i int) []vg.Length { return cycleDash[i/len(palette)%len(cycleDash)] }

// seriesLine is the line style of series i.
func seriesLine(i int) draw.LineStyle {
	return draw.LineStyle{Color: seriesColor(i), Width: dataLine, Dashes: seriesDash(i)}
}

// faded returns c with opacity a in [0, 1].
func faded(c color.NRGBA, a float64) color.NRGBA {
	c.A = uint8(math.Round(a * float64(c.A)))
	return c
}

// textStyle returns a sans-serif style of the given size, aligned at its left end and
// with the middle of its capitals on the given point.
func textStyle(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign:  text.XLeft,
		YAlign:  middle,
		Handler: markup{},
	}
}

// boldStyle is textStyle in bold.
func boldStyle(size vg.Length) text.Style {
	s := textStyle(size, inkColor)
	s.Font.Weight = xfont.WeightBold
	return s
}

// newPlot returns an empty plot in the house style: thin axes at the left and the
// bottom, a light grid under the data, no title and no legend of its own.
func newPlot(xlabel, ylabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.TextHandler = markup{}
	p.X.Label.Text, p.Y.Label.Text = xlabel, ylabel
	for _, ax := range []*plot.Axis{&p.X, &p.Y} {
		ax.Padding = 0
		ax.LineStyle = draw.LineStyle{Color: axisColor, Width: thinLine}
		ax.Tick.LineStyle = ax.LineStyle
		ax.Tick.Length = 4
		ax.Tick.Marker = linearTicks{}
	}
	p.X.Tick.Label = textStyle(tickSize, inkColor)
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XCenter, -1.12
	p.Y.Tick.Label = textStyle(tickSize, inkColor)
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = text.XRight, tickMiddle
	p.Add(grid{})
	return p
}

// grid draws light lines at the labelled ticks of both axes.
type grid struct{}

func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	sty := draw.LineStyle{Color: gridColor, Width: 0.6}
	trX, trY := p.Transforms(&c)
	for _, v := range gridValues(p.X) {
		if x := trX(v); x > c.Min.X+1 && x <= c.Max.X+0.1 {
			c.StrokeLine2(sty, x, c.Min.Y, x, c.Max.Y)
		}
	}
	for _, v := range gridValues(p.Y) {
		if y := trY(v); y > c.Min.Y+1 && y <= c.Max.Y+0.1 {
			c.StrokeLine2(sty, c.Min.X, y, c.Max.X, y)
		}
	}
}

// gridValues returns where an axis has grid lines: nowhere between categories.
func gridValues(ax plot.Axis) []float64 {
	marker := ax.Tick.Marker
	if u, ok := marker.(unlabelled); ok {
		marker = u.Ticker
	}
	if _, ok := marker.(labelTicks); ok {
		return nil
	}
	var at []float64
	for _, t := range marker.Ticks(ax.Min, ax.Max) {
		if t.Label != "" {
			at = append(at, t.Value)
		}
	}
	return at
}

package plotx

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Default size of most figures.
const (
	defaultWidth  = 9 * vg.Inch
	defaultHeight = 4.2 * vg.Inch
)

// setAxis gives an axis the range of the data, widened by the fraction pad, and ticks.
func setAxis(ax *plot.Axis, s span, log bool, pad float64) {
	if log {
		ax.Min, ax.Max = s.paddedLog(pad)
		ax.Scale = plot.LogScale{}
		ax.Tick.Marker = logTicks{}
		return
	}
	ax.Min, ax.Max = s.padded(pad)
}

// Reference is a thin straight line across a plot.
type Reference struct {
	At   float64 // value on the axis that it crosses
	Name string  // in the legend; "" = not there
}

// referenceLine is the style of reference i.
func referenceLine(i int) draw.LineStyle {
	return draw.LineStyle{Color: noteColor, Width: 1.1, Dashes: [][]vg.Length{dotted, dashDot, dashed}[i%3]}
}

// single returns a figure of one panel.
func single(size vg.Point, title string, p *plot.Plot, keys legend) *Figure {
	return &Figure{size, &stack{title, []*panel{{plot: p, legend: keys, weight: 1}}}}
}

// plusMinus returns v − k·err and v + k·err.
func plusMinus(v, err []float64, k float64) (lo, hi []float64) {
	lo, hi = make([]float64, len(v)), make([]float64, len(v))
	for i := range v {
		lo[i], hi[i] = v[i]-k*err[i], v[i]+k*err[i]
	}
	return lo, hi
}

// scaled returns k·v, or nil for nil.
func scaled(v []float64, k float64) []float64 {
	if v == nil {
		return nil
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = k * x
	}
	return out
}

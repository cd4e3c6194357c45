package plotx

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// Lines is a plot of any series: curves, points, or both.
type Lines struct {
	Title          string
	XLabel, YLabel string // with the unit in brackets
	LogX, LogY     bool   // logarithmic axes; all values there must be > 0
	Series         []Line // at least one
	// HLines and VLines are reference values on the y and the x axis.
	HLines, VLines []Reference
	// XMin < XMax and YMin < YMax fix the ranges of the axes; both 0 = the range of the data.
	XMin, XMax float64
	YMin, YMax float64
	Size       Size // default 9 × 4.2 inch
}

// Line is one series of Lines.
type Line struct {
	Name   string    // in the legend; "" = not there
	X, Y   []float64 // of equal length, at least 1
	SE     []float64 // standard errors of Y; nil = none. A band, or bars at points, of ±2 SE
	Points bool      // points instead of a line; a single value is always a point
	Dashed bool
	Theory bool // dark, for exact values and theory; takes no series colour
	Paired bool // takes the colour of the last series that has one, as a fit to its points
}

// Figure draws the lines. It is an error if there is no series or an empty one, if
// lengths differ, or if a number is not finite (or not positive on a logarithmic axis).
func (l Lines) Figure() (*Figure, error) {
	pr := problems{figure: "Lines"}
	size := l.Size.or(&pr, defaultWidth, defaultHeight)
	xs, ys := l.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	p := newPlot(l.XLabel, l.YLabel)
	setAxis(&p.X, xs, l.LogX, 0.02)
	setAxis(&p.Y, ys, l.LogY, 0.06)
	if l.XMin != l.XMax {
		p.X.Min, p.X.Max = l.XMin, l.XMax
	}
	if l.YMin != l.YMax {
		p.Y.Min, p.Y.Max = l.YMin, l.YMax
	}
	var keys, refs legend
	for i, r := range append(l.HLines[:len(l.HLines):len(l.HLines)], l.VLines...) {
		sty := referenceLine(i)
		p.Add(refLine{r.At, i >= len(l.HLines), sty})
		if r.Name != "" {
			refs = append(refs, key{name: r.Name, line: sty})
		}
	}
	colored := 0
	for _, s := range l.Series {
		if s.Paired && colored > 0 {
			colored--
		}
		k := s.add(p, colored)
		if !s.Theory {
			colored++
		}
		if s.Name != "" {
			keys = append(keys, k)
		}
	}
	return single(size, l.Title, p, append(keys, refs...)), nil
}

// add draws the series, the i-th with a colour, and returns its legend entry.
func (s Line) add(p *plot.Plot, i int) key {
	clr, line := seriesColor(i), seriesLine(i)
	if s.Theory {
		clr, line = inkColor, draw.LineStyle{Color: inkColor, Width: 1.2}
	}
	if s.Dashed {
		line.Dashes = dashed
	}
	k := key{name: s.Name}
	if s.Points || len(s.X) == 1 {
		d := dots{s.X, s.Y, scaled(s.SE, 2), seriesShape(i), clr}
		p.Add(d)
		k.dot, k.shape = d.color, d.shape
		if s.SE != nil {
			k.err = clr
		}
		return k
	}
	if s.SE != nil {
		lo, hi := plusMinus(s.Y, s.SE, 2)
		p.Add(band{s.X, lo, hi, faded(clr, bandOpacity)})
		k.fill = faded(clr, bandOpacity)
	}
	p.Add(polyline{s.X, s.Y, line})
	k.line = line
	return k
}

// check reports all problems of the data and returns their ranges.
func (l Lines) check(pr *problems) (xs, ys span) {
	xs, ys = emptySpan(), emptySpan()
	low := func(log bool) float64 {
		if log {
			return tiny
		}
		return -limit
	}
	if len(l.Series) == 0 {
		pr.addf("no series: must have at least one")
	}
	for i, s := range l.Series {
		at := fmt.Sprintf("Series[%d].", i)
		if len(s.X) == 0 {
			pr.addf("%sX is empty: must have at least one value", at)
		}
		pr.length(at+"Y", len(s.Y), "X", len(s.X), false)
		pr.length(at+"SE", len(s.SE), "X", len(s.X), true)
		pr.values(at+"X", s.X, low(l.LogX), limit)
		pr.values(at+"Y", s.Y, low(l.LogY), limit)
		pr.values(at+"SE", s.SE, 0, limit)
		xs.add(s.X...)
		ys.add(s.Y...)
		if len(s.SE) != len(s.Y) {
			continue
		}
		for k, e := range s.SE {
			if !l.LogY || s.Y[k] > 2*e { // a log axis does not reach down to bars below 0
				ys.add(s.Y[k] - 2*e)
			}
			ys.add(s.Y[k] + 2*e)
		}
	}
	for i, r := range l.HLines {
		pr.number(fmt.Sprintf("HLines[%d].At", i), r.At, low(l.LogY), limit)
		ys.add(r.At)
	}
	for i, r := range l.VLines {
		pr.number(fmt.Sprintf("VLines[%d].At", i), r.At, low(l.LogX), limit)
		xs.add(r.At)
	}
	if l.XMin != 0 || l.XMax != 0 {
		pr.number("XMin", l.XMin, low(l.LogX), limit)
		pr.number("XMax", l.XMax, low(l.LogX), limit)
		pr.ascend("XMin, XMax", l.XMin, l.XMax)
	}
	if l.YMin != 0 || l.YMax != 0 {
		pr.number("YMin", l.YMin, low(l.LogY), limit)
		pr.number("YMax", l.YMax, low(l.LogY), limit)
		pr.ascend("YMin, YMax", l.YMin, l.YMax)
	}
	return xs, ys
}

package plotx

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// polyline draws a line through points; what lies outside the axes is cut off.
type polyline struct {
	x, y  []float64
	style draw.LineStyle
}

func (l polyline) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	pts := make([]vg.Point, len(l.x))
	for i := range pts {
		pts[i] = vg.Point{X: trX(l.x[i]), Y: trY(l.y[i])}
	}
	if last := len(pts) - 1; last >= 0 && extent(pts) < 0.5 && inside(l.x[last], p.X) && inside(l.y[last], p.Y) {
		c.SetColor(l.style.Color) // a line too short to be seen
		c.Fill(circle.path(pts[last], l.style.Width))
		return
	}
	c.StrokeLines(l.style, c.ClipLinesXY(thin(pts))...)
}

// extent returns the longer side of the box around the points.
func extent(pts []vg.Point) vg.Length {
	lo, hi := pts[0], pts[0]
	for _, q := range pts {
		lo = vg.Point{X: min(lo.X, q.X), Y: min(lo.Y, q.Y)}
		hi = vg.Point{X: max(hi.X, q.X), Y: max(hi.Y, q.Y)}
	}
	return max(hi.X-lo.X, hi.Y-lo.Y)
}

// thin leaves out points of a long line that no pixel shows: of those in one pixel
// column the first, lowest, highest and last stay. Lines that go back in x stay whole.
func thin(pts []vg.Point) []vg.Point {
	if len(pts) < 4000 {
		return pts
	}
	column := func(i int) vg.Length { return vg.Length(math.Floor(float64(pts[i].X / pixel))) }
	out := make([]vg.Point, 0, 4000)
	for i := 0; i < len(pts); {
		end, lo, hi := i, i, i
		for ; end < len(pts) && column(end) == column(i); end++ {
			if pts[end].Y < pts[lo].Y {
				lo = end
			}
			if pts[end].Y > pts[hi].Y {
				hi = end
			}
		}
		if end < len(pts) && pts[end].X < pts[i].X {
			return pts
		}
		last := -1
		for _, k := range []int{i, min(lo, hi), max(lo, hi), end - 1} {
			if k != last {
				out = append(out, pts[k])
				last = k
			}
		}
		i = end
	}
	return out
}

// band fills the area between lo and hi, cut off at the axes.
type band struct {
	x, lo, hi []float64
	fill      color.Color
}

func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	n := len(b.x)
	pts := make([]vg.Point, 2*n)
	for i, x := range b.x {
		pts[i] = vg.Point{X: trX(x), Y: trY(within(b.lo[i], p.Y))}
		pts[2*n-1-i] = vg.Point{X: trX(x), Y: trY(within(b.hi[i], p.Y))}
	}
	c.FillPolygon(b.fill, c.ClipPolygonXY(pts))
}

// within returns v moved into the range of the axis.
func within(v float64, ax plot.Axis) float64 { return min(max(v, ax.Min), ax.Max) }

// inside reports whether v is in the range of the axis.
func inside(v float64, ax plot.Axis) bool { return v >= ax.Min && v <= ax.Max }

// shape is the form of a data point; series differ in it as well as in colour.
type shape int

const (
	circle shape = iota
	square
	triangle
	diamond
	shapeCount
)

func seriesShape(i int) shape { return shape(i % int(shapeCount)) }

// path returns the outline of the shape around pt, of about equal area for equal r.
func (s shape) path(pt vg.Point, r vg.Length) vg.Path {
	var corners []vg.Point
	switch s {
	case square:
		a := 0.89 * r
		return box(pt.X-a, pt.Y-a, pt.X+a, pt.Y+a)
	case triangle:
		corners = []vg.Point{{X: -1.2 * r, Y: -0.75 * r}, {X: 1.2 * r, Y: -0.75 * r}, {Y: 1.3 * r}}
	case diamond:
		corners = []vg.Point{{X: -1.3 * r}, {Y: -1.3 * r}, {X: 1.3 * r}, {Y: 1.3 * r}}
	default:
		var p vg.Path
		k := 0.5523 * r // control points of four cubics that make a circle
		p.Move(pt.Add(vg.Point{X: r}))
		p.CubeTo(pt.Add(vg.Point{X: r, Y: k}), pt.Add(vg.Point{X: k, Y: r}), pt.Add(vg.Point{Y: r}))
		p.CubeTo(pt.Add(vg.Point{X: -k, Y: r}), pt.Add(vg.Point{X: -r, Y: k}), pt.Add(vg.Point{X: -r}))
		p.CubeTo(pt.Add(vg.Point{X: -r, Y: -k}), pt.Add(vg.Point{X: -k, Y: -r}), pt.Add(vg.Point{Y: -r}))
		p.CubeTo(pt.Add(vg.Point{X: k, Y: -r}), pt.Add(vg.Point{X: r, Y: -k}), pt.Add(vg.Point{X: r}))
		p.Close()
		return p
	}
	var p vg.Path
	p.Move(pt.Add(corners[0]))
	for _, q := range corners[1:] {
		p.Line(pt.Add(q))
	}
	p.Close()
	return p
}

// drawDot draws a filled shape with a white rim, which parts it from what it covers.
func drawDot(c draw.Canvas, s shape, clr color.Color, pt vg.Point) {
	outline := s.path(pt, dotSize)
	c.SetLineStyle(draw.LineStyle{Color: color.White, Width: 1.2})
	c.Stroke(outline)
	c.SetColor(clr)
	c.Fill(outline)
}

// dots draws points, with vertical error bars of half-length err if it is not nil.
type dots struct {
	x, y, err []float64
	shape     shape
	color     color.NRGBA
}

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	if d.err != nil {
		for i, x := range d.x {
			if inside(x, p.X) {
				drawError(c, p, d.color, trX(x), d.y[i]-d.err[i], d.y[i]+d.err[i])
			}
		}
	}
	for i, x := range d.x {
		if inside(x, p.X) && inside(d.y[i], p.Y) {
			drawDot(c, d.shape, d.color, vg.Point{X: trX(x), Y: trY(d.y[i])})
		}
	}
}

// drawError draws a vertical error bar from lo to hi at x, cut off at the axes; a cap
// marks each end that is inside.
func drawError(c draw.Canvas, p *plot.Plot, clr color.Color, x vg.Length, lo, hi float64) {
	if hi < p.Y.Min || lo > p.Y.Max {
		return
	}
	_, trY := p.Transforms(&c)
	y0, y1 := trY(within(lo, p.Y)), trY(within(hi, p.Y))
	sty := draw.LineStyle{Color: clr, Width: 1}
	c.StrokeLine2(sty, x, y0, x, y1)
	const arm = vg.Length(2)
	if lo >= p.Y.Min {
		c.StrokeLine2(sty, x-arm, y0, x+arm, y0)
	}
	if hi <= p.Y.Max {
		c.StrokeLine2(sty, x-arm, y1, x+arm, y1)
	}
}

// refLine draws a straight line across the panel at a value of the y axis, or of the x
// axis if vertical.
type refLine struct {
	at       float64
	vertical bool
	style    draw.LineStyle
}

func (r refLine) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	switch {
	case r.vertical && inside(r.at, p.X):
		c.StrokeLine2(r.style, trX(r.at), c.Min.Y, trX(r.at), c.Max.Y)
	case !r.vertical && inside(r.at, p.Y):
		c.StrokeLine2(r.style, c.Min.X, trY(r.at), c.Max.X, trY(r.at))
	}
}

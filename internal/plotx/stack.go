package plotx

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panel is one plot with its legend.
type panel struct {
	plot   *plot.Plot
	legend legend
	weight float64   // share of the height of the stack's data areas
	foot   vg.Length // space reserved under the x axis for over
	side   vg.Length // space reserved at the right for over
	// over draws more, given the data area; nil = nothing.
	over func(data draw.Canvas, p *plot.Plot)
}

// stack is a column of panels with a common title. Their data areas have the same left
// and right edges, so that they can share the x axis.
type stack struct {
	title  string
	panels []*panel
}

const (
	titleHeight = vg.Length(17) // of one line
	headGap     = vg.Length(5)  // legend or title to data
)

// titleRoom returns the height of a title wrapped to width.
func titleRoom(title string, width vg.Length) vg.Length {
	return titleHeight * vg.Length(len(wrap(boldStyle(titleSize), title, width)))
}

// drawTitle writes a title at the top of c from x on, and returns where it ends.
func drawTitle(c draw.Canvas, title string, x, width vg.Length) (y vg.Length) {
	y = c.Max.Y
	for _, line := range wrap(boldStyle(titleSize), title, width) {
		sty := boldStyle(titleSize)
		line = fit(&sty, line, width) // a single word may be too long
		c.FillText(sty, vg.Point{X: x, Y: y - titleHeight/2}, line)
		y -= titleHeight
	}
	return y
}

// head returns the height of title and legend above panel i.
func (s *stack) head(i int, width vg.Length) vg.Length {
	h := s.panels[i].legend.height(width)
	if i == 0 {
		h += titleRoom(s.title, width)
	}
	if h > 0 {
		h += headGap
	}
	return h
}

// labelRoom is the space for the label of an axis, beyond its tick labels.
const labelRoom = labelSize * 1.6

// bare returns a copy of the plot with ticks that suit a data area of the given size,
// without axis labels, and the labels. Gonum takes the label of a logarithmic axis to be
// at its right end, and leaves room for it there.
func (p *panel) bare(size vg.Point) (q plot.Plot, xlabel, ylabel string) {
	q = *p.plot
	xlabel, ylabel = q.X.Label.Text, q.Y.Label.Text
	q.X.Label.Text, q.Y.Label.Text = "", ""
	fitTicks(&q.X, size.X, 50, 50, q.X.Tick.Label.Width)
	fitTicks(&q.Y, size.Y, 32, 24, func(string) vg.Length { return tickSize })
	fitRows(&q.Y, size.Y)
	return q, xlabel, ylabel
}

// fitTicks sets how many ticks a linear or logarithmic axis of the given length has: one
// every so many points, fewer if labels of the size given would come too close.
func fitTicks(ax *plot.Axis, length, linear, log vg.Length, size func(string) vg.Length) {
	for f := vg.Length(1); f < 20; f *= 1.2 {
		ax.Tick.Marker = withTicks(ax.Tick.Marker, int(length/(f*linear)+0.5), int(length/(f*log)+0.5))
		if !crowded(*ax, length, size) {
			return
		}
	}
}

// crowded reports whether labels of numbers come too close on an axis.
func crowded(ax plot.Axis, length vg.Length, size func(string) vg.Length) bool {
	marker := ax.Tick.Marker
	if u, ok := marker.(unlabelled); ok { // has the ticks of the panel below
		marker = u.Ticker
	}
	if _, ok := marker.(labelTicks); ok {
		return false
	}
	end := vg.Length(math.Inf(-1))
	for _, t := range marker.Ticks(ax.Min, ax.Max) {
		if t.Label == "" {
			continue
		}
		at, half := length*vg.Length(ax.Norm(t.Value)), size(t.Label)/2
		if at-half < end+3 {
			return true
		}
		end = at + half
	}
	return false
}

// withTicks returns the ticker with the wanted number of ticks on a linear or on a
// logarithmic axis.
func withTicks(t plot.Ticker, linear, log int) plot.Ticker {
	switch t := t.(type) {
	case linearTicks:
		return linearTicks{linear}
	case logTicks:
		return logTicks{log}
	case unlabelled:
		return unlabelled{withTicks(t.Ticker, linear, log)}
	}
	return t
}

// axes returns the space that the axes of a panel need around a data area of the given
// size.
func (p *panel) axes(size vg.Point) margins {
	q, xlabel, ylabel := p.bare(size)
	w := whole(&q, vg.Rectangle{Max: size})
	m := margins{
		left:   -w.Min.X,
		right:  w.Max.X - size.X + p.side,
		top:    w.Max.Y - size.Y,
		bottom: -w.Min.Y + p.foot,
	}
	if xlabel != "" {
		m.bottom += labelRoom
	}
	if ylabel != "" {
		m.left += labelRoom
	}
	return m
}

// whole returns the area that gonum must be given to choose data as the data area. What
// it adds hardly depends on the size, so this converges at once.
func whole(p *plot.Plot, data vg.Rectangle) vg.Rectangle {
	c := draw.Canvas{Rectangle: vg.Rectangle{
		Min: data.Min.Sub(vg.Point{X: 2 * longest, Y: 100}),
		Max: data.Max.Add(vg.Point{X: 100, Y: 100}),
	}}
	for range 4 {
		d := p.DataCanvas(c)
		c.Min = c.Min.Add(data.Min.Sub(d.Min))
		c.Max = c.Max.Add(data.Max.Sub(d.Max))
	}
	return c.Rectangle
}

// layout is where the parts of a stack are.
type layout struct {
	margins           // around the data areas together
	label   vg.Length // from the labels of the y axes to the data areas
	width   vg.Length // of titles and legends
	data    []vg.Rectangle
	legends []vg.Length // upper edges
}

// layout places the panels on c, with at least the margins m. What the axes need depends
// on the sizes of the data areas, which depend on it: a few rounds settle both.
func (s *stack) layout(c draw.Canvas, m margins) layout {
	n := len(s.panels)
	var l layout
	l.data, l.legends = make([]vg.Rectangle, n), make([]vg.Length, n)
	for i := range l.data {
		l.data[i] = c.Rectangle
	}
	for range 3 {
		axes := make([]margins, n)
		l.margins, l.label = m, 0
		for i, p := range s.panels {
			axes[i] = p.axes(l.data[i].Size())
			l.left, l.right = max(l.left, axes[i].left), max(l.right, axes[i].right)
			l.label = max(l.label, axes[i].left)
		}
		l.width = c.Size().X - l.left
		free, weights := c.Size().Y-panelGap*vg.Length(n-1), 0.0
		for i, p := range s.panels {
			axes[i].top += s.head(i, l.width)
			if i == 0 {
				axes[i].top = max(axes[i].top, m.top)
				l.top = axes[i].top
			}
			if i == n-1 {
				axes[i].bottom = max(axes[i].bottom, m.bottom)
				l.bottom = axes[i].bottom
			}
			free -= axes[i].top + axes[i].bottom
			weights += p.weight
		}
		y := c.Max.Y
		for i, p := range s.panels {
			l.legends[i] = y
			if i == 0 {
				l.legends[i] -= titleRoom(s.title, l.width)
			}
			height := max(free*vg.Length(p.weight/weights), 1)
			y -= axes[i].top + height
			l.data[i] = vg.Rectangle{
				Min: vg.Point{X: c.Min.X + l.left, Y: y},
				Max: vg.Point{X: max(c.Max.X-l.right, c.Min.X+l.left+1), Y: y + height},
			}
			y -= axes[i].bottom + panelGap
		}
	}
	return l
}

func (s *stack) margins(c draw.Canvas) margins { return s.layout(c, margins{}).margins }

func (s *stack) draw(c draw.Canvas, m margins) {
	l := s.layout(c, m)
	drawTitle(c, s.title, c.Min.X+l.left, l.width)
	for i, p := range s.panels {
		p.legend.draw(c, c.Min.X+l.left, l.legends[i], l.width)
		p.draw(c, l.data[i], l.label)
	}
}

// draw draws the panel with its data area at the given place, and the label of the y
// axis at the given distance left of it.
func (p *panel) draw(c draw.Canvas, data vg.Rectangle, label vg.Length) {
	q, xlabel, ylabel := p.bare(data.Size())
	w := whole(&q, data)
	q.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: w})
	mid := vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: (data.Min.Y + data.Max.Y) / 2}
	drawLabel(c, xlabel, vg.Point{X: mid.X, Y: w.Min.Y - p.foot - labelRoom/2}, data.Size().X, 0)
	drawLabel(c, ylabel, vg.Point{X: data.Min.X - label + labelSize/2, Y: mid.Y}, data.Size().Y, math.Pi/2)
	if p.over != nil {
		p.over(draw.Canvas{Canvas: c.Canvas, Rectangle: data}, &q)
	}
}

// drawLabel writes the label of an axis around pt, smaller if the axis is shorter.
func drawLabel(c draw.Canvas, label string, pt vg.Point, room vg.Length, rotation float64) {
	sty := textStyle(labelSize, inkColor)
	sty.XAlign, sty.Rotation = text.XCenter, rotation
	label = fit(&sty, label, room)
	c.FillText(sty, pt, label)
}

// longest is the most room for a name left of an axis; longer ones are cut.
const longest = 170

// fitRows suits names on a vertical axis to the height of its rows: they shrink, and
// if that is not enough, or if they are just numbers, some are left out.
func fitRows(ax *plot.Axis, height vg.Length) {
	names, ok := ax.Tick.Marker.(labelTicks)
	if !ok {
		return
	}
	row := max(height/vg.Length(ax.Max-ax.Min), 0.01)
	size := &ax.Tick.Label.Font.Size
	if !names.numbers {
		*size = min(*size, max(row, smallest))
	}
	names.names = slices.Clone(names.names)
	for i, s := range names.names {
		names.names[i] = cut(ax.Tick.Label, s, longest)
	}
	names.every = 1
	for row*vg.Length(names.every) < *size {
		names.every = nextNice(names.every)
	}
	ax.Tick.Marker = names
}

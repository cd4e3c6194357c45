package plotx

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Heat shows a matrix, such as weights, as coloured cells, row 0 on top, with a colour
// bar. Cells are square unless the matrix is very long.
type Heat struct {
	Title                string
	Values               [][]float64 // rows of equal length, at least 1 × 1
	RowLabels, ColLabels []string    // nil = indices
	XLabel, YLabel       string      // of the columns and the rows
	BarLabel             string      // of the colour bar, with the unit in brackets
	Colors               Colors
	// Min < Max is the range of the colours; values outside take the colour of the end.
	// Both 0 = the range of the data, symmetric about 0 with diverging colours.
	Min, Max float64
	Size     Size // default: as large as the cells need, at most 9 inch wide
}

// Figure draws the matrix. It is an error if it is empty, if rows or labels differ in
// length, or if a number is not finite.
func (h Heat) Figure() (*Figure, error) {
	pr := problems{figure: "Heat"}
	h.Size.or(&pr, 0, 0)
	h.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	b := &heat{Heat: h, rows: len(h.Values), cols: len(h.Values[0])}
	data := emptySpan()
	for _, row := range h.Values {
		data.add(row...)
		b.flat = append(b.flat, row...)
	}
	if h.Colors == AutoColors {
		h.Colors = Sequential
		if data.lo < 0 {
			h.Colors = Diverging
		}
	}
	b.scale = newScale(h.Colors, data, h.Min, h.Max)
	b.columns = indexed(h.ColLabels, b.cols)
	return &Figure{h.Size.or(&pr, b.size().X, b.size().Y), b}, nil
}

// check reports all problems of the data.
func (h Heat) check(pr *problems) {
	rows, cols := len(h.Values), 0
	if rows > 0 {
		cols = len(h.Values[0])
	}
	if rows == 0 || cols == 0 {
		pr.addf("no values: must have at least one row and one column")
	}
	if rows > maxCells || cols > maxCells {
		pr.addf("%d × %d values: must be at most %d each way", rows, cols, maxCells)
	}
	for i, row := range h.Values {
		pr.length(fmt.Sprintf("Values[%d]", i), len(row), "Values[0]", cols, false)
		pr.values(fmt.Sprintf("Values[%d]", i), row, -limit, limit)
	}
	pr.length("RowLabels", len(h.RowLabels), "rows", rows, true)
	pr.length("ColLabels", len(h.ColLabels), "columns", cols, true)
	h.Colors.check(pr, h.Min, h.Max)
}

// maxCells is the most cells of a heat map in one direction.
const maxCells = 2000

// heat lays out a Heat for the canvas it is given.
type heat struct {
	Heat
	rows, cols int
	flat       []float64 // all values, row by row
	scale      scale
	columns    labelTicks
}

const (
	barGap   = vg.Length(10) // heat map to colour bar
	barWidth = vg.Length(10)
)

// area returns the largest size of the matrix in the given room: cells are square, but
// a matrix more than four times as long as wide gets longer cells.
func (h *heat) area(room vg.Point) vg.Point {
	aspect := min(max(vg.Length(h.cols)/vg.Length(h.rows), 0.25), 4)
	w := max(min(room.X, room.Y*aspect), 1)
	return vg.Point{X: w, Y: w / aspect}
}

// size returns a size that suits the number of cells.
func (h *heat) size() vg.Point {
	side := max(36*vg.Length(max(h.rows, h.cols)), 110) // cells of half an inch, if there is room
	area := h.area(vg.Point{X: min(side, 500), Y: min(side, 340)})
	probe := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: defaultWidth, Y: defaultHeight}}}
	s := h.stack(area)
	m := s.margins(probe)
	probe.Max.X = min(max(area.X+m.left+m.right, 3*vg.Inch), defaultWidth)
	m = s.margins(probe) // the title may wrap
	return vg.Point{X: probe.Max.X + 2*outerPad, Y: area.Y + m.top + m.bottom + 2*outerPad}
}

// fitted returns the stack for a canvas like c. The room for column labels depends on
// the width of a cell, which depends on it: a few rounds settle both.
func (h *heat) fitted(c draw.Canvas) *stack {
	s := h.stack(h.area(c.Size()))
	for range 3 {
		s = h.stack(h.area(s.margins(c).inner(c).Size()))
	}
	return s
}

func (h *heat) margins(c draw.Canvas) margins { return h.fitted(c).margins(c) }

// draw draws the map in the upper left of the room it has.
func (h *heat) draw(c draw.Canvas, m margins) {
	s := h.fitted(c)
	m = m.widest(s.margins(c))
	room := m.inner(c).Size()
	area := h.area(room)
	m.right += room.X - area.X
	m.bottom += room.Y - area.Y
	s.draw(c, m)
}

// stack returns the figure with room for the labels of a matrix of the given size.
func (h *heat) stack(area vg.Point) *stack {
	p := newPlot("", h.YLabel)
	p.X.Min, p.X.Max = -0.5, float64(h.cols)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(h.rows)-0.5
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.X.Tick.Marker, p.X.Tick.Length, p.X.Width = plot.ConstantTicks(nil), 0, 0
	p.Y.Tick.Length, p.Y.Width = 0, 0
	p.Y.Tick.Marker = indexed(h.RowLabels, h.rows)
	foot, turned := h.columnRoom(area.X / vg.Length(h.cols))
	pn := &panel{plot: p, weight: 1, foot: foot, side: h.barRoom(area.Y)}
	if h.XLabel != "" {
		pn.foot += labelRoom
	}
	pn.over = func(c draw.Canvas, _ *plot.Plot) {
		c.DrawImage(c.Rectangle, h.scale.image(h.flat, h.cols))
		frame(c)
		h.drawColumns(c, turned)
		drawLabel(c, h.XLabel, vg.Point{X: c.Center().X, Y: c.Min.Y - foot - labelRoom/2}, c.Size().X, 0)
		h.drawBar(c)
	}
	return &stack{h.Title, []*panel{pn}}
}

// frame draws a thin line around c.
func frame(c draw.Canvas) {
	c.SetLineStyle(draw.LineStyle{Color: axisColor, Width: 0.5})
	c.Stroke(box(c.Min.X, c.Min.Y, c.Max.X, c.Max.Y))
}

// longestColumn is the most room for a name under a column; longer ones are cut.
const longestColumn = 110

// columnRoom returns the height of the labels of columns of the given width, and whether
// they have to be turned by a quarter.
func (h *heat) columnRoom(width vg.Length) (room vg.Length, turned bool) {
	sty := textStyle(tickSize, inkColor)
	var widest vg.Length
	for _, l := range h.columns.names {
		widest = max(widest, sty.Width(cut(sty, l, longestColumn)))
	}
	if widest+3 <= width || h.columns.numbers {
		return tickSize + 6, false
	}
	return widest + 6, true
}

// drawColumns writes the column labels, every k-th where there is no room for all.
func (h *heat) drawColumns(c draw.Canvas, turned bool) {
	cell := max(c.Size().X/vg.Length(h.cols), 0.01)
	sty := textStyle(tickSize, inkColor)
	sty.XAlign = text.XCenter
	y, need := c.Min.Y-4-tickSize*0.4, vg.Length(0)
	for _, l := range h.columns.names {
		need = max(need, sty.Width(l)+3)
	}
	if turned {
		sty.Rotation, sty.XAlign = math.Pi/2, text.XRight
		sty.Font.Size = min(tickSize, max(cell, smallest))
		y, need = c.Min.Y-4, sty.Font.Size
	}
	every := 1
	for vg.Length(every)*cell < need {
		every = nextNice(every)
	}
	for i := 0; i < h.cols; i += every {
		c.FillText(sty, vg.Point{X: c.Min.X + cell*(vg.Length(i)+0.5), Y: y}, cut(sty, h.columns.names[i], longestColumn))
	}
}

// ticks returns the ticks of a colour bar of the given height.
func (h *heat) ticks(height vg.Length) []plot.Tick {
	return linearTicks{min(int(height/30), 5)}.Ticks(h.scale.lo, h.scale.hi)
}

// barRoom returns the width of a colour bar of the given height with its labels.
func (h *heat) barRoom(height vg.Length) vg.Length {
	sty := textStyle(tickSize, inkColor)
	room := barGap + barWidth
	for _, t := range h.ticks(height) {
		room = max(room, barGap+barWidth+6+sty.Width(t.Label))
	}
	if h.BarLabel != "" {
		room += labelRoom
	}
	return room
}

// drawBar draws the colour bar to the right of the heat map c.
func (h *heat) drawBar(c draw.Canvas) {
	const shades = 128
	ramp := make([]float64, shades)
	for i := range ramp {
		ramp[i] = h.scale.hi + (h.scale.lo-h.scale.hi)*(float64(i)+0.5)/shades
	}
	bar := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: c.Max.X + barGap, Y: c.Min.Y},
		Max: vg.Point{X: c.Max.X + barGap + barWidth, Y: c.Max.Y},
	}}
	bar.DrawImage(bar.Rectangle, h.scale.image(ramp, 1))
	frame(bar)
	sty := textStyle(tickSize, inkColor)
	for _, t := range h.ticks(c.Size().Y) {
		y := bar.Y((t.Value - h.scale.lo) / (h.scale.hi - h.scale.lo))
		c.StrokeLine2(draw.LineStyle{Color: axisColor, Width: thinLine}, bar.Max.X, y, bar.Max.X+3, y)
		c.FillText(sty, vg.Point{X: bar.Max.X + 6, Y: y}, t.Label)
	}
	x := c.Max.X + h.barRoom(c.Size().Y) - labelRoom/2
	drawLabel(c, h.BarLabel, vg.Point{X: x, Y: c.Center().Y}, c.Size().Y, math.Pi/2)
}

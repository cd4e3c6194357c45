package plotx

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Tiles puts figures side by side. Data areas of a row share their top and bottom, those
// of a column their left and right, where the kinds of figure allow it.
type Tiles struct {
	Figures []*Figure // row by row; at least one
	Cols    int       // figures in a row; 0 = 2
	Letters bool      // marks the figures a, b, c, …
	Size    Size      // default 9 inch wide, rows lower than single figures
}

// Figure draws the tiles; their titles are those of the figures. It is an error if there
// are none, if one is nil, or if there is no room for Cols of them.
func (t Tiles) Figure() (*Figure, error) {
	pr := problems{figure: "Tiles"}
	if t.Cols == 0 {
		t.Cols = 2
	}
	if t.Cols < 1 || t.Cols > 6 {
		pr.addf("Cols = %d: must be in [0, 6]", t.Cols)
	}
	if len(t.Figures) == 0 || len(t.Figures) > 26 {
		pr.addf("%d figures: must be 1 to 26", len(t.Figures))
	}
	for i, f := range t.Figures {
		if f == nil {
			pr.addf("Figures[%d] is nil", i)
		}
	}
	t.Size.or(&pr, 0, 0)
	if err := pr.err(); err != nil {
		return nil, err
	}

	t.Cols = min(t.Cols, len(t.Figures))
	b := &tiles{Tiles: t}
	shrink := []vg.Length{1, 0.7, 0.6, 0.5, 0.4, 0.4}[t.Cols-1]
	height := tileGap * vg.Length(b.rows()-1)
	for i := range b.rows() {
		var h vg.Length
		for _, f := range b.row(i) {
			h = max(h, b.height(f, shrink))
		}
		b.heights = append(b.heights, h)
		height += h
	}
	return &Figure{t.Size.or(&pr, defaultWidth, min(height, maxSide*vg.Inch)), b}, nil
}

// tiles draws Tiles on the canvas it is given.
type tiles struct {
	Tiles
	heights []vg.Length // preferred heights of the rows
}

const tileGap = vg.Length(16)

func (t *tiles) rows() int { return (len(t.Figures) + t.Cols - 1) / t.Cols }

func (t *tiles) row(i int) []*Figure {
	return t.Figures[i*t.Cols : min((i+1)*t.Cols, len(t.Figures))]
}

// height returns a height for f in a tile: titles and axes need what they need there, and
// the data area is lower by the given factor.
func (t *tiles) height(f *Figure, factor vg.Length) vg.Length {
	alone := draw.Canvas{Rectangle: vg.Rectangle{Max: f.size}}
	tile := alone
	tile.Max.X = (defaultWidth - 2*outerPad - tileGap*vg.Length(t.Cols-1)) / vg.Length(t.Cols)
	m, n := f.body.margins(alone), f.body.margins(tile)
	return (f.size.Y-m.top-m.bottom)*factor + n.top + n.bottom
}

// canvas returns the canvas of figure i.
func (t *tiles) canvas(c draw.Canvas, i int) draw.Canvas {
	size := c.Size()
	w := (size.X - tileGap*vg.Length(t.Cols-1)) / vg.Length(t.Cols)
	var sum, above vg.Length
	for r, h := range t.heights {
		sum += h
		if r < i/t.Cols {
			above += h
		}
	}
	unit := (size.Y - tileGap*vg.Length(t.rows()-1)) / sum
	x := c.Min.X + vg.Length(i%t.Cols)*(w+tileGap)
	y := c.Max.Y - above*unit - tileGap*vg.Length(i/t.Cols)
	return draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: x, Y: y - t.heights[i/t.Cols]*unit},
		Max: vg.Point{X: x + w, Y: y},
	}}
}

// margins is 0: every tile has its own.
func (t *tiles) margins(draw.Canvas) margins { return margins{} }

func (t *tiles) draw(c draw.Canvas, m margins) {
	c = m.inner(c)
	cols, rows := make([]margins, t.Cols), make([]margins, t.rows())
	for i, f := range t.Figures {
		own := f.body.margins(t.canvas(c, i))
		if t.Letters {
			own.left = max(own.left, titleSize*1.4)
		}
		cols[i%t.Cols] = cols[i%t.Cols].widest(own)
		rows[i/t.Cols] = rows[i/t.Cols].widest(own)
	}
	for i, f := range t.Figures {
		at := t.canvas(c, i)
		col, row := cols[i%t.Cols], rows[i/t.Cols]
		f.body.draw(at, margins{left: col.left, right: col.right, top: row.top, bottom: row.bottom})
		if t.Letters {
			c.FillText(boldStyle(titleSize), vg.Point{X: at.Min.X, Y: at.Max.Y - titleHeight/2}, string(rune('a'+i)))
		}
	}
}

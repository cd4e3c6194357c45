package plotx

import (
	"fmt"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ImageGrid shows images of equal shape in rows, such as samples from a network.
type ImageGrid struct {
	Title     string
	Images    [][]float64 // pixels of each image, row by row from the top left
	Rows      int         // pixel rows of an image
	Cols      int         // pixel columns of an image
	PerRow    int         // images in a row of the grid; 0 = 10
	Labels    []string    // above the images; nil = none
	RowLabels []string    // left of the rows of the grid; nil = none
	Colors    Colors
	// Min < Max is the range of the colours; values outside take the colour of the end.
	// Both 0 = [0, 1] if all values are in it, otherwise the range of the data.
	Min, Max float64
	Size     Size // default: images of about 0.8 inch, smaller if there are many in a row
}

// Figure draws the images. It is an error if there are none, if their lengths are not
// Rows·Cols, if there are not as many labels as images or rows, or if a number is not
// finite.
func (g ImageGrid) Figure() (*Figure, error) {
	pr := problems{figure: "ImageGrid"}
	if g.PerRow == 0 {
		g.PerRow = 10
	}
	g.Size.or(&pr, 0, 0)
	data := g.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	g.PerRow = min(g.PerRow, len(g.Images))
	if g.Colors == AutoColors {
		g.Colors = Grey
	}
	if g.Min == g.Max && g.Colors != Diverging && data.lo >= 0 && data.hi <= 1 {
		g.Max = 1
	}
	b := &imageGrid{g, newScale(g.Colors, data, g.Min, g.Max)}
	s := b.size()
	s = g.Size.or(&pr, s.X, s.Y)
	c := draw.Canvas{Rectangle: vg.Rectangle{Max: s}}
	if in := b.margins(c).inner(c).Size().Sub(b.gaps()); in.X < 0.1*s.X || in.Y < 0.1*s.Y {
		pr.addf("no room for %d images, %d in a row, on %.1f × %.1f inch", len(g.Images), g.PerRow, s.X/vg.Inch, s.Y/vg.Inch)
	}
	if err := pr.err(); err != nil {
		return nil, err
	}
	return &Figure{s, b}, nil
}

// gridRows returns the number of rows of the grid.
func (g ImageGrid) gridRows() int { return (len(g.Images) + g.PerRow - 1) / g.PerRow }

// check reports all problems of the data and returns the range of pixels.
func (g ImageGrid) check(pr *problems) span {
	data := emptySpan()
	if len(g.Images) == 0 {
		pr.addf("no images: must have at least one")
	}
	if g.Rows < 1 || g.Cols < 1 || g.Rows > maxCells || g.Cols > maxCells {
		pr.addf("Rows, Cols = %d, %d: must be in [1, %d]", g.Rows, g.Cols, maxCells)
	}
	if g.PerRow < 1 || g.PerRow > 100 {
		pr.addf("PerRow = %d: must be in [0, 100]", g.PerRow)
		return data
	}
	for i, img := range g.Images {
		if len(img) != g.Rows*g.Cols {
			pr.addf("Images[%d] has %d pixels: must have Rows·Cols = %d", i, len(img), g.Rows*g.Cols)
		}
		pr.values(fmt.Sprintf("Images[%d]", i), img, -limit, limit)
		data.add(img...)
	}
	pr.length("Labels", len(g.Labels), "Images", len(g.Images), true)
	pr.length("RowLabels", len(g.RowLabels), "rows of images", g.gridRows(), true)
	g.Colors.check(pr, g.Min, g.Max)
	return data
}

// imageGrid lays out an ImageGrid for the canvas it is given.
type imageGrid struct {
	ImageGrid
	scale scale
}

const (
	imageGap    = vg.Length(6)
	imageLabel  = vg.Length(13) // height of a label above an image
	imageSide   = vg.Length(58) // preferred side of an image
	rowLabelGap = vg.Length(8)
)

// gaps returns the room in the grid that is not images.
func (g *imageGrid) gaps() vg.Point {
	p := vg.Point{
		X: imageGap * vg.Length(g.PerRow-1),
		Y: imageGap * vg.Length(g.gridRows()-1),
	}
	if g.Labels != nil {
		p.Y += imageLabel * vg.Length(g.gridRows())
	}
	return p
}

// zoom returns the side of an image pixel so that the grid fits into the room: whole
// device pixels if it can be.
func (g *imageGrid) zoom(room vg.Point) vg.Length {
	free := room.Sub(g.gaps())
	side := min(free.X/vg.Length(g.PerRow*g.Cols), free.Y/vg.Length(g.gridRows()*g.Rows))
	if side >= pixel {
		return pixel * vg.Length(int(side/pixel+1e-6))
	}
	return max(side, pixel/100)
}

// size returns the size for images of about imageSide, as many as fit.
func (g *imageGrid) size() vg.Point {
	longer := vg.Length(max(g.Rows, g.Cols))
	probe := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: defaultWidth - 2*outerPad, Y: maxSide * vg.Inch}}}
	m := g.margins(probe)
	in := m.inner(probe).Size()
	want := vg.Point{ // room for images of the preferred side
		X: imageSide / longer * vg.Length(g.Cols*g.PerRow),
		Y: imageSide / longer * vg.Length(g.Rows*g.gridRows()),
	}.Add(g.gaps())
	side := max(g.zoom(vg.Point{X: min(in.X, want.X), Y: min(in.Y, want.Y)}), min(pixel, g.zoom(in)))
	grid := vg.Point{X: side * vg.Length(g.Cols*g.PerRow), Y: side * vg.Length(g.Rows*g.gridRows())}.Add(g.gaps())
	probe.Max.X = max(grid.X+m.left+m.right, 2.5*vg.Inch)
	m = g.margins(probe) // the title may wrap
	return vg.Point{X: probe.Max.X + 2*outerPad + pixel, Y: grid.Y + m.top + m.bottom + 2*outerPad + pixel}
}

func (g *imageGrid) margins(c draw.Canvas) margins {
	var m margins
	sty := textStyle(tickSize+0.5, inkColor)
	for _, l := range g.RowLabels {
		m.left = max(m.left, sty.Width(cut(sty, l, longest))+rowLabelGap)
	}
	if m.top = titleRoom(g.Title, c.Size().X-m.left); m.top > 0 {
		m.top += headGap
	}
	return m
}

func (g *imageGrid) draw(c draw.Canvas, m margins) {
	m = m.widest(g.margins(c))
	in := m.inner(c)
	side := g.zoom(in.Size())
	drawTitle(c, g.Title, in.Min.X, c.Max.X-in.Min.X)
	w, h := side*vg.Length(g.Cols), side*vg.Length(g.Rows)
	name := textStyle(tickSize, inkColor)
	name.XAlign = text.XCenter
	rowName := textStyle(tickSize+0.5, inkColor)
	rowName.XAlign = text.XRight
	y := in.Max.Y
	for i, img := range g.Images {
		col := i % g.PerRow
		if col == 0 {
			if i > 0 {
				y -= h + imageGap
			}
			if g.Labels != nil {
				y -= imageLabel
			}
			if g.RowLabels != nil {
				c.FillText(rowName, vg.Point{X: in.Min.X - rowLabelGap, Y: y - h/2}, cut(rowName, g.RowLabels[i/g.PerRow], longest))
			}
		}
		at := draw.Canvas{Canvas: c.Canvas}
		at.Min = onGrid(vg.Point{X: in.Min.X + vg.Length(col)*(w+imageGap), Y: y - h})
		at.Max = at.Min.Add(vg.Point{X: w, Y: h})
		at.DrawImage(at.Rectangle, g.scale.image(img, g.Cols))
		at.SetLineStyle(draw.LineStyle{Color: noteColor, Width: 0.4})
		at.Stroke(box(at.Min.X, at.Min.Y, at.Max.X, at.Max.Y))
		if g.Labels != nil {
			sty := name
			s := fit(&sty, g.Labels[i], w+imageGap-2)
			c.FillText(sty, vg.Point{X: at.Center().X, Y: at.Max.Y + imageLabel/2 - 0.5}, s)
		}
	}
}

// onGrid moves a point to the corner of a device pixel, so that images are sharp.
func onGrid(p vg.Point) vg.Point {
	return vg.Point{X: pixel * vg.Length(int(p.X/pixel)), Y: pixel * vg.Length(int(p.Y/pixel))}
}

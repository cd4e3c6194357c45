package plotx

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"regexp"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dpi is the resolution of a PNG: two pixels per point of a README shown at half size.
const dpi = 200

// pixel is the side of one PNG pixel.
const pixel = vg.Inch / dpi

// backend is a canvas for one file format.
type backend interface {
	vg.CanvasSizer
	encode(w io.Writer) error
}

// newBackend returns an empty canvas; the format must be one of formats.
func newBackend(format string, w, h vg.Length) backend {
	switch format {
	case "svg":
		return &svgCanvas{Canvas: vgsvg.New(w, h)}
	case "pdf":
		return pdfCanvas{vgpdf.New(w, h)}
	}
	return &pngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))}
}

// pngCanvas draws text as outlines, as gg blurs rotated text, and images without
// interpolation.
type pngCanvas struct {
	*vgimg.Canvas
	dashed bool // lines are not solid
}

func (c *pngCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.dashed = len(pattern) > 0
	c.Canvas.SetLineDash(pattern, offset)
}

// Stroke draws long lines in pieces: gg's time grows with the square of what crosses a
// row of pixels, to minutes for a membrane trace. Pieces share a segment, which joins
// them; data lines are opaque, so it does not show.
func (c *pngCanvas) Stroke(p vg.Path) {
	const most = 64
	whole := c.dashed || len(p) <= most
	for _, comp := range p {
		whole = whole || comp.Type != vg.MoveComp && comp.Type != vg.LineComp
	}
	if whole {
		c.Canvas.Stroke(p)
		return
	}
	var piece vg.Path
	for i, comp := range p {
		if len(piece) == most {
			c.Canvas.Stroke(piece)
			piece = piece[:0]
			if p[i-1].Type == vg.LineComp {
				piece.Move(p[i-2].Pos)
				piece.Line(p[i-1].Pos)
			} else {
				piece.Move(p[i-1].Pos)
			}
		}
		piece = append(piece, comp)
	}
	c.Canvas.Stroke(piece)
}

func (c *pngCanvas) FillString(face font.Face, pt vg.Point, s string) {
	c.Fill(outline(face, pt, s))
}

// DrawImage fills every device pixel in rect with the nearest pixel of img.
func (c *pngCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	dst, b := c.Image(), img.Bounds()
	_, h := c.Size()
	px := func(l vg.Length) int { return int(l/pixel + 0.5) }
	x0, x1 := px(rect.Min.X), px(rect.Max.X)
	y0, y1 := px(h-rect.Max.Y), px(h-rect.Min.Y)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			dst.Set(x, y, img.At(b.Min.X+(x-x0)*b.Dx()/(x1-x0), b.Min.Y+(y-y0)*b.Dy()/(y1-y0)))
		}
	}
}

func (c *pngCanvas) encode(w io.Writer) error {
	return png.Encode(w, c.Image())
}

// svgCanvas keeps text as text. A viewer without the font stretches another one to the
// same widths, so that the layout holds.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length // of all strings, in the order of drawing
}

func (c *svgCanvas) FillString(face font.Face, pt vg.Point, s string) {
	c.widths = append(c.widths, face.Width(s))
	c.Canvas.FillString(face, pt, s)
}

// encode repairs what vgsvg writes: strings without width and losing spaces at their
// ends, a font without fallback
// (Arial has the metrics of Liberation Sans), and PNG data called JPEG and smoothed
// when enlarged. User text cannot match, as < and quotes in it are escaped.
func (c *svgCanvas) encode(w io.Writer) error {
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	s := strings.NewReplacer(
		`style="font-family:Liberation Sans;`,
		`style="font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`,
		`xlink:href="data:image/jpg;base64,`,
		`preserveAspectRatio="none" style="image-rendering:pixelated" xlink:href="data:image/png;base64,`,
	).Replace(b.String())
	parts := strings.Split(s, "<text ")
	for i := 1; i < len(parts); i++ {
		parts[i] = fmt.Sprintf(`<text xml:space="preserve" textLength="%.2f" lengthAdjust="spacingAndGlyphs" `, c.widths[i-1].Points()) + parts[i]
	}
	_, err := io.WriteString(w, strings.Join(parts, ""))
	return err
}

// pdfCanvas draws text as outlines, as vgpdf can encode ASCII only, and images as
// rectangles, which no viewer smooths and whose order in the file is fixed.
type pdfCanvas struct{ *vgpdf.Canvas }

func (c pdfCanvas) FillString(face font.Face, pt vg.Point, s string) {
	c.Fill(outline(face, pt, s))
}

// SetColor undoes alpha premultiplication, which vgpdf forgets.
func (c pdfCanvas) SetColor(clr color.Color) {
	c.Canvas.SetColor(straight{color.NRGBA64Model.Convert(clr).(color.NRGBA64)})
}

// straight is a colour whose RGBA is not premultiplied.
type straight struct{ color.NRGBA64 }

func (s straight) RGBA() (r, g, b, a uint32) {
	return uint32(s.R), uint32(s.G), uint32(s.B), uint32(s.A)
}

// DrawImage fills a rectangle for every run of equal pixels in a row. Each reaches a
// little under its right and lower neighbours, drawn later, so that no seams show.
func (c pdfCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	b := img.Bounds()
	dx := rect.Size().X / vg.Length(b.Dx())
	dy := rect.Size().Y / vg.Length(b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		top := rect.Max.Y - vg.Length(y-b.Min.Y)*dy
		bottom := max(top-1.2*dy, rect.Min.Y)
		for x := b.Min.X; x < b.Max.X; {
			end := x + 1
			for end < b.Max.X && img.At(end, y) == img.At(x, y) {
				end++
			}
			right := min(rect.Min.X+(vg.Length(end-b.Min.X)+0.2)*dx, rect.Max.X)
			c.SetColor(img.At(x, y))
			c.Fill(box(rect.Min.X+vg.Length(x-b.Min.X)*dx, bottom, right, top))
			x = end
		}
	}
}

// pdfDate is a time stamp in a PDF's information dictionary.
var pdfDate = regexp.MustCompile(`(/(?:Creation|Mod)Date) \(D:\d{14}\)`)

// encode replaces the time of writing by a fixed one of the same length, so that
// equal figures are equal files.
func (c pdfCanvas) encode(w io.Writer) error {
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(pdfDate.ReplaceAll(b.Bytes(), []byte("$1 (D:20000101000000)")))
	return err
}

// outline returns the contours of the glyphs of s with the baseline starting at pt,
// with kerning, as font.Face.Width measures them.
func outline(face font.Face, pt vg.Point, s string) vg.Path {
	var (
		p    vg.Path
		buf  sfnt.Buffer
		prev sfnt.GlyphIndex
		em   = fixed.Int26_6(face.Face.UnitsPerEm()) // coordinates are then font units
		unit = face.Font.Size / vg.Length(em)
	)
	for i, r := range s {
		g, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue // broken font: never with the built-in ones
		}
		if i > 0 {
			if k, err := face.Face.Kern(&buf, prev, g, em, 0); err == nil {
				pt.X += vg.Length(k) * unit
			}
		}
		prev = g
		if segments, err := face.Face.LoadGlyph(&buf, g, em, nil); err == nil {
			p = appendGlyph(p, segments, pt, unit)
		}
		if adv, err := face.Face.GlyphAdvance(&buf, g, em, 0); err == nil {
			pt.X += vg.Length(adv) * unit
		}
	}
	return p
}

// appendGlyph adds one glyph's contours, with quadratic curves raised to cubic ones:
// vgpdf draws quadratic ones wrongly.
func appendGlyph(p vg.Path, segments sfnt.Segments, origin vg.Point, unit vg.Length) vg.Path {
	at := func(q fixed.Point26_6) vg.Point {
		return vg.Point{X: origin.X + vg.Length(q.X)*unit, Y: origin.Y - vg.Length(q.Y)*unit}
	}
	var cur vg.Point
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				p.Close()
			}
			cur = at(s.Args[0])
			p.Move(cur)
		case sfnt.SegmentOpLineTo:
			cur = at(s.Args[0])
			p.Line(cur)
		case sfnt.SegmentOpQuadTo:
			q, end := at(s.Args[0]), at(s.Args[1])
			p.CubeTo(cur.Add(q.Sub(cur).Scale(2./3)), end.Add(q.Sub(end).Scale(2./3)), end)
			cur = end
		case sfnt.SegmentOpCubeTo:
			cur = at(s.Args[2])
			p.CubeTo(at(s.Args[0]), at(s.Args[1]), cur)
		}
	}
	if len(segments) > 0 {
		p.Close()
	}
	return p
}

// box returns a closed rectangle.
func box(x0, y0, x1, y1 vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: x0, Y: y0})
	p.Line(vg.Point{X: x1, Y: y0})
	p.Line(vg.Point{X: x1, Y: y1})
	p.Line(vg.Point{X: x0, Y: y1})
	p.Close()
	return p
}

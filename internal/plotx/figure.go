package plotx

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// formats are the file formats, by extension.
var formats = []string{"png", "svg", "pdf"}

// Size is the size of a figure [inch]. A zero field takes the default of the figure's
// type; 9 inches of width are 1800 pixels in a PNG.
type Size struct{ Width, Height float64 }

// Limits of a figure's side [inch]: smaller ones have no room for the axes, larger
// ones need more memory than a picture is worth.
const minSide, maxSide = 1.5, 30

// or returns the size in points, with w and h in place of zeros.
func (s Size) or(pr *problems, w, h vg.Length) vg.Point {
	p := vg.Point{X: w, Y: h}
	if s.Width != 0 {
		pr.number("Size.Width", s.Width, minSide, maxSide)
		p.X = vg.Length(s.Width) * vg.Inch
	}
	if s.Height != 0 {
		pr.number("Size.Height", s.Height, minSide, maxSide)
		p.Y = vg.Length(s.Height) * vg.Inch
	}
	return p
}

// margins is the space around the data area, for axes, titles and legends.
type margins struct{ left, right, top, bottom vg.Length }

// widest returns the larger of each margin.
func (m margins) widest(o margins) margins {
	return margins{max(m.left, o.left), max(m.right, o.right), max(m.top, o.top), max(m.bottom, o.bottom)}
}

// inner returns c less the margins.
func (m margins) inner(c draw.Canvas) draw.Canvas {
	return draw.Crop(c, m.left, -m.right, m.bottom, -m.top)
}

// content is what fills a figure. Margins and drawing are apart so that neighbours can
// be aligned.
type content interface {
	// margins returns the margins needed on a canvas of this size.
	margins(c draw.Canvas) margins
	// draw fills the canvas, with margins no smaller than those needed.
	draw(c draw.Canvas, m margins)
}

// Figure is a finished drawing, made by the Figure method of one of the figure types. It
// refers to the slices it was made of: do not change them before the last use. Its
// methods may be called by several goroutines at once.
type Figure struct {
	size vg.Point
	body content
}

// Encode writes the figure in the given format, "png", "svg" or "pdf". Equal figures
// give equal bytes.
func (f *Figure) Encode(w io.Writer, format string) error {
	if !slices.Contains(formats, format) {
		return fmt.Errorf("plotx: Encode: unknown format %q: must be one of %s", format, strings.Join(formats, ", "))
	}
	b := newBackend(format, f.size.X, f.size.Y)
	c := draw.NewCanvas(b, f.size.X, f.size.Y)
	c.SetColor(color.White)
	c.Fill(box(c.Min.X, c.Min.Y, c.Max.X, c.Max.Y))
	c = draw.Crop(c, outerPad, -outerPad, outerPad, -outerPad)
	f.body.draw(c, f.body.margins(c))
	if err := b.encode(w); err != nil {
		return fmt.Errorf("plotx: Encode: %w", err)
	}
	return nil
}

// Save writes the figure to path, as PNG, SVG or PDF by its extension. The file appears
// only when it is complete: it is written beside path and then renamed, so an error
// leaves what was there before.
func (f *Figure) Save(path string) error {
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if !slices.Contains(formats, format) {
		return fmt.Errorf("plotx: Save %s: unknown extension %q: must be one of .%s", path, filepath.Ext(path), strings.Join(formats, ", ."))
	}
	var b bytes.Buffer
	if err := f.Encode(&b, format); err != nil {
		return err
	}
	if err := writeFile(path, b.Bytes()); err != nil {
		return fmt.Errorf("plotx: Save: %w", err)
	}
	return nil
}

// writeFile puts data at path in one step.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".plotx-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

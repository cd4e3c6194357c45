package plotx

import (
	"math"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Alignments that put the middle of the capitals on a point. They follow from where
// Draw puts the baseline, em·(1.117·YAlign + 0.095), and from the capitals of
// Liberation Sans being 0.73 em high; gonum adds the descent of 0.212 em for the tick
// labels of a vertical axis.
const (
	middle     text.YAlignment = -(0.365 + 0.095) / 1.117
	tickMiddle text.YAlignment = -(0.365 + 0.095 + 0.212) / 1.117
)

// markup is a text handler that understands _{subscript} and ^{superscript}, so that
// labels can say D_{KL} or 10^{-3}. Everything else, a lone _ or ^ included, is text.
type markup struct{}

var _ text.Handler = markup{}

// run is a stretch of text in one size.
type run struct {
	text  string
	size  float64 // in units of the font size
	shift float64 // of the baseline, in units of the font size
}

// runs splits a line into stretches; an unclosed brace is text.
func runs(line string) []run {
	var out []run
	add := func(s string, size, shift float64) {
		if s != "" {
			out = append(out, run{s, size, shift})
		}
	}
	for {
		i := strings.Index(line, "_{")
		if j := strings.Index(line, "^{"); i < 0 || j >= 0 && j < i {
			i = j
		}
		end := -1
		if i >= 0 {
			end = strings.IndexByte(line[i:], '}')
		}
		if end < 0 {
			add(line, 1, 0)
			return out
		}
		shift := -0.18
		if line[i] == '^' {
			shift = 0.36
		}
		add(line[:i], 1, 0)
		add(line[i+2:i+end], 0.7, shift)
		line = line[i+end+1:]
	}
}

// Cache returns the fonts in use.
func (markup) Cache() *font.Cache { return font.DefaultCache }

// Extents returns the extents of a font.
func (markup) Extents(fnt font.Font) font.Extents {
	face := font.DefaultCache.Lookup(fnt, fnt.Size)
	return face.Extents()
}

// Lines splits a text into lines.
func (markup) Lines(txt string) []string {
	return strings.Split(strings.TrimRight(txt, "\n"), "\n")
}

// Box returns the bounding box of one line.
func (m markup) Box(line string, fnt font.Font) (width, height, depth vg.Length) {
	for _, r := range runs(line) {
		face := font.DefaultCache.Lookup(fnt, fnt.Size*vg.Length(r.size))
		width += face.Width(r.text)
	}
	ext := m.Extents(fnt)
	return width, ext.Ascent, ext.Descent
}

// Draw renders the text, placed as gonum's plain handler places it.
func (m markup) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	c.SetColor(sty.Color)
	if sty.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Rotate(sty.Rotation)
	}
	sin, cos := math.Sincos(sty.Rotation)
	x := pt.X*vg.Length(cos) + pt.Y*vg.Length(sin)
	y := pt.Y*vg.Length(cos) - pt.X*vg.Length(sin)
	y += sty.Height(txt)*vg.Length(sty.YAlign) - m.Extents(sty.Font).Ascent
	lines := m.Lines(txt)
	for i, line := range lines {
		w, _, _ := m.Box(line, sty.Font)
		at := vg.Point{X: x + w*vg.Length(sty.XAlign), Y: y + vg.Length(len(lines)-i)*sty.Font.Size}
		for _, r := range runs(line) {
			face := font.DefaultCache.Lookup(sty.Font, sty.Font.Size*vg.Length(r.size))
			c.FillString(face, at.Add(vg.Point{Y: sty.Font.Size * vg.Length(r.shift)}), r.text)
			at.X += face.Width(r.text)
		}
	}
}

package plotx

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// key is one legend entry: a small picture of what is drawn, and its name.
type key struct {
	name  string
	line  draw.LineStyle // Width 0 = none
	fill  color.Color    // a filled box; nil = none
	dot   color.Color    // a data point of form shape; nil = none
	shape shape
	err   color.Color // an error bar; nil = none
	tick  color.Color // a spike; nil = none
}

const (
	thumbWidth = vg.Length(20) // of a line; boxes and bars are narrower
	thumbGap   = vg.Length(5)  // picture to name
	keyGap     = vg.Length(16) // between entries
	keyHeight  = vg.Length(15)
)

// legend is a row of keys above the data, wrapped where it is too long. It lies
// outside the data area, so it never covers anything.
type legend []key

// width returns the width of the picture.
func (k key) width() vg.Length {
	switch {
	case k.line.Width > 0:
		return thumbWidth
	case k.fill != nil:
		return 15
	}
	return 9
}

// text returns the style and the text of the name, which must fit in one row.
func (k key) text(width vg.Length) (text.Style, string) {
	sty := textStyle(tickSize+0.5, inkColor)
	s := fit(&sty, k.name, width-k.width()-thumbGap)
	return sty, s
}

// rows splits the keys into rows no wider than width.
func (l legend) rows(width vg.Length) []legend {
	var out []legend
	var used vg.Length
	start := 0
	for i, k := range l {
		sty, name := k.text(width)
		w := k.width() + thumbGap + sty.Width(name)
		if i > start && used+keyGap+w > width {
			out = append(out, l[start:i])
			start, used = i, 0
		}
		if i > start {
			used += keyGap
		}
		used += w
	}
	if start < len(l) {
		out = append(out, l[start:])
	}
	return out
}

// height returns the height of the legend wrapped to width.
func (l legend) height(width vg.Length) vg.Length {
	return keyHeight * vg.Length(len(l.rows(width)))
}

// draw draws the legend with its upper left corner at (x, top).
func (l legend) draw(c draw.Canvas, x, top, width vg.Length) {
	for r, row := range l.rows(width) {
		at := vg.Point{X: x, Y: top - keyHeight*(vg.Length(r)+0.5)}
		for _, k := range row {
			k.thumb(c, at)
			at.X += k.width() + thumbGap
			sty, name := k.text(width)
			c.FillText(sty, at, name)
			at.X += sty.Width(name) + keyGap
		}
	}
}

// thumb draws the picture of the key, its left middle at pt.
func (k key) thumb(c draw.Canvas, pt vg.Point) {
	mid := pt.Add(vg.Point{X: k.width() / 2})
	if k.fill != nil {
		c.SetColor(k.fill)
		c.Fill(box(pt.X, pt.Y-4, pt.X+k.width(), pt.Y+4))
	}
	if k.line.Width > 0 {
		c.StrokeLine2(k.line, pt.X, pt.Y, pt.X+thumbWidth, pt.Y)
	}
	if k.err != nil {
		sty := draw.LineStyle{Color: k.err, Width: 1}
		c.StrokeLine2(sty, mid.X, pt.Y-5, mid.X, pt.Y+5)
		c.StrokeLine2(sty, mid.X-2, pt.Y-5, mid.X+2, pt.Y-5)
		c.StrokeLine2(sty, mid.X-2, pt.Y+5, mid.X+2, pt.Y+5)
	}
	if k.tick != nil {
		c.StrokeLine2(draw.LineStyle{Color: k.tick, Width: spikeWidth}, mid.X, pt.Y-4.5, mid.X, pt.Y+4.5)
	}
	if k.dot != nil {
		drawDot(c, k.shape, k.dot, mid)
	}
}

// fit makes a text that is wider than room smaller, and if that is not enough cuts it.
func fit(sty *text.Style, s string, room vg.Length) string {
	if w := sty.Width(s); w > room {
		sty.Font.Size = max(sty.Font.Size*room/w, smallest)
	}
	return cut(*sty, s, room)
}

// cut replaces the end of a text that is wider than room by an ellipsis.
func cut(sty text.Style, s string, room vg.Length) string {
	for r := []rune(s); sty.Width(s) > room+0.01 && len(r) > 1; {
		r = r[:len(r)-1]
		s = string(r) + "…"
	}
	return s
}

// wrap splits a title into lines no wider than width, at spaces.
func wrap(sty text.Style, s string, width vg.Length) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && sty.Width(line+" "+word) > width {
			lines = append(lines, line)
			line = word
			continue
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

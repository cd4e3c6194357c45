package plotx

import (
	"image"
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// recorder is a canvas that keeps where text and ink went.
type recorder struct {
	stack []affine
	texts []textBox
	ink   vg.Rectangle // of everything but text
	color color.Color
	paths []inkPath
}

// inkPath is what one Fill or Stroke drew.
type inkPath struct {
	color color.Color
	pts   []vg.Point
}

// affine maps (x, y) to (a·x + b·y + e, c·x + d·y + f).
type affine struct{ a, b, c, d, e, f float64 }

type textBox struct {
	s string
	vg.Rectangle
}

func newRecorder() *recorder {
	inf := vg.Length(math.Inf(1))
	return &recorder{
		stack: []affine{{a: 1, d: 1}},
		ink:   vg.Rectangle{Min: vg.Point{X: inf, Y: inf}, Max: vg.Point{X: -inf, Y: -inf}},
	}
}

func (r *recorder) top() *affine { return &r.stack[len(r.stack)-1] }

func (r *recorder) at(p vg.Point) vg.Point {
	m, x, y := r.top(), float64(p.X), float64(p.Y)
	return vg.Point{X: vg.Length(m.a*x + m.b*y + m.e), Y: vg.Length(m.c*x + m.d*y + m.f)}
}

func grow(r *vg.Rectangle, p vg.Point) {
	r.Min = vg.Point{X: min(r.Min.X, p.X), Y: min(r.Min.Y, p.Y)}
	r.Max = vg.Point{X: max(r.Max.X, p.X), Y: max(r.Max.Y, p.Y)}
}

func (r *recorder) SetLineWidth(vg.Length)             {}
func (r *recorder) SetLineDash([]vg.Length, vg.Length) {}
func (r *recorder) SetColor(c color.Color)             { r.color = c }
func (r *recorder) Scale(x, y float64)                 { panic("not used") }
func (r *recorder) Translate(vg.Point)                 { panic("not used") }
func (r *recorder) Push()                              { r.stack = append(r.stack, *r.top()) }
func (r *recorder) Pop()                               { r.stack = r.stack[:len(r.stack)-1] }

func (r *recorder) Rotate(t float64) {
	s, c := math.Sincos(t)
	m := *r.top()
	*r.top() = affine{m.a*c + m.b*s, m.b*c - m.a*s, m.c*c + m.d*s, m.d*c - m.c*s, m.e, m.f}
}

func (r *recorder) Stroke(p vg.Path) { r.Fill(p) }

func (r *recorder) Fill(p vg.Path) {
	ink := inkPath{color: r.color}
	for _, c := range p {
		if c.Type != vg.CloseComp {
			grow(&r.ink, r.at(c.Pos))
			ink.pts = append(ink.pts, r.at(c.Pos))
		}
	}
	r.paths = append(r.paths, ink)
}

func (r *recorder) DrawImage(rect vg.Rectangle, _ image.Image) {
	grow(&r.ink, rect.Min)
	grow(&r.ink, rect.Max)
}

// FillString keeps the box of the capitals and descenders.
func (r *recorder) FillString(f font.Face, pt vg.Point, s string) {
	size := f.Font.Size
	b := vg.Rectangle{Min: r.at(pt), Max: r.at(pt)}
	grow(&b, r.at(pt.Add(vg.Point{Y: -0.21 * size})))
	grow(&b, r.at(pt.Add(vg.Point{X: f.Width(s), Y: 0.73 * size})))
	r.texts = append(r.texts, textBox{s, b})
}

// record draws a figure on a recorder.
func record(f *Figure) *recorder {
	r := newRecorder()
	c := draw.NewCanvas(r, f.size.X, f.size.Y)
	c = draw.Crop(c, outerPad, -outerPad, outerPad, -outerPad)
	f.body.draw(c, f.body.margins(c))
	return r
}

// TestNothingClippedOrOverlapping checks all samples: text is inside the figure, no two
// texts overlap, and no line or area leaves the figure.
func TestNothingClippedOrOverlapping(t *testing.T) {
	for _, s := range samples(t) {
		f := figure(t, s.spec)
		r := record(f)
		const edge = 1 // point of white
		whole := vg.Rectangle{Min: vg.Point{X: edge, Y: edge}, Max: f.size.Sub(vg.Point{X: edge, Y: edge})}
		if !contains(whole, r.ink) {
			t.Errorf("%s: ink %v leaves the figure %v", s.name, r.ink, f.size)
		}
		for i, a := range r.texts {
			if !contains(whole, a.Rectangle) {
				t.Errorf("%s: text %q at %v leaves the figure %v", s.name, a.s, a.Rectangle, f.size)
			}
			for _, b := range r.texts[:i] {
				if overlap(a.Rectangle, b.Rectangle) {
					t.Errorf("%s: texts %q %v and %q %v overlap", s.name, a.s, a.Rectangle, b.s, b.Rectangle)
				}
			}
		}
	}
}

func contains(outer, inner vg.Rectangle) bool {
	return inner.Min.X >= outer.Min.X && inner.Min.Y >= outer.Min.Y && inner.Max.X <= outer.Max.X && inner.Max.Y <= outer.Max.Y
}

// overlap reports whether two boxes share more than a hair. Signs and subscripts may
// touch.
func overlap(a, b vg.Rectangle) bool {
	const hair = 0.5
	return min(a.Max.X, b.Max.X)-max(a.Min.X, b.Min.X) > hair && min(a.Max.Y, b.Max.Y)-max(a.Min.Y, b.Min.Y) > hair
}

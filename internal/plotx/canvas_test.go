package plotx

import (
	"image"
	"image/color"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// TestLongStroke checks that a line drawn in pieces looks as if drawn at once: compared
// with a canvas that does not split it, no pixel differs by more than the rounding at
// the ends of the pieces.
func TestLongStroke(t *testing.T) {
	r := newRand()
	var p vg.Path
	for i := range 300 {
		q := vg.Point{X: vg.Length(i) * 0.5, Y: vg.Length(20 + 60*r.Float64())}
		if i%130 == 0 {
			p.Move(q)
		} else {
			p.Line(q)
		}
	}
	split := newBackend("png", 150, 100).(*pngCanvas)
	whole := newBackend("png", 150, 100).(*pngCanvas)
	for _, c := range []*pngCanvas{split, whole} {
		d := draw.Canvas{Canvas: c}
		d.SetLineStyle(draw.LineStyle{Color: color.Black, Width: 1})
	}
	split.Stroke(p)
	whole.Canvas.Stroke(p)
	a, b := split.Image().(*image.RGBA), whole.Image().(*image.RGBA)
	differ, black := 0, 0
	for i, v := range a.Pix {
		if d := int(v) - int(b.Pix[i]); d < -8 || d > 8 {
			differ++
		}
		if v == 0 {
			black++
		}
	}
	// Where pieces overlap, half covered pixels of the edge get darker.
	if black == 0 || differ > len(a.Pix)/500 {
		t.Errorf("%d of %d values differ", differ, len(a.Pix))
	}
}

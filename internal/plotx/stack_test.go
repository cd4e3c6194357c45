package plotx

import (
	"math"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"pgregory.net/rapid"
)

// TestPanelsAligned checks that stacked panels share their left and right edges, lie
// below one another inside the canvas, and get at least the margins asked for.
func TestPanelsAligned(t *testing.T) {
	for _, s := range []spec{sampleRaster(), sampleActivation(3)} {
		f := figure(t, s)
		c := draw.Canvas{Rectangle: vg.Rectangle{Max: f.size}}
		b := f.body.(*stack)
		want := margins{left: 90, right: 40, top: 70, bottom: 50}
		for _, m := range []margins{{}, want} {
			l := b.layout(c, m)
			up, low := l.data[0], l.data[1]
			if up.Min.X != low.Min.X || up.Max.X != low.Max.X {
				t.Errorf("%T: data areas %v and %v are not aligned", s, up, low)
			}
			if low.Max.Y >= up.Min.Y || low.Min.Y < 0 || up.Max.Y > f.size.Y {
				t.Errorf("%T: data areas %v and %v", s, up, low)
			}
		}
		if l := b.layout(c, want); l.left != 90 || l.right != 40 || l.top != 70 || l.bottom != 50 {
			t.Errorf("%T: margins %v: want %v", s, l.margins, want)
		}
	}
}

// TestWhole checks the search for what gonum must be given.
func TestWhole(t *testing.T) {
	for _, size := range []vg.Point{{X: 500, Y: 200}, {X: 40, Y: 30}, {X: 1, Y: 1}} {
		p := newPlot("", "")
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1e4
		data := vg.Rectangle{Min: vg.Point{X: 7, Y: 9}, Max: size.Add(vg.Point{X: 7, Y: 9})}
		got := p.DataCanvas(draw.Canvas{Rectangle: whole(p, data)}).Rectangle
		for _, d := range []vg.Point{got.Min.Sub(data.Min), got.Max.Sub(data.Max)} {
			if math.Hypot(float64(d.X), float64(d.Y)) > 1e-3 {
				t.Errorf("data area is %v: want %v", got, data)
			}
		}
	}
}

// TestDKLLeavesOut checks which points a DKL curve draws, and where its bands are.
func TestDKLLeavesOut(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tm := []float64{0, 1, 2, 3, 4, 5, nan, 7, 8}
	d := []float64{1, inf, 0.5, nan, 0, -1, 1, 0.2, 0.1}
	gotT, gotD, se := positive(tm, d, tm)
	for i, want := range [][2]float64{{2, 0.5}, {7, 0.2}, {8, 0.1}} {
		if len(gotT) != 3 || gotT[i] != want[0] || gotD[i] != want[1] || se[i] != want[0] {
			t.Fatalf("points %v, %v, %v", gotT, gotD, se)
		}
	}
	got := stretches([]float64{1, 2, nan, 0, 0, 0, inf, 1, -1})
	if len(got) != 2 || got[0] != (stretch{0, 2}) || got[1] != (stretch{3, 6}) {
		t.Errorf("bands %v", got)
	}
}

// TestHistogramDensity checks that densities integrate to 1 and that no value is lost.
func TestHistogramDensity(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := Histogram{
			Values: rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 200).Draw(rt, "values"),
			Bins:   rapid.IntRange(0, 50).Draw(rt, "bins"),
		}
		lo, width, density := h.density()
		sum := 0.0
		for _, d := range density {
			sum += d * width
		}
		if math.Abs(sum-1) > 1e-9 {
			rt.Fatalf("integral %v", sum)
		}
		for _, v := range h.Values {
			if v < lo || v > lo+width*float64(len(density))*(1+1e-9)+1e-9 {
				rt.Fatalf("value %v outside the bins", v)
			}
		}
	})
}

func TestSlots(t *testing.T) {
	s := newSlots([]string{"a=0", "a=1", "b=0", "b=1", "c=1"})
	for i, want := range []float64{0, 1, 2.4, 3.4, 4.8} {
		if math.Abs(s[i].at-want) > 1e-12 {
			t.Errorf("slot %d is at %v: want %v", i, s[i].at, want)
		}
	}
	if !nested(s) || nested(newSlots([]string{"a=1", "b=1"})) || nested(newSlots([]string{"a=0", "a=1", "z"})) {
		t.Errorf("wrong choice of two-line labels")
	}
	// Columns break between variables, and lose nothing.
	left, right := halves(newSlots(names(30)))
	if len(left)+len(right) != 30 || sameVariable(left[len(left)-1], right[0]) || right[0].at != 0 {
		t.Errorf("columns of %d and %d", len(left), len(right))
	}
}

// TestLogistic checks the function at its middle, one width away, and in the far tails.
func TestLogistic(t *testing.T) {
	l := Logistic{Mid: -50, Width: 0.5}
	for u, want := range map[float64]float64{-50: 0.5, -49.5: 1 / (1 + math.Exp(-1)), -1e6: 0, 1e6: 1} {
		if got := l.At(u); math.Abs(got-want) > 1e-15 {
			t.Errorf("at %v: %v, want %v", u, got, want)
		}
	}
	if r := l.residual([]float64{-50}, []float64{0.6}); math.Abs(r[0]-0.1) > 1e-15 {
		t.Errorf("residual %v: want measured less fit, 0.1", r)
	}
}

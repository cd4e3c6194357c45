package plotx

import (
	"image"
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"pgregory.net/rapid"
)

// render returns the pixels of a figure.
func render(t *testing.T, s spec) image.Image {
	t.Helper()
	return decode(t, encoded2(t, figure(t, s), "png"))
}

// extentOf returns the box of all squares of 3 × 3 pixels of colour c in r.
func extentOf(img image.Image, c color.Color, r image.Rectangle) image.Rectangle {
	return boxOf(img, c, r, 3)
}

// boxOf returns the box of all squares of n × n pixels of colour c in r.
func boxOf(img image.Image, c color.Color, r image.Rectangle, n int) image.Rectangle {
	var box image.Rectangle
	want := color.RGBAModel.Convert(c)
	for y := r.Min.Y; y <= r.Max.Y-n; y++ {
	next:
		for x := r.Min.X; x <= r.Max.X-n; x++ {
			for i := range n * n {
				if img.At(x+i%n, y+i/n) != want {
					continue next
				}
			}
			box = box.Union(image.Rect(x, y, x+n, y+n))
		}
	}
	return box
}

// TestBarLengths measures bars: standing and lying ones are as long as their values, and
// error bars reach 2 MCSE.
func TestBarLengths(t *testing.T) {
	b := PosteriorBars{
		Labels:   []string{"a"},
		Exact:    []float64{0.8},
		Samplers: []Estimate{{Name: "s", P: []float64{0.4}, MCSE: []float64{0.05}}},
		Size:     Size{Width: 5, Height: 4},
	}
	check := func(name string, exact, est, bars int) {
		if math.Abs(float64(est)/float64(exact)-0.5) > 0.01 {
			t.Errorf("%s: bar of 0.4 has %d pixels, bar of 0.8 has %d", name, est, exact)
		}
		if want := float64(exact) * 0.5 / 0.8; math.Abs(float64(bars)-want) > 3 {
			t.Errorf("%s: error bar ends at %d pixels: want %.0f", name, bars, want)
		}
	}
	img := render(t, b)
	half := image.Rect(0, 200, 1000, 800) // below the legend
	exact, est := extentOf(img, exactGrey, half), extentOf(img, palette[0], half)
	ink := boxOf(img, inkColor, image.Rect(est.Min.X, 200, est.Max.X, est.Max.Y-20), 1)
	check("standing", exact.Dy(), est.Dy(), est.Max.Y-ink.Min.Y)
	if exact.Max.X > est.Min.X {
		t.Errorf("the exact bar %v is not left of the estimate %v", exact, est)
	}

	b.Labels = []string{"a name that is far too long to stand under a bar, even a single one, of this size"}
	img = render(t, b)
	exact, est = extentOf(img, exactGrey, half), extentOf(img, palette[0], half)
	ink = boxOf(img, inkColor, image.Rect(est.Min.X+20, est.Min.Y, 1000, est.Max.Y), 1)
	check("lying", exact.Dx(), est.Dx(), ink.Max.X-est.Min.X)
	if exact.Max.Y > est.Min.Y {
		t.Errorf("the exact bar %v is not above the estimate %v", exact, est)
	}
}

// TestHeatCells checks colours and places of cells: row 0 on top, 0 is white.
func TestHeatCells(t *testing.T) {
	img := render(t, Heat{Values: [][]float64{{1, 0, -1}, {0, 0, 0.5}}, Size: Size{Width: 4, Height: 3}})
	end := func(x float64) color.NRGBA { return Diverging.at(x) }
	cells := extentOf(img, end(1), img.Bounds()) // first cell; the colour bar ends before
	first := image.Rect(cells.Min.X, cells.Min.Y, cells.Min.X, cells.Min.Y)
	for x := cells.Min.X; img.At(x, cells.Min.Y+9) == img.At(cells.Min.X, cells.Min.Y+9); x++ {
		first.Max.X = x
	}
	side := first.Dx() + 1
	for i, want := range []color.NRGBA{end(1), end(0.5), end(0), end(0.5), end(0.5), end(0.75)} {
		x, y := first.Min.X+side/2+side*(i%3), first.Min.Y+side/2+side*(i/3)
		if got := color.NRGBAModel.Convert(img.At(x, y)); got != want {
			t.Errorf("cell %d, %d is %v: want %v", i/3, i%3, got, want)
		}
	}
}

// TestImagePixels checks that every pixel of an image is a block of equal device pixels
// of its exact grey.
func TestImagePixels(t *testing.T) {
	pixels := []float64{0, 0.1, 0.3, 0.5, 0.7, 1}
	img := render(t, ImageGrid{Images: [][]float64{pixels}, Rows: 2, Cols: 3})
	found := map[uint8]image.Rectangle{}
	for _, v := range pixels[1:5] { // black and white are elsewhere, too
		g := uint8(math.Round(255 * v))
		found[g] = extentOf(img, color.Gray{g}, img.Bounds())
	}
	side := found[26].Dx()
	for g, at := range map[uint8]image.Point{26: {1, 0}, 77: {2, 0}, 128: {0, 1}, 179: {1, 1}} {
		want := found[26].Min.Add(at.Sub(image.Point{X: 1}).Mul(side))
		// The frame around the image takes a pixel.
		if d := found[g].Min.Sub(want); d.X < 0 || d.X > 1 || d.Y < -1 || d.Y > 1 || found[g].Dx() < side-1 {
			t.Errorf("grey %d is at %v: want %v, side %d", g, found[g], want, side)
		}
	}
}

// TestRefractory checks the shaded times: from each spike for TauRef, joined where they
// overlap, cut off at the window.
func TestRefractory(t *testing.T) {
	r := Raster{Spikes: [][]float64{{-5, 20, 25, 60, 95, 300}}, TauRef: 10, To: 100}
	p := newPlot("", "")
	r.window(&p.X)
	c := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: 100, Y: 1}}}
	path := r.refractory(r.Spikes[0], c, p, 0, 1)
	var got [][2]float64
	for i := 0; i < len(path); i += 5 { // four corners and a close
		got = append(got, [2]float64{float64(path[i].Pos.X), float64(path[i+1].Pos.X)})
	}
	want := [][2]float64{{0, 5}, {20, 35}, {60, 70}, {95, 100}}
	if len(got) != len(want) {
		t.Fatalf("shaded %v: want %v", got, want)
	}
	for i := range want {
		if math.Abs(got[i][0]-want[i][0])+math.Abs(got[i][1]-want[i][1]) > 1e-9 {
			t.Errorf("shaded %v: want %v", got, want)
		}
	}
}

// TestThin checks that thinning a long line keeps ends and extremes of every stretch of
// pixels, and leaves short lines and lines that turn back alone.
func TestThin(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(4000, 6000).Draw(rt, "n")
		width := rapid.Float64Range(0.1, 2000).Draw(rt, "width")
		r := newRand()
		pts := make([]vg.Point, n)
		for i := range pts {
			pts[i] = vg.Point{X: vg.Length(width * float64(i) / float64(n)), Y: vg.Length(r.NormFloat64())}
		}
		out := thin(pts)
		a, b := columns(pts), columns(out)
		if len(a) != len(b) || out[0] != pts[0] || out[len(out)-1] != pts[n-1] {
			rt.Fatalf("thinned line has %d columns: want %d", len(b), len(a))
		}
		for k, v := range a {
			if b[k] != v {
				rt.Fatalf("column %v spans %v: want %v", k, b[k], v)
			}
		}
		pts[n-1].X = -10
		if len(thin(pts)) != n || len(thin(pts[:3000])) != 3000 {
			rt.Fatalf("a line was thinned that should not be")
		}
	})
}

// columns returns the range of Y in every pixel column.
func columns(pts []vg.Point) map[float64][2]vg.Length {
	out := map[float64][2]vg.Length{}
	for _, p := range pts {
		k := math.Floor(float64(p.X / pixel))
		r, ok := out[k]
		if !ok {
			r = [2]vg.Length{p.Y, p.Y}
		}
		out[k] = [2]vg.Length{min(r[0], p.Y), max(r[1], p.Y)}
	}
	return out
}

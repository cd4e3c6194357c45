package plotx

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image/color"
	"io"
	"math"
	"regexp"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawn is a recorded figure of panels.
type drawn struct {
	t *testing.T
	*recorder
	stack *stack
	data  []vg.Rectangle
}

func drawnOf(t *testing.T, s spec) drawn {
	t.Helper()
	f := figure(t, s)
	c := draw.Canvas{Rectangle: vg.Rectangle{Max: f.size}}
	c = draw.Crop(c, outerPad, -outerPad, outerPad, -outerPad)
	b := f.body.(*stack)
	return drawn{t, record(f), b, b.layout(c, b.margins(c)).data}
}

// has checks that a path of the colour goes through values x, y of a panel.
func (d drawn) has(panel int, clr color.Color, x, y float64) {
	d.t.Helper()
	p := d.stack.panels[panel].plot
	c := draw.Canvas{Rectangle: d.data[panel]}
	at := vg.Point{X: c.X(p.X.Norm(x)), Y: c.Y(p.Y.Norm(y))}
	if !d.through(clr, at) {
		d.t.Errorf("panel %d: nothing of colour %v at %v, %v", panel, clr, x, y)
	}
}

func (d drawn) through(clr color.Color, at vg.Point) bool {
	for _, p := range d.paths {
		for _, q := range p.pts {
			if p.color == clr && math.Hypot(float64(q.X-at.X), float64(q.Y-at.Y)) < 1e-3 {
				return true
			}
		}
	}
	return false
}

// hasDot checks that a data point of the colour is at values x, y of a panel.
func (d drawn) hasDot(panel int, clr color.NRGBA, x, y float64) {
	d.t.Helper()
	p := d.stack.panels[panel].plot
	c := draw.Canvas{Rectangle: d.data[panel]}
	at := vg.Point{X: c.X(p.X.Norm(x)) + dotSize, Y: c.Y(p.Y.Norm(y))}
	if !d.through(clr, at) {
		d.t.Errorf("panel %d: no point of colour %v at %v, %v", panel, clr, x, y)
	}
}

func TestLinesDrawn(t *testing.T) {
	x, y, se := []float64{1, 2, 4}, []float64{3, 5, 2}, []float64{0.1, 0.2, 0.3}
	for _, log := range []bool{false, true} {
		d := drawnOf(t, Lines{
			Series: []Line{
				{X: x, Y: y, SE: se},
				{X: x, Y: y, Theory: true},
				{X: []float64{3}, Y: []float64{4}, SE: []float64{0.5}},
			},
			HLines: []Reference{{At: 6}}, VLines: []Reference{{At: 8}},
			LogX: log, LogY: log,
		})
		for i := range x {
			d.has(0, palette[0], x[i], y[i])
			d.has(0, inkColor, x[i], y[i])
			d.has(0, faded(palette[0], bandOpacity), x[i], y[i]-2*se[i])
			d.has(0, faded(palette[0], bandOpacity), x[i], y[i]+2*se[i])
		}
		pair := drawnOf(t, Lines{Series: []Line{{X: x, Y: y, Points: true}, {X: x, Y: []float64{1, 1, 1}, Paired: true}, {X: x, Y: []float64{2, 2, 2}}}, LogX: log})
		pair.has(0, palette[0], 4, 1)
		pair.has(0, palette[1], 4, 2)
		ends := drawnOf(t, Lines{Series: []Line{{X: x, Y: y}}, LogX: log, XMin: 1, XMax: 4})
		if p := ends.stack.panels[0].plot; p.X.Min != 1 || p.X.Max != 4 {
			t.Errorf("x axis from %v to %v, want 1 to 4", p.X.Min, p.X.Max)
		}
		d.has(0, palette[1], 3, 5) // ends of the error bar of a single point
		d.has(0, palette[1], 3, 3)
		p := d.stack.panels[0].plot
		d.has(0, noteColor, p.X.Min, 6)
		d.has(0, noteColor, 8, p.Y.Max)
	}
}

func TestDKLDrawn(t *testing.T) {
	s := DKLSeries{
		T: []float64{10, 100, 1000, 1e4}, D: []float64{math.Inf(1), 0.1, 0.01, 1e-3},
		SE: []float64{1, 0.02, 0.004, 5e-4}, Floor: []float64{0.5, 0.05, 5e-3, 5e-4},
	}
	d := drawnOf(t, DKLCurve{Series: []DKLSeries{{T: s.T, D: s.D}, s}, FloorT: []float64{5, 2e4}, Floor: []float64{1, 2e-4}, Level: 3e-4})
	for i := 1; i < 4; i++ {
		d.has(0, palette[0], s.T[i], s.D[i])
		d.has(0, palette[1], s.T[i], s.Floor[i])
		d.has(0, faded(palette[1], bandOpacity), s.T[i], s.D[i]-s.SE[i])
		d.has(0, faded(palette[1], bandOpacity), s.T[i], s.D[i]+s.SE[i])
	}
	d.has(0, noteColor, 5, 1)
	d.has(0, noteColor, 2e4, 2e-4)
	d.has(0, noteColor, d.stack.panels[0].plot.X.Max, 3e-4)
}

func TestRasterDrawn(t *testing.T) {
	r := sampleRaster()
	d := drawnOf(t, r)
	for k, spikes := range r.Spikes {
		clr := inkColor
		if k == r.Trace.Unit {
			clr = traceColor
		}
		for _, s := range spikes {
			if s <= r.To {
				d.has(0, clr, s, float64(k)+0.4)
				d.has(0, clr, s, float64(k)-0.4)
			}
		}
	}
	for _, s := range r.Spikes[r.Trace.Unit] {
		if s <= r.To {
			d.has(1, traceColor, s, r.Trace.Threshold)
			d.has(1, refractoryColor, s, d.stack.panels[1].plot.Y.Min)
		}
	}
	for i := 0; i < len(r.Trace.T); i += 100 {
		d.has(1, traceColor, r.Trace.T[i], r.Trace.V[i])
	}
	for _, v := range []float64{r.Trace.Threshold, r.Trace.Reset} {
		d.has(1, noteColor, r.To, v)
	}
}

func TestActivationDrawn(t *testing.T) {
	a := sampleActivation(1)
	d := drawnOf(t, a)
	s := a.Sets[0]
	for i, u := range s.U {
		d.hasDot(0, inkColor, u, s.P[i])
		d.hasDot(1, inkColor, u, s.P[i]-s.Fit.At(u))
		d.has(1, inkColor, u, s.P[i]-s.Fit.At(u)+2*s.MCSE[i])
	}
	for i, u := range s.AnalyticU {
		d.has(0, palette[1], u, s.AnalyticP[i])
		d.has(1, palette[1], u, s.AnalyticP[i]-s.Fit.At(u))
	}
	p := d.stack.panels[0].plot
	d.has(0, palette[0], p.X.Min, s.Fit.At(p.X.Min))
	d.has(0, palette[0], p.X.Max, s.Fit.At(p.X.Max))
}

func TestHistogramAndACFDrawn(t *testing.T) {
	h := Histogram{Values: []float64{0, 1, 1, 4}, Bins: 2, Mean: 2, SD: 1.5}
	d := drawnOf(t, h)
	fill := faded(palette[0], 0.45)
	for _, x := range []float64{0, 2} {
		d.has(0, fill, x, 0.375) // 3 of 4 values in [0, 2)
	}
	d.has(0, fill, 4, 0.125)
	p := d.stack.panels[0].plot
	d.has(0, inkColor, p.X.Min, h.gauss(p.X.Min))

	a := sampleACF()
	d = drawnOf(t, a)
	for k, s := range a.Series {
		for i, lag := range s.Lag {
			d.has(0, seriesColor(k), lag, s.ACF[i])
			d.has(0, inkColor, lag, s.Theory[i])
			d.has(0, faded(seriesColor(k), bandOpacity), lag, s.ACF[i]+2*s.SE[i])
		}
	}
}

func TestTimelineDrawn(t *testing.T) {
	l := Timeline{Kinds: []string{"a", "b"}, Rows: []TimelineRow{
		{Name: "x", Spans: []Span{{0, 40, 0}, {50, 100, 1}}},
		// Far more spans than pixels, of which b takes more.
		{Name: "y", Spans: nil},
	}, VLines: []Reference{{At: 70}}}
	for i := range 20000 {
		from := float64(i) / 200
		l.Rows[1].Spans = append(l.Rows[1].Spans, Span{from, from + .002, 0}, Span{from + .002, from + .005, 1})
	}
	d := drawnOf(t, l)
	for _, y := range []float64{-.36, .36} {
		d.has(0, palette[0], 0, y)
		d.has(0, palette[0], 40, y)
		d.has(0, palette[1], 50, y)
		d.has(0, palette[1], 100, y)
	}
	d.has(0, inkColor, 70, -.5)
	// Row y is one area of b, but for a pixel at its ends.
	areas := map[color.Color]int{}
	c := draw.Canvas{Rectangle: d.data[0]}
	p := d.stack.panels[0].plot
	for _, q := range d.paths {
		if len(q.pts) == 4 && math.Abs(float64(q.pts[0].Y-c.Y(p.Y.Norm(1.36)))) < 1e-3 {
			areas[q.color]++
		}
	}
	if areas[palette[1]] != 1 || areas[palette[0]] > 2 {
		t.Errorf("row of many spans has areas %v", areas)
	}
}

// TestTilesAligned checks that axes of neighbours are in line.
func TestTilesAligned(t *testing.T) {
	wide := Lines{YLabel: "a", Series: []Line{{X: []float64{0, 1}, Y: []float64{1e4, 2e4}}}}
	thin := Lines{XLabel: "b", Title: "c", Series: []Line{{X: []float64{0, 1}, Y: []float64{1, 2}}}}
	r := record(figure(t, Tiles{Figures: []*Figure{figure(t, wide), figure(t, thin), figure(t, thin), figure(t, wide)}}))
	left, bottom := map[string]int{}, map[string]int{}
	for _, p := range r.paths {
		if p.color != axisColor || len(p.pts) != 2 {
			continue
		}
		switch d := p.pts[1].Sub(p.pts[0]); {
		case d.X > 50:
			bottom[fmt.Sprintf("%.2f", p.pts[0].Y)]++
		case d.Y > 50:
			left[fmt.Sprintf("%.2f", p.pts[0].X)]++
		}
	}
	if len(left) != 2 || len(bottom) != 2 {
		t.Errorf("vertical axes at %v, horizontal ones at %v: want two places with two each", left, bottom)
	}
}

// TestZoom checks that image pixels are whole device pixels, as large as fits.
func TestZoom(t *testing.T) {
	g := &imageGrid{ImageGrid: sampleImages(7)}
	g.PerRow = 4
	for _, w := range []vg.Length{150, 300, 333, 640} {
		z := g.zoom(vg.Point{X: w, Y: 1000}) / pixel
		room := (w - g.gaps().X) / pixel / (4 * 28)
		if math.Abs(float64(z)-math.Round(float64(z))) > 1e-9 || z > room+1e-6 || z+1 < room {
			t.Errorf("width %v: %v device pixels: want a whole number just below %v", w, z, room)
		}
	}
}

// TestPDFColors checks that half-transparent colours keep their hue in a PDF.
func TestPDFColors(t *testing.T) {
	s := Line{X: []float64{0, 1}, Y: []float64{0, 1}, SE: []float64{1, 1}}
	pdf := encoded2(t, figure(t, Lines{Series: []Line{s}}), "pdf")
	known := map[string]bool{}
	for _, c := range append([]color.NRGBA{{255, 255, 255, 255}, inkColor, noteColor, axisColor, gridColor}, palette...) {
		known[fmt.Sprintf("%.3f %.3f %.3f", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255)] = true
	}
	_, body, _ := bytes.Cut(pdf, []byte("stream\n"))
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	fills := regexp.MustCompile(`([\d.]+ [\d.]+ [\d.]+) rg`).FindAllSubmatch(page, -1)
	if len(fills) == 0 {
		t.Fatal("no colours")
	}
	for _, m := range fills {
		if !known[string(m[1])] {
			t.Errorf("unknown colour %s", m[1])
		}
	}
}

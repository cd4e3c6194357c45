package plotx

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// spec is any figure type.
type spec interface {
	Figure() (*Figure, error)
}

// sample is a figure that must look right.
type sample struct {
	name string
	spec spec
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func figure(t testing.TB, s spec) *Figure {
	t.Helper()
	f, err := s.Figure()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sampleBars(labels []string, samplers int) PosteriorBars {
	r := newRand()
	b := PosteriorBars{Title: "Posterior given wet grass", Labels: labels}
	for range labels {
		b.Exact = append(b.Exact, r.Float64())
	}
	for i := range samplers {
		e := Estimate{Name: []string{"Gibbs", "LIF network", "LIF with short-term plasticity"}[i]}
		for _, x := range b.Exact {
			e.P = append(e.P, min(1, max(0, x+0.03*r.NormFloat64())))
			e.MCSE = append(e.MCSE, 0.015)
		}
		b.Samplers = append(b.Samplers, e)
	}
	return b
}

// names returns n labels "variable i=value".
func names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("reflectance %d=%s", i/2, []string{"high", "low"}[i%2]))
	}
	return out
}

func sampleDKL() DKLCurve {
	r := newRand()
	d := DKLCurve{Title: "Convergence of a 5-unit Boltzmann machine", Level: 3e-5}
	for i, name := range []string{"Gibbs", "LIF, COBA", "LIF with STP"} {
		s := DKLSeries{Name: name}
		for k := range 31 {
			t := math.Pow(10, 2+float64(k)/6)
			floor := 31 / (2 * t / 20)
			v := (floor + []float64{0, 2e-4, 3e-3}[i]) * math.Exp(0.1*r.NormFloat64())
			switch {
			case k < 2:
				v = math.Inf(1)
			case k == 10:
				v = math.NaN()
			case k == 11:
				v = 0
			}
			s.T, s.D, s.SE = append(s.T, t), append(s.D, v), append(s.SE, 0.25*v)
			if i == 2 {
				s.Floor = append(s.Floor, 2*floor)
			}
			if i == 0 {
				d.FloorT, d.Floor = append(d.FloorT, t), append(d.Floor, floor)
			}
		}
		d.Series = append(d.Series, s)
	}
	return d
}

func sampleRaster() Raster {
	r := newRand()
	ra := Raster{Title: "Sampling with five LIF neurons", TauRef: 10, Labels: []string{"z_{1}", "z_{2}", "z_{3}", "z_{4}", "z_{5}"}, To: 300}
	for range 5 {
		var s []float64
		for t := r.ExpFloat64() * 10; t < 320; t += 10 + r.ExpFloat64()*14 {
			s = append(s, t)
		}
		ra.Spikes = append(ra.Spikes, s)
	}
	tr := &Trace{Unit: 2, Threshold: -50, Reset: -53}
	u := -52.0
	for k := range 3000 {
		t := 0.1 * float64(k)
		u += 0.03*(-52-u) + 0.3*r.NormFloat64()
		v := min(u, -50.05)
		for _, spike := range ra.Spikes[2] {
			if t >= spike && t < spike+10 {
				v, u = tr.Reset, -52
			}
		}
		tr.T, tr.V = append(tr.T, t), append(tr.V, v)
	}
	ra.Trace = tr
	return ra
}

func sampleRaster200() Raster {
	r := newRand()
	ra := Raster{Title: "Many units", TauRef: 5, From: 1e6, To: 1e6 + 2000}
	for range 200 {
		var s []float64
		for t := 1e6 + r.ExpFloat64()*60; t < 1e6+2000; t += 5 + r.ExpFloat64()*60 {
			s = append(s, t)
		}
		ra.Spikes = append(ra.Spikes, s)
	}
	return ra
}

func sampleActivation(sets int) Activation {
	r := newRand()
	a := Activation{Title: "Activation function of a LIF neuron under Poisson noise"}
	for k := range sets {
		l := &Logistic{Mid: -51.2 + 0.6*float64(k), Width: 0.3 + 0.1*float64(k)}
		s := ActivationSet{Name: fmt.Sprintf("τ_{syn} = %d ms", 10*(k+1)), Fit: l}
		truth := func(u float64) float64 {
			x := (u - l.Mid) / l.Width
			return min(1, max(0, l.At(u)+0.012*math.Sin(1.4*x)*math.Exp(-math.Abs(x)/4)))
		}
		for i := range 25 {
			u := l.Mid + l.Width*(-7+14*float64(i)/24)
			s.U, s.MCSE = append(s.U, u), append(s.MCSE, 0.004)
			s.P = append(s.P, min(1, max(0, truth(u)+0.003*r.NormFloat64())))
		}
		for i := range 141 {
			u := l.Mid + l.Width*(-7+0.1*float64(i))
			s.AnalyticU, s.AnalyticP = append(s.AnalyticU, u), append(s.AnalyticP, truth(u))
		}
		a.Sets = append(a.Sets, s)
	}
	return a
}

func sampleHistogram() Histogram {
	r := newRand()
	h := Histogram{Title: "Free membrane potential", Mean: -51, SD: 0.42}
	for range 20000 {
		h.Values = append(h.Values, h.Mean+h.SD*r.NormFloat64())
	}
	return h
}

func sampleACF() ACFCurve {
	a := ACFCurve{Title: "Autocorrelation of the free membrane"}
	for _, tau := range []float64{10, 30} {
		s := ACFSeries{Name: fmt.Sprintf("τ_{syn} = %v ms", tau)}
		for i := range 101 {
			t := float64(i)
			s.Lag, s.Theory = append(s.Lag, t), append(s.Theory, math.Exp(-t/tau))
			s.ACF = append(s.ACF, math.Exp(-t/tau)+2e-4*t*math.Sin(t/7))
			s.SE = append(s.SE, 0.01*math.Sqrt(t/10))
		}
		a.Series = append(a.Series, s)
	}
	return a
}

func sampleLines() Lines {
	r := newRand()
	l := Lines{
		Title: "Learning curve", XLabel: "epoch", YLabel: "error [%]",
		HLines: []Reference{{1.3, "state of the art"}}, VLines: []Reference{{20, "start of sleep"}},
	}
	for k := range 8 {
		s := Line{Name: fmt.Sprintf("series %d", k), Points: k == 1, Theory: k == 7}
		for i := range 60 {
			s.X = append(s.X, float64(i))
			s.Y = append(s.Y, 3+float64(k)+40*math.Exp(-float64(i)/float64(5+k))+0.3*r.NormFloat64())
			if k < 2 {
				s.SE = append(s.SE, 0.7)
			}
		}
		l.Series = append(l.Series, s)
	}
	return l
}

func sampleTimeline(rows, spans int) Timeline {
	r := newRand()
	l := Timeline{Title: "Modes that the samplers visit", Kinds: []string{"group 1", "group 2", "group 3"}, XLabel: "work [sweeps]",
		VLines: []Reference{{500, "a cue"}}}
	for i := range rows {
		row := TimelineRow{Name: fmt.Sprintf("sampler %d", i)}
		t := 0.0
		for t < 1000 && len(row.Spans) < spans*(i+1) {
			d := 2000 * r.Float64() / float64(spans*(i+1))
			row.Spans = append(row.Spans, Span{t, min(t+0.9*d, 1000), r.IntN(3)})
			t += d
		}
		l.Rows = append(l.Rows, row)
	}
	return l
}

func sampleHeat(rows, cols int, signed bool) Heat {
	r := newRand()
	h := Heat{Title: "Weights", XLabel: "presynaptic unit", YLabel: "postsynaptic unit", BarLabel: "weight [nats]"}
	for range rows {
		row := make([]float64, cols)
		for j := range row {
			row[j] = r.Float64()
			if signed {
				row[j] = r.NormFloat64()
			}
		}
		h.Values = append(h.Values, row)
	}
	return h
}

func sampleImages(n int) ImageGrid {
	r := newRand()
	g := ImageGrid{Title: "Samples of the visible layer", Rows: 28, Cols: 28}
	for range n {
		img := make([]float64, 28*28)
		x, y, radius := 10+8*r.Float64(), 10+8*r.Float64(), 4+5*r.Float64()
		for i := range img {
			d := math.Hypot(float64(i%28)-x, float64(i/28)-y) - radius
			img[i] = math.Exp(-d * d / 3)
		}
		g.Images = append(g.Images, img)
	}
	return g
}

// samples returns figures of every type, ordinary ones and edge cases.
func samples(t testing.TB) []sample {
	long := strings.Repeat("a rather long name ", 20)
	numbers := []string{}
	for i := range 32 {
		numbers = append(numbers, fmt.Sprint(i))
	}
	labelled := sampleImages(12)
	labelled.Labels = strings.Split("0 1 2 3 4 5 6 7 8 9 10 longer_than_the_image", " ")
	rows := sampleImages(23)
	rows.RowLabels = []string{"data", "wake", "sleep"}
	namedHeat := sampleHeat(4, 3, false)
	namedHeat.RowLabels = []string{"shape=cube", "shape=cylinder", "a", long}
	namedHeat.ColLabels = []string{"reflectance=high", "x", long}
	lines := sampleLines()
	lines.Title, lines.YLabel, lines.Series[0].Name = long, long, long
	dklLine := func(t, d []float64) DKLCurve {
		return DKLCurve{Title: "Edge", Series: []DKLSeries{{Name: "a", T: t, D: d}}}
	}
	line := func(x, y []float64) Lines { return Lines{Series: []Line{{Name: "a", X: x, Y: y}}} }
	return []sample{
		{"bars-1", sampleBars([]string{"rain=true"}, 1)},
		{"bars-2", sampleBars([]string{"rain=true", "wet=true"}, 3)},
		{"bars-6", sampleBars([]string{"cloudy=false", "cloudy=true", "sprinkler=false", "sprinkler=true", "rain=false", "rain=true"}, 2)},
		{"bars-5", sampleBars([]string{"shape=cube", "shape=cylinder", "reflectance=high", "reflectance=low", "contour=ambiguous"}, 3)},
		{"bars-13", sampleBars(names(13), 3)},
		{"bars-32", sampleBars(numbers, 2)},
		{"bars-40", sampleBars(names(40), 3)},
		{"bars-200", sampleBars(names(200), 3)},
		{"bars-long", sampleBars([]string{long, "b"}, 2)},
		{"dkl", sampleDKL()},
		{"dkl-point", dklLine([]float64{10}, []float64{0.1})},
		{"dkl-huge", dklLine([]float64{1e-90, 1e90}, []float64{1e-80, 1e90})},
		{"dkl-narrow", dklLine([]float64{1000, 2000}, []float64{0.1, 0.11})},
		{"raster", sampleRaster()},
		{"raster-200", sampleRaster200()},
		{"raster-1", Raster{Spikes: [][]float64{{5}}}},
		{"activation-1", sampleActivation(1)},
		{"activation-3", sampleActivation(3)},
		{"activation-point", Activation{Sets: []ActivationSet{{U: []float64{-50}, P: []float64{0.5}}}}},
		{"histogram", sampleHistogram()},
		{"histogram-1", Histogram{Values: []float64{3}}},
		{"acf", sampleACF()},
		{"lines", sampleLines()},
		{"lines-long", lines},
		{"lines-point", line([]float64{0}, []float64{0})},
		{"lines-huge", line([]float64{-1e100, 1e100}, []float64{1e100, -1e100})},
		{"lines-tiny", line([]float64{0, 5e-324}, []float64{1, 1 + 1e-15})},
		{"lines-far", line([]float64{1e6, 1e6 + 300}, []float64{1e12, 1e12 + 3e5})},
		{"timeline", sampleTimeline(6, 20)},
		{"timeline-1", Timeline{Kinds: []string{"a"}, Rows: []TimelineRow{{Name: long, Spans: []Span{{0, 0, 0}}}}}},
		{"timeline-100", sampleTimeline(100, 30)},
		{"heat-12", sampleHeat(12, 12, true)},
		{"heat-1", sampleHeat(1, 1, false)},
		{"heat-wide", sampleHeat(60, 180, false)},
		{"heat-tall", sampleHeat(200, 3, true)},
		{"heat-named", namedHeat},
		{"images", sampleImages(30)},
		{"images-labels", labelled},
		{"images-rows", rows},
		{"tiles", Tiles{Letters: true, Figures: []*Figure{
			figure(t, sampleActivation(1)), figure(t, sampleACF()),
			figure(t, sampleHistogram()), figure(t, sampleHeat(12, 12, true)),
		}}},
		{"tiles-3", Tiles{Cols: 3, Figures: []*Figure{
			figure(t, rows), figure(t, sampleDKL()), figure(t, sampleBars(names(4), 2)), figure(t, sampleRaster()),
		}}},
	}
}

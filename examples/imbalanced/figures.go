package main

import (
	"math"
	"path/filepath"

	"github.com/spikesampling/spikesampling/internal/plotx"
)

// draw writes the figures and returns their paths.
func (b *bench) draw() ([]string, error) {
	t := plotx.Tiles{Letters: true, Cols: 1}
	for _, f := range []interface {
		Figure() (*plotx.Figure, error)
	}{b.scores(), b.occupancies()} {
		fig, err := f.Figure()
		if err != nil {
			return nil, err
		}
		t.Figures = append(t.Figures, fig)
	}
	fig, err := t.Figure()
	if err != nil {
		return nil, err
	}
	files := []string{filepath.Join(b.f.out, "imbalanced.png"), filepath.Join(b.f.out, "strips.png")}
	if err := fig.Save(files[0]); err != nil {
		return nil, err
	}
	if fig, err = b.s.Strips(b.res.Samplers, size, 20).Figure(); err != nil {
		return nil, err
	}
	return files, fig.Save(files[1])
}

// scores are the ISL on the two kinds of test images against each other.
func (b *bench) scores() plotx.Lines {
	l := plotx.Lines{Title: "ISL on both kinds of test images [nats per image]", XLabel: "test images in the proportions of training",
		YLabel: "as many of each digit", Size: plotx.Size{Height: 4.6}}
	for _, r := range b.res.Samplers {
		mean, sd := r.Last()
		p := plotx.Line{Name: r.Name, Points: true, X: []float64{float64(r.On[inProportion])}, Y: []float64{mean}}
		if !math.IsNaN(sd) {
			p.SE = []float64{sd / math.Sqrt(float64(len(r.Chains)))}
		}
		l.Series = append(l.Series, p)
	}
	l.Series = append(l.Series, plotx.Line{Name: "training images", Points: true, Theory: true,
		X: []float64{float64(b.res.DataISLOn)}, Y: []float64{float64(b.res.DataISL)}})
	return l
}

// occupancies are the shares of the digits.
func (b *bench) occupancies() plotx.PosteriorBars {
	f := plotx.PosteriorBars{Title: "shares of the digits", PLabel: "share of samples", Labels: []string{"training images"}}
	for k, name := range b.res.Digits {
		e := plotx.Estimate{Name: name, P: []float64{proportions(b.res.Counts)[k]}}
		for _, r := range b.res.Samplers {
			e.P = append(e.P, min(1, r.Occupancy[k]))
		}
		f.Samplers = append(f.Samplers, e)
	}
	f.Labels = append(f.Labels, b.names()...)
	return f
}

// names are those of the samplers.
func (b *bench) names() (names []string) {
	for _, x := range b.res.Samplers {
		names = append(names, x.Name)
	}
	return names
}

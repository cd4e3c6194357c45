package main

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/spikesampling/spikesampling/internal/plotx"
)

// draw writes the figures and returns their paths.
func (b *bench) draw() ([]string, error) {
	var files []string
	save := func(name string, fig *plotx.Figure, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(b.f.out, name)
		files = append(files, path)
		return fig.Save(path)
	}
	fig, err := b.curves().Figure()
	if err := save("accuracy.png", fig, err); err != nil {
		return nil, err
	}
	fig, err = b.confusions()
	if err := save("confusion.png", fig, err); err != nil {
		return nil, err
	}
	fig, err = b.completions().Figure()
	if err := save("completion.png", fig, err); err != nil {
		return nil, err
	}
	return files, nil
}

// curves are the accuracies against biological time.
func (b *bench) curves() plotx.Lines {
	free := b.res.Rows[0]
	l := plotx.Lines{Title: fmt.Sprintf("%d test images of %d×%d; standard error %.1f %%", b.res.Test, b.f.size, b.f.size, 100*free.SE),
		XLabel: "time since the image appeared [ms]", YLabel: "accuracy [%]", LogX: true,
		HLines: []plotx.Reference{{At: 100 * free.Accuracy, Name: "exact free energies"}}}
	for _, r := range b.res.Rows[1:] {
		s := plotx.Line{Name: r.Classifier}
		for _, p := range r.Curve {
			s.X, s.Y = append(s.X, p.BioMS), append(s.Y, 100*p.Accuracy)
		}
		l.Series = append(l.Series, s)
	}
	return l
}

// confusions are the errors of free energies and of the first network.
func (b *bench) confusions() (*plotx.Figure, error) {
	rows := b.res.Rows[:1:1]
	for _, name := range []string{"lif", b.list[0].name} {
		if r := b.find(name); r != nil {
			rows = append(rows, r)
			break
		}
	}
	top := 1.0 // largest error [%]
	var maps []plotx.Heat
	for _, r := range rows {
		h := plotx.Heat{Title: r.Classifier, XLabel: "answer", YLabel: "true class", RowLabels: b.classes, ColLabels: b.classes, Colors: plotx.Sequential,
			BarLabel: "images of a class [%]"}
		for k, counts := range r.Confusion {
			n := 0.0
			for _, x := range counts {
				n += x
			}
			v := make([]float64, len(counts))
			for l, x := range counts {
				v[l] = 100 * x / math.Max(n, 1)
				if l != k {
					top = math.Max(top, v[l])
				}
			}
			h.Values = append(h.Values, v)
		}
		maps = append(maps, h)
	}
	t := plotx.Tiles{}
	for _, h := range maps {
		h.Max = math.Ceil(1.25 * top) // right answers are beyond the scale
		h.Title += ": right answers off the scale"
		fig, err := h.Figure()
		if err != nil {
			return nil, err
		}
		t.Figures = append(t.Figures, fig)
	}
	return t.Figure()
}

// find is the row of a classifier, or nil.
func (b *bench) find(name string) *row {
	for _, r := range b.res.Rows {
		if r.Classifier == name {
			return r
		}
	}
	return nil
}

// completions are digits in columns: the digit, what is seen of it, and what samplers make of
// it.
func (b *bench) completions() plotx.ImageGrid {
	first := b.res.Completion[0]
	g := plotx.ImageGrid{Title: "pixels hidden, and what the network expects there: mean, and last states of three chains", Rows: b.f.size, Cols: b.f.size, PerRow: len(first.digits)}
	add := func(name string, image func(i int) []float64) {
		g.RowLabels = append(g.RowLabels, name)
		for i := range first.digits {
			g.Images = append(g.Images, image(i))
		}
	}
	truth := func(i int) []float64 {
		x := make([]float64, len(b.half.free))
		image := b.test.Images[first.digits[i]]
		for k, u := range b.half.free[:len(x)-len(b.classes)] {
			x[k] = float64(image[u])
		}
		return b.full(image, x)
	}
	add("digit", truth)
	add("seen", func(i int) []float64 {
		x := make([]float64, len(b.half.free))
		for k := range x {
			x[k] = 0.5
		}
		return b.full(b.test.Images[first.digits[i]], x)
	})
	for _, c := range b.res.Completion {
		add(c.Sampler+" mean", func(i int) []float64 { return c.mean[i] })
		if c.Sampler == reference || c.Sampler == "lif-stp" {
			continue // the mean says enough
		}
		for k := range shown {
			name := ""
			if k == 0 {
				name = "samples"
			}
			add(name, func(i int) []float64 { return c.samples[i][k] })
		}
	}
	return g
}

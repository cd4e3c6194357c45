package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/internal/plotx"
)

// draw writes the figures and returns their paths.
func (b *bench) draw(ctx context.Context, progress *cli.Progress) ([]string, error) {
	var files []string
	save := func(name string, fig *plotx.Figure, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(b.f.out, name)
		files = append(files, path)
		return fig.Save(path)
	}
	fig, err := b.curves()
	if err := save("isl.png", fig, err); err != nil {
		return nil, err
	}
	fig, err = b.s.Strips(b.res.Samplers, b.f.size, 20).Figure()
	if err := save("strips.png", fig, err); err != nil {
		return nil, err
	}
	fig, err = b.timeline().Figure()
	if err := save("classes.png", fig, err); err != nil {
		return nil, err
	}
	for _, r := range b.res.Samplers {
		fig, err = b.s.Grid(r, b.f.size).Figure()
		if err := save("grid-"+r.Name+".png", fig, err); err != nil {
			return nil, err
		}
	}
	pca, tsne, err := b.embeddings(ctx, progress)
	if err != nil {
		return nil, err
	}
	if err := save("pca.png", pca, nil); err != nil {
		return nil, err
	}
	if tsne != nil {
		if err := save("tsne.png", tsne, nil); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// curves are the ISL against the number of samples and against the three currencies.
func (b *bench) curves() (*plotx.Figure, error) {
	const y = "ISL [nats per image]"
	panels := []plotx.Lines{
		{XLabel: "samples", Title: "ISL of test images, ± 2 standard errors"},
		{XLabel: "work [sweeps]"},
		{XLabel: "biological time [s]"},
		{XLabel: "wall time on one processor, setup included [s]"},
	}
	for i := range panels {
		panels[i].YLabel, panels[i].LogX = y, true
		panels[i].HLines = []plotx.Reference{{At: float64(b.res.DataISL)}}
	}
	panels[0].HLines[0].Name = "training images"
	for _, r := range b.res.Samplers {
		var l [4]plotx.Line
		l[0].Name = r.Name
		n := float64(len(r.Runs))
		for k, m := range r.Marks {
			sum, square := 0.0, 0.0
			var x [4]float64
			for i, c := range r.Runs {
				sum += r.Curves[i][k] / n
				square += r.Curves[i][k] * r.Curves[i][k] / n
				cost := c.Spent[m-1]
				x[0] = float64(m)
				x[1] += cost.Sweeps / n
				x[2] += cost.BioMS / 1000 / n
				x[3] += (cost.Wall + c.Setup.Wall).Seconds() / n
			}
			for i := range l {
				l[i].X, l[i].Y = append(l[i].X, math.Max(x[i], 1e-6)), append(l[i].Y, sum)
				if n > 1 {
					l[i].SE = append(l[i].SE, math.Sqrt(max(0, square-sum*sum)/(n-1)))
				}
			}
		}
		for i := range panels {
			panels[i].Series = append(panels[i].Series, l[i])
		}
	}
	return tiled(2, true, panels...)
}

// tiled puts figures in columns.
func tiled[F interface {
	Figure() (*plotx.Figure, error)
}](cols int, letters bool, parts ...F) (*plotx.Figure, error) {
	t := plotx.Tiles{Cols: cols, Letters: letters}
	for _, p := range parts {
		fig, err := p.Figure()
		if err != nil {
			return nil, err
		}
		t.Figures = append(t.Figures, fig)
	}
	return t.Figure()
}

// timeline is the class that the first chain of every sampler shows.
func (b *bench) timeline() plotx.Timeline {
	l := plotx.Timeline{Title: "class of the picture, first chain of each sampler", XLabel: "samples", Kinds: b.data.Classes, To: float64(b.res.Samples)}
	if len(l.Kinds) > 12 {
		l.Kinds = l.Kinds[:12]
	}
	for _, r := range b.res.Samplers {
		row := plotx.TimelineRow{Name: r.Name}
		class, at := dream.Runs(r.Judged[0])
		for i, c := range class {
			end := b.res.Samples
			if i+1 < len(at) {
				end = at[i+1]
			}
			if int(c) < len(l.Kinds) {
				row.Spans = append(row.Spans, plotx.Span{From: float64(at[i]), To: float64(end), Kind: int(c)})
			}
		}
		l.Rows = append(l.Rows, row)
	}
	if !slices.ContainsFunc(l.Rows, func(r plotx.TimelineRow) bool { return len(r.Spans) > 0 }) {
		l.Rows[0].Spans = []plotx.Span{{}} // nothing lasted
	}
	return l
}

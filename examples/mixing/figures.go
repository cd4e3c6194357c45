package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/spikesampling/spikesampling/internal/plotx"
)

// draw writes the figures that the result has data for and returns their paths.
func (b *bench) draw(res *result) ([]string, error) {
	var files []string
	save := func(name string, fig *plotx.Figure, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(b.f.out, name)
		files = append(files, path)
		return fig.Save(path)
	}
	l, err := timeline(res)
	if err != nil {
		return nil, err
	}
	fig, err := l.Figure()
	if err := save("modes.png", fig, err); err != nil {
		return nil, err
	}
	if c := curves(res); len(c[0].Series) > 0 {
		fig, err := column(c[0], c[1], c[2])
		if err := save("dkl.png", fig, err); err != nil {
			return nil, err
		}
	}
	if b.ladder != nil {
		fig, err := b.ladderFigure(res)
		if err := save("ladder.png", fig, err); err != nil {
			return nil, err
		}
	}
	if b.heat != nil {
		fig, err := b.temperatureFigure()
		if err := save("temperature.png", fig, err); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// column puts figures below each other.
func column[F interface {
	Figure() (*plotx.Figure, error)
}](parts ...F) (*plotx.Figure, error) {
	t := plotx.Tiles{Cols: 1}
	for _, p := range parts {
		fig, err := p.Figure()
		if err != nil {
			return nil, err
		}
		t.Figures = append(t.Figures, fig)
	}
	return t.Figure()
}

// most is the number of modes that have a colour of their own.
const most = 12

// timeline is the visits of the first chain of every sampler, against its work.
func timeline(res *result) (plotx.Timeline, error) {
	l := plotx.Timeline{Title: res.Model + ": the mode that the first chain of each sampler is in", XLabel: "work of this chain [1000 sweeps]",
		Kinds: res.Modes[:min(len(res.Modes), most)]}
	for _, r := range res.Rows {
		visits, end, err := r.Modes.Visits(0)
		if err != nil {
			return l, err
		}
		begun, done := r.Work[0][0]/1000, r.Work[0][1]/1000
		at := func(t float64) float64 { return begun + (done-begun)*t/end } // recording begins at time 0
		row := plotx.TimelineRow{Name: r.Sampler}
		for i, v := range visits {
			until := end
			if i+1 < len(visits) {
				until = visits[i+1].Time
			}
			if v.Mode < most {
				row.Spans = append(row.Spans, plotx.Span{From: at(v.Time), To: at(until), Kind: v.Mode})
			}
		}
		l.To = max(l.To, done)
		l.Rows = append(l.Rows, row)
	}
	return l, nil
}

// curves are the divergences of the masses against the three currencies. Only the first has
// the names, as all have the same colours.
func curves(res *result) [3]plotx.DKLCurve {
	const d = "D_{KL} of modes [nats]"
	size := plotx.Size{Height: 2.6}
	out := [3]plotx.DKLCurve{
		{TLabel: "work of each chain [sweeps]", DLabel: d, Title: res.Model + ": divergence of the masses of the modes from the exact ones", Size: plotx.Size{Height: 3.2}},
		{TLabel: "biological time of each chain [s], replicas side by side", DLabel: d, Size: size},
		{TLabel: "wall time of each chain on one processor [s]", DLabel: d, Size: size},
	}
	for _, r := range res.Rows {
		var s [3]plotx.DKLSeries
		s[0].Name = r.Sampler
		for _, p := range r.Curve {
			for i, t := range []float64{p.Sweeps, p.BioMS / 1000, p.WallS} {
				s[i].T, s[i].D = append(s[i].T, t), append(s[i].D, float64(p.DKL))
			}
		}
		// All have a line or none.
		if slices.ContainsFunc(s[0].D, func(x float64) bool { return x > 0 && !math.IsInf(x, 0) }) {
			for i := range out {
				out[i].Series = append(out[i].Series, s[i])
			}
		}
	}
	return out
}

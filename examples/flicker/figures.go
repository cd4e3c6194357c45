package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/spikesampling/spikesampling/internal/plotx"
)

// draw writes the figures and returns their paths.
func (e *experiment) draw(res *result) ([]string, error) {
	var files []string
	save := func(name string, fig *plotx.Figure, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(e.f.out, name)
		files = append(files, path)
		return fig.Save(path)
	}
	if at, ok := e.trial(); ok {
		fig, err := e.trialFigure(at)
		if err := save("flicker.png", fig, err); err != nil {
			return nil, err
		}
	}
	fig, err := e.phaseFigure(res)
	return files, save("phases.png", fig, err)
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

// figurer is any kind of figure.
type figurer interface {
	Figure() (*plotx.Figure, error)
}

// trialFigure shows the change of the cue at the trough of that number: the rhythm, the map,
// and the spikes of the place cells.
func (e *experiment) trialFigure(trough int) (*plotx.Figure, error) {
	period := e.wave.Period()
	lo, hi := -before*period, hold*period
	wave := plotx.Lines{Title: fmt.Sprintf("background rhythm of %g Hz", e.f.freq), YLabel: "rate factor m",
		XMin: lo, XMax: hi, VLines: []plotx.Reference{{At: 0}}, Size: plotx.Size{Height: 1.9}}
	m := plotx.Line{}
	for i := range 2001 {
		t := lo + (hi-lo)*float64(i)/2000
		m.X, m.Y = append(m.X, t), append(m.Y, e.wave.RateFactor(t-lo))
	}
	wave.Series = []plotx.Line{m}

	line := plotx.Timeline{Title: "the map that the network is in", Kinds: []string{"map A", "map B"}, From: lo, To: hi, XLabel: "time since the cue changed [ms]",
		VLines: []plotx.Reference{{At: 0, Name: "cue changes from A to B"}}, Size: plotx.Size{Height: 1.9},
		Rows: []plotx.TimelineRow{{Name: "cue", Spans: []plotx.Span{{From: lo, To: 0, Kind: mapA}, {From: 0, To: hi, Kind: mapB}}}, {Name: "network"}}}
	raster := plotx.Raster{Title: "spikes of the place cells", TauRef: e.setup.Neuron.TauRef, From: lo, To: hi, Size: plotx.Size{Height: 3}}
	n := e.f.cells
	raster.Spikes = make([][]float64, 2*n)
	for k := range 2 * n {
		raster.Labels = append(raster.Labels, fmt.Sprintf("%c%d", 'A'+k/n, k%n+1))
	}
	r := e.runs[4]
	zero := r.spikes.Start + float64(trough)*period // time of the trough in the run
	for _, s := range r.spikes.Train {
		if t := s.Time - zero; t >= lo && t < hi {
			raster.Spikes[s.Unit] = append(raster.Spikes[s.Unit], t)
		}
	}
	visits, end, err := r.all.Visits(0)
	if err != nil {
		return nil, err
	}
	for i, v := range visits {
		until := end
		if i+1 < len(visits) {
			until = visits[i+1].Time
		}
		if from, to := max(v.Time-zero, lo), min(until-zero, hi); from < to {
			line.Rows[1].Spans = append(line.Rows[1].Spans, plotx.Span{From: from, To: to, Kind: v.Mode})
		}
	}
	return tiled[figurer](1, false, wave, line, raster)
}

// phaseFigure shows at which phase the map switches, and how it follows the cue.
func (e *experiment) phaseFigure(res *result) (*plotx.Figure, error) {
	total, top := 0, 0
	for _, n := range res.Phases {
		total += n
		top = max(top, n)
	}
	hist := plotx.Lines{Title: fmt.Sprintf("phase of %d switches without cue", total), XLabel: "phase of the cycle (0: coldest)", YLabel: "switches per sixteenth of the cycle"}
	steps := plotx.Line{Name: "switches", X: []float64{0}, Y: []float64{0}}
	for i, n := range res.Phases {
		steps.X = append(steps.X, float64(i)/bins, float64(i+1)/bins)
		steps.Y = append(steps.Y, float64(n), float64(n))
	}
	steps.X, steps.Y = append(steps.X, 1), append(steps.Y, 0)
	wave := plotx.Line{Name: "rate factor m, scaled", Theory: true}
	for i := range 201 {
		x := float64(i) / 200
		wave.X = append(wave.X, x)
		wave.Y = append(wave.Y, float64(max(top, 1))*e.wave.RateFactor(x*e.wave.Period())/e.f.peak)
	}
	hist.Series = []plotx.Line{steps, wave}

	c := res.Cue
	follow := plotx.Lines{Title: "the map when the cue changes from A to B", XLabel: "cycles since the change", YLabel: "probability of map B at the trough",
		YMin: -.03, YMax: 1.03, VLines: []plotx.Reference{{At: 0}},
		HLines: []plotx.Reference{{At: c.ExactB, Name: "exact, T = 1"}}}
	if at := float64(c.SampledB); !math.IsNaN(at) {
		follow.HLines = append(follow.HLines, plotx.Reference{At: at, Name: "sampled, cue on B"})
	}
	p := plotx.Line{Name: "±2 SE", Points: true}
	for i, k := range c.Cycle {
		x, se := float64(c.PB[i]), float64(c.SE[i])
		if math.IsNaN(x) || math.IsNaN(se) {
			continue
		}
		p.X, p.Y, p.SE = append(p.X, float64(k)), append(p.Y, x), append(p.SE, se)
	}
	figs := []plotx.Lines{hist}
	if len(p.X) > 0 {
		p.Name = strings.TrimSpace(fmt.Sprintf("%d changes, ±2 SE", c.Trials))
		follow.Series = []plotx.Line{p}
		figs = append(figs, follow)
	}
	return tiled(2, true, figs...)
}

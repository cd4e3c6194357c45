package main

import (
	"fmt"
	"path/filepath"

	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/lif/ensemble"
)

// draw writes the figures that the result has data for and returns their paths.
func (f flags) draw(res *result) ([]string, error) {
	var files []string
	save := func(name string, parts func() ([]*plotx.Figure, error), cols int) error {
		figs, err := parts()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fig, err := plotx.Tiles{Figures: figs, Cols: cols}.Figure()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(f.out, name)
		files = append(files, path)
		return fig.Save(path)
	}
	if res.Noise != nil {
		if err := save("noise.png", res.Noise.figures, 2); err != nil {
			return files, err
		}
	}
	if res.DKL != nil && len(res.curve) > 0 {
		if err := save("networks.png", res.figures, 2); err != nil {
			return files, err
		}
	}
	if res.Patterns != nil {
		if err := save("patterns.png", res.Patterns.figures, 1); err != nil {
			return files, err
		}
	}
	return files, nil
}

// both makes figures of two plots.
func both(a, b plotx.Lines) ([]*plotx.Figure, error) {
	var figs []*plotx.Figure
	for _, l := range []plotx.Lines{a, b} {
		fig, err := l.Figure()
		if err != nil {
			return nil, err
		}
		figs = append(figs, fig)
	}
	return figs, nil
}

func (n *noise) figures() ([]*plotx.Figure, error) {
	var rho, measured, fine, theory, static []float64
	for _, p := range n.Pair {
		rho, measured = append(rho, p.Shared), append(measured, p.Shift)
	}
	for r := 0.0; r < 0.905; r += 0.01 {
		dW, _ := ensemble.SharedInputShift(r)
		fine, theory, static = append(fine, r), append(theory, dW), append(static, 4*ensemble.StaticShift(r))
	}
	shift := plotx.Lines{Title: "Shared noise is a coupling", XLabel: "share of common trains", YLabel: "shift ΔW of the coupling",
		Series: []plotx.Line{
			{Name: "two units, W = 0", X: rho, Y: measured, Points: true},
			{Name: "0.82 · 4f_{0}", X: fine, Y: theory, Theory: true},
			{Name: "4f_{0}", X: fine, Y: static, Theory: true, Dashed: true},
		}}
	var trains []float64
	var d [4][]float64
	for _, p := range n.Pool {
		trains = append(trains, float64(p.Trains))
		for i, x := range []float64{p.Raw, p.Weights, p.Analytic, p.Learnt} {
			d[i] = append(d[i], x)
		}
	}
	pool := plotx.Lines{Title: "Five units, 20 trains each of a pool", XLabel: "trains in the pool", YLabel: "D_{KL} [nats]", LogX: true, LogY: true}
	for i, name := range []string{"as it is", "W corrected", "W and b corrected", "learnt"} {
		pool.Series = append(pool.Series, plotx.Line{Name: name, X: trains, Y: d[i]})
	}
	return both(shift, pool)
}

func (r *result) figures() ([]*plotx.Figure, error) {
	var t, median, lo, hi, floor []float64
	for _, p := range r.curve {
		t, median = append(t, p.t/1000), append(median, p.median)
		lo, hi, floor = append(lo, p.lo), append(hi, p.hi), append(floor, p.floor)
	}
	curve := plotx.Lines{Title: fmt.Sprintf("%d networks of %d units learn", r.Networks, r.Units), XLabel: "time of learning [s]", YLabel: "D_{KL} [nats]", LogX: true, LogY: true,
		HLines: []plotx.Reference{{At: r.DKL.Trained, Name: "trained, long sample"}, {At: r.DKL.Poisson, Name: "Poisson, long sample"}},
		Series: []plotx.Line{
			{Name: "median", X: t, Y: median},
			{Name: "best and worst", X: t, Y: lo, Dashed: true},
			{X: t, Y: hi, Dashed: true, Paired: true},
			{Name: "floor of the samples", X: t, Y: floor, Theory: true, Dashed: true},
		}}
	least, most := 0.0, 0.0
	for _, x := range r.shift.theory {
		least, most = min(least, x), max(most, x)
	}
	scatter := plotx.Lines{Title: fmt.Sprintf("What they have learnt (correlation %.2f)", r.shift.r), XLabel: "minus the shift by the noise's correlations", YLabel: "learnt change of W",
		Series: []plotx.Line{
			{Name: "pairs of units", X: r.shift.theory, Y: r.shift.learnt, Points: true},
			{Name: "equal", X: []float64{least, most}, Y: []float64{least, most}, Theory: true},
		}}
	return both(curve, scatter)
}

func (p *patterns) figures() ([]*plotx.Figure, error) {
	n := len(p.dreams) / 2
	dreams, err := plotx.ImageGrid{Title: "Two networks dream: every image is the mean of 50 ms, 3 s apart", Images: p.dreams, Rows: rows, Cols: cols,
		PerRow: n, RowLabels: []string{"network 0", "network 1"}}.Figure()
	if err != nil {
		return nil, err
	}
	var images [][]float64
	for _, list := range [][][]float64{p.shown, p.completed, p.original} {
		images = append(images, list...)
	}
	completed, err := plotx.ImageGrid{Title: "Completion of the lower halves: mean of 1 s", Images: images, Rows: rows, Cols: cols,
		PerRow: len(p.shown), RowLabels: []string{"shown", "sampled", "original"}}.Figure()
	if err != nil {
		return nil, err
	}
	return []*plotx.Figure{dreams, completed}, nil
}

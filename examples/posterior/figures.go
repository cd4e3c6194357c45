package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/spikesampling/spikesampling/inference"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// draw writes the figures that the result has data for and returns their paths.
func draw(ctx context.Context, res *inference.Result, dir string) ([]string, error) {
	var files []string
	save := func(name string, fig *plotx.Figure, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(dir, name)
		files = append(files, path)
		return fig.Save(path)
	}
	fig, err := bars(res).Figure()
	if err := save("posterior.png", fig, err); err != nil {
		return nil, err
	}
	if c := curves(res); len(c.Series) > 0 {
		fig, err := c.Figure()
		if err := save("dkl.png", fig, err); err != nil {
			return nil, err
		}
	}
	if res.Machine != nil {
		r, err := raster(ctx, res)
		if err != nil {
			return nil, err
		}
		fig, err := r.Figure()
		if err := save("raster.png", fig, err); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func title(res *inference.Result) string {
	if len(res.Evidence) == 0 {
		return res.Network.Name
	}
	return fmt.Sprintf("%s given %s", res.Network.Name, res.Evidence)
}

// bars are the marginals. Of a variable with two states one says it all.
func bars(res *inference.Result) plotx.PosteriorBars {
	b := plotx.PosteriorBars{Title: title(res), PLabel: "posterior probability"}
	show := shown(res)
	for si, s := range res.Samplers {
		e := plotx.Estimate{Name: s.Name}
		for i, m := range s.Marginals {
			if !show[i] {
				continue
			}
			e.P = append(e.P, m.Estimate)
			mcse := m.MCSE
			if math.IsNaN(mcse) { // a share that never varied has no bar
				mcse = 0
			}
			e.MCSE = append(e.MCSE, mcse)
			if si == 0 {
				b.Labels = append(b.Labels, m.Variable+"="+m.State)
				b.Exact = append(b.Exact, m.Exact)
			}
		}
		b.Samplers = append(b.Samplers, e)
	}
	return b
}

// shown says which marginals are drawn: all, but of a variable with two states the one
// that a unit stands for, or else the first.
func shown(res *inference.Result) []bool {
	on := make(map[string]bool)
	for _, u := range res.Target.Units {
		on[u] = true
	}
	m := res.Samplers[0].Marginals
	show := make([]bool, len(m))
	for i := 0; i < len(m); {
		j := i
		for j < len(m) && m[j].Variable == m[i].Variable {
			j++
		}
		if j-i != 2 {
			for k := i; k < j; k++ {
				show[k] = true
			}
		} else if on[m[i+1].Variable+"="+m[i+1].State] {
			show[i+1] = true
		} else {
			show[i] = true
		}
		i = j
	}
	return show
}

// curves are the divergences of the query's joint law over biological time; a sweep of
// Gibbs sampling stands for one refractory time.
func curves(res *inference.Result) plotx.DKLCurve {
	d := plotx.DKLCurve{TLabel: "biological time of each chain [ms]", Title: "divergence of the sampled joint posterior from the exact one, " + title(res)}
	for _, s := range res.Samplers {
		if s.DKL == nil {
			continue
		}
		scale, name := 1.0, s.Name
		if s.Unit == "sweeps" {
			scale, name = res.Setup.Neuron.TauRef, name+fmt.Sprintf(" (1 sweep = %g ms)", res.Setup.Neuron.TauRef)
		}
		c := plotx.DKLSeries{Name: name}
		for _, p := range s.Curve {
			c.T = append(c.T, p.Time*scale)
			c.D = append(c.D, p.Mean)
			c.SE = append(c.SE, p.SE)
			// The floor of one chain is that of all chains together, longer by their time.
			// It is an expansion for small divergences.
			floor := s.DKL.Floor * s.Time / p.Time
			if floor > 1 {
				floor = math.NaN()
			}
			c.Floor = append(c.Floor, floor)
		}
		if slices.ContainsFunc(c.D, func(x float64) bool { return x > 0 && !math.IsInf(x, 0) }) {
			d.Series = append(d.Series, c)
		}
	}
	return d
}

// window is the biological time that the raster shows [ms].
const window = 400

// raster runs the network for a moment and shows the membrane potential of the unit
// that is nearest to spending half of it refractory.
func raster(ctx context.Context, res *inference.Result) (plotx.Raster, error) {
	const skip = 200 // leave the start out
	names := res.UnitNames()
	all := make([]int, len(names))
	for k := range all {
		all[k] = k
	}
	net, err := res.LIF(lif.NetworkOptions{Trace: all, TraceDuration: skip + window})
	if err != nil {
		return plotx.Raster{}, err
	}
	if err := net.Reset(nil, rng.Stream(res.Seed, "raster")); err != nil {
		return plotx.Raster{}, err
	}
	var rec lif.Spikes
	if err := sampling.Run(ctx, net, sampling.Schedule{Duration: skip + window}, &rec); err != nil {
		return plotx.Raster{}, err
	}
	n := res.Setup.Neuron
	r := plotx.Raster{
		Title:  "spikes of the LIF network and, shaded, its refractory state z = 1; below, a membrane potential",
		Spikes: make([][]float64, len(names)), Labels: names, TauRef: n.TauRef, From: skip, To: skip + window,
	}
	shown := make([]int, len(names)) // spikes in the window
	for _, s := range rec.Train {
		r.Spikes[s.Unit] = append(r.Spikes[s.Unit], s.Time)
		if s.Time >= skip {
			shown[s.Unit]++
		}
	}
	half := window / n.TauRef / 2
	unit := 0
	for k, c := range shown {
		if math.Abs(float64(c)-half) < math.Abs(float64(shown[unit])-half) {
			unit = k
		}
	}
	tr := &plotx.Trace{Unit: unit, Threshold: n.Theta, Reset: n.Reset}
	for i := unit; i < len(net.Trace()); i += len(names) {
		if t := float64(i/len(names)+1) * res.Setup.Dt; t >= skip {
			tr.T, tr.V = append(tr.T, t), append(tr.V, net.Trace()[i])
		}
	}
	r.Trace = tr
	return r, nil
}

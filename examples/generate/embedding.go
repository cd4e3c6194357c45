package main

import (
	"context"
	"fmt"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/internal/embed"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// steps is how many pictures of a sampler are joined to a way.
const steps = 25

// cloud are pictures of one origin with their places in the plane.
type cloud struct {
	name   string
	pixels [][]float64
	class  []uint8
	at     [][2]float64
}

// embeddings put test images and samples of the first chains into a plane: by the principal
// components of the test images, and by t-SNE of all together (nil if not wanted).
func (b *bench) embeddings(ctx context.Context, progress *cli.Progress) (pca, tsne *plotx.Figure, err error) {
	n := 300 // pictures of each origin
	if b.f.tsne > 0 {
		n = min(n, max(10, b.f.tsne/(1+len(b.res.Samplers))))
	}
	clouds, err := b.clouds(n)
	if err != nil {
		return nil, nil, err
	}
	axes, err := embed.PCA(clouds[0].pixels, 2)
	if err != nil {
		return nil, nil, err
	}
	var all [][]float64
	for _, c := range clouds {
		y, err := axes.Project(c.pixels)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range y {
			c.at = append(c.at, [2]float64{p[0], p[1]})
		}
		all = append(all, c.pixels...)
	}
	share := 100 * (axes.Variance[0] + axes.Variance[1]) / axes.Total
	if pca, err = b.panels(clouds, fmt.Sprintf("principal components, %.0f %%", share)); err != nil {
		return nil, nil, err
	}
	if b.f.tsne == 0 || len(all) < 20 {
		return pca, nil, nil
	}
	y, kl, err := embed.TSNE(ctx, all, rng.Stream(b.f.seed, "tsne"), embed.TSNEOptions{OnProgress: func(i int) {
		progress.Update("t-SNE", sampling.Progress{Time: float64(i), Total: 1000})
	}})
	if err != nil {
		return nil, nil, err
	}
	for _, c := range clouds {
		c.at, y = y[:len(c.pixels)], y[len(c.pixels):]
	}
	tsne, err = b.panels(clouds, fmt.Sprintf("t-SNE, D_{KL} %.2f", kl))
	return pca, tsne, err
}

// clouds are n test images and n samples of every sampler, evenly spread over its first
// chain.
func (b *bench) clouds(n int) ([]*cloud, error) {
	add := func(name string, states [][]uint8) (*cloud, error) {
		c := &cloud{name: name}
		pixels := dream.Pixels(dream.Evenly(states, n), b.s.Pixels)
		for _, x := range pixels {
			p := make([]float64, len(x))
			for k, on := range x {
				p[k] = float64(on)
			}
			c.pixels = append(c.pixels, p)
		}
		var err error
		c.class, err = b.s.Judge(pixels)
		return c, err
	}
	first, err := add("test images", b.data.Scored().Pixels)
	if err != nil {
		return nil, err
	}
	out := []*cloud{first}
	for _, r := range b.res.Samplers {
		c, err := add(r.Name, r.Runs[0].States)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// panels are the clouds side by side, in colours of classes, with the way a sampler went.
func (b *bench) panels(clouds []*cloud, title string) (*plotx.Figure, error) {
	lo, hi := clouds[0].at[0], clouds[0].at[0]
	for _, c := range clouds {
		for _, p := range c.at {
			for a := range 2 {
				lo[a], hi[a] = min(lo[a], p[a]), max(hi[a], p[a])
			}
		}
	}
	pad := [2]float64{0.04*(hi[0]-lo[0]) + 1e-9, 0.04*(hi[1]-lo[1]) + 1e-9}
	var parts []plotx.Lines
	for i, c := range clouds {
		l := plotx.Lines{Title: c.name, XMin: lo[0] - pad[0], XMax: hi[0] + pad[0], YMin: lo[1] - pad[1], YMax: hi[1] + pad[1],
			Size: plotx.Size{Height: 4.2}}
		for k, name := range b.data.Classes {
			// A class that is not there keeps its colour by a point out of sight.
			s := plotx.Line{Points: true, X: []float64{hi[0] + 2*pad[0]}, Y: []float64{hi[1] + 2*pad[1]}}
			if i == 0 {
				s.Name = name
			}
			for j, p := range c.at {
				if int(c.class[j]) == k {
					s.X, s.Y = append(s.X, p[0]), append(s.Y, p[1])
				}
			}
			l.Series = append(l.Series, s)
		}
		if i > 0 {
			way := plotx.Line{Theory: true}
			for _, p := range c.at[:min(steps, len(c.at))] {
				way.X, way.Y = append(way.X, p[0]), append(way.Y, p[1])
			}
			if i == 1 {
				way.Name = fmt.Sprintf("way of the first %d", len(way.X))
			}
			l.Series = append(l.Series, way)
		}
		parts = append(parts, l)
	}
	parts[0].Title += " (" + title + ")"
	return tiled(3, false, parts...)
}

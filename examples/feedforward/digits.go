package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func mean(x []float64) float64 { return stat.Mean(x, nil) }

// middle is the median, the number that 90 % are within, and the largest.
func middle(x []int) (median, p90, most int) {
	s := slices.Clone(x)
	slices.Sort(s)
	return s[len(s)/2], s[len(s)*9/10], s[len(s)-1]
}

// digits are images and their targets.
type digits struct{ train, trainTarget, test, testTarget *mat.Dense }

// load reads at most so many images and changes them. What cannot be read is the user's choice.
func (f flags) load(ctx context.Context, train, test int, change func(*data.Set) (*data.Set, error)) (*digits, error) {
	where := f.data
	if where == "" && f.full {
		where = "mnist"
	}
	s, err := data.Open(ctx, where)
	if err != nil {
		return nil, cli.Usage{Err: err}
	}
	if s.Test == nil || s.Train.Labels == nil || s.Test.Labels == nil || len(s.Train.Classes) == 0 || len(s.Train.Classes) != len(s.Test.Classes) {
		return nil, cli.Usage{Err: fmt.Errorf("-data %q: must have training and test images with labels", f.data)}
	}
	var d digits
	for _, part := range []struct {
		set  *data.Set
		n    int
		x, y **mat.Dense
	}{{s.Train, train, &d.train, &d.trainTarget}, {s.Test, test, &d.test, &d.testTarget}} {
		set := part.set
		// Test images are spread over the file: its begin is easier than its end.
		if per := min(part.n/len(set.Classes), slices.Min(set.Counts())); part.x == &d.test && per > 0 {
			if set, err = set.Spread(per); err != nil {
				return nil, err
			}
		} else if set.N > part.n {
			cut, err := set.Cut(part.n)
			if err != nil {
				return nil, err
			}
			set = cut[0]
		}
		if set, err = change(set); err != nil {
			return nil, cli.Usage{Err: fmt.Errorf("-data %q: %w", f.data, err)}
		}
		*part.x, *part.y = mat.NewDense(set.N, set.Dim(), nil), mat.NewDense(set.N, len(set.Classes), nil)
		for i := range set.N {
			set.Float64((*part.x).RawRowView(i), i)
			(*part.y).Set(i, int(set.Labels[i]), 1)
		}
	}
	return &d, nil
}

// stack compares starts in networks that learned the condition, and in one that did not.
func stack(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	sizes, epochs, batch, n := []int{0, 60, 40, 20}, 60, 20, 1000
	change := (*data.Set).Digits12
	if f.full {
		sizes, epochs, batch, n = []int{0, 200, 100, 50}, 12, 100, 10000
		change = func(s *data.Set) (*data.Set, error) { return s, nil }
	}
	if f.epochs > 0 {
		epochs = f.epochs
	}
	d, err := f.load(ctx, n, 200, change)
	if err != nil {
		return nil, err
	}
	_, sizes[0] = d.train.Dims()
	images, _ := d.train.Dims()
	scale := fmt.Sprintf("%s, %d images, %d epochs", strings.Trim(strings.ReplaceAll(fmt.Sprint(sizes), " ", "-"), "[]"), images, epochs)
	nets := []struct {
		name, title string
		o           feedforward.LearnOptions
	}{
		{"gradient", "consistency learned by its gradient", feedforward.LearnOptions{}},
		{"local rule", "consistency learned by the local rule", feedforward.LearnOptions{Rule: feedforward.Local}},
		{"branches only", "", feedforward.LearnOptions{Rule: feedforward.Branches}},
		{"control", "control: a plain auto-encoder of the wrong scale", feedforward.LearnOptions{WithoutConsistency: true, AutoEncode: .1}},
	}
	res := &report.Result{}
	var parts []report.Drawing
	for i, c := range nets {
		begin := time.Now()
		net, err := feedforward.Glorot(sizes, feedforward.Options{}, rng.Stream(f.seed, "weights"))
		if err != nil {
			return res, err
		}
		o := c.o
		o.Epochs, o.Batch, o.Seed = epochs, batch, f.seed
		o.OnEpoch = func(e feedforward.LearnEpoch) { progress(float64(i*epochs+e.Epoch), float64(len(nets)*epochs)) }
		h, err := feedforward.TrainConsistency(ctx, net, d.train, o)
		if err != nil {
			return res, err
		}
		last := h[len(h)-1]
		res.Add(c.name+": reconstruction", last.Reconstruction, "nats", scale, begin)
		res.Add(c.name+": consistency, both layers", last.Consistency[0]+last.Consistency[1], "", scale, begin)
		g, err := feedforward.OptimalGains(ctx, net, d.train, feedforward.RelaxOptions{})
		if err != nil {
			return res, err
		}
		list, err := initialisers(ctx, net, d.train, d.test, f.seed)
		if err != nil {
			return res, err
		}
		list = slices.Insert(list, 2, feedforward.Candidate{Name: fmt.Sprintf("pass, fitted gains %.2f, %.2f", g[0], g[1]), Init: feedforward.Feedforward{Gains: g}})
		cmp, err := feedforward.CompareInit(ctx, net, d.test, list, feedforward.CompareOptions{Seed: f.seed})
		if err != nil {
			return res, err
		}
		p := plotx.Lines{Title: c.title, XLabel: "sweeps of relaxation", YLabel: "distance/|h*|", LogY: true, XMax: 30, YMin: 1e-3, YMax: 1.2, Size: plotx.Size{Height: 2.6}}
		for j, y := range cmp {
			median, p90, most := middle(y.Sweeps)
			row := res.Add(fmt.Sprintf("%s: %s, distance", c.name, y.Name), mean(y.Distance), "", scale, begin)
			if j == 0 && c.o.Rule != feedforward.Branches && !c.o.WithoutConsistency && f.full {
				row.Tolerance = report.Number(.08)
			}
			res.Add(fmt.Sprintf("%s: %s, sweeps to 1 %%", c.name, y.Name), float64(median), "", fmt.Sprintf("median of %d images; 90 %% within %d, all within %d", len(y.Sweeps), p90, most), begin)
			l := curve(y.Name, within(y.Curve, 1e-3, 31))
			switch {
			case strings.HasPrefix(y.Name, "pass, fitted"):
				continue // on top of gains 2 where the condition holds
			case len(parts) > 0:
				l.Name = ""
			}
			p.Series = append(p.Series, l)
		}
		if len(parts) == 0 {
			p.Size.Height += .5 // for the legend
		}
		if c.title != "" {
			parts = append(parts, p)
		}
	}
	res.Notes = append(res.Notes, "branches only: the rule without errors that go up lets upper layers say the same for all images; see the data mean",
		"sweeps of networks with and without the condition are not comparable: they contract at other rates")
	return res, res.Draw("stack", parts...)
}

// within is the begin of y, as long as it is above the level.
func within(y []float64, level float64, most int) []float64 {
	for t, x := range y {
		if x <= level || t >= most {
			return y[:max(t, 1)]
		}
	}
	return y
}

// ep compares starts in networks trained by equilibrium propagation.
func ep(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	o := feedforward.EPOptions{Rates: []float64{.05, .025, .0125}, Epochs: 10, Batch: 10, Beta: .25, Free: 100, Nudged: 8, Seed: f.seed}
	n, most := 1000, 200
	if f.full {
		o.Rates, o.Epochs, o.Batch, o.Beta = []float64{.2, .1, .05}, 4, 50, .5
		n, most = 60000, 2000
	}
	if f.epochs > 0 {
		o.Epochs = f.epochs
	}
	d, err := f.load(ctx, n, most, func(s *data.Set) (*data.Set, error) {
		s, err := s.Centre(20, 20)
		if err != nil {
			return nil, err
		}
		return s.Resize(8, 8)
	})
	if err != nil {
		return nil, err
	}
	images, in := d.train.Dims()
	_, classes := d.trainTarget.Dims()
	scale := fmt.Sprintf("%d-64-48-%d, %d images, %d epochs", in, classes, images, o.Epochs)
	res := &report.Result{}
	var parts []report.Drawing
	for i, c := range []struct{ name, title string }{{"without", "equilibrium propagation alone"}, {"with", "with the local consistency term"}} {
		begin := time.Now()
		net, err := feedforward.Glorot([]int{in, 64, 48, classes}, feedforward.Options{Energy: feedforward.Clipped}, rng.Stream(f.seed, "weights"))
		if err != nil {
			return res, err
		}
		o := o
		o.Consistency = .02 * float64(i)
		o.OnEpoch = func(e feedforward.EPEpoch) { progress(float64(i*o.Epochs+e.Epoch), float64(2*o.Epochs)) }
		if _, err := feedforward.TrainEP(ctx, net, d.train, d.trainTarget, o); err != nil {
			return res, err
		}
		cmp, err := feedforward.CompareInit(ctx, net, d.test, []feedforward.Candidate{{Name: "pass, gains 2", Init: feedforward.Feedforward{}},
			{Name: "pass, gains 1", Init: pass1}, {Name: "random", Init: feedforward.Random{}}, {Name: "zeros", Init: feedforward.Constant(0)}},
			feedforward.CompareOptions{Relax: feedforward.RelaxOptions{Rule: feedforward.Euler, Tol: 1e-5, MaxSweeps: 100000}, Seed: f.seed})
		if err != nil {
			return res, err
		}
		p := plotx.Lines{Title: c.title, XLabel: "Euler iterations of the free phase", YLabel: "distance/|h*|", LogY: true, XMax: 150, YMin: 1e-3, YMax: 4, Size: plotx.Size{Height: 2.8}}
		for _, y := range cmp {
			start, err := feedforward.Accuracy(y.Start, d.testTarget)
			if err != nil {
				return res, err
			}
			rest, err := feedforward.Accuracy(y.Fixed, d.testTarget)
			if err != nil {
				return res, err
			}
			median, p90, _ := middle(y.Sweeps)
			res.Add(fmt.Sprintf("%s consistency: %s, distance", c.name, y.Name), mean(y.Distance), "", scale, begin)
			res.Add(fmt.Sprintf("%s consistency: %s, iterations to 1 %%", c.name, y.Name), float64(median), "", fmt.Sprintf("median; 90 %% within %d", p90), begin)
			res.Add(fmt.Sprintf("%s consistency: %s, accuracy of the start", c.name, y.Name), 100*start, "%", scale, begin)
			res.Add(fmt.Sprintf("%s consistency: %s, accuracy at rest", c.name, y.Name), 100*rest, "%", scale, begin)
			l := curve(y.Name, within(y.Curve, 1e-3, 151))
			if i > 0 {
				l.Name = ""
			}
			p.Series = append(p.Series, l)
		}
		if i == 0 {
			p.Size.Height += .3 // for the legend
		}
		parts = append(parts, p)
	}
	return res, res.Draw("ep", parts...)
}

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// tau is the refractory time, windows the number of them that are run.
const tau, windows = 10.0, 40

// spiking runs the machine as networks of LIF neurons, many at a time, from several starts, and
// follows how far their rates are from the exact marginals.
func spiking(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	begin := time.Now()
	n, err := model(false)
	if err != nil {
		return nil, err
	}
	set := lif.TutorialCUBA()
	set.PSP = lif.Rect
	res := &report.Result{}
	x := models.AutoEncoderPatterns()
	fig := plotx.Lines{Title: "LIF neurons with rectangular PSPs", XLabel: "time [refractory times]", YLabel: "|rate − p|, mean of units", LogY: true, Size: plotx.Size{Height: 3.2}}
	scale := fmt.Sprintf("mean of 12 units and 6 inputs, %d runs", f.runs)
	starts := []feedforward.Candidate{{Name: "pass, gains 2", Init: feedforward.Feedforward{}}, {Name: "pass, gains 1", Init: pass1}, {Name: "all 0.5", Init: feedforward.Constant(.5)}, {Name: "zeros", Init: feedforward.Constant(0)}}
	var zeros, first float64
	for i, c := range starts {
		s, err := c.Init.Init(n, x, nil)
		if err != nil {
			return res, err
		}
		bias := make([]float64, windows) // of the rates in a window
		running := 0.0                   // of the mean over the first 20
		for b := range 6 {
			progress(float64(i*6+b), float64(6*len(starts)))
			k, err := feedforward.NewKernel(n, x.RawRowView(b), feedforward.OddFirst)
			if err != nil {
				return res, err
			}
			exact, err := k.Marginals(nil)
			if err != nil {
				return res, err
			}
			m, err := n.Given(x.RawRowView(b))
			if err != nil {
				return res, err
			}
			rate, err := rates(ctx, m, set, s, b, f)
			if err != nil {
				return res, err
			}
			for u, p := range exact {
				sum := 0.0
				for w := range windows {
					bias[w] += math.Abs(rate[w][u]-p) / float64(6*len(exact))
					if w < 20 {
						sum += rate[w][u] / 20
					}
				}
				running += math.Abs(sum-p) / float64(6*len(exact))
			}
		}
		res.Add(c.Name+", bias of the first 20 τ_ref", running, "", scale, begin)
		switch c.Name {
		case "zeros":
			zeros = running
		case "pass, gains 2":
			first = running
		}
		l := curve(c.Name, bias)
		for w := range l.X {
			l.X[w] += .5
		}
		fig.Series = append(fig.Series, l)
	}
	res.Add("pass, gains 2, bias over that from zeros", first/zeros, "", scale, begin).Tolerance = report.Number(.5)
	res.Notes = append(res.Notes, "what stays is the bias of LIF neurons themselves, and of the number of runs")
	return res, res.Draw("spiking", fig)
}

// rates are the shares of time that units are on in every window, over all runs from sample b.
func rates(ctx context.Context, m *boltzmann.Layered, set lif.Setup, s feedforward.State, b int, f flags) ([][]float64, error) {
	dense, err := m.Machine()
	if err != nil {
		return nil, err
	}
	net, err := lif.NewSampler(dense, set, lif.Options{Extrapolate: true, Network: lif.NetworkOptions{Replicas: f.runs}})
	if err != nil {
		return nil, err
	}
	units := m.Dim()
	z, src := make([]uint8, net.Dim()), make([]rand.Source, f.runs)
	for c := range src {
		r := rng.Stream(f.seed, "spiking", b, c)
		if err := s.Draw(z[c*units:(c+1)*units], b, rand.New(r)); err != nil {
			return nil, err
		}
		src[c] = r
	}
	if err := net.ResetChains(z, src); err != nil {
		return nil, err
	}
	out := make([][]float64, windows)
	buf := make([]sampling.Flip, 0, 8*net.Dim())
	for w := range out {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[w] = make([]float64, units)
		end := float64(w+1) * tau
		for i, on := range net.State() {
			out[w][i%units] += float64(on) / float64(f.runs)
		}
		for net.Time() < end-1e-9 {
			if buf, err = net.Advance(end, buf); err != nil {
				return nil, err
			}
			for _, e := range buf {
				left := max(0, end-e.Time) / tau / float64(f.runs)
				if e.On == 0 {
					left = -left
				}
				out[w][int(e.Unit)%units] += left
			}
		}
	}
	return out, nil
}

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/internal/report"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// linear is a network of two layers with W_2ᵀW_2 = 1/2, for which a gain of 2 is exact.
func linear(ctx context.Context, f flags, _ func(done, total float64)) (*report.Result, error) {
	begin := time.Now()
	r := rand.New(rng.Stream(f.seed, "linear"))
	w1, a := mat.NewDense(5, 7, nil), mat.NewDense(8, 8, nil)
	for _, m := range []*mat.Dense{w1, a} {
		for i := range m.RawMatrix().Data {
			m.RawMatrix().Data[i] = r.NormFloat64()
		}
	}
	var qr mat.QR
	qr.Factorize(a)
	var q mat.Dense
	qr.QTo(&q)
	var w2 mat.Dense
	w2.Scale(1/math.Sqrt2, q.Slice(0, 8, 0, 5))
	n, err := feedforward.New([]mat.Matrix{w1, &w2}, [][]float64{make([]float64, 5), make([]float64, 8)}, feedforward.Options{Energy: feedforward.Leaky})
	if err != nil {
		return nil, err
	}
	x := mat.NewDense(20, 7, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = r.NormFloat64()
	}
	res := &report.Result{}
	const scale = "7-5-8 units, 20 inputs"
	for _, c := range []struct {
		rule feedforward.Rule
		want float64
	}{{feedforward.Jacobi, 40}, {feedforward.GaussSeidel, 20}} {
		cmp, err := feedforward.CompareInit(ctx, n, x, []feedforward.Candidate{{Name: "zeros", Init: feedforward.Constant(0)}, {Name: "pass", Init: feedforward.Feedforward{}}},
			feedforward.CompareOptions{Relax: feedforward.RelaxOptions{Rule: c.rule, Tol: 1e-13}, Within: 1e-6, Seed: f.seed})
		if err != nil {
			return res, err
		}
		_, _, most := middle(cmp[0].Sweeps)
		res.Add(fmt.Sprintf("%v from zeros, sweeps to 1e-6", c.rule), float64(most), "", scale, begin).Tolerance = report.Number(c.want)
		if c.rule == feedforward.GaussSeidel {
			res.Add("pass, relative distance", mean(cmp[1].Distance), "", scale, begin).Tolerance = report.Number(1e-12)
		}
	}
	return res, nil
}

// model is the 6-5-4-3 machine, whose condition does not hold if rolled.
func model(rolled bool) (*feedforward.Network, error) {
	m, err := models.AutoEncoder(1, rolled)
	if err != nil {
		return nil, err
	}
	return feedforward.FromLayered(m)
}

// initialisers are all there are; persistent states are those of other samples, as chains that go
// on while inputs change have them.
func initialisers(ctx context.Context, n *feedforward.Network, train, test mat.Matrix, seed uint64) ([]feedforward.Candidate, error) {
	average, err := feedforward.DataMean(ctx, n, train, feedforward.RelaxOptions{})
	if err != nil {
		return nil, err
	}
	rec, err := feedforward.TrainRecognition(ctx, n, train, feedforward.RecognitionOptions{Seed: seed})
	if err != nil {
		return nil, err
	}
	s, err := feedforward.Feedforward{}.Init(n, test, nil)
	if err != nil {
		return nil, err
	}
	rest, _, err := feedforward.Relax(ctx, n, test, s, feedforward.RelaxOptions{})
	if err != nil {
		return nil, err
	}
	var rows []int
	for b := range rest.Rows() {
		rows = append(rows, (b+1)%rest.Rows())
	}
	return []feedforward.Candidate{
		{Name: "pass, gains 2", Init: feedforward.Feedforward{}},
		{Name: "pass, gains 1", Init: pass1},
		{Name: "recognition", Init: rec},
		{Name: "data mean", Init: average},
		{Name: "persistent", Init: feedforward.Stored{State: rest, Rows: rows}},
		{Name: "all 0.5", Init: feedforward.Constant(.5)},
		{Name: "random", Init: feedforward.Random{}},
		{Name: "zeros", Init: feedforward.Constant(0)},
	}, nil
}

// machine evolves the distribution of every start by block Gibbs sampling, exactly.
func machine(ctx context.Context, f flags, progress func(done, total float64)) (*report.Result, error) {
	res := &report.Result{}
	x := models.AutoEncoderPatterns()
	const sweeps = 100
	var parts []plotx.Lines
	for which, title := range []string{"condition holds", "condition violated"} {
		begin := time.Now()
		n, err := model(which == 1)
		if err != nil {
			return res, err
		}
		list, err := initialisers(ctx, n, x, x, f.seed)
		if err != nil {
			return res, err
		}
		s, rep, err := feedforward.Feedforward{}.Check(n, x)
		if err != nil {
			return res, err
		}
		res.Add(title+": largest residual of the pass", rep.Max(), "", "6-5-4-3 units, 6 inputs", begin)
		rest, _, err := feedforward.Relax(ctx, n, x, s, feedforward.RelaxOptions{Tol: 1e-12})
		if err != nil {
			return res, err
		}
		list = append(list, feedforward.Candidate{Name: "mean field", Init: feedforward.Stored{State: rest}})
		p := plotx.Lines{Title: title, XLabel: "sweeps of block Gibbs sampling", YLabel: "D_{KL} from the law [nats]", LogY: true, Size: plotx.Size{Height: 3.2}}
		for i, c := range list {
			progress(float64(which*len(list)+i), float64(2*len(list)))
			d, err := divergence(ctx, n, x, c.Init, f.seed, sweeps)
			if err != nil {
				return res, err
			}
			res.Add(fmt.Sprintf("%s: %s, DKL of the start", title, c.Name), d[0], "nats", "exact", begin)
			res.Add(fmt.Sprintf("%s: %s, sweeps to 0.05 nats", title, c.Name), float64(until(d, .05)), "", "exact", begin)
			l := curve(c.Name, d)
			switch c.Name {
			case "mean field": // the curve of gains 2 where the condition holds
				continue
			case "recognition", "all 0.5": // these fall on others
				l.Dashed = true
			}
			p.Series = append(p.Series, l)
		}
		parts = append(parts, p)
	}
	for i := range parts[1].Series { // the same colours in both: one legend
		parts[1].Series[i].Name = ""
	}
	parts[0].Size.Height += .5
	res.Notes = append(res.Notes, "a pass with gains 2 is nearest to the law at once; the broader one with gains 1 is better from the second sweep on, as mean field starves minor modes")
	return res, res.Draw("dkl", parts[0], parts[1])
}

// until is the first sweep at which d is at most level, the number of sweeps if there is none.
func until(d []float64, level float64) int {
	for t, x := range d {
		if x <= level {
			return t
		}
	}
	return len(d)
}

// divergence is the mean over inputs of the divergence after 0, 1, … sweeps.
func divergence(ctx context.Context, n *feedforward.Network, x *mat.Dense, init feedforward.Initializer, seed uint64, sweeps int) ([]float64, error) {
	s, err := init.Init(n, x, rng.Stream(seed, "start"))
	if err != nil {
		return nil, err
	}
	rows, _ := x.Dims()
	out := make([]float64, sweeps+1)
	for b := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k, err := feedforward.NewKernel(n, x.RawRowView(b), feedforward.OddFirst)
		if err != nil {
			return nil, err
		}
		p, err := k.Product(s.Row(nil, b))
		if err != nil {
			return nil, err
		}
		for t := range out {
			d, err := k.DKL(p)
			if err != nil {
				return nil, err
			}
			out[t] += d / float64(rows)
			if err := k.Evolve(p, 1); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

package main

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/plotx"
)

// ladderFigure shows what the ladder does: the barrier between the first two modes at some
// of its levels, and the rates of rejection between them.
func (b *bench) ladderFigure(res *result) (*plotx.Figure, error) {
	rates := plotx.Lines{Title: fmt.Sprintf("ladder: rejection rates sum to %.2f", sum(res.Rejected)), XLabel: "inverse temperature β", YLabel: "rate of rejection", YMin: 0, YMax: 1}
	pairs := plotx.Line{Name: "pair of neighbours", Points: true}
	levels := plotx.Line{Name: "levels"}
	for k, r := range res.Rejected {
		if x := float64(r); x >= 0 {
			pairs.X = append(pairs.X, (b.ladder[k]+b.ladder[k+1])/2)
			pairs.Y = append(pairs.Y, x)
		}
	}
	levels.Points = true
	for _, beta := range b.ladder {
		levels.X, levels.Y = append(levels.X, beta), append(levels.Y, 0)
	}
	rates.Series = []plotx.Line{pairs, levels}
	right, err := rates.Figure()
	if err != nil {
		return nil, err
	}
	if res.Masses == nil {
		return right, nil
	}
	left, err := b.barriers().Figure()
	if err != nil {
		return nil, err
	}
	return plotx.Tiles{Figures: []*plotx.Figure{left, right}, Letters: true}.Figure()
}

func sum(x []compare.Number) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}

// barriers is the free energy, at levels of the ladder, along the way between the first two
// modes: of all states z with distance d(z, mode 1) − d(z, mode 2).
func (b *bench) barriers() plotx.Lines {
	l := plotx.Lines{Title: fmt.Sprintf("free energy from %s to %s", b.mod.names[0], b.mod.names[1]),
		XLabel: "distance to the first − to the second [units]", YLabel: "free energy [nats]"}
	n := b.mod.m.Dim()
	from, to := b.mod.middle[0], b.mod.middle[1]
	show := []int{0}
	for _, k := range []int{1, len(b.ladder) / 3, len(b.ladder) / 2, len(b.ladder) - 1} {
		if k > show[len(show)-1] {
			show = append(show, k)
		}
	}
	z := make([]uint8, n)
	sums := make([][]float64, len(show)) // Σ exp(−β(E − E0)) by distance + n
	for i := range sums {
		sums[i] = make([]float64, 2*n+1)
	}
	lowest := b.mod.m.Energy(from)
	for s := range 1 << n {
		for k := range z {
			z[k] = uint8(s >> k & 1)
		}
		q := distance(z, from) - distance(z, to) + n
		e := b.mod.m.Energy(z) - lowest
		for i, k := range show {
			sums[i][q] += math.Exp(-b.ladder[k] * e)
		}
	}
	for i, k := range show {
		s := plotx.Line{Name: fmt.Sprintf("β = %.2g", b.ladder[k])}
		total := 0.0
		for _, x := range sums[i] {
			total += x
		}
		for q, x := range sums[i] {
			if x > 0 {
				s.X, s.Y = append(s.X, float64(q-n)), append(s.Y, -math.Log(x/total))
			}
		}
		l.Series = append(l.Series, s)
	}
	return l
}

// temperatureFigure shows what the rate of the background does to a neuron, as measured: its
// activation function, the temperature of it, and the bias that comes with heating.
func (b *bench) temperatureFigure() (*plotx.Figure, error) {
	alpha, mid := b.heat.Alpha(1), b.heat.VHalf(1)
	a := plotx.Lines{Title: "activation function", XLabel: "resting potential − v_{½}(1) [α(1)]", YLabel: "share of time on"}
	t := plotx.Lines{Title: "temperature", XLabel: "factor m of the rates", YLabel: "T = α(m)/α(1)", LogX: true, LogY: true}
	d := plotx.Lines{Title: "bias δ of all units", XLabel: "factor m of the rates", YLabel: "δ [nats]", LogX: true}
	var temp, bias, root plotx.Line
	for _, p := range b.heat.Points() {
		if p.Factor >= 1 {
			s := plotx.Line{Name: fmt.Sprintf("m = %g", p.Factor)}
			for i := range 121 {
				x := -6 + float64(i)/10
				s.X, s.Y = append(s.X, x), append(s.Y, 1/(1+math.Exp(-(x*alpha+mid-p.VHalf)/p.Alpha)))
			}
			a.Series = append(a.Series, s)
		}
		temp.X, temp.Y, temp.SE = append(temp.X, p.Factor), append(temp.Y, p.Alpha/alpha), append(temp.SE, p.AlphaSE/alpha)
		bias.X, bias.Y, bias.SE = append(bias.X, p.Factor), append(bias.Y, b.heat.Delta(p.Factor)), append(bias.SE, p.VHalfSE/p.Alpha)
		root.X, root.Y = append(root.X, p.Factor), append(root.Y, math.Sqrt(p.Factor))
	}
	temp.Name, temp.Points = "measured", true
	bias.Name, bias.Points = "measured", true
	root.Name, root.Theory = "√m", true
	t.Series = []plotx.Line{root, temp}
	d.Series = []plotx.Line{bias}
	d.HLines = []plotx.Reference{{At: 0, Name: "compensated"}}
	var figs []*plotx.Figure
	for _, l := range []plotx.Lines{a, t, d} {
		fig, err := l.Figure()
		if err != nil {
			return nil, err
		}
		figs = append(figs, fig)
	}
	return plotx.Tiles{Figures: figs, Cols: 3, Letters: true}.Figure()
}

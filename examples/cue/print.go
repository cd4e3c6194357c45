package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/plotx"
)

// String is the result as text.
func (res *result) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "two groups of %d neurons, a = %g; probability of the first by cue difference d, %g s at each\n\n", size, res.Strength, res.DurationMS/1000)
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "d\texact\t")
	for _, r := range res.Rows {
		fmt.Fprintf(w, "%s\t", r.Background)
	}
	fmt.Fprintln(w)
	for i, d := range res.D {
		fmt.Fprintf(w, "%+g\t%.3f\t", d, res.Exact[i])
		for _, r := range res.Rows {
			p := plusMinus(r.P[i], r.SE[i])
			if r.Switches[i] < few {
				p += " (stuck)"
			}
			fmt.Fprintf(w, "%s\t", p)
		}
		fmt.Fprintln(w)
	}
	line := func(name string, exact string, f func(*row) string) {
		fmt.Fprintf(w, "%s\t%s\t", name, exact)
		for _, r := range res.Rows {
			fmt.Fprintf(w, "%s\t", f(r))
		}
		fmt.Fprintln(w)
	}
	line("slope of log odds", fmt.Sprintf("%.2f", res.Slope), func(r *row) string { return plusMinus(r.Slope, r.SlopeSE) })
	line("freeze-out T_f", "1", func(r *row) string { return plusMinus(r.FreezeOut, r.FreezeOutSE) })
	line("switches", "", func(r *row) string {
		n := int64(0)
		for _, x := range r.Switches {
			n += x
		}
		return fmt.Sprint(n)
	})
	line("neither group", "", func(r *row) string {
		x := 0.0
		for _, y := range r.Outside {
			x += y / float64(len(r.Outside))
		}
		return fmt.Sprintf("%.3f", x)
	})
	w.Flush()
	if a, b, both, err := res.combination(); err == nil {
		fmt.Fprintf(&s, "\ncombining d = %g (seen) and %g (felt): log odds of each, of both together, and their sum\n", res.D[a], res.D[b])
		w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\tseen\tfelt\tboth\tsum\t")
		fmt.Fprintf(w, "exact\t%.2f\t%.2f\t%.2f\t%.2f\t\n", res.LogOdds[a], res.LogOdds[b], res.LogOdds[both], res.LogOdds[a]+res.LogOdds[b])
		for _, r := range res.Rows {
			sum := compare.Number(r.LogOdds[a] + r.LogOdds[b])
			se := compare.Number(math.Hypot(float64(r.LogOddsSE[a]), float64(r.LogOddsSE[b])))
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", r.Background, plusMinus(r.LogOdds[a], r.LogOddsSE[a]),
				plusMinus(r.LogOdds[b], r.LogOddsSE[b]), plusMinus(r.LogOdds[both], r.LogOddsSE[both]), plusMinus(sum, se))
		}
		w.Flush()
	}
	fmt.Fprintf(&s, `
%d chains, all from the first group; stuck: less than %d switches. Under the oscillation (%g Hz, compensation %s) samples
are from the cold phase. It is periodic annealing, not exact sampling: cooling freezes the odds, and the log odds are the
exact ones divided by an effective temperature T_f.
`, res.Chains, few, res.FreqHz, res.Compensation)
	if res.Partial {
		s.WriteString("PARTIAL: interrupted, without the background it was at\n")
	}
	return s.String()
}

func plusMinus(x, se compare.Number) string {
	bad := func(y compare.Number) bool { return math.IsNaN(float64(y)) || math.IsInf(float64(y), 0) }
	switch {
	case math.IsInf(float64(x), 0):
		return "only one seen"
	case bad(x):
		return "–"
	case bad(se):
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.3f ± %.3f", x, se)
}

// draw writes the figure: the psychometric curves, and the log odds against the exact ones.
func (res *result) draw(dir string) (string, error) {
	lo, hi := res.D[0], res.D[len(res.D)-1]
	left := plotx.Lines{Title: "psychometric curves", XLabel: "cue difference d [nats]", YLabel: "probability of group 1", YMin: -.03, YMax: 1.03}
	right := plotx.Lines{Title: "log odds: flatter by the freeze-out T_{f}", XLabel: "exact log odds [nats]", YLabel: "sampled log odds [nats]"}
	exact := plotx.Line{Name: "exact", Theory: true}
	for i := range 101 {
		d := lo + (hi-lo)*float64(i)/100
		exact.X, exact.Y = append(exact.X, d), append(exact.Y, 1/(1+math.Exp(-res.Slope*d)))
	}
	line := plotx.Line{Name: "exact", Theory: true, X: []float64{res.Slope * lo, res.Slope * hi}, Y: []float64{res.Slope * lo, res.Slope * hi}}
	left.Series, right.Series = append(left.Series, exact), append(right.Series, line)
	// The constant background last, so that the others have the same colours in both.
	rows := append(slices.Clone(res.Rows[min(1, len(res.Rows)):]), res.Rows[:min(1, len(res.Rows))]...)
	for _, r := range rows {
		p, l := plotx.Line{Name: r.Background, Points: true}, plotx.Line{Points: true}
		for i, d := range res.D {
			x, se := float64(r.P[i]), float64(r.SE[i])
			if math.IsNaN(x) {
				continue
			}
			if math.IsNaN(se) || math.IsInf(se, 0) { // one group only, or almost: no error is known
				se = 0
			}
			p.X, p.Y, p.SE = append(p.X, d), append(p.Y, x), append(p.SE, se)
			y, e := float64(r.LogOdds[i]), float64(r.LogOddsSE[i])
			if math.IsInf(y, 0) || math.IsNaN(e) || math.IsInf(e, 0) {
				continue // stuck
			}
			l.X, l.Y, l.SE = append(l.X, res.LogOdds[i]), append(l.Y, y), append(l.SE, e)
		}
		if len(p.X) == 0 {
			continue
		}
		if !(r.FreezeOut > 0) {
			p.Name += " (stuck)"
			left.Series = append(left.Series, p)
			if len(l.X) > 0 {
				right.Series = append(right.Series, l)
			}
			continue
		}
		l.Name = fmt.Sprintf("T_{f} = %.2f ± %.2f", r.FreezeOut, r.FreezeOutSE)
		fit := plotx.Line{Paired: true, X: exact.X}
		for _, d := range fit.X {
			fit.Y = append(fit.Y, 1/(1+math.Exp(-float64(r.Slope)*d)))
		}
		left.Series = append(left.Series, p, fit)
		right.Series = append(right.Series, l, plotx.Line{Paired: true, X: line.X, Y: []float64{float64(r.Slope) * lo, float64(r.Slope) * hi}})
	}
	var figs []*plotx.Figure
	for _, l := range []plotx.Lines{left, right} {
		fig, err := l.Figure()
		if err != nil {
			return "", err
		}
		figs = append(figs, fig)
	}
	fig, err := plotx.Tiles{Figures: figs, Letters: true}.Figure()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "psychometric.png")
	return path, fig.Save(path)
}

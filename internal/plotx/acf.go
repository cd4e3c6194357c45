package plotx

import (
	"fmt"

	"gonum.org/v1/plot/vg/draw"
)

// ACFCurve compares measured autocorrelation functions with theory.
type ACFCurve struct {
	Title    string
	Series   []ACFSeries // at least one
	LagLabel string      // default "lag [ms]"
	Label    string      // default "autocorrelation"
	Size     Size        // default 9 × 4.2 inch
}

// ACFSeries is one function of an ACFCurve.
type ACFSeries struct {
	Name      string
	Lag       []float64 // [ms], ascending
	ACF       []float64
	SE        []float64 // standard errors of ACF; nil = none. The band is ±2 SE
	TheoryLag []float64 // [ms], ascending; nil = Lag
	Theory    []float64 // nil = none
}

// Figure draws the functions. It is an error if there is no series or an empty one, if
// lengths differ, if lags do not ascend, or if a number is not finite.
func (a ACFCurve) Figure() (*Figure, error) {
	pr := problems{figure: "ACFCurve"}
	size := a.Size.or(&pr, defaultWidth, defaultHeight)
	if a.LagLabel == "" {
		a.LagLabel = "lag [ms]"
	}
	if a.Label == "" {
		a.Label = "autocorrelation"
	}
	if len(a.Series) == 0 {
		pr.addf("no series: must have at least one")
	}
	xs, ys := emptySpan(), emptySpan()
	ys.add(0)
	for i := range a.Series {
		a.Series[i].check(&pr, fmt.Sprintf("Series[%d].", i), &xs, &ys)
	}
	if err := pr.err(); err != nil {
		return nil, err
	}

	p := newPlot(a.LagLabel, a.Label)
	setAxis(&p.X, xs, false, 0.015)
	setAxis(&p.Y, ys, false, 0.05)
	p.Add(refLine{at: 0, style: draw.LineStyle{Color: noteColor, Width: thinLine}})
	var keys legend
	bands, theories := false, false
	for i, s := range a.Series {
		k := Line{Name: s.Name, X: s.Lag, Y: s.ACF, SE: s.SE}.add(p, i)
		bands = bands || s.SE != nil
		k.fill = nil
		if s.Name != "" {
			keys = append(keys, k)
		}
	}
	theory := draw.LineStyle{Color: inkColor, Width: 1.2, Dashes: dashed}
	for _, s := range a.Series {
		if s.Theory != nil {
			theories = true
			p.Add(polyline{s.theoryLag(), s.Theory, theory})
		}
	}
	if bands {
		keys = append(keys, key{name: "±2 SE", fill: faded(noteColor, bandOpacity)})
	}
	if theories {
		keys = append(keys, key{name: "theory", line: theory})
	}
	return single(size, a.Title, p, keys), nil
}

// theoryLag returns the lags of the theory.
func (s ACFSeries) theoryLag() []float64 {
	if s.TheoryLag == nil {
		return s.Lag
	}
	return s.TheoryLag
}

// check reports all problems of the series and widens the ranges to hold it.
func (s ACFSeries) check(pr *problems, at string, xs, ys *span) {
	if len(s.Lag) == 0 {
		pr.addf("%sLag is empty: must have at least one value", at)
	}
	pr.length(at+"ACF", len(s.ACF), "Lag", len(s.Lag), false)
	pr.length(at+"SE", len(s.SE), "Lag", len(s.Lag), true)
	pr.length(at+"Theory", len(s.Theory), "its lags", len(s.theoryLag()), s.TheoryLag == nil)
	pr.values(at+"Lag", s.Lag, -limit, limit)
	pr.ascending(at+"Lag", s.Lag)
	pr.values(at+"ACF", s.ACF, -limit, limit)
	pr.values(at+"SE", s.SE, 0, limit)
	pr.values(at+"TheoryLag", s.TheoryLag, -limit, limit)
	pr.ascending(at+"TheoryLag", s.TheoryLag)
	pr.values(at+"Theory", s.Theory, -limit, limit)
	xs.add(s.Lag...)
	xs.add(s.TheoryLag...)
	ys.add(s.ACF...)
	ys.add(s.Theory...)
	if len(s.SE) == len(s.ACF) {
		for i, e := range s.SE {
			ys.add(s.ACF[i]-2*e, s.ACF[i]+2*e)
		}
	}
}

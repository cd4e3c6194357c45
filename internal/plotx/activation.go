package plotx

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Activation compares measured activation functions of sampling neurons with a fitted
// logistic function and an analytic curve; below, if there is a fit, what both differ
// from it.
type Activation struct {
	Title  string
	Sets   []ActivationSet // neurons or parameter sets, at least one
	ULabel string          // default "mean free membrane potential [mV]"
	PLabel string          // default "p(z = 1)"
	Size   Size            // default 9 × 5 inch, 9 × 4.2 without residuals
}

// ActivationSet is one neuron or parameter set of an Activation.
type ActivationSet struct {
	Name      string    // in the legend if there are several sets
	U         []float64 // mean free membrane potentials of the measurements [mV]
	P         []float64 // measured probabilities of z = 1
	MCSE      []float64 // standard errors of P; nil = none. Error bars are ±2 MCSE
	Fit       *Logistic // nil = none
	AnalyticU []float64 // [mV], ascending; nil = no analytic curve
	AnalyticP []float64
}

// Logistic is the function 1/(1 + exp(−(u − Mid)/Width)).
type Logistic struct {
	Mid   float64 // potential at which it is 1/2 [mV]
	Width float64 // inverse slope [mV], > 0
}

// At returns the value of the function at u.
func (l Logistic) At(u float64) float64 { return 1 / (1 + math.Exp((l.Mid-u)/l.Width)) }

// Figure draws the functions. It is an error if there is no set, if one has no
// measurement, if lengths differ, if a probability is outside [0, 1] or a standard error
// negative, or if another number is not finite.
func (a Activation) Figure() (*Figure, error) {
	pr := problems{figure: "Activation"}
	fitted := false
	for _, s := range a.Sets {
		fitted = fitted || s.Fit != nil
	}
	height := vg.Length(defaultHeight)
	if fitted {
		height = 5 * vg.Inch
	}
	size := a.Size.or(&pr, defaultWidth, height)
	if a.ULabel == "" {
		a.ULabel = "mean free membrane potential [mV]"
	}
	if a.PLabel == "" {
		a.PLabel = "p(z = 1)"
	}
	us := a.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	p := newPlot(a.ULabel, a.PLabel)
	setAxis(&p.X, us, false, 0.03)
	p.Y.Min, p.Y.Max = -0.04, 1.04
	upper := &panel{plot: p, legend: a.curves(p), weight: 3}
	s := &stack{a.Title, []*panel{upper}}
	if fitted {
		p.X.Label.Text = ""
		p.X.Tick.Marker = unlabelled{p.X.Tick.Marker}
		s.panels = append(s.panels, a.residuals(p.X))
	}
	return &Figure{size, s}, nil
}

// check reports all problems of the data and returns the range of potentials.
func (a Activation) check(pr *problems) span {
	us := emptySpan()
	if len(a.Sets) == 0 {
		pr.addf("no sets: must have at least one")
	}
	for i, s := range a.Sets {
		at := fmt.Sprintf("Sets[%d].", i)
		if len(s.U) == 0 {
			pr.addf("%sU is empty: must have at least one value", at)
		}
		pr.length(at+"P", len(s.P), "U", len(s.U), false)
		pr.length(at+"MCSE", len(s.MCSE), "U", len(s.U), true)
		pr.length(at+"AnalyticP", len(s.AnalyticP), "AnalyticU", len(s.AnalyticU), false)
		pr.values(at+"U", s.U, -limit, limit)
		pr.values(at+"P", s.P, 0, 1)
		pr.values(at+"MCSE", s.MCSE, 0, 1)
		pr.values(at+"AnalyticU", s.AnalyticU, -limit, limit)
		pr.ascending(at+"AnalyticU", s.AnalyticU)
		pr.values(at+"AnalyticP", s.AnalyticP, 0, 1)
		if s.Fit != nil {
			pr.number(at+"Fit.Mid", s.Fit.Mid, -limit, limit)
			pr.number(at+"Fit.Width", s.Fit.Width, tiny, limit)
		}
		us.add(s.U...)
		us.add(s.AnalyticU...)
	}
	return us
}

// look is how the parts of a set are drawn.
type look struct {
	color         color.NRGBA // of the points
	shape         shape
	fit, analytic draw.LineStyle
}

// look returns how set i is drawn. A single set tells its parts apart by colour;
// several take one colour each and tell theirs apart by dashes.
func (a Activation) look(i int) look {
	if len(a.Sets) == 1 {
		return look{
			color:    inkColor,
			fit:      draw.LineStyle{Color: palette[0], Width: dataLine},
			analytic: draw.LineStyle{Color: palette[1], Width: dataLine, Dashes: dashed},
		}
	}
	return newLook(seriesColor(i), seriesShape(i))
}

func newLook(c color.NRGBA, s shape) look {
	line := draw.LineStyle{Color: c, Width: 1.3}
	broken := line
	broken.Dashes = dashed
	return look{c, s, line, broken}
}

// curves adds points and curves to the upper panel and returns its legend: the sets if
// there are several, then the parts.
func (a Activation) curves(p *plot.Plot) legend {
	var keys legend
	var errors, fits, analytics bool
	for i, s := range a.Sets {
		l := a.look(i)
		if s.AnalyticU != nil {
			analytics = true
			p.Add(polyline{s.AnalyticU, s.AnalyticP, l.analytic})
		}
		if s.Fit != nil {
			fits = true
			u, v := s.Fit.sampled(p.X.Min, p.X.Max)
			p.Add(polyline{u, v, l.fit})
		}
		errors = errors || s.MCSE != nil
		if s.Name != "" && len(a.Sets) > 1 {
			keys = append(keys, key{name: s.Name, dot: l.color, shape: l.shape})
		}
	}
	for i, s := range a.Sets {
		l := a.look(i)
		p.Add(dots{s.U, s.P, scaled(s.MCSE, 2), l.shape, l.color})
	}
	l := a.look(0)
	if len(a.Sets) > 1 {
		l = newLook(noteColor, circle)
	}
	measured := key{name: "measured", dot: l.color, shape: l.shape}
	if errors {
		measured.name, measured.err = "measured ±2 MCSE", l.color
	}
	keys = append(keys, measured)
	if fits {
		keys = append(keys, key{name: "logistic fit", line: l.fit})
	}
	if analytics {
		keys = append(keys, key{name: "analytic", line: l.analytic})
	}
	return keys
}

// sampled returns the function at 400 potentials from lo to hi.
func (l Logistic) sampled(lo, hi float64) (u, p []float64) {
	const n = 400
	for i := range n + 1 {
		x := lo + (hi-lo)*float64(i)/n
		u, p = append(u, x), append(p, l.At(x))
	}
	return u, p
}

// residuals returns the lower panel: measured and analytic values less the fit.
func (a Activation) residuals(x plot.Axis) *panel {
	p := newPlot(a.ULabel, "residual")
	x.Tick.Marker = x.Tick.Marker.(unlabelled).Ticker
	p.X = x
	p.X.Label.Text = a.ULabel
	p.Add(refLine{at: 0, style: draw.LineStyle{Color: noteColor, Width: thinLine}})
	rs := emptySpan()
	rs.add(0)
	for i, s := range a.Sets {
		if s.Fit == nil {
			continue
		}
		if r := s.Fit.residual(s.AnalyticU, s.AnalyticP); r != nil {
			rs.add(r...)
			p.Add(polyline{s.AnalyticU, r, a.look(i).analytic})
		}
	}
	for i, s := range a.Sets {
		if s.Fit == nil {
			continue
		}
		l := a.look(i)
		r := s.Fit.residual(s.U, s.P)
		p.Add(dots{s.U, r, scaled(s.MCSE, 2), l.shape, l.color})
		rs.add(r...)
		for j, e := range s.MCSE {
			rs.add(r[j]-2*e, r[j]+2*e)
		}
	}
	p.Y.Min, p.Y.Max = rs.padded(0.08)
	return &panel{plot: p, weight: 1.25}
}

// residual returns p less the fit at u; nil for nil.
func (l Logistic) residual(u, p []float64) []float64 {
	var r []float64
	for i := range u {
		r = append(r, p[i]-l.At(u[i]))
	}
	return r
}

package plotx

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Raster shows the spikes of units as ticks in rows, the first unit on top, with the
// refractory time after each spike, in which the sampler reads z = 1, shaded; and below
// it, on the same time axis, the membrane of one unit.
type Raster struct {
	Title  string
	Spikes [][]float64 // spike times of each unit [ms], ascending; at least one unit
	Labels []string    // names of the units; nil = 0, 1, …
	TauRef float64     // refractory time [ms]; 0 = no shading
	// From < To is the window shown [ms]; spikes outside it are not. Both 0 = all data,
	// from 0 on if they begin soon after.
	From, To float64
	Trace    *Trace // nil = no lower panel
	Size     Size   // default 9 inch wide, as high as the rows need
}

// Trace is the membrane potential of one unit of a Raster. It is clamped at Reset while
// the unit is refractory.
type Trace struct {
	Unit      int       // whose trace it is
	T         []float64 // [ms], ascending
	V         []float64 // [mV]
	Threshold float64   // [mV]
	Reset     float64   // [mV]
}

// Figure draws the raster. It is an error if there are no units, if there is nothing in
// the window, if times do not ascend, if lengths differ, or if a number is not finite.
func (r Raster) Figure() (*Figure, error) {
	pr := problems{figure: "Raster"}
	rows := min(max(vg.Length(len(r.Spikes))*14, 60), 260)
	height := rows + 75
	if r.Trace != nil {
		height += 150
	}
	size := r.Size.or(&pr, defaultWidth, height)
	r.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	upper := r.raster()
	upper.weight = float64(rows)
	s := &stack{r.Title, []*panel{upper}}
	if r.Trace == nil {
		upper.plot.X.Label.Text = "time [ms]"
		return &Figure{size, s}, nil
	}
	upper.plot.X.Tick.Marker = unlabelled{upper.plot.X.Tick.Marker}
	lower := r.trace()
	lower.weight = 110
	s.panels = append(s.panels, lower)
	return &Figure{size, s}, nil
}

// maxUnits is the largest number of rows: more are narrower than a pixel.
const maxUnits = 1000

// check reports all problems of the data.
func (r Raster) check(pr *problems) {
	n := len(r.Spikes)
	if n == 0 || n > maxUnits {
		pr.addf("%d units: must be 1 to %d", n, maxUnits)
	}
	pr.length("Labels", len(r.Labels), "Spikes", n, true)
	pr.number("TauRef", r.TauRef, 0, limit)
	for k, s := range r.Spikes {
		name := fmt.Sprintf("Spikes[%d]", k)
		pr.values(name, s, -limit, limit)
		pr.ascending(name, s)
	}
	if t := r.Trace; t != nil {
		if t.Unit < 0 || t.Unit >= n {
			pr.addf("Trace.Unit = %d: must be in [0, %d]", t.Unit, n-1)
		}
		if len(t.T) == 0 {
			pr.addf("Trace.T is empty: must have at least one value")
		}
		pr.length("Trace.V", len(t.V), "Trace.T", len(t.T), false)
		pr.values("Trace.T", t.T, -limit, limit)
		pr.ascending("Trace.T", t.T)
		pr.values("Trace.V", t.V, -limit, limit)
		pr.number("Trace.Threshold", t.Threshold, -limit, limit)
		pr.number("Trace.Reset", t.Reset, -limit, limit)
	}
	if r.From != 0 || r.To != 0 {
		pr.number("From", r.From, -limit, limit)
		pr.number("To", r.To, -limit, limit)
		pr.ascend("From, To", r.From, r.To)
	} else if s := r.times(); s.lo > s.hi {
		pr.addf("neither spikes nor a trace: must have one, or a window From, To")
	}
}

// times returns the range of all times in the data.
func (r Raster) times() span {
	s := emptySpan()
	for _, spikes := range r.Spikes {
		for _, t := range spikes {
			s.add(t, t+r.TauRef)
		}
	}
	if r.Trace != nil {
		s.add(r.Trace.T...)
	}
	return s
}

// window sets the time axis.
func (r Raster) window(ax *plot.Axis) {
	ax.Min, ax.Max = r.From, r.To
	if r.From == r.To {
		s := r.times()
		if s.lo > 0 && s.lo < 0.2*s.hi {
			s.lo = 0
		}
		ax.Min, ax.Max = s.padded(0)
	}
}

var (
	refractoryColor = faded(palette[0], 0.17)
	traceColor      = palette[0]
)

const spikeWidth = vg.Length(1.1)

// raster returns the upper panel.
func (r Raster) raster() *panel {
	p := newPlot("", "unit")
	r.window(&p.X)
	n := len(r.Spikes)
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.Y.Tick.Length = 0
	p.Y.Tick.Marker = indexed(r.Labels, n)
	p.Add(rasterMarks{r})
	keys := legend{{name: "spike", tick: inkColor}}
	if r.TauRef > 0 {
		keys = append(keys, key{
			name: "refractory, z = 1 (τ_{ref} = " + number(r.TauRef, 4) + " ms)",
			fill: refractoryColor,
		})
	}
	return &panel{plot: p, legend: keys}
}

// rasterMarks draws the rows.
type rasterMarks struct{ Raster }

func (r rasterMarks) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	half := (trY(0) - trY(1)) * 0.4
	for k, spikes := range r.Spikes {
		y := trY(float64(k))
		c.SetColor(refractoryColor)
		c.Fill(r.refractory(spikes, c, p, y-half, y+half))
		clr := inkColor
		if r.Trace != nil && r.Trace.Unit == k {
			clr = traceColor
		}
		var ticks vg.Path
		for _, t := range spikes {
			if inside(t, p.X) {
				ticks.Move(vg.Point{X: trX(t), Y: y - half})
				ticks.Line(vg.Point{X: trX(t), Y: y + half})
			}
		}
		c.SetLineStyle(draw.LineStyle{Color: clr, Width: spikeWidth})
		c.Stroke(ticks)
	}
}

// refractory returns the rectangles from each spike to TauRef after it, cut off at the
// window; overlapping ones are joined.
func (r Raster) refractory(spikes []float64, c draw.Canvas, p *plot.Plot, y0, y1 vg.Length) vg.Path {
	trX, _ := p.Transforms(&c)
	var path vg.Path
	for i := 0; i < len(spikes); {
		start, end := spikes[i], spikes[i]+r.TauRef
		for i++; i < len(spikes) && spikes[i] <= end; i++ {
			end = spikes[i] + r.TauRef
		}
		if r.TauRef > 0 && end >= p.X.Min && start <= p.X.Max {
			path = append(path, box(trX(within(start, p.X)), y0, trX(within(end, p.X)), y1)...)
		}
	}
	return path
}

// trace returns the lower panel.
func (r Raster) trace() *panel {
	t := r.Trace
	p := newPlot("time [ms]", "u [mV]")
	r.window(&p.X)
	ys := emptySpan()
	ys.add(t.V...)
	ys.add(t.Threshold, t.Reset)
	p.Y.Min, p.Y.Max = ys.padded(0.06)
	p.Y.Max += 0.25 * (p.Y.Max - p.Y.Min) // room for spikes
	threshold := draw.LineStyle{Color: noteColor, Width: 1, Dashes: dashed}
	reset := draw.LineStyle{Color: noteColor, Width: 1, Dashes: dotted}
	line := draw.LineStyle{Color: traceColor, Width: 1.2}
	p.Add(traceMarks{r}, refLine{at: t.Threshold, style: threshold}, refLine{at: t.Reset, style: reset},
		polyline{t.T, t.V, line})
	name := indexed(r.Labels, len(r.Spikes)).names[t.Unit]
	return &panel{plot: p, legend: legend{
		{name: "membrane of unit " + name, line: line},
		{name: "its spikes", tick: traceColor},
		{name: "threshold " + number(t.Threshold, 5) + " mV", line: threshold},
		{name: "reset " + number(t.Reset, 5) + " mV", line: reset},
	}}
}

// traceMarks draws the refractory times and the spikes of the traced unit.
type traceMarks struct{ Raster }

func (r traceMarks) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	spikes := r.Spikes[r.Trace.Unit]
	c.SetColor(refractoryColor)
	c.Fill(r.refractory(spikes, c, p, c.Min.Y, c.Max.Y))
	for _, t := range spikes {
		if inside(t, p.X) {
			c.StrokeLine2(draw.LineStyle{Color: traceColor, Width: spikeWidth},
				trX(t), trY(r.Trace.Threshold), trX(t), c.Max.Y-3)
		}
	}
}

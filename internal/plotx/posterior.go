package plotx

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PosteriorBars shows exact probabilities beside the estimates of samplers, one group of
// bars for each label. Bars stand while their labels fit, and lie, in two columns if
// there are many, otherwise.
type PosteriorBars struct {
	Title string
	// Labels name the groups, such as "rain=true". Neighbours with the same text before
	// "=" are one variable and stand together.
	Labels   []string
	Exact    []float64  // exact probabilities; nil = not drawn
	Samplers []Estimate // may be empty if there are exact ones
	PLabel   string     // of the probability axis; default "probability"
	Size     Size       // default 9 × 4.2 inch, lying bars as high as they need
}

// Estimate is what one sampler says of the probabilities.
type Estimate struct {
	Name string
	P    []float64 // in [0, 1], one for each label
	MCSE []float64 // Monte Carlo standard errors; nil = none. Error bars are ±2 MCSE
}

// Figure draws the bars. It is an error if there are no labels or no probabilities, if
// lengths differ, or if a probability is outside [0, 1] or a standard error negative.
func (b PosteriorBars) Figure() (*Figure, error) {
	pr := problems{figure: "PosteriorBars"}
	size := b.Size.or(&pr, defaultWidth, defaultHeight)
	b.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}
	if b.PLabel == "" {
		b.PLabel = "probability"
	}
	body := &posterior{b, newSlots(b.Labels)}
	if narrow := max(minBarsWidth, body.comfortable()+barsAxis+2*outerPad); b.Size.Width == 0 &&
		narrow < defaultWidth && body.stand(narrow-2*outerPad) {
		size.X = narrow
	}
	if inner := size.X - 2*outerPad; b.Size.Height == 0 && !body.stand(inner) {
		size.Y = min(body.lyingHeight(inner)+2*outerPad, maxSide*vg.Inch)
	}
	return &Figure{size, body}, nil
}

// check reports all problems of the data.
func (b PosteriorBars) check(pr *problems) {
	n := len(b.Labels)
	if n == 0 {
		pr.addf("no labels: must have at least one")
	}
	if n > maxLabels {
		pr.addf("%d labels: must be at most %d, more cannot be read", n, maxLabels)
	}
	if len(b.Exact) == 0 && len(b.Samplers) == 0 {
		pr.addf("neither Exact nor Samplers: must have one")
	}
	pr.length("Exact", len(b.Exact), "Labels", n, true)
	pr.values("Exact", b.Exact, 0, 1)
	for i, s := range b.Samplers {
		at := fmt.Sprintf("Samplers[%d].", i)
		pr.length(at+"P", len(s.P), "Labels", n, false)
		pr.length(at+"MCSE", len(s.MCSE), "Labels", n, true)
		pr.values(at+"P", s.P, 0, 1)
		pr.values(at+"MCSE", s.MCSE, 0, 1)
	}
}

// pmax returns the end of the probability axis: at least 1 unless all bars are short.
func (b PosteriorBars) pmax() float64 {
	s := emptySpan()
	s.add(b.Exact...)
	for _, e := range b.Samplers {
		s.add(e.P...)
		for i, se := range e.MCSE {
			s.add(e.P[i] + 2*se)
		}
	}
	switch {
	case s.hi == 0, s.hi > 0.7 && s.hi <= 1:
		return 1
	case s.hi > 1:
		return s.hi + 0.01
	}
	return s.hi * 1.04
}

const (
	maxLabels    = 200
	minBarsWidth = 5 * vg.Inch
	barsAxis     = vg.Length(50) // width of a probability axis
	minBar       = vg.Length(3.5)
	twoColumns   = 20 // lying bars: most labels in a single column
)

// posterior lays out PosteriorBars for the canvas it is given.
type posterior struct {
	PosteriorBars
	slots []slot
}

// series returns the number of bars in a slot.
func (b *posterior) series() int {
	n := len(b.Samplers)
	if b.Exact != nil {
		n++
	}
	return n
}

// length is the length of the label axis, in slots.
func (b *posterior) length() vg.Length { return vg.Length(b.slots[len(b.slots)-1].at) + 1 }

// comfortable is the width of standing bars of about 30 points.
func (b *posterior) comfortable() vg.Length {
	return b.length() * (30*vg.Length(b.series()) + 20)
}

// stand reports whether standing bars and their labels have room in the width.
func (b *posterior) stand(width vg.Length) bool {
	slotWidth := (width - barsAxis) / b.length()
	if slotWidth*fullSlot/vg.Length(b.series()) < minBar {
		return false
	}
	sty := textStyle(tickSize+0.5, inkColor)
	two := nested(b.slots)
	for _, v := range variables(b.slots) {
		if two && sty.Width(v[0].variable) > slotWidth*(vg.Length(len(v))+0.3) {
			return false
		}
		for _, s := range v {
			label := s.label
			if two {
				label = s.value
			}
			if sty.Width(label)+6 > slotWidth {
				return false
			}
		}
	}
	return true
}

// lyingHeight is the height that lying bars need in the given width.
func (b *posterior) lyingHeight(width vg.Length) vg.Length {
	c := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: width, Y: maxSide * vg.Inch}}}
	m := b.margins(c)
	rows := b.length()
	if len(b.slots) > twoColumns {
		left, right := halves(b.slots)
		rows = vg.Length(max(left[len(left)-1].at, right[len(right)-1].at)) + 1
	}
	return rows*(max(5.5*vg.Length(b.series()), 9)+6) + m.top + m.bottom
}

func (b *posterior) margins(c draw.Canvas) margins { return b.layout(c).margins(c) }

func (b *posterior) draw(c draw.Canvas, m margins) { b.layout(c).draw(c, m) }

// layout returns the stack, or the pair of stacks, that suits the canvas.
func (b *posterior) layout(c draw.Canvas) content {
	keys, all := b.bars()
	if b.stand(c.Size().X) {
		return b.standing(all, keys)
	}
	if len(b.slots) <= twoColumns {
		s := b.lying(b.slots, all)
		s.title, s.panels[0].legend = b.Title, keys
		return s
	}
	left, right := halves(b.slots)
	first, second := make([]barSeries, len(all)), make([]barSeries, len(all))
	for i, s := range all {
		first[i], second[i] = s, s
		second[i].v = s.v[len(left):]
		if s.err != nil {
			second[i].err = s.err[len(left):]
		}
	}
	return &pair{b.Title, keys, b.lying(left, first), b.lying(right, second)}
}

// bars returns the bars and their legend.
func (b *posterior) bars() (legend, []barSeries) {
	var keys legend
	var all []barSeries
	if b.Exact != nil {
		all = append(all, barSeries{v: b.Exact, color: exactGrey})
		keys = append(keys, key{name: "exact", fill: exactGrey})
	}
	errors := false
	for i, s := range b.Samplers {
		clr := seriesColor(i)
		all = append(all, barSeries{v: s.P, err: scaled(s.MCSE, 2), color: clr})
		keys = append(keys, key{name: s.Name, fill: clr})
		errors = errors || s.MCSE != nil
	}
	if errors {
		keys = append(keys, key{name: "±2 MCSE", err: inkColor})
	}
	return keys, all
}

// standing returns the figure with standing bars.
func (b *posterior) standing(all []barSeries, keys legend) *stack {
	p := newPlot("", b.PLabel)
	p.X.Min, p.X.Max = -0.6, b.slots[len(b.slots)-1].at+0.6
	p.X.Tick.Length = 0
	p.Y.Min, p.Y.Max = 0, b.pmax()
	ticks := labelTicks{}
	pn := &panel{plot: p, legend: keys, weight: 1}
	two := nested(b.slots)
	for _, s := range b.slots {
		ticks.at = append(ticks.at, s.at)
		if two {
			ticks.names = append(ticks.names, s.value)
		} else {
			ticks.names = append(ticks.names, s.label)
		}
	}
	if two {
		pn.foot, pn.over = 18, nameVariables(b.slots)
	}
	p.X.Tick.Marker = ticks
	p.Add(barMarks{b.slots, all, false})
	return &stack{b.Title, []*panel{pn}}
}

// lying returns a column of lying bars, without title and legend.
func (b *posterior) lying(slots []slot, all []barSeries) *stack {
	p := newPlot(b.PLabel, "")
	last := slots[len(slots)-1].at
	p.X.Min, p.X.Max = 0, b.pmax()
	p.Y.Min, p.Y.Max = -0.6, last+0.6
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.Y.Tick.Length = 0
	ticks := labelTicks{}
	for _, s := range slots {
		ticks.at = append(ticks.at, s.at)
		ticks.names = append(ticks.names, s.label)
	}
	p.Y.Tick.Marker = ticks
	p.Add(barMarks{slots, all, true})
	return &stack{"", []*panel{{plot: p, weight: 1}}}
}

// pair is two stacks side by side under a common title and legend.
type pair struct {
	title       string
	keys        legend
	left, right *stack
}

// columns returns the canvases of the two stacks, below the head.
func (p *pair) columns(c draw.Canvas, head vg.Length) (l, r draw.Canvas) {
	half := (c.Size().X - 2*panelGap) / 2
	return draw.Crop(c, 0, -half-2*panelGap, 0, -head), draw.Crop(c, half+2*panelGap, 0, 0, -head)
}

// head returns the height of title and legend.
func (p *pair) head(width vg.Length) vg.Length {
	return titleRoom(p.title, width) + p.keys.height(width) + headGap
}

func (p *pair) margins(c draw.Canvas) margins {
	head := p.head(c.Size().X - p.left.margins(c).left)
	l, r := p.columns(c, head)
	ml, mr := p.left.margins(l), p.right.margins(r)
	m := ml.widest(mr)
	return margins{left: ml.left, right: mr.right, top: head + m.top, bottom: m.bottom}
}

func (p *pair) draw(c draw.Canvas, m margins) {
	m = m.widest(p.margins(c))
	width := c.Size().X - m.left
	head := p.head(width)
	l, r := p.columns(c, head)
	y := drawTitle(c, p.title, c.Min.X+m.left, width)
	p.keys.draw(c, c.Min.X+m.left, y, width)
	p.left.draw(l, margins{left: m.left, top: m.top - head, bottom: m.bottom})
	p.right.draw(r, margins{right: m.right, top: m.top - head, bottom: m.bottom})
}

package plotx

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Timeline shows in rows what each of several processes was in at what time, the first row
// on top: spans in the colour of their kind. Where spans are narrower than a pixel it shows
// the kind that takes most of it.
type Timeline struct {
	Title  string
	Rows   []TimelineRow // 1 to 100
	Kinds  []string      // names of the kinds, in the legend; 1 to 12
	XLabel string        // default "time [ms]"
	// From < To is the window shown. Both 0 = all data.
	From, To float64
	VLines   []Reference // reference times
	Size     Size        // default 9 inch wide, as high as the rows need
}

// TimelineRow is one process.
type TimelineRow struct {
	Name  string
	Spans []Span // may leave gaps, and must not overlap
}

// Span is a time From ≤ To in which the process is of a kind.
type Span struct {
	From, To float64
	Kind     int
}

const maxRows, maxKinds = 100, 12

// Figure draws the timeline. It is an error if there are no rows or kinds or no span at
// all, or if a span has no kind, is not finite, or begins before the last one ended.
func (l Timeline) Figure() (*Figure, error) {
	pr := problems{figure: "Timeline"}
	rows := min(max(vg.Length(len(l.Rows))*20, 40), 400)
	size := l.Size.or(&pr, defaultWidth, rows+75)
	if l.XLabel == "" {
		l.XLabel = "time [ms]"
	}
	xs := l.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	p := newPlot(l.XLabel, "")
	p.X.Min, p.X.Max = xs.padded(0)
	if l.From != l.To {
		p.X.Min, p.X.Max = l.From, l.To
	}
	n := len(l.Rows)
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	p.Y.Tick.Length = 0
	names := make([]string, n)
	for i, r := range l.Rows {
		names[i] = r.Name
	}
	p.Y.Tick.Marker = indexed(names, n)
	p.Add(timelineMarks{l})
	var keys legend
	for k, name := range l.Kinds {
		keys = append(keys, key{name: name, fill: kindColor(k)})
	}
	for i, r := range l.VLines {
		sty := referenceLine(i)
		sty.Color = inkColor
		p.Add(refLine{r.At, true, sty})
		if r.Name != "" {
			keys = append(keys, key{name: r.Name, line: sty})
		}
	}
	return single(size, l.Title, p, keys), nil
}

// kindColor is that of the series, lighter in the second round.
func kindColor(k int) color.NRGBA {
	c := seriesColor(k)
	if k >= len(palette) {
		c = faded(c, 0.5)
	}
	return c
}

// check reports all problems of the data and returns the range of the times.
func (l Timeline) check(pr *problems) span {
	xs := emptySpan()
	if n := len(l.Rows); n == 0 || n > maxRows {
		pr.addf("%d rows: must be 1 to %d", n, maxRows)
	}
	if n := len(l.Kinds); n == 0 || n > maxKinds {
		pr.addf("%d kinds: must be 1 to %d", n, maxKinds)
	}
	for i, r := range l.Rows {
		end := -2.0 * limit
		for k, s := range r.Spans {
			at := fmt.Sprintf("Rows[%d].Spans[%d]", i, k)
			before := len(pr.errs)
			pr.number(at+".From", s.From, -limit, limit)
			pr.number(at+".To", s.To, -limit, limit)
			if s.Kind < 0 || s.Kind >= len(l.Kinds) {
				pr.addf("%s.Kind = %d: must be in [0, %d]", at, s.Kind, len(l.Kinds)-1)
			}
			if s.From < end-1e-9*math.Abs(end) || s.To < s.From { // but for rounding
				pr.addf("%s is %v to %v: must not end before it begins, nor begin before the last ends", at, s.From, s.To)
			}
			if len(pr.errs) > before {
				break
			}
			end = s.To
			xs.add(s.From, s.To)
		}
	}
	for i, r := range l.VLines {
		pr.number(fmt.Sprintf("VLines[%d].At", i), r.At, -limit, limit)
	}
	if l.From != 0 || l.To != 0 {
		pr.number("From", l.From, -limit, limit)
		pr.number("To", l.To, -limit, limit)
		pr.ascend("From, To", l.From, l.To)
	} else if xs.lo > xs.hi && len(pr.errs) == 0 {
		pr.addf("no spans: must have one, or a window From, To")
	}
	return xs
}

// timelineMarks draws the rows.
type timelineMarks struct{ Timeline }

func (l timelineMarks) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	half := (trY(0) - trY(1)) * 0.36
	for i, r := range l.Rows {
		y := trY(float64(i))
		for _, s := range l.visible(r.Spans, trX, c) {
			c.SetColor(kindColor(s.kind))
			c.Fill(box(s.from, y-half, s.to, y+half))
		}
	}
}

// shown is a span as it is drawn.
type shown struct {
	from, to vg.Length
	kind     int
}

// visible returns the spans of a row inside the canvas. Stretches of spans and gaps within
// one pixel column become one of the kind that takes most of it.
func (l timelineMarks) visible(spans []Span, trX func(float64) vg.Length, c draw.Canvas) []shown {
	var out []shown
	add := func(s shown) {
		if n := len(out); n > 0 && out[n-1].kind == s.kind && out[n-1].to >= s.from-1e-9 {
			out[n-1].to = s.to
			return
		}
		out = append(out, s)
	}
	share := make([]vg.Length, len(l.Kinds)) // of the column that is open
	column := math.Inf(-1)
	flush := func() {
		best := -1
		for k, w := range share {
			if w > 0 && (best < 0 || w > share[best]) {
				best = k
			}
		}
		clear(share)
		if best >= 0 {
			from := vg.Length(column) * pixel
			add(shown{max(from, c.Min.X), min(from+pixel, c.Max.X), best})
		}
	}
	for _, s := range spans {
		x0, x1 := max(trX(s.From), c.Min.X), min(trX(s.To), c.Max.X)
		if !(x1 >= x0) {
			continue
		}
		if x1-x0 >= 2*pixel {
			flush()
			column = math.Inf(-1)
			add(shown{x0, x1, s.Kind})
			continue
		}
		if k := math.Floor(float64(x0 / pixel)); k != column {
			flush()
			column = k
		}
		share[s.Kind] += max(x1-x0, 1e-6)
	}
	flush()
	return out
}

package plotx

import (
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// slot is the place of one group of bars on the label axis.
type slot struct {
	at       float64 // its middle
	label    string
	variable string // text before "="; "" if there is none
	value    string // text after "="
}

// newSlots places labels one apart, and variables a little further apart, if any
// variable has more than one label.
func newSlots(labels []string) []slot {
	slots := make([]slot, len(labels))
	for i, l := range labels {
		slots[i].label = l
		if name, value, ok := strings.Cut(l, "="); ok {
			slots[i].variable, slots[i].value = strings.TrimSpace(name), strings.TrimSpace(value)
		}
	}
	grouped := nested(slots)
	for i := 1; i < len(slots); i++ {
		slots[i].at = slots[i-1].at + 1
		if grouped && !sameVariable(slots[i-1], slots[i]) {
			slots[i].at += 0.4
		}
	}
	return slots
}

func sameVariable(a, b slot) bool { return a.variable != "" && a.variable == b.variable }

// nested reports whether labels are best written in two lines, value over variable:
// all are "variable=value", and some neighbours share the variable.
func nested(slots []slot) bool {
	shared := false
	for i, s := range slots {
		if s.variable == "" || s.value == "" {
			return false
		}
		shared = shared || i > 0 && sameVariable(slots[i-1], s)
	}
	return shared
}

// variables splits the slots into runs of one variable.
func variables(slots []slot) [][]slot {
	var out [][]slot
	start := 0
	for i := 1; i <= len(slots); i++ {
		if i == len(slots) || !sameVariable(slots[i-1], slots[i]) {
			out = append(out, slots[start:i])
			start = i
		}
	}
	return out
}

// barSeries is one bar in every slot.
type barSeries struct {
	v, err []float64 // err: half-length of the error bars; nil = none
	color  color.Color
}

// barMarks draws the bars of the slots, standing or lying.
type barMarks struct {
	slots  []slot
	series []barSeries
	lying  bool
}

const (
	fullSlot = 0.82          // share of a slot that bars fill
	maxBar   = vg.Length(44) // thickness
)

func (b barMarks) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	along, across := trY, trX // maps values and slots
	values := p.Y
	if b.lying {
		along, across = trX, trY
		values = p.X
	}
	unit := across(1) - across(0) // negative if slots run downwards
	thick := min(max(unit, -unit)*fullSlot/vg.Length(len(b.series)), maxBar)
	step := thick
	if unit < 0 {
		step = -thick
	}
	for i, s := range b.slots {
		for k, bar := range b.series {
			mid := across(s.at) + step*(vg.Length(k)-vg.Length(len(b.series)-1)/2)
			half := thick * 0.46
			c.SetColor(bar.color)
			c.Fill(b.rect(mid-half, mid+half, along(values.Min), along(within(bar.v[i], values))))
			if bar.err != nil {
				b.whisker(c, mid, min(half*0.6, 2.5), along, values, bar.v[i]-bar.err[i], bar.v[i]+bar.err[i])
			}
		}
	}
}

// rect is the rectangle [a0, a1] across and [v0, v1] along the bars.
func (b barMarks) rect(a0, a1, v0, v1 vg.Length) vg.Path {
	if b.lying {
		return box(v0, a0, v1, a1)
	}
	return box(a0, v0, a1, v1)
}

// whisker draws an error bar from lo to hi, cut off at the axis, with a cap at each end
// that is not cut off.
func (b barMarks) whisker(c draw.Canvas, mid, arm vg.Length, along func(float64) vg.Length, values plot.Axis, lo, hi float64) {
	c.SetLineStyle(draw.LineStyle{Color: inkColor, Width: 0.9})
	stroke := func(a0, a1, v0, v1 vg.Length) {
		var p vg.Path
		if b.lying {
			a0, a1, v0, v1 = v0, v1, a0, a1
		}
		p.Move(vg.Point{X: a0, Y: v0})
		p.Line(vg.Point{X: a1, Y: v1})
		c.Stroke(p)
	}
	stroke(mid, mid, along(within(lo, values)), along(within(hi, values)))
	for _, end := range []float64{lo, hi} {
		if inside(end, values) {
			stroke(mid-arm, mid+arm, along(end), along(end))
		}
	}
}

// nameVariables writes the variables of standing bars below their values, over a line
// that holds the values together.
func nameVariables(slots []slot) func(draw.Canvas, *plot.Plot) {
	return func(c draw.Canvas, p *plot.Plot) {
		trX, _ := p.Transforms(&c)
		sty := textStyle(tickSize+0.5, inkColor)
		sty.XAlign = text.XCenter
		// The tick labels end about 1.25 em under the axis.
		y := c.Min.Y - 1.3*tickSize - 3
		for _, v := range variables(slots) {
			x0, x1 := trX(v[0].at-0.36), trX(v[len(v)-1].at+0.36)
			c.StrokeLine2(draw.LineStyle{Color: noteColor, Width: 0.6}, x0, y, x1, y)
			c.FillText(sty, vg.Point{X: (x0 + x1) / 2, Y: y - 8}, v[0].variable)
		}
	}
}

// halves splits the slots into two columns of about equal length, between variables
// where it can, and moves the second up to start at 0.
func halves(slots []slot) (left, right []slot) {
	cut := (len(slots) + 1) / 2
	for d := 0; d <= len(slots)/6; d++ {
		if at := (len(slots)+1)/2 + d; at < len(slots) && !sameVariable(slots[at-1], slots[at]) {
			cut = at
			break
		}
		if at := (len(slots)+1)/2 - d; at > 0 && !sameVariable(slots[at-1], slots[at]) {
			cut = at
			break
		}
	}
	right = slices.Clone(slots[cut:])
	for i := range right {
		right[i].at -= slots[cut].at
	}
	return slots[:cut], right
}

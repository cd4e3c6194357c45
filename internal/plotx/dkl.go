package plotx

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// DKLCurve shows on log-log axes how the Kullback-Leibler divergence of what a sampler
// has drawn so far from its target falls with biological time.
//
// A sampler without bias still has the divergence of a finite sample, about
// (K−1)/(2·n_eff) for K states and n_eff independent samples: the floor. A biased one,
// or an estimate regularised with pseudo counts, levels off above it.
type DKLCurve struct {
	Title  string
	Series []DKLSeries // at least one
	// Floor is the finite-sampling floor common to all series, at times FloorT [ms];
	// nil = none. Series may have their own instead.
	FloorT, Floor []float64
	FloorName     string // default "finite-sampling floor"
	// Level is a horizontal line, such as the bias of the regularisation; 0 = none.
	Level     float64
	LevelName string // default "bias of regularisation"
	TLabel    string // default "biological time [ms]"
	DLabel    string // default "D_{KL} [nats]"
	Size      Size   // default 9 × 4.2 inch
}

// DKLSeries is one curve of a DKLCurve. Points without a place on logarithmic axes (NaN,
// infinite, zero or negative T or D) are left out: D is infinite while a state of the
// target has not been seen, and 0 or less where a bias correction exceeds it.
type DKLSeries struct {
	Name  string
	T     []float64 // [ms], ascending
	D     []float64
	SE    []float64 // standard errors of D; nil = none. The band is ±1 SE, NaN is no band
	Floor []float64 // finite-sampling floor at T; nil = none
}

// Figure draws the curves. It is an error if there is no series, if one has no point
// that can be drawn, if lengths differ, or if times do not ascend.
func (d DKLCurve) Figure() (*Figure, error) {
	pr := problems{figure: "DKLCurve"}
	size := d.Size.or(&pr, defaultWidth, defaultHeight)
	if d.FloorName == "" {
		d.FloorName = "finite-sampling floor"
	}
	if d.LevelName == "" {
		d.LevelName = "bias of regularisation"
	}
	if d.TLabel == "" {
		d.TLabel = "biological time [ms]"
	}
	if d.DLabel == "" {
		d.DLabel = "D_{KL} [nats]"
	}
	ts, ds := d.check(&pr)
	if err := pr.err(); err != nil {
		return nil, err
	}

	p := newPlot(d.TLabel, d.DLabel)
	setAxis(&p.X, ts, true, 0.02)
	setAxis(&p.Y, ds, true, 0.05)
	return single(size, d.Title, p, d.add(p)), nil
}

// add draws everything, bands first, and returns the legend.
func (d DKLCurve) add(p *plot.Plot) legend {
	var keys legend
	bands, floors := false, false
	for i, s := range d.Series {
		t, v, se := positive(s.T, s.D, s.SE)
		if se == nil {
			continue
		}
		bands = true
		for _, part := range stretches(se) {
			lo, hi := plusMinus(v[part.from:part.to], se[part.from:part.to], 1)
			p.Add(band{t[part.from:part.to], lo, hi, faded(seriesColor(i), bandOpacity)})
		}
	}
	floorLine := draw.LineStyle{Color: noteColor, Width: 1.1, Dashes: dashed}
	for i, s := range d.Series {
		if t, v, _ := positive(s.T, s.Floor, nil); len(t) > 0 {
			line := floorLine
			line.Color = seriesColor(i)
			p.Add(polyline{t, v, line})
			floors = true
		}
	}
	if t, v, _ := positive(d.FloorT, d.Floor, nil); len(t) > 0 {
		p.Add(polyline{t, v, floorLine})
		floors = true
	}
	level := draw.LineStyle{Color: noteColor, Width: 1.1, Dashes: dotted}
	if d.Level != 0 {
		p.Add(refLine{at: d.Level, style: level})
	}
	for i, s := range d.Series {
		t, v, _ := positive(s.T, s.D, nil)
		k := Line{Name: s.Name, X: t, Y: v}.add(p, i)
		if s.Name != "" {
			keys = append(keys, k)
		}
	}
	if bands {
		keys = append(keys, key{name: "±1 SE", fill: faded(noteColor, bandOpacity)})
	}
	if floors {
		keys = append(keys, key{name: d.FloorName, line: floorLine})
	}
	if d.Level != 0 {
		keys = append(keys, key{name: d.LevelName + " (" + number(d.Level, 2) + ")", line: level})
	}
	return keys
}

// check reports all problems of the data and returns the ranges of what can be drawn.
func (d DKLCurve) check(pr *problems) (ts, ds span) {
	ts, ds = emptySpan(), emptySpan()
	if len(d.Series) == 0 {
		pr.addf("no series: must have at least one")
	}
	for i, s := range d.Series {
		at := fmt.Sprintf("Series[%d].", i)
		pr.length(at+"D", len(s.D), "T", len(s.T), false)
		pr.length(at+"SE", len(s.SE), "T", len(s.T), true)
		pr.length(at+"Floor", len(s.Floor), "T", len(s.T), true)
		if len(s.D) != len(s.T) || len(s.SE) != len(s.T) && len(s.SE) != 0 || len(s.Floor) != len(s.T) && len(s.Floor) != 0 {
			continue
		}
		pr.ascending(at+"T", s.T)
		for k, e := range s.SE {
			if e < 0 {
				pr.addf("%sSE[%d] = %v: must be ≥ 0, or NaN for no band", at, k, e)
				break
			}
		}
		t, v, se := positive(s.T, s.D, s.SE)
		if len(t) == 0 {
			pr.addf("Series[%d] %q has no point with T > 0 and finite D > 0: must have one", i, s.Name)
		}
		ts.add(t...)
		ds.add(v...)
		for k := range se {
			// The band widens the axis, downwards by a decade at most.
			if e := se[k]; e > 0 && e <= limit {
				ds.add(v[k]+e, max(v[k]-e, v[k]/10))
			}
		}
		t, v, _ = positive(s.T, s.Floor, nil)
		ts.add(t...)
		ds.add(v...)
	}
	pr.length("Floor", len(d.Floor), "FloorT", len(d.FloorT), false)
	if len(d.Floor) == len(d.FloorT) {
		pr.ascending("FloorT", d.FloorT)
		t, v, _ := positive(d.FloorT, d.Floor, nil)
		ts.add(t...)
		ds.add(v...)
	}
	if d.Level != 0 {
		pr.number("Level", d.Level, tiny, limit)
		ds.add(d.Level)
	}
	return ts, ds
}

// positive returns the points that have a place on logarithmic axes, with their
// standard errors if se is not nil.
func positive(t, v, se []float64) (tOut, vOut, seOut []float64) {
	for i := range v {
		if t[i] >= tiny && t[i] <= limit && v[i] >= tiny && v[i] <= limit {
			tOut, vOut = append(tOut, t[i]), append(vOut, v[i])
			if len(se) > 0 {
				seOut = append(seOut, se[i])
			}
		}
	}
	return tOut, vOut, seOut
}

// stretch is a part [from, to) of a slice.
type stretch struct{ from, to int }

// stretches returns the parts of at least two entries in which v is finite and ≥ 0.
func stretches(v []float64) []stretch {
	var out []stretch
	start := 0
	for i := 0; i <= len(v); i++ {
		if i < len(v) && v[i] >= 0 && !math.IsInf(v[i], 0) {
			continue
		}
		if i-start >= 2 {
			out = append(out, stretch{start, i})
		}
		start = i + 1
	}
	return out
}

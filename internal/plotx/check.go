package plotx

import (
	"errors"
	"fmt"
	"math"
)

// limit bounds every number in a figure, so that ranges and their logarithms are
// finite.
const limit = 1e100

// tiny is the smallest number on a logarithmic axis.
const tiny = 1e-100

// problems collects what is wrong with a figure's data.
type problems struct {
	figure string
	errs   []error
}

func (p *problems) addf(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("plotx: "+p.figure+": "+format, args...))
}

func (p *problems) err() error { return errors.Join(p.errs...) }

// values reports the first entry of v that is not a number in [lo, hi].
func (p *problems) values(name string, v []float64, lo, hi float64) {
	for i, x := range v {
		if !(x >= lo && x <= hi) {
			p.addf("%s[%d] = %v: must be %s", name, i, x, interval(lo, hi))
			return
		}
	}
}

// number reports x unless it is in [lo, hi].
func (p *problems) number(name string, x, lo, hi float64) {
	if !(x >= lo && x <= hi) {
		p.addf("%s = %v: must be %s", name, x, interval(lo, hi))
	}
}

// ascend reports a range lo, hi that is no range.
func (p *problems) ascend(names string, lo, hi float64) {
	if (span{lo, hi}).flat() {
		p.addf("%s = %v, %v: must ascend", names, lo, hi)
	}
}

// interval says which numbers [lo, hi] allows.
func interval(lo, hi float64) string {
	switch {
	case lo == -limit:
		return "finite, at most 1e100 in size"
	case lo == tiny:
		return "> 0 and in [1e-100, 1e100]"
	case hi == limit:
		return fmt.Sprintf("in [%v, 1e100]", lo)
	}
	return fmt.Sprintf("in [%v, %v]", lo, hi)
}

// length reports v unless it has n entries, or none where optional.
func (p *problems) length(name string, v int, want string, n int, optional bool) {
	if v == n || optional && v == 0 {
		return
	}
	or := ""
	if optional {
		or = " or none"
	}
	p.addf("%s has %d entries: must have %d, as many as %s%s", name, v, n, want, or)
}

// ascending reports the first entry of v below its predecessor.
func (p *problems) ascending(name string, v []float64) {
	for i := 1; i < len(v); i++ {
		if v[i] < v[i-1] {
			p.addf("%s[%d] = %v is below %s[%d] = %v: must ascend", name, i, v[i], name, i-1, v[i-1])
			return
		}
	}
}

// span is the range of the data on one axis.
type span struct{ lo, hi float64 }

func emptySpan() span { return span{math.Inf(1), math.Inf(-1)} }

// add widens the span to hold the values.
func (s *span) add(values ...float64) {
	for _, v := range values {
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
}

// flat reports whether the span is too narrow for an axis.
func (s span) flat() bool {
	return !(s.hi-s.lo > max(1e-9*s.size(), tiny))
}

// size returns the largest absolute value.
func (s span) size() float64 { return max(math.Abs(s.lo), math.Abs(s.hi)) }

// padded returns the span widened by the fraction f at both ends; a span without width
// gets one that makes sense for its value. An empty one is [0, 1].
func (s span) padded(f float64) (lo, hi float64) {
	if s.lo > s.hi {
		return 0, 1
	}
	if !s.flat() {
		d := s.hi - s.lo
		return s.lo - f*d, s.hi + f*d
	}
	if s.size() <= tiny {
		return -1, 1
	}
	return s.lo - 0.1*s.size(), s.hi + 0.1*s.size()
}

// paddedLog is padded for a logarithmic axis, at least 0.8 decades wide.
func (s span) paddedLog(f float64) (lo, hi float64) {
	l, h := math.Log10(s.lo), math.Log10(s.hi)
	pad := f * (h - l)
	if h-l+2*pad < 0.8 {
		pad = (0.8 - (h - l)) / 2
	}
	return math.Pow(10, l-pad), math.Pow(10, h+pad)
}

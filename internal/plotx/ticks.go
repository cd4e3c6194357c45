package plotx

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// linearTicks marks multiples of 1, 2, 2.5 or 5 times a power of ten, about want of
// them: three or more, but where only two are wanted two or one.
type linearTicks struct{ want int }

// Ticks returns the ticks inside [lo, hi].
func (lt linearTicks) Ticks(lo, hi float64) []plot.Tick {
	step, decimals := lt.step(lo, hi)
	first, last := tickRange(lo, hi, step)
	if !(last-first < 100) { // the step is lost in rounding
		return []plot.Tick{{Value: lo, Label: number(lo, 6)}}
	}
	exp := 0
	if top := (span{lo, hi}).size(); top >= 99999.5 || top < 2e-3 {
		exp = int(math.Floor(math.Log10(top * (1 + 1e-9))))
		if top < 1e7 && decimals <= 0 && decimals+exp > 2 { // 1234500 is shorter
			exp = 0
		}
	}
	ticks := make([]plot.Tick, 0, int(last-first)+1)
	for i := first; i <= last; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: decimal(i*step, max(0, decimals+exp), exp)})
	}
	return ticks
}

// tickRange returns the first and the last multiple of step in [lo, hi].
func tickRange(lo, hi, step float64) (first, last float64) {
	return math.Ceil(lo/step - 1e-6), math.Floor(hi/step + 1e-6)
}

// step returns the nice step with the number of ticks nearest to the one wanted, and the
// decimals that its multiples need; negative if they end in zeros.
func (lt linearTicks) step(lo, hi float64) (step float64, decimals int) {
	want := float64(max(lt.want, 1))
	e0 := int(math.Floor(math.Log10((hi - lo) / want)))
	best := math.Inf(1)
	for e := e0 - 1; e <= e0+1; e++ {
		for _, m := range []struct {
			factor   float64
			decimals int
			penalty  float64
		}{{1, 0, 0}, {2, 0, 0}, {2.5, 1, 0.06}, {5, 0, 0}} {
			first, last := tickRange(lo, hi, m.factor*math.Pow10(e))
			n := last - first + 1
			cost := math.Abs(math.Log(max(n, 0.5)/want)) + m.penalty
			if n < 3 && lt.want > 2 {
				cost++
			}
			if cost < best {
				best, step, decimals = cost, m.factor*math.Pow10(e), m.decimals-e
			}
		}
	}
	return step, decimals
}

// decimal formats v with the given decimals of its multiple of 10^exp, with a true
// minus sign: 0.25, −3, 2.5·10⁶.
func decimal(v float64, decimals, exp int) string {
	s := strconv.FormatFloat(v/math.Pow10(exp), 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	s = strings.Replace(s, "-", "−", 1)
	if exp != 0 {
		s += "·" + powerOfTen(exp)
	}
	return s
}

// powerOfTen returns 10^e in markup: 1, 10, 10², 10⁻³.
func powerOfTen(e int) string {
	switch e {
	case 0:
		return "1"
	case 1:
		return "10"
	}
	return "10^{" + strings.Replace(strconv.Itoa(e), "-", "−", 1) + "}"
}

// number formats v with the given significant digits for a legend: 0.0123, 1.2·10⁻⁵.
func number(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'g', digits, 64)
	if i := strings.IndexByte(s, 'e'); i >= 0 {
		e, _ := strconv.Atoi(s[i+1:])
		s = s[:i] + "·" + powerOfTen(e)
	}
	return strings.Replace(s, "-", "−", 1)
}

// logTicks marks powers of ten, about want of them at most but two if there are two, with
// minor ticks between them while there is room. A range with fewer gets 1, 2, 5.
type logTicks struct{ want int }

// Ticks returns the ticks inside [lo, hi], both > 0.
func (lt logTicks) Ticks(lo, hi float64) []plot.Tick {
	in := func(v float64) bool { return v >= lo*(1-1e-9) && v <= hi*(1+1e-9) }
	first, last := int(math.Floor(math.Log10(lo))), int(math.Ceil(math.Log10(hi)))
	powers := func(every int) (n int) {
		for e := first; e <= last; e++ {
			if e%every == 0 && in(math.Pow10(e)) {
				n++
			}
		}
		return n
	}
	every := 1
	for powers(every) > max(lt.want, 1)+1 && powers(nextNice(every)) >= 2 {
		every = nextNice(every)
	}
	few := powers(every) < 2
	var ticks []plot.Tick
	for e := first; e <= last; e++ {
		for m := 1; m < 10; m++ {
			t := plot.Tick{Value: float64(m) * math.Pow10(e)}
			switch {
			case !in(t.Value):
				continue
			case few && (m == 1 || m == 2 || m == 5):
				t.Label = factorTick(m, e)
			case m == 1 && e%every == 0:
				t.Label = powerOfTen(e)
			case m != 1 && every > 1, every > 5:
				continue // no room
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// nextNice returns the number after n in 1, 2, 5, 10, 20, 50, …
func nextNice(n int) int {
	if s := strconv.Itoa(n); s[0] == '2' {
		return n / 2 * 5
	}
	return n * 2
}

// factorTick formats m·10^e: plain between 0.001 and 9999, else with a power.
func factorTick(m, e int) string {
	if e >= -3 && e <= 3 {
		return decimal(float64(m)*math.Pow10(e), max(0, -e), 0)
	}
	if m == 1 {
		return powerOfTen(e)
	}
	return strconv.Itoa(m) + "·" + powerOfTen(e)
}

// unlabelled hides the labels of a ticker's ticks, where a panel shares the axis of
// the panel below.
type unlabelled struct{ plot.Ticker }

// Ticks returns the ticks of the wrapped ticker without labels.
func (u unlabelled) Ticks(lo, hi float64) []plot.Tick {
	ticks := u.Ticker.Ticks(lo, hi)
	for i := range ticks {
		ticks[i].Label = ""
	}
	return ticks
}

// labelTicks marks positions with names, every k-th where there is no room for all.
type labelTicks struct {
	at      []float64
	names   []string
	numbers bool // names are indices
	every   int  // 0 = 1
}

// Ticks returns the named positions whatever the range.
func (lt labelTicks) Ticks(_, _ float64) []plot.Tick {
	var ticks []plot.Tick
	for i := 0; i < len(lt.at); i += max(1, lt.every) {
		ticks = append(ticks, plot.Tick{Value: lt.at[i], Label: lt.names[i]})
	}
	return ticks
}

// indexed returns ticks at 0 to n−1 with the names, or their numbers if there are none.
func indexed(names []string, n int) labelTicks {
	lt := labelTicks{numbers: len(names) == 0}
	for i := range n {
		lt.at = append(lt.at, float64(i))
		if lt.numbers {
			lt.names = append(lt.names, strconv.Itoa(i))
		}
	}
	if !lt.numbers {
		lt.names = names
	}
	return lt
}

package plotx

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"pgregory.net/rapid"
)

// parse undoes the formatting of a tick label.
func parse(t testing.TB, s string) float64 {
	t.Helper()
	s = strings.NewReplacer("−", "-", "·10^{", "e", "}", "").Replace(s)
	if i := strings.Index(s, "·10"); i >= 0 {
		s = s[:i] + "e1"
	}
	s = strings.Replace(s, "10^{", "1e", 1)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func labels(ticks []plot.Tick) string {
	var s []string
	for _, t := range ticks {
		if t.Label != "" {
			s = append(s, t.Label)
		}
	}
	return strings.Join(s, " ")
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		want   int
		lo, hi float64
		labels string
	}{
		{6, 0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{4, 0, 1, "0 0.25 0.50 0.75 1.00"},
		{3, -0.023, 0.024, "−0.02 0 0.02"},
		{4, -55.4, -49.2, "−54 −52 −50"},
		{5, 0, 4e-4, "0 1·10^{−4} 2·10^{−4} 3·10^{−4} 4·10^{−4}"},
		{3, 0, 2e6, "0 1·10^{6} 2·10^{6}"},
		{3, 0, 5e5, "0 2·10^{5} 4·10^{5}"},
		{4, 1e6, 1e6 + 300, "1000000 1000100 1000200 1000300"},
	} {
		if got := labels(linearTicks{c.want}.Ticks(c.lo, c.hi)); got != c.labels {
			t.Errorf("%d ticks in [%v, %v]: %s: want %s", c.want, c.lo, c.hi, got, c.labels)
		}
	}
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		want   int
		lo, hi float64
		labels string
	}{
		{8, 0.8, 1.2e3, "1 10 10^{2} 10^{3}"},
		{8, 1e-3, 1, "10^{−3} 10^{−2} 10^{−1} 1"},
		{4, 1, 1e8, "1 10^{2} 10^{4} 10^{6} 10^{8}"},
		{8, 3, 30, "5 10 20"},
		{8, 4e-5, 3e-4, "5·10^{−5} 10^{−4} 2·10^{−4}"},
	} {
		if got := labels(logTicks{c.want}.Ticks(c.lo, c.hi)); got != c.labels {
			t.Errorf("%d ticks in [%v, %v]: %s: want %s", c.want, c.lo, c.hi, got, c.labels)
		}
	}
}

// TestTicksProperties checks ticks of any range: inside, ascending, not too many, and
// with labels that say the value.
func TestTicksProperties(t *testing.T) {
	check := func(rt *rapid.T, ticks []plot.Tick, lo, hi float64, want int) {
		n, last := 0, math.Inf(-1)
		for _, k := range ticks {
			slack := 1e-5*(hi-lo) + 1e-9*math.Abs(lo)
			if k.Value < lo-slack || k.Value > hi+slack || k.Value <= last {
				rt.Fatalf("tick %v outside [%v, %v] or not above %v", k.Value, lo, hi, last)
			}
			last = k.Value
			if k.Label == "" {
				continue
			}
			n++
			if v := parse(t, k.Label); math.Abs(v-k.Value) > 1e-6*(hi-lo)+1e-9*math.Abs(k.Value) {
				rt.Fatalf("tick %v in [%v, %v] says %s = %v", k.Value, lo, hi, k.Label, v)
			}
		}
		if n < 1 || n > 2*want+3 {
			rt.Fatalf("%d labels in [%v, %v]: want about %d", n, lo, hi, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.IntRange(2, 12).Draw(rt, "want")
		scale := math.Pow(10, rapid.Float64Range(-90, 90).Draw(rt, "exponent"))
		lo := scale * rapid.Float64Range(-1, 1).Draw(rt, "lo")
		hi := lo + scale*rapid.Float64Range(1e-4, 10).Draw(rt, "width")
		check(rt, linearTicks{want}.Ticks(lo, hi), lo, hi, want)
		lo = scale
		hi = lo * math.Pow(10, rapid.Float64Range(0.8, 9).Draw(rt, "decades"))
		check(rt, logTicks{want}.Ticks(lo, hi), lo, hi, max(want, 4))
	})
}

func TestNextNice(t *testing.T) {
	got := []int{1}
	for range 7 {
		got = append(got, nextNice(got[len(got)-1]))
	}
	for i, want := range []int{1, 2, 5, 10, 20, 50, 100, 200} {
		if got[i] != want {
			t.Fatalf("nice numbers %v", got)
		}
	}
}

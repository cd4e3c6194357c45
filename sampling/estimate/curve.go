package estimate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spikesampling/spikesampling/sampling"
)

// Curve records how D(sampled so far‖target) falls with recorded time, at given times. The
// divergence is computed only there; between them a flip costs O(1).
type Curve struct {
	reader
	target []float64
	at     []float64   // recorded times at which to compute
	values [][]float64 // of every chain, the divergences so far; recording adds to chain 0
	times  []float64   // time in every joint state
	state  int         // joint state, while all variables are defined
	begun  bool
	sealed bool    // decoded: without the sample it cannot go on
	last   float64 // time up to which times is counted
	origin float64 // time at which recorded time was 0
}

// NewCurve returns a curve for 1 to 20 units. Bit k of an index of target is the k-th
// listed unit; target sums to 1 within 1e-9. The times, in recorded time, are > 0 and rise
// (see [LogTimes]).
func NewCurve(target, times []float64, units ...int) (*Curve, error) {
	vars := make([]Variable, len(units))
	if err := checkUnits(units); err != nil {
		return nil, err
	}
	for i, u := range units {
		vars[i] = Variable{Name: fmt.Sprintf("unit %d", u), Units: []int{u}}
	}
	return NewVariablesCurve(target, times, vars)
}

// NewVariablesCurve returns a curve for the joint distribution of variables, the first one
// varying fastest in target; at most 2^20 joint states. Time in which a variable is
// undefined passes but is not in the sample.
func NewVariablesCurve(target, times []float64, vars []Variable) (*Curve, error) {
	r, err := newReader(vars)
	if err != nil {
		return nil, err
	}
	if err := r.checkReadable(); err != nil {
		return nil, err
	}
	return newCurve(r, target, times)
}

func newCurve(r reader, target, times []float64) (*Curve, error) {
	if r.states() > maxStates {
		return nil, fmt.Errorf("estimate: curve over more than %d joint states", maxStates)
	}
	if err := checkTarget(target, r.states()); err != nil {
		return nil, err
	}
	if len(times) == 0 {
		return nil, errors.New("estimate: curve has no times: must have at least one")
	}
	before := 0.0
	for i, t := range times {
		if !(t > before) || math.IsInf(t, 0) {
			return nil, fmt.Errorf("estimate: time %d of the curve is %v: must be finite and > %v", i, t, before)
		}
		before = t
	}
	return &Curve{reader: r, target: slices.Clone(target), at: slices.Clone(times),
		values: make([][]float64, 1), times: make([]float64, r.states())}, nil
}

// LogTimes returns times from first to last, perDecade of them in a factor of ten, at equal
// ratios; the ratio is adjusted so that last is one of them. Needs 0 < first < last and
// perDecade ≥ 1.
func LogTimes(first, last float64, perDecade int) ([]float64, error) {
	if !(first > 0) || !(last > first) || math.IsInf(last, 0) {
		return nil, fmt.Errorf("estimate: times from %v to %v: must be 0 < first < last, finite", first, last)
	}
	if perDecade < 1 || perDecade > 1000 {
		return nil, fmt.Errorf("estimate: perDecade = %d: must be 1 to 1000", perDecade)
	}
	decades := math.Log10(last) - math.Log10(first)
	n := max(1, int(math.Round(decades*float64(perDecade))))
	out := make([]float64, n+1)
	for i := range out {
		out[i] = first * math.Pow(10, decades*float64(i)/float64(n))
	}
	out[n] = last
	return out, nil
}

// Begin implements [sampling.Recorder]. It refuses a state without the units of a variable
// and a variable with a value out of range.
func (c *Curve) Begin(t float64, z []uint8) error {
	if c.sealed {
		return errors.New("estimate: a decoded curve has no sample to go on from: merge it into a new one")
	}
	elapsed := c.last - c.origin
	c.begun = false
	if err := c.begin(t, z); err != nil {
		return err
	}
	c.begun, c.last, c.origin = true, t, t-elapsed
	if c.undefined == 0 {
		c.state = c.index()
	}
	return nil
}

// Record implements [sampling.Recorder].
func (c *Curve) Record(flips []sampling.Flip, t float64) {
	if !c.begun {
		panic(notBegun)
	}
	for _, f := range flips {
		c.z[f.Unit] = f.On
		for _, i := range c.deps[f.Unit] {
			x := c.eval(i)
			old := c.value[i]
			if x == old {
				continue
			}
			c.advance(f.Time)
			defined := c.undefined == 0
			c.set(i, x)
			if c.undefined > 0 {
				continue
			}
			if defined {
				c.state += int(x-old) * c.stride[i]
			} else {
				c.state = c.index()
			}
		}
	}
	c.advance(t)
}

// advance counts the time up to t, computing the divergence at the times on the way.
func (c *Curve) advance(t float64) {
	for len(c.values[0]) < len(c.at) {
		// A run of exactly this length may end a rounding error before it.
		at := c.origin + c.at[len(c.values[0])]*(1-1e-12)
		if t < at {
			break
		}
		c.count(max(at, c.last))
		c.values[0] = append(c.values[0], c.divergence())
	}
	c.count(t)
}

// count adds the time up to t to that of the current state.
func (c *Curve) count(t float64) {
	if c.undefined == 0 {
		c.times[c.state] += t - c.last
	}
	c.last = t
}

// divergence is D(sampled so far‖target), NaN if there is no sample.
func (c *Curve) divergence() float64 {
	total := sum(c.times)
	d := 0.0
	for k, t := range c.times {
		if t > 0 {
			p := t / total
			d += p * math.Log(p/c.target[k])
		}
	}
	if total == 0 {
		return math.NaN()
	}
	return d
}

// Merge appends the chains of o, which must be of the same target, times and variables.
func (c *Curve) Merge(o *Curve) error {
	if err := checkMerge(c, o); err != nil {
		return err
	}
	if err := c.same(&o.reader); err != nil {
		return err
	}
	if !slices.Equal(c.target, o.target) {
		return errors.New("estimate: merge of curves with different targets")
	}
	if !slices.Equal(c.at, o.at) {
		return errors.New("estimate: merge of curves at different times")
	}
	c.values = append(c.values, o.values...)
	if c.err == nil {
		c.err = o.err
	}
	return nil
}

// CurvePoint is the divergence at one time over chains.
type CurvePoint struct {
	Time   float64 // recorded time of each chain
	Mean   float64 // mean over chains [nats]; NaN if Chains is 0
	SE     float64 // sd over chains/√Chains; NaN with fewer than two chains
	Chains int     // chains that got there with anything sampled
}

// Points is the curve averaged over chains. The error is that a Value function left its
// range.
func (c *Curve) Points() ([]CurvePoint, error) {
	if c.err != nil {
		return nil, c.err
	}
	points := make([]CurvePoint, len(c.at))
	for i, t := range c.at {
		var x []float64
		for _, chain := range c.values {
			if i < len(chain) && !math.IsNaN(chain[i]) {
				x = append(x, chain[i])
			}
		}
		points[i] = CurvePoint{Time: t, Mean: math.NaN(), SE: math.NaN(), Chains: len(x)}
		if len(x) > 0 {
			points[i].Mean = sum(x) / float64(len(x))
		}
		if len(x) > 1 {
			_, v := meanVariance(x)
			points[i].SE = math.Sqrt(v / float64(len(x)))
		}
	}
	return points, nil
}

// PerChain is the divergence of every chain, [chain][time]; a chain that did not get to the
// last time is shorter. NaN where a chain had nothing sampled.
func (c *Curve) PerChain() [][]float64 {
	out := make([][]float64, len(c.values))
	for i, x := range c.values {
		out[i] = slices.Clone(x)
	}
	return out
}

// String is a table with one line per time.
func (c *Curve) String() string {
	points, err := c.Points()
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "time\tDKL\tSE\tchains\t\n")
	for _, p := range points {
		fmt.Fprintf(w, "%.4g\t%.3g\t%.2g\t%d\t\n", p.Time, p.Mean, p.SE, p.Chains)
	}
	w.Flush()
	return b.String()
}

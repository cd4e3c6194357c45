package estimate

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

// ErrUndefined says that variables had no value for part of the time and the estimate was
// not asked to condition on that they have.
var ErrUndefined = errors.New("estimate: variables undefined for part of the time")

// ValuesOptions says what Values records. The zero value of each field is its default.
type ValuesOptions struct {
	// BinWidth is the width of the bins of the time series, in time during which all
	// variables are defined, ≥ 0. Default 1/1024. When a chain has 4096 bins (fewer for
	// more than 1024 values in total) neighbours are joined and the width doubles, so the
	// default fits runs of any length.
	BinWidth float64
	// Joint records the joint distribution too; at most 2^20 joint states.
	Joint bool
	// Condition allows time in which variables are undefined: the estimates are then the
	// law conditional on all of them being defined. Without it they are refused with
	// ErrUndefined if there was such time.
	Condition bool
}

// Values estimates the distributions of categorical variables by dwell time. Only the
// variables that look at a unit are evaluated when it flips.
//
// Time counts only while all variables are defined, so the estimate is the law conditional
// on that (see ValuesOptions.Condition). The clock of the bins stops meanwhile: every bin
// holds BinWidth of defined time, there are no empty bins, and the mean of the bins is the
// estimate, but for the last bin, which is not complete and not part of the series.
type Values struct {
	reader
	bins
	opt       ValuesOptions
	table     *Table    // joint distribution, or nil
	joint     int       // current index in table, while defined
	since     []float64 // of each variable: time up to which its time is counted, while defined
	jointDone float64   // the same of table
	begun     bool
	last      float64    // time up to which everything else is counted
	time      [2]float64 // time undefined and defined
}

// NewValues returns an estimator for one or more variables with distinct names.
func NewValues(vars []Variable, opt ValuesOptions) (*Values, error) {
	r, err := newReader(vars)
	if err != nil {
		return nil, err
	}
	if err := r.checkReadable(); err != nil {
		return nil, err
	}
	return newValues(r, opt)
}

func newValues(r reader, opt ValuesOptions) (*Values, error) {
	if !(opt.BinWidth >= 0) || math.IsInf(opt.BinWidth, 0) {
		return nil, fmt.Errorf("estimate: BinWidth = %v: must be finite and ≥ 0 (0: default 1/1024)", opt.BinWidth)
	}
	if opt.BinWidth == 0 {
		opt.BinWidth = firstBin
	}
	cells := 0
	for _, v := range r.vars {
		cells += v.Card
	}
	if cells > maxValues {
		return nil, fmt.Errorf("estimate: variables have %d values in total: must have at most %d", cells, maxValues)
	}
	e := &Values{reader: r, bins: newBins(r.vars, opt.BinWidth), opt: opt, since: make([]float64, len(r.vars))}
	if opt.Joint {
		if r.states() > maxStates {
			return nil, fmt.Errorf("estimate: joint table of variables with more than %d states: leave out Joint or some variables", maxStates)
		}
		e.table = newTable(r.states())
	}
	return e, nil
}

// Begin implements [sampling.Recorder]. It refuses a state without the units of a variable
// and a variable with a value out of range.
func (e *Values) Begin(t float64, z []uint8) error {
	e.flush()
	e.begun = false
	if err := e.begin(t, z); err != nil {
		return err
	}
	e.begun, e.last = true, t
	if e.undefined == 0 {
		e.resume(t)
	}
	return nil
}

// Record implements [sampling.Recorder].
func (e *Values) Record(flips []sampling.Flip, t float64) {
	if !e.begun {
		panic(notBegun)
	}
	for _, f := range flips {
		e.z[f.Unit] = f.On
		for _, i := range e.deps[f.Unit] {
			if x := e.eval(i); x != e.value[i] {
				e.change(i, x, f.Time)
			}
		}
	}
	e.advance(t)
}

// change gives variable i the value x at time t.
func (e *Values) change(i, x int32, t float64) {
	e.advance(t)
	if e.undefined > 0 {
		e.set(i, x)
		if e.undefined == 0 {
			e.resume(t)
		}
		return
	}
	if x < 0 {
		e.flush()
		e.set(i, x)
		return
	}
	old := e.value[i]
	e.bins.add(e.offset[i]+int(old), t-e.since[i])
	e.since[i] = t
	if e.table != nil {
		e.table.add(e.joint, t-e.jointDone)
		e.jointDone = t
		e.joint += int(x-old) * e.stride[i]
	}
	e.value[i] = x
}

// resume starts counting at time t, all variables being defined.
func (e *Values) resume(t float64) {
	for i := range e.since {
		e.since[i] = t
	}
	if e.table != nil {
		e.joint, e.jointDone = e.index(), t
	}
}

// advance moves the clock to time t, closing the bins that end before.
func (e *Values) advance(t float64) {
	dt := t - e.last
	if e.undefined > 0 {
		e.time[0] += dt
		e.last = t
		return
	}
	e.time[1] += dt
	if fill := e.fill + dt; fill < e.width {
		e.fill = fill
		e.last = t
		return
	}
	e.makeRoom(t, dt)
	for e.fill+(t-e.last) >= e.width {
		e.last = min(t, e.last+(e.width-e.fill))
		e.flushBins()
		e.bins.close()
	}
	e.fill += t - e.last
	e.last = t
}

// flushBins counts the values all variables have now up to the current time.
func (e *Values) flushBins() {
	for i, x := range e.value {
		e.bins.add(e.offset[i]+int(x), e.last-e.since[i])
		e.since[i] = e.last
	}
}

// flush counts everything up to the current time; recording can go on.
func (e *Values) flush() {
	if !e.begun || e.undefined > 0 {
		return
	}
	e.flushBins()
	if e.table != nil {
		e.table.add(e.joint, e.last-e.jointDone)
		e.jointDone = e.last
	}
}

// Merge adds the record of o, which must be of the same variables and options. The bins of
// o stay separate chains.
func (e *Values) Merge(o *Values) error {
	if err := checkMerge(e, o); err != nil {
		return err
	}
	if err := e.same(&o.reader); err != nil {
		return err
	}
	if e.opt != o.opt {
		return fmt.Errorf("estimate: merge of values with options %+v and %+v: must be equal", e.opt, o.opt)
	}
	e.flush()
	o.flush()
	if err := e.bins.merge(&o.bins); err != nil {
		return err
	}
	if e.table != nil {
		if err := e.table.merge(o.table); err != nil {
			return err
		}
	}
	for i, t := range o.time {
		e.time[i] += t
	}
	if e.err == nil {
		e.err = o.err
	}
	return nil
}

// Time is the time recorded, defined or not, summed over merged chains.
func (e *Values) Time() float64 { return e.time[0] + e.time[1] }

// DefinedFraction is the share of the recorded time in which all variables were defined,
// NaN if no time was recorded.
func (e *Values) DefinedFraction() float64 { return share(e.time[1], e.Time()) }

// ready counts everything and reports an error if there is no estimate.
func (e *Values) ready() error {
	if e.err != nil {
		return e.err
	}
	if e.time[0] > 0 && !e.opt.Condition {
		return fmt.Errorf("%w (%.3g of it): set Condition for the law conditional on their being defined",
			ErrUndefined, 1-e.DefinedFraction())
	}
	if e.time[1] == 0 {
		return ErrNoTime
	}
	e.flush()
	return nil
}

// P is the estimated law of every variable, [variable][value]. Errors: ErrNoTime,
// ErrUndefined (see ValuesOptions.Condition), or a Value function that left its range.
func (e *Values) P() ([][]float64, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	p := make([][]float64, len(e.vars))
	for i := range p {
		times := e.total[e.offset[i]:e.offset[i+1]]
		whole := sum(times)
		p[i] = make([]float64, len(times))
		for x, t := range times {
			p[i][x] = t / whole
		}
	}
	return p, nil
}

// Joint is the table over all variables, the first one varying fastest. It is the
// recorder's own. Errors as P, and if ValuesOptions.Joint was not set.
func (e *Values) Joint() (*Table, error) {
	if e.table == nil {
		return nil, errors.New("estimate: values were recorded without ValuesOptions.Joint")
	}
	if err := e.ready(); err != nil {
		return nil, err
	}
	return e.table, nil
}

// Series is the time series of a value of a variable: the share of every bin it was taken,
// [chain][bin]. Chains may differ in length. width is that of the bins [time].
func (e *Values) Series(variable, value int) (series [][]float64, width float64, err error) {
	if variable < 0 || variable >= len(e.vars) {
		return nil, 0, fmt.Errorf("estimate: series of variable %d: must be 0 to %d", variable, len(e.vars)-1)
	}
	v := e.vars[variable]
	if value < 0 || value >= v.Card {
		return nil, 0, fmt.Errorf("estimate: series of value %d of %q: must be 0 to %d", value, v.Name, v.Card-1)
	}
	if err := e.ready(); err != nil {
		return nil, 0, err
	}
	return e.series(e.offset[variable] + value), e.width, nil
}

package estimate

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

const (
	maxModes = math.MaxInt16
	maxReads = 1 << 17 // label readings per stretch
)

// ModesOptions says what Modes records. The zero value of each field is its default.
type ModesOptions struct {
	// MinRun is the run-length filter: the time a chain must stay in a mode without a break
	// for it to count as visited, in the sampler's unit; default 0, any.
	MinRun float64
	// Step is the spacing at which the label is read for autocorrelation times, in the
	// sampler's unit; default 1. A stretch of more than 2^17 readings keeps every second, and
	// the spacing doubles.
	Step float64
}

// Modes tells how a chain moves between the modes of its law.
//
// A run is a stretch of time in which the label is one mode without a break. If it lasts
// MinRun or longer, and the last such run was in another mode, a visit begins with it; it
// ends where the next begins, and so includes what lies between. A switch is a visit after
// another. Visits of one stretch of recording do not go on in the next.
//
// The embedded [Table] has the share of time in each mode, without the filter, and as its
// last entry that in none; DKL, TV and the others take the exact masses in that order.
type Modes struct {
	*Table
	opt    ModesOptions
	labels Labels // nil: decoded
	err    error  // the first label out of range
	modes  int
	step   float64 // spacing of the readings
	open   bool    // a stretch has begun

	label   int     // of the run, valid before now
	now     float64 // all is accounted for up to here but for the table,
	counted float64 // which is filled up to here
	stale   bool    // units have flipped at time now: the label is not known yet
	runAt   float64 // begin of the run
	seen    bool    // the run is long enough

	stretches []modeStretch
}

// modeStretch is the record of one stretch of a chain.
type modeStretch struct {
	begin, end float64
	visits     []Visit
	reads      []int16 // labels at begin, begin + step, …
}

// Visit is the visit of a mode that begins at time Time and lasts until the next.
type Visit struct {
	Time float64
	Mode int
}

// NewModes returns a recorder of those modes, which needs labels of its own.
func NewModes(labels Labels, opt ModesOptions) (*Modes, error) {
	if labels == nil {
		return nil, errors.New("estimate: modes without Labels")
	}
	return newModes(labels, labels.Modes(), opt)
}

func newModes(labels Labels, modes int, opt ModesOptions) (*Modes, error) {
	if opt.Step == 0 {
		opt.Step = 1
	}
	var errs []error
	if modes < 1 || modes > maxModes {
		errs = append(errs, fmt.Errorf("estimate: %d modes: must be 1 to %d", modes, maxModes))
	}
	if !(opt.MinRun >= 0) || math.IsInf(opt.MinRun, 0) {
		errs = append(errs, fmt.Errorf("estimate: MinRun = %v: must be finite and ≥ 0", opt.MinRun))
	}
	if !(opt.Step > 0) || math.IsInf(opt.Step, 0) {
		errs = append(errs, fmt.Errorf("estimate: Step = %v: must be finite and > 0 (0: default 1)", opt.Step))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Modes{Table: newTable(modes + 1), opt: opt, labels: labels, modes: modes, step: opt.Step}, nil
}

// Begin implements [sampling.Recorder]. It refuses a state that the labels do not fit, and
// a label out of range as far as the first state shows it.
func (m *Modes) Begin(t float64, z []uint8) error {
	m.open = false
	if m.labels == nil {
		return errors.New("estimate: decoded modes have no Labels to go on with: merge them into new ones")
	}
	if err := checkBegin(t, z, max(1, len(z))); err != nil {
		return err
	}
	if err := m.labels.Reset(z); err != nil {
		return err
	}
	m.label = m.labels.Label()
	if m.check(); m.err != nil {
		return m.err
	}
	m.open, m.stale, m.seen = true, false, false
	m.now, m.counted, m.runAt = t, t, t
	m.stretches = append(m.stretches, modeStretch{begin: t, end: t})
	return nil
}

// check takes a label out of range for none and keeps it as an error.
func (m *Modes) check() {
	if m.label < -1 || m.label >= m.modes {
		if m.err == nil {
			m.err = fmt.Errorf("estimate: label %d of %d modes: must be −1 to %d", m.label, m.modes, m.modes-1)
		}
		m.label = -1
	}
}

// Record implements [sampling.Recorder].
func (m *Modes) Record(flips []sampling.Flip, t float64) {
	if !m.open {
		panic(notBegun)
	}
	for i := range flips {
		f := &flips[i]
		if f.Time > m.now {
			m.until(f.Time)
		}
		m.labels.Flipped(int(f.Unit), f.On)
		m.stale = true
	}
	if t > m.now {
		m.until(t)
	}
	m.count()
	m.last().end = m.now
}

// last is the stretch that is open.
func (m *Modes) last() *modeStretch { return &m.stretches[len(m.stretches)-1] }

// count fills the table up to now.
func (m *Modes) count() {
	k := m.label
	if k < 0 {
		k = m.modes
	}
	m.add(k, m.now-m.counted)
	m.counted = m.now
}

// until accounts for the state from now to t > now. States that last no time have no label.
func (m *Modes) until(t float64) {
	if m.stale {
		m.stale = false
		if l := m.labels.Label(); l != m.label {
			m.count()
			m.label, m.runAt, m.seen = l, m.now, false
			m.check()
		}
	}
	m.now = t
	s := m.last()
	if !m.seen && m.label >= 0 && t-m.runAt >= m.opt.MinRun {
		m.seen = true
		if n := len(s.visits); n == 0 || s.visits[n-1].Mode != m.label {
			s.visits = append(s.visits, Visit{m.runAt, m.label})
		}
	}
	for s.begin+float64(len(s.reads))*m.step < t {
		if len(s.reads) == maxReads {
			m.thin()
			continue
		}
		s.reads = append(s.reads, int16(m.label))
	}
}

// thin keeps every second reading of all stretches and doubles the spacing.
func (m *Modes) thin() {
	m.step *= 2
	for c := range m.stretches {
		s := &m.stretches[c]
		n := (len(s.reads) + 1) / 2
		for i := range n {
			s.reads[i] = s.reads[2*i]
		}
		s.reads = s.reads[:n]
	}
}

// Merge adds the record of o, which must have as many modes and equal options. Recording
// goes on in the stretch of m that is open.
func (m *Modes) Merge(o *Modes) error {
	if err := checkMerge(m, o); err != nil {
		return err
	}
	if m.modes != o.modes || m.opt != o.opt {
		return fmt.Errorf("estimate: merge of %d modes with options %+v and %d with %+v: must be equal", m.modes, m.opt, o.modes, o.opt)
	}
	for m.step < o.step {
		m.thin()
	}
	for o.step < m.step {
		o.thin()
	}
	if err := m.merge(o.Table); err != nil {
		return err
	}
	if m.open { // the open stretch stays the last
		last := len(m.stretches) - 1
		m.stretches = append(append(m.stretches[:last:last], o.stretches...), m.stretches[last])
	} else {
		m.stretches = append(m.stretches, o.stretches...)
	}
	if m.err == nil {
		m.err = o.err
	}
	return nil
}

// Err is the first label out of range, which counts as none, or nil.
func (m *Modes) Err() error { return m.err }

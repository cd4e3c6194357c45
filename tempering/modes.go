package tempering

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// ModesOptions configures Modes.
type ModesOptions struct {
	Modes int // number of modes, 1 to 32767; required
	// Label is the mode of state z, 0..Modes−1, or −1 if it is in none; required. It must
	// not keep or change z.
	Label func(z []uint8) int
	// MinRun is the run-length filter: time that a chain must stay in a mode for it to be
	// visited, in the sampler's unit; default 0, any.
	MinRun float64
	// Step is the spacing at which the label is read for autocorrelation times, in the
	// sampler's unit; default 1.
	Step float64
}

var _ sampling.Estimator[*Modes] = (*Modes)(nil)

// Modes is a recorder that tells how a chain moves between the modes of its law.
//
// A run is a stretch in which the label is one mode without interruption. If it lasts
// MinRun or longer it is a visit, and if the visit before was to another mode it is a
// switch. The dwell time of a mode lasts from the beginning of the visit that switches to
// it to that of the visit that switches away, so it includes what lies between; the first
// and last dwell of a stretch are cut by its ends and not counted.
type Modes struct {
	n int
	o ModesOptions

	z     []uint8
	label int     // of the run since runAt, valid for times before now
	now   float64 // all is accounted for up to here
	stale bool    // z has changed at time now: its label is not known yet
	runAt float64 // begin of the run
	seen  bool    // the run counts as a visit
	mode  int     // mode of the last visit, −1 before the first
	since float64 // begin of its dwell
	first bool    // no switch yet in this stretch
	begin float64 // of the stretch

	time     []float64 // by mode; the last entry is outside all modes
	switches int64
	dwells   [][]float64
	series   [][]int16 // labels read, by stretch
}

// NewModes returns a recorder for states of n units.
func NewModes(n int, o ModesOptions) (*Modes, error) {
	if o.Step == 0 {
		o.Step = 1
	}
	var errs []error
	if n < 1 {
		errs = append(errs, fmt.Errorf("tempering: modes of %d units: must be at least one", n))
	}
	if o.Modes < 1 || o.Modes > math.MaxInt16 {
		errs = append(errs, fmt.Errorf("tempering: %d modes: must be 1 to %d", o.Modes, math.MaxInt16))
	}
	if o.Label == nil {
		errs = append(errs, errors.New("tempering: modes have no Label function"))
	}
	errs = append(errs, checkFinite("MinRun", o.MinRun), checkFinite("Step", o.Step))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Modes{n: n, o: o, z: make([]uint8, n), time: make([]float64, o.Modes+1), dwells: make([][]float64, o.Modes)}, nil
}

// Begin implements sampling.Recorder. Occupancies, switches and dwell times add up over
// stretches; a change of mode from one stretch to the next is not a switch. It refuses a
// label out of range, as far as the first state shows it.
func (m *Modes) Begin(t float64, z []uint8) error {
	if !finite(t) {
		return fmt.Errorf("tempering: stretch begins at time %v: must be finite", t)
	}
	if err := sampling.CheckState(z, m.n); err != nil {
		return fmt.Errorf("tempering: modes: %w", err)
	}
	if l := m.o.Label(z); l < -1 || l >= m.o.Modes {
		return fmt.Errorf("tempering: label of the first state is %d: must be in −1..%d", l, m.o.Modes-1)
	}
	copy(m.z, z)
	m.label, m.mode, m.first, m.seen = -1, -1, true, false
	m.now, m.runAt, m.since, m.begin = t, t, t, t
	m.stale = true
	m.series = append(m.series, nil)
	return nil
}

// Record implements sampling.Recorder. It panics before Begin, and if Label returns a
// number out of range.
func (m *Modes) Record(flips []sampling.Flip, t float64) {
	if len(m.series) == 0 {
		panic("tempering: Record before Begin")
	}
	for _, f := range flips {
		m.until(f.Time)
		m.z[f.Unit] = f.On
		m.stale = true
	}
	m.until(t)
}

// until accounts for the state from now to t. States that last no time have no label.
func (m *Modes) until(t float64) {
	if t <= m.now {
		return
	}
	if m.stale {
		m.stale = false
		if l := m.o.Label(m.z); l != m.label {
			if l < -1 || l >= m.o.Modes {
				panic("tempering: label out of range")
			}
			m.label, m.runAt, m.seen = l, m.now, false
		}
	}
	k := m.label
	if k < 0 {
		k = m.o.Modes
	}
	m.time[k] += t - m.now
	m.now = t
	if !m.seen && m.label >= 0 && t-m.runAt >= m.o.MinRun {
		m.seen = true
		m.visit()
	}
	s := len(m.series) - 1
	for m.begin+float64(len(m.series[s]))*m.o.Step < t {
		m.series[s] = append(m.series[s], int16(m.label))
	}
}

// visit takes note that the present run is a visit.
func (m *Modes) visit() {
	if m.label == m.mode {
		return
	}
	if m.mode >= 0 {
		m.switches++
		if !m.first {
			m.dwells[m.mode] = append(m.dwells[m.mode], m.runAt-m.since)
		}
		m.first = false
	}
	m.mode, m.since = m.label, m.runAt
}

// Merge adds the record of o, which must have as many units and modes, and equal MinRun
// and Step.
func (m *Modes) Merge(o *Modes) error {
	if m.n != o.n || m.o.Modes != o.o.Modes || m.o.MinRun != o.o.MinRun || m.o.Step != o.o.Step {
		return errors.New("tempering: merge of Modes with different units or options")
	}
	for k, t := range o.time {
		m.time[k] += t
	}
	for k, d := range o.dwells {
		m.dwells[k] = append(m.dwells[k], d...)
	}
	m.switches += o.switches
	// The open stretch of m must stay the last.
	m.series = slices.Insert(m.series, max(0, len(m.series)-1), o.series...)
	return nil
}

// Time is the time recorded.
func (m *Modes) Time() float64 {
	total := 0.0
	for _, t := range m.time {
		total += t
	}
	return total
}

// Occupancy is the share of time in each mode, without filter; NaN if no time was
// recorded. Together with Outside it sums to 1.
func (m *Modes) Occupancy() []float64 {
	p := make([]float64, m.o.Modes)
	total := m.Time()
	for k := range p {
		p[k] = m.time[k] / total
	}
	return p
}

// Outside is the share of time in no mode, NaN if no time was recorded.
func (m *Modes) Outside() float64 { return m.time[m.o.Modes] / m.Time() }

// Switches is the number of visits to another mode than the last.
func (m *Modes) Switches() int64 { return m.switches }

// Dwells are the complete dwell times of mode k, in order, in the sampler's unit.
func (m *Modes) Dwells(k int) []float64 { return slices.Clone(m.dwells[k]) }

// IACT is the integrated autocorrelation time of the indicator of mode k, in the sampler's
// unit: estimate.IACT of the label read every Step, over all stretches, cut to the length
// of the shortest. estimate.ErrConstant says that the mode was never or always seen.
func (m *Modes) IACT(k int) (float64, error) {
	if k < 0 || k >= m.o.Modes {
		return math.NaN(), fmt.Errorf("tempering: mode %d: must be in 0..%d", k, m.o.Modes-1)
	}
	if len(m.series) == 0 {
		return math.NaN(), estimate.ErrNoTime
	}
	n := math.MaxInt
	for _, s := range m.series {
		n = min(n, len(s))
	}
	x := make([][]float64, len(m.series))
	for c, s := range m.series {
		x[c] = make([]float64, n)
		for i, l := range s[:n] {
			if int(l) == k {
				x[c][i] = 1
			}
		}
	}
	tau, err := estimate.IACT(x)
	return tau * m.o.Step, err
}

package estimate

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

// Marginals estimates p(z_k = 1) of every unit by its share of time on, in O(1) per flip.
type Marginals struct {
	units []onTime
	begun bool
	from  float64 // start of the open stretch
	now   float64 // its end so far
	time  float64 // time of closed stretches
	flips int64
}

// onTime is the time a unit was on.
type onTime struct {
	closed float64 // without the on period that is still open
	since  float64 // start of that period; after a flip off, its time
	on     bool
}

// until is the time on up to now.
func (u *onTime) until(now float64) float64 {
	if u.on {
		return u.closed + (now - u.since)
	}
	return u.closed
}

// NewMarginals returns an estimator for states of n ≥ 1 units. (Begin reports an n < 1.)
func NewMarginals(n int) *Marginals { return &Marginals{units: make([]onTime, max(n, 0))} }

// Begin implements [sampling.Recorder]. It refuses a state of another size than n.
func (m *Marginals) Begin(t float64, z []uint8) error {
	if err := checkBegin(t, z, len(m.units)); err != nil {
		return err
	}
	m.close()
	m.begun, m.from, m.now = true, t, t
	for k, v := range z {
		m.units[k].on, m.units[k].since = v == 1, t
	}
	return nil
}

// Record implements [sampling.Recorder].
func (m *Marginals) Record(flips []sampling.Flip, t float64) {
	if !m.begun {
		panic(notBegun)
	}
	for _, f := range flips {
		// A flip off ends an on period. Multiplying is faster than a branch that the
		// processor cannot foresee.
		u := &m.units[f.Unit]
		u.closed += float64(1-f.On) * (f.Time - u.since)
		u.since = f.Time
		u.on = f.On == 1
	}
	m.flips += int64(len(flips))
	m.now = t
}

// close moves the open stretch into the sums; recording can go on.
func (m *Marginals) close() {
	for k := range m.units {
		u := &m.units[k]
		u.closed, u.since = u.until(m.now), m.now
	}
	m.time += m.now - m.from
	m.from = m.now
}

// Mean is the share of time each unit was on, NaN if no time was recorded.
func (m *Marginals) Mean() []float64 {
	mean := make([]float64, len(m.units))
	for k := range mean {
		mean[k] = share(m.units[k].until(m.now), m.Time())
	}
	return mean
}

// Time is the time recorded, summed over merged chains.
func (m *Marginals) Time() float64 { return m.time + (m.now - m.from) }

// Flips is the number of flips recorded.
func (m *Marginals) Flips() int64 { return m.flips }

// Merge adds the record of o, which must have as many units.
func (m *Marginals) Merge(o *Marginals) error {
	if err := checkMerge(m, o); err != nil {
		return err
	}
	if len(m.units) != len(o.units) {
		return fmt.Errorf("estimate: merge of marginals of %d and %d units: must be equal", len(m.units), len(o.units))
	}
	m.close()
	for k := range m.units {
		m.units[k].closed += o.units[k].until(o.now)
	}
	m.time += o.Time()
	m.flips += o.flips
	return nil
}

// share is part/whole, and NaN if whole is 0.
func share(part, whole float64) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return part / whole
}

type marginalsJSON struct {
	Time  float64   `json:"time"`
	Flips int64     `json:"flips"`
	On    []float64 `json:"on"`
}

// MarshalJSON encodes the sums; a stretch that is open counts as closed.
func (m *Marginals) MarshalJSON() ([]byte, error) {
	enc := marginalsJSON{Time: m.Time(), Flips: m.flips, On: make([]float64, len(m.units))}
	for k := range enc.On {
		enc.On[k] = m.units[k].until(m.now)
	}
	return json.Marshal(enc)
}

// UnmarshalJSON restores the sums. Recording goes on after the next Begin.
func (m *Marginals) UnmarshalJSON(b []byte) error {
	var dec marginalsJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: marginals: %w", err)
	}
	if err := checkSums(dec.Time, dec.Flips); err != nil {
		return err
	}
	if err := checkTimes("on-time of unit", dec.On...); err != nil {
		return err
	}
	*m = Marginals{units: make([]onTime, len(dec.On)), time: dec.Time, flips: dec.Flips}
	for k, v := range dec.On {
		m.units[k].closed = v
	}
	return nil
}

// checkSums reports an error unless time and flips are possible.
func checkSums(time float64, flips int64) error {
	if flips < 0 {
		return fmt.Errorf("estimate: flips = %d: must be ≥ 0", flips)
	}
	return checkTimes("time", time)
}

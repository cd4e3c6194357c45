package estimate

import (
	"encoding/json"
	"fmt"
	"math"
)

type modesJSON struct {
	Modes     int           `json:"modes"`
	MinRun    float64       `json:"min_run"`
	Step      float64       `json:"step"`    // the option
	Spacing   float64       `json:"spacing"` // of the readings
	Table     *Table        `json:"table"`
	Stretches []stretchJSON `json:"stretches"`
}

type stretchJSON struct {
	Begin float64   `json:"begin"`
	End   float64   `json:"end"`
	At    []float64 `json:"at"`    // begins of the visits
	Mode  []int     `json:"mode"`  // their modes
	Reads []int16   `json:"reads"` // labels every Spacing
}

// MarshalJSON encodes everything but the labels. It refuses a record with a label out of
// range.
func (m *Modes) MarshalJSON() ([]byte, error) {
	if m.err != nil {
		return nil, m.err
	}
	enc := modesJSON{Modes: m.modes, MinRun: m.opt.MinRun, Step: m.opt.Step, Spacing: m.step, Table: m.Table,
		Stretches: make([]stretchJSON, len(m.stretches))}
	for c, s := range m.stretches {
		e := stretchJSON{Begin: s.begin, End: s.end, At: []float64{}, Mode: []int{}, Reads: append([]int16{}, s.reads...)}
		for _, v := range s.visits {
			e.At, e.Mode = append(e.At, v.Time), append(e.Mode, v.Mode)
		}
		enc.Stretches[c] = e
	}
	return json.Marshal(enc)
}

// UnmarshalJSON restores the estimates. A decoded record can be read and merged but begins
// no new stretch, as it has no labels.
func (m *Modes) UnmarshalJSON(b []byte) error {
	var dec modesJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: modes: %w", err)
	}
	if dec.Step == 0 {
		return fmt.Errorf("estimate: modes: step is 0: must be > 0")
	}
	n, err := newModes(nil, dec.Modes, ModesOptions{MinRun: dec.MinRun, Step: dec.Step})
	if err != nil {
		return err
	}
	if ratio, _ := math.Frexp(dec.Spacing / dec.Step); ratio != .5 || dec.Spacing < dec.Step || math.IsInf(dec.Spacing, 0) {
		return fmt.Errorf("estimate: modes have readings every %v: must be step = %v times a power of two", dec.Spacing, dec.Step)
	}
	if dec.Table == nil || dec.Table.size != dec.Modes+1 {
		return fmt.Errorf("estimate: %d modes: must have a table of %d states", dec.Modes, dec.Modes+1)
	}
	n.step, n.Table = dec.Spacing, dec.Table
	for c, e := range dec.Stretches {
		s, err := e.stretch(dec.Modes)
		if err != nil {
			return fmt.Errorf("estimate: modes: stretch %d: %w", c, err)
		}
		n.stretches = append(n.stretches, s)
	}
	*m = *n
	return nil
}

func (e *stretchJSON) stretch(modes int) (modeStretch, error) {
	s := modeStretch{begin: e.Begin, end: e.End, reads: e.Reads}
	if len(e.At) != len(e.Mode) {
		return s, fmt.Errorf("%d times and %d modes of visits: must be equal", len(e.At), len(e.Mode))
	}
	if len(e.Reads) > maxReads {
		return s, fmt.Errorf("%d readings: must be at most %d", len(e.Reads), maxReads)
	}
	if !(e.Begin <= e.End) {
		return s, fmt.Errorf("from %v to %v: must not end before it begins", e.Begin, e.End)
	}
	last := Visit{Time: e.Begin, Mode: -1}
	for i, t := range e.At {
		v := Visit{t, e.Mode[i]}
		if v.Mode < 0 || v.Mode >= modes || v.Mode == last.Mode {
			return s, fmt.Errorf("visit %d is to mode %d: must be 0 to %d and another than the last", i, v.Mode, modes-1)
		}
		if t < last.Time || t > e.End {
			return s, fmt.Errorf("visit %d begins at %v: must rise from %v to at most %v", i, t, last.Time, e.End)
		}
		s.visits = append(s.visits, v)
		last = v
	}
	for i, l := range e.Reads {
		if l < -1 || int(l) >= modes {
			return s, fmt.Errorf("label %d is %d: must be −1 to %d", i, l, modes-1)
		}
	}
	return s, nil
}

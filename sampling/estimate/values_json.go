package estimate

import (
	"encoding/json"
	"fmt"
	"math"
)

type valuesJSON struct {
	Variables []variableJSON `json:"variables"`
	BinWidth  float64        `json:"bin_width"` // the option
	Condition bool           `json:"condition"`
	Defined   float64        `json:"defined"`
	Undefined float64        `json:"undefined"`
	Times     []float64      `json:"times"`  // of every value of every variable
	Width     float64        `json:"width"`  // of the bins
	Chains    [][]float64    `json:"chains"` // shares [bin·values + value]
	Joint     *Table         `json:"joint,omitempty"`
}

// MarshalJSON encodes everything but the Value functions and the bin that is open. It
// refuses a record with a value out of range.
func (e *Values) MarshalJSON() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	e.flush()
	enc := valuesJSON{Variables: e.encode(), BinWidth: e.opt.BinWidth, Condition: e.opt.Condition,
		Undefined: e.time[0], Defined: e.time[1], Times: e.total, Width: e.width, Joint: e.table}
	for _, x := range e.chains {
		enc.Chains = append(enc.Chains, append([]float64{}, x...)) // no null
	}
	return json.Marshal(enc)
}

// UnmarshalJSON restores the estimates. As the Value functions are not encoded, a decoded
// record can be read and merged but begins no new stretch (unless its variables are
// single units).
func (e *Values) UnmarshalJSON(b []byte) error {
	var dec valuesJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: values: %w", err)
	}
	r, err := decodeReader(dec.Variables)
	if err != nil {
		return err
	}
	n, err := newValues(r, ValuesOptions{BinWidth: dec.BinWidth, Condition: dec.Condition})
	if err != nil {
		return err
	}
	if err := checkTimes("time", dec.Undefined, dec.Defined); err != nil {
		return err
	}
	if len(dec.Times) != n.cells() {
		return fmt.Errorf("estimate: values have %d times: must have one of %d values", len(dec.Times), n.cells())
	}
	if err := checkTimes("time of value", dec.Times...); err != nil {
		return err
	}
	if ratio, _ := math.Frexp(dec.Width / dec.BinWidth); ratio != .5 || dec.Width < dec.BinWidth || math.IsInf(dec.Width, 0) {
		return fmt.Errorf("estimate: values have bins of width %v: must be BinWidth = %v times a power of two", dec.Width, dec.BinWidth)
	}
	if len(dec.Chains) == 0 {
		return fmt.Errorf("estimate: values have no chains")
	}
	for c, x := range dec.Chains {
		if len(x)%n.cells() != 0 {
			return fmt.Errorf("estimate: values: chain %d has %d shares: must be a multiple of %d values", c, len(x), n.cells())
		}
		for i, v := range x {
			if !(v >= 0 && v <= 1+1e-9) {
				return fmt.Errorf("estimate: values: share %d of chain %d is %v: must be in [0, 1]", i, c, v)
			}
		}
	}
	if dec.Joint != nil {
		if dec.Joint.size != r.states() {
			return fmt.Errorf("estimate: values: joint table of %d states: must have %d", dec.Joint.size, r.states())
		}
		n.table, n.opt.Joint = dec.Joint, true
	}
	n.time = [2]float64{dec.Undefined, dec.Defined}
	n.total, n.width, n.chains = dec.Times, dec.Width, dec.Chains
	*e = *n
	return nil
}

package estimate

import (
	"encoding/json"
	"fmt"
)

type curveJSON struct {
	Variables []variableJSON `json:"variables"`
	Target    []float64      `json:"target"`
	Times     []float64      `json:"times"`
	Chains    [][]number     `json:"chains"`
}

// MarshalJSON encodes target, times and the divergences of every chain (null for NaN), but
// neither the Value functions nor the sample. It refuses a record with a value out of range.
func (c *Curve) MarshalJSON() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	enc := curveJSON{Variables: c.encode(), Target: c.target, Times: c.at, Chains: make([][]number, len(c.values))}
	for i, chain := range c.values {
		enc.Chains[i] = []number{}
		for _, d := range chain {
			enc.Chains[i] = append(enc.Chains[i], number(d))
		}
	}
	return json.Marshal(enc)
}

// UnmarshalJSON restores the curve. As the sample is not encoded, it can be read and merged
// but begins no new stretch.
func (c *Curve) UnmarshalJSON(b []byte) error {
	var dec curveJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: curve: %w", err)
	}
	r, err := decodeReader(dec.Variables)
	if err != nil {
		return err
	}
	n, err := newCurve(r, dec.Target, dec.Times)
	if err != nil {
		return err
	}
	if len(dec.Chains) == 0 {
		return fmt.Errorf("estimate: curve has no chains")
	}
	n.values = make([][]float64, len(dec.Chains))
	for i, chain := range dec.Chains {
		if len(chain) > len(n.at) {
			return fmt.Errorf("estimate: chain %d of a curve has %d values: must have at most %d", i, len(chain), len(n.at))
		}
		for _, d := range chain {
			if d < -1e-9 {
				return fmt.Errorf("estimate: chain %d of a curve has divergence %v: must be ≥ 0", i, float64(d))
			}
			n.values[i] = append(n.values[i], float64(d))
		}
	}
	n.sealed = true
	*c = *n
	return nil
}

// MarshalJSON encodes NaN as null and +Inf as "+Inf".
func (p CurvePoint) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Time   float64 `json:"time"`
		Mean   number  `json:"mean"`
		SE     number  `json:"se"`
		Chains int     `json:"chains"`
	}{p.Time, number(p.Mean), number(p.SE), p.Chains})
}

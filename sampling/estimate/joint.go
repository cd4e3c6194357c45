package estimate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// maxJointUnits is the number of units a Joint may list.
const maxJointUnits = 20

// Joint estimates the joint distribution of the listed units by dwell time, in O(1) per
// flip. Bit k of a state index is the k-th listed unit. The embedded [Table] has the
// estimates: P, Var, ESS, DKL, ReverseDKL, TV.
type Joint struct {
	*Table
	units []int
	mask  []uint32 // of every unit of the state: its bit in the index, 0 if not listed
	begun bool
	index uint32
	last  float64 // time up to which the table is filled
}

// NewJoint returns an estimator of the joint distribution of 1 to 20 distinct units.
func NewJoint(units ...int) (*Joint, error) {
	if len(units) == 0 {
		return nil, errors.New("estimate: joint of no units: must list 1 to 20")
	}
	if len(units) > maxJointUnits {
		return nil, fmt.Errorf("estimate: joint of %d units: must list 1 to %d (a table of 2^%d states)",
			len(units), maxJointUnits, len(units))
	}
	if err := checkUnits(units); err != nil {
		return nil, err
	}
	return &Joint{Table: newTable(1 << len(units)), units: slices.Clone(units)}, nil
}

// Units is the listed units.
func (j *Joint) Units() []int { return slices.Clone(j.units) }

// Begin implements [sampling.Recorder]. It refuses a state without the listed units.
func (j *Joint) Begin(t float64, z []uint8) error {
	if err := checkBegin(t, z, max(1, len(z))); err != nil {
		return err
	}
	mask := make([]uint32, len(z))
	index := uint32(0)
	for k, u := range j.units {
		if u >= len(z) {
			return fmt.Errorf("estimate: joint lists unit %d: the state has units 0..%d", u, len(z)-1)
		}
		mask[u] = 1 << k
		index |= uint32(z[u]) << k
	}
	j.begun, j.mask, j.index, j.last = true, mask, index, t
	return nil
}

// Record implements [sampling.Recorder].
func (j *Joint) Record(flips []sampling.Flip, t float64) {
	if !j.begun {
		panic(notBegun)
	}
	for _, f := range flips {
		if bit := j.mask[f.Unit]; bit != 0 {
			j.add(int(j.index), f.Time-j.last)
			j.index ^= bit
			j.last = f.Time
		}
	}
	j.add(int(j.index), t-j.last)
	j.last = t
}

// Merge adds the record of o, which must list the same units in the same order.
func (j *Joint) Merge(o *Joint) error {
	if err := checkMerge(j, o); err != nil {
		return err
	}
	if !slices.Equal(j.units, o.units) {
		return fmt.Errorf("estimate: merge of joints of units %v and %v: must be equal", j.units, o.units)
	}
	return j.merge(o.Table)
}

type jointJSON struct {
	Units []int  `json:"units"`
	Table *Table `json:"table"`
}

// MarshalJSON encodes units and table.
func (j *Joint) MarshalJSON() ([]byte, error) { return json.Marshal(jointJSON{j.units, j.Table}) }

// UnmarshalJSON restores units and table. Recording goes on after the next Begin.
func (j *Joint) UnmarshalJSON(b []byte) error {
	var dec jointJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: joint: %w", err)
	}
	n, err := NewJoint(dec.Units...)
	if err != nil {
		return err
	}
	if dec.Table == nil || dec.Table.size != n.size {
		return fmt.Errorf("estimate: joint of %d units: must have a table of %d states", len(dec.Units), n.size)
	}
	n.Table = dec.Table
	*j = *n
	return nil
}

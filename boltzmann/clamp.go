package boltzmann

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Clamp returns the machine of the units left free when the units in values are held at
// 0 or 1: p(free | clamped), with W_kj z_j of every clamped unit j added to the bias of
// free unit k. free holds the old index of each of its units, ascending.
//
// It is an error to clamp a unit that does not exist, to a value other than 0 or 1, or
// every unit. An empty values gives a copy.
func (m *Machine) Clamp(values map[int]uint8) (clamped *Machine, free []int, err error) {
	units := slices.Sorted(maps.Keys(values))
	var errs []error
	for _, k := range units {
		if k < 0 || k >= m.n {
			errs = append(errs, fmt.Errorf("boltzmann: clamped unit %d: must be in 0..%d", k, m.n-1))
		} else if values[k] > 1 {
			errs = append(errs, fmt.Errorf("boltzmann: unit %d clamped to %d: must be 0 or 1", k, values[k]))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	if len(units) == m.n {
		return nil, nil, fmt.Errorf("boltzmann: all %d units clamped: at least one must stay free", m.n)
	}

	for k := range m.n {
		if _, held := values[k]; !held {
			free = append(free, k)
		}
	}
	c := newMachine(len(free))
	for i, k := range free {
		row := m.row(k)
		c.b[i] = m.b[k]
		for _, j := range units {
			if values[j] == 1 {
				c.b[i] += row[j]
			}
		}
		for i2, k2 := range free {
			c.w[i*c.n+i2] = row[k2]
		}
	}
	return c, free, nil
}

package lif

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// calibrations.json is written by examples/calibrate -store; a test repeats part of the
// measurement.
//
//go:embed calibrations.json
var storedJSON []byte

var stored = sync.OnceValues(func() (map[string]*Calibration, error) {
	var list []*Calibration
	if err := json.Unmarshal(storedJSON, &list); err != nil {
		return nil, fmt.Errorf("lif: stored calibrations: %w", err)
	}
	m := make(map[string]*Calibration, len(list))
	for _, c := range list {
		m[c.Hash] = c
	}
	return m, nil
})

// StoredCalibration is the calibration that comes with the library: one for each named
// parameter set, with renewing exponential synapses and with rectangular PSPs.
func StoredCalibration(s Setup) (*Calibration, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	m, err := stored()
	if err != nil {
		return nil, err
	}
	c, ok := m[s.Hash()]
	if !ok {
		return nil, fmt.Errorf("lif: no stored calibration for this setup: must be a named set with renewing synapses and its own Dt; otherwise call Calibrate and pass the result in Options.Calibration")
	}
	return c, nil
}

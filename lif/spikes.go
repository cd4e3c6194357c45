package lif

import "github.com/spikesampling/spikesampling/sampling"

// Spike is one spike of a unit.
type Spike struct {
	Time float64 `json:"t_ms"` // [ms]
	Unit int     `json:"unit"`
}

// Spikes records the spikes of a spiking sampler, LIF or abstract: every change of a
// unit to 1. It keeps them in memory, sorted by time.
type Spikes struct {
	Train      []Spike
	Start, End float64 // the recorded stretch [ms]
	Initial    []uint8 // state at Start
}

// Begin opens the recording.
func (r *Spikes) Begin(t float64, z []uint8) error {
	r.Start, r.End = t, t
	r.Initial = append(r.Initial[:0], z...)
	r.Train = r.Train[:0]
	return nil
}

// Record appends the spikes among the flips.
func (r *Spikes) Record(flips []sampling.Flip, t float64) {
	for _, f := range flips {
		if f.On == 1 {
			r.Train = append(r.Train, Spike{f.Time, int(f.Unit)})
		}
	}
	r.End = t
}

var _ sampling.Recorder = (*Spikes)(nil)

package ensemble

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
)

// state is all that moves.
type state struct {
	Shape      []int // of the ensemble
	Net        []byte
	W, B       [][]float64
	Units      []Unit
	Clamp      [][]int8
	Print      uint64
	Spikes     int64
	From, Last float64
	Counts     []int32
}

func (e *Ensemble) shape() []int {
	s := []int{e.proper, e.dim, len(e.rest), len(e.noise)}
	for _, n := range e.nets {
		s = append(s, n.n)
	}
	return s
}

// MarshalBinary is the state of the ensemble with its parameters: an ensemble that was built
// from the same machines and options, wiring included, goes on from it bit for bit.
func (e *Ensemble) MarshalBinary() ([]byte, error) {
	net, err := e.net.MarshalBinary()
	if err != nil {
		return nil, err
	}
	s := state{Shape: e.shape(), Net: net, Units: e.units, Print: e.print, Spikes: e.spikes, From: e.watch.from, Last: e.watch.last, Counts: e.watch.counts}
	for _, n := range e.nets {
		s.W, s.B, s.Clamp = append(s.W, n.w), append(s.B, n.b), append(s.Clamp, n.clamp)
	}
	var b bytes.Buffer
	err = gob.NewEncoder(&b).Encode(&s)
	return b.Bytes(), err
}

var errDamaged = errors.New("ensemble: damaged state")

// UnmarshalBinary takes up a state; one that does not fit is refused and changes nothing.
func (e *Ensemble) UnmarshalBinary(data []byte) error {
	var s state
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !slices.Equal(s.Shape, e.shape()) {
		return fmt.Errorf("ensemble: state of an ensemble of shape %v: this one's is %v", s.Shape, e.shape())
	}
	fits := len(s.W) == len(e.nets) && len(s.B) == len(e.nets) && len(s.Clamp) == len(e.nets) && len(s.Counts) == len(e.watch.counts) && len(s.Units) == len(e.units)
	for m, n := range e.nets {
		fits = fits && len(s.W[m]) == n.n*n.n && len(s.B[m]) == n.n && len(s.Clamp[m]) == n.n &&
			!slices.ContainsFunc(slices.Concat(s.W[m], s.B[m]), func(x float64) bool { return !finite(x) }) &&
			!slices.ContainsFunc(s.Clamp[m], func(v int8) bool { return v < -1 || v > 1 })
	}
	for _, u := range s.Units {
		fits = fits && finite(u.VHalf) && finite(u.Alpha) && u.Alpha > 0
	}
	if !fits {
		return errDamaged
	}
	old := state{Units: slices.Clone(e.units)} // for parameters that no network can have
	for _, n := range e.nets {
		old.W, old.B, old.Clamp = append(old.W, slices.Clone(n.w)), append(old.B, slices.Clone(n.b)), append(old.Clamp, slices.Clone(n.clamp))
	}
	if e.ready {
		var err error
		if old.Net, err = e.net.MarshalBinary(); err != nil {
			return err
		}
	}
	err := e.set(&s)
	if err == nil {
		err = e.net.UnmarshalBinary(s.Net)
	}
	if err != nil {
		err = errors.Join(err, e.set(&old))
		if e.ready {
			err = errors.Join(err, e.net.UnmarshalBinary(old.Net))
		}
		return err
	}
	e.print, e.spikes = s.Print, s.Spikes
	e.watch.from, e.watch.last = s.From, s.Last
	copy(e.watch.counts, s.Counts)
	e.ready = true
	return nil
}

// set takes over parameters, evidence and calibration.
func (e *Ensemble) set(s *state) error {
	for m, n := range e.nets {
		copy(n.w, s.W[m])
		copy(n.b, s.B[m])
		copy(n.clamp, s.Clamp[m])
		n.held = slices.ContainsFunc(n.clamp, func(v int8) bool { return v >= 0 })
	}
	for k, u := range s.Units {
		e.setUnit(k, u)
	}
	return e.apply()
}

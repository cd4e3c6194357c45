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
	var old []byte // for parameters that no network can have
	if e.ready {
		var err error
		if old, err = e.MarshalBinary(); err != nil {
			return err
		}
	}
	if err := e.net.UnmarshalBinary(s.Net); err != nil {
		return err
	}
	for m, n := range e.nets {
		copy(n.w, s.W[m])
		copy(n.b, s.B[m])
		copy(n.clamp, s.Clamp[m])
		n.held = slices.ContainsFunc(n.clamp, func(v int8) bool { return v >= 0 })
	}
	for k, u := range s.Units {
		e.setUnit(k, u)
	}
	e.print, e.spikes = s.Print, s.Spikes
	e.watch.from, e.watch.last = s.From, s.Last
	copy(e.watch.counts, s.Counts)
	if err := e.apply(); err != nil {
		if old != nil {
			err = errors.Join(err, e.UnmarshalBinary(old))
		}
		return err
	}
	e.ready = true
	return e.net.UnmarshalBinary(s.Net) // what apply may have moved
}

package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// errStrong refuses conductances that the fast engine's step is not right for.
var errStrong = errors.New("conductances too strong for a step in single precision: take double precision or a shorter step")

// SetRest gives the neurons of every copy other resting potentials [mV] from now on.
func (f *Fast) SetRest(rest []float64) error {
	return f.change(func() { f.cfg.Rest = slices.Clone(rest) }, false)
}

// SetWeights gives the network other weights from now on, in the form it was built with.
// Spikes on their way bring the new weights, currents in decay are what they are.
func (f *Fast) SetWeights(matrix []float64, list, statics *Sparse) error {
	return f.change(func() {
		f.cfg.Weights, f.cfg.Sparse, f.cfg.Statics = matrix, list, statics
	}, true)
}

// change changes the configuration of a network in motion. Rectangular input is taken back
// before and given again.
func (f *Fast) change(set func(), weights bool) error {
	rectangular := f.back.lane != nil
	weights = weights || rectangular
	old, shift := f.cfg, f.shift
	on := newSpikes(f.back.size)
	for i := range f.back.size {
		on.lane, on.f, on.fi = append(on.lane, f.back.lane[f.back.place(i)]), append(on.f, -1), append(on.fi, -1)
	}
	if rectangular {
		f.add(&on)
	}
	apply := func() error {
		if err := f.overflows(); err != nil {
			return err
		}
		most := 0.0
		if f.conductance() && weights {
			if most = f.exponent(); most > kernel.MaxExponent {
				return errStrong
			}
			for u, lane := range f.lane {
				f.l[lane] = float32(f.k[u%f.cfg.N].drive)
			}
		}
		f.grid = 0
		f.rest(0) // the grid is that of no shift
		if !weights {
			f.rest(shift)
			return nil
		}
		if err := f.lay(); err != nil {
			return err
		}
		f.rest(shift)
		if most > 0 {
			f.cond.SetMath(most)
			f.gen.SetMath(most)
		}
		return nil
	}
	set()
	err := apply()
	if err != nil {
		f.cfg = old
		if !rectangular { // the layout is as it was
			f.rest(shift)
			return err
		}
		if again := apply(); again != nil {
			return errors.Join(err, again)
		}
	}
	if rectangular {
		for i := range on.f {
			on.f[i], on.fi[i] = 1, 1
		}
		f.add(&on)
	} else {
		f.forget()
	}
	return err
}

// forget lets go of weights that the matrices have. Those of rectangular synapses are kept:
// their grid depends on the resting potentials.
func (f *Fast) forget() {
	if f.back.lane == nil {
		f.cfg.Weights, f.cfg.Sparse, f.cfg.Statics = nil, nil, nil
	}
}

// SetRest is as Fast.SetRest.
func (e *Engine) SetRest(rest []float64) error {
	e.cfg.Rest = slices.Clone(rest)
	copy(e.rest, rest)
	if e.cfg.shifts() && e.step > 0 {
		e.shiftRest(int((e.step - 1) / int64(e.cfg.Profile.Every) % int64(len(e.cfg.Profile.Factor))))
	}
	return nil
}

// SetWeights is as Fast.SetWeights.
func (e *Engine) SetWeights(matrix []float64, list, statics *Sparse) error {
	var on []int32
	if e.cfg.Rectangular && e.spikes != nil {
		for j := range e.u {
			q := &e.k[j%e.cfg.N]
			for back := range q.Refractory {
				if slices.Contains(*e.slot(e.step - int64(e.cfg.Delay+back)), int32(j)) {
					on = append(on, int32(j))
				}
			}
		}
	}
	for _, j := range on {
		e.add(e.re, e.ri, int(j), -1, -1)
	}
	e.cfg.Weights, e.cfg.Sparse, e.cfg.Statics = matrix, list, statics
	for _, j := range on {
		e.add(e.re, e.ri, int(j), 1, 1)
	}
	return nil
}

// state is everything that moves, of either engine. Which fields there are depends on the
// network.
type state struct {
	Shape             []int // what it must fit
	Step              int64
	Float             [][]float32
	Double            [][]float64
	Stream            []uint64
	Bits, Ring        []byte
	Z                 []uint8
	Left              []int32
	Off, Back         []int32
	OffStep, BackStep []int64
	Last              []int64
	Spikes            []spikesState // on their way, the earliest first
	Trace             []float64
}

type spikesState struct {
	Step  int64
	Lane  []int32
	F, FI []float32
}

// shape is what a state must fit.
func (f *Fast) shape() []int {
	return []int{1, int(f.kind), f.cfg.N, f.cfg.copies(), f.cfg.longest(), f.cfg.Delay, len(f.ring), len(f.mail.ring), len(f.back.lane), len(f.plastic.r), cap(f.trace)}
}

// MarshalBinary is the state of the network in motion: with its configuration, all that it
// takes to go on.
func (f *Fast) MarshalBinary() ([]byte, error) {
	s := state{Shape: f.shape(), Step: f.step, Float: [][]float32{f.v, f.c, f.j, f.ji, f.l}, Double: [][]float64{f.plastic.r, f.plastic.u},
		Stream: f.s, Bits: f.ref, Ring: f.ring, Z: f.z, Last: f.last, Trace: f.trace}
	for _, u := range f.units {
		s.Left = append(s.Left, u.Left[:]...)
	}
	s.Off, s.OffStep = f.off.list()
	s.Back, s.BackStep = f.back.list()
	for i := f.mail.given; i < f.mail.sent; i++ {
		b := f.mail.at(i)
		s.Spikes = append(s.Spikes, spikesState{b.step, b.lane, b.f, b.fi})
	}
	return encode(&s)
}

// UnmarshalBinary takes up a state of a network with the same configuration.
func (f *Fast) UnmarshalBinary(data []byte) error {
	var s state
	if err := decode(data, &s, f.shape()); err != nil {
		return err
	}
	fits := len(s.Float) == 5 && len(s.Double) == 2 && len(s.Stream) == len(f.s) && len(s.Bits) == len(f.ref) && len(s.Ring) == len(f.ring) &&
		len(s.Z) == len(f.z) && len(s.Last) == len(f.last) && len(s.Left) == len(f.units)*kernel.Group && len(s.Trace) <= cap(f.trace) &&
		len(s.Off) <= len(f.off.lane) && len(s.Back) <= len(f.back.lane) && len(s.Spikes) <= len(f.mail.ring) && s.Step >= 0
	for i, x := range [][]float32{f.v, f.c, f.j, f.ji, f.l} {
		fits = fits && len(s.Float[i]) == len(x)
	}
	fits = fits && len(s.Double[0]) == len(f.plastic.r) && len(s.Double[1]) == len(f.plastic.u)
	lanes := func(list []int32) {
		for _, lane := range list {
			fits = fits && lane >= 0 && int(lane) < len(f.unit) && f.unit[lane] >= 0
		}
	}
	lanes(s.Off)
	lanes(s.Back)
	for _, b := range s.Spikes {
		lanes(b.Lane)
		fits = fits && len(b.F) == len(b.Lane) && len(b.FI) == len(b.Lane) && len(b.Lane) <= len(f.lane)
	}
	if !fits || len(s.OffStep) != len(s.Off) || len(s.BackStep) != len(s.Back) {
		return errDamaged
	}
	f.step = s.Step
	for i, x := range [][]float32{f.v, f.c, f.j, f.ji, f.l} {
		copy(x, s.Float[i])
	}
	copy(f.plastic.r, s.Double[0])
	copy(f.plastic.u, s.Double[1])
	copy(f.s, s.Stream)
	copy(f.ref, s.Bits)
	copy(f.ring, s.Ring)
	copy(f.z, s.Z)
	copy(f.last, s.Last)
	for i := range f.units {
		copy(f.units[i].Left[:], s.Left[i*kernel.Group:])
	}
	f.trace = append(f.trace[:0], s.Trace...)
	f.off.set(s.Off, s.OffStep)
	f.back.set(s.Back, s.BackStep)
	f.mail.sent, f.mail.given = 0, 0
	for _, x := range s.Spikes {
		b := f.mail.at(f.mail.sent)
		b.step = x.Step
		b.lane, b.f, b.fi = append(b.lane[:0], x.Lane...), append(b.f[:0], x.F...), append(b.fi[:0], x.FI...)
		f.mail.sent++
	}
	if f.units == nil {
		slots := int64(len(f.ring) / len(f.ref))
		f.block.Slot, f.cond.Slot = f.step%slots, f.step%slots
	}
	f.shift = 0
	if p := f.cfg.Profile; p != nil && f.step > 0 {
		i := int((f.step - 1) / int64(p.Every) % int64(len(p.Factor)))
		c := slices.Clone(f.c)
		f.enter(i)
		copy(f.c, c) // as it was, not as it would be
	}
	return nil
}

func (e *Engine) shape() []int {
	return []int{0, len(e.re), e.cfg.N, e.cfg.copies(), e.cfg.longest(), e.cfg.Delay, len(e.spikes), len(e.lastE), len(e.senders), len(e.end), cap(e.trace)}
}

// MarshalBinary is as Fast.MarshalBinary.
func (e *Engine) MarshalBinary() ([]byte, error) {
	s := state{Shape: e.shape(), Step: e.step, Double: [][]float64{e.u, e.xe, e.xi, e.re, e.ri, e.end, e.rest, nil}, Stream: e.s, Left: e.left, Z: e.z, Trace: e.trace}
	for _, list := range e.spikes {
		s.Spikes = append(s.Spikes, spikesState{Lane: list})
	}
	for i := range e.lastE {
		xe, te := e.lastE[i].Values()
		xi, ti := e.lastI[i].Values()
		s.Double[7] = append(s.Double[7], xe, te, xi, ti)
	}
	for i := range e.senders {
		r, u, last := e.senders[i].Values()
		s.Double[7] = append(s.Double[7], r, u, last)
	}
	return encode(&s)
}

// UnmarshalBinary is as Fast.UnmarshalBinary.
func (e *Engine) UnmarshalBinary(data []byte) error {
	var s state
	if err := decode(data, &s, e.shape()); err != nil {
		return err
	}
	fits := len(s.Double) == 8 && len(s.Stream) == len(e.s) && len(s.Left) == len(e.left) && len(s.Z) == len(e.z) && len(s.Spikes) == len(e.spikes) &&
		len(s.Trace) <= cap(e.trace) && s.Step >= 0
	if !fits {
		return errDamaged
	}
	own := [][]float64{e.u, e.xe, e.xi, e.re, e.ri, e.end, e.rest}
	for i, x := range own {
		fits = fits && len(s.Double[i]) == len(x)
	}
	fits = fits && len(s.Double[7]) == 4*len(e.lastE)+3*len(e.senders)
	for _, b := range s.Spikes {
		for _, k := range b.Lane {
			fits = fits && k >= 0 && int(k) < len(e.u)
		}
	}
	if !fits {
		return errDamaged
	}
	e.step = s.Step
	for i, x := range own {
		copy(x, s.Double[i])
	}
	copy(e.s, s.Stream)
	copy(e.left, s.Left)
	copy(e.z, s.Z)
	e.trace = append(e.trace[:0], s.Trace...)
	for i, b := range s.Spikes {
		e.spikes[i] = append(e.spikes[i][:0], b.Lane...)
	}
	x := s.Double[7]
	for i := range e.lastE {
		e.lastE[i].SetValues(x[4*i], x[4*i+1])
		e.lastI[i].SetValues(x[4*i+2], x[4*i+3])
	}
	for i := range e.senders {
		e.senders[i].SetValues(x[3*i], x[3*i+1], x[3*i+2])
	}
	if p := e.cfg.Profile; p != nil && e.step > 0 {
		e.enter(int((e.step - 1) / int64(p.Every) % int64(len(p.Factor))))
		copy(e.rest, s.Double[6])
	}
	return nil
}

var errDamaged = errors.New("damaged state of a network")

// encode and decode are the binary form of a state: gob, and its checksum.
func encode(s *state) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(s)
	return binary.LittleEndian.AppendUint32(b.Bytes(), crc32.ChecksumIEEE(b.Bytes())), err
}

func decode(data []byte, s *state, shape []int) error {
	n := len(data) - 4
	if n < 0 || crc32.ChecksumIEEE(data[:n]) != binary.LittleEndian.Uint32(data[n:]) {
		return errDamaged
	}
	if err := gob.NewDecoder(bytes.NewReader(data[:n])).Decode(s); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !slices.Equal(s.Shape, shape) {
		return fmt.Errorf("state of another network: its shape is %v, this one's %v", s.Shape, shape)
	}
	return nil
}

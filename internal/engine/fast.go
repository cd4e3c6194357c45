package engine

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
)

// Fast is the engine for the common cases, in float32 and SIMD (package kernel): spikes
// on the grid and background sources of one weight per receptor. It has the law of Engine
// with other random numbers, in another precision.
//
// Potentials are in mV relative to threshold. Currents are in mV, what they add to the
// potential in one step; conductances are relative to C/Dt. Rectangular input is part of
// the constant drive, and with conductances of the leak; weights, drive and leak are then
// on a grid on which their sums are exact, so that what is added and later taken back
// leaves nothing behind.
//
// The state of unit k of a copy is in a lane of its own. Copies share weights; each begins
// at an even lane, because pairs of lanes share a random stream.
type Fast struct {
	cfg  Config
	kind kind
	path kernel.Path
	step int64

	block kernel.Block       // currents, same constants
	cond  kernel.Conductance // conductances, same constants
	gen   kernel.General     // either, own constants

	v, c   []float32
	j      []float32 // current, or its excitatory part or conductance
	ji     []float32 // inhibitory current or conductance
	l      []float32 // leak conductance
	onJ    *matrix   // weights onto j, and negative ones onto ji; or onto c if rectangular
	onL    *matrix   // rectangular weights onto l
	static *matrix   // weights of static synapses onto j and ji
	ones   []float32 // their factors
	apart  bool      // signs of weights onto j are apart
	s      []uint64
	ref    []byte // refractory bits, without own constants
	ring   []byte // spikes of the last refractory time; with own constants, of the last step
	units  []kernel.Units
	stride int // lanes from one copy to the next
	unit   []int32
	lane   []int32 // of every unit
	z      []uint8
	noisy  bool

	refractory []int32 // steps that a unit is on, by lane

	k      []scales // of every unit of a copy
	tables tables   // of the profile
	grid   float64  // of c, with rectangular input
	shift  float64  // of the resting potentials now [mV]

	off     queue // lanes whose refractory time ends
	back    queue // lanes whose rectangular input ends
	mail    mail  // spikes on their way
	ending  spikes
	last    []int64   // step of the last spike of every lane
	factor  []float32 // renewing factor by the number of steps since the last spike
	factorI []float32 // the same with the inhibitory time constant
	plastic plastic

	u, xe, xi []float64 // what Potential and Synapses return
	trace     []float64
}

// kind is the kernel that a network is stepped by.
type kind int

const (
	sameCurrents kind = iota
	sameConductances
	ownCurrents
	ownConductances
)

// scales translate a unit to the engine's numbers.
type scales struct {
	Neuron
	exc, inh     float64 // nA or µS of one unit of j and ji
	drive        float64 // mV per step, or share of the leak, of a mV of resting potential
	meanE, meanI float32 // stationary mean of the background in j and ji
}

// never is a step that does not come.
const never = math.MaxInt64

// NewFast builds the network if it is one of the common cases; ok reports whether it is.
func NewFast(c Config, path kernel.Path) (f *Fast, ok bool, err error) {
	if err := c.shapes(); err != nil {
		return nil, false, err
	}
	if c.Precise || c.NoThreshold || c.extreme() {
		return nil, false, nil
	}
	for _, k := range c.kinds() {
		f = newFast(c, k, path)
		if ok, err := f.setUp(); err != nil {
			return nil, false, err
		} else if ok {
			f.forget()
			return f, true, nil
		}
	}
	return nil, false, nil
}

// newFast lays out lanes and memory.
func newFast(c Config, k kind, path kernel.Path) *Fast {
	f := &Fast{cfg: c, kind: k, path: path, stride: c.N}
	if c.copies() > 1 {
		f.stride += c.N % 2
	}
	lanes := f.stride * c.copies()
	groups := (lanes + kernel.Group - 1) / kernel.Group
	m := groups * kernel.Group
	n := c.units()
	// The last copy's rows may reach beyond the lanes, with zeros.
	reach := m + kernel.Group
	floats := func() []float32 { return make([]float32, m, reach)[:reach] }
	f.v, f.c, f.j = floats(), floats(), floats()
	if k != sameCurrents {
		f.ji = floats()
	}
	if k == sameConductances || k == ownConductances {
		f.l = floats()
	}
	f.v = f.v[:m]
	f.s = make([]uint64, m)
	f.lane, f.unit = make([]int32, n), make([]int32, m)
	for i := range f.unit {
		f.unit[i] = -1
	}
	for u := range f.lane {
		f.lane[u] = int32(u/c.N*f.stride + u%c.N)
		f.unit[f.lane[u]] = int32(u)
	}
	switch k {
	case sameCurrents, sameConductances:
		f.ref = make([]byte, 2*groups)
		f.ring = make([]byte, 2*groups*f.hold(c.Refractory))
	default:
		f.units = make([]kernel.Units, groups)
		f.ring = make([]byte, 2*groups)
	}
	f.z = make([]uint8, n)
	f.off = newQueue(m)
	f.u, f.xe, f.xi = make([]float64, n), make([]float64, n), make([]float64, n)
	f.trace = make([]float64, 0, len(c.TraceUnits)*c.TraceCapacity)
	return f
}

// hold is the number of steps after a spike in which a neuron cannot spike.
func (f *Fast) hold(refractory int) int {
	if f.cfg.Exact {
		return refractory - 1
	}
	return refractory
}

// Noisy reports whether the network has background noise.
func (f *Fast) Noisy() bool { return f.noisy }

// Reset starts at time 0. With noise, units 2i and 2i+1 of a copy share a random stream of
// two words of src, in order, and a third word draws their start; otherwise as
// Engine.Reset.
func (f *Fast) Reset(start []uint8, src rand.Source) {
	for c := range f.cfg.copies() {
		f.reset(c, start, src)
	}
	f.restart()
}

// ResetCopies is Reset with a source for every copy, which then does what a network of
// one copy would do with it.
func (f *Fast) ResetCopies(start []uint8, src []rand.Source) {
	for c := range f.cfg.copies() {
		f.reset(c, start, src[c])
	}
	f.restart()
}

// reset sets the state of a copy.
func (f *Fast) reset(copy int, start []uint8, src rand.Source) {
	c := &f.cfg
	from := copy * f.stride
	var draw uint64
	for i := range c.N {
		lane, unit := from+i, copy*c.N+i
		if i%2 == 0 && f.noisy {
			q := lane/kernel.Group*kernel.Group + lane%kernel.Group/2
			f.s[q], f.s[q+kernel.Group/2] = src.Uint64(), src.Uint64()|1 // never all zero
			draw = src.Uint64()
		}
		half := uint32(draw >> (i % 2 * 32))
		k := &f.k[i]
		reset := k.Reset - k.Theta
		f.v[lane] = float32(math.Min(c.Rest[i]-k.Theta, reset))
		f.j[lane] = k.meanE
		if f.ji != nil {
			f.ji[lane] = k.meanI
		}
		on := f.noisy && half>>31 == 1
		if start != nil {
			on = start[unit] == 1
		}
		f.z[unit] = 0
		left := 0 // steps until the unit is off
		if on {
			f.z[unit], f.v[lane] = 1, float32(reset)
			left = k.Refractory
			if f.noisy {
				left = 1 + int(uint64(half&0x7fffffff)*uint64(k.Refractory)>>31)
			}
		}
		f.clamp(lane, f.hold(left))
		f.last[lane] = int64(left) // for restart
	}
}

// clamp makes a lane refractory for the next steps.
func (f *Fast) clamp(lane, steps int) {
	if f.units != nil {
		f.units[lane/kernel.Group].Left[lane%kernel.Group] = int32(max(steps, 0))
		return
	}
	bit := byte(1) << (lane % 8)
	f.ref[lane/8] &^= bit
	for at := lane / 8; at < len(f.ring); at += len(f.ref) {
		f.ring[at] &^= bit
	}
	if steps > 0 {
		f.ref[lane/8] |= bit
		f.ring[len(f.ref)*(steps-1)+lane/8] |= bit
	}
}

// restart goes back to time 0 once all copies are set. last has the steps until each lane
// is off: a lane that is on spiked a refractory time before that, and its synapses are in
// the state that this leaves.
func (f *Fast) restart() {
	f.step = 0
	f.trace = f.trace[:0]
	f.block.Slot, f.cond.Slot = 0, 0
	f.takeBack(never - 1) // what is still on
	f.off.empty()
	f.mail.sent, f.mail.given = 0, 0
	f.plastic.rest()
	var on []int32
	for _, lane := range f.lane {
		left := f.last[lane]
		f.last[lane] = math.MinInt64 / 2
		if left > 0 {
			on = append(on, lane)
			f.last[lane] = left - int64(f.refractory[lane])
		}
	}
	end := func(lane int32) int64 { return f.last[lane] + int64(f.refractory[lane]) }
	slices.SortStableFunc(on, func(a, b int32) int { return cmp.Compare(end(a), end(b)) })
	for _, lane := range on {
		f.off.push(lane, end(lane))
	}
	if f.mail.ring == nil {
		return
	}
	// Spikes that have arrived before, in the order of lanes, then those on their way.
	slices.SortStableFunc(on, func(a, b int32) int { return cmp.Compare(f.last[a], f.last[b]) })
	before := newSpikes(len(on))
	for _, lane := range on {
		arrival := f.last[lane] + f.mail.on
		if arrival <= 0 {
			before.lane = append(before.lane, lane)
			continue
		}
		if f.mail.sent == 0 || f.mail.at(f.mail.sent-1).step != f.last[lane] {
			b := f.mail.at(f.mail.sent)
			b.step, b.lane, b.f, b.fi = f.last[lane], b.lane[:0], b.f[:0], b.fi[:0]
			f.mail.sent++
		}
		b := f.mail.at(f.mail.sent - 1)
		x := f.first(lane)
		b.lane, b.f, b.fi = append(b.lane, lane), append(b.f, x), append(b.fi, x)
	}
	slices.Sort(before.lane)
	var decayed, decayedI []float32
	for _, lane := range before.lane {
		x, age := f.first(lane), float64(f.last[lane]+f.mail.on)*f.cfg.Dt
		xi := x
		decayed = append(decayed, float32(math.Exp(age/f.cfg.TauE)))
		decayedI = append(decayedI, float32(math.Exp(age/f.cfg.TauI)))
		if f.back.lane != nil {
			f.back.push(lane, f.last[lane]+f.mail.on+int64(f.refractory[lane]))
		} else {
			x, xi = float32(float64(x)*math.Exp(age/f.cfg.TauE)), float32(float64(x)*math.Exp(age/f.cfg.TauI))
		}
		before.f, before.fi = append(before.f, x), append(before.fi, xi)
	}
	f.add(&before)
	f.addStatic(before.lane, decayed, decayedI)
}

// first is the factor of the weights that a first spike brings.
func (f *Fast) first(lane int32) float32 {
	if f.plastic.r != nil {
		return f.plastic.spike(lane, 0)
	}
	return 1
}

// State is z, the engine's own memory.
func (f *Fast) State() []uint8 { return f.z }

// Time is the time since Reset [ms].
func (f *Fast) Time() float64 { return float64(f.step) * f.cfg.Dt }

// Steps is the number of steps since Reset.
func (f *Fast) Steps() int64 { return f.step }

// Potential is the membrane potential of every neuron [mV].
func (f *Fast) Potential() []float64 {
	for u, lane := range f.lane {
		f.u[u] = f.k[u%f.cfg.N].Theta + float64(f.v[lane])
	}
	return f.u
}

// Synapses are the synaptic conductances [µS], or the positive and the negative part of
// the synaptic current [nA].
func (f *Fast) Synapses() (exc, inh []float64) {
	for u, lane := range f.lane {
		k := &f.k[u%f.cfg.N]
		x, y := float64(f.j[lane])*k.exc, 0.0
		if f.ji != nil {
			y = float64(f.ji[lane]) * k.inh
		}
		if f.l == nil {
			x, y = math.Max(x-y, 0), math.Max(y-x, 0)
		}
		f.xe[u], f.xi[u] = x, y
	}
	return f.xe, f.xi
}

// Trace is as Engine.Trace.
func (f *Fast) Trace() []float64 { return f.trace }

// Run does steps until the step count reaches to or flips may be out of room, and
// returns the flips appended to flips, in time order.
func (f *Fast) Run(to int64, flips []sampling.Flip) []sampling.Flip {
	room := 2 * len(f.z)
	for f.step < to && cap(flips)-len(flips) >= room {
		arrival := f.mail.due()
		due := min(arrival, f.back.due())
		limit := min(to, due) - f.step
		if p := f.cfg.Profile; p != nil {
			limit = min(limit, p.end(f.step)-f.step)
			if i, ok := p.block(f.step); ok {
				f.enter(i)
			}
		}
		if len(f.trace) < cap(f.trace) {
			limit = 1
		}
		spiked := f.advance(limit)
		for f.off.due() <= f.step {
			t := float64(f.off.due()) * f.cfg.Dt
			u := f.unit[f.off.pop()]
			f.z[u] = 0
			flips = append(flips, sampling.Flip{Time: t, Unit: u, On: 0})
		}
		if spiked {
			flips = f.collect(flips)
		}
		if f.step == due {
			f.takeBack(f.step)
			if arrival == f.step {
				f.deliver(f.mail.at(f.mail.given))
				f.mail.given++
			}
		}
		if len(f.trace) < cap(f.trace) {
			for _, u := range f.cfg.TraceUnits {
				f.trace = append(f.trace, f.k[u%f.cfg.N].Theta+float64(f.v[f.lane[u]]))
			}
		}
	}
	return flips
}

// advance does up to limit steps, and stops after one with spikes.
func (f *Fast) advance(limit int64) (spiked bool) {
	switch f.kind {
	case sameCurrents:
		b := &f.block
		b.Limit = limit
		f.path.Step(b)
		f.step += b.Limit
		return b.Any != 0
	case sameConductances:
		b := &f.cond
		b.Limit = limit
		f.path.Conductance(b)
		f.step += b.Limit
		return b.Any != 0
	}
	b := &f.gen
	b.Limit = limit
	if f.kind == ownCurrents {
		f.path.Currents(b)
	} else {
		f.path.Conductances(b)
	}
	f.step += b.Limit
	return b.Any != 0
}

// Floor does steps steps without noise and without delivering spikes: the least that a
// step costs, to compare with. The network is of no use afterwards until Reset. It is for
// current-based networks of neurons with the same constants. Currents are kept where they are: without
// noise they decay to denormal numbers, with which some processors are slow.
func (f *Fast) Floor(steps int64) {
	b := f.block
	b.P = kernel.All(1)
	for steps > 0 {
		b.Limit = steps
		f.path.Floor(&b)
		steps -= b.Limit
	}
}

// collect reads the spikes of the step just done from the ring.
func (f *Fast) collect(flips []sampling.Flip) []sampling.Flip {
	mask := f.ring
	if f.units == nil {
		slots := len(f.ring) / len(f.ref)
		mask = f.ring[int((f.step-1)%int64(slots))*len(f.ref):][:len(f.ref)]
	}
	t := float64(f.step) * f.cfg.Dt
	var b *spikes
	if f.mail.ring != nil {
		b = f.mail.at(f.mail.sent)
		b.step, b.lane, b.f, b.fi = f.step, b.lane[:0], b.f[:0], b.fi[:0]
		f.mail.sent++
	}
	for at := 0; at < len(mask); at += 8 {
		var m uint64
		if at+8 <= len(mask) {
			m = binary.LittleEndian.Uint64(mask[at:])
		} else {
			for i, x := range mask[at:] {
				m |= uint64(x) << (8 * i)
			}
		}
		for ; m != 0; m &= m - 1 {
			lane := int32(8*at + bits.TrailingZeros64(m))
			u := f.unit[lane]
			f.z[u] = 1
			flips = append(flips, sampling.Flip{Time: t, Unit: u, On: 1})
			f.off.push(lane, f.step+int64(f.refractory[lane]))
			if b == nil {
				continue
			}
			x, xi := float32(1), float32(1)
			switch d := f.step - f.last[lane]; {
			case f.factor != nil:
				x = f.factor[min(d, int64(len(f.factor)-1))]
				xi = f.factorI[min(d, int64(len(f.factorI)-1))]
			case f.plastic.r != nil:
				x = f.plastic.spike(lane, d)
				xi = x
			}
			f.last[lane] = f.step
			b.lane, b.f, b.fi = append(b.lane, lane), append(b.f, x), append(b.fi, xi)
		}
	}
	return flips
}

// deliver adds spikes to the currents or conductances, or rectangular ones to the drive
// and the leak.
func (f *Fast) deliver(b *spikes) {
	f.add(b)
	f.addStatic(b.lane, f.ones[:len(b.lane)], f.ones[:len(b.lane)])
	if f.back.lane == nil {
		return
	}
	for _, lane := range b.lane {
		f.back.push(lane, f.step+int64(f.refractory[lane]))
	}
}

// takeBack ends the rectangular input that is due by a step.
func (f *Fast) takeBack(step int64) {
	if f.back.due() > step {
		return
	}
	b := &f.ending
	b.lane, b.f, b.fi = b.lane[:0], b.f[:0], b.fi[:0]
	for f.back.due() <= step {
		b.lane, b.f, b.fi = append(b.lane, f.back.pop()), append(b.f, -1), append(b.fi, -1)
	}
	f.add(b)
}

// add brings spikes to their targets, but those of static synapses.
func (f *Fast) add(b *spikes) {
	switch {
	case f.onJ == nil:
	case f.cfg.Rectangular:
		f.bring(f.onJ, f.c, nil, b.lane, b.f, b.fi)
		if f.onL != nil {
			f.bring(f.onL, f.l, nil, b.lane, b.f, b.fi)
		}
	default:
		f.bring(f.onJ, f.j, f.negative(), b.lane, b.f, b.fi)
	}
}

// addStatic brings spikes to the targets of static synapses.
func (f *Fast) addStatic(lane []int32, x, xi []float32) {
	if f.static != nil {
		f.bring(f.static, f.j, f.negative(), lane, x, xi)
	}
}

// negative is where negative weights go; nil: to j.
func (f *Fast) negative() []float32 {
	if f.apart {
		return f.ji
	}
	return nil
}

// bring delivers spikes through m, copy by copy.
func (f *Fast) bring(m *matrix, to, negative []float32, lane []int32, x, xi []float32) {
	if f.cfg.copies() == 1 {
		m.deliver(f.path, to, negative, lane, x, xi)
		return
	}
	for i := 0; i < len(lane); {
		from := int(lane[i]) / f.stride * f.stride
		end := i
		for ; end < len(lane) && int(lane[end])/f.stride*f.stride == from; end++ {
			lane[end] -= int32(from) // the sender in its copy
		}
		if negative != nil {
			m.deliver(f.path, to[from:], negative[from:], lane[i:end], x[i:end], xi[i:end])
		} else {
			m.deliver(f.path, to[from:], nil, lane[i:end], x[i:end], xi[i:end])
		}
		for ; i < end; i++ {
			lane[i] += int32(from)
		}
	}
}

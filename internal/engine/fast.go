package engine

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
)

// Fast is the engine for the common cases, in float32 and SIMD (package kernel): spikes
// on the grid and background sources of one weight (current-based neurons, which must
// have one synaptic time constant) or one weight per receptor (conductance-based ones). It
// has the law of Engine with other random numbers, in another precision.
//
// Potentials are in mV relative to threshold. Currents are in mV, what they add to the
// potential in one step; conductances are relative to C/Dt. Rectangular input is part of
// the constant drive, and with conductances of the leak; weights, drive and leak are then
// on a grid on which their sums are exact, so that what is added and later taken back
// leaves nothing behind.
type Fast struct {
	cfg  Config
	path kernel.Path
	step int64

	block kernel.Block       // current-based
	cond  kernel.Conductance // conductance-based

	v, c  []float32
	j     []float32 // current, or excitatory conductance
	gi    []float32 // inhibitory conductance
	l     []float32 // leak conductance
	w, wi []float32 // weights onto j and gi, or onto c and l if rectangular
	s     []uint64
	ref   []byte
	ring  []byte
	z     []uint8
	meanE float32 // stationary mean of the background in j and gi
	meanI float32
	noisy bool

	drive  float64 // mV per step, or share of the leak, of a mV of resting potential
	tables tables  // of the profile

	off     fifo      // units in the order in which their refractory time ends
	mail    mail      // spikes on their way
	last    []int64   // step of the last spike of every unit
	factor  []float32 // renewing factor by the number of steps since the last spike
	factorI []float32 // the same with the inhibitory time constant

	u, xe, xi []float64 // what Potential and Synapses return
	scaleE    float64   // nA or µS of one unit of j
	scaleI    float64
	trace     []float64
}

// spikes are those of one step.
type spikes struct {
	step int64
	unit []int32
	f    []float32 // factors of their delivery
	fi   []float32 // to inhibitory conductances
}

// mail is a ring of the spikes that are on their way, in the order of time. Every one is
// delivered after on steps and, if off is not 0, taken back after off steps.
type mail struct {
	ring                 []spikes
	on, off              int64
	sent, given, fetched int64 // counts of what entered the ring, was delivered, was taken back
}

func (m *mail) at(i int64) *spikes { return &m.ring[i%int64(len(m.ring))] }

// due is the step of the next delivery or taking back.
func (m *mail) due() int64 {
	d := int64(never)
	if m.given < m.sent {
		d = m.at(m.given).step + m.on
	}
	if m.off != 0 && m.fetched < m.sent {
		d = min(d, m.at(m.fetched).step+m.off)
	}
	return d
}

// fifo is a queue of units with the step at which each is due; a unit is in it at most
// once, so its capacity is the number of units.
type fifo struct {
	unit        []int32
	due         []int64
	first, size int
}

func (q *fifo) push(unit int32, due int64) {
	i := q.first + q.size
	if i >= len(q.unit) {
		i -= len(q.unit)
	}
	q.unit[i], q.due[i] = unit, due
	q.size++
}

func (q *fifo) pop() int32 {
	u := q.unit[q.first]
	if q.first++; q.first == len(q.unit) {
		q.first = 0
	}
	q.size--
	return u
}

// never is a step that does not come.
const never = math.MaxInt64

// NewFast builds the network if it is one of the common cases; ok reports whether it is.
func NewFast(c Config, path kernel.Path) (f *Fast, ok bool, err error) {
	if c.N <= 0 || len(c.Rest) != c.N || (c.Weights != nil && len(c.Weights) != c.N*c.N) {
		return nil, false, fmt.Errorf("network of %d neurons with %d resting potentials and %d weights", c.N, len(c.Rest), len(c.Weights))
	}
	if c.Precise || c.NoThreshold || c.Rectangular && c.shifts() {
		return nil, false, nil
	}
	n := c.N
	groups := (n + kernel.Group - 1) / kernel.Group
	m := groups * kernel.Group
	f = &Fast{cfg: c, path: path, v: make([]float32, m), j: make([]float32, m), c: make([]float32, m),
		s: make([]uint64, m), ref: make([]byte, 2*groups), ring: make([]byte, 2*groups*c.Refractory),
		z: make([]uint8, n), off: fifo{unit: make([]int32, n), due: make([]int64, n)},
		u: make([]float64, n), xe: make([]float64, n), xi: make([]float64, n),
		trace: make([]float64, 0, len(c.TraceUnits)*c.TraceCapacity)}
	if c.Conductance {
		f.gi, f.l = make([]float32, m), make([]float32, m)
		ok = f.conductances(groups)
	} else {
		ok = f.currents(groups)
	}
	if !ok || c.Profile != nil && !f.profile() {
		return nil, false, nil
	}
	if c.Weights != nil {
		f.synapses(m)
	}
	return f, true, nil
}

// Noisy reports whether the network has background noise.
func (f *Fast) Noisy() bool { return f.noisy }

// Reset starts at time 0. With noise, units 2i and 2i+1 share a random stream of two words
// of src, in order, and a third word draws their start; otherwise as Engine.Reset.
func (f *Fast) Reset(start []uint8, src rand.Source) {
	c := &f.cfg
	noisy := f.noisy
	f.step = 0
	f.trace = f.trace[:0]
	f.block.Slot, f.cond.Slot = 0, 0
	clear(f.ref)
	clear(f.ring)
	f.off.first, f.off.size = 0, 0
	reset := float32(c.Reset - c.Theta)
	left := make([]int, c.N) // steps of refractoriness of units that start on
	var draw uint64
	for k := range f.v {
		if k%2 == 0 && noisy {
			i := k/kernel.Group*kernel.Group + k%kernel.Group/2
			f.s[i], f.s[i+kernel.Group/2] = src.Uint64(), src.Uint64()|1 // never all zero
			draw = src.Uint64()
		}
		half := uint32(draw >> (k % 2 * 32))
		f.v[k], f.j[k] = reset, f.meanE
		if f.gi != nil {
			f.gi[k] = f.meanI
		}
		if k >= c.N {
			f.ref[k/8] |= 1 << (k % 8)
			continue
		}
		f.v[k] = float32(math.Min(c.Rest[k]-c.Theta, float64(reset)))
		on := noisy && half>>31 == 1
		if start != nil {
			on = start[k] == 1
		}
		f.z[k] = 0
		if on {
			f.z[k], f.v[k] = 1, reset
			left[k] = c.Refractory
			if noisy {
				left[k] = 1 + int(uint64(half&0x7fffffff)*uint64(c.Refractory)>>31)
			}
			f.ref[k/8] |= 1 << (k % 8)
			f.ring[len(f.ref)*(left[k]-1)+k/8] |= 1 << (k % 8)
		}
	}
	for d := 1; d <= c.Refractory; d++ { // the queue is in the order of the ends
		for k, l := range left {
			if l == d {
				f.off.push(int32(k), int64(d))
			}
		}
	}
	if f.mail.off != 0 { // take back what is still on
		for ; f.mail.fetched < f.mail.given; f.mail.fetched++ {
			f.deliver(f.mail.at(f.mail.fetched), true)
		}
	}
	f.mail.sent, f.mail.given, f.mail.fetched = 0, 0, 0
	for k := range f.last {
		f.last[k] = math.MinInt64 / 2
	}
}

// State is z, the engine's own memory.
func (f *Fast) State() []uint8 { return f.z }

// Time is the time since Reset [ms].
func (f *Fast) Time() float64 { return float64(f.step) * f.cfg.Dt }

// Steps is the number of steps since Reset.
func (f *Fast) Steps() int64 { return f.step }

// Potential is the membrane potential of every neuron [mV].
func (f *Fast) Potential() []float64 {
	for k := range f.u {
		f.u[k] = f.cfg.Theta + float64(f.v[k])
	}
	return f.u
}

// Synapses are the synaptic conductances [µS], or the positive and the negative part of
// the synaptic current [nA].
func (f *Fast) Synapses() (exc, inh []float64) {
	for k := range f.xe {
		x := float64(f.j[k]) * f.scaleE
		if f.gi != nil {
			f.xe[k], f.xi[k] = x, float64(f.gi[k])*f.scaleI
		} else {
			f.xe[k], f.xi[k] = math.Max(x, 0), math.Max(-x, 0)
		}
	}
	return f.xe, f.xi
}

// Trace is as Engine.Trace.
func (f *Fast) Trace() []float64 { return f.trace }

// Run does steps until the step count reaches to or flips may be out of room, and
// returns the flips appended to flips, in time order.
func (f *Fast) Run(to int64, flips []sampling.Flip) []sampling.Flip {
	room := 2 * f.cfg.N
	for f.step < to && cap(flips)-len(flips) >= room {
		due := f.mail.due()
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
		for f.off.size > 0 && f.off.due[f.off.first] <= f.step {
			t := float64(f.off.due[f.off.first]) * f.cfg.Dt
			k := f.off.pop()
			f.z[k] = 0
			flips = append(flips, sampling.Flip{Time: t, Unit: k, On: 0})
		}
		if spiked {
			flips = f.collect(flips)
		}
		if f.step == due {
			f.deliverDue()
		}
		if len(f.trace) < cap(f.trace) {
			for _, k := range f.cfg.TraceUnits {
				f.trace = append(f.trace, f.cfg.Theta+float64(f.v[k]))
			}
		}
	}
	return flips
}

// advance does up to limit steps, and stops after one with spikes.
func (f *Fast) advance(limit int64) (spiked bool) {
	if f.cfg.Conductance {
		f.cond.Limit = limit
		f.path.Conductance(&f.cond)
		f.step += f.cond.Limit
		return f.cond.Any != 0
	}
	f.block.Limit = limit
	f.path.Step(&f.block)
	f.step += f.block.Limit
	return f.block.Any != 0
}

// Floor does steps steps without noise and without delivering spikes: the least that a
// step costs, to compare with. The network is of no use afterwards until Reset. It is for
// current-based networks.
func (f *Fast) Floor(steps int64) {
	for steps > 0 {
		f.block.Limit = steps
		f.path.Floor(&f.block)
		steps -= f.block.Limit
	}
}

// collect reads the spikes of the step just done from the ring.
func (f *Fast) collect(flips []sampling.Flip) []sampling.Flip {
	slot := int((f.step - 1) % int64(f.cfg.Refractory))
	mask := f.ring[slot*len(f.ref):][:len(f.ref)]
	t := float64(f.step) * f.cfg.Dt
	end := f.step + int64(f.cfg.Refractory)
	var b *spikes
	if f.mail.ring != nil {
		b = f.mail.at(f.mail.sent)
		b.step, b.unit, b.f, b.fi = f.step, b.unit[:0], b.f[:0], b.fi[:0]
		f.mail.sent++
	}
	for i, m := range mask {
		for ; m != 0; m &= m - 1 {
			k := int32(8*i + bits.TrailingZeros8(m))
			f.z[k] = 1
			flips = append(flips, sampling.Flip{Time: t, Unit: k, On: 1})
			f.off.push(k, end)
			if b == nil {
				continue
			}
			x, xi := float32(1), float32(1)
			if f.factor != nil {
				d := f.step - f.last[k]
				x = f.factor[min(d, int64(len(f.factor)-1))]
				xi = f.factorI[min(d, int64(len(f.factorI)-1))]
				f.last[k] = f.step
			}
			b.unit, b.f, b.fi = append(b.unit, k), append(b.f, x), append(b.fi, xi)
		}
	}
	return flips
}

// deliverDue delivers, and takes back, what is due at this step.
func (f *Fast) deliverDue() {
	m := &f.mail
	if m.given < m.sent && m.at(m.given).step+m.on == f.step {
		f.deliver(m.at(m.given), false)
		m.given++
	}
	if m.off != 0 && m.fetched < m.sent && m.at(m.fetched).step+m.off == f.step {
		f.deliver(m.at(m.fetched), true)
		m.fetched++
	}
}

// deliver adds spikes to the currents or conductances, or rectangular ones to the drive
// and the leak; back takes them away again.
func (f *Fast) deliver(b *spikes, back bool) {
	first, second := f.j, f.gi
	if f.mail.off != 0 {
		first, second = f.c, f.l
	}
	if back {
		for i := range b.f {
			b.f[i], b.fi[i] = -1, -1
		}
	}
	d := kernel.Deliver{J: &first[0], Rows: &f.w[0], Unit: &b.unit[0], F: &b.f[0], Groups: int64(len(f.v) / kernel.Group), N: int64(len(b.unit))}
	f.path.Deliver(&d)
	if f.wi != nil {
		d.J, d.Rows, d.F = &second[0], &f.wi[0], &b.fi[0]
		f.path.Deliver(&d)
	}
}

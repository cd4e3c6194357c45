package engine

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/lif/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Fast is the engine for the common case, current-based neurons with one synaptic time
// constant and background sources of one weight, in float32 and SIMD (package kernel).
// It has the law of Engine with other random numbers, in another precision.
//
// Potentials are relative to threshold and in units of the free potential's standard
// deviation, currents in what they add to that in one step. Rectangular input is part of
// the constant drive; its weights and the drive are on a grid on which their sums are
// exact, so that what is added and later taken back leaves nothing behind.
type Fast struct {
	cfg    Config
	path   kernel.Path
	block  kernel.Block
	step   int64
	unit   float64 // mV of one unit of v
	weight float32 // of a background event

	v, j, c, w []float32
	s          []uint64
	ref, ring  []byte
	z          []uint8

	off    fifo      // units in the order in which their refractory time ends
	mail   mail      // spikes on their way
	last   []int64   // step of the last spike of every unit
	factor []float32 // renewing factor by the number of steps since the last spike

	u, xe, xi []float64 // what Potential and Synapses return
	trace     []float64
}

// spikes are those of one step.
type spikes struct {
	step int64
	unit []int32
	f    []float32 // factors of their delivery
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

// NewFast builds the network if it is of the common case; ok reports whether it is.
func NewFast(c Config, path kernel.Path) (f *Fast, ok bool, err error) {
	if c.N <= 0 || len(c.Rest) != c.N || (c.Weights != nil && len(c.Weights) != c.N*c.N) {
		return nil, false, fmt.Errorf("network of %d neurons with %d resting potentials and %d weights", c.N, len(c.Rest), len(c.Weights))
	}
	law, weight, ok := noiseLaw(c)
	if !ok || c.Conductance || c.Precise || c.NoThreshold || c.TauE != c.TauI {
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
	tauM := c.C / c.GLeak
	response := dynamics.Convolve(c.Dt, tauM, c.TauE) / c.C // mV of 1 nA after one step
	f.unit = f.scale(tauM)
	b := &f.block
	b.V, b.J, b.C, b.S, b.Ref, b.Ring = &f.v[0], &f.j[0], &f.c[0], &f.s[0], &f.ref[0], &f.ring[0]
	b.Groups, b.RingLen = int64(groups), int64(c.Refractory)
	b.A = kernel.All(float32(dynamics.Decay(c.Dt, tauM)))
	b.P = kernel.All(float32(dynamics.Decay(c.Dt, c.TauE)))
	b.Reset = kernel.All(float32((c.Reset - c.Theta) / f.unit))
	f.weight = float32(weight * response / f.unit)
	b.W = kernel.All(f.weight)
	b.Off = kernel.All(-f.weight * float32(len(law)/2))
	b.SetNoise(law)
	for k, e := range c.Rest {
		f.c[k] = float32(-math.Expm1(-c.Dt/tauM) * (e - c.Theta) / f.unit)
	}
	if c.Weights == nil {
		return f, true, nil
	}
	f.w = make([]float32, n*m)
	if c.Rectangular {
		response = -math.Expm1(-c.Dt/tauM) / c.GLeak // mV of a constant 1 nA after one step
	}
	for from := range n {
		for to := range n {
			f.w[from*m+to] = float32(c.Weights[from*n+to] * response / f.unit)
		}
	}
	f.mail.on = int64(c.Delay)
	slots := c.Delay + 1
	if c.Rectangular {
		f.mail.off = int64(c.Delay + c.Refractory)
		slots += c.Refractory
		f.toGrid()
	}
	f.mail.ring = make([]spikes, slots)
	for i := range f.mail.ring {
		f.mail.ring[i] = spikes{unit: make([]int32, 0, n), f: make([]float32, 0, n)}
	}
	f.last = make([]int64, n)
	if !c.Static && !c.Rectangular {
		// Beyond 25 time constants a factor is 1 in float32.
		f.factor = make([]float32, int(25*c.TauE/c.Dt)+2)
		for d := range f.factor {
			f.factor[d] = float32(-math.Expm1(-float64(d) * c.Dt / c.TauE))
		}
		f.factor[len(f.factor)-1] = 1
	}
	return f, true, nil
}

// toGrid rounds weights and drives to a grid on which no sum of them has more than 24
// bits: float32 then adds exactly.
func (f *Fast) toGrid() {
	m := len(f.c)
	most := 0.0
	for k := range m {
		sum := math.Abs(float64(f.c[k]))
		for i := k; i < len(f.w); i += m {
			sum += math.Abs(float64(f.w[i]))
		}
		most = math.Max(most, sum)
	}
	if most == 0 {
		return
	}
	_, e := math.Frexp(2 * most) // rounding may add half a grid step to each term
	grid := math.Ldexp(1, e-24)
	round := func(x []float32) {
		for i, v := range x {
			x[i] = float32(math.Round(float64(v)/grid) * grid)
		}
	}
	round(f.c)
	round(f.w)
}

// scale is the standard deviation of the free potential [mV], or the distance from reset
// to threshold without noise.
func (f *Fast) scale(tauM float64) float64 {
	c := &f.cfg
	v := 0.0
	for _, src := range [][]dynamics.Poisson{c.NoiseE, c.NoiseI} {
		for _, p := range src {
			a := p.Weight / c.C * tauM * c.TauE
			v += p.Rate / 1000 * a * a / (2 * (tauM + c.TauE))
		}
	}
	if v == 0 {
		return c.Theta - c.Reset
	}
	return math.Sqrt(v)
}

// noiseLaw is the law of the net number of background events in a step, for an alias
// table of 16 or else 32 columns. It exists if all sources have the same weight and the
// probability of more events than the table holds is below its resolution.
func noiseLaw(c Config) (law []float64, weight float64, ok bool) {
	var mean [2]float64
	for i, src := range [][]dynamics.Poisson{c.NoiseE, c.NoiseI} {
		for _, p := range src {
			if p.Rate == 0 || p.Weight == 0 {
				continue
			}
			if weight != 0 && p.Weight != weight {
				return nil, 0, false
			}
			weight = p.Weight
			mean[i] += p.Rate * c.Dt / 1000
		}
	}
	if mean[0] > 10 || mean[1] > 10 {
		return nil, 0, false
	}
	// Poisson probabilities far beyond what is kept.
	const most = 64
	var p [2][most]float64
	for i := range p {
		p[i][0] = math.Exp(-mean[i])
		for k := 1; k < most; k++ {
			p[i][k] = p[i][k-1] * mean[i] / float64(k)
		}
	}
	for _, outcomes := range []int{16, 32} {
		law = make([]float64, outcomes)
		sum := 0.0
		for i := range law {
			for k := range most {
				if e := k + i - outcomes/2; e >= 0 && e < most {
					law[i] += p[0][e] * p[1][k]
				}
			}
			sum += law[i]
		}
		if 1-sum > 1.0/(1<<32) {
			continue
		}
		for i := range law {
			law[i] /= sum
		}
		return law, weight, true
	}
	return nil, 0, false
}

// Noisy reports whether the network has background noise.
func (f *Fast) Noisy() bool { return f.weight != 0 }

// Reset starts at time 0. With noise, units 2i and 2i+1 share a random stream of two words
// of src, in order, and a third word draws their start; otherwise as Engine.Reset.
func (f *Fast) Reset(start []uint8, src rand.Source) {
	c := &f.cfg
	noisy := f.Noisy()
	f.step = 0
	f.trace = f.trace[:0]
	f.block.Slot = 0
	clear(f.ref)
	clear(f.ring)
	f.off.first, f.off.size = 0, 0
	var mean float64
	for i, ps := range [][]dynamics.Poisson{c.NoiseE, c.NoiseI} {
		for _, p := range ps {
			mean += float64(1-2*i) * p.Rate / 1000 * c.Dt * float64(f.weight)
		}
	}
	mean /= 1 - float64(f.block.P[0]) // stationary mean of the noise current
	left := make([]int, c.N)          // steps of refractoriness of units that start on
	var draw uint64
	for k := range f.v {
		if k%2 == 0 && noisy {
			i := k/kernel.Group*kernel.Group + k%kernel.Group/2
			f.s[i], f.s[i+kernel.Group/2] = src.Uint64(), src.Uint64()|1 // never all zero
			draw = src.Uint64()
		}
		half := uint32(draw >> (k % 2 * 32))
		f.v[k], f.j[k] = f.block.Reset[0], float32(mean)
		if k >= c.N {
			f.ref[k/8] |= 1 << (k % 8)
			continue
		}
		f.v[k] = float32(math.Min((c.Rest[k]-c.Theta)/f.unit, float64(f.block.Reset[0])))
		on := noisy && half>>31 == 1
		if start != nil {
			on = start[k] == 1
		}
		f.z[k] = 0
		if on {
			f.z[k], f.v[k] = 1, f.block.Reset[0]
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

// Potential is the membrane potential of every neuron [mV].
func (f *Fast) Potential() []float64 {
	for k := range f.u {
		f.u[k] = f.cfg.Theta + float64(f.v[k])*f.unit
	}
	return f.u
}

// Synapses are the positive and the negative part of the synaptic current [nA].
func (f *Fast) Synapses() (exc, inh []float64) {
	c := &f.cfg
	nA := f.unit * c.C / dynamics.Convolve(c.Dt, c.C/c.GLeak, c.TauE)
	for k := range f.xe {
		x := float64(f.j[k]) * nA
		f.xe[k], f.xi[k] = math.Max(x, 0), math.Max(-x, 0)
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
		if len(f.trace) < cap(f.trace) {
			limit = 1
		}
		f.block.Limit = limit
		f.path.Step(&f.block)
		f.step += f.block.Limit
		for f.off.size > 0 && f.off.due[f.off.first] <= f.step {
			t := float64(f.off.due[f.off.first]) * f.cfg.Dt
			k := f.off.pop()
			f.z[k] = 0
			flips = append(flips, sampling.Flip{Time: t, Unit: k, On: 0})
		}
		if f.block.Any != 0 {
			flips = f.collect(flips)
		}
		if f.step == due {
			f.deliverDue()
		}
		if len(f.trace) < cap(f.trace) {
			for _, k := range f.cfg.TraceUnits {
				f.trace = append(f.trace, f.cfg.Theta+float64(f.v[k])*f.unit)
			}
		}
	}
	return flips
}

// collect reads the spikes of the step just done from the ring.
func (f *Fast) collect(flips []sampling.Flip) []sampling.Flip {
	slot := f.block.Slot - 1
	if slot < 0 {
		slot += f.block.RingLen
	}
	mask := f.ring[int(slot)*len(f.ref):][:len(f.ref)]
	t := float64(f.step) * f.cfg.Dt
	end := f.step + int64(f.cfg.Refractory)
	var b *spikes
	if f.mail.ring != nil {
		b = f.mail.at(f.mail.sent)
		b.step, b.unit, b.f = f.step, b.unit[:0], b.f[:0]
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
			x := float32(1)
			if f.factor != nil {
				x = f.factor[min(f.step-f.last[k], int64(len(f.factor)-1))]
				f.last[k] = f.step
			}
			b.unit, b.f = append(b.unit, k), append(b.f, x)
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

// deliver adds spikes to the currents, or rectangular ones to the drive; back takes them
// away again.
func (f *Fast) deliver(b *spikes, back bool) {
	to := &f.j[0]
	if f.mail.off != 0 {
		to = &f.c[0]
	}
	if back {
		for i := range b.f {
			b.f[i] = -1
		}
	}
	f.path.Deliver(&kernel.Deliver{J: to, Rows: &f.w[0], Unit: &b.unit[0], F: &b.f[0],
		Groups: f.block.Groups, N: int64(len(b.unit))})
}

// Package engine steps a network of leaky integrate-and-fire neurons. It is the boundary
// behind which package lif keeps everything that is done per neuron and step: state as
// arrays, no allocation, flips of the refractory state as the only output.
//
// Neurons share their constants, or each has its own; each has its own resting potential
// and its own background noise. Engine is in double precision and for all networks, Fast in
// single precision and for the common ones. One step n → n+1 of the grid:
//
//  1. Free neurons: exact propagation of the membrane (current-based), or exponential
//     Euler with the conductances of the middle of the step (conductance-based).
//  2. Threshold: a spike at t_{n+1} puts the neuron at the reset potential and z = 1 for
//     the next Refractory steps; it integrates again in the step after them, so the
//     shortest interspike interval is Refractory+1 steps (Refractory with Exact).
//  3. Synapses decay, background events and the spikes of Delay steps ago are added.
package engine

import (
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/stp"
)

// source is one background Poisson source of every neuron.
type source struct {
	table  dynamics.CountTable
	weight float64
	inh    bool
}

// constants of one neuron and step.
type constants struct {
	Neuron
	pe, pi float64 // synaptic decay
	pm     float64 // membrane decay
	ke, ki float64 // response of the membrane to a unit of xe, xi during the step
	kr     float64 // the same for a constant unit current
	he, hi float64 // synaptic decay over half a step
	theta  float64 // threshold, infinite if there is none
}

// Engine is a network in motion.
type Engine struct {
	cfg  Config
	step int64 // steps done since Reset

	// Neuron state.
	u    []float64 // membrane potential [mV]
	xe   []float64 // excitatory synaptic current or conductance, ≥ 0
	xi   []float64 // inhibitory, ≥ 0
	re   []float64 // rectangular part of the same
	ri   []float64
	left []int32   // steps of refractoriness left (grid)
	end  []float64 // end of refractoriness [ms] (precise)
	z    []uint8
	s    []uint64  // random streams, two words a neuron
	rest []float64 // resting potentials now [mV]

	k         []constants // of every neuron of one copy
	src       []source
	profiled  [][]dynamics.CountTable // of every source at every factor of the profile
	tableOf   []int32                 // factor of every block of the profile
	spikes    [][]int32               // ring of the spikes of past steps
	lastE     []dynamics.Trace        // renewing traces by sender, excitatory time constant
	lastI     []dynamics.Trace
	senders   []stp.Sender // with short-term plasticity
	trace     []float64
	flipSpace int
}

// New builds a network; Reset it before use.
func New(c Config) (*Engine, error) {
	if err := c.shapes(); err != nil {
		return nil, err
	}
	n := c.units()
	e := &Engine{
		cfg: c,
		u:   make([]float64, n), xe: make([]float64, n), xi: make([]float64, n),
		left: make([]int32, n), z: make([]uint8, n), s: make([]uint64, 2*n),
		k: make([]constants, c.N), flipSpace: 2 * n,
	}
	e.rest = append([]float64{}, c.Rest...)
	var factors []float64
	if c.Profile != nil {
		factors, e.tableOf = c.Profile.distinct()
	}
	for k := range e.k {
		q := c.neuron(k)
		e.k[k] = constants{
			Neuron: q,
			pe:     dynamics.Decay(c.Dt, q.TauE), pi: dynamics.Decay(c.Dt, q.TauI),
			he: dynamics.Decay(c.Dt/2, q.TauE), hi: dynamics.Decay(c.Dt/2, q.TauI),
			pm: q.membrane(c.Dt), ke: q.response(c.Dt, q.TauE), ki: q.response(c.Dt, q.TauI), kr: q.constant(c.Dt),
			theta: q.Theta,
		}
		if c.NoThreshold {
			e.k[k].theta = math.Inf(1)
		}
	}
	if c.Precise {
		e.end = make([]float64, n)
	}
	for _, sr := range []struct {
		from []dynamics.Poisson
		inh  bool
	}{{c.NoiseE, false}, {c.NoiseI, true}} {
		for _, p := range sr.from {
			t, err := dynamics.NewCountTable(p.Rate, c.Dt)
			if err != nil {
				return nil, err
			}
			if len(t) == 0 || p.Weight == 0 {
				continue
			}
			e.src = append(e.src, source{table: t, weight: p.Weight, inh: sr.inh})
			var at []dynamics.CountTable
			for _, x := range factors {
				t, err := dynamics.NewCountTable(p.Rate*x, c.Dt)
				if err != nil {
					return nil, err
				}
				at = append(at, t)
			}
			e.profiled = append(e.profiled, at)
		}
	}
	if c.synaptic() {
		ring := c.Delay + 1
		if c.Rectangular {
			e.re, e.ri = make([]float64, n), make([]float64, n)
			ring += c.longest()
		} else if c.Plasticity != nil {
			e.senders = make([]stp.Sender, n)
		} else if !c.Static {
			e.lastE, e.lastI = make([]dynamics.Trace, n), make([]dynamics.Trace, n)
		}
		e.spikes = make([][]int32, ring)
		for i := range e.spikes {
			e.spikes[i] = make([]int32, 0, n)
		}
	}
	e.trace = make([]float64, 0, len(c.TraceUnits)*c.TraceCapacity)
	return e, nil
}

// Noisy reports whether the network draws random numbers.
func (e *Engine) Noisy() bool { return len(e.src) > 0 }

// Reset starts at time 0. With noise, every neuron takes two words of src for its own
// random stream, in order, so that neurons appended to a network do not change the
// noise of those before. start may be nil: then each unit starts on with probability ½
// if the network is noisy, and off otherwise. Units that start on are at a uniformly
// drawn point of their refractory time.
func (e *Engine) Reset(start []uint8, src rand.Source) {
	for c := range e.cfg.copies() {
		e.reset(c, start, src)
	}
	e.restart()
}

// ResetCopies is Reset with a source for every copy, which then does what a network of
// one copy would do with it.
func (e *Engine) ResetCopies(start []uint8, src []rand.Source) {
	for c := range e.cfg.copies() {
		e.reset(c, start, src[c])
	}
	e.restart()
}

// reset sets the state of the neurons of a copy.
func (e *Engine) reset(copy int, start []uint8, src rand.Source) {
	c := &e.cfg
	noisy := e.Noisy()
	for k := copy * c.N; k < (copy+1)*c.N; k++ {
		q := &e.k[k%c.N]
		var phase uint64
		if noisy {
			e.s[2*k], e.s[2*k+1] = src.Uint64(), src.Uint64()|1 // never all zero
			phase = e.next(k)
		}
		on := noisy && phase>>63 == 1
		if start != nil {
			on = start[k] == 1
		}
		e.u[k] = math.Min(c.Rest[k%c.N], q.Reset)
		if c.NoThreshold {
			e.u[k] = c.Rest[k%c.N]
		}
		e.xe[k], e.xi[k] = c.means(q.Neuron)
		e.z[k], e.left[k] = 0, 0
		if on && !c.NoThreshold {
			e.z[k], e.u[k] = 1, q.Reset
			e.left[k] = int32(q.Refractory)
			if noisy {
				e.left[k] = 1 + int32(phase&0xffffffff*uint64(q.Refractory)>>32)
			}
		}
		if c.Precise {
			e.end[k] = float64(e.left[k]) * c.Dt
		}
	}
}

// restart goes back to time 0. A neuron that is on spiked a refractory time before its end,
// and its synapses are in the state that this leaves.
func (e *Engine) restart() {
	e.step = 0
	e.trace = e.trace[:0]
	for i := range e.spikes {
		e.spikes[i] = e.spikes[i][:0]
	}
	clear(e.re)
	clear(e.ri)
	clear(e.lastE)
	clear(e.lastI)
	clear(e.senders)
	if e.spikes == nil {
		return
	}
	for j := range e.u {
		if e.z[j] == 0 {
			continue
		}
		c := &e.cfg
		spike := int64(e.left[j]) - int64(e.k[j%c.N].Refractory)
		age := float64(spike+int64(c.Delay)) * c.Dt // −time since its arrival
		if age <= 0 {
			e.addStatic(j, math.Exp(age/c.TauE), math.Exp(age/c.TauI))
		}
		switch {
		case age > 0: // on its way
			slot := e.slot(spike)
			*slot = append(*slot, int32(j))
		case c.Rectangular:
			slot := e.slot(spike)
			*slot = append(*slot, int32(j))
			e.add(e.re, e.ri, j, 1, 1)
		default:
			fe, fi := e.release(j, age)
			e.add(e.xe, e.xi, j, fe*math.Exp(age/c.TauE), fi*math.Exp(age/c.TauI))
		}
	}
}

// release is what the synapses of neuron j release for a spike that arrives at t.
func (e *Engine) release(j int, t float64) (fe, fi float64) {
	switch c := &e.cfg; {
	case e.senders != nil:
		x := e.senders[j].Spike(t, c.Plasticity)
		return x, x
	case !c.Static:
		return e.lastE[j].Renew(t, c.TauE), e.lastI[j].Renew(t, c.TauI)
	}
	return 1, 1
}

// next advances the random stream of neuron k: xoroshiro128++ of Blackman and Vigna.
func (e *Engine) next(k int) uint64 {
	s0, s1 := e.s[2*k], e.s[2*k+1]
	x := s0 + s1
	r := (x<<17 | x>>47) + s0
	s1 ^= s0
	e.s[2*k] = (s0<<49 | s0>>15) ^ s1 ^ s1<<21
	e.s[2*k+1] = s1<<28 | s1>>36
	return r
}

// State is z, the engine's own memory.
func (e *Engine) State() []uint8 { return e.z }

// Potential is the membrane potential of every neuron [mV], the engine's own memory.
func (e *Engine) Potential() []float64 { return e.u }

// Synapses are the excitatory and inhibitory synaptic currents or conductances, the
// engine's own memory; rectangular input is not part of them.
func (e *Engine) Synapses() (exc, inh []float64) { return e.xe, e.xi }

// Time is the time since Reset [ms].
func (e *Engine) Time() float64 { return float64(e.step) * e.cfg.Dt }

// Steps is the number of steps since Reset.
func (e *Engine) Steps() int64 { return e.step }

// Trace is the potential [mV] of the traced units at the end of every step since Reset,
// step by step, until the capacity was full; it is the engine's own memory.
func (e *Engine) Trace() []float64 { return e.trace }

// Run does steps until the step count reaches to or flips may be out of room, and
// returns the flips appended to flips, in time order.
func (e *Engine) Run(to int64, flips []sampling.Flip) []sampling.Flip {
	for e.step < to && cap(flips)-len(flips) >= e.flipSpace {
		if e.cfg.Profile != nil {
			if i, ok := e.cfg.Profile.block(e.step); ok {
				e.enter(i)
			}
		}
		switch {
		case e.cfg.Precise:
			flips = e.membranePrecise(flips)
		case e.cfg.Conductance:
			flips = e.membraneConductance(flips)
		default:
			flips = e.membraneCurrent(flips)
		}
		e.step++
		e.synapses()
		if e.spikes != nil {
			e.deliver()
		}
		if len(e.trace) < cap(e.trace) {
			for _, k := range e.cfg.TraceUnits {
				e.trace = append(e.trace, e.u[k])
			}
		}
	}
	return flips
}

// slot is the ring slot of the spikes of a step, counted as the step count after it.
func (e *Engine) slot(step int64) *[]int32 {
	n := int64(len(e.spikes))
	return &e.spikes[((step%n)+n)%n]
}

// membraneCurrent does parts 1 and 2 of the step for current-based neurons.
func (e *Engine) membraneCurrent(flips []sampling.Flip) []sampling.Flip {
	t := float64(e.step+1) * e.cfg.Dt
	var fired *[]int32
	if e.spikes != nil {
		fired = e.slot(e.step + 1)
		*fired = (*fired)[:0]
	}
	n := len(e.k)
	for from := 0; from < len(e.u); from += n {
		u, xe, xi := e.u[from:from+n], e.xe[from:from+n], e.xi[from:from+n]
		for i := range u {
			k := from + i
			if e.left[k] > 0 {
				var still bool
				if flips, still = e.rests(flips, k, t); still {
					continue
				}
			}
			q := &e.k[i]
			v := e.rest[i] + (u[i]-e.rest[i])*q.pm + xe[i]*q.ke - xi[i]*q.ki
			if e.re != nil {
				v += (e.re[k] - e.ri[k]) * q.kr
			}
			if v < q.theta {
				u[i] = v
				continue
			}
			flips = e.fire(flips, k, t, fired)
		}
	}
	return flips
}

// rests does a step of a refractory neuron and reports whether it is refractory in it.
func (e *Engine) rests(flips []sampling.Flip, k int, t float64) (_ []sampling.Flip, still bool) {
	if e.left[k]--; e.left[k] > 0 {
		return flips, true
	}
	e.z[k] = 0
	return append(flips, sampling.Flip{Time: t, Unit: int32(k), On: 0}), !e.cfg.Exact
}

// membraneConductance is membraneCurrent for conductance-based neurons.
func (e *Engine) membraneConductance(flips []sampling.Flip) []sampling.Flip {
	t := float64(e.step+1) * e.cfg.Dt
	var fired *[]int32
	if e.spikes != nil {
		fired = e.slot(e.step + 1)
		*fired = (*fired)[:0]
	}
	for k := range e.u {
		if e.left[k] > 0 {
			var still bool
			if flips, still = e.rests(flips, k, t); still {
				continue
			}
		}
		q := &e.k[k%len(e.k)]
		target, g := e.drive(k)
		v := target + (e.u[k]-target)*math.Exp(-e.cfg.Dt*g/q.C)
		if v < q.theta {
			e.u[k] = v
			continue
		}
		flips = e.fire(flips, k, t, fired)
	}
	return flips
}

// drive is the potential [mV] that neuron k tends to during this step and its total
// conductance [µS], with the synaptic conductances of the middle of the step.
func (e *Engine) drive(k int) (target, g float64) {
	i := k % len(e.k)
	q := &e.k[i]
	ge, gi := e.xe[k]*q.he, e.xi[k]*q.hi
	if e.re != nil {
		ge += e.re[k]
		gi += e.ri[k]
	}
	g = q.GLeak + ge + gi
	return (q.GLeak*e.rest[i] + ge*q.RevE + gi*q.RevI) / g, g
}

// fire lets neuron k spike at time t, the end of the step.
func (e *Engine) fire(flips []sampling.Flip, k int, t float64, fired *[]int32) []sampling.Flip {
	q := &e.k[k%len(e.k)]
	e.u[k] = q.Reset
	e.left[k] = int32(q.Refractory)
	e.z[k] = 1
	if fired != nil {
		*fired = append(*fired, int32(k))
	}
	return append(flips, sampling.Flip{Time: t, Unit: int32(k), On: 1})
}

// synapses decays the synaptic state over the step and adds the background events.
func (e *Engine) synapses() {
	xe, xi := e.xe, e.xi
	src := e.src
	n := len(e.k)
	// The usual background, one source a receptor, shares one random word a neuron.
	if len(src) == 2 && !src[0].inh && src[1].inh {
		te, ti, we, wi := src[0].table, src[1].table, src[0].weight, src[1].weight
		te0, ti0 := te.First(), ti.First()
		for from := 0; from < len(xe); from += n {
			for i := range n {
				k := from + i
				q := &e.k[i]
				r := e.next(k)
				x, y := xe[k]*q.pe, xi[k]*q.pi
				if a := uint32(r); a >= te0 {
					x += q.Gain * we * float64(te.Count(a))
				}
				if b := uint32(r >> 32); b >= ti0 {
					y += q.Gain * wi * float64(ti.Count(b))
				}
				xe[k], xi[k] = x, y
			}
		}
		return
	}
	for k := range xe {
		q := &e.k[k%n]
		xe[k] *= q.pe
		xi[k] *= q.pi
		for _, s := range src {
			x := q.Gain * s.weight * float64(s.table.Count(uint32(e.next(k)>>32)))
			if s.inh {
				xi[k] += x
			} else {
				xe[k] += x
			}
		}
	}
}

// deliver adds the spikes that arrive at the end of this step, and for rectangular
// input takes back those whose time is over.
func (e *Engine) deliver() {
	c := &e.cfg
	t := e.Time()
	if c.Statics != nil {
		for _, j := range *e.slot(e.step - int64(c.Delay)) {
			e.addStatic(int(j), 1, 1)
		}
	}
	if c.Rectangular {
		for _, j := range *e.slot(e.step - int64(c.Delay)) {
			e.add(e.re, e.ri, int(j), 1, 1)
		}
		if c.Neurons == nil {
			for _, j := range *e.slot(e.step - int64(c.Delay+c.Refractory)) {
				e.add(e.re, e.ri, int(j), -1, -1)
			}
			return
		}
		for back := 1; back <= c.longest(); back++ {
			for _, j := range *e.slot(e.step - int64(c.Delay+back)) {
				if e.k[int(j)%c.N].Refractory == back {
					e.add(e.re, e.ri, int(j), -1, -1)
				}
			}
		}
		return
	}
	for _, j := range *e.slot(e.step - int64(c.Delay)) {
		fe, fi := e.release(int(j), t)
		e.add(e.xe, e.xi, int(j), fe, fi)
	}
}

// add brings a spike of neuron j to its targets, scaled by fe or fi by sign.
func (e *Engine) add(xe, xi []float64, j int, fe, fi float64) {
	from := j / len(e.k) * len(e.k)
	if s := e.cfg.Sparse; s != nil {
		e.addSparse(xe, xi, s, j, fe, fi)
		return
	}
	if e.cfg.Weights == nil {
		return
	}
	xe, xi = xe[from:from+len(e.k)], xi[from:from+len(e.k)]
	for k, w := range e.cfg.Weights[(j-from)*len(e.k):][:len(e.k)] {
		addOne(xe, xi, k, w, fe, fi)
	}
}

func (e *Engine) addSparse(xe, xi []float64, s *Sparse, j int, fe, fi float64) {
	from := j / len(e.k) * len(e.k)
	xe, xi = xe[from:from+len(e.k)], xi[from:from+len(e.k)]
	i := j - from
	for p := s.Start[i]; p < s.Start[i+1]; p++ {
		addOne(xe, xi, int(s.To[p]), s.Weight[p], fe, fi)
	}
}

// addStatic brings a spike of neuron j to the targets of its static synapses.
func (e *Engine) addStatic(j int, fe, fi float64) {
	if e.cfg.Statics != nil {
		e.addSparse(e.xe, e.xi, e.cfg.Statics, j, fe, fi)
	}
}

func addOne(xe, xi []float64, k int, w, fe, fi float64) {
	switch {
	case w > 0:
		xe[k] += fe * w
	case w < 0:
		xi[k] -= fi * w
	}
}

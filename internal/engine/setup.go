package engine

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// kinds are the kernels that may step the network, the fastest first.
func (c *Config) kinds() []kind {
	switch {
	case c.Conductance && c.Neurons == nil:
		return []kind{sameConductances}
	case c.Conductance:
		return []kind{ownConductances}
	case c.Neurons == nil && c.TauE == c.TauI:
		return []kind{sameCurrents, ownCurrents}
	}
	return []kind{ownCurrents}
}

// setUp sets up kernel and synapses; ok is false if the kernel cannot step the network.
func (f *Fast) setUp() (ok bool, err error) {
	c := &f.cfg
	if c.Exact {
		for k := range c.N {
			if r := c.neuron(k).Refractory; r < 2 {
				return false, fmt.Errorf("refractory time of neuron %d is %d steps: must be at least 2 if the interval after it is exact", k, r)
			}
		}
	}
	f.k = make([]scales, c.N)
	f.last, f.refractory = make([]int64, len(f.v)), make([]int32, len(f.v))
	for u, lane := range f.lane {
		f.refractory[lane] = int32(c.neuron(u % c.N).Refractory)
	}
	switch f.kind {
	case sameCurrents, ownCurrents:
		ok = f.currents()
	default:
		ok = f.conductances()
	}
	if !ok || c.Profile != nil && !f.profile() {
		return false, nil
	}
	if err := f.overflows(); err != nil {
		return false, err
	}
	if c.synaptic() {
		return true, f.synapses()
	}
	return true, nil
}

// overflows reports a neuron whose numbers single precision cannot hold.
func (f *Fast) overflows() error {
	c := &f.cfg
	for i := range f.k {
		k := &f.k[i]
		x := []float64{math.Abs(c.Rest[i]-k.Theta) + c.widest(), k.Reset - k.Theta, k.drive}
		for r, src := range [][]dynamics.Poisson{c.NoiseE, c.NoiseI} {
			for _, p := range src {
				if p.Rate > 0 {
					x = append(x, p.Weight*k.Gain/[]float64{k.exc, k.inh}[r])
				}
			}
		}
		if f.conductance() {
			x = append(x, k.RevE-k.Theta, k.RevI-k.Theta)
		}
		for _, x := range x {
			if !(math.Abs(x) <= largest) {
				return fmt.Errorf("potentials or background of neuron %d: overflows single precision", i)
			}
		}
	}
	return nil
}

// currents sets up a current-based network; ok is false if it is not of the kind.
func (f *Fast) currents() (ok bool) {
	c := &f.cfg
	for k := range f.k {
		q := c.neuron(k)
		respE, respI := q.response(c.Dt, q.TauE), q.response(c.Dt, q.TauI)
		meanE, meanI := c.means(q)
		f.k[k] = scales{Neuron: q, exc: 1 / respE, inh: 1 / respI, drive: -math.Expm1(-c.Dt * q.GLeak / q.C),
			meanE: float32(meanE * respE), meanI: float32(meanI * respI)}
	}
	f.rest(0)
	if f.kind == sameCurrents {
		law, weight, ok := netLaw(c)
		if !ok {
			return false
		}
		k := &f.k[0]
		for i := range f.k {
			f.k[i].meanE -= f.k[i].meanI
		}
		b := &f.block
		b.V, b.J, b.C, b.S, b.Ref, b.Ring = &f.v[0], &f.j[0], &f.c[0], &f.s[0], &f.ref[0], &f.ring[0]
		b.Groups, b.RingLen = f.groups(), int64(f.hold(c.Refractory))
		b.A, b.P = kernel.All(float32(k.membrane(c.Dt))), kernel.All(float32(dynamics.Decay(c.Dt, k.TauE)))
		b.Reset = kernel.All(float32(k.Reset - k.Theta))
		event := float32(weight / k.exc)
		b.W, b.Off = kernel.All(event), kernel.All(-event*float32(len(law)/2))
		b.SetNoise(law)
		f.noisy = event != 0
		f.padBits(k.Reset - k.Theta)
		return true
	}
	wE, wI, ok := f.general()
	if !ok {
		return false
	}
	f.each(func(u *kernel.Units, i int, k *scales) {
		u.A[i] = float32(k.membrane(c.Dt))
		u.WE[i], u.WI[i] = float32(wE*k.Gain/k.exc), float32(wI*k.Gain/k.inh)
	})
	f.padDrive()
	return true
}

func (f *Fast) groups() int64 { return int64(len(f.v) / kernel.Group) }

// padBits makes the lanes without a unit refractory for ever.
func (f *Fast) padBits(reset float64) {
	for lane, u := range f.unit {
		if u < 0 {
			f.ref[lane/8] |= 1 << (lane % 8)
			f.v[lane] = float32(reset)
		}
	}
}

// padDrive keeps the lanes without a unit below threshold.
func (f *Fast) padDrive() {
	for lane, u := range f.unit {
		if u < 0 {
			f.c[lane] = -1
		}
	}
}

// general sets up what all networks of neurons with own constants have.
func (f *Fast) general() (wE, wI float64, ok bool) {
	c := &f.cfg
	lawE, lawI, wE, wI, ok := countLaws(c)
	if !ok {
		return 0, 0, false
	}
	f.noisy = wE != 0 || wI != 0
	b := &f.gen
	b.V, b.JE, b.JI, b.C, b.S, b.Units, b.Mask = &f.v[0], &f.j[0], &f.ji[0], &f.c[0], &f.s[0], &f.units[0], &f.ring[0]
	b.Groups = f.groups()
	b.SetNoise(lawE, lawI)
	f.each(func(u *kernel.Units, i int, k *scales) {
		u.PE[i], u.PI[i] = float32(dynamics.Decay(c.Dt, k.TauE)), float32(dynamics.Decay(c.Dt, k.TauI))
		u.Reset[i] = float32(k.Reset - k.Theta)
		u.Hold[i] = int32(f.hold(k.Refractory))
	})
	return wE, wI, true
}

// each calls set for the place of every unit.
func (f *Fast) each(set func(u *kernel.Units, i int, k *scales)) {
	for u, lane := range f.lane {
		set(&f.units[lane/kernel.Group], int(lane%kernel.Group), &f.k[u%f.cfg.N])
	}
}

// conductances sets up a conductance-based network.
func (f *Fast) conductances() (ok bool) {
	c := &f.cfg
	for k := range f.k {
		q := c.neuron(k)
		// The step uses the conductances of its middle.
		perE := dynamics.Decay(c.Dt/2, q.TauE) * c.Dt / q.C
		perI := dynamics.Decay(c.Dt/2, q.TauI) * c.Dt / q.C
		meanE, meanI := c.means(q)
		f.k[k] = scales{Neuron: q, exc: 1 / perE, inh: 1 / perI, drive: q.GLeak * c.Dt / q.C,
			meanE: float32(meanE * perE), meanI: float32(meanI * perI)}
	}
	most := f.exponent()
	if most > kernel.MaxExponent {
		return false
	}
	f.rest(0)
	for u, lane := range f.lane {
		f.l[lane] = float32(f.k[u%c.N].drive)
	}
	if f.kind == ownConductances {
		wE, wI, ok := f.general()
		if !ok {
			return false
		}
		f.gen.L = &f.l[0]
		f.gen.SetMath(most)
		f.each(func(u *kernel.Units, i int, k *scales) {
			u.RevE[i], u.RevI[i] = float32(k.RevE-k.Theta), float32(k.RevI-k.Theta)
			u.WE[i], u.WI[i] = float32(wE*k.Gain/k.exc), float32(wI*k.Gain/k.inh)
		})
		f.padDrive()
		return true
	}
	lawE, lawI, wE, wI, ok := countLaws(c)
	if !ok {
		return false
	}
	k := &f.k[0]
	b := &f.cond
	b.V, b.GE, b.GI, b.C, b.L, b.S, b.Ref, b.Ring = &f.v[0], &f.j[0], &f.ji[0], &f.c[0], &f.l[0], &f.s[0], &f.ref[0], &f.ring[0]
	b.Groups, b.RingLen = f.groups(), int64(f.hold(c.Refractory))
	b.PE, b.PI = kernel.All(float32(dynamics.Decay(c.Dt, k.TauE))), kernel.All(float32(dynamics.Decay(c.Dt, k.TauI)))
	b.Reset = kernel.All(float32(k.Reset - k.Theta))
	b.RevE, b.RevI = kernel.All(float32(k.RevE-k.Theta)), kernel.All(float32(k.RevI-k.Theta))
	b.WE, b.WI = kernel.All(float32(wE/k.exc)), kernel.All(float32(wI/k.inh))
	b.SetMath(most)
	b.SetNoise(lawE, lawI)
	f.noisy = wE != 0 || wI != 0
	f.padBits(k.Reset - k.Theta)
	return true
}

// exponent is what the conductances of any unit times the step over the capacitance stay
// below: the mean of the background and ten standard deviations, and all synapses at what
// the spikes of a sender that is always on add up to.
func (f *Fast) exponent() (most float64) {
	c := &f.cfg
	shortest := c.neuron(0).Refractory
	for k := range c.N {
		shortest = min(shortest, c.neuron(k).Refractory)
	}
	interval := float64(shortest) * c.Dt
	// static is that sum of static synapses at a target with time constant tau, plain that of
	// the others, which recover with own if they renew.
	static := func(tau float64) float64 { return -1 / math.Expm1(-interval/tau) }
	plain := func(tau, own float64) float64 {
		switch p := c.Plasticity; {
		case p != nil && p.TauFac == 0: // the resource is at most 1
			return static(tau) * p.Scale * p.U
		case p != nil: // and so is the utilisation
			return static(tau) * p.Scale
		case c.Static:
			return static(tau)
		}
		return math.Max(1, static(tau)/static(own))
	}
	plainUnits, staticUnits := newUnits(c.N), newUnits(c.N)
	for k := range f.k {
		q := &f.k[k]
		staticUnits.pos[k], staticUnits.neg[k] = static(q.TauE)/q.exc, -static(q.TauI)/q.inh
		plainUnits.pos[k], plainUnits.neg[k] = plain(q.TauE, c.TauE)/q.exc, -plain(q.TauI, c.TauI)/q.inh
		if c.Rectangular {
			plainUnits.pos[k], plainUnits.neg[k] = c.Dt/q.C, -c.Dt/q.C
		}
	}
	recurrent := make([]float64, c.N)
	for i := range c.N {
		if c.connected() {
			c.row(i, func(k int, w float64) { recurrent[k] += plainUnits.value(k, w) })
		}
		if c.Statics != nil {
			c.Statics.row(i, func(k int, w float64) { recurrent[k] += staticUnits.value(k, w) })
		}
	}
	for k := range f.k {
		q := &f.k[k]
		sum := func(src []dynamics.Poisson, tau float64) (x float64) {
			mean, v := 0.0, 0.0
			for _, p := range src {
				w := p.Weight * q.Gain
				mean += c.most() * p.Rate / 1000 * w * tau
				v += c.most() * p.Rate / 1000 * w * w * tau / 2
			}
			return mean + 10*math.Sqrt(v)
		}
		most = math.Max(most, q.drive+sum(c.NoiseE, q.TauE)/q.exc+sum(c.NoiseI, q.TauI)/q.inh+recurrent[k])
	}
	return most
}

// synapses sets up weights, their factors and the mail.
func (f *Fast) synapses() error {
	c := &f.cfg
	f.apart = f.conductance() || f.kind == ownCurrents && !f.oneTau()
	if err := f.lay(); err != nil {
		return err
	}
	f.ones = make([]float32, len(f.lane))
	for i := range f.ones {
		f.ones[i] = 1
	}
	f.mail.on = int64(c.Delay)
	f.mail.ring = make([]spikes, 1<<bits.Len(uint(c.Delay)))
	n := len(f.lane)
	for i := range f.mail.ring {
		f.mail.ring[i] = newSpikes(n)
	}
	if c.Rectangular && c.connected() {
		f.back, f.ending = newQueue(len(f.v)), newSpikes(len(f.v))
	} else if c.Plasticity != nil {
		f.plastic = newPlastic(*c.Plasticity, c.Dt, len(f.v))
	} else if !c.Static {
		f.factor = factors(c.Dt, c.TauE)
		f.factorI = f.factor
		if c.TauI != c.TauE {
			f.factorI = factors(c.Dt, c.TauI)
		}
	}
	return nil
}

// lay lays out the weights of the configuration.
func (f *Fast) lay() (err error) {
	c := &f.cfg
	// What a weight of 1 brings to j, or to c and l if rectangular.
	onJ, onC, onL := newUnits(c.N), newUnits(c.N), newUnits(c.N)
	for k := range f.k {
		q := &f.k[k]
		onJ.pos[k], onJ.neg[k] = 1/q.exc, 1/q.exc
		if f.apart {
			onJ.neg[k] = 1 / q.inh
		}
		if f.conductance() { // drives to its reversal potential, and leaks
			onL.pos[k] = c.Dt / q.C
			onL.neg[k] = -onL.pos[k]
			onC.pos[k], onC.neg[k] = onL.pos[k]*(q.RevE-q.Theta), onL.neg[k]*(q.RevI-q.Theta)
		} else {
			onC.pos[k] = q.constant(c.Dt)
			onC.neg[k] = onC.pos[k]
		}
	}
	var static, weights, leaks *matrix
	grid := 0.0
	if c.Statics != nil {
		if static, _, err = f.matrix(rows{n: c.N, list: c.Statics}, onJ, nil); err != nil {
			return err
		}
	}
	switch {
	case !c.connected():
	case c.Rectangular:
		if weights, grid, err = f.matrix(c.rows(), onC, f.c); err == nil && f.conductance() {
			leaks, _, err = f.matrix(c.rows(), onL, f.l)
		}
	default:
		weights, _, err = f.matrix(c.rows(), onJ, nil)
	}
	if err != nil {
		return err
	}
	f.static, f.onJ, f.onL, f.grid = static, weights, leaks, grid
	return nil
}

func (f *Fast) conductance() bool { return f.kind == sameConductances || f.kind == ownConductances }

// oneTau reports whether excitation and inhibition have the same time constant everywhere,
// so that one current can carry both.
func (f *Fast) oneTau() bool {
	for i := range f.k {
		if f.k[i].TauE != f.k[i].TauI || f.cfg.TauE != f.cfg.TauI {
			return false
		}
	}
	return true
}

// matrix lays out synapses. Where they come on top of constants, both get onto a grid on
// which no sum of them has more than 24 bits: float32 then adds exactly.
func (f *Fast) matrix(r rows, u units, constants []float32) (m *matrix, grid float64, err error) {
	if constants != nil {
		if u.grid = f.gridOf(u, constants); u.grid != 0 {
			for _, lane := range f.lane { // the others must keep what they have
				constants[lane] = float32(math.Round(float64(constants[lane])/u.grid) * u.grid)
			}
		}
	}
	var step func(most float64) float64
	if f.cfg.Fixed {
		step = func(most float64) float64 {
			_, e := math.Frexp(most / math.MaxInt16)
			return math.Max(math.Ldexp(1, e), u.grid)
		}
	}
	m, err = newMatrix(r, u, step)
	return m, u.grid, err
}

// gridOf is the step of that grid; 0 if there is nothing to add.
func (f *Fast) gridOf(u units, constants []float32) float64 {
	sum := make([]float64, f.cfg.N)
	for i := range sum {
		f.cfg.row(i, func(k int, w float64) { sum[k] += math.Abs(u.value(k, w)) })
	}
	most := 0.0
	for unit, lane := range f.lane {
		k := unit % f.cfg.N
		most = math.Max(most, sum[k]+math.Abs(float64(constants[lane]))+math.Abs(f.k[k].drive)*f.cfg.widest())
	}
	if most == 0 {
		return 0
	}
	_, e := math.Frexp(2 * most) // rounding may add half a grid step to each term
	return math.Ldexp(1, e-24)
}

// factors are 1 − e^{−d·dt/tau} for d = 0, 1, ...; beyond 25 time constants it is 1.
func factors(dt, tau float64) []float32 {
	f := make([]float32, int(25*tau/dt)+2)
	for d := range f {
		f[d] = float32(-math.Expm1(-float64(d) * dt / tau))
	}
	f[len(f)-1] = 1
	return f
}

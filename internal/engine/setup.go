package engine

import (
	"math"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// currents sets up a current-based network; ok is false if it is not of the common case.
func (f *Fast) currents(groups int) (ok bool) {
	c := &f.cfg
	law, weight, ok := netLaw(c)
	if !ok || c.TauE != c.TauI {
		return false
	}
	tauM := c.C / c.GLeak
	response := dynamics.Convolve(c.Dt, tauM, c.TauE) / c.C // mV of 1 nA after one step
	f.scaleE = 1 / response
	b := &f.block
	b.V, b.J, b.C, b.S, b.Ref, b.Ring = &f.v[0], &f.j[0], &f.c[0], &f.s[0], &f.ref[0], &f.ring[0]
	b.Groups, b.RingLen = int64(groups), int64(c.Refractory)
	b.A = kernel.All(float32(dynamics.Decay(c.Dt, tauM)))
	b.P = kernel.All(float32(dynamics.Decay(c.Dt, c.TauE)))
	b.Reset = kernel.All(float32(c.Reset - c.Theta))
	event := float32(weight * response)
	b.W = kernel.All(event)
	b.Off = kernel.All(-event * float32(len(law)/2))
	b.SetNoise(law)
	f.noisy = event != 0
	meanE, meanI := c.means()
	f.meanE = float32((meanE - meanI) * response)
	f.drive = -math.Expm1(-c.Dt / tauM)
	f.rest(0)
	return true
}

// conductances sets up a conductance-based network.
func (f *Fast) conductances(groups int) (ok bool) {
	c := &f.cfg
	// The step uses the conductances of its middle.
	perE := dynamics.Decay(c.Dt/2, c.TauE) * c.Dt / c.C
	perI := dynamics.Decay(c.Dt/2, c.TauI) * c.Dt / c.C
	f.scaleE, f.scaleI = 1/perE, 1/perI
	lawE, wE, okE := countLaw(c.NoiseE, c.Dt)
	lawI, wI, okI := countLaw(c.NoiseI, c.Dt)
	leak := c.GLeak * c.Dt / c.C
	if !okE || !okI || leak+f.peak(perE, perI) > kernel.MaxExponent {
		return false
	}
	b := &f.cond
	b.V, b.GE, b.GI, b.C, b.L, b.S, b.Ref, b.Ring = &f.v[0], &f.j[0], &f.gi[0], &f.c[0], &f.l[0], &f.s[0], &f.ref[0], &f.ring[0]
	b.Groups, b.RingLen = int64(groups), int64(c.Refractory)
	b.PE, b.PI = kernel.All(float32(dynamics.Decay(c.Dt, c.TauE))), kernel.All(float32(dynamics.Decay(c.Dt, c.TauI)))
	b.Reset = kernel.All(float32(c.Reset - c.Theta))
	b.RevE, b.RevI = kernel.All(float32(c.RevE-c.Theta)), kernel.All(float32(c.RevI-c.Theta))
	b.WE, b.WI = kernel.All(float32(wE*perE)), kernel.All(float32(wI*perI))
	b.SetMath()
	kernel.SetNoise(&b.ThrE, &b.AliasE, lawE)
	kernel.SetNoise(&b.ThrI, &b.AliasI, lawI)
	f.noisy = wE != 0 || wI != 0
	meanE, meanI := c.means()
	f.meanE, f.meanI = float32(meanE*perE), float32(meanI*perI)
	for k := range f.l {
		f.l[k] = float32(leak)
	}
	f.drive = leak
	f.rest(0)
	return true
}

// means are the stationary means of the background in the synaptic variables [nA or µS],
// at time 0.
func (c *Config) means() (exc, inh float64) {
	for _, p := range c.NoiseE {
		exc += c.first() * p.Rate / 1000 * p.Weight * c.TauE
	}
	for _, p := range c.NoiseI {
		inh += c.first() * p.Rate / 1000 * p.Weight * c.TauI
	}
	return exc, inh
}

// peak is what the synaptic conductances of any unit stay below, relative to C/Dt: the
// mean of the background and ten standard deviations, and all synapses at their weight,
// or at the sum of a burst of static ones.
func (f *Fast) peak(perE, perI float64) float64 {
	c := &f.cfg
	sum := func(src []dynamics.Poisson, tau float64) (x float64) {
		mean, v := 0.0, 0.0
		for _, p := range src {
			mean += c.most() * p.Rate / 1000 * p.Weight * tau
			v += c.most() * p.Rate / 1000 * p.Weight * p.Weight * tau / 2
		}
		return mean + 10*math.Sqrt(v)
	}
	recurrent := 0.0
	if c.Weights != nil {
		burst := 1.0
		if c.Static {
			burst = -1 / math.Expm1(-float64(c.Refractory)*c.Dt/math.Max(c.TauE, c.TauI))
		}
		for k := range c.N {
			x := 0.0
			for i := k; i < len(c.Weights); i += c.N {
				x += math.Max(c.Weights[i]*perE, -c.Weights[i]*perI)
			}
			recurrent = math.Max(recurrent, x*burst)
		}
	}
	return sum(c.NoiseE, c.TauE)*perE + sum(c.NoiseI, c.TauI)*perI + recurrent
}

// synapses sets up weights, their factors and the mail; m is the padded size.
func (f *Fast) synapses(m int) {
	c := &f.cfg
	n := c.N
	f.w = make([]float32, n*m)
	if c.Conductance {
		f.wi = make([]float32, n*m)
	}
	constant := -math.Expm1(-c.Dt*c.GLeak/c.C) / c.GLeak // mV of a constant 1 nA after one step
	for i, w := range c.Weights {
		k := i/n*m + i%n
		switch {
		case !c.Conductance && c.Rectangular:
			f.w[k] = float32(w * constant)
		case !c.Conductance:
			f.w[k] = float32(w / f.scaleE)
		case c.Rectangular: // a constant conductance drives to its reversal potential, and leaks
			rev := c.RevE
			if w < 0 {
				rev = c.RevI
			}
			f.wi[k] = float32(math.Abs(w) * c.Dt / c.C)
			f.w[k] = float32(math.Abs(w) * c.Dt / c.C * (rev - c.Theta))
		default:
			f.w[k] = float32(math.Max(w, 0) / f.scaleE)
			f.wi[k] = float32(math.Max(-w, 0) / f.scaleI)
		}
	}
	f.mail.on = int64(c.Delay)
	slots := c.Delay + 1
	if c.Rectangular {
		f.mail.off = int64(c.Delay + c.Refractory)
		slots += c.Refractory
		toGrid(f.c, f.w)
		toGrid(f.l, f.wi)
	}
	f.mail.ring = make([]spikes, slots)
	for i := range f.mail.ring {
		f.mail.ring[i] = spikes{unit: make([]int32, 0, n), f: make([]float32, 0, n), fi: make([]float32, 0, n)}
	}
	f.last = make([]int64, n)
	if !c.Static && !c.Rectangular {
		f.factor = factors(c.Dt, c.TauE)
		f.factorI = f.factor
		if c.TauI != c.TauE {
			f.factorI = factors(c.Dt, c.TauI)
		}
	}
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

// toGrid rounds constants and the weights that come on top of them to a grid on which no
// sum of them has more than 24 bits: float32 then adds exactly.
func toGrid(c, w []float32) {
	m := len(c)
	most := 0.0
	for k := range m {
		sum := math.Abs(float64(c[k]))
		for i := k; i < len(w); i += m {
			sum += math.Abs(float64(w[i]))
		}
		most = math.Max(most, sum)
	}
	if most == 0 {
		return
	}
	_, e := math.Frexp(2 * most) // rounding may add half a grid step to each term
	grid := math.Ldexp(1, e-24)
	for _, x := range [][]float32{c, w} {
		for i, v := range x {
			x[i] = float32(math.Round(float64(v)/grid) * grid)
		}
	}
}

package engine

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/stp"
)

// Config describes a network. Package lif validates what users can get wrong.
type Config struct {
	N           int
	Conductance bool    // conductance-based instead of current-based
	Dt          float64 // [ms]
	Refractory  int     // τ_ref in steps, ≥ 1
	Delay       int     // synaptic delay in steps, ≥ 1
	Precise     bool    // spike times inside the step instead of at its end

	C, GLeak       float64 // [nF], [µS]
	TauE, TauI     float64 // synaptic time constants [ms]
	Theta, Reset   float64 // [mV]
	RevE, RevI     float64 // reversal potentials, conductance-based only [mV]
	Rest           []float64
	NoiseE, NoiseI []dynamics.Poisson // weights ≥ 0 [nA or µS]; inhibition is the engine's sign
	Weights        []float64          // [from*N+to], signed [nA or µS]
	Sparse         *Sparse            // the same as a list; both nil: no synapses
	Statics        *Sparse            // further synapses, plain exponential ones whatever the others are
	Static         bool               // plain exponential synapses instead of renewing ones
	Plasticity     *stp.Params        // short-term plasticity instead of either; nil: none
	Rectangular    bool               // input is on at full weight while the sender's z = 1
	NoThreshold    bool               // free membrane potential: never spike
	Profile        *Profile           // background that varies in time; nil: constant
	Neurons        []Neuron           // constants of every neuron; nil: those above
	Exact          bool               // a neuron may spike again τ_ref after a spike, not one step later
	Copies         int                // independent copies of the network; 0 is 1
	Fixed          bool               // weights of the fast engine as 16-bit integers
	TraceUnits     []int              // units whose membrane potential is kept at every step
	TraceCapacity  int
}

// Neuron are the constants of one neuron, as in Config.
type Neuron struct {
	C, GLeak, TauE, TauI     float64
	Theta, Reset, RevE, RevI float64
	Refractory               int
	Gain                     float64 // of all background weights
}

// Sparse are synapses by sender: those of i are Start[i] to Start[i+1]−1, with ascending
// targets.
type Sparse struct {
	Start  []int
	To     []int32
	Weight []float64
}

// neuron is the constants of neuron k of one copy.
func (c *Config) neuron(k int) Neuron {
	if c.Neurons != nil {
		return c.Neurons[k]
	}
	return Neuron{c.C, c.GLeak, c.TauE, c.TauI, c.Theta, c.Reset, c.RevE, c.RevI, c.Refractory, 1}
}

func (c *Config) copies() int { return max(1, c.Copies) }

// units is the number of neurons of all copies.
func (c *Config) units() int { return c.N * c.copies() }

func (c *Config) connected() bool { return c.Weights != nil || c.Sparse != nil }

// synaptic reports whether there are synapses of any kind.
func (c *Config) synaptic() bool { return c.connected() || c.Statics != nil }

// rows are the synapses but the static ones.
func (c *Config) rows() rows { return rows{c.N, c.Weights, c.Sparse} }

// row calls f for the synapses of sender i that are not zero, but the static ones.
func (c *Config) row(i int, f func(k int, w float64)) {
	r := c.rows()
	r.row(i, f)
}

// row calls f for the synapses of sender i that are not zero.
func (s *Sparse) row(i int, f func(k int, w float64)) {
	for j := s.Start[i]; j < s.Start[i+1]; j++ {
		if s.Weight[j] != 0 {
			f(int(s.To[j]), s.Weight[j])
		}
	}
}

// longest is the longest refractory time in steps.
func (c *Config) longest() int {
	r := c.Refractory
	for i := range c.Neurons {
		r = max(r, c.Neurons[i].Refractory)
	}
	return r
}

// extreme reports whether a time constant is so long that single precision would round the
// decay of a step, or tables of decays would fill the memory, or so short that nothing is
// left in the middle of a step.
func (c *Config) extreme() bool {
	if p := c.Plasticity; p != nil && math.Max(p.TauRec, p.TauFac) > c.Dt*(1<<20) {
		return true
	}
	for k := range c.N {
		q := c.neuron(k)
		if math.Max(q.C/q.GLeak, math.Max(q.TauE, q.TauI)) > c.Dt*(1<<16) || math.Min(q.TauE, q.TauI) < c.Dt/(1<<6) {
			return true
		}
	}
	return math.Max(c.TauE, c.TauI) > c.Dt*(1<<16)
}

// maxBytes bounds the memory for what is kept of past steps.
const maxBytes = 1 << 33

// shapes reports what does not fit together.
func (c *Config) shapes() error {
	switch {
	case c.N <= 0:
		return fmt.Errorf("network of %d neurons: must have at least 1", c.N)
	case len(c.Rest) != c.N || c.Weights != nil && len(c.Weights) != c.N*c.N:
		return fmt.Errorf("%d resting potentials and %d weights: must be %d and %d", len(c.Rest), len(c.Weights), c.N, c.N*c.N)
	case c.Sparse != nil && len(c.Sparse.Start) != c.N+1:
		return fmt.Errorf("synapses of %d senders: must be those of %d", len(c.Sparse.Start)-1, c.N)
	case c.Statics != nil && len(c.Statics.Start) != c.N+1:
		return fmt.Errorf("static synapses of %d senders: must be those of %d", len(c.Statics.Start)-1, c.N)
	case c.Neurons != nil && len(c.Neurons) != c.N:
		return fmt.Errorf("constants of %d neurons: must be those of %d", len(c.Neurons), c.N)
	case float64(c.units())*(24*float64(c.Delay)+4*float64(c.longest())) > maxBytes:
		return fmt.Errorf("%d neurons with a delay of %d and a refractory time of %d steps: need more than %d GB; take fewer or longer steps",
			c.units(), c.Delay, c.longest(), maxBytes>>30)
	}
	return nil
}

// means are the stationary means of the background in the synaptic variables of a neuron
// [nA or µS], at time 0.
func (c *Config) means(q Neuron) (exc, inh float64) {
	for _, p := range c.NoiseE {
		exc += c.first() * p.Rate / 1000 * p.Weight * q.Gain * q.TauE
	}
	for _, p := range c.NoiseI {
		inh += c.first() * p.Rate / 1000 * p.Weight * q.Gain * q.TauI
	}
	return exc, inh
}

// constant is the response of the membrane to a constant unit current in one step [mV/nA].
func (q Neuron) constant(dt float64) float64 { return -math.Expm1(-dt*q.GLeak/q.C) / q.GLeak }

// response is the same for a synaptic current with time constant tau.
func (q Neuron) response(dt, tau float64) float64 {
	return dynamics.Convolve(dt, q.C/q.GLeak, tau) / q.C
}

// membrane is the membrane's decay in one step.
func (q Neuron) membrane(dt float64) float64 { return dynamics.Decay(dt, q.C/q.GLeak) }

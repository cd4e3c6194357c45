package lif

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/internal/engine"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Network is a network of neurons of one setup with given resting potentials and
// synaptic weights: the biological level. It is a [sampling.Sampler] of whatever law its
// refractory states have; [NewSampler] builds one that has a wanted law.
type Network struct {
	e     stepper
	clock dynamics.Clock
	ready bool // Reset has been called
}

// stepper is an engine: the boundary to package engine.
type stepper interface {
	Noisy() bool
	Reset(start []uint8, src rand.Source)
	Run(to int64, flips []sampling.Flip) []sampling.Flip
	State() []uint8
	Time() float64
	Potential() []float64
	Synapses() (exc, inh []float64)
	Trace() []float64
}

// NetworkOptions are what a Network may record beside its flips.
type NetworkOptions struct {
	// Trace lists units whose membrane potential [mV] is kept at every step after Reset,
	// for TraceDuration [ms].
	Trace         []int
	TraceDuration float64
	// NoThreshold keeps the neurons from spiking: the free membrane potential.
	NoThreshold bool
	// Profile, if set, makes the background vary in time, in steps of ProfileStep [ms],
	// default 1.
	Profile     Profile
	ProfileStep float64
	// Float64 takes the engine that keeps its state in double precision and is several
	// times slower, also where there is a faster one in single precision: current-based
	// neurons with one synaptic time constant, exponential PSPs, spikes on the grid and
	// background sources of one weight. The two differ in their random numbers.
	Float64 bool
}

// NewNetwork returns a network of len(rest) neurons with resting potentials rest [mV]
// and weights[from*len(rest)+to], signed, in nA (CUBA) or µS (COBA); nil means no
// synapses.
func NewNetwork(s Setup, rest, weights []float64, o NetworkOptions) (*Network, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return nil, fmt.Errorf("lif: network of 0 neurons: must have at least 1")
	}
	if weights != nil && len(weights) != len(rest)*len(rest) {
		return nil, fmt.Errorf("lif: %d weights for %d neurons: must be %d", len(weights), len(rest), len(rest)*len(rest))
	}
	for k, e := range rest {
		if !finite(e) {
			return nil, fmt.Errorf("lif: resting potential of unit %d is %v mV: must be finite", k, e)
		}
	}
	for i, w := range weights {
		if !finite(w) {
			return nil, fmt.Errorf("lif: weight from unit %d to %d is %v: must be finite", i/len(rest), i%len(rest), w)
		}
	}
	clock := dynamics.Clock{Dt: s.Dt}
	c := s.config(slices.Clone(rest), slices.Clone(weights))
	c.NoThreshold = o.NoThreshold
	if o.Profile != nil {
		p, err := s.profile(o.Profile, o.ProfileStep)
		if err != nil {
			return nil, err
		}
		c.Profile = p
	}
	if len(o.Trace) > 0 {
		for _, k := range o.Trace {
			if k < 0 || k >= len(rest) {
				return nil, fmt.Errorf("lif: traced unit %d: must be in 0..%d", k, len(rest)-1)
			}
		}
		if !(o.TraceDuration > 0) || o.TraceDuration/s.Dt*float64(len(o.Trace)) > 1e8 {
			return nil, fmt.Errorf("lif: TraceDuration = %v ms of %d units: must be > 0 and at most 1e8 values", o.TraceDuration, len(o.Trace))
		}
		c.TraceUnits, c.TraceCapacity = slices.Clone(o.Trace), int(clock.Ceil(o.TraceDuration))
	}
	e, err := newStepper(c, o.Float64)
	if err != nil {
		return nil, fmt.Errorf("lif: %w", err)
	}
	return &Network{e: e, clock: clock}, nil
}

func newStepper(c engine.Config, float64State bool) (stepper, error) {
	if !float64State {
		path, err := kernel.Choose()
		if err != nil {
			return nil, err
		}
		if f, ok, err := engine.NewFast(c, path); ok || err != nil {
			return f, err
		}
	}
	return engine.New(c)
}

// config is the engine's configuration for neurons at the resting potentials rest.
func (s Setup) config(rest, weights []float64) engine.Config {
	p := s.Neuron
	clock := dynamics.Clock{Dt: s.Dt}
	ref, _ := clock.Steps(p.TauRef) // s is valid
	delay, _ := clock.Steps(s.Delay)
	return engine.Config{
		N: len(rest), Conductance: p.Kind == COBA, Dt: s.Dt, Refractory: int(ref), Delay: int(delay),
		Precise: s.Precise, C: p.C, GLeak: p.GLeak(), TauE: p.TauSynE, TauI: p.TauSynI,
		Theta: p.Theta, Reset: p.Reset, RevE: p.EExc, RevI: p.EInh,
		Rest: rest, NoiseE: slices.Clone(s.Noise.Exc), NoiseI: slices.Clone(s.Noise.Inh), Weights: weights,
		Static: s.Synapse == Static, Rectangular: s.PSP == Rect,
	}
}

// Dim is the number of neurons.
func (n *Network) Dim() int { return len(n.e.State()) }

// Reset starts at time 0. Every neuron takes its own random stream from src, in order. A
// nil start lets each neuron of a noisy network begin refractory with probability ½;
// without noise all begin silent and src, never used, may be nil.
func (n *Network) Reset(start []uint8, src rand.Source) error {
	if start != nil {
		if err := sampling.CheckState(start, n.Dim()); err != nil {
			return err
		}
	}
	if src == nil && n.e.Noisy() {
		return fmt.Errorf("lif: random source is nil: a network with background noise needs one")
	}
	n.e.Reset(start, src)
	n.ready = true
	return nil
}

// State is z: z[k] = 1 iff neuron k is refractory.
func (n *Network) State() []uint8 { return n.e.State() }

// Time is the biological time since Reset [ms].
func (n *Network) Time() float64 { return n.e.Time() }

// Advance runs the network until time t [ms].
func (n *Network) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	if cap(buf) < 2*n.Dim() {
		return nil, fmt.Errorf("lif: buffer for %d flips: must hold at least %d", cap(buf), 2*n.Dim())
	}
	if !n.ready {
		return nil, fmt.Errorf("lif: the network must be Reset before it runs")
	}
	return n.e.Run(n.clock.Ceil(t), buf[:0]), nil
}

// Potential is the membrane potential of every neuron [mV]; valid until the next
// Advance.
func (n *Network) Potential() []float64 { return n.e.Potential() }

// Synapses are the excitatory and inhibitory synaptic currents [nA] or conductances
// [µS], all ≥ 0, without rectangular input; valid until the next Advance. The single
// precision engine knows only their difference and returns its positive and negative
// part.
func (n *Network) Synapses() (exc, inh []float64) { return n.e.Synapses() }

// Trace is the membrane potential [mV] of the traced units: Trace()[i*m+j] is that of
// the j-th of m traced units at time (i+1)·Dt.
func (n *Network) Trace() []float64 { return n.e.Trace() }

// Dt is the time step [ms].
func (n *Network) Dt() float64 { return n.clock.Dt }

var _ sampling.Sampler = (*Network)(nil)

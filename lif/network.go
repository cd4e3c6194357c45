package lif

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/internal/engine"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/stp"
)

// Network is a network of neurons of one setup with given resting potentials and
// synaptic weights: the biological level. It is a [sampling.Sampler] of whatever law its
// refractory states have; [NewSampler] builds one that has a wanted law.
type Network struct {
	e     stepper
	clock dynamics.Clock
	ready bool // Reset has been called

	replicas int
	synapses bool // has some
	sparse   bool // from NewSparseNetwork
	statics  bool // has static ones
}

// stepper is an engine: the boundary to package engine.
type stepper interface {
	Noisy() bool
	ResetCopies(start []uint8, src []rand.Source)
	Reset(start []uint8, src rand.Source)
	Run(to int64, flips []sampling.Flip) []sampling.Flip
	State() []uint8
	Time() float64
	Potential() []float64
	Synapses() (exc, inh []float64)
	Trace() []float64
	SetRest(rest []float64) error
	SetWeights(matrix []float64, list, statics *engine.Sparse) error
	MarshalBinary() ([]byte, error)
	UnmarshalBinary(data []byte) error
}

// Precision is the precision of a network's state and weights.
type Precision int

const (
	// Float32 is single precision, in SIMD code, where a network allows it: spikes on the
	// grid, background sources of one weight per receptor, less than some 40 events a
	// millisecond and source, time constants of at most 2¹⁶ steps. Other networks take
	// Float64.
	Float32 Precision = iota
	// Float64 is double precision, and several times slower. It has the law of Float32,
	// from other random numbers.
	Float64
	// Fixed16 is Float32 with weights in 16-bit integers, rounded to within 1/32767 of the
	// largest: less memory to read in networks of more than some 500 neurons. The step is
	// chosen by the largest weight of every layer, so that none overflows.
	Fixed16
)

func (p Precision) String() string {
	switch p {
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Fixed16:
		return "fixed16"
	}
	return fmt.Sprintf("Precision(%d)", int(p))
}

// NetworkOptions say how a Network is built and what it records beside its flips. The zero
// value of each field is its default.
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
	Precision   Precision
	// Replicas is how many independent copies of the network run in lockstep, default 1.
	// Units are those of the first, then those of the second, and so on. In small networks
	// it saves time, as a step does at least 16 neurons.
	Replicas int
	// Neurons, if set, gives every neuron constants of its own instead of Setup.Neuron's.
	// The recovery of renewing synapses stays that of Setup.Neuron.
	Neurons []Params
	// Gains, if set, are factors ≥ 0 of the background weights of every neuron.
	Gains []float64
}

// Connection is a synapse: its Weight is signed, in nA (CUBA) or µS (COBA).
type Connection struct {
	From, To int
	Weight   float64
	// Static makes it a plain exponential synapse, which adds every spike in full, whatever
	// Setup.Synapse and Setup.PSP are.
	Static bool
}

// NewNetwork returns a network of len(rest) neurons with resting potentials rest [mV]
// and weights[from*len(rest)+to], signed, in nA (CUBA) or µS (COBA); nil means no
// synapses.
func NewNetwork(s Setup, rest, weights []float64, o NetworkOptions) (*Network, error) {
	if err := checkWeights(len(rest), weights); err != nil {
		return nil, err
	}
	return newNetwork(s, rest, func(c *engine.Config) { c.Weights = slices.Clone(weights) }, o)
}

func checkWeights(n int, weights []float64) error {
	if weights != nil && len(weights) != n*n {
		return fmt.Errorf("lif: %d weights for %d neurons: must be %d", len(weights), n, n*n)
	}
	for i, w := range weights {
		if !finite(w) {
			return fmt.Errorf("lif: weight from unit %d to %d is %v: must be finite", i/n, i%n, w)
		}
	}
	return nil
}

// NewSparseNetwork is NewNetwork with a list of synapses in any order, at most one from a
// neuron to another, and one static one.
func NewSparseNetwork(s Setup, rest []float64, connections []Connection, o NetworkOptions) (*Network, error) {
	list, statics, err := lists(len(rest), connections)
	if err != nil {
		return nil, err
	}
	n, err := newNetwork(s, rest, func(c *engine.Config) { c.Sparse, c.Statics = list, statics }, o)
	if n != nil {
		n.sparse, n.statics = true, statics != nil
	}
	return n, err
}

// lists are the connections of n neurons by sender, those that are not static and those
// that are, nil if there are none.
func lists(n int, connections []Connection) (plain, statics *engine.Sparse, err error) {
	for i, c := range connections {
		if c.From < 0 || c.From >= n || c.To < 0 || c.To >= n {
			return nil, nil, fmt.Errorf("lif: connection %d from %d to %d: must be between units 0..%d", i, c.From, c.To, n-1)
		}
		if !finite(c.Weight) {
			return nil, nil, fmt.Errorf("lif: weight from unit %d to %d is %v: must be finite", c.From, c.To, c.Weight)
		}
	}
	sorted := slices.Clone(connections)
	slices.SortStableFunc(sorted, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	plain = &engine.Sparse{Start: make([]int, n+1)}
	other := &engine.Sparse{Start: make([]int, n+1)}
	for _, c := range sorted {
		rows := plain
		if c.Static {
			rows, statics = other, other
		}
		if begin := rows.Start[c.From+1]; begin > 0 && int(rows.To[len(rows.To)-1]) == c.To {
			return nil, nil, fmt.Errorf("lif: two connections from unit %d to %d: must be one", c.From, c.To)
		}
		rows.Start[c.From+1]++
		rows.To, rows.Weight = append(rows.To, int32(c.To)), append(rows.Weight, c.Weight)
	}
	for _, rows := range []*engine.Sparse{plain, other} {
		for i := range n {
			rows.Start[i+1] += rows.Start[i]
		}
	}
	return plain, statics, nil
}

// SetRest gives the neurons other resting potentials [mV] from now on, those of one replica
// to all.
func (n *Network) SetRest(rest []float64) error {
	if len(rest) != n.Dim()/n.replicas {
		return fmt.Errorf("lif: %d resting potentials for %d neurons", len(rest), n.Dim()/n.replicas)
	}
	for k, e := range rest {
		if !finite(e) {
			return fmt.Errorf("lif: resting potential of unit %d is %v mV: must be finite", k, e)
		}
	}
	return wrap(n.e.SetRest(rest))
}

// SetWeights gives a network from NewNetwork with weights others from now on. Spikes that
// have not arrived yet bring the new ones.
func (n *Network) SetWeights(weights []float64) error {
	if n.sparse || weights == nil || !n.synapses {
		return fmt.Errorf("lif: SetWeights: is for a network that was built with a matrix of weights, and takes one")
	}
	if err := checkWeights(n.Dim()/n.replicas, weights); err != nil {
		return err
	}
	return wrap(n.e.SetWeights(slices.Clone(weights), nil, nil))
}

// SetConnections gives a network from NewSparseNetwork other connections from now on;
// static ones only if it had some before.
func (n *Network) SetConnections(connections []Connection) error {
	if !n.sparse {
		return fmt.Errorf("lif: SetConnections: is for a network that was built with connections")
	}
	list, statics, err := lists(n.Dim()/n.replicas, connections)
	if err != nil {
		return err
	}
	if statics != nil && !n.statics {
		return fmt.Errorf("lif: SetConnections: static connections in a network that had none")
	}
	if statics == nil && n.statics {
		statics = &engine.Sparse{Start: make([]int, n.Dim()/n.replicas+1)}
	}
	return wrap(n.e.SetWeights(nil, list, statics))
}

// MarshalBinary is the state of the network in motion. A network that was built in the same
// way, and has the same weights and resting potentials now, goes on from it bit for bit.
func (n *Network) MarshalBinary() ([]byte, error) {
	if !n.ready {
		return nil, fmt.Errorf("lif: the network must be Reset before it has a state")
	}
	return n.e.MarshalBinary()
}

// UnmarshalBinary takes up a state; one that does not fit is refused and changes nothing.
func (n *Network) UnmarshalBinary(data []byte) error {
	if err := n.e.UnmarshalBinary(data); err != nil {
		return wrap(err)
	}
	n.ready = true
	return nil
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("lif: %w", err)
	}
	return nil
}

// maxUnits bounds the neurons of all replicas.
const maxUnits = 1 << 24

func newNetwork(s Setup, rest []float64, connect func(*engine.Config), o NetworkOptions) (*Network, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return nil, fmt.Errorf("lif: network of 0 neurons: must have at least 1")
	}
	for k, e := range rest {
		if !finite(e) {
			return nil, fmt.Errorf("lif: resting potential of unit %d is %v mV: must be finite", k, e)
		}
	}
	if o.Replicas < 0 || len(rest) > maxUnits || o.Replicas > maxUnits/len(rest) {
		return nil, fmt.Errorf("lif: Replicas = %d of %d neurons: must be ≥ 0 (0: one) and at most %d neurons in all", o.Replicas, len(rest), maxUnits)
	}
	if o.Precision < Float32 || o.Precision > Fixed16 {
		return nil, fmt.Errorf("lif: Precision = %v: must be Float32, Float64 or Fixed16", o.Precision)
	}
	clock := dynamics.Clock{Dt: s.Dt}
	c := s.config(slices.Clone(rest))
	connect(&c)
	c.NoThreshold, c.Copies, c.Fixed = o.NoThreshold, o.Replicas, o.Precision == Fixed16
	if err := s.own(&c, o); err != nil {
		return nil, err
	}
	if o.Profile != nil {
		p, err := s.profile(o.Profile, o.ProfileStep)
		if err != nil {
			return nil, err
		}
		c.Profile = p
	}
	replicas := max(1, o.Replicas)
	if len(o.Trace) > 0 {
		for _, k := range o.Trace {
			if k < 0 || k >= len(rest)*replicas {
				return nil, fmt.Errorf("lif: traced unit %d: must be in 0..%d", k, len(rest)*replicas-1)
			}
		}
		if !(o.TraceDuration > 0) || o.TraceDuration/s.Dt*float64(len(o.Trace)) > 1e8 {
			return nil, fmt.Errorf("lif: TraceDuration = %v ms of %d units: must be > 0 and at most 1e8 values", o.TraceDuration, len(o.Trace))
		}
		c.TraceUnits, c.TraceCapacity = slices.Clone(o.Trace), int(clock.Ceil(o.TraceDuration))
	}
	e, err := newStepper(c, o.Precision == Float64)
	if err != nil {
		return nil, fmt.Errorf("lif: %w", err)
	}
	return &Network{e: e, clock: clock, replicas: replicas, synapses: c.Weights != nil}, nil
}

// own gives the neurons constants of their own, if they have some.
func (s Setup) own(c *engine.Config, o NetworkOptions) error {
	if o.Neurons == nil && o.Gains == nil {
		return nil
	}
	if o.Neurons != nil && len(o.Neurons) != c.N || o.Gains != nil && len(o.Gains) != c.N {
		return fmt.Errorf("lif: Neurons for %d and Gains for %d neurons: must be none or %d", len(o.Neurons), len(o.Gains), c.N)
	}
	var errs []error
	for k := range c.N {
		q, gain := s, 1.0
		if o.Neurons != nil {
			q.Neuron = o.Neurons[k]
		}
		if o.Gains != nil {
			gain = o.Gains[k]
		}
		if !(gain >= 0) || math.IsInf(gain, 0) {
			errs = append(errs, fmt.Errorf("lif: Gains[%d] = %v: must be finite and ≥ 0", k, gain))
		}
		if q.Neuron.Kind != s.Neuron.Kind {
			errs = append(errs, fmt.Errorf("lif: Neurons[%d].Kind = %v: must be %v as in the setup", k, q.Neuron.Kind, s.Neuron.Kind))
		} else if err := q.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("lif: Neurons[%d]: %w", k, err))
		} else {
			c.Neurons = append(c.Neurons, q.neuron(gain))
		}
	}
	return errors.Join(errs...)
}

// neuron is the neuron in the engine's form.
func (s Setup) neuron(gain float64) engine.Neuron {
	p := s.Neuron
	ref, _ := dynamics.Clock{Dt: s.Dt}.Steps(p.TauRef) // s is valid
	return engine.Neuron{C: p.C, GLeak: p.GLeak(), TauE: p.TauSynE, TauI: p.TauSynI,
		Theta: p.Theta, Reset: p.Reset, RevE: p.EExc, RevI: p.EInh, Refractory: int(ref), Gain: gain}
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

// config is the engine's configuration for unconnected neurons at the resting potentials
// rest.
func (s Setup) config(rest []float64) engine.Config {
	q := s.neuron(1)
	delay, _ := dynamics.Clock{Dt: s.Dt}.Steps(s.Delay) // s is valid
	var plasticity *stp.Params
	if s.Synapse == Plastic {
		plasticity = &s.STP
	}
	return engine.Config{
		N: len(rest), Conductance: s.Neuron.Kind == COBA, Dt: s.Dt, Refractory: q.Refractory, Delay: int(delay),
		Precise: s.Precise, C: q.C, GLeak: q.GLeak, TauE: q.TauE, TauI: q.TauI,
		Theta: q.Theta, Reset: q.Reset, RevE: q.RevE, RevI: q.RevI,
		Rest: rest, NoiseE: slices.Clone(s.Noise.Exc), NoiseI: slices.Clone(s.Noise.Inh),
		Static: s.Synapse == Static, Plasticity: plasticity, Rectangular: s.PSP == Rect, Exact: s.Refractory == Immediate,
	}
}

// Dim is the number of neurons, of all replicas.
func (n *Network) Dim() int { return len(n.e.State()) }

// Reset starts at time 0. Every neuron, or in single precision every pair of neurons, takes
// its own random stream from src, in order. A nil start lets each neuron of a noisy network
// begin refractory with probability ½; without noise all begin silent and src, never used,
// may be nil.
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

// Chains is the number of replicas.
func (n *Network) Chains() int { return n.replicas }

// ResetChains is Reset with a source for every replica, which then does what a network of
// one would do with it.
func (n *Network) ResetChains(start []uint8, src []rand.Source) error {
	if start != nil {
		if err := sampling.CheckState(start, n.Dim()); err != nil {
			return err
		}
	}
	if len(src) != n.replicas {
		return fmt.Errorf("lif: %d random sources for %d replicas", len(src), n.replicas)
	}
	if slices.Contains(src, nil) && n.e.Noisy() {
		return fmt.Errorf("lif: random source is nil: a network with background noise needs one")
	}
	n.e.ResetCopies(start, src)
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
// [µS], all ≥ 0, without rectangular input; valid until the next Advance. Of currents the
// single precision engine knows only the difference, and returns its positive and negative
// part.
func (n *Network) Synapses() (exc, inh []float64) { return n.e.Synapses() }

// Trace is the membrane potential [mV] of the traced units: Trace()[i*m+j] is that of
// the j-th of m traced units at time (i+1)·Dt.
func (n *Network) Trace() []float64 { return n.e.Trace() }

// Dt is the time step [ms].
func (n *Network) Dt() float64 { return n.clock.Dt }

var _ sampling.Ensemble = (*Network)(nil)

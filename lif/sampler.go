package lif

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// ClampMode says how evidence is held.
type ClampMode int

const (
	// ClampBias takes the unit out of the network and adds its coupling to the biases
	// of the others: exact conditioning.
	ClampBias ClampMode = iota
	// ClampDrive drives the unit so hard that it bursts or stays silent, as on
	// hardware. Its synapses then deliver a sawtooth, or with rectangular PSPs a
	// current with a gap of one step per refractory time.
	ClampDrive
)

// driveWidth is how far beyond half activation a driven unit is put [α].
const driveWidth = 20

// Options say how a Sampler is built. The zero value is the documented default.
type Options struct {
	// Calibration of the setup; default: the stored one, which exists for the named
	// parameter sets with exponential and rectangular PSPs. Other setups need one from
	// Calibrate.
	Calibration *Calibration
	Translation Translation // default PairCalibrated
	// Rates are the units' marginals, if you know them and nothing else. Default: the
	// translation is tuned by means over the law of the machine itself, enumerated for up
	// to 16 units, from a short Gibbs run above.
	Rates []float64
	// Extrapolate lets couplings outside the pair table take the correction at its edge
	// instead of being refused. They saturate: the network will not quite follow them.
	Extrapolate bool
	Clamp       map[int]uint8 // evidence: unit → 0 or 1
	ClampMode   ClampMode     // default ClampBias
	// Network has options of the network. Its Neurons and Gains are those of the machine's
	// units; the translation is that for neurons of the setup, so that their mismatch
	// distorts what is sampled.
	Network NetworkOptions
}

// Sampler is a network of LIF neurons whose refractory states z(t) sample a Boltzmann
// machine, z_k(t) = 1 iff neuron k spiked in (t − τ_ref, t]. It is approximate: how
// faithful it is depends on setup and translation (see the README's table).
type Sampler struct {
	net   *Network
	units []int // network unit of a replica → machine unit
	dim   int   // of the machine
	z     []uint8
	clamp map[int]uint8 // units that are not in the network

	setup Setup
	opt   Options
	cal   *Calibration
	bio   *Biological
}

// NewSampler translates the machine into a network of neurons of setup s.
func NewSampler(m *boltzmann.Machine, s Setup, o Options) (*Sampler, error) {
	if m == nil {
		return nil, fmt.Errorf("lif: no machine")
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cal := o.Calibration
	if cal == nil {
		var err error
		if cal, err = StoredCalibration(s.translated()); err != nil {
			return nil, err
		}
	}
	if o.ClampMode != ClampBias && o.ClampMode != ClampDrive {
		return nil, fmt.Errorf("lif: ClampMode = %d: must be ClampBias or ClampDrive", o.ClampMode)
	}
	smp := &Sampler{setup: s, opt: o, dim: m.Dim(), cal: cal, units: identity(m.Dim())}
	smp.opt.Clamp, smp.opt.Rates = maps.Clone(o.Clamp), slices.Clone(o.Rates)
	if o.ClampMode == ClampBias {
		smp.clamp = smp.opt.Clamp
		smp.units = slices.DeleteFunc(smp.units, func(k int) bool { _, held := o.Clamp[k]; return held })
	}
	bio, err := smp.translate(m)
	if err != nil {
		return nil, err
	}
	net := o.Network
	net.Trace = nil
	for _, k := range o.Network.Trace {
		i := slices.Index(smp.units, k%smp.dim)
		if k < 0 || k >= smp.dim*max(1, o.Network.Replicas) || i < 0 {
			return nil, fmt.Errorf("lif: traced unit %d: must be a unit of the network that is not clamped", k)
		}
		net.Trace = append(net.Trace, k/smp.dim*len(smp.units)+i)
	}
	if net.Neurons != nil && len(net.Neurons) != smp.dim || net.Gains != nil && len(net.Gains) != smp.dim {
		return nil, fmt.Errorf("lif: Neurons for %d and Gains for %d units: must be none or %d", len(net.Neurons), len(net.Gains), smp.dim)
	}
	net.Neurons, net.Gains = pick(net.Neurons, smp.units), pick(net.Gains, smp.units)
	smp.bio = bio
	if smp.net, err = NewNetwork(s, bio.Rest, bio.Weights, net); err != nil {
		return nil, err
	}
	smp.z = make([]uint8, smp.dim*smp.net.Chains())
	return smp, nil
}

// translate is the machine as a network.
func (s *Sampler) translate(m *boltzmann.Machine) (*Biological, error) {
	o := &s.opt
	if o.Rates != nil && len(o.Rates) != m.Dim() {
		return nil, fmt.Errorf("lif: %d rates for %d units", len(o.Rates), m.Dim())
	}
	// The conditioned machine: what is sampled, and the source of rates in both modes.
	free, units := m, identity(m.Dim())
	if len(o.Clamp) > 0 {
		var err error
		if free, units, err = m.Clamp(o.Clamp); err != nil {
			return nil, err
		}
	}
	tr, err := s.setup.translated().translator(s.cal, o.Translation)
	if err != nil {
		return nil, err
	}
	if tr.pair != nil {
		tr.pair.extrapolate = o.Extrapolate
	}
	var ref *reference
	switch {
	case o.Rates != nil:
		sub := make([]float64, len(units))
		for i, k := range units {
			if sub[i] = o.Rates[k]; !(sub[i] >= 0 && sub[i] <= 1) {
				return nil, fmt.Errorf("lif: rate of unit %d is %v: must be in [0, 1]", k, sub[i])
			}
		}
		ref = ratesReference(free, sub, tr.resp)
	case o.Translation == Published:
		ref = ratesReference(free, nil, nil)
	default:
		if ref, err = newReference(free, tr.resp); err != nil {
			return nil, err
		}
	}

	target := free
	if o.ClampMode == ClampDrive {
		ref = ref.embed(m.Dim(), units, o.Clamp)
		target = m
	}
	bio, err := tr.translate(target, ref)
	if err != nil {
		return nil, err
	}
	if o.ClampMode == ClampDrive {
		for k, v := range o.Clamp {
			bio.Rest[k] = s.cal.VHalf + driveWidth*s.cal.Alpha*(2*float64(v)-1)
		}
	}
	return bio, nil
}

// SetMachine makes the network sample another machine of the same size from now on, with
// the same options: weights and resting potentials change, the state goes on.
func (s *Sampler) SetMachine(m *boltzmann.Machine) error {
	if m == nil || m.Dim() != s.dim {
		return fmt.Errorf("lif: SetMachine: must be a machine of %d units", s.dim)
	}
	bio, err := s.translate(m)
	if err != nil {
		return err
	}
	if !slices.Equal(bio.Weights, s.bio.Weights) {
		if err := s.net.SetWeights(bio.Weights); err != nil {
			return err
		}
	}
	if err := s.net.SetRest(bio.Rest); err != nil {
		return errors.Join(err, s.net.SetWeights(s.bio.Weights))
	}
	s.bio = bio
	return nil
}

// MarshalBinary is the state of the network in motion. A sampler that was built in the same
// way and for the same machine goes on from it bit for bit.
func (s *Sampler) MarshalBinary() ([]byte, error) { return s.net.MarshalBinary() }

// UnmarshalBinary takes up a state.
func (s *Sampler) UnmarshalBinary(data []byte) error {
	if err := s.net.UnmarshalBinary(data); err != nil {
		return err
	}
	s.readState()
	return nil
}

// pick is what belongs to some units; nil if there is nothing.
func pick[T any](all []T, units []int) (some []T) {
	if all == nil {
		return nil
	}
	for _, k := range units {
		some = append(some, all[k])
	}
	return some
}

func identity(n int) []int {
	u := make([]int, n)
	for k := range u {
		u[k] = k
	}
	return u
}

// Dim is the number of units of the machine, clamped ones included, times the replicas.
func (s *Sampler) Dim() int { return len(s.z) }

// Chains is the number of replicas (NetworkOptions.Replicas).
func (s *Sampler) Chains() int { return s.net.Chains() }

// Reset starts the chain at time 0. start, if given, has a value for every unit; those of
// units clamped by ClampBias are replaced by the evidence, those clamped by ClampDrive
// take a moment to get there.
func (s *Sampler) Reset(start []uint8, src rand.Source) error {
	return s.reset(start, func(start []uint8) error { return s.net.Reset(start, src) })
}

// ResetChains is Reset with a source for every replica, which then does what a sampler of
// one would do with it.
func (s *Sampler) ResetChains(start []uint8, src []rand.Source) error {
	return s.reset(start, func(start []uint8) error { return s.net.ResetChains(start, src) })
}

func (s *Sampler) reset(start []uint8, reset func(start []uint8) error) error {
	var sub []uint8
	if start != nil {
		if err := sampling.CheckState(start, len(s.z)); err != nil {
			return err
		}
		sub = make([]uint8, s.net.Dim())
		for i := range sub {
			sub[i] = start[s.machineUnit(i)]
		}
	}
	if err := reset(sub); err != nil {
		return err
	}
	s.readState()
	return nil
}

// readState takes over the state of the network.
func (s *Sampler) readState() {
	for k, v := range s.clamp {
		for ; k < len(s.z); k += s.dim {
			s.z[k] = v
		}
	}
	for i, v := range s.net.State() {
		s.z[s.machineUnit(i)] = v
	}
}

// machineUnit is the unit that a unit of the network is, counted over all replicas.
func (s *Sampler) machineUnit(i int) int {
	n := len(s.units)
	return i/n*s.dim + s.units[i%n]
}

// State is the refractory state of every unit, and the evidence of clamped ones.
func (s *Sampler) State() []uint8 { return s.z }

// Time is the biological time since Reset [ms].
func (s *Sampler) Time() float64 { return s.net.Time() }

// Advance runs the network until time t [ms].
func (s *Sampler) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	flips, err := s.net.Advance(t, buf)
	for i := range flips {
		f := &flips[i]
		f.Unit = int32(s.machineUnit(int(f.Unit)))
		s.z[f.Unit] = f.On
	}
	return flips, err
}

// Trace is the membrane potential [mV] of the traced units, step by step (see
// [Network.Trace]).
func (s *Sampler) Trace() []float64 { return s.net.Trace() }

// Calibration is the calibration the network was translated with.
func (s *Sampler) Calibration() *Calibration { return s.cal }

// Biological is a copy of the network's resting potentials and weights, and for every
// neuron the unit of the machine that it is.
func (s *Sampler) Biological() (b Biological, units []int) {
	return Biological{Rest: slices.Clone(s.bio.Rest), Weights: slices.Clone(s.bio.Weights)}, slices.Clone(s.units)
}

// Clamped is a copy of the evidence held by ClampBias.
func (s *Sampler) Clamped() map[int]uint8 { return maps.Clone(s.clamp) }

var _ sampling.Ensemble = (*Sampler)(nil)

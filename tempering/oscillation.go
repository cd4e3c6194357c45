package tempering

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Compensation says what is done about δ, the bias that comes with heating (see [Map]).
type Compensation int

const (
	None       Compensation = iota // nothing: hot phases are more active, the physical default
	Calibrated                     // resting potentials follow the measured v_½(m)
)

// String is the name of the compensation.
func (c Compensation) String() string {
	switch c {
	case None:
		return "none"
	case Calibrated:
		return "calibrated"
	}
	return fmt.Sprintf("Compensation(%d)", int(c))
}

// Oscillation is a background rhythm that tempers a network of LIF neurons
// (Korcsak-Gorzo et al. 2022). The zero value is the default.
type Oscillation struct {
	Profile      lif.Profile  // default RaisedCosine{}: T from 1 to 2 at 2 Hz
	Step         float64      // time for which the rates stay constant [ms]; default 1
	Compensation Compensation // default None; Calibrated is recommended
	Map          *Map         // for Calibrated; default StoredMap of the setup
}

func (o Oscillation) filled() Oscillation {
	if o.Profile == nil {
		o.Profile = RaisedCosine{}
	}
	if o.Step == 0 {
		o.Step = 1
	}
	return o
}

// prepare fills in the defaults, reports what is wrong with the oscillation for neurons of
// s, and returns the least and the largest factor too.
func (o Oscillation) prepare(s lif.Setup) (_ Oscillation, lo, hi float64, err error) {
	o = o.filled()
	fail := func(err error) (Oscillation, float64, float64, error) { return o, 0, 0, err }
	if err := s.Validate(); err != nil {
		return fail(err)
	}
	if _, err := (dynamics.Clock{Dt: s.Dt}).Steps(o.Step); err != nil || !(o.Step >= s.Dt) {
		return fail(fmt.Errorf("tempering: Step = %v ms: must be a multiple of Dt = %v ms", o.Step, s.Dt))
	}
	m, err := cycle(o.Profile)
	if err != nil {
		return fail(err)
	}
	lo, hi = slices.Min(m), slices.Max(m)
	if err := checkSteps(m, o.Profile.Period(), o.Step); err != nil {
		return fail(err)
	}
	if err := checkEvents(s, hi, "the largest factor"); err != nil {
		return fail(err)
	}
	switch o.Compensation {
	case None:
	case Calibrated:
		if o.Map == nil {
			if o.Map, err = StoredMap(s); err != nil {
				return fail(err)
			}
		}
		if err := o.Map.check(s); err != nil {
			return fail(err)
		}
		if o.Profile, err = Compensate(o.Profile, o.Map); err != nil {
			return fail(err)
		}
	default:
		return fail(fmt.Errorf("tempering: Compensation = %v: must be None or Calibrated", o.Compensation))
	}
	return o, lo, hi, nil
}

// Network returns options n, which may not have a profile yet, with the oscillation of
// neurons of s.
func (o Oscillation) Network(s lif.Setup, n lif.NetworkOptions) (lif.NetworkOptions, error) {
	if n.Profile != nil || n.ProfileStep != 0 {
		return n, errors.New("tempering: options of the network have a Profile or ProfileStep beside that of the oscillation: must have none")
	}
	o, _, _, err := o.prepare(s)
	if err != nil {
		return n, err
	}
	n.Profile, n.ProfileStep = o.Profile, o.Step
	return n, nil
}

// Check warns of what makes the oscillation of neurons of s more than one of temperature:
// a background of one sign, or a mean membrane potential that moves by more than 0.25 α
// over the cycle. Calibrated compensation keeps the half-activation point where it is,
// and then only the first is said.
func (o Oscillation) Check(s lif.Setup) (warn []string, err error) {
	o, lo, hi, err := o.prepare(s)
	if err != nil {
		return nil, err
	}
	return warnings(s, lo, hi, o.Compensation == Calibrated)
}

// NewLIF returns a sampler of m by neurons of s under the oscillation. Its time 0 is that
// of the profile.
//
// It samples close to m at T = 1 only in cold phases, and even there not exactly: cooling
// freezes the odds between modes at some T_f between 1 and the highest ([FreezeOut]),
// while within modes T = 1. One cycle brings about one independent sample at most.
func NewLIF(m *boltzmann.Machine, s lif.Setup, o Oscillation, lo lif.Options) (*lif.Sampler, error) {
	n, err := o.Network(s, lo.Network)
	if err != nil {
		return nil, err
	}
	lo.Network = n
	return lif.NewSampler(m, s, lo)
}

// compensated is a profile with its shift.
type compensated struct {
	lif.Profile
	m *Map
}

// Compensate adds to a profile the shift of all resting potentials that keeps the
// half-activation point of the neurons in place, v_½(m(t)) − v_½(1). A profile that
// leaves the range of the map is refused.
func Compensate(p lif.Profile, m *Map) (lif.Shifter, error) {
	if m == nil {
		return nil, errors.New("tempering: compensation without a map")
	}
	c, err := cycle(p)
	if err != nil {
		return nil, err
	}
	lo, hi := m.Range()
	if a, b := slices.Min(c), slices.Max(c); a < lo || b > hi {
		return nil, fmt.Errorf("tempering: the profile runs from factor %v to %v: the map allows %v to %v", a, b, lo, hi)
	}
	return compensated{p, m}, nil
}

// Shift is the shift at time t [mV]; NaN, which a network refuses, outside the map.
func (c compensated) Shift(t float64) float64 { return c.m.Shift(c.RateFactor(t)) }

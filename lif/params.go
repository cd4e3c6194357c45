package lif

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/stp"
)

// Kind says how a synapse acts on the membrane.
type Kind int

const (
	CUBA Kind = iota // current-based
	COBA             // conductance-based
)

func (k Kind) String() string {
	switch k {
	case CUBA:
		return "CUBA"
	case COBA:
		return "COBA"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Params are the constants of a neuron and its synapses. There are no defaults; take a
// named set such as [TutorialCUBA].
type Params struct {
	Kind    Kind
	C       float64 // membrane capacitance [nF]
	TauM    float64 // membrane time constant C/g_l [ms]
	TauSynE float64 // excitatory synaptic time constant [ms]
	TauSynI float64 // inhibitory synaptic time constant [ms]
	TauRef  float64 // refractory time [ms], a multiple of the time step
	Theta   float64 // threshold [mV]
	Reset   float64 // reset potential [mV], below Theta
	EExc    float64 // excitatory reversal potential [mV], COBA only, above Theta
	EInh    float64 // inhibitory reversal potential [mV], COBA only, below Theta
}

// GLeak is the leak conductance C/TauM [µS].
func (p Params) GLeak() float64 { return p.C / p.TauM }

// Poisson is one background source: Rate [Hz] and Weight, a magnitude ([nA] for CUBA,
// [µS] for COBA).
type Poisson = dynamics.Poisson

// Background is the noise of every neuron; each neuron has its own independent trains.
type Background struct {
	Exc, Inh []Poisson
}

// Synapse says how the spikes of one sender add up.
type Synapse int

const (
	// Renewing synapses are saturated by a single spike: the current or conductance
	// right after every spike is the weight, whatever came before. It is the
	// Tsodyks-Markram synapse with U = 1, τ_rec = τ_syn and no facilitation, and what
	// Boltzmann semantics ask for: a sender that bursts is simply on.
	Renewing Synapse = iota
	// Static synapses add every spike in full; bursts add up, and with the published
	// translation the sampled distribution suffers.
	Static
	// Plastic synapses have the short-term plasticity Setup.STP. A network for a machine is
	// translated as if they were renewing, which they are with stp.Renewing(τ_syn).
	Plastic
)

func (s Synapse) String() string {
	switch s {
	case Renewing:
		return "renewing"
	case Static:
		return "static"
	case Plastic:
		return "plastic"
	}
	return fmt.Sprintf("Synapse(%d)", int(s))
}

// PSP is the shape of the synaptic input that one spike brings.
type PSP int

const (
	Exponential PSP = iota // jump and exponential decay with the synaptic time constant
	// Rect is on at full weight while the sender's z = 1 and off otherwise: the ideal
	// limit of the interneuron chains of Probst et al. 2015. It is the interaction of
	// the abstract sampler, and the only one here that carries strong couplings.
	Rect
)

func (p PSP) String() string {
	switch p {
	case Exponential:
		return "exponential"
	case Rect:
		return "rectangular"
	}
	return fmt.Sprintf("PSP(%d)", int(p))
}

// RefractoryRule says when a neuron may spike again.
type RefractoryRule int

const (
	// NextStep: in the step after the refractory time, so that the shortest interspike
	// interval is τ_ref + Dt and z is 0 for at least one step, as in NEST.
	NextStep RefractoryRule = iota
	// Immediate: at the end of the refractory time, so that the shortest interval is τ_ref.
	// τ_ref must be at least two steps. Rates near saturation are higher by Dt/τ_ref.
	Immediate
)

func (r RefractoryRule) String() string {
	switch r {
	case NextStep:
		return "next step"
	case Immediate:
		return "immediate"
	}
	return fmt.Sprintf("RefractoryRule(%d)", int(r))
}

// Setup is everything that the activation function and the effect of a synapse depend
// on: neuron, noise and numerics.
type Setup struct {
	Neuron  Params
	Noise   Background
	Dt      float64 // time step [ms]
	Delay   float64 // synaptic delay [ms], a multiple of Dt, at least Dt
	Precise bool    // spike times inside the step instead of on the grid
	Synapse Synapse // default Renewing
	PSP     PSP     // default Exponential
	// Refractory is the rule on the grid; with Precise spikes are at their time anyway.
	// Default NextStep.
	Refractory RefractoryRule `json:",omitzero"`
	STP        stp.Params     `json:",omitzero"` // of Plastic synapses only
}

func sym(rate, we, wi float64) Background {
	return Background{Exc: []Poisson{{Rate: rate, Weight: we}}, Inh: []Poisson{{Rate: rate, Weight: wi}}}
}

// TutorialCOBA is the conductance-based set of the tutorial of spike-based-sampling
// (electronicvisions/spike-based-sampling, example/tutorial.py): the field's default.
func TutorialCOBA() Setup {
	return Setup{
		Neuron: Params{Kind: COBA, C: 0.2, TauM: 1, TauSynE: 10, TauSynI: 10, TauRef: 10,
			Theta: -50, Reset: -50.001, EExc: 0, EInh: -100},
		Noise: sym(3000, 0.001, 0.001), Dt: 0.1, Delay: 0.1,
	}
}

// TutorialCUBA is the current-based set of the same tutorial, the library's default.
func TutorialCUBA() Setup {
	return Setup{
		Neuron: Params{Kind: CUBA, C: 0.2, TauM: 1, TauSynE: 10, TauSynI: 10, TauRef: 10,
			Theta: -50, Reset: -50.001},
		Noise: sym(1000, 0.001, 0.001), Dt: 0.1, Delay: 0.1,
	}
}

// Petrovici2016 is a neuron in the true high-conductance state: the membrane time
// constant of 20 ms shrinks to 0.22 ms (Petrovici et al. 2016; numbers as in
// mzenk/lif_pong, neuron_parameters.py).
func Petrovici2016() Setup {
	return Setup{
		Neuron: Params{Kind: COBA, C: 0.1, TauM: 20, TauSynE: 10, TauSynI: 10, TauRef: 10,
			Theta: -52, Reset: -53, EExc: 0, EInh: -90},
		Noise: sym(5000, 0.0035, 0.0055), Dt: 0.1, Delay: 0.1,
	}
}

// Dold2019 is the conductance-based set of Dold et al. 2019 (numbers as in the same file).
func Dold2019() Setup {
	return Setup{
		Neuron: Params{Kind: COBA, C: 0.1, TauM: 1, TauSynE: 10, TauSynI: 10, TauRef: 10,
			Theta: -52, Reset: -53, EExc: 0, EInh: -90},
		Noise: sym(2000, 0.001, 0.0035), Dt: 0.1, Delay: 0.1,
	}
}

// Leng2018COBA is the conductance-based set of Leng et al. 2018 (numbers as in the same file).
func Leng2018COBA() Setup {
	return Setup{
		Neuron: Params{Kind: COBA, C: 0.2, TauM: 0.1, TauSynE: 10, TauSynI: 10, TauRef: 10,
			Theta: -50, Reset: -50.01, EExc: 0, EInh: -100},
		Noise: sym(400, 0.001, 0.001), Dt: 0.1, Delay: 0.1,
	}
}

// Leng2018CUBA is the current-based set of Leng et al. 2018.
func Leng2018CUBA() Setup {
	s := Leng2018COBA()
	s.Neuron.Kind, s.Neuron.EExc, s.Neuron.EInh = CUBA, 0, 0
	return s
}

// NamedSetup returns a named set; names lists the allowed names.
func NamedSetup(name string) (Setup, error) {
	for _, s := range namedSetups {
		if s.name == name {
			return s.make(), nil
		}
	}
	return Setup{}, fmt.Errorf("lif: no parameter set %q: must be one of %v", name, SetupNames())
}

var namedSetups = []struct {
	name string
	make func() Setup
}{
	{"tutorial-cuba", TutorialCUBA},
	{"tutorial-coba", TutorialCOBA},
	{"petrovici-coba", Petrovici2016},
	{"dold-coba", Dold2019},
	{"leng-coba", Leng2018COBA},
	{"leng-cuba", Leng2018CUBA},
}

// SetupNames lists the named parameter sets.
func SetupNames() []string {
	names := make([]string, len(namedSetups))
	for i, s := range namedSetups {
		names[i] = s.name
	}
	return names
}

// Validate reports everything that is wrong with the setup.
func (s Setup) Validate() error {
	var errs []error
	fail := func(format string, a ...any) { errs = append(errs, fmt.Errorf("lif: "+format, a...)) }
	p := s.Neuron
	if p.Kind != CUBA && p.Kind != COBA {
		fail("Kind = %v: must be CUBA or COBA", p.Kind)
	}
	switch s.Synapse {
	case Renewing, Static:
		if s.STP != (stp.Params{}) {
			fail("STP with %v synapses: is for Plastic ones", s.Synapse)
		}
	case Plastic:
		if err := s.STP.Validate(); err != nil {
			fail("STP: %w", err)
		}
		if s.PSP != Exponential {
			fail("STP with %v PSPs: is for exponential ones", s.PSP)
		}
		if fastest := math.Min(p.TauSynE, p.TauSynI); s.Dt > fastest/20 {
			fail("Dt = %v ms: must be at most TauSyn/20 = %v ms with Plastic synapses", s.Dt, fastest/20)
		}
	default:
		fail("Synapse = %v: must be Renewing, Static or Plastic", s.Synapse)
	}
	if s.PSP != Exponential && s.PSP != Rect {
		fail("PSP = %v: must be Exponential or Rect", s.PSP)
	}
	if s.Refractory != NextStep && s.Refractory != Immediate || s.Refractory == Immediate && s.Precise {
		fail("Refractory = %v: must be NextStep or, unless Precise, Immediate", s.Refractory)
	}
	for _, f := range []struct {
		name, unit string
		v          float64
	}{{"C", "nF", p.C}, {"TauM", "ms", p.TauM}, {"TauSynE", "ms", p.TauSynE}, {"TauSynI", "ms", p.TauSynI},
		{"TauRef", "ms", p.TauRef}, {"Dt", "ms", s.Dt}, {"Delay", "ms", s.Delay}} {
		if !(f.v > 0) || math.IsInf(f.v, 0) {
			fail("%s = %v %s: must be finite and > 0", f.name, f.v, f.unit)
		}
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"Theta", p.Theta}, {"Reset", p.Reset}, {"EExc", p.EExc}, {"EInh", p.EInh}} {
		if math.IsNaN(f.v) || math.IsInf(f.v, 0) {
			fail("%s = %v mV: must be finite", f.name, f.v)
		}
	}
	if g := p.GLeak(); p.C > 0 && p.TauM > 0 && (g == 0 || math.IsInf(g, 0)) {
		fail("C = %v nF and TauM = %v ms: C/TauM must be finite and > 0", p.C, p.TauM)
	}
	if p.Reset >= p.Theta {
		fail("Reset = %v mV: must be below Theta = %v mV", p.Reset, p.Theta)
	}
	if p.Kind == COBA && p.EExc <= p.Theta {
		fail("EExc = %v mV: must be above Theta = %v mV", p.EExc, p.Theta)
	}
	if p.Kind == COBA && p.EInh >= p.Theta {
		fail("EInh = %v mV: must be below Theta = %v mV", p.EInh, p.Theta)
	}
	for i, src := range [][]Poisson{s.Noise.Exc, s.Noise.Inh} {
		for k, q := range src {
			where := fmt.Sprintf("%s[%d]", [2]string{"Noise.Exc", "Noise.Inh"}[i], k)
			if err := q.Validate(); err != nil {
				fail("%s: %w", where, err)
			} else if q.Weight < 0 {
				fail("%s.Weight = %v: must be a magnitude ≥ 0", where, q.Weight)
			} else if s.Dt > 0 {
				if _, err := dynamics.NewCountTable(q.Rate, s.Dt); err != nil {
					fail("%s: %w", where, err)
				}
			}
		}
	}
	if len(errs) == 0 {
		clock := dynamics.Clock{Dt: s.Dt}
		if n, err := clock.Steps(p.TauRef); err != nil {
			fail("TauRef: %w", err)
		} else if n > math.MaxInt32 {
			fail("TauRef = %v ms: must be below 2^31 steps", p.TauRef)
		} else if s.Refractory == Immediate && n < 2 {
			fail("TauRef = %v ms: must be at least two steps if Refractory is Immediate", p.TauRef)
		}
		if n, err := clock.Steps(s.Delay); err != nil {
			fail("Delay: %w", err)
		} else if n > 1<<20 {
			fail("Delay = %v ms: must be at most 2^20 steps", s.Delay)
		}
	}
	return errors.Join(errs...)
}

// translated is the setup that a network of this one is translated for.
func (s Setup) translated() Setup {
	if s.Synapse == Plastic {
		s.Synapse, s.STP = Renewing, stp.Params{}
	}
	return s
}

// Hash identifies the setup: two setups have the same hash if and only if every number
// in them is the same. A calibration carries the hash of the setup it was made for.
func (s Setup) Hash() string {
	b, err := json.Marshal(s)
	if err != nil { // NaN or Inf: never valid, never equal to a calibrated setup
		return "invalid"
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

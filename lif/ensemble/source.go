package ensemble

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Source is where the networks' noise comes from: [Mutual], [Pool], [NoiseNetwork] or
// [PoissonPool].
type Source interface {
	// add puts the neurons that make the noise into the plan, and says which of them may
	// be excitatory and inhibitory inputs of the networks.
	add(p *plan) (exc, inh []int, err error)
}

// Mutual: each network's noise is the spikes of the other networks.
type Mutual struct{}

func (Mutual) add(p *plan) (exc, inh []int, err error) {
	if len(p.nets) < 2 && p.opt.Taps == nil {
		return nil, nil, fmt.Errorf("ensemble: %d network: must be at least 2 to be each other's noise, or have another Source", len(p.nets))
	}
	all := span(0, len(p.rest))
	return all, all, nil
}

// Pool is a second ensemble of networks that are each other's noise. The networks proper
// listen to it and it does not listen to them.
type Pool struct {
	Machines   []*boltzmann.Machine // of its networks, at least 2
	KExc, KInh int                  // noise synapses of its units; default (both 0) those of Options
}

func (s Pool) add(p *plan) (exc, inh []int, err error) {
	if len(s.Machines) < 2 {
		return nil, nil, fmt.Errorf("ensemble: Pool of %d networks: must be at least 2", len(s.Machines))
	}
	if s.KExc < 0 || s.KInh < 0 {
		return nil, nil, fmt.Errorf("ensemble: Pool with KExc = %d, KInh = %d: must be ≥ 0", s.KExc, s.KInh)
	}
	if s.KExc == 0 && s.KInh == 0 {
		s.KExc, s.KInh = p.opt.KExc, p.opt.KInh
	}
	first := len(p.nets)
	from := len(p.rest)
	for i, m := range s.Machines {
		if err := p.network(m, nil); err != nil {
			return nil, nil, fmt.Errorf("ensemble: Pool network %d: %w", i, err)
		}
	}
	all := span(from, len(p.rest))
	for i, n := range p.nets[first:] {
		if err := p.wire(n, all, all, s.KExc, s.KInh); err != nil {
			return nil, nil, fmt.Errorf("ensemble: Pool network %d: %w", i, err)
		}
	}
	return all, all, nil
}

// NoiseNetwork is a balanced random network of LIF neurons that are driven above threshold
// and kept irregular by inhibition. Inhibitory feedback makes its trains less correlated
// than their shared input would (Jordan et al. 2019). Zero values are the defaults; they are
// those of spike-based-sampling's test of it.
type NoiseNetwork struct {
	Neurons      int     // default 384
	Connectivity float64 // in-degree over number of possible senders; default 0.1
	Excitatory   float64 // share of excitatory neurons; default 0.8
	Weight       float64 // of excitatory synapses [nA]; default 0.0635, a PSP of 0.2 mV
	G            float64 // inhibitory over excitatory weight; default 10
	// Rate is what the calibration takes its neurons' rate to be [Hz]; default 27.
	Rate float64
	// Params are the neuron's; default CUBA, C 1, TauM 20, TauSyn 5, TauRef one step, Theta
	// −50, Reset −60. It must be CUBA, as must be the setup.
	Params lif.Params
	Rest   float64 // resting potential [mV]; default −40 with the default Params
}

func (s NoiseNetwork) add(p *plan) (exc, inh []int, err error) {
	set := func(x *float64, def float64) {
		if *x == 0 {
			*x = def
		}
	}
	if s.Neurons == 0 {
		s.Neurons = 384
	}
	set(&s.Connectivity, 0.1)
	set(&s.Excitatory, 0.8)
	set(&s.Weight, 0.0635)
	set(&s.G, 10)
	set(&s.Rate, 27)
	if s.Params == (lif.Params{}) {
		s.Params = lif.Params{C: 1, TauM: 20, TauSynE: 5, TauSynI: 5, TauRef: p.shortest(), Theta: -50, Reset: -60}
		set(&s.Rest, -40)
	}
	ne := int(math.Round(s.Excitatory * float64(s.Neurons)))
	ni := s.Neurons - ne
	ke, ki := int(math.Round(s.Connectivity*float64(ne))), int(math.Round(s.Connectivity*float64(ni)))
	switch {
	case p.opt.Setup.Neuron.Kind != lif.CUBA || s.Params.Kind != lif.CUBA:
		return nil, nil, fmt.Errorf("ensemble: NoiseNetwork with %v neurons for %v ones: must be CUBA both", s.Params.Kind, p.opt.Setup.Neuron.Kind)
	case s.Neurons < 10 || s.Neurons > maxUnits:
		return nil, nil, fmt.Errorf("ensemble: NoiseNetwork.Neurons = %d: must be 10 to %d", s.Neurons, maxUnits)
	case !(s.Connectivity > 0 && s.Connectivity < 1) || !(s.Excitatory > 0 && s.Excitatory < 1) || ke < 1 || ki < 1:
		return nil, nil, fmt.Errorf("ensemble: NoiseNetwork with Connectivity %v and Excitatory %v: must be in (0, 1) and give each neuron inputs of both kinds", s.Connectivity, s.Excitatory)
	case !(s.Weight > 0 && s.G > 0 && s.Rate > 0) || math.IsInf(s.Weight*s.G*s.Rate, 0):
		return nil, nil, fmt.Errorf("ensemble: NoiseNetwork with Weight %v, G %v, Rate %v: must be finite and > 0", s.Weight, s.G, s.Rate)
	}
	own := p.opt.Setup
	own.Neuron = s.Params
	if err := own.Validate(); err != nil { // once, not for every neuron
		return nil, nil, fmt.Errorf("ensemble: NoiseNetwork.Params: %w", err)
	}
	first := len(p.rest)
	for range s.Neurons {
		p.neuron(s.Params, s.Rest, poisson(s.Rate/1000), 0)
	}
	exc, inh = span(first, first+ne), span(first+ne, first+s.Neurons)
	for k := first; k < first+s.Neurons; k++ {
		own := func(from int) bool { return from == k }
		a, err := p.draw(exc, own, ke)
		if err != nil {
			return nil, nil, fmt.Errorf("ensemble: NoiseNetwork: %w", err)
		}
		b, err := p.draw(inh, own, ki)
		if err != nil {
			return nil, nil, fmt.Errorf("ensemble: NoiseNetwork: %w", err)
		}
		for _, from := range a {
			p.noise = append(p.noise, lif.Connection{From: from, To: k, Weight: s.Weight, Static: true})
		}
		for _, from := range b {
			p.noise = append(p.noise, lif.Connection{From: from, To: k, Weight: -s.G * s.Weight, Static: true})
		}
	}
	return exc, inh, nil
}

// PoissonPool is a finite pool of independent Poisson trains, made by neurons that repeat
// their background. Units that hear the same trains have correlated noise. The ensemble then
// draws random numbers while it runs: it is a reference, not a deterministic ensemble.
type PoissonPool struct {
	Trains int     // at least 1
	Rate   float64 // of each [Hz]; a train cannot spike in two successive steps, so Rate·Dt must be small
}

func (s PoissonPool) add(p *plan) (exc, inh []int, err error) {
	if s.Trains < 1 || s.Trains > maxUnits {
		return nil, nil, fmt.Errorf("ensemble: PoissonPool.Trains = %d: must be 1 to %d", s.Trains, maxUnits)
	}
	dt := p.opt.Setup.Dt
	x := s.Rate / 1000 * dt // spikes a step
	if !(x > 0 && x <= 0.05) {
		return nil, nil, fmt.Errorf("ensemble: PoissonPool.Rate = %v Hz: must be > 0 and at most one in 20 steps of %v ms", s.Rate, dt)
	}
	// A step with events makes a spike, unless the step before did: x = q/(1+q).
	q := x / (1 - x)
	p.setup.Noise = lif.Background{Exc: []lif.Poisson{{Rate: -math.Log1p(-q) * 1000 / dt, Weight: p.opt.Weight}}}
	repeater, rest := p.repeater()
	first := len(p.rest)
	for range s.Trains {
		p.neuron(repeater, rest, poisson(s.Rate/1000), 1)
	}
	all := span(first, len(p.rest))
	return all, all, nil
}

// repeater is a neuron that fires in the step after a background event and at no other time:
// an event's current is gone after the two steps of its refractory time, and drives it twice
// as far as threshold.
func (p *plan) repeater() (lif.Params, float64) {
	q, dt := p.opt.Setup.Neuron, p.opt.Setup.Dt
	q.TauSynE, q.TauSynI = dt/2, dt/2
	q.TauRef = p.shortest()
	jump := p.opt.Weight / q.C * dynamics.Convolve(dt, q.TauM, q.TauSynE)
	if q.Kind == lif.COBA {
		jump = (q.EExc - q.Theta) * p.opt.Weight * dynamics.Decay(dt/2, q.TauSynE) * dt / q.C
	}
	q.Reset = q.Theta - jump/2
	return q, q.Reset
}

// span is first, ..., end−1.
func span(first, end int) []int {
	s := make([]int, end-first)
	for i := range s {
		s[i] = first + i
	}
	return s
}

package ensemble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// maxUnits bounds the neurons of an ensemble.
const maxUnits = 1 << 20

// plan is an ensemble under construction.
type plan struct {
	opt   Options
	setup lif.Setup // as it runs: without background, or with that of a PoissonPool
	rand  *rand.Rand
	nets  []*network // those proper, then those of a Pool

	// Of every neuron:
	rest    []float64 // [mV]; those of networks come later
	trains  []renewal
	neurons []lif.Params
	gains   []float64
	own     bool // some neuron is not as the setup says

	noise []lif.Connection // static
}

// neuron adds a neuron with the train that it is expected to make.
func (p *plan) neuron(q lif.Params, rest float64, t renewal, gain float64) {
	p.rest, p.trains = append(p.rest, rest), append(p.trains, t)
	p.neurons, p.gains = append(p.neurons, q), append(p.gains, gain)
	p.own = p.own || q != p.opt.Setup.Neuron || gain != 0
}

// shortest is the shortest refractory time that the setup allows [ms].
func (p *plan) shortest() float64 {
	if p.opt.Setup.Refractory == lif.Immediate {
		return 2 * p.opt.Setup.Dt
	}
	return p.opt.Setup.Dt
}

// network adds the units of a network, of activities rates or, if that is nil, the
// marginals of m.
func (p *plan) network(m *boltzmann.Machine, rates []float64) error {
	if m == nil {
		return errors.New("no machine")
	}
	n := m.Dim()
	if len(p.rest)+n > maxUnits {
		return fmt.Errorf("more than %d units", maxUnits)
	}
	if rates == nil {
		var err error
		if rates, err = marginals(m); err != nil {
			return err
		}
	}
	if len(rates) != n {
		return fmt.Errorf("rates of %d units for %d: must be as many", len(rates), n)
	}
	net := newNetwork(m, len(p.rest))
	for k, r := range rates {
		if !(r >= 0 && r <= 1) {
			return fmt.Errorf("rate of unit %d is %v: must be in [0, 1]", k, r)
		}
		p.neuron(p.opt.Setup.Neuron, 0, deadTime(r, p.opt.Setup.Neuron.TauRef), 0)
	}
	p.nets = append(p.nets, net)
	return nil
}

// Above exact units the marginals of a machine come from a Gibbs run of that many sweeps
// with a fixed seed: they only set an operating point.
const (
	exactUnits  = 16
	pilotSweeps = 1000
)

func marginals(m *boltzmann.Machine) ([]float64, error) {
	if m.Dim() <= exactUnits {
		e, err := boltzmann.Enumerate(m)
		if err != nil {
			return nil, err
		}
		return e.Mean, nil
	}
	g, err := boltzmann.NewGibbs(m, boltzmann.GibbsOptions{})
	if err != nil {
		return nil, err
	}
	if err := g.Reset(nil, rng.Stream(0, "pilot")); err != nil {
		return nil, err
	}
	mean := estimate.NewMarginals(m.Dim())
	if err := sampling.Run(background, g, sampling.Schedule{Warmup: pilotSweeps / 10, Duration: pilotSweeps}, mean); err != nil {
		return nil, err
	}
	return mean.Mean(), nil
}

// draw takes k different neurons of the candidates that are not own.
func (p *plan) draw(candidates []int, own func(int) bool, k int) ([]int, error) {
	if p.rand == nil {
		return nil, errors.New("no Wiring: a random source draws the noise synapses of the source")
	}
	left := slices.DeleteFunc(slices.Clone(candidates), own)
	if k > len(left) {
		return nil, fmt.Errorf("%d noise synapses a unit from %d neurons outside its network: fan-in must be at most that", k, len(left))
	}
	for i := range k {
		j := i + p.rand.IntN(len(left)-i)
		left[i], left[j] = left[j], left[i]
	}
	return left[:k], nil
}

// wire draws the noise synapses of a network.
func (p *plan) wire(n *network, exc, inh []int, ke, ki int) error {
	own := func(from int) bool { return from >= n.first && from < n.first+n.n }
	for k := n.first; k < n.first+n.n; k++ {
		var from []int
		var err error
		if len(exc) == len(inh) && len(exc) > 0 && exc[0] == inh[0] { // the same neurons
			from, err = p.draw(exc, own, ke+ki)
		} else if from, err = p.draw(exc, own, ke); err == nil {
			var more []int
			more, err = p.draw(inh, own, ki)
			from = append(slices.Clone(from), more...)
		}
		if err != nil {
			return err
		}
		for i, j := range from {
			w := p.opt.Weight
			if i >= ke {
				w = -p.opt.WeightInh
			}
			p.noise = append(p.noise, lif.Connection{From: j, To: k, Weight: w, Static: true})
		}
	}
	return nil
}

// tap takes the noise synapses of the first n units, those of the networks proper, from the
// options.
func (p *plan) tap(n int) error {
	taps := p.opt.Taps
	if len(taps) != n {
		return fmt.Errorf("ensemble: Taps of %d units for %d: must be as many", len(taps), n)
	}
	var errs []error
	for _, net := range p.nets {
		if net.first >= n {
			break
		}
		for k := net.first; k < net.first+net.n; k++ {
			if len(taps[k]) == 0 {
				errs = append(errs, fmt.Errorf("ensemble: unit %d has no noise synapse: without noise nothing happens in it", k))
			}
			for i, t := range taps[k] {
				switch {
				case t.From < 0 || t.From >= len(p.rest):
					errs = append(errs, fmt.Errorf("ensemble: noise synapse %d of unit %d is from neuron %d: must be 0 to %d", i, k, t.From, len(p.rest)-1))
				case t.From >= net.first && t.From < net.first+net.n:
					errs = append(errs, fmt.Errorf("ensemble: noise synapse %d of unit %d is from unit %d of its own network: must be from another", i, k, t.From))
				case !finite(t.Weight) || t.Weight == 0:
					errs = append(errs, fmt.Errorf("ensemble: noise synapse %d of unit %d has weight %v: must be finite and not 0", i, k, t.Weight))
				}
				p.noise = append(p.noise, lif.Connection{From: t.From, To: k, Weight: t.Weight, Static: true})
			}
		}
	}
	return errors.Join(errs...)
}

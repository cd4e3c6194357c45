package ensemble

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

var background = context.Background()

// Ensemble is several sampling networks in one, with noise from each other or from a
// [Source]. It is a [sampling.Sampler] of the units of all networks, those of network 0
// first; [Ensemble.Split] gives every network a recorder of its own. All networks share one
// clock. It is not safe for concurrent use.
type Ensemble struct {
	opt     Options
	proper  int // networks that are not a Pool's
	dim     int // their units
	nets    []*network
	units   []Unit // of all networks
	trains  []renewal
	nominal *nominal

	noise     []lif.Connection // static, with distortion
	ideal     []lif.Connection // without
	factor    []float64        // distortion of the weights of the networks, in the order of connections
	offset    []float64        // of resting potentials [α]
	perWeight [][2]float64     // coupling of a unit excitatory and inhibitory weight
	interval  float64          // interspike interval of a unit that is held on [ms]

	net    *lif.Network
	rest   []float64
	noisy  bool
	ready  bool // has been Reset
	clock  dynamics.Clock
	buf    []sampling.Flip
	print  uint64 // hash of all spikes
	spikes int64
	watch  watch
}

// New builds an ensemble of networks that start as the given machines, which are also their
// targets. It draws the wiring; after [Ensemble.Reset] no random number is drawn any more,
// unless the source is a PoissonPool.
//
// It is an error if a unit asks for more noise synapses than there are neurons outside its
// network, if it has none, or if one comes from its own network.
func New(machines []*boltzmann.Machine, o Options) (*Ensemble, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(machines) == 0 {
		return nil, errors.New("ensemble: no machines: must be at least 1")
	}
	if o.Rates != nil && len(o.Rates) != len(machines) {
		return nil, fmt.Errorf("ensemble: Rates of %d networks for %d: must be as many", len(o.Rates), len(machines))
	}
	p := &plan{opt: o, setup: o.Setup}
	p.setup.Noise = lif.Background{}
	if o.Wiring != nil {
		p.rand = rand.New(o.Wiring)
	}
	for m, machine := range machines {
		var rates []float64
		if o.Rates != nil {
			rates = o.Rates[m]
		}
		if err := p.network(machine, rates); err != nil {
			return nil, fmt.Errorf("ensemble: network %d: %w", m, err)
		}
	}
	dim := len(p.rest)
	exc, inh, err := o.Source.add(p)
	if err != nil {
		return nil, err
	}
	if o.Taps != nil {
		if err := p.tap(dim); err != nil {
			return nil, err
		}
	} else {
		for m := range machines {
			if err := p.wire(p.nets[m], exc, inh, o.KExc, o.KInh); err != nil {
				return nil, fmt.Errorf("ensemble: network %d: %w", m, err)
			}
		}
	}
	e := &Ensemble{opt: o, proper: len(machines), dim: dim, nets: p.nets, trains: p.trains, ideal: p.noise, rest: p.rest,
		clock: dynamics.Clock{Dt: o.Setup.Dt}}
	e.opt.Wiring, e.opt.Taps, e.opt.Rates = nil, nil, nil
	if err := e.calibrate(); err != nil {
		return nil, err
	}
	e.distort(p.rand)
	for _, n := range e.nets {
		e.translate(n)
		e.rests(n)
	}
	no := lif.NetworkOptions{Precision: o.Precision}
	if p.own {
		no.Neurons, no.Gains = p.neurons, p.gains
	}
	if e.net, err = lif.NewSparseNetwork(p.setup, e.rest, e.connections(true), no); err != nil {
		return nil, err
	}
	e.noisy = len(p.setup.Noise.Exc) > 0
	e.buf = make([]sampling.Flip, 0, max(4096, 4*len(e.rest)))
	e.watch.init(e)
	return e, nil
}

// calibrate scales the calibration to the noise of every unit.
func (e *Ensemble) calibrate() error {
	ref, err := newReference(e.opt.Setup, e.opt.Calibration)
	if err != nil {
		return err
	}
	e.nominal = &nominal{}
	if e.opt.Translation == lif.PairCalibrated {
		if e.nominal, err = newNominal(e.opt.Calibration.Pair); err != nil {
			return err
		}
	}
	inputs := make([][]tapped, len(e.rest))
	for _, c := range e.ideal {
		inputs[c.To] = append(inputs[c.To], tapped{e.trains[c.From], c.Weight})
	}
	q := e.opt.Setup.Neuron
	e.units, e.perWeight = make([]Unit, e.networkUnits()), make([][2]float64, e.networkUnits())
	for k := range e.units {
		u := ref.unit(q, inputs[k])
		if !(u.Alpha > 0) {
			return fmt.Errorf("ensemble: the noise of unit %d has no variance: its sources must be expected to spike, and not always", k)
		}
		e.setUnit(k, u)
	}
	reset := q.TauRef
	if e.opt.Setup.Refractory == lif.NextStep && !e.opt.Setup.Precise {
		reset += e.opt.Setup.Dt
	}
	e.interval = reset
	return nil
}

func (e *Ensemble) setUnit(k int, u Unit) {
	e.units[k] = u
	e.perWeight[k] = [2]float64{e.opt.Setup.Coupling(1, u.Alpha, u.Free), -e.opt.Setup.Coupling(-1, u.Alpha, u.Free)}
}

// networkUnits is the number of units of all networks, a Pool's too.
func (e *Ensemble) networkUnits() int {
	last := e.nets[len(e.nets)-1]
	return last.first + last.n
}

// distort draws the fixed pattern of the hardware.
func (e *Ensemble) distort(r *rand.Rand) {
	d := e.opt.Distortion
	e.offset = make([]float64, len(e.rest))
	e.noise = slices.Clone(e.ideal)
	spread := func() float64 { return math.Max(0, 1+d.Spread*r.NormFloat64()) }
	if d.Offset > 0 {
		for k := range e.networkUnits() {
			e.offset[k] = d.Offset * r.NormFloat64()
		}
	}
	if d.Spread > 0 {
		for i := range e.noise {
			e.noise[i].Weight *= spread()
		}
		for _, n := range e.nets {
			for range n.n * n.n {
				e.factor = append(e.factor, spread())
			}
		}
	}
}

// connections are all synapses as they are now, those inside the networks proper only if
// coupled.
func (e *Ensemble) connections(coupled bool) []lif.Connection {
	list := slices.Clone(e.noise)
	at := 0
	for m, n := range e.nets {
		if m < e.proper && !coupled {
			at += n.n * n.n
			continue
		}
		for j := range n.n {
			for k := range n.n {
				w := n.weights[j*n.n+k]
				if e.factor != nil {
					w *= e.factor[at]
				}
				at++
				if w != 0 {
					list = append(list, lif.Connection{From: n.first + j, To: n.first + k, Weight: w})
				}
			}
		}
	}
	return list
}

// Networks is the number of networks, without those of a Pool.
func (e *Ensemble) Networks() int { return e.proper }

// Span says which units are network m's, m from 0 to Networks−1: first to first+n−1.
func (e *Ensemble) Span(m int) (first, n int) { return e.nets[m].first, e.nets[m].n }

// Dim is the number of units of all networks, without those of the source.
func (e *Ensemble) Dim() int { return e.dim }

// Neurons is the number of all neurons, with those of the source.
func (e *Ensemble) Neurons() int { return len(e.rest) }

// Taps are the noise synapses of every unit, without distortion.
func (e *Ensemble) Taps() [][]Tap {
	taps := make([][]Tap, e.dim)
	for _, c := range e.ideal {
		if c.To < e.dim {
			taps[c.To] = append(taps[c.To], Tap{c.From, c.Weight})
		}
	}
	return taps
}

// Units are the calibrations of all units.
func (e *Ensemble) Units() []Unit { return slices.Clone(e.units[:e.dim]) }

// Target is the machine that network m, from 0 to Networks−1, was built for.
func (e *Ensemble) Target(m int) *boltzmann.Machine { return e.nets[m].target }

// Machine is the machine that network m is set to: its target, until it learns.
func (e *Ensemble) Machine(m int) (*boltzmann.Machine, error) {
	if m < 0 || m >= e.proper {
		return nil, fmt.Errorf("ensemble: network %d: must be 0 to %d", m, e.proper-1)
	}
	return e.nets[m].machine()
}

// SetMachines sets the networks to other machines of the same sizes from now on. The state
// goes on; their targets remain.
func (e *Ensemble) SetMachines(machines []*boltzmann.Machine) error {
	if len(machines) != e.proper {
		return fmt.Errorf("ensemble: SetMachines: %d machines for %d networks: must be as many", len(machines), e.proper)
	}
	for m, machine := range machines {
		if machine == nil || machine.Dim() != e.nets[m].n {
			return fmt.Errorf("ensemble: SetMachines: network %d: must be a machine of %d units", m, e.nets[m].n)
		}
	}
	var w, b [][]float64
	for m, machine := range machines {
		n := e.nets[m]
		w, b = append(w, slices.Clone(n.w)), append(b, n.b)
		n.set(machine)
	}
	err := e.apply()
	if err != nil { // too large for the network
		for m, n := range e.nets[:e.proper] {
			n.w, n.b = w[m], b[m]
		}
		err = errors.Join(err, e.apply())
	}
	return err
}

// apply puts parameters and evidence into the network.
func (e *Ensemble) apply() error {
	for _, n := range e.nets[:e.proper] {
		e.translate(n)
	}
	if err := e.net.SetConnections(e.connections(true)); err != nil {
		return err
	}
	return e.applyRest()
}

func (e *Ensemble) applyRest() error {
	for _, n := range e.nets[:e.proper] {
		e.rests(n)
	}
	return e.net.SetRest(e.rest)
}

// Clamp holds units of network m at 0 or 1 from now on and lets all others of it go. A held
// unit bursts or is silent; the others' resting potentials make up for what its bursts do
// not bring, so that they see its coupling. To other networks it is a source of noise without
// much variance: with many units held, use a Pool.
func (e *Ensemble) Clamp(m int, values map[int]uint8) error {
	if m < 0 || m >= e.proper {
		return fmt.Errorf("ensemble: Clamp: network %d: must be 0 to %d", m, e.proper-1)
	}
	n := e.nets[m]
	for _, k := range slices.Sorted(maps.Keys(values)) {
		v := values[k]
		if k < 0 || k >= n.n || v > 1 {
			return fmt.Errorf("ensemble: Clamp: unit %d to %d: must be a unit 0 to %d, held at 0 or 1", k, v, n.n-1)
		}
	}
	if len(values) == n.n {
		return fmt.Errorf("ensemble: Clamp: all %d units of network %d: at least one must be free", n.n, m)
	}
	for k := range n.clamp {
		n.clamp[k] = -1
		if v, ok := values[k]; ok {
			n.clamp[k] = int8(v)
		}
	}
	n.held = len(values) > 0
	e.watch.begin(e.net.Time())
	return e.applyRest()
}

var _ sampling.Sampler = (*Ensemble)(nil)

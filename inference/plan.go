package inference

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/bayes"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// Names of the samplers.
const (
	LIF    = "lif"    // network of leaky integrate-and-fire neurons: approximate
	Neural = "neural" // abstract neural sampler, continuous time: exact
	Gibbs  = "gibbs"  // sequential Gibbs sampling: exact
)

// Samplers lists the names of all samplers.
func Samplers() []string { return []string{LIF, Neural, Gibbs} }

// Shape chooses the postsynaptic potentials of the LIF network.
type Shape int

const (
	// Auto takes single exponential PSPs where the machine is pairwise and no coupling
	// is stronger than 1, rectangular ones otherwise: a single exponential PSP cannot
	// carry auxiliary units, and with stronger couplings the rectangular ones are far
	// more faithful. Where those saturate sooner in the chosen setup, it takes the shape
	// with fewer couplings beyond its range.
	Auto Shape = iota
	Exponential
	Rect
)

// Options say how a posterior is estimated. Zero values are the documented defaults.
type Options struct {
	Samplers []string // default all
	Query    []string // variables of interest; default all that are not observed
	// Duration is the recorded biological time of each chain [ms]; default 2e5. Gibbs
	// sampling makes one sweep per refractory time.
	Duration float64
	Warmup   float64 // before it [ms]; default 1000
	Chains   int     // default 4
	Seed     uint64
	Parallel int // chains at a time; default GOMAXPROCS; never changes the result

	Setup *lif.Setup // of the LIF neurons; default lif.TutorialCUBA. Its PSP is replaced by Shape.
	Shape Shape
	// Translation of couplings to weights; default pair-calibrated, but published with
	// 2^k auxiliary units, whose couplings are so strong that they need no correction.
	Translation *lif.Translation
	// Calibration of a setup, safe for concurrent use; default lif.StoredCalibration.
	Calibration func(lif.Setup) (*lif.Calibration, error)
	// Encoding of the network in binary units. By default the LIF network gets one
	// auxiliary unit per higher-order term where the couplings that this takes are
	// within the calibrated range, and else 2^k for a factor of k units.
	Encoding bayes.Options

	// OnProgress, if set, is told how far a sampler is, from one goroutine at a time.
	OnProgress func(sampler string, p sampling.Progress)
}

// maxChains bounds the memory that chains take before they run.
const maxChains = 100000

func (o *Options) complete() error {
	if len(o.Samplers) == 0 {
		o.Samplers = Samplers()
	}
	if o.Duration == 0 {
		o.Duration = 2e5
	}
	if o.Warmup == 0 {
		o.Warmup = 1000
	}
	if o.Chains == 0 {
		o.Chains = 4
	}
	if o.Calibration == nil {
		o.Calibration = lif.StoredCalibration
	}
	var errs []error
	for i, s := range o.Samplers {
		if !slices.Contains(Samplers(), s) {
			errs = append(errs, fmt.Errorf("inference: no sampler %q: must be one of %v", s, Samplers()))
		} else if slices.Contains(o.Samplers[:i], s) {
			errs = append(errs, fmt.Errorf("inference: sampler %q is named twice", s))
		}
	}
	setup := o.setup()
	if !(o.Duration >= setup.Neuron.TauRef) || math.IsInf(o.Duration, 0) {
		errs = append(errs, fmt.Errorf("inference: Duration = %v ms: must be finite and at least the refractory time, %v ms", o.Duration, setup.Neuron.TauRef))
	}
	if !(o.Warmup > 0) || math.IsInf(o.Warmup, 0) {
		errs = append(errs, fmt.Errorf("inference: Warmup = %v ms: must be finite and > 0 (0: default 1000)", o.Warmup))
	}
	if o.Chains < 0 || o.Chains > maxChains {
		errs = append(errs, fmt.Errorf("inference: Chains = %d: must be 1 to %d (0: default 4)", o.Chains, maxChains))
	}
	if o.Parallel < 0 {
		errs = append(errs, fmt.Errorf("inference: Parallel = %d: must be ≥ 1 (0: GOMAXPROCS)", o.Parallel))
	}
	if o.Shape < Auto || o.Shape > Rect {
		errs = append(errs, fmt.Errorf("inference: Shape = %d: must be Auto, Exponential or Rect", o.Shape))
	}
	errs = append(errs, setup.Validate())
	return errors.Join(errs...)
}

func (o *Options) setup() lif.Setup {
	if o.Setup != nil {
		return *o.Setup
	}
	return lif.TutorialCUBA()
}

// maxJoint is the number of joint values of the query up to which its joint law is
// recorded.
const maxJoint = 4096

// Plan is a posterior ready to be sampled: the exact answer, the target over binary
// units, and the network that samples it.
type Plan struct {
	Network  *bayes.Network
	Evidence bayes.Evidence
	Query    []string // variables of interest
	Exact    *bayes.Posterior
	// ExactJoint is the exact joint law of the query, the first variable fastest; nil
	// if it has more than 4096 values.
	ExactJoint []float64
	// Target is what the samplers sample; nil if the evidence determines all variables,
	// and no sampler has anything to do.
	Target *bayes.Target
	// Machine is the pairwise machine that the LIF network samples: the units of
	// Target, then Aux auxiliary ones. Kind names its construction.
	Machine     *boltzmann.Machine
	Aux         int
	Kind        string
	Beyond      int       // couplings of Machine beyond the calibrated range: the network saturates there
	Setup       lif.Setup // of the LIF network, with the PSP it uses
	Translation lif.Translation

	opt  Options
	vars []estimate.Variable // of the query
}

// NewPlan conditions the network on the evidence, solves it exactly, and translates it.
func NewPlan(n *bayes.Network, ev bayes.Evidence, o Options) (*Plan, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if n == nil {
		return nil, fmt.Errorf("inference: no network")
	}
	p := &Plan{Network: n, Evidence: ev, Setup: o.setup(), opt: o}
	var err error
	if p.Exact, err = n.Posterior(ev); err != nil {
		return nil, err
	}
	if err := p.query(); err != nil {
		return nil, err
	}
	if p.Target, err = n.Translate(ev, o.Encoding); errors.Is(err, bayes.ErrDetermined) {
		p.opt.Samplers = nil
		return p, nil
	} else if err != nil {
		return nil, err
	}
	if err := p.variables(); err != nil {
		return nil, err
	}
	if !slices.Contains(o.Samplers, LIF) {
		return p, nil
	}
	return p, p.machine()
}

// maxAux is the number of auxiliary units up to which 2^k of them are taken by default.
const maxAux = 512

// weak is the largest coupling for which exponential PSPs are as faithful as rectangular
// ones (random machines of 6 units).
const weak = 1

// machine chooses the pairwise machine, the PSPs and the translation of the LIF network.
func (p *Plan) machine() error {
	var err error
	if p.Machine, p.Aux, p.Kind, err = p.Target.Pairwise(); err != nil {
		return p.noMachine(err)
	}
	switch p.opt.Shape {
	case Exponential:
		p.Setup.PSP = lif.Exponential
	case Rect:
		p.Setup.PSP = lif.Rect
	default:
		if p.Setup.PSP, err = p.shape(); err != nil {
			return err
		}
	}
	if p.Beyond, err = p.beyond(); err != nil {
		return err
	}
	if p.Beyond > 0 && p.Kind == bayes.KindAuxiliary {
		enc := p.opt.Encoding
		enc.Auxiliary = &boltzmann.AuxiliaryOptions{}
		t, err := p.Network.Translate(p.Evidence, enc)
		if err != nil {
			return err
		}
		// Where even that has too many units or too large factors, one unit per term stays.
		if m, aux, kind, err := t.Pairwise(); err == nil && aux <= maxAux {
			p.Machine, p.Aux, p.Kind = m, aux, kind
			if p.Beyond, err = p.beyond(); err != nil {
				return err
			}
		}
	}
	if p.Aux > maxAux {
		return p.noMachine(fmt.Errorf("%d auxiliary units: must be at most %d", p.Aux, maxAux))
	}
	switch {
	case p.opt.Translation != nil:
		p.Translation = *p.opt.Translation
	case p.Kind == bayes.Kind2k:
		p.Translation = lif.Published
	}
	return nil
}

// noMachine says what to do where a posterior is too much for a pairwise network.
func (p *Plan) noMachine(err error) error {
	return fmt.Errorf("inference: the LIF network needs a pairwise machine: %w; the samplers %s and %s do not", err, Neural, Gibbs)
}

// shape chooses the PSPs by the couplings of the machine.
func (p *Plan) shape() (lif.PSP, error) {
	if p.Aux == 0 && p.strongest() <= weak {
		return lif.Exponential, nil
	}
	p.Setup.PSP = lif.Rect
	rect, err := p.beyond()
	if err != nil || rect == 0 || p.Aux > 0 {
		return lif.Rect, err
	}
	p.Setup.PSP = lif.Exponential
	if exp, err := p.beyond(); err != nil || exp <= rect {
		return lif.Exponential, err
	}
	return lif.Rect, nil
}

// strongest is the largest magnitude of a coupling.
func (p *Plan) strongest() float64 {
	w := 0.0
	for i := range p.Machine.Dim() {
		for j := range i {
			w = math.Max(w, math.Abs(p.Machine.Weight(i, j)))
		}
	}
	return w
}

// beyond counts the couplings of the machine outside the calibrated range of the PSPs.
func (p *Plan) beyond() (count int, err error) {
	c, err := p.opt.Calibration(p.Setup)
	if err != nil || c.Pair == nil {
		return 0, err
	}
	lo, hi := c.Pair.Range()
	for i := range p.Machine.Dim() {
		for j := range i {
			if w := p.Machine.Weight(i, j); w < lo || w > hi {
				count++
			}
		}
	}
	return count, nil
}

// query sets the variables of interest and their exact joint law.
func (p *Plan) query() error {
	p.Query = p.opt.Query
	if len(p.Query) == 0 {
		for _, v := range p.Network.Vars {
			if _, seen := p.Evidence[v.Name]; !seen {
				p.Query = append(p.Query, v.Name)
			}
		}
	}
	size := 1
	for i, name := range p.Query {
		k, err := p.Network.Index(name)
		if err != nil {
			return fmt.Errorf("inference: query: %w", err)
		}
		if slices.Contains(p.Query[:i], name) {
			return fmt.Errorf("inference: query names %q twice", name)
		}
		if size <= maxJoint {
			size *= len(p.Network.Vars[k].States)
		}
	}
	if len(p.Query) == 0 || size > maxJoint {
		return nil
	}
	var err error
	p.ExactJoint, err = p.Network.PosteriorJoint(p.Evidence, p.Query)
	return err
}

// variables sets how the query is read out. Estimates are conditional on the units
// encoding possible values: every one-hot variable of the network is defined, and, where
// zero probabilities had to be made small, the joint value of the query has not a
// probability of exactly zero.
func (p *Plan) variables() error {
	var all, hot []int // units of the query, and of one-hot codes
	var read []bayes.Readout
	for _, r := range p.Target.Readouts {
		if len(r.States) > 2 {
			hot = append(hot, r.Units...)
		}
	}
	for _, name := range p.Query {
		k, err := p.Network.Index(name)
		if err != nil {
			return err
		}
		read = append(read, p.Target.Readouts[k])
		all = append(all, p.Target.Readouts[k].Units...)
	}
	zeros := p.Target.RegularisationError > 0 && p.ExactJoint != nil
	for _, r := range read {
		v := estimate.Variable{Name: r.Name, Card: len(r.States), Units: r.Units, Value: r.Value}
		if zeros || len(hot) > 0 {
			v.Units = slices.Concat(r.Units, hot)
			if zeros {
				v.Units = slices.Concat(v.Units, all)
			}
			slices.Sort(v.Units)
			v.Units = slices.Compact(v.Units)
			v.Value = func(z []uint8) int {
				if !p.Target.Defined(z) || zeros && p.impossible(read, z) {
					return -1
				}
				return r.Value(z)
			}
		}
		p.vars = append(p.vars, v)
	}
	return nil
}

// impossible reports whether the joint value of the readouts has probability zero.
func (p *Plan) impossible(read []bayes.Readout, z []uint8) bool {
	i, stride := 0, 1
	for _, r := range read {
		i += stride * r.Value(z)
		stride *= len(r.States)
	}
	return p.ExactJoint[i] == 0
}

// OnProgress sets who is told how far a sampler is.
func (p *Plan) OnProgress(f func(sampler string, pr sampling.Progress)) { p.opt.OnProgress = f }

// Samplers are the names of the samplers that Run runs.
func (p *Plan) Samplers() []string { return slices.Clone(p.opt.Samplers) }

// Sampler returns a new chain of the named sampler.
func (p *Plan) Sampler(name string) (sampling.Sampler, error) {
	if p.Target == nil {
		return nil, fmt.Errorf("inference: %w", bayes.ErrDetermined)
	}
	switch name {
	case LIF:
		return p.LIF(lif.NetworkOptions{})
	case Neural:
		return lif.NewNeural(p.Target.Model, lif.NeuralOptions{TauRef: p.Setup.Neuron.TauRef, Update: lif.Continuous})
	case Gibbs:
		return boltzmann.NewGibbs(p.Target.Model, boltzmann.GibbsOptions{})
	}
	return nil, fmt.Errorf("inference: no sampler %q: must be one of %v", name, Samplers())
}

// LIF returns a new LIF network for the posterior; o may ask for membrane traces.
func (p *Plan) LIF(o lif.NetworkOptions) (*lif.Sampler, error) {
	if p.Machine == nil {
		return nil, fmt.Errorf("inference: the plan was made without the sampler %q", LIF)
	}
	c, err := p.opt.Calibration(p.Setup)
	if err != nil {
		return nil, err
	}
	return lif.NewSampler(p.Machine, p.Setup, lif.Options{
		Calibration: c, Translation: p.Translation, Extrapolate: true, Network: o})
}

// UnitNames names the units of Machine, or of Target without one: "variable=state", and
// "aux 1", "aux 2", ... for auxiliary units.
func (p *Plan) UnitNames() []string {
	if p.Target == nil {
		return nil
	}
	names := slices.Clone(p.Target.Units)
	for i := range p.Aux {
		names = append(names, fmt.Sprintf("aux %d", i+1))
	}
	return names
}

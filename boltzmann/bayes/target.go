package bayes

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// Options configures Translate. Zero fields take their defaults.
type Options struct {
	// MaxError bounds the total variation between the posterior and its form without
	// zero probabilities, in [1e-9, 1); default 1e-3. A smaller error takes larger
	// energies, which mix more slowly.
	MaxError float64
	// NoneOdds is the odds of no unit against one unit on in a one-hot code, > 0; default
	// 0.1. A variable changes its state by way of no unit, so small odds mix slowly and
	// large ones spend time in undefined states.
	NoneOdds float64
	// MaxTerms bounds the number of terms of the machine; default 2^18.
	MaxTerms int
	// Auxiliary, if set, makes Pairwise use the construction with 2^k auxiliary units for
	// a factor of k > 2 units (boltzmann.Auxiliary), approximate, with these options. By
	// default it uses one unit per higher-order term (HigherOrder.Quadratic), exact.
	Auxiliary *boltzmann.AuxiliaryOptions
}

func (o *Options) complete() error {
	if o.MaxError == 0 {
		o.MaxError = 1e-3
	}
	if o.NoneOdds == 0 {
		o.NoneOdds = 0.1
	}
	if o.MaxTerms == 0 {
		o.MaxTerms = 1 << 18
	}
	var errs []error
	if !(o.MaxError >= 1e-9 && o.MaxError < 1) {
		errs = append(errs, fmt.Errorf("bayes: MaxError = %v: must be in [1e-9, 1) (0: default 1e-3)", o.MaxError))
	}
	if !(o.NoneOdds > 0) || math.IsInf(o.NoneOdds, 0) {
		errs = append(errs, fmt.Errorf("bayes: NoneOdds = %v: must be finite and > 0 (0: default 0.1)", o.NoneOdds))
	}
	if o.MaxTerms < 0 {
		errs = append(errs, fmt.Errorf("bayes: MaxTerms = %d: must be ≥ 1 (0: default 2^18)", o.MaxTerms))
	}
	return errors.Join(errs...)
}

// Target is a network as a distribution over binary units, ready to be sampled.
type Target struct {
	// Model is the distribution of the units.
	Model *boltzmann.HigherOrder
	// Units names each unit by what it means to be on, "variable=state".
	Units []string
	// Readouts has one entry per variable of the network, in its order, observed and
	// deterministic ones included.
	Readouts []Readout
	// RegularisationError is the total variation between the posterior of all variables
	// and the law of the readouts given that all are defined. It is exact, and 0 if there
	// were no zeros to replace.
	RegularisationError float64
	// Epsilon is what zeros were replaced by, relative to the largest entry of their
	// factor; 0 if there were none.
	Epsilon float64

	net       *Network
	observed  []int
	functions []*function
	codes     []code
	parts     [][]boltzmann.Term
	auxiliary *boltzmann.AuxiliaryOptions
}

// ErrDetermined is wrapped by the error of Translate where nothing is left to sample.
var ErrDetermined = errors.New("nothing is left to sample: every variable is observed or determined by others")

// Translate writes the posterior given the evidence as a distribution over binary units.
// The package documentation has the steps; in short: factors are conditioned on the
// evidence, deterministic variables replaced by functions of their parents, remaining
// zeros by small numbers, and every variable left is encoded by one unit (two states;
// on means yes, y, true, t, 1, on, present, positive, high, abnormal or active, letter
// case ignored, if exactly one of the states is one of these, else the second state) or
// one unit per state (more states).
//
// Errors: those of Posterior, bad options, more than MaxTerms terms, and ErrDetermined for
// a network of which nothing is left to sample.
func (n *Network) Translate(ev Evidence, o Options) (*Target, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	q, err := n.condition(ev)
	if err != nil {
		return nil, err
	}
	functions, factors := n.eliminateDeterministic(q)
	var vars []int
	for _, v := range q.free {
		if functions[v] == nil {
			vars = append(vars, v)
		}
	}
	factors, eps, tv, err := n.regularise(factors, vars, o.MaxError)
	if errors.Is(err, ErrImpossible) {
		return nil, impossible(ev)
	} else if err != nil {
		return nil, err
	}
	e, terms, err := n.encode(factors, vars, o)
	if err != nil {
		return nil, err
	}
	if len(e.names) == 0 {
		return nil, fmt.Errorf("bayes: %w", ErrDetermined)
	}
	model, err := boltzmann.NewHigherOrder(len(e.names), terms)
	if err != nil {
		return nil, fmt.Errorf("bayes: %w", err)
	}
	return &Target{
		Model:               model,
		Units:               e.names,
		Readouts:            e.readouts(q.value, functions),
		RegularisationError: tv,
		Epsilon:             eps,
		net:                 n,
		observed:            q.value,
		functions:           functions,
		codes:               e.codes,
		parts:               e.parts,
		auxiliary:           o.Auxiliary,
	}, nil
}

// Order is the largest number of units in a term of Model.
func (t *Target) Order() int { return t.Model.Order() }

// Defined reports whether every variable has a state in z. Only such states count: an
// estimate of the posterior conditions on it. It does not allocate.
func (t *Target) Defined(z []uint8) bool {
	for i := range t.Readouts {
		if t.Readouts[i].Value(z) < 0 {
			return false
		}
	}
	return true
}

// Kinds of machine Pairwise returns.
const (
	KindPairwise  = "pairwise"      // the model itself, order ≤ 2
	KindAuxiliary = "auxiliary"     // exact, one auxiliary unit per higher-order term
	Kind2k        = "auxiliary 2^k" // approximate, 2^k auxiliary units per factor
)

// Pairwise returns the target as a Boltzmann machine: Model itself if its order is at
// most 2, otherwise with aux auxiliary units after its own, over which the machine has to
// be marginalised: by HigherOrder.Quadratic, or by boltzmann.Auxiliary if Options said
// so. kind is KindPairwise, KindAuxiliary or Kind2k. Readouts work on the machine's
// states as well.
func (t *Target) Pairwise() (machine *boltzmann.Machine, aux int, kind string, err error) {
	switch {
	case t.Order() <= 2:
		machine, err = t.Model.Machine()
		kind = KindPairwise
	case t.auxiliary == nil:
		machine, err = t.Model.Quadratic()
		kind = KindAuxiliary
	default:
		machine, err = t.machine2k()
		kind = Kind2k
	}
	if err != nil {
		return nil, 0, "", fmt.Errorf("bayes: %w", err)
	}
	return machine, machine.Dim() - t.Model.Dim(), kind, nil
}

// machine2k gives auxiliary units to every factor with a term of order > 2 and adds the
// terms of the other factors to the machine.
func (t *Target) machine2k() (*boltzmann.Machine, error) {
	var factors []boltzmann.Factor
	var low []boltzmann.Term
	for _, part := range t.parts {
		order := 0
		for _, term := range part {
			order = max(order, len(term.Units))
		}
		if order <= 2 {
			low = append(low, part...)
			continue
		}
		f, err := unitFactor(part)
		if err != nil {
			return nil, err
		}
		factors = append(factors, f)
	}
	m, err := boltzmann.Auxiliary(t.Model.Dim(), factors, *t.auxiliary)
	if err != nil {
		return nil, err
	}
	w, b := m.W(), m.B()
	for _, term := range low {
		if u := term.Units; len(u) == 1 {
			b[u[0]] += term.Coef
		} else {
			w.SetSym(u[0], u[1], w.At(u[0], u[1])+term.Coef)
		}
	}
	return boltzmann.New(w, b)
}

// maxFactorUnits is the number of units of a factor that boltzmann.Auxiliary takes.
const maxFactorUnits = 10

// unitFactor is the product exp(Σ terms) as a table over the units of the terms.
func unitFactor(terms []boltzmann.Term) (boltzmann.Factor, error) {
	var f boltzmann.Factor
	for _, t := range terms {
		f.Units = append(f.Units, t.Units...)
	}
	slices.Sort(f.Units)
	f.Units = slices.Compact(f.Units)
	if len(f.Units) > maxFactorUnits {
		return f, fmt.Errorf("a factor has %d units: the form with 2^k auxiliary units takes at most %d (leave Options.Auxiliary nil)", len(f.Units), maxFactorUnits)
	}
	f.Table = make([]float64, 1<<len(f.Units))
	for _, t := range terms {
		mask := 0
		for _, k := range t.Units {
			mask |= 1 << slices.Index(f.Units, k)
		}
		for v := range f.Table {
			if v&mask == mask {
				f.Table[v] += t.Coef
			}
		}
	}
	top := slices.Max(f.Table)
	for v, x := range f.Table {
		f.Table[v] = math.Exp(x - top)
	}
	return f, nil
}

// ClampUnits returns the values of the units that state the evidence, to clamp in a
// machine that was translated without it. With those units clamped, the readouts have the
// posterior but for a total variation of at most RegularisationError / p, where p is the
// probability of the evidence under Model (by the argument of the package documentation,
// as clamping cannot add weight). Translate with the evidence has the smaller error and
// fewer units.
//
// It is an error to give a variable that was eliminated as a function of others, which
// has no unit (pass that evidence to Translate), or a state that a variable cannot have
// because Translate observed another or it is constant.
func (t *Target) ClampUnits(ev Evidence) (map[int]uint8, error) {
	value, err := t.net.observed(ev)
	if err != nil {
		return nil, err
	}
	units := map[int]uint8{}
	var errs []error
	for v, s := range value {
		if s < 0 {
			continue
		}
		va := t.net.Vars[v]
		fixed := t.observed[v] // the only state v has, -1 if there are several
		fn := t.functions[v]
		if fn != nil && len(fn.args) == 0 {
			fixed = fn.state[0]
		}
		switch {
		case fixed >= 0:
			if fixed != s {
				errs = append(errs, fmt.Errorf("bayes: variable %q cannot be clamped to %q: in this target it is always %q",
					va.Name, va.States[s], va.States[fixed]))
			}
		case fn != nil:
			errs = append(errs, fmt.Errorf("bayes: variable %q cannot be clamped: it is a function of (%s) and has no unit; pass the evidence to Translate",
				va.Name, t.net.scopeNames(fn.args)))
		default:
			for state, k := range t.codes[v].unit {
				if k < 0 {
					continue
				}
				units[k] = 0
				if state == s {
					units[k] = 1
				}
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return units, nil
}

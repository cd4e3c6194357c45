package dream

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/stp"
	"github.com/spikesampling/spikesampling/tempering"
)

// Kind is a kind of sampler with the settings to choose from.
type Kind struct {
	Name     string
	Note     string // what there is to know about it
	Settings []func() (Sampler, error)
}

// Plasticity is a setting of short-term plasticity by what it does: the recovery time
// constant [ms] and the gain of a sender that stays on, relative to a renewing synapse. The
// first spike brings the weight.
type Plasticity struct{ TauRec, Sustained float64 }

func (p Plasticity) String() string {
	return fmt.Sprintf("τ_rec %g ms, sustained gain %g", p.TauRec, p.Sustained)
}

// Params are the constants of the synapses of neurons.
func (p Plasticity) Params(n lif.Params) (stp.Params, error) {
	rested := stp.Params{U: 1, Scale: 1}
	g0, _ := rested.Gains(n.TauRef, n.TauSynE)
	return stp.FromGains(p.TauRec, g0, p.Sustained, n.TauRef, n.TauSynE)
}

// Plasticities are the settings that are tried.
var Plasticities = []Plasticity{{300, 0.75}, {300, 0.6}, {300, 0.7}, {300, 0.8}, {300, 0.9}, {300, 0.95}, {100, 0.75}, {1000, 0.75}}

// rhythms are the oscillations that are tried: highest factor of the rates and frequency.
var rhythms = []tempering.RaisedCosine{{Min: 1, Max: 3, FreqHz: 2}, {Min: 1, Max: 4, FreqHz: 1}, {Min: 1, Max: 4, FreqHz: 2}, {Min: 1, Max: 6, FreqHz: 1}}

// Ladder is a number of levels from β = 1 down to the lowest, equally spaced.
type Ladder struct {
	Levels int
	Lowest float64
}

// What is tried for adaptive and parallel tempering and for weak weights.
var (
	adaptiveLadders = []Ladder{{10, 0.5}, {10, 0.7}, {10, 0.3}}
	parallelLadders = []Ladder{{12, 0.5}, {20, 0.3}, {24, 0}}
	weaknesses      = []float64{0.8, 0.9, 0.7}
)

// Names of kinds that others are compared with.
const (
	Plastic  = "lif-stp"
	Renewing = "lif"
)

// Standard are the names of the kinds that are compared if nothing else is said.
func Standard() []string {
	return []string{"gibbs", "ast", "ast-adaptive", "pt", Renewing, "lif-weak", Plastic, "lif-osc"}
}

// Kinds are all kinds of samplers of the subject. plasticity, if given, are the only settings
// of short-term plasticity.
func (s *Subject) Kinds(plasticity ...Plasticity) []Kind {
	if plasticity == nil {
		plasticity = Plasticities
	}
	return []Kind{
		{"gibbs", "", one(s.gibbs(1))},
		{"gibbs-10", "ten sweeps a sample, as many as adaptive tempering makes", one(s.gibbs(10))},
		{"ast", "adaptive simulated tempering with weights that were learned first and then frozen: exact", s.AST(tempering.Frozen, 1, adaptiveLadders...)},
		{"ast-adaptive", "adapts while it samples, as in the literature, which flattens the odds of modes", s.AST(tempering.Adaptive, 1, adaptiveLadders...)},
		{"pt", "parallel tempering, a scan of all replicas a sample", s.Parallel(1, parallelLadders...)},
		{"anneal", "Gibbs sampling at the temperatures of the oscillation, in its cold phase: the schedule without the neurons", s.annealed()},
		{"stp-gibbs", "blocked Gibbs sampling with plastic weights, the approximate surrogate", s.surrogate(plasticity)},
		{Renewing, "renewing synapses", one(func() (Sampler, error) { return s.network(Renewing, "", s.machine, s.Setup) })},
		{"lif-static", "exponential synapses without plasticity, which pile up", one(func() (Sampler, error) {
			n := s.Setup // plastic synapses that do not change, which is translated as the renewing ones
			n.Synapse, n.STP = lif.Plastic, stp.Params{U: 1, Scale: 1}
			return s.network("lif-static", "", s.machine, n)
		})},
		{"lif-weak", "renewing synapses with all weights turned down: the control of plasticity", s.weak()},
		{Plastic, "short-term plasticity", s.plastic(plasticity)},
		{"lif-osc", "under an oscillating background with compensation, in its cold phase", s.oscillating()},
	}
}

// Choose are the kinds of a list of names separated by commas, in its order.
func Choose(kinds []Kind, list string) ([]Kind, error) {
	var out []Kind
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("%q: must be of %s", name, strings.Join(names, ", "))
		}
		if slices.ContainsFunc(out, func(k Kind) bool { return k.Name == name }) {
			return nil, fmt.Errorf("%s twice: must be listed once", name)
		}
		out = append(out, kinds[i])
	}
	return out, nil
}

// Check makes every sampler once: what one refuses is known before the first runs.
func Check(kinds []Kind) error {
	for _, k := range kinds {
		for _, f := range k.Settings {
			if _, err := f(); err != nil {
				return fmt.Errorf("%s: %w", k.Name, err)
			}
		}
	}
	return nil
}

func one(f func() (Sampler, error)) []func() (Sampler, error) { return []func() (Sampler, error){f} }

// settings are functions that make a sampler of each of a list.
func settings[T any](list []T, f func(T) (Sampler, error)) (out []func() (Sampler, error)) {
	for _, x := range list {
		out = append(out, func() (Sampler, error) { return f(x) })
	}
	return out
}

// sampler is one whose chains are made by new, which is tried at once.
func sampler[T sampling.Sampler](name, setting string, new func() (T, error)) (Sampler, error) {
	_, err := new()
	return Sampler{Setting: setting, Candidate: compare.Candidate{Name: name,
		New: func(context.Context, int) (sampling.Sampler, error) { return new() }}}, err
}

func (s *Subject) gibbs(every int) func() (Sampler, error) {
	return func() (Sampler, error) {
		name := "gibbs"
		if every > 1 {
			name += fmt.Sprintf("-%d", every)
		}
		c, err := sampler(name, "", func() (*boltzmann.Fast, error) { return boltzmann.NewFast(s.RBM, boltzmann.FastOptions{}) })
		c.Every = every
		return c, err
	}
}

func (l Ladder) levels() (tempering.Ladder, string, error) {
	levels, err := tempering.Linear(l.Levels, l.Lowest)
	return levels, fmt.Sprintf("%d levels, β 1 to %g", l.Levels, l.Lowest), err
}

// AST are settings of adaptive simulated tempering, a sample every so many sweeps at β = 1.
func (s *Subject) AST(mode tempering.Mode, every int, ladders ...Ladder) []func() (Sampler, error) {
	return settings(ladders, func(l Ladder) (Sampler, error) {
		levels, setting, err := l.levels()
		if err != nil {
			return Sampler{}, err
		}
		name := "ast"
		if mode == tempering.Adaptive {
			name = "ast-adaptive"
		}
		c, err := sampler(name, setting, func() (*tempering.AST, error) {
			return tempering.NewAST(s.RBM, tempering.ASTOptions{Ladder: levels, Mode: mode, Quantised: true})
		})
		c.Every = every
		return c, err
	})
}

// Parallel are settings of parallel tempering, a sample every so many scans.
func (s *Subject) Parallel(every int, ladders ...Ladder) []func() (Sampler, error) {
	return settings(ladders, func(l Ladder) (Sampler, error) {
		levels, setting, err := l.levels()
		if err != nil {
			return Sampler{}, err
		}
		c, err := sampler("pt", setting, func() (*tempering.Parallel, error) {
			return tempering.NewParallel(s.RBM, tempering.ParallelOptions{Ladder: levels, Quantised: true})
		})
		c.Copies, c.Every = l.Levels, every
		return c, err
	})
}

// network is a spiking network for m with neurons and synapses of n, translated as published:
// the pair translation, made for few units, keeps a large machine from its modes.
func (s *Subject) network(name, setting string, m *boltzmann.Machine, n lif.Setup) (Sampler, error) {
	c, err := sampler(name, setting, func() (*lif.Sampler, error) {
		return lif.NewSampler(m, n, lif.Options{Translation: lif.Published})
	})
	c.Spiking = true
	return c, err
}

func (s *Subject) weak() []func() (Sampler, error) {
	return settings(weaknesses, func(factor float64) (Sampler, error) {
		w := s.RBM.W()
		w.Scale(factor, w)
		r, err := boltzmann.NewRBM(w, s.RBM.B(), s.RBM.C())
		if err != nil {
			return Sampler{}, err
		}
		m, err := r.Machine()
		if err != nil {
			return Sampler{}, err
		}
		return s.network("lif-weak", fmt.Sprintf("weights × %g", factor), m, s.Setup)
	})
}

func (s *Subject) plastic(list []Plasticity) []func() (Sampler, error) {
	return settings(list, func(p Plasticity) (Sampler, error) {
		n := s.Setup
		var err error
		if n.STP, err = p.Params(n.Neuron); err != nil {
			return Sampler{}, err
		}
		n.Synapse = lif.Plastic
		return s.network(Plastic, p.String(), s.machine, n)
	})
}

// surrogate counts a renewing synapse as gain 1, so that the rested gain is the static one.
func (s *Subject) surrogate(list []Plasticity) []func() (Sampler, error) {
	return settings(list, func(p Plasticity) (Sampler, error) {
		c, err := p.Params(s.Setup.Neuron)
		if err != nil {
			return Sampler{}, err
		}
		rested, _ := c.Gains(s.Setup.Neuron.TauRef, s.Setup.Neuron.TauSynE)
		return sampler("stp-gibbs", p.String(), func() (*boltzmann.PlasticGibbs, error) {
			return boltzmann.NewPlasticGibbs(s.RBM, boltzmann.PlasticOptions{U: c.U, TauRec: c.TauRec, Rested: rested, Sweep: TauRef})
		})
	})
}

func (s *Subject) oscillating() []func() (Sampler, error) {
	return settings(rhythms, func(r tempering.RaisedCosine) (Sampler, error) {
		o := tempering.Oscillation{Profile: r, Compensation: tempering.Calibrated}
		c, err := sampler("lif-osc", rhythmic(r), func() (*lif.Sampler, error) {
			return tempering.NewLIF(s.machine, s.Setup, o, lif.Options{Translation: lif.Published})
		})
		return cold(c, r), err
	})
}

func (s *Subject) annealed() []func() (Sampler, error) {
	return settings(rhythms, func(r tempering.RaisedCosine) (Sampler, error) {
		heat, err := tempering.StoredMap(s.Setup)
		if err != nil {
			return Sampler{}, err
		}
		c, err := sampler("anneal", rhythmic(r), func() (*tempering.ProfileGibbs, error) {
			return tempering.NewProfileGibbs(s.RBM, tempering.ProfileGibbsOptions{Profile: r, SweepMs: TauRef, Temperature: heat.Temperature})
		})
		return cold(c, r), err
	})
}

func rhythmic(r tempering.RaisedCosine) string {
	return fmt.Sprintf("rates × 1 to %g at %g Hz", r.Max, r.FreqHz)
}

// cold makes samples those of the cold phase; the time is biological.
func cold(s Sampler, r tempering.RaisedCosine) Sampler {
	s.Spiking = true
	s.Wrap = func(rec sampling.Recorder) (sampling.Recorder, error) {
		w, err := tempering.ColdWindow(r)
		if err != nil {
			return nil, err
		}
		return tempering.NewWindowed(w, r.Period(), rec)
	}
	return s
}

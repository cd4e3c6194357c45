package tempering

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/lif"
)

// Heat is what a background at other rates does to a neuron in the diffusion limit.
type Heat struct {
	Mean, SD float64 // free membrane potential [mV]
	TauEff   float64 // effective membrane time constant [ms]
	// TBias is the temperature of biases, relative to that at the setup's own rates: the
	// ratio of σ·g_tot. TExc and TInh are those of couplings, of excitatory and inhibitory
	// synapses.
	TBias, TExc, TInh float64
	// Drift is the change of the mean as a bias [nats at these rates]. With the setup's
	// own rates, or others at the same mean, it is 0.
	Drift float64
}

// kappa is α/σ of a slope-matched Gaussian distribution function, √(2π)/4.
var kappa = math.Sqrt(2*math.Pi) / 4

// Diffusion is the diffusion limit of a neuron of s at resting potential rest [mV] with
// exc and inh times the excitatory and inhibitory rates of its background, ≥ 0:
//
//	TBias = [σ g_tot](exc, inh) / [σ g_tot](1, 1)
//	      = √m                                        (CUBA, exc = inh = m)
//	      = √m √((τ_syn+τ_eff(1))/(τ_syn+τ_eff(m)))   (COBA, the same, if the mean stays)
//	TExc  = TBias · [D K g_tot](1, 1) / [D K g_tot](exc, inh)
//
// K the area of a PSP over τ_ref and D its reversal potential minus the mean. Derived: a
// bias moves the mean by g_l/g_tot of its potential, a weight by about D/g_tot, and both
// count relative to α = κ σ, κ = √(2π)/4. σ itself is no temperature: with conductances it
// falls at high rates while T rises.
//
// Modulating one receptor, or both where they do not balance, moves the mean: not
// temperature but a common bias, Drift, that oscillates.
func Diffusion(s lif.Setup, rest, exc, inh float64) (Heat, error) {
	if err := errors.Join(checkFinite("excitatory factor", exc), checkFinite("inhibitory factor", inh)); err != nil {
		return Heat{}, err
	}
	one, err := s.FreePotential(rest)
	if err != nil {
		return Heat{}, err
	}
	m, err := scaled(s, exc, inh).FreePotential(rest)
	if err != nil {
		return Heat{}, err
	}
	if !(one.SD > 0) {
		return Heat{}, errors.New("tempering: no background noise: there is no temperature")
	}
	gl := s.Neuron.GLeak()
	alpha := func(m lif.Moments) float64 { return kappa * m.SD * m.GTot / gl }
	h := Heat{Mean: m.Mean, SD: m.SD, TauEff: m.TauEff, TBias: alpha(m) / alpha(one)}
	// A weight stands for the coupling over α; its inverse ratio is T.
	h.TExc = s.Coupling(1, alpha(one), one) / s.Coupling(1, alpha(m), m)
	h.TInh = s.Coupling(-1, alpha(one), one) / s.Coupling(-1, alpha(m), m)
	if d := m.Mean - one.Mean; math.Abs(d) > 1e-9 { // more than rounding
		h.Drift = d / (kappa * m.SD) // ±Inf without noise
	}
	return h, nil
}

// scaled is s with exc and inh times the rates of its background.
func scaled(s lif.Setup, exc, inh float64) lif.Setup {
	s.Noise.Exc, s.Noise.Inh = slices.Clone(s.Noise.Exc), slices.Clone(s.Noise.Inh)
	for i := range s.Noise.Exc {
		s.Noise.Exc[i].Rate *= exc
	}
	for i := range s.Noise.Inh {
		s.Noise.Inh[i].Rate *= inh
	}
	return s
}

// balanced is the resting potential [mV] at which the mean free potential is at threshold.
func balanced(s lif.Setup) (float64, error) {
	theta := s.Neuron.Theta
	m, err := s.FreePotential(theta)
	if err != nil {
		return 0, err
	}
	return theta + (theta-m.Mean)*m.GTot/s.Neuron.GLeak(), nil
}

// maxDrift is the change of the mean over a cycle [α] from which a background counts as an
// oscillating bias.
const maxDrift = 0.25

// warnings says in what way a background whose rates vary between lo and hi times those
// of s is not only a temperature; a shifted one has its mean corrected.
func warnings(s lif.Setup, lo, hi float64, shifted bool) ([]string, error) {
	var w []string
	total := func(src []lif.Poisson) (x float64) {
		for _, p := range src {
			x += p.Rate * p.Weight
		}
		return x
	}
	switch exc, inh := total(s.Noise.Exc), total(s.Noise.Inh); {
	case exc > 0 && inh == 0:
		w = append(w, "the background is all excitatory: its mean oscillates with its rate")
	case inh > 0 && exc == 0:
		w = append(w, "the background is all inhibitory: its mean oscillates with its rate")
	}
	if shifted {
		return w, nil
	}
	rest, err := balanced(s)
	if err != nil {
		return nil, err
	}
	one, err := s.FreePotential(rest)
	if err != nil {
		return nil, err
	}
	// The mean is monotonic in the factor: its extremes are those of the cycle.
	a, err := scaled(s, lo, lo).FreePotential(rest)
	if err != nil {
		return nil, err
	}
	b, err := scaled(s, hi, hi).FreePotential(rest)
	if err != nil {
		return nil, err
	}
	if d := math.Abs(b.Mean-a.Mean) / (kappa * one.SD); d > maxDrift {
		w = append(w, fmt.Sprintf("the mean membrane potential moves by %.3g mV, %.3g α, over the cycle (more than %v α): an oscillating bias beside the temperature", math.Abs(b.Mean-a.Mean), d, maxDrift))
	}
	return w, nil
}

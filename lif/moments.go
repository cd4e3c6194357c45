package lif

import (
	"fmt"
	"math"
)

// Moments describe the free membrane potential (no threshold) in the diffusion limit.
type Moments struct {
	Mean   float64 // µ [mV]
	SD     float64 // σ [mV]
	GTot   float64 // mean total conductance [µS]; the leak for CUBA
	TauEff float64 // effective membrane time constant C/GTot [ms]

	sources []component
}

// component is the share of one receptor in the variance.
type component struct {
	variance, tauSyn float64 // [mV²], [ms]
}

// FreePotential is the law of the free membrane potential of a neuron with resting
// potential e [mV]: Campbell's theorem for the background's postsynaptic potentials,
// with the conductances in the leak term replaced by their means (Petrovici et al. 2016).
//
//	µ = E + τ_syn Σ ν w / g_l (CUBA),  (g_l E + g_e E_e + g_i E_i)/g_tot (COBA)
//	σ² = Σ ν (w D/C)² τ_eff² τ_syn² / (2(τ_eff + τ_syn)),  D = 1 or E_rev − µ
func (s Setup) FreePotential(e float64) (Moments, error) {
	if err := s.Validate(); err != nil {
		return Moments{}, err
	}
	if math.IsNaN(e) || math.IsInf(e, 0) {
		return Moments{}, fmt.Errorf("lif: resting potential %v mV: must be finite", e)
	}
	return s.freePotential(e), nil
}

func (s Setup) freePotential(e float64) Moments {
	p := s.Neuron
	gl := p.GLeak()
	ge, gi := 0.0, 0.0 // mean synaptic input: conductance [µS] or current [nA]
	for _, q := range s.Noise.Exc {
		ge += p.TauSynE * q.Rate / 1000 * q.Weight
	}
	for _, q := range s.Noise.Inh {
		gi += p.TauSynI * q.Rate / 1000 * q.Weight
	}
	m := Moments{GTot: gl, Mean: e + (ge-gi)/gl}
	de, di := 1.0, 1.0
	if p.Kind == COBA {
		m.GTot = gl + ge + gi
		m.Mean = (gl*e + ge*p.EExc + gi*p.EInh) / m.GTot
		de, di = p.EExc-m.Mean, p.EInh-m.Mean
	}
	m.TauEff = p.C / m.GTot
	total := 0.0
	add := func(src []Poisson, d, tau float64) {
		v := 0.0
		for _, q := range src {
			a := q.Weight * d / p.C * m.TauEff * tau
			v += q.Rate / 1000 * a * a / (2 * (m.TauEff + tau))
		}
		m.sources = append(m.sources, component{v, tau})
		total += v
	}
	add(s.Noise.Exc, de, p.TauSynE)
	add(s.Noise.Inh, di, p.TauSynI)
	m.SD = math.Sqrt(total)
	return m
}

// ACF is the autocorrelation of the free membrane potential at lag [ms]:
// (τ_syn e^{−Δ/τ_syn} − τ_eff e^{−Δ/τ_eff})/(τ_syn − τ_eff), receptor by receptor. It is
// 1 at all lags if there is no noise.
func (m Moments) ACF(lag float64) float64 {
	lag = math.Abs(lag)
	sum, total := 0.0, 0.0
	for _, c := range m.sources {
		if c.variance == 0 {
			continue
		}
		te, ts := m.TauEff, c.tauSyn
		var r float64
		if math.Abs(ts-te) < 1e-6*ts {
			r = math.Exp(-lag/ts) * (1 + lag/ts)
		} else {
			r = (ts*math.Exp(-lag/ts) - te*math.Exp(-lag/te)) / (ts - te)
		}
		sum += c.variance * r
		total += c.variance
	}
	if total == 0 {
		return 1
	}
	return sum / total
}

// CorrelationTime is the lag [ms] at which the autocorrelation of the free membrane
// potential has fallen to 1/e; +Inf without noise.
func (m Moments) CorrelationTime() float64 {
	if m.SD == 0 {
		return math.Inf(1)
	}
	hi := 1.0
	for m.ACF(hi) > 1/math.E {
		hi *= 2
	}
	lo := 0.0
	for range 100 {
		mid := (lo + hi) / 2
		if m.ACF(mid) > 1/math.E {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

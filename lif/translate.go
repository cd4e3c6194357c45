package lif

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// Translation is a way to turn couplings W into synaptic weights. All agree on
//
//	E_k = v_½ + α b_k ,   w_kj = W_kj κ α_eff τ_ref / A_kj ,
//
// where α_eff = α g_l/g_tot and A_kj is the area, over τ_ref, of the postsynaptic
// potential of a unit weight on the receiving neuron at its own mean potential. They
// differ in κ.
type Translation int

const (
	// PairCalibrated takes κ from the measured pair table, so that two coupled neurons
	// sample their pair law, and keeps the mean drive of the sender at W_kj p_j: for
	// renewing exponential synapses by κ = (W'/W) tail(½)/tail(p_j), L(W') = W; for
	// the others by κ = W'/W and a bias W_kj p_j (1 − κ gain), gain being their own mean
	// drive. Ten times more faithful than Published; couplings outside the table are
	// refused.
	PairCalibrated Translation = iota
	// Published is κ = 1, the translation of Petrovici et al. 2016. A single
	// exponential PSP then over-couples, since it is front-loaded and has a tail.
	Published
	// TailCorrected is κ = 1/tail(p_j): the mean drive of a renewing exponential
	// synapse, which includes its tail after the sender's refractory time, is made
	// equal to W p_j. It needs no measurement.
	TailCorrected
)

func (t Translation) String() string {
	switch t {
	case PairCalibrated:
		return "pair-calibrated"
	case Published:
		return "published"
	case TailCorrected:
		return "tail-corrected"
	}
	return fmt.Sprintf("Translation(%d)", int(t))
}

// weight is the synaptic weight [nA or µS, signed] of a coupling w with κ = 1 onto a
// neuron with free potential m.
//
// For a rectangular input of length τ_ref the whole area of the response is
// (D/g_tot) τ_ref.
func (s Setup) weight(w, alpha float64, m Moments) float64 {
	if w == 0 {
		return 0
	}
	return w / s.coupling(w, alpha, m)
}

// coupling is the coupling W that a unit synaptic weight of the sign of w stands for.
func (s Setup) coupling(w, alpha float64, m Moments) float64 {
	p := s.Neuron
	tau, d := p.TauSynE, 1.0
	if p.Kind == COBA {
		d = p.EExc - m.Mean
	}
	if w < 0 {
		tau = p.TauSynI
		if p.Kind == COBA {
			d = m.Mean - p.EInh
		}
	}
	alphaEff := alpha * p.GLeak() / m.GTot
	if s.PSP == Rect {
		return d / m.GTot / alphaEff
	}
	return d / p.C * pspArea(p.TauRef, tau, m.TauEff) / (alphaEff * p.TauRef)
}

// Coupling is the coupling W that a synaptic weight (signed, nA or µS) stands for, by the
// published translation, on a neuron with the free potential m and an activation function
// of width alpha [mV].
func (s Setup) Coupling(weight, alpha float64, m Moments) float64 {
	return weight * s.coupling(weight, alpha, m)
}

// pspArea is ∫_0^T of the response of a membrane with time constant te to an exponential
// input with time constant ts and amplitude 1 [ms²]:
// τ_c [τ_s(1−e^{−T/τ_s}) − τ_e(1−e^{−T/τ_e})], τ_c = τ_e τ_s/(τ_s−τ_e).
func pspArea(t, ts, te float64) float64 {
	f := func(tau float64) float64 { return -tau * math.Expm1(-t/tau) }
	if math.Abs(ts-te) < 1e-6*ts {
		// Limit τ_e → τ_s of the difference quotient: τ² d/dτ [τ(1−e^{−T/τ})].
		tau := (ts + te) / 2
		return tau * tau * (-math.Expm1(-t/tau) - t/tau*math.Exp(-t/tau))
	}
	return te * ts / (ts - te) * (f(ts) - f(te))
}

// tail is the mean drive of a renewing exponential synapse from a sender that is on with
// probability p, relative to W p. The sender is taken as a Poisson neuron with dead
// time, rate λ = p/((1−p) τ_ref) when free:
//
//	tail = 1 + (1−p)/p · (τ_ref/τ_syn) r λτ_syn/(1+λτ_syn),  r = e^{−τ_ref/τ_syn}/(1−e^{−τ_ref/τ_syn})
func tail(p, tauRef, tauSyn float64) float64 {
	r := 1 / math.Expm1(tauRef/tauSyn)
	return 1 + r*(1-p)*tauRef/((1-p)*tauRef+p*tauSyn)
}

// tailed reports whether the input of a spike has a tail that the next spike renews.
func (s Setup) tailed() bool { return s.PSP == Exponential && s.Synapse == Renewing }

// gain is the mean drive of a synapse without renewal relative to W p: 1 for a
// rectangular input, and the whole area of the PSP over that within τ_ref for a static
// synapse.
func (s Setup) gain(w float64, m Moments) float64 {
	if s.PSP == Rect {
		return 1
	}
	tau := s.Neuron.TauSynE
	if w < 0 {
		tau = s.Neuron.TauSynI
	}
	return m.TauEff * tau / pspArea(s.Neuron.TauRef, tau, m.TauEff)
}

// Biological is a network in biological units: what a translation makes of (W, b).
type Biological struct {
	Rest    []float64 // resting potentials [mV]
	Weights []float64 // [from*N+to], signed [nA or µS]
}

// Translate turns a machine into resting potentials and synaptic weights. rates are the
// marginals of the units, of which all translations but Published need to know; nil takes
// ½ for all. [NewSampler] uses more than that: means over the law of the machine itself.
func (s Setup) Translate(m *boltzmann.Machine, c *Calibration, t Translation, rates []float64) (*Biological, error) {
	if m == nil {
		return nil, fmt.Errorf("lif: no machine")
	}
	if rates != nil && len(rates) != m.Dim() {
		return nil, fmt.Errorf("lif: %d rates for %d units", len(rates), m.Dim())
	}
	for k, p := range rates {
		if !(p >= 0 && p <= 1) {
			return nil, fmt.Errorf("lif: rate of unit %d is %v: must be in [0, 1]", k, p)
		}
	}
	tr, err := s.translator(c, t)
	if err != nil {
		return nil, err
	}
	return tr.translate(m, ratesReference(m, rates, tr.resp))
}

// translator is a translation with what it needs of the calibration.
type translator struct {
	s    Setup
	c    *Calibration
	t    Translation
	pair *inverse  // PairCalibrated only
	resp *response // PairCalibrated only
}

func (s Setup) translator(c *Calibration, t Translation) (*translator, error) {
	if err := s.check(c); err != nil {
		return nil, err
	}
	tr := &translator{s: s, c: c, t: t}
	switch t {
	case Published:
	case TailCorrected:
		if !s.tailed() {
			return nil, fmt.Errorf("lif: tail correction with %v PSPs and %v synapses: it is derived for renewing exponential ones", s.PSP, s.Synapse)
		}
	case PairCalibrated:
		if c.Pair == nil {
			return nil, fmt.Errorf("lif: the calibration has no pair table: calibrate with Pairs ≥ 0, or choose the Published or TailCorrected translation")
		}
		var err error
		if tr.pair, err = c.Pair.inverse(); err != nil {
			return nil, err
		}
		if tr.resp, err = c.response(); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("lif: Translation = %v: must be PairCalibrated, Published or TailCorrected", t)
	}
	return tr, nil
}

func (tr *translator) translate(m *boltzmann.Machine, ref *reference) (*Biological, error) {
	n, s, alpha := m.Dim(), tr.s, tr.c.Alpha
	b := &Biological{Rest: make([]float64, n), Weights: make([]float64, n*n)}
	for k := range n {
		rest := tr.c.VHalf + alpha*m.Bias(k)
		free := s.freePotential(rest)
		shift := 0.0 // [α]
		for j := range n {
			w, p := m.Weight(k, j), ref.p[k*n+j]
			if w == 0 {
				continue
			}
			kappa, err := tr.kappa(w, p)
			if err != nil {
				return nil, fmt.Errorf("units %d and %d: %w", j, k, err)
			}
			b.Weights[j*n+k] = kappa * s.weight(w, alpha, free)
			if tr.t == PairCalibrated && !s.tailed() {
				shift += w * p * (1 - kappa*s.gain(w, free))
			}
		}
		if tr.t == PairCalibrated {
			shift += ref.shift[k]
		}
		b.Rest[k] = rest + alpha*shift
	}
	return b, nil
}

// kappa is the correction factor of coupling w from a sender that is on with probability p.
func (tr *translator) kappa(w, p float64) (float64, error) {
	ref, tau := tr.s.Neuron.TauRef, tr.s.Neuron.TauSynE
	if w < 0 {
		tau = tr.s.Neuron.TauSynI
	}
	switch tr.t {
	case TailCorrected:
		return 1 / tail(p, ref, tau), nil
	case PairCalibrated:
		nominal, err := tr.pair.at(w)
		if err != nil {
			return 0, err
		}
		kappa := nominal / w
		if tr.s.tailed() {
			kappa *= tail(0.5, ref, tau) / tail(p, ref, tau)
		}
		return kappa, nil
	}
	return 1, nil
}

// Untranslate is the inverse of the published translation: the machine whose couplings
// and biases the network stands for. W comes back as coupling onto the receiving neuron;
// the matrix is w[to*N+from], symmetric only if the network was translated from a
// machine.
func (s Setup) Untranslate(b *Biological, c *Calibration) (w, bias []float64, err error) {
	if err := s.check(c); err != nil {
		return nil, nil, err
	}
	if b == nil {
		return nil, nil, fmt.Errorf("lif: no network")
	}
	n := len(b.Rest)
	if len(b.Weights) != n*n {
		return nil, nil, fmt.Errorf("lif: %d weights for %d neurons: must be %d", len(b.Weights), n, n*n)
	}
	w, bias = make([]float64, n*n), make([]float64, n)
	for k, e := range b.Rest {
		bias[k] = (e - c.VHalf) / c.Alpha
		free := s.freePotential(e)
		for j := range n {
			x := b.Weights[j*n+k]
			w[k*n+j] = s.Coupling(x, c.Alpha, free)
		}
	}
	return w, bias, nil
}

// check refuses a calibration that was made for another setup.
func (s Setup) check(c *Calibration) error {
	if err := s.Validate(); err != nil {
		return err
	}
	switch {
	case c == nil:
		return fmt.Errorf("lif: no calibration")
	case c.Hash != s.Hash():
		return fmt.Errorf("lif: the calibration belongs to another setup (hash %s, this one is %s): calibrate this setup", c.Hash, s.Hash())
	case !(c.Alpha > 0) || !finite(c.Alpha) || !finite(c.VHalf):
		return fmt.Errorf("lif: calibration with VHalf = %v mV and Alpha = %v mV: must be finite, Alpha > 0", c.VHalf, c.Alpha)
	}
	return nil
}

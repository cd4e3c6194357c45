package ensemble

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/lif"
)

// NoiseCorrelation is the matrix of correlations of the free potentials of network m's units,
//
//	ρ_ij = Σ_kl a_ik R_kl a_jl / (same of ii and jj)^½,
//
// where a_ik is the amplitude of the noise that neuron k makes in unit i, signed, and R the
// correlations of the neurons' trains. If cov is nil, trains are independent and ρ comes from
// shared neurons only. Otherwise it is the covariance of the refractory states of all units,
// Dim×Dim, as estimate.Moments measures it; neurons of the source stay independent.
// EquivalentShift makes couplings and biases of it.
func (e *Ensemble) NoiseCorrelation(m int, cov mat.Symmetric) (*mat.SymDense, error) {
	if m < 0 || m >= e.proper {
		return nil, fmt.Errorf("ensemble: NoiseCorrelation: network %d: must be 0 to %d", m, e.proper-1)
	}
	if cov != nil && cov.SymmetricDim() != e.dim {
		return nil, fmt.Errorf("ensemble: NoiseCorrelation: covariance of %d units: must be of %d", cov.SymmetricDim(), e.dim)
	}
	n := e.nets[m]
	a := make([][]float64, n.n) // by neuron
	for i := range a {
		a[i] = make([]float64, len(e.rest))
	}
	for _, c := range e.ideal {
		if i := c.To - n.first; i >= 0 && i < n.n {
			a[i][c.From] = e.amplitude(c)
		}
	}
	// b = R a
	b := a
	if cov != nil {
		b = make([][]float64, n.n)
		for i := range b {
			b[i] = append([]float64{}, a[i]...)
			for k := range e.dim {
				for l, x := range a[i][:e.dim] {
					if x == 0 || k == l {
						continue
					}
					if v := cov.At(k, k) * cov.At(l, l); v > 0 {
						b[i][k] += x * cov.At(k, l) / math.Sqrt(v)
					}
				}
			}
		}
	}
	dot := func(i, j int) (s float64) {
		for k, x := range a[i] {
			s += x * b[j][k]
		}
		return s
	}
	rho := mat.NewSymDense(n.n, nil)
	for i := range n.n {
		rho.SetSym(i, i, 1)
		for j := range i {
			v := dot(i, i) * dot(j, j)
			if !(v > 0) {
				return nil, fmt.Errorf("ensemble: NoiseCorrelation: the noise of unit %d or %d has no variance", i, j)
			}
			rho.SetSym(i, j, math.Max(-1, math.Min(1, dot(i, j)/math.Sqrt(v))))
		}
	}
	return rho, nil
}

// amplitude is the standard deviation of the free potential that a noise synapse makes [mV],
// with the sign of its effect.
func (e *Ensemble) amplitude(c lif.Connection) float64 {
	q, u := e.opt.Setup.Neuron, &e.units[c.To]
	tau, d := q.TauSynE, 1.0
	if q.Kind == lif.COBA {
		d = q.EExc - u.Free.Mean
	}
	if c.Weight < 0 {
		tau = q.TauSynI
		if q.Kind == lif.COBA {
			d = u.Free.Mean - q.EInh
		}
	}
	return c.Weight * d / q.C * math.Sqrt(math.Max(0, e.trains[c.From].potential(tau, u.Free.TauEff)))
}

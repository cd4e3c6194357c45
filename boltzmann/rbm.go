package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Incremental = (*RBM)(nil)

// RBM is a restricted Boltzmann machine (Smolensky 1986; Hinton 2002) of nv visible units
// v and nh hidden units h,
//
//	E(v, h) = −vᵀWh − bᵀv − cᵀh,
//
// a [Layered] machine of two layers. As a model of all units its state is z = (v, h), the
// visible units first; Energy, Logit, Machine, LogZ, Exact and Samples are Layered's.
type RBM struct{ Layered }

// NewRBM returns the machine with couplings w (nv×nh), biases b of the visible and c of
// the hidden units, all copied. It refuses what NewLayered refuses.
func NewRBM(w mat.Matrix, b, c []float64) (*RBM, error) {
	m, err := NewLayered([]mat.Matrix{w}, [][]float64{b, c})
	if err != nil {
		return nil, fmt.Errorf("boltzmann: RBM (layer 0 visible, 1 hidden): %w", err)
	}
	return &RBM{*m}, nil
}

// layered makes an RBM a Blocked model; of a nil RBM it is nil.
func (r *RBM) layered() *Layered {
	if r == nil {
		return nil
	}
	return &r.Layered
}

// Visible is the number nv of visible units.
func (r *RBM) Visible() int { return r.first[1] }

// Hidden is the number nh of hidden units.
func (r *RBM) Hidden() int { return r.first[2] - r.first[1] }

// W returns a copy of the couplings, nv×nh.
func (r *RBM) W() *mat.Dense { return r.Weight(0) }

// B returns a copy of the nv biases of the visible units.
func (r *RBM) B() []float64 { return slices.Clone(r.b[:r.Visible()]) }

// C returns a copy of the nh biases of the hidden units.
func (r *RBM) C() []float64 { return slices.Clone(r.b[r.Visible():]) }

// FreeEnergy is F(v) = −log Σ_h exp(−E(v, h)) = −bᵀv − Σ_j log(1 + exp(c_j + (vᵀW)_j))
// [nats] of v with nv entries. It does not overflow for any finite log odds.
func (r *RBM) FreeEnergy(v []uint8) float64 {
	return r.freeEnergy(v, make([]float64, r.Hidden()))
}

// freeEnergy is FreeEnergy with scratch memory for nh log odds.
func (r *RBM) freeEnergy(v []uint8, a []float64) float64 {
	r.hiddenLogits(a, v)
	return -r.visibleBias(v) - softplusSum(a, 1)
}

func (r *RBM) visibleBias(v []uint8) float64 {
	sum := 0.0
	for i, on := range v {
		if on != 0 {
			sum += r.b[i]
		}
	}
	return sum
}

// hiddenLogits writes c + Wᵀv to a.
func (r *RBM) hiddenLogits(a []float64, v []uint8) {
	addRows(a, r.b[r.Visible():], r.up[0], v)
}

// visibleLogits writes b + Wh to x.
func (r *RBM) visibleLogits(x []float64, h []uint8) {
	addRows(x, r.b[:r.Visible()], r.down[1], h)
}

// GivenVisible writes p(h_j=1 | v) = σ(c_j + (vᵀW)_j) to p (nh entries).
func (r *RBM) GivenVisible(p []float64, v []uint8) {
	r.hiddenLogits(p, v)
	for j, a := range p {
		p[j] = heatbath.Logistic(a)
	}
}

// GivenHidden writes p(v_i=1 | h) = σ(b_i + (Wh)_i) to p (nv entries).
func (r *RBM) GivenHidden(p []float64, h []uint8) {
	r.visibleLogits(p, h)
	for i, x := range p {
		p[i] = heatbath.Logistic(x)
	}
}

// LogLikelihood is the mean of log p(v) = −F(v) − logZ over the states v of the visible
// units [nats]; logZ comes from LogZ or, with an error of its own, from AIS. It refuses no
// data, states of the wrong length or values, and a logZ that is not finite.
func (r *RBM) LogLikelihood(logZ float64, v ...[]uint8) (float64, error) {
	if len(v) == 0 {
		return 0, errors.New("boltzmann: LogLikelihood: no data: must have at least one state")
	}
	if !finite(logZ) {
		return 0, fmt.Errorf("boltzmann: LogLikelihood: logZ = %v: must be finite", logZ)
	}
	if err := r.checkVisible("LogLikelihood: data", v); err != nil {
		return 0, err
	}
	a := make([]float64, r.Hidden())
	sum := 0.0
	for _, x := range v {
		sum -= r.freeEnergy(x, a) + logZ
	}
	return sum / float64(len(v)), nil
}

// checkVisible refuses states that are not of the visible units.
func (r *RBM) checkVisible(what string, v [][]uint8) error {
	for i, x := range v {
		if err := sampling.CheckState(x, r.Visible()); err != nil {
			return fmt.Errorf("boltzmann: %s[%d]: %w", what, i, err)
		}
	}
	return nil
}

// addRows writes bias plus the rows k of w with z[k] = 1 to u.
func addRows(u, bias, w []float64, z []uint8) {
	copy(u, bias)
	for k, on := range z {
		if on != 0 {
			floats.Add(u, w[k*len(u):(k+1)*len(u)])
		}
	}
}

// softplusSum is Σ_j log(1 + exp(scale·u_j)). With log(1+e^x) = max(x, 0) + log(1+e^−|x|)
// the second terms are the logarithm of a product of numbers in (1, 2], so that many units
// share one logarithm.
func softplusSum(u []float64, scale float64) float64 {
	const together = 512 // 2^512 does not overflow
	sum, product := 0.0, 1.0
	for j, x := range u {
		x *= scale
		sum += max(x, 0)
		product *= 1 + math.Exp(-math.Abs(x))
		if j%together == together-1 {
			sum += math.Log(product)
			product = 1
		}
	}
	return sum + math.Log(product)
}

package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Sampler = (*PlasticGibbs)(nil)

// PlasticOptions are the short-term plasticity of [PlasticGibbs]. Take U and TauRec from
// stp.Params, and the rested gain from its Gains.
type PlasticOptions struct {
	U      float64 // utilisation in [0, 1]; 0: none
	TauRec float64 // recovery time constant [ms], > 0
	Rested float64 // gain of all couplings of a rested unit, > 0; default 1
	Sweep  float64 // time a sweep stands for [ms]; default 10, the refractory time
}

// PlasticGibbs is a fast surrogate of a spiking network with short-term plasticity, at the
// level of the Boltzmann machine: blocked Gibbs sampling in which all couplings of unit j
// to others are multiplied by g_j = Rested·R_j, and after each sweep
//
//	R_j ← 1 − (1 − R_j (1 − U z_j)) e^{−Sweep/τ_rec}.
//
// It is approximate: neither reversible nor a sampler of any known law. With U = 0 and
// Rested = 1 it is BlockGibbs, bit for bit.
type PlasticGibbs struct {
	g        *BlockGibbs
	o        PlasticOptions
	decay    float64
	resource []float64
}

// NewPlasticGibbs returns a chain of m; Reset it before use.
func NewPlasticGibbs(m Blocked, o PlasticOptions) (*PlasticGibbs, error) {
	if o.Rested == 0 {
		o.Rested = 1
	}
	if o.Sweep == 0 {
		o.Sweep = 10
	}
	var errs []error
	if !(o.U >= 0 && o.U <= 1) {
		errs = append(errs, fmt.Errorf("boltzmann: PlasticGibbs: U = %v: must be in [0, 1]", o.U))
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"TauRec", o.TauRec}, {"Rested", o.Rested}, {"Sweep", o.Sweep}} {
		if !(f.v > 0) || math.IsInf(f.v, 0) {
			errs = append(errs, fmt.Errorf("boltzmann: PlasticGibbs: %s = %v: must be finite and > 0", f.name, f.v))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	g, err := NewBlockGibbs(m, BlockGibbsOptions{})
	if err != nil {
		return nil, err
	}
	return &PlasticGibbs{g: g, o: o, decay: math.Exp(-o.Sweep / o.TauRec), resource: make([]float64, g.Dim())}, nil
}

// Dim is the number N of units.
func (p *PlasticGibbs) Dim() int { return p.g.Dim() }

// State is the state at Time, the sampler's own memory.
func (p *PlasticGibbs) State() []uint8 { return p.g.State() }

// Time is the number of sweeps since Reset, a multiple of ½.
func (p *PlasticGibbs) Time() float64 { return p.g.Time() }

// Resources are the resources R of all units, the sampler's own memory.
func (p *PlasticGibbs) Resources() []float64 { return p.resource }

// Reset is as [BlockGibbs.Reset], with rested units.
func (p *PlasticGibbs) Reset(start []uint8, src rand.Source) error {
	for k := range p.resource {
		p.resource[k] = 1
	}
	return p.g.Reset(start, src)
}

// Advance is as [BlockGibbs.Advance].
func (p *PlasticGibbs) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	g := p.g
	flips := buf[:0]
	if g.r == nil {
		return flips, errors.New("boltzmann: PlasticGibbs: Advance before Reset")
	}
	if !finite(t) {
		return flips, fmt.Errorf("boltzmann: PlasticGibbs: Advance to time %v: must be finite", t)
	}
	for g.Time() < t && cap(buf)-len(flips) >= g.size[g.nextParity()] {
		parity := g.nextParity()
		p.logits(parity)
		flips = g.draw(flips, parity)
		if parity == 0 { // a sweep is over
			for k, z := range g.z {
				p.resource[k] = 1 - (1-p.resource[k]*(1-p.o.U*float64(z)))*p.decay
			}
		}
	}
	return flips, nil
}

// logits are the log odds of the layers of one parity, with the gains of the others.
func (p *PlasticGibbs) logits(parity int) {
	m, u := p.g.m, p.g.u
	for l := parity; l < m.Layers(); l += 2 {
		from, to := m.Layer(l)
		copy(u[from:to], m.b[from:to])
	}
	for l := 1 - parity; l < m.Layers(); l += 2 {
		from, to := m.Layer(l)
		for k := from; k < to; k++ {
			if p.g.z[k] == 0 {
				continue
			}
			gain := p.o.Rested * p.resource[k]
			if row, first := m.lower(k); row != nil {
				floats.AddScaled(u[first:first+len(row)], gain, row)
			}
			if row, first := m.upper(k); row != nil {
				floats.AddScaled(u[first:first+len(row)], gain, row)
			}
		}
	}
}

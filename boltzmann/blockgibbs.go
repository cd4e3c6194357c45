package boltzmann

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Sampler = (*BlockGibbs)(nil)

// Blocked is a model that BlockGibbs takes: a *Layered or an *RBM.
type Blocked interface {
	sampling.Incremental
	layered() *Layered
}

// BlockGibbsOptions configures BlockGibbs. The zero value is the default.
type BlockGibbsOptions struct {
	// Beta is the inverse temperature β > 0: the chain samples p(z)^β. Default 1; for
	// β = 0, or to change it on the way, use SetBeta.
	Beta float64
}

// BlockGibbs is blocked Gibbs sampling of a layered machine: it draws all odd layers given
// the even ones, then all even layers given the odd ones (of an RBM: h given v, then v
// given h). p(z)^β is stationary; the even layers alone are a reversible chain.
//
// Time is in sweeps; a sweep draws every unit once. In sweep t the odd layers flip at
// t + ½ and the even ones at t + 1.
type BlockGibbs struct {
	m      *Layered
	beta   float64
	z      []uint8
	u      []float64
	size   [2]int // units of the even and of the odd layers
	halves int64  // half sweeps since Reset
	r      *rand.Rand
}

// NewBlockGibbs returns a sampler of m; Reset it before use.
func NewBlockGibbs(m Blocked, o BlockGibbsOptions) (*BlockGibbs, error) {
	if m == nil || m.layered() == nil {
		return nil, errors.New("boltzmann: BlockGibbs: model is nil")
	}
	if o.Beta == 0 {
		o.Beta = 1
	}
	g := &BlockGibbs{m: m.layered(), z: make([]uint8, m.Dim()), u: make([]float64, m.Dim())}
	for _, l := range g.m.layer {
		g.size[l%2]++
	}
	if err := g.SetBeta(o.Beta); err != nil {
		return nil, err
	}
	return g, nil
}

// SetBeta sets the inverse temperature from now on, finite and ≥ 0; Reset keeps it. At
// β = 0 every unit is a fair coin.
func (g *BlockGibbs) SetBeta(beta float64) error {
	if !finite(beta) || beta < 0 {
		return fmt.Errorf("boltzmann: BlockGibbs: Beta = %v: must be finite and ≥ 0", beta)
	}
	g.beta = beta
	return nil
}

// Dim is the number N of units.
func (g *BlockGibbs) Dim() int { return len(g.z) }

// State is the state at Time: the sampler's own memory, valid until the next Advance.
func (g *BlockGibbs) State() []uint8 { return g.z }

// Time is the number of sweeps since Reset, a multiple of ½.
func (g *BlockGibbs) Time() float64 { return float64(g.halves) / 2 }

// Reset puts the chain at time 0 in state start, with all randomness from src. A nil start
// draws each unit as a fair coin.
func (g *BlockGibbs) Reset(start []uint8, src rand.Source) error {
	if src == nil {
		return errors.New("boltzmann: BlockGibbs: random source is nil")
	}
	r := rand.New(src)
	if start == nil {
		for k := range g.z {
			g.z[k] = uint8(r.Uint64() >> 63)
		}
	} else {
		if err := sampling.CheckState(start, len(g.z)); err != nil {
			return fmt.Errorf("boltzmann: BlockGibbs: %w", err)
		}
		copy(g.z, start)
	}
	g.r, g.halves = r, 0
	return nil
}

// Advance makes half sweeps until Time reaches t [sweeps] or buf has no room for the next
// one, and returns the flips in buf[:0:cap(buf)].
func (g *BlockGibbs) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	flips := buf[:0]
	if g.r == nil {
		return flips, errors.New("boltzmann: BlockGibbs: Advance before Reset")
	}
	if !finite(t) {
		return flips, fmt.Errorf("boltzmann: BlockGibbs: Advance to time %v: must be finite", t)
	}
	for g.Time() < t && cap(buf)-len(flips) >= g.size[g.nextParity()] {
		flips = g.half(flips)
	}
	return flips, nil
}

// nextParity is 1 if the next half sweep draws the odd layers, 0 for the even ones.
func (g *BlockGibbs) nextParity() int { return 1 - int(g.halves%2) }

// half draws the layers of one parity and appends what flipped.
func (g *BlockGibbs) half(flips []sampling.Flip) []sampling.Flip {
	parity := g.nextParity()
	g.m.halfLogits(g.u, g.z, parity)
	return g.draw(flips, parity)
}

// draw draws the layers of one parity from their log odds.
func (g *BlockGibbs) draw(flips []sampling.Flip, parity int) []sampling.Flip {
	g.halves++
	now := g.Time()
	for l := parity; l < g.m.Layers(); l += 2 {
		from, to := g.m.Layer(l)
		for k := from; k < to; k++ {
			if on := heatbath.Below(g.r.Float64(), g.beta*g.u[k]); on != g.z[k] {
				g.z[k] = on
				flips = append(flips, sampling.Flip{Time: now, Unit: int32(k), On: on})
			}
		}
	}
	return flips
}

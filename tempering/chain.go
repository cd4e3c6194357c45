package tempering

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling"
)

// Scan is the order in which a sweep visits the N units, the same as for Gibbs sampling.
type Scan = boltzmann.Scan

// The scans.
const (
	Sequential = boltzmann.Sequential // units 0..N−1 in turn, not reversible
	Random     = boltzmann.Random     // N units drawn with replacement, reversible
)

func checkScan(s Scan) error {
	if s != Sequential && s != Random {
		return fmt.Errorf("tempering: Scan = %v: must be Sequential or Random", s)
	}
	return nil
}

// refresh is the number of flips after which a chain computes its log odds and energy
// anew, so that rounding errors do not accumulate. It is below the count at which a
// sampling.Field does so by itself, so that the count here, which is part of a
// checkpoint, decides alone.
const refresh = 1 << 14

// chain is a state with its log odds and energy, and the one kernel of the package: a
// heat-bath visit at an inverse temperature.
type chain struct {
	model  sampling.Model
	field  *sampling.Field
	fast   *fastChain // moves the chain instead of field; nil by default
	z      []uint8
	energy float64 // Energy(z) [nats]
	flips  int     // since field and energy were computed
}

func newChain(m sampling.Model) *chain {
	return &chain{model: m, field: sampling.NewField(m), z: make([]uint8, m.Dim())}
}

func checkModel(m sampling.Model) error {
	if m == nil {
		return fmt.Errorf("tempering: model is nil")
	}
	if n := m.Dim(); n < 1 {
		return fmt.Errorf("tempering: model has %d units: must have at least one", n)
	}
	return nil
}

// start puts the chain in state z, each unit a fair coin if z is nil. It refuses an
// impossible state: no sum of energies could be formed there. From a possible state no
// chain ever gets to one.
func (c *chain) start(z []uint8, r *rand.Rand) error {
	if c.fast != nil {
		return c.fast.start(c, z, r)
	}
	if z == nil {
		for k := range c.z {
			c.z[k] = uint8(r.Uint64() >> 63)
		}
	} else {
		if err := sampling.CheckState(z, len(c.z)); err != nil {
			return fmt.Errorf("tempering: %w", err)
		}
		copy(c.z, z)
	}
	c.compute()
	if !finite(c.energy) {
		return fmt.Errorf("tempering: energy of the start state is %v: must be finite (give a possible start)", c.energy)
	}
	return nil
}

// compute computes log odds and energy from the state.
func (c *chain) compute() {
	c.field.Reset(c.z)
	c.energy = c.model.Energy(c.z)
	c.flips = 0
}

// visit draws z_k from its conditional at inverse temperature beta, p(z_k=1|rest) =
// σ(βu_k), with x uniform in [0, 1), and reports whether it changed.
func (c *chain) visit(k int, beta, x float64) (bool, error) {
	u := c.field.U[k]
	v := beta * u
	if math.IsNaN(v) {
		if math.IsNaN(u) {
			return false, fmt.Errorf("tempering: log odds of unit %d is NaN", k)
		}
		v = u // β = 0: impossible states stay impossible; β = ∞ and u = 0: a fair coin
	}
	on := heatbath.Below(x, v)
	if on == c.z[k] {
		return false, nil
	}
	c.z[k] = on
	if on != 0 {
		c.energy -= u
	} else {
		c.energy += u
	}
	if c.flips++; c.flips >= refresh {
		c.compute()
	} else {
		c.field.Flipped(c.z, k)
	}
	return true, nil
}

// sweep makes N visits at inverse temperature beta.
func (c *chain) sweep(beta float64, scan Scan, r *rand.Rand) error {
	if c.fast != nil {
		return c.fast.sweep(c, beta)
	}
	n := len(c.z)
	for k := range n {
		if scan == Random {
			k = r.IntN(n)
		}
		if _, err := c.visit(k, beta, r.Float64()); err != nil {
			return err
		}
	}
	return nil
}

// copyFrom makes c equal to o, a chain of the same model.
func (c *chain) copyFrom(o *chain) {
	copy(c.z, o.z)
	copy(c.field.U, o.field.U)
	c.energy, c.flips = o.energy, o.flips
}

// accept decides a Metropolis step of that log ratio.
func accept(logRatio float64, r *rand.Rand) bool {
	return logRatio >= 0 || r.Float64() < math.Exp(logRatio)
}

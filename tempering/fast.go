package tempering

import (
	"fmt"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// fastChain moves a chain on the fast kernels: it is a lane of FastChains. The state z and
// the energy of the chain are copies.
type fastChain struct {
	all  *boltzmann.FastChains
	lane int
}

// checkQuantised reports whether the fast kernels can do what is asked.
func checkQuantised(quantised bool, m sampling.Model, scan Scan) error {
	if !quantised {
		return nil
	}
	if _, ok := m.(boltzmann.Quantisable); !ok {
		return fmt.Errorf("tempering: Quantised with model %T: must be a *boltzmann.Machine, *Layered or *RBM", m)
	}
	if scan != Sequential {
		return fmt.Errorf("tempering: Quantised with Scan = %v: must be Sequential", scan)
	}
	return nil
}

// newChainOf is newChain, or a chain on the fast kernels.
func newChainOf(m sampling.Model, quantised bool) (*chain, error) {
	if !quantised {
		return newChain(m), nil
	}
	c, err := fastChains(m, 1)
	if err != nil {
		return nil, err
	}
	return c[0], nil
}

// fastChains are n chains that run together.
func fastChains(m sampling.Model, n int) ([]*chain, error) {
	q, ok := m.(boltzmann.Quantisable)
	if !ok {
		return nil, checkQuantised(true, m, Sequential)
	}
	all, err := boltzmann.NewFastChains(q, boltzmann.FastChainsOptions{Chains: n})
	if err != nil {
		return nil, fmt.Errorf("tempering: %w", err)
	}
	chains := make([]*chain, n)
	for i := range chains {
		chains[i] = &chain{model: m, z: make([]uint8, m.Dim()), fast: &fastChain{all, i}}
	}
	return chains, nil
}

// pull copies state and energy.
func (f *fastChain) pull(c *chain) {
	copy(c.z, f.all.State(f.lane))
	c.energy = f.all.Energy(f.lane)
}

// start is chain.start for a chain that runs alone.
func (f *fastChain) start(c *chain, z []uint8, r *rand.Rand) error {
	var begin func(int, []uint8)
	if z != nil {
		if err := sampling.CheckState(z, len(c.z)); err != nil {
			return fmt.Errorf("tempering: %w", err)
		}
		begin = func(_ int, to []uint8) { copy(to, z) }
	}
	if err := f.all.Reset(begin, func(int) rand.Source { return r }); err != nil {
		return fmt.Errorf("tempering: %w", err)
	}
	f.pull(c)
	return nil
}

// sweep is chain.sweep for a chain that runs alone.
func (f *fastChain) sweep(c *chain, beta float64) error {
	if err := f.all.SetBeta(f.lane, beta); err != nil {
		return fmt.Errorf("tempering: %w", err)
	}
	if err := f.all.Sweep(1); err != nil {
		return fmt.Errorf("tempering: %w", err)
	}
	f.pull(c)
	return nil
}

// startFast is the start of all replicas.
func (p *Parallel) startFast(start []uint8, r *rand.Rand) error {
	if start != nil {
		if err := sampling.CheckState(start, p.n); err != nil {
			return fmt.Errorf("tempering: %w", err)
		}
	}
	begin := func(replica int, z []uint8) {
		if replica == 0 && start != nil {
			copy(z, start)
			return
		}
		for k := range z {
			z[k] = uint8(r.Uint64() >> 63)
		}
	}
	if err := p.fast.Reset(begin, func(int) rand.Source { return r }); err != nil {
		return fmt.Errorf("tempering: %w", err)
	}
	for _, c := range p.chains {
		c.fast.pull(c)
	}
	return nil
}

// fastSweep is a sweep of every replica at its level, and the energies after it.
func (p *Parallel) fastSweep() error {
	for k, i := range p.x.at {
		if err := p.fast.SetBeta(i, p.ladder[k]); err != nil {
			return fmt.Errorf("tempering: %w", err)
		}
	}
	if err := p.fast.Sweep(1); err != nil {
		return fmt.Errorf("tempering: %w", err)
	}
	for i, c := range p.chains {
		c.energy = p.fast.Energy(i)
	}
	p.cost += int64(len(p.chains))
	return nil
}

// fastStep is step on the fast kernels. Only states that have been at level 0 are copied.
func (p *Parallel) fastStep(flips []sampling.Flip) ([]sampling.Flip, error) {
	if err := p.fastSweep(); err != nil {
		return flips, err
	}
	before := p.cold()
	p.time++
	flips = p.fast.Flips(flips, before.fast.lane, p.time)
	before.fast.pull(before)
	p.x.round(p.scheme, p.r, p.logRatio)
	if now := p.cold(); now != before {
		now.fast.pull(now)
		flips = p.jump(flips, before.z, now.z)
	}
	return flips, nil
}

// fastScan is a scan that takes no Time and reports no flips.
func (p *Parallel) fastScan() error {
	if err := p.fastSweep(); err != nil {
		return err
	}
	p.x.round(p.scheme, p.r, p.logRatio)
	p.cold().fast.pull(p.cold())
	return nil
}

// decodeFast restores chains on the fast kernels, which come in groups that run together.
func (r *restored) decodeFast(like *chain, chains int) error {
	if like.fast == nil {
		return unfit("it is of a Quantised sampler, this is not")
	}
	together := like.fast.all.Chains()
	if len(r.Fast)*together != chains {
		return unfit("it has %d groups of fast chains, must have %d", len(r.Fast), chains/together)
	}
	for _, data := range r.Fast {
		group, err := fastChains(like.model, together)
		if err != nil {
			return err
		}
		if err := group[0].fast.all.UnmarshalBinary(data); err != nil {
			return fmt.Errorf("%w: %w", errCheckpoint, err)
		}
		for _, c := range group {
			c.fast.pull(c)
		}
		r.chains = append(r.chains, group...)
	}
	return nil
}

package tempering

import (
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
)

// ParallelOptions configures Parallel.
type ParallelOptions struct {
	Ladder Ladder // inverse temperatures of the K replicas; required
	Scheme Scheme // default DEO
	Scan   Scan   // default Sequential
	// Quantised runs all replicas together on the kernels of boltzmann.FastChains. The
	// model must be a *boltzmann.Machine, *Layered or *RBM, the scan Sequential; then the
	// law is that of the machine which boltzmann.Quantise makes of it, and layers are drawn
	// by blocks.
	Quantised bool
}

var _ sampling.Sampler = (*Parallel)(nil)

// Parallel is parallel tempering, or replica exchange (Swendsen and Wang 1986; Geyer 1991;
// Hukushima and Nemoto 1996): K replicas, one at each level. A scan is a sweep of every
// replica, then swaps of neighbours, of levels k and k+1 with probability
//
//	min(1, exp((β_k − β_{k+1}) (E_k − E_{k+1}))).
//
// Time counts scans, which are sweeps at β = 1; Cost is K per scan. State is that of the
// replica at level 0; when that is swapped, all units that differ flip at once at the end
// of the scan. Compare ladders by round trips, not by switches between modes at level 0,
// which are mostly two replicas changing places.
type Parallel struct {
	core
	fast   *boltzmann.FastChains // of all replicas, if Quantised
	chains []*chain              // by replica
	x      *exchange
	ladder Ladder
	scheme Scheme
	scan   Scan
}

// NewParallel returns a parallel tempering sampler of m; Reset it before use.
func NewParallel(m sampling.Model, o ParallelOptions) (*Parallel, error) {
	if err := errors.Join(checkModel(m), o.Ladder.Validate(), o.Scheme.validate(), checkScan(o.Scan), checkQuantised(o.Quantised, m, o.Scan)); err != nil {
		return nil, err
	}
	p := &Parallel{core: newCore(m.Dim()), chains: make([]*chain, len(o.Ladder)), x: newExchange(len(o.Ladder)),
		ladder: slices.Clone(o.Ladder), scheme: o.Scheme, scan: o.Scan}
	if o.Quantised {
		var err error
		if p.chains, err = fastChains(m, len(o.Ladder)); err != nil {
			return nil, err
		}
		p.fast = p.chains[0].fast.all
		return p, nil
	}
	for i := range p.chains {
		p.chains[i] = newChain(m)
	}
	return p, nil
}

// State is the state of the replica at level 0: the sampler's own memory, valid until the
// next Advance.
func (p *Parallel) State() []uint8 { return p.cold().z }

func (p *Parallel) cold() *chain { return p.chains[p.x.at[0]] }

// Ladder is the present ladder, which Adapt changes.
func (p *Parallel) Ladder() Ladder { return slices.Clone(p.ladder) }

// Rejections is the mean probability that a swap of levels k and k+1 is rejected, K−1
// numbers, since Reset or Adapt; NaN where none was tried.
func (p *Parallel) Rejections() []float64 { return p.x.rejections() }

// RoundTrips is the number of times each of the K replicas has gone from level 0 to K−1 and
// back since Reset or Adapt.
func (p *Parallel) RoundTrips() []int64 { return slices.Clone(p.x.trips) }

// Reset puts the sampler at time 0 with the replica at level 0 in state start, and takes
// all randomness from src. The others, and all if start is nil, start with each unit a fair
// coin, so that they lie apart (in start where that is impossible). It refuses a start of
// infinite energy. An adapted ladder stays.
func (p *Parallel) Reset(start []uint8, src rand.Source) error {
	r, err := p.reset(src)
	if err != nil {
		return err
	}
	p.x.restart()
	if p.fast != nil {
		if err := p.startFast(start, r); err != nil {
			return err
		}
		p.r = r
		return nil
	}
	if err := p.chains[0].start(start, r); err != nil {
		return err
	}
	for _, c := range p.chains[1:] {
		if c.start(nil, r) != nil {
			if err := c.start(p.chains[0].z, r); err != nil {
				return err
			}
		}
	}
	p.r = r
	return nil
}

// Advance scans until Time reaches t [scans] or buf has room for less than 2N flips. It
// fails if a log odds is NaN; then the sampler must be Reset.
func (p *Parallel) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	return p.advance(t, buf, p.step)
}

// step is a scan.
func (p *Parallel) step(flips []sampling.Flip) ([]sampling.Flip, error) {
	if p.fast != nil {
		return p.fastStep(flips)
	}
	flips, err := p.coldSweep(flips, p.cold(), p.scan)
	if err != nil {
		return flips, err
	}
	before := p.cold()
	if err := p.hotAndSwap(); err != nil {
		return flips, err
	}
	return p.jump(flips, before.z, p.cold().z), nil
}

// hotAndSwap is the rest of a scan after the sweep at level 0.
func (p *Parallel) hotAndSwap() error {
	for k := 1; k < len(p.ladder); k++ {
		if err := p.chains[p.x.at[k]].sweep(p.ladder[k], p.scan, p.r); err != nil {
			return err
		}
		p.cost++
	}
	p.x.round(p.scheme, p.r, p.logRatio)
	return nil
}

// logRatio is the log of the ratio with which replicas i and j, at levels k and k+1, swap.
func (p *Parallel) logRatio(k, i, j int) float64 {
	return (p.ladder[k] - p.ladder[k+1]) * (p.chains[i].energy - p.chains[j].energy)
}

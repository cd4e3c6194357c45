package tempering

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
)

// core is what all samplers of the package share: the clock, the random source and the
// loop of Advance. Time is a whole number of steps; a step brings at most 2N flips, N of
// a sweep at β = 1 and N of a jump at its end.
type core struct {
	n      int
	time   int64   // sweeps at β = 1 since Reset
	cost   int64   // sweeps at all temperatures since Reset
	before []uint8 // the state before a jump
	src    rand.Source
	r      *rand.Rand // nil before Reset and after a failure
}

func newCore(n int) core { return core{n: n, before: make([]uint8, n)} }

// Dim is the number N of units.
func (c *core) Dim() int { return c.n }

// Time is the number of sweeps at β = 1 since Reset. Sweeps at other temperatures take no
// time; Cost counts them.
func (c *core) Time() float64 { return float64(c.time) }

// Cost is the number of sweeps (N visits each) at all temperatures since Reset: the work
// to compare samplers by.
func (c *core) Cost() int64 { return c.cost }

// reset puts the clock to 0. The sampler is ready once r is set to c.rand().
func (c *core) reset(src rand.Source) (*rand.Rand, error) {
	if src == nil {
		return nil, errors.New("tempering: random source is nil")
	}
	c.time, c.cost, c.src, c.r = 0, 0, src, nil
	return rand.New(src), nil
}

var errNotReset = errors.New("tempering: sampler used before Reset, or after an error")

// advance calls step until Time reaches t or buf has no room for one more step.
func (c *core) advance(t float64, buf []sampling.Flip, step func([]sampling.Flip) ([]sampling.Flip, error)) ([]sampling.Flip, error) {
	flips := buf[:0]
	if c.r == nil {
		return flips, errNotReset
	}
	if !finite(t) {
		return flips, fmt.Errorf("tempering: Advance to time %v: must be finite", t)
	}
	if cap(buf) < 2*c.n {
		return flips, fmt.Errorf("tempering: Advance with room for %d flips: must have room for 2N = %d", cap(buf), 2*c.n)
	}
	for c.Time() < t && cap(flips)-len(flips) >= 2*c.n {
		var err error
		if flips, err = step(flips); err != nil {
			c.r = nil // the chain may be anywhere within a step
			return flips, err
		}
	}
	return flips, nil
}

// coldSweep is a sweep of ch at β = 1 that appends its flips and takes a unit of time.
// The i-th visit (i = 1..N) ends at i/N of it.
func (c *core) coldSweep(flips []sampling.Flip, ch *chain, scan Scan) ([]sampling.Flip, error) {
	if ch.fast != nil {
		if err := ch.fast.sweep(ch, 1); err != nil {
			return flips, err
		}
		c.time++
		c.cost++
		return ch.fast.all.Flips(flips, ch.fast.lane, c.time), nil
	}
	for i := range c.n {
		k := i
		if scan == Random {
			k = c.r.IntN(c.n)
		}
		flipped, err := ch.visit(k, 1, c.r.Float64())
		if err != nil {
			return flips, err
		}
		if flipped {
			t := float64(c.time) + float64(i+1)/float64(c.n)
			flips = append(flips, sampling.Flip{Time: t, Unit: int32(k), On: ch.z[k]})
		}
	}
	c.time++
	c.cost++
	return flips, nil
}

// jump appends the flips that lead from one state to another, all at the present time.
func (c *core) jump(flips []sampling.Flip, from, to []uint8) []sampling.Flip {
	for k, on := range to {
		if on != from[k] {
			flips = append(flips, sampling.Flip{Time: c.Time(), Unit: int32(k), On: on})
		}
	}
	return flips
}

// temper is a sweep of w at level 0 and the excursion that may follow.
func (c *core) temper(flips []sampling.Flip, w *walker) ([]sampling.Flip, error) {
	flips, err := c.coldSweep(flips, w.chain, w.scan)
	if err != nil {
		return flips, err
	}
	copy(c.before, w.z)
	w.swept(c.r)
	sweeps, err := w.home(c.r)
	c.cost += sweeps
	if err != nil {
		return flips, err
	}
	return c.jump(flips, c.before, w.z), nil
}

// checkFinite reports an error unless x is finite and ≥ 0.
func checkFinite(name string, x float64) error {
	if !(x >= 0) || math.IsInf(x, 0) {
		return fmt.Errorf("tempering: %s = %v: must be finite and ≥ 0", name, x)
	}
	return nil
}

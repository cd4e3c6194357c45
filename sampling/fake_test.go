package sampling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// played is a sampler in continuous time that plays a list of flips. It stops at exactly
// the time it is asked for, so what a run does with time shows in the last bit.
type played struct {
	flips []sampling.Flip

	failAt  float64 // Advance to this time or beyond fails with failure, if that is set
	failure error
	stuckAt float64 // > 0: never gets past this time
	reset   func(start []uint8, src rand.Source) error

	z    []uint8
	now  float64
	next int // index of the next flip
}

func newPlayed(n int, flips []sampling.Flip) *played {
	return &played{z: make([]uint8, n), flips: flips}
}

func (p *played) Dim() int       { return len(p.z) }
func (p *played) State() []uint8 { return p.z }
func (p *played) Time() float64  { return p.now }

func (p *played) Reset(start []uint8, src rand.Source) error {
	clear(p.z)
	copy(p.z, start)
	p.now, p.next = 0, 0
	if p.reset != nil {
		return p.reset(start, src)
	}
	return nil
}

func (p *played) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	buf = buf[:0]
	if p.failure != nil && t >= p.failAt {
		return buf, p.failure
	}
	if p.stuckAt > 0 {
		t = math.Min(t, p.stuckAt)
	}
	for ; p.next < len(p.flips) && p.flips[p.next].Time <= t; p.next++ {
		if len(buf) == cap(buf) {
			return buf, nil
		}
		f := p.flips[p.next]
		p.z[f.Unit], p.now = f.On, f.Time
		buf = append(buf, f)
	}
	p.now = t
	return buf, nil
}

// flipsAt flips units of n, drawn by src, at the given times.
func flipsAt(n int, times []float64, src rand.Source) []sampling.Flip {
	z := make([]uint8, n)
	r := rand.New(src)
	flips := make([]sampling.Flip, len(times))
	for i, t := range times {
		k := r.IntN(n)
		z[k] ^= 1
		flips[i] = sampling.Flip{Time: t, Unit: int32(k), On: z[k]}
	}
	return flips
}

// tape is a recorder that keeps everything, and an estimator that says what was merged.
type tape struct {
	chains   []int // in the order they were merged
	from, to []float64
	begin    []uint8 // the state at Begin
	flips    []sampling.Flip
	fault    string // first breach of the Recorder contract by the run loop

	beginErr, mergeErr error
	onRecord           func(t float64)
}

func (r *tape) Begin(t float64, z []uint8) error {
	r.from, r.to = append(r.from, t), append(r.to, t)
	r.begin = slices.Clone(z)
	return r.beginErr
}

func (r *tape) Record(flips []sampling.Flip, t float64) {
	switch {
	case len(r.to) == 0:
		r.fail("Record before Begin")
		return
	case t < r.now():
		r.fail(fmt.Sprintf("time went from %v back to %v", r.now(), t))
	}
	for _, f := range flips {
		if f.Time < r.now() || f.Time > t {
			r.fail(fmt.Sprintf("flip at %v recorded in [%v, %v]", f.Time, r.now(), t))
		}
	}
	r.flips = append(r.flips, flips...)
	r.to[len(r.to)-1] = t
	if r.onRecord != nil {
		r.onRecord(t)
	}
}

func (r *tape) Merge(o *tape) error {
	r.chains = append(r.chains, o.chains...)
	r.from, r.to = append(r.from, o.from...), append(r.to, o.to...)
	r.flips = append(r.flips, o.flips...)
	return o.mergeErr
}

func (r *tape) fail(s string) {
	if r.fault == "" {
		r.fault = s
	}
}

func (r *tape) begun() bool  { return len(r.from) > 0 }
func (r *tape) now() float64 { return r.to[len(r.to)-1] }

// state replays the tape.
func (r *tape) state() []uint8 {
	z := slices.Clone(r.begin)
	for _, f := range r.flips {
		if z[f.Unit] == f.On {
			r.fail(fmt.Sprintf("flip of unit %d at %v changes nothing", f.Unit, f.Time))
		}
		z[f.Unit] = f.On
	}
	return z
}

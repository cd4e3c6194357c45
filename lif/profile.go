package lif

import (
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/engine"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Profile makes the background vary in time, the same way for every neuron and receptor;
// each keeps its own independent trains. The rate is constant in steps of
// NetworkOptions.ProfileStep, at its value in their middle.
//
// More background is a higher temperature: a network with fixed weights samples at about
// T = √(factor).
//
// A profile that has a method Validate() error is asked what is wrong with it before it runs.
type Profile interface {
	// RateFactor is the factor of all background rates at time t [ms], finite and ≥ 0. It is
	// asked for the first period only.
	RateFactor(t float64) float64
	// Period is the time after which the profile repeats [ms], a multiple of ProfileStep, or
	// a few periods are one, as three periods of 3 Hz are 1000 times 1 ms.
	Period() float64
}

// Shifter is a Profile that also moves all resting potentials, as a compensation of what a
// higher rate does beside heating.
type Shifter interface {
	Profile
	// Shift is added to all resting potentials at time t [mV].
	Shift(t float64) float64
}

// maxBlocks bounds the steps of a period, maxCommon those of several.
const (
	maxBlocks = 1 << 20
	maxCommon = 1 << 14
)

// blocksOf is the number of steps of the shortest whole number of periods that is a
// multiple of the step; ok is false if there is none.
func blocksOf(period, step float64) (blocks int64, ok bool) {
	clock := dynamics.Clock{Dt: step}
	n, err := clock.Steps(period)
	if err == nil {
		return n, n >= 1 && n <= maxBlocks
	}
	for k := 2.0; k <= maxCommon && k*period < (maxCommon+0.5)*step; k++ {
		if n, err := clock.Steps(k * period); err == nil {
			return n, true
		}
	}
	return 0, false
}

// profile tabulates p in steps of step [ms].
func (s Setup) profile(p Profile, step float64) (*engine.Profile, error) {
	if step == 0 {
		step = 1
	}
	every, err := dynamics.Clock{Dt: s.Dt}.Steps(step)
	if err != nil || every < 1 || every > math.MaxInt32 {
		return nil, fmt.Errorf("lif: ProfileStep = %v ms: must be a multiple of Dt = %v ms", step, s.Dt)
	}
	if v, ok := p.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, fmt.Errorf("lif: Profile: %w", err)
		}
	}
	period := p.Period()
	blocks, ok := blocksOf(period, step)
	if !ok {
		return nil, fmt.Errorf("lif: Period = %v ms of the profile: must be 1 to 2^20 times ProfileStep = %v ms, or some number of periods up to 2^14 times", period, step)
	}
	out := &engine.Profile{Factor: make([]float64, blocks), Every: int(every)}
	shifter, _ := p.(Shifter)
	if shifter != nil {
		out.Shift = make([]float64, blocks)
	}
	for i := range out.Factor {
		t := math.Mod((float64(i)+0.5)*step, period)
		x := p.RateFactor(t)
		if !(x >= 0) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("lif: RateFactor(%v) = %v: must be finite and ≥ 0", t, x)
		}
		out.Factor[i] = x
		for _, src := range [][]Poisson{s.Noise.Exc, s.Noise.Inh} {
			for _, q := range src {
				if _, err := dynamics.NewCountTable(q.Rate*x, s.Dt); err != nil {
					return nil, fmt.Errorf("lif: RateFactor(%v) = %v: %w", t, x, err)
				}
			}
		}
		if shifter == nil {
			continue
		}
		if out.Shift[i] = shifter.Shift(t); !finite(out.Shift[i]) {
			return nil, fmt.Errorf("lif: Shift(%v) = %v mV: must be finite", t, out.Shift[i])
		}
	}
	return out, nil
}

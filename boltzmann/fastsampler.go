package boltzmann

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
)

var _ sampling.Sampler = (*Fast)(nil)

// FastOptions configures Fast. The zero value is the default.
type FastOptions struct {
	// Beta is the inverse temperature β > 0: the chain samples p(z)^β. Default 1; for
	// β = 0, or to change it on the way, use SetBeta.
	Beta float64
}

// Fast is one chain of [FastChains] as a Sampler: the same chain bit for bit, given the same
// start, source and β. It samples the quantised machine, Model, not the one given.
type Fast struct{ f *FastChains }

// NewFast returns a sampler of the machine that Quantise makes of m; Reset it before use.
func NewFast(m Quantisable, o FastOptions) (*Fast, error) {
	if o.Beta == 0 {
		o.Beta = 1
	}
	f, err := NewFastChains(m, FastChainsOptions{Betas: []float64{o.Beta}})
	if err != nil {
		return nil, err
	}
	return &Fast{f}, nil
}

// Dim is the number N of units.
func (s *Fast) Dim() int { return s.f.Dim() }

// Model is the quantised machine, the one that is sampled.
func (s *Fast) Model() Quantisable { return s.f.model }

// Quantisation says how Model differs from the machine that was given.
func (s *Fast) Quantisation() Quantisation { return s.f.info }

// State is the state at Time: the sampler's own memory, valid until the next Advance.
func (s *Fast) State() []uint8 { return s.f.State(0) }

// Energy is the energy of the state in Model [nats], exact but for the last rounding.
func (s *Fast) Energy() float64 { return s.f.Energy(0) }

// Time is the number of sweeps since Reset, a whole number.
func (s *Fast) Time() float64 { return s.f.Time() }

// SetBeta sets the inverse temperature from now on, finite and ≥ 0; Reset keeps it. At
// β = 0 every unit is a fair coin.
func (s *Fast) SetBeta(beta float64) error { return s.f.SetBeta(0, beta) }

// Beta is the inverse temperature.
func (s *Fast) Beta() float64 { return s.f.Beta(0) }

// Reset puts the chain at time 0 in state start. A few numbers are taken from src now, and
// none later. A nil start draws each unit as a fair coin.
func (s *Fast) Reset(start []uint8, src rand.Source) error {
	if src == nil {
		return errors.New("boltzmann: Fast: random source is nil")
	}
	var begin func(int, []uint8)
	if start != nil {
		if err := sampling.CheckState(start, s.Dim()); err != nil {
			return fmt.Errorf("boltzmann: Fast: %w", err)
		}
		begin = func(_ int, z []uint8) { copy(z, start) }
	}
	return s.f.Reset(begin, func(int) rand.Source { return src })
}

// Sweep makes n sweeps without listing flips.
func (s *Fast) Sweep(n int) error { return s.f.Sweep(n) }

// Advance makes whole sweeps until Time reaches t [sweeps] or buf has no room for N more
// flips, and returns the flips in buf[:0:cap(buf)].
func (s *Fast) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	flips := buf[:0]
	if !s.f.ready {
		return flips, errFastReset
	}
	if !finite(t) {
		return flips, fmt.Errorf("boltzmann: Fast: Advance to time %v: must be finite", t)
	}
	for s.Time() < t && cap(buf)-len(flips) >= s.Dim() {
		if err := s.f.Sweep(1); err != nil {
			return flips, err
		}
		flips = s.f.Flips(flips, 0, s.f.sweeps)
	}
	return flips, nil
}

// Run runs all chains through a schedule as sampling.Run does one, in whole sweeps; what
// happens in chain c is told to the recorders rec[c]. It continues from where the chains are.
// When ctx ends it stops soon and returns ctx's error.
func (f *FastChains) Run(ctx context.Context, sch sampling.Schedule, rec [][]sampling.Recorder) error {
	if err := sch.Validate(); err != nil {
		return err
	}
	if !f.ready {
		return errFastReset
	}
	if len(rec) != f.core.chains {
		return fmt.Errorf("boltzmann: FastChains: recorders for %d chains: must be for %d", len(rec), f.core.chains)
	}
	t0 := f.Time()
	progress := func() {
		if sch.OnProgress != nil {
			sch.OnProgress(sampling.Progress{Time: f.Time() - t0, Total: sch.Warmup + sch.Duration})
		}
	}
	for begin := t0 + sch.Warmup; f.Time() < begin; progress() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.Sweep(1); err != nil {
			return err
		}
	}
	for c, rs := range rec {
		for _, r := range rs {
			if err := r.Begin(f.Time(), f.State(c)); err != nil {
				return err
			}
		}
	}
	buf := make([]sampling.Flip, 0, f.Dim())
	for end := f.Time() + sch.Duration; f.Time() < end; progress() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.Sweep(1); err != nil {
			return err
		}
		for c, rs := range rec {
			flips := f.Flips(buf[:0], c, f.sweeps)
			for _, r := range rs {
				r.Record(flips, f.Time())
			}
		}
	}
	return nil
}

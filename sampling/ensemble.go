package sampling

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Ensemble is a Sampler of several independent chains of one model that run in lockstep,
// as fast code likes them. Its units are those of chain 0, then those of chain 1, and so
// on.
type Ensemble interface {
	Sampler
	// Chains is the number of chains; Dim is a multiple of it.
	Chains() int
	// ResetChains is Reset with a source for every chain. Each chain then does what a
	// sampler of one chain would do with that source. start, if given, is the state of all
	// units.
	ResetChains(start []uint8, src []rand.Source) error
}

// Pack is the default number of chains of an ensemble in Ensembles.
const Pack = 8

// Ensembles is [Chains] with samplers that run several chains at once: pack of them, the
// last maybe fewer (default [Pack]). newEnsemble is called once per ensemble with its first
// chain and their number. The flips of every chain are those that Chains gets from
// samplers of one chain, whatever pack is; newEstimator is called once per chain.
func Ensembles[E Estimator[E]](ctx context.Context, newEnsemble func(first, chains int) (Ensemble, error),
	newEstimator func(chain int) (E, error), pack int, opt ChainOptions) (E, error) {
	var zero E
	if pack < 0 {
		return zero, fmt.Errorf("sampling: pack = %d: must be ≥ 1 (0: default %d)", pack, Pack)
	}
	if pack == 0 {
		pack = Pack
	}
	return runChains(ctx, pack, func(ctx context.Context, first int, est []E, done *atomic.Uint64, opt ChainOptions) (bool, error) {
		return runEnsemble(ctx, first, est, done, newEnsemble, newEstimator, opt)
	}, opt)
}

func runEnsemble[E Estimator[E]](ctx context.Context, first int, est []E, done *atomic.Uint64,
	newEnsemble func(first, chains int) (Ensemble, error), newEstimator func(int) (E, error), opt ChainOptions) (started bool, err error) {
	s, err := newEnsemble(first, len(est))
	if err != nil {
		return false, err
	}
	if s.Chains() != len(est) || s.Dim()%len(est) != 0 {
		return false, fmt.Errorf("sampling: ensemble of %d chains and %d units: must be of %d chains", s.Chains(), s.Dim(), len(est))
	}
	n := s.Dim() / len(est)
	parts := &split[E]{est: est, n: n, flips: make([][]Flip, len(est))}
	src := make([]rand.Source, len(est))
	var start []uint8
	if opt.Start != nil {
		start = make([]uint8, s.Dim())
	}
	for i := range est {
		if est[i], err = newEstimator(first + i); err != nil {
			return false, err
		}
		src[i] = rng.Stream(opt.Seed, opt.Stream, first+i)
		if start != nil {
			opt.Start(first+i, start[i*n:(i+1)*n])
		}
	}
	if err := s.ResetChains(start, src); err != nil {
		return false, err
	}
	sch := opt.Schedule
	sch.OnProgress = func(p Progress) { done.Store(math.Float64bits(p.Time * float64(len(est)))) }
	err = Run(ctx, s, sch, parts)
	return parts.begun, err
}

// split is a Recorder of an ensemble that tells each chain's own.
type split[E Recorder] struct {
	est   []E
	n     int // units of a chain
	flips [][]Flip
	begun bool
}

func (p *split[E]) Begin(t float64, z []uint8) error {
	for i, e := range p.est {
		if err := e.Begin(t, z[i*p.n:(i+1)*p.n]); err != nil {
			return err
		}
	}
	p.begun = true
	return nil
}

func (p *split[E]) Record(flips []Flip, t float64) {
	for i := range p.flips {
		p.flips[i] = p.flips[i][:0]
	}
	n := int32(p.n)
	for _, f := range flips {
		i := f.Unit / n
		f.Unit -= i * n
		p.flips[i] = append(p.flips[i], f)
	}
	for i, e := range p.est {
		e.Record(p.flips[i], t)
	}
}

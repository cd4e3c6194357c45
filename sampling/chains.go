package sampling

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Estimator is a Recorder whose estimate adds up over chains. Merge(e) makes the
// receiver the estimate from both; e is not used afterwards.
type Estimator[E any] interface {
	Recorder
	Merge(E) error
}

// ChainOptions says how Chains runs. The zero value of each field is its default.
type ChainOptions struct {
	Schedule
	Seed     uint64 // chain c draws from rng.Stream(Seed, Stream, c)
	Stream   string // name of the random stream; default "chain"
	Chains   int    // number of chains; default 4
	Parallel int    // chains run at a time; default GOMAXPROCS. It never changes the result.
	// Start, if set, writes the start state of a chain to z; by default every sampler
	// draws its own. Chains that all start in one mode cannot show that they are stuck.
	Start func(chain int, z []uint8)
}

// Chains runs independent chains, each with its own sampler, estimator and random
// stream, and merges the estimators in the order of the chains. newSampler and
// newEstimator are called from several goroutines, once per chain.
//
// If ctx ends, Chains returns the merged estimate of what the chains recorded so far
// together with ctx's error; the estimate is the zero E if no chain got past its
// warm-up.
func Chains[E Estimator[E]](ctx context.Context, newSampler func(chain int) (Sampler, error),
	newEstimator func(chain int) (E, error), opt ChainOptions) (E, error) {
	return runChains(ctx, 1, func(ctx context.Context, c int, est []E, done *atomic.Uint64, opt ChainOptions) (started bool, err error) {
		est[0], started, err = runChain(ctx, c, done, newSampler, newEstimator, opt)
		return started, err
	}, opt)
}

// runChains runs blocks of pack chains, of which the last may be smaller, with run, which
// fills in the estimators of the chains from first on.
func runChains[E Estimator[E]](ctx context.Context, pack int,
	run func(ctx context.Context, first int, est []E, done *atomic.Uint64, opt ChainOptions) (started bool, err error), opt ChainOptions) (E, error) {
	var zero E
	if err := opt.Schedule.Validate(); err != nil {
		return zero, err
	}
	n := opt.Chains
	if n == 0 {
		n = 4
	}
	if n < 0 {
		return zero, fmt.Errorf("sampling: Chains = %d: must be ≥ 1 (0: default 4)", n)
	}
	if opt.Parallel < 0 {
		return zero, fmt.Errorf("sampling: Parallel = %d: must be ≥ 1 (0: GOMAXPROCS)", opt.Parallel)
	}
	workers := opt.Parallel
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if opt.Stream == "" {
		opt.Stream = "chain"
	}

	pack = min(pack, n)
	blocks := (n + pack - 1) / pack
	est := make([]E, n)
	started := make([]bool, blocks) // whether the chains got past their warm-up
	errs := make([]error, blocks)
	done := make([]atomic.Uint64, blocks) // float64 bits of the chains' time
	stopProgress := watch(done, float64(n)*(opt.Warmup+opt.Duration), opt.OnProgress)

	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, blocks) {
		wg.Go(func() {
			for b := range next {
				if errs[b] = ctx.Err(); errs[b] == nil { // building a sampler may take long
					started[b], errs[b] = run(ctx, b*pack, est[b*pack:min((b+1)*pack, n)], &done[b], opt)
				}
			}
		})
	}
	for b := range blocks {
		next <- b
	}
	close(next)
	wg.Wait()
	stopProgress()

	var merged E
	have := false
	for c := range n {
		b := c / pack
		if errs[b] != nil && !errors.Is(errs[b], ctx.Err()) {
			return zero, fmt.Errorf("chain %d: %w", c, errs[b])
		}
		if !started[b] {
			continue
		}
		if !have {
			merged, have = est[c], true
		} else if err := merged.Merge(est[c]); err != nil {
			return zero, fmt.Errorf("chain %d: %w", c, err)
		}
	}
	for _, err := range errs {
		if err != nil {
			return merged, err
		}
	}
	return merged, nil
}

// beginning notes that recording has begun.
type beginning struct{ begun bool }

func (b *beginning) Begin(float64, []uint8) error { b.begun = true; return nil }
func (b *beginning) Record([]Flip, float64)       {}

func runChain[E Estimator[E]](ctx context.Context, c int, done *atomic.Uint64,
	newSampler func(int) (Sampler, error), newEstimator func(int) (E, error), opt ChainOptions) (est E, started bool, err error) {
	s, err := newSampler(c)
	if err != nil {
		return est, false, err
	}
	if est, err = newEstimator(c); err != nil {
		return est, false, err
	}
	var start []uint8
	if opt.Start != nil {
		start = make([]uint8, s.Dim())
		opt.Start(c, start)
	}
	if err := s.Reset(start, rng.Stream(opt.Seed, opt.Stream, c)); err != nil {
		return est, false, err
	}
	sch := opt.Schedule
	sch.OnProgress = func(p Progress) { done.Store(math.Float64bits(p.Time)) }
	var b beginning
	err = Run(ctx, s, sch, est, &b)
	return est, b.begun, err
}

// watch calls f about ten times a second with the sum of all chains' times, and a last
// time when the returned function is called.
func watch(done []atomic.Uint64, total float64, f func(Progress)) (stop func()) {
	if f == nil {
		return func() {}
	}
	report := func() {
		sum := 0.0
		for i := range done {
			sum += math.Float64frombits(done[i].Load())
		}
		f(Progress{Time: sum, Total: total})
	}
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				report()
			case <-quit:
				report()
				return
			}
		}
	})
	return func() { close(quit); wg.Wait() }
}

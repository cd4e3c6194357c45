package compare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Candidate is a sampler to compare.
type Candidate struct {
	Name string
	// New makes the sampler of a chain. It is called from several goroutines.
	New func(ctx context.Context, chain int) (sampling.Sampler, error)
	// Spiking says that Time is biological time [ms]; otherwise it is sweeps.
	Spiking bool
	Copies  int     // replicas that run side by side in biological time; default 1
	Setup   float64 // sweeps spent before, which are not part of the budget
	// Wrap, if set, puts a filter before the recorder of modes, as for samples of one phase
	// only. It may then see less than the whole time.
	Wrap func(sampling.Recorder) (sampling.Recorder, error)
	// Note is printed with the result.
	Note string
	// Count, if set, adds what only this kind of sampler knows to the row, summed over
	// chains.
	Count func(s sampling.Sampler, r *Row)
}

// coster is a sampler whose Time is not its work.
type coster interface{ Cost() int64 }

// Options say what is compared. Sweeps, Labels and Start are required.
type Options struct {
	Sweeps float64 // budget of each candidate, all chains together
	Chains int     // default 4
	Seed   uint64
	TauRef float64 // biological time of a sweep [ms]; default 10
	// Labels makes the labels of the modes, for each chain its own.
	Labels func() (estimate.Labels, error)
	// Masses are the exact probabilities of the modes and, last, of none; nil if unknown.
	Masses []float64
	Start  []uint8 // start state of all chains
	MinRun float64 // run-length filter of the modes [sweeps at the target temperature]
	// OnProgress, if set, is told the sweeps done for the candidate of that name.
	OnProgress func(name string, p sampling.Progress)
}

func (o *Options) fill() error {
	if o.Chains == 0 {
		o.Chains = 4
	}
	if o.TauRef == 0 {
		o.TauRef = 10
	}
	var errs []error
	if !(o.Sweeps > 0) || math.IsInf(o.Sweeps, 0) {
		errs = append(errs, fmt.Errorf("compare: budget of %v sweeps: must be finite and > 0", o.Sweeps))
	}
	if o.Chains < 1 {
		errs = append(errs, fmt.Errorf("compare: Chains = %d: must be ≥ 1 (0: default 4)", o.Chains))
	}
	if !(o.TauRef > 0) || math.IsInf(o.TauRef, 0) {
		errs = append(errs, fmt.Errorf("compare: TauRef = %v ms: must be finite and > 0 (0: default 10)", o.TauRef))
	}
	if o.Labels == nil || o.Start == nil {
		errs = append(errs, errors.New("compare: Labels or Start is missing"))
	}
	return errors.Join(errs...)
}

// Run runs the candidate. If ctx ends it returns the row of what was done until then,
// marked Partial, and ctx's error; the row is nil if nothing was recorded.
func Run(ctx context.Context, c Candidate, o Options) (*Row, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	if c.Copies == 0 {
		c.Copies = 1
	}
	chains := make([]*run, o.Chains)
	errs := make([]error, o.Chains)
	var done atomic.Uint64 // sweeps
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), o.Chains) {
		wg.Go(func() {
			for i := range next {
				chains[i] = &run{c: c, o: o}
				errs[i] = chains[i].do(ctx, i, func(sweeps float64) {
					if o.OnProgress != nil {
						o.OnProgress(c.Name, sampling.Progress{Time: float64(done.Add(uint64(sweeps))), Total: o.Sweeps})
					}
				})
			}
		})
	}
	for i := range o.Chains {
		next <- i
	}
	close(next)
	wg.Wait()
	var stopped error
	for i, err := range errs {
		if err != nil && !errors.Is(err, ctx.Err()) {
			return nil, fmt.Errorf("%s: chain %d: %w", c.Name, i, err)
		}
		if err != nil {
			stopped = err
		}
	}
	row, err := summary(c, o, chains)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if row != nil {
		row.Partial = stopped != nil
	}
	return row, stopped
}

// run is one chain of a candidate.
type run struct {
	c       Candidate
	o       Options
	sampler sampling.Sampler
	modes   *estimate.Modes // nil before recording
	begun   float64         // sweeps done before recording
	cost    Cost
	points  []point
}

// Cost is what was spent, in three currencies.
type Cost struct {
	Sweeps float64
	BioMS  float64
	Wall   time.Duration
}

// point is the state of a chain at a checkpoint.
type point struct {
	at   Cost
	mass []float64 // shares of time so far; nil if no time was recorded
}

// marks is the number of checkpoints in a factor of ten.
const marks = 10

// do runs chain i; tell is told the sweeps done since it was called last.
func (r *run) do(ctx context.Context, i int, tell func(sweeps float64)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if r.sampler, err = r.c.New(ctx, i); err != nil {
		return err
	}
	labels, err := r.o.Labels()
	if err != nil {
		return err
	}
	unit := 1.0 // a sweep at the target temperature, in the sampler's time
	if r.c.Spiking {
		unit = r.o.TauRef
	}
	modes, err := estimate.NewModes(labels, estimate.ModesOptions{MinRun: r.o.MinRun * unit, Step: unit})
	if err != nil {
		return err
	}
	var rec sampling.Recorder = modes
	if r.c.Wrap != nil {
		if rec, err = r.c.Wrap(modes); err != nil {
			return err
		}
	}
	begin := time.Now()
	s := r.sampler
	if err := s.Reset(r.o.Start, rng.Stream(r.o.Seed, r.c.Name, i)); err != nil {
		return err
	}
	if a, ok := s.(interface{ Adapt(context.Context) error }); ok { // part of the budget
		if err := a.Adapt(ctx); err != nil {
			return err
		}
	}
	if err := rec.Begin(s.Time(), s.State()); err != nil {
		return err
	}
	work := func() float64 {
		if c, ok := s.(coster); ok {
			return float64(c.Cost())
		}
		return s.Time() / unit
	}
	r.modes, r.begun = modes, work()
	budget := r.o.Sweeps / float64(r.o.Chains)
	buf := make([]sampling.Flip, 0, max(4096, 2*s.Dim()))
	_, step := s.(coster)
	told := 0.0
	for _, at := range checkpoints(budget) {
		for work() < at {
			if err := ctx.Err(); err != nil {
				r.spent(work(), begin)
				return err
			}
			// A sweep at a time where the work of one is not known, else in parts.
			target := s.Time() + unit
			if !step {
				target = s.Time() + min(at-work(), 1000)*unit
			}
			flips, err := s.Advance(target, buf)
			if err != nil {
				return err
			}
			rec.Record(flips, s.Time())
			if w := work(); w-told >= 500 {
				tell(w - told)
				told = w
			}
		}
		r.spent(work(), begin)
		p := point{at: r.cost}
		if modes.Time() > 0 { // else all went into adaptation
			p.mass = modes.P()
		}
		r.points = append(r.points, p)
	}
	tell(work() - told)
	return nil
}

// spent notes the cost so far.
func (r *run) spent(sweeps float64, begin time.Time) {
	r.cost = Cost{Sweeps: sweeps, BioMS: sweeps / float64(r.c.Copies) * r.o.TauRef, Wall: time.Since(begin)}
}

// checkpoints are the sweeps at which to look: from a hundredth of the budget on.
func checkpoints(budget float64) []float64 {
	var at []float64
	for k := 2 * marks; k >= 0; k-- {
		at = append(at, budget*math.Pow(10, -float64(k)/marks))
	}
	return at
}

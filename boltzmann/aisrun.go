package boltzmann

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// AIS estimates log Z by annealed importance sampling (Neal 2001; for RBMs Salakhutdinov
// and Murray 2008). Chains go from independent visible units of biases b0 and uniform
// hidden units (β = 0, exactly solvable) to the machine (β = 1) through the marginals
//
//	log p*_k(v) = (1−β_k) b0ᵀv + β_k bᵀv + Σ_j log(1 + exp(β_k (c + Wᵀv)_j)),
//	log w = Σ_k [log p*_k(v_{k−1}) − log p*_{k−1}(v_{k−1})],
//	log Ẑ = log mean w + Σ_i log(1 + exp(b0_i)) + nh log 2,
//
// where v_k follows from v_{k−1} by one blocked Gibbs step for p*_k. Ẑ is unbiased, so
// log Ẑ is too small on average: a stochastic lower bound, and alone it can flatter a
// model by many nats. Set it beside the upper bound of ReverseAIS.
//
// If ctx ends, AIS returns its error.
func AIS(ctx context.Context, r *RBM, o AISOptions) (AISResult, error) {
	if r == nil {
		return AISResult{}, errors.New("boltzmann: AIS: machine is nil")
	}
	betas, err := o.betas(r)
	if err != nil {
		return AISResult{}, err
	}
	if o.Chains == 0 {
		o.Chains = defaultChains
	}
	return o.run(ctx, r, betas, o.Chains, nil)
}

// ReverseAIS estimates log Z by annealing backwards (Burda, Grosse and Salakhutdinov 2015):
// every chain goes from one of the visible states in start, samples of the machine, to
// the base, and log Ẑ = log Z_base − log mean w. If the starts are exact samples (see
// [Layered.Samples]), log Ẑ is too large on average, a stochastic upper bound; starts from
// a chain that has not seen all modes void it. Levels, base and randomness are as in AIS;
// Chains must be 0 or the number of starts.
func ReverseAIS(ctx context.Context, r *RBM, start [][]uint8, o AISOptions) (AISResult, error) {
	if r == nil {
		return AISResult{}, errors.New("boltzmann: ReverseAIS: machine is nil")
	}
	betas, err := o.betas(r)
	if err != nil {
		return AISResult{}, err
	}
	if len(start) == 0 {
		return AISResult{}, errors.New("boltzmann: ReverseAIS: no starts: must have at least one sample of the machine")
	}
	if o.Chains != 0 && o.Chains != len(start) {
		return AISResult{}, fmt.Errorf("boltzmann: ReverseAIS: Chains = %d with %d starts: must be the same or 0", o.Chains, len(start))
	}
	if err := r.checkVisible("ReverseAIS: start", start); err != nil {
		return AISResult{}, err
	}
	return o.run(ctx, r, betas, len(start), start)
}

// run anneals all chains; with start, backwards.
func (o AISOptions) run(ctx context.Context, r *RBM, betas []float64, chains int, start [][]uint8) (AISResult, error) {
	base := o.Base
	if base == nil {
		base = make([]float64, r.Visible())
	}
	workers := o.Parallel
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if o.Quantised {
		return o.runFast(ctx, r, betas, base, chains, workers, start)
	}
	logW := make([]float64, chains)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, chains) {
		wg.Go(func() {
			a := newAnneal(r, betas, base)
			for c := range next {
				a.r = rand.New(rng.Stream(o.Seed, "ais", c))
				if start == nil {
					logW[c] = a.up(ctx)
				} else {
					logW[c] = a.down(ctx, start[c])
				}
			}
		})
	}
	for c := range chains {
		next <- c
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return AISResult{}, err
	}
	return newAISResult(logW, logZBase(base, r.Hidden()), start != nil), nil
}

// logZBase is log Z at β = 0.
func logZBase(base []float64, hidden int) float64 {
	return softplusSum(base, 1) + softplusSum(make([]float64, hidden), 1)
}

// anneal is one chain of AIS.
type anneal struct {
	m     *RBM
	betas []float64
	base  []float64 // b0
	r     *rand.Rand

	v, h []uint8
	a    []float64 // c + Wᵀv
	x    []float64 // b + Wh
}

func newAnneal(m *RBM, betas, base []float64) *anneal {
	return &anneal{m: m, betas: betas, base: base,
		v: make([]uint8, m.Visible()), h: make([]uint8, m.Hidden()),
		a: make([]float64, m.Hidden()), x: make([]float64, m.Visible())}
}

// up anneals from the base to the machine and returns log w. If ctx ends it stops early
// with a number of no meaning.
func (a *anneal) up(ctx context.Context) float64 {
	for i, b := range a.base {
		a.v[i] = heatbath.Below(a.r.Float64(), b)
	}
	a.m.hiddenLogits(a.a, a.v)
	logW := 0.0
	last := len(a.betas) - 1
	for k := 1; k <= last && ctx.Err() == nil; k++ {
		logW += a.logRatio(a.betas[k-1], a.betas[k])
		if k < last {
			a.step(a.betas[k])
		}
	}
	return logW
}

// down anneals from a sample of the machine to the base and returns log w. It is up read
// backwards: the steps are reversible with respect to p*_k.
func (a *anneal) down(ctx context.Context, start []uint8) float64 {
	copy(a.v, start)
	a.m.hiddenLogits(a.a, a.v)
	logW := 0.0
	for k := len(a.betas) - 1; k >= 1 && ctx.Err() == nil; k-- {
		logW += a.logRatio(a.betas[k], a.betas[k-1])
		if k > 1 {
			a.step(a.betas[k-1])
		}
	}
	return logW
}

// logRatio is log p*(v; to) − log p*(v; from).
func (a *anneal) logRatio(from, to float64) float64 {
	bias := 0.0
	for i, on := range a.v {
		if on != 0 {
			bias += a.m.b[i] - a.base[i]
		}
	}
	return (to-from)*bias + softplusSum(a.a, to) - softplusSum(a.a, from)
}

// step draws h given v and v given h at level beta: a reversible kernel on v.
func (a *anneal) step(beta float64) {
	for j, u := range a.a {
		a.h[j] = heatbath.Below(a.r.Float64(), beta*u)
	}
	a.m.visibleLogits(a.x, a.h)
	for i, u := range a.x {
		a.v[i] = heatbath.Below(a.r.Float64(), (1-beta)*a.base[i]+beta*u)
	}
	a.m.hiddenLogits(a.a, a.v)
}

package boltzmann

import (
	"context"
	"math"
	"math/bits"
	"sync"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// runFast is run with the fast kernels, in blocks of 16 chains.
func (o AISOptions) runFast(ctx context.Context, r *RBM, betas, base []float64, chains, workers int, start [][]uint8) (AISResult, error) {
	q, info, err := Quantise(r)
	if err != nil {
		return AISResult{}, err
	}
	blocks := (chains + fastBlock - 1) / fastBlock
	all := make([]*fastAnneal, min(workers, blocks))
	for i := range all {
		core, err := newFastCore(info.Grid, q.first, min(chains, fastBlock))
		if err != nil {
			return AISResult{}, err
		}
		all[i] = newFastAnneal(core, q, betas, base)
	}
	logW := make([]float64, chains)
	next := make(chan int)
	var wg sync.WaitGroup
	for _, a := range all {
		wg.Go(func() {
			for b := range next {
				from, to := b*fastBlock, min((b+1)*fastBlock, chains)
				for c := from; c < to; c++ {
					a.s[c-from].Seed(rng.Stream(o.Seed, "ais", c).Uint64)
				}
				if start == nil {
					a.up(ctx, logW[from:to])
				} else {
					a.down(ctx, logW[from:to], start[from:to])
				}
			}
		})
	}
	for b := range blocks {
		next <- b
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return AISResult{}, err
	}
	return newAISResult(logW, logZBase(base, r.Hidden()), start != nil), nil
}

// fastAnneal is anneal for up to 16 chains at a time.
type fastAnneal struct {
	*fastLayers
	betas, base []float64
}

func newFastAnneal(core *fastCore, q *RBM, betas, base []float64) *fastAnneal {
	a := &fastAnneal{fastLayers: newFastLayers(core, &q.Layered), betas: betas, base: base}
	for _, b := range base {
		if b != 0 {
			a.offsets = make([]float32, a.start[1])
			break
		}
	}
	return a
}

// up fills logW, as anneal.up does for one chain.
func (a *fastAnneal) up(ctx context.Context, logW []float64) {
	clear(a.z)
	a.setLevel(0)
	a.draw(0, 0, len(logW))
	a.begin(logW)
	last := len(a.betas) - 1
	for k := 1; k <= last && ctx.Err() == nil; k++ {
		a.addRatios(logW, a.betas[k-1], a.betas[k])
		if k < last {
			a.step(a.betas[k], len(logW))
		}
	}
}

// down fills logW, as anneal.down does for one chain.
func (a *fastAnneal) down(ctx context.Context, logW []float64, start [][]uint8) {
	clear(a.z)
	for c, v := range start {
		for i, on := range v {
			a.bits(c)[i/64] |= uint64(on) << (i % 64)
		}
	}
	a.begin(logW)
	for k := len(a.betas) - 1; k >= 1 && ctx.Err() == nil; k-- {
		a.addRatios(logW, a.betas[k], a.betas[k-1])
		if k > 1 {
			a.step(a.betas[k-1], len(logW))
		}
	}
}

// begin takes up the visible states.
func (a *fastAnneal) begin(logW []float64) {
	clear(logW)
	for c := range logW {
		a.load(c)
	}
}

// setLevel sets β and the offsets (1−β) b0 of the visible units.
func (a *fastAnneal) setLevel(beta float64) {
	for c := range a.inv {
		a.setBeta(c, beta)
	}
	if a.offsets != nil {
		for i, b := range a.base {
			a.offsets[i] = gibbskernel.Offset((1 - beta) * b)
		}
	}
}

// step draws h given v and v given h at level beta.
func (a *fastAnneal) step(beta float64, chains int) {
	a.setLevel(beta)
	a.draw(1, 0, chains)
	a.compute(0, 0, chains, false)
	a.draw(0, 0, chains)
	a.compute(1, 0, chains, false)
}

// addRatios adds log p*(v; to) − log p*(v; from) of every chain.
func (a *fastAnneal) addRatios(logW []float64, from, to float64) {
	for c := range logW {
		v := a.in(0, a.bits(c))
		bias := a.grid * float64(onSum(v, a.b))
		if a.offsets != nil {
			for i, w := range v {
				for ; w != 0; w &= w - 1 {
					bias -= a.base[64*i+bits.TrailingZeros64(w)]
				}
			}
		}
		x := a.fields(1, c)
		logW[c] += (to-from)*bias + a.softplus(x, to) - a.softplus(x, from)
	}
}

// softplus is Σ log(1 + exp(βg x)) over hidden units with fields x. Padding units count for
// something close to β = 0; that is taken away.
func (a *fastAnneal) softplus(x []int32, beta float64) (sum float64) {
	const most = gibbskernel.MaxSoftplusGroups * gibbskernel.Group
	padding := len(x) - (a.first[2] - a.first[1])
	sum = -float64(padding) * math.Log1p(math.Exp(beta*a.grid*gibbskernel.Never))
	for len(x) > 0 {
		n := min(len(x), most)
		s := gibbskernel.Softplus{X: &x[0], Groups: int64(n / gibbskernel.Group), Scale: gibbskernel.Scale(beta, a.grid)}
		s.Run(a.path)
		sum += s.Log(beta, a.grid)
		x = x[n:]
	}
	return sum
}

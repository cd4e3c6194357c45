package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/npy"
)

// walker is what CAST needs of a chain.
type walker struct {
	s      gibbskernel.Streams
	beta   float64
	energy float64 // [nats] after the last sweep, if asked for
}

func (w *walker) self() *walker { return w }

// tempered are the fast chains of CAST: a chain at level k has the law p(v, h)^β_k, and
// levels have the weights g_k.
type tempered[C interface{ self() *walker }] struct {
	o      CastOptions
	chains []C
	level  []int
	g      []float64 // [nats]
	count  []int     // chains by level, scratch
	swaps  int64
}

func newTempered[C interface{ self() *walker }](o CastOptions, chains []C) *tempered[C] {
	return &tempered[C]{o: o, chains: chains, level: make([]int, len(chains)),
		g: make([]float64, len(o.Ladder)), count: make([]int, len(o.Ladder))}
}

// walk ends a sweep of update t: it learns the weights (Wang and Landau 2001), then proposes
// level k±1 to every chain, with probability 1/2 each, out of range meaning stay, and accepts
// with min(1, exp((β_k − β_k')E + g_k − g_k')).
func (f *tempered[C]) walk(t int64) {
	clear(f.count)
	for _, k := range f.level {
		f.count[k]++
	}
	gain := f.o.Gain / (1 + float64(t)/f.o.Tau) / float64(len(f.chains))
	for k, n := range f.count {
		f.g[k] += gain * float64(n)
	}
	for k := len(f.g) - 1; k >= 0; k-- { // only differences matter
		f.g[k] -= f.g[0]
	}
	for m, chain := range f.chains {
		c := chain.self()
		var w [gibbskernel.Group]uint32
		c.s.Words(&w)
		k := f.level[m]
		next := k + 1
		if w[0]>>31 == 1 {
			next = k - 1
		}
		if next < 0 || next == len(f.g) {
			continue
		}
		u := (float64(w[1]) + 0.5) / (1 << 32)
		if math.Log(u) < (f.o.Ladder[k]-f.o.Ladder[next])*c.energy+f.g[k]-f.g[next] {
			f.level[m], c.beta = next, f.o.Ladder[next]
		}
	}
}

// swap exchanges every chain at β = 1 with its slow one.
func (f *tempered[C]) swap(slow []C) {
	for m, k := range f.level {
		if k == 0 {
			slow[m], f.chains[m] = f.chains[m], slow[m]
			f.swaps++
		}
	}
}

// cold is the share of chains at β = 1.
func (f *tempered[C]) cold() float64 {
	n := 0
	for _, k := range f.level {
		if k == 0 {
			n++
		}
	}
	return float64(n) / float64(len(f.level))
}

// arrays are levels, log-weights and the count of swaps, for a checkpoint.
func (f *tempered[C]) arrays() npy.Archive {
	level := make([]int64, len(f.level))
	for i, k := range f.level {
		level[i] = int64(k)
	}
	return npy.Archive{{Name: "cast/level", Array: npy.New(level, len(level))},
		{Name: "cast/g", Array: npy.New(f.g, len(f.g))},
		{Name: "cast/swaps", Array: npy.New([]int64{f.swaps})}}
}

// restore is the inverse of arrays.
func (f *tempered[C]) restore(a npy.Archive) error {
	level, errL := npy.Get[int64](a, "cast/level", len(f.level))
	g, errG := npy.Get[float64](a, "cast/g", len(f.g))
	swaps, errS := npy.Get[int64](a, "cast/swaps")
	if err := errors.Join(errL, errG, errS); err != nil {
		return err
	}
	for i, k := range level {
		if k < 0 || k >= int64(len(f.g)) {
			return fmt.Errorf("level %d of chain %d: must be 0 to %d", k, i, len(f.g)-1)
		}
		f.level[i], f.chains[i].self().beta = int(k), f.o.Ladder[k]
	}
	for k, x := range g {
		if x-x != 0 { // NaN or infinite
			return fmt.Errorf("log-weight of level %d is %v: must be finite", k, x)
		}
		f.g[k] = x
	}
	f.swaps = swaps[0]
	return nil
}

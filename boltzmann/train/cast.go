package train

import (
	"math"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
)

// tempered are the fast chains of CAST: a chain at level k has the law p(v, h)^β_k, and
// levels have the weights g_k.
type tempered struct {
	o      CastOptions
	chains []*chain
	level  []int
	g      []float64 // [nats]
	count  []int     // chains by level, scratch
	swaps  int64
}

func newTempered(o CastOptions, chains []*chain) *tempered {
	return &tempered{o: o, chains: chains, level: make([]int, len(chains)),
		g: make([]float64, len(o.Ladder)), count: make([]int, len(o.Ladder))}
}

// walk ends a sweep of update t: it learns the weights (Wang and Landau 2001), then proposes
// level k±1 to every chain, with probability 1/2 each, out of range meaning stay, and accepts
// with min(1, exp((β_k − β_k')E + g_k − g_k')).
func (f *tempered) walk(t int64) {
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
	for m, c := range f.chains {
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
func (f *tempered) swap(slow []*chain) {
	for m, k := range f.level {
		if k == 0 {
			slow[m], f.chains[m] = f.chains[m], slow[m]
			f.swaps++
		}
	}
}

// cold is the share of chains at β = 1.
func (f *tempered) cold() float64 {
	n := 0
	for _, k := range f.level {
		if k == 0 {
			n++
		}
	}
	return float64(n) / float64(len(f.level))
}

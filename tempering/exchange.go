package tempering

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Scheme says which neighbouring pairs try to swap after a scan.
type Scheme int

const (
	// DEO, deterministic even-odd, tries pairs (0,1), (2,3), … after even scans and (1,2),
	// (3,4), … after odd ones. It is not reversible: replicas keep their direction, and
	// round trips take of order K scans rather than K² (Okabe et al. 2001; Syed et al. 2022).
	DEO Scheme = iota
	// SEO, stochastic even-odd, draws the parity each time. It is reversible.
	SEO
)

// String is the name of the scheme.
func (s Scheme) String() string {
	switch s {
	case DEO:
		return "DEO"
	case SEO:
		return "SEO"
	}
	return fmt.Sprintf("Scheme(%d)", int(s))
}

func (s Scheme) validate() error {
	if s != DEO && s != SEO {
		return fmt.Errorf("tempering: Scheme = %v: must be DEO or SEO", s)
	}
	return nil
}

// exchange is the index process of parallel tempering: which replica is at which level.
type exchange struct {
	at    []int   // replica at each level
	phase []int8  // of each replica: has seen no end yet, level 0 last, or K−1 after 0
	trips []int64 // round trips 0 → K−1 → 0 of each replica
	scans int64   // since restart; its parity is that of DEO

	rejected []float64 // sum over tries of the probability to be rejected, by pair
	tried    []int64
}

const (
	unseen int8 = iota
	outward
	inward
)

func newExchange(levels int) *exchange {
	return &exchange{at: make([]int, levels), phase: make([]int8, levels), trips: make([]int64, levels),
		rejected: make([]float64, levels-1), tried: make([]int64, levels-1)}
}

// restart puts replica k at level k and all counts at 0.
func (x *exchange) restart() {
	for k := range x.at {
		x.at[k] = k
	}
	x.scans = 0
	x.clearCounts()
}

// clearCounts puts the counts at 0 and leaves the replicas where they are.
func (x *exchange) clearCounts() {
	clear(x.trips)
	clear(x.rejected)
	clear(x.tried)
	clear(x.phase)
	x.phase[x.at[0]] = outward
}

// round tries the pairs (k, k+1) whose turn it is; logRatio gives the log of the
// acceptance ratio of replicas i and j, at levels k and k+1.
func (x *exchange) round(scheme Scheme, r *rand.Rand, logRatio func(k, i, j int) float64) {
	k := int(x.scans & 1)
	if scheme == SEO {
		k = int(r.Uint64() >> 63)
	}
	x.scans++
	for ; k+1 < len(x.at); k += 2 {
		l := logRatio(k, x.at[k], x.at[k+1])
		x.tried[k]++
		x.rejected[k] += 1 - math.Exp(min(0, l))
		if accept(l, r) {
			x.at[k], x.at[k+1] = x.at[k+1], x.at[k]
		}
	}
	cold, hot := x.at[0], x.at[len(x.at)-1]
	if x.phase[cold] == inward {
		x.trips[cold]++
	}
	x.phase[cold] = outward
	if x.phase[hot] == outward {
		x.phase[hot] = inward
	}
}

// rejections are the mean probabilities of rejection by pair, NaN where never tried.
func (x *exchange) rejections() []float64 {
	r := make([]float64, len(x.tried))
	for k, n := range x.tried {
		r[k] = x.rejected[k] / float64(n)
	}
	return r
}

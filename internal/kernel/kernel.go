// Package kernel holds the inner loops of the fast LIF engine, in portable Go and in AVX2
// assembly. All paths give the same bits.
//
// State is float32 in arrays padded to groups of 16 units. A potential v is relative to
// threshold and in an arbitrary unit, a current j is what it adds to v in one step. One
// step of a unit, in this order of operations and without fused multiply-adds:
//
//	v' = v·A + (j + c)                        membrane
//	spike if v' ≥ +0 and not refractory
//	v  = v' if v' < 0 and not refractory, else Reset
//	j  = j·P + (e·W + Off)                    synapse decays, e counts background events
//
// The refractory state is a bit per unit, and a ring of the spike masks of the last τ_ref
// takes it away again: ref = (ref AND NOT ring[t−τ_ref]) OR spikes. It is the binary state
// z. Padding units are refractory for ever. A refractory unit has v = Reset, from the start
// on.
//
// The number e of background events is drawn by Walker's alias method from one 32-bit
// word a unit: its high 4 or 5 bits are the column of 16 or 32, and the whole word is
// compared with the column's threshold, to 2⁻³². The cost does not depend on the rate
// otherwise. The words of units 2i and 2i+1 are the halves of the
// output of a xoroshiro128+ generator (Blackman and Vigna 2018) of their own.
package kernel

import (
	"fmt"
	"math"
	"os"
)

// Group is the number of units that a state is padded to.
const Group = 16

// Block is the state of a network and the constants of a step. The assembly reads it by
// offset; a test compares them.
type Block struct {
	V, J, C *float32 // potentials, currents, constant drive of one step; 16·Groups each
	S       *uint64  // random streams: for every group, 8 first words, then 8 second words
	Ref     *byte    // refractory bits, 2·Groups bytes
	Ring    *byte    // spike masks of RingLen steps, 2·Groups bytes each
	Groups  int64
	RingLen int64
	Slot    int64 // of the next step in the ring
	Limit   int64 // in: steps to do; out: steps done
	Any     int64 // out: nonzero iff the last step had a spike
	Columns int64 // of the alias table, 16 or 32
	A       Lanes
	P       Lanes
	Reset   Lanes
	W, Off  Lanes
	Thr     [32]int32 // alias thresholds, in the order of the words as signed numbers
	Alias   [32]byte  // outcome on the other side of the threshold
}

// Lanes are eight copies of a constant.
type Lanes [8]float32

// All is a constant in all lanes.
func All(x float32) Lanes { return Lanes{x, x, x, x, x, x, x, x} }

// Deliver describes the spikes to deliver at once: J += Σ_i F[i]·Rows[Unit[i]].
type Deliver struct {
	J      *float32
	Rows   *float32 // weights, a row of 16·Groups per sender
	Unit   *int32   // senders, ascending
	F      *float32 // factor of each
	Groups int64
	N      int64 // spikes, ≥ 1
}

// Path is a code path.
type Path int

const (
	Portable Path = iota
	AVX2
)

func (p Path) String() string {
	switch p {
	case Portable:
		return "portable"
	case AVX2:
		return "avx2"
	}
	return fmt.Sprintf("Path(%d)", int(p))
}

// Paths are the code paths this machine can run, the fastest last.
func Paths() []Path {
	if hasAVX2 {
		return []Path{Portable, AVX2}
	}
	return []Path{Portable}
}

// PathVariable is the environment variable that forces a code path by its name.
const PathVariable = "SPIKESAMPLING_PATH"

// Choose is the fastest path of this machine, or the one that PathVariable names.
func Choose() (Path, error) {
	paths := Paths()
	name := os.Getenv(PathVariable)
	if name == "" {
		return paths[len(paths)-1], nil
	}
	for _, p := range paths {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%s=%s: must be one of %v on this machine", PathVariable, name, paths)
}

// Step advances b until a step with a spike or until b.Limit steps are done.
func (p Path) Step(b *Block) {
	switch {
	case p != AVX2:
		stepPortable(b)
	case b.Columns == 16:
		stepAVX2(b)
	default:
		step32AVX2(b)
	}
}

// Floor is Step with the noise left out, j = j·P: membrane, threshold, refractory bits and
// stores. It is there to compare Step with.
func (p Path) Floor(b *Block) {
	if p == AVX2 {
		floorAVX2(b)
		return
	}
	noiseless := *b
	noiseless.W, noiseless.Off = Lanes{}, Lanes{}
	stepPortable(&noiseless)
	b.Limit, b.Any, b.Slot = noiseless.Limit, noiseless.Any, noiseless.Slot
}

// Deliver adds the spikes of d.
func (p Path) Deliver(d *Deliver) {
	if p == AVX2 {
		deliverAVX2(d)
		return
	}
	deliverPortable(d)
}

// SetNoise fills the alias table so that e − len(prob)/2 has the law prob, which lists the
// probabilities of −len(prob)/2 ... len(prob)/2−1 and sums to 1. Its length is 16 or 32.
func (b *Block) SetNoise(prob []float64) {
	// Walker's method: columns of equal weight, each with at most two outcomes. The word
	// is uniform over [col·width, (col+1)·width) within column col.
	n := len(prob)
	width := int64(1<<32) / int64(n)
	b.Columns = int64(n)
	q := make([]float64, n)
	var small, large []int
	for i, p := range prob {
		q[i] = p * float64(n)
		if q[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	set := func(col int, share float64, alias int) {
		own := max(0, min(width-1, int64(math.Round(share*float64(width)))))
		if alias == col { // the whole column is its own outcome
			own = width - 1
		}
		b.Thr[col] = int32(uint32(int64(col)*width + own))
		b.Alias[col] = byte(alias)
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		set(s, q[s], l)
		if q[l] -= 1 - q[s]; q[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(large, small...) {
		set(i, 1, i)
	}
}

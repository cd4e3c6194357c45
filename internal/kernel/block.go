package kernel

import (
	"math"
	"math/bits"
	"unsafe"
)

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

// Step advances b until a step with a spike or until b.Limit steps are done.
func (p Path) Step(b *Block) {
	narrow := b.Columns == 16
	switch {
	case p == AVX512 && narrow:
		stepAVX512(b)
	case p == AVX512:
		step32AVX512(b)
	case p == AVX2 && narrow:
		stepAVX2(b)
	case p == AVX2:
		step32AVX2(b)
	default:
		stepPortable(b)
	}
}

// Floor is Step with the noise left out, j = j·P: membrane, threshold, refractory bits and
// stores. It is there to compare Step with.
func (p Path) Floor(b *Block) {
	switch p {
	case AVX512:
		floorAVX512(b)
	case AVX2:
		floorAVX2(b)
	default:
		noiseless := *b
		noiseless.W, noiseless.Off = Lanes{}, Lanes{}
		stepPortable(&noiseless)
		b.Limit, b.Any, b.Slot = noiseless.Limit, noiseless.Any, noiseless.Slot
	}
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

// stepPortable is Step in Go. Conversions to float32 keep every platform from fusing.
func stepPortable(b *Block) {
	groups := int(b.Groups)
	n := groups * Group
	v, j, c := unsafe.Slice(b.V, n), unsafe.Slice(b.J, n), unsafe.Slice(b.C, n)
	s := unsafe.Slice(b.S, n)
	ref := unsafe.Slice(b.Ref, 2*groups)
	ring := unsafe.Slice(b.Ring, 2*groups*int(b.RingLen))
	limit := b.Limit
	a, p, reset := b.A[0], b.P[0], b.Reset[0]
	// What a column brings beyond its threshold and below it, side by side.
	var brings [64]float32
	for i := range b.Alias {
		brings[2*i] = float32(float32(b.Alias[i])*b.W[0]) + b.Off[0]
		brings[2*i+1] = float32(float32(i)*b.W[0]) + b.Off[0]
	}
	shift := uint(28)
	if b.Columns == 32 {
		shift = 27
	}
	background := func(w uint32) float32 {
		col := w >> shift & 31
		own := uint64(int64(int32(w))-int64(b.Thr[col])) >> 63
		return brings[(2*uint64(col)+own)&63]
	}
	b.Any = 0
	for b.Limit = 0; b.Limit < limit && b.Any == 0; b.Limit++ {
		old := ring[2*groups*int(b.Slot):][:2*groups]
		for g := range groups {
			vv, jj, cc := (*[16]float32)(v[16*g:]), (*[16]float32)(j[16*g:]), (*[16]float32)(c[16*g:])
			r := uint32(ref[2*g]) | uint32(ref[2*g+1])<<8
			spikes := uint32(0)
			for free := ^r & 0xffff; free != 0; free &= free - 1 { // the others have v = Reset
				k := bits.TrailingZeros32(free) & 15
				u := float32(vv[k]*a) + float32(jj[k]+cc[k])
				if math.Float32bits(u)>>31 == 0 {
					spikes |= 1 << k
					u = reset
				}
				vv[k] = u
			}
			s0, s1 := (*[8]uint64)(s[16*g:]), (*[8]uint64)(s[16*g+8:])
			for i := range s0 {
				word := next(&s0[i], &s1[i])
				jj[2*i] = float32(jj[2*i]*p) + background(uint32(word))
				jj[2*i+1] = float32(jj[2*i+1]*p) + background(uint32(word>>32))
			}
			r = r&^(uint32(old[2*g])|uint32(old[2*g+1])<<8) | spikes
			ref[2*g], ref[2*g+1] = byte(r), byte(r>>8)
			old[2*g], old[2*g+1] = byte(spikes), byte(spikes>>8)
			b.Any |= int64(spikes)
		}
		if b.Slot++; b.Slot == b.RingLen {
			b.Slot = 0
		}
	}
}

// next is one output of xoroshiro128+.
func next(p0, p1 *uint64) uint64 {
	s0, s1 := *p0, *p1
	r := s0 + s1
	s1 ^= s0
	*p0 = (s0<<24 | s0>>40) ^ s1 ^ s1<<16
	*p1 = s1<<37 | s1>>27
	return r
}

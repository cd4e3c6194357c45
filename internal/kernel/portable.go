package kernel

import (
	"math"
	"unsafe"
)

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
	// What a column brings below and above its threshold.
	var own, alias [32]float32
	for i := range own {
		own[i] = float32(float32(i)*b.W[0]) + b.Off[0]
		alias[i] = float32(float32(b.Alias[i])*b.W[0]) + b.Off[0]
	}
	shift := uint(28)
	if b.Columns == 32 {
		shift = 27
	}
	b.Any = 0
	for b.Limit = 0; b.Limit < limit && b.Any == 0; b.Limit++ {
		old := ring[2*groups*int(b.Slot):][:2*groups]
		for g := range groups {
			s0, s1 := (*[8]uint64)(s[16*g:]), (*[8]uint64)(s[16*g+8:])
			for h := range 2 { // halves of 8 units, a byte of bits each
				base := 16*g + 8*h
				vv, jj, cc := (*[8]float32)(v[base:]), (*[8]float32)(j[base:]), (*[8]float32)(c[base:])
				r := uint32(ref[2*g+h])
				spikes := uint32(0)
				for l := range 4 {
					i := 4*h&7 + l
					word := next(&s0[i], &s1[i])
					for q := range 2 {
						k := (2*l + q) & 7
						w := uint32(word >> (32 * q))
						col := w >> shift & 31
						x := own[col]
						if int32(w) >= b.Thr[col] {
							x = alias[col]
						}
						jk := jj[k]
						jj[k] = float32(jk*p) + x
						if r>>k&1 != 0 {
							continue // v is Reset
						}
						u := float32(vv[k]*a) + float32(jk+cc[k])
						if math.Float32bits(u)>>31 == 0 {
							spikes |= 1 << k
							u = reset
						}
						vv[k] = u
					}
				}
				ref[2*g+h] = byte(r&^uint32(old[2*g+h]) | spikes)
				old[2*g+h] = byte(spikes)
				b.Any |= int64(spikes)
			}
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

func deliverPortable(d *Deliver) {
	n := int(d.Groups) * Group
	j := unsafe.Slice(d.J, n)
	unit, f := unsafe.Slice(d.Unit, d.N), unsafe.Slice(d.F, d.N)
	for i, u := range unit {
		row := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(d.Rows), int(u)*n*4)), n)
		x := f[i]
		for k, w := range row {
			j[k] += float32(x * w)
		}
	}
}

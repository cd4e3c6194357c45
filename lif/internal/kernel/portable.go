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
	b.Any = 0
	for b.Limit = 0; b.Limit < limit && b.Any == 0; b.Limit++ {
		old := ring[2*groups*int(b.Slot):][:2*groups]
		for g := range groups {
			s0, s1 := s[16*g:16*g+8], s[16*g+8:16*g+16]
			for h := range 2 { // halves of 8 units, a byte of bits each
				r := uint32(ref[2*g+h])
				keep := uint32(0)
				for l := range 4 {
					word := next(&s0[4*h+l], &s1[4*h+l])
					for i := range 2 {
						k := 16*g + 8*h + 2*l + i
						x := b.noise(uint32(word >> (32 * i)))
						bit := uint32(1) << (2*l + i)
						u := float32(v[k]*b.A[0]) + float32(j[k]+c[k])
						if r&bit == 0 && math.Float32bits(u)>>31 == 1 {
							keep |= bit
							v[k] = u
						} else {
							v[k] = b.Reset[0]
						}
						j[k] = float32(j[k]*b.P[0]) + x
					}
				}
				spikes := ^(keep | r) & 0xff
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

// noise is the current that the random word r brings.
func (b *Block) noise(r uint32) float32 {
	col := r >> 28
	if b.Columns == 32 {
		col = r >> 27
	}
	e := col
	if int32(r) >= b.Thr[col] {
		e = uint32(b.Alias[col])
	}
	return float32(float32(e)*b.W[0]) + b.Off[0]
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

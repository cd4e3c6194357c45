package kernel

import (
	"math"
	"math/bits"
	"unsafe"
)

// Conductance is the state of a network of conductance-based neurons and the constants of
// a step. Potentials are relative to threshold in an arbitrary unit; ge, gi and l are what
// conductances (of synapses in the middle of the step, and constant ones with the leak)
// times the step are to the capacitance. One step of a unit is exponential Euler:
//
//	x  = l + (ge + gi)
//	d  = c + (ge·RevE + gi·RevI)
//	v' = v·e^{−x} + d·φ(x),  φ(x) = (1 − e^{−x})/x
//
// spikes and refractory bits as in Block, then
//
//	ge = ge·PE + nE·WE,  gi = gi·PI + nI·WI
//
// with Poisson counts nE and nI from two alias tables of 16 or 32 columns. φ is a polynomial in
// y = min(x, 4)/4 (minimax, error 2e-9) doubled twice by φ(2y) = φ(y) − y φ(y)²/2, and
// e^{−x} = 1 − x φ(x): neither a division nor an exponential. It holds up to x = 4. If x
// stays below 1, as Near says, it is the polynomial in y = min(x, 1). The order of
// operations keeps the chain of dependent ones short.
type Conductance struct {
	V, GE, GI, C    *float32 // 16·Groups each
	S               *uint64
	Ref, Ring       *byte
	Groups, RingLen int64
	Slot            int64
	Limit           int64 // in: steps to do; out: steps done
	Any             int64 // out: nonzero iff the last step had a spike
	L               *float32
	PE, PI, Reset   Lanes
	RevE, RevI      Lanes
	WE, WI          Lanes
	Math            [10]Lanes // constants of φ; SetMath
	ThrE, ThrI      [32]int32 // of Columns columns
	AliasE, AliasI  [32]byte
	Columns         int  // of both alias tables, 16 or 32
	Near            bool // x stays below 1
}

// MaxExponent is the largest x that the step is right for, NearExponent with Near.
const (
	MaxExponent  = 4
	NearExponent = 1
)

// phi are the coefficients of φ(y) on [0, 1], by ascending power.
var phi = [7]float32{0.999999998043, -0.499999805089, 0.166663494316, -0.0416472377267, 0.00827625286485, -0.00130143911495, 0.000129297491965}

// SetMath fills the constants that do not depend on the network, for x up to most.
func (b *Conductance) SetMath(most float64) { b.Near = setMath(&b.Math, most) }

func setMath(m *[10]Lanes, most float64) (near bool) {
	for i, c := range phi {
		m[i] = All(c)
	}
	near = most <= NearExponent
	m[7], m[8], m[9] = All(MaxExponent), All(1.0/MaxExponent), All(0.5)
	if near {
		m[7] = All(NearExponent)
	}
	return near
}

// SetNoise fills the alias tables so that the counts have the laws excitatory and inhibitory
// of 0, 1, ..., both of length 16 or 32.
func (b *Conductance) SetNoise(excitatory, inhibitory []float64) {
	b.Columns = setNoise(excitatory, inhibitory, &b.ThrE, &b.ThrI, &b.AliasE, &b.AliasI)
}

func setNoise(excitatory, inhibitory []float64, thrE, thrI *[32]int32, aliasE, aliasI *[32]byte) int {
	var e, i Block
	e.SetNoise(excitatory)
	i.SetNoise(inhibitory)
	*thrE, *aliasE, *thrI, *aliasI = e.Thr, e.Alias, i.Thr, i.Alias
	return len(excitatory)
}

// count is the number of events that the random word r brings; its column is r >> shift.
func count(r uint32, shift uint, thr *[32]int32, alias *[32]byte) float32 {
	col := r >> shift & 31
	own := uint64(int64(int32(r))-int64(thr[col])) >> 63
	e := uint32(alias[col])
	if own != 0 {
		e = col
	}
	return float32(e)
}

// shift takes a random word to its column.
func shift(columns int) uint {
	if columns == 32 {
		return 27
	}
	return 28
}

// decay returns φ(x) and e^{−x}, for x ≥ 0.
func decay(x float32, near bool) (p, e float32) {
	most := float32(MaxExponent)
	if near {
		most = NearExponent
	}
	if x > most {
		x = most
	}
	y := x
	if !near {
		y = float32(x * (1.0 / MaxExponent))
	}
	y2 := float32(y * y)
	y4 := float32(y2 * y2)
	lo := (phi[0] + float32(phi[1]*y)) + float32((phi[2]+float32(phi[3]*y))*y2)
	hi := (phi[4] + float32(phi[5]*y)) + float32(phi[6]*y2)
	p = lo + float32(hi*y4)
	if !near {
		h := float32(y * 0.5)
		for range 2 {
			p -= float32(p * float32(h*p))
			h += h
		}
	}
	return p, 1 - float32(x*p)
}

// membrane is the potential v' of the step.
func membrane(v, ge, gi, l, c, revE, revI float32, near bool) float32 {
	p, e := decay(l+float32(ge+gi), near)
	d := c + float32(float32(ge*revE)+float32(gi*revI))
	return float32(v*e) + float32(d*p)
}

// Conductance advances b until a step with a spike or until b.Limit steps are done.
func (p Path) Conductance(b *Conductance) {
	run := conductancePortable
	switch v := variant(b.Near, b.Columns); p {
	case AVX512:
		run = [...]func(*Conductance){conductanceAVX512, conductanceNearAVX512, conductance32AVX512, conductanceNear32AVX512}[v]
	case AVX2:
		run = [...]func(*Conductance){conductanceAVX2, conductanceNearAVX2, conductance32AVX2, conductanceNear32AVX2}[v]
	}
	run(b)
}

// variant numbers the variants of a kernel: plain, near, with 32 columns, both.
func variant(near bool, columns int) (v int) {
	if near {
		v = 1
	}
	if columns == 32 {
		v += 2
	}
	return v
}

func conductancePortable(b *Conductance) {
	groups := int(b.Groups)
	n := groups * Group
	v, ge, gi := unsafe.Slice(b.V, n), unsafe.Slice(b.GE, n), unsafe.Slice(b.GI, n)
	c, l := unsafe.Slice(b.C, n), unsafe.Slice(b.L, n)
	s := unsafe.Slice(b.S, n)
	ref := unsafe.Slice(b.Ref, 2*groups)
	ring := unsafe.Slice(b.Ring, 2*groups*int(b.RingLen))
	limit := b.Limit
	sh := shift(b.Columns)
	b.Any = 0
	for b.Limit = 0; b.Limit < limit && b.Any == 0; b.Limit++ {
		old := ring[2*groups*int(b.Slot):][:2*groups]
		for g := range groups {
			r := uint32(ref[2*g]) | uint32(ref[2*g+1])<<8
			spikes := uint32(0)
			for free := ^r & 0xffff; free != 0; free &= free - 1 { // the others have v = Reset
				i := bits.TrailingZeros32(free)
				k := 16*g + i
				u := membrane(v[k], ge[k], gi[k], l[k], c[k], b.RevE[0], b.RevI[0], b.Near)
				if math.Float32bits(u)>>31 == 0 {
					spikes |= 1 << i
					u = b.Reset[0]
				}
				v[k] = u
			}
			s0, s1 := (*[8]uint64)(s[16*g:]), (*[8]uint64)(s[16*g+8:])
			for q := range s0 {
				wordE := next(&s0[q], &s1[q])
				wordI := next(&s0[q], &s1[q])
				for h := range 2 {
					k := 16*g + 2*q + h
					ge[k] = float32(ge[k]*b.PE[0]) + float32(count(uint32(wordE>>(32*h)), sh, &b.ThrE, &b.AliasE)*b.WE[0])
					gi[k] = float32(gi[k]*b.PI[0]) + float32(count(uint32(wordI>>(32*h)), sh, &b.ThrI, &b.AliasI)*b.WI[0])
				}
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

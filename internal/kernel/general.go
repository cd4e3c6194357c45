package kernel

import (
	"math"
	"unsafe"
)

// General is the state of a network whose units have constants of their own. One step of
// a current-based unit, with currents je and ji of excitatory and inhibitory synapses, or je
// of the network's both if they decay alike:
//
//	v' = v·A + ((je − ji) + c)
//	spike if v' ≥ +0 and left = 0
//	v  = v' if v' < 0 and left = 0, else Reset
//	left = Hold after a spike, else max(left − 1, 0)
//	je = je·PE + nE·WE,  ji = ji·PI + nI·WI
//
// One of a conductance-based unit is that of Conductance with the same rule for left.
// Padding units must never get to threshold.
type General struct {
	V, JE, JI, C, L *float32 // 16·Groups each; L only with conductances
	S               *uint64
	Units           *Units // Groups of them
	Mask            *byte  // spikes of the last step, 2·Groups bytes
	Groups          int64
	Limit           int64     // in: steps to do; out: steps done
	Any             int64     // out: nonzero iff the last step had a spike
	Math            [10]Lanes // SetMath, with conductances
	ThrE, ThrI      [32]int32 // of Columns columns
	AliasE, AliasI  [32]byte
	Columns         int  // of both alias tables, 16 or 32
	Near            bool // x stays below 1, with conductances
}

// Units are the constants of the units of a group, and their refractory steps left.
type Units struct {
	A, PE, PI, WE, WI, Reset [Group]float32
	RevE, RevI               [Group]float32 // with conductances
	Hold, Left               [Group]int32
}

// SetMath fills the constants that do not depend on the network, for x up to most.
func (b *General) SetMath(most float64) { b.Near = setMath(&b.Math, most) }

// SetNoise is that of Conductance.
func (b *General) SetNoise(excitatory, inhibitory []float64) {
	b.Columns = setNoise(excitatory, inhibitory, &b.ThrE, &b.ThrI, &b.AliasE, &b.AliasI)
}

// Currents advances a current-based network until a step with a spike or until b.Limit
// steps are done.
func (p Path) Currents(b *General) {
	switch wide := b.Columns == 32; {
	case p == AVX512 && wide:
		currents32AVX512(b)
	case p == AVX512:
		currentsAVX512(b)
	case p == AVX2 && wide:
		currents32AVX2(b)
	case p == AVX2:
		currentsAVX2(b)
	default:
		generalPortable(b, false)
	}
}

// Conductances is Currents for a conductance-based network.
func (p Path) Conductances(b *General) {
	switch v := variant(b.Near, b.Columns); p {
	case AVX512:
		[...]func(*General){conductancesAVX512, conductancesNearAVX512, conductances32AVX512, conductancesNear32AVX512}[v](b)
	case AVX2:
		[...]func(*General){conductancesAVX2, conductancesNearAVX2, conductances32AVX2, conductancesNear32AVX2}[v](b)
	default:
		generalPortable(b, true)
	}
}

func generalPortable(b *General, conductance bool) {
	groups := int(b.Groups)
	n := groups * Group
	v, je, ji, c := unsafe.Slice(b.V, n), unsafe.Slice(b.JE, n), unsafe.Slice(b.JI, n), unsafe.Slice(b.C, n)
	var l []float32
	if conductance {
		l = unsafe.Slice(b.L, n)
	}
	s := unsafe.Slice(b.S, n)
	units := unsafe.Slice(b.Units, groups)
	mask := unsafe.Slice(b.Mask, 2*groups)
	limit := b.Limit
	sh := shift(b.Columns)
	b.Any = 0
	for b.Limit = 0; b.Limit < limit && b.Any == 0; b.Limit++ {
		for g := range groups {
			x := &units[g]
			spikes := uint32(0)
			for i := range Group {
				k := 16*g + i
				var u float32
				if conductance {
					u = membrane(v[k], je[k], ji[k], l[k], c[k], x.RevE[i], x.RevI[i], b.Near)
				} else {
					u = float32(v[k]*x.A[i]) + float32(float32(je[k]-ji[k])+c[k])
				}
				below := math.Float32bits(u)>>31 == 1
				left := x.Left[i]
				switch {
				case left > 0:
					v[k] = x.Reset[i]
					left--
				case below:
					v[k] = u
				default:
					v[k] = x.Reset[i]
					left = x.Hold[i]
					spikes |= 1 << i
				}
				x.Left[i] = left
			}
			s0, s1 := (*[8]uint64)(s[16*g:]), (*[8]uint64)(s[16*g+8:])
			for q := range s0 {
				wordE := next(&s0[q], &s1[q])
				wordI := next(&s0[q], &s1[q])
				for h := range 2 {
					i := 2*q + h
					k := 16*g + i
					je[k] = float32(je[k]*x.PE[i]) + float32(count(uint32(wordE>>(32*h)), sh, &b.ThrE, &b.AliasE)*x.WE[i])
					ji[k] = float32(ji[k]*x.PI[i]) + float32(count(uint32(wordI>>(32*h)), sh, &b.ThrI, &b.AliasI)*x.WI[i])
				}
			}
			mask[2*g], mask[2*g+1] = byte(spikes), byte(spikes>>8)
			b.Any |= int64(spikes)
		}
	}
}

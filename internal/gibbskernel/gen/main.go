// Command gen writes the assembly of package gibbskernel. It is a module of its own, so
// that users of the library do not depend on the assembler generator.
//
// Every kernel is made of a few operations on vectors of 8 units; wider vectors need these
// and the loop strides anew, as the memory layout is that of groups of 16 units.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the structs, which TestOffsets compares.
const (
	dX, dO, dZ, dS, dGroups, dInv                    = 0, 8, 16, 24, 32, 40
	rOut, rBase, rTable, rAdd, rSub                  = 0, 8, 16, 24, 32
	rNAdd, rNSub, rGroups, rRows                     = 40, 48, 56, 64
	lBits, lOut, lWords, lPad, lN                    = 0, 8, 16, 24, 32
	sX, sDiag, sT, sZ                                = 0, 8, 16, 24
	nZ, nW, nB, nS, nInv, nM, nT, nE, nPairs, nWidth = 0, 8, 16, 24, 32, 40, 48, 56, 64, 72
	pX, pGroups, pScale, pSum, pP                    = 0, 8, 16, 24, 32
	fOut, fBase, fW, fList, fN                       = 0, 8, 16, 24, 32
	cW, cRow, cList, cN                              = 0, 8, 16, 24
	gX, gP, gN, gScale                               = 0, 8, 16, 24
	iX, iOut, iN                                     = 0, 8, 16
	eW, eV, eG, eN, eMomentum, eRate, eDecay         = 0, 8, 16, 24, 32, 36, 40
	tIn, tOut                                        = 0, 8
)

func main() {
	ConstraintExpr("amd64")
	draw("drawAVX2", false, false)
	draw("drawOffsetAVX2", true, false)
	draw("thresholdsAVX2", false, true)
	rows()
	list()
	scan()
	lanes()
	softplus()
	sum()
	scatter()
	sigmoid()
	fixed()
	learn()
	turn()
	Generate()
}

func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

var constants = map[string]Mem{}

// word is a vector of 8 copies of a 32-bit constant in memory.
func word(name string, x uint32) Mem {
	m, ok := constants[name]
	if !ok {
		m = GLOBL(name, RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(x))
		}
		constants[name] = m
	}
	return m
}

func float(name string, x float32) Mem { return word(name, math.Float32bits(x)) }

// pair is a group of units in two vectors. What is done to both is interleaved, which
// hides the latency of the operations.
type pair [2]reg.VecVirtual

func vectors() pair { return pair{YMM(), YMM()} }

// half is operand x for half h: its own of a pair, else the same.
func half(x any, h int) Op {
	if p, ok := x.(pair); ok {
		return p[h]
	}
	return x.(Op)
}

func op1(f func(...Op), x any, d pair) {
	for h := range d {
		f(half(x, h), d[h])
	}
}

func op2[F func(a, b, c Op) | func(...Op)](f F, x, y any, d pair) {
	for h := range d {
		switch f := any(f).(type) {
		case func(a, b, c Op):
			f(half(x, h), half(y, h), d[h])
		case func(...Op):
			f(half(x, h), half(y, h), d[h])
		}
	}
}

// random is one output of eight xoroshiro128+ generators.
func random(s0, s1 pair) (r pair) {
	r = vectors()
	t := vectors()
	op2(VPADDQ, s0, s1, r)
	op2(VPXOR, s0, s1, s1)
	op2(VPSLLQ, Imm(24), s0, t)
	op2(VPSRLQ, Imm(40), s0, s0)
	op2(VPOR, t, s0, s0)
	op2(VPXOR, s1, s0, s0)
	op2(VPSLLQ, Imm(16), s1, t)
	op2(VPXOR, t, s0, s0)
	op2(VPSLLQ, Imm(37), s1, t)
	op2(VPSRLQ, Imm(27), s1, s1)
	op2(VPOR, t, s1, s1)
	return r
}

// words are the random words of a group in two vectors, from generators in memory.
func words(s reg.Register) (r pair) {
	var s0, s1 pair
	for h := range r {
		s0[h], s1[h] = YMM(), YMM()
		VMOVDQU(at(s, 32*h), s0[h])
		VMOVDQU(at(s, 64+32*h), s1[h])
	}
	r = random(s0, s1)
	for h := range r {
		VMOVDQU(s0[h], at(s, 32*h))
		VMOVDQU(s1[h], at(s, 64+32*h))
	}
	return r
}

// thresholds is gibbskernel.Threshold of a group, in place; with offsets, whose address is
// that of o for the first half, it is gibbskernel.OffsetThreshold.
func thresholds(w pair, o *Mem, inv reg.VecVirtual) {
	v, a, e := vectors(), vectors(), vectors()
	op2(VPAND, word("low31", 1<<31-1), w, v)
	op1(VCVTDQ2PS, v, v)
	op2(VADDPS, float("half", 0.5), v, v)
	op1(VMOVUPS, float("two32", 1<<32), a)
	op2(VSUBPS, v, a, a)
	op2(VPSUBD, v, a, e)
	op2(VPADDD, word("round", 1<<22), e, e)
	op2(VPAND, word("exponent", 0xff800000), e, e)
	op2(VPADDD, e, v, v)
	op1(VCVTDQ2PS, e, e)
	s := vectors()
	op2(VSUBPS, v, a, s)
	op2(VADDPS, v, a, a)
	op2(VDIVPS, a, s, s)
	q, l := v, a
	op2(VMULPS, s, s, q)
	op2(VMULPS, float("c2", 0.6027319416799416*(1<<23)), q, l)
	op2(VADDPS, float("c1", 0.9614076216994984*(1<<23)), l, l)
	op2(VMULPS, q, l, l)
	op2(VADDPS, float("c0", 2.8853909487511458*(1<<23)), l, l)
	op2(VMULPS, s, l, l)
	op2(VADDPS, e, l, l)
	if o == nil {
		op2(VMULPS, inv, l, l)
		op2(VMINPS, float("most", 1<<30), l, l)
		op1(VCVTTPS2DQ, l, l)
		op2(VPSRAD, Imm(31), w, w)
		op2(VPXOR, l, w, w)
		return
	}
	op2(VPAND, word("sign", 1<<31), w, w)
	op2(VPXOR, w, l, l)
	for h := range l {
		m := *o
		m.Disp += 32 * h
		VSUBPS(m, l[h], l[h])
	}
	op2(VMULPS, inv, l, l)
	op2(VMINPS, float("most", 1<<30), l, l)
	op2(VMAXPS, float("least", -1<<30), l, l)
	op2(VROUNDPS, Imm(1), l, l) // down
	op1(VCVTTPS2DQ, l, w)
}

// above is the sign bits of the lanes where x > t.
func above(x Op, t reg.VecVirtual) reg.GPVirtual {
	m, b := YMM(), GP32()
	if r, ok := x.(reg.VecVirtual); ok {
		VPCMPGTD(t, r, m)
	} else {
		VMOVDQU(x, m)
		VPCMPGTD(t, m, m)
	}
	VMOVMSKPS(m, b)
	return b
}

// draw is Draw.Run: the bits of all groups, without or with offsets, or their thresholds
// alone.
func draw(name string, offsets, only bool) {
	TEXT(name, NOSPLIT, "func(d *byte)")
	d := Load(Param("d"), GP64())
	x, o, z, s, groups := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(at(d, dX), x)
	MOVQ(at(d, dO), o)
	MOVQ(at(d, dZ), z)
	MOVQ(at(d, dS), s)
	MOVQ(at(d, dGroups), groups)
	inv := YMM()
	VBROADCASTSS(at(d, dInv), inv)
	s0, s1 := vectors(), vectors()
	for h := range s0 {
		VMOVDQU(at(s, 32*h), s0[h])
		VMOVDQU(at(s, 64+32*h), s1[h])
	}
	Label("group")
	t := random(s0, s1)
	var offset *Mem
	if offsets {
		m := at(o, 0)
		offset = &m
	}
	thresholds(t, offset, inv)
	for h := range t {
		if only {
			VMOVDQU(t[h], at(x, 32*h))
			continue
		}
		b := above(at(x, 32*h), t[h])
		MOVB(b.As8(), at(z, h))
	}
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), o)
	ADDQ(Imm(2), z)
	DECQ(groups)
	JNZ(LabelRef("group"))
	for h := range s0 {
		VMOVDQU(s0[h], at(s, 32*h))
		VMOVDQU(s1[h], at(s, 64+32*h))
	}
	VZEROUPPER()
	RET()
}

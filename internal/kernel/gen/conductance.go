package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exponential are the constants of φ(x) and e^{−x}: the coefficients of φ, the largest x,
// its inverse, one half, and one. If near, the last but one are not needed.
type exponential struct {
	c    func(i int) Op
	one  reg.VecVirtual
	near bool
}

func (x isa) exponential(b reg.Register, mathAt int, near bool) exponential {
	var offsets []int
	for i := range 10 {
		if !near || i < 8 {
			offsets = append(offsets, mathAt+32*i)
		}
	}
	c := x.constants(b, offsets...)
	one := x.vec()
	ones(x, one) // 1.0 is 0x3f800000
	VPSRLD(Imm(25), one, one)
	VPSLLD(Imm(23), one, one)
	return exponential{func(i int) Op { return c(mathAt + 32*i) }, one, near}
}

// decay replaces y by e^{−y} and returns φ(y), as decay in Go.
func (k exponential) decay(x isa, y reg.VecVirtual) (phi reg.VecVirtual) {
	VMINPS(k.c(7), y, y)
	z, z2, z4 := y, x.vec(), x.vec()
	if !k.near {
		z = x.vec()
		VMULPS(k.c(8), y, z)
	}
	VMULPS(z, z, z2)
	VMULPS(z2, z2, z4)
	lo, mid := x.vec(), x.vec()
	phi = x.vec()
	VMULPS(k.c(1), z, lo)
	VADDPS(k.c(0), lo, lo)
	VMULPS(k.c(3), z, mid)
	VADDPS(k.c(2), mid, mid)
	VMULPS(z2, mid, mid)
	VADDPS(mid, lo, lo)
	VMULPS(k.c(5), z, phi)
	VADDPS(k.c(4), phi, phi)
	VMULPS(k.c(6), z2, z2)
	VADDPS(z2, phi, phi)
	VMULPS(z4, phi, phi)
	VADDPS(phi, lo, phi)
	if !k.near {
		VMULPS(k.c(9), z, z)
		for i := range 2 {
			q := x.vec()
			VMULPS(phi, z, q)
			VMULPS(q, phi, q)
			VSUBPS(q, phi, phi)
			if i == 0 {
				VADDPS(z, z, z)
			}
		}
	}
	VMULPS(phi, y, y)
	VSUBPS(y, k.one, y)
	return phi
}

// drive is d = c + (ge·RevE + gi·RevI).
func (x isa) drive(ge, gi reg.VecVirtual, revE, revI Op, c Mem) reg.VecVirtual {
	d, t := x.vec(), x.vec()
	VMULPS(revE, ge, d)
	VMULPS(revI, gi, t)
	VADDPS(t, d, d)
	VADDPS(c, d, d)
	return d
}

// conductance is conductancePortable.
func conductance(x isa, near bool, columns int) {
	TEXT("conductance"+suffix(near, columns)+x.name, NOSPLIT, "func(b *byte)")
	b := Load(Param("b"), GP64())
	done, any := GP64(), GP64()
	XORQ(done, done)
	XORQ(any, any)
	reset := x.splat(at(b, cReset))
	math := x.exponential(b, cMath, near)
	k := x.constants(b, cPE, cPI, cWE, cWI, cRevE, cRevI)
	exc := x.table(b, cThrE, cAliasE, columns, false)
	inh := x.table(b, cThrI, cAliasI, columns, false)
	Label("steps")
	CMPQ(done, at(b, cLimit))
	JGE(LabelRef("end"))
	ptr := pointers(b, cV, cGE, cGI, cC, cL, cS, cRef)
	v, ge, gi, c, l, s, ref := ptr[0], ptr[1], ptr[2], ptr[3], ptr[4], ptr[5], ptr[6]
	old := ringSlot(b, cSlot, cGroups, cRing)
	offset := GP64()
	XORQ(any, any)
	XORQ(offset, offset)

	Label("group")
	for h, d := range x.parts() {
		unit := func(base reg.Register) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: d} }
		words := x.words(s, d, 2)
		xe, xi, y := x.vec(), x.vec(), x.vec()
		VMOVUPS(unit(ge), xe)
		VMOVUPS(unit(gi), xi)
		VADDPS(xi, xe, y)
		VADDPS(unit(l), y, y)
		drive := x.drive(xe, xi, k(cRevE), k(cRevI), unit(c))
		x.synapse(xe, words[0], exc, k(cPE), k(cWE), unit(ge))
		x.synapse(xi, words[1], inh, k(cPI), k(cWI), unit(gi))
		phi := math.decay(x, y)
		u := x.vec()
		VMULPS(unit(v), y, u)
		VMULPS(phi, drive, drive)
		VADDPS(drive, u, u)
		x.threshold(u, unit(v), reset, bits, at(ref, h), at(old, h), any)
	}
	ADDQ(Imm(64), offset)
	ADDQ(U32(128), s)
	ADDQ(Imm(2), ref)
	ADDQ(Imm(2), old)
	again(b, offset, cGroups)
	nextSlot(b, cSlot, cRingLen)
	finish(b, cLimit, cAny, done, any)
}

// again goes on at label group until offset is at the end of the groups.
func again(b reg.Register, offset reg.GPVirtual, groups int) {
	at64 := GP64()
	MOVQ(offset, at64)
	SHRQ(Imm(6), at64)
	CMPQ(at64, at(b, groups))
	JNE(LabelRef("group"))
}

// conductances is generalPortable for conductance-based networks.
func conductances(x isa, near bool, columns int) {
	TEXT("conductances"+suffix(near, columns)+x.name, NOSPLIT, "func(b *byte)")
	b := Load(Param("b"), GP64())
	done, any := GP64(), GP64()
	XORQ(done, done)
	XORQ(any, any)
	math := x.exponential(b, gMath, near)
	minusOne := x.vec()
	ones(x, minusOne)
	exc := x.table(b, gThrE, gAliasE, columns, false)
	inh := x.table(b, gThrI, gAliasI, columns, false)
	Label("steps")
	CMPQ(done, at(b, gLimit))
	JGE(LabelRef("end"))
	ptr := pointers(b, gV, gJE, gJI, gC, gL, gS, gUnits, gMask)
	v, ge, gi, c, l, s, units, mask := ptr[0], ptr[1], ptr[2], ptr[3], ptr[4], ptr[5], ptr[6], ptr[7]
	offset := GP64()
	XORQ(any, any)
	XORQ(offset, offset)

	Label("group")
	for h, d := range x.parts() {
		unit := func(base reg.Register) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: d} }
		words := x.words(s, d, 2)
		xe, xi, y := x.vec(), x.vec(), x.vec()
		VMOVUPS(unit(ge), xe)
		VMOVUPS(unit(gi), xi)
		VADDPS(xi, xe, y)
		VADDPS(unit(l), y, y)
		drive := x.drive(xe, xi, at(units, uRevE+d), at(units, uRevI+d), unit(c))
		x.synapse(xe, words[0], exc, at(units, uPE+d), at(units, uWE+d), unit(ge))
		x.synapse(xi, words[1], inh, at(units, uPI+d), at(units, uWI+d), unit(gi))
		phi := math.decay(x, y)
		u := x.vec()
		VMULPS(unit(v), y, u)
		VMULPS(phi, drive, drive)
		VADDPS(drive, u, u)
		x.countdown(u, unit(v), at(units, uReset+d), at(units, uLeft+d), at(units, uHold+d), at(mask, h), minusOne, any)
	}
	ADDQ(Imm(64), offset)
	ADDQ(U32(128), s)
	ADDQ(U32(uBytes), units)
	ADDQ(Imm(2), mask)
	again(b, offset, gGroups)
	finish(b, gLimit, gAny, done, any)
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// step is stepPortable for alias tables of 16 or 32 columns, or Path.Floor for none. The
// larger tables fill the registers of AVX2, so that constants stay in memory.
func step(x isa, name string, columns int) {
	TEXT(name+x.name, NOSPLIT, "func(b *byte)")
	b := Load(Param("b"), GP64())
	memory := columns == 32 && !x.wide()

	load := func(disp int) Op {
		if memory {
			return at(b, disp)
		}
		return x.splat(at(b, disp))
	}
	a, p := load(bA), load(bP)
	var w, off Op
	var t table
	if columns > 0 {
		w, off = load(bW), load(bOff)
		t = x.table(b, bThr, bAlias, columns, true)
	}
	reset := x.splat(at(b, bReset))
	var bitSel Op = bits
	if !memory && !x.wide() {
		r := YMM()
		VMOVDQU(bits, r)
		bitSel = r
	}

	limit, done, any := GP64(), GP64(), GP64()
	MOVQ(at(b, bLimit), limit)
	XORQ(done, done)
	XORQ(any, any)
	Label("steps")
	CMPQ(done, limit)
	JGE(LabelRef("end"))
	ptr := pointers(b, bV, bJ, bC, bS, bRef, bGroups)
	v, j, c, s, ref, groups := ptr[0], ptr[1], ptr[2], ptr[3], ptr[4], ptr[5]
	old := ringSlot(b, bSlot, bGroups, bRing)
	XORQ(any, any)

	Label("group")
	for h, d := range x.parts() {
		var e reg.VecVirtual
		if columns > 0 {
			e = x.events(x.words(s, d, 1)[0], t)
			VMULPS(w, e, e)
			VADDPS(off, e, e)
		}
		u, current, y := x.vec(), x.vec(), x.vec()
		VMOVUPS(at(j, d), current)
		VMOVUPS(at(v, d), u)
		VMULPS(a, u, u)
		VADDPS(at(c, d), current, y)
		VADDPS(y, u, u)
		VMULPS(p, current, current)
		if columns > 0 {
			VADDPS(e, current, current)
		}
		VMOVUPS(current, at(j, d))
		x.threshold(u, at(v, d), reset, bitSel, at(ref, h), at(old, h), any)
	}
	ADDQ(Imm(64), v)
	ADDQ(Imm(64), j)
	ADDQ(Imm(64), c)
	ADDQ(U32(128), s)
	ADDQ(Imm(2), ref)
	ADDQ(Imm(2), old)
	DECQ(groups)
	JNZ(LabelRef("group"))
	nextSlot(b, bSlot, bRingLen)
	finish(b, bLimit, bAny, done, any)
}

// currents is generalPortable for current-based networks.
func currents(x isa, columns int) {
	TEXT("currents"+suffix(false, columns)+x.name, NOSPLIT, "func(b *byte)")
	b := Load(Param("b"), GP64())
	exc := x.table(b, gThrE, gAliasE, columns, columns == 16)
	inh := x.table(b, gThrI, gAliasI, columns, columns == 16)
	minusOne := x.vec()
	ones(x, minusOne)
	done, any := GP64(), GP64()
	XORQ(done, done)
	XORQ(any, any)
	Label("steps")
	CMPQ(done, at(b, gLimit))
	JGE(LabelRef("end"))
	ptr := pointers(b, gV, gJE, gJI, gC, gS, gUnits, gMask, gGroups)
	v, je, ji, c, s, units, mask, groups := ptr[0], ptr[1], ptr[2], ptr[3], ptr[4], ptr[5], ptr[6], ptr[7]
	XORQ(any, any)

	Label("group")
	for h, d := range x.parts() {
		words := x.words(s, d, 2)
		ge, gi := x.vec(), x.vec()
		VMOVUPS(at(je, d), ge)
		VMOVUPS(at(ji, d), gi)
		u, y := x.vec(), x.vec()
		VMOVUPS(at(v, d), u)
		VMULPS(at(units, uA+d), u, u)
		VSUBPS(gi, ge, y)
		VADDPS(at(c, d), y, y)
		VADDPS(y, u, u)
		x.synapse(ge, words[0], exc, at(units, uPE+d), at(units, uWE+d), at(je, d))
		x.synapse(gi, words[1], inh, at(units, uPI+d), at(units, uWI+d), at(ji, d))
		x.countdown(u, at(v, d), at(units, uReset+d), at(units, uLeft+d), at(units, uHold+d), at(mask, h), minusOne, any)
	}
	for _, p := range []reg.GPVirtual{v, je, ji, c} {
		ADDQ(Imm(64), p)
	}
	ADDQ(U32(128), s)
	ADDQ(U32(uBytes), units)
	ADDQ(Imm(2), mask)
	DECQ(groups)
	JNZ(LabelRef("group"))
	finish(b, gLimit, gAny, done, any)
}

// synapse decays g, adds the background events of a word and stores it.
func (x isa) synapse(g, word reg.VecVirtual, t table, p, w Op, to Mem) {
	e := x.events(word, t)
	VMULPS(w, e, e)
	VMULPS(p, g, g)
	VADDPS(e, g, g)
	VMOVUPS(g, to)
}

// ones sets all bits.
func ones(x isa, r reg.VecVirtual) {
	if x.wide() {
		VPTERNLOGD(Imm(0xff), r, r, r)
	} else {
		VPCMPEQD(r, r, r)
	}
}

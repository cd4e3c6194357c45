// Command gen writes the assembly of package kernel. It is a module of its own, so that
// users of the library do not depend on the assembler generator.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of kernel.Block and kernel.Deliver, which TestOffsets compares.
const (
	bV, bJ, bC, bS, bRef, bRing                      = 0, 8, 16, 24, 32, 40
	bGroups, bRingLen, bSlot, bLimit, bAny, bColumns = 48, 56, 64, 72, 80, 88
	bA, bP, bReset, bW, bOff                         = 96, 128, 160, 192, 224
	bThr, bAlias                                     = 256, 384
	dJ, dRows, dUnit, dF, dGroups, dN                = 0, 8, 16, 24, 32, 40
)

func main() {
	ConstraintExpr("amd64")
	constants()
	step("stepAVX2", 16)
	step("step32AVX2", 32)
	step("floorAVX2", 0)
	conductance()
	deliver()
	Generate()
}

func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

var bits, upper Mem

func constants() {
	bits = GLOBL("bits", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(1<<i))
	}
	// Sets the high bit in the upper three bytes of every lane: VPSHUFB makes them 0.
	upper = GLOBL("upper", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(0x80808000))
	}
}

// step is the AVX2 form of stepPortable for alias tables of 16 or 32 columns, or of
// Path.Floor for none. The larger tables fill the registers, so that constants stay in
// memory.
func step(name string, columns int) {
	TEXT(name, NOSPLIT, "func(b *byte)")
	b := Load(Param("b"), GP64())
	wide := columns == 32

	load := func(disp int) Op {
		if wide {
			return at(b, disp)
		}
		r := YMM()
		VMOVUPS(at(b, disp), r)
		return r
	}
	a, p, w, off := load(bA), load(bP), load(bW), load(bOff)
	reset := YMM()
	VMOVUPS(at(b, bReset), reset)
	thr := make([]reg.VecVirtual, columns/8)
	for i := range thr {
		thr[i] = YMM()
		VMOVDQU(at(b, bThr+32*i), thr[i])
	}
	alias := make([]reg.VecVirtual, columns/16)
	for i := range alias {
		alias[i] = YMM()
		VBROADCASTI128(at(b, bAlias+16*i), alias[i])
	}
	var bitSel Op = bits
	if !wide {
		r := YMM()
		VMOVDQU(bits, r)
		bitSel = r
	}

	limit, done := GP64(), GP64()
	MOVQ(at(b, bLimit), limit)
	XORQ(done, done)

	any := GP64()
	XORQ(any, any)
	Label("steps")
	CMPQ(done, limit)
	JGE(LabelRef("end"))

	groups, v, j, c, s, ref, old := GP64(), GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(at(b, bV), v)
	MOVQ(at(b, bJ), j)
	MOVQ(at(b, bC), c)
	MOVQ(at(b, bS), s)
	MOVQ(at(b, bRef), ref)
	MOVQ(at(b, bGroups), groups)
	MOVQ(at(b, bSlot), old)
	IMULQ(groups, old)
	SHLQ(Imm(1), old)
	ADDQ(at(b, bRing), old)
	XORQ(any, any)

	Label("group")
	for h := range 2 {
		d := 32 * h
		var e reg.VecVirtual
		if columns > 0 {
			e = events(s, d, thr, alias, w, off)
		}
		u, x := YMM(), YMM()
		VMOVUPS(at(j, d), x)
		VMOVUPS(at(v, d), u)
		VMULPS(a, u, u)
		y := YMM()
		VADDPS(at(c, d), x, y)
		VADDPS(y, u, u)
		VMULPS(p, x, x)
		if columns > 0 {
			VADDPS(e, x, x)
		}
		VMOVUPS(x, at(j, d))

		threshold(u, at(v, d), reset, bitSel, at(ref, h), at(old, h), any)
	}
	ADDQ(Imm(64), v)
	ADDQ(Imm(64), j)
	ADDQ(Imm(64), c)
	ADDQ(Imm(128), s)
	ADDQ(Imm(2), ref)
	ADDQ(Imm(2), old)
	DECQ(groups)
	JNZ(LabelRef("group"))

	finish(b, bSlot, bRingLen, bLimit, bAny, done, any)
}

// events is the current that the background brings to 8 units.
func events(s reg.Register, d int, thr, alias []reg.VecVirtual, w, off Op) reg.VecVirtual {
	wide := len(alias) == 2
	s0, s1 := YMM(), YMM()
	VMOVDQU(at(s, d), s0)
	VMOVDQU(at(s, 64+d), s1)
	r := random(s0, s1)
	VMOVDQU(s0, at(s, d))
	VMOVDQU(s1, at(s, 64+d))

	// The column's threshold and the outcome beyond it. The highest bit of the column is
	// the sign of the word; of five, the second is that of the word shifted by one.
	col, e := YMM(), YMM()
	lo, hi := YMM(), YMM()
	if wide {
		VPSRLD(Imm(27), r, col)
		second := YMM()
		VPSLLD(Imm(1), r, second)
		x := YMM()
		VPERMD(thr[0], col, lo)
		VPERMD(thr[1], col, x)
		VBLENDVPS(second, x, lo, lo)
		VPERMD(thr[2], col, hi)
		VPERMD(thr[3], col, x)
		VBLENDVPS(second, x, hi, hi)
		VBLENDVPS(r, hi, lo, lo)
	} else {
		VPSRLD(Imm(28), r, col)
		VPERMD(thr[0], col, lo)
		VPERMD(thr[1], col, hi)
		VBLENDVPS(r, hi, lo, lo)
	}
	VPCMPGTD(r, lo, lo) // own outcome iff word < threshold
	VPOR(upper, col, e)
	if wide {
		x := YMM()
		VPSHUFB(e, alias[1], x)
		VPSHUFB(e, alias[0], e)
		VBLENDVPS(r, x, e, e)
	} else {
		VPSHUFB(e, alias[0], e)
	}
	VBLENDVPS(lo, col, e, e)
	VCVTDQ2PS(e, e)
	VMULPS(w, e, e)
	VADDPS(off, e, e)
	return e
}

// random is one output of four xoroshiro128+ generators.
func random(s0, s1 reg.VecVirtual) (r reg.VecVirtual) {
	r = YMM()
	t := YMM()
	VPADDQ(s0, s1, r)
	VPXOR(s0, s1, s1)
	VPSLLQ(Imm(24), s0, t)
	VPSRLQ(Imm(40), s0, s0)
	VPOR(t, s0, s0)
	VPXOR(s1, s0, s0)
	VPSLLQ(Imm(16), s1, t)
	VPXOR(t, s0, s0)
	VPSLLQ(Imm(37), s1, t)
	VPSRLQ(Imm(27), s1, s1)
	VPOR(t, s1, s1)
	return r
}

// threshold takes the new potentials u of 8 units to v: reset where the unit is
// refractory or spikes. It updates the refractory bits and puts the spikes into the ring.
func threshold(u reg.VecVirtual, v Mem, reset reg.VecVirtual, bitSel Op, ref, old Mem, any reg.GPVirtual) {
	m := YMM()
	VPBROADCASTB(ref, m)
	VPAND(bitSel, m, m)
	VPCMPEQD(bitSel, m, m)
	VANDNPS(u, m, m) // sign: not refractory and below threshold
	VBLENDVPS(m, u, reset, u)
	VMOVUPS(u, v)

	keep, rb, o := GP32(), GP32(), GP32()
	VMOVMSKPS(m, keep)
	MOVBLZX(ref, rb)
	MOVBLZX(old, o)
	ORL(rb, keep)
	XORL(Imm(0xff), keep) // spikes
	NOTL(o)
	ANDL(o, rb)
	ORL(keep, rb)
	MOVB(rb.As8(), ref)
	MOVB(keep.As8(), old)
	ORQ(keep.As64(), any)
}

// finish ends a step: it advances the ring and goes on at label steps, or returns.
func finish(b reg.Register, slotAt, ringLen, limitAt, anyAt int, done, any reg.GPVirtual) {
	slot := GP64()
	MOVQ(at(b, slotAt), slot)
	INCQ(slot)
	CMPQ(slot, at(b, ringLen))
	JNE(LabelRef("same"))
	XORQ(slot, slot)
	Label("same")
	MOVQ(slot, at(b, slotAt))
	INCQ(done)
	TESTQ(any, any)
	JZ(LabelRef("steps"))

	Label("end")
	MOVQ(done, at(b, limitAt))
	MOVQ(any, at(b, anyAt))
	VZEROUPPER()
	RET()
}

// Offsets of kernel.Conductance.
const (
	cV, cGE, cGI, cC, cS, cRef, cRing      = 0, 8, 16, 24, 32, 40, 48
	cGroups, cRingLen, cSlot, cLimit, cAny = 56, 64, 72, 80, 88
	cL, cPE, cPI, cReset                   = 96, 104, 136, 168
	cRevE, cRevI, cWE, cWI, cMath          = 200, 232, 264, 296, 328
	cThrE, cThrI, cAliasE, cAliasI         = 648, 712, 776, 792
)

// conductance is the AVX2 form of conductancePortable. Its constants stay in memory.
func conductance() {
	TEXT("conductanceAVX2", NOSPLIT, "func(b *byte)")
	b := Load(Param("b"), GP64())
	done, any := GP64(), GP64()
	XORQ(done, done)
	XORQ(any, any)
	reset := YMM()
	VMOVUPS(at(b, cReset), reset)
	one := YMM()
	VPCMPEQD(one, one, one) // 1.0 is 0x3f800000
	VPSRLD(Imm(25), one, one)
	VPSLLD(Imm(23), one, one)
	Label("steps")
	CMPQ(done, at(b, cLimit))
	JGE(LabelRef("end"))

	offset, s, ref, old := GP64(), GP64(), GP64(), GP64()
	v, ge, gi, cc, l := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(at(b, cV), v)
	MOVQ(at(b, cGE), ge)
	MOVQ(at(b, cGI), gi)
	MOVQ(at(b, cC), cc)
	MOVQ(at(b, cL), l)
	MOVQ(at(b, cS), s)
	MOVQ(at(b, cRef), ref)
	MOVQ(at(b, cSlot), old)
	IMULQ(at(b, cGroups), old)
	SHLQ(Imm(1), old)
	ADDQ(at(b, cRing), old)
	XORQ(any, any)
	XORQ(offset, offset)

	Label("group")
	for h := range 2 {
		d := 32 * h
		unit := func(base reg.Register) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: d} }
		s0, s1 := YMM(), YMM()
		VMOVDQU(at(s, d), s0)
		VMOVDQU(at(s, 64+d), s1)
		wordE := random(s0, s1)
		wordI := random(s0, s1)
		VMOVDQU(s0, at(s, d))
		VMOVDQU(s1, at(s, 64+d))

		xe, xi := YMM(), YMM()
		VMOVUPS(unit(ge), xe)
		VMOVUPS(unit(gi), xi)
		x, t := YMM(), YMM()
		VADDPS(xi, xe, x)
		VADDPS(unit(l), x, x)
		drive := YMM()
		VMULPS(at(b, cRevE), xe, drive)
		VMULPS(at(b, cRevI), xi, t)
		VADDPS(t, drive, drive)
		VADDPS(unit(cc), drive, drive)

		// Synapses: decay and background events.
		for _, syn := range []struct {
			word, g          reg.VecVirtual
			thr, alias, w, p int
			base             reg.Register
		}{{wordE, xe, cThrE, cAliasE, cWE, cPE, ge}, {wordI, xi, cThrI, cAliasI, cWI, cPI, gi}} {
			col, lo, hi, e, table := YMM(), YMM(), YMM(), YMM(), YMM()
			VPSRLD(Imm(28), syn.word, col)
			VPERMD(at(b, syn.thr), col, lo)
			VPERMD(at(b, syn.thr+32), col, hi)
			VBLENDVPS(syn.word, hi, lo, lo)
			VPCMPGTD(syn.word, lo, lo)
			VPOR(upper, col, e)
			VBROADCASTI128(at(b, syn.alias), table)
			VPSHUFB(e, table, e)
			VBLENDVPS(lo, col, e, e)
			VCVTDQ2PS(e, e)
			VMULPS(at(b, syn.w), e, e)
			VMULPS(at(b, syn.p), syn.g, syn.g)
			VADDPS(e, syn.g, syn.g)
			VMOVUPS(syn.g, unit(syn.base))
		}

		// φ(x) and e^{−x}.
		c := func(i int) Mem { return at(b, cMath+32*i) }
		VMINPS(c(7), x, x)
		y, y2, y4 := YMM(), YMM(), YMM()
		VMULPS(c(8), x, y)
		VMULPS(y, y, y2)
		VMULPS(y2, y2, y4)
		lo, mid, phi := YMM(), YMM(), YMM()
		VMULPS(c(1), y, lo)
		VADDPS(c(0), lo, lo)
		VMULPS(c(3), y, mid)
		VADDPS(c(2), mid, mid)
		VMULPS(y2, mid, mid)
		VADDPS(mid, lo, lo)
		VMULPS(c(5), y, phi)
		VADDPS(c(4), phi, phi)
		VMULPS(c(6), y2, y2)
		VADDPS(y2, phi, phi)
		VMULPS(y4, phi, phi)
		VADDPS(phi, lo, phi)
		VMULPS(c(9), y, y)
		for i := range 2 {
			q := YMM()
			VMULPS(phi, y, q)
			VMULPS(q, phi, q)
			VSUBPS(q, phi, phi)
			if i == 0 {
				VADDPS(y, y, y)
			}
		}
		u := YMM()
		VMULPS(phi, x, x)
		VSUBPS(x, one, x)
		VMULPS(unit(v), x, u)
		VMULPS(phi, drive, drive)
		VADDPS(drive, u, u)
		threshold(u, unit(v), reset, bits, at(ref, h), at(old, h), any)
	}
	ADDQ(Imm(64), offset)
	ADDQ(Imm(128), s)
	ADDQ(Imm(2), ref)
	ADDQ(Imm(2), old)
	left := GP64() // groups left
	MOVQ(offset, left)
	SHRQ(Imm(6), left)
	CMPQ(left, at(b, cGroups))
	JNE(LabelRef("group"))
	finish(b, cSlot, cRingLen, cLimit, cAny, done, any)
}

// deliver adds rows in tiles of 64 units, then of 16: every tile is read and written once.
func deliver() {
	TEXT("deliverAVX2", NOSPLIT, "func(d *byte)")
	d := Load(Param("d"), GP64())
	j, rows, groups, stride := GP64(), GP64(), GP64(), GP64()
	MOVQ(at(d, dJ), j)
	MOVQ(at(d, dRows), rows)
	MOVQ(at(d, dGroups), groups)
	MOVQ(groups, stride)
	SHLQ(Imm(6), stride) // bytes of a row

	unit, f, n := GP64(), GP64(), GP64()
	tile := func(name string, regs int) {
		Label(name)
		CMPQ(groups, Imm(uint64(regs/2)))
		JL(LabelRef(name + "_end"))
		acc := make([]reg.VecVirtual, regs)
		for i := range acc {
			acc[i] = YMM()
			VMOVUPS(at(j, 32*i), acc[i])
		}
		MOVQ(at(d, dUnit), unit)
		MOVQ(at(d, dF), f)
		MOVQ(at(d, dN), n)
		Label(name + "_spike")
		row := GP64()
		MOVLQSX(at(unit, 0), row)
		IMULQ(stride, row)
		ADDQ(rows, row)
		x := YMM()
		VBROADCASTSS(at(f, 0), x)
		for i := range acc {
			t := YMM()
			VMULPS(at(row, 32*i), x, t)
			VADDPS(t, acc[i], acc[i])
		}
		ADDQ(Imm(4), unit)
		ADDQ(Imm(4), f)
		DECQ(n)
		JNZ(LabelRef(name + "_spike"))
		for i := range acc {
			VMOVUPS(acc[i], at(j, 32*i))
		}
		ADDQ(U32(32*regs), j)
		ADDQ(U32(32*regs), rows)
		SUBQ(Imm(uint64(regs/2)), groups)
		JMP(LabelRef(name))
		Label(name + "_end")
	}
	tile("wide", 8)
	tile("narrow", 2)
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set: AVX2 with 8 lanes of 32 bits, or AVX-512 with 16.
type isa struct {
	name  string
	lanes int
}

func (x isa) wide() bool { return x.lanes == 16 }

// parts are the offsets in bytes of the vectors that make up 16 units.
func (x isa) parts() []int {
	if x.wide() {
		return []int{0}
	}
	return []int{0, 32}
}

func (x isa) vec() reg.VecVirtual {
	if x.wide() {
		return ZMM()
	}
	return YMM()
}

// splat loads a kernel.Lanes.
func (x isa) splat(m Mem) reg.VecVirtual {
	r := x.vec()
	if x.wide() {
		VBROADCASTSS(m, r)
	} else {
		VMOVUPS(m, r)
	}
	return r
}

// constants gives access to kernel.Lanes at offsets from b: in memory for AVX2, which
// lacks registers for all of them, loaded once for AVX-512.
func (x isa) constants(b reg.Register, offsets ...int) func(offset int) Op {
	loaded := map[int]Op{}
	for _, o := range offsets {
		if x.wide() {
			loaded[o] = x.splat(at(b, o))
		} else {
			loaded[o] = at(b, o)
		}
	}
	return func(o int) Op { return loaded[o] }
}

// table is an alias table of 16 or 32 columns.
type table struct {
	thr, alias []Op
}

// table gives access to the table at offsets from b. It is loaded into registers if it is to
// be kept there; AVX-512 has room for small ones anyway.
func (x isa) table(b reg.Register, thr, alias, columns int, keep bool) table {
	var t table
	if x.wide() && columns == 16 {
		keep = true
	}
	for i := range columns / x.lanes {
		t.thr = append(t.thr, at(b, thr+4*x.lanes*i))
	}
	for i := range columns / 16 {
		t.alias = append(t.alias, at(b, alias+16*i))
	}
	if keep {
		for i := range t.thr {
			t.thr[i] = x.load(t.thr[i])
		}
		for i := range t.alias {
			t.alias[i] = x.loadAlias(t.alias[i])
		}
	}
	return t
}

// load is o in a register.
func (x isa) load(o Op) reg.VecVirtual {
	if r, ok := o.(reg.VecVirtual); ok {
		return r
	}
	r := x.vec()
	VMOVDQU32or(x, o, r)
	return r
}

// loadAlias is 16 outcomes in a register: a byte a lane for AVX-512, and in both halves for
// AVX2.
func (x isa) loadAlias(o Op) reg.VecVirtual {
	if r, ok := o.(reg.VecVirtual); ok {
		return r
	}
	r := x.vec()
	if x.wide() {
		VPMOVZXBD(o, r)
	} else {
		VBROADCASTI128(o, r)
	}
	return r
}

// VMOVDQU32or is an unaligned load.
func VMOVDQU32or(x isa, from, to Op) {
	if x.wide() {
		VMOVDQU32(from, to)
	} else {
		VMOVDQU(from, to)
	}
}

// random is one output of the xoroshiro128+ generators with states s0, s1.
func (x isa) random(s0, s1 reg.VecVirtual) (r reg.VecVirtual) {
	r = x.vec()
	t := x.vec()
	VPADDQ(s0, s1, r)
	if x.wide() {
		VPXORQ(s0, s1, s1)
		VPROLQ(Imm(24), s0, s0)
		VPSLLQ(Imm(16), s1, t)
		VPTERNLOGQ(Imm(0x96), t, s1, s0) // s0 ^ s1 ^ t
		VPROLQ(Imm(37), s1, s1)
		return r
	}
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

// words draws n vectors of random words from the streams at s, part d.
func (x isa) words(s reg.Register, d, n int) []reg.VecVirtual {
	s0, s1 := x.vec(), x.vec()
	VMOVDQU32or(x, at(s, d), s0)
	VMOVDQU32or(x, at(s, 64+d), s1)
	w := make([]reg.VecVirtual, n)
	for i := range w {
		w[i] = x.random(s0, s1)
	}
	if x.wide() {
		VMOVDQU64(s0, at(s, d))
		VMOVDQU64(s1, at(s, 64+d))
	} else {
		VMOVDQU(s0, at(s, d))
		VMOVDQU(s1, at(s, 64+d))
	}
	return w
}

// events are the counts that random words r bring, as floats. The word is compared with
// its column's threshold; beyond it the outcome is the alias.
func (x isa) events(r reg.VecVirtual, t table) reg.VecVirtual {
	col, e := x.vec(), x.vec()
	double := len(t.alias) == 2 // 32 columns
	if double {
		VPSRLD(Imm(27), r, col)
	} else {
		VPSRLD(Imm(28), r, col)
	}
	if x.wide() {
		lo, own := ZMM(), K()
		if double {
			VMOVDQA32(col, lo)
			VPERMI2D(t.thr[1], x.load(t.thr[0]), lo)
		} else {
			VPERMD(t.thr[0], col, lo)
		}
		VPCMPGTD(r, lo, own) // own outcome iff word < threshold
		if double {
			VMOVDQA32(col, e)
			VPERMI2D(x.loadAlias(t.alias[1]), x.loadAlias(t.alias[0]), e)
		} else {
			VPERMD(t.alias[0], col, e)
		}
		VMOVDQA32(col, own, e)
		VCVTDQ2PS(e, e)
		return e
	}
	// The highest bit of the column is the sign of the word; of five, the second is that
	// of the word shifted by one.
	alias := make([]reg.VecVirtual, len(t.alias))
	for i, o := range t.alias {
		alias[i] = x.loadAlias(o)
	}
	lo, hi := YMM(), YMM()
	if double {
		second := YMM()
		VPSLLD(Imm(1), r, second)
		y := YMM()
		VPERMD(t.thr[0], col, lo)
		VPERMD(t.thr[1], col, y)
		VBLENDVPS(second, y, lo, lo)
		VPERMD(t.thr[2], col, hi)
		VPERMD(t.thr[3], col, y)
		VBLENDVPS(second, y, hi, hi)
	} else {
		VPERMD(t.thr[0], col, lo)
		VPERMD(t.thr[1], col, hi)
	}
	VBLENDVPS(r, hi, lo, lo)
	VPCMPGTD(r, lo, lo)
	VPOR(upper, col, e)
	if double {
		y := YMM()
		VPSHUFB(e, alias[1], y)
		VPSHUFB(e, alias[0], e)
		VBLENDVPS(r, y, e, e)
	} else {
		VPSHUFB(e, alias[0], e)
	}
	VBLENDVPS(lo, col, e, e)
	VCVTDQ2PS(e, e)
	return e
}

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

// threshold takes the new potentials u to v: reset where the unit is refractory or
// spikes. It updates the refractory bits and puts the spikes into the ring. bitSel is used
// by AVX2.
func (x isa) threshold(u reg.VecVirtual, v Mem, reset reg.VecVirtual, bitSel Op, ref, old Mem, any reg.GPVirtual) {
	keep, rb, o := GP32(), GP32(), GP32()
	if x.wide() {
		r, m := K(), K()
		KMOVW(ref, r)
		VPMOVD2M(u, m)
		KANDNW(m, r, m) // not refractory and below threshold
		VBLENDMPS(u, reset, m, u)
		VMOVUPS(u, v)
		KMOVW(m, keep)
		MOVWLZX(ref, rb)
		MOVWLZX(old, o)
		ORL(rb, keep)
		XORL(U32(0xffff), keep) // spikes
		NOTL(o)
		ANDL(o, rb)
		ORL(keep, rb)
		MOVW(rb.As16(), ref)
		MOVW(keep.As16(), old)
		ORQ(keep.As64(), any)
		return
	}
	m := YMM()
	VPBROADCASTB(ref, m)
	VPAND(bitSel, m, m)
	VPCMPEQD(bitSel, m, m)
	VANDNPS(u, m, m) // sign: not refractory and below threshold
	VBLENDVPS(m, u, reset, u)
	VMOVUPS(u, v)
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

// countdown is threshold with a count of refractory steps left per unit.
func (x isa) countdown(u reg.VecVirtual, v, reset, leftAt, hold, mask Mem, minusOne reg.VecVirtual, any reg.GPVirtual) {
	left, zero, r := x.vec(), x.vec(), x.vec()
	spikes := GP32()
	VMOVDQU32or(x, leftAt, left)
	VMOVUPS(reset, r)
	if x.wide() {
		VPXORQ(zero, zero, zero)
		refractory, below, keep, spike := K(), K(), K(), K()
		VPCMPGTD(zero, left, refractory)
		VPMOVD2M(u, below)
		KANDNW(below, refractory, keep)
		KORW(below, refractory, spike)
		KNOTW(spike, spike)
		VBLENDMPS(u, r, keep, u)
		VMOVUPS(u, v)
		VPADDD(minusOne, left, left)
		VPMAXSD(zero, left, left)
		VMOVDQU32(hold, spike, left)
		VMOVDQU32(left, leftAt)
		KMOVW(spike, spikes)
		MOVW(spikes.As16(), mask)
	} else {
		VPXOR(zero, zero, zero)
		refractory, keep, quiet := YMM(), YMM(), YMM()
		VPCMPGTD(zero, left, refractory)
		VANDNPS(u, refractory, keep)
		VORPS(u, refractory, quiet) // sign: no spike
		VBLENDVPS(keep, u, r, u)
		VMOVUPS(u, v)
		VPADDD(minusOne, left, left)
		VPMAXSD(zero, left, left)
		VMOVUPS(hold, r)
		VBLENDVPS(quiet, left, r, left)
		VMOVDQU(left, leftAt)
		VMOVMSKPS(quiet, spikes)
		XORL(Imm(0xff), spikes)
		MOVB(spikes.As8(), mask)
	}
	ORQ(spikes.As64(), any)
}

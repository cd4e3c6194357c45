package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func scan() {
	signs := GLOBL("signs", RODATA|NOPTR) // of the change of a unit that is off, on
	for i := range 16 {
		DATA(4*i, U32([]uint32{1, math.MaxUint32}[i/8]))
	}
	TEXT("scanAVX2", NOSPLIT, "func(s *byte)")
	s := Load(Param("s"), GP64())
	x, diag, thr, z, sign := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(at(s, sX), x)
	MOVQ(at(s, sDiag), diag)
	MOVQ(at(s, sT), thr)
	MOVQ(at(s, sZ), z)
	LEAQ(signs, sign)
	t, f := vectors(), vectors()
	for h := range t {
		VMOVDQU(at(thr, 32*h), t[h])
		VMOVDQU(at(x, 32*h), f[h])
	}
	from := GP64()
	MOVQ(U32(0xffff), from)
	Label("again")
	want := above(f[0], t[0])
	high := above(f[1], t[1])
	SHLL(Imm(8), high)
	ORL(high, want)
	XORL(z.As32(), want)
	ANDL(from.As32(), want)
	JZ(LabelRef("end"))
	k, old := GP64(), GP64()
	TZCNTL(want, k.As32())
	XORQ(old, old)
	BTCQ(k, z)
	ADCQ(Imm(0), old)
	SHLQ(Imm(5), k)
	SHLQ(Imm(5), old)
	for h := range 2 {
		r := YMM()
		VPMOVSXWD(Mem{Base: diag, Index: k, Scale: 1, Disp: 16 * h}, r)
		VPSIGND(Mem{Base: sign, Index: old, Scale: 1}, r, r)
		VPADDD(r, f[h], f[h])
	}
	// from = the bits above the lowest of want.
	below := GP32()
	LEAL(Mem{Base: want.As64(), Disp: -1}, below)
	XORL(below, want)
	NOTL(want)
	MOVL(want, from.As32())
	JMP(LabelRef("again"))
	Label("end")
	MOVQ(z, at(s, sZ))
	VZEROUPPER()
	RET()
}

func lanes() {
	TEXT("lanesAVX2", NOSPLIT, "func(l *byte)")
	l := Load(Param("l"), GP64())
	z, w, b, m, t := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(at(l, nZ), z) // of the pair to visit
	MOVQ(at(l, nW), w)
	MOVQ(at(l, nB), b)
	MOVQ(at(l, nM), m)
	MOVQ(at(l, nT), t)
	pairs := GP64()
	MOVQ(at(l, nPairs), pairs)

	// Thresholds of 16 units: by chain to the upper half of T, turned over to the lower.
	Label("group")
	s, inv, p := GP64(), GP64(), GP64()
	MOVQ(at(l, nS), s)
	MOVQ(at(l, nInv), inv)
	LEAQ(at(t, 1024), p)
	chains := GP64()
	MOVQ(U32(16), chains)
	Label("chain")
	i := YMM()
	VBROADCASTSS(at(inv, 0), i)
	r := words(s)
	thresholds(r, nil, i)
	for h := range r {
		VMOVDQU(r[h], at(p, 32*h))
	}
	ADDQ(U32(128), s)
	ADDQ(Imm(4), inv)
	ADDQ(Imm(64), p)
	DECQ(chains)
	JNZ(LabelRef("chain"))
	for c := range 2 {
		for u := range 2 {
			transpose(at(t, 1024+512*c+32*u), at(t, 512*u+32*c), 64)
		}
	}

	here, count := GP64(), GP64() // thresholds of the pair, pairs of the group
	MOVQ(t, here)
	MOVQ(U32(8), count)
	CMPQ(pairs, count)
	CMOVQLT(pairs, count)
	SUBQ(count, pairs)
	e := [2]reg.VecVirtual{YMM(), YMM()}
	VPXOR(e[0], e[0], e[0])
	VPXOR(e[1], e[1], e[1])
	Label("pair")
	for odd := range 2 {
		lane(l, odd, z, w, b, m, here, e)
	}
	ADDQ(Imm(64), z)
	ADDQ(Imm(8), b)
	ADDQ(Imm(4), m)
	ADDQ(U32(128), here)
	DECQ(count)
	JNZ(LabelRef("pair"))
	energy := GP64()
	MOVQ(at(l, nE), energy)
	for c := range 2 {
		lo, hi, x := YMM(), YMM(), XMM()
		VPMOVSXDQ(e[c].AsX(), lo)
		VEXTRACTI128(Imm(1), e[c], x)
		VPMOVSXDQ(x, hi)
		VPADDQ(at(energy, 64*c), lo, lo)
		VPADDQ(at(energy, 64*c+32), hi, hi)
		VMOVDQU(lo, at(energy, 64*c))
		VMOVDQU(hi, at(energy, 64*c+32))
	}
	TESTQ(pairs, pairs)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// lane visits one unit of a pair in all chains.
func lane(l reg.Register, odd int, z, w, b, m, t reg.GPVirtual, e [2]reg.VecVirtual) {
	loop := []string{"even", "odd"}[odd]
	var f [2]reg.VecVirtual
	for c := range f {
		f[c] = YMM()
		VPBROADCASTD(at(b, 4*odd), f[c])
	}
	p, n := GP64(), GP64()
	MOVQ(at(l, nZ), p)
	MOVQ(at(l, nWidth), n)
	Label(loop)
	for i := range 2 {
		x := YMM()
		VPBROADCASTD(at(w, 4*i), x)
		for c := range f {
			y := YMM()
			VPMADDWD(at(p, 64*i+32*c), x, y)
			VPADDD(y, f[c], f[c])
		}
	}
	ADDQ(U32(128), p)
	ADDQ(Imm(8), w)
	SUBQ(Imm(2), n)
	JNZ(LabelRef(loop))

	var bits [2]reg.GPVirtual
	for c := range f {
		on, old, pair := YMM(), YMM(), YMM()
		VMOVDQU(at(t, 64*odd+32*c), on)
		VPCMPGTD(on, f[c], on)
		bits[c] = GP32()
		VMOVMSKPS(on, bits[c])
		VMOVDQU(at(z, 32*c), pair)
		VPSLLD(Imm(uint64(31-16*odd)), pair, old)
		VPSRAD(Imm(31), old, old)
		VPSUBD(old, on, old) // −1 where the unit goes on, 1 where it goes off
		VPSIGND(old, f[c], f[c])
		VPADDD(f[c], e[c], e[c])
		VPSRLD(Imm(31), on, on)
		if odd == 1 {
			VPSLLD(Imm(16), on, on)
		}
		VPBLENDW(Imm([]uint64{0x55, 0xaa}[odd]), on, pair, pair)
		VMOVDQU(pair, at(z, 32*c))
	}
	SHLL(Imm(8), bits[1])
	ORL(bits[1], bits[0])
	MOVW(bits[0].As16(), at(m, 2*odd))
}

// transpose turns an 8×8 block of a matrix over whose rows are so many bytes long.
func transpose(from, to Mem, bytes int) {
	row := func(m Mem, i int) Mem { m.Disp += bytes * i; return m }
	var r [8]reg.VecVirtual
	for i := range r {
		r[i] = YMM()
		VMOVDQU(row(from, i), r[i])
	}
	pass := func(lo, hi func(...Op), next func(i int) (int, int)) (n [8]reg.VecVirtual) {
		for i := range 4 {
			a, b := next(i)
			n[2*i], n[2*i+1] = YMM(), YMM()
			lo(r[b], r[a], n[2*i])
			hi(r[b], r[a], n[2*i+1])
		}
		return n
	}
	r = pass(VPUNPCKLDQ, VPUNPCKHDQ, func(i int) (int, int) { return 2 * i, 2*i + 1 })
	r = pass(VPUNPCKLQDQ, VPUNPCKHQDQ, func(i int) (int, int) { return i/2*4 + i%2, i/2*4 + i%2 + 2 })
	for i := range 4 {
		x := YMM()
		VPERM2I128(Imm(0x20), r[4+i], r[i], x)
		VMOVDQU(x, row(to, i))
		VPERM2I128(Imm(0x31), r[4+i], r[i], x)
		VMOVDQU(x, row(to, 4+i))
	}
}

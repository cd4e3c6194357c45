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

// rows adds up rows four at a time: two pairs by 16 bits, then both to 32 bits by a
// multiply-add with ones.
func rows() {
	TEXT("rowsAVX2", NOSPLIT, "func(r *byte)")
	r := Load(Param("r"), GP64())
	out, base, table, groups := GP64(), GP64(), GP64(), GP64()
	MOVQ(at(r, rOut), out)
	MOVQ(at(r, rBase), base)
	MOVQ(at(r, rTable), table)
	MOVQ(at(r, rGroups), groups)
	ones := YMM()
	VPCMPEQW(ones, ones, ones)
	VPSRLW(Imm(15), ones, ones)
	for _, tile := range []struct {
		name  string
		width int // groups
		shift uint64
	}{{"wide", 4, 7}, {"half", 2, 6}, {"narrow", 1, 5}} {
		Label(tile.name)
		CMPQ(groups, Imm(uint64(tile.width)))
		JL(LabelRef(tile.name + "_end"))
		acc := make([]reg.VecVirtual, 2*tile.width)
		for i := range acc {
			acc[i] = YMM()
			VMOVDQU(at(base, 32*i), acc[i])
		}
		for _, part := range []struct {
			name    string
			list, n int
			sum     func(...Op)
		}{{"add", rAdd, rNAdd, VPADDD}, {"sub", rSub, rNSub, VPSUBD}} {
			loop, end := tile.name+"_"+part.name, tile.name+"_"+part.name+"_end"
			p, n := GP64(), GP64()
			MOVQ(at(r, part.list), p)
			MOVQ(at(r, part.n), n)
			TESTQ(n, n)
			JZ(LabelRef(end))
			Label(loop)
			var row [4]reg.GPVirtual
			for i := range row {
				row[i] = GP64()
				MOVL(at(p, 4*i), row[i].As32())
				SHLQ(Imm(tile.shift), row[i])
			}
			for g := range tile.width {
				in := func(i int) Mem { return Mem{Base: table, Index: row[i], Scale: 1, Disp: 32 * g} }
				a, b, lo := YMM(), YMM(), YMM()
				VMOVDQU(in(0), a)
				VMOVDQU(in(2), b)
				VPADDW(in(1), a, a)
				VPADDW(in(3), b, b)
				VPUNPCKLWD(b, a, lo)
				VPUNPCKHWD(b, a, a)
				VPMADDWD(ones, lo, lo)
				VPMADDWD(ones, a, a)
				part.sum(lo, acc[2*g], acc[2*g])
				part.sum(a, acc[2*g+1], acc[2*g+1])
			}
			ADDQ(Imm(16), p)
			SUBQ(Imm(4), n)
			JNZ(LabelRef(loop))
			Label(end)
		}
		for i := range acc {
			VMOVDQU(acc[i], at(out, 32*i))
		}
		ADDQ(U32(64*tile.width), out)
		ADDQ(U32(64*tile.width), base)
		next := GP64()
		MOVQ(at(r, rRows), next)
		SHLQ(Imm(tile.shift), next)
		ADDQ(next, table)
		SUBQ(Imm(uint64(tile.width)), groups)
		JMP(LabelRef(tile.name))
		Label(tile.name + "_end")
	}
	VZEROUPPER()
	RET()
}

// list looks the positions of the bits of a byte up in a table.
func list() {
	positions := GLOBL("positions", RODATA|NOPTR)
	for m := range 256 {
		x, n := uint64(0), 0
		for k := range 8 {
			if m>>k&1 == 1 {
				x |= uint64(k) << (8 * n)
				n++
			}
		}
		DATA(8*m, U64(x))
	}
	eight := word("eight", 8)

	TEXT("listAVX2", NOSPLIT, "func(l *byte)")
	l := Load(Param("l"), GP64())
	p, out, words, lut := GP64(), GP64(), GP64(), GP64()
	MOVQ(at(l, lBits), p)
	MOVQ(at(l, lOut), out)
	MOVQ(at(l, lWords), words)
	LEAQ(positions, lut)
	base := YMM()
	VPXOR(base, base, base)
	Label("word")
	w := GP64()
	MOVQ(at(p, 0), w)
	for i := range 8 {
		b, n, k := GP64(), GP64(), YMM()
		MOVBQZX(w.As8(), b)
		POPCNTQ(b, n)
		VPMOVZXBD(Mem{Base: lut, Index: b, Scale: 8}, k)
		VPADDD(base, k, k)
		VMOVDQU(k, at(out, 0))
		LEAQ(Mem{Base: out, Index: n, Scale: 4}, out)
		VPADDD(eight, base, base)
		if i < 7 {
			SHRQ(Imm(8), w)
		}
	}
	ADDQ(Imm(8), p)
	DECQ(words)
	JNZ(LabelRef("word"))
	pad := XMM()
	VPBROADCASTD(at(l, lPad), pad)
	VMOVDQU(pad, at(out, 0))
	SUBQ(at(l, lOut), out)
	SHRQ(Imm(2), out)
	ADDQ(Imm(3), out)
	ANDQ(I32(-4), out)
	MOVQ(out, at(l, lN))
	VZEROUPPER()
	RET()
}

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
			transpose(at(t, 1024+512*c+32*u), at(t, 512*u+32*c))
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

// transpose turns an 8×8 block of a 16×16 matrix over.
func transpose(from, to Mem) {
	row := func(m Mem, i int) Mem { m.Disp += 64 * i; return m }
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

func softplus() {
	TEXT("softplusAVX2", NOSPLIT, "func(s *byte)")
	s := Load(Param("s"), GP64())
	x, n := GP64(), GP64()
	MOVQ(at(s, pX), x)
	MOVQ(at(s, pGroups), n)
	SHLQ(Imm(1), n) // halves of a group
	scale := YMM()
	VBROADCASTSS(at(s, pScale), scale)
	one := YMM()
	VPCMPEQD(one, one, one) // 1.0 is 0x3ff0…
	VPSRLQ(Imm(54), one, one)
	VPSLLQ(Imm(52), one, one)
	sum, zero := YMM(), YMM()
	VPXOR(sum, sum, sum)
	VPXOR(zero, zero, zero)
	p := [2]reg.VecVirtual{YMM(), YMM()}
	VMOVDQU(one, p[0])
	VMOVDQU(one, p[1])
	Label("half_group")
	f, y, u := YMM(), YMM(), YMM()
	VMOVDQU(at(x, 0), f)
	VPMAXSD(zero, f, y)
	VPUNPCKLDQ(zero, y, u)
	VPADDQ(u, sum, sum)
	VPUNPCKHDQ(zero, y, u)
	VPADDQ(u, sum, sum)
	VCVTDQ2PS(f, y)
	VPAND(word("low31", 1<<31-1), y, y)
	VMULPS(scale, y, y)
	VMINPS(float("hundred", 100), y, y)
	t, q := YMM(), YMM()
	VADDPS(float("magic", 1.5*(1<<23)), y, t)
	VSUBPS(float("magic", 1.5*(1<<23)), t, f)
	VSUBPS(y, f, f)
	for i, c := range []float32{0.00015461444695978927, 0.0013400428177416795, 0.009618056678528164,
		0.05550327226670956, 0.24022650922288802, 0.6931472067028321, 1} {
		m := float("x"+string(rune('6'-i)), c)
		if i == 0 {
			VMULPS(m, f, q)
			continue
		}
		VADDPS(m, q, q)
		if i < 6 {
			VMULPS(f, q, q)
		}
	}
	VPSLLD(Imm(23), t, t)
	VPSUBD(t, q, q)
	lo, hi, h := YMM(), YMM(), XMM()
	VCVTPS2PD(q.AsX(), lo)
	VEXTRACTF128(Imm(1), q, h)
	VCVTPS2PD(h, hi)
	VADDPD(one, lo, lo)
	VADDPD(one, hi, hi)
	VMULPD(lo, p[0], p[0])
	VMULPD(hi, p[1], p[1])
	ADDQ(Imm(32), x)
	DECQ(n)
	JNZ(LabelRef("half_group"))
	VMOVUPD(p[0], at(s, pP))
	VMOVUPD(p[1], at(s, pP+32))
	h2, total := XMM(), GP64()
	VEXTRACTI128(Imm(1), sum, h2)
	VPADDQ(h2, sum.AsX(), h2)
	h3 := XMM()
	VPSRLDQ(Imm(8), h2, h3)
	VPADDQ(h3, h2, h2)
	VMOVQ(h2, total)
	MOVQ(total, at(s, pSum))
	VZEROUPPER()
	RET()
}

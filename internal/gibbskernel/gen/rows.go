package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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

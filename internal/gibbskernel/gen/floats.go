package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop calls body for every iteration of n, which it counts down; none if n is 0.
func loop(n reg.GPVirtual, step int, body func()) {
	TESTQ(n, n)
	JZ(LabelRef("end"))
	Label("next")
	body()
	SUBQ(Imm(uint64(step)), n)
	JNZ(LabelRef("next"))
	Label("end")
}

func sum() {
	TEXT("sumAVX2", NOSPLIT, "func(s *byte)")
	s := Load(Param("s"), GP64())
	out, base, w, list, n := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(at(s, fOut), out)
	MOVQ(at(s, fBase), base)
	MOVQ(at(s, fW), w)
	MOVQ(at(s, fList), list)
	MOVQ(at(s, fN), n)
	var acc [4]reg.VecVirtual
	for i := range acc {
		acc[i] = YMM()
		VMOVUPS(at(base, 32*i), acc[i])
	}
	loop(n, 1, func() {
		row := GP64()
		MOVL(at(list, 0), row.As32())
		SHLQ(Imm(7), row)
		for i := range acc {
			VADDPS(Mem{Base: w, Index: row, Scale: 1, Disp: 32 * i}, acc[i], acc[i])
		}
		ADDQ(Imm(4), list)
	})
	for i := range acc {
		VMOVUPS(acc[i], at(out, 32*i))
	}
	VZEROUPPER()
	RET()
}

func scatter() {
	TEXT("scatterAVX2", NOSPLIT, "func(s *byte)")
	s := Load(Param("s"), GP64())
	w, from, list, n := GP64(), GP64(), GP64(), GP64()
	MOVQ(at(s, cW), w)
	MOVQ(at(s, cRow), from)
	MOVQ(at(s, cList), list)
	MOVQ(at(s, cN), n)
	var x [4]reg.VecVirtual
	for i := range x {
		x[i] = YMM()
		VMOVUPS(at(from, 32*i), x[i])
	}
	loop(n, 1, func() {
		row := GP64()
		MOVL(at(list, 0), row.As32())
		SHLQ(Imm(7), row)
		for i := range x {
			m, y := Mem{Base: w, Index: row, Scale: 1, Disp: 32 * i}, YMM()
			VADDPS(m, x[i], y)
			VMOVUPS(y, m)
		}
		ADDQ(Imm(4), list)
	})
	VZEROUPPER()
	RET()
}

func sigmoid() {
	TEXT("sigmoidAVX2", NOSPLIT, "func(s *byte)")
	s := Load(Param("s"), GP64())
	x, p, n := GP64(), GP64(), GP64()
	MOVQ(at(s, gX), x)
	MOVQ(at(s, gP), p)
	MOVQ(at(s, gN), n)
	scale, one := YMM(), YMM()
	VBROADCASTSS(at(s, gScale), scale)
	VMOVUPS(float("one", 1), one)
	loop(n, 8, func() {
		v, y, e, a := YMM(), YMM(), YMM(), YMM()
		VMOVUPS(at(x, 0), v)
		VPAND(word("low31", 1<<31-1), v, y)
		VMULPS(float("log2e", 1/math.Ln2), y, y)
		power(y, e)
		VBLENDVPS(v, e, one, a)
		VADDPS(one, e, e)
		VDIVPS(e, a, a)
		VMULPS(scale, a, a)
		VMOVUPS(a, at(p, 0))
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), p)
	})
	VZEROUPPER()
	RET()
}

func fixed() {
	TEXT("fixedAVX2", NOSPLIT, "func(f *byte)")
	f := Load(Param("f"), GP64())
	x, out, n := GP64(), GP64(), GP64()
	MOVQ(at(f, iX), x)
	MOVQ(at(f, iOut), out)
	MOVQ(at(f, iN), n)
	loop(n, 8, func() {
		y := YMM()
		VMOVUPS(at(x, 0), y)
		VMULPS(float("grid", 1<<18), y, y)
		VMINPS(float("field", 1<<26), y, y)
		VMAXPS(float("minus_field", -1<<26), y, y)
		VCVTPS2DQ(y, y)
		VMOVDQU(y, at(out, 0))
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), out)
	})
	VZEROUPPER()
	RET()
}

func learn() {
	TEXT("learnAVX2", NOSPLIT, "func(l *byte)")
	l := Load(Param("l"), GP64())
	w, v, g, n := GP64(), GP64(), GP64(), GP64()
	MOVQ(at(l, eW), w)
	MOVQ(at(l, eV), v)
	MOVQ(at(l, eG), g)
	MOVQ(at(l, eN), n)
	momentum, rate, decay, zero := YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(at(l, eMomentum), momentum)
	VBROADCASTSS(at(l, eRate), rate)
	VBROADCASTSS(at(l, eDecay), decay)
	VXORPS(zero, zero, zero)
	loop(n, 8, func() {
		x, d, u := YMM(), YMM(), YMM()
		VMOVUPS(at(w, 0), x)
		VMULPS(decay, x, u)
		VMOVUPS(at(g, 0), d)
		VSUBPS(u, d, d)
		VMULPS(rate, d, d)
		VMULPS(at(v, 0), momentum, u)
		VADDPS(d, u, u)
		VMOVUPS(u, at(v, 0))
		VADDPS(u, x, x)
		VMOVUPS(x, at(w, 0))
		VMOVUPS(zero, at(g, 0))
		ADDQ(Imm(32), w)
		ADDQ(Imm(32), v)
		ADDQ(Imm(32), g)
	})
	VZEROUPPER()
	RET()
}

func turn() {
	TEXT("turnAVX2", NOSPLIT, "func(t *byte)")
	t := Load(Param("t"), GP64())
	in, out := GP64(), GP64()
	MOVQ(at(t, tIn), in)
	MOVQ(at(t, tOut), out)
	for i := range 4 {
		for j := range 4 {
			transpose(at(in, 1024*i+32*j), at(out, 1024*j+32*i), 128)
		}
	}
	VZEROUPPER()
	RET()
}

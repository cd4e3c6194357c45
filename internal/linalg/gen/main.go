// Command gen writes the assembly of package linalg.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A kernel of mr×nr numbers adds up an outer product for every k: mr numbers of a panel of A
// are broadcast, nr numbers of a panel of B are vectors.
func main() {
	ConstraintExpr("amd64")
	for _, bits := range []int{32, 64} {
		gemm(bits, 256, 6, 2)
		gemm(bits, 512, 12, 2)
		dot(bits)
		axpy(bits)
		clip(bits)
	}
	Generate()
}

// vector returns n registers of the width.
func vectors(width, n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		if width == 512 {
			v[i] = ZMM()
		} else {
			v[i] = YMM()
		}
	}
	return v
}

// ops are the instructions of a precision.
type ops struct {
	broadcast, fma, mul, add, load, xor func(...Op)
}

func pick(bits int) ops {
	if bits == 32 {
		return ops{VBROADCASTSS, VFMADD231PS, VMULPS, VADDPS, VMOVUPS, VXORPS}
	}
	return ops{VBROADCASTSD, VFMADD231PD, VMULPD, VADDPD, VMOVUPD, VXORPD}
}

func name(bits int) string { return fmt.Sprintf("float%d", bits) }

// gemm is C = α·AB (load = 0) or C + α·AB of one tile; a and b are packed panels, c has rows
// ldc bytes apart.
func gemm(bits, width, mr, nv int) {
	o := pick(bits)
	size, wide := bits/8, width/8
	isa := map[int]string{256: "AVX2", 512: "AVX512"}[width]
	TEXT(fmt.Sprintf("gemm%d%s", bits, isa), NOSPLIT, fmt.Sprintf("func(k int, a, b, c *%s, ldc int, alpha %[1]s, load int)", name(bits)))
	k := Load(Param("k"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	load := Load(Param("load"), GP64())
	acc := vectors(width, mr*nv)
	for _, v := range acc {
		if width == 512 {
			VPXORQ(v, v, v)
		} else {
			o.xor(v, v, v)
		}
	}
	bv := vectors(width, nv)
	step := func(u int) {
		for j, v := range bv {
			o.load(Mem{Base: b, Disp: u*nv*wide + j*wide}, v)
		}
		for i := range mr {
			x := vectors(width, 1)[0]
			o.broadcast(Mem{Base: a, Disp: (u*mr + i) * size}, x)
			for j, v := range bv {
				o.fma(v, x, acc[i*nv+j])
			}
		}
	}
	const unroll = 4
	Label("four")
	CMPQ(k, Imm(unroll))
	JLT(LabelRef("one"))
	for u := range unroll {
		step(u)
	}
	ADDQ(I32(int32(unroll*mr*size)), a)
	ADDQ(I32(unroll*nv*wide), b)
	SUBQ(Imm(unroll), k)
	JMP(LabelRef("four"))
	Label("one")
	TESTQ(k, k)
	JZ(LabelRef("done"))
	step(0)
	ADDQ(I32(int32(mr*size)), a)
	ADDQ(I32(int32(nv*wide)), b)
	DECQ(k)
	JMP(LabelRef("one"))
	Label("done")
	alpha := vectors(width, 1)[0]
	p, err := Param("alpha").Resolve()
	if err != nil {
		panic(err)
	}
	o.broadcast(p.Addr, alpha)
	TESTQ(load, load)
	JZ(LabelRef("store"))
	for i := range mr {
		for j := range nv {
			t := vectors(width, 1)[0]
			o.load(Mem{Base: c, Disp: j * wide}, t)
			o.fma(acc[i*nv+j], alpha, t)
			o.load(t, Mem{Base: c, Disp: j * wide})
		}
		ADDQ(ldc, c)
	}
	VZEROUPPER()
	RET()
	Label("store")
	for i := range mr {
		for j := range nv {
			v := acc[i*nv+j]
			o.mul(alpha, v, v)
			o.load(v, Mem{Base: c, Disp: j * wide})
		}
		ADDQ(ldc, c)
	}
	VZEROUPPER()
	RET()
}

// dot writes the 4 vectors of partial sums of x·y to sum; n is a multiple of their length.
func dot(bits int) {
	o := pick(bits)
	TEXT(fmt.Sprintf("dot%dAVX2", bits), NOSPLIT, fmt.Sprintf("func(n int, x, y, sum *%s)", name(bits)))
	n := Load(Param("n"), GP64())
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	sum := Load(Param("sum"), GP64())
	acc := vectors(256, 4)
	for _, v := range acc {
		o.xor(v, v, v)
	}
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	for i, v := range acc {
		t := YMM()
		o.load(Mem{Base: x, Disp: 32 * i}, t)
		o.fma(Mem{Base: y, Disp: 32 * i}, t, v)
	}
	SUBQ(I32(-128), x)
	SUBQ(I32(-128), y)
	SUBQ(Imm(uint64(4*256/bits)), n)
	JMP(LabelRef("loop"))
	Label("done")
	for i, v := range acc {
		o.load(v, Mem{Base: sum, Disp: 32 * i})
	}
	VZEROUPPER()
	RET()
}

// axpy is y += α·x; n is a multiple of 4 vectors.
func axpy(bits int) {
	o := pick(bits)
	TEXT(fmt.Sprintf("axpy%dAVX2", bits), NOSPLIT, fmt.Sprintf("func(n int, alpha %s, x, y *%[1]s)", name(bits)))
	n := Load(Param("n"), GP64())
	p, err := Param("alpha").Resolve()
	if err != nil {
		panic(err)
	}
	alpha := YMM()
	o.broadcast(p.Addr, alpha)
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	for i := range 4 {
		t := YMM()
		o.load(Mem{Base: y, Disp: 32 * i}, t)
		o.fma(Mem{Base: x, Disp: 32 * i}, alpha, t)
		o.load(t, Mem{Base: y, Disp: 32 * i})
	}
	SUBQ(I32(-128), x)
	SUBQ(I32(-128), y)
	SUBQ(Imm(uint64(4*256/bits)), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// clip is r = x cut to [0, 1] and s = 1 where that is x, else 0; NaN stays NaN. n is a multiple
// of 4 vectors.
func clip(bits int) {
	o := pick(bits)
	low, high, cmp, and := VMAXPS, VMINPS, VCMPPS, VANDPS
	one := U64(0x3f8000003f800000)
	if bits == 64 {
		low, high, cmp, and = VMAXPD, VMINPD, VCMPPD, VANDPD
		one = U64(0x3ff0000000000000)
	}
	ones := GLOBL(fmt.Sprintf("one%d", bits), RODATA|NOPTR)
	DATA(0, one)
	TEXT(fmt.Sprintf("clip%dAVX2", bits), NOSPLIT, fmt.Sprintf("func(n int, r, s, x *%s)", name(bits)))
	n := Load(Param("n"), GP64())
	r := Load(Param("r"), GP64())
	s := Load(Param("s"), GP64())
	x := Load(Param("x"), GP64())
	zero, unit := YMM(), YMM()
	o.xor(zero, zero, zero)
	o.broadcast(ones, unit)
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	for i := range 4 {
		v, c := YMM(), YMM()
		o.load(Mem{Base: x, Disp: 32 * i}, v)
		// The first operand is what comes out where one of them is NaN.
		low(v, zero, c)
		high(c, unit, c)
		o.load(c, Mem{Base: r, Disp: 32 * i})
		cmp(Imm(0), v, c, c)
		and(unit, c, c)
		o.load(c, Mem{Base: s, Disp: 32 * i})
	}
	SUBQ(I32(-128), x)
	SUBQ(I32(-128), r)
	SUBQ(I32(-128), s)
	SUBQ(Imm(uint64(4*256/bits)), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

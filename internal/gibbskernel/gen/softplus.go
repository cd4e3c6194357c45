package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// power makes q gibbskernel.power(y), and overwrites y.
func power(y, q reg.VecVirtual) {
	VMINPS(float("hundred", 100), y, y)
	t, f := YMM(), YMM()
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
	q := YMM()
	power(y, q)
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

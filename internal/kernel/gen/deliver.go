package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// deliver adds rows in tiles of eight vectors, then of 16 units: every tile is read and
// written once.
func deliver(x isa, fixed bool) {
	name, size := "deliver", 4 // bytes of a weight
	if fixed {
		name, size = "deliverFixed", 2
	}
	TEXT(name+x.name, NOSPLIT, "func(d *byte)")
	d := Load(Param("d"), GP64())
	ptr := pointers(d, dJ, dRows, dGroups, dStride)
	j, rows, groups, stride := ptr[0], ptr[1], ptr[2], ptr[3]
	unit, f, n := GP64(), GP64(), GP64()
	tile := func(name string, regs int) {
		tileGroups := regs * x.lanes / 16
		Label(name)
		CMPQ(groups, Imm(uint64(tileGroups)))
		JL(LabelRef(name + "_end"))
		acc := make([]reg.VecVirtual, regs)
		for i := range acc {
			acc[i] = x.vec()
			VMOVUPS(at(j, 4*x.lanes*i), acc[i])
		}
		MOVQ(at(d, dUnit), unit)
		MOVQ(at(d, dF), f)
		MOVQ(at(d, dN), n)
		Label(name + "_spike")
		row := GP64()
		MOVLQSX(at(unit, 0), row)
		IMULQ(stride, row)
		ADDQ(rows, row)
		y := x.vec()
		VBROADCASTSS(at(f, 0), y)
		for i := range acc {
			t := x.vec()
			if fixed {
				VPMOVSXWD(at(row, 2*x.lanes*i), t)
				VCVTDQ2PS(t, t)
				VMULPS(y, t, t)
			} else {
				VMULPS(at(row, 4*x.lanes*i), y, t)
			}
			VADDPS(t, acc[i], acc[i])
		}
		ADDQ(Imm(4), unit)
		ADDQ(Imm(4), f)
		DECQ(n)
		JNZ(LabelRef(name + "_spike"))
		for i := range acc {
			VMOVUPS(acc[i], at(j, 4*x.lanes*i))
		}
		ADDQ(U32(4*x.lanes*regs), j)
		ADDQ(U32(size*x.lanes*regs), rows)
		SUBQ(Imm(uint64(tileGroups)), groups)
		JMP(LabelRef(name))
		Label(name + "_end")
	}
	tile("wide", 8)
	tile("narrow", 16/x.lanes)
	VZEROUPPER()
	RET()
}

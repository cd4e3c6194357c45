package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// deliver adds rows in tiles of eight vectors, or four to each of two targets if the signs
// are apart, then of 16 units: every tile is read and written once.
func deliver(x isa, apart, fixed bool) {
	name, size, widest := "deliver", 4, 8 // bytes of a weight, vectors of a tile
	if apart {
		name, widest = name+"Apart", 4
	}
	if fixed {
		name, size = name+"Fixed", 2
	}
	TEXT(name+x.name, NOSPLIT, "func(d *byte)")
	d := Load(Param("d"), GP64())
	ptr := pointers(d, dJ, dRows, dGroups, dStride)
	j, rows, groups, stride := ptr[0], ptr[1], ptr[2], ptr[3]
	targets := []reg.GPVirtual{j}
	factors := []int{dF}
	var zero reg.VecVirtual
	if apart {
		targets = append(targets, pointers(d, dJI)...)
		factors = append(factors, dFI)
		zero = x.vec()
		if x.wide() {
			VPXORQ(zero, zero, zero)
		} else {
			VPXOR(zero, zero, zero)
		}
	}
	unit, n := GP64(), GP64()
	tile := func(name string, regs int) {
		tileGroups := regs * x.lanes / 16
		Label(name)
		CMPQ(groups, Imm(uint64(tileGroups)))
		JL(LabelRef(name + "_end"))
		acc := make([][]reg.VecVirtual, len(targets))
		f := make([]reg.GPVirtual, len(targets))
		for t := range targets {
			for i := range regs {
				acc[t] = append(acc[t], x.vec())
				VMOVUPS(at(targets[t], 4*x.lanes*i), acc[t][i])
			}
			f[t] = GP64()
			MOVQ(at(d, factors[t]), f[t])
		}
		MOVQ(at(d, dUnit), unit)
		MOVQ(at(d, dN), n)
		Label(name + "_spike")
		row := GP64()
		MOVLQSX(at(unit, 0), row)
		IMULQ(stride, row)
		ADDQ(rows, row)
		factor := make([]reg.VecVirtual, len(targets))
		for t := range targets {
			factor[t] = x.vec()
			VBROADCASTSS(at(f[t], 0), factor[t])
		}
		for i := range regs {
			w := x.vec()
			switch {
			case fixed:
				VPMOVSXWD(at(row, 2*x.lanes*i), w)
				VCVTDQ2PS(w, w)
			case apart:
				VMOVUPS(at(row, 4*x.lanes*i), w)
			default:
				VMULPS(at(row, 4*x.lanes*i), factor[0], w)
			}
			if apart {
				negative := x.vec()
				VSUBPS(w, zero, negative)
				VMAXPS(zero, w, w)
				VMAXPS(zero, negative, negative)
				VMULPS(factor[1], negative, negative)
				VADDPS(negative, acc[1][i], acc[1][i])
			}
			if apart || fixed {
				VMULPS(factor[0], w, w)
			}
			VADDPS(w, acc[0][i], acc[0][i])
		}
		ADDQ(Imm(4), unit)
		for t := range targets {
			ADDQ(Imm(4), f[t])
		}
		DECQ(n)
		JNZ(LabelRef(name + "_spike"))
		for t := range targets {
			for i := range regs {
				VMOVUPS(acc[t][i], at(targets[t], 4*x.lanes*i))
			}
			ADDQ(U32(4*x.lanes*regs), targets[t])
		}
		ADDQ(U32(size*x.lanes*regs), rows)
		SUBQ(Imm(uint64(tileGroups)), groups)
		JMP(LabelRef(name))
		Label(name + "_end")
	}
	tile("wide", widest)
	tile("narrow", 16/x.lanes)
	VZEROUPPER()
	RET()
}

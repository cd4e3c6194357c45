// Command gen writes the assembly of package kernel. It is a module of its own, so that
// users of the library do not depend on the assembler generator.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the structs of package kernel, which its TestOffsets compares.
const (
	// Block
	bV, bJ, bC, bS, bRef, bRing                      = 0, 8, 16, 24, 32, 40
	bGroups, bRingLen, bSlot, bLimit, bAny, bColumns = 48, 56, 64, 72, 80, 88
	bA, bP, bReset, bW, bOff                         = 96, 128, 160, 192, 224
	bThr, bAlias                                     = 256, 384
	// Conductance
	cV, cGE, cGI, cC, cS, cRef, cRing      = 0, 8, 16, 24, 32, 40, 48
	cGroups, cRingLen, cSlot, cLimit, cAny = 56, 64, 72, 80, 88
	cL, cPE, cPI, cReset                   = 96, 104, 136, 168
	cRevE, cRevI, cWE, cWI, cMath          = 200, 232, 264, 296, 328
	cThrE, cThrI, cAliasE, cAliasI         = 648, 776, 904, 936
	// General
	gV, gJE, gJI, gC, gL, gS, gUnits, gMask = 0, 8, 16, 24, 32, 40, 48, 56
	gGroups, gLimit, gAny, gMath            = 64, 72, 80, 88
	gThrE, gThrI, gAliasE, gAliasI          = 408, 536, 664, 696
	// Units
	uA, uPE, uPI, uWE, uWI, uReset     = 0, 64, 128, 192, 256, 320
	uRevE, uRevI, uHold, uLeft, uBytes = 384, 448, 512, 576, 640
	// Deliver
	dJ, dRows, dUnit, dF, dGroups, dN = 0, 8, 16, 24, 32, 40
	dStride, dJI, dFI                 = 48, 56, 64
)

func main() {
	ConstraintExpr("amd64")
	constants()
	for _, x := range []isa{{"AVX2", 8}, {"AVX512", 16}} {
		step(x, "step", 16)
		step(x, "step32", 32)
		step(x, "floor", 0)
		for _, columns := range []int{16, 32} {
			currents(x, columns)
			for _, near := range []bool{false, true} {
				conductance(x, near, columns)
				conductances(x, near, columns)
			}
		}
		for _, apart := range []bool{false, true} {
			for _, fixed := range []bool{false, true} {
				deliver(x, apart, fixed)
			}
		}
	}
	Generate()
}

// suffix tells the variants of a function apart.
func suffix(near bool, columns int) (s string) {
	if near {
		s = "Near"
	}
	if columns == 32 {
		s += "32"
	}
	return s
}

func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

// pointers loads fields of b.
func pointers(b reg.Register, offsets ...int) []reg.GPVirtual {
	p := make([]reg.GPVirtual, len(offsets))
	for i, o := range offsets {
		p[i] = GP64()
		MOVQ(at(b, o), p[i])
	}
	return p
}

// ringSlot is a pointer to the spike masks of the current slot.
func ringSlot(b reg.Register, slot, groups, ring int) reg.GPVirtual {
	p := GP64()
	MOVQ(at(b, slot), p)
	IMULQ(at(b, groups), p)
	SHLQ(Imm(1), p)
	ADDQ(at(b, ring), p)
	return p
}

// nextSlot advances the ring.
func nextSlot(b reg.Register, slotAt, ringLen int) {
	slot := GP64()
	MOVQ(at(b, slotAt), slot)
	INCQ(slot)
	CMPQ(slot, at(b, ringLen))
	JNE(LabelRef("same"))
	XORQ(slot, slot)
	Label("same")
	MOVQ(slot, at(b, slotAt))
}

// finish ends a step: it goes on at label steps, or returns.
func finish(b reg.Register, limitAt, anyAt int, done, any reg.GPVirtual) {
	INCQ(done)
	TESTQ(any, any)
	JZ(LabelRef("steps"))
	Label("end")
	MOVQ(done, at(b, limitAt))
	MOVQ(any, at(b, anyAt))
	VZEROUPPER()
	RET()
}

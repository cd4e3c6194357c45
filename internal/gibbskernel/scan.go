package gibbskernel

import (
	"math/bits"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// Scan describes a sequential scan of the 16 units of a group: one chain, each unit drawn
// given the present values of all others.
type Scan struct {
	X    *int32 // fields at the beginning, 16
	Diag *int16 // weights between the units, 16×16
	T    *int32 // thresholds, 16
	Z    uint64 // in: the bits of the units; out: the new ones
}

// Run scans. It leaves X alone: the caller corrects all fields for the units that changed.
//
// All fields are compared with their thresholds at once; then the first unit that wants to change
// does, corrects the fields of the group, and so on with the units after it. That is the
// sequential chain exactly, as thresholds do not depend on the state.
func (s *Scan) Run(p kernel.Path) {
	if p != kernel.Portable {
		scanAVX2(s)
		return
	}
	x := *(*[Group]int32)(unsafe.Pointer(s.X))
	diag := (*[Group][Group]int16)(unsafe.Pointer(s.Diag))
	t := (*[Group]int32)(unsafe.Pointer(s.T))
	for from := uint64(0xffff); ; {
		want := uint64(0)
		for i := range x {
			if x[i] > t[i] {
				want |= 1 << i
			}
		}
		want = (want ^ s.Z) & from
		if want == 0 {
			return
		}
		k := bits.TrailingZeros64(want)
		from = ^uint64(0) << (k + 1)
		sign := 1 - 2*int32(s.Z>>k&1)
		for i := range x {
			x[i] += sign * int32(diag[k][i])
		}
		s.Z ^= 1 << k
	}
}

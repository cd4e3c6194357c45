package gibbskernel

import (
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
// In assembly all fields are compared with their thresholds at once; then the first unit that
// wants to change does, corrects the fields of the group, and so on with the units after it.
// That is the sequential chain exactly, as thresholds do not depend on the state.
func (s *Scan) Run(p kernel.Path) {
	if p != kernel.Portable {
		scanAVX2(s)
		return
	}
	x := *(*[Group]int32)(unsafe.Pointer(s.X))
	t := (*[Group]int32)(unsafe.Pointer(s.T))
	diag := (*[Group][Group]int16)(unsafe.Pointer(s.Diag))
	for k := range x {
		on := uint64(0)
		if x[k] > t[k] {
			on = 1
		}
		old := s.Z >> k & 1
		if on == old {
			continue
		}
		s.Z ^= 1 << k
		sign := int32(on) - int32(old)
		row := &diag[k]
		for i := k + 1; i < Group; i++ {
			x[i] += sign * int32(row[i])
		}
	}
}

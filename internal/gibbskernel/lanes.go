package gibbskernel

import (
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// LaneChains is the number of chains that Lanes moves together.
const LaneChains = 16

// Lanes describes a sequential scan over all units of 16 chains at once, chain by lane.
// Fields are computed anew for every unit from values as 16-bit numbers: two units and 8
// chains are one multiply-add.
type Lanes struct {
	Z     *int32   // values of units 2p (low half) and 2p+1 (high half), Width×16 chains
	W     *int16   // weights, a row of 2·Width for each unit, natural order
	B     *int32   // biases, 2·Pairs or one more for padding
	S     *Streams // of 16 chains
	Inv   *float32 // of 16 chains
	M     *uint16  // out: for every unit, a bit for each chain
	T     *int32   // scratch, 512
	E     *int64   // energies of 16 chains [grid], corrected
	Pairs int64    // pairs of units to visit
	Width int64    // pairs with padding, even
}

// Run scans once.
func (l *Lanes) Run(p kernel.Path) {
	if p != kernel.Portable {
		lanesAVX2(l)
		return
	}
	n, width := 2*int(l.Pairs), int(l.Width)
	z := unsafe.Slice(l.Z, width*LaneChains)
	b, m := unsafe.Slice(l.B, n), unsafe.Slice(l.M, n)
	s, inv, e := unsafe.Slice(l.S, LaneChains), unsafe.Slice(l.Inv, LaneChains), unsafe.Slice(l.E, LaneChains)
	var w [LaneChains][Group]uint32
	for k := range n {
		if k%Group == 0 {
			for c := range s {
				s[c].Words(&w[c])
			}
		}
		var x [LaneChains]int32
		for c := range x {
			x[c] = b[k]
		}
		row := unsafe.Slice((*int16)(unsafe.Add(unsafe.Pointer(l.W), 4*k*width)), 2*width)
		for p := range width {
			lo, hi := int32(row[2*p]), int32(row[2*p+1])
			for c, pair := range (*[LaneChains]int32)(z[LaneChains*p:]) {
				x[c] += lo*int32(int16(pair)) + hi*(pair>>16)
			}
		}
		shift := 16 * (k & 1)
		m[k] = 0
		for c, pair := range (*[LaneChains]int32)(z[LaneChains*(k/2):]) {
			on, old := int32(0), pair>>shift&1
			if x[c] > Threshold(w[c][k%Group], inv[c]) {
				on = 1
				m[k] |= 1 << c
			}
			e[c] -= int64((on - old) * x[c])
			z[LaneChains*(k/2)+c] = pair ^ (on^old)<<shift
		}
	}
}

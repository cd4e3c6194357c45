// Package kernel holds the inner loops of the fast LIF engine, in portable Go and in AVX2
// and AVX-512 assembly. All paths give the same bits.
//
// State is float32 in arrays padded to groups of 16 units. A potential v is relative to
// threshold and in an arbitrary unit, a current j is what it adds to v in one step. One
// step of a unit, in this order of operations and without fused multiply-adds:
//
//	v' = v·A + (j + c)                        membrane
//	spike if v' ≥ +0 and not refractory
//	v  = v' if v' < 0 and not refractory, else Reset
//	j  = j·P + (e·W + Off)                    synapse decays, e counts background events
//
// The refractory state is a bit per unit, and a ring of the spike masks of the last τ_ref
// takes it away again: ref = (ref AND NOT ring[t−τ_ref]) OR spikes. It is the binary state
// z. Padding units are refractory for ever. A refractory unit has v = Reset, from the start
// on.
//
// The number e of background events is drawn by Walker's alias method from one 32-bit
// word a unit: its high 4 or 5 bits are the column of 16 or 32, and the whole word is
// compared with the column's threshold, to 2⁻³². The cost does not depend on the rate
// otherwise. The words of units 2i and 2i+1 are the halves of the
// output of a xoroshiro128+ generator (Blackman and Vigna 2018) of their own.
//
// [Block] is the network of current-based units with the same constants, [Conductance]
// that of conductance-based ones, and [General] either with constants of their own.
package kernel

import (
	"fmt"
	"os"
	"slices"
)

// Group is the number of units that a state is padded to.
const Group = 16

// Lanes are eight copies of a constant.
type Lanes [8]float32

// All is a constant in all lanes.
func All(x float32) Lanes { return Lanes{x, x, x, x, x, x, x, x} }

// Path is a code path.
type Path int

const (
	Portable Path = iota
	AVX2
	AVX512 // F, BW, DQ and VL
)

func (p Path) String() string {
	switch p {
	case Portable:
		return "portable"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("Path(%d)", int(p))
}

// Paths are the code paths this machine can run, the fastest last.
func Paths() []Path {
	paths := []Path{Portable}
	if hasAVX2 {
		paths = append(paths, AVX2)
	}
	if hasAVX512 {
		paths = append(paths, AVX512)
	}
	return paths
}

// PathVariable is the environment variable that forces a code path by its name.
const PathVariable = "SPIKESAMPLING_PATH"

// Choose is the fastest path of this machine, or the one that PathVariable names.
func Choose() (Path, error) {
	paths := Paths()
	name := os.Getenv(PathVariable)
	if name == "" {
		return paths[len(paths)-1], nil
	}
	i := slices.IndexFunc(paths, func(p Path) bool { return p.String() == name })
	if i < 0 {
		return 0, fmt.Errorf("%s=%s: must be one of %v on this machine", PathVariable, name, paths)
	}
	return paths[i], nil
}

package boltzmann

import (
	"math/bits"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/sampling"
)

// fastDense samples a dense machine by sequential scans, in one of two ways with the same
// result. A chain by itself keeps its fields: 16 units are scanned at a time, then the rows
// of those that changed are added. Chains in lanes, 16 together, compute every field anew.
type fastDense struct {
	*fastCore
	b     []int32 // biases, padded to groups
	lanes int     // blocks of 16 chains in lanes; the chains after them are by themselves

	// Chains by themselves.
	table *gibbskernel.Table
	diag  []int16 // weights within groups, 16×16 each
	x     []int32 // fields, a row for each chain
	t     []int32 // thresholds of a sweep
	list  [2][]int32

	// Chains in lanes.
	w       []int16 // rows of weights, padded
	width   int     // pairs of units of a row
	values  []int32 // for every block, pairs of units × 16 chains
	masks   []uint16
	e       []int64 // energies
	scratch []int32
	stale   bool // the bits of fastCore are not yet those of masks
}

func newFastDense(core *fastCore, m *Machine) *fastDense {
	const group = gibbskernel.Group
	n, g := m.n, core.grid
	f := &fastDense{fastCore: core, b: gridded(nil, m.b, g)}
	at := func(i, j int) int16 { return onGrid[int16](m.w[i*n+j], g) }
	f.lanes = core.chains / fastBlock
	if core.chains%fastBlock >= lanesFrom(n) {
		f.lanes++
	}
	if f.lanes*fastBlock < core.chains {
		f.table = gibbskernel.NewTable(n, n, at)
		f.diag = make([]int16, group*len(f.b))
		for i := range n {
			for j := i &^ (group - 1); j < min(n, i|(group-1)+1); j++ {
				f.diag[group*i+j%group] = at(i, j)
			}
		}
		f.x, f.t = make([]int32, len(f.b)*core.chains), make([]int32, len(f.b))
		for i := range f.list {
			f.list[i] = make([]int32, 64*core.words()+12)
		}
	}
	if f.lanes > 0 {
		pairs := (n + 1) / 2
		f.width = (pairs + 1) &^ 1
		f.w = make([]int16, 2*pairs*2*f.width)
		for i := range n {
			for j := range n {
				f.w[2*f.width*i+j] = at(i, j)
			}
		}
		f.values = make([]int32, f.lanes*f.width*fastBlock)
		f.masks = make([]uint16, f.lanes*len(f.b))
		f.e = make([]int64, f.lanes*fastBlock)
		f.scratch = make([]int32, 512)
	}
	return f
}

// lanesFrom is the number of chains from which a block of 16 lanes is cheaper than as many
// chains by themselves (measured).
func lanesFrom(n int) int {
	switch {
	case n <= 32:
		return 3
	case n <= 200:
		return 5
	}
	return 12
}

// inLanes reports whether chain c runs in lanes.
func (f *fastDense) inLanes(c int) bool { return c < f.lanes*fastBlock }

func (f *fastDense) load(c int) {
	z := f.bits(c)
	if f.inLanes(c) {
		block := f.values[c/fastBlock*f.width*fastBlock:][:f.width*fastBlock]
		for p := range f.width {
			pair := int32(0)
			if 2*p/64 < len(z) {
				two := z[2*p/64] >> (2 * p % 64)
				pair = int32(two&1 | two>>1&1<<16)
			}
			block[p*fastBlock+c%fastBlock] = pair
		}
		masks := f.masks[c/fastBlock*len(f.b):][:len(f.b)]
		for k := range f.n {
			lane := uint16(1) << (c % fastBlock)
			masks[k] = masks[k]&^lane | uint16(z[k/64]>>(k%64)&1)<<(c%fastBlock)
		}
		f.e[c] = f.energyOf(z)
		return
	}
	x := f.field(c)
	copy(x, f.b)
	f.add(x, z, make([]uint64, len(z)))
}

// energyOf is the energy of a state by the definition.
func (f *fastDense) energyOf(z []uint64) (e int64) {
	for k := range f.n {
		if z[k/64]>>(k%64)&1 == 0 {
			continue
		}
		e -= int64(f.b[k])
		for j, w := range f.w[2*f.width*k:][:k] {
			e -= int64(w) * int64(z[j/64]>>(j%64)&1)
		}
	}
	return e
}

// field are the fields of a chain by itself.
func (f *fastDense) field(c int) []int32 { return f.x[c*len(f.b):][:len(f.b)] }

// add corrects the fields x for units that went on and off.
func (f *fastDense) add(x []int32, on, off []uint64) {
	r := gibbskernel.Rows{Out: &x[0], Base: &x[0], Add: &f.list[0][0], Sub: &f.list[1][0]}
	for i, words := range [2][]uint64{on, off} {
		l := gibbskernel.List{Bits: &words[0], Out: &f.list[i][0], Words: int64(len(words)), Pad: int64(f.n)}
		l.Run(f.path)
		*[2]*int64{&r.NAdd, &r.NSub}[i] = l.N
	}
	r.Run(f.path, f.table, 0, f.table.Groups())
}

func (f *fastDense) sweep() {
	for b := range f.lanes {
		l := gibbskernel.Lanes{Z: &f.values[b*f.width*fastBlock], W: &f.w[0], B: &f.b[0], S: &f.s[b*fastBlock],
			Inv: &f.inv[b*fastBlock], M: &f.masks[b*len(f.b)], T: &f.scratch[0], E: &f.e[b*fastBlock],
			Pairs: int64(f.n+1) / 2, Width: int64(f.width)}
		l.Run(f.path)
		f.stale = true
	}
	for c := f.lanes * fastBlock; c < f.chains; c++ {
		f.scan(c)
	}
}

// scan is a sweep of a chain by itself.
func (f *fastDense) scan(c int) {
	const group = gibbskernel.Group
	x, z, old := f.field(c), f.bits(c), f.old(c)
	copy(old, z)
	gibbskernel.Thresholds(f.path, f.t, &f.s[c], f.inv[c])
	var s gibbskernel.Scan
	for g := range len(x) / group {
		word, shift := g/4, g%4*group
		was := z[word] >> shift & 0xffff
		s.X, s.T, s.Diag, s.Z = &x[g*group], &f.t[g*group], &f.diag[g*group*group], was
		s.Run(f.path)
		if s.Z == was {
			continue
		}
		z[word] ^= (s.Z ^ was) << shift
		f.correct(x, s.Z&^was, was&^s.Z, int32(g*group))
	}
}

// correct is add for the units of a group that begins at unit first.
func (f *fastDense) correct(x []int32, on, off uint64, first int32) {
	r := gibbskernel.Rows{Out: &x[0], Base: &x[0], Add: &f.list[0][0], Sub: &f.list[1][0]}
	r.NAdd = list16(f.list[0], on, first, int32(f.n))
	r.NSub = list16(f.list[1], off, first, int32(f.n))
	r.Run(f.path, f.table, 0, f.table.Groups())
}

// list16 lists the bits of w, counted from first, filled up with pad to a multiple of 4.
func list16(dst []int32, w uint64, first, pad int32) int64 {
	n := 0
	for ; w != 0; w &= w - 1 {
		dst[n] = first + int32(bits.TrailingZeros64(w))
		n++
	}
	for ; n%4 != 0; n++ {
		dst[n] = pad
	}
	return int64(n)
}

func (f *fastDense) sync() {
	if !f.stale {
		return
	}
	f.stale = false
	end := f.lanes * fastBlock * f.words()
	copy(f.before[:end], f.z[:end])
	clear(f.z[:end])
	for b := range f.lanes {
		masks := f.masks[b*len(f.b):][:len(f.b)]
		for g := 0; g < len(masks); g += 16 {
			m := (*[16]uint16)(masks[g:])
			transpose16(m)
			for c, row := range m {
				f.z[(b*fastBlock+c)*f.words()+g/64] |= uint64(row) << (g % 64)
			}
			transpose16(m)
		}
	}
}

// transpose16 turns a 16×16 matrix of bits over.
func transpose16(m *[16]uint16) {
	mask := uint16(0x00ff)
	for j := 8; j != 0; j, mask = j>>1, mask^mask<<(j>>1) {
		for k := 0; k < 16; k = (k + j + 1) &^ j {
			t := (m[k]>>j ^ m[k+j]) & mask
			m[k] ^= t << j
			m[k+j] ^= t
		}
	}
}

func (f *fastDense) energy(c int) int64 {
	if f.inLanes(c) {
		return f.e[c]
	}
	twice := int64(0) // −½ Σ z (x + b)
	x := f.field(c)
	for i, w := range f.bits(c) {
		for ; w != 0; w &= w - 1 {
			k := 64*i + bits.TrailingZeros64(w)
			twice -= int64(x[k]) + int64(f.b[k])
		}
	}
	return twice / 2
}

// flips appends those of the last of so many sweeps: the i-th visit ends at i/N of it.
func (f *fastDense) flips(dst []sampling.Flip, c int, sweeps int64) []sampling.Flip {
	z, n := f.bits(c), float64(f.n)
	visits := (sweeps - 1) * int64(f.n)
	for i, old := range f.old(c) {
		for w := z[i] ^ old; w != 0; w &= w - 1 {
			b := bits.TrailingZeros64(w)
			k := 64*i + b
			dst = append(dst, sampling.Flip{Time: float64(visits+int64(k)+1) / n, Unit: int32(k), On: uint8(z[i] >> b & 1)})
		}
	}
	return dst
}

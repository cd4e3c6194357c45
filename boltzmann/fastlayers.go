package boltzmann

import (
	"math/bits"
	"slices"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/sampling"
)

// fastLayers samples a layered machine by blocks. The field of a layer is a sum of rows of
// weights; it is had from whichever is the fewest rows: those of the units that are on,
// those of the units that are off (taken from the sum of all), or those of the units that
// changed since it was last computed. Being exact, all three give the same.
type fastLayers struct {
	*fastCore
	layers []fastLayer
	start  []int   // first field of every layer, and how many there are
	b      []int32 // biases, layers padded to groups
	x      []int32 // fields, a row for each chain
	plans  [fastBlock]fastPlan
	// offsets are those of layer 0 in all chains, nil for none (see gibbskernel.Draw).
	offsets []float32
}

// fastLayer are the rows that make the fields of a layer.
type fastLayer struct {
	table [2]*gibbskernel.Table // rows of the layer below, above; nil if there is none
	// base are the fields to begin with: the biases, plus the sum of all rows below if bit
	// 0 of the index is set, and of all rows above if bit 1 is.
	base [4][]int32
}

// fastPlan is how the fields of a layer are computed for one chain.
type fastPlan struct {
	rows [2]gibbskernel.Rows
	list [2][]int32
	a, b []uint64
}

func newFastLayers(core *fastCore, m *Layered) *fastLayers {
	f := &fastLayers{fastCore: core, start: []int{0}}
	g := core.grid
	room := 0
	for l := range m.Layers() {
		from, to := m.Layer(l)
		f.b = gridded(f.b, m.b[from:to], g)
		f.start = append(f.start, len(f.b))
		room = max(room, (to-from+63)/64)
	}
	for l := range m.Layers() {
		from, to := m.Layer(l)
		var x fastLayer
		bias := f.b[f.start[l]:f.start[l+1]]
		for i := range x.base {
			x.base[i] = slices.Clone(bias)
		}
		for side, other := range [2]int{l - 1, l + 1} {
			if other < 0 || other >= m.Layers() {
				continue
			}
			rows, w := 0, m.up[max(other, 0)] // a row for every unit of other
			if side == 1 {
				w = m.down[other]
			}
			begin, end := m.Layer(other)
			rows = end - begin
			cols := to - from
			at := func(i, j int) int16 { return onGrid[int16](w[i*cols+j], g) }
			x.table[side] = gibbskernel.NewTable(rows, cols, at)
			for j := range cols {
				sum := int32(0)
				for i := range rows {
					sum += int32(at(i, j))
				}
				for base := range x.base {
					if base>>side&1 == 1 {
						x.base[base][j] += sum
					}
				}
			}
		}
		f.layers = append(f.layers, x)
	}
	for range core.chains {
		f.x = append(f.x, f.b...)
	}
	for i := range min(core.chains, fastBlock) {
		p := &f.plans[i]
		for side := range p.list {
			p.list[side] = make([]int32, 64*room+24)
		}
		p.a, p.b = make([]uint64, room), make([]uint64, room)
	}
	return f
}

// fields are those of layer l of chain c.
func (f *fastLayers) fields(l, c int) []int32 {
	return f.x[c*len(f.b)+f.start[l] : c*len(f.b)+f.start[l+1]]
}

// in are the words of layer l.
func (f *fastLayers) in(l int, words []uint64) []uint64 { return words[f.word[l]:f.word[l+1]] }

func (f *fastLayers) load(c int) {
	copy(f.old(c), f.bits(c))
	for l := range f.layers {
		f.compute(l, c, c+1, true)
	}
}

func (f *fastLayers) sweep() {
	for from := 0; from < f.chains; from += fastBlock {
		to := min(from+fastBlock, f.chains)
		for parity := 1; parity >= 0; parity-- {
			for l := parity; l < len(f.layers); l += 2 {
				f.compute(l, from, to, false)
			}
			for l := parity; l < len(f.layers); l += 2 {
				f.draw(l, from, to)
			}
		}
	}
}

// compute brings the fields of layer l up to date in at most 16 chains, tile by tile of the
// weights so that the chains share them in the cache.
func (f *fastLayers) compute(l, from, to int, anew bool) {
	layer := &f.layers[l]
	for c := from; c < to; c++ {
		f.plan(&f.plans[c-from], l, c, anew)
	}
	groups := len(layer.base[0]) / gibbskernel.Group
	tile := groups
	if to-from > 1 {
		tile = 4
	}
	for g := 0; g < groups; g += tile {
		for i := range to - from {
			for side, table := range layer.table {
				if table == nil {
					continue
				}
				r := f.plans[i].rows[side]
				if r.Base == r.Out && r.NAdd+r.NSub == 0 {
					continue
				}
				if g > 0 {
					r.Base, r.Out = gibbskernel.Skip(r.Base, g), gibbskernel.Skip(r.Out, g)
				}
				r.Run(f.path, table, g, min(tile, groups-g))
			}
		}
	}
}

// plan chooses the rows for the fields of layer l of chain c.
func (f *fastLayers) plan(p *fastPlan, l, c int, anew bool) {
	layer := &f.layers[l]
	now, old := f.bits(c), f.old(c)
	fresh, changes, base := 0, 0, 0
	for side, table := range layer.table {
		if table == nil {
			continue
		}
		source := l - 1 + 2*side
		z, was := f.in(source, now), f.in(source, old)
		on, changed := 0, 0
		for i, w := range z {
			on += bits.OnesCount64(w)
			changed += bits.OnesCount64(w ^ was[i])
		}
		changes += changed
		if n := table.Zero(); n-on < on {
			base |= 1 << side
			on = n - on
		}
		fresh += on
	}
	anew = anew || fresh < changes
	x := &f.fields(l, c)[0]
	next := x
	if anew {
		next = &layer.base[base][0]
	}
	for side, table := range layer.table {
		if table == nil {
			continue
		}
		source := l - 1 + 2*side
		z, was := f.in(source, now), f.in(source, old)
		r := gibbskernel.Rows{Out: x, Base: next, Add: &p.list[side][0], Sub: &p.list[side][0]}
		next = x
		switch n := table.Zero(); {
		case !anew:
			for i, w := range z {
				p.a[i], p.b[i] = w&^was[i], was[i]&^w
			}
			r.NAdd = f.list(p.list[side], p.a[:len(z)], n)
			r.Sub = &p.list[side][r.NAdd]
			r.NSub = f.list(p.list[side][r.NAdd:], p.b[:len(z)], n)
		case base>>side&1 == 1:
			for i, w := range z {
				p.a[i] = ^w
			}
			if n%64 != 0 {
				p.a[n/64] &= 1<<(n%64) - 1
			}
			r.NSub = f.list(p.list[side], p.a[:len(z)], n)
		default:
			r.NAdd = f.list(p.list[side], z, n)
		}
		p.rows[side] = r
	}
}

func (f *fastLayers) list(dst []int32, words []uint64, pad int) int64 {
	l := gibbskernel.List{Bits: &words[0], Out: &dst[0], Words: int64(len(words)), Pad: int64(pad)}
	l.Run(f.path)
	return l.N
}

// draw draws layer l given its fields.
func (f *fastLayers) draw(l, from, to int) {
	for c := from; c < to; c++ {
		z := f.in(l, f.bits(c))
		copy(f.in(l, f.old(c)), z)
		x := f.fields(l, c)
		d := gibbskernel.Draw{X: &x[0], Z: &z[0], S: &f.s[c], Groups: int64(len(x) / gibbskernel.Group), Inv: f.inv[c]}
		if l == 0 && f.offsets != nil {
			d.O = &f.offsets[0]
		}
		d.Run(f.path)
	}
}

func (f *fastLayers) sync() {}

// energy is −Σ b z over odd layers − Σ x z over even ones, whose fields are up to date.
func (f *fastLayers) energy(c int) (e int64) {
	for l := range f.layers {
		x := f.fields(l, c)
		if l%2 == 1 {
			x = f.b[f.start[l]:]
		}
		e -= onSum(f.in(l, f.bits(c)), x)
	}
	return e
}

// onSum is the sum of x over the units that are on.
func onSum(z []uint64, x []int32) (sum int64) {
	for i, w := range z {
		for ; w != 0; w &= w - 1 {
			sum += int64(x[64*i+bits.TrailingZeros64(w)])
		}
	}
	return sum
}

// flips appends those of the last of so many sweeps: odd layers at its middle, even ones at
// its end.
func (f *fastLayers) flips(dst []sampling.Flip, c int, sweeps int64) []sampling.Flip {
	for parity := 1; parity >= 0; parity-- {
		now := float64(sweeps) - float64(parity)/2
		for l := parity; l < len(f.layers); l += 2 {
			z := f.in(l, f.bits(c))
			for i, old := range f.in(l, f.old(c)) {
				for w := z[i] ^ old; w != 0; w &= w - 1 {
					b := bits.TrailingZeros64(w)
					dst = append(dst, sampling.Flip{Time: now, Unit: int32(f.first[l] + 64*i + b), On: uint8(z[i] >> b & 1)})
				}
			}
		}
	}
	return dst
}

package estimate

import (
	"fmt"
	"math"
)

const (
	maxBlocks = 64      // blocks per chain, of small tables
	maxCells  = 1 << 24 // cells of all blocks of all chains (128 MB)
	maxStates = 1 << 20 // states of a table
)

// Table holds dwell times of states 0..Size-1, in blocks of equal width along each chain,
// so that estimates have Monte-Carlo errors; see the package documentation for the
// formulas. Its clock runs only while time is added. When a chain fills its blocks (64,
// fewer in tables of more than 2^18 states), neighbours are joined and the width doubles:
// a chain ends with between 32 and 64 blocks of time, whatever its length.
//
// A Table is filled by [Joint] or [Values].
type Table struct {
	size   int
	width  float64       // of a block [time]
	chains [][][]float64 // dwell time [chain][block][state]; recording adds to chain 0
	cur    []float64     // last block of chain 0
	fill   float64       // time in cur
	free   [][]float64   // zeroed blocks to use again
}

// newTable returns an empty table of 1 ≤ size ≤ maxStates states. The first width is small
// against any correlation time, a little larger for large tables as joining costs there.
func newTable(size int) *Table {
	t := &Table{size: size, width: baseWidth(size), chains: make([][][]float64, 1)}
	t.open()
	return t
}

// baseWidth is the width that blocks of a table start with, a power of two.
func baseWidth(size int) float64 {
	exp := -10
	for s := 1 << 10; s < size; s <<= 1 {
		exp++
	}
	return math.Ldexp(1, exp)
}

// limit is the number of blocks a chain may have.
func (b *Table) limit() int { return min(maxBlocks, maxCells/b.size) }

// open appends an empty block to chain 0.
func (b *Table) open() {
	if n := len(b.free); n > 0 {
		b.cur, b.free = b.free[n-1], b.free[:n-1]
	} else {
		b.cur = make([]float64, b.size)
	}
	b.chains[0] = append(b.chains[0], b.cur)
	b.fill = 0
}

// add adds dt ≥ 0 to the time of state k.
func (b *Table) add(k int, dt float64) {
	if fill := b.fill + dt; fill <= b.width {
		b.cur[k] += dt
		b.fill = fill
		return
	}
	b.cross(k, dt)
}

// cross is add over the end of a block.
func (b *Table) cross(k int, dt float64) {
	for float64(len(b.chains[0])-1)*b.width+b.fill+dt > float64(b.limit())*b.width {
		b.double()
	}
	for dt > 0 {
		room := b.width - b.fill
		if room <= 0 {
			b.open()
			continue
		}
		step := min(dt, room)
		b.cur[k] += step
		b.fill += step
		if step == room {
			b.fill = b.width
		}
		dt -= step
	}
}

// double joins neighbouring blocks of every chain and doubles the width.
func (b *Table) double() {
	if len(b.chains[0])%2 == 0 {
		b.fill += b.width
	}
	for c, blocks := range b.chains {
		n := (len(blocks) + 1) / 2
		for i := range n {
			blocks[i] = blocks[2*i]
			if 2*i+1 < len(blocks) {
				b.join(blocks[i], blocks[2*i+1])
			}
		}
		clear(blocks[n:])
		b.chains[c] = blocks[:n]
	}
	b.width *= 2
	b.cur = b.chains[0][len(b.chains[0])-1]
}

// join adds block from to block to and keeps from for reuse.
func (b *Table) join(to, from []float64) {
	for k, v := range from {
		to[k] += v
		from[k] = 0
	}
	b.free = append(b.free, from)
}

// merge appends the chains of o. Both get the larger width of the two, and more if there
// would be too many cells. The result does not depend on the order of merges, as the blocks
// at one width are the same whenever they were joined; only which chains share a block
// does, once there are more chains than blocks.
func (b *Table) merge(o *Table) error {
	if b.size != o.size {
		return fmt.Errorf("estimate: merge of tables of %d and %d states: must be equal", b.size, o.size)
	}
	for b.width < o.width {
		b.double()
	}
	for o.width < b.width {
		o.double()
	}
	b.chains = append(b.chains, o.chains...)
	for b.blocks() > maxCells/b.size {
		if b.blocks() == len(b.chains) { // more chains than blocks: the last two become one
			last := len(b.chains) - 1
			b.join(b.chains[last-1][0], b.chains[last][0])
			b.chains = b.chains[:last]
		} else {
			b.double()
		}
	}
	b.free = nil // the spares of one chain would add up
	return nil
}

// blocks is the number of blocks of all chains.
func (b *Table) blocks() int {
	n := 0
	for _, blocks := range b.chains {
		n += len(blocks)
	}
	return n
}

// Size is the number of states.
func (b *Table) Size() int { return b.size }

// Time is the time in the table, over all merged chains.
func (b *Table) Time() float64 { return sum(b.times()) }

// Blocks is the number of blocks that hold time, over all merged chains, and their width.
// The errors are right if the width is well above the correlation time.
func (b *Table) Blocks() (n int, width float64) { return len(b.filled()), b.width }

// filled returns the blocks that hold time.
func (b *Table) filled() [][]float64 {
	var out [][]float64
	for _, blocks := range b.chains {
		for _, block := range blocks {
			if sum(block) > 0 {
				out = append(out, block)
			}
		}
	}
	return out
}

// times is the time in every state.
func (b *Table) times() []float64 {
	t := make([]float64, b.size)
	for _, blocks := range b.chains {
		for _, block := range blocks {
			for k, v := range block {
				t[k] += v
			}
		}
	}
	return t
}

// P is the share of time in each state, NaN if no time was recorded.
func (b *Table) P() []float64 {
	p := b.times()
	total := sum(p)
	for k := range p {
		p[k] = share(p[k], total)
	}
	return p
}

// Var is the Monte-Carlo variance of each entry of P, from the scatter of the blocks; NaN
// with fewer than two blocks.
func (b *Table) Var() []float64 {
	p := b.P()
	v := make([]float64, b.size)
	total, squares := 0.0, 0.0
	for _, block := range b.filled() {
		tb := sum(block)
		total += tb
		squares += tb * tb
		for k, t := range block {
			r := t - p[k]*tb
			v[k] += r * r
		}
	}
	norm := total*total - squares // 0 for one block
	for k := range v {
		v[k] = share(v[k], norm)
	}
	return v
}

// ESS is the number of independent draws that would estimate P as well,
// (1 - Σ p²)/Σ Var(p). NaN with fewer than two blocks or if only one state was seen.
func (b *Table) ESS() float64 { return effective(b.P(), b.Var()) }

// effective is the global effective sample size of estimate p with variances v.
func effective(p, v []float64) float64 {
	num := 1.0
	for _, x := range p {
		num -= x * x
	}
	den := sum(v)
	if den == 0 {
		return math.NaN()
	}
	return num / den
}

func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}

// checkTarget reports an error unless p is a distribution over size states.
func checkTarget(p []float64, size int) error {
	if len(p) != size {
		return fmt.Errorf("estimate: target has %d states: must have %d", len(p), size)
	}
	total := 0.0
	for k, v := range p {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("estimate: target probability of state %d is %v: must be ≥ 0 and finite", k, v)
		}
		total += v
	}
	if !(math.Abs(total-1) <= 1e-9) {
		return fmt.Errorf("estimate: target sums to %.12g: must sum to 1 within 1e-9", total)
	}
	return nil
}

package gibbskernel

import (
	"math/bits"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// Table is a matrix of weights stored for adding up rows: in tiles of columns, 64 wide,
// then one of 32 and one of 16 as they fit, each with all rows in turn. Within a group of
// 16 columns, columns 4..7 and 8..11 are exchanged, which is the order in which a vector
// of 16-bit numbers unpacks. A last row is all zero, to pad lists of rows with.
type Table struct {
	w            []int16
	rows, groups int
}

// NewTable stores a matrix of that many rows and columns.
func NewTable(rows, cols int, at func(i, j int) int16) *Table {
	t := &Table{rows: rows, groups: (cols + Group - 1) / Group}
	t.w = make([]int16, (rows+1)*Group*t.groups)
	for g := 0; g < t.groups; {
		width := tileGroups(t.groups - g)
		tile := t.w[(rows+1)*Group*g:]
		for i := range rows {
			for c := range Group * width {
				if j := Group*g + c; j < cols {
					tile[i*Group*width+c&^12|c>>1&4|c<<1&8] = at(i, j)
				}
			}
		}
		g += width
	}
	return t
}

// tileGroups is the width of the next tile in groups, with that many groups left.
func tileGroups(left int) int { return min(4, 1<<(bits.Len(uint(left))-1)) }

// Zero is the number of the row that is all zero.
func (t *Table) Zero() int { return t.rows }

// Groups is the number of groups of columns.
func (t *Table) Groups() int { return t.groups }

// Rows describes a sum of rows, Out = Base + Σ rows Add − Σ rows Sub.
type Rows struct {
	Out, Base  *int32 // may be the same
	table      *int16
	Add, Sub   *int32 // lists of rows
	NAdd, NSub int64  // multiples of 4, padded with the zero row
	groups     int64
	rows       int64
}

// Run sums over tiles of the table that begin at group from and have groups groups: the
// whole table, or one tile of four groups.
func (r *Rows) Run(p kernel.Path, t *Table, from, groups int) {
	r.table = &t.w[(t.rows+1)*Group*from]
	r.groups, r.rows = int64(groups), int64(t.rows+1)
	if p != kernel.Portable {
		rowsAVX2(r)
		return
	}
	out, base := unsafe.Slice(r.Out, Group*groups), unsafe.Slice(r.Base, Group*groups)
	add, sub := unsafe.Slice(r.Add, r.NAdd), unsafe.Slice(r.Sub, r.NSub)
	copy(out, base)
	w := t.w[(t.rows+1)*Group*from:]
	for len(out) > 0 {
		width := Group * tileGroups(len(out)/Group)
		for i := 0; i < len(add); i += 4 {
			addRows(out[:width], w, (*[4]int32)(add[i:]), 1)
		}
		for i := 0; i < len(sub); i += 4 {
			addRows(out[:width], w, (*[4]int32)(sub[i:]), -1)
		}
		out, w = out[width:], w[(t.rows+1)*width:]
	}
}

// addRows adds sign times four rows of a tile to out.
func addRows(out []int32, w []int16, rows *[4]int32, sign int32) {
	width := len(out)
	for g := 0; g < width; g += Group {
		o := (*[Group]int32)(out[g:])
		at := func(i int32) *[Group]int16 { return (*[Group]int16)(w[int(i)*width+g:]) }
		p, q, r, s := at(rows[0]), at(rows[1]), at(rows[2]), at(rows[3])
		for c := range 4 {
			o[c] += sign * (int32(p[c]) + int32(q[c]) + int32(r[c]) + int32(s[c]))
			o[c+4] += sign * (int32(p[c+8]) + int32(q[c+8]) + int32(r[c+8]) + int32(s[c+8]))
			o[c+8] += sign * (int32(p[c+4]) + int32(q[c+4]) + int32(r[c+4]) + int32(s[c+4]))
			o[c+12] += sign * (int32(p[c+12]) + int32(q[c+12]) + int32(r[c+12]) + int32(s[c+12]))
		}
	}
}

// List describes the listing of the bits that are on.
type List struct {
	Bits  *uint64
	Out   *int32 // room for 12 more than are on
	Words int64
	Pad   int64 // what Out is filled up with to a multiple of 4
	N     int64 // out: how many there are, with padding
}

// Run lists the bits in ascending order.
func (l *List) Run(p kernel.Path) {
	if p != kernel.Portable {
		listAVX2(l)
		return
	}
	out := l.Out
	n := int64(0)
	put := func(k int) {
		*(*int32)(unsafe.Add(unsafe.Pointer(out), 4*n)) = int32(k)
		n++
	}
	for i, w := range unsafe.Slice(l.Bits, l.Words) {
		for ; w != 0; w &= w - 1 {
			put(64*i + bits.TrailingZeros64(w))
		}
	}
	for n%4 != 0 {
		put(int(l.Pad))
	}
	l.N = n
}

// Skip is the address of x plus that many groups.
func Skip(x *int32, groups int) *int32 {
	return (*int32)(unsafe.Add(unsafe.Pointer(x), 4*Group*groups))
}

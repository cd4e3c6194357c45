package estimate

import (
	"fmt"
	"math"
)

const (
	firstBin  = 1. / 1024 // default width of the first bins [time]
	maxBins   = 4096      // bins per chain, of few values
	binCells  = 1 << 22   // bins × cells per chain above which there are fewer bins
	maxValues = 1 << 16   // cells
)

// bins is the time series of the shares of time that cells were occupied, in bins of equal
// width along each chain. Cells come in groups, one per variable, of which exactly one is
// occupied at any time. When a chain is full, neighbouring bins are joined and the width
// doubles.
type bins struct {
	offset []int       // group g has cells offset[g]..offset[g+1]-1
	width  float64     // [time]
	chains [][]float64 // of every chain, the shares [bin·cells + cell]; recording adds to chain 0
	acc    []float64   // time of each cell in the bin that is open
	total  []float64   // time of each cell in all bins of all chains, with the open one
	fill   float64     // time in the open bin
}

func newBins(vars []Variable, width float64) bins {
	b := bins{offset: []int{0}, width: width, chains: make([][]float64, 1)}
	for _, v := range vars {
		b.offset = append(b.offset, b.offset[len(b.offset)-1]+v.Card)
	}
	b.acc = make([]float64, b.cells())
	b.total = make([]float64, b.cells())
	return b
}

func (b *bins) cells() int { return b.offset[len(b.offset)-1] }

// limit is the number of bins a chain may have, an even number.
func (b *bins) limit() int { return min(maxBins, binCells/b.cells()&^1) }

// length is the number of bins of chain c.
func (b *bins) length(c int) int { return len(b.chains[c]) / b.cells() }

// add adds dt ≥ 0 to the time of a cell in the open bin.
func (b *bins) add(cell int, dt float64) {
	b.acc[cell] += dt
	b.total[cell] += dt
}

// close ends the open bin. The shares are of the sum over the group, not of the width, so
// that a cell that was always occupied has share 1 without rounding.
func (b *bins) close() {
	b.fill = 0
	for g := range len(b.offset) - 1 {
		group := b.acc[b.offset[g]:b.offset[g+1]]
		whole := sum(group)
		for _, t := range group {
			b.chains[0] = append(b.chains[0], t/whole)
		}
	}
	clear(b.acc)
}

// makeRoom doubles the width until chain 0 has room for time dt up to t. A bin is never so
// narrow that its ends are the same number.
func (b *bins) makeRoom(t, dt float64) {
	for float64(b.length(0))*b.width+b.fill+dt > float64(b.limit())*b.width || b.width < math.Abs(t)*0x1p-40 {
		b.double()
	}
}

// double joins neighbouring bins. An odd last bin goes back to the open bin of chain 0; in
// other chains it is dropped from the series.
func (b *bins) double() {
	n := b.cells()
	for c, x := range b.chains {
		pairs := b.length(c) / 2
		for i := range pairs {
			for k := range n {
				x[i*n+k] = (x[2*i*n+k] + x[(2*i+1)*n+k]) / 2
			}
		}
		if c == 0 && len(x) > 2*pairs*n {
			for k, share := range x[2*pairs*n:] {
				b.acc[k] += share * b.width
			}
			b.fill += b.width
		}
		b.chains[c] = x[:pairs*n]
	}
	b.width *= 2
}

// merge appends the chains of o, which has the same cells, at the larger of both widths.
func (b *bins) merge(o *bins) error {
	if r, _ := math.Frexp(b.width / o.width); r != .5 {
		return fmt.Errorf("estimate: merge of bins of widths %v and %v: must have begun with one BinWidth", b.width, o.width)
	}
	for b.width < o.width {
		b.double()
	}
	for o.width < b.width {
		o.double()
	}
	b.chains = append(b.chains, o.chains...)
	for k := range b.total {
		b.total[k] += o.total[k]
	}
	return nil
}

// series is the shares of a cell in the bins of every chain.
func (b *bins) series(cell int) [][]float64 {
	out := make([][]float64, len(b.chains))
	for c, x := range b.chains {
		out[c] = make([]float64, b.length(c))
		for i := range out[c] {
			out[c][i] = x[i*b.cells()+cell]
		}
	}
	return out
}

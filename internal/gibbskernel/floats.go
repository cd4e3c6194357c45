package gibbskernel

import (
	"math"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// Tile is the width of the tiles in which matrices of float32 are kept for training:
// columns 32t to 32t+31 of all rows, row after row, so that one tile stays in a cache while
// rows of many states are added up. The operations of this file are done in the order given
// for every entry by itself, without fused multiply-adds, so all paths give the same bits.
const Tile = 32

// Sum describes a sum of rows of a tile, Out = Base + Σ_i W[List[i]], in the order of the
// list.
type Sum struct {
	Out, Base *float32 // Tile entries; may be the same
	W         *float32 // the tile
	List      *int32   // rows
	N         int64    // number of rows, ≥ 0
}

// Run adds the rows up.
func (s *Sum) Run(p kernel.Path) {
	if p != kernel.Portable {
		sumAVX2(s)
		return
	}
	out := (*[Tile]float32)(unsafe.Pointer(s.Out))
	*out = *(*[Tile]float32)(unsafe.Pointer(s.Base))
	for _, i := range unsafe.Slice(s.List, s.N) {
		row := (*[Tile]float32)(unsafe.Add(unsafe.Pointer(s.W), 4*Tile*int(i)))
		for c, w := range row {
			out[c] += w
		}
	}
}

// Scatter describes the addition of one row to rows of a tile, W[List[i]] += Row.
type Scatter struct {
	W    *float32 // the tile
	Row  *float32 // Tile entries
	List *int32   // rows
	N    int64    // number of rows, ≥ 0
}

// Run adds the row to the others.
func (s *Scatter) Run(p kernel.Path) {
	if p != kernel.Portable {
		scatterAVX2(s)
		return
	}
	row := (*[Tile]float32)(unsafe.Pointer(s.Row))
	for _, i := range unsafe.Slice(s.List, s.N) {
		w := (*[Tile]float32)(unsafe.Add(unsafe.Pointer(s.W), 4*Tile*int(i)))
		for c, x := range row {
			w[c] += x
		}
	}
}

// Sigmoid describes P = Scale·σ(X) for N entries, N a multiple of 8. The relative error
// is below 3e-7 + 1e-7·|X|; below X = −69 it stays at what it is there, 1e-30.
type Sigmoid struct {
	X, P  *float32 // may be the same
	N     int64
	Scale float32
}

// Run computes P.
func (s *Sigmoid) Run(p kernel.Path) {
	if p != kernel.Portable {
		sigmoidAVX2(s)
		return
	}
	out := unsafe.Slice(s.P, s.N)
	for k, x := range unsafe.Slice(s.X, s.N) {
		out[k] = float32(sigmoid(x) * s.Scale)
	}
}

// sigmoid is σ(x) with e = exp(−|x|): 1/(1+e) or e/(1+e).
func sigmoid(x float32) float32 {
	e := power(float32(math.Float32frombits(math.Float32bits(x)&^(1<<31)) * (1 / math.Ln2)))
	a := float32(1)
	if math.Float32bits(x)>>31 == 1 {
		a = e
	}
	return a / (1 + e)
}

// FixedGrid is the grid of the fields that Fixed makes [nats].
const FixedGrid = 1.0 / (1 << 18)

// Fixed describes the rounding of N fields [nats], N a multiple of 8, to whole numbers of
// FixedGrid within ±MaxField, which is ±256 nats.
type Fixed struct {
	X   *float32
	Out *int32
	N   int64
}

// Run rounds to the nearest number, ties to even.
func (f *Fixed) Run(p kernel.Path) {
	if p != kernel.Portable {
		fixedAVX2(f)
		return
	}
	out := unsafe.Slice(f.Out, f.N)
	for k, x := range unsafe.Slice(f.X, f.N) {
		y := min(float32(x*(1/FixedGrid)), MaxField)
		out[k] = int32(math.RoundToEven(float64(max(y, -MaxField))))
	}
}

// Learn describes a step of gradient ascent with momentum and weight decay for N weights,
// N a multiple of 8,
//
//	V = Momentum·V + Rate·(G − Decay·W),   W = W + V,   G = 0.
type Learn struct {
	W, V, G               *float32
	N                     int64
	Momentum, Rate, Decay float32
}

// Run makes the step.
func (l *Learn) Run(p kernel.Path) {
	if p != kernel.Portable {
		learnAVX2(l)
		return
	}
	w, v, g := unsafe.Slice(l.W, l.N), unsafe.Slice(l.V, l.N), unsafe.Slice(l.G, l.N)
	for k, x := range g {
		d := float32(x-float32(l.Decay*w[k])) * l.Rate
		v[k] = float32(l.Momentum*v[k]) + float32(d)
		w[k] += v[k]
		g[k] = 0
	}
}

// Turn describes the transpose of a square of Tile×Tile entries, stored row by row.
type Turn struct {
	In, Out *float32 // must not overlap
}

// Run transposes.
func (t *Turn) Run(p kernel.Path) {
	if p != kernel.Portable {
		turnAVX2(t)
		return
	}
	in, out := (*[Tile][Tile]float32)(unsafe.Pointer(t.In)), (*[Tile][Tile]float32)(unsafe.Pointer(t.Out))
	for i, row := range in {
		for j, x := range row {
			out[j][i] = x
		}
	}
}

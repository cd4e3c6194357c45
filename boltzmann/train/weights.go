package train

import (
	"errors"
	"fmt"
	"math/bits"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/kernel"
)

const tile = gibbskernel.Tile

// weights are a machine in single precision. The couplings are there twice, in tiles of
// hidden and of visible units (see gibbskernel.Tile), so that what an active unit of either
// layer adds is a row. Both layers are padded to whole tiles with units that have no
// couplings.
type weights struct {
	path   kernel.Path
	nv, nh int
	pv, ph int       // padded
	w      []float32 // tiles of hidden units, pv rows each
	wt     []float32 // tiles of visible units, ph rows each
	b, c   []float32 // pv and ph biases
}

func padded(n int) int { return (n + tile - 1) / tile * tile }

func newWeights(nv, nh int) (*weights, error) {
	path, err := kernel.Choose()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	m := &weights{path: path, nv: nv, nh: nh, pv: padded(nv), ph: padded(nh)}
	m.w, m.wt = make([]float32, m.pv*m.ph), make([]float32, m.pv*m.ph)
	m.b, m.c = make([]float32, m.pv), make([]float32, m.ph)
	return m, nil
}

// fromRBM rounds r to single precision.
func fromRBM(r *boltzmann.RBM) (*weights, error) {
	m, err := newWeights(r.Visible(), r.Hidden())
	if err != nil {
		return nil, err
	}
	w := r.W()
	for i := range m.nv {
		for j, x := range w.RawRowView(i) {
			m.w[m.at(i, j)] = float32(x)
		}
	}
	for i, x := range r.B() {
		m.b[i] = float32(x)
	}
	for j, x := range r.C() {
		m.c[j] = float32(x)
	}
	for t := range m.ph / tile {
		m.turn(t)
	}
	if m.finite() != nil {
		return nil, errors.New("train: machine with parameters beyond 3e38: must fit single precision")
	}
	return m, nil
}

// rbm is the machine in double precision, which holds it exactly.
func (m *weights) rbm() (*boltzmann.RBM, error) {
	if err := m.finite(); err != nil {
		return nil, err
	}
	w := mat.NewDense(m.nv, m.nh, nil)
	for i := range m.nv {
		row := w.RawRowView(i)
		for j := range row {
			row[j] = float64(m.w[m.at(i, j)])
		}
	}
	return boltzmann.NewRBM(w, doubles(m.b[:m.nv]), doubles(m.c[:m.nh]))
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// at is the place of W_ij in w.
func (m *weights) at(i, j int) int { return j/tile*tile*m.pv + i*tile + j%tile }

// tile is tile t of x, which is laid out as w.
func (m *weights) tile(x []float32, t int) []float32 { return x[t*tile*m.pv : (t+1)*tile*m.pv] }

// turn copies tile t of w to wt.
func (m *weights) turn(t int) {
	for u := range m.pv / tile {
		s := gibbskernel.Turn{In: &m.w[t*tile*m.pv+u*tile*tile], Out: &m.wt[u*tile*m.ph+t*tile*tile]}
		s.Run(m.path)
	}
}

var errDiverged = errors.New("train: weights are no longer finite: the learning rate is too large")

// finite reports an error if a parameter is NaN or infinite.
func (m *weights) finite() error {
	for _, x := range [][]float32{m.w, m.b, m.c} {
		for _, v := range x {
			if v-v != 0 { // NaN or infinite
				return errDiverged
			}
		}
	}
	return nil
}

// hidden writes the fields of a tile of hidden units to x, given the list of visible units
// that are on.
func (m *weights) hidden(x *[tile]float32, t int, on []int32) {
	s := gibbskernel.Sum{Out: &x[0], Base: &m.c[t*tile], W: &m.w[t*tile*m.pv], N: int64(len(on))}
	if len(on) > 0 {
		s.List = &on[0]
	}
	s.Run(m.path)
}

// visible is hidden for a tile of visible units.
func (m *weights) visible(x *[tile]float32, t int, on []int32) {
	s := gibbskernel.Sum{Out: &x[0], Base: &m.b[t*tile], W: &m.wt[t*tile*m.ph], N: int64(len(on))}
	if len(on) > 0 {
		s.List = &on[0]
	}
	s.Run(m.path)
}

// words is the number of words of n bits, whole tiles of them.
func words(n int) int { return (padded(n) + 63) / 64 }

// setBits writes a state of bytes to bits, from bit first on.
func setBits(dst []uint64, first int, z []uint8) {
	for k, on := range z {
		dst[(first+k)/64] |= uint64(on) << ((first + k) % 64)
	}
}

// list lists the bits that are on in ascending order, in memory that has room for 12 more.
func (m *weights) list(dst []int32, b []uint64) []int32 {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	l := gibbskernel.List{Bits: &b[0], Out: &dst[:1][0], Words: int64(len(b))}
	l.Run(m.path)
	return dst[:n]
}

// fix rounds the fields x of n units to whole numbers and leaves the padding units off.
func (m *weights) fix(dst []int32, x []float32, n int) {
	f := gibbskernel.Fixed{X: &x[0], Out: &dst[0], N: int64(len(x))}
	f.Run(m.path)
	for k := n; k < len(dst); k++ {
		dst[k] = gibbskernel.Never
	}
}

// draw draws n units given their fields x at inverse temperature beta; scratch has room for
// the fields of whole tiles.
func (m *weights) draw(z []uint64, s *gibbskernel.Streams, x []float32, n int, beta float64, scratch []int32) {
	m.fix(scratch[:len(x)], x, n)
	d := gibbskernel.Draw{X: &scratch[0], Z: &z[0], S: s, Groups: int64(len(x) / gibbskernel.Group),
		Inv: gibbskernel.Inverse(beta, gibbskernel.FixedGrid)}
	d.Run(m.path)
}

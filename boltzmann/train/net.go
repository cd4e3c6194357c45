package train

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/internal/linalg"
)

// net is a layered machine in single precision, in which batches of states are updated layer
// by layer as products of matrices. It is for one goroutine at a time.
type net struct {
	path  kernel.Path
	sizes []int                 // units by layer
	w     []linalg.Mat[float32] // couplings W_l, n_l × n_{l+1}
	b     [][]float32           // biases
	team  *linalg.Team          // nil: the caller alone

	// What the goroutines of the team do; the functions are made once, as closures would be
	// anew at every call.
	now struct {
		f      *phase
		l      int
		dst    linalg.Mat[float32]
		chains []*deepChain
		from   int
		parity int
	}
	activateRows, drawRows, energyRows func(lo, hi int)
}

// deepChain is a chain; its state is a row of a phase.
type deepChain struct {
	walker
	row int
}

// pad rounds up to whole vectors of the kernels.
func pad(n int) int { return (n + 7) &^ 7 }

// zeros are n zeros with room for whole vectors.
func zeros(n int) []float32 { return make([]float32, pad(n))[:n] }

func newNet(sizes []int) (*net, error) {
	path, err := kernel.Choose()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	n := &net{path: path, sizes: sizes}
	for l, k := range sizes {
		n.b = append(n.b, zeros(k))
		if l+1 < len(sizes) {
			n.w = append(n.w, n.couplings(l))
		}
	}
	n.bind()
	return n, nil
}

// couplings are zeros for all pairs of layers l and l+1.
func (n *net) couplings(l int) linalg.Mat[float32] {
	r, c := n.sizes[l], n.sizes[l+1]
	return linalg.Mat[float32]{Rows: r, Cols: c, Stride: c, Data: zeros(r * c)}
}

// bind makes the functions of the team.
func (n *net) bind() {
	n.activateRows = n.activatePart
	n.drawRows = n.drawPart
	n.energyRows = n.energyPart
}

// set takes over the parameters of a machine of the same sizes.
func (n *net) set(m *boltzmann.Layered) error {
	for l := range n.sizes {
		from, to := m.Layer(l)
		for k := from; k < to; k++ {
			n.b[l][k-from] = float32(m.Bias(k))
		}
		if l < len(n.w) {
			for i, x := range m.Weight(l).RawMatrix().Data {
				n.w[l].Data[i] = float32(x)
			}
		}
	}
	if n.finite() != nil {
		return errors.New("train: machine with parameters beyond 3e38: must fit single precision")
	}
	return nil
}

// machine is the machine in double precision, which holds it exactly.
func (n *net) machine() (*boltzmann.Layered, error) {
	if err := n.finite(); err != nil {
		return nil, err
	}
	var w []mat.Matrix
	var b [][]float64
	for l, x := range n.b {
		b = append(b, doubles(x))
		if l < len(n.w) {
			w = append(w, mat.NewDense(n.w[l].Rows, n.w[l].Cols, doubles(n.w[l].Data)))
		}
	}
	return boltzmann.NewLayered(w, b)
}

// finite reports an error if a parameter is NaN or infinite.
func (n *net) finite() error {
	for l, b := range n.b {
		for _, v := range b {
			if v-v != 0 {
				return errDiverged
			}
		}
		if l == len(n.w) {
			continue
		}
		for _, v := range n.w[l].Data {
			if v-v != 0 {
				return errDiverged
			}
		}
	}
	return nil
}

// top is the last layer.
func (n *net) top() int { return len(n.sizes) - 1 }

// phase is a batch of states of all layers, one by row.
type phase struct {
	rows  int
	z     []linalg.Mat[float32] // by layer: states, or means
	p     []linalg.Mat[float32] // probabilities when the layer was drawn last
	field []linalg.Mat[float32] // before β
	beta  []float32             // by row
	// base, if used, takes the place of the biases of layer 1: they and what units that are
	// held add to them.
	base  linalg.Mat[float32]
	based bool
}

func newPhase(rows int, sizes []int) *phase {
	rowsOf := func(n int) linalg.Mat[float32] {
		return linalg.Mat[float32]{Rows: rows, Cols: n, Stride: pad(n), Data: make([]float32, rows*pad(n))}
	}
	f := &phase{rows: rows, beta: make([]float32, rows), base: rowsOf(sizes[1])}
	for i := range f.beta {
		f.beta[i] = 1
	}
	for _, n := range sizes {
		f.z, f.p, f.field = append(f.z, rowsOf(n)), append(f.p, rowsOf(n)), append(f.field, rowsOf(n))
	}
	return f
}

// first is the phase of the first rows only, in the same memory.
func (f *phase) first(rows int) *phase {
	if rows == f.rows {
		return f
	}
	g := &phase{rows: rows, beta: f.beta[:rows], base: f.base.Slice(0, rows), based: f.based}
	for l := range f.z {
		g.z, g.p, g.field = append(g.z, f.z[l].Slice(0, rows)), append(g.p, f.p[l].Slice(0, rows)), append(g.field, f.field[l].Slice(0, rows))
	}
	return g
}

// lift sets base to b_1 + v W_0.
func (n *net) lift(f *phase) {
	for r := range f.rows {
		copy(f.base.Row(r), n.b[1])
	}
	linalg.Gemm(n.team, false, false, 1, f.z[0], n.w[0], 1, f.base)
	f.based = true
}

// fields writes b_l + z_{l−1} W_{l−1} + W_l z_{l+1} of all rows, without the second term for
// layer 1 if the visible units are held, as it is in base then.
func (n *net) fields(f *phase, l int, held bool) {
	x := f.field[l]
	for r := range f.rows {
		if l == 1 && f.based {
			copy(x.Row(r), f.base.Row(r))
		} else {
			copy(x.Row(r), n.b[l])
		}
	}
	if l > 1 || l == 1 && !held {
		linalg.Gemm(n.team, false, false, 1, f.z[l-1], n.w[l-1], 1, x)
	}
	if l < n.top() {
		linalg.Gemm(n.team, false, true, 1, f.z[l+1], n.w[l], 1, x)
	}
}

// activate writes σ(β·field) of layer l to dst.
func (n *net) activate(f *phase, l int, dst linalg.Mat[float32]) {
	n.now.f, n.now.l, n.now.dst = f, l, dst
	n.team.Do(f.rows, 8, n.activateRows)
}

func (n *net) activatePart(lo, hi int) {
	f := n.now.f
	for r := lo; r < hi; r++ {
		x, p := f.field[n.now.l].Row(r), n.now.dst.Row(r)
		if beta := f.beta[r]; beta != 1 {
			for i, v := range x {
				p[i] = beta * v
			}
			x = p
		}
		s := gibbskernel.Sigmoid{X: &x[0], P: &p[0], N: int64(pad(len(p))), Scale: 1}
		s.Run(n.path)
	}
}

// draw makes the units of layers l ≥ from with l mod 2 ≠ parity states, on with the
// probabilities in p, by the generators of the rows' chains.
func (n *net) draw(f *phase, chains []*deepChain, from, parity int) {
	n.now.f, n.now.chains, n.now.from, n.now.parity = f, chains, from, parity
	n.team.Do(len(chains), 4, n.drawRows)
}

func (n *net) drawPart(lo, hi int) {
	f := n.now.f
	for _, c := range n.now.chains[lo:hi] {
		for l := n.now.from; l < len(f.z); l++ {
			if l%2 != n.now.parity {
				bernoulli(f.z[l].Row(c.row), f.p[l].Row(c.row), &c.s)
			}
		}
	}
}

// bernoulli draws units that are on with probability p, to 2⁻³².
func bernoulli(z, p []float32, s *gibbskernel.Streams) {
	var w [gibbskernel.Group]uint32
	z = z[:len(p)]
	for i, q := range p {
		if i%gibbskernel.Group == 0 {
			s.Words(&w)
		}
		on := float32(0)
		if float64(w[i%gibbskernel.Group]) < float64(q)*(1<<32) {
			on = 1
		}
		z[i] = on
	}
}

// sweep draws the odd layers given the even ones, then the even ones from layer 0, or from
// layer 2 if the visible units are held, given the odd ones, in all rows.
func (n *net) sweep(f *phase, chains []*deepChain, held bool) {
	from := 0
	if held {
		from = 1
	}
	for _, c := range chains {
		f.beta[c.row] = float32(c.beta)
	}
	for parity := range 2 {
		for l := from; l < len(n.sizes); l++ {
			if l%2 != parity {
				n.fields(f, l, held)
				n.activate(f, l, f.p[l])
			}
		}
		n.draw(f, chains, from, parity)
	}
}

// energies sets those of chains after a sweep of all layers [nats]:
// E = −Σ_even z_k field_k − Σ_odd b_k z_k.
func (n *net) energies(f *phase, chains []*deepChain) {
	n.now.f, n.now.chains = f, chains
	n.team.Do(len(chains), 4, n.energyRows)
}

func (n *net) energyPart(lo, hi int) {
	f := n.now.f
	for _, c := range n.now.chains[lo:hi] {
		c.energy = 0
		for l := range f.z {
			x := n.b[l]
			if l%2 == 0 {
				x = f.field[l].Row(c.row)
			}
			for i, z := range f.z[l].Row(c.row) {
				c.energy -= float64(z) * float64(x[i])
			}
		}
	}
}

// rise gives the hidden units of all rows means to begin with in one pass upwards, in which
// what comes from below counts twice for layers that have one above (Salakhutdinov and Hinton
// 2009). With one hidden layer they are exact. It sets base.
func (n *net) rise(f *phase) {
	n.lift(f)
	for l := 1; l <= n.top(); l++ {
		x := f.field[l]
		for r := range f.rows {
			row := x.Row(r)
			if l > 1 {
				copy(row, n.b[l])
				continue
			}
			copy(row, f.base.Row(r))
			if n.top() > 1 {
				for i, v := range row {
					row[i] = 2*v - n.b[1][i]
				}
			}
		}
		if l > 1 {
			times := float32(2)
			if l == n.top() {
				times = 1
			}
			linalg.Gemm(n.team, false, false, times, f.z[l-1], n.w[l-1], 1, x)
		}
		n.activate(f, l, f.z[l])
	}
}

// meanField brings the hidden units to the solution of the mean-field equations given the
// visible ones, by sweeps of the odd layers and the even ones.
func (n *net) meanField(f *phase, sweeps int) {
	n.rise(f)
	if n.top() == 1 {
		return
	}
	for range sweeps {
		for parity := range 2 {
			for l := 1; l <= n.top(); l++ {
				if l%2 != parity {
					n.fields(f, l, true)
					n.activate(f, l, f.z[l])
				}
			}
		}
	}
}

// clamped draws the hidden units by sweeps of blocked Gibbs sampling given the visible ones.
func (n *net) clamped(f *phase, chains []*deepChain, sweeps int) {
	n.rise(f)
	for l := 1; l <= n.top(); l++ {
		copy(f.p[l].Data, f.z[l].Data)
	}
	n.drawAll(f, chains)
	for range sweeps {
		n.sweep(f, chains, true)
	}
}

// drawAll draws all hidden layers with the probabilities in p.
func (n *net) drawAll(f *phase, chains []*deepChain) {
	n.draw(f, chains, 1, 0)
	n.draw(f, chains, 1, 1)
}

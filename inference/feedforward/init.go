package feedforward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Initializer makes start states of relaxation and of sampling.
type Initializer interface {
	// Init returns a state for inputs x (B×n_0). src may be nil for those that draw nothing.
	Init(n *Network, x mat.Matrix, src rand.Source) (State, error)
}

var (
	_ Initializer = Feedforward{}
	_ Initializer = Constant(0)
	_ Initializer = Random{}
	_ Initializer = Mean{}
	_ Initializer = Stored{}
	_ Initializer = (*Recognition)(nil)
)

// Feedforward is the initialisation of the paper: one pass from the input to the top.
type Feedforward struct {
	// Gains are g_1, …, g_N, finite and > 0; nil: 2, …, 2, 1.
	Gains []float64
	// BiasShare is the bottom-up share of the biases below the top, in (0, 1]. 0, the default,
	// is the split that the network has learned, and b_k^bu = b_k/g_k if it has learned none.
	BiasShare float64
}

// gains are the gains in full.
func (f Feedforward) gains(n *Network) ([]float64, error) {
	if !(f.BiasShare >= 0 && f.BiasShare <= 1) {
		return nil, fmt.Errorf("feedforward: BiasShare = %v: must be in [0, 1]", f.BiasShare)
	}
	if f.Gains == nil {
		g := slices.Repeat([]float64{2}, len(n.w))
		g[len(g)-1] = 1
		return g, nil
	}
	if len(f.Gains) != len(n.w) {
		return nil, fmt.Errorf("feedforward: %d gains: must be %d, one for every layer above the input", len(f.Gains), len(n.w))
	}
	for k, g := range f.Gains {
		if !(g > 0) || math.IsInf(g, 0) {
			return nil, fmt.Errorf("feedforward: gain %d = %v: must be finite and > 0", k+1, g)
		}
	}
	return f.Gains, nil
}

// topDown writes the top-down share of the bias of layer i+1 at gain g to dst. The bias of the
// top layer has none.
func (n *Network) topDown(dst []float64, i int, g, share float64) {
	if i+1 == len(n.w) {
		clear(dst)
		return
	}
	if share == 0 && n.td != nil {
		copy(dst, n.td[i])
		return
	}
	if share == 0 {
		share = 1 / g
	}
	for j, b := range n.b[i] {
		dst[j] = (1 - share) * b
	}
}

// halves are the top-down shares that learning begins with.
func (n *Network) halves() [][]float64 {
	var all [][]float64
	for i := range len(n.w) - 1 {
		td := make([]float64, n.size[i+1])
		n.topDown(td, i, 2, 0)
		all = append(all, td)
	}
	return all
}

// Init makes the pass. It draws nothing. It refuses drives that overflow.
func (f Feedforward) Init(n *Network, x mat.Matrix, _ rand.Source) (State, error) {
	in, err := n.input(x)
	if err != nil {
		return nil, err
	}
	g, err := f.gains(n)
	if err != nil {
		return nil, err
	}
	w := newWork(n, nil, in.Rows)
	w.clamp(in)
	w.pass(g, f.BiasShare)
	s := w.state()
	if err := n.checkState(s, in.Rows); err != nil { // drives of finite weights can overflow
		return nil, err
	}
	return s, nil
}

// pass computes the feedforward state.
func (w *work) pass(g []float64, share float64) {
	for i := range w.h {
		w.up(i, w.a[i])
		td := w.scratch[:w.n.size[i+1]]
		w.n.topDown(td, i, g[i], share)
		for b := range w.worst {
			a := w.a[i].Row(b)
			for j := range a {
				a[j] = g[i] * (a[j] - td[j])
			}
			w.n.activate(w.h[i].Row(b), a)
		}
		w.fire(i)
	}
}

// Constant starts every unit at the same value: 0, or ½ in Boltzmann networks.
type Constant float64

// Init draws nothing.
func (c Constant) Init(n *Network, x mat.Matrix, _ rand.Source) (State, error) {
	in, err := n.input(x)
	if err != nil {
		return nil, err
	}
	s := n.NewState(in.Rows)
	for _, m := range s {
		for i := range m.RawMatrix().Data {
			m.RawMatrix().Data[i] = float64(c)
		}
	}
	return s, n.checkState(s, in.Rows)
}

// Random starts every unit of every sample at a uniform number in [0, 1).
type Random struct{}

// Init draws from src.
func (Random) Init(n *Network, x mat.Matrix, src rand.Source) (State, error) {
	in, err := n.input(x)
	if err != nil {
		return nil, err
	}
	if src == nil {
		return nil, errors.New("feedforward: random source is nil")
	}
	r := rand.New(src)
	s := n.NewState(in.Rows)
	for _, m := range s {
		for i := range m.RawMatrix().Data {
			m.RawMatrix().Data[i] = r.Float64()
		}
	}
	return s, nil
}

// Mean starts every sample at the same state, a vector for every layer.
type Mean [][]float64

// DataMean is the mean of the fixed points of the data, reached from the feedforward start.
func DataMean(ctx context.Context, n *Network, data mat.Matrix, o RelaxOptions) (Mean, error) {
	s, err := Feedforward{}.Init(n, data, nil)
	if err != nil {
		return nil, err
	}
	if s, _, err = Relax(ctx, n, data, s, o); err != nil {
		return nil, err
	}
	var mean Mean
	for _, m := range s {
		rows, cols := m.Dims()
		x := make([]float64, cols)
		raw := m.RawMatrix()
		linalg.SumRows(1/float64(rows), lin(rows, cols, raw.Stride, raw.Data), 0, x)
		mean = append(mean, x)
	}
	return mean, nil
}

// Init draws nothing.
func (d Mean) Init(n *Network, x mat.Matrix, _ rand.Source) (State, error) {
	in, err := n.input(x)
	if err != nil {
		return nil, err
	}
	if len(d) != len(n.w) {
		return nil, fmt.Errorf("feedforward: mean of %d layers: must be of %d", len(d), len(n.w))
	}
	s := n.NewState(in.Rows)
	for i, m := range s {
		if len(d[i]) != n.size[i+1] {
			return nil, fmt.Errorf("feedforward: mean of %d units in layer %d: must be %d", len(d[i]), i+1, n.size[i+1])
		}
		for b := range in.Rows {
			copy(m.RawRowView(b), d[i])
		}
	}
	return s, n.checkState(s, in.Rows)
}

// Stored starts from states that are there already: those of persistent chains (any state for
// any input, as in persistent contrastive divergence) or those that the same images were left
// in (as in equilibrium propagation; see Particles).
type Stored struct {
	State State
	// Rows says which stored state every sample takes; nil: sample b takes state b mod the number
	// of states.
	Rows []int
}

// Init draws nothing.
func (p Stored) Init(n *Network, x mat.Matrix, _ rand.Source) (State, error) {
	in, err := n.input(x)
	if err != nil {
		return nil, err
	}
	have := p.State.Rows()
	if have == 0 {
		return nil, errors.New("feedforward: no stored states")
	}
	if err := n.checkState(p.State, have); err != nil {
		return nil, err
	}
	if p.Rows != nil && len(p.Rows) != in.Rows {
		return nil, fmt.Errorf("feedforward: rows of %d stored states for %d samples: must be as many", len(p.Rows), in.Rows)
	}
	s := n.NewState(in.Rows)
	for b := range in.Rows {
		from := b % have
		if p.Rows != nil {
			if from = p.Rows[b]; from < 0 || from >= have {
				return nil, fmt.Errorf("feedforward: stored state %d: must be in 0..%d", from, have-1)
			}
		}
		for i, m := range s {
			copy(m.RawRowView(b), p.State[i].RawRowView(from))
		}
	}
	return s, nil
}

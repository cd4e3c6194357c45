package latent

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/internal/npy"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Backprop is the control of a Network: the same layers and first weights, trained by
// stochastic gradient descent with error backpropagation on ½|y − out|². A batch makes one
// step of size Rate·β·(Steps − Gate)/Steps, which is what a presentation to the Network sums up to.
type Backprop struct {
	o      Options
	layers []*layer[float32]
	state  []*backState
	x, y   []float32
	batch  int
	factor float64
	team   *linalg.Team
	in     shape
}

type backState struct {
	u, rate, slope, err, back []float32
	seen, backSeen            []float32
	at                        []int32
	col, colBack              *patches[float32]
}

var _ learn.Rated = (*Backprop)(nil)

// NewBackprop returns the control of the network with these options, of which all that concerns
// neurons in time is not used.
func NewBackprop(o Options) (*Backprop, error) {
	o.Layers = append([]Layer(nil), o.Layers...)
	in, shapes, err := o.check()
	if err != nil {
		return nil, err
	}
	o.Spread, o.Feedback = 0, Transposed
	for l := range o.Layers {
		o.Layers[l].Feedback = nil
	}
	n, err := newNetwork[float32](&o, in, shapes)
	if err != nil {
		return nil, err
	}
	return &Backprop{o: o, layers: n.layers, factor: 1, team: n.team, in: in}, nil
}

// Close ends the goroutines.
func (n *Backprop) Close() { n.team.Close() }

// Dims are the numbers of inputs and outputs.
func (n *Backprop) Dims() (in, out int) { return n.in.size(), n.layers[len(n.layers)-1].out.size() }

// SetRate multiplies the learning rate of the Options.
func (n *Backprop) SetRate(factor float64) error {
	if !(factor >= 0) || factor-factor != 0 {
		return fmt.Errorf("latent: factor of the learning rate is %v: must be finite and ≥ 0", factor)
	}
	n.factor = factor
	return nil
}

func (n *Backprop) resize(batch int) {
	if n.batch == batch {
		return
	}
	n.batch = batch
	_, out := n.Dims()
	n.x, n.y = make([]float32, batch*n.in.size()), make([]float32, batch*out)
	n.state = nil
	for l, y := range n.layers {
		size := batch * y.out.size()
		f := func() []float32 { return make([]float32, size) }
		t := &backState{u: f(), rate: f(), slope: f(), err: f(), back: f()}
		t.seen, t.backSeen = t.rate, t.back
		if y.pool > 1 {
			p := batch * y.pooled.size()
			t.seen, t.backSeen, t.at = make([]float32, p), make([]float32, p), make([]int32, p)
		}
		t.col = y.newPatches(batch)
		if l > 0 {
			t.colBack = y.newPatches(batch)
		}
		n.state = append(n.state, t)
	}
}

func (n *Backprop) forward(x []float64) error {
	in, _ := n.Dims()
	if len(x) == 0 || len(x)%in != 0 {
		return fmt.Errorf("latent: %d inputs: must be rows of %d", len(x), in)
	}
	if err := finite("input", x, Float32); err != nil {
		return err
	}
	n.resize(len(x) / in)
	for i, v := range x {
		n.x[i] = float32(v)
	}
	r := n.x
	for l, y := range n.layers {
		t := n.state[l]
		y.forward(n.team, t.u, r, n.batch, t.col)
		w := y.out.size()
		n.team.Do(n.batch, grain, func(lo, hi int) {
			y.addBias(t.u[lo*w : hi*w])
			apply(y.act, t.rate[lo*w:hi*w], t.slope[lo*w:hi*w], t.u[lo*w:hi*w])
		})
		if y.pool > 1 {
			pool(t.seen, t.at, t.rate, y.out, y.pool, 0, n.batch)
		}
		if err := dynamics.CheckFinite("rate", t.rate, w, 0); err != nil {
			return inLayer(err, l)
		}
		r = t.seen
	}
	return nil
}

// Learn makes one step of gradient descent. If rates, errors or weights are not finite, it fails, and
// the network is of no use any more.
func (n *Backprop) Learn(x, y []float64) error {
	in, out := n.Dims()
	if len(y)*in != len(x)*out {
		return fmt.Errorf("latent: %d targets for %d inputs: must be rows of %d and %d", len(y), len(x), out, in)
	}
	if err := finite("target", y, Float32); err != nil {
		return err
	}
	if err := n.forward(x); err != nil {
		return err
	}
	for i, v := range y {
		n.y[i] = float32(v)
	}
	for l := len(n.layers) - 1; l >= 0; l-- {
		t := n.state[l]
		if l == len(n.layers)-1 {
			for i, d := range t.slope {
				t.err[i] = d * (n.y[i] - t.rate[i])
			}
		} else {
			for i, d := range t.slope {
				t.err[i] = d * t.back[i]
			}
		}
		if l > 0 {
			below := n.state[l-1]
			n.layers[l].backward(n.team, below.backSeen, t.err, n.batch, t.colBack)
			if n.layers[l-1].pool > 1 {
				unpool(below.back, below.backSeen, below.at, n.layers[l-1].out.size(), n.layers[l-1].pooled.size(), 0, n.batch)
			}
		}
	}
	eta := n.o.Rate * n.o.Beta * n.factor * float64(n.o.Steps-n.o.Gate) / float64(n.o.Steps)
	for l, y := range n.layers {
		r := n.x
		if l > 0 {
			r = n.state[l-1].seen
		}
		t := n.state[l]
		y.update(n.team, float32(eta*y.rate), t.err, r, n.batch, t.col)
		err := dynamics.CheckFinite("error", t.err, y.out.size(), 0)
		if err == nil {
			err = y.finite(0)
		}
		if err != nil {
			return inLayer(err, l)
		}
	}
	return nil
}

// Predict writes the outputs.
func (n *Backprop) Predict(out, x []float64) error {
	in, size := n.Dims()
	if len(out)*in != len(x)*size {
		return fmt.Errorf("latent: %d outputs for %d inputs: must be rows of %d and %d", len(out), len(x), size, in)
	}
	if err := n.forward(x); err != nil {
		return err
	}
	for i, v := range n.state[len(n.state)-1].rate {
		out[i] = float64(v)
	}
	return nil
}

// wrapped is the network that saves the weights.
func (n *Backprop) wrapped() runner[float32] {
	none := rng.Stream(0, "none")
	return runner[float32]{&network[float32]{o: &n.o, in: n.in, layers: n.layers, factor: n.factor, noise: [2]*rand.ChaCha8{none, none}}}
}

// MarshalBinary saves the weights, in the format of Network.
func (n *Backprop) MarshalBinary() ([]byte, error) { return n.wrapped().marshal() }

// UnmarshalBinary restores the weights that MarshalBinary saved, from a network of the same
// layers, and changes nothing if it fails.
func (n *Backprop) UnmarshalBinary(b []byte) error {
	a, err := npy.ReadZip(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		var head []float64
		if head, err = npy.Get[float64](a, "learn/state", 4); err == nil && head[1] != 0 {
			err = fmt.Errorf("latent: saved network has a state of %v rows: must be one of a Backprop", head[1])
		}
	}
	if err != nil {
		return err
	}
	w := n.wrapped()
	if err := w.unmarshal(b); err != nil {
		return err
	}
	n.factor = w.factor
	return nil
}

package latent

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Network is a network with latent equilibrium. It is for one goroutine at a time.
//
// It keeps two states, one that learns and one that predicts, each at rest at first and carried
// over from one presentation to the next; predictions do not disturb learning. A presentation of
// another batch size repeats rows of the state or drops the last ones.
type Network struct {
	o      Options
	in     shape
	shapes []shape
	e      engine
}

var _ learn.Rated = (*Network)(nil)

// engine is a network of either precision.
type engine interface {
	present(learning bool, x, y []float64) error
	step(x, y []float64) error
	output(dst []float64, learning bool)
	read(what quantity, l int) []float64
	weights(l int) (w *mat.Dense, b []float64)
	setWeights(l int, w mat.Matrix, b []float64)
	taus(l int) (m, r []float64)
	energy() float64
	adapt(l int, x []float64, eta float64) (float64, error)
	rate(f float64)
	reset()
	marshal() ([]byte, error)
	unmarshal([]byte) error
	close()
}

type quantity int

const (
	potential quantity = iota
	prospective
	rate
	mismatch
)

// New returns a network with random weights, drawn from rng.Stream(Seed, "weights"). It
// refuses options that make no sense, naming all that is wrong.
func New(o Options) (*Network, error) {
	o.Layers = append([]Layer(nil), o.Layers...)
	in, shapes, err := o.check()
	if err != nil {
		return nil, err
	}
	n := &Network{o: o, in: in, shapes: shapes}
	if o.Precision == Float64 {
		n.e, err = newRunner[float64](&n.o, in, shapes)
	} else {
		n.e, err = newRunner[float32](&n.o, in, shapes)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Close ends the goroutines of the network, which must not be used afterwards.
func (n *Network) Close() { n.e.close() }

// Dims are the numbers of inputs and outputs.
func (n *Network) Dims() (in, out int) { return n.in.size(), n.shapes[len(n.shapes)-1].size() }

// Layers is the number of layers of neurons.
func (n *Network) Layers() int { return len(n.shapes) }

// Learn presents a batch with targets for Steps steps; plasticity is on in every step (after
// Gate). x is B×in, y is B×out by rows. If a state is not finite afterwards, the error names
// layer, neuron and time, and the network is of no use any more.
func (n *Network) Learn(x, y []float64) error {
	if err := n.checkBatch(x, y, true); err != nil {
		return err
	}
	return n.e.present(true, x, y)
}

// Predict presents a batch without targets and without plasticity for Steps steps and writes
// the rates of the output layer. If the predicting state is not finite afterwards, it is put back to
// rest.
func (n *Network) Predict(out, x []float64) error {
	in, size := n.Dims()
	if len(x) == 0 || len(x)%in != 0 || len(out) != len(x)/in*size {
		return fmt.Errorf("latent: Predict of %d inputs to %d outputs: must be rows of %d and %d", len(x), len(out), in, size)
	}
	if err := n.checkBatch(x, nil, false); err != nil {
		return err
	}
	if err := n.e.present(false, x, nil); err != nil {
		return err
	}
	n.e.output(out, false)
	return nil
}

// Step advances the learning state by one step under inputs x, B×in by rows. With targets y the
// output is nudged and weights learn as in a step of Learn, by Rate/Steps·⟨e rᵀ⟩; with nil neither
// happens (errors that are under way die out).
func (n *Network) Step(x, y []float64) error {
	if err := n.checkBatch(x, y, y != nil); err != nil {
		return err
	}
	return n.e.step(x, y)
}

func (n *Network) checkBatch(x, y []float64, target bool) error {
	in, out := n.Dims()
	if len(x) == 0 || len(x)%in != 0 {
		return fmt.Errorf("latent: %d inputs: must be rows of %d", len(x), in)
	}
	if target && len(y) != len(x)/in*out {
		return fmt.Errorf("latent: %d targets: must be %d rows of %d", len(y), len(x)/in, out)
	}
	if err := finite("input", x, n.o.Precision); err != nil {
		return err
	}
	return finite("target", y, n.o.Precision)
}

// finite reports numbers that are not finite in the precision.
func finite(what string, x []float64, p Precision) error {
	for i, v := range x {
		if !p.holds(v) {
			return fmt.Errorf("latent: %s %d is %v: must be finite%s", what, i, v, p.limit())
		}
	}
	return nil
}

// Potentials are u of the neurons of layer l = 1, …, L in the learning state, B×n by rows: nil
// before the first presentation.
func (n *Network) Potentials(l int) []float64 { return n.e.read(potential, n.layer(l)) }

// Prospective are ŭ, as Potentials.
func (n *Network) Prospective(l int) []float64 { return n.e.read(prospective, n.layer(l)) }

// Rates are φ(ŭ), with noise if there is any, as Potentials.
func (n *Network) Rates(l int) []float64 { return n.e.read(rate, n.layer(l)) }

// Errors are e, as Potentials.
func (n *Network) Errors(l int) []float64 { return n.e.read(mismatch, n.layer(l)) }

func (n *Network) layer(l int) int {
	if l < 1 || l > len(n.shapes) {
		panic("latent: no such layer")
	}
	return l - 1
}

// Energy is the mean over the batch of ½Σ_l|ŭ_l − W_l r_{l−1} − b_l|² + ½β|y − r_L|², in the
// learning state; the second term only while there is a target.
func (n *Network) Energy() float64 { return n.e.energy() }

// Weights are W and b of layer l = 1, …, L: n_l × n_{l−1}, or for a convolution one row for every
// channel over the Kernel×Kernel×channels places that a neuron sees.
func (n *Network) Weights(l int) (*mat.Dense, []float64) { return n.e.weights(n.layer(l)) }

// SetWeights replaces W and b of layer l, of the shapes of Weights.
func (n *Network) SetWeights(l int, w mat.Matrix, b []float64) error {
	if l < 1 || l > n.Layers() {
		return fmt.Errorf("latent: weights of layer %d: must be 1 to %d", l, n.Layers())
	}
	if w == nil {
		return errors.New("latent: weights are nil")
	}
	old, bias := n.Weights(l)
	or, oc := old.Dims()
	if r, c := w.Dims(); r != or || c != oc || len(b) != len(bias) {
		return fmt.Errorf("latent: weights of layer %d are %d×%d with %d biases: must be %d×%d with %d", l, r, c, len(b), or, oc, len(bias))
	}
	if v, ok := notFinite(w, n.o.Precision); ok {
		return fmt.Errorf("latent: layer %d has a weight %v: must be finite%s", l, v, n.o.Precision.limit())
	}
	if err := finite("bias", b, n.o.Precision); err != nil {
		return err
	}
	n.e.setWeights(n.layer(l), w, b)
	return nil
}

// TimeConstants are τ_m and τ_r of layer l [ms], one entry or one for every neuron.
func (n *Network) TimeConstants(l int) (m, r []float64) { return n.e.taus(n.layer(l)) }

// SetRate multiplies the learning rate of the Options.
func (n *Network) SetRate(factor float64) error {
	if !(factor >= 0) || math.IsInf(factor, 0) {
		return fmt.Errorf("latent: factor of the learning rate is %v: must be finite and ≥ 0", factor)
	}
	n.e.rate(factor)
	return nil
}

// Reset puts both states back to rest. Weights, time constants and noise sources stay.
func (n *Network) Reset() { n.e.reset() }

// Adaptation configures LearnTimeConstants.
type Adaptation struct {
	Rate      float64 // η_τ, per step [ms²]; required
	Tolerance float64 // change of the mean |τ_m − τ_r| in a step [ms]; default 1e-6
	MaxSteps  int     // of every layer, then an error; default 100000
}

// LearnTimeConstants lets the membranes find their prospective time constants: with inputs only,
// no errors and no plasticity of weights, τ_m += η⟨(ŭ − I) u̇⟩ in every step, layer after layer,
// until the mean of |τ_m − τ_r| in a layer changes by less than the tolerance in a step. input
// writes the next inputs, B×in by rows for a B that is len(x)/in; they must change in time, as
// a membrane at rest learns nothing.
func (n *Network) LearnTimeConstants(ctx context.Context, batch int, input func(x []float64), o Adaptation) error {
	if o.Tolerance == 0 {
		o.Tolerance = 1e-6
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = 100000
	}
	if !(o.Rate > 0) || math.IsInf(o.Rate, 0) || !(o.Tolerance > 0) || o.MaxSteps < 1 || batch < 1 || batch > maxUnits {
		return fmt.Errorf("latent: batch %d, Rate = %v, Tolerance = %v, MaxSteps = %d: all must be > 0, and the batch at most %d", batch, o.Rate, o.Tolerance, o.MaxSteps, maxUnits)
	}
	if input == nil {
		return errors.New("latent: inputs of LearnTimeConstants are nil")
	}
	x := make([]float64, batch*n.in.size())
	for l := range n.shapes {
		last := math.Inf(1)
		for k := 0; ; k++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			input(x)
			if err := finite("input", x, n.o.Precision); err != nil {
				return err
			}
			off, err := n.e.adapt(l, x, o.Rate)
			if err != nil {
				return err
			}
			if math.Abs(off-last) < o.Tolerance && k > 2*len(n.shapes) {
				break
			}
			if last = off; k+1 == o.MaxSteps {
				return fmt.Errorf("latent: time constants of layer %d are still %v ms off after %d steps", l+1, off, o.MaxSteps)
			}
		}
	}
	return nil
}

// MarshalBinary saves weights, time constants, both states and the noise source: all that what
// comes next depends on. It is an NPZ file, which NumPy reads.
func (n *Network) MarshalBinary() ([]byte, error) { return n.e.marshal() }

// UnmarshalBinary restores what MarshalBinary saved, into a network made with the same layers.
// It changes nothing if it fails.
func (n *Network) UnmarshalBinary(b []byte) error { return n.e.unmarshal(b) }

// runner is the engine of a precision.
type runner[F linalg.Float] struct{ *network[F] }

func newRunner[F linalg.Float](o *Options, in shape, shapes []shape) (engine, error) {
	n, err := newNetwork[F](o, in, shapes)
	if err != nil {
		return nil, err
	}
	return runner[F]{n}, nil
}

func (r runner[F]) present(learning bool, x, y []float64) error {
	s, noise := &r.network.predicting, r.noise[1]
	if learning {
		s, noise = &r.network.learning, r.noise[0]
	}
	*s = r.resize(*s, len(x)/r.in.size(), noise)
	err := r.show(*s, x, y)
	if err != nil && !learning {
		*s = nil
	}
	return err
}

func (r runner[F]) step(x, y []float64) error {
	r.network.learning = r.resize(r.network.learning, len(x)/r.in.size(), r.noise[0])
	s := r.network.learning
	for i, v := range x {
		s.x[i] = F(v)
	}
	s.target = y != nil
	for i, v := range y {
		s.yRaw[i] = F(v)
	}
	eta := 0.0
	if y != nil {
		eta = r.o.Rate * r.factor / float64(r.o.Steps)
	}
	r.network.step(s, eta)
	return r.finite(s, y != nil)
}

func (r runner[F]) output(dst []float64, learning bool) {
	s := r.predicting
	if learning {
		s = r.learning
	}
	r.network.output(dst, s)
}

func (r runner[F]) read(what quantity, l int) []float64 {
	if r.learning == nil {
		return nil
	}
	t := r.learning.layers[l]
	src := [...][]F{potential: t.u, prospective: t.drive, rate: t.rate, mismatch: t.err}[what]
	dst := make([]float64, len(src))
	for i, v := range src {
		dst[i] = float64(v)
	}
	return dst
}

func (r runner[F]) weights(l int) (*mat.Dense, []float64) {
	y := r.layers[l]
	w := mat.NewDense(y.w.Rows, y.w.Cols, nil)
	for i := range y.w.Rows {
		for j, v := range y.w.Row(i) {
			w.Set(i, j, float64(v))
		}
	}
	b := make([]float64, len(y.b))
	for i, v := range y.b {
		b[i] = float64(v)
	}
	return w, b
}

func (r runner[F]) setWeights(l int, w mat.Matrix, b []float64) {
	y := r.layers[l]
	for i := range y.w.Rows {
		row := y.w.Row(i)
		for j := range row {
			row[j] = F(w.At(i, j))
		}
	}
	for i, v := range b {
		y.b[i] = F(v)
	}
}

func (r runner[F]) taus(l int) ([]float64, []float64) {
	y := r.layers[l]
	return append([]float64(nil), y.tauM...), append([]float64(nil), y.tauR...)
}

func (r runner[F]) energy() float64 {
	if r.learning == nil {
		return 0
	}
	return r.network.energy(r.learning)
}

func (r runner[F]) adapt(l int, x []float64, eta float64) (float64, error) {
	// Time constants are learned in the state of predictions, which has no errors.
	r.network.predicting = r.resize(r.predicting, len(x)/r.in.size(), r.noise[1])
	s := r.predicting
	for i, v := range x {
		s.x[i] = F(v)
	}
	s.target = false
	off, err := r.network.adapt(s, l, eta)
	if err == nil {
		err = r.finite(s, false)
	}
	return off, err
}

func (r runner[F]) rate(f float64) { r.factor = f }
func (r runner[F]) reset()         { r.network.learning, r.network.predicting = nil, nil }
func (r runner[F]) close()         { r.team.Close() }

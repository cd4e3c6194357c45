package feedforward

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

var _ learn.Rated = (*EPLearner)(nil)

// EPLearner is equilibrium propagation for the loop that all learning models share (package
// learn). It sees batches, not which images they are, so free phases start from an Initializer
// and not from where an image was left; that is TrainEP.
type EPLearner struct {
	t     *epTrainer
	start Initializer
	src   *rand.ChaCha8
	rate  float64
	w     *epBatch
	seen  int // batches
}

// NewEPLearner returns a learner that changes n, on one core. Of the options Epochs, Batch, Workers and
// OnEpoch have no meaning here; the default of Start is the feedforward pass. Predict relaxes for Free iterations.
func NewEPLearner(n *Network, o EPOptions) (*EPLearner, error) {
	o, err := o.check(n)
	if err != nil {
		return nil, err
	}
	if o.Start == nil {
		o.Start = Feedforward{}
	}
	if o.Consistency > 0 && n.td == nil {
		n.td = n.halves()
	}
	o.Rates = slices.Clone(o.Rates)
	l := &EPLearner{start: o.Start, src: rng.Stream(o.Seed, "ep"), rate: 1,
		t: &epTrainer{n: n, o: o, row: make([]float64, slices.Max(n.size))}}
	return l, nil
}

// Network is the network that learns.
func (l *EPLearner) Network() *Network { return l.t.n }

// Dims are n_0 and n_N.
func (l *EPLearner) Dims() (in, out int) {
	n := l.t.n
	return n.size[0], n.size[len(n.size)-1]
}

// SetRate multiplies the learning rates, that of the consistency term too.
func (l *EPLearner) SetRate(factor float64) error {
	if !(factor >= 0) || math.IsInf(factor, 0) {
		return fmt.Errorf("feedforward: rate factor %v: must be finite and ≥ 0", factor)
	}
	l.rate = factor
	return nil
}

// batch takes up inputs and the start of the free phase, and makes it.
func (l *EPLearner) batch(x []float64, r *rand.Rand) error {
	n := l.t.n
	in := n.size[0]
	if len(x) == 0 || len(x)%in != 0 {
		return fmt.Errorf("feedforward: %d inputs: must be a multiple of %d", len(x), in)
	}
	rows := len(x) / in
	s, err := l.start.Init(n, mat.NewDense(rows, in, x), rand.NewPCG(r.Uint64(), r.Uint64()))
	if err != nil {
		return err
	}
	if l.w == nil || len(l.w.worst) != rows {
		l.w = newEPBatch(n, nil, rows)
	}
	copy(l.w.x.Data, x)
	l.w.clamp(l.w.x)
	l.w.set(s)
	l.w.beta = 0
	l.w.run(l.t.o.Free, l.t.o.Step)
	return nil
}

// Learn presents a batch with targets.
func (l *EPLearner) Learn(x, y []float64) error {
	n := l.t.n
	in, out := l.Dims()
	if len(y) == 0 || len(y)/out != len(x)/in || len(y)%out != 0 {
		return fmt.Errorf("feedforward: %d targets with %d inputs: must be %d and %d a sample", len(y), len(x), out, in)
	}
	if i := notFinite(y); i >= 0 {
		return fmt.Errorf("feedforward: target %d of sample %d is %v: must be finite", i%out, i/out, y[i])
	}
	r := rand.New(l.src)
	if err := l.batch(x, r); err != nil {
		return err
	}
	copy(l.w.target.Data, y)
	l.t.rest(l.w, l.rate, r)
	l.seen++
	for k, w := range n.w {
		if i := notFinite(w.Data); i >= 0 {
			return fmt.Errorf("feedforward: W_%d is not finite after %d batches: %w", k+1, l.seen, dynamics.ErrDiverged)
		}
	}
	return nil
}

// Predict writes the outputs of free phases.
func (l *EPLearner) Predict(out, x []float64) error {
	// Nothing that is learned later depends on a prediction.
	if err := l.batch(x, rand.New(rng.Stream(l.t.o.Seed, "predict"))); err != nil {
		return err
	}
	h := l.w.h[len(l.w.h)-1]
	if len(out) != len(h.Data) {
		return fmt.Errorf("feedforward: %d outputs: must be %d", len(out), len(h.Data))
	}
	copy(out, h.Data)
	return nil
}

// savedEP is the state of an EPLearner.
type savedEP struct {
	Network *Network `json:"network"`
	Source  []byte   `json:"source"`
	Rate    float64  `json:"rate"`
	Seen    int      `json:"seen"`
}

// MarshalBinary saves the network and the random source.
func (l *EPLearner) MarshalBinary() ([]byte, error) {
	src, err := l.src.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return json.Marshal(savedEP{l.t.n, src, l.rate, l.seen})
}

// UnmarshalBinary restores what MarshalBinary saved, from a network of the same sizes; the
// network given to NewEPLearner changes. What does not fit is refused and changes nothing.
func (l *EPLearner) UnmarshalBinary(data []byte) error {
	var s savedEP
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("feedforward: saved learner: %w", err)
	}
	n := l.t.n
	if s.Network == nil || !slices.Equal(s.Network.size, n.size) || s.Network.energy != n.energy {
		return errors.New("feedforward: saved learner: is of another network")
	}
	if (s.Network.td == nil) != (n.td == nil) {
		return errors.New("feedforward: saved learner: biases are split in one network only")
	}
	var src rand.ChaCha8
	if err := src.UnmarshalBinary(s.Source); err != nil {
		return fmt.Errorf("feedforward: saved learner: %w", err)
	}
	if err := l.SetRate(s.Rate); err != nil {
		return err
	}
	*n = *s.Network
	l.src, l.seen, l.w = &src, s.Seen, nil
	return nil
}

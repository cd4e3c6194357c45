package feedforward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// RecognitionOptions configures TrainRecognition. The zero value of each field is its default.
type RecognitionOptions struct {
	Relax  RelaxOptions // of the fixed points that are learned
	Epochs int          // default 20
	Batch  int          // default 100
	Rate   float64      // of Adam; default 1e-3
	Seed   uint64       // the order of epoch e is drawn from rng.Stream(Seed, "recognition", e)
}

// Recognition is a network of its own that predicts the fixed points of another one, q_k =
// f(V_k q_{k−1} + c_k) (Salakhutdinov and Larochelle 2010; O'Connor, Gavves and Welling 2019).
type Recognition struct{ v *Network }

// TrainRecognition learns the fixed points of n for the data. It begins as the feedforward
// pass, V_k = g_k W_k, and every layer learns by its own error, from what the layer below says:
// by cross-entropy in Boltzmann networks, by squared error otherwise, as if f were linear where it
// is clipped.
func TrainRecognition(ctx context.Context, n *Network, data mat.Matrix, o RecognitionOptions) (*Recognition, error) {
	if o.Epochs == 0 {
		o.Epochs = 20
	}
	if o.Batch == 0 {
		o.Batch = 100
	}
	if o.Rate == 0 {
		o.Rate = 1e-3
	}
	if o.Epochs < 0 || o.Batch < 0 || o.Batch > 1<<20 || !(o.Rate > 0) || math.IsInf(o.Rate, 0) {
		return nil, fmt.Errorf("feedforward: Epochs = %d, Batch = %d, Rate = %v: must be > 0", o.Epochs, o.Batch, o.Rate)
	}
	if n.energy == Leaky && n.rate != Linear {
		return nil, errors.New("feedforward: recognition of a Leaky network: must have Rate Linear")
	}
	s, err := Feedforward{}.Init(n, data, nil)
	if err != nil {
		return nil, err
	}
	if s, _, err = Relax(ctx, n, data, s, o.Relax); err != nil {
		return nil, err
	}
	in, err := n.input(data)
	if err != nil {
		return nil, err
	}
	r := &Recognition{v: n.Clone()}
	v := r.v
	for i, w := range v.w {
		g := 2.0
		if i+1 == len(v.w) {
			g = 1
		}
		td := make([]float64, v.size[i+1])
		n.topDown(td, i, g, 0)
		for j := range v.b[i] {
			v.b[i][j] = g * (v.b[i][j] - td[j])
		}
		scale(w.Data, g)
	}
	v.td = nil
	team := linalg.NewTeam(o.Relax.Workers)
	defer team.Close()
	var params, grads [][]float64
	for i, w := range v.w {
		params, grads = append(params, w.Data, v.b[i]), append(grads, make([]float64, len(w.Data)), make([]float64, len(v.b[i])))
	}
	opt := newAdam(o.Rate, params, grads)
	m := newRecognitionBatch(v, min(o.Batch, in.Rows))
	for e := range o.Epochs {
		order := rand.New(rng.Stream(o.Seed, "recognition", e)).Perm(in.Rows)
		for lo := 0; lo < len(order); lo += o.Batch {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r.learn(team, m, in, s, order[lo:min(lo+o.Batch, len(order))], grads)
			opt.step()
		}
	}
	if err := v.validate(); err != nil {
		return nil, fmt.Errorf("feedforward: recognition: %w: %w", dynamics.ErrDiverged, err)
	}
	return r, nil
}

// recognitionBatch is the memory of a batch: states of all layers, that of the input first, and
// errors.
type recognitionBatch struct{ q, d []linalg.Mat[float64] }

func newRecognitionBatch(n *Network, rows int) *recognitionBatch {
	m := &recognitionBatch{}
	for _, size := range n.size {
		m.q, m.d = append(m.q, linalg.NewMat[float64](rows, size)), append(m.d, linalg.NewMat[float64](rows, size))
	}
	return m
}

// learn adds the gradient of a batch.
func (r *Recognition) learn(team *linalg.Team, m *recognitionBatch, in linalg.Mat[float64], s State, batch []int, grads [][]float64) {
	v := r.v
	for i := range m.q {
		m.q[i].Rows, m.d[i].Rows = len(batch), len(batch)
	}
	for b, i := range batch {
		copy(m.q[0].Row(b), in.Row(i))
	}
	for i, w := range v.w {
		q, d := m.q[i+1], m.d[i+1]
		fill(q, v.b[i])
		linalg.Gemm(team, false, true, 1, m.q[i], w, 1, q)
		for b, k := range batch {
			row, err, want := q.Row(b), d.Row(b), s[i].RawRowView(k)
			v.activate(row, row)
			for j, x := range row {
				// Of the cross-entropy, q − h* is the whole derivative in the drive. A clipped unit that is
				// off and should not be must be able to come back.
				err[j] = (x - want[j]) / float64(len(batch))
			}
		}
		linalg.Gemm(team, true, false, 1, d, m.q[i], 1, lin(w.Rows, w.Cols, w.Cols, grads[2*i]))
		linalg.SumRows(1, d, 1, grads[2*i+1])
	}
}

// Init makes the pass of the recognition network. It draws nothing.
func (r *Recognition) Init(n *Network, x mat.Matrix, _ rand.Source) (State, error) {
	if r.v == nil {
		return nil, errors.New("feedforward: a recognition network that was not trained")
	}
	if len(r.v.size) != len(n.size) || r.v.energy != n.energy || r.v.rate != n.rate {
		return nil, errors.New("feedforward: a recognition network of another network")
	}
	for k, size := range n.size {
		if r.v.size[k] != size {
			return nil, fmt.Errorf("feedforward: recognition network of %d units in layer %d: must have %d", r.v.size[k], k, size)
		}
	}
	g := make([]float64, len(n.w))
	ones(g)
	return Feedforward{Gains: g, BiasShare: 1}.Init(r.v, x, nil)
}

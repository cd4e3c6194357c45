package train

import (
	"context"
	"fmt"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Pretrain returns a machine of o.Layers for DeepOptions.StartLayered, trained layer by layer from
// below in o.Epochs passes each (Salakhutdinov and Hinton 2009): every pair of layers as a
// restricted machine by CD with one step, what a layer gets from one side counting twice if it
// will have a neighbour on the other side too. Without it the upper layers of a machine of
// hundreds of units learn slowly. Used of o are Layers, Epochs, Batch, Rate, Momentum, Decay,
// InitSD, Seed, Parallel and OnProgress; Method, Steps and the like are not.
func Pretrain(ctx context.Context, d Data, o DeepOptions) (*boltzmann.Layered, error) {
	o.StartLayered = nil
	t, err := NewDeep(d, o)
	if err != nil {
		return nil, err
	}
	t.team = linalg.NewTeam(t.o.Parallel)
	defer t.team.Close()
	total := t.Updates() * int64(len(t.w))
	made := int64(0)
	for l := range t.w {
		p := newPair(t, l)
		for t.update, t.epoch = 0, -1; !t.Done(); t.update++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			p.learn(t.images())
			if made++; t.o.OnProgress != nil {
				t.o.OnProgress(Progress{Update: made, Updates: total, Epoch: float64(made) / float64(t.perEpoch), Rate: t.o.Rate.At(t.update, t.Updates())})
			}
		}
		if err := t.finite(); err != nil {
			return nil, fmt.Errorf("layers %d and %d: %w", l, l+1, err)
		}
	}
	return t.Machine()
}

// pair trains layers l and l+1.
type pair struct {
	t        *DeepTrainer
	l        int
	up, down float32
	streams  []*deepChain
	h, v, h2 linalg.Mat[float32] // probabilities; v and h2 are the reconstruction
	state    linalg.Mat[float32]
}

func newPair(t *DeepTrainer, l int) *pair {
	p := &pair{t: t, l: l, up: 2, down: 2}
	if l == 0 {
		p.down = 1 // the visible units will have no other neighbour
	}
	if l == len(t.w)-1 {
		p.up = 1
	}
	rows := t.batch.rows
	p.h, p.h2, p.state = linalg.NewMat[float32](rows, t.sizes[l+1]), linalg.NewMat[float32](rows, t.sizes[l+1]), linalg.NewMat[float32](rows, t.sizes[l+1])
	p.v = linalg.NewMat[float32](rows, t.sizes[l])
	for r := range rows {
		c := &deepChain{walker: walker{beta: 1}, row: r}
		c.s.Seed(rng.Stream(t.o.Seed, "train pair", l, r).Uint64)
		p.streams = append(p.streams, c)
	}
	return p
}

func (p *pair) learn(images []int) {
	t, l := p.t, p.l
	n := len(images)
	f := t.batch.first(n)
	for r, i := range images {
		t.image(f.z[0].Row(r), i)
	}
	for k := 1; k <= l; k++ { // every layer below has one above
		t.fields(f, k, false, 2)
		t.probabilities(f, k, nil)
		copy(f.z[k].Data, f.p[k].Data[:len(f.z[k].Data)])
	}
	x, h, v, h2, state := f.z[l], p.h.Slice(0, n), p.v.Slice(0, n), p.h2.Slice(0, n), p.state.Slice(0, n)
	p.layer(h, x, t.b[l+1], p.up, false)
	t.team.Do(n, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			bernoulli(state.Row(r), h.Row(r), &p.streams[r].s)
		}
	})
	p.layer(v, state, t.b[l], p.down, true)
	p.layer(h2, v, t.b[l+1], p.up, false)
	rate := float32(t.o.Rate.At(t.update, t.Updates()))
	momentum, decay := float32(t.o.Momentum), float32(t.o.Decay)
	s, w := t.step[l], t.w[l]
	for i := range s.Data {
		s.Data[i] = momentum*s.Data[i] - rate*decay*w.Data[i]
	}
	eta := rate / float32(n)
	linalg.Gemm(t.team, true, false, eta, x, h, 1, s)
	linalg.Gemm(t.team, true, false, -eta, v, h2, 1, s)
	linalg.Axpy(1, s.Data, w.Data)
	for i, pm := range [2][2]linalg.Mat[float32]{{x, v}, {h, h2}} {
		step := t.bias[l+i]
		for k := range step {
			step[k] *= momentum
		}
		linalg.SumRows(eta, pm[0], 1, step)
		linalg.SumRows(-eta, pm[1], 1, step)
		linalg.Axpy(1, step, t.b[l+i])
	}
}

// layer writes σ(b + times·in W), or Wᵀ if down, to out.
func (p *pair) layer(out, in linalg.Mat[float32], b []float32, times float32, down bool) {
	for r := range out.Rows {
		copy(out.Row(r), b)
	}
	linalg.Gemm(p.t.team, false, down, times, in, p.t.w[p.l], 1, out)
	p.t.team.Do(out.Rows, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := out.Row(r)
			for i, x := range row {
				row[i] = sigmoid(float64(x))
			}
		}
	})
}

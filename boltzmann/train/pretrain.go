package train

import (
	"context"
	"fmt"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Pretrain returns a machine of o.Layers for DeepOptions.StartLayered, trained layer by layer from
// below in o.Epochs passes each (Salakhutdinov and Hinton 2009): every pair of layers as a
// restricted machine by CD with one step, what a layer gets from one side counting twice if it
// will have a neighbour on the other side too. Without it the upper layers of a machine of
// hundreds of units learn slowly. Used of o are Layers, Epochs, Batch, Rate, Momentum, Decay,
// InitSD, Seed, Parallel and OnProgress; Method, Steps and the like are not. When ctx ends it
// returns ctx's error; it cannot be taken up again.
func Pretrain(ctx context.Context, d Data, o DeepOptions) (*boltzmann.Layered, error) {
	o.StartLayered = nil
	o.Method, o.Chains, o.Cast, o.Clamped = PCD, 1, CastOptions{}, false // there are no chains to make
	t, err := NewDeep(d, o)
	if err != nil {
		return nil, err
	}
	t.net.team = linalg.NewTeam(t.o.Parallel)
	defer t.net.team.Close()
	total := t.Updates() * int64(len(t.net.w))
	made := int64(0)
	for l := range t.net.w {
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
		if err := t.net.finite(); err != nil {
			return nil, fmt.Errorf("layers %d and %d: %w", l, l+1, err)
		}
	}
	return t.net.machine()
}

// pair trains layers l and l+1: of a batch, what the layers below make of the images against
// its reconstruction through states of layer l+1.
type pair struct {
	t        *DeepTrainer
	l        int
	up, down float32 // how often an input counts
	chains   []*deepChain
	again    *phase // the reconstruction: states of layer l+1 in z, probabilities in p
}

func newPair(t *DeepTrainer, l int) *pair {
	p := &pair{t: t, l: l, up: 2, down: 2, again: newPhase(t.batch.rows, t.net.sizes)}
	if l == 0 {
		p.down = 1 // the visible units will have no other neighbour
	}
	if l+1 == t.net.top() {
		p.up = 1
	}
	p.chains = deepChains(t.o.Seed, fmt.Sprintf("train pair %d", l), t.batch.rows)
	return p
}

func (p *pair) learn(images []int) {
	t, n, l := p.t, p.t.net, p.l
	f, g := t.batch.first(len(images)), p.again.first(len(images))
	for r, i := range images {
		t.image(f.z[0].Row(r), i)
	}
	for k := range l { // every layer below has one above
		p.infer(f, k+1, f.z[k], f.z[k+1], 2, false)
	}
	p.infer(f, l+1, f.z[l], f.z[l+1], p.up, false)
	for r := range f.rows {
		bernoulli(g.z[l+1].Row(r), f.z[l+1].Row(r), &p.chains[r].s)
	}
	p.infer(g, l, g.z[l+1], g.p[l], p.down, true)
	p.infer(g, l+1, g.p[l], g.p[l+1], p.up, false)

	// The step is that of climb, for one pair of layers.
	t.learn.Rate, t.learn.Momentum, t.learn.Decay = float32(t.o.Rate.At(t.update, t.Updates())), float32(t.o.Momentum), float32(t.o.Decay)
	each := 1 / float32(f.rows)
	linalg.Gemm(n.team, true, false, each, f.z[l], f.z[l+1], 0, t.grad[l])
	linalg.Gemm(n.team, true, false, -each, g.p[l], g.p[l+1], 1, t.grad[l])
	t.apply(n.w[l].Data, t.step[l].Data, t.grad[l].Data)
	t.learn.Decay = 0
	for k := l; k <= l+1; k++ {
		linalg.SumRows(each, f.z[k], 0, t.biasGrad[k])
		linalg.SumRows(-each, g.p[k], 1, t.biasGrad[k])
		t.apply(n.b[k], t.biasStep[k], t.biasGrad[k])
	}
}

// infer writes σ(b + times·in W) of layer k, the field in f, to out; the couplings are those
// with the layer above if down is set.
func (p *pair) infer(f *phase, k int, in, out linalg.Mat[float32], times float32, down bool) {
	n := p.t.net
	x := f.field[k]
	for r := range f.rows {
		copy(x.Row(r), n.b[k])
	}
	w := k - 1
	if down {
		w = k
	}
	linalg.Gemm(n.team, false, down, times, in, n.w[w], 1, x)
	n.activate(f, k, out)
}

package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// DeepTrainer trains a machine of any number of hidden layers (a deep Boltzmann machine;
// Salakhutdinov and Hinton 2009). Label units are visible units after the pixels, as in
// Trainer: layer 1 sees them as it sees pixels, a class is judged by the free energy or the
// bound with its unit on, and a sampler that is not told a label moves between classes through
// the same hidden units. An update is, for all layers l and likewise for biases,
//
//	∂/∂W_l = ⟨z_l z_{l+1}ᵀ⟩_batch − ⟨z_l z_{l+1}ᵀ⟩_chains .
//
// In the first term the visible units are those of an image, and the hidden units either
// their means μ, which solve
//
//	μ_l = σ(b_l + μ_{l−1} W_{l−1} + W_l μ_{l+1}),   μ_0 = v,
//
// or states from clamped Gibbs sampling (DeepOptions.Clamped). With means, and as far as the
// sweeps have converged, the update estimates the gradient of the variational bound on the
// log-likelihood,
//
//	Σ_l (b_lᵀμ_l + μ_{l−1}ᵀ W_{l−1} μ_l) + entropy of μ − log Z ≤ log p(v),
//
// in which the dependence of μ on the parameters has no part, the bound being stationary in μ.
// With states it estimates the gradient of the log-likelihood.
//
// The second term is an expectation under the machine. Its chains are those of Method: with PCD
// and CAST it is unbiased once the chains have reached their law, with CD, whose chains start
// at the images and at hidden units drawn as in the first term, it is biased. Even layers count
// by their probabilities given the odd ones there, which has the same expectation and less
// variance; so do even hidden layers in a sampled first term.
//
// It is for one goroutine at a time.
type DeepTrainer struct {
	o        DeepOptions
	net      *net
	d        packed
	pixels   int
	classes  int
	perEpoch int64
	update   int64

	// Steps of the last update (momentum) and gradients, laid out as the parameters.
	step, grad         []linalg.Mat[float32]
	biasStep, biasGrad [][]float32

	slow   []*deepChain
	fast   *tempered[*deepChain] // CAST only
	all    []*deepChain          // slow and fast, as they were made: chain i is row i
	posing []*deepChain          // generators of clamped sampling, one for every image of a batch

	batch *phase // of the positive phase
	chain *phase // of all chains
	last  *phase // of the last batch of an epoch, which may have less images, in the same memory
	ends  *phase // of its chains (CD)

	mean  [2][]linalg.Mat[float32] // what counts in the first term and the second
	cold  []linalg.Mat[float32]    // statistics of the slow chains of CAST, gathered
	learn gibbskernel.Learn
	now   struct{ w, v, g []float32 }
	steps func(lo, hi int)

	order []int
	epoch int64
}

// NewDeep returns a trainer before its first update. It refuses what Data and DeepOptions
// exclude.
func NewDeep(d Data, o DeepOptions) (*DeepTrainer, error) {
	t, err := newDeep(d, o)
	if err != nil {
		return nil, err
	}
	if s := t.o.StartLayered; s != nil {
		if err := t.net.set(s); err != nil {
			return nil, err
		}
	} else {
		r := rand.New(rng.Stream(t.o.Seed, "train weights"))
		for _, w := range t.net.w {
			for i := range w.Data {
				w.Data[i] = float32(t.o.InitSD * r.NormFloat64())
			}
		}
		for i, x := range t.d.odds(t.net.sizes[0]) {
			t.net.b[0][i] = float32(x)
		}
	}
	// Chains start at images, hidden units fair coins.
	r := rand.New(rng.Stream(t.o.Seed, "train starts"))
	for _, c := range t.all {
		t.image(t.chain.z[0].Row(c.row), r.IntN(t.d.n))
		for _, z := range t.chain.z[1:] {
			for i := range z.Row(c.row) {
				z.Row(c.row)[i] = float32(r.IntN(2))
			}
		}
	}
	return t, nil
}

// newDeep is NewDeep without parameters and states of chains.
func newDeep(d Data, o DeepOptions) (*DeepTrainer, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	o, err := o.check(d)
	if err != nil {
		return nil, err
	}
	n, err := newNet(slices.Concat([]int{d.pixels() + d.Classes}, o.Layers))
	if err != nil {
		return nil, err
	}
	t := &DeepTrainer{o: o, net: n, d: d.pack(), pixels: d.pixels(), classes: d.Classes,
		perEpoch: int64((len(d.Images) + o.Batch - 1) / o.Batch), epoch: -1}
	for l, k := range n.sizes {
		t.biasStep, t.biasGrad = append(t.biasStep, zeros(k)), append(t.biasGrad, zeros(k))
		if l < n.top() {
			t.step, t.grad = append(t.step, n.couplings(l)), append(t.grad, n.couplings(l))
		}
	}
	t.order = make([]int, t.d.n)
	images := min(o.Batch, t.d.n)
	chains := o.Chains
	if o.Method == CD {
		chains = images
	}
	t.slow = deepChains(o.Seed, "train chain", chains)
	t.all = t.slow
	if o.Method == CAST {
		fast := deepChains(o.Seed, "train fast chain", chains)
		for i, c := range fast {
			c.row = chains + i
		}
		t.fast = newTempered(o.Cast, fast)
		t.all = slices.Concat(t.slow, fast)
	}
	if o.Clamped && n.top() > 1 {
		t.posing = deepChains(o.Seed, "train clamped", images)
	}
	t.batch, t.chain = newPhase(images, n.sizes), newPhase(len(t.all), n.sizes)
	rest := (t.d.n-1)%images + 1
	t.last = t.batch.first(rest)
	if t.ends = t.chain; o.Method == CD {
		t.ends = t.chain.first(rest)
	}
	t.mean = [2][]linalg.Mat[float32]{make([]linalg.Mat[float32], len(n.sizes)), make([]linalg.Mat[float32], len(n.sizes))}
	if t.fast != nil {
		for _, k := range n.sizes {
			t.cold = append(t.cold, linalg.NewMat[float32](chains, k))
		}
	}
	t.steps = t.stepPart
	return t, nil
}

// deepChains are chains at β = 1 in the first rows, with generators of that name.
func deepChains(seed uint64, name string, n int) []*deepChain {
	cs := make([]*deepChain, n)
	for i := range cs {
		cs[i] = &deepChain{walker: walker{beta: 1}, row: i}
		cs[i].s.Seed(rng.Stream(seed, name, i).Uint64)
	}
	return cs
}

// image writes the visible units of image i.
func (t *DeepTrainer) image(v []float32, i int) {
	bits := t.d.at(i)
	for k := range v {
		v[k] = float32(bits[k/64] >> (k % 64) & 1)
	}
}

// Updates is the number of updates from begin to end: Epochs times the batches of the data.
func (t *DeepTrainer) Updates() int64 { return t.perEpoch * int64(t.o.Epochs) }

// EpochUpdates is the number of updates of an epoch.
func (t *DeepTrainer) EpochUpdates() int64 { return t.perEpoch }

// Update is the number of updates made.
func (t *DeepTrainer) Update() int64 { return t.update }

// Done reports whether all updates are made.
func (t *DeepTrainer) Done() bool { return t.update >= t.Updates() }

// Progress says how far training is.
func (t *DeepTrainer) Progress() Progress {
	p := Progress{Update: t.update, Updates: t.Updates(), Epoch: float64(t.update) / float64(t.perEpoch)}
	if t.update > 0 {
		p.Rate = t.o.Rate.At(t.update-1, p.Updates)
	}
	if t.fast != nil {
		p.Cold, p.Swaps = t.fast.cold(), t.fast.swaps
	}
	return p
}

// Machine returns the machine as it is now: layer 0 are the pixels, then the label units. It
// fails if weights have become infinite.
func (t *DeepTrainer) Machine() (*boltzmann.Layered, error) { return t.net.machine() }

// Run makes the next n ≥ 1 updates, or as many as are left; n = 0 makes all that are left.
// When ctx ends it stops after the present update and returns ctx's error; Run goes on from
// there. It fails if weights have become infinite.
func (t *DeepTrainer) Run(ctx context.Context, n int64) error {
	if n < 0 {
		return fmt.Errorf("train: Run of %d updates: must be ≥ 1 (0: all that are left)", n)
	}
	end := t.Updates()
	if n > 0 {
		end = min(end, t.update+n)
	}
	t.net.team = linalg.NewTeam(t.o.Parallel)
	defer func() {
		t.net.team.Close()
		t.net.team = nil
	}()
	for t.update < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.advance()
		if t.update%t.perEpoch == 0 || t.update == end {
			if err := t.net.finite(); err != nil {
				return err
			}
		}
		if t.o.OnProgress != nil {
			t.o.OnProgress(t.Progress())
		}
	}
	return nil
}

// advance is one update.
func (t *DeepTrainer) advance() {
	n, images := t.net, t.images()
	pos, neg, chains := t.batch, t.chain, t.all
	if len(images) < pos.rows {
		pos, neg = t.last, t.ends
	}
	for r, i := range images {
		t.image(pos.z[0].Row(r), i)
	}
	sampled := t.posing != nil
	if sampled {
		n.clamped(pos, t.posing[:pos.rows], t.o.Inference)
	} else {
		n.meanField(pos, t.o.Inference)
	}
	if t.o.Method == CD {
		chains = chains[:neg.rows]
		copy(neg.z[0].Data, pos.z[0].Data)
		for l := 1; l <= n.top(); l++ {
			if sampled {
				copy(neg.z[l].Data, pos.z[l].Data)
			} else {
				copy(neg.p[l].Data, pos.z[l].Data)
			}
		}
		if !sampled {
			n.drawAll(neg, chains)
		}
	}
	for range t.o.Steps {
		n.sweep(neg, chains, false)
		if t.fast != nil {
			n.energies(neg, chains)
			t.fast.walk(t.update)
		}
	}
	for l := range n.sizes {
		t.mean[0][l], t.mean[1][l] = pos.z[l], neg.z[l]
		if l%2 == 0 {
			t.mean[1][l] = neg.p[l]
			if sampled && l > 0 {
				t.mean[0][l] = pos.p[l]
			}
		}
		if t.fast != nil {
			for i, c := range t.slow { // scattered among all
				copy(t.cold[l].Row(i), t.mean[1][l].Row(c.row))
			}
			t.mean[1][l] = t.cold[l]
		}
	}
	t.climb()
	t.update++
	if t.fast != nil && t.update%int64(t.o.Cast.SwapEvery) == 0 {
		t.fast.swap(t.slow)
	}
}

// images are the next images.
func (t *DeepTrainer) images() []int {
	if e := t.update / t.perEpoch; e != t.epoch {
		for i := range t.order {
			t.order[i] = i
		}
		r := rand.New(rng.Stream(t.o.Seed, "train order", int(e)))
		r.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
		t.epoch = e
	}
	from := int(t.update%t.perEpoch) * t.o.Batch
	return t.order[from:min(from+t.o.Batch, len(t.order))]
}

// climb makes the step of an update from the means.
func (t *DeepTrainer) climb() {
	n, pos, neg := t.net, t.mean[0], t.mean[1]
	plus, minus := 1/float32(pos[0].Rows), -1/float32(neg[0].Rows)
	t.learn = gibbskernel.Learn{Rate: float32(t.o.Rate.At(t.update, t.Updates())), Momentum: float32(t.o.Momentum)}
	for l, b := range n.b {
		linalg.SumRows(plus, pos[l], 0, t.biasGrad[l])
		linalg.SumRows(minus, neg[l], 1, t.biasGrad[l])
		t.apply(b, t.biasStep[l], t.biasGrad[l])
	}
	t.learn.Decay = float32(t.o.Decay)
	for l, w := range n.w {
		linalg.Gemm(n.team, true, false, plus, pos[l], pos[l+1], 0, t.grad[l])
		linalg.Gemm(n.team, true, false, minus, neg[l], neg[l+1], 1, t.grad[l])
		t.apply(w.Data, t.step[l].Data, t.grad[l].Data)
	}
}

// apply makes the step of parameters w from the last step v and the gradient g.
func (t *DeepTrainer) apply(w, v, g []float32) {
	t.now.w, t.now.v, t.now.g = w, v, g
	t.net.team.Do(pad(len(w)), 1<<13, t.steps)
}

func (t *DeepTrainer) stepPart(lo, hi int) {
	l := t.learn
	l.W, l.V, l.G, l.N = &t.now.w[lo], &t.now.v[lo], &t.now.g[lo], int64(hi-lo)
	l.Run(t.net.path)
}

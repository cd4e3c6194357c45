package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Trainer trains a machine. It is for one goroutine at a time.
type Trainer struct {
	o        Options
	m        *weights
	d        packed
	pixels   int
	classes  int
	workers  int
	perEpoch int64 // updates
	update   int64 // updates made

	// Steps of the last update (momentum) and gradients, laid out as the parameters.
	wv, wg, bv, bg, cv, cg []float32

	slow []*chain
	fast *tempered[*chain] // CAST only
	all  []*chain          // slow and fast, as they were made

	order []int     // images in the order of this epoch
	epoch int64     // that order is of
	lists [][]int32 // units that are on in the images of the batch
	count []int     // how often visible units are on, scratch
}

// New returns a trainer before its first update. It refuses what Data and Options exclude.
func New(d Data, o Options) (*Trainer, error) {
	t, err := newTrainer(d, o)
	if err != nil {
		return nil, err
	}
	if o.Start != nil {
		if t.m, err = fromRBM(o.Start); err != nil {
			return nil, err
		}
	} else {
		t.initialise()
	}
	r := rand.New(rng.Stream(t.o.Seed, "train starts"))
	for _, c := range t.all {
		c.set(t.m, t.d.at(r.IntN(t.d.n)))
	}
	return t, nil
}

// newTrainer is New without parameters and states of chains.
func newTrainer(d Data, o Options) (*Trainer, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	if err := o.check(d); err != nil {
		return nil, err
	}
	nv := d.pixels() + d.Classes
	m, err := newWeights(nv, o.Hidden)
	if err != nil {
		return nil, err
	}
	t := &Trainer{o: o, m: m, d: d.pack(), pixels: d.pixels(), classes: d.Classes, workers: o.Parallel,
		perEpoch: int64((len(d.Images) + o.Batch - 1) / o.Batch), epoch: -1}
	if t.workers == 0 {
		t.workers = runtime.GOMAXPROCS(0)
	}
	t.wv, t.wg = make([]float32, len(m.w)), make([]float32, len(m.w))
	t.bv, t.bg = make([]float32, m.pv), make([]float32, m.pv)
	t.cv, t.cg = make([]float32, m.ph), make([]float32, m.ph)
	t.count = make([]int, m.pv)
	t.order = make([]int, t.d.n)
	t.lists = make([][]int32, min(o.Batch, t.d.n))
	for i := range t.lists {
		t.lists[i] = make([]int32, m.pv+12)
	}
	chains := o.Chains
	if o.Method == CD {
		chains = len(t.lists)
	}
	for c := range chains {
		t.slow = append(t.slow, newChain(m, rng.Stream(o.Seed, "train chain", c)))
	}
	t.all = slices.Clone(t.slow)
	if o.Method == CAST {
		var fast []*chain
		for c := range o.Chains {
			fast = append(fast, newChain(m, rng.Stream(o.Seed, "train fast chain", c)))
		}
		t.fast = newTempered(o.Cast, fast)
		t.all = append(t.all, fast...)
	}
	return t, nil
}

// initialise draws couplings and sets biases.
func (t *Trainer) initialise() {
	m := t.m
	r := rand.New(rng.Stream(t.o.Seed, "train weights"))
	for i := range m.nv {
		for j := range m.nh {
			m.w[m.at(i, j)] = float32(t.o.InitSD * r.NormFloat64())
		}
	}
	for i, x := range t.d.odds(m.nv) {
		m.b[i] = float32(x)
	}
	for h := range m.ph / tile {
		m.turn(h)
	}
}

// Updates is the number of updates from begin to end: Epochs times the batches of the data.
func (t *Trainer) Updates() int64 { return t.perEpoch * int64(t.o.Epochs) }

// EpochUpdates is the number of updates of an epoch.
func (t *Trainer) EpochUpdates() int64 { return t.perEpoch }

// Update is the number of updates made.
func (t *Trainer) Update() int64 { return t.update }

// Done reports whether all updates are made.
func (t *Trainer) Done() bool { return t.update >= t.Updates() }

// Progress says how far training is.
func (t *Trainer) Progress() Progress {
	p := Progress{Update: t.update, Updates: t.Updates(), Epoch: float64(t.update) / float64(t.perEpoch)}
	if t.update > 0 {
		p.Rate = t.o.Rate.At(t.update-1, p.Updates)
	}
	if t.fast != nil {
		p.Cold, p.Swaps = t.fast.cold(), t.fast.swaps
	}
	return p
}

// Machine returns the machine as it is now. It fails if weights have become infinite.
func (t *Trainer) Machine() (*boltzmann.RBM, error) { return t.m.rbm() }

// Run makes the next n ≥ 1 updates, or as many as are left; n = 0 makes all that are left.
// When ctx ends it stops after the present update and returns ctx's error; Run goes on from
// there. It fails if weights have become infinite.
func (t *Trainer) Run(ctx context.Context, n int64) error {
	if n < 0 {
		return fmt.Errorf("train: Run of %d updates: must be ≥ 1 (0: all that are left)", n)
	}
	end := t.Updates()
	if n > 0 {
		end = min(end, t.update+n)
	}
	for t.update < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.step()
		if t.update%t.perEpoch == 0 || t.update == end {
			if err := t.m.finite(); err != nil {
				return err
			}
		}
		if t.o.OnProgress != nil {
			t.o.OnProgress(t.Progress())
		}
	}
	return nil
}

// step is one update: the chains move, then every tile of hidden units takes its gradient
// and learns. What is added up, and in which order, does not depend on the goroutines.
func (t *Trainer) step() {
	m := t.m
	batch := t.batch()
	chains := t.all
	if t.o.Method == CD {
		chains = chains[:len(batch)]
		for i, c := range chains {
			c.on = batch[i]
		}
		t.slow = chains
	}
	for range t.o.Steps {
		t.each((len(chains)+block-1)/block, func(i int) {
			m.sweep(chains[i*block:min((i+1)*block, len(chains))], t.fast != nil)
		})
		if t.fast != nil {
			t.fast.walk(t.update)
		}
	}
	rate := t.o.Rate.At(t.update, t.Updates())
	learn := gibbskernel.Learn{Momentum: float32(t.o.Momentum), Rate: float32(rate), Decay: float32(t.o.Decay)}
	t.each(m.ph/tile, func(h int) {
		t.gradient(h, batch)
		l := learn
		l.W, l.V, l.G = &m.tile(m.w, h)[0], &m.tile(t.wv, h)[0], &m.tile(t.wg, h)[0]
		l.N = int64(m.pv * tile)
		l.Run(m.path)
		m.turn(h)
	})

	t.biasGradient(batch)
	learn.Decay = 0
	b := learn
	b.W, b.V, b.G, b.N = &m.b[0], &t.bv[0], &t.bg[0], int64(m.pv)
	b.Run(m.path)
	c := learn
	c.W, c.V, c.G, c.N = &m.c[0], &t.cv[0], &t.cg[0], int64(m.ph)
	c.Run(m.path)

	t.update++
	if t.fast != nil && t.update%int64(t.o.Cast.SwapEvery) == 0 {
		t.fast.swap(t.slow)
	}
}

// batch lists the units that are on in the next images.
func (t *Trainer) batch() [][]int32 {
	if e := t.update / t.perEpoch; e != t.epoch {
		for i := range t.order {
			t.order[i] = i
		}
		r := rand.New(rng.Stream(t.o.Seed, "train order", int(e)))
		r.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
		t.epoch = e
	}
	from := int(t.update%t.perEpoch) * t.o.Batch
	images := t.order[from:min(from+t.o.Batch, len(t.order))]
	for i, k := range images {
		t.lists[i] = t.m.list(t.lists[i], t.d.at(k))
	}
	return t.lists[:len(images)]
}

// gradient adds the gradient of the mean log-likelihood for tile h of hidden units,
//
//	mean over the batch of v_i σ(x_j(v)) − mean over the chains of v_i σ(x_j(v)),
//
// to that of the couplings and the hidden biases. Hidden units count by their probability:
// the same expectation as with their states, and less variance.
func (t *Trainer) gradient(h int, batch [][]int32) {
	m := t.m
	var row [tile]float32
	g := m.tile(t.wg, h)
	bias := t.cg[h*tile : (h+1)*tile]
	used := min(tile, m.nh-h*tile)
	add := func(on []int32, scale float32) {
		m.hidden(&row, h, on)
		s := gibbskernel.Sigmoid{X: &row[0], P: &row[0], N: tile, Scale: scale}
		s.Run(m.path)
		clear(row[used:])
		for c, p := range row {
			bias[c] += p
		}
		if len(on) > 0 {
			s := gibbskernel.Scatter{W: &g[0], Row: &row[0], List: &on[0], N: int64(len(on))}
			s.Run(m.path)
		}
	}
	for _, on := range batch {
		add(on, 1/float32(len(batch)))
	}
	for _, c := range t.slow {
		add(c.on, -1/float32(len(t.slow)))
	}
}

// biasGradient is gradient for the visible biases.
func (t *Trainer) biasGradient(batch [][]int32) {
	clear(t.count)
	for _, on := range batch {
		t.tally(on)
	}
	for i, n := range t.count {
		t.bg[i] = float32(n) / float32(len(batch))
	}
	clear(t.count)
	for _, c := range t.slow {
		t.tally(c.on)
	}
	for i, n := range t.count {
		t.bg[i] -= float32(n) / float32(len(t.slow))
	}
}

// tally counts units that are on.
func (t *Trainer) tally(on []int32) {
	for _, i := range on {
		t.count[i]++
	}
}

// each calls f(0), …, f(n−1), several at a time.
func (t *Trainer) each(n int, f func(i int)) { parallel(t.workers, n, f) }

// parallel calls f(0), …, f(n−1) from so many goroutines.
func parallel(workers, n int, f func(i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i)
		}
	}
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

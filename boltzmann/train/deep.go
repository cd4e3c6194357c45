package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// DeepOptions configures the training of a layered machine. All fields of Options mean the
// same, but Hidden and Start, which must be zero.
type DeepOptions struct {
	Options

	// Layers are the numbers of hidden units of layers 1, 2, …; required, unless StartLayered
	// has them.
	Layers []int

	// Inference is the number of sweeps of the positive phase; default 10. A sweep visits the
	// odd layers, then the even ones but the visible.
	Inference int
	// Clamped samples the hidden units of the positive phase by that many sweeps of blocked Gibbs
	// sampling, visible units held, instead of iterating mean-field equations. Its gradient is
	// that of the log-likelihood as far as the sweeps reach the posterior.
	Clamped bool

	// StartLayered is the machine to begin with instead, its layer 0 being pixels, then label
	// units; see Pretrain.
	StartLayered *boltzmann.Layered `json:"-"`
}

// DeepTrainer trains a machine of any number of hidden layers (a deep Boltzmann machine;
// Salakhutdinov and Hinton 2009). Label units are visible units after the pixels, as in
// Trainer. With μ the mean-field solution of the hidden units for an image,
//
//	μ_l = σ(b_l + μ_{l−1} W_{l−1} + W_l μ_{l+1}),   μ_0 = v,
//
// an update is, for all layers l and likewise for biases,
//
//	∂/∂W_l = ⟨μ_l μ_{l+1}ᵀ⟩_batch − ⟨z_l z_{l+1}ᵀ⟩_chains .
//
// The first term with the second's expectation is the gradient of the variational bound on the
// log-likelihood, Σ_l (b_lᵀμ_l + μ_{l−1}ᵀW_{l−1}μ_l) + entropy of μ − log Z, at which mean field has
// converged. Chains are those of Method. CD starts them at the batch, hidden units drawn from μ.
// In the second term, even layers count by their probabilities given the odd ones, which
// has the same expectation and less variance.
//
// It is for one goroutine at a time.
type DeepTrainer struct {
	o        DeepOptions
	d        packed
	pixels   int
	classes  int
	perEpoch int64
	update   int64
	sizes    []int // units by layer

	w, step []linalg.Mat[float32] // couplings W_l, n_l × n_{l+1}, and their last steps
	b, bias [][]float32           // biases and their last steps

	slow []*deepChain
	fast *tempered[*deepChain] // CAST only
	all  []*deepChain          // slow and fast, as they were made

	team  *linalg.Team
	batch *phase // of the positive phase
	chain *phase // of all chains

	order []int
	epoch int64
}

// deepChain is a chain; its state is a row of the phase of all chains.
type deepChain struct {
	walker
	row int
}

// phase is a batch of states of all layers.
type phase struct {
	rows  int
	z     []linalg.Mat[float32] // by layer: states, or means
	p     []linalg.Mat[float32] // probabilities at the last visit
	field []linalg.Mat[float32]
}

func newPhase(rows int, sizes []int) *phase {
	f := &phase{rows: rows}
	for _, n := range sizes {
		f.z = append(f.z, linalg.NewMat[float32](rows, n))
		f.p = append(f.p, linalg.NewMat[float32](rows, n))
		f.field = append(f.field, linalg.NewMat[float32](rows, n))
	}
	return f
}

// first is the phase of the first rows only.
func (f *phase) first(rows int) *phase {
	if rows == f.rows {
		return f
	}
	g := &phase{rows: rows}
	for l := range f.z {
		g.z, g.p, g.field = append(g.z, f.z[l].Slice(0, rows)), append(g.p, f.p[l].Slice(0, rows)), append(g.field, f.field[l].Slice(0, rows))
	}
	return g
}

func (o DeepOptions) check(d Data) (DeepOptions, error) {
	if o.StartLayered != nil && o.Layers == nil {
		for l := 1; l < o.StartLayered.Layers(); l++ {
			from, to := o.StartLayered.Layer(l)
			o.Layers = append(o.Layers, to-from)
		}
	}
	if o.Inference == 0 {
		o.Inference = 10
	}
	var errs []error
	if o.Hidden != 0 || o.Start != nil {
		errs = append(errs, errors.New("train: Hidden or Start of a layered machine: must be zero, there are Layers and StartLayered"))
	}
	if len(o.Layers) == 0 {
		errs = append(errs, errors.New("train: no Layers: must have at least one"))
	}
	for l, n := range o.Layers {
		if n < 1 || n > maxUnits {
			errs = append(errs, fmt.Errorf("train: Layers[%d] = %d: must be 1 to %d", l, n, maxUnits))
		}
	}
	if o.Inference < 1 {
		errs = append(errs, fmt.Errorf("train: Inference = %d: must be ≥ 1 (0: default 10)", o.Inference))
	}
	o.Hidden, o.Start = 1, nil
	o.Options = o.withDefaults()
	errs = append(errs, o.Options.check(d))
	o.Hidden = 0
	if s := o.StartLayered; s != nil {
		same := s.Layers() == len(o.Layers)+1
		for l := 0; same && l < s.Layers(); l++ {
			from, to := s.Layer(l)
			same = to-from == slices.Concat([]int{d.pixels() + d.Classes}, o.Layers)[l]
		}
		if !same {
			errs = append(errs, fmt.Errorf("train: StartLayered is of other sizes: must be %d visible units (pixels and classes) and %v", d.pixels()+d.Classes, o.Layers))
		}
	}
	return o, errors.Join(errs...)
}

// NewDeep returns a trainer before its first update. It refuses what Data and DeepOptions
// exclude.
func NewDeep(d Data, o DeepOptions) (*DeepTrainer, error) {
	t, err := newDeep(d, o)
	if err != nil {
		return nil, err
	}
	if s := t.o.StartLayered; s != nil {
		t.set(s)
		if t.finite() != nil {
			return nil, errors.New("train: machine with parameters beyond 3e38: must fit single precision")
		}
	} else {
		r := rand.New(rng.Stream(t.o.Seed, "train weights"))
		for _, w := range t.w {
			for i := range w.Data {
				w.Data[i] = float32(t.o.InitSD * r.NormFloat64())
			}
		}
		for i, x := range t.d.odds(t.sizes[0]) {
			t.b[0][i] = float32(x)
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
	t := &DeepTrainer{o: o, d: d.pack(), pixels: d.pixels(), classes: d.Classes,
		perEpoch: int64((len(d.Images) + o.Batch - 1) / o.Batch), epoch: -1}
	t.sizes = slices.Concat([]int{t.pixels + t.classes}, o.Layers)
	for l, n := range t.sizes {
		t.b, t.bias = append(t.b, make([]float32, n)), append(t.bias, make([]float32, n))
		if l+1 < len(t.sizes) {
			t.w, t.step = append(t.w, linalg.NewMat[float32](n, t.sizes[l+1])), append(t.step, linalg.NewMat[float32](n, t.sizes[l+1]))
		}
	}
	t.order = make([]int, t.d.n)
	images := min(o.Batch, t.d.n)
	chains := o.Chains
	if o.Method == CD {
		chains = images
	}
	add := func(name string, n int) []*deepChain {
		var cs []*deepChain
		for c := range n {
			k := &deepChain{walker: walker{beta: 1}, row: len(t.all) + c}
			k.s.Seed(rng.Stream(o.Seed, name, c).Uint64)
			cs = append(cs, k)
		}
		t.all = append(t.all, cs...)
		return cs
	}
	t.slow = add("train chain", chains)
	if o.Method == CAST {
		t.fast = newTempered(o.Cast, add("train fast chain", chains))
	}
	t.batch, t.chain = newPhase(images, t.sizes), newPhase(len(t.all), t.sizes)
	return t, nil
}

// set takes over the parameters of a machine of the same sizes.
func (t *DeepTrainer) set(m *boltzmann.Layered) {
	for l := range t.sizes {
		from, to := m.Layer(l)
		for k := from; k < to; k++ {
			t.b[l][k-from] = float32(m.Bias(k))
		}
		if l < len(t.w) {
			for i, x := range m.Weight(l).RawMatrix().Data {
				t.w[l].Data[i] = float32(x)
			}
		}
	}
}

// image writes the visible units of image i.
func (t *DeepTrainer) image(v []float32, i int) {
	bits := t.d.at(i)
	for k := range v {
		v[k] = float32(bits[k/64] >> (k % 64) & 1)
	}
}

// Updates is the number of updates from begin to end.
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
func (t *DeepTrainer) Machine() (*boltzmann.Layered, error) {
	if err := t.finite(); err != nil {
		return nil, err
	}
	var w []mat.Matrix
	var b [][]float64
	for l, x := range t.b {
		b = append(b, doubles(x))
		if l < len(t.w) {
			w = append(w, mat.NewDense(t.w[l].Rows, t.w[l].Cols, doubles(t.w[l].Data)))
		}
	}
	return boltzmann.NewLayered(w, b)
}

func (t *DeepTrainer) finite() error {
	for l, b := range t.b {
		x := b
		if l < len(t.w) {
			x = slices.Concat(b, t.w[l].Data)
		}
		for _, v := range x {
			if v-v != 0 {
				return errDiverged
			}
		}
	}
	return nil
}

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
	t.team = linalg.NewTeam(t.o.Parallel)
	defer func() {
		t.team.Close()
		t.team = nil
	}()
	for t.update < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.learn()
		if t.update%t.perEpoch == 0 || t.update == end {
			if err := t.finite(); err != nil {
				return err
			}
		}
		if t.o.OnProgress != nil {
			t.o.OnProgress(t.Progress())
		}
	}
	return nil
}

// learn is one update.
func (t *DeepTrainer) learn() {
	images := t.images()
	pos := t.batch.first(len(images))
	for r, i := range images {
		t.image(pos.z[0].Row(r), i)
	}
	t.infer(pos)
	neg, chains := t.chain, t.all
	if t.o.Method == CD {
		neg, chains = t.chain.first(len(images)), t.all[:len(images)]
		for l, z := range neg.z {
			copy(z.Data, pos.z[l].Data[:len(z.Data)])
		}
		if !t.o.Clamped {
			t.draw(neg, chains, neg.z, 1)
		}
	}
	for range t.o.Steps {
		t.sweep(neg, chains, 0)
		if t.fast != nil {
			t.fast.walk(t.update)
		}
	}
	t.apply(pos, neg)
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

// fields writes b_l + up·z_{l−1} W_{l−1} + W_l z_{l+1} of all rows, the last term if above is set.
func (t *DeepTrainer) fields(f *phase, l int, above bool, up float32) {
	x := f.field[l]
	for r := range f.rows {
		copy(x.Row(r), t.b[l])
	}
	if l > 0 {
		linalg.Gemm(t.team, false, false, up, f.z[l-1], t.w[l-1], 1, x)
	}
	if above && l+1 < len(t.sizes) {
		linalg.Gemm(t.team, false, true, 1, f.z[l+1], t.w[l], 1, x)
	}
}

// infer finds the hidden units of the positive phase, given the visible ones: one pass upwards,
// where what comes from below counts twice for layers that have one above, then sweeps.
func (t *DeepTrainer) infer(f *phase) {
	top := len(t.sizes) - 1
	for l := 1; l <= top; l++ {
		up := float32(2)
		if l == top {
			up = 1
		}
		t.fields(f, l, false, up)
		t.probabilities(f, l, nil)
		copy(f.z[l].Data, f.p[l].Data[:len(f.z[l].Data)])
	}
	if top == 1 && !t.o.Clamped {
		return // exact
	}
	if t.o.Clamped {
		chains := t.positive(f.rows)
		t.draw(f, chains, f.z, 1)
		for range t.o.Inference {
			t.sweep(f, chains, 1)
		}
		return
	}
	for range t.o.Inference {
		for parity := range 2 {
			for l := 1; l <= top; l++ {
				if l%2 != parity {
					t.fields(f, l, true, 1)
					t.probabilities(f, l, nil)
					copy(f.z[l].Data, f.p[l].Data[:len(f.z[l].Data)])
				}
			}
		}
	}
}

// positive are the generators of clamped sampling, one for every image of this update. They
// come from its number, so that a checkpoint need not have them.
func (t *DeepTrainer) positive(rows int) []*deepChain {
	cs := make([]*deepChain, rows)
	for r := range cs {
		cs[r] = &deepChain{walker: walker{beta: 1}, row: r}
		cs[r].s.Seed(rng.Stream(t.o.Seed, "train clamped", int(t.update), r).Uint64)
	}
	return cs
}

// probabilities are σ(β·field) of layer l; β = 1 without chains.
func (t *DeepTrainer) probabilities(f *phase, l int, chains []*deepChain) {
	beta := make([]float64, f.rows)
	for i := range beta {
		beta[i] = 1
	}
	for _, c := range chains {
		beta[c.row] = c.beta
	}
	t.team.Do(f.rows, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, p := f.field[l].Row(r), f.p[l].Row(r)
			for i, v := range x {
				p[i] = sigmoid(beta[r] * float64(v))
			}
		}
	})
}

// sigmoid is 1/(1 + e^{−x}).
func sigmoid(x float64) float32 { return float32(1 / (1 + math.Exp(-x))) }

// draw makes the units of layers from, from + 1, … states, on with probabilities p.
func (t *DeepTrainer) draw(f *phase, chains []*deepChain, p []linalg.Mat[float32], from int) {
	t.team.Do(len(chains), 8, func(lo, hi int) {
		for _, c := range chains[lo:hi] {
			for l := from; l < len(t.sizes); l++ {
				bernoulli(f.z[l].Row(c.row), p[l].Row(c.row), &c.s)
			}
		}
	})
}

// bernoulli draws units that are on with probability p, to 2⁻³²; z may be p.
func bernoulli(z, p []float32, s *gibbskernel.Streams) {
	var w [gibbskernel.Group]uint32
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

// sweep draws odd layers given even ones, then even ones ≥ from given odd ones, in all rows, and
// finds energies for CAST.
func (t *DeepTrainer) sweep(f *phase, chains []*deepChain, from int) {
	for parity := range 2 {
		for l := from; l < len(t.sizes); l++ {
			if l%2 == parity {
				continue
			}
			t.fields(f, l, true, 1)
			t.probabilities(f, l, chains)
		}
		t.team.Do(len(chains), 4, func(lo, hi int) {
			for _, c := range chains[lo:hi] {
				for l := from; l < len(t.sizes); l++ {
					if l%2 != parity {
						bernoulli(f.z[l].Row(c.row), f.p[l].Row(c.row), &c.s)
					}
				}
			}
		})
	}
	if t.fast == nil || from > 0 {
		return
	}
	// E = −Σ_even z_k field_k − Σ_odd b_k z_k.
	for _, c := range chains {
		c.energy = 0
		for l := range t.sizes {
			x := t.b[l]
			if l%2 == 0 {
				x = f.field[l].Row(c.row)
			}
			for i, z := range f.z[l].Row(c.row) {
				c.energy -= float64(z) * float64(x[i])
			}
		}
	}
}

// apply adds the step of an update.
func (t *DeepTrainer) apply(pos, neg *phase) {
	rate := float32(t.o.Rate.At(t.update, t.Updates()))
	momentum, decay := float32(t.o.Momentum), float32(t.o.Decay)
	// Rows of slow chains: with CAST they are scattered among all.
	rows := make([]int, 0, len(t.slow))
	for _, c := range t.slow {
		rows = append(rows, c.row)
	}
	if t.o.Method == CD {
		rows = rows[:neg.rows]
	}
	mean := make([]linalg.Mat[float32], len(t.sizes))
	for l := range mean {
		src := neg.z[l]
		if l%2 == 0 {
			src = neg.p[l]
		}
		mean[l] = src
		if t.fast != nil {
			mean[l] = linalg.NewMat[float32](len(rows), t.sizes[l])
			for i, r := range rows {
				copy(mean[l].Row(i), src.Row(r))
			}
		}
	}
	plus, minus := rate/float32(pos.rows), -rate/float32(len(rows))
	for l, w := range t.w {
		s := t.step[l]
		for i := range s.Data {
			s.Data[i] = momentum*s.Data[i] - rate*decay*w.Data[i]
		}
		linalg.Gemm(t.team, true, false, plus, pos.z[l], pos.z[l+1], 1, s)
		linalg.Gemm(t.team, true, false, minus, mean[l], mean[l+1], 1, s)
	}
	for l, b := range t.b {
		s := t.bias[l]
		for i := range s {
			s[i] *= momentum
		}
		linalg.SumRows(plus, pos.z[l], 1, s)
		linalg.SumRows(minus, mean[l], 1, s)
		linalg.Axpy(1, s, b)
	}
	for l, w := range t.w {
		linalg.Axpy(1, t.step[l].Data, w.Data)
	}
}

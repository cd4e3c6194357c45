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
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// EPOptions configures TrainEP. The zero value of each field but Rates is its default.
type EPOptions struct {
	Rates  []float64 // learning rates of W_1, …, W_N and their biases; required
	Epochs int       // default 25
	Batch  int       // default 20
	Beta   float64   // strength β of the nudge, its sign drawn for every batch; default 0.5
	Step   float64   // ε of Euler; default 0.5
	Free   int       // iterations of the free phase; default 20
	Nudged int       // iterations of the nudged phase; default 4

	// Consistency is the learning rate of the local rule (see Local) at the state that the free
	// phase ends in, for units whose drive is within Window, since a clipped unit far outside
	// does not care; default 0: none.
	Consistency float64
	Window      [2]float64 // default −0.2, 1.2

	// Start makes the start of free phases. Default: the state that the image was left in, 0 in
	// the first epoch.
	Start Initializer

	Seed    uint64 // epoch e draws from rng.Stream(Seed, "ep", e)
	Workers int    // share out matrix products; default GOMAXPROCS. It never changes the result.

	OnEpoch func(EPEpoch) // called after every epoch
}

// EPEpoch has means over the samples of an epoch, in the free phase before the batch was
// learned.
type EPEpoch struct {
	Epoch       int     // passes made
	Cost        float64 // |y − h_N|²
	Error       float64 // share of samples whose largest output is not that of the target
	Consistency float64 // Σ_k |e_k|², over units within Window
}

// EPResult is what TrainEP returns.
type EPResult struct {
	History []EPEpoch
	// Particles are the states that the images were left in; Stored starts from them.
	Particles State
}

func (o EPOptions) check(n *Network) (EPOptions, error) {
	set := func(x *int, v int) {
		if *x == 0 {
			*x = v
		}
	}
	set(&o.Epochs, 25)
	set(&o.Batch, 20)
	set(&o.Free, 20)
	set(&o.Nudged, 4)
	if o.Beta == 0 {
		o.Beta = .5
	}
	if o.Step == 0 {
		o.Step = .5
	}
	if o.Window == [2]float64{} {
		o.Window = [2]float64{-.2, 1.2}
	}
	var errs []error
	fail := func(format string, a ...any) { errs = append(errs, fmt.Errorf("feedforward: "+format, a...)) }
	if n.energy != Clipped {
		fail("equilibrium propagation in a %v network: must be Clipped", n.energy)
	}
	if len(o.Rates) != len(n.w) {
		fail("%d learning rates: must be %d, one for every layer above the input", len(o.Rates), len(n.w))
	}
	for k, r := range o.Rates {
		if !(r >= 0) || math.IsInf(r, 0) {
			fail("Rates[%d] = %v: must be finite and ≥ 0", k, r)
		}
	}
	for _, x := range []struct {
		name string
		v    int
	}{{"Epochs", o.Epochs}, {"Batch", o.Batch}, {"Free", o.Free}, {"Nudged", o.Nudged}} {
		if x.v < 0 || x.v > 1<<20 {
			fail("%s = %d: must be 1 to 2^20", x.name, x.v)
		}
	}
	if !(o.Beta > 0) || math.IsInf(o.Beta, 0) {
		fail("Beta = %v: must be finite and > 0; its sign is drawn", o.Beta)
	}
	if !(o.Step > 0 && o.Step <= 1) {
		fail("Step = %v: must be in (0, 1]", o.Step)
	}
	if !(o.Consistency >= 0) || math.IsInf(o.Consistency, 0) {
		fail("Consistency = %v: must be finite and ≥ 0", o.Consistency)
	}
	if !(o.Window[0] < o.Window[1]) {
		fail("Window = %v: must be an interval", o.Window)
	}
	if o.Workers < 0 {
		fail("Workers = %d: must be ≥ 0", o.Workers)
	}
	return o, errors.Join(errs...)
}

// TrainEP is equilibrium propagation (Scellier and Bengio 2017) in a Clipped network, with the
// schedule of its public code: a free phase to rest, a short phase in which the output is
// nudged towards the target by −β ∂C/∂h, C = |y − h_N|², and
//
//	dW_k = (η_k/β) (h_k^β h_{k−1}^βᵀ − h_k⁰ h_{k−1}⁰ᵀ) ,
//
// the mean over the batch. It makes no use of the feedforward condition and does not create
// it; Consistency adds the local rule that does. targets are B×n_N.
//
// If ctx ends or a number is not finite any more, the network is as it was after the last
// whole epoch, and the history ends there.
func TrainEP(ctx context.Context, n *Network, data, targets mat.Matrix, o EPOptions) (EPResult, error) {
	var res EPResult
	o, err := o.check(n)
	if err != nil {
		return res, err
	}
	in, err := n.input(data)
	if err != nil {
		return res, err
	}
	y, err := n.targets(targets, in.Rows)
	if err != nil {
		return res, err
	}
	team := linalg.NewTeam(o.Workers)
	defer team.Close()
	o.Batch = min(o.Batch, in.Rows)
	good := n.Clone()
	t := &epTrainer{n: n, o: o, team: team, x: in, y: y, particles: n.NewState(in.Rows), row: make([]float64, slices.Max(n.size))}
	if o.Consistency > 0 && n.td == nil {
		n.td = n.halves()
	}
	for e := range o.Epochs {
		ep, err := t.epoch(ctx, e)
		if err != nil {
			*n = *good
			return res, err
		}
		res.History = append(res.History, ep)
		res.Particles = t.particles
		good = n.Clone()
		if o.OnEpoch != nil {
			o.OnEpoch(ep)
		}
	}
	return res, nil
}

// targets are B×n_N finite numbers.
func (n *Network) targets(y mat.Matrix, rows int) (linalg.Mat[float64], error) {
	size := n.size[len(n.size)-1]
	if y == nil {
		return linalg.Mat[float64]{}, errors.New("feedforward: no targets")
	}
	if r, c := y.Dims(); r != rows || c != size {
		return linalg.Mat[float64]{}, fmt.Errorf("feedforward: targets are %d×%d: must be %d×%d", r, c, rows, size)
	}
	m := linalg.NewMat[float64](rows, size)
	for i := range rows {
		for j := range size {
			m.Data[i*size+j] = y.At(i, j)
		}
	}
	if i := notFinite(m.Data); i >= 0 {
		return m, fmt.Errorf("feedforward: target %d of sample %d is %v: must be finite", i%size, i/size, m.Data[i])
	}
	return m, nil
}

type epTrainer struct {
	n         *Network
	o         EPOptions
	team      *linalg.Team
	x, y      linalg.Mat[float64]
	particles State
	row       []float64
	sum       EPEpoch
}

func (t *epTrainer) epoch(ctx context.Context, epoch int) (EPEpoch, error) {
	r := rand.New(rng.Stream(t.o.Seed, "ep", epoch))
	order := r.Perm(t.x.Rows)
	t.sum = EPEpoch{Epoch: epoch + 1}
	w := newEPBatch(t.n, t.team, t.o.Batch)
	for lo := 0; lo < len(order); lo += t.o.Batch {
		if err := ctx.Err(); err != nil {
			return t.sum, err
		}
		batch := order[lo:min(lo+t.o.Batch, len(order))]
		if len(batch) != len(w.worst) {
			w = newEPBatch(t.n, t.team, len(batch))
		}
		if err := t.learn(w, batch, r); err != nil {
			return t.sum, err
		}
		if math.IsNaN(t.sum.Cost) {
			return t.sum, fmt.Errorf("feedforward: the cost is %v in batch %d of epoch %d: %w", t.sum.Cost, lo/t.o.Batch, epoch+1, dynamics.ErrDiverged)
		}
	}
	if err := t.n.validate(); err != nil {
		return t.sum, fmt.Errorf("feedforward: after epoch %d: %w: %w", epoch+1, dynamics.ErrDiverged, err)
	}
	c := 1 / float64(len(order))
	t.sum.Cost, t.sum.Error, t.sum.Consistency = t.sum.Cost*c, t.sum.Error*c, t.sum.Consistency*c
	return t.sum, nil
}

// epBatch is a batch with what its free phase ended in.
type epBatch struct {
	*work
	x    linalg.Mat[float64]
	free []linalg.Mat[float64]
	e    []linalg.Mat[float64]
}

func newEPBatch(n *Network, team *linalg.Team, rows int) *epBatch {
	w := &epBatch{work: newWork(n, team, rows), x: linalg.NewMat[float64](rows, n.size[0])}
	for _, size := range n.size[1:] {
		w.free = append(w.free, linalg.NewMat[float64](rows, size))
		w.e = append(w.e, linalg.NewMat[float64](rows, size))
	}
	w.target = linalg.NewMat[float64](rows, n.size[len(n.size)-1])
	return w
}

func (w *epBatch) run(iterations int, step float64) {
	for range iterations {
		for i := range w.h {
			w.drive(i)
		}
		w.euler(step)
	}
}

func (t *epTrainer) learn(w *epBatch, batch []int, r *rand.Rand) error {
	n := t.n
	for b, i := range batch {
		copy(w.x.Row(b), t.x.Row(i))
		copy(w.target.Row(b), t.y.Row(i))
		for k, m := range t.particles {
			copy(w.h[k].Row(b), m.RawRowView(i))
		}
	}
	w.clamp(w.x)
	if t.o.Start != nil {
		s, err := t.o.Start.Init(n, mat.NewDense(w.x.Rows, w.x.Cols, w.x.Data), rand.NewPCG(r.Uint64(), r.Uint64()))
		if err != nil {
			return err
		}
		w.set(s)
	}
	w.beta = 0
	w.run(t.o.Free, t.o.Step)
	t.score(w)
	for b, i := range batch {
		for k, m := range t.particles {
			copy(m.RawRowView(i), w.h[k].Row(b))
		}
	}
	t.rest(w, 1, r)
	return nil
}

// rest is what follows a free phase: the nudged one, and learning, with rates times factor.
func (t *epTrainer) rest(w *epBatch, factor float64, r *rand.Rand) {
	n := t.n
	for k := range w.h {
		copy(w.free[k].Data, w.h[k].Data)
	}
	if t.o.Consistency > 0 {
		t.branches(w)
	}
	w.beta = t.o.Beta
	if r.Uint64()>>63 == 1 {
		w.beta = -w.beta
	}
	w.run(t.o.Nudged, t.o.Step)
	for k := range w.h {
		rate := factor * t.o.Rates[k] / w.beta / float64(len(w.worst))
		below0, below := w.x, w.x
		if k > 0 {
			below0, below = w.free[k-1], w.h[k-1]
		}
		linalg.Gemm(t.team, true, false, rate, w.h[k], below, 1, n.w[k])
		linalg.Gemm(t.team, true, false, -rate, w.free[k], below0, 1, n.w[k])
		db := t.row[:n.size[k+1]]
		linalg.SumRows(rate, w.h[k], 0, db)
		linalg.SumRows(-rate, w.free[k], 1, db)
		linalg.Axpy(1, db, n.b[k])
		if n.td != nil && k < len(n.td) {
			linalg.Axpy(.5, db, n.td[k]) // the branches share what both want
		}
	}
	if t.o.Consistency > 0 {
		t.apply(w, factor)
	}
}

// score adds up cost and errors of the free phase.
func (t *epTrainer) score(w *epBatch) {
	top := w.h[len(w.h)-1]
	for b := range w.worst {
		h, y := top.Row(b), w.target.Row(b)
		for j, x := range y {
			t.sum.Cost += (x - h[j]) * (x - h[j])
		}
		if argmax(h) != argmax(y) {
			t.sum.Error++
		}
	}
}

// argmax is the index of the first largest entry.
func argmax(x []float64) int {
	k := 0
	for i, v := range x {
		if v > x[k] {
			k = i
		}
	}
	return k
}

// branches computes the differences of the branches in the free state.
func (t *epTrainer) branches(w *epBatch) {
	n := t.n
	for i := range len(w.h) - 1 {
		w.up(i, w.e[i])
		w.drive(i)
		for b := range w.worst {
			e, a := w.e[i].Row(b), w.a[i].Row(b)
			for j, td := range n.td[i] {
				if a[j] < t.o.Window[0] || a[j] > t.o.Window[1] {
					e[j] = 0
					continue
				}
				e[j] = 2*(e[j]-td) - a[j]
				t.sum.Consistency += e[j] * e[j]
			}
		}
	}
}

// apply makes the step of the local rule.
func (t *epTrainer) apply(w *epBatch, factor float64) {
	n := t.n
	rate := factor * t.o.Consistency / float64(len(w.worst))
	for i := range len(w.h) - 1 {
		below := w.x
		if i > 0 {
			below = w.free[i-1]
		}
		linalg.Gemm(t.team, true, false, -rate, w.e[i], below, 1, n.w[i])
		linalg.Gemm(t.team, true, false, rate, w.free[i+1], w.e[i], 1, n.w[i+1])
		// b^bu loses what b^td gains: their sum stays.
		linalg.SumRows(rate, w.e[i], 1, n.td[i])
	}
}

// Accuracy is the share of samples whose largest unit of the top layer is that of the target.
func Accuracy(s State, targets mat.Matrix) (float64, error) {
	rows := s.Rows()
	if rows == 0 || targets == nil {
		return 0, errors.New("feedforward: accuracy of no samples")
	}
	top := s[len(s)-1]
	r, c := targets.Dims()
	if _, cols := top.Dims(); r != rows || c != cols {
		return 0, fmt.Errorf("feedforward: targets are %d×%d: must be %d×%d", r, c, rows, cols)
	}
	right := 0
	for b := range rows {
		if argmax(top.RawRowView(b)) == argmax(mat.Row(nil, b, targets)) {
			right++
		}
	}
	return float64(right) / float64(rows), nil
}

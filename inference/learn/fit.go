package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Options configures Fit. The zero value of each field but Epochs is its default.
type Options struct {
	Epochs int // passes over the data; required
	Batch  int // pairs presented at a time; default 1. The last batch of an epoch has the rest.

	// Order says which pairs are shown in epoch e = 0, 1, … and in which order: default all,
	// in an order drawn from rng.Stream(Seed, "order", e).
	Order func(epoch int) []int `json:"-"`
	Seed  uint64

	// Rate, if set, is the factor of the learning rates in epoch e = 0, 1, …; the learner must
	// be Rated.
	Rate func(epoch int) float64 `json:"-"`

	// Validation, if set, is evaluated after every Every epochs (default 1) and after the last.
	Validation Dataset `json:"-"`
	Every      int
	// EvalBatch is the number of pairs of an evaluation's batches; default Batch.
	EvalBatch int

	// Checkpoint, if set, is a file that is written after every epoch; at any time it is the
	// old one or the whole new one. If it exists, Fit goes on from it, bit for bit, provided
	// that it was made with the same options (Epochs may have grown) and data of the same size.
	// The history keeps the evaluation after what was the last epoch.
	Checkpoint string `json:"-"`
	// OnEpoch, if set, is called after every epoch.
	OnEpoch func(Epoch) `json:"-"`
}

// Epoch is what is known after a pass over the data.
type Epoch struct {
	Epoch int // passes made
	// Validation is nil if this epoch was not evaluated.
	Validation *Score `json:",omitempty"`
}

// History is one Epoch for every pass.
type History []Epoch

// Last is the last evaluation; the zero Score and false if there was none.
func (h History) Last() (Score, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if v := h[i].Validation; v != nil {
			return *v, true
		}
	}
	return Score{}, false
}

// StoppedError says how far Fit came. The learner is as after the last whole epoch.
type StoppedError struct {
	Epoch      int    // whole passes made
	Batch      int    // batch of the next pass that failed, from 0
	Checkpoint string // the file that holds the last good state; empty if none was asked for
	Err        error  // why

	lost bool // the learner could not be put back
}

// Error names the place, the reason and the checkpoint.
func (e *StoppedError) Error() string {
	where := "the learner is as it was after that"
	if e.Checkpoint != "" {
		where = "the state after that is in " + e.Checkpoint
	} else if e.lost {
		where = "the learner could not be put back to it"
	}
	return fmt.Sprintf("learn: stopped in batch %d after %d epochs (%s): %v", e.Batch, e.Epoch, where, e.Err)
}

// Unwrap is the reason, such as a *dynamics.DivergedError or the context's error.
func (e *StoppedError) Unwrap() error { return e.Err }

// Fit shows the data to the learner, pass after pass. When ctx ends, or the learner fails
// (because its state is not finite any more, say), Fit puts the learner back to where it was
// after the last whole epoch and returns the history so far with a *StoppedError.
func Fit(ctx context.Context, l Learner, d Dataset, o Options) (History, error) {
	o, err := o.check(l, d)
	if err != nil {
		return nil, err
	}
	f := &fit{l: l, d: d, o: o, n: d.Len()}
	f.in, f.out = d.Dims()
	f.x, f.y = make([]float64, o.Batch*f.in), make([]float64, o.Batch*f.out)
	if o.Checkpoint != "" {
		if err := f.load(); err != nil {
			return nil, err
		}
		if n := len(f.history); n > o.Epochs {
			return nil, fmt.Errorf("learn: Epochs = %d: must be at least the %d of checkpoint %s", o.Epochs, n, o.Checkpoint)
		}
	}
	if f.good, err = l.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	for e := len(f.history); e < o.Epochs; e++ {
		batch, err := f.epoch(ctx, e)
		if err != nil {
			stopped := &StoppedError{Epoch: e, Batch: batch, Err: err}
			if o.Checkpoint != "" && e > 0 {
				stopped.Checkpoint = o.Checkpoint
			}
			if back := l.UnmarshalBinary(f.good); back != nil {
				stopped.Err, stopped.lost = errors.Join(err, back), true
			}
			return f.history, stopped
		}
	}
	return f.history, nil
}

type fit struct {
	l       Learner
	d       Dataset
	o       Options
	n       int
	in, out int
	x, y    []float64
	history History
	good    []byte // the learner after the last whole epoch
}

func (o Options) check(l Learner, d Dataset) (Options, error) {
	if l == nil || d == nil {
		return o, errors.New("learn: learner or data is nil: both must be there")
	}
	if err := fits("data", l, d); err != nil {
		return o, err
	}
	if o.Epochs < 1 {
		return o, fmt.Errorf("learn: Epochs = %d: must be ≥ 1", o.Epochs)
	}
	if o.Batch == 0 {
		o.Batch = 1
	}
	if o.Every == 0 {
		o.Every = 1
	}
	if o.EvalBatch == 0 {
		o.EvalBatch = o.Batch
	}
	if o.Batch < 0 || o.Every < 0 || o.EvalBatch < 0 {
		return o, fmt.Errorf("learn: Batch = %d, Every = %d, EvalBatch = %d: must be ≥ 1 (0: default)", o.Batch, o.Every, o.EvalBatch)
	}
	if o.Validation != nil {
		if err := fits("validation data", l, o.Validation); err != nil {
			return o, err
		}
	}
	if _, ok := l.(Rated); o.Rate != nil && !ok {
		return o, errors.New("learn: Rate is set, but the learner has no learning rates to scale")
	}
	return o, nil
}

// fits reports an error unless the data have pairs of the learner's lengths.
func fits(what string, l Learner, d Dataset) error {
	in, out := l.Dims()
	if i, o := d.Dims(); i != in || o != out {
		return fmt.Errorf("learn: %s has inputs of %d and targets of %d: must be %d and %d, as the learner's", what, i, o, in, out)
	}
	if d.Len() < 1 {
		return fmt.Errorf("learn: %s has no pairs: must have one", what)
	}
	return nil
}

// epoch makes pass e and returns the batch it failed in.
func (f *fit) epoch(ctx context.Context, e int) (batch int, err error) {
	order, err := f.order(e)
	if err != nil {
		return 0, err
	}
	if f.o.Rate != nil {
		if err := f.l.(Rated).SetRate(f.o.Rate(e)); err != nil {
			return 0, err
		}
	}
	for ; len(order) > 0; batch++ {
		if err := ctx.Err(); err != nil {
			return batch, err
		}
		k := min(f.o.Batch, len(order))
		x, y := f.x[:k*f.in], f.y[:k*f.out]
		for b, i := range order[:k] {
			f.d.Pair(i, x[b*f.in:(b+1)*f.in], y[b*f.out:(b+1)*f.out])
		}
		if err := f.l.Learn(x, y); err != nil {
			return batch, err
		}
		order = order[k:]
	}
	row := Epoch{Epoch: e + 1}
	if v := f.o.Validation; v != nil && ((e+1)%f.o.Every == 0 || e+1 == f.o.Epochs) {
		s, err := Evaluate(ctx, f.l, v, f.o.EvalBatch)
		if err != nil {
			return batch, err
		}
		row.Validation = &s
	}
	good, err := f.l.MarshalBinary()
	if err != nil {
		return batch, err
	}
	history := append(f.history, row)
	if f.o.Checkpoint != "" {
		if err := f.save(good, history); err != nil {
			return batch, err
		}
	}
	f.good, f.history = good, history
	if f.o.OnEpoch != nil {
		f.o.OnEpoch(row)
	}
	return batch, nil
}

func (f *fit) order(e int) ([]int, error) {
	if f.o.Order == nil {
		return rand.New(rng.Stream(f.o.Seed, "order", e)).Perm(f.n), nil
	}
	order := f.o.Order(e)
	for _, i := range order {
		if i < 0 || i >= f.n {
			return nil, fmt.Errorf("learn: Order(%d) has pair %d: must be 0 to %d", e, i, f.n-1)
		}
	}
	return order, nil
}

// Score is how well outputs meet targets.
type Score struct {
	// Loss is the mean over pairs of ½|target − output|².
	Loss float64
	// Accuracy is the share of pairs whose largest output is where the largest target is (the
	// first of equals): the accuracy of a classifier with one-hot targets. A single output is
	// right on its side of ½.
	Accuracy float64
	N        int // pairs
}

// Evaluate shows the inputs without targets, batch pairs at a time (0: one), and compares.
func Evaluate(ctx context.Context, l Learner, d Dataset, batch int) (Score, error) {
	if l == nil || d == nil {
		return Score{}, errors.New("learn: learner or data is nil: both must be there")
	}
	if err := fits("data", l, d); err != nil {
		return Score{}, err
	}
	if batch < 0 {
		return Score{}, fmt.Errorf("learn: batch = %d: must be ≥ 1 (0: one)", batch)
	}
	batch = max(batch, 1)
	in, out := l.Dims()
	n := d.Len()
	x, y, got := make([]float64, batch*in), make([]float64, batch*out), make([]float64, batch*out)
	s := Score{N: n}
	right := 0
	for i := 0; i < n; i += batch {
		if err := ctx.Err(); err != nil {
			return Score{}, err
		}
		k := min(batch, n-i)
		for b := range k {
			d.Pair(i+b, x[b*in:(b+1)*in], y[b*out:(b+1)*out])
		}
		if err := l.Predict(got[:k*out], x[:k*in]); err != nil {
			return Score{}, err
		}
		for b := range k {
			want, have := y[b*out:(b+1)*out], got[b*out:(b+1)*out]
			for j, v := range want {
				s.Loss += (v - have[j]) * (v - have[j]) / 2
			}
			if Winner(want) == Winner(have) {
				right++
			}
		}
	}
	s.Loss /= float64(n)
	s.Accuracy = float64(right) / float64(n)
	if math.IsNaN(s.Loss) || math.IsInf(s.Loss, 0) {
		return s, fmt.Errorf("learn: the loss is %v: outputs and targets must be finite", s.Loss)
	}
	return s, nil
}

// Winner is the index of the largest entry, the first of equals; of a single one, 1 if it is
// above ½, else 0.
func Winner(x []float64) int {
	if len(x) == 1 {
		if x[0] > 0.5 {
			return 1
		}
		return 0
	}
	best := 0
	for j, v := range x {
		if v > x[best] {
			best = j
		}
	}
	return best
}

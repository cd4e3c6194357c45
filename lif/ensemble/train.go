package ensemble

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// TrainOptions say how an ensemble learns. The zero value of each field is its default.
type TrainOptions struct {
	Steps    int     // default 300
	Duration float64 // biological time of each step [ms]; default 5000
	// Rate and Decay: step s of S learns with η = Rate/(1 + Decay·s/S); default 1 and 4. A
	// constant rate, Decay < 0, keeps the noise of the last step.
	Rate, Decay float64
	// Done is how many of the steps were done before, of a training that is taken up again.
	Done   int
	Warmup float64 // before step 0 [ms]; default 1000
	// Data, if set, are the targets instead of the machines: patterns[m] are those of
	// network m, of its units 0 to v−1, v the length of a pattern. The units above are
	// hidden: their statistics come from a wake phase with the others held at the patterns
	// in turn.
	Data [][][]uint8
	// Present and Settle: a wake phase shows each pattern for Present, of which the first
	// Settle is not counted [ms]; default 100 and 30.
	Present, Settle float64
	// Clip takes every bit of the targets as flipped with that probability, 0 to 0.5. A
	// target with a unit that is always on or off asks for infinite biases and needs it.
	Clip float64
	// Plastic says whether network m learns the coupling between its units i < j; default
	// all. A coupling that is not learnt stays.
	Plastic func(m, i, j int) bool
	// OnStep is told about every step, after it; an error ends the training. The ensemble may
	// be marshalled in it.
	OnStep func(Step) error
}

// Step is what happened in a step of training.
type Step struct {
	Step int     // from 0
	Rate float64 // η
	// RMS is the root mean square difference between wanted and sampled ⟨z_i⟩ and ⟨z_i z_j⟩.
	RMS float64
	Bio float64 // biological time at its end [ms]
}

// History is the course of a training.
type History struct {
	Steps []Step
	Done  int // steps done, those before this call too
	// Warnings name options that are allowed but hardly right.
	Warnings []string
}

func (o TrainOptions) withDefaults() TrainOptions {
	def := func(x *float64, v float64) {
		if *x == 0 {
			*x = v
		}
	}
	if o.Steps == 0 {
		o.Steps = 300
	}
	def(&o.Duration, 5000)
	def(&o.Rate, 1)
	def(&o.Decay, 4)
	def(&o.Warmup, 1000)
	def(&o.Present, 100)
	def(&o.Settle, 30)
	o.Decay = math.Max(0, o.Decay)
	return o
}

func (o TrainOptions) check(tauRef float64) error {
	var errs []error
	fail := func(format string, a ...any) { errs = append(errs, fmt.Errorf("ensemble: "+format, a...)) }
	if o.Steps < 1 || o.Done < 0 || o.Done > o.Steps {
		fail("Steps = %d, Done = %d: must be 0 ≤ Done ≤ Steps, Steps ≥ 1", o.Steps, o.Done)
	}
	if !(o.Duration >= 10*tauRef) || math.IsInf(o.Duration, 0) {
		fail("Duration = %v ms of a step: must be finite and at least 10 refractory times", o.Duration)
	}
	if !(o.Rate > 0) || math.IsInf(o.Rate, 0) || math.IsNaN(o.Decay) || math.IsInf(o.Decay, 0) {
		fail("Rate = %v, Decay = %v: must be finite, Rate > 0", o.Rate, o.Decay)
	}
	if !(o.Warmup >= 0) || math.IsInf(o.Warmup, 0) {
		fail("Warmup = %v ms: must be finite and ≥ 0", o.Warmup)
	}
	if !(o.Settle >= 0 && o.Present > o.Settle) || math.IsInf(o.Present, 0) {
		fail("Present = %v ms, Settle = %v ms: must be 0 ≤ Settle < Present", o.Present, o.Settle)
	}
	if !(o.Clip >= 0 && o.Clip < 0.5) {
		fail("Clip = %v: must be 0 to 0.5", o.Clip)
	}
	return errors.Join(errs...)
}

// Train lets all networks learn at once: after every step
//
//	ΔW_ij = η(⟨z_i z_j⟩_target − ⟨z_i z_j⟩_sampled),  Δb_i = η(⟨z_i⟩_target − ⟨z_i⟩_sampled),
//
// the gradient of the log likelihood of what is visible. With hidden units (Data) the first
// means are those of a wake phase, in which one half of the networks sees its patterns while
// the other sleeps; then they change places, so that a step takes two Durations.
//
// Training goes on from the state that the ensemble is in, which must have been Reset.
// When ctx ends, or the ensemble dies, it is put back to the end of the last whole step: with
// MarshalBinary, UnmarshalBinary and Done a training can be taken up again, bit for bit.
func (e *Ensemble) Train(ctx context.Context, o TrainOptions) (*History, error) {
	o = o.withDefaults()
	tauRef := e.opt.Setup.Neuron.TauRef
	if err := o.check(tauRef); err != nil {
		return nil, err
	}
	t, err := e.newTraining(o)
	if err != nil {
		return nil, err
	}
	h := &History{Done: o.Done}
	if o.Duration < 100*tauRef {
		h.Warnings = append(h.Warnings, fmt.Sprintf("Duration = %v ms of a step is below 100 refractory times: correlations are hardly seen", o.Duration))
	}
	before, err := e.MarshalBinary()
	if err != nil {
		return nil, err
	}
	if o.Done == 0 && o.Warmup > 0 {
		if err := e.run(ctx, o.Warmup, nil); err != nil {
			return h, errors.Join(err, e.UnmarshalBinary(before))
		}
	}
	for s := o.Done; s < o.Steps; s++ {
		if s > o.Done {
			if before, err = e.MarshalBinary(); err != nil {
				return h, err
			}
		}
		eta := o.Rate / (1 + o.Decay*float64(s)/float64(o.Steps))
		rms, err := t.step(ctx, s, eta)
		if err != nil {
			return h, errors.Join(err, e.UnmarshalBinary(before))
		}
		h.Done = s + 1
		h.Steps = append(h.Steps, Step{s, eta, rms, e.Time()})
		if o.OnStep != nil {
			if err := o.OnStep(h.Steps[len(h.Steps)-1]); err != nil {
				return h, err
			}
		}
	}
	return h, nil
}

// target is what a network learns.
type target struct {
	patterns  [][]uint8 // only with hidden units
	visible   int
	mean      []float64 // of the visible units
	second    []float64 // n×n, of the visible units
	wakeMean  []float64 // of this step, all units
	wakeTimes float64
	wake      []float64 // n×n
}

type training struct {
	e       *Ensemble
	o       TrainOptions
	targets []*target
	hidden  bool
}

func (e *Ensemble) newTraining(o TrainOptions) (*training, error) {
	t := &training{e: e, o: o}
	if o.Data != nil && len(o.Data) != e.proper {
		return nil, fmt.Errorf("ensemble: Data of %d networks for %d: must be as many", len(o.Data), e.proper)
	}
	var errs []error
	for m, n := range e.nets[:e.proper] {
		var tg *target
		var err error
		if o.Data == nil {
			tg, err = exactTarget(n.target)
		} else {
			tg, err = dataTarget(o.Data[m], n.n)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("ensemble: target of network %d: %w", m, err))
			continue
		}
		if n.held {
			errs = append(errs, fmt.Errorf("ensemble: network %d has units that are held: must have none to learn", m))
		}
		if tg.patterns != nil {
			t.hidden = true
			tg.wakeMean, tg.wake = make([]float64, n.n), make([]float64, n.n*n.n)
		}
		for k, p := range tg.mean {
			if q := clip(p, o.Clip); q <= 0 || q >= 1 {
				errs = append(errs, fmt.Errorf("ensemble: target of network %d: unit %d is on with probability %v: asks for an infinite bias, set Clip", m, k, p))
			}
		}
		t.targets = append(t.targets, tg)
	}
	return t, errors.Join(errs...)
}

// clip is a probability after flips with probability x.
func clip(p, x float64) float64 { return p + x*(1-2*p) }

// clip2 is the probability that both of two units are on after flips with probability x.
func clip2(both, p, q, x float64) float64 {
	y := 1 - 2*x
	return y*y*both + x*y*(p+q) + x*x
}

func exactTarget(m *boltzmann.Machine) (*target, error) {
	x, err := boltzmann.Enumerate(m)
	if err != nil {
		return nil, fmt.Errorf("%w; larger networks learn from Data", err)
	}
	n := m.Dim()
	t := &target{visible: n, mean: x.Mean, second: make([]float64, n*n)}
	for i := range n {
		for j := range n {
			t.second[i*n+j] = x.Second.At(i, j)
		}
	}
	return t, nil
}

func dataTarget(patterns [][]uint8, n int) (*target, error) {
	if len(patterns) == 0 {
		return nil, errors.New("no patterns")
	}
	v := len(patterns[0])
	if v < 1 || v > n {
		return nil, fmt.Errorf("pattern of %d units for %d: must be 1 to that", v, n)
	}
	t := &target{visible: v, mean: make([]float64, v), second: make([]float64, n*n)}
	each := 1 / float64(len(patterns))
	for i, z := range patterns {
		if err := sampling.CheckState(z, v); err != nil {
			return nil, fmt.Errorf("pattern %d: %w", i, err)
		}
		for k := range v {
			if z[k] == 0 {
				continue
			}
			t.mean[k] += each
			for j := range v {
				t.second[k*n+j] += each * float64(z[j])
			}
		}
	}
	for k, p := range t.mean { // sums of rounded shares
		t.mean[k] = math.Min(p, 1)
	}
	if v < n {
		t.patterns = patterns
	}
	return t, nil
}

// step samples, and changes the parameters.
func (t *training) step(ctx context.Context, s int, eta float64) (rms float64, err error) {
	e := t.e
	sleep := make([]*estimate.Moments, e.proper)
	for m := range sleep {
		sleep[m] = estimate.NewMoments(e.nets[m].n)
	}
	if !t.hidden {
		if err := t.run(ctx, t.o.Duration, func(int) sampling.Recorder { return nil }, sleep, -1); err != nil {
			return 0, err
		}
	} else if err := t.halves(ctx, s, sleep); err != nil {
		return 0, err
	}
	sum, count := 0.0, 0.0
	for m, n := range e.nets[:e.proper] {
		mean, second := sleep[m].Mean(), sleep[m].Second()
		for i := range n.n {
			d := t.wanted(m, i) - mean[i]
			n.b[i] += eta * d
			sum, count = sum+d*d, count+1
			for j := range i {
				if t.o.Plastic != nil && !t.o.Plastic(m, j, i) {
					continue
				}
				d := t.wanted2(m, i, j) - second.At(i, j)
				n.w[i*n.n+j] += eta * d
				n.w[j*n.n+i] = n.w[i*n.n+j]
				sum, count = sum+d*d, count+1
			}
		}
	}
	return math.Sqrt(sum / count), e.apply()
}

// wanted is the target of ⟨z_i⟩ in network m.
func (t *training) wanted(m, i int) float64 {
	g := t.targets[m]
	if i < g.visible {
		return clip(g.mean[i], t.o.Clip)
	}
	return g.wakeMean[i] / g.wakeTimes
}

// wanted2 is the target of ⟨z_i z_j⟩.
func (t *training) wanted2(m, i, j int) float64 {
	g, n := t.targets[m], t.e.nets[m].n
	if i < g.visible && j < g.visible {
		return clip2(g.second[i*n+j], g.mean[i], g.mean[j], t.o.Clip)
	}
	both := g.wake[i*n+j] / g.wakeTimes
	if j < g.visible {
		i, j = j, i
	}
	if i < g.visible { // only the visible one is flipped
		return both + t.o.Clip*(g.wakeMean[j]/g.wakeTimes-2*both)
	}
	return both
}

// run records the sleep of all networks but those with parity awake.
func (t *training) run(ctx context.Context, d float64, other func(m int) sampling.Recorder, sleep []*estimate.Moments, awake int) error {
	recs := make([]sampling.Recorder, len(sleep))
	for m := range recs {
		if t.awake(m, awake) {
			recs[m] = other(m)
		} else {
			recs[m] = sleep[m]
		}
	}
	return t.e.run(ctx, d, t.e.Split(recs...))
}

// awake reports whether network m sees its patterns while those of that parity do.
func (t *training) awake(m, parity int) bool { return m%2 == parity && t.targets[m].patterns != nil }

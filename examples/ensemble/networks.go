package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/lif/ensemble"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// divergence is D(sampled‖target), the median over networks [nats].
type divergence struct {
	Poisson   float64 `json:"poisson"` // independent Poisson noise, published translation
	Untrained float64 `json:"ensemble_untrained"`
	Trained   float64 `json:"ensemble_trained"`
	NewKick   float64 `json:"ensemble_new_kick"` // trained weights, another first state
	Worst     float64 `json:"ensemble_trained_worst"`
	Floor     float64 `json:"floor"` // of exact samples of that time
}

// point of the learning curve.
type point struct{ t, median, lo, hi, floor float64 }

// shifts are learnt changes of couplings and what the theory makes of measured correlations.
type shifts struct {
	learnt, theory []float64
	r              float64
}

// counted counts the numbers drawn from a source.
type counted struct {
	rand.Source
	n int64
}

func (c *counted) Uint64() uint64 {
	c.n++
	return c.Source.Uint64()
}

// started is an ensemble that has had its kick, with the sources it might draw from, whose
// counts begin now.
func started(machines []*boltzmann.Machine, o ensemble.Options, seed uint64, name string) (*ensemble.Ensemble, []*counted, error) {
	wiring := &counted{Source: rng.Stream(seed, name+" wiring")}
	kick := &counted{Source: rng.Stream(seed, name+" kick")}
	o.Wiring = wiring
	e, err := ensemble.New(machines, o)
	if err != nil {
		return nil, nil, err
	}
	if err := e.Reset(nil, kick); err != nil {
		return nil, nil, err
	}
	wiring.n, kick.n = 0, 0
	return e, []*counted{wiring, kick}, nil
}

// target is a machine with W and b of 1.2(Beta(½,½) − ½).
func target(seed uint64, name string, i, n int) (*boltzmann.Machine, error) {
	r := rand.New(rng.Stream(seed, name, i))
	draw := func() float64 {
		s := math.Sin(math.Pi / 2 * r.Float64())
		return 1.2 * (s*s - 0.5)
	}
	w, b := mat.NewSymDense(n, nil), make([]float64, n)
	for i := range n {
		b[i] = draw()
		for j := range i {
			w.SetSym(i, j, draw())
		}
	}
	return boltzmann.New(w, b)
}

func targets(seed uint64, name string, m, n int) ([]*boltzmann.Machine, error) {
	list := make([]*boltzmann.Machine, m)
	for i := range list {
		var err error
		if list[i], err = target(seed, name, i, n); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// summary is median, smallest and largest.
func summary(v []estimate.Value) (median, lo, hi float64) {
	x := make([]float64, len(v))
	for i := range v {
		x[i] = v[i].X
	}
	slices.Sort(x)
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2, x[0], x[len(x)-1]
}

// warmup before a measurement [ms].
const warmup = 1000

// ensemble is the experiment with mutual noise.
func (f flags) ensemble(ctx context.Context, res *result, report func(done, total float64)) error {
	machines, err := targets(f.seed, "target", f.networks, f.units)
	if err != nil {
		return err
	}
	e, sources, err := started(machines, ensemble.Options{KExc: f.fan / 2, KInh: f.fan / 2}, f.seed, "ensemble")
	if err != nil {
		return err
	}
	d := &divergence{}
	work := 0.0
	total := float64(f.steps)*f.step + 4*f.duration
	tick := func(dt float64) { work += dt; report(work, total) }
	measure := func() ([]estimate.Value, error) {
		v, err := e.DKL(ctx, sampling.Schedule{Warmup: warmup, Duration: f.duration})
		tick(f.duration)
		res.BioMS += warmup + f.duration
		return v, err
	}
	v, err := measure()
	if err != nil {
		return err
	}
	d.Untrained, _, _ = summary(v)
	for _, x := range v {
		d.Floor += x.Floor / float64(len(v))
	}

	// The divergence on the way: from short samples, at steps a factor of 1.5 apart.
	next := 1
	curve := func(s ensemble.Step) error {
		tick(f.step)
		if s.Step+1 < next && s.Step+1 < f.steps {
			return nil
		}
		next += next/2 + 1
		part := math.Min(f.duration, 2e4)
		v, err := e.DKL(ctx, sampling.Schedule{Duration: part})
		if err != nil {
			return err
		}
		res.BioMS += part
		p := point{t: float64(s.Step+1) * f.step}
		p.median, p.lo, p.hi = summary(v)
		for _, x := range v {
			p.floor += x.Floor / float64(len(v))
		}
		res.curve = append(res.curve, p)
		return nil
	}
	h, err := e.Train(ctx, ensemble.TrainOptions{Steps: f.steps, Duration: f.step, OnStep: curve})
	if h != nil {
		res.BioMS += float64(h.Done) * f.step
	}
	if err != nil {
		return err
	}
	if v, err = measure(); err != nil {
		return err
	}
	d.Trained, _, d.Worst = summary(v)
	if err := f.learnt(ctx, e, res); err != nil {
		return err
	}
	for _, s := range sources {
		res.count(s.n)
	}

	if err := e.Reset(nil, rng.Stream(f.seed, "another kick")); err != nil {
		return err
	}
	if v, err = measure(); err != nil {
		return err
	}
	d.NewKick, _, _ = summary(v)
	res.Spikes = fmt.Sprintf("%016x", e.Fingerprint())

	reference := make([]estimate.Value, len(machines))
	for i, m := range machines {
		s, err := lif.NewSampler(m, lif.TutorialCUBA(), lif.Options{Translation: lif.Published})
		if err != nil {
			return err
		}
		if err := s.Reset(nil, rng.Stream(f.seed, "poisson", i)); err != nil {
			return err
		}
		units := make([]int, f.units)
		for k := range units {
			units[k] = k
		}
		j, err := estimate.NewJoint(units...)
		if err != nil {
			return err
		}
		if err := sampling.Run(ctx, s, sampling.Schedule{Warmup: warmup, Duration: f.duration}, j); err != nil {
			return err
		}
		p, err := boltzmann.Joint(m)
		if err != nil {
			return err
		}
		if reference[i], err = j.DKL(p); err != nil {
			return err
		}
		tick(f.duration / float64(len(machines)))
	}
	d.Poisson, _, _ = summary(reference)
	res.DKL = d
	return nil
}

// learnt compares what the couplings have learnt with the shift by the noise's correlations.
func (f flags) learnt(ctx context.Context, e *ensemble.Ensemble, res *result) error {
	states := estimate.NewMoments(e.Dim())
	if err := sampling.Run(ctx, e, sampling.Schedule{Duration: f.duration}, states); err != nil {
		return err
	}
	res.BioMS += f.duration
	cov := states.Cov()
	for m := range e.Networks() {
		rho, err := e.NoiseCorrelation(m, cov)
		if err != nil {
			return err
		}
		dW, _, err := ensemble.EquivalentShift(rho)
		if err != nil {
			return err
		}
		now, err := e.Machine(m)
		if err != nil {
			return err
		}
		for i := range now.Dim() {
			for j := range i {
				res.shift.learnt = append(res.shift.learnt, now.Weight(i, j)-e.Target(m).Weight(i, j))
				res.shift.theory = append(res.shift.theory, -dW.At(i, j))
			}
		}
	}
	res.shift.r = stat.Correlation(res.shift.learnt, res.shift.theory, nil)
	return nil
}

package ensemble

import (
	"context"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// Joints runs the ensemble and returns the sampled joint law of every network, each of at
// most 20 units. When ctx ends they are what was recorded so far.
func (e *Ensemble) Joints(ctx context.Context, s sampling.Schedule) ([]*estimate.Joint, error) {
	joints, recs := make([]*estimate.Joint, e.proper), make([]sampling.Recorder, e.proper)
	for m, n := range e.nets[:e.proper] {
		j, err := estimate.NewJoint(span(0, n.n)...)
		if err != nil {
			return nil, err
		}
		joints[m], recs[m] = j, j
	}
	err := sampling.Run(ctx, e, s, e.Split(recs...))
	return joints, err
}

// DKL runs the ensemble and returns D(sampled‖target) of every network [nats].
func (e *Ensemble) DKL(ctx context.Context, s sampling.Schedule) ([]estimate.Value, error) {
	joints, err := e.Joints(ctx, s)
	if err != nil {
		return nil, err
	}
	d := make([]estimate.Value, e.proper)
	for m := range d {
		p, err := boltzmann.Joint(e.nets[m].target)
		if err != nil {
			return nil, err
		}
		if d[m], err = joints[m].DKL(p); err != nil {
			return nil, err
		}
	}
	return d, nil
}

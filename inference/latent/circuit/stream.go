package circuit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Stream says how patterns are shown to a circuit.
type Stream struct {
	Epochs       int     // required
	Presentation float64 // time that a pattern is shown [ms], a multiple of Dt; required
	// Lag is the time at the begin of a presentation that does not count for the output [ms]: the
	// original model needs it, as its membranes lag behind. Default 0.
	Lag  float64
	Seed uint64 // of the order, from rng.Stream(Seed, "order", epoch)
	// OnEpoch, if set, is called after every epoch.
	OnEpoch func(epoch int)
}

// Curve is what a stream of epochs has brought, one entry for each.
type Curve struct {
	// Accuracy is the share of patterns whose largest output, averaged over the presentation after
	// the lag, is where the largest target is, when all are shown after the epoch, one after the
	// other, without targets and without learning.
	Accuracy []float64
	// MSE is the mean squared difference of outputs and targets then.
	MSE []float64
}

// FirstPerfect is the first epoch (from 1) with an accuracy of 1; 0 if there was none.
func (c Curve) FirstPerfect() int {
	for i, a := range c.Accuracy {
		if a == 1 {
			return i + 1
		}
	}
	return 0
}

// Last is the mean accuracy of the last n epochs (all if there are fewer), and NaN of none.
func (c Curve) Last(n int) float64 {
	n = max(0, min(n, len(c.Accuracy)))
	s := 0.0
	for _, a := range c.Accuracy[len(c.Accuracy)-n:] {
		s += a
	}
	return s / float64(n)
}

// Train shows the patterns of d (inputs are rates, targets somatic potentials) in a new order every
// epoch, with targets and plasticity, and after each epoch once without. The circuit's state is
// carried over all the time. When ctx ends, Train returns the curve so far and ctx's error.
func (c *Circuit) Train(ctx context.Context, d learn.Dataset, s Stream) (Curve, error) {
	var curve Curve
	if d == nil {
		return curve, errors.New("circuit: data is nil: must be there")
	}
	if in, out := d.Dims(); in != len(c.x) || out != len(c.target) || d.Len() < 1 {
		return curve, fmt.Errorf("circuit: %d patterns of %d inputs and %d targets: must be of %d and %d", d.Len(), in, out, len(c.x), len(c.target))
	}
	steps, err := c.clock.Steps(s.Presentation)
	if err != nil {
		return curve, fmt.Errorf("circuit: Presentation: %w", err)
	}
	if steps < 1 || s.Epochs < 1 {
		return curve, fmt.Errorf("circuit: Presentation = %v ms, Epochs = %d: must be ≥ Dt and ≥ 1", s.Presentation, s.Epochs)
	}
	lag := c.clock.Ceil(s.Lag)
	if !(s.Lag >= 0) || lag >= steps {
		return curve, fmt.Errorf("circuit: Lag = %v ms: must be ≥ 0, and shorter than a presentation of %v ms", s.Lag, s.Presentation)
	}
	x, y, mean := make([]float64, len(c.x)), make([]float64, len(c.target)), make([]float64, len(c.target))
	for e := range s.Epochs {
		for _, i := range rand.New(rng.Stream(s.Seed, "order", e)).Perm(d.Len()) {
			if err := ctx.Err(); err != nil {
				return curve, err
			}
			d.Pair(i, x, y)
			for range steps {
				if err := c.Step(x, y, true); err != nil {
					return curve, fmt.Errorf("epoch %d: %w", e+1, err)
				}
			}
		}
		right, mse := 0, 0.0
		for i := range d.Len() {
			d.Pair(i, x, y)
			clear(mean)
			for k := range steps {
				if err := c.Step(x, nil, false); err != nil {
					return curve, fmt.Errorf("epoch %d: %w", e+1, err)
				}
				if k >= lag {
					for j, v := range c.Output() {
						mean[j] += v / float64(steps-lag)
					}
				}
			}
			if learn.Winner(mean) == learn.Winner(y) {
				right++
			}
			for j, v := range y {
				mse += (v - mean[j]) * (v - mean[j]) / float64(len(y)*d.Len())
			}
		}
		curve.Accuracy = append(curve.Accuracy, float64(right)/float64(d.Len()))
		curve.MSE = append(curve.MSE, mse)
		if s.OnEpoch != nil {
			s.OnEpoch(e + 1)
		}
	}
	return curve, nil
}

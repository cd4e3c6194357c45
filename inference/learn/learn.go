// Package learn is what all learning models share: pairs of inputs and targets, networks
// that learn from a stream of presentations, and the loop that shows them one after the
// other.
//
// A model's dynamics are always on. A presentation holds an input for a while, with or
// without a target; how long, and what the network does meanwhile, is the model's.
//
//	h, err := learn.Fit(ctx, network, train, learn.Options{Epochs: 10, Validation: val})
//	score, err := learn.Evaluate(ctx, network, test, 0)
//
// The order of presentations depends on the seed and the epoch alone, so a run that was
// stopped and resumed goes on bit for bit.
package learn

import "encoding"

// Dataset is a set of pairs of an input and a target.
type Dataset interface {
	// Len is the number of pairs.
	Len() int
	// Dims are the lengths of an input and of a target.
	Dims() (in, out int)
	// Pair writes pair i to x and y. It may be called from several goroutines.
	Pair(i int, x, y []float64)
}

// Learner is a network that learns. It is for one goroutine at a time.
type Learner interface {
	// Dims are the lengths of an input and of an output.
	Dims() (in, out int)
	// Learn presents a batch with targets, plasticity on: x is B×in, y is B×out by rows.
	Learn(x, y []float64) error
	// Predict presents a batch without targets, plasticity off, and writes the outputs, B×out
	// by rows.
	Predict(out, x []float64) error
	// A saved state is all that the next call of Learn depends on.
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// Rated is a Learner whose learning rates can be scaled.
type Rated interface {
	Learner
	// SetRate multiplies the learning rates the model was made with.
	SetRate(factor float64) error
}

package feedforward

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// LearnRule is how TrainConsistency changes weights. All go after the same two terms,
//
//	reconstruction of x from h_1 + λ Σ_k |e_k|²
//
// at the feedforward state, with the optimiser of Kingma and Ba (Adam).
type LearnRule int

const (
	// Gradient is the whole gradient, through the feedforward state: backpropagation. It is not
	// local.
	Gradient LearnRule = iota
	// Branches moves the two branches of every unit towards each other,
	//
	//	dW_k ∝ −e_k r(h_{k−1})ᵀ,   dW_{k+1} ∝ r(h_{k+1}) e_kᵀ,   db_k^bu ∝ −e_k,   db_k^td ∝ e_k,
	//
	// the gradient for fixed states, and reconstructs x from h_1 by the delta rule on the way
	// down and its own gradient on the way up. It is local, and not enough: the cheapest way
	// to make branches agree is that units above layer 1 say the same for all inputs.
	Branches
	// Local is Branches and lets every layer k+1 do for e_k what layer 1 does for x: e_k goes up
	// through W_{k+1}, one layer far, and units change by it as far as their slope lets them,
	//
	//	dW_{k+1} ∝ (f'(a_{k+1}) ⊙ W_{k+1} e_k) r(h_k)ᵀ .
	//
	// Nothing passes through two layers: what is left out of Gradient is that h_k, too, could
	// change for the sake of e_{k+1}.
	Local
)

var learnRules = [...]string{"gradient", "branches", "local"}

// String is the name of the rule.
func (r LearnRule) String() string {
	if r < 0 || int(r) >= len(learnRules) {
		return fmt.Sprintf("LearnRule(%d)", int(r))
	}
	return learnRules[r]
}

// LearnOptions configures TrainConsistency. The zero value of each field is its default.
type LearnOptions struct {
	Rule   LearnRule // default Gradient
	Epochs int       // passes over the data; default 12
	Batch  int       // samples between changes of the weights; default 100
	Rate   float64   // of Adam; default 1e-3

	Gains       []float64 // of the pass; default 2, …, 2, 1
	Consistency float64   // weight λ of Σ|e|²; default 1
	// WithoutConsistency leaves out that term, WithoutReconstruction the other one. Consistency
	// alone is perfect where states say nothing of the input, all weights 0 for one, and goes
	// there: always look at reconstruction, or a readout, beside it.
	WithoutConsistency, WithoutReconstruction bool
	// AutoEncode is the weight of the cross-entropy of h_1, taken as given, with σ(W_2ᵀ h_2 +
	// b_1^td): a plain auto-encoder, whose top-down input is not that of the bottom-up share. It is
	// a control for Gradient in Boltzmann networks; default 0.
	AutoEncode float64

	Seed    uint64 // the order of epoch e is drawn from rng.Stream(Seed, "order", e)
	Workers int    // share out matrix products; default GOMAXPROCS. It never changes the result.

	OnEpoch func(LearnEpoch) // called after every epoch
}

// LearnEpoch has means over the samples of an epoch, each before its batch was learned.
type LearnEpoch struct {
	Epoch int // passes made
	// Reconstruction is the cross-entropy of x summed over pixels [nats], half the squared error
	// in networks that are no Boltzmann machines.
	Reconstruction float64
	Consistency    []float64 // |e_k|², k = 1, …, N−1
}

func (o LearnOptions) check(n *Network) (LearnOptions, []float64, error) {
	if o.Epochs == 0 {
		o.Epochs = 12
	}
	if o.Batch == 0 {
		o.Batch = 100
	}
	if o.Rate == 0 {
		o.Rate = 1e-3
	}
	if o.Consistency == 0 {
		o.Consistency = 1
	}
	var errs []error
	positive := func(name string, x float64) {
		if !(x > 0) || math.IsInf(x, 0) {
			errs = append(errs, fmt.Errorf("feedforward: %s = %v: must be finite and > 0", name, x))
		}
	}
	if o.Rule < 0 || int(o.Rule) >= len(learnRules) {
		errs = append(errs, fmt.Errorf("feedforward: Rule = %d: must be Gradient, Branches or Local", int(o.Rule)))
	}
	if o.Epochs < 0 {
		errs = append(errs, fmt.Errorf("feedforward: Epochs = %d: must be > 0", o.Epochs))
	}
	if o.Batch < 0 || o.Batch > 1<<20 {
		errs = append(errs, fmt.Errorf("feedforward: Batch = %d: must be 1 to 2^20", o.Batch))
	}
	if o.Workers < 0 {
		errs = append(errs, fmt.Errorf("feedforward: Workers = %d: must be ≥ 0", o.Workers))
	}
	positive("Rate", o.Rate)
	positive("Consistency", o.Consistency)
	if !(o.AutoEncode >= 0) || math.IsInf(o.AutoEncode, 0) {
		errs = append(errs, fmt.Errorf("feedforward: AutoEncode = %v: must be finite and ≥ 0", o.AutoEncode))
	}
	if o.AutoEncode > 0 && (o.Rule != Gradient || n.energy != Boltzmann || len(n.w) < 2) {
		errs = append(errs, errors.New("feedforward: AutoEncode: is for Gradient in Boltzmann networks of two layers and more"))
	}
	if n.energy == Leaky && n.rate == Sigmoid {
		errs = append(errs, errors.New("feedforward: learning in a Leaky network with Rate Sigmoid: is not supported; other energies and rates are"))
	}
	g, err := Feedforward{Gains: o.Gains}.gains(n)
	if err != nil {
		errs = append(errs, err)
	}
	return o, g, errors.Join(errs...)
}

// TrainConsistency teaches the network the condition that makes the feedforward state a fixed
// point, together with reconstruction of the data (B×n_0). The split of the biases is learned
// too, from halves on. Data of Boltzmann networks must be in [0, 1].
//
// If ctx ends or a number is not finite any more, the network is as it was after the last whole
// epoch, and the history ends there.
func TrainConsistency(ctx context.Context, n *Network, data mat.Matrix, o LearnOptions) ([]LearnEpoch, error) {
	o, g, err := o.check(n)
	if err != nil {
		return nil, err
	}
	in, err := n.input(data)
	if err != nil {
		return nil, err
	}
	if n.energy == Boltzmann {
		for b := range in.Rows {
			for j, x := range in.Row(b) {
				if x < 0 || x > 1 {
					return nil, fmt.Errorf("feedforward: input %d of sample %d is %v: must be in [0, 1] to be reconstructed", j, b, x)
				}
			}
		}
	}
	team := linalg.NewTeam(o.Workers)
	defer team.Close()
	o.Batch = min(o.Batch, in.Rows)
	good := n.Clone()
	t := newTrainer(n, team, g, o)
	var history []LearnEpoch
	for e := range o.Epochs {
		ep, err := t.epoch(ctx, in, e)
		if err != nil {
			*n = *good
			return history, err
		}
		history = append(history, ep)
		good = n.Clone()
		if o.OnEpoch != nil {
			o.OnEpoch(ep)
		}
	}
	return history, nil
}

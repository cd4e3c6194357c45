package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/tempering"
)

// Method says where the chains of the negative phase come from.
type Method int

const (
	// PCD, persistent contrastive divergence (Younes 1989; Tieleman 2008): chains that go
	// on from update to update.
	PCD Method = iota
	// CD, contrastive divergence (Hinton 2002): chains that start at the images of the
	// batch each time. Its gradient is biased.
	CD
	// CAST, coupled adaptive simulated tempering (Salakhutdinov 2010): the chains of PCD,
	// which now and then exchange states with as many chains that walk a ladder of inverse
	// temperatures.
	CAST
)

// String is the name of the method.
func (m Method) String() string {
	switch m {
	case PCD:
		return "PCD"
	case CD:
		return "CD"
	case CAST:
		return "CAST"
	}
	return fmt.Sprintf("Method(%d)", int(m))
}

// Options configures training. The zero value of each field but Hidden and Epochs is its
// default.
type Options struct {
	Hidden int // number of hidden units; required, unless Start has them
	Epochs int // passes over the data; required

	Method Method // default PCD
	Steps  int    // k, sweeps of every chain in an update; default 1
	Batch  int    // images in an update; default 50. The last batch of an epoch has the rest.
	Chains int    // persistent chains (PCD, CAST); default Batch

	Rate     Rate
	Momentum float64 // share of the last step that the next keeps, in [0, 1); default 0
	Decay    float64 // L2 decay of the couplings: their gradient is less Decay·W; ≥ 0, default 0

	// InitSD is the standard deviation of the first couplings; default 0.01. Visible biases
	// begin at log p/(1−p), p the rate of the unit in the data clipped to [0.01, 0.99],
	// hidden ones at 0.
	InitSD float64
	// Start is the machine to begin with instead, pixels then label units.
	Start *boltzmann.RBM `json:"-"`

	Cast CastOptions // of CAST; must be zero otherwise

	// Seed is what all randomness comes from.
	Seed uint64
	// Parallel is the number of goroutines; default GOMAXPROCS. It never changes the result.
	Parallel int `json:"-"`
	// OnProgress, if set, is called after every update.
	OnProgress func(Progress) `json:"-"`
}

// CastOptions configures the fast chains of CAST. They share one set of log-weights g_k: a
// sweep of all M chains adds γ_t/M to g_k for every chain at level k, γ_t = Gain/(1+t/Tau).
type CastOptions struct {
	Ladder    tempering.Ladder // default 10 levels from 1 to 0.8
	SwapEvery int              // updates between exchanges; default 50
	Gain      float64          // first γ [nats], > 0; default 10
	Tau       float64          // updates after which γ is halved, > 0; default 1000
}

// Progress says how far training is.
type Progress struct {
	Update, Updates int64   // updates made, and in all
	Epoch           float64 // passes over the data made
	Rate            float64 // learning rate of the last update
	// Cold is the share of the fast chains of CAST at β = 1, Swaps the number of exchanges
	// so far.
	Cold  float64
	Swaps int64
}

func (o Options) withDefaults() Options {
	def := func(x *int, d int) {
		if *x == 0 {
			*x = d
		}
	}
	def(&o.Steps, 1)
	def(&o.Batch, 50)
	def(&o.Chains, o.Batch)
	if o.Rate.Start == 0 {
		o.Rate.Start = 0.05
	}
	if o.InitSD == 0 {
		o.InitSD = 0.01
	}
	if o.Start != nil && o.Hidden == 0 {
		o.Hidden = o.Start.Hidden()
	}
	if o.Method == CAST {
		if o.Cast.Ladder == nil {
			o.Cast.Ladder, _ = tempering.Linear(10, 0.8)
		}
		def(&o.Cast.SwapEvery, 50)
		if o.Cast.Gain == 0 {
			o.Cast.Gain = 10
		}
		if o.Cast.Tau == 0 {
			o.Cast.Tau = 1000
		}
	}
	return o
}

// maxUnits bounds sizes, so that products of them do not overflow.
const maxUnits = 1 << 15

// check reports what is wrong with options whose defaults are filled in, for checked data.
func (o Options) check(d Data) error {
	var errs []error
	fault := func(bad bool, format string, a ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("train: "+format, a...))
		}
	}
	nv := d.pixels() + d.Classes
	fault(nv > maxUnits, "%d visible units: must be at most %d", nv, maxUnits)
	fault(o.Hidden < 1 || o.Hidden > maxUnits, "Hidden = %d: must be 1 to %d", o.Hidden, maxUnits)
	fault(o.Epochs < 1 || o.Epochs > 1<<20, "Epochs = %d: must be 1 to 2^20", o.Epochs)
	fault(o.Method < PCD || o.Method > CAST, "Method = %v: must be PCD, CD or CAST", o.Method)
	fault(o.Steps < 1, "Steps = %d: must be ≥ 1 (0: default 1)", o.Steps)
	fault(o.Batch < 1 || o.Batch > 1<<30, "Batch = %d: must be 1 to 2^30 (0: default 50)", o.Batch)
	fault(o.Chains < 1 || o.Chains > maxUnits, "Chains = %d: must be 1 to %d (0: default Batch)", o.Chains, maxUnits)
	fault(o.Method == CD && o.Chains != o.Batch, "Chains = %d with CD: must be 0, there is one for every image of a batch", o.Chains)
	fault(!(o.Momentum >= 0 && o.Momentum < 1), "Momentum = %v: must be in [0, 1)", o.Momentum)
	fault(!(o.Decay >= 0) || math.IsInf(o.Decay, 1), "Decay = %v: must be finite and ≥ 0", o.Decay)
	fault(!(o.InitSD > 0) || math.IsInf(o.InitSD, 1), "InitSD = %v: must be finite and > 0 (0: default 0.01)", o.InitSD)
	fault(o.Parallel < 0, "Parallel = %d: must be ≥ 1 (0: GOMAXPROCS)", o.Parallel)
	if o.Start != nil {
		fault(o.Start.Visible() != nv || o.Start.Hidden() != o.Hidden, "Start is a machine of %d visible and %d hidden units: must be %d (pixels and classes) and %d",
			o.Start.Visible(), o.Start.Hidden(), nv, o.Hidden)
	}
	errs = append(errs, o.Rate.check())
	c := o.Cast
	if o.Method != CAST {
		fault(c.Ladder != nil || c.SwapEvery != 0 || c.Gain != 0 || c.Tau != 0, "Cast options with method %v: must be zero", o.Method)
		return errors.Join(errs...)
	}
	if err := c.Ladder.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("train: Cast.Ladder: %w", err))
	}
	fault(c.SwapEvery < 1, "Cast.SwapEvery = %d: must be ≥ 1 (0: default 50)", c.SwapEvery)
	fault(!(c.Gain > 0) || math.IsInf(c.Gain, 1), "Cast.Gain = %v: must be finite and > 0 (0: default 10)", c.Gain)
	fault(!(c.Tau > 0) || math.IsInf(c.Tau, 1), "Cast.Tau = %v: must be finite and > 0 (0: default 1000)", c.Tau)
	return errors.Join(errs...)
}

// logOdds is log p/(1−p) with p clipped to [0.01, 0.99].
func logOdds(p float64) float64 {
	p = min(max(p, 0.01), 0.99)
	return math.Log(p / (1 - p))
}

package train

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// DeepOptions configures the training of a layered machine. All fields of Options mean the
// same, but Hidden and Start, which must be zero.
type DeepOptions struct {
	Options

	// Layers are the numbers of hidden units of layers 1, 2, …; required, unless StartLayered
	// has them.
	Layers []int

	// Inference is the number of sweeps of the positive phase; default 10. A sweep visits the
	// odd layers, then the even ones but the visible. With one hidden layer none is needed: the
	// hidden units have their exact probabilities.
	Inference int
	// Clamped samples the hidden units of the positive phase by that many sweeps of blocked Gibbs
	// sampling, visible units held, instead of iterating the equations of mean field. Its
	// gradient is that of the log-likelihood itself as far as the sweeps reach the posterior
	// p(h | v) from the pass upwards that they begin with. It has more variance and costs as
	// much, but does not favour, as mean field does, machines whose posterior has one mode.
	Clamped bool

	// StartLayered is the machine to begin with instead, its layer 0 being pixels, then label
	// units; see Pretrain.
	StartLayered *boltzmann.Layered `json:"-"`
}

// check fills defaults in and reports what is wrong with the options for checked data.
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
	o.Hidden, o.Start = 1, nil // passes the check of Options
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

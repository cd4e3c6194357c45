package latent

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Precision is that of all numbers of a network.
type Precision int

const (
	Float32 Precision = iota // default
	Float64
)

// Order says which rates a layer sees in a step.
type Order int

const (
	// Parallel lets every layer see the rates of the step before: all neurons move at once.
	Parallel Order = iota
	// FullForward goes through the layers from below, each seeing the new rates of the layer
	// below it.
	FullForward
)

// Feedback says what carries errors down.
type Feedback int

const (
	// Transposed carries them by the transposes of the forward weights.
	Transposed Feedback = iota
	// FixedRandom carries them by random weights that stay (feedback alignment), of the law of
	// the first forward weights.
	FixedRandom
)

// Layer is one layer of neurons and the synapses from the layer below.
type Layer struct {
	// Units is the number of neurons of a fully connected layer; 0 for a convolution.
	Units int
	// Kernel and Channels make the layer a convolution: Channels maps of neurons, each seeing
	// Kernel×Kernel places of the layer below (stride 1, valid).
	Kernel, Channels int
	// Pool lets the layer above see only the largest rate of every Pool×Pool neurons of a map;
	// errors go back to that neuron. 0 and 1: none.
	Pool int

	Activation Activation // default Linear
	// Factor multiplies the learning rate; 0 stands for 1.
	Factor float64
	// TauM, TauR replace those of the Options [ms]: nil, or one entry, or one for every neuron.
	TauM, TauR []float64
	// Feedback, if set, carries errors from this layer to the one below: Units × neurons below.
	// It is the caller's matrix, copied, and does not learn.
	Feedback mat.Matrix
}

// Options configures a network. There are no defaults for the constants of neurons: begin with
// Haider2021.
type Options struct {
	// Inputs is the number of inputs; for convolutions set Rows, Cols and Channels instead
	// (an input is then an image, rows first and channels last).
	Inputs               int
	Rows, Cols, Channels int
	Layers               []Layer

	Dt    float64 // step [ms]
	TauM  float64 // membrane time constant τ_m [ms], ≥ Dt
	TauR  float64 // prospective time constant τ_r [ms]; τ_m: latent equilibrium, 0: no look-ahead
	Beta  float64 // β, strength of the nudge
	Gamma float64 // γ, weight of the error in the membrane

	// Spread is the standard deviation of the factors, drawn independently, by which time
	// constants of neurons differ from the above; they are clipped to 1 to 1000 ms.
	Spread float64
	// TauSyn is the time constant of synapses [ms], which filter rates on their way up
	// (FilterRates) and errors on their way down (FilterErrors); 0: none.
	TauSyn                    float64
	FilterRates, FilterErrors bool
	// FilterTarget filters targets with as many times TauSyn as there are layers.
	FilterTarget bool
	// RateNoise is the standard deviation of the normal number added to every rate of a neuron
	// in every step.
	RateNoise float64

	Order    Order
	Feedback Feedback
	// ProspectiveErrors sends down the mismatch ŭ − I instead of τ_m u̇ + u − I: a negative
	// control, as even a small spread of time constants then spoils learning.
	ProspectiveErrors bool

	// Steps is the number of steps of a presentation.
	Steps int
	// Gate is the number of steps at the begin of a presentation without plasticity.
	Gate int
	// Rate is η·Dt·Steps: the learning rate summed over a presentation. In every step
	// W changes by Rate/Steps · Factor · ⟨e rᵀ⟩, e carrying β.
	Rate float64

	WeightSD, BiasSD float64 // standard deviations of the first weights and biases
	Seed             uint64

	Precision Precision
	Parallel  int // workers; 0: GOMAXPROCS. It never changes the result.
}

// Haider2021 are the constants of the paper's convolutional experiments: τ_m = τ_r = 10 ms in
// steps of 0.1 ms, β = 0.1, γ = 1, first weights and biases N(0, 0.05²), 100 steps a
// presentation and a summed rate of 16. The layers are the caller's.
func Haider2021() Options {
	return Options{Dt: 0.1, TauM: 10, TauR: 10, Beta: 0.1, Gamma: 1, Steps: 100, Rate: 16, WeightSD: 0.05, BiasSD: 0.05}
}

// MNIST2021 is the fully connected network of the paper's Fig. 2b: 784-300-100-10, hard
// sigmoid and linear output, τ = 20 ms in steps of 0.01 ms, factors 1, 0.2, 0.1. Batches have
// 512 images, whose pixels are byte/256.
func MNIST2021() Options {
	o := Haider2021()
	o.Inputs = 784
	o.Dt, o.TauM, o.TauR = 0.01, 20, 20
	o.Layers = []Layer{
		{Units: 300, Activation: HardSigmoid},
		{Units: 100, Activation: HardSigmoid, Factor: 0.2},
		{Units: 10, Factor: 0.1},
	}
	return o
}

// LeNet2021 is the convolutional network of the paper's Figs. 2d and 2e for images of side×side
// pixels: 5×5 convolutions to 20 and 50 maps, each pooled by 2, 500 hidden neurons and 10 outputs,
// hard sigmoid, with the constants of MNIST. Of the six factors of the public code (pools count there)
// those of the layers are kept, 1, 0.1, 0.1, 0.1. For CIFAR-10 they are 1, 0.2, 0.2, 0.1, the summed
// rate is 8, and a presentation has 50 steps.
func LeNet2021(side, channels int) Options {
	o := Haider2021()
	o.Rows, o.Cols, o.Channels = side, side, channels
	o.Layers = []Layer{
		{Kernel: 5, Channels: 20, Pool: 2, Activation: HardSigmoid},
		{Kernel: 5, Channels: 50, Pool: 2, Activation: HardSigmoid, Factor: 0.1},
		{Units: 500, Activation: HardSigmoid, Factor: 0.1},
		{Units: 10, Factor: 0.1},
	}
	return o
}

// maxUnits is the largest number of inputs, or of neurons of a layer.
const maxUnits = 1 << 24

// holds reports whether v is finite in the precision.
func (p Precision) holds(v float64) bool {
	return math.Abs(v) <= math.MaxFloat64 && (p == Float64 || math.Abs(v) <= math.MaxFloat32)
}

// limit says what numbers of the precision must be beside finite.
func (p Precision) limit() string {
	if p == Float64 {
		return ""
	}
	return ", and at most 3.4e38 in size in single precision"
}

// shape is that of a layer's neurons: rows × cols × channels, channels last.
type shape struct{ rows, cols, channels int }

func (s shape) size() int { return s.rows * s.cols * s.channels }

// check returns the shape of the input and of the neurons of every layer, or all that is wrong.
func (o *Options) check() (input shape, shapes []shape, err error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("latent: "+format, args...)) }
	positive := func(name string, v float64) {
		if !(v > 0) || math.IsInf(v, 0) {
			bad("%s = %v: must be finite and > 0", name, v)
		}
	}
	atLeast0 := func(name string, v float64) {
		if !(v >= 0) || math.IsInf(v, 0) {
			bad("%s = %v: must be finite and ≥ 0", name, v)
		}
	}
	positive("Dt", o.Dt)
	positive("TauM", o.TauM)
	if o.TauM < o.Dt {
		bad("TauM = %v ms: must be ≥ Dt = %v ms", o.TauM, o.Dt)
	}
	for _, v := range []struct {
		name string
		v    float64
	}{{"TauR", o.TauR}, {"Beta", o.Beta}, {"Gamma", o.Gamma}, {"Spread", o.Spread}, {"TauSyn", o.TauSyn}, {"RateNoise", o.RateNoise},
		{"Rate", o.Rate}, {"WeightSD", o.WeightSD}, {"BiasSD", o.BiasSD}} {
		atLeast0(v.name, v.v)
	}
	if o.TauSyn > 0 && o.TauSyn < o.Dt {
		bad("TauSyn = %v ms: must be 0 or ≥ Dt = %v ms", o.TauSyn, o.Dt)
	}
	if o.TauSyn == 0 && (o.FilterRates || o.FilterErrors || o.FilterTarget) {
		bad("a filter without TauSyn: TauSyn must be > 0")
	}
	if o.Steps < 1 {
		bad("Steps = %d: must be ≥ 1", o.Steps)
	}
	if o.Gate < 0 || o.Gate > o.Steps {
		bad("Gate = %d: must be 0 to Steps = %d", o.Gate, o.Steps)
	}
	if o.Order < Parallel || o.Order > FullForward || o.Feedback < Transposed || o.Feedback > FixedRandom || o.Precision < Float32 || o.Precision > Float64 {
		bad("Order = %d, Feedback = %d, Precision = %d: must be constants of this package", o.Order, o.Feedback, o.Precision)
	}
	if o.ProspectiveErrors && (o.Gamma == 0 || o.Order == FullForward) {
		bad("ProspectiveErrors with Gamma = %v, Order = %d: must be > 0, and Parallel", o.Gamma, o.Order)
	}
	if o.Parallel < 0 || o.Parallel > 1<<16 {
		bad("Parallel = %d: must be 0 to %d", o.Parallel, 1<<16)
	}
	// First weights are a few standard deviations, and have to be finite in single precision.
	if o.WeightSD > 1e30 || o.BiasSD > 1e30 {
		bad("WeightSD = %v, BiasSD = %v: must be at most 1e30", o.WeightSD, o.BiasSD)
	}
	image := o.Rows != 0 || o.Cols != 0 || o.Channels != 0
	switch {
	case image && (o.Rows < 1 || o.Cols < 1 || o.Channels < 1):
		bad("input of %d×%d×%d: all three must be ≥ 1", o.Rows, o.Cols, o.Channels)
	case image && o.Inputs != 0 && o.Inputs != o.Rows*o.Cols*o.Channels:
		bad("Inputs = %d: must be %d, or 0 for images", o.Inputs, o.Rows*o.Cols*o.Channels)
	case !image && (o.Inputs < 1 || o.Inputs > maxUnits):
		bad("Inputs = %d: must be 1 to %d", o.Inputs, maxUnits)
	case image && (o.Rows > maxUnits || o.Cols > maxUnits/o.Rows || o.Channels > maxUnits/o.Rows/o.Cols):
		bad("input of %d×%d×%d: must be at most %d in all", o.Rows, o.Cols, o.Channels, maxUnits)
	}
	input = shape{1, 1, min(o.Inputs, maxUnits)}
	if image {
		input = shape{min(o.Rows, maxUnits), min(o.Cols, maxUnits), min(o.Channels, maxUnits)}
	}
	if len(o.Layers) == 0 {
		bad("no layers: must be one at least")
	}
	in := input
	for l, y := range o.Layers {
		name := fmt.Sprintf("layer %d", l+1)
		var s shape
		switch {
		case y.Units > 0 && y.Kernel == 0 && y.Channels == 0:
			s = shape{1, 1, y.Units}
			if y.Pool > 1 {
				bad("%s: Pool = %d of a fully connected layer: must be 0", name, y.Pool)
			}
		case y.Units == 0 && y.Kernel > 0 && y.Channels > 0:
			s = shape{in.rows - y.Kernel + 1, in.cols - y.Kernel + 1, y.Channels}
			if s.rows < 1 || s.cols < 1 {
				bad("%s: Kernel = %d on %d×%d places: must fit", name, y.Kernel, in.rows, in.cols)
				s.rows, s.cols = 1, 1
			}
			if p := y.Pool; p > 1 && (s.rows%p != 0 || s.cols%p != 0) {
				bad("%s: Pool = %d of %d×%d neurons: must divide both", name, p, s.rows, s.cols)
			}
		default:
			bad("%s: Units = %d, Kernel = %d, Channels = %d: must be either Units or both others", name, y.Units, y.Kernel, y.Channels)
			s = shape{1, 1, 1}
		}
		if y.Units > maxUnits || y.Channels > maxUnits/s.rows/s.cols {
			bad("%s: more than %d neurons", name, maxUnits)
			s = shape{1, 1, 1}
		}
		if y.Pool < 0 {
			bad("%s: Pool = %d: must be ≥ 0", name, y.Pool)
		}
		if y.Pool > 1 && l == len(o.Layers)-1 {
			bad("%s: Pool = %d of the output layer: must be 0", name, y.Pool)
		}
		if y.Activation < Linear || y.Activation > Softplus {
			bad("%s: Activation = %d: must be a constant of this package", name, y.Activation)
		}
		atLeast0(name+": Factor", y.Factor)
		for _, tau := range []struct {
			name string
			v    []float64
			min  float64
		}{{"TauM", y.TauM, o.Dt}, {"TauR", y.TauR, 0}} {
			if n := len(tau.v); n > 1 && n != s.size() {
				bad("%s: %s has %d entries: must have 1 or %d", name, tau.name, n, s.size())
			}
			for i, v := range tau.v {
				if !(v >= tau.min) || math.IsInf(v, 0) {
					bad("%s: %s[%d] = %v ms: must be finite and ≥ %v", name, tau.name, i, v, tau.min)
				}
			}
		}
		if f := y.Feedback; f != nil {
			below := in.size()
			if r, c := f.Dims(); r != s.size() || c != below || y.Kernel > 0 || l == 0 {
				bad("%s: Feedback is %d×%d: must be %d×%d, of a fully connected layer above the first", name, r, c, s.size(), below)
			} else if v, ok := notFinite(f, o.Precision); ok {
				bad("%s: Feedback has an entry %v: must be finite%s", name, v, o.Precision.limit())
			}
		}
		shapes = append(shapes, s)
		in = s
		if p := y.Pool; p > 1 {
			in = shape{s.rows / p, s.cols / p, s.channels}
		}
	}
	return input, shapes, errors.Join(errs...)
}

func notFinite(m mat.Matrix, p Precision) (float64, bool) {
	r, c := m.Dims()
	for i := range r {
		for j := range c {
			if v := m.At(i, j); !p.holds(v) {
				return v, true
			}
		}
	}
	return 0, false
}

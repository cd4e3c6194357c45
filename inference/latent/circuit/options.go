package circuit

import (
	"errors"
	"fmt"
	"math"
)

// Options configures a circuit. There are no defaults for the constants of neurons: begin with
// Haider2021.
type Options struct {
	// Sizes are the numbers of inputs, of pyramidal cells of every hidden layer, and of outputs.
	Sizes []int

	Gl, Gb, Ga, Gd, Gsom float64 // conductances [1/ms]
	Dt                   float64 // step [ms]
	// Original is the model without look-ahead.
	Original bool

	// Up are the learning rates of W_up of layers 1, 2, … [1/ms], IP and PI those of all W_ip and
	// W_pi. Up is nil for none.
	Up     []float64
	IP, PI float64
	// Clip is the largest absolute value of W_up by layer; nil or 0 for no limit.
	Clip []float64

	// Random leaves W_ip and W_pi random; otherwise the circuit begins in the self-predicting
	// state.
	Random bool
	// Noise is σ of white noise on every soma [per √ms]; 0: no random number is drawn. Without
	// noise that fits the circuit's feedback its law is not known: none is claimed.
	Noise float64
	Seed  uint64
}

// Haider2021 are the constants of the paper's microcircuits, with these sizes, the clips of
// Fig. 3, and no learning rates.
func Haider2021(sizes ...int) Options {
	o := Options{Sizes: sizes, Gl: 0.03, Gb: 0.1, Ga: 0.06, Gd: 0.1, Gsom: 0.06, Dt: 0.1}
	for l := 1; l < len(sizes); l++ {
		o.Clip = append(o.Clip, 4)
	}
	if n := len(o.Clip); n > 0 {
		o.Clip[n-1] = 5
	}
	return o
}

// Bars2021 is the circuit of Fig. 3: 9-30-3, learning patterns that are shown for so long [ms];
// learning rates are in inverse proportion to that, and are 0.05 and 0.01 (W_up) and 0.02 (W_ip) at
// 10 ms.
func Bars2021(presentation float64) Options {
	o := Haider2021(9, 30, 3)
	f := 10 / presentation
	o.Up, o.IP = []float64{0.05 * f, 0.01 * f}, 0.02*f
	return o
}

// check reports all that is wrong.
func (o Options) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("circuit: "+format, args...)) }
	finite := func(name string, v, least float64, open bool) {
		if !(v >= least) || open && v == least || math.IsInf(v, 0) {
			sign := "≥"
			if open {
				sign = ">"
			}
			bad("%s = %v: must be finite and %s %v", name, v, sign, least)
		}
	}
	layers := len(o.Sizes) - 1
	if layers < 1 {
		bad("Sizes = %v: must have inputs and outputs", o.Sizes)
	}
	for i, n := range o.Sizes {
		if n < 1 || n > 1<<16 {
			bad("Sizes[%d] = %d: must be 1 to 2^16", i, n)
		}
	}
	for _, g := range []struct {
		name string
		v    float64
	}{{"Gl", o.Gl}, {"Gb", o.Gb}, {"Gd", o.Gd}, {"Gsom", o.Gsom}, {"Dt", o.Dt}} {
		finite(g.name, g.v, 0, true)
	}
	finite("Ga", o.Ga, 0, false)
	if g := o.Gl + max(o.Gb+o.Ga, o.Gd+o.Gsom, o.Gb+o.Gsom); o.Dt*g > 1 {
		bad("Dt = %v ms: must be at most %v ms, the shortest time constant", o.Dt, 1/g)
	}
	if o.Up != nil && len(o.Up) != layers {
		bad("Up has %d rates: must be %d, or none", len(o.Up), layers)
	}
	if o.Clip != nil && len(o.Clip) != layers {
		bad("Clip has %d limits: must be %d, or none", len(o.Clip), layers)
	}
	for i, v := range o.Up {
		finite(fmt.Sprintf("Up[%d]", i), v, 0, false)
	}
	for i, v := range o.Clip {
		finite(fmt.Sprintf("Clip[%d]", i), v, 0, false)
	}
	finite("IP", o.IP, 0, false)
	finite("PI", o.PI, 0, false)
	finite("Noise", o.Noise, 0, false)
	return errors.Join(errs...)
}

package latent

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Directed draws states of the directed model of an energy without a target, by noise on the way
// up (ancestral sampling).
type Directed struct {
	e           *Energy
	temperature float64
	rate, slope []float64
	next        []float64 // potentials of DrawBernoulli
}

// Directed returns a sampler of v_l = W_l φ(v_{l−1}) + b_l + √T ξ, at temperature T ≥ 0. The energy must
// have no target.
func (e *Energy) Directed(temperature float64) (*Directed, error) {
	if err := checkTemperature(temperature); err != nil {
		return nil, err
	}
	if e.y != nil {
		return nil, fmt.Errorf("latent: directed model of an energy with a target: must have none")
	}
	return &Directed{e: e, temperature: temperature, rate: make([]float64, e.n), slope: make([]float64, e.n), next: make([]float64, e.n)}, nil
}

// drive writes W_l s_{l−1} + b_l to the part of layer l of dst; s are the rates or spikes of all
// layers.
func (d *Directed) drive(dst []float64, l int, s []float64) []float64 {
	y, x := d.e.layers[l], d.part(dst, l)
	copy(x, y.b)
	if l > 0 {
		linalg.Gemv(false, 1, y.w, d.part(s, l-1), 1, x)
	}
	return x
}

// fire computes the rates of layer l of state v.
func (d *Directed) fire(v []float64, l int) {
	apply(d.e.layers[l].act, d.part(d.rate, l), d.part(d.slope, l), d.part(v, l))
}

func (d *Directed) part(x []float64, l int) []float64 {
	y := d.e.layers[l]
	return x[y.from : y.from+len(y.b)]
}

// Draw writes an independent state, exactly of the directed model: layers from below, each with
// fresh noise. At temperature 0 it draws no number, and r may be nil.
func (d *Directed) Draw(v []float64, r *rand.Rand) {
	sd := math.Sqrt(d.temperature)
	for l := range d.e.layers {
		x := d.drive(v, l, d.rate)
		if sd > 0 {
			for i := range x {
				x[i] += sd * r.NormFloat64()
			}
		}
		d.fire(v, l)
	}
}

// DrawBernoulli writes an independent state z of 0 and 1 in which neurons spike with their rates
// as probabilities, layers from below: the sigmoid belief network ∏ Bern(z_l | φ(W z_{l−1} + b_l)). Rates
// must be in [0, 1], those of sigmoid or hard-sigmoid neurons; the input stays what it is.
// Its law is not exp(−E/T).
func (d *Directed) DrawBernoulli(z []float64, r *rand.Rand) error {
	for l, y := range d.e.layers {
		if y.act != Sigmoid && y.act != HardSigmoid {
			return fmt.Errorf("latent: spikes of %v neurons: rates must be in [0, 1]", y.act)
		}
		d.drive(d.next, l, z)
		d.fire(d.next, l)
		dynamics.Bernoulli(d.part(z, l), d.part(d.rate, l), r)
	}
	return nil
}

// Coloured moves all layers at once under coloured noise.
type Coloured struct {
	d        *Directed
	ou       dynamics.OU[float64]
	xi, next []float64
}

// Colour gives the directed model the noise that neurons moving in parallel need: Ornstein-Uhlenbeck
// noise with the correlation time tau [ms] in steps of dt [ms], of variance T. It writes the state that
// the first noise holds to v. The law of Step becomes that of the model as tau/(L dt) → ∞: layers see
// the noise of other instants, and covariances across k layers are too small by e^{−k dt/tau}. Fresh
// noise in every step would leave none.
func (d *Directed) Colour(tau, dt float64, v []float64, r *rand.Rand) (*Coloured, error) {
	ou, err := dynamics.NewOU[float64](math.Sqrt(d.temperature), tau, dt)
	if err != nil {
		return nil, err
	}
	c := &Coloured{d: d, ou: ou, xi: make([]float64, d.e.n), next: make([]float64, d.e.n)}
	ou.Start(c.xi, r)
	for l := range d.e.layers {
		linalg.Axpy(1, d.part(c.xi, l), d.drive(v, l, d.rate))
		d.fire(v, l)
	}
	return c, nil
}

// Step advances v by one step. At temperature 0 it draws no number, and r may be nil.
func (c *Coloured) Step(v []float64, r *rand.Rand) {
	d := c.d
	c.ou.Step(c.xi, r)
	for l := range d.e.layers {
		d.fire(v, l)
	}
	for l := range d.e.layers {
		linalg.Axpy(1, d.part(c.xi, l), d.drive(c.next, l, d.rate))
	}
	copy(v, c.next)
}

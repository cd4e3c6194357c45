package circuit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Circuit is a network of dendritic microcircuits. It is for one goroutine at a time.
type Circuit struct {
	o      Options
	layers []*layer // 1, …, L
	x      []float64
	target []float64 // of the step before
	nudged bool
	step   int64
	clock  dynamics.Clock
	noise  dynamics.White[float64]
	rnd    *rand.Rand
}

// layer holds pyramidal cells and, if it is hidden, interneurons.
type layer struct {
	up, down, pi, ip linalg.Mat[float64]
	pyr, inn         population
	basal, apical    []float64
	dendrite         []float64 // of interneurons
	err              []float64 // scratch
	g                float64   // G of the pyramidal cells
	predict          float64   // of v_b: what the basal dendrite predicts of the soma
}

// population are cells: somatic potentials, what they look ahead to, and rates.
type population struct {
	u, ahead, rate, next []float64
}

func newPopulation(n int) population {
	p := population{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
	for i := range p.rate {
		p.rate[i] = phi(0)
	}
	return p
}

// phi is the rate log(1 + e^x), exactly 0 below −15 and x above 15, as in the public code.
func phi(x float64) float64 {
	switch {
	case x < -15:
		return 0
	case x > 15:
		return x
	}
	return math.Log1p(math.Exp(x))
}

// New returns a circuit at rest. Weights are drawn from rng.Stream(Seed, "circuit weights").
func New(o Options) (*Circuit, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Sizes, o.Up, o.Clip = slices.Clone(o.Sizes), slices.Clone(o.Up), slices.Clone(o.Clip)
	c := &Circuit{o: o, clock: dynamics.Clock{Dt: o.Dt}}
	var err error
	if c.noise, err = dynamics.NewWhite[float64](o.Noise, o.Dt); err != nil {
		return nil, err
	}
	c.rnd = rand.New(rng.Stream(o.Seed, "circuit noise"))
	r := rand.New(rng.Stream(o.Seed, "circuit weights"))
	uniform := func(rows, cols int) linalg.Mat[float64] {
		m := linalg.NewMat[float64](rows, cols)
		for i := range m.Data {
			m.Data[i] = 2*r.Float64() - 1
		}
		return m
	}
	top := len(o.Sizes) - 1
	c.x, c.target = make([]float64, o.Sizes[0]), make([]float64, o.Sizes[top])
	for l := 1; l <= top; l++ {
		n := o.Sizes[l]
		y := &layer{up: uniform(n, o.Sizes[l-1]), pyr: newPopulation(n), basal: make([]float64, n)}
		y.g, y.predict = o.Gl+o.Gb+o.Gsom, o.Gb/(o.Gl+o.Gb)
		scratch := n
		if l < top {
			above := o.Sizes[l+1]
			y.down, y.pi, y.ip = uniform(n, above), uniform(n, above), uniform(above, n)
			y.inn = newPopulation(above)
			y.apical, y.dendrite = make([]float64, n), make([]float64, above)
			y.g = o.Gl + o.Gb + o.Ga
			y.predict = o.Gb / y.g
			scratch = max(n, above)
		}
		y.err = make([]float64, scratch)
		c.layers = append(c.layers, y)
	}
	if !o.Random {
		c.SelfPredict()
	}
	return c, nil
}

// SelfPredict puts W_ip and W_pi to the self-predicting state: interneurons do exactly as the
// cells above without a target, and apical potentials are 0.
func (c *Circuit) SelfPredict() {
	for l, y := range c.layers[:len(c.layers)-1] {
		above := c.layers[l+1]
		for i, v := range y.down.Data {
			y.pi.Data[i] = -v
		}
		f := above.predict * (c.o.Gl + c.o.Gd) / c.o.Gd
		for i, v := range above.up.Data {
			y.ip.Data[i] = f * v
		}
	}
}

// Step advances the circuit by one step with inputs x held, which are rates. With a target, a
// somatic potential for every output, the outputs are nudged towards it. Plasticity is on if
// learning is. The error is a *dynamics.DivergedError that names a population.
//
// With look-ahead the target takes effect in the step after, as in the public code.
func (c *Circuit) Step(x, target []float64, learning bool) error {
	if len(x) != len(c.x) || target != nil && len(target) != len(c.target) {
		return fmt.Errorf("circuit: %d inputs and %d targets: must be %d, and %d or none", len(x), len(target), len(c.x), len(c.target))
	}
	for _, s := range [][]float64{x, target} {
		for i, v := range s {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("circuit: input or target %d is %v: must be finite", i, v)
			}
		}
	}
	copy(c.x, x)
	goal, nudged := target, target != nil
	if !c.o.Original {
		goal, nudged = c.target, c.nudged
	}
	for l := range c.layers {
		c.pyramidal(l, goal, nudged)
		if l < len(c.layers)-1 {
			c.interneurons(l)
		}
	}
	if learning {
		for l := range c.layers {
			c.learn(l)
		}
	}
	for _, y := range c.layers {
		y.pyr.turn()
		y.inn.turn()
	}
	c.nudged = target != nil
	copy(c.target, target)
	c.step++
	return c.finite()
}

func (p *population) turn() { p.rate, p.next = p.next, p.rate }

// below are the rates of the layer below layer l (from 0).
func (c *Circuit) below(l int) []float64 {
	if l == 0 {
		return c.x
	}
	return c.layers[l-1].pyr.rate
}

// pyramidal moves the cells of a layer, all from the rates of the step before.
func (c *Circuit) pyramidal(l int, target []float64, nudged bool) {
	o, y := &c.o, c.layers[l]
	linalg.Gemv(false, 1, y.up, c.below(l), 0, y.basal)
	goal := y.err[:len(y.basal)]
	switch {
	case y.apical != nil:
		linalg.Gemv(false, 1, y.down, c.layers[l+1].pyr.rate, 0, y.apical)
		linalg.Gemv(false, 1, y.pi, y.inn.rate, 1, y.apical)
		for i, v := range y.basal {
			goal[i] = (o.Gb*v + o.Ga*y.apical[i]) / y.g
		}
	case nudged:
		for i, v := range y.basal {
			goal[i] = (o.Gb*v + o.Gsom*target[i]) / y.g
		}
	default:
		for i, v := range y.basal {
			goal[i] = y.predict * v
		}
	}
	c.move(&y.pyr, goal, y.g)
}

// interneurons moves those of a layer. What the cells above look ahead to (in the original
// model, their potential) is that of the step before: they have not turned yet.
func (c *Circuit) interneurons(l int) {
	o, y := &c.o, c.layers[l]
	linalg.Gemv(false, 1, y.ip, y.pyr.rate, 0, y.dendrite)
	g := o.Gl + o.Gd + o.Gsom
	above := c.layers[l+1].pyr.ahead
	goal := y.err[:len(y.dendrite)]
	for i, v := range y.dendrite {
		goal[i] = (o.Gd*v + o.Gsom*above[i]) / g
	}
	c.move(&y.inn, goal, g)
}

// move advances somata towards u∞ at the rate g. The new look-ahead potentials stay in goal's
// population until all have been computed.
func (c *Circuit) move(p *population, goal []float64, g float64) {
	for i, v := range goal {
		d := g * (v - p.u[i])
		ahead := p.u[i] + d/g
		p.u[i] += c.o.Dt * d
		if c.o.Original {
			ahead = p.u[i]
		}
		goal[i] = ahead
	}
	c.noise.Add(p.u, c.rnd)
	for i, v := range goal {
		if c.o.Original {
			v = p.u[i] // with its noise
		}
		p.ahead[i], p.next[i] = v, phi(v)
	}
}

// learn changes the weights of a layer: new rates of somata against what dendrites predict, times
// the presynaptic rates that the dendrites saw.
func (c *Circuit) learn(l int) {
	o, y := &c.o, c.layers[l]
	if o.Up != nil && o.Up[l] > 0 {
		e := y.err[:len(y.basal)]
		for i, v := range y.basal {
			e[i] = y.pyr.next[i] - phi(y.predict*v)
		}
		linalg.Ger(o.Up[l]*o.Dt, e, c.below(l), y.up)
		if o.Clip != nil && o.Clip[l] > 0 {
			for i, w := range y.up.Data {
				y.up.Data[i] = min(max(w, -o.Clip[l]), o.Clip[l])
			}
		}
	}
	if y.apical == nil {
		return
	}
	if o.IP > 0 {
		e := y.err[:len(y.dendrite)]
		f := o.Gd / (o.Gl + o.Gd)
		for i, v := range y.dendrite {
			e[i] = y.inn.next[i] - phi(f*v)
		}
		linalg.Ger(o.IP*o.Dt, e, y.pyr.rate, y.ip)
	}
	if o.PI > 0 {
		linalg.Ger(-o.PI*o.Dt, y.apical, y.inn.rate, y.pi)
	}
}

func (c *Circuit) finite() error {
	t := c.Time()
	for l, y := range c.layers {
		if err := dynamics.CheckFinite("pyramidal cells of a layer", y.pyr.u, len(y.pyr.u), t); err != nil {
			return fmt.Errorf("circuit: layer %d: %w", l+1, err)
		}
		if len(y.inn.u) > 0 {
			if err := dynamics.CheckFinite("interneurons", y.inn.u, len(y.inn.u), t); err != nil {
				return fmt.Errorf("circuit: layer %d: %w", l+1, err)
			}
		}
	}
	return nil
}

// Time is the time since New [ms].
func (c *Circuit) Time() float64 { return c.clock.Time(c.step) }

// Output are ŭ of the output cells, in the original model u: the circuit's own memory, valid
// until the next Step.
func (c *Circuit) Output() []float64 { return c.layers[len(c.layers)-1].pyr.ahead }

// Soma are u of the pyramidal cells of layer l = 1, …, L. It is the circuit's own memory, as that
// of Apical and Interneurons.
func (c *Circuit) Soma(l int) []float64 { return c.layers[l-1].pyr.u }

// Apical are the apical potentials of hidden layer l.
func (c *Circuit) Apical(l int) []float64 { return c.layers[l-1].apical }

// Interneurons are ŭ (in the original model u) of the interneurons of hidden layer l.
func (c *Circuit) Interneurons(l int) []float64 { return c.layers[l-1].inn.ahead }

// Kind is a kind of synapses.
type Kind int

const (
	Up   Kind = iota // from the layer below to basal dendrites of layer l = 1, …, L
	Down             // from layer l+1 to apical dendrites of hidden layer l; they do not learn
	PI               // from interneurons to apical dendrites of hidden layer l
	IP               // from pyramidal cells of hidden layer l to its interneurons
)

func (c *Circuit) weights(k Kind, l int) (linalg.Mat[float64], error) {
	if l < 1 || l > len(c.layers) || k < Up || k > IP || k != Up && l == len(c.layers) {
		return linalg.Mat[float64]{}, fmt.Errorf("circuit: no synapses of kind %d in layer %d: must be Up in layers 1 to %d, or Down, PI or IP below", k, l, len(c.layers))
	}
	y := c.layers[l-1]
	return [...]linalg.Mat[float64]{Up: y.up, Down: y.down, PI: y.pi, IP: y.ip}[k], nil
}

// Weights returns a copy of weights, postsynaptic cells by rows.
func (c *Circuit) Weights(k Kind, l int) (*mat.Dense, error) {
	m, err := c.weights(k, l)
	if err != nil {
		return nil, err
	}
	return mat.NewDense(m.Rows, m.Cols, append([]float64(nil), m.Data...)), nil
}

// SetWeights replaces weights by others of the shape of Weights.
func (c *Circuit) SetWeights(k Kind, l int, w mat.Matrix) error {
	m, err := c.weights(k, l)
	if err != nil {
		return err
	}
	if w == nil {
		return fmt.Errorf("circuit: weights are nil: must be %d×%d", m.Rows, m.Cols)
	}
	if r, n := w.Dims(); r != m.Rows || n != m.Cols {
		return fmt.Errorf("circuit: weights are %d×%d: must be %d×%d", r, n, m.Rows, m.Cols)
	}
	for i := range m.Rows {
		for j := range m.Cols {
			if v := w.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("circuit: weight %d,%d is %v: must be finite", i, j, v)
			}
		}
	}
	for i := range m.Rows {
		for j := range m.Cols {
			m.Data[i*m.Stride+j] = w.At(i, j)
		}
	}
	return nil
}

// SetRates replaces the learning rates, for instance to learn self-prediction first.
func (c *Circuit) SetRates(up []float64, ip, pi float64) error {
	o := c.o
	o.Up, o.IP, o.PI = append([]float64(nil), up...), ip, pi
	if up == nil {
		o.Up = nil
	}
	if err := o.check(); err != nil {
		return err
	}
	c.o = o
	return nil
}

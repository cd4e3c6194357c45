package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

// tauRef is the refractory time of the neurons, and the biological time that a sweep stands
// for [ms].
const tauRef = dream.TauRef

// classifier is a way to classify by sampling label units while the pixels are held.
type classifier struct {
	name, note string
	unit       float64 // biological time of a unit of the sampler's [ms]
	lag        float64 // a state counts that much earlier [units]: that which ends a sweep stands for it
	// make returns what one goroutine classifies with.
	make func() (eye, error)
}

// eye is a network that can be shown images.
type eye interface {
	sampling.Sampler
	// show presents an image at time 0 to a network whose other units are off.
	show(image []uint8, src rand.Source) error
	// labels is the first of the label units.
	labels() int
}

// classifiers are those that there are.
func (b *bench) classifiers() []classifier {
	plastic := b.setup
	plastic.Synapse, plastic.STP = lif.Plastic, b.stp
	rect := b.setup
	rect.PSP = lif.Rect
	conditioned := func(s lif.Setup, t lif.Translation) func() (eye, error) {
		return func() (eye, error) { return b.newConditioned(s, t) }
	}
	whole := func(s lif.Setup) func() (eye, error) { return func() (eye, error) { return b.newWhole(s) } }
	return []classifier{
		{"gibbs", "blocked Gibbs sampling, a sweep for every 10 ms: exact", tauRef, 1, func() (eye, error) { return &gibbsEye{cond: b.given}, nil }},
		{"lif", "renewing synapses", 1, 0, conditioned(b.setup, lif.Published)},
		{"lif-stp", "short-term plasticity, " + b.plasticity.String(), 1, 0, conditioned(plastic, lif.Published)},
		{"lif-pixels", "renewing synapses, a neuron for every pixel that bursts or is silent", 1, 0, whole(b.setup)},
		{"lif-stp-pixels", "short-term plasticity of all synapses, those from the pixels too", 1, 0, whole(plastic)},
		{"lif-rect", "rectangular PSPs", 1, 0, conditioned(rect, lif.Published)},
		{"lif-tail", "renewing synapses, their tails corrected", 1, 0, conditioned(b.setup, lif.TailCorrected)},
	}
}

// usual are the classifiers that run if nothing else is said.
const usual = "gibbs,lif,lif-stp,lif-pixels,lif-stp-pixels,lif-rect"

// chosen are the classifiers of a list of names separated by commas, in its order.
func (b *bench) chosen(list string) ([]classifier, error) {
	all := b.classifiers()
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	var out []classifier
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("%q: must be of %s", name, strings.Join(names, ", "))
		}
		if slices.ContainsFunc(out, func(c classifier) bool { return c.name == name }) {
			return nil, fmt.Errorf("%s twice: must be listed once", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// conditional is the machine of some visible units and all hidden ones while the other
// visible units are held. Only the biases of hidden units depend on what they are held at.
type conditional struct {
	held  []int // visible units
	free  []int
	w     *mat.Dense // couplings of the free visible units
	wHeld *mat.Dense // and of the others
	b, c  []float64
}

func newConditional(r *boltzmann.RBM, held []int) *conditional {
	d := &conditional{held: held, c: r.C()}
	all, b := r.W(), r.B()
	nh := r.Hidden()
	for i := range r.Visible() {
		if !slices.Contains(held, i) {
			d.free = append(d.free, i)
			d.b = append(d.b, b[i])
		}
	}
	rows := func(units []int) *mat.Dense {
		w := mat.NewDense(len(units), nh, nil)
		for k, i := range units {
			w.SetRow(k, all.RawRowView(i))
		}
		return w
	}
	d.w, d.wHeld = rows(d.free), rows(held)
	return d
}

// given is the machine while held unit k has the value v[k].
func (d *conditional) given(v []uint8) (*boltzmann.RBM, error) {
	c := slices.Clone(d.c)
	for k, on := range v {
		if on != 0 {
			for j, w := range d.wHeld.RawRowView(k) {
				c[j] += w
			}
		}
	}
	return boltzmann.NewRBM(d.w, d.b, c)
}

// gibbsEye is a Gibbs chain of the machine given the image.
type gibbsEye struct {
	cond *conditional
	*boltzmann.Fast
}

func (*gibbsEye) labels() int { return 0 }

func (g *gibbsEye) show(image []uint8, src rand.Source) error {
	r, err := g.cond.given(image)
	if err != nil {
		return err
	}
	if g.Fast, err = boltzmann.NewFast(r, boltzmann.FastOptions{}); err != nil {
		return err
	}
	return g.Reset(make([]uint8, g.Dim()), src)
}

// conditioned is a network of the label and hidden units; the image is in their resting
// potentials, as an exact clamp.
type conditioned struct {
	cond *conditional
	*lif.Sampler
}

func (b *bench) newConditioned(s lif.Setup, t lif.Translation) (*conditioned, error) {
	m, err := machineGiven(b.given, make([]uint8, b.model.Pixels()))
	if err != nil {
		return nil, err
	}
	o := lif.Options{Translation: t}
	if t == lif.TailCorrected {
		o.Rates = slices.Repeat([]float64{0.5}, m.Dim())
	}
	n, err := lif.NewSampler(m, s, o)
	return &conditioned{b.given, n}, err
}

func machineGiven(c *conditional, v []uint8) (*boltzmann.Machine, error) {
	r, err := c.given(v)
	if err != nil {
		return nil, err
	}
	return r.Machine()
}

func (*conditioned) labels() int { return 0 }

func (n *conditioned) show(image []uint8, src rand.Source) error {
	m, err := machineGiven(n.cond, image)
	if err != nil {
		return err
	}
	if err := n.SetMachine(m); err != nil {
		return err
	}
	return n.Reset(make([]uint8, n.Dim()), src)
}

// whole is the network of all units, the one that also dreams: a pixel is held by a resting
// potential at which its neuron bursts or is silent.
type whole struct {
	pixels, first int // number of pixels, first label unit
	rest          []float64
	on, off       float64 // resting potentials of held neurons [mV]
	*lif.Network
}

// drive is how far beyond half activation a held neuron is put [α].
const drive = 20

func (b *bench) newWhole(s lif.Setup) (*whole, error) {
	cal, err := lif.StoredCalibration(b.setup)
	if err != nil {
		return nil, err
	}
	bio, err := b.biological()
	if err != nil {
		return nil, err
	}
	np := b.model.Pixels()
	w := &whole{pixels: np, first: np + b.model.Hidden(), rest: slices.Clone(bio.Rest), on: cal.VHalf + drive*cal.Alpha, off: cal.VHalf - drive*cal.Alpha}
	w.Network, err = lif.NewNetwork(s, w.rest, bio.Weights, lif.NetworkOptions{})
	return w, err
}

func (w *whole) labels() int { return w.first }

func (w *whole) show(image []uint8, src rand.Source) error {
	start := make([]uint8, w.Dim())
	copy(start, image)
	for i, on := range image {
		w.rest[i] = w.off
		if on != 0 {
			w.rest[i] = w.on
		}
	}
	if err := w.SetRest(w.rest); err != nil {
		return err
	}
	return w.Reset(start, src)
}

// try makes one network of each, so that what a network refuses is known before the first
// runs.
func try(ctx context.Context, list []classifier) error {
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := c.make(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

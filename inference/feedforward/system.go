package feedforward

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

var (
	_ dynamics.Energetic  = (*Landscape)(nil)
	_ dynamics.Semilinear = (*Landscape)(nil)
	_ dynamics.Semilinear = (*Potentials)(nil)
)

// field is what both systems share: a network with its input, and memory for a batch. It is
// for one goroutine at a time.
type field struct {
	n *Network
	x linalg.Mat[float64] // a copy; one row for all states, or one for each
	w *work
}

func newField(n *Network, x mat.Matrix) (field, error) {
	in, err := n.input(x)
	if err != nil {
		return field{}, err
	}
	own := linalg.NewMat[float64](in.Rows, in.Cols)
	for b := range in.Rows {
		copy(own.Row(b), in.Row(b))
	}
	return field{n: n, x: own}, nil
}

// batch makes room for as many states as x has, and takes up their inputs.
func (f *field) batch(x []float64) {
	d := f.n.Hidden()
	if len(x) == 0 || len(x)%d != 0 {
		panic("feedforward: states of wrong length")
	}
	rows := len(x) / d
	if f.w != nil && len(f.w.worst) == rows {
		return
	}
	if f.x.Rows != 1 && f.x.Rows != rows {
		panic("feedforward: must have one input, or one for every state")
	}
	f.w = newWork(f.n, nil, rows)
	if f.x.Rows == rows {
		f.w.clamp(f.x)
		return
	}
	one := newWork(f.n, nil, 1)
	one.clamp(f.x)
	fill(f.w.base, one.base.Row(0))
}

// Landscape is the energy of a Leaky network given inputs as a system of the shared core,
// over all hidden units by rows (State.Flat):
//
//	dh/dt = r'(h) a(h) − h = −∂E/∂h .
//
// Its law is p(h) ∝ exp(−E(h)/T), which a Langevin sampler draws from. With linear r it is
// Gaussian, and there is none if the couplings have an eigenvalue of 1 or more; see
// ExactGains and Contraction. Weights that change later take effect, except W_1 and b_1.
type Landscape struct{ field }

// NewLandscape returns the system; x has one input for all states of a batch, or one for each.
// Networks of other energies are refused: that of a Clipped one does not rise outside of
// [0, 1], and the free energy of mean field is bounded in the potentials, so exp(−E/T) is no
// law there. See Potentials for their dynamics.
func NewLandscape(n *Network, x mat.Matrix) (*Landscape, error) {
	if n.energy != Leaky {
		return nil, fmt.Errorf("feedforward: landscape of a %v network: must be Leaky", n.energy)
	}
	f, err := newField(n, x)
	return &Landscape{f}, err
}

// Dim is the number of hidden units.
func (l *Landscape) Dim() int { return l.n.Hidden() }

// load takes up states and computes all drives.
func (f *field) load(x []float64, rates func(r, x []float64)) {
	f.batch(x)
	for b := range f.w.worst {
		for i := range f.w.h {
			h := f.w.h[i].Row(b)
			x = x[copy(h, x):]
			rates(f.w.r[i].Row(b), h)
		}
	}
}

// Energy writes E of every state to dst.
func (l *Landscape) Energy(dst, x []float64) {
	l.load(x, l.n.rates)
	l.w.energies(dst)
}

// Gradient writes ∂E/∂h = h − r'(h) a(h) to dst.
func (l *Landscape) Gradient(dst, x []float64) { l.slope(dst, x, -1) }

// Drift writes −∂E/∂h to dst.
func (l *Landscape) Drift(dst, x []float64, _ float64) { l.slope(dst, x, 1) }

func (l *Landscape) slope(dst, x []float64, sign float64) {
	l.load(x, l.n.rates)
	for i := range l.w.h {
		l.w.drive(i)
	}
	for b := range l.w.worst {
		for i := range l.w.h {
			a := l.w.a[i].Row(b)
			for j, h := range l.w.h[i].Row(b) {
				dst[j] = sign * (l.n.slope(h)*a[j] - h)
			}
			dst = dst[len(a):]
		}
	}
}

// Leak writes 1 for every unit: the term −h.
func (l *Landscape) Leak(dst []float64) { ones(dst) }

// Potentials are the membranes of a Boltzmann or Clipped network given inputs,
//
//	du/dt = −u + a(f(u)) ,
//
// whose rest is the fixed point of relaxation, h = f(u). They go down the energy, but have no
// law of their own: at a temperature above 0 they are refused.
type Potentials struct {
	field
}

// NewPotentials returns the system; x has one input for all states of a batch, or one for each.
func NewPotentials(n *Network, x mat.Matrix) (*Potentials, error) {
	if n.energy == Leaky {
		return nil, errors.New("feedforward: potentials of a Leaky network: its states are potentials; see Landscape")
	}
	f, err := newField(n, x)
	return &Potentials{f}, err
}

// Dim is the number of hidden units.
func (p *Potentials) Dim() int { return p.n.Hidden() }

// Drift writes −u + a(f(u)) to dst.
func (p *Potentials) Drift(dst, x []float64, _ float64) {
	p.load(x, p.n.activate)
	for i := range p.w.h {
		p.w.drive(i)
	}
	for b := range p.w.worst {
		for i := range p.w.a {
			for j, a := range p.w.a[i].Row(b) {
				dst[j] = a - x[j]
			}
			k := p.w.a[i].Cols
			dst, x = dst[k:], x[k:]
		}
	}
}

// Leak writes 1 for every unit: the term −u.
func (p *Potentials) Leak(dst []float64) { ones(dst) }

func ones(x []float64) {
	for i := range x {
		x[i] = 1
	}
}

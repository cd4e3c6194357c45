package feedforward

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Energy is the kind of a network; the package documentation has the formulas.
type Energy int

const (
	// Boltzmann machines of units in {0, 1}; states h are probabilities, relaxation is mean field.
	Boltzmann Energy = iota
	// Clipped Hopfield networks, as in the code of equilibrium propagation.
	Clipped
	// Leaky Hopfield networks (Bengio and Fischer 2015).
	Leaky
)

var energies = [...]string{"Boltzmann", "Clipped", "Leaky"}

// String is the name of the energy.
func (e Energy) String() string {
	if e < 0 || int(e) >= len(energies) {
		return fmt.Sprintf("Energy(%d)", int(e))
	}
	return energies[e]
}

// Rate is the nonlinearity r of a Leaky network.
type Rate int

const (
	Linear      Rate = iota // r(h) = h
	HardSigmoid             // r(h) = clip(h, 0, 1), its slope 1 on the borders
	Sigmoid                 // r(h) = σ(h)
)

var rates = [...]string{"Linear", "HardSigmoid", "Sigmoid"}

// String is the name of the nonlinearity.
func (r Rate) String() string {
	if r < 0 || int(r) >= len(rates) {
		return fmt.Sprintf("Rate(%d)", int(r))
	}
	return rates[r]
}

// Options says what New makes. The zero value is the default.
type Options struct {
	Energy Energy // default Boltzmann
	Rate   Rate   // of Leaky networks, default Linear; for others it must be left 0

	// Visible are biases of the input units (n_0), which only reconstruction uses; default 0.
	Visible []float64

	// TopDown are the shares b_k^td of the biases of layers 1 to N−1 that belong to the top-down
	// branch, as learned; default: see the package documentation.
	TopDown [][]float64

	// Down, if given, are the top-down weights (n_{k−1}×n_k). There is an energy only if they are
	// the transposes of w, so others are refused.
	Down []mat.Matrix
}

// Network is a layered energy network. Learning changes it; otherwise it is read only, and
// any number of goroutines may use it.
type Network struct {
	energy Energy
	rate   Rate
	size   []int                 // n_0, …, n_N
	w      []linalg.Mat[float64] // w[i] is W_{i+1}, n_{i+1}×n_i
	b      [][]float64           // b[i] is that of layer i+1, both shares
	td     [][]float64           // learned top-down shares of layers 1 to N−1; nil: none learned
	b0     []float64
}

// New returns the network with weights w[k−1] = W_k (n_k×n_{k−1}) and biases b[k−1] = b_k,
// k = 1, …, N; all are copied. It refuses empty layers, shapes that differ, NaN and ±Inf.
func New(w []mat.Matrix, b [][]float64, o Options) (*Network, error) {
	if len(w) == 0 {
		return nil, errors.New("feedforward: no weights: must have at least one layer above the input")
	}
	if len(b) != len(w) {
		return nil, fmt.Errorf("feedforward: %d vectors of biases with %d weight matrices: must be as many", len(b), len(w))
	}
	if o.Energy < 0 || int(o.Energy) >= len(energies) {
		return nil, fmt.Errorf("feedforward: Energy = %d: must be Boltzmann, Clipped or Leaky", int(o.Energy))
	}
	if o.Rate < 0 || int(o.Rate) >= len(rates) {
		return nil, fmt.Errorf("feedforward: Rate = %d: must be Linear, HardSigmoid or Sigmoid", int(o.Rate))
	}
	if o.Energy != Leaky && o.Rate != Linear {
		return nil, fmt.Errorf("feedforward: Rate = %v of a %v network: is for Leaky ones", o.Rate, o.Energy)
	}
	n := &Network{energy: o.Energy, rate: o.Rate}
	for k, m := range w {
		if m == nil {
			return nil, fmt.Errorf("feedforward: W_%d is nil", k+1)
		}
		r, c := m.Dims()
		if r == 0 || c == 0 {
			return nil, fmt.Errorf("feedforward: W_%d is %d×%d: no layer may be empty", k+1, r, c)
		}
		if k == 0 {
			n.size = append(n.size, c)
		}
		if c != n.size[k] {
			return nil, fmt.Errorf("feedforward: W_%d is %d×%d: must have %d columns, the units of layer %d", k+1, r, c, n.size[k], k)
		}
		n.size = append(n.size, r)
		x := linalg.NewMat[float64](r, c)
		for i := range r {
			for j := range c {
				x.Data[i*c+j] = m.At(i, j)
			}
		}
		n.w = append(n.w, x)
		n.b = append(n.b, slices.Clone(b[k]))
	}
	n.b0 = slices.Clone(o.Visible)
	if n.b0 == nil {
		n.b0 = make([]float64, n.size[0])
	}
	if o.TopDown != nil {
		if len(o.TopDown) != len(w)-1 {
			return nil, fmt.Errorf("feedforward: TopDown of %d layers: must be of %d, all but the top", len(o.TopDown), len(w)-1)
		}
		n.td = make([][]float64, len(w)-1)
		for i, t := range o.TopDown {
			n.td[i] = slices.Clone(t)
		}
	}
	if err := n.validate(); err != nil {
		return nil, err
	}
	return n, n.checkDown(o.Down)
}

// FromLayered returns the network of a layered Boltzmann machine, whose layer 0 becomes the input.
func FromLayered(m *boltzmann.Layered) (*Network, error) {
	if m == nil {
		return nil, errors.New("feedforward: machine is nil")
	}
	var w []mat.Matrix
	var b [][]float64
	for l := range m.Layers() {
		from, to := m.Layer(l)
		x := make([]float64, to-from)
		for i := range x {
			x[i] = m.Bias(from + i)
		}
		b = append(b, x)
		if l > 0 {
			w = append(w, m.Weight(l-1).T())
		}
	}
	return New(w, b[1:], Options{Visible: b[0]})
}

// Glorot returns a network of layers of these sizes, n_0 first, with weights uniform in
// ±√(6/(n_k + n_{k−1})) and biases 0 (Glorot and Bengio 2010).
func Glorot(sizes []int, o Options, src rand.Source) (*Network, error) {
	if len(sizes) < 2 {
		return nil, fmt.Errorf("feedforward: %d layers: must be at least 2, the input and one more", len(sizes))
	}
	if src == nil {
		return nil, errors.New("feedforward: random source is nil")
	}
	r := rand.New(src)
	var w []mat.Matrix
	var b [][]float64
	for k, n := range sizes {
		if n < 1 || n > 1<<20 {
			return nil, fmt.Errorf("feedforward: layer %d of %d units: must have 1 to 2^20", k, n)
		}
		if k == 0 {
			continue
		}
		m := mat.NewDense(n, sizes[k-1], nil)
		span := math.Sqrt(6 / float64(n+sizes[k-1]))
		for i := range m.RawMatrix().Data {
			m.RawMatrix().Data[i] = span * (2*r.Float64() - 1)
		}
		w, b = append(w, m), append(b, make([]float64, n))
	}
	return New(w, b, o)
}

// validate reports lengths and numbers that New refuses.
func (n *Network) validate() error {
	var errs []error
	vector := func(name string, x []float64, size int) {
		if len(x) != size {
			errs = append(errs, fmt.Errorf("feedforward: %s has %d entries: must have %d", name, len(x), size))
		} else if i := notFinite(x); i >= 0 {
			errs = append(errs, fmt.Errorf("feedforward: %s[%d] = %v: must be finite", name, i, x[i]))
		}
	}
	for k, w := range n.w {
		if i := notFinite(w.Data); i >= 0 {
			errs = append(errs, fmt.Errorf("feedforward: W_%d[%d,%d] = %v: must be finite", k+1, i/w.Cols, i%w.Cols, w.Data[i]))
		}
		vector(fmt.Sprintf("b_%d", k+1), n.b[k], n.size[k+1])
	}
	for k, x := range n.td {
		vector(fmt.Sprintf("TopDown[%d]", k), x, n.size[k+1])
	}
	vector("Visible", n.b0, n.size[0])
	return errors.Join(errs...)
}

// checkDown refuses top-down weights that are not the transposes, to rounding.
func (n *Network) checkDown(down []mat.Matrix) error {
	if down == nil {
		return nil
	}
	if len(down) != len(n.w) {
		return fmt.Errorf("feedforward: %d top-down matrices: must be %d", len(down), len(n.w))
	}
	for k, d := range down {
		w := n.w[k]
		if d == nil {
			return fmt.Errorf("feedforward: Down[%d] is nil", k)
		}
		if r, c := d.Dims(); r != w.Cols || c != w.Rows {
			return fmt.Errorf("feedforward: Down[%d] is %d×%d: must be %d×%d, the transpose of W_%d", k, r, c, w.Cols, w.Rows, k+1)
		}
		for i := range w.Rows {
			for j := range w.Cols {
				up := w.Data[i*w.Cols+j]
				if x := d.At(j, i); !(math.Abs(x-up) <= 1e-12*math.Abs(up)) {
					return fmt.Errorf("feedforward: Down[%d][%d,%d] = %v, W_%d[%d,%d] = %v: must be equal: without symmetric weights there is no energy", k, j, i, x, k+1, i, j, up)
				}
			}
		}
	}
	return nil
}

// notFinite is the index of the first entry that is NaN or infinite, −1 if there is none.
func notFinite(x []float64) int {
	return slices.IndexFunc(x, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// Energy is the kind of the network.
func (n *Network) Energy() Energy { return n.energy }

// Rate is the nonlinearity of a Leaky network.
func (n *Network) Rate() Rate { return n.rate }

// Layers is N, the number of layers above the input.
func (n *Network) Layers() int { return len(n.w) }

// Sizes are n_0, …, n_N.
func (n *Network) Sizes() []int { return slices.Clone(n.size) }

// Hidden is the number of units above the input, n_1 + … + n_N.
func (n *Network) Hidden() int {
	sum := 0
	for _, x := range n.size[1:] {
		sum += x
	}
	return sum
}

// Weight is a copy of W_k, k = 1, …, N (n_k×n_{k−1}). It panics for another k.
func (n *Network) Weight(k int) *mat.Dense {
	w := n.w[k-1]
	return mat.NewDense(w.Rows, w.Cols, slices.Clone(w.Data))
}

// Bias is a copy of b_k; that of the input units for k = 0.
func (n *Network) Bias(k int) []float64 {
	if k == 0 {
		return slices.Clone(n.b0)
	}
	return slices.Clone(n.b[k-1])
}

// TopDown is a copy of the top-down shares of the biases of layers 1 to N−1, as learned or
// given; nil if there are none.
func (n *Network) TopDown() [][]float64 {
	var out [][]float64
	for _, t := range n.td {
		out = append(out, slices.Clone(t))
	}
	return out
}

// Clone is a copy that learns by itself.
func (n *Network) Clone() *Network {
	c := *n
	c.size, c.w, c.b, c.td = slices.Clone(n.size), nil, nil, n.TopDown()
	for i, w := range n.w {
		w.Data = slices.Clone(w.Data)
		c.w, c.b = append(c.w, w), append(c.b, slices.Clone(n.b[i]))
	}
	c.b0 = slices.Clone(n.b0)
	return &c
}

// Given is the Boltzmann machine of the hidden layers given the input x: layer l of it is
// layer l+1 here, and W_1 x is in its biases. It is an error if the network is no Boltzmann
// machine, or has one hidden layer, whose units are independent.
func (n *Network) Given(x []float64) (*boltzmann.Layered, error) {
	b, err := n.given(x)
	if err != nil {
		return nil, err
	}
	if len(n.w) < 2 {
		return nil, errors.New("feedforward: one hidden layer: its units are independent given x, which is no layered machine")
	}
	var w []mat.Matrix
	for k := 2; k <= len(n.w); k++ {
		w = append(w, n.Weight(k).T())
	}
	m, err := boltzmann.NewLayered(w, b)
	if err != nil {
		return nil, fmt.Errorf("feedforward: %w", err)
	}
	return m, nil
}

// given are the biases of the hidden layers given x.
func (n *Network) given(x []float64) ([][]float64, error) {
	if n.energy != Boltzmann {
		return nil, fmt.Errorf("feedforward: a %v network: only Boltzmann ones have binary units", n.energy)
	}
	if len(x) != n.size[0] {
		return nil, fmt.Errorf("feedforward: input of %d units: must have %d", len(x), n.size[0])
	}
	if i := notFinite(x); i >= 0 {
		return nil, fmt.Errorf("feedforward: x[%d] = %v: must be finite", i, x[i])
	}
	b := make([][]float64, len(n.b))
	for i := range b {
		b[i] = slices.Clone(n.b[i])
	}
	linalg.Gemv(false, 1, n.w[0], x, 1, b[0])
	return b, nil
}

// Contraction is a factor q by which a parallel update of all layers shrinks distances at
// least, Lip(f) Lip(r) ‖B‖₂ with B the block matrix of the couplings W_2, …, W_N. Below 1 there
// is one fixed point, and a start at distance d from it needs at most ln(d/tol)/ln(1/q)
// sweeps; above, nothing is said.
func (n *Network) Contraction() (float64, error) {
	// Layers of one parity couple only with the other: ‖B‖₂ is the norm of one block.
	first := make([]int, len(n.w))
	var total [2]int
	for i := range n.w {
		first[i] = total[i%2]
		total[i%2] += n.size[i+1]
	}
	if total[1] == 0 {
		return 0, nil
	}
	m := mat.NewDense(total[0], total[1], nil)
	for i := 1; i < len(n.w); i++ {
		w := n.w[i]
		for r := range w.Rows {
			for c := range w.Cols {
				a, b := first[i]+r, first[i-1]+c
				if i%2 == 1 {
					a, b = b, a
				}
				m.Set(a, b, w.Data[r*w.Cols+c])
			}
		}
	}
	var svd mat.SVD
	if !svd.Factorize(m, mat.SVDNone) {
		return 0, errors.New("feedforward: the singular values of the couplings were not found")
	}
	q := n.lipschitz() * svd.Values(nil)[0]
	if n.energy == Leaky && n.rate == Sigmoid {
		q /= 4
	}
	return q, nil
}

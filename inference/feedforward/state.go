package feedforward

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// State is the hidden layers of a batch of B samples: entry k−1 is h_k, B×n_k.
type State []*mat.Dense

// NewState returns a state of zeros.
func (n *Network) NewState(rows int) State {
	s := make(State, len(n.w))
	for i := range s {
		s[i] = mat.NewDense(rows, n.size[i+1], nil)
	}
	return s
}

// Rows is B, the number of samples.
func (s State) Rows() int {
	if len(s) == 0 {
		return 0
	}
	r, _ := s[0].Dims()
	return r
}

// Clone is a copy.
func (s State) Clone() State {
	c := make(State, len(s))
	for i, m := range s {
		c[i] = mat.DenseCopyOf(m)
	}
	return c
}

// Row appends the units of sample b to dst, layer 1 first: the order of Given's machine.
func (s State) Row(dst []float64, b int) []float64 {
	for _, m := range s {
		dst = append(dst, m.RawRowView(b)...)
	}
	return dst
}

// Flat is all samples by rows, B×(n_1 + … + n_N), as systems of package dynamics have it.
func (s State) Flat() []float64 {
	var x []float64
	for b := range s.Rows() {
		x = s.Row(x, b)
	}
	return x
}

// FromFlat is the state of all samples by rows.
func (n *Network) FromFlat(x []float64) (State, error) {
	d := n.Hidden()
	if len(x) == 0 || len(x)%d != 0 {
		return nil, fmt.Errorf("feedforward: %d numbers: must be a multiple of %d, the units of a sample", len(x), d)
	}
	s := n.NewState(len(x) / d)
	for b := range s.Rows() {
		for _, m := range s {
			x = x[copy(m.RawRowView(b), x):]
		}
	}
	return s, nil
}

// Draw writes a binary state to z, every unit on with probability h of sample b, which must
// be in [0, 1] as in Boltzmann networks.
func (s State) Draw(z []uint8, b int, r *rand.Rand) error {
	if b < 0 || b >= s.Rows() {
		return fmt.Errorf("feedforward: sample %d: must be in 0..%d", b, s.Rows()-1)
	}
	i := 0
	for _, m := range s {
		for _, h := range m.RawRowView(b) {
			if !(h >= 0 && h <= 1) {
				return fmt.Errorf("feedforward: h = %v of unit %d: must be a probability", h, i)
			}
			if i == len(z) {
				return fmt.Errorf("feedforward: binary state of %d units: too short", len(z))
			}
			z[i] = 0
			if r.Float64() < h {
				z[i] = 1
			}
			i++
		}
	}
	if i != len(z) {
		return fmt.Errorf("feedforward: binary state of %d units: must have %d", len(z), i)
	}
	return nil
}

// Starts returns what start options of samplers take (sampling.ChainOptions,
// boltzmann.FastChains.Reset): chain c starts from a draw of sample c mod B by
// rng.Stream(seed, "start", c). Units that start on in a spiking sampler are then at a random
// point of their refractory time, by its own doing.
func (s State) Starts(seed uint64) (func(chain int, z []uint8), error) {
	rows, units := s.Rows(), 0
	if rows == 0 {
		return nil, errors.New("feedforward: a state without samples")
	}
	for k, m := range s {
		if i := badProbability(m); i >= 0 {
			return nil, fmt.Errorf("feedforward: layer %d has a state that is no probability", k+1)
		}
		units += m.RawMatrix().Cols
	}
	s = s.Clone()
	return func(chain int, z []uint8) {
		if len(z) != units {
			panic("feedforward: start state of wrong length")
		}
		// Nothing else can fail.
		_ = s.Draw(z, chain%rows, rand.New(rng.Stream(seed, "start", chain)))
	}, nil
}

func badProbability(m *mat.Dense) int {
	rows, _ := m.Dims()
	for b := range rows {
		for _, h := range m.RawRowView(b) {
			if !(h >= 0 && h <= 1) {
				return b
			}
		}
	}
	return -1
}

// input is x by rows, in its own memory if it has that form.
func (n *Network) input(x mat.Matrix) (linalg.Mat[float64], error) {
	var none linalg.Mat[float64]
	if x == nil {
		return none, errors.New("feedforward: no inputs")
	}
	rows, cols := x.Dims()
	if rows == 0 || cols != n.size[0] {
		return none, fmt.Errorf("feedforward: inputs are %d×%d: must be B×%d, a sample a row", rows, cols, n.size[0])
	}
	if rows > 1<<24 {
		return none, fmt.Errorf("feedforward: %d inputs: must be at most 2^24", rows)
	}
	var in linalg.Mat[float64]
	if d, ok := x.(mat.RawMatrixer); ok {
		raw := d.RawMatrix()
		in = lin(raw.Rows, raw.Cols, raw.Stride, raw.Data)
	} else {
		in = linalg.NewMat[float64](rows, cols)
		for i := range rows {
			for j := range cols {
				in.Data[i*cols+j] = x.At(i, j)
			}
		}
	}
	for i := range rows {
		if j := notFinite(in.Row(i)); j >= 0 {
			return none, fmt.Errorf("feedforward: input %d of sample %d is %v: must be finite", j, i, in.Row(i)[j])
		}
	}
	return in, nil
}

// checkState refuses states of other shapes or outside the range of the energy.
func (n *Network) checkState(s State, rows int) error {
	if len(s) != len(n.w) {
		return fmt.Errorf("feedforward: state of %d layers: must have %d", len(s), len(n.w))
	}
	for i, m := range s {
		if m == nil {
			return fmt.Errorf("feedforward: layer %d of the state is nil", i+1)
		}
		if r, c := m.Dims(); r != rows || c != n.size[i+1] {
			return fmt.Errorf("feedforward: layer %d of the state is %d×%d: must be %d×%d", i+1, r, c, rows, n.size[i+1])
		}
		for b := range rows {
			for j, h := range m.RawRowView(b) {
				if math.IsNaN(h) || math.IsInf(h, 0) || n.energy != Leaky && (h < 0 || h > 1) {
					rule := "in [0, 1]"
					if n.energy == Leaky {
						rule = "finite"
					}
					return fmt.Errorf("feedforward: state of unit %d of layer %d, sample %d, is %v: must be %s", j, i+1, b, h, rule)
				}
			}
		}
	}
	return nil
}

package boltzmann

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/sampling"
)

// Quantisation says how a machine was rounded to a grid.
type Quantisation struct {
	// Grid g: all weights and biases are whole multiples of it. It is a power of two,
	// so that sums of them are exact [nats].
	Grid float64
	// WeightError and BiasError are the largest changes of a weight and of a bias, at most
	// g/2; 0 if the machine was on the grid already [nats].
	WeightError, BiasError float64
}

// Quantisable is a model that has a quantised form and fast samplers: a *Machine, a
// *Layered or an *RBM.
type Quantisable interface {
	sampling.Incremental
	quantise() (Quantisable, Quantisation, error)
}

// Quantise returns the machine that [Fast] and [FastChains] sample in place of m, of the
// same type: all weights and biases rounded to multiples of a grid g. g is the smallest
// power of two on which weights have 14 bits and a sign, max |W| < 2^14 g, and no log odds
// reaches 2^26 g. A weight is then off by g/2 at most, about max |W|·2^−14, unless biases or
// the number of units are so large that the second condition is the one that counts.
// Quantising twice changes nothing.
func Quantise[M Quantisable](m M) (M, Quantisation, error) {
	var none M
	if any(m) == nil {
		return none, Quantisation{}, errors.New("boltzmann: Quantise: model is nil")
	}
	q, info, err := m.quantise()
	if err != nil {
		return none, info, err
	}
	return q.(M), info, nil
}

func (m *Machine) quantise() (Quantisable, Quantisation, error) {
	if m == nil {
		return nil, Quantisation{}, errors.New("boltzmann: Quantise: model is nil")
	}
	q := &quantiser{b: m.b, w: [][]float64{m.w}, field: make([]float64, m.n)}
	for k := range m.n {
		for _, w := range m.row(k) {
			q.field[k] += math.Abs(w)
		}
	}
	q.choose()
	r := &Machine{n: m.n, w: q.round(m.w, &q.WeightError), b: q.round(m.b, &q.BiasError)}
	return r, q.Quantisation, nil
}

func (m *Layered) quantise() (Quantisable, Quantisation, error) {
	if m == nil {
		return nil, Quantisation{}, errors.New("boltzmann: Quantise: model is nil")
	}
	q := &quantiser{b: m.b, w: m.up, field: make([]float64, m.Dim())}
	for k := range q.field {
		for _, side := range []func(int) ([]float64, int){m.lower, m.upper} {
			row, _ := side(k)
			for _, w := range row {
				q.field[k] += math.Abs(w)
			}
		}
	}
	q.choose()
	r := &Layered{first: m.first, layer: m.layer, b: q.round(m.b, &q.BiasError)}
	for l := range m.up {
		r.up = append(r.up, q.round(m.up[l], &q.WeightError))
		r.down = append(r.down, q.round(m.down[l], &q.WeightError))
	}
	return r, q.Quantisation, nil
}

func (r *RBM) quantise() (Quantisable, Quantisation, error) {
	q, info, err := r.layered().quantise()
	if err != nil {
		return nil, info, err
	}
	return &RBM{*q.(*Layered)}, info, nil
}

// quantiser chooses the grid and rounds.
type quantiser struct {
	Quantisation
	w     [][]float64
	b     []float64
	field []float64 // Σ_j |W_kj| by unit
}

func (q *quantiser) choose() {
	weight, field := 0.0, 0.0
	for _, w := range q.w {
		for _, x := range w {
			weight = max(weight, math.Abs(x))
		}
	}
	for k, x := range q.field {
		field = max(field, x+math.Abs(q.b[k]))
	}
	// No smaller than what keeps multiples and squares of it normal numbers.
	q.Grid = math.Ldexp(1, -500)
	for math.Round(weight/q.Grid) > gibbskernel.MaxWeight || field/q.Grid+float64(len(q.b))+1 >= gibbskernel.MaxField {
		q.Grid *= 2
	}
}

func (q *quantiser) round(x []float64, largest *float64) []float64 {
	if x == nil {
		return nil
	}
	y := make([]float64, len(x))
	for i, a := range x {
		y[i] = math.RoundToEven(a/q.Grid) * q.Grid
		*largest = max(*largest, math.Abs(y[i]-a))
	}
	return y
}

// String describes the quantisation.
func (q Quantisation) String() string {
	return fmt.Sprintf("grid %.3g, weights within %.3g, biases within %.3g", q.Grid, q.WeightError, q.BiasError)
}

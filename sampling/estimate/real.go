package estimate

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// RealMoments estimates means and covariances of the variables of a RealSampler. Standard
// errors come from the spread between chains, so they are right however strongly the states
// of a chain depend on each other; they need at least two chains, and are good from ten or so.
type RealMoments struct {
	n      int
	origin []float64 // first state seen, subtracted from all for accuracy
	chains []realSums
}

// realSums are the sums of a chain: 1, x, and the upper triangle of xxᵀ, about the origin.
type realSums struct {
	count float64
	x, xx []float64
}

// NewRealMoments returns an empty estimator of n variables.
func NewRealMoments(n int) (*RealMoments, error) {
	if n < 1 {
		return nil, fmt.Errorf("estimate: %d variables: must be ≥ 1", n)
	}
	return &RealMoments{n: n}, nil
}

// RecordReal adds a state of every chain.
func (m *RealMoments) RecordReal(t float64, x []float64, chains int) error {
	if chains < 1 || len(x) != chains*m.n {
		return fmt.Errorf("estimate: %d chains of %d entries in all: must be of %d variables", chains, len(x), m.n)
	}
	if m.chains == nil {
		m.origin = append([]float64(nil), x[:m.n]...)
		m.chains = make([]realSums, chains)
		for c := range m.chains {
			m.chains[c] = realSums{x: make([]float64, m.n), xx: make([]float64, m.n*(m.n+1)/2)}
		}
	}
	if chains != len(m.chains) {
		return fmt.Errorf("estimate: %d chains: must be %d, as before", chains, len(m.chains))
	}
	for c := range m.chains {
		s := &m.chains[c]
		s.count++
		row := x[c*m.n : (c+1)*m.n]
		k := 0
		for i, v := range row {
			v -= m.origin[i]
			s.x[i] += v
			for j, w := range row[i:] {
				s.xx[k+j] += v * (w - m.origin[i+j])
			}
			k += m.n - i
		}
	}
	return nil
}

// Merge adds the chains of o, as further chains.
func (m *RealMoments) Merge(o *RealMoments) error {
	if o.n != m.n {
		return fmt.Errorf("estimate: merge of %d variables with %d", m.n, o.n)
	}
	if m.chains == nil {
		*m = *o
		return nil
	}
	for _, s := range o.chains {
		m.chains = append(m.chains, s.about(o.origin, m.origin))
	}
	return nil
}

// about moves the sums from one origin to another.
func (s realSums) about(from, to []float64) realSums {
	n := len(from)
	r := realSums{count: s.count, x: make([]float64, n), xx: make([]float64, len(s.xx))}
	k := 0
	for i := range n {
		di := from[i] - to[i]
		r.x[i] = s.x[i] + s.count*di
		for j := i; j < n; j++ {
			dj := from[j] - to[j]
			r.xx[k] = s.xx[k] + di*s.x[j] + dj*s.x[i] + s.count*di*dj
			k++
		}
	}
	return r
}

// Chains is the number of chains.
func (m *RealMoments) Chains() int { return len(m.chains) }

// Count is the number of states of all chains.
func (m *RealMoments) Count() int64 {
	n := 0.0
	for _, s := range m.chains {
		n += s.count
	}
	return int64(n)
}

// total are the sums of all chains.
func (m *RealMoments) total() realSums {
	t := realSums{x: make([]float64, m.n), xx: make([]float64, m.n*(m.n+1)/2)}
	for _, s := range m.chains {
		t.count += s.count
		for i, v := range s.x {
			t.x[i] += v
		}
		for i, v := range s.xx {
			t.xx[i] += v
		}
	}
	return t
}

var errNoStates = errors.New("estimate: no state was recorded")

// Mean is the mean of every variable, with its standard error in se (NaN for one chain).
func (m *RealMoments) Mean() (mean, se []float64, err error) {
	if m.Count() == 0 {
		return nil, nil, errNoStates
	}
	t := m.total()
	mean, se = make([]float64, m.n), make([]float64, m.n)
	for i := range mean {
		c := t.x[i] / t.count
		mean[i] = m.origin[i] + c
		se[i] = m.spread(t.count, func(s *realSums) float64 { return s.x[i] - s.count*c })
	}
	return mean, se, nil
}

// Cov is the covariance of the variables, with its standard errors.
func (m *RealMoments) Cov() (cov, se *mat.SymDense, err error) {
	if m.Count() == 0 {
		return nil, nil, errNoStates
	}
	t := m.total()
	cov, se = mat.NewSymDense(m.n, nil), mat.NewSymDense(m.n, nil)
	k := 0
	for i := range m.n {
		for j := i; j < m.n; j++ {
			mi, mj := t.x[i]/t.count, t.x[j]/t.count
			c := t.xx[k]/t.count - mi*mj
			cov.SetSym(i, j, c)
			at := k
			se.SetSym(i, j, m.spread(t.count, func(s *realSums) float64 {
				return s.xx[at] - mi*s.x[j] - mj*s.x[i] + s.count*(mi*mj-c)
			}))
			k++
		}
	}
	return cov, se, nil
}

// spread is the standard error of Σ_c f(c)/count, whose terms are independent and have mean 0.
func (m *RealMoments) spread(count float64, f func(*realSums) float64) float64 {
	b := float64(len(m.chains))
	if b < 2 {
		return math.NaN()
	}
	ss := 0.0
	for c := range m.chains {
		v := f(&m.chains[c])
		ss += v * v
	}
	return math.Sqrt(ss*b/(b-1)) / count
}

// RealSeries keeps every recorded state, for diagnostics that need the order of states: Rhat,
// ESSMean, IACT, Describe. It takes 8 bytes for every variable of every state.
type RealSeries struct {
	n      int
	values [][][]float64 // variable, chain, state
	times  []float64
}

// NewRealSeries returns an empty record of n variables.
func NewRealSeries(n int) (*RealSeries, error) {
	if n < 1 {
		return nil, fmt.Errorf("estimate: %d variables: must be ≥ 1", n)
	}
	return &RealSeries{n: n}, nil
}

// RecordReal adds a state of every chain.
func (s *RealSeries) RecordReal(t float64, x []float64, chains int) error {
	if chains < 1 || len(x) != chains*s.n {
		return fmt.Errorf("estimate: %d chains of %d entries in all: must be of %d variables", chains, len(x), s.n)
	}
	if s.values == nil {
		s.values = make([][][]float64, s.n)
		for i := range s.values {
			s.values[i] = make([][]float64, chains)
		}
	}
	if len(s.values[0]) != chains {
		return fmt.Errorf("estimate: %d chains: must be %d, as before", chains, len(s.values[0]))
	}
	for i := range s.values {
		for c := range chains {
			s.values[i][c] = append(s.values[i][c], x[c*s.n+i])
		}
	}
	s.times = append(s.times, t)
	return nil
}

// Variable is the series of variable i, one for every chain: what Rhat and its kin take. It is
// the record's own memory.
func (s *RealSeries) Variable(i int) [][]float64 {
	if s.values == nil {
		return nil
	}
	return s.values[i]
}

// Times are the times of the states [ms].
func (s *RealSeries) Times() []float64 { return s.times }

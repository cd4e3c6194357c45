package estimate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

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
	if err := checkMerge(m, o); err != nil {
		return err
	}
	if o.n != m.n {
		return fmt.Errorf("estimate: merge of %d variables with %d", m.n, o.n)
	}
	if m.chains == nil {
		m.origin = slices.Clone(o.origin)
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

type realMomentsJSON struct {
	N      int         `json:"n"`
	Origin []float64   `json:"origin"`
	Count  []float64   `json:"count"` // by chain
	X      [][]float64 `json:"x"`     // Σ(x − origin)
	XX     [][]float64 `json:"xx"`    // Σ(x − origin)(x − origin)ᵀ, upper triangle by rows
}

// MarshalJSON writes the sums of all chains.
func (m *RealMoments) MarshalJSON() ([]byte, error) {
	enc := realMomentsJSON{N: m.n, Origin: m.origin}
	for _, s := range m.chains {
		enc.Count, enc.X, enc.XX = append(enc.Count, s.count), append(enc.X, s.x), append(enc.XX, s.xx)
	}
	return json.Marshal(enc)
}

// UnmarshalJSON restores the sums. It changes nothing if it fails.
func (m *RealMoments) UnmarshalJSON(b []byte) error {
	var dec realMomentsJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: moments: %w", err)
	}
	chains := len(dec.Count)
	if dec.N < 1 || len(dec.X) != chains || len(dec.XX) != chains || chains > 0 && len(dec.Origin) != dec.N {
		return fmt.Errorf("estimate: moments of %d variables and %d chains with %d and %d sums and an origin of %d: must fit", dec.N, chains, len(dec.X), len(dec.XX), len(dec.Origin))
	}
	r := RealMoments{n: dec.N, origin: dec.Origin}
	for c, count := range dec.Count {
		if !(count >= 1) || count != math.Floor(count) || len(dec.X[c]) != dec.N || len(dec.XX[c]) != dec.N*(dec.N+1)/2 {
			return fmt.Errorf("estimate: chain %d of moments has %v states and %d and %d sums: must be ≥ 1, %d and %d", c, count, len(dec.X[c]), len(dec.XX[c]), dec.N, dec.N*(dec.N+1)/2)
		}
		r.chains = append(r.chains, realSums{count, dec.X[c], dec.XX[c]})
	}
	*m = r
	return nil
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

// Merge adds the chains of o, which must have been recorded at the same times, as further chains.
func (s *RealSeries) Merge(o *RealSeries) error {
	if err := checkMerge(s, o); err != nil {
		return err
	}
	if o.n != s.n || !slices.Equal(o.times, s.times) {
		return fmt.Errorf("estimate: merge of series of %d variables at %d times with %d at %d: variables and times must be the same", s.n, len(s.times), o.n, len(o.times))
	}
	for i := range s.values {
		for _, chain := range o.values[i] {
			s.values[i] = append(s.values[i], slices.Clone(chain))
		}
	}
	return nil
}

type realSeriesJSON struct {
	N      int           `json:"n"`
	Times  []float64     `json:"times"`  // [ms]
	Values [][][]float64 `json:"values"` // by variable, chain, state
}

// MarshalJSON writes all states.
func (s *RealSeries) MarshalJSON() ([]byte, error) {
	return json.Marshal(realSeriesJSON{s.n, s.times, s.values})
}

// UnmarshalJSON restores them. It changes nothing if it fails.
func (s *RealSeries) UnmarshalJSON(b []byte) error {
	var dec realSeriesJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: series: %w", err)
	}
	if dec.N < 1 || len(dec.Values) != dec.N && (dec.Values != nil || len(dec.Times) > 0) {
		return fmt.Errorf("estimate: series of %d variables with those of %d: must be the same, and ≥ 1", dec.N, len(dec.Values))
	}
	for i, chains := range dec.Values {
		if len(chains) == 0 || len(chains) != len(dec.Values[0]) {
			return fmt.Errorf("estimate: variable %d of a series has %d chains: must be ≥ 1, as many as all", i, len(chains))
		}
		for _, x := range chains {
			if len(x) != len(dec.Times) {
				return fmt.Errorf("estimate: variable %d of a series has %d states at %d times", i, len(x), len(dec.Times))
			}
		}
	}
	*s = RealSeries{dec.N, dec.Values, dec.Times}
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

package estimate

import (
	"encoding/json"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
)

// Moments estimates E z_i and E z_i z_j by dwell time, in O(number of units on) per flip
// and n² memory.
type Moments struct {
	n      int
	asked  int       // n given to NewMoments, if it was refused
	pair   []float64 // n×n; the sum of entries (i,j) and (j,i) is the closed time both were on
	since  []float64 // start of the open on period of a unit that is on
	active []int32   // units that are on, in no order
	place  []int32   // index of a unit in active, -1 when off
	begun  bool
	from   float64
	now    float64
	time   float64
	flips  int64
}

// maxMoments bounds n of a Moments: its sums take 8 GB there.
const maxMoments = 1 << 15

// NewMoments returns an estimator for states of 1 to 32768 units. (Begin reports any other
// n.)
func NewMoments(n int) *Moments {
	if n < 0 || n > maxMoments {
		return &Moments{asked: n}
	}
	m := &Moments{n: n, pair: make([]float64, n*n), since: make([]float64, n),
		active: make([]int32, 0, n), place: make([]int32, n)}
	for k := range m.place {
		m.place[k] = -1
	}
	return m
}

// Begin implements [sampling.Recorder]. It refuses a state of another size than n.
func (m *Moments) Begin(t float64, z []uint8) error {
	if m.n == 0 {
		return fmt.Errorf("estimate: moments of %d units: must be 1 to %d", m.asked, maxMoments)
	}
	if err := checkBegin(t, z, m.n); err != nil {
		return err
	}
	m.close()
	m.begun, m.from, m.now = true, t, t
	m.active = m.active[:0]
	for k, v := range z {
		m.place[k] = -1
		if v == 1 {
			m.on(int32(k), t)
		}
	}
	return nil
}

// Record implements [sampling.Recorder].
func (m *Moments) Record(flips []sampling.Flip, t float64) {
	if !m.begun {
		panic(notBegun)
	}
	for _, f := range flips {
		if f.On == 1 {
			m.on(f.Unit, f.Time)
		} else {
			m.off(f.Unit, f.Time)
		}
	}
	m.flips += int64(len(flips))
	m.now = t
}

func (m *Moments) on(k int32, t float64) {
	m.since[k] = t
	m.place[k] = int32(len(m.active))
	m.active = append(m.active, k)
}

// off closes the time k was on together with every unit that is on, k among them: two
// units are on together from the later of their onsets.
func (m *Moments) off(k int32, t float64) {
	row := m.pair[int(k)*m.n:][:m.n]
	since := m.since[k]
	for _, j := range m.active {
		row[j] += t - max(since, m.since[j])
	}
	last := m.active[len(m.active)-1]
	m.active[m.place[k]] = last
	m.place[last] = m.place[k]
	m.active = m.active[:len(m.active)-1]
	m.place[k] = -1
}

// close moves the open stretch into the sums; recording can go on.
func (m *Moments) close() {
	for a, i := range m.active {
		for _, j := range m.active[:a+1] {
			m.pair[int(i)*m.n+int(j)] += m.now - max(m.since[i], m.since[j])
		}
	}
	for _, i := range m.active {
		m.since[i] = m.now
	}
	m.time += m.now - m.from
	m.from = m.now
}

// both is the closed time i and j were on together.
func (m *Moments) both(i, j int) float64 {
	if i == j {
		return m.pair[i*m.n+i]
	}
	return m.pair[i*m.n+j] + m.pair[j*m.n+i]
}

// Mean is E z_i of every unit, NaN if no time was recorded.
func (m *Moments) Mean() []float64 {
	m.close()
	mean := make([]float64, m.n)
	for k := range mean {
		mean[k] = share(m.both(k, k), m.time)
	}
	return mean
}

// Second is the n×n matrix of E z_i z_j; its diagonal is E z_i. NaN if no time was
// recorded.
func (m *Moments) Second() *mat.SymDense {
	m.close()
	if m.n == 0 {
		return &mat.SymDense{}
	}
	s := mat.NewSymDense(m.n, nil)
	for i := range m.n {
		for j := i; j < m.n; j++ {
			s.SetSym(i, j, share(m.both(i, j), m.time))
		}
	}
	return s
}

// Cov is the n×n covariance matrix E z_i z_j - E z_i E z_j.
func (m *Moments) Cov() *mat.SymDense {
	s, mean := m.Second(), m.Mean()
	if m.n == 0 {
		return s
	}
	s.SymRankOne(s, -1, mat.NewVecDense(len(mean), mean))
	return s
}

// Time is the time recorded, summed over merged chains.
func (m *Moments) Time() float64 { return m.time + (m.now - m.from) }

// Flips is the number of flips recorded.
func (m *Moments) Flips() int64 { return m.flips }

// Merge adds the record of o, which must have as many units.
func (m *Moments) Merge(o *Moments) error {
	if err := checkMerge(m, o); err != nil {
		return err
	}
	if m.n != o.n {
		return fmt.Errorf("estimate: merge of moments of %d and %d units: must be equal", m.n, o.n)
	}
	m.close()
	o.close()
	for i, v := range o.pair {
		m.pair[i] += v
	}
	m.time += o.time
	m.flips += o.flips
	return nil
}

type momentsJSON struct {
	Units int       `json:"units"`
	Time  float64   `json:"time"`
	Flips int64     `json:"flips"`
	Both  []float64 `json:"both"` // time units i ≤ j were on together: (0,0), (0,1), …, (1,1), …
}

// MarshalJSON encodes the sums; a stretch that is open counts as closed.
func (m *Moments) MarshalJSON() ([]byte, error) {
	m.close()
	enc := momentsJSON{Units: m.n, Time: m.time, Flips: m.flips, Both: []float64{}}
	for i := range m.n {
		for j := i; j < m.n; j++ {
			enc.Both = append(enc.Both, m.both(i, j))
		}
	}
	return json.Marshal(enc)
}

// UnmarshalJSON restores the sums. Recording goes on after the next Begin.
func (m *Moments) UnmarshalJSON(b []byte) error {
	var dec momentsJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: moments: %w", err)
	}
	if err := checkSums(dec.Time, dec.Flips); err != nil {
		return err
	}
	if dec.Units < 0 || dec.Units > maxMoments || len(dec.Both) != dec.Units*(dec.Units+1)/2 {
		return fmt.Errorf("estimate: moments of %d units have %d pairs: must have units·(units+1)/2", dec.Units, len(dec.Both))
	}
	if err := checkTimes("time of pair", dec.Both...); err != nil {
		return err
	}
	*m = *NewMoments(dec.Units)
	m.time, m.flips = dec.Time, dec.Flips
	for i, p := 0, 0; i < m.n; i++ {
		for j := i; j < m.n; j, p = j+1, p+1 {
			m.pair[i*m.n+j] = dec.Both[p]
		}
	}
	return nil
}

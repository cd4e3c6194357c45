package lumped

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

// maxStates bounds the lumped chain: its matrices are dense.
const maxStates = 2000

// Chain is the lumped random-scan Gibbs chain.
type Chain struct {
	sizes  []int
	units  int
	counts [][]int   // of every state
	pi     []float64 // stationary probabilities
	logZ   float64
	rate   [][]float64 // probabilities of a visit to lead from one state to another; the diagonal is 0
}

// New lumps Gibbs sampling of p(z)^beta, p of model m, to the counts of groups of sizes[g]
// successive units. The units of a group must be exchangeable; New compares states with
// the first and the last units of each group on and refuses a model where they differ.
func New(m sampling.Model, sizes []int, beta float64) (*Chain, error) {
	if m == nil {
		return nil, errors.New("lumped: model is nil")
	}
	if math.IsNaN(beta) || math.IsInf(beta, 0) || beta < 0 {
		return nil, fmt.Errorf("lumped: beta = %v: must be finite and ≥ 0", beta)
	}
	c := &Chain{}
	states := 1
	for g, n := range sizes {
		if n < 1 || n > maxStates {
			return nil, fmt.Errorf("lumped: group %d has %d units: must be in 1..%d", g, n, maxStates)
		}
		if states *= n + 1; states > maxStates {
			return nil, fmt.Errorf("lumped: more than %d states", maxStates)
		}
		c.units += n
	}
	if c.units != m.Dim() {
		return nil, fmt.Errorf("lumped: groups of %v units have %d together, the model has %d: must be the same", sizes, c.units, m.Dim())
	}
	c.sizes = append(c.sizes, sizes...)
	energy, err := c.energies(m, states, beta)
	if err != nil {
		return nil, err
	}
	c.stationary(energy)
	c.transitions(energy)
	return c, nil
}

// energies lists the states and β times their energies.
func (c *Chain) energies(m sampling.Model, states int, beta float64) ([]float64, error) {
	energy := make([]float64, states)
	first, last := make([]uint8, c.units), make([]uint8, c.units)
	for s := range states {
		rest, from := s, 0
		counts := make([]int, len(c.sizes))
		for g, n := range c.sizes {
			counts[g] = rest % (n + 1)
			rest /= n + 1
			for i := range n {
				first[from+i], last[from+i] = 0, 0
				if i < counts[g] {
					first[from+i] = 1
				}
				if i >= n-counts[g] {
					last[from+i] = 1
				}
			}
			from += n
		}
		e, other := m.Energy(first), m.Energy(last)
		if !(math.Abs(e-other) <= 1e-9*(1+math.Abs(e))) {
			return nil, fmt.Errorf("lumped: energies %v and %v of states with %v units on: units of a group must be exchangeable, energies finite", e, other, counts)
		}
		energy[s] = beta * e
		c.counts = append(c.counts, counts)
	}
	return energy, nil
}

// stationary computes π and log Z.
func (c *Chain) stationary(energy []float64) {
	c.pi = make([]float64, len(energy))
	top := math.Inf(-1)
	for s, counts := range c.counts {
		x := -energy[s]
		for g, n := range c.sizes {
			x += logChoose(n, counts[g])
		}
		c.pi[s] = x
		top = max(top, x)
	}
	total := 0.0
	for s, x := range c.pi {
		c.pi[s] = math.Exp(x - top)
		total += c.pi[s]
	}
	for s := range c.pi {
		c.pi[s] /= total
	}
	c.logZ = top + math.Log(total)
}

// logChoose is log C(n, k).
func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	d, _ := math.Lgamma(float64(n - k + 1))
	return a - b - d
}

// transitions fills rate.
func (c *Chain) transitions(energy []float64) {
	c.rate = make([][]float64, len(energy))
	for s, counts := range c.counts {
		c.rate[s] = make([]float64, len(energy))
		stride := 1
		for g, n := range c.sizes {
			if m := counts[g]; m < n {
				c.rate[s][s+stride] = float64(n-m) / float64(c.units) * heatBath(energy[s], energy[s+stride])
			}
			if m := counts[g]; m > 0 {
				c.rate[s][s-stride] = float64(m) / float64(c.units) * heatBath(energy[s], energy[s-stride])
			}
			stride *= n + 1
		}
	}
}

// heatBath is the probability to take the second of two states.
func heatBath(e, other float64) float64 { return 1 / (1 + math.Exp(other-e)) }

// States is the number of states of the lumped chain.
func (c *Chain) States() int { return len(c.pi) }

// Counts is the number of units on in every group in state s, not to be changed.
func (c *Chain) Counts(s int) []int { return c.counts[s] }

// State is the state with these numbers of units on. It panics if there is none.
func (c *Chain) State(counts ...int) int {
	if len(counts) != len(c.sizes) {
		panic("lumped: State needs one count for each group")
	}
	s, stride := 0, 1
	for g, n := range c.sizes {
		if counts[g] < 0 || counts[g] > n {
			panic("lumped: no state with that count")
		}
		s += counts[g] * stride
		stride *= n + 1
	}
	return s
}

// Probability is π of state s.
func (c *Chain) Probability(s int) float64 { return c.pi[s] }

// LogZ is log Σ_z exp(−βE(z)) over all 2^N states.
func (c *Chain) LogZ() float64 { return c.logZ }

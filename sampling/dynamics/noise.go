package dynamics

import (
	"fmt"
	"math"
)

// Poisson is a train of events at a constant rate, each of size Weight. The unit of
// Weight is the synapse's: nA for a current, µS for a conductance.
type Poisson struct {
	Rate   float64 // [Hz]
	Weight float64
}

// Validate reports what is wrong with the source.
func (p Poisson) Validate() error {
	if !(p.Rate >= 0) || math.IsInf(p.Rate, 0) {
		return fmt.Errorf("dynamics: Rate = %v Hz: must be finite and ≥ 0", p.Rate)
	}
	if math.IsNaN(p.Weight) || math.IsInf(p.Weight, 0) {
		return fmt.Errorf("dynamics: Weight = %v: must be finite", p.Weight)
	}
	return nil
}

// maxMean is the largest mean count a CountTable is made for; its length grows with the
// mean, and e^{−mean} must not underflow.
const maxMean = 64

// CountTable turns a uniform 32-bit word into a Poisson count by inverting the
// distribution function: the count is the number of entries ≤ the word. Probabilities
// are exact to 2⁻³².
type CountTable []uint32

// NewCountTable returns the table for the number of events in dt [ms] at rate [Hz].
// An empty table means that no event ever comes.
func NewCountTable(rate, dt float64) (CountTable, error) {
	mean := rate * dt / 1000
	if !(rate >= 0 && dt >= 0 && mean <= maxMean) {
		return nil, fmt.Errorf("dynamics: %v Hz bring %v events per step of %v ms: must be between 0 and %d; take a smaller step",
			rate, mean, dt, maxMean)
	}
	if mean == 0 {
		return nil, nil
	}
	const one = 1 << 32
	var t CountTable
	p := math.Exp(-mean)
	cdf := p
	for n := 1; ; n++ {
		x := math.Round(cdf * one)
		if x >= one {
			return t, nil
		}
		t = append(t, uint32(x))
		p *= mean / float64(n)
		cdf += p
		if float64(n) > mean && p*one < 0.25 {
			return t, nil
		}
	}
}

// First is the smallest word that stands for an event, or the largest of all if no event
// ever comes: Count need not be asked below it.
func (t CountTable) First() uint32 {
	if len(t) == 0 {
		return math.MaxUint32
	}
	return t[0]
}

// Count is the number of events that the uniform word u stands for.
func (t CountTable) Count(u uint32) int {
	n := 0
	for n < len(t) && u >= t[n] {
		n++
	}
	return n
}

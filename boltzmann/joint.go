package boltzmann

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
)

// maxJoint is the largest Dim for which Joint makes a table: 8 MB of probabilities.
const maxJoint = 20

// ErrTooManyUnits is wrapped by errors about models too large for enumeration.
var ErrTooManyUnits = errors.New("too many units")

// Joint returns all 2^N probabilities of m; bit k of the index is the value of unit k. It
// takes any model of at most 20 units. An energy of +Inf is an impossible state; NaN, −Inf
// and a model without any possible state are errors.
func Joint(m sampling.Model) ([]float64, error) {
	if m == nil {
		return nil, errors.New("boltzmann: Joint: model is nil")
	}
	n := m.Dim()
	if n < 1 {
		return nil, fmt.Errorf("boltzmann: Joint: model has %d units: must have at least one", n)
	}
	if n > maxJoint {
		return nil, fmt.Errorf("boltzmann: Joint: %w: %d, at most %d (a table of 2^N)", ErrTooManyUnits, n, maxJoint)
	}
	p := make([]float64, 1<<n)
	z := make([]uint8, n)
	top := math.Inf(-1)
	for s := range p {
		for k := range z {
			z[k] = uint8(s >> k & 1)
		}
		e := m.Energy(z)
		if math.IsNaN(e) || math.IsInf(e, -1) {
			return nil, fmt.Errorf("boltzmann: Joint: energy of state %v is %v: must be finite or +Inf", z, e)
		}
		p[s] = -e
		top = max(top, p[s])
	}
	if math.IsInf(top, -1) {
		return nil, errors.New("boltzmann: Joint: every state has energy +Inf: at least one must be possible")
	}
	var sum accumulator
	for s, logp := range p {
		p[s] = math.Exp(logp - top)
		sum.add(p[s])
	}
	total := sum.value()
	for s := range p {
		p[s] /= total
	}
	return p, nil
}

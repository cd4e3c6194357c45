package lif

import (
	"context"
	"math"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// reference is what a translation has to know about the law it translates: at which
// activity of the senders, and at which log odds, a unit works. Both are means over the
// law, each state weighted by the sensitivity σ(u)(1−σ(u)) of the receiving unit: where
// its log odds u are far from 0 an error of its drive has no effect.
type reference struct {
	n     int
	p     []float64 // [to*n+from] activity of a sender as a receiver meets it
	shift []float64 // drive beyond the log odds that the measured response asks for [α]
}

// ratesReference knows only the marginals of the units; nil stands for ½.
func ratesReference(m *boltzmann.Machine, rates []float64, resp *response) *reference {
	n := m.Dim()
	r := &reference{n: n, p: make([]float64, n*n), shift: make([]float64, n)}
	for k := range n {
		u := m.Bias(k)
		for j := range n {
			r.p[k*n+j] = 0.5
			if rates != nil {
				r.p[k*n+j] = rates[j]
			}
			u += m.Weight(k, j) * r.p[k*n+j]
		}
		if resp != nil {
			r.shift[k] = resp.at(u) - u
		}
	}
	return r
}

// Limits of the reference that a Sampler makes by itself.
const (
	exactUnits = 16  // units up to which the law is enumerated
	pilotWork  = 4e7 // sweeps × units² of the Gibbs run above
)

// newReference takes the means over the law of m itself, exact or from a short Gibbs run
// with a fixed seed.
func newReference(m *boltzmann.Machine, resp *response) (*reference, error) {
	n := m.Dim()
	a := &averages{reference: reference{n: n, p: make([]float64, n*n), shift: make([]float64, n)},
		m: m, resp: resp, u: make([]float64, n), norm: make([]float64, n)}
	if n <= exactUnits {
		p, err := boltzmann.Joint(m)
		if err != nil {
			return nil, err
		}
		z := make([]uint8, n)
		for i, w := range p {
			for k := range z {
				z[k] = uint8(i >> k & 1)
			}
			a.add(z, w)
		}
		return a.result(), nil
	}
	g, err := boltzmann.NewGibbs(m, boltzmann.GibbsOptions{})
	if err != nil {
		return nil, err
	}
	if err := g.Reset(nil, rng.Stream(0, "pilot")); err != nil {
		return nil, err
	}
	sweeps := math.Max(200, math.Min(4000, pilotWork/float64(n*n)))
	warm := math.Ceil(sweeps / 10)
	if err := sampling.Run(context.Background(), g, sampling.Schedule{Duration: warm}); err != nil {
		return nil, err
	}
	buf := make([]sampling.Flip, 0, 2*n)
	for t := 1.0; t <= sweeps; t++ {
		for g.Time() < warm+t {
			if _, err := g.Advance(warm+t, buf); err != nil {
				return nil, err
			}
		}
		a.add(g.State(), 1)
	}
	return a.result(), nil
}

// averages accumulates a reference.
type averages struct {
	reference
	m    *boltzmann.Machine
	resp *response
	u    []float64
	norm []float64 // Σ of the weights of each unit
}

func (a *averages) add(z []uint8, w float64) {
	a.m.Logits(a.u, z)
	for k, u := range a.u {
		s := 1 / (1 + math.Exp(-u))
		v := w * s * (1 - s)
		a.norm[k] += v
		row := a.p[k*a.n : k*a.n+a.n]
		for j, on := range z {
			if on == 1 {
				row[j] += v
			}
		}
		if a.resp != nil {
			a.shift[k] += v * (a.resp.at(u) - u)
		}
	}
}

func (a *averages) result() *reference {
	for k, norm := range a.norm {
		if norm <= 0 { // a unit that never changes: any reference will do
			continue
		}
		a.shift[k] /= norm
		for j := range a.n {
			a.p[k*a.n+j] /= norm
		}
	}
	return &a.reference
}

// embed spreads the reference of some units over n units; the others are on or off
// throughout, as fixed says.
func (r *reference) embed(n int, units []int, fixed map[int]uint8) *reference {
	e := &reference{n: n, p: make([]float64, n*n), shift: make([]float64, n)}
	for k := range n {
		for j, v := range fixed {
			e.p[k*n+j] = float64(v)
		}
	}
	for i, k := range units {
		e.shift[k] = r.shift[i]
		for l, j := range units {
			e.p[k*n+j] = r.p[i*r.n+l]
		}
	}
	return e
}

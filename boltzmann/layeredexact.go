package boltzmann

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"sort"

	"github.com/spikesampling/spikesampling/internal/heatbath"
)

// maxSamplesUnits is the most units Samples enumerates: a table of 8 MB.
const maxSamplesUnits = 20

// LayeredExact is what the exact sum says about a layered machine of N units.
type LayeredExact struct {
	LogZ float64   // log Σ_z exp(−E(z)) [nats]
	Mean []float64 // ⟨z_k⟩, N
}

// LogZ is log Σ_z exp(−E(z)) [nats], exactly: the states of the even or of the odd layers,
// whichever have fewer units, are enumerated, and the other layers summed analytically.
// The smaller set must have at most 25 units; the time is about 2^(its units) times the
// other units times 10 ns.
func (m *Layered) LogZ() (float64, error) {
	g, err := m.newGray("LogZ", defaultLimit)
	if err != nil {
		return 0, err
	}
	var z logSum
	for g.next() {
		z.add(g.logWeight())
	}
	return z.value(), nil
}

// Exact is LogZ together with the marginals of all units, which costs a few times more.
func (m *Layered) Exact() (*LayeredExact, error) {
	g, err := m.newGray("Exact", defaultLimit)
	if err != nil {
		return nil, err
	}
	var z logSum
	on := make([]accumulator, m.Dim())
	for g.next() {
		w, rescale := z.add(g.logWeight())
		if rescale != 1 {
			for k := range on {
				on[k].scale(rescale)
			}
		}
		for _, k := range g.listed {
			if g.z[k] != 0 {
				on[k].add(w)
			}
		}
		for _, k := range g.summed {
			on[k].add(w * heatbath.Logistic(g.u[k]))
		}
	}
	e := &LayeredExact{LogZ: z.value(), Mean: make([]float64, m.Dim())}
	for k := range on {
		e.Mean[k] = on[k].value() / z.sum.value()
	}
	return e, nil
}

// Samples draws n independent states z from p(z), exactly: a state of the smaller set of
// layers from its table (at most 20 units), the other layers given it. It is a start for
// reverse AIS and a reference for samplers.
func (m *Layered) Samples(n int, src rand.Source) ([][]uint8, error) {
	if n < 1 {
		return nil, fmt.Errorf("boltzmann: Samples: n = %d: must be ≥ 1", n)
	}
	if src == nil {
		return nil, errors.New("boltzmann: Samples: random source is nil")
	}
	g, err := m.newGray("Samples", maxSamplesUnits)
	if err != nil {
		return nil, err
	}
	table := make([]float64, 0, 1<<len(g.listed)) // log weights in the order of g, then cumulative weights
	top := math.Inf(-1)
	for g.next() {
		table = append(table, g.logWeight())
		top = max(top, table[len(table)-1])
	}
	var total accumulator
	for s, x := range table {
		total.add(math.Exp(x - top))
		table[s] = total.value()
	}

	r := rand.New(src)
	samples := make([][]uint8, n)
	u := make([]float64, m.Dim())
	for c := range samples {
		x := r.Float64() * total.value()
		s := sort.Search(len(table)-1, func(s int) bool { return x < table[s] })
		z := make([]uint8, m.Dim())
		for i, k := range g.listed {
			z[k] = uint8(grayCode(s) >> i & 1)
		}
		m.halfLogits(u, z, g.parity)
		for _, k := range g.summed {
			z[k] = heatbath.Below(r.Float64(), u[k])
		}
		samples[c] = z
	}
	return samples, nil
}

// grayCode is the s-th state of a Gray code; it differs from the one before in bit
// TrailingZeros(s).
func grayCode(s int) int { return s ^ s>>1 }

// gray walks through the states of the listed layers in the order of a Gray code, so that
// one unit flips at a time and the log odds of the summed layers follow by one row.
type gray struct {
	m      *Layered
	parity int   // of the summed layers
	listed []int // units enumerated
	summed []int // units summed analytically
	z      []uint8
	u      []float64 // log odds of the summed units
	own    float64   // Σ b_k z_k of the listed units
	at     int       // states seen so far
}

// newGray lists the smaller of the even and the odd layers; what is the caller's name in
// errors.
func (m *Layered) newGray(what string, limit int) (*gray, error) {
	var units [2][]int
	for k, l := range m.layer {
		units[l%2] = append(units[l%2], k)
	}
	names := [2]string{"even", "odd"}
	p := 0
	if len(units[1]) < len(units[0]) {
		p = 1
	}
	if n := len(units[p]); n > limit {
		return nil, fmt.Errorf("boltzmann: %s: %w: the smaller set of layers (%s) has %d, limit %d (2^%d states, about %d ns each)",
			what, ErrTooManyUnits, names[p], n, limit, n, 10*len(units[1-p]))
	}
	return &gray{m: m, parity: 1 - p, listed: units[p], summed: units[1-p],
		z: make([]uint8, m.Dim()), u: make([]float64, m.Dim())}, nil
}

// next moves to the next state, first to all off. Every few thousand states it computes
// the log odds anew, so that rounding errors do not accumulate.
func (g *gray) next() bool {
	if g.at == 1<<len(g.listed) {
		return false
	}
	if g.at > 0 {
		g.z[g.listed[bits.TrailingZeros(uint(g.at))]] ^= 1
	}
	if g.at%4096 == 0 {
		g.m.halfLogits(g.u, g.z, g.parity)
	} else {
		g.m.Flipped(g.u, g.z, g.listed[bits.TrailingZeros(uint(g.at))])
	}
	g.own = 0
	for _, k := range g.listed {
		if g.z[k] != 0 {
			g.own += g.m.b[k]
		}
	}
	g.at++
	return true
}

// logWeight is the logarithm of the sum of exp(−E) over the states of the summed layers.
func (g *gray) logWeight() float64 {
	x := g.own
	for l := g.parity; l < g.m.Layers(); l += 2 {
		from, to := g.m.Layer(l)
		x += softplusSum(g.u[from:to], 1)
	}
	return x
}

// logSum is log Σ exp(x), relative to the largest x so far.
type logSum struct {
	top     float64
	sum     accumulator
	started bool
}

// add adds exp(x). It returns that weight relative to the new reference, and the factor
// that brings older weights to it.
func (l *logSum) add(x float64) (w, rescale float64) {
	rescale = 1
	if !l.started || x > l.top {
		if l.started {
			rescale = math.Exp(l.top - x)
			l.sum.scale(rescale)
		}
		l.top, l.started = x, true
	}
	w = math.Exp(x - l.top)
	l.sum.add(w)
	return w, rescale
}

func (l *logSum) value() float64 { return l.top + math.Log(l.sum.value()) }

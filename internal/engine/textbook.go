package engine

import (
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Textbook is the honest baseline that speed is compared with: the loop one writes first
// for current-based neurons, in scalar double precision, with a Poisson draw by inversion
// for each receptor, refractory counters, exact propagators and renewing synapses. It
// only counts spikes. c needs one source of one weight per receptor.
type Textbook struct {
	c             Config
	u, current    []float64
	left, last    []int
	fired, before []int
	src           rand.Source
	step          int
	Spikes        int // since the start
}

// NewTextbook starts the loop with all neurons at rest.
func NewTextbook(c Config, src rand.Source) *Textbook {
	t := &Textbook{c: c, u: append([]float64{}, c.Rest...), current: make([]float64, c.N),
		left: make([]int, c.N), last: make([]int, c.N), src: src}
	for i := range t.last {
		t.last[i] = math.MinInt32
	}
	return t
}

// Run does steps steps.
func (t *Textbook) Run(steps int) {
	c := &t.c
	tauM := c.C / c.GLeak
	pm, ps := math.Exp(-c.Dt/tauM), math.Exp(-c.Dt/c.TauE)
	k := dynamics.Convolve(c.Dt, tauM, c.TauE) / c.C
	meanE, meanI := c.NoiseE[0].Rate*c.Dt/1000, c.NoiseI[0].Rate*c.Dt/1000
	zeroE, zeroI := math.Exp(-meanE), math.Exp(-meanI)
	for range steps {
		t.step++
		t.before, t.fired = t.fired, t.before[:0]
		for i := range t.u {
			if t.left[i] > 0 {
				t.left[i]--
			} else {
				t.u[i] = c.Rest[i] + (t.u[i]-c.Rest[i])*pm + t.current[i]*k
				if t.u[i] >= c.Theta {
					t.u[i], t.left[i] = c.Reset, c.Refractory
					t.fired = append(t.fired, i)
					t.Spikes++
				}
			}
			t.current[i] = t.current[i]*ps + c.NoiseE[0].Weight*t.poisson(meanE, zeroE) - c.NoiseI[0].Weight*t.poisson(meanI, zeroI)
		}
		for _, j := range t.before {
			f := 1 - math.Exp(-float64(t.step-t.last[j])*c.Dt/c.TauE)
			t.last[j] = t.step
			for i := range t.current {
				t.current[i] += f * c.Weights[j*c.N+i]
			}
		}
	}
}

// poisson draws a count by inversion; zero is e^{−mean}.
func (t *Textbook) poisson(mean, zero float64) (n float64) {
	x := float64(t.src.Uint64()>>11) / (1 << 53)
	for p, cdf := zero, zero; x > cdf && n < 100; cdf += p {
		n++
		p *= mean / n
	}
	return n
}

package train

import (
	"math/rand/v2"
)

// block is the number of chains that one goroutine moves together, so that they share a
// tile of weights in the cache.
const block = 16

// chain is a Markov chain of blocked Gibbs sampling. Its state is v: h is drawn anew at the
// beginning of every sweep.
type chain struct {
	walker
	v, h  []uint64
	on    []int32 // units of v that are on: in buf[0], or a list of someone else
	buf   [2][]int32
	x     []float32
	fixed []int32
}

func newChain(m *weights, src rand.Source) *chain {
	p := max(m.pv, m.ph)
	c := &chain{walker: walker{beta: 1}, v: make([]uint64, words(m.nv)), h: make([]uint64, words(m.nh)),
		x: make([]float32, p), fixed: make([]int32, p)}
	c.buf[0], c.buf[1] = make([]int32, m.pv+12), make([]int32, m.ph+12)
	c.s.Seed(src.Uint64)
	return c
}

// set makes v the state.
func (c *chain) set(m *weights, v []uint64) {
	copy(c.v, v)
	c.on = m.list(c.buf[0], c.v)
}

// sweep draws h given v, then v given h, in all chains of a block, and computes energies if
// wanted.
func (m *weights) sweep(cs []*chain, energies bool) {
	for t := range m.ph / tile {
		for _, c := range cs {
			m.hidden((*[tile]float32)(c.x[t*tile:]), t, c.on)
		}
	}
	for _, c := range cs {
		m.draw(c.h, &c.s, c.x[:m.ph], m.nh, c.beta, c.fixed)
		c.on = m.list(c.buf[1], c.h)
	}
	for t := range m.pv / tile {
		for _, c := range cs {
			m.visible((*[tile]float32)(c.x[t*tile:]), t, c.on)
		}
	}
	for _, c := range cs {
		m.draw(c.v, &c.s, c.x[:m.pv], m.nv, c.beta, c.fixed)
		hidden := c.on
		c.on = m.list(c.buf[0], c.v)
		if energies {
			c.energy = 0
			for _, j := range hidden {
				c.energy -= float64(m.c[j])
			}
			for _, i := range c.on {
				c.energy -= float64(c.x[i])
			}
		}
	}
}

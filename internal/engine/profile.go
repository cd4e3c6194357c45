package engine

import (
	"math"

	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Profile makes the background vary in time, in blocks of Every steps, over and over:
// step n has block (n/Every) mod len(Factor).
type Profile struct {
	Factor []float64 // of all background rates, ≥ 0
	Shift  []float64 // of all resting potentials [mV]; nil: none
	Every  int       // steps of a block
}

// block is the block that begins at a step; ok is false in the middle of one.
func (p *Profile) block(step int64) (i int, ok bool) {
	if step%int64(p.Every) != 0 {
		return 0, false
	}
	return int(step / int64(p.Every) % int64(len(p.Factor))), true
}

// end is the step at which the block of a step ends.
func (p *Profile) end(step int64) int64 {
	return (step/int64(p.Every) + 1) * int64(p.Every)
}

// most is the largest factor; 1 without a profile.
func (c *Config) most() float64 {
	if c.Profile == nil {
		return 1
	}
	m := 0.0
	for _, x := range c.Profile.Factor {
		m = math.Max(m, x)
	}
	return m
}

// first is the factor at time 0.
func (c *Config) first() float64 {
	if c.Profile == nil {
		return 1
	}
	return c.Profile.Factor[0]
}

// shifts reports whether the profile moves resting potentials.
func (c *Config) shifts() bool { return c.Profile != nil && c.Profile.Shift != nil }

// scaled are sources at factor times their rate.
func scaled(src []dynamics.Poisson, factor float64) []dynamics.Poisson {
	out := make([]dynamics.Poisson, len(src))
	for i, p := range src {
		out[i] = dynamics.Poisson{Rate: p.Rate * factor, Weight: p.Weight}
	}
	return out
}

// distinct lists the different factors of a profile in order of appearance, and for every
// block the index of its factor in the list.
func (p *Profile) distinct() (list []float64, of []int32) {
	index := make(map[float64]int32)
	for _, x := range p.Factor {
		i, ok := index[x]
		if !ok {
			i = int32(len(list))
			index[x] = i
			list = append(list, x)
		}
		of = append(of, i)
	}
	return list, of
}

// table is an alias table of the fast engine at one factor.
type table struct {
	columns   int64
	off       float32
	thr       [32]int32
	alias     [32]byte
	receptors kernel.General // its alias tables only
}

// tables are those of all factors of a profile.
type tables struct {
	list []table
	of   []int32
}

// profile prepares the tables of the fast engine; ok is false if some factor brings more
// events than a table holds.
func (f *Fast) profile() (ok bool) {
	c := &f.cfg
	factors, of := c.Profile.distinct()
	f.tables.of = of
	for _, x := range factors {
		at := *c
		at.NoiseE, at.NoiseI = scaled(c.NoiseE, x), scaled(c.NoiseI, x)
		var t table
		if f.kind == sameCurrents {
			law, _, ok := netLaw(&at)
			if !ok {
				return false
			}
			var b kernel.Block
			b.SetNoise(law)
			t.columns, t.thr, t.alias = b.Columns, b.Thr, b.Alias
			t.off = -f.block.W[0] * float32(len(law)/2)
		} else {
			lawE, lawI, _, _, ok := countLaws(&at)
			if !ok {
				return false
			}
			t.receptors.SetNoise(lawE, lawI)
		}
		f.tables.list = append(f.tables.list, t)
	}
	return true
}

// enter begins a block of the profile.
func (f *Fast) enter(block int) {
	t := &f.tables.list[f.tables.of[block]]
	switch f.kind {
	case sameCurrents:
		f.block.Columns, f.block.Thr, f.block.Alias = t.columns, t.thr, t.alias
		f.block.Off = kernel.All(t.off)
	case sameConductances:
		r := &t.receptors
		f.cond.Columns, f.cond.ThrE, f.cond.ThrI, f.cond.AliasE, f.cond.AliasI = r.Columns, r.ThrE, r.ThrI, r.AliasE, r.AliasI
	default:
		r := &t.receptors
		f.gen.Columns, f.gen.ThrE, f.gen.ThrI, f.gen.AliasE, f.gen.AliasI = r.Columns, r.ThrE, r.ThrI, r.AliasE, r.AliasI
	}
	if f.cfg.shifts() {
		f.rest(f.cfg.Profile.Shift[block])
	}
}

// rest moves the resting potentials by shift [mV] from where they are without. Rectangular
// input stays on its grid.
func (f *Fast) rest(shift float64) {
	for u, lane := range f.lane {
		k := &f.k[u%f.cfg.N]
		if f.grid == 0 {
			f.c[lane] = float32(k.drive * (f.cfg.Rest[u%f.cfg.N] + shift - k.Theta))
		} else {
			f.c[lane] += float32(f.onGrid(k.drive*shift) - f.onGrid(k.drive*f.shift))
		}
	}
	f.shift = shift
}

func (f *Fast) onGrid(x float64) float64 { return math.Round(x/f.grid) * f.grid }

// widest is the largest shift of resting potentials [mV].
func (c *Config) widest() (m float64) {
	if c.shifts() {
		for _, x := range c.Profile.Shift {
			m = math.Max(m, math.Abs(x))
		}
	}
	return m
}

// enter begins a block of the profile.
func (e *Engine) enter(block int) {
	for i := range e.src {
		e.src[i].table = e.profiled[i][e.tableOf[block]]
	}
	if e.cfg.shifts() {
		e.shiftRest(block)
	}
}

// shiftRest moves the resting potentials by the shift of a block.
func (e *Engine) shiftRest(block int) {
	for k, x := range e.cfg.Rest {
		e.rest[k] = x + e.cfg.Profile.Shift[block]
	}
}

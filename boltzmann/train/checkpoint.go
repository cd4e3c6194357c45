package train

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/npy"
)

// A checkpoint is an NPZ file with
//
//	W, b, c                       float32 (nv, nh), (nv,), (nh,)
//	step/W, step/b, step/c        the last steps, which momentum continues
//	update                        int64: updates made
//	chains/v, chains/streams      uint8 (M, nv), int64 (M, 16): states, generators
//	cast/v, cast/streams, cast/level, cast/g, cast/swaps   of CAST
//	hash                          uint8 (32,): SHA-256 of options and data
//	options                       uint8: the options as JSON, to be read by people
//
// The order of images needs no state: it comes from the seed and the number of the epoch.

// settings are the options that decide the course of training.
func (t *Trainer) settings() ([]byte, error) {
	return json.Marshal(struct {
		Pixels, Classes, Images int
		Options
	}{t.pixels, t.classes, t.d.n, t.o})
}

// Checkpoint writes all that Resume needs to go on bit for bit to an NPZ file, which at any
// time is the old one, if there was one, or the whole new one. It is not a model file, but
// NumPy reads W, b and c of it as well. It fails if weights have become infinite, and leaves
// the old file.
func (t *Trainer) Checkpoint(path string) error {
	for _, p := range t.parameters() {
		for _, x := range p.x {
			if x-x != 0 { // NaN or infinite
				return fmt.Errorf("train: checkpoint: %q: %w", p.name, errDiverged)
			}
		}
	}
	a, err := t.archive()
	if err == nil {
		err = npy.WriteZipFile(path, a)
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	return nil
}

func (t *Trainer) archive() (npy.Archive, error) {
	settings, err := t.settings()
	if err != nil {
		return nil, err
	}
	m := t.m
	a := header(settings, t.d.sum(), t.update)
	for _, p := range t.parameters() {
		x := p.x[:p.shape[0]]
		if len(p.shape) == 2 {
			x = make([]float32, m.nv*m.nh)
			for k := range x {
				x[k] = p.x[m.at(k/m.nh, k%m.nh)]
			}
		}
		a = append(a, npy.Entry{Name: p.name, Array: npy.New(x, p.shape...)})
	}
	a = append(a, m.chainArrays("chains/", t.slowest())...)
	if f := t.fast; f != nil {
		a = append(a, m.chainArrays("cast/", f.chains)...)
		a = append(a, f.arrays()...)
	}
	return a, nil
}

// slowest are all chains but the fast ones: with CD more than slow, if the last batch was
// not full.
func (t *Trainer) slowest() []*chain {
	if t.o.Method == CD {
		return t.all
	}
	return t.slow
}

// parameter is an array of a checkpoint.
type parameter struct {
	name  string
	x     []float32
	shape []int
}

func (t *Trainer) parameters() []parameter {
	m := t.m
	return []parameter{
		{"W", m.w, []int{m.nv, m.nh}}, {"b", m.b, []int{m.nv}}, {"c", m.c, []int{m.nh}},
		{"step/W", t.wv, []int{m.nv, m.nh}}, {"step/b", t.bv, []int{m.nv}}, {"step/c", t.cv, []int{m.nh}},
	}
}

// chainArrays are states and generators of chains.
func (m *weights) chainArrays(prefix string, cs []*chain) npy.Archive {
	v, s := make([]uint8, len(cs)*m.nv), make([]int64, 0, 16*len(cs))
	for i, c := range cs {
		for _, k := range c.on {
			v[i*m.nv+int(k)] = 1
		}
		for _, w := range c.s {
			s = append(s, int64(w))
		}
	}
	return npy.Archive{{Name: prefix + "v", Array: npy.New(v, len(cs), m.nv)},
		{Name: prefix + "streams", Array: npy.New(s, len(cs), 16)}}
}

// Resume returns the trainer that wrote a checkpoint, which then goes on as the other would
// have, bit for bit. d and o must be what it was made with; only Start, Parallel and
// OnProgress may differ. It refuses a file of other data or options, and one that is cut or
// corrupt.
func Resume(path string, d Data, o Options) (*Trainer, error) {
	t, err := newTrainer(d, o)
	if err != nil {
		return nil, err
	}
	a, err := npy.ReadZipFile(path)
	if err == nil {
		err = t.restore(a)
	}
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	return t, nil
}

func (t *Trainer) restore(a npy.Archive) error {
	settings, err := t.settings()
	if err != nil {
		return err
	}
	if t.update, err = readHeader(a, settings, t.d.sum(), t.Updates()); err != nil {
		return err
	}
	m := t.m
	for _, p := range t.parameters() {
		x, err := npy.Get[float32](a, p.name, p.shape...)
		if err != nil {
			return err
		}
		for k, v := range x {
			if v-v != 0 {
				return fmt.Errorf("entry %d of %q is %v: must be finite", k, p.name, v)
			}
			if len(p.shape) == 2 {
				k = m.at(k/m.nh, k%m.nh)
			}
			p.x[k] = v
		}
	}
	for h := range m.ph / tile {
		m.turn(h)
	}
	if err := m.restoreChains(a, "chains/", t.slowest()); err != nil {
		return err
	}
	if t.fast == nil {
		return nil
	}
	if err := m.restoreChains(a, "cast/", t.fast.chains); err != nil {
		return err
	}
	return t.fast.restore(a)
}

func (m *weights) restoreChains(a npy.Archive, prefix string, cs []*chain) error {
	v, errV := npy.Get[uint8](a, prefix+"v", len(cs), m.nv)
	s, errS := npy.Get[int64](a, prefix+"streams", len(cs), 16)
	if err := errors.Join(errV, errS); err != nil {
		return err
	}
	for i, c := range cs {
		clear(c.v)
		for k, on := range v[i*m.nv : (i+1)*m.nv] {
			if on > 1 {
				return fmt.Errorf("unit %d of chain %d in %q is %d: must be 0 or 1", k, i, prefix+"v", on)
			}
		}
		setBits(c.v, 0, v[i*m.nv:(i+1)*m.nv])
		c.set(m, c.v)
		var g gibbskernel.Streams
		for k := range g {
			g[k] = uint64(s[16*i+k])
		}
		c.s = g
		for k := range 8 {
			if g[k] == 0 && g[k+8] == 0 {
				return fmt.Errorf("a generator of chain %d in %q is all zero", i, prefix+"streams")
			}
		}
	}
	return nil
}

package train

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spikesampling/spikesampling/internal/npy"
)

// A checkpoint of a DeepTrainer is an NPZ file with
//
//	W<l>, b<l>                    float32 (n_l, n_l+1), (n_l,)
//	step/W<l>, step/b<l>          the last steps, which momentum continues
//	update                        int64: updates made
//	chains/z, chains/streams      uint8 (M, N), int64 (M, 16): states of all units, generators
//	cast/z, cast/streams, cast/level, cast/g, cast/swaps   of CAST
//	clamped/streams               int64 (batch, 16), with Clamped
//	hash, options                 as in a checkpoint of a Trainer

// settings are the options that decide the course of training.
func (t *DeepTrainer) settings() ([]byte, error) {
	return json.Marshal(struct {
		Pixels, Classes, Images int
		DeepOptions
	}{t.pixels, t.classes, t.d.n, t.o})
}

func (t *DeepTrainer) parameters() []parameter {
	var p []parameter
	for l, b := range t.net.b {
		p = append(p, parameter{fmt.Sprintf("b%d", l), b, []int{len(b)}}, parameter{fmt.Sprintf("step/b%d", l), t.biasStep[l], []int{len(b)}})
		if l < len(t.net.w) {
			w := t.net.w[l]
			shape := []int{w.Rows, w.Cols}
			p = append(p, parameter{fmt.Sprintf("W%d", l), w.Data, shape}, parameter{fmt.Sprintf("step/W%d", l), t.step[l].Data, shape})
		}
	}
	return p
}

// Checkpoint writes all that ResumeDeep needs to go on bit for bit to an NPZ file, which at any
// time is the old one, if there was one, or the whole new one. It is not a model file. It fails if
// weights have become infinite, and leaves the old file.
func (t *DeepTrainer) Checkpoint(path string) error {
	a, err := t.archive()
	if err == nil {
		err = npy.WriteZipFile(path, a)
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	return nil
}

func (t *DeepTrainer) archive() (npy.Archive, error) {
	settings, err := t.settings()
	if err != nil {
		return nil, err
	}
	a := header(settings, t.d.sum(), t.update)
	for _, p := range t.parameters() {
		for _, x := range p.x {
			if x-x != 0 {
				return nil, fmt.Errorf("%q: %w", p.name, errDiverged)
			}
		}
		a = append(a, npy.Entry{Name: p.name, Array: npy.New(p.x, p.shape...)})
	}
	a = append(a, t.chainArrays("chains/", t.slow)...)
	if t.fast != nil {
		a = append(a, t.chainArrays("cast/", t.fast.chains)...)
		a = append(a, t.fast.arrays()...)
	}
	if t.posing != nil {
		a = append(a, streams("clamped/", t.posing))
	}
	return a, nil
}

// units is the number of units of all layers.
func (t *DeepTrainer) units() int {
	n := 0
	for _, k := range t.net.sizes {
		n += k
	}
	return n
}

// chainArrays are states and generators of chains.
func (t *DeepTrainer) chainArrays(prefix string, cs []*deepChain) npy.Archive {
	z := make([]uint8, 0, len(cs)*t.units())
	for _, c := range cs {
		for _, layer := range t.chain.z {
			for _, v := range layer.Row(c.row) {
				z = append(z, uint8(v))
			}
		}
	}
	return npy.Archive{{Name: prefix + "z", Array: npy.New(z, len(cs), t.units())}, streams(prefix, cs)}
}

// streams are the generators of chains.
func streams(prefix string, cs []*deepChain) npy.Entry {
	s := make([]int64, 0, 16*len(cs))
	for _, c := range cs {
		for _, w := range c.s {
			s = append(s, int64(w))
		}
	}
	return npy.Entry{Name: prefix + "streams", Array: npy.New(s, len(cs), 16)}
}

// ResumeDeep returns the trainer that wrote a checkpoint, which then goes on as the other would
// have, bit for bit. d and o must be what it was made with; only StartLayered, Parallel and
// OnProgress may differ. It refuses a file of other data or options, and one that is cut or
// corrupt.
func ResumeDeep(path string, d Data, o DeepOptions) (*DeepTrainer, error) {
	t, err := newDeep(d, o)
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

func (t *DeepTrainer) restore(a npy.Archive) error {
	settings, err := t.settings()
	if err != nil {
		return err
	}
	if t.update, err = readHeader(a, settings, t.d.sum(), t.Updates()); err != nil {
		return err
	}
	for _, p := range t.parameters() {
		x, err := npy.Get[float32](a, p.name, p.shape...)
		if err != nil {
			return err
		}
		for k, v := range x {
			if v-v != 0 {
				return fmt.Errorf("entry %d of %q is %v: must be finite", k, p.name, v)
			}
		}
		copy(p.x, x)
	}
	if err := t.restoreChains(a, "chains/", t.slow); err != nil {
		return err
	}
	if t.posing != nil {
		if err := restoreStreams(a, "clamped/", t.posing); err != nil {
			return err
		}
	}
	if t.fast == nil {
		return nil
	}
	if err := t.restoreChains(a, "cast/", t.fast.chains); err != nil {
		return err
	}
	return t.fast.restore(a)
}

func (t *DeepTrainer) restoreChains(a npy.Archive, prefix string, cs []*deepChain) error {
	n := t.units()
	z, err := npy.Get[uint8](a, prefix+"z", len(cs), n)
	if err := errors.Join(err, restoreStreams(a, prefix, cs)); err != nil {
		return err
	}
	for i, c := range cs {
		state := z[i*n : (i+1)*n]
		for k, on := range state {
			if on > 1 {
				return fmt.Errorf("unit %d of chain %d in %q is %d: must be 0 or 1", k, i, prefix+"z", on)
			}
		}
		for _, layer := range t.chain.z {
			row := layer.Row(c.row)
			for k := range row {
				row[k] = float32(state[k])
			}
			state = state[len(row):]
		}
	}
	return nil
}

func restoreStreams(a npy.Archive, prefix string, cs []*deepChain) error {
	s, err := npy.Get[int64](a, prefix+"streams", len(cs), 16)
	if err != nil {
		return err
	}
	for i, c := range cs {
		for k := range c.s {
			c.s[k] = uint64(s[16*i+k])
		}
		for k := range 8 {
			if c.s[k] == 0 && c.s[k+8] == 0 {
				return fmt.Errorf("a generator of chain %d in %q is all zero", i, prefix+"streams")
			}
		}
	}
	return nil
}

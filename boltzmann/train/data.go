package train

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spikesampling/spikesampling/sampling"
)

// Data is what a machine learns: binary images, with or without classes.
type Data struct {
	Images [][]uint8 // N states of the pixels, all of one length, entries 0 or 1
	// Labels are the N classes, each < Classes. Every class is a visible unit after the
	// pixels, on in the images of its class. Nil if there are no label units.
	Labels  []uint8
	Classes int // number of label units, up to 256; 0 without Labels
}

// pixels is the number of pixels of checked data.
func (d Data) pixels() int { return len(d.Images[0]) }

// check reports the first fault of each kind.
func (d Data) check() error {
	if len(d.Images) == 0 || len(d.Images[0]) == 0 {
		return errors.New("train: no data: must have at least one image of at least one pixel")
	}
	var errs []error
	for i, x := range d.Images {
		if err := sampling.CheckState(x, len(d.Images[0])); err != nil {
			errs = append(errs, fmt.Errorf("train: image %d: %w", i, err))
			break
		}
	}
	return errors.Join(append(errs, d.checkLabels())...)
}

func (d Data) checkLabels() error {
	if d.Labels == nil {
		if d.Classes != 0 {
			return fmt.Errorf("train: %d classes and no labels: must have both or none", d.Classes)
		}
		return nil
	}
	if len(d.Labels) != len(d.Images) {
		return fmt.Errorf("train: %d labels for %d images: must be as many", len(d.Labels), len(d.Images))
	}
	if d.Classes < 1 || d.Classes > 256 {
		return fmt.Errorf("train: %d classes: must be 1 to 256", d.Classes)
	}
	for i, l := range d.Labels {
		if int(l) >= d.Classes {
			return fmt.Errorf("train: label of image %d is %d: must be below %d, the number of classes", i, l, d.Classes)
		}
	}
	return nil
}

// joint is the state of the visible units for image i: pixels, then label units.
func (d Data) joint(i int) []uint8 {
	v := make([]uint8, len(d.Images[i])+d.Classes)
	copy(v, d.Images[i])
	if d.Labels != nil {
		v[len(d.Images[i])+int(d.Labels[i])] = 1
	}
	return v
}

// packed are states as bits, pixels then label units.
type packed struct {
	n, words int
	bits     []uint64
}

func (d Data) pack() packed {
	p := packed{n: len(d.Images), words: words(d.pixels() + d.Classes)}
	p.bits = make([]uint64, p.n*p.words)
	for i, x := range d.Images {
		setBits(p.at(i), 0, x)
		if d.Labels != nil {
			k := len(x) + int(d.Labels[i])
			p.at(i)[k/64] |= 1 << (k % 64)
		}
	}
	return p
}

func (p packed) at(i int) []uint64 { return p.bits[i*p.words : (i+1)*p.words] }

// sum is a digest of the states.
func (p packed) sum() []byte {
	h := sha256.New()
	b := make([]byte, 8*p.words)
	for i := range p.n {
		for k, w := range p.at(i) {
			binary.LittleEndian.PutUint64(b[8*k:], w)
		}
		h.Write(b)
	}
	return h.Sum(nil)
}

// odds are the log odds log(p/(1−p)) of every visible unit's rate in the data, p clipped to
// [0.01, 0.99]. They are boltzmann.BaseBiases without unpacking.
func (p packed) odds(n int) []float64 {
	on := make([]float64, n)
	for i := range p.n {
		b := p.at(i)
		for k := range on {
			on[k] += float64(b[k/64] >> (k % 64) & 1)
		}
	}
	for k := range on {
		on[k] = logOdds(on[k] / float64(p.n))
	}
	return on
}

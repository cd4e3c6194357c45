package data

import (
	"fmt"
	"math"
)

// Pairs is a set as pairs of an input and a target, which learning models read.
type Pairs struct {
	set     *Set
	scale   float64
	on, off float64
	shift   float64
}

// PairsOptions configures Set.Pairs. The zero value of each field is its default.
type PairsOptions struct {
	// Scale and Shift make inputs Scale·value + Shift; a Scale of 0 stands for 1.
	Scale, Shift float64
	// On and Off are the targets of an image's own class and of the others; 1 and 0 if both are 0.
	On, Off float64
}

// Pairs are the images as inputs and their classes as targets, one number for every class.
func (s *Set) Pairs(o PairsOptions) (*Pairs, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Labels == nil || len(s.Classes) == 0 {
		return nil, fmt.Errorf("data: %s has no labels: must have them", s.Name)
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.On == 0 && o.Off == 0 {
		o.On = 1
	}
	for _, v := range []float64{o.Scale, o.Shift, o.On, o.Off} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("data: pairs with scale %v, shift %v and targets %v, %v: must be finite", o.Scale, o.Shift, o.On, o.Off)
		}
	}
	return &Pairs{set: s, scale: o.Scale, shift: o.Shift, on: o.On, off: o.Off}, nil
}

// Len is the number of pairs.
func (p *Pairs) Len() int { return p.set.N }

// Dims are the lengths of an input and of a target.
func (p *Pairs) Dims() (in, out int) { return p.set.Dim(), len(p.set.Classes) }

// Pair writes pair i to x and y. It allocates nothing.
func (p *Pairs) Pair(i int, x, y []float64) {
	p.set.Float64(x, i)
	if p.scale != 1 || p.shift != 0 {
		for k, v := range x {
			x[k] = p.scale*v + p.shift
		}
	}
	for k := range y {
		y[k] = p.off
	}
	y[p.set.Labels[i]] = p.on
}

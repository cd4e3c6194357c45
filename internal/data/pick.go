package data

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// Subset returns copies of the images of these numbers, in that order. A number may be
// there more than once.
func (s *Set) Subset(index []int) (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	if len(index) == 0 {
		return nil, errors.New("data: subset of no images: must have at least one")
	}
	for _, i := range index {
		if i < 0 || i >= s.N {
			return nil, fmt.Errorf("data: subset with image %d: must be in 0…%d", i, s.N-1)
		}
	}
	t := s.like(s.Rows, s.Cols, s.Channels)
	t.N = len(index)
	t.Bytes = gather(s.Bytes, s.Dim(), index)
	t.Values = gather(s.Values, s.Dim(), index)
	t.Labels = gather(s.Labels, 1, index)
	return t, nil
}

// gather copies blocks of n entries; nil stays nil.
func gather[T any](x []T, n int, index []int) []T {
	if x == nil {
		return nil
	}
	y := make([]T, 0, n*len(index))
	for _, i := range index {
		y = append(y, x[i*n:(i+1)*n]...)
	}
	return y
}

// Shuffle returns the images in a random order.
func (s *Set) Shuffle(src rand.Source) (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	if src == nil {
		return nil, errors.New("data: Shuffle without a random source (nil)")
	}
	return s.Subset(rand.New(src).Perm(s.N))
}

// Cut returns consecutive parts of these numbers of images, for example 50000 and 10000
// for training and validation. What is left is in no part. The parts share the memory of
// the set.
func (s *Set) Cut(n ...int) ([]*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	var parts []*Set
	from := 0
	for _, k := range n {
		if k < 1 || k > s.N-from {
			return nil, fmt.Errorf("data: part %d of %v of a set of %d: must have at least 1 image, and all at most %d", len(parts), n, s.N, s.N)
		}
		t := s.like(s.Rows, s.Cols, s.Channels)
		t.N = k
		t.Bytes = part(s.Bytes, s.Dim(), from, k)
		t.Values = part(s.Values, s.Dim(), from, k)
		t.Labels = part(s.Labels, 1, from, k)
		parts = append(parts, t)
		from += k
	}
	return parts, nil
}

// part is k blocks of n entries, without capacity for more; nil stays nil.
func part[T any](x []T, n, from, k int) []T {
	if x == nil {
		return nil
	}
	return x[from*n : (from+k)*n : (from+k)*n]
}

// members are the numbers of the images of every class, in order.
func (s *Set) members() ([][]int, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Labels == nil {
		return nil, errors.New("data: the set has no labels to choose by")
	}
	m := make([][]int, len(s.Classes))
	for i, l := range s.Labels {
		m[l] = append(m[l], i)
	}
	return m, nil
}

// Counts are the numbers of images of the classes; nil without labels.
func (s *Set) Counts() []int {
	if s.Labels == nil {
		return nil
	}
	n := make([]int, len(s.Classes))
	for _, l := range s.Labels {
		for int(l) >= len(n) { // Check would refuse
			n = append(n, 0)
		}
		n[l]++
	}
	return n
}

// choose returns the chosen images in the order of the set.
func (s *Set) choose(chosen [][]int) (*Set, error) {
	in := make([]bool, s.N)
	for _, c := range chosen {
		for _, i := range c {
			in[i] = true
		}
	}
	var index []int
	for i, yes := range in {
		if yes {
			index = append(index, i)
		}
	}
	return s.Subset(index)
}

// ClassCount asks for N images of a class.
type ClassCount struct {
	Class uint8
	N     int
}

// Take returns the first images of some classes, as many as asked for of each, in the
// order of the set. Labels and classes stay; Renumber drops the other classes.
func (s *Set) Take(want ...ClassCount) (*Set, error) {
	m, err := s.members()
	if err != nil {
		return nil, err
	}
	chosen := make([][]int, len(m))
	for _, w := range want {
		switch c := int(w.Class); {
		case c >= len(m):
			return nil, fmt.Errorf("data: class %d asked for: there are %d classes", c, len(m))
		case chosen[c] != nil:
			return nil, fmt.Errorf("data: class %d asked for twice", c)
		case w.N < 1 || w.N > len(m[c]):
			return nil, fmt.Errorf("data: %d images of class %d asked for: must be in 1…%d", w.N, c, len(m[c]))
		default:
			chosen[c] = m[c][:w.N]
		}
	}
	return s.choose(chosen)
}

// Spread returns that many images of every class, spread evenly over the set: of n images
// those of numbers ⌊i·n/perClass⌋ in their class. They are in the order of the set.
func (s *Set) Spread(perClass int) (*Set, error) {
	m, err := s.members()
	if err != nil {
		return nil, err
	}
	for c, all := range m {
		if perClass < 1 || perClass > len(all) {
			return nil, fmt.Errorf("data: %d images of class %d asked for: must be in 1…%d", perClass, c, len(all))
		}
		chosen := make([]int, perClass)
		for i := range chosen {
			chosen[i] = all[i*len(all)/perClass]
		}
		m[c] = chosen
	}
	return s.choose(m)
}

// Renumber returns the set with only the classes that occur, numbered from 0 in their
// order, so that there are no label units without data. It shares the images.
func (s *Set) Renumber() (*Set, error) {
	m, err := s.members()
	if err != nil {
		return nil, err
	}
	t := *s
	t.Classes, t.Labels = nil, make([]uint8, s.N)
	for c, all := range m {
		for _, i := range all {
			t.Labels[i] = uint8(len(t.Classes))
		}
		if all != nil {
			t.Classes = append(t.Classes, s.Classes[c])
		}
	}
	return &t, nil
}

package data

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext/prng"
)

// The radii of the sign and of its dots.
const (
	yinBig   = 0.5
	yinSmall = 0.1
)

// YinYang returns n points of the Yin-Yang data set (Kriener, Göltz and Petrovici, NICE 2022),
// bit for bit those of its public generator with this seed: inputs x, y, 1−x, 1−y, classes yin (0),
// yang (1) and dot (2) about equally often, targets one for each class.
func YinYang(n int, seed uint32) (*Vectors, error) {
	if n < 1 || n > 1<<24 {
		return nil, fmt.Errorf("data: %d points of Yin-Yang: must be 1 to 2^24", n)
	}
	r := prng.NewMT19937()
	r.Seed(uint64(seed))
	// The two kinds of numbers as NumPy's legacy generator draws them.
	uniform := func() float64 {
		a, b := r.Uint32()>>5, r.Uint32()>>6
		return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
	}
	class := func() uint8 {
		for {
			if k := r.Uint32() & 3; k < 3 {
				return uint8(k)
			}
		}
	}
	v := &Vectors{Name: "Yin-Yang", In: 4, Out: 3, X: make([]float64, 4*n), Labels: make([]uint8, n)}
	for i := range n {
		goal := class()
		for {
			x, y := uniform()*2*yinBig, uniform()*2*yinBig
			if distance(x, y, yinBig) > yinBig || yinYangClass(x, y) != goal {
				continue
			}
			copy(v.X[4*i:], []float64{x, y, 1 - x, 1 - y})
			v.Labels[i] = goal
			break
		}
	}
	return v.oneHot(), nil
}

// YinYangSets are the published sets: 5000 points for training (seed 42), 1000 for validation
// (41) and 1000 for tests (40).
func YinYangSets() (train, validation, test *Vectors) {
	train, _ = YinYang(5000, 42)
	validation, _ = YinYang(1000, 41)
	test, _ = YinYang(1000, 40)
	return train, validation, test
}

// distance is that from (x, y) to (cx, yinBig). Squares are rounded before they are added, as
// in the public generator.
func distance(x, y, cx float64) float64 {
	dx, dy := float64((x-cx)*(x-cx)), float64((y-yinBig)*(y-yinBig))
	return math.Sqrt(dx + dy)
}

func yinYangClass(x, y float64) uint8 {
	right, left := distance(x, y, 1.5*yinBig), distance(x, y, 0.5*yinBig)
	switch {
	case right < yinSmall || left < yinSmall:
		return 2
	case right <= yinSmall, left > yinSmall && left <= yinBig/2, y > yinBig && right > yinBig/2:
		return 1
	}
	return 0
}

package gibbskernel

import (
	"math"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// Softplus describes Σ_k log(1 + exp(βg x_k)): log(1+e^y) = max(y, 0) + log(1+e^−|y|), the
// first terms a whole number of grid units, the others the logarithm of a product.
type Softplus struct {
	X      *int32 // fields, 16·Groups; padding adds nothing
	Groups int64  // at most MaxSoftplusGroups
	Scale  float32
	Sum    int64      // out: Σ max(x, 0)
	P      [8]float64 // out: factors of the product
}

// MaxSoftplusGroups is the largest number of groups of a Softplus: more could overflow
// the product.
const MaxSoftplusGroups = 120

// Scale is Softplus.Scale of inverse temperature beta on grid g.
func Scale(beta, g float64) float32 { return float32(beta * g / math.Ln2) }

// 2^f as a polynomial, for |f| ≤ ½ to a relative 2.6e-9.
const (
	x0 = 1
	x1 = 0.6931472067028321
	x2 = 0.24022650922288802
	x3 = 0.05550327226670956
	x4 = 0.009618056678528164
	x5 = 0.0013400428177416795
	x6 = 0.00015461444695978927
)

const roundMagic = 1.5 * (1 << 23) // adding it rounds a float32 to a whole number

// power is 2^−y for y ≥ 0, at least 2^−100.
func power(y float32) float32 {
	y = min(y, 100)
	t := y + roundMagic
	f := float32(t-roundMagic) - y
	p := float32(f*x6) + x5
	p = float32(p*f) + x4
	p = float32(p*f) + x3
	p = float32(p*f) + x2
	p = float32(p*f) + x1
	p = float32(p*f) + x0
	return math.Float32frombits(math.Float32bits(p) - math.Float32bits(t)<<23)
}

// Run computes Sum and P.
func (s *Softplus) Run(p kernel.Path) {
	if p != kernel.Portable {
		softplusAVX2(s)
		return
	}
	s.Sum = 0
	for i := range s.P {
		s.P[i] = 1
	}
	for k, x := range unsafe.Slice(s.X, Group*int(s.Groups)) {
		s.Sum += int64(max(x, 0))
		y := float32(math.Float32frombits(math.Float32bits(float32(x))&^(1<<31)) * s.Scale)
		s.P[k%8] *= 1 + float64(power(y))
	}
}

// Log is the sum that Run computed, for inverse temperature beta on grid g.
func (s *Softplus) Log(beta, g float64) float64 {
	product := (s.P[0] * s.P[1]) * (s.P[2] * s.P[3])
	return beta*g*float64(s.Sum) + math.Log(product) + math.Log((s.P[4]*s.P[5])*(s.P[6]*s.P[7]))
}

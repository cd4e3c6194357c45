package linalg

import "math"

// kernel computes a tile of mr×nr numbers of C from panels of k columns of A and rows of B.
type kernel[F Float] struct {
	mr, nr int
	fused  bool // products are not rounded
	run    func(k int, a, b, c []F, ldc int, alpha F, load bool)
}

var (
	kernel32 = &kernel[float32]{4, 4, false, tile4[float32]}
	kernel64 = &kernel[float64]{4, 4, false, tile4[float64]}
)

func kernelOf[F Float]() *kernel[F] {
	var k any
	switch any(F(0)).(type) {
	case float32:
		k = kernel32
	default:
		k = kernel64
	}
	return k.(*kernel[F])
}

// fma is x·y + z, rounded once if the path's kernel does so.
func fma[F Float](x, y, z F) F {
	if !kernel32.fused {
		return x*y + z
	}
	switch any(x).(type) {
	case float64:
		return F(math.FMA(float64(x), float64(y), float64(z)))
	}
	return F(fma32(float32(x), float32(y), float32(z)))
}

// fma32 rounds x·y + z once. The product is exact in double precision; the sum is rounded to
// odd there, and then to single precision, which is the single rounding of the exact sum.
func fma32(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	// The error of the sum (Knuth's two-sum).
	b := s - p
	err := (p - (s - b)) + (c - b)
	if bits := math.Float64bits(s); err != 0 && bits&1 == 0 && s-s == 0 {
		// Towards the error's side, so that the last bit is odd.
		if (err > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
		s = math.Float64frombits(bits)
	}
	return float32(s)
}

// tile4 is the portable kernel.
func tile4[F Float](k int, a, b, c []F, ldc int, alpha F, load bool) {
	var c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33 F
	a, b = a[:4*k], b[:4*k]
	for len(a) >= 4 && len(b) >= 4 {
		a0, a1, a2, a3 := a[0], a[1], a[2], a[3]
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		c00 += a0 * b0
		c01 += a0 * b1
		c02 += a0 * b2
		c03 += a0 * b3
		c10 += a1 * b0
		c11 += a1 * b1
		c12 += a1 * b2
		c13 += a1 * b3
		c20 += a2 * b0
		c21 += a2 * b1
		c22 += a2 * b2
		c23 += a2 * b3
		c30 += a3 * b0
		c31 += a3 * b1
		c32 += a3 * b2
		c33 += a3 * b3
		a, b = a[4:], b[4:]
	}
	put := func(i int, v0, v1, v2, v3 F) {
		d := c[i*ldc : i*ldc+4 : i*ldc+4]
		if load {
			d[0] += alpha * v0
			d[1] += alpha * v1
			d[2] += alpha * v2
			d[3] += alpha * v3
			return
		}
		d[0], d[1], d[2], d[3] = alpha*v0, alpha*v1, alpha*v2, alpha*v3
	}
	put(0, c00, c01, c02, c03)
	put(1, c10, c11, c12, c13)
	put(2, c20, c21, c22, c23)
	put(3, c30, c31, c32, c33)
}

package linalg

import "sync"

// Block sizes: a packed block of A (mc×kc) stays in the second cache, one of B (kc×nc) in the
// third, a panel of B in the first. kc decides the order of sums and is the same on all paths.
const (
	kc = 256
	mc = 144
	nc = 1024
)

// buffers hold packed blocks.
type buffers[F Float] struct {
	a, b []F
	tile []F
}

func (b *buffers[F]) grow() {
	if b.a == nil {
		b.a, b.b, b.tile = make([]F, mc*kc), make([]F, kc*nc), make([]F, 16*32)
	}
}

var (
	pool32 = sync.Pool{New: func() any { return new(buffers[float32]) }}
	pool64 = sync.Pool{New: func() any { return new(buffers[float64]) }}
)

// job is one product.
type job[F Float] struct {
	kernel         *kernel[F]
	transA, transB bool
	alpha          F
	a, b, c        Mat[F]
	k              int
	load           bool // C has to be added to
}

// Gemm is C = α op(A) op(B) + β C, op(X) being X or, if so told, Xᵀ. With β = 0 C is not read.
// C must share no memory with A or B.
func Gemm[F Float](t *Team, transA, transB bool, alpha F, a, b Mat[F], beta F, c Mat[F]) {
	a.check()
	b.check()
	c.check()
	m, k := a.Rows, a.Cols
	if transA {
		m, k = k, m
	}
	kb, n := b.Rows, b.Cols
	if transB {
		kb, n = n, kb
	}
	if m != c.Rows || n != c.Cols || k != kb {
		panic("linalg: Gemm: shapes do not agree")
	}
	if m == 0 || n == 0 {
		return
	}
	if beta != 0 && beta != 1 || k == 0 || alpha == 0 {
		for i := range m {
			scale(beta, c.Row(i))
		}
		if k == 0 || alpha == 0 {
			return
		}
	}
	switch j := any(job[F]{kernelOf[F](), transA, transB, alpha, a, b, c, k, beta != 0}).(type) {
	case job[float32]:
		if t.alone(m, n, k) {
			buf := pool32.Get().(*buffers[float32])
			j.part(0, 1, buf)
			pool32.Put(buf)
			return
		}
		t.job32 = j
		t.all(t.run.gemm32)
		t.job32 = job[float32]{}
	case job[float64]:
		if t.alone(m, n, k) {
			buf := pool64.Get().(*buffers[float64])
			j.part(0, 1, buf)
			pool64.Put(buf)
			return
		}
		t.job64 = j
		t.all(t.run.gemm64)
		t.job64 = job[float64]{}
	}
}

// alone reports whether waking others would take longer than it saves.
func (t *Team) alone(m, n, k int) bool { return t == nil || len(t.wake) == 0 || m*n*k < 1<<17 }

func scale[F Float](beta F, x []F) {
	if beta == 0 {
		clear(x)
		return
	}
	for i := range x {
		x[i] *= beta
	}
}

// part computes the share of C of one worker: some rows, or columns if there are more of them.
func (j *job[F]) part(worker, workers int, buf *buffers[F]) {
	m, n := j.c.Rows, j.c.Cols
	if m >= n {
		lo, hi := share(m, j.kernel.mr, worker, workers)
		j.block(lo, hi, 0, n, buf)
	} else {
		lo, hi := share(n, j.kernel.nr, worker, workers)
		j.block(0, m, lo, hi, buf)
	}
}

// share cuts [0, n) at multiples of unit.
func share(n, unit, worker, workers int) (lo, hi int) {
	units := (n + unit - 1) / unit
	return min(units*worker/workers*unit, n), min(units*(worker+1)/workers*unit, n)
}

// block computes rows i0 to i1 and columns j0 to j1 of C.
func (j *job[F]) block(i0, i1, j0, j1 int, buf *buffers[F]) {
	if i0 >= i1 || j0 >= j1 {
		return
	}
	buf.grow()
	mr, nr := j.kernel.mr, j.kernel.nr
	mb := mc / mr * mr
	nb := nc / nr * nr
	for jc := j0; jc < j1; jc += nb {
		jn := min(nb, j1-jc)
		for pc := 0; pc < j.k; pc += kc {
			kn := min(kc, j.k-pc)
			load := j.load || pc > 0
			if j.transB {
				packAcross(buf.b, j.b.Data[jc*j.b.Stride+pc:], j.b.Stride, jn, kn, nr)
			} else {
				packAlong(buf.b, j.b.Data[pc*j.b.Stride+jc:], j.b.Stride, jn, kn, nr)
			}
			for ic := i0; ic < i1; ic += mb {
				in := min(mb, i1-ic)
				if j.transA {
					packAlong(buf.a, j.a.Data[pc*j.a.Stride+ic:], j.a.Stride, in, kn, mr)
				} else {
					packAcross(buf.a, j.a.Data[ic*j.a.Stride+pc:], j.a.Stride, in, kn, mr)
				}
				for jr := 0; jr < jn; jr += nr {
					pb := buf.b[jr*kn:]
					for ir := 0; ir < in; ir += mr {
						pa := buf.a[ir*kn:]
						c := j.c.Data[(ic+ir)*j.c.Stride+jc+jr:]
						if in-ir >= mr && jn-jr >= nr {
							j.kernel.run(kn, pa, pb, c, j.c.Stride, j.alpha, load)
							continue
						}
						// At the edges a whole tile goes to memory of its own, and as much of it as there
						// is to C, with the roundings of the kernel.
						j.kernel.run(kn, pa, pb, buf.tile, nr, 1, false)
						j.edge(c, buf.tile, min(mr, in-ir), min(nr, jn-jr), load)
					}
				}
			}
		}
	}
}

// edge puts rows×cols numbers of a tile into C.
func (j *job[F]) edge(c, tile []F, rows, cols int, load bool) {
	nr := j.kernel.nr
	for i := range rows {
		dst, src := c[i*j.c.Stride:][:cols], tile[i*nr:][:cols]
		switch {
		case load && j.alpha == 1:
			for k, v := range src {
				dst[k] += v
			}
		case load:
			for k, v := range src {
				dst[k] = fma(j.alpha, v, dst[k])
			}
		default:
			for k, v := range src {
				dst[k] = j.alpha * v
			}
		}
	}
}

// packAlong packs a block whose panels lie along rows: entry (k, i) of the block is
// src[k·stride + i]. dst gets panels of r entries, one after the other for every k; what is
// missing in the last panel is 0.
func packAlong[F Float](dst, src []F, stride, n, kn, r int) {
	for i := 0; i < n; i += r {
		w := min(r, n-i)
		d := dst[i*kn : (i+r)*kn]
		if w == r && packWhole(d, src[i:], stride, kn, r) {
			continue
		}
		for k := range kn {
			to := d[k*r : (k+1)*r]
			m := copy(to, src[k*stride+i:][:w])
			clear(to[m:])
		}
	}
}

// packWhole packs a whole panel of one of the sizes of the kernels, whose copies the compiler
// then knows the length of.
func packWhole[F Float](d, src []F, stride, kn, r int) bool {
	switch r {
	case 4:
		for k := range kn {
			*(*[4]F)(d[4*k:]) = *(*[4]F)(src[k*stride:])
		}
	case 6:
		for k := range kn {
			*(*[6]F)(d[6*k:]) = *(*[6]F)(src[k*stride:])
		}
	case 8:
		for k := range kn {
			*(*[8]F)(d[8*k:]) = *(*[8]F)(src[k*stride:])
		}
	case 12:
		for k := range kn {
			*(*[12]F)(d[12*k:]) = *(*[12]F)(src[k*stride:])
		}
	case 16:
		for k := range kn {
			*(*[16]F)(d[16*k:]) = *(*[16]F)(src[k*stride:])
		}
	case 32:
		for k := range kn {
			*(*[32]F)(d[32*k:]) = *(*[32]F)(src[k*stride:])
		}
	default:
		return false
	}
	return true
}

// packAcross packs a block whose panels lie across rows: entry (k, i) is src[i·stride + k].
func packAcross[F Float](dst, src []F, stride, n, kn, r int) {
	for i := 0; i < n; i += r {
		w := min(r, n-i)
		d := dst[i*kn : (i+r)*kn]
		col := 0
		for ; col+4 <= w; col += 4 {
			s0, s1 := src[(i+col)*stride:][:kn], src[(i+col+1)*stride:][:kn]
			s2, s3 := src[(i+col+2)*stride:][:kn], src[(i+col+3)*stride:][:kn]
			at := col
			for k, v := range s0 {
				to := d[at : at+4 : at+4]
				to[0], to[1], to[2], to[3] = v, s1[k], s2[k], s3[k]
				at += r
			}
		}
		for ; col < w; col++ {
			at := col
			for _, v := range src[(i+col)*stride:][:kn] {
				d[at] = v
				at += r
			}
		}
		for ; col < r; col++ {
			for at := col; at < len(d); at += r {
				d[at] = 0
			}
		}
	}
}

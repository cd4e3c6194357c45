package linalg

// Dot is Σ x_i y_i; y must be at least as long as x.
func Dot[F Float](x, y []F) F {
	y = y[:len(x)]
	s, n := dotBlocks(x, y)
	for i, v := range x[n:] {
		s += v * y[n+i]
	}
	return s
}

// fold adds up a power of two of partial sums as a tree.
func fold[F Float](s []F) F {
	for len(s) > 1 {
		h := len(s) / 2
		for i := range h {
			s[i] += s[h+i]
		}
		s = s[:h]
	}
	return s[0]
}

// Axpy is y += α x; y must be at least as long as x.
func Axpy[F Float](alpha F, x, y []F) {
	y = y[:len(x)]
	n := axpyBlocks(alpha, x, y)
	for i, v := range x[n:] {
		y[n+i] = fma(alpha, v, y[n+i])
	}
}

// Gemv is y = α op(A) x + β y. With β = 0 y is not read.
func Gemv[F Float](trans bool, alpha F, a Mat[F], x []F, beta F, y []F) {
	a.check()
	m, n := a.Rows, a.Cols
	if trans {
		m, n = n, m
	}
	if len(x) != n || len(y) != m {
		panic("linalg: Gemv: shapes do not agree")
	}
	if trans {
		if beta != 1 {
			scale(beta, y)
		}
		for i := range a.Rows {
			Axpy(alpha*x[i], a.Row(i), y)
		}
		return
	}
	for i := range a.Rows {
		s := alpha * Dot(a.Row(i), x)
		if beta != 0 {
			s += beta * y[i]
		}
		y[i] = s
	}
}

// Ger is A += α x yᵀ.
func Ger[F Float](alpha F, x, y []F, a Mat[F]) {
	a.check()
	if len(x) != a.Rows || len(y) != a.Cols {
		panic("linalg: Ger: shapes do not agree")
	}
	for i, v := range x {
		Axpy(alpha*v, y, a.Row(i))
	}
}

// SumRows is y = α Σ_i A_i + β y, the sum over the rows of A. With β = 0 y is not read.
func SumRows[F Float](alpha F, a Mat[F], beta F, y []F) {
	a.check()
	if len(y) != a.Cols {
		panic("linalg: SumRows: shapes do not agree")
	}
	if beta != 1 {
		scale(beta, y)
	}
	for i := range a.Rows {
		Axpy(alpha, a.Row(i), y)
	}
}

// Clip is r = x cut to [0, 1], and s = 1 where that is x itself, borders included, else 0. NaN
// stays NaN. r and s must be at least as long as x, and must not overlap with it or each other.
func Clip[F Float](r, s, x []F) {
	r, s = r[:len(x)], s[:len(x)]
	n := clipBlocks(r, s, x)
	for i, v := range x[n:] {
		c, d := v, F(1)
		if v < 0 {
			c, d = 0, 0
		} else if v > 1 {
			c, d = 1, 0
		} else if v != v {
			d = 0
		}
		r[n+i], s[n+i] = c, d
	}
}

package dynamics

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"
)

// Lyapunov solves A S + S Aᵀ + Q = 0: S is the stationary covariance of dx = A x dt + noise
// of intensity Q. All eigenvalues of A must have a negative real part.
func Lyapunov(a mat.Matrix, q mat.Symmetric) (*mat.SymDense, error) {
	n, err := sameDims(a, q)
	if err != nil {
		return nil, err
	}
	values, err := eigenvalues(a)
	if err != nil {
		return nil, err
	}
	var size float64
	for _, v := range values {
		if real(v) >= 0 {
			return nil, fmt.Errorf("dynamics: A has the eigenvalue %v: the real part must be < 0", v)
		}
		size = max(size, cmplx.Abs(v))
	}
	// The bilinear map M = (1 − hA)⁻¹(1 + hA) has the same S, as S = M S Mᵀ + C with
	// C = 2h (1 − hA)⁻¹ Q (1 − hA)⁻ᵀ.
	h := 1 / size
	minus, plus := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			v := h * a.At(i, j)
			one := 0.0
			if i == j {
				one = 1
			}
			minus.Set(i, j, one-v)
			plus.Set(i, j, one+v)
		}
	}
	solve := func(q mat.Matrix) (*mat.Dense, error) {
		var m, left, c mat.Dense
		if err := m.Solve(minus, plus); err != nil && !isCondition(err) {
			return nil, err
		}
		if err := left.Solve(minus, q); err != nil && !isCondition(err) {
			return nil, err
		}
		if err := c.Solve(minus, left.T()); err != nil && !isCondition(err) {
			return nil, err
		}
		c.Scale(2*h, &c)
		return double(&m, &c)
	}
	s, err := solve(q)
	if err != nil {
		return nil, err
	}
	// One step of iterative refinement.
	var r, t mat.Dense
	r.Mul(a, s)
	t.Mul(s, a.T())
	r.Add(&r, &t)
	r.Add(&r, q)
	d, err := solve(symmetric(&r))
	if err != nil {
		return nil, err
	}
	s.Add(s, d)
	return symmetric(s), nil
}

// Stein solves S = M S Mᵀ + C: S is the stationary covariance of x ← M x + noise of covariance
// C. All eigenvalues of M must be inside the unit circle.
func Stein(m mat.Matrix, c mat.Symmetric) (*mat.SymDense, error) {
	if _, err := sameDims(m, c); err != nil {
		return nil, err
	}
	values, err := eigenvalues(m)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if cmplx.Abs(v) >= 1 {
			return nil, fmt.Errorf("dynamics: M has the eigenvalue %v: its absolute value must be < 1", v)
		}
	}
	s, err := double(mat.DenseCopyOf(m), mat.DenseCopyOf(c))
	if err != nil {
		return nil, err
	}
	return symmetric(s), nil
}

// double sums S = Σ_k M^k C M^kᵀ: S ← S + M S Mᵀ, M ← M² doubles the terms every time.
func double(m, c *mat.Dense) (*mat.Dense, error) {
	s := c
	for range 100 {
		var t mat.Dense
		t.Product(m, s, m.T())
		s.Add(s, &t)
		switch size := mat.Norm(s, 1); {
		case math.IsInf(size, 0) || math.IsNaN(size):
			return nil, errors.New("dynamics: the covariance is beyond double precision")
		case mat.Norm(&t, 1) <= 1e-18*size:
			return s, nil
		}
		var sq mat.Dense
		sq.Mul(m, m)
		m = &sq
	}
	return nil, errors.New("dynamics: the covariance has no limit in double precision: eigenvalues too close to the border of stability")
}

func sameDims(a mat.Matrix, q mat.Symmetric) (int, error) {
	if a == nil || q == nil {
		return 0, errors.New("dynamics: a matrix is nil")
	}
	n, c := a.Dims()
	if m := q.SymmetricDim(); n != c || n == 0 || m != n {
		return 0, fmt.Errorf("dynamics: matrices of %d×%d and %d×%d: must be square and of one size", n, c, m, m)
	}
	for i := range n {
		for j := range n {
			if v := a.At(i, j) + q.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("dynamics: entry (%d, %d) is not finite", i, j)
			}
		}
	}
	return n, nil
}

func eigenvalues(a mat.Matrix) ([]complex128, error) {
	var e mat.Eigen
	if !e.Factorize(a, mat.EigenNone) {
		return nil, errors.New("dynamics: the eigenvalues were not found")
	}
	return e.Values(nil), nil
}

// isCondition reports whether a solution is only warned of.
func isCondition(err error) bool {
	var c mat.Condition
	return errors.As(err, &c) && !math.IsInf(float64(c), 0)
}

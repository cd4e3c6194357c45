package dynamics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Linear is the linear stochastic system (a multivariate Ornstein-Uhlenbeck process)
//
//	dx = (A x + b) dt + √T·G dW,   Q = GGᵀ .
//
// Its laws are known: see Mean, Covariance, EulerCovariance and the method Exact.
type Linear struct {
	a *mat.Dense
	b []float64
	q *mat.SymDense
	g *mat.Dense // nil without noise
}

var (
	_ Diffusive = (*Linear)(nil)
	_ Energetic = (*Gaussian)(nil)
)

// NewLinear returns the system with A, n×n [1/ms], b of length n or nil (zeros), and Q, n×n
// without negative eigenvalues, or nil (no noise). It keeps copies.
func NewLinear(a mat.Matrix, b []float64, q mat.Symmetric) (*Linear, error) {
	n, err := linear(a, b)
	if err != nil {
		return nil, err
	}
	l := &Linear{a: mat.DenseCopyOf(a), b: make([]float64, n)}
	copy(l.b, b)
	if err := errors.Join(finite("A", l.a.RawMatrix().Data), finite("b", l.b)); err != nil {
		return nil, err
	}
	l.q = mat.NewSymDense(n, nil)
	if q != nil {
		if m := q.SymmetricDim(); m != n {
			return nil, fmt.Errorf("dynamics: Q is %d×%d: must be %d×%d", m, m, n, n)
		}
		l.q.CopySym(q)
		if err := finite("Q", l.q.RawSymmetric().Data); err != nil {
			return nil, err
		}
		var err error
		if l.g, err = root(l.q); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func finite(name string, x []float64) error {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("dynamics: %s has an entry %v: must be finite", name, v)
		}
	}
	return nil
}

// Dim is the number of variables.
func (l *Linear) Dim() int { return len(l.b) }

// Drift writes A x + b for every row.
func (l *Linear) Drift(dst, x []float64, _ float64) {
	n := len(l.b)
	for i := 0; i < len(x); i += n {
		copy(dst[i:i+n], l.b)
	}
	rows(l.a, dst, x, 1)
}

// Diffuse writes Gξ for every row.
func (l *Linear) Diffuse(dst, _, xi []float64, _ float64) {
	if l.g == nil {
		clear(dst)
		return
	}
	rows(l.g, dst, xi, 0)
}

// mulVec writes M x to dst.
func mulVec(dst []float64, m *mat.Dense, x []float64) {
	for i := range dst {
		s := 0.0
		for j, v := range m.RawRowView(i) {
			s += v * x[j]
		}
		dst[i] = s
	}
}

// rows adds M x to dst, times beta, for every row x of a batch.
func rows(m *mat.Dense, dst, x []float64, beta float64) {
	n, _ := m.Dims()
	b := len(x) / n
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: b, Cols: n, Stride: n, Data: x}, m.RawMatrix(),
		beta, blas64.General{Rows: b, Cols: n, Stride: n, Data: dst})
}

// Mean is the stationary mean −A⁻¹b.
func (l *Linear) Mean() ([]float64, error) {
	var m mat.VecDense
	if err := m.SolveVec(l.a, mat.NewVecDense(len(l.b), l.b)); err != nil {
		return nil, fmt.Errorf("dynamics: no stationary mean: %w", err)
	}
	m.ScaleVec(-1, &m)
	return m.RawVector().Data, nil
}

// Covariance is the stationary covariance S at temperature 1, the solution of
// A S + S Aᵀ + Q = 0. At temperature T it is T·S. All eigenvalues of A must have a negative
// real part.
func (l *Linear) Covariance() (*mat.SymDense, error) { return Lyapunov(l.a, l.q) }

// EulerCovariance is the stationary covariance at temperature 1 of the Euler-Maruyama rule
// with step dt: S = (1 + A dt) S (1 + A dt)ᵀ + Q dt. It is not that of the system.
func (l *Linear) EulerCovariance(dt float64) (*mat.SymDense, error) {
	if err := (Clock{Dt: dt}).Validate(); err != nil {
		return nil, err
	}
	n := len(l.b)
	m := mat.NewDense(n, n, nil)
	m.Scale(dt, l.a)
	for i := range n {
		m.Set(i, i, m.At(i, i)+1)
	}
	q := mat.NewSymDense(n, nil)
	q.ScaleSym(dt, l.q)
	return Stein(m, q)
}

// Spread is the covariance of x(t+dt) given x(t) at temperature 1,
// ∫_0^dt e^{As} Q e^{Aᵀs} ds, for any A (Van Loan 1978).
func (l *Linear) Spread(dt float64) (*mat.SymDense, error) {
	if err := (Clock{Dt: dt}).Validate(); err != nil {
		return nil, err
	}
	n := len(l.b)
	// The integral over a short step by the matrix exponential of [[−A Q] [0 Aᵀ]], whose
	// entries stay small, Q being scaled, then doubled: S(2h) = S(h) + e^{Ah} S(h) e^{Aᵀh}.
	size := mat.Max(l.q) // a diagonal entry
	if size == 0 {
		return mat.NewSymDense(n, nil), nil
	}
	h, doublings := dt, 0
	for norm := mat.Norm(l.a, 1); norm*h > 0.5 && doublings < 1000; doublings++ {
		h /= 2
	}
	c := mat.NewDense(2*n, 2*n, nil)
	for i := range n {
		for j := range n {
			c.Set(i, j, -h*l.a.At(i, j))
			c.Set(i, n+j, h*(l.q.At(i, j)/size))
			c.Set(n+i, n+j, h*l.a.At(j, i))
		}
	}
	var e, m, s mat.Dense
	e.Exp(c)
	m.CloneFrom(e.Slice(n, 2*n, n, 2*n).T()) // e^{Ah}
	s.Mul(&m, e.Slice(0, n, n, 2*n))
	for range doublings {
		var t mat.Dense
		t.Product(&m, &s, m.T())
		s.Add(&s, &t)
		m.Mul(&m, &m)
	}
	cov := symmetric(&s)
	cov.ScaleSym(size, cov)
	if err := finite("the covariance of a step", cov.RawSymmetric().Data); err != nil {
		return nil, err
	}
	return cov, nil
}

func symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}

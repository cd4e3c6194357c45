package dynamics

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Gaussian is the energy of a linear-Gaussian network,
//
//	E(x) = ½xᵀHx − hᵀx,   p(x) ∝ exp(−E(x)/T):  mean H⁻¹h, covariance T H⁻¹ .
type Gaussian struct {
	h    *mat.SymDense
	lin  []float64
	mean []float64
	inv  *mat.SymDense
	neg  *mat.Dense // −H
}

// NewGaussian returns the energy with H, positive definite, and h of length n or nil (zeros).
func NewGaussian(h mat.Symmetric, lin []float64) (*Gaussian, error) {
	if h == nil || h.SymmetricDim() == 0 {
		return nil, errors.New("dynamics: H is empty: must be a positive definite matrix")
	}
	n := h.SymmetricDim()
	if lin != nil && len(lin) != n {
		return nil, fmt.Errorf("dynamics: h has length %d: must be %d or nil", len(lin), n)
	}
	g := &Gaussian{h: mat.NewSymDense(n, nil), lin: make([]float64, n), inv: mat.NewSymDense(n, nil)}
	g.h.CopySym(h)
	copy(g.lin, lin)
	if err := errors.Join(finite("H", g.h.RawSymmetric().Data), finite("h", g.lin)); err != nil {
		return nil, err
	}
	var c mat.Cholesky
	if !c.Factorize(g.h) {
		return nil, errors.New("dynamics: H has an eigenvalue ≤ 0: must be positive definite")
	}
	if err := c.InverseTo(g.inv); err != nil && !isCondition(err) {
		return nil, fmt.Errorf("dynamics: H: %w", err)
	}
	g.mean = make([]float64, n)
	mulVec(g.mean, mat.DenseCopyOf(g.inv), g.lin)
	g.neg = mat.DenseCopyOf(g.h)
	g.neg.Scale(-1, g.neg)
	return g, nil
}

// Dim is the number of variables.
func (g *Gaussian) Dim() int { return len(g.lin) }

// Mean is H⁻¹h.
func (g *Gaussian) Mean() []float64 { return append([]float64(nil), g.mean...) }

// Covariance is H⁻¹, that at temperature 1.
func (g *Gaussian) Covariance() *mat.SymDense {
	c := mat.NewSymDense(len(g.lin), nil)
	c.CopySym(g.inv)
	return c
}

// Energy writes E of every row.
func (g *Gaussian) Energy(dst, x []float64) {
	n := len(g.lin)
	for b := range dst {
		row := x[b*n : (b+1)*n]
		e := 0.0
		for i, v := range row {
			e += v * (-floats.Dot(g.neg.RawRowView(i), row)/2 - g.lin[i])
		}
		dst[b] = e
	}
}

// Gradient writes H x − h for every row.
func (g *Gaussian) Gradient(dst, x []float64) {
	g.Drift(dst, x, 0)
	for i, v := range dst {
		dst[i] = -v
	}
}

// Drift writes h − H x for every row.
func (g *Gaussian) Drift(dst, x []float64, _ float64) {
	n := len(g.lin)
	for i := 0; i < len(x); i += n {
		copy(dst[i:i+n], g.lin)
	}
	rows(g.neg, dst, x, 1)
}

// Flow is the linear network that goes down the energy with the preconditioner P, under a
// noise ζ of intensity D at temperature 1:
//
//	P dx/dt = −∇E + √T·ζ,   ⟨ζζᵀ⟩ = 2Dδ .
//
// Its stationary covariance is T H⁻¹, that of the energy, if and only if D = (P + Pᵀ)/2: the
// noise must fit the preconditioner. An antisymmetric part of P only makes probability
// circulate. P = τ_m gives the ordinary Langevin dynamics; neurons with membrane time constants
// M and look-ahead R have P = (M − R) + H R.
func (g *Gaussian) Flow(p mat.Matrix, d mat.Symmetric) (*Linear, error) {
	n, err := sameDims(p, d)
	if err != nil {
		return nil, err
	}
	if n != len(g.lin) {
		return nil, fmt.Errorf("dynamics: P is %d×%d: must be %d×%d", n, n, len(g.lin), len(g.lin))
	}
	if _, err := root(d); err != nil {
		return nil, err
	}
	var a, b, left, q mat.Dense
	if err := a.Solve(p, g.neg); err != nil {
		return nil, fmt.Errorf("dynamics: P cannot be inverted: %w", err)
	}
	if err := b.Solve(p, mat.NewVecDense(n, g.lin)); err != nil {
		return nil, fmt.Errorf("dynamics: P cannot be inverted: %w", err)
	}
	if err := left.Solve(p, d); err != nil {
		return nil, fmt.Errorf("dynamics: P cannot be inverted: %w", err)
	}
	if err := q.Solve(p, left.T()); err != nil {
		return nil, fmt.Errorf("dynamics: P cannot be inverted: %w", err)
	}
	q.Scale(2, &q)
	return NewLinear(&a, b.RawMatrix().Data, symmetric(&q))
}

// MatchedNoise is the D for which Flow(P, D) has the law of the energy: (P + Pᵀ)/2. It
// refuses a P for which there is none, as D would have a negative eigenvalue.
func MatchedNoise(p mat.Matrix) (*mat.SymDense, error) {
	if p == nil {
		return nil, errors.New("dynamics: P is nil: must be a square matrix")
	}
	n, c := p.Dims()
	if n != c || n == 0 {
		return nil, fmt.Errorf("dynamics: P is %d×%d: must be square", n, c)
	}
	d := symmetric(mat.DenseCopyOf(p))
	if err := finite("P", d.RawSymmetric().Data); err != nil {
		return nil, err
	}
	if _, err := root(d); err != nil {
		return nil, fmt.Errorf("no noise fits P: %w", err)
	}
	return d, nil
}

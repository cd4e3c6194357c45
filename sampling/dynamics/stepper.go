package dynamics

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Method is a rule for a step of a System.
type Method int

const (
	// Euler is the Euler-Maruyama rule x + f dt + σ√dt ξ: order 1 in the drift, weak order 1
	// with noise. Its stationary law is off by O(dt).
	Euler Method = iota
	// Heun is the trapezoidal rule with an Euler step as predictor, the noise being that of
	// the start of the step (Itô): order 2 without noise and for moments of linear systems,
	// weak order 1 where σ depends on x.
	Heun
	// RK4 is the classical Runge-Kutta rule of order 4, without noise.
	RK4
	// ExpEuler solves the leak of a Semilinear system exactly and holds the rest of the drift
	// over the step; the noise is that of an Ornstein-Uhlenbeck process with this leak.
	ExpEuler
	// Exact is the exact solution of a Linear system, for any step, with noise too.
	Exact
)

var methods = [...]string{"Euler", "Heun", "RK4", "ExpEuler", "Exact"}

// String is the name of the method.
func (m Method) String() string {
	if m < 0 || int(m) >= len(methods) {
		return fmt.Sprintf("Method(%d)", int(m))
	}
	return methods[m]
}

// StepperOptions configures NewStepper.
type StepperOptions struct {
	Method      Method
	Dt          float64 // step [ms]; required
	Batch       int     // states B that are stepped at once; default 1
	Temperature float64 // T ≥ 0 of the noise; default 0, no noise
}

// Stepper advances a batch of states of a system on a grid of time. It owns its memory and
// allocates nothing per step. It is for one goroutine.
type Stepper struct {
	sys         System
	method      Method
	dt          float64
	n, batch    int
	noise       float64 // √T
	diffuse     func(dst, x, xi []float64, t float64)
	k           [4][]float64 // drifts
	y           []float64    // states in between
	xi, normal  []float64    // noise of a step, and the normal numbers it comes from
	decay, gain []float64    // of ExpEuler: e^{−a dt}, (1−e^{−a dt})/a
	spread      []float64    // factor of σξ for every variable
	m, g        blas64.General
	c           []float64
}

// NewStepper returns a stepper of sys. It refuses a temperature above 0 for a system that is
// neither Diffusive nor Energetic, and for RK4; ExpEuler for a system that is not Semilinear;
// Exact for one that is not a *Linear.
func NewStepper(sys System, o StepperOptions) (*Stepper, error) {
	if sys == nil || sys.Dim() < 1 {
		return nil, errors.New("dynamics: no system: must have at least one variable")
	}
	if err := (Clock{Dt: o.Dt}).Validate(); err != nil {
		return nil, err
	}
	if !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0) {
		return nil, fmt.Errorf("dynamics: Temperature = %v: must be finite and ≥ 0", o.Temperature)
	}
	if o.Batch < 0 {
		return nil, fmt.Errorf("dynamics: Batch = %d: must be ≥ 1 (0: 1)", o.Batch)
	}
	s := &Stepper{sys: sys, method: o.Method, dt: o.Dt, n: sys.Dim(), batch: max(o.Batch, 1), noise: math.Sqrt(o.Temperature)}
	size := s.n * s.batch
	if s.noise > 0 {
		if err := s.setNoise(); err != nil {
			return nil, err
		}
	}
	drifts := 1
	switch o.Method {
	case Euler:
	case Heun:
		drifts = 2
	case RK4:
		drifts = 4
		if s.noise > 0 {
			return nil, errors.New("dynamics: RK4 has no noise: Temperature must be 0")
		}
	case ExpEuler:
		if err := s.setLeak(); err != nil {
			return nil, err
		}
	case Exact:
		drifts = 0
		if err := s.setExact(); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("dynamics: %v: must be Euler, Heun, RK4, ExpEuler or Exact", o.Method)
	}
	for i := range drifts {
		s.k[i] = make([]float64, size)
	}
	s.y = make([]float64, size)
	return s, nil
}

// setNoise finds σ of the system.
func (s *Stepper) setNoise() error {
	switch sys := s.sys.(type) {
	case Diffusive:
		s.diffuse = sys.Diffuse
	case Energetic:
		s.diffuse = func(dst, _, xi []float64, _ float64) {
			for i, v := range xi {
				dst[i] = math.Sqrt2 * v
			}
		}
	default:
		return errors.New("dynamics: the system is neither Diffusive nor Energetic: Temperature must be 0")
	}
	s.xi, s.normal = make([]float64, s.n*s.batch), make([]float64, s.n*s.batch)
	s.spread = make([]float64, s.n)
	for i := range s.spread {
		s.spread[i] = s.noise * math.Sqrt(s.dt)
	}
	return nil
}

func (s *Stepper) setLeak() error {
	sys, ok := s.sys.(Semilinear)
	if !ok {
		return errors.New("dynamics: ExpEuler needs a Semilinear system")
	}
	a := make([]float64, s.n)
	sys.Leak(a)
	s.decay, s.gain = make([]float64, s.n), make([]float64, s.n)
	for i, a := range a {
		if !(a >= 0) || math.IsInf(a, 0) {
			return fmt.Errorf("dynamics: leak %d is %v per ms: must be finite and ≥ 0", i, a)
		}
		s.decay[i], s.gain[i] = math.Exp(-a*s.dt), s.dt
		if a > 0 {
			s.gain[i] = -math.Expm1(-a*s.dt) / a
			if s.spread != nil {
				s.spread[i] = s.noise * math.Sqrt(-math.Expm1(-2*a*s.dt)/(2*a))
			}
		}
	}
	return nil
}

func (s *Stepper) setExact() error {
	l, ok := s.sys.(*Linear)
	if !ok {
		return errors.New("dynamics: Exact needs a *Linear system")
	}
	p, err := NewPropagator(l.a, l.b, s.dt)
	if err != nil {
		return err
	}
	s.m, s.c = p.M.RawMatrix(), p.C.RawVector().Data
	if s.noise > 0 {
		cov, err := l.Spread(s.dt)
		if err != nil {
			return err
		}
		g, err := root(cov)
		if err != nil {
			return err
		}
		g.Scale(s.noise, g)
		s.g = g.RawMatrix()
	}
	return nil
}

// Step advances x, B×n by rows, from time t by one step. Row b draws n normal numbers from
// src[b], which depend on nothing else; without noise src is not used. The error is a
// *DivergedError.
func (s *Stepper) Step(x []float64, t float64, src []*rand.Rand) error {
	if len(x) != s.n*s.batch {
		panic("dynamics: Step: wrong length of the batch")
	}
	if s.noise > 0 {
		for b := range s.batch {
			r := src[b]
			row := s.normal[b*s.n : (b+1)*s.n]
			for i := range row {
				row[i] = r.NormFloat64()
			}
		}
		if s.method != Exact {
			s.diffuse(s.xi, x, s.normal, t)
			for i := 0; i < len(s.xi); i += s.n {
				row := s.xi[i : i+s.n]
				for j, f := range s.spread {
					row[j] *= f
				}
			}
		}
	}
	dt := s.dt
	switch s.method {
	case Euler:
		s.sys.Drift(s.k[0], x, t)
		for i, v := range s.k[0] {
			x[i] += dt * v
		}
		s.addNoise(x)
	case Heun:
		k0, k1 := s.k[0], s.k[1]
		s.sys.Drift(k0, x, t)
		for i, v := range k0 {
			s.y[i] = x[i] + dt*v
		}
		s.addNoise(s.y)
		s.sys.Drift(k1, s.y, t+dt)
		for i, v := range k0 {
			x[i] += dt / 2 * (v + k1[i])
		}
		s.addNoise(x)
	case RK4:
		s.rk4(x, t)
	case ExpEuler:
		k := s.k[0]
		s.sys.Drift(k, x, t)
		// e^{−a dt}x + gain·(f + a x) is x + gain·f, as gain·a = 1 − e^{−a dt}.
		for i := 0; i < len(x); i += s.n {
			row, f := x[i:i+s.n], k[i:i+s.n]
			for j, g := range s.gain {
				row[j] += g * f[j]
			}
		}
		s.addNoise(x)
	case Exact:
		y := blas64.General{Rows: s.batch, Cols: s.n, Stride: s.n, Data: s.y}
		for b := range s.batch {
			copy(s.y[b*s.n:], s.c)
		}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: s.batch, Cols: s.n, Stride: s.n, Data: x}, s.m, 1, y)
		if s.noise > 0 {
			blas64.Gemm(blas.NoTrans, blas.Trans, 1, blas64.General{Rows: s.batch, Cols: s.n, Stride: s.n, Data: s.normal}, s.g, 1, y)
		}
		copy(x, s.y)
	}
	return CheckFinite("", x, s.n, t+dt)
}

// addNoise adds the noise of the step. Without noise it leaves the bits of x alone.
func (s *Stepper) addNoise(x []float64) {
	if s.noise == 0 {
		return
	}
	for i, v := range s.xi {
		x[i] += v
	}
}

func (s *Stepper) rk4(x []float64, t float64) {
	dt, k := s.dt, s.k
	s.sys.Drift(k[0], x, t)
	for i, v := range k[0] {
		s.y[i] = x[i] + dt/2*v
	}
	s.sys.Drift(k[1], s.y, t+dt/2)
	for i, v := range k[1] {
		s.y[i] = x[i] + dt/2*v
	}
	s.sys.Drift(k[2], s.y, t+dt/2)
	for i, v := range k[2] {
		s.y[i] = x[i] + dt*v
	}
	s.sys.Drift(k[3], s.y, t+dt)
	for i := range x {
		x[i] += dt / 6 * (k[0][i] + 2*k[1][i] + 2*k[2][i] + k[3][i])
	}
}

// root returns a G with GGᵀ = q, for q without negative eigenvalues up to rounding.
func root(q mat.Symmetric) (*mat.Dense, error) {
	n := q.SymmetricDim()
	var e mat.EigenSym
	if !e.Factorize(q, true) {
		return nil, errors.New("dynamics: the eigenvalues of a noise covariance were not found")
	}
	values := e.Values(nil)
	var g mat.Dense
	e.VectorsTo(&g)
	large := max(math.Abs(values[0]), math.Abs(values[n-1]))
	for j, v := range values {
		if v < -1e-12*large || math.IsNaN(v) {
			return nil, fmt.Errorf("dynamics: a noise covariance has the eigenvalue %v: must be ≥ 0", v)
		}
		f := math.Sqrt(max(v, 0))
		for i := range n {
			g.Set(i, j, g.At(i, j)*f)
		}
	}
	return &g, nil
}

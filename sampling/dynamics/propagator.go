package dynamics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Decay is e^{−dt/τ}, the factor by which a variable with time constant tau [ms] decays
// in dt [ms].
func Decay(dt, tau float64) float64 { return math.Exp(-dt / tau) }

// Convolve is ∫_0^dt e^{−(dt−s)/τ1} e^{−s/τ2} ds [ms]: the response at dt of a filter with
// time constant tau1 to an exponential input with time constant tau2 that started at
// amplitude 1. It is symmetric in its time constants and exact where they are equal,
// where the textbook form τ1τ2/(τ1−τ2)·(e^{−dt/τ1}−e^{−dt/τ2}) is 0/0.
func Convolve(dt, tau1, tau2 float64) float64 {
	if tau1 > tau2 {
		tau1, tau2 = tau2, tau1
	}
	// (e^x − 1)/x tends to 1; Expm1 is exact near 0, so only x = 0 needs care. As x ≤ 0,
	// nothing overflows.
	x := dt/tau2 - dt/tau1
	ratio := 1.0
	if x != 0 {
		ratio = math.Expm1(x) / x
	}
	return dt * math.Exp(-dt/tau2) * ratio
}

// Propagator is the exact solution over one step of a linear system dx/dt = A x + b:
// x(t+dt) = M x(t) + c.
type Propagator struct {
	M *mat.Dense
	C *mat.VecDense
}

// NewPropagator solves dx/dt = A x + b over dt [ms]; A is n×n [1/ms], b has length n or
// is nil. It works for singular A too, and refuses a system whose A dt or solution is beyond
// float64.
func NewPropagator(a mat.Matrix, b []float64, dt float64) (*Propagator, error) {
	n, err := linear(a, b)
	if err != nil {
		return nil, err
	}
	if !(dt > 0) || math.IsInf(dt, 0) {
		return nil, fmt.Errorf("dynamics: dt = %v ms: must be finite and > 0", dt)
	}
	size := 0.0 // largest |b_i|
	for i, v := range b {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("dynamics: b[%d] = %v: must be finite", i, v)
		}
		size = max(size, math.Abs(v))
	}
	// exp of [[A·dt b] [0 0]] holds both the homogeneous map and the integral of b. It is
	// linear in b, which goes in as numbers below 1: a large b would cost M digits.
	aug := mat.NewDense(n+1, n+1, nil)
	for i := range n {
		for j := range n {
			v := a.At(i, j)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("dynamics: A[%d,%d] = %v: must be finite", i, j, v)
			}
			aug.Set(i, j, v*dt)
		}
		if size > 0 {
			aug.Set(i, n, b[i]/size)
		}
	}
	if math.IsInf(mat.Norm(aug, 1), 0) { // Exp would not return
		return nil, fmt.Errorf("dynamics: A·dt over dt = %v ms overflows: must be finite", dt)
	}
	var e mat.Dense
	e.Exp(aug)
	p := &Propagator{M: mat.NewDense(n, n, nil), C: mat.NewVecDense(n, nil)}
	p.M.Copy(e.Slice(0, n, 0, n))
	for i := range n {
		p.C.SetVec(i, e.At(i, n)*dt*size)
	}
	if sum := mat.Norm(p.M, 1) + mat.Norm(p.C, 1); math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("dynamics: the solution over dt = %v ms overflows: take a smaller dt", dt)
	}
	return p, nil
}

// linear is the number of variables of dx/dt = A x + b. It refuses shapes that do not agree.
func linear(a mat.Matrix, b []float64) (int, error) {
	if a == nil {
		return 0, errors.New("dynamics: A is nil: must be a square matrix")
	}
	n, c := a.Dims()
	if n != c || n == 0 {
		return 0, fmt.Errorf("dynamics: A is %d×%d: must be square", n, c)
	}
	if b != nil && len(b) != n {
		return 0, fmt.Errorf("dynamics: b has length %d: must be %d or nil", len(b), n)
	}
	return n, nil
}

// Step writes M x + c to dst; dst and x must differ and have the system's dimension.
func (p *Propagator) Step(dst, x []float64) {
	n := len(x)
	for i := range n {
		s := p.C.AtVec(i)
		for j, v := range x {
			s += p.M.At(i, j) * v
		}
		dst[i] = s
	}
}

// Clock is a time grid t_n = n·Dt.
type Clock struct {
	Dt float64 // step [ms]
}

// maxSteps keeps step counts exact in float64.
const maxSteps = 1 << 53

// Validate reports an error unless Dt is finite and positive.
func (c Clock) Validate() error {
	if !(c.Dt > 0) || math.IsInf(c.Dt, 0) {
		return fmt.Errorf("dynamics: Dt = %v ms: must be finite and > 0", c.Dt)
	}
	return nil
}

// Time is the time of step n [ms].
func (c Clock) Time(n int64) float64 { return float64(n) * c.Dt }

// Ceil is the first step n ≥ 0 with Time(n) ≥ t [ms], exactly as Time rounds.
func (c Clock) Ceil(t float64) int64 {
	if !(t > 0) {
		return 0
	}
	n := int64(math.Ceil(math.Min(t/c.Dt, maxSteps)))
	for n > 0 && c.Time(n-1) >= t {
		n--
	}
	for n < maxSteps && c.Time(n) < t {
		n++
	}
	return n
}

// ErrOffGrid is wrapped by Steps when a duration is not a multiple of the step.
var ErrOffGrid = errors.New("not a multiple of the time step")

// Steps is the number of steps in the duration d [ms], which must be a multiple of Dt up
// to rounding.
func (c Clock) Steps(d float64) (int64, error) {
	if err := c.Validate(); err != nil {
		return 0, err
	}
	x := d / c.Dt
	r := math.Round(x)
	if !(r >= 0 && r < maxSteps) || math.Abs(x-r) > min(1e-9*r, 0.01) {
		return 0, fmt.Errorf("%v ms is %w Dt = %v ms", d, ErrOffGrid, c.Dt)
	}
	return int64(r), nil
}

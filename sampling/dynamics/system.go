package dynamics

import (
	"errors"
	"fmt"
	"math"
)

// System is a set of n differential equations dx/dt = f(x, t), run for a batch of B
// independent states at once: states are B×n by rows, so that the layers of a network
// become matrix products. LIF networks are not written as a System (their engine steps
// them exactly, between events); everything with smooth dynamics is.
type System interface {
	// Dim is the number n of variables of one state.
	Dim() int
	// Drift writes f(x, t) [1/ms] to dst. Both have B·n entries for some B ≥ 1 and do not
	// overlap. A row of dst depends on that row of x only.
	Drift(dst, x []float64, t float64)
}

// Energetic is a System that goes downhill: Drift is −M·Gradient for some positive
// definite M. It has the Boltzmann law p(x) ∝ exp(−E(x)/T), which noise that fits M leaves
// unchanged; see Langevin in package sampling.
type Energetic interface {
	System
	// Energy writes E of every row of x to dst, which has B entries.
	Energy(dst, x []float64)
	// Gradient writes ∂E/∂x of every row to dst, which has B·n entries.
	Gradient(dst, x []float64)
}

// Diffusive is a System with a noise of its own, dx = f(x, t) dt + √T·σ(x, t) dW in the
// sense of Itô. Without it a System cannot be run at a temperature T > 0, unless it is
// Energetic: then σ = √2, which fits M = 1.
type Diffusive interface {
	System
	// Diffuse writes σ(x, t)ξ [1/√ms] to dst for every row, ξ being a row of xi: n standard
	// normal numbers. They do not overlap.
	Diffuse(dst, x, xi []float64, t float64)
}

// Semilinear is a System with a linear leak, f_i(x, t) = −a_i x_i + g_i(x, t). Exponential
// Euler solves the leak exactly.
type Semilinear interface {
	System
	// Leak writes the rates a_i ≥ 0 [1/ms] to dst, which has n entries.
	Leak(dst []float64)
}

// ErrDiverged is wrapped by errors that say that a state is not finite any more.
var ErrDiverged = errors.New("state is not finite")

// DivergedError says where and when a state stopped being finite.
type DivergedError struct {
	What  string  // which variable, such as "layer 2 potential"; may be empty
	Row   int     // of the batch
	Unit  int     // index of the variable
	Time  float64 // [ms]
	Value float64
}

// Error names the unit, the time and the value.
func (e *DivergedError) Error() string {
	what := "unit"
	if e.What != "" {
		what = e.What + ", unit"
	}
	return fmt.Sprintf("dynamics: %s %d (row %d) is %v at t = %v ms: %v", what, e.Unit, e.Row, e.Value, e.Time, ErrDiverged)
}

// Unwrap makes errors.Is(err, ErrDiverged) true.
func (e *DivergedError) Unwrap() error { return ErrDiverged }

// Float is the precision of a state.
type Float interface{ float32 | float64 }

// CheckFinite returns a *DivergedError for the first entry of x that is NaN or infinite; x
// is a batch of states of n variables. A state is checked in one pass without branches.
func CheckFinite[F Float](what string, x []F, n int, t float64) error {
	// x − x is 0 for finite x and NaN for all others, and a sum with a NaN is one.
	var s0, s1, s2, s3 F
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] - x[i]
		s1 += x[i+1] - x[i+1]
		s2 += x[i+2] - x[i+2]
		s3 += x[i+3] - x[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] - x[i]
	}
	if s0+s1+s2+s3 == 0 {
		return nil
	}
	for i, v := range x {
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			return &DivergedError{What: what, Row: i / n, Unit: i % n, Time: t, Value: v}
		}
	}
	return nil
}

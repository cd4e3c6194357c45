package sampling

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// Preconditioned is an energy with a preconditioner P(x), symmetric and positive definite, in
// which neurons that look ahead move: P = τ_m where they do not.
type Preconditioned interface {
	dynamics.Energetic
	// Precondition writes P(x) [ms] of one state.
	Precondition(p *mat.SymDense, x []float64)
	// Divergence writes Σ_j ∂(P⁻¹)_ij/∂x_j of one state to dst; inv is P⁻¹(x). Where P does not
	// depend on x it is zero.
	Divergence(dst, x []float64, inv mat.Symmetric)
}

// LangevinRule is how Langevin makes a step.
type LangevinRule int

const (
	// EulerMaruyama is x − dt/τ·∇E + √(2T dt/τ)·ξ: the law is off by O(dt).
	EulerMaruyama LangevinRule = iota
	// Averaged takes the mean of the noise of this step and the next one instead of ξ
	// (Leimkuhler and Matthews 2013): the law is off by O(dt²), and exact for quadratic
	// energies, at the same cost.
	Averaged
	// Metropolis proposes an EulerMaruyama step and accepts or rejects it (MALA; Roberts and
	// Tweedie 1996): the law is exact for any dt, at the cost of an energy per step. A chain
	// that is rejected stays.
	Metropolis
)

var rules = [...]string{"Euler-Maruyama", "averaged noise", "Metropolis"}

// String is the name of the rule.
func (r LangevinRule) String() string {
	if r < 0 || int(r) >= len(rules) {
		return fmt.Sprintf("LangevinRule(%d)", int(r))
	}
	return rules[r]
}

// LangevinOptions configures NewLangevin. The zero value of each field but Dt is its default.
type LangevinOptions struct {
	Dt          float64      // step [ms]; required
	Temperature float64      // T ≥ 0 of p ∝ exp(−E/T); default 0: the chains go down to a minimum
	Rule        LangevinRule // default EulerMaruyama
	Chains      int          // default 1

	// Tau is the time constant τ [ms] of all variables; default 1. It only scales time. It is
	// not used with Precondition.
	Tau float64

	// Precondition moves chains in the preconditioner of the energy, which must be
	// Preconditioned (EulerMaruyama and Metropolis):
	//
	//	dx = −P⁻¹∇E dt + T ∇·(P⁻¹) dt + √(2T P⁻¹) dW .
	//
	// The law stays p ∝ exp(−E/T): the noise fits P, and the second term makes up for a P that
	// depends on x. A step costs a Cholesky factorisation of n×n for every chain.
	Precondition bool
}

// Langevin samples p(x) ∝ exp(−E(x)/T) by overdamped Langevin dynamics,
//
//	τ dx = −∇E dt + √(2Tτ) dW .
//
// At T = 0 it is gradient descent, by the same code, and draws no random number. Chains start
// at 0 unless told otherwise.
type Langevin struct {
	sys   dynamics.Energetic
	pre   Preconditioned // nil without Precondition
	o     LangevinOptions
	clock dynamics.Clock
	n     int
	step  int64
	rnd   []*rand.Rand
	ready bool // Reset has succeeded

	x, grad, xi []float64
	next        []float64 // Averaged: the noise of the next step; Metropolis: proposals

	// Metropolis.
	energy, energyNew []float64
	gradNew           []float64
	tried, accepted   int64

	chol []factor // of every chain, at x
	prop factor   // at a proposal
}

// factor is what the preconditioned scheme knows at a state: the Cholesky factor of P = UᵀU,
// half of log det P, and the drift of the step.
type factor struct {
	u       blas64.Triangular
	data    []float64
	inv     *mat.SymDense
	logDet2 float64
	drift   []float64
}

var _ RealSampler = (*Langevin)(nil)

// NewLangevin returns a sampler of sys. Reset it before use.
func NewLangevin(sys dynamics.Energetic, o LangevinOptions) (*Langevin, error) {
	if sys == nil || sys.Dim() < 1 {
		return nil, errors.New("sampling: no energy: must have at least one variable")
	}
	if err := (dynamics.Clock{Dt: o.Dt}).Validate(); err != nil {
		return nil, err
	}
	if !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0) {
		return nil, fmt.Errorf("sampling: Temperature = %v: must be finite and ≥ 0", o.Temperature)
	}
	if o.Tau == 0 {
		o.Tau = 1
	}
	if !(o.Tau > 0) || math.IsInf(o.Tau, 0) {
		return nil, fmt.Errorf("sampling: Tau = %v ms: must be finite and > 0", o.Tau)
	}
	if o.Chains == 0 {
		o.Chains = 1
	}
	if o.Chains < 1 {
		return nil, fmt.Errorf("sampling: Chains = %d: must be ≥ 1 (0: 1)", o.Chains)
	}
	if o.Rule < EulerMaruyama || o.Rule > Metropolis {
		return nil, fmt.Errorf("sampling: %v: must be EulerMaruyama, Averaged or Metropolis", o.Rule)
	}
	if o.Rule == Metropolis && o.Temperature == 0 {
		return nil, errors.New("sampling: Metropolis at Temperature 0: must be > 0")
	}
	l := &Langevin{sys: sys, o: o, clock: dynamics.Clock{Dt: o.Dt}, n: sys.Dim()}
	size := l.n * o.Chains
	l.x, l.grad, l.xi, l.next = make([]float64, size), make([]float64, size), make([]float64, size), make([]float64, size)
	if o.Rule == Metropolis {
		l.energy, l.energyNew, l.gradNew = make([]float64, o.Chains), make([]float64, o.Chains), make([]float64, size)
	}
	if o.Precondition {
		pre, ok := sys.(Preconditioned)
		if !ok {
			return nil, errors.New("sampling: the energy has no preconditioner: Precondition must be false")
		}
		if o.Rule == Averaged {
			return nil, errors.New("sampling: Averaged has no preconditioned form: must be EulerMaruyama or Metropolis")
		}
		l.pre = pre
		l.chol = make([]factor, o.Chains)
		for b := range l.chol {
			l.chol[b] = newFactor(l.n)
		}
		l.prop = newFactor(l.n)
	}
	return l, nil
}

func newFactor(n int) factor {
	return factor{
		data: make([]float64, n*n), drift: make([]float64, n),
		inv: mat.NewSymDense(n, nil),
	}
}

// Dim is the number of variables.
func (l *Langevin) Dim() int { return l.n }

// Chains is the number of chains.
func (l *Langevin) Chains() int { return l.o.Chains }

// State is the state of all chains, by rows.
func (l *Langevin) State() []float64 { return l.x }

// Time is the time since Reset [ms].
func (l *Langevin) Time() float64 { return l.clock.Time(l.step) }

// Accepted is the share of accepted proposals since Reset (Metropolis; else 1).
func (l *Langevin) Accepted() float64 {
	if l.tried == 0 {
		return 1
	}
	return float64(l.accepted) / float64(l.tried)
}

// Reset puts all chains at time 0 in the states of start (nil: at 0). At temperature 0 src may
// be nil. If the energy refuses the start, the sampler must be Reset again.
func (l *Langevin) Reset(start []float64, src []rand.Source) error {
	if start != nil && len(start) != len(l.x) {
		return fmt.Errorf("sampling: start has %d entries: must have %d", len(start), len(l.x))
	}
	if err := dynamics.CheckFinite("start", start, l.n, 0); err != nil {
		return err
	}
	if l.o.Temperature > 0 && len(src) != l.o.Chains {
		return fmt.Errorf("sampling: %d sources: must be one for each of %d chains", len(src), l.o.Chains)
	}
	var rnd []*rand.Rand
	if l.o.Temperature > 0 {
		for _, s := range src {
			if s == nil {
				return errors.New("sampling: a source is nil")
			}
			rnd = append(rnd, rand.New(s))
		}
	}
	clear(l.x)
	copy(l.x, start)
	l.step, l.tried, l.accepted, l.rnd, l.ready = 0, 0, 0, rnd, false
	if l.o.Rule == Averaged {
		l.draw(l.next)
	}
	l.sys.Gradient(l.grad, l.x)
	if l.o.Rule == Metropolis {
		l.sys.Energy(l.energy, l.x)
		if err := dynamics.CheckFinite("energy of a start", l.energy, 1, 0); err != nil {
			return err
		}
	}
	for b := range l.chol {
		if err := l.prepare(&l.chol[b], l.row(l.x, b), l.row(l.grad, b)); err != nil {
			return err
		}
	}
	l.ready = true
	return nil
}

func (l *Langevin) row(x []float64, b int) []float64 { return x[b*l.n : (b+1)*l.n] }

// draw fills dst with standard normal numbers, every chain's from its own source.
func (l *Langevin) draw(dst []float64) {
	for b, r := range l.rnd {
		row := l.row(dst, b)
		for i := range row {
			row[i] = r.NormFloat64()
		}
	}
}

// Advance moves all chains to the first step at or after t.
func (l *Langevin) Advance(t float64) error {
	if !l.ready {
		return errors.New("sampling: Langevin must be Reset first")
	}
	for end := l.clock.Ceil(t); l.step < end; {
		var err error
		switch {
		case l.o.Rule == Metropolis:
			err = l.metropolis()
		case l.pre != nil:
			err = l.preconditioned()
		default:
			l.plain()
		}
		l.step++
		if err == nil {
			err = dynamics.CheckFinite("Langevin", l.x, l.n, l.Time())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plain is EulerMaruyama or Averaged with the gradient at hand.
func (l *Langevin) plain() {
	h := l.o.Dt / l.o.Tau
	for i, g := range l.grad {
		l.x[i] -= h * g
	}
	if T := l.o.Temperature; T > 0 {
		sd := math.Sqrt(2 * T * h)
		if l.o.Rule == Averaged {
			l.xi, l.next = l.next, l.xi
			l.draw(l.next)
			for i, v := range l.xi {
				l.x[i] += sd / 2 * (v + l.next[i])
			}
		} else {
			l.draw(l.xi)
			for i, v := range l.xi {
				l.x[i] += sd * v
			}
		}
	}
	l.sys.Gradient(l.grad, l.x)
}

// prepare factorises P(x) and finds the drift −P⁻¹∇E + T∇·(P⁻¹).
func (l *Langevin) prepare(f *factor, x, grad []float64) error {
	l.pre.Precondition(f.inv, x)
	raw := f.inv.RawSymmetric()
	copy(f.data, raw.Data)
	sym := blas64.Symmetric{N: l.n, Stride: l.n, Data: f.data, Uplo: blas.Upper}
	u, ok := lapack64.Potrf(sym)
	if !ok {
		return fmt.Errorf("sampling: P is not positive definite at t = %v ms, x = %v", l.Time(), x)
	}
	f.u = u
	f.logDet2 = 0
	for i := range l.n {
		f.logDet2 += math.Log(u.Data[i*l.n+i])
	}
	copy(raw.Data, f.data)
	lapack64.Potri(blas64.Triangular{N: l.n, Stride: l.n, Data: raw.Data, Uplo: blas.Upper, Diag: blas.NonUnit})
	l.pre.Divergence(f.drift, x, f.inv)
	T := l.o.Temperature
	for i := range f.drift {
		f.drift[i] *= T
	}
	blas64.Symv(-1, raw, blas64.Vector{N: l.n, Inc: 1, Data: grad}, 1, blas64.Vector{N: l.n, Inc: 1, Data: f.drift})
	return nil
}

// propose writes x + drift dt + √(2T dt P⁻¹)ξ to y; ξ is in xi, which is overwritten.
func (l *Langevin) propose(y, x, xi []float64, f *factor) {
	for i, d := range f.drift {
		y[i] = x[i] + l.o.Dt*d
	}
	if T := l.o.Temperature; T > 0 {
		// P = UᵀU, so U⁻¹ξ has the covariance P⁻¹.
		blas64.Trsv(blas.NoTrans, f.u, blas64.Vector{N: l.n, Inc: 1, Data: xi})
		sd := math.Sqrt(2 * T * l.o.Dt)
		for i, v := range xi {
			y[i] += sd * v
		}
	}
}

func (l *Langevin) preconditioned() error {
	l.draw(l.xi)
	for b := range l.chol {
		l.propose(l.row(l.x, b), l.row(l.x, b), l.row(l.xi, b), &l.chol[b])
	}
	if err := dynamics.CheckFinite("Langevin", l.x, l.n, l.clock.Time(l.step+1)); err != nil {
		return err
	}
	l.sys.Gradient(l.grad, l.x)
	for b := range l.chol {
		if err := l.prepare(&l.chol[b], l.row(l.x, b), l.row(l.grad, b)); err != nil {
			return err
		}
	}
	return nil
}

// metropolis makes a step of MALA in every chain. A chain draws n normal numbers and one
// uniform number, whatever happens.
func (l *Langevin) metropolis() error {
	T, dt := l.o.Temperature, l.o.Dt
	h := dt / l.o.Tau
	l.draw(l.xi)
	for b := range l.o.Chains {
		y, x := l.row(l.next, b), l.row(l.x, b)
		if l.pre != nil {
			l.propose(y, x, l.row(l.xi, b), &l.chol[b])
			continue
		}
		for i, g := range l.row(l.grad, b) {
			y[i] = x[i] - h*g + math.Sqrt(2*T*h)*l.xi[b*l.n+i]
		}
	}
	l.sys.Energy(l.energyNew, l.next)
	l.sys.Gradient(l.gradNew, l.next)
	for b := range l.o.Chains {
		x, y, g := l.row(l.x, b), l.row(l.next, b), l.row(l.gradNew, b)
		u := l.rnd[b].Float64()
		l.tried++
		if !finiteRow(g) || math.IsNaN(l.energyNew[b]) || math.IsInf(l.energyNew[b], 0) {
			continue // a proposal beyond the numbers has no probability
		}
		log := (l.energy[b] - l.energyNew[b]) / T
		if l.pre != nil {
			if err := l.prepare(&l.prop, y, g); err != nil {
				return err
			}
			log += l.logQ(x, y, &l.prop) - l.logQ(y, x, &l.chol[b])
		} else {
			back, forth := 0.0, 0.0
			for i, gy := range g {
				d := x[i] - y[i] + h*gy
				back += d * d
				d = y[i] - x[i] + h*l.grad[b*l.n+i]
				forth += d * d
			}
			log += (forth - back) / (4 * T * h)
		}
		if !(math.Log(u) < log) {
			continue
		}
		l.accepted++
		copy(x, y)
		copy(l.row(l.grad, b), g)
		l.energy[b] = l.energyNew[b]
		if l.pre != nil {
			l.chol[b], l.prop = l.prop, l.chol[b]
		}
	}
	return nil
}

// logQ is the log density of a step from x, where f is, to y, up to a constant.
func (l *Langevin) logQ(y, x []float64, f *factor) float64 {
	d := l.xi[:l.n] // free by now
	for i := range d {
		d[i] = y[i] - x[i] - l.o.Dt*f.drift[i]
	}
	blas64.Trmv(blas.NoTrans, f.u, blas64.Vector{N: l.n, Inc: 1, Data: d})
	q := 0.0
	for _, v := range d {
		q += v * v
	}
	return f.logDet2 - q/(4*l.o.Temperature*l.o.Dt)
}

func finiteRow(x []float64) bool {
	s := 0.0
	for _, v := range x {
		s += v - v
	}
	return s == 0
}

package dynamics

import (
	"errors"
	"fmt"
	"math"
)

// LookAhead is a population of n leaky neurons that look ahead (prospective coding):
//
//	τ_m du/dt = −u + I,   ŭ = u + τ_r du/dt .
//
// Where τ_r = τ_m the prospective potential ŭ is the drive I itself, without the lag of the
// membrane; τ_r = 0 is the ordinary leaky neuron. It is a batch of B populations by rows.
type LookAhead[F Float] struct {
	a, r []F // dt/τ_m and τ_r/τ_m of every unit; one entry if all are equal
	n    int
}

// NewLookAhead returns n neurons with time constants tauM, tauR [ms], each of length 1 or n,
// for steps of dt [ms]. An explicit step needs dt ≤ τ_m: beyond it potentials overshoot,
// beyond 2τ_m they explode.
func NewLookAhead[F Float](n int, tauM, tauR []float64, dt float64) (*LookAhead[F], error) {
	if n < 1 {
		return nil, fmt.Errorf("dynamics: %d neurons: must be ≥ 1", n)
	}
	l := &LookAhead[F]{n: n}
	if err := l.Set(tauM, tauR, dt); err != nil {
		return nil, err
	}
	return l, nil
}

// Set changes the time constants and the step. It changes nothing if it fails.
func (l *LookAhead[F]) Set(tauM, tauR []float64, dt float64) error {
	if !(dt > 0) || math.IsInf(dt, 0) {
		return fmt.Errorf("dynamics: dt = %v ms: must be finite and > 0", dt)
	}
	if err := errors.Join(checkTaus("tauM", tauM, l.n), checkTaus("tauR", tauR, l.n)); err != nil {
		return err
	}
	for i, tau := range tauM {
		if !(tau >= dt) {
			return fmt.Errorf("dynamics: tauM[%d] = %v ms: must be ≥ the step of %v ms", i, tau, dt)
		}
	}
	for i, tau := range tauR {
		if !(tau >= 0) {
			return fmt.Errorf("dynamics: tauR[%d] = %v ms: must be ≥ 0", i, tau)
		}
	}
	m := max(len(tauM), len(tauR))
	a, r := make([]F, m), make([]F, m)
	for i := range m {
		tm, tr := tauM[min(i, len(tauM)-1)], tauR[min(i, len(tauR)-1)]
		a[i], r[i] = F(dt/tm), F(tr/tm)
	}
	l.a, l.r = a, r
	return nil
}

func checkTaus(name string, tau []float64, n int) error {
	if len(tau) != 1 && len(tau) != n {
		return fmt.Errorf("dynamics: %s has %d entries: must have 1 or %d", name, len(tau), n)
	}
	for i, v := range tau {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("dynamics: %s[%d] = %v ms: must be finite", name, i, v)
		}
	}
	return nil
}

// Step writes the prospective potentials of the present state to ahead and advances the
// potentials u by one step under the drive I: ŭ is computed before u moves. All three are
// B×n; ahead may be drive.
func (l *LookAhead[F]) Step(ahead, u, drive []F) {
	ahead, drive = ahead[:len(u)], drive[:len(u)]
	if len(l.a) == 1 {
		a, r := l.a[0], l.r[0]
		for i, v := range u {
			d := drive[i] - v // τ_m du/dt
			ahead[i] = v + r*d
			u[i] = v + a*d
		}
		return
	}
	n := l.n
	la, lr := l.a[:n], l.r[:n]
	for ; len(u) >= n; u, ahead, drive = u[n:], ahead[n:], drive[n:] {
		row, out, in := u[:n], ahead[:n], drive[:n]
		for i, v := range row {
			d := in[i] - v
			out[i] = v + lr[i]*d
			row[i] = v + la[i]*d
		}
	}
}

// Look writes the prospective potentials to ahead, as Step does, and moves nothing.
func (l *LookAhead[F]) Look(ahead, u, drive []F) {
	ahead, drive = ahead[:len(u)], drive[:len(u)]
	n, k := l.n, len(l.r)
	for i, v := range u {
		ahead[i] = v + l.r[i%n%k]*(drive[i]-v)
	}
}

// LowPass is an exponential filter of continuous signals, τ df/dt = x − f: a synapse that
// filters rates. The zero LowPass passes the signal on.
type LowPass[F Float] struct {
	k       F // share of the way to x in a step
	filters bool
}

// NewLowPass returns a filter with time constant tau ≥ 0 [ms] (0 passes the signal on) in
// steps of dt [ms]. Explicit filters take the share dt/τ of the way in a step, which needs
// dt ≤ τ; the others the exact share 1 − e^{−dt/τ} for an x that is constant over the step.
func NewLowPass[F Float](tau, dt float64, explicit bool) (LowPass[F], error) {
	var l LowPass[F]
	if !(dt > 0) || math.IsInf(dt, 0) {
		return l, fmt.Errorf("dynamics: dt = %v ms: must be finite and > 0", dt)
	}
	if !(tau >= 0) || math.IsInf(tau, 0) {
		return l, fmt.Errorf("dynamics: filter with time constant %v ms: must be finite and ≥ 0", tau)
	}
	if tau == 0 {
		return l, nil
	}
	k := -math.Expm1(-dt / tau)
	if explicit {
		if k = dt / tau; k > 1 {
			return l, fmt.Errorf("dynamics: explicit filter with time constant %v ms: must be ≥ the step of %v ms", tau, dt)
		}
	}
	return LowPass[F]{k: F(k), filters: true}, nil
}

// Filters reports whether the filter does anything.
func (l LowPass[F]) Filters() bool { return l.filters }

// Step moves the filtered signals f by one step towards x.
func (l LowPass[F]) Step(f, x []F) {
	if !l.filters {
		copy(f, x)
		return
	}
	x = x[:len(f)]
	for i, v := range f {
		f[i] = v + l.k*(x[i]-v)
	}
}

// Delay is a line that gives back every signal a number of steps later.
type Delay[F Float] struct {
	ring []F
	n    int // entries of a signal
	at   int
}

// NewDelay returns a line for signals of n entries that arrive steps ≥ 0 steps later; before
// that, zeros do.
func NewDelay[F Float](n, steps int) (*Delay[F], error) {
	if n < 1 || steps < 0 {
		return nil, fmt.Errorf("dynamics: delay of %d signals by %d steps: must be ≥ 1 and ≥ 0", n, steps)
	}
	return &Delay[F]{ring: make([]F, n*steps), n: n}, nil
}

// Step puts x in and writes what was put in so many steps ago to dst; dst may be x.
func (d *Delay[F]) Step(dst, x []F) {
	if len(d.ring) == 0 {
		copy(dst, x)
		return
	}
	slot := d.ring[d.at : d.at+d.n]
	for i, v := range x[:d.n] {
		dst[i], slot[i] = slot[i], v
	}
	if d.at += d.n; d.at == len(d.ring) {
		d.at = 0
	}
}

// Reset fills the line with zeros.
func (d *Delay[F]) Reset() {
	clear(d.ring)
	d.at = 0
}

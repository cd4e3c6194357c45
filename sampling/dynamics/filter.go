package dynamics

import "math"

// Trace is an exponential filter of events, x(t) = Σ a_i e^{−(t−t_i)/τ}, evaluated only at
// events. The zero Trace is empty.
type Trace struct {
	x, t float64
}

// At is the value at time t [ms] ≥ the last event, for time constant tau [ms].
func (f *Trace) At(t, tau float64) float64 {
	if f.x == 0 {
		return 0
	}
	return f.x * math.Exp((f.t-t)/tau)
}

// Add lets an event of size a arrive at t [ms]: the trace jumps by a.
func (f *Trace) Add(t, tau, a float64) { f.x, f.t = f.At(t, tau)+a, t }

// Renew lets an event arrive that sets the trace to 1 and returns the jump it took,
// 1 − x(t⁻). This is a renewing (saturating) synapse: the Tsodyks-Markram synapse with
// U = 1, no facilitation and τ_rec = τ_syn.
func (f *Trace) Renew(t, tau float64) float64 {
	jump := 1 - f.At(t, tau)
	f.x, f.t = 1, t
	return jump
}

// Values are the trace right after its last event and the time of that: its whole state.
func (f *Trace) Values() (x, t float64) { return f.x, f.t }

// SetValues is the inverse of Values.
func (f *Trace) SetValues(x, t float64) { f.x, f.t = x, t }

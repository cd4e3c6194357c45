package estimate

import (
	"encoding/json"
	"fmt"
	"math"
)

// Value is a distance between sampled and target law with its Monte-Carlo error.
type Value struct {
	X     float64 // the distance [nats for divergences]
	MCSE  float64 // its standard error; NaN with fewer than two blocks or if X is infinite
	ESS   float64 // independent draws the table is worth; NaN if unknown
	Floor float64 // what X would be on average if the chain sampled the target exactly
}

// String is "0.00312 ± 0.00041 (floor 0.0029, ESS 345)".
func (v Value) String() string {
	return fmt.Sprintf("%.3g ± %.2g (floor %.2g, ESS %.3g)", v.X, v.MCSE, v.Floor, v.ESS)
}

type valueJSON struct {
	X     number `json:"x"`
	MCSE  number `json:"mcse"`
	ESS   number `json:"ess"`
	Floor number `json:"floor"`
}

// MarshalJSON encodes NaN as null and +Inf as "+Inf", which JSON has no numbers for.
func (v Value) MarshalJSON() ([]byte, error) {
	return json.Marshal(valueJSON{number(v.X), number(v.MCSE), number(v.ESS), number(v.Floor)})
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (v *Value) UnmarshalJSON(b []byte) error {
	var dec valueJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("estimate: value: %w", err)
	}
	*v = Value{float64(dec.X), float64(dec.MCSE), float64(dec.ESS), float64(dec.Floor)}
	return nil
}

// DKL is D(sampled‖p) = Σ_k p̂_k log(p̂_k/p_k) over all states; states never seen count 0, a
// state seen although p_k = 0 makes it +Inf. Read it next to its Floor. The target p has
// one entry per state and sums to 1 within 1e-9. ErrNoTime if the table is empty.
func (b *Table) DKL(p []float64) (Value, error) {
	return b.distance(p, relativeEntropy, secondOrder)
}

// ReverseDKL is D(p‖sampled), +Inf if a state with p_k > 0 was never seen. Its MCSE is
// +Inf if leaving out one block would make it infinite. Otherwise as DKL.
func (b *Table) ReverseDKL(p []float64) (Value, error) {
	reverse := func(sampled, p []float64) float64 { return relativeEntropy(p, sampled) }
	return b.distance(p, reverse, secondOrder)
}

// SmoothedReverseDKL is ReverseDKL with time pseudo > 0 added to every state of the sample,
// so that it is finite where states were never seen: D(p‖q), q_k = (T_k + pseudo)/Σ(T +
// pseudo). A natural pseudo is what one draw lasts, a sweep or a refractory time. Compare at
// equal pseudo and equal time only; for a sample of little time it tends to D(p‖uniform).
func (b *Table) SmoothedReverseDKL(p []float64, pseudo float64) (Value, error) {
	if !(pseudo > 0) || math.IsInf(pseudo, 0) {
		return Value{math.NaN(), math.NaN(), math.NaN(), math.NaN()}, fmt.Errorf("estimate: pseudo = %v: must be finite and > 0", pseudo)
	}
	total := b.Time()
	q := make([]float64, b.size)
	return b.distance(p, func(sampled, p []float64) float64 {
		for k, s := range sampled {
			q[k] = (s*total + pseudo) / (total + pseudo*float64(b.size))
		}
		return relativeEntropy(p, q)
	}, secondOrder)
}

// TV is the total variation distance ½ Σ_k |p̂_k - p_k|, in [0, 1]. Its Floor assumes
// normal errors, E|p̂_k - p_k| = √(2 Var(p̂_k)/π). Otherwise as DKL.
func (b *Table) TV(p []float64) (Value, error) {
	return b.distance(p, totalVariation, func(variance, _ float64) float64 {
		return math.Sqrt(variance / (2 * math.Pi))
	})
}

// secondOrder is the share of a state in the mean of either divergence, Var(p̂)/2p.
func secondOrder(variance, p float64) float64 { return variance / (2 * p) }

// relativeEntropy is D(p‖q) = Σ p log(p/q), p and q distributions of one length.
func relativeEntropy(p, q []float64) float64 {
	d := 0.0
	for k, v := range p {
		if v > 0 {
			d += v * math.Log(v/q[k])
		}
	}
	return d
}

func totalVariation(p, q []float64) float64 {
	d := 0.0
	for k, v := range p {
		d += math.Abs(v - q[k])
	}
	return d / 2
}

// distance is d(sampled, p) with its error. The floor is the sum of the given function of
// Var(p̂_k) and p_k.
func (b *Table) distance(p []float64, d func(sampled, p []float64) float64,
	floor func(variance, pk float64) float64) (Value, error) {
	none := Value{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	if err := checkTarget(p, b.size); err != nil {
		return none, err
	}
	if b.Time() == 0 {
		return none, ErrNoTime
	}
	variance := b.Var()
	v := Value{X: d(b.P(), p), MCSE: math.NaN(), ESS: effective(b.P(), variance)}
	for k, x := range variance {
		if p[k] > 0 {
			v.Floor += floor(x, p[k])
		}
	}
	v.MCSE = b.jackknife(v.X, func(sampled []float64) float64 { return d(sampled, p) })
	return v, nil
}

// jackknife is the standard error of theta = f(P) by leaving out one block at a time, for
// blocks of unequal weight (Busing et al. 1999): with θ_b the estimate without block b and
// h_b = T/T_b, the pseudo-values h_b θ - (h_b - 1) θ_b scatter with variance h_b - 1 times
// that of θ. It is NaN with fewer than two blocks or if theta is not finite, +Inf if theta is
// not finite without one of the blocks.
func (b *Table) jackknife(theta float64, f func(p []float64) float64) float64 {
	blocks := b.filled()
	n := float64(len(blocks))
	if n < 2 || math.IsInf(theta, 0) || math.IsNaN(theta) {
		return math.NaN()
	}
	times := b.times()
	total := sum(times)
	rest := make([]float64, b.size)
	pseudo := make([]float64, len(blocks))
	h := make([]float64, len(blocks))
	mean := n * theta // jackknife estimate
	for i, block := range blocks {
		tb := sum(block)
		for k, t := range block {
			rest[k] = max(0, times[k]-t) / (total - tb)
		}
		without := f(rest)
		if math.IsInf(without, 0) || math.IsNaN(without) {
			return math.Inf(1)
		}
		h[i] = total / tb
		pseudo[i] = h[i]*theta - (h[i]-1)*without
		mean -= (1 - 1/h[i]) * without
	}
	scatter := 0.0
	for i, x := range pseudo {
		scatter += (x - mean) * (x - mean) / (h[i] - 1)
	}
	return math.Sqrt(scatter / n)
}

package tempering

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/sampling"
)

// FreezeOut is the freeze-out temperature T_f of an oscillation: cooling leaves the odds
// between modes as they were at T_f, so the sampled log odds are the exact ones divided
// by it. It is the least-squares slope through the origin, sampled = exact/T_f, with the
// standard error that the residuals say. 1 is exact sampling, the highest temperature of
// the cycle its upper end.
//
// Both slices are equally long, at least 2, and finite; not all exact log odds are 0. A
// slope that is not positive is an error: there is no such temperature.
func FreezeOut(logOddsSampled, logOddsExact []float64) (T, se float64, err error) {
	fail := func(format string, a ...any) (float64, float64, error) {
		return math.NaN(), math.NaN(), fmt.Errorf("tempering: freeze-out temperature: "+format, a...)
	}
	n := len(logOddsExact)
	if len(logOddsSampled) != n || n < 2 {
		return fail("%d sampled and %d exact log odds: must be as many, at least 2", len(logOddsSampled), n)
	}
	xx, xy := 0.0, 0.0
	for i, x := range logOddsExact {
		y := logOddsSampled[i]
		if !finite(x) || !finite(y) {
			return fail("log odds %d are %v sampled, %v exact: must be finite (a mode that was never seen has none)", i, y, x)
		}
		xx += x * x
		xy += x * y
	}
	if xx == 0 {
		return fail("all exact log odds are 0: they are the same at every temperature")
	}
	slope := xy / xx
	if !(slope > 0) {
		return fail("sampled log odds are %.3g times the exact ones: must be positive", slope)
	}
	rss := 0.0
	for i, x := range logOddsExact {
		d := logOddsSampled[i] - slope*x
		rss += d * d
	}
	return 1 / slope, math.Sqrt(rss/float64(n-1)/xx) / (slope * slope), nil
}

// TemperatureFit is the law p ∝ exp(−E(z)/T + Delta·Σ_k z_k) that is closest to a sampled
// one.
type TemperatureFit struct {
	T     float64 // temperature relative to that of the model
	Delta float64 // common bias beside it [nats]
	DKL   float64 // D(sampled‖fit) [nats]
}

// maxFitUnits is the number of units of a law that FitTemperature enumerates.
const maxFitUnits = 20

// FitTemperature fits temperature and common bias to the sampled law p of all states of m,
// by maximum likelihood: bit k of the index is unit k, as in estimate.Joint. m has at most
// 20 units and no impossible states. A law that does not fall with the energy at all has
// T = ±Inf or negative.
func FitTemperature(m sampling.Model, p []float64) (TemperatureFit, error) {
	fail := func(format string, a ...any) (TemperatureFit, error) {
		return TemperatureFit{}, fmt.Errorf("tempering: temperature fit: "+format, a...)
	}
	if err := checkModel(m); err != nil {
		return TemperatureFit{}, err
	}
	n := m.Dim()
	if n > maxFitUnits || len(p) != 1<<n {
		return fail("law of %d states with %d units: must be 2^units, at most %d units", len(p), n, maxFitUnits)
	}
	// Sufficient statistics of every state: energy and units on.
	energy, on := make([]float64, len(p)), make([]float64, len(p))
	z := make([]uint8, n)
	var total, wantE, wantOn, plogp float64
	for s, q := range p {
		for k := range z {
			z[k] = uint8(s >> k & 1)
			on[s] += float64(z[k])
		}
		if energy[s] = m.Energy(z); !finite(energy[s]) {
			return fail("energy of state %v is %v: must be finite", z, energy[s])
		}
		if !(q >= 0) || math.IsInf(q, 0) {
			return fail("p[%d] = %v: must be finite and ≥ 0", s, q)
		}
		total += q
		wantE += q * energy[s]
		wantOn += q * on[s]
		if q > 0 {
			plogp += q * math.Log(q)
		}
	}
	if math.Abs(total-1) > 1e-6 {
		return fail("the law sums to %v: must be 1", total)
	}
	// Relative to their sampled means, so that the log-likelihood is −log Z and nothing
	// cancels. It is concave, and Newton's steps, halved where they overshoot, find its
	// maximum if it has one.
	for s := range p {
		energy[s] -= wantE
		on[s] -= wantOn
	}
	f := newFamily(energy, on, 1, 0)
	for range 200 {
		h := mat.NewSymDense(2, []float64{f.varE, -f.cov, -f.cov, f.varOn})
		var d mat.VecDense
		if err := d.SolveVec(h, mat.NewVecDense(2, []float64{f.meanE, -f.meanOn})); err != nil {
			break
		}
		db, dd := d.AtVec(0), d.AtVec(1)
		next := newFamily(energy, on, f.beta+db, f.delta+dd)
		for scale := 0.5; !(next.logZ <= f.logZ+1e-12) && scale > 1e-9; scale /= 2 {
			next = newFamily(energy, on, f.beta+scale*db, f.delta+scale*dd)
		}
		f = next
		if math.Abs(db) < 1e-9*(1+math.Abs(f.beta)) && math.Abs(dd) < 1e-9*(1+math.Abs(f.delta)) {
			return TemperatureFit{T: 1 / f.beta, Delta: f.delta, DKL: math.Max(0, plogp+f.logZ)}, nil
		}
	}
	return fail("the likelihood has no single maximum: too few states were seen, or the model has none that tell T from Delta")
}

// family is a member of p ∝ exp(delta·on − beta·energy) with its moments.
type family struct {
	beta, delta      float64
	logZ             float64
	meanE, meanOn    float64
	varE, cov, varOn float64
}

func newFamily(energy, on []float64, beta, delta float64) family {
	f := family{beta: beta, delta: delta}
	top := math.Inf(-1)
	for s := range energy {
		top = math.Max(top, delta*on[s]-beta*energy[s])
	}
	z := 0.0
	for s, e := range energy {
		w := math.Exp(delta*on[s] - beta*e - top)
		z += w
		f.meanE += w * e
		f.meanOn += w * on[s]
		f.varE += w * e * e
		f.cov += w * e * on[s]
		f.varOn += w * on[s] * on[s]
	}
	for _, x := range []*float64{&f.meanE, &f.meanOn, &f.varE, &f.cov, &f.varOn} {
		*x /= z
	}
	f.varE -= f.meanE * f.meanE
	f.cov -= f.meanE * f.meanOn
	f.varOn -= f.meanOn * f.meanOn
	f.logZ = top + math.Log(z)
	return f
}

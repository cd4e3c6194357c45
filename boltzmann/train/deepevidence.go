package train

import (
	"context"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// DeepEvidence is what is known of the mean log-likelihood of data [nats per state].
type DeepEvidence struct {
	// Exact is set, with LogLikelihood, if log Z and the sums over the hidden units of every
	// state are exact; ExactZ if at least log Z is.
	Exact, ExactZ bool
	LogLikelihood float64

	LogZ float64 // exact, or estimated by AIS, then too small on average
	// Bound is the mean variational bound on log Σ_h exp(−E(v, h)) less LogZ. If log Z is not
	// exact it is no bound, as LogZ is too small; but what the literature reports.
	Bound float64
	// Lower is the same with log Z from reverse AIS, whose estimate is too large on average: a
	// lower bound as far as the chains have reached all modes before they are annealed
	// backwards. If it is above Bound they had not, or the difference is noise, and the smaller
	// of both is what to report. It is Bound if log Z is exact.
	Lower            float64
	Forward, Reverse boltzmann.AISResult // zero if log Z is exact
}

const (
	exactUnits = 20      // enumerated for log Z at most
	exactSum   = 1 << 24 // states enumerated for the data at most
)

// LogLikelihood is what can be said of the mean of log p(v) over data, v being pixels and label
// units. The variational bound is at the mean-field solution after 30 sweeps. Log Z is exact
// if the even or the odd layers have at most 20 units, and else from AIS in both directions on
// RBM, quantised, with the log odds of the data's rates as the base. The log-likelihood itself
// is exact if log Z is and the sums over hidden units take at most 2^24 states for all data
// together (with one hidden layer, none). There is no upper bound for larger machines.
func (m *DeepModel) LogLikelihood(ctx context.Context, d Data, o EvidenceOptions) (e DeepEvidence, err error) {
	workers, err := o.fill()
	if err != nil {
		return e, err
	}
	if err := m.check(d); err != nil {
		return e, err
	}
	bound, err := m.meanBound(ctx, d, workers)
	if err != nil {
		return e, err
	}
	if m.smaller(0) > exactUnits {
		if e.Forward, e.Reverse, err = m.anneal(ctx, d, o, workers); err != nil {
			return DeepEvidence{}, err
		}
		e.LogZ = e.Forward.LogZ
		e.Bound, e.Lower = bound-e.LogZ, bound-e.Reverse.LogZ
		return e, nil
	}
	if e.LogZ, err = m.m.LogZ(); err != nil {
		return DeepEvidence{}, err
	}
	e.ExactZ, e.Bound = true, bound-e.LogZ
	e.Lower = e.Bound
	if n := m.smaller(1); n <= exactUnits && len(d.Images)<<n <= exactSum {
		sum, err := m.meanSum(ctx, d, workers)
		if err != nil {
			return DeepEvidence{}, err
		}
		e.Exact, e.LogLikelihood = true, sum-e.LogZ
	}
	return e, nil
}

// smaller is the number of units of the even layers or of the odd ones, whichever have less,
// of layers from first on.
func (m *DeepModel) smaller(first int) int {
	var n [2]int
	for l := first; l < m.m.Layers(); l++ {
		from, to := m.m.Layer(l)
		n[l%2] += to - from
	}
	return min(n[0], n[1])
}

// meanBound is the mean over the data of the variational bound on log Σ_h exp(−E(v, h)).
func (m *DeepModel) meanBound(ctx context.Context, d Data, workers int) (float64, error) {
	n, whole, err := m.reader(len(d.Images), workers)
	if err != nil {
		return 0, err
	}
	defer n.team.Close()
	sum, row := 0.0, make([]float64, deepBatch)
	for from := 0; from < len(d.Images); from += deepBatch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		f := whole.first(min(deepBatch, len(d.Images)-from))
		for k := range f.rows {
			numbers(f.z[0].Row(k), d.joint(from+k))
		}
		n.meanField(f, deepSweeps)
		n.bounds(row, f)
		for _, x := range row[:f.rows] {
			sum += x
		}
	}
	return sum / float64(len(d.Images)), nil
}

// meanSum is the mean over the data of log Σ_h exp(−E(v, h)), exactly.
func (m *DeepModel) meanSum(ctx context.Context, d Data, workers int) (float64, error) {
	each, errs := make([]float64, len(d.Images)), make([]error, len(d.Images))
	parallel(workers, len(each), func(i int) {
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		h, own, err := m.hidden(d.joint(i))
		if err == nil && h != nil {
			each[i], err = h.LogZ()
		}
		each[i] += own
		errs[i] = err
	})
	sum := 0.0
	for i, x := range each {
		if errs[i] != nil {
			return 0, errs[i]
		}
		sum += x
	}
	return sum / float64(len(each)), nil
}

// anneal estimates log Z from both sides.
func (m *DeepModel) anneal(ctx context.Context, d Data, o EvidenceOptions, workers int) (forward, reverse boltzmann.AISResult, err error) {
	r, err := m.RBM()
	if err != nil {
		return forward, reverse, err
	}
	base := make([]float64, r.Visible()) // even hidden layers begin with fair coins
	copy(base, d.pack().odds(m.visible()))
	a := boltzmann.AISOptions{Levels: o.Levels, Chains: o.Chains, Base: base, Quantised: true, Seed: o.Seed, Parallel: o.Parallel}
	if forward, err = boltzmann.AIS(ctx, r, a); err != nil {
		return forward, reverse, err
	}
	even := func(z []uint8) []uint8 {
		var v []uint8
		for l := 0; l < m.m.Layers(); l += 2 {
			from, to := m.m.Layer(l)
			v = append(v, z[from:to]...)
		}
		return v
	}
	start, err := starts(ctx, m.m, even, d, o, workers)
	if err != nil {
		return forward, reverse, err
	}
	a.Chains = 0
	reverse, err = boltzmann.ReverseAIS(ctx, r, start, a)
	return forward, reverse, err
}

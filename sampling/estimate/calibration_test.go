package estimate

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// telegraph is units that switch independently of each other, on at rate up and off at rate
// down: the simplest process of which everything is known.
type telegraph struct{ up, down []float64 }

func (p telegraph) on(k int) float64 { return p.up[k] / (p.up[k] + p.down[k]) }

// law is the stationary joint distribution, unit 0 the lowest bit.
func (p telegraph) law() []float64 {
	law := make([]float64, 1<<len(p.up))
	for s := range law {
		law[s] = 1
		for k := range p.up {
			if s>>k&1 == 1 {
				law[s] *= p.on(k)
			} else {
				law[s] *= 1 - p.on(k)
			}
		}
	}
	return law
}

// variance is that of the share of time unit k is on in a stretch of length t, from the
// autocovariance pq·exp(-λt).
func (p telegraph) variance(k int, t float64) float64 {
	lambda, on := p.up[k]+p.down[k], p.on(k)
	x := lambda * t
	return 2 * on * (1 - on) / x * (1 - (1-math.Exp(-x))/x)
}

// run simulates time t from the stationary law into rec.
func (p telegraph) run(tb fatal, src rand.Source, t float64, rec ...sampling.Recorder) {
	r := rand.New(src)
	n := len(p.up)
	z := make([]uint8, n)
	rate := make([]float64, n)
	set := func(k int, on uint8) {
		z[k] = on
		rate[k] = p.up[k]
		if on == 1 {
			rate[k] = p.down[k]
		}
	}
	for k := range n {
		set(k, 0)
		if r.Float64() < p.on(k) {
			set(k, 1)
		}
	}
	for _, e := range rec {
		if err := e.Begin(0, z); err != nil {
			tb.Fatal(err)
		}
	}
	var flips []sampling.Flip
	record := func(now float64) {
		for _, e := range rec {
			e.Record(flips, now)
		}
		flips = flips[:0]
	}
	now := 0.0
	for {
		total := sum(rate)
		if now += r.ExpFloat64() / total; now >= t {
			break
		}
		u, k := r.Float64()*total, 0
		for ; k < n-1 && u >= rate[k]; k++ {
			u -= rate[k]
		}
		set(k, 1-z[k])
		if flips = append(flips, flip(now, int32(k), z[k])); len(flips) == 1000 {
			record(now)
		}
	}
	record(t)
}

// within reports an error unless the mean of x is want within 4.5 standard errors
// (false alarm 7e-6).
func within(t *testing.T, what string, x []float64, want float64) {
	t.Helper()
	mean, sd := stat.MeanStdDev(x, nil)
	se := sd / math.Sqrt(float64(len(x)))
	if !(math.Abs(mean-want) < 4.5*se) {
		t.Errorf("%s: mean %.5g ± %.2g, want %.5g", what, mean, se, want)
	}
}

// TestTableVariance compares the variance from blocks with its exact mean. For B blocks of
// width w, E Var = (V(w) - V(Bw))/(B-1), V(t) the variance of an average over t; the error
// of the estimate itself has variance V(Bw).
func TestTableVariance(t *testing.T) {
	p := telegraph{[]float64{.3}, []float64{.9}}
	const span = 4096
	var variance, square, ess []float64
	var blocks int
	var width float64
	for r := range 600 {
		j := must(NewJoint(0))
		p.run(t, rng.Stream(3, "table", r), span, j)
		v := j.Var()
		if !close(v[0], v[1]) {
			t.Fatalf("variances %v of p and 1-p differ", v)
		}
		variance = append(variance, v[1])
		square = append(square, math.Pow(j.P()[1]-p.on(0), 2))
		ess = append(ess, 1/j.ESS())
		blocks, width = j.Blocks()
	}
	if float64(blocks)*width != span || blocks < maxBlocks/2 || blocks > maxBlocks {
		t.Fatalf("%d blocks of %v do not tile %v", blocks, width, span)
	}
	exact := p.variance(0, span)
	blocked := (p.variance(0, width) - exact) / float64(blocks-1)
	within(t, "variance from blocks", variance, blocked)
	within(t, "squared error", square, exact)
	if math.Abs(blocked/exact-1) > .02 {
		t.Errorf("blocks are off by %v", blocked/exact-1)
	}
	// 1/n_eff = 2 Var/(1 - Σp²): nearly linear in Var.
	mean, want := stat.Mean(ess, nil), exact/(p.on(0)*(1-p.on(0)))
	if math.Abs(mean/want-1) > .07 { // 600 estimates of relative sd .18 and a bias of -.02
		t.Errorf("mean 1/ESS = %v, want %v", mean, want)
	}
}

// TestDKLCalibrated: against another law than the sampled one the jackknife error is right,
// and D is where the exact law is; on target the floor is the mean of D and the error is too
// large by up to √2 (see the package documentation).
func TestDKLCalibrated(t *testing.T) {
	p := telegraph{[]float64{.5, 1, .4}, []float64{1, .8, .4}}
	law := p.law()
	far := telegraph{[]float64{1, 1, 1}, []float64{1.5, .5, 1}}.law()
	const span, reps = 2048, 800
	type record struct{ x, mcse2, floor []float64 }
	var off, reverse, on record
	put := func(r *record, v Value, err error) {
		if err != nil {
			t.Fatal(err)
		}
		r.x = append(r.x, v.X)
		r.mcse2 = append(r.mcse2, v.MCSE*v.MCSE)
		r.floor = append(r.floor, v.Floor)
	}
	for r := range reps {
		j := must(NewJoint(0, 1, 2))
		p.run(t, rng.Stream(4, "dkl", r), span, j)
		v, err := j.DKL(far)
		put(&off, v, err)
		v, err = j.ReverseDKL(far)
		put(&reverse, v, err)
		v, err = j.DKL(law)
		put(&on, v, err)
	}
	// A sample variance from 800 values has a relative sd of 5 %, the mean of MCSE² of 1 %:
	// 4.5 se = 23 % (false alarm 7e-6).
	for name, r := range map[string]record{"DKL": off, "reverse DKL": reverse} {
		if ratio := stat.Mean(r.mcse2, nil) / stat.Variance(r.x, nil); math.Abs(ratio-1) > .25 {
			t.Errorf("%s: mean MCSE² is %.3f of the variance", name, ratio)
		}
	}
	// The bias of D off target is that of p̂ log p̂, ½ Σ Var/p of the sampled law.
	within(t, "D off target", off.x, relativeEntropy(law, far)+stat.Mean(on.floor, nil))
	if ratio := stat.Mean(on.mcse2, nil) / stat.Variance(on.x, nil); ratio < 1 || ratio > 2.4 {
		t.Errorf("on target: mean MCSE² is %.3f of the variance, want 1 to 2", ratio)
	}
	excess := make([]float64, reps)
	for i := range excess {
		excess[i] = on.x[i] - on.floor[i]
	}
	within(t, "D - floor on target", excess, 0) // blocks of 32 make the floor 3 % low, 1.7 se
}

// TestFloorMultinomial: for independent draws the floor is (K-1)/(2n), the mean of D; the
// effective sample size is n; the floor of the total variation is its mean.
func TestFloorMultinomial(t *testing.T) {
	target := []float64{.05, .1, .2, .05, .25, .15, .1, .1}
	cumulative := make([]float64, len(target))
	total := 0.0
	for k, v := range target {
		total += v
		cumulative[k] = total
	}
	const n = 4096
	var d, floor, tv, tvFloor, inverse []float64
	for rep := range 800 {
		r := rand.New(rng.Stream(5, "multinomial", rep))
		table := newTable(len(target))
		for range n {
			u, k := r.Float64(), 0
			for k < len(target)-1 && u >= cumulative[k] {
				k++
			}
			table.add(k, 1)
		}
		v := must(table.DKL(target))
		d, floor = append(d, v.X), append(floor, v.Floor)
		inverse = append(inverse, n/v.ESS)
		v = must(table.TV(target))
		tv, tvFloor = append(tv, v.X), append(tvFloor, v.Floor)
	}
	within(t, "D", d, float64(len(target)-1)/(2*n))
	within(t, "floor", floor, float64(len(target)-1)/(2*n))
	within(t, "n/ESS", inverse, 1)
	within(t, "TV", tv, stat.Mean(tvFloor, nil))
}

// TestValuesCalibrated: the errors from bins of several merged chains, for bins finer and
// coarser than the correlation time. R-hat of good chains is 1, of two that are stuck apart
// large.
func TestValuesCalibrated(t *testing.T) {
	p := telegraph{[]float64{.3}, []float64{.9}}
	const span, chains = 2048, 3
	for _, width := range []float64{0, .25, 16} {
		var mcse2, square, ess []float64
		worst := 0.0
		for r := range 80 {
			var all *Values
			for c := range chains {
				v := must(NewValues([]Variable{{Name: "z", Units: []int{0}}}, ValuesOptions{BinWidth: width}))
				p.run(t, rng.Stream(6, "values", r, c), span, v)
				if all == nil {
					all = v
				} else if err := all.Merge(v); err != nil {
					t.Fatal(err)
				}
			}
			s := must(all.Summary())
			if len(s.Rows) != 2 || s.Chains != chains || s.Defined != 1 || s.Time != chains*span {
				t.Fatalf("summary %+v", s)
			}
			row := s.Rows[1]
			mcse2 = append(mcse2, row.MCSE*row.MCSE)
			square = append(square, math.Pow(row.Estimate-p.on(0), 2))
			ess = append(ess, 1/row.ESS)
			worst = max(worst, row.Rhat)
		}
		exact := p.variance(0, span) / chains
		within(t, "squared error", square, exact)
		// The relative sd of MCSE² is about .15, from the error of τ.
		if ratio := stat.Mean(mcse2, nil) / exact; math.Abs(ratio-1) > .08 {
			t.Errorf("bins of %v: mean MCSE² is %.3f of the variance", width, ratio)
		}
		if ratio := stat.Mean(ess, nil) * p.on(0) * (1 - p.on(0)) / exact; math.Abs(ratio-1) > .08 {
			t.Errorf("bins of %v: mean 1/ESS is %.3f of that of independent draws", width, ratio)
		}
		if worst > 1.05 {
			t.Errorf("bins of %v: R-hat %v of stationary chains", width, worst)
		}
	}

	stuck := must(NewValues([]Variable{{Name: "z", Units: []int{0}}}, ValuesOptions{BinWidth: 1}))
	for c, rates := range []telegraph{{[]float64{.1}, []float64{.9}}, {[]float64{.9}, []float64{.1}}} {
		v := must(NewValues([]Variable{{Name: "z", Units: []int{0}}}, ValuesOptions{BinWidth: 1}))
		rates.run(t, rng.Stream(6, "stuck", c), span, v)
		if err := stuck.Merge(v); err != nil {
			t.Fatal(err)
		}
	}
	s := must(stuck.Summary())
	if row := s.Rows[1]; !(row.Rhat > 1.3) || !(row.MCSE > .2) {
		t.Errorf("chains at .1 and .9: R-hat %v, MCSE %v", row.Rhat, row.MCSE)
	}
}

package inference

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/bayes"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// Marginal is the probability of one state of one variable of the query.
type Marginal struct {
	Variable, State string
	Exact           float64
	Estimate        float64
	MCSE            float64 // Monte-Carlo standard error; NaN if the share never varied
	ESS             float64 // independent draws of the same error; NaN likewise
	Rhat            float64 // NaN likewise
}

// SamplerResult is what one sampler found.
type SamplerResult struct {
	Name        string
	Method      string // what was run, in words
	Units       int
	Marginals   []Marginal
	MaxAbsError float64         // largest |estimate − exact|
	DKL         *estimate.Value // of the query's joint law from the exact one [nats]; nil if it was not recorded
	Curve       []estimate.CurvePoint
	Defined     float64 // share of time in which all variables were defined
	Time        float64 // recorded, all chains together, in Unit
	Unit        string  // "ms" or "sweeps"
	Wall        time.Duration
	Partial     bool // stopped before its time
}

// Result is the posterior by all samplers.
type Result struct {
	*Plan
	Samplers []SamplerResult
	Chains   int
	Duration float64 // recorded biological time of each chain [ms]
	Seed     uint64
	Wall     time.Duration
	Partial  bool // some sampler was stopped before its time or did not run
}

// Posterior estimates the posterior of the network given the evidence by the samplers of
// o, and solves it exactly for comparison. If ctx ends, it returns what was sampled so
// far, marked as partial, together with ctx's error.
func Posterior(ctx context.Context, n *bayes.Network, ev bayes.Evidence, o Options) (*Result, error) {
	p, err := NewPlan(n, ev, o)
	if err != nil {
		return nil, err
	}
	return p.Run(ctx)
}

// Run runs the samplers of the plan one after another.
func (p *Plan) Run(ctx context.Context) (*Result, error) {
	start := time.Now()
	res := &Result{Plan: p, Chains: p.opt.Chains, Duration: p.opt.Duration, Seed: p.opt.Seed}
	for _, name := range p.opt.Samplers {
		s, err := p.run(ctx, name)
		if s != nil {
			res.Samplers = append(res.Samplers, *s)
		}
		if err != nil {
			res.Wall = time.Since(start)
			if ctx.Err() != nil {
				res.Partial = true
				return res, err
			}
			return nil, err
		}
	}
	res.Wall = time.Since(start)
	return res, nil
}

// recorder is the estimator of one chain.
type recorder struct {
	values *estimate.Values
	curve  *estimate.Curve // nil without a joint law
}

func (r *recorder) Begin(t float64, z []uint8) error {
	if r.curve != nil {
		if err := r.curve.Begin(t, z); err != nil {
			return err
		}
	}
	return r.values.Begin(t, z)
}

func (r *recorder) Record(flips []sampling.Flip, t float64) {
	r.values.Record(flips, t)
	if r.curve != nil {
		r.curve.Record(flips, t)
	}
}

func (r *recorder) Merge(o *recorder) error {
	if r.curve != nil {
		if err := r.curve.Merge(o.curve); err != nil {
			return err
		}
	}
	return r.values.Merge(o.values)
}

// run runs the chains of one sampler; the result is nil if nothing was recorded.
func (p *Plan) run(ctx context.Context, name string) (*SamplerResult, error) {
	start := time.Now()
	first, err := p.Sampler(name)
	if err != nil {
		return nil, err
	}
	out := &SamplerResult{Name: name, Method: p.method(name), Units: first.Dim(), Unit: "ms"}
	scale := 1.0 // sampler's time per ms
	if name == Gibbs {
		scale, out.Unit = 1/p.Setup.Neuron.TauRef, "sweeps"
	}
	sch := sampling.Schedule{Warmup: p.opt.Warmup * scale, Duration: p.opt.Duration * scale}
	if f := p.opt.OnProgress; f != nil {
		sch.OnProgress = func(pr sampling.Progress) { f(name, pr) }
	}
	var times []float64
	if p.ExactJoint != nil {
		if times, err = estimate.LogTimes(sch.Duration/math.Max(10, math.Min(1e4, sch.Duration/10)), sch.Duration, 8); err != nil {
			return nil, err
		}
	}
	rec, err := sampling.Chains(ctx,
		func(int) (sampling.Sampler, error) { return p.Sampler(name) },
		func(int) (*recorder, error) {
			v, err := estimate.NewValues(p.vars, estimate.ValuesOptions{Joint: p.ExactJoint != nil, Condition: true})
			if err != nil || p.ExactJoint == nil {
				return &recorder{values: v}, err
			}
			c, err := estimate.NewVariablesCurve(p.ExactJoint, times, p.vars)
			return &recorder{v, c}, err
		},
		sampling.ChainOptions{Schedule: sch, Seed: p.opt.Seed, Stream: name, Chains: p.opt.Chains, Parallel: p.opt.Parallel})
	if rec == nil || rec.values.Time() == 0 {
		return nil, err
	}
	out.Partial = err != nil
	if e := p.summarise(rec, out); e != nil {
		return nil, fmt.Errorf("inference: sampler %s after %g %s: %w", name, rec.values.Time(), out.Unit, e)
	}
	out.Wall = time.Since(start)
	return out, err
}

func (p *Plan) summarise(rec *recorder, out *SamplerResult) error {
	sum, err := rec.values.Summary()
	if err != nil {
		return err
	}
	out.Time, out.Defined = sum.Time, sum.Defined
	row := 0
	for _, v := range p.vars {
		k, err := p.Network.Index(v.Name)
		if err != nil {
			return err
		}
		for s, state := range p.Network.Vars[k].States {
			r := sum.Rows[row]
			row++
			m := Marginal{Variable: v.Name, State: state, Exact: p.Exact.Marginals[k][s],
				Estimate: r.Estimate, MCSE: r.MCSE, ESS: r.ESS, Rhat: r.Rhat}
			out.Marginals = append(out.Marginals, m)
			out.MaxAbsError = math.Max(out.MaxAbsError, math.Abs(m.Estimate-m.Exact))
		}
	}
	if p.ExactJoint == nil {
		return nil
	}
	table, err := rec.values.Joint()
	if err != nil {
		return err
	}
	d, err := table.DKL(p.ExactJoint)
	if err != nil {
		return err
	}
	out.DKL = &d
	out.Curve, err = rec.curve.Points()
	return err
}

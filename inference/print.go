package inference

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann/bayes"
)

// method says in words what a sampler runs.
func (p *Plan) method(name string) string {
	switch name {
	case LIF:
		return fmt.Sprintf("%v neurons, %v PSPs, %s, %v translation",
			p.Setup.Neuron.Kind, p.Setup.PSP, p.machineKind(), p.Translation)
	case Neural:
		return "abstract neural sampler, absolute refractoriness, continuous time, " + p.directKind()
	}
	return "sequential Gibbs sampling, " + p.directKind()
}

func (p *Plan) machineKind() string {
	switch {
	case p.Aux == 0:
		return "pairwise machine"
	case p.Aux == 1:
		return "pairwise machine with 1 auxiliary unit"
	}
	return fmt.Sprintf("pairwise machine with %d auxiliary units (%s)", p.Aux, p.Kind)
}

func (p *Plan) directKind() string {
	if p.Target.Order() <= 2 {
		return "pairwise machine"
	}
	return fmt.Sprintf("direct (log odds of order %d)", p.Target.Order())
}

// String is the result as tables.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s given %s", r.Network.Name, evidence(r.Plan))
	if p := math.Exp(r.Exact.LogEvidence); r.Network.Bayesian() && len(r.Evidence) > 0 {
		fmt.Fprintf(&b, "  (probability of the evidence %.4g)", p)
	}
	b.WriteString("\n")
	if r.Partial {
		b.WriteString("PARTIAL: stopped before its time; what was sampled until then:\n")
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "variable\tvalue\texact\t")
	for _, s := range r.Samplers {
		fmt.Fprintf(w, "%s ± MCSE\tESS\tR-hat\t", s.Name)
	}
	fmt.Fprintln(w)
	for i, m := range r.rows() {
		fmt.Fprintf(w, "%s\t%s\t%.4f\t", m.Variable, m.State, m.Exact)
		for _, s := range r.Samplers {
			q := s.Marginals[i]
			fmt.Fprintf(w, "%.4f ± %s\t%s\t%s\t", q.Estimate, number("%.4f", q.MCSE), number("%.0f", q.ESS), number("%.3f", q.Rhat))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if r.Target == nil {
		fmt.Fprintf(&b, "\n%v\n", bayes.ErrDetermined)
		return b.String()
	}
	b.WriteString("\n")
	w = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "sampler\tunits\tmax |error|\tDKL of the joint\tfloor\ttime, all chains\twall\tmethod")
	for _, s := range r.Samplers {
		d, floor := "-", "-"
		if s.DKL != nil {
			d = fmt.Sprintf("%s ± %s", number("%.5f", s.DKL.X), number("%.5f", s.DKL.MCSE))
			floor = number("%.5f", s.DKL.Floor)
		}
		part := ""
		if s.Partial {
			part = " (partial)"
		}
		fmt.Fprintf(w, "%s%s\t%d\t%.4f\t%s\t%s\t%.4g %s\t%v\t%s\n", s.Name, part, s.Units, s.MaxAbsError, d, floor,
			s.Time, s.Unit, s.Wall.Round(time.Millisecond), s.Method)
	}
	w.Flush()
	planned := ""
	if r.Partial {
		planned = "planned: "
	}
	fmt.Fprintf(&b, "\n%s%d chains of %g ms biological time after %g ms warm-up, seed %d, wall time %v\n",
		planned, r.Chains, r.Duration, r.opt.Warmup, r.Seed, r.Wall.Round(time.Millisecond))
	if e := r.Target.RegularisationError; e > 0 {
		fmt.Fprintf(&b, "zero probabilities were replaced by %.3g of the largest: total variation from the exact posterior %.2g\n", r.Target.Epsilon, e)
	}
	if r.Beyond > 0 {
		fmt.Fprintf(&b, "%s: couplings beyond the calibrated range of the PSPs: %d; the network saturates there and its result is not faithful\n", LIF, r.Beyond)
	}
	for _, s := range r.Samplers {
		if s.Defined < 1 {
			fmt.Fprintf(&b, "%s: for %.1f %% of the time the units encoded possible values of all variables; estimates are conditional on that\n", s.Name, 100*s.Defined)
		}
	}
	return b.String()
}

// rows are the exact marginals of the query.
func (r *Result) rows() (rows []Marginal) {
	for _, name := range r.Query {
		k, err := r.Network.Index(name)
		if err != nil {
			continue // not of a query that was checked
		}
		for s, state := range r.Network.Vars[k].States {
			rows = append(rows, Marginal{Variable: name, State: state, Exact: r.Exact.Marginals[k][s]})
		}
	}
	return rows
}

func evidence(p *Plan) string {
	if len(p.Evidence) == 0 {
		return "no evidence"
	}
	return p.Evidence.String()
}

func number(format string, x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf(format, x)
}

// num is a number that JSON can hold: null for NaN and infinities.
func num(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// bio is the biological time that the first sampler recorded, all chains together [ms]; a
// sweep of Gibbs sampling stands for one refractory time.
func (r *Result) bio() float64 {
	switch {
	case len(r.Samplers) == 0:
		return 0
	case !r.Samplers[0].Partial:
		return r.Duration * float64(r.Chains)
	case r.Samplers[0].Unit == "sweeps":
		return r.Samplers[0].Time * r.Setup.Neuron.TauRef
	}
	return r.Samplers[0].Time
}

type marginalJSON struct {
	Variable string   `json:"variable"`
	Value    string   `json:"value"`
	Exact    *float64 `json:"exact"`
	Estimate *float64 `json:"estimate"`
	MCSE     *float64 `json:"mcse"`
	ESS      *float64 `json:"ess"`
	Rhat     *float64 `json:"rhat"`
}

type exactJSON struct {
	Variable string  `json:"variable"`
	Value    string  `json:"value"`
	P        float64 `json:"p"`
}

type samplerJSON struct {
	Name        string         `json:"name"`
	Method      string         `json:"method"`
	Units       int            `json:"units"`
	Marginals   []marginalJSON `json:"marginals"`
	MaxAbsError float64        `json:"max_abs_error"`
	DKL         *float64       `json:"dkl"`
	DKLMCSE     *float64       `json:"dkl_mcse"`
	DKLFloor    *float64       `json:"dkl_floor"`
	Defined     float64        `json:"defined"`
	Time        float64        `json:"time"`
	TimeUnit    string         `json:"time_unit"`
	WallS       float64        `json:"wall_s"`
	Partial     bool           `json:"partial"`
}

// MarshalJSON encodes the result: network, evidence, seed, units (of the LIF network, or
// of the direct model without it), bio_ms (biological time recorded by the first
// sampler, all chains together; couplings_beyond_range says how many the LIF network
// cannot follow), wall_s, and every sampler with its marginals, max_abs_error and dkl. What
// does not exist, such as the R-hat of a value never seen, is null.
func (r *Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Network             string            `json:"network"`
		Evidence            map[string]string `json:"evidence"`
		Seed                uint64            `json:"seed"`
		Units               int               `json:"units"`
		BioMS               float64           `json:"bio_ms"`
		WallS               float64           `json:"wall_s"`
		Chains              int               `json:"chains"`
		DurationMS          float64           `json:"duration_ms"`
		PSP                 string            `json:"psp,omitempty"`
		BeyondRange         int               `json:"couplings_beyond_range"`
		RegularisationError float64           `json:"regularisation_error"`
		Partial             bool              `json:"partial"`
		Samplers            []samplerJSON     `json:"samplers"`
		Exact               []exactJSON       `json:"exact"`
	}{
		Network: r.Network.Name, Evidence: r.Evidence, Seed: r.Seed, Units: len(r.UnitNames()),
		BioMS: r.bio(), BeyondRange: r.Beyond, WallS: r.Wall.Seconds(), Chains: r.Chains, DurationMS: r.Duration,
		Partial: r.Partial, Samplers: []samplerJSON{}, Exact: []exactJSON{},
	}
	if r.Target != nil {
		out.RegularisationError = r.Target.RegularisationError
	}
	if out.Evidence == nil {
		out.Evidence = map[string]string{}
	}
	if r.Machine != nil {
		out.PSP = r.Setup.PSP.String()
	}
	for _, m := range r.rows() {
		out.Exact = append(out.Exact, exactJSON{m.Variable, m.State, m.Exact})
	}
	for _, s := range r.Samplers {
		j := samplerJSON{Name: s.Name, Method: s.Method, Units: s.Units, Marginals: []marginalJSON{},
			MaxAbsError: s.MaxAbsError, Defined: s.Defined, Time: s.Time, TimeUnit: s.Unit, WallS: s.Wall.Seconds(), Partial: s.Partial}
		if s.DKL != nil {
			j.DKL, j.DKLMCSE, j.DKLFloor = num(s.DKL.X), num(s.DKL.MCSE), num(s.DKL.Floor)
		}
		for _, m := range s.Marginals {
			j.Marginals = append(j.Marginals, marginalJSON{m.Variable, m.State, num(m.Exact), num(m.Estimate), num(m.MCSE), num(m.ESS), num(m.Rhat)})
		}
		out.Samplers = append(out.Samplers, j)
	}
	return json.Marshal(out)
}

var _ fmt.Stringer = (*Result)(nil)

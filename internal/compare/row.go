package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// Number is a float64 that is null in JSON where it does not exist.
type Number float64

// MarshalJSON encodes NaN and infinities as null.
func (x Number) MarshalJSON() ([]byte, error) {
	if v := float64(x); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON decodes null as NaN.
func (x *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*x = Number(math.NaN())
		return nil
	}
	var v float64
	err := json.Unmarshal(b, &v)
	*x = Number(v)
	return err
}

// Row is the result of one candidate, over all its chains.
type Row struct {
	Sampler  string `json:"sampler"`
	Switches int64  `json:"switches"` // between modes
	// Per 1000 sweeps of work, and per 1000 samples: sweeps at the target temperature.
	SwitchesPer1000        Number `json:"switches_per_1000"`
	SwitchesPer1000Samples Number `json:"switches_per_1000_samples"`
	// RoundTrips from the first mode through all others and back.
	RoundTrips int64 `json:"round_trips"`
	// ReplicaRoundTrips from the target to the hottest level and back; parallel tempering
	// only.
	ReplicaRoundTrips *int64 `json:"replica_round_trips,omitempty"`
	// IACT is the autocorrelation time of the mode indicator, the longest of all modes, in
	// sweeps of work; null if a mode was never or always seen. ESS is the number of
	// independent draws of the mode.
	IACT      Number    `json:"iact"`
	ESS       Number    `json:"ess"`
	Occupancy []float64 `json:"occupancy"`
	Outside   float64   `json:"outside"`
	// DKLModes is D(sampled‖exact) of the masses of modes and of none [nats], with its
	// Monte-Carlo error, null for a stuck chain, and its mean for an exact sampler; all null if
	// the masses are unknown.
	DKLModes Number `json:"dkl_modes"`
	DKLMCSE  Number `json:"dkl_modes_mcse"`
	DKLFloor Number `json:"dkl_modes_floor"`
	Samples  Number `json:"samples"`
	Copies   int    `json:"copies"`
	Setup    Number `json:"setup_sweeps"`
	Sweeps   Number `json:"sweeps"`
	BioMS    Number `json:"bio_ms"` // of all chains together
	WallS    Number `json:"wall_s"`
	Partial  bool   `json:"partial,omitempty"`
	Note     string `json:"note,omitempty"`
	// Curve is the divergence of the masses so far against cost, the mean over chains; the
	// costs are those of one chain.
	Curve []CurvePoint `json:"curve"`

	Modes *estimate.Modes `json:"-"` // the record itself, one stretch per chain
	Unit  float64         `json:"-"` // a sweep in its time
	// Work is the sweeps each chain had done when its recording began and when it ended.
	Work [][2]float64 `json:"-"`
}

// CurvePoint is a divergence at a cost. Wall time is not repeatable and so not in the JSON.
type CurvePoint struct {
	Sweeps float64 `json:"sweeps"`
	BioMS  float64 `json:"bio_ms"`
	WallS  float64 `json:"-"`
	DKL    Number  `json:"dkl_modes"`
	SE     Number  `json:"se"` // over chains
}

// summary merges the chains in order; nil if none has recorded time.
func summary(c Candidate, o Options, chains []*run) (*Row, error) {
	r := &Row{Sampler: c.Name, Copies: c.Copies, Setup: Number(c.Setup), Note: c.Note, Unit: 1}
	if c.Spiking {
		r.Unit = o.TauRef
	}
	var total Cost
	var recorded []*run
	for _, x := range chains {
		if x != nil && x.modes != nil && x.modes.Time() > 0 {
			recorded = append(recorded, x)
		}
	}
	for _, x := range recorded {
		r.Work = append(r.Work, [2]float64{x.begun, x.cost.Sweeps})
		total.Sweeps += x.cost.Sweeps
		total.BioMS += x.cost.BioMS
		total.Wall += x.cost.Wall
		if c.Count != nil {
			c.Count(x.sampler, r)
		}
		if err := x.modes.Err(); err != nil {
			return nil, err
		}
		if r.Modes == nil {
			r.Modes = x.modes
		} else if err := r.Modes.Merge(x.modes); err != nil {
			return nil, err
		}
	}
	if r.Modes == nil {
		return nil, nil
	}
	m := r.Modes
	samples := m.Time() / r.Unit
	perSample := total.Sweeps / samples
	r.Switches = m.Switches()
	r.SwitchesPer1000 = Number(1000 * float64(r.Switches) / total.Sweeps)
	r.SwitchesPer1000Samples = Number(1000 * float64(r.Switches) / samples)
	if m.Modes() > 1 {
		trips, err := m.RoundTrips()
		if err != nil {
			return nil, err
		}
		r.RoundTrips = trips
	}
	r.Occupancy, r.Outside = m.Occupancy(), m.Outside()
	r.Samples = Number(samples)
	r.Sweeps, r.BioMS, r.WallS = Number(total.Sweeps), Number(total.BioMS), Number(total.Wall.Seconds())
	tau := 0.0
	for k := range m.Modes() {
		t, err := m.IACT(k)
		if err != nil { // constant, or hardly any time
			t = math.NaN()
		}
		tau = math.Max(tau, t) // NaN stays
	}
	r.IACT = Number(tau / r.Unit * perSample)
	r.ESS = Number(samples * r.Unit / tau)
	nan := Number(math.NaN())
	r.DKLModes, r.DKLMCSE, r.DKLFloor = nan, nan, nan
	if o.Masses != nil {
		d, err := m.DKL(o.Masses)
		if err != nil {
			return nil, err
		}
		r.DKLModes, r.DKLFloor = Number(d.X), Number(d.Floor)
		if r.ESS > 0 { // the scatter of a stuck chain is no error
			r.DKLMCSE = Number(d.MCSE)
		}
		r.Curve = curve(recorded, o.Masses)
	}
	return r, nil
}

// curve is the mean over the chains that got to each checkpoint.
func curve(chains []*run, masses []float64) []CurvePoint {
	out := []CurvePoint{}
	for k := 0; ; k++ {
		var p CurvePoint
		n, sum, square, reached := 0.0, 0.0, 0.0, false
		for _, x := range chains {
			if k >= len(x.points) {
				continue
			}
			reached = true
			if x.points[k].mass == nil {
				continue
			}
			d := divergence(x.points[k].mass, masses)
			n, sum, square = n+1, sum+d, square+d*d
			p.Sweeps += x.points[k].at.Sweeps
			p.BioMS += x.points[k].at.BioMS
			p.WallS += x.points[k].at.Wall.Seconds()
		}
		if !reached {
			return out
		}
		if n == 0 {
			continue
		}
		p.Sweeps, p.BioMS, p.WallS = p.Sweeps/n, p.BioMS/n, p.WallS/n
		p.DKL = Number(sum / n)
		p.SE = Number(math.Sqrt(max(0, square/n-sum/n*sum/n) / (n - 1)))
		out = append(out, p)
	}
}

// divergence is D(p‖q) [nats].
func divergence(p, q []float64) float64 {
	d := 0.0
	for k, x := range p {
		if x > 0 {
			d += x * math.Log(x/q[k])
		}
	}
	return d
}

// Table writes the rows as a table.
func Table(rows []*Row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "sampler\tswitches/1000\tround\tIACT\tmode draws\tDKL of modes\toccupancy\toutside\tsweeps\tsetup\tbio time\twall\t")
	fmt.Fprintln(w, "\tsweeps\ttrips\t[sweeps]\t\t[nats]\t\t\t\t[sweeps]\t[s]\t[s]\t")
	for _, r := range rows {
		name := r.Sampler
		if r.Copies > 1 {
			name += fmt.Sprintf(" (×%d)", r.Copies)
		}
		occupancy := make([]string, len(r.Occupancy))
		for k, p := range r.Occupancy {
			occupancy[k] = strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
		}
		if len(occupancy) > 4 {
			occupancy = append(occupancy[:4:4], "…")
		}
		fmt.Fprintf(w, "%s\t%.3g\t%d\t%s\t%s\t%s\t%s\t%s\t%.4g\t%.4g\t%.4g\t%.2f\t\n", name, r.SwitchesPer1000, r.RoundTrips,
			show("%.3g", r.IACT), show("%.3g", r.ESS), plusMinus(r.DKLModes, r.DKLMCSE), strings.Join(occupancy, " "),
			strings.TrimPrefix(fmt.Sprintf("%.3f", r.Outside), "0"), r.Sweeps, r.Setup, r.BioMS/1000, r.WallS)
	}
	w.Flush()
	return b.String()
}

func show(format string, x Number) string {
	if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
		return "–"
	}
	return fmt.Sprintf(format, float64(x))
}

func plusMinus(x, se Number) string {
	s := show("%.3g", x)
	if e := show("%.1g", se); s != "–" && e != "–" {
		s += " ± " + e
	}
	return s
}

// Agrees reports whether the sampled masses are the given ones within 4 Monte-Carlo errors,
// and worth at least 20 independent draws of the mode.
func (r *Row) Agrees(masses []float64) bool {
	if !(r.ESS >= 20) {
		return false
	}
	p, v := r.Modes.P(), r.Modes.Var()
	for k, x := range masses {
		// A rare state that was never seen has no scatter.
		if math.Abs(p[k]-x) > 4*math.Sqrt(math.Max(v[k], x*(1-x)/float64(r.ESS))) {
			return false
		}
	}
	return true
}

// Best are the rows with most independent draws of the mode per unit of each currency; nil
// where no row has any. It only says something about rows that agree with the law.
func Best(rows []*Row) (sweeps, bio, wall *Row) {
	best := func(cost func(*Row) Number) (best *Row) {
		for _, r := range rows {
			if r.ESS > 0 && (best == nil || r.ESS/cost(r) > best.ESS/cost(best)) {
				best = r
			}
		}
		return best
	}
	return best(func(r *Row) Number { return r.Sweeps }), best(func(r *Row) Number { return r.BioMS }), best(func(r *Row) Number { return r.WallS })
}

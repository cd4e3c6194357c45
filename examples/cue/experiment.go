package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/tempering"
)

// size is the number of neurons in a group.
const size = 4

// experiment is all runs to be made.
type experiment struct {
	f     flags
	setup lif.Setup
	cues  []float64
	peaks []float64
	exact []float64 // log odds of the groups at every cue
}

func newExperiment(f flags, s lif.Setup, cues, peaks []float64) (*experiment, error) {
	e := &experiment{f: f, setup: s, cues: cues, peaks: peaks}
	for _, d := range cues {
		x, err := e.logOdds(d)
		if err != nil {
			return nil, err
		}
		e.exact = append(e.exact, x)
	}
	for _, p := range append([]float64{1}, peaks...) { // what is refused is known before the first run
		if _, err := e.sampler(cues[0], p); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *experiment) machine(d float64) (*boltzmann.Machine, error) {
	return models.WTA(2, size, e.f.strength, d/2, -d/2)
}

// labels says which group has won: at least 3 on in it and at most 1 in the other.
func labels() (estimate.Labels, error) {
	return estimate.Groups([][]int{{0, 1, 2, 3}, {4, 5, 6, 7}}, size-1, 1)
}

// logOdds are the exact log odds of the first group over the second.
func (e *experiment) logOdds(d float64) (float64, error) {
	m, err := e.machine(d)
	if err != nil {
		return 0, err
	}
	p, err := boltzmann.Joint(m)
	if err != nil {
		return 0, err
	}
	l, err := labels()
	if err != nil {
		return 0, err
	}
	var mass [2]float64
	z := make([]uint8, m.Dim())
	for s, x := range p {
		for k := range z {
			z[k] = uint8(s >> k & 1)
		}
		if err := l.Reset(z); err != nil {
			return 0, err
		}
		if g := l.Label(); g >= 0 {
			mass[g] += x
		}
	}
	return math.Log(mass[0] / mass[1]), nil
}

func (e *experiment) rhythm(peak float64) tempering.RaisedCosine {
	return tempering.RaisedCosine{Min: 1, Max: peak, FreqHz: e.f.freq}
}

// sampler is the network with that cue, under an oscillation if peak > 1.
func (e *experiment) sampler(d, peak float64) (sampling.Sampler, error) {
	m, err := e.machine(d)
	if err != nil {
		return nil, err
	}
	o := lif.Options{Extrapolate: true} // strong couplings lie outside the table of exponential pairs
	if peak == 1 {
		return lif.NewSampler(m, e.setup, o)
	}
	osc := tempering.Oscillation{Profile: e.rhythm(peak)}
	if e.f.compensation == "calibrated" {
		osc.Compensation = tempering.Calibrated
	}
	return tempering.NewLIF(m, e.setup, osc, o)
}

// result is what -json prints.
type result struct {
	Strength     float64   `json:"strength"`
	FreqHz       float64   `json:"freq_hz"`
	Compensation string    `json:"compensation"`
	DurationMS   float64   `json:"duration_ms"` // at each cue and background
	Chains       int       `json:"chains"`
	Seed         uint64    `json:"seed"`
	D            []float64 `json:"d"`           // cue differences
	Exact        []float64 `json:"exact"`       // probability of the first group, of both together
	LogOdds      []float64 `json:"log_odds"`    // the same
	Slope        float64   `json:"exact_slope"` // of the log odds, per unit of d
	Rows         []*row    `json:"rows"`
	BioMS        float64   `json:"bio_ms"`
	WallS        float64   `json:"wall_s"`
	Partial      bool      `json:"partial,omitempty"`
}

// row is the psychometric curve of one background.
type row struct {
	Background string           `json:"background"`
	Peak       float64          `json:"peak"` // largest factor of the rates
	P          []compare.Number `json:"p"`    // of the first group, in the cold phase; null where neither was seen
	SE         []compare.Number `json:"se"`   // null with less than 10 switches, which say nothing about errors
	LogOdds    []compare.Number `json:"log_odds"`
	LogOddsSE  []compare.Number `json:"log_odds_se"`
	Outside    []float64        `json:"outside"` // share of time in neither
	Switches   []int64          `json:"switches"`
	// Slope is that of the log odds, per unit of d, and FreezeOut the exact slope over it;
	// null if a run was stuck: less than 10 switches.
	Slope       compare.Number `json:"slope"`
	SlopeSE     compare.Number `json:"slope_se"`
	FreezeOut   compare.Number `json:"freeze_out"`
	FreezeOutSE compare.Number `json:"freeze_out_se"`
}

// run makes all runs. If ctx ends it returns the rows that are complete, and ctx's error.
func (e *experiment) run(ctx context.Context, tell func(done, total float64)) (*result, error) {
	res := &result{Strength: e.f.strength, FreqHz: e.f.freq, Compensation: e.f.compensation, DurationMS: e.f.duration,
		Chains: e.f.chains, Seed: e.f.seed, D: e.cues, LogOdds: e.exact, Rows: []*row{}}
	xy, xx := 0.0, 0.0
	for i, l := range e.exact {
		res.Exact = append(res.Exact, 1/(1+math.Exp(-l)))
		xy += e.cues[i] * l
		xx += e.cues[i] * e.cues[i]
	}
	res.Slope = xy / xx
	begin := time.Now()
	var err error
	for _, peak := range append([]float64{1}, e.peaks...) {
		r := &row{Background: "constant", Peak: peak}
		if peak > 1 {
			r.Background = fmt.Sprintf("rates ×1 to ×%g", peak)
		}
		for i := range e.cues {
			done := float64(len(res.Rows)*len(e.cues)+i) * e.f.duration
			var m *estimate.Modes
			m, err = e.one(ctx, peak, i, func(t float64) { tell(done+t, float64(len(e.peaks)+1)*float64(len(e.cues))*e.f.duration) })
			if err != nil {
				break
			}
			r.add(m)
			res.BioMS += e.f.duration
		}
		if err != nil {
			break
		}
		e.fit(r, res.Slope)
		res.Rows = append(res.Rows, r)
	}
	res.WallS = time.Since(begin).Seconds()
	res.Partial = err != nil
	return res, err
}

// one is the record of modes at cue i.
func (e *experiment) one(ctx context.Context, peak float64, i int, tell func(t float64)) (*estimate.Modes, error) {
	d := e.cues[i]
	window, period := tempering.PhaseWindow{HalfWidth: .5}, 1.0 // constant: all the time
	if peak > 1 {
		w, err := tempering.ColdWindow(e.rhythm(peak))
		if err != nil {
			return nil, err
		}
		window, period = w, e.rhythm(peak).Period()
	}
	w, err := sampling.Chains(ctx, func(int) (sampling.Sampler, error) { return e.sampler(d, peak) },
		func(int) (*tempering.InWindow[*estimate.Modes], error) {
			l, err := labels()
			if err != nil {
				return nil, err
			}
			m, err := estimate.NewModes(l, estimate.ModesOptions{Step: e.setup.Neuron.TauRef})
			if err != nil {
				return nil, err
			}
			return tempering.NewInWindow(window, period, m)
		}, sampling.ChainOptions{
			Schedule: sampling.Schedule{Duration: e.f.duration / float64(e.f.chains), OnProgress: func(p sampling.Progress) { tell(p.Time) }},
			Seed:     e.f.seed, Chains: e.f.chains, Stream: fmt.Sprintf("cue %v peak %v", d, peak),
			Start: func(_ int, z []uint8) {
				for k := range size {
					z[k] = 1
				}
			}})
	if err != nil {
		return nil, err
	}
	return w.Estimate, nil
}

// few is the number of switches below which a run counts as stuck.
const few = 10

// add appends what was recorded at one cue.
func (r *row) add(m *estimate.Modes) {
	p := m.Occupancy()
	x, se, err := m.LogOdds(0, 1)
	if err != nil { // no time in the window
		x, se = math.NaN(), math.NaN()
	}
	if m.Switches() < few {
		se = math.NaN()
	}
	share := p[0] / (p[0] + p[1])
	r.P = append(r.P, compare.Number(share))
	r.SE = append(r.SE, compare.Number(share*(1-share)*se))
	r.LogOdds = append(r.LogOdds, compare.Number(x))
	r.LogOddsSE = append(r.LogOddsSE, compare.Number(se))
	r.Outside = append(r.Outside, m.Outside())
	r.Switches = append(r.Switches, m.Switches())
}

// fit computes slope and freeze-out temperature, with the errors that the scatter about the
// line says.
func (e *experiment) fit(r *row, exactSlope float64) {
	nan := compare.Number(math.NaN())
	r.Slope, r.SlopeSE, r.FreezeOut, r.FreezeOutSE = nan, nan, nan, nan
	sampled := make([]float64, len(r.LogOdds))
	for i, x := range r.LogOdds {
		if sampled[i] = float64(x); r.Switches[i] < few {
			return
		}
	}
	t, se, err := tempering.FreezeOut(sampled, e.exact)
	if err != nil { // falling
		return
	}
	r.FreezeOut, r.FreezeOutSE = compare.Number(t), compare.Number(se)
	r.Slope, r.SlopeSE = compare.Number(exactSlope/t), compare.Number(exactSlope/t*se/t)
}

// combination is the first two cues of one sign and their sum, where all three were run.
func (res *result) combination() (a, b, both int, err error) {
	for i, x := range res.D {
		for j := i + 1; j < len(res.D); j++ {
			if x > 0 {
				if k := slices.IndexFunc(res.D, func(y float64) bool { return math.Abs(y-x-res.D[j]) < 1e-9 }); k >= 0 {
					return i, j, k, nil
				}
			}
		}
	}
	return 0, 0, 0, errors.New("cue: no two cues of which the sum was run")
}

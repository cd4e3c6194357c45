package main

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/tempering"
)

// The maps.
const mapA, mapB = 0, 1

// experiment is the runs to be made.
type experiment struct {
	f     flags
	setup lif.Setup
	wave  tempering.RaisedCosine
	exact float64 // log odds of map A over map B with the cue on A
	runs  []*recording
}

// recording is a run with what it records.
type recording struct {
	name    string
	rhythm  bool
	changes bool    // the cue changes
	cue     float64 // on A if positive
	sampler sampling.Sampler
	all     *estimate.Modes // at all phases, read at every trough
	cold    *estimate.Modes // in the cold window
	phases  *tempering.SwitchPhases
	spikes  *lif.Spikes // of the run with a changing cue only
	now     atomic.Uint64
}

func newExperiment(f flags, s lif.Setup) (*experiment, error) {
	e := &experiment{f: f, setup: s, wave: tempering.RaisedCosine{Min: 1, Max: f.peak, FreqHz: f.freq}}
	m, err := e.machine(f.cue)
	if err != nil {
		return nil, err
	}
	if e.exact, err = e.logOdds(m); err != nil {
		return nil, err
	}
	for _, r := range []*recording{
		{name: "constant"}, {name: "rhythm", rhythm: true},
		{name: "cue on A", rhythm: true, cue: f.cue}, {name: "cue on B", rhythm: true, cue: -f.cue},
		{name: "cue changes", rhythm: true, cue: f.cue, changes: true},
	} {
		if err := e.prepare(r); err != nil {
			return nil, err
		}
		e.runs = append(e.runs, r)
	}
	return e, nil
}

func (e *experiment) machine(cue float64) (*boltzmann.Machine, error) {
	return models.WTA(2, e.f.cells, e.f.strength, cue/2, -cue/2)
}

// labels says which map is active: all but one of its cells and at most one of the other.
func (e *experiment) labels() (estimate.Labels, error) {
	n := e.f.cells
	groups := make([][]int, 2)
	for k := range 2 * n {
		groups[k/n] = append(groups[k/n], k)
	}
	return estimate.Groups(groups, n-1, 1)
}

// logOdds are the exact log odds of map A over map B.
func (e *experiment) logOdds(m *boltzmann.Machine) (float64, error) {
	p, err := boltzmann.Joint(m)
	if err != nil {
		return 0, err
	}
	l, err := e.labels()
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
	return math.Log(mass[mapA] / mass[mapB]), nil
}

// prepare builds network and recorders of a run.
func (e *experiment) prepare(r *recording) error {
	m, err := e.machine(r.cue)
	if err != nil {
		return err
	}
	o := lif.Options{Extrapolate: true} // strong couplings lie outside the table of exponential pairs
	if r.rhythm {
		osc := tempering.Oscillation{Profile: e.wave}
		if e.f.compensation == "calibrated" {
			osc.Compensation = tempering.Calibrated
		}
		var network *lif.Sampler
		if network, err = tempering.NewLIF(m, e.setup, osc, o); err != nil {
			return err
		}
		r.sampler = network
		if r.changes {
			other, err := e.machine(-r.cue)
			if err != nil {
				return err
			}
			r.sampler = &changing{Sampler: network, machines: [2]*boltzmann.Machine{m, other}, every: hold * e.wave.Period()}
		}
	} else if r.sampler, err = lif.NewSampler(m, e.setup, o); err != nil {
		return err
	}
	// A map counts as visited when it lasts a refractory time.
	minRun, period := e.setup.Neuron.TauRef, e.wave.Period()
	var l [3]estimate.Labels
	for i := range l {
		if l[i], err = e.labels(); err != nil {
			return err
		}
	}
	var err1, err2, err3 error
	r.all, err1 = estimate.NewModes(l[0], estimate.ModesOptions{MinRun: minRun, Step: period})
	r.cold, err2 = estimate.NewModes(l[1], estimate.ModesOptions{MinRun: minRun, Step: period})
	r.phases, err3 = tempering.NewSwitchPhases(l[2], period, minRun)
	if r.changes {
		r.spikes = &lif.Spikes{}
	}
	return errors.Join(err1, err2, err3)
}

// warmup is left out at the start [cycles].
const warmup = 2

// do makes a run.
func (e *experiment) do(ctx context.Context, r *recording) error {
	if err := r.sampler.Reset(nil, rng.Stream(e.f.seed, r.name)); err != nil {
		return err
	}
	w, err := tempering.ColdWindow(e.wave)
	if err != nil {
		return err
	}
	cold, err := tempering.NewWindowed(w, e.wave.Period(), r.cold)
	if err != nil {
		return err
	}
	rec := []sampling.Recorder{r.all, cold, r.phases}
	if r.spikes != nil {
		rec = append(rec, r.spikes)
	}
	return sampling.Run(ctx, r.sampler, sampling.Schedule{Warmup: warmup * e.wave.Period(), Duration: e.f.duration,
		OnProgress: func(p sampling.Progress) { r.now.Store(uint64(p.Time)) }}, rec...)
}

// run makes all runs. If ctx ends the result is of what was recorded until then.
func (e *experiment) run(ctx context.Context, tell func(sampling.Progress)) (*result, error) {
	begin := time.Now()
	errs := make([]error, len(e.runs))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(e.runs)) {
		wg.Go(func() {
			for i := range next {
				errs[i] = e.do(ctx, e.runs[i])
			}
		})
	}
	stop := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				sum := 0.0
				for _, r := range e.runs {
					sum += float64(r.now.Load())
				}
				tell(sampling.Progress{Time: sum, Total: float64(len(e.runs)) * e.f.duration})
			case <-stop:
				return
			}
		}
	})
	for i := range e.runs {
		next <- i
	}
	close(next)
	wg.Wait()
	close(stop)
	ticking.Wait()
	var stopped error
	for _, err := range errs {
		if err != nil && !errors.Is(err, ctx.Err()) {
			return nil, err
		}
		if err != nil {
			stopped = err
		}
	}
	res, err := e.result()
	if err != nil {
		return nil, err
	}
	res.WallS, res.Partial = time.Since(begin).Seconds(), stopped != nil
	return res, stopped
}

// result is what -json prints.
type result struct {
	Cells        int     `json:"cells"`
	Strength     float64 `json:"strength"`
	FreqHz       float64 `json:"freq_hz"`
	Peak         float64 `json:"peak"`
	Compensation string  `json:"compensation"`
	Seed         uint64  `json:"seed"`
	DurationMS   float64 `json:"duration_ms"` // of each run
	Rows         []row   `json:"rows"`
	// Phases are the numbers of switches without cue in sixteenths of the cycle, which
	// begins at its coldest.
	Phases []int `json:"phases"`
	// Cue is what a cue that changes from A to B does.
	Cue     cue     `json:"cue"`
	BioMS   float64 `json:"bio_ms"`
	WallS   float64 `json:"wall_s"`
	Partial bool    `json:"partial,omitempty"`
}

// row is a run.
type row struct {
	Run       string         `json:"run"`
	Switches  int            `json:"switches"` // of the map, at all phases
	PerSecond compare.Number `json:"switches_per_s"`
	// HotShare is the share of them in the hot half of the cycle; null without any.
	HotShare  compare.Number `json:"hot_share"`
	HotSE     compare.Number `json:"hot_share_se"`
	Occupancy []float64      `json:"occupancy"` // of the maps in the cold phase
	Outside   float64        `json:"outside"`   // share of the cold phase in neither
}

// cue is the time course of the map when the cue changes sides.
type cue struct {
	Nats        float64          `json:"nats"`
	ExactB      float64          `json:"exact_b"`   // exact probability of map B with the cue on it
	SampledB    compare.Number   `json:"sampled_b"` // in the cold phase; null if neither was seen
	FreezeOut   compare.Number   `json:"freeze_out"`
	FreezeOutSE compare.Number   `json:"freeze_out_se"`
	Cycle       []int            `json:"cycle"` // since the change
	PB          []compare.Number `json:"p_b"`   // probability of map B at the trough
	SE          []compare.Number `json:"se"`
	Trials      int              `json:"trials"` // changes from A to B
}

const bins = 16 // of the cycle

func (e *experiment) result() (*result, error) {
	f := e.f
	res := &result{Cells: f.cells, Strength: f.strength, FreqHz: f.freq, Peak: f.peak, Compensation: f.compensation,
		Seed: f.seed, DurationMS: f.duration}
	for _, r := range e.runs {
		t := r.all.Time()
		res.BioMS += t
		if t == 0 { // interrupted before
			continue
		}
		x := row{Run: r.name, Switches: r.phases.Switches(), PerSecond: compare.Number(float64(r.phases.Switches()) / t * 1000)}
		hot, err := r.phases.Share(tempering.PhaseWindow{Center: .5, HalfWidth: .25})
		if err != nil {
			return nil, err
		}
		x.HotShare = compare.Number(hot)
		x.HotSE = compare.Number(math.Sqrt(hot * (1 - hot) / float64(x.Switches)))
		x.Occupancy, x.Outside = r.cold.Occupancy(), r.cold.Outside()
		if r.cold.Time() == 0 {
			continue
		}
		res.Rows = append(res.Rows, x)
	}
	var err error
	if res.Phases, err = e.runs[1].phases.Histogram(bins); err != nil {
		return nil, err
	}
	res.Cue, err = e.change()
	return res, err
}

// Mixing compares samplers by how they move between the modes of one law, in three
// currencies: sweeps of work, biological time and wall time.
//
//	go run ./examples/mixing -out out
//	go run ./examples/mixing -model cw -strength 1.5 -samplers gibbs,pt,neural -budget 1e6
//	go run ./examples/mixing -model machine.json -json
//
// A machine file is a JSON object {"W": [[0, 1.5], [1.5, 0]], "b": [-1, -1]} of p(z) ∝
// exp(½ zᵀWz + bᵀz), W symmetric with zero diagonal. "modes": [[0, 0], [1, 1]] names the
// states the modes are around; default are the lowest minima of the energy.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/tempering"
)

// tauRef is the refractory time of all spiking samplers, and the biological time that a
// sweep stands for [ms].
const tauRef = 10

type flags struct {
	model    string
	strength float64
	samplers string
	budget   float64
	chains   int
	levels   int
	set      string
	peak     float64 // largest factor of the background rates
	freq     float64 // [Hz]
	seed     uint64
	json     bool
	out      string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("mixing", flag.ContinueOnError)
	fs.StringVar(&f.model, "model", "wta", "`model`: wta, cw, hopfield or a .json file with W and b")
	fs.Float64Var(&f.strength, "strength", 0, "coupling a of wta (default 4), inverse temperature of cw (2) and hopfield (2.5)")
	fs.StringVar(&f.samplers, "samplers", strings.Join(samplerNames(), ","), "`samplers`, separated by commas")
	fs.Float64Var(&f.budget, "budget", 2e5, "work of each sampler, all chains together [`sweeps`]; 1 sweep = 10 ms of a spiking network")
	fs.IntVar(&f.chains, "chains", 4, "chains of each sampler, all from one start state")
	fs.IntVar(&f.levels, "levels", 8, "levels of the ladder of tempering, down to β = 0, with equal rates of rejection")
	fs.StringVar(&f.set, "set", "tutorial-cuba", "parameter `set` of the LIF neurons: "+strings.Join(lif.SetupNames(), ", ")+"; with rectangular PSPs")
	fs.Float64Var(&f.peak, "peak", 9, "background rates oscillate between 1 and this `factor`, temperature between 1 and about its root")
	fs.Float64Var(&f.freq, "freq", 2, "frequency of the oscillation [`Hz`]")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result but for wall time")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("mixing", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

// result is what -json prints.
type result struct {
	Model    string           `json:"model"`
	Units    int              `json:"units"`
	LogZ     compare.Number   `json:"log_z"`
	Modes    []string         `json:"modes"`
	Masses   []float64        `json:"masses"` // exact, of the modes and of none; null if unknown
	Seed     uint64           `json:"seed"`
	Chains   int              `json:"chains"`
	Ladder   []float64        `json:"ladder,omitempty"`
	Barrier  float64          `json:"barrier,omitempty"`
	Rejected []compare.Number `json:"rejections,omitempty"`
	PeakT    float64          `json:"peak_temperature"` // of the oscillation
	Rows     []row            `json:"rows"`
	Partial  bool             `json:"partial,omitempty"`
}

// row is the result of one sampler.
type row struct {
	*compare.Row
	// FreezeOut is the factor by which the log odds between modes are smaller than the exact
	// ones, with its standard error; null where odds are even or modes were not seen.
	FreezeOut   compare.Number `json:"freeze_out"`
	FreezeOutSE compare.Number `json:"freeze_out_se"`
}

func run(ctx context.Context, f flags) error {
	b, list, err := f.prepare(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return cli.Usage{Err: err}
	}
	var candidates []compare.Candidate
	for _, s := range list { // what a sampler refuses is the user's choice of flags
		c, err := s.make(b)
		if err != nil {
			return cli.Usage{Err: fmt.Errorf("%s: %w", s.name, err)}
		}
		candidates = append(candidates, c)
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	progress := cli.NewProgress(os.Stderr)
	rows, stopped := b.compare(ctx, candidates, progress)
	progress.Clear()
	if stopped != nil && !errors.Is(stopped, context.Canceled) && len(rows) == 0 {
		return stopped
	}
	res := b.result(rows, stopped != nil)
	if f.json {
		j, err := json.Marshal(res)
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%s\n", j); err != nil {
			return err
		}
	} else {
		fmt.Print(b.report(res))
	}
	if f.out != "" && len(rows) > 0 {
		files, err := b.draw(res)
		if err != nil {
			return err
		}
		if !f.json {
			fmt.Printf("figures: %s\n", strings.Join(files, ", "))
		}
	}
	return stopped
}

// prepare reads all flags and finds ladder and weights; its errors are the user's.
func (f flags) prepare(ctx context.Context) (*bench, []sampler, error) {
	switch {
	case !(f.budget >= 1000) || math.IsInf(f.budget, 0) || f.budget > 1e12:
		return nil, nil, fmt.Errorf("-budget %v: must be 1000 to 1e12 sweeps", f.budget)
	case f.chains < 1 || f.chains > 1000:
		return nil, nil, fmt.Errorf("-chains %d: must be 1 to 1000", f.chains)
	case !(f.peak >= 1) || f.peak > 100:
		return nil, nil, fmt.Errorf("-peak %v: must be 1 to 100", f.peak)
	case !(f.freq >= .01) || f.freq > 100:
		return nil, nil, fmt.Errorf("-freq %v: must be 0.01 to 100 Hz", f.freq)
	case f.levels < 2 || f.levels > 100:
		return nil, nil, fmt.Errorf("-levels %d: must be 2 to 100", f.levels)
	}
	list, err := chosen(f.samplers)
	if err != nil {
		return nil, nil, err
	}
	mod, err := load(f.model, f.strength)
	if err != nil {
		return nil, nil, err
	}
	b := &bench{mod: mod, f: f}
	if b.setup, err = lif.NamedSetup(f.set); err != nil {
		return nil, nil, err
	}
	b.setup.PSP = lif.Rect
	if b.heat, err = tempering.StoredMap(b.setup); err != nil {
		b.heat = nil
	}
	if slices.ContainsFunc(list, func(s sampler) bool { return s.ladder }) {
		if err := b.findLadder(ctx); err != nil {
			return nil, nil, err
		}
	}
	if slices.ContainsFunc(list, func(s sampler) bool { return s.name == "st" }) {
		return b, list, b.findWeights(ctx)
	}
	return b, list, nil
}

// compare runs the candidates one after another. On an error the rows done so far come with
// it.
func (b *bench) compare(ctx context.Context, candidates []compare.Candidate, progress *cli.Progress) ([]*compare.Row, error) {
	o := compare.Options{Sweeps: b.f.budget, Chains: b.f.chains, Seed: b.f.seed, TauRef: tauRef,
		Labels: b.mod.labels, Masses: b.mod.masses, Start: b.mod.start}
	rows := []*compare.Row{}
	for i, c := range candidates {
		o.OnProgress = func(name string, p sampling.Progress) {
			progress.Update(fmt.Sprintf("%-12s", name), sampling.Progress{Time: float64(i)*p.Total + p.Time, Total: float64(len(candidates)) * p.Total})
		}
		r, err := compare.Run(ctx, c, o)
		if r != nil {
			rows = append(rows, r)
		}
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func (b *bench) result(rows []*compare.Row, partial bool) *result {
	r := &result{Model: b.mod.name, Units: b.mod.m.Dim(), LogZ: compare.Number(b.mod.logZ), Modes: b.mod.names, Masses: b.mod.masses,
		Seed: b.f.seed, Chains: b.f.chains, Ladder: b.ladder, Barrier: b.barrier, PeakT: math.Sqrt(b.f.peak), Rows: []row{}, Partial: partial}
	if b.heat != nil {
		if t := b.heat.Temperature(b.f.peak); t > 0 {
			r.PeakT = t
		}
	}
	for _, x := range rows {
		y := row{x, compare.Number(math.NaN()), compare.Number(math.NaN())}
		if b.mod.masses != nil {
			t, se := freezeOut(x, b.mod.masses)
			y.FreezeOut, y.FreezeOutSE = compare.Number(t), compare.Number(se)
		}
		r.Rows = append(r.Rows, y)
	}
	for _, x := range b.rejections {
		r.Rejected = append(r.Rejected, compare.Number(x))
	}
	return r
}

// Ensemble samples without noise. Small spiking networks are each other's background: after
// a first kick not a single random number is drawn. Three experiments:
//
//	noise     units that share the trains of a small pool: what that does to their law, and
//	          how analytic compensation and plasticity take it back
//	networks  an ensemble of small networks that learn, each its own law, against the same
//	          networks under independent Poisson noise
//	patterns  networks with hidden units that learn images from spikes, dream them and
//	          complete them, with a pool of small networks as their only noise
//
// Run it as
//
//	go run ./examples/ensemble -out out
//	go run ./examples/ensemble -experiments networks -networks 100 -units 6 -fan 60 -steps 150 -json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	experiments    string
	networks       int
	units          int
	fan            int
	steps          int
	step, duration float64
	full           bool
	seed           uint64
	json           bool
	out            string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("ensemble", flag.ContinueOnError)
	fs.StringVar(&f.experiments, "experiments", strings.Join(names, ","), "`experiments`, separated by commas")
	fs.IntVar(&f.networks, "networks", 15, "networks of the ensemble")
	fs.IntVar(&f.units, "units", 4, "units of each network")
	fs.IntVar(&f.fan, "fan", 40, "noise synapses of each unit, half of them inhibitory")
	fs.IntVar(&f.steps, "steps", 300, "steps of learning of the ensemble")
	fs.Float64Var(&f.step, "step", 5000, "biological time of each step of learning of the ensemble [`ms`]")
	fs.Float64Var(&f.duration, "duration", 1e5, "biological time of each measurement [`ms`]")
	fs.BoolVar(&f.full, "full", false, "patterns and noise at full size, some minutes")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of targets, wiring and kick; the same seed gives the same spikes")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write figures to this `directory`")
	cli.Main("ensemble", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

// names of the experiments.
var names = []string{"noise", "networks", "patterns"}

// result is what -json prints.
type result struct {
	Networks int         `json:"networks"`
	Units    int         `json:"units"`
	Seed     uint64      `json:"seed"`
	Draws    *int64      `json:"random_draws_after_start"` // of all deterministic ensembles; null if there was none
	DKL      *divergence `json:"dkl,omitempty"`
	Spikes   string      `json:"fingerprint,omitempty"` // of the ensemble's spikes since its last kick
	Noise    *noise      `json:"noise,omitempty"`
	Patterns *patterns   `json:"patterns,omitempty"`
	BioMS    float64     `json:"bio_ms"`
	WallS    float64     `json:"wall_s"`
	Partial  bool        `json:"partial,omitempty"`

	curve []point
	shift shifts
}

func (r *result) count(n int64) {
	if r.Draws == nil {
		r.Draws = new(int64)
	}
	*r.Draws += n
}

func run(ctx context.Context, f flags) error {
	list, err := f.check()
	if err != nil {
		return cli.Usage{Err: err}
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	begin := time.Now()
	progress := cli.NewProgress(os.Stderr)
	res := &result{Networks: f.networks, Units: f.units, Seed: f.seed}
	var stopped error
	for _, name := range list {
		report := func(done, total float64) {
			progress.Update(fmt.Sprintf("%-8s", name), sampling.Progress{Time: done, Total: total})
		}
		switch name {
		case "noise":
			stopped = f.noise(ctx, res, report)
		case "networks":
			stopped = f.ensemble(ctx, res, report)
		case "patterns":
			stopped = f.patterns(ctx, res, report)
		}
		if stopped != nil {
			break
		}
	}
	progress.Clear()
	if stopped != nil && !errors.Is(stopped, context.Canceled) {
		return stopped
	}
	res.Partial = stopped != nil
	res.WallS = time.Since(begin).Seconds()
	if f.json {
		b, err := json.Marshal(res)
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%s\n", b); err != nil {
			return err
		}
	} else if _, err := fmt.Print(res); err != nil {
		return err
	}
	if f.out != "" {
		files, err := f.draw(res)
		if err != nil {
			return err
		}
		if !f.json && len(files) > 0 {
			fmt.Printf("figures: %s\n", strings.Join(files, ", "))
		}
	}
	return stopped
}

// check reads all flags; its errors are the user's.
func (f flags) check() ([]string, error) {
	var list []string
	for name := range strings.SplitSeq(f.experiments, ",") {
		switch {
		case !slices.Contains(names, name):
			return nil, fmt.Errorf("-experiments: %q: must be of %s", name, strings.Join(names, ","))
		case slices.Contains(list, name):
			return nil, fmt.Errorf("-experiments: %s twice", name)
		}
		list = append(list, name)
	}
	switch {
	case f.networks < 2 || f.networks > 1000:
		return nil, fmt.Errorf("-networks %d: must be 2 to 1000", f.networks)
	case f.units < 2 || f.units > 12:
		return nil, fmt.Errorf("-units %d: must be 2 to 12", f.units)
	case f.fan < 2 || f.fan%2 != 0:
		return nil, fmt.Errorf("-fan %d: must be even and at least 2", f.fan)
	case f.fan > (f.networks-1)*f.units:
		return nil, fmt.Errorf("-fan %d: must be at most the %d units of other networks", f.fan, (f.networks-1)*f.units)
	case f.steps < 1 || f.steps > 1e6:
		return nil, fmt.Errorf("-steps %d: must be 1 to 1e6", f.steps)
	case !(f.step >= 1000) || f.step > 1e7:
		return nil, fmt.Errorf("-step %v: must be 1000 to 1e7 ms", f.step)
	case !(f.duration >= 1000) || f.duration > 1e9:
		return nil, fmt.Errorf("-duration %v: must be 1000 to 1e9 ms", f.duration)
	}
	return list, nil
}

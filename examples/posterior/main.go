// Posterior estimates the posterior of a published Bayesian network given evidence by
// letting networks of spiking neurons run, and shows it beside the exact answer.
//
//	go run ./examples/posterior
//	go run ./examples/posterior -network vision -evidence shading=present,contour=curved
//	go run ./examples/posterior -network cancer.bif -evidence Xray=positive -query Cancer -json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spikesampling/spikesampling/boltzmann/bayes"
	"github.com/spikesampling/spikesampling/inference"
	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/lif"
)

type flags struct {
	network, evidence, query, samplers string
	duration, warmup                   float64
	chains                             int
	seed                               uint64
	set, psp, translation              string
	dt                                 float64
	json                               bool
	out                                string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("posterior", flag.ContinueOnError)
	fs.StringVar(&f.network, "network", "asia", "network: `FILE` (.bif or .uai) or a built-in one: "+strings.Join(bayes.BuiltinNames(), ", "))
	fs.StringVar(&f.evidence, "evidence", "", "observed states, `variable=state,...` (default for asia: xray=yes,dysp=yes; \"none\": no evidence)")
	fs.StringVar(&f.query, "query", "", "`variables` of interest, separated by commas (default: all that are not observed)")
	fs.StringVar(&f.samplers, "sampler", strings.Join(inference.Samplers(), ","), "any of "+strings.Join(inference.Samplers(), ", ")+", separated by commas")
	fs.Float64Var(&f.duration, "duration", 2e5, "recorded biological time of each chain [`ms`]; Gibbs sampling makes one sweep per refractory time")
	fs.Float64Var(&f.warmup, "warmup", 1000, "biological time before it [`ms`]")
	fs.IntVar(&f.chains, "chains", 4, "independent chains")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result")
	fs.StringVar(&f.set, "set", "tutorial-cuba", "parameter `set` of the LIF neurons: "+strings.Join(lif.SetupNames(), ", "))
	fs.Float64Var(&f.dt, "dt", 0, "time step of the LIF network [`ms`]; default: that of the set. Another one is calibrated first")
	fs.StringVar(&f.psp, "psp", "auto", "postsynaptic potentials: auto, exponential or rect")
	fs.StringVar(&f.translation, "translation", "auto", "of couplings to synaptic weights: auto, pair-calibrated, published or tail-corrected")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write posterior.png, dkl.png and raster.png to this `directory`")
	cli.Main("posterior", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

func run(ctx context.Context, f flags) error {
	plan, err := f.plan(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return cli.Usage{Err: err}
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	progress := cli.NewProgress(os.Stderr)
	plan.OnProgress(progress.Update)
	res, err := plan.Run(ctx)
	progress.Clear()
	if err != nil && (res == nil || !errors.Is(err, context.Canceled)) {
		return err
	}
	stopped := err // nil, or the interrupt that left res partial
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
	if f.out != "" && len(res.Samplers) > 0 {
		files, err := draw(context.WithoutCancel(ctx), res, f.out)
		if err != nil {
			return err
		}
		if !f.json {
			fmt.Printf("figures: %s\n", strings.Join(files, ", "))
		}
	}
	return stopped
}

// plan reads all flags; its errors are the user's.
func (f flags) plan(ctx context.Context) (*inference.Plan, error) {
	n, err := f.load()
	if err != nil {
		return nil, err
	}
	text := f.evidence
	switch {
	case text == "" && f.network == "asia":
		text = "xray=yes,dysp=yes"
	case text == "none":
		text = ""
	}
	ev, err := bayes.ParseEvidence(text)
	if err != nil {
		return nil, err
	}
	setup, err := lif.NamedSetup(f.set)
	if err != nil {
		return nil, err
	}
	switch {
	case f.dt < 0 || math.IsNaN(f.dt):
		return nil, fmt.Errorf("-dt %v: must be > 0 ms", f.dt)
	case f.dt > 0:
		setup.Dt, setup.Delay = f.dt, f.dt
	}
	o := inference.Options{Seed: f.seed, Setup: &setup, Samplers: list(f.samplers), Query: list(f.query),
		Calibration: calibrations(ctx)}
	// A zero would mean the default; on the command line it is a mistake.
	if !(f.duration > 0) {
		return nil, fmt.Errorf("-duration %v: must be > 0 ms", f.duration)
	}
	if !(f.warmup > 0) {
		return nil, fmt.Errorf("-warmup %v: must be > 0 ms", f.warmup)
	}
	if f.chains < 1 {
		return nil, fmt.Errorf("-chains %d: must be ≥ 1", f.chains)
	}
	o.Duration, o.Warmup, o.Chains = f.duration, f.warmup, f.chains
	switch f.psp {
	case "auto":
	case "exponential":
		o.Shape = inference.Exponential
	case "rect":
		o.Shape = inference.Rect
	default:
		return nil, fmt.Errorf("-psp %q: must be auto, exponential or rect", f.psp)
	}
	var tr lif.Translation
	switch f.translation {
	case "auto":
	case "pair-calibrated":
		o.Translation = &tr
	case "published":
		tr, o.Translation = lif.Published, &tr
	case "tail-corrected":
		tr, o.Translation = lif.TailCorrected, &tr
	default:
		return nil, fmt.Errorf("-translation %q: must be auto, pair-calibrated, published or tail-corrected", f.translation)
	}
	p, err := inference.NewPlan(n, ev, o)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Samplers() { // what a sampler refuses is the user's choice of flags
		if _, err := p.Sampler(s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// calibrations looks up the stored calibration of a setup, or else measures it, once.
func calibrations(ctx context.Context) func(lif.Setup) (*lif.Calibration, error) {
	measured := make(map[string]*lif.Calibration)
	var mu sync.Mutex
	return func(s lif.Setup) (*lif.Calibration, error) {
		mu.Lock()
		defer mu.Unlock()
		if c, err := lif.StoredCalibration(s); err == nil {
			return c, nil
		}
		if c := measured[s.Hash()]; c != nil {
			return c, nil
		}
		fmt.Fprintf(os.Stderr, "posterior: measuring a calibration for steps of %v ms and %v PSPs\n", s.Dt, s.PSP)
		c, err := lif.Calibrate(ctx, s, lif.CalibrateOptions{})
		measured[s.Hash()] = c
		return c, err
	}
}

func (f flags) load() (*bayes.Network, error) {
	for _, name := range bayes.BuiltinNames() {
		if f.network == name {
			return bayes.Builtin(name)
		}
	}
	if filepath.Ext(f.network) == "" {
		if _, err := os.Stat(f.network); err != nil {
			return nil, fmt.Errorf("-network %q: must be a .bif or .uai file or one of %s", f.network, strings.Join(bayes.BuiltinNames(), ", "))
		}
	}
	n, err := bayes.ReadFile(f.network)
	if err == nil && n.Name == "" { // UAI files have no name
		n.Name = strings.TrimSuffix(filepath.Base(f.network), filepath.Ext(f.network))
	}
	return n, err
}

// list splits at commas, leaving out spaces; empty text is no list.
func list(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// Bench measures the LIF engine: CPU time per neuron and step of whole networks, with
// spikes delivered and recorded, on every code path of this machine, beside the textbook
// loop and the kernel without its noise, all in one run.
//
//	go run ./examples/bench
//	go run ./examples/bench -net dense-100 -rate 400 -bio 10s -json
//	go run ./examples/bench -weights w.npy -rate 1000
//	go run ./examples/bench -goals
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	nets, rates, paths, weights string
	bio                         time.Duration
	seed                        uint64
	rest, theta, reset          float64
	tauM, tauSyn, tauRef        float64
	event, dt                   float64
	json, goals, immediate      bool
}

func main() {
	var f flags
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&f.nets, "net", strings.Join(netNames(), ","), "`networks`, separated by commas:"+netList()+"\n")
	fs.StringVar(&f.rates, "rate", "400,5000", "background `rates` of each receptor [Hz], separated by commas")
	fs.StringVar(&f.paths, "path", "", "code `paths`, separated by commas (default: all of this machine, and the double-precision engine)")
	fs.StringVar(&f.weights, "weights", "", "NPY `file` of float32 or float64, N×N, w[from][to] in nA: a network of its own instead of -net")
	fs.DurationVar(&f.bio, "bio", 100*time.Millisecond, "biological time of a measurement, more if that takes less than 5 ms; the median of 5 counts")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed")
	fs.Float64Var(&f.rest, "rest", -50, "resting potential [`mV`]")
	fs.Float64Var(&f.theta, "theta", -50, "threshold [`mV`]")
	fs.Float64Var(&f.reset, "reset", -50.001, "reset potential [`mV`]")
	fs.Float64Var(&f.tauM, "taum", 1, "membrane time constant [`ms`] of 0.2 nF")
	fs.Float64Var(&f.tauSyn, "tausyn", 10, "synaptic time constant [`ms`]")
	fs.Float64Var(&f.tauRef, "tauref", 10, "refractory time [`ms`]")
	fs.Float64Var(&f.event, "event", 0.001, "weight of a background event [`nA`]")
	fs.Float64Var(&f.dt, "dt", 0.1, "time step and synaptic delay [`ms`]")
	fs.BoolVar(&f.immediate, "immediate", false, "let neurons spike again τ_ref after a spike instead of one step later")
	fs.BoolVar(&f.json, "json", false, "print the rows as one JSON object and nothing else")
	fs.BoolVar(&f.goals, "goals", false, "measure the ratios that the engine is built to reach instead, in turns")
	cli.Main("bench", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		if f.goals {
			return runGoals(ctx, f)
		}
		return run(ctx, f)
	})
}

// row is one measurement.
type row struct {
	Net           string  `json:"net"`
	RateHz        float64 `json:"rate_hz"`
	Path          string  `json:"path"`
	NS            float64 `json:"ns_per_neuron_step"` // CPU time
	RatioTextbook float64 `json:"ratio_textbook"`     // textbook loop on dense-100 at this rate / this
	RatioFloor    float64 `json:"ratio_floor"`        // this / floor
	MeanRateHz    float64 `json:"mean_rate_hz"`       // spikes per neuron and second
	RealTime      float64 `json:"sim_s_per_cpu_s"`    // of all replicas
	Events        float64 `json:"synaptic_events_per_cpu_s"`
	BioS          float64 `json:"bio_s"`
	Neurons       int     `json:"neurons"`
	FirstMS       float64 `json:"first_flip_ms"` // wall time from the weights to the first flip
	PeakMB        float64 `json:"peak_mb"`       // resident memory of the process so far
}

func run(ctx context.Context, f flags) error {
	jobs, err := f.jobs()
	if err != nil {
		return cli.Usage{Err: err}
	}
	floor, err := floorCost(ctx, f.seed)
	if err != nil {
		return err
	}
	var rows []row
	textbook := make(map[float64]float64) // of dense-100, by rate
	progress := cli.NewProgress(os.Stderr)
	defer progress.Clear()
	for i, j := range jobs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		progress.Update(fmt.Sprintf("%s at %g Hz, %s", j.net.name, j.rate, j.path), sampling.Progress{Time: float64(i), Total: float64(len(jobs))})
		if _, ok := textbook[j.rate]; !ok {
			if textbook[j.rate], err = textbookCost(ctx, f, j.rate); err != nil {
				return err
			}
		}
		r, err := j.measure(ctx, f)
		if err != nil {
			return err
		}
		r.RatioTextbook = textbook[j.rate] / r.NS
		r.RatioFloor = r.NS / floor
		rows = append(rows, r)
	}
	progress.Clear()
	if f.json {
		b, err := json.Marshal(struct {
			Rows     []row              `json:"rows"`
			Floor    float64            `json:"floor_ns_per_neuron_step"`
			Textbook map[string]float64 `json:"textbook_ns_per_neuron_step"`
		}{rows, floor, named(textbook)})
		if err != nil {
			return err
		}
		_, err = fmt.Printf("%s\n", b)
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "network\tneurons\trate [Hz]\tpath\tns/neuron-step\tsim s per CPU s\tsynaptic events/s\tspikes [Hz]\ttextbook/this\tthis/floor\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%g\t%s\t%.3f\t%.0f\t%.3g\t%.2f\t%.1f\t%.1f\t\n", r.Net, r.Neurons, r.RateHz, r.Path, r.NS, r.RealTime, r.Events,
			r.MeanRateHz, r.RatioTextbook, r.RatioFloor)
	}
	w.Flush()
	fmt.Printf("\nCPU time, median of %d runs of %v biological time or more, spikes recorded. Floor: the kernel without noise, 112 neurons, %.3f ns.\n", repeats, f.bio, floor)
	for _, rate := range slices.Sorted(keys(textbook)) {
		fmt.Printf("Textbook loop, dense-100 at %g Hz: %.2f ns per neuron and step.\n", rate, textbook[rate])
	}
	return nil
}

func keys(m map[float64]float64) func(func(float64) bool) {
	return func(yield func(float64) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func named(m map[float64]float64) map[string]float64 {
	out := make(map[string]float64)
	for k, v := range m {
		out[fmt.Sprintf("%g", k)] = v
	}
	return out
}

// paths are the code paths to measure, the double-precision engine first.
func (f flags) pathNames() ([]string, error) {
	all := []string{double}
	for _, p := range kernel.Paths() {
		all = append(all, p.String())
	}
	if f.paths == "" {
		return all, nil
	}
	var names []string
	for _, n := range strings.Split(f.paths, ",") {
		if n = strings.TrimSpace(n); !slices.Contains(all, n) {
			return nil, fmt.Errorf("-path %q: must be of %v on this machine", n, all)
		}
		names = append(names, n)
	}
	return names, nil
}

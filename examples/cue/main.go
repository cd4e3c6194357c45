// Cue combines two sensory cues in a network of spiking neurons that decides between two
// interpretations, two groups of four that exclude each other. A cue is a bias d, +d/2 on
// the first group and −d/2 on the second; two cues add up, and the exact posterior odds of
// the groups grow with their sum. A network at constant background is stuck in one group;
// under an oscillation it decides anew in every cycle, with odds that cooling froze at some
// temperature T_f: its psychometric curve is flatter by T_f.
//
//	go run ./examples/cue -out out
//	go run ./examples/cue -duration 2e6 -json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	cues, peaks  string
	strength     float64
	duration     float64
	freq         float64
	set, psp     string
	compensation string
	chains       int
	seed         uint64
	json         bool
	out          string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("cue", flag.ContinueOnError)
	fs.StringVar(&f.cues, "cues", "-0.6,-0.45,-0.3,-0.15,0,0.15,0.3,0.45,0.6", "cue `differences` d, separated by commas")
	fs.StringVar(&f.peaks, "peaks", "4,9", "largest `factors` of the background rates, one oscillation each; temperature reaches about their roots")
	fs.Float64Var(&f.strength, "strength", 3, "coupling a of the groups")
	fs.Float64Var(&f.duration, "duration", 3e5, "biological time at each difference and background, all chains together [`ms`]; 6e5 is the full size")
	fs.Float64Var(&f.freq, "freq", 2, "frequency of the oscillation [`Hz`]")
	fs.StringVar(&f.set, "set", "tutorial-cuba", "parameter `set` of the neurons, with a stored map if compensated: tutorial-cuba, tutorial-coba, leng-cuba, leng-coba")
	fs.StringVar(&f.psp, "psp", "rect", "postsynaptic potentials: rect or exponential")
	fs.StringVar(&f.compensation, "compensation", "calibrated", "of the excitability that comes with heat: calibrated or none")
	fs.IntVar(&f.chains, "chains", 4, "independent chains, all from the first group")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write psychometric.png to this `directory`")
	cli.Main("cue", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		return run(ctx, f)
	})
}

func run(ctx context.Context, f flags) error {
	e, err := f.experiment()
	if err != nil {
		return cli.Usage{Err: err}
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	progress := cli.NewProgress(os.Stderr)
	res, stopped := e.run(ctx, func(done, total float64) {
		progress.Update("cue", sampling.Progress{Time: done, Total: total})
	})
	progress.Clear()
	if stopped != nil && !errors.Is(stopped, context.Canceled) {
		return stopped
	}
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
		path, err := res.draw(f.out)
		if err != nil {
			return err
		}
		if !f.json {
			fmt.Printf("figure: %s\n", path)
		}
	}
	return stopped
}

// experiment reads all flags.
func (f flags) experiment() (*experiment, error) {
	cues, err := numbers("-cues", f.cues, -10, 10)
	if err != nil {
		return nil, err
	}
	peaks, err := numbers("-peaks", f.peaks, 1, 100)
	if err != nil {
		return nil, err
	}
	if math.Max(cues[len(cues)-1], -cues[0]) < 1e-3 {
		return nil, fmt.Errorf("-cues %s: must have one that is not 0: there is no slope", f.cues)
	}
	if peaks[0] == 1 {
		return nil, fmt.Errorf("-peaks %s: must be above 1: the constant background is run anyway", f.peaks)
	}
	s, err := lif.NamedSetup(f.set)
	if err != nil {
		return nil, err
	}
	switch f.psp {
	case "rect":
		s.PSP = lif.Rect
	case "exponential":
	default:
		return nil, fmt.Errorf("-psp %q: must be rect or exponential", f.psp)
	}
	if f.compensation != "calibrated" && f.compensation != "none" {
		return nil, fmt.Errorf("-compensation %q: must be calibrated or none", f.compensation)
	}
	switch {
	case !(f.duration >= 1000) || f.duration > 1e12:
		return nil, fmt.Errorf("-duration %v: must be 1000 to 1e12 ms", f.duration)
	case !(f.strength > 0) || f.strength > 20:
		return nil, fmt.Errorf("-strength %v: must be above 0, at most 20", f.strength)
	case !(f.freq >= .1) || f.freq > 100:
		return nil, fmt.Errorf("-freq %v: must be 0.1 to 100 Hz", f.freq)
	case f.chains < 1 || f.chains > 1000:
		return nil, fmt.Errorf("-chains %d: must be 1 to 1000", f.chains)
	}
	return newExperiment(f, s, cues, peaks)
}

// numbers reads a list that rises, of 1 to 100 numbers in [lo, hi].
func numbers(name, list string, lo, hi float64) ([]float64, error) {
	var out []float64
	for _, s := range strings.Split(list, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || math.IsNaN(x) || x < lo || x > hi {
			return nil, fmt.Errorf("%s: %q: must be a number from %v to %v", name, s, lo, hi)
		}
		if n := len(out); n > 0 && x <= out[n-1] {
			return nil, fmt.Errorf("%s: %v after %v: must rise", name, x, out[n-1])
		}
		out = append(out, x)
	}
	if len(out) > 100 {
		return nil, fmt.Errorf("%s: %d numbers: must be at most 100", name, len(out))
	}
	return out, nil
}

// Flicker shows two maps of place cells, groups that exclude each other, under a theta-like
// rhythm of the background: the network goes from one map to the other in hot phases and
// reads out one map in the cold phase of each cycle. When an external cue changes sides it
// flickers between the maps, cycle by cycle, until the cue has won.
//
//	go run ./examples/flicker -out out
//	go run ./examples/flicker -freq 4 -duration 6e6 -json
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

type flags struct {
	cells        int
	strength     float64
	cue          float64
	freq, peak   float64
	duration     float64
	set, psp     string
	compensation string
	seed         uint64
	json         bool
	out          string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("flicker", flag.ContinueOnError)
	fs.IntVar(&f.cells, "cells", 4, "place cells of each map")
	fs.Float64Var(&f.strength, "strength", 4, "coupling a of the maps")
	fs.Float64Var(&f.cue, "cue", 0.6, "external cue: the difference of the biases of the maps [`nats`]")
	fs.Float64Var(&f.freq, "freq", 8, "frequency of the rhythm [`Hz`]")
	fs.Float64Var(&f.peak, "peak", 9, "largest `factor` of the background rates; temperature reaches about its root")
	fs.Float64Var(&f.duration, "duration", 3e5, "biological time of each of the four runs [`ms`]; 6e5 is the full size")
	fs.StringVar(&f.set, "set", "tutorial-cuba", "parameter `set` of the neurons, with a stored map if compensated: tutorial-cuba, tutorial-coba, leng-cuba, leng-coba")
	fs.StringVar(&f.psp, "psp", "rect", "postsynaptic potentials: rect or exponential")
	fs.StringVar(&f.compensation, "compensation", "calibrated", "of the excitability that comes with heat: calibrated or none")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed; the same seed gives the same result")
	fs.BoolVar(&f.json, "json", false, "print the result as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write flicker.png and phases.png to this `directory`")
	cli.Main("flicker", func(ctx context.Context) error {
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
	res, stopped := e.run(ctx, func(p sampling.Progress) { progress.Update("flicker", p) })
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
	if f.out != "" && stopped == nil {
		files, err := e.draw(res)
		if err != nil {
			return err
		}
		if !f.json {
			fmt.Printf("figures: %s\n", strings.Join(files, ", "))
		}
	}
	return stopped
}

// experiment reads all flags.
func (f flags) experiment() (*experiment, error) {
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
	case f.cells < 3 || f.cells > 8:
		return nil, fmt.Errorf("-cells %d: must be 3 to 8", f.cells)
	case !(f.strength > 0) || f.strength > 20:
		return nil, fmt.Errorf("-strength %v: must be above 0, at most 20", f.strength)
	case !(f.cue >= 0) || f.cue > 10:
		return nil, fmt.Errorf("-cue %v: must be 0 to 10 nats", f.cue)
	case !(f.freq >= .1) || f.freq > 50:
		return nil, fmt.Errorf("-freq %v: must be 0.1 to 50 Hz", f.freq)
	case !(f.peak > 1) || f.peak > 100:
		return nil, fmt.Errorf("-peak %v: must be above 1, at most 100", f.peak)
	case !(f.duration >= 100*1000/f.freq) || f.duration > 1e9:
		return nil, fmt.Errorf("-duration %v: must be 100 cycles, %g ms, to 1e9 ms", f.duration, 100*1000/f.freq)
	}
	return newExperiment(f, s)
}

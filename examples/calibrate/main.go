// Calibrate measures the activation function of a parameter set of LIF neurons, fits the
// logistic function to it, and compares both with the analytic one.
//
//	go run ./examples/calibrate -set tutorial-cuba -out out
//	go run ./examples/calibrate -set petrovici-coba -pairs 2e6
//	go run ./examples/calibrate -store lif/calibrations.json   # remake the stored ones
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/montanaflynn/stats"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/plotx"
	"github.com/spikesampling/spikesampling/lif"
)

type flags struct {
	set, psp        string
	points          int
	duration, pairs float64
	seed            uint64
	json            bool
	out, store      string
}

func main() {
	var f flags
	fs := flag.NewFlagSet("calibrate", flag.ContinueOnError)
	fs.StringVar(&f.set, "set", "tutorial-cuba", "parameter `set`: "+strings.Join(lif.SetupNames(), ", "))
	fs.StringVar(&f.psp, "psp", "exponential", "postsynaptic potentials of the pair table: exponential or rect")
	fs.IntVar(&f.points, "points", 60, "resting potentials measured")
	fs.Float64Var(&f.duration, "duration", 1e5, "biological time of each [`ms`]")
	fs.Float64Var(&f.pairs, "pairs", 0, "biological time for each coupling of the pair table [`ms`]; 0: no table")
	fs.Uint64Var(&f.seed, "seed", 1, "random seed")
	fs.BoolVar(&f.json, "json", false, "print the calibration as one JSON object and nothing else")
	fs.StringVar(&f.out, "out", "", "write activation.png to this `directory`")
	fs.StringVar(&f.store, "store", "", "measure all sets with both PSPs, long, and write them to this `file`; of the other flags only -seed counts")
	cli.Main("calibrate", func(ctx context.Context) error {
		if err := cli.Parse(fs, os.Args[1:]); err != nil {
			return err
		}
		if f.store != "" {
			if err := cli.Writable(filepath.Dir(f.store)); err != nil {
				return cli.Usage{Err: fmt.Errorf("-store: %w", err)}
			}
			return store(ctx, f.store, f.seed)
		}
		return run(ctx, f)
	})
}

func run(ctx context.Context, f flags) error {
	s, err := lif.NamedSetup(f.set)
	if err != nil {
		return cli.Usage{Err: err}
	}
	switch f.psp {
	case "exponential":
	case "rect":
		s.PSP = lif.Rect
	default:
		return cli.Usage{Err: fmt.Errorf("-psp %q: must be exponential or rect", f.psp)}
	}
	o := lif.CalibrateOptions{Points: f.points, Duration: f.duration, Pairs: f.pairs, Seed: f.seed}
	if f.points == 0 || f.duration == 0 || f.pairs < 0 { // defaults in the library, mistakes here
		return cli.Usage{Err: fmt.Errorf("-points %d, -duration %v and -pairs %v: must be > 0, -pairs ≥ 0", f.points, f.duration, f.pairs)}
	}
	if f.pairs == 0 {
		o.Pairs = -1
	}
	if err := o.Validate(); err != nil {
		return cli.Usage{Err: err}
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return cli.Usage{Err: fmt.Errorf("-out: %w", err)}
		}
	}
	c, err := lif.Calibrate(ctx, s, o)
	if err != nil {
		return err
	}
	if f.json {
		b, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("%s\n", b); err != nil {
			return err
		}
	} else if err := print(f.set, s, c); err != nil {
		return err
	}
	if f.out == "" {
		return nil
	}
	fig, err := figure(f.set, s, c)
	if err != nil {
		return err
	}
	path := filepath.Join(f.out, "activation.png")
	if err := fig.Save(path); err != nil {
		return err
	}
	if !f.json {
		fmt.Printf("figure: %s\n", path)
	}
	return nil
}

func print(name string, s lif.Setup, c *lif.Calibration) error {
	an, err := lif.CalibrateAnalytic(s)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "E [mV]\tmeasured p_on ± SE\tlogistic fit\tresidual\tanalytic\tanalytic − measured\t")
	var residuals []float64
	for _, p := range c.Points {
		a, err := s.Activation(p.E)
		if err != nil {
			return err
		}
		residuals = append(residuals, math.Abs(p.P-c.P(p.E)))
		fmt.Fprintf(w, "%.5f\t%.4f ± %.4f\t%.4f\t%+.4f\t%.4f\t%+.4f\t\n", p.E, p.P, p.SE, c.P(p.E), p.P-c.P(p.E), a, a-p.P)
	}
	w.Flush()
	med, err := stats.Median(residuals)
	if err != nil {
		return err
	}
	top, err := stats.Percentile(residuals, 95)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s (%v, %v PSPs), hash %s\n", name, s.Neuron.Kind, s.PSP, c.Hash)
	fmt.Printf("measured: v_half = %.6g ± %.2g mV, alpha = %.5g ± %.2g mV; residual rms %.4f, median %.4f, 95th percentile %.4f\n",
		c.VHalf, c.VHalfSE, c.Alpha, c.AlphaSE, c.RMS, med, top)
	fmt.Printf("analytic: v_half = %.6g mV (%+.3f alpha), alpha = %.5g mV (ratio %.3f)\n",
		an.VHalf, (an.VHalf-c.VHalf)/c.Alpha, an.Alpha, an.Alpha/c.Alpha)
	if c.Pair != nil {
		fmt.Println("\npair table: nominal coupling W, log odds ratio that two neurons sample")
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "W\tL ± SE\tL/W\t")
		for i, x := range c.Pair.W {
			fmt.Fprintf(w, "%.2f\t%.3f ± %.3f\t%.3f\t\n", x, c.Pair.L[i], c.Pair.SE[i], c.Pair.L[i]/x)
		}
		w.Flush()
	}
	return nil
}

func figure(name string, s lif.Setup, c *lif.Calibration) (*plotx.Figure, error) {
	set := plotx.ActivationSet{Name: name, Fit: &plotx.Logistic{Mid: c.VHalf, Width: c.Alpha}}
	for _, p := range c.Points {
		set.U, set.P, set.MCSE = append(set.U, p.E), append(set.P, p.P), append(set.MCSE, p.SE)
	}
	lo, hi := c.Points[0].E, c.Points[len(c.Points)-1].E
	const n = 200
	for i := range n {
		e := lo + (hi-lo)*float64(i)/(n-1)
		p, err := s.Activation(e)
		if err != nil {
			return nil, err
		}
		set.AnalyticU, set.AnalyticP = append(set.AnalyticU, e), append(set.AnalyticP, p)
	}
	return plotx.Activation{
		Title: "activation function of " + name, Sets: []plotx.ActivationSet{set}, ULabel: "resting potential [mV]",
	}.Figure()
}

// store measures everything that the library keeps, four times longer than the default.
func store(ctx context.Context, path string, seed uint64) error {
	var lines []string // one calibration each
	for _, psp := range []lif.PSP{lif.Exponential, lif.Rect} {
		for _, name := range lif.SetupNames() {
			s, err := lif.NamedSetup(name)
			if err != nil {
				return err
			}
			s.PSP = psp
			fmt.Fprintf(os.Stderr, "measuring %s, %v PSPs\n", name, psp)
			c, err := lif.Calibrate(ctx, s, lif.CalibrateOptions{Duration: 4e5, Seed: seed})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b, err := json.Marshal(c)
			if err != nil {
				return err
			}
			lines = append(lines, string(b))
		}
	}
	return cli.WriteFile(path, []byte("[\n"+strings.Join(lines, ",\n")+"\n]\n"))
}

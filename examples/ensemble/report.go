package main

import (
	"fmt"
	"strings"
)

// String is the report for people.
func (r *result) String() string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	if n := r.Noise; n != nil {
		line("Shared noise on two units without coupling: the coupling it acts as")
		line("  %8s %10s %10s", "shared", "measured", "theory")
		for _, p := range n.Pair {
			line("  %8.1f %10.3f %10.3f", p.Shared, p.Shift, p.Theory)
		}
		line("Five units, each of which hears 20 trains of a pool: D(sampled‖target)")
		line("  %8s %10s %10s %10s %10s", "trains", "as it is", "W corr.", "W, b corr.", "learnt")
		for _, p := range n.Pool {
			line("  %8d %10.4f %10.4f %10.4f %10.4f", p.Trains, p.Raw, p.Weights, p.Analytic, p.Learnt)
		}
	}
	if d := r.DKL; d != nil {
		line("Ensemble of %d networks of %d units: median D(sampled‖target), floor %.4f", r.Networks, r.Units, d.Floor)
		line("  independent Poisson noise  %.4f", d.Poisson)
		line("  untrained                  %.4f", d.Untrained)
		line("  trained                    %.4f (worst network %.4f)", d.Trained, d.Worst)
		line("  trained, another kick      %.4f", d.NewKick)
		line("  learnt couplings and minus the predicted shift: correlation %.2f", r.shift.r)
		line("  fingerprint of all spikes  %s", r.Spikes)
	}
	if p := r.Patterns; p != nil {
		line("Images: %d networks of %d pixels, %d labels and %d hidden units, noise from %d neurons", p.Networks, p.Visible, p.Labels, p.Hidden, p.Pool)
		line("  completed  %.1f %% of the hidden pixels (%.1f %% by the mean image)", 100*p.Completed, 100*p.Guess)
		line("  classified %.1f %% of noisy images", 100*p.Classified)
		line("  dreamt     %.1f %% of states near an image, %d of %d images seen", 100*p.Dreamt, p.Visited, p.Networks*p.Images)
	}
	if r.Draws != nil {
		line("random numbers drawn after the start: %d", *r.Draws)
	}
	line("%.0f s of biological time in %.1f s", r.BioMS/1000, r.WallS)
	if r.Partial {
		line("interrupted: what was not finished is left out")
	}
	return b.String()
}

package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spikesampling/spikesampling/internal/dream"
)

// report is the result as text.
func (b *bench) report() string {
	r := b.res
	var s strings.Builder
	fmt.Fprintf(&s, "model: %d pixels, %d labels, %s hidden units", r.Model.Pixels, r.Model.Classes, strings.Trim(strings.ReplaceAll(fmt.Sprint(b.hidden), " ", " + "), "[]"))
	if r.Model.File != "" {
		fmt.Fprintf(&s, ", from %s", r.Model.File)
	} else {
		fmt.Fprintf(&s, ", trained by %s on %d images of %s, %d epochs in %.1f s", strings.ToUpper(r.Model.Method), r.Model.Images, r.Data, r.Model.Epochs, r.Model.TrainS)
	}
	by := "free-energy classifier"
	if len(b.hidden) > 1 {
		by = "classifier by the variational bound"
	}
	fmt.Fprintf(&s, "\n%s: %.1f %% of %d test images\n", by, 100*r.Accuracy, len(b.data.Test.Images))
	if e := r.LogLikelihood; e != nil && len(b.hidden) > 1 {
		fmt.Fprintf(&s, "log-likelihood of test images and labels: at least %.2f nats by the variational bound and reverse annealed importance sampling,\nif its chains start in equilibrium; with the forward one, which flatters, the bound would be %.2f; %d levels\n", e.Lower, e.Bound, e.Levels)
		if e.Lower > e.Bound {
			s.WriteString("They are the wrong way round: the chains of the reverse had not seen all modes, or the difference is noise.\n")
		}
	} else if e != nil {
		fmt.Fprintf(&s, "log-likelihood of test images and labels: %.2f nats by annealed importance sampling, which is too high on average,\n%.2f by the reverse, which is too low if its chains start in equilibrium; %d levels\n", float64(e.Upper), e.Lower, e.Levels)
		if e.Lower > float64(e.Upper) {
			s.WriteString("They are the wrong way round: the chains of the reverse had not seen all modes, or the difference is noise. Neither is a bound.\n")
		}
	}
	fmt.Fprintf(&s, "%d chains each, from images of %s; %d samples a chain; ± is the standard deviation over chains\n\n", b.f.seeds, strings.Trim(fmt.Sprint(r.Starts), "[]"), r.Samples)
	at := []int{}
	for _, n := range marks {
		if n < r.Samples {
			at = append(at, n)
		}
	}
	s.WriteString(dream.Table(r.Samplers, append(at, r.Samples)...))
	if r.Partial {
		s.WriteString("PARTIAL: interrupted, other samplers are missing\n")
	}
	fmt.Fprintf(&s, `
ISL in nats per test image (%d images, pixels only, β = 0.95); %d training images in place of samples reach %.1f.
Sweeps, time and wall of one chain; ×K: K replicas, side by side in biological time. Equal: what the samples are worth
that %d sweeps, or %g s of biological time, or %s of wall time (setup included) buy. Ink: pixels that are
on, relative to the test images; the ISL forgives missing pixels, so little ink with a good ISL is blur.
`, r.Test, min(r.Samples, len(b.data.Train.Images)), float64(r.DataISL), r.Samples, r.BioMS/1000, seconds(float64(r.EqualWallS)))
	for _, x := range r.Samplers {
		var parts []string
		if x.Note != "" {
			parts = append(parts, x.Note)
		}
		if x.Setting != "" {
			t := x.Setting
			if len(x.Tried) > 0 {
				t += fmt.Sprintf(" (best of %d by ISL and ink on %d validation images)", len(x.Tried), r.Validation)
			}
			parts = append(parts, t)
		}
		if x.Setup > 0 {
			parts = append(parts, fmt.Sprintf("setup %.3g sweeps, %.2f s", x.Setup, x.SetupS))
		}
		if len(parts) > 0 {
			fmt.Fprintf(&s, "%s: %s.\n", x.Name, strings.Join(parts, "; "))
		}
	}
	s.WriteString(r.verdict())
	return s.String()
}

func seconds(x float64) string {
	if math.IsNaN(x) {
		return "(no network)"
	}
	return fmt.Sprintf("%.2f s", x)
}

// find is the row of a name, or nil.
func (r *result) find(name string) *dream.Row {
	for _, x := range r.Samplers {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// verdict compares plasticity with the others, and says what the comparison cannot show.
func (r *result) verdict() string {
	p := r.find(dream.Plastic)
	if p == nil {
		return ""
	}
	own, sd := p.Last()
	var parts []string
	for _, x := range r.Samplers {
		if x == p {
			continue
		}
		other, sd2 := x.Last()
		d := fmt.Sprintf("%s %+.1f", x.Name, own-other)
		if math.Abs(own-other) < 2*math.Hypot(sd, sd2)/math.Sqrt(float64(len(p.Chains))) {
			d += " (not separable)"
		}
		parts = append(parts, d)
	}
	var s strings.Builder
	if len(parts) > 0 {
		fmt.Fprintf(&s, "\nISL of plasticity less that of: %s.\n", strings.Join(parts, ", "))
	}
	all, last := 0, 0.0
	for _, c := range p.Chains {
		if !math.IsNaN(float64(c.AllMS)) {
			all++
			last = math.Max(last, float64(c.AllMS)/1000)
		}
	}
	if all == len(p.Chains) {
		fmt.Fprintf(&s, "With plasticity every chain went through all classes, without restart, in at most %.3g s of biological time.\n", last)
	}
	if x := r.find(dream.Renewing); x != nil {
		fmt.Fprintf(&s, "Without it the chains saw %.1f classes on average and spent %.0f %% of the time in the most frequent one.\n", x.Visited, 100*most(x))
	}
	s.WriteString(r.bests())
	s.WriteString(`Plasticity and adaptive tempering flatten the odds of modes; they do not sample the model better than exact samplers
do. Where classes are alike in the test images and uneven in the model, that is rewarded (see examples/imbalanced).
`)
	return s.String()
}

// bests says who is best at an equal budget of which currency.
func (r *result) bests() string {
	var parts []string
	for _, c := range [][2]string{{"sweeps", "sweeps"}, {"bio", "biological time"}, {"wall", "wall time"}} {
		var best *dream.Row
		for _, x := range r.Samplers {
			if e, ok := x.Equal[c[0]]; ok && e.ISL < 0 && (best == nil || e.ISL > best.Equal[c[0]].ISL) {
				best = x
			}
		}
		if best != nil {
			parts = append(parts, fmt.Sprintf("%s: %s (%.1f)", c[1], best.Name, float64(best.Equal[c[0]].ISL)))
		}
	}
	if len(r.Samplers) < 2 || len(parts) == 0 {
		return ""
	}
	return "Best ISL at an equal budget of " + strings.Join(parts, ", ") + ".\n"
}

// most is the share of the most frequent class, the mean over chains.
func most(r *dream.Row) float64 {
	sum := 0.0
	for _, c := range r.Chains {
		m := 0.0
		for _, p := range c.Occupancy {
			m = math.Max(m, p)
		}
		sum += m / float64(len(r.Chains))
	}
	return sum
}

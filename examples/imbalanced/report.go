package main

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spikesampling/spikesampling/internal/compare"
	"github.com/spikesampling/spikesampling/internal/dream"
)

// report is the result as text.
func (b *bench) report() string {
	r := b.res
	var s strings.Builder
	fmt.Fprintf(&s, "model: %d pixels, %d hidden units, no labels, trained on %s images of %s of %s in %.1f s\n", r.Model.Pixels, r.Model.Hidden,
		list(r.Counts), strings.Join(r.Digits, ", "), r.Data, r.Model.TrainS)
	fmt.Fprintf(&s, "judge of the pictures: another machine, %.1f %% right on balanced test images\n", 100*r.Accuracy)
	fmt.Fprintf(&s, "%d chains each, from the digits in turn; %d samples a chain; ± is the standard deviation over chains\n\n", b.f.seeds, r.Samples)
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "sampler\tISL balanced\tISL in proportion\tshare of %s\tink\tswitches/1000\tsweeps\tbio time [s]\twall [s]\t\n", strings.Join(r.Digits, " / "))
	fmt.Fprintf(w, "training images\t%.1f\t%.1f\t%s\t\t\t\t\t\t\n", float64(r.DataISL), float64(r.DataISLOn), shares(proportions(r.Counts)))
	for _, x := range r.Samplers {
		mean, sd := x.Last()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.2f\t%.1f\t%.3g\t%.4g\t%.2f\t\n", x.Name, dream.PlusMinus("%.1f", compare.Number(mean), compare.Number(sd)), dream.PlusMinus("%.1f", x.On[inProportion], x.OnSD[inProportion]),
			shares(x.Occupancy), float64(x.Ink), x.Switches, x.Sweeps, x.BioMS/1000, x.WallS)
	}
	w.Flush()
	if r.Partial {
		s.WriteString("PARTIAL: interrupted, other samplers are missing\n")
	}
	s.WriteString("\n" + r.verdict())
	for _, x := range r.Samplers {
		if len(x.Tried) > 0 {
			fmt.Fprintf(&s, "%s: %s, the best of %d on %d validation images, as many of each digit.\n", x.Name, x.Setting, len(x.Tried), len(b.validation.Images))
		}
	}
	return s.String()
}

func list(n []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(n), " ", "/"), "[]") }

func proportions(n []int) []float64 {
	sum := 0
	for _, x := range n {
		sum += x
	}
	p := make([]float64, len(n))
	for i, x := range n {
		p[i] = float64(x) / float64(sum)
	}
	return p
}

func shares(p []float64) string {
	out := make([]string, len(p))
	for k, x := range p {
		out[k] = strings.TrimPrefix(fmt.Sprintf("%.3f", x), "0")
	}
	return strings.Join(out, " / ")
}

// verdict says what was found, and what it means.
func (r *result) verdict() string {
	var s strings.Builder
	switch {
	case math.IsNaN(float64(r.Difference)):
		s.WriteString("Without pt and ast the model's own law is not known.\n")
	case !r.Converged:
		fmt.Fprintf(&s, "baseline not converged: shares of pt and of ast with frozen weights, both exact, differ by up to %.3f (more than %g;\nchains of one by up to %.3f). What follows is void; -thin makes them longer.\n", float64(r.Difference), agreement, float64(r.Spread))
	default:
		fmt.Fprintf(&s, "Baseline: pt and ast with frozen weights, both exact, agree within %.3f (chains of one within %.3f): the model's own law\ngives %s shares of %s.\n", float64(r.Difference), float64(r.Spread), strings.Join(r.Digits, ", "), shares(r.find("pt").Occupancy))
	}
	p := r.find(dream.Plastic)
	if p == nil {
		return s.String()
	}
	own, _ := p.Last()
	var balanced, on []string
	for _, x := range r.Samplers {
		if x != p {
			other, _ := x.Last()
			balanced = append(balanced, fmt.Sprintf("%s %+.1f", x.Name, own-other))
			on = append(on, fmt.Sprintf("%s %+.1f", x.Name, float64(p.On[inProportion]-x.On[inProportion])))
		}
	}
	if len(balanced) > 0 {
		fmt.Fprintf(&s, "ISL of plasticity less that of, balanced: %s.\nIn proportion: %s.\n", strings.Join(balanced, ", "), strings.Join(on, ", "))
	}
	s.WriteString(`Mechanism: plasticity weakens whatever is on for long, and through the weights alone, so it makes the odds of modes more
even than the model's, and brings back what training had nearly lost. That is no better sampling of the model; it is a
departure from it, which a balanced test set rewards.
`)
	if pt := r.find("pt"); pt != nil && r.Converged {
		other, _ := pt.Last()
		even, in := own-other, float64(p.On[inProportion]-pt.On[inProportion])
		fmt.Fprintf(&s, "Against the exact sampler pt: %+.1f nats on as many test images of each digit, %+.1f in the proportions of training", even, in)
		switch {
		case in < 0 && even > 0:
			s.WriteString(":\nthe order is the other way round.\n")
		case in < even/2:
			s.WriteString(":\nmost of the advantage is in the mix of the test images.\n")
		default:
			s.WriteString(".\n")
		}
		if distance(pt.Occupancy, proportions(r.Counts)) > 0.2 {
			fmt.Fprintf(&s, "The law that the machine learned, %s, is far from the proportions of training, %s,\nso that a departure from it can be right for those too.\n", shares(pt.Occupancy), shares(proportions(r.Counts)))
		}
	}
	return s.String()
}

// distance is the total variation distance.
func distance(p, q []float64) float64 {
	d := 0.0
	for k, x := range p {
		d += math.Abs(x-q[k]) / 2
	}
	return d
}

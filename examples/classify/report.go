package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// reported are the times in the table [ms].
var reported = []float64{5, 10, 20, 50, 100, 200, 500, 1000}

// report is the result as text.
func (b *bench) report() string {
	r := b.res
	var s strings.Builder
	fmt.Fprintf(&s, "model: %d×%d pixels, %d labels, %d hidden units", r.Model.Size, r.Model.Size, len(b.classes), r.Model.Hidden)
	if r.Model.File != "" {
		fmt.Fprintf(&s, ", from %s", r.Model.File)
	} else {
		fmt.Fprintf(&s, ", trained on %d images, %d epochs in %.1f s", r.Model.Images, r.Model.Epochs, float64(r.Model.TrainS))
	}
	fmt.Fprintf(&s, "\n%d test images of %s, each shown for %v to a network at rest; standard error of an accuracy %.1f %%\n\n", r.Test, r.Data, b.f.bio, 100*r.Rows[0].SE)
	s.WriteString(r.table(float64(b.f.bio.Milliseconds())))
	if r.Partial {
		s.WriteString("PARTIAL: interrupted, the rest is missing\n")
	}
	s.WriteString(`
Accuracy [%] of the label unit that has been on longest so far, of equals a share. Agree: images with the answer of the
free energies. One on: time in which exactly one label unit is on, in the second half; divergence: of the class in that
time from the exact posterior, D(sampled||exact) [nats]; that of gibbs is what the sample is too short for. Wall: all images.
`)
	for _, x := range r.Rows {
		fmt.Fprintf(&s, "%s: %s.\n", x.Classifier, x.note)
	}
	if len(r.Completion) == 0 {
		return s.String()
	}
	fmt.Fprintf(&s, "\nThe %s half of a digit of each class hidden:\n", r.Hidden)
	t := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "sampler\tchains\tbio time [s]\tRMS to reference\tBrier score\tclasses right\twall [s]\t\n")
	for _, c := range r.Completion {
		rms := fmt.Sprintf("%.3f", c.RMS)
		if c.Sampler == reference {
			rms = "-"
		}
		fmt.Fprintf(t, "%s\t%d\t%.3g\t%s\t%.3f\t%.3g %%\t%.1f\t\n", c.Sampler, c.Chains, c.BioMS/1000, rms, c.Brier, 100*c.Right, c.WallS)
	}
	t.Flush()
	s.WriteString("RMS: of posterior means of hidden pixels, to those of pt. Brier: mean square to the true pixels. All chains begin at rest;\nthe first half of their time is not counted.\n")
	for _, c := range r.Completion {
		fmt.Fprintf(&s, "%s: %s.\n", c.Sampler, c.note)
	}
	return s.String()
}

// table is the accuracy of all rows by time.
func (r *result) table(end float64) string {
	var s strings.Builder
	var at []float64
	for _, t := range reported {
		if t < end {
			at = append(at, t)
		}
	}
	at = append(at, end)
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "classifier\t")
	for _, t := range at {
		fmt.Fprintf(w, "%g ms\t", t)
	}
	fmt.Fprint(w, "agree\tone on\tdivergence\twall [s]\t\n")
	for _, x := range r.Rows {
		fmt.Fprintf(w, "%s\t", x.Classifier)
		for _, t := range at {
			cell := "-"
			for _, p := range x.Curve {
				if p.BioMS == t {
					cell = fmt.Sprintf("%.1f", 100*p.Accuracy)
				}
			}
			if x.Curve == nil && t == end {
				cell = fmt.Sprintf("%.1f", 100*x.Accuracy)
			}
			fmt.Fprintf(w, "%s\t", cell)
		}
		fmt.Fprintf(w, "%.1f %%\t%.1f %%\t%.3f\t%.2f\t\n", 100*x.Agrees, 100*float64(x.Single), float64(x.DKL), x.WallS)
	}
	w.Flush()
	return s.String()
}

package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spikesampling/spikesampling/internal/compare"
)

// report is the result as text.
func (b *bench) report(res *result) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %d units, %d modes", res.Model, res.Units, len(res.Modes))
	if !math.IsNaN(float64(res.LogZ)) {
		fmt.Fprintf(&s, ", log Z = %.6f", float64(res.LogZ))
	}
	if res.Masses != nil {
		fmt.Fprintf(&s, ", exact masses")
		for k, p := range res.Masses[:len(res.Modes)] {
			if k == 4 && len(res.Modes) > 5 {
				fmt.Fprint(&s, " …")
				break
			}
			fmt.Fprintf(&s, " %.3f", p)
		}
		fmt.Fprintf(&s, ", outside %.3f", res.Masses[len(res.Modes)])
	}
	s.WriteString("\n")
	if res.Ladder != nil {
		fmt.Fprintf(&s, "ladder %.3g, barrier %.2f\n", res.Ladder, res.Barrier)
	}
	s.WriteString("\n")
	rows := make([]*compare.Row, len(res.Rows))
	for i, r := range res.Rows {
		rows[i] = r.Row
	}
	s.WriteString(compare.Table(rows))
	if res.Partial {
		s.WriteString("PARTIAL: stopped before the end\n")
	}
	fmt.Fprintf(&s, "\n%d chains each, all from %s. A sweep is N updates at any temperature and of any replica, or %d ms of a\nspiking network; ×K: K replicas side by side in biological time. Setup: spent before, on ladder and weights.\n", res.Chains, b.startName(), tauRef)
	for _, r := range res.Rows {
		if r.Note != "" {
			fmt.Fprintf(&s, "%s: %s.\n", r.Sampler, r.Note)
		}
	}
	s.WriteString(b.oscillation(res))
	s.WriteString(b.verdict(res))
	return s.String()
}

// startName is the mode that the chains start in.
func (b *bench) startName() string {
	labels, err := b.mod.labels()
	if err == nil && labels.Reset(b.mod.start) == nil {
		if l := labels.Label(); l >= 0 {
			return b.mod.names[l]
		}
	}
	return "one state"
}

// oscillation says what an oscillation is and what it did to the odds.
func (b *bench) oscillation(res *result) string {
	var t []string
	seen := false
	for _, r := range res.Rows {
		if r.Sampler != "anneal" && !strings.HasPrefix(r.Sampler, "lif-osc") {
			continue
		}
		seen = true
		if r.FreezeOut > 0 && !math.IsInf(float64(r.FreezeOutSE), 0) {
			t = append(t, fmt.Sprintf("%s %.2f ± %.2f", r.Sampler, r.FreezeOut, r.FreezeOutSE))
		}
	}
	if !seen {
		return ""
	}
	s := fmt.Sprintf(`
An oscillation (here T from 1 to %.2f at %g Hz, samples from the cold phase) is periodic annealing: no step is accepted or
rejected and no level has a weight, so it is not exact. Cooling freezes the odds between modes at some T_f above 1; within
modes the samples are those of T = 1. Log odds between modes are the exact ones divided by an effective T_f`, res.PeakT, b.f.freq)
	if len(t) == 0 {
		return s + ",\nwhich cannot be seen here.\n"
	}
	return s + ":\n" + strings.Join(t, ", ") + ".\n"
}

// verdict says who is best by which currency, among the samplers whose masses are right.
func (b *bench) verdict(res *result) string {
	if res.Masses == nil {
		return "The masses of the modes are not known (more than 20 units): no ranking.\n"
	}
	var right []*compare.Row
	var wrong []string
	for _, r := range res.Rows {
		if r.Agrees(res.Masses) {
			right = append(right, r.Row)
		} else {
			wrong = append(wrong, r.Sampler)
		}
	}
	var s strings.Builder
	if len(wrong) > 0 {
		fmt.Fprintf(&s, "Not ranked, as their masses are off by more than 4 errors or rest on less than 20 mode draws: %s.\n", strings.Join(wrong, ", "))
	}
	sweeps, bio, wall := compare.Best(right)
	if len(right) == 1 {
		fmt.Fprintf(&s, "Only %s has masses known to be right.\n", right[0].Sampler)
	}
	if sweeps == nil || len(right) < 2 {
		return s.String()
	}
	if sweeps == bio && bio == wall {
		fmt.Fprintf(&s, "Most mode draws per sweep, per biological and per wall second, setup not counted: %s.\n", sweeps.Sampler)
	} else {
		fmt.Fprintf(&s, "Most mode draws, setup not counted, per sweep: %s; per biological second: %s; per wall second: %s. No sampler is best in all three.\n", sweeps.Sampler, bio.Sampler, wall.Sampler)
	}
	return s.String()
}

package main

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spikesampling/spikesampling/internal/compare"
)

// String is the result as text.
func (res *result) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "two maps of %d place cells, a = %g; rhythm of %g Hz, rates ×1 to ×%g, compensation %s; %g s each\n\n", res.Cells, res.Strength,
		res.FreqHz, res.Peak, res.Compensation, res.DurationMS/1000)
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "run\tswitches\tper s\tin the hot half\tmap A\tmap B\tneither\t")
	for _, r := range res.Rows {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%s\t%.3f\t%.3f\t%.3f\t\n", r.Run, r.Switches, r.PerSecond, plusMinus(r.HotShare, r.HotSE), r.Occupancy[mapA], r.Occupancy[mapB], r.Outside)
	}
	w.Flush()
	s.WriteString("\nSwitches of the map at all phases, the maps in the cold phase.\n")
	if len(res.Phases) > 0 {
		fmt.Fprintf(&s, "Switches without cue by sixteenth of the cycle, from its coldest: %v\n", res.Phases)
	}
	c := res.Cue
	if len(c.Cycle) > 0 {
		fmt.Fprintf(&s, `
A cue of %g nats that is on A for %d cycles, then on B for as many, and changes at troughs (%d times):
probability of map B by cycle since the change to B:`, c.Nats, hold, c.Trials)
		for i, k := range c.Cycle {
			if k == -1 || k == 0 || k == 1 || k == 2 || k == 4 || k == 8 || k == 16 {
				fmt.Fprintf(&s, "  %+d: %s", k, plusMinus(c.PB[i], c.SE[i]))
			}
		}
		fmt.Fprintf(&s, "\nwith the cue on B: map B %.3f, exact %.3f at T = 1, log odds divided by T_f = %s\n", c.SampledB, c.ExactB, plusMinus(c.FreezeOut, c.FreezeOutSE))
	}
	s.WriteString("The rhythm is periodic annealing, not exact sampling: cooling freezes the odds at an effective temperature T_f.\n")
	if res.Partial {
		s.WriteString("PARTIAL: interrupted\n")
	}
	return s.String()
}

func plusMinus(x, se compare.Number) string {
	bad := func(y compare.Number) bool { return math.IsNaN(float64(y)) || math.IsInf(float64(y), 0) }
	switch {
	case bad(x):
		return "–"
	case bad(se):
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.2f ± %.2f", x, se)
}

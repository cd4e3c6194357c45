package dream

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Table writes the rows as a table; at are numbers of samples.
func Table(rows []*Row, at ...int) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "sampler\t")
	var keys []string
	for _, n := range at {
		k := strconv.Itoa(n)
		if len(rows) > 0 {
			if _, ok := rows[0].ISL[k]; !ok {
				continue
			}
		}
		keys = append(keys, k)
		fmt.Fprintf(w, "ISL(%s)\t", k)
	}
	fmt.Fprintln(w, "switches/1000\tentropy\tclasses\tink\tsweeps\tbio time\twall\tequal sweeps\tequal bio\tequal wall\t")
	fmt.Fprint(w, "\t"+strings.Repeat("\t", len(keys)))
	fmt.Fprintln(w, "samples\t[nats]\tvisited\t\t\t[s]\t[s]\tISL\tISL\tISL\t")
	for _, r := range rows {
		name := r.Name
		if r.Copies > 1 {
			name += fmt.Sprintf(" (×%d)", r.Copies)
		}
		fmt.Fprintf(w, "%s\t", name)
		for _, k := range keys {
			fmt.Fprintf(w, "%s\t", PlusMinus("%.1f", r.ISL[k], r.ISLSD[k]))
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.2f\t%.4g\t%.4g\t%.2f\t", PlusMinus("%.1f", number(r.Switches), r.SwitchesSD),
			PlusMinus("%.2f", number(r.Entropy), r.EntropySD), r.Visited, float64(r.Ink), r.Sweeps, r.BioMS/1000, r.WallS)
		for _, k := range []string{"sweeps", "bio", "wall"} {
			e, ok := r.Equal[k]
			if !ok || math.IsNaN(float64(e.ISL)) {
				fmt.Fprint(w, "–\t")
				continue
			}
			fmt.Fprintf(w, "%.1f\t", float64(e.ISL))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}

// PlusMinus is a mean with its standard deviation, if there is one.
func PlusMinus(format string, x, sd number) string {
	if math.IsNaN(float64(x)) {
		return "–"
	}
	s := fmt.Sprintf(format, float64(x))
	if !math.IsNaN(float64(sd)) {
		s += " ± " + fmt.Sprintf(format, float64(sd))
	}
	return s
}

package estimate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/montanaflynn/stats"
)

// Description is the usual summary of one scalar series over chains.
type Description struct {
	Name   string // free to set; the label of its line in a table
	Chains int
	Draws  int // per chain
	Mean   float64
	MCSE   float64 // of Mean
	SD     float64
	Median float64
	MAD    float64 // median absolute deviation from the median, not scaled to an SD
	Q5     float64 // 5 % quantile (type 7), and so on
	Q25    float64
	Q75    float64
	Q95    float64
	Min    float64
	Max    float64

	Rhat, ESSBulk, ESSTail float64

	// Constant: all draws are equal, so that MCSE, Rhat and the ESS do not exist (NaN).
	Constant bool
}

// Describe summarises a series [chain][draw]. Chains must have one length ≥ 4 and finite
// draws; a constant series is no error but flagged.
func Describe(series [][]float64) (Description, error) {
	err := checkSeries(series, minDraws)
	if err != nil && !errors.Is(err, ErrConstant) {
		return Description{}, err
	}
	all := pool(series)
	d := Description{Chains: len(series), Draws: len(series[0]), Constant: err != nil}
	var variance float64
	d.Mean, variance = meanVariance(all)
	d.SD = math.Sqrt(variance)

	var errs []error
	order := func(f func(stats.Float64Data) (float64, error)) float64 {
		v, err := f(all)
		errs = append(errs, err)
		return v
	}
	quantile := func(percent float64) float64 {
		return order(func(x stats.Float64Data) (float64, error) { return stats.Percentile(x, percent) })
	}
	d.Median, d.MAD = order(stats.Median), order(stats.MedianAbsoluteDeviation)
	d.Min, d.Max = order(stats.Min), order(stats.Max)
	d.Q5, d.Q25, d.Q75, d.Q95 = quantile(5), quantile(25), quantile(75), quantile(95)

	diagnose := func(f func([][]float64) (float64, error)) float64 {
		v, err := f(series)
		if !errors.Is(err, ErrConstant) { // NaN says it
			errs = append(errs, err)
		}
		return v
	}
	d.MCSE, d.Rhat = diagnose(MCSE), diagnose(Rhat)
	d.ESSBulk, d.ESSTail = diagnose(ESSBulk), diagnose(ESSTail)
	return d, errors.Join(errs...)
}

// String is a table of one line.
func (d Description) String() string { return Descriptions{d}.String() }

// MarshalJSON encodes NaN as null and +Inf as "+Inf".
func (d Description) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name     string `json:"name,omitempty"`
		Chains   int    `json:"chains"`
		Draws    int    `json:"draws"`
		Mean     number `json:"mean"`
		MCSE     number `json:"mcse"`
		SD       number `json:"sd"`
		Median   number `json:"median"`
		MAD      number `json:"mad"`
		Q5       number `json:"q5"`
		Q25      number `json:"q25"`
		Q75      number `json:"q75"`
		Q95      number `json:"q95"`
		Min      number `json:"min"`
		Max      number `json:"max"`
		Rhat     number `json:"rhat"`
		ESSBulk  number `json:"ess_bulk"`
		ESSTail  number `json:"ess_tail"`
		Constant bool   `json:"constant"`
	}{d.Name, d.Chains, d.Draws, number(d.Mean), number(d.MCSE), number(d.SD), number(d.Median), number(d.MAD),
		number(d.Q5), number(d.Q25), number(d.Q75), number(d.Q95), number(d.Min), number(d.Max),
		number(d.Rhat), number(d.ESSBulk), number(d.ESSTail), d.Constant})
}

// Descriptions is a table of series.
type Descriptions []Description

// String is the table, one line per series.
func (ds Descriptions) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tmean\tMCSE\tsd\tmedian\tMAD\tq5\tq95\tR-hat\tESS bulk\tESS tail\t\n")
	for _, d := range ds {
		fmt.Fprintf(w, "%s\t%.4g\t%.2g\t%.4g\t%.4g\t%.4g\t%.4g\t%.4g\t%.3f\t%.0f\t%.0f\t\n", d.Name,
			d.Mean, d.MCSE, d.SD, d.Median, d.MAD, d.Q5, d.Q95, d.Rhat, d.ESSBulk, d.ESSTail)
	}
	w.Flush()
	return b.String()
}

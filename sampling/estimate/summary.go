package estimate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"
)

// Summary is the estimates of a [Values] with their errors.
type Summary struct {
	Rows     []SummaryRow `json:"rows"`    // of every variable and value, in order
	Time     float64      `json:"time"`    // recorded, over all chains
	Defined  float64      `json:"defined"` // share of it in which all variables were defined
	Chains   int          `json:"chains"`
	Bins     int          `json:"bins"`      // in all chains
	BinWidth float64      `json:"bin_width"` // [time]
}

// SummaryRow is the estimate of the probability of one value of one variable.
type SummaryRow struct {
	Variable string
	Value    int
	Estimate float64
	MCSE     float64 // Monte-Carlo standard error, sd/√ESSMean of the bins
	ESS      float64 // independent draws that would have this error, p(1-p)/MCSE²
	Rhat     float64 // of the bins
	// Constant: the share was the same in every bin (as of a value never seen), or there
	// are fewer than 4 bins per chain. The bins then say nothing about the error, and
	// MCSE, ESS and Rhat are NaN.
	Constant bool
}

// MarshalJSON encodes NaN as null and +Inf as "+Inf".
func (r SummaryRow) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Variable string `json:"variable"`
		Value    int    `json:"value"`
		Estimate number `json:"estimate"`
		MCSE     number `json:"mcse"`
		ESS      number `json:"ess"`
		Rhat     number `json:"rhat"`
		Constant bool   `json:"constant"`
	}{r.Variable, r.Value, number(r.Estimate), number(r.MCSE), number(r.ESS), number(r.Rhat), r.Constant})
}

// Summary computes the estimates with errors. Errors as P.
//
// Chains of unequal length, as after a cancelled run, are cut for Rhat to the shortest
// that has 4 bins, and for MCSE to the length that keeps most bins in total; the MCSE is
// then that of all bins at the same autocorrelation time.
func (e *Values) Summary() (*Summary, error) {
	p, err := e.P()
	if err != nil {
		return nil, err
	}
	s := &Summary{Time: e.Time(), Defined: e.DefinedFraction(), Chains: len(e.chains), BinWidth: e.width}
	lengths := make([]int, len(e.chains))
	for c := range e.chains {
		lengths[c] = e.length(c)
		s.Bins += lengths[c]
	}
	shortest, best := cuts(lengths)
	for i, v := range e.vars {
		for x := range v.Card {
			row := SummaryRow{Variable: v.Name, Value: x, Estimate: p[i][x]}
			if err := row.judge(e.series(e.offset[i]+x), shortest, best); err != nil {
				return nil, err
			}
			s.Rows = append(s.Rows, row)
		}
	}
	return s, nil
}

// cuts returns the least length of a chain with minDraws bins and the length n ≥ minDraws
// for which n times the number of chains of at least n bins is greatest; 0 if there is no
// such chain.
func cuts(lengths []int) (shortest, best int) {
	kept := 0
	for _, n := range lengths {
		if n < minDraws {
			continue
		}
		if shortest == 0 || n < shortest {
			shortest = n
		}
		chains := 0
		for _, m := range lengths {
			if m >= n {
				chains++
			}
		}
		if n*chains > kept {
			kept, best = n*chains, n
		}
	}
	return shortest, best
}

// cut returns the first n draws of the chains that have as many.
func cut(series [][]float64, n int) [][]float64 {
	var out [][]float64
	for _, x := range series {
		if len(x) >= n {
			out = append(out, x[:n])
		}
	}
	return out
}

// judge fills in the errors of the estimate from the bins of all chains.
func (r *SummaryRow) judge(series [][]float64, shortest, best int) error {
	r.MCSE, r.ESS, r.Rhat = math.NaN(), math.NaN(), math.NaN()
	if best == 0 {
		r.Constant = true
		return nil
	}
	kept := cut(series, best)
	ess, err := ESSMean(kept)
	if errors.Is(err, ErrConstant) {
		r.Constant = true
		return nil
	} else if err != nil {
		return err
	}
	all := pool(series)
	ess *= float64(len(all)) / float64(len(kept)*best)
	r.MCSE = stat.StdDev(all, nil) / math.Sqrt(ess)
	r.ESS = r.Estimate * (1 - r.Estimate) / (r.MCSE * r.MCSE)
	r.Rhat, err = Rhat(cut(series, shortest))
	if errors.Is(err, ErrConstant) {
		err = nil
	}
	return err
}

// String is a table with one line per value.
func (s *Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "time %.6g, defined %.4g, %d chains, %d bins of %.4g\n", s.Time, s.Defined, s.Chains, s.Bins, s.BinWidth)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "variable\tvalue\tp\tMCSE\tESS\tR-hat\t\n")
	for _, r := range s.Rows {
		note := ""
		if r.Constant {
			note = "constant"
		}
		fmt.Fprintf(w, "%s\t%d\t%.4f\t%.4f\t%.0f\t%.4f\t%s\n", r.Variable, r.Value, r.Estimate, r.MCSE, r.ESS, r.Rhat, note)
	}
	w.Flush()
	return b.String()
}

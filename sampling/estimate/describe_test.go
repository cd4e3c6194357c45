package estimate

import (
	"math"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	series := [][]float64{{4, 1, 3, 2}, {8, 5, 7, 6}} // 1..8
	d := must(Describe(series))
	rhat, mcse := must(Rhat(series)), must(MCSE(series))
	bulk, tail := must(ESSBulk(series)), must(ESSTail(series))
	for _, q := range []struct {
		name      string
		got, want float64
	}{
		{"mean", d.Mean, 4.5}, {"sd", d.SD, math.Sqrt(6)}, {"median", d.Median, 4.5}, {"MAD", d.MAD, 2},
		{"min", d.Min, 1}, {"max", d.Max, 8}, {"5 %", d.Q5, 1.35}, {"25 %", d.Q25, 2.75}, {"75 %", d.Q75, 6.25}, {"95 %", d.Q95, 7.65},
		{"R-hat", d.Rhat, rhat}, {"MCSE", d.MCSE, mcse}, {"bulk", d.ESSBulk, bulk}, {"tail", d.ESSTail, tail},
	} {
		if math.Abs(q.got-q.want) > 1e-12 {
			t.Errorf("%s = %v, want %v", q.name, q.got, q.want)
		}
	}
	if d.Chains != 2 || d.Draws != 4 || d.Constant {
		t.Errorf("%+v", d)
	}
	c := must(Describe([][]float64{{.1, .1, .1, .1, .1}}))
	if !c.Constant || c.Mean != .1 || c.SD != 0 || c.MAD != 0 || !math.IsNaN(c.Rhat) || !math.IsNaN(c.MCSE) || !math.IsNaN(c.ESSBulk) || !math.IsNaN(c.ESSTail) {
		t.Errorf("constant series: %+v", c)
	}
	for _, bad := range [][][]float64{nil, {{1, 2, 3}}, {{1, 2, 3, 4}, {1}}, {{1, 2, 3, math.NaN()}}} {
		if _, err := Describe(bad); err == nil {
			t.Errorf("series %v is accepted", bad)
		}
	}
	c.Name = "flat"
	if text := (Descriptions{d, c}).String(); strings.Count(text, "\n") != 3 || !strings.Contains(text, "flat") {
		t.Errorf("table:\n%s", text)
	}
}

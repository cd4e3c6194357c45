package main

import (
	"math"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann/bayes"
	"github.com/spikesampling/spikesampling/inference"
)

// TestFigureData: what the figures show is what was measured.
func TestFigureData(t *testing.T) {
	res, err := inference.Posterior(t.Context(), bayes.ASIA(), bayes.Evidence{"xray": "yes", "dysp": "yes"}, inference.Options{Duration: 20000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	b := bars(res)
	if len(b.Labels) != 6 || b.Labels[3] != "lung=yes" || math.Abs(b.Exact[3]-0.621253) > 1e-6 || len(b.Samplers) != 3 {
		t.Errorf("bars %v, exact %v", b.Labels, b.Exact)
	}
	for i, s := range b.Samplers {
		if m := res.Samplers[i].Marginals[6]; m.Variable != "lung" || m.State != "yes" || s.P[3] != m.Estimate || s.MCSE[3] != m.MCSE {
			t.Errorf("%s: bar %v ± %v, marginal %+v", s.Name, s.P[3], s.MCSE[3], m)
		}
	}
	c := curves(res)
	if len(c.Series) != 3 {
		t.Fatalf("%d curves", len(c.Series))
	}
	for i, s := range c.Series {
		last := len(s.T) - 1
		// All run for the same biological time, Gibbs sampling at one sweep per 10 ms.
		if math.Abs(s.T[last]-20000) > 10 {
			t.Errorf("%s ends at %v ms", s.Name, s.T[last])
		}
		// The floor of one of four chains is four times that of all.
		if want := 4 * res.Samplers[i].DKL.Floor; math.Abs(s.Floor[last]/want-1) > 1e-3 {
			t.Errorf("%s: floor %v, want %v", s.Name, s.Floor[last], want)
		}
	}
	r, err := raster(t.Context(), res)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Spikes) != 6 || r.Labels[5] != "aux 1" || len(r.Trace.T) < 3900 || len(r.Trace.T) != len(r.Trace.V) {
		t.Fatalf("raster of %d units %v, trace of %d", len(r.Spikes), r.Labels, len(r.Trace.T))
	}
	// The trace is that of its unit: at reset right after each of its spikes, never above
	// threshold.
	at := make(map[int64]float64)
	for i, x := range r.Trace.T {
		at[int64(math.Round(10*x))] = r.Trace.V[i]
		if r.Trace.V[i] > r.Trace.Threshold {
			t.Fatalf("%v mV at %v ms: above threshold", r.Trace.V[i], x)
		}
	}
	checked := 0
	for _, x := range r.Spikes[r.Trace.Unit] {
		if v, ok := at[int64(math.Round(10*x))+5]; ok {
			checked++
			if math.Abs(v-r.Trace.Reset) > 1e-6 {
				t.Errorf("%v mV half a millisecond after the spike at %v ms: must be at reset", v, x)
			}
		}
	}
	if checked < 5 {
		t.Errorf("only %d spikes of the traced unit", checked)
	}
}

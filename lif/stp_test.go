package lif

import (
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/stp"
)

// switches counts the changes of the winning group of three groups of four units with
// coupling a in 4 runs of 6e5 ms, per 1000 refractory times.
func switches(t *testing.T, s Setup, a float64) (per1000 float64, occupancy []float64) {
	t.Helper()
	m, err := models.WTA(3, 4, a)
	if err != nil {
		t.Fatal(err)
	}
	groups := [][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}}
	const chains, duration = 4, 6e5
	modes, err := sampling.Chains(t.Context(), func(int) (sampling.Sampler, error) {
		return NewSampler(m, s, Options{Translation: Published})
	}, func(int) (*estimate.Modes, error) {
		labels, err := estimate.Groups(groups, 3, 1)
		if err != nil {
			return nil, err
		}
		return estimate.NewModes(labels, estimate.ModesOptions{MinRun: 30, Step: 10})
	}, sampling.ChainOptions{Schedule: schedule(1000, duration), Seed: 1, Chains: chains,
		Start: func(_ int, z []uint8) { copy(z, []uint8{1, 1, 1, 1}) }})
	if err != nil {
		t.Fatal(err)
	}
	return float64(modes.Switches()) / chains / (duration / s.Neuron.TauRef / 1000), modes.Occupancy()
}

// TestPlasticWTA is experiment E1 with a = 4: renewing synapses are stuck, plastic ones
// with a sustained gain of 0.81 switch, as after Leng et al. 2018. Some 60 switches a run,
// 240 in all, have a standard deviation of 15.
func TestPlasticWTA(t *testing.T) {
	s := TutorialCOBA()
	if n, _ := switches(t, s, 4); n > 0.05 {
		t.Errorf("renewing: %.3f switches per 1000 samples", n)
	}
	s.Synapse, s.STP = Plastic, stp.Depressing(0.1, 100)
	n, occupancy := switches(t, s, 4)
	t.Logf("plastic: %.2f switches per 1000 samples, occupancy %.3f", n, occupancy)
	if n < 0.4 || n > 2.5 {
		t.Errorf("plastic: %.3f switches per 1000 samples", n)
	}
	for g, p := range occupancy {
		if p < 0.2 || p > 0.47 {
			t.Errorf("group %d: %.3f of the time", g, p)
		}
	}
	// Static synapses pile up: no switches even where the modes are shallower.
	s.STP = stp.Params{U: 1, Scale: 1} // no depression: static
	if n, _ := switches(t, s, 3); n > 0 {
		t.Errorf("static: %.3f switches per 1000 samples", n)
	}
	// With the constants of a renewing synapse a plastic one is it, up to rounding.
	s.Synapse, s.STP = Plastic, stp.Renewing(s.Neuron.TauSynE)
	a, _ := switches(t, s, 3)
	s.Synapse, s.STP = Renewing, stp.Params{}
	if b, _ := switches(t, s, 3); a > 2*b+0.05 || b > 2*a+0.05 {
		t.Errorf("%.3f switches per 1000 samples, renewing %.3f", a, b)
	}
}

func TestPlasticErrors(t *testing.T) {
	for _, c := range []struct {
		change func(*Setup)
		want   string
	}{
		{func(s *Setup) { s.STP.U = 2 }, "STP: stp: U = 2"},
		{func(s *Setup) { s.PSP = Rect }, "rectangular PSPs"},
		{func(s *Setup) { s.Dt, s.Delay = 1, 1 }, "TauSyn/20"},
		{func(s *Setup) { s.Synapse = Renewing }, "STP with renewing"},
		{func(s *Setup) { s.Synapse = 7 }, "Synapse(7)"},
	} {
		s := TutorialCUBA()
		s.Synapse, s.STP = Plastic, stp.Depressing(0.1, 100)
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		c.change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: must say %q", err, c.want)
		}
	}
}

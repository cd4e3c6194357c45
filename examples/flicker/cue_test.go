package main

import (
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestAtChange: labels are read from cycle warmup on; the cue changes from A to B at cycles
// hold, 3·hold, ...
func TestAtChange(t *testing.T) {
	at := atChange(make([]int16, 6*hold))
	want := []int{hold - warmup, 3*hold - warmup}
	if hold-warmup < before || !slices.Equal(at, append(want, 5*hold-warmup)[:len(at)]) || len(at) != 2 && len(at) != 3 {
		t.Errorf("changes at %v", at)
	}
	if at := atChange(make([]int16, 2*hold-warmup)); len(at) != 0 {
		t.Errorf("a change without all that follows: %v", at)
	}
}

// TestChanging: a strong cue that changes takes the network along, at the times it should.
func TestChanging(t *testing.T) {
	var c changing
	for i, b := range []float64{8, -8} {
		m, err := models.WTA(2, 3, 1, b, -b)
		if err != nil {
			t.Fatal(err)
		}
		c.machines[i] = m
	}
	s, err := lif.NewSampler(c.machines[0], lif.TutorialCUBA(), lif.Options{Extrapolate: true})
	if err != nil {
		t.Fatal(err)
	}
	c.Sampler, c.every = s, 500
	for range 2 { // also after a Reset
		if err := c.Reset(nil, rng.Stream(1, "changing")); err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			for _, at := range []float64{300, 499} { // the network has followed after 300 ms
				for end := float64(i)*500 + at; c.Time() < end; {
					if _, err := c.Advance(end, make([]sampling.Flip, 0, 256)); err != nil {
						t.Fatal(err)
					}
				}
				on := [2]int{}
				for k, z := range c.State() {
					on[k/3] += int(z)
				}
				if on[i%2] < on[1-i%2] {
					t.Errorf("%v ms after change %d: %v cells on", at, i, on)
				}
			}
		}
	}
}

func TestTypical(t *testing.T) {
	labels := make([]int16, before+hold+1)
	for i := before + 3; i < len(labels); i++ {
		labels[i] = mapB
	}
	if typical(labels) {
		t.Error("one switch")
	}
	labels[before+5] = mapA
	if !typical(labels) {
		t.Error("three switches")
	}
	labels[before] = mapB
	if typical(labels) {
		t.Error("in B at the change")
	}
}

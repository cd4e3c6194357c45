package tempering_test

import (
	"context"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/tempering"
)

// A network of spiking neurons that is stuck in one of three modes for minutes moves
// between them under a rhythm of its background. Samples are read in the cold phase.
func ExampleNewLIF() {
	m, err := models.WTA(3, 4, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rhythm := range []lif.Profile{
		tempering.Constant(1),
		tempering.RaisedCosine{Min: 1, Max: 9, FreqHz: 2}, // T from 1 to 3
	} {
		o := tempering.Oscillation{Profile: rhythm, Compensation: tempering.Calibrated}
		s, err := tempering.NewLIF(m, lif.TutorialCUBA(), o, lif.Options{Translation: lif.Published})
		if err != nil {
			fmt.Println(err)
			return
		}
		cold, err := tempering.ColdWindow(rhythm)
		if err != nil {
			fmt.Println(err)
			return
		}
		labels, err := estimate.Groups([][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}}, 3, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		modes, err := estimate.NewModes(labels, estimate.ModesOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		window, err := tempering.NewWindowed(cold, rhythm.Period(), modes)
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := s.Reset(nil, rng.Stream(1, "rhythm")); err != nil {
			fmt.Println(err)
			return
		}
		if err := sampling.Run(context.Background(), s, sampling.Schedule{Warmup: 1000, Duration: 1e5}, window); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("moves between modes:", modes.Switches() > 5)
	}
	// Output:
	// moves between modes: false
	// moves between modes: true
}

// The price: fast cooling leaves the odds between modes as they were at a temperature in
// between. The control, a Gibbs sampler with the same schedule, has it too.
func ExampleFreezeOut() {
	rhythm := tempering.RaisedCosine{Min: 1, Max: 9, FreqHz: 2}
	cold, err := tempering.ColdWindow(rhythm)
	if err != nil {
		fmt.Println(err)
		return
	}
	var sampled, exact []float64
	for _, cue := range []float64{.2, .4} {
		// Two groups of four with a bias for the first: log odds 4·cue of the full groups.
		m, err := models.WTA(2, 4, 3, cue/2, -cue/2)
		if err != nil {
			fmt.Println(err)
			return
		}
		labels, err := estimate.Groups([][]int{{0, 1, 2, 3}, {4, 5, 6, 7}}, 3, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		modes, err := estimate.NewModes(labels, estimate.ModesOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		window, err := tempering.NewWindowed(cold, rhythm.Period(), modes)
		if err != nil {
			fmt.Println(err)
			return
		}
		g, err := tempering.NewProfileGibbs(m, tempering.ProfileGibbsOptions{Profile: rhythm})
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := g.Reset(nil, rng.Stream(1, "control")); err != nil {
			fmt.Println(err)
			return
		}
		if err := sampling.Run(context.Background(), g, sampling.Schedule{Duration: 2e6}, window); err != nil {
			fmt.Println(err)
			return
		}
		p := modes.Occupancy()
		sampled, exact = append(sampled, math.Log(p[0]/p[1])), append(exact, 4*cue)
	}
	t, _, err := tempering.FreezeOut(sampled, exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("freeze-out between T = 1 and 3: %v\n", t > 1.2 && t < 3)
	// Output: freeze-out between T = 1 and 3: true
}

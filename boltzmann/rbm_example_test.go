package boltzmann_test

import (
	"context"
	"fmt"
	"log"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// The evidence of a restricted machine from both sides, beside the exact value. On a
// machine too large for Samples, the starts of ReverseAIS come from a long chain, and the
// upper bound holds as far as that chain has reached all modes.
func ExampleAIS() {
	r, err := models.RBMS(20, 10, 2)
	if err != nil {
		log.Fatal(err)
	}
	samples, err := r.Samples(100, rng.Stream(1, "exact"))
	if err != nil {
		log.Fatal(err)
	}
	visible := make([][]uint8, len(samples))
	for i, z := range samples {
		visible[i] = z[:r.Visible()]
	}

	ctx := context.Background()
	o := boltzmann.AISOptions{Seed: 1}
	up, err := boltzmann.AIS(ctx, r, o)
	if err != nil {
		log.Fatal(err)
	}
	down, err := boltzmann.ReverseAIS(ctx, r, visible, o)
	if err != nil {
		log.Fatal(err)
	}
	exact, err := r.LogZ()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("AIS         %.1f\n", up.LogZ)
	fmt.Printf("exact       %.1f\n", exact)
	fmt.Printf("reverse AIS %.1f\n", down.LogZ)
	// Output:
	// AIS         52.1
	// exact       52.1
	// reverse AIS 52.1
}

func ExampleBlockGibbs() {
	r, err := models.RBMS(6, 4, 1)
	if err != nil {
		log.Fatal(err)
	}
	g, err := boltzmann.NewBlockGibbs(r, boltzmann.BlockGibbsOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := g.Reset(nil, rng.Stream(42, "block")); err != nil {
		log.Fatal(err)
	}
	m := estimate.NewMarginals(g.Dim())
	if err := sampling.Run(context.Background(), g, sampling.Schedule{Warmup: 100, Duration: 1e5}, m); err != nil {
		log.Fatal(err)
	}
	exact, err := r.Exact()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sampled %.1f\n", m.Mean()[:6])
	fmt.Printf("exact   %.1f\n", exact.Mean[:6])
	// Output:
	// sampled [0.8 0.7 0.4 0.2 0.4 0.7]
	// exact   [0.8 0.7 0.4 0.2 0.4 0.7]
}

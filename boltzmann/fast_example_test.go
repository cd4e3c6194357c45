package boltzmann_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Sixteen chains of a machine of ten units run together. What they sample is the machine
// rounded to a grid, so that is what they are compared with.
func ExampleFastChains() {
	m, err := models.BMS(10, 1)
	if err != nil {
		log.Fatal(err)
	}
	f, err := boltzmann.NewFastChains(m, boltzmann.FastChainsOptions{Chains: 16})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Quantisation())
	if err := f.Reset(nil, func(chain int) rand.Source { return rng.Stream(1, "fast", chain) }); err != nil {
		log.Fatal(err)
	}
	rec := make([][]sampling.Recorder, f.Chains())
	mean := make([]*estimate.Marginals, f.Chains())
	for c := range rec {
		mean[c] = estimate.NewMarginals(f.Dim())
		rec[c] = []sampling.Recorder{mean[c]}
	}
	if err := f.Run(context.Background(), sampling.Schedule{Warmup: 100, Duration: 10000}, rec); err != nil {
		log.Fatal(err)
	}
	for _, e := range mean[1:] {
		if err := mean[0].Merge(e); err != nil {
			log.Fatal(err)
		}
	}
	exact, err := boltzmann.Enumerate(f.Model().(*boltzmann.Machine))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("unit 3 is on for %.2f of the time, exactly %.2f\n", mean[0].Mean()[3], exact.Mean[3])
	// Output:
	// grid 0.000122, weights within 5.81e-05, biases within 6.03e-05
	// unit 3 is on for 0.56 of the time, exactly 0.56
}

// Fast takes the place of Gibbs or BlockGibbs wherever a Sampler is asked for.
func ExampleNewFast() {
	r, err := models.RBMS(20, 10, 1)
	if err != nil {
		log.Fatal(err)
	}
	mean, err := sampling.Chains(context.Background(),
		func(int) (sampling.Sampler, error) { return boltzmann.NewFast(r, boltzmann.FastOptions{}) },
		func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(r.Dim()), nil },
		sampling.ChainOptions{Schedule: sampling.Schedule{Warmup: 100, Duration: 20000}, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	exact, err := r.Exact()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("unit 2 is on for %.2f of the time, exactly %.2f\n", mean.Mean()[2], exact.Mean[2])
	// Output:
	// unit 2 is on for 0.26 of the time, exactly 0.26
}

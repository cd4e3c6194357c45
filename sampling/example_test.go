package sampling_test

import (
	"context"
	"fmt"
	"log"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func ExampleRun() {
	m := boltzmann.REF(5)
	s, err := boltzmann.NewGibbs(m, boltzmann.GibbsOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Reset(nil, rng.Stream(42, "gibbs")); err != nil {
		log.Fatal(err)
	}
	marginals := estimate.NewMarginals(s.Dim())
	sch := sampling.Schedule{Warmup: 100, Duration: 1e5} // [sweeps]
	if err := sampling.Run(context.Background(), s, sch, marginals); err != nil {
		log.Fatal(err)
	}
	exact, err := boltzmann.Enumerate(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sampled %.2f\n", marginals.Mean())
	fmt.Printf("exact   %.2f\n", exact.Mean)
	// Output:
	// sampled [0.50 0.33 0.41 0.52 0.55]
	// exact   [0.49 0.33 0.41 0.52 0.55]
}

// Eight chains on all processors; the result depends on the seed only.
func ExampleChains() {
	m := boltzmann.REF(5)
	marginals, err := sampling.Chains(context.Background(),
		func(int) (sampling.Sampler, error) { return boltzmann.NewGibbs(m, boltzmann.GibbsOptions{}) },
		func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(m.Dim()), nil },
		sampling.ChainOptions{
			Schedule: sampling.Schedule{Warmup: 100, Duration: 2e4},
			Seed:     42,
			Chains:   8,
		})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f after %.0f sweeps\n", marginals.Mean(), marginals.Time())
	// Output:
	// [0.49 0.33 0.40 0.52 0.55] after 160000 sweeps
}

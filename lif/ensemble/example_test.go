package ensemble_test

import (
	"context"
	"fmt"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif/ensemble"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Twelve networks of five units are each other's noise. Wiring and kick are drawn; sampling
// and learning are deterministic.
func Example() {
	machines := make([]*boltzmann.Machine, 12)
	for i := range machines {
		machines[i] = boltzmann.REF(5)
	}
	e, err := ensemble.New(machines, ensemble.Options{Wiring: rng.Stream(1, "wiring")})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := e.Reset(nil, rng.Stream(1, "kick")); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	run := sampling.Schedule{Warmup: 500, Duration: 5e4}
	before, err := e.DKL(ctx, run)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := e.Train(ctx, ensemble.TrainOptions{Steps: 80, Duration: 2500}); err != nil {
		fmt.Println(err)
		return
	}
	after, err := e.DKL(ctx, run)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("network 0 is ten times nearer to its target:", after[0].X < before[0].X/10)
	// Output: network 0 is ten times nearer to its target: true
}

// What shared noise does to a pair, and the machine that compensates for it.
func ExampleSharedInputShift() {
	dW, db := ensemble.SharedInputShift(0.3)
	fmt.Printf("W acts as W%+.3f, b as b%+.3f\n", dW, db)
	// Output: W acts as W+0.644, b as b-0.322
}

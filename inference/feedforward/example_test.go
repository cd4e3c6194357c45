package feedforward_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// One pass, a report on it, and the start of a sampler.
func Example() {
	w := []mat.Matrix{mat.NewDense(2, 3, []float64{2, -1, 1, -1, 2, 1}), mat.NewDense(2, 2, []float64{1.5, -1, -1, 1.5})}
	net, err := feedforward.New(w, [][]float64{{-1, -1}, {-.2, -.2}}, feedforward.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	x := mat.NewDense(1, 3, []float64{1, 0, 1})
	state, report, err := feedforward.Feedforward{}.Check(net, x)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("largest residual %.2f\n", report.Max())

	_, rest, err := feedforward.Relax(context.Background(), net, x, state, feedforward.RelaxOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d sweeps to the fixed point\n", rest.Sweeps[0])

	machine, err := net.Given(x.RawRowView(0)) // the hidden layers given x
	if err != nil {
		fmt.Println(err)
		return
	}
	start, err := state.Starts(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	on, err := sampling.Chains(context.Background(),
		func(int) (sampling.Sampler, error) {
			return boltzmann.NewBlockGibbs(machine, boltzmann.BlockGibbsOptions{})
		},
		func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(machine.Dim()), nil },
		sampling.ChainOptions{Schedule: sampling.Schedule{Duration: 1e5}, Start: start})
	if err != nil {
		fmt.Println(err)
		return
	}
	kernel, err := feedforward.NewKernel(net, x.RawRowView(0), feedforward.EvenFirst)
	if err != nil {
		fmt.Println(err)
		return
	}
	exact, err := kernel.Marginals(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("p(h_1 = 1) = %.2f, exact %.2f\n", on.Mean()[0], exact[0])
	// Output:
	// largest residual 0.05
	// 2 sweeps to the fixed point
	// p(h_1 = 1) = 0.92, exact 0.92
}

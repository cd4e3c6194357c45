package lif_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// A Boltzmann machine of two units, sampled by two neurons.
func ExampleNewSampler() {
	m, err := boltzmann.New(mat.NewSymDense(2, []float64{0, 1, 1, 0}), []float64{-0.5, 0.25})
	if err != nil {
		fmt.Println(err)
		return
	}
	net, err := lif.NewSampler(m, lif.TutorialCUBA(), lif.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := net.Reset(nil, rng.Stream(42, "lif")); err != nil {
		fmt.Println(err)
		return
	}
	on := estimate.NewMarginals(2)
	if err := sampling.Run(context.Background(), net, sampling.Schedule{Warmup: 500, Duration: 1e6}, on); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("p(z_1) = %.2f, exact 0.54\n", on.Mean()[0])
	// Output: p(z_1) = 0.54, exact 0.54
}

// The abstract sampler takes any model whose log odds it can compute.
func ExampleNewNeural() {
	m := boltzmann.REF(5)
	s, err := lif.NewNeural(m, lif.NeuralOptions{Update: lif.Continuous})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Reset(nil, rng.Stream(42, "neural")); err != nil {
		fmt.Println(err)
		return
	}
	on := estimate.NewMarginals(5)
	if err := sampling.Run(context.Background(), s, sampling.Schedule{Duration: 1e6}, on); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f, exact 0.49\n", on.Mean()[0])
	// Output: 0.49, exact 0.49
}

func ExampleCalibrateAnalytic() {
	c, err := lif.CalibrateAnalytic(lif.TutorialCOBA())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("half activation at %.1f mV, width %.2f mV\n", c.VHalf, c.Alpha)
	// Output: half activation at -50.5 mV, width 0.76 mV
}

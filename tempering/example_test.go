package tempering_test

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/tempering"
)

// two is a machine of two groups of five units: one group on, the other off, with odds
// of e to 1 for the first.
func two() (*boltzmann.Machine, error) {
	w := mat.NewSymDense(10, nil)
	b := make([]float64, 10)
	for i := range 10 {
		b[i] = -4
		if i < 5 {
			b[i] += .2
		}
		for j := range i {
			w.SetSym(i, j, 4)
			if i/5 != j/5 {
				w.SetSym(i, j, -4)
			}
		}
	}
	return boltzmann.New(w, b)
}

// group is the group that is on as a whole, −1 if none is.
func group(z []uint8) int {
	on := 0
	for k, v := range z {
		on |= int(v) << k
	}
	switch on {
	case 31:
		return 0
	case 31 << 5:
		return 1
	}
	return -1
}

// Parallel tempering with an adapted ladder: the odds of two modes that a Gibbs sampler
// cannot find, as one never leaves the other.
func ExampleParallel() {
	m, err := two()
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	ladder, err := tempering.Linear(6, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := tempering.NewParallel(m, tempering.ParallelOptions{Ladder: ladder})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := p.Reset(nil, rng.Stream(1, "parallel")); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := p.Adapt(ctx, tempering.AdaptOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	// Chains with that ladder, and what they say of the modes.
	modes, err := sampling.Chains(ctx,
		func(int) (sampling.Sampler, error) {
			return tempering.NewParallel(m, tempering.ParallelOptions{Ladder: p.Ladder()})
		},
		func(int) (*estimate.Modes, error) {
			return estimate.NewModes(estimate.LabelFunc(2, group), estimate.ModesOptions{})
		},
		sampling.ChainOptions{Schedule: sampling.Schedule{Warmup: 100, Duration: 50000}, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	o := modes.Occupancy()
	fmt.Printf("log odds %.1f, exact 1.0\n", math.Log(o[0]/o[1]))
	// Output: log odds 1.0, exact 1.0
}

// Adaptive simulated tempering learns log Z(β) on the way.
func ExampleAST() {
	m, err := two()
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := tempering.NewAST(m, tempering.ASTOptions{Ladder: tempering.Ladder{1, .5, .3, .2, .15, .1, .05, 0}, Adapt: 1e6})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Reset(nil, rng.Stream(1, "ast")); err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Adapt(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	exact, err := boltzmann.Enumerate(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	// At β = 0 all 2^10 states have weight 1.
	logZ := s.LogWeights()[0] + 10*math.Ln2
	fmt.Println("log Z within 0.2:", math.Abs(logZ-exact.LogZ) < .2)
	// Output: log Z within 0.2: true
}

// Simulated annealing finds the better mode.
func ExampleAnneal() {
	m, err := two()
	if err != nil {
		fmt.Println(err)
		return
	}
	schedule, err := tempering.GeometricSchedule(2000, .02, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	best, energy, err := tempering.Anneal(context.Background(), m, schedule, tempering.AnnealOptions{}, rng.Stream(1, "anneal"))
	fmt.Println(best, energy, err)
	// Output: [1 1 1 1 1 0 0 0 0 0] -21 <nil>
}

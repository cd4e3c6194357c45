package main

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif/ensemble"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// noise is the experiment with correlated noise.
type noise struct {
	// Pair: two units without couplings whose noise is shared to the given part.
	Pair []pairRow `json:"pair"`
	// Pool: five units that take 20 trains from a pool of so many, in both signs; means over
	// wirings.
	Pool []poolRow `json:"pool"`
}

type pairRow struct {
	Shared float64 `json:"shared"` // correlation of the free potentials
	Shift  float64 `json:"dw"`     // measured
	Theory float64 `json:"dw_theory"`
}

type poolRow struct {
	Trains   int     `json:"trains"`
	Raw      float64 `json:"dkl"`        // as it is
	Weights  float64 `json:"dkl_w"`      // W corrected
	Analytic float64 `json:"dkl_w_b"`    // W and b corrected
	Learnt   float64 `json:"dkl_learnt"` // by plasticity
}

// each is the number of trains of either sign that a unit hears, rate theirs [Hz].
const each, rate = 10, 100

// sharing are the noise synapses of a pair that shares so many trains of each kind, and the
// number of trains.
func sharing(shared int) (taps [][]ensemble.Tap, trains int) {
	taps = make([][]ensemble.Tap, 2)
	for _, w := range []float64{ensemble.DefaultWeight, -ensemble.DefaultWeight} {
		for range shared {
			for k := range taps {
				taps[k] = append(taps[k], ensemble.Tap{From: 2 + trains, Weight: w})
			}
			trains++
		}
		for k := range taps {
			for range each - shared {
				taps[k] = append(taps[k], ensemble.Tap{From: 2 + trains, Weight: w})
				trains++
			}
		}
	}
	return taps, trains
}

func (f flags) noise(ctx context.Context, res *result, report func(done, total float64)) error {
	n := &noise{}
	pair, duration, sizes, steps, wirings := 2*f.duration, f.duration/2, []int{24, 48, 96, 192}, max(20, f.steps/5), 3
	if f.full {
		pair, sizes, wirings = 10*f.duration, []int{24, 32, 48, 64, 96, 128, 192, 384}, 8
	}
	shares := []int{0, 1, 3, 5, 7, 9}
	done, total := 0.0, float64(len(shares)+4*len(sizes)*wirings)
	tick := func() { done++; report(done, total) }
	free, err := boltzmann.New(mat.NewSymDense(2, nil), []float64{0, 0})
	if err != nil {
		return err
	}
	for _, s := range shares {
		taps, trains := sharing(s)
		e, err := ensemble.New([]*boltzmann.Machine{free}, ensemble.Options{Taps: taps, Source: ensemble.PoissonPool{Trains: trains, Rate: rate}})
		if err != nil {
			return err
		}
		if err := e.Reset(nil, rng.Stream(f.seed, "pair", s)); err != nil {
			return err
		}
		j, err := e.Joints(ctx, sampling.Schedule{Warmup: warmup, Duration: pair})
		if err != nil {
			return err
		}
		res.BioMS += warmup + pair
		p := j[0].P()
		rho := float64(s) / each
		dW, _ := ensemble.SharedInputShift(rho)
		n.Pair = append(n.Pair, pairRow{rho, math.Log(p[3] * p[0] / (p[1] * p[2])), dW})
		tick()
	}
	for _, trains := range sizes {
		row := poolRow{Trains: trains}
		for i := range wirings {
			d, err := f.pool(ctx, res, trains, i, duration, steps, tick)
			if err != nil {
				return err
			}
			for j, x := range []*float64{&row.Raw, &row.Weights, &row.Analytic, &row.Learnt} {
				*x += d[j] / float64(wirings)
			}
		}
		n.Pool = append(n.Pool, row)
	}
	res.Noise = n
	return nil
}

// pool is the divergence of five units with one wiring: as it is, with W corrected, with W
// and b corrected, and after learning from the uncorrected machine.
func (f flags) pool(ctx context.Context, res *result, trains, wiring int, duration float64, steps int, tick func()) (d [4]float64, err error) {
	ref := boltzmann.REF(5)
	e, err := ensemble.New([]*boltzmann.Machine{ref}, ensemble.Options{KExc: each, KInh: each,
		Source: ensemble.PoissonPool{Trains: trains, Rate: rate}, Wiring: rng.Stream(f.seed, "pool", trains, wiring)})
	if err != nil {
		return d, err
	}
	if err := e.Reset(nil, rng.Stream(f.seed, "pool noise", trains, wiring)); err != nil {
		return d, err
	}
	rho, err := e.NoiseCorrelation(0, nil)
	if err != nil {
		return d, err
	}
	dW, db, err := ensemble.EquivalentShift(rho)
	if err != nil {
		return d, err
	}
	alone, err := ensemble.Compensate(ref, dW, make([]float64, 5))
	if err != nil {
		return d, err
	}
	both, err := ensemble.Compensate(ref, dW, db)
	if err != nil {
		return d, err
	}
	for i, m := range []*boltzmann.Machine{ref, alone, both, ref} {
		if err := e.SetMachines([]*boltzmann.Machine{m}); err != nil {
			return d, err
		}
		if i == 3 {
			const step = 2500
			if _, err := e.Train(ctx, ensemble.TrainOptions{Steps: steps, Duration: step, Rate: 5, Decay: 39}); err != nil {
				return d, err
			}
			res.BioMS += float64(steps) * step
		}
		v, err := e.DKL(ctx, sampling.Schedule{Warmup: warmup, Duration: duration})
		if err != nil {
			return d, err
		}
		res.BioMS += warmup + duration
		d[i] = v[0].X
		tick()
	}
	return d, nil
}

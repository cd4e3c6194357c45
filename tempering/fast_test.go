package tempering

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// On a restricted machine, drawn by blocks, 5e4 sweeps of all quantised samplers: DKL below
// 1.5 times its floor.
func TestQuantisedRBM(t *testing.T) {
	m := must(models.RBMS(6, 4, 1))
	p := must(boltzmann.Joint(must1(boltzmann.Quantise(m))))
	names, build := kinds(m)
	for i, name := range names {
		if !strings.Contains(name, "quantised") {
			continue
		}
		s := build[i]()
		if err := s.Reset(nil, rng.Stream(8, "rbm", i)); err != nil {
			t.Fatal(err)
		}
		joint := must(estimate.NewJoint(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
		run(t, s, 100, 5e4, joint)
		if d := must(joint.DKL(p)); !(d.X < 1.5*d.Floor) || d.ESS < 3e3 {
			t.Errorf("%s: DKL = %v", name, d)
		}
	}
}

func must1[T any](x T, _ boltzmann.Quantisation, err error) T { return must(x, err) }

// Ladder adaptation on the fast kernels finds the ladder and barrier of WTA-3x4(4), and the
// masses of its modes come out (boltzmann-baselines 4.2 and 5.6). Energies that the kernels
// track are those of the states: a wrong one would spoil both.
func TestQuantisedAdapt(t *testing.T) {
	m := wta(4, [3]float64{.25, 0, -.25})
	p := must(NewParallel(m, ParallelOptions{Ladder: must(Linear(8, 0)), Quantised: true}))
	if err := p.Reset(nil, rng.Stream(1, "adapt")); err != nil {
		t.Fatal(err)
	}
	barrier, err := p.Adapt(context.Background(), AdaptOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(barrier-2.5) > .25 {
		t.Errorf("barrier %v, want about 2.5", barrier)
	}
	for i, c := range p.chains {
		c.fast.pull(c)
		if e := p.fast.Model().Energy(c.z); math.Abs(e-c.energy) > 1e-9 {
			t.Errorf("replica %d: energy %v, state says %v", i, c.energy, e)
		}
	}
	var mass [3]float64
	buf := make([]sampling.Flip, 0, 24)
	const scans = 100000
	for range scans {
		if _, err := p.Advance(p.Time()+1, buf); err != nil {
			t.Fatal(err)
		}
		if k := wtaLabel(p.State()); k >= 0 {
			mass[k] += 1.0 / scans
		}
	}
	for k, want := range biased {
		if math.Abs(mass[k]-want) > .02 {
			t.Errorf("mode %d has mass %v, want %v", k, mass[k], want)
		}
	}
}

func TestQuantisedRefuses(t *testing.T) {
	l := Ladder{1, .5}
	for name, err := range map[string]error{
		"model":  last(NewParallel(forbidden{}, ParallelOptions{Ladder: l, Quantised: true})),
		"model2": last(NewSimulated(forbidden{}, SimulatedOptions{Ladder: l, LogWeights: make([]float64, 2), Quantised: true})),
		"scan":   last(NewParallel(bmS(4, 1), ParallelOptions{Ladder: l, Scan: Random, Quantised: true})),
		"scan2":  last(NewAST(bmS(4, 1), ASTOptions{Ladder: l, Scan: Random, Quantised: true})),
		"scan3":  last(NewCAST(bmS(4, 1), CASTOptions{Fast: ASTOptions{Ladder: l, Scan: Random, Quantised: true}})),
	} {
		if err == nil || !strings.Contains(err.Error(), "Quantised") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	// Checkpoints do not pass between kernels.
	exact := must(NewParallel(bmS(4, 1), ParallelOptions{Ladder: l}))
	fast := must(NewParallel(bmS(4, 1), ParallelOptions{Ladder: l, Quantised: true}))
	for _, s := range []*Parallel{exact, fast} {
		if err := s.Reset(nil, rng.Stream(1, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := exact.UnmarshalBinary(must(fast.MarshalBinary())); err == nil {
		t.Error("an exact sampler took a quantised checkpoint")
	}
	if err := fast.UnmarshalBinary(must(exact.MarshalBinary())); err == nil {
		t.Error("a quantised sampler took an exact checkpoint")
	}
}

func last[T any](_ T, err error) error { return err }

package tempering

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Annealing finds the ground state, which enumeration knows, and reports its energy.
func TestAnneal(t *testing.T) {
	m := bmS(14, 3)
	z := make([]uint8, 14)
	ground, least := 0, math.Inf(1)
	for s := range 1 << 14 {
		bits(z, s)
		if e := m.Energy(z); e < least {
			ground, least = s, e
		}
	}
	for i, schedule := range [][]float64{must(LinearSchedule(500, 0, 3)), must(GeometricSchedule(500, .05, 5))} {
		best, e, err := Anneal(context.Background(), m, schedule, AnnealOptions{Scan: Scan(i)}, rng.Stream(1, "anneal", i))
		if err != nil {
			t.Fatal(err)
		}
		if index(best) != ground || e != m.Energy(best) {
			t.Errorf("found %v of energy %v, ground state has %v", best, e, least)
		}
	}
	// The best state is the best ever met: here the start, left at once at β = 0.
	bits(z, ground)
	best, e, err := Anneal(context.Background(), m, []float64{0, 0}, AnnealOptions{Start: z}, rng.Stream(2, "anneal"))
	if err != nil || index(best) != ground || e != m.Energy(z) {
		t.Errorf("left the ground state for %v: %v", best, err)
	}
}

func TestSchedules(t *testing.T) {
	for _, tc := range []struct{ got, want []float64 }{
		{must(LinearSchedule(3, 1, 2)), []float64{1, 1.5, 2}}, {must(GeometricSchedule(3, .5, 8)), []float64{.5, 2, 8}},
	} {
		for i, b := range tc.got {
			if math.Abs(b-tc.want[i]) > 1e-15 {
				t.Errorf("schedule %v, want %v", tc.got, tc.want)
			}
		}
	}
}

func TestAnnealErrors(t *testing.T) {
	m := bmS(3, 1)
	ctx := context.Background()
	src := rng.Stream(1, "x")
	for _, schedule := range [][]float64{nil, {1, math.NaN()}, {-1}, {math.Inf(1)}} {
		if _, _, err := Anneal(ctx, m, schedule, AnnealOptions{}, src); err == nil {
			t.Errorf("schedule %v accepted", schedule)
		}
	}
	for _, o := range []AnnealOptions{{Start: []uint8{1}}, {Start: []uint8{1, 2, 3}}, {Scan: 5}} {
		if _, _, err := Anneal(ctx, m, []float64{1}, o, src); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
	if _, _, err := Anneal(ctx, nil, []float64{1}, AnnealOptions{}, src); err == nil {
		t.Error("nil model accepted")
	}
	if _, _, err := Anneal(ctx, m, []float64{1}, AnnealOptions{}, nil); err == nil {
		t.Error("nil source accepted")
	}
	if _, _, err := Anneal(ctx, breaking{m}, must(LinearSchedule(1000, 0, 0)), AnnealOptions{Start: []uint8{0, 0, 0}}, src); err == nil {
		t.Error("NaN accepted")
	}
	best, e, err := Anneal(&expiring{ctx, 3}, m, must(LinearSchedule(100, 0, 1)), AnnealOptions{}, src)
	if !errors.Is(err, context.Canceled) || len(best) != 3 || e != m.Energy(best) {
		t.Errorf("cancelled: %v %v %v", best, e, err)
	}
}

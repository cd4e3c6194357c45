package tempering

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// A used sampler that is Reset is as good as new: what was learned is forgotten too.
func TestReset(t *testing.T) {
	names, build := kinds(bmS(5, 2))
	for i, name := range names {
		used, fresh := build[i](), build[i]()
		if err := used.Reset(nil, rng.Stream(1, "used")); err != nil {
			t.Fatal(err)
		}
		run(t, used, 0, 37)
		for _, s := range []sampler{used, fresh} {
			if err := s.Reset(nil, rng.Stream(2, "reset")); err != nil {
				t.Fatal(err)
			}
			run(t, s, 0, 20)
		}
		if !slices.Equal(must(used.MarshalBinary()), must(fresh.MarshalBinary())) {
			t.Errorf("%s: Reset leaves traces", name)
		}
	}
}

// Visit i = 1..N of a sweep at β = 1 flips at i/N of it.
func TestFlipTimes(t *testing.T) {
	c := newCore(3)
	c.r = rand.New(rng.Stream(1, "times"))
	c.time = 7
	ch := newChain(eager{})
	if err := ch.start([]uint8{0, 1, 0}, c.r); err != nil {
		t.Fatal(err)
	}
	got := must(c.coldSweep(make([]sampling.Flip, 0, 6), ch, Sequential))
	want := []sampling.Flip{{Time: 7 + 1./3, Unit: 0, On: 1}, {Time: 8, Unit: 2, On: 1}}
	if !slices.Equal(got, want) || c.time != 8 || c.cost != 1 {
		t.Errorf("flips %v, want %v; time %v, cost %v", got, want, c.time, c.cost)
	}
}

// eager is a model of three units that are as good as always on.
type eager struct{}

func (eager) Dim() int { return 3 }

func (eager) Energy(z []uint8) float64 { return -100 * float64(z[0]+z[1]+z[2]) }

func (eager) Logit([]uint8, int) float64 { return 100 }

// The gain is g0/(1 + t/t0), and frozen weights are the mean over the second half.
func TestLearning(t *testing.T) {
	o := ASTOptions{Ladder: Ladder{1, .5}, Gain: 2, Decay: 1, Adapt: 5}.withDefaults()
	a := newAdaptive(newChain(bmS(3, 1)), o)
	r := rand.New(rng.Stream(1, "learning"))
	if err := a.restart(nil, r); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		a.learn.add(a.walker)
	}
	// g_0 = 2, 3, 11/3, 25/6, 137/30 after sweeps 1 to 5; the second half is 3 to 5.
	if want := 11./3 + 25./6 + 137./30; math.Abs(a.learned.sum[0]-want) > 1e-12 || a.learned.sum[1] != 0 {
		t.Errorf("sums %v, want %v", a.learned.sum, want)
	}
	var cost int64
	if err := a.adapt(t.Context(), r, &cost); err != nil {
		t.Fatal(err)
	}
	if want := (11./3 + 25./6 + 137./30) / 3; math.Abs(a.g[0]-want) > 1e-12 || a.learn != nil {
		t.Errorf("frozen at %v, want %v", a.g, want)
	}
}

// A round trip begins and ends at level 0: coming from the hot end alone is none.
func TestRoundTrips(t *testing.T) {
	x := newExchange(2)
	x.restart()
	r := rand.New(rng.Stream(1, "trips"))
	for i, tc := range []struct {
		logRatio float64
		want     []int64
	}{{math.Inf(-1), []int64{0, 0}}, {0, []int64{0, 0}}, {0, []int64{1, 0}}, {0, []int64{1, 1}}, {math.Inf(-1), []int64{1, 1}}} {
		x.round(DEO, r, func(int, int, int) float64 { return tc.logRatio })
		x.round(DEO, r, nil) // odd: two levels have no pair to try
		if !slices.Equal(x.trips, tc.want) {
			t.Errorf("try %d: round trips %v, want %v", i, x.trips, tc.want)
		}
	}
	if got := x.rejections(); got[0] != .4 || x.tried[0] != 5 {
		t.Errorf("rejection rates %v of %v", got, x.tried)
	}
}

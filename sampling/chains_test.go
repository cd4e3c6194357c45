package sampling_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func newTape(chain int) (*tape, error) { return &tape{chains: []int{chain}}, nil }

func numbers(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// TestChainsInvariance: the number of workers and of processors changes nothing, not
// even the order of flips in the merged estimate.
func TestChainsInvariance(t *testing.T) {
	m := boltzmann.REF(5)
	run := func(parallel int, seed uint64) *tape {
		r, err := sampling.Chains(t.Context(),
			func(int) (sampling.Sampler, error) { return boltzmann.NewGibbs(m, boltzmann.GibbsOptions{}) },
			newTape, sampling.ChainOptions{
				Schedule: sampling.Schedule{Warmup: 10, Duration: 300}, Seed: seed, Chains: 9, Parallel: parallel})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	want := run(1, 42)
	if !slices.Equal(want.chains, numbers(9)) || len(want.flips) < 9*300 {
		t.Fatalf("chains %v with %d flips", want.chains, len(want.flips))
	}
	for _, procs := range []int{1, 2} {
		runtime.GOMAXPROCS(procs)
		for _, parallel := range []int{0, 1, 2, 7} {
			got := run(parallel, 42)
			if !slices.Equal(got.chains, want.chains) || !slices.Equal(got.flips, want.flips) || !slices.Equal(got.to, want.to) {
				t.Errorf("GOMAXPROCS %d, Parallel %d: another result", procs, parallel)
			}
		}
	}
	if slices.Equal(run(2, 43).flips, want.flips) {
		t.Error("another seed gave the same flips")
	}
}

// TestChainsMergeOrder: chains are merged by number, not as they finish. Here each waits
// for the one after it, so they finish backwards.
func TestChainsMergeOrder(t *testing.T) {
	const n = 6
	finished := make([]chan struct{}, n+1)
	for c := range finished {
		finished[c] = make(chan struct{})
	}
	close(finished[n])
	got, err := sampling.Chains(t.Context(),
		func(c int) (sampling.Sampler, error) { return newPlayed(1, nil), nil },
		func(c int) (*tape, error) {
			return &tape{chains: []int{c}, onRecord: func(now float64) {
				if now == 1 {
					<-finished[c+1]
					close(finished[c])
				}
			}}, nil
		}, sampling.ChainOptions{Schedule: sampling.Schedule{Duration: 1}, Chains: n, Parallel: n})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.chains, numbers(n)) {
		t.Errorf("merged in the order %v", got.chains)
	}
}

// TestChainsStreams: chain c draws from rng.Stream(Seed, Stream, c), starts in the state
// that Start wrote, and the documented defaults hold.
func TestChainsStreams(t *testing.T) {
	for _, c := range []struct {
		opt    sampling.ChainOptions
		chains int
		stream string
	}{
		{sampling.ChainOptions{}, 4, "chain"},
		{sampling.ChainOptions{Seed: 1 << 63, Chains: 3, Stream: "other"}, 3, "other"},
		{sampling.ChainOptions{Chains: 5, Start: func(chain int, z []uint8) {
			for k := range z {
				z[k] = uint8(chain >> k & 1)
			}
		}}, 5, "chain"},
	} {
		first := make([]uint64, c.chains)
		starts := make([][]uint8, c.chains)
		begins := make([]*tape, c.chains)
		c.opt.Schedule = sampling.Schedule{Duration: 1}
		_, err := sampling.Chains(t.Context(), func(chain int) (sampling.Sampler, error) {
			p := newPlayed(3, nil)
			p.reset = func(start []uint8, src rand.Source) error {
				starts[chain], first[chain] = slices.Clone(start), src.Uint64()
				return nil
			}
			return p, nil
		}, func(chain int) (*tape, error) {
			begins[chain], _ = newTape(chain)
			return begins[chain], nil
		}, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		for chain := range c.chains {
			if want := rng.Stream(c.opt.Seed, c.stream, chain).Uint64(); first[chain] != want {
				t.Errorf("%+v: chain %d drew %x: must be %x", c.opt, chain, first[chain], want)
			}
			if c.opt.Start == nil {
				if starts[chain] != nil {
					t.Errorf("chain %d was given the start %v: must be nil", chain, starts[chain])
				}
				continue
			}
			want := make([]uint8, 3)
			c.opt.Start(chain, want)
			if !slices.Equal(starts[chain], want) || !slices.Equal(begins[chain].begin, want) {
				t.Errorf("chain %d started in %v, recorded from %v: must be %v", chain, starts[chain], begins[chain].begin, want)
			}
		}
	}
}

// TestChainsErrors: whatever fails in a chain is returned with the chain's number and the
// zero estimate, the lowest number if several fail.
func TestChainsErrors(t *testing.T) {
	broken := errors.New("broken")
	opt := sampling.ChainOptions{Schedule: sampling.Schedule{Duration: 1}, Chains: 5, Parallel: 3}
	for _, where := range []string{"newSampler", "newEstimator", "Reset", "Begin", "Advance", "Merge"} {
		got, err := sampling.Chains(t.Context(), func(c int) (sampling.Sampler, error) {
			p := newPlayed(1, nil)
			if c < 2 {
				return p, nil
			}
			switch where {
			case "newSampler":
				return nil, broken
			case "Reset":
				p.reset = func([]uint8, rand.Source) error { return broken }
			case "Advance":
				p.failAt, p.failure = 0.5, broken
			}
			return p, nil
		}, func(c int) (*tape, error) {
			r, _ := newTape(c)
			if c < 2 {
				return r, nil
			}
			switch where {
			case "newEstimator":
				return r, broken
			case "Begin":
				r.beginErr = broken
			case "Merge":
				r.mergeErr = broken
			}
			return r, nil
		}, opt)
		if got != nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), "chain 2: ") {
			t.Errorf("%s: estimate %v, error %v: must be none and that of chain 2", where, got, err)
		}
	}

	// A failure stays a failure if the context ends too.
	ctx, cancel := context.WithCancel(t.Context())
	got, err := sampling.Chains(ctx, func(c int) (sampling.Sampler, error) {
		p := newPlayed(1, nil)
		if c == 1 {
			p.reset = func([]uint8, rand.Source) error { cancel(); return broken }
		}
		return p, nil
	}, newTape, opt)
	if got != nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), "chain 1: ") {
		t.Errorf("cancelled: estimate %v, error %v: must be none and that of chain 1", got, err)
	}

	for _, bad := range []sampling.ChainOptions{
		{}, {Schedule: sampling.Schedule{Warmup: math.NaN(), Duration: 1}},
		{Schedule: opt.Schedule, Chains: -1}, {Schedule: opt.Schedule, Parallel: -1},
	} {
		got, err := sampling.Chains(t.Context(), func(int) (sampling.Sampler, error) {
			t.Error("a sampler was made for invalid options")
			return newPlayed(1, nil), nil
		}, newTape, bad)
		if got != nil || err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// TestChainsCancel: a cancelled run returns what the chains past their warm-up recorded,
// and nothing of the others. Chains 1 and 3 record some time, 0 and 2 never get there,
// 4 and 5 have not even begun.
func TestChainsCancel(t *testing.T) {
	const warmup, forever = 10, 1e15
	ctx, cancel := context.WithCancel(t.Context())
	var recording atomic.Int32
	chains := func(ctx context.Context, recordingChains ...int) (*tape, error) {
		return sampling.Chains(ctx, func(c int) (sampling.Sampler, error) {
			p := newPlayed(2, flipsAt(2, spread(1000, 500), rng.Stream(8, "flips", c)))
			if !slices.Contains(recordingChains, c) {
				// Waits in its warm-up until the others have recorded.
				p.flips = nil
				p.reset = func([]uint8, rand.Source) error { <-ctx.Done(); return nil }
			}
			return p, nil
		}, func(c int) (*tape, error) {
			enough := false
			return &tape{chains: []int{c}, onRecord: func(now float64) {
				if now > 400 && !enough {
					enough = true
					if recording.Add(1) == int32(len(recordingChains)) {
						cancel()
					}
				}
			}}, nil
		}, sampling.ChainOptions{Schedule: sampling.Schedule{Warmup: warmup, Duration: forever}, Chains: 6, Parallel: 4})
	}
	got, err := chains(ctx, 1, 3)
	if err != context.Canceled {
		t.Errorf("error %v: must be context.Canceled", err)
	}
	if got == nil || !slices.Equal(got.chains, []int{1, 3}) {
		t.Fatalf("merged %+v: must be chains 1 and 3", got)
	}
	for i, from := range got.from {
		if from != warmup || got.to[i] < 400 || got.to[i] >= forever {
			t.Errorf("chain %d recorded from %v to %v", got.chains[i], from, got.to[i])
		}
	}
	if len(got.flips) < 1000 {
		t.Errorf("%d flips in the partial estimate", len(got.flips))
	}

	// Nobody got past the warm-up: no estimate.
	if got, err := chains(ctx); got != nil || err != context.Canceled {
		t.Errorf("cancelled before recording: estimate %v, error %v", got, err)
	}
	deadline, stop := context.WithTimeout(t.Context(), 0)
	defer stop()
	if got, err := chains(deadline, 0); got != nil || err != context.DeadlineExceeded {
		t.Errorf("past the deadline: estimate %v, error %v", got, err)
	}
}

// TestChainsProgress: progress is the sum over chains, never goes back, ends at the
// total, and comes from one goroutine about ten times a second. The callback writes to
// plain variables, so that the race detector sees a second goroutine.
func TestChainsProgress(t *testing.T) {
	const n = 3
	var calls []sampling.Progress
	var inside atomic.Int32
	start := time.Now()
	_, err := sampling.Chains(t.Context(), func(int) (sampling.Sampler, error) { return newPlayed(1, nil), nil }, func(int) (*tape, error) {
		return &tape{onRecord: func(now float64) {
			if now == 5 || now == 8 { // so that the run takes 0.3 s
				time.Sleep(150 * time.Millisecond)
			}
		}}, nil
	}, sampling.ChainOptions{Chains: n, Parallel: n, Schedule: sampling.Schedule{Warmup: 2, Duration: 6,
		OnProgress: func(p sampling.Progress) {
			if inside.Add(1) != 1 {
				t.Error("two calls at a time")
			}
			calls = append(calls, p)
			time.Sleep(time.Millisecond)
			inside.Add(-1)
		}}})
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for i, p := range calls {
		if p.Total != n*8 || p.Time < last {
			t.Errorf("call %d: %+v after %v", i, p, last)
		}
		last = p.Time
	}
	if last != n*8 {
		t.Errorf("progress ended at %v: must be %d", last, n*8)
	}
	if most := int(time.Since(start)/(100*time.Millisecond)) + 1; len(calls) < 2 || len(calls) > most {
		t.Errorf("%d calls in %v: must be 2 to %d", len(calls), time.Since(start), most)
	}
	if inside.Load() != 0 {
		t.Error("a call goes on after Chains has returned")
	}
}

// TestChainsOne: one chain is a Run.
func TestChainsOne(t *testing.T) {
	m := boltzmann.REF(4)
	sch := sampling.Schedule{Warmup: 5, Duration: 200}
	newGibbs := func(int) (sampling.Sampler, error) { return boltzmann.NewGibbs(m, boltzmann.GibbsOptions{}) }
	got, err := sampling.Chains(t.Context(), newGibbs, newTape, sampling.ChainOptions{Schedule: sch, Seed: 7, Chains: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGibbs(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reset(nil, rng.Stream(7, "chain", 0)); err != nil {
		t.Fatal(err)
	}
	var want tape
	if err := sampling.Run(t.Context(), g, sch, &want); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.from, got.to, got.begin) != fmt.Sprint(want.from, want.to, want.begin) || !slices.Equal(got.flips, want.flips) {
		t.Error("one chain differs from a run with its stream")
	}
}

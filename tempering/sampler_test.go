package tempering

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Small buffers cut the chain into pieces but do not change it; flips are in order, differ
// from what was, and lead to the state; time is in whole sweeps, and steady but for jumps.
func TestPieces(t *testing.T) {
	m := bmS(5, 2)
	const n = 5
	names, build := kinds(m)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(names)-1).Draw(t, "sampler")
		end := rapid.Float64Range(0.5, 40).Draw(t, "end")
		whole, pieces := build[i](), build[i]()
		for _, s := range []sampler{whole, pieces} {
			if err := s.Reset([]uint8{1, 0, 0, 1, 1}, rng.Stream(7, "pieces")); err != nil {
				t.Fatal(err)
			}
		}
		z, last := slices.Clone(whole.State()), 0.0
		want, err := whole.Advance(end, make([]sampling.Flip, 0, 1000))
		if err != nil {
			t.Fatal(err)
		}
		if whole.Time() != math.Ceil(end) || float64(whole.Cost()) < whole.Time() {
			t.Fatalf("%s: time %v after Advance(%v), cost %d", names[i], whole.Time(), end, whole.Cost())
		}
		for _, f := range want {
			if f.Time < last || math.Abs(f.Time*n-math.Round(f.Time*n)) > 1e-9 || z[f.Unit] == f.On {
				t.Fatalf("%s: flip %+v after time %v in %v", names[i], f, last, z)
			}
			z[f.Unit], last = f.On, f.Time
		}
		if !slices.Equal(z, whole.State()) {
			t.Fatalf("%s: flips lead to %v, state is %v", names[i], z, whole.State())
		}
		buf := make([]sampling.Flip, 0, rapid.IntRange(2*n, 3*n).Draw(t, "buffer"))
		var got []sampling.Flip
		for pieces.Time() < end {
			flips, err := pieces.Advance(min(end, pieces.Time()+rapid.Float64Range(.1, 3).Draw(t, "step")), buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, flips...)
		}
		if !slices.Equal(got, want) || pieces.Cost() != whole.Cost() {
			t.Fatalf("%s: pieces differ", names[i])
		}
	})
}

// A restored chain goes on bit for bit, from any moment, and so does the one that was
// encoded. 30 sweeps of 20 units flip often enough for the log odds to differ from fresh
// ones in the last bits.
func TestResume(t *testing.T) {
	m := bmS(20, 1)
	names, build := kinds(m)
	sources := []func() rand.Source{
		func() rand.Source { return rng.Stream(8, "resume") },
		func() rand.Source { return rand.NewPCG(1, 2) },
		func() rand.Source { return &counter{} },
	}
	for i, name := range names {
		for j, source := range sources {
			s, other := build[i](), build[i]()
			if err := s.Reset(nil, source()); err != nil {
				t.Fatal(err)
			}
			run(t, s, 0, 30)
			data, err := s.MarshalBinary()
			if err != nil {
				t.Fatal(name, err)
			}
			if j == 2 { // another kind of source must be there
				if err := other.UnmarshalBinary(data); !errors.Is(err, errCheckpoint) {
					t.Errorf("%s: restored a source of unknown kind: %v", name, err)
				}
				if err := other.Reset(nil, &counter{}); err != nil {
					t.Fatal(err)
				}
			}
			if err := other.UnmarshalBinary(data); err != nil {
				t.Fatal(name, err)
			}
			again, err := other.MarshalBinary()
			if err != nil || !slices.Equal(again, data) {
				t.Errorf("%s: encoded again it differs: %v", name, err)
			}
			for range 3 {
				a, b := make([]sampling.Flip, 0, 4000), make([]sampling.Flip, 0, 4000)
				if a, err = s.Advance(s.Time()+20, a); err != nil {
					t.Fatal(err)
				}
				if b, err = other.Advance(other.Time()+20, b); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(a, b) || s.Time() != other.Time() || s.Cost() != other.Cost() || !slices.Equal(s.State(), other.State()) {
					t.Fatalf("%s: restored chain differs", name)
				}
			}
			a, b := must(s.MarshalBinary()), must(other.MarshalBinary())
			if !slices.Equal(a, b) {
				t.Errorf("%s: restored chain ends differently", name)
			}
		}
	}
}

// counter is a random source that can be marshalled: a Weyl sequence, scrambled.
type counter struct{ N uint64 }

func (c *counter) Uint64() uint64 {
	c.N += 0x9e3779b97f4a7c15
	z := (c.N ^ c.N>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (c *counter) MarshalBinary() ([]byte, error) { return rand.NewPCG(c.N, 0).MarshalBinary() }

func (c *counter) UnmarshalBinary(b []byte) error {
	if len(b) != 20 {
		return errors.New("counter of wrong length")
	}
	c.N = 0
	for _, x := range b[4:12] {
		c.N = c.N<<8 | uint64(x)
	}
	return nil
}

// An adaptation that was interrupted is resumed as well, and a drifting ladder kept.
func TestResumeAdaptation(t *testing.T) {
	m := bmS(6, 2)
	o := ASTOptions{Ladder: Ladder{1, .5, .1}, Adapt: 5000}
	whole, first, second := must(NewAST(m, o)), must(NewAST(m, o)), must(NewAST(m, o))
	for _, s := range []*AST{whole, first} {
		if err := s.Reset(nil, rng.Stream(9, "ast")); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Adapt(&expiring{Context: context.Background(), left: 7}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Adapt ended with %v", err)
	}
	if err := second.UnmarshalBinary(must(first.MarshalBinary())); err != nil {
		t.Fatal(err)
	}
	if err := second.Adapt(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := whole.Adapt(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(whole.LogWeights(), second.LogWeights()) || whole.Cost() != second.Cost() {
		t.Errorf("weights %v and %v", whole.LogWeights(), second.LogWeights())
	}

	p := must(NewParallel(m, ParallelOptions{Ladder: Ladder{1, .9, 0}}))
	if err := p.Reset(nil, rng.Stream(9, "pt")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Adapt(context.Background(), AdaptOptions{Rounds: 3}); err != nil {
		t.Fatal(err)
	}
	q := must(NewParallel(m, ParallelOptions{Ladder: Ladder{1, .9, 0}}))
	if err := q.UnmarshalBinary(must(p.MarshalBinary())); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Ladder(), q.Ladder()) || p.Ladder()[1] == .9 {
		t.Errorf("ladders %v and %v", p.Ladder(), q.Ladder())
	}
	if _, err := p.Adapt(&expiring{Context: context.Background(), left: 7}, AdaptOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Adapt ended with %v", err)
	}
	run(t, p, 0, 10) // it goes on after being cancelled
}

// expiring is a context that ends after it has been asked some times.
type expiring struct {
	context.Context
	left int
}

func (e *expiring) Err() error {
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}

// What does not fit is refused, and leaves the sampler as it was.
func TestResumeErrors(t *testing.T) {
	m := bmS(5, 1)
	names, build := kinds(m)
	_, strangers := kinds(boltzmann.REF(5))
	_, larger := kinds(bmS(6, 1))
	for i, name := range names {
		s := build[i]()
		if _, err := s.MarshalBinary(); !errors.Is(err, errNotReset) {
			t.Errorf("%s: encoded before Reset: %v", name, err)
		}
		if err := s.Reset(nil, rng.Stream(1, "errors")); err != nil {
			t.Fatal(err)
		}
		run(t, s, 0, 5)
		data := must(s.MarshalBinary())
		for what, other := range map[string]sampler{"model": strangers[i](), "size": larger[i](), "kind": build[(i+5)%len(build)]()} {
			if what == "kind" && reflect.TypeOf(other) == reflect.TypeOf(s) {
				continue
			}
			if err := other.UnmarshalBinary(data); !errors.Is(err, errCheckpoint) {
				t.Errorf("%s: restored by a sampler of another %s: %v", name, what, err)
			}
		}
		for _, cut := range []int{0, 1, len(data) / 2, len(data) - 1} {
			if err := s.UnmarshalBinary(data[:cut]); err == nil {
				t.Errorf("%s: restored from %d bytes of %d", name, cut, len(data))
			}
		}
		if !slices.Equal(must(s.MarshalBinary()), data) {
			t.Errorf("%s: changed by what it refused", name)
		}
		if err := s.Reset(nil, rng.XExp(1)); err != nil {
			t.Fatal(err)
		}
		if err := s.Reset(nil, plain{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.MarshalBinary(); err == nil || !strings.Contains(err.Error(), "cannot be marshalled") {
			t.Errorf("%s: encoded a source that cannot: %v", name, err)
		}
	}
	l := SimulatedOptions{Ladder: Ladder{1, .5}, LogWeights: []float64{1, 0}}
	a := must(NewSimulated(m, l))
	a.Reset(nil, rng.Stream(1, "x"))
	data := must(a.MarshalBinary())
	l.Ladder = Ladder{1, .4}
	if err := must(NewSimulated(m, l)).UnmarshalBinary(data); !errors.Is(err, errCheckpoint) {
		t.Errorf("restored with another ladder: %v", err)
	}
	l.Ladder, l.LogWeights = Ladder{1, .5}, []float64{2, 0}
	if err := must(NewSimulated(m, l)).UnmarshalBinary(data); !errors.Is(err, errCheckpoint) {
		t.Errorf("restored with other weights: %v", err)
	}
}

// plain is a source that cannot be marshalled.
type plain struct{}

func (plain) Uint64() uint64 { return 1 << 40 }

// No bytes make a sampler panic, now or later.
func FuzzUnmarshal(f *testing.F) {
	m := bmS(3, 1)
	names, build := kinds(m)
	for i := range build {
		s := build[i]()
		if err := s.Reset(nil, rng.Stream(1, "fuzz")); err != nil {
			f.Fatal(err)
		}
		if _, err := s.Advance(5, make([]sampling.Flip, 0, 64)); err != nil {
			f.Fatal(err)
		}
		f.Add(i, must(s.MarshalBinary()))
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		s := build[uint(i)%uint(len(names))]()
		if s.UnmarshalBinary(data) == nil {
			if _, err := s.Advance(s.Time()+2, make([]sampling.Flip, 0, 6)); err != nil {
				t.Log(err)
			}
		}
	})
}

func TestOptionErrors(t *testing.T) {
	m := bmS(3, 1)
	l := Ladder{1, .5}
	nan := math.NaN()
	for want, err := range map[string]error{
		"model is nil":            second(NewParallel(nil, ParallelOptions{Ladder: l})),
		"ladder has 0 levels":     second(NewParallel(m, ParallelOptions{})),
		"ladder has 1 levels":     second(NewTransitions(m, TransitionsOptions{Ladder: Ladder{1}})),
		"Scheme = Scheme(7)":      second(NewParallel(m, ParallelOptions{Ladder: l, Scheme: 7})),
		"Scan = Scan(-1)":         second(NewParallel(m, ParallelOptions{Ladder: l, Scan: -1})),
		"0 log-weights for 2":     second(NewSimulated(m, SimulatedOptions{Ladder: l})),
		"3 log-weights for 2":     second(NewSimulated(m, SimulatedOptions{Ladder: l, LogWeights: []float64{1, 2, 3}})),
		"log-weight of level 1":   second(NewSimulated(m, SimulatedOptions{Ladder: l, LogWeights: []float64{1, nan}})),
		"Scan = Scan(2)":          second(NewSimulated(m, SimulatedOptions{Ladder: l, LogWeights: []float64{1, 1}, Scan: 2})),
		"Gain = NaN":              second(NewAST(m, ASTOptions{Ladder: l, Gain: nan})),
		"Gain = -1":               second(NewAST(m, ASTOptions{Ladder: l, Gain: -1})),
		"Decay = +Inf":            second(NewAST(m, ASTOptions{Ladder: l, Decay: math.Inf(1)})),
		"Adapt = -4":              second(NewAST(m, ASTOptions{Ladder: l, Adapt: -4})),
		"Mode = Mode(2)":          second(NewAST(m, ASTOptions{Ladder: l, Mode: 2})),
		"begins at β = 0.5":       second(NewAST(m, ASTOptions{Ladder: Ladder{.5, .1}})),
		"SwapEvery = -1":          second(NewCAST(m, CASTOptions{Fast: ASTOptions{Ladder: l}, SwapEvery: -1})),
		"Sweeps = -2":             second(NewTransitions(m, TransitionsOptions{Ladder: l, Sweeps: -2})),
		"schedule of 1 sweeps":    second(LinearSchedule(1, 0, 1)),
		"from = NaN":              second(LinearSchedule(2, nan, 1)),
		"both must be > 0":        second(GeometricSchedule(2, 0, 1)),
		"to = -1: must be finite": second(GeometricSchedule(2, 1, -1)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "tempering: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestUseErrors(t *testing.T) {
	names, build := kinds(bmS(3, 1))
	big := make([]sampling.Flip, 0, 100)
	for i, name := range names {
		s := build[i]()
		check := func(what string, err error) {
			t.Helper()
			if err == nil || !strings.HasPrefix(err.Error(), "tempering: ") {
				t.Errorf("%s: %s: error %v", name, what, err)
			}
		}
		check("before Reset", second(s.Advance(1, big)))
		check("nil source", s.Reset(nil, nil))
		check("short start", s.Reset([]uint8{1}, rng.Stream(1, "x")))
		check("start of 2", s.Reset([]uint8{1, 2, 0}, rng.Stream(1, "x")))
		check("after a failed Reset", second(s.Advance(1, big)))
		if err := s.Reset([]uint8{1, 0, 1}, rng.Stream(1, "x")); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.State(), []uint8{1, 0, 1}) || s.Dim() != 3 || s.Time() != 0 || s.Cost() != 0 {
			t.Errorf("%s: state %v, time %v, cost %d after Reset", name, s.State(), s.Time(), s.Cost())
		}
		check("time NaN", second(s.Advance(math.NaN(), big)))
		check("time Inf", second(s.Advance(math.Inf(1), big)))
		check("small buffer", second(s.Advance(1, make([]sampling.Flip, 0, 5))))
		if _, err := s.Advance(3, big); err != nil || s.Time() != 3 {
			t.Errorf("%s: %v, time %v", name, err, s.Time())
		}
	}
	// A model that breaks on the way stops the sampler for good.
	names, build = kinds(breaking{bmS(3, 1)})
	for i, name := range names {
		s := build[i]()
		if err := s.Reset([]uint8{0, 0, 0}, rng.Stream(1, "x")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Advance(1e4, make([]sampling.Flip, 0, 1e6)); err == nil || !strings.Contains(err.Error(), "log odds of unit 0 is NaN") {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := s.Advance(1e5, big); !errors.Is(err, errNotReset) {
			t.Errorf("%s: went on after an error: %v", name, err)
		}
	}
	// Absurd weights keep the chain away: an error, not a hang.
	s := must(NewSimulated(bmS(3, 1), SimulatedOptions{Ladder: Ladder{1, .5}, LogWeights: []float64{1000, 0}}))
	if err := s.Reset(nil, rng.Stream(1, "x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Advance(1e4, big); err == nil || !strings.Contains(err.Error(), "not back at β = 1") {
		t.Errorf("absurd weights: %v", err)
	}
	p := must(NewParallel(bmS(3, 1), ParallelOptions{Ladder: Ladder{1, .5}}))
	if _, err := p.Adapt(context.Background(), AdaptOptions{}); !errors.Is(err, errNotReset) {
		t.Errorf("Adapt before Reset: %v", err)
	}
	for _, o := range []AdaptOptions{{Rounds: -1}, {Rounds: 41}, {Scans: 1}, {Scans: 1 << 21}} {
		if _, err := p.Adapt(context.Background(), o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}

// breaking is a model whose log odds of unit 0 become NaN when all other units are on.
type breaking struct{ sampling.Model }

func (b breaking) Logit(z []uint8, k int) float64 {
	if k == 0 && z[1]+z[2] == 2 {
		return math.NaN()
	}
	return b.Model.Logit(z, k)
}

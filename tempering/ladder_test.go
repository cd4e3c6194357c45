package tempering

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLadders(t *testing.T) {
	near := func(got, want Ladder) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for k := range got {
			if math.Abs(got[k]-want[k]) > 1e-15 {
				t.Errorf("%v, want %v", got, want)
			}
		}
	}
	near(must(Linear(5, 0)), Ladder{1, .75, .5, .25, 0})
	near(must(Linear(2, .5)), Ladder{1, .5})
	near(must(Geometric(4, .125)), Ladder{1, .5, .25, .125})
}

func TestLadderErrors(t *testing.T) {
	for _, tc := range []struct {
		l    Ladder
		want string
	}{
		{nil, "0 levels"}, {Ladder{1}, "1 levels"}, {Ladder{.9, .5}, "begins at β = 0.9"},
		{Ladder{0, .5, 1}, "begins at"}, {Ladder{1, .5, .5}, "must fall"}, {Ladder{1, .5, .6}, "must fall"},
		{Ladder{1, math.NaN()}, "level 1 of the ladder is NaN"}, {Ladder{1, -.1}, "≥ 0"}, {Ladder{math.Inf(1), 1}, "finite"},
	} {
		if err := tc.l.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: error %v, want %q", tc.l, err, tc.want)
		}
	}
	for _, err := range []error{
		second(Linear(1, 0)), second(Linear(3, 1)), second(Linear(3, -1)), second(Linear(3, math.NaN())),
		second(Linear(1<<30, 0)), second(Geometric(3, 0)), second(Geometric(3, math.Inf(1))), second(Linear(1000, 1-0x1p-53)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "tempering: ") {
			t.Errorf("bad ladder accepted, or error %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Where nothing is known to be rejected levels are spaced linearly; equal rates leave a
// linear ladder as it is; a pair with all the rejections gets all levels.
func TestAdapted(t *testing.T) {
	l := Ladder{1, .9, .2, 0}
	got, barrier, err := l.Adapted([]float64{0, 0, 0}, 5)
	if err != nil || barrier != 0 {
		t.Fatal(barrier, err)
	}
	for k, want := range []float64{1, .75, .5, .25, 0} {
		if math.Abs(got[k]-want) > 1e-9 {
			t.Errorf("no rejections: %v", got)
		}
	}
	even := must(Linear(5, 0))
	got, barrier, err = even.Adapted([]float64{.3, .3, .3, .3}, 5)
	if err != nil || math.Abs(barrier-1.2) > 1e-12 {
		t.Fatal(barrier, err)
	}
	for k, want := range even {
		if math.Abs(got[k]-want) > 1e-9 {
			t.Errorf("equal rejections: %v", got)
		}
	}
	got, _, err = l.Adapted([]float64{0, .8, 0}, 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range got[1:5] {
		if b < .2 || b > .9 {
			t.Errorf("rejections between .9 and .2 only: %v", got)
		}
	}
	for _, r := range [][]float64{nil, {.1, .1}, {.1, .1, math.NaN()}, {.1, -.1, .1}, {.1, 1.1, .1}} {
		if _, _, err := l.Adapted(r, 4); err == nil {
			t.Errorf("rejection rates %v accepted", r)
		}
	}
	if _, _, err := l.Adapted([]float64{.1, .1, .1}, 1); err == nil {
		t.Error("1 level accepted")
	}
	if _, _, err := (Ladder{1}).Adapted(nil, 4); err == nil {
		t.Error("ladder of 1 level accepted")
	}
}

// Any measured rates give a valid ladder with the old ends.
func TestAdaptedProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 12).Draw(t, "k")
		l := must(Linear(k, rapid.Float64Range(0, .9).Draw(t, "lowest")))
		r := rapid.SliceOfN(rapid.Float64Range(0, 1), k-1, k-1).Draw(t, "r")
		got, barrier, err := l.Adapted(r, rapid.IntRange(2, 20).Draw(t, "levels"))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range r {
			sum += x
		}
		if got[len(got)-1] != l[k-1] || math.Abs(barrier-sum) > 1e-12 {
			t.Fatalf("ladder %v, barrier %v", got, barrier)
		}
	})
}

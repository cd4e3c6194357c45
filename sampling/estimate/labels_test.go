package estimate

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLabelsIncremental: labels that follow flips are those of the definition, for random
// walks over states.
func TestLabelsIncremental(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(4, 12).Draw(rt, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		patterns := make([][]uint8, rapid.IntRange(1, 4).Draw(rt, "patterns"))
		for m := range patterns {
			patterns[m] = make([]uint8, n)
			for k := range patterns[m] {
				patterns[m][k] = uint8(r.IntN(2))
			}
		}
		radius := rapid.IntRange(0, n/2).Draw(rt, "radius")
		groups := make([][]int, rapid.IntRange(1, n/3).Draw(rt, "groups"))
		for i, k := range r.Perm(n)[:len(groups)*3] {
			groups[i/3] = append(groups[i/3], k)
		}
		most := rapid.IntRange(1, 3).Draw(rt, "most")
		rest := rapid.IntRange(0, most-1).Draw(rt, "rest")
		near, full := must(Patterns(patterns, radius)), must(Groups(groups, most, rest))
		if near.Modes() != len(patterns) || full.Modes() != len(groups) {
			rt.Fatalf("%d and %d modes", near.Modes(), full.Modes())
		}

		z := make([]uint8, n)
		for step := range 100 {
			if step%40 == 0 {
				for k := range z {
					z[k] = uint8(r.IntN(2))
				}
				if near.Reset(z) != nil || full.Reset(z) != nil {
					rt.Fatal("a state is refused")
				}
			} else {
				k := r.IntN(n)
				z[k] ^= 1
				near.Flipped(k, z[k])
				full.Flipped(k, z[k])
			}
			if got, want := near.Label(), nearest(patterns, z, radius); got != want {
				rt.Fatalf("state %v, patterns %v: label %d, want %d", z, patterns, got, want)
			}
			if got, want := full.Label(), winner(groups, z, most, rest); got != want {
				rt.Fatalf("state %v, groups %v, most %d, rest %d: label %d, want %d", z, groups, most, rest, got, want)
			}
		}
	})
}

func nearest(patterns [][]uint8, z []uint8, radius int) int {
	label := -1
	for m, p := range patterns {
		d := 0
		for k := range z {
			if z[k] != p[k] {
				d++
			}
		}
		better := d <= radius
		for j, q := range patterns {
			e := 0
			for k := range z {
				if z[k] != q[k] {
					e++
				}
			}
			better = better && (j == m || e > d)
		}
		if better {
			label = m
		}
	}
	return label
}

func winner(groups [][]int, z []uint8, most, rest int) int {
	label := -1
	for g, units := range groups {
		on := 0
		for _, k := range units {
			on += int(z[k])
		}
		wins := on >= most
		for h, others := range groups {
			on := 0
			for _, k := range others {
				on += int(z[k])
			}
			wins = wins && (h == g || on <= rest)
		}
		if wins {
			label = g
		}
	}
	return label
}

func TestLabelsRefuse(t *testing.T) {
	second := func(_ Labels, err error) error { return err }
	for what, err := range map[string]error{
		"0 patterns":          second(Patterns(nil, 1)),
		"no units":            second(Patterns([][]uint8{{}}, 1)),
		"radius = -1":         second(Patterns([][]uint8{{1}}, -1)),
		"pattern 1":           second(Patterns([][]uint8{{1, 0}, {1}}, 1)),
		"0 groups":            second(Groups(nil, 1, 0)),
		"rest = 1":            second(Groups([][]int{{0}}, 1, 1)),
		"rest = -1":           second(Groups([][]int{{0}}, 1, -1)),
		"unit 1 is listed":    second(Groups([][]int{{0, 1}, {1, 2}}, 1, 0)),
		"group 1 has 1":       second(Groups([][]int{{0, 1}, {2}}, 2, 0)),
		"is -1":               second(Groups([][]int{{0, -1}}, 1, 0)),
		"patterns: sampling:": must(Patterns([][]uint8{{1, 0}}, 1)).Reset([]uint8{1}),
		"list unit 2":         must(Groups([][]int{{2}}, 1, 0)).Reset([]uint8{1}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "estimate: ") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

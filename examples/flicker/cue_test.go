package main

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTrials: of a chain of maps, the trials taken begin (or end) in map A, share no label,
// and their time course is that of the chain: with switch probabilities a from A to B and b
// back, P(B after k | A) = a/(a+b) (1 − (1−a−b)^k), and the same backwards.
func TestTrials(t *testing.T) {
	const a, b, n = .2, .1, 400000
	r := rand.New(rand.NewPCG(1, 2))
	labels := make([]int16, n)
	for i := 1; i < n; i++ {
		labels[i] = labels[i-1]
		if p := []float64{a, b}[labels[i-1]]; r.Float64() < p {
			labels[i] ^= 1
		}
	}
	f, p := futures(labels), pasts(labels)
	slices.Sort(p)
	for _, c := range []struct {
		at         []int
		before, on int
		sign       int
	}{{f, 0, after, 1}, {p, before, 0, -1}} {
		last := -1
		for _, i := range c.at {
			if i-c.before <= last || i+c.on >= n || labels[i] != mapA {
				t.Fatalf("trial at %d with %d before and %d after, the last reached to %d", i, c.before, c.on, last)
			}
			last = i + c.on
		}
		decay := 1.0
		for k := range max(c.before, c.on) + 1 {
			on := 0.0
			for _, i := range c.at {
				on += float64(labels[i+c.sign*k]) / float64(len(c.at))
			}
			want := a / (a + b) * (1 - decay)
			// 10000 trials and more: the error is .005, 4.5 of them .0225 (25 tests: false alarm 2e-4).
			if on-want > .0225 || want-on > .0225 {
				t.Errorf("%d cycles away: P(B) = %v, exact %v (%d trials)", c.sign*k, on, want, len(c.at))
			}
			decay *= 1 - a - b
		}
	}
}

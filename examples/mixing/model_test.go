package main

import (
	"math"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann"
)

// TestMasses: masses of the built-in models, against a plain sum over all states, and the
// symmetry of those that have one.
func TestMasses(t *testing.T) {
	for _, b := range builtin {
		mod, err := load(b.name, 0)
		if err != nil {
			t.Fatal(err)
		}
		labels, err := mod.labels()
		if err != nil {
			t.Fatal(err)
		}
		p, err := boltzmann.Joint(mod.m)
		if err != nil {
			t.Fatal(err)
		}
		n := labels.Modes()
		want := make([]float64, n+1)
		z := make([]uint8, mod.m.Dim())
		for s, x := range p {
			for k := range z {
				z[k] = uint8(s >> k & 1)
			}
			if err := labels.Reset(z); err != nil {
				t.Fatal(err)
			}
			want[(labels.Label()+n+1)%(n+1)] += x
		}
		for k := range want {
			if math.Abs(mod.masses[k]-want[k]) > 1e-12 {
				t.Errorf("%s: masses %v, want %v", b.name, mod.masses, want)
			}
			if k < n && b.name != "wta" && math.Abs(mod.masses[k]-mod.masses[0]) > 1e-9 {
				t.Errorf("%s: masses %v: must be equal", b.name, mod.masses)
			}
		}
		for k, pattern := range mod.middle {
			if err := labels.Reset(pattern); err != nil || labels.Label() != k || len(mod.names) != n {
				t.Errorf("%s: the middle of mode %d has label %d, %v", b.name, k, labels.Label(), err)
			}
		}
		if mod.masses[n] > .01 {
			t.Errorf("%s: %v outside of the modes", b.name, mod.masses[n])
		}
	}
}

// TestFound: the minima found are those of the built-in models.
func TestFound(t *testing.T) {
	mod, err := load("hopfield", 0)
	if err != nil {
		t.Fatal(err)
	}
	found, err := mod.patterns(nil)
	if err != nil || len(found) != 4 {
		t.Fatalf("%d minima, %v", len(found), err)
	}
	for _, p := range mod.middle {
		nearest := len(p)
		for _, q := range found {
			nearest = min(nearest, distance(p, q))
		}
		if nearest != 0 {
			t.Errorf("pattern %v not among %v", p, found)
		}
	}
}

// FuzzRead: no file makes the reader panic, and what it accepts is a machine with modes that
// its labels know.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"W": [[0, 4], [4, 0]], "b": [-2, -1.5]}`, `{"W": [[0, 4], [4, 0]], "b": [-2, -2], "modes": [[0, 0], [1, 1]]}`,
		`{"W": [], "b": []}`, `{"W": [[0, 1], [1, 0]], "b": [0, 1e308]}`, `{`, `{"modes": [[]]}`, `null`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		mod, err := read(strings.NewReader(s))
		if err != nil {
			return
		}
		labels, err := mod.labels()
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range mod.middle {
			if err := labels.Reset(p); err != nil || labels.Label() != k {
				t.Fatalf("%s: the middle of mode %d has label %d, %v", s, k, labels.Label(), err)
			}
		}
	})
}

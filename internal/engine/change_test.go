package engine

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// moving is what both engines can.
type moving interface {
	Reset([]uint8, rand.Source)
	Run(int64, []sampling.Flip) []sampling.Flip
	Steps() int64
	State() []uint8
	Potential() []float64
	Trace() []float64
	SetRest([]float64) error
	SetWeights([]float64, *Sparse, *Sparse) error
	MarshalBinary() ([]byte, error)
	UnmarshalBinary([]byte) error
}

// both are the engines of a configuration.
func both(t *testing.T, c Config) map[string]func() moving {
	return map[string]func() moving{
		"double": func() moving { return newEngine(t, c) },
		"fast":   func() moving { return fast(t, c, best()) },
	}
}

// TestResume: a network that takes up the state of another goes on bit for bit, wherever it
// was, spikes on their way and profiles included.
func TestResume(t *testing.T) {
	for _, kind := range kinds {
		for _, coba := range []bool{false, true} {
			c := common(9, 1000)
			if coba {
				c = conductances(c)
			}
			kind.change(&c)
			for name, build := range both(t, c) {
				for _, at := range []int64{1, 7, 1234} {
					a, b := build(), build()
					a.Reset(nil, rng.Stream(1, "resume"))
					buf := make([]sampling.Flip, 0, 1<<16)
					a.Run(at, buf)
					data, err := a.MarshalBinary()
					if err != nil {
						t.Fatal(err)
					}
					b.Reset(nil, rng.Stream(2, "other")) // must leave nothing behind
					b.Run(777, buf)
					if err := b.UnmarshalBinary(data); err != nil {
						t.Fatal(err)
					}
					want, got := slices.Clone(a.Run(at+3000, buf)), b.Run(at+3000, make([]sampling.Flip, 0, 1<<16))
					if len(want) < 9 || !slices.Equal(want, got) || !slices.Equal(a.Potential(), b.Potential()) {
						t.Fatalf("%s, coba %v, %s, from step %d: %d flips, must be %d", kind.name, coba, name, at, len(got), len(want))
					}
				}
			}
		}
	}
}

// TestResumeErrors: states of other networks and damaged ones are refused and change
// nothing.
func TestResumeErrors(t *testing.T) {
	c := common(5, 400)
	c.Delay = 30
	other := c
	other.Delay = 3
	for name, build := range both(t, c) {
		e := build()
		e.Reset(nil, rng.Stream(1, "resume"))
		e.Run(500, make([]sampling.Flip, 0, 1000))
		data, err := e.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		x := both(t, other)[name]()
		x.Reset(nil, rng.Stream(1, "resume"))
		foreign, err := x.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(data)
		changed[len(data)-20] ^= 1
		for what, bad := range map[string][]byte{"empty": nil, "another": foreign, "noise": []byte("noise"), "cut": data[:len(data)/2], "changed": changed} {
			if err := e.UnmarshalBinary(bad); err == nil {
				t.Errorf("%s, %s: no error", name, what)
			}
		}
		if after, err := e.MarshalBinary(); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s: refused states changed the network", name)
		}
	}
}

func FuzzResume(f *testing.F) {
	c := common(3, 400)
	e, _, err := NewFast(c, best())
	if err != nil {
		f.Fatal(err)
	}
	e.Reset(nil, rng.Stream(1, "fuzz"))
	e.Run(200, make([]sampling.Flip, 0, 1000))
	data, err := e.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, _, err := NewFast(c, best())
		if err != nil {
			t.Fatal(err)
		}
		x.Reset(nil, rng.Stream(1, "fuzz"))
		if x.UnmarshalBinary(data) == nil {
			x.Run(x.step+300, make([]sampling.Flip, 0, 1000))
		}
	})
}

// TestChange: a network whose weights and resting potentials are changed to what they were
// goes on as if nothing had happened, and changed to others as one that was built with them
// and takes up the state.
func TestChange(t *testing.T) {
	for _, kind := range kinds {
		for _, coba := range []bool{false, true} {
			c := common(9, 1000)
			if coba {
				c = conductances(c)
			}
			kind.change(&c)
			if c.Neurons != nil && c.Rectangular {
				c.Refractory = 116 // the longest: its shape is compared
			}
			changed := c
			changed.Rest = slices.Clone(c.Rest)
			changed.Weights = slices.Clone(c.Weights)
			for i := range changed.Rest {
				changed.Rest[i] += 0.001 * float64(i%3-1)
			}
			for i := range changed.Weights {
				changed.Weights[i] *= 1.5
			}
			for name, build := range both(t, c) {
				run := func(e moving) string {
					return fmt.Sprint(e.Run(4000, make([]sampling.Flip, 0, 1<<16)), e.Potential())
				}
				a, same, to := build(), build(), build()
				for _, e := range []moving{a, same, to} {
					e.Reset(nil, rng.Stream(1, "change"))
					e.Run(1000, make([]sampling.Flip, 0, 1<<16))
				}
				if err := same.SetRest(c.Rest); err != nil {
					t.Fatal(err)
				}
				if err := same.SetWeights(c.Weights, c.Sparse, c.Statics); err != nil {
					t.Fatal(err)
				}
				exact := name == "fast" || !c.Rectangular // sums of double precision are not
				want := run(a)
				if got := run(same); exact && got != want {
					t.Errorf("%s, coba %v, %s: a change to the same is one", kind.name, coba, name)
				}
				if err := to.SetWeights(changed.Weights, c.Sparse, c.Statics); err != nil {
					t.Fatal(err)
				}
				if err := to.SetRest(changed.Rest); err != nil {
					t.Fatal(err)
				}
				got := run(to)
				if got == want {
					t.Errorf("%s, coba %v, %s: a change has no effect", kind.name, coba, name)
				}
				if c.Rectangular { // a state has the pulses of the weights before
					continue
				}
				before := build()
				before.Reset(nil, rng.Stream(1, "change"))
				before.Run(1000, make([]sampling.Flip, 0, 1<<16))
				data, err := before.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				built := both(t, changed)[name]()
				built.Reset(nil, rng.Stream(3, "other"))
				if err := built.UnmarshalBinary(data); err != nil {
					t.Fatal(err)
				}
				if err := built.SetRest(changed.Rest); err != nil { // a state has the drive
					t.Fatal(err)
				}
				if run(built) != got {
					t.Errorf("%s, coba %v, %s: not as built with the change", kind.name, coba, name)
				}
			}
		}
	}
}

// TestChangeRefused: what cannot be is refused and leaves the network as it was.
func TestChangeRefused(t *testing.T) {
	for _, rectangular := range []bool{false, true} {
		c := conductances(common(4, 400))
		c.Rectangular = rectangular
		a, b := fast(t, c, best()), fast(t, c, best())
		for _, f := range []*Fast{a, b} {
			f.Reset(nil, rng.Stream(1, "refused"))
			f.Run(1000, make([]sampling.Flip, 0, 1<<12))
		}
		strong := slices.Clone(c.Weights)
		strong[1] = 50
		if err := a.SetWeights(strong, nil, nil); err == nil || !strings.Contains(err.Error(), "too strong") {
			t.Errorf("rectangular %v: %v", rectangular, err)
		}
		huge := slices.Clone(c.Weights)
		huge[2] = math.MaxFloat64
		if err := a.SetWeights(huge, nil, nil); err == nil {
			t.Errorf("rectangular %v: no error", rectangular)
		}
		if err := a.SetRest([]float64{-50, 1e60, -50, -50}); err == nil || !strings.Contains(err.Error(), "neuron 1: overflows") {
			t.Errorf("rectangular %v: %v", rectangular, err)
		}
		x, y := a.Run(5000, make([]sampling.Flip, 0, 1<<14)), b.Run(5000, make([]sampling.Flip, 0, 1<<14))
		if len(x) < 20 || !slices.Equal(x, y) {
			t.Errorf("rectangular %v: a refused change had an effect", rectangular)
		}
	}
}

package sampling_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// plain is a model without a shortcut.
type plain struct{ sampling.Model }

// sloppy is a machine whose corrections are off by a given error each. It counts calls.
type sloppy struct {
	*boltzmann.Machine
	err               float64
	logits, corrected int
}

func (s *sloppy) Logits(u []float64, z []uint8) { s.logits++; s.Machine.Logits(u, z) }

func (s *sloppy) Flipped(u []float64, z []uint8, k int) {
	s.corrected++
	s.Machine.Flipped(u, z, k)
	u[0] += s.err
}

// worst is the largest error of the field's log odds in state z.
func worst(f *sampling.Field, m sampling.Model, z []uint8) float64 {
	d := 0.0
	for k, u := range f.U {
		d = math.Max(d, math.Abs(u-m.Logit(z, k)))
	}
	return d
}

// TestField: after any flips a field holds the log odds of its state, within 1e-12 with
// a shortcut and to the last bit without one.
func TestField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "units")
		terms := []boltzmann.Term{{Units: []int{0}, Coef: 0.3}}
		if n >= 3 {
			terms = append(terms, boltzmann.Term{Units: []int{0, 1, 2}, Coef: -1.7}, boltzmann.Term{Units: []int{0, n - 1}, Coef: 0.9})
		}
		higher, err := boltzmann.NewHigherOrder(n, terms)
		if err != nil {
			t.Fatal(err)
		}
		z := rapid.SliceOfN(rapid.Uint8Range(0, 1), n, n).Draw(t, "start")
		flips := rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 200).Draw(t, "flips")
		for _, c := range []struct {
			m   sampling.Model
			tol float64
		}{{boltzmann.REF(n), 1e-12}, {higher, 1e-12}, {plain{boltzmann.REF(n)}, 0}, {plain{higher}, 0}} {
			f := sampling.NewField(c.m)
			f.Reset(z)
			if d := worst(f, c.m, z); d > c.tol {
				t.Fatalf("%T: after Reset off by %v", c.m, d)
			}
			for i, k := range flips {
				z[k] ^= 1
				f.Flipped(z, k)
				if d := worst(f, c.m, z); d > c.tol {
					t.Fatalf("%T: after %d flips off by %v", c.m, i+1, d)
				}
			}
		}
	})
}

// TestFieldRefresh: every 65536th flip recomputes the log odds instead of correcting
// them, so that errors do not accumulate; Reset starts the count anew.
func TestFieldRefresh(t *testing.T) {
	const n, every = 6, 1 << 16
	m := &sloppy{Machine: boltzmann.REF(n), err: 1e-9}
	f := sampling.NewField(m)
	z := make([]uint8, n)
	r := rand.New(rng.Stream(1, "field"))
	flip := func() {
		k := r.IntN(n)
		z[k] ^= 1
		f.Flipped(z, k)
	}
	f.Reset(z)
	for range 1000 {
		flip()
	}
	f.Reset(z) // these 1000 do not count
	for round := range 3 {
		for i := range every - 1 {
			flip()
			if m.logits != 2+round {
				t.Fatalf("round %d: recomputed after %d flips: must be %d", round, i+1, every)
			}
		}
		if d := worst(f, m, z); math.Abs(d-(every-1)*m.err) > 1e-10 {
			t.Errorf("round %d: off by %v before the refresh: corrections must be used", round, d)
		}
		flip()
		if d := worst(f, m, z); m.logits != 3+round || d > 1e-12 {
			t.Errorf("round %d: off by %v after flip %d, recomputed %d times", round, d, every, m.logits)
		}
	}
	if m.corrected != 1000+3*(every-1) {
		t.Errorf("%d corrections", m.corrected)
	}
	// With an honest model the log odds stay within 1e-12 all the time.
	m.err = 0
	for range 3 * every {
		flip()
		if d := worst(f, m, z); d > 1e-12 {
			t.Fatalf("off by %v", d)
		}
	}
}

func TestCheckState(t *testing.T) {
	for _, c := range []struct {
		z    []uint8
		n    int
		says string // "": valid
	}{
		{nil, 0, ""}, {[]uint8{0}, 1, ""}, {[]uint8{1, 0, 1}, 3, ""},
		{nil, 1, "0 units: must have 1"}, {[]uint8{1, 0}, 3, "2 units: must have 3"}, {[]uint8{1, 0}, 1, "2 units: must have 1"},
		{[]uint8{0, 2}, 2, "unit 1 is 2"}, {[]uint8{255, 0}, 2, "unit 0 is 255"},
	} {
		err := sampling.CheckState(c.z, c.n)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v of %d units: error %v: must say %q", c.z, c.n, err, c.says)
		}
	}
}

// BenchmarkField is one flip of a machine of 100 units, with and without the shortcut.
func BenchmarkField(b *testing.B) {
	const n = 100
	for _, m := range []struct {
		name string
		m    sampling.Model
	}{{"incremental", boltzmann.REF(n)}, {"plain", plain{boltzmann.REF(n)}}} {
		b.Run(m.name, func(b *testing.B) {
			f, z, k := sampling.NewField(m.m), make([]uint8, n), 0
			f.Reset(z)
			b.ReportAllocs()
			for b.Loop() {
				k = (k + 37) % n
				z[k] ^= 1
				f.Flipped(z, k)
			}
		})
	}
}

package estimate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
)

// dt is the step of test streams. It is a power of two, so sums of times are exact and
// recounts can be compared without a tolerance for rounding.
const dt = 1. / 8

// stream is a random flip stream together with its state in every step.
type stream struct {
	t0    float64
	z0    []uint8
	flips []sampling.Flip
	path  [][]uint8 // state during [t0+i·dt, t0+(i+1)·dt)
}

func (s *stream) end() float64 { return s.t0 + float64(len(s.path))*dt }

// drawStream draws a stream of n units; several flips may share a time.
func drawStream(t *rapid.T, n, maxSteps int, label string) *stream {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, label), 1))
	s := &stream{t0: rapid.SampledFrom([]float64{0, -3, 1000.5}).Draw(t, label+" t0")}
	steps := rapid.IntRange(1, maxSteps).Draw(t, label+" steps")
	rate := rapid.Float64Range(0, 3).Draw(t, label+" rate")
	z := make([]uint8, n)
	for k := range z {
		z[k] = uint8(r.IntN(2))
	}
	s.z0 = slices.Clone(z)
	for i := range steps {
		for r.Float64() < rate/(1+rate) {
			k := r.IntN(n)
			z[k] ^= 1
			s.flips = append(s.flips, sampling.Flip{Time: s.t0 + float64(i)*dt, Unit: int32(k), On: z[k]})
		}
		s.path = append(s.path, slices.Clone(z))
	}
	return s
}

// fatal is what testing.TB and rapid.T have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

// feed records s, in chunks that end at every given number of steps.
func (s *stream) feed(t fatal, rec sampling.Recorder, chunk int) {
	t.Helper()
	if err := rec.Begin(s.t0, s.z0); err != nil {
		t.Fatal(err)
	}
	flips := s.flips
	for i := chunk; i < len(s.path); i += chunk {
		now := s.t0 + float64(i)*dt
		n := 0
		for n < len(flips) && flips[n].Time <= now {
			n++
		}
		rec.Record(flips[:n], now)
		flips = flips[n:]
	}
	rec.Record(flips, s.end())
}

// index is the state index of units in z.
func index(z []uint8, units []int) (k int) {
	for i, u := range units {
		k |= int(z[u]) << i
	}
	return k
}

func close(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12*(1+math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b)
}

func allClose(a, b []float64) bool { return slices.EqualFunc(a, b, close) }

// jsonOf is the encoding of x, also a fingerprint of its whole record.
func jsonOf(t fatal, x json.Marshaler) string {
	t.Helper()
	b, err := x.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// must is the value of a constructor that cannot fail.
func must[E any](e E, err error) E {
	if err != nil {
		panic(err)
	}
	return e
}

// TestAssociative: merging in any grouping gives the same record, byte for byte, for all
// recorders, also after a second stretch and with chains of different lengths.
func TestAssociative(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var streams []*stream
		for _, label := range []string{"a", "b", "c"} {
			streams = append(streams, drawStream(rt, 4, 300, label))
		}
		chunk := rapid.IntRange(1, 50).Draw(rt, "chunk")
		long := rapid.IntRange(0, 2).Draw(rt, "chain of two stretches")
		fixed := ValuesOptions{BinWidth: 2 * dt, Joint: true, Condition: true}
		associative(rt, streams, long, chunk, func() *Marginals { return NewMarginals(4) })
		associative(rt, streams, long, chunk, func() *Moments { return NewMoments(4) })
		associative(rt, streams, long, chunk, func() *Joint { return must(NewJoint(2, 0, 3)) })
		associative(rt, streams, long, chunk, func() *Values { return must(NewValues(testVariables(), fixed)) })
		associative(rt, streams, long, chunk, func() *Values {
			return must(NewValues(testVariables(), ValuesOptions{Condition: true}))
		})
		associative(rt, streams, long, chunk, func() *Curve {
			return must(NewCurve([]float64{.1, .2, .3, .4}, []float64{1, 2, 8, 20}, 1, 3))
		})
	})
}

func associative[E interface {
	sampling.Estimator[E]
	json.Marshaler
}](t *rapid.T, streams []*stream, long, chunk int, empty func() E) {
	record := func(i int) E {
		e := empty()
		streams[i].feed(t, e, chunk)
		if i == long {
			streams[1].feed(t, e, chunk)
		}
		return e
	}
	merge := func(a, b E) E {
		if err := a.Merge(b); err != nil {
			t.Fatal(err)
		}
		return a
	}
	left := jsonOf(t, merge(merge(record(0), record(1)), record(2)))
	right := jsonOf(t, merge(record(0), merge(record(1), record(2))))
	if left != right {
		t.Fatalf("%T: (ab)c = %s\na(bc) = %s", empty(), left, right)
	}
}

// TestRefused: bad states, times and merges are errors; Record before Begin panics.
func TestRefused(t *testing.T) {
	joint := func(units ...int) *Joint { return must(NewJoint(units...)) }
	values := func(opt ValuesOptions, vars ...Variable) *Values { return must(NewValues(vars, opt)) }
	curve := func(target, times []float64, units ...int) *Curve { return must(NewCurve(target, times, units...)) }
	a, b := Variable{Name: "a", Units: []int{0}}, Variable{Name: "b", Units: []int{0}}
	half, times := []float64{.5, .5}, []float64{1}
	recorders := map[string]sampling.Recorder{
		"marginals": NewMarginals(2), "moments": NewMoments(2), "joint": joint(1),
		"values": values(ValuesOptions{}, Variable{Name: "a", Units: []int{1}}), "curve": curve(half, times, 1),
	}
	for name, r := range recorders {
		for _, z := range [][]uint8{nil, {}, {1}, {0, 2}} {
			if r.Begin(0, z) == nil {
				t.Errorf("%s begins in state %v", name, z)
			}
		}
		for _, t0 := range []float64{math.NaN(), math.Inf(1)} {
			if r.Begin(t0, []uint8{0, 1}) == nil {
				t.Errorf("%s begins at time %v", name, t0)
			}
		}
		func() {
			defer func() {
				if recover() != notBegun {
					t.Errorf("%s records without a state", name)
				}
			}()
			r.Record(nil, 1)
		}()
		if err := r.Begin(0, []uint8{0, 1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, n := range []int{-1, 0, 1 << 20} {
		if NewMoments(n).Begin(0, make([]uint8, max(n, 0))) == nil {
			t.Errorf("moments of %d units begin", n)
		}
		if NewMoments(n).Cov().SymmetricDim() != 0 || len(NewMoments(n).Mean()) != 0 {
			t.Errorf("moments of %d units exist", n)
		}
	}
	if NewMarginals(-1).Begin(0, nil) == nil {
		t.Error("marginals of -1 units begin")
	}

	m, mo, j, v, c := NewMarginals(2), NewMoments(2), joint(0, 1), values(ValuesOptions{}, a), curve(half, times, 0)
	for name, err := range map[string]error{
		"marginals nil": m.Merge(nil), "marginals self": m.Merge(m), "marginals size": m.Merge(NewMarginals(3)),
		"moments nil": mo.Merge(nil), "moments self": mo.Merge(mo), "moments size": mo.Merge(NewMoments(3)),
		"joint nil": j.Merge(nil), "joint self": j.Merge(j), "joint order": j.Merge(joint(1, 0)), "joint size": j.Merge(joint(1)),
		"values nil": v.Merge(nil), "values self": v.Merge(v), "values name": v.Merge(values(ValuesOptions{}, b)),
		"values number": v.Merge(values(ValuesOptions{}, a, b)), "values bins": v.Merge(values(ValuesOptions{BinWidth: 3}, a)),
		"values joint": v.Merge(values(ValuesOptions{Joint: true}, a)),
		"curve nil":    c.Merge(nil), "curve self": c.Merge(c), "curve unit": c.Merge(curve(half, times, 1)),
		"curve target": c.Merge(curve([]float64{.4, .6}, times, 0)), "curve times": c.Merge(curve(half, []float64{2}, 0)),
	} {
		if err == nil {
			t.Errorf("merge of %s is accepted", name)
		}
	}
}

func flip(t float64, unit int32, on uint8) sampling.Flip {
	return sampling.Flip{Time: t, Unit: unit, On: on}
}

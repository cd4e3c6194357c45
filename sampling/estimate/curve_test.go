package estimate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func newSource(seed uint64) rand.Source { return rng.Stream(seed, "test") }

// TestCurveFalls: on target D falls as the floor, Σ Var/2p; chains of any length merge.
func TestCurveFalls(t *testing.T) {
	p := telegraph{[]float64{1, .5}, []float64{1, 1}}
	times := []float64{50, 200, 1000}
	const chains = 300
	var all *Curve
	for c := range chains {
		span := 1000.0
		if c == 0 {
			span = 60 // a cancelled chain
		}
		one := must(NewCurve(p.law(), times, 0, 1))
		p.run(t, newSource(uint64(100+c)), span, one)
		if all == nil {
			all = one
		} else if err := all.Merge(one); err != nil {
			t.Fatal(err)
		}
	}
	points := must(all.Points())
	per := all.PerChain()
	if len(per) != chains || len(per[0]) != 1 || len(per[1]) != 3 {
		t.Fatalf("%d chains, the first of %d and %d values", len(per), len(per[0]), len(per[1]))
	}
	if points[0].Chains != chains || points[2].Chains != chains-1 {
		t.Errorf("points %+v", points)
	}
	// Floor of independent units to first order in 1/t: the autocovariance of the state
	// indicators, Σ_s Var(p_s)/2p_s = Σ over nonempty sets A of units of 1/(t·Σ_A λ).
	for i, at := range times[1:] {
		want := 1 / at * (1./2 + 1/1.5 + 1/3.5)
		// The next order is relative 1/(λt) and of D itself: 3 % at 200.
		if pt := points[i+1]; math.Abs(pt.Mean-want) > 4.5*pt.SE+.03*want {
			t.Errorf("D(%v) = %v ± %v, want %v", at, pt.Mean, pt.SE, want)
		}
	}
	var x []float64
	for _, c := range per[1:] {
		x = append(x, c[2])
	}
	mean, sd := stat.MeanStdDev(x, nil)
	if !close(points[2].Mean, mean) || !close(points[2].SE, sd/math.Sqrt(chains-1)) {
		t.Errorf("point %+v: want mean %v, sd %v", points[2], mean, sd)
	}
}

func TestLogTimes(t *testing.T) {
	got := must(LogTimes(1, 1000, 2))
	if len(got) != 7 || got[0] != 1 || got[6] != 1000 || !close(got[2], 10) || !close(got[1], math.Sqrt(10)) {
		t.Errorf("times %v", got)
	}
	if got := must(LogTimes(10, 20, 1)); !slices.Equal(got, []float64{10, 20}) {
		t.Errorf("times %v", got)
	}
	nan, inf := math.NaN(), math.Inf(1)
	for _, bad := range [][3]float64{{0, 1, 1}, {-1, 1, 1}, {2, 2, 1}, {nan, 1, 1}, {1, inf, 1}, {1, nan, 1}, {1, 2, 0}, {1, 2, 1e4}} {
		if _, err := LogTimes(bad[0], bad[1], int(bad[2])); err == nil {
			t.Errorf("LogTimes%v is accepted", bad)
		}
	}
}

func TestBadCurve(t *testing.T) {
	half := []float64{.5, .5}
	nan := math.NaN()
	for _, times := range [][]float64{nil, {0}, {-1}, {1, 1}, {2, 1}, {nan}, {math.Inf(1)}} {
		if _, err := NewCurve(half, times, 0); err == nil {
			t.Errorf("times %v are accepted", times)
		}
	}
	for _, target := range [][]float64{nil, {1}, {.5, .6}, {nan, .5}} {
		if _, err := NewCurve(target, []float64{1}, 0); err == nil {
			t.Errorf("target %v is accepted", target)
		}
	}
	for _, units := range [][]int{nil, {-1}, {0, 0}} {
		if _, err := NewCurve(half, []float64{1}, units...); err == nil {
			t.Errorf("units %v are accepted", units)
		}
	}
}

// telegraphSampler is a telegraph unit as a Sampler, to see recorders in a real run.
type telegraphSampler struct {
	r    *rand.Rand
	z    []uint8
	t    float64
	next float64
}

func (s *telegraphSampler) Dim() int       { return 1 }
func (s *telegraphSampler) State() []uint8 { return s.z }
func (s *telegraphSampler) Time() float64  { return s.t }
func (s *telegraphSampler) Reset(_ []uint8, src rand.Source) error {
	*s = telegraphSampler{r: rand.New(src), z: []uint8{0}}
	s.next = s.r.ExpFloat64()
	return nil
}

func (s *telegraphSampler) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	buf = buf[:0]
	for s.next < t && len(buf) < cap(buf) {
		s.t, s.z[0] = s.next, 1-s.z[0]
		buf = append(buf, sampling.Flip{Time: s.t, Unit: 0, On: s.z[0]})
		s.next += s.r.ExpFloat64()
	}
	if s.next >= t {
		s.t = t
	}
	return buf, nil
}

// TestCurveInRun: the last time of a curve is the end of a run, whatever the warm-up and the
// rounding of the chunks.
func TestCurveInRun(t *testing.T) {
	short := .1 // the last chunk of a run of this length ends a rounding error before it
	for short*1000/1000 >= short {
		short += .1
	}
	for _, duration := range []float64{10, 1. / 3, 77.7, short} {
		for _, warmup := range []float64{0, .1, 12345.678} {
			sch := sampling.Schedule{Warmup: warmup, Duration: duration}
			c, err := sampling.Chains(context.Background(),
				func(int) (sampling.Sampler, error) { return &telegraphSampler{}, nil },
				func(int) (*Curve, error) {
					return NewCurve([]float64{.5, .5}, []float64{duration / 2, duration}, 0)
				}, sampling.ChainOptions{Schedule: sch, Seed: 1, Chains: 3})
			if err != nil {
				t.Fatal(err)
			}
			if points := must(c.Points()); points[1].Chains != 3 {
				t.Errorf("warm-up %v, duration %v: %d of 3 chains at the end", warmup, duration, points[1].Chains)
			}
		}
	}
}

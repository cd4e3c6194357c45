package estimate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
)

// busyRecorders is one of every recorder over 64 units.
func busyRecorders() map[string]sampling.Recorder {
	ten := ramp(10)
	var hot, binary []Variable
	for i := range 8 {
		hot = append(hot, OneHot(fmt.Sprint("x", i), 4*i, 4*i+1, 4*i+2, 4*i+3))
		binary = append(binary, Variable{Name: fmt.Sprint("z", i), Units: []int{i}})
	}
	target := make([]float64, 1024)
	for k := range target {
		target[k] = 1. / 1024
	}
	return map[string]sampling.Recorder{
		"Marginals":     NewMarginals(64),
		"Moments":       NewMoments(64),
		"Joint10":       must(NewJoint(ten...)),
		"Joint20":       must(NewJoint(ramp(20)...)),
		"Values8Binary": must(NewValues(binary, ValuesOptions{BinWidth: 10})),
		"Values8Joint":  must(NewValues(binary, ValuesOptions{BinWidth: 10, Joint: true})),
		"Values8OneHot": must(NewValues(hot, ValuesOptions{BinWidth: 10, Condition: true})),
		"Modes":         must(NewModes(must(Groups([][]int{ramp(32), ramp(64)[32:]}, 5, 4)), ModesOptions{Step: 1e9})),
		"ModesPatterns": must(NewModes(must(Patterns([][]uint8{make([]uint8, 64), bytes.Repeat([]byte{1}, 64)}, 6)), ModesOptions{Step: 1e9})),
		"Curve10":       must(NewCurve(target, must(LogTimes(10, 1e6, 5)), ten...)),
	}
}

// flipSource makes random flips of 64 units, about one in ten of which is on, 10 flips per
// unit of time.
type flipSource struct {
	r     *rand.Rand
	z     []uint8
	t     float64
	flips []sampling.Flip
}

func newFlipSource() *flipSource {
	return &flipSource{r: rand.New(rand.NewPCG(1, 2)), z: make([]uint8, 64), flips: make([]sampling.Flip, 4096)}
}

func (s *flipSource) next() ([]sampling.Flip, float64) {
	for i := range s.flips {
		k := s.r.IntN(64)
		for s.z[k] == 0 && s.r.IntN(9) > 0 {
			k = s.r.IntN(64)
		}
		s.z[k] ^= 1
		s.t += .2 * s.r.Float64()
		s.flips[i] = flip(s.t, int32(k), s.z[k])
	}
	return s.flips, s.t
}

// TestNoAllocations: recording does not allocate once blocks and bins have been filled for
// the first time.
func TestNoAllocations(t *testing.T) {
	for name, r := range busyRecorders() {
		s := newFlipSource()
		if err := r.Begin(0, s.z); err != nil {
			t.Fatal(err)
		}
		warm := 150 // 4096 bins of 10 take 100
		if name == "Joint20" {
			warm = 3
		}
		for range warm {
			r.Record(s.next())
		}
		if n := testing.AllocsPerRun(20, func() { r.Record(s.next()) }); n != 0 {
			t.Errorf("%s: %v allocations per Record", name, n)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for name, r := range busyRecorders() {
		b.Run(name, func(b *testing.B) {
			s := newFlipSource()
			if err := r.Begin(0, s.z); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; i < b.N; i += 4096 {
				b.StopTimer()
				flips, t := s.next()
				b.StartTimer()
				r.Record(flips, t)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(b.N, 4096)), "ns/flip")
		})
	}
}

func BenchmarkRhat(b *testing.B) {
	series := fixedSeries(.9, 1000)
	for b.Loop() {
		if _, err := Rhat(series); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkESSBulk(b *testing.B) {
	series := fixedSeries(.9, 1000)
	for b.Loop() {
		if _, err := ESSBulk(series); err != nil {
			b.Fatal(err)
		}
	}
}

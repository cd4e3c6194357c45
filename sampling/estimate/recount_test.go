package estimate

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestRecountUnits: marginals, moments and joint table equal a count of every step, for
// streams in any chunks and in two stretches.
func TestRecountUnits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "n")
		s := []*stream{drawStream(rt, n, 200, "a"), drawStream(rt, n, 200, "b")}
		chunk := rapid.IntRange(1, 60).Draw(rt, "chunk")
		units := rapid.Permutation(ramp(n)).Draw(rt, "units")[:rapid.IntRange(1, n).Draw(rt, "listed")]

		m, mo := NewMarginals(n), NewMoments(n)
		j, err := NewJoint(units...)
		if err != nil {
			rt.Fatal(err)
		}
		var path [][]uint8
		flips := 0
		for _, s := range s {
			s.feed(rt, m, chunk)
			s.feed(rt, mo, chunk)
			s.feed(rt, j, chunk)
			path = append(path, s.path...)
			flips += len(s.flips)
		}
		total := float64(len(path))
		mean := make([]float64, n)
		second := make([][]float64, n)
		p := make([]float64, 1<<len(units))
		for i := range second {
			second[i] = make([]float64, n)
		}
		for _, z := range path {
			for i := range n {
				mean[i] += float64(z[i]) / total
				for k := range n {
					second[i][k] += float64(z[i]*z[k]) / total
				}
			}
			p[index(z, units)] += 1 / total
		}
		if !allClose(m.Mean(), mean) || !allClose(mo.Mean(), mean) {
			rt.Fatalf("marginals %v, moments %v: want %v", m.Mean(), mo.Mean(), mean)
		}
		if m.Time() != total*dt || mo.Time() != total*dt || !close(j.Time(), total*dt) {
			rt.Fatalf("times %v, %v, %v: want %v", m.Time(), mo.Time(), j.Time(), total*dt)
		}
		if m.Flips() != int64(flips) || mo.Flips() != int64(flips) {
			rt.Fatalf("flips %d, %d: want %d", m.Flips(), mo.Flips(), flips)
		}
		for i := range n {
			for k := range n {
				if !close(mo.Second().At(i, k), second[i][k]) {
					rt.Fatalf("second moment %d, %d: %v, want %v", i, k, mo.Second().At(i, k), second[i][k])
				}
				if cov := second[i][k] - mean[i]*mean[k]; math.Abs(mo.Cov().At(i, k)-cov) > 1e-12 {
					rt.Fatalf("covariance %d, %d: %v, want %v", i, k, mo.Cov().At(i, k), cov)
				}
			}
		}
		if !allClose(j.P(), p) {
			rt.Fatalf("joint %v: want %v", j.P(), p)
		}

		// The blocks at the width they ended with.
		_, width := j.Blocks()
		if perBlock := int(width / dt); perBlock > 0 {
			blocks := make([][]float64, (len(path)+perBlock-1)/perBlock)
			for i, z := range path {
				b := i / perBlock
				if blocks[b] == nil {
					blocks[b] = make([]float64, len(p))
				}
				blocks[b][index(z, units)] += dt
			}
			got := j.filled()
			if len(got) != len(blocks) || len(got) > maxBlocks {
				rt.Fatalf("%d blocks of width %v: want %d", len(got), width, len(blocks))
			}
			for b := range got {
				if !allClose(got[b], blocks[b]) {
					rt.Fatalf("block %d of width %v: %v, want %v", b, width, got[b], blocks[b])
				}
			}
		}
	})
}

// TestMergePools: two chains merged give the estimates of one that has recorded both.
func TestMergePools(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawStream(rt, 4, 200, "a"), drawStream(rt, 4, 200, "b")
		chunk := rapid.IntRange(1, 60).Draw(rt, "chunk")
		type set struct {
			m  *Marginals
			mo *Moments
			j  *Joint
			v  *Values
		}
		record := func(streams ...*stream) set {
			s := set{NewMarginals(4), NewMoments(4), must(NewJoint(0, 3)),
				must(NewValues(testVariables(), ValuesOptions{BinWidth: dt, Joint: true, Condition: true}))}
			for _, stream := range streams {
				stream.feed(rt, s.m, chunk)
				stream.feed(rt, s.mo, chunk)
				stream.feed(rt, s.j, chunk)
				stream.feed(rt, s.v, chunk)
			}
			return s
		}
		one, two, pooled := record(a), record(b), record(a, b)
		if err := errors.Join(one.m.Merge(two.m), one.mo.Merge(two.mo), one.j.Merge(two.j), one.v.Merge(two.v)); err != nil {
			rt.Fatal(err)
		}
		if one.m.Flips() != pooled.m.Flips() || one.mo.Flips() != pooled.mo.Flips() {
			rt.Fatalf("flips %d, %d: want %d", one.m.Flips(), one.mo.Flips(), pooled.m.Flips())
		}
		times := func(s set) []float64 { return []float64{s.m.Time(), s.mo.Time(), s.j.Time(), s.v.Time()} }
		law := func(s set) []float64 {
			p, err := s.v.P()
			if err != nil {
				return nil
			}
			return append(pool(p), must(s.v.Joint()).P()...)
		}
		if !allClose(times(one), times(pooled)) || !allClose(one.m.Mean(), pooled.m.Mean()) ||
			!allClose(one.mo.Cov().RawSymmetric().Data, pooled.mo.Cov().RawSymmetric().Data) ||
			!allClose(one.j.P(), pooled.j.P()) || !allClose(law(one), law(pooled)) ||
			!close(one.v.DefinedFraction(), pooled.v.DefinedFraction()) {
			rt.Fatalf("merged %+v, pooled %+v", one, pooled)
		}
	})
}

func ramp(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// testVariables are a one-hot variable, a sum and a unit, of 4 units in all.
func testVariables() []Variable {
	return []Variable{
		OneHot("hot", 0, 1, 2),
		{Name: "sum", Card: 4, Units: []int{3, 0, 1}, Value: func(z []uint8) int { return int(z[0] + z[1] + z[3]) }},
		{Name: "unit", Units: []int{3}},
	}
}

// testValues is the values of testVariables, written without them.
func testValues(z []uint8) (x [3]int, defined bool) {
	hot := map[int]int{1: 0, 2: 1, 4: 2}
	v, ok := hot[index(z, []int{0, 1, 2})]
	return [3]int{v, int(z[0]) + int(z[1]) + int(z[3]), int(z[3])}, ok
}

// TestRecountValues: laws, joint, defined time and bins of variables equal a count of every
// step.
func TestRecountValues(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := []*stream{drawStream(rt, 5, 300, "a"), drawStream(rt, 5, 300, "b")}
		chunk := rapid.IntRange(1, 60).Draw(rt, "chunk")
		perBin := rapid.IntRange(1, 7).Draw(rt, "steps per bin")
		v, err := NewValues(testVariables(), ValuesOptions{BinWidth: float64(perBin) * dt, Joint: true, Condition: true})
		if err != nil {
			rt.Fatal(err)
		}
		var defined [][3]int
		steps := 0
		for _, s := range s {
			s.feed(rt, v, chunk)
			for _, z := range s.path {
				if x, ok := testValues(z); ok {
					defined = append(defined, x)
				}
			}
			steps += len(s.path)
		}
		if v.Time() != float64(steps)*dt || !close(v.DefinedFraction(), float64(len(defined))/float64(steps)) {
			rt.Fatalf("time %v, defined %v: want %v, %v", v.Time(), v.DefinedFraction(),
				float64(steps)*dt, float64(len(defined))/float64(steps))
		}
		p, err := v.P()
		if len(defined) == 0 {
			if err != ErrNoTime {
				rt.Fatalf("law of nothing: %v, %v", p, err)
			}
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		table, err := v.Joint()
		if err != nil {
			rt.Fatal(err)
		}
		joint := make([]float64, 3*4*2)
		for _, x := range defined {
			joint[x[0]+3*x[1]+12*x[2]] += 1 / float64(len(defined))
		}
		if !allClose(table.P(), joint) {
			rt.Fatalf("joint %v: want %v", table.P(), joint)
		}
		for i, card := range []int{3, 4, 2} {
			for value := range card {
				want := 0.0
				bins := make([]float64, len(defined)/perBin)
				for s, x := range defined {
					if x[i] != value {
						continue
					}
					want += 1 / float64(len(defined))
					if b := s / perBin; b < len(bins) {
						bins[b] += 1 / float64(perBin)
					}
				}
				if !close(p[i][value], want) {
					rt.Fatalf("P(variable %d = %d) = %v: want %v", i, value, p[i][value], want)
				}
				got, width, err := v.Series(i, value)
				if err != nil || width != float64(perBin)*dt || len(got) != 1 || !allClose(got[0], bins) {
					rt.Fatalf("bins of variable %d = %d: %v of %v, %v; want %v", i, value, got, width, err, bins)
				}
			}
		}
	})
}

// TestRecountCurve: the divergence at every time equals that of the steps up to it, over two
// stretches.
func TestRecountCurve(t *testing.T) {
	target := []float64{.1, .2, .3, .4}
	times := []float64{dt, .3, 2, 10, 30}
	rapid.Check(t, func(rt *rapid.T) {
		chunk := rapid.IntRange(1, 60).Draw(rt, "chunk")
		c := must(NewCurve(target, times, 2, 0))
		var path [][]uint8
		for _, label := range []string{"a", "b"} {
			s := drawStream(rt, 3, 150, label)
			s.feed(rt, c, chunk)
			path = append(path, s.path...)
		}
		end := float64(len(path)) * dt
		got := c.PerChain()[0]
		for i, at := range times {
			if at > end {
				if len(got) != i {
					rt.Fatalf("%d times recorded after %v", len(got), end)
				}
				break
			}
			if i >= len(got) {
				rt.Fatalf("time %v is not recorded after %v", at, end)
			}
			p := make([]float64, 4)
			for step, z := range path {
				p[index(z, []int{2, 0})] += max(0, min(at, float64(step+1)*dt)-float64(step)*dt) / at
			}
			if want := relativeEntropy(p, target); math.Abs(got[i]-want) > 1e-9 {
				rt.Fatalf("D at %v = %v: want %v", at, got[i], want)
			}
		}
	})
}

// TestCurveVariables: undefined time passes but is not in the sample.
func TestCurveVariables(t *testing.T) {
	s := &stream{z0: []uint8{0, 0}, path: make([][]uint8, 64)} // 8 time units
	s.flips = append(s.flips, flip(2, 0, 1), flip(4, 1, 1), flip(5, 0, 0), flip(7, 1, 0))
	c, err := NewVariablesCurve([]float64{.5, .5}, []float64{1, 3, 6, 8, 9}, []Variable{OneHot("x", 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.feed(t, c, 64)
	// Defined in [2,4) with value 0 and in [5,7) with value 1.
	third := 2./3*math.Log(4./3) + 1./3*math.Log(2./3)
	want := []float64{math.NaN(), math.Ln2, third, 0}
	for i, d := range c.PerChain()[0] {
		if math.Abs(d-want[i]) > 1e-9 || math.IsNaN(d) != math.IsNaN(want[i]) {
			t.Errorf("D[%d] = %v, want %v", i, d, want[i])
		}
	}
	points, err := c.Points()
	if err != nil || points[0].Chains != 0 || points[3].Chains != 1 || points[4].Chains != 0 || !math.IsNaN(points[4].Mean) {
		t.Errorf("points %+v, %v", points, err)
	}
}

package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDecay: φ and the exponential over their range, against double precision.
func TestDecay(t *testing.T) {
	for _, near := range []bool{false, true} {
		most := MaxExponent
		if near {
			most = NearExponent
		}
		worstP, worstE := 0.0, 0.0
		for i := range 1000*most + 1 {
			x := float32(i) / 1000
			p, e := decay(x, near)
			wantP := 1.0
			if x > 0 {
				wantP = -math.Expm1(-float64(x)) / float64(x)
			}
			worstP = math.Max(worstP, math.Abs(float64(p)/wantP-1))
			worstE = math.Max(worstE, math.Abs(float64(e)-math.Exp(-float64(x))))
		}
		t.Logf("up to %d: φ within %.1e relative, exponential within %.1e absolute", most, worstP, worstE)
		if worstP > 6e-7 || worstE > 6e-7 {
			t.Errorf("up to %d: φ off by %.1e, exponential by %.1e: must be ≤ 6e-7", most, worstP, worstE)
		}
	}
}

func poisson(mean float64, outcomes int) []float64 {
	p := make([]float64, outcomes)
	for k := range p {
		l, _ := math.Lgamma(float64(k + 1))
		p[k] = math.Exp(-mean + float64(k)*math.Log(mean) - l)
	}
	return p
}

// TestConductanceBits: all paths give the same bits after 20 000 steps.
func TestConductanceBits(t *testing.T) {
	for _, n := range []int{1, 7, 16, 112, 300, 1294} {
		for v := range 4 {
			most := []float64{1, 4}[v%2]
			outcomes := []int{16, 32}[v/2]
			mean := []float64{0.04, 0.5, 0.3, 4}[v]
			type result struct {
				v, ge, gi []float32
				s         []uint64
				ref, ring []byte
				count     int64
			}
			do := func(p Path) result {
				groups := (n + Group - 1) / Group
				m := groups * Group
				r := result{v: make([]float32, m), ge: make([]float32, m), gi: make([]float32, m), s: make([]uint64, m),
					ref: make([]byte, 2*groups), ring: make([]byte, 2*groups*ringLen)}
				c, l := make([]float32, m), make([]float32, m)
				src := rand.New(rand.NewPCG(1, 2))
				for k := range m {
					r.v[k], c[k], r.s[k] = -float32(src.Float64()), 0.01*float32(src.NormFloat64()), src.Uint64()
					r.ge[k], r.gi[k], l[k] = 0.02, 0.02, 0.1
					if k >= n {
						r.ref[k/8] |= 1 << (k % 8)
						r.v[k] = -0.1 // refractory units are at Reset
					}
				}
				b := &Conductance{V: &r.v[0], GE: &r.ge[0], GI: &r.gi[0], C: &c[0], L: &l[0], S: &r.s[0], Ref: &r.ref[0], Ring: &r.ring[0],
					Groups: int64(groups), RingLen: ringLen, PE: All(0.99), PI: All(0.985), Reset: All(-0.1),
					RevE: All(25), RevI: All(-24), WE: All(0.0005), WI: All(0.0005)}
				b.SetMath(most)
				b.SetNoise(poisson(mean, outcomes), poisson(mean, outcomes))
				b.WE, b.WI = All(float32(0.0002/mean)), All(float32(0.0002/mean))
				for steps := int64(20000); steps > 0; steps -= b.Limit {
					b.Limit = steps
					p.Conductance(b)
					if b.Any != 0 {
						r.count++
					}
				}
				return r
			}
			want := do(Portable)
			if want.count < 100 {
				t.Errorf("N=%d: %d steps with spikes", n, want.count)
			}
			for _, p := range Paths()[1:] {
				got := do(p)
				for k := range want.v {
					if math.Float32bits(got.v[k]) != math.Float32bits(want.v[k]) || math.Float32bits(got.ge[k]) != math.Float32bits(want.ge[k]) ||
						math.Float32bits(got.gi[k]) != math.Float32bits(want.gi[k]) || got.s[k] != want.s[k] {
						t.Fatalf("N=%d, mean %v, %v: unit %d has v %v, ge %v, gi %v; portable %v, %v, %v",
							n, mean, p, k, got.v[k], got.ge[k], got.gi[k], want.v[k], want.ge[k], want.gi[k])
					}
				}
				if got.count != want.count || string(got.ref) != string(want.ref) || string(got.ring) != string(want.ring) {
					t.Fatalf("N=%d, %v: other spikes", n, p)
				}
			}
		}
	}
}

func BenchmarkConductance(b *testing.B) {
	const n = 112
	for _, p := range Paths() {
		b.Run(p.String(), func(b *testing.B) {
			v, ge, gi, c, l := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
			s, ref, ring := make([]uint64, n), make([]byte, n/8), make([]byte, n/8*ringLen)
			src := rand.New(rand.NewPCG(1, 2))
			for k := range n {
				s[k], c[k], l[k] = src.Uint64(), -0.1, 0.1 // far below threshold: the bare step
			}
			x := &Conductance{V: &v[0], GE: &ge[0], GI: &gi[0], C: &c[0], L: &l[0], S: &s[0], Ref: &ref[0], Ring: &ring[0], Groups: n / 16, RingLen: ringLen,
				PE: All(0.99), PI: All(0.99), Reset: All(-0.1)}
			x.SetMath(1)
			x.SetNoise(poisson(0.3, 16), poisson(0.3, 16))
			b.ReportAllocs()
			for left := int64(b.N); left > 0; left -= x.Limit {
				x.Limit = left
				p.Conductance(x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron-step")
		})
	}
}

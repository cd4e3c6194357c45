package gibbskernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// TestLogOdds: log odds of words are right to 1e-6 relative and 4e-7 in absolute terms near
// ½, so that the probability p(1−p)·δ they miss by is below 1e-7. Words at all changes of
// exponent, and a million others of all sizes.
func TestLogOdds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	worst, relative := 0.0, 0.0
	check := func(m uint32) {
		u := (float64(m) + 0.5) / (1 << 32)
		want := math.Log((1 - u) / u)
		got := float64(logOdds(m)) * math.Ln2 / (1 << 23)
		if got < 0 {
			t.Errorf("word %d: log odds %v", m, got)
		}
		worst = max(worst, math.Abs(got-want)*u*(1-u))
		relative = max(relative, math.Abs(got-want)/max(1, want))
	}
	for k := range 31 {
		for d := range uint32(200) {
			check(1<<k + d)
			check(1<<(k+1) - 1 - d%(1<<k))
			check(uint32(math.Sqrt2*float64(uint32(1)<<k)) + d)
		}
	}
	for range 1000000 {
		check(r.Uint32() >> 1 >> r.IntN(31))
	}
	if !(worst < 1e-7 && relative < 1e-6) {
		t.Errorf("probabilities wrong by %.2g, log odds by %.2g", worst, relative)
	}
	t.Logf("probabilities wrong by at most %.2g, log odds by %.2g", worst, relative)
}

// onWords is the number of the 2³² words that put a unit of field x on. With the sign of the
// word given, thresholds are monotone in the rest.
func onWords(x int32, threshold func(w uint32) int32) float64 {
	const half = 1 << 31
	// Positive log odds fall as the word rises.
	plus := half - first(half, func(m uint32) bool { return x > threshold(m) })
	minus := first(half, func(m uint32) bool { return x <= threshold(m|half) })
	return float64(plus) + float64(minus)
}

// first is the smallest m < n for which f, which does not fall, is true, or n.
func first(n uint32, f func(m uint32) bool) uint32 {
	from := uint32(0)
	for from < n {
		if mid := from + (n-from)/2; f(mid) {
			n = mid
		} else {
			from = mid + 1
		}
	}
	return n
}

// TestProbability: over all 2³² words, a unit is on with probability σ(βgx) to 1e-7, and
// to 2⁻³² plus a relative 3e-6 far out; fields of both signs are treated alike, exactly
// without offset. It is 0 or 1 beyond |log odds| 22.9, without NaN or overflow whatever x.
func TestProbability(t *testing.T) {
	worst := 0.0
	for _, g := range []float64{1.0 / (1 << 20), 1.0 / 4096, 0.25, 1e-100, 1e100} {
		for _, beta := range []float64{0, 0.05, 1, 3, 1e30} {
			inv := Inverse(beta, g)
			for _, u := range []float64{0, 1e-6, .01, .3, .7, 1, 1.5, 2, 3, 5, 8, 12, 16, 20, 22, 25, 100, 1e10, math.Inf(1)} {
				x := int32(min(MaxField-1, math.Round(u/max(beta, 1e-9)/g)))
				u = beta * g * float64(x)
				p := 1 / (1 + math.Exp(-u))
				q := 1 / (1 + math.Exp(u)) // 1 − p
				on := onWords(x, func(w uint32) int32 { return Threshold(w, inv) })
				off := onWords(-x, func(w uint32) int32 { return Threshold(w, inv) })
				if on+off != 1<<32 {
					t.Errorf("g %v, β %v, field %d: on in %v, its opposite in %v words", g, beta, x, on, off)
				}
				d := math.Abs(on/(1<<32) - p)
				worst = max(worst, d)
				tail := math.Abs(off/(1<<32)-q) - 1.0/(1<<32)
				if d > 1e-7 || tail > 3e-6*q {
					t.Errorf("g %v, β %v, log odds %v: p = %.9f, want %.9f; 1−p = %.3g, want %.3g", g, beta, u, on/(1<<32), p, off/(1<<32), q)
				}
				// With an offset, also one that takes the log odds back, to 1e-6.
				for _, o := range []float64{0, -min(u, 30), 2, -1e300} {
					offset := Offset(o)
					on := onWords(x, func(w uint32) int32 { return OffsetThreshold(w, offset, inv) })
					if p := 1 / (1 + math.Exp(-u-o)); !(math.Abs(on/(1<<32)-p) < 1e-6) {
						t.Errorf("g %v, β %v, log odds %v, offset %v: p = %.9f, want %.9f", g, beta, u, o, on/(1<<32), p)
					}
				}
			}
		}
	}
	t.Logf("probabilities wrong by at most %.2g", worst)
}

// TestDrawFrequencies: frequencies of 2e5 draws of 32 units, and of all pairs of them being
// equal, |z| < 5 over 32 + 496 numbers (false alarm 3e-4 per path, all of the same draws).
func TestDrawFrequencies(t *testing.T) {
	const n, draws, g, beta = 32, 200000, 1.0 / 4096, 0.9
	for _, p := range kernel.Paths() {
		x := make([]int32, n)
		for k := range x {
			x[k] = int32((k - 16) * 1000)
		}
		s := streams(11)
		var z uint64
		d := Draw{X: &x[0], Z: &z, S: &s, Groups: 2, Inv: Inverse(beta, g)}
		var on [n]float64
		var equal [n][n]float64
		for range draws {
			d.Run(p)
			for k := range n {
				on[k] += float64(z >> k & 1)
				for j := range k {
					equal[k][j] += float64(^(z>>k ^ z>>j) & 1)
				}
			}
		}
		prob := func(k int) float64 { return 1 / (1 + math.Exp(-beta*g*float64(x[k]))) }
		check := func(what any, count, q float64) {
			if z := (count - draws*q) / math.Sqrt(draws*q*(1-q)); math.Abs(z) > 5 {
				t.Errorf("%v, %v: %v of %d, want %v, z = %.1f", p, what, count, draws, draws*q, z)
			}
		}
		for k := range n {
			check(k, on[k], prob(k))
			for j := range k {
				check([2]int{k, j}, equal[k][j], prob(k)*prob(j)+(1-prob(k))*(1-prob(j)))
			}
		}
	}
}

// TestStreams: a state of zeros, which would stay, does not occur.
func TestStreams(t *testing.T) {
	var s Streams
	s.Seed(func() uint64 { return 0 })
	for i := range 8 {
		if s[i] == 0 && s[i+8] == 0 {
			t.Errorf("generator %d has state 0", i)
		}
	}
}

// TestSoftplus: the sum is right to 1e-7 per unit, also far out.
func TestSoftplus(t *testing.T) {
	const g = 1.0 / 4096
	r := rand.New(rand.NewPCG(3, 1))
	for _, beta := range []float64{0, .01, 1, 5, 1000} {
		for range 20 {
			x := make([]int32, 16*(1+r.IntN(MaxSoftplusGroups)))
			want := 0.0
			for k := range x {
				x[k] = int32(r.NormFloat64() * float64(int32(16)<<r.IntN(20)))
				if k == 0 {
					x[k] = []int32{MaxField - 1, 1 - MaxField}[r.IntN(2)]
				}
				y := beta * g * float64(x[k])
				want += max(y, 0) + math.Log1p(math.Exp(-math.Abs(y)))
			}
			s := Softplus{X: &x[0], Groups: int64(len(x) / Group), Scale: Scale(beta, g)}
			s.Run(kernel.Portable)
			if got := s.Log(beta, g); !(math.Abs(got-want) < 1e-7*float64(len(x))) {
				t.Errorf("β %v, %d units: %.9f, want %.9f", beta, len(x), got, want)
			}
		}
	}
}

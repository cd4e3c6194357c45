package dynamics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

const (
	words   = 1 << 32
	maxMean = 64 // largest mean count per step
)

func countTable(t interface {
	Helper()
	Fatalf(string, ...any)
}, rate, dt float64) dynamics.CountTable {
	t.Helper()
	table, err := dynamics.NewCountTable(rate, dt)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return table
}

// law is the probability that a table gives to each count: the share of words.
func law(table dynamics.CountTable) []float64 {
	p := make([]float64, len(table)+1)
	last := uint32(0)
	for n, entry := range table {
		p[n] = float64(entry-last) / words
		last = entry
	}
	p[len(table)] = float64(words-uint64(last)) / words
	return p
}

// poisson is the probability of n events, by logarithms: the table builds it by products.
func poisson(n int, mean float64) float64 {
	lg, _ := math.Lgamma(float64(n) + 1)
	return math.Exp(float64(n)*math.Log(mean) - mean - lg)
}

// rates are those of the named parameter sets and more, up to the largest [Hz].
var rates = []float64{1, 7, 400, 1000, 2000, 3000, 5000, 1e4, 2e4, 1e5, 3.3e5, maxMean / 0.1 * 1000}

// TestCountLaw: every probability within 2⁻³¹ of Poisson's (an entry is rounded to 2⁻³³ at
// both of its ends, and the last count takes the rest), mean and variance with it.
func TestCountLaw(t *testing.T) {
	const dt = 0.1
	for _, rate := range rates {
		table := countTable(t, rate, dt)
		want := rate * dt / 1000
		p := law(table)
		total, mean, square := 0.0, 0.0, 0.0
		for n, q := range p {
			if d := math.Abs(q - poisson(n, want)); d > 1.0/(1<<31) {
				t.Errorf("%v Hz: p(%d) = %.12f, off by %.2g", rate, n, q, d)
			}
			total += q
			mean += float64(n) * q
			square += float64(n*n) * q
		}
		if total != 1 {
			t.Errorf("%v Hz: probabilities add up to %v", rate, total)
		}
		if rest := poisson(len(p), want); rest > 1.0/(1<<33) {
			t.Errorf("%v Hz: count %d with probability %.2g is never drawn", rate, len(p), rest)
		}
		// 1e-7 relative; below 40 Hz the grid of 2⁻³² itself is coarser (4e-6 at 1 Hz).
		tol := math.Max(1e-7*want, float64(len(p))/(1<<33))
		if math.Abs(mean-want) > tol {
			t.Errorf("%v Hz: mean %.12g: must be %.12g ± %.2g", rate, mean, want, tol)
		}
		tol = math.Max(1e-7*want, float64(len(p)*len(p))/(1<<33))
		if v := square - mean*mean; math.Abs(v-want) > tol {
			t.Errorf("%v Hz: variance %.12g: must be %.12g ± %.2g", rate, v, want, tol)
		}
	}
}

// TestCount: Count is the number of entries ≤ u, also at the entries themselves and at
// both ends; entries never fall.
func TestCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := math.Pow(10, rapid.Float64Range(-3, math.Log10(640e3)).Draw(t, "log10 rate"))
		table := countTable(t, rate, 0.1)
		if !sort.SliceIsSorted(table, func(i, j int) bool { return table[i] < table[j] }) {
			t.Fatalf("%v Hz: the table falls: %v", rate, table)
		}
		us := []uint32{0, math.MaxUint32, rapid.Uint32().Draw(t, "u")}
		for _, entry := range table {
			us = append(us, entry-1, entry, entry+1)
		}
		for _, u := range us {
			want := sort.Search(len(table), func(i int) bool { return table[i] > u })
			if got := table.Count(u); got != want {
				t.Fatalf("%v Hz: Count(%d) = %d: must be %d", rate, u, got, want)
			}
		}
	})
}

// TestCountDraws: χ² of 1e7 draws. A right table fails with probability 1e-6 a rate; the
// seed is fixed.
func TestCountDraws(t *testing.T) {
	const draws, dt = 10_000_000, 0.1
	for i, rate := range []float64{400, 5000} {
		t.Run(fmt.Sprintf("%vHz", rate), func(t *testing.T) {
			table := countTable(t, rate, dt)
			src := rand.NewPCG(1, uint64(i))
			seen := make([]int, len(table)+1)
			for range draws / 2 {
				u := src.Uint64()
				seen[table.Count(uint32(u))]++
				seen[table.Count(uint32(u>>32))]++
			}
			// Counts expected fewer than 20 times share a cell with all that follow.
			chi, cells, left := 0.0, 0, float64(draws)
			rest := draws
			for n, k := range seen {
				want := draws * poisson(n, rate*dt/1000)
				if left-want < 20 || n == len(table) {
					k, want = rest, left
				}
				chi += (float64(k) - want) * (float64(k) - want) / want
				cells++
				rest -= k
				left -= want
				if rest == 0 && left == 0 {
					break
				}
			}
			p := distuv.ChiSquared{K: float64(cells - 1)}.Survival(chi)
			t.Logf("χ² = %.2f in %d cells, p = %.3g", chi, cells, p)
			if p < 1e-6 || cells < 4 {
				t.Errorf("χ² = %.2f in %d cells, p = %.3g: must be ≥ 1e-6 in at least 4", chi, cells, p)
			}
		})
	}
}

func TestCountTableEdges(t *testing.T) {
	// No events: the empty table.
	for _, c := range [][2]float64{{0, 0.1}, {0, 1e300}, {1000, 0}, {1e-300, 1e-300}, {1e-9, 1e-3}} {
		table := countTable(t, c[0], c[1])
		if len(table) != 0 || table.Count(math.MaxUint32) != 0 {
			t.Errorf("%v Hz in steps of %v ms: table %v: must be empty", c[0], c[1], table)
		}
	}
	if table := countTable(t, maxMean, 1000); table.Count(math.MaxUint32) < maxMean {
		t.Error("the largest mean has no counts above it")
	}
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range [][2]float64{
		{640001, 0.1}, {maxMean, 1000.001}, {1e300, 1e300}, {-1, 0.1}, {1000, -0.1}, {-1000, -1},
		{nan, 0.1}, {1000, nan}, {inf, 0.1}, {1000, inf}, {0, inf}, {inf, 0}, {0, nan}, {-inf, 0.1},
	} {
		table, err := dynamics.NewCountTable(c[0], c[1])
		if table != nil || err == nil || !strings.HasPrefix(err.Error(), "dynamics: ") {
			t.Errorf("%v Hz in steps of %v ms: %v: must be refused", c[0], c[1], err)
		}
	}
}

func TestPoissonValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, p := range []dynamics.Poisson{{}, {Rate: 1000, Weight: 0.001}, {Rate: 1e6, Weight: -3}} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, c := range []struct {
		p    dynamics.Poisson
		says string
	}{
		{dynamics.Poisson{Rate: -1}, "Rate = -1 Hz"}, {dynamics.Poisson{Rate: nan}, "Rate = NaN Hz"}, {dynamics.Poisson{Rate: inf}, "Rate = +Inf Hz"},
		{dynamics.Poisson{Weight: nan}, "Weight = NaN"}, {dynamics.Poisson{Weight: -inf}, "Weight = -Inf"},
	} {
		if err := c.p.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v: must say %q", c.p, err, c.says)
		}
	}
}

// BenchmarkCount is one draw in a step of 0.1 ms, without the random word.
func BenchmarkCount(b *testing.B) {
	for _, rate := range []float64{400, 5000, 640e3} {
		b.Run(fmt.Sprintf("%gHz", rate), func(b *testing.B) {
			table, err := dynamics.NewCountTable(rate, 0.1)
			if err != nil {
				b.Fatal(err)
			}
			u, sum := uint32(1), 0
			b.ReportAllocs()
			for b.Loop() {
				u = u*1664525 + 1013904223
				sum += table.Count(u)
			}
			if sum == 0 {
				b.Error("no events")
			}
		})
	}
}

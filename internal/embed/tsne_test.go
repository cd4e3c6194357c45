package embed

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// clusters are groups of points, ten standard deviations apart.
func clusters(groups, each, d int) [][]float64 {
	r := rand.New(rng.Stream(7, "clusters"))
	var x [][]float64
	for g := range groups {
		for range each {
			p := make([]float64, d)
			for j := range p {
				p[j] = r.NormFloat64()
			}
			p[g] += 10
			x = append(x, p)
		}
	}
	return x
}

// TestGradient: against finite differences of the divergence, and that without exaggeration.
func TestGradient(t *testing.T) {
	x := clusters(3, 4, 5)
	n := len(x)
	p, err := affinities(x, 3)
	if err != nil {
		t.Fatal(err)
	}
	s := &descent{n: n, p: p, y: make([][2]float64, n), grad: make([][2]float64, n), z: make([]float64, n), attract: make([][2]float64, n)}
	r := rand.New(rng.Stream(3, "y"))
	for i := range s.y {
		s.y[i] = [2]float64{r.NormFloat64(), r.NormFloat64()}
	}
	s.gradient(1)
	got := slices.Clone(s.grad)
	const h = 1e-5
	for i := range n {
		for a := range 2 {
			old := s.y[i][a]
			s.y[i][a] = old + h
			up := s.divergence()
			s.y[i][a] = old - h
			down := s.divergence()
			s.y[i][a] = old
			if want := (up - down) / (2 * h); math.Abs(got[i][a]-want) > 1e-8 {
				t.Errorf("point %d, axis %d: gradient %v, differences %v", i, a, got[i][a], want)
			}
		}
	}
}

// TestPerplexity: every conditional law has the entropy asked for, as far as equal points
// allow, and the joint law is symmetric and sums to 1.
func TestPerplexity(t *testing.T) {
	x := clusters(2, 15, 3)
	for i := range x {
		row := make([]float64, len(x))
		for j := range row {
			for a := range x[i] {
				row[j] += (x[i][a] - x[j][a]) * (x[i][a] - x[j][a])
			}
		}
		conditional(row, i, math.Log(7))
		h := 0.0
		for j, p := range row {
			if p > 0 {
				h -= p * math.Log(p)
			}
			if j == i && p != 0 {
				t.Errorf("point %d is its own neighbour", i)
			}
		}
		if math.Abs(math.Exp(h)-7) > 1e-5 {
			t.Errorf("point %d: perplexity %v, want 7", i, math.Exp(h))
		}
	}
	p, err := affinities(x, 7)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range x {
		for j := range x {
			sum += p[i*len(x)+j]
			if p[i*len(x)+j] != p[j*len(x)+i] {
				t.Fatal("not symmetric")
			}
		}
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("sums to %v", sum)
	}
}

// TestTriangle: three points at equal distances have a uniform p, which an equilateral
// triangle meets exactly: the divergence is 0.
func TestTriangle(t *testing.T) {
	y, kl, err := TSNE(context.Background(), [][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, rng.Stream(1, "t"), TSNEOptions{Rate: 1})
	if err != nil || math.Abs(kl) > 1e-9 {
		t.Fatalf("divergence %v, %v", kl, err)
	}
	var side [3]float64
	for i := range side {
		a, b := y[i], y[(i+1)%3]
		side[i] = math.Hypot(a[0]-b[0], a[1]-b[1])
	}
	if math.Abs(side[0]/side[1]-1) > 1e-3 || math.Abs(side[0]/side[2]-1) > 1e-3 || side[0] < 1e-3 {
		t.Errorf("sides %v", side)
	}
}

// TestClusters: groups stay groups, whatever the number of processors, and equal points part.
func TestClusters(t *testing.T) {
	const groups, each = 4, 30
	x := clusters(groups, each, 8)
	x[1] = x[0] // twice the same
	var first [][2]float64
	for _, procs := range []int{1, 3} {
		before := runtime.GOMAXPROCS(procs)
		y, kl, err := TSNE(context.Background(), x, rng.Stream(1, "t"), TSNEOptions{Perplexity: 10, Iterations: 400})
		runtime.GOMAXPROCS(before)
		if err != nil || !(kl > 0 && kl < 1) { // p and q are far from each other at the start, about 3
			t.Fatalf("divergence %v, %v", kl, err)
		}
		if first == nil {
			first = y
		} else if !slices.Equal(first, y) {
			t.Error("another number of processors, another embedding")
		}
	}
	for i, a := range first {
		nearest, least := -1, math.Inf(1)
		for j, b := range first {
			if d := math.Hypot(a[0]-b[0], a[1]-b[1]); j != i && d < least {
				nearest, least = j, d
			}
		}
		if nearest/each != i/each {
			t.Errorf("the nearest neighbour of point %d is %d, of another group", i, nearest)
		}
	}
	other, _, err := TSNE(context.Background(), x, rng.Stream(2, "t"), TSNEOptions{Perplexity: 10, Iterations: 400})
	if err != nil || slices.Equal(first, other) {
		t.Errorf("another seed, the same embedding (%v)", err)
	}
}

// TestFalls: the divergence falls over the iterations after the exaggeration.
func TestFalls(t *testing.T) {
	x := clusters(3, 20, 6)
	before := math.Inf(1)
	for _, n := range []int{50, 100, 300} {
		_, kl, err := TSNE(context.Background(), x, rng.Stream(1, "t"), TSNEOptions{Early: 20, Iterations: n})
		if err != nil || kl > before {
			t.Errorf("%d iterations: %v after %v, %v", n, kl, before, err)
		}
		before = kl
	}
}

func TestTSNERefused(t *testing.T) {
	x := clusters(2, 10, 3)
	src := rng.Stream(1, "t")
	for _, c := range []struct {
		x     [][]float64
		o     TSNEOptions
		words string
	}{
		{x[:2], TSNEOptions{}, "3 to 2000"},
		{make([][]float64, MaxPoints+1), TSNEOptions{}, "3 to 2000"},
		{x, TSNEOptions{Perplexity: 7}, "Perplexity = 7"},
		{x, TSNEOptions{Perplexity: .5}, "Perplexity"},
		{x, TSNEOptions{Perplexity: math.NaN()}, "Perplexity"},
		{x, TSNEOptions{Exaggeration: .5}, "Exaggeration"},
		{x, TSNEOptions{Early: -1}, "Early"},
		{x, TSNEOptions{Iterations: -1}, "Iterations"},
		{x, TSNEOptions{Rate: -1}, "Rate"},
		{[][]float64{{1e160}, {-1e160}, {0}}, TSNEOptions{}, "overflow"},
		{[][]float64{{1, 2}, {1, math.NaN()}, {0, 0}}, TSNEOptions{}, "entry 1 of point 1"},
	} {
		if _, _, err := TSNE(context.Background(), c.x, src, c.o); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v: %v does not say %q", c.o, err, c.words)
		}
	}
	if _, _, err := TSNE(context.Background(), x, nil, TSNEOptions{}); err == nil {
		t.Error("takes no source")
	}
	ctx, stop := context.WithCancel(context.Background())
	o := TSNEOptions{OnProgress: func(i int) {
		if i == 3 {
			stop()
		}
		if i > 3 {
			t.Error("goes on after the context's end")
		}
	}}
	if _, _, err := TSNE(ctx, x, src, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// All points equal: nothing to see, but no fault either.
	if _, _, err := TSNE(context.Background(), [][]float64{{1}, {1}, {1}, {1}}, src, TSNEOptions{Iterations: 20}); err != nil {
		t.Error(err)
	}
}

func BenchmarkGradient(b *testing.B) {
	const n = 1000
	s := &descent{n: n, p: make([]float64, n*n), y: make([][2]float64, n), grad: make([][2]float64, n), z: make([]float64, n), attract: make([][2]float64, n)}
	for i := range s.y {
		s.y[i] = [2]float64{float64(i % 31), float64(i / 31)}
	}
	for b.Loop() {
		s.gradient(1)
	}
}

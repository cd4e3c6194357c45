package embed

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestPCALine: points on a line through (1, 2, 3) have one component, exactly known.
func TestPCALine(t *testing.T) {
	var x [][]float64
	for _, s := range []float64{-3, -1, 0, 1, 3} {
		x = append(x, []float64{1 + 2*s, 2 - 1*s, 3 + 2*s})
	}
	c, err := PCA(x, 3)
	if err != nil {
		t.Fatal(err)
	}
	// Direction (2, −1, 2)/3, variance of s is 20/4 = 5, times |direction|² = 9.
	for j, want := range []float64{2. / 3, -1. / 3, 2. / 3} {
		if math.Abs(c.Axes[0][j]-want) > 1e-12 || math.Abs(c.Mean[j]-[]float64{1, 2, 3}[j]) > 1e-12 {
			t.Errorf("axis %v, mean %v", c.Axes[0], c.Mean)
		}
	}
	if math.Abs(c.Variance[0]-45) > 1e-12 || math.Abs(c.Variance[1]) > 1e-12 || math.Abs(c.Total-45) > 1e-12 {
		t.Errorf("variances %v of %v", c.Variance, c.Total)
	}
	checkOrthonormal(t, c)
	y, err := c.Project(x)
	if err != nil || math.Abs(y[0][0]+9) > 1e-12 || math.Abs(y[0][1]) > 1e-12 {
		t.Errorf("%v, %v", y, err)
	}
}

func checkOrthonormal(t *testing.T, c *Components) {
	t.Helper()
	for a, u := range c.Axes {
		for b, v := range c.Axes {
			want := 0.0
			if a == b {
				want = 1
			}
			if math.Abs(floats.Dot(u, v)-want) > 1e-10 {
				t.Errorf("axes %d and %d: %v", a, b, floats.Dot(u, v))
			}
		}
	}
}

// TestPCASides: the covariance of few dimensions and the products of few points give the
// same, and variances along the axes are those of the projections.
func TestPCASides(t *testing.T) {
	r := rand.New(rng.Stream(1, "pca"))
	for _, n := range []int{8, 12, 40} { // below and above the dimension
		const d, k = 11, 4
		x := make([][]float64, n)
		for i := range x {
			x[i] = make([]float64, d)
			for j := range x[i] {
				x[i][j] = r.NormFloat64() / float64(1+j)
			}
		}
		c, err := PCA(x, k)
		if err != nil {
			t.Fatal(err)
		}
		checkOrthonormal(t, c)
		y, _ := c.Project(x)
		for a := range k {
			mean, sum := 0.0, 0.0
			for _, p := range y {
				mean += p[a] / float64(n)
				sum += p[a] * p[a]
			}
			if math.Abs(mean) > 1e-12 || math.Abs(sum/float64(n-1)-c.Variance[a]) > 1e-10 {
				t.Errorf("n = %d, axis %d: mean %v, variance %v, want %v", n, a, mean, sum/float64(n-1), c.Variance[a])
			}
			if a > 0 && c.Variance[a] > c.Variance[a-1] {
				t.Errorf("variances %v rise", c.Variance)
			}
			// Cov·axis = variance·axis: an eigenvector.
			out := make([]float64, d)
			for _, p := range x {
				diff := make([]float64, d)
				floats.SubTo(diff, p, c.Mean)
				floats.AddScaled(out, floats.Dot(diff, c.Axes[a])/float64(n-1), diff)
			}
			floats.AddScaled(out, -c.Variance[a], c.Axes[a])
			if floats.Norm(out, 2) > 1e-10 {
				t.Errorf("n = %d: axis %d is no eigenvector, off by %v", n, a, floats.Norm(out, 2))
			}
		}
	}
}

func TestPCARefused(t *testing.T) {
	two := [][]float64{{0, 1}, {1, 0}, {2, 2}}
	for _, c := range []struct {
		x     [][]float64
		k     int
		words string
	}{
		{nil, 1, "0 points"},
		{[][]float64{{1, 2}}, 1, "1 points"},
		{[][]float64{{}, {}}, 1, "no dimension"},
		{[][]float64{{1, 2}, {1}}, 1, "point 1 has 1"},
		{[][]float64{{1, 2}, {1, math.NaN()}}, 1, "entry 1 of point 1"},
		{[][]float64{{1, 2}, {1, math.Inf(1)}}, 1, "finite"},
		{[][]float64{{1e200}, {-1e200}}, 1, "overflow"},
		{two, 0, "1 to 2"},
		{two, 3, "1 to 2"},
	} {
		if _, err := PCA(c.x, c.k); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v, %d: %v does not say %q", c.x, c.k, err, c.words)
		}
	}
	c, _ := PCA(two, 1)
	if _, err := c.Project([][]float64{{1, 2, 3}}); err == nil {
		t.Error("projects points of three dimensions")
	}
}

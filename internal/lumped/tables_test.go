package lumped

import (
	"math"
	"testing"

	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
)

func mustNew(t *testing.T, m sampling.Model, sizes []int, beta float64) *Chain {
	t.Helper()
	c, err := New(m, sizes, beta)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustRelaxation(t *testing.T, c *Chain) float64 {
	t.Helper()
	x, err := c.Relaxation()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// near fails unless got is want, which is quoted to six digits.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-5*want) {
		t.Errorf("%s = %.9g, want %.9g", what, got, want)
	}
}

// boltzmann-baselines 4.2, Curie-Weiss: all rows. The relaxation time of the last is
// 4.183075258e9 in 60-digit arithmetic; the table has 4.18301e9, as far as an eigenvalue
// 1 − 4e-12 goes in double precision.
func TestCurieWeiss(t *testing.T) {
	for _, tc := range []struct {
		beta                       float64
		n                          int
		reversal, relaxation, logZ float64
	}{
		{1.2, 20, 71.1856, 13.2534, 3.5967334517},
		{1.5, 10, 48.2635, 17.2147, 1.6051173797},
		{1.5, 20, 151.458, 63.2753, 2.1900607409},
		{1.5, 40, 1307.37, 631.753, 3.3181012279},
		{1.5, 64, 19420.0, 9669.96, 4.6995161749},
		{2, 10, 214.678, 101.664, 1.0259948610},
		{2, 20, 5110.21, 2546.46, 1.1962695158},
		{2, 40, 3.35095e6, 1.67546e6, 1.5788849548},
		{2, 64, 8.36615e9, 4.183075e9, 2.0477977709},
	} {
		m, err := models.CurieWeiss(tc.n, tc.beta)
		if err != nil {
			t.Fatal(err)
		}
		c := mustNew(t, m, []int{tc.n}, 1)
		times, err := c.Passage(func(counts []int) bool { return counts[0] == 0 })
		if err != nil {
			t.Fatal(err)
		}
		near(t, "reversal", times[c.State(tc.n)], tc.reversal)
		near(t, "relaxation", mustRelaxation(t, c), tc.relaxation)
		if !(math.Abs(c.LogZ()-tc.logZ) < 1e-8) {
			t.Errorf("log Z = %.11g, want %.11g", c.LogZ(), tc.logZ)
		}
	}
}

// boltzmann-baselines 4.2, WTA-3x4: all rows, the temperatures and the biased machines.
// The passage ends in another full group with the others empty. (The table's mass of the
// third mode at a = 3, .09024920, has two digits exchanged: direct summation gives
// .0902490452.)
func TestWTA(t *testing.T) {
	sizes := []int{4, 4, 4}
	for _, tc := range []struct{ a, logZ, relaxation, passage float64 }{
		{2.5, 6.1328616803, 990.135, 1495.70},
		{3, 7.1105249699, 4290.26, 6447.66},
		{4, 9.1001263080, 83136.9, 124726},
		{5, 11.0988120611, 1.64742e6, 2.47118e6},
		{6, 13.0986390655, 3.29251e7, 4.93878e7},
	} {
		m, err := models.WTA(3, 4, tc.a)
		if err != nil {
			t.Fatal(err)
		}
		c := mustNew(t, m, sizes, 1)
		times, err := c.Passage(func(counts []int) bool {
			return counts[0] == 0 && max(counts[1], counts[2]) == 4 && min(counts[1], counts[2]) == 0
		})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "passage", times[c.State(4, 0, 0)], tc.passage)
		near(t, "relaxation", mustRelaxation(t, c), tc.relaxation)
		if !(math.Abs(c.LogZ()-tc.logZ) < 1e-8) {
			t.Errorf("log Z = %.11g, want %.11g", c.LogZ(), tc.logZ)
		}
	}

	m, err := models.WTA(3, 4, 4)
	if err != nil {
		t.Fatal(err)
	}
	relaxation := []float64{83136.9, 7739.06, 739.596, 231.033, 71.9504, 21.9334, 11.9854}
	for i, beta := range []float64{1, .8, .6, .5, .4, .3, .25} {
		near(t, "relaxation at beta", mustRelaxation(t, mustNew(t, m, sizes, beta)), relaxation[i])
	}

	for _, tc := range []struct {
		a, logZ float64
		mass    []float64
	}{
		{4, 9.4089137482, []float64{.66506583, .24473659, .09006783}},
		{3, 7.4178364904, []float64{.66355612, .24464005, .09024904519}},
	} {
		m, err := models.WTA(3, 4, tc.a, .25, 0, -.25)
		if err != nil {
			t.Fatal(err)
		}
		c := mustNew(t, m, sizes, 1)
		if !(math.Abs(c.LogZ()-tc.logZ) < 1e-8) {
			t.Errorf("biased log Z = %.11g, want %.11g", c.LogZ(), tc.logZ)
		}
		for g, want := range tc.mass {
			got := 0.0
			for s := range c.States() {
				in := true
				for h, n := range c.Counts(s) {
					in = in && (h == g && n >= 3 || h != g && n <= 1)
				}
				if in {
					got += c.Probability(s)
				}
			}
			if !(math.Abs(got-want) < 1e-8) {
				t.Errorf("a = %v: mass of mode %d = %.9g, want %.9g", tc.a, g, got, want)
			}
		}
	}
}

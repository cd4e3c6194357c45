package lif

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// twoUnits and threeUnits are the small machines of the exact acceptance figures.
func twoUnits(t *testing.T) *boltzmann.Machine {
	return machine(t, 2, []float64{0, 1, 1, 0}, []float64{-0.5, 0.25})
}

func threeUnits(t *testing.T) *boltzmann.Machine {
	return machine(t, 3, []float64{0, 1, -0.5, 1, 0, 0.75, -0.5, 0.75, 0}, []float64{-0.2, -0.4, 0.1})
}

func machine(t *testing.T, n int, w, b []float64) *boltzmann.Machine {
	t.Helper()
	m, err := boltzmann.New(mat.NewDense(n, n, w), b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// script is a random source that answers whether each draw is below any p or above.
type script struct {
	below []bool
	drawn int
}

func (s *script) Uint64() uint64 {
	s.drawn++
	if s.below[s.drawn-1] {
		return 0
	}
	return math.MaxUint64
}

// stationary builds the transition matrix of the sampler's step over all (ζ_k) by
// running the sampler itself from every state with every outcome of its draws, and
// returns the stationary law of z.
func stationary(t *testing.T, s *Neural) []float64 {
	t.Helper()
	n, base := s.Dim(), s.tau+1
	size := 1
	for range n {
		size *= base
	}
	p := mat.NewDense(size, size, nil)
	buf := make([]sampling.Flip, 0, 2*n)
	for from := range size {
		for outcome := range 1 << n {
			scr := &script{below: make([]bool, n)}
			if err := s.Reset(make([]uint8, n), scr); err != nil {
				t.Fatal(err)
			}
			for k, x := 0, from; k < n; k, x = k+1, x/base {
				s.zeta[k] = int32(x % base)
				s.z[k] = 0
				if s.zeta[k] > 0 {
					s.z[k] = 1
				}
			}
			s.field.Reset(s.z)
			zeta := append([]int32{}, s.zeta...)
			for k := range n {
				scr.below[k] = outcome>>k&1 == 1
			}
			if _, err := s.Advance(s.opt.Dt, buf); err != nil {
				t.Fatal(err)
			}
			// The draws that were made, in order of the units, and their probability.
			prob, draw := 1.0, 0
			for k := range n {
				g := 1.0
				if s.g == nil {
					if zeta[k] > 1 {
						continue
					}
				} else {
					g = s.g[zeta[k]]
				}
				q := s.p[k] * g
				if !scr.below[draw] {
					q = 1 - q
				}
				prob *= q
				draw++
			}
			if draw != scr.drawn {
				t.Fatalf("%d draws, expected %d", scr.drawn, draw)
			}
			if outcome >= 1<<draw {
				continue // differs from another outcome only in draws not made
			}
			to := 0
			for k := n - 1; k >= 0; k-- {
				to = to*base + int(s.zeta[k])
			}
			p.Set(from, to, p.At(from, to)+prob)
		}
	}
	// π P = π, Σ π = 1.
	a := mat.NewDense(size, size, nil)
	a.CloneFrom(p.T())
	for i := range size {
		a.Set(i, i, a.At(i, i)-1)
		sum := 0.0
		for j := range size {
			sum += p.At(i, j)
		}
		near(t, "row sum", sum, 1, 1e-12)
	}
	b := mat.NewVecDense(size, nil)
	for j := range size {
		a.Set(size-1, j, 1)
	}
	b.SetVec(size-1, 1)
	var pi mat.VecDense
	if err := pi.SolveVec(a, b); err != nil {
		t.Fatal(err)
	}
	law := make([]float64, 1<<n)
	for i := range size {
		z := 0
		for k, x := 0, i; k < n; k, x = k+1, x/base {
			if x%base > 0 {
				z |= 1 << k
			}
		}
		law[z] += pi.AtVec(i)
	}
	return law
}

func divergence(q, p []float64) float64 {
	d := 0.0
	for i := range q {
		if q[i] > 0 {
			d += q[i] * math.Log(q[i]/p[i])
		}
	}
	return d
}

func TestNeuralStationary(t *testing.T) {
	two, three := twoUnits(t), threeUnits(t)
	linear := func(zeta, tau int) float64 { return 1 - float64(zeta)/float64(tau) }
	for _, c := range []struct {
		m        *boltzmann.Machine
		tau      float64
		update   Update
		relative func(zeta, tau int) float64
		want     float64 // divergence from the target; 0: the target itself to 1e-12
		tol      float64
	}{
		{two, 3, Sequential, nil, 0, 0}, {two, 5, Sequential, nil, 0, 0}, {two, 10, Sequential, nil, 0, 0},
		{three, 3, Sequential, nil, 0, 0}, {three, 5, Sequential, nil, 0, 0},
		{two, 3, Parallel, nil, 0.006696389, 1e-8}, {two, 5, Parallel, nil, 0.003012713, 1e-8}, {two, 10, Parallel, nil, 0.000915578, 1e-8},
		{three, 3, Parallel, nil, 0.014633140, 1e-8}, {three, 5, Parallel, nil, 0.006500958, 1e-8},
		{two, 5, Sequential, linear, 1.6312e-4, 1e-7}, {two, 10, Sequential, linear, 2.5101e-4, 1e-7},
	} {
		t.Run(fmt.Sprintf("N=%d/tau=%v/update=%d/relative=%v", c.m.Dim(), c.tau, c.update, c.relative != nil), func(t *testing.T) {
			s, err := NewNeural(c.m, NeuralOptions{TauRef: c.tau, Dt: 1, Update: c.update, Relative: c.relative})
			if err != nil {
				t.Fatal(err)
			}
			law := stationary(t, s)
			target, err := boltzmann.Joint(c.m)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == 0 {
				for i := range law {
					near(t, "p", law[i], target[i], 1e-12)
				}
				return
			}
			near(t, "divergence", divergence(law, target), c.want, c.tol)
		})
	}
	// One relatively refractory unit is exact.
	for _, u := range []float64{-2, 0, 1.5} {
		for _, tau := range []float64{5, 10} {
			s, err := NewNeural(machine(t, 1, []float64{0}, []float64{u}), NeuralOptions{TauRef: tau, Dt: 1, Relative: linear})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "p of one unit", stationary(t, s)[1], 1/(1+math.Exp(-u)), 1e-12)
		}
	}
}

// TestNeuralContinuous checks rate, p = σ(u) and the coefficient of variation 1 − p of
// one unit, within 4.5 standard errors (false alarms: below 1e-5 each).
func TestNeuralContinuous(t *testing.T) {
	for i, u := range []float64{-2, 0, 1.5} {
		s, err := NewNeural(machine(t, 1, []float64{0}, []float64{u}), NeuralOptions{Update: Continuous})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Reset([]uint8{0}, rng.Stream(3, "continuous", i)); err != nil {
			t.Fatal(err)
		}
		var r Spikes
		run(t, s, 1e6, &r)
		var m moment
		for k := 1; k < len(r.Train); k++ {
			m.add(r.Train[k].Time - r.Train[k-1].Time)
		}
		// ISI = τ + Exp(mean τ e^{−u}): its sd is τ e^{−u}.
		free := 10 * math.Exp(-u)
		near(t, "mean ISI", m.mean(), 10+free, 4.5*free/math.Sqrt(m.n))
		sd := m.se() * math.Sqrt(m.n)
		// The sd of n exponentials has relative standard error √(2/n).
		near(t, "CV", sd/m.mean(), 1-1/(1+math.Exp(-u)), 4.5*2/math.Sqrt(m.n))
	}
}

// TestNeuralSamples: REF5, 1e6 ms, mean of 4 seeds, D ≤ 1.5e-4 (mean of an exact sampler
// 5e-5), and D falls as 1/T.
func TestNeuralSamples(t *testing.T) {
	ref := boltzmann.REF(5)
	for _, up := range []Update{Sequential, Continuous} {
		t.Run(fmt.Sprint(up), func(t *testing.T) {
			t.Parallel()
			mean := func(d float64, seeds int) float64 {
				sum := 0.0
				for seed := range seeds {
					s, err := NewNeural(ref, NeuralOptions{Update: up})
					if err != nil {
						t.Fatal(err)
					}
					sum += dkl(t, s, ref, d, uint64(seed))
				}
				return sum / float64(seeds)
			}
			// Slope of log D on log T over 1e4, 1e5, 1e6; the mean of n values of D
			// scatters by about √(2/31/n), so the slope by about 0.04.
			x := []float64{1e4, 1e5, 1e6}
			d := []float64{mean(x[0], 16), mean(x[1], 16), mean(x[2], 4)}
			slope := math.Log(d[2]/d[0]) / math.Log(x[2]/x[0])
			t.Logf("D = %.2e, %.2e, %.2e, slope %.3f", d[0], d[1], d[2], slope)
			if d[2] > 1.5e-4 {
				t.Errorf("D(1e6 ms) = %.2e: must be ≤ 1.5e-4", d[2])
			}
			if slope < -1.15 || slope > -0.85 {
				t.Errorf("slope %.3f: must be in [−1.15, −0.85]", slope)
			}
		})
	}
	// Marginals of REF10 within 4.5 Monte-Carlo standard errors, corrected for 10 units
	// (false alarms: below 1e-4).
	ten := boltzmann.REF(10)
	exact, err := boltzmann.Enumerate(ten)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewNeural(ten, NeuralOptions{Update: Continuous})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(nil, rng.Stream(5, "neural")); err != nil {
		t.Fatal(err)
	}
	vars := make([]estimate.Variable, 10)
	for k := range vars {
		vars[k] = estimate.Variable{Name: fmt.Sprint(k), Units: []int{k}}
	}
	v, err := estimate.NewValues(vars, estimate.ValuesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, 1e6, v)
	sum, err := v.Summary()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range sum.Rows {
		if r.Value == 1 {
			k := 0
			fmt.Sscan(r.Variable, &k)
			if z := (r.Estimate - exact.Mean[k]) / r.MCSE; math.Abs(z) > 4.5 {
				t.Errorf("unit %d: z = %.2f", k, z)
			}
		}
	}
}

func TestNeuralErrors(t *testing.T) {
	m := twoUnits(t)
	for _, o := range []NeuralOptions{
		{TauRef: -1}, {TauRef: math.NaN()}, {TauRef: 10, Dt: 0.3}, {Dt: -1}, {Dt: math.Inf(1)}, {Update: 7},
		{Update: Continuous, Relative: func(int, int) float64 { return 1 }},
		{Relative: func(z, tau int) float64 { return float64(z) }},
		{Relative: func(z, tau int) float64 { return math.NaN() }},
	} {
		if _, err := NewNeural(m, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if _, err := NewNeural(nil, NeuralOptions{}); err == nil {
		t.Error("no model: no error")
	}
	s, err := NewNeural(m, NeuralOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Advance(1, make([]sampling.Flip, 0, 8)); err == nil {
		t.Error("Advance before Reset: no error")
	}
	if err := s.Reset([]uint8{0, 2}, rand.NewPCG(1, 2)); err == nil {
		t.Error("state 2: no error")
	}
	if err := s.Reset(nil, nil); err == nil {
		t.Error("no source: no error")
	}
}

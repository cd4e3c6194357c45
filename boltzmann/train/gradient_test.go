package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/tempering"
)

const (
	smallV, smallH = 6, 4 // pixels and label units, hidden units
	smallClasses   = 2
)

// smallData are images of 4 pixels in two classes.
func smallData(n int, seed uint64) Data {
	r := rand.New(rand.NewPCG(seed, 1))
	d := Data{Classes: smallClasses}
	for range n {
		x := make([]uint8, smallV-smallClasses)
		for k := range x {
			x[k] = uint8(r.IntN(2))
		}
		x[0] |= x[1]
		d.Images = append(d.Images, x)
		d.Labels = append(d.Labels, x[0])
	}
	return d
}

func smallRBM(t testing.TB) *boltzmann.RBM {
	t.Helper()
	r, err := models.RBMS(smallV, smallH, 1.2)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// single is r in single precision.
func single(t testing.TB, r *boltzmann.RBM) *boltzmann.RBM {
	t.Helper()
	w, err := fromRBM(r)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = w.rbm(); err != nil {
		t.Fatal(err)
	}
	return r
}

// visible is state s of the visible units.
func visible(s int) []uint8 {
	v := make([]uint8, smallV)
	for i := range v {
		v[i] = uint8(s >> i & 1)
	}
	return v
}

// law is p(v) of the visible units of r.
func law(r *boltzmann.RBM) []float64 {
	p := make([]float64, 1<<smallV)
	sum := 0.0
	for s := range p {
		p[s] = math.Exp(-r.FreeEnergy(visible(s)))
		sum += p[s]
	}
	for s := range p {
		p[s] /= sum
	}
	return p
}

// empirical is the law of the data.
func empirical(d Data) []float64 {
	p := make([]float64, 1<<smallV)
	for i := range d.Images {
		s := 0
		for k, on := range d.joint(i) {
			s |= int(on) << k
		}
		p[s] += 1 / float64(len(d.Images))
	}
	return p
}

// swept is the law after k sweeps of blocked Gibbs sampling from p, by all states.
func swept(r *boltzmann.RBM, p []float64, k int) []float64 {
	h, ph, pv := make([]uint8, smallH), make([]float64, smallH), make([]float64, smallV)
	for range k {
		q := make([]float64, len(p))
		for s, weight := range p {
			r.GivenVisible(ph, visible(s))
			for a := range 1 << smallH {
				w := weight
				for j := range h {
					h[j] = uint8(a >> j & 1)
					w *= math.Abs(float64(1-h[j]) - ph[j])
				}
				r.GivenHidden(pv, h)
				for s2 := range q {
					w2 := w
					for i, x := range visible(s2) {
						w2 *= math.Abs(float64(1-x) - pv[i])
					}
					q[s2] += w2
				}
			}
		}
		p = q
	}
	return p
}

// statistics are ⟨v_i σ(x_j)⟩, ⟨v_i⟩ and ⟨σ(x_j)⟩ under p, one after the other.
func statistics(r *boltzmann.RBM, p []float64) []float64 {
	sum := make([]float64, smallV*smallH+smallV+smallH)
	ph := make([]float64, smallH)
	for s, w := range p {
		v := visible(s)
		r.GivenVisible(ph, v)
		for i, on := range v {
			for j, q := range ph {
				sum[i*smallH+j] += w * float64(on) * q
			}
			sum[smallV*smallH+i] += w * float64(on)
		}
		for j, q := range ph {
			sum[smallV*smallH+smallV+j] += w * q
		}
	}
	return sum
}

func minus(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

// still is a rate at which no weight moves: steps vanish in the last place of single
// precision, but can be read.
const still = 0x1p-40

// gradients are the gradients of n updates of t, a row each, in the order of statistics.
func gradients(t *Trainer, n int) *mat.Dense {
	g := mat.NewDense(n, smallV*smallH+smallV+smallH, nil)
	for u := range n {
		t.step()
		row := g.RawRowView(u)
		for i := range smallV {
			for j := range smallH {
				row[i*smallH+j] = float64(t.wv[t.m.at(i, j)]) / still
			}
			row[smallV*smallH+i] = float64(t.bv[i]) / still
		}
		for j := range smallH {
			row[smallV*smallH+smallV+j] = float64(t.cv[j]) / still
		}
	}
	return g
}

// compare compares the means of all columns of g with want. Means over 50 blocks of rows
// count as independent. 34 numbers with |t_49| < 5: false alarms 3e-4 of the time for an
// arbitrary seed. It returns the largest |t|.
func compare(t *testing.T, what string, g *mat.Dense, want []float64) (worst float64) {
	t.Helper()
	const blocks = 50
	n, _ := g.Dims()
	for k, w := range want {
		col := mat.Col(nil, k, g)
		means := make([]float64, blocks)
		for b := range means {
			means[b] = stat.Mean(col[b*n/blocks:(b+1)*n/blocks], nil)
		}
		mean, sd := stat.MeanStdDev(means, nil)
		z := (mean - w) / (sd/math.Sqrt(blocks) + 1e-7)
		worst = max(worst, math.Abs(z))
		if what != "" && !(math.Abs(z) < 5) {
			t.Errorf("%s: gradient %d is %.5f ± %.5f, exact %.5f", what, k, mean, sd/math.Sqrt(blocks), w)
		}
	}
	return worst
}

func mustNew(t testing.TB, d Data, o Options) *Trainer {
	t.Helper()
	tr, err := New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func mustNewDeep(t testing.TB, d Data, o DeepOptions) *DeepTrainer {
	t.Helper()
	tr, err := NewDeep(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestGradientPCD: with the machine held, the mean update of PCD and of CAST is the gradient
// of the log-likelihood.
func TestGradientPCD(t *testing.T) {
	r := single(t, smallRBM(t))
	d := smallData(37, 2)
	want := minus(statistics(r, empirical(d)), statistics(r, law(r)))
	o := Options{Start: r, Epochs: 1 << 20, Batch: 37, Chains: 40, Rate: Rate{Start: still}, Seed: 3, Parallel: 1}
	compare(t, "PCD-1", gradients(mustNew(t, d, o), 5000), want)
	o.Steps, o.Seed = 3, 4
	compare(t, "PCD-3", gradients(mustNew(t, d, o), 2000), want)
	o.Steps, o.Method = 1, CAST
	// A gain of next to nothing: weights that still change would bias the odds.
	o.Cast = CastOptions{Ladder: tempering.Ladder{1, 0.7, 0.3}, SwapEvery: 2, Gain: 1e-9}
	compare(t, "CAST", gradients(mustNew(t, d, o), 5000), want)
}

// TestGradientBatches: a batch that is not all data, and the smaller last one, have unbiased
// gradients on average over an epoch.
func TestGradientBatches(t *testing.T) {
	r := single(t, smallRBM(t))
	d := smallData(24, 5)
	want := minus(statistics(r, empirical(d)), statistics(r, law(r)))
	tr := mustNew(t, d, Options{Start: r, Epochs: 1 << 20, Batch: 8, Chains: 40, Rate: Rate{Start: still}, Seed: 6})
	compare(t, "three batches", gradients(tr, 9000), want)
	tr = mustNew(t, d, Options{Start: r, Epochs: 1 << 20, Batch: 18, Chains: 40, Rate: Rate{Start: still}, Seed: 6})
	g := gradients(tr, 6000)
	for u := range 6000 { // a batch of 18, then one of 6
		row := g.RawRowView(u)
		for k := range row {
			row[k] *= []float64{1.5, 0.5}[u%2]
		}
	}
	compare(t, "18 and 6 images", g, want)
}

// TestGradientCD: the mean update of CD-k is what the law after k sweeps from the data says,
// and that is not the gradient of the log-likelihood.
func TestGradientCD(t *testing.T) {
	r := single(t, smallRBM(t))
	d := smallData(37, 2)
	data := empirical(d)
	exact := minus(statistics(r, data), statistics(r, law(r)))
	for _, k := range []int{1, 3} {
		g := gradients(mustNew(t, d, Options{Start: r, Method: CD, Steps: k, Epochs: 1 << 20, Batch: 37,
			Rate: Rate{Start: still}, Seed: 7}), 4000)
		compare(t, fmt.Sprintf("CD-%d", k), g, minus(statistics(r, data), statistics(r, swept(r, data, k))))
		if z := compare(t, "", g, exact); z < 10 {
			t.Errorf("CD-%d: the gradient is within %v standard errors of the exact one: this test cannot tell", k, z)
		}
	}
}

// TestTempered: with all log-weights 0, the fast chains of CAST are at level k in proportion
// to Z(β_k), and have the mean energy of p^β_k there. 400 blocks of 100 updates of 64 chains
// count as independent; 6 numbers with |z| < 4.5: false alarms 4e-5 of the time.
func TestTempered(t *testing.T) {
	r := single(t, smallRBM(t))
	ladder := tempering.Ladder{1, 0.8, 0.5}
	tr := mustNew(t, smallData(10, 8), Options{Start: r, Method: CAST, Epochs: 1 << 20, Batch: 10, Chains: 64,
		Rate: Rate{Start: still}, Cast: CastOptions{Ladder: ladder, Gain: 1e-12, SwapEvery: 3}, Seed: 9})
	free := make([]float64, 1<<smallV) // F(v) of all states
	for s := range free {
		free[s] = r.FreeEnergy(visible(s))
	}
	const blocks = 400
	var share, energy [3][]float64
	for range blocks {
		var n [3]int
		var e [3]float64
		for range 100 {
			tr.step()
			for i, k := range tr.fast.level {
				n[k]++
				e[k] += free[stateOf(tr.fast.chains[i])]
			}
		}
		for k := range n {
			share[k] = append(share[k], float64(n[k])/6400)
			energy[k] = append(energy[k], e[k]/6400)
		}
	}
	z, u := make([]float64, 3), make([]float64, 3) // Σ exp(−βE), and with free energy F(v) of β = 1
	for k, beta := range ladder {
		for s := range 1 << (smallV + smallH) {
			state := make([]uint8, smallV+smallH)
			for i := range state {
				state[i] = uint8(s >> i & 1)
			}
			w := math.Exp(-beta * r.Energy(state))
			z[k] += w
			u[k] += w * free[s%(1<<smallV)]
		}
	}
	total := z[0] + z[1] + z[2]
	check := func(what string, x []float64, want float64) {
		mean, sd := stat.MeanStdDev(x, nil)
		if s := (mean - want) / (sd / math.Sqrt(blocks)); !(math.Abs(s) < 4.5) {
			t.Errorf("%s is %.5f, exact %.5f (z = %.1f)", what, mean, want, s)
		}
	}
	for k, beta := range ladder {
		check(fmt.Sprintf("share of β = %v", beta), share[k], z[k]/total)
		check(fmt.Sprintf("free energy at β = %v times share", beta), energy[k], u[k]/total)
	}
	if tr.fast.swaps == 0 {
		t.Error("no swaps")
	}
}

// stateOf is the number of the state v of a chain.
func stateOf(c *chain) (s int) {
	for _, i := range c.on {
		s |= 1 << i
	}
	return s
}

// TestTemperedLearns: the weights come to differ by log Z(β_k), and levels are visited
// equally.
func TestTemperedLearns(t *testing.T) {
	r := single(t, smallRBM(t))
	ladder := tempering.Ladder{1, 0.6, 0.2}
	tr := mustNew(t, smallData(10, 8), Options{Start: r, Method: CAST, Epochs: 1 << 20, Batch: 10, Chains: 32,
		Rate: Rate{Start: still}, Cast: CastOptions{Ladder: ladder, Gain: 1}, Seed: 10})
	var visits [3]float64
	for u := range 20000 {
		tr.step()
		for _, k := range tr.fast.level {
			if u >= 10000 {
				visits[k] += 1.0 / 32 / 10000
			}
		}
	}
	for k, beta := range ladder {
		z := 0.0
		for s := range 1 << (smallV + smallH) {
			state := make([]uint8, smallV+smallH)
			for i := range state {
				state[i] = uint8(s >> i & 1)
			}
			z += math.Exp(-beta * r.Energy(state))
		}
		if k > 0 {
			// 0.05 is about 10 times what g fluctuates by at its last gain of 0.005.
			z1, _ := r.LogZ()
			if got, want := tr.fast.g[k], math.Log(z)-z1; math.Abs(got-want) > 0.05 {
				t.Errorf("log-weight of β = %v is %.3f, log Z is %.3f", beta, got, want)
			}
		}
		if math.Abs(visits[k]-1.0/3) > 0.02 {
			t.Errorf("level %d has %.3f of the visits", k, visits[k])
		}
	}
}

// TestSteps: decay acts on couplings alone, and momentum adds a share of the last step. With
// the machine held, trainers of one seed see the same gradients.
func TestSteps(t *testing.T) {
	r := single(t, smallRBM(t))
	d := smallData(37, 2)
	o := Options{Start: r, Epochs: 10, Batch: 37, Rate: Rate{Start: still}, Seed: 3}
	plain := gradients(mustNew(t, d, o), 3)
	o.Decay = 0.25
	decayed := gradients(mustNew(t, d, o), 3)
	o.Decay, o.Momentum = 0, 0.5
	moved := gradients(mustNew(t, d, o), 3)
	w := r.W()
	last := make([]float64, smallV*smallH+smallV+smallH)
	for u := range 3 {
		for k := range last {
			g := plain.At(u, k)
			want := g
			if k < smallV*smallH {
				want -= 0.25 * w.At(k/smallH, k%smallH)
			}
			if got := decayed.At(u, k); math.Abs(got-want) > 1e-6 {
				t.Errorf("update %d, number %d: step with decay %v, want %v", u, k, got, want)
			}
			last[k] = 0.5*last[k] + g
			if got := moved.At(u, k); math.Abs(got-last[k]) > 1e-6 {
				t.Errorf("update %d, number %d: step with momentum %v, want %v", u, k, got, last[k])
			}
		}
	}
}

// TestLearns: an update adds the step to the parameters, in both copies of the couplings.
func TestLearns(t *testing.T) {
	r := single(t, smallRBM(t))
	tr := mustNew(t, smallData(37, 2), Options{Start: r, Epochs: 10, Rate: Rate{Start: 0.5}, Seed: 3})
	tr.step()
	m := tr.m
	for i := range smallV {
		for j := range smallH {
			want := float32(r.W().At(i, j)) + tr.wv[m.at(i, j)]
			if got, turned := m.w[m.at(i, j)], m.wt[j*tile+i]; got != want || turned != want {
				t.Errorf("W[%d,%d] is %v and %v, want %v", i, j, got, turned, want)
			}
		}
		if want := float32(r.B()[i]) + tr.bv[i]; m.b[i] != want || tr.bv[i] == 0 {
			t.Errorf("b[%d] is %v, want %v", i, m.b[i], want)
		}
	}
	for j := range smallH {
		if want := float32(r.C()[j]) + tr.cv[j]; m.c[j] != want || tr.cv[j] == 0 {
			t.Errorf("c[%d] is %v, want %v", j, m.c[j], want)
		}
	}
}

package train

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/tempering"
)

// products are ⟨z_i z_j⟩ of neighbouring layers and ⟨z⟩ under the law of the machine, given v if
// it is not nil, by enumeration.
func products(m *boltzmann.Layered, v []uint8) (w []*mat.Dense, b []float64) {
	b = make([]float64, m.Dim())
	for l := range m.Layers() - 1 {
		from, to := m.Layer(l)
		_, next := m.Layer(l + 1)
		w = append(w, mat.NewDense(to-from, next-to, nil))
	}
	sum := 0.0
	for _, z := range states(m.Dim()) {
		if v != nil && !slices.Equal(z[:len(v)], v) {
			continue
		}
		p := math.Exp(-m.Energy(z))
		sum += p
		for k, on := range z {
			b[k] += p * float64(on)
		}
		for l, x := range w {
			from, to := m.Layer(l)
			_, next := m.Layer(l + 1)
			for i := from; i < to; i++ {
				for j := to; j < next; j++ {
					x.Set(i-from, j-to, x.At(i-from, j-to)+p*float64(z[i])*float64(z[j]))
				}
			}
		}
	}
	for _, x := range w {
		x.Scale(1/sum, x)
	}
	for k := range b {
		b[k] /= sum
	}
	return w, b
}

// flat are couplings, then biases, one after the other.
func flat(w []*mat.Dense, b []float64) (x []float64) {
	for _, w := range w {
		x = append(x, w.RawMatrix().Data...)
	}
	return append(x, b...)
}

// posterior are products given an image, averaged over images.
func posterior(m *boltzmann.Layered, images [][]uint8) []float64 {
	var sum []float64
	for _, v := range images {
		x := flat(products(m, v))
		if sum == nil {
			sum = make([]float64, len(x))
		}
		for i := range x {
			sum[i] += x[i] / float64(len(images))
		}
	}
	return sum
}

// posteriorLaw is the law of all units given an image, averaged over images.
func posteriorLaw(m *boltzmann.Layered, images [][]uint8) []float64 {
	all := states(m.Dim())
	_, nv := m.Layer(0)
	p, weight, given := make([]float64, len(all)), make([]float64, len(all)), make([]float64, 1<<nv)
	for s, z := range all {
		weight[s] = math.Exp(-m.Energy(z))
		given[s&(1<<nv-1)] += weight[s]
	}
	for _, v := range images {
		s := number(v)
		for h := s; h < len(all); h += 1 << nv {
			p[h] += weight[h] / given[s] / float64(len(images))
		}
	}
	return p
}

// number is the place of a state in states.
func number(z []uint8) (s int) {
	for i, on := range z {
		s |= int(on) << i
	}
	return s
}

// meanFieldLaw is the law of all units when those of the hidden layers are on independently
// with their mean-field probabilities given an image, averaged over images.
func meanFieldLaw(t testing.TB, m *boltzmann.Layered, images [][]uint8) []float64 {
	t.Helper()
	d, err := NewDeepModel(m, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, b := d.parts()
	all := states(m.Dim())
	p := make([]float64, len(all))
	for _, v := range images {
		mu := slices.Concat(solved(w, b, v)...)
		for s, z := range all {
			q := 1 / float64(len(images))
			for k, on := range z {
				q *= math.Abs(float64(1-on) - mu[k])
			}
			p[s] += q
		}
	}
	return p
}

// afterCD are products after k sweeps from the law p, by all states.
func afterCD(m *boltzmann.Layered, p []float64, k int) []float64 {
	all := states(m.Dim())
	p, weight := slices.Clone(p), make([]float64, len(all))
	for s, z := range all {
		weight[s] = math.Exp(-m.Energy(z))
	}
	var half [2]int // masks of even and odd layers
	for l := range m.Layers() {
		from, to := m.Layer(l)
		half[l%2] |= 1<<to - 1<<from
	}
	for range k {
		for draw := 1; draw >= 0; draw-- { // odd layers, then even ones
			old, sum := map[int]float64{}, map[int]float64{}
			for s := range all {
				old[s&half[1-draw]] += p[s]
				sum[s&half[1-draw]] += weight[s]
			}
			for s := range all {
				p[s] = old[s&half[1-draw]] * weight[s] / sum[s&half[1-draw]]
			}
		}
	}
	var x []float64
	for l := range m.Layers() - 1 {
		from, to := m.Layer(l)
		_, next := m.Layer(l + 1)
		for i := from; i < to; i++ {
			for j := to; j < next; j++ {
				sum := 0.0
				for s, q := range p {
					sum += q * float64(s>>i&1*(s>>j&1))
				}
				x = append(x, sum)
			}
		}
	}
	for i := range m.Dim() {
		sum := 0.0
		for s, q := range p {
			sum += q * float64(s>>i&1)
		}
		x = append(x, sum)
	}
	return x
}

// counted are the products that a term of the last update was made of: 0 batch, 1 chains.
func (t *DeepTrainer) counted(term int) (x []float64) {
	f := t.mean[term]
	rows := float64(f[0].Rows)
	for l := range f[1:] {
		for i := range f[l].Cols {
			for j := range f[l+1].Cols {
				sum := 0.0
				for r := range f[l].Rows {
					sum += float64(f[l].Row(r)[i]) * float64(f[l+1].Row(r)[j])
				}
				x = append(x, sum/rows)
			}
		}
	}
	for l := range f {
		for i := range f[l].Cols {
			sum := 0.0
			for r := range f[l].Rows {
				sum += float64(f[l].Row(r)[i])
			}
			x = append(x, sum/rows)
		}
	}
	return x
}

// stepped are the steps of the last update, over the rate.
func (t *DeepTrainer) stepped() (x []float64) {
	for _, s := range t.step {
		x = append(x, doubles(s.Data)...)
	}
	for _, s := range t.biasStep {
		x = append(x, doubles(s)...)
	}
	for i := range x {
		x[i] /= still
	}
	return x
}

// deepImages are three images of so many pixels.
func deepImages(n int) [][]uint8 {
	images := [][]uint8{{1, 0, 1, 1}, {0, 0, 1, 0}, {1, 1, 0, 1}}
	for i := range images {
		images[i] = images[i][:n]
	}
	return images
}

// TestDeepGradient: with the machine held, the first term of an update with Clamped, the second
// with PCD, CAST and CD-1, and the whole are what enumeration says; with mean field the chains of
// CD-1 begin with its probabilities. Means over 50 blocks of 8
// updates count as independent; 560 numbers with |t_49| < 5: false alarms 4e-3 of the time for
// an arbitrary seed.
func TestDeepGradient(t *testing.T) {
	for _, sizes := range [][]int{{4, 3, 2}, {3, 3, 2, 2}} {
		m := drawDeep(t, 1, .8, sizes...)
		images := deepImages(sizes[0])
		for _, c := range []struct {
			o    Options
			want []float64
		}{
			{Options{Method: PCD}, flat(products(m, nil))},
			{Options{Method: CAST, Cast: CastOptions{Ladder: tempering.Ladder{1, .7, .3}, SwapEvery: 2, Gain: 1e-9}}, flat(products(m, nil))},
			{Options{Method: CD, Steps: 1}, afterCD(m, posteriorLaw(m, images), 1)},
			{Options{Method: CD, Steps: 1, Seed: 1}, afterCD(m, meanFieldLaw(t, m, images), 1)},
		} {
			meanField := c.o.Seed == 1 // the first term has its own test
			t.Run(fmt.Sprint(sizes, c.o.Method, meanField), func(t *testing.T) {
				o := DeepOptions{Options: c.o, Inference: 20, Clamped: !meanField, StartLayered: m}
				o.Epochs, o.Batch, o.Rate, o.Seed, o.Parallel = 1<<19, 150, Rate{Start: still}, 3, 1
				if o.Method != CD {
					o.Chains, o.Steps = 150, 8
				}
				d := Data{}
				for range 50 { // one image alone would be a noisy batch
					d.Images = append(d.Images, images...)
				}
				tr := mustNewDeep(t, d, o)
				for range 5 {
					tr.advance()
				}
				pos := posterior(m, images)
				const blocks, updates = 50, 8
				var got [3][]*[blocks]float64
				for b := range blocks {
					for range updates {
						tr.advance()
						for k, x := range [][]float64{tr.counted(0), tr.counted(1), tr.stepped()} {
							for i, v := range x {
								if len(got[k]) <= i {
									got[k] = append(got[k], new([blocks]float64))
								}
								got[k][i][b] += v / updates
							}
						}
					}
				}
				for k, want := range [][]float64{pos, c.want, minus(pos, c.want)} {
					name := []string{"images", "chains", "update"}[k]
					if meanField && k != 1 {
						continue
					}
					for i, w := range want {
						mean, sd := stat.MeanStdDev(got[k][i][:], nil)
						// Pixels are held, so products with them may have no spread but that of rounding.
						if se := sd/math.Sqrt(blocks) + 2e-7; math.Abs(mean-w) > 5*se || se > .005 {
							t.Errorf("%s: number %d is %.6f ± %.6f, exact %.6f", name, i, mean, se, w)
						}
					}
				}
			})
		}
	}
}

// TestDeepCDBiased: what TestDeepGradient compares CD with is not the law of the machine.
func TestDeepCDBiased(t *testing.T) {
	m := drawDeep(t, 1, .8, 4, 3, 2)
	far := 0.0
	law := flat(products(m, nil))
	for i, x := range afterCD(m, posteriorLaw(m, deepImages(4)), 1) {
		far = max(far, math.Abs(x-law[i]))
	}
	// Five standard errors of TestDeepGradient are .01 or so.
	if far < .02 {
		t.Errorf("CD is within %v of the law: TestDeepGradient cannot tell", far)
	}
	for i, x := range afterCD(m, posteriorLaw(m, deepImages(4)), 300) {
		if math.Abs(x-law[i]) > 1e-9 {
			t.Errorf("number %d is %v after 300 sweeps, must be %v", i, x, law[i])
		}
	}
}

// solved are the visible units and the mean-field solution given them, by layer.
func solved(w []*mat.Dense, b [][]float64, v []uint8) [][]float64 {
	mu := [][]float64{nil}
	for _, on := range v {
		mu[0] = append(mu[0], float64(on))
	}
	for _, x := range b[1:] {
		mu = append(mu, slices.Repeat([]float64{.5}, len(x)))
	}
	for range 400 {
		for l := 1; l < len(b); l++ {
			for j := range mu[l] {
				x := below(w, b, mu, l, j)
				if l < len(w) {
					for k, q := range mu[l+1] {
						x += q * w[l].At(j, k)
					}
				}
				mu[l][j] = 1 / (1 + math.Exp(-x))
			}
		}
	}
	return mu
}

// below is b_l + μ_{l−1} W_{l−1} of unit j.
func below(w []*mat.Dense, b, mu [][]float64, l, j int) float64 {
	x := b[l][j]
	for i, q := range mu[l-1] {
		x += q * w[l-1].At(i, j)
	}
	return x
}

// meanFieldBound is the mean of the variational bound on log Σ_h exp(−E(v, h)) at the mean-field
// solution, in double precision: Σ_l (b_lᵀμ_l + μ_{l−1}ᵀW_{l−1}μ_l) + entropy.
func meanFieldBound(w []*mat.Dense, b [][]float64, images [][]uint8) float64 {
	sum := 0.0
	for _, v := range images {
		mu := solved(w, b, v)
		for i, q := range mu[0] {
			sum += q * b[0][i]
		}
		for l := 1; l < len(b); l++ {
			for j, q := range mu[l] {
				sum += q*below(w, b, mu, l, j) + entropy(q)
			}
		}
	}
	return sum / float64(len(images))
}

// TestDeepTempered: with all log-weights 0, the fast chains of CAST are at level k in proportion
// to Z(β_k), with the mean energy of p^β_k there. 100 blocks of 40 updates of 64 chains count as
// independent; 6 numbers with |t_99| < 5: false alarms 2e-5 of the time.
func TestDeepTempered(t *testing.T) {
	m := drawDeep(t, 1, .8, 4, 3, 2)
	ladder := tempering.Ladder{1, .8, .5}
	tr, err := NewDeep(Data{Images: deepImages(4)}, DeepOptions{StartLayered: m, Inference: 1, Options: Options{Method: CAST, Epochs: 1 << 20,
		Chains: 64, Rate: Rate{Start: still}, Cast: CastOptions{Ladder: ladder, Gain: 1e-12, SwapEvery: 3}, Seed: 9}})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		tr.advance()
	}
	const blocks, updates = 100, 40
	var share, energy [3][]float64
	for range blocks {
		var n, e [3]float64
		for range updates {
			tr.advance()
			for i, c := range tr.fast.chains {
				var z []uint8
				for _, layer := range tr.chain.z {
					for _, on := range layer.Row(c.row) {
						z = append(z, uint8(on))
					}
				}
				n[tr.fast.level[i]] += 1. / updates / 64
				e[tr.fast.level[i]] += m.Energy(z) / updates / 64
			}
		}
		for k := range n {
			share[k], energy[k] = append(share[k], n[k]), append(energy[k], e[k])
		}
	}
	var z, u [3]float64 // Σ exp(−βE), and with E
	for _, s := range states(m.Dim()) {
		for k, beta := range ladder {
			w := math.Exp(-beta * m.Energy(s))
			z[k] += w
			u[k] += w * m.Energy(s)
		}
	}
	check := func(what string, x []float64, want float64) {
		t.Helper()
		mean, sd := stat.MeanStdDev(x, nil)
		if se := sd / math.Sqrt(blocks); !(math.Abs(mean-want) < 5*se) || se > .02 {
			t.Errorf("%s is %.5f ± %.5f, exact %.5f", what, mean, se, want)
		}
	}
	for k, beta := range ladder {
		check(fmt.Sprintf("share of β = %v", beta), share[k], z[k]/(z[0]+z[1]+z[2]))
		check(fmt.Sprintf("energy at β = %v times share", beta), energy[k], u[k]/(z[0]+z[1]+z[2]))
	}
	if tr.fast.swaps == 0 {
		t.Error("no swaps")
	}
}

// TestMeanFieldGradient: the first term of an update with mean field is the gradient of the
// variational bound by central differences, to 1e-6.
func TestMeanFieldGradient(t *testing.T) {
	for _, sizes := range [][]int{{4, 3, 2}, {3, 3, 2, 2}, {4, 5}} {
		m := drawDeep(t, 2, .7, sizes...)
		images := deepImages(sizes[0])
		tr, err := NewDeep(Data{Images: images}, DeepOptions{Inference: 200, StartLayered: m,
			Options: Options{Epochs: 1, Rate: Rate{Start: still}}})
		if err != nil {
			t.Fatal(err)
		}
		tr.advance()
		d, err := NewDeepModel(m, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		w, b := d.parts()
		var parameters []*float64
		for _, x := range w {
			for i := range x.RawMatrix().Data {
				parameters = append(parameters, &x.RawMatrix().Data[i])
			}
		}
		for _, x := range b {
			for i := range x {
				parameters = append(parameters, &x[i])
			}
		}
		worst := 0.0
		for i, got := range tr.counted(0) {
			const h = 1e-4
			x := *parameters[i]
			*parameters[i] = x + h
			up := meanFieldBound(w, b, images)
			*parameters[i] = x - h
			down := meanFieldBound(w, b, images)
			*parameters[i] = x
			want := (up - down) / (2 * h)
			worst = max(worst, math.Abs(got-want))
			if math.Abs(got-want) > 1e-6 {
				t.Errorf("%v: number %d is %.8f, difference of the bound %.8f", sizes, i, got, want)
			}
		}
		t.Logf("%v: within %.1e", sizes, worst)
		// The bound that models report is that function.
		n, f, err := d.reader(3, 1)
		if err != nil {
			t.Fatal(err)
		}
		for r, v := range images {
			numbers(f.z[0].Row(r), v)
		}
		n.meanField(f, 200)
		got := make([]float64, 3)
		n.bounds(got, f)
		n.team.Close()
		if want := meanFieldBound(w, b, images); math.Abs(stat.Mean(got, nil)-want) > 1e-5 {
			t.Errorf("%v: bound %v, must be %v", sizes, stat.Mean(got, nil), want)
		}
	}
}

// TestDeepSteps: decay acts on couplings alone, and momentum adds a share of the last step. With
// the machine held, trainers of one seed see the same gradients.
func TestDeepSteps(t *testing.T) {
	m := drawDeep(t, 4, .8, 4, 3, 2)
	run := func(decay, momentum float64) (x [][]float64) {
		tr, err := NewDeep(Data{Images: deepImages(4)}, DeepOptions{StartLayered: m,
			Options: Options{Epochs: 3, Rate: Rate{Start: still}, Decay: decay, Momentum: momentum}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			tr.advance()
			x = append(x, tr.stepped())
		}
		return x
	}
	d, err := NewDeepModel(m, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, _ := d.parts()
	at := flat(w, make([]float64, m.Dim())) // biases do not decay
	plain, decayed, moved := run(0, 0), run(.25, 0), run(0, .5)
	last := make([]float64, len(at))
	for u := range plain {
		for i, g := range plain[u] {
			if want := g - .25*at[i]; math.Abs(decayed[u][i]-want) > 1e-6 {
				t.Errorf("update %d, number %d: step with decay %v, want %v", u, i, decayed[u][i], want)
			}
			last[i] = .5*last[i] + g
			if math.Abs(moved[u][i]-last[i]) > 1e-6 {
				t.Errorf("update %d, number %d: step with momentum %v, want %v", u, i, moved[u][i], last[i])
			}
		}
	}
}

// TestPretrainGradient: with the machine held, the mean step of a pair of layers is what the
// formulas say, with the states of the upper layer enumerated: inputs count twice but at the
// ends of the machine. 60 updates of 300 images count as independent; 38 numbers with |z| < 5.
func TestPretrainGradient(t *testing.T) {
	m := drawDeep(t, 9, 1, 4, 3, 2, 2)
	images := deepImages(4)
	d := Data{}
	for range 100 {
		d.Images = append(d.Images, images...)
	}
	tr := mustNewDeep(t, d, DeepOptions{StartLayered: m, Options: Options{Epochs: 1 << 20, Batch: 300, Rate: Rate{Start: still}}})
	model, err := NewDeepModel(m, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, b := model.parts()
	// layer is σ(b_k + times·in W), W from below or from above.
	layer := func(k int, in []float64, times float64, above bool) []float64 {
		out := make([]float64, len(b[k]))
		for j := range out {
			x := b[k][j]
			for i, v := range in {
				if above {
					x += times * v * w[k].At(j, i)
				} else {
					x += times * v * w[k-1].At(i, j)
				}
			}
			out[j] = 1 / (1 + math.Exp(-x))
		}
		return out
	}
	for l, times := range [][2]float64{{2, 1}, {2, 2}, {1, 2}} { // up, down
		nv, nh := len(b[l]), len(b[l+1])
		want := make([]float64, nv*nh+nv+nh)
		add := func(x, h []float64, scale float64) {
			for i, v := range x {
				for j, q := range h {
					want[i*nh+j] += scale * v * q
				}
				want[nv*nh+i] += scale * v
			}
			for j, q := range h {
				want[nv*nh+nv+j] += scale * q
			}
		}
		for _, image := range images {
			x := make([]float64, len(image))
			for i, on := range image {
				x[i] = float64(on)
			}
			for k := 1; k <= l; k++ {
				x = layer(k, x, 2, false)
			}
			h := layer(l+1, x, times[0], false)
			add(x, h, 1./3)
			for _, s := range states(nh) {
				p, state := 1./3, make([]float64, nh)
				for j, on := range s {
					state[j] = float64(on)
					p *= math.Abs(float64(1-on) - h[j])
				}
				v := layer(l, state, times[1], true)
				add(v, layer(l+1, v, times[0], false), -p)
			}
		}
		pair := newPair(tr, l)
		rows := mat.NewDense(60, len(want), nil)
		for u := range 60 {
			pair.learn(tr.images())
			x := slices.Concat(doubles(tr.step[l].Data), doubles(tr.biasStep[l]), doubles(tr.biasStep[l+1]))
			for i := range x {
				rows.Set(u, i, x[i]/still)
			}
		}
		for i, x := range want {
			mean, sd := stat.MeanStdDev(mat.Col(nil, i, rows), nil)
			if se := sd/math.Sqrt(60) + 2e-7; math.Abs(mean-x) > 5*se || se > .005 {
				t.Errorf("layers %d and %d: number %d is %.5f ± %.5f, exact %.5f", l, l+1, i, mean, se, x)
			}
		}
	}
}

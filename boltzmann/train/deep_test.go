package train

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

var longDeep = flag.Bool("long", false, "train machines of hundreds of hidden units on all of MNIST (minutes)")

// drawDeep is a machine with normal couplings in single precision.
func drawDeep(t testing.TB, seed uint64, sd float64, sizes ...int) *boltzmann.Layered {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	var w []mat.Matrix
	var b [][]float64
	draw := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(float32(sd * r.NormFloat64()))
		}
		return x
	}
	for l, n := range sizes {
		b = append(b, draw(n))
		if l > 0 {
			w = append(w, mat.NewDense(sizes[l-1], n, draw(sizes[l-1]*n)))
		}
	}
	m, err := boltzmann.NewLayered(w, b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// states are all states of n units.
func states(n int) [][]uint8 {
	s := make([][]uint8, 1<<n)
	for k := range s {
		s[k] = make([]uint8, n)
		for i := range s[k] {
			s[k][i] = uint8(k >> i & 1)
		}
	}
	return s
}

// visibleLaw is p(v) by enumeration.
func visibleLaw(m *boltzmann.Layered) []float64 {
	_, nv := m.Layer(0)
	p := make([]float64, 1<<nv)
	sum := 0.0
	for k, z := range states(m.Dim()) {
		e := math.Exp(-m.Energy(z))
		p[k&(1<<nv-1)] += e
		sum += e
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

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

// TestDeepGradient: many updates with a rate so small that the machine stays add up to the rate
// times the gradient. With Clamped it is that of the log-likelihood, by enumeration; every entry
// within 5 standard errors, false alarms below 1e-6 each. PCD and CAST.
func TestDeepGradient(t *testing.T) {
	for _, sizes := range [][]int{{4, 3, 2}, {3, 3, 2, 2}} {
		for _, method := range []Method{PCD, CAST} {
			t.Run(fmt.Sprint(sizes, method), func(t *testing.T) {
				m := drawDeep(t, 1, .8, sizes...)
				images := [][]uint8{{1, 0, 1, 1}, {0, 0, 1, 0}, {1, 1, 0, 1}}
				for i := range images {
					images[i] = images[i][:sizes[0]]
				}
				const rate, chains, parts, updates = 1e-9, 200, 20, 15
				o := DeepOptions{Options: Options{Epochs: 1 << 19, Batch: 3, Chains: chains, Steps: 10, Rate: Rate{Start: rate}, Method: method, Seed: 3},
					Inference: 30, Clamped: true, StartLayered: m}
				tr, err := NewDeep(Data{Images: images}, o)
				if err != nil {
					t.Fatal(err)
				}
				if err := tr.Run(context.Background(), 5); err != nil {
					t.Fatal(err)
				}
				neg, negBias := products(m, nil)
				var pos []*mat.Dense
				posBias := make([]float64, m.Dim())
				for _, v := range images {
					w, b := products(m, v)
					for l := range w {
						w[l].Scale(1./3, w[l])
						if len(pos) <= l {
							pos = append(pos, mat.NewDense(neg[l].RawMatrix().Rows, neg[l].RawMatrix().Cols, nil))
						}
						pos[l].Add(pos[l], w[l])
					}
					for k, x := range b {
						posBias[k] += x / 3
					}
				}
				// The steps of each part of the run, over the rate.
				sum := map[string][]float64{}
				square := map[string][]float64{}
				for range parts {
					part := map[string][]float64{}
					for range updates {
						if err := tr.Run(context.Background(), 1); err != nil {
							t.Fatal(err)
						}
						for _, p := range tr.parameters() {
							if part[p.name] == nil {
								part[p.name] = make([]float64, len(p.x))
							}
							for i, x := range p.x {
								part[p.name][i] += float64(x) / rate / updates
							}
						}
					}
					for name, x := range part {
						if sum[name] == nil {
							sum[name], square[name] = make([]float64, len(x)), make([]float64, len(x))
						}
						for i, v := range x {
							sum[name][i] += v / parts
							square[name][i] += v * v / parts
						}
					}
				}
				check := func(name string, i int, want float64) {
					t.Helper()
					mean := sum[name][i]
					se := math.Sqrt((square[name][i]-mean*mean)/(parts-1)) + 1e-4
					if math.Abs(mean-want) > 5*se || se > .05 {
						t.Errorf("%s[%d]: %v ± %v: must be %v", name, i, mean, se, want)
					}
				}
				for l := range neg {
					for i, x := range pos[l].RawMatrix().Data {
						check(fmt.Sprintf("step/W%d", l), i, x-neg[l].RawMatrix().Data[i])
					}
				}
				for l := range m.Layers() {
					from, to := m.Layer(l)
					for k := from; k < to; k++ {
						check(fmt.Sprintf("step/b%d", l), k-from, posBias[k]-negBias[k])
					}
				}
			})
		}
	}
}

// TestMeanFieldGradient: the positive phase is the gradient of the variational bound by finite
// differences, as μ is a stationary point of it.
func TestMeanFieldGradient(t *testing.T) {
	m := drawDeep(t, 2, .7, 4, 3, 3, 2)
	v := []float32{1, 0, 1, 1}
	bound := func(m *boltzmann.Layered) (float64, *DeepTrainer) {
		d, err := NewDeepModel(m, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := d.reader(1, 1)
		defer r.team.Close()
		r.o.Inference = 500
		copy(r.batch.z[0].Data, v)
		r.infer(r.batch)
		x := make([]float64, 1)
		r.bounds(x, r.batch)
		return x[0], r
	}
	_, r := bound(m)
	changed := func(l, i, j int, h float64) float64 {
		var w []mat.Matrix
		var b [][]float64
		for k := range m.Layers() {
			from, to := m.Layer(k)
			x := make([]float64, to-from)
			for i := range x {
				x[i] = m.Bias(from + i)
			}
			b = append(b, x)
			if k+1 < m.Layers() {
				y := m.Weight(k)
				if k == l {
					y.Set(i, j, y.At(i, j)+h)
				}
				w = append(w, y)
			}
		}
		c, err := boltzmann.NewLayered(w, b)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := bound(c)
		return x
	}
	for l := range 3 {
		rows, cols := m.Weight(l).Dims()
		for i := range rows {
			for j := range cols {
				const h = 1e-3
				fd := (changed(l, i, j, h) - changed(l, i, j, -h)) / (2 * h)
				if got := float64(r.batch.z[l].Data[i] * r.batch.z[l+1].Data[j]); math.Abs(got-fd) > 2e-4 {
					t.Errorf("W%d[%d,%d]: ⟨μμ⟩ = %v, difference of the bound %v", l, i, j, got, fd)
				}
			}
		}
	}
	// It is a bound.
	d, _ := NewDeepModel(m, 0, nil)
	e, err := d.LogLikelihood(context.Background(), Data{Images: states(4)}, EvidenceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, p := range visibleLaw(m) {
		want += math.Log(p) / 16
	}
	if !e.Exact || math.Abs(e.LogLikelihood-want) > 1e-9 || e.Bound > want || e.Bound < want-.5 {
		t.Errorf("log-likelihood %v, bound %v: must be %v, and a little less", e.LogLikelihood, e.Bound, want)
	}
}

// blocks are images of 3×3 that are all on or off in each row, with a label for the first row.
func blocks() Data {
	d := Data{Classes: 2}
	for _, s := range states(3) {
		x := make([]uint8, 9)
		for i := range x {
			x[i] = s[i/3]
		}
		d.Images = append(d.Images, x)
		d.Labels = append(d.Labels, s[0])
	}
	return d
}

// TestDeepLearns: all methods bring a 11-8-4 machine near a law that independent units miss by
// 5.5 nats, nearer with sampled than with mean-field positive phases, as the law is multimodal;
// exact divergences. Classes and generated images are right.
func TestDeepLearns(t *testing.T) {
	d := blocks()
	for _, c := range []struct {
		name string
		o    DeepOptions
	}{
		{"PCD", DeepOptions{Options: Options{Method: PCD, Steps: 10}}},
		{"PCD clamped", DeepOptions{Options: Options{Method: PCD, Steps: 10}, Clamped: true}},
		{"CD", DeepOptions{Options: Options{Method: CD, Steps: 5}}},
		{"CAST clamped", DeepOptions{Options: Options{Method: CAST, Steps: 3, Cast: CastOptions{Gain: .5, Tau: 200}}, Clamped: true}},
	} {
		c.o.Epochs, c.o.Batch, c.o.Layers, c.o.Seed, c.o.InitSD = 6000, 8, []int{8, 4}, 5, .3
		c.o.Decay = .001
		c.o.Rate = Rate{Start: .1, Shape: Linear, End: .002}
		if c.o.Method != CD {
			c.o.Chains = 40
		}
		tr, err := NewDeep(d, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		m, err := tr.Model(nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.LogLikelihood(context.Background(), d, EvidenceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		kl := -math.Log(8) - e.LogLikelihood
		t.Logf("%s: %.3f nats from the data, bound %.3f", c.name, kl, -math.Log(8)-e.Bound)
		// Independent units with rates ½ are 11 log 2 − log 8 = 5.5 nats away.
		if most := map[bool]float64{false: 1, true: .5}[c.o.Clamped]; kl > most || !e.Exact {
			t.Errorf("%s: %v nats from the data", c.name, kl)
		}
		got, err := m.Classify(d.Images, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, d.Labels) {
			t.Errorf("%s: classes %v: must be %v", c.name, got, d.Labels)
		}
		share, err := m.Vote(context.Background(), d.Images, SampleOptions{Seed: 4})
		if err != nil {
			t.Fatal(err)
		}
		if got := Winners(share); !slices.Equal(got, d.Labels) {
			t.Errorf("%s: votes %v for %v: must be %v", c.name, share, got, d.Labels)
		}
		right := 0
		for l := range 2 {
			images, err := m.Generate(context.Background(), l, 50, SampleOptions{Sweeps: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range images {
				if int(x[0]) == l && x[0] == x[1] && x[1] == x[2] {
					right++
				}
			}
		}
		if right < 80 {
			t.Errorf("%s: %d of 100 generated images have the row of their class", c.name, right)
		}
	}
}

// TestDeepSamplers: what was trained is sampled by the library's samplers with the exact marginals.
func TestDeepSamplers(t *testing.T) {
	tr, err := NewDeep(blocks(), DeepOptions{Options: Options{Epochs: 40, Batch: 8, InitSD: .3}, Layers: []int{3, 2}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	m, err := tr.Machine()
	if err != nil {
		t.Fatal(err)
	}
	_, want := products(m, nil)
	g, err := boltzmann.NewBlockGibbs(m, boltzmann.BlockGibbsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// 40 chains; the spread between them gives the errors.
	const chains = 40
	means := make([][]float64, chains)
	for c := range chains {
		if err := g.Reset(nil, rng.Stream(1, "deep", c)); err != nil {
			t.Fatal(err)
		}
		e := estimate.NewMarginals(m.Dim())
		if err := sampling.Run(context.Background(), g, sampling.Schedule{Warmup: 100, Duration: 2000}, e); err != nil {
			t.Fatal(err)
		}
		means[c] = e.Mean()
	}
	for k := range want {
		mean, ss := 0.0, 0.0
		for c := range chains {
			mean += means[c][k] / chains
		}
		for c := range chains {
			ss += (means[c][k] - mean) * (means[c][k] - mean)
		}
		if se := math.Sqrt(ss / chains / (chains - 1)); math.Abs(mean-want[k]) > 5*se {
			t.Errorf("unit %d is on for %v ± %v: must be %v", k, mean, se, want[k])
		}
	}
}

// TestDeepVote: shares are the posterior of the label units given the pixels, by enumeration.
func TestDeepVote(t *testing.T) {
	l := drawDeep(t, 11, .8, 5, 3, 2)
	m, err := NewDeepModel(l, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	images := make([][]uint8, 300)
	for i := range images {
		images[i] = []uint8{1, 0, 1}
	}
	share, err := m.Vote(context.Background(), images, SampleOptions{Burn: 50, Sweeps: 100})
	if err != nil {
		t.Fatal(err)
	}
	_, want := products(l, images[0])
	for c := range 2 {
		mean, ss := 0.0, 0.0
		for _, s := range share {
			mean += s[c] / 300
		}
		for _, s := range share {
			ss += (s[c] - mean) * (s[c] - mean)
		}
		// 300 independent chains: 5 standard errors, false alarms below 1e-6.
		if se := math.Sqrt(ss / 300 / 299); math.Abs(mean-want[3+c]) > 5*se || se > .01 {
			t.Errorf("label %d is on for %v ± %v: must be %v", c, mean, se, want[3+c])
		}
	}
}

func deepOptions(method Method, parallel int) DeepOptions {
	o := DeepOptions{Options: Options{Epochs: 30, Batch: 3, Method: method, Steps: 2, Momentum: .5, Decay: .01, Seed: 9, Parallel: parallel, InitSD: .2}, Layers: []int{5, 4}}
	if method == CAST {
		o.Cast.SwapEvery = 2
	}
	return o
}

// TestDeepResumeInvariance: resumed training and other numbers of goroutines give the same bits.
func TestDeepResumeInvariance(t *testing.T) {
	d := blocks()
	for _, method := range []Method{PCD, CD, CAST} {
		for _, clamped := range []bool{false, true} {
			o := deepOptions(method, 1)
			o.Clamped = clamped
			whole, err := NewDeep(d, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := whole.Run(context.Background(), 0); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "c.npz")
			o.Parallel = 3
			part, err := NewDeep(d, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := part.Run(context.Background(), 41); err != nil {
				t.Fatal(err)
			}
			if err := part.Checkpoint(path); err != nil {
				t.Fatal(err)
			}
			o.Parallel = 2
			rest, err := ResumeDeep(path, d, o)
			if err != nil {
				t.Fatal(err)
			}
			if rest.Update() != 41 {
				t.Errorf("resumed at update %d: must be 41", rest.Update())
			}
			if err := rest.Run(context.Background(), 0); err != nil {
				t.Fatal(err)
			}
			a, b := whole.parameters(), rest.parameters()
			for i := range a {
				if !reflect.DeepEqual(a[i], b[i]) {
					t.Fatalf("%v, clamped %v: %s differs", method, clamped, a[i].name)
				}
			}
			if !reflect.DeepEqual(whole.Progress(), rest.Progress()) {
				t.Errorf("%v: %+v and %+v", method, whole.Progress(), rest.Progress())
			}
			// Other options, other data and damaged files are refused.
			if _, err := ResumeDeep(path, d, deepOptions(PCD, 1)); method != PCD && err == nil {
				t.Error("other options: no error")
			}
			other := blocks()
			other.Images[0][4] ^= 1
			if _, err := ResumeDeep(path, other, o); err == nil {
				t.Error("other data: no error")
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, raw[:len(raw)-20], 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ResumeDeep(path, d, o); err == nil {
				t.Error("cut file: no error")
			}
		}
	}
}

func TestDeepCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := deepOptions(PCD, 0)
	o.OnProgress = func(p Progress) {
		if p.Update == 7 {
			cancel()
		}
	}
	tr, err := NewDeep(blocks(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(ctx, 0); !errors.Is(err, context.Canceled) || tr.Update() != 7 || tr.Done() {
		t.Errorf("%v after %d updates", err, tr.Update())
	}
	if _, err := Pretrain(ctx, blocks(), o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestDeepFile: a model comes back from its file, and damaged files are refused.
func TestDeepFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.npz")
	m, err := NewDeepModel(drawDeep(t, 4, 1, 5, 3, 4, 2), 2, map[string]string{"made": "by hand"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := LoadDeep(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, got) || got.Pixels() != 3 || got.Classes() != 2 || got.Meta()["made"] != "by hand" || got.Machine().Layers() != 4 {
		t.Errorf("%+v", got)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadDeep(path); err == nil {
		t.Error("damaged file: no error")
	}
	if _, err := LoadDeep(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestHalves: a layered machine is the restricted one of its odd and even layers.
func TestHalves(t *testing.T) {
	l := drawDeep(t, 5, 1, 3, 4, 2, 3)
	m, _ := NewDeepModel(l, 0, nil)
	r, err := m.halves()
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range states(12) {
		y := slices.Concat(z[:3], z[7:9], z[3:7], z[9:])
		if math.Abs(l.Energy(z)-r.Energy(y)) > 1e-12 {
			t.Fatalf("%v: energies %v and %v", z, l.Energy(z), r.Energy(y))
		}
	}
}

func TestDeepRefusals(t *testing.T) {
	d := blocks()
	for name, change := range map[string]func(*DeepOptions){
		"no layers":   func(o *DeepOptions) { o.Layers = nil },
		"empty layer": func(o *DeepOptions) { o.Layers = []int{3, 0} },
		"hidden":      func(o *DeepOptions) { o.Hidden = 3 },
		"start": func(o *DeepOptions) {
			o.Start, _ = boltzmann.NewRBM(mat.NewDense(11, 3, nil), make([]float64, 11), make([]float64, 3))
		},
		"inference":   func(o *DeepOptions) { o.Inference = -1 },
		"epochs":      func(o *DeepOptions) { o.Epochs = 0 },
		"rate":        func(o *DeepOptions) { o.Rate.Start = math.NaN() },
		"momentum":    func(o *DeepOptions) { o.Momentum = 1 },
		"start sizes": func(o *DeepOptions) { o.StartLayered = drawDeep(t, 1, 1, 10, 5, 4) },
		"start depth": func(o *DeepOptions) { o.StartLayered = drawDeep(t, 1, 1, 11, 5) },
		"start large": func(o *DeepOptions) { o.StartLayered, o.Layers = drawDeep(t, 1, 1e38, 11, 5, 4), nil },
	} {
		o := deepOptions(PCD, 1)
		change(&o)
		if _, err := NewDeep(d, o); err == nil && name != "start large" {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewDeep(Data{}, deepOptions(PCD, 1)); err == nil {
		t.Error("no data: no error")
	}
	m, _ := NewDeepModel(drawDeep(t, 4, 1, 5, 3, 4), 2, nil)
	plain, _ := NewDeepModel(drawDeep(t, 4, 1, 5, 3, 4), 0, nil)
	ctx := context.Background()
	for name, f := range map[string]func() error{
		"machine nil":     func() error { _, err := NewDeepModel(nil, 0, nil); return err },
		"classes":         func() error { _, err := NewDeepModel(m.Machine(), 5, nil); return err },
		"no images":       func() error { _, err := m.Classify(nil, 0); return err },
		"pixels":          func() error { _, err := m.Classify([][]uint8{{1}}, 0); return err },
		"not binary":      func() error { _, err := m.Classify([][]uint8{{1, 2, 0}}, 0); return err },
		"parallel":        func() error { _, err := m.Classify([][]uint8{{1, 1, 0}}, -1); return err },
		"no classes":      func() error { _, err := plain.Classify([][]uint8{{1, 1, 0, 0, 0}}, 0); return err },
		"class":           func() error { _, err := m.Generate(ctx, 2, 1, SampleOptions{}); return err },
		"number":          func() error { _, err := m.Generate(ctx, 1, 0, SampleOptions{}); return err },
		"burn":            func() error { _, err := m.Generate(ctx, 1, 1, SampleOptions{Burn: -1}); return err },
		"other data":      func() error { _, err := m.LogLikelihood(ctx, d, EvidenceOptions{}); return err },
		"negative run":    func() error { tr, _ := NewDeep(d, deepOptions(PCD, 1)); return tr.Run(ctx, -1) },
		"vote":            func() error { _, err := m.Vote(ctx, [][]uint8{{1, 1, 0}}, SampleOptions{Sweeps: -1}); return err },
		"vote pixels":     func() error { _, err := m.Vote(ctx, [][]uint8{{1, 1}}, SampleOptions{}); return err },
		"vote classes":    func() error { _, err := plain.Vote(ctx, [][]uint8{{1, 1, 0, 0, 0}}, SampleOptions{}); return err },
		"nothing to read": func() error { _, err := LoadDeep(t.TempDir()); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// digits are digits of 12×12 with labels.
func digits12(t *testing.T, s *data.Set) Data {
	t.Helper()
	s, err := s.Digits12()
	if err != nil {
		t.Fatal(err)
	}
	bits, err := s.Bits(.5, false)
	if err != nil {
		t.Fatal(err)
	}
	return Data{Images: bits, Labels: s.Labels, Classes: 10}
}

// TestDeepDigits: 144-100-50 on 1000 digits of 12×12, layers pretrained; the accuracy on 500 test
// digits is far above what a linear guess by the mean images gives there (about 70 %).
func TestDeepDigits(t *testing.T) {
	split, err := data.MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	trainDeepDigits(t, digits12(t, split.Train), digits12(t, split.Test), []int{100, 50}, 60, 30, .8)
}

// TestDeepMNIST is 784-500-500 on all of MNIST.
func TestDeepMNIST(t *testing.T) {
	if !*longDeep {
		t.Skip("-long")
	}
	split, err := data.MNIST(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	set := func(s *data.Set) Data {
		bits, err := s.Bits(.5, false)
		if err != nil {
			t.Fatal(err)
		}
		return Data{Images: bits, Labels: s.Labels, Classes: 10}
	}
	trainDeepDigits(t, set(split.Train), set(split.Test), []int{500, 500}, 5, 15, .95)
}

func trainDeepDigits(t *testing.T, d, test Data, layers []int, pre, epochs int, least float64) {
	o := DeepOptions{Options: Options{Epochs: pre, Batch: 50, Rate: Rate{Start: .05}, Momentum: .5, Decay: 2e-4, Seed: 1}, Layers: layers}
	start, err := Pretrain(context.Background(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	o.StartLayered, o.Epochs, o.Chains, o.Steps, o.Momentum = start, epochs, 100, 3, 0
	o.Rate = Rate{Start: .02, Shape: Linear, End: .001}
	tr, err := NewDeep(d, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	m, err := tr.Model(nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := NewDeepModel(start, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		m    *DeepModel
	}{{"pretrained", first}, {"trained", m}} {
		got, err := x.m.Classify(test.Images, 0)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Accuracy(got, test.Labels)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v, %d images, %s: accuracy %.4f", layers, len(d.Images), x.name, a)
		if x.m == m && a < least {
			t.Errorf("accuracy %v: must be at least %v", a, least)
		}
	}
}

func BenchmarkDeepUpdate(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	d := Data{}
	for range 100 {
		x := make([]uint8, 784)
		for i := range x {
			x[i] = uint8(r.IntN(5) / 4)
		}
		d.Images = append(d.Images, x)
	}
	tr, err := NewDeep(d, DeepOptions{Options: Options{Epochs: 1 << 20, Batch: 100}, Layers: []int{500, 500}})
	if err != nil {
		b.Fatal(err)
	}
	tr.team = linalg.NewTeam(0)
	defer tr.team.Close()
	for b.Loop() {
		tr.learn()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(784+500+500)/100/11, "ns/unit-sweep")
}

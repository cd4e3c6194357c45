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
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/npy"
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

// TestDeepLearns: all methods bring a 11-8-4 machine within a fifth of what independent units
// miss the law by; exact divergences. Classes, votes and generated images are right.
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
		tr := mustNewDeep(t, d, c.o)
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
		if kl > 1.1 || !e.Exact {
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

func deepOptions(method Method, parallel int) DeepOptions {
	o := DeepOptions{Options: Options{Epochs: 30, Batch: 3, Method: method, Steps: 2, Momentum: .5, Decay: .01, Seed: 9, Parallel: parallel, InitSD: .2}, Layers: []int{5, 4}}
	if method == CAST {
		o.Cast.SwapEvery = 2
	}
	return o
}

// deepImage is all numbers that training goes on from.
func deepImage(t testing.TB, tr *DeepTrainer) string {
	t.Helper()
	a, err := tr.archive()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := npy.WriteZip(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDeepResume: training that is stopped at any update and resumed, with any parallelism, ends
// with the same bits as one that is not.
func TestDeepResume(t *testing.T) {
	d := smallData(60, 11)
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	rapid.Check(t, func(rt *rapid.T) {
		o := DeepOptions{Options: anyOptions(rt), Layers: rapid.SliceOfN(rapid.IntRange(1, 40), 1, 3).Draw(rt, "layers"),
			Inference: rapid.IntRange(1, 4).Draw(rt, "inference"), Clamped: rapid.Bool().Draw(rt, "clamped")}
		o.Hidden = 0
		whole := mustNewDeep(t, d, o)
		o.Parallel = rapid.IntRange(0, 3).Draw(rt, "parallel")
		resumes(rt, t.Context(), path, whole, mustNewDeep(t, d, o), func() (*DeepTrainer, error) { return ResumeDeep(path, d, o) },
			func(x *DeepTrainer) string { return deepImage(t, x) + fmt.Sprint(x.Progress()) })
	})
}

// digitLike are images of 784 pixels of which about 100 are on, as of MNIST.
func digitLike(n int) Data {
	r := rand.New(rand.NewPCG(1, 2))
	d := Data{Classes: 10}
	for i := range n {
		x := make([]uint8, 784)
		for k := range x {
			if r.IntN(784) < 100 {
				x[k] = 1
			}
		}
		d.Images, d.Labels = append(d.Images, x), append(d.Labels, uint8(i%10))
	}
	return d
}

// TestDeepInvariance: neither processors nor goroutines change a bit, nor does the path of
// the kernels of gibbskernel. Sizes are large enough for products to be shared out.
func TestDeepInvariance(t *testing.T) {
	d := digitLike(90)
	for _, method := range []Method{PCD, CD, CAST} {
		t.Run(method.String(), func(t *testing.T) {
			invariant(t, func(parallel int, seed uint64) string {
				tr := mustNewDeep(t, d, DeepOptions{Options: Options{Method: method, Epochs: 1, Batch: 40, Momentum: .5, Decay: 1e-4, Seed: seed, Parallel: parallel},
					Layers: []int{70, 33, 18}, Inference: 2, Clamped: method == CD})
				if err := tr.Run(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				return deepImage(t, tr)
			})
		})
	}
}

// TestDeepResumeErrors: a checkpoint of other data or options, and one that is cut or says
// what cannot be, is refused.
func TestDeepResumeErrors(t *testing.T) {
	d, o := blocks(), deepOptions(CAST, 1)
	o.Clamped = true
	tr := mustNewDeep(t, d, o)
	if err := tr.Run(t.Context(), 41); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "c.npz")
	if err := tr.Checkpoint(path); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*DeepOptions)
		words  string
	}{
		{func(o *DeepOptions) { o.Decay = .1 }, "other options Decay\":0.1"},
		{func(o *DeepOptions) { o.Layers = []int{5, 3} }, "other options [5,3]"},
		{func(o *DeepOptions) { o.Clamped = false }, "other options Clamped\":false"},
		{func(o *DeepOptions) { o.Inference = 3 }, "other options Inference\":3"},
	} {
		other := o
		c.change(&other)
		if _, err := ResumeDeep(path, d, other); err == nil || !holds(err.Error(), "train: checkpoint "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	other := blocks()
	other.Images[0][4] ^= 1
	if _, err := ResumeDeep(path, other, o); err == nil || !holds(err.Error(), "train: checkpoint other data") {
		t.Errorf("other data: %v", err)
	}
	if _, err := ResumeDeep(path, Data{}, o); err == nil {
		t.Error("no data: no error")
	}
	if _, err := ResumeDeep(filepath.Join(dir, "none.npz"), d, o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := tr.Checkpoint(filepath.Join(dir, "none", "c.npz")); err == nil {
		t.Error("no directory: no error")
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 101 {
		if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ResumeDeep(path, d, o); err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(whole))
		}
	}
	for _, c := range []struct {
		name  string
		x     npy.Array
		words string
	}{
		{"update", npy.New([]int64{91}), "91 updates 90"},
		{"W1", npy.New(make([]float32, 20), 4, 5), "W1 (5, 4)"},
		{"b2", npy.New([]float32{0, 0, 0, float32(math.NaN())}, 4), "entry 3 b2 NaN"},
		{"chains/z", npy.New(slices.Repeat([]uint8{2}, 60), 3, 20), "unit 0 chain 0 chains/z 2"},
		{"chains/streams", npy.New(make([]int64, 48), 3, 16), "zero chains/streams"},
		{"clamped/streams", npy.New(make([]int64, 48), 3, 16), "zero clamped/streams"},
		{"cast/z", npy.New(make([]uint8, 20), 1, 20), "cast/z (3, 20)"},
		{"cast/level", npy.New(slices.Repeat([]int64{10}, 3), 3), "level 10 0 to 9"},
		{"hash", npy.New(make([]uint8, 3), 3), "hash"},
	} {
		a, err := tr.archive()
		if err != nil {
			t.Fatal(err)
		}
		a[slices.IndexFunc(a, func(e npy.Entry) bool { return e.Name == c.name })].Array = c.x
		if err := npy.WriteZipFile(path, a); err != nil {
			t.Fatal(err)
		}
		if _, err := ResumeDeep(path, d, o); err == nil || !holds(err.Error(), "train: checkpoint "+c.words) {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, c.words)
		}
	}
}

func TestDeepDiverged(t *testing.T) {
	o := deepOptions(PCD, 1)
	o.Rate = Rate{Start: 1e300}
	tr := mustNewDeep(t, blocks(), o)
	if err := tr.Run(t.Context(), 0); !errors.Is(err, errDiverged) {
		t.Errorf("error %v", err)
	}
	if _, err := tr.Machine(); !errors.Is(err, errDiverged) {
		t.Errorf("Machine: error %v", err)
	}
	path := filepath.Join(t.TempDir(), "run.npz") // a good checkpoint is not lost to it
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tr.Checkpoint(path); !errors.Is(err, errDiverged) {
		t.Errorf("Checkpoint: error %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
		t.Errorf("the old checkpoint is %q, %v", b, err)
	}
	if _, err := Pretrain(t.Context(), blocks(), o); !errors.Is(err, errDiverged) {
		t.Errorf("Pretrain: error %v", err)
	}
}

// balanced is m with biases that make a unit as likely on as off when half of its neighbours
// are on.
func balanced(t testing.TB, m *boltzmann.Layered) *boltzmann.Layered {
	t.Helper()
	d, err := NewDeepModel(m, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, b := d.parts()
	for _, x := range b {
		clear(x)
	}
	var all []mat.Matrix
	for l, x := range w {
		for i := range b[l] {
			for j := range b[l+1] {
				b[l][i] -= x.At(i, j) / 2
				b[l+1][j] -= x.At(i, j) / 2
			}
		}
		all = append(all, x)
	}
	if m, err = boltzmann.NewLayered(all, b); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDeepTeacher: on data with the law of a machine, that machine stays what it is but for
// the noise of the updates, and one that begins with nothing learns the law. Exact divergences
// of the data from the machines. With 400 images and 400 chains in an update the noise keeps a
// machine of d = 32 parameters about rate·d/4·(1/400 + 1/400) = 8e-4 nats from the optimum.
func TestDeepTeacher(t *testing.T) {
	teacher := balanced(t, drawDeep(t, 6, 2.5, 5, 3, 2))
	var d Data
	p := make([]float64, 32) // of the data
	for s, q := range visibleLaw(teacher) {
		for range int(math.Round(q * 4000)) {
			d.Images = append(d.Images, states(5)[s])
		}
		p[s] = math.Round(q * 4000)
	}
	divergence := func(m *boltzmann.Layered) (kl float64) {
		for s, q := range visibleLaw(m) {
			if x := p[s] / float64(len(d.Images)); x > 0 {
				kl += x * math.Log(x/q)
			}
		}
		return kl
	}
	independent := 0.0
	for i := range 5 {
		on := 0.0
		for _, x := range d.Images {
			on += float64(x[i]) / float64(len(d.Images))
		}
		independent += entropy(on)
	}
	for s, x := range p {
		if x > 0 {
			independent += x / float64(len(d.Images)) * math.Log(p[s]/float64(len(d.Images)))
		}
	}
	o := DeepOptions{Clamped: true, Inference: 5, Options: Options{Epochs: 100, Batch: 400, Steps: 3, Rate: Rate{Start: .02}, Seed: 3}}
	run := func(start *boltzmann.Layered) *boltzmann.Layered {
		o.StartLayered = start
		tr := mustNewDeep(t, d, o)
		if err := tr.Run(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		m, err := tr.Machine()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	stayed := divergence(run(teacher))
	o.Layers, o.InitSD, o.Epochs, o.Rate = []int{3, 2}, .1, 250, Rate{Start: .1, Shape: Linear, End: .01}
	learned := divergence(run(nil))
	t.Logf("teacher %.5f, stayed %.5f, learned %.4f, independent units %.4f nats", divergence(teacher), stayed, learned, independent)
	if stayed > .004 {
		t.Errorf("the teacher has moved %v nats away from its own law", stayed)
	}
	if independent < .1 || learned > independent/5 {
		t.Errorf("a machine that learned is %v nats away, independent units %v", learned, independent)
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
	tr := mustNewDeep(t, blocks(), o)
	if err := tr.Run(ctx, 0); !errors.Is(err, context.Canceled) || tr.Update() != 7 || tr.Done() {
		t.Errorf("%v after %d updates", err, tr.Update())
	}
	if _, err := Pretrain(ctx, blocks(), o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
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
	if !*longDeep { // takes minutes
		return
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
	begin := time.Now()
	start, err := Pretrain(context.Background(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("pretrained in %.0f s", time.Since(begin).Seconds())
	begin = time.Now()
	o.StartLayered, o.Epochs, o.Chains, o.Steps, o.Momentum = start, epochs, 100, 3, 0
	o.Rate = Rate{Start: .02, Shape: Linear, End: .001}
	tr := mustNewDeep(t, d, o)
	if err := tr.Run(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	t.Logf("trained in %.0f s", time.Since(begin).Seconds())
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
	if !*longDeep {
		return
	}
	share, err := m.Vote(t.Context(), test.Images[:500], SampleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Accuracy(Winners(share), test.Labels[:500])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: accuracy by sampling %.3f on 500 images", layers, a)
	begin = time.Now()
	e, err := m.LogLikelihood(t.Context(), test, EvidenceOptions{Levels: 10000})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: variational bound on the log-likelihood of test images and labels %.2f with log Z from reverse AIS, %.2f from AIS (± %.2f, %.2f); %.0f s", layers, e.Lower, e.Bound, e.Reverse.SE, e.Forward.SE, time.Since(begin).Seconds())
	if !(e.Lower < 0 && e.Bound < 0) || e.Forward.SDLogW > 10 {
		t.Errorf("%+v", e)
	}
}

// TestPretrainPairs: Pretrain is every pair of layers from below, each for all updates at the rates of a
// schedule that begins anew, with momentum and decay.
func TestPretrainPairs(t *testing.T) {
	o := deepOptions(PCD, 1)
	o.Layers, o.Epochs, o.Rate = []int{5, 4, 3}, 4, Rate{Start: .2, Shape: Linear}
	m, err := Pretrain(t.Context(), blocks(), o)
	if err != nil {
		t.Fatal(err)
	}
	// The same by hand, every update with the options that its rate and momentum need.
	tr := mustNewDeep(t, blocks(), o)
	for l := range 3 {
		p := newPair(tr, l)
		w, step := tr.net.w[l].Data, slices.Clone(tr.step[l].Data)
		for tr.update, tr.epoch = 0, -1; tr.update < tr.Updates(); tr.update++ {
			before, images := slices.Clone(w), slices.Clone(tr.images())
			p.learn(images)
			rate := .2 * (1 - float64(tr.update)/float64(tr.Updates()))
			for i := range w {
				x, h := i/tr.net.w[l].Cols, i%tr.net.w[l].Cols
				g := 0.0
				for r := range images {
					f, again := tr.batch, p.again
					g += float64(f.z[l].Row(r)[x])*float64(f.z[l+1].Row(r)[h]) - float64(again.p[l].Row(r)[x])*float64(again.p[l+1].Row(r)[h])
				}
				want := .5*float64(step[i]) + rate*(g/float64(len(images))-.01*float64(before[i]))
				step[i] = w[i] - before[i]
				if math.Abs(float64(step[i])-want) > 1e-5 {
					t.Fatalf("pair %d, update %d: W[%d] moves by %v: must be %v", l, tr.update, i, step[i], want)
				}
			}
		}
	}
	want, err := tr.net.machine()
	if err != nil {
		t.Fatal(err)
	}
	a, b := mustDeep(t, m, 2), mustDeep(t, want, 2)
	aw, ab := a.parts()
	bw, bb := b.parts()
	for l := range aw {
		if !mat.Equal(aw[l], bw[l]) {
			t.Errorf("W_%d differs", l+1)
		}
	}
	for l := range ab {
		if !slices.Equal(ab[l], bb[l]) {
			t.Errorf("b_%d differs", l)
		}
	}
}

// TestNewDeep: couplings are drawn with InitSD, visible biases are the odds of the data with one count
// more of either kind, and chains begin at images.
func TestNewDeep(t *testing.T) {
	d := digitLike(40)
	tr := mustNewDeep(t, d, DeepOptions{Layers: []int{60, 30}, Options: Options{Chains: 50, Batch: 10, Epochs: 1, InitSD: .25}})
	for l, w := range tr.net.w {
		ss := 0.0
		for _, v := range w.Data {
			ss += float64(v) * float64(v)
		}
		// 5 standard errors: false alarms below 6e-7.
		if n := float64(len(w.Data)); math.Abs(ss/n-.0625) > 5*.0625*math.Sqrt(2/n) {
			t.Errorf("couplings %d have the variance %v: must be .0625", l, ss/n)
		}
	}
	data := d.Images
	for i, v := range tr.net.b[0][:784] {
		on := 0.0
		for _, x := range data {
			on += float64(x[i])
		}
		if want := logOdds(on / 40); math.Abs(float64(v)-want) > 1e-5 {
			t.Fatalf("visible bias %d is %v: must be %v", i, v, want)
		}
	}
	for c := range tr.chain.rows {
		at := slices.IndexFunc(data, func(x []uint8) bool {
			for i, on := range x {
				if float32(on) != tr.chain.z[0].Row(c)[i] {
					return false
				}
			}
			return true
		})
		if at < 0 {
			t.Errorf("chain %d does not begin at an image", c)
		}
	}
	if slices.Equal(tr.chain.z[0].Row(0), tr.chain.z[0].Row(1)) && slices.Equal(tr.chain.z[0].Row(0), tr.chain.z[0].Row(2)) {
		t.Error("all chains begin at the same image")
	}
}

// TestDeepLastBatch: with CD the chains of every batch begin at its images, also those of a last one
// that is not full. A machine that copies its visible units finds nothing to learn then.
func TestDeepLastBatch(t *testing.T) {
	w := mat.NewDense(4, 4, nil)
	for i := range 4 {
		w.Set(i, i, 60)
	}
	off := []float64{-30, -30, -30, -30}
	m, err := boltzmann.NewLayered([]mat.Matrix{w}, [][]float64{off, off})
	if err != nil {
		t.Fatal(err)
	}
	for _, clamped := range []bool{false, true} {
		d := Data{Images: [][]uint8{{1, 0, 0, 1}, {0, 1, 0, 0}, {1, 1, 1, 0}, {0, 0, 1, 1}, {1, 0, 1, 0}}}
		tr := mustNewDeep(t, d, DeepOptions{StartLayered: m, Clamped: clamped, Options: Options{Method: CD, Epochs: 4, Batch: 3, Rate: Rate{Start: 1}}})
		if err := tr.Run(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		for i, v := range tr.net.w[0].Data {
			if x, y := i/tr.net.w[0].Cols, i%tr.net.w[0].Cols; math.Abs(float64(v)-w.At(x, y)) > 1e-5 {
				t.Errorf("clamped %v: W[%d,%d] = %v: must stay %v", clamped, x, y, v, w.At(x, y))
			}
		}
	}
}

package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/internal/npy"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/tempering"
)

// barsAndStripes are the 14 images of 3×3 pixels whose rows or columns are all equal.
func barsAndStripes() Data {
	var d Data
	for s := range 8 {
		bars, stripes := make([]uint8, 9), make([]uint8, 9)
		for i := range 9 {
			bars[i], stripes[i] = uint8(s>>(i/3)&1), uint8(s>>(i%3)&1)
		}
		d.Images = append(d.Images, bars)
		if s > 0 && s < 7 {
			d.Images = append(d.Images, stripes)
		}
	}
	return d
}

// TestLikelihood: bars and stripes have entropy log 14 = 2.639, so no machine has a larger
// mean log-likelihood than −2.639; a good one comes close. The start, units independent, is
// at −9 log 2 = −6.24.
func TestLikelihood(t *testing.T) {
	d := barsAndStripes()
	for _, c := range []struct {
		o    Options
		want float64
	}{
		{Options{Method: PCD, Chains: 100}, -2.95},
		{Options{Method: PCD, Chains: 100, Momentum: 0.5, Rate: Rate{Start: 0.1, Shape: Linear}}, -3.2},
		{Options{Method: CAST, Chains: 50, Cast: CastOptions{Ladder: tempering.Ladder{1, 0.8, 0.6, 0.4, 0.2}, SwapEvery: 1}}, -2.95},
		{Options{Method: CD, Steps: 10}, -3.2},
	} {
		o := c.o
		o.Hidden, o.Epochs, o.Batch, o.InitSD, o.Seed = 16, 6000, 14, 0.1, 1
		if o.Momentum == 0 {
			o.Rate = Rate{Start: 0.2, Shape: Linear}
		}
		tr := mustNew(t, d, o)
		if err := tr.Run(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		m, err := tr.Model(nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.LogLikelihood(t.Context(), d, EvidenceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %.3f", o.Method, e.LogLikelihood)
		if !e.Exact || !(e.LogLikelihood > c.want) || e.LogLikelihood > -math.Log(14) {
			t.Errorf("%v: log-likelihood %.3f (exact: %v), must be above %v and below %.3f", o.Method, e.LogLikelihood, e.Exact, c.want, -math.Log(14))
		}
	}
}

// TestInitialise: biases are the log odds of the data, clipped; couplings are small.
func TestInitialise(t *testing.T) {
	d := Data{Images: [][]uint8{{1, 0, 1}, {1, 0, 0}, {1, 0, 0}, {1, 0, 0}}, Labels: []uint8{0, 1, 1, 1}, Classes: 2}
	r, err := mustNew(t, d, Options{Hidden: 3000, Epochs: 1}).Machine()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range []float64{0.99, 0.01, 0.25, 0.25, 0.75} {
		if got, want := r.B()[i], math.Log(p/(1-p)); math.Abs(got-want) > 1e-6 {
			t.Errorf("bias %d is %v, want %v", i, got, want)
		}
	}
	ss := 0.0
	for _, w := range r.W().RawMatrix().Data {
		ss += w * w
	}
	// 15000 numbers: their variance has a relative standard error of 1.2 %.
	if sd := math.Sqrt(ss / 15000); math.Abs(sd/0.01-1) > 0.03 || slices.ContainsFunc(r.C(), func(c float64) bool { return c != 0 }) {
		t.Errorf("couplings have standard deviation %v, want 0.01; hidden biases %v", sd, r.C()[:3])
	}
	base, err := boltzmann.BaseBiases([][]uint8{d.joint(0), d.joint(1), d.joint(2), d.joint(3)})
	if err != nil || !slices.Equal(base, d.pack().odds(5)) {
		t.Errorf("log odds %v, boltzmann.BaseBiases %v, %v", d.pack().odds(5), base, err)
	}
}

// TestBatches: every image is in one batch of every epoch, in another order each.
func TestBatches(t *testing.T) {
	const n = 23
	var d Data
	for i := range n {
		x := make([]uint8, n)
		x[i] = 1
		d.Images = append(d.Images, x)
	}
	tr := mustNew(t, d, Options{Hidden: 2, Epochs: 3, Batch: 5, Seed: 4})
	if tr.EpochUpdates() != 5 || tr.Updates() != 15 {
		t.Errorf("%d updates, %d in an epoch: must be 15 and 5", tr.Updates(), tr.EpochUpdates())
	}
	var orders [3][]int32
	for !tr.Done() {
		e := tr.Update() / 5
		for _, on := range tr.batch() {
			orders[e] = append(orders[e], on...)
		}
		tr.step()
	}
	for e, order := range orders {
		s := slices.Clone(order)
		slices.Sort(s)
		for i := range n {
			if len(s) != n || int(s[i]) != i {
				t.Fatalf("epoch %d has the images %v", e, order)
			}
		}
	}
	if slices.Equal(orders[0], orders[1]) || slices.Equal(orders[1], orders[2]) {
		t.Errorf("epochs have the same order: %v", orders)
	}
}

// image is all numbers that training goes on from.
func image(t testing.TB, tr *Trainer) string {
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

// anyOptions draws options for a short training.
func anyOptions(t *rapid.T) Options {
	o := Options{
		Method: Method(rapid.IntRange(0, 2).Draw(t, "method")), Hidden: rapid.IntRange(1, 70).Draw(t, "hidden"),
		Epochs: rapid.IntRange(1, 3).Draw(t, "epochs"), Steps: rapid.IntRange(1, 3).Draw(t, "steps"),
		Batch: rapid.IntRange(1, 40).Draw(t, "batch"), Momentum: rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "momentum"),
		Decay: rapid.SampledFrom([]float64{0, 1e-3}).Draw(t, "decay"), Seed: rapid.Uint64().Draw(t, "seed"),
		Rate: rapid.SampledFrom([]Rate{{}, {Start: 0.2, Shape: Hyperbolic, Tau: 3}, {Start: 0.1, Shape: Linear, End: 0.01}}).Draw(t, "rate"),
	}
	if o.Method != CD {
		o.Chains = rapid.IntRange(1, 40).Draw(t, "chains")
	}
	if o.Method == CAST {
		o.Cast = CastOptions{SwapEvery: rapid.IntRange(1, 3).Draw(t, "swap")}
	}
	return o
}

// trainer is what the trainers of both kinds of machine have, for tests of both.
type trainer interface {
	Run(ctx context.Context, updates int64) error
	Updates() int64
	Checkpoint(path string) error
}

// resumes checks that training that is stopped at any update and resumed from a checkpoint ends with
// the same bits as one that is not; a trainer's image is all there is of it.
func resumes[T trainer](rt *rapid.T, ctx context.Context, path string, whole, part T, resume func() (T, error), image func(T) string) {
	must := func(err error) {
		if err != nil {
			rt.Fatal(err)
		}
	}
	must(whole.Run(ctx, 0))
	stop := rapid.Int64Range(0, part.Updates()).Draw(rt, "stop")
	if stop > 0 {
		must(part.Run(ctx, stop))
	}
	must(part.Checkpoint(path))
	resumed, err := resume()
	must(err)
	if image(resumed) != image(part) {
		rt.Fatalf("after update %d: the checkpoint has not all there is", stop)
	}
	must(resumed.Run(ctx, 0))
	if image(resumed) != image(whole) {
		rt.Fatalf("resumed after update %d: other bits", stop)
	}
}

// TestResume: training that is stopped at any update and resumed, with any parallelism, ends
// with the same bits as one that is not.
func TestResume(t *testing.T) {
	d := smallData(60, 11)
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	rapid.Check(t, func(rt *rapid.T) {
		o := anyOptions(rt)
		whole := mustNew(t, d, o)
		o.Parallel = rapid.IntRange(0, 3).Draw(rt, "parallel")
		resumes(rt, t.Context(), path, whole, mustNew(t, d, o), func() (*Trainer, error) { return Resume(path, d, o) },
			func(x *Trainer) string { return image(t, x) })
	})
}

// invariant checks that neither processors nor goroutines nor the code path change a bit of what
// train ends with for a number of workers and a seed, but another seed does.
func invariant(t *testing.T, train func(parallel int, seed uint64) string) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	want := ""
	for _, procs := range []int{1, 2} {
		for _, parallel := range []int{0, 1, 2, 5} {
			for _, p := range kernel.Paths() {
				t.Setenv(kernel.PathVariable, p.String())
				runtime.GOMAXPROCS(procs)
				if got := train(parallel, 5); want == "" {
					want = got
				} else if got != want {
					t.Errorf("GOMAXPROCS %d, Parallel %d, %v: other bits", procs, parallel, p)
				}
			}
		}
	}
	if train(1, 6) == want {
		t.Error("another seed gave the same bits")
	}
}

// TestInvariance: neither processors nor goroutines nor the code path change a bit. Sizes
// have several tiles and blocks of chains, the last of them not full.
func TestInvariance(t *testing.T) {
	r := rng.Stream(1, "images")
	d := Data{Classes: 3}
	for i := range 90 {
		x := make([]uint8, 75)
		for k := range x {
			x[k] = uint8(r.Uint64() >> 63)
		}
		d.Images, d.Labels = append(d.Images, x), append(d.Labels, uint8(i%3))
	}
	for _, method := range []Method{PCD, CD, CAST} {
		t.Run(method.String(), func(t *testing.T) {
			invariant(t, func(parallel int, seed uint64) string {
				tr := mustNew(t, d, Options{Method: method, Hidden: 70, Epochs: 3, Batch: 40, Momentum: 0.5, Decay: 1e-4, Seed: seed, Parallel: parallel})
				if err := tr.Run(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				return image(t, tr)
			})
		})
	}
}

// TestCancel: training stops at the end of the context, with whole updates made, and goes on.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var seen []Progress
	o := Options{Hidden: 3, Epochs: 4, Batch: 10, Rate: Rate{Start: 0.1, Shape: Linear}, OnProgress: func(p Progress) {
		if seen = append(seen, p); p.Update == 7 {
			cancel()
		}
	}}
	tr := mustNew(t, smallData(30, 1), o)
	if err := tr.Run(ctx, 0); err != context.Canceled || tr.Update() != 7 || tr.Done() {
		t.Errorf("error %v after %d updates: must be context.Canceled after 7", err, tr.Update())
	}
	if err := tr.Run(t.Context(), 2); err != nil || tr.Update() != 9 {
		t.Errorf("error %v, %d updates: must be 9", err, tr.Update())
	}
	if err := tr.Run(t.Context(), 100); err != nil || tr.Update() != 12 || !tr.Done() {
		t.Errorf("error %v, %d updates: must be 12", err, tr.Update())
	}
	if len(seen) != 12 || math.Abs(seen[5].Rate-0.1*(1-5.0/12)) > 1e-15 {
		t.Errorf("%d calls, rate %v: must be 12, %v", len(seen), seen[5].Rate, 0.1*(1-5.0/12))
	}
	seen[5].Rate = 0
	if (seen[5] != Progress{Update: 6, Updates: 12, Epoch: 2}) {
		t.Errorf("after update 6: %+v", seen[5])
	}
	if err := tr.Run(t.Context(), -1); err == nil {
		t.Error("a negative number of updates: no error")
	}
}

func TestDiverged(t *testing.T) {
	tr := mustNew(t, smallData(30, 1), Options{Hidden: 3, Epochs: 500, Batch: 10, Rate: Rate{Start: 1e300}})
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
}

func TestRates(t *testing.T) {
	for _, c := range []struct {
		r    Rate
		t    int64
		want float64
	}{
		{Rate{Start: 0.2}, 70, 0.2},
		{Rate{Start: 0.2, Shape: Hyperbolic, Tau: 50}, 0, 0.2},
		{Rate{Start: 0.2, Shape: Hyperbolic, Tau: 50}, 100, 0.2 / 3},
		{Rate{Start: 0.2, Shape: Linear, End: 0.1}, 25, 0.175},
	} {
		if got := c.r.At(c.t, 100); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v at %d: %v, want %v", c.r, c.t, got, c.want)
		}
	}
}

// holds reports whether s has all the words.
func holds(s, words string) bool {
	return !slices.ContainsFunc(strings.Fields(words), func(w string) bool { return !strings.Contains(s, w) })
}

func TestBadInput(t *testing.T) {
	nan := math.NaN()
	good := smallData(5, 1)
	with := func(f func(d *Data)) Data {
		d := Data{Images: slices.Clone(good.Images), Labels: slices.Clone(good.Labels), Classes: good.Classes}
		f(&d)
		return d
	}
	for _, c := range []struct {
		d     Data
		words string
	}{
		{Data{}, "no data"},
		{Data{Images: [][]uint8{{}}}, "no data"},
		{with(func(d *Data) { d.Images[3] = []uint8{1} }), "image 3: 1 must have 4"},
		{with(func(d *Data) { d.Images[2] = []uint8{1, 0, 2, 0} }), "image 2: unit 2 is 2"},
		{with(func(d *Data) { d.Labels[4] = 2 }), "label of image 4 is 2 below 2"},
		{with(func(d *Data) { d.Labels = d.Labels[:3] }), "3 labels for 5 images"},
		{with(func(d *Data) { d.Labels = nil }), "2 classes and no labels"},
		{with(func(d *Data) { d.Classes = 257 }), "257 classes"},
		{with(func(d *Data) { d.Classes = 0 }), "0 classes"},
	} {
		if _, err := New(c.d, Options{Hidden: 2, Epochs: 1}); err == nil || !holds(err.Error(), "train: "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	r := smallRBM(t)
	for _, c := range []struct {
		o     Options
		words string
	}{
		{Options{Epochs: 1}, "Hidden = 0"},
		{Options{Hidden: 1 << 20, Epochs: 1}, "Hidden = 1048576"},
		{Options{Hidden: 2}, "Epochs = 0"},
		{Options{Hidden: 2, Epochs: 1, Method: 7}, "Method(7)"},
		{Options{Hidden: 2, Epochs: 1, Steps: -1}, "Steps = -1"},
		{Options{Hidden: 2, Epochs: 1, Batch: -1, Chains: 1}, "Batch = -1"},
		{Options{Hidden: 2, Epochs: 1, Batch: math.MaxInt, Chains: 1}, "Batch = 2^30"},
		{Options{Hidden: 2, Epochs: 1, Chains: -1}, "Chains = -1"},
		{Options{Hidden: 2, Epochs: 1, Chains: 7, Method: CD}, "Chains = 7 CD"},
		{Options{Hidden: 2, Epochs: 1, Momentum: 1}, "Momentum = 1"},
		{Options{Hidden: 2, Epochs: 1, Momentum: nan}, "Momentum = NaN"},
		{Options{Hidden: 2, Epochs: 1, Decay: -1}, "Decay = -1"},
		{Options{Hidden: 2, Epochs: 1, Decay: nan}, "Decay = NaN"},
		{Options{Hidden: 2, Epochs: 1, InitSD: math.Inf(1)}, "InitSD = +Inf"},
		{Options{Hidden: 2, Epochs: 1, Parallel: -1}, "Parallel = -1"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{Start: nan}}, "Rate.Start = NaN"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{Start: -1}}, "Rate.Start = -1"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{Shape: 9}}, "Shape(9)"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{Shape: Hyperbolic}}, "Rate.Tau = 0"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{Tau: 1}}, "Rate.Tau = 1 constant"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{Shape: Linear, End: nan}}, "Rate.End = NaN"},
		{Options{Hidden: 2, Epochs: 1, Rate: Rate{End: 1}}, "Rate.End = 1 constant"},
		{Options{Hidden: 2, Epochs: 1, Cast: CastOptions{Gain: 1}}, "Cast PCD"},
		{Options{Hidden: 2, Epochs: 1, Method: CAST, Cast: CastOptions{Gain: -1}}, "Cast.Gain = -1"},
		{Options{Hidden: 2, Epochs: 1, Method: CAST, Cast: CastOptions{Tau: nan}}, "Cast.Tau = NaN"},
		{Options{Hidden: 2, Epochs: 1, Method: CAST, Cast: CastOptions{SwapEvery: -1}}, "Cast.SwapEvery = -1"},
		{Options{Hidden: 2, Epochs: 1, Method: CAST, Cast: CastOptions{Ladder: tempering.Ladder{0.5, 1}}}, "Cast.Ladder"},
		{Options{Hidden: 2, Epochs: 1, Start: r}, "6 visible 4 hidden 6 2"},
		{Options{Hidden: 2, Steps: -3, Decay: -1}, "Epochs = 0 Steps = -3 Decay = -1"},
	} {
		if _, err := New(good, c.o); err == nil || !holds(err.Error(), "train: "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
}

// TestResumeErrors: a checkpoint of other data or options, and one that is cut or says
// what cannot be, is refused.
func TestResumeErrors(t *testing.T) {
	d := smallData(20, 1)
	o := Options{Hidden: 3, Epochs: 2, Batch: 10, Method: CAST}
	tr := mustNew(t, d, o)
	if err := tr.Run(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "c.npz")
	if err := tr.Checkpoint(path); err != nil {
		t.Fatal(err)
	}
	other := o
	other.Decay = 0.1
	if _, err := Resume(path, d, other); err == nil || !holds(err.Error(), "train: checkpoint other options Decay\":0.1 Decay\":0,") {
		t.Errorf("other options: %v", err)
	}
	if _, err := Resume(path, smallData(20, 2), o); err == nil || !holds(err.Error(), "train: checkpoint other data") {
		t.Errorf("other data: %v", err)
	}
	if _, err := Resume(path, Data{}, o); err == nil {
		t.Error("no data: no error")
	}
	if _, err := Resume(filepath.Join(dir, "none.npz"), d, o); !errors.Is(err, os.ErrNotExist) {
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
		if _, err := Resume(path, d, o); err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(whole))
		}
	}
	for _, c := range []struct {
		name  string
		x     npy.Array
		words string
	}{
		{"update", npy.New([]int64{5}), "5 updates 4"},
		{"update", npy.New([]int64{-1}), "-1 updates"},
		{"W", npy.New(make([]float32, 18), 3, 6), "W (6, 3)"},
		{"step/b", npy.New([]float32{0, 0, 0, float32(math.NaN()), 0, 0}, 6), "entry 3 step/b NaN"},
		{"chains/v", npy.New(slices.Repeat([]uint8{2}, 60), 10, 6), "unit 0 chain 0 chains/v 2"},
		{"chains/streams", npy.New(make([]int64, 160), 10, 16), "zero chains/streams"},
		{"cast/v", npy.New(make([]uint8, 6), 1, 6), "cast/v (10, 6)"},
		{"cast/level", npy.New(slices.Repeat([]int64{10}, 10), 10), "level 10 0 to 9"},
		{"cast/level", npy.New(slices.Repeat([]int64{-1}, 10), 10), "level -1"},
		{"cast/g", npy.New(slices.Repeat([]float64{math.Inf(1)}, 10), 10), "+Inf"},
		{"cast/swaps", npy.New([]int64{1, 2}, 2), "cast/swaps"},
		{"hash", npy.New(make([]uint8, 3), 3), "hash"},
	} {
		a, err := tr.archive()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(a, func(e npy.Entry) bool { return e.Name == c.name })
		a[i].Array = c.x
		if err := npy.WriteZipFile(path, a); err != nil {
			t.Fatal(err)
		}
		if _, err := Resume(path, d, o); err == nil || !holds(err.Error(), "train: checkpoint "+c.words) {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, c.words)
		}
	}
}

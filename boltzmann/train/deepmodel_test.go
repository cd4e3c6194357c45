package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/npy"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func mustDeep(t testing.TB, m *boltzmann.Layered, classes int) *DeepModel {
	t.Helper()
	d, err := NewDeepModel(m, classes, map[string]string{"epochs": "3", "über": "\"x\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDeepSamplers: what was trained is sampled by the library's samplers with the exact
// marginals; FastChains sample a machine on a grid, with the marginals of that, which are those
// of the trained machine to 1e-3. 40 chains count as independent; 36 and 18 numbers with
// |t_39| < 5: false alarms 7e-4 of the time.
func TestDeepSamplers(t *testing.T) {
	tr := mustNewDeep(t, blocks(), DeepOptions{Options: Options{Epochs: 300, Batch: 8, InitSD: .3}, Layers: []int{5, 2}})
	if err := tr.Run(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	m, err := tr.Machine()
	if err != nil {
		t.Fatal(err)
	}
	exact, err := m.Exact()
	if err != nil {
		t.Fatal(err)
	}
	const chains = 40
	compare := func(name string, means [][]float64, want []float64) {
		t.Helper()
		for k, w := range want {
			var x []float64
			for _, m := range means {
				x = append(x, m[k])
			}
			mean, sd := stat.MeanStdDev(x, nil)
			if se := sd / math.Sqrt(chains); math.Abs(mean-w) > 5*se || se > .01 {
				t.Errorf("%s: unit %d is on for %.4f ± %.4f, exact %.4f", name, k, mean, se, w)
			}
		}
	}
	sched := sampling.Schedule{Warmup: 200, Duration: 10000}
	block, err := boltzmann.NewBlockGibbs(m, boltzmann.BlockGibbsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	single, err := boltzmann.NewGibbs(m, boltzmann.GibbsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]sampling.Sampler{"BlockGibbs": block, "Gibbs": single} {
		var means [][]float64
		for c := range chains {
			if err := s.Reset(nil, rng.Stream(1, "deep "+name, c)); err != nil {
				t.Fatal(err)
			}
			e := estimate.NewMarginals(m.Dim())
			if err := sampling.Run(t.Context(), s, sched, e); err != nil {
				t.Fatal(err)
			}
			means = append(means, e.Mean())
		}
		compare(name, means, exact.Mean)
	}
	fast, err := boltzmann.NewFastChains(m, boltzmann.FastChainsOptions{Chains: chains})
	if err != nil {
		t.Fatal(err)
	}
	if err := fast.Reset(nil, func(c int) rand.Source { return rng.Stream(1, "deep fast", c) }); err != nil {
		t.Fatal(err)
	}
	rec, marginals := make([][]sampling.Recorder, chains), make([]*estimate.Marginals, chains)
	for c := range chains {
		marginals[c] = estimate.NewMarginals(m.Dim())
		rec[c] = []sampling.Recorder{marginals[c]}
	}
	if err := fast.Run(t.Context(), sched, rec); err != nil {
		t.Fatal(err)
	}
	var means [][]float64
	for _, e := range marginals {
		means = append(means, e.Mean())
	}
	grid, err := fast.Model().(*boltzmann.Layered).Exact()
	if err != nil {
		t.Fatal(err)
	}
	compare("FastChains", means, grid.Mean)
	for k, p := range grid.Mean {
		if math.Abs(p-exact.Mean[k]) > 1e-3 {
			t.Errorf("unit %d is on for %v on the grid, %v exactly", k, p, exact.Mean[k])
		}
	}
}

// TestDeepGiven: conditioning on a label or on pixels changes energies by a constant only.
func TestDeepGiven(t *testing.T) {
	m := mustDeep(t, drawDeep(t, 8, 1, 5, 3, 2), 2)
	for _, held := range states(5) {
		pixels, label := held[:3], held[3:]
		given := func(r *boltzmann.Layered, err error, first int, v []uint8) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			shift := math.NaN()
			for _, z := range states(r.Dim()) {
				n := 5 - len(v)
				whole := slices.Concat(z[:n], v, z[n:])
				if first == 0 {
					whole = slices.Concat(v, z)
				}
				d := m.Machine().Energy(whole) - r.Energy(z)
				if shift != shift {
					shift = d
				}
				if math.Abs(d-shift) > 1e-12 {
					t.Fatalf("state %v given %v: energies differ by %v and %v", z, v, d, shift)
				}
			}
		}
		r, err := m.GivenPixels(pixels)
		given(r, err, 0, pixels)
		if label[0]+label[1] == 1 {
			r, err := m.GivenLabel(int(label[1]))
			given(r, err, 3, label)
		}
	}
}

// TestDeepVote: shares are the posterior of the label units given the pixels, by enumeration.
// 300 chains are independent; 5 standard errors, false alarms below 1e-6.
func TestDeepVote(t *testing.T) {
	l := drawDeep(t, 11, .8, 5, 3, 2)
	m := mustDeep(t, l, 2)
	images := make([][]uint8, 300)
	for i := range images {
		images[i] = []uint8{1, 0, 1}
	}
	images[299] = []uint8{0, 1, 0} // another one beside them
	o := SampleOptions{Burn: 50, Sweeps: 100}
	share, err := m.Vote(t.Context(), images, o)
	if err != nil {
		t.Fatal(err)
	}
	_, want := products(l, images[0])
	for c := range 2 {
		var x []float64
		for _, s := range share[:299] {
			x = append(x, s[c])
		}
		mean, sd := stat.MeanStdDev(x, nil)
		if se := sd / math.Sqrt(299); math.Abs(mean-want[3+c]) > 5*se || se > .01 {
			t.Errorf("label %d is on for %v ± %v: must be %v", c, mean, se, want[3+c])
		}
	}
	o.Parallel = 1
	again, err := m.Vote(t.Context(), images, o)
	if err != nil || !slices.EqualFunc(again, share, slices.Equal) {
		t.Errorf("one goroutine gave other shares, %v", err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := m.Vote(ctx, images[:1], SampleOptions{Sweeps: 1 << 40}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v after the end of the context", err)
	}
}

// TestDeepGenerate compares pixel rates of both classes with enumeration: |z| < 4.5 with a
// variance of twice that of independent sweeps, which the weak couplings allow.
func TestDeepGenerate(t *testing.T) {
	l := drawDeep(t, 12, .6, 5, 3, 2)
	m := mustDeep(t, l, 2)
	for c := range 2 {
		const n = 4000
		images, err := m.Generate(t.Context(), c, n, SampleOptions{Sweeps: 2, Seed: 1})
		if err != nil || len(images) != n {
			t.Fatalf("%d images, %v", len(images), err)
		}
		want, total := make([]float64, 3), 0.0
		for s, q := range visibleLaw(l) {
			if v := states(5)[s]; v[3+c] == 1 && v[4-c] == 0 {
				total += q
				for k := range want {
					want[k] += q * float64(v[k])
				}
			}
		}
		for k, w := range want {
			w /= total
			rate := 0.0
			for _, x := range images {
				rate += float64(x[k]) / n
			}
			if z := (rate - w) / math.Sqrt(2*w*(1-w)/n); !(math.Abs(z) < 4.5) {
				t.Errorf("class %d, pixel %d: rate %v, exact %v", c, k, rate, w)
			}
		}
	}
}

// TestDeepRBM: a layered machine is the restricted one of its odd and even layers.
func TestDeepRBM(t *testing.T) {
	l := drawDeep(t, 5, 1, 3, 4, 2, 3)
	r, err := mustDeep(t, l, 0).RBM()
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

// TestDeepOneLayer: with one hidden layer, bounds and evidence are those of a Model.
func TestDeepOneLayer(t *testing.T) {
	r := single(t, smallRBM(t))
	m, err := NewDeepModel(&r.Layered, smallClasses, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := smallData(300, 3) // more than are inferred at once
	bounds, err := m.LabelBounds(d.Images, 0)
	if err != nil {
		t.Fatal(err)
	}
	energies, err := mustModel(t, r, smallClasses).LabelEnergies(d.Images, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range bounds {
		for l, x := range bounds[i] {
			if math.Abs(x+energies[i][l]) > 1e-3 {
				t.Errorf("image %d, label %d: bound %v, free energy %v", i, l, x, energies[i][l])
			}
		}
	}
	e, err := m.LogLikelihood(t.Context(), d, EvidenceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := mustModel(t, r, smallClasses).LogLikelihood(t.Context(), d, EvidenceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !e.Exact || !e.ExactZ || math.Abs(e.LogLikelihood-want.LogLikelihood) > 1e-9 || math.Abs(e.Bound-want.LogLikelihood) > 1e-4 {
		t.Errorf("%+v, must be %v", e, want.LogLikelihood)
	}
}

// TestDeepEvidence: the exact value is that of enumeration, the bound is below it, and AIS from
// both sides is near.
func TestDeepEvidence(t *testing.T) {
	m := mustDeep(t, drawDeep(t, 2, .7, 6, 4, 3, 2), 2)
	d := smallData(40, 5)
	e, err := m.LogLikelihood(t.Context(), d, EvidenceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	law := visibleLaw(m.Machine())
	for i := range d.Images {
		s := 0
		for k, on := range d.joint(i) {
			s |= int(on) << k
		}
		want += math.Log(law[s]) / 40
	}
	if !e.Exact || !e.ExactZ || math.Abs(e.LogLikelihood-want) > 1e-9 || e.Bound > want || e.Bound < want-.5 || e.Lower != e.Bound {
		t.Errorf("%+v: must be %v, and bounds a little less", e, want)
	}
	o := EvidenceOptions{Levels: 1000, Chains: 100, Burn: 1000, Seed: 2}
	if _, err := o.fill(); err != nil {
		t.Fatal(err)
	}
	f, r, err := m.anneal(t.Context(), d, o, 1)
	if err != nil {
		t.Fatal(err)
	}
	f2, r2, err := m.anneal(t.Context(), d, o, 2)
	if err != nil || f2.LogZ != f.LogZ || r2.LogZ != r.LogZ {
		t.Errorf("two goroutines: %v and %v, one: %v and %v, %v", f2.LogZ, r2.LogZ, f.LogZ, r.LogZ, err)
	}
	// 4.5 standard errors, and the rounding of the machine to its grid.
	if math.Abs(f.LogZ-e.LogZ) > 4.5*f.SE+1e-3 || math.Abs(r.LogZ-e.LogZ) > 4.5*r.SE+1e-3 || f.SE > .05 || r.SE > .05 {
		t.Errorf("log Z is %.4f ± %.4f and %.4f ± %.4f, exact %.4f", f.LogZ, f.SE, r.LogZ, r.SE, e.LogZ)
	}
	// A machine too large to be summed, but for its hidden units given an image.
	large := mustDeep(t, drawDeep(t, 3, .1, 30, 21, 2), 0)
	e, err = large.LogLikelihood(t.Context(), Data{Images: [][]uint8{make([]uint8, 30)}}, EvidenceOptions{Levels: 1000, Chains: 50, Burn: 100})
	if err != nil {
		t.Fatal(err)
	}
	z, err := large.Machine().LogZ()
	if err != nil {
		t.Fatal(err)
	}
	if e.Exact || e.ExactZ || math.Abs(e.Bound-e.Lower-(e.Reverse.LogZ-e.Forward.LogZ)) > 1e-9 || math.Abs(e.LogZ-z) > 4.5*e.Forward.SE+1e-3 || math.Abs(e.Reverse.LogZ-z) > 4.5*e.Reverse.SE+1e-3 || e.Forward.SE > .1 || e.Forward.LogZ != e.LogZ || !e.Reverse.Reverse {
		t.Errorf("%+v, log Z %v", e, z)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.LogLikelihood(ctx, d, EvidenceOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after the end of the context", err)
	}
}

// TestDeepFile: a model of any depth comes back as it was, and as the same bytes.
func TestDeepFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.npz")
	for _, sizes := range [][]int{{5, 3}, {5, 3, 4}, {5, 3, 4, 2}, {3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}} {
		m := mustDeep(t, drawDeep(t, 4, 1, sizes...), 2)
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := LoadDeep(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m, got) || got.Pixels() != sizes[0]-2 || got.Classes() != 2 || got.Machine().Layers() != len(sizes) || !slices.Equal(got.Hidden(), sizes[1:]) {
			t.Errorf("%v: %+v", sizes, got)
		}
		var b bytes.Buffer
		onDisk, err := os.ReadFile(path)
		if err != nil || got.Write(&b) != nil || !bytes.Equal(b.Bytes(), onDisk) {
			t.Errorf("%v: the same model gave other bytes, %v", sizes, err)
		}
	}
}

// deepArrays is a model file with some arrays replaced; nil leaves one out.
func deepArrays(t testing.TB, replace npy.Archive) []byte {
	t.Helper()
	a, err := mustDeep(t, drawDeep(t, 4, 1, 5, 3, 4), 2).archive()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	var out npy.Archive
	for _, e := range a {
		if x, ok := replace.Find(e.Name); ok {
			if x.Data == nil {
				continue
			}
			e.Array = x
		}
		out = append(out, e)
	}
	if err := npy.WriteZip(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readDeep(b []byte) (*DeepModel, error) { return ReadDeep(bytes.NewReader(b), int64(len(b))) }

func TestReadDeepErrors(t *testing.T) {
	whole := deepArrays(t, nil)
	for n := range len(whole) {
		if _, err := readDeep(whole[:n]); err == nil || !holds(err.Error(), "train: model file: npy:") {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	text := func(s string) npy.Archive { return one("meta", npy.New([]uint8(s), len(s))) }
	for _, c := range []struct {
		replace npy.Archive
		words   string
	}{
		{one("W0", npy.Array{}), `no array "W0"`},
		{one("b0", npy.Array{}), `no array "b0"`},
		{one("b1", npy.Array{}), `no array "b1"`},
		{one("b2", npy.Array{}), `"W1" without "b2"`},
		{one("W1", npy.Array{}), `no array "W1"`},
		{one("classes", npy.Array{}), `no array "classes"`},
		{one("W0", npy.New(make([]float64, 15), 3, 5)), "W0 (3, 5) (5, 3)"},
		{one("b1", npy.New(make([]float64, 4), 4)), "W0 (5, 3) (5, 4)"},
		{one("b2", npy.New(make([]int64, 4), 4)), "b2 <i8 <f8"},
		{one("b2", npy.New([]float64{0, 0, math.NaN(), 0}, 4)), "b_2[2] NaN finite"},
		{one("W1", npy.New(slices.Repeat([]float64{math.Inf(1)}, 12), 3, 4)), "W_1[0,0] +Inf finite"},
		{one("classes", npy.New([]int64{5})), "5 classes 0 to 4"},
		{one("classes", npy.New([]int64{-1})), "-1 classes"},
		{text(`{"a": 1}`), "meta JSON"},
		{npy.Archive{{Name: "W1", Array: npy.New([]float64{}, 3, 0)}, {Name: "b2", Array: npy.New([]float64{}, 0)}}, "layer 2 no units"},
	} {
		if _, err := readDeep(deepArrays(t, c.replace)); err == nil || !holds(err.Error(), "train: model file: "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	// A file of a Model is none of a DeepModel, nor the reverse.
	if _, err := readDeep(arrays(t, nil)); err == nil {
		t.Error("a file of a Model: no error")
	}
	if _, err := read(whole); err == nil {
		t.Error("a file of a DeepModel: no error")
	}
	path := filepath.Join(t.TempDir(), "cut.npz")
	if _, err := LoadDeep(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, whole[:100], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadDeep(path); err == nil || !holds(err.Error(), "cut.npz train: model file:") {
		t.Errorf("cut file: %v", err)
	}
	bad, err := NewDeepModel(drawDeep(t, 4, 1, 5, 3, 4), 0, map[string]string{"a": "\xff"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.Write(io.Discard); err == nil || !holds(err.Error(), "UTF-8") {
		t.Errorf("meta that is no text: %v", err)
	}
	// Files without meta and with float32 numbers are read, as NumPy users may write them.
	m, err := readDeep(deepArrays(t, npy.Archive{{Name: "meta"}, {Name: "W0", Array: npy.New(slices.Repeat([]float32{.5}, 15), 5, 3)}}))
	if err != nil || m.Machine().Weight(0).At(2, 1) != .5 || len(m.Meta()) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzReadDeep(f *testing.F) {
	f.Add(deepArrays(f, nil))
	f.Add(deepArrays(f, one("classes", npy.New([]int64{1 << 40}))))
	f.Add(deepArrays(f, one("W1", npy.New(make([]float32, 12), 3, 4))))
	f.Add(arrays(f, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readDeep(b)
		if err != nil {
			return
		}
		var c bytes.Buffer
		if err := m.Write(&c); err != nil {
			t.Fatal(err)
		}
		if again, err := readDeep(c.Bytes()); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}

func TestDeepBadInput(t *testing.T) {
	d := blocks()
	for _, c := range []struct {
		change func(*DeepOptions)
		words  string
	}{
		{func(o *DeepOptions) { o.Layers = nil }, "no Layers"},
		{func(o *DeepOptions) { o.Layers = []int{3, 0} }, "Layers[1] = 0"},
		{func(o *DeepOptions) { o.Layers = []int{3, 1 << 20} }, "Layers[1] = 1048576"},
		{func(o *DeepOptions) { o.Hidden = 3 }, "Hidden Layers"},
		{func(o *DeepOptions) {
			o.Start, _ = boltzmann.NewRBM(mat.NewDense(11, 3, nil), make([]float64, 11), make([]float64, 3))
		}, "Start StartLayered"},
		{func(o *DeepOptions) { o.Inference = -1 }, "Inference = -1"},
		{func(o *DeepOptions) { o.Epochs = 0 }, "Epochs = 0"},
		{func(o *DeepOptions) { o.Chains = -1 }, "Chains = -1"},
		{func(o *DeepOptions) { o.Rate.Start = math.NaN() }, "Rate.Start = NaN"},
		{func(o *DeepOptions) { o.Momentum = 1 }, "Momentum = 1"},
		{func(o *DeepOptions) { o.Parallel = -1 }, "Parallel = -1"},
		{func(o *DeepOptions) { o.Cast.Gain = 1 }, "Cast PCD"},
		{func(o *DeepOptions) { o.StartLayered = drawDeep(t, 1, 1, 10, 5, 4) }, "StartLayered 11 [5 4]"},
		{func(o *DeepOptions) { o.StartLayered = drawDeep(t, 1, 1, 11, 5) }, "StartLayered 11 [5 4]"},
		{func(o *DeepOptions) { o.StartLayered = mustHuge(t, 11) }, "3e38"},
	} {
		o := deepOptions(PCD, 1)
		c.change(&o)
		if _, err := NewDeep(d, o); err == nil || !holds(err.Error(), "train: "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	if _, err := NewDeep(Data{}, deepOptions(PCD, 1)); err == nil {
		t.Error("no data: no error")
	}
	m, plain := mustDeep(t, drawDeep(t, 4, 1, 5, 3, 4), 2), mustDeep(t, drawDeep(t, 4, 1, 5, 3, 4), 0)
	huge := mustDeep(t, mustHuge(t, 5), 2)
	x, five := [][]uint8{{1, 1, 0}}, [][]uint8{{1, 1, 0, 0, 0}}
	ctx := t.Context()
	drop := func(_ any, err error) error { return err }
	run := func() error {
		tr := mustNewDeep(t, d, deepOptions(PCD, 1))
		return tr.Run(ctx, -1)
	}
	for name, err := range map[string]error{
		"machine nil":          drop(NewDeepModel(nil, 0, nil)),
		"classes":              drop(NewDeepModel(m.Machine(), 5, nil)),
		"classes -1":           drop(NewDeepModel(m.Machine(), -1, nil)),
		"no images":            drop(m.Classify(nil, 0)),
		"pixels":               drop(m.Classify([][]uint8{{1}}, 0)),
		"not binary":           drop(m.Classify([][]uint8{{1, 2, 0}}, 0)),
		"parallel":             drop(m.Classify(x, -1)),
		"no classes":           drop(plain.Classify(five, 0)),
		"huge weights":         drop(huge.Classify(x, 0)),
		"given: class":         drop(m.GivenLabel(2)),
		"given: no classes":    drop(plain.GivenPixels(five[0])),
		"given: pixels":        drop(m.GivenPixels([]uint8{1})),
		"generate: class":      drop(m.Generate(ctx, 2, 1, SampleOptions{})),
		"generate: n":          drop(m.Generate(ctx, 1, 0, SampleOptions{})),
		"generate: burn":       drop(m.Generate(ctx, 1, 1, SampleOptions{Burn: -1})),
		"evidence: other data": drop(m.LogLikelihood(ctx, d, EvidenceOptions{})),
		"evidence: no data":    drop(m.LogLikelihood(ctx, Data{}, EvidenceOptions{})),
		"evidence: burn":       drop(m.LogLikelihood(ctx, Data{Images: x, Labels: []uint8{0}, Classes: 2}, EvidenceOptions{Burn: -1})),
		"evidence: parallel":   drop(m.LogLikelihood(ctx, Data{Images: x, Labels: []uint8{0}, Classes: 2}, EvidenceOptions{Parallel: -1})),
		"negative run":         run(),
		"vote: sweeps":         drop(m.Vote(ctx, x, SampleOptions{Sweeps: -1})),
		"vote: pixels":         drop(m.Vote(ctx, [][]uint8{{1, 1}}, SampleOptions{})),
		"vote: classes":        drop(plain.Vote(ctx, five, SampleOptions{})),
		"vote: parallel":       drop(m.Vote(ctx, x, SampleOptions{Parallel: -1})),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "train: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// mustHuge is a machine of n, 5 and 4 units that is beyond single precision.
func mustHuge(t testing.TB, n int) *boltzmann.Layered {
	t.Helper()
	w := mat.NewDense(n, 5, nil)
	w.Set(0, 0, 1e39)
	m, err := boltzmann.NewLayered([]mat.Matrix{w, mat.NewDense(5, 4, nil)}, [][]float64{make([]float64, n), make([]float64, 5), make([]float64, 4)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

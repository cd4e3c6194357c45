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
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/internal/npy"
)

func mustModel(t testing.TB, r *boltzmann.RBM, classes int) *Model {
	t.Helper()
	m, err := NewModel(r, classes, map[string]string{"epochs": "3", "über": "\"x\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestLayered: the machine of three layers has the same energies under the documented order
// of units, so has its dense form, and Unlayer gives the model back.
func TestLayered(t *testing.T) {
	m := mustModel(t, smallRBM(t), smallClasses)
	l, err := m.Layered()
	if err != nil {
		t.Fatal(err)
	}
	dense, err := l.Machine()
	if err != nil {
		t.Fatal(err)
	}
	if l.Layers() != 3 || m.Pixels() != 4 || m.Hidden() != smallH || m.Classes() != 2 {
		t.Fatalf("%d layers, %d pixels", l.Layers(), m.Pixels())
	}
	for s := range 1 << (smallV + smallH) {
		z := make([]uint8, smallV+smallH) // pixels, hidden, labels
		for i := range z {
			z[i] = uint8(s >> i & 1)
		}
		vh := slices.Concat(z[:4], z[4+smallH:], z[4:4+smallH])
		want := m.RBM().Energy(vh)
		if math.Abs(l.Energy(z)-want) > 1e-12 || math.Abs(dense.Energy(z)-want) > 1e-12 {
			t.Fatalf("state %v: energies %v, %v, of the RBM %v", z, l.Energy(z), dense.Energy(z), want)
		}
	}
	back, err := Unlayer(l, m.Meta())
	if err != nil || !same(back, m) {
		t.Errorf("Unlayer gave another model, %v", err)
	}
	if _, err := mustModel(t, smallRBM(t), 0).Layered(); err == nil {
		t.Error("layers without labels: no error")
	}
	if _, err := Unlayer(&m.RBM().Layered, nil); err == nil {
		t.Error("Unlayer of two layers: no error")
	}
	if _, err := Unlayer(nil, nil); err == nil {
		t.Error("Unlayer of nil: no error")
	}
}

// same reports whether all numbers of two models are the same.
func same(a, b *Model) bool {
	return mat.Equal(a.rbm.W(), b.rbm.W()) && slices.Equal(a.rbm.B(), b.rbm.B()) && slices.Equal(a.rbm.C(), b.rbm.C()) &&
		a.classes == b.classes && len(a.meta) == len(b.meta) && func() bool {
		for k, v := range a.meta {
			if b.meta[k] != v {
				return false
			}
		}
		return true
	}()
}

// TestGiven: conditioning on a label or on pixels changes free energies by a constant only.
func TestGiven(t *testing.T) {
	m := mustModel(t, smallRBM(t), smallClasses)
	for l := range smallClasses {
		r, err := m.GivenLabel(l)
		if err != nil {
			t.Fatal(err)
		}
		for s := range 16 {
			v := visible(s)
			v[4+l] = 1
			off := make([]uint8, smallV)
			off[4+l] = 1
			want := m.RBM().FreeEnergy(v) - m.RBM().FreeEnergy(off)
			if got := r.FreeEnergy(v[:4]) - r.FreeEnergy(off[:4]); math.Abs(got-want) > 1e-12 {
				t.Errorf("label %d, pixels %v: %v, want %v", l, v[:4], got, want)
			}
		}
	}
	for s := range 64 {
		v := visible(s)
		r, err := m.GivenPixels(v[:4])
		if err != nil {
			t.Fatal(err)
		}
		off := slices.Concat(v[:4], []uint8{0, 0})
		want := m.RBM().FreeEnergy(v) - m.RBM().FreeEnergy(off)
		if got := r.FreeEnergy(v[4:]) - r.FreeEnergy(off[4:]); math.Abs(got-want) > 1e-12 {
			t.Errorf("visible %v: %v, want %v", v, got, want)
		}
	}
}

func TestNewModelErrors(t *testing.T) {
	r := smallRBM(t)
	for _, c := range []struct {
		r       *boltzmann.RBM
		classes int
	}{{nil, 1}, {r, -1}, {r, smallV}} {
		if _, err := NewModel(c.r, c.classes, nil); err == nil || !strings.HasPrefix(err.Error(), "train: ") {
			t.Errorf("%d classes: error %v", c.classes, err)
		}
	}
	m := mustModel(t, r, 2)
	for _, l := range []int{-1, 2} {
		if _, err := m.GivenLabel(l); err == nil {
			t.Errorf("class %d: no error", l)
		}
	}
	for _, x := range [][]uint8{nil, {0, 1}, {0, 1, 2, 0}} {
		if _, err := m.GivenPixels(x); err == nil {
			t.Errorf("pixels %v: no error", x)
		}
	}
}

// TestFile: a model comes back as it was, whatever its numbers.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.npz")
	rapid.Check(t, func(rt *rapid.T) {
		nv, nh := rapid.IntRange(1, 5).Draw(rt, "nv"), rapid.IntRange(1, 5).Draw(rt, "nh")
		x := rapid.SliceOfN(rapid.Float64Range(-1e30, 1e30), nv*nh+nv+nh, nv*nh+nv+nh).Draw(rt, "numbers")
		r, err := boltzmann.NewRBM(mat.NewDense(nv, nh, x[:nv*nh]), x[nv*nh:nv*nh+nv], x[nv*nh+nv:])
		if err != nil {
			rt.Fatal(err)
		}
		meta := rapid.MapOf(rapid.String(), rapid.String()).Draw(rt, "meta")
		m, err := NewModel(r, rapid.IntRange(0, nv-1).Draw(rt, "classes"), meta)
		if err != nil {
			rt.Fatal(err)
		}
		if err := m.Save(path); err != nil {
			rt.Fatal(err)
		}
		back, err := Load(path)
		if err != nil || !same(back, m) {
			rt.Fatalf("%v: %+v became %+v", err, m, back)
		}
		var b bytes.Buffer
		onDisk, err := os.ReadFile(path)
		if err != nil || back.Write(&b) != nil || !bytes.Equal(b.Bytes(), onDisk) {
			rt.Fatalf("the same model gave other bytes, %v", err)
		}
	})
}

// arrays is a model file with some arrays replaced; nil leaves one out.
func arrays(t testing.TB, replace npy.Archive) []byte {
	t.Helper()
	a, err := mustModel(t, smallRBM(t), smallClasses).archive()
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

func one(name string, a npy.Array) npy.Archive { return npy.Archive{{Name: name, Array: a}} }

func read(b []byte) (*Model, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestReadErrors(t *testing.T) {
	whole := arrays(t, nil)
	for n := range len(whole) {
		if _, err := read(whole[:n]); err == nil || !holds(err.Error(), "train: model file: npy:") {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	nan := make([]float64, smallV)
	nan[3] = math.NaN()
	text := func(s string) npy.Archive { return one("meta", npy.New([]uint8(s), len(s))) }
	for _, c := range []struct {
		replace npy.Archive
		words   string
	}{
		{one("W", npy.Array{}), `no array "W"`},
		{one("c", npy.Array{}), `no array "c"`},
		{one("classes", npy.Array{}), `no array "classes"`},
		{one("W", npy.New(make([]float64, 24), 4, 6)), "W (4, 6) (6, 4)"},
		{one("b", npy.New(make([]float64, 5), 5)), "W (6, 4) (5, 4)"},
		{one("b", npy.New(make([]float64, 6), 6, 1)), "b (6, 1)"},
		{one("W", npy.New(make([]int64, 24), 6, 4)), "W <i8 <f8"},
		{one("b", npy.New(nan, smallV)), "b_0[3] NaN finite"},
		{one("c", npy.New([]float64{0, math.Inf(1), 0, 0}, 4)), "b_1[1] +Inf finite"},
		{one("classes", npy.New([]int64{6})), "6 classes 5"},
		{one("classes", npy.New([]int64{-1})), "-1 classes"},
		{one("classes", npy.New([]int64{1}, 1)), "classes (1,)"},
		{one("classes", npy.New([]int32{1})), "classes <i4"},
		{text("{"), "meta JSON"},
		{text(`{"a": 1}`), "meta JSON"},
		{text(`{} {}`), "meta more than one"},
		{npy.Archive{{Name: "W", Array: npy.New([]float64{}, 0, 4)}, {Name: "b", Array: npy.New([]float64{}, 0)}}, "0 visible"},
	} {
		if _, err := read(arrays(t, c.replace)); err == nil || !holds(err.Error(), "train: model file: "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.npz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "cut.npz")
	if err := os.WriteFile(path, whole[:100], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !holds(err.Error(), "cut.npz train: model file:") {
		t.Errorf("cut file: %v", err)
	}
	bad, err := NewModel(smallRBM(t), 0, map[string]string{"a": "\xff"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.Write(io.Discard); err == nil || !holds(err.Error(), "UTF-8") {
		t.Errorf("meta that is no text: %v", err)
	}
}

// TestReadOthers: files without meta and with float32 numbers are read, as NumPy users may
// write them.
func TestReadOthers(t *testing.T) {
	w := make([]float32, smallV*smallH)
	for k := range w {
		w[k] = float32(k) / 10
	}
	m, err := read(arrays(t, npy.Archive{{Name: "meta"}, {Name: "W", Array: npy.New(w, smallV, smallH)}}))
	if err != nil || m.RBM().W().At(2, 3) != float64(w[2*smallH+3]) || len(m.Meta()) != 0 || m.Classes() != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(arrays(f, nil))
	f.Add(arrays(f, one("classes", npy.New([]int64{1 << 40}))))
	f.Add(arrays(f, one("meta", npy.New([]uint8("null"), 4))))
	f.Add(arrays(f, one("W", npy.New(make([]float32, 24), 6, 4))))
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := read(b)
		if err != nil {
			return
		}
		var c bytes.Buffer
		if err := m.Write(&c); err != nil {
			t.Fatal(err)
		}
		if again, err := read(c.Bytes()); err != nil || !same(again, m) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}

// bigger is a model with several tiles of units, and images for it.
func bigger(t testing.TB) (*Model, Data) {
	t.Helper()
	r, err := models.RBMS(75, 70, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	g := rand.New(rand.NewPCG(1, 2))
	d := Data{Classes: 5}
	for i := range 150 {
		x := make([]uint8, 70)
		for k := range x {
			x[k] = uint8(g.IntN(2))
		}
		d.Images, d.Labels = append(d.Images, x), append(d.Labels, uint8(i%5))
	}
	return mustModel(t, r, 5), d
}

// TestLabelEnergies compares with free energies in double precision.
func TestLabelEnergies(t *testing.T) {
	m, d := bigger(t)
	for _, parallel := range []int{0, 1, 3} {
		f, err := m.LabelEnergies(d.Images, parallel)
		if err != nil {
			t.Fatal(err)
		}
		classes, err := m.Classify(d.Images, parallel)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range d.Images {
			best := 0
			for l := range 5 {
				v := slices.Concat(x, make([]uint8, 5))
				v[70+l] = 1
				if want := m.RBM().FreeEnergy(v); math.Abs(f[i][l]-want) > 1e-3 {
					t.Fatalf("image %d, label %d: %v, want %v", i, l, f[i][l], want)
				}
				if f[i][l] < f[i][best] {
					best = l
				}
			}
			if int(classes[i]) != best {
				t.Errorf("image %d is of class %d, energies %v", i, classes[i], f[i])
			}
		}
	}
}

// TestPseudoLikelihood compares with the definition in double precision.
func TestPseudoLikelihood(t *testing.T) {
	m, d := bigger(t)
	d.Images, d.Labels = d.Images[:20], d.Labels[:20]
	want := 0.0
	for i := range d.Images {
		v := d.joint(i)
		f := m.RBM().FreeEnergy(v)
		for k := range v {
			v[k] ^= 1
			want -= math.Log1p(math.Exp(f-m.RBM().FreeEnergy(v))) / 20
			v[k] ^= 1
		}
	}
	for _, parallel := range []int{0, 1} {
		if got, err := m.PseudoLikelihood(d, parallel); err != nil || math.Abs(got-want) > 0.01 {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	if _, err := m.PseudoLikelihood(Data{Images: d.Images}, 0); err == nil {
		t.Error("data without labels: no error")
	}
}

// TestVote compares the shares with p(label unit on | image) by enumeration: 10 images of 2
// labels, 4000 sweeps each; |z| < 4.5 with a variance of twice that of independent sweeps,
// which the weak couplings allow.
func TestVote(t *testing.T) {
	r, err := models.RBMS(smallV, smallH, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	m := mustModel(t, r, smallClasses)
	d := smallData(10, 3)
	const sweeps = 4000
	share, err := m.Vote(t.Context(), d.Images, SampleOptions{Sweeps: sweeps, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := law(r)
	for i, x := range d.Images {
		total, on := 0.0, make([]float64, smallClasses)
		for s, w := range p {
			if v := visible(s); slices.Equal(v[:4], x) {
				total += w
				for l := range on {
					on[l] += w * float64(v[4+l])
				}
			}
		}
		for l, w := range on {
			w /= total
			if z := (share[i][l] - w) / math.Sqrt(2*w*(1-w)/sweeps); !(math.Abs(z) < 4.5) {
				t.Errorf("image %d, label %d: share %v, exact %v", i, l, share[i][l], w)
			}
		}
	}
	again, err := m.Vote(t.Context(), d.Images, SampleOptions{Sweeps: sweeps, Seed: 1, Parallel: 1})
	if err != nil || !slices.EqualFunc(again, share, slices.Equal) {
		t.Errorf("one goroutine gave other shares, %v", err)
	}
	// A vote over ever so many sweeps of one image ends with the context.
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := m.Vote(ctx, d.Images[:1], SampleOptions{Sweeps: 1 << 40}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v after the end of the context", err)
	}
	if got := Winners([][]float64{{0, 0}, {0.1, 0.2}, {0.5, 0.5}}); !slices.Equal(got, []uint8{0, 1, 0}) {
		t.Errorf("winners %v", got)
	}
}

// TestGenerate compares pixel rates of both classes with enumeration, with the same
// allowance as TestVote.
func TestGenerate(t *testing.T) {
	r, err := models.RBMS(smallV, smallH, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	m := mustModel(t, r, smallClasses)
	// Sweeps before and between images are those of one chain.
	two, err := m.Generate(t.Context(), 1, 2, SampleOptions{Burn: 7, Sweeps: 3, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, burn := range []int{7, 10} {
		if one, err := m.Generate(t.Context(), 1, 1, SampleOptions{Burn: burn, Seed: 1}); err != nil || !slices.Equal(one[0], two[i]) {
			t.Errorf("after %d sweeps %v, must be %v, %v", burn, one, two[i], err)
		}
	}
	p := law(r)
	for l := range smallClasses {
		const n = 4000
		images, err := m.Generate(t.Context(), l, n, SampleOptions{Sweeps: 2, Seed: 1})
		if err != nil || len(images) != n {
			t.Fatalf("%d images, %v", len(images), err)
		}
		rate, want, total := make([]float64, 4), make([]float64, 4), 0.0
		for _, x := range images {
			for k, on := range x {
				rate[k] += float64(on) / n
			}
		}
		for s, w := range p {
			if v := visible(s); v[4+l] == 1 && v[5-l] == 0 {
				total += w
				for k := range want {
					want[k] += w * float64(v[k])
				}
			}
		}
		for k, w := range want {
			w /= total
			if z := (rate[k] - w) / math.Sqrt(2*w*(1-w)/n); !(math.Abs(z) < 4.5) {
				t.Errorf("class %d, pixel %d: rate %v, exact %v", l, k, rate[k], w)
			}
		}
	}
}

// TestEvidence: both bounds are near the exact value, in their order but for errors.
func TestEvidence(t *testing.T) {
	r, err := models.RBMS(40, 12, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	m := mustModel(t, r, 0)
	samples := Data{}
	for i := range 30 {
		samples.Images = append(samples.Images, models.EveryThird(40))
		samples.Images[i][i] ^= 1
	}
	o := EvidenceOptions{Levels: 1000, Chains: 100, Burn: 1000, Seed: 2}
	e, err := m.bounds(t.Context(), samples, o, m.meanFreeEnergy(samples, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	z, err := r.LogZ()
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.LogLikelihood(z, samples.Images...)
	if err != nil {
		t.Fatal(err)
	}
	two, err := m.bounds(t.Context(), samples, o, m.meanFreeEnergy(samples, 2), 2)
	if err != nil || two.Lower != e.Lower || two.Upper != e.Upper {
		t.Errorf("two goroutines: between %v and %v, one: %v and %v, %v", two.Lower, two.Upper, e.Lower, e.Upper, err)
	}
	exact, err := m.LogLikelihood(t.Context(), samples, o)
	if err != nil || !exact.Exact || math.Abs(exact.LogLikelihood-want) > 1e-9 || math.Abs(exact.LogZ-z) > 1e-9 {
		t.Errorf("exact: %+v, %v, want %v", exact, err, want)
	}
	margin := 4 * (e.Forward.SE + e.Reverse.SE)
	if e.Exact || e.Lower > want+margin || e.Upper < want-margin || e.Upper-e.Lower > 0.5 {
		t.Errorf("between %.3f and %.3f, exact %.3f; %+v", e.Lower, e.Upper, want, e.Forward.SE)
	}
	// With few levels and chains the bounds are nats apart, and which is which shows.
	o.Levels, o.Chains = 3, 2
	if e, err = m.bounds(t.Context(), samples, o, m.meanFreeEnergy(samples, 1), 1); err != nil || !(e.Lower < want-1 && e.Upper > want+1) {
		t.Errorf("between %.3f and %.3f, exact %.3f, %v: must be more than 1 nat off", e.Lower, e.Upper, want, err)
	}
}

func TestUseErrors(t *testing.T) {
	m := mustModel(t, smallRBM(t), 2)
	plain := mustModel(t, smallRBM(t), 0)
	x := [][]uint8{{0, 1, 0, 1}}
	ctx := t.Context()
	drop := func(_ any, err error) error { return err }
	w := mat.NewDense(2, 1, []float64{1e39, 0})
	huge, err := boltzmann.NewRBM(w, []float64{0, 0}, []float64{0})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"huge weights":        drop(mustModel(t, huge, 1).Classify([][]uint8{{1}}, 0)),
		"huge start":          drop(New(Data{Images: [][]uint8{{0, 1}}}, Options{Start: huge, Epochs: 1})),
		"no images":           drop(m.LabelEnergies(nil, 0)),
		"short image":         drop(m.Classify([][]uint8{{0, 1}}, 0)),
		"parallel -1":         drop(m.Classify(x, -1)),
		"no classes":          drop(plain.Classify([][]uint8{make([]uint8, 6)}, 0)),
		"vote: no classes":    drop(plain.Vote(ctx, [][]uint8{make([]uint8, 6)}, SampleOptions{})),
		"vote: no images":     drop(m.Vote(ctx, nil, SampleOptions{})),
		"vote: sweeps":        drop(m.Vote(ctx, x, SampleOptions{Sweeps: -1})),
		"vote: burn":          drop(m.Vote(ctx, x, SampleOptions{Burn: -1})),
		"vote: parallel":      drop(m.Vote(ctx, x, SampleOptions{Parallel: -1})),
		"given: no classes":   drop(plain.GivenPixels(make([]uint8, 6))),
		"generate: class":     drop(m.Generate(ctx, 2, 1, SampleOptions{})),
		"generate: n":         drop(m.Generate(ctx, 1, 0, SampleOptions{})),
		"generate: sweeps":    drop(m.Generate(ctx, 1, 1, SampleOptions{Sweeps: -1})),
		"evidence: data":      drop(m.LogLikelihood(ctx, Data{}, EvidenceOptions{})),
		"evidence: labels":    drop(m.LogLikelihood(ctx, Data{Images: x}, EvidenceOptions{})),
		"evidence: burn":      drop(m.LogLikelihood(ctx, smallData(1, 1), EvidenceOptions{Burn: -1})),
		"evidence: parallel":  drop(m.LogLikelihood(ctx, smallData(1, 1), EvidenceOptions{Parallel: -1})),
		"pseudo: parallel":    drop(m.PseudoLikelihood(smallData(1, 1), -1)),
		"accuracy: lengths":   drop(Accuracy([]uint8{1}, nil)),
		"accuracy: no images": drop(Accuracy(nil, nil)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "train: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if a, err := Accuracy([]uint8{1, 2, 3, 4}, []uint8{1, 0, 3, 4}); err != nil || a != 0.75 {
		t.Errorf("accuracy %v, %v", a, err)
	}
}

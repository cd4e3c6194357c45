package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/internal/npy"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// DeepModel is a trained layered machine whose last visible units are label units. It is
// immutable, and its methods may be called from several goroutines.
type DeepModel struct {
	m       *boltzmann.Layered
	classes int
	meta    map[string]string
}

// NewDeepModel returns the machine m, the last classes ≥ 0 units of whose layer 0 are label
// units; at least one unit there must be a pixel. meta is kept with it; nil for nothing.
func NewDeepModel(m *boltzmann.Layered, classes int, meta map[string]string) (*DeepModel, error) {
	if m == nil {
		return nil, errors.New("train: machine is nil")
	}
	if _, nv := m.Layer(0); classes < 0 || classes >= nv {
		return nil, fmt.Errorf("train: %d classes of %d visible units: must be 0 to %d", classes, nv, nv-1)
	}
	return &DeepModel{m, classes, clone(meta)}, nil
}

// Model returns the machine as it is now. It fails if weights have become infinite.
func (t *DeepTrainer) Model(meta map[string]string) (*DeepModel, error) {
	m, err := t.Machine()
	if err != nil {
		return nil, err
	}
	return NewDeepModel(m, t.classes, meta)
}

// Machine is the machine, for any sampler of layered machines: layer 0 are the pixels, then the
// label units.
func (m *DeepModel) Machine() *boltzmann.Layered { return m.m }

// Pixels is the number of pixels.
func (m *DeepModel) Pixels() int { _, nv := m.m.Layer(0); return nv - m.classes }

// Classes is the number of label units.
func (m *DeepModel) Classes() int { return m.classes }

// Meta returns a copy of what was kept with the model.
func (m *DeepModel) Meta() map[string]string { return clone(m.meta) }

// A model file of a layered machine is an NPZ file with W0, b0, W1, b1, …, b<L> as float64
// (float32 is read too), an int64 number classes, and meta, a JSON object as uint8.

// Save writes the model to a file, which at any time is the old one, if there was one, or the
// whole new one.
func (m *DeepModel) Save(path string) error {
	for k, v := range m.meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("train: meta %q: %q: must be UTF-8", k, v)
		}
	}
	meta, err := json.Marshal(m.meta)
	if err != nil {
		return fmt.Errorf("train: meta: %w", err)
	}
	var a npy.Archive
	for l := range m.m.Layers() {
		from, to := m.m.Layer(l)
		b := make([]float64, to-from)
		for i := range b {
			b[i] = m.m.Bias(from + i)
		}
		a = append(a, npy.Entry{Name: fmt.Sprintf("b%d", l), Array: npy.New(b, len(b))})
		if l+1 < m.m.Layers() {
			w := m.m.Weight(l)
			r, c := w.Dims()
			a = append(a, npy.Entry{Name: fmt.Sprintf("W%d", l), Array: npy.New(w.RawMatrix().Data, r, c)})
		}
	}
	a = append(a, npy.Entry{Name: "classes", Array: npy.New([]int64{int64(m.classes)})}, npy.Entry{Name: "meta", Array: npy.New(meta, len(meta))})
	if err := npy.WriteZipFile(path, a); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// LoadDeep reads a model from a file. It refuses files that are cut or corrupt (by their
// checksums), shapes that do not agree, and numbers that are not finite.
func LoadDeep(path string) (*DeepModel, error) {
	a, err := npy.ReadZipFile(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("train: %w", err)
		}
		return nil, fmt.Errorf("train: model file: %w", err)
	}
	m, err := deepFromArchive(a)
	if err != nil {
		return nil, fmt.Errorf("train: model file: %w", err)
	}
	return m, nil
}

func deepFromArchive(a npy.Archive) (*DeepModel, error) {
	var w []mat.Matrix
	var b [][]float64
	for l := 0; ; l++ {
		x, err := reals(a, fmt.Sprintf("b%d", l), -1)
		if err != nil {
			if l < 2 {
				return nil, err
			}
			break
		}
		if len(x) == 0 {
			return nil, fmt.Errorf("layer %d has no units: must have at least one", l)
		}
		if l > 0 {
			n := len(b[l-1])
			y, err := reals(a, fmt.Sprintf("W%d", l-1), n, len(x))
			if err != nil {
				return nil, err
			}
			w = append(w, mat.NewDense(n, len(x), y))
		}
		b = append(b, x)
	}
	if _, more := a.Find(fmt.Sprintf("W%d", len(w))); more {
		return nil, fmt.Errorf("weights W%d without b%d: must have both", len(w), len(b))
	}
	classes, err := npy.Get[int64](a, "classes")
	if err != nil {
		return nil, err
	}
	var meta map[string]string
	if _, ok := a.Find("meta"); ok {
		text, err := npy.Get[uint8](a, "meta", -1)
		if err != nil {
			return nil, err
		}
		if err := unmarshal(text, &meta); err != nil {
			return nil, fmt.Errorf("meta must be a JSON object of strings: %w", err)
		}
	}
	m, err := boltzmann.NewLayered(w, b)
	if err != nil {
		return nil, err
	}
	if classes[0] < 0 || classes[0] >= int64(len(b[0])) {
		return nil, fmt.Errorf("%d classes of %d visible units: must be 0 to %d", classes[0], len(b[0]), len(b[0])-1)
	}
	return NewDeepModel(m, int(classes[0]), meta)
}

// reader is the machine in single precision, to infer hidden units with.
func (m *DeepModel) reader(images, parallel int) *DeepTrainer {
	t := &DeepTrainer{o: DeepOptions{Inference: 30}}
	for l := range m.m.Layers() {
		from, to := m.m.Layer(l)
		t.sizes = append(t.sizes, to-from)
		t.b = append(t.b, make([]float32, to-from))
		if l+1 < m.m.Layers() {
			_, next := m.m.Layer(l + 1)
			t.w = append(t.w, linalg.NewMat[float32](to-from, next-to))
		}
	}
	t.set(m.m)
	t.team = linalg.NewTeam(parallel)
	t.batch = newPhase(images, t.sizes)
	return t
}

// bounds are the variational bounds Σ_l (b_lᵀμ_l + μ_{l−1}ᵀW_{l−1}μ_l) + entropy of μ of the rows of a
// phase, on log Σ_h exp(−E(v, h)), at the means it holds.
func (t *DeepTrainer) bounds(dst []float64, f *phase) {
	for l := 1; l < len(t.sizes); l++ {
		t.fields(f, l, false, 1)
	}
	t.team.Do(f.rows, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			s := 0.0
			for i, v := range f.z[0].Row(r) {
				s += float64(v) * float64(t.b[0][i])
			}
			for l := 1; l < len(t.sizes); l++ {
				x := f.field[l].Row(r)
				for i, q := range f.z[l].Row(r) {
					p := float64(q)
					s += p*float64(x[i]) + entropy(p)
				}
			}
			dst[r] = s
		}
	})
}

// entropy is that of a unit that is on with probability p [nats].
func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log(p) - (1-p)*math.Log1p(-p)
}

// deepBatch is the number of images that are inferred at once.
const deepBatch = 256

// LabelBounds returns for every image and class l the variational bound on
// log Σ_h exp(−E(image, label l, h)) [nats], label unit l on and the others off, at the mean-field
// solution after 30 sweeps. parallel is the number of goroutines (0: GOMAXPROCS); it does not
// change the result.
func (m *DeepModel) LabelBounds(images [][]uint8, parallel int) ([][]float64, error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := checkImages(images, m.Pixels()); err != nil {
		return nil, err
	}
	if _, err := workers(parallel); err != nil {
		return nil, err
	}
	t := m.reader(deepBatch, parallel)
	defer t.team.Close()
	np := m.Pixels()
	bounds := make([][]float64, len(images))
	row := make([]float64, deepBatch)
	for from := 0; from < len(images); from += deepBatch {
		n := min(deepBatch, len(images)-from)
		f := t.batch.first(n)
		for k := range n {
			v := f.z[0].Row(k)
			clear(v)
			for i, on := range images[from+k] {
				v[i] = float32(on)
			}
			bounds[from+k] = make([]float64, m.classes)
		}
		for l := range m.classes {
			for k := range n {
				v := f.z[0].Row(k)[np:]
				clear(v)
				v[l] = 1
			}
			t.infer(f)
			t.bounds(row[:n], f)
			for k := range n {
				bounds[from+k][l] = row[k]
			}
		}
	}
	return bounds, nil
}

// Classify returns the class of the largest bound of every image, the first of equals.
func (m *DeepModel) Classify(images [][]uint8, parallel int) ([]uint8, error) {
	bounds, err := m.LabelBounds(images, parallel)
	if err != nil {
		return nil, err
	}
	return Winners(bounds), nil
}

// Vote classifies by sampling, as Model.Vote does: with the pixels held at an image, all other
// units are drawn by blocked Gibbs sampling from all off, and share[i][l] is the share of sweeps
// in which label unit l is on for image i. When ctx ends it returns ctx's error.
func (m *DeepModel) Vote(ctx context.Context, images [][]uint8, o SampleOptions) (share [][]float64, err error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := checkImages(images, m.Pixels()); err != nil {
		return nil, err
	}
	if _, err := o.fill(20, 200); err != nil {
		return nil, err
	}
	t := m.reader(deepBatch, o.Parallel)
	defer t.team.Close()
	np := m.Pixels()
	share = make([][]float64, len(images))
	for from := 0; from < len(images); from += deepBatch {
		n := min(deepBatch, len(images)-from)
		f := t.batch.first(n)
		var chains []*deepChain
		for k := range n {
			c := &deepChain{walker: walker{beta: 1}, row: k}
			c.s.Seed(rng.Stream(o.Seed, "vote", from+k).Uint64)
			chains = append(chains, c)
			share[from+k] = make([]float64, m.classes)
			for _, z := range f.z {
				clear(z.Row(k))
			}
		}
		for s := range o.Burn + o.Sweeps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for k := range n {
				for i, on := range images[from+k] {
					f.z[0].Row(k)[i] = float32(on)
				}
			}
			t.sweep(f, chains, 0)
			if s < o.Burn {
				continue
			}
			for k := range n {
				for l, on := range f.z[0].Row(k)[np:] {
					share[from+k][l] += float64(on) / float64(o.Sweeps)
				}
			}
		}
	}
	return share, nil
}

// Generate returns n images of class l: states of the pixels while label unit l is held on and
// the others off, from one chain of blocked Gibbs sampling that begins with fair coins. When ctx
// ends it returns ctx's error.
func (m *DeepModel) Generate(ctx context.Context, l, n int, o SampleOptions) ([][]uint8, error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if l < 0 || l >= m.classes || n < 1 {
		return nil, fmt.Errorf("train: %d images of class %d: must be ≥ 1, and a class below %d", n, l, m.classes)
	}
	if _, err := o.fill(1000, 100); err != nil {
		return nil, err
	}
	t := m.reader(1, o.Parallel)
	defer t.team.Close()
	f, np := t.batch, m.Pixels()
	c := &deepChain{walker: walker{beta: 1}}
	c.s.Seed(rng.Stream(o.Seed, "generate", l).Uint64)
	start := rand.New(rng.Stream(o.Seed, "generate start", l))
	for _, z := range f.z {
		for i := range z.Data {
			z.Data[i] = float32(start.IntN(2))
		}
	}
	label := f.z[0].Row(0)[np:]
	images := make([][]uint8, 0, n)
	for s := 1; len(images) < n; s++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(label)
		label[l] = 1
		t.sweep(f, []*deepChain{c}, 0)
		if s > o.Burn && (s-o.Burn)%o.Sweeps == 0 {
			image := make([]uint8, np)
			for i, v := range f.z[0].Row(0)[:np] {
				image[i] = uint8(v)
			}
			images = append(images, image)
		}
	}
	return images, nil
}

// DeepEvidence is what is known of the mean log-likelihood of data [nats per state].
type DeepEvidence struct {
	// Exact says that LogLikelihood is no bound: at most 20 units are in one of the two halves of
	// the machine, odd and even layers, and also without the visible units.
	Exact         bool
	LogLikelihood float64
	// Bound is the mean variational bound on log Σ_h exp(−E(v, h)), less LogZ.
	Bound float64
	LogZ  float64 // exact, or estimated by AIS, then too small on average
	AIS   boltzmann.AISResult
}

// LogLikelihood is the mean of log p(v) over data, v being pixels and label units: exact for small
// machines. Bound is the variational bound, with log Z exact or from AIS on the restricted
// machine of odd and even layers, which is the same machine.
func (m *DeepModel) LogLikelihood(ctx context.Context, d Data, o EvidenceOptions) (DeepEvidence, error) {
	var e DeepEvidence
	if err := d.check(); err != nil {
		return e, err
	}
	if d.pixels() != m.Pixels() || d.Classes != m.classes {
		return e, fmt.Errorf("train: data of %d pixels and %d classes: must be %d and %d", d.pixels(), d.Classes, m.Pixels(), m.classes)
	}
	if _, err := workers(o.Parallel); err != nil {
		return e, err
	}
	var err error
	if e.LogZ, err = m.m.LogZ(); err == nil {
		if e.LogLikelihood, err = m.exact(d, e.LogZ); err == nil {
			e.Exact = true
		}
	} else {
		r, err := m.halves()
		if err != nil {
			return e, err
		}
		base := make([]float64, r.Visible())
		copy(base, d.pack().odds(m.Pixels()+m.classes))
		if e.AIS, err = boltzmann.AIS(ctx, r, boltzmann.AISOptions{Levels: o.Levels, Chains: o.Chains, Seed: o.Seed, Base: base, Parallel: o.Parallel}); err != nil {
			return e, err
		}
		e.LogZ = e.AIS.LogZ
	}
	t := m.reader(deepBatch, o.Parallel)
	defer t.team.Close()
	row := make([]float64, deepBatch)
	for from := 0; from < len(d.Images); from += deepBatch {
		if err := ctx.Err(); err != nil {
			return e, err
		}
		n := min(deepBatch, len(d.Images)-from)
		f := t.batch.first(n)
		for k := range n {
			for i, on := range d.joint(from + k) {
				f.z[0].Row(k)[i] = float32(on)
			}
		}
		t.infer(f)
		t.bounds(row[:n], f)
		for _, x := range row[:n] {
			e.Bound += x / float64(len(d.Images))
		}
	}
	e.Bound -= e.LogZ
	return e, nil
}

// exact is the mean log-likelihood, with the hidden units summed out exactly.
func (m *DeepModel) exact(d Data, logZ float64) (float64, error) {
	_, nv := m.m.Layer(0)
	sum := 0.0
	for i := range d.Images {
		v := d.joint(i)
		visible := 0.0
		z := make([]uint8, m.m.Dim())
		copy(z, v)
		for k, on := range v {
			if on != 0 {
				visible += m.m.Bias(k)
			}
		}
		// The hidden layers are a machine of their own, layer 1 having the fields of v as biases.
		var w []mat.Matrix
		var b [][]float64
		for l := 1; l < m.m.Layers(); l++ {
			from, to := m.m.Layer(l)
			x := make([]float64, to-from)
			for k := range x {
				x[k] = m.m.Bias(from + k)
				if l == 1 {
					x[k] = m.m.Logit(z, nv+k)
				}
			}
			b = append(b, x)
			if l+1 < m.m.Layers() {
				w = append(w, m.m.Weight(l))
			}
		}
		hidden := 0.0
		if len(b) == 1 {
			for _, x := range b[0] {
				hidden += softplus(x)
			}
		} else {
			h, err := boltzmann.NewLayered(w, b)
			if err != nil {
				return 0, err
			}
			if hidden, err = h.LogZ(); err != nil {
				return 0, err
			}
		}
		sum += (visible + hidden - logZ) / float64(len(d.Images))
	}
	return sum, nil
}

// halves is the machine as a restricted one: even layers are its visible units, odd ones its
// hidden units.
func (m *DeepModel) halves() (*boltzmann.RBM, error) {
	at := make([]int, m.m.Layers()) // first unit of a layer within its half
	var n [2]int
	for l := range at {
		from, to := m.m.Layer(l)
		at[l] = n[l%2]
		n[l%2] += to - from
	}
	w := mat.NewDense(n[0], n[1], nil)
	bias := [2][]float64{make([]float64, n[0]), make([]float64, n[1])}
	for l := range at {
		from, to := m.m.Layer(l)
		for k := from; k < to; k++ {
			bias[l%2][at[l]+k-from] = m.m.Bias(k)
		}
		if l+1 == len(at) {
			break
		}
		block := m.m.Weight(l)
		r, c := block.Dims()
		for i := range r {
			for j := range c {
				if l%2 == 0 {
					w.Set(at[l]+i, at[l+1]+j, block.At(i, j))
				} else {
					w.Set(at[l+1]+j, at[l]+i, block.At(i, j))
				}
			}
		}
	}
	return boltzmann.NewRBM(w, bias[0], bias[1])
}

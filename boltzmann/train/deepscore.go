package train

import (
	"context"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// deepBatch is the number of images that are inferred at once, deepSweeps the number of
// sweeps of mean field they get: three times the default of training, as bounds only get better.
const (
	deepBatch  = 256
	deepSweeps = 30
)

// reader is the machine in single precision with a team and a phase for at most so many
// images. Close the team after use.
func (m *DeepModel) reader(images, workers int) (*net, *phase, error) {
	n, err := newNet(append([]int{m.visible()}, m.Hidden()...))
	if err != nil {
		return nil, nil, err
	}
	if err := n.set(m.m); err != nil {
		return nil, nil, err
	}
	n.team = linalg.NewTeam(workers)
	return n, newPhase(min(images, deepBatch), n.sizes), nil
}

// bounds are the variational bounds Σ_l (b_lᵀμ_l + μ_{l−1}ᵀW_{l−1}μ_l) + entropy of μ on
// log Σ_h exp(−E(v, h)) of the rows of a phase, at the means that it holds.
func (n *net) bounds(dst []float64, f *phase) {
	n.lift(f)
	for l := 1; l <= n.top(); l++ {
		x := f.field[l]
		for r := range f.rows {
			if l == 1 {
				copy(x.Row(r), f.base.Row(r))
			} else {
				copy(x.Row(r), n.b[l])
			}
		}
		if l > 1 {
			linalg.Gemm(n.team, false, false, 1, f.z[l-1], n.w[l-1], 1, x)
		}
	}
	n.team.Do(f.rows, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			s := 0.0
			for i, v := range f.z[0].Row(r) {
				s += float64(v) * float64(n.b[0][i])
			}
			for l := 1; l <= n.top(); l++ {
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

// LabelBounds returns for every image and class l the variational bound on
// log Σ_h exp(−E(image, label l, h)) [nats], label unit l on and the others off, at the mean-field
// solution after 30 sweeps; with one hidden layer it is exact. Sums are in single precision,
// right to about 1e-3. parallel is the number of goroutines (0: GOMAXPROCS); it does not change
// the result.
func (m *DeepModel) LabelBounds(images [][]uint8, parallel int) ([][]float64, error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := checkImages(images, m.Pixels()); err != nil {
		return nil, err
	}
	workers, err := workers(parallel)
	if err != nil {
		return nil, err
	}
	n, whole, err := m.reader(len(images), workers)
	if err != nil {
		return nil, err
	}
	defer n.team.Close()
	np := m.Pixels()
	bounds := make([][]float64, len(images))
	row := make([]float64, deepBatch)
	for from := 0; from < len(images); from += deepBatch {
		f := whole.first(min(deepBatch, len(images)-from))
		for k := range f.rows {
			numbers(f.z[0].Row(k), images[from+k])
			bounds[from+k] = make([]float64, m.classes)
		}
		for l := range m.classes {
			for k := range f.rows {
				label := f.z[0].Row(k)[np:]
				clear(label)
				label[l] = 1
			}
			n.meanField(f, deepSweeps)
			n.bounds(row, f)
			for k := range f.rows {
				bounds[from+k][l] = row[k]
			}
		}
	}
	return bounds, nil
}

// numbers writes a state as numbers.
func numbers(dst []float32, z []uint8) {
	for i, on := range z {
		dst[i] = float32(on)
	}
}

// Classify returns the class of the largest bound of every image, the first of equals. parallel
// is as in LabelBounds.
func (m *DeepModel) Classify(images [][]uint8, parallel int) ([]uint8, error) {
	bounds, err := m.LabelBounds(images, parallel)
	if err != nil {
		return nil, err
	}
	return Winners(bounds), nil
}

// Vote classifies by sampling, as Model.Vote does: with the pixels held at an image, label and
// hidden units are drawn by blocked Gibbs sampling from all off, and share[i][l] is the share of
// sweeps in which label unit l is on for image i. When ctx ends it returns ctx's error.
func (m *DeepModel) Vote(ctx context.Context, images [][]uint8, o SampleOptions) (share [][]float64, err error) {
	workers, err := o.fill(20, 200)
	if err != nil {
		return nil, err
	}
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := checkImages(images, m.Pixels()); err != nil {
		return nil, err
	}
	n, _, err := m.reader(1, workers)
	if err != nil {
		return nil, err
	}
	defer n.team.Close()
	// Layer 0 are the label units from now on; what the pixels add to layer 1 is in base.
	np := m.Pixels()
	pixels := n.w[0].Slice(0, np)
	n.w[0] = n.w[0].Slice(np, np+m.classes)
	n.b[0] = n.b[0][np:]
	n.sizes[0] = m.classes
	whole := newPhase(min(len(images), deepBatch), n.sizes)
	held := linalg.NewMat[float32](whole.rows, np)
	share = make([][]float64, len(images))
	for from := 0; from < len(images); from += deepBatch {
		f := whole.first(min(deepBatch, len(images)-from))
		var chains []*deepChain
		for k := range f.rows {
			c := &deepChain{walker: walker{beta: 1}, row: k}
			c.s.Seed(rng.Stream(o.Seed, "vote", from+k).Uint64)
			chains = append(chains, c)
			share[from+k] = make([]float64, m.classes)
			numbers(held.Row(k), images[from+k])
			copy(f.base.Row(k), n.b[1])
			for _, z := range f.z {
				clear(z.Row(k))
			}
		}
		linalg.Gemm(n.team, false, false, 1, held.Slice(0, f.rows), pixels, 1, f.base)
		f.based = true
		for s := range o.Burn + o.Sweeps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n.sweep(f, chains, false)
			if s < o.Burn {
				continue
			}
			for k := range f.rows {
				for l, on := range f.z[0].Row(k) {
					share[from+k][l] += float64(on) / float64(o.Sweeps)
				}
			}
		}
	}
	return share, nil
}

// Generate returns n images of class l: states of the pixels while label unit l is held on and
// the others off, from one chain of blocked Gibbs sampling that begins with fair coins. Images
// are Sweeps sweeps apart; how independent they are is up to the chain. When ctx ends it returns
// ctx's error.
func (m *DeepModel) Generate(ctx context.Context, l, n int, o SampleOptions) ([][]uint8, error) {
	if _, err := o.fill(1000, 100); err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("train: Generate of %d images: must be ≥ 1", n)
	}
	r, err := m.GivenLabel(l)
	if err != nil {
		return nil, err
	}
	return generate(ctx, r, m.Pixels(), l, n, o)
}

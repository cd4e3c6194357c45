package train

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/heatbath"
)

// scorer computes sums of softplus of hidden fields, and how they change if one visible unit
// changes. Fields are sums in single precision, then whole numbers of gibbskernel.FixedGrid:
// sums over hidden units are right to about 1e-3 nats for fields of up to 256, which suffices
// to compare states.
type scorer struct {
	m    *weights
	rows [][]int32 // of visible units, in grid units, padded
	from int       // visible unit of the first row
}

// newScorer prepares the rows of visible units from ≤ i < to.
func (m *Model) newScorer(from, to int) (*scorer, error) {
	w, err := fromRBM(m.rbm)
	if err != nil {
		return nil, err
	}
	s := &scorer{m: w, from: from}
	x := make([]float32, w.ph)
	for i := from; i < to; i++ {
		for j := range w.nh {
			x[j] = w.w[w.at(i, j)]
		}
		row := make([]int32, w.ph)
		w.fix(row, x, w.nh)
		clear(row[w.nh:])
		s.rows = append(s.rows, row)
	}
	return s, nil
}

// sheet is scratch memory of a goroutine.
type sheet struct {
	bits []uint64
	list []int32
	x    []float32
	a, y []int32 // fields, and those of the changed state
}

func (s *scorer) sheet() *sheet {
	m := s.m
	return &sheet{bits: make([]uint64, words(m.nv)), list: make([]int32, m.pv+12), x: make([]float32, m.ph),
		a: make([]int32, m.ph), y: make([]int32, m.ph)}
}

// load computes the fields of a state of the first visible units, the others off.
func (s *scorer) load(h *sheet, v []uint8) {
	clear(h.bits)
	setBits(h.bits, 0, v)
	on := s.m.list(h.list, h.bits)
	for t := range s.m.ph / tile {
		s.m.hidden((*[tile]float32)(h.x[t*tile:]), t, on)
	}
	s.m.fix(h.a, h.x, s.m.nh)
}

// softplus is Σ_j log(1 + exp(x_j)) of fields in grid units.
func (s *scorer) softplus(x []int32) (sum float64) {
	const most = gibbskernel.MaxSoftplusGroups * gibbskernel.Group
	for len(x) > 0 {
		n := min(len(x), most)
		p := gibbskernel.Softplus{X: &x[0], Groups: int64(n / gibbskernel.Group), Scale: gibbskernel.Scale(1, gibbskernel.FixedGrid)}
		p.Run(s.m.path)
		sum += p.Log(1, gibbskernel.FixedGrid)
		x = x[n:]
	}
	return sum
}

// changed is softplus with visible unit i changed by sign.
func (s *scorer) changed(h *sheet, i int, sign int32) float64 {
	row := s.rows[i-s.from]
	for j, a := range h.a[:s.m.nh] {
		h.y[j] = a + sign*row[j]
	}
	for j := s.m.nh; j < s.m.ph; j++ {
		h.y[j] = gibbskernel.Never
	}
	return s.softplus(h.y)
}

// workers is the number of goroutines for a parallelism, 0 meaning GOMAXPROCS.
func workers(parallel int) (int, error) {
	if parallel < 0 {
		return 0, fmt.Errorf("train: parallel = %d: must be ≥ 1 (0: GOMAXPROCS)", parallel)
	}
	if parallel == 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	return parallel, nil
}

// spread calls f for i = 0..n-1 in pieces of 64, each piece with scratch memory.
func (s *scorer) spread(workers, n int, f func(h *sheet, i int)) {
	const piece = 64
	parallel(workers, (n+piece-1)/piece, func(p int) {
		h := s.sheet()
		for i := p * piece; i < min((p+1)*piece, n); i++ {
			f(h, i)
		}
	})
}

// LabelEnergies returns for every image the free energies F(image, label l) of all classes l
// [nats], label unit l on and the others off, right to about 1e-3. parallel is the number of
// goroutines (0: GOMAXPROCS); it does not change the result.
func (m *Model) LabelEnergies(images [][]uint8, parallel int) ([][]float64, error) {
	if m.classes == 0 {
		return nil, errNoClasses
	}
	if err := m.checkImages(images); err != nil {
		return nil, err
	}
	n, err := workers(parallel)
	if err != nil {
		return nil, err
	}
	np, b := m.Pixels(), m.rbm.B()
	s, err := m.newScorer(np, m.rbm.Visible())
	if err != nil {
		return nil, err
	}
	energies := make([][]float64, len(images))
	s.spread(n, len(images), func(h *sheet, i int) {
		s.load(h, images[i])
		own := 0.0
		for k, on := range images[i] {
			if on != 0 {
				own -= b[k]
			}
		}
		f := make([]float64, m.classes)
		for l := range f {
			f[l] = own - b[np+l] - s.changed(h, np+l, 1)
		}
		energies[i] = f
	})
	return energies, nil
}

// Classify returns the class argmin_l F(image, label l) of every image, the first of equals:
// the most probable label given that exactly one is on (Larochelle and Bengio 2008). parallel
// is as in LabelEnergies.
func (m *Model) Classify(images [][]uint8, parallel int) ([]uint8, error) {
	energies, err := m.LabelEnergies(images, parallel)
	if err != nil {
		return nil, err
	}
	classes := make([]uint8, len(images))
	for i, f := range energies {
		classes[i] = uint8(slices.Index(f, slices.Min(f)))
	}
	return classes, nil
}

// Accuracy is the share of images whose class is right. It refuses lists of different
// lengths and empty ones.
func Accuracy(got, want []uint8) (float64, error) {
	if len(got) != len(want) || len(got) == 0 {
		return 0, fmt.Errorf("train: Accuracy of %d classes with %d labels: must be as many, at least one", len(got), len(want))
	}
	right := 0
	for i, c := range got {
		if c == want[i] {
			right++
		}
	}
	return float64(right) / float64(len(got)), nil
}

// PseudoLikelihood is the mean over the data of the log pseudo-likelihood (Besag 1975)
//
//	Σ_i log p(v_i | all other visible units) = −Σ_i log(1 + exp(F(v) − F(v with unit i flipped)))
//
// in nats per state: the whole sum, not the estimate from a random unit, and not divided by
// the number of units. It is no likelihood, but goes with it, and needs no log Z. It is
// right to about 1e-3 nats for every unit. parallel is as in LabelEnergies.
func (m *Model) PseudoLikelihood(d Data, parallel int) (float64, error) {
	if err := m.check(d); err != nil {
		return 0, err
	}
	n, err := workers(parallel)
	if err != nil {
		return 0, err
	}
	nv, b := m.rbm.Visible(), m.rbm.B()
	s, err := m.newScorer(0, nv)
	if err != nil {
		return 0, err
	}
	each := make([]float64, len(d.Images))
	s.spread(n, len(each), func(h *sheet, k int) {
		v := d.joint(k)
		s.load(h, v)
		now := s.softplus(h.a)
		for i, on := range v {
			sign := 1 - 2*int32(on)
			gain := float64(sign)*b[i] + s.changed(h, i, sign) - now // F(v) − F(flipped)
			each[k] -= heatbath.Softplus(gain)
		}
	})
	sum := 0.0
	for _, x := range each {
		sum += x
	}
	return sum / float64(len(each)), nil
}

// softplus is log(1 + e^x).

package main

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/train"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// small is a bench with a random machine of 4 pixels, 3 labels and 5 hidden units.
func small(t *testing.T) *bench {
	t.Helper()
	src := rand.New(rng.Stream(1, "small"))
	w := mat.NewDense(7, 5, nil)
	w.Apply(func(_, _ int, _ float64) float64 { return src.NormFloat64() }, w)
	normal := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = src.NormFloat64()/2 - 0.5
		}
		return x
	}
	r, err := boltzmann.NewRBM(w, normal(7), normal(5))
	if err != nil {
		t.Fatal(err)
	}
	m, err := train.NewModel(r, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{model: m, setup: lif.TutorialCUBA(), classes: []string{"a", "b", "c"}, f: flags{classifiers: usual + ",lif-tail", seed: 1}}
	if b.plasticity, b.stp, err = plasticity("300:0.9", b.setup.Neuron); err != nil {
		t.Fatal(err)
	}
	if err := b.ready(); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestConditional: holding units is what Machine.Clamp does.
func TestConditional(t *testing.T) {
	r := small(t).model.RBM()
	d := newConditional(r, []int{5, 0, 2})
	got, err := machineGiven(d, []uint8{1, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Machine()
	if err != nil {
		t.Fatal(err)
	}
	want, free, err := m.Clamp(map[int]uint8{5: 1, 0: 0, 2: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(free[:4], d.free) || got.Dim() != want.Dim() {
		t.Fatalf("free units %v, want %v", d.free, free)
	}
	for i := range free {
		if math.Abs(got.Bias(i)-want.Bias(i)) > 1e-12 {
			t.Errorf("bias %d: %v, want %v", i, got.Bias(i), want.Bias(i))
		}
		for j := range free {
			if i != j && got.Weight(i, j) != want.Weight(i, j) {
				t.Errorf("weight %d, %d: %v, want %v", i, j, got.Weight(i, j), want.Weight(i, j))
			}
		}
	}
}

// shares are the shares of time of the labels given an image, and of the time in which one is
// on alone, in the second half.
func shares(t *testing.T, c classifier, image []uint8, ms float64) (on, single []float64) {
	t.Helper()
	e, err := c.make()
	if err != nil {
		t.Fatal(err)
	}
	// Another image first: nothing of it may remain.
	if _, err := look(e, c, []uint8{1, 1, 1, 1}, rng.Stream(2, "other"), 3, []float64{1000}, make([]sampling.Flip, 0, 64)); err != nil {
		t.Fatal(err)
	}
	s, err := look(e, c, image, rng.Stream(2, "shares"), 3, []float64{100, ms}, make([]sampling.Flip, 0, 64))
	if err != nil {
		t.Fatal(err)
	}
	on = slices.Clone(s.on[1])
	for l := range on {
		on[l] = (on[l] - s.on[0][l]) / (ms - 100)
	}
	_, total := divergence(s.single, make([]float64, 3))
	for l := range s.single {
		s.single[l] /= total
	}
	return on, s.single
}

// TestShares: all samplers have the exact law of the label units given the pixels, Gibbs
// sampling up to chance, networks up to what they are off by. Of 2e4 sweeps at least 4000 are
// independent, so 0.036 is more than 4.5 standard errors of a share.
func TestShares(t *testing.T) {
	b := small(t)
	image := []uint8{1, 0, 1, 1}
	r, err := b.given.given(image)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := r.Exact()
	if err != nil {
		t.Fatal(err)
	}
	energies, err := b.model.LabelEnergies([][]uint8{image}, 1)
	if err != nil {
		t.Fatal(err)
	}
	logP := softmin(energies[0])
	for _, c := range b.list {
		limit := map[string]float64{"gibbs": .036, "lif-rect": .05}[c.name]
		if limit == 0 {
			limit = .1 // the published translation, and plasticity, are off
		}
		on, single := shares(t, c, image, 2e5)
		for l := range on {
			if d := on[l] - exact.Mean[l]; math.Abs(d) > limit {
				t.Errorf("%s: label %d is on %.4f of the time, exactly %.4f", c.name, l, on[l], exact.Mean[l])
			}
			if d := single[l] - math.Exp(logP[l]); math.Abs(d) > 1.5*limit {
				t.Errorf("%s: label %d is the only one %.4f of the time, exactly %.4f", c.name, l, single[l], math.Exp(logP[l]))
			}
		}
	}
}

// TestFresh: a network that has seen other images shows the same as a new one, bit for bit.
func TestFresh(t *testing.T) {
	b := small(t)
	for _, set := range []lif.Setup{lif.TutorialCUBA(), lif.TutorialCOBA()} {
		b.setup = set
		if err := b.ready(); err != nil {
			t.Fatal(err)
		}
		for _, c := range b.list {
			var first *scan
			for k := range 2 {
				e, err := c.make()
				if err != nil {
					t.Fatal(err)
				}
				for range k {
					if _, err := look(e, c, []uint8{0, 1, 1, 0}, rng.Stream(3, "other"), 3, []float64{310}, make([]sampling.Flip, 0, 64)); err != nil {
						t.Fatal(err)
					}
				}
				s, err := look(e, c, []uint8{1, 0, 0, 1}, rng.Stream(3, "same"), 3, []float64{500}, make([]sampling.Flip, 0, 64))
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = s
				} else if !slices.Equal(first.on[0], s.on[0]) || !slices.Equal(first.single, s.single) {
					t.Errorf("%s: %v, and after another image %v", c.name, first.on, s.on)
				}
			}
		}
	}
}

// script is an eye whose flips are known.
type script struct {
	flips []sampling.Flip
	z     []uint8
	t     float64
	next  int
}

func (s *script) show([]uint8, rand.Source) error {
	s.z, s.t, s.next = make([]uint8, 5), 0, 0
	return nil
}
func (s *script) labels() int    { return 2 }
func (s *script) Dim() int       { return 5 }
func (s *script) State() []uint8 { return s.z }
func (s *script) Time() float64  { return s.t }
func (s *script) Reset([]uint8, rand.Source) error {
	return nil
}

// Advance gives one flip at a time.
func (s *script) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	if s.next == len(s.flips) || s.flips[s.next].Time > t {
		s.t = t
		return buf[:0], nil
	}
	f := s.flips[s.next]
	s.next++
	s.z[f.Unit], s.t = f.On, f.Time
	return append(buf[:0], f), nil
}

func TestLook(t *testing.T) {
	flip := func(time float64, unit int32, on uint8) sampling.Flip {
		return sampling.Flip{Time: time, Unit: unit, On: on}
	}
	e := &script{flips: []sampling.Flip{flip(1, 2, 1), flip(2, 0, 1), flip(3, 4, 1), flip(5, 2, 0), flip(9, 4, 0)}}
	for _, x := range []struct {
		unit, lag          float64
		first, all, single []float64
	}{
		// Unit 2 is on from 1 to 5, unit 4 from 3 to 9: until 4, until 10; alone from 5 on.
		{1, 0, []float64{3, 0, 1}, []float64{4, 0, 6}, []float64{0, 0, 4}},
		// One unit of time earlier: from 0 to 4 and from 2 to 8.
		{1, 1, []float64{4, 0, 2}, []float64{4, 0, 6}, []float64{0, 0, 3}},
		// Ten times as slow: until 4 and 10 [ms] nothing, or all of the first.
		{10, 0, []float64{0, 0, 0}, []float64{0, 0, 0}, []float64{0, 0, 0}},
	} {
		s, err := look(e, classifier{unit: x.unit, lag: x.lag}, nil, nil, 3, []float64{4, 10}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.on[0], x.first) || !slices.Equal(s.on[1], x.all) || !slices.Equal(s.single, x.single) {
			t.Errorf("%+v: %+v", x, s)
		}
	}
}

func TestScore(t *testing.T) {
	if w := winners([]float64{1, 3, 3, 0}); !slices.Equal(w, []float64{0, .5, .5, 0}) {
		t.Errorf("winners %v", w)
	}
	won := [][]float64{{0, 1}, {.5, .5}, {1, 0}, {1, 0}}
	labels := []uint8{1, 0, 0, 1}
	if p, se := accuracy(won, labels); p != .625 || math.Abs(se-math.Sqrt(.625*.375/4)) > 1e-15 {
		t.Errorf("accuracy %v ± %v", p, se)
	}
	if m := confusion(won, labels, 2); !slices.Equal(m[0], []float64{1.5, .5}) || !slices.Equal(m[1], []float64{1, 1}) {
		t.Errorf("confusion %v", m)
	}
	p := softmin([]float64{1000, 1000 + math.Log(3)})
	if math.Abs(math.Exp(p[0])-.75) > 1e-12 || math.Abs(math.Exp(p[1])-.25) > 1e-12 {
		t.Errorf("softmin %v", p)
	}
	if d, total := divergence([]float64{2, 2}, p); total != 4 || math.Abs(d-.5*math.Log(.25/(.75*.25))) > 1e-12 {
		t.Errorf("divergence %v, total %v", d, total)
	}
	if d, _ := divergence([]float64{0, 2}, p); math.Abs(d-math.Log(4)) > 1e-12 {
		t.Errorf("divergence %v of one class, want log 4", d)
	}
	if d, total := divergence([]float64{0, 0}, p); total != 0 || math.Abs(d-.5*math.Log(.25/(.75*.25))) > 1e-12 {
		t.Errorf("divergence of nothing %v", d)
	}
}

func TestTally(t *testing.T) {
	c := &tally{on: make([]float64, 2)}
	if err := c.Begin(10, []uint8{1, 0}); err != nil {
		t.Fatal(err)
	}
	c.Record([]sampling.Flip{{Time: 12, Unit: 0, On: 0}, {Time: 13, Unit: 1, On: 1}}, 14)
	c.Record(nil, 15)
	c.Record([]sampling.Flip{{Time: 16, Unit: 1, On: 0}, {Time: 19, Unit: 0, On: 1}}, 20)
	if !slices.Equal(c.on, []float64{3, 3}) {
		t.Errorf("on for %v", c.on)
	}
	c.on = []float64{1, 2, 3, 40, 50, 60}
	sum := []float64{1, 0}
	if c.add(sum, 3, .5); !slices.Equal(sum, []float64{21.5, 26}) {
		t.Errorf("replicas together %v", sum)
	}
}

// TestCompleted: posterior means of hidden units are the exact ones, with labels and hidden
// units in their places in every replica.
func TestCompleted(t *testing.T) {
	b := small(t)
	b.f.bio, b.f.chains = 10*time.Second, 20
	b.half = newConditional(b.model.RBM(), []int{0, 3})
	b.test.Images = [][]uint8{{1, 1, 0, 1}}
	r, err := b.half.given([]uint8{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	exact, err := r.Exact()
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.completers()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		// 1e4 sweeps that count: at least 2000 are independent.
		limit := map[string]float64{"pt": .05, "gibbs": .05, "lif-rect": .06}[c.name]
		if limit == 0 {
			limit = .12
		}
		d, err := b.completed(context.Background(), c, 0)
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range d.mean {
			if math.Abs(p-exact.Mean[k]) > limit {
				t.Errorf("%s: unit %d is on %.4f of the time, exactly %.4f", c.name, b.half.free[k], p, exact.Mean[k])
			}
		}
		if len(d.samples) != shown {
			t.Errorf("%s: %d samples", c.name, len(d.samples))
		}
	}
	if x := b.full([]uint8{1, 0, 0, 1}, []float64{.2, .3, 1, 1, 1}); !slices.Equal(x, []float64{1, .2, .3, 1}) {
		t.Errorf("image %v", x)
	}
}

package feedforward_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// images are the first n images of a set with their targets, all if n is 0.
func images(t testing.TB, s *data.Set, n int, change func(*data.Set) (*data.Set, error)) (x, y *mat.Dense) {
	t.Helper()
	s, err := change(s)
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		n = s.N
	}
	x, y = mat.NewDense(n, s.Dim(), nil), mat.NewDense(n, 10, nil)
	for i := range n {
		s.Float64(x.RawRowView(i), i)
		y.Set(i, int(s.Labels[i]), 1)
	}
	return x, y
}

// whole keeps the images.
func whole(s *data.Set) (*data.Set, error) { return s, nil }

// eight makes images of 8×8: the central 20×20 pixels, in which MNIST's digits are, resized.
func eight(s *data.Set) (*data.Set, error) {
	s, err := s.Centre(20, 20)
	if err != nil {
		return nil, err
	}
	return s.Resize(8, 8)
}

// mnist is all of MNIST.
func mnist(t *testing.T) data.Split {
	t.Helper()
	s, err := data.MNIST(bg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// starts are the initialisers of case C.
func starts(t testing.TB, n *feedforward.Network, train mat.Matrix) []feedforward.Candidate {
	t.Helper()
	mean, err := feedforward.DataMean(bg, n, train, feedforward.RelaxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return []feedforward.Candidate{{Name: "ff (2,2,1)", Init: feedforward.Feedforward{}}, {Name: "ff (1,1,1)", Init: ones}, {Name: "data mean", Init: mean},
		{Name: "all 0.5", Init: feedforward.Constant(.5)}, {Name: "random", Init: feedforward.Random{}}, {Name: "zeros", Init: feedforward.Constant(0)}}
}

// middle is the median, the number that 90 % are within, and the largest.
func middle(x []int) (median, p90, most int) {
	s := slices.Clone(x)
	slices.Sort(s)
	return s[len(s)/2], s[len(s)*9/10], s[len(s)-1]
}

type measured struct{ ff, f1, mean, half float64 } // relative distances of starts

// stack trains a network and compares starts on the test images.
func stack(t *testing.T, sizes []int, train, test *mat.Dense, o feedforward.LearnOptions) (*feedforward.Network, measured, [2]int, feedforward.LearnEpoch) {
	t.Helper()
	n, err := feedforward.Glorot(sizes, feedforward.Options{}, rng.Stream(1, "weights"))
	if err != nil {
		t.Fatal(err)
	}
	o.Seed = 1
	h, err := feedforward.TrainConsistency(bg, n, train, o)
	if err != nil {
		t.Fatal(err)
	}
	last := h[len(h)-1]
	t.Logf("%v, λ %v, control %v: reconstruction %.1f, consistency %.2f", o.Rule, !o.WithoutConsistency, o.AutoEncode, last.Reconstruction, last.Consistency)
	cmp, err := feedforward.CompareInit(bg, n, test, starts(t, n, train), feedforward.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var sweeps [2]int
	for i, c := range cmp {
		median, p90, most := middle(c.Sweeps)
		same := 0
		for _, x := range c.Same {
			if x {
				same++
			}
		}
		t.Logf("%10s: distance %.3f, residual %.3f, E − E* %.2f, sweeps to 1 %%: %d (%d, %d), same fixed point %.3f", c.Name,
			stat.Mean(c.Distance, nil), stat.Mean(c.Residual, nil), stat.Mean(c.Energy, nil), median, p90, most, float64(same)/float64(len(c.Same)))
		switch i {
		case 0:
			sweeps[0] = median
		case 3:
			sweeps[1] = median
		}
	}
	d := func(i int) float64 { return stat.Mean(cmp[i].Distance, nil) }
	return n, measured{d(0), d(1), d(2), d(3)}, sweeps, last
}

// TestMNISTStack is acceptance 8, case C: 784-200-100-50 on 10,000 images with -long, a small
// one of digits in 12×12 otherwise. Gradient and Local reach it; Branches does too, but with
// states that hardly depend on the image: the mean of all fixed points is as good a start.
func TestMNISTStack(t *testing.T) {
	sizes, far := []int{144, 60, 40, 20}, 1.5
	var train, test *mat.Dense
	o := feedforward.LearnOptions{Epochs: 60, Batch: 20}
	if *long {
		s := mnist(t)
		sizes, far = []int{784, 200, 100, 50}, 1
		train, _ = images(t, s.Train, 10000, whole)
		test, _ = images(t, s.Test, 200, whole)
		o = feedforward.LearnOptions{}
	} else {
		s, err := data.MNISTSmall()
		if err != nil {
			t.Fatal(err)
		}
		twelve := (*data.Set).Digits12
		train, _ = images(t, s.Train, 0, twelve)
		test, _ = images(t, s.Test, 200, twelve)
	}
	for _, rule := range []feedforward.LearnRule{feedforward.Gradient, feedforward.Local} {
		o := o
		o.Rule = rule
		_, d, sweeps, last := stack(t, sizes, train, test, o)
		if d.ff > .08*far || d.ff > d.f1/2 {
			t.Errorf("%v: distance %.3f with (2,2,1), %.3f with (1,1,1): must be %.3f and half at most", rule, d.ff, d.f1, .08*far)
		}
		if 3*sweeps[0] > sweeps[1] {
			t.Errorf("%v: %d sweeps to 1 %%, %d from 0.5: must be a third at most", rule, sweeps[0], sweeps[1])
		}
		if d.ff > d.mean/3 {
			t.Errorf("%v: distance %.3f, that of the mean %.3f: states hardly depend on the image", rule, d.ff, d.mean)
		}
		if len(last.Consistency) != 2 {
			t.Errorf("%v: %+v", rule, last)
		}
	}
	// The condition is what helps: without it, or with an auto-encoder of the wrong scale, doubling
	// buys nothing.
	for _, control := range []float64{.1, 0} {
		if control == 0 && !*long {
			continue
		}
		o := o
		o.WithoutConsistency, o.AutoEncode = true, control
		if _, d, _, _ := stack(t, sizes, train, test, o); d.ff < .8*d.f1 {
			t.Errorf("without the condition: distance %.3f with (2,2,1), %.3f with (1,1,1)", d.ff, d.f1)
		}
	}
}

// TestCollapse: consistency alone lets all layers say the same for all images, and Branches the
// upper ones.
func TestCollapse(t *testing.T) {
	s, err := data.MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	train, _ := images(t, s.Train, 500, (*data.Set).Digits12)
	run := func(o feedforward.LearnOptions) (spread [3]float64) {
		n, err := feedforward.Glorot([]int{144, 60, 40, 20}, feedforward.Options{}, rng.Stream(1, "weights"))
		if err != nil {
			t.Fatal(err)
		}
		o.Epochs, o.Batch = 60, 20
		if _, err := feedforward.TrainConsistency(bg, n, train, o); err != nil {
			t.Fatal(err)
		}
		f, _ := relax(t, n, train, start(t, n, train, feedforward.Feedforward{}), feedforward.RelaxOptions{})
		for k, m := range f {
			_, units := m.Dims()
			for j := range units {
				spread[k] += stat.Variance(mat.Col(nil, j, m), nil) / float64(units)
			}
		}
		return spread
	}
	local, branches, alone := run(feedforward.LearnOptions{Rule: feedforward.Local}), run(feedforward.LearnOptions{Rule: feedforward.Branches}), run(feedforward.LearnOptions{WithoutReconstruction: true})
	t.Logf("variance over images of units of the three layers: %.2g with Local, %.2g with Branches, %.2g without reconstruction", local, branches, alone)
	for k := range local {
		if k > 0 && branches[k] > local[k]/10 || alone[k] > local[k]/10 {
			t.Errorf("layer %d: variance over images %.2g with Local, %.2g with Branches, %.2g without reconstruction", k+1, local[k], branches[k], alone[k])
		}
	}
}

// TestLearningRepeats: the same seed, the same bits, with one worker or two.
func TestLearningRepeats(t *testing.T) {
	s, err := data.MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	x, y := images(t, s.Train, 130, eight)
	var first *feedforward.Network
	for _, workers := range []int{1, 2} {
		n, err := feedforward.Glorot([]int{64, 200, 120, 10}, feedforward.Options{Energy: feedforward.Clipped}, rng.Stream(1, "weights"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := feedforward.TrainEP(bg, n, x, y, feedforward.EPOptions{Rates: []float64{.2, .1, .05}, Epochs: 2, Consistency: .02, Workers: workers}); err != nil {
			t.Fatal(err)
		}
		if _, err := feedforward.TrainConsistency(bg, n, x, feedforward.LearnOptions{Epochs: 2, Workers: workers}); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = n
			continue
		}
		for k := 1; k <= 3; k++ {
			if !mat.Equal(n.Weight(k), first.Weight(k)) || !slices.Equal(n.Bias(k), first.Bias(k)) {
				t.Errorf("two workers: another layer %d", k)
			}
		}
		if !slices.Equal(n.TopDown()[1], first.TopDown()[1]) {
			t.Error("two workers: another split of biases")
		}
	}
}

// TestEP is the rest of acceptance 8: the consistency term makes one pass classify like the
// relaxed network. MNIST in 8×8, all images and 4 epochs, with -long; a short run otherwise.
func TestEP(t *testing.T) {
	var train, test, y, ty *mat.Dense
	var epochs int
	if *long {
		s := mnist(t)
		train, y = images(t, s.Train, 0, eight)
		spread, err := s.Test.Spread(500) // the begin of the file is not like its end
		if err != nil {
			t.Fatal(err)
		}
		test, ty = images(t, spread, 0, eight)
		epochs = 4
	} else {
		s, err := data.MNISTSmall()
		if err != nil {
			t.Fatal(err)
		}
		train, y = images(t, s.Train, 0, eight)
		test, ty = images(t, s.Test, 250, eight)
		epochs = 10
	}
	var pass, rest [2]float64
	for i, eta := range []float64{0, .02} {
		n, err := feedforward.Glorot([]int{64, 64, 48, 10}, feedforward.Options{Energy: feedforward.Clipped}, rng.Stream(1, "weights"))
		if err != nil {
			t.Fatal(err)
		}
		o := feedforward.EPOptions{Rates: []float64{.2, .1, .05}, Epochs: epochs, Batch: 50, Free: 100, Nudged: 8, Consistency: eta, Seed: 1}
		if !*long { // fewer images: smaller batches and steps, and a nudge that is never repelled
			o.Batch, o.Rates, o.Beta = 10, []float64{.05, .025, .0125}, .25
		}
		res, err := feedforward.TrainEP(bg, n, train, y, o)
		if err != nil {
			t.Fatal(err)
		}
		last := res.History[len(res.History)-1]
		t.Logf("η = %g: training error %.3f in the last epoch, consistency %.2f", eta, last.Error, last.Consistency)
		cmp, err := feedforward.CompareInit(bg, n, test, []feedforward.Candidate{{Name: "ff (2,2,1)", Init: feedforward.Feedforward{}}, {Name: "ff (1,1,1)", Init: ones},
			{Name: "random", Init: feedforward.Random{}}, {Name: "zeros", Init: feedforward.Constant(0)}},
			feedforward.CompareOptions{Relax: feedforward.RelaxOptions{Rule: feedforward.Euler, Tol: 1e-5, MaxSweeps: 100000}})
		if err != nil {
			t.Fatal(err)
		}
		for j, c := range cmp {
			begin, err := feedforward.Accuracy(c.Start, ty)
			if err != nil {
				t.Fatal(err)
			}
			end, err := feedforward.Accuracy(c.Fixed, ty)
			if err != nil {
				t.Fatal(err)
			}
			median, p90, _ := middle(c.Sweeps)
			t.Logf("%10s: distance %.2f, iterations to 1 %%: %d (%d), accuracy of the start %.3f, at rest %.3f", c.Name, stat.Mean(c.Distance, nil), median, p90, begin, end)
			if j == 0 {
				pass[i], rest[i] = begin, end
			}
		}
		// Particles go on where the images were left: they are near rest already.
		p, err := feedforward.CompareInit(bg, n, train.Slice(0, 100, 0, 64), []feedforward.Candidate{{Name: "particles", Init: feedforward.Stored{State: res.Particles, Rows: first(100)}},
			{Name: "zeros", Init: feedforward.Constant(0)}}, feedforward.CompareOptions{Relax: feedforward.RelaxOptions{Rule: feedforward.Euler, Tol: 1e-5, MaxSweeps: 100000}})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := stat.Mean(p[0].Distance, nil), stat.Mean(p[1].Distance, nil); a > b/2 {
			t.Errorf("η = %g: particles are %.2f from rest, zeros %.2f", eta, a, b)
		}
	}
	// With the term the pass is as good as the relaxed network, within 3 points; without it is far
	// from that. An accuracy of .9 is that of the spec for other digits of 8×8, easier ones.
	if *long && pass[1] < .9 {
		t.Errorf("accuracy of the pass with the term %.3f: must be ≥ 0.9", pass[1])
	}
	// Without the term it asks for at most .7: it must not be beyond that by 5 standard errors of a
	// share of the test images (false alarms below 3e-7).
	if n, _ := test.Dims(); *long && pass[0] > .7+5*math.Sqrt(.7*.3/float64(n)) {
		t.Errorf("accuracy of the pass without the term %.3f: must be ≤ 0.7", pass[0])
	}
	if pass[1] < rest[1]-.03 || pass[0] > rest[0]-.1 || pass[0] > pass[1]-.15 {
		t.Errorf("accuracy of the pass and at rest: %.3f and %.3f with the term, %.3f and %.3f without", pass[1], rest[1], pass[0], rest[0])
	}
}

func first(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

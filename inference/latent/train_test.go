package latent

import (
	"context"
	"flag"
	"math"
	"testing"

	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/internal/data"
)

var long = flag.Bool("long", false, "train on all of MNIST and the whole of Yin-Yang (half an hour)")

// fit trains and returns the error on the test pairs after every epoch [%].
func fit(t *testing.T, l learn.Learner, train, test learn.Dataset, o learn.Options) []float64 {
	t.Helper()
	o.Validation, o.Seed = test, 1
	var errs []float64
	o.OnEpoch = func(e learn.Epoch) {
		if e.Validation != nil {
			errs = append(errs, 100*(1-e.Validation.Accuracy))
		}
	}
	if _, err := learn.Fit(context.Background(), l, train, o); err != nil {
		t.Fatal(err)
	}
	return errs
}

// TestYinYang is acceptance item 6b: 4-120-3, 86 % after 60 epochs; eight of them without -long. An
// ordinary network, without look-ahead, stays far behind.
func TestYinYang(t *testing.T) {
	train, _, test := data.YinYangSets()
	train, test = train.Scaled(2, -1), test.Scaled(2, -1)
	epochs, most := 8, 20.
	if *long {
		epochs, most = 60, 14
	}
	var got [2]float64
	for i, tauR := range []float64{10, 0} {
		o := Haider2021()
		o.Inputs, o.Steps, o.Rate, o.Seed, o.WeightSD, o.BiasSD, o.TauR = 4, 20, .3, 1, .5, .5, tauR
		o.Layers = []Layer{{Units: 120, Activation: ReLU}, {Units: 3}}
		errs := fit(t, open(t, o), train, test, learn.Options{Epochs: epochs, Batch: 20, EvalBatch: 1000, Every: 4, Rate: func(e int) float64 {
			if e >= 40 {
				return .2
			}
			return 1
		}})
		got[i] = errs[len(errs)-1]
		t.Logf("τ_r = %v ms: test error %.1f %% after %d epochs", tauR, got[i], epochs)
	}
	if got[0] > most || got[1] < got[0]+10 {
		t.Errorf("test error %v %%, without look-ahead %v %%", got[0], got[1])
	}
}

func pairs(t *testing.T, s *data.Set) *data.Pairs {
	t.Helper()
	p, err := s.Pairs(data.PairsOptions{Scale: 255. / 256})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// gated are ten steps a presentation, plasticity on in the last four; what a presentation changes
// is that of the paper.
func gated() Options {
	o := MNIST2021()
	o.Seed, o.Steps, o.Gate = 1, 10, 6
	o.Rate *= 10. / 4
	return o
}

// TestDigits trains 784-300-100-10 on 1000 digits.
func TestDigits(t *testing.T) {
	split, err := data.MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	n := open(t, gated())
	errs := fit(t, n, pairs(t, split.Train), pairs(t, split.Test), learn.Options{Epochs: 40, Batch: 100})
	t.Logf("test error %.1f %% after 40 epochs", errs[39])
	if errs[39] > 14 {
		t.Errorf("test error %v %%", errs[39])
	}
}

func mnist(t *testing.T) (train, test *data.Pairs) {
	t.Helper()
	split, err := data.MNIST(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	parts, err := split.Train.Cut(50000)
	if err != nil {
		t.Fatal(err)
	}
	return pairs(t, parts[0]), pairs(t, split.Test)
}

// TestMNIST is acceptance item 7: ten steps a batch with plasticity always on reach 10.5 % after one
// epoch and 9 % after three; with plasticity gated until errors have arrived, 2.5 % after 60 epochs.
func TestMNIST(t *testing.T) {
	if !*long { // takes minutes
		return
	}
	train, test := mnist(t)
	o := MNIST2021()
	o.Seed, o.Steps = 1, 10
	errs := fit(t, open(t, o), train, test, learn.Options{Epochs: 3, Batch: 512})
	t.Logf("always on: %.2f %%", errs)
	if errs[0] > 10.5 || errs[2] > 9 {
		t.Errorf("plasticity always on: test error %v %%", errs)
	}
	errs = fit(t, open(t, gated()), train, test, learn.Options{Epochs: 60, Batch: 512, Every: 10})
	t.Logf("gated: %.2f %%", errs)
	if last := errs[len(errs)-1]; last > 2.5 {
		t.Errorf("test error %v %%", last)
	}
}

// beside trains a network and its control by backpropagation, with the same loader, order and
// rates, ten times smaller at the end. The paper's claim is that they are equal: the network may be
// worse by 5 standard errors of the difference of two shares of the test images at most (false
// alarms below 3e-7 if only the images make the difference).
func beside(t *testing.T, o Options, train, test *data.Pairs, lo learn.Options) {
	t.Helper()
	b, err := NewBackprop(o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	lo.EvalBatch, lo.Every = 500, 5
	lo.Rate = func(e int) float64 {
		if 4*e >= 3*lo.Epochs {
			return .1
		}
		return 1
	}
	bp := fit(t, b, train, test, lo)
	le := fit(t, open(t, o), train, test, lo)
	t.Logf("latent equilibrium %.2f %%, backpropagation %.2f %%", le, bp)
	p, q := le[len(le)-1]/100, bp[len(bp)-1]/100
	if n := float64(test.Len()); p-q > 5*math.Sqrt((p*(1-p)+q*(1-q))/n) {
		t.Errorf("test error %v: backpropagation has %v", p, q)
	}
	if q > .5 {
		t.Errorf("the control has not learned: test error %v", q)
	}
}

// TestDigitsConvolution: a small convolutional network on 1000 digits of 12×12.
func TestDigitsConvolution(t *testing.T) {
	split, err := data.MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	var small [2]*data.Pairs
	for i, s := range []*data.Set{split.Train, split.Test} {
		if s, err = s.Digits12(); err != nil {
			t.Fatal(err)
		}
		small[i] = pairs(t, s)
	}
	o := Haider2021()
	o.Rows, o.Cols, o.Channels, o.Steps, o.Gate, o.Seed, o.Rate = 12, 12, 1, 10, 6, 1, 5
	o.Layers = []Layer{{Kernel: 3, Channels: 8, Pool: 2, Activation: HardSigmoid}, {Units: 50, Activation: HardSigmoid}, {Units: 10}}
	beside(t, o, small[0], small[1], learn.Options{Epochs: 20, Batch: 20})
}

// TestMNISTConvolution is the convolutional network of the paper's Fig. 2d on 10 000 images, scaled
// down from 50 000 images, 100 epochs and 100 steps a presentation. The rate, 12 over 12 steps of which
// 4 are plastic, is a quarter of the published one, at which batches of 128 diverge, by
// backpropagation too.
func TestMNISTConvolution(t *testing.T) {
	if !*long { // takes ten minutes
		return
	}
	split, err := data.MNIST(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	parts, err := split.Train.Cut(10000)
	if err != nil {
		t.Fatal(err)
	}
	o := LeNet2021(28, 1)
	o.Seed, o.Steps, o.Gate = 1, 12, 8
	o.Rate *= 3. / 4
	beside(t, o, pairs(t, parts[0]), pairs(t, split.Test), learn.Options{Epochs: 20, Batch: 128})
}

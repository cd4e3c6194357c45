package feedforward_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func TestNewRefuses(t *testing.T) {
	w := func() []mat.Matrix {
		return []mat.Matrix{mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6}), mat.NewDense(1, 3, []float64{1, 2, 3})}
	}
	b := func() [][]float64 { return [][]float64{{1, 2, 3}, {4}} }
	down := func() []mat.Matrix { return []mat.Matrix{mat.DenseCopyOf(w()[0].T()), mat.DenseCopyOf(w()[1].T())} }
	if _, err := feedforward.New(w(), b(), feedforward.Options{Down: down(), Visible: []float64{1, 2}, TopDown: [][]float64{{1, 1, 1}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words  []string
		change func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64)
	}{
		{[]string{"no weights"}, func([]mat.Matrix, [][]float64, *feedforward.Options) ([]mat.Matrix, [][]float64) { return nil, nil }},
		{[]string{"biases", "2"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			return w, b[:1]
		}},
		{[]string{"W_2", "nil"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			w[1] = nil
			return w, b
		}},
		{[]string{"W_2", "0×0", "empty"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			w[1] = &mat.Dense{}
			return w, b
		}},
		{[]string{"W_2", "3 columns"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			w[1] = mat.NewDense(1, 2, nil)
			return w, b
		}},
		{[]string{"b_1", "3"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			b[0] = b[0][:2]
			return w, b
		}},
		{[]string{"W_1[2,1]", "NaN"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			w[0].(*mat.Dense).Set(2, 1, math.NaN())
			return w, b
		}},
		{[]string{"b_2[0]", "Inf"}, func(w []mat.Matrix, b [][]float64, _ *feedforward.Options) ([]mat.Matrix, [][]float64) {
			b[1][0] = math.Inf(1)
			return w, b
		}},
		{[]string{"Energy"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Energy = 3
			return w, b
		}},
		{[]string{"Rate"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Rate = -1
			return w, b
		}},
		{[]string{"Rate", "Sigmoid", "Boltzmann"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Rate = feedforward.Sigmoid
			return w, b
		}},
		{[]string{"Visible", "2"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Visible = []float64{1}
			return w, b
		}},
		{[]string{"TopDown[0]", "NaN"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.TopDown = [][]float64{{0, math.NaN(), 0}}
			return w, b
		}},
		{[]string{"TopDown", "1"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.TopDown = [][]float64{{0, 0, 0}, {0}}
			return w, b
		}},
		{[]string{"Down[0][1,0]", "symmetric"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Down = down()
			o.Down[0].(*mat.Dense).Set(1, 0, 2.001)
			return w, b
		}},
		{[]string{"Down[1]", "3×1"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Down = []mat.Matrix{down()[0], w[1]}
			return w, b
		}},
		{[]string{"top-down", "2"}, func(w []mat.Matrix, b [][]float64, o *feedforward.Options) ([]mat.Matrix, [][]float64) {
			o.Down = down()[:1]
			return w, b
		}},
	} {
		var o feedforward.Options
		cw, cb := c.change(w(), b(), &o)
		_, err := feedforward.New(cw, cb, o)
		refused(t, err, c.words...)
	}
	_, err := feedforward.Glorot([]int{3}, feedforward.Options{}, rng.Stream(1, "w"))
	refused(t, err, "layers")
	_, err = feedforward.Glorot([]int{3, 0}, feedforward.Options{}, rng.Stream(1, "w"))
	refused(t, err, "layer 1", "0")
	_, err = feedforward.Glorot([]int{3, 2}, feedforward.Options{}, nil)
	refused(t, err, "nil")
	_, err = feedforward.FromLayered(nil)
	refused(t, err, "nil")
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error about %v", words)
		return
	}
	if !strings.HasPrefix(err.Error(), "feedforward: ") && !strings.Contains(err.Error(), ": feedforward: ") {
		t.Errorf("no package prefix: %v", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("no %q in: %v", w, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	n, x := machine(t, 1, false), patterns()
	s := start(t, n, x, feedforward.Feedforward{})
	nan := mat.DenseCopyOf(x)
	nan.Set(3, 2, math.NaN())
	bad := s.Clone()
	bad[1].Set(2, 3, 1.5)
	clipped := random(t, source("clipped"), []int{6, 4, 3}, feedforward.Options{Energy: feedforward.Clipped})
	rec, err := feedforward.TrainRecognition(bg, n, x, feedforward.RecognitionOptions{Epochs: 1})
	if err != nil {
		t.Fatal(err)
	}
	init := func(n *feedforward.Network, x mat.Matrix, i feedforward.Initializer) func() error {
		return func() error {
			_, err := i.Init(n, x, nil)
			return err
		}
	}
	relax := func(x mat.Matrix, s feedforward.State, o feedforward.RelaxOptions) func() error {
		return func() error {
			_, _, err := feedforward.Relax(bg, n, x, s, o)
			return err
		}
	}
	learn := func(n *feedforward.Network, x mat.Matrix, o feedforward.LearnOptions) func() error {
		return func() error {
			_, err := feedforward.TrainConsistency(bg, n.Clone(), x, o)
			return err
		}
	}
	targets := mat.NewDense(6, 3, nil)
	ep := func(n *feedforward.Network, y mat.Matrix, o feedforward.EPOptions) func() error {
		return func() error {
			_, err := feedforward.TrainEP(bg, n.Clone(), x, y, o)
			return err
		}
	}
	rates := []float64{.1, .1}
	kernel := func(n *feedforward.Network, x []float64, f func(k *feedforward.Kernel) error) func() error {
		return func() error {
			k, err := feedforward.NewKernel(n, x, feedforward.OddFirst)
			if err != nil {
				return err
			}
			return f(k)
		}
	}
	nothing := func(*feedforward.Kernel) error { return nil }
	large := mat.NewDense(6, 6, nil)
	large.Set(0, 0, 2)
	for _, c := range []struct {
		f     func() error
		words []string
	}{
		{init(n, nil, feedforward.Feedforward{}), []string{"no inputs"}},
		{init(n, mat.NewDense(2, 5, nil), feedforward.Constant(0)), []string{"2×5", "B×6"}},
		{init(n, nan, feedforward.Feedforward{}), []string{"input 2 of sample 3", "NaN"}},
		{init(n, x, feedforward.Feedforward{Gains: []float64{2, 1}}), []string{"2 gains", "3"}},
		{init(n, x, feedforward.Feedforward{Gains: []float64{2, 0, 1}}), []string{"gain 2", "> 0"}},
		{init(n, x, feedforward.Feedforward{Gains: []float64{2, math.NaN(), 1}}), []string{"gain 2", "NaN"}},
		{init(n, x, feedforward.Feedforward{Gains: []float64{2, math.Inf(1), 1}}), []string{"gain 2", "Inf"}},
		{init(n, x, feedforward.Feedforward{BiasShare: 1.5}), []string{"BiasShare", "1.5"}},
		{init(n, x, feedforward.Feedforward{BiasShare: math.NaN()}), []string{"BiasShare", "NaN"}},
		{init(n, x, feedforward.Constant(2)), []string{"[0, 1]"}},
		{init(n, x, feedforward.Constant(math.NaN())), []string{"NaN"}},
		{init(n, x, feedforward.Random{}), []string{"source"}},
		{init(n, x, feedforward.Mean{{1}}), []string{"1 layers", "3"}},
		{init(n, x, feedforward.Mean{{1}, {1}, {1}}), []string{"layer 1", "5"}},
		{init(n, x, feedforward.Stored{}), []string{"stored"}},
		{init(n, x, feedforward.Stored{State: s[:2]}), []string{"2 layers"}},
		{init(n, x, feedforward.Stored{State: s, Rows: []int{0}}), []string{"1 stored", "6"}},
		{init(n, x, feedforward.Stored{State: s, Rows: []int{0, 1, 2, 3, 4, 6}}), []string{"6", "0..5"}},
		{init(clipped, x, rec), []string{"recognition", "another"}},
		{init(n, x, &feedforward.Recognition{}), []string{"not trained"}},
		{relax(x, s[:1], feedforward.RelaxOptions{}), []string{"1 layers", "3"}},
		{relax(x.Slice(0, 2, 0, 6), s, feedforward.RelaxOptions{}), []string{"6×5", "2×5"}},
		{relax(x, bad, feedforward.RelaxOptions{}), []string{"unit 3 of layer 2", "1.5", "[0, 1]"}},
		{relax(x, feedforward.State{nil, nil, nil}, feedforward.RelaxOptions{}), []string{"nil"}},
		{relax(x, s, feedforward.RelaxOptions{Rule: 3}), []string{"Rule"}},
		{relax(x, s, feedforward.RelaxOptions{Tol: -1}), []string{"Tol"}},
		{relax(x, s, feedforward.RelaxOptions{Tol: math.NaN()}), []string{"Tol"}},
		{relax(x, s, feedforward.RelaxOptions{Step: 1.5}), []string{"Step"}},
		{relax(x, s, feedforward.RelaxOptions{MaxSweeps: -1}), []string{"MaxSweeps"}},
		{relax(x, s, feedforward.RelaxOptions{Workers: -1}), []string{"Workers"}},
		{func() error { _, err := feedforward.Feedforward{}.Report(n, x, bad); return err }, []string{"layer 2"}},
		{func() error { return n.EnergyOf(make([]float64, 2), x, s) }, []string{"2 entries", "6"}},
		{func() error { _, err := n.FromFlat(make([]float64, 13)); return err }, []string{"13", "12"}},
		{func() error { _, err := bad.Starts(1); return err }, []string{"layer 2", "probability"}},
		{func() error { _, err := (feedforward.State{}).Starts(1); return err }, []string{"without samples"}},
		{func() error { return s.Draw(make([]uint8, 11), 0, source("d")) }, []string{"11"}},
		{func() error { return s.Draw(make([]uint8, 13), 0, source("d")) }, []string{"13", "12"}},
		{func() error { return s.Draw(make([]uint8, 12), 6, source("d")) }, []string{"sample 6"}},
		{func() error { _, err := n.Given([]float64{1}); return err }, []string{"1 units", "6"}},
		{func() error { _, err := clipped.Given(make([]float64, 6)); return err }, []string{"Clipped", "Boltzmann"}},
		{func() error {
			_, err := random(t, source("one"), []int{2, 3}, feedforward.Options{}).Given([]float64{1, 1})
			return err
		}, []string{"one hidden layer"}},
		{func() error {
			_, err := feedforward.CompareInit(bg, n, x, nil, feedforward.CompareOptions{})
			return err
		}, []string{"no initialisers"}},
		{func() error {
			_, err := feedforward.CompareInit(bg, n, x, []feedforward.Candidate{{Name: "none"}}, feedforward.CompareOptions{})
			return err
		}, []string{"none"}},
		{func() error {
			_, err := feedforward.CompareInit(bg, n, x, []feedforward.Candidate{{Name: "a", Init: feedforward.Constant(0)}}, feedforward.CompareOptions{Within: 2})
			return err
		}, []string{"Within"}},
		{learn(n, large, feedforward.LearnOptions{}), []string{"input 0 of sample 0", "[0, 1]"}},
		{learn(n, x, feedforward.LearnOptions{Rule: 3}), []string{"Rule"}},
		{learn(n, x, feedforward.LearnOptions{Rate: -1}), []string{"Rate"}},
		{learn(n, x, feedforward.LearnOptions{Epochs: -1}), []string{"Epochs"}},
		{learn(n, x, feedforward.LearnOptions{Batch: -1}), []string{"Batch"}},
		{learn(n, x, feedforward.LearnOptions{Consistency: math.Inf(1)}), []string{"Consistency"}},
		{learn(n, x, feedforward.LearnOptions{Gains: []float64{1}}), []string{"1 gains"}},
		{learn(n, x, feedforward.LearnOptions{AutoEncode: 1, Rule: feedforward.Local}), []string{"AutoEncode"}},
		{learn(random(t, source("s"), []int{6, 2, 2}, feedforward.Options{Energy: feedforward.Leaky, Rate: feedforward.Sigmoid}), x, feedforward.LearnOptions{}), []string{"Sigmoid"}},
		{ep(n, targets, feedforward.EPOptions{Rates: []float64{1, 1, 1}}), []string{"Boltzmann", "Clipped"}},
		{ep(clipped, targets, feedforward.EPOptions{}), []string{"0 learning rates", "2"}},
		{ep(clipped, targets, feedforward.EPOptions{Rates: []float64{-1, 1}}), []string{"Rates[0]"}},
		{ep(clipped, targets, feedforward.EPOptions{Rates: rates, Beta: -1}), []string{"Beta"}},
		{ep(clipped, targets, feedforward.EPOptions{Rates: rates, Step: 2}), []string{"Step"}},
		{ep(clipped, targets, feedforward.EPOptions{Rates: rates, Free: -2}), []string{"Free"}},
		{ep(clipped, targets, feedforward.EPOptions{Rates: rates, Consistency: -2}), []string{"Consistency"}},
		{ep(clipped, targets, feedforward.EPOptions{Rates: rates, Window: [2]float64{1, 0}}), []string{"Window"}},
		{ep(clipped, nil, feedforward.EPOptions{Rates: rates}), []string{"targets"}},
		{ep(clipped, mat.NewDense(6, 2, nil), feedforward.EPOptions{Rates: rates}), []string{"6×2", "6×3"}},
		{func() error { _, err := feedforward.Accuracy(s, mat.NewDense(5, 3, nil)); return err }, []string{"5×3", "6×3"}},
		{kernel(clipped, make([]float64, 6), nothing), []string{"Clipped"}},
		{kernel(n, make([]float64, 6), func(k *feedforward.Kernel) error { return k.Evolve(make([]float64, 5), 1) }), []string{"2^12"}},
		{kernel(n, make([]float64, 6), func(k *feedforward.Kernel) error { return k.Evolve(make([]float64, 1<<12), 1) }), []string{"add up to 0"}},
		{kernel(n, make([]float64, 6), func(k *feedforward.Kernel) error { return k.Evolve(k.Law(), -1) }), []string{"-1 sweeps"}},
		{kernel(n, make([]float64, 6), func(k *feedforward.Kernel) error {
			p := k.Law()
			p[3] = math.NaN()
			_, err := k.DKL(p)
			return err
		}), []string{"state 3", "NaN"}},
		{kernel(n, make([]float64, 6), func(k *feedforward.Kernel) error { _, err := k.Product([]float64{1}); return err }), []string{"1 probabilities", "12"}},
		{kernel(n, make([]float64, 6), func(k *feedforward.Kernel) error {
			_, err := k.Product(slices.Repeat([]float64{2}, 12))
			return err
		}), []string{"unit 0", "2"}},
	} {
		refused(t, c.f(), c.words...)
	}
	_, err = feedforward.NewKernel(random(t, source("17"), []int{2, 9, 8}, feedforward.Options{}), []float64{0, 0}, feedforward.OddFirst)
	if refused(t, err, "17", "16"); !errors.Is(err, boltzmann.ErrTooManyUnits) {
		t.Error("not ErrTooManyUnits")
	}
	_, err = feedforward.NewKernel(n, make([]float64, 6), 2)
	refused(t, err, "Order")
}

// TestDiverged: learning that blows up, or is cancelled, leaves the network of the last epoch.
func TestDiverged(t *testing.T) {
	r := source("diverged")
	n := random(t, r, []int{4, 3, 2}, linear)
	before := n.Weight(1)
	h, err := feedforward.TrainConsistency(bg, n, gaussian(r, 50, 4), feedforward.LearnOptions{Rate: 1e200, Batch: 10})
	if !errors.Is(err, dynamics.ErrDiverged) || len(h) != 0 || !mat.Equal(n.Weight(1), before) {
		t.Errorf("%v after %d epochs, weights changed: %v", err, len(h), !mat.Equal(n.Weight(1), before))
	}
	// Rates that overflow weights in the last batch.
	_, err = feedforward.TrainEP(bg, random(t, r, []int{4, 3, 2}, feedforward.Options{Energy: feedforward.Clipped}), gaussian(r, 5, 4), gaussian(r, 5, 2),
		feedforward.EPOptions{Rates: []float64{1e308, 1e308}, Epochs: 1, Batch: 5, Beta: .1})
	if !errors.Is(err, dynamics.ErrDiverged) {
		t.Errorf("weights beyond double precision: %v", err)
	}
	for _, train := range []func(ctx context.Context, n *feedforward.Network, stop func()) (int, error){
		func(ctx context.Context, n *feedforward.Network, stop func()) (int, error) {
			h, err := feedforward.TrainConsistency(ctx, n, gaussian(source("x"), 50, 4), feedforward.LearnOptions{OnEpoch: func(e feedforward.LearnEpoch) {
				if e.Epoch == 3 {
					stop()
				}
			}})
			return len(h), err
		},
		func(ctx context.Context, n *feedforward.Network, stop func()) (int, error) {
			h, err := feedforward.TrainEP(ctx, n, gaussian(source("x"), 50, 4), gaussian(source("y"), 50, 2), feedforward.EPOptions{Rates: []float64{.1, .1}, Consistency: .01, OnEpoch: func(e feedforward.EPEpoch) {
				if e.Epoch == 3 {
					stop()
				}
			}})
			return len(h.History), err
		},
	} {
		ctx, cancel := context.WithCancel(bg)
		m := random(t, source("m"), []int{4, 3, 2}, feedforward.Options{Energy: feedforward.Clipped})
		var third *mat.Dense
		epochs, err := train(ctx, m, func() { third = m.Weight(1); cancel() })
		if !errors.Is(err, context.Canceled) || epochs != 3 || !mat.Equal(m.Weight(1), third) {
			t.Errorf("%v after %d epochs", err, epochs)
		}
	}
}

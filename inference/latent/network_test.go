package latent

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// TestXOR is acceptance item 4: a 2-10-1 network learns XOR to a mean squared error below 1e-6
// for five seeds of five, 20 000 steps of the four patterns as one batch.
func TestXOR(t *testing.T) {
	x := []float64{0, 0, 0, 1, 1, 0, 1, 1}
	y := []float64{0, 1, 1, 0}
	for seed := range uint64(5) {
		o := Haider2021()
		o.Inputs, o.Precision, o.WeightSD, o.BiasSD, o.Seed, o.Steps, o.Rate = 2, Float64, 1, 1, seed, 20000, 20000
		o.Layers = []Layer{{Units: 10, Activation: Tanh}, {Units: 1}}
		n := open(t, o)
		if err := n.Learn(x, y); err != nil {
			t.Fatal(err)
		}
		out := make([]float64, 4)
		if err := n.Predict(out, x); err != nil {
			t.Fatal(err)
		}
		mse := 0.0
		for i, v := range out {
			mse += (v - y[i]) * (v - y[i]) / 4
		}
		t.Logf("seed %d: mean squared error %.2g", seed, mse)
		if mse > 1e-6 {
			t.Errorf("seed %d: mean squared error %v", seed, mse)
		}
	}
}

// convNet has two convolutions with pooling and two full layers.
func convNet(beta float64) Options {
	o := Haider2021()
	o.Rows, o.Cols, o.Channels, o.Precision, o.Beta, o.Steps, o.WeightSD, o.BiasSD, o.Seed, o.Rate = 8, 10, 2, Float64, beta, 1, .3, .2, 4, 0
	o.Layers = []Layer{
		{Kernel: 3, Channels: 3, Pool: 2, Activation: Tanh},
		{Kernel: 2, Channels: 4, Activation: Tanh},
		{Units: 5, Activation: Tanh},
		{Units: 2},
	}
	return o
}

// convOut is the network once more, written as sums over places.
func convOut(n *Network, x []float64) []float64 {
	s := shape{8, 10, 2}
	for l, y := range n.o.Layers {
		w, b := n.Weights(l + 1)
		if y.Kernel == 0 {
			out := make([]float64, y.Units)
			for i := range out {
				u := b[i]
				for j, v := range x {
					u += w.At(i, j) * v
				}
				if out[i] = u; y.Activation == Tanh {
					out[i] = math.Tanh(u)
				}
			}
			x, s = out, shape{1, 1, y.Units}
			continue
		}
		d := shape{s.rows - y.Kernel + 1, s.cols - y.Kernel + 1, y.Channels}
		out := make([]float64, d.size())
		for r := range d.rows {
			for c := range d.cols {
				for h := range d.channels {
					u := b[h]
					for i := range y.Kernel {
						for j := range y.Kernel {
							for g := range s.channels {
								u += w.At(h, (i*y.Kernel+j)*s.channels+g) * x[((r+i)*s.cols+c+j)*s.channels+g]
							}
						}
					}
					out[(r*d.cols+c)*d.channels+h] = math.Tanh(u)
				}
			}
		}
		x, s = out, d
		if p := y.Pool; p > 1 {
			q := shape{s.rows / p, s.cols / p, s.channels}
			pooled := make([]float64, q.size())
			for i := range pooled {
				pooled[i] = math.Inf(-1)
			}
			for r := range s.rows {
				for c := range s.cols {
					for h := range s.channels {
						k := ((r/p)*q.cols+c/p)*q.channels + h
						pooled[k] = max(pooled[k], x[(r*s.cols+c)*s.channels+h])
					}
				}
			}
			x, s = pooled, q
		}
	}
	return x
}

// TestConvolution compares the output with plain sums, and the changes of weights in the limit
// of weak nudging with finite differences of the cost; biases of maps change by the mean over
// places, weights by the sum.
func TestConvolution(t *testing.T) {
	const beta = 1e-5
	o := convNet(beta)
	factors := []float64{2, .5, 1, .25}
	for l, f := range factors {
		o.Layers[l].Factor = f
	}
	n := open(t, o)
	r := rand.New(rand.NewPCG(8, 8))
	x, y := numbers(r, 2*160), numbers(r, 2*2)
	cost := func(n *Network) float64 {
		c := 0.0
		for b := range 2 {
			for i, v := range convOut(n, x[b*160:(b+1)*160]) {
				c += (y[2*b+i] - v) * (y[2*b+i] - v) / 4
			}
		}
		return c
	}
	out := make([]float64, 4)
	for range 4 {
		if err := n.Predict(out, x); err != nil {
			t.Fatal(err)
		}
	}
	for b := range 2 {
		same(t, "output", 4, out[2*b:2*b+2], convOut(n, x[b*160:(b+1)*160]))
	}
	// The network and the control, after one step of learning at equilibrium.
	o.Rate = 1
	learner := open(t, o)
	control, err := NewBackprop(o)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	if err := learner.SetRate(0); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		if err := learner.Learn(x, y); err != nil {
			t.Fatal(err)
		}
	}
	if err := learner.SetRate(1); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(learner.Learn(x, y), control.SetRate(1e3), control.Learn(x, y)); err != nil {
		t.Fatal(err)
	}
	saved, err := control.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	o.Precision = Float32
	after := open(t, o)
	if err := after.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	for l := 1; l <= 4; l++ {
		w, b := n.Weights(l)
		lw, lb := learner.Weights(l)
		cw, cb := after.Weights(l)
		rows, cols := w.Dims()
		places := 1.0
		if o.Layers[l-1].Kernel > 0 {
			places = float64(n.shapes[l-1].rows * n.shapes[l-1].cols)
		}
		diff := func(set func(float64), v float64) float64 {
			const h = 1e-5
			at := func(v float64) float64 {
				set(v)
				if err := n.SetWeights(l, w, b); err != nil {
					t.Fatal(err)
				}
				return cost(n)
			}
			d := (at(v+h) - at(v-h)) / (2 * h)
			at(v)
			return d
		}
		for range 15 {
			i, j := r.IntN(rows), r.IntN(cols)
			v := w.At(i, j)
			want := -factors[l-1] * diff(func(v float64) { w.Set(i, j, v) }, v)
			if got := (lw.At(i, j) - v) / beta; math.Abs(got-want) > 1e-3*math.Abs(want)+1e-5 {
				t.Errorf("layer %d: weight changes by %v: must be %v", l, got, want)
			}
			if got := (cw.At(i, j) - v) / beta / 1e3; math.Abs(got-want) > 1e-3*math.Abs(want)+1e-4 {
				t.Errorf("layer %d: weight of the control changes by %v: must be %v", l, got, want)
			}
		}
		for i, v := range b {
			want := -factors[l-1] * diff(func(v float64) { b[i] = v }, v) / places
			if got := (lb[i] - v) / beta; math.Abs(got-want) > 1e-3*math.Abs(want)+1e-5 {
				t.Errorf("layer %d: bias changes by %v: must be %v", l, got, want)
			}
			if got := (cb[i] - v) / beta / 1e3; math.Abs(got-want) > 1e-3*math.Abs(want)+1e-4 {
				t.Errorf("layer %d: bias of the control changes by %v: must be %v", l, got, want)
			}
		}
	}
}

// noisyNet uses every option that has a state.
func noisyNet(parallel int) Options {
	o := convNet(.1)
	o.Precision, o.Rate, o.RateNoise, o.TauSyn, o.FilterRates, o.FilterErrors, o.FilterTarget = Float32, .5, .1, .5, true, true, true
	o.Spread, o.Steps, o.Parallel, o.Feedback = .1, 12, parallel, FixedRandom
	return o
}

// TestSaved: a restored network goes on bit for bit, and so does one with other workers.
func TestSaved(t *testing.T) {
	show := func(n *Network, from, to int) (out []float64) {
		t.Helper()
		for k := from; k < to; k++ {
			r := rand.New(rand.NewPCG(11, uint64(k)))
			batch := 40 + k%2
			x, y := numbers(r, batch*160), numbers(r, batch*2)
			if err := n.Learn(x, y); err != nil {
				t.Fatal(err)
			}
			out = make([]float64, batch*2)
			if err := n.Predict(out, x); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	whole := open(t, noisyNet(1))
	if err := whole.SetRate(.5); err != nil {
		t.Fatal(err)
	}
	want := show(whole, 0, 5)
	for _, parallel := range []int{1, 2, 3} {
		first := open(t, noisyNet(parallel))
		if err := first.SetRate(.5); err != nil {
			t.Fatal(err)
		}
		show(first, 0, 2)
		b, err := first.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		// All that is random is in the file: it is restored into a network of another seed.
		o := noisyNet(parallel)
		o.Seed++
		second := open(t, o)
		if err := second.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if first.Energy() != second.Energy() {
			t.Errorf("energy %v: must be %v", second.Energy(), first.Energy())
		}
		o.Feedback = Transposed
		if err := open(t, o).UnmarshalBinary(b); err == nil {
			t.Error("a file with feedback in a network without it: no error")
		}
		if again, err := second.MarshalBinary(); err != nil || !bytes.Equal(b, again) {
			t.Errorf("saved again: other bytes, %v", err)
		}
		if got := show(second, 2, 5); !slices.Equal(got, want) {
			t.Errorf("%d workers, resumed: outputs differ", parallel)
		}
		for l := 1; l <= 4; l++ {
			w, _ := whole.Weights(l)
			v, _ := second.Weights(l)
			if !mat.Equal(w, v) {
				t.Errorf("%d workers, resumed: weights of layer %d differ", parallel, l)
			}
		}
		// Damaged files change nothing.
		before, _ := second.MarshalBinary()
		for _, bad := range [][]byte{nil, b[:len(b)/2], b[:len(b)-1], slices.Concat(b[:99], []byte{b[99] ^ 1}, b[100:])} {
			if err := second.UnmarshalBinary(bad); err == nil {
				t.Errorf("damaged file of %d bytes: no error", len(bad))
			}
		}
		other := open(t, tanhNet(.1))
		if err := other.UnmarshalBinary(b); err == nil {
			t.Error("file of another network: no error")
		}
		if after, _ := second.MarshalBinary(); !bytes.Equal(before, after) {
			t.Error("a refused file has changed the network")
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	o := tanhNet(.1)
	o.Layers = o.Layers[2:]
	n, err := New(o)
	if err != nil {
		f.Fatal(err)
	}
	defer n.Close()
	if err := n.Step(make([]float64, 5), make([]float64, 3)); err != nil {
		f.Fatal(err)
	}
	b, err := n.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if n.UnmarshalBinary(b) == nil {
			if err := n.Step(make([]float64, 5), make([]float64, 3)); err != nil && !errors.Is(err, dynamics.ErrDiverged) {
				t.Error(err)
			}
		}
	})
}

// TestPredictLeavesLearningAlone: predictions in between change no bit of what is learned.
func TestPredictLeavesLearningAlone(t *testing.T) {
	o := tanhNet(.1)
	o.Rate, o.Spread, o.RateNoise = .5, .2, .1
	a, b := open(t, o), open(t, o)
	r := rand.New(rand.NewPCG(12, 12))
	out := make([]float64, 9)
	for range 20 {
		x, y := numbers(r, 10), numbers(r, 6)
		if err := errors.Join(a.Learn(x, y), b.Learn(x, y), b.Predict(out, numbers(r, 15))); err != nil {
			t.Fatal(err)
		}
	}
	for l := 1; l <= 4; l++ {
		v, _ := a.Weights(l)
		w, _ := b.Weights(l)
		if !mat.Equal(v, w) || !slices.Equal(a.Potentials(l), b.Potentials(l)) {
			t.Errorf("layer %d differs", l)
		}
	}
}

// TestLearnTimeConstants: neurons whose membrane time constants are spread find those that they
// look ahead by, and then pass on their inputs without lag.
func TestLearnTimeConstants(t *testing.T) {
	o := tanhNet(0)
	o.Layers = o.Layers[2:]
	o.WeightSD = 1
	o.Spread = .2
	n := open(t, o)
	r := rand.New(rand.NewPCG(13, 13))
	off := func(l int) float64 {
		m, tr := n.TimeConstants(l)
		d := 0.0
		for i := range m {
			d += math.Abs(m[i]-tr[i]) / float64(len(m))
		}
		return d
	}
	if off(1) < 1 || off(2) < .5 {
		t.Fatalf("time constants are off by %v and %v ms to begin with", off(1), off(2))
	}
	err := n.LearnTimeConstants(context.Background(), 10, func(x []float64) {
		for i := range x {
			x[i] = r.NormFloat64()
		}
	}, Adaptation{Rate: 3, Tolerance: 1e-7})
	if err != nil {
		t.Fatal(err)
	}
	for l := 1; l <= 2; l++ {
		if d := off(l); d > 1e-3 {
			t.Errorf("layer %d: still %v ms off", l, d)
		}
	}
	x := numbers(r, 5)
	pot, _ := plain(n, x, nil)
	for range 2 {
		if err := n.Step(x, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range n.Prospective(2) {
		if math.Abs(v-pot[1][i]) > 1e-3 {
			t.Errorf("output %d is %v after two steps: must be %v", i, v, pot[1][i])
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.LearnTimeConstants(ctx, 1, func([]float64) {}, Adaptation{Rate: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := n.LearnTimeConstants(context.Background(), 1, func([]float64) {}, Adaptation{}); err == nil {
		t.Error("no rate: no error")
	}
	if err := n.LearnTimeConstants(context.Background(), 1, nil, Adaptation{Rate: 1}); err == nil {
		t.Error("no inputs: no error")
	}
	// Prospective time constants as short as the step, and longer than those of a spread.
	for _, c := range []struct{ dt, tauM, tauR float64 }{{1, 10, 1}, {.1, 1500, 2000}, {.1, 2000, 2000}} {
		o := tanhNet(0)
		o.Layers, o.WeightSD, o.Dt, o.TauM, o.TauR = o.Layers[3:], 1, c.dt, c.tauM, c.tauR
		n, calls := open(t, o), 0
		input := func(x []float64) {
			calls++
			for i := range x {
				x[i] = r.NormFloat64() * c.tauR
			}
		}
		if err := n.LearnTimeConstants(context.Background(), 10, input, Adaptation{Rate: .01, Tolerance: 1e-9}); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		m, _ := n.TimeConstants(1)
		for _, v := range m {
			if math.Abs(v-c.tauR) > 1e-3 {
				t.Errorf("%+v: learned %v ms", c, v)
			}
		}
		n, calls = open(t, o), 0
		if err := n.LearnTimeConstants(context.Background(), 1, input, Adaptation{Rate: 1e-9, Tolerance: 1e-300, MaxSteps: 10}); c.tauM != c.tauR && (err == nil || calls != 10) {
			t.Errorf("%+v: %d steps of at most 10, %v", c, calls, err)
		}
	}
}

// TestRateNoise: the noise has the standard deviation asked for; at 0 its source stays
// untouched and the bits are those of a network without it.
func TestRateNoise(t *testing.T) {
	o := tanhNet(0)
	o.Layers = []Layer{{Units: 4000}}
	o.RateNoise = .2
	n := open(t, o)
	if err := n.Step(make([]float64, 5), nil); err != nil {
		t.Fatal(err)
	}
	ss := 0.0
	pot := n.Prospective(1)
	for i, r := range n.Rates(1) {
		ss += (r - pot[i]) * (r - pot[i]) / 4000
	}
	// 5 standard errors of a variance of 4000 numbers: false alarms below 6e-7.
	if math.Abs(ss-.04) > 5*.04*math.Sqrt(2./4000) {
		t.Errorf("variance of the noise is %v: must be .04", ss)
	}
	o.RateNoise = 0
	still := open(t, o)
	before, _ := still.e.(runner[float64]).noise[0].MarshalBinary()
	if err := still.Step(make([]float64, 5), nil); err != nil {
		t.Fatal(err)
	}
	after, _ := still.e.(runner[float64]).noise[0].MarshalBinary()
	if !bytes.Equal(before, after) || !slices.Equal(still.Rates(1), still.Prospective(1)) {
		t.Error("without noise, numbers were drawn")
	}
}

// TestSpread: factors of time constants are normal and independent for τ_m and τ_r, what they make is
// clipped to 1 to 1000 ms, and 0 stays 0.
func TestSpread(t *testing.T) {
	o := tanhNet(0)
	o.Layers = []Layer{{Units: 4000}}
	o.Spread = .2
	m, r := open(t, o).TimeConstants(1)
	var mean, square, cross float64
	for i := range m {
		mean += m[i] / 4000
		square += (m[i] - 10) * (m[i] - 10) / 4000
		cross += (m[i] - 10) * (r[i] - 10) / 4000
	}
	// 5 standard errors of 4000 numbers: false alarms below 6e-7 each.
	if math.Abs(mean-10) > 5*2/math.Sqrt(4000) || math.Abs(square-4) > 5*4*math.Sqrt(2./4000) || math.Abs(cross) > 5*4/math.Sqrt(4000) {
		t.Errorf("mean %v, variance %v, covariance %v: must be 10, 4 and 0", mean, square, cross)
	}
	o.Spread, o.TauM, o.TauR = 3, 500, 0
	m, r = open(t, o).TimeConstants(1)
	if slices.Min(m) != 1 || slices.Max(m) != 1000 || slices.Max(r) != 0 {
		t.Errorf("from %v to %v, τ_r to %v: must be 1 to 1000, and 0", slices.Min(m), slices.Max(m), slices.Max(r))
	}
}

// TestPool: of equal rates the first counts, and errors go back to it.
func TestPool(t *testing.T) {
	s := shape{2, 4, 1}
	rates := []float64{1, 1, 0, 3, 1, 0, 3, 2, -1, -2, 5, 5, -1, -3, 5, 5} // two images
	dst, at := make([]float64, 4), make([]int32, 4)
	pool(dst, at, rates, s, 2, 0, 2)
	if !slices.Equal(dst, []float64{1, 3, -1, 5}) || !slices.Equal(at, []int32{0, 3, 8, 10}) {
		t.Errorf("rates %v at %v", dst, at)
	}
	back := make([]float64, 16)
	unpool(back, []float64{.1, .2, .3, .4}, at, 8, 2, 0, 2)
	for i, v := range back {
		want := map[int]float64{0: .1, 3: .2, 8: .3, 10: .4}[i]
		if v != want {
			t.Errorf("error %d is %v: must be %v", i, v, want)
		}
	}
}

// TestRates: a step of Learn and Step change weights alike, in proportion to SetRate and the factor of
// the layer.
func TestRates(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 17))
	x, y := numbers(r, 5), numbers(r, 3)
	change := func(f func(*Network) error, o Options) float64 {
		n := open(t, o)
		for range 500 { // to the equilibrium
			if err := n.SetRate(0); err != nil {
				t.Fatal(err)
			}
			if err := n.Step(x, y); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := n.Weights(2)
		if err := f(n); err != nil {
			t.Fatal(err)
		}
		after, _ := n.Weights(2)
		return after.At(3, 4) - before.At(3, 4)
	}
	o := tanhNet(.01)
	o.Rate, o.Steps = .5, 1
	step := change(func(n *Network) error { return errors.Join(n.SetRate(1), n.Step(x, y)) }, o)
	if step == 0 {
		t.Fatal("nothing was learned")
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s changes a weight by %v: must be %v", name, got, want)
		}
	}
	near("Learn", change(func(n *Network) error { return errors.Join(n.SetRate(1), n.Learn(x, y)) }, o), step)
	near("half the rate", change(func(n *Network) error { return errors.Join(n.SetRate(.5), n.Step(x, y)) }, o), step/2)
	four := o
	four.Steps = 4
	near("a quarter of a presentation", change(func(n *Network) error { return errors.Join(n.SetRate(1), n.Step(x, y)) }, four), step/4)
	four.Gate = 3
	near("a presentation gated to its last step", change(func(n *Network) error { return errors.Join(n.SetRate(1), n.Learn(x, y)) }, four), step/4)
	factor := o
	factor.Layers = slices.Clone(o.Layers)
	factor.Layers[1].Factor = 3
	near("a factor", change(func(n *Network) error { return errors.Join(n.SetRate(1), n.Step(x, y)) }, factor), 3*step)
}

// TestEnergy: at the equilibrium without a nudge the energy is 0, with one it is
// ½Σ|e|² + ½β|y − r|².
func TestEnergy(t *testing.T) {
	n := open(t, tanhNet(.01))
	r := rand.New(rand.NewPCG(14, 14))
	x, y := numbers(r, 10), numbers(r, 6)
	if n.Energy() != 0 {
		t.Error("energy before the first presentation: must be 0")
	}
	for range 10 {
		if err := n.Step(x, nil); err != nil {
			t.Fatal(err)
		}
	}
	if e := n.Energy(); e > 1e-25 {
		t.Errorf("energy %v without a nudge: must be 0", e)
	}
	for range 300 {
		if err := n.Step(x, y); err != nil {
			t.Fatal(err)
		}
	}
	want := 0.0
	for l := 1; l <= 4; l++ {
		for _, e := range n.Errors(l) {
			want += e * e / 4
		}
	}
	for i, v := range n.Rates(4) {
		want += .01 * (y[i] - v) * (y[i] - v) / 4
	}
	if e := n.Energy(); math.Abs(e-want) > 1e-12 {
		t.Errorf("energy %v: must be %v", e, want)
	}
}

// TestDiverges: too large a rate ends in an error that names layer, neuron and time; Fit puts the
// network back.
func TestDiverges(t *testing.T) {
	o := tanhNet(1)
	o.Layers = []Layer{{Units: 30}, {Units: 3}}
	o.Rate, o.Steps, o.Precision = 300, 30, Float32
	n := open(t, o)
	r := rand.New(rand.NewPCG(15, 15))
	var d *dynamics.DivergedError
	x, y := numbers(r, 10), numbers(r, 6)
	_, err := learn.Fit(context.Background(), n, one{x, y}, learn.Options{Epochs: 50})
	if !errors.As(err, &d) || d.What == "" || !(d.Time > 0) {
		t.Fatalf("%v", err)
	}
	t.Log(err)
	if err := n.Step(x, nil); err != nil {
		t.Errorf("put back: %v", err)
	}
}

// TestWeightsDiverge: weights that overflow in the last step of a presentation are noticed, so that
// Fit never keeps them: what it puts back can be saved and restored.
func TestWeightsDiverge(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 16))
	failed, weights := 0, 0
	for k := range 600 {
		o := tanhNet(1)
		o.Layers = []Layer{{Units: 30}, {Units: 3}}
		o.Rate, o.Steps, o.Precision, o.Parallel = math.Exp(3+3.5*r.Float64()), 1+r.IntN(6), Float32, 1
		n, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		x, y := numbers(r, 10), numbers(r, 6)
		if _, err = learn.Fit(context.Background(), n, one{x, y}, learn.Options{Epochs: 50}); err != nil {
			failed++
			if strings.Contains(err.Error(), "weight") || strings.Contains(err.Error(), "bias") {
				weights++
			}
		}
		b, err := n.MarshalBinary()
		if err == nil {
			err = n.UnmarshalBinary(b)
		}
		if err != nil {
			t.Errorf("run %d: %v", k, err)
		}
		n.Close()
	}
	if failed < 300 || weights == 0 {
		t.Errorf("%d of 600 runs diverged, %d in the weights", failed, weights)
	}
	n := open(t, tanhNet(.1))
	run := n.e.(runner[float64])
	run.layers[1].w.Row(7)[3] = math.NaN()
	var d *dynamics.DivergedError
	if err := run.layers[1].finite(2); !errors.As(inLayer(err, 1), &d) || d.What != "layer 2 weight" || d.Unit != 7 || d.Time != 2 {
		t.Errorf("%v", err)
	}
}

// TestPredictRecovers: a prediction that overflows fails, and the next one does not.
func TestPredictRecovers(t *testing.T) {
	o := tanhNet(0)
	o.Precision = Float32
	o.Layers = []Layer{{Units: 20}, {Units: 3}}
	a, b := open(t, o), open(t, o)
	out, want := make([]float64, 3), make([]float64, 3)
	if err := a.Predict(out, []float64{1e39, 0, 0, 0, 0}); err == nil || errors.Is(err, dynamics.ErrDiverged) {
		t.Errorf("input beyond single precision: %v", err)
	}
	if err := a.Predict(out, []float64{3e38, -3e38, 3e38, 3e38, 3e38}); !errors.Is(err, dynamics.ErrDiverged) {
		t.Errorf("overflow: %v", err)
	}
	x := []float64{1, 2, 3, 4, 5}
	if err := errors.Join(a.Predict(out, x), b.Predict(want, x)); err != nil || !slices.Equal(out, want) {
		t.Errorf("after a failure: %v: must be %v (%v)", out, want, err)
	}
}

// TestGatedControl: a step of the control is what a presentation sums up to, with a gate too.
func TestGatedControl(t *testing.T) {
	const beta, rate = 1e-6, .01 // small: weights change little during a presentation
	for _, gate := range []int{0, 20, 30} {
		o := tanhNet(beta)
		o.Rate, o.Steps, o.Gate, o.Precision = rate, 40, gate, Float64
		n := open(t, o)
		b, err := NewBackprop(o)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		first, _ := n.Weights(4)
		x, y := numbers(rand.New(rand.NewPCG(3, 3)), 5), []float64{1, -1, 1}
		// At equilibrium with the target before anything is learned.
		if err := errors.Join(n.SetRate(0), n.Learn(x, y), n.SetRate(1), n.Learn(x, y), b.SetRate(1/beta), b.Learn(x, y)); err != nil {
			t.Fatal(err)
		}
		w, _ := n.Weights(4)
		saved, err := b.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		o.Precision = Float32
		c := open(t, o)
		if err := c.UnmarshalBinary(saved); err != nil {
			t.Fatal(err)
		}
		v, _ := c.Weights(4)
		for i := range 3 {
			for j := range 20 {
				f := first.At(i, j)
				if got, want := (w.At(i, j)-f)/beta/rate, (v.At(i, j)-f)/rate; math.Abs(got-want) > 1e-2*math.Abs(want)+1e-4 {
					t.Errorf("gate %d: weight %d, %d moves by %v: the control's by %v", gate, i, j, got, want)
				}
			}
		}
	}
}

// TestFixedFeedback: a convolution sends errors down by its feedback weights: by twice its weights, twice
// the errors. They are drawn from a stream of their own, with the standard deviation of weights.
func TestFixedFeedback(t *testing.T) {
	o := convNet(.1)
	o.Feedback = FixedRandom
	fixed := open(t, o)
	o.Feedback = Transposed
	free := open(t, o)
	run := fixed.e.(runner[float64])
	r := rand.New(rand.NewPCG(17, 17))
	ss, sum, n := 0.0, 0.0, 0.0
	for l, y := range run.layers {
		if l == 0 {
			continue
		}
		for i, v := range y.fb.Data {
			ss, sum, n = ss+v*v, sum+v*y.w.Data[i], n+1
			y.fb.Data[i] = 2 * y.w.Data[i]
		}
	}
	// 5 standard errors: false alarms below 6e-7 each.
	if math.Abs(ss/n-.09) > 5*.09*math.Sqrt(2/n) || math.Abs(sum/n) > 5*.09/math.Sqrt(n) {
		t.Errorf("variance of feedback weights %v: must be .09; covariance with weights %v: must be 0 (%v weights)", ss/n, sum/n, n)
	}
	x, y := numbers(r, 160), numbers(r, 2)
	for range 2 { // an error has gone down one layer
		if err := errors.Join(fixed.Step(x, y), free.Step(x, y)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := fixed.Errors(3), free.Errors(3)
	for i := range a {
		if b[i] == 0 || math.Abs(a[i]-2*b[i]) > 1e-12*math.Abs(b[i]) {
			t.Errorf("error %d of layer 3 is %v: must be twice %v", i, a[i], b[i])
		}
	}
}

// one is a single pair twice.
type one struct{ x, y []float64 }

func (o one) Len() int                   { return 2 }
func (o one) Dims() (int, int)           { return 5, 3 }
func (o one) Pair(i int, x, y []float64) { copy(x, o.x[5*i:]); copy(y, o.y[3*i:]) }

func TestRefusals(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, change := range map[string]func(*Options){
		"no layers":         func(o *Options) { o.Layers = nil },
		"no inputs":         func(o *Options) { o.Inputs = 0 },
		"image":             func(o *Options) { o.Inputs, o.Rows = 0, 3 },
		"two inputs":        func(o *Options) { o.Rows, o.Cols, o.Channels = 3, 3, 1 },
		"step":              func(o *Options) { o.Dt = 0 },
		"step NaN":          func(o *Options) { o.Dt = nan },
		"step too long":     func(o *Options) { o.Dt = 10.1 },
		"tau":               func(o *Options) { o.TauM = -1 },
		"tau infinite":      func(o *Options) { o.TauM = inf },
		"tauR":              func(o *Options) { o.TauR = -1 },
		"beta":              func(o *Options) { o.Beta = -1 },
		"gamma":             func(o *Options) { o.Gamma = nan },
		"spread":            func(o *Options) { o.Spread = -1 },
		"synapses":          func(o *Options) { o.TauSyn = .01 },
		"filter of nothing": func(o *Options) { o.FilterRates = true },
		"noise":             func(o *Options) { o.RateNoise = inf },
		"steps":             func(o *Options) { o.Steps = 0 },
		"gate":              func(o *Options) { o.Gate = 2 },
		"rate":              func(o *Options) { o.Rate = -1 },
		"order":             func(o *Options) { o.Order = 7 },
		"prospective":       func(o *Options) { o.ProspectiveErrors, o.Gamma = true, 0 },
		"prospective order": func(o *Options) { o.ProspectiveErrors, o.Order = true, FullForward },
		"parallel":          func(o *Options) { o.Parallel = -1 },
		"no units":          func(o *Options) { o.Layers[1].Units = 0 },
		"units and kernel":  func(o *Options) { o.Layers[1].Kernel, o.Layers[1].Channels = 2, 2 },
		"kernel too large":  func(o *Options) { o.Layers[0] = Layer{Kernel: 3, Channels: 2} },
		"pool of units":     func(o *Options) { o.Layers[0].Pool = 2 },
		"pool":              func(o *Options) { o.Layers[0].Pool = -2 },
		"activation":        func(o *Options) { o.Layers[0].Activation = 17 },
		"factor":            func(o *Options) { o.Layers[0].Factor = nan },
		"layer tau":         func(o *Options) { o.Layers[0].TauM = []float64{.01} },
		"layer taus":        func(o *Options) { o.Layers[0].TauR = []float64{1, 2} },
		"feedback shape":    func(o *Options) { o.Layers[1].Feedback = mat.NewDense(2, 2, nil) },
		"feedback of first": func(o *Options) { o.Layers[0].Feedback = mat.NewDense(20, 5, nil) },
		"feedback NaN": func(o *Options) {
			m := mat.NewDense(20, 20, nil)
			m.Set(3, 3, nan)
			o.Layers[1].Feedback = m
		},
		"weights":            func(o *Options) { o.WeightSD = -1 },
		"weights too large":  func(o *Options) { o.WeightSD = 1e200 },
		"too many units":     func(o *Options) { o.Layers[0].Units = 1 << 60 },
		"too many inputs":    func(o *Options) { o.Inputs = 1 << 60 },
		"too large an image": func(o *Options) { o.Inputs, o.Rows, o.Cols, o.Channels = 0, 1<<30, 1<<30, 1<<30 },
		"too many workers":   func(o *Options) { o.Parallel = 1 << 60 },
	} {
		o := tanhNet(.1)
		change(&o)
		if n, err := New(o); err == nil {
			n.Close()
			t.Errorf("%s: no error", name)
		}
		if n, err := NewBackprop(o); err == nil {
			n.Close()
			t.Errorf("%s: no error from the control", name)
		}
	}
	n := open(t, tanhNet(.1))
	x, y := make([]float64, 10), make([]float64, 6)
	bad := []float64{0, 0, nan, 0, 0}
	w, b := n.Weights(1)
	wn := mat.DenseCopyOf(w)
	wn.Set(0, 0, inf)
	control, err := NewBackprop(tanhNet(.1))
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	for name, f := range map[string]func() error{
		"no inputs":       func() error { return n.Learn(nil, nil) },
		"odd inputs":      func() error { return n.Learn(x[:7], y) },
		"target missing":  func() error { return n.Learn(x, nil) },
		"target short":    func() error { return n.Learn(x, y[:5]) },
		"input NaN":       func() error { return n.Learn(bad, y[:3]) },
		"target NaN":      func() error { return n.Learn(x[:5], bad[:3]) },
		"output short":    func() error { return n.Predict(y[:5], x) },
		"prediction NaN":  func() error { return n.Predict(y[:3], bad) },
		"step target":     func() error { return n.Step(x, y[:3]) },
		"rate":            func() error { return n.SetRate(-1) },
		"weights shape":   func() error { return n.SetWeights(2, w, b) },
		"weights nil":     func() error { return n.SetWeights(1, nil, b) },
		"weights Inf":     func() error { return n.SetWeights(1, wn, b) },
		"bias NaN":        func() error { return n.SetWeights(1, w, append(b[:19:19], nan)) },
		"no layer 0":      func() error { return n.SetWeights(0, w, b) },
		"no layer 9":      func() error { return n.SetWeights(9, w, b) },
		"control range":   func() error { return control.Predict(y[:3], []float64{0, 1e39, 0, 0, 0}) },
		"control inputs":  func() error { return control.Learn(x[:7], y) },
		"control targets": func() error { return control.Learn(x, nil) },
		"control NaN":     func() error { return control.Learn(bad, y[:3]) },
		"control output":  func() error { return control.Predict(y[:5], x) },
		"control rate":    func() error { return control.SetRate(inf) },
		"control file":    func() error { return control.UnmarshalBinary([]byte("x")) },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	o := MNIST2021()
	o.Steps = 10
	n := open(b, o)
	r := rand.New(rand.NewPCG(16, 16))
	x, y := numbers(r, 512*784), make([]float64, 512*10)
	for b.Loop() {
		if err := n.Learn(x, y); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10/512/410, "ns/neuron-step")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/10, "ms/step")
}

package feedforward_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestInitialisers: what every one of them makes.
func TestInitialisers(t *testing.T) {
	n, x := machine(t, 1, false), patterns()
	for _, c := range []float64{0, .5, 1} {
		for _, h := range start(t, n, x, feedforward.Constant(c)).Flat() {
			if h != c {
				t.Fatalf("Constant(%v) made %v", c, h)
			}
		}
	}
	u := start(t, n, mat.NewDense(2000, 6, nil), feedforward.Random{}).Flat()
	// 24000 numbers: mean within 5 standard errors of 1/2, variance of 1/12.
	near(t, "mean of Random", stat.Mean(u, nil), .5, 5/math.Sqrt(12*24000))
	near(t, "variance of Random", stat.Variance(u, nil), 1./12, 5*math.Sqrt((1./80-1./144)/24000))
	if a, b := start(t, n, x, feedforward.Random{}).Flat(), start(t, n, x, feedforward.Random{}).Flat(); !slices.Equal(a, b) {
		t.Error("Random: the same source, other numbers")
	}

	mf, _ := relax(t, n, x, start(t, n, x, feedforward.Feedforward{}), feedforward.RelaxOptions{Tol: 1e-12})
	mean, err := feedforward.DataMean(bg, n, x, feedforward.RelaxOptions{Tol: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, n, x, mean)
	for i, m := range mf {
		for j := range m.RawRowView(0) {
			near(t, "data mean", s[i].At(4, j), stat.Mean(mat.Col(nil, j, m), nil), 1e-14)
		}
	}
	stored := start(t, n, x, feedforward.Stored{State: mf, Rows: []int{5, 4, 3, 2, 1, 0}})
	for b := range 6 {
		if !slices.Equal(stored.Row(nil, b), mf.Row(nil, 5-b)) {
			t.Errorf("stored state %d is another one", b)
		}
	}
	one := feedforward.State{}
	for _, m := range mf {
		one = append(one, mat.DenseCopyOf(m.Slice(0, 2, 0, m.RawMatrix().Cols)))
	}
	if s := start(t, n, x, feedforward.Stored{State: one}); !slices.Equal(s.Row(nil, 5), mf.Row(nil, 1)) {
		t.Error("stored chains do not go round")
	}

	rec, err := feedforward.TrainRecognition(bg, n, x, feedforward.RecognitionOptions{Epochs: 400, Batch: 6, Rate: .02})
	if err != nil {
		t.Fatal(err)
	}
	ff := start(t, n, x, feedforward.Feedforward{})
	learned := start(t, n, x, rec)
	if a, b := maxDiff(learned.Flat(), mf.Flat()), maxDiff(ff.Flat(), mf.Flat()); a > b/2 {
		t.Errorf("recognition network is %g off, the pass it began as %g", a, b)
	}
	fresh, err := feedforward.TrainRecognition(bg, n, x, feedforward.RecognitionOptions{Epochs: 1, Rate: 1e-300})
	if err != nil {
		t.Fatal(err)
	}
	if d := maxDiff(start(t, n, x, fresh).Flat(), ff.Flat()); d > 1e-14 {
		t.Errorf("a recognition network that learned nothing is %g off the pass", d)
	}
}

// TestStates: the forms of a state.
func TestStates(t *testing.T) {
	n := machine(t, 1, false)
	s := start(t, n, patterns(), feedforward.Random{})
	back, err := n.FromFlat(s.Flat())
	if err != nil || !slices.Equal(back.Flat(), s.Flat()) {
		t.Errorf("flat and back: %v", err)
	}
	z, r := make([]uint8, 12), rand.New(rng.Stream(1, "draw"))
	on := make([]float64, 12)
	for range 10000 {
		if err := s.Draw(z, 2, r); err != nil {
			t.Fatal(err)
		}
		for i, v := range z {
			on[i] += float64(v) / 10000
		}
	}
	for i, h := range s.Row(nil, 2) {
		near(t, "share of draws", on[i], h, 5*math.Sqrt(h*(1-h)/10000)+1e-9)
	}
	starts, err := s.Starts(9)
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]uint8, 12), make([]uint8, 12)
	same := 0
	for c := range 60 {
		starts(c, a)
		starts(c, b)
		if !slices.Equal(a, b) {
			t.Fatal("the same chain starts twice from other states")
		}
		starts(c+6, b)
		if slices.Equal(a, b) {
			same++
		}
	}
	if same > 20 {
		t.Errorf("%d of 60 chains start as the next one of their sample", same)
	}
}

// TestRelaxByRows: a sample's relaxation does not depend on its batch, nor on the workers.
func TestRelaxByRows(t *testing.T) {
	r := source("rows")
	n, x := random(t, r, []int{30, 20, 25, 10}, feedforward.Options{}), gaussian(r, 40, 30)
	s := start(t, n, x, feedforward.Random{})
	all, rel := relax(t, n, x, s, feedforward.RelaxOptions{})
	if slices.Max(rel.Sweeps) == slices.Min(rel.Sweeps) {
		t.Fatal("all samples take as many sweeps: nothing is tested")
	}
	two, rel2 := relax(t, n, x, s, feedforward.RelaxOptions{Workers: 2})
	if !slices.Equal(all.Flat(), two.Flat()) || !slices.Equal(rel.Sweeps, rel2.Sweeps) {
		t.Error("another result with two workers")
	}
	for b := range 40 {
		var own feedforward.State
		for _, m := range s {
			own = append(own, mat.DenseCopyOf(m.Slice(b, b+1, 0, m.RawMatrix().Cols)))
		}
		one, rel1 := relax(t, n, x.Slice(b, b+1, 0, 30), own, feedforward.RelaxOptions{})
		if !slices.Equal(one.Flat(), all.Row(nil, b)) || rel1.Sweeps[0] != rel.Sweeps[b] || rel1.Residual[0] != rel.Residual[b] {
			t.Errorf("sample %d alone: %d sweeps, residual %g; in the batch %d, %g", b, rel1.Sweeps[0], rel1.Residual[0], rel.Sweeps[b], rel.Residual[b])
		}
		if !(rel.Residual[b] < 1e-4) {
			t.Errorf("residual %g", rel.Residual[b])
		}
	}
	// The same where some are at rest and the others are stopped.
	for stop := 1; stop < slices.Max(rel.Sweeps); stop++ {
		_, cut, err := feedforward.Relax(bg, n, x, s, feedforward.RelaxOptions{MaxSweeps: stop})
		if !errors.Is(err, feedforward.ErrNotConverged) {
			t.Fatal(err)
		}
		for b := range 40 {
			var own feedforward.State
			for _, m := range s {
				own = append(own, mat.DenseCopyOf(m.Slice(b, b+1, 0, m.RawMatrix().Cols)))
			}
			_, one, _ := feedforward.Relax(bg, n, x.Slice(b, b+1, 0, 30), own, feedforward.RelaxOptions{MaxSweeps: stop})
			if one.Residual[0] != cut.Residual[b] || one.Sweeps[0] != cut.Sweeps[b] {
				t.Errorf("sample %d alone, stopped: residual %g after %d sweeps; in the batch %g, %d", b, one.Residual[0], one.Sweeps[0], cut.Residual[b], cut.Sweeps[b])
			}
		}
	}
}

// TestHalfAtRest: a state whose odd layers are at rest and whose even ones are not is not at rest.
func TestHalfAtRest(t *testing.T) {
	n, x := chain(t, 1)
	s := n.NewState(1)
	s[1].Set(0, 0, .1)
	s[0].Set(0, 0, 1/(1+math.Exp(-.7)))
	_, rel := relax(t, n, x, s, feedforward.RelaxOptions{})
	if rel.Sweeps[0] == 0 {
		t.Error("no sweep")
	}
}

// TestNotConverged: the error has the state, and going on from it arrives.
func TestNotConverged(t *testing.T) {
	n, x := machine(t, 1, false), patterns()
	_, rel, err := feedforward.Relax(bg, n, x, start(t, n, x, feedforward.Constant(.5)), feedforward.RelaxOptions{MaxSweeps: 1, Tol: 1e-9})
	var e *feedforward.NotConvergedError
	if !errors.As(err, &e) || !errors.Is(err, feedforward.ErrNotConverged) {
		t.Fatalf("error %v", err)
	}
	if !(e.Residual > 1e-9) || e.Sweeps != 1 || rel.Residual[e.Sample] != e.Residual {
		t.Errorf("%+v", e)
	}
	relax(t, n, x, e.State, feedforward.RelaxOptions{Tol: 1e-9})
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, _, err := feedforward.Relax(ctx, n, x, e.State, feedforward.RelaxOptions{Tol: 1e-9}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestEulerRests: the dynamics of every energy comes to rest where f(a) = h, and so do the
// potentials of those that have some, in a stepper of the shared core.
func TestEulerRests(t *testing.T) {
	r := source("euler")
	for _, o := range every {
		n := random(t, r, []int{4, 3, 3}, o)
		if q, err := n.Contraction(); err != nil || q >= 1 {
			var w []mat.Matrix
			for k := 1; k <= 2; k++ {
				m := n.Weight(k)
				m.Scale(.5/math.Max(q, .5), m)
				w = append(w, m)
			}
			n = network(t, w, [][]float64{n.Bias(1), n.Bias(2)}, o)
		}
		x := gaussian(r, 3, 4)
		s := start(t, n, x, feedforward.Random{})
		b, _ := relax(t, n, x, s, feedforward.RelaxOptions{Tol: 1e-12})
		if o.Rate == feedforward.HardSigmoid {
			continue // r' jumps on the border, where such units rest: steps of any size chatter
		}
		a, _ := relax(t, n, x, s, feedforward.RelaxOptions{Rule: feedforward.Euler, Tol: 1e-9, Step: .1})
		if d := maxDiff(a.Flat(), b.Flat()); d > 1e-6 {
			t.Errorf("%v %v: Euler and Gauss-Seidel end %g apart", o.Energy, o.Rate, d)
		}
		if o.Energy == feedforward.Leaky {
			continue
		}
		p, err := feedforward.NewPotentials(n, x)
		if err != nil {
			t.Fatal(err)
		}
		step, err := dynamics.NewStepper(p, dynamics.StepperOptions{Method: dynamics.ExpEuler, Dt: .05, Batch: 3})
		if err != nil {
			t.Fatal(err)
		}
		u := make([]float64, 18)
		for i := range 4000 {
			if err := step.Step(u, float64(i)*.05, nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, h := range b.Flat() {
			f := 1 / (1 + math.Exp(-u[i]))
			if o.Energy == feedforward.Clipped {
				f = min(max(u[i], 0), 1)
			}
			near(t, "potential at rest", f, h, 1e-8)
		}
	}
}

package feedforward

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// trained is a small network with a batch of its trainer.
func trained(t testing.TB, o Options, l LearnOptions) *trainer {
	t.Helper()
	n, err := Glorot([]int{6, 5, 4, 3}, o, rng.Stream(1, "weights"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rng.Stream(1, "biases"))
	for _, b := range n.b {
		for i := range b {
			b[i] = .5 + .3*r.NormFloat64()
		}
	}
	l.Batch = 4
	l, g, err := l.check(n)
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrainer(n, nil, g, l)
	for i := range tr.x.Data {
		tr.x.Data[i] = r.Float64()
	}
	return tr
}

// loss is what Gradient goes down, for the batch of the trainer.
func (t *trainer) loss() float64 {
	t.sum = LearnEpoch{Consistency: make([]float64, len(t.n.w)-1)}
	t.forward()
	loss := t.sum.Reconstruction
	if t.o.WithoutReconstruction {
		loss = 0
	}
	for _, e := range t.sum.Consistency {
		if !t.o.WithoutConsistency {
			loss += t.o.Consistency * e
		}
	}
	return loss
}

// TestGradient compares the whole gradient with differences of the loss.
func TestGradient(t *testing.T) {
	for i, o := range []Options{{}, {Energy: Clipped}, {Energy: Leaky}} {
		for _, l := range []LearnOptions{{}, {Consistency: 3}, {WithoutConsistency: true}, {WithoutReconstruction: true}, {Gains: []float64{1.5, 1.2, .7}}} {
			tr := trained(t, o, l)
			tr.loss()
			tr.backward()
			grads := make([][]float64, len(tr.opt.g))
			for p, g := range tr.opt.g {
				grads[p] = slices.Clone(g)
			}
			const h = 1e-6
			for p, x := range tr.opt.x {
				for j := range x {
					old := x[j]
					x[j] = old + h
					up := tr.loss()
					x[j] = old - h
					d := (up - tr.loss()) / (2 * h)
					x[j] = old
					if math.Abs(d-grads[p][j]) > 1e-6*(1+math.Abs(d)) {
						t.Fatalf("energy %d, %+v: parameter %d/%d: gradient %g, differences %g", i, l, p, j, grads[p][j], d)
					}
				}
			}
		}
	}
}

// TestAutoEncodeGradient: the control also predicts h_1, held as a target, from h_2 by the weights down:
// the gradient of the cross-entropy passes through h_2.
func TestAutoEncodeGradient(t *testing.T) {
	const share = .3
	tr := trained(t, Options{}, LearnOptions{AutoEncode: share, WithoutConsistency: true})
	tr.loss()
	tr.backward()
	var grads [][]float64
	for _, g := range tr.opt.g {
		grads = append(grads, slices.Clone(g))
	}
	target := slices.Clone(tr.h[0].Data)
	loss := func() float64 {
		l := tr.loss()
		for b := range tr.batch {
			for j, bias := range tr.td[0] {
				z := bias
				for k, h := range tr.h[1].Row(b) {
					z += tr.n.w[1].Row(k)[j] * h
				}
				l += share * (math.Log(1+math.Exp(z)) - target[b*len(tr.td[0])+j]*z)
			}
		}
		return l
	}
	const h = 1e-6
	for p, x := range tr.opt.x {
		for j, old := range x {
			x[j] = old + h
			up := loss()
			x[j] = old - h
			d := (up - loss()) / (2 * h)
			x[j] = old
			if math.Abs(d-grads[p][j]) > 1e-6*(1+math.Abs(d)) {
				t.Fatalf("parameter %d/%d: gradient %g, differences %g", p, j, grads[p][j], d)
			}
		}
	}
}

// TestLocalRules: Branches is the gradient in the weights while all states are held, and Local is
// all of Gradient for the top layer, where there is nothing to pass through two layers.
func TestLocalRules(t *testing.T) {
	tr := trained(t, Options{}, LearnOptions{Rule: Branches, WithoutReconstruction: true})
	tr.loss()
	tr.local()
	held := tr.h
	loss := func() float64 { // with the states held
		sum := 0.0
		for i := range len(tr.n.w) - 1 {
			for b := range tr.batch {
				for j := range tr.n.size[i+1] {
					e := tr.bu[i][j] - tr.td[i][j] + linalg.Dot(tr.n.w[i].Row(j), tr.below(i).Row(b))
					for k, h := range held[i+1].Row(b) {
						e -= tr.n.w[i+1].Row(k)[j] * h
					}
					sum += e * e
				}
			}
		}
		return sum
	}
	const h = 1e-6
	for p, x := range tr.opt.x {
		for j := range x {
			old := x[j]
			x[j] = old + h
			up := loss()
			x[j] = old - h
			d := (up - loss()) / (2 * h)
			x[j] = old
			if g := tr.opt.g[p][j]; math.Abs(d-g) > 1e-6*(1+math.Abs(d)) {
				t.Fatalf("parameter %d/%d: rule %g, differences %g", p, j, g, d)
			}
		}
	}

	local := trained(t, Options{}, LearnOptions{Rule: Local})
	whole := trained(t, Options{}, LearnOptions{})
	local.loss()
	local.local()
	whole.loss()
	whole.backward()
	top := len(local.gw) - 1
	for j, g := range whole.gw[top].Data {
		if math.Abs(g-local.gw[top].Data[j]) > 1e-12 {
			t.Fatalf("W_3, entry %d: local %g, gradient %g", j, local.gw[top].Data[j], g)
		}
	}
	if slices.Equal(local.gw[0].Data, whole.gw[0].Data) {
		t.Error("Local is Gradient in W_1 too: nothing is left out")
	}
}

// TestAllocs: nothing is allocated in a sweep, a step of learning, or a batch of EP.
func TestAllocs(t *testing.T) {
	for _, o := range []Options{{}, {Energy: Clipped}, {Energy: Leaky, Rate: Sigmoid}} {
		n, err := Glorot([]int{40, 30, 20, 10}, o, rng.Stream(1, "weights"))
		if err != nil {
			t.Fatal(err)
		}
		w := newWork(n, nil, 8)
		for _, rule := range []Rule{GaussSeidel, Jacobi, Euler} {
			if a := testing.AllocsPerRun(20, func() {
				w.prepare(rule, false)
				w.sweep(rule, .5)
			}); a != 0 {
				t.Errorf("%v, %v: %v allocations per sweep", o, rule, a)
			}
		}
	}
	for _, rule := range []LearnRule{Gradient, Branches, Local} {
		tr := trained(t, Options{}, LearnOptions{Rule: rule})
		tr.loss()
		if a := testing.AllocsPerRun(20, tr.learn); a != 0 {
			t.Errorf("%v: %v allocations per step", rule, a)
		}
	}
	n, err := Glorot([]int{12, 8, 6, 4}, Options{Energy: Clipped}, rng.Stream(1, "weights"))
	if err != nil {
		t.Fatal(err)
	}
	n.td = n.halves()
	o, err := EPOptions{Rates: []float64{.1, .1, .1}, Consistency: .01}.check(n)
	if err != nil {
		t.Fatal(err)
	}
	e := &epTrainer{n: n, o: o, x: linalg.NewMat[float64](5, 12), y: linalg.NewMat[float64](5, 4), particles: n.NewState(5), row: make([]float64, 12)}
	w, batch, r := newEPBatch(n, nil, 5), []int{0, 1, 2, 3, 4}, rand.New(rng.Stream(1, "ep"))
	if a := testing.AllocsPerRun(20, func() {
		if err := e.learn(w, batch, r); err != nil {
			t.Fatal(err)
		}
	}); a != 0 {
		t.Errorf("EP: %v allocations per batch", a)
	}
}

// TestEPGradient: for a small nudge of either sign and a long relaxation, the rule goes down the
// gradient of the cost |y − h|² at the free fixed point (Scellier and Bengio 2017, theorem 1).
// Units are kept inside (0, 1), where the fixed point is smooth.
func TestEPGradient(t *testing.T) {
	r := rand.New(rng.Stream(3, "ep gradient"))
	w1, w2 := mat.NewDense(4, 3, nil), mat.NewDense(2, 4, nil)
	for _, m := range []*mat.Dense{w1, w2} {
		for i := range m.RawMatrix().Data {
			m.RawMatrix().Data[i] = .2 * r.NormFloat64()
		}
	}
	n, err := New([]mat.Matrix{w1, w2}, [][]float64{{.5, .5, .5, .5}, {.4, .5}}, Options{Energy: Clipped, TopDown: [][]float64{{.1, .2, .3, .4}}})
	if err != nil {
		t.Fatal(err)
	}
	x, y := linalg.NewMat[float64](1, 3), linalg.NewMat[float64](1, 2)
	copy(x.Data, []float64{.2, .7, .4})
	copy(y.Data, []float64{1, 0})
	cost := func() float64 {
		w := newEPBatch(n, nil, 1)
		w.clamp(x)
		w.run(400, .5)
		c := 0.0
		for j, v := range y.Data {
			d := v - w.h[1].Data[j]
			c += d * d
		}
		for i := range w.h {
			for _, h := range w.h[i].Data {
				if h <= 0 || h >= 1 {
					t.Fatalf("a unit is clipped: %v", h)
				}
			}
		}
		return c
	}
	gradient := func(x []float64) (g []float64) {
		for j, old := range x {
			const h = 1e-5
			x[j] = old + h
			up := cost()
			x[j] = old - h
			g = append(g, (up-cost())/(2*h))
			x[j] = old
		}
		return g
	}
	var want, wantB [][]float64
	for i := range n.w {
		want, wantB = append(want, gradient(n.w[i].Data)), append(wantB, gradient(n.b[i]))
	}
	for _, sign := range []float64{1, -1} {
		m := n.Clone()
		o, err := EPOptions{Rates: []float64{1, 1}, Beta: 1e-5, Free: 400, Nudged: 400}.check(m)
		if err != nil {
			t.Fatal(err)
		}
		e := &epTrainer{n: m, o: o, x: x, y: y, particles: m.NewState(1), row: make([]float64, 4)}
		// A source whose first number has the wanted sign.
		seed := 0
		for (rand.New(rng.Stream(uint64(seed), "sign")).Uint64()>>63 == 1) != (sign < 0) {
			seed++
		}
		w := newEPBatch(m, nil, 1)
		if err := e.learn(w, []int{0}, rand.New(rng.Stream(uint64(seed), "sign"))); err != nil {
			t.Fatal(err)
		}
		if w.beta != sign*1e-5 || math.Abs(e.sum.Cost-cost()) > 1e-9 || e.sum.Error != 1 {
			t.Errorf("sign %v: β %v, cost %v, errors %v: cost must be %v, and the smaller output is the larger target", sign, w.beta, e.sum.Cost, e.sum.Error, cost())
		}
		step := func(what string, before, after, gradient []float64, share float64) {
			t.Helper()
			for j, v := range after {
				if d := v - before[j]; math.Abs(d+share*gradient[j]) > 1e-4*(1e-2+math.Abs(gradient[j])) {
					t.Errorf("sign %v, %s[%d]: step %g, −gradient %g", sign, what, j, d, -share*gradient[j])
				}
			}
		}
		step("b_1", n.b[0], m.b[0], wantB[0], 1)
		step("b_2", n.b[1], m.b[1], wantB[1], 1)
		step("the share from above", n.td[0], m.td[0], wantB[0], .5)
		for i := range m.w {
			for j, v := range m.w[i].Data {
				if d := v - n.w[i].Data[j]; math.Abs(d+want[i][j]) > 1e-4*(1e-2+math.Abs(want[i][j])) {
					t.Errorf("sign %v, W_%d[%d]: step %g, −gradient %g", sign, i+1, j, d, -want[i][j])
				}
			}
		}
	}
}

// TestEPConsistency: without the rule of EP itself, what the consistency term changes is half the
// gradient of Σ|e|² for the states of the free phase, in weights and in both shares of the
// biases, whose sum stays.
func TestEPConsistency(t *testing.T) {
	n, err := Glorot([]int{5, 4, 3, 2}, Options{Energy: Clipped, TopDown: [][]float64{{.3, .1, -.2, .4}, {.2, .5, .1}}}, rng.Stream(2, "weights"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rng.Stream(2, "data"))
	x, y := linalg.NewMat[float64](3, 5), linalg.NewMat[float64](3, 2)
	for i := range x.Data {
		x.Data[i] = r.Float64()
	}
	m := n.Clone()
	const eta = .01
	o, err := EPOptions{Rates: []float64{0, 0, 0}, Consistency: eta, Window: [2]float64{-1e9, 1e9}}.check(m)
	if err != nil {
		t.Fatal(err)
	}
	e := &epTrainer{n: m, o: o, x: x, y: y, particles: m.NewState(3), row: make([]float64, 5)}
	if err := e.learn(newEPBatch(m, nil, 3), []int{0, 1, 2}, r); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 { // mean over samples
		rep, err := Feedforward{}.Report(n, mat.NewDense(3, 5, x.Data), e.particles)
		if err != nil {
			t.Fatal(err)
		}
		return rep.Consistency[0] + rep.Consistency[1]
	}
	// Units outside the window do not count.
	narrow := *e
	narrow.o.Window, narrow.o.Rates, narrow.n = [2]float64{-.5, 1}, []float64{0, 0, 0}, n.Clone()
	narrow.particles, narrow.sum = n.NewState(3), EPEpoch{}
	w := newEPBatch(narrow.n, nil, 3)
	if err := narrow.learn(w, []int{0, 1, 2}, r); err != nil {
		t.Fatal(err)
	}
	in, out := 0, 0
	for i := range w.e {
		if i >= len(n.td) {
			break
		}
		for b := range 3 {
			for j, d := range w.e[i].Row(b) {
				// The drive in the free phase, in which branches were compared.
				a := n.b[i][j]
				below := w.x.Row(b)
				if i > 0 {
					below = w.free[i-1].Row(b)
				}
				for k, v := range below {
					a += n.w[i].Row(j)[k] * v
				}
				for k, v := range w.free[i+1].Row(b) {
					a += n.w[i+1].Row(k)[j] * v
				}
				switch {
				case a < -.5 || a > 1:
					out++
					if d != 0 {
						t.Errorf("drive %v outside the window: difference %v", a, d)
					}
				default:
					in++
					if d == 0 {
						t.Errorf("drive %v in the window: no difference", a)
					}
				}
			}
		}
	}
	if in < 3 || out < 3 {
		t.Errorf("%d units inside the window, %d outside", in, out)
	}
	if got := e.sum.Consistency / 3; math.Abs(got-loss()) > 1e-12 {
		t.Errorf("consistency %g, reported %g", got, loss())
	}
	check := func(what string, before, after []float64) {
		t.Helper()
		for j := range before {
			const h = 1e-6
			old := before[j]
			before[j] = old + h
			up := loss()
			before[j] = old - h
			d := (up - loss()) / (2 * h)
			before[j] = old
			if got := after[j] - old; math.Abs(got+eta*d/2) > 1e-8 {
				t.Errorf("%s, entry %d: step %g, −η/2 times the gradient %g", what, j, got, -eta*d/2)
			}
		}
	}
	for k := range n.w {
		check("weights", n.w[k].Data, m.w[k].Data)
		if !slices.Equal(n.b[k], m.b[k]) {
			t.Errorf("biases of layer %d change", k+1)
		}
	}
	// A share that moves at a fixed sum counts twice in e.
	for k := range n.td {
		for j := range n.td[k] {
			const h = 1e-6
			old := n.td[k][j]
			n.td[k][j] = old + h
			up := loss()
			n.td[k][j] = old - h
			d := (up - loss()) / (2 * h)
			n.td[k][j] = old
			if got := m.td[k][j] - old; math.Abs(got+eta*d/4) > 1e-8 {
				t.Errorf("share of layer %d, entry %d: step %g, want %g", k+1, j, got, -eta*d/4)
			}
		}
	}
}

func BenchmarkSweep(b *testing.B) {
	n, err := Glorot([]int{784, 200, 100, 50}, Options{}, rng.Stream(1, "weights"))
	if err != nil {
		b.Fatal(err)
	}
	w := newWork(n, nil, 100)
	b.ReportAllocs()
	for b.Loop() {
		w.prepare(GaussSeidel, false)
		w.sweep(GaussSeidel, 0)
	}
}

func BenchmarkLearn(b *testing.B) {
	for _, rule := range []LearnRule{Gradient, Local} {
		b.Run(rule.String(), func(b *testing.B) {
			n, err := Glorot([]int{784, 200, 100, 50}, Options{}, rng.Stream(1, "weights"))
			if err != nil {
				b.Fatal(err)
			}
			o, g, err := LearnOptions{Rule: rule}.check(n)
			if err != nil {
				b.Fatal(err)
			}
			t := newTrainer(n, nil, g, o)
			t.sum.Consistency = make([]float64, 2)
			b.ReportAllocs()
			for b.Loop() {
				t.learn()
			}
		})
	}
}

func BenchmarkKernel(b *testing.B) {
	n, err := Glorot([]int{6, 6, 5, 5}, Options{}, rng.Stream(1, "weights"))
	if err != nil {
		b.Fatal(err)
	}
	k, err := NewKernel(n, make([]float64, 6), OddFirst)
	if err != nil {
		b.Fatal(err)
	}
	p := k.Law()
	b.ReportAllocs()
	for b.Loop() {
		if err := k.Evolve(p, 1); err != nil {
			b.Fatal(err)
		}
	}
}

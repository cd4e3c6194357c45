package circuit

import (
	"context"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

var long = flag.Bool("long", false, "all seeds and presentation times of the bars (minutes)")

func open(t testing.TB, o Options) *Circuit {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSelfPrediction: in the self-predicting state interneurons do as the cells above and apical
// potentials vanish, for any input, in both models.
func TestSelfPrediction(t *testing.T) {
	for _, original := range []bool{false, true} {
		o := Haider2021(4, 7, 5, 3)
		o.Original, o.Seed = original, 3
		c := open(t, o)
		r := rand.New(rand.NewPCG(1, 1))
		for range 5 {
			x := make([]float64, 4)
			for i := range x {
				x[i] = 2 * r.Float64()
			}
			for range 6000 {
				must(t, c.Step(x, nil, false))
			}
			for l := 1; l <= 2; l++ {
				for i, v := range c.Apical(l) {
					if math.Abs(v) > 1e-12 {
						t.Errorf("original %v, layer %d: apical potential %d is %v: must be 0", original, l, i, v)
					}
				}
				for i, v := range c.Interneurons(l) {
					if above := c.layers[l].pyr.ahead[i]; math.Abs(v-above) > 1e-12 {
						t.Errorf("original %v, layer %d: interneuron %d is %v: must be %v", original, l, i, v, above)
					}
				}
			}
		}
	}
}

// plain is the circuit of one hidden layer, written down once more with one number after the
// other.
type plain struct {
	o                  Options
	up1, up2           *mat.Dense
	down, pi, ip       *mat.Dense
	u1, u2, ui         []float64
	a1, a2, ai         []float64 // what others see: ŭ or u
	r1, r2, ri, target []float64
	nudged             bool
}

func newPlain(t *testing.T, c *Circuit) *plain {
	get := func(k Kind, l int) *mat.Dense {
		w, err := c.Weights(k, l)
		must(t, err)
		return w
	}
	s := c.o.Sizes
	z := func(n int) []float64 { return make([]float64, n) }
	p := &plain{o: c.o, up1: get(Up, 1), up2: get(Up, 2), down: get(Down, 1), pi: get(PI, 1), ip: get(IP, 1),
		u1: z(s[1]), u2: z(s[2]), ui: z(s[2]), a1: z(s[1]), a2: z(s[2]), ai: z(s[2]), r1: z(s[1]), r2: z(s[2]), ri: z(s[2]), target: z(s[2])}
	for _, r := range [][]float64{p.r1, p.r2, p.ri} {
		for i := range r {
			r[i] = math.Log(2)
		}
	}
	return p
}

func dotRow(w *mat.Dense, i int, x []float64) float64 {
	s := 0.0
	for j, v := range x {
		s += w.At(i, j) * v
	}
	return s
}

func (p *plain) step(x, target []float64, learning bool) {
	o := p.o
	soft := func(x float64) float64 { return math.Log(1 + math.Exp(x)) }
	goal, nudged := target, target != nil
	if !o.Original {
		goal, nudged = p.target, p.nudged
	}
	move := func(u *float64, inf, g float64) float64 {
		ahead := inf
		*u += o.Dt * g * (inf - *u)
		if o.Original {
			ahead = *u
		}
		return ahead
	}
	na1, na2, nai := slices.Clone(p.a1), slices.Clone(p.a2), slices.Clone(p.ai)
	vb1, va1 := slices.Clone(p.a1), slices.Clone(p.a1)
	vb2, vd := slices.Clone(p.a2), slices.Clone(p.a2)
	g1 := o.Gl + o.Gb + o.Ga
	for i := range p.u1 {
		vb1[i] = dotRow(p.up1, i, x)
		va1[i] = dotRow(p.down, i, p.r2) + dotRow(p.pi, i, p.ri)
		na1[i] = move(&p.u1[i], (o.Gb*vb1[i]+o.Ga*va1[i])/g1, g1)
	}
	for i := range p.ui {
		g := o.Gl + o.Gd + o.Gsom
		vd[i] = dotRow(p.ip, i, p.r1)
		nai[i] = move(&p.ui[i], (o.Gd*vd[i]+o.Gsom*p.a2[i])/g, g)
	}
	for i := range p.u2 {
		g := o.Gl + o.Gb + o.Gsom
		vb2[i] = dotRow(p.up2, i, p.r1)
		inf := o.Gb * vb2[i] / (o.Gl + o.Gb)
		if nudged {
			inf = (o.Gb*vb2[i] + o.Gsom*goal[i]) / g
		}
		na2[i] = move(&p.u2[i], inf, g)
	}
	if learning {
		for i := range p.u1 {
			for j := range x {
				w := p.up1.At(i, j) + o.Up[0]*o.Dt*(soft(na1[i])-soft(o.Gb*vb1[i]/g1))*x[j]
				p.up1.Set(i, j, min(max(w, -o.Clip[0]), o.Clip[0]))
			}
			for j := range p.ri {
				p.pi.Set(i, j, p.pi.At(i, j)-o.PI*o.Dt*va1[i]*p.ri[j])
			}
		}
		for i := range p.u2 {
			for j := range p.r1 {
				w := p.up2.At(i, j) + o.Up[1]*o.Dt*(soft(na2[i])-soft(o.Gb*vb2[i]/(o.Gl+o.Gb)))*p.r1[j]
				p.up2.Set(i, j, min(max(w, -o.Clip[1]), o.Clip[1]))
				p.ip.Set(i, j, p.ip.At(i, j)+o.IP*o.Dt*(soft(nai[i])-soft(o.Gd*vd[i]/(o.Gl+o.Gd)))*p.r1[j])
			}
		}
	}
	p.a1, p.a2, p.ai = na1, na2, nai
	for _, s := range [][2][]float64{{p.a1, p.r1}, {p.a2, p.r2}, {p.ai, p.ri}} {
		for i, v := range s[0] {
			s[1][i] = soft(v)
		}
	}
	p.nudged = target != nil
	copy(p.target, target)
}

func TestReference(t *testing.T) {
	for _, original := range []bool{false, true} {
		o := Haider2021(3, 5, 2)
		o.Original, o.Random, o.Seed = original, true, 8
		o.Up, o.IP, o.PI = []float64{.5, .3}, .4, .2
		o.Clip = []float64{1.1, .9}
		o.Gl, o.Gb, o.Ga, o.Gd, o.Gsom = .03, .1, .05, .14, .07 // all of them different
		c := open(t, o)
		r := rand.New(rand.NewPCG(2, 2))
		for _, k := range []Kind{Up, Down, PI, IP} {
			w, err := c.Weights(k, 1)
			must(t, err)
			w.Apply(func(_, _ int, _ float64) float64 { return 2*r.Float64() - 1 }, w)
			must(t, c.SetWeights(k, 1, w))
			got, err := c.Weights(k, 1)
			must(t, err)
			if !mat.Equal(got, w) {
				t.Fatalf("weights of kind %d are not those that were set", k)
			}
		}
		p := newPlain(t, c)
		for k := range 60 {
			x := []float64{r.Float64(), r.Float64(), 12 * r.Float64()}
			var y []float64
			if k%4 > 0 {
				y = []float64{r.Float64(), r.Float64()}
			}
			for range 5 {
				must(t, c.Step(x, y, k%5 > 0))
				p.step(x, y, k%5 > 0)
			}
			for _, s := range []struct {
				name      string
				got, want []float64
			}{{"soma 1", c.Soma(1), p.u1}, {"soma 2", c.Soma(2), p.u2}, {"output", c.Output(), p.a2}, {"interneurons", c.Interneurons(1), p.ai},
				{"up 1", c.layers[0].up.Data, p.up1.RawMatrix().Data}, {"up 2", c.layers[1].up.Data, p.up2.RawMatrix().Data},
				{"pi", c.layers[0].pi.Data, p.pi.RawMatrix().Data}, {"ip", c.layers[0].ip.Data, p.ip.RawMatrix().Data}} {
				for i, v := range s.want {
					if math.Abs(s.got[i]-v) > 1e-11*(1+math.Abs(v)) {
						t.Fatalf("original %v, presentation %d: %s: %d is %v: must be %v", original, k, s.name, i, s.got[i], v)
					}
				}
			}
		}
	}
}

// TestRandom: a circuit begins in the self-predicting state, W_pi = −W_down and W_ip in proportion to W_up of
// the layer above, unless it is to be random. It keeps its own options.
func TestRandom(t *testing.T) {
	o := Haider2021(3, 5, 2)
	o.Gl, o.Gd, o.Gb = .03, .14, .1
	o.Up = []float64{1, 1}
	for _, o.Random = range []bool{false, true} {
		c := open(t, o)
		sizes := o.Sizes[0]
		o.Sizes[0], o.Up[0], o.Clip[0] = 7, math.NaN(), 1e-9 // not the circuit's
		if c.o.Sizes[0] != 3 || c.o.Up[0] != 1 || c.o.Clip[0] != 4 {
			t.Errorf("the circuit shares the caller's options: %+v", c.o)
		}
		o.Sizes[0], o.Up[0], o.Clip[0] = sizes, 1, 4
		y, above := c.layers[0], c.layers[1]
		off := 0.0
		for i, v := range y.down.Data {
			off += math.Abs(y.pi.Data[i] + v)
		}
		for i, v := range above.up.Data { // the factor is g_b/(g_l + g_b)·(g_l + g_d)/g_d
			off += math.Abs(y.ip.Data[i] - v*.1/.13*.17/.14)
		}
		if (off > 1e-12) != o.Random || o.Random && off < 1 {
			t.Errorf("random %v: off self-prediction by %v", o.Random, off)
		}
	}
}

func TestCurve(t *testing.T) {
	c := Curve{Accuracy: []float64{.5, 1, .25, 1}}
	if got := c.FirstPerfect(); got != 2 {
		t.Errorf("first perfect epoch %d: must be 2", got)
	}
	if got := c.Last(2); got != .625 {
		t.Errorf("mean of the last two %v: must be .625", got)
	}
	if got := c.Last(9); got != .6875 {
		t.Errorf("mean of all %v: must be .6875", got)
	}
	if (Curve{}).FirstPerfect() != 0 || !math.IsNaN((Curve{}).Last(3)) || !math.IsNaN(c.Last(-1)) {
		t.Error("of nothing")
	}
}

// TestInterneuronsDiverge: interneurons that are not finite stop a step, too.
func TestInterneuronsDiverge(t *testing.T) {
	c := open(t, Haider2021(3, 5, 2))
	c.layers[0].inn.u[1] = math.Inf(1)
	var d *dynamics.DivergedError
	if err := c.finite(); !errors.As(err, &d) || d.What != "interneurons" || d.Unit != 1 {
		t.Errorf("%v", err)
	}
}

// TestGradient: for a weak nudge W_up of the hidden layer changes along
// φ'(v̂) ⊙ W_down [φ'(u_out) ⊙ (u_tgt − u_out)] r_inᵀ, the gradient that backpropagation finds with
// W_down as feedback.
func TestGradient(t *testing.T) {
	o := Haider2021(4, 6, 3)
	o.Gsom, o.Seed = 1e-6, 4
	o.Clip = nil
	c := open(t, o)
	x, y := []float64{.3, .9, .1, .6}, []float64{1, -.5, .4}
	for range 20 {
		must(t, c.Step(x, nil, false))
	}
	free := slices.Clone(c.Output())
	for range 20 {
		must(t, c.Step(x, y, false))
	}
	must(t, c.SetRates([]float64{1, 1}, 0, 0))
	before, err := c.Weights(Up, 1)
	must(t, err)
	must(t, c.Step(x, y, true))
	after, err := c.Weights(Up, 1)
	must(t, err)
	down, err := c.Weights(Down, 1)
	must(t, err)
	slope := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	var ab, aa, bb float64
	for i := range 6 {
		e := 0.0
		for j := range 3 {
			e += down.At(i, j) * slope(free[j]) * (y[j] - free[j])
		}
		vb := 0.0
		for j := range 4 {
			vb += before.At(i, j) * x[j]
		}
		e *= slope(o.Gb * vb / (o.Gl + o.Gb + o.Ga))
		for j := range 4 {
			a, b := after.At(i, j)-before.At(i, j), e*x[j]
			ab, aa, bb = ab+a*b, aa+a*a, bb+b*b
		}
	}
	if cos := ab / math.Sqrt(aa*bb); cos < 1-1e-6 {
		t.Errorf("cosine %v: must be 1", cos)
	}
}

func bars(t *testing.T) *data.Vectors {
	t.Helper()
	v, err := data.Bars(3)
	must(t, err)
	return v.Targets(1, .1)
}

func trainBars(t *testing.T, presentation, lag float64, original bool, epochs int, seed uint64) Curve {
	t.Helper()
	o := Bars2021(presentation)
	o.Original, o.Seed = original, seed
	c := open(t, o)
	curve, err := c.Train(context.Background(), bars(t), Stream{Epochs: epochs, Presentation: presentation, Lag: lag, Seed: seed})
	if err != nil {
		t.Log(err)
	}
	return curve
}

// TestBars is acceptance item 5: with look-ahead, presentations of 1 ms (0.19 of the time constant
// of hidden cells) are learned to the last pattern; the original model stays at the share of the
// largest class.
func TestBars(t *testing.T) {
	seeds, passed := uint64(3), 0
	if *long {
		seeds = 10
	}
	for seed := range seeds {
		le := trainBars(t, 1, 0, false, 1000, seed)
		t.Logf("seed %d: look-ahead %.4f over the last 100 epochs, all right first after %d, mean squared error %.4f", seed, le.Last(100), le.FirstPerfect(), le.MSE[len(le.MSE)-1])
		if le.Last(100) >= .99 {
			passed++
		}
		or := trainBars(t, 1, .5, true, 1000, seed)
		if a := or.Last(100); a > .5 {
			t.Errorf("seed %d: the original model is right in %v: must be at most .5", seed, a)
		}
	}
	if passed < int(seeds)*9/10 || passed < 2 {
		t.Errorf("%d of %d seeds learn all patterns", passed, seeds)
	}
}

// TestPresentationTimes: with look-ahead 1 ms is enough, .3 ms is not (six steps are needed for an
// error to arrive); the original model needs hundreds of ms. The bounds are around the figures of the
// specification's prototype. Long ones, and three seeds, with -long: the table of the README.
func TestPresentationTimes(t *testing.T) {
	for _, c := range []struct {
		presentation, lag float64
		original          bool
		least, most       float64
	}{{.3, 0, false, 0, .6}, {.5, 0, false, .5, .99}, {1, 0, false, .99, 1}, {2, 0, false, .99, 1}, {5, 0, false, .95, 1}, {10, 0, false, .95, 1},
		{1, .5, true, 0, .5}, {5, 2, true, 0, .5}, {10, 5, true, 0, .5}, {50, 40, true, .5, .8}, {500, 80, true, .6, .95}} {
		if !*long && c.presentation > 1 {
			continue
		}
		epochs, seeds := 1000, uint64(3)
		if !*long {
			seeds = 1
		}
		if c.presentation >= 50 {
			epochs, seeds = 400, 1
		}
		sum := 0.0
		for seed := range seeds {
			curve := trainBars(t, c.presentation, c.lag, c.original, epochs, seed)
			sum += curve.Last(100) / float64(seeds)
		}
		t.Logf("original %v, %v ms: %.3f", c.original, c.presentation, sum)
		if sum < c.least || sum > c.most {
			t.Errorf("original %v, %v ms: %v: must be %v to %v", c.original, c.presentation, sum, c.least, c.most)
		}
	}
}

// TestMimic is Fig. 5: a 1-1-1 circuit that has learned to predict itself learns what another one
// does if its feedback has the right sign: its apical potential vanishes and its weights become the
// other's. With the wrong sign it learns the contrary.
func TestMimic(t *testing.T) {
	aligned := 0
	for seed := uint64(1); seed <= 10; seed++ {
		r := rand.New(rand.NewPCG(6, seed))
		m, err := Mimic(context.Background(), MimicOptions{Seed: seed, Input: r.Float64})
		must(t, err)
		t.Logf("seed %d: %+v", seed, m)
		if m.SelfPredicting > .05 {
			t.Errorf("seed %d: apical potential %v after learning self-prediction", seed, m.SelfPredicting)
		}
		if !m.Aligned {
			if m.Last.Output < m.First.Output || m.Last.Weights < m.First.Weights {
				t.Errorf("seed %d: learned with feedback of the wrong sign: %+v", seed, m)
			}
			continue
		}
		aligned++
		if m.Last.Apical > .02*m.First.Apical || m.Last.Output > .05*m.First.Output || m.Last.Weights > .1 {
			t.Errorf("seed %d: %+v", seed, m)
		}
	}
	if aligned < 2 || aligned > 8 { // 1.07 % of tosses of ten coins
		t.Errorf("%d of 10 have feedback of the right sign", aligned)
	}
}

// TestNoise: noise has the variance of an Ornstein-Uhlenbeck process of a free cell; without it
// its source stays untouched.
func TestNoise(t *testing.T) {
	o := Haider2021(1, 2000)
	o.Noise, o.Seed = .1, 2
	c := open(t, o)
	for range 600 {
		must(t, c.Step([]float64{0}, nil, false))
	}
	// u ← (1 − G dt)u + σ√dt ξ has the variance σ²dt/(1 − (1 − G dt)²).
	a := 1 - .1*(o.Gl+o.Gb+o.Gsom)
	want := .01 * .1 / (1 - a*a)
	v := 0.0
	for _, u := range c.Soma(1) {
		v += u * u / 2000
	}
	// 5 standard errors of a variance of 2000 numbers: false alarms below 6e-7.
	if math.Abs(v-want) > 5*want*math.Sqrt(2./2000) {
		t.Errorf("variance %v: must be %v", v, want)
	}
	o.Noise = 0
	still := open(t, o)
	must(t, still.Step([]float64{0}, nil, false))
	fresh := open(t, o)
	if still.rnd.Uint64() != fresh.rnd.Uint64() {
		t.Error("without noise, numbers were drawn")
	}
}

// TestSeeds: same seeds, same bits.
func TestSeeds(t *testing.T) {
	run := func() Curve { return trainBars(t, 1, 0, false, 20, 7) }
	a, b := run(), run()
	if !slices.Equal(a.MSE, b.MSE) || !slices.Equal(a.Accuracy, b.Accuracy) {
		t.Error("the same seed gives other curves")
	}
}

// TestLag: outputs are averaged over what is left of a presentation after the lag; of one step, it is
// the last output.
func TestLag(t *testing.T) {
	o := Bars2021(1)
	o.Up, o.IP = nil, 0
	d := bars(t)
	d.X, d.Y, d.Labels = d.X[:9], d.Y[:3], d.Labels[:1]
	curve, err := open(t, o).Train(context.Background(), d, Stream{Epochs: 1, Presentation: 1, Lag: .9})
	must(t, err)
	// Nothing is learned: ten steps with the target, ten without.
	c := open(t, o)
	for range 10 {
		must(t, c.Step(d.X, d.Y, true))
	}
	for range 10 {
		must(t, c.Step(d.X, nil, false))
	}
	mse := 0.0
	for j, v := range c.Output() {
		mse += (v - d.Y[j]) * (v - d.Y[j]) / 3
	}
	if math.Abs(curve.MSE[0]-mse) > 1e-12 {
		t.Errorf("mean squared error %v: must be %v", curve.MSE[0], mse)
	}
}

func TestRefusals(t *testing.T) {
	nan := math.NaN()
	for name, change := range map[string]func(*Options){
		"no layers":     func(o *Options) { o.Sizes = []int{3} },
		"empty layer":   func(o *Options) { o.Sizes[1] = 0 },
		"conductance":   func(o *Options) { o.Gb = 0 },
		"apical":        func(o *Options) { o.Ga = -1 },
		"NaN":           func(o *Options) { o.Gsom = nan },
		"step":          func(o *Options) { o.Dt = 0 },
		"step too long": func(o *Options) { o.Dt = 6 },
		"rates":         func(o *Options) { o.Up = []float64{1} },
		"rate":          func(o *Options) { o.Up = []float64{1, -1} },
		"rate IP":       func(o *Options) { o.IP = nan },
		"rate PI":       func(o *Options) { o.PI = -1 },
		"clips":         func(o *Options) { o.Clip = []float64{1, 2, 3} },
		"clip":          func(o *Options) { o.Clip = []float64{1, -2} },
		"noise":         func(o *Options) { o.Noise = math.Inf(1) },
	} {
		o := Haider2021(3, 4, 2)
		change(&o)
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), "circuit: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := open(t, Haider2021(9, 4, 3))
	x := make([]float64, 9)
	ctx := context.Background()
	ok := Stream{Epochs: 1, Presentation: 1}
	train := func(change func(*Stream)) error {
		s := ok
		change(&s)
		_, err := c.Train(ctx, bars(t), s)
		return err
	}
	w := mat.NewDense(4, 9, nil)
	w.Set(1, 1, nan)
	for name, f := range map[string]func() error{
		"inputs":        func() error { return c.Step(x[:8], nil, false) },
		"targets":       func() error { return c.Step(x, x, false) },
		"input NaN":     func() error { return c.Step(append(x[:8:8], nan), nil, false) },
		"target NaN":    func() error { return c.Step(x, []float64{1, nan, 2}, false) },
		"no data":       func() error { _, err := c.Train(ctx, nil, ok); return err },
		"other data":    func() error { _, err := c.Train(ctx, data.XOR(), ok); return err },
		"off the grid":  func() error { return train(func(s *Stream) { s.Presentation = .15 }) },
		"no time":       func() error { return train(func(s *Stream) { s.Presentation = 0 }) },
		"no epochs":     func() error { return train(func(s *Stream) { s.Epochs = 0 }) },
		"lag":           func() error { return train(func(s *Stream) { s.Lag = 1 }) },
		"lag NaN":       func() error { return train(func(s *Stream) { s.Lag = nan }) },
		"synapses":      func() error { _, err := c.Weights(PI, 2); return err },
		"layer":         func() error { _, err := c.Weights(Up, 3); return err },
		"weights nil":   func() error { return c.SetWeights(Up, 1, nil) },
		"weights shape": func() error { return c.SetWeights(Up, 1, mat.NewDense(3, 9, nil)) },
		"weights NaN":   func() error { return c.SetWeights(Up, 1, w) },
		"rates":         func() error { return c.SetRates([]float64{1}, 0, 0) },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	stop, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Train(stop, bars(t), ok); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestDiverges: numbers that overflow end in an error that names cells and time.
func TestDiverges(t *testing.T) {
	c := open(t, Bars2021(1))
	w := mat.NewDense(30, 9, nil)
	w.Set(4, 0, math.MaxFloat64)
	w.Set(4, 1, math.MaxFloat64)
	must(t, c.SetWeights(Up, 1, w))
	x := []float64{0, 0, 0, 0, 0, 0, 0, 0, 1}
	must(t, c.Step(x, nil, false))
	x[0], x[1] = 1, 1
	err := c.Step(x, nil, false)
	var d *dynamics.DivergedError
	if !errors.As(err, &d) || d.Unit != 4 || math.Abs(d.Time-.2) > 1e-12 || !strings.Contains(err.Error(), "layer 1") {
		t.Errorf("%v", err)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	c := open(t, Bars2021(1))
	x, y := make([]float64, 9), make([]float64, 3)
	if n := testing.AllocsPerRun(100, func() { _ = c.Step(x, y, true) }); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

func BenchmarkStep(b *testing.B) {
	c := open(b, Bars2021(1))
	x, y := make([]float64, 9), []float64{1, .1, .1}
	for b.Loop() {
		if err := c.Step(x, y, true); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/36, "ns/neuron-step")
}

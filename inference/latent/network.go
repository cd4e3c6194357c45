package latent

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// network is a Network of one precision.
type network[F linalg.Float] struct {
	o      *Options
	in     shape
	layers []*layer[F]
	team   *linalg.Team
	beta   F
	gamma  F

	rates, errs dynamics.LowPass[F] // synapses
	target      dynamics.LowPass[F]
	factor      float64 // of SetRate

	learning, predicting *state[F]
	noise                [2]*rand.ChaCha8 // of learning and of predicting, which would disturb learning otherwise
	before               []F              // scratch of adapt
}

type layer[F linalg.Float] struct {
	synapses[F]
	act        Activation
	rate       float64 // factor of the learning rate
	pool       int
	pooled     shape // as the layer above sees it
	tauM, tauR []float64
	look       *dynamics.LookAhead[F]
}

// state is what changes in time: a batch of B rows for every layer.
type state[F linalg.Float] struct {
	batch  int
	rnd    *rand.Rand
	time   float64 // [ms]
	x, y   []F     // input; target, low-passed
	yRaw   []F
	target bool // the output is nudged
	quiet  bool // there are no errors anywhere
	layers []*layerState[F]
}

type layerState[F linalg.Float] struct {
	u, drive     []F // potentials; W r, then ŭ
	rate, next   []F // r now and after the step
	slope        []F // φ'(ŭ)
	err, errNext []F
	back         []F // Wᵀe of the layer above, at the neurons of this one
	seen         []F // what the layer above sees: rate, pooled and filtered
	fresh        []F // pooled, not filtered
	at           []int32
	backSeen     []F         // Wᵀe at what the layer above sees
	errSeen      []F         // errors before the filter
	mismatch     []F         // ProspectiveErrors: what is sent down
	col, colBack *patches[F] // of a convolution

	// Passes over rows, made once so that a step allocates nothing.
	errors, move, send, pool, unpool func(lo, hi int)
}

func newNetwork[F linalg.Float](o *Options, in shape, shapes []shape) (*network[F], error) {
	n := &network[F]{o: o, in: in, beta: F(o.Beta), gamma: F(o.Gamma), factor: 1}
	r := rand.New(rng.Stream(o.Seed, "weights"))
	spread := rand.New(rng.Stream(o.Seed, "time constants"))
	fixed := rand.New(rng.Stream(o.Seed, "feedback"))
	n.noise = [2]*rand.ChaCha8{rng.Stream(o.Seed, "rate noise"), rng.Stream(o.Seed, "rate noise of predictions")}
	normal := func(r *rand.Rand, x []F, sd float64) {
		for i := range x {
			x[i] = F(sd * r.NormFloat64())
		}
	}
	below := in
	for l, y := range o.Layers {
		y.TauM = orDefault(y.TauM, o.TauM)
		y.TauR = orDefault(y.TauR, o.TauR)
		s := &layer[F]{act: y.Activation, rate: y.Factor, pool: max(y.Pool, 1), tauM: y.TauM, tauR: y.TauR}
		if s.rate == 0 {
			s.rate = 1
		}
		s.kernel, s.in, s.out = y.Kernel, below, shapes[l]
		rows, cols := s.out.size(), below.size()
		if y.Kernel > 0 {
			rows, cols = y.Channels, y.Kernel*y.Kernel*below.channels
		}
		s.w = linalg.NewMat[F](rows, cols)
		s.b = make([]F, rows)
		normal(r, s.w.Data, o.WeightSD)
		normal(r, s.b, o.BiasSD)
		switch {
		case l == 0:
		case y.Feedback != nil:
			s.fb = linalg.NewMat[F](rows, cols)
			for i := range rows {
				for j := range cols {
					s.fb.Data[i*cols+j] = F(y.Feedback.At(i, j))
				}
			}
		case o.Feedback == FixedRandom:
			s.fb = linalg.NewMat[F](rows, cols)
			normal(fixed, s.fb.Data, o.WeightSD)
		}
		if o.Spread > 0 {
			s.tauM, s.tauR = spreadOut(spread, s.tauM, s.out.size(), o), spreadOut(spread, s.tauR, s.out.size(), o)
		}
		var err error
		if s.look, err = dynamics.NewLookAhead[F](s.out.size(), s.tauM, s.tauR, o.Dt); err != nil {
			return nil, fmt.Errorf("latent: layer %d: %w", l+1, err)
		}
		s.pooled = shape{s.out.rows / s.pool, s.out.cols / s.pool, s.out.channels}
		below = s.pooled
		n.layers = append(n.layers, s)
	}
	for _, f := range []struct {
		on  bool
		dst *dynamics.LowPass[F]
		tau float64
	}{{o.FilterRates, &n.rates, o.TauSyn}, {o.FilterErrors, &n.errs, o.TauSyn}, {o.FilterTarget, &n.target, o.TauSyn * float64(len(o.Layers))}} {
		if !f.on {
			continue
		}
		var err error
		if *f.dst, err = dynamics.NewLowPass[F](f.tau, o.Dt, true); err != nil {
			return nil, fmt.Errorf("latent: %w", err)
		}
	}
	n.team = linalg.NewTeam(o.Parallel)
	return n, nil
}

func orDefault(tau []float64, d float64) []float64 {
	if len(tau) == 0 {
		return []float64{d}
	}
	return append([]float64(nil), tau...)
}

// spreadOut multiplies time constants by normal factors and clips them to 1 to 1000 ms, or to
// the step if it is longer. A time constant of 0 stays.
func spreadOut(r *rand.Rand, tau []float64, n int, o *Options) []float64 {
	t := make([]float64, n)
	for i := range t {
		v := tau[min(i, len(tau)-1)]
		f := 1 + o.Spread*r.NormFloat64()
		if v > 0 {
			t[i] = min(max(v*f, 1, o.Dt), 1000)
		}
	}
	return t
}

// grain is the number of rows of a piece of work.
const grain = 32

// newState returns a state at rest for a batch, with its source of noise.
func (n *network[F]) newState(batch int, noise *rand.ChaCha8) *state[F] {
	s := &state[F]{batch: batch, quiet: true, rnd: rand.New(noise)}
	out := n.layers[len(n.layers)-1].out.size()
	s.x, s.y, s.yRaw = make([]F, batch*n.in.size()), make([]F, batch*out), make([]F, batch*out)
	for l, y := range n.layers {
		size := batch * y.out.size()
		t := &layerState[F]{
			u: make([]F, size), drive: make([]F, size), rate: make([]F, size), next: make([]F, size), slope: make([]F, size),
			err: make([]F, size), errNext: make([]F, size), back: make([]F, size),
		}
		// The state of rest has ŭ = 0.
		apply(y.act, t.rate, t.slope, t.drive)
		t.fresh, t.backSeen = t.rate, t.back
		if y.pool > 1 {
			t.fresh, t.backSeen = make([]F, batch*y.pooled.size()), make([]F, batch*y.pooled.size())
			t.at = make([]int32, batch*y.pooled.size())
		}
		t.seen = t.fresh
		if n.rates.Filters() {
			t.seen = make([]F, batch*y.pooled.size())
		}
		t.errSeen = t.errNext
		if n.errs.Filters() {
			t.errSeen = make([]F, size)
		}
		if n.o.ProspectiveErrors {
			t.mismatch = make([]F, size)
		}
		t.col = y.newPatches(batch)
		if l > 0 {
			t.colBack = y.newPatches(batch)
		}
		s.layers = append(s.layers, t)
		t.errors = func(lo, hi int) { n.errorPass(s, l, lo, hi) }
		t.move = func(lo, hi int) { n.movePass(s, l, lo, hi) }
		t.send = func(lo, hi int) { n.sendPass(s, l, lo, hi) }
		t.pool = func(lo, hi int) { pool(t.fresh, t.at, t.rate, y.out, y.pool, lo, hi) }
		t.unpool = func(lo, hi int) { unpool(t.back, t.backSeen, t.at, y.out.size(), y.pooled.size(), lo, hi) }
	}
	n.present(s)
	return s
}

// present brings what all layers see up to date with the rates; filters keep what they have.
func (n *network[F]) present(s *state[F]) {
	for l, y := range n.layers {
		n.see(s.layers[l], y, s.batch)
	}
}

// see brings what the layer above sees of a layer up to date with its rates.
func (n *network[F]) see(t *layerState[F], y *layer[F], batch int) {
	if y.pool > 1 {
		n.team.Do(batch, grain, t.pool)
	} else {
		t.fresh = t.rate
	}
	if !n.rates.Filters() {
		t.seen = t.fresh
	}
}

// resize gives the state another batch size: rows are repeated, or those at the end dropped.
func (n *network[F]) resize(s *state[F], batch int, noise *rand.ChaCha8) *state[F] {
	if s != nil && s.batch == batch {
		return s
	}
	r := n.newState(batch, noise)
	if s == nil {
		return r
	}
	r.time, r.quiet = s.time, s.quiet
	repeat(r.y, s.y)
	for l, t := range s.layers {
		d := r.layers[l]
		repeat(d.u, t.u)
		repeat(d.rate, t.rate)
		repeat(d.slope, t.slope)
		repeat(d.err, t.err)
		if n.rates.Filters() {
			repeat(d.seen, t.seen)
		}
		if n.errs.Filters() {
			repeat(d.errNext, t.errNext)
		}
	}
	n.present(r)
	return r
}

// repeat fills dst with src, again and again.
func repeat[F linalg.Float](dst, src []F) {
	for len(dst) > 0 && len(src) > 0 {
		dst = dst[copy(dst, src):]
	}
}

// step advances s by one step; with eta > 0, weights learn.
func (n *network[F]) step(s *state[F], eta float64) {
	top := len(n.layers) - 1
	if s.target && n.o.FilterTarget {
		n.target.Step(s.y, s.yRaw)
	} else if s.target {
		copy(s.y, s.yRaw)
	}
	s.quiet = s.quiet && !s.target

	// Drives from the rates and errors from the errors of the step before.
	ordered := n.o.Order == FullForward
	if !ordered {
		for l := range n.layers {
			n.drive(s, l)
		}
	}
	if !s.quiet {
		for l := top; l > 0; l-- {
			down := s.layers[l].err
			if n.o.ProspectiveErrors {
				down = s.layers[l].mismatch
				n.team.Do(s.batch, grain, s.layers[l].send)
			}
			t := s.layers[l-1]
			n.layers[l].backward(n.team, t.backSeen, down, s.batch, s.layers[l].colBack)
			if n.layers[l-1].pool > 1 {
				n.team.Do(s.batch, grain, t.unpool)
			}
		}
		for _, t := range s.layers {
			n.team.Do(s.batch, grain, t.errors)
		}
	}
	// Membranes move. With FullForward each layer sees the new rates of the one below.
	for l, t := range s.layers {
		if ordered {
			n.drive(s, l)
		}
		n.team.Do(s.batch, grain, t.move)
		if n.o.RateNoise > 0 {
			sd := F(n.o.RateNoise)
			for i := range t.next {
				t.next[i] += sd * F(s.rnd.NormFloat64())
			}
		}
		if ordered {
			n.turn(s, l)
		}
	}
	if !s.quiet && eta > 0 {
		for l, y := range n.layers {
			e := s.layers[l].errNext
			y.update(n.team, F(eta*y.rate), e, n.below(s, l), s.batch, s.layers[l].col)
		}
	}
	for l, t := range s.layers {
		if !ordered {
			n.turn(s, l)
		}
		if !s.quiet {
			t.err, t.errNext = t.errNext, t.err
			if n.errs.Filters() {
				copy(t.errNext, t.err) // the filter goes on from there
			} else {
				t.errSeen = t.errNext
			}
		}
	}
	s.time += n.o.Dt
}

// turn makes the new rates those of now.
func (n *network[F]) turn(s *state[F], l int) {
	t := s.layers[l]
	t.rate, t.next = t.next, t.rate
	n.see(t, n.layers[l], s.batch)
}

// below is what layer l sees.
func (n *network[F]) below(s *state[F], l int) []F {
	if l == 0 {
		return s.x
	}
	return s.layers[l-1].seen
}

// drive writes W r of layer l.
func (n *network[F]) drive(s *state[F], l int) {
	if l > 0 && n.rates.Filters() {
		t := s.layers[l-1]
		n.rates.Step(t.seen, t.fresh)
	}
	t := s.layers[l]
	n.layers[l].forward(n.team, t.drive, n.below(s, l), s.batch, t.col)
}

// errorPass finds the new errors of some rows, from the slopes and rates before the step.
func (n *network[F]) errorPass(s *state[F], l, lo, hi int) {
	t := s.layers[l]
	w := n.layers[l].out.size()
	lo, hi = lo*w, hi*w
	e, slope := t.errSeen[lo:hi], t.slope[lo:hi]
	switch {
	case l < len(n.layers)-1:
		back := t.back[lo:hi]
		for i, d := range slope {
			e[i] = d * back[i]
		}
	case s.target:
		y, r := s.y[lo:hi], t.rate[lo:hi]
		for i, d := range slope {
			e[i] = n.beta * d * (y[i] - r[i])
		}
	default:
		clear(e)
	}
	if n.errs.Filters() {
		n.errs.Step(t.errNext[lo:hi], e)
	}
}

// sendPass finds the mismatch (ŭ − I)/γ of some rows that ProspectiveErrors sends down, ŭ being
// that of this step and I = W r + b. Where τ_r = τ_m it is e.
func (n *network[F]) sendPass(s *state[F], l, lo, hi int) {
	y, t := n.layers[l], s.layers[l]
	w := y.out.size()
	lo, hi = lo*w, hi*w
	m, e := t.mismatch[lo:hi], t.err[lo:hi]
	for i, v := range t.drive[lo:hi] {
		m[i] = v + y.b[i%len(y.b)] + n.gamma*e[i]
	}
	y.look.Look(m, t.u[lo:hi], m)
	for i, v := range t.drive[lo:hi] {
		m[i] = (m[i] - v - y.b[i%len(y.b)]) / n.gamma
	}
}

// movePass moves the membranes of some rows: I = W r + b + γe, ŭ and then u, and new rates.
func (n *network[F]) movePass(s *state[F], l, lo, hi int) {
	y, t := n.layers[l], s.layers[l]
	w := y.out.size()
	lo, hi = lo*w, hi*w
	drive := t.drive[lo:hi]
	y.addBias(drive)
	if !s.quiet && n.gamma != 0 {
		e := t.err[lo:hi]
		for i := range drive {
			drive[i] += n.gamma * e[i]
		}
	}
	y.look.Step(drive, t.u[lo:hi], drive)
	apply(y.act, t.next[lo:hi], t.slope[lo:hi], drive)
}

// show holds x for the steps of a presentation; with y, the output is nudged and weights learn.
func (n *network[F]) show(s *state[F], x, y []float64) error {
	for i, v := range x {
		s.x[i] = F(v)
	}
	s.target = y != nil
	for i, v := range y {
		s.yRaw[i] = F(v)
	}
	for k := range n.o.Steps {
		eta := 0.0
		if y != nil && k >= n.o.Gate {
			eta = n.o.Rate * n.factor / float64(n.o.Steps)
		}
		n.step(s, eta)
	}
	return n.finite(s, y != nil)
}

// finite names the first neuron whose potential, rate or error, or if they have learned whose
// weights, are not finite.
func (n *network[F]) finite(s *state[F], learned bool) error {
	for l, t := range s.layers {
		y := n.layers[l]
		w := y.out.size()
		err := dynamics.CheckFinite("potential", t.u, w, s.time)
		if err == nil {
			err = dynamics.CheckFinite("rate", t.rate, w, s.time)
		}
		if err == nil {
			err = dynamics.CheckFinite("error", t.err, w, s.time)
		}
		if err == nil && learned {
			err = y.finite(s.time)
		}
		if err != nil {
			return inLayer(err, l)
		}
	}
	return nil
}

// finite names the first neuron, or channel, with a weight or bias that is not finite.
func (s *synapses[F]) finite(time float64) error {
	if err := dynamics.CheckFinite("bias", s.b, len(s.b), time); err != nil {
		return err
	}
	err := dynamics.CheckFinite("weight", s.w.Data, s.w.Cols, time)
	if err == nil {
		return nil
	}
	var bad *dynamics.DivergedError
	if errors.As(err, &bad) {
		bad.Row, bad.Unit = 0, bad.Row
	}
	return err
}

// inLayer says that something of layer l is not finite.
func inLayer(err error, l int) error {
	var bad *dynamics.DivergedError
	if errors.As(err, &bad) {
		bad.What = fmt.Sprintf("layer %d %s", l+1, bad.What)
	}
	return err
}

// output writes the rates of the last layer.
func (n *network[F]) output(dst []float64, s *state[F]) {
	for i, v := range s.layers[len(s.layers)-1].rate {
		dst[i] = float64(v)
	}
}

// energy is the mean over the batch of ½‖ŭ − W r − b‖² + ½β‖y − r_L‖², with the rates of now and
// the target of s, if there is one.
func (n *network[F]) energy(s *state[F]) float64 {
	e := 0.0
	for l, y := range n.layers {
		t := s.layers[l]
		drive := make([]F, len(t.u))
		y.forward(n.team, drive, n.below(s, l), s.batch, y.newPatches(s.batch))
		y.addBias(drive)
		for i, v := range drive {
			d := float64(t.drive[i] - v) // drive holds ŭ after a step
			e += d * d / 2
		}
	}
	if s.target {
		for i, r := range s.layers[len(s.layers)-1].rate {
			d := float64(s.y[i] - r)
			e += n.o.Beta * d * d / 2
		}
	}
	return e / float64(s.batch)
}

// adapt makes a step and lets the membranes of layer l learn their time constants from it,
// τ_m += η⟨(ŭ − I) u̇⟩. It returns the mean of |τ_m − τ_r| [ms].
func (n *network[F]) adapt(s *state[F], l int, eta float64) (float64, error) {
	y, t := n.layers[l], s.layers[l]
	w := y.out.size()
	y.tauM = expand(y.tauM, w)
	n.before = append(n.before[:0], t.u...)
	n.step(s, 0)
	off := 0.0
	for j := range w {
		tr := y.tauR[min(j, len(y.tauR)-1)]
		// Without errors ŭ − I = (τ_r − τ_m) u̇. The step has left ŭ = u + τ_r u̇ and u' = u + dt u̇.
		after, lead := t.drive, tr
		if tr == 0 {
			after, lead = t.u, n.o.Dt
		}
		sum := 0.0
		for b := range s.batch {
			i := b*w + j
			dot := float64(after[i]-n.before[i]) / lead
			sum += dot * dot / float64(s.batch)
		}
		y.tauM[j] = min(max(y.tauM[j]+eta*(tr-y.tauM[j])*sum, n.o.Dt), max(1000, tr))
		off += math.Abs(y.tauM[j]-tr) / float64(w)
	}
	return off, y.look.Set(y.tauM, y.tauR, n.o.Dt)
}

// expand gives every one of n neurons its own time constant.
func expand(tau []float64, n int) []float64 {
	if len(tau) == n {
		return tau
	}
	t := make([]float64, n)
	for i := range t {
		t[i] = tau[0]
	}
	return t
}

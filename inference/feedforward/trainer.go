package feedforward

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// trainer is the memory of learning.
type trainer struct {
	n *Network
	t *linalg.Team
	o LearnOptions
	g []float64

	x, v    linalg.Mat[float64] // input, and what its reconstruction is off by
	u, h, e []linalg.Mat[float64]
	dz, dh  []linalg.Mat[float64]

	bu, td   [][]float64 // shares of the biases; td of the top is 0 and stays so
	gw       []linalg.Mat[float64]
	gbu, gtd [][]float64
	gb0      []float64
	opt      *adam
	sum      LearnEpoch
	batch    int
}

func newTrainer(n *Network, team *linalg.Team, g []float64, o LearnOptions) *trainer {
	t := &trainer{n: n, t: team, o: o, g: g, batch: o.Batch}
	m := func(cols int) linalg.Mat[float64] { return linalg.NewMat[float64](o.Batch, cols) }
	t.x, t.v = m(n.size[0]), m(n.size[0])
	var params, grads [][]float64
	for i, size := range n.size[1:] {
		t.u, t.h, t.e = append(t.u, m(size)), append(t.h, m(size)), append(t.e, m(size))
		t.dz, t.dh = append(t.dz, m(size)), append(t.dh, m(size))
		td, bu := make([]float64, size), make([]float64, size)
		n.topDown(td, i, 2, 0)
		for j := range bu {
			bu[j] = n.b[i][j] - td[j]
		}
		t.bu, t.td = append(t.bu, bu), append(t.td, td)
		t.gw = append(t.gw, linalg.NewMat[float64](size, n.size[i]))
		t.gbu, t.gtd = append(t.gbu, make([]float64, size)), append(t.gtd, make([]float64, size))
		params, grads = append(params, n.w[i].Data, bu), append(grads, t.gw[i].Data, t.gbu[i])
		if i+2 < len(n.size) {
			params, grads = append(params, td), append(grads, t.gtd[i])
		}
	}
	n.td = t.td[:len(t.td)-1]
	t.gb0 = make([]float64, n.size[0])
	t.opt = newAdam(o.Rate, append(params, n.b0), append(grads, t.gb0))
	return t
}

// rows makes the next batch that long.
func (t *trainer) rows(b int) {
	t.batch = b
	t.x.Rows, t.v.Rows = b, b
	for i := range t.u {
		t.u[i].Rows, t.h[i].Rows, t.e[i].Rows, t.dz[i].Rows, t.dh[i].Rows = b, b, b, b, b
	}
}

func (t *trainer) epoch(ctx context.Context, in linalg.Mat[float64], epoch int) (LearnEpoch, error) {
	order := rand.New(rng.Stream(t.o.Seed, "order", epoch)).Perm(in.Rows)
	t.sum = LearnEpoch{Epoch: epoch + 1, Consistency: make([]float64, len(t.n.w)-1)}
	for lo := 0; lo < len(order); lo += t.o.Batch {
		if err := ctx.Err(); err != nil {
			return t.sum, err
		}
		batch := order[lo:min(lo+t.o.Batch, len(order))]
		t.rows(len(batch))
		for b, i := range batch {
			copy(t.x.Row(b), in.Row(i))
		}
		t.learn()
		loss := t.sum.Reconstruction
		for _, e := range t.sum.Consistency {
			loss += e
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return t.sum, fmt.Errorf("feedforward: the loss is %v in batch %d of epoch %d: %w", loss, lo/t.o.Batch, epoch+1, dynamics.ErrDiverged)
		}
	}
	t.sum.Reconstruction /= float64(in.Rows)
	for k := range t.sum.Consistency {
		t.sum.Consistency[k] /= float64(in.Rows)
	}
	return t.sum, nil
}

// learn makes one step with the batch in x.
func (t *trainer) learn() {
	t.forward()
	if t.o.Rule == Gradient {
		t.backward()
	} else {
		t.local()
	}
	for i := range t.gw {
		scale(t.gw[i].Data, 1/float64(t.batch))
		scale(t.gbu[i], 1/float64(t.batch))
		scale(t.gtd[i], 1/float64(t.batch))
	}
	scale(t.gb0, 1/float64(t.batch))
	t.opt.step()
	for i, b := range t.n.b {
		for j := range b {
			b[j] = t.bu[i][j] + t.td[i][j]
		}
	}
}

func scale(x []float64, c float64) {
	for i := range x {
		x[i] *= c
	}
}

// below is h_{i}, the input of layer i+1.
func (t *trainer) below(i int) linalg.Mat[float64] {
	if i == 0 {
		return t.x
	}
	return t.h[i-1]
}

// forward computes the pass, the differences of the branches, and the reconstruction error
// x̂ − x in v.
func (t *trainer) forward() {
	n := t.n
	for i, w := range n.w {
		fill(t.u[i], t.bu[i])
		linalg.Gemm(t.t, false, true, 1, t.below(i), w, 1, t.u[i])
		t.fire(t.h[i], t.u[i], t.g[i])
	}
	for i := range len(n.w) - 1 {
		// e = u − (W_{k+1}ᵀ h_{k+1} + b^td).
		for b := range t.batch {
			e, u := t.e[i].Row(b), t.u[i].Row(b)
			for j, td := range t.td[i] {
				e[j] = u[j] - td
			}
		}
		linalg.Gemm(t.t, false, false, -1, t.h[i+1], n.w[i+1], 1, t.e[i])
		for b := range t.batch {
			t.sum.Consistency[i] += linalg.Dot(t.e[i].Row(b), t.e[i].Row(b))
		}
	}
	fill(t.v, n.b0)
	linalg.Gemm(t.t, false, false, 1, t.h[0], n.w[0], 1, t.v)
	for b := range t.batch {
		x := t.x.Row(b)
		loss := 0.0
		for j, v := range t.v.Row(b) {
			if n.energy == Boltzmann {
				// One exponential serves log(1 + exp v) and σ(v).
				q := math.Exp(-math.Abs(v))
				loss += math.Max(v, 0) + math.Log1p(q) - x[j]*v
				p := 1 / (1 + q)
				if v < 0 {
					p = q / (1 + q)
				}
				t.v.Row(b)[j] = p - x[j]
			} else {
				d := v - x[j]
				loss += d * d / 2
				t.v.Row(b)[j] = d
			}
		}
		t.sum.Reconstruction += loss
	}
}

// fire writes f(g·u) to h.
func (t *trainer) fire(h, u linalg.Mat[float64], g float64) {
	for b := range t.batch {
		to, from := h.Row(b), u.Row(b)
		for j, x := range from {
			to[j] = g * x
		}
		t.n.activate(to, to)
	}
}

// add puts the outer products of the rows of d and of what is below layer i+1 into the gradient.
func (t *trainer) add(i int, alpha float64, d, below linalg.Mat[float64]) {
	linalg.Gemm(t.t, true, false, alpha, d, below, 1, t.gw[i])
}

// branches adds the gradient of λ Σ|e|² for fixed states.
func (t *trainer) branches() {
	if t.o.WithoutConsistency {
		return
	}
	lambda := 2 * t.o.Consistency
	for i := range len(t.n.w) - 1 {
		t.add(i, lambda, t.e[i], t.below(i))
		t.add(i+1, -lambda, t.h[i+1], t.e[i])
		linalg.SumRows(lambda, t.e[i], 1, t.gbu[i])
		linalg.SumRows(-lambda, t.e[i], 1, t.gtd[i])
	}
}

// local are the rules Branches and Local.
func (t *trainer) local() {
	n := t.n
	t.branches()
	if t.o.Rule == Local && !t.o.WithoutConsistency {
		for i := range len(n.w) - 1 {
			t.climb(i+1, -2*t.o.Consistency, t.e[i], t.h[i])
		}
	}
	if t.o.WithoutReconstruction {
		return
	}
	t.add(0, 1, t.h[0], t.v)
	linalg.SumRows(1, t.v, 1, t.gb0)
	t.climb(0, 1, t.v, t.x)
}

// climb sends an error of what layer i reconstructs up through W_{i+1}; units of the layer
// above change by it as far as their slope lets them.
func (t *trainer) climb(i int, alpha float64, err, below linalg.Mat[float64]) {
	n := t.n
	d := t.dz[i]
	linalg.Gemm(t.t, false, true, alpha*t.g[i], err, n.w[i], 0, d)
	for b := range t.batch {
		d := d.Row(b)
		for j, h := range t.h[i].Row(b) {
			d[j] *= n.gain(h)
		}
	}
	t.add(i, 1, d, below)
	linalg.SumRows(1, d, 1, t.gbu[i])
}

// backward is the whole gradient.
func (t *trainer) backward() {
	n := t.n
	t.branches()
	for i := range t.dh {
		clear(t.dh[i].Data)
	}
	if !t.o.WithoutReconstruction {
		t.add(0, 1, t.h[0], t.v)
		linalg.SumRows(1, t.v, 1, t.gb0)
		linalg.Gemm(t.t, false, true, 1, t.v, n.w[0], 1, t.dh[0])
	}
	lambda := 2 * t.o.Consistency
	if t.o.WithoutConsistency {
		lambda = 0
	}
	for i := range len(n.w) - 1 {
		if lambda > 0 {
			linalg.Gemm(t.t, false, true, -lambda, t.e[i], n.w[i+1], 1, t.dh[i+1])
		}
	}
	if t.o.AutoEncode > 0 {
		t.autoEncode()
	}
	for i := len(n.w) - 1; i >= 0; i-- {
		for b := range t.batch {
			dz, dh, h := t.dz[i].Row(b), t.dh[i].Row(b), t.h[i].Row(b)
			for j, d := range dh {
				dz[j] = d * t.g[i] * n.gain(h[j])
			}
		}
		t.add(i, 1, t.dz[i], t.below(i))
		linalg.SumRows(1, t.dz[i], 1, t.gbu[i])
		if i == 0 {
			break
		}
		// u_{k} also enters e_k itself.
		if lambda > 0 && i < len(n.w)-1 {
			for b := range t.batch {
				linalg.Axpy(lambda, t.e[i].Row(b), t.dz[i].Row(b))
			}
		}
		linalg.Gemm(t.t, false, false, 1, t.dz[i], n.w[i], 1, t.dh[i-1])
	}
}

// gain is f' where f = h, for energies other than Leaky with Sigmoid.
func (n *Network) gain(h float64) float64 {
	switch {
	case n.energy == Boltzmann:
		return h * (1 - h)
	case n.energy == Leaky && n.rate == Linear || h > 0 && h < 1:
		return 1
	}
	return 0
}

// autoEncode adds the gradient of the control.
func (t *trainer) autoEncode() {
	n := t.n
	d := t.dz[0]
	fill(d, t.td[0])
	linalg.Gemm(t.t, false, false, 1, t.h[1], n.w[1], 1, d)
	for b := range t.batch {
		h := t.h[0].Row(b)
		for j, x := range d.Row(b) {
			d.Row(b)[j] = t.o.AutoEncode * (heatbath.Logistic(x) - h[j])
		}
	}
	t.add(1, 1, t.h[1], d)
	linalg.SumRows(1, d, 1, t.gtd[0])
	linalg.Gemm(t.t, false, true, 1, d, n.w[1], 1, t.dh[1])
}

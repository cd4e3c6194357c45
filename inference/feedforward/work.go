package feedforward

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/heatbath"
	"github.com/spikesampling/spikesampling/internal/linalg"
)

// work is the memory of a batch in motion. Nothing is allocated after newWork.
type work struct {
	n *Network
	t *linalg.Team
	// Of layers 1, …, N; r is h where r(h) = h.
	h, r, a []linalg.Mat[float64]
	base    linalg.Mat[float64] // b_1 + W_1 x, which stays as long as x does
	worst   []float64           // of every sample, what see has seen since it was cleared
	scratch []float64           // as long as the largest layer

	// The nudge −β∂C/∂h_N = 2β(y − h_N) of equilibrium propagation.
	beta   float64
	target linalg.Mat[float64]
}

func newWork(n *Network, t *linalg.Team, rows int) *work {
	w := &work{n: n, t: t, base: linalg.NewMat[float64](rows, n.size[1]), worst: make([]float64, rows), scratch: make([]float64, slices.Max(n.size))}
	for _, size := range n.size[1:] {
		h := linalg.NewMat[float64](rows, size)
		r := h
		if !n.sharesRates() {
			r = linalg.NewMat[float64](rows, size)
		}
		w.h, w.r, w.a = append(w.h, h), append(w.r, r), append(w.a, linalg.NewMat[float64](rows, size))
	}
	return w
}

// clamp takes up inputs, as many as there are rows.
func (w *work) clamp(x linalg.Mat[float64]) {
	fill(w.base, w.n.b[0])
	linalg.Gemm(w.t, false, true, 1, x, w.n.w[0], 1, w.base)
}

// set takes up a state.
func (w *work) set(s State) {
	for i, m := range s {
		for b := range w.worst {
			copy(w.h[i].Row(b), m.RawRowView(b))
		}
		w.fire(i)
	}
}

// state is a copy of the state.
func (w *work) state() State {
	s := w.n.NewState(len(w.worst))
	for i, m := range s {
		for b := range w.worst {
			copy(m.RawRowView(b), w.h[i].Row(b))
		}
	}
	return s
}

// fill writes b to every row.
func fill(m linalg.Mat[float64], b []float64) {
	for i := range m.Rows {
		copy(m.Row(i), b)
	}
}

// fire computes the rates of layer i+1.
func (w *work) fire(i int) {
	if w.n.sharesRates() {
		return
	}
	for b := range w.worst {
		w.n.rates(w.r[i].Row(b), w.h[i].Row(b))
	}
}

// up writes b + W r of the layer below to dst, without what comes from above.
func (w *work) up(i int, dst linalg.Mat[float64]) {
	if i == 0 {
		for b := range w.worst {
			copy(dst.Row(b), w.base.Row(b))
		}
		return
	}
	fill(dst, w.n.b[i])
	linalg.Gemm(w.t, false, true, 1, w.r[i-1], w.n.w[i], 1, dst)
}

// down adds Wᵀ r of the layer above to dst.
func (w *work) down(i int, dst linalg.Mat[float64]) {
	if i+1 < len(w.h) {
		linalg.Gemm(w.t, false, false, 1, w.r[i+1], w.n.w[i+1], 1, dst)
	}
}

// drive computes a_{i+1}.
func (w *work) drive(i int) {
	w.up(i, w.a[i])
	w.down(i, w.a[i])
}

// see raises worst to max |f(a) − h| of layer i+1, whose drive is known, and puts f(a) in a
// unless the drive is to stay there.
func (w *work) see(i int, stay bool) {
	for b := range w.worst {
		a, h := w.a[i].Row(b), w.h[i].Row(b)
		f := a
		if stay {
			f = w.scratch[:len(a)]
		}
		w.n.activate(f, a)
		x := w.worst[b]
		for j, f := range f {
			if d := math.Abs(f - h[j]); d > x || d != d {
				x = d
			}
		}
		w.worst[b] = x
	}
}

// move makes f(a), computed by see, the state of layer i+1.
func (w *work) move(i int) {
	for b := range w.worst {
		copy(w.h[i].Row(b), w.a[i].Row(b))
	}
	w.fire(i)
}

// euler moves all layers by h + ε (f − h), with f what comes to h in the dynamics of the energy,
// kept within [0, 1] for Clipped. Drives must be known.
func (w *work) euler(step float64) {
	n := w.n
	top := len(w.h) - 1
	for i := range w.h {
		for b := range w.worst {
			a, h := w.a[i].Row(b), w.h[i].Row(b)
			switch n.energy {
			case Boltzmann:
				for j, x := range a {
					h[j] += step * (heatbath.Logistic(x) - h[j])
				}
			case Leaky:
				for j, x := range a {
					h[j] += step * (n.slope(h[j])*x - h[j])
				}
			case Clipped:
				if i == top && w.beta != 0 {
					y := w.target.Row(b)
					for j, x := range a {
						h[j] = clip(h[j] + step*(x-h[j]+2*w.beta*(y[j]-h[j])))
					}
					continue
				}
				for j, x := range a {
					h[j] = clip(h[j] + step*(x-h[j]))
				}
			}
		}
		w.fire(i)
	}
}

// energies writes the energy of every sample to dst. It uses a.
func (w *work) energies(dst []float64) {
	clear(dst)
	for i := range w.h {
		w.up(i, w.a[i])
		for b := range w.worst {
			a, h, r := w.a[i].Row(b), w.h[i].Row(b), w.r[i].Row(b)
			e := 0.0
			for j, x := range h {
				e += w.n.self(x) - r[j]*a[j]
			}
			dst[b] += e
		}
	}
}

// keep makes row to what row from is.
func (w *work) keep(to, from int) {
	copy(w.base.Row(to), w.base.Row(from))
	for i := range w.h {
		copy(w.h[i].Row(to), w.h[i].Row(from))
		if !w.n.sharesRates() {
			copy(w.r[i].Row(to), w.r[i].Row(from))
		}
		copy(w.a[i].Row(to), w.a[i].Row(from))
	}
	w.worst[to] = w.worst[from]
}

// shrink leaves the first rows.
func (w *work) shrink(rows int) {
	w.base.Rows, w.worst = rows, w.worst[:rows]
	for i := range w.h {
		w.h[i].Rows, w.r[i].Rows, w.a[i].Rows = rows, rows, rows
	}
}

// EnergyOf writes E of every sample of a state given inputs x to dst, which has B entries
// [nats for Boltzmann, whose energy is the mean-field free energy]. The part that depends on x
// alone is left out.
func (n *Network) EnergyOf(dst []float64, x mat.Matrix, s State) error {
	in, err := n.input(x)
	if err != nil {
		return err
	}
	if err := n.checkState(s, in.Rows); err != nil {
		return err
	}
	if len(dst) != in.Rows {
		return errLength(len(dst), in.Rows)
	}
	w := newWork(n, nil, in.Rows)
	w.clamp(in)
	w.set(s)
	w.energies(dst)
	return nil
}

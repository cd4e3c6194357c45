package latent

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Energy is the energy of a fully connected network for one input x and, with β > 0, a target y,
//
//	E(v) = ½ Σ_l |v_l − W_l φ(v_{l−1}) − b_l|² + ½β |y − φ(v_L)|² ,
//
// over the states v of all neurons, layer 1 first: an energy of the shared core, whose law
// p(v) ∝ exp(−E/T) sampling.NewLangevin draws from. Without a target it is the directed model
// v_l | v_{l−1} ~ N(W_l φ(v_{l−1}) + b_l, T); with one it is that model's posterior, the output having
// been seen as y with the variance T/β.
//
// Neurons that look ahead move in the preconditioner
//
//	P(v) = (τ_m − τ_r) + τ_r JᵀJ ,
//
// J the Jacobian of all differences above (Gauss-Newton). It leaves the law alone if the noise fits
// it and the divergence of P⁻¹ is added, which LangevinOptions.Precondition does. τ_r = 0 is ordinary
// Langevin dynamics, with P = τ_m.
type Energy struct {
	layers     []energyLayer
	n          int
	beta       float64
	y          []float64
	tauM, tauR float64

	batch int
	rate  [][]float64 // φ(v_l), B×n_l
	slope [][]float64
	err   [][]float64 // v_l − W_l φ(v_{l−1}) − b_l

	jac  *mat.Dense // scratch of Precondition
	jacT mat.Matrix // its transpose
	a, s []float64
}

type energyLayer struct {
	w    linalg.Mat[float64]
	b    []float64 // of layer 1 with W_1 x
	act  Activation
	from int // first neuron
}

// NewEnergy is the energy of n with input x and target y (nil: none), with the weights of now.
// Time constants are those of the options, without spread. It refuses networks with convolutions,
// or layers with time constants of their own, τ_r > τ_m, where no noise fits, and with τ_r > 0 activations that have a kink, as the divergence
// does not exist there.
func (n *Network) NewEnergy(x, y []float64) (*Energy, error) {
	in, out := n.Dims()
	if len(x) != in || y != nil && len(y) != out {
		return nil, fmt.Errorf("latent: energy of %d inputs and %d targets: must be %d, and %d or none", len(x), len(y), in, out)
	}
	if err := errors.Join(finite("input", x, Float64), finite("target", y, Float64)); err != nil {
		return nil, err
	}
	o := n.o
	if o.TauR > o.TauM {
		return nil, fmt.Errorf("latent: energy with TauR = %v above TauM = %v ms: no noise fits the preconditioner", o.TauR, o.TauM)
	}
	e := &Energy{tauM: o.TauM, tauR: o.TauR}
	if y != nil {
		e.beta, e.y = o.Beta, append([]float64(nil), y...)
	}
	for l := 1; l <= n.Layers(); l++ {
		layer := o.Layers[l-1]
		if layer.Kernel > 0 {
			return nil, fmt.Errorf("latent: energy of a network with a convolution (layer %d): must be fully connected", l)
		}
		if len(layer.TauM)+len(layer.TauR) > 0 {
			return nil, fmt.Errorf("latent: energy of a network with a layer with time constants of its own (layer %d): must have those of the options", l)
		}
		if o.TauR > 0 && !layer.Activation.smooth() {
			return nil, fmt.Errorf("latent: energy with look-ahead and %v neurons (layer %d): the activation must have no kink, or TauR be 0", layer.Activation, l)
		}
		w, b := n.Weights(l)
		r, c := w.Dims()
		y := energyLayer{w: linalg.Mat[float64]{Rows: r, Cols: c, Stride: c, Data: w.RawMatrix().Data}, b: b, act: layer.Activation, from: e.n}
		if l == 1 {
			linalg.Gemv(false, 1, y.w, x, 1, y.b)
		}
		e.layers = append(e.layers, y)
		e.n += r
	}
	e.rate, e.slope, e.err = make([][]float64, len(e.layers)), make([][]float64, len(e.layers)), make([][]float64, len(e.layers))
	e.jac = mat.NewDense(e.n, e.n, nil)
	e.jacT = e.jac.T()
	e.a, e.s = make([]float64, e.n), make([]float64, e.n)
	return e, nil
}

// Dim is the number of neurons of all layers.
func (e *Energy) Dim() int { return e.n }

// layer is layer l of all rows of v.
func (e *Energy) layer(v []float64, l int) linalg.Mat[float64] {
	y := e.layers[l]
	return linalg.Mat[float64]{Rows: len(v) / e.n, Cols: len(y.b), Stride: e.n, Data: v[y.from:]}
}

// prepare computes rates, slopes and differences of all rows.
func (e *Energy) prepare(v []float64) {
	if b := len(v) / e.n; b != e.batch {
		e.batch = b
		for l, y := range e.layers {
			for _, x := range []*[]float64{&e.rate[l], &e.slope[l], &e.err[l]} {
				*x = slices.Grow((*x)[:0], b*len(y.b))[:b*len(y.b)]
			}
		}
	}
	for l, y := range e.layers {
		m, w := e.layer(v, l), len(y.b)
		for r := range e.batch {
			row := m.Row(r)
			apply(y.act, e.rate[l][r*w:(r+1)*w], e.slope[l][r*w:(r+1)*w], row)
			for i, x := range row {
				e.err[l][r*w+i] = x - y.b[i]
			}
		}
		if l > 0 {
			linalg.Gemm(nil, false, true, -1, matrix(e.rate[l-1], e.batch, y.w.Cols), y.w, 1, matrix(e.err[l], e.batch, w))
		}
	}
}

// Energy writes E of every row.
func (e *Energy) Energy(dst, v []float64) {
	e.prepare(v)
	clear(dst)
	for l, y := range e.layers {
		w := len(y.b)
		for i, d := range e.err[l] {
			dst[i/w] += d * d / 2
		}
	}
	if e.y == nil {
		return
	}
	for i, r := range e.rate[len(e.rate)-1] {
		d := e.y[i%len(e.y)] - r
		dst[i/len(e.y)] += e.beta * d * d / 2
	}
}

// Gradient writes ∂E/∂v of every row: e_l − φ'(v_l) ⊙ W_{l+1}ᵀ e_{l+1}, and of the last layer
// e_L − β φ'(v_L) ⊙ (y − r_L).
func (e *Energy) Gradient(dst, v []float64) {
	e.prepare(v)
	top := len(e.layers) - 1
	for l, y := range e.layers {
		g, w := e.layer(dst, l), len(y.b)
		if l < top {
			up := e.layers[l+1]
			linalg.Gemm(nil, false, false, 1, matrix(e.err[l+1], e.batch, len(up.b)), up.w, 0, g)
		}
		for r := range e.batch {
			row := g.Row(r)
			for i := range row {
				k := r*w + i
				switch {
				case l < top:
					row[i] = e.err[l][k] - e.slope[l][k]*row[i]
				case e.y != nil:
					row[i] = e.err[l][k] - e.beta*e.slope[l][k]*(e.y[i]-e.rate[l][k])
				default:
					row[i] = e.err[l][k]
				}
			}
		}
	}
}

// Drift writes −∇E/τ_m: neurons without look-ahead.
func (e *Energy) Drift(dst, v []float64, _ float64) {
	e.Gradient(dst, v)
	for i := range dst {
		dst[i] /= -e.tauM
	}
}

// jacobian fills in J = ∂e/∂v of one state: 1 on the diagonal, −W_{l+1} φ'(v_l) below it.
func (e *Energy) jacobian(v []float64) {
	e.prepare(v)
	e.jac.Zero()
	for l, y := range e.layers {
		for i := range y.b {
			row := e.jac.RawRowView(y.from + i)
			row[y.from+i] = 1
			if l == 0 {
				continue
			}
			below := e.layers[l-1].from
			for j, w := range y.w.Row(i) {
				row[below+j] = -w * e.slope[l-1][j]
			}
		}
	}
}

// Precondition writes P of one state.
func (e *Energy) Precondition(p *mat.SymDense, v []float64) {
	if e.tauR == 0 {
		for i := range e.n {
			for j := i; j < e.n; j++ {
				p.SetSym(i, j, 0)
			}
			p.SetSym(i, i, e.tauM)
		}
		return
	}
	e.jacobian(v)
	p.SymOuterK(e.tauR, e.jacT)
	last := e.layers[len(e.layers)-1]
	for i := range e.n {
		d := e.tauM - e.tauR
		if k := i - last.from; e.y != nil && k >= 0 {
			s := e.slope[len(e.layers)-1][k]
			d += e.tauR * e.beta * s * s
		}
		p.SetSym(i, i, p.At(i, i)+d)
	}
}

// Divergence writes Σ_j ∂(P⁻¹)_ij/∂v_j of one state; inv is P⁻¹(v). With d_j = ∂J/∂v_j, which is
// column j of −W φ”, and a_j = Jᵀd_j, it is
//
//	−τ_r Σ_j [P⁻¹_{:j} (a_jᵀ P⁻¹_{:j}) + P⁻¹a_j P⁻¹_jj]
//
// and, for outputs, −2τ_r β φ'φ” P⁻¹_{:j} P⁻¹_jj.
func (e *Energy) Divergence(dst, v []float64, inv mat.Symmetric) {
	clear(dst)
	if e.tauR == 0 {
		return
	}
	e.prepare(v)
	top := len(e.layers) - 1
	a, s := e.a, e.s
	clear(s) // Σ_j a_j P⁻¹_jj
	for l, y := range e.layers {
		for j := range y.b {
			k := y.from + j
			curve := y.act.curvature(v[k])
			if curve == 0 {
				continue
			}
			jj := inv.At(k, k)
			if l == top {
				if e.y != nil {
					f := 2 * e.beta * e.slope[l][j] * curve * jj
					for i := range dst {
						dst[i] -= e.tauR * f * inv.At(i, k)
					}
				}
				continue
			}
			// d_j lives in layer l+1, a_j = Jᵀd_j there and in layer l.
			up := e.layers[l+1]
			clear(a)
			for i := range up.b {
				d := -up.w.Row(i)[j] * curve
				a[up.from+i] = d
				for m, w := range up.w.Row(i) {
					a[y.from+m] -= e.slope[l][m] * w * d
				}
			}
			dot := 0.0
			for i, x := range a {
				if x != 0 {
					dot += x * inv.At(i, k)
					s[i] += x * jj
				}
			}
			for i := range dst {
				dst[i] -= e.tauR * inv.At(i, k) * dot
			}
		}
	}
	for i := range dst {
		x := 0.0
		for j, c := range s {
			x += inv.At(i, j) * c
		}
		dst[i] -= e.tauR * x
	}
}

// checkTemperature reports an error unless T is finite and ≥ 0.
func checkTemperature(t float64) error {
	if !(t >= 0) || math.IsInf(t, 0) {
		return fmt.Errorf("latent: temperature %v: must be finite and ≥ 0", t)
	}
	return nil
}

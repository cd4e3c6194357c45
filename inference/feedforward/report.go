package feedforward

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Report says how well a state fulfils the condition of the paper. Every slice has an entry for
// each of the layers 1, …, N; those of the top are 0 where there is nothing to compare.
type Report struct {
	Residual []float64 // max |f(a) − h| over units and samples
	RMS      []float64 // root mean square of f(a) − h
	// Epsilon is max |ε|, of what comes from above less what the gains make of what comes from
	// below.
	Epsilon []float64
	// Consistency is the mean over samples of |e|², the difference of the two branches,
	// e_k = (W_k r(h_{k−1}) + b_k^bu) − (W_{k+1}ᵀ r(h_{k+1}) + b_k^td), with halves of the bias if no
	// split was learned.
	Consistency []float64
	// Bound is Lip(f)·Epsilon. At a feedforward state no residual is above it.
	Bound []float64
}

// Max is the largest residual of all layers.
func (r Report) Max() float64 {
	x := 0.0
	for _, y := range r.Residual {
		x = math.Max(x, y)
	}
	return x
}

// Consistent reports whether every unit is within tol of f(a), in the state of the report.
func (r Report) Consistent(tol float64) bool { return r.Max() <= tol }

// Check makes the pass and reports on the state that it ends in.
func (f Feedforward) Check(n *Network, x mat.Matrix) (State, Report, error) {
	s, err := f.Init(n, x, nil)
	if err != nil {
		return nil, Report{}, err
	}
	r, err := f.Report(n, x, s)
	return s, r, err
}

// Report is that of any state, with ε for the gains and the split of f.
func (f Feedforward) Report(n *Network, x mat.Matrix, s State) (Report, error) {
	var rep Report
	in, err := n.input(x)
	if err != nil {
		return rep, err
	}
	if err := n.checkState(s, in.Rows); err != nil {
		return rep, err
	}
	g, err := f.gains(n)
	if err != nil {
		return rep, err
	}
	w := newWork(n, nil, in.Rows)
	w.clamp(in)
	w.set(s)
	for i := range w.h {
		size := n.size[i+1]
		td, half, fa := make([]float64, size), make([]float64, size), make([]float64, size)
		n.topDown(td, i, g[i], f.BiasShare)
		n.topDown(half, i, 2, 0)
		w.up(i, w.a[i])
		up := mat.NewDense(in.Rows, size, nil)
		for b := range in.Rows {
			copy(up.RawRowView(b), w.a[i].Row(b))
		}
		w.down(i, w.a[i])
		var residual, square, epsilon, consistency float64
		for b := range in.Rows {
			a, c, h := w.a[i].Row(b), up.RawRowView(b), w.h[i].Row(b)
			n.activate(fa, a)
			for j := range a {
				d := math.Abs(fa[j] - h[j])
				residual, square = math.Max(residual, d), square+d*d
				epsilon = math.Max(epsilon, math.Abs(a[j]-g[i]*(c[j]-td[j])))
				if i+1 == len(w.h) {
					continue
				}
				// The bias in c and a is all of it: c − half is the bottom-up branch, a − c + half the other.
				e := 2*(c[j]-half[j]) - a[j]
				consistency += e * e
			}
		}
		rep.Residual = append(rep.Residual, residual)
		rep.RMS = append(rep.RMS, math.Sqrt(square/float64(in.Rows*size)))
		rep.Epsilon = append(rep.Epsilon, epsilon)
		rep.Consistency = append(rep.Consistency, consistency/float64(in.Rows))
		rep.Bound = append(rep.Bound, n.lipschitz()*epsilon)
	}
	if x := rep.Max(); math.IsNaN(x) {
		return rep, fmt.Errorf("feedforward: residual %v: the drive overflows", x)
	}
	return rep, nil
}

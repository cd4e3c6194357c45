package feedforward

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Rule is how a network relaxes.
type Rule int

const (
	// GaussSeidel minimises the energy exactly over all odd layers, then over all even ones:
	// it never rises.
	GaussSeidel Rule = iota
	// Jacobi updates all layers from the old state. It can oscillate, and is here for theory.
	Jacobi
	// Euler takes steps h + ε (… − h) towards σ(a) (Boltzmann), a, clipped to [0, 1] (Clipped), or
	// r'(h) a (Leaky): the dynamics of the energies, and that of equilibrium propagation. Leaky
	// networks with Rate HardSigmoid rest where r' jumps, and steps of any size chatter there:
	// they need another rule.
	Euler
)

var rules = [...]string{"Gauss-Seidel", "Jacobi", "Euler"}

// String is the name of the rule.
func (r Rule) String() string {
	if r < 0 || int(r) >= len(rules) {
		return fmt.Sprintf("Rule(%d)", int(r))
	}
	return rules[r]
}

// RelaxOptions configures Relax. The zero value of each field is its default.
type RelaxOptions struct {
	Rule      Rule    // default GaussSeidel
	Tol       float64 // a sample is at rest when max |f(a) − h| < Tol; default 1e-4
	MaxSweeps int     // default 10000; a sweep updates every unit once
	Step      float64 // ε of Euler in (0, 1]; default 0.5
	// Workers share out matrix products; default GOMAXPROCS. It never changes the result.
	Workers int
}

func (o RelaxOptions) check() (RelaxOptions, error) {
	if o.Tol == 0 {
		o.Tol = 1e-4
	}
	if o.MaxSweeps == 0 {
		o.MaxSweeps = 10000
	}
	if o.Step == 0 {
		o.Step = .5
	}
	var errs []error
	if o.Rule < 0 || int(o.Rule) >= len(rules) {
		errs = append(errs, fmt.Errorf("feedforward: Rule = %d: must be GaussSeidel, Jacobi or Euler", int(o.Rule)))
	}
	if !(o.Tol > 0) || math.IsInf(o.Tol, 0) {
		errs = append(errs, fmt.Errorf("feedforward: Tol = %v: must be finite and > 0", o.Tol))
	}
	if o.MaxSweeps < 0 {
		errs = append(errs, fmt.Errorf("feedforward: MaxSweeps = %d: must be > 0", o.MaxSweeps))
	}
	if !(o.Step > 0 && o.Step <= 1) {
		errs = append(errs, fmt.Errorf("feedforward: Step = %v: must be in (0, 1]", o.Step))
	}
	if o.Workers < 0 {
		errs = append(errs, fmt.Errorf("feedforward: Workers = %d: must be ≥ 0", o.Workers))
	}
	return o, errors.Join(errs...)
}

// Relaxation says how a batch came to rest.
type Relaxation struct {
	Sweeps   []int     // of every sample until max |f(a) − h| < Tol
	Residual []float64 // max |f(a) − h| at the end
}

// ErrNotConverged is wrapped by errors about samples that did not come to rest.
var ErrNotConverged = errors.New("not converged")

// NotConvergedError has what Relax had reached when it gave up.
type NotConvergedError struct {
	Sweeps   int
	Sample   int     // the one with the largest residual
	Residual float64 // its max |f(a) − h|
	State    State   // of all samples
}

// Error names the sample and its residual.
func (e *NotConvergedError) Error() string {
	return fmt.Sprintf("feedforward: sample %d is %.3g off its fixed point after %d sweeps: %v", e.Sample, e.Residual, e.Sweeps, ErrNotConverged)
}

// Unwrap makes errors.Is(err, ErrNotConverged) true.
func (e *NotConvergedError) Unwrap() error { return ErrNotConverged }

// Relax lets the hidden layers relax from s given inputs x (B×n_0), and returns where they
// came to rest; s is not changed. A sample stops when it is at rest, whatever the others do.
//
// Samples that have not after MaxSweeps give a *NotConvergedError, with the state and the
// relaxation so far beside it; when ctx ends, its error comes instead.
func Relax(ctx context.Context, n *Network, x mat.Matrix, s State, o RelaxOptions) (State, Relaxation, error) {
	var none Relaxation
	o, err := o.check()
	if err != nil {
		return nil, none, err
	}
	in, err := n.input(x)
	if err != nil {
		return nil, none, err
	}
	if err := n.checkState(s, in.Rows); err != nil {
		return nil, none, err
	}
	team := linalg.NewTeam(o.Workers)
	defer team.Close()
	w := newWork(n, team, in.Rows)
	w.clamp(in)
	w.set(s)
	return w.relax(ctx, o)
}

// prepare computes what the next sweep begins with, and how far every sample is from rest.
func (w *work) prepare(rule Rule, first bool) {
	clear(w.worst)
	for i := range w.h {
		// After a sweep of Gauss and Seidel even layers are f(a), odd ones (i even) not.
		if rule == GaussSeidel && !first && i%2 == 1 {
			continue
		}
		w.drive(i)
		w.see(i, rule == Euler)
	}
}

// sweep makes the sweep that prepare has begun.
func (w *work) sweep(rule Rule, step float64) {
	switch rule {
	case GaussSeidel:
		for i := 0; i < len(w.h); i += 2 {
			w.move(i)
		}
		for i := 1; i < len(w.h); i += 2 {
			w.drive(i)
			w.see(i, false)
			w.move(i)
		}
	case Jacobi:
		for i := range w.h {
			w.move(i)
		}
	case Euler:
		w.euler(step)
	}
}

// relax lets all rows come to rest. It takes rows at rest out of the batch, so that the rest
// is faster, and leaves w with fewer rows.
func (w *work) relax(ctx context.Context, o RelaxOptions) (State, Relaxation, error) {
	rows := len(w.worst)
	out := w.n.NewState(rows)
	rel := Relaxation{Sweeps: make([]int, rows), Residual: make([]float64, rows)}
	row := make([]int, rows) // of the batch, for every row of w
	for b := range row {
		row[b] = b
	}
	leave := func(b, sweeps int) {
		for i, m := range out {
			copy(m.RawRowView(row[b]), w.h[i].Row(b))
		}
		rel.Sweeps[row[b]], rel.Residual[row[b]] = sweeps, w.worst[b]
	}
	for t := 0; ; t++ {
		w.prepare(o.Rule, t == 0)
		kept := 0
		for b := range w.worst {
			if w.worst[b] < o.Tol {
				leave(b, t)
				continue
			}
			if kept != b {
				w.keep(kept, b)
				row[kept] = row[b]
			}
			kept++
		}
		w.shrink(kept)
		if kept == 0 {
			return out, rel, nil
		}
		err := ctx.Err()
		if err == nil && t == o.MaxSweeps {
			e := &NotConvergedError{Sweeps: t, Residual: -1, State: out}
			for b, x := range w.worst {
				if x > e.Residual || math.IsNaN(x) {
					e.Sample, e.Residual = row[b], x
				}
			}
			err = e
		}
		if err != nil {
			for b := range w.worst {
				leave(b, t)
			}
			return out, rel, err
		}
		w.sweep(o.Rule, o.Step)
	}
}

func errLength(got, want int) error {
	return fmt.Errorf("feedforward: %d entries: must be %d, one for every sample", got, want)
}

package feedforward

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Candidate is an initialiser with the name it has in a comparison.
type Candidate struct {
	Name string
	Init Initializer
}

// CompareOptions configures CompareInit. The zero value of each field is its default.
type CompareOptions struct {
	// Relax is the relaxation; its Tol, default 1e-10 here, says what counts as the fixed point.
	Relax RelaxOptions
	// Within is the relative distance from the fixed point that sweeps are counted to; default
	// 0.01.
	Within float64
	Seed   uint64 // candidate i draws from rng.Stream(Seed, "init", i)
}

// Comparison is what is known about the starts of one candidate, with an entry for every
// sample. h* is the fixed point that the sample comes to from this start.
type Comparison struct {
	Name     string
	Distance []float64 // |h − h*|/|h*| of the start
	Residual []float64 // |f(a) − h|/|h*| of the start
	Energy   []float64 // E − E* of the start
	Sweeps   []int     // until |h − h*| ≤ Within·|h*|
	Rest     []int     // until max |f(a) − h| < Tol
	// Same says whether h* is that of the first candidate, to 1e-3 in every unit.
	Same []bool
	// Curve is the mean of |h − h*|/|h*| after t = 0, 1, … sweeps.
	Curve []float64
	// Start and Fixed are h at the start and h*.
	Start, Fixed State
}

// CompareInit relaxes inputs x from the starts of all candidates.
func CompareInit(ctx context.Context, n *Network, x mat.Matrix, list []Candidate, o CompareOptions) ([]Comparison, error) {
	if o.Relax.Tol == 0 {
		o.Relax.Tol = 1e-10
	}
	if o.Within == 0 {
		o.Within = .01
	}
	if !(o.Within > 0 && o.Within < 1) {
		return nil, fmt.Errorf("feedforward: Within = %v: must be in (0, 1)", o.Within)
	}
	r, err := o.Relax.check()
	if err != nil {
		return nil, err
	}
	in, err := n.input(x)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("feedforward: no initialisers to compare")
	}
	team := linalg.NewTeam(r.Workers)
	defer team.Close()
	var out []Comparison
	for i, c := range list {
		if c.Init == nil {
			return nil, fmt.Errorf("feedforward: candidate %d (%s) has no initialiser", i, c.Name)
		}
		s, err := c.Init.Init(n, x, rng.Stream(o.Seed, "init", i))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := n.checkState(s, in.Rows); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		w := newWork(n, team, in.Rows)
		w.clamp(in)
		w.set(s)
		fixed, rel, err := w.relax(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		y := Comparison{Name: c.Name, Rest: rel.Sweeps, Start: s, Fixed: fixed}
		first := fixed
		if i > 0 {
			first = out[0].Fixed
		}
		y.same(first)
		if err := y.follow(ctx, newFollow(n, team, in, s), r, o.Within); err != nil {
			return nil, err
		}
		out = append(out, y)
	}
	return out, nil
}

func newFollow(n *Network, team *linalg.Team, in linalg.Mat[float64], s State) *work {
	w := newWork(n, team, in.Rows)
	w.clamp(in)
	w.set(s)
	return w
}

// same compares the fixed points with those of the first candidate.
func (c *Comparison) same(first State) {
	c.Same = make([]bool, c.Fixed.Rows())
	for b := range c.Same {
		c.Same[b] = true
		for i, m := range c.Fixed {
			other := first[i].RawRowView(b)
			for j, h := range m.RawRowView(b) {
				if math.Abs(h-other[j]) > 1e-3 {
					c.Same[b] = false
				}
			}
		}
	}
}

// follow relaxes once more from the start and measures the distance from the fixed points
// after every sweep.
func (c *Comparison) follow(ctx context.Context, w *work, o RelaxOptions, within float64) error {
	rows := len(w.worst)
	norm := make([]float64, rows)
	for b := range norm {
		for _, m := range c.Fixed {
			for _, h := range m.RawRowView(b) {
				norm[b] += h * h
			}
		}
		if norm[b] = math.Sqrt(norm[b]); norm[b] == 0 {
			norm[b] = 1 // the fixed point is 0: distances are absolute
		}
	}
	start, rest := make([]float64, rows), make([]float64, rows)
	w.energies(start)
	still := newWork(w.n, w.t, rows)
	still.base = w.base
	still.set(c.Fixed)
	still.energies(rest)
	c.Energy, c.Distance, c.Residual = make([]float64, rows), make([]float64, rows), make([]float64, rows)
	c.Sweeps = make([]int, rows)
	for b := range start {
		c.Energy[b] = start[b] - rest[b]
		c.Sweeps[b] = -1
	}
	for t := 0; ; t++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		mean, left := 0.0, false
		for b := range rows {
			d := 0.0
			for i, m := range c.Fixed {
				h := w.h[i].Row(b)
				for j, x := range m.RawRowView(b) {
					d += (h[j] - x) * (h[j] - x)
				}
			}
			d = math.Sqrt(d) / norm[b]
			mean += d / float64(rows)
			if t == 0 {
				c.Distance[b] = d
			}
			if d <= within && c.Sweeps[b] < 0 {
				c.Sweeps[b] = t
			}
			left = left || c.Sweeps[b] < 0
		}
		c.Curve = append(c.Curve, mean)
		if t == 0 {
			c.residuals(w, norm)
		}
		if !left || t >= o.MaxSweeps {
			return nil
		}
		w.prepare(o.Rule, t == 0)
		w.sweep(o.Rule, o.Step)
	}
}

// residuals are those of the start.
func (c *Comparison) residuals(w *work, norm []float64) {
	for i := range w.h {
		w.drive(i)
		f := w.scratch[:w.n.size[i+1]]
		for b := range norm {
			w.n.activate(f, w.a[i].Row(b))
			for j, h := range w.h[i].Row(b) {
				c.Residual[b] += (f[j] - h) * (f[j] - h)
			}
		}
	}
	for b, n := range norm {
		c.Residual[b] = math.Sqrt(c.Residual[b]) / n
	}
}

package latent

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// reference is the update of the specification, written down for one layer and one pattern
// after the other, with nothing in common with the network but its weights and time constants.
// The error that is sent down is the mismatch u + τ_m u̇ − I, over γ.
type reference struct {
	o                             Options
	w, fb                         []*mat.Dense
	b                             [][]float64
	tauM, tauR                    [][]float64
	u, ahead, udot, drive, err, r [][][]float64 // layer, row, neuron
	seen                          [][][]float64 // filtered rates
	y                             [][]float64
}

func newReference(n *Network, batch int) *reference {
	f := &reference{o: n.o}
	zeros := func(k int) [][]float64 {
		m := make([][]float64, batch)
		for i := range m {
			m[i] = make([]float64, k)
		}
		return m
	}
	run := n.e.(runner[float64])
	for l := 1; l <= n.Layers(); l++ {
		w, b := n.Weights(l)
		f.w, f.b = append(f.w, w), append(f.b, b)
		fb := w
		if y := run.layers[l-1]; y.fb.Rows > 0 {
			fb = mat.NewDense(y.fb.Rows, y.fb.Cols, append([]float64(nil), y.fb.Data...))
		}
		f.fb = append(f.fb, fb)
		m, r := n.TimeConstants(l)
		f.tauM, f.tauR = append(f.tauM, expand(m, len(b))), append(f.tauR, expand(r, len(b)))
		f.u, f.ahead, f.udot = append(f.u, zeros(len(b))), append(f.ahead, zeros(len(b))), append(f.udot, zeros(len(b)))
		f.drive, f.err, f.r = append(f.drive, zeros(len(b))), append(f.err, zeros(len(b))), append(f.r, zeros(len(b)))
		f.seen = append(f.seen, zeros(len(b)))
		s := make([]float64, len(b))
		for _, row := range f.r[l-1] {
			apply(n.o.Layers[l-1].Activation, row, s, make([]float64, len(b)))
		}
		if l == n.Layers() {
			f.y = zeros(len(b))
		}
	}
	return f
}

func (f *reference) phi(l int, x float64) (r, s float64) {
	var rr, ss [1]float64
	apply(f.o.Layers[l].Activation, rr[:], ss[:], []float64{x})
	return rr[0], ss[0]
}

func (f *reference) step(x, y [][]float64, eta float64) {
	top := len(f.w) - 1
	k := f.o.Dt / f.o.TauSyn
	for b := range y {
		for i := range y[b] {
			if f.o.FilterTarget {
				f.y[b][i] += f.o.Dt / (f.o.TauSyn * float64(top+1)) * (y[b][i] - f.y[b][i])
			} else {
				f.y[b][i] = y[b][i]
			}
		}
	}
	batch := len(x)
	old, ahead := make([][][]float64, top+1), make([][][]float64, top+1)
	for l := range old {
		old[l], ahead[l] = make([][]float64, batch), make([][]float64, batch)
		for b := range old[l] {
			old[l][b] = append([]float64(nil), f.r[l][b]...)
			ahead[l][b] = append([]float64(nil), f.ahead[l][b]...)
		}
	}
	input := make([][][]float64, top+1) // of every layer
	for l := range f.w {
		input[l] = make([][]float64, batch)
		for b := range batch {
			in := x[b]
			if l > 0 {
				in = old[l-1][b]
				if f.o.Order == FullForward {
					in = f.r[l-1][b]
				}
				if f.o.FilterRates {
					for i := range in {
						f.seen[l-1][b][i] += k * (in[i] - f.seen[l-1][b][i])
					}
					in = f.seen[l-1][b]
				}
			}
			in = append([]float64(nil), in...)
			input[l][b] = in
			for j := range f.b[l] {
				drive := f.b[l][j]
				for i, v := range in {
					drive += f.w[l].At(j, i) * v
				}
				udot := (drive - f.u[l][b][j] + f.o.Gamma*f.err[l][b][j]) / f.tauM[l][j]
				f.ahead[l][b][j] = f.u[l][b][j] + f.tauR[l][j]*udot
				f.u[l][b][j] += f.o.Dt * udot
				f.udot[l][b][j], f.drive[l][b][j] = udot, drive
				f.r[l][b][j], _ = f.phi(l, f.ahead[l][b][j])
			}
		}
	}
	// Errors from the old slopes and rates, and from the mismatch of this step.
	newErr := make([][][]float64, top+1)
	for l := range newErr {
		newErr[l] = make([][]float64, batch)
		for b := range newErr[l] {
			newErr[l][b] = make([]float64, len(f.b[l]))
			for i := range newErr[l][b] {
				_, s := f.phi(l, ahead[l][b][i])
				e := 0.0
				if l == top {
					if y != nil {
						e = f.o.Beta * s * (f.y[b][i] - old[l][b][i])
					}
				} else {
					for j := range f.b[l+1] {
						tau := f.tauM[l+1][j]
						if f.o.ProspectiveErrors {
							tau = f.tauR[l+1][j]
						}
						// u before its step is u − dt u̇.
						before := f.u[l+1][b][j] - f.o.Dt*f.udot[l+1][b][j]
						e += f.fb[l+1].At(j, i) * (before + tau*f.udot[l+1][b][j] - f.drive[l+1][b][j]) / f.o.Gamma
					}
					e *= s
				}
				if f.o.FilterErrors {
					e = f.err[l][b][i] + k*(e-f.err[l][b][i])
				}
				newErr[l][b][i] = e
			}
		}
	}
	for l := range f.w {
		for b := range batch {
			for j, e := range newErr[l][b] {
				f.b[l][j] += eta * e / float64(batch)
				for i, v := range input[l][b] {
					f.w[l].Set(j, i, f.w[l].At(j, i)+eta*e*v/float64(batch))
				}
			}
		}
	}
	f.err = newErr
}

// resize repeats rows, or drops the last ones.
func (f *reference) resize(batch int) {
	rows := func(m [][]float64) [][]float64 {
		r := make([][]float64, batch)
		for i := range r {
			r[i] = slices.Clone(m[i%len(m)])
		}
		return r
	}
	for _, layers := range [][][][]float64{f.u, f.ahead, f.udot, f.drive, f.err, f.r, f.seen} {
		for l := range layers {
			layers[l] = rows(layers[l])
		}
	}
	f.y = rows(f.y)
}

// TestReference runs both side by side for every option, with batches of 2, 3 and 1.
func TestReference(t *testing.T) {
	fb := mat.NewDense(4, 6, numbers(rand.New(rand.NewPCG(9, 9)), 24))
	for name, change := range map[string]func(*Options){
		"vanilla":            func(*Options) {},
		"other constants":    func(o *Options) { o.TauR, o.Gamma, o.Beta = 7, .6, .3 },
		"no look-ahead":      func(o *Options) { o.TauR = 0 },
		"full forward":       func(o *Options) { o.Order = FullForward },
		"spread":             func(o *Options) { o.Spread = .2 },
		"prospective errors": func(o *Options) { o.Spread, o.ProspectiveErrors = .2, true },
		"feedback alignment": func(o *Options) { o.Feedback = FixedRandom },
		"given feedback":     func(o *Options) { o.Layers[1].Feedback = fb },
		"rate filter":        func(o *Options) { o.TauSyn, o.FilterRates = .5, true },
		"error filter":       func(o *Options) { o.TauSyn, o.FilterErrors = .3, true },
		"all filters": func(o *Options) {
			o.TauSyn, o.FilterRates, o.FilterErrors, o.FilterTarget, o.Order = .4, true, true, true, FullForward
		},
		"factors": func(o *Options) { o.Layers[1].Factor, o.Layers[2].Factor = 1, 1 },
		"own time constants": func(o *Options) {
			o.Layers[0].TauM, o.Layers[2].TauR = []float64{5}, []float64{3, 4}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := Haider2021()
			o.Inputs, o.Precision, o.Steps, o.Rate, o.WeightSD, o.BiasSD, o.Seed = 3, Float64, 1, .7, .8, .3, 5
			o.Layers = []Layer{{Units: 6, Activation: Tanh}, {Units: 4, Activation: HardSigmoid}, {Units: 2, Activation: Sigmoid}}
			change(&o)
			n := open(t, o)
			f := newReference(n, 2)
			r := rand.New(rand.NewPCG(6, 6))
			for k := range 12 {
				var x, y [][]float64
				for range []int{2, 3, 1}[k%3] {
					x = append(x, numbers(r, 3))
					if k%10 < 7 {
						y = append(y, numbers(r, 2))
					}
				}
				f.resize(len(x))
				for range 3 {
					f.step(x, y, map[bool]float64{true: .7}[y != nil])
					if err := n.Step(flat(x), flat(y)); err != nil {
						t.Fatal(err)
					}
				}
				for l := 1; l <= 3; l++ {
					w, b := n.Weights(l)
					if !mat.EqualApprox(w, f.w[l-1], 1e-11) {
						t.Fatalf("presentation %d: weights of layer %d differ", k, l)
					}
					same(t, "biases", l, b, f.b[l-1])
					same(t, "potentials", l, n.Potentials(l), flat(f.u[l-1]))
					same(t, "prospective", l, n.Prospective(l), flat(f.ahead[l-1]))
					same(t, "rates", l, n.Rates(l), flat(f.r[l-1]))
					same(t, "errors", l, n.Errors(l), flat(f.err[l-1]))
				}
			}
		})
	}
}

func flat(x [][]float64) []float64 {
	var r []float64
	for _, row := range x {
		r = append(r, row...)
	}
	return r
}

func same(t *testing.T, what string, l int, got, want []float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-11*(1+math.Abs(want[i]))) {
			t.Fatalf("%s of layer %d: %d is %v: must be %v", what, l, i, got[i], want[i])
		}
	}
}

package ensemble

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

var long = flag.Bool("long", false, "acceptance tests with the full biological time and three seeds, about ten minutes")

var ctx = context.Background()

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// seeds are those of a statistical test; short ones of a default run.
func seeds(short int) []uint64 {
	all := []uint64{1, 2, 3}
	if *long {
		return all
	}
	return all[:short]
}

// longer is x, or y in a long run.
func longer(x, y float64) float64 {
	if *long {
		return y
	}
	return x
}

// betaMachine has W and b of 1.2(Beta(½,½) − ½).
func betaMachine(seed uint64, i, n int) *boltzmann.Machine {
	r := rand.New(rng.Stream(seed, "target", i))
	draw := func() float64 {
		s := math.Sin(math.Pi / 2 * r.Float64())
		return 1.2 * (s*s - 0.5)
	}
	w, b := mat.NewSymDense(n, nil), make([]float64, n)
	for i := range n {
		b[i] = draw()
		for j := range i {
			w.SetSym(i, j, draw())
		}
	}
	return must(boltzmann.New(w, b))
}

func betaMachines(seed uint64, m, n int) []*boltzmann.Machine {
	list := make([]*boltzmann.Machine, m)
	for i := range list {
		list[i] = betaMachine(seed, i, n)
	}
	return list
}

func pair(w, b0, b1 float64) *boltzmann.Machine {
	return must(boltzmann.New(mat.NewSymDense(2, []float64{0, w, w, 0}), []float64{b0, b1}))
}

// kicked is a new ensemble that has forgotten its first state.
func kicked(t testing.TB, machines []*boltzmann.Machine, o Options, seed uint64) *Ensemble {
	t.Helper()
	if o.Wiring == nil {
		o.Wiring = rng.Stream(seed, "wiring")
	}
	e, err := New(machines, o)
	if err != nil {
		t.Fatal(err)
	}
	kick(t, e, seed)
	return e
}

func kick(t testing.TB, e *Ensemble, seed uint64) {
	t.Helper()
	if err := e.Reset(nil, rng.Stream(seed, "kick")); err != nil {
		t.Fatal(err)
	}
	if err := e.run(ctx, 1000, nil); err != nil {
		t.Fatal(err)
	}
}

// divergences are D(sampled‖target) of all networks over d [ms], ascending.
func divergences(t testing.TB, e *Ensemble, d float64) []float64 {
	t.Helper()
	v, err := e.DKL(ctx, sampling.Schedule{Duration: d})
	if err != nil {
		t.Fatal(err)
	}
	return ascending(v)
}

func ascending(v []estimate.Value) []float64 {
	x := make([]float64, len(v))
	for i := range v {
		x[i] = v[i].X
	}
	slices.Sort(x)
	return x
}

func median(x []float64) float64 { return (x[len(x)/2] + x[(len(x)-1)/2]) / 2 }

func largest(x []float64) float64 { return x[len(x)-1] }

func contextWithCancel() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }

// hardware is the distortion of acceptance item 11.
var hardware = Distortion{Step: .1, Max: 1.5, Spread: .2, Offset: .5}

package lif

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func precision(double bool) Precision {
	if double {
		return Float64
	}
	return Float32
}

// tape keeps all flips, in the order of the chains.
type tape struct {
	start []uint8
	flips []sampling.Flip
	later []*tape
}

func (r *tape) Begin(t float64, z []uint8) error        { r.start = slices.Clone(z); return nil }
func (r *tape) Record(flips []sampling.Flip, t float64) { r.flips = append(r.flips, flips...) }
func (r *tape) Merge(o *tape) error                     { r.later = append(r.later, o); return nil }
func newTape(int) (*tape, error)                        { return &tape{}, nil }
func schedule(warmup, duration float64) sampling.Schedule {
	return sampling.Schedule{Warmup: warmup, Duration: duration}
}

// TestReplicas: chains in replicas of one network have the flips of chains alone, whatever
// the number in one network, with evidence clamped either way.
func TestReplicas(t *testing.T) {
	m := boltzmann.REF(5)
	for _, s := range []Setup{TutorialCUBA(), TutorialCOBA()} {
		for _, o := range []Options{{}, {Clamp: map[int]uint8{1: 1}}, {Clamp: map[int]uint8{3: 0, 1: 1}, ClampMode: ClampDrive}} {
			opt := sampling.ChainOptions{Schedule: schedule(100, 2000), Seed: 3, Chains: 7,
				Start: func(c int, z []uint8) { z[c%5] = 1 }}
			alone, err := sampling.Chains(t.Context(), func(int) (sampling.Sampler, error) { return NewSampler(m, s, o) }, newTape, opt)
			if err != nil {
				t.Fatal(err)
			}
			for _, pack := range []int{1, 3, 0, math.MaxInt} {
				packed, err := sampling.Ensembles(t.Context(), func(_, n int) (sampling.Ensemble, error) {
					o := o
					o.Network.Replicas = n
					return NewSampler(m, s, o)
				}, newTape, pack, opt)
				if err != nil {
					t.Fatal(err)
				}
				if len(alone.flips) < 300 || len(packed.later) != 6 {
					t.Fatalf("%d flips, %d more chains", len(alone.flips), len(packed.later))
				}
				for c, want := range append([]*tape{alone}, alone.later...) {
					got := append([]*tape{packed}, packed.later...)[c]
					if !slices.Equal(got.start, want.start) || !slices.Equal(got.flips, want.flips) {
						t.Errorf("pack %d, chain %d: %d flips, alone %d", pack, c, len(got.flips), len(want.flips))
					}
				}
			}
		}
	}
}

// TestReplicaReset: one source serves the replicas one after the other, and a run repeats.
func TestReplicaReset(t *testing.T) {
	smp, err := NewSampler(boltzmann.REF(5), TutorialCUBA(), Options{Network: NetworkOptions{Replicas: 3, Trace: []int{11}, TraceDuration: 50}})
	if err != nil {
		t.Fatal(err)
	}
	if smp.Dim() != 15 || smp.Chains() != 3 {
		t.Fatalf("%d units in %d chains", smp.Dim(), smp.Chains())
	}
	var first []sampling.Flip
	for i := range 2 {
		if err := smp.Reset(nil, rng.Stream(4, "replicas")); err != nil {
			t.Fatal(err)
		}
		flips, err := smp.Advance(200, make([]sampling.Flip, 0, 1<<12))
		if err != nil || len(flips) < 100 || len(smp.Trace()) != 500 {
			t.Fatalf("%d flips, %d values, %v", len(flips), len(smp.Trace()), err)
		}
		if i == 0 {
			first = slices.Clone(flips)
		} else if !slices.Equal(first, flips) {
			t.Error("a second run differs")
		}
	}
	byUnit := make([]int, 15)
	for _, f := range first {
		byUnit[f.Unit]++
	}
	for k := range 5 {
		if byUnit[k] == 0 || byUnit[k] == byUnit[k+5] && byUnit[k] == byUnit[k+10] {
			t.Errorf("unit %d flips %d, %d and %d times in the replicas", k, byUnit[k], byUnit[k+5], byUnit[k+10])
		}
	}
	if err := smp.ResetChains(nil, []rand.Source{nil, nil}); err == nil || !strings.Contains(err.Error(), "2 random sources for 3") {
		t.Error(err)
	}
	if err := smp.ResetChains(nil, make([]rand.Source, 3)); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Error(err)
	}
}

// TestSparseNetwork: a list of connections is the same network as a matrix, also in double
// precision.
func TestSparseNetwork(t *testing.T) {
	const n = 20
	rest := make([]float64, n)
	weights := make([]float64, n*n)
	var list []Connection
	r := rand.New(rng.Stream(5, "sparse"))
	for i := range n {
		for k := range n {
			if i != k && r.Float64() < 0.2 {
				weights[i*n+k] = 0.002 * r.NormFloat64()
				list = append(list, Connection{From: i, To: k, Weight: weights[i*n+k]})
			}
		}
	}
	r.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	for _, s := range []Setup{TutorialCUBA(), TutorialCOBA()} {
		for i := range rest {
			rest[i] = -50.0
			if s.Neuron.Kind == COBA {
				rest[i] = -50.6
			}
		}
		for _, p := range []Precision{Float32, Float64, Fixed16} {
			a, err := NewNetwork(s, rest, weights, NetworkOptions{Precision: p})
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewSparseNetwork(s, rest, list, NetworkOptions{Precision: p})
			if err != nil {
				t.Fatal(err)
			}
			var flips [2]string
			for i, net := range []*Network{a, b} {
				if err := net.Reset(nil, rng.Stream(6, "sparse")); err != nil {
					t.Fatal(err)
				}
				f, err := net.Advance(300, make([]sampling.Flip, 0, 1<<14))
				if err != nil || len(f) < 100 {
					t.Fatalf("%d flips, %v", len(f), err)
				}
				flips[i] = fmt.Sprint(f)
			}
			if flips[0] != flips[1] {
				t.Errorf("%v, %v: another network", s.Neuron.Kind, p)
			}
		}
	}
}

func TestNetworkErrors(t *testing.T) {
	s := TutorialCUBA()
	rest := []float64{-50, -50}
	negative, coba := s.Neuron, s.Neuron
	negative.TauM = -1
	coba.Kind = COBA
	odd := s.Neuron
	odd.TauRef = 10.05
	for _, c := range []struct {
		o    NetworkOptions
		want string
	}{
		{NetworkOptions{Replicas: -1}, "Replicas = -1"},
		{NetworkOptions{Replicas: 1 << 24}, "at most 16777216"},
		{NetworkOptions{Precision: 3}, "Precision(3)"},
		{NetworkOptions{Neurons: []Params{s.Neuron}}, "Neurons for 1"},
		{NetworkOptions{Neurons: []Params{s.Neuron, negative}}, "Neurons[1]: lif: TauM = -1"},
		{NetworkOptions{Neurons: []Params{coba, s.Neuron}}, "Neurons[0].Kind = COBA"},
		{NetworkOptions{Neurons: []Params{s.Neuron, odd}}, "TauRef"},
		{NetworkOptions{Gains: []float64{1}}, "Gains for 1"},
		{NetworkOptions{Gains: []float64{1, -1}}, "Gains[1] = -1"},
		{NetworkOptions{Gains: []float64{math.NaN(), 1}}, "Gains[0] = NaN"},
		{NetworkOptions{Replicas: 2, Trace: []int{4}, TraceDuration: 1}, "0..3"},
	} {
		if _, err := NewNetwork(s, rest, nil, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v: must say %q", c.o, err, c.want)
		}
	}
	for _, c := range []struct {
		list []Connection
		want string
	}{
		{[]Connection{{From: 0, To: 2, Weight: 1}}, "from 0 to 2"},
		{[]Connection{{From: -1, To: 0, Weight: 1}}, "from -1 to 0"},
		{[]Connection{{From: 0, To: 1, Weight: math.Inf(1)}}, "is +Inf"},
		{[]Connection{{From: 0, To: 1, Weight: 1}, {From: 1, To: 0, Weight: 1}, {From: 0, To: 1, Weight: 2}}, "two connections from unit 0 to 1"},
	} {
		if _, err := NewSparseNetwork(s, rest, c.list, NetworkOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v: must say %q", c.list, err, c.want)
		}
	}
	if _, err := NewSparseNetwork(s, nil, nil, NetworkOptions{}); err == nil || !strings.Contains(err.Error(), "0 neurons") {
		t.Error(err)
	}
	if _, err := NewNetwork(s, rest, []float64{0, 1e200, 0, 0}, NetworkOptions{}); err == nil || !strings.Contains(err.Error(), "overflows single precision") {
		t.Error(err)
	}
	for _, change := range []func(s *Setup){ // what would not fit the memory
		func(s *Setup) { s.Neuron.TauRef = 1e8 },
		func(s *Setup) { s.Delay = 1e5 },
	} {
		s := s
		change(&s)
		if _, err := NewNetwork(s, make([]float64, 1000), nil, NetworkOptions{}); err == nil || !strings.Contains(err.Error(), "need more than 8 GB") {
			t.Error(err)
		}
	}
	s.Refractory = Immediate
	s.Precise = true
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "Refractory = immediate") {
		t.Error(err)
	}
	s.Precise, s.Dt, s.Delay = false, 10, 10
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "two steps") {
		t.Error(err)
	}
}

// TestPrecisionFidelity: single precision, double precision and 16-bit weights sample the
// same marginals, those of REF5, within 0.01 (the error of the translation) and 4.5
// standard errors: false alarms below 1e-4.
func TestPrecisionFidelity(t *testing.T) {
	m := boltzmann.REF(5)
	exact, err := boltzmann.Enumerate(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Precision{Float32, Float64, Fixed16} {
		net := NetworkOptions{Precision: p}
		means, err := sampling.Chains(t.Context(), func(int) (sampling.Sampler, error) {
			return NewSampler(m, TutorialCUBA(), Options{Network: net})
		}, func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(5), nil },
			sampling.ChainOptions{Schedule: schedule(100, 1e5), Seed: 8, Chains: 2})
		if err != nil {
			t.Fatal(err)
		}
		// 2e5 ms have some 1e4 independent states.
		for k, got := range means.Mean() {
			if d := math.Abs(got - exact.Mean[k]); d > 0.01+4.5*0.5/100 {
				t.Errorf("%v: unit %d on %.4f, must be %.4f", p, k, got, exact.Mean[k])
			}
		}
	}
}

// TestEndless: time constants far beyond single precision and any table take double
// precision.
func TestEndless(t *testing.T) {
	s := TutorialCUBA()
	s.Neuron.TauSynE, s.Neuron.TauSynI = 1e12, 1e12
	s.Noise = Background{}
	net, err := NewNetwork(s, []float64{-49, -60}, []float64{0, 0.001, 0, 0}, NetworkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := net.Reset(nil, nil); err != nil {
		t.Fatal(err)
	}
	flips, err := net.Advance(100, make([]sampling.Flip, 0, 100))
	exc, _ := net.Synapses()
	if err != nil || len(flips) < 15 || math.Abs(exc[1]-0.001) > 1e-9 { // renewed, however often it spiked
		t.Errorf("%d flips, %v nA, %v", len(flips), exc[1], err)
	}
}

// TestImmediate: the stationary share of time a saturated neuron is on is 1 with Immediate
// and τ_ref/(τ_ref + Dt) by default.
func TestImmediate(t *testing.T) {
	for _, rule := range []RefractoryRule{NextStep, Immediate} {
		s := TutorialCUBA()
		s.Refractory = rule
		net, err := NewNetwork(s, []float64{0}, nil, NetworkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := net.Reset([]uint8{1}, rng.Stream(1, "immediate")); err != nil {
			t.Fatal(err)
		}
		mean := estimate.NewMarginals(1)
		if err := sampling.Run(t.Context(), net, schedule(100, 10100), mean); err != nil {
			t.Fatal(err)
		}
		want := 10 / 10.1
		if rule == Immediate {
			want = 1
		}
		if got := mean.Mean()[0]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: on %.12f of the time, must be %.12f", rule, got, want)
		}
	}
}

// TestSetMachine: a network in motion takes on another machine, here one whose marginals
// are the opposite, and evidence stays.
func TestSetMachine(t *testing.T) {
	w := mat.NewSymDense(3, []float64{0, 0.5, -0.5, 0.5, 0, 0.3, -0.5, 0.3, 0})
	before, err := boltzmann.New(w, []float64{1, -1, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	w2 := mat.NewSymDense(3, []float64{0, -0.4, 0.2, -0.4, 0, 0.1, 0.2, 0.1, 0})
	after, err := boltzmann.New(w2, []float64{-1, 1, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{}, {Clamp: map[int]uint8{2: 1}}, {Clamp: map[int]uint8{2: 1}, ClampMode: ClampDrive}, {Network: NetworkOptions{Precision: Float64}}} {
		smp, err := NewSampler(before, TutorialCUBA(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := smp.Reset(nil, rng.Stream(1, "set machine")); err != nil {
			t.Fatal(err)
		}
		for i, m := range []*boltzmann.Machine{before, after, before} {
			if i > 0 {
				if err := smp.SetMachine(m); err != nil {
					t.Fatal(err)
				}
			}
			mean := estimate.NewMarginals(3)
			if err := sampling.Run(t.Context(), smp, schedule(500, 1e5), mean); err != nil {
				t.Fatal(err)
			}
			cond := m
			units := identity(3)
			if o.Clamp != nil {
				if cond, units, err = m.Clamp(o.Clamp); err != nil {
					t.Fatal(err)
				}
			}
			exact, err := boltzmann.Enumerate(cond)
			if err != nil {
				t.Fatal(err)
			}
			// 1e5 ms have some 5000 independent states: 4.5 standard errors, and 0.01 of the translation.
			for j, k := range units {
				if d := math.Abs(mean.Mean()[k] - exact.Mean[j]); d > 0.01+4.5*0.5/math.Sqrt(5000) {
					t.Errorf("%+v, machine %d: unit %d on %.3f, must be %.3f", o, i, k, mean.Mean()[k], exact.Mean[j])
				}
			}
		}
		if err := smp.SetMachine(boltzmann.REF(5)); err == nil {
			t.Error("a machine of another size")
		}
	}
}

// TestSamplerState: a sampler takes up the state of another and goes on bit for bit.
func TestSamplerState(t *testing.T) {
	for _, o := range []Options{{Clamp: map[int]uint8{2: 1}, Network: NetworkOptions{Replicas: 3}}, {Network: NetworkOptions{Precision: Float64}}} {
		a, b := lifSampler(t, boltzmann.REF(5), TutorialCUBA(), o), lifSampler(t, boltzmann.REF(5), TutorialCUBA(), o)
		if _, err := a.MarshalBinary(); err == nil || !strings.Contains(err.Error(), "Reset") {
			t.Error(err)
		}
		if err := a.Reset(nil, rng.Stream(1, "state")); err != nil {
			t.Fatal(err)
		}
		buf := make([]sampling.Flip, 0, 1<<14)
		if _, err := a.Advance(123.4, buf); err != nil {
			t.Fatal(err)
		}
		data, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.State(), b.State()) || a.Time() != b.Time() {
			t.Fatal("another state or time")
		}
		x, err := a.Advance(500, buf)
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Advance(500, make([]sampling.Flip, 0, 1<<14))
		if err != nil || len(x) < 50 || !slices.Equal(x, y) {
			t.Errorf("%d and %d flips, %v", len(x), len(y), err)
		}
		if err := b.UnmarshalBinary(data[:20]); err == nil {
			t.Error("a damaged state is taken")
		}
	}
}

// TestSetErrors: changes that do not fit the network.
func TestSetErrors(t *testing.T) {
	s := TutorialCUBA()
	rest := []float64{-50, -50}
	dense, err := NewNetwork(s, rest, make([]float64, 4), NetworkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := NewNetwork(s, rest, nil, NetworkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sparse, err := NewSparseNetwork(s, rest, []Connection{{From: 0, To: 1, Weight: 1}}, NetworkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"1 resting potentials": dense.SetRest([]float64{1}),
		"is NaN":               dense.SetRest([]float64{1, math.NaN()}),
		"3 weights":            dense.SetWeights(make([]float64, 3)),
		"is +Inf":              dense.SetWeights([]float64{0, math.Inf(1), 0, 0}),
		"matrix of weights":    errors.Join(sparse.SetWeights(make([]float64, 4)), bare.SetWeights(make([]float64, 4)), dense.SetWeights(nil)),
		"built with conn":      dense.SetConnections(nil),
		"had none":             sparse.SetConnections([]Connection{{From: 0, To: 1, Weight: 1, Static: true}}),
		"from 0 to 7":          sparse.SetConnections([]Connection{{From: 0, To: 7}}),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v: must say %q", err, what)
		}
	}
	if err := sparse.SetConnections(nil); err != nil {
		t.Error(err)
	}
	if err := sparse.SetConnections([]Connection{{From: 1, To: 0, Weight: 2}}); err != nil {
		t.Error(err)
	}
}

// TestSamplerNeurons: constants of their own belong to the machine's units, also when some
// are clamped; those of the setup change nothing but the random numbers' use.
func TestSamplerNeurons(t *testing.T) {
	m, s := boltzmann.REF(5), TutorialCUBA()
	o := Options{Clamp: map[int]uint8{1: 1}}
	for k := range 5 {
		p := s.Neuron
		p.TauRef = float64(10 + 10*k)
		o.Network.Neurons, o.Network.Gains = append(o.Network.Neurons, p), append(o.Network.Gains, 1)
	}
	smp := lifSampler(t, m, s, o)
	if err := smp.Reset(make([]uint8, 5), rng.Stream(1, "neurons")); err != nil {
		t.Fatal(err)
	}
	flips, err := smp.Advance(2000, make([]sampling.Flip, 0, 1<<14))
	if err != nil {
		t.Fatal(err)
	}
	on, seen := [5]float64{}, [5]bool{}
	for _, f := range flips {
		if f.On == 1 {
			on[f.Unit], seen[f.Unit] = f.Time, true
		} else if d := f.Time - on[f.Unit]; seen[f.Unit] && math.Abs(d-float64(10+10*f.Unit)) > 1e-6 {
			t.Fatalf("unit %d on for %v ms", f.Unit, d)
		}
	}
	if seen != [5]bool{true, false, true, true, true} {
		t.Errorf("units that were on: %v", seen)
	}
	o.Network.Gains = o.Network.Gains[:4]
	if _, err := NewSampler(m, s, o); err == nil || !strings.Contains(err.Error(), "Gains for 4") {
		t.Error(err)
	}
}

package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// EvidenceOptions configures LogLikelihood. The zero value of each field is its default.
type EvidenceOptions struct {
	Levels int // levels of AIS; default 1000
	Chains int // chains in either direction; default 100
	// Burn is the number of sweeps from a state of the data to a start of reverse AIS;
	// default 10000.
	Burn     int
	Seed     uint64
	Parallel int // goroutines; default GOMAXPROCS. It never changes the result.
}

// fill fills defaults in and returns the number of goroutines.
func (o *EvidenceOptions) fill() (n int, err error) {
	if o.Burn == 0 {
		o.Burn = 10000
	}
	if o.Chains == 0 {
		o.Chains = 100
	}
	if o.Burn < 0 || o.Chains < 0 {
		return 0, fmt.Errorf("train: Burn = %d, Chains = %d: must be ≥ 1 (0: defaults 10000, 100)", o.Burn, o.Chains)
	}
	return workers(o.Parallel)
}

// Evidence is what is known of the mean log-likelihood of data [nats per state].
type Evidence struct {
	// Exact is set, with LogZ and LogLikelihood, if one layer has at most 20 units. The other
	// fields are then zero.
	Exact               bool
	LogZ, LogLikelihood float64

	// Lower and Upper are the mean log-likelihood with log Z from reverse AIS, whose estimate
	// of log Z is too large on average, and from AIS, whose estimate is too small. Upper alone
	// can flatter a model by many nats. Lower holds as far as the chains have reached all
	// modes before they are annealed backwards.
	Lower, Upper     float64
	Forward, Reverse boltzmann.AISResult
}

// LogLikelihood is the mean of log p(v) over data, v being pixels and label units together:
// exact for a machine with at most 20 units in one layer, else bounded by AIS from both
// sides, with the log odds of the data's rates as the base. AIS runs on the quantised
// machine (see boltzmann.AISOptions).
func (m *Model) LogLikelihood(ctx context.Context, d Data, o EvidenceOptions) (Evidence, error) {
	n, err := o.fill()
	if err != nil {
		return Evidence{}, err
	}
	if err := m.check(d); err != nil {
		return Evidence{}, err
	}
	energy := m.meanFreeEnergy(d, n)
	if min(m.rbm.Visible(), m.rbm.Hidden()) <= 20 {
		z, err := m.rbm.LogZ()
		return Evidence{Exact: true, LogZ: z, LogLikelihood: -energy - z}, err
	}
	return m.bounds(ctx, d, o, energy, n)
}

// bounds is LogLikelihood of a large machine, energy the mean free energy of the data.
func (m *Model) bounds(ctx context.Context, d Data, o EvidenceOptions, energy float64, workers int) (e Evidence, err error) {
	a := boltzmann.AISOptions{Levels: o.Levels, Chains: o.Chains, Base: d.pack().odds(m.rbm.Visible()),
		Quantised: true, Seed: o.Seed, Parallel: o.Parallel}
	if e.Forward, err = boltzmann.AIS(ctx, m.rbm, a); err != nil {
		return Evidence{}, err
	}
	visible := func(z []uint8) []uint8 { return slices.Clone(z[:m.rbm.Visible()]) }
	start, err := starts(ctx, m.rbm, visible, d, o, workers)
	if err != nil {
		return Evidence{}, err
	}
	if e.Reverse, err = boltzmann.ReverseAIS(ctx, m.rbm, start, a); err != nil {
		return Evidence{}, err
	}
	e.Lower, e.Upper = -energy-e.Reverse.LogZ, -energy-e.Forward.LogZ
	return e, nil
}

// meanFreeEnergy is the mean of F over data, in double precision.
func (m *Model) meanFreeEnergy(d Data, workers int) float64 {
	each := make([]float64, len(d.Images))
	parallel(workers, len(each), func(i int) { each[i] = m.rbm.FreeEnergy(d.joint(i)) })
	sum := 0.0
	for _, f := range each {
		sum += f
	}
	return sum / float64(len(each))
}

// starts are states of chains of a machine that began at states of the data, of which read
// takes what is wanted. A chain does not depend on those it runs with, so blocks of them run
// in parallel.
func starts(ctx context.Context, m boltzmann.Quantisable, read func(z []uint8) []uint8, d Data, o EvidenceOptions, workers int) ([][]uint8, error) {
	v := make([][]uint8, o.Chains)
	errs := make([]error, (o.Chains+block-1)/block)
	parallel(workers, len(errs), func(i int) {
		errs[i] = burn(ctx, m, read, d, o, v[i*block:min((i+1)*block, o.Chains)], i*block)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}

// burn runs the chains from first on to fill v.
func burn(ctx context.Context, m boltzmann.Quantisable, read func(z []uint8) []uint8, d Data, o EvidenceOptions, v [][]uint8, first int) error {
	f, err := boltzmann.NewFastChains(m, boltzmann.FastChainsOptions{Chains: len(v)})
	if err != nil {
		return err
	}
	source := func(c int) rand.Source { return rng.Stream(o.Seed, "evidence", first+c) }
	begin := func(c int, z []uint8) { copy(z, d.joint((first+c)*len(d.Images)/o.Chains)) }
	if err := f.Reset(begin, source); err != nil {
		return err
	}
	for range o.Burn {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.Sweep(1); err != nil {
			return err
		}
	}
	for c := range v {
		v[c] = read(f.State(c))
	}
	return nil
}

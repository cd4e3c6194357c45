package boltzmann

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"github.com/spikesampling/spikesampling/sampling"
)

// FastChainsOptions configures FastChains. The zero value is the default.
type FastChainsOptions struct {
	// Chains is the number of chains; default 1, or the number of Betas.
	Chains int
	// Betas are the inverse temperatures of the chains, each finite and ≥ 0: chain c
	// samples p(z)^β_c. Default all 1.
	Betas []float64
}

// FastChains are Gibbs chains of one machine that run together, each with its own state,
// inverse temperature and random stream, on the processor's vector instructions. They
// sample exactly the machine that [Quantise] makes of the one given, Model; Quantisation
// says how far the two are apart. The uniform numbers have 32 bits: probabilities are right
// to 1e-7, and what is less likely than 2^−32 does not happen.
//
// A Machine is sampled by sequential scans, the chain of [Gibbs], a Layered machine or RBM
// by blocks, the chain of [BlockGibbs]: odd layers, then even ones. The random numbers are
// other ones. A chain depends on its start, its source and its β alone: not on the chains
// that run beside it, nor on the processor (SPIKESAMPLING_PATH=portable forces the path
// without vector instructions).
//
// Time is in sweeps; flips have the times that Gibbs and BlockGibbs give them.
type FastChains struct {
	core   *fastCore
	engine fastEngine
	model  Quantisable
	info   Quantisation
	sweeps int64
	ready  bool
	state  []uint8 // of the chain asked for last
}

// fastEngine moves all chains of a fastCore.
type fastEngine interface {
	load(c int)         // take chain c up from core.z
	sweep()             // one sweep of all chains
	sync()              // make core.z the present state, core.before that of the last sync
	energy(c int) int64 // in grid units
	flips(dst []sampling.Flip, c int, sweeps int64) []sampling.Flip
}

// fastCore is what the engines share: chains as bits.
type fastCore struct {
	path      kernel.Path
	grid      float64
	n, chains int
	first     []int // first unit of every layer, and n
	word      []int // first word of every layer, and the number of words
	z, before []uint64
	s         []gibbskernel.Streams // padded to blocks
	beta      []float64
	inv       []float32
}

const fastBlock = gibbskernel.LaneChains

func newFastCore(grid float64, first []int, chains int) (*fastCore, error) {
	path, err := kernel.Choose()
	if err != nil {
		return nil, fmt.Errorf("boltzmann: %w", err)
	}
	f := &fastCore{path: path, grid: grid, n: first[len(first)-1], chains: chains, first: first, word: []int{0}}
	for l := range first[1:] {
		f.word = append(f.word, f.word[l]+(first[l+1]-first[l]+63)/64)
	}
	padded := (chains + fastBlock - 1) / fastBlock * fastBlock
	words := f.words()
	f.z, f.before = make([]uint64, padded*words), make([]uint64, padded*words)
	f.s, f.beta, f.inv = make([]gibbskernel.Streams, padded), make([]float64, padded), make([]float32, padded)
	for c := range padded {
		f.s[c][0] = 1
		f.setBeta(c, 1)
	}
	return f, nil
}

func (f *fastCore) words() int { return f.word[len(f.word)-1] }

// bits and old are the words of chain c now and before.
func (f *fastCore) bits(c int) []uint64 { return f.z[c*f.words():][:f.words()] }
func (f *fastCore) old(c int) []uint64  { return f.before[c*f.words():][:f.words()] }

func (f *fastCore) setBeta(c int, beta float64) {
	f.beta[c], f.inv[c] = beta, gibbskernel.Inverse(beta, f.grid)
}

func (f *fastCore) setState(c int, z []uint8) {
	b := f.bits(c)
	clear(b)
	for l, w := range f.word[:len(f.word)-1] {
		for k, on := range z[f.first[l]:f.first[l+1]] {
			b[w+k/64] |= uint64(on) << (k % 64)
		}
	}
	copy(f.old(c), b)
}

func (f *fastCore) getState(c int, z []uint8) {
	b := f.bits(c)
	for l, w := range f.word[:len(f.word)-1] {
		out := z[f.first[l]:f.first[l+1]]
		for k := 0; len(out) >= 8; k, out = k+8, out[8:] {
			binary.LittleEndian.PutUint64(out, spread(uint8(b[w+k/64]>>(k%64))))
		}
		for i := range out {
			k := f.first[l+1] - f.first[l] - len(out) + i
			out[i] = uint8(b[w+k/64] >> (k % 64) & 1)
		}
	}
}

// spread puts bit i into byte i.
func spread(b uint8) uint64 {
	const low = 0x0101010101010101
	x := uint64(b) * low & 0x8040201008040201 // bit i in byte i, at place i
	return (x + 0x7f7f7f7f7f7f7f7f) >> 7 & low
}

// NewFastChains returns chains of m; Reset them before use.
func NewFastChains(m Quantisable, o FastChainsOptions) (*FastChains, error) {
	if m == nil {
		return nil, errors.New("boltzmann: FastChains: model is nil")
	}
	if o.Chains == 0 {
		o.Chains = max(1, len(o.Betas))
	}
	const most = 1 << 20
	if o.Chains < 0 || o.Chains > most {
		return nil, fmt.Errorf("boltzmann: FastChains: Chains = %d: must be 1 to %d (0: default)", o.Chains, most)
	}
	if o.Betas != nil && len(o.Betas) != o.Chains {
		return nil, fmt.Errorf("boltzmann: FastChains: %d Betas for %d chains: must be as many", len(o.Betas), o.Chains)
	}
	q, info, err := m.quantise()
	if err != nil {
		return nil, err
	}
	f := &FastChains{model: q, info: info, state: make([]uint8, m.Dim())}
	switch q := q.(type) {
	case *Machine:
		if f.core, err = newFastCore(info.Grid, []int{0, q.n}, o.Chains); err == nil {
			f.engine = newFastDense(f.core, q)
		}
	case Blocked:
		if f.core, err = newFastCore(info.Grid, q.layered().first, o.Chains); err == nil {
			f.engine = newFastLayers(f.core, q.layered())
		}
	}
	if err != nil {
		return nil, err
	}
	for c, beta := range o.Betas {
		if err := f.SetBeta(c, beta); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Dim is the number N of units.
func (f *FastChains) Dim() int { return f.core.n }

// Chains is the number of chains.
func (f *FastChains) Chains() int { return f.core.chains }

// Model is the quantised machine, the one that is sampled.
func (f *FastChains) Model() Quantisable { return f.model }

// Quantisation says how Model differs from the machine that was given.
func (f *FastChains) Quantisation() Quantisation { return f.info }

// Time is the number of sweeps since Reset.
func (f *FastChains) Time() float64 { return float64(f.sweeps) }

// SetBeta sets the inverse temperature of chain c from now on, finite and ≥ 0; Reset keeps
// it. At β = 0 every unit is a fair coin.
func (f *FastChains) SetBeta(c int, beta float64) error {
	if c < 0 || c >= f.core.chains {
		return fmt.Errorf("boltzmann: FastChains: chain %d: must be 0 to %d", c, f.core.chains-1)
	}
	if !finite(beta) || beta < 0 {
		return fmt.Errorf("boltzmann: FastChains: beta of chain %d is %v: must be finite and ≥ 0", c, beta)
	}
	f.core.setBeta(c, beta)
	return nil
}

// Beta is the inverse temperature of chain c.
func (f *FastChains) Beta(c int) float64 {
	f.check(c)
	return f.core.beta[c]
}

// check panics unless there is a chain c; memory goes on beyond the last one.
func (f *FastChains) check(c int) {
	if uint(c) >= uint(f.core.chains) {
		panic(fmt.Sprintf("boltzmann: FastChains: chain %d of %d", c, f.core.chains))
	}
}

// Reset puts all chains at time 0. source gives the random source of each chain, from which
// a few numbers are taken now, and none later. start writes the start state of a chain to z;
// if it is nil, each unit is a fair coin from the chain's source.
func (f *FastChains) Reset(start func(chain int, z []uint8), source func(chain int) rand.Source) error {
	if source == nil {
		return errors.New("boltzmann: FastChains: random source is nil")
	}
	f.ready = false
	for c := range f.core.chains {
		src := source(c)
		if src == nil {
			return fmt.Errorf("boltzmann: FastChains: random source of chain %d is nil", c)
		}
		z := f.state
		if start == nil {
			for k := range z {
				z[k] = uint8(src.Uint64() >> 63)
			}
		} else {
			clear(z)
			start(c, z)
			if err := sampling.CheckState(z, f.core.n); err != nil {
				return fmt.Errorf("boltzmann: FastChains: start of chain %d: %w", c, err)
			}
		}
		f.core.s[c].Seed(src.Uint64)
		f.core.setState(c, z)
		f.engine.load(c)
	}
	f.sweeps, f.ready = 0, true
	return nil
}

var errFastReset = errors.New("boltzmann: fast chains used before Reset")

// Sweep makes n ≥ 0 sweeps of every chain.
func (f *FastChains) Sweep(n int) error {
	if !f.ready {
		return errFastReset
	}
	for range n - 1 {
		f.engine.sweep()
	}
	if n > 0 {
		f.engine.sync() // so that the flips of the last sweep can be listed
		f.engine.sweep()
		f.engine.sync()
		f.sweeps += int64(n)
	}
	return nil
}

// Flips appends to dst the flips of chain c in the last sweep, in the order of time, with
// times as if that sweep had ended at time end.
func (f *FastChains) Flips(dst []sampling.Flip, c int, end int64) []sampling.Flip {
	f.check(c)
	return f.engine.flips(dst, c, end)
}

// State is the state of chain c at Time: the sampler's own memory, valid until the next call
// of a method. It panics if there is no chain c, as do Beta, Energy and Flips.
func (f *FastChains) State(c int) []uint8 {
	f.check(c)
	f.core.getState(c, f.state)
	return f.state
}

// Energy is the energy of chain c in Model [nats], exact but for the last rounding.
func (f *FastChains) Energy(c int) float64 {
	f.check(c)
	return float64(f.engine.energy(c)) * f.core.grid
}

// onGrid is x, a multiple of the grid, as a whole number.
func onGrid[T int16 | int32](x, grid float64) T { return T(x / grid) }

// gridded appends x as whole numbers and pads to a group with units that are never on.
func gridded(dst []int32, x []float64, grid float64) []int32 {
	for _, b := range x {
		dst = append(dst, onGrid[int32](b, grid))
	}
	for len(dst)%gibbskernel.Group != 0 {
		dst = append(dst, gibbskernel.Never)
	}
	return slices.Clip(dst)
}

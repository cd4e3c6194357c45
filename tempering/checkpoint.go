package tempering

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// snapshot is the encoded form of every sampler: the chain to the last bit, without the
// model and options, which the decoding sampler must have been made with.
type snapshot struct {
	Kind       string // of sampler
	Time, Cost int64
	SourceKind string // "ChaCha8", "PCG", or "" for another that can be marshalled
	Source     []byte
	Chains     []chainSnapshot
	Fast       [][]byte // the chains again if Quantised, as boltzmann.FastChains encodes them
	Ladder     Ladder

	// Walkers.
	Level   int
	G       []float64
	Visits  []int64
	Learns  bool
	Mode    Mode
	Learned int64
	Sum     []float64

	// Parallel tempering.
	At       []int
	Phase    []int8
	Trips    []int64
	Scans    int64
	Rejected []float64
	Tried    []int64

	Count int64 // exchanges of CAST, accepted moves of Transitions
}

// chainSnapshot has log odds and energy too: as sums of corrections they differ in the
// last bits from what the state gives.
type chainSnapshot struct {
	Z      []uint8
	U      []float64
	Energy float64
	Flips  int
}

// take begins a snapshot.
func (c *core) take(kind string, l Ladder, chains ...*chain) (*snapshot, error) {
	if c.r == nil {
		return nil, errNotReset
	}
	s := &snapshot{Kind: kind, Time: c.time, Cost: c.cost, Ladder: l}
	m, ok := c.src.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("tempering: random source %T cannot be marshalled: use ChaCha8 (rng.Stream) or PCG", c.src)
	}
	switch c.src.(type) {
	case *rand.ChaCha8:
		s.SourceKind = "ChaCha8"
	case *rand.PCG:
		s.SourceKind = "PCG"
	}
	var err error
	if s.Source, err = m.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("tempering: random source: %w", err)
	}
	for _, ch := range chains {
		if ch.fast == nil {
			s.Chains = append(s.Chains, chainSnapshot{ch.z, ch.field.U, ch.energy, ch.flips})
			continue
		}
		s.Chains = append(s.Chains, chainSnapshot{})
		if ch.fast.lane > 0 {
			continue // with that of lane 0
		}
		b, err := ch.fast.all.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("tempering: %w", err)
		}
		s.Fast = append(s.Fast, b)
	}
	return s, nil
}

func (s *snapshot) encode() ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return nil, fmt.Errorf("tempering: checkpoint: %w", err)
	}
	return b.Bytes(), nil
}

// restored is what a checkpoint holds of every sampler, checked.
type restored struct {
	*snapshot
	chains []*chain
}

var errCheckpoint = errors.New("tempering: checkpoint does not fit")

// unfit is errCheckpoint with what does not fit.
func unfit(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errCheckpoint, fmt.Sprintf(format, a...))
}

// decode reads a checkpoint of a sampler of that kind with that many levels, 0 without a
// ladder, and chains, of which like is one.
func decode(data []byte, kind string, like *chain, chains, levels int) (*restored, error) {
	s := new(snapshot)
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(s); err != nil {
		return nil, fmt.Errorf("tempering: checkpoint: %w", err)
	}
	if s.Kind != kind {
		return nil, unfit("it is of sampler %q, this is %q", s.Kind, kind)
	}
	if len(s.Chains) != chains || len(s.Ladder) != levels {
		return nil, unfit("it has %d chains and %d levels, must have %d and %d", len(s.Chains), len(s.Ladder), chains, levels)
	}
	if levels > 0 {
		if err := s.Ladder.Validate(); err != nil {
			return nil, errors.Join(errCheckpoint, err)
		}
	}
	const most = 1 << 52 // Time is exact as a float64
	for _, n := range []int64{s.Time, s.Cost, s.Count, s.Learned, s.Scans} {
		if n < 0 || n > most {
			return nil, unfit("it counts to %d, must be 0 to 2^52", n)
		}
	}
	r := &restored{snapshot: s}
	if like.fast != nil || len(s.Fast) > 0 {
		return r, r.decodeFast(like, chains)
	}
	for i, cs := range s.Chains {
		c := newChain(like.model)
		if err := c.restore(cs); err != nil {
			return nil, fmt.Errorf("%w (chain %d)", err, i)
		}
		r.chains = append(r.chains, c)
	}
	return r, nil
}

// restore sets the chain, after comparing what the state gives: a checkpoint of another
// model is found out here.
func (c *chain) restore(s chainSnapshot) error {
	if err := sampling.CheckState(s.Z, len(c.z)); err != nil {
		return errors.Join(errCheckpoint, err)
	}
	if len(s.U) != len(c.z) || s.Flips < 0 || s.Flips >= refresh {
		return unfit("%d log odds for %d units after %d flips", len(s.U), len(c.z), s.Flips)
	}
	copy(c.z, s.Z)
	c.compute()
	near := func(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-6*(1+math.Abs(b)) }
	if !near(s.Energy, c.energy) || !finite(c.energy) {
		return unfit("energy is %v, the model says %v", s.Energy, c.energy)
	}
	for k, u := range s.U {
		if !near(u, c.field.U[k]) {
			return unfit("log odds of unit %d is %v, the model says %v", k, u, c.field.U[k])
		}
	}
	copy(c.field.U, s.U)
	c.energy, c.flips = s.Energy, s.Flips
	return nil
}

// resume sets clock and random source. It is the last step of restoring, as it may change
// the source the sampler has.
func (c *core) resume(s *snapshot) error {
	src := c.src
	switch s.SourceKind {
	case "ChaCha8":
		src = new(rand.ChaCha8)
	case "PCG":
		src = new(rand.PCG)
	case "":
	default:
		return unfit("random source is of kind %q", s.SourceKind)
	}
	u, ok := src.(encoding.BinaryUnmarshaler)
	if !ok {
		return unfit("Reset the sampler with the kind of random source the checkpoint has")
	}
	if err := u.UnmarshalBinary(s.Source); err != nil {
		return errors.Join(errCheckpoint, err)
	}
	c.time, c.cost, c.src, c.r = s.Time, s.Cost, src, rand.New(src)
	return nil
}

// putWalker adds what a walker has besides its chain.
func (s *snapshot) putWalker(w *walker) {
	s.Level, s.G, s.Visits = w.level, w.g, w.visits
}

// putAdaptive adds what an adaptive walker has besides its chain.
func (s *snapshot) putAdaptive(a adaptive) {
	s.putWalker(a.walker)
	s.Learns, s.Mode, s.Learned, s.Sum = a.learn != nil, a.learned.o.Mode, a.learned.t, a.learned.sum
}

// checkWalker reports what does not fit w.
func (s *snapshot) checkWalker(w *walker) error {
	if !slices.Equal(s.Ladder, w.ladder) {
		return unfit("its ladder is %v, must be %v", s.Ladder, w.ladder)
	}
	if s.Level < 0 || s.Level >= len(w.ladder) || len(s.Visits) != len(w.ladder) {
		return unfit("level %d, %d counts of visits", s.Level, len(s.Visits))
	}
	return checkWeights(s.G, len(w.ladder))
}

// checkAdaptive reports what does not fit a.
func (s *snapshot) checkAdaptive(a adaptive) error {
	if err := s.checkWalker(a.walker); err != nil {
		return err
	}
	if s.Mode != a.learned.o.Mode || s.Mode == Adaptive && !s.Learns {
		return unfit("it is of mode %v, must be %v", s.Mode, a.learned.o.Mode)
	}
	return checkWeights(s.Sum, len(a.ladder))
}

// setWalker makes w what the snapshot says.
func (r *restored) setWalker(w *walker, c *chain) {
	w.chain, w.level = c, r.Level
	copy(w.g, r.G)
	copy(w.visits, r.Visits)
}

// setAdaptive makes a what the snapshot says.
func (r *restored) setAdaptive(a *adaptive, c *chain) {
	r.setWalker(a.walker, c)
	a.learn = nil
	if r.Learns {
		a.learn = a.learned
	}
	a.learned.t = r.Learned
	copy(a.learned.sum, r.Sum)
}

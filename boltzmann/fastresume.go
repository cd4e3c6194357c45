package boltzmann

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/spikesampling/spikesampling/internal/gibbskernel"
	"github.com/spikesampling/spikesampling/sampling"
)

var _ = []interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}{(*Fast)(nil), (*FastChains)(nil)}

// fastSnapshot is the encoded form of fast chains, without the machine. Fields are no part
// of it: being exact, they follow from the states.
type fastSnapshot struct {
	Sweeps  int64
	Grid    float64
	Z       [][]uint8
	Beta    []float64
	Energy  []int64 // [grid], to find out another machine
	Streams []gibbskernel.Streams
}

// MarshalBinary encodes states, inverse temperatures and random streams, not the machine.
func (f *FastChains) MarshalBinary() ([]byte, error) {
	if !f.ready {
		return nil, errFastReset
	}
	s := fastSnapshot{Sweeps: f.sweeps, Grid: f.core.grid}
	for c := range f.core.chains {
		s.Z = append(s.Z, append([]uint8(nil), f.State(c)...))
		s.Beta = append(s.Beta, f.core.beta[c])
		s.Energy = append(s.Energy, f.engine.energy(c))
		s.Streams = append(s.Streams, f.core.s[c])
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return nil, fmt.Errorf("boltzmann: checkpoint: %w", err)
	}
	return b.Bytes(), nil
}

var errFastCheckpoint = errors.New("boltzmann: checkpoint does not fit")

// UnmarshalBinary restores chains into a sampler of the same machine with as many chains,
// which then go on bit for bit as the encoded ones. After an error the sampler must be Reset.
func (f *FastChains) UnmarshalBinary(data []byte) error {
	var s fastSnapshot
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return fmt.Errorf("boltzmann: checkpoint: %w", err)
	}
	n := f.core.chains
	if len(s.Z) != n || len(s.Beta) != n || len(s.Energy) != n || len(s.Streams) != n {
		return fmt.Errorf("%w: it has %d chains, must have %d", errFastCheckpoint, len(s.Z), n)
	}
	if s.Grid != f.core.grid {
		return fmt.Errorf("%w: its grid is %v, must be %v", errFastCheckpoint, s.Grid, f.core.grid)
	}
	if s.Sweeps < 0 || s.Sweeps > 1<<52 {
		return fmt.Errorf("%w: it counts %d sweeps, must be 0 to 2^52", errFastCheckpoint, s.Sweeps)
	}
	f.ready = false
	for c := range n {
		if err := sampling.CheckState(s.Z[c], f.core.n); err != nil {
			return errors.Join(errFastCheckpoint, err)
		}
		if err := f.SetBeta(c, s.Beta[c]); err != nil {
			return errors.Join(errFastCheckpoint, err)
		}
		for i := range 8 {
			if s.Streams[c][i] == 0 && s.Streams[c][i+8] == 0 {
				return fmt.Errorf("%w: a random stream of chain %d is all zero", errFastCheckpoint, c)
			}
		}
		f.core.s[c] = s.Streams[c]
		f.core.setState(c, s.Z[c])
		f.engine.load(c)
		if e := f.engine.energy(c); e != s.Energy[c] {
			return fmt.Errorf("%w: energy of chain %d is %d, the machine says %d (in grid units)", errFastCheckpoint, c, s.Energy[c], e)
		}
	}
	f.sweeps, f.ready = s.Sweeps, true
	return nil
}

// MarshalBinary encodes the chain, as FastChains.MarshalBinary does.
func (s *Fast) MarshalBinary() ([]byte, error) { return s.f.MarshalBinary() }

// UnmarshalBinary restores the chain, as FastChains.UnmarshalBinary does.
func (s *Fast) UnmarshalBinary(data []byte) error { return s.f.UnmarshalBinary(data) }

package tempering

import (
	"encoding"
	"slices"
)

// resumable is what every sampler of the package can: stop as bytes and go on elsewhere.
type resumable interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

var _ = []resumable{(*Simulated)(nil), (*AST)(nil), (*CAST)(nil), (*Transitions)(nil), (*Parallel)(nil), (*ProfileGibbs)(nil)}

// MarshalBinary encodes the chain and its random source, which must be ChaCha8, PCG, or
// another encoding.BinaryMarshaler. Model and options are not part of it.
func (s *Simulated) MarshalBinary() ([]byte, error) {
	x, err := s.take("simulated", s.w.ladder, s.w.chain)
	if err != nil {
		return nil, err
	}
	x.putWalker(s.w)
	return x.encode()
}

// UnmarshalBinary restores a chain into a sampler made with the same model and options,
// which then goes on bit for bit as the encoded one. A source that is neither ChaCha8 nor
// PCG is restored into that of the last Reset, which must be of its type. After an error
// the sampler is as it was.
func (s *Simulated) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "simulated", s.w.chain, 1, len(s.w.ladder))
	if err != nil {
		return err
	}
	if err := x.checkWalker(s.w); err != nil {
		return err
	}
	if x.Level != 0 || !slices.Equal(x.G, s.w.g) {
		return unfit("level %d, log-weights %v: must be 0 and %v", x.Level, x.G, s.w.g)
	}
	if err := s.resume(x.snapshot); err != nil {
		return err
	}
	x.setWalker(s.w, x.chains[0])
	return nil
}

// MarshalBinary is as Simulated.MarshalBinary.
func (s *AST) MarshalBinary() ([]byte, error) {
	x, err := s.take("ast", s.a.ladder, s.a.chain)
	if err != nil {
		return nil, err
	}
	x.putAdaptive(s.a)
	return x.encode()
}

// UnmarshalBinary is as Simulated.UnmarshalBinary. What was learned is part of the chain.
func (s *AST) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "ast", s.a.chain, 1, len(s.a.ladder))
	if err != nil {
		return err
	}
	if err := x.checkAdaptive(s.a); err != nil {
		return err
	}
	if x.Level != 0 && !(x.Learns && x.Mode == Frozen) {
		return unfit("level %d: must be 0 while sampling", x.Level)
	}
	if err := s.resume(x.snapshot); err != nil {
		return err
	}
	x.setAdaptive(&s.a, x.chains[0])
	return nil
}

// MarshalBinary is as Simulated.MarshalBinary.
func (s *CAST) MarshalBinary() ([]byte, error) {
	x, err := s.take("cast", s.fast.ladder, s.slow, s.fast.chain)
	if err != nil {
		return nil, err
	}
	x.putAdaptive(s.fast)
	x.Count = s.swaps
	return x.encode()
}

// UnmarshalBinary is as Simulated.UnmarshalBinary. What was learned is part of the chain.
func (s *CAST) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "cast", s.slow, 2, len(s.fast.ladder))
	if err != nil {
		return err
	}
	if err := x.checkAdaptive(s.fast); err != nil {
		return err
	}
	if err := s.resume(x.snapshot); err != nil {
		return err
	}
	s.slow, s.swaps = x.chains[0], x.Count
	x.setAdaptive(&s.fast, x.chains[1])
	return nil
}

// MarshalBinary is as Simulated.MarshalBinary.
func (s *Transitions) MarshalBinary() ([]byte, error) {
	x, err := s.take("transitions", s.ladder, s.ch)
	if err != nil {
		return nil, err
	}
	x.Count = s.accepted
	return x.encode()
}

// UnmarshalBinary is as Simulated.UnmarshalBinary.
func (s *Transitions) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "transitions", s.ch, 1, len(s.ladder))
	if err != nil {
		return err
	}
	if !slices.Equal(x.Ladder, s.ladder) {
		return unfit("its ladder is %v, must be %v", x.Ladder, s.ladder)
	}
	if err := s.resume(x.snapshot); err != nil {
		return err
	}
	s.ch, s.accepted = x.chains[0], x.Count
	return nil
}

// MarshalBinary is as Simulated.MarshalBinary. The ladder, which Adapt changes, is part of
// the chain.
func (p *Parallel) MarshalBinary() ([]byte, error) {
	x, err := p.take("parallel", p.ladder, p.chains...)
	if err != nil {
		return nil, err
	}
	e := p.x
	x.At, x.Phase, x.Trips, x.Scans, x.Rejected, x.Tried = e.at, e.phase, e.trips, e.scans, e.rejected, e.tried
	return x.encode()
}

// UnmarshalBinary is as Simulated.UnmarshalBinary, but takes the ladder of the encoded
// sampler, which must have as many levels.
func (p *Parallel) UnmarshalBinary(data []byte) error {
	levels := len(p.ladder)
	x, err := decode(data, "parallel", p.chains[0], levels, levels)
	if err != nil {
		return err
	}
	sorted := slices.Sorted(slices.Values(x.At))
	for k, i := range sorted {
		if k != i {
			return unfit("replicas %v by level are no permutation", x.At)
		}
	}
	if len(sorted) != levels || len(x.Phase) != levels || len(x.Trips) != levels ||
		len(x.Rejected) != levels-1 || len(x.Tried) != levels-1 {
		return unfit("counts of swaps do not have %d levels", levels)
	}
	if err := p.resume(x.snapshot); err != nil {
		return err
	}
	p.chains, p.ladder = x.chains, x.Ladder
	if p.fast != nil {
		p.fast = p.chains[0].fast.all
	}
	*p.x = exchange{x.At, x.Phase, x.Trips, x.Scans, x.Rejected, x.Tried}
	return nil
}

// MarshalBinary is as Simulated.MarshalBinary.
func (g *ProfileGibbs) MarshalBinary() ([]byte, error) {
	x, err := g.c.take("profile", nil, g.ch)
	if err != nil {
		return nil, err
	}
	return x.encode()
}

// UnmarshalBinary is as Simulated.UnmarshalBinary.
func (g *ProfileGibbs) UnmarshalBinary(data []byte) error {
	x, err := decode(data, "profile", g.ch, 1, 0)
	if err != nil {
		return err
	}
	if err := g.c.resume(x.snapshot); err != nil {
		return err
	}
	g.ch = x.chains[0]
	return nil
}

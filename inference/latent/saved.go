package latent

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/internal/linalg"
	"github.com/spikesampling/spikesampling/internal/npy"
)

// A saved network is an NPZ file with, for every layer l = 1, …, L,
//
//	W<l>, b<l>                  weights and biases
//	fb<l>                       fixed feedback weights, if there are any
//	tau_m<l>, tau_r<l>          time constants [ms]
//
// factor of the learning rate, and for the learning and the predicting state
//
//	learn/noise, predict/noise  the source of rate noise
//	learn/state, predict/state  time [ms], batch (0: no state yet), 1 if there are no errors, 1 if
//	                            there is a target
//	learn/x, learn/y, …         input and target
//	learn/u<l>, …               potentials, rates, …
//
// Numbers have the network's precision.

// states are the names of the learning and the predicting state.
var states = [2]string{"learn", "predict"}

// parts are the arrays of the weights, by name; restoring fills them.
type parts[F linalg.Float] struct {
	names  []string
	arrays [][]F
	shapes [][]int
}

func (p *parts[F]) add(name string, x []F, shape ...int) {
	p.names, p.arrays, p.shapes = append(p.names, name), append(p.arrays, x), append(p.shapes, shape)
}

func (p *parts[F]) weights(n *network[F]) {
	for l, y := range n.layers {
		p.add(fmt.Sprintf("W%d", l+1), y.w.Data, y.w.Rows, y.w.Cols)
		p.add(fmt.Sprintf("b%d", l+1), y.b, len(y.b))
		if y.fb.Rows > 0 {
			p.add(fmt.Sprintf("fb%d", l+1), y.fb.Data, y.fb.Rows, y.fb.Cols)
		}
	}
}

func (p *parts[F]) state(n *network[F], which string, s *state[F]) {
	p.add(which+"/x", s.x, len(s.x))
	p.add(which+"/y", s.y, len(s.y))
	for l, t := range s.layers {
		add := func(name string, x []F) { p.add(fmt.Sprintf("%s/%s%d", which, name, l+1), x, len(x)) }
		add("u", t.u)
		add("ahead", t.drive)
		add("rate", t.rate)
		add("slope", t.slope)
		add("error", t.err)
		if n.rates.Filters() {
			add("seen", t.seen)
		}
	}
}

func (r runner[F]) marshal() ([]byte, error) {
	n := r.network
	var p parts[F]
	var a npy.Archive
	p.weights(n)
	for i, s := range []*state[F]{n.learning, n.predicting} {
		which := states[i]
		head := []float64{0, 0, 1, 0}
		if s != nil {
			head[0], head[1] = s.time, float64(s.batch)
			if !s.quiet {
				head[2] = 0
			}
			if s.target {
				head[3] = 1
			}
			p.state(n, which, s)
		}
		noise, err := n.noise[i].MarshalBinary()
		if err != nil {
			return nil, err
		}
		a = append(a, npy.Entry{Name: which + "/state", Array: npy.New(head, len(head))}, npy.Entry{Name: which + "/noise", Array: npy.New(noise, len(noise))})
	}
	for i, name := range p.names {
		switch x := any(p.arrays[i]).(type) {
		case []float32:
			a = append(a, npy.Entry{Name: name, Array: npy.New(x, p.shapes[i]...)})
		case []float64:
			a = append(a, npy.Entry{Name: name, Array: npy.New(x, p.shapes[i]...)})
		}
	}
	for l, y := range n.layers {
		a = append(a, npy.Entry{Name: fmt.Sprintf("tau_m%d", l+1), Array: npy.New(y.tauM, len(y.tauM))},
			npy.Entry{Name: fmt.Sprintf("tau_r%d", l+1), Array: npy.New(y.tauR, len(y.tauR))})
	}
	a = append(a, npy.Entry{Name: "factor", Array: npy.New([]float64{n.factor}, 1)})
	var buf bytes.Buffer
	if err := npy.WriteZip(&buf, a); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (r runner[F]) unmarshal(data []byte) error {
	if err := r.restore(data); err != nil {
		return fmt.Errorf("latent: saved network: %w", err)
	}
	return nil
}

func (r runner[F]) restore(data []byte) error {
	a, err := npy.ReadZip(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	n := r.network
	factor, err := npy.Get[float64](a, "factor", 1)
	if err != nil {
		return err
	}
	if !(factor[0] >= 0) || math.IsInf(factor[0], 0) {
		return fmt.Errorf("factor of the learning rate is %v: must be finite and ≥ 0", factor[0])
	}
	var p parts[F]
	p.weights(n)
	rest := 2*len(n.layers) + 2*len(states) + 1 // time constants, states, noise, factor
	var restored [2]*state[F]
	var sources [2]*rand.ChaCha8
	for i, which := range states {
		noise, err := npy.Get[uint8](a, which+"/noise", -1)
		if err != nil {
			return err
		}
		sources[i] = new(rand.ChaCha8)
		if err := sources[i].UnmarshalBinary(noise); err != nil {
			return err
		}
		head, err := npy.Get[float64](a, which+"/state", 4)
		if err != nil {
			return err
		}
		batch := int(head[1])
		if !(head[1] >= 0 && head[1] <= 1<<24) || float64(batch) != head[1] || !(head[0] >= 0) || math.IsInf(head[0], 0) {
			return fmt.Errorf("%s/state is %v: must be a time, a batch size and twice 0 or 1", which, head)
		}
		if batch == 0 {
			continue
		}
		// The potentials must be there before memory is taken for a batch of this size.
		if _, err := npy.Get[F](a, which+"/u1", batch*n.layers[0].out.size()); err != nil {
			return err
		}
		s := n.newState(batch, sources[i])
		s.time, s.quiet, s.target = head[0], head[2] != 0, head[3] != 0
		p.state(n, which, s)
		restored[i] = s
	}
	if len(a) != len(p.names)+rest {
		return fmt.Errorf("%d arrays: must be %d (has the other network feedback or filters that this one has not?)", len(a), len(p.names)+rest)
	}
	got := make([][]F, len(p.names))
	for i, name := range p.names {
		if got[i], err = npy.Get[F](a, name, p.shapes[i]...); err != nil {
			return err
		}
		for k, v := range got[i] {
			if v-v != 0 {
				return fmt.Errorf("%s[%d] = %v: must be finite", name, k, v)
			}
		}
	}
	taus := make([][2][]float64, len(n.layers))
	for l, y := range n.layers {
		for k, name := range []string{"tau_m", "tau_r"} {
			if taus[l][k], err = npy.Get[float64](a, fmt.Sprintf("%s%d", name, l+1), -1); err != nil {
				return err
			}
		}
		probe := *y.look
		if err := probe.Set(taus[l][0], taus[l][1], n.o.Dt); err != nil {
			return err
		}
	}
	for i, x := range got {
		copy(p.arrays[i], x)
	}
	for l, y := range n.layers {
		y.tauM, y.tauR = taus[l][0], taus[l][1]
		if err := y.look.Set(y.tauM, y.tauR, n.o.Dt); err != nil {
			return err
		}
	}
	for _, s := range restored {
		if s == nil {
			continue
		}
		if n.errs.Filters() {
			for _, t := range s.layers {
				copy(t.errNext, t.err)
			}
		}
		n.present(s)
	}
	n.learning, n.predicting, n.factor, n.noise = restored[0], restored[1], factor[0], sources
	return nil
}

package boltzmann

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// flipLog keeps all flips.
type flipLog struct {
	z     []uint8
	flips []sampling.Flip
	end   float64
}

func (l *flipLog) Begin(_ float64, z []uint8) error { l.z = slices.Clone(z); return nil }
func (l *flipLog) Record(f []sampling.Flip, t float64) {
	l.flips, l.end = append(l.flips, f...), t
}

// Fast under sampling.Run and a chain of FastChains.Run give the same flips, in pieces as
// well as whole; flips lead to the state and have the times of Gibbs and BlockGibbs.
func TestFastFlips(t *testing.T) {
	for name, m := range fastModels(t) {
		const chains = 18
		many := mustFast(t, m, FastChainsOptions{Chains: chains}, 9)
		logs, rec := make([]flipLog, chains), make([][]sampling.Recorder, chains)
		for c := range rec {
			rec[c] = []sampling.Recorder{&logs[c]}
		}
		sch := sampling.Schedule{Warmup: 2.5, Duration: 20}
		if err := many.Run(context.Background(), sch, rec); err != nil {
			t.Fatal(err)
		}
		n := float64(m.Dim())
		for _, c := range []int{0, 7, 16, 17} {
			s, err := NewFast(m, FastOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Reset(nil, sources(9)(c)); err != nil {
				t.Fatal(err)
			}
			var l flipLog
			if err := sampling.Run(context.Background(), s, sch, &l); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(l, logs[c]) || l.end != s.Time() || s.Time() != 23 {
				t.Fatalf("%s, chain %d: %v alone, %v beside others", name, c, l, logs[c])
			}
			last := 3.0
			for _, f := range l.flips {
				when := f.Time - math.Ceil(f.Time) + 1 // in (0, 1]
				want := 1.0
				if b, ok := m.(Blocked); !ok {
					want = (float64(f.Unit) + 1) / n
				} else if b.layered().layer[f.Unit]%2 == 1 {
					want = .5
				}
				if math.Abs(when-want) > 1e-12 || f.Time < last || l.z[f.Unit] == f.On {
					t.Fatalf("%s: flip %+v after time %v, unit is at %v", name, f, last, l.z[f.Unit])
				}
				l.z[f.Unit], last = f.On, f.Time
			}
			if !slices.Equal(l.z, s.State()) || !slices.Equal(l.z, many.State(c)) {
				t.Fatalf("%s: flips lead to %v, state is %v", name, l.z, s.State())
			}
		}
	}
}

// Short buffers and advances do not change the chain.
func TestFastPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapidLayered(t)
		s, _ := NewFast(m, FastOptions{})
		whole, _ := NewFast(m, FastOptions{})
		if err := errors.Join(s.Reset(nil, rng.Stream(1, "x")), whole.Reset(nil, rng.Stream(1, "x"))); err != nil {
			t.Fatal(err)
		}
		end := rapid.Float64Range(0.1, 30).Draw(t, "end")
		want, err := whole.Advance(end, make([]sampling.Flip, 0, 31*m.Dim()))
		if err != nil || whole.Time() != math.Ceil(end) {
			t.Fatal(err, whole.Time())
		}
		var got []sampling.Flip
		buf := make([]sampling.Flip, 0, m.Dim()+rapid.IntRange(0, 30).Draw(t, "room"))
		for s.Time() < end {
			before := s.Time()
			f, err := s.Advance(min(end, before+rapid.Float64Range(.1, 4).Draw(t, "step")), buf)
			if err != nil || s.Time() == before || cap(f) != cap(buf) {
				t.Fatal(err, s.Time())
			}
			got = append(got, f...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("in pieces %v, whole %v", got, want)
		}
	})
}

// Fast runs under sampling.Chains, with the same result whatever runs at a time.
func TestFastUnderChains(t *testing.T) {
	var mean [2][]float64
	for i, parallel := range []int{1, 3} {
		e, err := sampling.Chains(context.Background(),
			func(int) (sampling.Sampler, error) { return NewFast(bmS(10, 1), FastOptions{}) },
			func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(10), nil },
			sampling.ChainOptions{Schedule: sampling.Schedule{Warmup: 10, Duration: 2000}, Seed: 3, Chains: 4, Parallel: parallel})
		if err != nil {
			t.Fatal(err)
		}
		mean[i] = e.Mean()
	}
	want := mustEnumerate(t, bmS(10, 1)).Mean
	if !slices.Equal(mean[0], mean[1]) {
		t.Errorf("marginals %v and %v", mean[0], mean[1])
	}
	for k := range want { // 8000 sweeps: standard errors up to 0.01
		if math.Abs(mean[0][k]-want[k]) > .06 {
			t.Errorf("unit %d: mean %v, want %v", k, mean[0][k], want[k])
		}
	}
}

// A restored chain goes on bit for bit; checkpoints of other machines are refused.
func TestFastResume(t *testing.T) {
	for name, m := range fastModels(t) {
		for _, chains := range []int{1, 18} {
			f := mustFast(t, m, FastChainsOptions{Chains: chains}, 2)
			_ = f.Sweep(7)
			if err := f.SetBeta(chains-1, .3); err != nil {
				t.Fatal(err)
			}
			data, err := f.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			g, err := NewFastChains(m, FastChainsOptions{Chains: chains})
			if err != nil {
				t.Fatal(err)
			}
			if err := g.UnmarshalBinary(data); err != nil {
				t.Fatal(name, err)
			}
			_, _ = f.Sweep(9), g.Sweep(9)
			for c := range chains {
				if a, b := slices.Clone(f.State(c)), g.State(c); !slices.Equal(a, b) || f.Energy(c) != g.Energy(c) || f.Time() != g.Time() || f.Beta(c) != g.Beta(c) {
					t.Fatalf("%s, chain %d: %v restored %v", name, c, a, b)
				}
			}
		}
	}
	s, _ := NewFast(bmS(10, 1), FastOptions{})
	if _, err := s.MarshalBinary(); err == nil {
		t.Error("MarshalBinary before Reset")
	}
	if err := s.Reset(nil, rng.Stream(1, "x")); err != nil {
		t.Fatal(err)
	}
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]Quantisable{
		"another machine": bmS(10, 1.01), "another size": bmS(9, 1), "another kind": rbmS(t, 6, 4, 1), "another grid": bmS(10, 9),
	} {
		o, _ := NewFast(other, FastOptions{})
		if err := o.UnmarshalBinary(data); err == nil {
			t.Errorf("checkpoint of %s accepted", name)
		} else if err := o.Sweep(1); err == nil {
			t.Errorf("%s: goes on after a refused checkpoint", name)
		}
	}
	for i := range data {
		_ = s.UnmarshalBinary(data[:i]) // no panic
	}
}

func FuzzFastUnmarshal(f *testing.F) {
	s, err := NewFast(REF(5), FastOptions{})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Reset(nil, rng.Stream(1, "x")); err != nil {
		f.Fatal(err)
	}
	data, err := s.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		s, _ := NewFast(REF(5), FastOptions{})
		if s.UnmarshalBinary(data) != nil {
			return
		}
		if err := s.Sweep(3); err != nil {
			t.Fatal(err)
		}
		if e := s.Model().Energy(s.State()); e != s.Energy() {
			t.Fatalf("energy %v, want %v", s.Energy(), e)
		}
	})
}

// Strong couplings, extreme sizes and temperatures: states are decided by the sign of the
// log odds, and nothing is NaN.
func TestFastSaturation(t *testing.T) {
	for _, size := range []float64{0, 1e-300, 1e-30, 1e6, 1e30, 1e300} {
		for _, beta := range []float64{1, 1e-300, 1e300} {
			m := REF(12)
			for i := range m.w {
				m.w[i] *= size
			}
			for i := range m.b {
				m.b[i] *= size
			}
			f := mustFast(t, m, FastChainsOptions{Betas: []float64{beta, beta}}, 1)
			_ = f.Sweep(20)
			e := f.Energy(0)
			if math.IsNaN(e) || math.IsInf(e, 0) {
				t.Errorf("size %v, β %v: energy %v", size, beta, e)
			}
			if size*beta >= 1e5 { // zero temperature: a local minimum
				z := f.State(0)
				for k, on := range z {
					if u := f.Model().Logit(z, k); u != 0 && (u > 0) != (on != 0) {
						t.Errorf("size %v, β %v: unit %d is %d at log odds %v", size, beta, k, on, u)
					}
				}
			}
		}
	}
	// At β = 0 and without couplings, units are fair coins: 32000 draws, |z| < 4.5.
	for _, m := range []Quantisable{gaussian(32, 50), newMachine(32), drawLayered(t, 1, 50, 16, 16)} {
		f := mustFast(t, m, FastChainsOptions{Betas: []float64{0}}, 4)
		on := 0.0
		for range 1000 {
			_ = f.Sweep(1)
			for _, z := range f.State(0) {
				on += float64(z)
			}
		}
		if z := (on - 16000) / math.Sqrt(8000); math.Abs(z) > 4.5 {
			t.Errorf("%T: %v of 32000 on at β = 0", m, on)
		}
	}
}

func TestFastRefuses(t *testing.T) {
	m := REF(3)
	for _, o := range []FastChainsOptions{{Chains: -1}, {Chains: 1 << 30}, {Chains: 2, Betas: []float64{1}},
		{Betas: []float64{-1}}, {Betas: []float64{math.NaN()}}, {Betas: []float64{1, math.Inf(1)}}, {Betas: []float64{}, Chains: 1}} {
		if _, err := NewFastChains(m, o); err == nil || !strings.HasPrefix(err.Error(), "boltzmann: ") {
			t.Errorf("%+v: error %v", o, err)
		}
	}
	for _, beta := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := NewFast(m, FastOptions{Beta: beta}); err == nil || !strings.Contains(err.Error(), fmt.Sprint(beta)) {
			t.Errorf("beta %v: error %v", beta, err)
		}
	}
	t.Run("path", func(t *testing.T) {
		t.Setenv("SPIKESAMPLING_PATH", "abacus")
		if _, err := NewFast(m, FastOptions{}); err == nil {
			t.Error("path abacus accepted")
		}
	})
	s, err := NewFast(m, FastOptions{})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]sampling.Flip, 0, 6)
	if _, err := s.Advance(1, buf); err == nil {
		t.Error("Advance before Reset")
	}
	if err := s.Sweep(1); err == nil {
		t.Error("Sweep before Reset")
	}
	if err := s.Reset(nil, nil); err == nil {
		t.Error("nil source accepted")
	}
	for _, z := range [][]uint8{{}, {1}, {0, 2, 0}} {
		if err := s.Reset(z, rng.Stream(1, "x")); err == nil {
			t.Errorf("start %v accepted", z)
		}
	}
	if err := s.Reset([]uint8{1, 0, 1}, rng.Stream(1, "x")); err != nil || !slices.Equal(s.State(), []uint8{1, 0, 1}) {
		t.Error(err, s.State())
	}
	for _, end := range []float64{math.NaN(), math.Inf(1)} {
		if _, err := s.Advance(end, buf); err == nil {
			t.Errorf("Advance to %v", end)
		}
	}
	f, err := NewFastChains(m, FastChainsOptions{Chains: 2})
	if err != nil {
		t.Fatal(err)
	}
	none := func(int) rand.Source { return nil }
	sch := sampling.Schedule{Duration: 1}
	for name, err := range map[string]error{
		"no sources": f.Reset(nil, nil), "nil source": f.Reset(nil, none),
		"start of 2":       f.Reset(func(_ int, z []uint8) { z[0] = 2 }, sources(1)),
		"Run before Reset": f.Run(context.Background(), sch, make([][]sampling.Recorder, 2)),
		"chain −1":         f.SetBeta(-1, 1), "chain 2": f.SetBeta(2, 1),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := f.Reset(nil, sources(1)); err != nil {
		t.Fatal(err)
	}
	if err := f.Run(context.Background(), sch, nil); err == nil {
		t.Error("Run without recorders for the chains")
	}
	if err := f.Run(context.Background(), sampling.Schedule{}, make([][]sampling.Recorder, 2)); err == nil {
		t.Error("Run of an empty schedule")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Run(ctx, sch, make([][]sampling.Recorder, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFastAllocates(t *testing.T) {
	for name, m := range fastModels(t) {
		for _, chains := range []int{1, 16} {
			f := mustFast(t, m, FastChainsOptions{Chains: chains}, 1)
			if n := testing.AllocsPerRun(20, func() { _ = f.Sweep(2); _ = f.Energy(chains - 1); _ = f.State(0) }); n != 0 {
				t.Errorf("%s, %d chains: %v allocations", name, chains, n)
			}
		}
		s, _ := NewFast(m, FastOptions{})
		if err := s.Reset(nil, rng.Stream(1, "x")); err != nil {
			t.Fatal(err)
		}
		buf := make([]sampling.Flip, 0, 2*m.Dim())
		if n := testing.AllocsPerRun(20, func() {
			if _, err := s.Advance(s.Time()+5, buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations in Advance", name, n)
		}
	}
}

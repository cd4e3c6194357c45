package rng_test

//lint:file-ignore SA1019 golang.org/x/exp/rand is one of the sources the library promises to accept.

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	exprand "golang.org/x/exp/rand"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestStreamKey fixes the derivation of streams: a result that was published with a seed
// must come out of every later version.
func TestStreamKey(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		name  string
		index []int
		bytes string // seed, length of the name, name, indices; 64-bit little endian
	}{
		{0, "", nil, "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{42, "chain", []int{3}, "\x2a\x00\x00\x00\x00\x00\x00\x00" + "\x05\x00\x00\x00\x00\x00\x00\x00" + "chain" + "\x03\x00\x00\x00\x00\x00\x00\x00"},
		{1 << 63, "τ", []int{-1, 256}, "\x00\x00\x00\x00\x00\x00\x00\x80" + "\x02\x00\x00\x00\x00\x00\x00\x00" + "\xcf\x84" +
			"\xff\xff\xff\xff\xff\xff\xff\xff" + "\x00\x01\x00\x00\x00\x00\x00\x00"},
	} {
		want := rand.NewChaCha8(sha256.Sum256([]byte(c.bytes)))
		got := rng.Stream(c.seed, c.name, c.index...)
		for i := range 100 {
			if x, y := got.Uint64(), want.Uint64(); x != y {
				t.Fatalf("Stream(%d, %q, %v): word %d is %x: must be %x", c.seed, c.name, c.index, i, x, y)
			}
		}
	}
}

// key names one stream.
type key struct {
	seed  uint64
	name  string
	index string // indices as bytes, since a key must be comparable
}

// neighbours are streams that a careless derivation would mix up: neighbouring seeds and
// indices, swapped or shifted indices, names that spell an index.
func neighbours() map[key]*rand.ChaCha8 {
	m := map[key]*rand.ChaCha8{}
	for _, seed := range []uint64{0, 1, 2, 1 << 32, 1 << 63, math.MaxUint64} {
		for _, name := range []string{"", "a", "b", "ab", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x00", "chain"} {
			for _, index := range [][]int{{}, {0}, {1}, {-1}, {0, 0}, {0, 1}, {1, 0}, {1 << 40}} {
				m[key{seed, name, fmt.Sprint(index)}] = rng.Stream(seed, name, index...)
			}
		}
	}
	return m
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[[4]uint64]key{}
	for k, s := range neighbours() {
		first := [4]uint64{s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64()}
		if other, ok := seen[first]; ok {
			t.Errorf("%+v and %+v are the same stream", k, other)
		}
		seen[first] = k
	}
	// The same name gives the same stream, from its start.
	for k, s := range neighbours() {
		first := [4]uint64{s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64()}
		if seen[first] != k {
			t.Errorf("%+v is another stream the second time", k)
		}
	}
}

// TestStreamsUncorrelated: the uniforms of different streams have correlation below
// 4.5/√n for every pair, at lag 0 and 1 (852 values of r, each beyond by chance with
// probability 7e-6: false alarm below 1 %; the streams are fixed).
func TestStreamsUncorrelated(t *testing.T) {
	const n = 20000
	var xs [][]float64
	for _, seed := range []uint64{0, 1, 2, 1 << 63} {
		for _, name := range []string{"a", "b"} {
			for _, index := range [][]int{{}, {0}, {1}} {
				s := rng.Stream(seed, name, index...)
				x := make([]float64, n+1)
				for i := range x {
					x[i] = (float64(s.Uint64()>>11)/(1<<53) - 0.5) * math.Sqrt(12)
				}
				xs = append(xs, x)
			}
		}
	}
	bound := 4.5 / math.Sqrt(n)
	for i, x := range xs {
		for j, y := range xs {
			for lag := range 2 {
				if lag == 0 && i >= j {
					continue
				}
				r := 0.0
				for k := range n {
					r += x[k] * y[k+lag] / n
				}
				if math.Abs(r) > bound {
					t.Errorf("streams %d and %d at lag %d: correlation %.4f: must be below %.4f", i, j, lag, r, bound)
				}
			}
		}
	}
}

// TestMarshal: a stream that was stored and restored after any number of words continues
// bit for bit, and so does a source of x/exp.
func TestMarshal(t *testing.T) {
	type source interface {
		rand.Source
		encoding.BinaryMarshaler
		encoding.BinaryUnmarshaler
	}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		drawn := rapid.IntRange(0, 1000).Draw(t, "drawn")
		for _, c := range []struct{ s, restored source }{
			{rng.Stream(seed, "marshal"), rng.Stream(0, "other")},
			{rng.XExp(seed).(*exprand.PCGSource), &exprand.PCGSource{}},
		} {
			for range drawn {
				c.s.Uint64()
			}
			b, err := c.s.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			c.restored.Uint64()
			if err := c.restored.UnmarshalBinary(bytes.Clone(b)); err != nil {
				t.Fatal(err)
			}
			for i := range 300 {
				if x, y := c.restored.Uint64(), c.s.Uint64(); x != y {
					t.Fatalf("%T: word %d after restoring is %x: must be %x", c.s, i, x, y)
				}
			}
		}
	})
}

// TestXExp: XExp is the generator of golang.org/x/exp/rand, word for word.
func TestXExp(t *testing.T) {
	for _, seed := range []uint64{0, 1, math.MaxUint64} {
		got, want := rng.XExp(seed), exprand.New(exprand.NewSource(seed))
		for i := range 100 {
			if x, y := got.Uint64(), want.Uint64(); x != y {
				t.Fatalf("seed %d: word %d is %x: must be %x", seed, i, x, y)
			}
		}
	}
}

func ExampleStream() {
	a, b := rng.Stream(42, "chain", 0), rng.Stream(42, "chain", 1)
	again := rng.Stream(42, "chain", 0)
	x := a.Uint64()
	fmt.Println(x == again.Uint64(), x == b.Uint64())
	// Output: true false
}

func BenchmarkStream(b *testing.B) {
	s := rng.Stream(1, "bench")
	for b.Loop() {
		s.Uint64()
	}
}

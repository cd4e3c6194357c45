// Package rng derives independent, named random streams from one seed.
//
// A result depends on one number only: every chain, noise source and data shuffle takes
// its own stream by name, so that adding one does not move the others. The streams are
// ChaCha8 generators keyed by a SHA-256 hash of seed and name; two different names give
// independent streams, unlike neighbouring seeds of a small generator.
//
// Everything in the library that needs randomness accepts a [math/rand/v2.Source].
// A source of golang.org/x/exp/rand is one as it is (see [XExp]).
package rng

//lint:file-ignore SA1019 golang.org/x/exp/rand is one of the sources the library promises to accept.

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"

	exprand "golang.org/x/exp/rand"
)

// Stream returns the random stream of that seed, name and index. It can be marshalled,
// so a stopped chain can continue.
func Stream(seed uint64, name string, index ...int) *rand.ChaCha8 {
	h := sha256.New()
	var b [8]byte
	put := func(x uint64) {
		binary.LittleEndian.PutUint64(b[:], x)
		h.Write(b[:])
	}
	put(seed)
	put(uint64(len(name)))
	h.Write([]byte(name))
	for _, i := range index {
		put(uint64(int64(i)))
	}
	return rand.NewChaCha8([32]byte(h.Sum(nil)))
}

// XExp returns the PCG XSL RR 128/64 generator of golang.org/x/exp/rand, for continuity
// with results made with gonum before v0.16. Use a new one per chain; neighbouring seeds
// are not independent streams by construction.
func XExp(seed uint64) exprand.Source { return exprand.NewSource(seed) }

// The claim of the package documentation: an x/exp source is a math/rand/v2 source.
var _ rand.Source = exprand.Source(nil)

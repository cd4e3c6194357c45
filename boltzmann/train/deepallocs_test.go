//go:build !race

package train

import (
	"testing"

	"github.com/spikesampling/spikesampling/internal/linalg"
)

// Small products of matrices take their buffers from a pool, which drops some at random under
// the race detector.

// TestDeepAllocates: an update allocates nothing.
func TestDeepAllocates(t *testing.T) {
	d := digitLike(400)
	for _, method := range []Method{PCD, CD, CAST} {
		for _, clamped := range []bool{false, true} {
			o := DeepOptions{Options: Options{Method: method, Epochs: 9, Batch: 10, Cast: CastOptions{}}, Layers: []int{40, 30}, Clamped: clamped}
			tr := mustNewDeep(t, d, o)
			for _, tr.net.team = range []*linalg.Team{nil, linalg.NewTeam(2)} {
				tr.advance() // orders the images of the first epoch
				if n := testing.AllocsPerRun(10, tr.advance); n != 0 {
					t.Errorf("%v, clamped %v: %v allocations in an update", method, clamped, n)
				}
				tr.net.team.Close()
			}
		}
	}
}

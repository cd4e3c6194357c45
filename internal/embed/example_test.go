package embed_test

import (
	"context"
	"fmt"

	"github.com/spikesampling/spikesampling/internal/embed"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Four corners of a square in the plane x + y + z = 0 have two components of equal variance
// and none beyond.
func ExamplePCA() {
	c, err := embed.PCA([][]float64{{1, -1, 0}, {-1, 1, 0}, {1, 1, -2}, {-1, -1, 2}}, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f of %.3f\n", c.Variance, c.Total)
	// Output: [4.000 1.333 0.000] of 5.333
}

// Two pairs of points: in the plane, too, each is nearest to its partner.
func ExampleTSNE() {
	x := [][]float64{{0, 0, 0}, {0, 0, 1}, {9, 9, 0}, {9, 9, 1}}
	y, _, err := embed.TSNE(context.Background(), x, rng.Stream(1, "example"), embed.TSNEOptions{Rate: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	near := func(i, j int) float64 {
		d0, d1 := y[i][0]-y[j][0], y[i][1]-y[j][1]
		return d0*d0 + d1*d1
	}
	fmt.Println(near(0, 1) < near(0, 2), near(2, 3) < near(1, 3))
	// Output: true true
}

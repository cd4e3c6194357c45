package plotx_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/spikesampling/spikesampling/internal/plotx"
)

// save writes a figure to a temporary directory.
func save(fig *plotx.Figure, err error, name string) {
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "plotx")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := fig.Save(filepath.Join(dir, name)); err != nil {
		log.Fatal(err)
	}
	fmt.Println("saved", name)
}

func ExamplePosteriorBars() {
	fig, err := plotx.PosteriorBars{
		Title:  "Sprinkler network, given wet grass",
		Labels: []string{"rain=false", "rain=true", "sprinkler=false", "sprinkler=true"},
		Exact:  []float64{0.29, 0.71, 0.57, 0.43},
		Samplers: []plotx.Estimate{{
			Name: "LIF network",
			P:    []float64{0.30, 0.70, 0.55, 0.45},
			MCSE: []float64{0.01, 0.01, 0.01, 0.01},
		}},
	}.Figure()
	save(fig, err, "posterior.png")
	// Output: saved posterior.png
}

func ExampleDKLCurve() {
	fig, err := plotx.DKLCurve{
		Series: []plotx.DKLSeries{{
			Name:  "LIF network",
			T:     []float64{1e3, 1e4, 1e5, 1e6},
			D:     []float64{0.3, 0.03, 4e-3, 1.5e-3},
			Floor: []float64{0.31, 0.031, 3.1e-3, 3.1e-4},
		}},
	}.Figure()
	save(fig, err, "dkl.svg")
	// Output: saved dkl.svg
}

func ExampleRaster() {
	fig, err := plotx.Raster{
		Spikes: [][]float64{{12, 40, 71}, {3, 25, 55}},
		Labels: []string{"z_{1}", "z_{2}"},
		TauRef: 10,
		To:     100,
	}.Figure()
	save(fig, err, "raster.pdf")
	// Output: saved raster.pdf
}

func ExampleTiles() {
	line := plotx.Lines{
		XLabel: "time [ms]", YLabel: "u [mV]",
		Series: []plotx.Line{{X: []float64{0, 1, 2}, Y: []float64{-52, -51, -50.5}}},
	}
	heat := plotx.Heat{Values: [][]float64{{0, 0.5}, {0.5, 0}}, BarLabel: "weight [nats]"}
	a, err := line.Figure()
	if err != nil {
		log.Fatal(err)
	}
	b, err := heat.Figure()
	if err != nil {
		log.Fatal(err)
	}
	fig, err := plotx.Tiles{Figures: []*plotx.Figure{a, b}, Letters: true}.Figure()
	save(fig, err, "tiles.png")
	// Output: saved tiles.png
}

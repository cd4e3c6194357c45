// Package plotx draws the library's figures in one house style on top of
// gonum.org/v1/plot. Only the example commands use it; it knows plain slices and none of
// the library's types.
//
// A figure type is a struct of data with labels; its Figure method checks the data and
// returns a [Figure], which Save writes as PNG, SVG or PDF:
//
//	fig, err := plotx.DKLCurve{Title: "Convergence", Series: series}.Figure()
//	err = fig.Save("dkl.png")
//
// The types are
//
//	PosteriorBars  exact probabilities beside those of samplers
//	DKLCurve       divergence from the target against biological time, log-log
//	Timeline       what processes are in at what time, in rows
//	Raster         spikes, refractory times and a membrane trace
//	Activation     activation functions: measured, fitted, analytic, and residuals
//	Histogram      density of values against a Gaussian
//	ACFCurve       autocorrelation, measured and in theory
//	Lines          any series
//	Heat           a matrix with a colour bar
//	ImageGrid      images in rows
//	Tiles          figures side by side
//
// # Conventions
//
// Times are in ms, potentials in mV, divergences in nats; labels carry the unit in
// brackets. Labels, names and titles may contain _{subscripts} and ^{superscripts}.
// Error bars and bands are ±2 standard errors, those of a DKLCurve ±1; the legend says
// so. A figure is 9 inch wide if nothing else is said: 1800 pixels in a PNG (200 per
// inch), for display at half that size, with letters of 10 to 12 points.
//
// Every Figure method reports all that is wrong with the data at once: empty, too many
// or differently long slices, and numbers that are NaN, infinite, beyond 1e100 or out of
// their range. Only a DKLCurve leaves out values that a logarithmic axis cannot show.
//
// # Style
//
// Series have the colours of Okabe and Ito (2008), "Color universal design", which
// remain distinct in the common forms of colour blindness, and different point shapes or
// dashes as well. Exact and theoretical values are black or grey. Legends stand above
// the data and never cover it. Axes are thin; logarithmic ones say 1, 10, 10², …
//
// Equal figures give equal bytes, on every run and in every format.
package plotx

package plotx

import (
	"math"
	"strings"
	"testing"
)

// TestErrors checks that bad data are refused, with what, where and what is allowed.
func TestErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	one := []float64{1}
	good := Line{X: one, Y: one}
	for _, c := range []struct {
		spec spec
		want []string // parts of the message
	}{
		{PosteriorBars{}, []string{"plotx: PosteriorBars: no labels", "neither Exact nor Samplers"}},
		{PosteriorBars{Labels: []string{"a"}, Exact: []float64{1.1}}, []string{"Exact[0] = 1.1: must be in [0, 1]"}},
		{PosteriorBars{Labels: []string{"a", "b"}, Exact: one}, []string{"Exact has 1 entries: must have 2, as many as Labels or none"}},
		{PosteriorBars{Labels: []string{"a"}, Samplers: []Estimate{{P: []float64{nan}, MCSE: []float64{-1}}}}, []string{"Samplers[0].P[0] = NaN", "Samplers[0].MCSE[0] = -1"}},
		{PosteriorBars{Labels: make([]string, 201), Exact: make([]float64, 201)}, []string{"201 labels: must be at most 200"}},
		{DKLCurve{}, []string{"plotx: DKLCurve: no series"}},
		{DKLCurve{Series: []DKLSeries{{Name: "s", T: []float64{1, 2, 0}, D: []float64{nan, 0, 1}}}}, []string{"must ascend", `"s" has no point`}},
		{DKLCurve{Series: []DKLSeries{{T: one, D: nil}}}, []string{"Series[0].D has 0 entries"}},
		{DKLCurve{Series: []DKLSeries{{T: one, D: one, SE: []float64{-1}}}, Level: -1, FloorT: one}, []string{"SE[0] = -1", "Level = -1: must be > 0", "Floor has 0 entries"}},
		{Raster{}, []string{"plotx: Raster: 0 units", "neither spikes nor a trace"}},
		{Raster{Spikes: [][]float64{{2, 1}}, TauRef: -1}, []string{"Spikes[0][1] = 1 is below", "TauRef = -1"}},
		{Raster{Spikes: [][]float64{{nan}}, From: 3, To: 2}, []string{"Spikes[0][0] = NaN", "From, To = 3, 2: must ascend"}},
		{Raster{Spikes: [][]float64{one}, Trace: &Trace{Unit: 1, Threshold: inf}}, []string{"Trace.Unit = 1: must be in [0, 0]", "Trace.T is empty", "Trace.Threshold = +Inf"}},
		{Activation{}, []string{"plotx: Activation: no sets"}},
		{Activation{Sets: []ActivationSet{{Fit: &Logistic{}, AnalyticU: one}}}, []string{"Sets[0].U is empty", "Sets[0].Fit.Width = 0: must be > 0", "AnalyticP has 0 entries"}},
		{Histogram{Bins: -1, SD: -1}, []string{"plotx: Histogram: no values", "Bins = -1", "SD = -1"}},
		{Histogram{Values: []float64{1, inf}}, []string{"Values[1] = +Inf"}},
		{ACFCurve{}, []string{"plotx: ACFCurve: no series"}},
		{ACFCurve{Series: []ACFSeries{{}, {Lag: one, ACF: one, TheoryLag: one, SE: []float64{nan}}}}, []string{"Series[0].Lag is empty", "Series[1].Theory has 0 entries", "Series[1].SE[0] = NaN"}},
		{Lines{}, []string{"plotx: Lines: no series"}},
		{Lines{Series: []Line{{}, {X: one, Y: []float64{nan}}}}, []string{"Series[0].X is empty", "Series[1].Y[0] = NaN: must be finite"}},
		{Lines{Series: []Line{{X: one, Y: []float64{0}}}, LogY: true}, []string{"Series[0].Y[0] = 0: must be > 0"}},
		{Lines{Series: []Line{{X: one, Y: []float64{1e101}}}}, []string{"at most 1e100 in size"}},
		{Lines{Series: []Line{good}, XMin: 2, XMax: 1}, []string{"XMin, XMax = 2, 1: must ascend"}},
		{Lines{Series: []Line{good}, YMin: 1, HLines: []Reference{{At: nan}}}, []string{"YMin, YMax = 1, 0: must ascend", "HLines[0].At = NaN"}},
		{Lines{Series: []Line{good}, Size: Size{Width: 1, Height: nan}}, []string{"Size.Width = 1: must be in [1.5, 30]", "Size.Height = NaN"}},
		{Timeline{}, []string{"plotx: Timeline: 0 rows", "0 kinds"}},
		{Timeline{Rows: make([]TimelineRow, 2), Kinds: []string{"a"}}, []string{"no spans"}},
		{Timeline{Rows: []TimelineRow{{Spans: []Span{{0, nan, 0}}}, {Spans: []Span{{0, 1, 1}}}, {Spans: []Span{{0, 2, 0}, {1, 3, 0}}}, {Spans: []Span{{1, 0, 0}}}},
			Kinds: []string{"a"}, From: 1, VLines: []Reference{{At: inf}}}, []string{"Rows[0].Spans[0].To = NaN", "Rows[1].Spans[0].Kind = 1: must be in [0, 0]",
			"Rows[2].Spans[1] is 1 to 3", "Rows[3].Spans[0] is 1 to 0", "VLines[0].At = +Inf", "From, To = 1, 0: must ascend"}},
		{Heat{}, []string{"plotx: Heat: no values"}},
		{Heat{Values: [][]float64{{1, 2}, {3}}, RowLabels: []string{"a"}}, []string{"Values[1] has 1 entries: must have 2", "RowLabels has 1 entries: must have 2"}},
		{Heat{Values: [][]float64{{nan}}, Colors: 9}, []string{"Values[0][0] = NaN", "Colors = 9"}},
		{Heat{Values: [][]float64{one}, Colors: Diverging, Min: -1, Max: 2}, []string{"must be −x, x"}},
		{ImageGrid{}, []string{"plotx: ImageGrid: no images", "Rows, Cols = 0, 0"}},
		{ImageGrid{Images: [][]float64{one, {1, 2}, {nan}}, Rows: 1, Cols: 1, Labels: []string{"a"}}, []string{"Images[1] has 2 pixels", "Images[2][0] = NaN", "Labels has 1 entries: must have 3"}},
		{ImageGrid{Images: make([][]float64, 5), PerRow: -1, Rows: 1, Cols: 1}, []string{"PerRow = -1"}},
		{manyImages(), []string{"no room for 9000 images"}},
		{Tiles{}, []string{"plotx: Tiles: 0 figures"}},
		{Tiles{Figures: []*Figure{nil}, Cols: 7}, []string{"Figures[0] is nil", "Cols = 7"}},
	} {
		f, err := c.spec.Figure()
		if err == nil || f != nil {
			t.Errorf("%T: figure %v, error %v: want none and %q", c.spec, f, err, c.want)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%T: error %q lacks %q", c.spec, err, w)
			}
		}
	}
}

func manyImages() ImageGrid {
	g := ImageGrid{Rows: 1, Cols: 1}
	for range 9000 {
		g.Images = append(g.Images, []float64{1})
	}
	return g
}
